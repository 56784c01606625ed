//! SOQL over HTTP (wire facts 2.7).

use chrono::{DateTime, Utc};

use super::cursors::Page;
use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::knobs::MAX_PAGE;
use crate::testing::org::permissions::UserView;
use crate::testing::org::schema::{Object, Schema};
use crate::testing::org::soql::{self, QueryResult, SoqlError, Tables, catalog};
use crate::testing::org::state::{Call, State};
use crate::testing::org::tooling::{self, Catalog};
use crate::testing::org::value::{Row, Value, is_set};
use crate::testing::org::wire::Answer;

const MIN_PAGE: usize = 200;

/// The org's rows as a query of one caller sees them.
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    pub(super) user: &'a UserView,
    pub(super) base: &'a str,
    /// `queryAll`: the recycle bin and the archive as well.
    pub(super) deleted: bool,
}

impl View<'_> {
    fn shows(&self, row: &Row) -> bool {
        self.deleted || !is_set(row, "IsArchived")
    }
}

impl Tables for View<'_> {
    fn schema(&self) -> &Schema {
        &self.user.schema
    }

    fn rows<'a>(&'a self, object: &Object) -> Box<dyn Iterator<Item = &'a Row> + 'a> {
        if object.name == "UserPermissionAccess" {
            return Box::new(std::iter::once(&self.user.access));
        }
        // A row without `IsDeleted` has no recycle bin to be in.
        let deleted = self.deleted && object.field("IsDeleted").is_some();
        Box::new(self.state.data.store.rows(&object.name, deleted).filter(|row| self.shows(row)))
    }

    fn row<'a>(&'a self, id: &str) -> Option<(&'a Object, &'a Row)> {
        let (row, deleted) = self.state.data.store.find(id)?;
        let object = self.user.schema.object(self.state.data.store.object_of(id)?)?;
        (self.deleted || !deleted).then_some((object, row))
    }

    fn children<'a>(&'a self, child: &Object, reference: &str, parent: &str) -> Vec<&'a Row> {
        let value = Value::Text(parent.to_owned());
        let indexed = if self.deleted { None } else { self.state.data.store.lookup(&child.name, reference, &value) };
        let indexed = indexed.map(|rows| rows.into_iter().filter(|row| self.shows(row)).collect());
        indexed.unwrap_or_else(|| self.rows(child).filter(|row| row.get(reference) == Some(&value)).collect())
    }

    fn indexed<'a>(&'a self, object: &Object, field: &str, value: &str) -> Option<Vec<&'a Row>> {
        if self.deleted {
            return None;
        }
        if field == "Id" {
            let row = self.row(value).filter(|(owner, row)| owner.name == object.name && self.shows(row));
            return Some(row.map(|(_, row)| row).into_iter().collect());
        }
        let rows = self.state.data.store.lookup(&object.name, field, &Value::Text(value.to_owned()))?;
        Some(rows.into_iter().filter(|row| self.shows(row)).collect())
    }

    fn base_path(&self) -> &str {
        self.base
    }

    fn now(&self) -> DateTime<Utc> {
        self.state.data.clock.now_exact()
    }
}

/// `GET /query?q=…` and `/queryAll?q=…`
pub(super) fn run(state: &mut State, call: &Call<'_>, deleted: bool) -> Result<Answer, ApiError> {
    let Some(statement) = call.request.param("q") else {
        // [K] The text.
        return Err(ApiError::new(400, "MALFORMED_QUERY", "A query string has to be specified"));
    };
    let result =
        rows(state, call, statement, deleted).map_err(|error| ApiError::new(400, error.code, error.message))?;
    let size = page_size(state, call);
    let weight: usize = result.records.iter().map(weight).sum();
    if result.one_page {
        if result.records.len() > MAX_PAGE {
            // [K] The code and the text.
            let message =
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch";
            return Err(ApiError::new(400, "EXCEEDED_ID_LIMIT", message));
        }
    } else if weight > size || state.cursors.endless {
        let (now, base) = (state.data.now(), format!("{}/query", call.base));
        let mut records = result.records;
        for record in &mut records {
            cut_children(state, record, size, &base);
        }
        let page = state.cursors.open(records, size, now).ok_or_else(bad_locator)?;
        return Ok(answer(call, page));
    }
    Ok(answer(call, Page { total: result.total_size, records: result.records, next: None }))
}

fn rows(state: &State, call: &Call<'_>, soql: &str, deleted: bool) -> Result<QueryResult, SoqlError> {
    // A statement that cannot be read is refused below.
    if let Ok(statement) = catalog::read(soql)
        && tooling::of_data(&statement.object)
    {
        return Catalog::of_data(state, call, &statement)?.run(&statement, soql);
    }
    soql::execute(&View { state, user: &call.view, base: &call.base, deleted }, soql)
}

/// The rows a record counts as: itself and its children (wire facts 2.1, `batchSize`).
pub(super) fn weight(record: &Json) -> usize {
    let Json::Object(members) = record else { return 1 };
    1 + members.iter().filter_map(|(_, value)| nested(value)).flatten().map(weight).sum::<usize>()
}

/// The records of a child sub-query's result.
fn nested(value: &Json) -> Option<&[Json]> {
    match value.member("records") {
        Some(Json::Array(records)) if value.member("done").is_some() => Some(records),
        _ => None,
    }
}

/// A child sub-query whose rows are more than a page has a `nextRecordsUrl` of its own (REST guide, "Query": nested results).
// [K] That it is cut at the size of the whole page.
fn cut_children(state: &mut State, record: &mut Json, size: usize, base: &str) {
    let Json::Object(members) = record else { return };
    for (_, value) in members {
        let Some(count) = nested(value).map(<[Json]>::len) else { continue };
        let Json::Object(result) = value else { continue };
        let Some(Json::Array(records)) = result.iter_mut().find(|(key, _)| key == "records").map(|(_, value)| value)
        else {
            continue;
        };
        for record in records.iter_mut() {
            cut_children(state, record, size, base);
        }
        if count <= size {
            continue;
        }
        let now = state.data.now();
        let Some(page) = state.cursors.open(std::mem::take(records), size, now) else { continue };
        *value = result_json(page, base);
    }
}

/// `GET /query/<locator>`
pub(super) fn more(state: &mut State, call: &Call<'_>, locator: &str) -> Result<Answer, ApiError> {
    let page = state.cursors.page(locator, state.data.now()).ok_or_else(bad_locator)?;
    Ok(answer(call, page))
}

pub(super) fn bad_locator() -> ApiError {
    // [S] The text.
    ApiError::new(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
}

/// `Sforce-Query-Options: batchSize=…`, brought into 200 to 2,000; without it the org's own size.
pub(super) fn page_size(state: &State, call: &Call<'_>) -> usize {
    let options = call.request.header("sforce-query-options").unwrap_or_default();
    let mut sizes = options.split([',', ';']).filter_map(|option| {
        let (name, value) = option.split_once('=')?;
        name.trim().eq_ignore_ascii_case("batchSize").then(|| value.trim().parse::<usize>().ok())?
    });
    let asked = sizes.next_back().map(|size| size.clamp(MIN_PAGE, MAX_PAGE));
    // A hint: what the org has set for itself is not exceeded.
    asked.unwrap_or(MAX_PAGE).min(state.knobs.page)
}

fn answer(call: &Call<'_>, page: Page) -> Answer {
    Answer::json(200, &result_json(page, &format!("{}/query", call.base)))
}

fn result_json(page: Page, base: &str) -> Json {
    let mut members =
        vec![("totalSize".to_owned(), Json::number(page.total)), ("done".to_owned(), Json::Bool(page.next.is_none()))];
    members.extend(page.next.map(|next| ("nextRecordsUrl".to_owned(), Json::string(format!("{base}/{next}")))));
    members.push(("records".to_owned(), Json::Array(page.records)));
    Json::Object(members)
}
