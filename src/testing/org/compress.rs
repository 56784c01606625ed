//! gzip both ways (wire facts 2.1): bodies that come so, and answers for whoever asks.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::error::ApiError;
use super::mock::MockOrg;
use super::wire::{Answer, Request};

/// Bytes a body may unpack to: more than any resource takes.
const MAX_PLAIN: u64 = 256 << 20;

impl MockOrg {
    /// Whether answers are compressed for those who say `Accept-Encoding: gzip`; they are by default.
    pub fn set_gzip(&self, on: bool) {
        self.state().gzip = on;
    }
}

/// The request with a plain body; `None` when it came so.
pub(crate) fn unpack(request: &Request) -> Result<Option<Request>, ApiError> {
    let Some(coding) = request.header("content-encoding").filter(|coding| !coding.eq_ignore_ascii_case("identity"))
    else {
        return Ok(None);
    };
    if !coding.eq_ignore_ascii_case("gzip") {
        // [K] The text. The guide has deflate as well; this org does not.
        let message = format!("Content-Encoding {coding} is not supported");
        return Err(ApiError::new(415, "UNSUPPORTED_MEDIA_TYPE", message));
    }
    let mut plain = Vec::new();
    let read = GzDecoder::new(&request.body[..]).take(MAX_PLAIN + 1).read_to_end(&mut plain);
    if read.is_err() || plain.len() as u64 > MAX_PLAIN {
        // [K] The code and the text.
        return Err(ApiError::new(400, "MALFORMED_REQUEST", "The body is not in the format of gzip"));
    }
    let mut request = request.clone();
    request.headers.remove("content-encoding");
    request.body = plain.into();
    Ok(Some(request))
}

/// Whether a request asks for it.
fn accepts(request: &Request) -> bool {
    let codings = request.headers.get_all("accept-encoding").iter().filter_map(|value| value.to_str().ok());
    codings.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.trim().parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// An answer with JSON or CSV in the form the request asks for.
pub(crate) fn pack(request: &Request, answer: Answer) -> Answer {
    let kind = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let fits = kind.is_some_and(|(_, kind)| kind.starts_with("application/json") || kind.starts_with("text/csv"));
    if answer.body.is_empty() || !fits || !accepts(request) {
        return answer;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    match encoder.write_all(&answer.body).and_then(|()| encoder.finish()) {
        Ok(packed) => Answer { body: Bytes::from(packed), ..answer }.with("Content-Encoding", "gzip"),
        Err(_) => answer,
    }
}

/// As many bytes of a packed body as `bytes` are of the plain one, and never all of it.
pub(crate) fn scaled(bytes: usize, plain: usize, packed: usize) -> usize {
    if bytes >= plain || plain == packed { bytes } else { (bytes * packed / plain).min(packed - 1) }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;

    fn request(name: &'static str, value: &'static str, body: &[u8]) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        Request::new(Method::POST, "/", headers, Bytes::copy_from_slice(body), 0)
    }

    #[test]
    fn a_body_comes_back_as_it_was_packed() {
        let packed = pack(&request("accept-encoding", "br, gzip;q=0.5", b""), Answer::text(200, "text/csv", "abc"));
        assert_eq!(packed.headers.last().unwrap(), &("Content-Encoding", "gzip".to_owned()));
        let unpacked = unpack(&request("content-encoding", "gzip", &packed.body)).unwrap().unwrap();
        assert_eq!((unpacked.body.as_ref(), unpacked.header("content-encoding")), (&b"abc"[..], None));
        for end in 0..packed.body.len() {
            assert_eq!(unpack(&request("content-encoding", "gzip", &packed.body[..end])).unwrap_err().status, 400);
        }
        assert_eq!(unpack(&request("content-encoding", "br", b"x")).unwrap_err().status, 415);
    }

    #[test]
    fn only_who_asks_gets_it() {
        for refused in ["identity", "gzip;q=0", "deflate"] {
            let answer = pack(&request("accept-encoding", refused, b""), Answer::text(200, "text/csv", "abc"));
            assert_eq!(answer.body, "abc", "{refused}");
        }
        let page = pack(&request("accept-encoding", "gzip", b""), Answer::text(200, "text/html", "abc"));
        assert_eq!(page.body, "abc");
    }
}
