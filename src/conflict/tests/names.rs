//! The case of field names does not count, wherever they stand.

use super::*;
use crate::types::RecordId;

const EARLY: &str = "2026-05-01T07:25:37Z";
const LATE: &str = "2026-05-01T08:00:00Z";

#[test]
fn one_field_in_two_spellings_is_one_and_each_side_is_written_in_its_own() {
    let base = record(r#"{"PHONE":"1","TITLE":"CEO","GONE__C":1}"#);
    let (source, remote) =
        (state(r#"{"Phone":"2","Title":"CTO"}"#, EARLY), state(r#"{"title":"CEO","phone":"3"}"#, LATE));
    let resolution = resolve(Some(&base), &source, &remote, &policy("\"most_recent\""));
    assert_eq!(resolution.to_source, record(r#"{"Phone":"3"}"#));
    assert_eq!(resolution.to_salesforce, record(r#"{"title":"CTO"}"#));
    let fields: Vec<&str> = resolution.decisions.iter().map(|decision| &*decision.field).collect();
    assert_eq!(fields, ["Phone", "Title", "GONE__C"]);
}

#[test]
fn what_is_said_of_a_field_is_found_in_any_case() {
    let base = record(r#"{"F":1}"#);
    let us = RecordId::new("005dM00000aYf0q").expect("an id");
    let side = |text: &str| serde_json::from_str::<State>(text).expect(text);
    let winner = |source: &str, remote: &str, policy: &ConflictPolicy| {
        resolve(Some(&base), &side(source), &side(remote), policy).decisions[0].winner
    };
    let plain = r#"{"values":{"F":2},"changed_at":"2026-05-01T07:25:37Z"}"#;
    let late = r#"{"values":{"F":3},"changed_at":"2026-05-01T08:00:00Z"}"#;
    assert_eq!(winner(plain, late, &policy("\"most_recent\"")), Winner::Salesforce);
    let of_field = r#"{"values":{"F":2},"field_changed_at":{"f":"2026-05-01T09:00:00Z"}}"#;
    assert_eq!(winner(of_field, late, &policy("\"most_recent\"")), Winner::Source);
    let by_us = r#"{"values":{"F":3},"field_changed_by":{"f":"005dM00000aYf0q"}}"#;
    assert_eq!(winner(plain, by_us, &policy("\"salesforce_wins\"").with_integration_user(us)), Winner::Source);
    let ranked = policy(r#"{"name":"source_ranking","ranking":["user","salesforce","source"]}"#);
    assert_eq!(winner(plain, late, &ranked), Winner::Salesforce);
    assert_eq!(winner(r#"{"values":{"F":2},"field_origins":{"f":"user"}}"#, late, &ranked), Winner::Source);
    let named = policy(r#"{"name":"most_recent","stamp_field":"at__c"}"#);
    let stamped = r#"{"values":{"F":2,"At__c":"2026-05-01T09:00:00Z"}}"#;
    assert_eq!(winner(stamped, late, &named), Winner::Source);
}

#[test]
fn a_name_that_stands_twice_in_two_cases_is_refused_and_never_written_twice() {
    let error = serde_json::from_str::<State>(r#"{"values":{"F":1,"G":2,"f":2}}"#).expect_err("twice").to_string();
    assert!(error.contains("\"f\" occurs twice"), "{error}");
    let (doubled, other) = (state(r#"{"F":1,"f":2,"G":1,"g":2}"#, EARLY), state(r#"{"G":3}"#, EARLY));
    for (source, remote) in [(&doubled, &other), (&other, &doubled)] {
        for base in [None, Some(&doubled.values)] {
            let resolution = resolve(base, source, remote, &policy("\"source_wins\""));
            let mut fields: Vec<_> = resolution.decisions.iter().map(|decision| &*decision.field).collect();
            fields.sort_unstable();
            assert_eq!(fields, ["F", "G"]);
            assert!(resolution.to_salesforce.len() + resolution.to_source.len() <= 2, "{resolution:?}");
        }
    }
}

#[test]
fn an_answer_and_an_overlay_find_their_field_in_any_case() {
    let base = record(r#"{"F":1}"#);
    let ask = policy("\"ask\"");
    let question =
        resolve(Some(&base), &state(r#"{"F":2}"#, EARLY), &state(r#"{"F":3}"#, LATE), &ask).questions.remove(0);
    let answers = [question.answered(Answer::Source)];
    let again = resolve_answered(Some(&base), &state(r#"{"f":2}"#, EARLY), &state(r#"{"F":3}"#, LATE), &ask, &answers);
    assert_eq!(again.to_salesforce, record(r#"{"F":2}"#));
    let seen = Overlay::new(record(r#"{"probability":75}"#)).over(&record(r#"{"Probability":40}"#));
    assert_eq!(seen, record(r#"{"Probability":75}"#));
}
