//! Rows as the org writes them.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::super::json::Json;
use super::super::schema::{Field, FieldType, Object};
use super::super::value::{Row, Value};
use super::Tables;
use super::access::{FieldPath, is_name_object, parent, stored, value_of};
use super::eval;
use super::plan::Plan;

/// What a record shows, in the order of the select list.
#[derive(Debug)]
pub(super) enum Column<'t> {
    Value { key: String, path: FieldPath<'t>, show: Show },
    Parent { reference: &'t Field, object: &'t Object, columns: Vec<Column<'t>> },
    Children { plan: Box<Plan<'t>>, reference: &'t Field },
    TypeOf { reference: &'t Field, arms: Vec<(&'t Object, Vec<Column<'t>>)>, otherwise: Vec<Column<'t>> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    Plain,
    /// toLabel
    Label,
    /// FORMAT
    Formatted,
}

impl Column<'_> {
    /// The member's name, spelt as the schema spells it.
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Value { key, .. } => key,
            Self::Parent { reference, .. } | Self::TypeOf { reference, .. } => {
                reference.relationship_name.as_deref().unwrap_or_default()
            }
            Self::Children { reference, .. } => reference.child_relationship_name.as_deref().unwrap_or_default(),
        }
    }
}

/// `attributes` of a record.
pub(crate) fn attributes(base_path: &str, object: &Object, row: &Row) -> Json {
    attributes_as(&object.name, base_path, object, row)
}

fn attributes_as(shown: &str, base_path: &str, object: &Object, row: &Row) -> Json {
    let id = key_of(row);
    let url = format!("{base_path}/sobjects/{}/{id}", object.name);
    Json::object([("type", Json::string(shown)), ("url", Json::string(url))])
}

/// What a row goes by: its id, or the durable id of a row of the metadata catalog, whose ids are all alike.
// [S] "/services/data/v39.0/tooling/sobjects/FieldDefinition/Account.Name", from samples of the Tooling API.
fn key_of(row: &Row) -> &str {
    match row.get("DurableId").or_else(|| row.get("Id")) {
        Some(Value::Text(id)) => id.as_str(),
        _ => "",
    }
}

/// A record with its `attributes` first.
pub(super) fn record<'t>(
    tables: &'t dyn Tables,
    seen: &'t Object,
    object: &'t Object,
    row: &'t Row,
    columns: &[Column<'t>],
) -> Json {
    // [K] not verified: a parent reached through a polymorphic reference is of type Name, with the url of what it is.
    let mut members = vec![("attributes".to_owned(), attributes_as(&seen.name, tables.base_path(), object, row))];
    members.extend(columns.iter().map(|column| (column.key().to_owned(), member(tables, seen, object, row, column))));
    Json::Object(members)
}

fn member<'t>(tables: &'t dyn Tables, seen: &'t Object, object: &'t Object, row: &'t Row, column: &Column<'t>) -> Json {
    match column {
        Column::Value { path, show, .. } if path.hops.is_empty() => match show {
            Show::Plain if !is_name_object(seen) => field_in(tables.base_path(), object, path.field, row),
            _ => shown(path.field, *show, &value_of(seen, path.field, object, row)),
        },
        Column::Value { path, show, .. } => shown(path.field, *show, &path.value(tables, row)),
        Column::Parent { reference, object: seen, columns } => match parent(tables, reference, row) {
            Some((object, row)) => record(tables, seen, object, row, columns),
            None => Json::Null,
        },
        Column::Children { plan, reference } => {
            let rows = match key_of(row) {
                "" => Vec::new(),
                id => tables.children(plan.object, &reference.name, id),
            };
            let records = eval::child_records(tables, plan, rows);
            // [K] not verified: null, not an empty result, for a parent without children.
            if records.is_empty() { Json::Null } else { result(records) }
        }
        Column::TypeOf { reference, arms, otherwise } => {
            let Some((object, row)) = parent(tables, reference, row) else { return Json::Null };
            match arms.iter().find(|(wanted, _)| wanted.name == object.name) {
                Some((_, columns)) => record(tables, object, object, row, columns),
                // [K] not verified: null where no WHEN matches and there is no ELSE.
                None if otherwise.is_empty() => Json::Null,
                None => record(tables, super::access::name_object(), object, row, otherwise),
            }
        }
    }
}

// recorded: rest/query-nested-subquery.json
fn result(records: Vec<Json>) -> Json {
    Json::object([
        ("totalSize", Json::number(records.len())),
        ("done", Json::Bool(true)),
        ("records", Json::Array(records)),
    ])
}

/// As [`field_json`]; of bytes the path they are read from (wire facts 9).
pub(crate) fn field_in(base_path: &str, object: &Object, field: &Field, row: &Row) -> Json {
    match (field.kind, row.get("Id")) {
        (FieldType::Base64, Some(Value::Text(id))) => {
            Json::String(format!("{base_path}/sobjects/{}/{id}/{}", object.name, field.name))
        }
        _ => field_json(object, field, row),
    }
}

/// The value of a field as it stands in a record: compound fields are built from their parts, a person's name too.
pub(crate) fn field_json(object: &Object, field: &Field, row: &Row) -> Json {
    match field.kind {
        FieldType::Address | FieldType::Location => compound(object, field, row),
        _ => value_json(field.kind, &stored(object, field, row)),
    }
}

/// A value of a field of that type.
// Object Reference, "Field Types", and the recorded query answers.
pub(crate) fn value_json(kind: FieldType, value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => Json::Number(digits(kind, *number)),
        Value::Text(text) => Json::string(text.as_str()),
        Value::DateTime(at) => Json::String(datetime(*at)),
        Value::Date(date) => Json::String(date.format("%Y-%m-%d").to_string()),
        // [K] not verified
        Value::Time(time) => Json::String(time.format("%H:%M:%S%.3fZ").to_string()),
    }
}

/// Offset without a colon.
// recorded: rest/query-opportunities.json
pub(crate) fn datetime(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

/// Whole numbers of `int` fields as they are, all others with a fraction, as a double prints.
// recorded: restforce-fixtures/query_aggregate_success_response.json (`300.0`)
fn digits(kind: FieldType, number: Decimal) -> String {
    let number = number.normalize();
    if kind == FieldType::Int || number.scale() > 0 { number.to_string() } else { format!("{number}.0") }
}

/// Suffixes of the parts, and the members they become.
const PARTS: [(&str, &str); 10] = [
    ("City", "city"),
    ("Country", "country"),
    ("CountryCode", "countryCode"),
    ("GeocodeAccuracy", "geocodeAccuracy"),
    ("Latitude", "latitude"),
    ("Longitude", "longitude"),
    ("PostalCode", "postalCode"),
    ("State", "state"),
    ("StateCode", "stateCode"),
    ("Street", "street"),
];

/// An address or location. `countryCode` and `stateCode` are there only if the org has the picklists.
// recorded: rest/get-record-account.json (with codes), rest/organization-record.json (without); all-null parts still
// make an object (rest/get-record-account.json, ShippingAddress).
fn compound(object: &Object, field: &Field, row: &Row) -> Json {
    let part = |suffix: &str| {
        let standard = field.name.strip_suffix("Address").map(|prefix| format!("{prefix}{suffix}"));
        let custom = field.name.strip_suffix("__c").map(|prefix| format!("{prefix}__{suffix}__s"));
        [standard, custom].into_iter().flatten().find_map(|name| object.field(&name))
    };
    let members = PARTS.iter().filter_map(|(suffix, member)| {
        if field.kind == FieldType::Location && !matches!(*suffix, "Latitude" | "Longitude") {
            return None;
        }
        let part = part(suffix);
        if part.is_none() && suffix.ends_with("Code") && *suffix != "PostalCode" {
            return None;
        }
        let value = part.map_or(Json::Null, |part| value_json(part.kind, &stored(object, part, row)));
        Some(((*member).to_owned(), value))
    });
    let members: Vec<(String, Json)> = members.collect();
    // [K] not verified: a location without coordinates is null.
    if field.kind == FieldType::Location && members.iter().all(|(_, value)| *value == Json::Null) {
        return Json::Null;
    }
    Json::Object(members)
}

pub(super) fn shown(field: &Field, show: Show, value: &Value) -> Json {
    match (show, value) {
        (_, Value::Null) => Json::Null,
        (Show::Label, Value::Text(text)) => Json::String(label(field, text)),
        (Show::Formatted, value) => Json::String(formatted(value)),
        (_, value) => value_json(field.kind, value),
    }
}

/// The labels of a picklist's values.
pub(super) fn label(field: &Field, text: &str) -> String {
    let one = |value: &str| {
        let entry = field.picklist_values.iter().find(|entry| entry.value == value);
        entry.map_or_else(|| value.to_owned(), |entry| entry.label.clone())
    };
    match field.kind {
        FieldType::MultiPicklist => text.split(';').map(one).collect::<Vec<_>>().join(";"),
        _ => one(text),
    }
}

/// FORMAT for a user in the United States.
// [K] not verified: the documents show one example per type.
pub(super) fn formatted(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => grouped(&number.normalize().to_string()),
        Value::Text(text) => text.clone(),
        Value::DateTime(at) => at.format("%-m/%-d/%Y, %-I:%M %p").to_string(),
        Value::Date(date) => date.format("%-m/%-d/%Y").to_string(),
        Value::Time(time) => time.format("%-I:%M %p").to_string(),
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut text = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}
