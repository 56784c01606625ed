//! Files: versions of documents, their bytes, and the links to where they are shared.
// Object Reference, ContentVersion, ContentDocument, ContentDocumentLink.

use std::collections::HashMap;

use base64::Engine as _;
use bytes::Bytes;

use super::data::{Data, Rights, Writer, set};
use super::error::ApiError;
use super::ids;
use super::json::Json;
use super::mock::MockOrg;
use super::schema::{Object, Schema};
use super::value::{Row, Value, text};

/// The bytes of files by the id of their version.
#[derive(Debug, Default)]
pub(crate) struct Files {
    stored: HashMap<String, Bytes>,
    /// The binary part of the request that is carried out.
    pub(crate) part: Option<Bytes>,
}

impl Files {
    pub(crate) fn bytes(&self, version: &str) -> Option<&Bytes> {
        self.stored.get(version)
    }
}

impl MockOrg {
    /// The bytes of a file by the id of its version.
    #[must_use]
    pub fn file(&self, version: &str) -> Option<Vec<u8>> {
        self.state().data.files.bytes(&ids::to_18(version)?).map(|bytes| bytes.to_vec())
    }
}

fn base64(text: &str) -> Result<Bytes, ApiError> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(text.as_bytes());
    // [K] The text.
    decoded.map(Bytes::from).map_err(|_| ApiError::json("VersionData: a value of type base64 was expected"))
}

/// Takes the bytes out of a row about to be saved, and fills in what follows from them.
pub(crate) fn before_create(data: &mut Data, object: &Object, row: &mut Row) -> Result<(), ApiError> {
    match object.name.as_str() {
        "ContentVersion" => version(data, row),
        "ContentDocumentLink" => link(data, row),
        _ => Ok(()),
    }
}

fn version(data: &mut Data, row: &mut Row) -> Result<(), ApiError> {
    let given = match row.remove("VersionData") {
        Some(Value::Text(encoded)) => Some(base64(&encoded)?),
        _ => None,
    };
    let Some(bytes) = data.files.part.take().or(given) else {
        // [K] Code and text.
        return Err(ApiError::row(
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [VersionData]",
            ["VersionData"],
        ));
    };
    let path = text(row, "PathOnClient").to_owned();
    if path.is_empty() {
        return Err(ApiError::row(
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [PathOnClient]",
            ["PathOnClient"],
        ));
    }
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if text(row, "Title").is_empty() {
        // [K] The name without its extension.
        set(row, "Title", Value::Text(stem.to_owned()));
    }
    // "FileType is defined by ContentUrl for links or PathOnClient for documents". [K] The names beyond these.
    let kind = match extension.to_ascii_lowercase().as_str() {
        "pdf" => "PDF".to_owned(),
        "txt" => "TEXT".to_owned(),
        "csv" => "CSV".to_owned(),
        "docx" => "WORD_X".to_owned(),
        "xlsx" => "EXCEL_X".to_owned(),
        "" => "UNKNOWN".to_owned(),
        other => other.to_ascii_uppercase().chars().take(20).collect(),
    };
    set(row, "FileType", Value::Text(kind));
    let extension = if extension.is_empty() { Value::Null } else { Value::Text(extension.chars().take(40).collect()) };
    set(row, "FileExtension", extension);
    set(row, "ContentSize", Value::Number(bytes.len().into()));
    set(row, "IsLatest", Value::Bool(true));
    set(row, "PublishStatus", Value::Text("P".to_owned()));
    let document = text(row, "ContentDocumentId").to_owned();
    let versions = versions_of(data, &document).len();
    set(row, "VersionNumber", Value::Text((versions + 1).to_string()));
    data.files.stored.insert(text(row, "Id").to_owned(), bytes);
    Ok(())
}

fn versions_of(data: &Data, document: &str) -> Vec<String> {
    let document = Value::Text(document.to_owned());
    let rows = data.store.lookup("ContentVersion", "ContentDocumentId", &document).unwrap_or_default();
    rows.into_iter().map(|row| text(row, "Id").to_owned()).collect()
}

fn link(data: &Data, row: &mut Row) -> Result<(), ApiError> {
    let (document, entity) = (text(row, "ContentDocumentId"), text(row, "LinkedEntityId"));
    let twice = data
        .store
        .rows("ContentDocumentLink", false)
        .any(|other| text(other, "ContentDocumentId") == document && text(other, "LinkedEntityId") == entity);
    if twice {
        // [S] The text, of several reports.
        let message = format!("{entity} is already linked with the given record and object.");
        return Err(ApiError::row("DUPLICATE_VALUE", message, ["LinkedEntityId"]));
    }
    Ok(())
}

/// A version without a document gets one, with links to its owner and to where it is published first; a new version of a document
/// becomes the latest.
pub(crate) fn after_create(
    data: &mut Data,
    schema: &Schema,
    writer: &Writer,
    object: &Object,
    id: &str,
) -> Result<(), ApiError> {
    if object.name != "ContentVersion" {
        return Ok(());
    }
    let Some((row, _)) = data.store.find(id) else { return Ok(()) };
    let mut row = row.clone();
    let system = Writer { rights: Rights::System, ..writer.clone() };
    let known = text(&row, "ContentDocumentId").to_owned();
    let document = if known.is_empty() {
        let Some(target) = schema.object("ContentDocument") else { return Ok(()) };
        let document = data.create(schema, &system, target, &[], None)?;
        let mut links = vec![(text(&row, "OwnerId").to_owned(), "I")];
        let first = text(&row, "FirstPublishLocationId");
        if !first.is_empty() && first != links[0].0 {
            // [K] The kind of share.
            links.push((first.to_owned(), "V"));
        }
        for (entity, share) in links {
            let Some(target) = schema.object("ContentDocumentLink") else { continue };
            let members = [
                ("ContentDocumentId".to_owned(), Json::string(&document)),
                ("LinkedEntityId".to_owned(), Json::string(entity)),
                ("ShareType".to_owned(), Json::string(share)),
                ("Visibility".to_owned(), Json::string("AllUsers")),
            ];
            data.create(schema, &system, target, &members, None)?;
        }
        document
    } else {
        for other in versions_of(data, &known).into_iter().filter(|other| other != id) {
            let Some((older, _)) = data.store.find(&other) else { continue };
            let mut older = older.clone();
            set(&mut older, "IsLatest", Value::Bool(false));
            data.store.update(&other, older);
        }
        known
    };
    set(&mut row, "ContentDocumentId", Value::Text(document.clone()));
    let Some((mut head, target)) =
        data.store.find(&document).map(|(head, _)| head.clone()).zip(schema.object("ContentDocument"))
    else {
        return Ok(());
    };
    for name in ["Title", "Description", "FileType", "FileExtension", "ContentSize", "PublishStatus", "OwnerId"] {
        set(&mut head, name, row.get(name).cloned().unwrap_or(Value::Null));
    }
    set(&mut head, "LatestPublishedVersionId", Value::Text(id.to_owned()));
    data.stamp_modified(target, &mut head, &writer.user);
    data.store.update(id, row);
    data.store.update(&document, head);
    Ok(())
}
