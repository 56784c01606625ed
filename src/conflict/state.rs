//! What is known of a record on one side.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::fields::{twice, twice_words};
use super::names::ByName;
use super::object::object;
use crate::types::{Record, RecordId, Timestamp};

/// A record as one side has it. Field names are the same on both sides: Salesforce's, as a field map gives them. Their case does
/// not count, and each side is written in its own. A field that is absent is not known.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct State {
    /// The values.
    pub values: Record,
    /// When the record changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// When fields changed, where history or change events tell.
    #[serde(skip_serializing_if = "ByName::is_empty")]
    pub field_changed_at: ByName<Timestamp>,
    /// Who made every difference from the base. Leave it out unless change events, history or the value last written prove
    /// it: the last modifier of the record alone may have touched another field than the one that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<RecordId>,
    /// Who made the difference in single fields, where that is proven; counts before `changed_by`.
    #[serde(skip_serializing_if = "ByName::is_empty")]
    pub field_changed_by: ByName<RecordId>,
    /// Where the values come from, for `source_ranking`; `salesforce` and `source` when it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Where the values of single fields come from; counts before `origin`.
    #[serde(skip_serializing_if = "ByName::is_empty")]
    pub field_origins: ByName<String>,
    /// The record was deleted; its values do not count.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// What a file says of a state: only a deleted one may leave its values out. Null is as good as left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    values: Option<Record>,
    changed_at: Option<Moment>,
    field_changed_at: Option<ByName<Option<Moment>>>,
    changed_by: Option<RecordId>,
    field_changed_by: Option<ByName<Option<RecordId>>>,
    origin: Option<String>,
    field_origins: Option<ByName<Option<String>>>,
    deleted: Option<bool>,
}

/// A date and time, or milliseconds since 1970, as bulk answers have them.
struct Moment(Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MomentVisitor;

        impl Visitor<'_> for MomentVisitor {
            type Value = Moment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date and time with offset, or milliseconds since 1970")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
                Timestamp::read(text).map(Moment).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, millis: i64) -> Result<Moment, E> {
                let moment = Timestamp::from_unix_millis(millis).map(Moment);
                moment.ok_or_else(|| E::custom("the year is outside 0 to 9999"))
            }

            fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Moment, E> {
                self.visit_i64(i64::try_from(millis).unwrap_or(i64::MAX))
            }
        }

        deserializer.deserialize_any(MomentVisitor)
    }
}

/// The names that something is said of.
fn said<T, U>(names: Option<ByName<Option<T>>>, of: impl Fn(T) -> U) -> ByName<U> {
    names.unwrap_or_default().filter_map(|thing| thing.map(&of))
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts: Parts = object(deserializer, "a side: an object with \"values\"")?;
        Self::try_from(parts).map_err(de::Error::custom)
    }
}

impl TryFrom<Parts> for State {
    type Error = Cow<'static, str>;

    fn try_from(parts: Parts) -> Result<Self, Cow<'static, str>> {
        let deleted = parts.deleted.unwrap_or_default();
        if parts.values.is_none() && !deleted {
            return Err("a side needs its \"values\", unless it is deleted".into());
        }
        if let Some(name) = parts.values.as_ref().and_then(twice) {
            return Err(twice_words(name).into());
        }
        Ok(Self {
            values: parts.values.unwrap_or_default(),
            changed_at: parts.changed_at.map(|Moment(moment)| moment),
            field_changed_at: said(parts.field_changed_at, |Moment(moment)| moment),
            changed_by: parts.changed_by,
            field_changed_by: said(parts.field_changed_by, |user| user),
            origin: parts.origin,
            field_origins: said(parts.field_origins, |origin| origin),
            deleted,
        })
    }
}

impl State {
    /// A state of these values, of which nothing more is known.
    #[must_use]
    pub fn new(values: Record) -> Self {
        Self { values, ..Self::default() }
    }

    /// The state of a record that was deleted.
    #[must_use]
    pub fn deleted() -> Self {
        Self { deleted: true, ..Self::default() }
    }

    /// The same with its stamp.
    #[must_use]
    pub fn changed_at(mut self, stamp: Timestamp) -> Self {
        self.changed_at = Some(stamp);
        self
    }

    /// The same with the author of all its differences from the base.
    #[must_use]
    pub fn changed_by(mut self, user: RecordId) -> Self {
        self.changed_by = Some(user);
        self
    }

    pub(super) fn author(&self, field: &str) -> Option<RecordId> {
        self.field_changed_by.get(field).copied().or(self.changed_by)
    }

    pub(super) fn origin(&self, field: &str) -> Option<&str> {
        self.field_origins.get(field).or(self.origin.as_ref()).map(String::as_str)
    }
}
