//! A result page, a result file, a list of pages that are cut off anywhere, in every framing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sforce::api::bulk::BulkRows;
use sforce::auth::{AccessToken, StaticToken};
use sforce::client::RetryPolicy;
use sforce::testing::ManualClock;
use sforce::{Client, ErrorKind};

use super::endless::job;

const PAGE: &str = "\"Id\",\"Text\"\n\"1\",\"a \"\"b\"\"\"\n\"2\",\"two\nlines\"\n\"3\",\"\u{e9}\"\n\"4\",\"\"\n";
const ROWS: usize = 4;

/// Four rows of a job that took rows in.
const RESULTS: &str = "\"sf__Id\",\"sf__Created\",\"Text\"\n\"001dM00003kRs59QAC\",\"true\",\"a \"\"b\"\"\"\n\"001dM00003kRs5AQAS\",\"true\",\"two\nlines\"\n\"001dM00003kRs5BQAS\",\"false\",\"\u{e9}\"\n\"001dM00003kRs5CQAS\",\"true\",\"\"\n";
const REFUSED: &str = "\"sf__Id\",\"sf__Error\",\"Text\"\n\"\",\"A:x:--\",\"a \"\"b\"\"\"\n\"\",\"A:x:--\",\"two\nlines\"\n\"\",\"A:x:--\",\"\u{e9}\"\n\"\",\"A:x:--\",\"\"\n";
const LIST: &str = r#"{"resultPages":[{"resultUrl":"/services/data/v60.0/jobs/query/750ak000009AVi5AAG/results?locator=MQ"}],"done":true}"#;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Framing {
    Length,
    Chunked,
    /// The end of the connection is the end of the body.
    Close,
}

/// What is cut; anything else comes whole.
#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Page,
    Saved,
    Refused,
    List,
}

impl What {
    fn text(self) -> &'static str {
        match self {
            Self::Page => PAGE,
            Self::Saved => RESULTS,
            Self::Refused => REFUSED,
            Self::List => LIST,
        }
    }

    fn of(request: &str) -> Option<Self> {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let named = |name: &str| path.contains(name);
        match () {
            () if named("/successfulResults") => Some(Self::Saved),
            () if named("/failedResults") => Some(Self::Refused),
            () if named("/resultPages") => Some(Self::List),
            () if named("/results") => Some(Self::Page),
            () => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Script {
    what: What,
    framing: Framing,
    /// Bytes of it that are sent, so many times; then all of them.
    cut: usize,
    times: usize,
    /// Whether the headers of a page, or the job of a file, say how many rows there are.
    announced: bool,
}

/// Answers with a page that is cut off.
struct Server {
    url: String,
    script: Arc<Mutex<Script>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let script = Script { what: What::Page, framing: Framing::Length, cut: 0, times: 0, announced: true };
        let script = Arc::new(Mutex::new(script));
        let shared = Arc::clone(&script);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &shared);
            }
        });
        Self { url, script }
    }

    fn client(&self, policy: RetryPolicy) -> Client {
        let token = AccessToken::allowing_loopback("00D!token", &self.url).expect("loopback");
        let client = Client::builder(StaticToken::new(token)).retry(policy).clock(ManualClock::default());
        client.build().expect("a client")
    }

    fn rows(&self, policy: RetryPolicy) -> BulkRows {
        self.client(policy).query_job(job("query", 57)).rows()
    }

    fn set(&self, script: Script) {
        *self.script.lock().expect("not poisoned") = script;
    }
}

fn answer(mut stream: TcpStream, script: &Mutex<Script>) {
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let Ok(read @ 1..) = stream.read(&mut buffer) else { return };
        request.extend_from_slice(&buffer[..read]);
    }
    let mut out = b"HTTP/1.1 200 OK\r\nConnection: close\r\n".to_vec();
    let asked = What::of(&String::from_utf8_lossy(&request));
    let Script { framing, cut, announced, .. } = {
        let mut script = script.lock().expect("not poisoned");
        let now = *script;
        if asked == Some(now.what) {
            script.times = script.times.saturating_sub(1);
            if now.times == 0 { Script { cut: usize::MAX, ..now } } else { now }
        } else {
            Script { cut: usize::MAX, framing: Framing::Length, ..now }
        }
    };
    let Some(asked) = asked else {
        // Of the job itself; that of a query does not say how many rows it has.
        let counts = match script.lock().expect("not poisoned").what {
            What::Saved if announced => r#","numberRecordsProcessed":4,"numberRecordsFailed":0"#,
            What::Refused if announced => r#","numberRecordsProcessed":4,"numberRecordsFailed":4"#,
            _ => "",
        };
        let info = format!(
            r#"{{"id":"750ak000009AVi5AAG","operation":"query","state":"JobComplete","apiVersion":57.0{counts}}}"#
        );
        out.extend(format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{info}", info.len()).bytes());
        let _ = stream.write_all(&out);
        return;
    };
    let text = asked.text();
    let cut = cut.min(text.len());
    if asked == What::List {
        out.extend(b"Content-Type: application/json\r\n");
    } else {
        out.extend(b"Content-Type: text/csv\r\n");
    }
    if asked == What::Page {
        out.extend(b"Sforce-Locator: null\r\n");
        if announced {
            out.extend(format!("Sforce-NumberOfRecords: {ROWS}\r\n").bytes());
        }
    }
    let part = &text.as_bytes()[..cut];
    match framing {
        Framing::Length => {
            out.extend(format!("Content-Length: {}\r\n\r\n", text.len()).bytes());
            out.extend(part);
        }
        Framing::Chunked => {
            out.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in part.chunks(7) {
                out.extend(format!("{:x}\r\n", chunk.len()).bytes());
                out.extend(chunk);
                out.extend(b"\r\n");
            }
            if cut == text.len() {
                out.extend(b"0\r\n\r\n");
            }
        }
        Framing::Close => {
            out.extend(b"\r\n");
            out.extend(part);
        }
    }
    // The client may have gone.
    let _ = stream.write_all(&out);
}

async fn read(mut rows: BulkRows) -> sforce::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    while let Some(block) = rows.next_block().await? {
        all.extend(block.rows().map(|row| (row.get(0).to_owned(), row.get(1).to_owned())));
    }
    Ok(all)
}

fn whole() -> Vec<(String, String)> {
    [("1", "a \"b\""), ("2", "two\nlines"), ("3", "\u{e9}"), ("4", "")]
        .map(|(id, text)| (id.to_owned(), text.to_owned()))
        .to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_cut_at_any_byte_is_an_error_and_is_whole_once_it_is_asked_for_again() {
    let server = Server::start();
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        for announced in [true, false] {
            for cut in 0..PAGE.len() {
                let times = usize::MAX;
                server.set(Script { what: What::Page, framing, cut, times, announced });
                let result = read(server.rows(RetryPolicy::never())).await;
                match result {
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Transport, "{framing:?} {cut}: {error}"),
                    // Only a page that nothing measures, neither HTTP nor Salesforce, can end between two rows.
                    Ok(rows) => assert!(
                        framing == Framing::Close && !announced && whole().starts_with(&rows),
                        "{framing:?} {cut}: {rows:?}"
                    ),
                }
                if framing == Framing::Close && !announced {
                    continue;
                }
                server.set(Script { what: What::Page, framing, cut, times: 2, announced });
                let rows = read(server.rows(RetryPolicy::default())).await.expect("whole the third time");
                assert_eq!(rows, whole(), "{framing:?} {cut}");
            }
        }
    }
}

/// The texts of a result file's rows.
async fn texts(client: Client, what: What) -> sforce::Result<Vec<String>> {
    let job = client.ingest_job(job("ingest", 57));
    let records: Vec<_> = if what == What::Saved {
        job.successful_results().await?.collect().await?.into_iter().map(|row| row.record).collect()
    } else {
        job.failed_results().await?.collect().await?.into_iter().map(|row| row.record).collect()
    };
    Ok(records.iter().map(|record| record.text("Text").unwrap_or_default().to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_file_cut_at_any_byte_is_an_error_and_is_whole_once_it_is_asked_for_again() {
    let server = Server::start();
    let whole: Vec<String> = whole().into_iter().map(|(_, text)| text).collect();
    for what in [What::Saved, What::Refused] {
        for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
            for announced in [true, false] {
                for cut in 0..what.text().len() {
                    server.set(Script { what, framing, cut, times: usize::MAX, announced });
                    match texts(server.client(RetryPolicy::never()), what).await {
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Transport, "{framing:?} {cut}: {error}"),
                        // Only a file that nothing measures, neither HTTP nor the job, can end between two rows.
                        Ok(rows) => assert!(
                            framing == Framing::Close && !announced && whole.starts_with(&rows),
                            "{what:?} {framing:?} {cut}: {rows:?}"
                        ),
                    }
                    if framing == Framing::Close && !announced {
                        continue;
                    }
                    server.set(Script { what, framing, cut, times: 2, announced });
                    let rows = texts(server.client(RetryPolicy::default()), what).await.expect("whole the third time");
                    assert_eq!(rows, whole, "{what:?} {framing:?} {cut}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_pages_cut_at_any_byte_is_an_error_or_is_asked_for_again() {
    let server = Server::start();
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        for cut in 0..LIST.len() {
            let script = Script { what: What::List, framing, cut, times: usize::MAX, announced: true };
            server.set(script);
            let listed = |policy| read(server.client(policy).query_job(job("query", 60)).rows());
            let error = listed(RetryPolicy::never()).await.expect_err("no list");
            assert!(matches!(error.kind(), ErrorKind::Transport | ErrorKind::Decode), "{framing:?} {cut}: {error}");
            server.set(Script { times: 2, ..script });
            match listed(RetryPolicy::default()).await {
                Ok(rows) => assert_eq!(rows, whole(), "{framing:?} {cut}"),
                // HTTP does not tell that it was cut.
                Err(error) => assert!(framing == Framing::Close, "{framing:?} {cut}: {error}"),
            }
        }
    }
}
