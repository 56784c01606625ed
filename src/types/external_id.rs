//! A record addressed by a key of ours.

use super::FieldName;

/// A field marked as external id and a value of it: how we name a record whose Salesforce id we do not know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExternalId {
    /// The field; it has `externalId` or `idLookup` in describe.
    pub field: FieldName,
    /// The value; not blank.
    pub value: String,
}

impl ExternalId {
    /// Puts a field and a value together.
    pub fn new(field: FieldName, value: impl Into<String>) -> Self {
        Self { field, value: value.into() }
    }
}
