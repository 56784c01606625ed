//! Many records by one call: one outcome each, whatever happens on the way.

use std::collections::HashSet;

use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use sforce::ErrorKind;
use sforce::sync::{Freshness, WriteOutcome, WriteRoute, WriteTotals, WrittenRow};
use sforce::testing::org::{CollectionsInComposite, FieldSpec, MockOrg, ObjectSpec, Operation};
use sforce::types::RecordId;

use crate::support::{builder, client, field, impatient, object};

pub(crate) const OBJECT: &str = "Visit__c";

#[derive(Clone, Serialize)]
pub(crate) struct Visit {
    #[serde(rename = "Key__c")]
    pub(crate) key: String,
    #[serde(rename = "Pages__c")]
    pub(crate) pages: usize,
}

pub(crate) fn visit(number: usize) -> Visit {
    Visit { key: format!("v-{number}"), pages: number }
}

pub(crate) fn org() -> MockOrg {
    let org = MockOrg::start();
    let key = FieldSpec::text("Key__c", 80).external_id().unique();
    org.add_object(ObjectSpec::new(OBJECT).field(key).field(FieldSpec::number("Pages__c", 18, 0)));
    org
}

/// The keys in the org, and the sum of their pages.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers from 0 on")]
pub(crate) fn stored(org: &MockOrg) -> (Vec<String>, usize) {
    let records = org.records(OBJECT);
    let keys = records.iter().map(|record| record["Key__c"].as_str().expect("a key").to_owned()).collect();
    let pages = records.iter().map(|record| record["Pages__c"].as_f64().expect("a number") as usize).sum();
    (keys, pages)
}

async fn upsert(client: &sforce::Client, visits: Vec<Visit>) -> (Vec<WrittenRow>, Option<sforce::Error>) {
    let mut outcomes = client.upsert_many(object(OBJECT), field("Key__c")).run(stream::iter(visits));
    let mut all = Vec::new();
    while let Some(outcome) = outcomes.next().await {
        all.push(outcome);
    }
    (all, outcomes.stopped().cloned())
}

#[tokio::test]
async fn a_storm_over_20000_upserts_ends_with_20000_outcomes_and_20000_right_records() {
    let org = org();
    let client = builder(&org).http(impatient()).build().expect("a client");
    let writes = || org.faults().on(Operation::CollectionsUpsert);
    writes().status(503).randomly(80, 1);
    writes().status(429).randomly(60, 2);
    writes().reset().randomly(60, 3);
    writes().apply_then_reset().randomly(80, 4);
    writes().truncate(400).randomly(40, 5);
    writes().expire_session().randomly(30, 6);
    writes().lock_every(9).randomly(400, 7);
    org.faults().on(Operation::Token).status(503).every(3);

    let mut open: Vec<usize> = (0..20_000).collect();
    // What is deferred may be sent again; bounded, so that no progress fails.
    for round in 0.. {
        assert!(round < 8, "the storm lets something through every time: {} are left", open.len());
        let (outcomes, stopped) = upsert(&client, open.iter().map(|number| visit(*number)).collect()).await;
        let mut settled = HashSet::new();
        assert!(outcomes.iter().all(|outcome| settled.insert(outcome.row)), "one outcome each");
        let taken_in = outcomes.iter().map(|outcome| outcome.row + 1).max().unwrap_or_default();
        assert_eq!(settled.len() as u64, taken_in, "each row that was taken in has its outcome");
        assert!(stopped.is_some() || outcomes.len() == open.len(), "all were taken in");
        let done: HashSet<u64> = outcomes
            .iter()
            .filter(|outcome| {
                assert!(!matches!(outcome.outcome, WriteOutcome::Rejected(_)), "{outcome:?}");
                outcome.outcome.is_done()
            })
            .map(|outcome| outcome.row)
            .collect();
        let left = open.iter().enumerate().filter(|(row, _)| !done.contains(&(*row as u64)));
        open = left.map(|(_, number)| *number).collect();
        if open.is_empty() {
            break;
        }
    }
    let (keys, pages) = stored(&org);
    assert_eq!((keys.len(), keys.iter().collect::<HashSet<_>>().len()), (20_000, 20_000));
    assert_eq!(pages, 19_999 * 20_000 / 2, "every record has its values");
}

#[tokio::test]
async fn records_of_one_key_have_the_effect_of_one_after_the_other() {
    let org = org();
    let visits: Vec<Visit> =
        (0..3000).map(|number| Visit { key: format!("v-{}", number % 7), pages: number }).collect();
    let (outcomes, stopped) = upsert(&client(&org), visits).await;
    assert!(stopped.is_none());
    let saved: Vec<_> = outcomes.iter().filter(|one| matches!(one.outcome, WriteOutcome::Saved { .. })).collect();
    let folded = outcomes.iter().filter(|one| matches!(one.outcome, WriteOutcome::Folded { into } if into > one.row));
    assert_eq!(saved.len() + folded.count(), 3000);
    let (keys, pages) = stored(&org);
    assert_eq!((keys.len(), pages), (7, (2993..3000).sum()), "the last of each key stands");
}

#[tokio::test]
async fn what_is_no_record_is_refused_before_anything_is_sent_and_stops_no_other() {
    let org = org();
    let records = vec![
        serde_json::json!({"Key__c": "a", "Pages__c": 1}),
        serde_json::json!({"Pages__c": 1}),
        serde_json::json!([1]),
        serde_json::json!({"Key__c": "b", "Pages__c": "many"}),
        serde_json::json!({"Key__c": "c", "Nothing__c": 1}),
    ];
    let many = client(&org).upsert_many(object(OBJECT), field("Key__c"));
    let mut refused = Vec::new();
    let totals = many.run(stream::iter(records)).totals(|row| refused.push(row.row)).await;
    refused.sort_unstable();
    assert_eq!((totals.rows, totals.done, totals.rejected), (5, 1, 4), "{totals:?}");
    assert_eq!(refused, [1, 2, 3, 4]);
    assert_eq!(stored(&org).0, ["a"]);
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_unknown_and_never_sent_again() {
    let org = org();
    org.faults().on(Operation::CollectionsCreate).apply_then_reset().once();
    let visits: Vec<Visit> = (0..600).map(visit).collect();
    let client = builder(&org).http(impatient()).build().expect("a client");
    let totals = client.insert_many(object(OBJECT)).calls_at_once(1).run(stream::iter(visits)).totals(|_| ()).await;
    assert_eq!((totals.done, totals.unknown, totals.deferred), (400, 200, 0), "{totals:?}");
    assert_eq!(stored(&org).0.len(), 600, "they were created once");
}

#[tokio::test]
async fn records_are_changed_and_deleted_by_id() {
    let org = org();
    let client = client(&org);
    let (outcomes, _) = upsert(&client, (0..450).map(visit).collect()).await;
    let ids: Vec<RecordId> = outcomes
        .iter()
        .map(|one| match one.outcome {
            WriteOutcome::Saved { id, created } => {
                assert_eq!(created, Some(true));
                id
            }
            ref other => panic!("{other:?}"),
        })
        .collect();
    let before = org.api_calls();
    let changes: Vec<_> = ids.iter().map(|id| (*id, serde_json::json!({"Pages__c": 7}))).collect();
    let totals = client.update_many(object(OBJECT)).run(stream::iter(changes)).totals(|_| ()).await;
    assert_eq!((totals.done, stored(&org).1), (450, 450 * 7));
    let totals = client.delete_many(object(OBJECT)).run(stream::iter(ids.clone())).totals(|_| ()).await;
    assert_eq!((totals.done, stored(&org).0.len()), (450, 0));
    assert_eq!(org.api_calls() - before, 6, "200 records a call");
    let totals = client.delete_many(object(OBJECT)).run(stream::iter(ids)).totals(|_| ()).await;
    assert_eq!((totals.rejected, totals.done), (450, 0), "they are gone: {totals:?}");
}

#[tokio::test]
async fn nav_32_rows_of_one_parent_never_fly_in_two_calls() {
    let org = MockOrg::start();
    let accounts: Vec<String> =
        (0..12).map(|number| org.insert("Account", serde_json::json!({"Name": format!("A{number}")}))).collect();
    let key = FieldSpec::text("Key__c", 80).external_id().unique();
    let account = FieldSpec::master_detail("Account__c", "Account");
    org.add_object(ObjectSpec::new(OBJECT).field(key).field(account));
    let rows: Vec<_> = (0..4000)
        .map(|number| serde_json::json!({"Key__c": format!("v-{number}"), "Account__c": accounts[number % 12]}))
        .collect();
    let many = client(&org).upsert_many(object(OBJECT), field("Key__c")).parents([field("Account__c")]);
    let totals = many.run(stream::iter(rows)).totals(|_| ()).await;
    assert_eq!((totals.done, org.parent_collisions()), (4000, 0), "{totals:?}");
}

#[tokio::test]
async fn an_outage_and_a_used_up_limit_stop_the_run_with_every_record_accounted_for() {
    let org = org();
    let client = client(&org);
    org.faults().on(Operation::CollectionsUpsert).status(503).after(4).always();
    let (outcomes, stopped) = upsert(&client, (0..20_000).map(visit).collect()).await;
    assert_eq!(stopped.expect("nothing comes through").kind(), ErrorKind::Unavailable);
    let done = outcomes.iter().filter(|one| one.outcome.is_done()).count();
    // A server that is out of service does not say whether it has written before it was.
    let open = |one: &&WrittenRow| matches!(one.outcome, WriteOutcome::Deferred(_) | WriteOutcome::Unknown(_));
    assert_eq!((done, done + outcomes.iter().filter(open).count()), (800, outcomes.len()));
    assert!(outcomes.len() < 10_000, "the rest was not taken in: {}", outcomes.len());
    assert_eq!(stored(&org).0.len(), 800);

    org.faults().clear();
    org.set_daily_limit(org.api_calls() + 3);
    let (outcomes, stopped) = upsert(&client, (20_000..40_000).map(visit).collect()).await;
    assert_eq!(stopped.expect("used up").kind(), ErrorKind::LimitExceeded);
    let done = outcomes.iter().filter(|one| one.outcome.is_done()).count();
    assert!((200..=600).contains(&done), "three calls were left: {done}");
    assert_eq!(stored(&org).0.len(), 800 + done, "what is said to be done is there, and nothing else");
}

#[tokio::test]
async fn a_slow_source_is_not_waited_for_with_records_in_hand() {
    let org = org();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Visit>(8);
    let visits = stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    let client = client(&org);
    let mut outcomes = client.upsert_many(object(OBJECT), field("Key__c")).run(visits);
    for number in 0..3 {
        sender.send(visit(number)).await.expect("read");
        let outcome = outcomes.next().await.expect("written before the next one comes");
        assert!(outcome.outcome.is_done() && outcome.row == number as u64);
    }
    drop(sender);
    assert!(outcomes.next().await.is_none());
}

#[tokio::test]
async fn nothing_is_sent_for_no_records() {
    let org = org();
    let totals: WriteTotals = client(&org)
        .upsert_many(object(OBJECT), field("Key__c"))
        .run(stream::iter(Vec::<Visit>::new()))
        .totals(|_| ())
        .await;
    assert_eq!((totals.rows, org.api_calls()), (0, 0));
}

#[tokio::test]
async fn records_that_use_up_a_governor_limit_together_are_written_in_smaller_calls() {
    let org = org();
    let client = client(&org);
    org.faults().on(Operation::CollectionsUpsert).governor_limit(30, "Too many SOQL queries: 101").always();
    let (outcomes, stopped) = upsert(&client, (0..500).map(visit).collect()).await;
    assert!(stopped.is_none());
    assert_eq!((outcomes.len(), stored(&org).0.len()), (500, 500));
    assert!(outcomes.iter().all(|one| one.outcome.is_done()));
    // Three calls of fresh rows, ten of 50, and fifty of ten that pass.
    let calls = org.calls(Operation::CollectionsUpsert);
    assert!(calls <= 65, "{calls} calls");

    org.faults().clear();
    org.faults().on(Operation::CollectionsUpsert).governor_limit(0, "Apex CPU time limit exceeded").always();
    let (outcomes, stopped) = upsert(&client, (500..520).map(visit).collect()).await;
    assert!(stopped.is_none());
    let rejected = |one: &WrittenRow| matches!(&one.outcome, WriteOutcome::Rejected(error) if error.is_splittable());
    assert!(outcomes.len() == 20 && outcomes.iter().all(rejected), "each of them alone is too much for the org");
}

#[tokio::test]
async fn calls_are_halved_once_for_each_answer_that_tells_of_a_governor_limit() {
    let org = org();
    let client = client(&org);
    org.faults().on(Operation::CollectionsUpsert).governor_limit(100, "Too many DML rows: 10001").always();
    let many = client.upsert_many(object(OBJECT), field("Key__c")).calls_at_once(1).by(WriteRoute::Collections);
    let totals = many.run(stream::iter((0..5000).map(visit))).totals(|_| ()).await;
    assert_eq!(totals.done, 5000, "{totals:?}");
    // Fifty calls of 100 would do; a try of 200 now and then, and its rows in calls of 50, are more.
    let calls = org.calls(Operation::CollectionsUpsert);
    assert!(calls <= 65, "{calls} calls");
}

#[tokio::test]
async fn creations_that_ran_too_long_are_unknown_and_not_sent_again() {
    let org = org();
    org.faults().on(Operation::CollectionsCreate).error(500, "REQUEST_RUNNING_TOO_LONG", "stopped").once();
    let many = client(&org).insert_many(object(OBJECT)).by(WriteRoute::Collections);
    let totals = many.run(stream::iter((0..150).map(visit))).totals(|_| ()).await;
    assert_eq!((totals.unknown, org.calls(Operation::CollectionsCreate)), (150, 1), "{totals:?}");
}

/// Has a part of a packed call fail after it was done.
fn break_part(answer: &mut serde_json::Value, part: usize) {
    if let Some(part) = answer.pointer_mut(&format!("/compositeResponse/{part}")) {
        part["httpStatusCode"] = 500.into();
        part["body"] = serde_json::json!([{"errorCode": "UNKNOWN_EXCEPTION", "message": "it broke"}]);
    }
}

#[tokio::test]
async fn a_part_of_a_packed_call_that_breaks_after_it_was_done_doubles_no_creation() {
    let org = org();
    let client = client(&org);
    org.faults().on(Operation::Composite).edit(|answer| break_part(answer, 4)).once();
    let many = client.insert_many(object(OBJECT)).by(WriteRoute::Packed);
    let totals = many.run(stream::iter((0..1000).map(visit))).totals(|_| ()).await;
    assert_eq!((totals.done, totals.unknown), (800, 200), "{totals:?}");
    let (keys, _) = stored(&org);
    assert_eq!((keys.len(), keys.iter().collect::<HashSet<_>>().len()), (1000, 1000), "they were created once");

    // Upserts are sent again.
    org.faults().on(Operation::Composite).edit(|answer| break_part(answer, 4)).once();
    let many = client.upsert_many(object(OBJECT), field("Key__c")).by(WriteRoute::Packed);
    let totals = many.run(stream::iter((0..1000).map(visit))).totals(|_| ()).await;
    assert_eq!((totals.done, stored(&org).0.len()), (1000, 1000), "{totals:?}");
}

#[tokio::test]
async fn an_outage_amid_a_packed_call_refuses_no_record() {
    let org = org();
    // Five calls instead of one, and all after the second are out.
    org.set_collections_in_composite(CollectionsInComposite::RequestRefused);
    org.faults().on(Operation::CollectionsUpsert).status(503).after(2).always();
    let many = client(&org).upsert_many(object(OBJECT), field("Key__c")).by(WriteRoute::Packed);
    let totals = many.run(stream::iter((0..1000).map(visit))).totals(|_| ()).await;
    assert_eq!((totals.done, totals.rejected), (400, 0), "{totals:?}");
    assert_eq!((totals.deferred + totals.unknown, stored(&org).0.len()), (600, 400), "{totals:?}");
}

#[tokio::test]
async fn fewer_requests_are_in_flight_after_rows_that_met_locks() {
    let org = org();
    let client = client(&org);
    let before = client.concurrency();
    org.faults().on(Operation::CollectionsUpsert).refuse_rows("REQUIRED_FIELD_MISSING", "no", |row, _| row == 0).once();
    upsert(&client, (0..100).map(visit).collect()).await;
    assert_eq!(client.concurrency(), before, "a row that is refused for what it is");
    org.faults().on(Operation::CollectionsUpsert).lock_every(2).once();
    let (outcomes, stopped) = upsert(&client, (0..100).map(visit).collect()).await;
    assert!(stopped.is_none() && outcomes.iter().all(|one| one.outcome.is_done()));
    assert_eq!(client.concurrency(), before / 2);
}

#[tokio::test]
async fn gpt_22_a_thousand_records_cost_one_call_where_the_fewest_are_asked_for() {
    let org = org();
    let client = client(&org);
    client.versions().await.expect("logged in");
    for (records, calls) in [(1000, 1), (500, 1), (2500, 3)] {
        let before = org.api_calls();
        let many = client.upsert_many(object(OBJECT), field("Key__c")).freshness(Freshness::Whenever);
        let totals = many.run(stream::iter((0..records).map(visit))).totals(|_| ()).await;
        assert_eq!((totals.done, org.api_calls() - before), (records as u64, calls), "{totals:?}");
    }
    let (keys, pages) = stored(&org);
    assert_eq!((keys.into_iter().collect::<HashSet<_>>().len(), pages), (2500, (0..2500).sum()));
}

#[tokio::test]
async fn a_folded_record_has_the_fate_of_the_one_that_stands_for_it() {
    let org = org();
    let record = |key: &str, pages: serde_json::Value| serde_json::json!({"Key__c": key, "Pages__c": pages});
    let records = [
        record("a", 1.into()),
        record("a", "many".into()),
        record("b", 1.into()),
        record("b", 2.into()),
        record("b", 3.into()),
    ];
    let mut outcomes = client(&org).upsert_many(object(OBJECT), field("Key__c")).run(stream::iter(records));
    let mut told: Vec<WrittenRow> = Vec::new();
    while let Some(row) = outcomes.next().await {
        told.push(row);
    }
    told.sort_by_key(|row| row.row);
    assert!(
        matches!(&told[0].outcome, WriteOutcome::Deferred(error) if error.to_string().contains("folded_into")),
        "{told:?}"
    );
    assert!(matches!(told[1].outcome, WriteOutcome::Rejected(_)));
    assert!(matches!(
        (&told[2].outcome, &told[3].outcome),
        (WriteOutcome::Folded { into: 4 }, WriteOutcome::Folded { into: 4 })
    ));
    assert!(told[4].outcome.is_done());
    assert_eq!(stored(&org), (vec!["b".to_owned()], 3));
}

#[tokio::test]
async fn hot_keys_over_a_long_stream_leave_no_record_without_an_outcome() {
    let org = org();
    let visits = (0..60_000).map(|number| Visit { key: format!("v-{}{}", number % 3, "x".repeat(70)), pages: number });
    let many = client(&org).upsert_many(object(OBJECT), field("Key__c")).by(WriteRoute::Collections);
    let totals = many.run(stream::iter(visits)).totals(|_| ()).await;
    assert_eq!((totals.rows, totals.done + totals.folded), (60_000, 60_000), "{totals:?}");
    assert_eq!(stored(&org).1, 59_997 + 59_998 + 59_999);
}

#[tokio::test]
async fn a_connection_that_ends_ends_the_run_and_refuses_no_record() {
    #[derive(Debug)]
    struct Ends(sforce::auth::StaticToken);

    #[async_trait::async_trait]
    impl sforce::auth::TokenProvider for Ends {
        async fn fetch(
            &self,
            http: &dyn sforce::http::HttpService,
            rejected: Option<&sforce::auth::AccessToken>,
        ) -> sforce::Result<sforce::auth::AccessToken> {
            if rejected.is_some() {
                return Err(sforce::Error::new(ErrorKind::ReauthRequired, "token", "the connection has ended"));
            }
            self.0.fetch(http, None).await
        }
    }

    let org = org();
    let token = client(&org).access_token().await.expect("logged in");
    org.faults().on(Operation::CollectionsUpsert).expire_session().after(3).always();
    let client = sforce::Client::builder(Ends(sforce::auth::StaticToken::new(token))).build().expect("a client");
    let (outcomes, stopped) = upsert(&client, (0..40_000).map(visit).collect()).await;
    assert_eq!(stopped.expect("it ends").kind(), ErrorKind::ReauthRequired);
    assert!(outcomes.len() < 10_000, "the rest is not read: {}", outcomes.len());
    assert!(outcomes.iter().all(|row| row.outcome.is_done() || matches!(row.outcome, WriteOutcome::Deferred(_))));
    assert_eq!(stored(&org).0.len(), outcomes.iter().filter(|row| row.outcome.is_done()).count());
}

#[tokio::test]
async fn a_creation_of_what_is_there_is_refused_once() {
    let org = org();
    let client = client(&org);
    upsert(&client, (0..10).map(visit).collect()).await;
    let before = org.calls(Operation::CollectionsCreate);
    let totals = client.insert_many(object(OBJECT)).run(stream::iter((0..20).map(visit))).totals(|_| ()).await;
    assert_eq!((totals.done, totals.rejected), (10, 10), "{totals:?}");
    assert_eq!(org.calls(Operation::CollectionsCreate) - before, 1);
}

#[tokio::test]
async fn keys_of_any_characters_are_written_and_told_apart() {
    let org = org();
    let keys = ["a/b", "a.b", "..", "100%", "it's \"quoted\"", "😀 é", "a?b#c&d=e", "\\", "a,b;c|d", "@{x}"];
    for route in [WriteRoute::Collections, WriteRoute::Packed, WriteRoute::Bulk] {
        let visits: Vec<Visit> =
            keys.iter().zip(1..).map(|(key, pages)| Visit { key: (*key).to_owned(), pages }).collect();
        let many = client(&org).upsert_many(object(OBJECT), field("Key__c")).by(route);
        let totals = many.run(stream::iter(visits)).totals(|_| ()).await;
        assert_eq!(totals.done, keys.len() as u64, "{totals:?}");
        let (mut stored, pages) = stored(&org);
        let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        keys.sort();
        stored.sort();
        assert_eq!((stored, pages), (keys, (1..=10).sum()));
    }
    for key in keys.iter().filter(|key| **key != "..") {
        let one = client(&org).upsert_many(object(OBJECT), field("Key__c"));
        let one = one.run(stream::iter([Visit { key: (*key).to_owned(), pages: 5 }])).totals(|_| ()).await;
        assert_eq!(one.done, 1, "{key}: {one:?}");
    }
    assert_eq!(stored(&org).0.len(), keys.len());
}

#[tokio::test]
async fn a_row_that_names_an_inactive_owner_stops_no_other() {
    let org = org();
    let code = "INACTIVE_OWNER_OR_USER";
    org.faults()
        .on(Operation::CollectionsUpsert)
        .refuse_rows(code, "operation performed with inactive user", |place, _| place == 3)
        .always();
    let (outcomes, stopped) = upsert(&client(&org), (0..1000).map(visit).collect()).await;
    assert!(stopped.is_none(), "{stopped:?}");
    let rejected =
        outcomes.iter().filter(|one| matches!(&one.outcome, WriteOutcome::Rejected(error) if error.has_code(code)));
    assert_eq!((outcomes.len(), rejected.count(), stored(&org).0.len()), (1000, 5, 995));
}

#[tokio::test]
async fn a_call_that_ran_too_long_is_made_smaller_and_is_no_outage() {
    let org = org();
    let said = "Your request was running for too long, and has been stopped.";
    org.faults().on(Operation::CollectionsUpsert).error(400, "REQUEST_RUNNING_TOO_LONG", said).times(8);
    let (outcomes, stopped) = upsert(&client(&org), (0..1600).map(visit).collect()).await;
    assert!(stopped.is_none(), "{stopped:?}");
    assert!(
        outcomes.iter().all(|one| one.outcome.is_done()),
        "{:?}",
        outcomes.iter().find(|one| !one.outcome.is_done())
    );
    assert_eq!(stored(&org).0.len(), 1600);
}
