//! What a handle may do, checked before anything is sent. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

use super::ApiRequest;
use super::request::Payload;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{RecordId, SObjectName};

/// What may be done with the records of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Access {
    /// Get and query.
    Read,
    /// Create; an upsert needs this and [`Update`](Self::Update).
    Create,
    /// Change.
    Update,
    /// Delete.
    Delete,
}

/// What a job may do in an org: objects with what may be done to them, and whole operations. Everything else is refused.
///
/// For [`Client::restricted_to`](super::Client::restricted_to), so that a job, a playbook or a plug-in uses the connection for what
/// it was meant for and nothing else. It guards against mistakes of our own; what the user of the connection may do is for the org to
/// say.
///
/// - Objects are found in paths, in the `FROM` of SOQL and in the `attributes` of records. A child relationship in a query counts
///   by its name, such as `Contacts`. Fields of parents (`Owner.Name`) are not looked at.
/// - Describes, limits, versions and the user's own info read no record: they are always allowed.
/// - A request of which the objects cannot be told, such as a deletion of records by their ids, SOSL, Apex REST, jobs or metadata, is
///   refused unless its operation is named, as errors name it: `collections.delete`.
/// - The next page of a query is allowed: only who was allowed to ask has its address.
///
/// A list can be a configuration file:
///
/// ```
/// use sforce::client::{Access, AllowList};
/// use sforce::types::SObjectName;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{"objects": {"Account": ["read"], "Engagement_Session__c": ["read", "create", "update"]}}"#;
/// let list: AllowList = serde_json::from_str(text)?;
/// let account = SObjectName::new("Account")?;
/// assert_eq!(list, AllowList::new().object(&account, [Access::Read]).object(
///     &SObjectName::new("Engagement_Session__c")?,
///     [Access::Read, Access::Create, Access::Update],
/// ));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowList {
    /// Names are compared without regard to case, as the org does.
    #[serde(default)]
    objects: BTreeMap<String, BTreeSet<Access>>,
    #[serde(default)]
    operations: BTreeSet<String>,
}

/// What a request would do.
#[derive(Debug, PartialEq, Eq)]
enum Intent {
    /// Nothing with records.
    Harmless,
    Records(Vec<(Access, String)>),
    /// That cannot be told.
    Unknown,
}

impl AllowList {
    /// A list that allows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows these with the records of an object, beside what is allowed already.
    #[must_use]
    pub fn object(mut self, object: &SObjectName, access: impl IntoIterator<Item = Access>) -> Self {
        self.objects.entry(object.to_string()).or_default().extend(access);
        self
    }

    /// Allows an operation whatever its objects are, by the name that errors give it, such as `collections.delete`.
    #[must_use]
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        self.operations.insert(name.into());
        self
    }

    /// Whether a request is allowed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Forbidden`], with what is missing.
    pub fn check(&self, request: &ApiRequest) -> Result<()> {
        if self.operations.contains(request.operation) {
            return Ok(());
        }
        let refused = |message| {
            Error::new(ErrorKind::Forbidden, request.operation, message).with_advice("let the allow-list name it")
        };
        match intent(request) {
            Intent::Harmless => Ok(()),
            Intent::Unknown => {
                Err(refused("the allow-list does not name the operation, and its objects cannot be told"))
            }
            Intent::Records(records) => {
                match records.into_iter().find(|(access, object)| !self.allows(*access, object)) {
                    None => Ok(()),
                    Some((access, object)) => Err(refused("the allow-list does not allow this with the object")
                        .with_context("object", object.chars().take(80).collect::<String>())
                        .with_context("access", access)),
                }
            }
        }
    }

    fn allows(&self, access: Access, object: &str) -> bool {
        self.objects.iter().any(|(name, allowed)| name.eq_ignore_ascii_case(object) && allowed.contains(&access))
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        })
    }
}

/// The path below `/services/data/vXX.X`.
fn below_version(path: &str) -> Option<&str> {
    match path.strip_prefix("/services/data/") {
        Some(rest) => rest.split_once('/').map(|(_, rest)| rest),
        None if path.starts_with("/services/") => None,
        None => path.strip_prefix('/'),
    }
}

fn intent(request: &ApiRequest) -> Intent {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let query: Vec<(_, _)> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let reads = request.method == Method::GET || request.method == Method::HEAD;
    if matches!(path, "/services/data" | "/services/oauth2/userinfo") && reads {
        return Intent::Harmless;
    }
    // REST API Developer Guide: it stands for another method than the request's.
    if query.iter().any(|(name, _)| name.eq_ignore_ascii_case("_HttpMethod")) {
        return Intent::Unknown;
    }
    let Some(path) = below_version(path) else {
        // A version alone lists its resources.
        return if reads && path.starts_with("/services/data/") { Intent::Harmless } else { Intent::Unknown };
    };
    // The Tooling API has queries and records of its own at the same places.
    let segments: Vec<&str> = path.strip_prefix("tooling/").unwrap_or(path).split('/').collect();
    let of = |access: &[Access], object: &str| {
        Intent::Records(access.iter().map(|access| (*access, object.to_owned())).collect())
    };
    let upsert = [Access::Create, Access::Update];
    if let ["sobjects", _, id, _] = segments[..]
        && RecordId::new(id).is_ok()
    {
        // Below an id lies a related record, of whatever object.
        return Intent::Unknown;
    }
    match (request.method.as_str(), &segments[..]) {
        ("GET" | "HEAD", ["limits" | "sobjects"] | ["sobjects", _, "describe", ..] | ["query" | "queryAll", _]) => {
            Intent::Harmless
        }
        ("GET", ["query" | "queryAll"]) => queried(&query),
        // Without an id it tells the records used last.
        ("GET" | "HEAD", ["sobjects", object] | ["sobjects", object, _] | ["sobjects", object, _, _])
        | ("GET" | "POST", ["composite", "sobjects", object]) => of(&[Access::Read], object),
        ("POST", ["sobjects", object]) => of(&[Access::Create], object),
        ("PATCH", ["sobjects", object, _]) => of(&[Access::Update], object),
        ("PATCH", ["composite", "sobjects", object, _] | ["sobjects", object, _, _]) => of(&upsert, object),
        ("DELETE", ["sobjects", object, _] | ["sobjects", object, _, _]) => of(&[Access::Delete], object),
        ("POST", ["composite", "sobjects"]) => carried(&request.body, Access::Create),
        ("PATCH", ["composite", "sobjects"]) => carried(&request.body, Access::Update),
        _ => Intent::Unknown,
    }
}

/// The objects of the records in a body.
fn carried(body: &Payload, access: Access) -> Intent {
    #[derive(Deserialize)]
    struct Body {
        records: Vec<Record>,
    }
    #[derive(Deserialize)]
    struct Record {
        attributes: Attributes,
    }
    #[derive(Deserialize)]
    struct Attributes {
        #[serde(rename = "type")]
        object: String,
    }
    let Payload::Bytes(bytes) = body else { return Intent::Unknown };
    match serde_json::from_slice::<Body>(bytes) {
        Ok(body) => {
            let objects: BTreeSet<String> = body.records.into_iter().map(|record| record.attributes.object).collect();
            Intent::Records(objects.into_iter().map(|object| (access, object)).collect())
        }
        Err(_) => Intent::Unknown,
    }
}

/// The objects and child relationships of SOQL.
fn queried(query: &[(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)]) -> Intent {
    let [(name, soql)] = query else { return Intent::Unknown };
    if name != "q" {
        return Intent::Unknown;
    }
    let words = words(soql);
    let mut objects = BTreeSet::new();
    for (place, word) in words.iter().enumerate() {
        if !word.eq_ignore_ascii_case("from") {
            continue;
        }
        let Some(object) = words.get(place + 1) else { return Intent::Unknown };
        // `FROM Account a, a.Contacts c` names more than one.
        let rest = words[place + 1..].iter().take_while(|word| !ends_from(word));
        if rest.into_iter().any(|word| word == ",") {
            return Intent::Unknown;
        }
        objects.insert(object.clone());
    }
    if objects.is_empty() { Intent::Unknown } else { of_reads(objects) }
}

fn of_reads(objects: BTreeSet<String>) -> Intent {
    Intent::Records(objects.into_iter().map(|object| (Access::Read, object)).collect())
}

/// What comes after the list of a `FROM`.
fn ends_from(word: &str) -> bool {
    let words = ["where", "with", "group", "having", "order", "limit", "offset", "for", "update", "using", "all", ")"];
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Names, commas and brackets of SOQL, in order; texts in quotes are left out.
fn words(soql: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for letter in soql.chars() {
        if quoted {
            quoted = escaped || letter != '\'';
            escaped = !escaped && letter == '\\';
            continue;
        }
        if letter.is_alphanumeric() || matches!(letter, '_' | '.') {
            word.push(letter);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        quoted = letter == '\'';
        if matches!(letter, ',' | '(' | ')') {
            words.push(letter.to_string());
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(soql: &str) -> ApiRequest {
        ApiRequest::get("query", "/query").query("q", soql)
    }

    fn objects(request: &ApiRequest) -> String {
        match intent(request) {
            Intent::Harmless => "harmless".to_owned(),
            Intent::Unknown => "unknown".to_owned(),
            Intent::Records(records) => {
                records.iter().map(|(access, object)| format!("{access} {object}")).collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[test]
    fn the_objects_of_a_path_are_found() {
        let with = |method: Method, path: &str| ApiRequest::with_method("test", method, path);
        for (method, path, expected) in [
            (Method::GET, "/sobjects/Account/001000000000001", "read Account"),
            (Method::GET, "/services/data/v63.0/sobjects/Account/001000000000001?fields=Name", "read Account"),
            (Method::GET, "/sobjects/Account/Key__c/a", "read Account"),
            (Method::GET, "/sobjects/Account/001000000000001/Contacts", "unknown"),
            (Method::GET, "/sobjects/Account/updated?start=1", "read Account"),
            (Method::POST, "/sobjects/Account", "create Account"),
            (Method::PATCH, "/sobjects/Account/001000000000001", "update Account"),
            (Method::PATCH, "/sobjects/Account/Key__c/a", "create Account, update Account"),
            (Method::PATCH, "/composite/sobjects/Account/Key__c", "create Account, update Account"),
            (Method::POST, "/composite/sobjects/Account", "read Account"),
            (Method::DELETE, "/sobjects/Account/001000000000001", "delete Account"),
            (Method::DELETE, "/composite/sobjects?ids=001000000000001", "unknown"),
            (Method::POST, "/sobjects/Account?_HttpMethod=DELETE", "unknown"),
            (Method::GET, "/query/01g000000000001-2000", "harmless"),
            (Method::GET, "/query?explain=SELECT+Id+FROM+Account", "unknown"),
            (Method::GET, "/sobjects", "harmless"),
            (Method::GET, "/tooling/query?q=SELECT+Id+FROM+FieldDefinition", "read FieldDefinition"),
            (Method::GET, "/services/data/v63.0/tooling/query/01g000000000001-2000", "harmless"),
            (Method::POST, "/tooling/sobjects/CustomField", "create CustomField"),
            (Method::GET, "/tooling/executeAnonymous?anonymousBody=x", "unknown"),
            (Method::POST, "/tooling/composite", "unknown"),
            (Method::GET, "/sobjects/Account/describe", "harmless"),
            (Method::GET, "/services/data", "harmless"),
            (Method::GET, "/services/data/v63.0", "harmless"),
            (Method::POST, "/services/data/v63.0", "unknown"),
            (Method::GET, "/services/apexrest/x", "unknown"),
            (Method::POST, "/jobs/ingest", "unknown"),
            (Method::GET, "/search?q=FIND+x", "unknown"),
            (Method::PUT, "/sobjects/Account/001000000000001", "unknown"),
            (Method::POST, "//sobjects/Account", "unknown"),
        ] {
            assert_eq!(objects(&with(method.clone(), path)), expected, "{method} {path}");
        }
    }

    #[test]
    fn the_objects_of_a_query_are_found_and_texts_are_none() {
        for (soql, expected) in [
            ("SELECT Id FROM Account", "read Account"),
            ("select id\nfrom\tAccount a where a.Name = 'x, from Contact'", "read Account"),
            (r"SELECT Id FROM Account WHERE Name = 'it\'s from Lead' LIMIT 1", "read Account"),
            (
                r"SELECT Id FROM Account WHERE Name = 'x\\' AND Id IN (SELECT AccountId FROM Lead)",
                "read Account, read Lead",
            ),
            ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "read Account, read Contacts"),
            ("SELECT a.Id FROM Contact c, c.Account a", "unknown"),
            ("SELECT Id FROM Account ORDER BY Name, Id", "read Account"),
            ("SELECT Id FROM", "unknown"),
            ("SELECT Id", "unknown"),
        ] {
            assert_eq!(objects(&query(soql)), expected, "{soql}");
        }
    }

    #[test]
    fn the_objects_of_records_are_found() {
        let body = |text: &str| {
            ApiRequest::post("collections.create", "/composite/sobjects")
                .body(http::HeaderValue::from_static("application/json"), text.to_owned())
        };
        let two =
            r#"{"records":[{"attributes":{"type":"A"}},{"attributes":{"type":"B"}},{"attributes":{"type":"A"}}]}"#;
        assert_eq!(objects(&body(two)), "create A, create B");
        for text in ["", "[]", r#"{"records":[{"Name":"x"}]}"#] {
            assert_eq!(objects(&body(text)), "unknown", "{text}");
        }
    }

    #[test]
    fn what_is_not_named_is_refused_and_says_what_is_missing() {
        let account = SObjectName::from_static("Account");
        let list = AllowList::new().object(&account, [Access::Read]).operation("collections.delete");
        list.check(&query("SELECT Id FROM aCCOUNT")).expect("whatever its case");
        list.check(&ApiRequest::delete("collections.delete", "/composite/sobjects?ids=1")).expect("named");
        let error = list.check(&query("SELECT Id FROM Contact")).expect_err("not named");
        assert_eq!(error.kind(), ErrorKind::Forbidden);
        assert!(error.to_string().contains("object Contact, access read"), "{error}");
        let error = list.check(&ApiRequest::delete("sobjects.delete", "/sobjects/Account/1")).expect_err("only read");
        assert!(error.to_string().contains("access delete"), "{error}");
        list.check(&ApiRequest::get("search", "/search?q=FIND")).expect_err("cannot be told");
        AllowList::new().check(&query("SELECT Id FROM Account")).expect_err("nothing is allowed");
    }

    #[test]
    fn a_mistake_in_a_file_is_an_error() {
        for text in [r#"{"object":{}}"#, r#"{"objects":{"Account":["reed"]}}"#] {
            serde_json::from_str::<AllowList>(text).expect_err(text);
        }
    }
}
