//! The Tooling API under `/services/data/vXX.0/tooling` (Tooling API guide, "REST Resources"; wire facts 4.5).

use http::Method;

use super::cursors::Page;
use super::query::{bad_locator, page_size};
use super::{body_object, composite, describe};
use crate::testing::org::error::ApiError;
use crate::testing::org::ids;
use crate::testing::org::json::Json;
use crate::testing::org::metadata;
use crate::testing::org::operation::Operation;
use crate::testing::org::schema::{Field, Object};
use crate::testing::org::soql::{SoqlError, catalog};
use crate::testing::org::state::{Call, State};
use crate::testing::org::tooling::{self, Catalog};
use crate::testing::org::wire::Answer;

/// What a path names, without `tooling` in front.
#[derive(Debug)]
pub(crate) enum ToolingRoute {
    Query,
    QueryMore(String),
    Composite,
    Global,
    Object(String),
    Describe(String),
    Record { object: String, id: String },
}

impl ToolingRoute {
    /// The version it came with.
    pub(super) fn since(&self) -> u32 {
        if matches!(self, Self::Composite) { 40 } else { 0 }
    }
}

pub(crate) fn route(segments: &[&str]) -> Option<ToolingRoute> {
    let text = |text: &str| text.to_owned();
    Some(match segments {
        ["query"] => ToolingRoute::Query,
        ["query", locator] => ToolingRoute::QueryMore(text(locator)),
        ["composite"] => ToolingRoute::Composite,
        ["sobjects"] => ToolingRoute::Global,
        ["sobjects", object] => ToolingRoute::Object(text(object)),
        ["sobjects", object, "describe"] => ToolingRoute::Describe(text(object)),
        ["sobjects", object, id] => ToolingRoute::Record { object: text(object), id: text(id) },
        _ => return None,
    })
}

pub(crate) fn operation(route: &ToolingRoute, method: &str) -> Result<Operation, &'static str> {
    use ToolingRoute as R;
    Ok(match (route, method) {
        (R::Query, "GET") => Operation::ToolingQuery,
        (R::QueryMore(_), "GET") => Operation::ToolingQueryMore,
        (R::Composite, "POST") => Operation::ToolingComposite,
        (R::Global | R::Describe(_) | R::Object(_), "GET") => Operation::ToolingDescribe,
        (R::Object(_), "POST") => Operation::ToolingCreate,
        (R::Record { .. }, "GET") => Operation::ToolingGet,
        (R::Record { .. }, "PATCH") => Operation::ToolingUpdate,
        (R::Record { .. }, "DELETE") => Operation::ToolingDelete,
        (R::Composite, _) => return Err("POST"),
        (R::Object(_), _) => return Err("GET,POST"),
        (R::Record { .. }, _) => return Err("DELETE,GET,PATCH"),
        _ => return Err("GET"),
    })
}

pub(super) fn answer(state: &mut State, call: &Call<'_>, route: &ToolingRoute) -> Result<Answer, ApiError> {
    let method = &call.request.method;
    match route {
        ToolingRoute::Query => query(state, call),
        ToolingRoute::QueryMore(locator) => more(state, call, locator),
        ToolingRoute::Composite => composite::tooling(state, call),
        ToolingRoute::Global => Ok(global(call)),
        ToolingRoute::Object(object) if *method == Method::POST => create(state, call, object),
        ToolingRoute::Object(object) => basic(call, object),
        ToolingRoute::Describe(object) => describe_object(state, call, object),
        ToolingRoute::Record { object, id } => match method.as_str() {
            "GET" => read(state, call, object, id),
            "PATCH" => update(state, call, object, id),
            _ => delete(state, call, object, id),
        },
    }
}

fn refused(error: SoqlError) -> ApiError {
    ApiError::new(400, error.code, error.message)
}

/// `GET /tooling/query?q=…`
fn query(state: &mut State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let Some(soql) = call.request.param("q") else {
        // [K] The text.
        return Err(ApiError::new(400, "MALFORMED_QUERY", "A query string has to be specified"));
    };
    let statement = catalog::read(soql).map_err(refused)?;
    let found = Catalog::of_tooling(state, call, &statement).and_then(|catalog| catalog.run(&statement, soql));
    let found = found.map_err(refused)?;
    let size = page_size(state, call);
    let kind = tooling::object(&statement.object).map_or(statement.object.as_str(), |object| object.name.as_str());
    let page = if found.records.len() > size {
        let now = state.data.now();
        state.cursors.open(found.records, size, now).ok_or_else(bad_locator)?
    } else {
        Page { total: found.total_size, records: found.records, next: None }
    };
    Ok(page_answer(call, page, kind))
}

/// `GET /tooling/query/<locator>`
fn more(state: &mut State, call: &Call<'_>, locator: &str) -> Result<Answer, ApiError> {
    let page = state.cursors.page(locator, state.data.now()).ok_or_else(bad_locator)?;
    let kind = page.records.first().and_then(|record| record.member("attributes")?.member("type")?.as_str());
    let kind = kind.unwrap_or_default().to_owned();
    Ok(page_answer(call, page, &kind))
}

/// [S] Samples of answers, of 54.0 and 66.0: `size` of the page, `queryLocator`, `entityTypeName`. [K] `nextRecordsUrl`.
fn page_answer(call: &Call<'_>, page: Page, kind: &str) -> Answer {
    let mut members = vec![
        ("size".to_owned(), Json::number(page.records.len())),
        ("totalSize".to_owned(), Json::number(page.total)),
        ("done".to_owned(), Json::Bool(page.next.is_none())),
        ("queryLocator".to_owned(), page.next.clone().into()),
    ];
    let next = page.next.map(|next| Json::string(format!("{}/tooling/query/{next}", call.base)));
    members.extend(next.map(|next| ("nextRecordsUrl".to_owned(), next)));
    members.push(("entityTypeName".to_owned(), Json::string(kind)));
    members.push(("records".to_owned(), Json::Array(page.records)));
    Answer::json(200, &Json::Object(members))
}

/// The virtual object a path names, for who may view the setup.
fn object_of(call: &Call<'_>, name: &str) -> Result<&'static Object, ApiError> {
    let known = tooling::object(name).filter(|object| object.name != "UserRecordAccess");
    known.filter(|_| call.view.has("ViewSetup")).ok_or_else(ApiError::not_found)
}

/// `GET /tooling/sobjects`
fn global(call: &Call<'_>) -> Answer {
    let base = format!("{}/tooling", call.base);
    let known = tooling::objects().filter(|object| object_of(call, &object.name).is_ok());
    let body = Json::object([
        ("encoding", Json::from("UTF-8")),
        ("maxBatchSize", Json::number(200)),
        ("sobjects", Json::Array(known.map(|object| Json::Object(describe::brief(object, &base))).collect())),
    ]);
    Answer::json(200, &body)
}

/// `GET /tooling/sobjects/<object>`
fn basic(call: &Call<'_>, name: &str) -> Result<Answer, ApiError> {
    let object = object_of(call, name)?;
    let body = Json::object([
        ("objectDescribe", Json::Object(describe::brief(object, &format!("{}/tooling", call.base)))),
        ("recentItems", Json::Array(Vec::new())),
    ]);
    Ok(Answer::json(200, &body))
}

/// `GET /tooling/sobjects/<object>/describe`
fn describe_object(state: &State, call: &Call<'_>, name: &str) -> Result<Answer, ApiError> {
    let object = object_of(call, name)?;
    let base = format!("{}/tooling", call.base);
    Ok(Answer::json(200, &describe::full(state, tooling::schema(), object, &base)))
}

/// `GET /tooling/sobjects/<object>/<id>`, `fields=` or all.
fn read(state: &State, call: &Call<'_>, name: &str, id: &str) -> Result<Answer, ApiError> {
    let object = object_of(call, name)?;
    let sound = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
    let key = if object.field("DurableId").is_some() { "DurableId" } else { "Id" };
    if !sound || (key == "Id" && ids::to_18(id).is_none()) {
        return Err(ApiError::not_found());
    }
    let columns = call.request.param("fields").map_or_else(|| all_columns(object), str::to_owned);
    let soql = format!("SELECT {columns} FROM {} WHERE {key} = '{id}'", object.name);
    let statement = catalog::read(&soql).map_err(refused)?;
    let found = Catalog::of_tooling(state, call, &statement).and_then(|catalog| catalog.run(&statement, &soql));
    let record = found.map_err(refused)?.records.pop().ok_or_else(ApiError::not_found)?;
    Ok(Answer::json(200, &record))
}

fn all_columns(object: &Object) -> String {
    object.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(",")
}

/// Only custom fields can be written here. Tooling API guide: `CustomObject` and the catalog are read, others are made by deploys.
fn writeable(call: &Call<'_>, name: &str) -> Result<(), ApiError> {
    let object = object_of(call, name)?;
    if object.name != "CustomField" {
        // [K] The text.
        let message = format!("entity type cannot be inserted, updated or deleted: {}", object.label);
        return Err(ApiError::row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, []));
    }
    if call.view.has("CustomizeApplication") {
        return Ok(());
    }
    // [S] The code and the text, from many reports; [K] the status.
    let message = "insufficient access rights on object id";
    Err(ApiError::row("INSUFFICIENT_ACCESS_OR_READONLY", message, []).with_status(403))
}

/// The object and field with that id.
fn field_of<'s>(state: &'s State, id: &str) -> Result<(&'s Object, &'s Field), ApiError> {
    let id = ids::to_18(id).ok_or_else(ApiError::not_found)?;
    let mut all = state.schema.objects().flat_map(|object| object.fields.iter().map(move |field| (object, field)));
    all.find(|(_, field)| field.custom && tooling::field_id(field) == id).ok_or_else(ApiError::not_found)
}

fn member<'b>(body: &'b [(String, Json)], name: &str) -> Result<&'b Json, ApiError> {
    let found = body.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    // recorded for data: rest/collections-create-allornone-rollback.json
    found.ok_or_else(|| {
        ApiError::row("REQUIRED_FIELD_MISSING", format!("Required fields are missing: [{name}]"), [name])
    })
}

/// `POST /tooling/sobjects/CustomField` with `FullName` and `Metadata`
fn create(state: &mut State, call: &Call<'_>, name: &str) -> Result<Answer, ApiError> {
    writeable(call, name)?;
    let body = body_object(call)?;
    let full_name = member(&body, "FullName")?.as_str().unwrap_or_default();
    metadata::save_field(state, full_name, member(&body, "Metadata")?, true)?;
    state.changed();
    let made = full_name.split_once('.').and_then(|(object, field)| state.schema.object(object)?.field(field));
    let id = made.map(tooling::field_id).unwrap_or_default();
    // [S] `warnings` and `infos` beside what a record has.
    let body = Json::object([
        ("id", Json::string(&id)),
        ("success", Json::Bool(true)),
        ("errors", Json::Array(Vec::new())),
        ("warnings", Json::Array(Vec::new())),
        ("infos", Json::Array(Vec::new())),
    ]);
    Ok(Answer::json(201, &body).with("Location", format!("{}/tooling/sobjects/CustomField/{id}", call.base)))
}

/// `PATCH /tooling/sobjects/CustomField/<id>` with the whole `Metadata`
fn update(state: &mut State, call: &Call<'_>, name: &str, id: &str) -> Result<Answer, ApiError> {
    writeable(call, name)?;
    let (object, field) = field_of(state, id)?;
    let full_name = format!("{}.{}", object.name, field.name);
    let body = body_object(call)?;
    metadata::save_field(state, &full_name, member(&body, "Metadata")?, false)?;
    state.changed();
    Ok(Answer::empty(204))
}

/// `DELETE /tooling/sobjects/CustomField/<id>`. [K] Not listed, and works.
fn delete(state: &mut State, call: &Call<'_>, name: &str, id: &str) -> Result<Answer, ApiError> {
    writeable(call, name)?;
    let (object, field) = field_of(state, id)?;
    let full_name = format!("{}.{}", object.name, field.name);
    metadata::delete_field(state, &full_name)?;
    state.changed();
    Ok(Answer::empty(204))
}
