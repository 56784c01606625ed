//! Any number of rows, and one outcome for each.

use std::collections::HashMap;

use serde_json::json;
use sforce::api::bulk::{BulkReport, IngestOperation, RowOutcome, RowOutcomes};
use sforce::testing::org::Operation;
use sforce::types::{Record, RecordId, Value};
use sforce::{ErrorKind, Retry};

use super::{HOUR, THING, org, thing, upsert};
use crate::support::client;

/// All outcomes by row; each row has one.
async fn outcomes(mut outcomes: RowOutcomes) -> (HashMap<u64, RowOutcome>, BulkReport) {
    let mut all = HashMap::new();
    while let Some((row, outcome)) = outcomes.try_next().await.expect("goes on") {
        assert!(all.insert(row, outcome).is_none(), "row {row} twice");
    }
    let report = outcomes.report().expect("at the end").clone();
    let told = report.saved + report.failed + report.unprocessed + report.unknown;
    assert_eq!((all.len() as u64, told), (report.rows, report.rows), "{report:?}");
    (all, report)
}

fn words(outcome: &RowOutcome) -> &'static str {
    match outcome {
        RowOutcome::Saved { created: true, .. } => "created",
        RowOutcome::Saved { .. } => "updated",
        RowOutcome::Failed(error) if error.salesforce().is_empty() => "refused here",
        RowOutcome::Failed(_) => "refused",
        RowOutcome::Unprocessed(_) => "unprocessed",
        _ => "unknown",
    }
}

/// A row by its number: what it is, and what becomes of it.
fn mixed(number: usize) -> (Record, &'static str) {
    let row = Record::new()
        .with("Key__c", format!("key, \"{number}\""))
        .with("Number__c", i64::try_from(number).expect("small"));
    match number % 7 {
        0 => (row.with("Note__c", "a text of more than twenty characters"), "refused"),
        1 => (row.with("Note__c", "#N/A"), "refused here"),
        2 => (row.with("Note__c", Value::Null), "updated"),
        3 => (row.with("Unknown__c", "x"), "refused here"),
        _ => (row.with("Note__c", "two\nlines"), "created"),
    }
}

#[tokio::test]
async fn any_mix_of_outcomes_reaches_its_own_rows_over_many_jobs() {
    let org = org();
    for number in (2..3000).step_by(7) {
        org.insert("Thing__c", json!({"Key__c": format!("key, \"{number}\"")}));
    }
    let write = client(&org)
        .bulk_ingest(THING, upsert())
        .max_upload_bytes(20_000)
        .write(|| (0..3000).map(|number| mixed(number).0), HOUR);
    let (all, report) = outcomes(write).await;
    assert!(report.jobs.len() > 3, "{}", report.jobs.len());
    assert_eq!((report.rows, report.unmatched), (3000, 0));
    for number in 0..3000_u32 {
        let place = usize::try_from(number).expect("small");
        let outcome = &all[&u64::from(number)];
        let expected = mixed(place).1;
        assert_eq!(words(outcome), expected, "row {number}: {outcome:?}");
        if let RowOutcome::Saved { id, .. } = outcome {
            assert_eq!(org.record(id.as_str()).expect("there")["Key__c"], json!(format!("key, \"{number}\"")));
        }
        if expected == "refused here" && number % 7 == 3 {
            let RowOutcome::Failed(error) = outcome else { panic!("{outcome:?}") };
            assert!(error.to_string().contains("field Unknown__c"), "{error}");
        }
    }
}

#[tokio::test]
async fn rows_without_a_key_are_joined_by_all_they_hold() {
    let org = org();
    let row = |number: u32| {
        Record::new()
            .with("Note__c", format!("n{}", number % 50))
            .with("Number__c", sforce::types::Decimal::parse(&format!("91226003{}.50", number % 5)).expect("a number"))
            .with("When__c", sforce::types::Timestamp::parse("2026-05-01T07:25:37+02:00").expect("a time"))
            .with("Flag__c", number.is_multiple_of(2))
            .with("Account__c", if number.is_multiple_of(90) { Value::from("001000000000000") } else { Value::Null })
    };
    let write = client(&org).bulk_ingest(THING, IngestOperation::Insert).write(move || (0..500).map(row), HOUR);
    let (all, report) = outcomes(write).await;
    assert_eq!((report.unmatched, report.unknown), (0, 0));
    let mut ids = std::collections::HashSet::new();
    for number in 0..500_u32 {
        match &all[&u64::from(number)] {
            RowOutcome::Saved { id, created: true } => {
                let saved = org.record(id.as_str()).expect("there");
                assert_eq!(
                    (&saved["Note__c"], &saved["Flag__c"]),
                    (&json!(format!("n{}", number % 50)), &json!(number % 2 == 0))
                );
                assert!(ids.insert(*id), "each record is of one row");
            }
            RowOutcome::Failed(_) => assert_eq!(number % 90, 0, "no such account"),
            other => panic!("{number}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn rows_that_no_job_looked_at_and_rows_that_are_nowhere_are_told_apart() {
    let org = org();
    org.bulk().set_batch_rows(10);
    org.bulk().fail_next_ingest("InvalidBatch", "something broke", 20);
    let rows = || (0..100).map(thing);
    let (all, report) = outcomes(client(&org).bulk_ingest(THING, upsert()).write(rows, HOUR)).await;
    assert_eq!((report.saved, report.unprocessed, report.unknown), (20, 80, 0), "{report:?}");
    let why =
        all.values().find_map(|outcome| if let RowOutcome::Unprocessed(error) = outcome { Some(error) } else { None });
    assert!(why.expect("some").has_code("INVALID_BATCH"));

    let org = super::org();
    org.bulk().set_batch_rows(10);
    org.bulk().set_daily_batches(3);
    let (all, report) = outcomes(client(&org).bulk_ingest(THING, upsert()).write(rows, HOUR)).await;
    assert_eq!((report.saved, report.unknown), (30, 70), "{report:?}");
    assert_eq!(all.values().filter(|outcome| outcome.is_saved()).count(), org.count("Thing__c"));
}

#[tokio::test]
async fn a_storm_of_faults_ends_with_one_outcome_and_one_record_each() {
    let org = org();
    for (seed, operation) in
        [Operation::IngestUpload, Operation::IngestPatch, Operation::IngestGet].into_iter().enumerate()
    {
        let seed = seed as u64;
        org.faults().on(operation).apply_then_reset().randomly(200, seed);
        org.faults().on(operation).status(503).randomly(200, seed + 10);
    }
    org.faults().on(Operation::IngestSuccessful).truncate(3000).randomly(500, 5);
    let write = client(&org).bulk_ingest(THING, IngestOperation::Insert).key_columns(["key__c"]);
    let (all, report) = outcomes(write.max_upload_bytes(30_000).write(|| (0..5000).map(thing), HOUR)).await;
    assert_eq!((report.saved, org.count("Thing__c")), (5000, 5000), "{report:?}");
    for (row, outcome) in all {
        let RowOutcome::Saved { id, .. } = outcome else { panic!("{row}: {outcome:?}") };
        assert_eq!(org.record(id.as_str()).expect("there")["Key__c"], json!(format!("key-{row:06}")));
    }
}

#[tokio::test]
async fn jobs_that_outlast_the_deadline_are_unknown_and_not_lost() {
    let org = org();
    org.bulk().complete_after_polls(1000);
    let client = client(&org);
    let mut write = client.bulk_ingest(THING, upsert()).write(|| (0..10).map(thing), std::time::Duration::from_secs(5));
    let mut unknown = 0;
    while let Some((_, outcome)) = write.try_next().await.expect("goes on") {
        let RowOutcome::Unknown(error) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.retry(), Retry::After(None));
        unknown += 1;
    }
    assert_eq!((unknown, write.jobs().len()), (10, 1));
    org.bulk().complete_after_polls(1);
    let job = client.ingest_job(write.jobs().remove(0));
    assert_eq!(job.wait(HOUR).await.expect("complete").number_records_processed, Some(10));
}

#[tokio::test]
async fn what_stops_the_work_comes_after_the_outcomes_of_what_was_sent() {
    let org = org();
    org.faults()
        .on(Operation::IngestCreate)
        .error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        .after(1)
        .always();
    let mut write =
        client(&org).bulk_ingest(THING, upsert()).max_upload_bytes(5_000).write(|| (0..1000).map(thing), HOUR);
    let mut rows = Vec::new();
    let error = loop {
        match write.try_next().await {
            Ok(Some((row, outcome))) => {
                assert!(outcome.is_saved());
                rows.push(row);
            }
            Ok(None) => panic!("the limit is told"),
            Err(error) => break error,
        }
    };
    rows.sort_unstable();
    assert_eq!(rows, (0..rows.len() as u64).collect::<Vec<_>>());
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.to_string().contains(&format!("row {}", rows.len())), "{error}");
    assert_eq!(org.count("Thing__c"), rows.len());
    assert!(write.try_next().await.is_err(), "it stays");
}

#[tokio::test]
async fn rows_without_the_key_column_are_refused_before_a_job_is_made() {
    let org = org();
    let mut write = client(&org).bulk_ingest(THING, upsert()).write(|| [Record::new().with("Note__c", "x")], HOUR);
    let error = write.try_next().await.expect_err("no key");
    assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("field Key__c"), "{error}");
    let nothing = client(&org).bulk_ingest(THING, upsert()).write(Vec::<Record>::new, HOUR);
    let (all, report) = outcomes(nothing).await;
    assert!(all.is_empty() && report.jobs.is_empty());
    let bad = client(&org).bulk_ingest(THING, upsert()).write(|| [Record::new().with("Key__c", "#N/A")], HOUR);
    assert_eq!(words(&outcomes(bad).await.0[&0]), "refused here");
    assert_eq!(org.calls(Operation::IngestCreate), 0);
}

#[tokio::test]
async fn deletions_know_their_rows_by_ids_of_15_and_18_characters() {
    let org = org();
    let ids: Vec<String> =
        (0..40).map(|number| org.insert("Thing__c", json!({"Key__c": format!("k{number}")}))).collect();
    let rows: Vec<Record> = ids
        .iter()
        .enumerate()
        .map(|(number, id)| Record::new().with("Id", if number % 2 == 0 { id.as_str() } else { &id[..15] }))
        .collect();
    let write = client(&org).bulk_ingest(THING, IngestOperation::Delete).write(move || rows.clone(), HOUR);
    let (all, _) = outcomes(write).await;
    for (row, outcome) in all {
        let RowOutcome::Saved { id, created: false } = outcome else { panic!("{outcome:?}") };
        assert_eq!(id, RecordId::new(&ids[usize::try_from(row).expect("small")]).expect("an id"));
    }
    assert_eq!(org.count("Thing__c"), 0);
}

#[tokio::test]
async fn keys_of_any_characters_find_their_rows() {
    use sforce::api::bulk::{Delimiter, LineEnding};
    let special = [
        "/",
        ".",
        "..",
        "a/b",
        "%",
        "%2F",
        "%00",
        "\"",
        "\"\"",
        "'",
        "a\"b",
        "\u{1f600}",
        "\u{1f468}\u{200d}\u{1f469}",
        "é",
        "e\u{301}",
        ",",
        ";",
        "|",
        "^",
        "`",
        "x\ty",
        "a\nb",
        "a b",
        "?x=1&y=2",
        "#",
        "\\",
        "{0}",
        "null",
        "007",
        "1e3",
        "true",
        "2026-05-01",
    ];
    for (delimiter, ending) in Delimiter::ALL.into_iter().zip([LineEnding::Lf, LineEnding::Crlf].into_iter().cycle()) {
        let org = org();
        let keys: Vec<String> =
            special.iter().map(|key| (*key).to_owned()).chain((0..10).map(|n| format!("é/{n}.%\""))).collect();
        // Some of them are there already, and some are refused.
        for key in keys.iter().step_by(3) {
            org.insert("Thing__c", json!({"Key__c": key}));
        }
        let rows = keys.clone();
        let long = |row: usize| if row % 4 == 1 { "a text of more than twenty characters" } else { "x" };
        let write = client(&org).bulk_ingest(THING, upsert()).delimiter(delimiter).line_ending(ending).write(
            move || {
                let rows = rows.clone().into_iter().enumerate();
                rows.map(move |(row, key)| Record::new().with("Key__c", key).with("Note__c", long(row)))
            },
            HOUR,
        );
        let (all, report) = outcomes(write).await;
        assert_eq!((report.unmatched, report.unknown), (0, 0), "{delimiter:?}");
        for (row, key) in keys.iter().enumerate() {
            match &all[&(row as u64)] {
                RowOutcome::Saved { id, created } => {
                    assert_eq!(org.record(id.as_str()).expect("there")["Key__c"], json!(key), "{delimiter:?}");
                    assert!(row % 4 != 1 && *created == (row % 3 != 0), "{key:?}");
                }
                RowOutcome::Failed(_) => assert_eq!(row % 4, 1, "{key:?}"),
                other => panic!("{key:?}: {other:?}"),
            }
        }
    }
}
