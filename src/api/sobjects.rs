//! Single records: create, get, update, delete, upsert.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::client::{ApiRequest, Client, RecordErrors, record_error};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::types::{ExternalId, FieldName, Record, RecordId, SObject, SObjectName};

/// Records of one object, typed or dynamic.
pub struct SObjectApi<T = Record> {
    pub(super) client: Client,
    pub(super) object: SObjectName,
    /// Where its API is, below the version.
    base: &'static str,
    record: PhantomData<fn() -> T>,
}

/// What an upsert did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upserted {
    /// The record. `None` for an update in API 45.0 and before, whose answer has no body.
    pub id: Option<RecordId>,
    /// Whether the record is new.
    pub created: bool,
}

/// What became of a record, alone or in a row of a collection.
#[derive(Deserialize)]
pub(super) struct Saved {
    #[serde(default)]
    pub(super) id: Option<RecordId>,
    pub(super) success: bool,
    #[serde(default)]
    pub(super) errors: RecordErrors,
    #[serde(default)]
    pub(super) created: Option<bool>,
}

impl Client {
    /// Typed records of one object.
    #[must_use]
    pub fn sobject<T: SObject>(&self) -> SObjectApi<T> {
        SObjectApi::below("", self.clone(), T::NAME)
    }

    /// Dynamic records of one object.
    #[must_use]
    pub fn records(&self, object: SObjectName) -> SObjectApi<Record> {
        SObjectApi::below("", self.clone(), object)
    }

    /// Records of one object that are JSON already.
    pub(crate) fn json_records(&self, object: SObjectName) -> SObjectApi<Box<RawValue>> {
        SObjectApi::below("", self.clone(), object)
    }
}

impl<T> SObjectApi<T> {
    /// Records of an API below the version: of the Tooling API, or of none of its own.
    pub(super) fn below(base: &'static str, client: Client, object: SObjectName) -> Self {
        Self { client, object, base, record: PhantomData }
    }

    fn path(&self) -> String {
        format!("{}/sobjects/{}", self.base, self.object)
    }

    /// Creates a record. Costs one API call.
    ///
    /// Never repeated after a lost answer: the record may exist then, and [`Error::effect`] says so. Prefer
    /// [`upsert`](Self::upsert), which may be repeated.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Create a Record".
    pub async fn create(&self, record: &T) -> Result<RecordId>
    where
        T: Serialize + Sync,
    {
        let request = ApiRequest::post("sobjects.create", self.path());
        let saved: Saved = self.send(request.json(record)?).await?.json()?;
        let saved = accepted(saved, "sobjects.create")?;
        saved.id.ok_or_else(|| {
            Error::new(ErrorKind::Decode, "sobjects.create", "the answer has no id").with_effect(Effect::Unknown)
        })
    }

    /// Reads a record, all fields if `fields` is empty. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for a record that does not exist, is deleted or hidden; any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Get Field Values from a Standard Object Record".
    pub async fn get(&self, id: RecordId, fields: &[FieldName]) -> Result<T>
    where
        T: DeserializeOwned,
    {
        let request = ApiRequest::get("sobjects.get", format!("{}/{id}", self.path()));
        self.send(with_fields(request, fields)).await?.json()
    }

    /// Changes the fields that are null or set, and no others. Costs one API call; repeated by itself.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Update a Record".
    pub async fn update(&self, id: RecordId, record: &T) -> Result<()>
    where
        T: Serialize + Sync,
    {
        let request = ApiRequest::patch("sobjects.update", format!("{}/{id}", self.path())).idempotent();
        self.send(request.json(record)?).await.map(drop)
    }

    /// Deletes a record. Costs one API call; repeated by itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for a record that does not exist or was deleted before; any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Delete a Record".
    pub async fn delete(&self, id: RecordId) -> Result<()> {
        match self.send(ApiRequest::delete("sobjects.delete", format!("{}/{id}", self.path()))).await {
            // An attempt whose answer was lost has deleted it.
            Err(error) if error.has_code("ENTITY_IS_DELETED") && error.effect() == Effect::Unknown => Ok(()),
            other => other.map(drop),
        }
    }

    /// Creates the record or changes the one that has this external id. Costs one API call; repeated by itself.
    ///
    /// The record holds neither the external id field nor `Id`. After a repetition `created` may be false for a record
    /// that the first, lost attempt created.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for a blank value; [`ErrorKind::Duplicate`] when several records have it; any
    /// error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Insert or Update (Upsert) a Record Using an External ID".
    pub async fn upsert(&self, key: &ExternalId, record: &T) -> Result<Upserted>
    where
        T: Serialize + Sync,
    {
        self.save_by(self.by_key(key)?, record).await
    }

    /// Changes the record that has this external id, and creates none. Costs one API call; repeated by itself.
    ///
    /// The record holds neither the external id field nor `Id`. The key may be any field with `externalId` or `idLookup`, `Id` among
    /// them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when no record has it; otherwise as for [`upsert`](Self::upsert).
    ///
    /// Source: REST API Developer Guide, "sObject Rows by External ID", `updateOnly`.
    pub async fn update_by_key(&self, key: &ExternalId, record: &T) -> Result<Upserted>
    where
        T: Serialize + Sync,
    {
        self.save_by(self.by_key(key)?.query("updateOnly", "true"), record).await
    }

    fn by_key(&self, key: &ExternalId) -> Result<ApiRequest> {
        if key.value.trim().is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "sobjects.upsert", "the external id is blank"));
        }
        let path = format!("{}/{}", self.path(), key.field);
        Ok(ApiRequest::patch("sobjects.upsert", path).segment(&key.value).idempotent())
    }

    async fn save_by(&self, request: ApiRequest, record: &T) -> Result<Upserted>
    where
        T: Serialize + Sync,
    {
        let answer = self.send(request.json(record)?).await?;
        if answer.status == http::StatusCode::NO_CONTENT {
            return Ok(Upserted { id: None, created: false });
        }
        let created = answer.status == http::StatusCode::CREATED;
        let saved = accepted(answer.json::<Saved>()?, "sobjects.upsert")?;
        Ok(Upserted { id: saved.id, created: saved.created.unwrap_or(created) })
    }

    pub(super) async fn send(&self, request: ApiRequest) -> Result<crate::client::ApiResponse> {
        self.client.send(request.context("object", &self.object)).await
    }
}

/// Asks for these fields only; for all if there are none.
pub(super) fn with_fields(request: ApiRequest, fields: &[FieldName]) -> ApiRequest {
    if fields.is_empty() {
        return request;
    }
    let names: Vec<&str> = fields.iter().map(FieldName::as_str).collect();
    request.query("fields", &names.join(","))
}

pub(super) fn accepted(saved: Saved, operation: &'static str) -> Result<Saved> {
    if saved.success { Ok(saved) } else { Err(record_error(operation, saved.errors.0)) }
}

impl<T> Clone for SObjectApi<T> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), object: self.object.clone(), base: self.base, record: PhantomData }
    }
}

impl<T> fmt::Debug for SObjectApi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SObjectApi").field("object", &self.object).finish_non_exhaustive()
    }
}
