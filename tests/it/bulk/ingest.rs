//! Jobs that take rows into the org, step by step.

use serde_json::json;
use sforce::api::bulk::{BulkJob, Column, Delimiter, IngestOperation, JobKind, JobState, LineEnding};
use sforce::client::RetryPolicy;
use sforce::testing::org::Operation;
use sforce::types::{Field, Record, Value};
use sforce::{Effect, ErrorKind, Retry};

use super::{HOUR, THING, Thing, org, thing, upsert};
use crate::support::{SharedClock, builder, client, impatient, record};

#[tokio::test]
async fn typed_rows_reach_the_org_with_their_three_states() {
    for (delimiter, line_ending) in
        Delimiter::ALL.into_iter().zip([LineEnding::Lf, LineEnding::Crlf].into_iter().cycle())
    {
        let org = org();
        let old = org.insert("Thing__c", json!({"Key__c": "key-000001", "Note__c": "old", "Number__c": 7}));
        let client = client(&org);
        let rows = || {
            let keep = Thing { note: Field::Absent, number: None, ..thing(1) };
            let clear = Thing { note: Field::Null, ..thing(2) };
            vec![thing(0), keep, clear]
        };
        let job = client
            .bulk_ingest(THING, upsert())
            .delimiter(delimiter)
            .line_ending(line_ending)
            .create()
            .await
            .expect("made");
        let uploaded = job.upload(rows).await.expect("uploaded");
        assert_eq!(uploaded.rows, 3);
        job.close().await.expect("closed");
        let info = job.wait(HOUR).await.expect("complete");
        assert_eq!((info.number_records_processed, info.number_records_failed), (Some(3), Some(0)), "{delimiter:?}");
        assert_eq!((info.column_delimiter, info.line_ending), (Some(delimiter), Some(line_ending)));

        let kept = org.record(&old).expect("there");
        assert_eq!((&kept["Note__c"], &kept["Number__c"]), (&json!("old"), &json!(null)));
        let made = org.records("Thing__c");
        let first = made.iter().find(|row| row["Key__c"] == "key-000000").expect("made");
        assert_eq!((&first["Note__c"], &first["Number__c"]), (&json!("note, \"0\""), &json!(0.25)));

        let saved = job.successful_results().await.expect("there").collect().await.expect("whole");
        let mut keys: Vec<_> =
            saved.iter().map(|row| (row.record.text("Key__c").expect("a key").to_owned(), row.created)).collect();
        keys.sort();
        assert_eq!(keys, [("key-000000".into(), true), ("key-000001".into(), false), ("key-000002".into(), true)]);
        assert!(job.failed_results().await.expect("there").collect().await.expect("whole").is_empty());
        assert!(job.unprocessed_records().await.expect("there").collect().await.expect("whole").is_empty());
        job.delete().await.expect("deleted");
        assert_eq!(job.info().await.expect_err("gone").kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn refused_rows_have_the_kind_that_records_of_other_apis_have() {
    let org = org();
    let job = client(&org).bulk_ingest(THING, IngestOperation::Insert).create().await.expect("made");
    let rows = || {
        ["short", "a text of more than twenty characters"]
            .map(|note| Record::new().with("Key__c", note).with("Note__c", note))
    };
    job.upload(rows).await.expect("uploaded");
    job.close().await.expect("closed");
    let info = job.wait(HOUR).await.expect("complete, in spite of the row");
    assert_eq!((info.number_records_processed, info.number_records_failed), (Some(2), Some(1)));
    let failed = job.failed_results().await.expect("there").collect().await.expect("whole");
    let error = &failed[0].error;
    assert_eq!(
        (failed.len(), error.kind(), error.salesforce()[0].code.as_str()),
        (1, ErrorKind::Invalid, "STRING_TOO_LONG")
    );
    assert_eq!(error.salesforce()[0].fields, ["Note__c"]);
    assert!(failed[0].id.is_none() && failed[0].record.get("sf__Error").is_none());
}

#[tokio::test]
async fn parents_are_named_by_external_id() {
    let org = org();
    let account = org.insert("Account", json!({"Name": "Acme"}));
    let other = org.insert("Thing__c", json!({"Key__c": "p"}));
    let job = client(&org).bulk_ingest(THING, upsert());
    let columns = ["Key__c", "Account__c"].map(|name| name.parse::<Column>().expect("a column"));
    let job = job.columns(columns).create().await.expect("made");
    let id = account.clone();
    job.upload(move || [record(&format!(r#"{{"Key__c":"p","Account__c":"{id}"}}"#))]).await.expect("uploaded");
    job.close().await.expect("closed");
    job.wait(HOUR).await.expect("complete");
    assert_eq!(org.record(&other).expect("there")["Account__c"], json!(account));
}

#[tokio::test]
async fn long_uploads_go_in_chunks_and_with_their_length_where_somebody_wants_to_know() {
    let rows = || (0..9000).map(thing);
    for (refuse, measured) in [(false, false), (true, false), (false, true)] {
        let org = org();
        org.bulk().refuse_chunked_uploads(refuse || measured);
        let client = client(&org);
        let job =
            client.bulk_ingest(THING, IngestOperation::Insert).content_length(measured).create().await.expect("made");
        let uploaded = job.upload(rows).await.expect("uploaded");
        assert_eq!(uploaded.rows, 9000);
        assert!(uploaded.bytes > 256 * 1024, "{uploaded:?}");
        assert_eq!(org.calls(Operation::IngestUpload), if refuse { 2 } else { 1 });
        job.close().await.expect("closed");
        let info = job.wait(HOUR).await.expect("complete");
        assert_eq!((info.number_records_processed, org.count("Thing__c")), (Some(9000), 9000));
    }
}

#[tokio::test]
async fn requests_in_gzip_are_understood_and_a_length_that_was_asked_for_is_told_all_the_same() {
    // Compressed in chunks; in chunks and refused, so that the length is told; with the length from the start.
    for (refuse, measured) in [(false, false), (true, false), (true, true)] {
        let org = org();
        org.bulk().refuse_chunked_uploads(refuse);
        let client = builder(&org).compress_requests(true).build().expect("a client");
        let builder = client.bulk_ingest(THING, IngestOperation::Insert).content_length(measured);
        let job = builder.create().await.expect("made");
        let uploaded = job.upload(|| (0..9000).map(thing)).await.expect("uploaded");
        assert_eq!(org.calls(Operation::IngestUpload), if refuse && !measured { 2 } else { 1 });
        let upload = org.requests().into_iter().rfind(|request| request.operation == Some(Operation::IngestUpload));
        let (sent, plain) = (upload.expect("there").body_bytes as u64, uploaded.bytes);
        assert!(if refuse { sent == plain } else { sent < plain / 2 }, "{sent} of {plain} bytes");
        job.close().await.expect("closed");
        let info = job.wait(HOUR).await.expect("complete");
        assert_eq!((info.number_records_processed, org.count("Thing__c")), (Some(9000), 9000), "{refuse} {measured}");
    }
    // JSON too, if it is long.
    let org = org();
    let client = builder(&org).compress_requests(true).build().expect("a client");
    let record = Record::new().with("Key__c", "k").with("Note__c", "x".repeat(2000));
    let error = client.records(THING).create(&record).await.expect_err("too long");
    assert!(error.has_code("STRING_TOO_LONG"), "it was read: {error}");
    let create = org.requests().into_iter().rfind(|request| request.operation == Some(Operation::SObjectCreate));
    assert!(create.expect("there").body_bytes < 500);
}

#[tokio::test]
async fn result_files_are_held_against_what_the_job_says() {
    let org = org();
    let client = client(&org);
    let job = client.bulk_ingest(THING, IngestOperation::Insert).create().await.expect("made");
    let note = |number: usize| if number.is_multiple_of(3) { "a text of more than twenty characters" } else { "x" };
    let rows = move || {
        (0..300).map(move |number| Record::new().with("Key__c", format!("k{number}")).with("Note__c", note(number)))
    };
    job.upload(rows).await.expect("uploaded");
    job.close().await.expect("closed");
    job.wait(HOUR).await.expect("complete");
    let reopened = client.ingest_job(job.job().clone());
    for (by, job) in [("who has waited", &job), ("who asks", &reopened)] {
        let calls = client.api_calls();
        for _ in 0..2 {
            assert_eq!(job.successful_results().await.expect("there").collect().await.expect("whole").len(), 200);
            assert_eq!(job.failed_results().await.expect("there").collect().await.expect("whole").len(), 100);
        }
        assert_eq!(client.api_calls() - calls, if by == "who asks" { 5 } else { 4 }, "{by}");
        // Short by a row, at a row's edge, in whatever framing; and by all.
        for (operation, saved) in [(Operation::IngestSuccessful, true), (Operation::IngestFailed, false)] {
            for change in [0, 1, 2] {
                let edit = move |text: &mut String| match change {
                    0 => text.truncate(text.trim_end().rfind('\n').map_or(0, |end| end + 1)),
                    1 => text.truncate(0),
                    _ => text.push_str(&text.lines().last().map(|line| format!("{line}\n")).unwrap_or_default()),
                };
                org.faults().clear();
                org.faults().on(operation).edit_text(edit).always();
                let error = if saved {
                    job.successful_results().await.expect("there").collect().await.expect_err("not all")
                } else {
                    job.failed_results().await.expect("there").collect().await.expect_err("not all")
                };
                assert_eq!(
                    error.kind(),
                    if change == 2 { ErrorKind::Decode } else { ErrorKind::Transport },
                    "{by} {error}"
                );
                assert!(error.to_string().contains("announced"), "{error}");
            }
        }
        org.faults().clear();
    }
}

#[tokio::test]
async fn a_lost_answer_at_any_step_doubles_no_row_and_loses_none() {
    for operation in
        [Operation::IngestUpload, Operation::IngestPatch, Operation::IngestGet, Operation::IngestSuccessful]
    {
        let org = org();
        org.faults().on(operation).apply_then_reset().once();
        let client = client(&org);
        let job = client.bulk_ingest(THING, IngestOperation::Insert).create().await.expect("made");
        job.upload(|| (0..9000).map(thing)).await.expect("the second attempt tells that the first has arrived");
        job.close().await.expect("closed");
        job.wait(HOUR).await.expect("complete");
        let saved = job.successful_results().await.expect("there").collect().await.expect("whole");
        assert_eq!((saved.len(), org.count("Thing__c")), (9000, 9000), "{operation:?}");
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_told_again() {
    for fault in 0..3 {
        let org = org();
        let fault_on = org.faults().on(Operation::IngestUpload);
        match fault {
            0 => fault_on.reset().once(),
            1 => fault_on.status(503).once(),
            _ => fault_on.expire_session().once(),
        }
        let job = client(&org).bulk_ingest(THING, IngestOperation::Insert).create().await.expect("made");
        let uploaded = job.upload(|| (0..9000).map(thing)).await.expect("told again");
        job.close().await.expect("closed");
        let info = job.wait(HOUR).await.expect("complete");
        assert_eq!((uploaded.rows, info.number_records_processed), (9000, Some(9000)), "{fault}");
    }
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_not_repeated() {
    let org = org();
    org.faults().on(Operation::IngestCreate).apply_then_reset().once();
    let error = client(&org).bulk_ingest(THING, upsert()).create().await.expect_err("lost");
    assert_eq!((error.effect(), org.calls(Operation::IngestCreate)), (Effect::Unknown, 1));
    assert_eq!(org.bulk().jobs().len(), 1);
}

#[tokio::test]
async fn a_row_that_csv_cannot_carry_stops_the_upload_and_is_named() {
    let org = org();
    let job = client(&org).bulk_ingest(THING, IngestOperation::Insert).create().await.expect("made");
    for bad in [3, 9000] {
        let rows = move || {
            (0..10_000).map(move |number| Record::new().with("Key__c", if number == bad { "#N/A" } else { "x" }))
        };
        let error = job.upload(rows).await.expect_err("no text for CSV");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Invalid, Retry::Never), "{error:?}");
        assert!(
            error.to_string().contains(&format!("row {bad}")) && error.to_string().contains("field Key__c"),
            "{error}"
        );
    }
    assert_eq!(job.upload(Vec::<Record>::new).await.expect_err("no rows").kind(), ErrorKind::Invalid);
    assert!(org.calls(Operation::IngestUpload) <= 1, "it is not tried again");
    job.upload(|| [Record::new().with("Key__c", "x")]).await.expect("the job still waits for its rows");
    let error = job.upload(|| [Record::new().with("Key__c", "y")]).await.expect_err("one file per job");
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn more_than_a_job_may_have_is_refused_before_it_is_sent_whole() {
    let org = org();
    let builder = client(&org).bulk_ingest(THING, IngestOperation::Insert).max_upload_bytes(10_000);
    let job = builder.create().await.expect("made");
    let error = job.upload(|| (0..1000).map(thing)).await.expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.advice().is_some() && error.to_string().contains("limit_bytes 10000"), "{error}");
}

#[tokio::test]
async fn waiting_ends_with_the_deadline_and_the_job_goes_on() {
    let org = org();
    org.bulk().complete_after_polls(40);
    let clock = SharedClock::default();
    let client = builder(&org).clock(clock.clone()).build().expect("a client");
    let job = client.bulk_ingest(THING, IngestOperation::Insert).create().await.expect("made");
    job.upload(|| [thing(1)]).await.expect("uploaded");
    job.close().await.expect("closed");
    let error = job.wait(std::time::Duration::from_secs(2)).await.expect_err("not yet");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::After(None)));
    assert!(error.to_string().contains(job.job().id.as_str()), "{error}");
    let slept: std::time::Duration = clock.0.slept().iter().sum();
    assert_eq!(slept, std::time::Duration::from_secs(2), "not a moment longer");

    // Written down, and gone on with by somebody else.
    let text = serde_json::to_string(job.job()).expect("serialises");
    let same: BulkJob = serde_json::from_str(&text).expect("decodes");
    assert_eq!(&same, job.job());
    let info = client.ingest_job(same).wait(HOUR).await.expect("complete");
    assert_eq!(info.number_records_processed, Some(1));
    let found = client.find_ingest_job(job.job().id).await.expect("there");
    assert_eq!(found.job(), job.job());
}

#[tokio::test]
async fn jobs_are_aborted_closed_twice_and_listed() {
    let org = org();
    org.bulk().set_list_rows(2);
    let client = client(&org);
    let make = || async { client.bulk_ingest(THING, IngestOperation::Insert).create().await.expect("made") };
    let aborted = make().await;
    assert_eq!(aborted.abort().await.expect("aborted").state, JobState::Aborted);
    assert_eq!(aborted.close().await.expect_err("aborted").kind(), ErrorKind::Conflict);
    assert_eq!(aborted.wait(HOUR).await.expect_err("aborted").kind(), ErrorKind::Conflict);
    let done = make().await;
    done.upload(|| [thing(1)]).await.expect("uploaded");
    done.close().await.expect("closed");
    done.close().await.expect("closed already");
    done.wait(HOUR).await.expect("complete");
    done.close().await.expect("has ended");
    assert_eq!(done.abort().await.expect_err("too late").kind(), ErrorKind::Conflict);
    for _ in 0..3 {
        make().await;
    }
    let listed = client.bulk_jobs(JobKind::Ingest).collect().await.expect("all pages");
    assert_eq!((listed.len(), org.calls(Operation::IngestList)), (5, 3));
    assert_eq!(listed.iter().filter(|job| job.state == JobState::Open).count(), 3);
}

#[tokio::test]
async fn a_job_that_fails_as_a_whole_says_why() {
    let org = org();
    let client = client(&org);
    let job = client.bulk_ingest(THING, IngestOperation::Insert).create().await.expect("made");
    job.upload(|| [Record::new().with("Nothing__c", "x")]).await.expect("uploaded");
    job.close().await.expect("closed");
    let error = job.wait(HOUR).await.expect_err("no such field");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.has_code("INVALID_BATCH") && error.salesforce()[0].message.contains("Nothing__c"), "{error:?}");
    assert_eq!(job.ended(HOUR).await.expect("an answer").state, JobState::Failed);
    org.bulk().fail_next_ingest("TooManyLockFailure", "Too many lock failures", 0);
    let locked = client.bulk_ingest(THING, IngestOperation::Insert).create().await.expect("made");
    locked.upload(|| [thing(1)]).await.expect("uploaded");
    locked.close().await.expect("closed");
    assert_eq!(locked.wait(HOUR).await.expect_err("locks").kind(), ErrorKind::RowLocked);
}

#[tokio::test]
async fn updates_and_deletions_go_by_id() {
    let org = org();
    let ids: Vec<String> =
        (0..5).map(|number| org.insert("Thing__c", json!({"Key__c": format!("k{number}")}))).collect();
    let client = client(&org);
    let changed = ids.clone();
    let job = client.bulk_ingest(THING, IngestOperation::Update).create().await.expect("made");
    job.upload(move || changed.clone().into_iter().map(|id| Record::new().with("Id", id).with("Note__c", "new")))
        .await
        .expect("uploaded");
    job.close().await.expect("closed");
    job.wait(HOUR).await.expect("complete");
    assert!(org.records("Thing__c").iter().all(|row| row["Note__c"] == "new"));
    // Deleting for good is a permission of its own.
    let hard = client.bulk_ingest(THING, IngestOperation::HardDelete).create().await.expect_err("not allowed");
    assert_eq!(hard.kind(), ErrorKind::Forbidden);
    for from in [0, 3] {
        let gone = ids[from..from + 2].to_vec();
        let job = client.bulk_ingest(THING, IngestOperation::Delete).create().await.expect("made");
        job.upload(move || gone.clone().into_iter().map(|id| Record::new().with("Id", Value::from(id))))
            .await
            .expect("uploaded");
        job.close().await.expect("closed");
        assert_eq!(job.wait(HOUR).await.expect("complete").number_records_failed, Some(0));
    }
    assert_eq!(org.count("Thing__c"), 1);
}

#[tokio::test]
async fn a_result_file_that_breaks_off_is_read_on_from_where_it_was() {
    let org = org();
    let client = client(&org);
    let job = client.bulk_ingest(THING, IngestOperation::Insert).create().await.expect("made");
    job.upload(|| (0..9000).map(thing)).await.expect("uploaded");
    job.close().await.expect("closed");
    job.wait(HOUR).await.expect("complete");
    for chunked in [false, true] {
        let fault = org.faults().on(Operation::IngestSuccessful);
        if chunked {
            fault.truncate_chunked(400_000).times(2);
        } else {
            fault.truncate(333_333).times(2);
        }
        let saved = job.successful_results().await.expect("there").collect().await.expect("read again");
        let mut keys: Vec<_> = saved.iter().filter_map(|row| row.record.text("Key__c")).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!((saved.len(), keys.len()), (9000, 9000));
    }
    let hasty = builder(&org).retry(RetryPolicy::never()).http(impatient()).build().expect("a client");
    org.faults().on(Operation::IngestSuccessful).truncate(333_333).once();
    let mut rows = hasty.ingest_job(job.job().clone()).successful_results().await.expect("there");
    let mut read = 0;
    let error = loop {
        match rows.try_next().await {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("a short result that looks whole after {read} rows"),
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Transport, "bulk.results"));
    assert_eq!(rows.try_next().await.expect_err("it stays").kind(), ErrorKind::Transport);
}
