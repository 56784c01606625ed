//! Records: dynamic ones, and what typed ones need.

use std::borrow::{Borrow, Cow};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{self, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::value::from_raw;
use super::{SObjectName, Value};
use crate::error::{Error, ErrorKind, Result};

/// A typed record of one sObject.
///
/// Field names are Salesforce's: use `#[serde(rename = "…")]`. Wrap fields that may be left alone in [`Field`].
pub trait SObject {
    /// The object's API name.
    const NAME: SObjectName;
}

/// A dynamic record: fields in order, each either absent (no entry), null or set.
///
/// Read by `serde_json` only, which alone hands over numbers with all their digits; [`from_json`](Self::from_json) is the
/// fastest way. A member that occurs twice is refused. Names are shared: a clone of a record copies none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    object: Option<Arc<str>>,
    fields: Vec<(Arc<str>, Value)>,
}

impl Record {
    /// A record without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A record that says its object: needed for a polymorphic parent.
    #[must_use]
    pub fn of(object: &SObjectName) -> Self {
        Self { object: Some(object.as_str().into()), fields: Vec::new() }
    }

    /// An empty record that may say its object, with a shared name.
    pub(crate) fn nested(object: Option<Arc<str>>) -> Self {
        Self { object, fields: Vec::with_capacity(1) }
    }

    /// An empty record with room for this many fields.
    #[must_use]
    pub fn with_capacity(fields: usize) -> Self {
        Self { object: None, fields: Vec::with_capacity(fields) }
    }

    /// Reads one JSON object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] for what is no JSON object, for a text with an unpaired surrogate, and for nesting of more than
    /// 64 levels. A number of more than 28 digits is no error but [`Value::OutOfRange`].
    pub fn from_json(text: &str) -> Result<Self> {
        let decode = |error: serde_json::Error| {
            Error::new(ErrorKind::Decode, "record", "not a JSON object of values").with_source(error)
        };
        let members: Members<'_, &RawValue> = serde_json::from_str(text).map_err(decode)?;
        members.into_record(0).map_err(decode)
    }

    /// The object's name from `attributes`, if it is known. Query rows have it.
    #[must_use]
    pub fn object_name(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// The value of a field; `None` when it is absent. Names compare exactly.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(field, _)| **field == *name).map(|(_, value)| value)
    }

    /// The value at a path through parents, such as `Account.Owner.Name`; `None` when a step is absent or null.
    #[must_use]
    pub fn path(&self, path: &str) -> Option<&Value> {
        match path.split_once('.') {
            None => self.get(path),
            Some((parent, rest)) => self.get(parent)?.as_record()?.path(rest),
        }
    }

    /// The text of a field; `None` when it is absent, null or no text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    /// Sets a field, replacing its value.
    pub fn set(&mut self, name: impl Into<Arc<str>>, value: impl Into<Value>) -> &mut Self {
        let (name, value) = (name.into(), value.into());
        match self.fields.iter_mut().find(|(field, _)| *field == name) {
            Some((_, old)) => *old = value,
            None => self.fields.push((name, value)),
        }
        self
    }

    /// Puts a field behind the others. The caller knows that the record has none of this name.
    pub(crate) fn push(&mut self, name: Arc<str>, value: Value) {
        self.fields.push((name, value));
    }

    /// Replaces the value of the field at this place; nothing where there is none.
    pub(crate) fn fill(&mut self, place: usize, value: Value) {
        if let Some((_, old)) = self.fields.get_mut(place) {
            *old = value;
        }
    }

    /// The same record with a field set.
    #[must_use]
    pub fn with(mut self, name: impl Into<Arc<str>>, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Replaces every value by what `change` makes of it; stops at its first error.
    pub(crate) fn try_map(&mut self, mut change: impl FnMut(&str, Value) -> Result<Value>) -> Result<()> {
        for (name, value) in &mut self.fields {
            *value = change(name, std::mem::replace(value, Value::Null))?;
        }
        Ok(())
    }

    /// Takes a field out, so that it is absent.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.fields.iter().position(|(field, _)| **field == *name)?;
        Some(self.fields.remove(index).1)
    }

    /// Fields in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.fields.iter().map(|(name, value)| (&**name, value))
    }

    /// Fields in order, with names that can be shared.
    pub(crate) fn entries(&self) -> &[(Arc<str>, Value)] {
        &self.fields
    }

    /// Number of fields that are null or set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether all fields are absent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            map.serialize_entry(&**name, value)?;
        }
        map.end()
    }
}

/// A record inside another one: a polymorphic parent needs `attributes` before any other member (recorded error text). At
/// the top the call itself says the object.
pub(super) struct Nested<'a>(pub(super) &'a Record);

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(object) = &self.0.object {
            map.serialize_entry("attributes", &Attributes { object })?;
        }
        for (name, value) in &self.0.fields {
            map.serialize_entry(&**name, value)?;
        }
        map.end()
    }
}

#[derive(serde::Serialize)]
struct Attributes<'a> {
    #[serde(rename = "type")]
    object: &'a str,
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Members::<Box<RawValue>>::deserialize(deserializer)?;
        members.into_record(0).map_err(de::Error::custom)
    }
}

/// Up to so many fields a record is searched one by one, which is faster than a table for it.
const FEW: usize = 16;

/// Finds the fields of one record by name, however many there are: for those who ask for all of them.
///
/// Costs nothing for a record of up to 16 fields, and one table when the first field of a longer one is not where the last
/// one was found: who asks in the order of the record needs none.
#[derive(Debug)]
pub(crate) struct FieldIndex<'a> {
    fields: &'a [(Arc<str>, Value)],
    next: usize,
    places: Option<HashMap<&'a str, usize, RandomState>>,
}

impl<'a> FieldIndex<'a> {
    pub(crate) fn new(record: &'a Record) -> Self {
        Self { fields: &record.fields, next: 0, places: None }
    }

    /// The value of a field; `None` when it is absent.
    #[inline]
    pub(crate) fn get(&mut self, name: &str) -> Option<&'a Value> {
        let place = self.place(name)?;
        self.next = place + 1;
        Some(&self.fields[place].1)
    }

    /// Where the field is.
    #[inline]
    pub(super) fn place(&mut self, name: &str) -> Option<usize> {
        if self.fields.get(self.next).is_some_and(|(field, _)| **field == *name) {
            return Some(self.next);
        }
        self.search(name)
    }

    fn search(&mut self, name: &str) -> Option<usize> {
        if self.fields.len() <= FEW {
            return self.fields.iter().position(|(field, _)| **field == *name);
        }
        let fields = self.fields;
        let places = || fields.iter().enumerate().map(|(place, (field, _))| (&**field, place)).collect();
        self.places.get_or_insert_with(places).get(name).copied()
    }
}

/// The members of a JSON object, their values not yet read.
pub(super) struct Members<'de, R>(Vec<(Cow<'de, str>, R)>);

impl<R: Borrow<RawValue>> Members<'_, R> {
    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().rev().find(|(member, _)| member == name).map(|(_, raw)| raw.borrow())
    }

    pub(super) fn into_record(self, depth: u32) -> Result<Record, serde_json::Error> {
        let mut record = Record { object: None, fields: Vec::with_capacity(self.0.len()) };
        let many = self.0.len() > FEW;
        let room = if many { self.0.len() } else { 0 };
        let mut known: HashSet<Arc<str>, RandomState> = HashSet::with_capacity_and_hasher(room, RandomState::default());
        for (name, raw) in self.0 {
            if name == "attributes" {
                record.object = object_of(raw.borrow());
                continue;
            }
            let value = from_raw(raw.borrow(), depth + 1)?;
            let doubled =
                if many { known.contains(&*name) } else { record.fields.iter().any(|(field, _)| **field == *name) };
            if doubled {
                return Err(de::Error::custom(format_args!("the member {name:?} occurs twice")));
            }
            let name: Arc<str> = name.into();
            if many {
                known.insert(Arc::clone(&name));
            }
            record.fields.push((name, value));
        }
        Ok(record)
    }
}

impl<'de, R: Deserialize<'de>> Deserialize<'de> for Members<'de, R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor<R>(PhantomData<R>);

        impl<'de, R: Deserialize<'de>> Visitor<'de> for MembersVisitor<R> {
            type Value = Members<'de, R>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de, R>, A::Error> {
                let mut members = Vec::with_capacity(map.size_hint().unwrap_or(16).min(1024));
                while let Some((Name(name), raw)) = map.next_entry()? {
                    members.push((name, raw));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor(PhantomData))
    }
}

/// A member's name, borrowed where it stands in the text as it is.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

/// The object's name in `attributes`; whatever else stands there is not ours to refuse.
fn object_of(attributes: &RawValue) -> Option<Arc<str>> {
    #[derive(serde::Deserialize)]
    struct Attributes {
        #[serde(rename = "type")]
        object: Option<String>,
        #[serde(default)]
        #[expect(dead_code, reason = "named so that its type is not checked")]
        url: IgnoredAny,
    }
    serde_json::from_str::<Attributes>(attributes.get()).ok()?.object.map(Into::into)
}

/// A field of a typed record that tells "leave it alone", "clear it" and "set it" apart.
///
/// ```
/// use sforce::types::{Field, SObject, SObjectName};
///
/// #[derive(serde::Serialize)]
/// struct Account {
///     #[serde(rename = "Name", skip_serializing_if = "Field::is_absent", default)]
///     name: Field<String>,
///     #[serde(rename = "Website", skip_serializing_if = "Field::is_absent", default)]
///     website: Field<String>,
/// }
///
/// impl SObject for Account {
///     const NAME: SObjectName = SObjectName::from_static("Account");
/// }
///
/// let account = Account { name: Field::Absent, website: Field::Null };
/// assert_eq!(serde_json::to_string(&account)?, r#"{"Website":null}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Both attributes are needed: without `skip_serializing_if` an absent field would clear the field in Salesforce, so
/// serialising one is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Field<T> {
    /// Not known here: the request leaves the field alone.
    #[default]
    Absent,
    /// Blank: the request clears the field.
    Null,
    /// A value.
    Set(T),
}

impl<T> Field<T> {
    /// Whether the field is left alone.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if there is one.
    #[must_use]
    pub fn as_set(&self) -> Option<&T> {
        if let Self::Set(value) = self { Some(value) } else { None }
    }
}

impl<T: Clone + PartialEq> Field<T> {
    /// What a write needs so that `before` becomes `after`: absent where both are the same, null where nothing is left.
    ///
    /// Takes values and options of them, by reference.
    #[must_use]
    pub fn between<'a>(before: impl Into<Option<&'a T>>, after: impl Into<Option<&'a T>>) -> Self
    where
        T: 'a,
    {
        match (before.into(), after.into()) {
            (before, after) if before == after => Self::Absent,
            (_, Some(after)) => Self::Set(after.clone()),
            (_, None) => Self::Null,
        }
    }

    /// As [`between`](Self::between), for a field that Salesforce does not let anyone clear: `None` leaves it alone.
    #[must_use]
    pub fn changed<'a>(before: impl Into<Option<&'a T>>, after: impl Into<Option<&'a T>>) -> Option<T>
    where
        T: 'a,
    {
        match Self::between(before, after) {
            Self::Set(after) => Some(after),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => Err(ser::Error::custom("an absent field: add skip_serializing_if = \"Field::is_absent\"")),
            Self::Null => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_null_and_set_survive_the_way_out_and_back() {
        let record = Record::new().with("A", Value::Null).with("B", "x");
        let text = serde_json::to_string(&record).expect("serialises");
        assert_eq!(text, r#"{"A":null,"B":"x"}"#);
        let back: Record = serde_json::from_str(&text).expect("decodes");
        assert_eq!(back, record);
        assert_eq!((back.get("A"), back.get("C")), (Some(&Value::Null), None));
    }

    #[test]
    fn a_parent_is_reached_by_path() {
        let text = r#"{"attributes":{"type":"Contact","url":"/x"},"Account":{"attributes":{"type":"Account"},"Name":"Acme"},"Owner":null}"#;
        let record: Record = serde_json::from_str(text).expect("decodes");
        assert_eq!(record.object_name(), Some("Contact"));
        assert_eq!(record.path("Account.Name").and_then(Value::as_text), Some("Acme"));
        assert_eq!(record.path("Owner.Name"), None);
    }

    #[test]
    fn serialising_an_absent_field_is_an_error_not_a_null() {
        assert!(serde_json::to_string(&Field::<String>::Absent).is_err());
        assert_eq!(serde_json::to_string(&Field::Set(1)).expect("serialises"), "1");
    }

    #[test]
    fn what_differs_is_set_or_null_and_what_does_not_is_absent() {
        assert_eq!(Field::<i32>::between(&1, &1), Field::Absent);
        assert_eq!(Field::between(None, Some(&2)), Field::Set(2));
        assert_eq!(Field::<i32>::between(&Some(1), &None), Field::Null);
        assert_eq!(Field::<i32>::between(None, None), Field::Absent);
        assert_eq!(Field::changed(Some(&1), Some(&2)), Some(2));
        assert_eq!(Field::changed(Some(&1), None), None, "nobody may clear it");
    }

    #[test]
    fn an_id_with_its_attributes_is_what_a_parent_reference_needs() {
        let user = Record::of(&SObjectName::from_static("User")).with("Key__c", "k");
        let account = Record::of(&SObjectName::from_static("Account")).with("Owner", user);
        let text = serde_json::to_string(&account).expect("serialises");
        assert_eq!(text, r#"{"Owner":{"attributes":{"type":"User"},"Key__c":"k"}}"#);
    }
}
