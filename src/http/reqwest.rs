//! The default HTTP service.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use url::Url;

use super::{Body, HttpService, Request, Response, is_loopback};
use crate::error::{Effect, Error, ErrorKind, Result, Retry};

/// HTTP over reqwest with rustls.
///
/// Defaults: 10 s to connect, and 610 s without a byte or in all, since Salesforce may be silent for the 10 minutes that a
/// call may take; calls whose bodies are streams have their own time in all. Answers are asked for in gzip.
/// Proxies come from the environment, as reqwest reads it, but never for this machine's own addresses. Redirects are not followed:
/// the token belongs to one host.
///
/// What the first request needs, the machine's root certificates among it, is read when it comes. Where that fails, the request is
/// an error of kind [`ErrorKind::Config`]. Clones share connections.
#[derive(Clone)]
pub struct Reqwest(Arc<Clients>);

enum Clients {
    /// The caller's own, for everything.
    Given(reqwest::Client),
    Made {
        settings: ReqwestBuilder,
        remote: OnceLock<reqwest::Client>,
        /// For this machine's own addresses, where no proxy is asked.
        local: OnceLock<reqwest::Client>,
        /// The same without TLS, whose root certificates take milliseconds to read.
        plain: OnceLock<reqwest::Client>,
    },
}

impl Reqwest {
    /// A service with the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts from the defaults.
    #[must_use]
    pub fn builder() -> ReqwestBuilder {
        ReqwestBuilder::default()
    }

    /// Takes the caller's own client for everything: its proxy, certificates and time-outs. It must not follow redirects, and
    /// reads compressed answers only if its own feature for that is on.
    #[must_use]
    pub fn from_client(client: reqwest::Client) -> Self {
        Self(Arc::new(Clients::Given(client)))
    }

    fn client(&self, url: &Url) -> Result<&reqwest::Client> {
        let (settings, remote, local, plain) = match &*self.0 {
            Clients::Given(client) => return Ok(client),
            Clients::Made { settings, remote, local, plain } => (settings, remote, local, plain),
        };
        let builder = reqwest::Client::builder;
        match (is_loopback(url), url.scheme()) {
            (false, _) => settings.start(remote, builder),
            (true, "http") => settings.start(plain, || builder().no_proxy().tls_certs_only([])),
            (true, _) => settings.start(local, || builder().no_proxy()),
        }
    }
}

impl Default for Reqwest {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Reqwest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reqwest")
    }
}

/// Settings of [`Reqwest`].
#[derive(Clone, Debug)]
pub struct ReqwestBuilder {
    connect: Duration,
    idle: Duration,
    total: Duration,
}

impl Default for ReqwestBuilder {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), idle: Duration::from_secs(610), total: Duration::from_secs(610) }
    }
}

impl ReqwestBuilder {
    /// Longest time to connect, TLS included.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect = timeout;
        self
    }

    /// Longest time without a byte, also before the first one.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle = timeout;
        self
    }

    /// Longest time for a request and its whole answer.
    #[must_use]
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total = timeout;
        self
    }

    /// Makes the service.
    #[must_use]
    pub fn build(self) -> Reqwest {
        let (remote, local, plain) = <_>::default();
        Reqwest(Arc::new(Clients::Made { settings: self, remote, local, plain }))
    }

    /// The client of that place, made if need be.
    fn start<'a>(
        &self,
        client: &'a OnceLock<reqwest::Client>,
        builder: impl FnOnce() -> reqwest::ClientBuilder,
    ) -> Result<&'a reqwest::Client> {
        if let Some(client) = client.get() {
            return Ok(client);
        }
        let made = builder()
            .connect_timeout(self.connect)
            .read_timeout(self.idle)
            .timeout(self.total)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("sforce/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                Error::new(ErrorKind::Config, "", "the HTTP client does not start")
                    .with_advice("see that the machine has root certificates, as in the package ca-certificates")
                    .with_effect(Effect::None)
                    .with_source(error)
            })?;
        Ok(client.get_or_init(|| made))
    }
}

#[async_trait]
impl HttpService for Reqwest {
    async fn send(&self, request: Request) -> Result<Response> {
        let Request { method, url, headers, body, timeout } = request;
        let mut outgoing = self.client(&url)?.request(method, url).headers(headers);
        if let Some(timeout) = timeout {
            outgoing = outgoing.timeout(timeout);
        }
        outgoing = match body {
            Body::Bytes(bytes) if bytes.is_empty() => outgoing,
            Body::Bytes(bytes) => outgoing.body(bytes),
            Body::Stream { chunks, length } => {
                if let Some(length) = length {
                    outgoing = outgoing.header(http::header::CONTENT_LENGTH, length);
                }
                outgoing.body(reqwest::Body::wrap_stream(chunks))
            }
        };
        let answer = outgoing.send().await.map_err(failed)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let length = answer.content_length();
        let chunks = answer.bytes_stream().map_err(failed).boxed();
        Ok(Response { status, headers, body: Body::Stream { chunks, length } })
    }
}

/// The error of a request's body, which reqwest and hyper wrap into theirs.
fn own(error: &reqwest::Error) -> Option<Error> {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(own) = inner.downcast_ref::<Error>() {
            return Some(own.clone());
        }
        cause = inner.source();
    }
    None
}

fn failed(error: reqwest::Error) -> Error {
    if let Some(own) = own(&error) {
        // A request that broke off was never whole, so its effect is what its maker says. If the content comes from another login,
        // that one has failed.
        let retry = if own.retry() == Retry::Reauthenticate { Retry::Never } else { own.retry() };
        return own.with_retry(retry);
    }
    let message = if error.is_connect() {
        "cannot connect"
    } else if error.is_timeout() {
        "timed out"
    } else if error.is_body() || error.is_decode() {
        "the answer was cut off"
    } else {
        "the connection broke"
    };
    // A connection that was never made carried no request.
    let effect = if error.is_connect() { Effect::None } else { Effect::Unknown };
    // reqwest's Display ends with the URL, whose query may hold field values.
    Error::new(ErrorKind::Transport, "", message)
        .with_retry(Retry::After(None))
        .with_effect(effect)
        .with_source(error.without_url())
}
