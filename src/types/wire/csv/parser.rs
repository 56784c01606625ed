//! CSV in chunks of any size to blocks of rows.

use std::fmt;
use std::sync::Arc;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::block::{Block, Header, broken};
use super::{Delimiter, MAX_COLUMNS, ONES, below};
use crate::error::{Error, Result};

/// Bytes of a block's texts.
const BLOCK_BYTES: usize = 64 * 1024;

/// Bytes of one row at most: a thousand of the longest texts that a field holds.
const MAX_ROW_BYTES: usize = 128 * 1024 * 1024;

/// Bytes of the names of all columns at most: a statement that asks for them has 100,000 characters.
const MAX_HEADER_BYTES: usize = 1024 * 1024;

/// Steps of a column's path at most; SOQL goes five parents up.
const MAX_STEPS: usize = 16;

/// Bytes of a cell that are looked at word by word; longer ones are left to functions made for them.
const SHORT: usize = 32;

/// Reads a result file that comes in chunks. Memory holds one block, or one row that is longer.
pub(crate) struct Parser {
    core: Reader,
    header: Option<Arc<Header>>,
    /// Texts of the block's rows, then those of the row in work, then room.
    text: Vec<u8>,
    used: usize,
    /// Where the row in work starts in `text`.
    row_start: usize,
    ends: Vec<u32>,
    /// Where the cells of the row in work end, counted from its start.
    row_ends: Vec<usize>,
    row_cells: usize,
    delimiter: u8,
    /// Whether the state machine is between two rows.
    between: bool,
    rows: u64,
}

impl Parser {
    pub(crate) fn new(delimiter: Delimiter) -> Self {
        Self {
            core: ReaderBuilder::new().delimiter(delimiter.as_byte()).build(),
            header: None,
            text: vec![0; BLOCK_BYTES],
            used: 0,
            row_start: 0,
            ends: Vec::new(),
            row_ends: vec![0; 64],
            row_cells: 0,
            delimiter: delimiter.as_byte(),
            between: true,
            rows: 0,
        }
    }

    /// The columns, once the first line is there.
    pub(crate) fn header(&self) -> Option<&Arc<Header>> {
        self.header.as_ref()
    }

    /// Rows read so far, without the header.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether what was read last is the end of a row, or an empty line.
    pub(crate) fn is_between(&self) -> bool {
        self.between
    }

    /// Reads on; blocks that are full go to `blocks`.
    pub(crate) fn feed(&mut self, mut input: &[u8], blocks: &mut Vec<Block>) -> Result<()> {
        while !input.is_empty() {
            let quick = if self.between { self.quick_rows(input) } else { 0 };
            input = input.get(quick..).unwrap_or_default();
            // Nothing is the end of the file to the state machine.
            if !input.is_empty() {
                let read = self.step(input, blocks)?;
                input = input.get(read..).unwrap_or_default();
            }
        }
        Ok(())
    }

    /// Reads rows as Salesforce writes them, every cell in quotes, as long as they are whole and there is room. All others are left
    /// to the state machine, which reads the same at half the speed. Gives the bytes it took.
    fn quick_rows(&mut self, input: &[u8]) -> usize {
        let Some(columns) = self.header.as_ref().map(|header| header.len()) else { return 0 };
        let mut taken = 0;
        loop {
            // The second half of a line ending that the state machine has read the first of.
            while matches!(input.get(taken), Some(b'\n' | b'\r')) {
                taken += 1;
            }
            let Some(length) = input.get(taken..).and_then(|input| self.quick_row(input, columns)) else {
                return taken;
            };
            taken += length;
            self.row_start = self.used;
            self.rows += 1;
        }
    }

    /// Reads a row; gives its length, or `None` where it is not as expected, and then nothing of it counts.
    fn quick_row(&mut self, input: &[u8], columns: usize) -> Option<usize> {
        let cells = self.ends.len();
        let length = self.quick_cells(input, columns);
        if length.is_none() {
            self.ends.truncate(cells);
            self.used = self.row_start;
        }
        length
    }

    fn quick_cells(&mut self, input: &[u8], columns: usize) -> Option<usize> {
        let mut at = 0;
        for column in 1..=columns {
            if *input.get(at)? != b'"' {
                return None;
            }
            at += 1;
            let mut behind;
            loop {
                at += self.copy_to_quote(input.get(at..)?)? + 1;
                behind = *input.get(at)?;
                at += 1;
                if behind != b'"' {
                    break;
                }
                *self.text.get_mut(self.used)? = b'"';
                self.used += 1;
            }
            self.ends.push(u32::try_from(self.used).ok()?);
            if column < columns {
                if behind != self.delimiter {
                    return None;
                }
            } else if behind == b'\r' && *input.get(at)? == b'\n' {
                at += 1;
            } else if behind != b'\n' {
                return None;
            }
        }
        Some(at)
    }

    /// Copies what is before the next quote; gives its length. Most cells are short, and each call of a function that is made for long
    /// ones costs as much as a few words.
    #[inline]
    fn copy_to_quote(&mut self, input: &[u8]) -> Option<usize> {
        let room = self.text.get_mut(self.used..)?;
        let mut at = 0;
        while at < SHORT
            && let Some(word) = input.get(at..).and_then(<[u8]>::first_chunk::<8>)
        {
            // What is behind the quote is written over.
            *room.get_mut(at..)?.first_chunk_mut()? = *word;
            let quotes = below(u64::from_le_bytes(*word) ^ (ONES * u64::from(b'"')), 1);
            if quotes != 0 {
                // The lowest one is a quote for certain.
                at += usize::try_from(quotes.trailing_zeros() / 8).ok()?;
                self.used += at;
                return Some(at);
            }
            at += 8;
        }
        let rest = input.get(at..)?;
        let part = rest.get(..memchr::memchr(b'"', rest)?)?;
        room.get_mut(at..at + part.len())?.copy_from_slice(part);
        self.used += at + part.len();
        Some(at + part.len())
    }

    /// One step of the state machine; gives the bytes it took.
    fn step(&mut self, input: &[u8], blocks: &mut Vec<Block>) -> Result<usize> {
        let cells = self.row_ends.get_mut(self.row_cells..).unwrap_or_default();
        let room = self.text.get_mut(self.used..).unwrap_or_default();
        let (result, read, written, ended) = self.core.read_record(input, room, cells);
        self.used += written;
        self.row_cells += ended;
        // Empty lines between rows are none.
        let blank = || input.get(..read).unwrap_or_default().iter().all(|byte| matches!(byte, b'\n' | b'\r'));
        self.between = matches!(result, ReadRecordResult::Record | ReadRecordResult::End) || (self.between && blank());
        match result {
            ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            ReadRecordResult::OutputFull => self.make_room(blocks)?,
            ReadRecordResult::OutputEndsFull => {
                if self.row_cells > MAX_COLUMNS {
                    return Err(broken("a row of more than 5,000 columns"));
                }
                self.row_ends.resize(self.row_ends.len() * 2, 0);
            }
            ReadRecordResult::Record => self.end_row()?,
        }
        Ok(read)
    }

    fn end_row(&mut self) -> Result<()> {
        let cells = self.row_ends.get(..self.row_cells).unwrap_or_default();
        match &self.header {
            None => {
                let row = self.text.get(self.row_start..self.used).unwrap_or_default();
                let mut start = 0;
                let mut names = Vec::with_capacity(cells.len());
                for end in cells {
                    let name = row.get(start..*end).and_then(|name| std::str::from_utf8(name).ok());
                    let name = name.ok_or_else(|| broken("a header that is no text"))?;
                    // Records are nested as deep as paths are long.
                    if name.split('.').nth(MAX_STEPS).is_some() {
                        return Err(broken("a column whose path has more than 16 steps"));
                    }
                    names.push(name.to_owned());
                    start = *end;
                }
                self.header = Some(Arc::new(Header::new(names)));
                self.used = self.row_start;
            }
            Some(header) if header.len() != cells.len() => {
                return Err(broken("a row has another number of cells than the header")
                    .with_context("columns", header.len())
                    .with_context("cells", cells.len())
                    .with_context("row", self.rows + 1));
            }
            Some(_) => {
                // A block is never larger than a row may be, which fits.
                self.ends.extend(cells.iter().map(|end| u32::try_from(self.row_start + end).unwrap_or(u32::MAX)));
                self.row_start = self.used;
                self.rows += 1;
            }
        }
        self.row_cells = 0;
        Ok(())
    }

    /// Hands over the rows that are whole, or, where there is none, makes room for one that is longer.
    fn make_room(&mut self, blocks: &mut Vec<Block>) -> Result<()> {
        if self.row_start > 0 {
            return self.flush(blocks);
        }
        if self.header.is_none() && self.text.len() >= MAX_HEADER_BYTES {
            return Err(broken("a header of more than 1 MB"));
        }
        if self.text.len() >= MAX_ROW_BYTES {
            return Err(broken("a row of more than 128 MB"));
        }
        self.text.resize(self.text.len() * 2, 0);
        Ok(())
    }

    /// Hands over the rows that are whole.
    pub(crate) fn flush(&mut self, blocks: &mut Vec<Block>) -> Result<()> {
        let Some(header) = self.header.as_ref().filter(|_| !self.ends.is_empty()) else { return Ok(()) };
        let mut room = vec![0; BLOCK_BYTES.max((self.used - self.row_start) * 2)];
        let rest = self.text.get(self.row_start..self.used).unwrap_or_default();
        if let Some(start) = room.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
        let mut bytes = std::mem::replace(&mut self.text, room);
        bytes.truncate(self.row_start);
        let cells = self.ends.len();
        let ends = std::mem::replace(&mut self.ends, Vec::with_capacity(cells + cells / 8));
        self.used -= self.row_start;
        self.row_start = 0;
        blocks.push(Block::new(Arc::clone(header), bytes, ends).ok_or_else(|| broken("a text that is no UTF-8"))?);
        Ok(())
    }

    /// Ends the file. `whole` says that its length is known to be right; otherwise a file that does not end with its last
    /// row's line ending is one that was cut off.
    pub(crate) fn finish(&mut self, whole: bool, blocks: &mut Vec<Block>) -> Result<()> {
        if !self.between {
            if !whole {
                return Err(Error::cut_off());
            }
            loop {
                self.step(&[], blocks)?;
                if self.between {
                    break;
                }
            }
        }
        self.flush(blocks)
    }
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parser({} rows)", self.rows)
    }
}
