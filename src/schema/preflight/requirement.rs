//! What a job needs of an org and its user, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::metadata::FieldKind;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{DesiredSchema, Severity};
use crate::types::{FieldName, SObjectName};

/// All that a job needs. Write it to a file with serde, or build it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RequirementSet {
    /// What the job is called in reports.
    pub name: String,
    /// System permissions.
    pub permissions: Vec<PermissionRequirement>,
    /// Objects with their fields.
    pub objects: Vec<ObjectRequirement>,
    /// Objects that should hold records.
    pub records: Vec<RecordRequirement>,
    /// Editions that the product names, as `Organization.OrganizationType` spells them. Advice: that the API answers counts more.
    pub editions: Vec<String>,
    /// What tells the product of changes.
    pub notifier: Option<NotifierRequirement>,
    /// Whether broad system permissions that are held and not named here are told.
    pub least_privilege: bool,
    /// Whether the latest entries of the org's setup audit trail are read.
    pub audit_trail: bool,
    /// What applying the job's schema mends: a finding's code and subject, such as `object_edit Contact`. Filled by
    /// [`mended_by`](Self::mended_by).
    pub fixable: BTreeSet<String>,
}

/// A system permission, or any of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionRequirement {
    /// Names as in the Metadata API, such as `ApiEnabled`; one of them is enough.
    pub any_of: Vec<String>,
    /// How much it matters.
    #[serde(default)]
    pub severity: Severity,
    /// What it is needed for, in some words.
    #[serde(default)]
    pub purpose: String,
}

/// A right on an object, in the order in which they need one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ObjectRight {
    /// See records.
    Read,
    /// Create records.
    Create,
    /// Edit records.
    Edit,
    /// Delete records.
    Delete,
    /// See all records, whatever the sharing.
    ViewAll,
    /// Edit and delete all records, whatever the sharing.
    ModifyAll,
}

impl ObjectRight {
    /// All rights.
    pub const ALL: [Self; 6] = [Self::Read, Self::Create, Self::Edit, Self::Delete, Self::ViewAll, Self::ModifyAll];

    /// The code of the finding that it is missing.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Read => "object_read",
            Self::Create => "object_create",
            Self::Edit => "object_edit",
            Self::Delete => "object_delete",
            Self::ViewAll => "object_view_all",
            Self::ModifyAll => "object_modify_all",
        }
    }
}

impl fmt::Display for ObjectRight {
    /// As Setup names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "Read",
            Self::Create => "Create",
            Self::Edit => "Edit",
            Self::Delete => "Delete",
            Self::ViewAll => "View All Records",
            Self::ModifyAll => "Modify All Records",
        })
    }
}

/// What a job needs of one object. To read it is always needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ObjectRequirement {
    /// The object.
    pub object: SObjectName,
    /// How much it matters; nothing on the object matters more.
    #[serde(default)]
    pub severity: Severity,
    /// Rights beside reading.
    #[serde(default)]
    pub rights: BTreeMap<ObjectRight, Severity>,
    /// How much it matters that the user sees the records of all owners, by the org's sharing settings or by View All.
    #[serde(default)]
    pub every_record: Option<Severity>,
    /// The fields.
    #[serde(default)]
    pub fields: Vec<FieldRequirement>,
}

impl ObjectRequirement {
    /// An object that is read.
    #[must_use]
    pub fn new(object: SObjectName) -> Self {
        Self { object, severity: Severity::Required, rights: BTreeMap::new(), every_record: None, fields: Vec::new() }
    }

    /// Says how much the whole object matters.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Rights that are required.
    #[must_use]
    pub fn with_rights(mut self, rights: impl IntoIterator<Item = ObjectRight>) -> Self {
        self.rights.extend(rights.into_iter().map(|right| (right, Severity::Required)));
        self
    }

    /// A right that matters so much.
    #[must_use]
    pub fn with_right(mut self, right: ObjectRight, severity: Severity) -> Self {
        self.rights.insert(right, severity);
        self
    }

    /// The records of all owners matter so much.
    #[must_use]
    pub fn with_every_record(mut self, severity: Severity) -> Self {
        self.every_record = Some(severity);
        self
    }

    /// More fields.
    #[must_use]
    pub fn with_fields(mut self, fields: impl IntoIterator<Item = FieldRequirement>) -> Self {
        self.fields.extend(fields);
        self
    }

    pub(super) fn needs(&self, right: ObjectRight) -> bool {
        self.rights.contains_key(&right)
    }
}

/// What a job needs of one field. To read it is always needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FieldRequirement {
    /// The field.
    pub field: FieldName,
    /// How much it matters that the user reads it.
    #[serde(default)]
    pub severity: Severity,
    /// How much it matters that the user sets and changes it; `None` where the job does neither.
    #[serde(default)]
    pub write: Option<Severity>,
    /// What it must hold, where that matters.
    #[serde(default)]
    pub holds: Option<Holds>,
    /// Whether it must be a unique external id.
    #[serde(default)]
    pub key: bool,
}

impl FieldRequirement {
    /// A field that is read.
    #[must_use]
    pub fn read(field: FieldName) -> Self {
        Self { field, severity: Severity::Required, write: None, holds: None, key: false }
    }

    /// A field that is written.
    #[must_use]
    pub fn write(field: FieldName) -> Self {
        Self { write: Some(Severity::Required), ..Self::read(field) }
    }

    /// A field by which records are named: a unique external id.
    #[must_use]
    pub fn key(field: FieldName) -> Self {
        Self { key: true, ..Self::write(field) }
    }

    /// Says how much reading it matters; writing matters no more.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says how much writing it matters.
    #[must_use]
    pub fn with_write(mut self, severity: Severity) -> Self {
        self.write = Some(severity);
        self
    }

    /// The field must hold what this kind holds; it may be wider. A kind whose values nobody compares sets nothing.
    #[must_use]
    pub fn of_kind(mut self, kind: &FieldKind) -> Self {
        self.holds = Holds::of(kind);
        self
    }

    /// The field must hold this; it may be wider.
    #[must_use]
    pub fn holding(mut self, holds: Holds) -> Self {
        self.holds = Some(holds);
        self
    }
}

/// Values that a field must be able to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
#[non_exhaustive]
pub enum Holds {
    /// Text.
    Text {
        /// Characters.
        length: u32,
    },
    /// Numbers.
    Number {
        /// Digits in all.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// Yes or no.
    Checkbox,
    /// Days.
    Date,
    /// Instants.
    DateTime,
    /// Ids of records.
    Reference {
        /// The object they are of.
        to: String,
    },
}

/// An object that should hold records that the user sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordRequirement {
    /// The object.
    pub object: SObjectName,
    /// How much it matters.
    #[serde(default)]
    pub severity: Severity,
}

/// An outbound message that should be in the org.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifierRequirement {
    /// The message's API name.
    pub message: String,
    /// How much it matters.
    #[serde(default)]
    pub severity: Severity,
}

impl RequirementSet {
    /// An empty set of a name, which tells of rights that are broader than its needs.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), least_privilege: true, ..Self::default() }
    }

    /// Adds a system permission, any of these, and what it is for.
    #[must_use]
    pub fn permission(
        mut self,
        any_of: impl IntoIterator<Item = impl Into<String>>,
        severity: Severity,
        purpose: impl Into<String>,
    ) -> Self {
        let any_of = any_of.into_iter().map(Into::into).collect();
        self.permissions.push(PermissionRequirement { any_of, severity, purpose: purpose.into() });
        self
    }

    /// Adds an object.
    #[must_use]
    pub fn object(mut self, object: ObjectRequirement) -> Self {
        self.objects.push(object);
        self
    }

    /// Adds objects.
    #[must_use]
    pub fn objects(mut self, objects: impl IntoIterator<Item = ObjectRequirement>) -> Self {
        self.objects.extend(objects);
        self
    }

    /// Adds objects that should hold records.
    #[must_use]
    pub fn records(mut self, objects: impl IntoIterator<Item = SObjectName>, severity: Severity) -> Self {
        self.records.extend(objects.into_iter().map(|object| RecordRequirement { object, severity }));
        self
    }

    /// Notes the editions that the product names.
    #[must_use]
    pub fn editions<const N: usize>(mut self, editions: [&str; N]) -> Self {
        self.editions = editions.map(str::to_owned).into();
        self
    }

    /// Adds the outbound message that tells of changes.
    #[must_use]
    pub fn notifier(mut self, message: impl Into<String>, severity: Severity) -> Self {
        self.notifier = Some(NotifierRequirement { message: message.into(), severity });
        self
    }

    /// Reads the org's setup audit trail too.
    #[must_use]
    pub fn audit_trail(mut self) -> Self {
        self.audit_trail = true;
        self
    }

    /// Notes what applying a schema mends, so that findings say so: the objects and fields that it makes, and the rights that its
    /// permission set grants.
    #[must_use]
    pub fn mended_by(mut self, schema: &DesiredSchema) -> Self {
        let mut fixable = BTreeSet::new();
        let mut add = |code: &str, subject: &str| fixable.insert(format!("{code} {subject}"));
        let granted = schema.permission_set.as_ref();
        for object in granted.iter().flat_map(|set| &set.objects) {
            let flags = [object.read, object.create, object.edit, object.delete, object.view_all, object.modify_all];
            for (right, granted) in ObjectRight::ALL.into_iter().zip(flags) {
                if granted {
                    add(right.code(), &object.object);
                }
            }
            // A standard object that is hidden, or one of ours that is not there yet.
            if object.read {
                add("object_missing", &object.object);
            }
        }
        for field in granted.iter().flat_map(|set| &set.fields) {
            if field.readable {
                add("field_missing", &field.field);
            }
            if field.editable {
                add("field_write", &field.field);
            }
        }
        for permission in granted.iter().flat_map(|set| &set.users) {
            add("permission", permission);
        }
        self.fixable = fixable;
        self
    }

    /// Looks at the names that a file may have got wrong.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] naming every permission and notifier that is no API name.
    pub fn validate(&self) -> Result<()> {
        let permissions = self.permissions.iter().flat_map(|permission| permission.any_of.iter());
        let notifier = self.notifier.iter().map(|notifier| &notifier.message);
        let wrong: Vec<&str> = permissions
            .chain(notifier)
            .filter(|name| FieldName::new(name.as_str()).is_err())
            .map(String::as_str)
            .collect();
        let empty = self.permissions.iter().any(|permission| permission.any_of.is_empty());
        if wrong.is_empty() && !empty {
            return Ok(());
        }
        let mut problems: Vec<String> = wrong.iter().map(|name| format!("{name:?} is no API name")).collect();
        problems.extend(empty.then(|| "a permission names no alternative".to_owned()));
        Err(Error::new(ErrorKind::Config, "preflight", problems.join("; "))
            .with_advice("write system permissions as the Metadata API does, such as ApiEnabled"))
    }
}
