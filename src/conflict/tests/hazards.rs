//! What is known to go wrong when two systems are kept in step.

use super::*;
use crate::types::{Direction, RecordId, Value};

const EARLY: &str = "2026-05-01T07:25:37Z";
const LATE: &str = "2026-05-01T08:00:00Z";

fn most_recent() -> ConflictPolicy {
    policy("\"most_recent\"")
}

#[test]
fn equal_stamps_are_decided_by_the_tie_break_alone() {
    let base = record(r#"{"Phone":"1"}"#);
    let (source, remote) =
        (state(r#"{"Phone":"2"}"#, "2026-05-01T07:25:37.000+0000"), state(r#"{"Phone":"3"}"#, EARLY));
    let salesforce = resolve(Some(&base), &source, &remote, &most_recent());
    assert_eq!((salesforce.to_source.text("Phone"), salesforce.to_salesforce.len()), (Some("3"), 0));
    let source_wins = policy(r#"{"name":"most_recent","tie":"source"}"#);
    assert_eq!(resolve(Some(&base), &source, &remote, &source_wins).to_salesforce.text("Phone"), Some("2"));
}

#[test]
fn stamps_within_the_skew_tie_inclusively() {
    let base = record(r#"{"Phone":"1"}"#);
    let remote = state(r#"{"Phone":"3"}"#, "2026-05-01T07:25:37.000Z");
    let winner = |policy: &str, stamp: &str| {
        let resolution = resolve(Some(&base), &state(r#"{"Phone":"2"}"#, stamp), &remote, &self::policy(policy));
        resolution.decisions[0].winner
    };
    let skewed = r#"{"name":"most_recent","skew_seconds":2}"#;
    assert_eq!(winner(skewed, "2026-05-01T07:25:39.000Z"), Winner::Salesforce);
    assert_eq!(winner(skewed, "2026-05-01T07:25:39.001Z"), Winner::Source);
    assert_eq!(winner("\"most_recent\"", "2026-05-01T07:25:37.001Z"), Winner::Source);
}

#[test]
fn our_own_write_that_bumps_the_stamp_is_no_edit() {
    let us = RecordId::new("005dM00000aYf0q").expect("an id");
    let base = record(r#"{"Phone":"1","Title":"CEO"}"#);
    let remote = state(r#"{"Phone":"2","Title":"CEO"}"#, LATE);
    let echo = remote.clone().changed_by(RecordId::new("005dM00000aYf0qQAC").expect("the same in 18 characters"));
    let policy = most_recent().with_integration_user(us);

    let unchanged = state(r#"{"Phone":"1","Title":"CEO"}"#, EARLY);
    assert!(resolve(Some(&base), &unchanged, &echo, &policy).is_settled(), "an echo goes nowhere");
    let edited = state(r#"{"Phone":"3","Title":"CEO"}"#, EARLY);
    let resolution = resolve(Some(&base), &edited, &echo, &policy);
    assert_eq!(resolution.to_salesforce, record(r#"{"Phone":"3"}"#), "though the echo's stamp is later");

    let person = remote.changed_by(RecordId::new("005000000000001").expect("an id"));
    assert_eq!(resolve(Some(&base), &edited, &person, &policy).to_source, record(r#"{"Phone":"2"}"#));
}

#[test]
fn a_persons_edit_beside_our_write_still_counts() {
    let us = RecordId::new("005dM00000aYf0q").expect("an id");
    let base = record(r#"{"Phone":"1","Title":"CEO"}"#);
    let mut remote = state(r#"{"Phone":"2","Title":"CTO"}"#, LATE);
    remote.field_changed_by.set("Phone", us);
    let source = state(r#"{"Phone":"1","Title":"CEO"}"#, EARLY);
    let resolution = resolve(Some(&base), &source, &remote, &most_recent().with_integration_user(us));
    assert_eq!(resolution.to_source, record(r#"{"Title":"CTO"}"#));
}

#[test]
fn a_formulas_change_that_bumps_no_stamp_still_arrives() {
    let base = record(r#"{"Health__c":"red","Phone":"1"}"#);
    let (source, remote) =
        (state(r#"{"Health__c":"red","Phone":"2"}"#, LATE), state(r#"{"Health__c":"green","Phone":"1"}"#, EARLY));
    let policy = most_recent().with_direction("Health__c", Direction::FromSalesforce);
    let resolution = resolve(Some(&base), &source, &remote, &policy);
    assert_eq!(resolution.to_source, record(r#"{"Health__c":"green"}"#));
    assert_eq!(resolution.to_salesforce, record(r#"{"Phone":"2"}"#));
}

#[test]
fn audit_fields_that_an_administrator_set_decide_nothing_where_another_stamp_is_named() {
    let base = record(r#"{"Phone":"1"}"#);
    let remote = state(r#"{"Phone":"2","SystemModstamp":"2026-05-01T07:00:00.000+0000"}"#, "2030-01-01T00:00:00Z");
    let source = state(r#"{"Phone":"3","SystemModstamp":"2026-05-01T07:30:00Z"}"#, EARLY);
    let named =
        policy(r#"{"name":"most_recent","stamp_field":"SystemModstamp"}"#).with_field("SystemModstamp", Policy::Never);
    assert_eq!(resolve(Some(&base), &source, &remote, &named).to_salesforce.text("Phone"), Some("3"));
    assert_eq!(resolve(Some(&base), &source, &remote, &most_recent()).to_source.text("Phone"), Some("2"));
}

#[test]
fn stamps_compare_as_instants_over_the_end_of_summer_time() {
    // In Berlin half past two comes twice that night: the one with +02:00 first.
    let base = record(r#"{"Phone":"1"}"#);
    let first = state(r#"{"Phone":"2"}"#, "2026-10-25T02:30:00+02:00");
    let second = state(r#"{"Phone":"3"}"#, "2026-10-25T02:10:00+01:00");
    assert_eq!(resolve(Some(&base), &first, &second, &most_recent()).to_source.text("Phone"), Some("3"));
    assert_eq!(resolve(Some(&base), &second, &first, &most_recent()).to_salesforce.text("Phone"), Some("3"));
}

#[test]
fn stamps_compare_as_instants_over_the_start_of_summer_time() {
    // In Berlin the clock goes from two to three that night. A program that kept the winter's offset writes half past two for an
    // instant that comes after ten past three.
    let base = record(r#"{"Phone":"1"}"#);
    let summer = state(r#"{"Phone":"2"}"#, "2026-03-29T03:10:00+02:00");
    let winter = state(r#"{"Phone":"3"}"#, "2026-03-29T02:30:00+01:00");
    assert_eq!(resolve(Some(&base), &summer, &winter, &most_recent()).to_source.text("Phone"), Some("3"));
    assert_eq!(resolve(Some(&base), &winter, &summer, &most_recent()).to_salesforce.text("Phone"), Some("3"));
    // The clocks show an hour and twenty minutes between these two, and twenty minutes have passed.
    let before = state(r#"{"Phone":"3"}"#, "2026-03-29T01:50:00+01:00");
    let skewed = |seconds: u32| policy(&format!(r#"{{"name":"most_recent","skew_seconds":{seconds}}}"#));
    assert_eq!(resolve(Some(&base), &summer, &before, &skewed(1199)).to_salesforce.text("Phone"), Some("2"));
    assert_eq!(resolve(Some(&base), &summer, &before, &skewed(1200)).to_source.text("Phone"), Some("3"));
}

/// When the second loop of a round looks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Look {
    /// When the first one looked: both decide by the same.
    AtOnce,
    /// After the first one's write has landed, which no base knows yet.
    Between,
}

/// A source and an org that two loops keep in step, each with a snapshot of its own.
struct Pair {
    base: Option<Record>,
    source: State,
    remote: State,
    writes: usize,
}

impl Pair {
    fn round(&mut self, policy: &ConflictPolicy, push_first: bool, look: Look, minute: i64) {
        let mut seen = (self.source.clone(), self.remote.clone());
        for push in [push_first, !push_first] {
            let resolution = resolve(self.base.as_ref(), &seen.0, &seen.1, policy);
            let (side, writes) = if push {
                (&mut self.remote, &resolution.to_salesforce)
            } else {
                (&mut self.source, &resolution.to_source)
            };
            side.values = apply(&side.values, writes);
            if !writes.is_empty() {
                // A write bumps the stamp of the side that it reaches, which must not make it the younger edit.
                side.changed_at =
                    Timestamp::from_unix_millis(at("2026-05-01T09:00:00Z").unix_millis() + minute * 60_000);
            }
            self.writes += writes.len();
            if look == Look::Between {
                seen = (self.source.clone(), self.remote.clone());
            }
        }
        // What the sides do not agree on is in no base.
        if self.source.values == self.remote.values {
            self.base = Some(self.source.values.clone());
        }
    }
}

#[test]
fn both_loops_with_snapshots_of_their_own_agree_within_two_rounds_under_every_policy() {
    let edited =
        |text: &str, number: u32, stamp: &str| state(&format!(r#"{{"Stage":{text},"Visits":{number}}}"#), stamp);
    let values = Policy::NAMES.into_iter().map(|name| match name {
        "source_ranking" => r#"{"name":"source_ranking","ranking":["source","salesforce"]}"#.to_owned(),
        name => format!("\"{name}\""),
    });
    for text in values {
        for (push_first, look, source_at, remote_at, with_base) in [
            (true, Look::AtOnce, EARLY, LATE, true),
            (false, Look::AtOnce, LATE, EARLY, true),
            (true, Look::Between, EARLY, LATE, true),
            (true, Look::Between, LATE, EARLY, true),
            (false, Look::Between, EARLY, LATE, true),
            (false, Look::Between, LATE, EARLY, true),
            (true, Look::Between, EARLY, LATE, false),
            (false, Look::Between, LATE, EARLY, false),
        ] {
            let all = policy(&text);
            // A sum is one result for both sides: who decides anew between its two writes adds the first one again.
            if look == Look::Between && all.of("Visits") == &Policy::Sum {
                continue;
            }
            // Texts have no maximum and no sum.
            let all = match all.of("Stage") {
                Policy::Max | Policy::Min | Policy::Sum => all.with_field("Stage", Policy::SourceWins),
                Policy::AppendUnique => all.with_field("Visits", Policy::Max),
                _ => all,
            };
            let mut pair = Pair {
                base: with_base.then(|| record(r#"{"Stage":"a","Visits":1}"#)),
                source: edited("\"b\"", 2, source_at),
                remote: edited("\"c\"", 3, remote_at),
                writes: 0,
            };
            for minute in 0..2 {
                pair.round(&all, push_first, look, minute);
            }
            let (writes, after) = (pair.writes, (pair.source.values.clone(), pair.remote.values.clone()));
            for minute in 2..6 {
                pair.round(&all, push_first, look, minute);
            }
            let context =
                format!("{text} push first {push_first} {look:?} {source_at} {remote_at} {with_base}: {after:?}");
            assert_eq!(pair.writes, writes, "{context} and goes on");
            // These leave the sides apart, and write nothing to do so.
            let apart = matches!(all.of("Stage"), Policy::Ask | Policy::Custom | Policy::Never | Policy::FillBlanks);
            assert_eq!(after.0 == after.1, !apart, "{context}");
            assert!(writes <= 4 && (!apart || writes == 0), "{context}: {writes} writes");
        }
    }
}

#[test]
fn a_sum_written_on_one_side_only_is_finished_by_its_result_and_not_by_a_new_decision() {
    let base = record(r#"{"N":10}"#);
    let (source, remote) = (state(r#"{"N":13}"#, EARLY), state(r#"{"N":12}"#, LATE));
    let sum = policy("\"sum\"");
    let kept = resolve(Some(&base), &source, &remote, &sum);
    // The process dies between the two writes. What was kept is written again, as often as it takes.
    let half = State::new(apply(&source.values, &kept.to_source));
    let (source, remote) = (apply(&half.values, &kept.to_source), apply(&remote.values, &kept.to_salesforce));
    assert_eq!((&source, &remote), (&record(r#"{"N":15}"#), &record(r#"{"N":15}"#)));
    assert!(resolve(Some(&base), &State::new(source), &State::new(remote), &sum).is_settled());
}

fn with_delete(rule: DeleteRule) -> ConflictPolicy {
    most_recent().with_delete(rule)
}

#[test]
fn a_deletion_that_races_an_edit_is_decided_by_its_own_rule() {
    let base = record(r#"{"Phone":"1","Title":"CEO"}"#);
    let edited = state(r#"{"Phone":"2","Title":"CEO"}"#, LATE);
    let fate = |rule| resolve(Some(&base), &edited, &State::deleted(), &with_delete(rule));

    let revived = fate(DeleteRule::EditWins);
    assert_eq!((revived.fate, &revived.to_salesforce), (Fate::RestoreInSalesforce, &edited.values), "the whole record");
    let deleted = fate(DeleteRule::DeleteWins);
    assert_eq!((deleted.fate, deleted.to_salesforce.len()), (Fate::DeleteInSource, 0));
    assert_eq!(deleted.decisions[0].lost_source, Some(Value::Record(edited.values.clone())));
    let asked = fate(DeleteRule::Ask);
    assert_eq!((asked.fate, asked.questions.len(), asked.to_salesforce.len()), (Fate::Keep, 1, 0));
    assert_eq!(fate(DeleteRule::Never).fate, Fate::Apart);

    let other_way = resolve(Some(&base), &State::deleted(), &edited, &with_delete(DeleteRule::EditWins));
    assert_eq!((other_way.fate, &other_way.to_source), (Fate::RestoreInSource, &edited.values));
}

#[test]
fn a_deletion_without_an_edit_goes_over_unless_the_record_is_in_active_use() {
    let base = record(r#"{"Phone":"1"}"#);
    let unedited = state(r#"{"Phone":"1"}"#, EARLY);
    for rule in [DeleteRule::DeleteWins, DeleteRule::EditWins, DeleteRule::Ask] {
        assert_eq!(resolve(Some(&base), &unedited, &State::deleted(), &with_delete(rule)).fate, Fate::DeleteInSource);
        assert_eq!(
            resolve(Some(&base), &State::deleted(), &unedited, &with_delete(rule)).fate,
            Fate::DeleteInSalesforce
        );
    }
    let kept = resolve(Some(&base), &unedited, &State::deleted(), &with_delete(DeleteRule::Never));
    assert!(kept.fate == Fate::Apart && kept.is_settled());
}

#[test]
fn our_own_deletion_is_no_edit_of_the_orgs() {
    let us = RecordId::new("005dM00000aYf0q").expect("an id");
    let base = record(r#"{"Phone":"1"}"#);
    let policy = with_delete(DeleteRule::DeleteWins).with_integration_user(us);
    let gone = State::deleted().changed_by(us);
    assert!(resolve(Some(&base), &state(r#"{"Phone":"1"}"#, EARLY), &gone, &policy).is_settled());
    let again = resolve(Some(&base), &state(r#"{"Phone":"2"}"#, EARLY), &gone, &policy);
    assert_eq!(again.fate, Fate::RestoreInSalesforce);
}

#[test]
fn a_record_deleted_before_it_was_ever_pushed_writes_nothing() {
    let never_there = state("{}", EARLY);
    for rule in [DeleteRule::DeleteWins, DeleteRule::EditWins, DeleteRule::Ask, DeleteRule::Never] {
        let policy = with_delete(rule);
        for (source, remote) in [(State::deleted(), &never_there), (never_there.clone(), &State::deleted())] {
            let resolution = resolve(None, &source, remote, &policy);
            assert_eq!((resolution.fate, resolution.is_settled()), (Fate::Gone, true), "{rule:?}");
            assert_eq!(resolution.decisions[0].reason, Reason::NeverThere);
        }
        // Both sides made one and deleted it.
        assert_eq!(resolve(None, &State::deleted(), &State::deleted(), &policy).fate, Fate::Gone);
    }
}

#[test]
fn a_blank_without_a_base_is_no_edit_against_a_deletion() {
    let ask = with_delete(DeleteRule::Ask);
    let resolution = resolve(None, &state(r#"{"F":null,"G":""}"#, EARLY), &State::deleted(), &ask);
    assert_eq!((resolution.fate, resolution.questions.len()), (Fate::DeleteInSource, 0));
    // With a base that had a value, the blank is an edit.
    let cleared = resolve(Some(&record(r#"{"F":1}"#)), &state(r#"{"F":null}"#, EARLY), &State::deleted(), &ask);
    assert_eq!(cleared.questions.len(), 1);
}

#[test]
fn a_deletion_says_of_each_field_why_it_was_not_written() {
    let base = record(r#"{"Phone":"1","Title":"CEO","Old__c":1}"#);
    let edited = state(r#"{"Phone":"2","Title":"CEO"}"#, LATE);
    let explained = |rule, source: &State, remote: &State| {
        let resolution = resolve(Some(&base), source, remote, &with_delete(rule));
        let decision = resolution.explain("phone").expect("decided").clone();
        assert_eq!(decision.rule, resolution.decisions[0].rule);
        let fields: Vec<String> = resolution.decisions.iter().map(|decision| decision.field.to_string()).collect();
        (decision.winner, decision.reason, decision.lost_source, fields)
    };
    let all = ["*", "Phone", "Title", "Old__c"].map(str::to_owned).to_vec();
    let lost = Some(Value::from("2"));
    assert_eq!(
        explained(DeleteRule::DeleteWins, &edited, &State::deleted()),
        (Winner::Salesforce, Reason::DeletedEdited, lost, all.clone())
    );
    assert_eq!(
        explained(DeleteRule::Ask, &edited, &State::deleted()),
        (Winner::None, Reason::Asked, None, all.clone())
    );
    assert_eq!(
        explained(DeleteRule::Never, &State::deleted(), &edited),
        (Winner::None, Reason::Protected, None, all.clone())
    );
    let unedited = state(r#"{"Phone":"1","Title":"CEO"}"#, LATE);
    assert_eq!(
        explained(DeleteRule::Ask, &State::deleted(), &unedited),
        (Winner::Source, Reason::DeletedUnedited, None, all)
    );
    let (_, _, _, fields) = explained(DeleteRule::Ask, &State::deleted(), &State::deleted());
    assert_eq!(fields, ["*", "Phone", "Title", "Old__c"]);
    let restored = resolve(Some(&base), &edited, &State::deleted(), &with_delete(DeleteRule::EditWins));
    assert_eq!(
        restored.explain("Old__c").map(|decision| (decision.winner, decision.reason)),
        Some((Winner::None, Reason::NotKnown))
    );
}

#[test]
fn a_question_is_answered_once_and_asked_anew_when_a_value_changes() {
    let base = record(r#"{"Phone":"1"}"#);
    let (source, remote) = (state(r#"{"Phone":"2"}"#, EARLY), state(r#"{"Phone":"3"}"#, LATE));
    let ask = policy("\"ask\"");
    let question = resolve(Some(&base), &source, &remote, &ask).questions.remove(0);
    let text = serde_json::to_string(&question).expect("serialises");
    let question: Question = serde_json::from_str(&text).expect("outlives the process");
    let replay = |answer, remote: &State| {
        resolve_answered(Some(&base), &source, remote, &ask, &[question.clone().answered(answer)])
    };
    assert_eq!(replay(Answer::Source, &remote).to_salesforce.text("Phone"), Some("2"));
    assert_eq!(replay(Answer::Salesforce, &remote).to_source.text("Phone"), Some("3"));
    let own = replay(Answer::Value("4".into()), &remote);
    assert_eq!((own.to_salesforce.text("Phone"), own.to_source.text("Phone")), (Some("4"), Some("4")));
    assert!(replay(Answer::KeepApart, &remote).is_settled());
    let moved_on = state(r#"{"Phone":"5"}"#, LATE);
    assert_eq!(replay(Answer::Source, &moved_on).questions.len(), 1);
    // Taken back: the question is there again.
    assert_eq!(resolve_answered(Some(&base), &source, &remote, &ask, &[]).questions.len(), 1);
}

#[test]
fn a_question_about_a_deletion_is_replayed_too() {
    let base = record(r#"{"Phone":"1"}"#);
    let edited = state(r#"{"Phone":"2"}"#, LATE);
    let ask = with_delete(DeleteRule::Ask);
    let question = resolve(Some(&base), &edited, &State::deleted(), &ask).questions.remove(0);
    let fate = |answer| {
        let answers = [question.clone().answered(answer)];
        resolve_answered(Some(&base), &edited, &State::deleted(), &ask, &answers).fate
    };
    assert_eq!(fate(Answer::Salesforce), Fate::DeleteInSource);
    assert_eq!(fate(Answer::Source), Fate::RestoreInSalesforce);
    assert_eq!(fate(Answer::KeepApart), Fate::Apart);
}

#[test]
fn the_change_time_of_a_field_counts_before_the_records() {
    let base = record(r#"{"Phone":"1","Title":"CEO"}"#);
    let mut source = state(r#"{"Phone":"2","Title":"CTO"}"#, LATE);
    source.field_changed_at.set("Phone", at("2026-05-01T06:00:00Z"));
    let remote = state(r#"{"Phone":"3","Title":"CFO"}"#, EARLY);
    let resolution = resolve(Some(&base), &source, &remote, &most_recent());
    assert_eq!(resolution.to_source, record(r#"{"Phone":"3"}"#));
    assert_eq!(resolution.to_salesforce, record(r#"{"Title":"CTO"}"#));
}

#[test]
fn a_ranking_counts_the_origin_of_each_field() {
    let base = record(r#"{"Phone":"1","Title":"CEO"}"#);
    let mut source = state(r#"{"Phone":"2","Title":"CTO"}"#, EARLY);
    source.field_origins.set("Phone", "user".into());
    source.origin = Some("import".into());
    let remote = state(r#"{"Phone":"3","Title":"CFO"}"#, LATE);
    let ranked = policy(r#"{"name":"source_ranking","ranking":["user","salesforce","import"]}"#);
    let resolution = resolve(Some(&base), &source, &remote, &ranked);
    assert_eq!(resolution.to_salesforce, record(r#"{"Phone":"2"}"#), "manual outranks, automation does not");
    assert_eq!(resolution.to_source, record(r#"{"Title":"CFO"}"#));
}

#[test]
fn a_function_of_the_callers_decides_conflicts_only() {
    let base = record(r#"{"A":"1","B":"1"}"#);
    let longest = ConflictPolicy::new(Policy::Custom).with_custom(|conflict| {
        let length = |value: &Value| value.as_text().map_or(0, str::len);
        if length(conflict.source) > length(conflict.remote) {
            CustomVerdict::Source
        } else {
            CustomVerdict::Salesforce
        }
    });
    longest.check().expect("it has a function");
    assert!(policy("\"custom\"").check().is_err());
    let resolution = resolve(
        Some(&base),
        &state(r#"{"A":"long","B":"1"}"#, EARLY),
        &state(r#"{"A":"no","B":"2"}"#, EARLY),
        &longest,
    );
    assert_eq!(resolution.to_salesforce, record(r#"{"A":"long"}"#));
    assert_eq!(resolution.to_source, record(r#"{"B":"2"}"#));
}

#[test]
fn a_function_that_panics_leaves_its_field_to_a_person_and_the_others_alone() {
    let base = record(r#"{"A":1,"B":1}"#);
    let (source, remote) = (state(r#"{"A":2,"B":2}"#, EARLY), state(r#"{"A":3,"B":3}"#, LATE));
    let careless = ConflictPolicy::new(Policy::SourceWins)
        .with_field("A", Policy::Custom)
        .with_custom(|conflict| CustomVerdict::Value(conflict.source.as_text().expect("a text").into()));
    let resolution = resolve(Some(&base), &source, &remote, &careless);
    assert_eq!((resolution.questions.len(), resolution.decisions[0].reason), (1, Reason::CustomFailed));
    assert_eq!(resolution.to_salesforce, record(r#"{"B":2}"#));
}

#[test]
fn smv_35_a_local_override_never_reaches_salesforce() {
    let remote = record(r#"{"Probability":40,"StageName":"Proposal"}"#);
    let seen = Overlay::new(record(r#"{"Probability":75}"#)).over(&remote);
    assert_eq!(seen, record(r#"{"Probability":75,"StageName":"Proposal"}"#));
    let synced = State::new(remote.clone());
    assert!(resolve(Some(&remote), &synced, &State::new(remote.clone()), &policy("\"source_wins\"")).is_settled());
}

#[test]
fn a_sum_that_goes_one_way_does_not_grow_for_ever() {
    let base = record(r#"{"Visits__c":10}"#);
    let policy = policy("\"sum\"").with_direction("Visits__c", Direction::ToSalesforce);
    let (source, remote) = (state(r#"{"Visits__c":12}"#, EARLY), state(r#"{"Visits__c":11}"#, LATE));
    let first = resolve(Some(&base), &source, &remote, &policy);
    assert_eq!(first.to_salesforce, record(r#"{"Visits__c":12}"#), "what Salesforce added never reaches the source");
    let after = State::new(apply(&remote.values, &first.to_salesforce));
    assert!(resolve(Some(&base), &source, &after, &policy).is_settled());
}

#[test]
fn a_misspelt_field_of_a_policy_is_named() {
    let policy = most_recent().with_field("Phnoe", Policy::Max).with_direction("Title", Direction::ToSalesforce);
    assert_eq!(policy.unknown_fields(["phone", "TITLE"]), ["Phnoe"]);
    let stamped = policy_with_stamps();
    assert_eq!(stamped.unknown_fields(["a", "B", "C", "d", "AT__C"]), ["Edited_At", "First_At", "Ranked_At"]);
}

fn policy_with_stamps() -> ConflictPolicy {
    serde_json::from_str(
        r#"{"default":{"name":"most_recent","stamp_field":"At__c"},
            "fields":{"A":{"name":"first_touch","stamp_field":"First_At"},
                      "B":{"name":"source_ranking","ranking":["user"],"stamp_field":"Ranked_At"},
                      "C":{"name":"value_beats_blank","then":{"name":"most_recent","stamp_field":"Edited_At"}},
                      "D":"most_recent"}}"#,
    )
    .expect("reads")
}

#[test]
fn a_restored_record_says_of_each_field_whether_it_comes_back() {
    let edited = state(r#"{"Phone":"2","Notes__c":"ours","Score__c":5}"#, LATE);
    let policy = with_delete(DeleteRule::EditWins)
        .with_field("Notes__c", Policy::Never)
        .with_direction("Score__c", Direction::FromSalesforce);
    let resolution = resolve(Some(&record(r#"{"Phone":"1"}"#)), &edited, &State::deleted(), &policy);
    assert_eq!(resolution.to_salesforce, record(r#"{"Phone":"2"}"#));
    let fields: Vec<_> = resolution.decisions.iter().map(|decision| (&*decision.field, decision.winner)).collect();
    let none = Winner::None;
    assert_eq!(fields, [("*", Winner::Source), ("Phone", Winner::Source), ("Notes__c", none), ("Score__c", none)]);
}

#[test]
fn a_deletion_never_destroys_an_edit_unasked_wherever_the_edit_is() {
    let base = record(r#"{"Notes__c":"a"}"#);
    let policy = with_delete(DeleteRule::Ask).with_field("Notes__c", Policy::Never);
    let edited = state(r#"{"Notes__c":"b"}"#, LATE);
    assert_eq!(resolve(Some(&base), &State::deleted(), &edited, &policy).questions.len(), 1);
}

#[test]
fn a_stamp_that_cannot_be_read_loses_and_is_named() {
    let base = record(r#"{"Phone":"1"}"#);
    let named = policy(r#"{"name":"most_recent","stamp_field":"At"}"#).with_field("At", Policy::Never);
    let reason = |source: &str, remote: &str| {
        let source = state(&format!(r#"{{"Phone":"2","At":{source}}}"#), LATE);
        let remote = state(&format!(r#"{{"Phone":"3","At":{remote}}}"#), EARLY);
        resolve(Some(&base), &source, &remote, &named).decisions[0].reason
    };
    assert_eq!(reason("\"soon\"", "\"2026-05-01\""), Reason::SourceStampUnreadable);
    assert_eq!(reason("1777622400001", "\"2026-05-01T08:00:00Z\""), Reason::SourceYounger, "milliseconds since 1970");
    assert_eq!(reason("null", "true"), Reason::NoStamps);
}

#[test]
fn stamps_compare_to_the_last_digit() {
    let base = record(r#"{"Phone":"1"}"#);
    let source = state(r#"{"Phone":"2"}"#, "2026-05-01T07:25:37.000500Z");
    let remote = state(r#"{"Phone":"3"}"#, "2026-05-01T07:25:37.000000Z");
    assert_eq!(resolve(Some(&base), &source, &remote, &most_recent()).to_salesforce.text("Phone"), Some("2"));
}

#[test]
fn a_sum_with_too_many_digits_is_asked_and_not_dropped() {
    let base = record(r#"{"N":12345678901234567890.123456789}"#);
    let big = state(r#"{"N":99999999999999999999}"#, EARLY);
    let other = state(r#"{"N":88888888888888888888}"#, EARLY);
    let resolution = resolve(Some(&base), &big, &other, &policy("\"sum\""));
    assert_eq!((resolution.questions.len(), resolution.decisions[0].reason), (1, Reason::TooManyDigits));
    let greater = resolve(None, &state(r#"{"N":1e400}"#, EARLY), &state(r#"{"N":5}"#, EARLY), &policy("\"max\""));
    assert_eq!(greater.decisions[0].winner, Winner::Source);
}
