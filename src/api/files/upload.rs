//! A file on its way to Salesforce, as a multipart message.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::api::multipart::{FilePart, Form};
use crate::client::ApiRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::http::ByteStream;
use crate::types::{Record, RecordId, Value};

/// Most bytes of one file: 2 GB.
///
/// Source: REST API Developer Guide, "Insert or Update Blob Data". In JSON it would be 37.5 MB, as base64.
pub const MAX_FILE_BYTES: u64 = 2 << 30;

/// Tells a content from its start, for each attempt anew.
type Tell = Arc<dyn Fn() -> ByteStream + Send + Sync>;

/// A file to upload: a name, a content and fields of its `ContentVersion`.
#[derive(Clone)]
#[must_use]
pub struct FileUpload {
    fields: Record,
    length: u64,
    tell: Tell,
}

impl FileUpload {
    /// A file in memory. The path or name says its format; its last part is the title, unless [`title`](Self::title) says another.
    pub fn new(path_on_client: impl Into<String>, content: impl Into<Bytes>) -> Self {
        let content: Bytes = content.into();
        let length = content.len() as u64;
        Self::streamed(path_on_client, length, move || stream::iter([Ok(content.clone())]).boxed())
    }

    /// A file of `length` bytes whose content `tell` tells, from its start each time: once, and once more after a session that had
    /// expired.
    ///
    /// ```
    /// use std::io::Read as _;
    ///
    /// use bytes::Bytes;
    /// use futures_util::{StreamExt as _, stream};
    /// use sforce::api::FileUpload;
    /// use sforce::{Error, ErrorKind};
    ///
    /// # fn run() -> std::io::Result<()> {
    /// let path = "videos/demo.mp4";
    /// let length = std::fs::metadata(path)?.len();
    /// // Reads 64 KiB at a time; an async program reads by its runtime's files.
    /// let upload = FileUpload::streamed(path, length, move || {
    ///     let broken = |error| Error::new(ErrorKind::Store, "demo", "the file cannot be read").with_source(error);
    ///     let chunks = stream::iter(std::fs::File::open(path).into_iter()).flat_map(move |mut file| {
    ///         stream::iter(std::iter::from_fn(move || {
    ///             let mut chunk = vec![0; 64 << 10];
    ///             match file.read(&mut chunk) {
    ///                 Ok(0) => None,
    ///                 Ok(read) => Some(Ok(Bytes::from(chunk).slice(..read))),
    ///                 Err(error) => Some(Err(broken(error))),
    ///             }
    ///         }))
    ///     });
    ///     chunks.boxed()
    /// });
    /// # let _ = upload;
    /// # Ok(())
    /// # }
    /// ```
    pub fn streamed(
        path_on_client: impl Into<String>,
        length: u64,
        tell: impl Fn() -> ByteStream + Send + Sync + 'static,
    ) -> Self {
        Self { fields: Record::new().with("PathOnClient", path_on_client.into()), length, tell: Arc::new(tell) }
    }

    /// Sets the title.
    pub fn title(self, title: impl Into<String>) -> Self {
        self.field("Title", title.into())
    }

    /// Shares the new document with this record from the start.
    pub fn shared_with(self, record: RecordId) -> Self {
        self.field("FirstPublishLocationId", record.to_string())
    }

    /// Makes it the newest version of a document that is there.
    pub fn version_of(self, document: RecordId) -> Self {
        self.field("ContentDocumentId", document.to_string())
    }

    /// Sets any other field of the `ContentVersion`, such as `Description` or `ReasonForChange`.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.set(name, value);
        self
    }

    pub(super) fn request(&self, request: ApiRequest) -> Result<ApiRequest> {
        let invalid = |message: &'static str| Error::new(ErrorKind::Invalid, "files.upload", message);
        if self.length > MAX_FILE_BYTES {
            return Err(invalid("the file is larger than Salesforce takes")
                .with_context("bytes", self.length)
                .with_context("limit_bytes", MAX_FILE_BYTES));
        }
        if self.fields.text("PathOnClient").is_none_or(|path| path.trim().is_empty()) {
            return Err(invalid("the file has no name"));
        }
        if self.fields.get("FirstPublishLocationId").is_some() && self.fields.get("ContentDocumentId").is_some() {
            return Err(invalid("only a new document is shared by its upload")
                .with_advice("share the document that is there by a call of its own"));
        }
        let form = self.form()?;
        let (length, tell) = (self.length, Arc::clone(&self.tell));
        Ok(request.context("bytes", length).body_from(form.media_type()?, move || form.body(length, tell())))
    }

    /// The parts as the guide has them. The file's true name is in the record; the one of the part only makes it a file.
    fn form(&self) -> Result<Form> {
        let file = FilePart { name: "VersionData", file_name: "content", media_type: "application/octet-stream" };
        Form::new("files.upload", "entity_content", &self.fields, &file)
    }
}

impl fmt::Debug for FileUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileUpload({} bytes)", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_told_again_for_each_attempt() {
        let upload = FileUpload::new("a/b.txt", "content").field("Description", "d");
        let form = upload.form().expect("serialises");
        for _ in 0..2 {
            let body = form.body(upload.length, (upload.tell)()).collect(1 << 20).await.expect("as announced");
            let text = String::from_utf8(body.to_vec()).expect("text");
            assert!(text.contains("name=\"entity_content\""), "{text}");
            assert!(text.contains(r#"{"PathOnClient":"a/b.txt","Description":"d"}"#), "{text}");
            assert!(text.contains("name=\"VersionData\"; filename=\"content\""), "{text}");
            assert!(text.contains("\r\n\r\ncontent\r\n--"), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_uploaded_is_not_sent() {
        let id = RecordId::new("001dM00003jU9GyQAK").expect("an id");
        let none = || stream::empty().boxed();
        for upload in [
            FileUpload::new("  ", "x"),
            FileUpload::streamed("a", MAX_FILE_BYTES + 1, none),
            FileUpload::new("a", "x").shared_with(id).version_of(id),
        ] {
            let error = upload.request(ApiRequest::post("files.upload", "/x")).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
        assert!(FileUpload::streamed("a", MAX_FILE_BYTES, none).request(ApiRequest::post("test", "/x")).is_ok());
    }
}
