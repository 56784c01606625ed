//! Knows rows again in a job's results, which come in another order and are written as the org has read them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
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
    hasher.write_u8(5);
    if text.contains('\r') {
        return hasher.write(text.replace("\r\n", "\n").as_bytes());
    }
    hasher.write(text.as_bytes());
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

/// The rows that went into a job, by the hash of their keys; 20 to 35 bytes a row, whatever the rows are.
///
/// Rows of one key stay apart: a result takes the one that is written like it, and otherwise any of them, each once. Hashes are
/// seeded by chance and have 64 bits: among a million rows two of different keys meet once in 30 million jobs.
#[derive(Debug)]
pub(super) struct Joined {
    seeds: RandomState,
    /// The columns of the key, of all that there are.
    keys: Vec<usize>,
    columns: usize,
    /// The last row of each key.
    last: HashMap<u64, u32, BuildHasherDefault<Same>>,
    /// The row before it with the same key, by row.
    before: Vec<u32>,
    /// Those that are not the first of their key.
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
    pub(super) fn new(keys: Vec<usize>, columns: usize) -> Self {
        Self {
            seeds: RandomState::default(),
            keys,
            columns,
            last: HashMap::default(),
            before: Vec::new(),
            scripts: HashMap::new(),
            open: Vec::new(),
            scratch: String::new(),
        }
    }

    pub(super) fn keys(&self) -> &[usize] {
        &self.keys
    }

    /// Takes in the row that was written last, under this number.
    pub(super) fn add(&mut self, file: &CsvWriter, row: u32) {
        let mut hasher = self.seeds.build_hasher();
        for column in &self.keys {
            hash_value(&mut hasher, text_of(file.last_cell(*column), &mut self.scratch));
        }
        let place = usize::try_from(row).unwrap_or(usize::MAX);
        self.before.resize(place, NONE);
        self.open.resize(place, false);
        self.open.push(true);
        match self.last.entry(hasher.finish()) {
            Entry::Vacant(entry) => {
                entry.insert(row);
                self.before.push(NONE);
            }
            Entry::Occupied(mut entry) => {
                self.before.push(entry.insert(row));
                let scratch = &mut self.scratch;
                let mut key = self.seeds.build_hasher();
                for column in &self.keys {
                    hash_text(&mut key, text_of(file.last_cell(*column), scratch));
                }
                let mut all = self.seeds.build_hasher();
                for column in 0..self.columns {
                    hash_value(&mut all, text_of(file.last_cell(column), scratch));
                }
                self.scripts.insert(row, Script { key: key.finish(), row: all.finish() });
            }
        }
    }

    /// The number of the row that a result is about, which has no other result; `None` where no row is like it.
    pub(super) fn take(&mut self, result: Row<'_>, places: &Places) -> Option<u32> {
        let mut hasher = self.seeds.build_hasher();
        for column in &places.keys {
            hash_value(&mut hasher, result.get(*column));
        }
        let last = self.last.get_mut(&hasher.finish())?;
        let at = |row: u32| usize::try_from(row).unwrap_or(usize::MAX);
        let mut found = *last;
        let before = self.before.get(at(found)).copied()?;
        if before == NONE {
            *last = NONE;
        } else {
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
            // Of rows that are alike in their key the one that is most like the result, and the row behind it in the chain.
            let (mut best, mut behind, mut next, mut next_behind) = (0, NONE, *last, NONE);
            for _ in 0..MAX_ALIKE {
                let likeness = self.scripts.get(&next).map_or(2, |script| script.likeness(this));
                if next_behind == NONE || likeness > best {
                    (best, found, behind) = (likeness, next, next_behind);
                }
                let before = self.before.get(at(next)).copied().unwrap_or(NONE);
                if before == NONE {
                    break;
                }
                (next_behind, next) = (next, before);
            }
            let before = self.before.get(at(found)).copied().unwrap_or(NONE);
            match self.before.get_mut(at(behind)) {
                Some(link) if behind != NONE => *link = before,
                _ => *last = before,
            }
        }
        if let Some(open) = self.open.get_mut(at(found)) {
            *open = false;
        }
        Some(found)
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
    hasher.write(cell.as_bytes());
    hasher.write_u8(0xff);
}

#[cfg(test)]
mod tests;
