//! WHERE and HAVING.

use super::super::column::{Column, Entry};
use super::super::condition::{Condition, Node, Operator};
use super::super::expr::Expr;
use super::super::select::Select;
use super::super::write::name;
use super::super::{Literal, invalid};
use super::{object, parents, path, wrong};
use crate::error::{Error, Result};

/// Source: SOQL reference, "Comparison Operators".
const MAX_SEMI_JOINS: usize = 2;
/// Objects that semi-joins may not read. Source: SOQL reference, "Comparison Operators".
const NO_SEMI_JOIN: [&str; 6] = ["ActivityHistory", "Attachment", "Event", "Note", "OpenActivity", "Task"];

/// Checks both conditions.
pub(super) fn check(select: &Select) -> Result<()> {
    let mut semi_joins = 0;
    if let Some(filter) = &select.filter {
        condition(filter, &Where { object: &select.object, select: None }, true, &mut semi_joins)?;
    }
    if let Some(having) = &select.having {
        if select.group.is_empty() {
            return Err(wrong("HAVING", "it needs a GROUP BY").with_advice("without groups, filter in WHERE"));
        }
        condition(having, &Where { object: &select.object, select: Some(select) }, true, &mut semi_joins)?;
    }
    Ok(())
}

/// What a condition is checked against.
struct Where<'a> {
    object: &'a str,
    /// The statement, in its HAVING.
    select: Option<&'a Select>,
}

impl Where<'_> {
    fn part(&self) -> &'static str {
        if self.select.is_some() { "HAVING" } else { "WHERE" }
    }
}

fn condition(condition: &Condition, place: &Where<'_>, top: bool, semi_joins: &mut usize) -> Result<()> {
    match &condition.node {
        Node::Always | Node::Never => Ok(()),
        Node::TooDeep => Err(wrong(place.part(), "groups are nested more than 24 levels deep")),
        Node::All(parts) => parts.iter().try_for_each(|part| self::condition(part, place, top, semi_joins)),
        Node::Any(parts) => parts.iter().try_for_each(|part| self::condition(part, place, false, semi_joins)),
        Node::Not(part) => self::condition(part, place, false, semi_joins),
        Node::Compare { expr, operator, value } => {
            operand(expr, place)?;
            comparison(*operator, value).map_err(|error| located(error, place, expr))
        }
        Node::List { expr, values, .. } => {
            operand(expr, place)?;
            if values.iter().all(Literal::is_scalar) {
                return Ok(());
            }
            let error = invalid("a list holds lists or LIKE patterns").with_advice("give it single values");
            Err(located(error, place, expr))
        }
        Node::Join { expr, select, .. } => {
            *semi_joins += 1;
            let refusal = if place.select.is_some() {
                Some("a semi-join or anti-join stands in WHERE only")
            } else if !top {
                Some("a semi-join or anti-join stands at the top of WHERE, joined by AND: not under OR, nor under NOT")
            } else if *semi_joins > MAX_SEMI_JOINS {
                Some("a WHERE has at most 2 semi-joins and anti-joins")
            } else if expr.function.is_some() || expr.path.contains('.') {
                Some("the left side of a semi-join or anti-join is an id or reference of the object itself")
            } else {
                None
            };
            if let Some(message) = refusal {
                return Err(located(invalid(message), place, expr).with_advice("make two queries, the second with IN"));
            }
            operand(expr, place)?;
            semi_join(select, place.object).map_err(|error| error.with_context("field", name(expr)))
        }
    }
}

fn located(error: Error, place: &Where<'_>, expr: &Expr) -> Error {
    error.with_context("part", place.part()).with_context("field", name(expr))
}

fn operand(expr: &Expr, place: &Where<'_>) -> Result<()> {
    if !expr.is_count_rows() {
        path(place.part(), &expr.path)?;
    }
    match place.select {
        None if expr.is_aggregate() => Err(located(invalid("aggregates are compared in HAVING"), place, expr)),
        Some(_) if expr.is_count_rows() => {
            Err(located(invalid("COUNT() counts no group").with_advice("use COUNT(Id)"), place, expr))
        }
        Some(select) if !expr.is_aggregate() && !select.group.iter().any(|group| group.is_same(expr)) => {
            Err(located(invalid("HAVING compares aggregates and fields of GROUP BY"), place, expr))
        }
        _ => Ok(()),
    }
}

fn comparison(operator: Operator, value: &Literal) -> Result<()> {
    let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    match value {
        Literal::List(_) => Err(invalid("a list is compared with one value").with_advice("use is_in or not_in")),
        Literal::Pattern(_) if operator != Operator::Like => {
            Err(invalid("a pattern is compared as a value").with_advice("use like"))
        }
        Literal::Null | Literal::Bool(_) | Literal::MultiSelect(_) if !equality => {
            Err(invalid("null, a boolean and a multi-select have no order").with_advice("use eq or ne"))
        }
        _ => Ok(()),
    }
}

fn semi_join(inner: &Select, outer_object: &str) -> Result<()> {
    object(&inner.object)?;
    let refuse = |message| Err(wrong("sub-select", message));
    let [Column(Entry::Expr { expr, alias: None })] = inner.columns.as_slice() else {
        return refuse("it selects exactly one field");
    };
    path("sub-select", &expr.path)?;
    if expr.function.is_some() || expr.path.contains('.') {
        return refuse("it selects an id or reference of its own object, without function or path");
    }
    if inner.object.eq_ignore_ascii_case(outer_object) {
        return refuse("it is over the object that is filtered");
    }
    if NO_SEMI_JOIN.iter().any(|object| object.eq_ignore_ascii_case(&inner.object)) {
        return refuse("its object cannot be in a semi-join or anti-join");
    }
    let Select { columns: _, object: _, filter, scope, group, having, order, limit, offset, purpose } = inner;
    let clauses = !group.is_empty() || having.is_some() || !order.is_empty() || limit.is_some() || offset.is_some();
    if clauses || scope.is_some() || purpose.is_some() {
        return refuse("it takes no clause but WHERE");
    }
    let Some(filter) = filter else { return Ok(()) };
    if has_join(filter) {
        return refuse("semi-joins and anti-joins do not nest");
    }
    condition(filter, &Where { object: &inner.object, select: None }, true, &mut 0)?;
    parents(inner)
}

fn has_join(condition: &Condition) -> bool {
    match &condition.node {
        Node::All(parts) | Node::Any(parts) => parts.iter().any(has_join),
        Node::Not(part) => has_join(part),
        Node::Join { .. } => true,
        _ => false,
    }
}
