//! The functions over many rows.

use std::collections::HashSet;

use rust_decimal::Decimal;

use super::super::schema::FieldType;
use super::super::value::Value;
use super::access::Operand;
use super::ast::Aggregate;
use super::compare::Key;

/// One aggregate function over one operand.
#[derive(Debug)]
pub(super) struct Column<'t> {
    pub(super) function: Aggregate,
    pub(super) operand: Operand<'t>,
}

impl Column<'_> {
    pub(super) fn kind(&self) -> FieldType {
        match self.function {
            Aggregate::Count | Aggregate::CountDistinct => FieldType::Int,
            // recorded: restforce-fixtures/query_aggregate_success_response.json
            Aggregate::Sum | Aggregate::Avg => FieldType::Double,
            Aggregate::Min | Aggregate::Max => self.operand.kind(),
        }
    }

    pub(super) fn key(&self, value: &Value) -> Key {
        match self.function {
            Aggregate::Count | Aggregate::CountDistinct | Aggregate::Sum | Aggregate::Avg => Key::plain(value),
            Aggregate::Min | Aggregate::Max => self.operand.key(value),
        }
    }
}

/// What a function has seen so far.
#[derive(Default)]
pub(super) struct Tally {
    count: u64,
    distinct: HashSet<Key>,
    sum: Decimal,
    best: Option<(Key, Value)>,
}

impl Tally {
    /// Nulls are skipped by every function.
    pub(super) fn add(&mut self, column: &Column<'_>, value: &Value) {
        if *value == Value::Null {
            return;
        }
        self.count += 1;
        match column.function {
            Aggregate::Count => {}
            Aggregate::CountDistinct => {
                self.distinct.insert(column.operand.key(value));
            }
            Aggregate::Sum | Aggregate::Avg => {
                if let Value::Number(number) = value {
                    self.sum = self.sum.saturating_add(*number);
                }
            }
            Aggregate::Min | Aggregate::Max => {
                let key = column.key(value);
                let better = self.best.as_ref().is_none_or(|(best, _)| match column.function {
                    Aggregate::Min => key < *best,
                    _ => key > *best,
                });
                if better {
                    self.best = Some((key, value.clone()));
                }
            }
        }
    }

    pub(super) fn result(self, function: Aggregate) -> Value {
        match function {
            Aggregate::Count => Value::Number(self.count.into()),
            Aggregate::CountDistinct => Value::Number(self.distinct.len().into()),
            Aggregate::Sum | Aggregate::Avg if self.count == 0 => Value::Null,
            Aggregate::Sum => Value::Number(self.sum),
            Aggregate::Avg => self
                .sum
                .checked_div(self.count.into())
                .map_or(Value::Null, |average| Value::Number(average.round_dp(12))),
            Aggregate::Min | Aggregate::Max => self.best.map_or(Value::Null, |(_, value)| value),
        }
    }
}
