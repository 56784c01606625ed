//! What can be done with a job of either kind.

use std::time::Duration;

use serde::Serialize;

use super::info::{BulkJob, JobInfo, JobKind, JobState, job_path};
use crate::client::{ApiRequest, ApiVersion, Client};
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::types::RecordId;

/// A job is looked at again after a fifth of the time it has taken so far, so that its end is seen at most a fifth late: but
/// not sooner than after this, nor later than after [`LAST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// How often a job is looked at. Each look costs an API call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Looks {
    /// For those who wait for it.
    #[default]
    Often,
    /// For those who count calls: after a second, then after as long as it has taken so far, at most a minute. A job of 10 s costs five,
    /// one of ten minutes 16.
    Seldom,
}

impl Looks {
    /// How long to wait before a job is looked at again.
    fn pause(self, elapsed: Duration) -> Duration {
        match self {
            Self::Often => (elapsed / 5).clamp(FIRST_PAUSE, LAST_PAUSE),
            Self::Seldom => elapsed.clamp(Duration::from_secs(1), Duration::from_mins(1)),
        }
    }
}

/// How often a job is looked at that takes so long, at most.
pub(crate) fn looks_within(takes: Duration) -> u64 {
    let (mut looks, mut elapsed) = (1, Duration::ZERO);
    while elapsed < takes {
        let pause = Looks::Often.pause(elapsed);
        if pause >= LAST_PAUSE {
            // Evenly from here on.
            let rest = takes.saturating_sub(elapsed).as_millis().div_ceil(LAST_PAUSE.as_millis());
            return u64::try_from(rest).unwrap_or(u64::MAX).saturating_add(looks);
        }
        elapsed += pause;
        looks += 1;
    }
    looks
}

pub(super) async fn info_of(client: &Client, version: ApiVersion, kind: JobKind, id: RecordId) -> Result<JobInfo> {
    let request = ApiRequest::get("bulk.info", job_path(version, kind, id)).context("job", id);
    client.send(request).await?.json()
}

pub(super) async fn info(client: &Client, job: &BulkJob) -> Result<JobInfo> {
    info_of(client, job.api_version, job.kind, job.id).await
}

/// Whether a look at a job has failed for a reason that says nothing of the job: it goes on, however long the org does not answer.
pub(super) fn passes(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Transport | ErrorKind::Unavailable | ErrorKind::RateLimited)
        && matches!(error.retry(), Retry::After(_) | Retry::Exhausted { .. })
}

/// Waits until the job has ended, one way or another. A look that fails for a reason that passes is taken for "not yet".
pub(super) async fn ended(client: &Client, job: &BulkJob, deadline: Duration, looks: Looks) -> Result<JobInfo> {
    ended_and_closed(client, job, deadline, looks, true).await
}

/// The same for a job of which it may not be known whether it was `closed`: one that is still open then is closed.
pub(super) async fn ended_and_closed(
    client: &Client,
    job: &BulkJob,
    deadline: Duration,
    looks: Looks,
    closed: bool,
) -> Result<JobInfo> {
    let started = client.monotonic();
    if looks == Looks::Seldom {
        client.pause(looks.pause(Duration::ZERO).min(deadline)).await;
    }
    loop {
        let mut seen = info(client, job).await;
        if !closed && seen.as_ref().is_ok_and(|info| info.state == JobState::Open) {
            seen = close(client, job).await;
        }
        let elapsed = client.monotonic().saturating_sub(started);
        let left = deadline.saturating_sub(elapsed);
        let late = || {
            Error::new(ErrorKind::Unavailable, "bulk.wait", "the job has not ended by the deadline")
                .with_retry(Retry::After(None))
                .with_advice("the job goes on: wait for it again, or abort it")
                .with_context("job", job.id)
        };
        let asked = match seen {
            Ok(info) if info.state.is_final() => return Ok(info),
            Ok(info) if left.is_zero() => return Err(late().with_context("state", info.state)),
            Ok(_) => None,
            Err(error) if !passes(&error) => return Err(error),
            Err(error) if left.is_zero() => return Err(late().with_source(error)),
            Err(error) => {
                if let Retry::After(asked) = error.retry() {
                    asked
                } else {
                    None
                }
            }
        };
        client.pause(looks.pause(elapsed).max(asked.unwrap_or_default()).min(left)).await;
    }
}

#[derive(Serialize)]
struct State {
    state: JobState,
}

/// Tells the job to go into a state. Telling it twice is telling it once.
async fn tell(client: &Client, operation: &'static str, job: &BulkJob, state: JobState) -> Result<JobInfo> {
    let request = ApiRequest::patch(operation, job.path()).idempotent().context("job", job.id);
    client.send(request.json(&State { state })?).await?.json()
}

/// Says that all rows are there.
pub(super) async fn close(client: &Client, job: &BulkJob) -> Result<JobInfo> {
    match tell(client, "bulk.close", job, JobState::UploadComplete).await {
        // It may be closed already, by an attempt whose answer was lost or by somebody else.
        Err(error) if error.has_code("INVALID_JOB_STATE") => {
            let info = info(client, job).await?;
            if matches!(info.state, JobState::Open | JobState::Aborted) { Err(error) } else { Ok(info) }
        }
        other => other,
    }
}

pub(super) async fn abort(client: &Client, job: &BulkJob) -> Result<JobInfo> {
    match tell(client, "bulk.abort", job, JobState::Aborted).await {
        Err(error) if error.has_code("INVALID_JOB_STATE") => {
            let info = info(client, job).await?;
            if info.state == JobState::Aborted { Ok(info) } else { Err(error) }
        }
        other => other,
    }
}

pub(super) async fn delete(client: &Client, job: &BulkJob) -> Result<()> {
    match client.send(ApiRequest::delete("bulk.delete", job.path()).context("job", job.id)).await {
        // An attempt whose answer was lost has deleted it.
        Err(error) if error.kind() == ErrorKind::NotFound && error.effect() == Effect::Unknown => Ok(()),
        other => other.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_job_is_seen_soon_whenever_it_comes() {
        let mut looks = vec![Duration::ZERO];
        while looks.last().is_some_and(|look| *look < Duration::from_mins(2)) {
            let last = *looks.last().expect("one");
            looks.push(last + Looks::Often.pause(last));
        }
        for pair in looks.windows(2) {
            let late = pair[1].saturating_sub(pair[0]);
            assert!(late <= Duration::from_millis(50).max(pair[0] / 5), "{pair:?}");
            assert!(late <= Duration::from_secs(5));
        }
        let seen = looks.iter().find(|look| **look >= Duration::from_millis(1500)).expect("later");
        assert!(*seen <= Duration::from_millis(1800), "{seen:?}");
        assert!(looks.len() < 60, "{} calls in two minutes", looks.len());
        for (number, look) in looks.iter().enumerate() {
            let by_then = looks_within(*look);
            assert!(by_then == number as u64 + 1, "{by_then} looks within {look:?}");
        }
    }

    #[test]
    fn looks_that_are_counted_are_few() {
        for (seconds, calls) in [(1, 1), (10, 5), (60, 7), (600, 16)] {
            let (mut last, mut looks) = (Duration::from_secs(1), 1);
            while last < Duration::from_secs(seconds) {
                last += Looks::Seldom.pause(last);
                looks += 1;
            }
            assert_eq!(looks, calls, "{seconds} s");
        }
    }
}
