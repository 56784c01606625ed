//! Requests one after the other in one call, each for itself.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::subrequest::{Prepared, Subrequest};
use super::subresult::{Asked, Subresult, read_one};
use super::{check_count, invalid};
use crate::client::{ApiRequest, Client};
use crate::error::{Effect, Error, ErrorKind, Result};

const OPERATION: &str = "composite.batch";

/// The oldest version of a part. Source: REST guide, "Composite Batch".
const OLDEST: u16 = 34;

/// Up to 25 requests in one call, carried out one after the other. Each is saved by itself, and none may refer to another.
///
/// **Each counts as an API call**: it saves round trips, not calls. Options of the client's handle are sent with the call as a whole.
///
/// Source: REST API Developer Guide, "Composite Batch".
#[derive(Clone)]
#[must_use]
pub struct CompositeBatch {
    client: Client,
    subrequests: Vec<Subrequest>,
    halt_on_error: bool,
}

impl Client {
    /// Up to 25 requests in one call, each for itself. Costs one API call for each of them.
    pub fn composite_batch(&self) -> CompositeBatch {
        CompositeBatch { client: self.clone(), subrequests: Vec::new(), halt_on_error: false }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    halt_on_error: bool,
    batch_requests: Vec<WireRequest<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireRequest<'a> {
    method: &'a str,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rich_input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireResponse<'a> {
    #[serde(borrow)]
    results: Vec<WireResult<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireResult<'a> {
    status_code: u16,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
}

impl CompositeBatch {
    /// Adds a request.
    pub fn push(mut self, subrequest: Subrequest) -> Self {
        self.subrequests.push(subrequest);
        self
    }

    /// Leaves out what follows a request that failed. What came before stays.
    pub fn halt_on_error(mut self) -> Self {
        self.halt_on_error = true;
        self
    }

    /// Sends it. Costs one API call for each request in it. The results are in their order.
    ///
    /// `Ok` even if every request failed. Repeated by itself after a lost answer if each part may be done twice: no creates, no
    /// writes under a condition, and no deletions where a failure halts the rest.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] before sending: no requests or more than [`MAX_SUBREQUESTS`](super::MAX_SUBREQUESTS), a reference, a
    ///   header, a collection, a version before 34.0 or after the client's, or what is wrong with a request by itself.
    /// - [`ErrorKind::LimitExceeded`] before sending where the client's budget has too few calls left for all of them.
    /// - Any error of [`Client::send`].
    pub async fn send(self) -> Result<Vec<Subresult>> {
        let (client, halt) = (self.client, self.halt_on_error);
        let mut prepared = Vec::with_capacity(self.subrequests.len());
        for (place, subrequest) in self.subrequests.into_iter().enumerate() {
            let named = |error: Error| error.with_operation(OPERATION).with_context("subrequest", place);
            // The options of the handle go with the call.
            let one = subrequest.prepare(client.api_version(), &HeaderMap::new()).map_err(named)?;
            check(&one, client.api_version().major()).map_err(named)?;
            prepared.push(one);
        }
        check_count(prepared.len()).map_err(|error| error.with_operation(OPERATION))?;
        let batch_requests = prepared.iter().map(wire).collect::<Result<_>>()?;
        let body = Body { halt_on_error: halt, batch_requests };
        let calls = u64::try_from(prepared.len()).unwrap_or(u64::MAX);
        let request = ApiRequest::post(OPERATION, "/composite/batch").json(&body)?.costs(calls);
        let request = request.context("subrequests", prepared.len());
        let may_repeat = |one: &Prepared| one.idempotent && !(halt && one.method == Method::DELETE);
        let request = if prepared.iter().all(may_repeat) { request.idempotent() } else { request };

        let answer = client.send(request).await?;
        let wire: WireResponse<'_> = answer.json()?;
        if wire.results.len() != prepared.len() {
            let message = "the answer has another number of results than requests were sent";
            return Err(Error::new(ErrorKind::Decode, OPERATION, message).with_effect(Effect::Unknown));
        }
        let read = |(one, result): (&Prepared, WireResult<'_>)| {
            let body = result.result.map_or_else(Bytes::new, |body| answer.body.slice_ref(body.get().as_bytes()));
            let asked = Asked::of(String::new(), one);
            read_one(&asked, result.status_code, HeaderMap::new(), body, answer.repeated)
        };
        let results: Vec<Subresult> = prepared.iter().zip(wire.results).map(read).collect::<Result<_>>()?;
        if results.iter().any(Subresult::tells_congestion) {
            client.congested();
        }
        Ok(results)
    }
}

fn check(one: &Prepared, version: u16) -> Result<()> {
    if !one.headers.is_empty() {
        return Err(invalid("the requests of a batch have no headers of their own"));
    }
    if !one.references.is_empty() {
        return Err(invalid("the requests of a batch do not refer to one another"));
    }
    if one.resource.starts_with("/composite") {
        return Err(invalid("a batch holds no composites and no collections"));
    }
    if !(OLDEST..=version).contains(&one.version.major()) {
        return Err(invalid("the version of a request in a batch is 34.0 to that of the batch"));
    }
    Ok(())
}

fn wire(one: &Prepared) -> Result<WireRequest<'_>> {
    let body = one.body.as_deref().map(serde_json::from_slice).transpose();
    Ok(WireRequest {
        method: one.method.as_str(),
        url: format!("v{}{}", one.version, one.resource),
        rich_input: body.map_err(|error| invalid("the body is not JSON").with_source(error))?,
    })
}

impl fmt::Debug for CompositeBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompositeBatch")
            .field("subrequests", &self.subrequests)
            .field("halt_on_error", &self.halt_on_error)
            .finish_non_exhaustive()
    }
}
