//! Text searches over several objects.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::client::{ApiRequest, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldName, Record, SObject, SObjectName, SearchGroup, Sosl, encode};

/// Rows of one search, in all. Source: SOSL reference, "LIMIT n".
const MAX_ROWS: usize = 2_000;

/// Longest statement in an address, which may have 16,384 bytes in all. Source: REST API Developer Guide, "Status Codes".
const MAX_ENCODED: usize = 15_000;

/// The records of a search, of several objects.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The records, object by object in the order of the statement; each says its [object](Record::object_name).
    pub records: Vec<Record>,
}

impl Found {
    /// The records of one object.
    pub fn of<'a>(&'a self, object: &'a SObjectName) -> impl Iterator<Item = &'a Record> {
        let same = |name: &str| name.eq_ignore_ascii_case(object.as_str());
        self.records.iter().filter(move |record| record.object_name().is_some_and(same))
    }

    /// The records of one object as a type.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] naming the field when a record does not fit the type.
    pub fn typed<T: SObject + DeserializeOwned>(&self) -> Result<Vec<T>> {
        self.of(&T::NAME).map(Record::to_typed).collect()
    }

    /// Whether there are as many records as an answer can have, so that there may be more in the org.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.records.len() >= MAX_ROWS
    }
}

/// The answer: an object, and up to API 36.0 the bare list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    search_records: Vec<Record>,
}

impl Client {
    /// Searches for texts by SOSL. Costs one API call, or none where the statement cannot find anything.
    ///
    /// At most 2,000 records, whatever the statement says. Salesforce finds what its index has, which comes after the saving. To know
    /// whether a record is there, query.
    ///
    /// ```no_run
    /// use sforce::types::{SObjectName, SearchGroup, Soql, Sosl};
    ///
    /// # async fn run(client: sforce::Client) -> sforce::Result<()> {
    /// let sosl = Sosl::find("Acme")
    ///     .within(SearchGroup::NameFields)
    ///     .returning(Soql::select(["Id", "Name"]).from("Account"))
    ///     .returning(Soql::select(["Id", "Email"]).from("Contact").limit(10))
    ///     .build()?;
    /// let found = client.search(sosl).await?;
    /// for account in found.of(&SObjectName::from_static("Account")) {
    ///     println!("{}", account.text("Name").unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for a statement that fits no address, of some 15,000 bytes; any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Search"; SOSL reference.
    pub async fn search(&self, sosl: impl Into<Sosl>) -> Result<Found> {
        let sosl: Sosl = sosl.into();
        if sosl.matches_nothing() {
            return Ok(Found::default());
        }
        if encode(sosl.as_str()).len() > MAX_ENCODED {
            return Err(Error::new(ErrorKind::Invalid, "search", "the statement is too long for an address")
                .with_advice("look for fewer words, or filter by a query"));
        }
        self.found(ApiRequest::get("search", "/search").query("q", sosl.as_str())).await
    }

    /// As [`search`](Self::search), as a fused stream of records of one type, or [`Record`]s of any object: in the order of the statement.
    ///
    /// An answer has no pages, so memory holds all its records, 2,000 at most. A record that does not fit the type is an error, and
    /// the others follow. Costs one API call.
    pub fn search_stream<T: DeserializeOwned + Send + 'static>(
        &self,
        sosl: impl Into<Sosl>,
    ) -> BoxStream<'static, Result<T>> {
        let (client, sosl) = (self.clone(), sosl.into());
        let found = stream::once(async move { client.search(sosl).await });
        let each = |found: Result<Found>| match found {
            Ok(found) => stream::iter(found.records).map(|record| record.to_typed()).left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        };
        found.flat_map(each).fuse().boxed()
    }

    /// Searches for words without SOSL: operators and quotes are the words' own. Costs one API call; at most 2,000 records.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending without words; any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "Search with Parameters in the Request Body" (API 36.0 and later).
    pub async fn parameterized_search(&self, search: &ParameterizedSearch) -> Result<Found> {
        if search.q.trim().is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "search.parameterized", "there is nothing to look for"));
        }
        // A search changes nothing, although it is a POST.
        self.found(ApiRequest::post("search.parameterized", "/parameterizedSearch").idempotent().json(search)?).await
    }

    async fn found(&self, request: ApiRequest) -> Result<Found> {
        let answer = self.send(request).await?;
        let records = if answer.body.trim_ascii_start().starts_with(b"[") {
            answer.json()?
        } else {
            answer.json::<Answer>()?.search_records
        };
        Ok(Found { records })
    }
}

/// A search without SOSL, for [`Client::parameterized_search`].
///
/// ```
/// use sforce::api::{ParameterizedSearch, SearchScope};
/// use sforce::types::{FieldName, SObjectName, SearchGroup};
///
/// let search = ParameterizedSearch::new("acme")
///     .within(SearchGroup::NameFields)
///     .overall_limit(100)
///     .object(SearchScope::new(SObjectName::from_static("Account")).fields([FieldName::from_static("Name")]).limit(20))
///     .object(SearchScope::new(SObjectName::from_static("Contact")));
/// # let _ = search;
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct ParameterizedSearch {
    q: String,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    group: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overall_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spell_correction: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sobjects: Vec<SearchScope>,
}

impl ParameterizedSearch {
    /// A search for these words in all objects.
    pub fn new(words: impl Into<String>) -> Self {
        Self {
            q: words.into(),
            group: None,
            fields: Vec::new(),
            default_limit: None,
            overall_limit: None,
            spell_correction: None,
            sobjects: Vec::new(),
        }
    }

    /// Searches these fields only.
    pub fn within(mut self, group: SearchGroup) -> Self {
        self.group = Some(group.word());
        self
    }

    /// Searches this object, among others that are named.
    pub fn object(mut self, scope: SearchScope) -> Self {
        self.sobjects.push(scope);
        self
    }

    /// Sets the fields that are returned for objects that name none themselves; needs an object.
    pub fn fields(mut self, fields: impl IntoIterator<Item = FieldName>) -> Self {
        self.fields = fields.into_iter().collect();
        self
    }

    /// Sets how many records of each object are returned at most, where the object does not say it; needs an object.
    pub fn default_limit(mut self, rows: u32) -> Self {
        self.default_limit = Some(rows);
        self
    }

    /// Sets how many records are returned at most, of all objects together.
    pub fn overall_limit(mut self, rows: u32) -> Self {
        self.overall_limit = Some(rows);
        self
    }

    /// Whether words that find nothing are corrected and searched again; Salesforce does unless told otherwise.
    pub fn spell_correction(mut self, correct: bool) -> Self {
        self.spell_correction = Some(correct);
        self
    }
}

/// One object of a [`ParameterizedSearch`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct SearchScope {
    name: SObjectName,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldName>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
}

impl SearchScope {
    /// An object, of which ids are returned.
    pub fn new(object: SObjectName) -> Self {
        Self { name: object, fields: Vec::new(), filter: None, order_by: None, limit: None }
    }

    /// Sets the fields that are returned.
    pub fn fields(mut self, fields: impl IntoIterator<Item = FieldName>) -> Self {
        self.fields = fields.into_iter().collect();
        self
    }

    /// Sets a condition in SOQL, as it stands after WHERE. It is sent as it is: put no texts from outside into it.
    pub fn filter(mut self, condition: impl Into<String>) -> Self {
        self.filter = Some(condition.into());
        self
    }

    /// Sets the order, as it stands after ORDER BY.
    pub fn order_by(mut self, order: impl Into<String>) -> Self {
        self.order_by = Some(order.into());
        self
    }

    /// Sets how many records are returned at most.
    pub fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }
}
