//! SOQL: statements built from names and bound values, and the words they are built from.
//!
//! [`Soql::select`] builds a statement, [`Soql::bind`] puts values into a raw one, and both write the same [`Literal`]s.

pub(super) mod check;
mod column;
mod condition;
mod date_literal;
mod escape;
mod expr;
mod literal;
mod pattern;
mod select;
mod split;
mod template;
#[cfg(test)]
mod tests;
pub(super) mod write;

use std::borrow::Cow;

pub use column::{Column, Fields, TypeOf};
pub use condition::Condition;
pub use date_literal::{DateLiteral, DateUnit};
pub use expr::{DatePart, Expr, Order, avg, count, count_distinct, count_rows, date_part, field, max, min, sum};
pub use literal::Literal;
pub use pattern::LikePattern;
pub use select::{Scope, Select};
pub(crate) use split::encode;
pub use split::{SoqlBudget, split_alternatives, split_in_list};

use crate::error::{Error, ErrorKind, Result};
use template::Template;

/// Longest statement. Source: SOQL reference, "SOQL and SOSL Limits".
const MAX_SOQL_CHARS: usize = 100_000;

/// A SOQL statement.
///
/// Text from outside enters as a bound value, never by pasting, into a statement that is [built](Self::select) or a raw one:
///
/// ```
/// use sforce::types::Soql;
/// use sforce::types::soql::field;
///
/// let names = ["O'Neill", "50% off"];
/// let built = Soql::select(["Id"]).from("Account").filter(field("Name").is_in(names)).build()?;
/// let bound = Soql::bind("SELECT Id FROM Account WHERE Name IN :names", [("names", names.as_slice().into())])?;
/// assert_eq!(bound.as_str(), r"SELECT Id FROM Account WHERE Name IN ('O\'Neill','50% off')");
/// assert_eq!(built, bound);
/// # Ok::<(), sforce::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soql {
    text: Cow<'static, str>,
    nothing: bool,
}

impl Soql {
    /// A statement as it is.
    pub fn new(statement: impl Into<Cow<'static, str>>) -> Self {
        Self { text: statement.into(), nothing: false }
    }

    /// Begins a statement with what it selects: fields, paths, functions, children.
    pub fn select(columns: impl IntoIterator<Item = impl Into<Column>>) -> Select {
        Select::new(columns)
    }

    /// Puts values in the place of `:name`, as Apex writes it. What stands in string literals and comments is left alone.
    ///
    /// A list stands behind IN, INCLUDES or EXCLUDES, a [`LikePattern`] behind LIKE, all else anywhere a value does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a name without a value, a value without its name, two values of one name, a value that does not
    /// stand where it belongs, a literal or comment that does not end, a text over 4,000 characters, or a statement over 100,000.
    ///
    /// So does an empty list: what it means depends on the conditions around it, which are not read here. Leave such a query out, or
    /// build it by [`Soql::select`], where an empty list is a condition that no record passes.
    pub fn bind<'a>(statement: &str, values: impl IntoIterator<Item = (&'a str, Literal)>) -> Result<Self> {
        let values: Vec<(&str, Literal)> = values.into_iter().collect();
        let template = Template::parse(statement)?;
        template.check(&values)?;
        Ok(Self::new(template.write(&values)?))
    }

    /// As [`bind`](Self::bind), as several statements where one would be too long: the IN list of one name is cut, so that the
    /// fewest statements hold all its values. No values give no statements.
    ///
    /// A value that occurs twice is asked for once, and values that Salesforce may take for equal, in whatever case, stay together. The
    /// rest of the statement is not read: with ORDER BY, LIMIT, OFFSET or aggregates each answer has its own, and where the list stands
    /// several times or under OR, one record may be in several answers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] as for [`bind`](Self::bind); if a NOT IN or EXCLUDES would have to be cut, whose parts together find
    /// other records than the whole; and if a value is too long for any statement.
    pub fn bind_split<'a>(
        statement: &str,
        values: impl IntoIterator<Item = (&'a str, Literal)>,
        list: &str,
        budget: SoqlBudget,
    ) -> Result<Vec<Self>> {
        split::template(statement, values.into_iter().collect(), list, budget)
    }

    /// The statement. Also one that [finds nothing](Self::matches_nothing) can be sent, and finds nothing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the answer is known without asking: no rows, and a `COUNT()` of 0. So it is for what was built with a condition that cannot
    /// hold, such as an IN without values.
    #[must_use]
    pub fn matches_nothing(&self) -> bool {
        self.nothing
    }

    fn checked(text: String, nothing: bool) -> Result<Self> {
        if text.len() > MAX_SOQL_CHARS && text.chars().count() > MAX_SOQL_CHARS {
            return Err(too_long());
        }
        Ok(Self { text: Cow::Owned(text), nothing })
    }
}

impl From<&'static str> for Soql {
    fn from(statement: &'static str) -> Self {
        Self::new(statement)
    }
}

impl From<String> for Soql {
    fn from(statement: String) -> Self {
        Self::new(statement)
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "soql", message)
}

fn too_long() -> Error {
    invalid("the statement is longer than 100,000 characters")
        .with_advice("cut its IN list by build_split or bind_split")
}
