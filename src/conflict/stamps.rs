//! Which of two values is older.

use super::decision::Reason;
use super::policy::{Recency, Side};
use super::state::State;
use crate::types::{Timestamp, Value};

/// When a side's value of a field changed, as far as it is known.
pub(super) fn stamp(state: &State, field: &str, recency: &Recency) -> Option<Timestamp> {
    if let Some(stamp) = state.field_changed_at.get(field) {
        return Some(*stamp);
    }
    match &recency.stamp_field {
        Some(stamp_field) => state.values.get(stamp_field).and_then(moment),
        None => state.changed_at,
    }
}

/// A day begins at midnight UTC.
fn moment(value: &Value) -> Option<Timestamp> {
    value.to_timestamp().or_else(|| Timestamp::parse(&format!("{}T00:00:00Z", value.to_date()?)).ok())
}

/// The side whose value is younger, and why. A missing stamp is older than any.
pub(super) fn younger(source: Option<Timestamp>, remote: Option<Timestamp>, recency: &Recency) -> (Side, Reason) {
    match (source, remote) {
        (None, None) => (recency.tie, Reason::Tie),
        (Some(_), None) => (Side::Source, Reason::SalesforceHasNoStamp),
        (None, Some(_)) => (Side::Salesforce, Reason::SourceHasNoStamp),
        (Some(source), Some(remote)) => {
            let apart = source.unix_millis().abs_diff(remote.unix_millis());
            if apart <= recency.skew_millis {
                (recency.tie, Reason::Tie)
            } else if source > remote {
                (Side::Source, Reason::SourceYounger)
            } else {
                (Side::Salesforce, Reason::SalesforceYounger)
            }
        }
    }
}

/// The side whose value is older, and why. A missing stamp loses here too.
pub(super) fn older(source: Option<Timestamp>, remote: Option<Timestamp>, recency: &Recency) -> (Side, Reason) {
    match younger(source, remote, recency) {
        (_, Reason::SourceYounger) => (Side::Salesforce, Reason::SalesforceOlder),
        (_, Reason::SalesforceYounger) => (Side::Source, Reason::SourceOlder),
        tie_or_missing => tie_or_missing,
    }
}
