//! Names in WHERE, and the sub-selects of semi-joins and anti-joins.

use std::collections::HashSet;

use super::super::schema::{Field, FieldType, Object};
use super::super::value::Value;
use super::SoqlError;
use super::access::{FieldPath, Operand};
use super::ast::{Comparison, Expr, Item, Operator, Query};
use super::eval;
use super::filter::{Operands, Place, Subject};
use super::group;
use super::names::{self, Scope};
use super::plan::Planner;
use super::position::refuse_at;
use super::predicate::{Predicate, Set, Test};

/// SOQL reference, "Comparison Operators": semi-joins and anti-joins of one WHERE.
const MAX_SEMI_JOINS: usize = 2;

/// Names in WHERE.
pub(super) struct Where<'p, 't, 'q> {
    pub(super) planner: &'p Planner<'t, 'q>,
    pub(super) scope: &'p Scope<'t, 'q>,
    pub(super) semi_joins: usize,
}

impl<'t> Operands<Operand<'t>> for Where<'_, 't, '_> {
    fn subject(&mut self, expr: &Expr) -> Result<(Operand<'t>, Subject), SoqlError> {
        let operand = self.scope.operand(expr)?;
        let field = operand.path().field;
        if !field.filterable && !matches!(field.kind, FieldType::Address | FieldType::Location) {
            let message = format!("field '{}' can not be filtered in a query call", field.name);
            return Err(refuse_at(self.scope.source, expr.at(), "INVALID_FIELD", &message));
        }
        let subject = match &operand {
            Operand::Field(_) => Subject::of(field, expr.at()),
            _ => Subject { kind: operand.kind(), ..Subject::of(field, expr.at()) },
        };
        Ok((operand, subject))
    }

    fn semi_join(
        &mut self,
        comparison: &Comparison,
        inner: &Query,
        place: Place,
    ) -> Result<Predicate<Operand<'t>>, SoqlError> {
        let refuse = |at: usize, message: &str| Err(self.planner.malformed(at, message));
        self.semi_joins += 1;
        match place {
            Place::Or => return refuse(inner.at, "Semi join sub-selects are not allowed with the 'OR' operator"),
            Place::Not => {
                return refuse(inner.at, "Semi join sub-selects are only allowed at the top level WHERE expressions.");
            }
            Place::Top if self.semi_joins > MAX_SEMI_JOINS => {
                // [K] not verified: the limit is documented, the text is not.
                return refuse(inner.at, "Maximum 2 semi join sub-selects are allowed");
            }
            Place::Top => {}
        }
        let on = self.scope.operand(&comparison.left)?;
        let Operand::Field(left) = &on else {
            return refuse(comparison.left.at(), "the left side of a semi join has to be an id or reference field");
        };
        if !left.hops.is_empty() || !matches!(left.field.kind, FieldType::Id | FieldType::Reference) {
            // [K] not verified
            let message = format!(
                "The left operand field in the where expression for outer query should be an id field, cannot use: '{}'",
                left.text()
            );
            return refuse(comparison.left.at(), &message);
        }
        let ids = self.planner.semi_join_ids(self.scope.object, left, comparison.left.at(), inner)?;
        let negate = comparison.operator == Operator::NotIn;
        // [K] not verified: a NOT IN keeps the rows whose reference is null.
        Ok(Predicate::Test { on, test: Test::OneOf { set: Set::Ids(ids), null: false, negate } })
    }
}

/// Objects that semi-joins may not read.
// SOQL reference, "Comparison Operators"
const NO_SEMI_JOIN: [&str; 6] = ["ActivityHistory", "Attachment", "Event", "Note", "OpenActivity", "Task"];

impl<'t> Planner<'t, '_> {
    fn semi_join_ids(
        &self,
        outer: &Object,
        left: &FieldPath<'t>,
        left_at: usize,
        inner: &Query,
    ) -> Result<HashSet<String>, SoqlError> {
        let object = names::object(self.tables, self.source, &inner.from)?;
        // [K] not verified: texts of this function without another remark; the rules are documented.
        if object.name == outer.name {
            let message = "The inner and outer selects should not be on the same object type";
            return Err(self.malformed(inner.from.at, message));
        }
        if NO_SEMI_JOIN.contains(&object.name.as_str()) {
            let message = format!("Entity '{}' is not supported for semi join inner selects", object.name);
            return Err(self.malformed(inner.from.at, &message));
        }
        let clause = inner.order.first().map(|order| order.expr.at()).or(inner.limit.map(|limit| limit.at));
        if let Some(at) = clause.or(inner.offset.map(|offset| offset.at)).or(inner.group.first().map(Expr::at)) {
            return Err(self.malformed(at, "Semi join sub-selects take neither ORDER BY, LIMIT, OFFSET nor GROUP BY"));
        }
        if inner.for_update {
            return Err(self.malformed(inner.at, "Semi join sub-selects do not take FOR UPDATE"));
        }
        if inner.filter.as_ref().is_some_and(group::has_semi_join) {
            return Err(self.malformed(inner.at, "Nesting of semi join sub-selects is not supported"));
        }
        let scope = Scope::new(self.tables, self.source, object, inner)?;
        let [Item::Expr { expr: Expr::Field(path), alias: None }] = inner.select.as_slice() else {
            return Err(self.malformed(inner.at, "Semi join sub-selects select exactly one id field"));
        };
        let column = scope.field(path)?;
        if !column.hops.is_empty() || !matches!(column.field.kind, FieldType::Id | FieldType::Reference) {
            let message = format!(
                "The inner select field in the semi join sub-select should be an id field, cannot use: '{}'",
                column.text()
            );
            return Err(self.malformed(path.at, &message));
        }
        let targets = |object: &Object, field: &Field| match field.kind {
            FieldType::Id => vec![object.name.clone()],
            _ => field.reference_to.clone(),
        };
        let wanted = targets(outer, left.field);
        if !targets(object, column.field).iter().any(|target| wanted.contains(target)) {
            // Captured from an org, with the caret under the left side.
            let message = format!(
                "The selected field '{}' in the subquery and the left operand field in the where expression in the \
                 outer query '{}' should point to the same object type",
                column.field.name, left.field.name
            );
            return Err(self.malformed(left_at, &message));
        }
        let filter = self.filter(&scope, inner)?;
        let mut ids = HashSet::new();
        for row in eval::matching(self.tables, object, filter.as_ref()) {
            if let Some(Value::Text(id)) = row.get(&column.field.name) {
                ids.insert(id.clone());
            }
        }
        Ok(ids)
    }
}
