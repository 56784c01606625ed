use super::*;

/// An object as a describe tells it, with these fields besides the key and `Name`.
fn object(fields: &str) -> SObjectDescribe {
    let open = r#""createable":true,"updateable":true,"nillable":true"#;
    let fields = fields.replace("OPEN", open);
    let comma = if fields.is_empty() { "" } else { "," };
    let text = format!(
        r#"{{"name":"Thing__c","createable":true,"updateable":true,"fields":[
        {{"name":"Key__c","type":"string","length":80,"externalId":true,"unique":true,"idLookup":true,{open}}}{comma}{fields}]}}"#
    );
    serde_json::from_str(&text).expect(&text)
}

fn map(rules: &str) -> FieldMap {
    let text = format!(
        "version = 1\nobject = \"Thing__c\"\nkey = \"Key__c\"\n{rules}\n[[rules]]\nsource = \"id\"\ntarget = \"Key__c\"\n\
         required = true\ntransforms = [\"text\", {{ max_length = {{ max = 80 }} }}]\n"
    );
    FieldMap::from_toml(&text).expect("sound")
}

/// The report of one rule.
fn one(rule: &str, field: &str) -> FieldReport {
    let report = map(&format!("[[rules]]\n{rule}")).check(&object(field));
    report.fields.into_iter().find(|field| field.rule == Some(1)).expect("the first rule")
}

#[test]
fn every_pair_has_its_verdict_and_reason() {
    use Verdict::{Impossible, Lossy, Safe};
    let text = r#"{"name":"X__c","type":"string","length":40,OPEN}"#;
    let number = r#"{"name":"X__c","type":"double","precision":5,"scale":2,OPEN}"#;
    let whole = r#"{"name":"X__c","type":"int","digits":8,OPEN}"#;
    let flag = r#"{"name":"X__c","type":"boolean","createable":true,"updateable":true,"defaultedOnCreate":true}"#;
    let day = r#"{"name":"X__c","type":"date",OPEN}"#;
    let moment = r#"{"name":"X__c","type":"datetime",OPEN}"#;
    let email = r#"{"name":"X__c","type":"email","length":80,OPEN}"#;
    let list = r#"{"name":"X__c","type":"picklist","length":255,"restrictedPicklist":true,OPEN,"picklistValues":[
        {"active":true,"value":"High"},{"active":true,"value":"Low"},{"active":false,"value":"Old"}]}"#;
    let several = &list.replace("\"picklist\"", "\"multipicklist\"");
    let parent =
        r#"{"name":"X__c","type":"reference","length":18,"referenceTo":["Account"],"relationshipName":"X__r",OPEN}"#;
    let address = r#"{"name":"X__c","type":"address","createable":false,"updateable":false}"#;
    for (transforms, field, verdict, says) in [
        (r#""text", { max_length = { max = 40 } }"#, text, Safe, ""),
        (r#""text", { max_length = { max = 41 } }"#, text, Lossy, "more than 40 characters are refused"),
        (r"{ truncate = { max = 40 } }", text, Lossy, "texts are cut to 40 characters"),
        ("", text, Lossy, "add text and max_length of 40"),
        (r"{ number = { precision = 5, scale = 2 } }", text, Impossible, "a number into a text field"),
        (r"{ boolean = {} }", text, Impossible, "a flag into a text field"),
        (r"{ record_id = {} }", text, Safe, ""),
        (r"{ join_list = { max = 40 } }", text, Lossy, "lists of more than 40 characters are cut"),
        (r#"{ join_list = { max = 40, overflow = "refuse" } }"#, text, Safe, ""),
        (r"{ split_list = {} }", text, Impossible, "no field holds a list"),
        (r#"{ number = { precision = 5, scale = 2, rounding = "refuse" } }"#, number, Safe, ""),
        (r"{ number = { precision = 5, scale = 2 } }", number, Lossy, "rounded to 2 digits"),
        (
            r#"{ number = { precision = 6, scale = 2, rounding = "refuse" } }"#,
            number,
            Lossy,
            "more than 3 digits before the point",
        ),
        (
            r#"{ number = { precision = 6, scale = 3, rounding = "refuse" } }"#,
            number,
            Lossy,
            "Salesforce rounds to 2 digits",
        ),
        (r"{ whole_number = { precision = 3 } }", number, Safe, ""),
        (r"{ whole_number = { precision = 8 } }", whole, Safe, ""),
        (r"{ whole_number = { precision = 9 } }", whole, Lossy, "more than 8 digits before the point"),
        ("", number, Lossy, "not known to be a number"),
        (r#""text""#, number, Impossible, "a text into a number field: add parse_number"),
        (r#""text", { number = { precision = 5, scale = 2 } }"#, number, Impossible, "number does not take a text"),
        (r"{ boolean = {} }", flag, Lossy, "a blank value is refused, since the field is never blank"),
        (r#""text""#, flag, Impossible, "add boolean"),
        (r#"{ date = { zone = "Europe/Berlin" } }"#, day, Safe, ""),
        (r#""date_time", { date = {} }"#, day, Lossy, "the time of day is dropped"),
        (r#""date_time""#, day, Lossy, "the time of day is dropped"),
        (r"{ boolean = {} }", day, Impossible, "a flag into a date or time field"),
        (r#""date_time""#, moment, Safe, ""),
        (r#"{ local_date_time = { zone = "Europe/Berlin" } }"#, moment, Safe, ""),
        (r#""parse_number""#, moment, Impossible, "add epoch_seconds"),
        (r#""epoch_seconds""#, moment, Safe, ""),
        (r#""text", { max_length = { max = 80 } }, "email""#, email, Safe, ""),
        (r#""text", { max_length = { max = 80 } }"#, email, Lossy, "add email"),
        (r#"{ table = { entries = { a = "High", b = "Low" } } }"#, list, Safe, ""),
        (
            r#"{ table = { entries = { a = "High", b = "Old" } } }"#,
            list,
            Impossible,
            "\"Old\" is not in the restricted list",
        ),
        (r#"{ table = { entries = { a = "high" } } }"#, list, Lossy, "\"high\" is \"High\""),
        (r#"{ table = { entries = { a = "Highs" } } }"#, list, Impossible, "is not in the restricted list"),
        (r#""text""#, list, Lossy, "outside the restricted list"),
        (r#""multi_select""#, several, Lossy, "outside the restricted list"),
        (r#""multi_select""#, list, Impossible, "chosen values into a picklist"),
        (r"{ record_id = {} }", parent, Safe, ""),
        (r#"{ record_id = { prefix = "001" } }"#, parent, Safe, ""),
        (r#"{ record_id = { prefix = "003" } }"#, parent, Impossible, "of Contact, the lookup leads to Account"),
        (r#""text""#, parent, Lossy, "add record_id"),
        (r"{ boolean = {} }", parent, Impossible, "a flag into a lookup"),
        ("", address, Impossible, "read-only"),
        (r#"{ custom = "f" }"#, text, Lossy, "not known to be a text that fits"),
    ] {
        let report = one(&format!("source = \"x\"\ntarget = \"X__c\"\ntransforms = [{transforms}]"), field);
        let reasons = report.reasons.join("; ");
        assert_eq!(report.verdict, verdict, "[{transforms}] into {field}: {reasons}");
        assert!(reasons.contains(says), "[{transforms}] into {field}: {reasons}");
        assert_eq!(report.reasons.is_empty(), verdict == Safe, "{reasons}");
    }
}

#[test]
fn fixed_values_are_looked_at_themselves() {
    let number = r#"{"name":"X__c","type":"double","precision":3,"scale":0,OPEN}"#;
    let moment = r#"{"name":"X__c","type":"datetime",OPEN}"#;
    for (rule, field, verdict) in [
        ("constant = 100", number, Verdict::Safe),
        ("constant = 1000", number, Verdict::Lossy),
        ("constant = 0.5", number, Verdict::Lossy),
        ("constant = \"5\"", number, Verdict::Impossible),
        ("constant = \"2026-05-01T00:00:00Z\"\ntransforms = [\"date_time\"]", moment, Verdict::Safe),
        ("constant = \"never\"\ntransforms = [\"date_time\"]", moment, Verdict::Impossible),
        ("constant = \"never\"", moment, Verdict::Impossible),
        (
            "source = \"n\"\ndefault = 5\ntransforms = [{ number = { precision = 3, scale = 0, rounding = \"refuse\" } }]",
            number,
            Verdict::Safe,
        ),
    ] {
        let report = one(&format!("{rule}\ntarget = \"X__c\""), field);
        assert_eq!(report.verdict, verdict, "{rule}: {report}");
    }
}

#[test]
fn named_values_hand_their_kind_on() {
    let rules = "[values.full]\ntemplate = \"{a} {b}\"\ntransforms = [{ truncate = { max = 10 } }]\n\
                 [[rules]]\nsource = \"$full\"\ntarget = \"X__c\"\n[[rules]]\nfirst_of = [\"$full\", \"x\"]\ntarget = \"Y__c\"";
    let report = map(rules).check(&object(
        r#"{"name":"X__c","type":"string","length":10,OPEN},{"name":"Y__c","type":"double","precision":5,"scale":2,OPEN}"#,
    ));
    assert_eq!(report.fields[0].reasons, ["texts are cut to 10 characters"]);
    assert_eq!(report.fields[1].verdict, Verdict::Lossy, "a path may be anything");
}

#[test]
fn dem_16_all_that_is_wrong_with_an_org_comes_at_once() {
    let rules = "[[rules]]\nsource = \"a\"\ntarget = \"Emali__c\"\n[[rules]]\nsource = \"b\"\ntarget = \"Total__c\"\n\
                 [[rules]]\nsource = \"c\"\ntarget = \"Fixed__c\"\n[[rules]]\nsource = \"d\"\ntarget = \"Once__c\"\n\
                 [[rules]]\nsource = \"e\"\ntarget = \"name\"\ntransforms = [\"text\", { max_length = { max = 80 } }]\nrequired = true";
    let report = map(rules).check(&object(
        r#"{"name":"Email__c","type":"email","length":80,OPEN},
           {"name":"Total__c","type":"double","calculated":true,"nillable":true},
           {"name":"Fixed__c","type":"string","length":10,"nillable":true},
           {"name":"Once__c","type":"string","length":10,"nillable":true,"createable":true},
           {"name":"Name","type":"string","length":80,"createable":true,"updateable":true},
           {"name":"Must__c","type":"string","length":80,"createable":true,"updateable":true}"#,
    ));
    let told: Vec<String> = report.fields.iter().map(ToString::to_string).collect();
    let says = |place: usize, words: &str| assert!(told[place].contains(words), "{told:?}");
    says(
        0,
        "Emali__c ← source a: impossible (not there, or hidden from the user by field-level security, is Email__c meant?)",
    );
    says(1, "a formula or roll-up");
    says(2, "read-only for this user");
    says(3, "write = \"create_only\"");
    says(4, "safe (the org spells it Name)");
    says(6, "Must__c: impossible (a new record needs it and no rule writes it");
    assert_eq!((report.fields.len(), report.verdict()), (7, Verdict::Impossible));
    let error = report.into_result("push").expect_err("impossible");
    assert!(
        ["Emali__c", "Total__c", "Fixed__c", "Once__c", "Must__c"].iter().all(|name| error.message().contains(name))
    );
}

#[test]
fn what_may_be_written_depends_on_write_mode_and_create_policy() {
    let once = r#"{"name":"X__c","type":"string","length":10,"nillable":true,"createable":true}"#;
    let later = r#"{"name":"X__c","type":"string","length":10,"nillable":true,"updateable":true}"#;
    let rule = |more: &str| {
        format!(
            "{more}\n[[rules]]\nsource = \"x\"\ntarget = \"X__c\"\ntransforms = [\"text\", {{ max_length = {{ max = 10 }} }}]"
        )
    };
    let verdict = |text: &str, field: &str| {
        let report = map(text).check(&object(field));
        report.fields.iter().find(|field| field.target == "X__c").expect("its report").verdict
    };
    assert_eq!(verdict(&(rule("") + "\nwrite = \"create_only\""), once), Verdict::Safe);
    assert_eq!(verdict(&(rule("create = false") + "\nwrite = \"create_only\""), once), Verdict::Impossible);
    assert_eq!(verdict(&rule(""), later), Verdict::Impossible);
    assert_eq!(verdict(&rule("create = false"), later), Verdict::Safe);
    let must = r#"{"name":"Must__c","type":"string","length":10,"createable":true,"updateable":true}"#;
    assert_eq!(map("").check(&object(must)).verdict(), Verdict::Impossible);
    assert_eq!(map("create = false").check(&object(must)).verdict(), Verdict::Safe);
}

#[test]
fn a_reference_needs_its_relationship_and_says_its_object_only_where_it_is_asked() {
    let fields = r#"{"name":"OwnerId","type":"reference","referenceTo":["Group","User"],"relationshipName":"Owner","polymorphicForeignKey":true,
        "createable":true,"updateable":true,"defaultedOnCreate":true},
        {"name":"AccountId","type":"reference","referenceTo":["Account"],"relationshipName":"Account",OPEN}"#;
    for (target, verdict, says) in [
        ("Account.Ext__c", Verdict::Lossy, "a value that is the Ext__c of no Account is refused"),
        ("Account1.Ext__c", Verdict::Impossible, "is Account meant?"),
        ("Account:Account.Ext__c", Verdict::Impossible, "is not polymorphic: leave out Account:"),
        ("Owner.Ext__c", Verdict::Impossible, "say which object is meant, as Group:Owner.…"),
        ("User:Owner.Ext__c", Verdict::Lossy, "is the Ext__c of no User is refused"),
        ("Lead:Owner.Ext__c", Verdict::Impossible, "does not lead to Lead but to Group, User"),
    ] {
        let report = one(&format!("source = \"x\"\ntarget = \"{target}\""), fields);
        let reasons = report.reasons.join("; ");
        assert!(report.verdict == verdict && reasons.contains(says), "{target}: {reasons}");
    }
}

#[test]
fn the_key_is_an_external_id_that_is_unique() {
    let verdict = |from: &str, to: &str| {
        let text = serde_json::to_string(&object("")).expect("serialises").replace(from, to);
        let object: SObjectDescribe = serde_json::from_str(&text).expect("reads");
        map("").check(&object).verdict()
    };
    assert_eq!(verdict("?", "?"), Verdict::Safe);
    assert_eq!(verdict("\"unique\":true", "\"unique\":false"), Verdict::Lossy);
    assert_eq!(
        verdict("\"externalId\":true,\"idLookup\":true", "\"externalId\":false,\"idLookup\":false"),
        Verdict::Impossible
    );
    assert_eq!(verdict("Thing__c", "Other__c"), Verdict::Impossible);
}

#[test]
fn a_key_that_is_a_number_is_told_before_any_record_fails_by_it() {
    let text = serde_json::to_string(&object("")).expect("serialises");
    let text = text.replace("\"type\":\"string\",\"length\":80", "\"type\":\"double\",\"precision\":18");
    let object: SObjectDescribe = serde_json::from_str(&text).expect("reads");
    let map = FieldMap::from_toml(
        "version = 1\nobject = \"Thing__c\"\nkey = \"Key__c\"\n[[rules]]\nsource = \"id\"\ntarget = \"Key__c\"\n\
         required = true\ntransforms = [{ whole_number = { precision = 18 } }]\n",
    );
    let report = map.expect("sound").check(&object);
    assert_eq!(report.verdict(), Verdict::Impossible, "{report}");
    assert!(report.to_string().contains("the key is text"), "{report}");
}

#[test]
fn what_comes_from_salesforce_is_looked_at_too() {
    let number = r#"{"name":"X__c","type":"double","precision":5,"scale":2}"#;
    let from = |reverse: &str, field: &str| {
        one(
            &format!("source = \"x\"\ntarget = \"X__c\"\ndirection = \"from_salesforce\"\nreverse = [{reverse}]"),
            field,
        )
    };
    let report = from("", number);
    assert_eq!(
        (report.verdict, report.direction),
        (Verdict::Safe, Direction::FromSalesforce),
        "read-only is no matter"
    );
    assert_eq!(from(r"{ number = { precision = 5, scale = 0 } }", number).verdict, Verdict::Lossy);
    assert_eq!(from(r"{ split_list = {} }", number).verdict, Verdict::Impossible);
    assert_eq!(from("", "").verdict, Verdict::Impossible, "not there");
    for compound in ["address", "location"] {
        let report = from("", &format!(r#"{{"name":"X__c","type":"{compound}"}}"#));
        assert!(report.verdict == Verdict::Impossible && report.reasons[0].contains("map its parts"), "{report}");
    }
}

#[test]
fn what_a_way_back_cannot_tell_is_lossy_unless_the_rule_says_its_own_way() {
    let moment = r#"{"name":"X__c","type":"datetime",OPEN}"#;
    let text = r#"{"name":"X__c","type":"string","length":40,OPEN}"#;
    let back = |transforms: &str, more: &str, field: &str| {
        let rule = format!(
            "source = \"x\"\ntarget = \"X__c\"\ndirection = \"from_salesforce\"\ntransforms = [{transforms}]\n{more}"
        );
        one(&rule, field)
    };
    let local = r#"{ local_date_time = { zone = "Europe/Berlin" } }"#;
    let report = back(local, "", moment);
    assert!(report.verdict == Verdict::Lossy && report.reasons[0].contains("show twice"), "{report}");
    assert_eq!(back(local, "reverse = []", moment).verdict, Verdict::Safe);
    let table = |key: &str| format!(r#"{{ table = {{ entries = {{ {key} = "A", b = "B" }} }} }}"#);
    assert_eq!(back(&table("a"), "", text).verdict, Verdict::Safe);
    for key in ["1", "\"12.5\"", "true"] {
        let report = back(&table(key), "", text);
        assert!(report.verdict == Verdict::Lossy && report.reasons[0].contains("as a text"), "{key}: {report}");
    }
}
