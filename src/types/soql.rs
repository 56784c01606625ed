//! SOQL text with values bound into it.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Date, Decimal, RecordId, Timestamp};
use crate::error::{Error, ErrorKind, Result};

/// Longest statement. Source: SOQL reference, "SOQL and SOSL Limits".
const MAX_SOQL_CHARS: usize = 100_000;

/// A SOQL statement.
///
/// Text from outside enters as a bound value, never by pasting:
///
/// ```
/// use sforce::types::Soql;
///
/// let names = ["O'Neill", "50% off"];
/// let soql = Soql::bind("SELECT Id FROM Account WHERE Name IN :names", [("names", names.as_slice().into())])?;
/// assert_eq!(soql.as_str(), r"SELECT Id FROM Account WHERE Name IN ('O\'Neill','50% off')");
/// # Ok::<(), sforce::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soql(Cow<'static, str>);

impl Soql {
    /// A statement as it is.
    pub fn new(statement: impl Into<Cow<'static, str>>) -> Self {
        Self(statement.into())
    }

    /// Puts values in the place of `:name`, as Apex writes it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a name without a value, a value without its name, an empty list (such a query finds
    /// nothing: do not send it), or a statement over 100,000 characters.
    pub fn bind<'a>(statement: &str, values: impl IntoIterator<Item = (&'a str, Literal)>) -> Result<Self> {
        let values: Vec<(&str, Literal)> = values.into_iter().collect();
        let mut used = vec![false; values.len()];
        let mut out = String::with_capacity(statement.len() + 64);
        let mut rest = statement;
        while let Some(start) = next_bind(rest) {
            out.push_str(&rest[..start]);
            let after = &rest[start + 1..];
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            let name = &after[..end];
            let position = values.iter().position(|(known, _)| *known == name);
            let index = position.ok_or_else(|| invalid("no value is bound to a name").with_context("name", name))?;
            used[index] = true;
            values[index].1.write(&mut out)?;
            rest = &after[end..];
        }
        out.push_str(rest);
        if let Some(index) = used.iter().position(|used| !used) {
            return Err(invalid("a bound value is not used").with_context("name", values[index].0));
        }
        if out.chars().count() > MAX_SOQL_CHARS {
            return Err(invalid("the statement is longer than 100,000 characters"));
        }
        Ok(Self(Cow::Owned(out)))
    }

    /// The statement.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
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

/// Where the next `:name` starts, outside quotes; `LAST_N_DAYS:7` and times have a digit behind the colon.
fn next_bind(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'\'' => quoted = !quoted,
            b':' if !quoted && bytes.peek().is_some_and(|(_, next)| next.is_ascii_alphabetic()) => return Some(index),
            _ => {}
        }
    }
    None
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "soql", message)
}

/// A value in a SOQL statement, escaped for its type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Literal {
    /// `null`.
    Null,
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// Text in quotes.
    Text(String),
    /// The text of a `LIKE` with `%` and `_` as wildcards where they stand in it unescaped; see [`Literal::containing`].
    Pattern(String),
    /// An instant, without quotes.
    DateTime(Timestamp),
    /// A day, without quotes.
    Date(Date),
    /// An id in quotes.
    Id(RecordId),
    /// The list of an `IN`.
    List(Vec<Literal>),
}

impl Literal {
    /// For `LIKE`: texts that start with this one, whose `%` and `_` stand for themselves.
    #[must_use]
    pub fn starting_with(text: &str) -> Self {
        Self::Pattern(like_literal(text) + "%")
    }

    /// For `LIKE`: texts that contain this one, whose `%` and `_` stand for themselves.
    #[must_use]
    pub fn containing(text: &str) -> Self {
        Self::Pattern(format!("%{}%", like_literal(text)))
    }

    fn write(&self, out: &mut String) -> Result<()> {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(flag) => out.push_str(if *flag { "TRUE" } else { "FALSE" }),
            Self::Number(number) => write_display(out, number),
            Self::Text(text) => {
                out.push('\'');
                escape(text, false, out);
                out.push('\'');
            }
            Self::Pattern(pattern) => {
                out.push('\'');
                out.push_str(pattern);
                out.push('\'');
            }
            Self::DateTime(moment) => write_display(out, moment),
            Self::Date(day) => write_display(out, day),
            Self::Id(id) => {
                out.push('\'');
                out.push_str(id.as_str());
                out.push('\'');
            }
            Self::List(items) => {
                if items.is_empty() {
                    return Err(invalid("the list of an IN is empty")
                        .with_advice("an empty list finds nothing, so leave the query out"));
                }
                for (index, item) in items.iter().enumerate() {
                    out.push(if index == 0 { '(' } else { ',' });
                    item.write(out)?;
                }
                out.push(')');
            }
        }
        Ok(())
    }
}

fn write_display(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a String does not fail.
    let _ = write!(out, "{value}");
}

/// Escapes a text for use inside a `LIKE` pattern in quotes, `%` and `_` included.
#[must_use]
pub fn like_literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(text, true, &mut out);
    out
}

/// Source: SOQL reference, "Quoted String Escape Sequences".
fn escape(text: &str, like: bool, out: &mut String) {
    for character in text.chars() {
        match character {
            '\'' | '\\' => out.extend(['\\', character]),
            '%' | '_' if like => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            other => out.push(other),
        }
    }
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
    Timestamp => DateTime, Date => Date, RecordId => Id);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_for_their_type() {
        let moment = Timestamp::parse("2026-05-01T09:25:37+02:00").expect("valid");
        let soql = Soql::bind(
            "SELECT Id FROM A WHERE T = :t AND N > :n AND D >= :d AND B = :b AND L LIKE :l AND I = :i",
            [
                ("t", "a'b\\c\nd\u{1}".into()),
                ("n", Decimal::parse("1.50").expect("valid").into()),
                ("d", moment.into()),
                ("b", true.into()),
                ("l", Literal::containing("50%_'\\")),
                ("i", RecordId::new("001dM00003kRs59").expect("valid").into()),
            ],
        )
        .expect("binds");
        assert_eq!(
            soql.as_str(),
            r"SELECT Id FROM A WHERE T = 'a\'b\\c\nd\u0001' AND N > 1.5 AND D >= 2026-05-01T07:25:37.000Z AND B = TRUE AND L LIKE '%50\%\_\'\\%' AND I = '001dM00003kRs59QAC'"
        );
    }

    #[test]
    fn colons_that_bind_nothing_stay() {
        let text = r"SELECT Id FROM A WHERE D = LAST_N_DAYS:7 AND T > 2026-05-01T00:00:00Z AND N = 'it\'s :x'";
        assert_eq!(Soql::bind(text, []).expect("no names in it").as_str(), text);
    }

    #[test]
    fn a_bound_value_is_not_read_for_further_names() {
        let soql = Soql::bind("WHERE A = :a AND B = :b", [("a", ":b'".into()), ("b", 1_i64.into())]).expect("binds");
        assert_eq!(soql.as_str(), r"WHERE A = ':b\'' AND B = 1");
    }

    #[test]
    fn missing_unused_and_empty_are_errors() {
        let none: Vec<String> = Vec::new();
        for result in [
            Soql::bind("WHERE A = :a", []),
            Soql::bind("WHERE A = 1", [("a", 1_i64.into())]),
            Soql::bind("WHERE A IN :a", [("a", none.into())]),
        ] {
            assert_eq!(result.expect_err("refused").kind(), ErrorKind::Invalid);
        }
    }
}
