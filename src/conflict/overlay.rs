//! Values that are ours alone.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use crate::types::Record;

/// Values that a product lays over a record for its own use, such as a probability that a forecast assumes. They never reach
/// Salesforce: they are no part of any [`State`](super::State), so no resolution can write them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Overlay(Record);

impl Overlay {
    /// Lays these values over a record.
    #[must_use]
    pub fn new(values: Record) -> Self {
        Self(values)
    }

    /// The values laid over.
    #[must_use]
    pub fn values(&self) -> &Record {
        &self.0
    }

    /// The record as the product sees it.
    #[must_use]
    pub fn over(&self, record: &Record) -> Record {
        let mut seen = record.clone();
        let mut known = Fields::new(record);
        for (name, value) in self.0.entries() {
            let name = known.get(name).map_or(name, |(name, _)| name);
            seen.set(std::sync::Arc::clone(name), value.clone());
        }
        seen
    }
}
