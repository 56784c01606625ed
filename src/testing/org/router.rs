//! From a path to what it asks for.

use http::Method;

use super::error::ApiError;
use super::ids;
use super::operation::Operation;
use super::rest::bulk::{self, JobsRoute};
use super::rest::tooling::{self, ToolingRoute};
use super::wire::Request;

/// Oldest and newest version of the data API (wire facts 2.1).
pub(crate) const VERSIONS: std::ops::RangeInclusive<u32> = 31..=66;

/// What a path names. Paths of the data API are known here without their version.
#[derive(Debug)]
pub(crate) enum Route {
    Authorize,
    /// The log-in page on the way to an approval.
    LoginPage,
    ConsentPage,
    Token,
    Revoke,
    Introspect,
    UserInfo,
    Identity {
        org: String,
        user: String,
    },
    SoapLogin(String),
    /// The Metadata API, in the version the path names.
    Metadata(String),
    Versions,
    Resources,
    Limits,
    RecordCount,
    Updated(String),
    Deleted(String),
    Blob {
        object: String,
        id: String,
        field: String,
    },
    Search,
    ParameterizedSearch,
    ApexRest,
    Global,
    /// `/sobjects/<object>`: basic information, or a create.
    Object(String),
    Describe(String),
    /// `/sobjects/<object>/describe/layouts`, of one record type or of all.
    Layouts {
        object: String,
        record_type: Option<String>,
    },
    Record {
        object: String,
        id: String,
    },
    ByKey {
        object: String,
        field: String,
        value: String,
    },
    Query {
        deleted: bool,
    },
    QueryMore(String),
    Composite,
    CompositeBatch,
    CompositeGraph,
    /// `/composite/tree/<object>`
    CompositeTree(String),
    Collections,
    CollectionsOf(String),
    CollectionsByKey {
        object: String,
        field: String,
    },
    /// `/metadata/deployRequest`
    DeployRequests,
    DeployRequest(String),
    /// Bulk API 2.0.
    Jobs(JobsRoute),
    Tooling(ToolingRoute),
}

/// The route of a request's path; a trailing slash makes no difference.
pub(crate) fn route(request: &Request) -> Option<Route> {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let text = |text: &str| text.to_owned();
    Some(match segments.as_slice() {
        ["services", "oauth2", "authorize"] => Route::Authorize,
        ["login"] => Route::LoginPage,
        ["setup", "secur", "RemoteAccessAuthorizationPage.apexp"] => Route::ConsentPage,
        ["services", "oauth2", "introspect"] => Route::Introspect,
        ["services", "oauth2", "token"] => Route::Token,
        ["services", "oauth2", "revoke"] => Route::Revoke,
        ["services", "oauth2", "userinfo"] => Route::UserInfo,
        ["id", org, user] => Route::Identity { org: text(org), user: text(user) },
        ["services", "Soap", "u" | "c", version, ..] => Route::SoapLogin(text(version)),
        // With or without the org's id at the end. [S] simple-salesforce appends `deployRequest/<id>`.
        ["services", "Soap", "m", version, ..] => Route::Metadata(text(version)),
        ["services", "apexrest", ..] => Route::ApexRest,
        ["services", "data"] => Route::Versions,
        ["services", "data", _version, rest @ ..] => match rest {
            [] => Route::Resources,
            ["limits"] => Route::Limits,
            ["limits", "recordCount"] => Route::RecordCount,
            ["sobjects"] => Route::Global,
            ["sobjects", object] => Route::Object(text(object)),
            ["sobjects", object, "describe"] => Route::Describe(text(object)),
            ["sobjects", object, "describe", "layouts"] => Route::Layouts { object: text(object), record_type: None },
            ["sobjects", object, "describe", "layouts", id] => {
                Route::Layouts { object: text(object), record_type: Some(text(id)) }
            }
            ["sobjects", object, "updated"] => Route::Updated(text(object)),
            ["sobjects", object, "deleted"] => Route::Deleted(text(object)),
            ["sobjects", object, id] => Route::Record { object: text(object), id: text(id) },
            // No field has a name of an id's shape.
            ["sobjects", object, id, field] if ids::has_id_shape(id) => {
                Route::Blob { object: text(object), id: text(id), field: text(field) }
            }
            ["sobjects", object, field, value] => {
                Route::ByKey { object: text(object), field: text(field), value: text(value) }
            }
            ["search"] => Route::Search,
            ["parameterizedSearch"] => Route::ParameterizedSearch,
            ["query"] => Route::Query { deleted: false },
            ["queryAll"] => Route::Query { deleted: true },
            ["query" | "queryAll", locator] => Route::QueryMore(text(locator)),
            ["composite"] => Route::Composite,
            ["composite", "batch"] => Route::CompositeBatch,
            ["composite", "graph"] => Route::CompositeGraph,
            ["composite", "tree", object] => Route::CompositeTree(text(object)),
            ["composite", "sobjects"] => Route::Collections,
            ["composite", "sobjects", object] => Route::CollectionsOf(text(object)),
            ["composite", "sobjects", object, field] => {
                Route::CollectionsByKey { object: text(object), field: text(field) }
            }
            ["metadata", "deployRequest"] => Route::DeployRequests,
            ["metadata", "deployRequest", id] => Route::DeployRequest(text(id)),
            ["jobs", rest @ ..] => Route::Jobs(bulk::route(rest)?),
            ["tooling", rest @ ..] => Route::Tooling(tooling::route(rest)?),
            _ => return None,
        },
        _ => return None,
    })
}

/// The operation of a route and method, or the methods that are allowed.
pub(crate) fn operation(route: &Route, method: &Method) -> Result<Operation, &'static str> {
    use Operation as O;
    let method = method.as_str();
    Ok(match (route, method) {
        // These word their own refusal of other methods.
        (Route::Token, _) => O::Token,
        (Route::Introspect, _) => O::Introspect,
        (Route::Authorize, "GET" | "POST") => O::Authorize,
        (Route::LoginPage | Route::ConsentPage, "GET" | "POST") => O::Consent,
        (Route::Revoke, "GET" | "POST") => O::Revoke,
        (Route::UserInfo, "GET" | "POST") => O::UserInfo,
        (Route::Identity { .. }, "GET" | "POST") => O::Identity,
        (Route::Versions, "GET") => O::Versions,
        (Route::Resources | Route::Composite, "GET") => O::Resources,
        (Route::Limits, "GET") => O::Limits,
        (Route::RecordCount, "GET") => O::RecordCount,
        (Route::Updated(_), "GET") => O::GetUpdated,
        (Route::Deleted(_), "GET") => O::GetDeleted,
        (Route::Blob { .. }, "GET") => O::BlobGet,
        (Route::Search, "GET") => O::Search,
        (Route::ParameterizedSearch, "GET" | "POST") => O::ParameterizedSearch,
        (Route::ApexRest, _) => O::ApexRest,
        (Route::Global, "GET") => O::DescribeGlobal,
        (Route::Describe(_) | Route::Object(_), "GET") => O::Describe,
        (Route::Layouts { .. }, "GET") => O::DescribeLayouts,
        (Route::Object(_), "POST") => O::SObjectCreate,
        (Route::Record { id, .. }, "POST") if id == "Id" => O::SObjectCreate,
        (Route::Record { .. } | Route::ByKey { .. }, "GET") => O::SObjectGet,
        (Route::Record { .. }, "PATCH") => O::SObjectUpdate,
        (Route::ByKey { .. }, "PATCH") => O::SObjectUpsert,
        (Route::Record { .. } | Route::ByKey { .. }, "DELETE") => O::SObjectDelete,
        (Route::Query { .. }, "GET") => O::Query,
        (Route::QueryMore(_), "GET") => O::QueryMore,
        (Route::Composite, "POST") => O::Composite,
        (Route::CompositeBatch, "POST") => O::CompositeBatch,
        (Route::CompositeGraph, "POST") => O::CompositeGraph,
        (Route::CompositeTree(_), "POST") => O::CompositeTree,
        (Route::Collections, "POST") => O::CollectionsCreate,
        (Route::Collections, "PATCH") => O::CollectionsUpdate,
        (Route::Collections, "DELETE") => O::CollectionsDelete,
        (Route::CollectionsOf(_), "GET" | "POST") => O::CollectionsGet,
        (Route::CollectionsByKey { .. }, "PATCH") => O::CollectionsUpsert,
        (Route::DeployRequests | Route::DeployRequest(_), "POST") => O::DeployCreate,
        (Route::DeployRequest(_), "GET") => O::DeployGet,
        (Route::DeployRequest(_), "PATCH") => O::DeployPatch,
        (Route::Jobs(job), _) => bulk::operation(job, method)?,
        (Route::Tooling(tooling), _) => tooling::operation(tooling, method)?,
        (route, _) => {
            return Err(match route {
                Route::Object(_)
                | Route::Composite
                | Route::CollectionsOf(_)
                | Route::ParameterizedSearch
                | Route::UserInfo
                | Route::Authorize
                | Route::LoginPage
                | Route::ConsentPage
                | Route::Revoke
                | Route::Identity { .. } => "GET,POST",
                Route::Record { .. } | Route::ByKey { .. } => "DELETE,GET,PATCH",
                Route::Collections => "DELETE,PATCH,POST",
                Route::CollectionsByKey { .. } => "PATCH",
                Route::DeployRequest(_) => "GET,PATCH,POST",
                Route::SoapLogin(_)
                | Route::Metadata(_)
                | Route::CompositeBatch
                | Route::CompositeGraph
                | Route::CompositeTree(_)
                | Route::DeployRequests => "POST",
                _ => "GET",
            });
        }
    })
}

/// The version a data request names, if the org still or already has it.
pub(crate) fn version(request: &Request) -> Result<u32, ApiError> {
    let named = request.segments.get(2).and_then(|name| name.strip_prefix('v')?.strip_suffix(".0"));
    match named.and_then(|number| number.parse().ok()) {
        Some(version) if VERSIONS.contains(&version) => Ok(version),
        // REST guide, "API End-of-Life": 7.0 to 30.0 answer 410. [K] The body.
        Some(version @ 7..31) => {
            let message = format!("API version v{version}.0 has been retired");
            Err(ApiError::new(410, "GONE", message))
        }
        _ => Err(ApiError::not_found()),
    }
}
