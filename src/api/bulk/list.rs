//! The org's jobs.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use serde::Deserialize;

use super::info::{JobInfo, JobKind, jobs_path};
use crate::client::{ApiRequest, Client};
use crate::error::{Error, ErrorKind, Result};

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
        JobList { client: self.clone(), next: Some(first), jobs: VecDeque::new(), seen: HashSet::new() }
    }
}

/// The org's jobs; see [`Client::bulk_jobs`].
pub struct JobList {
    client: Client,
    next: Option<String>,
    jobs: VecDeque<JobInfo>,
    seen: HashSet<String>,
}

impl JobList {
    /// The next job; `None` after the last one.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`]; calling again asks for the same page again. [`ErrorKind::Decode`] for pages that lead in a
    /// circle or off the org, which ends the list.
    pub async fn try_next(&mut self) -> Result<Option<JobInfo>> {
        loop {
            if let Some(job) = self.jobs.pop_front() {
                return Ok(Some(job));
            }
            let Some(path) = self.next.clone() else { return Ok(None) };
            let page: Page = self.client.send(ApiRequest::get("bulk.list", path.clone())).await?.json()?;
            self.jobs.extend(page.records);
            self.next = page.next_records_url.filter(|_| !page.done);
            self.seen.insert(path);
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
