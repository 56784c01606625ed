//! Up to 200 records in one call, one outcome each.

mod body;
mod mixed;

use http::HeaderValue;
use serde::Serialize;

pub(crate) use self::body::key_of;
pub(super) use self::body::{BodyWriter, Keys};
pub use self::mixed::MixedCollections;
use self::mixed::delete_request;
use super::sobjects::Saved;
use crate::client::{ApiRequest, ApiResponse, Client, record_error};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::types::{FieldName, Record, RecordId, SObjectName};

/// Records per call. Source: REST API Developer Guide, "Using sObject Collections".
pub const MAX_RECORDS: usize = 200;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) const DELETE: &str = "collections.delete";

/// Whether one refused record undoes the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AllOrNone {
    /// Each record stands for itself.
    #[default]
    No,
    /// All are saved or none.
    Yes,
}

/// The outcome of one record.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SaveResult {
    /// The record's id; `None` for a create that failed.
    pub id: Option<RecordId>,
    /// Whether an upsert created it; `None` for other calls and for failed records.
    pub created: Option<bool>,
    /// Why it was refused; `None` when it was saved.
    pub error: Option<Error>,
}

impl SaveResult {
    /// Whether the record was saved.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.error.is_none()
    }
}

/// Calls on up to 200 records of one object.
///
/// Results are in the order of the records, one each. With [`AllOrNone::No`] a refused record does not affect the others, so
/// look at every result: the call is `Ok` even if all records were refused.
///
/// Source: REST API Developer Guide, "Using sObject Collections" (API 42.0 and later; upsert 46.0 and later).
#[derive(Clone, Debug)]
pub struct Collections {
    pub(super) client: Client,
    pub(super) object: SObjectName,
}

/// How records that are JSON already are written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum JsonWrite<'a> {
    Create,
    Update,
    Upsert(&'a FieldName),
}

impl Client {
    /// Calls on up to 200 records of one object.
    #[must_use]
    pub fn collections(&self, object: SObjectName) -> Collections {
        Collections { client: self.clone(), object }
    }
}

impl Collections {
    /// Creates records. Costs one API call. Never repeated after a lost answer; prefer [`upsert`](Self::upsert).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for no records or more than [`MAX_RECORDS`]; any error of [`Client::send`].
    pub async fn create<T: Serialize + Sync>(&self, records: &[T], mode: AllOrNone) -> Result<Vec<SaveResult>> {
        let request = ApiRequest::post("collections.create", "/composite/sobjects");
        self.save(request, "collections.create", records.iter().map(|record| (None, record)), mode).await
    }

    /// Changes records by id: the fields that are null or set, and no others. Costs one API call; repeated by itself.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    pub async fn update<T: Serialize + Sync>(
        &self,
        records: &[(RecordId, T)],
        mode: AllOrNone,
    ) -> Result<Vec<SaveResult>> {
        let request = ApiRequest::patch("collections.update", "/composite/sobjects").idempotent();
        self.save(request, "collections.update", records.iter().map(|(id, record)| (Some(*id), record)), mode).await
    }

    /// Creates or updates records, matched by an external id field that each record holds as a text or a number.
    ///
    /// Costs one API call. Repeated by itself after a lost answer or a 503: an upsert by external id is idempotent. A row
    /// lock is not repeated here; it is the result of the record that met it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending: no records, more than [`MAX_RECORDS`], a record without the external id, or one
    /// that occurs twice. [`ErrorKind::LimitExceeded`] if the org has used up its API calls of 24 hours. Any error of
    /// [`Client::send`]; [`Error::effect`] tells whether records may have been written.
    pub async fn upsert<T: Serialize + Sync>(
        &self,
        key: &FieldName,
        records: &[T],
        mode: AllOrNone,
    ) -> Result<Vec<SaveResult>> {
        const OPERATION: &str = "collections.upsert";
        self.check_size(OPERATION, records.len())?;
        let mut body = BodyWriter::new(OPERATION, mode == AllOrNone::Yes, records.len());
        let mut keys = Keys::new(key, records.len());
        for record in records {
            let named = |error: Error| error.with_operation(OPERATION).with_context("object", &self.object);
            body.push(&self.object, None, record, |json| keys.check(json).map_err(named))?;
        }
        let path = format!("/composite/sobjects/{}/{key}", self.object);
        let request = ApiRequest::patch(OPERATION, path).idempotent().body(JSON, body.finish());
        self.results(request, OPERATION, records.len()).await
    }

    /// Writes records that are JSON objects already; keys were looked at by the caller.
    pub(crate) async fn write_json<'a>(
        &self,
        what: JsonWrite<'_>,
        records: impl ExactSizeIterator<Item = (Option<RecordId>, &'a str)>,
    ) -> Result<Vec<SaveResult>> {
        let (operation, request) = match what {
            JsonWrite::Create => ("collections.create", ApiRequest::post("collections.create", "/composite/sobjects")),
            JsonWrite::Update => {
                ("collections.update", ApiRequest::patch("collections.update", "/composite/sobjects").idempotent())
            }
            JsonWrite::Upsert(key) => {
                let path = format!("/composite/sobjects/{}/{key}", self.object);
                ("collections.upsert", ApiRequest::patch("collections.upsert", path).idempotent())
            }
        };
        let count = records.len();
        self.check_size(operation, count)?;
        let mut body = BodyWriter::new(operation, false, count);
        for (id, json) in records {
            body.push_json(&self.object, id, json);
        }
        self.results(request.body(JSON, body.finish()), operation, count).await
    }

    /// Deletes records by id. Costs one API call; repeated by itself.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    pub async fn delete(&self, ids: &[RecordId], mode: AllOrNone) -> Result<Vec<SaveResult>> {
        self.check_size(DELETE, ids.len())?;
        self.results(delete_request(ids, mode), DELETE, ids.len()).await
    }

    /// Reads records by id. The list is in the order of the ids, with `None` for what does not exist or is hidden. Costs
    /// one API call for up to 2,000 ids.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for no ids, no fields or over 2,000 ids; any error of [`Client::send`].
    pub async fn get(&self, ids: &[RecordId], fields: &[FieldName]) -> Result<Vec<Option<Record>>> {
        const OPERATION: &str = "collections.get";
        #[derive(Serialize)]
        struct Wanted<'a> {
            ids: &'a [RecordId],
            fields: &'a [FieldName],
        }
        if ids.is_empty() || ids.len() > 2000 || fields.is_empty() {
            return Err(self.invalid(OPERATION, "give 1 to 2,000 ids and at least one field"));
        }
        // A POST that only reads.
        let request = ApiRequest::post(OPERATION, format!("/composite/sobjects/{}", self.object)).idempotent();
        let request = request.json(&Wanted { ids, fields })?.context("object", &self.object);
        let records: Vec<Option<Record>> = self.client.send(request).await?.json()?;
        let named = |error: Error| error.with_context("object", &self.object);
        check_count(OPERATION, ids.len(), records.len()).map_err(named)?;
        Ok(records)
    }

    async fn save<'a, T: Serialize + Sync + 'a>(
        &self,
        request: ApiRequest,
        operation: &'static str,
        records: impl ExactSizeIterator<Item = (Option<RecordId>, &'a T)>,
        mode: AllOrNone,
    ) -> Result<Vec<SaveResult>> {
        let count = records.len();
        self.check_size(operation, count)?;
        let mut body = BodyWriter::new(operation, mode == AllOrNone::Yes, count);
        for (id, record) in records {
            body.push(&self.object, id, record, |_| Ok(()))?;
        }
        self.results(request.body(JSON, body.finish()), operation, count).await
    }

    pub(super) async fn results(
        &self,
        request: ApiRequest,
        operation: &'static str,
        count: usize,
    ) -> Result<Vec<SaveResult>> {
        let request = request.context("object", &self.object);
        let named = |error: Error| error.with_context("object", &self.object);
        let answer = self.client.send(request.context("records", count)).await?;
        rows(&answer, operation, count).map_err(named)
    }

    fn check_size(&self, operation: &'static str, count: usize) -> Result<()> {
        check_size(operation, count).map_err(|error| error.with_context("object", &self.object))
    }

    pub(super) fn invalid(&self, operation: &'static str, message: &'static str) -> Error {
        Error::new(ErrorKind::Invalid, operation, message).with_context("object", &self.object)
    }
}

fn check_size(operation: &'static str, count: usize) -> Result<()> {
    if (1..=MAX_RECORDS).contains(&count) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, operation, "a collections call takes 1 to 200 records")
        .with_context("records", count))
}

fn check_count(operation: &'static str, asked: usize, answered: usize) -> Result<()> {
    if asked == answered {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Decode, operation, "the answer has another number of results than records were sent")
        .with_effect(Effect::Unknown)
        .with_context("records", asked)
        .with_context("results", answered))
}

/// The outcomes of an answer. The status is 200 even when every record was refused.
fn rows(answer: &ApiResponse, operation: &'static str, count: usize) -> Result<Vec<SaveResult>> {
    let rows: Vec<Saved> = answer.json()?;
    check_count(operation, count, rows.len())?;
    Ok(rows.into_iter().map(|row| outcome(row, operation, answer.repeated)).collect())
}

pub(super) fn outcome(row: Saved, operation: &'static str, repeated: bool) -> SaveResult {
    let Saved { id, success, errors, created } = row;
    let error = (!success).then(|| record_error(operation, errors.0));
    // A deletion whose answer was lost finds the record deleted when it is repeated.
    let error = error.filter(|error| !(repeated && operation == DELETE && error.has_code("ENTITY_IS_DELETED")));
    // The attempt before may have written it, whatever the last one says.
    let error = error.map(|error| if repeated { error.with_effect(Effect::Unknown) } else { error });
    SaveResult { id, created: created.filter(|_| success), error }
}
