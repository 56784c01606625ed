//! Conflict policies as users write them: each policy seen in the wild, and the example `explain_conflict`.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value as Json, json};
use sforce::conflict::{
    Answer, ConflictPolicies, ConflictPolicy, Fate, Overlay, Resolution, State, resolve, resolve_answered,
};
use sforce::types::{Record, SObjectName};

use crate::engagement::example;

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
        (6, json!({"default":"most_recent"}), json!(null), json!({"F":2}), json!({"F":3}), none(), json!({"F":3})),
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
            13,
            json!({"default":"source_wins"}),
            json!({"F":1,"G":1}),
            json!({"G":null}),
            json!({"F":1,"G":1}),
            json!({"G":null}),
            none(),
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
            19,
            json!({"default":"most_recent"}),
            json!({"OwnerId":"005000000000001"}),
            none(),
            json!({"OwnerId":"005000000000001"}),
            none(),
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
        (22, json!({"default":"ask"}), json!(null), json!({"F":2}), json!({"F":3}), none(), none()),
        (25, json!({"default":"ask"}), json!({"F":1}), json!({"F":2}), json!({"F":3}), none(), none()),
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

    // 15: a mirror deletes.
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

    // 26: what the condition of the write names.
    let resolution = resolve(Some(&base), &source, &remote, &policy(&json!({"default":"source_wins"})));
    assert_eq!(resolution.remote_changed_at, Some(LATE.parse().expect("a stamp")));
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
    child.stdin.take().expect("piped").write_all(input).expect("reads all");
    let output = child.wait_with_output().expect("ends");
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
