//! What is wrong with a map, told to people and to programs.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::types::document::Part;

/// One thing that is wrong with a map: what [`ErrorKind::Config`] says of it, taken apart.
///
/// ```
/// use sforce::mapping::{FieldMap, MapMistake};
///
/// let error = FieldMap::from_toml("version = 1\nobject = \"A\"\nkey = \"K__c\"\nrules = []").unwrap_err();
/// let [mistake] = MapMistake::all_of(&error) else { panic!("{error}") };
/// assert_eq!(mistake.line, Some(3));
/// assert_eq!(mistake.reason, "no rule has the key K__c as its target");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MapMistake {
    /// The file, if the map was read from one.
    pub file: Option<String>,
    /// The line, from 1, if it is known.
    pub line: Option<usize>,
    /// The rule's number in the map, from 1, if the mistake is in one.
    pub rule: Option<usize>,
    /// What is wrong. One that is in a named value says in which.
    pub reason: String,
    /// What the rule is called.
    #[serde(skip)]
    words: Option<String>,
}

impl MapMistake {
    pub(super) fn new(file: Option<&str>, line: Option<usize>, part: Option<Part>, reason: String) -> Self {
        let file = file.map(str::to_owned);
        match part {
            Some(Part { number: Some(rule), words }) => {
                Self { file, line, rule: Some(rule), reason, words: Some(words) }
            }
            Some(Part { number: None, words }) => {
                Self { file, line, rule: None, reason: format!("{words}: {reason}"), words: None }
            }
            None => Self { file, line, rule: None, reason, words: None },
        }
    }

    /// The mistakes that an error tells of, in the order of its message; none for one that is not about the content of a map, such
    /// as a file that cannot be read.
    #[must_use]
    pub fn all_of(error: &Error) -> &[Self] {
        let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Mistakes>());
        source.map_or(&[], |mistakes| &mistakes.0)
    }
}

impl fmt::Display for MapMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
            (Some(file), None) => write!(f, "{file}: ")?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        if let Some(words) = &self.words {
            write!(f, "{words}: ")?;
        }
        f.write_str(&self.reason)
    }
}

/// What an error of a map carries.
#[derive(Debug)]
struct Mistakes(Vec<MapMistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The message has them in words.
        let count = self.0.len();
        write!(f, "{count} {} in the map", if count == 1 { "mistake" } else { "mistakes" })
    }
}

impl std::error::Error for Mistakes {}

/// The error of a map with these mistakes.
pub(super) fn refused(mistakes: Vec<MapMistake>) -> Error {
    let words: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    Error::new(ErrorKind::Config, "field map", words.join("; ")).with_source(Mistakes(mistakes))
}
