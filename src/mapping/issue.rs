//! What mapping a record gives: the record in Salesforce's terms, or what is wrong with it.

use std::fmt;

use serde::Serialize;

use crate::types::{Record, Timestamp};

/// A source record in Salesforce's terms.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MappedRecord {
    /// The external id.
    pub key: String,
    /// When the source changed, where the map names a field for it.
    pub changed_at: Option<Timestamp>,
    /// The fields to write, the external id among them. An absent source value is an absent field.
    pub fields: Record,
}

/// What a map makes of a record.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Mapped {
    /// It is for Salesforce.
    Record(MappedRecord),
    /// It is outside the map's audience: nothing is written.
    Skipped,
}

impl Mapped {
    /// The record, unless it was skipped.
    #[must_use]
    pub fn into_record(self) -> Option<MappedRecord> {
        match self {
            Self::Record(record) => Some(record),
            Self::Skipped => None,
        }
    }
}

/// Why a value cannot go to its field. Never quotes the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MappingIssue {
    /// Path in the source record, or what the rule has in its place: `$name`, a template, a target. Empty where the record as a
    /// whole is meant.
    pub field: String,
    /// What is wrong, in a few words.
    pub reason: String,
}

impl MappingIssue {
    /// Makes an issue of a path and a reason.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl fmt::Display for MappingIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() { f.write_str(&self.reason) } else { write!(f, "{}: {}", self.field, self.reason) }
    }
}
