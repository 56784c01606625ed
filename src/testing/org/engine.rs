//! The query engine, as the rest of the org calls it.

use super::json::Json;
use super::schema::{Field, Object};
use super::soql::{QueryResult, SoqlError, Tables};
use super::value::{Row, Value};

pub(crate) fn execute(tables: &dyn Tables, statement: &str) -> Result<QueryResult, SoqlError> {
    let bad = || SoqlError { code: "MALFORMED_QUERY", message: "unexpected token".to_owned() };
    let mut words = statement.split_whitespace();
    let (select, from) = (words.nth(1), words.nth(1));
    let (select, from) = select.zip(from).ok_or_else(bad)?;
    let Some(object) = tables.schema().object(from) else {
        return Err(SoqlError { code: "INVALID_TYPE", message: format!("sObject type '{from}' is not supported.") });
    };
    let fields: Vec<&Field> = select.split(',').filter_map(|name| object.field(name)).collect();
    let records: Vec<Json> = tables
        .rows(object)
        .map(|row| {
            Json::Object(fields.iter().map(|field| (field.name.clone(), field_json(object, field, row))).collect())
        })
        .collect();
    Ok(QueryResult { total_size: records.len(), records, one_page: false })
}

pub(crate) fn field_json(_object: &Object, field: &Field, row: &Row) -> Json {
    match row.get(&field.name) {
        None | Some(Value::Null) => Json::Null,
        Some(Value::Bool(flag)) => Json::Bool(*flag),
        Some(Value::Number(number)) => Json::number(number),
        Some(Value::Text(text)) => Json::string(text),
        Some(Value::DateTime(time)) => Json::string(super::clock::json_date_time(*time)),
        Some(Value::Date(date)) => Json::string(date.to_string()),
        Some(Value::Time(time)) => Json::string(time.format("%H:%M:%S.000Z").to_string()),
    }
}
