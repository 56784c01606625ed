//! An org that is a function of the requests, and remembers them.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sforce::auth::{AccessToken, TokenProvider};
use sforce::http::{Body, HeaderMap, HttpService, Request, Response, StatusCode};
use sforce::testing::ManualClock;
use sforce::{Client, Effect, Error, ErrorKind, Result, Retry};

/// A request as it went out.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// `POST /services/…?query`.
    pub(super) line: String,
    pub(super) media_type: String,
    pub(super) body: Vec<u8>,
}

impl Sent {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

#[derive(Clone)]
pub(super) enum Answer {
    /// Of a status, with a body.
    Given(u16, Vec<u8>),
    /// On its way, after the org has acted.
    Lost,
}

/// By the number of the request, and the request.
type Script = dyn Fn(usize, &Sent) -> Answer + Send + Sync;

pub(super) fn json(status: u16, json: &serde_json::Value) -> Answer {
    Answer::Given(status, json.to_string().into_bytes())
}

pub(super) fn xml(inner: &str) -> Answer {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"http://soap.sforce.com/2006/04/metadata\">\
         <soapenv:Body>{inner}</soapenv:Body></soapenv:Envelope>"
    );
    Answer::Given(200, text.into_bytes())
}

#[derive(Clone)]
pub(super) struct Scripted {
    answer: Arc<Script>,
    sent: Arc<Mutex<Vec<Sent>>>,
    tokens: Arc<AtomicUsize>,
}

impl Scripted {
    /// Answers by the number of the request, from 0, and the request.
    pub(super) fn new(answer: impl Fn(usize, &Sent) -> Answer + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), sent: Arc::default(), tokens: Arc::default() }
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("not poisoned").clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.line).collect()
    }

    /// Tokens that were got.
    pub(super) fn tokens(&self) -> usize {
        self.tokens.load(Ordering::Relaxed)
    }

    pub(super) fn client(&self) -> Client {
        self.client_with("00D!token")
    }

    /// A client whose tokens begin so.
    pub(super) fn client_with(&self, token: &'static str) -> Client {
        let provider = Tokens { token, count: Arc::clone(&self.tokens) };
        Client::builder(provider).http(self.clone()).clock(ManualClock::default()).build().expect("a client")
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

#[async_trait]
impl HttpService for Scripted {
    async fn send(&self, request: Request) -> Result<Response> {
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let media_type = request.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let sent = Sent {
            line: format!("{} {}{query}", request.method, request.url.path()),
            media_type: media_type.to_owned(),
            body: request.body.collect(100 << 20).await?.to_vec(),
        };
        let number = {
            let mut all = self.sent.lock().expect("not poisoned");
            all.push(sent.clone());
            all.len() - 1
        };
        match (self.answer)(number, &sent) {
            Answer::Given(status, body) => {
                let status = StatusCode::from_u16(status).expect("a status");
                Ok(Response { status, headers: HeaderMap::new(), body: Body::from(body) })
            }
            Answer::Lost => Err(Error::new(ErrorKind::Transport, "", "reset")
                .with_retry(Retry::After(None))
                .with_effect(Effect::Unknown)),
        }
    }
}

#[derive(Debug)]
struct Tokens {
    token: &'static str,
    count: Arc<AtomicUsize>,
}

#[async_trait]
impl TokenProvider for Tokens {
    async fn fetch(&self, _http: &dyn HttpService, _rejected: Option<&AccessToken>) -> Result<AccessToken> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        AccessToken::allowing_loopback(format!("{}{number}", self.token), "http://127.0.0.1:1")
    }
}
