//! What an org has of a desired schema, as values.

use std::collections::BTreeSet;

use super::desired::{same, split};
use crate::api::metadata::{FieldKind, Layout, PermissionSet};
use crate::types::RecordId;

/// What an org has of a desired schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrgSchema {
    /// The objects that exist, of those that are touched or looked up.
    pub objects: Vec<OrgObject>,
    /// The edition, as the org names it, such as `Enterprise Edition`; empty where it could not be seen.
    pub edition: String,
    /// The permission set of that name, with its rights.
    pub permission_set: Option<OrgPermissionSet>,
    /// The other components that exist, as type and full name.
    pub components: BTreeSet<(String, String)>,
    /// Types of other components that cannot be looked for.
    pub unknown_components: BTreeSet<String>,
    /// The layouts that exist and could be read.
    pub layouts: Vec<Layout>,
    /// Why layouts could not be read.
    pub layouts_unreadable: Option<String>,
}

/// An object of an org.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrgObject {
    /// API name, as the org spells it.
    pub name: String,
    /// Label.
    pub label: String,
    /// The type of its name field: `Text`, `AutoNumber`, or empty where it could not be seen.
    pub name_kind: String,
    /// Whether the history of its tracked fields is kept; `None` where that could not be seen.
    pub history: Option<bool>,
    /// The fields of ours that exist.
    pub fields: Vec<OrgField>,
    /// How many custom fields it has, as far as the set-up user sees them.
    pub custom_fields: usize,
    /// How many external ids it has, as far as the set-up user sees them.
    pub external_ids: usize,
    /// Names of the children of this object, lower case, with the field each leads through, lower case as `object.field`.
    pub children: Vec<(String, String)>,
}

/// A field of an org.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "the org's own flags")]
pub struct OrgField {
    /// API name without its object, as the org spells it.
    pub name: String,
    /// Label.
    pub label: String,
    /// Type. A picklist has its values only where the set-up user sees the field; a lookup its relationship's name only where the parent
    /// is seen, else an empty one.
    pub kind: FieldKind,
    /// Whether a record without it is refused.
    pub required: bool,
    /// Whether no two records have the same value.
    pub unique: bool,
    /// Whether unique values differ by case too.
    pub case_sensitive: bool,
    /// Whether upserts may name records by it.
    pub external_id: bool,
    /// Whether its changes are kept; `None` where that could not be seen.
    pub track_history: Option<bool>,
    /// Whether field-level security hides it from the set-up user.
    pub hidden: bool,
}

/// A permission set of an org.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrgPermissionSet {
    /// Its id.
    pub id: Option<RecordId>,
    /// Names, words and rights.
    pub set: PermissionSet,
    /// Whether the run-time user has it.
    pub assigned: bool,
}

impl OrgSchema {
    /// The object of that name, whatever its case.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&OrgObject> {
        self.objects.iter().find(|object| same(&object.name, name))
    }

    /// The field of that full name, whatever its case.
    #[must_use]
    pub fn field(&self, full_name: &str) -> Option<&OrgField> {
        let (object, name) = split(full_name);
        self.object(object)?.field(name)
    }

    /// How many custom fields an object can have; `None` for an edition that this library does not know.
    ///
    /// Source: Help, "Salesforce Features and Edition Allocations".
    #[must_use]
    pub fn field_cap(&self) -> Option<usize> {
        let edition = self.edition.to_ascii_lowercase();
        let has = |word: &str| edition.contains(word);
        if has("unlimited") || has("performance") {
            Some(800)
        } else if has("enterprise") || has("developer") {
            Some(500)
        } else if has("professional") || has("team") || has("group") {
            Some(100)
        } else if has("base") || has("starter") {
            // Starter calls itself "Base Edition".
            Some(25)
        } else {
            None
        }
    }

    pub(super) fn has_component(&self, component_type: &str, full_name: &str) -> bool {
        self.components.iter().any(|(kind, name)| kind == component_type && same(name, full_name))
    }
}

impl OrgObject {
    /// The field of that name, whatever its case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&OrgField> {
        self.fields.iter().find(|field| same(&field.name, name))
    }
}
