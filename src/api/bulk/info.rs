//! What the org says of a job, and a job as data.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Delimiter, LineEnding};
use crate::client::ApiVersion;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{RecordId, Timestamp};

/// Which way a job's rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Into the org.
    Ingest,
    /// Out of it.
    Query,
}

impl JobKind {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Query => "query",
        }
    }
}

/// A job as data: what it takes to go on with it, in this process or another one, as long as the org keeps it (7 days).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BulkJob {
    /// The job's id, `750…`.
    pub id: RecordId,
    /// Which way its rows go.
    pub kind: JobKind,
    /// The version it was made with. The org refuses to give its results to another one.
    pub api_version: ApiVersion,
    /// What stands between its cells.
    pub delimiter: Delimiter,
    /// What ends its rows.
    pub line_ending: LineEnding,
}

impl BulkJob {
    pub(super) fn new(kind: JobKind, info: &JobInfo) -> Self {
        Self {
            id: info.id,
            kind,
            api_version: info.api_version,
            delimiter: info.column_delimiter.unwrap_or_default(),
            line_ending: info.line_ending.unwrap_or_default(),
        }
    }

    /// The path of the job. Not relative: its version may be another one than the client's.
    pub(super) fn path(&self) -> String {
        job_path(self.api_version, self.kind, self.id)
    }
}

pub(super) fn jobs_path(version: ApiVersion, kind: JobKind) -> String {
    format!("/services/data/v{version}/jobs/{}", kind.path())
}

pub(super) fn job_path(version: ApiVersion, kind: JobKind, id: RecordId) -> String {
    format!("{}/{id}", jobs_path(version, kind))
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// Waits for its rows.
    Open,
    /// Has its rows, or its query, and waits for its turn.
    UploadComplete,
    /// Is at work.
    InProgress,
    /// Has ended. Rows may have failed nevertheless: see [`JobInfo::number_records_failed`].
    JobComplete,
    /// Has ended as a whole: [`JobInfo::error_message`] says why.
    Failed,
    /// Was aborted.
    Aborted,
    /// A state that this version does not know.
    Other(String),
}

impl JobState {
    /// Salesforce's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Open => "Open",
            Self::UploadComplete => "UploadComplete",
            Self::InProgress => "InProgress",
            Self::JobComplete => "JobComplete",
            Self::Failed => "Failed",
            Self::Aborted => "Aborted",
            Self::Other(word) => word,
        }
    }

    /// Whether the job has ended, one way or another.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::JobComplete | Self::Failed | Self::Aborted)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for JobState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for JobState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known =
            [Self::Open, Self::UploadComplete, Self::InProgress, Self::JobComplete, Self::Failed, Self::Aborted];
        Ok(known.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(&word)).unwrap_or(Self::Other(word)))
    }
}

/// A job as the org describes it. Answers to creating and closing a job have less than the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JobInfo {
    /// The job's id.
    pub id: RecordId,
    /// `insert`, `update`, `upsert`, `delete`, `hardDelete`, `query`, `queryAll`.
    pub operation: String,
    /// The object's name.
    #[serde(default)]
    pub object: Option<String>,
    /// How far it is.
    pub state: JobState,
    /// Who made it.
    #[serde(default)]
    pub created_by_id: Option<RecordId>,
    /// When it was made.
    #[serde(default)]
    pub created_date: Option<Timestamp>,
    /// When it last changed.
    #[serde(default)]
    pub system_modstamp: Option<Timestamp>,
    /// The key of an upsert.
    #[serde(default)]
    pub external_id_field_name: Option<String>,
    /// The assignment rule of a job on cases or leads.
    #[serde(default)]
    pub assignment_rule_id: Option<RecordId>,
    /// Always `Parallel` today.
    #[serde(default)]
    pub concurrency_mode: Option<String>,
    /// Always `CSV` today.
    #[serde(default)]
    pub content_type: Option<String>,
    /// `V2Ingest`, `V2Query`; `Classic`, `BigObjectIngest` in lists.
    #[serde(default)]
    pub job_type: Option<String>,
    /// The version that the job was made with.
    #[serde(with = "version")]
    pub api_version: ApiVersion,
    /// What ends its rows.
    #[serde(default)]
    pub line_ending: Option<LineEnding>,
    /// What stands between its cells.
    #[serde(default)]
    pub column_delimiter: Option<Delimiter>,
    /// Rows processed so far, failed ones included; of a query, its rows.
    #[serde(default)]
    pub number_records_processed: Option<u64>,
    /// Rows refused so far.
    #[serde(default)]
    pub number_records_failed: Option<u64>,
    /// How often parts of it were tried again.
    #[serde(default)]
    pub retries: Option<u32>,
    /// Milliseconds of processing.
    #[serde(default)]
    pub total_processing_time: Option<u64>,
    /// Milliseconds of processing without triggers and the like.
    #[serde(default)]
    pub api_active_processing_time: Option<u64>,
    /// Milliseconds of triggers and the like.
    #[serde(default)]
    pub apex_processing_time: Option<u64>,
    /// Why the job as a whole failed.
    #[serde(default)]
    pub error_message: Option<String>,
    /// Whether the query may be cut into parts (API 67.0 and later).
    #[serde(default)]
    pub is_pk_chunking_supported: Option<bool>,
}

impl JobInfo {
    /// Rows saved and rows refused, where the org tells them.
    pub(super) fn counts(&self) -> (Option<u64>, Option<u64>) {
        let (processed, failed) = (self.number_records_processed, self.number_records_failed);
        (processed.zip(failed).and_then(|(processed, failed)| processed.checked_sub(failed)), failed)
    }

    /// The same where the job is complete; an error where it failed as a whole or was aborted, of the kind that its code means.
    ///
    /// # Errors
    ///
    /// For example [`ErrorKind::Invalid`] for `InvalidBatch : Field name not found : Nothing__c`; [`ErrorKind::Conflict`] for a job that
    /// was aborted or has not ended.
    pub fn completed(self) -> Result<Self> {
        let error = match &self.state {
            JobState::JobComplete => return Ok(self),
            JobState::Failed => {
                let words = self.error_message.as_deref().unwrap_or_default();
                // recorded: "InvalidBatch : Field name not found : StageName_x"
                let (code, message) = words.split_once(':').unwrap_or(("Unknown", words));
                let failed = crate::error::ApiError::new(code.trim(), message.trim(), Vec::new());
                crate::client::record_error("bulk.job", vec![failed])
            }
            JobState::Aborted => Error::new(ErrorKind::Conflict, "bulk.job", "the job was aborted"),
            _ => Error::new(ErrorKind::Conflict, "bulk.job", "the job has not ended"),
        };
        Err(error.with_context("job", self.id).with_context("state", &self.state))
    }
}

/// The version stands as a number: `60.0`.
mod version {
    use super::{ApiVersion, Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(version: &ApiVersion, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f32(version.major().into())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ApiVersion, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let text = format!("{number:.1}");
        text.parse().map_err(|error: crate::error::Error| de::Error::custom(error.message().to_owned()))
    }
}
