//! Query jobs over HTTP (wire facts 3.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;

use super::super::body_object;
use super::super::query::View;
use super::csv::Dialect;
use super::ingest::{abort, dialect};
use super::job::{self, Job, JobState, Query, Work};
use super::settings::EmptyResult;
use super::{pace, refusal, text};
use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::soql;
use crate::testing::org::state::{Call, State};
use crate::testing::org::wire::Answer;

/// Links of a page of links (wire facts 3.2).
const MAX_LINKS: usize = 5;

/// The rows of a result, as text.
#[derive(Debug, Default)]
pub(super) struct Rows {
    header: String,
    text: String,
    /// Where each row ends.
    ends: Vec<usize>,
}

impl Rows {
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// A page: the header row first, on every one.
    fn page(&self, start: usize, end: usize) -> String {
        let at = |row: usize| row.checked_sub(1).and_then(|row| self.ends.get(row)).copied().unwrap_or(0);
        format!("{}{}", self.header, &self.text[at(start)..at(end)])
    }
}

/// `POST /jobs/query`
pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let members = body_object(call)?;
    let all = match text(&members, "operation") {
        Some("query") => false,
        Some("queryAll") => true,
        // [K] The text.
        _ => return Err(refusal(state, 400, "InvalidOperation", "The operation is query or queryAll")),
    };
    let dialect = dialect(state, &members)?;
    let statement = text(&members, "query").unwrap_or_default().to_owned();
    let view = View { state, user: &call.view, base: &call.base, deleted: all };
    let object =
        soql::bulk::object(&view, &statement).map_err(|error| ApiError::new(400, error.code, error.message))?;
    if !state.bulk.query_jobs.take(state.data.now()) {
        // [K] The status and the text.
        return Err(refusal(state, 400, "ExceededQuota", "The 24-hour allocation of query jobs is used up"));
    }
    let failure = state.bulk.query_failures.pop_front();
    let work = Work::Query(Query { soql: statement, all, failure, rows: None });
    let mut job = job::new(state, call, object, dialect, work);
    job.state = JobState::UploadComplete;
    job.queued = Some(state.data.clock.now_exact());
    let answer = Answer::json(200, &job.created());
    state.bulk.jobs.insert(job.id.clone(), job);
    Ok(answer)
}

/// Runs the statement, for the rows as they are now.
pub(super) fn run(state: &mut State, job: &mut Job) {
    let now = state.data.now();
    let seen = state.view(&job.user);
    let Work::Query(query) = &mut job.work else { return };
    if let Some(failure) = &query.failure {
        let text = failure.message.clone();
        return job.fail(text, now);
    }
    let base = format!("/services/data/v{}.0", job.version);
    let view = View { state, user: &seen, base: &base, deleted: query.all };
    match read(&view, &query.soql, job.dialect) {
        Ok(rows) => {
            query.rows = Some(rows);
            job.enter(JobState::JobComplete, now);
        }
        // [S] The form.
        Err(error) => {
            let text = format!("InvalidBatch : Failed to process query: {}: {}", error.code, error.message);
            job.fail(text, now);
        }
    }
}

fn read(view: &View<'_>, statement: &str, dialect: Dialect) -> Result<Rows, soql::SoqlError> {
    let mut rows = Rows::default();
    let header = soql::bulk::run(view, statement, &mut |cells| {
        dialect.push_record(&mut rows.text, cells);
        rows.ends.push(rows.text.len());
    })?;
    // All cells are quoted, those of the header too (wire facts 3.2).
    dialect.push_record(&mut rows.header, &header);
    Ok(rows)
}

/// `GET /jobs/query/<id>`
#[expect(clippy::unnecessary_wraps, reason = "one of several answers")]
pub(super) fn info(state: &mut State, job: &mut Job) -> Result<Answer, ApiError> {
    pace::by_poll(state, job);
    Ok(Answer::json(200, &job.info()))
}

/// `PATCH /jobs/query/<id>`, which can only stop it.
pub(super) fn patch(state: &mut State, call: &Call<'_>, job: &mut Job) -> Result<Answer, ApiError> {
    if text(&body_object(call)?, "state") != Some("Aborted") {
        // [K] The text.
        return Err(refusal(state, 400, "InvalidJobState", "A query job can be Aborted only"));
    }
    abort(state, call, job)?;
    Ok(Answer::json(200, &job.patched()))
}

/// `DELETE /jobs/query/<id>`
pub(super) fn delete(state: &State, job: &mut Job) -> Result<Answer, ApiError> {
    super::ingest::delete(state, job)
}

/// The rows of a job that is done, for a caller in its version.
fn rows_of<'j>(state: &State, call: &Call<'_>, job: &'j Job) -> Result<&'j Rows, ApiError> {
    if call.version != job.version {
        // Wire facts 3.2 for the status. [K] The code and the text.
        let text = format!("The job was created in version {}.0", job.version);
        return Err(ApiError::new(409, "VERSION_MISMATCH", text));
    }
    if state.bulk.settings.lost.contains(&job.id) {
        return Err(ApiError::not_found());
    }
    match &job.work {
        Work::Query(Query { rows: Some(rows), .. }) if job.state == JobState::JobComplete => Ok(rows),
        _ => {
            // [K] The text.
            let text = format!("A job that is {} has no results", job.state.name());
            Err(refusal(state, 400, "InvalidJobState", text))
        }
    }
}

/// `MTAwMDA` is row 10,000. Locators may be read again while the job is there (wire facts 3.2).
fn locator(row: usize) -> String {
    STANDARD_NO_PAD.encode(row.to_string())
}

fn row_of(locator: Option<&str>, count: usize) -> Result<usize, ApiError> {
    let Some(locator) = locator else { return Ok(0) };
    let bytes = STANDARD_NO_PAD.decode(locator.trim_end_matches('=')).ok();
    let row = bytes.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse::<usize>().ok());
    // [K] The text.
    row.filter(|row| *row < count).ok_or_else(|| ApiError::new(400, "INVALID_QUERY_LOCATOR", "invalid query locator"))
}

/// `GET /jobs/query/<id>/results?maxRecords=…&locator=…`
pub(super) fn results(state: &State, call: &Call<'_>, job: &Job) -> Result<Answer, ApiError> {
    let rows = rows_of(state, call, job)?;
    let most = state.bulk.settings.result_rows;
    let size = match call.request.param("maxRecords") {
        None => most,
        Some(wanted) => match wanted.parse::<usize>() {
            Ok(wanted) if wanted > 0 => wanted.min(most),
            // [K] The code and the text.
            _ => return Err(refusal(state, 400, "ClientInputError", "maxRecords is a number above zero")),
        },
    };
    let start = row_of(call.request.param("locator"), rows.count())?;
    let end = start.saturating_add(size).min(rows.count());
    let text = if rows.count() == 0 {
        match state.bulk.settings.empty {
            EmptyResult::Header => rows.header.clone(),
            EmptyResult::Nothing => String::new(),
            // [S] wire facts 3.2
            EmptyResult::Line => "Records not found for this query".to_owned(),
        }
    } else {
        rows.page(start, end)
    };
    let next = if end < rows.count() { locator(end) } else { "null".to_owned() };
    Ok(Answer::text(200, "text/csv", Bytes::from(text))
        .with("Sforce-NumberOfRecords", (end - start).to_string())
        .with("Sforce-Locator", next))
}

/// `GET /jobs/query/<id>/resultPages?locator=…`: links to pages that can be read at once.
pub(super) fn pages(state: &State, call: &Call<'_>, job: &Job) -> Result<Answer, ApiError> {
    let rows = rows_of(state, call, job)?;
    let size = state.bulk.settings.result_rows;
    let start = row_of(call.request.param("locator"), rows.count())?;
    let path = format!("{}/jobs/query/{}", call.base, job.id);
    // [K] One link for a result without rows.
    let starts = (start..rows.count().max(1)).step_by(size).take(MAX_LINKS);
    let link =
        |row: usize| Json::object([("resultUrl", Json::String(format!("{path}/results?locator={}", locator(row))))]);
    let links: Vec<Json> = starts.map(|row| if rows.count() == 0 { first(&path) } else { link(row) }).collect();
    let end = start.saturating_add(links.len().saturating_mul(size));
    let mut members = vec![("resultPages".to_owned(), Json::Array(links))];
    let done = end >= rows.count();
    if !done {
        // The guide's table says nextRecordUrl, its example nextRecordsUrl, and the path is in lower case (wire facts 3.2).
        let name = if state.bulk.settings.next_record_url { "nextRecordUrl" } else { "nextRecordsUrl" };
        members.push((name.to_owned(), Json::String(format!("{path}/resultpages?locator={}", locator(end)))));
    }
    members.push(("done".to_owned(), Json::Bool(done)));
    Ok(Answer::json(200, &Json::Object(members)))
}

fn first(path: &str) -> Json {
    Json::object([("resultUrl", Json::String(format!("{path}/results")))])
}
