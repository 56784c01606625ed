//! What the org stores in a field.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;

/// A stored value. Text is never blank: Salesforce stores an empty text as null.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Decimal),
    /// Text of any kind: string, picklist, email, url, `a;b` of a multi-select. Ids and references hold 18 characters.
    Text(String),
    /// Whole seconds.
    DateTime(DateTime<Utc>),
    Date(NaiveDate),
    Time(NaiveTime),
}

/// A stored record: values by the field's API name as the schema spells it. A field without an entry is null.
/// `Id` is always there; compound fields (addresses, `Name` of persons) are computed, not stored.
pub(crate) type Row = BTreeMap<String, Value>;

/// The text of a field; empty where there is none.
pub(crate) fn text<'r>(row: &'r Row, name: &str) -> &'r str {
    match row.get(name) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

/// Whether a checkbox is set.
pub(crate) fn is_set(row: &Row, name: &str) -> bool {
    row.get(name) == Some(&Value::Bool(true))
}
