//! Rows of any type of serde's, straight to the bytes of a file.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use serde::ser::{Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};

use super::header::{Spec, columns_of, specs};
use super::{Column, Delimiter, LineEnding, MAX_CELL_CHARS, MAX_ROW_CHARS, NULL, ONES, below};
use crate::error::{Error, ErrorKind, Result};
use crate::types::typed::{Misfit, RAW};

type Fit<T> = std::result::Result<T, Misfit>;

/// Writes rows of any serde type, or [`Record`](crate::types::Record)s, as Bulk API CSV.
///
/// A skipped field ([`Field::Absent`](crate::types::Field) with its attribute) is an empty cell and leaves the field alone,
/// `None` and blank text are `#N/A` and clear it. Numbers keep all their digits; floats are the shortest decimal that reads as them.
/// A nested struct or map is a parent by external id: `Account: {Ext__c}` is the column `Account.Ext__c`, and with
/// `attributes: {type: "User"}` in `Owner` it is `User:Owner.Ext__c`. One level up only.
///
/// The columns are those of the first row, skipped fields among them, unless they were given: give them where rows are maps
/// that leave members out, or where the first row's parent may be null.
///
/// ```
/// use sforce::types::wire::csv::{CsvWriter, Delimiter, LineEnding};
///
/// #[derive(serde::Serialize)]
/// struct Row { #[serde(rename = "LastName")] last_name: &'static str, #[serde(rename = "Fax")] fax: Option<String> }
///
/// let mut csv = CsvWriter::new(Delimiter::Comma, LineEnding::Lf);
/// csv.push(&Row { last_name: "Lovelace, Ada", fax: None })?;
/// assert_eq!(csv.as_bytes(), b"LastName,Fax\n\"Lovelace, Ada\",#N/A\n");
/// # Ok::<(), sforce::Error>(())
/// ```
#[derive(Debug)]
pub struct CsvWriter {
    specs: Vec<Spec>,
    out: Output,
    /// Whether fields come in another order than the columns.
    scattered: bool,
}

/// What has been written, and where the row in work stands.
#[derive(Debug)]
struct Output {
    bytes: Vec<u8>,
    delimiter: u8,
    line_ending: LineEnding,
    meanings: Meanings,
    /// Names of the first columns as the type of the rows writes them.
    names: Vec<&'static str>,
    /// The next column, where rows are written in order.
    next: usize,
    /// Start and end of each cell of the row in work; in `bytes` in order, in `scratch` otherwise.
    cells: Vec<(usize, usize)>,
    scratch: Vec<u8>,
    /// A text on its way to a cell.
    text: String,
}

/// A cell that holds such a byte stands in quotes.
const QUOTED: u8 = 1;
/// A quote, which is doubled.
const QUOTE: u8 = 2;
/// A byte that no cell may hold.
const NUL: u8 = 4;

/// What bytes mean for the cell they stand in.
#[derive(Debug)]
struct Meanings {
    table: Box<[u8; 256]>,
    /// The delimiter in every byte of a word.
    delimiters: u64,
}

impl Meanings {
    fn new(delimiter: u8) -> Self {
        let mut table = Box::new([0; 256]);
        table[usize::from(delimiter)] = QUOTED;
        table[usize::from(b'\n')] = QUOTED;
        table[usize::from(b'\r')] = QUOTED;
        table[usize::from(b'"')] = QUOTED | QUOTE;
        table[0] = NUL;
        Self { table, delimiters: ONES * u64::from(delimiter) }
    }

    /// All that the bytes of a text mean: eight at a time, since a look at each would be a large part of what writing a row takes.
    fn of(&self, text: &[u8]) -> u8 {
        // The last word overlaps the one before it.
        let Some(last) = text.last_chunk::<8>() else { return self.of_each(text) };
        let (words, _) = text.as_chunks::<8>();
        let (mut quotes, mut others) = (0, 0);
        let mut look = |word: &[u8; 8]| {
            let word = u64::from_ne_bytes(*word);
            quotes |= below(word ^ (ONES * u64::from(b'"')), 1);
            others |= below(word ^ self.delimiters, 1) | below(word, b' ');
        };
        words.iter().for_each(&mut look);
        look(last);
        match (quotes, others) {
            (0, 0) => 0,
            (_, 0) => QUOTED | QUOTE,
            // A delimiter, or a control character of any kind.
            _ => self.of_each(text),
        }
    }

    fn of_each(&self, text: &[u8]) -> u8 {
        text.iter().fold(0, |flags, byte| flags | self.table[usize::from(*byte)])
    }
}

impl CsvWriter {
    /// Starts a file whose columns are those of its first row.
    #[must_use]
    pub fn new(delimiter: Delimiter, line_ending: LineEnding) -> Self {
        let out = Output {
            bytes: Vec::new(),
            delimiter: delimiter.as_byte(),
            line_ending,
            meanings: Meanings::new(delimiter.as_byte()),
            names: Vec::new(),
            next: 0,
            cells: Vec::new(),
            scratch: Vec::new(),
            text: String::new(),
        };
        Self { specs: Vec::new(), out, scattered: false }
    }

    /// Starts a file with these columns, in this order.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for no columns, one that occurs twice, more than 5,000, or a header of more than 32,000
    /// characters.
    pub fn with_columns(delimiter: Delimiter, line_ending: LineEnding, columns: &[Column]) -> Result<Self> {
        let mut writer = Self::new(delimiter, line_ending);
        writer.set_columns(columns)?;
        Ok(writer)
    }

    fn set_columns(&mut self, columns: &[Column]) -> Result<()> {
        self.specs = specs(columns)?;
        self.out.names.clear();
        for (place, spec) in self.specs.iter().enumerate() {
            if place > 0 {
                self.out.bytes.push(self.out.delimiter);
            }
            // Names need no quotes: letters, digits, underscores, a dot and a colon.
            self.out.bytes.extend_from_slice(spec.header.as_bytes());
        }
        self.out.bytes.extend_from_slice(self.out.line_ending.as_bytes());
        Ok(())
    }

    /// The names of the columns; empty before the first row where none were given.
    #[must_use]
    pub fn header(&self) -> impl ExactSizeIterator<Item = &str> {
        self.specs.iter().map(|spec| spec.header.as_str())
    }

    /// Writes a row. After an error nothing of it is written.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] naming the field: one outside the columns, the text `#N/A`, a NUL, more than 131,072 characters, a
    /// list, NaN or an infinity; a row of more than 400,000 characters; what is no struct or map.
    pub fn push<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        let before = self.out.bytes.len();
        let first = self.specs.is_empty();
        if first {
            let columns = columns_of(row).map_err(Misfit::into_error)?;
            self.set_columns(&columns)?;
        }
        let start = self.out.bytes.len();
        let done = self.write_row(row, start).map_err(Misfit::into_error).and_then(|()| self.check_row(start));
        if done.is_err() {
            self.out.bytes.truncate(if first { before } else { start });
            if first {
                // The next row may be better.
                self.specs.clear();
            }
        }
        done
    }

    fn write_row<T: Serialize + ?Sized>(&mut self, row: &T, start: usize) -> Fit<()> {
        if !self.scattered {
            let mut disorder = false;
            self.out.begin();
            let written = row.serialize(Top(Writer {
                specs: &self.specs,
                out: &mut self.out,
                order: Order::InTurn(&mut disorder),
            }));
            if !disorder {
                written?;
                self.out.finish(self.specs.len());
                return Ok(());
            }
            // Serialising is a pure function of the row, so it can be done again.
            self.scattered = true;
            self.out.bytes.truncate(start);
        }
        self.out.begin_scattered(self.specs.len());
        row.serialize(Top(Writer { specs: &self.specs, out: &mut self.out, order: Order::Any }))?;
        self.out.gather();
        Ok(())
    }

    fn check_row(&mut self, start: usize) -> Result<()> {
        let row = &self.out.bytes[start..];
        let long =
            row.len() > MAX_ROW_CHARS && std::str::from_utf8(row).map_or(0, |row| row.chars().count()) > MAX_ROW_CHARS;
        if long {
            return Err(Error::new(ErrorKind::Invalid, "record", "a row of more than 400,000 characters"));
        }
        self.out.bytes.extend_from_slice(self.out.line_ending.as_bytes());
        Ok(())
    }

    /// A cell of the last row as it was written, quotes included.
    #[inline]
    pub(crate) fn last_cell(&self, column: usize) -> &[u8] {
        self.out.cells.get(column).map_or(&[], |&(start, end)| self.out.bytes.get(start..end).unwrap_or_default())
    }

    /// What has been written and not taken yet.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.out.bytes
    }

    /// Takes what has been written, and leaves room for as much again.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        let room = self.out.bytes.capacity();
        self.take_and_reserve(room)
    }

    pub(crate) fn take_and_reserve(&mut self, room: usize) -> Vec<u8> {
        std::mem::replace(&mut self.out.bytes, Vec::with_capacity(room))
    }

    /// Takes the first bytes of what has been written.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.out.bytes.truncate(length);
    }
}

impl Output {
    fn begin(&mut self) {
        self.next = 0;
        self.cells.clear();
    }

    fn begin_scattered(&mut self, columns: usize) {
        self.scratch.clear();
        self.cells.clear();
        self.cells.resize(columns, (0, 0));
    }

    /// Leaves the columns before this one empty, and starts it.
    fn reach(&mut self, column: usize) {
        while self.next <= column {
            if self.next > 0 {
                self.bytes.push(self.delimiter);
            }
            self.next += 1;
            if self.next <= column {
                self.cells.push((self.bytes.len(), self.bytes.len()));
            }
        }
    }

    /// Writes the next column.
    #[inline]
    fn put_next<T: Serialize + ?Sized>(&mut self, value: &T) -> Fit<()> {
        if self.next > 0 {
            self.bytes.push(self.delimiter);
        }
        self.next += 1;
        self.put(value)
    }

    /// Writes the cell that was started.
    #[inline]
    fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Fit<()> {
        let start = self.bytes.len();
        let Self { bytes, meanings, text, .. } = &mut *self;
        value.serialize(Cell { bytes, meanings, text })?;
        self.cells.push((start, self.bytes.len()));
        Ok(())
    }

    /// Leaves the columns that are left empty.
    fn finish(&mut self, columns: usize) {
        if self.next < columns {
            self.reach(columns - 1);
            self.cells.push((self.bytes.len(), self.bytes.len()));
        }
        self.close(columns);
    }

    /// A row of one empty cell would be an empty line, which is no row.
    fn close(&mut self, columns: usize) {
        if columns == 1
            && let Some(cell) = self.cells.first_mut()
            && cell.0 == cell.1
        {
            self.bytes.extend_from_slice(b"\"\"");
            cell.1 = self.bytes.len();
        }
    }

    /// Puts the cells of a scattered row in order.
    fn gather(&mut self) {
        for place in 0..self.cells.len() {
            if place > 0 {
                self.bytes.push(self.delimiter);
            }
            let (start, end) = self.cells[place];
            let at = self.bytes.len();
            self.bytes.extend_from_slice(&self.scratch[start..end]);
            self.cells[place] = (at, self.bytes.len());
        }
        self.close(self.cells.len());
    }
}

/// Puts a text into a cell.
fn put_text(bytes: &mut Vec<u8>, meanings: &Meanings, text: &str) -> Fit<()> {
    if text.len() > MAX_CELL_CHARS && text.chars().count() > MAX_CELL_CHARS {
        return Err(Misfit::new("a text of more than 131,072 characters"));
    }
    let mut flags = meanings.of(text.as_bytes());
    if flags & NUL != 0 {
        return Err(Misfit::new("a text with a NUL in it"));
    }
    let plain = |byte: Option<&u8>| byte.is_some_and(|byte| (b'!'..=b'~').contains(byte));
    if !plain(text.as_bytes().first()) || !plain(text.as_bytes().last()) {
        if text.trim().is_empty() {
            bytes.extend_from_slice(NULL.as_bytes());
            return Ok(());
        }
        if text.trim().len() < text.len() {
            flags |= QUOTED;
        }
    }
    if text == NULL {
        return Err(Misfit::new("the text #N/A, which means null in Bulk CSV: write this record by REST"));
    }
    if flags == 0 {
        bytes.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    bytes.push(b'"');
    let mut rest = text.as_bytes();
    if flags & QUOTE != 0 {
        while let Some((part, behind)) = memchr::memchr(b'"', rest).and_then(|quote| rest.split_at_checked(quote + 1)) {
            bytes.extend_from_slice(part);
            bytes.push(b'"');
            rest = behind;
        }
    }
    bytes.extend_from_slice(rest);
    bytes.push(b'"');
    Ok(())
}

/// Where the fields of a row go.
struct Writer<'a> {
    specs: &'a [Spec],
    out: &'a mut Output,
    order: Order<'a>,
}

enum Order<'a> {
    /// Each cell behind the one before it; a field that comes too late is told here.
    InTurn(&'a mut bool),
    Any,
}

/// What a field of a row is.
enum Target {
    Cell(usize),
    Parent,
    /// What names the object and is no field.
    Attributes,
}

impl Writer<'_> {
    fn next(&self) -> usize {
        match self.order {
            Order::InTurn(_) => self.out.next,
            Order::Any => 0,
        }
    }

    /// The place of the first column that fits, looked for from the next one on.
    fn place(&self, fits: impl Fn(&Spec) -> bool) -> Option<usize> {
        let next = self.next();
        let behind = self.specs.get(next..).unwrap_or_default().iter().position(&fits).map(|place| place + next);
        behind.or_else(|| self.specs.iter().position(fits))
    }

    fn target(&self, name: &str) -> Fit<Target> {
        if let Some(spec) = self.specs.get(self.next())
            && spec.header == name
        {
            return Ok(Target::Cell(self.next()));
        }
        if let Some(place) = self.place(|spec| spec.header == name) {
            return Ok(Target::Cell(place));
        }
        if self.specs.iter().any(|spec| spec.parent.as_ref().is_some_and(|parent| parent.relationship == name)) {
            return Ok(Target::Parent);
        }
        if name == "attributes" {
            return Ok(Target::Attributes);
        }
        Err(Misfit::new("a field outside the columns of the file"))
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Fit<()> {
        // Nearly all fields come in the order of the columns.
        if matches!(self.order, Order::InTurn(_))
            && self.specs.get(self.out.next).is_some_and(|spec| spec.header == name)
        {
            return self.out.put_next(value).map_err(|misfit| misfit.inside(name));
        }
        self.any_field(name, value)
    }

    /// A field of a struct. Its name is in one place for all rows, so that it need not be compared letter by letter again.
    #[inline]
    fn struct_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Fit<()> {
        if matches!(self.order, Order::InTurn(_)) {
            let column = self.out.next;
            if self.out.names.get(column).is_some_and(|known| std::ptr::eq(*known, name)) {
                return self.out.put_next(value).map_err(|misfit| misfit.inside(name));
            }
            if self.specs.get(column).is_some_and(|spec| spec.header == name) {
                self.out.names.truncate(column);
                if self.out.names.len() == column {
                    self.out.names.push(name);
                }
            }
        }
        self.field(name, value)
    }

    fn any_field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Fit<()> {
        let written = self.target(name).and_then(|target| match target {
            Target::Cell(column) => self.cell(column, value),
            Target::Parent => value.serialize(Parent { writer: self, relationship: name }),
            Target::Attributes => Ok(()),
        });
        written.map_err(|misfit| misfit.inside(name))
    }

    fn cell<T: Serialize + ?Sized>(&mut self, column: usize, value: &T) -> Fit<()> {
        match &mut self.order {
            Order::InTurn(disorder) => {
                if column < self.out.next {
                    **disorder = true;
                    return Err(Misfit::new("a field twice, or out of turn"));
                }
                self.out.reach(column);
                self.out.put(value)?;
            }
            Order::Any => {
                if self.out.cells[column].1 > 0 {
                    return Err(Misfit::new("a field twice"));
                }
                let start = self.out.scratch.len();
                let Output { scratch, meanings, text, .. } = &mut *self.out;
                value.serialize(Cell { bytes: scratch, meanings, text })?;
                self.out.cells[column] = (start, self.out.scratch.len());
            }
        }
        Ok(())
    }
}

macro_rules! refuse {
    ($words:expr; $($method:ident($($argument:ty),*) -> $ok:ty),* $(,)?) => {$(
        fn $method(self, $(_: $argument),*) -> Fit<$ok> {
            Err(Misfit::new($words))
        }
    )*};
}

macro_rules! refuse_scalars {
    ($words:expr) => {
        refuse! { $words;
            serialize_bool(bool) -> (), serialize_i8(i8) -> (), serialize_i16(i16) -> (), serialize_i32(i32) -> (),
            serialize_i64(i64) -> (), serialize_u8(u8) -> (), serialize_u16(u16) -> (), serialize_u32(u32) -> (),
            serialize_u64(u64) -> (), serialize_f32(f32) -> (), serialize_f64(f64) -> (), serialize_char(char) -> (),
            serialize_str(&str) -> (), serialize_bytes(&[u8]) -> (), serialize_unit_struct(&'static str) -> (),
            serialize_unit_variant(&'static str, u32, &'static str) -> (),
            serialize_seq(Option<usize>) -> Self::SerializeSeq, serialize_tuple(usize) -> Self::SerializeTuple,
            serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct,
            serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant,
            serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant,
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Fit<()> {
            Err(Misfit::new($words))
        }
    };
}

macro_rules! no_sequences {
    () => {
        type Ok = ();
        type Error = Misfit;
        type SerializeSeq = Impossible<(), Misfit>;
        type SerializeTuple = Impossible<(), Misfit>;
        type SerializeTupleStruct = Impossible<(), Misfit>;
        type SerializeTupleVariant = Impossible<(), Misfit>;
        type SerializeStructVariant = Impossible<(), Misfit>;
    };
}

/// A row.
struct Top<'a>(Writer<'a>);

impl<'a> Serializer for Top<'a> {
    no_sequences!();
    type SerializeMap = Fields<'a>;
    type SerializeStruct = Fields<'a>;

    fn serialize_map(self, _: Option<usize>) -> Fit<Fields<'a>> {
        Ok(Fields { writer: self.0, key: String::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Fit<Fields<'a>> {
        Ok(Fields { writer: self.0, key: String::new() })
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Fit<()> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Fit<()> {
        value.serialize(self)
    }

    refuse! { "not a struct or map"; serialize_none() -> (), serialize_unit() -> () }

    refuse_scalars! { "not a struct or map" }
}

struct Fields<'a> {
    writer: Writer<'a>,
    key: String,
}

impl SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Misfit;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Fit<()> {
        self.writer.struct_field(name, value)
    }

    fn end(self) -> Fit<()> {
        Ok(())
    }
}

impl SerializeMap for Fields<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Fit<()> {
        self.key.clear();
        key.serialize(Key(&mut self.key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Fit<()> {
        self.writer.field(&self.key, value)
    }

    fn end(self) -> Fit<()> {
        Ok(())
    }
}

/// A parent, named by external id.
struct Parent<'a, 'w> {
    writer: &'a mut Writer<'w>,
    relationship: &'a str,
}

impl Parent<'_, '_> {
    /// No parent: its columns are cleared.
    fn clear(self) -> Fit<()> {
        for column in 0..self.writer.specs.len() {
            let parent = self.writer.specs[column].parent.as_ref();
            if parent.is_some_and(|parent| parent.relationship == self.relationship) {
                self.writer.cell(column, &())?;
            }
        }
        Ok(())
    }
}

impl<'a, 'w> Serializer for Parent<'a, 'w> {
    no_sequences!();
    type SerializeMap = ParentFields<'a, 'w>;
    type SerializeStruct = ParentFields<'a, 'w>;

    fn serialize_map(self, _: Option<usize>) -> Fit<Self::SerializeMap> {
        Ok(ParentFields { parent: self, key: String::new(), object: None })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Fit<Self::SerializeStruct> {
        Ok(ParentFields { parent: self, key: String::new(), object: None })
    }

    fn serialize_none(self) -> Fit<()> {
        self.clear()
    }

    fn serialize_unit(self) -> Fit<()> {
        self.clear()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Fit<()> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Fit<()> {
        value.serialize(self)
    }

    refuse_scalars! { "not a parent by external id, which is a struct or map" }
}

struct ParentFields<'a, 'w> {
    parent: Parent<'a, 'w>,
    key: String,
    /// What `attributes` says the parent is.
    object: Option<String>,
}

impl ParentFields<'_, '_> {
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Fit<()> {
        if name == "attributes" {
            self.object = super::header::object_of(value)?;
            return Ok(());
        }
        let Parent { writer, relationship } = &mut self.parent;
        let object = self.object.as_deref();
        let column = writer.place(|spec| {
            spec.parent.as_ref().is_some_and(|parent| {
                parent.relationship == *relationship
                    && parent.field == name
                    && (object.is_none() || parent.object.is_none() || parent.object.as_deref() == object)
            })
        });
        let written = match column {
            Some(column) => writer.cell(column, value),
            None => Err(Misfit::new("a field outside the columns of the file")),
        };
        written.map_err(|misfit| misfit.inside(name))
    }
}

impl SerializeStruct for ParentFields<'_, '_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Fit<()> {
        self.field(name, value)
    }

    fn end(self) -> Fit<()> {
        Ok(())
    }
}

impl SerializeMap for ParentFields<'_, '_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Fit<()> {
        self.key.clear();
        key.serialize(Key(&mut self.key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Fit<()> {
        let name = std::mem::take(&mut self.key);
        self.field(&name, value)
    }

    fn end(self) -> Fit<()> {
        Ok(())
    }
}

/// The text of a map's key.
pub(super) struct Key<'a>(pub(super) &'a mut String);

impl Serializer for Key<'_> {
    no_sequences!();
    type SerializeMap = Impossible<(), Misfit>;
    type SerializeStruct = Impossible<(), Misfit>;

    fn serialize_str(self, key: &str) -> Fit<()> {
        self.0.push_str(key);
        Ok(())
    }

    fn serialize_char(self, key: char) -> Fit<()> {
        self.0.push(key);
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Fit<()> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, key: &T) -> Fit<()> {
        key.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Fit<()> {
        Err(Misfit::new("a key that is no text"))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Fit<()> {
        Err(Misfit::new("a key that is no text"))
    }

    refuse! { "a key that is no text";
        serialize_bool(bool) -> (), serialize_i8(i8) -> (), serialize_i16(i16) -> (), serialize_i32(i32) -> (),
        serialize_i64(i64) -> (), serialize_u8(u8) -> (), serialize_u16(u16) -> (), serialize_u32(u32) -> (),
        serialize_u64(u64) -> (), serialize_f32(f32) -> (), serialize_f64(f64) -> (), serialize_bytes(&[u8]) -> (),
        serialize_none() -> (), serialize_unit() -> (), serialize_unit_struct(&'static str) -> (),
        serialize_seq(Option<usize>) -> Self::SerializeSeq, serialize_tuple(usize) -> Self::SerializeTuple,
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant,
        serialize_map(Option<usize>) -> Self::SerializeMap, serialize_struct(&'static str, usize) -> Self::SerializeStruct,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant,
    }
}

/// One cell.
struct Cell<'a> {
    bytes: &'a mut Vec<u8>,
    meanings: &'a Meanings,
    text: &'a mut String,
}

impl Cell<'_> {
    fn shown(self, value: impl fmt::Display) -> Fit<()> {
        // Writing to a vector does not fail.
        write!(self.bytes, "{value}").map_err(|_| Misfit::new("a value that does not show"))
    }

    fn float(self, number: f64) -> Fit<()> {
        if !number.is_finite() {
            return Err(Misfit::new("no number: NaN or an infinity"));
        }
        if let Some(hundredths) = hundredths(number) {
            return self.hundredths(number < 0.0, hundredths);
        }
        let start = self.bytes.len();
        let shortest = serde_json::to_writer(&mut *self.bytes, &number).is_ok();
        let written = self.bytes.get(start..).unwrap_or_default();
        // JSON may write an exponent.
        if !shortest || written.contains(&b'e') {
            self.bytes.truncate(start);
            return self.shown(number);
        }
        if written.ends_with(b".0") {
            self.bytes.truncate(self.bytes.len() - 2);
        }
        Ok(())
    }

    fn hundredths(self, negative: bool, hundredths: u64) -> Fit<()> {
        if negative {
            self.bytes.push(b'-');
        }
        serde_json::to_writer(&mut *self.bytes, &(hundredths / 100))
            .map_err(|_| Misfit::new("a value that does not show"))?;
        let digit = |number: u64| b"0123456789"[usize::try_from(number % 10).unwrap_or_default()];
        match (digit(hundredths / 10), digit(hundredths)) {
            (b'0', b'0') => {}
            (tenths, b'0') => self.bytes.extend_from_slice(&[b'.', tenths]),
            (tenths, hundredths) => self.bytes.extend_from_slice(&[b'.', tenths, hundredths]),
        }
        Ok(())
    }

    /// A JSON value in text: how an exact number passes serde.
    fn raw(self, json: &str) -> Fit<()> {
        match json.as_bytes().first() {
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => {
                self.bytes.extend_from_slice(json.as_bytes());
                Ok(())
            }
            Some(b'n') => self.serialize_unit(),
            Some(b'"') => {
                let text: String = serde_json::from_str(json).map_err(|_| Misfit::new("raw JSON that is none"))?;
                self.serialize_str(&text)
            }
            _ => Err(Misfit::new("raw JSON that no cell holds")),
        }
    }
}

/// A number without its sign in hundredths, if it has two decimals at most, as nearly all in an org have: these are written in some
/// 60 % of the time that it takes to find the shortest decimal of any float.
///
/// It is the shortest one here, too: no two decimals of up to 15 digits are the same float.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "whatever was lost shows when it is compared"
)]
fn hundredths(number: f64) -> Option<u64> {
    let hundredths = (number.abs() * 100.0 + 0.5) as u64;
    let same = hundredths < 1_000_000_000_000_000 && hundredths as f64 / 100.0 == number.abs();
    // Zero below zero keeps its sign.
    (same && (hundredths > 0 || number.is_sign_positive())).then_some(hundredths)
}

macro_rules! shown {
    ($($method:ident($type:ty)),*) => {$(
        fn $method(self, value: $type) -> Fit<()> {
            self.shown(value)
        }
    )*};
}

const A_LIST: &str = "a list: join it to one text";
const A_RECORD: &str = "a record more than one level up, or where a value belongs";

impl<'a> Serializer for Cell<'a> {
    type Ok = ();
    type Error = Misfit;
    type SerializeSeq = Impossible<(), Misfit>;
    type SerializeTuple = Impossible<(), Misfit>;
    type SerializeTupleStruct = Impossible<(), Misfit>;
    type SerializeTupleVariant = Impossible<(), Misfit>;
    type SerializeMap = Impossible<(), Misfit>;
    type SerializeStruct = RawCell<'a>;
    type SerializeStructVariant = Impossible<(), Misfit>;

    shown! {
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_i128(i128), serialize_u8(u8),
        serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_u128(u128)
    }

    fn serialize_bool(self, flag: bool) -> Fit<()> {
        self.bytes.extend_from_slice(if flag { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_f32(self, number: f32) -> Fit<()> {
        if !number.is_finite() {
            return Err(Misfit::new("no number: NaN or an infinity"));
        }
        // The shortest decimal of the short float, not of the long one nearest to it.
        self.shown(number)
    }

    fn serialize_f64(self, number: f64) -> Fit<()> {
        self.float(number)
    }

    fn serialize_char(self, character: char) -> Fit<()> {
        self.serialize_str(character.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Fit<()> {
        put_text(self.bytes, self.meanings, text)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Fit<()> {
        self.text.clear();
        write!(self.text, "{value}").map_err(|_| Misfit::new("a value that does not show"))?;
        put_text(self.bytes, self.meanings, self.text)
    }

    fn serialize_none(self) -> Fit<()> {
        self.serialize_unit()
    }

    fn serialize_unit(self) -> Fit<()> {
        self.bytes.extend_from_slice(NULL.as_bytes());
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Fit<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Fit<()> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Fit<()> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Fit<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Fit<()> {
        Err(Misfit::new(A_RECORD))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Fit<RawCell<'a>> {
        if name == RAW { Ok(RawCell(Some(self))) } else { Err(Misfit::new(A_RECORD)) }
    }

    refuse! { "bytes: encode them as text"; serialize_bytes(&[u8]) -> () }

    refuse! { A_LIST;
        serialize_seq(Option<usize>) -> Self::SerializeSeq, serialize_tuple(usize) -> Self::SerializeTuple,
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant,
    }

    refuse! { A_RECORD;
        serialize_map(Option<usize>) -> Self::SerializeMap,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant,
    }
}

/// A cell of a JSON value in the guise of a struct.
struct RawCell<'a>(Option<Cell<'a>>);

impl SerializeStruct for RawCell<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Fit<()> {
        let Some(cell) = self.0.take() else { return Err(Misfit::new("raw JSON twice")) };
        let mut json = String::new();
        value.serialize(Key(&mut json))?;
        cell.raw(&json)
    }

    fn end(self) -> Fit<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(serde::Serialize)]
    struct Row {
        #[serde(rename = "A__c")]
        a: &'static str,
        #[serde(rename = "B__c", skip_serializing_if = "Option::is_none")]
        b: Option<&'static str>,
        #[serde(rename = "C__c")]
        c: f64,
    }

    #[derive(serde::Serialize)]
    struct Other {
        #[serde(rename = "C__c")]
        c: u8,
        #[serde(rename = "A__c")]
        a: &'static str,
    }

    #[test]
    fn rows_of_several_types_find_their_columns_wherever_their_names_are() {
        let mut csv = CsvWriter::new(Delimiter::Comma, LineEnding::Lf);
        for _ in 0..2 {
            csv.push(&Row { a: "x", b: Some("y"), c: 1.5 }).expect("fits");
            csv.push(&Row { a: "x", b: None, c: -0.25 }).expect("fits");
            csv.push(&Other { c: 7, a: "z" }).expect("fits");
        }
        let rows = "x,y,1.5\nx,,-0.25\nz,,7\n";
        assert_eq!(String::from_utf8_lossy(csv.as_bytes()), format!("A__c,B__c,C__c\n{rows}{rows}"));
    }

    #[test]
    fn a_first_row_that_is_refused_leaves_no_names_behind() {
        let mut csv = CsvWriter::new(Delimiter::Comma, LineEnding::Lf);
        csv.push(&Row { a: "x", b: Some("y"), c: f64::NAN }).expect_err("no number");
        csv.push(&Other { c: 7, a: "z" }).expect("fits");
        assert_eq!(csv.as_bytes(), b"C__c,A__c\n7,z\n");
    }

    #[test]
    fn numbers_of_few_decimals_are_written_in_short() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-0.5, "-0.5"),
            (0.29, "0.29"),
            (1.1, "1.1"),
            (249.75, "249.75"),
            (-1234.05, "-1234.05"),
            (0.001, "0.001"),
            (1.005, "1.005"),
            (0.1 + 0.2, "0.30000000000000004"),
            (9_999_999_999_999.99, "9999999999999.99"),
            (1e15, "1000000000000000"),
            (1e300, &format!("1{}", "0".repeat(300))),
        ] {
            let mut bytes = Vec::new();
            let cell = Cell { bytes: &mut bytes, meanings: &Meanings::new(b','), text: &mut String::new() };
            cell.float(number).expect("a number");
            assert_eq!(String::from_utf8_lossy(&bytes), text);
        }
    }

    proptest! {
        #[test]
        fn bytes_mean_the_same_one_by_one_and_eight_at_a_time(
            text in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'x'), Just(b'"'), Just(b'!'), Just(b'#')], 0..40),
            delimiter in proptest::sample::select(&[b',', b';', b'|', b'^', b'`', b'\t'][..]),
        ) {
            let meanings = Meanings::new(delimiter);
            prop_assert_eq!(meanings.of(&text), meanings.of_each(&text));
        }

        #[test]
        fn a_number_of_hundredths_is_written_as_the_shortest_decimal(hundredths in -1_000_000_000_000_000_i64..1_000_000_000_000_000) {
            let number = format!("{hundredths}e-2").parse::<f64>().expect("a number");
            let mut bytes = Vec::new();
            let cell = Cell { bytes: &mut bytes, meanings: &Meanings::new(b','), text: &mut String::new() };
            cell.float(number).expect("a number");
            // Display of the standard library writes the shortest one, and no exponent.
            prop_assert_eq!(String::from_utf8_lossy(&bytes), number.to_string());
        }
    }
}
