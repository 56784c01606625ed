//! A field's value as JSON carries it.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::de::{self, Deserialize, Deserializer, Error as _};
use serde::ser::{self, Serialize, SerializeSeq, Serializer};
use serde_json::value::RawValue;

use super::digits;
use super::record::{Members, Nested};
use super::{Date, Decimal, Record, RecordId, Timestamp};
use crate::error::Result;

/// A value. That a field is absent is told by the [`Record`], which then has no entry for it.
///
/// Text covers all that JSON writes in quotes: an answer does not tell a date from a text, so ask for what you expect
/// ([`to_timestamp`](Self::to_timestamp), [`to_date`](Self::to_date)). Reads from `serde_json` only, which alone hands over
/// numbers with all their digits.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value: in an answer the field is blank, in a request it is cleared.
    Null,
    /// A checkbox.
    Bool(bool),
    /// Any number, exact.
    Number(Decimal),
    /// A number of more digits than [`Decimal`] holds, as it was written. No Salesforce field has one.
    OutOfRange(String),
    /// Text, id, picklist value, `a;b` of a multi-select, and dates as they came.
    Text(String),
    /// An instant to send.
    DateTime(Timestamp),
    /// A day to send.
    Date(Date),
    /// A record's id, where it is known to be one.
    Id(RecordId),
    /// The chosen values of a multi-select picklist, where it is known to be one; `a;b` on the wire.
    MultiSelect(Vec<String>),
    /// A parent record, a reference by external id, or the parts of an address.
    Record(Record),
    /// The rows of a child subquery.
    Children(Box<ChildRecords>),
    /// A list in source data. Salesforce fields hold none: a field map joins it to text.
    List(Vec<Value>),
}

/// The rows of a child subquery, maybe only the first of them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChildRecords {
    /// All children, also those on further pages.
    pub total_size: u64,
    /// The rows of this page.
    pub records: Vec<Record>,
    /// Where the rest is; `None` when `records` is complete. Never ignore it: see [`is_whole`](Self::is_whole).
    pub next_records_url: Option<String>,
}

impl ChildRecords {
    /// Whether `records` are all there are, by what the answer says of them and by their number. Where they are not, the others are read by
    /// [`Children::all`](crate::api::Children::all).
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.next_records_url.is_none() && self.records.len() as u64 == self.total_size
    }
}

impl Value {
    /// Whether the value is null or an empty text; Salesforce stores both as null.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::MultiSelect(chosen) => chosen.is_empty(),
            _ => false,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The flag, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<Decimal> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The parent record, if it is one.
    #[must_use]
    pub fn as_record(&self) -> Option<&Record> {
        if let Self::Record(record) = self { Some(record) } else { None }
    }

    /// The instant, from a value or from a text in any accepted shape.
    #[must_use]
    pub fn to_timestamp(&self) -> Option<Timestamp> {
        match self {
            Self::DateTime(moment) => Some(*moment),
            Self::Text(text) => Timestamp::read(text).ok(),
            _ => None,
        }
    }

    /// The day, from a value or from a text.
    #[must_use]
    pub fn to_date(&self) -> Option<Date> {
        match self {
            Self::Date(day) => Some(*day),
            Self::Text(text) => Date::read(text).ok(),
            _ => None,
        }
    }

    /// The record id, from a value or from a text of 15 or 18 characters.
    #[must_use]
    pub fn to_id(&self) -> Option<RecordId> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Text(text) => RecordId::new(text).ok(),
            _ => None,
        }
    }

    /// The chosen values of a multi-select picklist, from a value, from a list of texts, or from `a;b`. Spaces around a value
    /// and empty ones do not count.
    #[must_use]
    pub fn chosen(&self) -> Option<Vec<&str>> {
        let texts: Vec<&str> = match self {
            Self::MultiSelect(chosen) => chosen.iter().map(String::as_str).collect(),
            Self::List(items) => items.iter().map(Self::as_text).collect::<Option<_>>()?,
            Self::Text(text) => text.split(';').collect(),
            _ => return None,
        };
        Some(texts.into_iter().map(str::trim).filter(|text| !text.is_empty()).collect())
    }

    /// The order of two numbers, flags, days or moments, the latter two also as texts; `None` for what has no order.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => Some(left.cmp(right)),
            (Self::OutOfRange(left), Self::OutOfRange(right)) => digits::order(left, right),
            (Self::OutOfRange(left), Self::Number(right)) => digits::order(left, &right.to_string()),
            (Self::Number(left), Self::OutOfRange(right)) => digits::order(&left.to_string(), right),
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            _ => match (self.to_timestamp(), other.to_timestamp()) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                _ => Some(self.to_date()?.cmp(&other.to_date()?)),
            },
        }
    }

    /// Whether both are the same once Salesforce has stored them: blank is null, numbers compare by value, a date or time
    /// compares with its text in any shape, an id with its text of 15 or 18 characters, chosen values in any order, all else
    /// exactly. Give values in stored form (trimmed, whole seconds).
    #[must_use]
    pub fn same_stored(&self, other: &Self) -> bool {
        if self.is_blank() || other.is_blank() {
            return self.is_blank() && other.is_blank();
        }
        match (self, other) {
            (Self::DateTime(moment), value) | (value, Self::DateTime(moment)) => value.to_timestamp() == Some(*moment),
            (Self::Date(day), value) | (value, Self::Date(day)) => value.to_date() == Some(*day),
            (Self::Id(id), value) | (value, Self::Id(id)) => value.to_id() == Some(*id),
            (Self::MultiSelect(chosen), value) | (value, Self::MultiSelect(chosen)) => {
                value.chosen().is_some_and(|others| same_set(chosen.iter().map(String::as_str), others.into_iter()))
            }
            (left, right) => left == right,
        }
    }
}

fn same_set<'a>(left: impl Iterator<Item = &'a str>, right: impl Iterator<Item = &'a str>) -> bool {
    left.collect::<BTreeSet<_>>() == right.collect::<BTreeSet<_>>()
}

macro_rules! into_value {
    ($($from:ty => $variant:ident),*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

into_value!(bool => Bool, Decimal => Number, i64 => Number, u32 => Number, String => Text, &str => Text,
    Timestamp => DateTime, Date => Date, RecordId => Id, Record => Record, Vec<Value> => List);

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => number.serialize(serializer),
            Self::OutOfRange(digits) => {
                RawValue::from_string(digits.clone()).map_err(ser::Error::custom)?.serialize(serializer)
            }
            Self::Text(text) => serializer.serialize_str(text),
            // On the wire, milliseconds at most.
            Self::DateTime(moment) => serializer.collect_str(moment),
            Self::Date(day) => day.serialize(serializer),
            Self::Id(id) => id.serialize(serializer),
            Self::MultiSelect(chosen) => serializer.serialize_str(&chosen.join(";")),
            Self::Record(record) => Nested(record).serialize(serializer),
            Self::Children(children) if !children.is_whole() => {
                Err(ser::Error::custom("only the first records of a child subquery are here"))
            }
            Self::Children(children) => children.records.serialize(serializer),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        from_raw(&raw, 0).map_err(D::Error::custom)
    }
}

/// Salesforce nests five levels of parents and of children; what nests deeper than this is no answer of an org.
const MAX_DEPTH: u32 = 64;

/// Reads one JSON value. The text is well-formed JSON already, so its first character tells the type.
pub(super) fn from_raw(raw: &RawValue, depth: u32) -> Result<Value, serde_json::Error> {
    let text = raw.get();
    if depth > MAX_DEPTH {
        return Err(de::Error::custom("nested too deeply"));
    }
    Ok(match text.as_bytes().first() {
        // Well-formed and without escapes, it stands between the quotes as it is.
        Some(b'"') if !text.contains('\\') => Value::Text(text[1..text.len() - 1].to_owned()),
        Some(b'"') => {
            // All else about it has been looked at.
            let unescaped = serde_json::from_str(text);
            Value::Text(unescaped.map_err(|_| de::Error::custom("a text has an unpaired surrogate"))?)
        }
        Some(b'{') => object(serde_json::from_str(text)?, depth)?,
        Some(b'[') => Value::List(list(raw, depth)?),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => Decimal::parse(text).map_or_else(|_| Value::OutOfRange(text.to_owned()), Value::Number),
    })
}

fn list(raw: &RawValue, depth: u32) -> Result<Vec<Value>, serde_json::Error> {
    let items: Vec<&RawValue> = serde_json::from_str(raw.get())?;
    items.into_iter().map(|item| from_raw(item, depth + 1)).collect()
}

/// `{totalSize, done, records}` without `attributes` is a child subquery's answer, all else a record.
fn object(members: Members<'_, &RawValue>, depth: u32) -> Result<Value, serde_json::Error> {
    let (Some(total_size), Some(records)) = (members.get("totalSize"), members.get("records")) else {
        return members.into_record(depth).map(Value::Record);
    };
    if members.get("attributes").is_some() {
        return members.into_record(depth).map(Value::Record);
    }
    let rows = list(records, depth)?.into_iter().map(|row| match row {
        Value::Record(record) => Ok(record),
        _ => Err(de::Error::custom("a child row is no record")),
    });
    let next_records_url = members.get("nextRecordsUrl").map(|url| serde_json::from_str(url.get())).transpose()?;
    let total_size = serde_json::from_str(total_size.get())?;
    let records = rows.collect::<Result<_, _>>()?;
    Ok(Value::Children(Box::new(ChildRecords { total_size, records, next_records_url })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_forms_compare_across_types() {
        let moment = Timestamp::parse("2026-05-01T07:25:37Z").expect("valid");
        assert!(Value::from(moment).same_stored(&Value::from("2026-05-01T07:25:37.000+0000")));
        assert!(Value::Null.same_stored(&Value::from("  ")));
        assert!(!Value::from("a").same_stored(&Value::Null));
        assert!(!Value::from("a").same_stored(&Value::from("A")));
        let number = |text| Value::Number(Decimal::parse(text).expect(text));
        assert!(number("3.500").same_stored(&number("3.5")));
    }

    #[test]
    fn a_child_page_keeps_the_way_to_the_rest() {
        let text = r#"{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v63.0/query/01g-1","records":[{"attributes":{"type":"Contact"},"Id":"x"}]}"#;
        let value: Value = serde_json::from_str(text).expect("decodes");
        let Value::Children(children) = value else { panic!("{value:?}") };
        assert_eq!((children.total_size, children.records.len()), (3, 1));
        assert!(children.next_records_url.is_some());
    }

    #[test]
    fn children_are_whole_only_where_they_are_as_many_as_announced() {
        let row = r#"{"attributes":{"type":"Contact"},"Id":"x"}"#;
        for (total, next, whole) in [(1, "", true), (2, "", false), (1, r#""nextRecordsUrl":"/x","#, false)] {
            let text = format!(r#"{{"totalSize":{total},"done":{whole},{next}"records":[{row}]}}"#);
            let value: Value = serde_json::from_str(&text).expect("decodes");
            let Value::Children(children) = &value else { panic!("{value:?}") };
            assert_eq!((children.is_whole(), serde_json::to_string(&value).is_ok()), (whole, whole), "{text}");
        }
    }

    #[test]
    fn what_nests_without_end_is_refused_and_not_followed() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let text = open.repeat(100_000) + "1" + &close.repeat(100_000);
            assert!(serde_json::from_str::<Value>(&text).is_err());
        }
        let text = "[".repeat(60) + &"]".repeat(60);
        serde_json::from_str::<Value>(&text).expect("deep enough for every answer");
    }
}
