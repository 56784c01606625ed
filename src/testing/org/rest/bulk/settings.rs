//! What tests set of bulk jobs.

use std::collections::HashSet;
use std::time::Duration;

use chrono::TimeDelta;

use super::job::Job;
use crate::testing::org::ids;
use crate::testing::org::mock::MockOrg;

/// When jobs move on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Looks at the job that do not see it done yet.
    Polls(u32),
    /// Time on the org's clock.
    Time(TimeDelta),
}

/// What a query job without rows has for a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmptyResult {
    /// The header row.
    #[default]
    Header,
    /// Nothing.
    Nothing,
    /// `Records not found for this query`, as Bulk API 1.0 had it.
    Line,
}

/// The end of a job that something stops.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// `TooManyLockFailure : …`
    pub(super) message: String,
    pub(super) after_rows: usize,
}

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) pace: Pace,
    pub(super) batch_rows: usize,
    pub(super) max_upload: usize,
    pub(super) refuse_chunked: bool,
    pub(super) guide_spelling: bool,
    pub(super) result_rows: usize,
    pub(super) list_rows: usize,
    pub(super) empty: EmptyResult,
    pub(super) next_record_url: bool,
    /// Jobs whose results are gone.
    pub(super) lost: HashSet<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // [K] One look in between: no job of Salesforce is done when it is closed.
            pace: Pace::Polls(1),
            // Wire facts 3.1.
            batch_rows: 10_000,
            // 150 MB after base64 (wire facts 3.1).
            max_upload: 150_000_000 / 4 * 3,
            refuse_chunked: false,
            guide_spelling: false,
            // [K] The guide leaves it to the server.
            result_rows: 50_000,
            // Bulk guide, "Get Information About All Jobs".
            list_rows: 1_000,
            empty: EmptyResult::Header,
            next_record_url: false,
            lost: HashSet::new(),
        }
    }
}

/// The behaviour of an org's Bulk API 2.0: `org.bulk().complete_after_polls(3)`.
#[derive(Debug)]
pub struct BulkSettings<'a> {
    org: &'a MockOrg,
}

impl MockOrg {
    /// The behaviour of Bulk API 2.0.
    #[must_use]
    pub fn bulk(&self) -> BulkSettings<'_> {
        BulkSettings { org: self }
    }
}

impl BulkSettings<'_> {
    fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.org.state().bulk.settings);
    }

    /// Jobs are done at the look after the next `n`; each look sees some more rows processed. 1 by default.
    pub fn complete_after_polls(&self, n: u32) {
        self.set(|settings| settings.pace = Pace::Polls(n));
    }

    /// Jobs take this long on the org's clock, which [`MockOrg::advance`] moves on.
    pub fn complete_after(&self, time: Duration) {
        let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        self.set(|settings| settings.pace = Pace::Time(time));
    }

    /// Rows of a batch; 10,000 by default.
    pub fn set_batch_rows(&self, rows: usize) {
        self.set(|settings| settings.batch_rows = rows.max(1));
    }

    /// Batches in 24 hours, shared by all jobs; 15,000 by default. The rows of batches beyond them are in no result.
    pub fn set_daily_batches(&self, batches: u64) {
        self.org.state().bulk.batches.max = batches;
    }

    /// Query jobs in 24 hours; 10,000 by default.
    pub fn set_daily_query_jobs(&self, jobs: u64) {
        self.org.state().bulk.query_jobs.max = jobs;
    }

    /// Bytes that an upload may have; by default those that become 150 MB in base64.
    pub fn set_max_upload(&self, bytes: usize) {
        self.set(|settings| settings.max_upload = bytes);
    }

    /// Uploads without `Content-Length` are refused with 411. Nobody has seen Salesforce do so.
    pub fn refuse_chunked_uploads(&self, refuse: bool) {
        self.set(|settings| settings.refuse_chunked = refuse);
    }

    /// Error codes as the guide spells them (`InvalidJobState`), not as the wire has them (`INVALIDJOBSTATE`).
    pub fn spell_codes_as_the_guide(&self, spell: bool) {
        self.set(|settings| settings.guide_spelling = spell);
    }

    /// The next ingest job that is closed ends as `Failed`, once it has processed that many rows. The error is one of the
    /// guide's names, as `TooManyLockFailure`, and a text.
    pub fn fail_next_ingest(&self, error: &str, text: &str, after_rows: usize) {
        let failure = Failure { message: format!("{error} : {text}"), after_rows };
        self.org.state().bulk.ingest_failures.push_back(failure);
    }

    /// The next query job that is made ends as `Failed`.
    pub fn fail_next_query(&self, error: &str, text: &str) {
        let failure = Failure { message: format!("{error} : {text}"), after_rows: 0 };
        self.org.state().bulk.query_failures.push_back(failure);
    }

    /// The most rows of a page of results, whatever `maxRecords` says, and the rows of a page for parallel download; 50,000 by default.
    pub fn set_result_rows(&self, rows: usize) {
        self.set(|settings| settings.result_rows = rows.max(1));
    }

    /// Jobs of a page of the list; 1,000 by default.
    pub fn set_list_rows(&self, rows: usize) {
        self.set(|settings| settings.list_rows = rows.max(1));
    }

    /// What a query job without rows has for a result.
    pub fn set_empty_result(&self, empty: EmptyResult) {
        self.set(|settings| settings.empty = empty);
    }

    /// The links of parallel download go on under `nextRecordUrl`, as the guide's table has it, not `nextRecordsUrl`.
    pub fn spell_next_record_url(&self, spell: bool) {
        self.set(|settings| settings.next_record_url = spell);
    }

    /// The results of a job are gone: 404.
    ///
    /// # Panics
    ///
    /// When that is no id.
    pub fn lose_results(&self, job: &str) {
        let Some(id) = ids::to_18(job) else { panic!("{job} is no id") };
        self.set(|settings| {
            settings.lost.insert(id);
        });
    }

    /// Id and state of each job the org has, in the order they were made.
    #[must_use]
    pub fn jobs(&self) -> Vec<(String, String)> {
        let state = self.org.state();
        state.bulk.jobs.values().map(|job: &Job| (job.id.clone(), job.state.name().to_owned())).collect()
    }
}
