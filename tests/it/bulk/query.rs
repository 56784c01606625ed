//! Jobs that take rows out of the org.

use serde::Deserialize;
use serde_json::json;
use sforce::api::bulk::{Block, BulkCursor, Delimiter, JobKind, JobState, LineEnding};
use sforce::client::{ApiVersion, RetryPolicy};
use sforce::testing::org::{EmptyResult, MockOrg, Operation};
use sforce::types::wire::FieldTypes;
use sforce::types::{Decimal, FieldType, Record, Timestamp, Value};
use sforce::{Client, ErrorKind};

use super::{HOUR, org};
use crate::support::{builder, client};

const SOQL: &str = "SELECT Id, Key__c, Note__c, Number__c, Flag__c, Account__r.Name FROM Thing__c ORDER BY Key__c";

#[derive(Debug, Deserialize)]
struct Row<'a> {
    #[serde(rename = "Key__c")]
    key: &'a str,
    #[serde(rename = "Number__c")]
    number: Option<Decimal>,
    #[serde(rename = "Account__r.Name")]
    account: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Owned {
    #[serde(rename = "Key__c")]
    key: String,
    #[serde(rename = "Flag__c")]
    flag: bool,
}

fn filled(rows: usize) -> MockOrg {
    let org = org();
    let account = org.insert("Account", json!({"Name": "Acme, \"the\" one"}));
    for number in 0..rows {
        let account = if number % 2 == 0 { json!(account) } else { json!(null) };
        org.insert("Thing__c", json!({"Key__c": key(number), "Note__c": "two\nlines", "Number__c": 1.5, "Flag__c": number % 3 == 0, "Account__c": account}));
    }
    org.bulk().set_result_rows(100);
    org
}

fn key(number: usize) -> String {
    format!("key-{number:06}")
}

async fn keys(client: &Client, soql: &'static str) -> sforce::Result<Vec<String>> {
    let job = client.bulk_query(soql).create().await?;
    job.wait(HOUR).await?;
    Ok(job.rows().typed::<Owned>().collect().await?.into_iter().map(|row| row.key).collect())
}

fn all(rows: usize) -> Vec<String> {
    (0..rows).map(key).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_come_in_order_from_pages_that_are_read_side_by_side() {
    let org = filled(1234);
    let client = client(&org);
    let job = client.bulk_query(SOQL).create().await.expect("made");
    let info = job.wait(HOUR).await.expect("complete");
    assert_eq!((info.state, info.number_records_processed), (JobState::JobComplete, Some(1234)));
    let mut rows = job.rows();
    let mut read = 0;
    while let Some(block) = rows.next_block().await.expect("goes on") {
        for row in block.decode::<Row<'_>>() {
            let row = row.expect("fits");
            assert_eq!((row.key, row.number), (key(read).as_str(), Some(Decimal::parse("1.5").expect("a number"))));
            assert_eq!(row.account, (read % 2 == 0).then_some("Acme, \"the\" one"));
            read += 1;
        }
    }
    assert_eq!((read, rows.rows(), rows.cursor()), (1234, 1234, None));
    assert!(rows.next_block().await.expect("stays at the end").is_none());
    // 13 pages, three lists of up to five.
    assert_eq!((org.calls(Operation::QueryJobResults), org.calls(Operation::QueryJobPages)), (13, 3));
    let flags = job.rows().typed::<Owned>().collect().await.expect("whole").iter().filter(|row| row.flag).count();
    assert_eq!(flags, 412);
    job.delete().await.expect("deleted");
    assert_eq!(job.info().await.expect_err("gone").kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn pages_follow_one_another_where_the_org_does_not_list_them() {
    let org = filled(450);
    let old = builder(&org).api_version(ApiVersion::new(57).expect("answers")).build().expect("a client");
    assert_eq!(keys(&old, SOQL).await.expect("whole"), all(450));
    assert_eq!((org.calls(Operation::QueryJobResults), org.calls(Operation::QueryJobPages)), (5, 0));
    for status in [400, 404] {
        let org = filled(450);
        org.faults().on(Operation::QueryJobPages).error(status, "NOT_FOUND", "no such resource").always();
        assert_eq!(keys(&client(&org), SOQL).await.expect("whole"), all(450));
        assert_eq!(org.calls(Operation::QueryJobResults), 5);
    }
    let sized = client(&org).bulk_query(SOQL).create().await.expect("made");
    sized.wait(HOUR).await.expect("complete");
    let mut rows = sized.rows().page_size(30);
    let mut pages = Vec::new();
    while let Some(block) = rows.next_block().await.expect("goes on") {
        pages.push(block.len());
    }
    assert_eq!(pages, [30; 15]);
}

#[tokio::test]
async fn both_spellings_of_the_next_list_lead_on() {
    let org = filled(1234);
    org.bulk().spell_next_record_url(true);
    assert_eq!(keys(&client(&org), SOQL).await.expect("whole"), all(1234));
}

#[tokio::test]
async fn every_delimiter_and_line_ending_reads_the_same() {
    let org = filled(250);
    for delimiter in Delimiter::ALL {
        for line_ending in [LineEnding::Lf, LineEnding::Crlf] {
            let query = client(&org).bulk_query(SOQL).delimiter(delimiter).line_ending(line_ending);
            let job = query.create().await.expect("made");
            job.wait(HOUR).await.expect("complete");
            let rows = job.rows().records(FieldTypes::default()).collect().await.expect("whole");
            assert_eq!(
                (rows.len(), rows[0].text("Note__c")),
                (250, Some("two\nlines")),
                "{delimiter:?} {line_ending:?}"
            );
        }
    }
}

#[tokio::test]
async fn records_have_the_types_of_their_fields() {
    let org = org();
    org.insert("Thing__c", json!({"Key__c": "k", "Number__c": 123_456_789_012.5, "When__c": "2026-05-01T07:25:37Z"}));
    let soql = "SELECT Key__c, Number__c, When__c, Note__c, Account__r.Name FROM Thing__c";
    let job = client(&org).bulk_query(soql).create().await.expect("made");
    job.wait(HOUR).await.expect("complete");
    let types = FieldTypes::new([("Number__c", FieldType::Double), ("When__c", FieldType::Datetime)]);
    let rows = job.rows().records(types).collect().await.expect("whole");
    let number = Decimal::parse("123456789012.5").expect("a number");
    let moment = Timestamp::parse("2026-05-01T07:25:37Z").expect("a time");
    let expected = Record::new()
        .with("Key__c", "k")
        .with("Number__c", number)
        .with("When__c", moment)
        .with("Note__c", Value::Null)
        .with("Account__r", Value::Null);
    assert_eq!(rows, [expected]);
}

#[tokio::test]
async fn reading_goes_on_after_the_last_whole_page_in_another_process() {
    for listed in [true, false] {
        let org = filled(730);
        let version = ApiVersion::new(if listed { 60 } else { 57 }).expect("answers");
        let client = builder(&org).api_version(version).build().expect("a client");
        let job = client.bulk_query(SOQL).create().await.expect("made");
        job.wait(HOUR).await.expect("complete");
        let mut rows = job.rows();
        assert!(rows.cursor().is_none());
        let mut read = Vec::new();
        let cursor: BulkCursor = loop {
            let block = rows.next_block().await.expect("goes on").expect("more");
            if let Some(cursor) = rows.cursor().filter(|cursor| cursor.rows() == 400) {
                break serde_json::from_str(&serde_json::to_string(&cursor).expect("serialises")).expect("decodes");
            }
            read.extend(block_keys(&block));
        };
        drop(rows);
        assert_eq!(read, all(400), "the rows of whole pages");
        // A client of another version: the job has its own.
        let other = builder(&org).api_version(ApiVersion::new(63).expect("answers")).build().expect("a client");
        let mut rows = other.resume_bulk_query(cursor);
        while let Some(block) = rows.next_block().await.expect("goes on") {
            read.extend(block_keys(&block));
        }
        assert_eq!((read, rows.rows()), (all(730), 730));
    }
}

fn block_keys(block: &Block) -> Vec<String> {
    let column = block.header().position("key__c").expect("case is ignored");
    block.rows().map(|row| row.get(column).to_owned()).collect()
}

#[tokio::test]
async fn a_list_of_pages_that_is_shorter_than_the_cursor_is_an_error() {
    let org = filled(450);
    let client = client(&org);
    let job = client.bulk_query(SOQL).create().await.expect("made");
    job.wait(HOUR).await.expect("complete");
    let mut rows = job.rows();
    let cursor = loop {
        rows.next_block().await.expect("goes on").expect("more");
        if let Some(cursor) = rows.cursor().filter(|cursor| cursor.rows() == 300) {
            break cursor;
        }
    };
    let short = |list: &mut serde_json::Value| {
        if let Some(pages) = list["resultPages"].as_array_mut() {
            pages.truncate(2);
        }
    };
    org.faults().on(Operation::QueryJobPages).edit(short).always();
    // The number of rows would tell too, but not every job has one.
    org.faults().on(Operation::QueryJobGet).without_member("numberRecordsProcessed").always();
    let error = client.resume_bulk_query(cursor).next_block().await.expect_err("pages are missing");
    assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("shorter"), "{error}");
}

#[tokio::test]
async fn a_job_reopened_by_id_is_read_if_it_is_complete() {
    let org = filled(10);
    org.bulk().complete_after_polls(5);
    let client = client(&org);
    let job = client.bulk_query(SOQL).create().await.expect("made");
    let early = job.rows().next_block().await.expect_err("not complete");
    assert_eq!(early.kind(), ErrorKind::Conflict, "{early}");
    job.wait(HOUR).await.expect("complete");
    let found = client.find_query_job(job.job().id).await.expect("there");
    let rows = found.rows().typed::<Owned>().collect().await.expect("whole");
    assert_eq!(rows.len(), 10);
    assert_eq!(client.bulk_jobs(JobKind::Query).collect().await.expect("listed").len(), 1);
}

#[tokio::test]
async fn a_query_without_rows_ends_at_once_in_every_form() {
    for form in [EmptyResult::Header, EmptyResult::Nothing, EmptyResult::Line] {
        for version in [57, 63] {
            let org = org();
            org.bulk().set_empty_result(form);
            let client =
                builder(&org).api_version(ApiVersion::new(version).expect("answers")).build().expect("a client");
            let job = client.bulk_query(SOQL).create().await.expect("made");
            job.wait(HOUR).await.expect("complete");
            let mut rows = job.rows();
            assert!(rows.next_block().await.expect("whole").is_none(), "{form:?}");
            assert_eq!(rows.header().is_some(), form == EmptyResult::Header, "{form:?}");
        }
    }
}

#[tokio::test]
async fn a_page_that_breaks_off_is_read_on_from_where_it_was() {
    for (version, chunked) in [(63, false), (63, true), (57, false)] {
        let org = filled(730);
        let fault = org.faults().on(Operation::QueryJobResults);
        if chunked {
            fault.truncate_chunked(2500).every(2);
        } else {
            fault.truncate(2500).every(2);
        }
        let client = builder(&org).api_version(ApiVersion::new(version).expect("answers")).build().expect("a client");
        assert_eq!(keys(&client, SOQL).await.expect("read again"), all(730));
        assert!(org.calls(Operation::QueryJobResults) > 8);
    }
}

/// Whatever is wrong, rows are not passed off as whole.
async fn broken(org: &MockOrg, version: u16) -> ErrorKind {
    let version = ApiVersion::new(version).expect("answers");
    let client =
        builder(org).api_version(version).retry(RetryPolicy::default().max_attempts(2)).build().expect("a client");
    let job = client.bulk_query(SOQL).create().await.expect("made");
    job.wait(HOUR).await.expect("complete");
    let mut rows = job.rows();
    loop {
        match rows.next_block().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("{} rows that look whole", rows.rows()),
            Err(error) => {
                assert_eq!(rows.next_block().await.expect_err("it stays").kind(), error.kind());
                assert!(error.to_string().contains(job.job().id.as_str()), "{error}");
                return error.kind();
            }
        }
    }
}

#[tokio::test]
async fn wrong_counts_columns_and_locators_are_errors() {
    for version in [57, 63] {
        for (count, kind) in [("99", ErrorKind::Decode), ("101", ErrorKind::Transport)] {
            let org = filled(450);
            org.faults().on(Operation::QueryJobResults).with_header("Sforce-NumberOfRecords", count).after(2).always();
            assert_eq!(broken(&org, version).await, kind, "a page of other rows than announced");
        }
        let org = filled(450);
        org.faults()
            .on(Operation::QueryJobResults)
            .edit_text(|text| *text = text.replacen("Key__c", "Yek__c", 1))
            .after(2)
            .once();
        assert_eq!(broken(&org, version).await, ErrorKind::Decode, "other columns");
        let org = filled(450);
        org.faults().on(Operation::QueryJobGet).with_member("numberRecordsProcessed", json!(451)).always();
        assert_eq!(broken(&org, version).await, ErrorKind::Decode, "other rows than the job says");
        let org = filled(450);
        let row = |text: &mut String| text.push_str("\"only one cell\"\n");
        org.faults().on(Operation::QueryJobResults).edit_text(row).after(1).once();
        assert_eq!(broken(&org, version).await, ErrorKind::Decode, "a row of another length");
    }
    let org = filled(450);
    org.faults().on(Operation::QueryJobResults).with_header("Sforce-Locator", "MTAw").always();
    assert_eq!(broken(&org, 57).await, ErrorKind::Decode, "a locator that repeats");
    let org = filled(450);
    org.faults().on(Operation::QueryJobResults).with_header("Sforce-Locator", "null").after(1).once();
    assert_eq!(broken(&org, 57).await, ErrorKind::Decode, "an end that comes too soon");
    let org = filled(450);
    org.faults()
        .on(Operation::QueryJobPages)
        .edit(|list| list["resultPages"][1] = list["resultPages"][0].clone())
        .always();
    assert_eq!(broken(&org, 63).await, ErrorKind::Decode, "a page twice");
    let org = filled(1234);
    let first = |list: &mut serde_json::Value| {
        let page = list["resultPages"][0]["resultUrl"].as_str().unwrap_or_default().to_owned();
        list["nextRecordsUrl"] = json!(page.split("/results").next().map(|job| format!("{job}/resultPages")));
        list["done"] = json!(false);
    };
    org.faults().on(Operation::QueryJobPages).edit(first).always();
    assert_eq!(broken(&org, 63).await, ErrorKind::Decode, "lists in a circle");
    let org = filled(1234);
    let elsewhere =
        |list: &mut serde_json::Value| list["resultPages"][0]["resultUrl"] = json!("https://elsewhere.example/results");
    org.faults().on(Operation::QueryJobPages).edit(elsewhere).always();
    assert_eq!(broken(&org, 63).await, ErrorKind::Decode, "a page of another host");
    let org = filled(1234);
    let endless = |list: &mut serde_json::Value| {
        let page = list["resultPages"][0]["resultUrl"].as_str().unwrap_or_default().to_owned();
        let job = page.split("/results").next().unwrap_or_default();
        list["nextRecordsUrl"] = json!(format!("{job}/resultPages?locator=MTAw&x={}", fastrand::u64(..)));
        list["resultPages"] = json!([]);
        list["done"] = json!(false);
    };
    org.faults().on(Operation::QueryJobPages).edit(endless).always();
    assert_eq!(broken(&org, 63).await, ErrorKind::Decode, "lists without end");
}

#[tokio::test]
async fn a_job_that_fails_or_is_aborted_has_no_rows() {
    let org = filled(5);
    let client = client(&org);
    org.bulk().fail_next_query("InvalidBatch", "Failed to process query");
    let failed = client.bulk_query(SOQL).create().await.expect("made");
    assert!(failed.wait(HOUR).await.expect_err("failed").has_code("INVALIDBATCH"));
    org.bulk().complete_after_polls(50);
    let aborted = client.bulk_query_all(SOQL).create().await.expect("made");
    assert_eq!(aborted.abort().await.expect("aborted").state, JobState::Aborted);
    assert_eq!(aborted.wait(HOUR).await.expect_err("aborted").kind(), ErrorKind::Conflict);
    let wrong = client.bulk_query("SELECT Nothing__c FROM Thing__c").create().await;
    assert!(wrong.is_err() || wrong.expect("made").wait(HOUR).await.is_err());
    assert_eq!(client.bulk_query("SELECT").create().await.expect_err("no query").kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn rows_that_do_not_fit_are_errors_of_their_own() {
    #[derive(Debug, Deserialize)]
    struct Narrow {
        #[serde(rename = "Account__r.Name")]
        _account: f64,
    }
    let org = filled(4);
    let job = client(&org).bulk_query(SOQL).create().await.expect("made");
    job.wait(HOUR).await.expect("complete");
    let mut rows = job.rows().typed::<Narrow>();
    for _ in 0..4 {
        let error = rows.try_next().await.expect_err("no number");
        assert!(
            error.to_string().contains("field Account__r.Name") && !format!("{error:?}").contains("Acme"),
            "{error:?}"
        );
    }
    assert!(rows.try_next().await.expect("the end").is_none());
}

#[tokio::test]
async fn rows_are_a_stream_too() {
    use futures_util::StreamExt as _;
    let org = filled(230);
    let job = client(&org).bulk_query(SOQL).create().await.expect("made");
    job.wait(HOUR).await.expect("complete");
    let keys: Vec<String> = job.rows().typed::<Owned>().into_stream().map(|row| row.expect("fits").key).collect().await;
    assert_eq!(keys, all(230));
}
