//! Requests and answers as values, so that the org itself does no I/O.

use bytes::Bytes;
use http::{HeaderMap, Method};

use super::json::Json;

/// A whole request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Path and query as they came.
    pub(crate) target: String,
    /// Path segments, percent-decoded after splitting. A trailing slash leaves no segment.
    pub(crate) segments: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The port it came to.
    pub(crate) port: u16,
}

impl Request {
    pub(crate) fn new(method: Method, target: &str, headers: HeaderMap, body: Bytes, port: u16) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let segments: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect();
        let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        // For clients whose HTTP library has no PATCH (wire facts 2.1).
        let named = query.iter().find(|(key, _)| key == "_HttpMethod").map(|(_, value)| value.to_ascii_uppercase());
        let named = named.and_then(|name| Method::from_bytes(name.as_bytes()).ok());
        let method = named.filter(|_| method == Method::POST).unwrap_or(method);
        Self { method, target: target.to_owned(), segments, query, headers, body, port }
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The fields of a form body; none when the body is of another kind.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        let kind = self.header("content-type").unwrap_or_default().to_ascii_lowercase();
        if kind.starts_with("application/x-www-form-urlencoded") {
            return url::form_urlencoded::parse(&self.body).into_owned().collect();
        }
        Vec::new()
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: u16, body: &Json) -> Self {
        Self::text(status, "application/json;charset=UTF-8", body.to_text())
    }

    pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("Content-Type", content_type.to_owned())], body: body.into() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As [`Answer::with`], unless the header is there already.
    pub(crate) fn with_default(self, name: &'static str, value: impl Into<String>) -> Self {
        if self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name)) { self } else { self.with(name, value) }
    }
}
