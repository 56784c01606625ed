//! A result page that is cut off anywhere, in every framing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sforce::api::bulk::{BulkJob, BulkRows};
use sforce::auth::{AccessToken, StaticToken};
use sforce::client::RetryPolicy;
use sforce::testing::ManualClock;
use sforce::{Client, ErrorKind};

const PAGE: &str = "\"Id\",\"Text\"\n\"1\",\"a \"\"b\"\"\"\n\"2\",\"two\nlines\"\n\"3\",\"\u{e9}\"\n\"4\",\"\"\n";
const ROWS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Framing {
    Length,
    Chunked,
    /// The end of the connection is the end of the body.
    Close,
}

#[derive(Clone, Copy, Debug)]
struct Script {
    framing: Framing,
    /// Bytes of the page that are sent, so many times; then all of them.
    cut: usize,
    times: usize,
    /// Whether the headers say how many rows there are.
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
        let script = Script { framing: Framing::Length, cut: 0, times: 0, announced: true };
        let script = Arc::new(Mutex::new(script));
        let shared = Arc::clone(&script);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &shared);
            }
        });
        Self { url, script }
    }

    fn rows(&self, policy: RetryPolicy) -> BulkRows {
        let token = AccessToken::allowing_loopback("00D!token", &self.url).expect("loopback");
        let client = Client::builder(StaticToken::new(token)).retry(policy).clock(ManualClock::default());
        let job: BulkJob = serde_json::from_value(serde_json::json!({
            "id": "750ak000009AVi5AAG", "kind": "query", "api_version": "57.0", "delimiter": "COMMA", "line_ending": "LF"
        }))
        .expect("a job");
        client.build().expect("a client").query_job(job).rows()
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
    if !String::from_utf8_lossy(&request).contains("/results") {
        // Of the job itself, which does not say how many rows it has.
        let info = r#"{"id":"750ak000009AVi5AAG","operation":"query","state":"JobComplete","apiVersion":57.0}"#;
        out.extend(format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{info}", info.len()).bytes());
        let _ = stream.write_all(&out);
        return;
    }
    let Script { framing, cut, announced, .. } = {
        let mut script = script.lock().expect("not poisoned");
        let now = *script;
        script.times = script.times.saturating_sub(1);
        if now.times == 0 { Script { cut: PAGE.len(), ..now } } else { now }
    };
    out.extend(b"Content-Type: text/csv\r\nSforce-Locator: null\r\n");
    if announced {
        out.extend(format!("Sforce-NumberOfRecords: {ROWS}\r\n").bytes());
    }
    let part = &PAGE.as_bytes()[..cut];
    match framing {
        Framing::Length => {
            out.extend(format!("Content-Length: {}\r\n\r\n", PAGE.len()).bytes());
            out.extend(part);
        }
        Framing::Chunked => {
            out.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in part.chunks(7) {
                out.extend(format!("{:x}\r\n", chunk.len()).bytes());
                out.extend(chunk);
                out.extend(b"\r\n");
            }
            if cut == PAGE.len() {
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
                *server.script.lock().expect("not poisoned") = Script { framing, cut, times, announced };
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
                *server.script.lock().expect("not poisoned") = Script { framing, cut, times: 2, announced };
                let rows = read(server.rows(RetryPolicy::default())).await.expect("whole the third time");
                assert_eq!(rows, whole(), "{framing:?} {cut}");
            }
        }
    }
}
