//! A server that answers the jobs as fast as it can: bytes made before, one thread, nothing of the client's code.
//!
//! It speaks what the REST API and Bulk API 2.0 guides describe for these jobs and no more, and counts the rows that it gets.
//! `POST /__reset?rows=N&page=N` sets what the next job finds, `GET /__counts` tells what it did, `POST /__expire` ends the session.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::Failed;
use crate::prepared::{BLOCK, COLLECTION, CONTACT, OUTCOMES, PAGE, Prepared};

const JSON: &str = "application/json;charset=UTF-8";
const CSV: &str = "text/csv";

/// What a job has done to the server.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Counts {
    /// Requests, those for tokens included.
    pub(crate) requests: u64,
    /// Tokens given.
    pub(crate) tokens: u64,
    /// Rows that were written.
    pub(crate) rows: usize,
}

/// What the next job finds.
#[derive(Clone, Copy)]
struct Stage {
    /// Rows of a query; whole pages of a query and blocks of a bulk result.
    rows: usize,
    /// Rows of a page of a bulk result.
    bulk_page: usize,
}

struct State {
    counts: Counts,
    stage: Stage,
    /// The token that is good.
    token: u64,
    /// Rows of the one bulk job.
    job_rows: usize,
    closed: bool,
}

struct Org {
    prepared: Prepared,
    latency: Duration,
    state: Mutex<State>,
}

/// Serves until standard input ends. Prints the port.
pub(crate) fn run(latency: Duration) -> Result<(), Failed> {
    // Ends with the program that started it, however that ends.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let first = Stage { rows: PAGE, bulk_page: BLOCK };
    let state = State { counts: Counts::default(), stage: first, token: 0, job_rows: 0, closed: false };
    let org = Arc::new(Org { prepared: Prepared::new(), latency, state: Mutex::new(state) });
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?.port());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let org = Arc::clone(&org);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let org = Arc::clone(&org);
                    async move { Ok::<_, Infallible>(org.answer(request).await) }
                });
                // A client that goes away is no concern of ours; what it was missing, it tells.
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}

impl Org {
    fn state(&self) -> MutexGuard<'_, State> {
        // Whole after every statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Parts> {
        let (head, body) = request.into_parts();
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        if let Some(control) = path.strip_prefix("/__") {
            return self.control(control, query);
        }
        let body = if head.method == Method::PUT { Told::count(body).await } else { Told::keep(body).await };
        if !self.latency.is_zero() {
            wait(self.latency).await;
        }
        self.state().counts.requests += 1;
        if path == "/services/oauth2/token" {
            let origin = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
            return self.token(origin);
        }
        let good = format!("Bearer 00DAx0000000001!{}", self.state().token);
        if head.headers.get(AUTHORIZATION).is_none_or(|sent| sent.as_bytes() != good.as_bytes()) {
            return refused(StatusCode::UNAUTHORIZED, "INVALID_SESSION_ID", "Session expired or invalid");
        }
        let path = path.strip_prefix("/services/data/v").unwrap_or_default();
        let (version, path) = path.split_once('/').unwrap_or_default();
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match (&head.method, segments.as_slice()) {
            (&Method::GET, ["query"]) => self.page(version, 0),
            (&Method::GET, ["query", locator]) => match locator.rsplit_once('-').map(|(_, first)| first.parse()) {
                Some(Ok(first)) => self.page(version, first),
                _ => refused(StatusCode::BAD_REQUEST, "INVALID_QUERY_LOCATOR", "invalid query locator"),
            },
            (&Method::PATCH, ["composite", "sobjects", _, _]) => self.collection(&body.bytes),
            (&Method::GET, ["sobjects", _, CONTACT]) => json(self.prepared.contact.clone()),
            (method, ["jobs", kind @ ("ingest" | "query"), job @ ..]) => {
                self.bulk(method, version, kind, job, query, &body)
            }
            _ => refused(StatusCode::NOT_FOUND, "NOT_FOUND", "The requested resource does not exist"),
        }
    }

    fn control(&self, control: &str, query: &str) -> Response<Parts> {
        let mut state = self.state();
        match control {
            "reset" => {
                let rows = argument(query, "rows").and_then(|rows| rows.parse().ok()).unwrap_or(PAGE);
                let bulk_page = argument(query, "page").and_then(|rows| rows.parse().ok()).unwrap_or(BLOCK);
                state.stage = Stage { rows, bulk_page };
                (state.counts, state.job_rows, state.closed) = (Counts::default(), 0, false);
                let (json_sum, csv_sum) = self.prepared.sums(rows);
                json(format!("[{json_sum},{csv_sum}]").into())
            }
            "expire" => {
                state.token += 1;
                json(Bytes::new())
            }
            _ => json(serde_json::to_vec(&state.counts).unwrap_or_default().into()),
        }
    }

    fn token(&self, origin: &str) -> Response<Parts> {
        let mut state = self.state();
        state.counts.tokens += 1;
        json(
            format!(
                r#"{{"access_token":"00DAx0000000001!{}","signature":"bm8=","scope":"api","instance_url":"http://{origin}","id":"http://{origin}/id/00DAx0000000001MAA/005Ax0000000001IAA","token_type":"Bearer","issued_at":"1767225600000"}}"#,
                state.token
            )
            .into(),
        )
    }

    /// A page of a query, with the way to the next one before its rows, as the org writes it.
    fn page(&self, version: &str, first: usize) -> Response<Parts> {
        let rows = self.state().stage.rows;
        let next = first + PAGE;
        let done = next >= rows;
        let mut head = format!(r#"{{"totalSize":{rows},"done":{done},"#);
        if !done {
            let _ = write!(head, r#""nextRecordsUrl":"/services/data/v{version}/query/0r8Ax0000000001AAA-{next}","#);
        }
        head += r#""records":["#;
        answer(JSON, [head.into(), self.prepared.json_block(first / PAGE), Bytes::from_static(b"]}")])
    }

    fn collection(&self, body: &[u8]) -> Response<Parts> {
        #[derive(Deserialize)]
        struct Collection {
            records: Vec<IgnoredAny>,
        }
        let Ok(Collection { records }) = serde_json::from_slice(body) else {
            return refused(StatusCode::BAD_REQUEST, "JSON_PARSER_ERROR", "not the body of a collection");
        };
        if records.len() > COLLECTION {
            return refused(StatusCode::BAD_REQUEST, "LIMIT_EXCEEDED", "too many records");
        }
        self.state().counts.rows += records.len();
        json([self.prepared.saved(records.len()), "]"].concat().into())
    }

    fn bulk(
        &self,
        method: &Method,
        version: &str,
        kind: &str,
        job: &[&str],
        query: &str,
        body: &Told,
    ) -> Response<Parts> {
        let mut state = self.state();
        let set = state.stage;
        match (method, job) {
            (&Method::POST, []) => {
                (state.job_rows, state.closed) = (0, kind == "query");
                json(job_info(version, kind, if kind == "query" { "UploadComplete" } else { "Open" }, 0))
            }
            (&Method::PUT, [_, "batches"]) => {
                state.job_rows = body.lines.saturating_sub(1);
                state.counts.rows += state.job_rows;
                let mut created = json(Bytes::new());
                *created.status_mut() = StatusCode::CREATED;
                created
            }
            (&Method::PATCH, [_]) => {
                state.closed = true;
                json(job_info(version, kind, "UploadComplete", 0))
            }
            (&Method::GET, [_]) => {
                let rows = if kind == "query" { set.rows } else { state.job_rows };
                json(job_info(version, kind, if state.closed { "JobComplete" } else { "Open" }, rows))
            }
            (&Method::GET, [job, "resultPages"]) => {
                let pages = set.rows.div_ceil(set.bulk_page);
                let first = locator(query);
                let end = pages.min(first + 5);
                let base = format!("/services/data/v{version}/jobs/query/{job}");
                let pages_told: Vec<_> =
                    (first..end).map(|page| format!(r#"{{"resultUrl":"{base}/results?locator=Pg{page}"}}"#)).collect();
                let more = if end < pages {
                    format!(r#","nextRecordsUrl":"{base}/resultPages?locator=Pg{end}""#)
                } else {
                    String::new()
                };
                json(format!(r#"{{"resultPages":[{}]{more},"done":{}}}"#, pages_told.join(","), end == pages).into())
            }
            (&Method::GET, [_, "results"]) => {
                let page = locator(query);
                let rows = set.bulk_page.min(set.rows.saturating_sub(page * set.bulk_page));
                let blocks =
                    (0..rows / BLOCK).map(|block| self.prepared.csv_block(page * set.bulk_page / BLOCK + block));
                let mut result = answer(CSV, std::iter::once(self.prepared.csv_header.clone()).chain(blocks));
                let more = (page + 1) * set.bulk_page < set.rows;
                let next = if more { format!("Pg{}", page + 1) } else { "null".to_owned() };
                for (name, value) in [("sforce-locator", next), ("sforce-numberofrecords", rows.to_string())] {
                    if let Ok(value) = HeaderValue::try_from(value) {
                        result.headers_mut().insert(name, value);
                    }
                }
                result
            }
            (&Method::GET, [_, "successfulResults"]) if state.job_rows == OUTCOMES => {
                answer(CSV, [self.prepared.outcomes.clone()])
            }
            (&Method::GET, [_, "failedResults" | "unprocessedrecords"]) => {
                answer(CSV, [self.prepared.no_outcomes.clone()])
            }
            _ => refused(StatusCode::NOT_FOUND, "NOT_FOUND", "The requested resource does not exist"),
        }
    }
}

/// What a request says: its bytes, or only how many lines they are.
struct Told {
    bytes: Vec<u8>,
    lines: usize,
}

impl Told {
    async fn keep(body: Incoming) -> Self {
        // Half a body is no request, and refused by whoever reads it.
        let bytes = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        Self { bytes, lines: 0 }
    }

    async fn count(mut body: Incoming) -> Self {
        let mut lines = 0;
        while let Some(Ok(frame)) = body.frame().await {
            lines += frame.data_ref().map_or(0, |bytes| memchr::memchr_iter(b'\n', bytes).count());
        }
        Self { bytes: Vec::new(), lines }
    }
}

#[expect(clippy::disallowed_methods, reason = "a far org is far by the clock on the wall")]
async fn wait(latency: Duration) {
    tokio::time::sleep(latency).await;
}

fn argument<'query>(query: &'query str, name: &str) -> Option<&'query str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn locator(query: &str) -> usize {
    argument(query, "locator").and_then(|text| text.strip_prefix("Pg")?.parse().ok()).unwrap_or(0)
}

fn job_info(version: &str, kind: &str, state: &str, rows: usize) -> Bytes {
    let (job_type, operation) = if kind == "query" { ("V2Query", "query") } else { ("V2Ingest", "insert") };
    format!(
        r#"{{"id":"750Ax0000000001IAA","operation":"{operation}","object":"Contact","createdById":"005Ax0000000001IAA","createdDate":"2026-01-01T00:00:00.000+0000","systemModstamp":"2026-01-01T00:00:01.000+0000","state":"{state}","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":{version},"jobType":"{job_type}","lineEnding":"LF","columnDelimiter":"COMMA","numberRecordsProcessed":{rows},"numberRecordsFailed":0,"retries":0,"totalProcessingTime":100}}"#
    )
    .into()
}

fn json(body: Bytes) -> Response<Parts> {
    answer(JSON, [body])
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response<Parts> {
    let mut response = json(format!(r#"[{{"message":"{message}","errorCode":"{code}"}}]"#).into());
    *response.status_mut() = status;
    response
}

fn answer(media: &'static str, parts: impl IntoIterator<Item = Bytes>) -> Response<Parts> {
    let parts: VecDeque<Bytes> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let left = parts.iter().map(|part| part.len() as u64).sum();
    let mut response = Response::new(Parts { parts, left });
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert("sforce-limit-info", HeaderValue::from_static("api-usage=25/15000"));
    response
}

/// A body of known length, in parts that are shared with other answers.
struct Parts {
    parts: VecDeque<Bytes>,
    left: u64,
}

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = self.parts.pop_front();
        self.left -= part.as_ref().map_or(0, |part| part.len() as u64);
        Poll::Ready(part.map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
