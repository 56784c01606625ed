//! SOQL over HTTP (wire facts 2.7).

use chrono::{DateTime, Utc};

use super::cursors::Page;
use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::schema::{Object, Schema};
use crate::testing::org::soql::{self, Tables};
use crate::testing::org::state::{Call, State};
use crate::testing::org::value::{Row, Value};
use crate::testing::org::wire::Answer;

const MAX_PAGE: usize = 2_000;
const MIN_PAGE: usize = 200;

/// The org's rows as a query of one caller sees them.
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    pub(super) schema: &'a Schema,
    pub(super) base: &'a str,
    /// `queryAll`: the recycle bin as well.
    pub(super) deleted: bool,
}

impl Tables for View<'_> {
    fn schema(&self) -> &Schema {
        self.schema
    }

    fn rows<'a>(&'a self, object: &Object) -> Box<dyn Iterator<Item = &'a Row> + 'a> {
        // A row without `IsDeleted` has no recycle bin to be in.
        let deleted = self.deleted && object.field("IsDeleted").is_some();
        Box::new(self.state.data.store.rows(&object.name, deleted))
    }

    fn row<'a>(&'a self, id: &str) -> Option<(&'a Object, &'a Row)> {
        let (row, deleted) = self.state.data.store.find(id)?;
        let object = self.schema.object(self.state.data.store.object_of(id)?)?;
        (self.deleted || !deleted).then_some((object, row))
    }

    fn children<'a>(&'a self, child: &Object, reference: &str, parent: &str) -> Vec<&'a Row> {
        let value = Value::Text(parent.to_owned());
        let indexed = if self.deleted { None } else { self.state.data.store.lookup(&child.name, reference, &value) };
        indexed.unwrap_or_else(|| self.rows(child).filter(|row| row.get(reference) == Some(&value)).collect())
    }

    fn indexed<'a>(&'a self, object: &Object, field: &str, value: &str) -> Option<Vec<&'a Row>> {
        if self.deleted {
            return None;
        }
        if field == "Id" {
            let row = self.row(value).filter(|(owner, _)| owner.name == object.name);
            return Some(row.map(|(_, row)| row).into_iter().collect());
        }
        self.state.data.store.lookup(&object.name, field, &Value::Text(value.to_owned()))
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
    let result = soql::execute(&View { state, schema: &call.view.schema, base: &call.base, deleted }, statement)
        .map_err(|error| ApiError::new(400, error.code, error.message))?;
    let size = page_size(call);
    let total = result.total_size;
    if result.records.len() <= size {
        let page = Page { total, records: result.records, next: None };
        return Ok(answer(call, page));
    }
    if result.one_page {
        // [K] The code and the text.
        let message =
            "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch";
        return Err(ApiError::new(400, "EXCEEDED_ID_LIMIT", message));
    }
    let page = state.cursors.open(result.records, size, state.data.now()).ok_or_else(bad_locator)?;
    Ok(answer(call, page))
}

/// `GET /query/<locator>`
pub(super) fn more(state: &mut State, call: &Call<'_>, locator: &str) -> Result<Answer, ApiError> {
    let page = state.cursors.page(locator, state.data.now()).ok_or_else(bad_locator)?;
    Ok(answer(call, page))
}

fn bad_locator() -> ApiError {
    // [S] The text.
    ApiError::new(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
}

/// `Sforce-Query-Options: batchSize=…`, brought into 200 to 2,000.
fn page_size(call: &Call<'_>) -> usize {
    let options = call.request.header("sforce-query-options").unwrap_or_default();
    let mut sizes = options.split([',', ';']).filter_map(|option| {
        let (name, value) = option.split_once('=')?;
        name.trim().eq_ignore_ascii_case("batchSize").then(|| value.trim().parse::<usize>().ok())?
    });
    sizes.next_back().unwrap_or(MAX_PAGE).clamp(MIN_PAGE, MAX_PAGE)
}

fn answer(call: &Call<'_>, page: Page) -> Answer {
    let mut members =
        vec![("totalSize".to_owned(), Json::number(page.total)), ("done".to_owned(), Json::Bool(page.next.is_none()))];
    members.extend(
        page.next.map(|next| ("nextRecordsUrl".to_owned(), Json::string(format!("{}/query/{next}", call.base)))),
    );
    members.push(("records".to_owned(), Json::Array(page.records)));
    Answer::json(200, &Json::Object(members))
}
