//! Objects and fields of the org.

use std::collections::BTreeMap;

/// The field types of describe, spelt there in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldType {
    Id,
    Reference,
    Boolean,
    Int,
    Double,
    Currency,
    Percent,
    Date,
    DateTime,
    Time,
    String,
    TextArea,
    Picklist,
    MultiPicklist,
    Combobox,
    Email,
    Phone,
    Url,
    EncryptedString,
    Address,
    Location,
    AnyType,
    Base64,
}

impl FieldType {
    /// The type's name in describe.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Reference => "reference",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Double => "double",
            Self::Currency => "currency",
            Self::Percent => "percent",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Time => "time",
            Self::String => "string",
            Self::TextArea => "textarea",
            Self::Picklist => "picklist",
            Self::MultiPicklist => "multipicklist",
            Self::Combobox => "combobox",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::EncryptedString => "encryptedstring",
            Self::Address => "address",
            Self::Location => "location",
            Self::AnyType => "anyType",
            Self::Base64 => "base64",
        }
    }
}

/// One value of a picklist.
#[derive(Clone, Debug)]
pub(crate) struct PicklistValue {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) active: bool,
    pub(crate) default: bool,
}

/// What the Metadata API knows of a field and nothing else asks for. Names as in the metadata WSDL.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldExtra {
    pub(crate) description: Option<String>,
    pub(crate) inline_help_text: Option<String>,
    pub(crate) relationship_label: Option<String>,
    /// `SetNull`, `Restrict` or `Cascade` of a lookup.
    pub(crate) delete_constraint: Option<String>,
    pub(crate) visible_lines: Option<u32>,
    pub(crate) track_history: bool,
    /// Rich text: `Html` rather than `LongTextArea`.
    pub(crate) html: bool,
    /// The formula of a field that is calculated, and what blanks in it count as. The org does not compute it.
    pub(crate) formula: Option<String>,
    pub(crate) formula_blanks: Option<String>,
    /// A location in decimals, not in degrees; as it was given.
    pub(crate) in_decimal: Option<bool>,
    /// A formula default, which the org keeps and does not compute.
    pub(crate) default_formula: Option<String>,
    pub(crate) sorted: bool,
    /// The field a dependent picklist depends on, and the controlling values each of its own goes with.
    pub(crate) controller: Option<(String, BTreeMap<String, Vec<String>>)>,
    /// Numbers custom fields; 0 until the field is in the schema.
    pub(crate) serial: u64,
}

/// A field. Flags carry the names they have in describe.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, clippy::struct_field_names, reason = "describe is a list of flags")]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) kind: FieldType,
    /// UTF-16 units of text; 0 for other types.
    pub(crate) length: u32,
    pub(crate) precision: u32,
    pub(crate) scale: u32,
    pub(crate) nillable: bool,
    pub(crate) createable: bool,
    pub(crate) updateable: bool,
    pub(crate) defaulted_on_create: bool,
    pub(crate) id_lookup: bool,
    pub(crate) external_id: bool,
    pub(crate) unique: bool,
    pub(crate) case_sensitive: bool,
    pub(crate) permissionable: bool,
    pub(crate) filterable: bool,
    pub(crate) sortable: bool,
    pub(crate) groupable: bool,
    pub(crate) aggregatable: bool,
    pub(crate) name_field: bool,
    pub(crate) auto_number: bool,
    pub(crate) calculated: bool,
    pub(crate) custom: bool,
    pub(crate) restricted_picklist: bool,
    pub(crate) picklist_values: Vec<PicklistValue>,
    /// The compound field this one is a part of (`BillingAddress`, `Name`).
    pub(crate) compound_field_name: Option<String>,
    /// Objects a reference may point to; several make it polymorphic.
    pub(crate) reference_to: Vec<String>,
    /// The parent's name in SOQL (`Account`, `Navattic_Contact__r`).
    pub(crate) relationship_name: Option<String>,
    /// The children's name on the parent (`Contacts`, `Navattic_Sessions__r`).
    pub(crate) child_relationship_name: Option<String>,
    pub(crate) cascade_delete: bool,
    /// The default, in the form a request would carry it.
    pub(crate) default_value: Option<String>,
    /// Profiles with open access grant it; a field made through the Metadata API is seen only by who is granted it.
    pub(crate) open: bool,
    pub(crate) extra: FieldExtra,
}

impl Field {
    /// A field of that kind with the flags such fields usually have: nillable, writeable, filterable as the kind allows
    /// (the flags per kind agree with recorded: describe/*.json).
    pub(crate) fn new(name: &str, label: &str, kind: FieldType) -> Self {
        use FieldType as T;
        let compound = matches!(kind, T::Address | T::Location);
        let opaque = matches!(kind, T::EncryptedString | T::AnyType | T::Base64);
        let measured = matches!(kind, T::Double | T::Currency | T::Percent | T::DateTime | T::Time | T::Combobox);
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            kind,
            length: if matches!(kind, T::Id | T::Reference) { 18 } else { 0 },
            precision: 0,
            scale: 0,
            nillable: true,
            createable: !compound,
            updateable: !compound,
            defaulted_on_create: false,
            id_lookup: false,
            external_id: false,
            unique: false,
            case_sensitive: false,
            permissionable: true,
            filterable: !opaque,
            sortable: !compound && !opaque && kind != T::MultiPicklist,
            groupable: !compound && !opaque && !measured && kind != T::MultiPicklist,
            aggregatable: !compound && !opaque && !matches!(kind, T::Boolean | T::MultiPicklist),
            name_field: false,
            auto_number: false,
            calculated: false,
            custom: false,
            restricted_picklist: false,
            picklist_values: Vec::new(),
            compound_field_name: None,
            reference_to: Vec::new(),
            relationship_name: None,
            child_relationship_name: None,
            cascade_delete: false,
            default_value: None,
            open: true,
            extra: FieldExtra::default(),
        }
    }

    /// Text of more than 255 units is kept apart from the row: no filter, sort or group sees it.
    pub(crate) fn with_length(mut self, length: u32) -> Self {
        self.length = length;
        if self.kind == FieldType::TextArea && length > 255 {
            (self.filterable, self.sortable, self.groupable, self.aggregatable) = (false, false, false, false);
        }
        self
    }

    /// Whether a create without a value for this field fails.
    pub(crate) fn required_on_create(&self) -> bool {
        !self.nillable && !self.defaulted_on_create && self.createable
    }

    /// A master-detail: required, and the record goes with its master.
    pub(crate) fn is_master_detail(&self) -> bool {
        self.custom && self.kind == FieldType::Reference && self.cascade_delete && !self.nillable
    }

    /// Whether values of this field are text to the store.
    pub(crate) fn is_text(&self) -> bool {
        use FieldType as T;
        matches!(
            self.kind,
            T::String
                | T::TextArea
                | T::Picklist
                | T::MultiPicklist
                | T::Combobox
                | T::Email
                | T::Phone
                | T::Url
                | T::EncryptedString
                | T::AnyType
                | T::Base64
        )
    }
}

/// What the Metadata API knows of an object and nothing else asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct ObjectExtra {
    pub(crate) description: Option<String>,
    pub(crate) deployment_status: Option<String>,
    pub(crate) sharing_model: Option<String>,
    /// `enableHistory` and the like, as they were given.
    pub(crate) switches: BTreeMap<String, String>,
    /// Numbers custom objects; 0 until the object is in the schema.
    pub(crate) serial: u64,
}

/// An object. Flags carry the names they have in describe.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "describe is a list of flags")]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) label_plural: String,
    /// Three characters; `None` for history objects.
    pub(crate) key_prefix: Option<String>,
    pub(crate) custom: bool,
    pub(crate) createable: bool,
    pub(crate) updateable: bool,
    pub(crate) deletable: bool,
    pub(crate) undeletable: bool,
    pub(crate) queryable: bool,
    pub(crate) replicateable: bool,
    pub(crate) searchable: bool,
    pub(crate) triggerable: bool,
    pub(crate) mergeable: bool,
    pub(crate) layoutable: bool,
    pub(crate) feed_enabled: bool,
    /// Profiles with open access grant all rights on it; an object made through the Metadata API is nobody's at first.
    pub(crate) open: bool,
    pub(crate) extra: ObjectExtra,
    /// In describe's order; `Id` first.
    pub(crate) fields: Vec<Field>,
}

impl Object {
    /// The field of that name; names compare without regard to case, as in SOQL and in request bodies.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The reference whose parent goes by that relationship name.
    pub(crate) fn parent_reference(&self, relationship: &str) -> Option<&Field> {
        let is = |name: &str| name.eq_ignore_ascii_case(relationship);
        let is_parent = |field: &&Field| {
            // Some plain texts have a relationship's name as well (recorded: describe/Contact.describe.json).
            field.kind == FieldType::Reference && field.relationship_name.as_deref().is_some_and(is)
        };
        self.fields.iter().find(is_parent)
    }
}

/// All objects of the org.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    /// By API name in lower case.
    objects: BTreeMap<String, Object>,
    /// The last number given to a custom object or field.
    serial: u64,
}

impl Schema {
    pub(crate) fn object(&self, name: &str) -> Option<&Object> {
        self.objects.get(&name.to_ascii_lowercase())
    }

    pub(crate) fn object_mut(&mut self, name: &str) -> Option<&mut Object> {
        self.objects.get_mut(&name.to_ascii_lowercase())
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Object> {
        self.objects.remove(&name.to_ascii_lowercase())
    }

    pub(crate) fn insert(&mut self, object: Object) {
        if object.custom {
            // Object Reference, ContentDocumentLink: records of custom objects have files too.
            for (owner, reference) in
                [("contentdocumentlink", "LinkedEntityId"), ("contentversion", "FirstPublishLocationId")]
            {
                let fields = self.objects.get_mut(owner).into_iter().flat_map(|owner| &mut owner.fields);
                for field in fields.filter(|field| field.name == reference) {
                    if !field.reference_to.contains(&object.name) {
                        field.reference_to.push(object.name.clone());
                    }
                }
            }
        }
        let name = object.name.clone();
        self.objects.insert(name.to_ascii_lowercase(), object);
        self.number(&name);
    }

    /// Gives numbers to an object and to its fields that have none, so that they keep their ids when they are renamed.
    pub(crate) fn number(&mut self, name: &str) {
        let Some(object) = self.objects.get_mut(&name.to_ascii_lowercase()) else { return };
        let own = object.custom.then_some(&mut object.extra.serial);
        let fields = object.fields.iter_mut().filter(|field| field.custom).map(|field| &mut field.extra.serial);
        for serial in own.into_iter().chain(fields).filter(|serial| **serial == 0) {
            self.serial += 1;
            *serial = self.serial;
        }
    }

    /// Objects in the order of their names.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// The object and field of a parent's child relationship.
    pub(crate) fn children<'a>(&'a self, parent: &str, relationship: &str) -> Option<(&'a Object, &'a Field)> {
        self.objects.values().find_map(|object| {
            let field = object.fields.iter().find(|field| {
                field.child_relationship_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(relationship))
                    && field.reference_to.iter().any(|target| target.eq_ignore_ascii_case(parent))
            })?;
            Some((object, field))
        })
    }
}
