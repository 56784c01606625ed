//! Knows rows again in a job's results, which come in another order and are written as the org has read them.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use foldhash::fast::RandomState;

use super::{CsvWriter, Header, Row};
use crate::types::wire::csv::NULL;
use crate::types::{RecordId, Timestamp};

/// Rows of one key that are looked at for the one that is written in the same way.
const MAX_ALIKE: usize = 256;

/// No row.
const NONE: u32 = u32::MAX;

/// A hash is its own hash.
#[derive(Default)]
pub(super) struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Hashes a cell by its value: `912260031` and `9.12260031E8` alike, a moment in any form, an id of 15 or 18 characters, null and
/// empty, and text but for blanks at its ends and the form of its line breaks.
///
/// Numbers go through floats here, and a text may look like a number: what is alike by its value is told apart by its text.
fn hash_value(hasher: &mut impl Hasher, cell: &str) {
    if is_plain(cell.as_bytes()) && memchr::memchr(b'\r', cell.as_bytes()).is_none() {
        return hash_plain(hasher, cell.as_bytes());
    }
    let text = cell.trim();
    if text.is_empty() || text == NULL {
        return hasher.write_u8(0);
    }
    let id = if text.len() == 18 { RecordId::new(text).ok() } else { None };
    let text = if id.is_some() { text.get(..15).unwrap_or(text) } else { text };
    if matches!(text.as_bytes().first(), Some(b'0'..=b'9' | b'-' | b'+' | b'.')) {
        if text.as_bytes().get(4) == Some(&b'-')
            && let Ok(moment) = Timestamp::read(text)
        {
            hasher.write_u8(2);
            return hasher.write_i64(moment.unix_millis());
        }
        if let Ok(number) = text.parse::<f64>()
            && number.is_finite()
        {
            hasher.write_u8(1);
            // Zero has two signs.
            return hasher.write_u64((number + 0.0).to_bits());
        }
    }
    if text.len() <= 5 && (text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")) {
        return hasher.write_u8(if text.len() == 4 { 3 } else { 4 });
    }
    if text.contains('\r') {
        return hash_plain(hasher, text.replace("\r\n", "\n").as_bytes());
    }
    hash_plain(hasher, text.as_bytes());
}

/// Whether a cell without `\r`, read or as it was written, is a text whose value is its letters: it starts as no number, moment, quoted
/// text or null does, ends in no blank, is longer than a flag and no id. Most keys of text are, and there is one in every row.
#[inline]
fn is_plain(cell: &[u8]) -> bool {
    matches!(cell, [b'A'..=b'Z' | b'a'..=b'z', .., b'!'..=b'~']) && cell.len() > 5 && cell.len() != 18
}

/// Hashes a text that is neither null nor any of the other kinds of values, which have numbers below 5.
#[inline]
fn hash_plain(hasher: &mut impl Hasher, text: &[u8]) {
    hasher.write_u8(5);
    // The hash function does not look at lengths by itself.
    hasher.write_usize(text.len());
    hasher.write(text);
}

/// Hashes a cell as it was written by its value.
#[inline]
fn hash_written(hasher: &mut impl Hasher, cell: &[u8], scratch: &mut String) {
    // Where it has a `\r` it was written in quotes.
    if is_plain(cell) { hash_plain(hasher, cell) } else { hash_value(hasher, text_of(cell, scratch)) }
}

/// The text of a cell as it was written.
fn text_of<'a>(cell: &'a [u8], scratch: &'a mut String) -> &'a str {
    let text = std::str::from_utf8(cell).unwrap_or_default();
    let Some(quoted) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return text };
    if !quoted.contains('"') {
        return quoted;
    }
    *scratch = quoted.replace("\"\"", "\"");
    scratch
}

/// How a row is written: what tells it from others of the same key.
#[derive(Clone, Copy, Debug)]
struct Script {
    /// Its key, by the letter.
    key: u64,
    /// All of it, by value.
    row: u64,
}

/// Hashes of the keys of a job's rows, taken while they are written; 8 bytes a row.
#[derive(Debug)]
pub(super) struct Marks {
    seeds: RandomState,
    /// The columns of the key, of all that there are.
    keys: Vec<usize>,
    columns: usize,
    /// By row.
    hashes: Vec<u64>,
    /// Rows that were not sent.
    gaps: Vec<u32>,
    scratch: String,
}

impl Marks {
    pub(super) fn new(keys: Vec<usize>, columns: usize) -> Self {
        Self {
            seeds: RandomState::default(),
            keys,
            columns,
            hashes: Vec::new(),
            gaps: Vec::new(),
            scratch: String::new(),
        }
    }

    /// Takes in the row that was written last, under this number.
    #[inline]
    pub(super) fn add(&mut self, file: &CsvWriter, row: u32) {
        let mut hasher = self.seeds.build_hasher();
        for column in &self.keys {
            hash_written(&mut hasher, file.last_cell(*column), &mut self.scratch);
        }
        while self.hashes.len() < place(row) {
            self.gaps.push(number(self.hashes.len()));
            self.hashes.push(0);
        }
        self.hashes.push(hasher.finish());
    }

    /// Makes the table of the rows.
    pub(super) fn into_joined(self) -> Joined {
        let mut last: HashMap<u64, u32, BuildHasherDefault<Same>> = HashMap::default();
        last.reserve(self.hashes.len());
        let mut before = HashMap::new();
        let mut open = vec![true; self.hashes.len()];
        for gap in &self.gaps {
            if let Some(open) = open.get_mut(place(*gap)) {
                *open = false;
            }
        }
        for (row, (hash, open)) in (0..).zip(self.hashes.iter().zip(&open)) {
            if *open && let Some(known) = last.insert(*hash, row) {
                before.insert(row, known);
            }
        }
        let Self { seeds, keys, columns, hashes, scratch, .. } = self;
        let doubled = !before.is_empty();
        Joined { seeds, keys, columns, hashes, next: 0, last, before, doubled, scripts: HashMap::new(), open, scratch }
    }
}

fn place(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

/// The rows that went into a job, by the hash of their keys; 26 to 40 bytes a row, whatever the rows are.
///
/// Rows of one key stay apart: a result takes the one that is written like it, and otherwise any of them, each once. Hashes are
/// seeded by chance and have 64 bits: among a million rows two of different keys meet once in 30 million jobs.
#[derive(Debug)]
pub(super) struct Joined {
    seeds: RandomState,
    keys: Vec<usize>,
    columns: usize,
    /// By row.
    hashes: Vec<u64>,
    /// The row after the one that the last result was about: the org keeps the order of rows for stretches.
    next: usize,
    /// The last row of each key.
    last: HashMap<u64, u32, BuildHasherDefault<Same>>,
    /// The row before it with the same key, for those that have one.
    before: HashMap<u32, u32>,
    /// Whether there were any.
    doubled: bool,
    /// How these rows are written.
    scripts: HashMap<u32, Script>,
    /// Rows without a result so far.
    open: Vec<bool>,
    scratch: String,
}

/// Where the columns of a job's rows are in one of its result files.
#[derive(Debug)]
pub(super) struct Places {
    keys: Vec<usize>,
    /// All columns, if all are there.
    all: Option<Vec<usize>>,
}

impl Places {
    /// `None` where a column of the key is not there.
    pub(super) fn of(header: &Header, columns: &[String], keys: &[usize]) -> Option<Self> {
        let places: Vec<Option<usize>> = columns.iter().map(|name| header.position(name)).collect();
        let keys = keys.iter().map(|key| places.get(*key).copied().flatten()).collect::<Option<_>>()?;
        Some(Self { keys, all: places.into_iter().collect() })
    }
}

impl Joined {
    pub(super) fn keys(&self) -> &[usize] {
        &self.keys
    }

    /// Whether rows have the key of another one, so that it takes [`describe`](Self::describe) to tell them apart.
    pub(super) fn has_doubles(&self) -> bool {
        self.doubled
    }

    /// Takes in how a row is written, if it has the key of another one. The row was written last.
    pub(super) fn describe(&mut self, file: &CsvWriter, row: u32) {
        if !self.before.contains_key(&row) {
            return;
        }
        let scratch = &mut self.scratch;
        let mut key = self.seeds.build_hasher();
        for column in &self.keys {
            hash_text(&mut key, text_of(file.last_cell(*column), scratch));
        }
        let mut all = self.seeds.build_hasher();
        for column in 0..self.columns {
            hash_written(&mut all, file.last_cell(column), scratch);
        }
        self.scripts.insert(row, Script { key: key.finish(), row: all.finish() });
    }

    /// The number of the row that a result is about, which has no other result; `None` where no row is like it.
    #[inline]
    pub(super) fn take(&mut self, result: Row<'_>, places: &Places) -> Option<u32> {
        let mut hasher = self.seeds.build_hasher();
        for column in &places.keys {
            hash_value(&mut hasher, result.get(*column));
        }
        let hash = hasher.finish();
        let found = if self.hashes.get(self.next) == Some(&hash) && !self.doubled {
            number(self.next)
        } else {
            self.look_up(hash, result, places)?
        };
        let open = self.open.get_mut(place(found)).filter(|open| **open)?;
        *open = false;
        self.next = place(found) + 1;
        Some(found)
    }

    fn look_up(&mut self, hash: u64, result: Row<'_>, places: &Places) -> Option<u32> {
        let last = *self.last.get(&hash)?;
        if !self.doubled || last == NONE {
            return Some(last);
        }
        let found = if self.before.contains_key(&last) { self.likest(last, result, places) } else { last };
        if found == last {
            let before = self.before.remove(&found).unwrap_or(NONE);
            self.last.insert(hash, before);
        }
        Some(found)
    }

    /// Of rows that are alike in their key the one that is most like the result. One that is not the last of them is taken out of
    /// their chain.
    fn likest(&mut self, last: u32, result: Row<'_>, places: &Places) -> u32 {
        let mut key = self.seeds.build_hasher();
        for column in &places.keys {
            hash_text(&mut key, result.get(*column));
        }
        let all = places.all.as_ref().map(|all| {
            let mut hasher = self.seeds.build_hasher();
            for column in all {
                hash_value(&mut hasher, result.get(*column));
            }
            hasher.finish()
        });
        let this = (key.finish(), all);
        let (mut best, mut found, mut behind) = (None, last, NONE);
        let (mut next, mut next_behind) = (last, NONE);
        for _ in 0..MAX_ALIKE {
            let likeness = self.scripts.get(&next).map_or(2, |script| script.likeness(this));
            if best.is_none_or(|best| likeness > best) {
                (best, found, behind) = (Some(likeness), next, next_behind);
            }
            let Some(before) = self.before.get(&next) else { break };
            (next_behind, next) = (next, *before);
        }
        if behind != NONE {
            match self.before.remove(&found) {
                Some(before) => self.before.insert(behind, before),
                None => self.before.remove(&behind),
            };
        }
        found
    }

    /// The rows that have no result.
    pub(super) fn rest(&self) -> impl Iterator<Item = u32> {
        let open = self.open.iter().zip(0..).filter(|(open, _)| **open);
        open.map(|(_, row)| row)
    }
}

impl Script {
    /// How much a row is like a result. The first row of a key, of which nothing is known, counts 2.
    fn likeness(self, (key, row): (u64, Option<u64>)) -> u8 {
        match row {
            Some(row) if row == self.row && key == self.key => 5,
            Some(row) if row == self.row => 4,
            Some(_) => u8::from(key == self.key),
            None if key == self.key => 3,
            None => 0,
        }
    }
}

fn hash_text(hasher: &mut impl Hasher, cell: &str) {
    // The hash function does not look at lengths by itself.
    hasher.write_usize(cell.len());
    hasher.write(cell.as_bytes());
}

#[cfg(test)]
mod tests;
