//! What comes of comparing a map with an org.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::types::Direction;

/// Whether a source value and a field fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every value that the map lets through is stored as it is.
    #[default]
    Safe,
    /// Some values are changed on their way or refused by Salesforce, as the reasons say.
    Lossy,
    /// No value can be written.
    Impossible,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Safe => "safe",
            Self::Lossy => "lossy",
            Self::Impossible => "impossible",
        })
    }
}

/// The verdict on one rule in one direction, on a field that no rule writes, or on the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FieldReport {
    /// The rule's number in the map, from 1; `None` for the object, and for a field that a new record needs and no rule writes.
    pub rule: Option<usize>,
    /// Where the rule's value comes from.
    pub source: String,
    /// The field, or the object.
    pub target: String,
    /// The direction looked at; never [`Direction::Both`], which has a report for each.
    pub direction: Direction,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, and what to do about it; for a safe pair what is good to know.
    pub reasons: Vec<String>,
}

impl FieldReport {
    pub(super) fn of_object(object: &str, verdict: Verdict, reasons: Vec<String>) -> Self {
        let direction = Direction::ToSalesforce;
        Self { rule: None, source: String::new(), target: object.to_owned(), direction, verdict, reasons }
    }
}

impl fmt::Display for FieldReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.direction == Direction::FromSalesforce { "→ source" } else { "← source" };
        match self.rule {
            Some(_) => write!(f, "{} {arrow} {}: {}", self.target, self.source, self.verdict)?,
            None => write!(f, "{}: {}", self.target, self.verdict)?,
        }
        if self.reasons.is_empty() { Ok(()) } else { write!(f, " ({})", self.reasons.join("; ")) }
    }
}

/// All that a describe tells of a map, at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MapReport {
    /// The object.
    pub object: String,
    /// First what concerns the object as a whole, then each rule, then the fields that a new record needs and no rule writes.
    pub fields: Vec<FieldReport>,
}

impl MapReport {
    /// The worst verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.fields.iter().map(|field| field.verdict).max().unwrap_or_default()
    }

    /// Nothing to say against going on, or an error of all that is impossible.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] naming each field that cannot be written, and why.
    pub fn into_result(self, operation: &'static str) -> Result<()> {
        let impossible = self.fields.iter().filter(|field| field.verdict == Verdict::Impossible);
        let words: Vec<String> =
            impossible.map(|field| format!("{}: {}", field.target, field.reasons.join(", "))).collect();
        if words.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Schema, operation, words.join("; ")).with_context("object", self.object))
    }
}

impl fmt::Display for MapReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.iter().try_for_each(|field| writeln!(f, "{field}"))
    }
}
