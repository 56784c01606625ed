//! Component types, with the elements that the WSDL gives them, in its order.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::types::xml::Element;

/// A type of component that the CRUD calls take.
///
/// Sealed: the types of this module have it.
pub trait Component: sealed::Wire + Send + Sync {
    /// The type's name, such as `CustomField`.
    const TYPE: &'static str;

    /// The component's full name, such as `Account.Score__c`.
    fn full_name(&self) -> &str;
}

pub(super) mod sealed {
    use super::{Element, Result};

    /// To and from the elements of a `metadata` or `records` element.
    pub trait Wire: Sized {
        fn write(&self, element: &mut Element);
        fn read(element: &Element) -> Result<Self>;
    }
}

/// A custom object. Fields are components of their own; reading an object gives them along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomObject {
    /// API name, such as `Session__c`.
    pub full_name: String,
    /// Label.
    pub label: String,
    /// Plural label.
    pub plural_label: String,
    /// What the object is for; at most 1,000 characters.
    pub description: Option<String>,
    /// The name field, text or auto-number.
    pub name_field: NameField,
    /// `ReadWrite`, `Read` or `Private`: what users see of records they do not own.
    pub sharing_model: String,
    /// Custom fields, in what was read. Not sent.
    pub fields: Vec<CustomField>,
}

/// The name field of a custom object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameField {
    /// Label.
    pub label: String,
    /// `Text` (80 characters) or `AutoNumber`.
    pub kind: String,
}

/// A custom field of a custom or standard object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the API's own flags")]
pub struct CustomField {
    /// Object and API name, such as `Account.Score__c`; the API name alone in what is read with its object.
    pub full_name: String,
    /// Label.
    pub label: String,
    /// What the field holds; at most 1,000 characters.
    pub description: Option<String>,
    /// Type and what goes with it.
    pub kind: FieldKind,
    /// Whether a record without it is refused.
    pub required: bool,
    /// Whether no two records have the same value.
    pub unique: bool,
    /// Whether unique values differ by case too; text only.
    pub case_sensitive: bool,
    /// Whether upserts may name records by it.
    pub external_id: bool,
}

/// A field's type and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// Text of one line.
    Text {
        /// At most 255 characters.
        length: u32,
    },
    /// A number.
    Number {
        /// Digits in all, at most 18.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// A checkbox; unchecked unless set.
    Checkbox,
    /// A day.
    Date,
    /// An instant.
    DateTime,
    /// The id of another record.
    Lookup {
        /// The object it points to.
        reference_to: String,
        /// The children's name on the parent, without `__r`.
        relationship_name: String,
        /// Title of the related list.
        relationship_label: String,
    },
    /// A type that this library does not make, as it was read.
    Other(String),
}

impl fmt::Display for FieldKind {
    /// As Setup shows a type: `Number(15, 3)` has 15 digits before the point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { length } => write!(f, "Text({length})"),
            Self::Number { precision, scale } => write!(f, "Number({}, {scale})", precision.saturating_sub(*scale)),
            Self::Checkbox => f.write_str("Checkbox"),
            Self::Date => f.write_str("Date"),
            Self::DateTime => f.write_str("DateTime"),
            Self::Lookup { reference_to, relationship_name, .. } => {
                write!(f, "Lookup({reference_to} as {relationship_name})")
            }
            Self::Other(name) => f.write_str(name),
        }
    }
}

/// A permission set.
///
/// What was read keeps what this type does not name (tabs, Apex classes, the licence): an update writes it back, since Salesforce
/// switches off what an update leaves out. Start a new one from the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet {
    /// API name.
    pub full_name: String,
    /// Label; at most 80 characters.
    pub label: String,
    /// What it is for; at most 255 characters.
    pub description: Option<String>,
    /// Rights on fields. Required fields never stand here.
    pub fields: Vec<FieldPermission>,
    /// Rights on objects.
    pub objects: Vec<ObjectPermission>,
    /// Names of system permissions that are on.
    pub users: Vec<String>,
    #[doc(hidden)]
    pub rest: Rest,
}

/// Elements that were read and are written back as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest(Vec<Element>);

impl Rest {
    fn read(element: &Element, known: &[&str]) -> Self {
        Self(element.children.iter().filter(|child| !known.contains(&child.name.as_str())).cloned().collect())
    }

    /// Adds them, and puts all in the order of the WSDL: by name, after the full name.
    fn write(&self, element: &mut Element) {
        element.children.extend(self.0.iter().cloned());
        element.children.sort_by(|one, other| {
            let place = |element: &Element| (element.name != "fullName", element.name.clone());
            place(one).cmp(&place(other))
        });
    }
}

/// A right on a field. Editing includes reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPermission {
    /// Object and field, such as `Account.Score__c`.
    pub field: String,
    /// May be seen.
    pub readable: bool,
    /// May be changed.
    pub editable: bool,
}

/// Rights on an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a permission is a flag")]
pub struct ObjectPermission {
    /// API name.
    pub object: String,
    /// Create records.
    pub create: bool,
    /// Read records.
    pub read: bool,
    /// Edit records.
    pub edit: bool,
    /// Delete records.
    pub delete: bool,
    /// Read all records, whatever the sharing.
    pub view_all: bool,
    /// Edit and delete all records, whatever the sharing.
    pub modify_all: bool,
    #[doc(hidden)]
    pub rest: Rest,
}

impl Component for CustomObject {
    const TYPE: &'static str = "CustomObject";

    fn full_name(&self) -> &str {
        &self.full_name
    }
}

impl Component for CustomField {
    const TYPE: &'static str = "CustomField";

    fn full_name(&self) -> &str {
        &self.full_name
    }
}

impl Component for PermissionSet {
    const TYPE: &'static str = "PermissionSet";

    fn full_name(&self) -> &str {
        &self.full_name
    }
}

fn text(element: &Element, name: &str) -> String {
    element.text_of(name).unwrap_or_default().to_owned()
}

fn flag(element: &Element, name: &str) -> bool {
    element.flag_of(name).unwrap_or(false)
}

fn number(element: &Element, name: &'static str) -> Result<u32> {
    let text = element.text_of(name).unwrap_or("0");
    // Some answers write whole numbers as `18.0`.
    text.split('.').next().unwrap_or(text).parse().map_err(|error| {
        Error::new(ErrorKind::Decode, "metadata.read", "a number is none")
            .with_context("element", name)
            .with_source(error)
    })
}

impl sealed::Wire for CustomObject {
    fn write(&self, element: &mut Element) {
        let mut name_field = Element::new("nameField");
        if self.name_field.kind == "AutoNumber" {
            name_field.push(Element::leaf("displayFormat", "{0000000000}"));
        }
        name_field.push(Element::leaf("label", &self.name_field.label));
        name_field.push(Element::leaf("type", &self.name_field.kind));
        element.push(Element::leaf("fullName", &self.full_name));
        element.push(Element::leaf("deploymentStatus", "Deployed"));
        element.push_some("description", self.description.as_ref());
        element.push(Element::leaf("label", &self.label));
        element.push(name_field);
        element.push(Element::leaf("pluralLabel", &self.plural_label));
        element.push(Element::leaf("sharingModel", &self.sharing_model));
    }

    fn read(element: &Element) -> Result<Self> {
        let name_field =
            element.child("nameField").map_or(NameField { label: String::new(), kind: String::new() }, |field| {
                NameField { label: text(field, "label"), kind: text(field, "type") }
            });
        Ok(Self {
            full_name: text(element, "fullName"),
            label: text(element, "label"),
            plural_label: text(element, "pluralLabel"),
            description: element.text_of("description").map(str::to_owned),
            name_field,
            sharing_model: text(element, "sharingModel"),
            fields: element.all("fields").map(CustomField::read).collect::<Result<_>>()?,
        })
    }
}

impl sealed::Wire for CustomField {
    fn write(&self, element: &mut Element) {
        let (kind, length, number, lookup) = match &self.kind {
            FieldKind::Text { length } => ("Text", Some(length), None, None),
            FieldKind::Number { precision, scale } => ("Number", None, Some((precision, scale)), None),
            FieldKind::Checkbox => ("Checkbox", None, None, None),
            FieldKind::Date => ("Date", None, None, None),
            FieldKind::DateTime => ("DateTime", None, None, None),
            FieldKind::Lookup { reference_to, relationship_name, relationship_label } => {
                ("Lookup", None, None, Some((reference_to, relationship_name, relationship_label)))
            }
            FieldKind::Other(name) => (name.as_str(), None, None, None),
        };
        let on = |flag: bool| flag.then_some(true);
        element.push(Element::leaf("fullName", &self.full_name));
        element.push_some("caseSensitive", on(self.case_sensitive));
        element.push_some("defaultValue", (self.kind == FieldKind::Checkbox).then_some(false));
        element.push_some("deleteConstraint", lookup.map(|_| "SetNull"));
        element.push_some("description", self.description.as_ref());
        element.push_some("externalId", on(self.external_id));
        element.push(Element::leaf("label", &self.label));
        element.push_some("length", length);
        element.push_some("precision", number.map(|(precision, _)| precision));
        element.push_some("referenceTo", lookup.map(|(reference_to, ..)| reference_to));
        element.push_some("relationshipLabel", lookup.map(|(.., label)| label));
        element.push_some("relationshipName", lookup.map(|(_, name, _)| name));
        // Recorded: a checkbox with `required`, even false, is refused.
        element.push_some("required", on(self.required));
        element.push_some("scale", number.map(|(_, scale)| scale));
        element.push(Element::leaf("type", kind));
        element.push_some("unique", on(self.unique));
    }

    fn read(element: &Element) -> Result<Self> {
        let kind = match element.text_of("type").unwrap_or_default() {
            "Text" => FieldKind::Text { length: number(element, "length")? },
            "Number" => {
                FieldKind::Number { precision: number(element, "precision")?, scale: number(element, "scale")? }
            }
            "Checkbox" => FieldKind::Checkbox,
            "Date" => FieldKind::Date,
            "DateTime" => FieldKind::DateTime,
            "Lookup" => FieldKind::Lookup {
                reference_to: text(element, "referenceTo"),
                relationship_name: text(element, "relationshipName"),
                relationship_label: text(element, "relationshipLabel"),
            },
            other => FieldKind::Other(other.to_owned()),
        };
        Ok(Self {
            full_name: text(element, "fullName"),
            label: text(element, "label"),
            description: element.text_of("description").map(str::to_owned),
            kind,
            required: flag(element, "required"),
            unique: flag(element, "unique"),
            case_sensitive: flag(element, "caseSensitive"),
            external_id: flag(element, "externalId"),
        })
    }
}

impl sealed::Wire for PermissionSet {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.push_some("description", self.description.as_ref());
        for field in &self.fields {
            let mut permission = Element::new("fieldPermissions");
            permission.push(Element::leaf("editable", field.editable));
            permission.push(Element::leaf("field", &field.field));
            permission.push(Element::leaf("readable", field.readable));
            element.push(permission);
        }
        element.push(Element::leaf("label", &self.label));
        for object in &self.objects {
            let mut permission = Element::new("objectPermissions");
            permission.push(Element::leaf("allowCreate", object.create));
            permission.push(Element::leaf("allowDelete", object.delete));
            permission.push(Element::leaf("allowEdit", object.edit));
            permission.push(Element::leaf("allowRead", object.read));
            permission.push(Element::leaf("modifyAllRecords", object.modify_all));
            permission.push(Element::leaf("object", &object.object));
            permission.push(Element::leaf("viewAllRecords", object.view_all));
            object.rest.write(&mut permission);
            element.push(permission);
        }
        for name in &self.users {
            let mut permission = Element::new("userPermissions");
            permission.push(Element::leaf("enabled", true));
            permission.push(Element::leaf("name", name));
            element.push(permission);
        }
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let field = |element: &Element| FieldPermission {
            field: text(element, "field"),
            readable: flag(element, "readable"),
            editable: flag(element, "editable"),
        };
        let object = |element: &Element| ObjectPermission {
            object: text(element, "object"),
            create: flag(element, "allowCreate"),
            read: flag(element, "allowRead"),
            edit: flag(element, "allowEdit"),
            delete: flag(element, "allowDelete"),
            view_all: flag(element, "viewAllRecords"),
            modify_all: flag(element, "modifyAllRecords"),
            rest: Rest::read(
                element,
                &[
                    "object",
                    "allowCreate",
                    "allowRead",
                    "allowEdit",
                    "allowDelete",
                    "viewAllRecords",
                    "modifyAllRecords",
                ],
            ),
        };
        Ok(Self {
            full_name: text(element, "fullName"),
            label: text(element, "label"),
            description: element.text_of("description").map(str::to_owned),
            fields: element.all("fieldPermissions").map(field).collect(),
            objects: element.all("objectPermissions").map(object).collect(),
            users: element
                .all("userPermissions")
                .filter(|user| flag(user, "enabled"))
                .map(|user| text(user, "name"))
                .collect(),
            rest: Rest::read(
                element,
                &["fullName", "label", "description", "fieldPermissions", "objectPermissions", "userPermissions"],
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::sealed::Wire;
    use super::*;

    fn round_trip<T: Wire>(component: &T) -> T {
        let mut element = Element::new("metadata").attribute("xsi:type", "X");
        component.write(&mut element);
        let mut text = String::new();
        element.write(&mut text);
        T::read(&Element::parse(text.as_bytes()).expect("well-formed")).expect("reads")
    }

    fn field(kind: FieldKind) -> CustomField {
        CustomField {
            full_name: "A__c.B__c".into(),
            label: "B <&> \"b\"".into(),
            description: Some("d".into()),
            kind,
            required: false,
            unique: true,
            case_sensitive: true,
            external_id: true,
        }
    }

    #[test]
    fn fields_survive_the_way_out_and_back() {
        let lookup = FieldKind::Lookup {
            reference_to: "Contact".into(),
            relationship_name: "Sessions".into(),
            relationship_label: "Sessions".into(),
        };
        for kind in [
            FieldKind::Text { length: 80 },
            FieldKind::Number { precision: 18, scale: 3 },
            FieldKind::Checkbox,
            FieldKind::Date,
            FieldKind::DateTime,
            lookup,
        ] {
            assert_eq!(round_trip(&field(kind.clone())), field(kind));
        }
    }

    #[test]
    fn what_an_admin_has_set_besides_is_written_back() {
        let text = "<records><fullName>P</fullName><classAccesses><apexClass>C</apexClass><enabled>true</enabled></classAccesses>\
                    <hasActivationRequired>true</hasActivationRequired><label>P</label><license>Salesforce</license>\
                    <objectPermissions><allowCreate>false</allowCreate><allowDelete>false</allowDelete><allowEdit>false</allowEdit>\
                    <allowRead>true</allowRead><modifyAllRecords>false</modifyAllRecords><object>A</object>\
                    <viewAllFields>true</viewAllFields><viewAllRecords>false</viewAllRecords></objectPermissions>\
                    <tabSettings><tab>T</tab><visibility>Visible</visibility></tabSettings></records>";
        let set = PermissionSet::read(&Element::parse(text.as_bytes()).expect("well-formed")).expect("reads");
        let mut element = Element::new("records");
        set.write(&mut element);
        let mut written = String::new();
        element.write(&mut written);
        assert_eq!(written, text, "all of it, in the order of the WSDL");
    }

    #[test]
    fn a_permission_set_survives_the_way_out_and_back() {
        let set = PermissionSet {
            full_name: "P".into(),
            label: "P".into(),
            description: None,
            fields: vec![FieldPermission { field: "A.B__c".into(), readable: true, editable: false }],
            objects: vec![ObjectPermission {
                object: "A".into(),
                read: true,
                edit: true,
                ..ObjectPermission::default()
            }],
            users: vec!["ApiEnabled".into()],
            rest: Rest::default(),
        };
        assert_eq!(round_trip(&set), set);
    }
}
