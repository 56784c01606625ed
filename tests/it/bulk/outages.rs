//! An org that does not answer for a while, and time that runs out.

use std::time::Duration;

use sforce::api::bulk::{IngestOperation, RowOutcome, RowOutcomes};
use sforce::testing::org::Operation;
use sforce::types::Record;
use sforce::{ErrorKind, Retry};

use super::{HOUR, THING, org, thing, upsert};
use crate::support::{SharedClock, builder, client};

/// Attempts of one call, and then some: a call alone gives up sooner.
const OUTAGE: u64 = 40;

async fn all(mut outcomes: RowOutcomes) -> Vec<RowOutcome> {
    let mut all = Vec::new();
    while let Some((_, outcome)) = outcomes.try_next().await.expect("goes on") {
        all.push(outcome);
    }
    all
}

#[tokio::test]
async fn an_outage_while_a_job_is_at_work_makes_no_row_unknown() {
    for reset in [false, true] {
        let org = org();
        org.bulk().complete_after_polls(3);
        let fault = org.faults().on(Operation::IngestGet);
        if reset {
            fault.reset().after(1).times(OUTAGE);
        } else {
            fault.status(503).after(1).times(OUTAGE);
        }
        let clock = SharedClock::default();
        let client = builder(&org).clock(clock.clone()).build().expect("a client");
        let outcomes = all(client.bulk_ingest(THING, upsert()).write(|| (0..50).map(thing), HOUR)).await;
        assert_eq!((outcomes.len(), org.count("Thing__c")), (50, 50));
        assert!(outcomes.iter().all(RowOutcome::is_saved), "{:?}", outcomes[0]);
        assert!(clock.0.slept().iter().sum::<Duration>() > Duration::from_secs(20), "longer than one call repeats");
    }
}

#[tokio::test]
async fn the_deadline_ends_the_waiting_for_an_org_that_never_answers() {
    let org = org();
    let clock = SharedClock::default();
    let client = builder(&org).clock(clock.clone()).build().expect("a client");
    let job = client.bulk_ingest(THING, IngestOperation::Insert).create().await.expect("made");
    job.upload(|| [thing(1)]).await.expect("uploaded");
    job.close().await.expect("closed");
    org.faults().on(Operation::IngestGet).status(503).always();
    let before: Duration = clock.0.slept().iter().sum();
    let error = job.wait(Duration::from_mins(10)).await.expect_err("never");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::After(None)), "{error:?}");
    let waited = clock.0.slept().iter().sum::<Duration>().saturating_sub(before);
    assert!(waited >= Duration::from_mins(10) && waited < Duration::from_mins(12), "{waited:?}");
    // What says something of the job, or of the session, ends it at once.
    org.faults().clear();
    org.faults().on(Operation::IngestGet).error(404, "NOT_FOUND", "no such job").always();
    assert_eq!(job.wait(HOUR).await.expect_err("gone").kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_job_whose_closing_failed_is_looked_at_and_closed_if_it_is_open() {
    // Neither was carried out; and then with the answers lost alone.
    for carried_out in [false, true] {
        let org = org();
        let fault = org.faults().on(Operation::IngestPatch);
        if carried_out {
            fault.apply_then_reset().times(OUTAGE);
        } else {
            fault.status(503).times(OUTAGE);
        }
        let outcomes = all(client(&org).bulk_ingest(THING, upsert()).write(|| (0..50).map(thing), HOUR)).await;
        assert_eq!((outcomes.len(), org.count("Thing__c")), (50, 50), "{carried_out}");
        assert!(outcomes.iter().all(RowOutcome::is_saved), "{:?}", outcomes[0]);
    }
}

#[tokio::test]
async fn rows_of_a_job_that_was_never_closed_are_unprocessed_and_not_unknown() {
    // Whatever the reason: a refusal, or an outage that lasts.
    for (status, code) in [(403, "REQUEST_LIMIT_EXCEEDED"), (503, "SERVER_UNAVAILABLE")] {
        let org = org();
        let fault = org.faults().on(Operation::IngestPatch).error(status, code, "not now");
        if status == 403 {
            fault.once();
        } else {
            // Two closings of six attempts each; what aborts it is answered.
            fault.times(6 + 6);
        }
        let write = client(&org).bulk_ingest(THING, upsert()).write(|| (0..50).map(thing), Duration::from_secs(10));
        let outcomes = all(write).await;
        assert_eq!((outcomes.len(), org.count("Thing__c")), (50, 0), "{status}");
        for outcome in outcomes {
            let RowOutcome::Unprocessed(error) = outcome else { panic!("{outcome:?}") };
            assert!(error.has_code(code), "{error:?}");
        }
        assert_eq!(org.bulk().jobs()[0].1, "Aborted", "{status}");
    }
}

#[tokio::test]
async fn no_job_is_made_after_the_deadline() {
    let org = org();
    let clock = SharedClock::default();
    let client = builder(&org).clock(clock.clone()).build().expect("a client");
    // A source whose rows take their time: a second each.
    let rows = move || {
        let clock = clock.clone();
        (0..1000).map(move |number| {
            clock.0.advance(Duration::from_secs(1));
            thing(number)
        })
    };
    let write = client.bulk_ingest(THING, upsert()).max_upload_bytes(5_000);
    let mut write = write.write(rows, Duration::from_mins(5));
    let mut told = 0_u64;
    let error = loop {
        match write.try_next().await {
            Ok(Some(_)) => told += 1,
            Ok(None) => panic!("not all rows were sent"),
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::After(None)), "{error:?}");
    assert!(error.to_string().contains(&format!("row {told}")), "{told}: {error}");
    assert!((300..500).contains(&told), "{told}: the one that was on its way is the last");
    assert_eq!(org.bulk().jobs().len(), write.jobs().len());
}

#[tokio::test]
async fn rows_that_csv_cannot_carry_are_told_while_the_others_are_on_their_way() {
    // As many as these would not fit into memory: none of them is good.
    let org = org();
    let bad = || (0_u64..).map(|_| Record::new().with("Key__c", "#N/A"));
    let mut write = client(&org).bulk_ingest(THING, upsert()).write(bad, HOUR);
    for number in 0..50_000 {
        let (row, outcome) = write.try_next().await.expect("goes on").expect("without end");
        assert!(row == number && matches!(outcome, RowOutcome::Failed(_)), "{row}: {outcome:?}");
    }
    drop(write);

    // Each is told once, however often the rows are told.
    let rows = || {
        (0_u32..60_000).map(|number| {
            let key = if number % 6 == 0 { format!("key-{number}") } else { "#N/A".to_owned() };
            Record::new().with("Key__c", key).with("Note__c", "x".repeat(20))
        })
    };
    org.faults().on(Operation::IngestUpload).reset().times(2);
    let mut write = client(&org).bulk_ingest(THING, upsert()).content_length(true).write(rows, HOUR);
    let mut seen = vec![false; 60_000];
    while let Some((row, outcome)) = write.try_next().await.expect("goes on") {
        let place = usize::try_from(row).expect("small");
        assert!(!std::mem::replace(&mut seen[place], true), "row {row} twice");
        assert_eq!(outcome.is_saved(), row % 6 == 0, "{outcome:?}");
    }
    assert!(seen.iter().all(|seen| *seen));
    let report = write.report().expect("at the end");
    assert_eq!((report.rows, report.saved, report.failed), (60_000, 10_000, 50_000));
}
