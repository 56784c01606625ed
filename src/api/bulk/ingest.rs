//! Jobs that take rows into the org.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Serialize;

use super::info::{BulkJob, JobInfo, JobKind, JobState, jobs_path};
use super::job::{self, Looks};
use super::results::{FailedRow, ResultFile, ResultRows, SavedRow, failed_row, open, saved_row, unprocessed_row};
use super::upload::{Form, Ready, Replay, Uploaded};
use super::{Column, Delimiter, LineEnding};
use crate::client::{ApiRequest, Client};
use crate::error::Result;
use crate::types::{FieldName, Record, RecordId, SObjectName};

/// Bytes of CSV that one job takes: the org allows 150 MB after encoding them in base64.
///
/// Source: Bulk API 2.0 guide, "Upload Job Data".
pub const MAX_UPLOAD_BYTES: u64 = 100_000_000;

/// What a job does with its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IngestOperation {
    /// Creates records.
    Insert,
    /// Changes records by their `Id`.
    Update,
    /// Creates records, or changes those that have the key.
    Upsert {
        /// An external id, or `Id`.
        key: FieldName,
    },
    /// Deletes records by their `Id`, into the recycle bin.
    Delete,
    /// Deletes records by their `Id` for good. Needs the permission *Bulk API Hard Delete*.
    HardDelete,
}

impl IngestOperation {
    fn word(&self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert { .. } => "upsert",
            Self::Delete => "delete",
            Self::HardDelete => "hardDelete",
        }
    }

    /// The column that names the record; none for what is new.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Insert => None,
            Self::Upsert { key } => Some(key.as_str()),
            Self::Update | Self::Delete | Self::HardDelete => Some("Id"),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewJob<'a> {
    object: &'a str,
    operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id_field_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment_rule_id: Option<RecordId>,
    content_type: &'static str,
    line_ending: LineEnding,
    column_delimiter: Delimiter,
}

/// A job that takes rows into the org, before it is made. See [`Client::bulk_ingest`].
#[derive(Clone, Debug)]
#[must_use]
pub struct IngestBuilder {
    pub(super) client: Client,
    object: SObjectName,
    pub(super) operation: IngestOperation,
    assignment_rule: Option<RecordId>,
    pub(super) form: Form,
    pub(super) keys: Vec<String>,
    pub(super) looks: Looks,
}

impl Client {
    /// Starts a Bulk API 2.0 job that takes rows into the org; for more than 2,000 of them.
    ///
    /// ```no_run
    /// # async fn run(client: &sforce::Client) -> sforce::Result<()> {
    /// use std::time::Duration;
    /// use sforce::api::bulk::IngestOperation;
    /// use sforce::types::{FieldName, SObjectName};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Contact { #[serde(rename = "Key__c")] key: u32, #[serde(rename = "LastName")] name: String }
    ///
    /// let upsert = IngestOperation::Upsert { key: FieldName::from_static("Key__c") };
    /// let job = client.bulk_ingest(SObjectName::from_static("Contact"), upsert).create().await?;
    /// job.upload(|| (0..1_000_000).map(|key| Contact { key, name: format!("Contact {key}") })).await?;
    /// job.close().await?;
    /// let done = job.wait(Duration::from_secs(3600)).await?;
    /// println!("{:?} of {:?} rows failed", done.number_records_failed, done.number_records_processed);
    /// # Ok(())
    /// # }
    /// ```
    pub fn bulk_ingest(&self, object: SObjectName, operation: IngestOperation) -> IngestBuilder {
        let form = Form {
            delimiter: Delimiter::Comma,
            line_ending: LineEnding::Lf,
            columns: None,
            content_length: false,
            max_bytes: MAX_UPLOAD_BYTES,
        };
        IngestBuilder {
            client: self.clone(),
            object,
            operation,
            assignment_rule: None,
            form,
            keys: Vec::new(),
            looks: Looks::Often,
        }
    }

    /// A job that was made before, from what was written down of it. Costs no call.
    #[must_use]
    pub fn ingest_job(&self, job: BulkJob) -> IngestJob {
        let form = Form { delimiter: job.delimiter, line_ending: job.line_ending, ..self.default_form() };
        IngestJob { client: self.clone(), job, form, ended: Arc::default() }
    }

    /// A job of which only the id is known. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a job that does not exist; any error of [`Client::send`].
    pub async fn find_ingest_job(&self, id: RecordId) -> Result<IngestJob> {
        let info = job::info_of(self, self.api_version(), JobKind::Ingest, id).await?;
        Ok(self.ingest_job(BulkJob::new(JobKind::Ingest, &info)))
    }

    fn default_form(&self) -> Form {
        self.bulk_ingest(SObjectName::from_static("X"), IngestOperation::Insert).form
    }
}

impl IngestBuilder {
    /// Sets what stands between cells; a comma by default.
    pub fn delimiter(mut self, delimiter: Delimiter) -> Self {
        self.form.delimiter = delimiter;
        self
    }

    /// Sets what ends rows; a line feed by default.
    pub fn line_ending(mut self, line_ending: LineEnding) -> Self {
        self.form.line_ending = line_ending;
        self
    }

    /// Sets the assignment rule of rows that are cases or leads.
    pub fn assignment_rule(mut self, rule: RecordId) -> Self {
        self.assignment_rule = Some(rule);
        self
    }

    /// Sets the columns; by default they are the fields of the first row, skipped ones among them. A row with a field that is no
    /// column is refused.
    pub fn columns(mut self, columns: impl IntoIterator<Item = Column>) -> Self {
        self.form.columns = Some(columns.into_iter().collect());
        self
    }

    /// Tells the length of every upload before it, at the cost of writing the rows twice. By default only short ones have it, and
    /// others go in chunks, unless the org answers that it wants to know. What is measured is not compressed.
    pub fn content_length(mut self, always: bool) -> Self {
        self.form.content_length = always;
        self
    }

    /// Sets the columns by which [`write`](Self::write) knows a row again in the results. By default the key of an upsert, the `Id` of an
    /// update or deletion, and for an insert the whole row.
    pub fn key_columns<'a>(mut self, columns: impl IntoIterator<Item = &'a str>) -> Self {
        self.keys = columns.into_iter().map(str::to_owned).collect();
        self
    }

    /// Sets how many bytes one job takes at most; [`MAX_UPLOAD_BYTES`] by default, which is the org's limit.
    pub fn max_upload_bytes(mut self, bytes: u64) -> Self {
        self.form.max_bytes = bytes.min(MAX_UPLOAD_BYTES);
        self
    }

    /// Has [`write`](Self::write) look at jobs seldom, for the fewest calls.
    pub(crate) fn looking_seldom(mut self) -> Self {
        self.looks = Looks::Seldom;
        self
    }

    /// Makes the job. Costs one API call, never repeated after a lost answer; a job that was made all the same ends by itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for an object or key that cannot be; [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded) for an allowance that is used up; any error
    /// of [`Client::send`].
    ///
    /// Source: Bulk API 2.0 guide, "Create a Job".
    pub async fn create(&self) -> Result<IngestJob> {
        let new = NewJob {
            object: self.object.as_str(),
            operation: self.operation.word(),
            external_id_field_name: match &self.operation {
                IngestOperation::Upsert { key } => Some(key.as_str()),
                _ => None,
            },
            assignment_rule_id: self.assignment_rule,
            content_type: "CSV",
            line_ending: self.form.line_ending,
            column_delimiter: self.form.delimiter,
        };
        let path = jobs_path(self.client.api_version(), JobKind::Ingest);
        let request = ApiRequest::post("bulk.create", path).context("object", &self.object).json(&new)?;
        let info: JobInfo = self.client.send(request).await?.json()?;
        let job = BulkJob {
            api_version: self.client.api_version(),
            delimiter: self.form.delimiter,
            line_ending: self.form.line_ending,
            ..BulkJob::new(JobKind::Ingest, &info)
        };
        Ok(IngestJob { client: self.client.clone(), job, form: self.form.clone(), ended: Arc::default() })
    }
}

/// A job that takes rows into the org. See [`Client::bulk_ingest`].
///
/// Dropping it leaves the job as it is.
#[derive(Clone, Debug)]
pub struct IngestJob {
    client: Client,
    job: BulkJob,
    form: Form,
    /// What the org said of it once it had ended.
    ended: Arc<OnceLock<JobInfo>>,
}

impl IngestJob {
    /// The job as data, to be written down.
    #[must_use]
    pub fn job(&self) -> &BulkJob {
        &self.job
    }

    /// Takes rows to the job, at constant memory. A job takes one upload.
    ///
    /// `rows` is called for each attempt and has to tell the same rows each time; it runs on a thread that may block. Rows that can be
    /// told once only, such as those of a stream, go by [`Client::upsert_many`](crate::Client::upsert_many) and its siblings, or by a
    /// file. Costs one API call per attempt; repeated by itself after a lost answer, since a job that has its rows refuses them the second time.
    ///
    /// Rows are whatever serialises as a struct or map: see [`CsvWriter`](super::CsvWriter) for what becomes of them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for no rows, for a row that CSV cannot carry (it names row and field), and for more than
    /// [`MAX_UPLOAD_BYTES`]: then nothing has arrived. [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) for a job that has its rows already. Any error of
    /// [`Client::send`].
    ///
    /// Source: Bulk API 2.0 guide, "Upload Job Data".
    pub async fn upload<F, I, T>(&self, rows: F) -> Result<Uploaded>
    where
        F: Fn() -> I + Send + Sync + 'static,
        I: IntoIterator<Item = T>,
        T: Serialize,
    {
        let replay = Replay { form: self.form.clone(), rows };
        Ready::new(replay).await?.send(&self.client, &self.job, self.form.content_length).await
    }

    /// Says that all rows are there, so that the org begins. Costs one API call; saying it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) for a job that was aborted; any error of [`Client::send`].
    pub async fn close(&self) -> Result<JobInfo> {
        job::close(&self.client, &self.job).await
    }

    /// Aborts the job. What was processed stays. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) for a job that has ended; any error of [`Client::send`].
    pub async fn abort(&self) -> Result<JobInfo> {
        job::abort(&self.client, &self.job).await
    }

    /// Deletes the job and its results. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) for a job that is at work or open; any error of [`Client::send`].
    pub async fn delete(&self) -> Result<()> {
        job::delete(&self.client, &self.job).await
    }

    /// What the org says of the job now. Costs one API call.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    pub async fn info(&self) -> Result<JobInfo> {
        job::info(&self.client, &self.job).await
    }

    /// Waits until the job is complete. Rows of it may have failed nevertheless.
    ///
    /// Looks after 50 ms first, then after a fifth of the time it has taken so far, at most 5 s; each look costs one API call. A look that
    /// fails since the org does not answer, or is too busy, is followed by the next one: the deadline ends the waiting, not an outage.
    ///
    /// # Errors
    ///
    /// Those of [`JobInfo::completed`] where the job failed as a whole or was aborted; [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) by the
    /// deadline, after which the job goes on and can be waited for again; any error of [`Client::send`].
    pub async fn wait(&self, deadline: Duration) -> Result<JobInfo> {
        self.ended(deadline).await?.completed()
    }

    /// As [`wait`](Self::wait), and takes a job that failed or was aborted for an answer as well: some of its rows may have been
    /// processed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) by the deadline; any error of [`Client::send`].
    pub async fn ended(&self, deadline: Duration) -> Result<JobInfo> {
        let info = job::ended(&self.client, &self.job, deadline, Looks::Often).await?;
        // Whoever else has waited has heard the same.
        let _ = self.ended.set(info.clone());
        Ok(info)
    }

    /// How many rows were saved and refused, where the job is complete and the org says so.
    async fn counts(&self) -> Result<(Option<u64>, Option<u64>)> {
        let info = match self.ended.get() {
            Some(info) => info.clone(),
            None => self.info().await?,
        };
        if info.state.is_final() {
            let _ = self.ended.set(info.clone());
        }
        // What a job says that was stopped on its way may be of another moment than its files.
        let counts = if info.state == JobState::JobComplete { info.counts() } else { (None, None) };
        Ok(counts)
    }

    /// The rows that were saved. Costs one API call, for any number of rows, and one more to ask for their number where nobody has
    /// waited for the job by this handle.
    ///
    /// Of a complete job they are held against the number that the job tells: fewer are a file that was cut off, which is read on,
    /// more are an error.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`] and [`Client::open`].
    pub async fn successful_results(&self) -> Result<ResultRows<SavedRow>> {
        let (saved, _) = self.counts().await?;
        Ok(ResultRows::new(open(&self.client, &self.job, ResultFile::Successful).await?.expecting(saved), saved_row))
    }

    /// The rows that were refused. Costs and is held against the job's number as
    /// [`successful_results`](Self::successful_results).
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`] and [`Client::open`].
    pub async fn failed_results(&self) -> Result<ResultRows<FailedRow>> {
        let (_, failed) = self.counts().await?;
        Ok(ResultRows::new(open(&self.client, &self.job, ResultFile::Failed).await?.expecting(failed), failed_row))
    }

    /// The rows that were not looked at, since the job failed or was aborted before. Costs one API call, for any number of rows.
    ///
    /// Nobody tells how many there are: rows of batches beyond the daily allocation are in no file. So a file that ends between two rows
    /// is taken for whole where HTTP does not tell its length.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::open`].
    pub async fn unprocessed_records(&self) -> Result<ResultRows<Record>> {
        Ok(ResultRows::new(open(&self.client, &self.job, ResultFile::Unprocessed).await?, unprocessed_row))
    }
}
