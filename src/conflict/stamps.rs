//! Which of two values is older.

use std::cell::Cell;

use super::decision::Reason;
use super::policy::{Recency, Side};
use super::state::State;
use super::values::{in_any_case, is_blank};
use crate::types::{Timestamp, Value};

/// Both sides, and the stamps that were last read from a field of theirs: mostly all fields of a record name the same one.
pub(super) struct Sides<'a> {
    pub(super) source: &'a State,
    pub(super) remote: &'a State,
    named: Cell<Option<(&'a str, [Stamp; 2])>>,
}

impl<'a> Sides<'a> {
    pub(super) fn new(source: &'a State, remote: &'a State) -> Self {
        Self { source, remote, named: Cell::new(None) }
    }

    /// When each side's value of a field changed, as far as it is known: the source's, then the remote's.
    pub(super) fn stamps(&self, field: &str, recency: &'a Recency) -> [Stamp; 2] {
        let of_record = match &recency.stamp_field {
            None => [self.source, self.remote].map(|side| side.changed_at.map_or(Stamp::Missing, Stamp::At)),
            Some(stamp_field) => self.named(stamp_field),
        };
        let of_field = [self.source, self.remote].map(|side| side.field_changed_at.get(field).copied().map(Stamp::At));
        [of_field[0].unwrap_or(of_record[0]), of_field[1].unwrap_or(of_record[1])]
    }

    fn named(&self, stamp_field: &'a str) -> [Stamp; 2] {
        if let Some((_, stamps)) = self.named.get().filter(|(known, _)| *known == stamp_field) {
            return stamps;
        }
        let stamps = [self.source, self.remote].map(|side| match in_any_case(&side.values, stamp_field) {
            Some(value) if !is_blank(value) => moment(value).map_or(Stamp::Unreadable, Stamp::At),
            _ => Stamp::Missing,
        });
        self.named.set(Some((stamp_field, stamps)));
        stamps
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
pub(super) fn younger([source, remote]: [Stamp; 2], recency: &Recency) -> (Side, Reason) {
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
pub(super) fn older(stamps: [Stamp; 2], recency: &Recency) -> (Side, Reason) {
    match younger(stamps, recency) {
        (_, Reason::SourceYounger) => (Side::Salesforce, Reason::SalesforceOlder),
        (_, Reason::SalesforceYounger) => (Side::Source, Reason::SourceOlder),
        tie_or_missing => tie_or_missing,
    }
}
