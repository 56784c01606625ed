//! `/metadata/deployRequest` of the REST API.
// Metadata guide, "Deploy Metadata with Apex Testing Using REST", "Check the Status of Your Deployment Using REST Resources",
// "Cancel a Deployment in Progress Using REST", "Deploy a Recently Validated Component Set Without Tests".

use base64::Engine as _;
use bytes::Bytes;

use super::{Deploy, NotCanceled, Options, Row, Status, by_poll, cancel, name_of, submit, submit_validated};
use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::metadata::{NOT_ALLOWED, may_change};
use crate::testing::org::parse;
use crate::testing::org::rest::files::{boundary, is_multipart, parts};
use crate::testing::org::soql::output::datetime;
use crate::testing::org::state::{Call, State};
use crate::testing::org::wire::Answer;

fn check_permission(call: &Call<'_>) -> Result<(), ApiError> {
    if may_change(&call.view) {
        return Ok(());
    }
    // [K] The status; code and text as SOAP has them.
    Err(ApiError::new(403, "INSUFFICIENT_ACCESS", NOT_ALLOWED))
}

fn bad(message: impl Into<String>) -> ApiError {
    // [K] The code.
    ApiError::new(400, "INVALID_MULTIPART_REQUEST", message)
}

/// `POST /metadata/deployRequest`, and of a validation `POST /metadata/deployRequest/<id>`.
pub(crate) fn create(state: &mut State, call: &Call<'_>, validated: Option<&str>) -> Result<Answer, ApiError> {
    check_permission(call)?;
    if !is_multipart(call) {
        return quick(state, call, validated);
    }
    let kind = call.request.header("content-type").unwrap_or_default();
    let boundary = boundary(kind).ok_or_else(|| bad("no boundary"))?;
    let parts =
        parts(&call.request.body, &boundary).ok_or_else(|| bad("the message does not end with its boundary"))?;
    // [S] jsforce names its part `entity_content`: what counts is the content type (wire facts 4.3).
    let of_type = |wanted: &str| parts.iter().find(|part| part.kind.to_ascii_lowercase().starts_with(wanted));
    let told = of_type("application/json").ok_or_else(|| bad("Multipart message must include a non-binary part"))?;
    let text = std::str::from_utf8(&told.bytes).map_err(|_| ApiError::json("The part is not UTF-8"))?;
    let json = parse::parse(text)
        .map_err(|error| ApiError::json(format!("{} at [line:1, column:{}]", error.message, error.column)))?;
    let options = json.member("deployOptions").ok_or_else(|| ApiError::json("deployOptions is missing"))?;
    let options = Options::of_json(options).map_err(ApiError::json)?;
    let file = of_type("application/zip").or_else(|| of_type("application/octet-stream"));
    let file = file.ok_or_else(|| bad("Multipart message must include exactly one binary part"))?;
    let archive = if file.base64 { decode(&file.bytes)? } else { file.bytes.clone() };
    let bounds = state.deploys.settings.bounds;
    if archive.len() > bounds.packed {
        // [S] The text.
        let message = format!("Maximum size of request reached. Maximum size of request is {} bytes.", bounds.packed);
        return Err(ApiError::new(413, "REQUEST_ENTITY_TOO_LARGE", message));
    }
    check_production(state, &options).map_err(|message| ApiError::new(400, "INVALID_OPERATION", message))?;
    let place = submit(state, &call.writer.user, call.version, options, archive);
    Ok(created(&state.deploys.jobs[place], None))
}

/// Metadata guide, "DeployOptions": "This parameter must be set to true if you are deploying to a production organization".
pub(super) fn check_production(state: &State, options: &Options) -> Result<(), &'static str> {
    if state.deploys.settings.production && !options.rollback_on_error {
        // [K] The code and the text.
        return Err("rollbackOnError must be set to true for deployments to a production org");
    }
    Ok(())
}

/// Base64 in lines, as MIME has it.
pub(super) fn decode(text: &[u8]) -> Result<Bytes, ApiError> {
    let plain: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let decoded = base64::engine::general_purpose::STANDARD.decode(plain);
    // [K] The text.
    decoded.map(Bytes::from).map_err(|_| bad("the file is not in base64"))
}

fn quick(state: &mut State, call: &Call<'_>, named: Option<&str>) -> Result<Answer, ApiError> {
    let members = crate::testing::org::rest::body_object(call)?;
    let told = members.iter().find(|(name, _)| name == "validatedDeployRequestId").and_then(|(_, id)| id.as_str());
    let Some(id) = told.or(named) else {
        // [K] The text.
        return Err(ApiError::json("validatedDeployRequestId is missing"));
    };
    let place = submit_validated(state, &call.writer.user, call.version, id).ok_or_else(ApiError::not_found)?;
    let validated = id.to_owned();
    Ok(created(&state.deploys.jobs[place], Some(validated)))
}

fn created(job: &Deploy, validated: Option<String>) -> Answer {
    let mut members = Vec::new();
    members.push(("id".to_owned(), Json::string(&job.id)));
    if validated.is_some() {
        members.push(("validatedDeployRequestId".to_owned(), validated.into()));
    }
    members.push(("deployOptions".to_owned(), job.options.to_json()));
    let result = Json::object([
        ("id", Json::string(&job.id)),
        ("success", false.into()),
        ("checkOnly", job.options.check_only.into()),
        ("ignoreWarnings", job.options.ignore_warnings.into()),
        ("rollbackOnError", job.options.rollback_on_error.into()),
        ("status", Json::string(job.status.name())),
        ("runTestsEnabled", job.options.runs_tests().into()),
        ("done", job.status.done().into()),
    ]);
    members.push(("deployResult".to_owned(), result));
    Answer::json(201, &Json::Object(members))
}

/// `GET /metadata/deployRequest/<id>`
pub(crate) fn status(state: &mut State, call: &Call<'_>, id: &str) -> Result<Answer, ApiError> {
    check_permission(call)?;
    // [K] The answer to an id nobody knows.
    let place = state.deploys.place(id).ok_or_else(ApiError::not_found)?;
    by_poll(state);
    let details = call.request.param("includeDetails").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    Ok(Answer::json(200, &answer(state, call, &state.deploys.jobs[place], details)))
}

/// `PATCH /metadata/deployRequest/<id>`
pub(crate) fn patch(state: &mut State, call: &Call<'_>, id: &str) -> Result<Answer, ApiError> {
    check_permission(call)?;
    let members = crate::testing::org::rest::body_object(call)?;
    let wanted =
        members.iter().find(|(name, _)| name == "deployResult").and_then(|(_, result)| result.member("status"));
    if wanted.and_then(Json::as_str) != Some("Canceling") {
        // [K] The text.
        return Err(ApiError::json("the status of a deployRequest can only be patched to Canceling"));
    }
    let place = state.deploys.place(id).ok_or_else(ApiError::not_found)?;
    // [K] Codes and texts; that finalizing ones cannot be cancelled from 65.0 on is documented.
    cancel(state, place, &call.writer.user, call.version).map_err(|reason| match reason {
        NotCanceled::Done => ApiError::new(400, "INVALID_OPERATION", "The deployment is already completed"),
        NotCanceled::Finalizing => {
            ApiError::new(400, "INVALID_OPERATION", "A deployment with the status Finalizing Deploy cannot be canceled")
        }
    })?;
    Ok(Answer::json(202, &answer(state, call, &state.deploys.jobs[place], false)))
}

fn answer(state: &State, call: &Call<'_>, job: &Deploy, details: bool) -> Json {
    let mut result = result(state, job, details);
    if state.deploys.settings.guide_scalars {
        quote(&mut result);
    }
    Json::object([
        ("id", Json::string(&job.id)),
        ("url", Json::string(format!("{}{}/metadata/deployRequest/{}", state.auth.instance_url, call.base, job.id))),
        ("deployResult", result),
        ("deployOptions", job.options.to_json()),
    ])
}

/// Members and their order as Salesforce wrote them (an answer of 2021 in a public repository; wire facts 4.3).
fn result(state: &State, job: &Deploy, details: bool) -> Json {
    let date = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(datetime).into();
    let by = |user: Option<&str>| {
        let id = user.map(|user| super::super::super::ids::short(user).to_owned());
        (Json::from(id), Json::from(user.map(|user| name_of(state, user))))
    };
    let (created_by, created_name) = by(Some(&job.user));
    let (canceled_by, canceled_name) = by(job.canceled_by.as_deref());
    let (code, text) = job.error.clone().unzip();
    Json::object([
        ("id", Json::string(&job.id)),
        ("messages", Json::Null),
        ("retrieveResult", Json::Null),
        ("success", (job.status == Status::Succeeded).into()),
        ("checkOnly", job.options.check_only.into()),
        ("ignoreWarnings", job.options.ignore_warnings.into()),
        ("rollbackOnError", job.options.rollback_on_error.into()),
        ("status", Json::string(job.status.name())),
        ("numberComponentsDeployed", Json::number(job.deployed)),
        ("numberComponentsTotal", Json::number(job.total)),
        ("numberComponentErrors", Json::number(job.errors())),
        ("numberTestsCompleted", Json::number(0)),
        ("numberTestsTotal", Json::number(0)),
        ("numberTestErrors", Json::number(0)),
        ("details", details_of(job, details)),
        ("createdDate", date(Some(job.created))),
        ("startDate", date(job.started)),
        ("lastModifiedDate", date(Some(job.modified))),
        ("completedDate", date(job.completed)),
        ("errorStatusCode", code.into()),
        ("errorMessage", text.into()),
        ("stateDetail", Json::Null),
        ("createdBy", created_by),
        ("createdByName", created_name),
        ("canceledBy", canceled_by),
        ("canceledByName", canceled_name),
        ("done", job.status.done().into()),
        ("runTestsEnabled", job.options.runs_tests().into()),
        ("runTestResult", Json::Null),
    ])
}

fn details_of(job: &Deploy, details: bool) -> Json {
    let at = job.completed.unwrap_or(job.modified);
    let rows = |wanted: &dyn Fn(&Row) -> bool| {
        let rows = job.rows.iter().filter(|row| details && wanted(row)).map(|row| row.to_json(at));
        Json::Array(rows.collect())
    };
    let empty = || Json::Array(Vec::new());
    let tests = Json::object([
        ("successes", empty()),
        ("failures", empty()),
        ("totalTime", Json::number("0.0")),
        ("apexLogId", Json::Null),
        ("flowCoverage", empty()),
        ("numFailures", Json::number(0)),
        ("codeCoverage", empty()),
        ("codeCoverageWarnings", empty()),
        ("flowCoverageWarnings", empty()),
        ("numTestsRun", Json::number(0)),
    ]);
    Json::object([
        ("componentFailures", rows(&|row| !row.success)),
        ("componentSuccesses", rows(&|row| row.success)),
        ("retrieveResult", Json::Null),
        ("allComponentMessages", rows(&|_| true)),
        ("runTestResult", tests),
    ])
}

/// Booleans and numbers as strings, as the guide prints them.
fn quote(json: &mut Json) {
    match json {
        Json::Bool(flag) => *json = Json::string(flag.to_string()),
        Json::Number(digits) => *json = Json::string(std::mem::take(digits)),
        Json::Array(items) => items.iter_mut().for_each(quote),
        Json::Object(members) => members.iter_mut().for_each(|(_, value)| quote(value)),
        Json::Null | Json::String(_) => {}
    }
}
