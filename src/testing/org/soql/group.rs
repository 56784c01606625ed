//! Aggregates: GROUP BY, HAVING and the functions over many rows.

use std::borrow::Cow;
use std::collections::HashMap;

use super::super::json::Json;
use super::super::value::{Row, Value};
use super::access::Operand;
use super::ast::{Aggregate, Comparison, Condition, Expr, Function, Item, Query, Right};
use super::compare::Key;
use super::eval;
use super::filter::{Operands, Place, Subject, is_number};
use super::names::Scope;
use super::output::{Show, formatted, shown, value_json};
use super::plan::{Planner, Sort, nulls_first};
use super::position::malformed;
use super::predicate::Predicate;
use super::tally::{Column, Tally};
use super::{SoqlError, Tables};

/// The rows that fit one page; aggregates have no locator.
const MAX_GROUPS: usize = 2_000;

#[derive(Debug)]
pub(super) struct Grouping<'t> {
    /// Without GROUP BY: one row, even over no rows.
    overall: bool,
    groups: Vec<Operand<'t>>,
    aggregates: Vec<Column<'t>>,
    outputs: Vec<(String, Source, Show)>,
    having: Option<Predicate<Source>>,
    order: Vec<Sort<Source>>,
}

/// A value of a result row.
#[derive(Clone, Copy, Debug)]
enum Source {
    Group(usize),
    Aggregate(usize),
}

/// `SELECT COUNT() FROM …`
pub(super) fn is_count(query: &Query) -> bool {
    matches!(query.select.as_slice(), [Item::Expr { expr: Expr::Call { argument: None, .. }, .. }])
}

pub(super) fn is_grouped(query: &Query) -> bool {
    let aggregates = |item: &Item| matches!(item, Item::Expr { expr, .. } if is_aggregate(expr));
    !query.group.is_empty() || query.select.iter().any(aggregates)
}

fn is_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Field(_) => false,
        Expr::Call { function: Function::Aggregate(_), .. } => true,
        Expr::Call { argument, .. } => argument.as_deref().is_some_and(is_aggregate),
    }
}

pub(super) fn has_semi_join(condition: &Condition) -> bool {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => parts.iter().any(has_semi_join),
        Condition::Not(part) => has_semi_join(part),
        Condition::Compare(comparison) => matches!(comparison.right, Right::Select(_)),
    }
}

pub(super) fn plan<'t>(
    planner: &Planner<'t, '_>,
    scope: &Scope<'t, '_>,
    query: &Query,
) -> Result<Grouping<'t>, SoqlError> {
    let overall = query.group.is_empty();
    if let (true, Some(limit)) = (overall, query.limit) {
        let message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT";
        return Err(planner.malformed(limit.at, message));
    }
    let mut columns = Columns { planner, scope, groups: Vec::new(), aggregates: Vec::new() };
    for expr in &query.group {
        let operand = scope.operand(expr)?;
        if let Operand::Field(path) = &operand
            && !path.field.groupable
        {
            let message = format!("field '{}' can not be grouped in a query call", path.field.name);
            return Err(planner.malformed(expr.at(), &message));
        }
        columns.groups.push(operand);
    }
    let outputs = columns.outputs(query)?;
    let having = match &query.having {
        Some(_) if overall => {
            return Err(planner.malformed(query.at, "HAVING needs GROUP BY"));
        }
        Some(having) => Some(planner.checker().condition(having, Place::Top, &mut columns)?),
        None => None,
    };
    let mut order = Vec::new();
    for sort in &query.order {
        let by = columns.source(&sort.expr).map_err(|error| match &sort.expr {
            Expr::Field(path) if error.message.starts_with("Field must be") => {
                SoqlError { message: format!("Ordered field must be grouped or aggregated: {}", path.text()), ..error }
            }
            _ => error,
        })?;
        let nulls_first = nulls_first(sort.nulls_first, sort.descending);
        order.push(Sort { by, descending: sort.descending, nulls_first });
    }
    let Columns { groups, aggregates, .. } = columns;
    Ok(Grouping { overall, groups, aggregates, outputs, having, order })
}

/// Collects what a result row is made of.
struct Columns<'p, 't, 'q> {
    planner: &'p Planner<'t, 'q>,
    scope: &'p Scope<'t, 'q>,
    groups: Vec<Operand<'t>>,
    aggregates: Vec<Column<'t>>,
}

impl<'t> Columns<'_, 't, '_> {
    fn outputs(&mut self, query: &Query) -> Result<Vec<(String, Source, Show)>, SoqlError> {
        let mut outputs: Vec<(String, Source, Show)> = Vec::new();
        let mut unnamed = 0;
        for item in &query.select {
            let (expr, alias) = match item {
                Item::Expr { expr, alias } => (expr, alias),
                Item::Children(inner) => {
                    // [K] not verified
                    return Err(self.planner.malformed(inner.at, "sub-queries are not allowed with aggregates"));
                }
                Item::Fields { at, .. } => {
                    return Err(self.planner.malformed(*at, "FIELDS is not allowed with aggregates"));
                }
                Item::TypeOf(type_of) => {
                    return Err(self.planner.malformed(type_of.reference.at, "TYPEOF is not allowed with aggregates"));
                }
            };
            let (expr, show) = peel(expr);
            let source = self.source(expr)?;
            let key = match (alias, source) {
                (Some(alias), _) => alias.clone(),
                (None, Source::Group(index)) if matches!(self.groups[index], Operand::Field(_)) => {
                    self.groups[index].path().field.name.clone()
                }
                (None, _) => {
                    unnamed += 1;
                    format!("expr{}", unnamed - 1)
                }
            };
            if outputs.iter().any(|(known, ..)| known.eq_ignore_ascii_case(&key)) {
                let message = format!("duplicate alias: {key}");
                return Err(self.planner.malformed(expr.at(), &message));
            }
            outputs.push((key, source, show));
        }
        Ok(outputs)
    }

    fn source(&mut self, expr: &Expr) -> Result<Source, SoqlError> {
        if let Expr::Call { function: Function::Aggregate(function), argument, at } = expr {
            let Some(argument) = argument else {
                return Err(self.planner.malformed(*at, "COUNT() has to be the only element in the SELECT list"));
            };
            return self.aggregate(*function, argument);
        }
        let operand = self.scope.operand(expr)?;
        let place = self.groups.iter().position(|group| group.same(&operand));
        place
            .map(Source::Group)
            .ok_or_else(|| malformed(format!("Field must be grouped or aggregated: {}", operand.path().text())))
    }

    fn aggregate(&mut self, function: Aggregate, argument: &Expr) -> Result<Source, SoqlError> {
        let operand = self.scope.operand(argument)?;
        let field = operand.path().field;
        if self.groups.iter().any(|group| group.same(&operand)) {
            // Captured from an org.
            let message = format!("Grouped field should not be aggregated: {}", field.name);
            return Err(self.planner.malformed(argument.at(), &message));
        }
        let numeric = matches!(function, Aggregate::Sum | Aggregate::Avg);
        if !field.aggregatable || numeric && !is_number(operand.kind()) {
            let message = format!("field {} does not support aggregate operator {}", field.name, function.name());
            return Err(self.planner.malformed(argument.at(), &message));
        }
        let known = |column: &Column<'t>| column.function == function && column.operand.same(&operand);
        if let Some(index) = self.aggregates.iter().position(known) {
            return Ok(Source::Aggregate(index));
        }
        self.aggregates.push(Column { function, operand });
        Ok(Source::Aggregate(self.aggregates.len() - 1))
    }
}

impl Operands<Source> for Columns<'_, '_, '_> {
    fn subject(&mut self, expr: &Expr) -> Result<(Source, Subject), SoqlError> {
        let source = self.source(expr)?;
        let (operand, kind) = match source {
            Source::Group(index) => (&self.groups[index], self.groups[index].kind()),
            Source::Aggregate(index) => (&self.aggregates[index].operand, self.aggregates[index].kind()),
        };
        Ok((source, Subject { kind, ..Subject::of(operand.path().field, expr.at()) }))
    }

    fn semi_join(&mut self, _: &Comparison, inner: &Query, _: Place) -> Result<Predicate<Source>, SoqlError> {
        // [K] not verified: the rule is documented, the text is not.
        Err(self.planner.malformed(inner.at, "Semi join sub-selects are not allowed in HAVING"))
    }
}

/// FORMAT and toLabel around a column.
fn peel(expr: &Expr) -> (&Expr, Show) {
    match expr {
        Expr::Call { function: Function::Format, argument: Some(argument), .. } => (peel(argument).0, Show::Formatted),
        Expr::Call { function: Function::ToLabel, argument: Some(argument), .. } => (peel(argument).0, Show::Label),
        Expr::Call { function: Function::ConvertCurrency, argument: Some(argument), .. } => peel(argument),
        plain => (plain, Show::Plain),
    }
}

/// A result row.
struct Group {
    keys: Vec<Value>,
    results: Vec<Value>,
}

impl Group {
    fn value(&self, source: Source) -> &Value {
        match source {
            Source::Group(index) => &self.keys[index],
            Source::Aggregate(index) => &self.results[index],
        }
    }
}

impl<'t> Grouping<'t> {
    pub(super) fn run(
        &self,
        tables: &'t dyn Tables,
        rows: impl Iterator<Item = &'t Row>,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<Json>, SoqlError> {
        let mut groups = self.collect(tables, rows);
        if let Some(having) = &self.having {
            groups.retain(|group| having.holds(&|source| Cow::Borrowed(group.value(*source))));
        }
        if !self.order.is_empty() {
            let keys = |group: &Group| self.order.iter().map(|sort| self.key(group, sort.by)).collect::<Vec<_>>();
            let mut keyed: Vec<(Vec<Key>, Group)> = groups.into_iter().map(|group| (keys(&group), group)).collect();
            keyed.sort_by(|(left, _), (right, _)| eval::compare(&self.order, left, right));
            groups = keyed.into_iter().map(|(_, group)| group).collect();
        }
        let groups: Vec<Group> = groups.into_iter().skip(offset).take(limit).collect();
        if groups.len() > MAX_GROUPS {
            // [K] not verified
            let message =
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch";
            return Err(SoqlError { code: "EXCEEDED_ID_LIMIT", message: message.to_owned() });
        }
        Ok(groups.iter().map(|group| self.record(group)).collect())
    }

    /// Groups in the order their first row came.
    fn collect(&self, tables: &'t dyn Tables, rows: impl Iterator<Item = &'t Row>) -> Vec<Group> {
        let tallies = || self.aggregates.iter().map(|_| Tally::default()).collect::<Vec<_>>();
        let mut found: Vec<(Vec<Value>, Vec<Tally>)> = Vec::new();
        let mut places: HashMap<Vec<Key>, usize> = HashMap::new();
        if self.overall {
            found.push((Vec::new(), tallies()));
            places.insert(Vec::new(), 0);
        }
        for row in rows {
            let values: Vec<Cow<'_, Value>> = self.groups.iter().map(|group| group.value(tables, row)).collect();
            // [K] not verified: texts that differ in case only are one group, as they are equal in WHERE.
            let keys = self.groups.iter().zip(&values).map(|(group, value)| group.key(value));
            let place = *places.entry(keys.collect()).or_insert_with(|| {
                found.push((values.into_iter().map(Cow::into_owned).collect(), tallies()));
                found.len() - 1
            });
            for (column, tally) in self.aggregates.iter().zip(&mut found[place].1) {
                tally.add(column, &column.operand.value(tables, row));
            }
        }
        let result = |tallies: Vec<Tally>| {
            self.aggregates.iter().zip(tallies).map(|(column, tally)| tally.result(column.function)).collect()
        };
        found.into_iter().map(|(keys, tallies)| Group { keys, results: result(tallies) }).collect()
    }

    fn key(&self, group: &Group, source: Source) -> Key {
        let value = group.value(source);
        match source {
            Source::Group(index) => self.groups[index].key(value),
            Source::Aggregate(index) => self.aggregates[index].key(value),
        }
    }

    // recorded: restforce-fixtures/query_aggregate_success_response.json
    fn record(&self, group: &Group) -> Json {
        let attributes = Json::object([("type", Json::string("AggregateResult"))]);
        let mut members = vec![("attributes".to_owned(), attributes)];
        for (key, source, show) in &self.outputs {
            let value = group.value(*source);
            let json = match (source, show) {
                (_, Show::Formatted) if *value != Value::Null => Json::String(formatted(value)),
                (Source::Group(index), Show::Label) => shown(self.groups[*index].path().field, *show, value),
                (Source::Group(index), _) => value_json(self.groups[*index].kind(), value),
                (Source::Aggregate(index), _) => value_json(self.aggregates[*index].kind(), value),
            };
            members.push((key.clone(), json));
        }
        Json::Object(members)
    }
}
