//! Files: versions of documents, their content, and the records they are shared with.

mod upload;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::upload::{FileUpload, MAX_FILE_BYTES};
use super::QueryStream;
use super::sobjects::{Saved, accepted};
use crate::client::{ApiRequest, Client};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::http::{Body, exactly};
use crate::types::soql::field;
use crate::types::{RecordId, Soql};

/// The fields of [`FileVersion`].
const VERSION_FIELDS: [&str; 9] = [
    "Id",
    "ContentDocumentId",
    "Title",
    "PathOnClient",
    "FileType",
    "FileExtension",
    "ContentSize",
    "VersionNumber",
    "IsLatest",
];

/// One version of a document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct FileVersion {
    /// The version, of `ContentVersion`.
    pub id: RecordId,
    /// The document, of `ContentDocument`, which all versions share.
    pub content_document_id: RecordId,
    /// The title.
    pub title: String,
    /// The name that the file had where it came from.
    #[serde(default)]
    pub path_on_client: Option<String>,
    /// Salesforce's name of the format, such as `PDF`.
    #[serde(default)]
    pub file_type: Option<String>,
    /// The end of its name, such as `pdf`.
    #[serde(default)]
    pub file_extension: Option<String>,
    /// Bytes of the content.
    pub content_size: u64,
    /// The number of the version, `1` for the first.
    #[serde(default)]
    pub version_number: Option<String>,
    /// Whether it is the newest.
    pub is_latest: bool,
}

/// A document that is shared with a record.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "LinkRow")]
#[non_exhaustive]
pub struct LinkedFile {
    /// The document, of `ContentDocument`.
    pub document: RecordId,
    /// Its newest version, of `ContentVersion`.
    pub latest_version: Option<RecordId>,
    /// The title.
    pub title: String,
    /// The end of its name, such as `pdf`.
    pub file_extension: Option<String>,
    /// Bytes of the newest version.
    pub content_size: u64,
}

/// A row of `ContentDocumentLink` as the query has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LinkRow {
    content_document_id: RecordId,
    content_document: DocumentRow,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DocumentRow {
    title: String,
    file_extension: Option<String>,
    content_size: u64,
    latest_published_version_id: Option<RecordId>,
}

impl From<LinkRow> for LinkedFile {
    fn from(row: LinkRow) -> Self {
        let DocumentRow { title, file_extension, content_size, latest_published_version_id } = row.content_document;
        Self {
            document: row.content_document_id,
            latest_version: latest_published_version_id,
            title,
            file_extension,
            content_size,
        }
    }
}

/// What those who see a record may do with a document that is shared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareType {
    /// See it.
    Viewer,
    /// Change it.
    Collaborator,
    /// What they may do with the record.
    Inferred,
}

impl ShareType {
    fn letter(self) -> &'static str {
        match self {
            Self::Viewer => "V",
            Self::Collaborator => "C",
            Self::Inferred => "I",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NewLink {
    content_document_id: RecordId,
    linked_entity_id: RecordId,
    share_type: &'static str,
}

/// Salesforce Files, in and out.
///
/// ```no_run
/// use sforce::api::FileUpload;
/// use sforce::types::RecordId;
///
/// # async fn run(client: sforce::Client, account: RecordId, pdf: Vec<u8>) -> sforce::Result<()> {
/// let files = client.files();
/// let upload = FileUpload::new("reports/May.pdf", pdf).title("Report of May").shared_with(account);
/// let version = files.upload(&upload).await?;
/// let content = files.download(version).await?.collect(100 << 20).await?;
/// println!("{} bytes", content.len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Files {
    client: Client,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Files")
    }
}

impl Client {
    /// Salesforce Files.
    #[must_use]
    pub fn files(&self) -> Files {
        Files { client: self.clone() }
    }
}

impl Files {
    /// Uploads a file, and gives the id of its version. Costs one API call.
    ///
    /// The content goes out as it is told, of any size up to 2 GB, and is never in memory as a whole. Without
    /// [`version_of`](FileUpload::version_of) a document is made for it.
    ///
    /// Never repeated after a lost answer: the file may be there then, and [`Error::effect`] says so. Told again after a session that
    /// had expired.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] before sending for more than [`MAX_FILE_BYTES`], a blank name, or a record to share with beside a
    ///   document that is there already.
    /// - The content's own error where it breaks off, [`ErrorKind::Invalid`] where its length is not the announced one: nothing is
    ///   saved then.
    /// - Any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Insert or Update Blob Data".
    pub async fn upload(&self, file: &FileUpload) -> Result<RecordId> {
        const OPERATION: &str = "files.upload";
        let request = file.request(ApiRequest::post(OPERATION, "/sobjects/ContentVersion/"))?;
        let saved = accepted(self.client.send(request).await?.json::<Saved>()?, OPERATION)?;
        saved.id.ok_or_else(|| {
            Error::new(ErrorKind::Decode, OPERATION, "the answer has no id").with_effect(Effect::Unknown)
        })
    }

    /// Shares a document with one record more, and gives the id of the link. Costs one API call.
    ///
    /// Never repeated after a lost answer. Doing it again is harmless: Salesforce refuses a link that is there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Duplicate`] when it is shared with that record; any error of [`Client::send`].
    ///
    /// Source: Object Reference, "`ContentDocumentLink`".
    pub async fn share(&self, document: RecordId, with: RecordId, share: ShareType) -> Result<RecordId> {
        const OPERATION: &str = "files.share";
        let link = NewLink { content_document_id: document, linked_entity_id: with, share_type: share.letter() };
        let request = ApiRequest::post(OPERATION, "/sobjects/ContentDocumentLink").json(&link)?;
        let saved = accepted(self.client.send(request).await?.json::<Saved>()?, OPERATION)?;
        saved.id.ok_or_else(|| {
            Error::new(ErrorKind::Decode, OPERATION, "the answer has no id").with_effect(Effect::Unknown)
        })
    }

    /// What a version is. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for a version that is not there or hidden; any error of [`Client::send`].
    pub async fn version(&self, version: RecordId) -> Result<FileVersion> {
        let request = ApiRequest::get("files.version", format!("/sobjects/ContentVersion/{version}"));
        self.client.send(request.query("fields", &VERSION_FIELDS.join(","))).await?.json()
    }

    /// The versions of a document, the newest first. Costs one API call a page.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for a statement that is none.
    pub fn versions(&self, document: RecordId) -> Result<QueryStream<FileVersion>> {
        let soql = Soql::select(VERSION_FIELDS)
            .from("ContentVersion")
            .filter(field("ContentDocumentId").eq(document))
            .order_by([field("CreatedDate").desc(), field("Id").desc()])
            .build()?;
        Ok(self.client.query(soql))
    }

    /// The documents that are shared with a record. Costs one API call a page.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for a statement that is none.
    pub fn of_record(&self, record: RecordId) -> Result<QueryStream<LinkedFile>> {
        let soql = Soql::select([
            "ContentDocumentId",
            "ContentDocument.Title",
            "ContentDocument.FileExtension",
            "ContentDocument.ContentSize",
            "ContentDocument.LatestPublishedVersionId",
        ])
        .from("ContentDocumentLink")
        .filter(field("LinkedEntityId").eq(record))
        .build()?;
        Ok(self.client.query(soql))
    }

    /// The content of a version, while it is on its way. Costs one API call.
    ///
    /// A content that is cut off is an error at its end wherever HTTP can tell: by the length, the chunks or the compression of the
    /// answer. [`download_version`](Self::download_version) can tell always. It may take 30 minutes in all; nothing is asked for twice.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for a version that is not there or hidden; any error of [`Client::open`].
    ///
    /// Source: REST API Developer Guide, "sObject Blob Get".
    pub async fn download(&self, version: RecordId) -> Result<Body> {
        let path = format!("/sobjects/ContentVersion/{version}/VersionData");
        Ok(self.client.open(ApiRequest::get("files.download", path).accept("*/*")).await?.body)
    }

    /// As [`download`](Self::download), and holds the content against the size that the version says: another one is an error.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Transport`] at the end of a content of another size; as for [`download`](Self::download).
    pub async fn download_version(&self, version: &FileVersion) -> Result<Body> {
        let length = version.content_size;
        let chunks = self.download(version.id).await?.into_chunks();
        Ok(Body::Stream { chunks: exactly(chunks, length, Error::cut_off), length: Some(length) })
    }
}
