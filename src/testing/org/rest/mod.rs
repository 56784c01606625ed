//! The data API under `/services/data/vXX.0`.

pub(crate) mod bulk;
mod collections;
pub(crate) mod composite;
mod conditional;
pub(crate) mod cursors;
mod describe;
pub(crate) mod files;
pub(crate) mod identity;
mod layouts;
mod query;
pub(crate) mod records;
pub(crate) mod replication;
pub(crate) mod resources;
mod search;
mod subrequest;
pub(crate) mod tooling;
mod upsert;

use super::apex;
use super::error::ApiError;
use super::json::Json;
use super::metadata::deploy::rest as deploy;
use super::parse;
use super::router::Route;
use super::schema::{Object, Schema};
use super::state::{Call, State};
use super::wire::Answer;

/// Answers a request that passed all gates.
pub(crate) fn answer(state: &mut State, call: &Call<'_>, route: &Route) -> Result<Answer, ApiError> {
    let method = call.request.method.as_str();
    // REST guide: the versions these came with.
    let since = match route {
        Route::Collections | Route::CollectionsOf(_) => 42,
        Route::CollectionsByKey { .. } => 46,
        Route::CompositeBatch | Route::CompositeTree(_) => 34,
        Route::Composite => 38,
        Route::CompositeGraph => 50,
        Route::Tooling(tooling) => tooling.since(),
        Route::RecordCount => 40,
        Route::ParameterizedSearch => 36,
        Route::Record { .. } if method == "POST" => 37,
        _ => 0,
    };
    if call.version < since {
        return Err(ApiError::not_found());
    }
    match route {
        Route::Resources => Ok(resources::resources(state, call)),
        Route::Limits => resources::limits(state, call),
        Route::RecordCount => resources::record_count(state, call),
        Route::Updated(object) => replication::updated(state, call, object),
        Route::Deleted(object) => replication::deleted(state, call, object),
        Route::Blob { object, id, field } => files::blob(state, call, object, id, field),
        Route::Search => search::search(state, call),
        Route::ParameterizedSearch => search::parameterized(state, call),
        Route::ApexRest => apex::answer(state, call),
        Route::Global => describe::global(state, call),
        Route::Object(object) if method == "GET" => describe::basic(state, call, object),
        Route::Object(object) => records::create(state, call, object),
        Route::Describe(object) => describe::object(state, call, object),
        Route::Layouts { object, record_type } => layouts::layouts(state, call, object, record_type.as_deref()),
        Route::Record { object, .. } if method == "POST" => records::create(state, call, object),
        Route::Record { object, id } => records::by_id(state, call, object, id),
        Route::ByKey { object, field, value } => upsert::by_key(state, call, object, field, value),
        Route::Query { deleted } => query::run(state, call, *deleted),
        Route::QueryMore(locator) => query::more(state, call, locator),
        Route::Collections => match method {
            "POST" => collections::create(state, call),
            "PATCH" => collections::update(state, call),
            _ => collections::delete(state, call),
        },
        Route::CollectionsOf(object) => collections::read(state, call, object),
        Route::CollectionsByKey { object, field } => collections::upsert(state, call, object, field),
        Route::Jobs(job) => bulk::answer(state, call, job),
        Route::Tooling(tooling) => tooling::answer(state, call, tooling),
        Route::Composite if method == "GET" => Ok(composite::resources(call)),
        Route::Composite => composite::composite(state, call),
        Route::CompositeBatch => composite::batch(state, call),
        Route::CompositeTree(object) => composite::tree(state, call, object),
        Route::CompositeGraph => composite::graph(state, call),
        Route::DeployRequests => deploy::create(state, call, None),
        Route::DeployRequest(id) => match method {
            "POST" => deploy::create(state, call, Some(id)),
            "PATCH" => deploy::patch(state, call, id),
            _ => deploy::status(state, call, id),
        },
        _ => Err(ApiError::not_found()),
    }
}

/// The object of that name, or the 404 of a name nobody knows.
fn object_of<'a>(schema: &'a Schema, name: &str) -> Result<&'a Object, ApiError> {
    schema.object(name).ok_or_else(ApiError::not_found)
}

/// The members of a body that is an object.
pub(crate) fn body_object(call: &Call<'_>) -> Result<Vec<(String, Json)>, ApiError> {
    match body(call)? {
        Json::Object(members) => Ok(members),
        _ => Err(ApiError::json("The HTTP entity body is required to be a JSON object")),
    }
}

fn body(call: &Call<'_>) -> Result<Json, ApiError> {
    let kind = call.request.header("content-type").unwrap_or("application/json").to_ascii_lowercase();
    if !kind.starts_with("application/json") {
        // [K] The text.
        let message = format!("Content-Type header specified in HTTP request is not supported: {kind}");
        return Err(ApiError::new(415, "UNSUPPORTED_MEDIA_TYPE", message));
    }
    if call.request.body.is_empty() {
        return Err(ApiError::json("The HTTP entity body is required, but this request has no entity body."));
    }
    let text = std::str::from_utf8(&call.request.body).map_err(|_| ApiError::json("The body is not UTF-8"))?;
    parse::parse(text)
        .map_err(|error| ApiError::json(format!("{} at [line:1, column:{}]", error.message, error.column)))
}
