//! Rows as they were read: texts of a block, the header they stand under.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::Deserialize;

use super::de::Decoder;
use super::result_value;
use crate::error::{Error, ErrorKind, Result};
use crate::types::typed::Misfit;
use crate::types::wire::FieldTypes;
use crate::types::{Record, Value};

/// The names of a result's columns, in order: fields, and parents' fields by path, such as `Account.Owner.Name`.
#[derive(PartialEq, Eq)]
pub struct Header {
    names: Vec<String>,
    /// The paths as a tree; the first node is the row itself.
    pub(super) nodes: Vec<Node>,
}

/// A step of the columns' paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// The column whose path ends here.
    pub(super) cell: Option<usize>,
    /// Where paths go on, and by what name.
    pub(super) children: Vec<(String, usize)>,
    /// All columns from here on.
    pub(super) below: Vec<usize>,
}

impl Node {
    pub(super) fn child(&self, name: &str) -> Option<usize> {
        let named = |same: fn(&str, &str) -> bool| self.children.iter().find(|(child, _)| same(child, name));
        // Salesforce ignores the case of names, and may spell them in another one than the query.
        named(|child, name| child == name).or_else(|| named(str::eq_ignore_ascii_case)).map(|(_, node)| *node)
    }
}

impl Header {
    pub(crate) fn new(names: Vec<String>) -> Self {
        let mut nodes = vec![Node::default()];
        for (column, name) in names.iter().enumerate() {
            let mut at = 0;
            for step in name.split('.') {
                let known = nodes[at].children.iter().find(|(child, _)| child == step).map(|(_, node)| *node);
                at = known.unwrap_or_else(|| {
                    let node = nodes.len();
                    nodes.push(Node::default());
                    nodes[at].children.push((step.to_owned(), node));
                    node
                });
                nodes[at].below.push(column);
            }
            nodes[at].cell = Some(column);
        }
        Self { names, nodes }
    }

    /// The names in order.
    #[must_use]
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Number of columns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no columns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The place of a column, for [`Row::get`]; case is ignored where no name is spelt exactly so.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        let exact = self.names.iter().position(|column| column == name);
        exact.or_else(|| self.names.iter().position(|column| column.eq_ignore_ascii_case(name)))
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.names).finish()
    }
}

/// Some rows of a result, up to 64 KB of them, or one that is longer.
///
/// Can be sent to another task, and keeps nothing but its own texts.
pub struct Block {
    header: Arc<Header>,
    /// All cells without anything between them.
    text: String,
    /// Where each cell ends in `text`.
    ends: Vec<u32>,
}

impl Block {
    /// `None` where the text is no UTF-8 or a cell ends within a character.
    pub(super) fn new(header: Arc<Header>, bytes: Vec<u8>, ends: Vec<u32>) -> Option<Self> {
        let text = String::from_utf8(bytes).ok()?;
        let whole = |end: &u32| usize::try_from(*end).is_ok_and(|end| text.is_char_boundary(end));
        if !text.is_ascii() && !ends.iter().all(whole) {
            return None;
        }
        Some(Self { header, text, ends })
    }

    /// The columns.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn shared_header(&self) -> &Arc<Header> {
        &self.header
    }

    /// Number of rows; never zero in a block that was handed out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len().checked_div(self.header.len()).unwrap_or_default()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The rows in order.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows { block: self, next: 0 }
    }

    /// The rows as any struct, map or tuple that serde knows; texts may borrow from the block.
    ///
    /// Fields are found once per block: a column by its name (`#[serde(rename = "Account.Name")]`), or, for a nested struct, the
    /// columns below it (`account: Account` with `name` renamed to `Name`). Columns that the type does not name are skipped. An
    /// empty cell is `None`; an option of a nested struct is `None` where all its cells are empty. Whole numbers are read from `5` and
    /// `5.0` alike, multi-select picklists as lists too. Within `#[serde(flatten)]` and untagged enums every cell is a text.
    ///
    /// An item is an error of kind [`ErrorKind::Invalid`] where a row does not fit its type; it names the column and does not
    /// quote the value, and the rows behind it are still read.
    #[must_use]
    pub fn decode<'b, T: Deserialize<'b>>(&'b self) -> Decoded<'b, T> {
        Decoded { rows: self.rows(), decoder: Decoder::new(&self.header), typed: PhantomData }
    }

    #[inline]
    fn cell(&self, place: usize) -> &str {
        let end = |place: usize| self.ends.get(place).and_then(|end| usize::try_from(*end).ok()).unwrap_or_default();
        let start = place.checked_sub(1).map_or(0, end);
        // Ends grow, and each was found to be between two characters.
        self.text.get(start..end(place)).unwrap_or_default()
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Cells are field values.
        write!(f, "Block({} rows)", self.len())
    }
}

/// The rows of a block.
#[derive(Clone, Debug)]
pub struct Rows<'b> {
    block: &'b Block,
    next: usize,
}

impl<'b> Iterator for Rows<'b> {
    type Item = Row<'b>;

    #[inline]
    fn next(&mut self) -> Option<Row<'b>> {
        let row = Row { block: self.block, first: self.next * self.block.header.len() };
        (self.next < self.block.len()).then(|| {
            self.next += 1;
            row
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.block.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Rows<'_> {}

/// A row of texts.
#[derive(Clone, Copy)]
pub struct Row<'b> {
    block: &'b Block,
    /// The place of its first cell among those of the block.
    first: usize,
}

impl<'b> Row<'b> {
    /// The text of a column; empty for a null, and at a place that is no column's.
    #[must_use]
    #[inline]
    pub fn get(&self, column: usize) -> &'b str {
        if column < self.block.header.len() { self.block.cell(self.first + column) } else { "" }
    }

    /// The columns.
    #[must_use]
    pub fn header(&self) -> &'b Header {
        &self.block.header
    }

    /// The cells in order.
    #[must_use]
    pub fn cells(&self) -> impl ExactSizeIterator<Item = &'b str> + use<'b> {
        let row = *self;
        (0..self.block.header.len()).map(move |column| row.get(column))
    }

    /// The row as any struct, map or tuple. [`Block::decode`] is faster for many.
    ///
    /// # Errors
    ///
    /// As for [`Block::decode`].
    pub fn decode<T: Deserialize<'b>>(&self) -> Result<T> {
        Decoder::new(&self.block.header).row(*self).map_err(Misfit::into_error)
    }

    /// The row as a record of texts, null where a cell is empty; parents are nested records.
    #[must_use]
    pub fn to_record(&self) -> Record {
        self.record(0, "", &|_, cell| Ok(untyped(cell))).unwrap_or_default()
    }

    /// The row as a record whose values have the types of their fields; fields of parents are texts, unless the types
    /// name their path.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] naming the first column whose text does not fit.
    pub fn to_typed_record(&self, types: &FieldTypes) -> Result<Record> {
        self.record(0, "", &|path, cell| match types.get(path) {
            Some(field_type) => result_value(cell, field_type).map_err(|error| error.with_context("field", path)),
            None => Ok(untyped(cell)),
        })
    }

    fn record(&self, node: usize, path: &str, value: &dyn Fn(&str, &str) -> Result<Value>) -> Result<Record> {
        let nodes = &self.block.header.nodes;
        let children = &nodes[node].children;
        let mut record = Record::with_capacity(children.len());
        for (name, child) in children {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let below = &nodes[*child];
            let field = match below.cell {
                _ if below.below.iter().all(|column| self.get(*column).is_empty()) => Value::Null,
                Some(column) if below.children.is_empty() => value(&path, self.get(column))?,
                _ => Value::Record(self.record(*child, &path, value)?),
            };
            record.set(name.as_str(), field);
        }
        Ok(record)
    }
}

fn untyped(cell: &str) -> Value {
    if cell.is_empty() { Value::Null } else { Value::Text(cell.to_owned()) }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} cells)", self.block.header.len())
    }
}

/// The rows of a block as typed ones.
#[derive(Debug)]
pub struct Decoded<'b, T> {
    rows: Rows<'b>,
    decoder: Decoder<'b>,
    typed: PhantomData<fn() -> T>,
}

impl<'b, T: Deserialize<'b>> Iterator for Decoded<'b, T> {
    type Item = Result<T>;

    #[inline]
    fn next(&mut self) -> Option<Result<T>> {
        let row = self.rows.next()?;
        Some(self.decoder.row(row).map_err(Misfit::into_error))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl<'b, T: Deserialize<'b>> ExactSizeIterator for Decoded<'b, T> {}

/// The error of a result that is no CSV of an org's.
pub(super) fn broken(message: &'static str) -> Error {
    Error::new(ErrorKind::Decode, "", message)
}
