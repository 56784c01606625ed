//! What became of one part of a composite, batch or graph.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::subrequest::Prepared;
use crate::api::collections::{DELETE, SaveResult, outcome};
use crate::api::query::Page;
use crate::api::sobjects::{Saved, Upserted, accepted};
use crate::client::{failed_answer, names_lost_reference};
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::types::{RecordId, SObjectDescribe};

/// The answer to one subrequest.
#[derive(Clone)]
pub struct Subresult {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    rows: Option<Vec<SaveResult>>,
    verdict: Verdict,
}

#[derive(Clone, Debug)]
enum Verdict {
    Done,
    /// By its own fault.
    Failed(Error),
    /// Because of another.
    Halted(Error),
}

impl Subresult {
    /// Whether it was carried out and stays so.
    ///
    /// A collection is done once it was answered: look at its [`rows`](Self::rows).
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.verdict, Verdict::Done)
    }

    /// Whether nothing is wrong with it by itself: it was not carried out, or was rolled back, because of another one.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        matches!(self.verdict, Verdict::Halted(_))
    }

    /// Why it was not carried out or does not stay; `None` when it is done.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match &self.verdict {
            Verdict::Done => None,
            Verdict::Failed(error) | Verdict::Halted(error) => Some(error),
        }
    }

    /// The status that Salesforce gave it. In a composite that was rolled back, a collection has 200 all the same.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its headers: `Location` of a record that was written, `ETag` and `Last-Modified` of what was read. None in a batch.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Reads its body as JSON; texts may borrow from it.
    ///
    /// # Errors
    ///
    /// Its own error where it is not done; [`ErrorKind::Decode`] for another shape.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        self.checked()?;
        decode(&self.body)
    }

    /// The id of the record that a create or an upsert wrote.
    ///
    /// # Errors
    ///
    /// Its own error where it is not done; [`ErrorKind::Decode`] where the answer has none.
    pub fn id(&self) -> Result<RecordId> {
        let saved = accepted(self.json::<Saved>()?, "composite")?;
        saved.id.ok_or_else(|| wrong("the answer has no id"))
    }

    /// What an upsert of one record did.
    ///
    /// # Errors
    ///
    /// Its own error where it is not done; [`ErrorKind::Decode`] for another shape.
    pub fn upserted(&self) -> Result<Upserted> {
        self.checked()?;
        if self.status == StatusCode::NO_CONTENT {
            return Ok(Upserted { id: None, created: false });
        }
        let saved = accepted(self.json::<Saved>()?, "composite")?;
        Ok(Upserted { id: saved.id, created: saved.created.unwrap_or(self.status == StatusCode::CREATED) })
    }

    /// The outcomes of a collection's records, in their order. In a composite that was rolled back each has an error.
    ///
    /// # Errors
    ///
    /// Its own error where the collection as a whole was not answered; [`ErrorKind::Invalid`] for what is no collection.
    pub fn rows(&self) -> Result<&[SaveResult]> {
        if let Some(rows) = &self.rows {
            return Ok(rows);
        }
        self.checked()?;
        Err(Error::new(ErrorKind::Invalid, "composite", "this subrequest writes no collection"))
    }

    /// The first page of a query. Its other pages are fetched by [`Client::query_more`](crate::Client::query_more).
    ///
    /// # Errors
    ///
    /// Its own error where it is not done; [`ErrorKind::Decode`] for another shape.
    pub fn page<T: serde::de::DeserializeOwned>(&self) -> Result<Page<T>> {
        self.json::<Page<T>>()?.checked()
    }

    /// The object that a [`describe`](super::Subrequest::describe) was about; `None` where there is none of that name, or the user may
    /// not see it.
    ///
    /// # Errors
    ///
    /// Its own error where it is not done for another reason; [`ErrorKind::Decode`] for another shape.
    pub fn described(&self) -> Result<Option<SObjectDescribe>> {
        match &self.verdict {
            Verdict::Failed(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            _ => {
                let described: SObjectDescribe = self.json()?;
                // A describe is read with whatever it has; one of no object is none.
                if described.name.is_empty() {
                    return Err(wrong("a part of the answer describes no object"));
                }
                Ok(Some(described))
            }
        }
    }

    fn checked(&self) -> Result<()> {
        self.error().cloned().map_or(Ok(()), Err)
    }

    fn halt(&mut self, error: Error) {
        self.verdict = Verdict::Halted(error);
    }

    /// Whether the org refused it for the amount of work.
    pub(super) fn tells_congestion(&self) -> bool {
        let busy = |error: &Error| matches!(error.kind(), ErrorKind::RowLocked | ErrorKind::RateLimited);
        let mut rows = self.rows.iter().flatten().filter_map(|row| row.error.as_ref());
        self.error().is_some_and(busy) || rows.any(busy)
    }
}

impl fmt::Debug for Subresult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subresult({}, {} bytes, {:?})", self.status, self.body.len(), self.verdict)
    }
}

/// An answer as a composite writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireResult<'a> {
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    #[serde(default)]
    http_headers: Option<HashMap<String, serde_json::Value>>,
    http_status_code: u16,
    reference_id: String,
}

/// What the reader of an answer has to know of the subrequest.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) reference: String,
    deletes: bool,
    reads: bool,
    collection: bool,
    /// What each row is called in errors.
    operation: &'static str,
    records: Option<usize>,
    /// Reference ids that it refers to.
    roots: Vec<String>,
}

impl Asked {
    /// A collection of so many records, without references.
    pub(super) fn rows(reference: String, operation: &'static str, records: usize) -> Self {
        let (deletes, reads, collection, roots) = (false, false, true, Vec::new());
        Self { reference, deletes, reads, collection, operation, records: Some(records), roots }
    }

    pub(super) fn of(reference: String, request: &Prepared) -> Self {
        let roots = request.references.iter().map(|reference| reference.root().to_owned()).collect();
        let deletes = request.method == Method::DELETE;
        let collection = request.writes_collection();
        let operation = if collection && deletes { DELETE } else { "composite" };
        Self { reference, deletes, reads: request.reads(), collection, operation, records: request.records, roots }
    }
}

/// An answer to one subrequest, by itself.
pub(super) fn read_one(
    asked: &Asked,
    status: u16,
    headers: HeaderMap,
    body: Bytes,
    repeated: bool,
) -> Result<Subresult> {
    let status = StatusCode::from_u16(status).map_err(|_| wrong("an answer has no status"))?;
    let mut result = Subresult { status, headers, body, rows: None, verdict: Verdict::Done };
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        if asked.collection && status.is_success() {
            let rows: Vec<Saved> = decode(&result.body)?;
            if asked.records.is_some_and(|records| records != rows.len()) {
                return Err(wrong("a collection has another number of results than records were sent"));
            }
            result.rows = Some(rows.into_iter().map(|row| outcome(row, asked.operation, repeated)).collect());
        }
        return Ok(result);
    }
    let error = failed_answer(status, None, &result.body).with_operation(asked.operation);
    let error = if asked.reads { error.with_effect(Effect::None) } else { error };
    // A deletion whose answer was lost finds the record deleted when it is repeated.
    if repeated && asked.deletes && error.has_code("ENTITY_IS_DELETED") {
        return Ok(Subresult { status: StatusCode::NO_CONTENT, body: Bytes::new(), ..result });
    }
    let error = if asked.reference.is_empty() { error } else { error.with_context("subrequest", &asked.reference) };
    let halted = error.has_code("PROCESSING_HALTED") || error.has_code("BATCH_PROCESSING_HALTED");
    result.verdict = if halted { Verdict::Halted(error) } else { Verdict::Failed(error) };
    Ok(result)
}

/// Joins answers to their subrequests, whatever their order, and tells whether all was rolled back.
pub(super) fn read_all(
    asked: &[Asked],
    answers: Vec<WireResult<'_>>,
    whole: &Bytes,
    all_or_none: bool,
    repeated: bool,
) -> Result<(Vec<Subresult>, bool)> {
    let missing = || wrong("the answer has not exactly one result for each subrequest");
    if answers.len() != asked.len() {
        return Err(missing());
    }
    let mut by_reference: HashMap<String, WireResult<'_>> =
        answers.into_iter().map(|answer| (answer.reference_id.clone(), answer)).collect();
    let mut results = Vec::with_capacity(asked.len());
    for asked in asked {
        let answer = by_reference.remove(&asked.reference).ok_or_else(missing)?;
        let body = answer.body.map_or_else(Bytes::new, |body| whole.slice_ref(body.get().as_bytes()));
        let headers = headers(answer.http_headers.unwrap_or_default());
        results.push(read_one(asked, answer.http_status_code, headers, body, repeated)?);
    }
    find_lost_references(asked, &mut results, all_or_none);
    let rolled_back = all_or_none && settle_rollback(asked, &mut results);
    Ok((results, rolled_back))
}

/// A subrequest whose reference leads to no value is halted like those that depend on a failed one. Where nothing that it depends on
/// has failed, it is the one that failed.
fn find_lost_references(asked: &[Asked], results: &mut [Subresult], all_or_none: bool) {
    let failed = results.iter().any(|result| matches!(result.verdict, Verdict::Failed(_)));
    let done: Vec<&str> = asked
        .iter()
        .zip(results.iter())
        .filter(|(_, result)| result.is_done())
        .map(|(asked, _)| asked.reference.as_str())
        .collect();
    let lost = |asked: &Asked, result: &Subresult| {
        let Verdict::Halted(error) = &result.verdict else { return None };
        let depends = if all_or_none { failed } else { !asked.roots.iter().all(|root| done.contains(&root.as_str())) };
        (names_lost_reference(error) && !depends).then(|| {
            Error::new(ErrorKind::NotFound, "composite", "a reference leads to no value")
                .with_salesforce(error.salesforce().to_vec())
                .with_status(result.status.as_u16())
                .with_context("subrequest", &asked.reference)
        })
    };
    let lost: Vec<Option<Error>> =
        asked.iter().zip(results.iter()).map(|(asked, result)| lost(asked, result)).collect();
    for (result, lost) in results.iter_mut().zip(lost) {
        if let Some(error) = lost {
            result.verdict = Verdict::Failed(error);
        }
    }
}

/// Where anything failed, all is undone, whatever the answers say: a collection says `"success":true` and 200 for rows that were
/// rolled back. (REST guide, "allOrNone Parameters in Composite and Collections Requests".)
fn settle_rollback(asked: &[Asked], results: &mut [Subresult]) -> bool {
    let mut refused = results.iter().flat_map(|result| result.rows.iter().flatten()).filter(|row| !row.is_saved());
    if refused.next().is_none() && results.iter().all(Subresult::is_done) {
        return false;
    }
    for (asked, result) in asked.iter().zip(results) {
        let undone = || {
            Error::new(ErrorKind::Conflict, "composite", "rolled back, since another part of the composite failed")
                .with_advice("send it again once what failed is mended")
                .with_context("subrequest", &asked.reference)
        };
        if let Some(rows) = &mut result.rows {
            let own = rows.iter().find_map(|row| row.error.clone());
            for row in rows.iter_mut() {
                // An id of a record that is not there would only mislead.
                (row.id, row.created) = (None, None);
                row.error.get_or_insert_with(undone);
            }
            result.verdict = own.map_or_else(|| Verdict::Halted(undone()), Verdict::Failed);
        } else if result.is_done() {
            // It should have been halted. Of a write that says otherwise nobody knows.
            let effect = if asked.reads { Effect::None } else { Effect::Unknown };
            result.halt(undone().with_effect(effect));
        }
    }
    true
}

fn headers(texts: HashMap<String, serde_json::Value>) -> HeaderMap {
    let header = |(name, value): (String, serde_json::Value)| {
        let value = HeaderValue::from_str(value.as_str()?).ok()?;
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    };
    texts.into_iter().filter_map(header).collect()
}

fn decode<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    // The whole was read as JSON, so what is wrong is the shape; serde's words may quote a value.
    serde_json::from_slice(body).map_err(|_| wrong("a part of the answer is not what the API promises"))
}

fn wrong(message: &'static str) -> Error {
    Error::new(ErrorKind::Decode, "composite", message).with_effect(Effect::Unknown).with_retry(Retry::Never)
}
