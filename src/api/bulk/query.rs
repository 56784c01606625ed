//! Jobs that take rows out of the org.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Serialize;

use super::info::{BulkJob, JobInfo, JobKind, jobs_path};
use super::rows::{BulkCursor, BulkRows, Expected};
use super::{Delimiter, LineEnding, job};
use crate::client::{ApiRequest, Client};
use crate::error::Result;
use crate::types::{RecordId, Soql};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewJob<'a> {
    operation: &'static str,
    query: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    column_delimiter: Option<Delimiter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_ending: Option<LineEnding>,
}

/// A job that takes rows out of the org, before it is made. See [`Client::bulk_query`].
#[derive(Clone, Debug)]
#[must_use]
pub struct QueryBuilder {
    client: Client,
    soql: Soql,
    operation: &'static str,
    delimiter: Option<Delimiter>,
    line_ending: Option<LineEnding>,
}

impl Client {
    /// Starts a Bulk API 2.0 query; for more than 2,000 rows.
    ///
    /// It has no GROUP BY, OFFSET, TYPEOF, aggregates, child subqueries and compound fields; parents' fields are allowed. ORDER BY and
    /// LIMIT make the org work in one piece.
    ///
    /// ```no_run
    /// # async fn run(client: &sforce::Client) -> sforce::Result<()> {
    /// use std::time::Duration;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Contact<'a> { #[serde(rename = "Id")] id: &'a str, #[serde(rename = "Account.Name")] account: Option<&'a str> }
    ///
    /// let job = client.bulk_query("SELECT Id, Account.Name FROM Contact").create().await?;
    /// job.wait(Duration::from_secs(3600)).await?;
    /// let mut rows = job.rows();
    /// while let Some(block) = rows.next_block().await? {
    ///     for contact in block.decode::<Contact<'_>>() {
    ///         let contact = contact?;
    ///         println!("{} {:?}", contact.id, contact.account);
    ///     }
    /// }
    /// job.delete().await
    /// # }
    /// ```
    pub fn bulk_query(&self, soql: impl Into<Soql>) -> QueryBuilder {
        QueryBuilder { client: self.clone(), soql: soql.into(), operation: "query", delimiter: None, line_ending: None }
    }

    /// As [`bulk_query`](Self::bulk_query), with deleted and archived rows too.
    pub fn bulk_query_all(&self, soql: impl Into<Soql>) -> QueryBuilder {
        QueryBuilder { operation: "queryAll", ..self.bulk_query(soql) }
    }

    /// A job that was made before, from what was written down of it. Costs no call.
    #[must_use]
    pub fn query_job(&self, job: BulkJob) -> QueryJob {
        QueryJob { client: self.clone(), job, rows: Arc::default() }
    }

    /// A job of which only the id is known. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a job that does not exist; any error of [`Client::send`].
    pub async fn find_query_job(&self, id: RecordId) -> Result<QueryJob> {
        let info = job::info_of(self, self.api_version(), JobKind::Query, id).await?;
        Ok(self.query_job(BulkJob::new(JobKind::Query, &info)))
    }

    /// Goes on reading a job's rows after the last page that was read whole.
    #[must_use]
    pub fn resume_bulk_query(&self, cursor: BulkCursor) -> BulkRows {
        BulkRows::resume(self.clone(), cursor)
    }
}

impl QueryBuilder {
    /// Sets what stands between cells; a comma by default. Rows are read all the same.
    pub fn delimiter(mut self, delimiter: Delimiter) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// Sets what ends rows; a line feed by default. Rows are read all the same.
    pub fn line_ending(mut self, line_ending: LineEnding) -> Self {
        self.line_ending = Some(line_ending);
        self
    }

    /// Makes the job, and the org begins. Costs one API call, never repeated after a lost answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) or [`ErrorKind::Schema`](crate::ErrorKind::Schema) for a query that cannot be; any
    /// error of [`Client::send`].
    ///
    /// Source: Bulk API 2.0 guide, "Create a Query Job".
    pub async fn create(&self) -> Result<QueryJob> {
        let new = NewJob {
            operation: self.operation,
            query: self.soql.as_str(),
            column_delimiter: self.delimiter,
            line_ending: self.line_ending,
        };
        let path = jobs_path(self.client.api_version(), JobKind::Query);
        let info: JobInfo = self.client.send(ApiRequest::post("bulk.query", path).json(&new)?).await?.json()?;
        let mut job = BulkJob { api_version: self.client.api_version(), ..BulkJob::new(JobKind::Query, &info) };
        job.delimiter = self.delimiter.unwrap_or(job.delimiter);
        job.line_ending = self.line_ending.unwrap_or(job.line_ending);
        Ok(self.client.query_job(job))
    }
}

/// A job that takes rows out of the org. See [`Client::bulk_query`].
///
/// Dropping it leaves the job as it is; the org deletes it after 7 days.
#[derive(Clone, Debug)]
pub struct QueryJob {
    client: Client,
    job: BulkJob,
    /// How many rows it has, once it is known to be complete.
    rows: Arc<OnceLock<Option<u64>>>,
}

impl QueryJob {
    /// The job as data, to be written down.
    #[must_use]
    pub fn job(&self) -> &BulkJob {
        &self.job
    }

    /// What the org says of the job now. Costs one API call.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    pub async fn info(&self) -> Result<JobInfo> {
        job::info(&self.client, &self.job).await
    }

    /// Waits until the job is complete; as [`IngestJob::wait`](super::IngestJob::wait).
    ///
    /// # Errors
    ///
    /// Those of [`JobInfo::completed`] where the job failed or was aborted; [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable)
    /// by the deadline, after which the job goes on and can be waited for again; any error of [`Client::send`].
    pub async fn wait(&self, deadline: Duration) -> Result<JobInfo> {
        let info = job::ended(&self.client, &self.job, deadline, job::Looks::Often).await?.completed()?;
        // Whoever else has waited has heard the same.
        let _ = self.rows.set(info.number_records_processed);
        Ok(info)
    }

    /// The rows of the job, which is complete. Costs one API call a page, and one for each five pages.
    #[must_use]
    pub fn rows(&self) -> BulkRows {
        let expected = match self.rows.get() {
            Some(Some(rows)) => Expected::Known(*rows),
            Some(None) => Expected::Unknown,
            None => Expected::Open,
        };
        BulkRows::new(self.client.clone(), self.job.clone(), expected)
    }

    /// Aborts the job. Costs one API call.
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
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) for a job that is at work; any error of [`Client::send`].
    pub async fn delete(&self) -> Result<()> {
        job::delete(&self.client, &self.job).await
    }
}
