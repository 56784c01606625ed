use super::*;
use crate::mapping::{FieldMap, Transforms};

/// A map with a key and these rules.
fn map(rules: &str) -> CompiledMap {
    let text = format!(
        "version = 1\nobject = \"Thing__c\"\nkey = \"Key__c\"\n{rules}\n[[rules]]\nsource = \"id\"\ntarget = \"Key__c\"\n\
         required = true\ntransforms = [\"text\", {{ max_length = {{ max = 5 }} }}]\n"
    );
    FieldMap::from_toml(&text).and_then(|map| map.compile(&Transforms::new())).expect("sound")
}

fn rule(lines: &str) -> CompiledMap {
    map(&format!("[[rules]]\n{lines}"))
}

fn record(text: &str) -> Record {
    Record::from_json(text).expect(text)
}

/// What is sent, without the key.
fn sent(map: &CompiledMap, source: &str) -> String {
    let mapped = map.apply(&record(source)).expect(source).into_record().expect("in the audience");
    let mut fields = mapped.fields;
    assert_eq!(fields.remove("Key__c"), Some(Value::from(mapped.key)));
    serde_json::to_string(&fields).expect("serialises")
}

fn issues(map: &CompiledMap, source: &str) -> Vec<String> {
    map.apply(&record(source)).expect_err(source).iter().map(ToString::to_string).collect()
}

#[test]
fn absent_stays_absent_and_blank_becomes_null() {
    let map = rule("source = \"who.name\"\ntarget = \"Name\"\ntransforms = [\"text\"]");
    assert_eq!(sent(&map, r#"{"id":" a ","who":{"name":"  "}}"#), r#"{"Name":null}"#);
    assert_eq!(sent(&map, r#"{"id":"a","who":null}"#), "{}");
    assert_eq!(sent(&map, r#"{"id":"a","who":{"name":" x "}}"#), r#"{"Name":"x"}"#);
}

#[test]
fn all_issues_of_a_record_come_at_once_and_quote_no_value() {
    let map = map("[[rules]]\nsource = \"name\"\ntarget = \"Name\"\ntransforms = [{ max_length = { max = 5 } }]\n\
         [[rules]]\nsource = \"at\"\ntarget = \"At__c\"\ntransforms = [\"date_time\"]");
    let found = issues(&map, r#"{"id":"","name":"abcdef","at":"never"}"#);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].starts_with("name: longer") && found[1].starts_with("at: not a date") && found[2] == "id: missing"
    );
    assert!(found.iter().all(|issue| !issue.contains("abcdef")));
}

#[test]
fn nav_40_what_no_rule_names_is_never_written() {
    let map = rule("source = \"name\"\ntarget = \"Name\"");
    assert_eq!(sent(&map, r#"{"id":"a","OwnerId":"005","Secret":"x"}"#), "{}");
}

#[test]
fn a_blank_value_clears_is_ignored_or_is_refused() {
    let by = |blank: &str| rule(&format!("source = \"name\"\ntarget = \"Name\"\nblank = \"{blank}\""));
    let source = r#"{"id":"a","name":""}"#;
    assert_eq!(sent(&by("clear"), source), r#"{"Name":null}"#);
    assert_eq!(sent(&by("ignore"), source), "{}");
    assert_eq!(issues(&by("refuse"), source), ["name: blank"]);
    assert_eq!(sent(&by("refuse"), r#"{"id":"a"}"#), "{}", "absent is another thing");
}

#[test]
fn gpt_10_a_default_stands_in_for_blank_and_absent_and_takes_the_transforms() {
    let map = rule("source = \"dql\"\ntarget = \"Dql__c\"\ndefault = \"no\"\ntransforms = [{ boolean = {} }]");
    for source in [r#"{"id":"a"}"#, r#"{"id":"a","dql":null}"#, r#"{"id":"a","dql":" "}"#, r#"{"id":"a","dql":0}"#] {
        assert_eq!(sent(&map, source), r#"{"Dql__c":false}"#, "{source}");
    }
    assert_eq!(sent(&map, r#"{"id":"a","dql":"YES"}"#), r#"{"Dql__c":true}"#);
}

#[test]
fn the_first_that_is_not_blank_counts() {
    let map = rule("first_of = [\"mobile\", \"work.phone\", \"phone\"]\ntarget = \"Phone\"");
    assert_eq!(sent(&map, r#"{"id":"a","mobile":" ","work":{"phone":"1"},"phone":"2"}"#), r#"{"Phone":"1"}"#);
    assert_eq!(sent(&map, r#"{"id":"a","mobile":null}"#), r#"{"Phone":null}"#, "known to be blank");
    assert_eq!(sent(&map, r#"{"id":"a"}"#), "{}");
}

#[test]
fn a_template_fills_its_holes_and_is_blank_with_all_of_them() {
    let map = rule("template = \"{first} {last} ({seats}, {paid}) {{x}}\"\ntarget = \"Name\"\ntransforms = [\"text\"]");
    let full = r#"{"id":"a","first":"Ada","last":"Lovelace","seats":12.50,"paid":true}"#;
    assert_eq!(sent(&map, full), r#"{"Name":"Ada Lovelace (12.5, true) {x}"}"#);
    assert_eq!(sent(&map, r#"{"id":"a","first":"","last":null}"#), r#"{"Name":null}"#);
    assert_eq!(sent(&map, r#"{"id":"a"}"#), "{}");
    assert_eq!(
        issues(&map, r#"{"id":"a","first":["x"]}"#)[0].split(": ").nth(1),
        Some("a hole's value is no text, number or flag")
    );
}

#[test]
fn constants_and_named_values_are_inputs_like_any_other() {
    let map = map("[values.full]\ntemplate = \"{first} {last}\"\ntransforms = [\"text\"]\n\
         [values.shown]\nfirst_of = [\"nick\", \"$full\"]\n\
         [[rules]]\nsource = \"$shown\"\ntarget = \"Name\"\n\
         [[rules]]\ntemplate = \"Hello {$shown}\"\ntarget = \"Greeting__c\"\n\
         [[rules]]\nconstant = \"Web\"\ntarget = \"LeadSource\"");
    let expected = r#"{"Name":"Ada L","Greeting__c":"Hello Ada L","LeadSource":"Web"}"#;
    assert_eq!(sent(&map, r#"{"id":"a","first":"Ada","last":"L"}"#), expected);
    assert_eq!(issues(&map, r#"{"id":"a","first":"a\u0001","last":"L"}"#), ["$full: a control character"], "told once");
}

#[test]
fn a_record_outside_the_audience_is_skipped_whatever_is_wrong_with_it() {
    let map = map("audience = { field = \"plan\", in = [\"pro\", \"team\"] }");
    assert_eq!(map.apply(&record(r#"{"plan":"free","id":5}"#)), Ok(Mapped::Skipped));
    assert_eq!(sent(&map, r#"{"plan":"pro","id":"a"}"#), "{}");
}

#[test]
fn a_parent_is_sent_as_a_nested_record_and_a_polymorphic_one_says_its_object() {
    let map = map("[[rules]]\nsource = \"company\"\ntarget = \"Account.Ext__c\"\n\
         [[rules]]\nsource = \"rep\"\ntarget = \"User:Owner.Ext__c\"\n\
         [[rules]]\nsource = \"up\"\ntarget = \"Parent__r.Ext__c\"");
    assert_eq!(
        sent(&map, r#"{"id":"a","company":"c","rep":"r","up":null}"#),
        r#"{"Account":{"Ext__c":"c"},"Owner":{"attributes":{"type":"User"},"Ext__c":"r"},"Parent__c":null}"#
    );
}

#[test]
fn what_no_field_holds_is_an_issue_whatever_the_map_says() {
    let map = rule("source = \"x\"\ntarget = \"X__c\"");
    for (value, says) in [
        ("1e400", "a number of more than 28 digits"),
        ("[1]", "a list has to be joined to text"),
        (r#"{"a":1}"#, "an object"),
        (r#""a\u0000b""#, "a control character"),
        (r#""\u0000""#, "a control character"),
        (r#""\u0085""#, "a control character"),
        ("[]", "a list has to be joined to text"),
    ] {
        let found = issues(&map, &format!(r#"{{"id":"a","x":{value}}}"#));
        assert!(found[0].contains(says), "{value}: {found:?}");
    }
    for kept in [r#""a\tb\r\nc""#, "0", "-0.5", "true", r#""é 🙂""#] {
        sent(&map, &format!(r#"{{"id":"a","x":{kept}}}"#));
    }
    assert!(Record::from_json(r#"{"x":"\ud800"}"#).is_err(), "half a surrogate pair is no text");
}

#[test]
fn dates_outside_the_years_that_salesforce_stores_are_issues() {
    let map = rule("source = \"at\"\ntarget = \"At__c\"\ntransforms = [\"date_time\"]");
    for year in ["0000", "1699", "4001", "9999", "10000", "-0001"] {
        assert_eq!(issues(&map, &format!(r#"{{"id":"a","at":"{year}-06-01T00:00:00Z"}}"#)).len(), 1, "{year}");
    }
    let map = rule("source = \"day\"\ntarget = \"Day__c\"\ntransforms = [{ date = {} }]");
    for year in ["0000", "1699", "4001", "9999", "10000"] {
        assert_eq!(issues(&map, &format!(r#"{{"id":"a","day":"{year}-06-01"}}"#)).len(), 1, "{year}");
    }
    let plain = rule("source = \"at\"\ntarget = \"At__c\"");
    let typed = record(r#"{"id":"a"}"#).with("at", crate::types::Timestamp::from_unix_millis(-62_000_000_000_000));
    assert_eq!(plain.apply(&typed).expect_err("the year 5")[0].reason, "the year is outside 1700 to 4000");
}

#[test]
fn the_key_is_text_that_is_there() {
    let map = FieldMap::from_toml(
        "version = 1\nobject = \"T__c\"\nkey = \"K__c\"\n[[rules]]\nsource = \"id\"\ntarget = \"K__c\"",
    );
    let map = map.and_then(|map| map.compile(&Transforms::new())).expect("sound");
    for (source, says) in [(r#"{"id":5}"#, "id: not text"), ("{}", "id: missing"), (r#"{"id":null}"#, "id: missing")] {
        assert_eq!(issues(&map, source), [says]);
    }
}

#[test]
fn a_custom_transform_is_a_function_of_the_program_and_may_even_panic() {
    let text = "version = 1\nobject = \"T__c\"\nkey = \"K__c\"\n[[rules]]\nsource = \"id\"\ntarget = \"K__c\"\n\
                transforms = [{ custom = \"shout\" }]";
    let map = FieldMap::from_toml(text).expect("its name is all a file tells");
    let error = map.compile(&Transforms::new()).expect_err("not registered");
    assert!(error.message().contains("rule 1 (K__c): custom (1): no function \"shout\""), "{error}");
    let functions = Transforms::new().with("shout", |value| match value {
        Value::Text(text) if text == "panic" => panic!("as tested"),
        Value::Text(text) => Ok(Value::Text(text + "!")),
        _ => Err("not text".into()),
    });
    let map = map.compile(&functions).expect("registered");
    assert_eq!(map.apply(&record(r#"{"id":"a"}"#)).map(Mapped::into_record).expect("maps").expect("all").key, "a!");
    assert_eq!(issues(&map, r#"{"id":true}"#), ["id: not text"]);
    assert_eq!(issues(&map, r#"{"id":"panic"}"#), ["id: the function shout panicked"]);
}

#[test]
fn templates_in_templates_end_at_a_mebibyte_with_an_issue_told_once() {
    use std::fmt::Write as _;
    let mut values = String::from("[values.v0]\ntemplate = \"{x}{x}\"\n");
    for level in 1..40 {
        write!(values, "[values.v{level}]\ntemplate = \"{{$v{0}}}{{$v{0}}}\"\n", level - 1).expect("a text");
    }
    let map = map(&format!("{values}[[rules]]\nsource = \"$v39\"\ntarget = \"X__c\""));
    // 10 bytes doubled 17 times are 1.25 MiB.
    assert_eq!(
        issues(&map, r#"{"id":"a","x":"0123456789"}"#),
        ["$v16: longer than 1 MiB with its holes filled"],
        "what needs it is not told again"
    );
    let mapped = map.apply(&record(r#"{"id":"a","x":null}"#)).map(Mapped::into_record).expect("blank is short");
    assert_eq!(mapped.expect("all").fields.get("X__c"), Some(&Value::Null));
}

#[test]
fn a_wrong_shape_on_the_way_of_a_path_is_an_issue_and_a_blank_one_is_absent() {
    let inputs = [
        "source = \"a.b\"",
        "first_of = [\"gone\", \"a.b\", \"x\"]",
        "template = \"{a.b} {x}\"",
        "source = \"$named\"",
        "source = \"a.b.c\"",
    ];
    for input in inputs {
        let named = if input.contains("$named") { "[values.named]\nsource = \"a.b\"\n" } else { "" };
        let map = map(&format!("{named}[[rules]]\n{input}\ntarget = \"X__c\""));
        for wrong in [r#""str""#, "5", "true", r#"[{"b":1}]"#, "1e400"] {
            let found = issues(&map, &format!(r#"{{"id":"a","a":{wrong},"x":"y"}}"#));
            assert_eq!(found.len(), 1, "{input} {wrong}: {found:?}");
            assert!(found[0].ends_with(": a is no object"), "{input} {wrong}: {found:?}");
        }
        for none in [r#""x":null"#, r#""x":null,"a":null"#, "\"x\":null,\"a\":\"\"", r#""x":null,"a":{}"#] {
            let left = sent(&map, &format!(r#"{{"id":"a",{none}}}"#));
            let known = if input.contains('x') { r#"{"X__c":null}"# } else { "{}" };
            assert_eq!(left, known, "{input} {none}");
        }
    }
    let deeper = rule("source = \"a.b.c\"\ntarget = \"X__c\"");
    assert_eq!(issues(&deeper, r#"{"id":"a","a":{"b":[]}}"#), ["a.b.c: a.b is no object"]);
}
