//! One part of a composite, batch or graph, before it is sent.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Serialize;

use super::reference::{Reference, in_path, unmark, unsound};
use crate::api::collections::{AllOrNone, BodyWriter, Keys, MAX_RECORDS};
use crate::client::{ApiVersion, foreign};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{ExternalId, FieldName, RecordId, SObjectName, Soql, encode};

/// A record that a subrequest is about: by its id, or by a reference to an earlier subrequest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Its id.
    Id(RecordId),
    /// The value that this leads to.
    Reference(Reference),
}

impl From<RecordId> for Target {
    fn from(id: RecordId) -> Self {
        Self::Id(id)
    }
}

impl From<Reference> for Target {
    fn from(reference: Reference) -> Self {
        Self::Reference(reference)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Reference(reference) => reference.fmt(f),
        }
    }
}

/// One request of a [`Composite`](super::Composite), [`CompositeBatch`](super::CompositeBatch) or [`Graph`](super::Graph).
///
/// What is wrong with it shows when the whole is sent, before anything is.
#[derive(Clone)]
#[must_use]
pub struct Subrequest {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    object: Option<SObjectName>,
    /// Records that a collection holds.
    records: Option<usize>,
    version: Option<ApiVersion>,
    idempotent: bool,
    texts_refer: bool,
    wrong: Option<Error>,
}

/// A subrequest that has been checked.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) method: Method,
    /// Below `/services/data/vXX.X`.
    pub(super) resource: String,
    pub(super) version: ApiVersion,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    pub(super) records: Option<usize>,
    pub(super) references: Vec<Reference>,
    pub(super) idempotent: bool,
}

impl Subrequest {
    /// Creates a record. The whole call is then never repeated after a lost answer.
    pub fn create<T: Serialize + ?Sized>(object: &SObjectName, record: &T) -> Self {
        Self::of(Method::POST, format!("/sobjects/{object}"), object).record(record)
    }

    /// Reads a record, all fields if `fields` is empty.
    pub fn get(object: &SObjectName, record: impl Into<Target>, fields: &[FieldName]) -> Self {
        let mut get = Self::row(Method::GET, object, record.into());
        if !fields.is_empty() {
            get.path.push_str("?fields=");
            get.path.push_str(&join(fields));
        }
        get
    }

    /// Changes the fields of a record that are null or set, and no others.
    pub fn update<T: Serialize + ?Sized>(object: &SObjectName, id: impl Into<Target>, record: &T) -> Self {
        Self::row(Method::PATCH, object, id.into()).record(record)
    }

    /// Creates the record or changes the one that has this external id. The record holds neither the external id field nor `Id`.
    pub fn upsert<T: Serialize + ?Sized>(object: &SObjectName, key: &ExternalId, record: &T) -> Self {
        let path = format!("/sobjects/{object}/{}/{}", key.field, encode(&key.value));
        let upsert = Self::of(Method::PATCH, path, object).idempotent().record(record);
        if key.value.trim().is_empty() { upsert.wrong("the external id is blank") } else { upsert }
    }

    /// Deletes a record.
    pub fn delete(object: &SObjectName, record: impl Into<Target>) -> Self {
        Self::row(Method::DELETE, object, record.into())
    }

    /// Describes an object, with the fields that the user can see: [`Subresult::described`](super::Subresult::described).
    pub fn describe(object: &SObjectName) -> Self {
        Self::of(Method::GET, format!("/sobjects/{object}/describe"), object)
    }

    /// Runs a query; its first page is the answer. One of the five heavy ones of a composite.
    pub fn query(soql: impl Into<Soql>) -> Self {
        Self::new(Method::GET, format!("/query?q={}", encode(soql.into().as_str())))
    }

    /// As [`query`](Self::query), with deleted and archived rows too.
    pub fn query_all(soql: impl Into<Soql>) -> Self {
        Self::new(Method::GET, format!("/queryAll?q={}", encode(soql.into().as_str())))
    }

    /// Creates up to 200 records of one object. One of the five heavy ones of a composite; so are the next four.
    pub fn create_many<T: Serialize>(object: &SObjectName, records: &[T], mode: AllOrNone) -> Self {
        let rows = records.iter().map(|record| (None, record));
        Self::of(Method::POST, "/composite/sobjects".into(), object).rows(object, rows, mode, None)
    }

    /// Changes up to 200 records of one object by id.
    pub fn update_many<T: Serialize>(object: &SObjectName, records: &[(RecordId, T)], mode: AllOrNone) -> Self {
        let rows = records.iter().map(|(id, record)| (Some(*id), record));
        Self::of(Method::PATCH, "/composite/sobjects".into(), object).idempotent().rows(object, rows, mode, None)
    }

    /// Creates or updates up to 200 records of one object, matched by an external id field that each record holds.
    pub fn upsert_many<T: Serialize>(object: &SObjectName, key: &FieldName, records: &[T], mode: AllOrNone) -> Self {
        let rows = records.iter().map(|record| (None, record));
        let path = format!("/composite/sobjects/{object}/{key}");
        Self::of(Method::PATCH, path, object).idempotent().rows(object, rows, mode, Some(key))
    }

    /// Deletes up to 200 records by id.
    pub fn delete_many(ids: &[RecordId], mode: AllOrNone) -> Self {
        let flag = mode == AllOrNone::Yes;
        let path = format!("/composite/sobjects?ids={}&allOrNone={flag}", join(ids));
        Self::new(Method::DELETE, path).counted(ids.len(), MAX_RECORDS)
    }

    /// Reads up to 2,000 records of one object by id; `null` in the answer is what does not exist or is hidden.
    pub fn get_many(object: &SObjectName, ids: &[RecordId], fields: &[FieldName]) -> Self {
        let path = format!("/composite/sobjects/{object}");
        let get = Self::of(Method::POST, path, object).idempotent().counted(ids.len(), 2000);
        let get = get.json(&serde_json::json!({"ids": ids, "fields": fields}));
        if fields.is_empty() { get.wrong("name at least one field") } else { get }
    }

    /// Any other request. The path is relative to `/services/data/vXX.X`, or starts with it; it is taken as it is, so a reference in it
    /// is one.
    ///
    /// Salesforce serves sObject resources, queries and collections in a composite; rows and their external ids in a graph; limits,
    /// sObject resources, queries and searches in a batch. No binary fields. Reads and deletions count as repeatable, others not before
    /// [`idempotent`](Self::idempotent) says so.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        let idempotent = method.is_idempotent() && method != Method::PUT;
        Self {
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: None,
            object: None,
            records: None,
            version: None,
            idempotent,
            texts_refer: false,
            wrong: None,
        }
    }

    fn of(method: Method, path: String, object: &SObjectName) -> Self {
        Self { object: Some(object.clone()), ..Self::new(method, path) }
    }

    /// About one row that is there.
    fn row(method: Method, object: &SObjectName, target: Target) -> Self {
        let row = Self::of(method, format!("/sobjects/{object}/{target}"), object).idempotent();
        match target {
            Target::Reference(reference) if !reference.is_sound() => Self { wrong: Some(unsound()), ..row },
            _ => row,
        }
    }

    /// Sets a JSON body.
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(json) => self.body = Some(json),
            Err(error) => {
                let wrong = Error::new(ErrorKind::Invalid, "", "the body does not serialise to JSON");
                self.wrong.get_or_insert(wrong.with_source(error));
            }
        }
        self
    }

    /// Sets a field of the record to a value of an earlier answer, whatever type the record is of.
    pub fn with_reference(self, field: &FieldName, reference: &Reference) -> Self {
        if self.records.is_some() {
            return self.wrong("a reference is added to one record, not to a collection");
        }
        let Some(mut body) = self.body else { return self.wrong("a request without a body has no fields") };
        // A record is an object, so its JSON ends with the brace.
        if body.pop() != Some(b'}') {
            return Self { body: None, ..self }.wrong("a record has to serialise to a JSON object");
        }
        if !body[1..].trim_ascii().is_empty() {
            body.push(b',');
        }
        let value = serde_json::to_string(reference).unwrap_or_default();
        body.extend_from_slice(format!("\"{field}\":{value}}}").as_bytes());
        Self { body: Some(body), ..self }
    }

    /// Takes texts that read like references for references, as Salesforce does. Never for bodies with data of others in them: who
    /// writes `@{found.records[0].Secret__c}` into a field would get it.
    pub fn texts_refer(mut self) -> Self {
        self.texts_refer = true;
        self
    }

    /// Sets a header of this subrequest, such as `If-Match`. Batches have none. One that the client writes itself, such as
    /// `Authorization`, makes sending an error.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Err(error) = foreign(&name) {
            self.wrong.get_or_insert(error);
        } else {
            self.headers.insert(name, value);
        }
        self
    }

    /// Uses another API version than the client's; in a batch 34.0 to that of the batch.
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = Some(version);
        self
    }

    /// Says that doing it twice has the effect of doing it once.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    fn record<T: Serialize + ?Sized>(self, record: &T) -> Self {
        let request = self.json(record);
        let is_object = request.body.as_ref().is_some_and(|json| json.starts_with(b"{"));
        if is_object { request } else { request.wrong("a record has to serialise to a JSON object") }
    }

    fn rows<'a, T: Serialize + 'a>(
        self,
        object: &SObjectName,
        rows: impl ExactSizeIterator<Item = (Option<RecordId>, &'a T)>,
        mode: AllOrNone,
        key: Option<&FieldName>,
    ) -> Self {
        let mut request = self.counted(rows.len(), MAX_RECORDS);
        let mut body = BodyWriter::new("", mode == AllOrNone::Yes, rows.len());
        let mut keys = key.map(|key| Keys::new(key, rows.len()));
        for (id, record) in rows {
            let look = |json: &[u8]| keys.as_mut().map_or(Ok(()), |keys| keys.check(json));
            if let Err(error) = body.push(object, id, record, look) {
                request.wrong.get_or_insert(error);
                return request;
            }
        }
        request.body = Some(body.finish());
        request
    }

    fn counted(mut self, records: usize, most: usize) -> Self {
        self.records = Some(records);
        if (1..=most).contains(&records) {
            self
        } else {
            self.wrong("a collection takes 1 to 200 records, a read 1 to 2,000")
        }
    }

    fn wrong(mut self, message: &'static str) -> Self {
        self.wrong.get_or_insert_with(|| Error::new(ErrorKind::Invalid, "", message));
        self
    }

    /// Takes its path for one below that of an API, which stands before it on the wire only.
    pub(super) fn within(mut self, base: &str) -> Self {
        if base.is_empty() || !self.path.starts_with("/services/") {
            return self;
        }
        let below = self.path.strip_prefix("/services/data/").and_then(|rest| rest.split_once('/'));
        match below.and_then(|(version, rest)| Some((version, format!("/{rest}").strip_prefix(base)?.to_owned()))) {
            Some((version, rest)) if rest.starts_with('/') => {
                self.path = format!("/services/data/{version}{rest}");
                self
            }
            _ => self.wrong("a composite of the Tooling API has its resources only"),
        }
    }

    /// Checks it by itself. `version` is the client's, `headers` are those of all its calls.
    pub(super) fn prepare(self, version: ApiVersion, headers: &HeaderMap) -> Result<Prepared> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let invalid = |message| Error::new(ErrorKind::Invalid, "", message);
        let methods = [Method::POST, Method::PUT, Method::PATCH, Method::GET, Method::DELETE];
        if !methods.contains(&self.method) {
            return Err(invalid("a subrequest is a POST, PUT, PATCH, GET or DELETE"));
        }
        let (named, resource) = resource_of(&self.path)?;
        let (body, mut references) = match self.body {
            Some(json) => {
                let (json, found) = unmark(json, self.texts_refer)?;
                (Some(json), found)
            }
            None => (None, Vec::new()),
        };
        references.extend(in_path(&resource));
        if !references.iter().all(Reference::is_sound) {
            return Err(unsound());
        }
        let mut all = headers.clone();
        for (name, value) in &self.headers {
            all.insert(name, value.clone());
        }
        // What is written under a condition finds it changed the second time.
        let conditional =
            [header::IF_MATCH, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE];
        let conditional = self.method != Method::GET && conditional.iter().any(|name| all.contains_key(name));
        Ok(Prepared {
            method: self.method,
            resource,
            version: named.or(self.version).unwrap_or(version),
            headers: all,
            body,
            records: self.records,
            references,
            idempotent: self.idempotent && !conditional,
        })
    }
}

impl Prepared {
    /// Whether it counts against the five collections and queries.
    pub(super) fn is_heavy(&self) -> bool {
        let path = self.resource.split('?').next().unwrap_or_default().trim_start_matches('/');
        let mut segments = path.split('/');
        match segments.next() {
            Some("query" | "queryAll") => true,
            Some("composite") => segments.next() == Some("sobjects"),
            _ => false,
        }
    }

    /// Whether its answer has a row for each record that was written.
    pub(super) fn writes_collection(&self) -> bool {
        // `POST /composite/sobjects/<object>` reads.
        let path = self.resource.split('?').next().unwrap_or_default().trim_matches('/');
        match (path.split('/').count(), &self.method) {
            (2, method) => path == "composite/sobjects" && method != Method::GET,
            (4, method) => path.starts_with("composite/sobjects/") && method == Method::PATCH,
            _ => false,
        }
    }

    /// Whether it only reads, whatever its method says.
    pub(super) fn reads(&self) -> bool {
        self.method == Method::GET || (self.method == Method::POST && self.is_heavy() && !self.writes_collection())
    }
}

/// The version that a path names, and what is below it.
fn resource_of(path: &str) -> Result<(Option<ApiVersion>, String)> {
    let invalid = |message| Error::new(ErrorKind::Invalid, "", message);
    let (version, resource) = match path.strip_prefix("/services/data/") {
        Some(rest) => {
            let (version, resource) = rest.split_once('/').unwrap_or((rest, ""));
            (Some(version.parse::<ApiVersion>()?), format!("/{resource}"))
        }
        None if path.starts_with("/services/") => {
            return Err(invalid("a subrequest stays below /services/data/vXX.X"));
        }
        None => (None, path.to_owned()),
    };
    // A step in the path would lead to another resource.
    let is_step = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if !resource.starts_with('/') || resource.split('?').next().unwrap_or_default().split('/').any(is_step) {
        return Err(invalid("the path cannot be addressed"));
    }
    Ok((version, resource))
}

fn join<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

impl fmt::Debug for Subrequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query, the external id and the body may hold field values.
        let path = self.path.split('?').next().unwrap_or_default();
        let bytes = self.body.as_ref().map_or(0, Vec::len);
        match &self.object {
            Some(object) => write!(f, "Subrequest({} {object}, {bytes} bytes)", self.method),
            None => write!(f, "Subrequest({} {path}, {bytes} bytes)", self.method),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Record;

    const ACCOUNT: SObjectName = SObjectName::from_static("Account");

    fn prepared(request: Subrequest) -> Result<Prepared> {
        request.prepare(ApiVersion::DEFAULT, &HeaderMap::new())
    }

    fn id() -> RecordId {
        RecordId::new("001000000000001AAA").expect("an id")
    }

    #[test]
    fn typed_requests_have_the_guides_methods_and_paths() {
        let (name, key) = (FieldName::from_static("Name"), FieldName::from_static("Key__c"));
        let record = Record::new().with("Name", "A");
        let rows = [Record::new().with("Key__c", "1")];
        let no = AllOrNone::No;
        let external = ExternalId::new(key.clone(), "a/b");
        let refer = Reference::new("q.records[0].Id");
        let cases = [
            (Subrequest::create(&ACCOUNT, &record), "POST /sobjects/Account", false, false),
            (
                Subrequest::get(&ACCOUNT, id(), &[name]),
                "GET /sobjects/Account/001000000000001AAA?fields=Name",
                true,
                false,
            ),
            (Subrequest::update(&ACCOUNT, refer, &record), "PATCH /sobjects/Account/@{q.records[0].Id}", true, false),
            (Subrequest::upsert(&ACCOUNT, &external, &record), "PATCH /sobjects/Account/Key__c/a%2Fb", true, false),
            (Subrequest::delete(&ACCOUNT, id()), "DELETE /sobjects/Account/001000000000001AAA", true, false),
            (Subrequest::query("SELECT Id FROM Account"), "GET /query?q=SELECT%20Id%20FROM%20Account", true, true),
            (Subrequest::describe(&ACCOUNT), "GET /sobjects/Account/describe", true, false),
            (Subrequest::create_many(&ACCOUNT, &rows, no), "POST /composite/sobjects", false, true),
            (Subrequest::update_many(&ACCOUNT, &[(id(), &record)], no), "PATCH /composite/sobjects", true, true),
            (
                Subrequest::upsert_many(&ACCOUNT, &key, &rows, no),
                "PATCH /composite/sobjects/Account/Key__c",
                true,
                true,
            ),
            (
                Subrequest::delete_many(&[id()], AllOrNone::Yes),
                "DELETE /composite/sobjects?ids=001000000000001AAA&allOrNone=true",
                true,
                true,
            ),
            (
                Subrequest::get_many(&ACCOUNT, &[id()], std::slice::from_ref(&key)),
                "POST /composite/sobjects/Account",
                true,
                true,
            ),
            (Subrequest::new(Method::GET, "/services/data/v58.0/limits"), "GET /limits", true, false),
        ];
        for (request, expected, idempotent, heavy) in cases {
            let prepared = prepared(request).expect(expected);
            assert_eq!(format!("{} {}", prepared.method, prepared.resource), expected);
            assert_eq!((prepared.idempotent, prepared.is_heavy()), (idempotent, heavy), "{expected}");
            let writes =
                heavy && expected.contains("composite/sobjects") && expected != "POST /composite/sobjects/Account";
            assert_eq!(prepared.writes_collection(), writes, "{expected}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_before_anything_is_sent() {
        let key = FieldName::from_static("Key__c");
        let none: [Record; 0] = [];
        let twice = [Record::new().with("Key__c", "1"), Record::new().with("Key__c", "1")];
        let many = vec![Record::new(); 201];
        let external = |value: &str| ExternalId::new(key.clone(), value);
        let empty = Record::new();
        let authorization = |request: Subrequest| request.header(header::AUTHORIZATION, HeaderValue::from_static("x"));
        for (what, request) in [
            ("no object", Subrequest::create(&ACCOUNT, "text")),
            ("a list", Subrequest::update(&ACCOUNT, id(), &[1, 2])),
            ("blank key", Subrequest::upsert(&ACCOUNT, &external(" "), &empty)),
            ("a step", Subrequest::upsert(&ACCOUNT, &external(".."), &empty)),
            ("no rows", Subrequest::create_many(&ACCOUNT, &none, AllOrNone::No)),
            ("201 rows", Subrequest::create_many(&ACCOUNT, &many, AllOrNone::No)),
            ("a key twice", Subrequest::upsert_many(&ACCOUNT, &key, &twice, AllOrNone::No)),
            ("no key", Subrequest::upsert_many(&ACCOUNT, &key, &[Record::new()], AllOrNone::No)),
            ("no ids", Subrequest::delete_many(&[], AllOrNone::No)),
            ("2,001 ids", Subrequest::get_many(&ACCOUNT, &vec![id(); 2001], std::slice::from_ref(&key))),
            ("no fields", Subrequest::get_many(&ACCOUNT, &[id()], &[])),
            ("another service", Subrequest::new(Method::GET, "/services/apexrest/x")),
            ("no path", Subrequest::new(Method::GET, "limits")),
            ("steps", Subrequest::new(Method::GET, "/sobjects/%2E%2e/limits")),
            ("a method", Subrequest::new(Method::HEAD, "/limits")),
            ("a version", Subrequest::new(Method::GET, "/services/data/vx/limits")),
            ("a text", Subrequest::create(&ACCOUNT, &Record::new().with("Name", "@{a.id}"))),
            ("a bad path", Subrequest::delete(&ACCOUNT, Reference::new("a b"))),
            ("more than a path", Subrequest::delete(&ACCOUNT, Reference::new("a.id}/x"))),
            ("no body", Subrequest::delete(&ACCOUNT, id()).with_reference(&key, &Reference::id_of("a"))),
            ("a header of ours", authorization(Subrequest::create(&ACCOUNT, &empty))),
        ] {
            let error = prepared(request).expect_err(what);
            assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Config), "{what}: {error}");
        }
    }

    #[test]
    fn references_are_added_to_any_record() {
        let field = FieldName::from_static("AccountId");
        for (record, expected) in [
            (Record::new(), r#"{"AccountId":"@{a.id}"}"#),
            (Record::new().with("LastName", "A"), r#"{"LastName":"A","AccountId":"@{a.id}"}"#),
        ] {
            let request = Subrequest::create(&ACCOUNT, &record).with_reference(&field, &Reference::id_of("a"));
            let prepared = prepared(request).expect("sound");
            assert_eq!(String::from_utf8(prepared.body.expect("a body")).expect("text"), expected);
            assert_eq!(prepared.references, [Reference::id_of("a")]);
        }
    }

    #[test]
    fn a_write_under_a_condition_is_not_repeatable() {
        let value = HeaderValue::from_static("\"etag\"");
        let update = Subrequest::update(&ACCOUNT, id(), &Record::new()).header(header::IF_MATCH, value.clone());
        assert!(!prepared(update).expect("sound").idempotent);
        let get = Subrequest::get(&ACCOUNT, id(), &[]).header(header::IF_NONE_MATCH, value);
        assert!(prepared(get).expect("sound").idempotent);
    }

    #[test]
    fn nothing_of_a_record_shows_in_debug() {
        let key = ExternalId::new(FieldName::from_static("Email"), "ada@example.com");
        let upsert = Subrequest::upsert(&ACCOUNT, &key, &Record::new().with("Name", "secret"));
        let shown = format!("{upsert:?} {:?}", Subrequest::query("SELECT Id FROM Account WHERE Name = 'secret'"));
        assert!(!shown.contains("secret") && !shown.contains("ada"), "{shown}");
    }
}
