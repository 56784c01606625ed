//! Answers that stall, are compressed, cut or too large, and the way to them.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::StreamExt;
use sforce::auth::{AccessToken, ClientCredentials, LoginHost, StaticToken};
use sforce::client::{ApiRequest, RetryPolicy};
use sforce::http::{HttpService, Method, Request, Reqwest};
use sforce::testing::org::MockOrg;
use sforce::{Client, Effect, Error, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::object;

const LONG: Duration = Duration::from_mins(10);
const SHORT: Duration = Duration::from_millis(150);

/// How a server behaves once it has a request.
#[derive(Clone)]
enum Behaviour {
    /// Not a word.
    Silent,
    /// These bytes, and then nothing.
    Stalls(Vec<u8>),
    /// A head without a length, then a byte every few milliseconds, for ever.
    Drips,
    /// These bytes, and then the end of the connection.
    Closes(Vec<u8>),
}

/// A loopback server; it ends with the test's runtime.
async fn serve(behaviour: Behaviour) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, behaviour.clone()));
        }
    });
    format!("http://{address}")
}

/// Reads up to the empty line behind a request's head.
async fn head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(head)
}

#[expect(clippy::disallowed_methods, reason = "the server is another system, which drips in real time")]
async fn answer(mut stream: TcpStream, behaviour: Behaviour) {
    if head(&mut stream).await.is_none() {
        return;
    }
    // The client may go at any time: that ends it.
    match behaviour {
        Behaviour::Silent => {}
        Behaviour::Closes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            return;
        }
        Behaviour::Stalls(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Behaviour::Drips => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            return;
        }
    }
    // Holds the connection open until the client gives up.
    let _ = stream.read(&mut [0; 16]).await;
}

/// Sends a request by this service and reads the whole answer.
async fn fetch(service: &Reqwest, url: &str) -> Result<usize, Error> {
    let request = Request::new(Method::GET, url.parse().expect("a URL"));
    let answer = service.send(request).await?;
    Ok(answer.body.collect(1 << 20).await?.len())
}

/// A service whose time-outs are all long but for those that are set.
fn patient() -> sforce::http::ReqwestBuilder {
    Reqwest::builder().connect_timeout(LONG).idle_timeout(LONG).total_timeout(LONG)
}

#[tokio::test]
async fn connecting_has_a_time_of_its_own_tls_included() {
    // It accepts connections and never says a word of TLS.
    let url = serve(Behaviour::Silent).await.replace("http://", "https://");
    let service = patient().connect_timeout(SHORT).build();
    let error = fetch(&service, &url).await.expect_err("no TLS");
    assert_eq!((error.kind(), error.message()), (ErrorKind::Transport, "cannot connect"));
    assert_eq!(error.effect(), Effect::None, "a request that never left");
}

#[tokio::test]
async fn silence_has_a_time_of_its_own_before_and_within_an_answer() {
    let service = patient().idle_timeout(SHORT).build();
    let started = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec();
    for behaviour in [Behaviour::Silent, Behaviour::Stalls(started)] {
        let error = fetch(&service, &serve(behaviour).await).await.expect_err("silence");
        assert_eq!((error.kind(), error.message()), (ErrorKind::Transport, "timed out"));
        assert_eq!(error.effect(), Effect::Unknown, "the request was on its way");
    }
}

#[tokio::test]
async fn a_whole_call_has_a_time_of_its_own_whatever_comes() {
    let url = serve(Behaviour::Drips).await;
    let service = patient().total_timeout(SHORT).build();
    let error = fetch(&service, &url).await.expect_err("it never ends");
    assert_eq!((error.kind(), error.message()), (ErrorKind::Transport, "timed out"));
    // A request may bring another time; those whose bodies are streams do.
    let service = patient().build();
    let mut request = Request::new(Method::GET, url.parse().expect("a URL"));
    request.timeout = Some(SHORT);
    let body = service.send(request).await.expect("a head").body;
    assert_eq!(body.collect(1 << 20).await.expect_err("it never ends").message(), "timed out");
}

#[tokio::test]
async fn a_time_out_of_a_create_says_that_it_may_have_happened() {
    let url = serve(Behaviour::Silent).await;
    let token = AccessToken::allowing_loopback("00D!token", &url).expect("loopback");
    let service = patient().idle_timeout(SHORT).build();
    let client = Client::builder(StaticToken::new(token)).http(service).build().expect("a client");
    let error = client.send(ApiRequest::post("test", "/sobjects/Account")).await.expect_err("silence");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Transport, Effect::Unknown));
    assert_eq!(client.api_calls(), 1, "not repeated");
}

/// A plain HTTP proxy, and how many requests went through it.
async fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let passed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&passed);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let head = String::from_utf8(head(&mut stream).await?).ok()?;
                // `GET http://host:port/path HTTP/1.1` becomes `GET /path HTTP/1.1`.
                let (method, rest) = head.split_once(" http://")?;
                let (host, rest) = rest.split_once('/')?;
                let mut upstream = TcpStream::connect(host).await.ok()?;
                count.fetch_add(1, Ordering::Relaxed);
                upstream.write_all(format!("{method} /{rest}").as_bytes()).await.ok()?;
                tokio::io::copy_bidirectional(&mut stream, &mut upstream).await.ok()
            });
        }
    });
    (format!("http://{address}"), passed)
}

#[tokio::test]
async fn the_callers_own_client_sends_everything_through_its_proxy() {
    let org = MockOrg::start();
    let (address, passed) = proxy().await;
    let own = reqwest::Client::builder()
        .proxy(reqwest::Proxy::http(&address).expect("an address"))
        // A connection each, which is all that this proxy can do.
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("starts");
    let host = LoginHost::allowing_loopback(&org.base_url()).expect("loopback");
    let provider = ClientCredentials::new(host, org.client_id(), org.client_secret()).expect("complete");
    let client = Client::builder(provider).http(Reqwest::from_client(own)).build().expect("a client");
    let fields = client.describe(&object("Account")).await.expect("through the proxy").fields;
    assert!(!fields.is_empty());
    assert_eq!(passed.load(Ordering::Relaxed), 2, "the login and the call");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("to memory");
    encoder.finish().expect("to memory")
}

fn client_of(url: &str, max_answer: u64) -> Client {
    client_by(&Reqwest::new(), url, max_answer)
}

fn client_by(service: &Reqwest, url: &str, max_answer: u64) -> Client {
    let token = AccessToken::allowing_loopback("00D!token", url).expect("loopback");
    let builder = Client::builder(StaticToken::new(token)).http(service.clone()).retry(RetryPolicy::never());
    builder.max_answer(max_answer).build().expect("a client")
}

/// A server that answers with these bytes in gzip.
async fn compressed(status: u16, bytes: &[u8]) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status)
        .set_body_raw(gzip(bytes), "application/json;charset=UTF-8")
        .insert_header("content-encoding", "gzip");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn compressed_answers_and_errors_are_read() {
    let limits = br#"{"DailyApiRequests":{"Max":15000,"Remaining":14976}}"#;
    let server = compressed(200, limits).await;
    let limits = client_of(&server.uri(), 1_000).all_limits().await.expect("read");
    assert_eq!(limits["DailyApiRequests"].remaining, Some(14_976));
    let asked = &server.received_requests().await.expect("recorded")[0];
    assert!(asked.headers["accept-encoding"].to_str().expect("text").contains("gzip"), "it is asked for");

    let server = compressed(400, br#"[{"errorCode":"INVALID_FIELD","message":"No such column"}]"#).await;
    let error = client_of(&server.uri(), 1_000).all_limits().await.expect_err("refused");
    assert_eq!((error.kind(), error.has_code("INVALID_FIELD")), (ErrorKind::Schema, true));
}

#[tokio::test]
async fn a_compressed_answer_cut_at_any_byte_is_an_error_in_every_framing() {
    let plain = br#"{"DailyApiRequests":{"Max":15000,"Remaining":14976},"DataStorageMB":{"Max":5,"Remaining":5}}"#;
    let body = gzip(plain);
    let service = Reqwest::new();
    for framing in ["Content-Length", "Transfer-Encoding", "Connection"] {
        for cut in 0..=body.len() {
            let whole = cut == body.len();
            let part = &body[..cut];
            let header = match framing {
                "Content-Length" => body.len().to_string(),
                "Transfer-Encoding" => "chunked".to_owned(),
                _ => "close".to_owned(),
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n{framing}: {header}\r\n\r\n"
            );
            let mut bytes = head.into_bytes();
            if framing == "Transfer-Encoding" {
                if cut > 0 {
                    bytes.extend(format!("{cut:x}\r\n").bytes().chain(part.iter().copied()).chain(*b"\r\n"));
                }
                bytes.extend_from_slice(if whole { b"0\r\n\r\n" } else { b"" });
            } else {
                bytes.extend_from_slice(part);
            }
            let client = client_by(&service, &serve(Behaviour::Closes(bytes)).await, 1 << 20);
            let read = client.all_limits().await;
            if whole {
                assert_eq!(read.expect("the whole body").len(), 2, "{framing}");
                continue;
            }
            let error = read.expect_err("a cut body");
            assert_eq!(error.kind(), ErrorKind::Transport, "{framing} {cut}: {error}");
            // As a stream it is an error too, but where nothing at all came and nothing was announced.
            let streamed = match client.open(ApiRequest::get("test", "/limits")).await {
                Ok(answer) => answer.body.collect(1 << 20).await,
                Err(error) => Err(error),
            };
            let silent = framing == "Connection" && cut == 0;
            assert_eq!(streamed.is_err(), !silent, "{framing} {cut}");
        }
    }
}

#[tokio::test]
async fn a_small_answer_that_unpacks_without_end_is_stopped_at_the_bound() {
    // 32 MB of blanks in 32 KB.
    let bomb = vec![b' '; 32 << 20];
    for (status, kind) in [(200, ErrorKind::Decode), (400, ErrorKind::Decode)] {
        let server = compressed(status, &bomb).await;
        let error = client_of(&server.uri(), 1 << 20).all_limits().await.expect_err("too large");
        assert_eq!((error.kind(), error.message()), (kind, "the answer is larger than allowed"));
        assert!(error.to_string().contains(&(1 << 20).to_string()), "{error}");
    }
    // As a stream it has no bound, and is in memory a piece at a time.
    let server = compressed(200, &bomb).await;
    let answer = client_of(&server.uri(), 1 << 20).open(ApiRequest::get("test", "/limits")).await.expect("opens");
    let mut chunks = answer.body.into_chunks();
    let (mut size, mut most) = (0, 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.expect("whole");
        size += chunk.len();
        most = most.max(chunk.len());
    }
    assert_eq!(size, 32 << 20);
    assert!(most <= 256 << 10, "{most} bytes at once");
}
