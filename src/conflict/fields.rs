//! Finds the fields of a record by name, in any case, as Salesforce does.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::error::{Error, ErrorKind, Result};
use crate::types::{Record, Value};

/// Up to so many fields a record is searched one by one, which is faster than a table for it.
const FEW: usize = 16;

/// The fields of one record by name, however many there are: for those who ask for all of them.
///
/// Costs nothing for a record of up to 16 fields, and one table when the first field of a longer one is not where the last
/// one was found: who asks in the order of the record needs none.
pub(super) struct Fields<'a> {
    entries: &'a [(Arc<str>, Value)],
    next: usize,
    places: Option<HashMap<Folded<'a>, usize, RandomState>>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(record: &'a Record) -> Self {
        Self { entries: record.entries(), next: 0, places: None }
    }

    /// The field as the record spells it, and its value; `None` when it is absent.
    #[inline]
    pub(super) fn get(&mut self, name: &str) -> Option<Named<'a>> {
        let place = match self.entries.get(self.next) {
            Some((field, _)) if **field == *name => self.next,
            _ => self.search(name)?,
        };
        self.next = place + 1;
        Some(&self.entries[place])
    }

    pub(super) fn has(&mut self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether no field before this one has the same name in another case.
    #[inline]
    pub(super) fn is_first(&mut self, place: usize) -> bool {
        let (name, _) = &self.entries[place];
        if self.entries.len() <= FEW {
            return !self.entries[..place].iter().any(|(field, _)| field.eq_ignore_ascii_case(name));
        }
        self.search(name) == Some(place)
    }

    fn search(&mut self, name: &str) -> Option<usize> {
        if self.entries.len() <= FEW {
            return self.entries.iter().position(|(field, _)| field.eq_ignore_ascii_case(name));
        }
        let fields = self.entries;
        let places = self.places.get_or_insert_with(|| {
            let mut places = HashMap::with_capacity_and_hasher(fields.len(), RandomState::default());
            for (place, (field, _)) in fields.iter().enumerate() {
                places.entry(Folded(field)).or_insert(place);
            }
            places
        });
        places.get(&Folded(name)).copied()
    }
}

/// A field as a record spells it, and its value there.
pub(super) type Named<'a> = &'a (Arc<str>, Value);

/// One field with what each of three records has of it.
pub(super) struct Row<'a> {
    pub(super) name: &'a Arc<str>,
    pub(super) sides: [Option<Named<'a>>; 3],
}

/// The fields of three records, each once: those of the first one in its order, then those that only a later one has.
///
/// Allocates a list, and one table where a record has more than a few fields.
pub(super) fn side_by_side(records: [Option<&Record>; 3]) -> Vec<Row<'_>> {
    let longest = records.into_iter().flatten().map(Record::len).max().unwrap_or_default();
    let mut rows: Vec<Row<'_>> = Vec::with_capacity(longest);
    let table = || HashMap::with_capacity_and_hasher(longest, RandomState::default());
    let mut places: Option<HashMap<Folded<'_>, usize, RandomState>> = (longest > FEW).then(table);
    for (side, record) in records.into_iter().enumerate() {
        let mut next = 0;
        for field in record.map(Record::entries).unwrap_or_default() {
            let (name, _) = field;
            // Records mostly have their fields in one order.
            let guessed = side > 0 && rows.get(next).is_some_and(|row| **row.name == **name);
            let known = match (guessed, &mut places) {
                (true, _) => Some(next),
                (false, None) => rows.iter().position(|row| row.name.eq_ignore_ascii_case(name)),
                (false, Some(places)) => match places.entry(Folded(name)) {
                    Entry::Occupied(place) => Some(*place.get()),
                    Entry::Vacant(place) => {
                        place.insert(rows.len());
                        None
                    }
                },
            };
            let place = known.unwrap_or_else(|| {
                rows.push(Row { name, sides: [None; 3] });
                rows.len() - 1
            });
            next = place + 1;
            // Of a name that stands twice in a record, in two cases, the first one counts.
            rows[place].sides[side].get_or_insert(field);
        }
    }
    rows
}

/// A name whose case does not count.
struct Folded<'a>(&'a str);

impl PartialEq for Folded<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Folded<'_> {}

impl Hash for Folded<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for bytes in self.0.as_bytes().chunks(8) {
            let mut word = [0; 8];
            for (folded, byte) in word.iter_mut().zip(bytes) {
                *folded = byte.to_ascii_lowercase();
            }
            state.write_u64(u64::from_le_bytes(word));
        }
    }
}

/// Refuses a record with a field that stands in it twice, in different cases: [`resolve`](super::resolve) counts one of the two
/// only. A [`State`](super::State) that is read from a file is checked by itself; a base is not.
///
/// # Errors
///
/// [`ErrorKind::Invalid`] with the name.
pub fn check_names(values: &Record) -> Result<()> {
    match twice(values) {
        None => Ok(()),
        Some(name) => Err(Error::new(ErrorKind::Invalid, "conflict", twice_words(name))),
    }
}

/// The first field whose name stood in the record before.
pub(super) fn twice(values: &Record) -> Option<&str> {
    let mut fields = Fields::new(values);
    let place = (0..values.len()).find(|place| !fields.is_first(*place))?;
    Some(&*values.entries()[place].0)
}

pub(super) fn twice_words(name: &str) -> String {
    format!("the field {name:?} occurs twice, in different cases")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_any_case_and_order_however_many_there_are() {
        for count in [3, FEW, FEW + 1, 200] {
            let mut record = Record::new();
            for number in 0..count {
                record.set(format!("Field_With_A_Long_Name_{number}__c"), number.to_string());
            }
            let mut fields = Fields::new(&record);
            for number in (0..count).rev().chain(0..count) {
                let (name, value) = fields.get(&format!("FIELD_with_a_long_NAME_{number}__C")).expect("there");
                assert_eq!(**name, format!("Field_With_A_Long_Name_{number}__c"));
                assert_eq!(value.as_text(), Some(&*number.to_string()));
                assert!(fields.is_first(number));
            }
            assert!(!fields.has("Field__c") && !fields.has(""));
            assert!(check_names(&record).is_ok());
            let error = check_names(&record.with("field_with_a_long_name_2__c", 1_u32)).expect_err("twice").to_string();
            assert!(error.contains("field_with_a_long_name_2__c"), "{error}");
        }
    }
}
