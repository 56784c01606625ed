//! A checked and folded SELECT as text.

use std::fmt::Write as _;

use super::column::{Column, Entry};
use super::condition::{Condition, Node};
use super::literal::write_list;
use super::select::{Purpose, Select};
use super::{Expr, Order, TypeOf};
use crate::error::Result;

/// What every record fails, in any object: an id is never null.
const NEVER: &str = "Id = null";

pub(super) fn statement(select: &Select) -> Result<String> {
    let mut out = String::with_capacity(256);
    write_select(select, &mut out)?;
    Ok(out)
}

fn write_select(select: &Select, out: &mut String) -> Result<()> {
    out.push_str("SELECT ");
    columns(select, out)?;
    out.push_str(" FROM ");
    out.push_str(&select.object);
    if let Some(scope) = select.scope {
        out.push_str(" USING SCOPE ");
        out.push_str(scope.word());
    }
    clauses(select, out)?;
    out.push_str(match select.purpose {
        None => "",
        Some(Purpose::View) => " FOR VIEW",
        Some(Purpose::Reference) => " FOR REFERENCE",
        Some(Purpose::Update) => " FOR UPDATE",
    });
    Ok(())
}

/// `Id,Name`.
pub(in crate::types) fn columns(select: &Select, out: &mut String) -> Result<()> {
    let mut first = true;
    for (index, Column(entry)) in select.columns.iter().enumerate() {
        if is_repeated(entry, &select.columns[..index]) {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        match entry {
            Entry::Expr { expr, alias: None } => display(out, expr),
            Entry::Expr { expr, alias: Some(alias) } => display(out, format_args!("{expr} {alias}")),
            Entry::Children(children) => {
                out.push('(');
                write_select(children, out)?;
                out.push(')');
            }
            Entry::TypeOf(choice) => type_of(choice, out),
            Entry::Fields(fields) => out.push_str(fields.word()),
        }
    }
    Ok(())
}

/// A plain field that stands among the columns before it.
fn is_repeated(entry: &Entry, before: &[Column]) -> bool {
    let Entry::Expr { expr, alias: None } = entry else { return false };
    expr.function.is_none()
        && before.iter().any(
            |Column(earlier)| matches!(earlier, Entry::Expr { expr: earlier, alias: None } if earlier.is_same(expr)),
        )
}

fn type_of(choice: &TypeOf, out: &mut String) {
    out.push_str("TYPEOF ");
    out.push_str(&choice.relationship);
    for (object, fields) in &choice.arms {
        display(out, format_args!(" WHEN {object} THEN {}", fields.join(",")));
    }
    if !choice.otherwise.is_empty() {
        display(out, format_args!(" ELSE {}", choice.otherwise.join(",")));
    }
    out.push_str(" END");
}

/// From WHERE to OFFSET, each with a space before it.
pub(in crate::types) fn clauses(select: &Select, out: &mut String) -> Result<()> {
    if let Some(filter) = &select.filter {
        out.push_str(" WHERE ");
        condition(filter, out)?;
    }
    for (index, expr) in select.group.iter().enumerate() {
        out.push_str(if index == 0 { " GROUP BY " } else { "," });
        display(out, expr);
    }
    if let Some(having) = &select.having {
        out.push_str(" HAVING ");
        condition(having, out)?;
    }
    for (index, Order { expr, descending, nulls_first }) in select.order.iter().enumerate() {
        out.push_str(if index == 0 { " ORDER BY " } else { "," });
        display(out, expr);
        out.push_str(if *descending { " DESC" } else { " ASC" });
        out.push_str(if *nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
    }
    if let Some(rows) = select.limit {
        display(out, format_args!(" LIMIT {rows}"));
    }
    if let Some(rows) = select.offset {
        display(out, format_args!(" OFFSET {rows}"));
    }
    Ok(())
}

/// Without parentheses around the whole.
fn condition(condition: &Condition, out: &mut String) -> Result<()> {
    match &condition.node {
        // Folding leaves the first and the last of these nowhere.
        Node::Always | Node::TooDeep => {}
        Node::Never => out.push_str(NEVER),
        Node::All(parts) => joined(parts, " AND ", out)?,
        Node::Any(parts) => joined(parts, " OR ", out)?,
        Node::Not(part) => {
            out.push_str("NOT (");
            self::condition(part, out)?;
            out.push(')');
        }
        Node::Compare { expr, operator, value } => {
            display(out, format_args!("{expr} {} ", operator.word()));
            value.write(out).map_err(|error| error.with_context("field", expr))?;
        }
        Node::List { expr, operator, values } => {
            display(out, format_args!("{expr} {} ", operator.word()));
            write_list(values, out).map_err(|error| error.with_context("field", expr))?;
        }
        Node::Join { expr, negated, select } => {
            display(out, format_args!("{expr} {} (", if *negated { "NOT IN" } else { "IN" }));
            write_select(select, out)?;
            out.push(')');
        }
    }
    Ok(())
}

/// Groups within a group are in parentheses, since AND, OR and NOT may not meet without.
fn joined(parts: &[Condition], word: &str, out: &mut String) -> Result<()> {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(word);
        }
        let is_group = matches!(part.node, Node::All(_) | Node::Any(_) | Node::Not(_));
        if is_group {
            out.push('(');
        }
        condition(part, out)?;
        if is_group {
            out.push(')');
        }
    }
    Ok(())
}

fn display(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a String does not fail.
    let _ = write!(out, "{value}");
}

/// The text of one expression, for what is named in errors.
pub(super) fn name(expr: &Expr) -> String {
    shown(&expr.to_string())
}

/// A name as an error may show it: short, and on one line.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_debug).collect()
}
