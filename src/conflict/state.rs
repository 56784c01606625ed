//! What is known of a record on one side.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::types::{Record, RecordId, Timestamp};

/// A record as one side has it. Field names are the same on both sides, spelt the same: Salesforce's, as a field map gives
/// them. A field that is absent is not known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
#[non_exhaustive]
pub struct State {
    /// The values.
    pub values: Record,
    /// When the record changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// When fields changed, where history or change events tell.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub field_changed_at: BTreeMap<String, Timestamp>,
    /// Who made every difference from the base. Leave it out unless change events, history or the value last written prove
    /// it: the last modifier of the record alone may have touched another field than the one that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<RecordId>,
    /// Who made the difference in single fields, where that is proven; counts before `changed_by`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub field_changed_by: BTreeMap<String, RecordId>,
    /// Where the values come from, for `source_ranking`; `salesforce` and `source` when it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Where the values of single fields come from; counts before `origin`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub field_origins: BTreeMap<String, String>,
    /// The record was deleted; its values do not count.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// What a file says of a state: only a deleted one may leave its values out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    values: Option<Record>,
    changed_at: Option<Timestamp>,
    #[serde(default)]
    field_changed_at: BTreeMap<String, Timestamp>,
    changed_by: Option<RecordId>,
    #[serde(default)]
    field_changed_by: BTreeMap<String, RecordId>,
    origin: Option<String>,
    #[serde(default)]
    field_origins: BTreeMap<String, String>,
    #[serde(default)]
    deleted: bool,
}

impl TryFrom<Parts> for State {
    type Error = &'static str;

    fn try_from(parts: Parts) -> Result<Self, &'static str> {
        let Parts {
            values,
            changed_at,
            field_changed_at,
            changed_by,
            field_changed_by,
            origin,
            field_origins,
            deleted,
        } = parts;
        if values.is_none() && !deleted {
            return Err("a side needs its \"values\", unless it is deleted");
        }
        let values = values.unwrap_or_default();
        Ok(Self { values, changed_at, field_changed_at, changed_by, field_changed_by, origin, field_origins, deleted })
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
