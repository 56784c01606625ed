//! Record ids: 15 case-sensitive characters, or 18 with a checksum of their case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, ErrorKind, Result};

/// A suffix character for each set of capitals among five: the first of the five is the lowest bit.
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// A word of bytes that are all 1.
const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// A record's id, kept in its 18-character form.
///
/// Read from 15 or 18 characters; both forms of one id are equal. The suffix is checked, since an 18-character id in the
/// wrong case is an error to Salesforce too.
///
/// Source: Object Reference, "ID Field Type".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId([u8; 18]);

impl RecordId {
    /// Reads an id of 15 or 18 characters.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for another length, a character outside `0-9A-Za-z`, or a wrong checksum.
    #[inline]
    pub fn new(text: &str) -> Result<Self> {
        // Results have one in every row: it is copied from its text at once, not made of parts.
        match text.as_bytes().try_into() {
            Ok(long) if is_long(long) => Ok(Self(*long)),
            _ => Self::short(text.as_bytes()),
        }
    }

    /// Reads an id of 15 characters, or says what is wrong.
    fn short(text: &[u8]) -> Result<Self> {
        let (15 | 18, Some(base)) = (text.len(), text.first_chunk()) else {
            return Err(invalid("a record id has 15 or 18 characters"));
        };
        match suffix(base) {
            Some(suffix) if text.len() == 15 => {
                let mut id = [0; 18];
                id[..15].copy_from_slice(base);
                id[15..].copy_from_slice(&suffix);
                Ok(Self(id))
            }
            Some(_) if text.iter().all(u8::is_ascii_alphanumeric) => {
                Err(invalid("the last three characters do not fit the case of the others"))
            }
            _ => Err(invalid("a record id consists of letters and digits")),
        }
    }

    /// The 18-character form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII letters and digits get in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The first three characters, which tell the object (`003` is a contact). Not unique across all objects.
    #[must_use]
    pub fn key_prefix(&self) -> &str {
        &self.as_str()[..3]
    }
}

/// Which of eight characters are capitals, the first one's bit being the lowest; `None` where one is no letter or digit.
fn capitals(characters: [u8; 8]) -> Option<usize> {
    let word = u64::from_le_bytes(characters);
    // Each byte's highest bit, where the byte is ASCII: a sum does not reach the next byte then.
    let at_least = |byte: u8| (word & !(ONES << 7)) + ONES * u64::from(128 - byte);
    let within = |first: u8, last: u8| at_least(first) & !at_least(last + 1);
    let capitals = within(b'A', b'Z');
    let known = capitals | within(b'a', b'z') | within(b'0', b'9');
    if known & !word & (ONES << 7) != ONES << 7 {
        return None;
    }
    // The eight bits, moved into the highest byte.
    let bits = ((capitals >> 7) & ONES).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    usize::try_from(bits).ok()
}

/// The suffix of an id; `None` where a character is no letter or digit.
fn suffix(base: &[u8; 15]) -> Option<[u8; 3]> {
    // The second word overlaps the first one.
    let capitals = capitals(*base.first_chunk()?)? | capitals(*base.last_chunk()?)? << 7;
    Some([0, 5, 10].map(|block| SUFFIX[(capitals >> block) & 31]))
}

/// Whether this is the long form of an id.
fn is_long(id: &[u8; 18]) -> bool {
    // Byte by byte: what was just made of bytes is slow to read as a word.
    let same = |[first, second, third]: [u8; 3]| id[15] == first && id[16] == second && id[17] == third;
    id.first_chunk().and_then(suffix).is_some_and(same)
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "", message)
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RecordId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::new(&text).map_err(|error| de::Error::custom(error.message().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_recorded_ids_are_one() {
        // From recorded answers of a 2026 org.
        for id in ["001dM00003kRs59QAC", "003dM00001wBXYDQA4", "005dM00000aYf0qQAC", "00DdM00000vfgTuUAI"] {
            let long = RecordId::new(id).expect("recorded");
            let short = RecordId::new(&id[..15]).expect("its first 15 characters");
            assert_eq!(long, short);
            assert_eq!(short.as_str(), id);
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "001",
            "001dM00003kRs59QA",
            "001dM00003kRs59QAA",
            "001DM00003kRs59QAC",
            "001dM00003kRs5é",
            "001dM00003kRs5 ",
        ] {
            assert_eq!(RecordId::new(text).expect_err(text).kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn every_character_counts_at_every_place() {
        for place in 0..15 {
            for character in '\0'..='\u{ff}' {
                let mut text: Vec<char> = "a0Z9z0A5m0000Bq".chars().collect();
                text[place] = character;
                let text: String = text.into_iter().collect();
                if !character.is_ascii_alphanumeric() {
                    let error = RecordId::new(&text).expect_err(&text);
                    assert!(text.len() != 15 || error.message().contains("letters and digits"), "{text}");
                    continue;
                }
                let id = RecordId::new(&text).expect(&text);
                let capitals = |five: &[u8]| {
                    five.iter().rev().fold(0, |set, byte| set * 2 + usize::from(byte.is_ascii_uppercase()))
                };
                let suffix: String = text.as_bytes().chunks(5).map(|five| char::from(SUFFIX[capitals(five)])).collect();
                assert_eq!(id.as_str(), format!("{text}{suffix}"));
                assert_eq!(RecordId::new(id.as_str()).expect("its long form"), id);
            }
        }
    }

    #[test]
    fn a_wrong_suffix_is_told_from_one_that_is_none() {
        let told = |text| RecordId::new(text).expect_err(text).message().to_owned();
        for text in ["001dM00003kRs59AAC", "001dM00003kRs59QBC", "001dM00003kRs59QAB"] {
            assert!(told(text).contains("case"), "{text}");
        }
        for text in ["001dM00003kRs59-AC", "001dM00003kRs59Q-C", "001dM00003kRs59QA-"] {
            assert!(told(text).contains("letters and digits"), "{text}");
        }
    }
}
