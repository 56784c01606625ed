//! Reads only if something changed, and writes only if nothing did.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::composite::{Subrequest, Subresult};
use super::http_date;
use super::sobjects::{SObjectApi, with_fields};
use crate::client::{ApiRequest, ApiResponse, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{DescribeGlobal, FieldName, RecordId, SObjectDescribe, SObjectName, Timestamp};

/// What was read, and which state of it that was.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot<T> {
    /// What was read.
    pub value: T,
    /// When it was changed last, in whole seconds.
    pub last_modified: Option<Timestamp>,
    /// The tag of this state. Of records only those of Account have one.
    pub etag: Option<ETag>,
}

/// The tag of one state of a record, as Salesforce wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(HeaderValue);

impl ETag {
    /// Reads a tag that was written down.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a text that cannot stand in a header.
    pub fn new(tag: &str) -> Result<Self> {
        let invalid = || Error::new(ErrorKind::Invalid, "", "not an entity tag");
        let value = HeaderValue::from_str(tag).map_err(|_| invalid())?;
        if value.to_str().is_ok_and(|tag| !tag.trim().is_empty()) { Ok(Self(value)) } else { Err(invalid()) }
    }

    /// The tag with its quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<T> Snapshot<T> {
    /// `None` for a 304: nothing has changed.
    fn of(answer: &ApiResponse) -> Result<Option<Self>>
    where
        T: DeserializeOwned,
    {
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        Ok(Some(Self::stamped(answer.json()?, &answer.headers)))
    }

    /// The same of a part of a composite.
    fn of_part(part: &Subresult) -> Result<Option<Self>>
    where
        T: DeserializeOwned,
    {
        if part.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        Ok(Some(Self::stamped(part.json()?, part.headers())))
    }

    fn stamped(value: T, headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            value,
            last_modified: text(header::LAST_MODIFIED).and_then(http_date::read),
            etag: text(header::ETAG).and_then(|tag| ETag::new(tag).ok()),
        }
    }
}

/// The only object whose rows have tags. Source: REST API Developer Guide, "Conditional Request Headers".
const TAGGED: &str = "Account";

impl<T> SObjectApi<T> {
    /// Reads a record as [`get`](Self::get) does, with the date and, for an account, the tag of this state of it. Costs one API call.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn get_snapshot(&self, id: RecordId, fields: &[FieldName]) -> Result<Snapshot<T>>
    where
        T: DeserializeOwned,
    {
        let answer = self.send(self.read(id, fields)).await?;
        Snapshot::of(&answer)?.ok_or_else(|| Error::new(ErrorKind::Decode, "sobjects.get", "the answer has no record"))
    }

    /// Reads a record if it was changed after `since`; `None` if it was not. Costs one API call.
    ///
    /// Salesforce compares whole seconds with the record's `LastModifiedDate`: a second change within the second of `since` is not
    /// told, so ask with a time before it where that matters.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    ///
    /// Source: REST API Developer Guide, "Conditional Request Headers".
    pub async fn get_if_modified_since(
        &self,
        id: RecordId,
        fields: &[FieldName],
        since: Timestamp,
    ) -> Result<Option<Snapshot<T>>>
    where
        T: DeserializeOwned,
    {
        let request = dated(self.read(id, fields), header::IF_MODIFIED_SINCE, since).conditional();
        Snapshot::of(&self.send(request).await?)
    }

    /// Reads an account if it is no longer in the state of `etag`; `None` if it is. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for any object but Account: rows of others have no tags. As for [`get`](Self::get).
    ///
    /// Source: REST API Developer Guide, "Conditional Request Headers".
    pub async fn get_if_none_match(
        &self,
        id: RecordId,
        fields: &[FieldName],
        etag: &ETag,
    ) -> Result<Option<Snapshot<T>>>
    where
        T: DeserializeOwned,
    {
        self.check_tagged("sobjects.get")?;
        let request = self.read(id, fields).header(header::IF_NONE_MATCH, etag.0.clone()).conditional();
        Snapshot::of(&self.send(request).await?)
    }

    /// Changes a record as [`update`](Self::update) does, if nobody has changed it after `since`. Costs one API call.
    ///
    /// Salesforce compares whole seconds with the record's `LastModifiedDate`: a change within the second of `since` goes unnoticed.
    /// Not repeated after a lost answer: what the lost attempt has written would be taken for somebody else's change.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when it was changed meanwhile; nothing is written then. As for [`update`](Self::update).
    ///
    /// Source: REST API Developer Guide, "Conditional Request Headers".
    pub async fn update_if_unmodified_since(&self, id: RecordId, record: &T, since: Timestamp) -> Result<()>
    where
        T: Serialize + Sync,
    {
        self.send(dated(self.change(id), header::IF_UNMODIFIED_SINCE, since).json(record)?).await.map(drop)
    }

    /// Changes an account if it is still in the state of `etag`. Costs one API call; not repeated after a lost answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when it was changed meanwhile; nothing is written then. [`ErrorKind::Invalid`] before sending for any
    /// object but Account, since Salesforce would ignore the tag and write. As for [`update`](Self::update).
    ///
    /// Source: REST API Developer Guide, "Conditional Request Headers".
    pub async fn update_if_match(&self, id: RecordId, record: &T, etag: &ETag) -> Result<()>
    where
        T: Serialize + Sync,
    {
        self.check_tagged("sobjects.update")?;
        self.send(self.change(id).header(header::IF_MATCH, etag.0.clone()).json(record)?).await.map(drop)
    }

    fn read(&self, id: RecordId, fields: &[FieldName]) -> ApiRequest {
        with_fields(ApiRequest::get("sobjects.get", format!("/sobjects/{}/{id}", self.object)), fields)
    }

    fn change(&self, id: RecordId) -> ApiRequest {
        ApiRequest::patch("sobjects.update", format!("/sobjects/{}/{id}", self.object))
    }

    fn check_tagged(&self, operation: &'static str) -> Result<()> {
        if self.object.as_str().eq_ignore_ascii_case(TAGGED) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Invalid, operation, "only rows of Account have tags")
            .with_context("object", &self.object)
            .with_advice("compare by the date of the last change instead"))
    }
}

impl Client {
    /// As [`describe_global`](Self::describe_global), if it has changed after `since`; `None` if it has not. `None` for `since` reads it
    /// anyway. Costs one API call.
    ///
    /// For a cache: ask with [`last_modified`](Snapshot::last_modified) of what is in it. Whether a change of the user's rights counts
    /// as a change is not documented, so read it anew after one.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Conditional Request Headers".
    pub async fn describe_global_if_modified_since(
        &self,
        since: Option<Timestamp>,
    ) -> Result<Option<Snapshot<DescribeGlobal>>> {
        self.revalidate(ApiRequest::get("describe.global", "/sobjects"), since).await
    }

    /// As [`describe`](Self::describe), if the object has changed after `since`, in the way of
    /// [`describe_global_if_modified_since`](Self::describe_global_if_modified_since).
    ///
    /// # Errors
    ///
    /// As for [`describe`](Self::describe).
    pub async fn describe_if_modified_since(
        &self,
        object: &SObjectName,
        since: Option<Timestamp>,
    ) -> Result<Option<Snapshot<SObjectDescribe>>> {
        let request = ApiRequest::get("describe", format!("/sobjects/{object}/describe")).context("object", object);
        self.revalidate(request, since).await
    }

    /// Describes up to 25 objects in one call, in their order, each if it has changed after its date; `None` reads it anyway, as
    /// for [`describe_if_modified_since`](Self::describe_if_modified_since). Costs one API call, and as much of an answer as the describes
    /// have together: a large object has a megabyte.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for no objects or more than 25; any error of [`Client::send`]. Of one object:
    /// [`ErrorKind::NotFound`] where it does not exist or is hidden.
    ///
    /// Source: REST API Developer Guide, "Send Multiple Requests Using Composite"; an unchanged part answers 304 (recorded).
    pub async fn describe_many(
        &self,
        objects: &[(SObjectName, Option<Timestamp>)],
    ) -> Result<Vec<Result<Option<Snapshot<SObjectDescribe>>>>> {
        let reference = |index: usize| format!("object{index}");
        let mut composite = self.composite();
        for (index, (object, since)) in objects.iter().enumerate() {
            let part = Subrequest::new(Method::GET, format!("/sobjects/{object}/describe"));
            let part = match since.and_then(date_header) {
                Some(date) => part.header(header::IF_MODIFIED_SINCE, date),
                None => part,
            };
            composite = composite.add(reference(index), part);
        }
        let answer = composite.send().await?;
        let read = |(index, (object, _)): (usize, &(SObjectName, Option<Timestamp>))| {
            let named = |error: Error| error.with_context("object", object);
            Snapshot::of_part(answer.result_of(&reference(index)).map_err(named)?).map_err(named)
        };
        Ok(objects.iter().enumerate().map(read).collect())
    }

    async fn revalidate<T: DeserializeOwned>(
        &self,
        request: ApiRequest,
        since: Option<Timestamp>,
    ) -> Result<Option<Snapshot<T>>> {
        let request = match since {
            Some(since) => dated(request, header::IF_MODIFIED_SINCE, since).conditional(),
            None => request,
        };
        Snapshot::of(&self.send(request).await?)
    }
}

fn dated(request: ApiRequest, name: HeaderName, at: Timestamp) -> ApiRequest {
    match date_header(at) {
        Some(value) => request.header(name, value),
        None => request,
    }
}

fn date_header(at: Timestamp) -> Option<HeaderValue> {
    // A date is letters, digits, commas, colons and blanks.
    HeaderValue::from_str(&http_date::write(at)).ok()
}
