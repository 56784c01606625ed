//! Results that do not end, and small ones that unpack to large ones: errors, soon, and at constant memory.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use sforce::api::bulk::{BulkJob, BulkRows, JobKind};
use sforce::auth::{AccessToken, StaticToken};
use sforce::client::RetryPolicy;
use sforce::http::ByteStream;
use sforce::{Client, Error, ErrorKind};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::scripted::{Scripted, Served};

const JOB: &str = "750ak000009AVi5AAG";

pub(super) fn job(kind: &str, version: u16) -> BulkJob {
    let version = format!("{version}.0");
    serde_json::from_value(
        json!({"id": JOB, "kind": kind, "api_version": version, "delimiter": "COMMA", "line_ending": "LF"}),
    )
    .expect("a job")
}

fn info(processed: Option<u64>) -> Value {
    let mut info = json!({"id": JOB, "operation": "query", "state": "JobComplete", "apiVersion": 57.0});
    if let Some(processed) = processed {
        info["numberRecordsProcessed"] = json!(processed);
        info["numberRecordsFailed"] = json!(0);
    }
    info
}

/// `start`, then `again` for ever; counts the chunks that were taken.
fn endless(start: &'static str, again: &str, taken: &Arc<AtomicUsize>) -> ByteStream {
    let (again, taken) = (Bytes::from(again.repeat(8192 / again.len() + 1)), Arc::clone(taken));
    let rest = stream::repeat_with(move || {
        taken.fetch_add(1, Ordering::Relaxed);
        Ok(again.clone())
    });
    stream::iter([Ok(Bytes::from(start))]).chain(rest).boxed()
}

/// Rows until the error, and the error.
async fn error_of(mut rows: BulkRows) -> (u64, Error) {
    loop {
        match rows.next_block().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it has no end"),
            Err(error) => return (rows.rows(), error),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_never_ends_is_an_error_once_it_has_more_rows_than_announced() {
    // By the page's headers; by the job; lines without anything.
    for (by_page, by_job, line) in
        [(true, false, "\"1\"\n"), (false, true, "\"1\"\n"), (true, true, "\n"), (false, true, "\r\n")]
    {
        let taken = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&taken);
        let server = Scripted::new(move |path| {
            if !path.contains("/results") {
                return Served::json(&info(by_job.then_some(20_000)));
            }
            let page = Served::stream(endless("\"Id\"\n", line, &count)).header("sforce-locator", "null");
            if by_page { page.header("sforce-numberofrecords", 20_000) } else { page }
        });
        let (rows, error) = error_of(server.client(RetryPolicy::default()).query_job(job("query", 57)).rows()).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(rows < 70_000, "{rows} rows were handed out");
        // 8 KB each, of which a page may be read ahead of its reader.
        assert!(taken.load(Ordering::Relaxed) < 1000, "{taken:?} chunks");
    }
}

#[tokio::test]
async fn a_result_file_that_never_ends_is_an_error_too() {
    for (again, expected) in [("\"001dM00003kRs59QAC\",\"true\",\"k\"\n", "announced 10"), ("\n", "empty lines")] {
        let taken = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&taken);
        let server = Scripted::new(move |path| {
            if path.ends_with("Results/") {
                Served::stream(endless("\"sf__Id\",\"sf__Created\",\"Key__c\"\n", again, &count))
            } else {
                Served::json(&info(Some(10)))
            }
        });
        let client = server.client(RetryPolicy::default());
        let mut rows = client.ingest_job(job("ingest", 60)).successful_results().await.expect("there");
        let error = loop {
            match rows.next_block().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it has no end"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains(expected), "{error}");
        assert!(taken.load(Ordering::Relaxed) < 200, "{taken:?} chunks");
    }
}

#[tokio::test]
async fn empty_pages_with_ever_new_locators_end() {
    let server = Scripted::new(|path| {
        if !path.contains("/results") {
            return Served::json(&info(None));
        }
        let next = fastrand::u64(..);
        Served::chunks([b"\"Id\"\n".to_vec()]).header("sforce-locator", next).header("sforce-numberofrecords", 0)
    });
    let (rows, error) = error_of(server.client(RetryPolicy::default()).query_job(job("query", 57)).rows()).await;
    assert_eq!((rows, error.kind()), (0, ErrorKind::Decode), "{error}");
    assert!(server.calls() < 120, "{}", server.calls());
}

#[tokio::test]
async fn lists_of_jobs_that_lead_nowhere_end() {
    for full in [false, true] {
        let server = Scripted::new(move |_| {
            let jobs = if full { json!([info(None)]) } else { json!([]) };
            let next = format!("/services/data/v60.0/jobs/ingest?queryLocator={}", fastrand::u64(..));
            Served::json(&json!({"done": false, "records": jobs, "nextRecordsUrl": next}))
        });
        let mut list = server.client(RetryPolicy::default()).bulk_jobs(JobKind::Ingest);
        let error = loop {
            match list.try_next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it has no end"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(server.calls() <= if full { 10_000 } else { 4 }, "{}", server.calls());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_result_that_unpacks_without_end_is_stopped_where_the_announced_rows_end() {
    // 64 MB of rows, or of nothing, in 64 to 200 KB.
    for line in [&b"\"1\",\"x\"\n"[..], b"\n"] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"\"Id\",\"Text\"\n").expect("to memory");
        let piece = line.repeat((1 << 20) / line.len());
        for _ in 0..64 {
            encoder.write_all(&piece).expect("to memory");
        }
        let body = encoder.finish().expect("to memory");
        assert!(body.len() < 1 << 20, "{}", body.len());
        let server = MockServer::start().await;
        let page = ResponseTemplate::new(200)
            .set_body_raw(body, "text/csv")
            .insert_header("content-encoding", "gzip")
            .insert_header("sforce-locator", "null")
            .insert_header("sforce-numberofrecords", "1000");
        Mock::given(wiremock::matchers::path_regex("/results$")).respond_with(page).mount(&server).await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(info(None))).mount(&server).await;
        let token = AccessToken::allowing_loopback("00D!token", &server.uri()).expect("loopback");
        let client = Client::builder(StaticToken::new(token)).retry(RetryPolicy::never()).build().expect("a client");
        let (rows, error) = error_of(client.query_job(job("query", 57)).rows()).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        // What one piece of the body unpacks to.
        assert!(rows < 100_000, "{rows}");
    }
}
