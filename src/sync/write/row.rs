//! A record on its way: its JSON, and what a write of it may lock.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hash};

use foldhash::fast::RandomState;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::api::key_of;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldName, RecordId, SObjectName};

/// What is done with records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Insert,
    Update,
    Upsert(FieldName),
    Delete,
}

impl Target {
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::Insert => "insert_many",
            Self::Update => "update_many",
            Self::Upsert(_) => "upsert_many",
            Self::Delete => "delete_many",
        }
    }

    /// Whether a record may be sent again when nobody knows whether it has arrived.
    pub(super) fn is_idempotent(&self) -> bool {
        *self != Self::Insert
    }
}

/// A record that waits to be written or is on its way.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its number in the input.
    pub(crate) place: u64,
    pub(super) id: Option<RecordId>,
    pub(super) json: String,
    /// What it is known by, exactly as given; none for a creation.
    pub(super) key: Option<Box<str>>,
    /// The record itself: two writes of it never fly together. Without regard to case, since most external ids have none.
    pub(super) own: Option<u64>,
    /// Its parents: rows of one parent fly together in one call or not at all.
    pub(super) parents: Vec<u64>,
    /// How often it came back; each time it goes out in a smaller call.
    pub(super) round: usize,
    /// Whether it may have been written before: it was in a job that does not tell.
    pub(super) doubt: bool,
    /// Whether it waits among those that came back.
    pub(super) came_back: bool,
}

/// Turns records into rows.
#[derive(Debug)]
pub(crate) struct Intake {
    target: Target,
    object: SObjectName,
    parents: Vec<FieldName>,
    hasher: RandomState,
}

impl Intake {
    pub(crate) fn new(target: Target, object: SObjectName, parents: Vec<FieldName>) -> Self {
        Self { target, object, parents, hasher: RandomState::default() }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn object(&self) -> &SObjectName {
        &self.object
    }

    /// Whether rows of one parent are kept together.
    pub(super) fn has_parents(&self) -> bool {
        !self.parents.is_empty()
    }

    /// A lock of something that several rows may name.
    pub(crate) fn lock<T: Hash + ?Sized>(&self, what: &T) -> u64 {
        self.hasher.hash_one(what)
    }

    /// Reads what a record is known by and what it refers to. `more` are parents that the caller knows beside those.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a record that is no JSON object or, in an upsert, has no key.
    pub(crate) fn row<T: Serialize + ?Sized>(
        &self,
        place: u64,
        id: Option<RecordId>,
        record: &T,
        more: Vec<u64>,
    ) -> Result<Row> {
        let invalid = |message: &'static str| {
            Error::new(ErrorKind::Invalid, self.target.operation(), message).with_context("object", &self.object)
        };
        let json = serde_json::to_string(record)
            .map_err(|error| invalid("the record does not serialise to JSON").with_source(error))?;
        if !json.starts_with('{') {
            return Err(invalid("a record has to serialise to a JSON object"));
        }
        let mut parents = more;
        let mut key: Option<Box<str>> = id.map(|id| id.as_str().into());
        if let Target::Upsert(field) = &self.target {
            let value = key_of(json.as_bytes(), field.as_str()).filter(|value| !value.trim().is_empty());
            let missing = || invalid("the record has no external id").with_context("field", field);
            key = Some(value.ok_or_else(missing)?.into());
        }
        if !self.parents.is_empty() {
            let Members(members) = serde_json::from_str(&json)
                .map_err(|error| invalid("the record does not serialise to JSON").with_source(error))?;
            let named = members.iter().filter(|(name, _)| self.parents.iter().any(|parent| *name == parent.as_str()));
            parents.extend(named.filter_map(|(name, raw)| self.parent(name, raw)));
        }
        let own = key.as_ref().map(|key| {
            let key = key.trim();
            let plain = !key.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
            if plain { self.lock(&("record", key)) } else { self.lock(&("record", &*key.to_lowercase())) }
        });
        Ok(Row { place, id, json, key, own, parents, round: 0, doubt: false, came_back: false })
    }

    /// The lock of a parent by id or by external id.
    fn parent(&self, name: &str, raw: &RawValue) -> Option<u64> {
        match text(raw) {
            Some(id) => Some(match RecordId::new(id.as_ref()) {
                Ok(id) => self.lock(&("id", id.as_str())),
                Err(_) => self.lock(&(name, id)),
            }),
            None if raw.get() == "null" => None,
            None => Some(self.lock(&(name, raw.get()))),
        }
    }
}

impl Row {
    /// Lays a later record of the same key over this one, with the effect of writing one after the other.
    pub(super) fn fold(self, later: Self) -> Self {
        let json = overlay(&self.json, &later.json);
        let mut parents = self.parents;
        parents.extend(later.parents);
        Self { json: json.unwrap_or(later.json), parents, round: self.round, doubt: self.doubt || later.doubt, ..later }
    }

    /// Bytes of its record.
    pub(super) fn weight(&self) -> usize {
        self.json.len()
    }
}

/// The members of both, a later one in the place of an earlier one of the same name; names of fields have no case.
fn overlay(earlier: &str, later: &str) -> Option<String> {
    let Members(mut members) = serde_json::from_str(earlier).ok()?;
    let Members(later) = serde_json::from_str(later).ok()?;
    for (name, value) in later {
        // A parent by its id and by its external id are one field.
        let sibling = other_form(&name);
        let refers = |value: &RawValue| value.get().starts_with('{') || value.get() == "null";
        members.retain(|(known, before)| !(known.eq_ignore_ascii_case(&sibling) && (refers(before) || refers(value))));
        match members.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some(member) => *member = (name, value),
            None => members.push((name, value)),
        }
    }
    serde_json::to_string(&Members(members)).ok()
}

/// The name under which a reference is written in its other form: `Account` and `AccountId`, `Parent__r` and `Parent__c`.
fn other_form(name: &str) -> String {
    let tail = |length: usize| name.split_at_checked(name.len().saturating_sub(length));
    match (tail(3), tail(2)) {
        (Some((stem, end)), _) if end.eq_ignore_ascii_case("__c") => format!("{stem}__r"),
        (Some((stem, end)), _) if end.eq_ignore_ascii_case("__r") => format!("{stem}__c"),
        (_, Some((stem, end))) if end.eq_ignore_ascii_case("Id") => stem.to_owned(),
        _ => format!("{name}Id"),
    }
}

fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned),
        Some(b'-' | b'0'..=b'9') => Some(Cow::Borrowed(raw.get())),
        _ => None,
    }
}

/// The members of a JSON object, their values not read.
pub(super) struct Members<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    members.push((name.0, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(All)
    }
}

/// A name that borrows where it stands in the text as it is; a plain `Cow` always copies.
#[derive(serde::Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Serialize for Members<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Record;

    fn upsert(parents: &[&'static str]) -> Intake {
        let parents = parents.iter().map(|name| FieldName::from_static(name)).collect();
        Intake::new(Target::Upsert(FieldName::from_static("Key__c")), SObjectName::from_static("Thing__c"), parents)
    }

    fn json(text: &str) -> serde_json::Value {
        serde_json::from_str(text).expect(text)
    }

    #[test]
    fn a_row_knows_its_key_and_its_parents() {
        let intake = upsert(&["AccountId", "Parent__r"]);
        let row = |text: &str| intake.row(0, None, &json(text), Vec::new());
        let one = row(r#"{"Key__c":"A","AccountId":"001000000000001","Parent__r":{"Key__c":"p"}}"#).expect("sound");
        let same = row(r#"{"Key__c":"a","AccountId":"001000000000001AAA","Parent__r":null}"#).expect("sound");
        assert_eq!((one.key.as_deref(), same.key.as_deref()), (Some("A"), Some("a")));
        assert_eq!(one.own, same.own, "most external ids have no case");
        assert_eq!((one.parents.len(), same.parents.len()), (2, 1));
        assert!(one.parents.contains(&same.parents[0]), "an id of 15 characters is the one of 18");
        assert!(row(r#"{"Key__c":7}"#).is_ok());
        for text in [r"{}", r#"{"Key__c":" "}"#, r#"{"Key__c":null}"#, "[1]", "7"] {
            assert_eq!(row(text).expect_err(text).kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn a_later_record_is_laid_over_an_earlier_one() {
        let intake = upsert(&[]);
        let row = |place, text: &str| intake.row(place, None, &json(text), Vec::new()).expect("sound");
        let folded = row(1, r#"{"Key__c":"k","A":1,"B":"x"}"#).fold(row(2, r#"{"Key__c":"k","b":null,"C":2.50}"#));
        assert_eq!(json(&folded.json), json(r#"{"Key__c":"k","A":1,"b":null,"C":2.50}"#));
        assert_eq!(folded.place, 2);
        let by_key = row(3, r#"{"Key__c":"k","Account":{"Ext__c":"a"},"Parent__c":null}"#);
        let folded = row(2, r#"{"Key__c":"k","AccountId":"001000000000001","Parent__r":{"Ext__c":"p"}}"#).fold(by_key);
        assert_eq!(
            json(&folded.json),
            json(r#"{"Key__c":"k","Account":{"Ext__c":"a"},"Parent__c":null}"#),
            "the later reference"
        );
    }

    #[test]
    fn records_of_other_targets_are_known_by_their_id_or_not_at_all() {
        let object = SObjectName::from_static("Thing__c");
        let id = RecordId::new("001000000000001").expect("an id");
        let update = Intake::new(Target::Update, object.clone(), Vec::new());
        assert!(update.row(0, Some(id), &Record::new(), Vec::new()).expect("sound").own.is_some());
        let insert = Intake::new(Target::Insert, object, Vec::new());
        assert!(insert.row(0, None, &Record::new(), Vec::new()).expect("sound").own.is_none());
    }
}
