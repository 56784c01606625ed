//! Bulk API CSV: cells, column names, rows written from and read into any type of serde's.
//!
//! Source: Bulk API 2.0 guide, "Prepare CSV Files", "Valid CSV Record Rows", "Relationship Fields in a Header Row".

mod block;
mod de;
mod header;
mod parser;
mod write;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use self::block::{Block, Decoded, Header, Row, Rows};
pub(crate) use self::parser::Parser;
pub use self::write::CsvWriter;
use super::text;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldName, FieldType, Record, SObjectName, Value};

/// What a cell says to set a field to null.
pub const NULL: &str = "#N/A";

/// Characters that a cell may hold.
pub const MAX_CELL_CHARS: usize = 131_072;

/// Characters that a row may hold.
pub const MAX_ROW_CHARS: usize = 400_000;

/// Characters that the header row may hold.
pub const MAX_HEADER_CHARS: usize = 32_000;

/// Columns that a file may have.
pub const MAX_COLUMNS: usize = 5_000;

/// What stands between two cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Delimiter {
    /// `` ` ``
    Backquote,
    /// `^`
    Caret,
    /// `,`
    #[default]
    Comma,
    /// `|`
    Pipe,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

impl Delimiter {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Backquote, Self::Caret, Self::Comma, Self::Pipe, Self::Semicolon, Self::Tab];

    /// The character.
    #[must_use]
    pub fn as_char(self) -> char {
        char::from(self.as_byte())
    }

    pub(crate) fn as_byte(self) -> u8 {
        match self {
            Self::Backquote => b'`',
            Self::Caret => b'^',
            Self::Comma => b',',
            Self::Pipe => b'|',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

/// What ends a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LineEnding {
    /// `\n`
    #[default]
    Lf,
    /// `\r\n`
    Crlf,
}

impl LineEnding {
    pub(crate) fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::Crlf => b"\r\n",
        }
    }
}

/// The cell that loads a field: empty leaves it alone, [`NULL`] clears it. Not yet quoted: see [`push_cell`].
///
/// # Errors
///
/// [`ErrorKind::Invalid`] for a text that is `#N/A`, which only the other APIs can write; for more than 131,072 characters;
/// for a value that is no field's (a list, a record, rows of a subquery).
pub fn cell(value: Option<&Value>) -> Result<Cow<'_, str>> {
    let Some(value) = value else { return Ok(Cow::Borrowed("")) };
    let Some(text) = text::of(value)? else { return Ok(Cow::Borrowed(NULL)) };
    if text == NULL {
        return Err(
            text::unwritable("the text #N/A").with_advice("in Bulk CSV it means null: write this record by REST")
        );
    }
    if text.chars().count() > MAX_CELL_CHARS {
        return Err(text::unwritable("a text of more than 131,072 characters"));
    }
    Ok(text)
}

/// The value of a cell in the results of a query, where an empty cell is null and `#N/A` is a text like any other.
///
/// # Errors
///
/// [`ErrorKind::Invalid`] for a text that does not fit the type.
pub fn result_value(cell: &str, field_type: &FieldType) -> Result<Value> {
    text::read(cell, Some(field_type))
}

/// The value of a cell that was loaded, as the job's results repeat it: `None` for an empty one, which left its field alone.
///
/// # Errors
///
/// [`ErrorKind::Invalid`] for a text that does not fit the type.
pub fn loaded_value(cell: &str, field_type: &FieldType) -> Result<Option<Value>> {
    match cell {
        "" => Ok(None),
        NULL => Ok(Some(Value::Null)),
        text => text::read(text, Some(field_type)).map(Some),
    }
}

/// Puts a cell behind others of its row, in quotes where it needs them.
///
/// Cells with the delimiter, a quote or a line break need them; so do blanks at either end, which are an error outside quotes.
pub fn push_cell(row: &mut String, cell: &str, delimiter: char) {
    let special = |c: char| c == delimiter || matches!(c, '"' | '\n' | '\r');
    let edge = |c: Option<char>| c.is_some_and(char::is_whitespace);
    if !cell.contains(special) && !edge(cell.chars().next()) && !edge(cell.chars().next_back()) {
        row.push_str(cell);
        return;
    }
    row.push('"');
    for (index, part) in cell.split('"').enumerate() {
        if index > 0 {
            row.push_str("\"\"");
        }
        row.push_str(part);
    }
    row.push('"');
}

/// Reads a whole file that is in memory, such as a result that was stored.
///
/// # Errors
///
/// [`ErrorKind::Decode`] for rows of different lengths and for what is no UTF-8; [`ErrorKind::Transport`]
/// for a file that does not end with a line ending: it was cut off.
pub fn read(file: &[u8], delimiter: Delimiter) -> Result<Vec<Block>> {
    let mut parser = Parser::new(delimiter);
    let mut blocks = Vec::new();
    parser.feed(file, &mut blocks)?;
    parser.finish(false, &mut blocks)?;
    Ok(blocks)
}

/// A word of bytes that are all 1.
const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// Not 0 if any byte of the word is below the limit, which is at most 128: then taking the limit away borrows from the byte's highest
/// bit, which was not set before. (Bytes above such a one may look as if they were, too.)
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(limit)) & !word & (ONES << 7)
}

/// A column of a file to load, as its header names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Column {
    /// A field: `Amount`, `BillingStreet`, `Parent__c` with the parent's id.
    Field(FieldName),
    /// A parent by external id: `Parent__r.Key__c`, `Account.Key__c`; `User:Owner.Key__c` where the reference may lead to
    /// several objects. One level up only.
    Parent {
        /// The parent's object; needed where the reference may lead to several, and an error where it may not.
        object: Option<SObjectName>,
        /// The relationship's name: `Parent__r`, `Account`, `Owner`.
        relationship: FieldName,
        /// The parent's field, an external id or one with `idLookup`.
        field: FieldName,
    },
}

impl Column {
    /// The value of this column in a record; `None` where it is absent. A null relationship is a null column.
    #[must_use]
    pub fn value<'a>(&self, record: &'a Record) -> Option<&'a Value> {
        match self {
            Self::Field(name) => record.get(name.as_str()),
            Self::Parent { relationship, field, .. } => match record.get(relationship.as_str())? {
                Value::Record(parent) => parent.get(field.as_str()),
                Value::Null => Some(&Value::Null),
                _ => None,
            },
        }
    }

    /// Sets the value of this column in a record. A null parent is a null relationship.
    pub fn set(&self, record: &mut Record, value: Value) {
        match self {
            Self::Field(name) => record.set(name.as_str(), value),
            Self::Parent { relationship, .. } if value.is_blank() => record.set(relationship.as_str(), Value::Null),
            Self::Parent { object, relationship, field } => {
                let parent = object.as_ref().map_or_else(Record::new, Record::of);
                record.set(relationship.as_str(), parent.with(field.as_str(), value))
            }
        };
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => name.fmt(f),
            Self::Parent { object, relationship, field } => {
                if let Some(object) = object {
                    write!(f, "{object}:")?;
                }
                write!(f, "{relationship}.{field}")
            }
        }
    }
}

impl FromStr for Column {
    type Err = Error;

    fn from_str(header: &str) -> Result<Self> {
        let no_column = |error: Error| {
            Error::new(ErrorKind::Invalid, "", "not a column's name")
                .with_advice("a column is Field, Parent__r.Key__c or User:Owner.Key__c, one level up at most")
                .with_source(error)
        };
        let (object, path) = match header.split_once(':') {
            Some((object, path)) => (Some(SObjectName::new(object).map_err(no_column)?), path),
            None => (None, header),
        };
        match (path.split_once('.'), object) {
            (None, None) => Ok(Self::Field(FieldName::new(path).map_err(no_column)?)),
            (Some((relationship, field)), object) => Ok(Self::Parent {
                object,
                relationship: FieldName::new(relationship).map_err(no_column)?,
                field: FieldName::new(field).map_err(no_column)?,
            }),
            (None, Some(_)) => {
                Err(no_column(Error::new(ErrorKind::Invalid, "", "only a relationship has an object before it")))
            }
        }
    }
}

#[cfg(test)]
mod tests;
