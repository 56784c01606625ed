//! What became of a record that was to be written.

use crate::error::Error;
use crate::types::RecordId;

/// What became of one record of the input.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WrittenRow {
    /// Its number in the input, from 0.
    pub row: u64,
    /// What became of it.
    pub outcome: WriteOutcome,
}

/// What became of a record. Each has exactly one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WriteOutcome {
    /// It was written.
    Saved {
        /// The record.
        id: RecordId,
        /// Whether it is new, where the call tells: upserts do. After a lost answer that was repeated it may be false for a
        /// record that the first try created.
        created: Option<bool>,
    },
    /// It was deleted.
    Deleted,
    /// A later record of the same key stands for it, and is saved; fields that the later one leaves alone were written from this one.
    /// Where the later one is not saved, neither is this one: it has the same outcome, but for a later one that was refused, beside which
    /// this one is [`Deferred`](Self::Deferred), since it may pass alone. The context `folded_into` of the error names the later one.
    Folded {
        /// The later one's number in the input.
        into: u64,
    },
    /// It was refused for what it is: by our own checks or by Salesforce. Sending it again as it is would be refused again.
    Rejected(Error),
    /// It was not written for a reason that passes, such as a lock or an outage. It may be sent again.
    Deferred(Error),
    /// Nobody knows whether it was written: the answer was lost. Sending a creation again may make a second record; upserts, updates and
    /// deletions were repeated to no avail, and may be sent again.
    Unknown(Error),
}

impl WriteOutcome {
    /// Whether the org has the record as it was given.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Saved { .. } | Self::Deleted | Self::Folded { .. })
    }

    /// Why it is not done.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Rejected(error) | Self::Deferred(error) | Self::Unknown(error) => Some(error),
            _ => None,
        }
    }
}
