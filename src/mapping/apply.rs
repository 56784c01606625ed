//! Source records to records of the org.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use super::compile::{CompiledMap, Output, ReadyRule, ReadyValue};
use super::input::{Missing, Named, Scope};
use super::issue::{Mapped, MappedRecord, MappingIssue};
use super::route::Reading;
use super::rule::Blank;
use super::steps::{Item, Reason, Step, has_control, is_storable};
use crate::types::{Record, Value};

impl CompiledMap {
    /// Maps a record to Salesforce. Pure.
    ///
    /// A record outside the audience is [`Mapped::Skipped`], whatever else is wrong with it.
    ///
    /// # Errors
    ///
    /// All issues of the record at once, named values first, then in the order of the rules.
    pub fn apply(&self, source: &Record) -> Result<Mapped, Vec<MappingIssue>> {
        let inner = &*self.0;
        if self.map().audience().is_some_and(|audience| !audience.matches(source)) {
            return Ok(Mapped::Skipped);
        }
        let mut issues = Vec::new();
        let named: Vec<OnceCell<Named<'_>>> = inner.values.iter().map(|_| OnceCell::new()).collect();
        let mut scope = Scope::new(Reading::new(source, &inner.branches), &named);
        for (value, cell) in inner.values.iter().zip(&named) {
            let result = match walk(value, &mut scope) {
                Ok(Some(item)) => Named::Value(item),
                Ok(None) => Named::Absent,
                Err(missing) => {
                    note(&mut issues, &value.label, missing);
                    Named::Failed
                }
            };
            // Each is set once, before those that need it ask.
            let _ = cell.set(result);
        }
        let mut fields = Record::with_capacity(inner.rules.len());
        for rule in &inner.rules {
            match apply_rule(rule, &mut scope) {
                Ok(Some(value)) => put(&mut fields, &rule.output, value),
                Ok(None) => {}
                Err(missing) => note(&mut issues, &rule.value.label, missing),
            }
        }
        let key = fields.text(self.key_name()).unwrap_or_default();
        if key.is_empty() && issues.is_empty() {
            let label = inner.key.map_or("", |place| &inner.rules[place].value.label);
            let reason = if inner.key.is_none() {
                "the map writes nothing to Salesforce"
            } else if fields.get(self.key_name()).is_some_and(|value| !value.is_blank()) {
                "not text"
            } else {
                "missing"
            };
            issues.push(MappingIssue::new(label, reason));
        }
        if !issues.is_empty() {
            return Err(told_once(issues));
        }
        let key = key.to_owned();
        let stamp = inner.changed_at.and_then(|place| fields.get(&inner.rules[place].output.member));
        Ok(Mapped::Record(MappedRecord { key, changed_at: stamp.and_then(Value::to_timestamp), fields }))
    }

    /// The key as its rule spells it.
    fn key_name(&self) -> &str {
        self.0.key.map_or("", |place| &self.0.rules[place].output.member)
    }
}

fn note(issues: &mut Vec<MappingIssue>, label: &str, missing: Missing) {
    if let Missing::Wrong(reason) = missing {
        issues.push(MappingIssue::new(label, reason));
    }
}

/// Each issue once: one value may go to two fields.
fn told_once(mut issues: Vec<MappingIssue>) -> Vec<MappingIssue> {
    let mut seen = HashSet::with_capacity(issues.len());
    let first: Vec<bool> =
        issues.iter().map(|issue| seen.insert((issue.field.as_str(), issue.reason.as_str()))).collect();
    let mut first = first.into_iter();
    issues.retain(|_| first.next() == Some(true));
    issues
}

/// A value after its steps; `None` where it is absent. Blank ones come as they are.
fn walk<'a>(value: &'a ReadyValue, scope: &mut Scope<'a>) -> Result<Option<Item<'a>>, Missing> {
    let item = match (value.input.value(scope)?, &value.default) {
        (None, None) => return Ok(None),
        (None, Some(default)) => Item::of(default),
        (Some(item), Some(default)) if is_plainly_blank(&item) => Item::of(default),
        (Some(item), _) => item,
    };
    Ok(Some(take_steps(&value.steps, item)?))
}

/// Takes the steps until the value is blank.
pub(super) fn take_steps<'s>(steps: &[Step], mut item: Item<'s>) -> Result<Item<'s>, Reason> {
    for step in steps {
        if is_plainly_blank(&item) {
            break;
        }
        item = step.apply(item)?;
    }
    Ok(item)
}

/// Whether a value is blank, and no control character hides in it.
fn is_plainly_blank(item: &Item<'_>) -> bool {
    item.is_blank() && !matches!(item, Item::Text(text) if has_control(text))
}

/// The value for a rule's target; `None` leaves the field alone.
fn apply_rule<'a>(rule: &'a ReadyRule, scope: &mut Scope<'a>) -> Result<Option<Value>, Missing> {
    let missing = || Missing::Wrong("missing".into());
    let Some(item) = walk(&rule.value, scope)? else {
        return if rule.required { Err(missing()) } else { Ok(None) };
    };
    if is_plainly_blank(&item) {
        return match rule.blank {
            _ if rule.required => Err(missing()),
            Blank::Clear => Ok(Some(Value::Null)),
            Blank::Ignore => Ok(None),
            Blank::Refuse => Err(Missing::Wrong("blank".into())),
        };
    }
    if !(rule.value.clean && matches!(item, Item::Text(_))) {
        check_shape(&item)?;
    }
    Ok(Some(item.trimmed().into_value()))
}

/// Refuses what no Salesforce field holds, whatever the steps have let through.
pub(super) fn check_shape(item: &Item<'_>) -> Result<(), Reason> {
    const OUTSIDE: Reason = Reason::Borrowed("the year is outside 1700 to 4000");
    let value = match item {
        Item::Text(text) if has_control(text) => return Err("a control character".into()),
        Item::Text(_) => return Ok(()),
        item => item.as_value(),
    };
    match value {
        Some(Value::List(_) | Value::Children(_)) => Err("a list has to be joined to text".into()),
        Some(Value::Record(_)) => Err("an object: name the path of one of its values".into()),
        Some(Value::OutOfRange(_)) => Err("a number of more than 28 digits".into()),
        Some(Value::DateTime(moment)) if !is_storable(moment.year()) => Err(OUTSIDE),
        Some(Value::Date(day)) if !is_storable(day.year()) => Err(OUTSIDE),
        _ => Ok(()),
    }
}

/// Puts a value where it is sent. No two rules have one target, so none is there twice.
fn put(fields: &mut Record, output: &Output, value: Value) {
    match &output.parent {
        Some(_) if value == Value::Null => fields.push(Arc::clone(&output.clear), Value::Null),
        Some(parent) => {
            let mut nested = Record::nested(parent.object.clone());
            nested.push(Arc::clone(&parent.field), value);
            fields.push(Arc::clone(&output.member), Value::Record(nested));
        }
        None => fields.push(Arc::clone(&output.member), value),
    }
}

#[cfg(test)]
mod tests;
