//! Which way a field's values go.

use serde::{Deserialize, Serialize};

/// Which way the values of a field go between the source and Salesforce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Salesforce is written, never the source.
    #[default]
    ToSalesforce,
    /// The source is written, never Salesforce.
    FromSalesforce,
    /// Either.
    Both,
}

impl Direction {
    /// Whether values may go to Salesforce.
    #[must_use]
    pub fn writes_salesforce(self) -> bool {
        self != Self::FromSalesforce
    }

    /// Whether values may go to the source.
    #[must_use]
    pub fn writes_source(self) -> bool {
        self != Self::ToSalesforce
    }
}
