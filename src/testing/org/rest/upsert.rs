//! Records by an external id (wire facts 2.4).

use super::records::{change, get, no_such_key, record_url, refuse_members, result, typed_id};
use super::{body_object, object_of};
use crate::testing::org::data::{Data, Members, Writer, row_id};
use crate::testing::org::error::ApiError;
use crate::testing::org::input;
use crate::testing::org::json::Json;
use crate::testing::org::schema::{Field, FieldType, Object, Schema};
use crate::testing::org::state::{Call, State};
use crate::testing::org::value::Value;
use crate::testing::org::wire::Answer;

/// What a key found.
pub(super) enum Found {
    Nothing,
    One(String),
    Many(Vec<String>),
}

/// `GET`, `PATCH` and `DELETE` of `/sobjects/<object>/<field>/<value>`.
pub(super) fn by_key(
    state: &mut State,
    call: &Call<'_>,
    object: &str,
    field: &str,
    value: &str,
) -> Result<Answer, ApiError> {
    let object = object_of(&call.view.schema, object)?;
    let field = key_field(object, field)?;
    let key = key_of_path(object, field, value)?;
    let (schema, data) = (&state.schema, &mut state.data);
    match (call.request.method.as_str(), find(data, object, field, &key)) {
        (_, Found::Many(ids)) => {
            // An array of URLs, not of errors (restforce-fixtures/upsert_multiple_error_response.json).
            let urls = ids.iter().map(|id| Json::string(record_url(&call.base, object, id))).collect();
            Ok(Answer::json(300, &Json::Array(urls)))
        }
        ("PATCH", found) => upsert(schema, data, call, object, (field, key), found),
        (_, Found::Nothing) => Err(ApiError::not_found()),
        ("GET", Found::One(id)) => match data.store.find(&id) {
            Some((row, _)) => get(call, object, row),
            None => Err(ApiError::not_found()),
        },
        (_, Found::One(id)) => {
            call.check_fault(None, &Json::object([("id", Json::string(&id))]))?;
            data.delete(schema, &call.writer, object, &id)?;
            Ok(Answer::empty(204))
        }
    }
}

fn upsert(
    schema: &Schema,
    data: &mut Data,
    call: &Call<'_>,
    object: &Object,
    (field, key): (&Field, Value),
    found: Found,
) -> Result<Answer, ApiError> {
    let members = body_object(call)?;
    refuse_members(&members, &["Id", &field.name])?;
    let update_only = call.request.param("updateOnly").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    let (id, created) = match found {
        Found::One(id) => {
            change(schema, data, call, object, &id, &members)?;
            (id, false)
        }
        // [K] updateOnly without a match; an id that leads nowhere.
        _ if update_only || field.kind == FieldType::Id => return Err(ApiError::not_found()),
        _ => {
            call.check_fault(None, &Json::Object(members.clone()))?;
            (data.create(schema, &call.writer, object, &members, Some((field, key)))?, true)
        }
    };
    let modern = call.version >= 46;
    let url = record_url(&call.base, object, &id);
    Ok(match (created, modern) {
        (true, _) => Answer::json(201, &result(&id, modern.then_some(true))).with("Location", url),
        (false, true) => Answer::json(200, &result(&id, Some(false))).with("Location", url),
        (false, false) => Answer::empty(204),
    })
}

/// A field records can be found by: `Id`, an external id, or any other with `idLookup`.
pub(super) fn key_field<'o>(object: &'o Object, name: &str) -> Result<&'o Field, ApiError> {
    object.field(name).filter(|field| field.external_id || field.id_lookup).ok_or_else(|| no_such_key(name))
}

fn key_of_path(object: &Object, field: &Field, value: &str) -> Result<Value, ApiError> {
    match field.kind {
        FieldType::Id => typed_id(object, value).map(Value::Text),
        FieldType::Double | FieldType::Int => input::read_value(field, &Json::Number(value.to_owned())),
        _ => input::read_value(field, &Json::string(value)),
    }
}

pub(super) fn find(data: &Data, object: &Object, field: &Field, key: &Value) -> Found {
    let mut ids: Vec<String> = data.by_key(object, field, key).into_iter().filter_map(row_id).collect();
    match (ids.pop(), ids.is_empty()) {
        (None, _) => Found::Nothing,
        (Some(id), true) => Found::One(id),
        (Some(id), false) => {
            ids.push(id);
            Found::Many(ids)
        }
    }
}

/// A row of a collection: the key is among its members. Gives the id and whether it was created.
pub(super) fn upsert_row(
    schema: &Schema,
    data: &mut Data,
    writer: &Writer,
    object: &Object,
    (field, key): (&Field, Value),
    members: &Members,
) -> Result<(String, bool), ApiError> {
    match find(data, object, field, &key) {
        Found::Many(_) => {
            // [K] The text; the code is that of the guide.
            let text = match &key {
                Value::Text(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => String::new(),
            };
            let message = format!("{}: more than one record found for external id field: [{text}]", field.name);
            Err(ApiError::row("DUPLICATE_EXTERNAL_ID", message, []))
        }
        Found::One(id) => {
            data.update(schema, writer, object, &id, members)?;
            Ok((id, false))
        }
        // recorded: rest/collections-upsert-and-recordcount.json, "Id": null creates.
        Found::Nothing if field.kind == FieldType::Id && key != Value::Null => {
            Err(ApiError::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []))
        }
        Found::Nothing if field.kind == FieldType::Id => {
            data.create(schema, writer, object, members, None).map(|id| (id, true))
        }
        Found::Nothing => data.create(schema, writer, object, members, Some((field, key))).map(|id| (id, true)),
    }
}
