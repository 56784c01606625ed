//! A field's value as JSON carries it.

use serde::de::{self, Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::value::RawValue;

use super::{Date, Decimal, Record, Timestamp};
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
    /// Text, id, picklist value, `a;b` of a multi-select, and dates as they came.
    Text(String),
    /// An instant to send.
    DateTime(Timestamp),
    /// A day to send.
    Date(Date),
    /// A parent record, a reference by external id, or the parts of an address.
    Record(Record),
    /// The rows of a child subquery.
    Children(ChildRecords),
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
    /// Where the rest is; `None` when `records` is complete. Never ignore it.
    pub next_records_url: Option<String>,
}

impl Value {
    /// Whether the value is null or an empty text; Salesforce stores both as null.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
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
            Self::Text(text) => Timestamp::parse(text).ok(),
            _ => None,
        }
    }

    /// The day, from a value or from a text.
    #[must_use]
    pub fn to_date(&self) -> Option<Date> {
        match self {
            Self::Date(day) => Some(*day),
            Self::Text(text) => Date::parse(text).ok(),
            _ => None,
        }
    }

    /// Whether both are the same once Salesforce has stored them: blank is null, numbers compare by value, a date or time
    /// compares with its text in any shape, all else exactly. Give values in stored form (trimmed, whole seconds).
    #[must_use]
    pub fn same_stored(&self, other: &Self) -> bool {
        if self.is_blank() || other.is_blank() {
            return self.is_blank() && other.is_blank();
        }
        match (self, other) {
            (Self::DateTime(moment), value) | (value, Self::DateTime(moment)) => value.to_timestamp() == Some(*moment),
            (Self::Date(day), value) | (value, Self::Date(day)) => value.to_date() == Some(*day),
            (left, right) => left == right,
        }
    }
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
    Timestamp => DateTime, Date => Date, Record => Record, Vec<Value> => List);

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
            Self::Text(text) => serializer.serialize_str(text),
            Self::DateTime(moment) => moment.serialize(serializer),
            Self::Date(day) => day.serialize(serializer),
            Self::Record(record) => record.serialize(serializer),
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
        let raw = <&RawValue>::deserialize(deserializer)?;
        from_raw(raw).map_err(D::Error::custom)
    }
}

/// Reads one JSON value. The text is well-formed JSON already, so its first character tells the type.
pub(super) fn from_raw(raw: &RawValue) -> Result<Value, serde_json::Error> {
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'"') => Value::Text(serde_json::from_str(text)?),
        Some(b'{') => from_object(Record::from_json(text)?, text)?,
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            Value::List(items.into_iter().map(from_raw).collect::<Result<_, _>>()?)
        }
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => Value::Number(Decimal::parse(text).map_err(|error| de::Error::custom(error.message()))?),
    })
}

/// `{totalSize, done, records}` without `attributes` is a child subquery's answer, all else a record.
fn from_object(record: Record, text: &str) -> Result<Value, serde_json::Error> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        total_size: u64,
        #[serde(default)]
        next_records_url: Option<String>,
        records: Vec<Record>,
    }
    if record.object_name().is_some() || record.get("totalSize").is_none() || record.get("records").is_none() {
        return Ok(Value::Record(record));
    }
    let page: Page = serde_json::from_str(text)?;
    let Page { total_size, next_records_url, records } = page;
    Ok(Value::Children(ChildRecords { total_size, records, next_records_url }))
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
}
