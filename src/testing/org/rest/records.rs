//! Single records (wire facts 2.3).

use super::conditional::{self, Conditions};
use super::{body_object, files, object_of};
use crate::testing::org::data::Data;
use crate::testing::org::error::ApiError;
use crate::testing::org::ids;
use crate::testing::org::json::Json;
use crate::testing::org::schema::{Field, FieldType, Object, Schema};
use crate::testing::org::soql::output::{attributes, field_in};
use crate::testing::org::state::{Call, State};
use crate::testing::org::value::Row;
use crate::testing::org::wire::Answer;

/// `POST /sobjects/<object>`, and `/sobjects/<object>/Id` (37.0 on).
pub(super) fn create(state: &mut State, call: &Call<'_>, object: &str) -> Result<Answer, ApiError> {
    let object = object_of(&call.view.schema, object)?;
    let blob = object.fields.iter().find(|field| field.kind == FieldType::Base64).map(|field| field.name.as_str());
    let (members, part) = files::read(state, call, blob)?;
    refuse_members(&members, &["Id"])?;
    call.check_fault(None, &Json::Object(members.clone()))?;
    state.data.files.part = part;
    let created = state.data.create(&state.schema, &call.writer, object, &members, None);
    state.data.files.part = None;
    let id = created?;
    // recorded: rest/create-record-201.json
    let by_upsert = call.request.segments.last().is_some_and(|last| last == "Id");
    let body = result(&id, (by_upsert && call.version >= 46).then_some(true));
    Ok(Answer::json(201, &body).with("Location", record_url(&call.base, object, &id)))
}

/// `GET`, `PATCH` and `DELETE` of `/sobjects/<object>/<id>`.
pub(super) fn by_id(state: &mut State, call: &Call<'_>, object: &str, id: &str) -> Result<Answer, ApiError> {
    let object = object_of(&call.view.schema, object)?;
    // What is no id is read as the name of an external-id field (wire facts 2.4).
    if !ids::has_id_shape(id) {
        return Err(no_such_key(id));
    }
    let id = typed_id(object, id)?;
    match call.request.method.as_str() {
        "GET" => {
            let row = live_row(state, &id)?;
            get(call, object, row)
        }
        "PATCH" => {
            let members = body_object(call)?;
            refuse_members(&members, &["Id"])?;
            change(&state.schema, &mut state.data, call, object, &id, &members)?;
            Ok(Answer::empty(204))
        }
        _ => {
            call.check_fault(None, &Json::object([("id", Json::string(&id))]))?;
            state.data.delete(&state.schema, &call.writer, object, &id)?;
            Ok(Answer::empty(204))
        }
    }
}

/// Updates a record, unless a lock or the request's preconditions forbid it.
pub(super) fn change(
    schema: &Schema,
    data: &mut Data,
    call: &Call<'_>,
    object: &Object,
    id: &str,
    members: &[(String, Json)],
) -> Result<(), ApiError> {
    if let Some((row, false)) = data.store.find(id) {
        conditional::precondition(call, &Conditions::of_row(object, row))?;
    }
    call.check_fault(None, &Json::Object(members.to_vec()))?;
    data.update(schema, &call.writer, object, id, members)
}

/// The answer to a read of a record.
pub(super) fn get(call: &Call<'_>, object: &Object, row: &Row) -> Result<Answer, ApiError> {
    let fields = match call.request.param("fields") {
        None => object.fields.iter().collect(),
        Some(names) => {
            let mut fields = named_fields(object, names.split(','))?;
            // [K] The id comes along, at the end.
            if let Some(id) = object.field("Id").filter(|id| !fields.iter().any(|field| field.name == id.name)) {
                fields.push(id);
            }
            fields
        }
    };
    let conditions = Conditions::of_row(object, row);
    if let Some(answer) = conditional::unmodified(call, &conditions)? {
        return Ok(answer);
    }
    let answer = Answer::json(200, &record(&call.base, object, row, &fields));
    Ok(conditions.head(answer))
}

/// Fields by their names, each once.
pub(super) fn named_fields(
    object: &Object,
    names: impl Iterator<Item = impl AsRef<str>>,
) -> Result<Vec<&Field>, ApiError> {
    let mut fields: Vec<&Field> = Vec::new();
    for name in names {
        let name = name.as_ref().trim();
        let Some(field) = object.field(name) else {
            let message = format!("No such column '{name}' on sobject of type {}", object.name);
            return Err(ApiError::new(400, "INVALID_FIELD", message));
        };
        if !fields.iter().any(|known| known.name == field.name) {
            fields.push(field);
        }
    }
    Ok(fields)
}

/// A record's body: `attributes`, then the fields.
pub(super) fn record(base: &str, object: &Object, row: &Row, fields: &[&Field]) -> Json {
    let mut members = vec![("attributes".to_owned(), attributes(base, object, row))];
    members.extend(fields.iter().map(|field| (field.name.clone(), field_in(base, object, field, row))));
    Json::Object(members)
}

pub(super) fn record_url(base: &str, object: &Object, id: &str) -> String {
    format!("{base}/sobjects/{}/{id}", object.name)
}

/// `{"id":"001…","success":true,"errors":[]}`, with `created` where the call has it.
pub(super) fn result(id: &str, created: Option<bool>) -> Json {
    let mut members = vec![
        ("id".to_owned(), Json::string(id)),
        ("success".to_owned(), Json::Bool(true)),
        ("errors".to_owned(), Json::Array(Vec::new())),
    ];
    members.extend(created.map(|created| ("created".to_owned(), Json::Bool(created))));
    Json::Object(members)
}

/// The 18-character form of an id of that object.
pub(super) fn typed_id(object: &Object, id: &str) -> Result<String, ApiError> {
    let prefix = object.key_prefix.as_deref().unwrap_or_default();
    ids::to_18(id).filter(|id| id.starts_with(prefix)).ok_or_else(|| {
        let message = format!("{} ID: id value of incorrect type: {id}", object.label);
        ApiError::row("MALFORMED_ID", message, ["Id"])
    })
}

/// A record that is there and not deleted.
pub(super) fn live_row<'s>(state: &'s State, id: &str) -> Result<&'s Row, ApiError> {
    match state.data.store.find(id) {
        None => Err(ApiError::not_found()),
        Some((_, true)) => Err(ApiError::deleted()),
        Some((row, false)) => Ok(row),
    }
}

pub(super) fn no_such_key(name: &str) -> ApiError {
    // Recorded text (wire facts 2.4).
    ApiError::new(404, "NOT_FOUND", format!("Provided external ID field does not exist or is not accessible: {name}"))
}

/// The path names the record, so the body must not.
pub(super) fn refuse_members(members: &[(String, Json)], names: &[&str]) -> Result<(), ApiError> {
    let is_there = |name: &&&str| members.iter().any(|(member, _)| member.eq_ignore_ascii_case(name));
    match names.iter().find(is_there) {
        None => Ok(()),
        // [K] The text.
        Some(name) => {
            let message = format!("The {name} field should not be specified in the sobject data.");
            Err(ApiError::row("INVALID_FIELD", message, [name]))
        }
    }
}
