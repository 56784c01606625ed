//! An answer that is cut off anywhere is an error, never a short result.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sforce::api::AllOrNone;
use sforce::auth::{AccessToken, StaticToken};
use sforce::client::RetryPolicy;
use sforce::types::Record;
use sforce::{Client, ErrorKind};

use crate::support::{field, object, record};

/// How a server ends a body.
#[derive(Clone, Copy, Debug)]
enum Framing {
    /// The whole length is announced.
    Length,
    /// Chunks without the last one.
    Chunked,
    /// The end of the connection is the end of the body: HTTP cannot tell that it is short.
    Close,
}

/// A server that answers each request with the first `cut` bytes of a body, and then closes.
struct Server {
    url: String,
    script: Arc<Mutex<(Framing, Vec<u8>, usize)>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let script = Arc::new(Mutex::new((Framing::Length, Vec::new(), 0)));
        let shared = Arc::clone(&script);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (framing, body, cut) = shared.lock().expect("not poisoned").clone();
                if let Ok(stream) = stream {
                    answer(stream, framing, &body, cut);
                }
            }
        });
        Self { url, script }
    }

    fn client(&self) -> Client {
        let token = AccessToken::allowing_loopback("00D!token", &self.url).expect("loopback");
        Client::builder(StaticToken::new(token)).retry(RetryPolicy::never()).build().expect("a client")
    }
}

/// Reads one request and answers it.
fn answer(mut stream: TcpStream, framing: Framing, body: &[u8], cut: usize) {
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let Ok(read @ 1..) = stream.read(&mut buffer) else { return };
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
        if rest.len() >= length.unwrap_or(0) {
            break;
        }
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nConnection: close\r\n";
    let part = &body[..cut];
    let mut out = head.as_bytes().to_vec();
    match framing {
        Framing::Length => {
            out.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
            out.extend(part);
        }
        Framing::Chunked => {
            out.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            if cut > 0 {
                out.extend(format!("{cut:x}\r\n").bytes());
                out.extend(part);
                out.extend(b"\r\n");
            }
            if cut == body.len() {
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

const QUERY: &str = r#"{"totalSize":2,"done":true,"records":[{"attributes":{"type":"Account","url":"/x"},"Id":"001dM00003jU9GyQAK","Amount":1.5},{"attributes":{"type":"Account","url":"/y"},"Id":"001dM00003jU9H7QAK","Amount":12345}]}"#;
const ROWS: &str = r#"[{"id":"001dM00003jU9GyQAK","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"X","message":"m","fields":[]}]}]"#;
const CREATED: &str = r#"{"id":"001dM00003jU9GyQAK","success":true,"errors":[]}"#;
const DESCRIBE: &str = r#"{"name":"Account","fields":[{"name":"Id","type":"id","length":18}],"createable":true}"#;

async fn call(client: &Client, body: &str) -> sforce::Result<usize> {
    match body {
        QUERY => client.query::<Record>("SELECT Id, Amount FROM Account").collect().await.map(|rows| rows.len()),
        ROWS => {
            let rows = [record(r#"{"K__c":"a"}"#), record(r#"{"K__c":"b"}"#)];
            client
                .collections(object("Account"))
                .upsert(&field("K__c"), &rows, AllOrNone::No)
                .await
                .map(|rows| rows.len())
        }
        CREATED => client.records(object("Account")).create(&record(r#"{"Name":"x"}"#)).await.map(|_| 1),
        _ => client.describe(&object("Account")).await.map(|describe| describe.fields.len()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_cut_at_any_byte_is_an_error_in_every_framing() {
    let server = Server::start();
    let client = server.client();
    for (body, whole) in [(QUERY, 2), (ROWS, 2), (CREATED, 1), (DESCRIBE, 1)] {
        for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
            for cut in 0..=body.len() {
                *server.script.lock().expect("not poisoned") = (framing, body.as_bytes().to_vec(), cut);
                let result = call(&client, body).await;
                if cut == body.len() {
                    assert_eq!(result.expect("the whole body"), whole, "{framing:?}");
                } else {
                    let error = result.expect_err("a cut body");
                    assert!(
                        matches!(error.kind(), ErrorKind::Transport | ErrorKind::Decode),
                        "{framing:?} {cut}: {error}"
                    );
                }
            }
        }
    }
}
