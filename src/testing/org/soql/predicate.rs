//! Checked conditions, ready to be put to rows.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::NaiveTime;
use rust_decimal::Decimal;

use super::super::value::Value;
use super::compare::fold;
use super::dates::{Span, midnight};
use super::text::Pattern;

/// A condition on operands of type `O`: fields of a row, or columns of a group in HAVING.
#[derive(Debug)]
pub(super) enum Predicate<O> {
    All(Vec<Predicate<O>>),
    Any(Vec<Predicate<O>>),
    Not(Box<Predicate<O>>),
    Test { on: O, test: Test },
}

impl<O> Predicate<O> {
    pub(super) fn holds<'v>(&self, value: &dyn Fn(&O) -> Cow<'v, Value>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(value)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(value)),
            Self::Not(part) => !part.holds(value),
            Self::Test { on, test } => test.holds(&value(on)),
        }
    }

    /// The tests that every accepted row passes.
    pub(super) fn required(&self) -> Vec<(&O, &Test)> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::required).collect(),
            Self::Test { on, test } => vec![(on, test)],
            Self::Any(_) | Self::Not(_) => Vec::new(),
        }
    }
}

#[derive(Debug)]
pub(super) enum Test {
    /// `=`, `!=`, IN, NOT IN. A null is a member like any other, so `!= 'a'` accepts it.
    OneOf {
        set: Set,
        null: bool,
        negate: bool,
    },
    Order {
        operator: Relation,
        bound: Bound,
    },
    Like(Pattern),
    /// INCLUDES, EXCLUDES: groups of values of which one has to be picked as a whole.
    Includes {
        groups: Vec<Vec<String>>,
        negate: bool,
    },
    /// An order against null.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Members by type; the type is that of the field, so one kind per set.
#[derive(Debug)]
pub(super) enum Set {
    Text {
        exact: bool,
        /// Folded unless `exact`.
        members: HashSet<String>,
        /// As written, for an index.
        keys: Vec<String>,
    },
    /// 18-character ids, which are keys at the same time.
    Ids(HashSet<String>),
    /// Picked values in one order.
    Multi(HashSet<String>),
    Bools(Vec<bool>),
    Numbers(HashSet<Decimal>),
    Spans(Vec<Span>),
    Times(Vec<NaiveTime>),
}

#[derive(Debug)]
pub(super) enum Bound {
    Text { exact: bool, text: String },
    Number(Decimal),
    Span(Span),
    Time(NaiveTime),
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::OneOf { null, negate, .. } if *value == Value::Null => *null != *negate,
            Self::OneOf { set, negate, .. } => set.contains(value) != *negate,
            Self::Order { operator, bound } => bound.relates(*operator, value),
            Self::Like(pattern) => matches!(value, Value::Text(text) if pattern.matches(text)),
            // [K] not verified: that EXCLUDES accepts an empty field.
            Self::Includes { groups, negate } => includes(groups, value) != *negate,
            Self::Never => false,
        }
    }

    /// The texts of which the field has to equal one, for an index.
    pub(super) fn keys(&self) -> Option<Vec<&str>> {
        match self {
            Self::OneOf { set: Set::Text { keys, .. }, null: false, negate: false } => {
                Some(keys.iter().map(String::as_str).collect())
            }
            Self::OneOf { set: Set::Ids(ids), null: false, negate: false } => {
                Some(ids.iter().map(String::as_str).collect())
            }
            _ => None,
        }
    }
}

impl Set {
    fn contains(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text { exact: true, members, .. }, Value::Text(text)) => members.contains(text),
            (Self::Text { members, .. }, Value::Text(text)) => members.contains(&fold(text)),
            (Self::Ids(ids), Value::Text(id)) => ids.contains(id),
            (Self::Multi(members), Value::Text(text)) => members.contains(&picked(text).join(";")),
            (Self::Bools(flags), Value::Bool(flag)) => flags.contains(flag),
            (Self::Numbers(numbers), Value::Number(number)) => numbers.contains(number),
            (Self::Spans(spans), Value::DateTime(at)) => spans.iter().any(|span| span.contains(*at)),
            (Self::Spans(spans), Value::Date(date)) => spans.iter().any(|span| span.contains(midnight(*date))),
            (Self::Times(times), Value::Time(time)) => times.contains(time),
            _ => false,
        }
    }
}

impl Bound {
    /// Against a range, `<` means before its start and `>` after its end.
    fn relates(&self, operator: Relation, value: &Value) -> bool {
        let (below, above) = match (self, value) {
            (Self::Text { exact: true, text }, Value::Text(value)) => (value < text, value > text),
            (Self::Text { text, .. }, Value::Text(value)) => {
                let value = fold(value);
                (value < *text, value > *text)
            }
            (Self::Number(number), Value::Number(value)) => (value < number, value > number),
            (Self::Span(span), Value::DateTime(at)) => (*at < span.start, *at >= span.end),
            (Self::Span(span), Value::Date(date)) => (midnight(*date) < span.start, midnight(*date) >= span.end),
            (Self::Time(time), Value::Time(value)) => (value < time, value > time),
            _ => return false,
        };
        match operator {
            Relation::Less => below,
            Relation::LessOrEqual => !above,
            Relation::Greater => above,
            Relation::GreaterOrEqual => !below,
        }
    }
}

/// The values of a multi-select picklist, folded and in one order.
pub(super) fn picked(text: &str) -> Vec<String> {
    let mut values: Vec<String> = text.split(';').map(|value| fold(value.trim())).collect();
    values.sort();
    values.dedup();
    values
}

fn includes(groups: &[Vec<String>], value: &Value) -> bool {
    let Value::Text(text) = value else { return false };
    let values = picked(text);
    groups.iter().any(|group| group.iter().all(|wanted| values.contains(wanted)))
}
