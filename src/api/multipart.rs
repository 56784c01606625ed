//! A multipart message of two parts: JSON, and a file.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::HeaderValue;
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Body, ByteStream, exactly};

/// What stands around the file. The file itself is never copied.
pub(super) struct Form {
    operation: &'static str,
    boundary: String,
    before: Bytes,
    after: Bytes,
}

/// How the file's part is called.
pub(super) struct FilePart {
    pub(super) name: &'static str,
    pub(super) file_name: &'static str,
    pub(super) media_type: &'static str,
}

impl Form {
    pub(super) fn new(
        operation: &'static str,
        json_name: &str,
        json: &impl Serialize,
        file: &FilePart,
    ) -> Result<Self> {
        let boundary = boundary().map_err(|error| error.with_operation(operation))?;
        Self::bounded(operation, boundary, json_name, json, file)
    }

    fn bounded(
        operation: &'static str,
        boundary: String,
        json_name: &str,
        json: &impl Serialize,
        file: &FilePart,
    ) -> Result<Self> {
        let json = serde_json::to_string(json).map_err(|error| {
            Error::new(ErrorKind::Invalid, operation, "the record does not serialise to JSON").with_source(error)
        })?;
        let FilePart { name, file_name, media_type } = file;
        let before = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{json_name}\"\r\nContent-Type: application/json\r\n\r\n\
             {json}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
             Content-Type: {media_type}\r\n\r\n"
        );
        let after = format!("\r\n--{boundary}--\r\n");
        Ok(Self { operation, boundary, before: before.into(), after: after.into() })
    }

    pub(super) fn media_type(&self) -> Result<HeaderValue> {
        HeaderValue::from_str(&format!("multipart/form-data; boundary={}", self.boundary))
            .map_err(|error| Error::new(ErrorKind::Invalid, self.operation, "no boundary").with_source(error))
    }

    /// The message around a file of `length` bytes. One that turns out to have another length is an error at its end.
    pub(super) fn body(&self, length: u64, content: ByteStream) -> Body {
        let around = |bytes: &Bytes| stream::once(std::future::ready(Ok(bytes.clone())));
        // Whoever reads the stream names the operation.
        let content =
            exactly(content, length, || Error::new(ErrorKind::Invalid, "", "the content has not the announced length"));
        let chunks = around(&self.before).chain(content).chain(around(&self.after)).boxed();
        Body::Stream { chunks, length: Some((self.before.len() + self.after.len()) as u64 + length) }
    }
}

/// A line that no content has: nobody can guess it.
fn boundary() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Unexpected, "", "the system has no random bytes").with_source(error))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FilePart =
        FilePart { name: "VersionData", file_name: "content", media_type: "application/octet-stream" };

    fn form() -> Form {
        let json = serde_json::json!({"PathOnClient": "a/b \"1\".txt"});
        Form::bounded("test", "cut".into(), "entity_content", &json, &FILE).expect("serialises")
    }

    #[tokio::test]
    async fn json_and_file_are_told_as_the_guides_have_them() {
        let content = stream::iter([Ok(Bytes::from_static(b"con")), Ok(Bytes::from_static(b"tent"))]).boxed();
        let body = form().body(7, content);
        let expected = concat!(
            "--cut\r\nContent-Disposition: form-data; name=\"entity_content\"\r\nContent-Type: application/json\r\n\r\n",
            r#"{"PathOnClient":"a/b \"1\".txt"}"#,
            "\r\n--cut\r\nContent-Disposition: form-data; name=\"VersionData\"; filename=\"content\"\r\n",
            "Content-Type: application/octet-stream\r\n\r\ncontent\r\n--cut--\r\n",
        );
        assert!(matches!(&body, Body::Stream { length: Some(length), .. } if *length == expected.len() as u64));
        assert_eq!(body.collect(1 << 20).await.expect("as announced"), expected);
        assert_eq!(form().media_type().expect("a header"), "multipart/form-data; boundary=cut");
    }

    #[tokio::test]
    async fn a_content_of_another_length_ends_in_an_error() {
        for length in [2, 4] {
            let content = stream::iter([Ok(Bytes::from_static(b"abc"))]).boxed();
            let error = form().body(length, content).collect(1 << 20).await.expect_err("another length");
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn no_boundary_comes_twice() {
        assert_ne!(boundary().expect("random"), boundary().expect("random"));
    }
}
