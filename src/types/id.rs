//! Record ids: 15 case-sensitive characters, or 18 with a checksum of their case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, ErrorKind, Result};

const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

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
    pub fn new(text: &str) -> Result<Self> {
        let bytes = text.as_bytes();
        if !matches!(bytes.len(), 15 | 18) {
            return Err(invalid("a record id has 15 or 18 characters"));
        }
        if !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return Err(invalid("a record id consists of letters and digits"));
        }
        let mut id = [0; 18];
        id[..15].copy_from_slice(&bytes[..15]);
        for block in 0..3 {
            id[15 + block] = SUFFIX[case_bits(&bytes[block * 5..block * 5 + 5])];
        }
        if bytes.len() == 18 && bytes[15..] != id[15..] {
            return Err(invalid("the last three characters do not fit the case of the others"));
        }
        Ok(Self(id))
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

/// Bit `j` tells whether character `j` is a capital.
fn case_bits(block: &[u8]) -> usize {
    block.iter().enumerate().map(|(bit, byte)| usize::from(byte.is_ascii_uppercase()) << bit).sum()
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
}
