//! SOSL as the org understands it: `FIND {…} IN … FIELDS RETURNING Account(Id WHERE … LIMIT n), Contact LIMIT n`.
//!
//! `statement` reads the clauses, `expression` what stands in the braces, `words` compares texts. What stands in the parentheses
//! of RETURNING is SOQL, and the SOQL engine runs it over the rows that were found.
// SOQL and SOSL Reference, "SOSL Syntax", "FIND", "IN", "RETURNING", "LIMIT". The org has no index that lags behind; the clauses
// WITH … are refused.

mod expression;
mod statement;
mod words;

pub(crate) use expression::{Expression, lenient};
pub(crate) use statement::parse;

use super::schema::{Field, FieldType, Object};
use super::soql::SoqlError;

/// What a search asks for.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) expression: Expression,
    pub(crate) group: Group,
    /// None: every object that can be searched.
    pub(crate) returning: Vec<Target>,
    pub(crate) limit: Option<usize>,
}

/// An object of RETURNING.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) object: String,
    /// The select list.
    pub(crate) fields: String,
    /// `WHERE … ORDER BY … LIMIT … OFFSET …`
    pub(crate) rest: String,
    /// Where it stands in the statement.
    pub(crate) at: usize,
}

/// Which fields are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    All,
    Name,
    Email,
    Phone,
    Sidebar,
}

impl Group {
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word.to_ascii_uppercase().as_str() {
            "ALL" => Self::All,
            "NAME" => Self::Name,
            "EMAIL" => Self::Email,
            "PHONE" => Self::Phone,
            "SIDEBAR" => Self::Sidebar,
            _ => return None,
        })
    }

    /// Whether a field belongs to the group.
    // "IN SearchGroup". [K] SIDEBAR as names, addresses and numbers, which is what its dropdown shows.
    pub(crate) fn covers(self, object: &Object, field: &Field) -> bool {
        let name = field.name_field || (object.field("FirstName").is_some() && field.name.ends_with("Name"));
        match self {
            Self::Name => name,
            Self::Email => field.kind == FieldType::Email,
            Self::Phone => field.kind == FieldType::Phone,
            Self::Sidebar => name || matches!(field.kind, FieldType::Email | FieldType::Phone),
            Self::All => matches!(
                field.kind,
                FieldType::String
                    | FieldType::TextArea
                    | FieldType::Combobox
                    | FieldType::Email
                    | FieldType::Phone
                    | FieldType::Url
            ),
        }
    }
}

fn malformed(source: &str, at: usize, message: &str) -> SoqlError {
    // [S] Restforce issue 688, force-rest-api pull request 92, simple-salesforce issue 415: columns count from 0, so the caret stands
    // one to the left of what it means.
    super::soql::position::refuse_at(source, at.saturating_sub(1), "MALFORMED_SEARCH", message)
}

#[cfg(test)]
mod tests;
