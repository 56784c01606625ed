//! Several requests in one call: with references, as a batch, as a tree of records, as graphs.

mod batch;
mod graph;
mod packed;
mod reference;
mod subrequest;
mod subresult;
mod tree;

use std::collections::{HashMap, HashSet};
use std::fmt;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

pub use self::batch::CompositeBatch;
pub use self::graph::{CompositeGraph, Graph, GraphResult};
pub use self::packed::MAX_PACKED_RECORDS;
pub use self::reference::Reference;
use self::reference::is_reference_id;
use self::subrequest::Prepared;
pub use self::subrequest::{Subrequest, Target};
pub use self::subresult::Subresult;
use self::subresult::{Asked, WireResult, read_all};
pub use self::tree::{CompositeTree, TreeNode, TreeResult};
use crate::client::{ApiRequest, Client};
use crate::error::{Effect, Error, ErrorKind, Result};

/// Subrequests of a composite or a batch. Source: REST guide, "Send Multiple Requests Using Composite", "Composite Batch".
pub const MAX_SUBREQUESTS: usize = 25;

/// Collections and queries of a composite, all together. Source: REST guide, "Send Multiple Requests Using Composite".
pub const MAX_COLLECTIONS_AND_QUERIES: usize = 5;

/// `collateSubrequests` is there from 48.0 on. Source: REST guide, "Composite Request Body".
const COLLATE_SINCE: u16 = 48;

/// Up to 25 requests in one call, each of which may use values that earlier ones answered with.
///
/// The call counts as one API call, and all of it has to end within 10 minutes. They run in the order in which they were added.
/// [`all_or_none`](Self::all_or_none) undoes everything as soon as one part fails; otherwise only what refers to a failed one is left
/// out.
///
/// ```no_run
/// # async fn run(client: sforce::Client) -> sforce::Result<()> {
/// use sforce::api::{Reference, Subrequest};
/// use sforce::types::{FieldName, Record, SObjectName};
///
/// let account = Record::new().with("Name", "Acme");
/// let contact = Record::new().with("LastName", "Lovelace").with("AccountId", Reference::id_of("account"));
/// let answer = client
///     .composite()
///     .all_or_none()
///     .add("account", Subrequest::create(&SObjectName::from_static("Account"), &account))
///     .add("contact", Subrequest::create(&SObjectName::from_static("Contact"), &contact))
///     .send()
///     .await?
///     .into_result()?;
/// println!("{}", answer.result_of("contact")?.id()?);
/// # Ok(())
/// # }
/// ```
///
/// A text of a record that reads like a reference (`@{…}`) is refused before sending: Salesforce would put another record's value in
/// its place. References are values of type [`Reference`].
///
/// Source: REST API Developer Guide, "Send Multiple Requests Using Composite".
#[derive(Clone)]
#[must_use]
pub struct Composite {
    client: Client,
    /// Where its API is, below the version.
    base: &'static str,
    subrequests: Vec<(String, Subrequest)>,
    all_or_none: bool,
    collate: bool,
}

impl Client {
    /// Up to 25 requests in one call that may refer to one another. Costs one API call.
    pub fn composite(&self) -> Composite {
        Composite::below("", self.clone())
    }
}

impl Composite {
    /// One of an API below the version: of the Tooling API, or of none of its own.
    pub(super) fn below(base: &'static str, client: Client) -> Self {
        Self { client, base, subrequests: Vec::new(), all_or_none: false, collate: false }
    }

    /// Adds a subrequest under a reference id of letters, digits and `_`, a letter or a digit first.
    pub fn add(mut self, reference_id: impl Into<String>, subrequest: Subrequest) -> Self {
        self.subrequests.push((reference_id.into(), subrequest));
        self
    }

    /// Undoes everything if one part fails, a row of a collection included.
    pub fn all_or_none(mut self) -> Self {
        self.all_or_none = true;
        self
    }

    /// Lets Salesforce put unrelated subrequests of one kind together: faster, and in no certain order.
    ///
    /// Off unless asked for, although Salesforce's own default is on from 49.0: an update that follows a create of the same kind of
    /// record would otherwise run before it. Has no effect before 48.0.
    pub fn collate(mut self) -> Self {
        self.collate = true;
        self
    }

    /// Sends it. Costs one API call.
    ///
    /// `Ok` even if every subrequest failed: look at the results, or turn them into one by
    /// [`into_result`](CompositeResponse::into_result). Repeated by itself after a lost answer if each part may be done twice: no
    /// creates, no writes to what a query or a read of the same call has found, no writes under a condition, and no deletions
    /// where one failure undoes all.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] before sending: no subrequests or more than [`MAX_SUBREQUESTS`], more than
    ///   [`MAX_COLLECTIONS_AND_QUERIES`] of these, a reference id that is not well formed or occurs twice, a reference to what does
    ///   not come before, a text that reads like a reference, or what is wrong with a subrequest by itself.
    /// - Any error of [`Client::send`].
    pub async fn send(self) -> Result<CompositeResponse> {
        let (client, base, all_or_none, collate) = (self.client, self.base, self.all_or_none, self.collate);
        let within = |(reference, one): (String, Subrequest)| (reference, one.within(base));
        let prepared = prepare(&client, self.subrequests.into_iter().map(within).collect())?;
        check(&prepared)?;
        let body = Body {
            all_or_none,
            // Explicit, since the default differs by version. The Tooling API has no such thing.
            collate_subrequests: (base.is_empty() && client.api_version().major() >= COLLATE_SINCE).then_some(collate),
            composite_request: wire(base, &prepared)?,
        };
        let operation = if base.is_empty() { "composite" } else { "tooling.composite" };
        let request = ApiRequest::post(operation, format!("{base}/composite"))
            .json(&body)?
            .context("subrequests", prepared.len());
        let request = if is_repeatable(&prepared, all_or_none) { request.idempotent() } else { request };
        let asked: Vec<Asked> = prepared.into_iter().map(|(reference, one)| Asked::of(reference, &one)).collect();
        let answer = client.send(request).await?;
        let wire: WireResponse<'_> = answer.json()?;
        let (results, rolled_back) =
            read_all(&asked, wire.composite_response, &answer.body, all_or_none, answer.repeated)?;
        if results.iter().any(Subresult::tells_congestion) {
            client.congested();
        }
        let references = asked.into_iter().map(|asked| asked.reference).collect();
        Ok(CompositeResponse { references, results, rolled_back })
    }
}

impl fmt::Debug for Composite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Composite")
            .field("subrequests", &self.subrequests)
            .field("all_or_none", &self.all_or_none)
            .field("collate", &self.collate)
            .finish_non_exhaustive()
    }
}

/// The answers to a [`Composite`], in the order of its subrequests.
#[derive(Clone, Debug)]
pub struct CompositeResponse {
    references: Vec<String>,
    results: Vec<Subresult>,
    rolled_back: bool,
}

impl CompositeResponse {
    /// The answer to the subrequest of this reference id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] where there is none.
    pub fn result_of(&self, reference_id: &str) -> Result<&Subresult> {
        let place = self.references.iter().position(|reference| reference == reference_id);
        place.and_then(|place| self.results.get(place)).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "composite", "no subrequest has this reference id")
                .with_context("subrequest", reference_id)
        })
    }

    /// Reference ids and answers, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Subresult)> {
        self.references.iter().map(String::as_str).zip(&self.results)
    }

    /// Whether something failed in a composite of which all or nothing stays: then nothing does.
    #[must_use]
    pub fn is_rolled_back(&self) -> bool {
        self.rolled_back
    }

    /// The first part that failed by its own fault.
    #[must_use]
    pub fn first_error(&self) -> Option<&Error> {
        let mut failed = self.results.iter().filter(|result| !result.is_halted());
        failed.find_map(Subresult::error).or_else(|| self.results.iter().find_map(Subresult::error))
    }

    /// The answers, or the error of the first part that failed by its own fault.
    ///
    /// Rows of collections count only where a failure undoes all.
    ///
    /// # Errors
    ///
    /// [`first_error`](Self::first_error).
    pub fn into_result(self) -> Result<Self> {
        match self.first_error() {
            Some(error) => Err(error.clone()),
            None => Ok(self),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    all_or_none: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    collate_subrequests: Option<bool>,
    composite_request: Vec<WireSubrequest<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireResponse<'a> {
    #[serde(borrow)]
    composite_response: Vec<WireResult<'a>>,
}

/// A subrequest as composites and graphs write it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireSubrequest<'a> {
    method: &'a str,
    url: String,
    reference_id: &'a str,
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    http_headers: HashMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a serde_json::value::RawValue>,
}

type Named = Vec<(String, Prepared)>;

/// Checks each subrequest by itself.
fn prepare(client: &Client, subrequests: Vec<(String, Subrequest)>) -> Result<Named> {
    // Subrequests inherit only the token and the media types, so what holds for all calls of a handle is said to each of them.
    let headers = client.headers();
    let prepare = |(reference, subrequest): (String, Subrequest)| {
        let prepared = subrequest.prepare(client.api_version(), headers);
        match prepared {
            Ok(prepared) => Ok((reference, prepared)),
            Err(error) => Err(error.with_operation("composite").with_context("subrequest", reference)),
        }
    };
    subrequests.into_iter().map(prepare).collect()
}

/// Checks what holds for a composite as a whole.
fn check(prepared: &[(String, Prepared)]) -> Result<()> {
    check_count(prepared.len())?;
    let heavy = prepared.iter().filter(|(_, one)| one.is_heavy()).count();
    if heavy > MAX_COLLECTIONS_AND_QUERIES {
        return Err(invalid("a composite holds up to 5 collections and queries").with_context("collections", heavy));
    }
    check_references(prepared)
}

fn check_count(subrequests: usize) -> Result<()> {
    if (1..=MAX_SUBREQUESTS).contains(&subrequests) {
        return Ok(());
    }
    Err(invalid("a composite or a batch holds 1 to 25 subrequests").with_context("subrequests", subrequests))
}

/// Reference ids are well formed and there once, and each reference leads to what comes before.
fn check_references(prepared: &[(String, Prepared)]) -> Result<()> {
    let mut before: HashSet<&str> = HashSet::new();
    for (reference, one) in prepared {
        let wrong = |message| Err(invalid(message).with_context("subrequest", reference));
        if !is_reference_id(reference) {
            return wrong("a reference id has up to 100 letters, digits and \"_\", a letter or a digit first");
        }
        if one.references.iter().any(|used| !before.contains(used.root())) {
            return wrong("a reference leads to no subrequest before it; reference ids are compared with their case");
        }
        if !before.insert(reference) {
            return wrong("a reference id occurs twice");
        }
    }
    Ok(())
}

/// Whether the whole may be sent again after a lost answer.
fn is_repeatable(prepared: &[(String, Prepared)], all_or_none: bool) -> bool {
    let read: HashSet<&str> =
        prepared.iter().filter(|(_, one)| one.reads()).map(|(reference, _)| reference.as_str()).collect();
    prepared.iter().all(|(_, one)| {
        // What a read finds may have changed by the first attempt.
        let writes_what_was_read = !one.reads() && one.references.iter().any(|used| read.contains(used.root()));
        // A second deletion fails, and would be taken for a reason to undo everything.
        let undoes = all_or_none && one.method == http::Method::DELETE;
        one.idempotent && !writes_what_was_read && !undoes
    })
}

fn wire<'a>(base: &str, prepared: &'a [(String, Prepared)]) -> Result<Vec<WireSubrequest<'a>>> {
    prepared.iter().map(|(reference, one)| wire_one(base, reference, one)).collect()
}

fn wire_one<'a>(base: &str, reference: &'a str, one: &'a Prepared) -> Result<WireSubrequest<'a>> {
    let body = one.body.as_deref().map(serde_json::from_slice).transpose();
    Ok(WireSubrequest {
        method: one.method.as_str(),
        url: format!("/services/data/v{}{base}{}", one.version, one.resource),
        reference_id: reference,
        http_headers: texts(&one.headers),
        body: body.map_err(|error| invalid("the body is not JSON").with_source(error))?,
    })
}

fn texts(headers: &HeaderMap) -> HashMap<&str, &str> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect()
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "composite", message).with_effect(Effect::None)
}

#[cfg(test)]
mod tests;
