//! Answers as a test tells them, without a connection.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use sforce::auth::{AccessToken, StaticToken};
use sforce::client::RetryPolicy;
use sforce::http::{Body, ByteStream, HeaderMap, HeaderValue, HttpService, Request, Response, StatusCode};
use sforce::testing::ManualClock;
use sforce::{Client, Result};

/// An answer of status 200.
pub(super) struct Served {
    headers: HeaderMap,
    body: Body,
}

impl Served {
    /// A body whose length nobody tells; the end of the connection is its end.
    pub(super) fn stream(chunks: ByteStream) -> Self {
        Self { headers: HeaderMap::new(), body: Body::Stream { chunks, length: None } }
    }

    pub(super) fn chunks(chunks: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let chunks: Vec<_> = chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk))).collect();
        Self::stream(stream::iter(chunks).boxed())
    }

    pub(super) fn json(json: &serde_json::Value) -> Self {
        Self { headers: HeaderMap::new(), body: Body::from(json.to_string().into_bytes()) }
    }

    pub(super) fn length(mut self, told: u64) -> Self {
        if let Body::Stream { length, .. } = &mut self.body {
            *length = Some(told);
        }
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.headers.insert(name, HeaderValue::from_str(&value.to_string()).expect("a header"));
        self
    }
}

/// An org that is a function of path and query.
#[derive(Clone)]
pub(super) struct Scripted {
    answer: Arc<dyn Fn(&str) -> Served + Send + Sync>,
    pub(super) calls: Arc<AtomicUsize>,
}

impl Scripted {
    pub(super) fn new(answer: impl Fn(&str) -> Served + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), calls: Arc::default() }
    }

    pub(super) fn client(&self, policy: RetryPolicy) -> Client {
        let token = AccessToken::allowing_loopback("00D!token", "http://127.0.0.1:1").expect("loopback");
        let client = Client::builder(StaticToken::new(token)).http(self.clone()).retry(policy);
        client.clock(ManualClock::default()).build().expect("a client")
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
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
        self.calls.fetch_add(1, Ordering::Relaxed);
        let path = request
            .url
            .query()
            .map_or_else(|| request.url.path().to_owned(), |query| format!("{}?{query}", request.url.path()));
        let Served { headers, body } = (self.answer)(&path);
        Ok(Response { status: StatusCode::OK, headers, body })
    }
}
