//! What we need in an org, as data.

use std::collections::BTreeMap;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::validate::{SchemaFault, faults};
use crate::api::metadata::{AnyComponent, CustomField, CustomObject, LayoutSection, PermissionSet};
use crate::error::Result;

/// The format of the file.
pub(super) const VERSION: u32 = 1;

/// What we need in an org.
///
/// It is data: build it, or read it from a file ([`from_file`](Self::from_file)); writing it as JSON gives that file again.
///
/// ```
/// use sforce::api::metadata::{CustomField, FieldKind, FieldPermission, PermissionSet};
/// use sforce::schema::DesiredSchema;
///
/// let field = CustomField::new("Contact.Score__c", "Score", FieldKind::number(5, 2));
/// let grant = FieldPermission { field: field.full_name.clone(), readable: true, editable: true };
/// let set = PermissionSet { full_name: "Scores".into(), label: "Scores".into(), fields: vec![grant], ..Default::default() };
/// let schema = DesiredSchema::new("scores").field(field).permission_set(set);
/// assert!(schema.validate().is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredSchema {
    /// What the ledger knows it by, such as `engagement`. Schemas of different names are set up and removed by themselves.
    pub name: String,
    /// Custom objects, with or without their fields; standard ones of which the history is to be kept.
    pub objects: Vec<CustomObject>,
    /// Custom fields of these and of other objects, by full name.
    pub fields: Vec<CustomField>,
    /// Who may use them. Its description or its label tells ours from another of the same name.
    pub permission_set: Option<PermissionSet>,
    /// Sections of page layouts.
    pub layout_sections: Vec<DesiredSection>,
    /// Anything else: workflows, flows, named credentials, quick actions, classes, remote sites. Made where they are missing and
    /// never changed.
    pub components: Vec<AnyComponent>,
}

/// A section with fields on a page layout that is there already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DesiredSection {
    /// The layout's full name: object and layout, such as `Contact-Contact Layout`.
    pub layout: String,
    /// The section's label, by which it is known; at most 80 characters.
    pub label: String,
    /// API names of its fields, in two columns from top to bottom.
    pub fields: Vec<String>,
}

impl DesiredSection {
    /// The object's API name.
    #[must_use]
    pub fn object(&self) -> &str {
        self.layout.split_once('-').map_or("", |(object, _)| object)
    }

    pub(super) fn to_component(&self) -> LayoutSection {
        LayoutSection::new(&*self.label, self.fields.iter().map(String::as_str))
    }
}

impl DesiredSchema {
    /// Nothing yet, under this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds a custom object, or a standard one whose history is to be kept.
    #[must_use]
    pub fn object(mut self, object: CustomObject) -> Self {
        self.objects.push(object);
        self
    }

    /// Adds a field, by its full name.
    #[must_use]
    pub fn field(mut self, field: CustomField) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds fields, by their full names.
    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = CustomField>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Sets the permission set.
    #[must_use]
    pub fn permission_set(mut self, set: PermissionSet) -> Self {
        self.permission_set = Some(set);
        self
    }

    /// Adds a section to a page layout.
    #[must_use]
    pub fn layout_section(mut self, section: DesiredSection) -> Self {
        self.layout_sections.push(section);
        self
    }

    /// Adds any other component.
    #[must_use]
    pub fn component(mut self, component: impl Into<AnyComponent>) -> Self {
        self.components.push(component.into());
        self
    }

    /// All fields by their full names, those that stand with their object too.
    #[must_use]
    pub fn all_fields(&self) -> Vec<CustomField> {
        let nested = self.objects.iter().flat_map(|object| {
            object.fields.iter().map(|field| {
                let full_name = format!("{}.{}", object.full_name, field.full_name);
                CustomField { full_name, ..field.clone() }
            })
        });
        nested.chain(self.fields.iter().cloned()).collect()
    }

    /// The objects that it makes or touches, in the order of their first coming, each once whatever its case.
    #[must_use]
    pub fn touched_objects(&self) -> Vec<String> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut names: Vec<String> = Vec::new();
        let fields = self.fields.iter().map(CustomField::object);
        let sections = self.layout_sections.iter().map(DesiredSection::object);
        let objects = self.objects.iter().map(|object| object.full_name.as_str());
        for name in objects.chain(fields).chain(sections).filter(|name| !name.is_empty()) {
            seen.entry(name.to_ascii_lowercase()).or_insert_with(|| {
                names.push(name.to_owned());
                names.len()
            });
        }
        names
    }

    /// Everything that is wrong with it, all at once and without a call: names that are too long, reserved, badly formed or twice
    /// there, lengths and digits out of range, lookups to nothing, labels that cannot be, flags that do not go with a type, rights
    /// that cannot be granted, more external ids or tracked fields than an object can have, and sections of unknown fields.
    #[must_use]
    pub fn validate(&self) -> Vec<SchemaFault> {
        faults(self)
    }

    /// The faults as one error.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with every fault.
    pub fn check(&self) -> Result<()> {
        SchemaFault::refuse(self.validate())
    }
}

/// The file that [`DesiredSchema::from_json`] and [`from_toml`](DesiredSchema::from_toml) read. Named credentials hold secrets, so a schema with
/// one is refused.
impl Serialize for DesiredSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut file = serializer.serialize_struct("DesiredSchema", 7)?;
        file.serialize_field("version", &VERSION)?;
        file.serialize_field("name", &self.name)?;
        if !self.layout_sections.is_empty() {
            file.serialize_field("layoutSections", &self.layout_sections)?;
        }
        if !self.components.is_empty() {
            file.serialize_field("components", &self.components)?;
        }
        if let Some(set) = &self.permission_set {
            file.serialize_field("permissionSet", set)?;
        }
        if !self.objects.is_empty() {
            file.serialize_field("objects", &self.objects)?;
        }
        if !self.fields.is_empty() {
            file.serialize_field("fields", &self.fields)?;
        }
        file.end()
    }
}

/// API names are the same whatever their case.
pub(super) fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// `Account.Score__c` as object and field.
pub(super) fn split(full_name: &str) -> (&str, &str) {
    full_name.split_once('.').unwrap_or(("", full_name))
}
