//! How an object has changed since a map or a sync was known to fit it.

mod compare;
mod expected;

use std::fmt;

use serde::Serialize;

pub use self::compare::drift;
pub use self::expected::{ExpectedField, ExpectedFields, FieldUse};
use crate::types::{FieldType, SObjectDescribe};

/// What is seen of an object now.
#[derive(Clone, Copy, Debug)]
pub struct SeenObject<'s> {
    describe: Option<&'s SObjectDescribe>,
    defined: Option<&'s [String]>,
}

impl<'s> From<&'s SObjectDescribe> for SeenObject<'s> {
    fn from(describe: &'s SObjectDescribe) -> Self {
        Self { describe: Some(describe), defined: None }
    }
}

impl<'s> SeenObject<'s> {
    /// An object that is not there, or hidden from the user as a whole.
    #[must_use]
    pub fn gone() -> Self {
        Self { describe: None, defined: None }
    }

    pub(crate) fn describe(&self) -> Option<&'s SObjectDescribe> {
        self.describe
    }

    /// Adds the names of all fields that exist, whoever may see them, by which a hidden field is told from a deleted one: the
    /// `QualifiedApiName`s of the Tooling API's `FieldDefinition`. A describe alone does not tell.
    #[must_use]
    pub fn with_defined(self, names: &'s [String]) -> Self {
        Self { defined: Some(names), ..self }
    }
}

/// A change of an object or of one of its fields that matters to who uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DriftEvent {
    /// The object.
    pub object: String,
    /// The field, as it was called; `None` for the object as a whole.
    pub field: Option<String>,
    /// What has changed.
    pub change: Change,
    /// What that means.
    pub impact: Impact,
}

/// What a change means for what uses the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Impact {
    /// Nothing goes on: the object, or a field that is [needed](FieldUse::needed). A needed field that only takes fewer values than before
    /// goes on, and records that do not fit are refused one by one.
    Stops,
    /// The field is left out until it is back; all others go on.
    Suspends,
    /// The field goes on, but is cleared no more.
    KeepsBlanks,
    /// New records are refused; those that are there are changed as before.
    BreaksCreates,
    /// Good to know; nothing is left out.
    Told,
    /// A suspended field is as expected again, and taken in again.
    Lifts,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Change {
    /// The object is not there any more, or hidden from the user.
    ObjectGone,
    /// The user may no longer create or change records.
    ObjectReadOnly {
        /// Create.
        creates: bool,
        /// Change.
        updates: bool,
    },
    /// The field was deleted: it is known not to exist.
    Deleted,
    /// The field exists, and the user may no longer see it.
    Hidden,
    /// The field was deleted or hidden: a describe does not tell which.
    Unseen,
    /// The field is no longer seen, and others that look like it were not there before: it may have been renamed. A guess, which
    /// nothing applies by itself; where there are several, each may be the one, or none.
    Renamed {
        /// The likeliest first; at most five.
        candidates: Vec<RenameCandidate>,
    },
    /// It has another type.
    Retyped {
        /// Before.
        from: FieldType,
        /// Now.
        to: FieldType,
    },
    /// It holds less: characters, or digits before or after the point.
    Shrunk {
        /// Before: `255`, or `16.2` of a number.
        from: String,
        /// Now.
        to: String,
    },
    /// The user may no longer set it in new records, or change it.
    ReadOnly {
        /// In new records.
        creates: bool,
        /// In records that are there.
        updates: bool,
    },
    /// It is computed now: a formula, a roll-up summary or an auto-number, which nobody can write. It can still be read.
    Computed,
    /// It may be blank no more.
    Required,
    /// A field that nothing writes is needed by new records.
    NewRequired,
    /// Values of the picklist are gone or inactive.
    ValuesGone {
        /// Those that were counted on.
        values: Vec<String>,
        /// Values outside the list are refused.
        restricted: bool,
    },
    /// Values outside the list are refused now.
    Restricted,
    /// It leads to other objects.
    ReferenceChanged {
        /// Before.
        from: Vec<String>,
        /// Now.
        to: Vec<String>,
    },
    /// What is written no longer fits, for a reason that a check of the map gives.
    Unfit {
        /// The reason.
        reason: String,
    },
    /// It is as expected again.
    Back,
}

/// A field that may be the new name of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RenameCandidate {
    /// API name.
    pub field: String,
    /// It has the label of the field that is gone.
    pub same_label: bool,
    /// It has its length, or its digits.
    pub same_length: bool,
}

impl DriftEvent {
    /// An event of a field.
    #[must_use]
    pub fn of_field(object: &str, field: &str, change: Change, impact: Impact) -> Self {
        Self { object: object.to_owned(), field: Some(field.to_owned()), change, impact }
    }

    fn of_object(object: &str, change: Change, impact: Impact) -> Self {
        Self { object: object.to_owned(), field: None, change, impact }
    }

    /// What to do about it, for an admin or for who owns the map.
    #[must_use]
    pub fn remedy(&self) -> String {
        let object = &self.object;
        let fields = format!("Setup > Object Manager > {object} > Fields & Relationships");
        match &self.change {
            Change::ObjectGone => format!("restore {object}, or give the user a right to read it"),
            Change::ObjectReadOnly { .. } => format!(
                "give the user the rights: Setup > Permission Sets > (the integration's) > Object Settings > {object}"
            ),
            Change::Deleted => {
                format!("restore it: {fields} > Deleted Fields (for 15 days), or take it out of the map")
            }
            Change::Hidden => format!("make it visible to the user: {fields} > (field) > Set Field-Level Security"),
            Change::Unseen => format!(
                "make it visible to the user if it is there: {fields} > (field) > Set Field-Level Security; else take it out of the map"
            ),
            Change::Renamed { .. } => {
                "if one of these is the field, put its name in the map; else take the field out".into()
            }
            Change::Retyped { .. } | Change::Shrunk { .. } | Change::ReferenceChanged { .. } | Change::Unfit { .. } => {
                format!("fit the map to it and accept the new shape, or change it back: {fields}")
            }
            Change::ReadOnly { .. } => {
                format!("make it editable for the user: {fields} > (field) > Set Field-Level Security")
            }
            Change::Computed => {
                format!("take it out of what the map writes, or put a field in its place that can be written: {fields}")
            }
            Change::Required => "see to it that the source always has a value, or give the rule a default".into(),
            Change::NewRequired => {
                format!("add a rule for it to the map, or make it optional or give it a default: {fields}")
            }
            Change::ValuesGone { .. } | Change::Restricted => {
                format!("put the values back on the list, or fit the map's values to it: {fields} > (field) > Values")
            }
            Change::Back => "nothing".into(),
        }
    }
}

impl fmt::Display for RenameCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match (self.same_label, self.same_length) {
            (true, true) => "same label, type and length",
            (true, false) => "same label and type",
            (false, _) => "same type and length",
        };
        write!(f, "{} ({why})", self.field)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rights = |creates: bool, updates: bool| match (creates, updates) {
            (true, true) => "set or change",
            (true, false) => "set in new records",
            _ => "change",
        };
        match self {
            Self::ObjectGone => f.write_str("the object is gone, or hidden from the user"),
            Self::ObjectReadOnly { creates, updates } => {
                let what = if *creates && *updates {
                    "create or change"
                } else if *creates {
                    "create"
                } else {
                    "change"
                };
                write!(f, "the user may no longer {what} records")
            }
            Self::Deleted => f.write_str("deleted"),
            Self::Hidden => f.write_str("hidden from the user by field-level security"),
            Self::Unseen => f.write_str("deleted, or hidden from the user by field-level security"),
            Self::Renamed { candidates } => {
                let names: Vec<String> = candidates.iter().map(ToString::to_string).collect();
                let may = if names.len() == 1 { "it may be" } else { "it may be one of, or none of," };
                write!(f, "deleted, hidden or renamed: {may} {}", names.join(", "))
            }
            Self::Retyped { from, to } => write!(f, "its type was {} and is {}", type_name(from), type_name(to)),
            Self::Shrunk { from, to } => write!(f, "it held {from} and holds {to}"),
            Self::ReadOnly { creates, updates } => {
                write!(f, "the user may no longer {} it", rights(*creates, *updates))
            }
            Self::Computed => f.write_str("it is computed now, and nobody can write it"),
            Self::Required => f.write_str("it may be blank no more"),
            Self::NewRequired => f.write_str("new records need it, and nothing writes it"),
            Self::ValuesGone { values, restricted } => {
                let refused = if *restricted { ", and others are refused" } else { "" };
                write!(f, "values are no longer on its list: {}{refused}", values.join(", "))
            }
            Self::Restricted => f.write_str("values outside its list are refused now"),
            Self::ReferenceChanged { from, to } => {
                write!(f, "it led to {} and leads to {}", from.join(", "), to.join(", "))
            }
            Self::Unfit { reason } => f.write_str(reason),
            Self::Back => f.write_str("it is as expected again"),
        }
    }
}

/// The type as describe spells it.
fn type_name(field_type: &FieldType) -> String {
    let json = serde_json::to_value(field_type).ok();
    json.as_ref().and_then(serde_json::Value::as_str).unwrap_or("another").to_owned()
}

impl fmt::Display for DriftEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{}.{field}: {}", self.object, self.change),
            None => write!(f, "{}: {}", self.object, self.change),
        }
    }
}
