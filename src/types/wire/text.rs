//! A value as text, and back: what SOAP and CSV have in common.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldType, Value};

/// The text of a value that is set; `None` for a blank one, which is null on the wire.
pub(super) fn of(value: &Value) -> Result<Option<Cow<'_, str>>> {
    if value.is_blank() {
        return Ok(None);
    }
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Text(text) => Cow::Borrowed(text),
        Value::DateTime(moment) => Cow::Owned(moment.to_string()),
        Value::Date(day) => Cow::Owned(day.to_string()),
        Value::Id(id) => Cow::Owned(id.to_string()),
        Value::MultiSelect(chosen) => Cow::Owned(chosen.join(";")),
        Value::OutOfRange(_) => return Err(unwritable("a number of more than 28 digits")),
        Value::Record(_) => {
            return Err(
                unwritable("a record").with_advice("write the parts of an address or location as their own fields")
            );
        }
        Value::Children(_) => return Err(unwritable("the rows of a subquery")),
        Value::List(_) => return Err(unwritable("a list").with_advice("join it to one text")),
    }))
}

pub(super) fn unwritable(what: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "", "the value cannot be written to a field").with_context("value is", what)
}

/// The value of a text; empty is null, and blank too where the type is known.
pub(super) fn read(text: &str, field_type: Option<&FieldType>) -> Result<Value> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let value = Value::Text(text.to_owned());
    match field_type {
        Some(field_type) => value.typed(field_type),
        None => Ok(value),
    }
}

/// XML Schema writes a checkbox as `true`, `false`, `1` or `0`; CSV takes any case.
pub(super) fn flag(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") || text == "1" {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") || text == "0" {
        Some(false)
    } else {
        None
    }
}
