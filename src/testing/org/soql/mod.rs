//! SOQL as the org understands it: text to a syntax tree, the tree to rows.
//!
//! Statements go through `lexer`, `parser` (with `condition`), `plan` (with `names`, `filter`, `join` and `group`), which
//! refuses what the schema does not allow, and `eval`, which walks the rows; `output` writes them as records. The org's
//! user is in UTC with weeks that begin on Sunday and a fiscal year that begins in January.

mod access;
mod ast;
pub(crate) mod bulk;
pub(crate) mod catalog;
pub(crate) mod compare;
mod condition;
mod dates;
mod eval;
mod filter;
mod group;
mod join;
mod lexer;
mod names;
pub(crate) mod output;
mod parser;
mod plan;
pub(crate) mod position;
mod predicate;
mod tally;
#[cfg(test)]
mod tests;
mod text;

use super::json::Json;
use super::schema::{Object, Schema};
use super::value::{Row, Value};

/// What a query reads. The org implements it for the user who asks.
pub(crate) trait Tables {
    /// Objects and fields the user can see; the rest is unknown to a query.
    fn schema(&self) -> &Schema;

    /// Rows of an object in the order of their creation.
    fn rows<'a>(&'a self, object: &Object) -> Box<dyn Iterator<Item = &'a Row> + 'a>;

    /// A row by its 18-character id, whatever its object.
    fn row<'a>(&'a self, id: &str) -> Option<(&'a Object, &'a Row)>;

    /// Children of `parent` by a reference field; the default scans.
    fn children<'a>(&'a self, child: &Object, reference: &str, parent: &str) -> Vec<&'a Row> {
        let points_here = |row: &&Row| matches!(row.get(reference), Some(Value::Text(id)) if id == parent);
        self.rows(child).filter(points_here).collect()
    }

    /// Rows whose field equals a text, where the org keeps an index (ids, external ids, unique fields, emails). Equal as
    /// [`compare::same_text`] has it; a row too many does no harm, the engine looks at each again.
    /// `None`: no index on this field, scan.
    fn indexed<'a>(&'a self, _object: &Object, _field: &str, _value: &str) -> Option<Vec<&'a Row>> {
        None
    }

    /// Rows of the metadata catalog: LIMIT and OFFSET have no effect on them.
    fn ignores_limit(&self, _object: &Object) -> bool {
        false
    }

    /// `/services/data/vXX.0` of the request, for the `url` of `attributes`.
    fn base_path(&self) -> &str;

    /// The instant date literals count from.
    fn now(&self) -> chrono::DateTime<chrono::Utc>;
}

/// A query's refusal, as the org words it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SoqlError {
    /// `MALFORMED_QUERY`, `INVALID_FIELD`, `INVALID_TYPE`, …
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// The rows of an answer, before paging.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QueryResult {
    /// `totalSize`: for `SELECT COUNT()` the count, with no records.
    pub(crate) total_size: usize,
    /// Ready to go on the wire, `attributes` first.
    pub(crate) records: Vec<Json>,
    /// Aggregates and OFFSET have no locator: everything has to fit one page.
    pub(crate) one_page: bool,
}

/// SOQL reference, "SOQL and SOSL Limits".
const MAX_STATEMENT: usize = 100_000;

/// Runs a statement.
///
/// # Errors
///
/// The refusal, with Salesforce's code and, where it points into the statement, the position.
pub(crate) fn execute(tables: &dyn Tables, soql: &str) -> Result<QueryResult, SoqlError> {
    checked(soql)?;
    let query = parser::parse(soql)?;
    let mut plan = plan::Planner { tables, source: soql }.plan(&query)?;
    if tables.ignores_limit(plan.object) {
        (plan.limit, plan.offset, plan.has_offset) = (None, 0, false);
    }
    eval::run(tables, &plan)
}

/// Refuses a statement that is none, or too long.
fn checked(soql: &str) -> Result<(), SoqlError> {
    if soql.trim().is_empty() {
        return Err(position::malformed("A query string has to be specified"));
    }
    if soql.len() > MAX_STATEMENT && soql.chars().count() > MAX_STATEMENT {
        // [K] not verified: code and limit are documented, the text is not.
        let message = format!("SOQL statements cannot be longer than {MAX_STATEMENT} characters.");
        return Err(position::malformed(message));
    }
    Ok(())
}
