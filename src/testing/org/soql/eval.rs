//! Runs a plan.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::super::json::Json;
use super::super::schema::Object;
use super::super::value::Row;
use super::access::Operand;
use super::compare::Key;
use super::output;
use super::plan::{Plan, Shape, Sort};
use super::predicate::Predicate;
use super::{QueryResult, SoqlError, Tables};

pub(super) fn run<'t>(tables: &'t dyn Tables, plan: &Plan<'t>) -> Result<QueryResult, SoqlError> {
    let limit = plan.limit.unwrap_or(usize::MAX);
    match &plan.shape {
        Shape::Count => {
            let count = matching(tables, plan.object, plan.filter.as_ref()).skip(plan.offset).take(limit).count();
            Ok(QueryResult { total_size: count, records: Vec::new(), one_page: plan.has_offset })
        }
        Shape::Groups(grouping) => {
            let rows = matching(tables, plan.object, plan.filter.as_ref());
            let records = grouping.run(tables, rows, plan.offset, limit)?;
            Ok(QueryResult { total_size: records.len(), records, one_page: true })
        }
        Shape::Records(columns) => {
            let record = |row| output::record(tables, plan.object, plan.object, row, columns);
            let records: Vec<Json> = rows(tables, plan).into_iter().map(record).collect();
            Ok(QueryResult { total_size: records.len(), records, one_page: plan.has_offset })
        }
    }
}

/// The rows a plan for records answers with, in their order.
pub(super) fn rows<'t>(tables: &'t dyn Tables, plan: &Plan<'t>) -> Vec<&'t Row> {
    chosen(tables, plan, matching(tables, plan.object, plan.filter.as_ref()))
}

/// The records of a child sub-query for one parent, whose children are given.
pub(super) fn child_records<'t>(tables: &'t dyn Tables, plan: &Plan<'t>, rows: Vec<&'t Row>) -> Vec<Json> {
    let Shape::Records(columns) = &plan.shape else { return Vec::new() };
    let accepted = rows.into_iter().filter(|row| accepts(tables, plan.filter.as_ref(), row));
    let record = |row| output::record(tables, plan.object, plan.object, row, columns);
    chosen(tables, plan, accepted).into_iter().map(record).collect()
}

/// The rows of an object that pass a filter, in the order of their creation unless an index delivers them.
pub(super) fn matching<'t, 'p>(
    tables: &'t dyn Tables,
    object: &'t Object,
    filter: Option<&'p Predicate<Operand<'t>>>,
) -> Box<dyn Iterator<Item = &'t Row> + 'p>
where
    't: 'p,
{
    let rows: Box<dyn Iterator<Item = &'t Row> + 'p> =
        match filter.and_then(|filter| from_index(tables, object, filter)) {
            Some(rows) => Box::new(rows.into_iter()),
            None => tables.rows(object),
        };
    Box::new(rows.filter(move |row| accepts(tables, filter, row)))
}

fn accepts<'t>(tables: &'t dyn Tables, filter: Option<&Predicate<Operand<'t>>>, row: &'t Row) -> bool {
    filter.is_none_or(|filter| filter.holds(&|operand| operand.value(tables, row)))
}

/// Candidates by the first `=` or IN that the org keeps an index for.
fn from_index<'t>(tables: &'t dyn Tables, object: &'t Object, filter: &Predicate<Operand<'t>>) -> Option<Vec<&'t Row>> {
    filter.required().into_iter().find_map(|(operand, test)| {
        let Operand::Field(path) = operand else { return None };
        if !path.hops.is_empty() {
            return None;
        }
        let mut rows = Vec::new();
        for key in test.keys()? {
            rows.extend(tables.indexed(object, &path.field.name, key)?);
        }
        // `IN ('a', 'A')` names one row twice.
        let mut seen = HashSet::new();
        rows.retain(|row| seen.insert(std::ptr::from_ref::<Row>(row)));
        Some(rows)
    })
}

/// Rows after ORDER BY, OFFSET and LIMIT.
fn chosen<'t>(tables: &'t dyn Tables, plan: &Plan<'t>, rows: impl Iterator<Item = &'t Row>) -> Vec<&'t Row> {
    let limit = plan.limit.unwrap_or(usize::MAX);
    if plan.order.is_empty() {
        return rows.skip(plan.offset).take(limit).collect();
    }
    let key = |sort: &Sort<Operand<'t>>, row| sort.by.key(&sort.by.value(tables, row));
    let mut keyed: Vec<(Vec<Key>, &Row)> =
        rows.map(|row| (plan.order.iter().map(|sort| key(sort, row)).collect(), row)).collect();
    keyed.sort_by(|(left, _), (right, _)| compare(&plan.order, left, right));
    keyed.into_iter().map(|(_, row)| row).skip(plan.offset).take(limit).collect()
}

pub(super) fn compare<O>(order: &[Sort<O>], left: &[Key], right: &[Key]) -> Ordering {
    let each = order.iter().zip(left.iter().zip(right)).map(|(sort, (left, right))| match (left, right) {
        (Key::Null, Key::Null) => Ordering::Equal,
        (Key::Null, _) if sort.nulls_first => Ordering::Less,
        (Key::Null, _) => Ordering::Greater,
        (_, Key::Null) if sort.nulls_first => Ordering::Greater,
        (_, Key::Null) => Ordering::Less,
        _ if sort.descending => right.cmp(left),
        _ => left.cmp(right),
    });
    each.fold(Ordering::Equal, Ordering::then)
}
