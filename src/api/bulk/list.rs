//! The org's jobs.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use serde::Deserialize;

use super::info::{JobInfo, JobKind, jobs_path};
use crate::client::{ApiRequest, Client};
use crate::error::{Error, ErrorKind, Result};

/// Pages in a row without jobs; none was ever seen.
const MAX_EMPTY_PAGES: u32 = 3;

/// Pages at most. They have 1,000 jobs each, and an org makes some 25,000 a day.
const MAX_PAGES: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    done: bool,
    records: Vec<JobInfo>,
    #[serde(default)]
    next_records_url: Option<String>,
}

impl Client {
    /// The org's bulk jobs of the last 7 days, page by page. Costs one API call a page.
    ///
    /// Ingest jobs of the older Bulk API are among them; [`JobInfo::job_type`] tells them apart.
    ///
    /// Source: Bulk API 2.0 guide, "Get Information About All Jobs", "… All Query Jobs".
    #[must_use]
    pub fn bulk_jobs(&self, kind: JobKind) -> JobList {
        let first = jobs_path(self.api_version(), kind);
        JobList { client: self.clone(), next: Some(first), jobs: VecDeque::new(), seen: HashSet::new(), empty: 0 }
    }
}

/// The org's jobs; see [`Client::bulk_jobs`].
pub struct JobList {
    client: Client,
    next: Option<String>,
    jobs: VecDeque<JobInfo>,
    seen: HashSet<String>,
    /// Pages in a row that had no jobs.
    empty: u32,
}

impl JobList {
    /// The next job; `None` after the last one.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`]; calling again asks for the same page again. [`ErrorKind::Decode`] for pages that lead in a
    /// circle, off the org or nowhere, which ends the list.
    pub async fn try_next(&mut self) -> Result<Option<JobInfo>> {
        loop {
            if let Some(job) = self.jobs.pop_front() {
                return Ok(Some(job));
            }
            let Some(path) = self.next.clone() else { return Ok(None) };
            let page: Page = self.client.send(ApiRequest::get("bulk.list", path.clone())).await?.json()?;
            self.empty = if page.records.is_empty() { self.empty + 1 } else { 0 };
            self.jobs.extend(page.records);
            self.next = page.next_records_url.filter(|_| !page.done);
            self.seen.insert(path);
            if self.next.is_some() && (self.empty > MAX_EMPTY_PAGES || self.seen.len() >= MAX_PAGES) {
                self.next = None;
                return Err(Error::new(ErrorKind::Decode, "bulk.list", "the pages of jobs do not end"));
            }
            // A bearer token goes to no other address than the instance's.
            if self.next.as_ref().is_some_and(|next| self.seen.contains(next) || !next.starts_with("/services/")) {
                self.next = None;
                return Err(Error::new(
                    ErrorKind::Decode,
                    "bulk.list",
                    "the next page is one that was read or not on this org",
                ));
            }
        }
    }

    /// All jobs at once.
    ///
    /// # Errors
    ///
    /// The first error.
    pub async fn collect(mut self) -> Result<Vec<JobInfo>> {
        let mut all = Vec::new();
        while let Some(job) = self.try_next().await? {
            all.push(job);
        }
        Ok(all)
    }
}

impl fmt::Debug for JobList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobList").field("next", &self.next).finish_non_exhaustive()
    }
}
