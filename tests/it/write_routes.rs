//! Which way many records go, what each way costs, and that none loses, doubles or misreports one.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use futures_core::Stream;
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use sforce::client::{Access, AllowList, ApiBudget, CallOptions, DuplicateRule};
use sforce::clock::Clock;
use sforce::sync::{Freshness, WriteOutcome, WriteRoute, WriteStream, WriteTotals, WrittenRow};
use sforce::testing::ManualClock;
use sforce::testing::org::{FieldSpec, MockOrg, ObjectSpec, Operation};
use sforce::types::RecordId;
use sforce::{Client, ErrorKind};

use crate::support::{builder, client, field, impatient, object};
use crate::write_many::{OBJECT, Visit, org, stored, visit};

fn many(client: &Client) -> sforce::sync::WriteMany<sforce::sync::New> {
    client.upsert_many(object(OBJECT), field("Key__c"))
}

fn visits(count: usize) -> impl Stream<Item = Visit> + Send {
    stream::iter((0..count).map(visit))
}

/// A stream that does not tell how many there are.
fn untold(count: usize) -> impl Stream<Item = Visit> + Send {
    stream::unfold(0, move |number| async move { (number < count).then(|| (visit(number), number + 1)) })
}

/// All outcomes, one each.
async fn all(mut outcomes: WriteStream<'_>) -> (Vec<WrittenRow>, Option<sforce::Error>) {
    let (mut rows, mut seen) = (Vec::new(), HashSet::new());
    while let Some(row) = outcomes.next().await {
        assert!(seen.insert(row.row), "{row:?} twice");
        rows.push(row);
    }
    (rows, outcomes.stopped().cloned())
}

async fn done(outcomes: WriteStream<'_>) -> WriteTotals {
    let totals = outcomes.totals(|row| println!("{row:?}")).await;
    assert!(totals.stopped.is_none(), "{totals:?}");
    totals
}

#[tokio::test]
async fn each_number_of_records_costs_the_calls_that_are_told() {
    use Freshness::{Now, Soon, Whenever};
    let org = org();
    let client = client(&org);
    client.access_token().await.expect("logged in");
    let cases = [
        (Soon, 1, 1, Operation::SObjectUpsert),
        (Soon, 2, 1, Operation::CollectionsUpsert),
        (Whenever, 200, 1, Operation::CollectionsUpsert),
        (Soon, 201, 2, Operation::CollectionsUpsert),
        (Now, 5_000, 25, Operation::CollectionsUpsert),
        (Whenever, 1_000, 1, Operation::Composite),
        (Whenever, 10_000, 10, Operation::Composite),
        // Create, upload, close, two looks, one result file.
        (Whenever, 10_001, 6, Operation::IngestCreate),
    ];
    for (freshness, records, calls, operation) in cases {
        let (before, of_its_kind) = (org.api_calls(), org.calls(operation));
        let totals = done(many(&client).freshness(freshness).run(visits(records))).await;
        assert_eq!((totals.done, org.api_calls() - before), (records as u64, calls), "{freshness:?} {records}");
        assert!(org.calls(operation) > of_its_kind, "{freshness:?} {records}: by another way");
    }
    let before = org.api_calls();
    let totals = done(many(&client).freshness(Whenever).run(untold(10_001))).await;
    assert_eq!((totals.done, org.api_calls() - before), (10_001, 6), "read ahead");
    assert!(stored(&org).1 == (0..10_001).sum::<usize>() && org.count(OBJECT) == 10_001, "each of them once");
}

#[tokio::test]
async fn a_hundred_thousand_records_cost_some_ten_calls_by_default() {
    let org = org();
    let client = client(&org);
    let totals = done(many(&client).run(visits(100_000))).await;
    assert_eq!((totals.done, org.count(OBJECT)), (100_000, 100_000));
    assert!(org.api_calls() <= 10, "{}", org.api_calls());
}

#[tokio::test]
async fn the_only_record_goes_by_a_call_of_its_own_with_the_same_outcome() {
    let org = org();
    let client = builder(&org).http(impatient()).build().expect("a client");
    let one = |record: serde_json::Value| stream::iter([record]);
    // A lost answer is asked for again where that doubles nothing.
    org.faults().on(Operation::SObjectUpsert).apply_then_reset().once();
    let (rows, _) = all(many(&client).run(one(json!({"Key__c": "a/b é", "Pages__c": 1})))).await;
    let [WrittenRow { row: 0, outcome: WriteOutcome::Saved { id, created: Some(false) }, .. }] = rows[..] else {
        panic!("{rows:?}")
    };
    let (rows, _) = all(many(&client).run(one(json!({"Key__c": "new", "Pages__c": 1})))).await;
    assert!(matches!(rows[0].outcome, WriteOutcome::Saved { created: Some(true), .. }), "{rows:?}");
    let (rows, stopped) = all(many(&client).run(one(json!({"Key__c": "c", "Pages__c": "many"})))).await;
    assert!(matches!(rows[0].outcome, WriteOutcome::Rejected(_)) && stopped.is_none(), "{rows:?}");
    let changed = client.update_many(object(OBJECT)).run(stream::iter([(id, json!({"Pages__c": 9}))]));
    assert_eq!(done(changed).await.done, 1);
    assert_eq!(org.record(id.as_str()).expect("there")["Pages__c"], json!(9.0));

    org.faults().on(Operation::SObjectCreate).apply_then_reset().once();
    let lost = client.insert_many(object(OBJECT)).run(visits(1)).totals(|_| ()).await;
    assert_eq!((lost.unknown, org.count(OBJECT)), (1, 3), "sent once: {lost:?}");
    let delete = || client.delete_many(object(OBJECT)).run(stream::iter([id]));
    assert_eq!(done(delete()).await.done, 1);
    assert_eq!(done(delete()).await.rejected, 1, "it is gone");
    for operation in [Operation::CollectionsUpsert, Operation::CollectionsUpdate, Operation::CollectionsDelete] {
        assert_eq!(org.calls(operation), 0);
    }

    org.faults().on(Operation::SObjectUpsert).lock_every(1).always();
    let (rows, _) = all(many(&client).run(visits(1))).await;
    assert!(matches!(rows[0].outcome, WriteOutcome::Deferred(_)), "a lock passes: {rows:?}");
}

#[tokio::test]
async fn calls_that_are_left_choose_the_way() {
    let cases =
        [(120, Operation::CollectionsUpsert, 100), (90, Operation::Composite, 20), (12, Operation::IngestCreate, 1)];
    for (left, operation, calls) in cases {
        let org = org();
        let client = builder(&org).budget(ApiBudget::per_day(left)).build().expect("a client");
        let totals = done(many(&client).freshness(Freshness::Now).run(visits(20_000))).await;
        assert_eq!((totals.done, org.calls(operation)), (20_000, calls), "{left} left");
        assert!(org.api_calls() <= left);
    }
    // What the org says counts as well, once it has said something.
    let org = org();
    let client = client(&org);
    done(many(&client).run(visits(1))).await;
    org.set_daily_limit(org.api_calls() + 30);
    done(many(&client).run(visits(1))).await;
    assert!(client.calls_left().expect("told") < 30);
    assert_eq!(done(many(&client).run(visits(20_000))).await.done, 20_000);
    assert_eq!((org.calls(Operation::Composite), org.calls(Operation::CollectionsUpsert)), (20, 0));
}

#[tokio::test]
async fn jobs_are_not_chosen_where_they_would_mean_something_else() {
    let org = org();
    let client = client(&org);
    let whenever = |client: &Client| many(client).freshness(Freshness::Whenever);
    let options = CallOptions::new().duplicate_rule(DuplicateRule::new().allow_save());
    let totals = done(whenever(&client.with_options(&options)).run(visits(10_500))).await;
    assert_eq!((totals.done, org.calls(Operation::IngestCreate)), (10_500, 0), "jobs know no duplicate-rule header");
    let totals = done(whenever(&client).parents([field("Parent__c")]).run(visits(10_500))).await;
    assert_eq!((totals.done, org.calls(Operation::IngestCreate)), (10_500, 0), "rows of one parent could meet");
    let options = CallOptions::new().client_id("acme/1").expect("sound");
    done(whenever(&client.with_options(&options)).run(visits(10_500))).await;
    assert_eq!(org.calls(Operation::IngestCreate), 1, "a name changes nothing");
}

#[tokio::test]
async fn where_jobs_cannot_be_made_the_rows_go_by_calls() {
    let org = org();
    org.faults().on(Operation::IngestCreate).error(403, "FEATURENOTENABLED", "no Bulk API").always();
    let totals = done(many(&client(&org)).by(WriteRoute::Bulk).job_rows(1000).run(visits(3000))).await;
    assert_eq!((totals.done, org.calls(Operation::IngestCreate)), (3000, 1), "it was told once");

    let org = org_with_faults(|org| org.faults().on(Operation::IngestCreate).status(503).always());
    let totals = done(many(&client(&org)).by(WriteRoute::Bulk).run(visits(3000))).await;
    assert_eq!((totals.done, org.calls(Operation::Composite)), (3000, 3));

    let org = crate::write_many::org();
    let list = AllowList::new().object(&object(OBJECT), [Access::Create, Access::Update]);
    let restricted = client(&org).restricted_to(list);
    let totals = done(many(&restricted).by(WriteRoute::Bulk).run(visits(3000))).await;
    assert_eq!((totals.done, org.calls(Operation::IngestCreate)), (3000, 0));

    // The allowance of the Bulk API is one of its own; that of all calls ends the run.
    let org = org_with_faults(|org| {
        org.faults().on(Operation::IngestCreate).error(400, "EXCEEDEDQUOTA", "no batches left").always();
    });
    assert_eq!(done(many(&client(&org)).by(WriteRoute::Bulk).run(visits(3000))).await.done, 3000);
    org.faults().clear();
    org.faults().on(Operation::IngestCreate).daily_limit().always();
    let (rows, stopped) = all(many(&client(&org)).by(WriteRoute::Bulk).run(visits(3000))).await;
    assert_eq!(stopped.expect("used up").kind(), ErrorKind::LimitExceeded);
    assert!(rows.len() == 3000 && rows.iter().all(|row| matches!(row.outcome, WriteOutcome::Deferred(_))));
}

fn org_with_faults(script: impl FnOnce(&MockOrg)) -> MockOrg {
    let org = org();
    script(&org);
    org
}

#[tokio::test]
async fn what_a_job_leaves_goes_by_calls() {
    let org = org_of_notes();
    let record = |number: usize| {
        let key = format!("v-{number}");
        match number % 5 {
            0 => json!({"Key__c": key, "Note__c": "#N/A"}),
            1 => json!({"Key__c": key, "Pages__c": number}),
            2 => json!({"Key__c": key, "Note__c": null, "Pages__c": 1}),
            3 => json!({"Key__c": key, "Pages__c": "many"}),
            _ => json!({"Key__c": key, "Account__r": {"Key__c": format!("A{}", number % 3)}}),
        }
    };
    for name in ["A0", "A1", "A2"] {
        org.insert("Account", json!({"Name": name, "Key__c": name}));
    }
    for number in 0..3000 {
        org.insert(OBJECT, json!({"Key__c": format!("v-{number}"), "Note__c": "old", "Pages__c": 5}));
    }
    // Half of the second job is not looked at, and each ninth row of the third one is locked.
    org.bulk().set_batch_rows(100);
    org.faults().on(Operation::IngestPatch).lock_every(9).after(2).once();
    let (rows, stopped) = {
        let many = many(&client(&org)).by(WriteRoute::Bulk).job_rows(1000);
        org.bulk().fail_next_ingest("Timeout", "never", usize::MAX);
        org.bulk().fail_next_ingest("Timeout", "it took too long", 500);
        all(many.run(stream::iter((0..3000).map(record)))).await
    };
    assert!(stopped.is_none(), "{stopped:?}");
    assert_eq!((rows.len(), org.count(OBJECT)), (3000, 3000));
    for row in rows {
        let number = usize::try_from(row.row).expect("small");
        match row.outcome {
            WriteOutcome::Saved { id, created: Some(false) } => {
                let record = org.record(id.as_str()).expect("there");
                assert_eq!(record["Key__c"], json!(format!("v-{number}")));
                let (note, pages) = (&record["Note__c"], &record["Pages__c"]);
                match number % 5 {
                    0 => assert_eq!((note, pages), (&json!("#N/A"), &json!(5.0))),
                    #[expect(clippy::cast_precision_loss, reason = "small")]
                    1 => assert_eq!((note, pages), (&json!("old"), &json!(number as f64))),
                    2 => assert_eq!((note, pages), (&json!(null), &json!(1.0))),
                    3 => panic!("{number} was refused"),
                    _ => assert!(note == "old" && record["Account__c"].is_string(), "{record}"),
                }
            }
            WriteOutcome::Rejected(_) => assert_eq!(number % 5, 3),
            other => panic!("{number}: {other:?}"),
        }
    }
}

fn org_of_notes() -> MockOrg {
    let key = || FieldSpec::text("Key__c", 80).external_id().unique();
    let org = MockOrg::start();
    org.add_field("Account", key());
    org.add_object(
        ObjectSpec::new(OBJECT)
            .field(key())
            .field(FieldSpec::text("Note__c", 20))
            .field(FieldSpec::number("Pages__c", 18, 0))
            .field(FieldSpec::lookup("Account__c", "Account")),
    );
    org
}

#[tokio::test]
async fn rows_that_make_jobs_fail_fail_alone() {
    let record = |number: usize, bad: bool| {
        let mut record = json!({"Key__c": format!("v-{number}"), "Pages__c": number});
        if bad {
            record["Nothing__c"] = json!(1);
        }
        record
    };
    // One job is made to fail by one row, then jobs go on.
    let org = org();
    let first = many(&client(&org)).by(WriteRoute::Bulk).job_rows(1000);
    let (rows, stopped) = all(first.run(stream::iter((0..2500).map(|number| record(number, number == 777))))).await;
    assert!(stopped.is_none());
    let rejected: Vec<u64> = rows.iter().filter(|row| !row.outcome.is_done()).map(|row| row.row).collect();
    assert_eq!((rows.len(), rejected, org.count(OBJECT)), (2500, vec![777], 2499));
    assert_eq!(org.calls(Operation::IngestCreate), 3);
    // Where each of them fails, they are given up.
    let org = crate::write_many::org();
    let many = many(&client(&org)).by(WriteRoute::Bulk).job_rows(100);
    let (rows, _) = all(many.run(stream::iter((0..1000).map(|number| record(number, number % 50 == 7))))).await;
    assert_eq!((rows.len(), org.count(OBJECT), org.calls(Operation::IngestCreate)), (1000, 980, 3));
}

/// A stream that promises many records, so that jobs are chosen.
struct Promising<S>(Pin<Box<S>>);

impl<S: Stream> Stream for Promising<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.0.as_mut().poll_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (60_000, None)
    }
}

#[tokio::test]
async fn a_source_that_pauses_makes_no_jobs_of_single_records() {
    let org = org();
    let client = client(&org);
    let slow = visits(300).then(|visit| async move {
        tokio::task::yield_now().await;
        visit
    });
    let slow = Promising(Box::pin(slow));
    let totals = done(many(&client).run(slow)).await;
    assert_eq!((totals.done, org.calls(Operation::IngestCreate)), (300, 0));
}

#[tokio::test]
async fn long_records_fill_memory_before_a_call_and_are_sent_all_the_same() {
    let org = org();
    let record = |number: usize| json!({"Key__c": format!("v-{number}"), "Note__c": "x".repeat(250_000)});
    let (rows, _) = all(many(&client(&org)).run(stream::iter((0..190).map(record)))).await;
    assert_eq!(rows.len(), 190, "each has an outcome");
}

#[tokio::test]
async fn a_storm_over_20000_upserts_by_jobs_ends_with_20000_outcomes_and_20000_right_records() {
    let org = org();
    let client = builder(&org).http(impatient()).build().expect("a client");
    let of = |operation| org.faults().on(operation);
    of(Operation::IngestCreate).status(503).randomly(150, 1);
    of(Operation::IngestCreate).apply_then_reset().randomly(100, 2);
    of(Operation::IngestUpload).apply_then_reset().randomly(250, 3);
    of(Operation::IngestUpload).reset().randomly(150, 4);
    of(Operation::IngestPatch).apply_then_reset().randomly(150, 5);
    of(Operation::IngestPatch).lock_every(9).randomly(400, 6);
    of(Operation::IngestGet).status(503).randomly(200, 7);
    of(Operation::IngestGet).expire_session().randomly(60, 8);
    of(Operation::IngestSuccessful).truncate(3000).randomly(300, 9);
    of(Operation::IngestSuccessful).status(429).randomly(100, 10);
    of(Operation::IngestFailed).reset().randomly(300, 11);
    of(Operation::IngestUnprocessed).apply_then_reset().randomly(300, 12);
    of(Operation::CollectionsUpsert).lock_every(9).randomly(300, 13);
    of(Operation::Composite).apply_then_reset().randomly(200, 14);
    of(Operation::Composite).status(503).randomly(100, 15);
    org.bulk().set_batch_rows(200);
    for after in [300, 0, 900] {
        org.bulk().fail_next_ingest("TooManyLockFailure", "locks", after);
    }

    let mut open: Vec<usize> = (0..20_000).collect();
    for round in 0.. {
        assert!(round < 8, "the storm lets something through every time: {} are left", open.len());
        let rows: Vec<Visit> = open.iter().map(|number| visit(*number)).collect();
        let (outcomes, stopped) = all(many(&client).by(WriteRoute::Bulk).job_rows(1500).run(stream::iter(rows))).await;
        assert!(stopped.is_some() || outcomes.len() == open.len(), "all were taken in");
        let done: HashSet<u64> = outcomes
            .iter()
            .filter(|row| {
                assert!(!matches!(row.outcome, WriteOutcome::Rejected(_)), "{row:?}");
                row.outcome.is_done()
            })
            .map(|row| row.row)
            .collect();
        let left = open.iter().enumerate().filter(|(row, _)| !done.contains(&(*row as u64)));
        open = left.map(|(_, number)| *number).collect();
        if open.is_empty() {
            break;
        }
    }
    assert!(org.calls(Operation::IngestCreate) > 5, "jobs were made all along");
    let (keys, pages) = stored(&org);
    assert_eq!((keys.len(), keys.iter().collect::<HashSet<_>>().len()), (20_000, 20_000));
    assert_eq!(pages, 19_999 * 20_000 / 2, "every record has its values");
}

#[tokio::test]
async fn creations_by_a_job_are_never_doubled_whatever_is_lost() {
    type Script = fn(&MockOrg);
    let inserts = |client: &Client| client.insert_many(object(OBJECT)).by(WriteRoute::Bulk).run(visits(900));
    let scripts: [(&str, Script, u64); 4] = [
        ("the upload's answer", |org| org.faults().on(Operation::IngestUpload).apply_then_reset().once(), 900),
        ("the close's answer", |org| org.faults().on(Operation::IngestPatch).apply_then_reset().once(), 900),
        ("every answer to the close", |org| org.faults().on(Operation::IngestPatch).apply_then_reset().always(), 900),
        ("the results", |org| org.faults().on(Operation::IngestSuccessful).reset().always(), 0),
    ];
    for (lost, script, saved) in scripts {
        let org = org();
        script(&org);
        let client = builder(&org).http(impatient()).build().expect("a client");
        let totals = inserts(&client).totals(|_| ()).await;
        assert_eq!((totals.done, totals.unknown), (saved, 900 - saved), "{lost}: {totals:?}");
        let (keys, _) = stored(&org);
        assert_eq!(keys.len(), keys.iter().collect::<HashSet<_>>().len(), "{lost}");
        for operation in [Operation::CollectionsCreate, Operation::Composite, Operation::SObjectCreate] {
            assert_eq!(org.calls(operation), 0, "{lost}: nothing is sent twice");
        }
        assert_eq!(org.calls(Operation::IngestCreate), 1, "{lost}");
    }
    // What a job did not look at is not created, and goes by calls.
    let org = org();
    org.bulk().fail_next_ingest("Timeout", "it took too long", 400);
    let totals = done(inserts(&client(&org))).await;
    assert_eq!((totals.done, org.count(OBJECT)), (900, 900));
}

#[tokio::test]
async fn a_job_that_does_not_end_is_stopped_before_its_rows_go_another_way() {
    let org = org();
    org.bulk().complete_after_polls(u32::MAX);
    let client = client(&org);
    let totals = done(many(&client).by(WriteRoute::Bulk).run(visits(900))).await;
    assert_eq!((totals.done, org.count(OBJECT)), (900, 900));
    assert_eq!(org.bulk().jobs()[0].1, "Aborted", "nothing of it comes later");

    let totals = client.insert_many(object(OBJECT)).by(WriteRoute::Bulk).run(visits(900)).totals(|_| ()).await;
    assert_eq!((totals.unknown, org.calls(Operation::CollectionsCreate)), (900, 0), "{totals:?}");
}

/// A clock at whose first pause somebody aborts the job.
#[derive(Debug)]
struct Somebody {
    clock: ManualClock,
    client: Client,
    jobs: Mutex<Option<Arc<MockOrg>>>,
}

#[async_trait]
impl Clock for Somebody {
    fn now(&self) -> SystemTime {
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        let job = self.jobs.lock().expect("whole").take().map(|org| org.bulk().jobs()[0].0.clone());
        if let Some(job) = job {
            let job = self.client.find_ingest_job(RecordId::new(&job).expect("an id")).await.expect("there");
            job.abort().await.expect("aborted");
        }
        self.clock.sleep(duration).await;
    }
}

#[tokio::test]
async fn who_aborts_a_job_stops_its_rows() {
    let org = Arc::new(org());
    let somebody =
        Somebody { clock: ManualClock::default(), client: client(&org), jobs: Mutex::new(Some(Arc::clone(&org))) };
    let client = builder(&org).clock(somebody).build().expect("a client");
    let (rows, stopped) = all(many(&client).by(WriteRoute::Bulk).job_rows(1000).run(visits(3000))).await;
    assert_eq!(stopped.expect("aborted").kind(), ErrorKind::Conflict);
    assert!(rows.len() < 3000, "{}", rows.len());
    let deferred = rows.iter().filter(|row| matches!(row.outcome, WriteOutcome::Deferred(_))).count();
    let done = rows.iter().filter(|row| row.outcome.is_done()).count();
    // What was processed before stays, and is told.
    assert_eq!((deferred + done, done), (rows.len(), org.count(OBJECT)));
    assert!(deferred > 0 && org.calls(Operation::IngestCreate) == 1, "{done} done");
}

#[tokio::test]
async fn records_of_one_key_keep_their_order_over_jobs() {
    let org = org();
    let visits = (0..6000).map(|number| Visit { key: format!("v-{}", number % 1700), pages: number });
    let many = many(&client(&org)).by(WriteRoute::Bulk).job_rows(1000);
    let (rows, stopped) = all(many.run(stream::iter(visits))).await;
    assert!(stopped.is_none() && rows.len() == 6000);
    assert!(rows.iter().all(|row| row.outcome.is_done()));
    let (keys, pages) = stored(&org);
    assert_eq!((keys.len(), pages), (1700, (4300..6000).sum()), "the last of each key stands");
}

#[tokio::test]
async fn jobs_hold_no_more_records_than_they_are_told() {
    let org = org();
    let (read, settled) = (AtomicU64::new(0), AtomicU64::new(0));
    let most = AtomicU64::new(0);
    let visits = untold(5000).inspect(|_| {
        let held = read.fetch_add(1, Ordering::Relaxed) + 1 - settled.load(Ordering::Relaxed);
        most.fetch_max(held, Ordering::Relaxed);
    });
    let client = client(&org);
    let mut outcomes = many(&client).by(WriteRoute::Bulk).job_rows(1000).run(visits);
    while let Some(row) = outcomes.next().await {
        assert!(row.outcome.is_done());
        settled.fetch_add(1, Ordering::Relaxed);
    }
    assert_eq!((settled.load(Ordering::Relaxed), org.calls(Operation::IngestCreate)), (5000, 5));
    assert!(most.load(Ordering::Relaxed) <= 1000);
}

#[tokio::test]
async fn rows_of_one_parent_that_meet_in_a_job_come_again() {
    let org = MockOrg::start();
    let accounts: Vec<String> =
        (0..12).map(|number| org.insert("Account", json!({"Name": format!("A{number}")}))).collect();
    let key = FieldSpec::text("Key__c", 80).external_id().unique();
    org.add_object(ObjectSpec::new(OBJECT).field(key).field(FieldSpec::master_detail("Account__c", "Account")));
    org.lock_parents();
    org.bulk().set_batch_rows(1000);
    let row = |number: usize| json!({"Key__c": format!("v-{number}"), "Account__c": accounts[number % 12]});
    let many = many(&client(&org)).parents([field("Account__c")]).by(WriteRoute::Bulk);
    let totals = done(many.run(stream::iter((0..4000).map(row)))).await;
    assert_eq!((totals.done, org.count(OBJECT)), (4000, 4000));
    // Sorted, parts of a job share a parent where one ends and the next begins; unsorted, all of the later ones would meet.
    assert!(org.parent_collisions() <= 1000, "{}", org.parent_collisions());
}

#[tokio::test]
async fn deletions_go_every_way() {
    let org = org();
    let client = client(&org);
    let ids = |count: usize| -> Vec<RecordId> {
        let id = |number| org.insert(OBJECT, json!({"Key__c": format!("d-{number}-{}", org.count(OBJECT))}));
        (0..count).map(|number| RecordId::new(&id(number)).expect("an id")).collect()
    };
    let delete = || client.delete_many(object(OBJECT));
    client.access_token().await.expect("logged in");
    for (records, calls) in [(200, 1), (1000, 1), (2500, 3)] {
        let before = org.api_calls();
        let totals = done(delete().freshness(Freshness::Whenever).run(stream::iter(ids(records)))).await;
        assert_eq!((totals.done, org.api_calls() - before), (records as u64, calls), "{totals:?}");
        assert_eq!(org.count(OBJECT), 0);
    }
    let gone = ids(3000);
    let totals = done(delete().by(WriteRoute::Bulk).run(stream::iter(gone.clone()))).await;
    assert_eq!((totals.done, org.count(OBJECT)), (3000, 0));
    let totals = delete().by(WriteRoute::Bulk).run(stream::iter(gone)).totals(|_| ()).await;
    assert_eq!((totals.rejected, totals.done), (3000, 0), "they are gone: {totals:?}");

    // One whose job does not tell is found deleted.
    let untold = ids(900);
    org.faults().on(Operation::IngestSuccessful).reset().always();
    let totals = done(delete().by(WriteRoute::Bulk).run(stream::iter(untold))).await;
    assert_eq!((totals.done, org.count(OBJECT)), (900, 0));
}

#[tokio::test]
async fn records_are_changed_by_a_job_with_their_ids() {
    let org = org();
    let ids: Vec<RecordId> = (0..2500)
        .map(|number| org.insert(OBJECT, json!({"Key__c": format!("v-{number}"), "Pages__c": 1})))
        .map(|id| RecordId::new(&id).expect("an id"))
        .collect();
    let changes = ids.iter().map(|id| (*id, json!({"Pages__c": 7})));
    let update = client(&org).update_many(object(OBJECT)).by(WriteRoute::Bulk);
    let (rows, _) = all(update.run(stream::iter(changes))).await;
    for row in &rows {
        let place = usize::try_from(row.row).expect("small");
        assert!(matches!(row.outcome, WriteOutcome::Saved { id, created: None } if id == ids[place]), "{row:?}");
    }
    assert_eq!((rows.len(), stored(&org).1), (2500, 2500 * 7));
    assert_eq!(org.calls(Operation::CollectionsUpdate), 0);
}
