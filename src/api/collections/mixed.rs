//! Records of several objects in one collections call.

use serde::Serialize;

use super::body::BodyWriter;
use super::{AllOrNone, DELETE, JSON, SaveResult, check_size, rows};
use crate::client::{ApiRequest, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{RecordId, SObjectName};

/// Runs of one object in a call. Source: REST API Developer Guide, "Using sObject Collections".
const MAX_RUNS: usize = 10;

/// Calls on up to 200 records of several objects.
///
/// Salesforce cuts the records into runs of one object, each of which its triggers see by itself, and takes up to 10 runs. So put
/// records of one object next to each other; this keeps the order they are given in. Records of one object only go by
/// [`Collections`](super::Collections), which can upsert too.
///
/// Results are in the order of the records, one each.
///
/// Source: REST API Developer Guide, "Create Records Using sObject Collections".
#[derive(Clone, Debug)]
pub struct MixedCollections {
    client: Client,
}

impl Client {
    /// Calls on up to 200 records of several objects.
    #[must_use]
    pub fn mixed_collections(&self) -> MixedCollections {
        MixedCollections { client: self.clone() }
    }
}

impl MixedCollections {
    /// Creates records. Costs one API call. Never repeated after a lost answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for no records, more than [`MAX_RECORDS`](super::MAX_RECORDS) or more than 10 runs of
    /// one object; any error of [`Client::send`].
    pub async fn create<T: Serialize + Sync>(
        &self,
        records: &[(SObjectName, T)],
        mode: AllOrNone,
    ) -> Result<Vec<SaveResult>> {
        const OPERATION: &str = "collections.create";
        let request = ApiRequest::post(OPERATION, "/composite/sobjects");
        let records = records.iter().map(|(object, record)| (object, None, record));
        self.save(request, OPERATION, records, mode).await
    }

    /// Changes records by id: the fields that are null or set, and no others. Costs one API call; repeated by itself.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    pub async fn update<T: Serialize + Sync>(
        &self,
        records: &[(SObjectName, RecordId, T)],
        mode: AllOrNone,
    ) -> Result<Vec<SaveResult>> {
        const OPERATION: &str = "collections.update";
        let request = ApiRequest::patch(OPERATION, "/composite/sobjects").idempotent();
        let records = records.iter().map(|(object, id, record)| (object, Some(*id), record));
        self.save(request, OPERATION, records, mode).await
    }

    /// Deletes records by id. Costs one API call; repeated by itself.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create). What run an id belongs to is for Salesforce to see.
    pub async fn delete(&self, ids: &[RecordId], mode: AllOrNone) -> Result<Vec<SaveResult>> {
        check_size(DELETE, ids.len())?;
        self.results(delete_request(ids, mode), DELETE, ids.len()).await
    }

    async fn save<'a, T: Serialize + Sync + 'a>(
        &self,
        request: ApiRequest,
        operation: &'static str,
        records: impl ExactSizeIterator<Item = (&'a SObjectName, Option<RecordId>, &'a T)>,
        mode: AllOrNone,
    ) -> Result<Vec<SaveResult>> {
        let count = records.len();
        check_size(operation, count)?;
        let mut body = BodyWriter::new(operation, mode == AllOrNone::Yes, count);
        let (mut runs, mut last) = (0, None);
        for (object, id, record) in records {
            if last.replace(object) != Some(object) {
                runs += 1;
            }
            body.push(object, id, record, |_| Ok(()))?;
        }
        if runs > MAX_RUNS {
            let message = "a collections call takes up to 10 runs of records of one object";
            return Err(Error::new(ErrorKind::Invalid, operation, message).with_context("runs", runs));
        }
        self.results(request.body(JSON, body.finish()), operation, count).await
    }

    async fn results(&self, request: ApiRequest, operation: &'static str, count: usize) -> Result<Vec<SaveResult>> {
        rows(&self.client.send(request.context("records", count)).await?, operation, count)
    }
}

/// Deletes records by id.
pub(super) fn delete_request(ids: &[RecordId], mode: AllOrNone) -> ApiRequest {
    let list: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
    ApiRequest::delete(DELETE, "/composite/sobjects")
        .query("ids", &list.join(","))
        .query("allOrNone", if mode == AllOrNone::Yes { "true" } else { "false" })
}
