//! What can be done with a job of either kind.

use std::time::Duration;

use serde::Serialize;

use super::info::{BulkJob, JobInfo, JobKind, JobState, job_path};
use crate::api::wait::until_ended;
pub(super) use crate::api::wait::{Looks, passes};
use crate::client::{ApiRequest, ApiVersion, Client};
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::types::RecordId;

pub(super) async fn info_of(client: &Client, version: ApiVersion, kind: JobKind, id: RecordId) -> Result<JobInfo> {
    let request = ApiRequest::get("bulk.info", job_path(version, kind, id)).context("job", id);
    client.send(request).await?.json()
}

pub(super) async fn info(client: &Client, job: &BulkJob) -> Result<JobInfo> {
    info_of(client, job.api_version, job.kind, job.id).await
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
    let look = || async move {
        let seen = info(client, job).await?;
        if closed || seen.state != JobState::Open { Ok(seen) } else { close(client, job).await }
    };
    let going = |info: &JobInfo| (!info.state.is_final()).then(|| info.state.to_string());
    let late = || {
        Error::new(ErrorKind::Unavailable, "bulk.wait", "the job has not ended by the deadline")
            .with_retry(Retry::After(None))
            .with_advice("the job goes on: wait for it again, or abort it")
            .with_context("job", job.id)
    };
    until_ended(client, deadline, looks, look, going, late).await
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
