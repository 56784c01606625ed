//! SOSL over HTTP, and parameterized search (REST guide, "Search", "Parameterized Search").

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::body_object;
use super::query::View;
use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::schema::{Object, Schema};
use crate::testing::org::soql::output::field_json;
use crate::testing::org::soql::position::refuse_at;
use crate::testing::org::soql::{self, SoqlError, Tables};
use crate::testing::org::sosl::{self, Group, Search, Target};
use crate::testing::org::state::{Call, State};
use crate::testing::org::value::{Row, text};
use crate::testing::org::wire::Answer;

/// SOSL reference, "LIMIT": rows of a search, over all objects.
const MAX_ROWS: usize = 2_000;

/// The rows of one object that a search has found.
struct Found<'a> {
    all: View<'a>,
    object: &'a str,
    ids: HashSet<&'a str>,
}

impl Tables for Found<'_> {
    fn schema(&self) -> &Schema {
        self.all.schema()
    }

    fn rows<'a>(&'a self, object: &Object) -> Box<dyn Iterator<Item = &'a Row> + 'a> {
        let whole = object.name != self.object;
        Box::new(self.all.rows(object).filter(move |row| whole || self.ids.contains(text(row, "Id"))))
    }

    fn row<'a>(&'a self, id: &str) -> Option<(&'a Object, &'a Row)> {
        self.all.row(id)
    }

    fn children<'a>(&'a self, child: &Object, reference: &str, parent: &str) -> Vec<&'a Row> {
        self.all.children(child, reference, parent)
    }

    fn base_path(&self) -> &str {
        self.all.base_path()
    }

    fn now(&self) -> DateTime<Utc> {
        self.all.now()
    }
}

/// `GET /search?q=FIND {…} …`
pub(super) fn search(state: &State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let statement = call.request.param("q").unwrap_or_default();
    let search = sosl::parse(statement).map_err(refusal)?;
    answer(state, call, &search, statement)
}

/// `GET /parameterizedSearch?q=…` and its `POST` (36.0 on).
pub(super) fn parameterized(state: &State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let search = if call.request.method.as_str() == "POST" { by_body(call)? } else { by_query(call)? };
    answer(state, call, &search, "")
}

fn refusal(error: SoqlError) -> ApiError {
    ApiError::new(400, error.code, error.message)
}

fn answer(state: &State, call: &Call<'_>, search: &Search, source: &str) -> Result<Answer, ApiError> {
    let schema = call.view.schema.as_ref();
    let everything: Vec<Target>;
    let targets = if search.returning.is_empty() {
        let searchable = schema.objects().filter(|object| object.searchable);
        everything = searchable.map(|object| target(&object.name, "Id", String::new())).collect();
        &everything
    } else {
        &search.returning
    };
    let mut found = Vec::new();
    for target in targets {
        found.push(run(state, call, search, target, source)?);
    }
    let records = Json::Array(share(found, search.limit.unwrap_or(MAX_ROWS).min(MAX_ROWS)));
    // REST guide 35.0 and before: the bare array.
    let body = if call.version < 37 { records } else { Json::object([("searchRecords", records)]) };
    Ok(Answer::json(200, &body))
}

/// The found records of one object, after the clauses in its parentheses.
fn run(state: &State, call: &Call<'_>, search: &Search, target: &Target, source: &str) -> Result<Vec<Json>, ApiError> {
    let schema = call.view.schema.as_ref();
    let Some(object) = schema.object(&target.object) else {
        let message = format!("sObject type '{}' is not supported.", target.object);
        return Err(refusal(refuse_at(source, target.at, "INVALID_TYPE", &message)));
    };
    if !object.searchable {
        // [K] Code (it is in the WSDL) and text.
        let message = format!("entity type {} does not support search", object.name);
        return Err(ApiError::new(400, "INVALID_SEARCH_SCOPE", message));
    }
    let fields: Vec<_> = object.fields.iter().filter(|field| search.group.covers(object, field)).collect();
    let all = View { state, user: &call.view, base: &call.base, deleted: false };
    let hits = state.data.store.rows(&object.name, false).filter(|row| {
        let texts = fields.iter().filter_map(|field| match field_json(object, field, row) {
            Json::String(text) => Some(text),
            _ => None,
        });
        search.expression.finds(&texts.collect::<Vec<_>>())
    });
    let ids = hits.map(|row| text(row, "Id")).collect();
    let statement = format!("SELECT {} FROM {} {}", target.fields, object.name, target.rest);
    let result = soql::execute(&Found { all, object: &object.name, ids }, &statement).map_err(|error| {
        // The position is one of the statement that was made here.
        let message = error.message.rsplit('\n').next().unwrap_or_default();
        let code = if error.code == "MALFORMED_QUERY" { "MALFORMED_SEARCH" } else { error.code };
        refusal(refuse_at(source, target.at, code, message))
    })?;
    Ok(result.records)
}

/// "Results are evenly distributed among the objects returned", up to the limit of the whole.
fn share(found: Vec<Vec<Json>>, limit: usize) -> Vec<Json> {
    let mut quotas = vec![0; found.len()];
    let mut left = limit;
    while left > 0 {
        let open: Vec<usize> = (0..found.len()).filter(|place| quotas[*place] < found[*place].len()).collect();
        if open.is_empty() {
            break;
        }
        let each = (left / open.len()).max(1);
        for place in open {
            let more = each.min(left).min(found[place].len() - quotas[place]);
            quotas[place] += more;
            left -= more;
        }
    }
    found.into_iter().zip(quotas).flat_map(|(records, quota)| records.into_iter().take(quota)).collect()
}

fn target(object: &str, fields: &str, rest: String) -> Target {
    let fields = if fields.trim().is_empty() { "Id" } else { fields };
    Target { object: object.to_owned(), fields: fields.to_owned(), rest, at: 0 }
}

/// What the parameters of one object say.
#[derive(Default)]
struct Clauses {
    fields: String,
    filter: String,
    order: String,
    limit: String,
    offset: String,
}

impl Clauses {
    fn target(&self, object: &str) -> Target {
        let clauses =
            [("WHERE", &self.filter), ("ORDER BY", &self.order), ("LIMIT", &self.limit), ("OFFSET", &self.offset)];
        let clauses = clauses.into_iter().filter(|(_, value)| !value.is_empty());
        let rest = clauses.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(" ");
        target(object, &self.fields, rest)
    }
}

fn by_query(call: &Call<'_>) -> Result<Search, ApiError> {
    let param = |name: &str| call.request.param(name).unwrap_or_default().to_owned();
    let objects = call.request.query.iter().filter(|(key, _)| key.eq_ignore_ascii_case("sobject"));
    let returning = objects.map(|(_, object)| {
        let of = |name: &str, general: &str| {
            let own = call.request.param(&format!("{object}.{name}"));
            own.map_or_else(|| if general.is_empty() { String::new() } else { param(general) }, str::to_owned)
        };
        let clauses = Clauses {
            fields: of("fields", "fields"),
            filter: of("where", ""),
            order: of("orderBy", ""),
            limit: of("limit", "defaultLimit"),
            offset: of("offset", ""),
        };
        clauses.target(object)
    });
    whole(&param("q"), &param("in"), &param("overallLimit"), returning.collect())
}

fn by_body(call: &Call<'_>) -> Result<Search, ApiError> {
    let body = Json::Object(body_object(call)?);
    let of = |json: &Json, name: &str| match json.member(name) {
        Some(Json::String(text) | Json::Number(text)) => text.clone(),
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(","),
        _ => String::new(),
    };
    let objects: &[Json] = match body.member("sobjects") {
        Some(Json::Array(objects)) => objects,
        _ => &[],
    };
    let either = |own: String, general: &str| if own.is_empty() { of(&body, general) } else { own };
    let returning = objects.iter().map(|object| {
        let clauses = Clauses {
            fields: either(of(object, "fields"), "fields"),
            filter: of(object, "where"),
            order: of(object, "orderBy"),
            limit: either(of(object, "limit"), "defaultLimit"),
            offset: of(object, "offset"),
        };
        clauses.target(&of(object, "name"))
    });
    whole(&of(&body, "q"), &of(&body, "in"), &of(&body, "overallLimit"), returning.collect())
}

fn whole(q: &str, group: &str, limit: &str, returning: Vec<Target>) -> Result<Search, ApiError> {
    let bad = |name: &str, value: &str| {
        // [K] Code and text.
        ApiError::new(400, "INVALID_SEARCH", format!("{name} is not valid: {value}"))
    };
    let expression = sosl::lenient(q).map_err(refusal)?;
    let named = if group.is_empty() { Some(Group::All) } else { Group::named(group) };
    let group = named.ok_or_else(|| bad("in", group))?;
    let limit = match limit {
        "" => None,
        digits => Some(digits.parse().map_err(|_| bad("overallLimit", digits))?),
    };
    Ok(Search { expression, group, returning, limit })
}
