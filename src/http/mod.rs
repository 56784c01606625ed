//! Sends one request once. Knows nothing of Salesforce.

mod body;
#[cfg(feature = "reqwest")]
mod reqwest;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
pub(crate) use body::exactly;
pub use body::{Body, ByteStream};
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use url::Url;

#[cfg(feature = "reqwest")]
pub use self::reqwest::{Reqwest, ReqwestBuilder};
use crate::error::Result;

/// A request.
pub struct Request {
    /// The verb.
    pub method: Method,
    /// Where to; absolute.
    pub url: Url,
    /// Headers. Values marked sensitive are not shown.
    pub headers: HeaderMap,
    /// The body; may be empty.
    pub body: Body,
    /// Longest time for the request and its whole answer, where that is not the service's own.
    pub timeout: Option<Duration>,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Body::empty(), timeout: None }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query may hold field values, headers the token.
        f.debug_struct("Request").field("method", &self.method).field("path", &self.url.path()).finish_non_exhaustive()
    }
}

/// An answer whose body may still be on its way.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers may hold cookies.
        f.debug_struct("Response").field("status", &self.status).field("body", &self.body).finish_non_exhaustive()
    }
}

/// Whether an address is this machine's own, where a mock org listens.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Sends requests: reqwest by default, or the caller's own HTTP stack.
///
/// # Contract
///
/// - One call sends one request at most once: no retries, no redirects followed.
/// - An answer of any status is `Ok`; `Err` means there was none.
/// - A body that ends before its declared length is an error of the stream, never a short body.
/// - The body is what the server meant: a service that asks for a compressed answer undoes the compression, and leaves no
///   `Content-Encoding` in the headers. One that ends before the compressed stream does is cut off too.
/// - An error that the request's own body ends with is the error of the call, unchanged.
/// - The error's [`effect`](crate::Error::effect) is [`Effect::None`](crate::Effect::None) only if the request surely never
///   left, such as a refused connection.
/// - Dropping the future abandons the request.
#[async_trait]
pub trait HttpService: fmt::Debug + Send + Sync + 'static {
    /// Sends one request.
    async fn send(&self, request: Request) -> Result<Response>;
}

#[async_trait]
impl<H: HttpService + ?Sized> HttpService for Arc<H> {
    async fn send(&self, request: Request) -> Result<Response> {
        (**self).send(request).await
    }
}

/// The service that is used where the caller gives none.
#[expect(clippy::unnecessary_wraps, reason = "as without the feature, where there is none")]
#[cfg(feature = "reqwest")]
pub(crate) fn default_service() -> Result<Arc<dyn HttpService>> {
    Ok(Arc::new(Reqwest::new()))
}

#[cfg(not(feature = "reqwest"))]
pub(crate) fn default_service() -> Result<Arc<dyn HttpService>> {
    Err(crate::error::Error::new(crate::error::ErrorKind::Config, "", "there is no HTTP service")
        .with_advice("enable the feature `reqwest`, or give your own HTTP service to the builder"))
}
