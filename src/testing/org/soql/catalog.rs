//! What the metadata catalog and the Tooling API ask of a statement before it runs.

use super::ast::{Comparison, Condition, Constant, Expr, Item, Operator, Query, Right};
use super::position::malformed;
use super::text::unescape;
use super::{SoqlError, group, parser};

/// What a statement is about.
#[derive(Debug)]
pub(crate) struct Statement {
    /// The queried object as the statement spells it.
    pub(crate) object: String,
    query: Query,
}

/// Reads a statement without any schema.
///
/// # Errors
///
/// The refusal of one that cannot be read.
pub(crate) fn read(soql: &str) -> Result<Statement, SoqlError> {
    super::checked(soql)?;
    let query = parser::parse(soql)?;
    Ok(Statement { object: query.from.text(), query })
}

impl Statement {
    /// The values a name is compared with by `=` or IN in every accepted row; empty when it is not.
    pub(crate) fn keys(&self, name: &str) -> Vec<String> {
        let mut keys = Vec::new();
        if let Some(filter) = &self.query.filter {
            collect(filter, &mut |comparison: &Comparison| {
                if let (Expr::Field(path), Right::Values(values), Operator::Equal | Operator::In) =
                    (&comparison.left, &comparison.right, comparison.operator)
                    && self.own(&path.parts).eq_ignore_ascii_case(name)
                {
                    keys.extend(values.iter().filter_map(|value| match &value.value {
                        Constant::Text(raw) => unescape(raw).ok(),
                        _ => None,
                    }));
                }
            });
        }
        keys
    }

    /// Whether the statement selects the field from the queried object.
    pub(crate) fn selects(&self, name: &str) -> bool {
        self.query.select.iter().any(|item| match item {
            Item::Expr { expr: Expr::Field(path), .. } => self.own(&path.parts).eq_ignore_ascii_case(name),
            _ => false,
        })
    }

    /// Whether it is `SELECT COUNT()`.
    pub(crate) fn counts(&self) -> bool {
        group::is_count(&self.query)
    }

    /// A path without the alias or the object's own name in front.
    fn own(&self, parts: &[String]) -> String {
        let is_own = |first: &String| {
            first.eq_ignore_ascii_case(&self.object)
                || self.query.alias.as_ref().is_some_and(|alias| alias.eq_ignore_ascii_case(first))
        };
        let skipped = usize::from(parts.len() > 1 && parts.first().is_some_and(is_own));
        parts[skipped..].join(".")
    }

    /// Refuses what the metadata catalog does not do.
    ///
    /// # Errors
    ///
    /// Tooling API guide, "SOQL Operation Limitations": `COUNT()`, GROUP BY, OR, NOT and INCLUDES. The texts are from there,
    /// but for `COUNT()`; [S] the code, of other refusals of the catalog.
    pub(crate) fn check_catalog(&self) -> Result<(), SoqlError> {
        let refuse = |message: &str| {
            Err(SoqlError { code: "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION", message: message.to_owned() })
        };
        if self.counts() || group::is_grouped(&self.query) {
            return refuse(
                "The requested operation is not yet supported by this SObject storage type, contact salesforce.com \
                 support for more information.",
            );
        }
        match self.query.filter.as_ref().and_then(unsupported) {
            Some(message) => refuse(message),
            None => Ok(()),
        }
    }

    /// Wants one of the columns the rows are made from to be filtered by.
    ///
    /// # Errors
    ///
    /// [S] The code and the text, of others: `EntityParticle: a filter on a reified column is required
    /// [EntityDefinitionId,FieldDefinitionId,DurableId]`.
    pub(crate) fn check_reified(&self, object: &str, columns: &[&str], named: &str) -> Result<(), SoqlError> {
        if columns.iter().any(|column| !self.keys(column).is_empty()) {
            return Ok(());
        }
        Err(malformed(format!("{object}: a filter on a reified column is required [{named}]")))
    }
}

/// The comparisons that every accepted row passes.
fn collect(condition: &Condition, each: &mut dyn FnMut(&Comparison)) {
    match condition {
        Condition::And(parts) => parts.iter().for_each(|part| collect(part, each)),
        Condition::Compare(comparison) => each(comparison),
        Condition::Or(_) | Condition::Not(_) => {}
    }
}

fn unsupported(condition: &Condition) -> Option<&'static str> {
    match condition {
        Condition::And(parts) => parts.iter().find_map(unsupported),
        Condition::Or(_) => Some("Disjunctions not supported"),
        Condition::Not(_) => Some("Only equals comparisons permitted"),
        Condition::Compare(comparison) => match comparison.operator {
            // [S] IN and LIKE: in use by many tools.
            Operator::Equal | Operator::In | Operator::Like => None,
            Operator::Includes | Operator::Excludes => Some("Unsupported filter type"),
            _ => Some("Only equals comparisons permitted"),
        },
    }
}
