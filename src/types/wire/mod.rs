//! The forms of a value on the wire: JSON, SOAP and Bulk CSV.
//!
//! A field is absent, null or set in each of them, and comes back as what it was once its type is known:
//!
//! | | JSON | SOAP | Bulk CSV, to load | Bulk CSV, of a query |
//! | --- | --- | --- | --- | --- |
//! | absent | no member | no element | empty cell | no column |
//! | null | `null` | `fieldsToNull`; `xsi:nil` in answers | `#N/A` | empty cell |
//! | set | as [`Value`] serialises | text | text | text |
//!
//! An empty or blank text is null in all of them, since Salesforce stores it as null. JSON needs no function of its own:
//! [`Record`] reads and writes it, and [`Value::typed`] or [`FieldTypes`] give what was read its type.
//!
//! Sources: SOAP API guide, "Field types", "fieldsToNull"; Bulk API 2.0 guide, "Prepare CSV Files", "Relationship Fields in a
//! Header Row"; Object Reference, "Field Types"; recorded answers.

pub mod csv;
pub mod soap;
mod text;

use std::collections::HashMap;

use chrono::{NaiveTime, Timelike};

use super::{Decimal, FieldType, Record, RecordId, SObjectDescribe, Timestamp, Value};
use crate::error::{Error, ErrorKind, Result};

impl Value {
    /// The value as one of a field of that type.
    ///
    /// An answer does not tell a date from a text, an id from a picklist value, or, in Bulk results as JSON and in change
    /// events, a datetime from a number. This does:
    ///
    /// - blank text becomes null, for every type;
    /// - `datetime`: a text with an offset in any shape, or milliseconds since 1970; `date`: `2026-05-01`, or milliseconds of
    ///   a midnight in UTC;
    /// - `time`: `11:29:24.000Z`, with or without fraction and `Z`, or milliseconds of the day, becomes the full text;
    /// - numbers and checkboxes also from their text; a whole number for `int`;
    /// - `id`, `reference`: 15 or 18 characters; a parent by external id stays a record;
    /// - `multipicklist`: `a;b`, or a list of texts;
    /// - `address`, `location`: a record, its latitude and longitude numbers;
    /// - all kinds of text stay text, `base64` too, and the record a change event has for a compound name stays one;
    /// - `anyType` and types of a later release stay as they are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a value that does not fit its type; the value is not quoted.
    pub fn typed(self, field_type: &FieldType) -> Result<Self> {
        if self.is_blank() {
            return Ok(Self::Null);
        }
        match field_type {
            FieldType::AnyType | FieldType::Other(_) => Ok(self),
            FieldType::Boolean => match self {
                Self::Bool(_) => Ok(self),
                Self::Text(text) => text::flag(text.trim()).map(Self::Bool).ok_or_else(|| unfit("true or false")),
                _ => Err(unfit("true or false")),
            },
            FieldType::Int | FieldType::Double | FieldType::Currency | FieldType::Percent => {
                number(self, *field_type == FieldType::Int)
            }
            FieldType::Date => day(self),
            FieldType::Datetime => instant(self),
            FieldType::Time => time(&self),
            FieldType::Id => id(&self),
            FieldType::Reference => match self {
                Self::Record(_) => Ok(self),
                other => id(&other),
            },
            FieldType::Multipicklist => choices(&self),
            FieldType::Address | FieldType::Location => match self {
                Self::Record(parts) => place(&parts),
                _ => Err(unfit("the parts of an address or location")),
            },
            // A change event has a person's name by its parts. recorded: cdc/contact-update-eventrelay.json
            FieldType::String if matches!(self, Self::Record(_)) => Ok(self),
            FieldType::String
            | FieldType::Textarea
            | FieldType::Picklist
            | FieldType::Combobox
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Url
            | FieldType::Encryptedstring
            | FieldType::Base64 => match self {
                Self::Text(_) => Ok(self),
                _ => Err(unfit("a text")),
            },
        }
    }
}

fn unfit(what: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "", "the value does not fit its field's type").with_context("wanted", what)
}

fn number(value: Value, whole: bool) -> Result<Value> {
    let number = match value {
        Value::Number(number) => number,
        Value::Text(text) => Decimal::parse(text.trim()).map_err(|_| unfit("a number of at most 28 digits"))?,
        _ => return Err(unfit("a number of at most 28 digits")),
    };
    if whole && !number.is_whole() {
        return Err(unfit("a whole number"));
    }
    Ok(Value::Number(number))
}

/// Milliseconds as Bulk results in JSON and change events have them. recorded: cdc/account-create-pubsub-decoded.json
fn millis(value: &Value) -> Option<i64> {
    value.as_number().filter(|number| number.is_whole())?.to_string().parse().ok()
}

fn day(value: Value) -> Result<Value> {
    let wanted = || unfit("a date such as 2026-05-01");
    match &value {
        Value::Number(_) => {
            let moment = millis(&value).and_then(Timestamp::from_unix_millis).ok_or_else(wanted)?;
            let text = moment.to_string();
            let (day, time) = text.split_once('T').ok_or_else(wanted)?;
            if time != "00:00:00.000Z" {
                return Err(wanted());
            }
            super::Date::parse(day).map(Value::Date)
        }
        Value::Text(text) => super::Date::parse(text.trim()).map(Value::Date).map_err(|_| wanted()),
        Value::Date(_) => Ok(value),
        _ => Err(wanted()),
    }
}

fn instant(value: Value) -> Result<Value> {
    let wanted = || unfit("a date and time with offset, such as 2026-05-01T07:25:37Z");
    match &value {
        Value::Number(_) => {
            millis(&value).and_then(Timestamp::from_unix_millis).map(Value::DateTime).ok_or_else(wanted)
        }
        Value::Text(text) => Timestamp::parse(text.trim()).map(Value::DateTime).map_err(|_| wanted()),
        Value::DateTime(_) => Ok(value),
        _ => Err(wanted()),
    }
}

fn time(value: &Value) -> Result<Value> {
    let wanted = || unfit("a time of day such as 11:29:24.000Z");
    let time = match value {
        Value::Number(_) => {
            let millis = millis(value).and_then(|millis| u32::try_from(millis).ok()).ok_or_else(wanted)?;
            NaiveTime::from_num_seconds_from_midnight_opt(millis / 1000, millis % 1000 * 1_000_000)
        }
        Value::Text(text) => {
            let text = text.trim();
            NaiveTime::parse_from_str(text.strip_suffix('Z').unwrap_or(text), "%H:%M:%S%.f").ok()
        }
        _ => None,
    };
    // A second numbered 60 has more than a second's nanoseconds.
    let time = time.filter(|time| time.nanosecond() < 1_000_000_000).ok_or_else(wanted)?;
    Ok(Value::Text(time.format("%H:%M:%S%.3fZ").to_string()))
}

fn id(value: &Value) -> Result<Value> {
    let id = match value {
        Value::Id(id) => Some(*id),
        Value::Text(text) => RecordId::new(text.trim()).ok(),
        _ => None,
    };
    id.map(Value::Id).ok_or_else(|| unfit("a record id of 15 or 18 characters"))
}

fn choices(value: &Value) -> Result<Value> {
    let chosen = value.chosen().ok_or_else(|| unfit("chosen values, as a;b"))?;
    if chosen.iter().any(|choice| choice.contains(';')) {
        return Err(unfit("chosen values without a semicolon in them"));
    }
    if chosen.is_empty() {
        return Ok(Value::Null);
    }
    Ok(Value::MultiSelect(chosen.into_iter().map(str::to_owned).collect()))
}

/// Answers spell the parts `latitude`, change events `Latitude`.
fn place(parts: &Record) -> Result<Value> {
    let mut typed = parts.clone();
    for (name, value) in parts.iter() {
        let number = name.eq_ignore_ascii_case("latitude") || name.eq_ignore_ascii_case("longitude");
        let field_type = if number { FieldType::Double } else { FieldType::String };
        typed.set(name, value.clone().typed(&field_type).map_err(|error| error.with_context("part", name))?);
    }
    Ok(Value::Record(typed))
}

/// The types of an object's fields, to give whole records theirs.
///
/// Made once per object; finding a field's type takes the same time however many there are.
#[derive(Clone, Debug, Default)]
pub struct FieldTypes(HashMap<String, FieldType>);

impl FieldTypes {
    /// The types of these fields. Names compare without regard to case, as Salesforce does.
    pub fn new<'a>(types: impl IntoIterator<Item = (&'a str, FieldType)>) -> Self {
        Self(types.into_iter().map(|(name, field_type)| (name.to_ascii_lowercase(), field_type)).collect())
    }

    /// The types of a described object's fields.
    #[must_use]
    pub fn of(object: &SObjectDescribe) -> Self {
        Self::new(object.fields.iter().map(|field| (field.name.as_str(), field.field_type.clone())))
    }

    /// A field's type; `None` for one that is not known.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&FieldType> {
        self.0.get(name).or_else(|| self.0.get(&name.to_ascii_lowercase()))
    }

    /// The record with every value as [`Value::typed`] gives it. Fields that are not known stay as they are, parents too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] naming the first field whose value does not fit.
    pub fn typed(&self, mut record: Record) -> Result<Record> {
        record.try_map(|name, value| match self.get(name) {
            Some(field_type) => value.typed(field_type).map_err(|error| error.with_context("field", name)),
            None => Ok(value),
        })?;
        Ok(record)
    }
}

#[cfg(test)]
mod tests;
