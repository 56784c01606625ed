//! What a map or a sync counts on, to be compared with the org later.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{DriftEvent, Impact};
use crate::types::{FieldDescribe, FieldType, SObjectDescribe};

/// The format of a stored snapshot.
const VERSION: u32 = 1;

/// How a field is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing by itself")]
pub struct FieldUse {
    /// Its value is read.
    pub reads: bool,
    /// It is set in new records.
    pub creates: bool,
    /// It is changed in records that are there.
    pub updates: bool,
    /// Nothing goes on without it, such as the key.
    pub needed: bool,
}

impl FieldUse {
    /// Read and not written.
    pub const READ: Self = Self { reads: true, creates: false, updates: false, needed: false };

    /// Read, set and changed.
    pub const WRITE: Self = Self { reads: true, creates: true, updates: true, needed: false };

    /// The same of a field that nothing goes on without.
    #[must_use]
    pub fn needed(self) -> Self {
        Self { needed: true, ..self }
    }

    pub(super) fn writes(self) -> bool {
        self.creates || self.updates
    }

    fn and(self, other: Self) -> Self {
        Self {
            reads: self.reads || other.reads,
            creates: self.creates || other.creates,
            updates: self.updates || other.updates,
            needed: self.needed || other.needed,
        }
    }
}

/// What an object was like when it was last known to fit: the fields in use with their shape, and what else a comparison needs.
///
/// Data: keep it as JSON (a few kilobytes, also for objects with hundreds of fields) and compare it with the object's describe by
/// [`drift`](super::drift).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExpectedFields {
    /// The format, 1; another one is not read.
    #[serde(deserialize_with = "known_version")]
    pub version: u32,
    /// The object.
    pub object: String,
    /// Records of it are created.
    pub creates: bool,
    /// The fields in use.
    pub fields: Vec<ExpectedField>,
    /// Fields that a new record needed then already.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub required: BTreeSet<String>,
    /// The names of all fields of then, in lower case: one of them is no new name of another.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub known: BTreeSet<String>,
    /// The fields that are suspended, or cleared no more, in lower case: once they are as expected again, that is told.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub suspended: BTreeSet<String>,
}

/// The shape of a field in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "a describe is a list of flags")]
pub struct ExpectedField {
    /// API name.
    pub name: String,
    /// Label.
    pub label: String,
    /// The type.
    pub field_type: FieldType,
    /// Characters of text.
    #[serde(default)]
    pub length: u32,
    /// Digits before the point of a number.
    #[serde(default)]
    pub whole: u32,
    /// Digits after it.
    #[serde(default)]
    pub scale: u32,
    /// May be null.
    pub nillable: bool,
    /// A create without it was refused.
    pub required: bool,
    /// The user could set it in new records.
    pub createable: bool,
    /// The user could change it.
    pub updateable: bool,
    /// Values outside the list were refused.
    #[serde(default)]
    pub restricted: bool,
    /// Values of a picklist that are counted on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Objects it could lead to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_to: Vec<String>,
    /// How it is used.
    pub usage: FieldUse,
}

impl ExpectedField {
    fn of(field: &FieldDescribe, usage: FieldUse, values: Option<&[String]>) -> Self {
        let active = field.picklist_values.iter().filter(|value| value.active).map(|value| &value.value);
        let counted = |value: &&String| values.is_none_or(|values| values.contains(value));
        Self {
            name: field.name.clone(),
            label: field.label.clone(),
            field_type: field.field_type.clone(),
            length: field.length,
            whole: whole_digits(field),
            scale: field.scale,
            nillable: field.nillable,
            required: field.required_on_create(),
            createable: field.createable,
            updateable: field.updateable,
            restricted: field.restricted_picklist,
            values: active.filter(counted).cloned().collect(),
            reference_to: field.reference_to.clone(),
            usage,
        }
    }
}

/// What a later format means is not to be guessed: fields that it leaves out would be lifted.
fn known_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let version = u32::deserialize(deserializer)?;
    if version == VERSION {
        return Ok(version);
    }
    Err(de::Error::custom(format_args!("version {version} of the format is not known, {VERSION} is")))
}

/// Digits before the point.
pub(super) fn whole_digits(field: &FieldDescribe) -> u32 {
    field.digits.max(field.precision.saturating_sub(field.scale))
}

impl ExpectedFields {
    /// What an object is like now, with no field in use yet. Say by [`uses`](Self::uses) which are.
    #[must_use]
    pub fn of(describe: &SObjectDescribe, creates: bool) -> Self {
        let required = describe.fields.iter().filter(|field| field.required_on_create());
        Self {
            version: VERSION,
            object: describe.name.clone(),
            creates,
            fields: Vec::new(),
            required: required.map(|field| field.name.clone()).collect(),
            known: describe.fields.iter().map(|field| field.name.to_ascii_lowercase()).collect(),
            suspended: BTreeSet::new(),
        }
    }

    /// Adds a field in use, in the shape it has; several uses of one field count together. A field that is not in the describe is left
    /// out: what was never there cannot get lost.
    #[must_use]
    pub fn uses(self, describe: &SObjectDescribe, field: &str, usage: FieldUse) -> Self {
        self.counts_on(describe, field, usage, None)
    }

    /// As [`uses`](Self::uses), of a picklist only some of whose values are written; `None` counts on all of the list.
    #[must_use]
    pub fn counts_on(
        mut self,
        describe: &SObjectDescribe,
        field: &str,
        usage: FieldUse,
        values: Option<&[String]>,
    ) -> Self {
        let Some(field) = describe.field(field) else { return self };
        let new = ExpectedField::of(field, usage, values);
        match self.fields.iter_mut().find(|known| known.name == new.name) {
            Some(known) => {
                known.usage = known.usage.and(usage);
                let more = new.values.into_iter().filter(|value| !known.values.contains(value)).collect::<Vec<_>>();
                known.values.extend(more);
            }
            None => self.fields.push(new),
        }
        self
    }

    /// The field in use of that name; names compare without regard to case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&ExpectedField> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// Whether a field is suspended, or cleared no more.
    #[must_use]
    pub fn is_suspended(&self, field: &str) -> bool {
        self.suspended.contains(&field.to_ascii_lowercase())
    }

    /// Notes which fields events have suspended or lifted, so that the next comparison can tell what is back.
    pub fn note(&mut self, events: &[DriftEvent]) {
        for event in events {
            let Some(field) = event.field.as_ref().map(|field| field.to_ascii_lowercase()) else { continue };
            match event.impact {
                Impact::Suspends | Impact::KeepsBlanks => {
                    self.suspended.insert(field);
                }
                Impact::Lifts => {
                    self.suspended.remove(&field);
                }
                _ => {}
            }
        }
    }

    /// What is expected from now on: the fields that fit are taken as they are now, by a new snapshot of the same uses, and those that are
    /// suspended as they were.
    pub(crate) fn renewed_by(self, new: Self, used: impl Fn(&str) -> bool) -> Self {
        // What new records need is told until somebody accepts it.
        if self.suspended.is_empty() {
            return Self { required: self.required, ..new };
        }
        let fits = new.fields.into_iter().filter(|field| !self.is_suspended(&field.name));
        let kept = self.fields.iter().filter(|field| self.is_suspended(&field.name) && used(&field.name));
        let fields = fits.chain(kept.cloned()).collect();
        let suspended = self.suspended.iter().filter(|field| used(field)).cloned().collect();
        // What was there before they were lost is no new name of theirs.
        Self { fields, suspended, creates: new.creates, ..self }
    }

    /// Takes a field as it is now for what is expected, once a person has looked at the change; one that new records need for one that
    /// they have always needed. Nothing where the field is not in the describe.
    pub fn accept(&mut self, describe: &SObjectDescribe, field: &str) {
        let Some(seen) = describe.field(field) else { return };
        if seen.required_on_create() {
            self.required.insert(seen.name.clone());
        }
        self.suspended.remove(&field.to_ascii_lowercase());
        for known in self.fields.iter_mut().filter(|known| known.name.eq_ignore_ascii_case(field)) {
            *known = ExpectedField::of(seen, known.usage, None);
        }
    }
}
