//! Values in a statement.

use std::fmt::Write as _;

use super::escape::escape;
use super::pattern::LikePattern;
use super::{DateLiteral, invalid};
use crate::error::Result;
use crate::types::{Date, Decimal, RecordId, Timestamp};

/// Longest string in WHERE, counted as it stands between its quotes. Source: SOQL reference, "SOQL and SOSL Limits".
const MAX_STRING_CHARS: usize = 4_000;

/// A value in a SOQL statement, escaped for its type.
///
/// `None` of an [`Option`] is `null`, a `Vec` or a slice is the list of an IN. There is no way from a float: numbers are exact.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Literal {
    /// `null`.
    Null,
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// Text in quotes, at most 4,000 characters as it stands there. The empty text is null to Salesforce.
    Text(String),
    /// What LIKE takes.
    Pattern(LikePattern),
    /// An instant, in UTC and without quotes.
    DateTime(Timestamp),
    /// A day, without quotes.
    Date(Date),
    /// A range of time, relative to now.
    DateLiteral(DateLiteral),
    /// An id in quotes.
    Id(RecordId),
    /// Values of a multi-select picklist: `'a;b'`, all of them at once.
    MultiSelect(Vec<String>),
    /// The list of an IN, an INCLUDES or an EXCLUDES.
    List(Vec<Literal>),
}

impl Literal {
    /// Writes the value. A list must not be empty, nor hold lists.
    pub(super) fn write(&self, out: &mut String) -> Result<()> {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(flag) => out.push_str(if *flag { "TRUE" } else { "FALSE" }),
            Self::Number(number) => write_display(out, number),
            Self::Text(text) => quoted(out, |out| escape(text, false, out))?,
            Self::Pattern(pattern) => quoted(out, |out| out.push_str(pattern.escaped()))?,
            Self::DateTime(moment) => write_display(out, moment),
            Self::Date(day) => write_display(out, day),
            Self::DateLiteral(range) => write_display(out, range),
            Self::Id(id) => quoted(out, |out| out.push_str(id.as_str()))?,
            Self::MultiSelect(chosen) => {
                if chosen.iter().any(|value| value.contains(';')) {
                    return Err(invalid("a value of a multi-select picklist has a semicolon")
                        .with_advice("give the values one by one, Salesforce separates them by semicolons"));
                }
                if chosen.iter().all(String::is_empty) {
                    return Err(invalid("no value of a multi-select picklist is chosen")
                        .with_advice("compare with null to find records where none is"));
                }
                quoted(out, |out| {
                    for (index, value) in chosen.iter().enumerate() {
                        if index > 0 {
                            out.push(';');
                        }
                        escape(value, false, out);
                    }
                })?;
            }
            Self::List(items) => write_list(items, out)?,
        }
        Ok(())
    }

    /// What kind of value it is, for an error.
    pub(super) fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Pattern(_))
    }
}

/// Writes `('a','b')`.
pub(super) fn write_list(items: &[Literal], out: &mut String) -> Result<()> {
    if items.is_empty() {
        return Err(invalid("the list of an IN is empty").with_advice(
            "an empty list finds nothing: leave the query out, or build it with Soql::select, which knows that",
        ));
    }
    for (index, item) in items.iter().enumerate() {
        if !item.is_scalar() {
            return Err(invalid("a list holds lists or LIKE patterns").with_advice("give it single values"));
        }
        out.push(if index == 0 { '(' } else { ',' });
        item.write(out)?;
    }
    out.push(')');
    Ok(())
}

fn quoted(out: &mut String, inside: impl FnOnce(&mut String)) -> Result<()> {
    out.push('\'');
    let start = out.len();
    inside(out);
    // A count of characters only where the bytes could be too many.
    if out.len() - start > MAX_STRING_CHARS && out[start..].chars().count() > MAX_STRING_CHARS {
        return Err(invalid("a text is longer than 4,000 characters")
            .with_advice("SOQL compares with shorter texts only; no text field that can be filtered holds as many"));
    }
    out.push('\'');
    Ok(())
}

fn write_display(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a String does not fail.
    let _ = write!(out, "{value}");
}

macro_rules! into_literal {
    ($($from:ty => $variant:ident),*) => {$(
        impl From<$from> for Literal {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

into_literal!(bool => Bool, Decimal => Number, i64 => Number, u32 => Number, String => Text, &str => Text,
    &String => Text, LikePattern => Pattern, Timestamp => DateTime, Date => Date, DateLiteral => DateLiteral, RecordId => Id);

impl From<i32> for Literal {
    fn from(value: i32) -> Self {
        Self::Number(i64::from(value).into())
    }
}

impl<T: Into<Literal>> From<Option<T>> for Literal {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Literal>> From<Vec<T>> for Literal {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Literal> + Clone> From<&[T]> for Literal {
    fn from(items: &[T]) -> Self {
        Self::List(items.iter().cloned().map(Into::into).collect())
    }
}
