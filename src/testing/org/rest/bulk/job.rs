//! A job, and how it is shown.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::csv::Dialect;
use super::query::Rows;
use super::settings::Failure;
use super::work::Progress;
use crate::testing::org::error::ApiError;
use crate::testing::org::faults::Kind;
use crate::testing::org::ids;
use crate::testing::org::json::Json;
use crate::testing::org::soql::output::datetime;
use crate::testing::org::state::{Call, State};
use crate::testing::org::wire::Answer;

/// Wire facts 3.1; a query job is never open (3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobState {
    Open,
    UploadComplete,
    InProgress,
    JobComplete,
    Failed,
    Aborted,
}

impl JobState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::UploadComplete => "UploadComplete",
            Self::InProgress => "InProgress",
            Self::JobComplete => "JobComplete",
            Self::Failed => "Failed",
            Self::Aborted => "Aborted",
        }
    }

    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::JobComplete | Self::Failed | Self::Aborted)
    }
}

/// What an ingest job does to its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Insert,
    Update,
    Upsert,
    Delete,
    HardDelete,
}

impl Change {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "insert" => Self::Insert,
            "update" => Self::Update,
            "upsert" => Self::Upsert,
            "delete" => Self::Delete,
            "hardDelete" => Self::HardDelete,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
            Self::HardDelete => "hardDelete",
        }
    }
}

#[derive(Debug)]
pub(super) struct Ingest {
    pub(super) change: Change,
    pub(super) external_id: Option<String>,
    pub(super) assignment_rule: Option<String>,
    pub(super) content: Option<Bytes>,
    /// From the moment processing begins.
    pub(super) progress: Option<Box<Progress>>,
    pub(super) failure: Option<Failure>,
    /// A fault that happens to its rows.
    pub(super) row_fault: Option<Kind>,
}

#[derive(Debug)]
pub(super) struct Query {
    pub(super) soql: String,
    /// The recycle bin as well.
    pub(super) all: bool,
    pub(super) failure: Option<Failure>,
    pub(super) rows: Option<Rows>,
}

#[derive(Debug)]
pub(super) enum Work {
    Ingest(Ingest),
    Query(Query),
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) object: String,
    pub(super) user: String,
    pub(super) version: u32,
    pub(super) made: DateTime<Utc>,
    /// `systemModstamp`
    pub(super) changed: DateTime<Utc>,
    /// When it began to wait for its turn.
    pub(super) queued: Option<DateTime<Utc>>,
    pub(super) polls: u32,
    pub(super) state: JobState,
    pub(super) dialect: Dialect,
    pub(super) error: Option<String>,
    pub(super) work: Work,
    /// Deleted: not to be put back.
    pub(super) removed: bool,
}

impl Job {
    pub(super) fn is_ingest(&self) -> bool {
        matches!(self.work, Work::Ingest(_))
    }

    /// On its way from the upload to its end.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, JobState::UploadComplete | JobState::InProgress)
    }

    pub(super) fn enter(&mut self, state: JobState, now: DateTime<Utc>) {
        (self.state, self.changed) = (state, now);
    }

    pub(super) fn fail(&mut self, message: impl Into<String>, now: DateTime<Utc>) {
        self.error = Some(message.into());
        self.enter(JobState::Failed, now);
    }

    /// What every answer about a job begins with.
    // recorded: bulk2/write-launch-job-opportunity.json, bulk2/read-launch-job-account.json
    fn common(&self) -> Vec<(String, Json)> {
        let operation = match &self.work {
            Work::Ingest(ingest) => ingest.change.name(),
            Work::Query(query) if query.all => "queryAll",
            Work::Query(_) => "query",
        };
        let mut members = vec![
            member("id", Json::string(&self.id)),
            member("operation", Json::from(operation)),
            member("object", Json::string(&self.object)),
            member("createdById", Json::string(&self.user)),
            member("createdDate", Json::String(datetime(self.made))),
            member("systemModstamp", Json::String(datetime(self.changed))),
            member("state", Json::from(self.state.name())),
        ];
        if let Work::Ingest(ingest) = &self.work {
            members.extend(ingest.external_id.as_ref().map(|name| member("externalIdFieldName", Json::string(name))));
            // [K] The place.
            members.extend(ingest.assignment_rule.as_ref().map(|rule| member("assignmentRuleId", Json::string(rule))));
        }
        members.extend([
            member("concurrencyMode", Json::from("Parallel")),
            member("contentType", Json::from("CSV")),
            member("apiVersion", Json::Number(format!("{}.0", self.version))),
        ]);
        members
    }

    fn dialect_members(&self) -> [(String, Json); 2] {
        [
            member("lineEnding", Json::from(self.dialect.ending.name())),
            member("columnDelimiter", Json::from(self.dialect.delimiter.name())),
        ]
    }

    /// The answer to a create.
    pub(super) fn created(&self) -> Json {
        let mut members = self.common();
        members.extend(self.content_url());
        members.extend(self.dialect_members());
        Json::Object(members)
    }

    /// Where an open job takes its rows; without a leading slash.
    // recorded: bulk2/write-launch-job-opportunity.json
    fn content_url(&self) -> Option<(String, Json)> {
        let url = format!("services/data/v{}.0/jobs/ingest/{}/batches", self.version, self.id);
        (self.is_ingest() && self.state == JobState::Open).then(|| member("contentUrl", Json::String(url)))
    }

    /// The answer to a change of its state, which lacks some members.
    // recorded: bulk2/write-update-job-opportunity.json
    pub(super) fn patched(&self) -> Json {
        Json::Object(self.common())
    }

    /// The answer to a look at it.
    // recorded: bulk2/info-in-progress.json
    pub(super) fn info(&self) -> Json {
        let mut members = self.listed();
        members.extend(self.content_url());
        members.extend(self.error.as_ref().map(|text| member("errorMessage", Json::string(text))));
        let (done, failed) = self.counts();
        members.push(member("numberRecordsProcessed", Json::number(done)));
        if self.is_ingest() {
            members.push(member("numberRecordsFailed", Json::number(failed)));
        }
        members.push(member("retries", Json::number(0)));
        let total = self.queued.map_or(0, |queued| (self.changed - queued).num_milliseconds().max(0));
        members.push(member("totalProcessingTime", Json::number(total)));
        if self.is_ingest() {
            // [K] A millisecond for each row; the org has no Apex.
            members.push(member("apiActiveProcessingTime", Json::number(done)));
            members.push(member("apexProcessingTime", Json::number(0)));
        }
        Json::Object(members)
    }

    /// An entry of the list. [K] Its members.
    fn listed(&self) -> Vec<(String, Json)> {
        let mut members = self.common();
        members.push(member("jobType", Json::from(self.kind())));
        members.extend(self.dialect_members());
        members
    }

    fn kind(&self) -> &'static str {
        if self.is_ingest() { "V2Ingest" } else { "V2Query" }
    }

    /// Rows processed, and those of them that failed.
    fn counts(&self) -> (usize, usize) {
        match &self.work {
            Work::Ingest(ingest) => ingest.progress.as_ref().map_or((0, 0), |progress| progress.counts()),
            Work::Query(query) => (query.rows.as_ref().map_or(0, Rows::count), 0),
        }
    }
}

fn member(name: &str, value: Json) -> (String, Json) {
    (name.to_owned(), value)
}

/// A new job of the caller.
pub(super) fn new(state: &mut State, call: &Call<'_>, object: String, dialect: Dialect, work: Work) -> Job {
    let now = state.data.now();
    // 750 is the prefix of bulk jobs (wire facts 9).
    let id = ids::make("750", state.data.next_serial("750"));
    Job {
        id,
        object,
        user: call.writer.user.clone(),
        version: call.version,
        made: now,
        changed: now,
        queued: None,
        polls: 0,
        state: JobState::Open,
        dialect,
        error: None,
        work,
        removed: false,
    }
}

/// The jobs a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jobs {
    Ingest,
    Query,
}

/// `GET /jobs/ingest` and `GET /jobs/query` (wire facts 3.1). The locator of the rest is opaque.
pub(super) fn list(state: &State, call: &Call<'_>, shown: Jobs) -> Result<Answer, ApiError> {
    let kind = call.request.param("jobType");
    let jobs = state.bulk.jobs.values();
    let wanted: Vec<&Job> = jobs
        .filter(|job| job.is_ingest() == (shown == Jobs::Ingest) && kind.is_none_or(|kind| kind == job.kind()))
        .collect();
    let start = match call.request.param("queryLocator") {
        None => 0,
        Some(locator) => {
            let start = locator.strip_prefix("01gMk0").and_then(|place| place.parse::<usize>().ok());
            // [K] The code and the text.
            start
                .filter(|start| *start < wanted.len())
                .ok_or_else(|| ApiError::new(400, "INVALID_QUERY_LOCATOR", "invalid query locator"))?
        }
    };
    let end = start.saturating_add(state.bulk.settings.list_rows).min(wanted.len());
    let path = if shown == Jobs::Ingest { "ingest" } else { "query" };
    let mut next = format!("{}/jobs/{path}?queryLocator=01gMk0{end}", call.base);
    if let Some(kind) = kind {
        next = format!("{next}&jobType={kind}");
    }
    let done = end == wanted.len();
    Ok(Answer::json(
        200,
        &Json::object([
            ("done", Json::Bool(done)),
            ("records", Json::Array(wanted[start..end].iter().map(|job| Json::Object(job.listed())).collect())),
            ("nextRecordsUrl", if done { Json::Null } else { Json::String(next) }),
        ]),
    ))
}
