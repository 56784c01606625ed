use proptest::prelude::*;

use super::{
    Converted, Found, Hop, JoinKey, MAX_HOPS, Match, MatchPlan, MatchStep, Matched, NoKey, Normaliser, OrgFacts,
    WhyExcluded, meant_by_several, probes,
};
use crate::error::ErrorKind;
use crate::types::{FieldName, Filter, Record, RecordId, SObjectDescribe, SObjectName, Soql, Value};

/// Runs a plan on these rows as if an org had them: `attributes` say the object of each. A row is answered if a query asks for its
/// key, and where it is deleted, if the recycle bin is asked. Other conditions of the queries are passed over.
pub(crate) fn match_in(plan: &MatchPlan, org: &OrgFacts, rows: &[Record], records: &[Record]) -> Vec<Matched> {
    fn of<'a>(rows: &'a [Record], object: &'a str) -> impl Iterator<Item = &'a Record> {
        rows.iter().filter(move |row| row.object_name() == Some(object))
    }
    let deleted = |row: &&Record| row.get("IsDeleted").and_then(Value::as_bool) == Some(true);
    let mut results: Vec<Matched> = records.iter().map(|_| Matched::undecided()).collect();
    let mut open: Vec<usize> = (0..records.len()).collect();
    for (place, step) in plan.steps().iter().enumerate() {
        let mut found = Found::new(plan, org, place).expect("a step of the plan");
        let keys: Vec<_> = open.iter().map(|&index| found.key(&records[index])).collect();
        let lookup = found.lookup(keys.iter().flatten()).expect("plans");
        let object = match step.key {
            JoinKey::Contact { .. } => "AccountContactRelation",
            _ => step.object.as_str(),
        };
        let asked_for = |row: &&Record| step.key.fields().iter().any(|field| asks_for(&lookup.queries, field, row));
        for row in of(rows, object).filter(asked_for).filter(|row| lookup.with_deleted || !deleted(row)) {
            found.add(row.clone()).expect("a row");
        }
        let mut trails = found.trails();
        for _ in 0..=MAX_HOPS {
            for (object, lookup) in trails.next_round().expect("plans") {
                let asked: String = lookup.queries.iter().map(Soql::as_str).collect();
                let of_ids = |row: &&Record| row.text("Id").is_some_and(|id| asked.contains(id));
                for row in of(rows, object.as_str()).filter(of_ids).filter(|row| lookup.with_deleted || !deleted(row)) {
                    trails.add(&object, row.clone());
                }
            }
        }
        let mut still_open = Vec::new();
        for (index, key) in open.into_iter().zip(&keys) {
            let (report, decision) = found.decide(key, &trails);
            if !results[index].note(report, decision) {
                still_open.push(index);
            }
        }
        open = still_open;
    }
    results
}

/// Whether one of the queries finds a row by this field, as Salesforce compares text: case aside, blanks and all.
fn asks_for(queries: &[Soql], field: &FieldName, row: &Record) -> bool {
    let value = match row.get(field.as_str()) {
        Some(Value::Text(text)) => text.to_lowercase(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return false,
    };
    queries.iter().any(|query| {
        let (_, condition) = query.as_str().split_once(" WHERE ").expect("a condition");
        let listed = condition.match_indices(&format!("{field} IN (")).any(|(at, start)| {
            let list = &condition[at + start.len()..];
            let mut rest = list;
            loop {
                let (literal, behind) = literal(rest);
                match literal {
                    Text::Quoted(text) if unescaped(text).to_lowercase() == value => return true,
                    Text::Bare(text) if text == value => return true,
                    _ => {}
                }
                match behind.strip_prefix(',') {
                    Some(behind) => rest = behind,
                    None => return false,
                }
            }
        });
        listed
            || condition.match_indices(&format!("{field} LIKE ")).any(|(at, start)| {
                let (Text::Quoted(pattern), _) = literal(&condition[at + start.len()..]) else { panic!("{condition}") };
                is_like(&pattern.to_lowercase(), &value)
            })
    })
}

/// A literal of a query.
enum Text<'q> {
    Quoted(&'q str),
    Bare(&'q str),
}

/// The literal that a text starts with, its escapes not resolved, and the rest.
fn literal(text: &str) -> (Text<'_>, &str) {
    let Some(inside) = text.strip_prefix('\'') else {
        let end = text.find([',', ')']).expect("an end");
        return (Text::Bare(&text[..end]), &text[end..]);
    };
    let mut escaped = false;
    let end = inside.find(|character| {
        let ends = character == '\'' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    });
    let end = end.expect("a closing quote");
    (Text::Quoted(&inside[..end]), &inside[end + 1..])
}

fn unescaped(text: &str) -> String {
    let mut characters = text.chars();
    let next = std::iter::from_fn(|| match characters.next()? {
        '\\' => characters.next(),
        character => Some(character),
    });
    next.collect()
}

/// Whether a text is as a pattern of LIKE says.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('%') => {
            let rest = rest.as_str();
            text.char_indices().any(|(at, _)| is_like(rest, &text[at..])) || is_like(rest, "")
        }
        Some(character) => {
            let wanted = if character == '\\' { rest.next() } else { Some(character) };
            let any = character == '_';
            let mut text = text.chars();
            text.next().is_some_and(|found| any || Some(found) == wanted) && is_like(rest.as_str(), text.as_str())
        }
    }
}

fn id(prefix: &str, number: usize) -> RecordId {
    RecordId::new(&format!("{prefix}{number:012}")).expect("an id")
}

fn row(object: &'static str, id: RecordId) -> Record {
    Record::of(&SObjectName::from_static(object)).with("Id", id.as_str())
}

fn contact(number: usize, email: &str) -> Record {
    row("Contact", id("003", number)).with("Email", email)
}

fn lead(number: usize, email: &str) -> Record {
    row("Lead", id("00Q", number)).with("Email", email)
}

fn merged(row: Record, into: RecordId) -> Record {
    row.with("IsDeleted", true).with("MasterRecordId", into.as_str())
}

fn plan(text: &str) -> MatchPlan {
    serde_json::from_str(text).expect(text)
}

fn steps(steps: &str) -> MatchPlan {
    plan(&format!(r#"{{"version":1,"steps":[{steps}]}}"#))
}

fn source(text: &str) -> Record {
    Record::from_json(text).expect(text)
}

fn match_one(plan: &MatchPlan, rows: &[Record], record: &str) -> Matched {
    match_in(plan, &OrgFacts::assumed(plan), rows, &[source(record)]).remove(0)
}

fn one(matched: &Matched) -> Option<RecordId> {
    matched.result.one().map(|candidate| candidate.id)
}

const EMAILS: &str =
    r#"{"object":"Contact","by":"email","source":"email"},{"object":"Lead","by":"email","source":"email"}"#;

#[test]
fn the_first_step_with_a_hit_decides() {
    let plan = steps(EMAILS);
    let rows = [contact(1, "ada@acme.com"), lead(1, "ADA@acme.com"), lead(2, "lee@acme.com")];
    let matched = match_one(&plan, &rows, r#"{"email":" Ada@Acme.com "}"#);
    assert_eq!((one(&matched), matched.step), (Some(id("003", 1)), Some(0)));
    let matched = match_one(&plan, &rows, r#"{"email":"lee@acme.com"}"#);
    assert_eq!((one(&matched), matched.step), (Some(id("00Q", 2)), Some(1)));
    let matched = match_one(&plan, &rows, r#"{"email":"nobody@acme.com"}"#);
    assert_eq!((&matched.result, matched.step, matched.steps.len()), (&Match::None, None, 2));
    assert_eq!(
        matched.explain(&plan),
        "step 1, Contact by email: no hit; step 2, Lead by email: no hit; no step had a hit"
    );
}

#[test]
fn heap_6_several_hits_are_reported_and_never_guessed() {
    let plan = steps(EMAILS);
    let rows = [contact(2, "ada@acme.com"), contact(1, "ada@acme.com"), lead(1, "ada@acme.com")];
    let matched = match_one(&plan, &rows, r#"{"email":"ada@acme.com"}"#);
    let Match::Ambiguous(candidates) = &matched.result else { panic!("{matched:?}") };
    let ids: Vec<RecordId> = candidates.iter().map(|candidate| candidate.id).collect();
    assert_eq!(ids, [id("003", 1), id("003", 2)]);
    assert_eq!((matched.step, matched.result.one()), (Some(0), None), "the lead is not fallen back to");
    assert!(matched.explain(&plan).contains("2 hits"));
}

#[test]
fn heap_6_a_key_that_is_not_unique_on_our_side_is_told_too() {
    let plan = steps(EMAILS);
    let rows = [contact(1, "ada@acme.com"), contact(2, "bob@acme.com")];
    let records = ["ada@acme.com", "bob@acme.com", "ADA@acme.com", "nobody@acme.com", "nobody@acme.com"]
        .map(|email| Record::new().with("email", email));
    let matched = match_in(&plan, &OrgFacts::assumed(&plan), &rows, &records);
    let shared = meant_by_several(&matched);
    assert_eq!(shared.into_iter().collect::<Vec<_>>(), [(id("003", 1), vec![0, 2])]);
}

#[test]
fn the_explanation_says_what_was_left_out_and_quotes_no_value() {
    let plan = steps(
        r#"{"object":"Account","by":"domain","source":"email"},
           {"object":"Lead","by":"email","source":"email","converted":"skip",
            "filter":{"field":"Status","is":"Open"}}"#,
    );
    let rows = [
        lead(1, "ada@gmail.com").with("Status", "Closed"),
        lead(2, "ada@gmail.com").with("IsConverted", true).with("Status", "Open"),
    ];
    let matched = match_one(&plan, &rows, r#"{"email":"ada@gmail.com"}"#);
    assert_eq!(matched.result, Match::None);
    let explained = matched.explain(&plan);
    for part in ["public mail", "does not pass the filter", "is a converted lead"] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
    assert!(!format!("{explained}{matched:?}").contains("ada"), "{explained}");
}

#[test]
fn heap_5_any_two_values_that_match_join_with_the_normaliser_that_is_asked_for() {
    let with = |normaliser: &str| {
        steps(&format!(
            r#"{{"object":"Contact","by":"custom","source":"user.key","field":"Key__c","normaliser":"{normaliser}"}}"#
        ))
    };
    let rows =
        [row("Contact", id("003", 1)).with("Key__c", "Ab  Cd"), row("Contact", id("003", 2)).with("Key__c", "xY")];
    for (normaliser, key, expected) in [
        ("exact", "xY", Some(2)),
        ("exact", "xy", None),
        ("exact", " xY", None),
        ("trim", " xY ", Some(2)),
        ("trim", "XY", None),
        ("lower", " XY ", Some(2)),
        ("words", " ab cd", Some(1)),
        ("words", "AB \t CD ", Some(1)),
        ("words", "ab c", None),
        ("words", "a% cd", None),
        ("words", "XY", Some(2)),
        ("lower", "ab cd", None),
        ("lower", "ab  cd", Some(1)),
    ] {
        let record = Record::new().with("user", Record::new().with("key", key));
        let plan = with(normaliser);
        let matched = match_in(&plan, &OrgFacts::assumed(&plan), &rows, &[record]).remove(0);
        assert_eq!(one(&matched), expected.map(|number| id("003", number)), "{normaliser} {key:?}");
    }
    assert_eq!(Normaliser::default(), Normaliser::Lower);
}

#[test]
fn each_kind_of_key_says_why_a_record_has_none() {
    for (step, record, why) in [
        (r#"{"object":"Contact","by":"email","source":"e"}"#, r#"{"e":"ada"}"#, NoKey::NotAnEmail),
        (r#"{"object":"Contact","by":"email","source":"e"}"#, r"{}", NoKey::Blank),
        (r#"{"object":"Contact","by":"email","source":"e"}"#, r#"{"e":null}"#, NoKey::Blank),
        (r#"{"object":"Contact","by":"email","source":"e"}"#, r#"{"e":" "}"#, NoKey::Blank),
        (r#"{"object":"Contact","by":"email","source":"e"}"#, r#"{"e":true}"#, NoKey::NotAText),
        (r#"{"object":"Contact","by":"id","source":"i"}"#, r#"{"i":"003"}"#, NoKey::NotAnId),
        (r#"{"object":"Contact","by":"id","source":"i"}"#, r#"{"i":[1]}"#, NoKey::NotAnId),
        (r#"{"object":"Contact","by":"id","source":"i"}"#, r#"{"i":"001000000000001AAA"}"#, NoKey::ForeignId),
        (r#"{"object":"Account","by":"domain","source":"d"}"#, r#"{"d":"x@gmail.com"}"#, NoKey::PublicMail),
        (r#"{"object":"Account","by":"domain","source":"d"}"#, r#"{"d":"x@co.uk"}"#, NoKey::PublicSuffix),
        (r#"{"object":"Account","by":"domain","source":"d"}"#, r#"{"d":"https://"}"#, NoKey::NotADomain),
        (
            r#"{"object":"Account","by":"domain","source":"d","exclude":["Ours.com"]}"#,
            r#"{"d":"x@eu.ours.com"}"#,
            NoKey::ExcludedDomain,
        ),
        (r#"{"object":"Account","by":"person_email","source":"e"}"#, r#"{"e":"x@y.zz"}"#, NoKey::NoPersonAccounts),
    ] {
        let matched = match_one(&steps(step), &[], record);
        assert_eq!(matched.steps[0].no_key, Some(why), "{step} {record}");
        assert_eq!(matched.result, Match::None);
    }
    let long = Record::new().with("n", "x".repeat(4_001));
    let plan = steps(r#"{"object":"Account","by":"name","source":"n"}"#);
    let matched = match_in(&plan, &OrgFacts::assumed(&plan), &[], &[long]).remove(0);
    assert_eq!(matched.steps[0].no_key, Some(NoKey::TooLong));
}

#[test]
fn the_longest_domain_comes_first_and_a_longer_website_is_another_company() {
    let plan = steps(r#"{"object":"Account","by":"domain","source":"email"}"#);
    let account = |number: usize, website: &str| row("Account", id("001", number)).with("Website", website);
    let rows =
        [account(1, "https://www.acme.com/"), account(2, "eu.acme.com"), account(3, "notacme.com"), account(4, "com")];
    let found = |email: &str| one(&match_one(&plan, &rows, &format!(r#"{{"email":"{email}"}}"#)));
    assert_eq!(found("a@eu.acme.com"), Some(id("001", 2)));
    assert_eq!(found("a@mail.eu.acme.com"), Some(id("001", 2)));
    assert_eq!(found("a@us.acme.com"), Some(id("001", 1)), "by the parent domain");
    assert_eq!(found("a@acme.com"), Some(id("001", 1)));
    assert_eq!(found("a@other.com"), None);
    let website = match_one(&plan, &rows, r#"{"email":"http://shop.acme.com/x?y@z"}"#);
    assert_eq!(one(&website), Some(id("001", 1)), "a website is a source too");
}

#[test]
fn merged_records_lead_to_the_one_that_is_left() {
    let plan = steps(r#"{"object":"Contact","by":"id","source":"id"}"#);
    let found = |rows: &[Record]| match_one(&plan, rows, &format!(r#"{{"id":"{}"}}"#, id("003", 1)));
    let chain = [
        merged(contact(1, "a@x.yz"), id("003", 2)),
        merged(contact(2, "a@x.yz"), id("003", 3)),
        contact(3, "b@x.yz").with("AccountId", id("001", 1)),
    ];
    let matched = found(&chain);
    let candidate = matched.result.one().expect("the survivor");
    assert_eq!((candidate.id, candidate.account()), (id("003", 3), Some(id("001", 1))));
    assert_eq!(candidate.hops, [Hop::Merged { from: id("003", 1) }, Hop::Merged { from: id("003", 2) }]);

    let circle = [merged(contact(1, "a@x.yz"), id("003", 2)), merged(contact(2, "a@x.yz"), id("003", 1))];
    let itself = [merged(contact(1, "a@x.yz"), id("003", 1))];
    let dead_end = [merged(contact(1, "a@x.yz"), id("003", 9))];
    let deleted = [contact(1, "a@x.yz").with("IsDeleted", true)];
    for rows in [&circle[..], &itself, &dead_end, &deleted] {
        let matched = found(rows);
        assert_eq!(matched.result, Match::None, "{rows:?}");
        assert_eq!(matched.steps[0].excluded[0].why, WhyExcluded::Deleted);
    }
    let long: Vec<Record> = (1..40).map(|number| merged(contact(number, "a@x.yz"), id("003", number + 1))).collect();
    assert_eq!(found(&[long, vec![contact(40, "a@x.yz")]].concat()).result, Match::None, "bounded");
}

#[test]
fn merges_into_one_record_are_one_hit_and_a_record_with_the_key_itself_comes_first() {
    let plan = steps(r#"{"object":"Contact","by":"external_id","source":"k","field":"Key__c"}"#);
    let keyed = |number: usize| row("Contact", id("003", number)).with("Key__c", "K-1");
    let rows = [merged(keyed(1), id("003", 3)), merged(keyed(2), id("003", 3)), row("Contact", id("003", 3))];
    assert_eq!(one(&match_one(&plan, &rows, r#"{"k":"k-1"}"#)), Some(id("003", 3)));
    let live = [rows.as_slice(), &[keyed(4)]].concat();
    let matched = match_one(&plan, &live, r#"{"k":"k-1"}"#);
    assert_eq!(one(&matched), Some(id("003", 4)));
    assert!(matched.steps[0].excluded.iter().all(|excluded| excluded.why == WhyExcluded::Superseded));
    let own = [merged(keyed(1), id("003", 4)), keyed(4)];
    let matched = match_one(&plan, &own, r#"{"k":"k-1"}"#);
    assert_eq!((one(&matched), matched.steps[0].excluded.len()), (Some(id("003", 4)), 0), "the same record twice");
}

#[test]
fn converted_leads_stand_for_what_they_became_as_the_step_says() {
    let converted = lead(1, "ada@acme.com")
        .with("IsConverted", true)
        .with("ConvertedContactId", id("003", 1).as_str())
        .with("ConvertedAccountId", id("001", 1).as_str())
        .with("ConvertedOpportunityId", id("006", 1).as_str());
    let rows = [
        converted.clone(),
        merged(contact(1, "old@acme.com"), id("003", 2)),
        contact(2, "new@acme.com"),
        row("Account", id("001", 1)),
        row("Opportunity", id("006", 1)),
    ];
    let found = |converted: &str, rows: &[Record]| {
        let step = format!(r#"{{"object":"Lead","by":"email","source":"email","converted":"{converted}"}}"#);
        match_one(&steps(&step), rows, r#"{"email":"ada@acme.com"}"#)
    };
    let matched = found("contact", &rows);
    let candidate = matched.result.one().expect("the contact it became, and what that was merged into");
    assert_eq!((candidate.object.as_str(), candidate.id), ("Contact", id("003", 2)));
    assert_eq!((candidate.contact(), candidate.lead()), (Some(id("003", 2)), None));
    assert_eq!((candidate.account(), candidate.opportunity()), (Some(id("001", 1)), Some(id("006", 1))));
    assert_eq!(candidate.hops.len(), 2);
    assert_eq!(one(&found("account", &rows)), Some(id("001", 1)));
    assert_eq!(one(&found("opportunity", &rows)), Some(id("006", 1)));
    for matched in [found("skip", &rows), found("opportunity", &rows[..4]), found("contact", &rows[..1])] {
        assert_eq!((&matched.result, matched.steps[0].excluded[0].why), (&Match::None, WhyExcluded::Converted));
    }
    let both = [rows.as_slice(), &[lead(2, "ada@acme.com")]].concat();
    assert_eq!(one(&found("contact", &both)), Some(id("00Q", 2)), "a lead that is open comes before one that is gone");
}

#[test]
fn the_contact_behind_a_person_account_is_its_account() {
    let describe = |object: &str, fields: &[&str]| {
        let fields: Vec<String> =
            fields.iter().map(|name| format!(r#"{{"name":"{name}","type":"string","filterable":true}}"#)).collect();
        let text = format!(r#"{{"name":"{object}","fields":[{}]}}"#, fields.join(","));
        serde_json::from_str::<SObjectDescribe>(&text).expect("a describe")
    };
    let describes = [
        describe("Contact", &["Email", "IsPersonAccount", "IsDeleted", "MasterRecordId"]),
        describe("Account", &["IsPersonAccount", "PersonEmail", "PersonContactId"]),
        describe("Lead", &["Email"]),
    ];
    let plan = MatchPlan::people("email").expect("valid");
    let org = OrgFacts::of(&plan, &describes).expect("fits");
    let person = contact(1, "ada@home.example").with("IsPersonAccount", true).with("AccountId", id("001", 1).as_str());
    let rows = [person, contact(2, "bob@acme.example").with("IsPersonAccount", false)];
    let matched = match_in(&plan, &org, &rows, &[source(r#"{"email":"ada@home.example"}"#)]).remove(0);
    let candidate = matched.result.one().expect("the account");
    assert_eq!((candidate.object.as_str(), candidate.id), ("Account", id("001", 1)));
    assert_eq!((candidate.contact(), candidate.account()), (Some(id("003", 1)), Some(id("001", 1))));

    let account = row("Account", id("001", 2)).with("PersonEmail", "eve@home.example").with("IsPersonAccount", true);
    let business = row("Account", id("001", 3)).with("PersonEmail", "biz@home.example").with("IsPersonAccount", false);
    let rows = [account.with("PersonContactId", id("003", 7).as_str()), business];
    let matched = match_in(&plan, &org, &rows, &[source(r#"{"email":"EVE@home.example"}"#)]).remove(0);
    let candidate = matched.result.one().expect("by its own address");
    assert_eq!((matched.step, candidate.contact()), (Some(1), Some(id("003", 7))));
    let matched = match_in(&plan, &org, &rows, &[source(r#"{"email":"biz@home.example"}"#)]).remove(0);
    assert_eq!(matched.steps[1].excluded[0].why, WhyExcluded::NoPersonAccount);
    let without =
        OrgFacts::of(&plan, &[describe("Contact", &["Email"]), describe("Lead", &["Email"]), describe("Account", &[])]);
    assert!(without.is_ok(), "an org without person accounts has no such step");
}

#[test]
fn heap_35_a_contact_of_many_accounts_has_the_one_updated_last() {
    let plan = steps(r#"{"object":"Account","by":"contact","source":"person.contact_id"}"#);
    let mut org = OrgFacts::assumed(&plan);
    org.relations = true;
    let relation = |number: usize, account: usize, stamp: &str, active: bool| {
        row("AccountContactRelation", id("07k", number))
            .with("ContactId", id("003", 1).as_str())
            .with("AccountId", id("001", account).as_str())
            .with("IsDirect", account == 1)
            .with("IsActive", active)
            .with("Account", Record::new().with("LastModifiedDate", stamp))
    };
    let rows = [
        relation(1, 1, "2026-05-01T00:00:00.000+0000", true),
        relation(2, 2, "2026-05-03T00:00:00.000+0000", true),
        relation(3, 3, "2026-05-09T00:00:00.000+0000", false),
    ];
    let person = source(&format!(r#"{{"person":{{"contact_id":"{}"}}}}"#, id("003", 1)));
    let matched = match_in(&plan, &org, &rows, std::slice::from_ref(&person)).remove(0);
    assert_eq!(one(&matched), Some(id("001", 2)));
    let left_out: Vec<_> = matched.steps[0].excluded.iter().map(|excluded| (excluded.id, excluded.why)).collect();
    assert_eq!(left_out, [(id("001", 1), WhyExcluded::OtherAccount), (id("001", 3), WhyExcluded::Inactive)]);

    let many = steps(r#"{"object":"Account","by":"contact","source":"person.contact_id","cardinality":"many"}"#);
    let matched = match_in(&many, &org, &rows, std::slice::from_ref(&person)).remove(0);
    assert!(matched.result.is_ambiguous());
}

#[test]
fn queries_ask_for_equal_keys_once_and_for_nothing_twice() {
    let plan = steps(
        r#"{"object":"Contact","by":"email","source":"email","fields":["Email","Alt__c"],
        "filter":{"field":"email","blank":false}}"#,
    );
    let org = OrgFacts::assumed(&plan);
    let mut found = Found::new(&plan, &org, 0).expect("a step");
    let records = ["Ada@Acme.com", "ada@acme.COM", "o'neil@acme.com"].map(|email| Record::new().with("email", email));
    let keys: Vec<_> = records.iter().map(|record| found.key(record).expect("a key")).collect();
    let lookup = found.lookup(&keys).expect("plans");
    let texts: Vec<&str> = lookup.queries.iter().map(Soql::as_str).collect();
    assert_eq!(
        texts,
        [
            r"SELECT Id, Email, Alt__c, AccountId FROM Contact WHERE Email IN ('ada@acme.com','o\'neil@acme.com') OR Alt__c IN ('ada@acme.com','o\'neil@acme.com')"
        ]
    );
    assert!(!lookup.with_deleted);
    let many: Vec<Record> =
        (0..3000).map(|number| Record::new().with("email", format!("p{number}@acme.com"))).collect();
    let keys: Vec<_> = many.iter().map(|record| found.key(record).expect("a key")).collect();
    let queries = found.lookup(&keys).expect("plans").queries;
    assert!(queries.iter().all(|query| crate::types::encode(query.as_str()).len() <= 13_312));
    let named: usize = queries.iter().map(|query| query.as_str().matches("@acme.com").count()).sum();
    assert_eq!(named, 6000, "every key in both fields");
    // Two mentions of 26 bytes each, escapes and comma included.
    assert!(queries.len() <= 13, "{}", queries.len());
}

#[test]
fn numbers_ids_and_case_sensitive_keys_are_asked_for_in_their_own_form() {
    let describe: SObjectDescribe = serde_json::from_str(
        r#"{"name":"Contact","fields":[
            {"name":"N__c","type":"double","filterable":true},{"name":"C__c","type":"string","filterable":true,"caseSensitive":true},
            {"name":"AccountId","type":"reference","filterable":true},{"name":"IsDeleted","type":"boolean"},
            {"name":"MasterRecordId","type":"reference"},{"name":"Hidden__c","type":"textarea"}]}"#,
    )
    .expect("a describe");
    let asked = |field: &str, values: &[&str]| {
        let step = format!(r#"{{"object":"Contact","by":"external_id","source":"k","field":"{field}"}}"#);
        let plan = steps(&step);
        let org = OrgFacts::of(&plan, std::slice::from_ref(&describe)).expect("fits");
        let mut found = Found::new(&plan, &org, 0).expect("a step");
        let records: Vec<Record> = values.iter().map(|value| source(&format!(r#"{{"k":{value}}}"#))).collect();
        let keys: Vec<_> = records.iter().filter_map(|record| found.key(record).ok()).collect();
        let lookup = found.lookup(&keys).expect("plans");
        assert!(lookup.with_deleted, "merges are followed");
        lookup.queries[0].as_str().split(" WHERE ").nth(1).expect("a condition").to_owned()
    };
    assert_eq!(asked("N__c", &["12.50", "\"12.5\"", "\"x\""]), "N__c IN (12.5)");
    assert_eq!(asked("C__c", &["\"a\"", "\"A\"", "\" a \""]), "C__c IN ('A','a')");
    assert_eq!(asked("AccountId", &["\"001dM00003kRs59\""]), "AccountId IN ('001dM00003kRs59QAC')");
    let plan = steps(
        r#"{"object":"Contact","by":"email","source":"e","fields":["Hidden__c","Nope__c"]},
           {"object":"Thing__c","by":"id","source":"i","filter":{"field":"X__c","blank":true}}"#,
    );
    let error = OrgFacts::of(&plan, &[describe]).expect_err("does not fit");
    assert_eq!(error.kind(), ErrorKind::Schema);
    for part in [
        "step 1: Contact.Hidden__c cannot be searched by",
        "no field Nope__c",
        "step 2: the org has no object Thing__c",
    ] {
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn words_are_asked_for_by_a_pattern_where_the_field_takes_one() {
    let describe: SObjectDescribe = serde_json::from_str(
        r#"{"name":"Contact","fields":[{"name":"P__c","type":"picklist","filterable":true},
            {"name":"S__c","type":"string","filterable":true}]}"#,
    )
    .expect("a describe");
    for (field, conditions) in [
        ("P__c", &["P__c IN ('A  B','one')"][..]),
        ("S__c", &[r"S__c LIKE 'A %B' OR S__c LIKE 'c\_ %d %e'", "S__c IN ('one')"][..]),
    ] {
        let plan = steps(&format!(
            r#"{{"object":"Contact","by":"custom","source":"k","field":"{field}","normaliser":"words","merged":false}}"#
        ));
        let org = OrgFacts::of(&plan, std::slice::from_ref(&describe)).expect("fits");
        let mut found = Found::new(&plan, &org, 0).expect("a step");
        let texts: &[&str] = if field == "P__c" { &["A  B", "one"] } else { &["A  B", "one", "a b", "c_ d\ne"] };
        let keys: Vec<_> =
            texts.iter().map(|text| found.key(&Record::new().with("k", *text)).expect("a key")).collect();
        let lookup = found.lookup(&keys).expect("plans");
        let asked: Vec<&str> =
            lookup.queries.iter().filter_map(|query| query.as_str().split(" WHERE ").nth(1)).collect();
        assert_eq!(asked.len(), conditions.len(), "{asked:?}");
        for (asked, condition) in asked.iter().zip(conditions) {
            assert_eq!(asked.to_lowercase(), condition.replace("A  B", "A B").to_lowercase());
        }
    }
}

#[test]
fn plans_that_cannot_work_are_refused_at_load_with_the_step_and_the_reason() {
    for (text, says) in [
        (r#"{"version":1,"steps":[]}"#, "at least one step"),
        (r#"{"version":2,"steps":[]}"#, "version 1"),
        (r#"{"steps":[]}"#, "version"),
        (r#"{"version":1,"steps":[],"x":1}"#, "unknown field `x`"),
        (r#"{"version":1,"steps":[{"object":"Contact","by":"email"}]}"#, "missing field `source`"),
        (r#"{"version":1,"steps":[{"object":"Contact","by":"email","source":""}]}"#, "\"source\" is a path"),
        (r#"{"version":1,"steps":[{"object":"Contact","by":"email","source":"a..b"}]}"#, "\"source\" is a path"),
        (r#"{"version":1,"steps":[{"object":"Contact","by":"phone","source":"a"}]}"#, "unknown variant `phone`"),
        (r#"{"version":1,"steps":[{"object":"Contact","by":"email","source":"a","fields":[]}]}"#, "names no field"),
        (r#"{"version":1,"steps":[{"object":"Contact","by":"email","source":"a","field":"Email"}]}"#, "no meaning"),
        (r#"{"version":1,"steps":[{"object":"Contact","by":"external_id","source":"a"}]}"#, "\"field\" is missing"),
        (
            r#"{"version":1,"steps":[{"object":"Contact","by":"custom","source":"a","field":"K__c","normaliser":"soundex"}]}"#,
            "unknown variant `soundex`",
        ),
        (r#"{"version":1,"steps":[{"object":"A b","by":"id","source":"a"}]}"#, "API name"),
        (r#"{"version":1,"steps":[{"object":"Contact","by":"person_email","source":"a"}]}"#, "finds an Account"),
        (r#"{"version":1,"steps":[{"object":"Contact","by":"id","source":"a","converted":"skip"}]}"#, "only a Lead"),
        (r#"{"version":1,"steps":[{"object":"Opportunity","by":"id","source":"a","merged":true}]}"#, "can be merged"),
        (
            r#"{"version":1,"steps":[{"object":"Account","by":"parent","source":"a","filter":{"field":"X","blank":true}}]}"#,
            "no record that a filter",
        ),
        (
            r#"{"version":1,"steps":[{"object":"Contact","by":"id","source":"a","filter":{"field":"a b","blank":true}}]}"#,
            "API names",
        ),
        (
            r#"{"version":1,"steps":[{"object":"Lead","by":"id","source":"a"},{"object":"lead","by":"id","source":"a"}]}"#,
            "step 2 is the same as step 1",
        ),
    ] {
        let error = serde_json::from_str::<MatchPlan>(text).expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    let error = serde_json::from_str::<MatchPlan>(
        "{\"version\":1,\"steps\":[\n{\"object\":\"Contact\",\"by\":\"id\",\"source\":\"a\"},\n{\"object\":\"Contact\",\"by\":\"name\",\"source\":\" \"}]}",
    )
    .expect_err("a step is wrong")
    .to_string();
    assert!(error.contains("Contact by name") && error.contains("line 3"), "{error}");
}

#[test]
fn every_plan_reads_what_it_writes() {
    let all = steps(
        r#"{"object":"Contact","by":"id","source":"id","merged":false},
           {"object":"Contact","by":"external_id","source":"k","field":"K__c"},
           {"object":"Contact","by":"custom","source":"k","field":"L__c","normaliser":"words","filter":{"field":"X__c","is":1}},
           {"object":"Contact","by":"email","source":"e","fields":["Email","Alt__c"],"strip_plus_tag":true,"ignore_gmail_dots":true,"merged":true},
           {"object":"Account","by":"person_email","source":"e"},
           {"object":"lead","by":"email","source":"e","converted":"opportunity"},
           {"object":"Account","by":"parent","source":"person.account_id"},
           {"object":"Account","by":"contact","source":"person.contact_id","cardinality":"many","stamp":"SystemModstamp"},
           {"object":"Account","by":"domain","source":"e","field":"Site__c","exclude":["ours.com"]},
           {"object":"Account","by":"name","source":"company"}"#,
    );
    assert!(all.steps()[5].object.as_str() == "Lead" && all.steps()[5].converted == Converted::Opportunity);
    for plan in [all, MatchPlan::people("email").expect("valid"), MatchPlan::accounts("email").expect("valid")] {
        let written = serde_json::to_string(&plan).expect("serialises");
        assert_eq!(serde_json::from_str::<MatchPlan>(&written).expect(&written), plan);
    }
}

#[test]
fn heap_6_the_probe_asks_which_keys_name_several_records() {
    let plan = steps(
        r#"{"object":"Contact","by":"custom","source":"k","field":"K__c"},{"object":"Lead","by":"email","source":"e"},
           {"object":"Account","by":"domain","source":"e"},{"object":"Contact","by":"id","source":"i"}"#,
    );
    let asked: Vec<String> =
        probes(&plan, &OrgFacts::assumed(&plan)).iter().map(|(_, _, soql)| soql.as_str().to_owned()).collect();
    assert_eq!(
        asked,
        [
            "SELECT K__c k, COUNT(Id) n FROM Contact WHERE K__c != null GROUP BY K__c HAVING COUNT(Id) > 1 LIMIT 2000",
            "SELECT Email k, COUNT(Id) n FROM Lead WHERE Email != null AND IsConverted = FALSE GROUP BY Email HAVING COUNT(Id) > 1 LIMIT 2000",
        ]
    );
}

#[test]
fn a_step_built_in_code_is_checked_as_one_in_a_file() {
    let step = |key| MatchStep::new(SObjectName::from_static("Contact"), key);
    let no_fields =
        JoinKey::Email { source: "e".into(), fields: Vec::new(), strip_plus_tag: false, ignore_gmail_dots: false };
    assert_eq!(MatchPlan::new(vec![step(no_fields)]).expect_err("refused").kind(), ErrorKind::Config);
    let field = FieldName::from_static("Key__c");
    let filter: Filter = serde_json::from_str(r#"{"field":"Status__c","is":"x"}"#).expect("a filter");
    let good = step(JoinKey::ExternalId { source: "k".into(), field }).filter(filter).merged(false);
    MatchPlan::new(vec![good]).expect("valid");
}

/// Rows with few keys, so that they meet: contacts and leads, some merged, some converted, some deleted.
fn any_rows() -> impl Strategy<Value = Vec<Record>> {
    let kind = (0_usize..2, 0_usize..3, 0_usize..5, 0_usize..6);
    prop::collection::vec(kind, 0..12).prop_map(|kinds| {
        let rows = kinds.into_iter().enumerate().map(|(number, (object, key, fate, target))| {
            let email = format!("K{key}@acme.com");
            let row = if object == 0 { contact(number, &email) } else { lead(number, &email) };
            match (object, fate) {
                (_, 0) => merged(row, id(if object == 0 { "003" } else { "00Q" }, target)),
                (_, 1) => row.with("IsDeleted", true),
                (1, 2) => row.with("IsConverted", true).with("ConvertedContactId", id("003", target).as_str()),
                _ => row,
            }
        });
        rows.collect()
    })
}

proptest! {
    #[test]
    fn matching_does_not_depend_on_the_order_of_rows_or_records(
        rows in any_rows(), turn in 0_usize..12, merged in any::<bool>(),
    ) {
        let plan = steps(&format!(
            r#"{{"object":"Contact","by":"email","source":"email","merged":{merged}}},
               {{"object":"Lead","by":"email","source":"email","merged":{merged}}}"#
        ));
        let org = OrgFacts::assumed(&plan);
        let records: Vec<Record> =
            (0..4).map(|key| Record::new().with("email", format!(" k{key}@ACME.com"))).collect();
        let results = match_in(&plan, &org, &rows, &records);
        prop_assert_eq!(results.len(), records.len());

        let mut shuffled = rows.clone();
        shuffled.rotate_left(turn % rows.len().max(1));
        shuffled.reverse();
        let mut again = match_in(&plan, &org, &shuffled, &records.iter().rev().cloned().collect::<Vec<_>>());
        again.reverse();
        prop_assert_eq!(&again, &results);

        for matched in &results {
            match &matched.result {
                Match::One(candidate) => {
                    let row = rows.iter().find(|row| row.text("Id") == Some(candidate.id.as_str())).expect("a row");
                    prop_assert!(row.get("IsDeleted").is_none() && row.get("IsConverted").is_none());
                }
                Match::Ambiguous(candidates) => {
                    prop_assert!(candidates.len() > 1 && matched.result.one().is_none(), "nothing to link");
                    prop_assert!(candidates.windows(2).all(|pair| pair[0].id < pair[1].id));
                }
                Match::None => prop_assert_eq!(matched.step, None),
            }
        }
    }
}
