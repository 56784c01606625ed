//! Ingest jobs over HTTP (wire facts 3.1).

use super::super::files::{Part, boundary, is_multipart, parts};
use super::super::{body_object, upsert::key_field};
use super::csv::{Delimiter, Dialect, LineEnding};
use super::job::{self, Change, Ingest, Job, JobState, Work};
use super::{IngestFile, pace, refusal, text, work};
use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::parse;
use crate::testing::org::state::{Call, State};
use crate::testing::org::wire::Answer;

/// Characters of the rows of a job in one request (wire facts 3.1).
const MAX_ONE_REQUEST: usize = 100_000;

/// `POST /jobs/ingest`
pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Answer, ApiError> {
    if !is_multipart(call) {
        let job = new_job(state, call, &body_object(call)?)?;
        let answer = Answer::json(200, &job.created());
        state.bulk.jobs.insert(job.id.clone(), job);
        return Ok(answer);
    }
    let kind = call.request.header("content-type").unwrap_or_default();
    let parts = boundary(kind).and_then(|boundary| parts(&call.request.body, &boundary));
    let Some([first, second]) = parts.as_deref() else {
        // [K] The code and the text.
        return Err(refusal(state, 400, "InvalidJob", "A multipart request has the parts job and content"));
    };
    let is = |part: &Part, kind: &str| part.kind.to_ascii_lowercase().starts_with(kind);
    let named = first.name == "job" && second.name == "content" && second.file;
    if !named || !is(first, "application/json") || !(second.kind.is_empty() || is(second, "text/csv")) {
        // [K] The code and the text.
        return Err(refusal(state, 400, "InvalidJob", "The part job is JSON, and the part content is a file of CSV"));
    }
    let (settings, rows) = (&first.bytes, second.bytes.clone());
    let settings = std::str::from_utf8(settings).map_err(|_| ApiError::json("The body is not UTF-8"))?;
    let Ok(Json::Object(settings)) = parse::parse(settings) else {
        return Err(ApiError::json("The part job is required to be a JSON object"));
    };
    if rows.len() > MAX_ONE_REQUEST && String::from_utf8_lossy(&rows).chars().count() > MAX_ONE_REQUEST {
        // [K] The code and the text.
        let text = format!("The content of a multipart request has at most {MAX_ONE_REQUEST} characters");
        return Err(refusal(state, 400, "ClientInputError", text));
    }
    let mut job = new_job(state, call, &settings)?;
    if let Work::Ingest(ingest) = &mut job.work {
        ingest.content = Some(rows);
    }
    close(state, call, &mut job);
    let answer = Answer::json(200, &job.created());
    state.bulk.jobs.insert(job.id.clone(), job);
    Ok(answer)
}

fn new_job(state: &mut State, call: &Call<'_>, members: &[(String, Json)]) -> Result<Job, ApiError> {
    let dialect = dialect(state, members)?;
    let name = text(members, "object").unwrap_or_default();
    let Some(object) = call.view.schema.object(name) else {
        // [S] The code and the text, of objects that are unknown, hidden or not for bulk.
        let text = format!("Entity '{name}' is not supported by the Bulk API.");
        return Err(refusal(state, 400, "InvalidEntity", text));
    };
    let Some(change) = text(members, "operation").and_then(Change::parse) else {
        // [K] The text.
        let text = "The operation is insert, update, upsert, delete or hardDelete";
        return Err(refusal(state, 400, "InvalidOperation", text));
    };
    if text(members, "contentType").is_some_and(|kind| kind != "CSV") {
        // [K] The code and the text.
        return Err(refusal(state, 400, "InvalidJob", "The contentType is CSV"));
    }
    if change == Change::HardDelete && !call.view.has("BulkApiHardDelete") {
        // [S] The code and the text.
        let text =
            "hardDelete operation requires special user profile permission, please contact your system administrator";
        return Err(refusal(state, 400, "FeatureNotEnabled", text));
    }
    let named = text(members, "externalIdFieldName").filter(|name| !name.is_empty());
    let external_id = match (change, named) {
        (Change::Upsert, None) => {
            // [S] The text.
            let text = format!(
                "InvalidJob : External ID was blank for {}. An External ID must be specified for upsert.",
                object.name
            );
            return Err(refusal(state, 400, "InvalidJob", text));
        }
        (Change::Upsert, Some(name)) => {
            let Ok(field) = key_field(object, name) else {
                // [K] The text.
                let text = format!(
                    "InvalidJob : Field name provided, {name} does not match an External ID, Salesforce Id, or indexed \
                     field for {}",
                    object.name
                );
                return Err(refusal(state, 400, "InvalidJob", text));
            };
            Some(field.name.clone())
        }
        // [K] Not shown for other operations.
        _ => None,
    };
    let assignment_rule = text(members, "assignmentRuleId").map(str::to_owned);
    let object = object.name.clone();
    let (content, progress, failure, row_fault) = (None, None, None, None);
    let work = Work::Ingest(Ingest { change, external_id, assignment_rule, content, progress, failure, row_fault });
    Ok(job::new(state, call, object, dialect, work))
}

/// `lineEnding` and `columnDelimiter` of a new job.
pub(super) fn dialect(state: &State, members: &[(String, Json)]) -> Result<Dialect, ApiError> {
    let delimiter = text(members, "columnDelimiter").map_or(Some(Delimiter::Comma), Delimiter::parse);
    let ending = text(members, "lineEnding").map_or(Some(LineEnding::Lf), LineEnding::parse);
    match (delimiter, ending) {
        (Some(delimiter), Some(ending)) => Ok(Dialect { delimiter, ending }),
        // [K] The code and the text.
        _ => Err(refusal(state, 400, "InvalidJob", "There is no such columnDelimiter or lineEnding")),
    }
}

/// `PUT /jobs/ingest/<id>/batches`
pub(super) fn upload(state: &mut State, call: &Call<'_>, job: &mut Job) -> Result<Answer, ApiError> {
    if state.bulk.settings.refuse_chunked && !call.request.headers.contains_key("content-length") {
        // [K] RFC 9110, 15.5.12; as the edge in front of an org would.
        return Ok(Answer::text(411, "text/html", "Length Required"));
    }
    let kind = call.request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if !kind.starts_with("text/csv") {
        // [K] The text.
        let text = format!("Content-Type header specified in HTTP request is not supported: {kind}");
        return Err(ApiError::new(415, "UNSUPPORTED_MEDIA_TYPE", text));
    }
    if job.state != JobState::Open {
        // [K] The text.
        let text = format!("Data can be added to an open job only, and this one is {}", job.state.name());
        return Err(refusal(state, 400, "InvalidJobState", text));
    }
    if call.request.body.len() > state.bulk.settings.max_upload {
        // [K] The status, the code and the text.
        return Err(refusal(state, 413, "ClientInputError", "The data is larger than 150 MB in base64"));
    }
    let Work::Ingest(ingest) = &mut job.work else { return Err(ApiError::not_found()) };
    if ingest.content.is_some() {
        // [S] Live reports of the text, one of them with the code. [K] The status.
        let text = format!(
            "Found multiple contents for job: <{}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new \
             Job and make sure you only do 'PUT' once on a given Job.",
            crate::testing::org::ids::short(&job.id)
        );
        return Err(ApiError::new(400, "BULK_API_ERROR", text));
    }
    ingest.content = Some(call.request.body.clone());
    job.changed = state.data.now();
    Ok(Answer::empty(201))
}

/// The upload is whole: the job waits for its turn.
fn close(state: &mut State, call: &Call<'_>, job: &mut Job) {
    if let Work::Ingest(ingest) = &mut job.work {
        ingest.failure = state.bulk.ingest_failures.pop_front();
        ingest.row_fault.clone_from(&call.row_fault);
    }
    job.queued = Some(state.data.clock.now_exact());
    job.enter(JobState::UploadComplete, state.data.now());
}

/// `PATCH /jobs/ingest/<id>`: the upload is complete, or the job is to stop.
pub(super) fn patch(state: &mut State, call: &Call<'_>, job: &mut Job) -> Result<Answer, ApiError> {
    let members = body_object(call)?;
    match (text(&members, "state"), job.state) {
        (Some("UploadComplete"), JobState::Open) => close(state, call, job),
        (Some("Aborted"), _) => abort(state, call, job)?,
        (wanted, now) => {
            // [K] The text.
            let text = format!("A job that is {} cannot become {}", now.name(), wanted.unwrap_or("null"));
            return Err(refusal(state, 400, "InvalidJobState", text));
        }
    }
    Ok(Answer::json(200, &job.patched()))
}

/// Stops a job. What it has processed stays.
pub(super) fn abort(state: &State, call: &Call<'_>, job: &mut Job) -> Result<(), ApiError> {
    if job.user != call.writer.user && !call.view.has("ManageDataIntegrations") {
        // Wire facts 3.1: its creator, or who has that permission. [K] The answer to others.
        return Err(
            ApiError::row("INSUFFICIENT_ACCESS", "insufficient access rights on object id", []).with_status(403)
        );
    }
    if job.state.is_over() {
        // [S] Seen live for a job that was complete.
        return Err(refusal(state, 400, "InvalidJobState", "Aborting already Completed Job not allowed"));
    }
    job.enter(JobState::Aborted, state.data.now());
    Ok(())
}

/// `GET /jobs/ingest/<id>`
#[expect(clippy::unnecessary_wraps, reason = "one of several answers")]
pub(super) fn info(state: &mut State, job: &mut Job) -> Result<Answer, ApiError> {
    pace::by_poll(state, job);
    Ok(Answer::json(200, &job.info()))
}

/// `DELETE /jobs/ingest/<id>`
pub(super) fn delete(state: &State, job: &mut Job) -> Result<Answer, ApiError> {
    if job.state != JobState::UploadComplete && !job.state.is_over() {
        // [K] The text.
        let text = format!("A job that is {} cannot be deleted", job.state.name());
        return Err(refusal(state, 400, "InvalidJobState", text));
    }
    job.removed = true;
    Ok(Answer::empty(204))
}

/// `GET /jobs/ingest/<id>/successfulResults` and its two siblings.
pub(super) fn results(state: &State, job: &mut Job, file: IngestFile) -> Result<Answer, ApiError> {
    if !job.state.is_over() {
        // [K] The text.
        let text = format!("A job that is {} has no results yet", job.state.name());
        return Err(refusal(state, 400, "InvalidJobState", text));
    }
    if state.bulk.settings.lost.contains(&job.id) {
        return Err(ApiError::not_found());
    }
    let Work::Ingest(ingest) = &job.work else { return Err(ApiError::not_found()) };
    Ok(Answer::text(200, "text/csv", work::file(job, ingest, file)))
}
