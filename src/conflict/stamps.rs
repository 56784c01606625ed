//! Which of two values is older.

use super::decision::Reason;
use super::policy::{Recency, Side};
use super::state::State;
use super::values::{in_any_case, is_blank};
use crate::types::{Timestamp, Value};

/// When a side's value of a field changed, as far as it is known.
pub(super) fn stamp(state: &State, field: &str, recency: &Recency) -> Stamp {
    if let Some(stamp) = state.field_changed_at.get(field) {
        return Stamp::At(*stamp);
    }
    match &recency.stamp_field {
        None => state.changed_at.map_or(Stamp::Missing, Stamp::At),
        Some(stamp_field) => match in_any_case(&state.values, stamp_field) {
            Some(value) if !is_blank(value) => moment(value).map_or(Stamp::Unreadable, Stamp::At),
            _ => Stamp::Missing,
        },
    }
}

/// When a value changed.
#[derive(Clone, Copy)]
pub(super) enum Stamp {
    /// At this moment.
    At(Timestamp),
    /// Nobody says.
    Missing,
    /// What should say it is no moment.
    Unreadable,
}

impl Stamp {
    pub(super) fn moment(self) -> Option<Timestamp> {
        if let Self::At(moment) = self { Some(moment) } else { None }
    }
}

/// A day begins at midnight UTC; a number is milliseconds since 1970, as bulk answers have them.
fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(millis) => millis.to_string().parse().ok().and_then(Timestamp::from_unix_millis),
        _ => value.to_timestamp().or_else(|| Timestamp::parse(&format!("{}T00:00:00Z", value.to_date()?)).ok()),
    }
}

/// The side whose value is younger, and why. A missing stamp is older than any.
pub(super) fn younger(source: Stamp, remote: Stamp, recency: &Recency) -> (Side, Reason) {
    match (source, remote) {
        (Stamp::At(_), Stamp::Missing) => (Side::Source, Reason::SalesforceHasNoStamp),
        (Stamp::At(_), Stamp::Unreadable) => (Side::Source, Reason::SalesforceStampUnreadable),
        (Stamp::Missing, Stamp::At(_)) => (Side::Salesforce, Reason::SourceHasNoStamp),
        (Stamp::Unreadable, Stamp::At(_)) => (Side::Salesforce, Reason::SourceStampUnreadable),
        (Stamp::Missing | Stamp::Unreadable, Stamp::Missing | Stamp::Unreadable) => (recency.tie, Reason::NoStamps),
        (Stamp::At(source), Stamp::At(remote)) => {
            if source.nanos_apart(remote) <= u128::from(recency.skew_millis) * 1_000_000 {
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
pub(super) fn older(source: Stamp, remote: Stamp, recency: &Recency) -> (Side, Reason) {
    match younger(source, remote, recency) {
        (_, Reason::SourceYounger) => (Side::Salesforce, Reason::SalesforceOlder),
        (_, Reason::SalesforceYounger) => (Side::Source, Reason::SourceOlder),
        tie_or_missing => tie_or_missing,
    }
}
