//! Record ids: 15 case-sensitive characters, or 18 with a checksum of their case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, ErrorKind, Result};

/// A suffix character for each set of capitals among five: the first of the five is the lowest bit.
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

const CAPITAL: u8 = 1;
/// No letter or digit.
const OTHER: u8 = 2;

/// What each byte is.
const KINDS: [u8; 256] = {
    let mut kinds = [OTHER; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            kinds[byte as usize] = if byte.is_ascii_uppercase() { CAPITAL } else { 0 };
        }
        byte += 1;
    }
    kinds
};

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
        let (15 | 18, Some(base)) = (bytes.len(), bytes.first_chunk::<15>()) else {
            return Err(invalid("a record id has 15 or 18 characters"));
        };
        // Results have an id in every row, so this looks at each character once and decides at the end.
        let (mut kinds, mut capitals) = (0, 0_usize);
        for (place, byte) in base.iter().enumerate() {
            let kind = KINDS[usize::from(*byte)];
            kinds |= kind;
            capitals |= usize::from(kind & CAPITAL) << place;
        }
        let suffix = bytes[15..].iter().fold(0, |kinds, byte| kinds | KINDS[usize::from(*byte)]);
        if (kinds | suffix) & OTHER != 0 {
            return Err(invalid("a record id consists of letters and digits"));
        }
        let mut id = [0; 18];
        id[..15].copy_from_slice(base);
        for block in 0..3 {
            id[15 + block] = SUFFIX[(capitals >> (5 * block)) & 31];
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
