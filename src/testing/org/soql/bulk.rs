//! Statements of bulk query jobs: what they may not say, and their rows cell by cell.

use super::super::json::Json;
use super::super::schema::FieldType;
use super::super::value::Value;
use super::access::FieldPath;
use super::ast::{Item, Query};
use super::names::Scope;
use super::output::{Column, Show, shown};
use super::plan::{Plan, Planner, Shape, unwrap};
use super::{SoqlError, Tables, checked, eval, group, parser};

/// A column of the result.
struct Cell<'t> {
    /// As the statement asks, spelt as the schema spells it.
    name: String,
    path: FieldPath<'t>,
    show: Show,
}

/// The object a statement reads, or why it cannot be a job's.
pub(crate) fn object(tables: &dyn Tables, soql: &str) -> Result<String, SoqlError> {
    plan(tables, soql).map(|(plan, _)| plan.object.name.clone())
}

/// Runs a statement: hands over each row's cells, and gives the names of the columns in the order they were asked for.
pub(crate) fn run(tables: &dyn Tables, soql: &str, row: &mut dyn FnMut(&[String])) -> Result<Vec<String>, SoqlError> {
    let (plan, columns) = plan(tables, soql)?;
    for found in eval::rows(tables, &plan) {
        let cells: Vec<String> = columns.iter().map(|column| text(column, &column.path.value(tables, found))).collect();
        row(&cells);
    }
    Ok(columns.into_iter().map(|column| column.name).collect())
}

fn plan<'t>(tables: &'t dyn Tables, soql: &str) -> Result<(Plan<'t>, Vec<Cell<'t>>), SoqlError> {
    checked(soql)?;
    let query = parser::parse(soql)?;
    refuse(&query)?;
    let planner = Planner { tables, source: soql };
    let plan = planner.plan(&query)?;
    let scope = Scope::new(tables, soql, plan.object, &query)?;
    let mut cells = Vec::new();
    for item in &query.select {
        match item {
            Item::Expr { expr, alias } => {
                let Some((path, show)) = unwrap(expr) else { return Err(unsupported("Aggregate functions")) };
                let path = scope.field(path)?;
                let name = alias.clone().unwrap_or_else(|| path.text());
                cells.push(Cell { name, path, show });
            }
            Item::Fields { .. } => {
                let Shape::Records(columns) = &plan.shape else { continue };
                cells.extend(columns.iter().filter_map(|column| match column {
                    // [K] Compound fields are left out.
                    Column::Value { key, path, show } if !is_compound(path) => {
                        Some(Cell { name: key.clone(), path: path.clone(), show: *show })
                    }
                    _ => None,
                }));
            }
            Item::Children(_) | Item::TypeOf(_) => {}
        }
    }
    if cells.iter().any(|cell| is_compound(&cell.path)) {
        return Err(unsupported("Selecting compound data"));
    }
    Ok((plan, cells))
}

fn is_compound(path: &FieldPath<'_>) -> bool {
    matches!(path.field.kind, FieldType::Address | FieldType::Location)
}

/// What query jobs do not allow (wire facts 3.2).
fn refuse(query: &Query) -> Result<(), SoqlError> {
    if group::is_count(query) || group::is_grouped(query) {
        return Err(unsupported("Aggregate functions and GROUP BY"));
    }
    if query.offset.is_some() {
        return Err(unsupported("OFFSET"));
    }
    for item in &query.select {
        match item {
            Item::Children(_) => return Err(unsupported("Aggregate Relationships")),
            Item::TypeOf(_) => return Err(unsupported("TYPEOF")),
            _ => {}
        }
    }
    Ok(())
}

/// [S] Code and text for compound data and child relationships. [K] The rest in the same words.
fn unsupported(what: &str) -> SoqlError {
    SoqlError { code: "API_ERROR", message: format!("{what} not supported in Bulk Query") }
}

fn text(cell: &Cell<'_>, value: &Value) -> String {
    // [K] In CSV an instant ends in Z.
    if let (Value::DateTime(at), Show::Plain) = (value, cell.show) {
        return at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    }
    match shown(cell.path.field, cell.show, value) {
        Json::Null => String::new(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(digits) => digits,
        Json::String(text) => text,
        other => other.to_text(),
    }
}
