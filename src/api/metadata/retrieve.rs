//! Packages out of the org, by SOAP.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::{MAX_ZIP, Metadata, envelope, wrong};
use crate::api::wait::{Looks, until_ended};
use crate::client::record_error;
use crate::error::{ApiError, Effect, Error, ErrorKind, Result, Retry};
use crate::types::xml::Element;
use crate::types::{RecordId, Timestamp};

/// Bytes of an answer with a zip in it, at most: base64 takes 4 for 3, the properties of 10,000 files some 600 each.
const MAX_ANSWER_BYTES: u64 = (MAX_ZIP as u64).div_ceil(3) * 4 + (8 << 20);

/// What to retrieve.
///
/// Source: Metadata API Developer Guide, `retrieve()`, `RetrieveRequest`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct RetrieveRequest {
    package_names: Vec<String>,
    several_packages: bool,
    specific_files: Vec<String>,
    members: Vec<(String, Vec<String>)>,
}

impl RetrieveRequest {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds components of a type by their full names, such as `Account.Score__c` of `CustomField`; `*` for all where the type takes
    /// that.
    pub fn members(
        mut self,
        component_type: impl Into<String>,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let (component_type, names) = (component_type.into(), names.into_iter().map(Into::into));
        match self.members.iter_mut().find(|(known, _)| *known == component_type) {
            Some((_, members)) => members.extend(names),
            None => self.members.push((component_type, names.collect())),
        }
        self
    }

    /// Adds a package by its name. The zip then has one folder per package.
    pub fn package(mut self, name: impl Into<String>) -> Self {
        self.package_names.push(name.into());
        self.several_packages = true;
        self
    }

    /// Limits the zip to these of its files.
    pub fn specific_files(mut self, files: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.specific_files.extend(files.into_iter().map(Into::into));
        self
    }

    /// The call, in the order of the WSDL.
    fn element(&self, version: impl fmt::Display) -> Element {
        let mut request = Element::new("retrieveRequest");
        request.push(Element::leaf("apiVersion", &version));
        for name in &self.package_names {
            request.push(Element::leaf("packageNames", name));
        }
        request.push(Element::leaf("singlePackage", !self.several_packages));
        for file in &self.specific_files {
            request.push(Element::leaf("specificFiles", file));
        }
        if !self.members.is_empty() {
            let mut package = Element::new("unpackaged");
            for (component_type, names) in &self.members {
                let mut types = Element::new("types");
                for name in names {
                    types.push(Element::leaf("members", name));
                }
                types.push(Element::leaf("name", component_type));
                package.push(types);
            }
            package.push(Element::leaf("version", &version));
            request.push(package);
        }
        let mut call = Element::new("retrieve");
        call.push(request);
        call
    }
}

/// How far a retrieve is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetrieveStatus {
    /// Waits for its turn.
    Pending,
    /// Is at work.
    InProgress,
    /// Has ended well.
    Succeeded,
    /// Has ended badly.
    Failed,
    /// A status that this version does not know.
    Other(String),
}

impl RetrieveStatus {
    /// Salesforce's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Other(word) => word,
        }
    }

    fn read(word: &str) -> Self {
        let known = [Self::Pending, Self::InProgress, Self::Succeeded, Self::Failed];
        let known = known.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(word));
        known.unwrap_or_else(|| Self::Other(word.to_owned()))
    }
}

impl fmt::Display for RetrieveStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A file of a zip that was retrieved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileProperties {
    /// The type of the component, such as `CustomObject`.
    pub component_type: String,
    /// Its full name.
    pub full_name: String,
    /// The file in the zip.
    pub file_name: String,
    /// Its id in the org; often blank.
    pub id: Option<String>,
    /// The namespace of its package.
    pub namespace_prefix: Option<String>,
    /// Whether it belongs to a package and may be changed, such as `unmanaged`.
    pub manageable_state: Option<String>,
    /// When it was last changed.
    pub last_modified_date: Option<Timestamp>,
}

/// Something to know about a file that was asked for, such as that there is none of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetrieveMessage {
    /// The file, often `unpackaged/package.xml`.
    pub file_name: String,
    /// What is wrong with it.
    pub problem: String,
}

/// How far a retrieve is, or what came of it.
///
/// Source: Metadata API Developer Guide, `RetrieveResult`; WSDL 63.0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetrieveResult {
    /// The retrieve's id, `09S…`.
    pub id: RecordId,
    /// How far it is.
    pub status: RetrieveStatus,
    /// Whether it has ended.
    pub done: bool,
    /// Whether it has ended well.
    pub success: bool,
    /// The files of the zip.
    pub file_properties: Vec<FileProperties>,
    /// What was not found, among others: a retrieve ends well even if all is missing.
    pub messages: Vec<RetrieveMessage>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// The code of that.
    pub error_status_code: Option<String>,
    /// The zip; `None` where it was not asked for, or the retrieve has not ended well.
    pub zip: Option<Bytes>,
}

/// A retrieve that was begun. Dropping it changes nothing: [`Metadata::retrieve_job`] opens it again by its id.
#[derive(Clone)]
pub struct RetrieveJob {
    metadata: Metadata,
    id: RecordId,
}

impl Metadata {
    /// Begins to retrieve components as a zip. Costs one API call; repeated by itself, since it changes nothing.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use sforce::api::metadata::RetrieveRequest;
    ///
    /// # async fn run(client: sforce::Client) -> sforce::Result<()> {
    /// let request = RetrieveRequest::new().members("CustomObject", ["Account", "Lead"]);
    /// let job = client.metadata().retrieve(&request).await?;
    /// let result = job.wait(Duration::from_mins(5)).await?;
    /// println!("{} bytes", result.zip.map_or(0, |zip| zip.len()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for a request of nothing; [`ErrorKind::Forbidden`] for a JWT-based token or without the
    /// permission; any error of [`Client::send`](crate::Client::send).
    pub async fn retrieve(&self, request: &RetrieveRequest) -> Result<RetrieveJob> {
        const OPERATION: &str = "metadata.retrieve";
        if request.members.is_empty() && request.package_names.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, OPERATION, "nothing is to be retrieved"));
        }
        let answer = self.call(OPERATION, &request.element(self.client.api_version())).await?;
        let id = answer.find("result").and_then(|result| result.text_of("id"));
        let id = id.ok_or_else(|| unreadable(OPERATION, "the answer has no id"))?;
        Ok(self.retrieve_job(read_id(OPERATION, id)?))
    }

    /// Opens a retrieve again by its id, after a crash or in another process. Costs nothing.
    #[must_use]
    pub fn retrieve_job(&self, id: RecordId) -> RetrieveJob {
        RetrieveJob { metadata: self.clone(), id }
    }
}

impl RetrieveJob {
    /// Its id, `09S…`.
    #[must_use]
    pub fn id(&self) -> RecordId {
        self.id
    }

    /// How far it is, without the zip. Costs one API call.
    ///
    /// # Errors
    ///
    /// As for [`Metadata::retrieve`].
    pub async fn status(&self) -> Result<RetrieveResult> {
        const OPERATION: &str = "metadata.retrieve_status";
        let answer = self.metadata.call(OPERATION, &self.check(false)).await?;
        read(OPERATION, &answer, self.id)
    }

    /// Waits until it has ended, and fetches the zip.
    ///
    /// Looks after 50 ms first, then after a fifth of the time it has taken so far, at most 5 s; each look costs one API call, and so
    /// does fetching the zip. A look that fails for a reason that passes is taken for "not yet".
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] past the deadline: the retrieve goes on; the kind of Salesforce's code where it failed; as for
    /// [`fetch`](Self::fetch).
    pub async fn wait(&self, deadline: Duration) -> Result<RetrieveResult> {
        let going = |result: &RetrieveResult| (!result.done).then(|| result.status.to_string());
        let late = || {
            Error::new(ErrorKind::Unavailable, "metadata.retrieve_wait", "the retrieve has not ended by the deadline")
                .with_retry(Retry::After(None))
                .with_advice("the retrieve goes on: wait for it again")
                .with_context("retrieve", self.id)
        };
        let client = &self.metadata.client;
        until_ended(client, deadline, Looks::Often, || self.status(), going, late).await?.ended_well()?;
        self.fetch().await
    }

    /// Fetches the zip of a retrieve that has ended, of up to [`MAX_ZIP`]. Costs one API call.
    ///
    /// Salesforce deletes the zip once it has handed it out: after an answer that broke off the retrieve has to be begun again, which
    /// changes nothing in the org.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] where there is no zip, or one that is larger; as for [`Metadata::retrieve`].
    pub async fn fetch(&self) -> Result<RetrieveResult> {
        const OPERATION: &str = "metadata.retrieve_zip";
        let again = |error: Error| {
            let error = if error.operation().is_empty() { error.with_operation(OPERATION) } else { error };
            let error = error.with_effect(Effect::None).with_context("retrieve", self.id);
            if error.advice().is_some() {
                return error;
            }
            error.with_advice("the zip is handed out once: begin the retrieve again")
        };
        let fetched: Result<RetrieveResult> = async {
            let request = self.metadata.request(OPERATION, envelope(&self.check(true)));
            let answer = self.metadata.client.open(request).await.map_err(super::denied)?;
            let answer = Element::parse(&answer.body.collect(MAX_ANSWER_BYTES).await?)?;
            let result = read(OPERATION, &answer, self.id)?.ended_well()?;
            if result.zip.is_none() {
                return Err(unreadable(OPERATION, "the answer has no zip"));
            }
            Ok(result)
        }
        .await;
        fetched.map_err(again)
    }

    fn check(&self, zip: bool) -> Element {
        let mut call = Element::new("checkRetrieveStatus");
        call.push(Element::leaf("asyncProcessId", self.id));
        call.push(Element::leaf("includeZip", zip));
        call
    }
}

impl RetrieveResult {
    fn ended_well(self) -> Result<Self> {
        const OPERATION: &str = "metadata.retrieve";
        if !self.done || (self.success && self.status != RetrieveStatus::Failed) {
            return Ok(self);
        }
        let error = match &self.error_status_code {
            Some(code) => {
                let words = self.error_message.as_deref().unwrap_or_default();
                record_error(OPERATION, vec![ApiError::new(code, words, Vec::new())]).with_retry(Retry::Never)
            }
            None => Error::new(ErrorKind::Invalid, OPERATION, "the retrieve failed"),
        };
        Err(error.with_effect(Effect::None).with_context("retrieve", self.id).with_context("status", &self.status))
    }
}

impl fmt::Debug for RetrieveJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RetrieveJob({})", self.id)
    }
}

/// What only reads has changed nothing, whatever it answers.
fn unreadable(operation: &'static str, message: &'static str) -> Error {
    wrong(operation, message).with_effect(Effect::None)
}

fn read_id(operation: &'static str, text: &str) -> Result<RecordId> {
    RecordId::new(text).map_err(|error| unreadable(operation, "the answer has another kind of id").with_source(error))
}

fn read(operation: &'static str, answer: &Element, id: RecordId) -> Result<RetrieveResult> {
    let result = answer.find("result").ok_or_else(|| unreadable(operation, "the answer has no result"))?;
    let owned = |element: &Element, name| element.text_of(name).map(str::to_owned);
    let file = |file: &Element| {
        let text = |name| owned(file, name).unwrap_or_default();
        FileProperties {
            component_type: text("type"),
            full_name: text("fullName"),
            file_name: text("fileName"),
            id: owned(file, "id"),
            namespace_prefix: owned(file, "namespacePrefix"),
            manageable_state: owned(file, "manageableState"),
            last_modified_date: file.text_of("lastModifiedDate").and_then(|text| Timestamp::read(text).ok()),
        }
    };
    let message = |message: &Element| {
        let text = |name| owned(message, name).unwrap_or_default();
        RetrieveMessage { file_name: text("fileName"), problem: text("problem") }
    };
    let done = result.flag_of("done").ok_or_else(|| unreadable(operation, "the answer tells no end"))?;
    let status = result.text_of("status").map_or_else(|| RetrieveStatus::Other(String::new()), RetrieveStatus::read);
    Ok(RetrieveResult {
        id,
        success: result.flag_of("success").unwrap_or(done && status == RetrieveStatus::Succeeded),
        status,
        done,
        file_properties: result.all("fileProperties").map(file).collect(),
        messages: result.all("messages").map(message).collect(),
        error_message: owned(result, "errorMessage"),
        error_status_code: owned(result, "errorStatusCode"),
        zip: result.text_of("zipFile").map(|text| unpack(operation, text)).transpose()?,
    })
}

/// The bytes of base64, which XML may break into lines.
fn unpack(operation: &'static str, text: &str) -> Result<Bytes> {
    let decoded = if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        STANDARD.decode(text)
    } else {
        STANDARD.decode(text)
    };
    let zip = decoded.map_err(|error| unreadable(operation, "the zip is no base64").with_source(error))?;
    if zip.len() > MAX_ZIP {
        return Err(unreadable(operation, "the zip is larger than allowed").with_context("limit_bytes", MAX_ZIP));
    }
    Ok(zip.into())
}

#[cfg(test)]
mod tests;
