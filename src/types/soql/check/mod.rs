//! What Salesforce would refuse, found before it is asked.

mod filters;

use std::collections::HashSet;

use super::column::{Column, Entry, Fields, TypeOf};
use super::condition::{Condition, Node};
use super::expr::Expr;
use super::invalid;
use super::select::{Purpose, Select};
use super::write::{name, shown};
use crate::error::{Error, Result};
use crate::types::name::is_identifier;

/// Source of these four: SOQL reference, "Relationship Query Limitations".
const MAX_LEVELS_UP: usize = 5;
const MAX_PARENTS: usize = 55;
const MAX_CHILDREN: usize = 20;
/// Below the records of the statement, from API 58.0.
const MAX_LEVELS_DOWN: usize = 4;
/// Source: SOQL reference, "OFFSET".
const MAX_OFFSET: u32 = 2_000;
/// Source: SOQL reference, "`FIELDS()`".
const MAX_FIELDS_LIMIT: u32 = 200;
/// Words that are no alias. Source: SOQL reference, "Alias Notation".
const RESERVED: [&str; 21] = [
    "AND", "ASC", "DESC", "EXCLUDES", "FIRST", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LAST", "LIKE", "LIMIT",
    "NOT", "NULL", "NULLS", "OR", "SELECT", "USING", "WHERE", "WITH",
];

/// Checks a whole statement.
pub(super) fn statement(select: &Select) -> Result<()> {
    self::select(select, 0)?;
    if count_children(select) > MAX_CHILDREN {
        return Err(
            wrong("SELECT", "more than 20 child relationships are selected").with_advice("make several queries")
        );
    }
    Ok(())
}

/// Checks what SOSL is to return of one object.
pub(in crate::types) fn returned(select: &Select) -> Result<()> {
    self::select(select, 0)?;
    let plain = |Column(entry): &Column| matches!(entry, Entry::Expr { alias: None, .. } | Entry::TypeOf(_));
    if !select.columns.iter().all(plain) || select.is_aggregated() || select.having.is_some() {
        return Err(wrong("RETURNING", "it takes fields only: no children, aggregates, groups and FIELDS()"));
    }
    if select.scope.is_some() || select.purpose.is_some() {
        return Err(wrong("RETURNING", "it takes neither USING SCOPE nor FOR VIEW, REFERENCE or UPDATE"));
    }
    Ok(())
}

fn wrong(part: &'static str, message: &'static str) -> Error {
    invalid(message).with_context("part", part)
}

fn count_children(select: &Select) -> usize {
    let children = |Column(entry): &Column| match entry {
        Entry::Children(children) => 1 + count_children(children),
        _ => 0,
    };
    select.columns.iter().map(children).sum()
}

/// `level` counts down from the records of the statement.
fn select(select: &Select, level: usize) -> Result<()> {
    object(&select.object)?;
    if select.columns.is_empty() {
        return Err(wrong("SELECT", "nothing is selected").with_advice("select a field, such as Id"));
    }
    let aggregated = select.is_aggregated();
    for Column(entry) in &select.columns {
        match entry {
            Entry::Expr { expr, alias } => column(select, expr, alias.as_deref(), aggregated)?,
            _ if aggregated => {
                return Err(wrong("SELECT", "children, TYPEOF and FIELDS() do not go with aggregates or GROUP BY"));
            }
            Entry::Children(children) => child(children, level + 1)?,
            Entry::TypeOf(choice) => type_of(select, choice)?,
            Entry::Fields(Fields::Standard) => {}
            Entry::Fields(_) if select.limit.is_some_and(|rows| rows <= MAX_FIELDS_LIMIT) => {}
            Entry::Fields(_) => {
                return Err(wrong("SELECT", "FIELDS(ALL) and FIELDS(CUSTOM) need a LIMIT of at most 200"));
            }
        }
    }
    aliases(select)?;
    filters::check(select)?;
    grouping(select, aggregated)?;
    if select.offset.is_some_and(|rows| rows > MAX_OFFSET) {
        return Err(wrong("OFFSET", "more than 2,000 rows are left out")
            .with_advice("order by a field and filter by the last value that was read"));
    }
    if select.purpose == Some(Purpose::Update) && !select.order.is_empty() {
        return Err(wrong("FOR UPDATE", "it does not go with ORDER BY"));
    }
    parents(select)
}

fn object(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(wrong("FROM", "no object is named").with_advice("call from(…)"));
    }
    identifier("FROM", name)
}

fn identifier(part: &'static str, name: &str) -> Result<()> {
    if is_identifier(name) {
        return Ok(());
    }
    Err(wrong(part, "not an API name")
        .with_context("name", shown(name))
        .with_advice("API names are letters, digits and underscores, such as Amount or Score__c"))
}

fn path(part: &'static str, path: &str) -> Result<()> {
    let mut levels = 0;
    for segment in path.split('.') {
        if !is_identifier(segment) {
            return Err(wrong(part, "not the API name of a field, nor a path to one")
                .with_context("name", shown(path))
                .with_advice("such as Amount, Score__c or Account.Owner.Name; values are bound, not named"));
        }
        levels += 1;
    }
    if levels > MAX_LEVELS_UP + 1 {
        return Err(wrong(part, "a path has more than 5 relationships").with_context("name", shown(path)));
    }
    Ok(())
}

fn column(select: &Select, expr: &Expr, alias: Option<&str>, aggregated: bool) -> Result<()> {
    let refuse = |message| Err(wrong("SELECT", message).with_context("name", name(expr)));
    if expr.is_count_rows() {
        if select.columns.len() > 1 || alias.is_some() || !select.group.is_empty() || !select.order.is_empty() {
            return refuse("it stands alone: without other columns, an alias, GROUP BY and ORDER BY");
        }
        return Ok(());
    }
    path("SELECT", &expr.path)?;
    if let Some(alias) = alias {
        let reserved = RESERVED.iter().any(|word| word.eq_ignore_ascii_case(alias));
        if !is_identifier(alias) || reserved {
            return refuse("its alias is not a name, or a reserved word");
        }
    }
    if aggregated {
        let grouped = select.group.iter().any(|group| group.is_same(expr));
        if !expr.is_aggregate() && !grouped {
            return refuse("beside an aggregate or GROUP BY it has to be in GROUP BY");
        }
    } else if expr.function.is_some() {
        return refuse("a date function is selected only where it is in GROUP BY");
    } else if alias.is_some() {
        return refuse("an alias is for aggregates and for fields of GROUP BY");
    }
    Ok(())
}

/// No two columns of one name.
fn aliases(select: &Select) -> Result<()> {
    let mut seen = HashSet::new();
    for Column(entry) in &select.columns {
        if let Entry::Expr { alias: Some(alias), .. } = entry
            && !seen.insert(alias.to_ascii_lowercase())
        {
            return Err(wrong("SELECT", "two columns have one alias").with_context("name", shown(alias)));
        }
    }
    Ok(())
}

fn child(children: &Select, level: usize) -> Result<()> {
    if level > MAX_LEVELS_DOWN {
        return Err(wrong("SELECT", "children are nested more than 4 levels deep")
            .with_advice("4 levels below the records are possible from API 58.0, one before"));
    }
    if children.is_aggregated() {
        return Err(wrong("SELECT", "children cannot be grouped or aggregated")
            .with_advice("query the child object, grouped by its reference to the parent"));
    }
    if children.offset.is_some() {
        return Err(wrong("OFFSET", "children take no OFFSET"));
    }
    if children.scope.is_some() || children.purpose.is_some() {
        return Err(wrong("SELECT", "children take neither USING SCOPE nor FOR VIEW, REFERENCE or UPDATE"));
    }
    select(children, level)
}

fn type_of(select: &Select, choice: &TypeOf) -> Result<()> {
    let refuse = |message| Err(wrong("TYPEOF", message).with_context("name", shown(&choice.relationship)));
    path("TYPEOF", &choice.relationship)?;
    if choice.arms.is_empty() || choice.arms.iter().any(|(_, fields)| fields.is_empty()) {
        return refuse("it needs objects with a field each").map_err(|error: Error| error.with_advice("call when(…)"));
    }
    for (object, fields) in &choice.arms {
        identifier("TYPEOF", object)?;
        fields.iter().try_for_each(|field| path("TYPEOF", field))?;
    }
    choice.otherwise.iter().try_for_each(|field| path("TYPEOF", field))?;
    let same = |Column(entry): &&Column| match entry {
        Entry::TypeOf(other) => other.relationship.eq_ignore_ascii_case(&choice.relationship),
        _ => false,
    };
    if select.columns.iter().filter(same).count() > 1 {
        return refuse("one relationship has two of it");
    }
    Ok(())
}

/// GROUP BY, ORDER BY and LIMIT.
fn grouping(select: &Select, aggregated: bool) -> Result<()> {
    for expr in &select.group {
        if expr.is_aggregate() {
            return Err(wrong("GROUP BY", "it takes no aggregates").with_context("name", name(expr)));
        }
        path("GROUP BY", &expr.path)?;
    }
    for order in &select.order {
        let expr = &order.expr;
        let refuse = |message| Err(wrong("ORDER BY", message).with_context("name", name(expr)));
        if expr.is_count_rows() {
            return refuse("COUNT() orders nothing");
        }
        path("ORDER BY", &expr.path)?;
        if select.group.is_empty() {
            if aggregated {
                return refuse("aggregates without GROUP BY give one row");
            }
            if expr.function.is_some() {
                return refuse("functions order groups only");
            }
        } else if !expr.is_aggregate() && !select.group.iter().any(|group| group.is_same(expr)) {
            return refuse("groups are ordered by aggregates and fields of GROUP BY");
        }
    }
    if aggregated && select.group.is_empty() && !select.counts_rows() {
        let one_row = select.limit.map(|_| "LIMIT").or(select.offset.map(|_| "OFFSET"));
        if let Some(part) = one_row {
            return Err(wrong(part, "aggregates without GROUP BY give one row"));
        }
    }
    Ok(())
}

/// The relationships to parents of one SELECT, each counted once.
fn parents(select: &Select) -> Result<()> {
    let mut found = HashSet::new();
    let mut add = |path: &str| {
        let path = path.to_ascii_lowercase();
        found.extend(path.match_indices('.').map(|(end, _)| path[..end].to_owned()));
    };
    for Column(entry) in &select.columns {
        match entry {
            Entry::Expr { expr, .. } => add(&expr.path),
            Entry::TypeOf(choice) => {
                // The relationship and each object that it may lead to count.
                let relationship = &choice.relationship;
                add(&format!("{relationship}."));
                choice.arms.iter().for_each(|(object, _)| add(&format!("{relationship}:{object}.")));
            }
            Entry::Children(_) | Entry::Fields(_) => {}
        }
    }
    let group = select.group.iter();
    let order = select.order.iter().map(|order| &order.expr);
    group.chain(order).for_each(|expr| add(&expr.path));
    for condition in select.filter.iter().chain(&select.having) {
        each_expr(condition, &mut |expr| add(&expr.path));
    }
    if found.len() > MAX_PARENTS {
        return Err(wrong("SELECT", "more than 55 relationships to parents are named")
            .with_context("relationships", found.len())
            .with_advice("make several queries"));
    }
    Ok(())
}

fn each_expr(condition: &Condition, visit: &mut impl FnMut(&Expr)) {
    match &condition.node {
        Node::All(parts) | Node::Any(parts) => parts.iter().for_each(|part| each_expr(part, visit)),
        Node::Not(part) => each_expr(part, visit),
        Node::Compare { expr, .. } | Node::List { expr, .. } | Node::Join { expr, .. } => visit(expr),
        Node::Always | Node::Never | Node::TooDeep => {}
    }
}
