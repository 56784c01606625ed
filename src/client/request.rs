//! A call before it is sent, and its answer.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::options::foreign;
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::http::Body;
use crate::types::{encode, xml::Element};

/// What a request carries, so that it can be sent again.
#[derive(Clone)]
pub(super) enum Payload {
    Bytes(Bytes),
    /// A SOAP envelope, cut where the session id goes.
    Soap {
        before: Bytes,
        after: Bytes,
    },
    /// Made anew for each attempt.
    Made(Arc<dyn Fn() -> Body + Send + Sync>),
}

/// A call to the org, built without I/O and sent by [`Client::send`](super::Client::send).
///
/// The path is relative to `/services/data/vXX.X`, or absolute when it starts with `/services/`. This is the way to any resource that
/// has no method of its own here, with the same login, limits and retries; whether it may be repeated after a lost answer is the
/// caller's word ([`idempotent`](Self::idempotent)).
///
/// ```no_run
/// use std::collections::BTreeMap;
///
/// use sforce::client::ApiRequest;
///
/// # async fn run(client: sforce::Client) -> sforce::Result<()> {
/// #[derive(serde::Deserialize)]
/// struct Theme {
///     #[serde(rename = "themeItems")]
///     items: Vec<BTreeMap<String, sforce::types::Value>>,
/// }
///
/// let answer = client.send(ApiRequest::get("theme", "/theme").query("limit", "10")).await?;
/// println!("{} items, by {}", answer.json::<Theme>()?.items.len(), answer.status);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ApiRequest {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    /// The first header the caller may not set.
    pub(super) refused: Option<HeaderName>,
    pub(super) body: Payload,
    pub(super) idempotent: bool,
    /// Whether 304 is an answer.
    pub(super) conditional: bool,
    /// API calls that an attempt counts for.
    pub(super) calls: u64,
    pub(super) context: Vec<(&'static str, String)>,
}

impl ApiRequest {
    /// A read. Repeated by itself after failures that may pass.
    #[must_use]
    pub fn get(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::GET, path.into(), true)
    }

    /// A deletion of one thing by its id. Repeated by itself, since deleting twice is deleting once.
    #[must_use]
    pub fn delete(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::DELETE, path.into(), true)
    }

    /// A call that may create something: not repeated when the first try may have had an effect.
    #[must_use]
    pub fn post(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::POST, path.into(), false)
    }

    /// A change: not repeated when the first try may have had an effect, unless [`idempotent`](Self::idempotent) says so.
    #[must_use]
    pub fn patch(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::PATCH, path.into(), false)
    }

    fn new(operation: &'static str, method: Method, path: String, idempotent: bool) -> Self {
        let (headers, body) = (HeaderMap::new(), Payload::Bytes(Bytes::new()));
        Self {
            operation,
            method,
            path,
            headers,
            refused: None,
            body,
            idempotent,
            conditional: false,
            calls: 1,
            context: Vec::new(),
        }
    }

    /// Any other method. Repeated by itself after a lost answer only with [`idempotent`](Self::idempotent).
    #[must_use]
    pub fn with_method(operation: &'static str, method: Method, path: impl Into<String>) -> Self {
        let safe = method.is_safe();
        Self::new(operation, method, path.into(), safe)
    }

    /// A call of an Apex REST method of the org's own: the path is that below `/services/apexrest`, as it is, with its namespace if
    /// the class is of a package.
    ///
    /// Costs one API call. Same login, limits and retries as any call. `GET` is repeated by itself; what another method does only its
    /// author knows: it is repeated after a lost answer only with [`idempotent`](Self::idempotent).
    ///
    /// ```no_run
    /// use sforce::client::ApiRequest;
    /// use sforce::http::Method;
    ///
    /// # async fn run(client: sforce::Client) -> sforce::Result<()> {
    /// #[derive(serde::Serialize)]
    /// struct Visit { page: String }
    /// #[derive(serde::Deserialize)]
    /// struct Score { score: u32 }
    ///
    /// let request = ApiRequest::apex_rest(Method::PUT, "/visits").segment("a/b").json(&Visit { page: "/pricing".into() })?;
    /// let answer = client.send(request.idempotent()).await?;
    /// println!("{}", answer.json::<Score>()?.score);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Source: Apex Developer Guide, "Exposing Apex Classes as REST Web Services".
    #[must_use]
    pub fn apex_rest(method: Method, path: &str) -> Self {
        Self::with_method("apex_rest", method, format!("/services/apexrest/{}", path.trim_start_matches('/')))
    }

    /// A replacement: not repeated when the first try may have had an effect, unless [`idempotent`](Self::idempotent) says so.
    #[must_use]
    pub fn put(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::PUT, path.into(), false)
    }

    /// Says that doing it twice has the effect of doing it once, so that it may be repeated after a lost answer.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Takes 304, "not modified", for an answer and not for an error.
    #[must_use]
    pub fn conditional(mut self) -> Self {
        self.conditional = true;
        self
    }

    /// Says that the org counts an attempt as so many API calls, as it does the parts of a batch; one by default.
    #[must_use]
    pub fn costs(mut self, calls: u64) -> Self {
        self.calls = calls;
        self
    }

    /// Adds a segment to the path, escaped.
    #[must_use]
    pub fn segment(mut self, segment: &str) -> Self {
        // Writing to a String does not fail.
        let _ = write!(self.path, "/{}", encode(segment));
        self
    }

    /// Adds a query parameter, escaped.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        // Writing to a String does not fail.
        let _ = write!(self.path, "{separator}{}={}", encode(name), encode(value));
        self
    }

    /// Sets a header. One that the client writes itself, such as `Authorization`, makes sending an error.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if foreign(&name).is_err() {
            self.refused.get_or_insert(name);
        } else {
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets the form of the answer to ask for; JSON by default.
    #[must_use]
    pub fn accept(mut self, media_type: &'static str) -> Self {
        self.headers.insert(header::ACCEPT, HeaderValue::from_static(media_type));
        self
    }

    /// Sets a body of any media type.
    #[must_use]
    pub fn body(mut self, media_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.headers.insert(header::CONTENT_TYPE, media_type);
        self.body = Payload::Bytes(body.into());
        self
    }

    /// Sets a body that is made anew for each attempt, such as a stream over rows that can be told again.
    #[must_use]
    pub fn body_from(mut self, media_type: HeaderValue, make: impl Fn() -> Body + Send + Sync + 'static) -> Self {
        self.headers.insert(header::CONTENT_TYPE, media_type);
        self.body = Payload::Made(Arc::new(make));
        self
    }

    /// Sets a JSON body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the value does not serialise.
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Result<Self> {
        let bytes = serde_json::to_vec(body).map_err(|error| {
            Error::new(ErrorKind::Invalid, self.operation, "the record does not serialise to JSON").with_source(error)
        })?;
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = Payload::Bytes(bytes.into());
        Ok(self)
    }

    /// Sets a SOAP envelope, cut where the session id goes.
    pub(crate) fn soap(mut self, before_session_id: String, after_session_id: String) -> Self {
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=UTF-8"));
        self.headers.insert(header::ACCEPT, HeaderValue::from_static("text/xml"));
        self.headers.insert(HeaderName::from_static("soapaction"), HeaderValue::from_static("\"\""));
        self.body = Payload::Soap { before: before_session_id.into(), after: after_session_id.into() };
        self
    }

    /// Adds a fact for errors to name. Never a token, a body or a field value.
    #[must_use]
    pub fn context(mut self, key: &'static str, value: impl std::fmt::Display) -> Self {
        self.context.push((key, value.to_string()));
        self
    }
}

/// A successful answer.
#[derive(Clone)]
#[non_exhaustive]
pub struct ApiResponse {
    /// The status: 2xx, or 304 where the call was conditional.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// The call's name, for errors of reading the answer.
    pub(super) operation: &'static str,
    /// Whether the call may have changed the org.
    pub(super) effect: Effect,
    /// Whether an earlier attempt of the same call may have changed the org already.
    pub(crate) repeated: bool,
}

/// A successful answer whose body is still on its way.
///
/// What breaks off in it is an error of the stream, and is not asked for again here.
#[non_exhaustive]
pub struct ApiStream {
    /// The status: 2xx, or 304 where the call was conditional.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

impl fmt::Debug for ApiStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiStream({}, {:?})", self.status, self.body)
    }
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query and the body may hold field values.
        let path = self.path.split('?').next().unwrap_or_default();
        let (operation, method) = (self.operation, &self.method);
        match &self.body {
            Payload::Bytes(body) => write!(f, "ApiRequest({operation}: {method} {path}, {} bytes)", body.len()),
            Payload::Soap { before, after } => {
                write!(f, "ApiRequest({operation}: {method} {path}, {} bytes)", before.len() + after.len())
            }
            Payload::Made(_) => write!(f, "ApiRequest({operation}: {method} {path}, a stream)"),
        }
    }
}

impl fmt::Debug for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiResponse({}: {}, {} bytes)", self.operation, self.status, self.body.len())
    }
}

impl ApiResponse {
    /// Reads the body as XML.
    pub(crate) fn xml(&self) -> Result<Element> {
        let settle =
            |error: Error| error.with_operation(self.operation).with_effect(self.effect).with_retry(Retry::Never);
        Element::parse(&self.body).map_err(settle)
    }

    /// Reads the body as JSON; texts may borrow from it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Transport`] where the text ends too soon, [`ErrorKind::Decode`] where it is something else.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let wrong = if error.is_eof() {
                Error::cut_off()
            } else {
                Error::new(ErrorKind::Decode, "", "the answer is not what the API promises")
                    .with_source(PositionOnly::of(&error))
            };
            wrong.with_operation(self.operation).with_effect(self.effect).with_retry(Retry::Never)
        })
    }
}

/// Where and why JSON did not fit, without the text that serde quotes: it may be a field value.
#[derive(Debug, thiserror::Error)]
#[error("JSON of another shape at line {line}, column {column}")]
struct PositionOnly {
    line: usize,
    column: usize,
}

impl PositionOnly {
    fn of(error: &serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_parameters_cannot_leave_their_place() {
        let request = ApiRequest::get("test", "/sobjects/X").segment("a/b?c#%.ö'").query("q", "a+b&c=d 'e'");
        assert_eq!(request.path, "/sobjects/X/a%2Fb%3Fc%23%25.%C3%B6%27?q=a%2Bb%26c%3Dd%20%27e%27");
    }
}
