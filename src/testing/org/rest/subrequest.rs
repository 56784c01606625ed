//! Requests inside a request. They go the way of any other, so that every rule of the org applies to them; only the log-in
//! and the count of calls are those of the request around them.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};

use crate::testing::org::error::ApiError;
use crate::testing::org::faults::Kind;
use crate::testing::org::json::Json;
use crate::testing::org::parse;
use crate::testing::org::router::{self, Route};
use crate::testing::org::state::{Call, Part, State, edited, not_allowed};
use crate::testing::org::usage::LoggedRequest;
use crate::testing::org::wire::{Answer, Request};

/// What a sub-request may name: the segments behind the version.
pub(super) type Served = fn(&[String]) -> bool;

/// A request inside another.
#[derive(Debug)]
pub(super) struct Subrequest {
    pub(super) method: Method,
    /// Path and query, from `/services/data/` on.
    pub(super) url: String,
    /// Its own, without those it inherits.
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Json>,
}

impl Subrequest {
    /// The segments behind the version.
    pub(super) fn resource(&self) -> Vec<String> {
        let path = self.url.split('?').next().unwrap_or_default();
        path.split('/').filter(|segment| !segment.is_empty()).skip(3).map(str::to_owned).collect()
    }

    pub(super) fn is_collection(&self) -> bool {
        is_collection(&self.resource())
    }

    /// Rows it writes.
    pub(super) fn rows(&self) -> usize {
        let records = self.body.as_ref().and_then(|body| body.member("records"));
        match (self.method.as_str(), records) {
            ("GET", _) => 0,
            (_, Some(Json::Array(records))) if self.is_collection() => records.len(),
            ("DELETE", _) if self.is_collection() => self.url.matches(',').count() + 1,
            ("POST", _) if self.is_collection() => 0,
            _ => 1,
        }
    }

    fn request(&self, outer: &Request) -> Request {
        let mut headers = self.headers.clone();
        // Inherited (REST guide, "Composite Request Body"). [K] Others are not.
        for name in [header::ACCEPT, header::AUTHORIZATION] {
            if let Some(value) = outer.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = self.body.as_ref().map_or_else(Bytes::new, |body| body.to_text().into());
        Request::new(self.method.clone(), &self.url, headers, body, outer.port)
    }
}

pub(super) fn is_collection(resource: &[String]) -> bool {
    matches!(resource, [composite, sobjects, ..] if composite == "composite" && sobjects == "sobjects")
}

/// Carries a sub-request out. A refused one leaves nothing behind.
pub(super) fn run(state: &mut State, outer: &Call<'_>, inner: &Subrequest, served: Served, part: Part) -> Answer {
    let request = inner.request(outer.request);
    let is_served = |route: &Route| {
        // Binary content is nothing for a JSON body (REST guide, "Composite" and "Composite Batch").
        !matches!(route, Route::Blob { .. }) && served(request.segments.get(3..).unwrap_or_default())
    };
    let route = router::route(&request).filter(is_served);
    let operation = route.as_ref().and_then(|route| router::operation(route, &request.method).ok());
    let fault = operation.and_then(|operation| state.faults.next_inner(operation));
    let own = fault.clone().filter(Kind::is_of_rows);
    let (row_fault, part) = if own.is_some() { (own, None) } else { (outer.row_fault.clone(), Some(part)) };
    state.data.store.begin();
    let run = |state: &mut State| -> Result<Answer, ApiError> {
        // [K] The answer to what is not served inside.
        let route = route.as_ref().ok_or_else(ApiError::not_found)?;
        let version = router::version(&request)?;
        if let Err(allowed) = router::operation(route, &request.method) {
            return Ok(not_allowed(&request, allowed));
        }
        // Anew for each: a sub-request before may have changed what the user may do.
        let view = state.view(&outer.writer.user);
        let call = Call::new(&request, version, outer.writer.user.clone(), view).with_row_fault(row_fault, part);
        super::answer(state, &call, route)
    };
    let carry_out =
        |state: &mut State| run(state).unwrap_or_else(|error| Answer::json(error.status, &error.to_array()));
    let answer = match fault {
        Some(Kind::Answer { status, content_type, body, .. }) => Answer::text(status, content_type, body),
        Some(Kind::Edit(edit)) => edited(carry_out(state), &*edit),
        _ => carry_out(state),
    };
    state.data.store.end(answer.status < 400);
    state.subrequests.push(LoggedRequest::new(operation, &request, Some(answer.status)));
    answer
}

/// The body of an answer as a value of the answer around it.
pub(super) fn body_of(answer: &Answer) -> Json {
    let text = String::from_utf8_lossy(&answer.body);
    if text.is_empty() { Json::Null } else { parse::parse(&text).unwrap_or_else(|_| Json::string(text)) }
}
