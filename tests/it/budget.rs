//! Budgets against the mock org: work stops where it has to, says why, and goes on from there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use sforce::adapters::engagement::{Prefix, session_map};
use sforce::api::bulk::IngestOperation;
use sforce::api::estimate::{self, CallEstimate, ReadBy};
use sforce::client::{ApiBudget, BudgetWindow, OffPeakHours, Pace, StopReason};
use sforce::clock::Clock as _;
use sforce::mapping::Transforms;
use sforce::store::MemoryStore;
use sforce::sync::{Outcome, Push, WriteOutcome, WriteRoute};
use sforce::testing::ManualClock;
use sforce::testing::org::{FieldSpec, MockOrg, ObjectSpec, Operation};
use sforce::types::{Record, RecordId, Timestamp, split_in_list};
use sforce::{Client, ErrorKind};

use crate::support::{SharedClock, builder, client, field, object};

const BY_ID: &str = "SELECT Id, Name FROM Account WHERE Id IN :ids";

/// A clock that shows this time.
fn clock(at: &str) -> SharedClock {
    let millis = Timestamp::parse(at).expect(at).unix_millis();
    let since = Duration::from_millis(u64::try_from(millis).expect("after 1970"));
    SharedClock(Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH + since)))
}

/// An org with things that have a key, and so many accounts and contacts.
fn org(accounts: usize, contacts: usize) -> MockOrg {
    let key = FieldSpec::text("Key__c", 80).external_id().unique();
    let org = MockOrg::builder().object(ObjectSpec::new("Thing__c").field(key)).start();
    for number in 0..accounts {
        org.insert("Account", json!({"Name": format!("A{number}")}));
    }
    for number in 0..contacts {
        org.insert("Contact", json!({"LastName": format!("C{number}")}));
    }
    org
}

fn things(numbers: impl IntoIterator<Item = usize>) -> Vec<Record> {
    numbers.into_iter().map(|number| Record::new().with("Key__c", format!("k-{number}"))).collect()
}

/// Writes things one call after the other; gives the numbers of those that are not done, and why the run stopped.
async fn write(client: &Client, numbers: &[usize]) -> (Vec<usize>, Option<sforce::Error>) {
    let many = client.upsert_many(object("Thing__c"), field("Key__c")).by(WriteRoute::Collections).calls_at_once(1);
    let mut outcomes = many.run(stream::iter(things(numbers.iter().copied())));
    let mut open: BTreeSet<usize> = numbers.iter().copied().collect();
    while let Some(row) = outcomes.next().await {
        match row.outcome {
            WriteOutcome::Saved { .. } => {
                assert!(open.remove(&numbers[usize::try_from(row.row).expect("small")]), "one outcome each");
            }
            WriteOutcome::Deferred(_) => {}
            other => panic!("{other:?}"),
        }
    }
    (open.into_iter().collect(), outcomes.stopped().cloned())
}

fn keys(org: &MockOrg) -> usize {
    let keys: BTreeSet<String> = org.records("Thing__c").iter().map(|row| row["Key__c"].to_string()).collect();
    assert_eq!(keys.len(), org.count("Thing__c"), "none is doubled");
    keys.len()
}

#[tokio::test]
async fn heap_32_a_read_stops_hard_at_the_days_cap_and_goes_on_after_midnight_pacific() {
    let org = org(1_000, 0);
    org.set_page_size(100);
    // Half past eleven in the evening in Los Angeles, on the day before the clocks change.
    let clock = clock("2026-03-08T07:30:00Z");
    let budget = ApiBudget::per_pacific_day(4).clock(clock.clone());
    let client = builder(&org).clock(clock.clone()).budget(budget).build().expect("a client");
    let (mut names, mut cursor, mut stops) = (BTreeSet::new(), None, Vec::new());
    for _ in 0..5 {
        let soql = "SELECT Id, Name FROM Account ORDER BY Id";
        let mut rows = match cursor.take() {
            None => client.query::<Record>(soql),
            Some(cursor) => client.resume_query::<Record>(cursor),
        };
        let error = loop {
            match rows.try_next().await {
                Ok(Some(row)) => assert!(names.insert(row.text("Name").expect("a name").to_owned()), "told once"),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let Some(error) = error else { break };
        cursor = rows.cursor();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        let until = error.budget_stop().and_then(|stop| stop.until).expect("a time");
        stops.push(until.to_string());
        let wait = until.unix_millis() - Timestamp::from(clock.now()).unix_millis();
        clock.0.advance(Duration::from_millis(u64::try_from(wait).expect("later")));
    }
    assert_eq!((names.len(), org.calls(Operation::Query) + org.calls(Operation::QueryMore)), (1_000, 10));
    assert_eq!(stops, ["2026-03-08T08:00:00.000Z", "2026-03-09T07:00:00.000Z"], "a day of 23 hours between them");
}

#[tokio::test]
async fn heap_32_a_write_stops_hard_at_the_days_cap_and_loses_and_doubles_nothing() {
    let org = org(0, 0);
    let clock = clock("2026-07-01T20:00:00Z");
    let budget = ApiBudget::per_pacific_day(3).clock(clock.clone());
    let client = builder(&org).clock(clock.clone()).budget(budget).build().expect("a client");
    let (mut open, mut days) = ((0..1_500).collect::<Vec<usize>>(), 0);
    while !open.is_empty() {
        let before = org.api_calls();
        let (left, stopped) = write(&client, &open).await;
        assert!(org.api_calls() - before <= 3, "a hard stop");
        assert_eq!(keys(&org), 1_500 - left.len(), "what is said to be done is there, and nothing else");
        if let Some(error) = stopped {
            assert!(matches!(error.budget_stop().expect("ours").reason, StopReason::UsedUp { allowed: 3, .. }));
        }
        (open, days) = (left, days + 1);
        assert!(days < 5, "{} are open", open.len());
        clock.0.advance(Duration::from_hours(24));
    }
    assert_eq!(days, 3, "1,500 rows are 8 calls");
}

#[tokio::test]
async fn heap_32_a_push_that_used_up_its_day_is_finished_by_the_next_run() {
    let org = MockOrg::builder().engagement_session("Navattic_").start();
    let clock = clock("2026-07-01T20:00:00Z");
    let budget = ApiBudget::per_pacific_day(9).clock(clock.clone());
    let client = builder(&org).clock(clock.clone()).budget(budget).build().expect("a client");
    let map = session_map(&Prefix::default()).and_then(|map| map.compile(&Transforms::new())).expect("sound");
    let push = Push::builder(client, map).build().await.expect("the object is there");
    let session = |number: usize| {
        let session =
            Record::new().with("session_id", format!("s-{number}")).with("started_at", "2026-05-01T00:00:00Z");
        (number, Ok(session))
    };
    let mut runs = 0;
    loop {
        let mut deferred = 0;
        let count = |_, outcome: &Outcome| match outcome {
            Outcome::Created(_) | Outcome::Unchanged(_) => {}
            Outcome::Deferred(error) => {
                assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
                deferred += 1;
            }
            other => panic!("{other:?}"),
        };
        let ended = push.run(stream::iter((0..2_000).map(session)), count).await;
        runs += 1;
        let Err(error) = ended else { break };
        assert!(deferred > 0 && error.budget_stop().is_some(), "{error}");
        assert!(runs < 6, "each day brings it on");
        clock.0.advance(Duration::from_hours(24));
    }
    assert!(runs > 1);
    assert_eq!(org.count("Navattic_Session__c"), 2_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gpt_21_workers_of_a_connection_share_15000_calls_a_day_through_a_store() {
    let org = org(1, 0);
    let store = Arc::new(MemoryStore::default());
    let clock = clock("2026-07-01T20:00:00Z");
    let worker = || {
        let budget = ApiBudget::per_day(15_000).clock(clock.clone()).shared(Arc::clone(&store), "connection-1");
        let budget = budget.expect("a name");
        (builder(&org).clock(clock.clone()).budget(budget.clone()).build().expect("a client"), budget)
    };
    let workers: Vec<_> = (0..4).map(|_| worker()).collect();
    // A job has set most of the day aside.
    let permit = workers[0].1.reserve(14_900).await.expect("there");
    let run = |client: Client| async move {
        let mut made = 0;
        loop {
            match client.count("SELECT COUNT() FROM Account").await {
                Ok(_) => made += 1,
                Err(error) => return (made, error),
            }
        }
    };
    let runs = workers.iter().flat_map(|(client, _)| [client.clone(), client.clone()]).map(run);
    let ended = futures_util::future::join_all(runs).await;
    let made: u64 = ended.iter().map(|(made, _)| made).sum();
    assert_eq!((made, org.api_calls()), (100, 100), "not one more");
    for (_, error) in ended {
        let stop = error.budget_stop().expect("ours");
        assert!(matches!(stop.reason, StopReason::UsedUp { allowed: 15_000, .. }), "{error}");
    }
    let job = workers[0].0.with_permit(permit.clone());
    job.count("SELECT COUNT() FROM Account").await.expect("set aside");
    permit.release().await.expect("released");
    workers[3].0.count("SELECT COUNT() FROM Account").await.expect("the rest is for all");

    // Another connection has a budget of its own, and so has the next day.
    let other = ApiBudget::per_day(1).clock(clock.clone()).shared(Arc::clone(&store), "connection-2").expect("a name");
    assert_eq!(other.report().await.expect("told").left, Some(1));
    clock.0.advance(Duration::from_hours(25));
    assert_eq!(workers[1].1.report().await.expect("told").left, Some(15_000));
}

#[tokio::test]
async fn calls_that_are_set_aside_are_kept_for_their_job_and_come_back_when_it_ends() {
    let org = org(1, 0);
    let budget = ApiBudget::per_day(10);
    let client = builder(&org).budget(budget.clone()).build().expect("a client");
    let permit = budget.reserve(4).await.expect("there");
    let job = client.with_permit(permit);
    let soql = "SELECT COUNT() FROM Account";
    for _ in 0..6 {
        client.count(soql).await.expect("not set aside");
    }
    let error = client.count(soql).await.expect_err("the rest is the job's");
    assert!(
        matches!(error.budget_stop().map(|stop| stop.reason), Some(StopReason::UsedUp { allowed: 10, .. })),
        "{error}"
    );
    for _ in 0..3 {
        job.count(soql).await.expect("set aside");
    }
    drop(job);
    client.count(soql).await.expect("what the job left");
    client.count(soql).await.expect_err("used up");
    assert_eq!(org.api_calls(), 10);
}

#[tokio::test]
async fn smv_40_each_phase_and_operation_has_its_calls_and_a_used_up_org_says_what_to_do() {
    let org = org(300, 0);
    org.set_page_size(100);
    let client = builder(&org).budget(ApiBudget::per_day(1_000)).build().expect("a client");
    let first = client.in_phase("initial sync");
    first.query::<Record>("SELECT Id FROM Account").collect().await.expect("read");
    write(&first, &(0..450).collect::<Vec<_>>()).await;
    let later = client.in_phase("incremental");
    later.count("SELECT COUNT() FROM Account").await.expect("counted");
    let report = client.budget().report().await.expect("told");
    let phases: Vec<(&str, u64)> = report.phases.iter().map(|phase| (phase.phase.as_str(), phase.calls)).collect();
    assert_eq!(phases, [("initial sync", 6), ("incremental", 1)]);
    let operations: Vec<(&str, u64)> =
        report.phases[0].operations.iter().map(|(name, calls)| (name.as_str(), *calls)).collect();
    assert_eq!(operations, [("collections.upsert", 3), ("query", 1), ("query.more", 2)]);
    assert_eq!((report.caps[0].used, client.api_calls(), org.api_calls()), (7, 7, 7));

    org.set_daily_limit(7);
    let error = later.count("SELECT COUNT() FROM Account").await.expect_err("the org has none left");
    assert_eq!((error.kind(), error.budget_stop()), (ErrorKind::LimitExceeded, None));
    let advice = error.advice().expect("advice");
    for word in ["edition", "24 hours", "first sync costs most", "buy more"] {
        assert!(advice.contains(word), "{advice}");
    }
}

#[tokio::test]
async fn smv_41_both_models_of_a_day_hold_at_once_and_are_told() {
    let org = org(1, 0);
    // Eleven in the evening there: the Pacific day ends an hour later, the rolling one does not.
    let clock = clock("2026-07-02T06:00:00Z");
    let budget = ApiBudget::per_day(5).and(3, BudgetWindow::PacificDay).clock(clock.clone());
    let client = builder(&org).clock(clock.clone()).budget(budget.clone()).build().expect("a client");
    let call = || client.count("SELECT COUNT() FROM Account");
    for _ in 0..3 {
        call().await.expect("three a Pacific day");
    }
    let stop = call().await.expect_err("used up").budget_stop().cloned().expect("ours");
    assert_eq!(stop.reason, StopReason::UsedUp { window: BudgetWindow::PacificDay, allowed: 3 });
    assert_eq!(stop.until.expect("a time").to_string(), "2026-07-02T07:00:00.000Z");
    clock.0.advance(Duration::from_hours(1));
    for _ in 0..2 {
        call().await.expect("five in 24 hours");
    }
    let stop = call().await.expect_err("used up").budget_stop().cloned().expect("ours");
    assert_eq!(stop.reason, StopReason::UsedUp { window: BudgetWindow::ROLLING_DAY, allowed: 5 });
    assert_eq!(stop.until.expect("a time").to_string(), "2026-07-03T06:30:00.000Z", "by the half hour");
    let report = budget.report().await.expect("told");
    let told: Vec<(u64, u64)> = report.caps.iter().map(|cap| (cap.used, cap.left)).collect();
    assert_eq!(told, [(5, 0), (2, 1)]);
}

#[tokio::test]
async fn smv_52_usage_is_told_by_header_limits_resource_and_budget_together() {
    let org = org(1, 0);
    org.set_app_quota("ours", 250);
    let client = builder(&org).budget(ApiBudget::per_day(100)).build().expect("a client");
    client.count("SELECT COUNT() FROM Account").await.expect("counted");
    let usage = client.usage().await.expect("told");
    let header = usage.header.as_ref().expect("told");
    assert_eq!((header.api.used, header.api.allowed, header.per_app.expect("told").allowed), (2, 15_000, 250));
    let resource = usage.api_calls.as_ref().expect("told");
    assert_eq!((resource.max, resource.remaining), (Some(15_000), Some(14_998)));
    assert_eq!(usage.bulk_query_jobs.as_ref().and_then(|limit| limit.max), Some(10_000));
    assert_eq!(usage.bulk_batches.as_ref().and_then(|limit| limit.max), Some(15_000));
    assert_eq!((usage.budget.caps[0].used, usage.own_calls, usage.left_in_org()), (2, 2, Some(14_998)));
    assert_eq!(client.calls_left(), Some(98), "of the budget's hundred");
    assert!(usage.concurrency > 0 && usage.limits_error.is_none());
    let text = usage.to_string();
    for line in
        ["2 of 15000 API calls of 24 hours used", "this app: 2 of 250", "10000 of 10000 bulk query jobs", "2 of 100"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }

    org.faults().on(Operation::Limits).error(403, "INSUFFICIENT_ACCESS", "no View Setup").always();
    let usage = client.usage().await.expect("told all the same");
    assert_eq!(usage.limits_error.as_ref().map(sforce::Error::kind), Some(ErrorKind::Forbidden));
    assert!(usage.api_calls.is_none() && usage.header.is_some() && usage.budget.caps[0].used == 3);
}

#[tokio::test]
async fn smv_53_a_first_sync_keeps_to_its_hours_and_goes_on_where_it_stopped() {
    let org = org(0, 0);
    // Half an hour before the night begins in Berlin.
    let clock = clock("2026-05-04T17:30:00Z");
    let client = builder(&org).clock(clock.clone()).build().expect("a client");
    let nights = client.only_during(OffPeakHours::new("Europe/Berlin", "20:00", "06:00").expect("hours"));
    let (open, stopped) = write(&nights, &(0..600).collect::<Vec<_>>()).await;
    let stop = stopped.as_ref().and_then(sforce::Error::budget_stop).expect("ours");
    assert_eq!(
        (stop.reason, stop.until.expect("a time").to_string()),
        (StopReason::OutsideHours, "2026-05-04T18:00:00.000Z".into())
    );
    assert_eq!((open.len(), org.api_calls()), (600, 0), "nothing was sent");
    nights.interactive().count("SELECT COUNT() FROM Account").await.expect("a person waits");
    client.count("SELECT COUNT() FROM Account").await.expect("other work is for any hour");
    clock.0.advance(Duration::from_mins(30));
    let (open, stopped) = write(&nights, &open).await;
    assert!(open.is_empty() && stopped.is_none());
    assert_eq!(keys(&org), 600);
}

#[tokio::test]
async fn smv_53_a_job_is_paused_and_resumed_without_a_row_lost_or_doubled() {
    let org = org(0, 0);
    let budget = ApiBudget::unlimited();
    let client = builder(&org).budget(budget.clone()).build().expect("a client");
    let many = client.upsert_many(object("Thing__c"), field("Key__c")).calls_at_once(1);
    let mut outcomes = many.run(stream::iter(things(0..2_000)));
    let (mut done, mut deferred) = (BTreeSet::new(), 0);
    while let Some(row) = outcomes.next().await {
        match row.outcome {
            WriteOutcome::Saved { .. } => assert!(done.insert(usize::try_from(row.row).expect("small"))),
            WriteOutcome::Deferred(error) => {
                assert_eq!(error.budget_stop().expect("ours").reason, StopReason::Paused);
                deferred += 1;
            }
            other => panic!("{other:?}"),
        }
        if done.len() == 350 {
            budget.pause().await.expect("paused");
        }
    }
    assert!(outcomes.stopped().is_some() && deferred > 0);
    assert!((350..1_000).contains(&done.len()), "{}", done.len());
    assert_eq!(keys(&org), done.len(), "calls on their way were not ended");
    let calls = org.api_calls();
    let open: Vec<usize> = (0..2_000).filter(|number| !done.contains(number)).collect();
    assert!(write(&client, &open).await.1.is_some() && org.api_calls() == calls, "still paused");
    budget.resume().await.expect("resumed");
    let (open, stopped) = write(&client, &open).await;
    assert!(open.is_empty() && stopped.is_none());
    assert_eq!(keys(&org), 2_000);
}

#[tokio::test]
async fn nav_33_writes_keep_the_pace_that_was_set() {
    let org = org(0, 0);
    let clock = clock("2026-07-01T20:00:00Z");
    let client = builder(&org).clock(clock.clone()).build().expect("a client");
    let gently = client.paced(Pace::at_most(6, Duration::from_mins(1)));
    let (open, stopped) = write(&gently, &(0..1_000).collect::<Vec<_>>()).await;
    assert!(open.is_empty() && stopped.is_none());
    assert_eq!(clock.monotonic(), Duration::from_secs(40), "five calls, ten seconds apart");
    client.count("SELECT COUNT() FROM Account").await.expect("at once");
    assert_eq!(clock.monotonic(), Duration::from_secs(40));
}

#[tokio::test]
async fn calls_that_come_back_soon_are_waited_for() {
    let org = org(1, 0);
    let clock = clock("2026-07-01T20:00:00Z");
    let budget = ApiBudget::new(4, Duration::from_secs(10)).clock(clock.clone());
    let client = builder(&org).clock(clock.clone()).budget(budget).build().expect("a client");
    for _ in 0..10 {
        client.count("SELECT COUNT() FROM Account").await.expect("now or soon");
    }
    assert!((20..30).contains(&clock.monotonic().as_secs()), "{:?}", clock.monotonic());
    assert_eq!(org.api_calls(), 10);
}

#[tokio::test]
async fn heap_31_an_hourly_run_costs_what_was_estimated_and_never_more_than_promised() {
    for (accounts, contacts) in [(0, 0), (1, 0), (3, 4), (2_001, 10), (2_100, 2_300)] {
        let org = org(accounts, contacts);
        let client = client(&org);
        let since = Timestamp::parse("2020-01-01T00:00:00Z").expect("a time");
        let mut read = 0;
        for name in ["Account", "Contact"] {
            let changed = sforce::types::Soql::select(["Id"]).from(name);
            let changed =
                changed.filter(sforce::types::soql::field("SystemModstamp").ge(since)).build().expect("builds");
            read += client.query::<Record>(changed).collect().await.expect("read").len() as u64;
        }
        assert_eq!(read, (accounts + contacts) as u64);
        let told = estimate::incremental_read(2, read);
        let calls = client.api_calls();
        assert!((told.at_least..=told.at_most).contains(&calls), "{calls}: {told}");
        let exactly = estimate::query(accounts as u64) + estimate::query(contacts as u64);
        assert_eq!(exactly, CallEstimate::exactly(calls));
        assert!(calls <= 2 + read.div_ceil(2_000), "the promise");
    }
}

/// What a run costs, beside what it was estimated at.
async fn cost<T>(client: &Client, told: CallEstimate, run: impl Future<Output = sforce::Result<T>>) {
    let before = client.api_calls();
    run.await.expect("runs");
    let calls = client.api_calls() - before;
    assert!((told.at_least..=told.at_most).contains(&calls), "{calls} calls, told were {told}");
}

#[tokio::test]
async fn what_is_estimated_is_what_runs_cost() {
    let org = org(1_200, 0);
    let client = client(&org);
    let ids: Vec<RecordId> = org
        .records("Account")
        .iter()
        .map(|row| RecordId::new(row["Id"].as_str().expect("an id")).expect("an id"))
        .collect();

    let told = estimate::in_list(BY_ID, "ids", 1_200).expect("a statement");
    assert_eq!(told.at_least, told.at_most);
    cost(&client, told, async {
        for query in split_in_list(BY_ID, "ids", &ids)? {
            client.query::<Record>(query).collect().await?;
        }
        Ok(())
    })
    .await;

    cost(&client, estimate::collections(901), async {
        let totals = client
            .upsert_many(object("Thing__c"), field("Key__c"))
            .by(WriteRoute::Collections)
            .run(stream::iter(things(0..901)));
        assert_eq!(totals.totals(|_| ()).await.done, 901);
        Ok(())
    })
    .await;
    cost(&client, estimate::packed(2_300), async {
        let many = client.upsert_many(object("Thing__c"), field("Key__c")).by(WriteRoute::Packed);
        assert_eq!(many.run(stream::iter(things(0..2_300))).totals(|_| ()).await.done, 2_300);
        Ok(())
    })
    .await;

    let upsert = IngestOperation::Upsert { key: field("Key__c") };
    let told = estimate::bulk_ingest(60_000, Duration::from_millis(500));
    cost(&client, told, async {
        let mut outcomes =
            client.bulk_ingest(object("Thing__c"), upsert).write(|| things(0..5_000), Duration::from_mins(1));
        while outcomes.try_next().await?.is_some() {}
        Ok(())
    })
    .await;
    let told = estimate::bulk_query(5_000, Duration::from_millis(500));
    cost(&client, told, async {
        let job = client.bulk_query("SELECT Id FROM Thing__c").create().await?;
        job.wait(Duration::from_mins(1)).await?;
        assert_eq!(job.rows().records(sforce::types::wire::FieldTypes::new([])).collect().await?.len(), 5_000);
        job.delete().await
    })
    .await;
}

#[tokio::test]
async fn smv_24_a_read_is_planned_by_the_number_of_records_and_the_calls_that_are_left() {
    let org = org(30, 0);
    let client = builder(&org).budget(ApiBudget::per_day(40)).build().expect("a client");
    let plan = client.plan_read(&object("Account")).await.expect("planned");
    assert_eq!((plan.by, plan.rows, plan.calls), (ReadBy::Query, 30, CallEstimate::exactly(1)));
    cost(&client, plan.calls, client.query::<Record>("SELECT Id FROM Account").collect()).await;

    let many = |count: u64| move |answer: &mut serde_json::Value| answer["sObjects"][0]["count"] = count.into();
    org.faults().on(Operation::RecordCount).edit(many(1_000_000)).once();
    let plan = client.plan_read(&object("Account")).await.expect("planned");
    assert_eq!((plan.by, plan.rows), (ReadBy::BulkQuery, 1_000_000));
    assert!(plan.calls.at_most < 500, "{plan:?}");

    // The hint is the least of what the budget, the app's quota and the org leave, and of the org our share alone.
    assert_eq!(client.calls_left(), Some(37));
    let greedy = builder(&org).budget(ApiBudget::unlimited().share_of_org(10)).build().expect("a client");
    assert_eq!(greedy.calls_left(), None, "nothing is known yet");
    org.set_daily_limit(100 + org.api_calls());
    greedy.count("SELECT COUNT() FROM Account").await.expect("ours");
    assert_eq!(greedy.calls_left(), Some(9), "ten of the hundred that others leave, one of them used");
    org.set_app_quota("ours", org.api_calls() + 3);
    greedy.count("SELECT COUNT() FROM Account").await.expect("ours");
    assert_eq!(greedy.calls_left(), Some(2), "one of three was used");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nav_33_the_rate_of_locks_and_the_parents_in_the_way_are_told() {
    let org = MockOrg::start();
    let key = FieldSpec::text("Key__c", 80).external_id().unique();
    org.add_object(ObjectSpec::new("Visit__c").field(key).field(FieldSpec::lookup("Account__c", "Account")));
    let accounts: Vec<String> =
        (0..40).map(|number| org.insert("Account", json!({"Name": format!("A{number}")}))).collect();
    // Each third row is of one account, so that its calls meet; nobody has said that it is a parent.
    let account = |number: usize| &accounts[if number.is_multiple_of(3) { 0 } else { number % 40 }];
    let rows = |count: usize| {
        (0..count)
            .map(|number| json!({"Key__c": format!("v-{number}"), "Account__c": account(number)}))
            .collect::<Vec<_>>()
    };

    // Salesforce names no record: then those that the row refers to.
    org.faults().on(Operation::CollectionsUpsert).lock_rows(|place, _| place == 0).once();
    let many = client(&org).upsert_many(object("Visit__c"), field("Key__c"));
    let totals = many.run(stream::iter(rows(20))).totals(|_| ()).await;
    assert_eq!((totals.done, totals.locks.tries, totals.locks.locked), (20, 21, 1), "{:?}", totals.locks);
    assert_eq!(totals.locks.parents[0].id.as_str(), accounts[0]);

    // Salesforce names the record that is in the way.
    org.lock_parents();
    org.set_latency(Duration::from_millis(2));
    let many = client(&org).upsert_many(object("Visit__c"), field("Key__c"));
    let totals = many.run(stream::iter(rows(2_000))).totals(|_| ()).await;
    let told = &totals.locks;
    assert_eq!(told.tries, totals.done + told.locked, "each try ends in one of them: {told}");
    assert!(told.locked > 0 && told.rate() > 0.0 && told.parents.len() <= 10, "{told}");
    assert_eq!(told.parents[0].id.as_str(), accounts[0], "most rows are its own: {told}");
    // With the parents named, no row meets one.
    let many = client(&org).upsert_many(object("Visit__c"), field("Key__c")).parents([field("Account__c")]);
    let totals = many.run(stream::iter(rows(2_000))).totals(|_| ()).await;
    assert_eq!((totals.locks.locked, totals.locks.tries), (0, 2_000), "{}", totals.locks);
}
