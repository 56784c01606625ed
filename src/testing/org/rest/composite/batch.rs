//! `POST /composite/batch` (wire facts 2.10): up to 25 requests one after the other, each for itself.

use http::{HeaderMap, Method};

use super::MAX_SUBREQUESTS;
use super::read::flag;
use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::rest::body_object;
use crate::testing::org::rest::subrequest::{self, Served, Subrequest, body_of};
use crate::testing::org::router::VERSIONS;
use crate::testing::org::state::{Call, Part, State};
use crate::testing::org::wire::Answer;

/// The oldest version of a sub-request.
const OLDEST: u32 = 34;

/// REST guide, "Composite Batch"; those this org serves.
const SERVED: Served = |resource| {
    resource.first().is_some_and(|first| ["limits", "sobjects", "query", "queryAll", "search"].contains(&&**first))
};

pub(in super::super) fn batch(state: &mut State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let members = body_object(call)?;
    let halt = flag(&members, "haltOnError")?.unwrap_or(false);
    let Some((_, Json::Array(items))) = members.iter().find(|(name, _)| name == "batchRequests") else {
        // [K] The text.
        return Err(ApiError::json("batchRequests is required to be a list of subrequests"));
    };
    if items.is_empty() || items.len() > MAX_SUBREQUESTS {
        // [K] The code and the text.
        let message = format!("A batch has 1 to {MAX_SUBREQUESTS} subrequests, not {}", items.len());
        return Err(ApiError::new(400, "LIMIT_EXCEEDED", message));
    }
    // An error in one of them refuses the whole before any is carried out (REST guide, "Batch Request Body").
    let requests: Vec<Subrequest> = items.iter().map(|item| read(item, call)).collect::<Result<_, _>>()?;
    let (mut results, mut failed, mut first) = (Vec::new(), false, 0);
    for (place, request) in requests.iter().enumerate() {
        let (status, body) = if halt && failed {
            // [K] The text.
            let error = ApiError::new(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request");
            (error.status, error.to_array())
        } else if place > 0 && !state.usage.count(state.data.now()) {
            // Each counts; the first is the request itself. [K] The answer when the calls of the day run out on the way.
            let error = ApiError::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
            (error.status, error.to_array())
        } else {
            let answer = subrequest::run(state, call, request, SERVED, Part { first, total: request.rows() });
            (answer.status, body_of(&answer))
        };
        first += request.rows();
        failed |= status >= 400;
        results.push(Json::object([("statusCode", Json::number(status)), ("result", body)]));
    }
    let body = Json::object([("hasErrors", Json::Bool(failed)), ("results", Json::Array(results))]);
    Ok(Answer::json(200, &body))
}

fn read(item: &Json, call: &Call<'_>) -> Result<Subrequest, ApiError> {
    let text = |name: &str| {
        let text = item.member(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| ApiError::json(format!("{name} is required in a subrequest")))
    };
    // [K] In any case; the Connect guide writes `Get`.
    let name = text("method")?.to_ascii_uppercase();
    if !["POST", "PUT", "PATCH", "GET", "DELETE", "HEAD"].contains(&name.as_str()) {
        return Err(ApiError::json(format!("Unexpected value for method: {name}")));
    }
    let method = Method::from_bytes(name.as_bytes()).map_err(|_| ApiError::json("method"))?;
    // `v66.0/sobjects/…`; the Connect guide has a slash before it.
    let url = text("url")?.trim_start_matches('/');
    let version = url.strip_prefix('v').and_then(|rest| rest.split_once(".0/")?.0.parse::<u32>().ok());
    let allowed = OLDEST.max(*VERSIONS.start())..=call.version;
    if version.is_none_or(|version| !allowed.contains(&version)) {
        // [K] The code and the text.
        return Err(ApiError::json(format!(
            "The url of a subrequest must start with a version from v{OLDEST}.0 to v{}.0: {url}",
            call.version
        )));
    }
    let mut headers = HeaderMap::new();
    // A sub-request has no headers of its own. [K] That those of the batch go for it.
    for (name, value) in call.request.headers.iter().filter(|(name, _)| name.as_str().starts_with("sforce-")) {
        headers.insert(name.clone(), value.clone());
    }
    let body = item.member("richInput").filter(|body| **body != Json::Null).cloned();
    Ok(Subrequest { method, url: format!("/services/data/{url}"), headers, body })
}
