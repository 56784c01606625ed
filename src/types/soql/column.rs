//! What a statement selects.

use super::{Expr, Select};
use crate::types::FieldName;

/// One entry of SELECT: a field or function, the children of a record, a choice by type, or a set of fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Column(pub(super) Entry);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    Expr { expr: Expr, alias: Option<String> },
    Children(Box<Select>),
    TypeOf(TypeOf),
    Fields(Fields),
}

impl Expr {
    /// Names a column of a grouped answer; without a name Salesforce calls functions `expr0`, `expr1` and so on.
    #[must_use]
    pub fn alias(self, name: impl Into<String>) -> Column {
        Column(Entry::Expr { expr: self, alias: Some(name.into()) })
    }
}

/// A set of fields: `FIELDS(STANDARD)`.
///
/// `All` and `Custom` need a LIMIT of at most 200. Source: SOQL reference, "`FIELDS()`".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fields {
    /// All fields.
    All,
    /// The custom fields.
    Custom,
    /// The standard fields.
    Standard,
}

impl Fields {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::All => "FIELDS(ALL)",
            Self::Custom => "FIELDS(CUSTOM)",
            Self::Standard => "FIELDS(STANDARD)",
        }
    }
}

/// Other fields for each object that a polymorphic relationship leads to: `TYPEOF What WHEN Account THEN Phone ELSE Name END`.
///
/// ```
/// use sforce::types::Soql;
/// use sforce::types::soql::TypeOf;
///
/// let what = TypeOf::new("What").when("Account", ["Phone", "Website"]).otherwise(["Name"]);
/// let soql = Soql::select(["Id"]).column(what).from("Event").build()?;
/// assert_eq!(soql.as_str(), "SELECT Id,TYPEOF What WHEN Account THEN Phone,Website ELSE Name END FROM Event");
/// # Ok::<(), sforce::Error>(())
/// ```
///
/// Source: SOQL reference, "TYPEOF".
#[derive(Clone, Debug, PartialEq)]
pub struct TypeOf {
    pub(super) relationship: String,
    pub(super) arms: Vec<(String, Vec<String>)>,
    pub(super) otherwise: Vec<String>,
}

impl TypeOf {
    /// For a relationship, such as `What` or `Owner`.
    #[must_use]
    pub fn new(relationship: impl Into<String>) -> Self {
        Self { relationship: relationship.into(), arms: Vec::new(), otherwise: Vec::new() }
    }

    /// The fields of one object.
    #[must_use]
    pub fn when(mut self, object: impl AsRef<str>, fields: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.arms.push((object.as_ref().to_owned(), owned(fields)));
        self
    }

    /// The fields of all other objects.
    #[must_use]
    pub fn otherwise(mut self, fields: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.otherwise.extend(owned(fields));
        self
    }
}

fn owned(fields: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<String> {
    fields.into_iter().map(|field| field.as_ref().to_owned()).collect()
}

macro_rules! into_column {
    ($($from:ty),*) => {$(
        impl From<$from> for Column {
            fn from(value: $from) -> Self {
                Self(Entry::Expr { expr: Expr::from(value), alias: None })
            }
        }
    )*};
}

into_column!(&str, String, FieldName, &FieldName, Expr);

impl From<Select> for Column {
    fn from(children: Select) -> Self {
        Self(Entry::Children(Box::new(children)))
    }
}

impl From<TypeOf> for Column {
    fn from(choice: TypeOf) -> Self {
        Self(Entry::TypeOf(choice))
    }
}

impl From<Fields> for Column {
    fn from(fields: Fields) -> Self {
        Self(Entry::Fields(fields))
    }
}
