//! Whether values of a kind fit a field.
//!
//! Sources: Object Reference, "Field Types"; SOAP API Developer Guide, "Primitive Data Types".

use super::super::steps::utf16_len;
use super::Findings;
use super::kind::Kind;
use crate::types::{FieldDescribe, FieldType, Value};

/// Key prefixes of standard objects, for the lookups that a map most often writes. Source: Object Reference and recorded
/// describes.
const PREFIXES: [(&str, &str); 10] = [
    ("001", "Account"),
    ("003", "Contact"),
    ("005", "User"),
    ("006", "Opportunity"),
    ("00G", "Group"),
    ("00Q", "Lead"),
    ("00e", "Profile"),
    ("012", "RecordType"),
    ("500", "Case"),
    ("701", "Campaign"),
];

pub(super) fn fit(kind: &Kind, field: &FieldDescribe, findings: &mut Findings) {
    if let Kind::OneOf(values) = kind {
        values.iter().filter(|value| !value.is_blank()).for_each(|value| fit_value(value, field, findings));
        return;
    }
    if matches!(field.field_type, FieldType::Address | FieldType::Location) {
        findings.impossible("a compound field is read-only: write its parts");
        return;
    }
    if let Kind::List = kind {
        findings.impossible("no field holds a list: add join_list or multi_select");
        return;
    }
    match &field.field_type {
        FieldType::Boolean => fit_flag(kind, findings),
        FieldType::Int | FieldType::Double | FieldType::Currency | FieldType::Percent => {
            fit_number(kind, field, findings);
        }
        FieldType::Date | FieldType::Datetime | FieldType::Time => fit_time(kind, field, findings),
        FieldType::Id | FieldType::Reference => fit_id(kind, field, findings),
        FieldType::Picklist | FieldType::Multipicklist => fit_list(kind, field, findings),
        FieldType::AnyType | FieldType::Base64 | FieldType::Other(_) => {
            findings.lossy("a field of a type that is not looked into");
        }
        _ => fit_text(kind, field, findings),
    }
}

fn wrong(kind: &Kind, what: &str, remedy: &str) -> String {
    let remedy = if remedy.is_empty() { String::new() } else { format!(": {remedy}") };
    format!("{} into {what}{remedy}", kind.words())
}

fn unknown(findings: &mut Findings, what: &str, remedy: &str) {
    findings.lossy(format!("not known to be {what}, and what is not is refused: add {remedy}"));
}

fn fit_flag(kind: &Kind, findings: &mut Findings) {
    match kind {
        Kind::Flag => {}
        Kind::Unknown => unknown(findings, "a flag", "boolean"),
        kind => findings.impossible(wrong(kind, "a checkbox", "add boolean")),
    }
}

fn fit_number(kind: &Kind, field: &FieldDescribe, findings: &mut Findings) {
    // Whole-number fields tell their digits, and no precision.
    let digits = if field.field_type == FieldType::Int { field.digits } else { field.precision };
    let room = (digits > 0).then(|| digits.saturating_sub(field.scale));
    match kind {
        Kind::Number { whole, scale } => {
            if let Some(room) = room.filter(|room| whole.is_none_or(|whole| whole > *room)) {
                findings.lossy(format!(
                    "more than {room} digits before the point are refused: add number with precision {} and scale {}",
                    digits, field.scale
                ));
            }
            if scale.is_none_or(|scale| scale > field.scale) {
                findings.lossy(format!("Salesforce rounds to {} digits after the point", field.scale));
            }
        }
        Kind::Unknown => unknown(findings, "a number", "number"),
        kind @ Kind::Text { .. } => findings.impossible(wrong(kind, "a number field", "add parse_number")),
        kind => findings.impossible(wrong(kind, "a number field", "")),
    }
}

fn fit_time(kind: &Kind, field: &FieldDescribe, findings: &mut Findings) {
    match (kind, &field.field_type) {
        (Kind::Date, FieldType::Date) | (Kind::DateTime, FieldType::Datetime) => {}
        (Kind::DateTime, FieldType::Date) => {
            findings.lossy("the time of day is dropped: add date, with the zone that is meant");
        }
        (Kind::Date, FieldType::Datetime) => findings.lossy("a day without a time of day becomes midnight in UTC"),
        (Kind::Unknown | Kind::Text { .. }, FieldType::Date) => unknown(findings, "a day", "date"),
        (Kind::Unknown | Kind::Text { .. }, FieldType::Datetime) => unknown(findings, "a date and time", "date_time"),
        (Kind::Unknown | Kind::Text { .. }, _) => unknown(findings, "a time of day", "matches"),
        (kind @ Kind::Number { .. }, FieldType::Datetime) => {
            findings.impossible(wrong(kind, "a date and time field", "add epoch_seconds or epoch_milliseconds"));
        }
        (kind, _) => findings.impossible(wrong(kind, "a date or time field", "")),
    }
}

fn fit_id(kind: &Kind, field: &FieldDescribe, findings: &mut Findings) {
    match kind {
        Kind::Id(None) => {}
        Kind::Id(Some(prefix)) => {
            let object = PREFIXES.iter().find(|(known, _)| known == prefix).map(|(_, object)| *object);
            let leads = |object: &str| field.reference_to.iter().any(|to| to.eq_ignore_ascii_case(object));
            if let Some(object) = object.filter(|object| !field.reference_to.is_empty() && !leads(object)) {
                let parents = field.reference_to.join(", ");
                findings
                    .impossible(format!("ids that start with {prefix} are of {object}, the lookup leads to {parents}"));
            }
        }
        Kind::Unknown | Kind::Text { .. } => unknown(findings, "a record id", "record_id"),
        kind => findings.impossible(wrong(kind, "a lookup", "")),
    }
}

fn fit_list(kind: &Kind, field: &FieldDescribe, findings: &mut Findings) {
    let several = field.field_type == FieldType::Multipicklist;
    match kind {
        Kind::Text { .. } | Kind::Unknown => {
            if field.restricted_picklist {
                findings.lossy("a value outside the restricted list is refused: add table");
            }
            if several {
                findings.lossy("a text with a semicolon is several values: add multi_select");
            } else if field.restricted_picklist {
                // A value of the list fits.
            } else {
                fit_text(kind, field, findings);
            }
        }
        Kind::Chosen if several => {
            if field.restricted_picklist {
                findings.lossy("a value outside the restricted list is refused");
            }
        }
        kind => findings.impossible(wrong(kind, "a picklist", "")),
    }
}

fn fit_text(kind: &Kind, field: &FieldDescribe, findings: &mut Findings) {
    let length = usize::try_from(field.length).unwrap_or(usize::MAX);
    match kind {
        Kind::Text { max, email } => {
            if length > 0 && max.is_none_or(|max| max > length) {
                findings.lossy(format!("more than {length} characters are refused: add max_length or truncate"));
            }
            if field.field_type == FieldType::Email && !email {
                findings.lossy("what is no email address is refused: add email");
            }
        }
        Kind::Unknown => unknown(findings, "a text that fits", &format!("text and max_length of {length}")),
        Kind::Id(_) if length >= 18 => {}
        Kind::Id(_) => findings.impossible(format!("a record id has 18 characters, the field {length}")),
        Kind::DateTime | Kind::Date => findings.lossy("a date becomes plain text"),
        Kind::Chosen => findings.lossy("chosen values become plain text with semicolons"),
        kind => findings.impossible(wrong(kind, "a text field", "make it text with a template")),
    }
}

/// A value that is known.
fn fit_value(value: &Value, field: &FieldDescribe, findings: &mut Findings) {
    let listed = |text: &str, findings: &mut Findings| {
        if !field.restricted_picklist {
            return;
        }
        let mut active =
            field.picklist_values.iter().filter(|listed| listed.active).map(|listed| listed.value.as_str());
        match active.clone().find(|known| known.eq_ignore_ascii_case(text)) {
            Some(known) if known == text => {}
            Some(known) => findings.lossy(format!("{text:?} is {known:?} in the restricted list")),
            None => {
                let hint =
                    super::nearest(text, &mut active).map_or_else(String::new, |name| format!(", is {name:?} meant?"));
                findings.impossible(format!("{text:?} is not in the restricted list{hint}"));
            }
        }
    };
    match (value, &field.field_type) {
        (Value::Text(text), FieldType::Picklist) => listed(text, findings),
        (value, FieldType::Multipicklist) if value.chosen().is_some() => {
            value.chosen().unwrap_or_default().into_iter().for_each(|text| listed(text, findings));
        }
        (Value::Text(text), FieldType::Date) if crate::types::Date::parse(text).is_ok() => {}
        (Value::Text(text), FieldType::Datetime) if crate::types::Timestamp::parse(text).is_ok() => {}
        (Value::Text(text), FieldType::Date | FieldType::Datetime) => {
            findings.impossible(format!("the fixed value {text:?} is no date of the form that Salesforce reads"));
        }
        (Value::Text(text), FieldType::Id | FieldType::Reference) => {
            if crate::types::RecordId::new(text).is_err() {
                findings.impossible(format!("the fixed value {text:?} is no record id"));
            }
        }
        (Value::Text(text), FieldType::Email) => {
            fit(&Kind::Text { max: Some(utf16_len(text)), email: text.contains('@') }, field, findings);
        }
        (Value::Text(text), _) => fit(&Kind::Text { max: Some(utf16_len(text)), email: false }, field, findings),
        (Value::Number(number), _) => {
            let (whole, scale) = (Some(number.integer_digits()), Some(number.fraction_digits()));
            fit(&Kind::Number { whole, scale }, field, findings);
        }
        (Value::Bool(_), _) => fit(&Kind::Flag, field, findings),
        (Value::DateTime(_), _) => fit(&Kind::DateTime, field, findings),
        (Value::Date(_), _) => fit(&Kind::Date, field, findings),
        (Value::Id(id), _) => fit(&Kind::Id(Some(id.key_prefix().to_owned())), field, findings),
        (Value::MultiSelect(_), _) => fit(&Kind::Chosen, field, findings),
        _ => fit(&Kind::List, field, findings),
    }
}
