//! A blocking HTTP/1.1 client, just enough for tests and of nobody else's making.

use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::testing::org::MockOrg;

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) bytes: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Sends requests with the token it was given.
#[derive(Clone, Debug)]
pub(super) struct Client {
    host: String,
    pub(super) authorization: Option<String>,
}

impl Client {
    pub(super) fn of(org: &MockOrg) -> Self {
        let host = org.base_url().strip_prefix("http://").unwrap().to_owned();
        Self { host, authorization: Some(format!("Bearer {}", org.access_token())) }
    }

    /// At another of the org's hosts, by its URL; without a token.
    pub(super) fn at(url: &str) -> Self {
        Self { host: url.strip_prefix("http://").unwrap().to_owned(), authorization: None }
    }

    pub(super) fn with_authorization(&self, value: Option<&str>) -> Self {
        Self { authorization: value.map(str::to_owned), ..self.clone() }
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").unwrap()
    }

    pub(super) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "").unwrap()
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, body)
    }

    pub(super) fn patch(&self, path: &str, body: &Value) -> Answer {
        self.json("PATCH", path, body)
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("Content-Type", "application/json")], &body.to_string()).unwrap()
    }

    pub(super) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", path, &[("Content-Type", "application/x-www-form-urlencoded")], &body).unwrap()
    }

    pub(super) fn query(&self, soql: &str) -> Answer {
        let q: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
        self.get(&super::data(&format!("/query?q={q}")))
    }

    /// One request on a connection of its own.
    pub(super) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Answer> {
        self.send_bytes(method, path, headers, body.as_bytes())
    }

    /// As [`Client::send`], of a body that may be no text.
    pub(super) fn send_bytes(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.host);
        if let Some(authorization) = &self.authorization {
            write!(head, "Authorization: {authorization}\r\n").unwrap();
        }
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if !body.is_empty() {
            write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        read(&self.raw_bytes(&[format!("{head}\r\n").as_bytes(), body].concat())?)
    }

    /// The bytes of a request, and the answer that comes until the org closes.
    pub(super) fn raw(&self, request: &str) -> io::Result<Answer> {
        read(&self.raw_bytes(request.as_bytes())?)
    }

    /// As [`Client::raw`], with the answer's bytes as they come.
    pub(super) fn raw_bytes(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.host)?;
        stream.set_read_timeout(Some(Duration::from_millis(1_500)))?;
        io::Write::write_all(&mut stream, request)?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, what.to_owned())
}

fn read(bytes: &[u8]) -> io::Result<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(|| broken("no head"))?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(io::Error::other)?;
    let bytes = bytes[end + 4..].to_vec();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let rest = text.as_str();
    let mut lines = head.lines();
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(|| broken("no status"))?;
    let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    let headers: Vec<(String, String)> = lines.filter_map(header).collect();
    let mut answer = Answer { status, headers, body: rest.to_owned(), bytes };
    if answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        answer.body = dechunk(rest)?;
    } else if let Some(length) = answer.header("content-length") {
        let length: usize = length.parse().map_err(io::Error::other)?;
        if answer.bytes.len() != length {
            return Err(broken(&format!("{} of {length} bytes", answer.bytes.len())));
        }
    }
    Ok(answer)
}

fn dechunk(mut rest: &str) -> io::Result<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n").ok_or_else(|| broken("no last chunk"))?;
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        if size == 0 {
            return Ok(body);
        }
        body += after.get(..size).ok_or_else(|| broken("half a chunk"))?;
        rest = &after[size + 2..];
    }
}
