//! Result files however they arrive: in any pieces, cut anywhere, with any delimiter.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use proptest::prelude::*;
use serde_json::json;
use sforce::api::bulk::Delimiter;
use sforce::client::RetryPolicy;
use sforce::http::ByteStream;
use sforce::{Client, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::endless::job;
use super::scripted::{Scripted, Served};

const JOB: &str = "750ak000009AVi5AAG";

/// A file as the org writes it: every cell in quotes.
fn file(header: &[&str], rows: &[Vec<String>], delimiter: char, ending: &str, last: bool) -> Vec<u8> {
    let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
    let line = |cells: Vec<String>| cells.join(&delimiter.to_string());
    let mut lines = vec![line(header.iter().map(|name| quoted(name)).collect())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(|cell| quoted(cell)).collect())));
    let text = lines.join(ending);
    if last { text + ending } else { text }.into_bytes()
}

/// The file in pieces of that size; where it is cut, the connection breaks, or ends as if that were all.
fn pieces(file: &[u8], size: usize, cut: Option<usize>, breaks: bool) -> ByteStream {
    let part = &file[..cut.unwrap_or(file.len())];
    let mut chunks: Vec<sforce::Result<Bytes>> =
        part.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    if breaks && cut.is_some() {
        chunks.push(Err(broken()));
    }
    stream::iter(chunks).boxed()
}

/// The error of a connection that breaks.
fn broken() -> sforce::Error {
    sforce::Error::new(ErrorKind::Transport, "", "the answer was cut off").with_retry(sforce::Retry::After(None))
}

fn any_cell() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec!["\"", ",", "\n", "\r\n", "é", "🙂", "\0", "a", " ", ""]);
    prop::collection::vec(special, 0..5).prop_map(|parts| parts.concat())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts")
}

async fn rows_of(client: Client) -> sforce::Result<Vec<Vec<String>>> {
    let mut rows = client.query_job(job("query", 57)).rows();
    let mut all = Vec::new();
    while let Some(block) = rows.next_block().await? {
        all.extend(block.rows().map(|row| row.cells().map(str::to_owned).collect::<Vec<_>>()));
    }
    Ok(all)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Framing {
    Length,
    Breaks,
    /// The end of the connection is the end of the body.
    Silent,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_file_cut_anywhere_is_seen_where_its_rows_are_announced_and_is_whole_the_second_time(
        rows in prop::collection::vec(prop::collection::vec(any_cell(), 2), 1..6),
        (size, at, between) in (1_usize..40, any::<prop::sample::Index>(), any::<bool>()),
        framing in prop::sample::select(vec![Framing::Length, Framing::Breaks, Framing::Silent]),
        by_page in any::<bool>(),
    ) {
        let whole = file(&["A", "B"], &rows, ',', "\n", true);
        // Half of the cuts are between two rows, where nothing but the number of rows tells.
        let cut = if between {
            file(&["A", "B"], &rows[..at.index(rows.len())], ',', "\n", true).len()
        } else {
            at.index(whole.len())
        };
        let server = |cuts: usize| {
            let (left, whole, count) = (AtomicUsize::new(cuts), whole.clone(), rows.len());
            Scripted::new(move |path| {
                if !path.contains("/results") {
                    let mut info = json!({"id": JOB, "operation": "query", "state": "JobComplete", "apiVersion": 57.0});
                    info["numberRecordsProcessed"] = json!(count);
                    return Served::json(&info);
                }
                let is_cut = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
                let body = pieces(&whole, size, is_cut.then_some(cut), framing == Framing::Breaks);
                let page = Served::stream(body).header("sforce-locator", "null");
                let page = if by_page { page.header("sforce-numberofrecords", count) } else { page };
                if framing == Framing::Length { page.length(whole.len() as u64) } else { page }
            })
        };
        runtime().block_on(async {
            let short = rows_of(server(usize::MAX).client(RetryPolicy::never())).await;
            assert!(short.is_err(), "cut at {cut} of {}: {short:?}", whole.len());
            // Where the page's own number is known it is asked for again, and no row comes twice.
            if by_page || framing != Framing::Silent {
                let read = rows_of(server(2).client(RetryPolicy::default())).await.expect("whole the third time");
                assert_eq!(read, rows);
            }
            assert_eq!(rows_of(server(0).client(RetryPolicy::never())).await.expect("whole"), rows);
        });
    }
}

#[tokio::test]
async fn the_delimiter_of_a_result_file_is_seen_in_pieces_of_any_size() {
    let id = "001dM00003kRs59QAC";
    let rows = [vec![id.to_owned(), "true".to_owned(), "a,b;c".to_owned()]];
    let header = ["sf__Id", "sf__Created", "Key__c"];
    for delimiter in Delimiter::ALL {
        for last in [true, false] {
            let whole = file(&header, &rows, delimiter.as_char(), "\n", last);
            for size in 1..20 {
                // Broken off within the first cells, too.
                for cut in [None, Some(0), Some(5), Some(8), Some(9), Some(40)] {
                    let (whole, cuts) = (whole.clone(), AtomicUsize::new(0));
                    let server = Scripted::new(move |path| {
                        if !path.ends_with("Results/") {
                            return Served::json(&json!({
                                "id": JOB, "operation": "insert", "state": "JobComplete", "apiVersion": 60.0,
                                "numberRecordsProcessed": 1, "numberRecordsFailed": 0
                            }));
                        }
                        let cut = cut.filter(|_| cuts.fetch_add(1, Ordering::Relaxed) == 0);
                        Served::stream(pieces(&whole, size, cut, true)).length(whole.len() as u64)
                    });
                    // The job says comma.
                    let job = server.client(RetryPolicy::default()).ingest_job(job("ingest", 60));
                    let saved = job.successful_results().await.expect("there").collect().await.expect("whole");
                    assert_eq!(saved[0].record.text("Key__c"), Some("a,b;c"), "{delimiter:?} {size} {cut:?}");
                    assert_eq!((saved.len(), saved[0].created), (1, true));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_file_shorter_than_its_first_column_is_read_as_it_is() {
    for (text, kind) in [("", None), ("\"A\"\n", None), ("A", Some(ErrorKind::Transport))] {
        let server = Scripted::new(move |path| {
            if path.ends_with("Results/") {
                Served::chunks([text.as_bytes().to_vec()])
            } else {
                Served::json(&json!({"id": JOB, "operation": "insert", "state": "JobComplete", "apiVersion": 60.0}))
            }
        });
        let job = server.client(RetryPolicy::never()).ingest_job(job("ingest", 60));
        let read = job.successful_results().await.expect("there").collect().await;
        assert_eq!(read.err().map(|error| error.kind()), kind, "{text}");
    }
}

#[tokio::test]
async fn column_names_of_many_steps_are_an_error_and_not_a_deep_record() {
    for (name, fits) in [("a.".repeat(15) + "a", true), ("a.".repeat(16) + "a", false), ("a.".repeat(500_000), false)] {
        let server = Scripted::new(move |path| {
            if !path.contains("/results") {
                return Served::json(
                    &json!({"id": JOB, "operation": "query", "state": "JobComplete", "apiVersion": 57.0}),
                );
            }
            let whole = file(&[&name], &[vec!["x".to_owned()]], ',', "\n", true);
            Served::chunks(whole.chunks(8192).map(<[u8]>::to_vec).collect::<Vec<_>>()).header("sforce-locator", "null")
        });
        let rows = server.client(RetryPolicy::never()).query_job(job("query", 57)).rows();
        let read = rows.records(sforce::types::wire::FieldTypes::default()).collect().await;
        match read {
            Ok(records) => assert!(fits && records.len() == 1),
            Err(error) => assert!(!fits && error.kind() == ErrorKind::Decode, "{error}"),
        }
    }
}
