//! When two values are equal, and which comes first.

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
    let both_ascii = left.is_ascii() && right.is_ascii();
    if both_ascii { left.eq_ignore_ascii_case(right) } else { fold(left) == fold(right) }
}

pub(super) fn is_id(kind: FieldType) -> bool {
    matches!(kind, FieldType::Id | FieldType::Reference)
}

/// A value made ready for sorting, so that folding happens once for each row. Nulls are least; picklists sort in setup
/// order.
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

#[cfg(test)]
mod tests {
    use super::super::tests::{field, picklist};
    use super::*;

    fn key(field: &Field, value: &str) -> Key {
        Key::new(field, &Value::Text(value.to_owned()))
    }

    #[test]
    fn case_matters_for_ids_and_case_sensitive_fields_only() {
        let plain = field("Name", FieldType::String);
        let exact = Field { case_sensitive: true, ..plain.clone() };
        let id = field("Id", FieldType::Id);
        assert!(same_text(&plain, "École", "ÉCOLE"));
        assert!(!same_text(&exact, "a", "A"));
        assert!(!same_text(&id, "001a", "001A"));
        assert!(key(&plain, "b") < key(&plain, "C") && key(&exact, "b") > key(&exact, "C"));
    }

    #[test]
    fn nulls_come_first_and_picklists_keep_setup_order() {
        let stage = picklist("StageName", &["New", "Closed", "Active"]);
        assert!(key(&stage, "closed") < key(&stage, "Active"));
        assert!(key(&stage, "Active") < key(&stage, "Unlisted"));
        assert!(Key::new(&stage, &Value::Null) < key(&stage, "New"));
    }
}
