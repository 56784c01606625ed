//! Field maps: which source value goes to which Salesforce field, and how.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Transform;
use super::transform::is_plainly_blank;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldName, Record, SObjectDescribe, SObjectName, Timestamp, Value};

/// Maps source records to records of one sObject, as data: it can stand in a configuration file.
///
/// What no rule names is never written. Applying a map twice gives the same record, in the form Salesforce stores it, so a
/// comparison with the org's values tells whether there is anything to write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct FieldMap {
    object: SObjectName,
    key: FieldName,
    changed_at: Option<FieldName>,
    rules: Vec<FieldRule>,
}

/// The form of a map in a file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    version: u32,
    object: SObjectName,
    key: FieldName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed_at: Option<FieldName>,
    rules: Vec<FieldRule>,
}

/// The format that [`FieldMap`] reads and writes.
const VERSION: u32 = 1;

/// One source value and the field it goes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// Path in the source record, such as `account.name`.
    pub source: String,
    /// The Salesforce field.
    pub target: FieldName,
    /// Whether a blank or absent value refuses the record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// What is done to the value, in order. Null passes through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Transform>,
}

impl FieldRule {
    /// A rule that copies a value through these transforms.
    pub fn new(source: impl Into<String>, target: FieldName, transforms: Vec<Transform>) -> Self {
        Self { source: source.into(), target, required: false, transforms }
    }

    /// Refuses records in which the value is blank or absent.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// A source record in Salesforce's terms.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MappedRecord {
    /// The external id.
    pub key: String,
    /// When the source changed, where the map names a field for it.
    pub changed_at: Option<Timestamp>,
    /// The fields to write, the external id among them. An absent source value is an absent field.
    pub fields: Record,
}

/// Why a value cannot go to its field. Never quotes the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MappingIssue {
    /// Path in the source record; empty where the record as a whole is meant.
    pub field: String,
    /// What is wrong, in a few words.
    pub reason: String,
}

impl MappingIssue {
    /// Makes an issue of a path and a reason.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl fmt::Display for MappingIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() { f.write_str(&self.reason) } else { write!(f, "{}: {}", self.field, self.reason) }
    }
}

impl FieldMap {
    /// Makes a map to `object`, whose records are named by the external id field `key`. `changed_at` is the target that says
    /// how old a record is: an older one does not replace a newer one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when two rules have one target, or `key` or `changed_at` is no rule's target.
    pub fn new(
        object: SObjectName,
        key: FieldName,
        changed_at: Option<FieldName>,
        rules: Vec<FieldRule>,
    ) -> Result<Self> {
        let config = |message, field: &FieldName| {
            Err(Error::new(ErrorKind::Config, "field map", message).with_context("field", field))
        };
        let mut targets = HashSet::new();
        for rule in &rules {
            if !targets.insert(rule.target.as_str().to_ascii_lowercase()) {
                return config("two rules have one target", &rule.target);
            }
        }
        for field in std::iter::once(&key).chain(&changed_at) {
            if !rules.iter().any(|rule| rule.target == *field) {
                return config("no rule has this field as its target", field);
            }
        }
        Ok(Self { object, key, changed_at, rules })
    }

    /// The object that is written.
    #[must_use]
    pub fn object(&self) -> &SObjectName {
        &self.object
    }

    /// The external id field.
    #[must_use]
    pub fn key(&self) -> &FieldName {
        &self.key
    }

    /// The field that says how old a record is.
    #[must_use]
    pub fn changed_at(&self) -> Option<&FieldName> {
        self.changed_at.as_ref()
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &[FieldRule] {
        &self.rules
    }

    /// The same map with its targets spelt as the org spells them: Salesforce ignores their case, its answers do not.
    #[must_use]
    pub fn spelt_as(mut self, object: &SObjectDescribe) -> Self {
        let spell = |name: &mut FieldName| {
            if let Some(spelt) = object.field(name.as_str()).and_then(|field| FieldName::new(field.name.as_str()).ok())
            {
                *name = spelt;
            }
        };
        self.rules.iter_mut().for_each(|rule| spell(&mut rule.target));
        spell(&mut self.key);
        self.changed_at.iter_mut().for_each(spell);
        self
    }

    /// Maps a record.
    ///
    /// # Errors
    ///
    /// All issues of the record at once, in the order of the rules.
    pub fn apply(&self, source: &Record) -> Result<MappedRecord, Vec<MappingIssue>> {
        let mut fields = Record::new();
        let mut issues = Vec::new();
        for rule in &self.rules {
            match apply_rule(rule, source) {
                Ok(Some(value)) => {
                    fields.set(rule.target.as_str(), value);
                }
                Ok(None) => {}
                Err(reason) => {
                    let issue = MappingIssue::new(&rule.source, reason);
                    // One value may go to two fields; what is wrong with it is told once.
                    if !issues.contains(&issue) {
                        issues.push(issue);
                    }
                }
            }
        }
        let key = fields.text(self.key.as_str()).unwrap_or_default().to_owned();
        if key.is_empty() && issues.is_empty() {
            let source = self.rules.iter().find(|rule| rule.target == self.key).map_or("", |rule| &rule.source);
            let reason = if fields.get(self.key.as_str()).is_some() { "not text" } else { "missing" };
            issues.push(MappingIssue::new(source, reason));
        }
        if !issues.is_empty() {
            return Err(issues);
        }
        let stamp = self.changed_at.as_ref().and_then(|field| fields.get(field.as_str()));
        Ok(MappedRecord { key, changed_at: stamp.and_then(Value::to_timestamp), fields })
    }
}

/// The value for a rule's target; `None` leaves the field alone.
fn apply_rule(rule: &FieldRule, source: &Record) -> Result<Option<Value>, String> {
    let Some(value) = source.path(&rule.source) else {
        return if rule.required { Err("missing".into()) } else { Ok(None) };
    };
    let mut value = value.clone();
    for transform in &rule.transforms {
        if is_plainly_blank(&value) {
            break;
        }
        value = transform.apply(value)?;
    }
    if value.is_blank() {
        return if rule.required { Err("missing".into()) } else { Ok(Some(Value::Null)) };
    }
    match value {
        Value::List(_) | Value::Children(_) => Err("a list has to be joined to text".into()),
        value => Ok(Some(value)),
    }
}

impl TryFrom<Parts> for FieldMap {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        if parts.version != VERSION {
            return Err(format!("field map of version {}, this library reads version {VERSION}", parts.version));
        }
        Self::new(parts.object, parts.key, parts.changed_at, parts.rules).map_err(|error| error.to_string())
    }
}

impl From<FieldMap> for Parts {
    fn from(map: FieldMap) -> Self {
        let FieldMap { object, key, changed_at, rules } = map;
        Self { version: VERSION, object, key, changed_at, rules }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &'static str) -> FieldName {
        FieldName::from_static(name)
    }

    fn map() -> FieldMap {
        let text = || vec![Transform::Text, Transform::MaxLength { max: 5 }];
        let rules = vec![
            FieldRule::new("id", name("Key__c"), text()).required(),
            FieldRule::new("who.name", name("Name"), text()),
            FieldRule::new("at", name("At__c"), vec![Transform::DateTime]),
        ];
        FieldMap::new(SObjectName::from_static("Thing__c"), name("Key__c"), Some(name("At__c")), rules).expect("sound")
    }

    fn source(text: &str) -> Record {
        serde_json::from_str(text).expect(text)
    }

    #[test]
    fn absent_stays_absent_and_blank_becomes_null() {
        let mapped = map().apply(&source(r#"{"id":" a ","who":{"name":"  "}}"#)).expect("maps");
        assert_eq!(mapped.key, "a");
        assert_eq!(mapped.fields, Record::new().with("Key__c", "a").with("Name", Value::Null));
        let mapped = map().apply(&source(r#"{"id":"a","who":null}"#)).expect("maps");
        assert_eq!(mapped.fields, Record::new().with("Key__c", "a"));
    }

    #[test]
    fn all_issues_of_a_record_come_at_once() {
        let issues = map().apply(&source(r#"{"id":"","who":{"name":"abcdef"},"at":"never"}"#)).expect_err("bad");
        let fields: Vec<&str> = issues.iter().map(|issue| issue.field.as_str()).collect();
        assert_eq!(fields, ["id", "who.name", "at"]);
        assert!(issues.iter().all(|issue| !issue.reason.contains("abcdef")));
    }

    #[test]
    fn nav_40_what_no_rule_names_is_never_written() {
        let mapped = map().apply(&source(r#"{"id":"a","OwnerId":"005","Name":"x"}"#)).expect("maps");
        assert_eq!(mapped.fields.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["Key__c"]);
    }

    #[test]
    fn targets_take_the_orgs_spelling() {
        let object: SObjectDescribe =
            serde_json::from_str(r#"{"fields":[{"name":"KEY__c"},{"name":"at__c"}]}"#).expect("reads");
        let map = map().spelt_as(&object);
        assert_eq!((map.key().as_str(), map.changed_at().map(FieldName::as_str)), ("KEY__c", Some("at__c")));
        assert_eq!(map.rules()[0].target.as_str(), "KEY__c");
    }

    #[test]
    fn a_map_survives_a_file_and_refuses_what_it_does_not_know() {
        let text = serde_json::to_string(&map()).expect("serialises");
        assert_eq!(serde_json::from_str::<FieldMap>(&text).expect("reads"), map());
        for (from, to) in [
            ("\"version\":1", "\"version\":2"),
            ("max_length", "explode"),
            ("\"At__c\",\"rules\"", "\"Gone__c\",\"rules\""),
        ] {
            assert!(text.contains(from), "{text}");
            assert!(serde_json::from_str::<FieldMap>(&text.replace(from, to)).is_err(), "{to}");
        }
    }
}
