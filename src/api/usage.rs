//! How much of its limits an org has used, from all who tell.

use std::fmt;

use super::LimitValue;
use crate::client::{BudgetReport, Client, OrgLimits};
use crate::error::{Error, Result};

/// How much of an org's API calls is used, as of now: what the org says, what our own budget says, and how this client works.
///
/// The two words of the org differ: the header comes with each answer and goes up and down between neighbours, the limits resource is
/// about five minutes old.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UsageSnapshot {
    /// What the last answer told in its header, with the calls of this app where the org limits them.
    pub header: Option<OrgLimits>,
    /// API calls of 24 hours, by the limits resource (`DailyApiRequests`).
    pub api_calls: Option<LimitValue>,
    /// Batches of bulk writes in 24 hours (`DailyBulkApiBatches`).
    pub bulk_batches: Option<LimitValue>,
    /// Bulk query jobs in 24 hours (`DailyBulkV2QueryJobs`).
    pub bulk_query_jobs: Option<LimitValue>,
    /// Why the limits resource could not be read: the permission "View Setup and Configuration" is missing, or there is no call left.
    pub limits_error: Option<Error>,
    /// What our own budget allows and has seen, by phase.
    pub budget: BudgetReport,
    /// Calls of this client, retries included.
    pub own_calls: u64,
    /// Requests that may be in flight at once now.
    pub concurrency: usize,
}

impl Client {
    /// How much of the org's API calls is used, by its header, its limits resource and our own budget together. Costs one API call.
    ///
    /// Where the limits resource cannot be read, the rest is there all the same, with the reason.
    ///
    /// # Errors
    ///
    /// Of a budget in a store, [`ErrorKind::Store`](crate::ErrorKind::Store).
    ///
    /// Source: REST API Developer Guide, "Limits", "Limit Info Header".
    pub async fn usage(&self) -> Result<UsageSnapshot> {
        let (mut limits, limits_error) = match self.all_limits().await {
            Ok(limits) => (limits, None),
            Err(error) => (std::collections::BTreeMap::new(), Some(error)),
        };
        Ok(UsageSnapshot {
            header: self.limits(),
            api_calls: limits.remove("DailyApiRequests"),
            bulk_batches: limits.remove("DailyBulkApiBatches"),
            bulk_query_jobs: limits.remove("DailyBulkV2QueryJobs"),
            limits_error,
            budget: self.budget().report().await?,
            own_calls: self.api_calls(),
            concurrency: self.concurrency(),
        })
    }
}

impl UsageSnapshot {
    /// Calls that the org has left for all its programs, by the more careful of its two words.
    #[must_use]
    pub fn left_in_org(&self) -> Option<u64> {
        let header = self.header.as_ref().map(|limits| limits.api.left());
        let resource = self.api_calls.as_ref().and_then(|limit| limit.remaining);
        let resource = resource.map(|left| u64::try_from(left).unwrap_or(0));
        header.into_iter().chain(resource).min()
    }
}

impl fmt::Display for UsageSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(limits) = &self.header {
            writeln!(
                f,
                "org, by its last answer: {} of {} API calls of 24 hours used",
                limits.api.used, limits.api.allowed
            )?;
            if let Some(app) = limits.per_app {
                writeln!(f, "this app: {} of {}", app.used, app.allowed)?;
            }
        }
        let limits = [
            ("API calls", &self.api_calls),
            ("bulk batches", &self.bulk_batches),
            ("bulk query jobs", &self.bulk_query_jobs),
        ];
        for (name, limit) in limits {
            if let Some(LimitValue { max: Some(max), remaining: Some(left), .. }) = limit {
                writeln!(f, "org, by its limits: {left} of {max} {name} of 24 hours left")?;
            }
        }
        if let Some(error) = &self.limits_error {
            writeln!(f, "the org's limits could not be read: {error}")?;
        }
        write!(f, "{}", self.budget)?;
        writeln!(f, "{} calls by this client, {} may be in flight at once", self.own_calls, self.concurrency)
    }
}
