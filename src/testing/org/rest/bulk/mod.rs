//! Bulk API 2.0 (wire facts 3): ingest and query jobs, their states and their CSV.
//!
//! A request becomes a step of a `job`; `ingest` and `query` answer it. What a job does happens as it advances (`pace`): an
//! ingest job is read by `csv`, its columns are named by `header`, and `work` writes its rows through the same rules as
//! single calls.

mod allowance;
mod cells;
mod csv;
mod header;
mod ingest;
mod job;
mod pace;
mod query;
mod settings;
mod work;

use std::collections::{BTreeMap, VecDeque};

use http::Method;

pub use settings::{BulkSettings, EmptyResult};

use crate::testing::org::error::ApiError;
use crate::testing::org::ids;
use crate::testing::org::json::Json;
use crate::testing::org::operation::Operation;
use crate::testing::org::state::{Call, State};
use crate::testing::org::wire::Answer;
use allowance::Allowance;
use job::Job;
use settings::{Failure, Settings};

/// The jobs of an org.
#[derive(Debug)]
pub(crate) struct Bulk {
    /// By id, and so in the order they were made.
    jobs: BTreeMap<String, Job>,
    settings: Settings,
    /// What happens to the next ingest jobs that are closed, and to the next query jobs.
    ingest_failures: VecDeque<Failure>,
    query_failures: VecDeque<Failure>,
    pub(super) batches: Allowance,
    pub(super) query_jobs: Allowance,
}

impl Default for Bulk {
    fn default() -> Self {
        Self {
            jobs: BTreeMap::new(),
            settings: Settings::default(),
            ingest_failures: VecDeque::new(),
            query_failures: VecDeque::new(),
            // Wire facts 3.3, per rolling 24 hours.
            batches: Allowance::of(15_000),
            query_jobs: Allowance::of(10_000),
        }
    }
}

/// The resources under `/jobs`.
#[derive(Debug)]
pub(crate) enum JobsRoute {
    Ingest,
    IngestJob(String),
    IngestContent(String),
    IngestResults(String, IngestFile),
    Query,
    QueryJob(String),
    QueryResults(String),
    QueryPages(String),
}

/// The three files an ingest job ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IngestFile {
    Successful,
    Failed,
    Unprocessed,
}

/// The route of the path below `/jobs`.
pub(crate) fn route(segments: &[&str]) -> Option<JobsRoute> {
    let id = |id: &str| id.to_owned();
    Some(match *segments {
        ["ingest"] => JobsRoute::Ingest,
        ["ingest", job] => JobsRoute::IngestJob(id(job)),
        ["ingest", job, "batches"] => JobsRoute::IngestContent(id(job)),
        // The guide writes successfulResults and unprocessedrecords. [K] That case makes no difference.
        ["ingest", job, file] => {
            let file = match file.to_ascii_lowercase().as_str() {
                "successfulresults" => IngestFile::Successful,
                "failedresults" => IngestFile::Failed,
                "unprocessedrecords" => IngestFile::Unprocessed,
                _ => return None,
            };
            JobsRoute::IngestResults(id(job), file)
        }
        ["query"] => JobsRoute::Query,
        ["query", job] => JobsRoute::QueryJob(id(job)),
        ["query", job, "results"] => JobsRoute::QueryResults(id(job)),
        // Its own links are in lower case (wire facts 3.2).
        ["query", job, pages] if pages.eq_ignore_ascii_case("resultPages") => JobsRoute::QueryPages(id(job)),
        _ => return None,
    })
}

/// The operation of a route and method, or the methods that are allowed.
pub(crate) fn operation(route: &JobsRoute, method: &str) -> Result<Operation, &'static str> {
    use JobsRoute as R;
    use Operation as O;
    Ok(match (route, method) {
        (R::Ingest, "POST") => O::IngestCreate,
        (R::Ingest, "GET") => O::IngestList,
        (R::IngestJob(_), "GET") => O::IngestGet,
        (R::IngestJob(_), "PATCH") => O::IngestPatch,
        (R::IngestJob(_), "DELETE") => O::IngestDelete,
        (R::IngestContent(_), "PUT") => O::IngestUpload,
        (R::IngestResults(_, file), "GET") => match file {
            IngestFile::Successful => O::IngestSuccessful,
            IngestFile::Failed => O::IngestFailed,
            IngestFile::Unprocessed => O::IngestUnprocessed,
        },
        (R::Query, "POST") => O::QueryJobCreate,
        (R::Query, "GET") => O::QueryJobList,
        (R::QueryJob(_), "GET") => O::QueryJobGet,
        (R::QueryJob(_), "PATCH") => O::QueryJobPatch,
        (R::QueryJob(_), "DELETE") => O::QueryJobDelete,
        (R::QueryResults(_), "GET") => O::QueryJobResults,
        (R::QueryPages(_), "GET") => O::QueryJobPages,
        (R::Ingest | R::Query, _) => return Err("GET,POST"),
        (R::IngestJob(_) | R::QueryJob(_), _) => return Err("DELETE,GET,PATCH"),
        (R::IngestContent(_), _) => return Err("PUT"),
        _ => return Err("GET"),
    })
}

/// Answers a request to a resource under `/jobs`.
pub(super) fn answer(state: &mut State, call: &Call<'_>, route: &JobsRoute) -> Result<Answer, ApiError> {
    use JobsRoute as R;
    // Bulk guide: ingest came with 41.0, query with 47.0, parallel results with 58.0.
    let since = match route {
        R::Ingest | R::IngestJob(_) | R::IngestContent(_) | R::IngestResults(..) => 41,
        R::Query | R::QueryJob(_) | R::QueryResults(_) => 47,
        R::QueryPages(_) => 58,
    };
    if call.version < since {
        return Err(ApiError::not_found());
    }
    let method = &call.request.method;
    match route {
        R::Ingest if *method == Method::POST => ingest::create(state, call),
        R::Ingest => job::list(state, call, job::Jobs::Ingest),
        R::IngestJob(id) => with_job(state, id, true, |state, job| match *method {
            Method::GET => ingest::info(state, job),
            Method::PATCH => ingest::patch(state, call, job),
            _ => ingest::delete(state, job),
        }),
        R::IngestContent(id) => with_job(state, id, true, |state, job| ingest::upload(state, call, job)),
        R::IngestResults(id, file) => with_job(state, id, true, |state, job| ingest::results(state, job, *file)),
        R::Query if *method == Method::POST => query::create(state, call),
        R::Query => job::list(state, call, job::Jobs::Query),
        R::QueryJob(id) => with_job(state, id, false, |state, job| match *method {
            Method::GET => query::info(state, job),
            Method::PATCH => query::patch(state, call, job),
            _ => query::delete(state, job),
        }),
        R::QueryResults(id) => with_job(state, id, false, |state, job| query::results(state, call, job)),
        R::QueryPages(id) => with_job(state, id, false, |state, job| query::pages(state, call, job)),
    }
}

/// Does something with a job, which is out of the org's list meanwhile. [`Job::removed`] keeps it out.
fn with_job(
    state: &mut State,
    id: &str,
    ingest: bool,
    act: impl FnOnce(&mut State, &mut Job) -> Result<Answer, ApiError>,
) -> Result<Answer, ApiError> {
    // Wire facts 3.2 for a deleted query job. [K] For ingest jobs too.
    let id = ids::to_18(id).ok_or_else(ApiError::not_found)?;
    let mut job = state.bulk.jobs.remove(&id).ok_or_else(ApiError::not_found)?;
    let answer = if job.is_ingest() == ingest { act(state, &mut job) } else { Err(ApiError::not_found()) };
    if !job.removed {
        state.bulk.jobs.insert(id, job);
    }
    answer
}

/// Moves on the jobs whose time has come, and forgets those that are a week old (wire facts 3.3).
pub(crate) fn tick(state: &mut State) {
    if state.bulk.jobs.is_empty() {
        return;
    }
    let now = state.data.now();
    state.bulk.jobs.retain(|_, job| now - job.made < chrono::TimeDelta::days(7));
    let waiting: Vec<String> =
        state.bulk.jobs.iter().filter(|(_, job)| job.is_running()).map(|(id, _)| id.clone()).collect();
    for id in waiting {
        let Some(mut job) = state.bulk.jobs.remove(&id) else { continue };
        pace::by_time(state, &mut job);
        state.bulk.jobs.insert(id, job);
    }
}

/// A refusal by one of the guide's names. On the wire they are in capitals without separators (wire facts 3.1).
fn refusal(state: &State, status: u16, name: &str, message: impl Into<String>) -> ApiError {
    let code = if state.bulk.settings.guide_spelling { name.to_owned() } else { name.to_ascii_uppercase() };
    ApiError::new(status, &code, message)
}

/// The text of a member, absent and null alike.
fn text<'m>(members: &'m [(String, Json)], name: &str) -> Option<&'m str> {
    members.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.as_str())
}
