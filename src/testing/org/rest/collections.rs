//! sObject Collections (wire facts 2.12): up to 200 records a request, a result for each, in their order.

use std::collections::HashSet;

use super::records::{named_fields, record, typed_id};
use super::upsert::{key_field, upsert_row};
use super::{body_object, object_of};
use crate::testing::org::data::nested_without_attributes;
use crate::testing::org::error::ApiError;
use crate::testing::org::ids;
use crate::testing::org::input;
use crate::testing::org::json::Json;
use crate::testing::org::schema::{Field, FieldType, Object, Schema};
use crate::testing::org::state::{Call, State};
use crate::testing::org::value::Value;
use crate::testing::org::wire::Answer;

const MAX_RECORDS: usize = 200;
/// Runs of records of one type in a request.
const MAX_RUNS: usize = 10;
const MAX_READS: usize = 2_000;

type Record = Vec<(String, Json)>;

/// The outcome of a row: its id, and for upserts whether it was created.
type RowResult = Result<(String, Option<bool>), ApiError>;

/// `POST /composite/sobjects`
pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let (records, all_or_none) = read_body(call)?;
    check_runs(&records)?;
    Ok(run(state, call, &records, all_or_none, None, |state, record| {
        let object = type_of(&call.view.schema, record)?;
        if record.iter().any(|(name, _)| name.eq_ignore_ascii_case("id")) {
            // [K] The text.
            return Err(ApiError::row(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                "cannot specify Id in an insert call",
                ["Id"],
            ));
        }
        let id = state.data.create(&state.schema, &call.writer, object, record, None)?;
        Ok((id, None))
    }))
}

/// `PATCH /composite/sobjects`
pub(super) fn update(state: &mut State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let (records, all_or_none) = read_body(call)?;
    check_runs(&records)?;
    Ok(run(state, call, &records, all_or_none, None, |state, record| {
        let object = type_of(&call.view.schema, record)?;
        let id = member(record, "id").filter(|id| **id != Json::Null);
        let Some(id) = id.and_then(Json::as_str) else {
            return Err(ApiError::row("MISSING_ARGUMENT", "Id not specified in an update call", []));
        };
        let id = typed_id(object, id).map_err(|error| ApiError { status: 400, ..error })?;
        let members = without(record, "id");
        unknown_id(state.data.update(&state.schema, &call.writer, object, &id, &members))?;
        Ok((id, None))
    }))
}

/// `PATCH /composite/sobjects/<object>/<field>` (46.0 on)
pub(super) fn upsert(state: &mut State, call: &Call<'_>, object: &str, field: &str) -> Result<Answer, ApiError> {
    let target = object_of(&call.view.schema, object)?;
    let field = key_field(target, field)?.clone();
    let (records, all_or_none) = read_body(call)?;
    let target = target.name.clone();
    let mut seen: HashSet<String> = HashSet::new();
    Ok(run(state, call, &records, all_or_none, Some(false), |state, record| {
        let object = type_of(&call.view.schema, record)?;
        if object.name != target {
            // [K] The code and the text.
            let message = format!("sObject type '{}' does not match the type of the request: {target}", object.name);
            return Err(ApiError::row("INVALID_TYPE", message, []));
        }
        let key = key_of(&field, member(record, &field.name))?;
        if let Some(text) = comparable(&field, &key).filter(|text| !seen.insert(text.clone())) {
            // [K] The second row of a key in one request is refused.
            let message = format!("Duplicate external id specified: {text}");
            return Err(ApiError::row("DUPLICATE_VALUE", message, [&field.name]));
        }
        let members = without(record, &field.name);
        let (schema, data) = (&state.schema, &mut state.data);
        let (id, created) = upsert_row(schema, data, &call.writer, object, (&field, key), &members)?;
        Ok((id, Some(created)))
    }))
}

/// `DELETE /composite/sobjects?ids=…`
pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let ids = call.request.param("ids").unwrap_or_default();
    let ids: Vec<&str> = ids.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    check_count(ids.len(), MAX_RECORDS)?;
    let all_or_none = call.request.param("allOrNone").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    let records: Vec<Record> = ids.into_iter().map(|id| vec![("id".to_owned(), Json::from(id))]).collect();
    Ok(run(state, call, &records, all_or_none, None, |state, record| {
        let text = member(record, "id").and_then(Json::as_str).unwrap_or_default();
        let id = ids::to_18(text);
        let id = id.ok_or_else(|| ApiError::row("MALFORMED_ID", format!("malformed id {text}"), []))?;
        let missing = || ApiError::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []);
        let owner = state.data.store.object_of(&id).and_then(|name| call.view.schema.object(name));
        let object = owner.ok_or_else(missing)?;
        unknown_id(state.data.delete(&state.schema, &call.writer, object, &id))?;
        Ok((id, None))
    }))
}

/// `GET /composite/sobjects/<object>?ids=…&fields=…` and `POST` with both in the body.
pub(super) fn read(state: &mut State, call: &Call<'_>, object: &str) -> Result<Answer, ApiError> {
    let object = object_of(&call.view.schema, object)?;
    let (ids, fields) = if call.request.method == http::Method::GET {
        let list = |name: &str| -> Vec<String> {
            let text = call.request.param(name).unwrap_or_default();
            text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        };
        (list("ids"), list("fields"))
    } else {
        let members = body_object(call)?;
        (texts(&members, "ids")?, texts(&members, "fields")?)
    };
    check_count(ids.len(), MAX_READS)?;
    if fields.is_empty() {
        // [K] The code and the text.
        return Err(ApiError::new(400, "MISSING_ARGUMENT", "The fields parameter is required"));
    }
    let fields = named_fields(object, fields.iter())?;
    let rows = ids.iter().map(|id| {
        // Null for ids that do not exist or are hidden (wire facts 0, 12). [K] Also for what is no id of this object.
        let id = typed_id(object, id).ok()?;
        let (row, deleted) = state.data.store.find(&id)?;
        (!deleted).then(|| record(&call.base, object, row, &fields))
    });
    let rows = rows.map(|row| row.unwrap_or(Json::Null)).collect();
    Ok(Answer::json(200, &Json::Array(rows)))
}

/// Carries the rows out one by one. With `all_or_none` one refusal undoes all.
fn run(
    state: &mut State,
    call: &Call<'_>,
    records: &[Record],
    all_or_none: bool,
    created: Option<bool>,
    mut write: impl FnMut(&mut State, &Record) -> RowResult,
) -> Answer {
    state.data.store.begin();
    let row = |(place, record): (usize, &Record)| {
        call.check_fault(Some((place, records.len())), &Json::Object(record.clone()))?;
        state.data.store.begin();
        let result = write(state, record);
        // A refused row leaves nothing behind, not even what a later rule of its save refused.
        state.data.store.end(result.is_ok());
        result
    };
    let mut results: Vec<RowResult> = records.iter().enumerate().map(row).collect();
    if all_or_none && results.iter().any(Result::is_err) {
        state.data.store.roll_back();
        for result in results.iter_mut().filter(|result| result.is_ok()) {
            // recorded: rest/collections-create-allornone-rollback.json
            let message =
                "Record rolled back because not all records were valid and the request was using AllOrNone header";
            *result = Err(ApiError::row("ALL_OR_NONE_OPERATION_ROLLED_BACK", message, []));
        }
    } else {
        state.data.store.commit();
    }
    let rows = results.into_iter().map(|result| match result {
        Ok((id, created)) => super::records::result(&id, created),
        Err(error) => {
            let mut members = vec![
                ("success".to_owned(), Json::Bool(false)),
                ("errors".to_owned(), Json::Array(vec![error.to_row()])),
            ];
            // recorded: rest/collections-upsert-error.json
            members.extend(created.map(|created| ("created".to_owned(), Json::Bool(created))));
            Json::Object(members)
        }
    });
    Answer::json(200, &Json::Array(rows.collect()))
}

fn read_body(call: &Call<'_>) -> Result<(Vec<Record>, bool), ApiError> {
    let members = body_object(call)?;
    let all_or_none = match member(&members, "allOrNone") {
        None | Some(Json::Null) => false,
        Some(Json::Bool(flag)) => *flag,
        Some(_) => return Err(ApiError::json("allOrNone is true or false")),
    };
    let Some(Json::Array(items)) = members.into_iter().find(|(name, _)| name == "records").map(|(_, value)| value)
    else {
        return Err(ApiError::row("REQUIRED_FIELD_MISSING", "At least 1 record is required", ["records"]));
    };
    check_count(items.len(), MAX_RECORDS)?;
    let records = items.into_iter().map(|item| match item {
        Json::Object(members) => Ok(members),
        _ => Err(ApiError::json("a record is a JSON object")),
    });
    Ok((records.collect::<Result<_, _>>()?, all_or_none))
}

fn check_count(count: usize, max: usize) -> Result<(), ApiError> {
    if count == 0 {
        return Err(ApiError::new(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required"));
    }
    if count > max {
        // [K] The code and the text.
        let message = format!("record limit reached. cannot submit more than {max} records into this call");
        return Err(ApiError::new(400, "EXCEEDED_ID_LIMIT", message));
    }
    Ok(())
}

/// Records are cut into runs of equal type; ten at most.
fn check_runs(records: &[Record]) -> Result<(), ApiError> {
    let kind = |record: &Record| type_name(record).map(str::to_ascii_lowercase);
    let changes = records.windows(2).filter(|pair| kind(&pair[0]) != kind(&pair[1])).count();
    if changes + 1 > MAX_RUNS {
        // [K] The code and the text.
        let message =
            "Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking.";
        return Err(ApiError::new(400, "LIMIT_EXCEEDED", message));
    }
    Ok(())
}

fn type_name(record: &Record) -> Option<&str> {
    member(record, "attributes")?.member("type")?.as_str()
}

fn type_of<'s>(schema: &'s Schema, record: &Record) -> Result<&'s Object, ApiError> {
    // recorded: rest/collections-upsert-error.json is the answer to a record without attributes.
    let name = type_name(record).ok_or_else(nested_without_attributes)?;
    schema.object(name).ok_or_else(|| {
        // [K] The code and the text.
        ApiError::row("INVALID_TYPE", format!("sObject type '{name}' is not supported."), [])
    })
}

/// An id nobody has is, in a row, a bad reference (recorded: rest/collections-update-error.json).
pub(super) fn unknown_id(result: Result<(), ApiError>) -> Result<(), ApiError> {
    result.map_err(|error| match error.code.as_str() {
        "NOT_FOUND" => ApiError::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []),
        _ => error,
    })
}

pub(super) fn key_of(field: &Field, json: Option<&Json>) -> Result<Value, ApiError> {
    let key = match json {
        None => Value::Null,
        Some(json) => input::read_value(field, json)?,
    };
    if key == Value::Null && field.kind != FieldType::Id {
        // [K] The text.
        return Err(ApiError::row("MISSING_ARGUMENT", format!("{} not specified", field.name), []));
    }
    Ok(key)
}

/// The form in which two keys of a request are compared.
pub(super) fn comparable(field: &Field, key: &Value) -> Option<String> {
    match key {
        Value::Text(text) if field.case_sensitive || field.kind == FieldType::Id => Some(text.clone()),
        Value::Text(text) => Some(text.to_lowercase()),
        Value::Number(number) => Some(number.normalize().to_string()),
        _ => None,
    }
}

fn member<'r>(record: &'r [(String, Json)], name: &str) -> Option<&'r Json> {
    record.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn without(record: &Record, name: &str) -> Record {
    record.iter().filter(|(key, _)| !key.eq_ignore_ascii_case(name)).cloned().collect()
}

fn texts(members: &[(String, Json)], name: &str) -> Result<Vec<String>, ApiError> {
    match member(members, name) {
        None => Ok(Vec::new()),
        Some(Json::Array(items)) => {
            let text = |item: &Json| {
                item.as_str().map(str::to_owned).ok_or_else(|| ApiError::json(format!("{name} are texts")))
            };
            items.iter().map(text).collect()
        }
        Some(_) => Err(ApiError::json(format!("{name} is a list"))),
    }
}
