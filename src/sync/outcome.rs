//! What became of a source record.

use serde::Serialize;

use crate::error::Error;
use crate::mapping::MappingIssue;
use crate::types::RecordId;

/// What became of a source record. Each has exactly one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The map refuses it; all issues at once. Nothing was sent.
    Invalid(Vec<MappingIssue>),
    /// It is outside the map's audience. Nothing was sent.
    Skipped,
    /// The org has no record of its key, and the map creates none. Nothing was sent.
    NotCreated,
    /// A later or newer record of the same window stands for it. Where that one was refused or deferred, this one is
    /// [`Deferred`](Self::Deferred), since it may pass alone; the context `folded_into` of its error is the other one's place in the
    /// window.
    Folded,
    /// A record was created.
    Created(RecordId),
    /// A record was changed.
    Updated(RecordId),
    /// The org has the values already, or newer ones; a record without a stamp counts as older than one with.
    Unchanged(RecordId),
    /// Salesforce refused it for what it is; sending it again as it is would be refused again.
    Rejected(Error),
    /// It was not written for a reason that passes, such as a lock or an outage; send it again later.
    Deferred(Error),
}

/// How many records had which outcome. The sum of all but `read` and `withheld` is `read`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// Records taken in.
    pub read: u64,
    /// See [`Outcome::Invalid`].
    pub invalid: u64,
    /// See [`Outcome::Skipped`]. Left out of JSON where it is 0: most maps are for all records.
    #[serde(skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// See [`Outcome::NotCreated`]. Left out of JSON where it is 0: most maps create.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_created: u64,
    /// See [`Outcome::Folded`].
    pub folded: u64,
    /// See [`Outcome::Created`].
    pub created: u64,
    /// See [`Outcome::Updated`].
    pub updated: u64,
    /// See [`Outcome::Unchanged`].
    pub unchanged: u64,
    /// See [`Outcome::Rejected`].
    pub failed: u64,
    /// See [`Outcome::Deferred`].
    pub deferred: u64,
    /// Records that are in the org now without fields that are suspended ([`Push::drift`](super::Push::drift)), though they have values for them;
    /// they count among created, updated and unchanged. Left out of JSON where it is 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub withheld: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Totals {
    /// Counts one record's outcome.
    pub fn count(&mut self, outcome: &Outcome) {
        self.read += 1;
        *match outcome {
            Outcome::Invalid(_) => &mut self.invalid,
            Outcome::Skipped => &mut self.skipped,
            Outcome::NotCreated => &mut self.not_created,
            Outcome::Folded => &mut self.folded,
            Outcome::Created(_) => &mut self.created,
            Outcome::Updated(_) => &mut self.updated,
            Outcome::Unchanged(_) => &mut self.unchanged,
            Outcome::Rejected(_) => &mut self.failed,
            Outcome::Deferred(_) => &mut self.deferred,
        } += 1;
    }
}
