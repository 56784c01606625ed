//! Conflict policies as users write them: each policy seen in the wild, and the example `explain_conflict`.

use std::io::Write as _;
use std::process::Stdio;

use http::{HeaderName, HeaderValue};
use serde_json::{Value as Json, json};
use sforce::client::CallOptions;
use sforce::conflict::{
    Answer, ConflictPolicies, ConflictPolicy, Fate, Overlay, Resolution, State, Winner, resolve, resolve_answered,
};
use sforce::mapping::{FieldMap, Mapped, Transforms};
use sforce::testing::org::MockOrg;
use sforce::types::{FieldName, Record, RecordId, SObjectName, Timestamp};
use sforce::{Effect, ErrorKind};

use crate::engagement::example;
use crate::support::client;

const EARLY: &str = "2026-05-01T07:25:37Z";
const LATE: &str = "2026-05-01T08:00:00Z";

fn record(json: &Json) -> Record {
    Record::from_json(&json.to_string()).expect("an object")
}

fn policy(json: &Json) -> ConflictPolicy {
    serde_json::from_value(json.clone()).expect("a policy")
}

fn state(values: &Json, at: &str) -> State {
    State::new(record(values)).changed_at(at.parse().expect("a stamp"))
}

/// What is written where, for a source that changed early and a remote that changed late.
fn writes(policy: &Json, base: &Json, source: &Json, remote: &Json) -> (Record, Record) {
    let base = (!base.is_null()).then(|| record(base));
    let Resolution { to_salesforce, to_source, .. } =
        resolve(base.as_ref(), &state(source, EARLY), &state(remote, LATE), &self::policy(policy));
    (to_salesforce, to_source)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of 28 rows")]
fn every_policy_seen_in_the_wild_does_what_its_product_promises() {
    let none = || json!({});
    // Number in the guide, policy, base, source, remote, expected to Salesforce, expected to the source.
    let rows = [
        (
            1,
            json!({"default":"salesforce_wins","directions":{"F":"from_salesforce"}}),
            json!({"F":1}),
            json!({"F":2}),
            json!({"F":3}),
            none(),
            json!({"F":3}),
        ),
        (
            1,
            json!({"default":"salesforce_wins","directions":{"F":"from_salesforce"}}),
            json!({"F":1}),
            json!({"F":2}),
            json!({"F":1}),
            none(),
            none(),
        ),
        (
            2,
            json!({"default":"source_wins","directions":{"F":"to_salesforce"}}),
            json!({"F":1}),
            json!({"F":2}),
            json!({"F":3}),
            json!({"F":2}),
            none(),
        ),
        (
            2,
            json!({"default":"source_wins","directions":{"F":"to_salesforce"}}),
            json!({"F":1}),
            json!({"F":1}),
            json!({"F":3}),
            none(),
            none(),
        ),
        (
            3,
            json!({"default":"salesforce_unless_blank"}),
            json!(null),
            json!({"F":2}),
            json!({"F":null}),
            json!({"F":2}),
            none(),
        ),
        (
            3,
            json!({"default":"salesforce_unless_blank"}),
            json!({"F":2}),
            json!({"F":2}),
            json!({"F":null}),
            none(),
            json!({"F":null}),
        ),
        (
            4,
            json!({"default":"source_unless_blank"}),
            json!({"F":1}),
            json!({"F":""}),
            json!({"F":3}),
            none(),
            json!({"F":3}),
        ),
        (5, json!({"default":"most_recent"}), json!({"F":1}), json!({"F":2}), json!({"F":3}), none(), json!({"F":3})),
        (8, json!({"default":"never"}), json!({"F":1}), json!({"F":2}), json!({"F":1}), none(), none()),
        (
            9,
            json!({"default":"fill_blanks"}),
            json!(null),
            json!({"F":2,"G":2}),
            json!({"F":"","G":3}),
            json!({"F":2}),
            none(),
        ),
        (
            10,
            json!({"default":{"name":"value_beats_blank","then":"source_wins"},"directions":{"F":"to_salesforce","G":"to_salesforce"}}),
            json!(null),
            json!({"F":null,"G":2}),
            json!({"F":3,"G":3}),
            json!({"G":2}),
            none(),
        ),
        (
            11,
            json!({"default":"value_beats_blank"}),
            json!({"F":1,"G":1}),
            json!({"F":null,"G":1}),
            json!({"F":1,"G":null}),
            json!({"G":1}),
            json!({"F":1}),
        ),
        (
            12,
            json!({"default":"most_recent"}),
            json!({"F":1}),
            json!({"F":2}),
            json!({"F":null}),
            none(),
            json!({"F":null}),
        ),
        (
            16,
            json!({"default":"most_recent","directions":{"F":"to_salesforce","G":"from_salesforce"}}),
            json!({"F":1,"G":1,"H":1}),
            json!({"F":2,"G":2,"H":2}),
            json!({"F":1,"G":1,"H":1}),
            json!({"F":2,"H":2}),
            none(),
        ),
        (
            21,
            json!({"default":{"name":"source_ranking","ranking":["source"]}}),
            json!(null),
            json!({"F":2}),
            json!({"F":3}),
            json!({"F":2}),
            none(),
        ),
        (
            27,
            json!({"default":"ask"}),
            json!({"F":1,"G":1}),
            json!({"F":2,"G":1}),
            json!({"F":1,"G":3}),
            json!({"F":2}),
            json!({"G":3}),
        ),
        (
            28,
            json!({"default":"max","fields":{"G":"min","H":"sum","I":"append_unique","J":"first_touch"}}),
            json!({"F":1,"G":1,"H":1,"I":"a","J":"a"}),
            json!({"F":2,"G":2,"H":2,"I":"a;b","J":"b"}),
            json!({"F":3,"G":3,"H":3,"I":"a","J":"a"}),
            json!({"G":2,"H":4,"I":"a;b"}),
            json!({"F":3,"H":4,"J":"a"}),
        ),
    ];
    for (number, policy, base, source, remote, to_salesforce, to_source) in rows {
        let expected = (record(&to_salesforce), record(&to_source));
        assert_eq!(writes(&policy, &base, &source, &remote), expected, "{number}: {policy} {base} {source} {remote}");
    }

    // 7: the field's own change time counts.
    let mut source = state(&json!({"F":2}), EARLY);
    source.field_changed_at.set("F", "2026-05-01T09:00:00Z".parse().expect("a stamp"));
    let remote = state(&json!({"F":3}), LATE);
    let base = record(&json!({"F":1}));
    let resolution = resolve(Some(&base), &source, &remote, &policy(&json!({"default":"most_recent"})));
    assert_eq!(resolution.to_salesforce, record(&json!({"F":2})));

    // 14: what a person entered outranks Salesforce, what automation did does not.
    let ranked = policy(&json!({"default":{"name":"source_ranking","ranking":["user","salesforce","automation"]}}));
    for (origin, wins) in [("user", true), ("automation", false)] {
        let mut source = state(&json!({"F":2}), EARLY);
        source.origin = Some(origin.into());
        assert_eq!(resolve(Some(&base), &source, &remote, &ranked).to_salesforce.is_empty(), !wins, "{origin}");
    }

    // 15: a mirror deletes. The write modes and the create policy have their own tests, which the guide names.
    let gone = resolve(
        Some(&base),
        &State::deleted(),
        &state(&json!({"F":1}), EARLY),
        &policy(&json!({"default":"source_wins"})),
    );
    assert_eq!(gone.fate, Fate::DeleteInSalesforce);

    // 17 and 20: another policy for an object, and for records in use.
    let policies: ConflictPolicies = serde_json::from_value(json!({
        "version": 1,
        "default": {"default": "salesforce_wins"},
        "scopes": [
            {"object": "lead", "policy": {"default": "source_wins"}},
            {"object": "Contact", "records": {"field": "In_Sequence__c", "is": true}, "policy": {"default": "salesforce_wins", "delete": "never"}},
        ],
    }))
    .expect("policies");
    let (lead, contact) = (SObjectName::from_static("Lead"), SObjectName::from_static("Contact"));
    assert_eq!(policies.of(&lead, &Record::new()).of("F").name(), "source_wins");
    let active = record(&json!({"In_Sequence__c": true}));
    let unedited = state(&json!({"F":1}), EARLY);
    assert_eq!(resolve(Some(&base), &unedited, &State::deleted(), policies.of(&contact, &active)).fate, Fate::Apart);
    let idle = record(&json!({"In_Sequence__c": false}));
    assert_eq!(
        resolve(Some(&base), &unedited, &State::deleted(), policies.of(&contact, &idle)).fate,
        Fate::DeleteInSource
    );

    // 18: a local override.
    let remote_values = record(&json!({"Probability": 40}));
    assert_eq!(
        Overlay::new(record(&json!({"Probability": 75}))).over(&remote_values),
        record(&json!({"Probability": 75}))
    );

    // 23: decided by a person, reversible.
    let ask = policy(&json!({"default":"ask"}));
    let source = state(&json!({"F":2}), EARLY);
    let question = resolve(Some(&base), &source, &remote, &ask).questions.remove(0);
    let answered = |answer| resolve_answered(Some(&base), &source, &remote, &ask, &[question.clone().answered(answer)]);
    assert_eq!(answered(Answer::Source).to_salesforce, record(&json!({"F":2})));
    assert!(answered(Answer::KeepApart).is_settled());

    // 24: the application's own function.
    let custom =
        policy(&json!({"default":"custom"})).with_custom(|_| sforce::conflict::CustomVerdict::Value(9_u32.into()));
    let resolution = resolve(Some(&base), &source, &remote, &custom);
    assert_eq!((resolution.to_salesforce, resolution.to_source), (record(&json!({"F":9})), record(&json!({"F":9}))));
}

/// What a rule of a field map gives for this record.
fn mapped(rule: &str, source: &str) -> Record {
    let key = "[[rules]]\nsource = \"id\"\ntarget = \"Key__c\"\n";
    let text = format!("version = 1\nobject = \"Contact\"\nkey = \"Key__c\"\n{key}[[rules]]\n{rule}");
    let map = FieldMap::from_toml(&text).and_then(|map| map.compile(&Transforms::new())).expect(&text);
    match map.apply(&Record::from_json(source).expect(source).with("id", "k")) {
        Ok(Mapped::Record(mut mapped)) => {
            mapped.fields.remove("Key__c");
            mapped.fields
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn by_arrival_the_side_that_came_last_wins_whatever_its_records_stamp_says() {
    // 6, beside 5: the source's record is the younger one, and arrived first.
    let (source, remote) =
        (state(&json!({"F":2,"Changed__c":LATE}), EARLY), state(&json!({"F":3,"Changed__c":EARLY}), LATE));
    let base = record(&json!({"F":1}));
    let to_salesforce = |policy: Json| {
        let fields = json!({"default": policy, "fields": {"Changed__c": "never"}});
        resolve(Some(&base), &source, &remote, &self::policy(&fields)).to_salesforce
    };
    assert_eq!(to_salesforce(json!("most_recent")), Record::new());
    assert_eq!(to_salesforce(json!({"name":"most_recent","stamp_field":"Changed__c"})), record(&json!({"F":2})));
}

#[test]
fn a_blank_that_the_field_map_ignores_is_no_edit_and_one_that_it_clears_is() {
    // 13. Both maps get a blank; a marker of the product's own stands for an explicit null.
    let base = record(&json!({"Phone":"1"}));
    let remote = state(&json!({"Phone":"1"}), LATE);
    let sent = |rule: &str, source: &str| {
        let source = State::new(mapped(rule, source));
        let resolution = resolve(Some(&base), &source, &remote, &policy(&json!({"default":"source_wins"})));
        (resolution.to_salesforce, resolution.to_source)
    };
    let (nothing, cleared) = (Record::new(), record(&json!({"Phone":null})));
    let ignore = "source = \"phone\"\ntarget = \"Phone\"\nblank = \"ignore\"";
    let clear = "source = \"phone\"\ntarget = \"Phone\"";
    assert_eq!(sent(ignore, r#"{"phone":""}"#), (nothing.clone(), nothing.clone()));
    assert_eq!(sent(ignore, r#"{"phone":null}"#), (nothing.clone(), nothing.clone()));
    assert_eq!(sent(clear, r#"{"phone":null}"#), (cleared, nothing.clone()));
    assert_eq!(sent(clear, "{}"), (nothing.clone(), nothing));
}

#[test]
fn an_owner_whom_the_table_does_not_know_is_left_alone_and_one_that_it_knows_goes_over() {
    // 19.
    let rule = "source = \"rep\"\ntarget = \"OwnerId\"\nblank = \"ignore\"\n\
        transforms = [{ table = { entries = { ada = \"005000000000002\" }, otherwise = \"blank\" } }]";
    let base = record(&json!({"OwnerId":"005000000000001AAA"}));
    let most_recent = policy(&json!({"default":"most_recent"}));
    let resolved = |source: &str, remote: &str| {
        let (source, remote) = (State::new(mapped(rule, source)), State::new(record(&json!({"OwnerId":remote}))));
        let resolution = resolve(Some(&base), &source, &remote, &most_recent);
        (resolution.to_salesforce, resolution.to_source)
    };
    let ours = record(&json!({"OwnerId":"005000000000002"}));
    assert_eq!(resolved(r#"{"rep":"ada"}"#, "005000000000001"), (ours, Record::new()));
    assert_eq!(resolved(r#"{"rep":"Ada L."}"#, "005000000000001"), (Record::new(), Record::new()));
    let theirs = record(&json!({"OwnerId":"005000000000003"}));
    assert_eq!(resolved(r#"{"rep":"Ada L."}"#, "005000000000003"), (Record::new(), theirs), "two-way");
}

#[test]
fn a_deferred_conflict_can_be_kept_apart_or_left_to_the_younger_value() {
    // 25: the same conflict, deferred, then each way out of it.
    let (base, source, remote) = (record(&json!({"F":1})), state(&json!({"F":2}), EARLY), state(&json!({"F":3}), LATE));
    let ask = policy(&json!({"default":"ask"}));
    let deferred = resolve(Some(&base), &source, &remote, &ask);
    assert_eq!((deferred.questions.len(), deferred.to_salesforce.len(), deferred.to_source.len()), (1, 0, 0));
    let question = &deferred.questions[0];
    let kept = resolve_answered(Some(&base), &source, &remote, &ask, &[question.clone().answered(Answer::KeepApart)]);
    assert!(kept.is_settled() && kept.decisions[0].winner == Winner::None);
    let recent = resolve(Some(&base), &source, &remote, &policy(&json!({"default":"most_recent"})));
    assert_eq!((recent.to_salesforce, recent.to_source), (Record::new(), record(&json!({"F":3}))));
}

#[tokio::test]
async fn a_write_on_the_stamp_that_was_resolved_is_refused_once_somebody_else_wrote() {
    // 26.
    let org = MockOrg::start();
    let id: RecordId = org.insert("Contact", json!({"LastName":"Lovelace","Phone":"1"})).parse().expect("an id");
    let (contacts, field) = (SObjectName::from_static("Contact"), |name| FieldName::new(name).expect("a name"));
    let fields = [field("Phone"), field("LastModifiedDate")];
    let seen = client(&org).records(contacts.clone()).get(id, &fields).await.expect("there");
    let stamp: Timestamp = seen.text("LastModifiedDate").expect("a stamp").parse().expect("a stamp");
    let remote = State::new(record(&json!({"Phone": seen.text("Phone")}))).changed_at(stamp);
    let source_wins = policy(&json!({"default":"source_wins"}));
    let resolution = resolve(None, &state(&json!({"Phone":"2"}), EARLY), &remote, &source_wins);
    assert_eq!(resolution.remote_changed_at, Some(stamp));

    let write_if_unchanged_since = async |stamp: Timestamp| {
        let moment = chrono::DateTime::from_timestamp_millis(stamp.unix_millis()).expect("a moment");
        let text = moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let header = (HeaderName::from_static("if-unmodified-since"), HeaderValue::from_str(&text).expect("ASCII"));
        let options = CallOptions::new().header(header.0, header.1).expect("not ours");
        client(&org).with_options(&options).records(contacts.clone()).update(id, &resolution.to_salesforce).await
    };
    // The state that was resolved is an hour older than the record.
    let older = Timestamp::from_unix_millis(stamp.unix_millis() - 3_600_000).expect("a year");
    let refused = write_if_unchanged_since(older).await.expect_err("somebody wrote meanwhile");
    assert_eq!((refused.kind(), refused.effect()), (ErrorKind::Conflict, Effect::None));
    assert_eq!(org.record(id.as_str()).expect("there")["Phone"], "1");
    write_if_unchanged_since(stamp).await.expect("nobody did");
    assert_eq!(org.record(id.as_str()).expect("there")["Phone"], "2");
}

#[test]
fn the_guide_names_the_test_of_each_policy_and_the_tests_are_there() {
    let root = env!("CARGO_MANIFEST_DIR");
    let guide = std::fs::read_to_string(format!("{root}/docs/guides/conflicts.md")).expect("there");
    let (_, table) = guide.split_once("| # | Policy seen |").expect("the table");
    let (policies, elsewhere) = table.split_once("| # | Shown by |").expect("the other table");
    let numbers = |table: &str| -> Vec<u32> {
        let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
        rows.filter_map(|(number, _)| number.parse().ok()).collect()
    };
    assert_eq!(numbers(policies), (1..=28).collect::<Vec<_>>());
    assert_eq!(numbers(elsewhere), [6, 13, 15, 19, 22, 25, 26]);
    let sources = ["tests/it/conflicts.rs", "tests/it/client.rs", "tests/it/matching.rs", "src/sync/plan.rs"]
        .map(|path| std::fs::read_to_string(format!("{root}/{path}")).expect(path))
        .concat();
    for name in elsewhere.split('`').skip(1).step_by(2) {
        assert!(sources.contains(&format!("fn {name}(")), "{name}");
    }
}

#[test]
fn the_policy_file_of_the_guide_is_read_and_chooses() {
    let guide =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides/conflicts.md")).expect("there");
    let (_, rest) = guide.split_once("```toml\n").expect("a file");
    let (file, _) = rest.split_once("```").expect("its end");
    let policies: ConflictPolicies = toml::from_str(file).expect("reads");
    policies.check().expect("sound");
    let contact = SObjectName::from_static("Contact");
    assert_eq!(policies.of(&contact, &Record::new()).of("visit_count__c").name(), "sum");
    assert_eq!(policies.of(&contact, &record(&json!({"In_Sequence__c": true}))).of("Phone").name(), "salesforce_wins");
    let newer = file.replace("version = 1", "version = 2");
    let error = toml::from_str::<ConflictPolicies>(&newer).expect_err("newer").to_string();
    assert!(error.contains("reads version 1"), "{error}");
}

/// The lines that the example prints for these lines.
fn explained(input: &[u8]) -> Vec<Json> {
    let mut child = example("explain_conflict")
        .args(["--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let (mut stdin, input) = (child.stdin.take().expect("piped"), input.to_owned());
    // Both pipes are shorter than what goes through them.
    let writer = std::thread::spawn(move || stdin.write_all(&input).expect("reads all"));
    let output = child.wait_with_output().expect("ends");
    writer.join().expect("written");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn explain_conflict_gives_a_line_for_each_line_and_numbers_stay_numbers() {
    let lines = explained(
        br#"{"policy":{"default":"sum"},"base":{"N":0.1},"source":{"values":{"N":0.30},"changed_at":"2026-05-01T07:25:37Z"},"remote":{"values":{"N":123456789012345.6},"changed_at":null}}

{"policy":{"default":"source_wins"},"base":null,"source":{"values":{"F":null,"G":"x"}},"remote":{"values":{"F":"y"}}}
not json
{"policy":{"default":"custom"},"source":{"values":{}},"remote":{"values":{}}}
{"policy":{"default":"ask"},"base":null,"source":{"values":{"F":"\ud800"}},"remote":{"values":{}}}
{"policy":{"default":"ask"},"base":{},"source":{"values":{"F":1}},"remote":{"deleted":true},"integration_user":"005"}
"#,
    );
    assert_eq!(lines.len(), 7);
    let first = lines[0].to_string();
    assert!(first.contains(r#""N":123456789012345.8"#), "{first}");
    let errors: Vec<bool> = lines.iter().map(|line| line.get("error").is_some()).collect();
    assert_eq!(errors, [false, true, false, true, false, true, true]);
    assert_eq!(lines[4], json!({"to_salesforce": {}, "to_source": {}, "decisions": []}));
    assert!(lines[5]["error"].as_str().is_some_and(|error| error.contains("unpaired surrogate")), "{}", lines[5]);
    assert_eq!(lines[2]["to_salesforce"], json!({"F": null, "G": "x"}));
    assert_eq!(lines[2]["to_source"], json!({}));
    let decision = &lines[2]["decisions"][0];
    assert_eq!(
        (&decision["field"], &decision["winner"], &decision["rule"]),
        (&json!("F"), &json!("source"), &json!("source_wins"))
    );
    assert!(decision["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    assert_eq!(decision["lost"], json!({"salesforce": "y"}));
}

/// A case of these parts: policy, base, and members beside the values of the source.
fn case(policy: &str, base: &str, source: &str) -> String {
    format!(
        r#"{{"policy":{policy},"base":{base},"source":{{"values":{{"F":2}}{source}}},"remote":{{"values":{{"F":3}},"changed_at":"2026-05-01T08:00:00Z"}}}}"#
    )
}

#[test]
fn explain_conflict_gives_an_error_for_each_kind_of_bad_line_and_goes_on() {
    let ask = r#"{"default":"ask"}"#;
    let long = format!(r#"{{"policy":"{}"}}"#, "x".repeat(32 << 20));
    let bad: Vec<(Vec<u8>, &str)> = vec![
        (b"{\"policy\":\"\xff\"}".to_vec(), "not UTF-8"),
        (long.into_bytes(), "longer than 32 MiB"),
        (case(ask, "null", r#","values":{"F":4}"#).into(), "\"values\" occurs twice"),
        (case(ask, "null", "").replacen('{', r#"{"base":{},"#, 1).into(), "\"base\" occurs twice"),
        (case(ask, "null", r#","changed_on":"2026-05-01T08:00:00Z""#).into(), "unknown field `changed_on`"),
        (case(r#"{"default":{"name":"most_recent","skew":1}}"#, "null", "").into(), "unknown field `skew`"),
        (case(r#"["most_recent",null,null,null]"#, "null", "").into(), "policies: an object"),
        (case(r#"{"default":["most_recent"]}"#, "null", "").into(), "a policy's name, or an object"),
        (case(ask, r#"[["F",1]]"#, "").into(), "a record"),
        (case(ask, r#"{"F":1,"f":1}"#, "").into(), "\"f\" occurs twice"),
        (case(ask, "null", r#","field_changed_at":{"F":null,"f":null}"#).into(), "\"f\" occurs twice"),
        (case(ask, "null", "").replace(r#"{"values":{"F":2}}"#, r#"[{"F":2}]"#).into(), "a side: an object"),
        (case(ask, "null", "").replace(r#"{"F":2}"#, r#"{"F":2,"f":3}"#).into(), "\"f\" occurs twice"),
        (case(ask, "null", r#","changed_at":"10000-01-01T00:00:00Z""#).into(), "the year is outside 0 to 9999"),
        (case(ask, "null", r#","changed_at":"-0001-01-01T00:00:00Z""#).into(), "the year is outside 0 to 9999"),
        (case(ask, "null", r#","changed_at":253402300800000"#).into(), "the year is outside 0 to 9999"),
        (case(ask, "null", r#","changed_at":"2026-05-01""#).into(), "not a date and time"),
        (
            case(ask, "null", r#"},"answers":[[{"field":"F","rule":"ask"},"source"]],"x":{"#).into(),
            "an answer: an object",
        ),
        (br#"[{"default":"ask"},null,{"values":{}},{"values":{}}]"#.to_vec(), "not a JSON object"),
    ];
    let good = case(ask, "null", "");
    let mut input = Vec::new();
    for (line, _) in &bad {
        for line in [line.as_slice(), good.as_bytes()] {
            input.extend_from_slice(line);
            input.push(b'\n');
        }
    }
    let lines = explained(&input);
    assert_eq!(lines.len(), 2 * bad.len());
    for (answers, (number, (_, says))) in lines.chunks(2).zip(bad.iter().enumerate()) {
        let error = answers[0]["error"].as_str().unwrap_or_default();
        assert!(error.starts_with(&format!("line {}: ", 2 * number + 1)) && error.contains(says), "{says}: {error}");
        assert_eq!(
            answers[1]["questions"].as_array().map(Vec::len),
            Some(1),
            "the next line is answered: {}",
            answers[1]
        );
    }
}

#[test]
fn explain_conflict_takes_texts_and_moments_at_their_limits() {
    // Forty text areas of 32,000 characters on each of three sides.
    let long = |mark: &str| {
        let fields = (0..40).map(|number| (format!("Text_{number}__c"), json!(mark.repeat(32_000)))).collect();
        Json::Object(fields)
    };
    let wide = json!({"policy":{"default":"source_wins"},"base":long("a"),"source":{"values":long("b")},"remote":{"values":long("c")}});
    let year_0 = case(r#"{"default":"most_recent"}"#, "null", r#","changed_at":"0000-01-01T00:00:00Z""#);
    let nul = case(r#"{"default":"source_wins"}"#, "null", "").replace(r#"{"F":2}"#, "{\"F\":\"a\\u0000b\"}");
    let days = case(r#"{"default":"max"}"#, "null", "")
        .replace(r#"{"F":2}"#, r#"{"F":"0000-01-01","G":"10000-01-01"}"#)
        .replace(r#"{"F":3}"#, r#"{"F":"9999-12-31","G":"9999-12-31"}"#);
    let lines = explained(format!("{wide}\n{year_0}\n{nul}\n{days}\n").as_bytes());
    assert_eq!(lines[0]["to_salesforce"], long("b"));
    assert_eq!(lines[1]["to_source"], json!({"F":3}), "year 0 is older");
    assert_eq!(lines[2]["to_salesforce"], json!({"F":"a\0b"}));
    assert_eq!(lines[3]["to_source"], json!({"F":"9999-12-31"}));
    assert_eq!(lines[3]["questions"][0]["field"], "G", "a day of year 10000 is a text, which has no order");
}

#[test]
fn explain_conflict_can_be_repeated_with_the_base_before() {
    let sum = |source: &str, remote: &str| {
        case(r#"{"default":"sum"}"#, r#"{"F":2.5}"#, "").replace(r#"{"F":2}"#, source).replace(r#"{"F":3}"#, remote)
    };
    let lines =
        explained(format!("{}\n{}\n", sum(r#"{"F":2.5}"#, r#"{"F":1}"#), sum(r#"{"F":1}"#, r#"{"F":1}"#)).as_bytes());
    assert_eq!((&lines[0]["to_salesforce"], &lines[0]["to_source"]), (&json!({}), &json!({"F":1})));
    assert_eq!((&lines[1]["to_salesforce"], &lines[1]["to_source"]), (&json!({}), &json!({})));
}

#[test]
fn policies_of_objects_name_their_mistakes_and_know_who_writes() {
    let read = |text: Json| serde_json::from_value::<ConflictPolicies>(text).map_err(|error| error.to_string());
    for (bad, says) in [
        (json!({"version":1,"defaults":{}}), "unknown field `defaults`"),
        (json!({"version":1,"scopes":[{"object":"Lead","policies":{}}]}), "unknown field `policies`"),
        (json!({"version":1,"scopes":[{"object":"Lead"}]}), "missing field `policy`"),
        (json!({"version":1,"scopes":[{"object":"No name","policy":{}}]}), "not the API name"),
        (json!({"version":1,"scopes":[{"records":{"field":"A","es":1},"policy":{}}]}), "es"),
        (json!({"version":1,"scopes":[{"records":{"is":1},"policy":{}}]}), "field"),
        (json!({"version":1,"scopes":[{"policy":{"default":"newest"}}]}), "no policy is named \"newest\""),
        (json!({"version":1,"scopes":[["Lead",null,{}]]}), "a scope: an object"),
        (json!([1,{"default":"ask"},[]]), "an object"),
        (json!({"default":{"default":"ask"}}), "missing field `version`"),
        (json!({"version":2}), "reads version 1"),
    ] {
        let error = read(bad.clone()).expect_err(&bad.to_string());
        assert!(error.contains(says), "{bad}: {error}");
    }

    let (lead, contact) = (SObjectName::from_static("Lead"), SObjectName::from_static("Contact"));
    let us = RecordId::new("005000000000001").expect("an id");
    let filter = serde_json::from_value(json!({"field":"Vip__c","is":true})).expect("a filter");
    let policies = ConflictPolicies::new(policy(&json!({"default":"salesforce_wins"})))
        .with_scope(Some(lead.clone()), Some(filter), policy(&json!({"default":"ask"})))
        .with_scope(Some(lead.clone()), None, policy(&json!({"default":"source_wins"})))
        .with_integration_user(us);
    let named = |object, values: Json| policies.of(object, &record(&values)).of("F").name();
    assert_eq!(named(&lead, json!({"Vip__c":true})), "ask", "the first that fits");
    assert_eq!((named(&lead, json!({})), named(&contact, json!({"Vip__c":true}))), ("source_wins", "salesforce_wins"));
    let (base, echo) = (record(&json!({"F":1})), State::new(record(&json!({"F":2}))).changed_by(us));
    for (object, values) in [(&lead, json!({"Vip__c":true})), (&lead, json!({})), (&contact, json!({}))] {
        let resolution = resolve(Some(&base), &State::new(base.clone()), &echo, policies.of(object, &record(&values)));
        assert!(resolution.is_settled(), "in all policies: {resolution:?}");
    }

    assert!(policies.check().is_ok());
    let lacking = policies.with_scope(
        Some(contact),
        None,
        policy(&json!({"default":{"name":"value_beats_blank","then":"custom"}})),
    );
    let error = lacking.check().expect_err("custom without a function in a scope");
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn explain_conflict_replays_an_answer() {
    let case = |answers: Json| {
        json!({
            "policy": {"default": "ask"}, "base": {"F": 1}, "source": {"values": {"F": 2}}, "remote": {"values": {"F": 3}},
            "answers": answers,
        })
    };
    let asked = explained(format!("{}\n", case(json!([]))).as_bytes());
    let question = &asked[0]["questions"][0];
    assert_eq!((&question["source"], &question["remote"]), (&json!(2), &json!(3)));
    let answer = json!([{"question": question, "answer": {"value": 7}}]);
    let answered = explained(format!("{}\n", case(answer)).as_bytes());
    assert_eq!((&answered[0]["to_salesforce"], &answered[0]["to_source"]), (&json!({"F": 7}), &json!({"F": 7})));
    assert_eq!(answered[0].get("questions"), None);
}

#[test]
fn explain_conflict_shows_its_sample_and_how_it_is_used() {
    let output = example("explain_conflict").output().expect("runs");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(lines.len(), 7);
    assert_eq!(lines.iter().filter(|line| line.get("error").is_some()).count(), 1, "the last line shows a mistake");
    let help = example("explain_conflict").arg("--help").output().expect("runs");
    let help = String::from_utf8(help.stdout).expect("text");
    for name in sforce::conflict::Policy::NAMES {
        assert!(help.contains(name), "{name}");
    }
    let missing = example("explain_conflict").args(["--input", "/nowhere.jsonl"]).output().expect("runs");
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(example("explain_conflict").arg("--nonsense").output().expect("runs").status.code(), Some(2));
}
