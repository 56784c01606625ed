//! Permission sets.

use serde::{Deserialize, Serialize};

use super::{Rest, all, component, flag, sealed::Wire, some_text, text, within};
use crate::error::Result;
use crate::types::xml::Element;

/// A permission set.
///
/// What was read keeps what this type does not name (tabs, Apex classes, the licence): an update writes it back, since Salesforce
/// switches off what an update leaves out. Start a new one from the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionSet {
    /// API name.
    pub full_name: String,
    /// Label; at most 80 characters.
    pub label: String,
    /// What it is for; at most 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Rights on fields. Required fields never stand here.
    #[serde(default, rename = "fieldPermissions", skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldPermission>,
    /// Rights on objects.
    #[serde(default, rename = "objectPermissions", skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectPermission>,
    /// Names of system permissions that are on.
    #[serde(default, rename = "userPermissions", skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    #[doc(hidden)]
    #[serde(skip)]
    pub rest: Rest,
}

/// A right on a field. Editing includes reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldPermission {
    /// Object and field, such as `Account.Score__c`.
    pub field: String,
    /// May be seen.
    #[serde(default)]
    pub readable: bool,
    /// May be changed.
    #[serde(default)]
    pub editable: bool,
}

/// Rights on an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a permission is a flag")]
pub struct ObjectPermission {
    /// API name.
    pub object: String,
    /// Create records.
    #[serde(default, rename = "allowCreate")]
    pub create: bool,
    /// Read records.
    #[serde(default, rename = "allowRead")]
    pub read: bool,
    /// Edit records.
    #[serde(default, rename = "allowEdit")]
    pub edit: bool,
    /// Delete records.
    #[serde(default, rename = "allowDelete")]
    pub delete: bool,
    /// Read all records, whatever the sharing.
    #[serde(default, rename = "viewAllRecords")]
    pub view_all: bool,
    /// Edit and delete all records, whatever the sharing.
    #[serde(default, rename = "modifyAllRecords")]
    pub modify_all: bool,
    #[doc(hidden)]
    #[serde(skip)]
    pub rest: Rest,
}

component!(PermissionSet);

impl Wire for FieldPermission {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("editable", self.editable));
        element.push(Element::leaf("field", &self.field));
        element.push(Element::leaf("readable", self.readable));
    }

    fn read(element: &Element) -> Result<Self> {
        Ok(Self {
            field: text(element, "field"),
            readable: flag(element, "readable"),
            editable: flag(element, "editable"),
        })
    }
}

impl Wire for ObjectPermission {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("allowCreate", self.create));
        element.push(Element::leaf("allowDelete", self.delete));
        element.push(Element::leaf("allowEdit", self.edit));
        element.push(Element::leaf("allowRead", self.read));
        element.push(Element::leaf("modifyAllRecords", self.modify_all));
        element.push(Element::leaf("object", &self.object));
        element.push(Element::leaf("viewAllRecords", self.view_all));
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            object: text(element, "object"),
            create: flag(element, "allowCreate"),
            read: flag(element, "allowRead"),
            edit: flag(element, "allowEdit"),
            delete: flag(element, "allowDelete"),
            view_all: flag(element, "viewAllRecords"),
            modify_all: flag(element, "modifyAllRecords"),
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for PermissionSet {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.push_some("description", self.description.as_ref());
        element.children.extend(self.fields.iter().map(|field| within("fieldPermissions", field)));
        element.push(Element::leaf("label", &self.label));
        element.children.extend(self.objects.iter().map(|object| within("objectPermissions", object)));
        for name in &self.users {
            let mut permission = Element::new("userPermissions");
            permission.push(Element::leaf("enabled", true));
            permission.push(Element::leaf("name", name));
            element.push(permission);
        }
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let enabled = element.all("userPermissions").filter(|user| flag(user, "enabled"));
        let mut read = Self {
            full_name: text(element, "fullName"),
            label: text(element, "label"),
            description: some_text(element, "description"),
            fields: all(element, "fieldPermissions")?,
            objects: all(element, "objectPermissions")?,
            users: enabled.map(|user| text(user, "name")).collect(),
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}
