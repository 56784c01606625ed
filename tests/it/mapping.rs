//! Field maps at work: what a push sends by them, and recorded describes.

use futures_util::stream;
use proptest::prelude::*;
use sforce::adapters::presets::{importable, opportunity_map};
use sforce::mapping::{CompiledMap, FieldMap, Transforms, Verdict};
use sforce::sync::{Outcome, Push};
use sforce::testing::org::{FieldSpec, MockOrg, ObjectSpec, Operation};
use sforce::types::{Record, SObjectDescribe, Value};

use crate::support::{client, recorded};

fn compiled(text: &str) -> CompiledMap {
    FieldMap::from_toml(text).and_then(|map| map.compile(&Transforms::new())).expect(text)
}

/// A map to `Thing__c` with these settings and rules.
fn map(settings: &str, rules: &str) -> CompiledMap {
    compiled(&format!(
        "version = 1\nobject = \"Thing__c\"\nkey = \"Key__c\"\n{settings}\n[[rules]]\nsource = \"id\"\ntarget = \"Key__c\"\n{rules}"
    ))
}

/// An org with accounts that have a key, and things that belong to one.
fn org() -> MockOrg {
    let org = MockOrg::builder()
        .object(
            ObjectSpec::new("Thing__c")
                .field(FieldSpec::text("Key__c", 80).external_id().unique().case_sensitive())
                .field(FieldSpec::text("Note__c", 80))
                .field(FieldSpec::text("Source__c", 80))
                .field(FieldSpec::number("Score__c", 18, 2))
                .field(FieldSpec::lookup("Account__c", "Account")),
        )
        .start();
    org.add_field("Account", FieldSpec::text("Ext__c", 40).external_id().unique());
    org.add_field("User", FieldSpec::text("Ext__c", 40).external_id().unique());
    org
}

async fn push(org: &MockOrg, map: CompiledMap, lines: &[&str]) -> Vec<Outcome> {
    let push = Push::builder(client(org), map).build().await.expect("the org fits");
    let input: Vec<_> = lines.iter().map(|line| ((), Ok(Record::from_json(line).expect(line)))).collect();
    let mut outcomes = Vec::new();
    push.run(stream::iter(input), |(), outcome| outcomes.push(outcome.clone())).await.expect("no outage");
    outcomes
}

fn words(outcomes: &[Outcome]) -> Vec<String> {
    let word = |outcome: &Outcome| format!("{outcome:?}").split(['(', ' ']).next().unwrap_or_default().to_owned();
    outcomes.iter().map(word).collect()
}

fn thing(org: &MockOrg) -> serde_json::Value {
    let mut things = org.records("Thing__c");
    assert_eq!(things.len(), 1);
    things.remove(0)
}

#[tokio::test]
async fn a_persons_value_stays_where_a_rule_fills_blanks_or_writes_new_records_only() {
    let org = org();
    let rules = "[[rules]]\nsource = \"note\"\ntarget = \"Note__c\"\nwrite = \"when_blank\"\n\
                 [[rules]]\nconstant = \"Web\"\ntarget = \"Source__c\"\nwrite = \"create_only\"";
    assert_eq!(words(&push(&org, map("", rules), &[r#"{"id":"a","note":"ours"}"#]).await), ["Created"]);
    let id = thing(&org)["Id"].as_str().expect("an id").to_owned();
    let edit = Record::new().with("Note__c", "theirs").with("Source__c", "Call");
    let things = client(&org).records(sforce::types::SObjectName::from_static("Thing__c"));
    things.update(id.parse().expect("an id"), &edit).await.expect("a person may");
    assert_eq!(words(&push(&org, map("", rules), &[r#"{"id":"a","note":"ours again"}"#]).await), ["Unchanged"]);
    assert_eq!((thing(&org)["Note__c"].as_str(), thing(&org)["Source__c"].as_str()), (Some("theirs"), Some("Call")));
    things.update(id.parse().expect("an id"), &Record::new().with("Note__c", Value::Null)).await.expect("cleared");
    assert_eq!(words(&push(&org, map("", rules), &[r#"{"id":"a","note":"ours"}"#]).await), ["Updated"]);
    assert_eq!(thing(&org)["Note__c"], "ours");
}

#[tokio::test]
async fn white_space_that_salesforce_does_not_store_makes_no_other_key_and_no_other_value() {
    let org = org();
    let account = org.insert("Account", serde_json::json!({"Name": "one", "Ext__c": "one"}));
    org.insert("Thing__c", serde_json::json!({"Key__c": "a", "Name": "a", "Note__c": "theirs", "Source__c": "theirs"}));
    let rules = "[[rules]]\nsource = \"note\"\ntarget = \"Note__c\"\nwrite = \"when_blank\"\n\
                 [[rules]]\nsource = \"note\"\ntarget = \"Source__c\"\nwrite = \"create_only\"\n\
                 [[rules]]\nsource = \"company\"\ntarget = \"Account__r.Ext__c\"";
    let line = r#"{"id":"a ","note":" ours","company":" one\n"}"#;
    assert_eq!(words(&push(&org, map("", rules), &[line]).await), ["Updated"], "the account only");
    let stored = thing(&org);
    assert_eq!((stored["Note__c"].as_str(), stored["Source__c"].as_str()), (Some("theirs"), Some("theirs")));
    assert_eq!(stored["Account__c"], account);
    assert_eq!(words(&push(&org, map("", rules), &[line]).await), ["Unchanged"]);
    let missing = push(&org, map("create = false", ""), &[r#"{"id":" a"}"#, r#"{"id":" b"}"#]).await;
    assert_eq!(words(&missing), ["Unchanged", "NotCreated"]);
    let rules = "[[rules]]\ntemplate = \"{first} {last}\"\ntarget = \"Source__c\"";
    let lines = [r#"{"id":"b","first":"","last":"y"}"#, r#"{"id":" b ","first":"","last":"y"}"#];
    assert_eq!(words(&push(&org, map("", rules), &lines).await), ["Folded", "Created"], "one key");
    assert_eq!(words(&push(&org, map("", rules), &lines).await), ["Folded", "Unchanged"]);
}

#[tokio::test]
async fn a_folded_record_is_not_written_where_the_one_that_stands_for_it_is_not() {
    let org = org();
    let rules = "[[rules]]\nsource = \"note\"\ntarget = \"Note__c\"";
    let lines = [r#"{"id":"a","note":"x"}"#, r#"{"id":"a","note":"y"}"#, r#"{"id":"b","note":"z"}"#];
    let of_a = |_: usize, record: &serde_json::Value| record["Key__c"] == "a";
    org.faults().on(Operation::CollectionsUpsert).refuse_rows("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", of_a).once();
    assert_eq!(words(&push(&org, map("", rules), &lines).await), ["Deferred", "Rejected", "Created"]);
    org.faults().on(Operation::CollectionsUpsert).lock_rows(of_a).always();
    assert_eq!(words(&push(&org, map("", rules), &lines).await), ["Deferred", "Deferred", "Unchanged"]);
    org.faults().clear();

    // Nor where nothing could be looked at.
    let push = Push::builder(client(&org), map("", rules)).build().await.expect("the org fits");
    org.set_daily_limit(org.api_calls());
    let records: Vec<_> = lines.iter().map(|line| Ok(Record::from_json(line).expect(line))).collect();
    let window = push.window(&records).await;
    assert_eq!((words(&window.outcomes), window.stopped.is_some()), (vec!["Deferred".to_owned(); 3], true));
}

#[tokio::test]
async fn a_number_differs_by_the_digits_that_its_rule_keeps() {
    let org = org();
    org.insert("Thing__c", serde_json::json!({"Key__c": "a", "Name": "a", "Score__c": 1.26}));
    let by = |transform: &str| {
        map("", &format!("[[rules]]\nsource = \"n\"\ntarget = \"Score__c\"\ntransforms = [{transform}]"))
    };
    let line = [r#"{"id":"a","n":1.3}"#];
    assert_eq!(words(&push(&org, by("{ number = { precision = 5, scale = 1 } }"), &line).await), ["Unchanged"]);
    let cut = by(r#"{ number = { precision = 5, scale = 1, rounding = "down" } }"#);
    assert_eq!(words(&push(&org, cut, &line).await), ["Updated"], "1.26 is 1.2 to this rule");
    org.insert("Thing__c", serde_json::json!({"Key__c": "b", "Name": "b", "Score__c": 1.26}));
    assert_eq!(words(&push(&org, by(""), &[r#"{"id":"b","n":1.3}"#]).await), ["Updated"]);
}

#[tokio::test]
async fn always_writes_what_is_there_already() {
    let org = org();
    let rules = "[[rules]]\nsource = \"note\"\ntarget = \"Note__c\"\nwrite = \"always\"";
    for expected in ["Created", "Updated", "Updated"] {
        assert_eq!(words(&push(&org, map("", rules), &[r#"{"id":"a","note":"x"}"#]).await), [expected]);
    }
}

#[tokio::test]
async fn gpt_28_no_record_is_created_where_the_map_says_so_and_others_are_changed() {
    let org = org();
    let rules = "[[rules]]\nsource = \"note\"\ntarget = \"Note__c\"";
    org.insert("Thing__c", serde_json::json!({"Key__c": "a", "Name": "a"}));
    let lines = [r#"{"id":"a","note":"x"}"#, r#"{"id":"b","note":"x"}"#];
    let outcomes = push(&org, map("create = false", rules), &lines).await;
    assert_eq!(words(&outcomes), ["Updated", "NotCreated"]);
    assert_eq!((thing(&org)["Note__c"].as_str(), org.calls(Operation::CollectionsUpsert)), (Some("x"), 0));
}

#[tokio::test]
async fn records_outside_the_audience_are_not_looked_up_nor_sent() {
    let org = org();
    let settings = "audience = { field = \"plan\", is = \"pro\" }";
    let lines = [r#"{"id":"a","plan":"free"}"#, r#"{"id":5,"plan":"free"}"#, r#"{"id":"b","plan":"pro"}"#];
    assert_eq!(words(&push(&org, map(settings, ""), &lines).await), ["Skipped", "Skipped", "Created"]);
    assert_eq!(thing(&org)["Key__c"], "b");
}

#[tokio::test]
async fn a_parent_is_linked_by_its_key_compared_by_it_and_unlinked() {
    let org = org();
    let account = |key: &str| org.insert("Account", serde_json::json!({"Name": key, "Ext__c": key}));
    let (one, two) = (account("one"), account("two"));
    let rules = "[[rules]]\nsource = \"company\"\ntarget = \"Account__r.Ext__c\"\n\
                 [[rules]]\nsource = \"note\"\ntarget = \"Note__c\"";
    let run = |line: &'static str| {
        let org = &org;
        async move { words(&push(org, map("", rules), &[line]).await).remove(0) }
    };
    assert_eq!(run(r#"{"id":"a","company":"one"}"#).await, "Created");
    assert_eq!(thing(&org)["Account__c"], one);
    assert_eq!(run(r#"{"id":"a","company":"one"}"#).await, "Unchanged");
    assert_eq!(run(r#"{"id":"a","company":"two"}"#).await, "Updated");
    assert_eq!(thing(&org)["Account__c"], two);
    assert_eq!(run(r#"{"id":"a","note":"x"}"#).await, "Updated");
    assert_eq!(thing(&org)["Account__c"], two, "absent leaves it alone");
    assert_eq!(run(r#"{"id":"a","company":null}"#).await, "Updated");
    assert_eq!(thing(&org)["Account__c"], serde_json::Value::Null);
    assert_eq!(run(r#"{"id":"a","company":null}"#).await, "Unchanged");
    assert_eq!(run(r#"{"id":"a","company":"nobody"}"#).await, "Rejected");
}

#[tokio::test]
async fn a_polymorphic_parent_is_sent_with_its_object_and_compared_by_its_key() {
    let org = org();
    org.add_field("Lead", FieldSpec::text("Key__c", 40).external_id().unique());
    let map = compiled(
        "version = 1\nobject = \"Lead\"\nkey = \"Key__c\"\n[[rules]]\nsource = \"id\"\ntarget = \"Key__c\"\n\
         [[rules]]\nsource = \"name\"\ntarget = \"LastName\"\n[[rules]]\nsource = \"name\"\ntarget = \"Company\"\n\
         [[rules]]\nsource = \"rep\"\ntarget = \"User:Owner.Username\"\nblank = \"ignore\"",
    );
    let line = format!(r#"{{"id":"a","name":"Ada","rep":"{}"}}"#, org.username());
    assert_eq!(words(&push(&org, map.clone(), &[&line]).await), ["Created"]);
    assert_eq!(words(&push(&org, map.clone(), &[&line]).await), ["Unchanged"]);
    let lead = org.records("Lead").into_iter().find(|lead| lead["Key__c"] == "a").expect("created");
    assert_eq!(lead["OwnerId"], org.user_id());
}

#[tokio::test]
async fn rows_with_one_parent_named_by_its_key_share_a_lane() {
    let org = org();
    for key in ["one", "two"] {
        org.insert("Account", serde_json::json!({"Name": key, "Ext__c": key}));
    }
    let rules = "[[rules]]\nsource = \"company\"\ntarget = \"Account__r.Ext__c\"";
    let lines: Vec<String> =
        (0..450).map(|n| format!(r#"{{"id":"{n}","company":"{}"}}"#, if n % 2 == 0 { "one" } else { "two" })).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let outcomes = push(&org, map("", rules), &lines).await;
    assert!(words(&outcomes).iter().all(|word| word == "Created"), "none met a lock");
    assert_eq!(org.count("Thing__c"), 450);
}

#[tokio::test]
async fn an_org_that_does_not_fit_a_map_is_told_before_anything_is_written() {
    let org = org();
    let rules = "[[rules]]\nsource = \"a\"\ntarget = \"Score__c\"\ntransforms = [\"text\"]\n\
                 [[rules]]\nsource = \"b\"\ntarget = \"Account__c\"\ntransforms = [{ boolean = {} }]";
    let error = Push::builder(client(&org), map("", rules)).build().await.expect_err("two are impossible");
    assert_eq!(error.kind(), sforce::ErrorKind::Schema);
    assert!(error.message().contains("Score__c") && error.message().contains("Account__c"), "{error}");
    assert_eq!(org.count("Thing__c"), 0);
}

fn recorded_describe(name: &str) -> Option<SObjectDescribe> {
    let path = recorded("describes for maps")?.join("describe").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    if value.is_array() {
        value = value[0]["body"].take();
    }
    Some(serde_json::from_value(value).expect("a describe"))
}

#[test]
fn smv_32_the_opportunity_preset_fits_the_recorded_opportunity() {
    let Some(object) = recorded_describe("Opportunity.describe.json") else { return };
    let report = opportunity_map(None).expect("sound").check(&object);
    assert_eq!(report.fields.len(), 12);
    assert!(report.fields.iter().all(|field| field.verdict == Verdict::Safe), "{report}");
}

#[test]
fn recorded_objects_judge_a_map_field_by_field() {
    use Verdict::{Impossible, Lossy, Safe};
    let Some(object) = recorded_describe("Contact.describe.json") else { return };
    let map = FieldMap::from_toml(
        "version = 1\nobject = \"Contact\"\nkey = \"Email\"\n\
         [[rules]]\nsource = \"email\"\ntarget = \"Email\"\nrequired = true\ntransforms = [\"text\", { max_length = { max = 80 } }, \"email\"]\n\
         [[rules]]\nsource = \"name\"\ntarget = \"Name\"\n[[rules]]\nsource = \"boss\"\ntarget = \"ReportsToId\"\ntransforms = [{ record_id = { prefix = \"001\" } }]\n\
         [[rules]]\nsource = \"owner\"\ntarget = \"User:Owner.Ext__c\"\n[[rules]]\nsource = \"when\"\ntarget = \"Birthdate\"\ntransforms = [\"date_time\"]\n\
         [[rules]]\nsource = \"place\"\ntarget = \"MailingAddress\"\n[[rules]]\nconstant = \"Block\"\ntarget = \"MailingGeocodeAccuracy\"\n",
    );
    let report = map.expect("sound").check(&object);
    let verdicts: Vec<(&str, Verdict)> =
        report.fields.iter().map(|field| (field.target.as_str(), field.verdict)).collect();
    assert_eq!(
        verdicts,
        [
            ("Email", Lossy),
            ("Name", Impossible),
            ("ReportsToId", Impossible),
            ("User:Owner.Ext__c", Impossible),
            ("Birthdate", Lossy),
            ("MailingAddress", Impossible),
            ("MailingGeocodeAccuracy", Safe),
            ("LastName", Impossible),
        ],
        "{report}"
    );
    assert!(importable(&object).count() > 40, "HEAP-3");
}

#[test]
fn the_format_in_the_guide_is_the_format_that_is_read() {
    let guide =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides/mapping.md")).expect("readable");
    let examples: Vec<&str> = guide
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|text| text.contains("version"))
        .collect();
    assert!(!examples.is_empty());
    for text in examples {
        let map = FieldMap::from_toml(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        map.compile(&Transforms::new().with("initials", Ok)).expect("compiles");
    }
    let table = guide.split("## Transforms").nth(1).expect("a chapter").split("\n## ").next().expect("its text");
    let error = FieldMap::from_json(
        r#"{"version":1,"object":"A","key":"K","rules":[{"source":"a","target":"K","transforms":["?"]}]}"#,
    );
    let error = error.expect_err("no such transform").to_string();
    let known = error.split("expected one of ").nth(1).expect("the list");
    for name in known.split('`').skip(1).step_by(2) {
        assert!(table.contains(&format!("`{name}")), "the guide lacks {name}");
    }
}

/// Any JSON value, as deep and odd as a source may send.
fn any_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:?}")),
        Just("1e400".to_owned()),
        Just("-0.00000000000000000000000000000000001".to_owned()),
        ".*".prop_map(|text| serde_json::to_string(&text).expect("text")),
        "[ -~\u{0}-\u{ff}🙂]{0,12}".prop_map(|text| serde_json::to_string(&text).expect("text")),
        prop_oneof![
            Just("2026-10-25T02:30:00"),
            Just("0000-01-01T00:00:00Z"),
            Just("9999-12-31T23:59:59Z"),
            Just("2026-05-01"),
            Just("003dM00001wBXYDQA4"),
            Just("a;b"),
            Just("ada@example.com"),
            Just("yes"),
            Just("-12.5"),
        ]
        .prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("[a-c]", inner), 0..4).prop_map(|members| {
                let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// Every transform, with settings that let something through.
const EVERY: [&str; 35] = [
    "\"text\"",
    "\"trim\"",
    "\"upper\"",
    "\"lower\"",
    "{ max_length = { max = 5 } }",
    "{ truncate = { max = 3 } }",
    "\"email\"",
    "{ matches = { pattern = \"a|1\" } }",
    "{ replace = { pattern = \"(.)\", with = \"$1$1\" } }",
    "{ extract = { pattern = \"\\\\d+(.)?\" } }",
    "{ number = { precision = 5, scale = 2 } }",
    "{ whole_number = { precision = 18 } }",
    "\"parse_number\"",
    "{ multiply = { by = 1e9 } }",
    "{ divide = { by = 3 } }",
    "{ minimum = { min = 0 } }",
    "{ maximum = { max = 100 } }",
    "{ clamp = { min = -1, max = 1 } }",
    "\"seconds_to_minutes\"",
    "\"minutes_to_seconds\"",
    "{ join_list = { max = 12 } }",
    "{ split_list = {} }",
    "\"multi_select\"",
    "{ table = { entries = { yes = 1, true = \"a\" }, otherwise = \"keep\" } }",
    "{ boolean = {} }",
    "\"date_time\"",
    "{ local_date_time = { zone = \"Europe/Berlin\", ambiguous = \"later\", skipped = \"forward\" } }",
    "{ in_zone = { zone = \"Pacific/Apia\" } }",
    "{ date = { zone = \"America/New_York\" } }",
    "\"epoch_seconds\"",
    "\"epoch_milliseconds\"",
    "\"to_epoch_seconds\"",
    "\"to_epoch_milliseconds\"",
    "{ record_id = { prefix = \"003\" } }",
    "{ custom = \"same\" }",
];

/// A rule that takes `x` through each of these, and one for all of it at once.
fn chain(steps: &[usize]) -> CompiledMap {
    let chain: Vec<&str> = steps.iter().map(|step| EVERY[*step]).collect();
    let text = format!(
        "version = 1\nobject = \"Thing__c\"\nkey = \"Key__c\"\n[[rules]]\nconstant = \"k\"\ntarget = \"Key__c\"\n\
         [[rules]]\nsource = \"x\"\ntarget = \"X__c\"\ntransforms = [{}]\n\
         [[rules]]\ntemplate = \"{{x}} {{x.a}}\"\ntarget = \"Y__c\"\n",
        chain.join(", ")
    );
    FieldMap::from_toml(&text).and_then(|map| map.compile(&Transforms::new().with("same", Ok))).expect(&text)
}

proptest! {
    #[test]
    fn any_value_through_any_transforms_gives_a_field_or_an_issue_and_never_a_panic(
        value in any_value(),
        steps in prop::collection::vec(0..EVERY.len(), 0..4),
    ) {
        let Ok(source) = Record::from_json(&format!(r#"{{"x":{value},"secret":"s","Owner":1}}"#)) else { return Ok(()) };
        let map = chain(&steps);
        if let Ok(mapped) = map.apply(&source) {
            let mapped = mapped.into_record().expect("no audience");
            // What no rule names is never written, and what is written has a form.
            prop_assert!(mapped.fields.iter().all(|(name, _)| ["Key__c", "X__c", "Y__c"].contains(&name)));
            prop_assert!(serde_json::to_string(&mapped.fields).is_ok());
            for (_, value) in mapped.fields.iter() {
                prop_assert!(!matches!(value, Value::List(_) | Value::Record(_) | Value::Children(_) | Value::OutOfRange(_)));
                prop_assert!(!value.as_text().is_some_and(|text| text.contains('\0')));
            }
            // The reverse of what went out never panics either.
            let _ = map.apply_reverse(&mapped.fields);
        }
    }

    #[test]
    fn a_step_into_stored_form_taken_twice_is_taken_once(
        value in any_value(),
        step in prop::sample::select(vec![0_usize, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 15, 16, 17, 24, 25, 28, 33]),
    ) {
        let Ok(source) = Record::from_json(&format!(r#"{{"x":{value}}}"#)) else { return Ok(()) };
        let once = chain(&[step]).apply(&source);
        let twice = chain(&[step, step]).apply(&source);
        if let Ok(once) = once {
            prop_assert_eq!(Ok(once), twice, "{}", EVERY[step]);
        }
    }

    #[test]
    fn a_field_that_salesforce_owns_is_never_written(
        directions in prop::collection::vec(0_usize..3, 1..8), values in prop::collection::vec(any_value(), 8),
    ) {
        const DIRECTIONS: [&str; 3] = ["to_salesforce", "from_salesforce", "both"];
        let rule = |(n, direction): (usize, &usize)| {
            let target = if n % 2 == 0 { format!("F{n}__c") } else { format!("P{n}__r.Key__c") };
            format!("[[rules]]\nsource = \"in.f{n}\"\ntarget = \"{target}\"\ndirection = \"{}\"\n", DIRECTIONS[*direction])
        };
        let rules: String = directions.iter().enumerate().map(rule).collect();
        let map = compiled(&format!(
            "version = 1\nobject = \"T__c\"\nkey = \"Key__c\"\n[[rules]]\nconstant = \"k\"\ntarget = \"Key__c\"\n{rules}"
        ));
        let mut inner = Record::new();
        for (n, value) in values.iter().enumerate() {
            let Ok(record) = Record::from_json(&format!("{{\"v\":{value}}}")) else { continue };
            inner.set(format!("f{n}"), record.get("v").cloned().unwrap_or(Value::Null));
        }
        let Ok(mapped) = map.apply(&Record::new().with("in", inner)) else { return Ok(()) };
        let fields = mapped.into_record().expect("no audience").fields;
        for (n, direction) in directions.iter().enumerate().filter(|(_, direction)| DIRECTIONS[**direction] == "from_salesforce") {
            for name in [format!("F{n}__c"), format!("P{n}__r"), format!("P{n}__c")] {
                prop_assert!(fields.get(&name).is_none(), "{} is written, direction {}", name, DIRECTIONS[*direction]);
            }
        }
    }

    #[test]
    fn what_rules_that_can_be_taken_back_send_comes_back_as_it_was(
        seconds in 0_i64..1_000_000_000,
        tier in prop::sample::select(vec!["gold", "silver", "free"]),
        tags in prop::collection::btree_set("[a-z]{1,5}", 0..5),
        factor in any::<i32>(),
        flag in any::<bool>(),
        note in "[a-z]{1,20}",
    ) {
        let both = |source: &str, target: &str, transforms: &str| {
            format!("[[rules]]\nsource = \"{source}\"\ntarget = \"{target}\"\ndirection = \"both\"\ntransforms = [{transforms}]\n")
        };
        let rules = [
            both("id", "Key__c", "\"text\""),
            both("seconds", "A__c", "{ minimum = { min = 0 } }, \"seconds_to_minutes\""),
            both("tier", "B__c", "{ table = { entries = { gold = \"A\", silver = \"B\", free = \"C\" } } }"),
            both("tags", "C__c", "\"multi_select\""),
            both("factor", "D__c", "{ multiply = { by = 0.01 } }, { number = { precision = 18, scale = 2, rounding = \"refuse\" } }"),
            both("flag", "E__c", "{ boolean = {} }"),
            both("deep.note", "F__c", "\"text\", { max_length = { max = 20 } }"),
            both("at", "G__c", "\"epoch_seconds\""),
            both("local", "H__c", "{ local_date_time = { zone = \"Asia/Kolkata\" } }"),
        ];
        let map = compiled(&format!("version = 1\nobject = \"T__c\"\nkey = \"Key__c\"\n{}", rules.concat()));
        let tags: Vec<Value> = tags.into_iter().map(Value::from).collect();
        let tags = if tags.is_empty() { Value::Null } else { Value::List(tags) };
        let source = Record::new().with("id", "k").with("seconds", seconds).with("tier", tier).with("tags", tags)
            .with("factor", i64::from(factor)).with("flag", flag).with("deep", Record::new().with("note", note))
            .with("at", seconds).with("local", "2026-05-01T09:25:37");
        let sent = map.apply(&source).expect("maps").into_record().expect("all");
        prop_assert_eq!(map.apply_reverse(&sent.fields), Ok(source.clone()));
        // Also as the org answers it, in texts and numbers.
        let answered = Record::from_json(&serde_json::to_string(&sent.fields).expect("serialises")).expect("reads");
        prop_assert_eq!(map.apply_reverse(&answered), Ok(source));
    }
}
