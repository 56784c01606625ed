//! When two values are equal, and which comes first.

use std::cmp::Ordering;

use super::super::schema::{Field, FieldType};
use super::super::value::Value;

/// Text as the org compares it where case does not matter.
// SOQL reference, "ORDER BY": English locales compare upper-cased text.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_uppercase() } else { text.chars().flat_map(char::to_uppercase).collect() }
}

/// Whether two texts are the same for a field: case matters only for `case_sensitive` fields.
pub(crate) fn same_text(field: &Field, left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    if field.case_sensitive || is_id(field.kind) {
        return false;
    }
    match left.is_ascii() && right.is_ascii() {
        true => left.eq_ignore_ascii_case(right),
        false => fold(left) == fold(right),
    }
}

/// Whether two values are the same for a field, as `=` sees it.
pub(crate) fn same_value(field: &Field, left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => same_text(field, left, right),
        (left, right) => left == right,
    }
}

/// The order of ORDER BY ASC, nulls first. Picklists sort in setup order.
pub(crate) fn order(field: &Field, left: &Value, right: &Value) -> Ordering {
    Key::new(field, left).cmp(&Key::new(field, right))
}

pub(super) fn is_id(kind: FieldType) -> bool {
    matches!(kind, FieldType::Id | FieldType::Reference)
}

/// A value made ready for sorting, so that folding happens once for each row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    Null,
    Bool(bool),
    Number(rust_decimal::Decimal),
    /// The place in the picklist, and the text for values that are not in it.
    Place(usize, String),
    Text(String),
    DateTime(chrono::DateTime<chrono::Utc>),
    Date(chrono::NaiveDate),
    Time(chrono::NaiveTime),
}

impl Key {
    pub(super) fn new(field: &Field, value: &Value) -> Self {
        match value {
            Value::Text(text) if is_id(field.kind) || field.case_sensitive => Self::Text(text.clone()),
            Value::Text(text) if !field.picklist_values.is_empty() && field.kind == FieldType::Picklist => {
                let place = field.picklist_values.iter().position(|entry| same_text(field, &entry.value, text));
                place.map_or_else(|| Self::Place(usize::MAX, fold(text)), |place| Self::Place(place, String::new()))
            }
            plain => Self::plain(plain),
        }
    }

    /// The key of a value no field describes.
    pub(super) fn plain(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Number(*number),
            Value::Text(text) => Self::Text(fold(text)),
            Value::DateTime(at) => Self::DateTime(*at),
            Value::Date(date) => Self::Date(*date),
            Value::Time(time) => Self::Time(*time),
        }
    }
}
