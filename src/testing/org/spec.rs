//! Objects and fields a test adds to the org.

use super::schema::{Field, FieldType, Object, ObjectExtra, PicklistValue};

/// A custom object to add with [`MockOrg::add_object`](super::MockOrg::add_object).
///
/// It has the system fields of every custom object and a `Name` of 80 characters, which takes the record's id when a
/// create leaves it out.
#[derive(Clone, Debug)]
pub struct ObjectSpec {
    name: String,
    label: String,
    label_plural: Option<String>,
    name_field: NameField,
    fields: Vec<FieldSpec>,
}

#[derive(Clone, Debug)]
enum NameField {
    Text { required: bool },
    AutoNumber(String),
}

impl ObjectSpec {
    /// An object of that API name (`Navattic_Session__c`).
    #[must_use]
    pub fn new(name: &str) -> Self {
        let label = name.strip_suffix("__c").unwrap_or(name).replace('_', " ");
        Self {
            name: name.to_owned(),
            label,
            label_plural: None,
            name_field: NameField::Text { required: false },
            fields: Vec::new(),
        }
    }

    /// The object engagement sessions go to, as it is in an org where it has been set up: `<prefix>Session__c` with the
    /// session's id as name and a unique, case-sensitive external id `<prefix>Session_Key__c`.
    #[must_use]
    pub fn engagement_session(prefix: &str) -> Self {
        let name = |name: &str| format!("{prefix}{name}__c");
        let mut spec = Self::new(&name("Session"))
            .name_required()
            .field(FieldSpec::text(&name("Session_Key"), 80).unique().external_id().case_sensitive())
            .field(FieldSpec::date_time(&name("Started_At")))
            .field(FieldSpec::text(&name("Full_Name"), 255))
            .field(FieldSpec::text(&name("Email"), 255))
            .field(FieldSpec::number(&name("Duration_Minutes"), 18, 3))
            .field(FieldSpec::number(&name("Steps_Viewed"), 18, 0));
        let areas = ["Very_Interested_Areas", "Somewhat_Interested_Areas", "Not_Interested_Areas"];
        for list in ["Demos", "Flows"].into_iter().chain(areas) {
            spec = spec.field(FieldSpec::text(&name(list), 255));
        }
        spec
    }

    /// The label; by default the name without `__c`, underscores as blanks.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.label);
        self
    }

    /// The label of several; by default the label and an `s`.
    #[must_use]
    pub fn label_plural(mut self, label: &str) -> Self {
        self.label_plural = Some(label.to_owned());
        self
    }

    /// A create without `Name` is refused.
    #[must_use]
    pub fn name_required(mut self) -> Self {
        self.name_field = NameField::Text { required: true };
        self
    }

    /// `Name` counts up: `S-{00000}`.
    #[must_use]
    pub fn name_auto_number(mut self, format: &str) -> Self {
        self.name_field = NameField::AutoNumber(format.to_owned());
        self
    }

    /// One more field.
    #[must_use]
    pub fn field(mut self, field: FieldSpec) -> Self {
        self.fields.push(field);
        self
    }

    pub(crate) fn into_object(self, key_prefix: String) -> Object {
        let owned = !self.fields.iter().any(|field| field.0.cascade_delete);
        let mut fields = system_fields(owned);
        let mut name = Field::new("Name", &format!("{} Name", self.label), FieldType::String).with_length(80);
        name.name_field = true;
        name.permissionable = false;
        name.id_lookup = true;
        match self.name_field {
            NameField::Text { required } => {
                name.nillable = !required;
                // [K] Left out, the name is the record's id.
                name.defaulted_on_create = !required;
            }
            NameField::AutoNumber(format) => {
                name.nillable = false;
                name.createable = false;
                name.updateable = false;
                name.auto_number = true;
                name.defaulted_on_create = true;
                name.default_value = Some(format);
            }
        }
        let place = fields.iter().position(|field| field.name == "CreatedDate").unwrap_or(fields.len());
        fields.insert(place, name);
        fields.extend(self.fields.into_iter().map(FieldSpec::into_field));
        Object {
            label_plural: self.label_plural.unwrap_or_else(|| format!("{}s", self.label)),
            name: self.name,
            label: self.label,
            key_prefix: Some(key_prefix),
            custom: true,
            createable: true,
            updateable: true,
            deletable: true,
            undeletable: true,
            queryable: true,
            replicateable: true,
            searchable: true,
            triggerable: true,
            mergeable: false,
            layoutable: true,
            feed_enabled: false,
            open: true,
            extra: ObjectExtra::default(),
            fields,
        }
    }
}

/// The fields every custom object has, in describe's order. A detail of a master has no owner of its own.
fn system_fields(owned: bool) -> Vec<Field> {
    let read_only = |name: &str, label: &str, kind: FieldType, nillable: bool| {
        let mut field = Field::new(name, label, kind);
        (field.nillable, field.createable, field.updateable) = (nillable, false, false);
        field.defaulted_on_create = !nillable;
        field.permissionable = false;
        field
    };
    let user = |mut field: Field| {
        field.reference_to = vec!["User".to_owned()];
        field.relationship_name = field.name.strip_suffix("Id").map(str::to_owned);
        field
    };
    let mut fields = Vec::new();
    let mut id = read_only("Id", "Record ID", FieldType::Id, false);
    id.id_lookup = true;
    fields.push(id);
    if owned {
        let mut owner_id = user(read_only("OwnerId", "Owner ID", FieldType::Reference, false));
        (owner_id.createable, owner_id.updateable) = (true, true);
        owner_id.reference_to.insert(0, "Group".to_owned());
        fields.push(owner_id);
    }
    fields.push(read_only("IsDeleted", "Deleted", FieldType::Boolean, false));
    fields.push(read_only("CreatedDate", "Created Date", FieldType::DateTime, false));
    fields.push(user(read_only("CreatedById", "Created By ID", FieldType::Reference, false)));
    fields.push(read_only("LastModifiedDate", "Last Modified Date", FieldType::DateTime, false));
    fields.push(user(read_only("LastModifiedById", "Last Modified By ID", FieldType::Reference, false)));
    fields.push(read_only("SystemModstamp", "System Modstamp", FieldType::DateTime, false));
    fields.push(read_only("LastViewedDate", "Last Viewed Date", FieldType::DateTime, true));
    fields.push(read_only("LastReferencedDate", "Last Referenced Date", FieldType::DateTime, true));
    fields
}

/// A field to add with [`ObjectSpec::field`] or [`MockOrg::add_field`](super::MockOrg::add_field).
#[derive(Clone, Debug)]
pub struct FieldSpec(Field);

impl FieldSpec {
    fn new(name: &str, kind: FieldType) -> Self {
        let label = name.strip_suffix("__c").unwrap_or(name).replace('_', " ");
        Self(Field { custom: true, ..Field::new(name, &label, kind) })
    }

    fn sized(name: &str, kind: FieldType, length: u32) -> Self {
        let Self(field) = Self::new(name, kind);
        Self(field.with_length(length))
    }

    /// Text of up to `length` UTF-16 units (255 at most in an org).
    #[must_use]
    pub fn text(name: &str, length: u32) -> Self {
        Self::sized(name, FieldType::String, length)
    }

    /// Text of several lines.
    #[must_use]
    pub fn long_text(name: &str, length: u32) -> Self {
        Self::sized(name, FieldType::TextArea, length)
    }

    /// A number of `precision` digits in all, `scale` of them after the point.
    #[must_use]
    pub fn number(name: &str, precision: u32, scale: u32) -> Self {
        let mut spec = Self::new(name, FieldType::Double);
        (spec.0.precision, spec.0.scale) = (precision, scale);
        spec
    }

    /// An amount of money of `precision` digits in all, `scale` of them after the point.
    #[must_use]
    pub fn currency(name: &str, precision: u32, scale: u32) -> Self {
        let mut spec = Self::number(name, precision, scale);
        spec.0.kind = FieldType::Currency;
        spec
    }

    /// A percentage; 10 % is 10.
    #[must_use]
    pub fn percent(name: &str, precision: u32, scale: u32) -> Self {
        let mut spec = Self::number(name, precision, scale);
        spec.0.kind = FieldType::Percent;
        spec
    }

    /// True or false, false by default.
    #[must_use]
    pub fn checkbox(name: &str) -> Self {
        let mut spec = Self::new(name, FieldType::Boolean);
        (spec.0.nillable, spec.0.defaulted_on_create) = (false, true);
        spec
    }

    /// An instant.
    #[must_use]
    pub fn date_time(name: &str) -> Self {
        Self::new(name, FieldType::DateTime)
    }

    /// A day.
    #[must_use]
    pub fn date(name: &str) -> Self {
        Self::new(name, FieldType::Date)
    }

    /// An email address, checked.
    #[must_use]
    pub fn email(name: &str) -> Self {
        Self::sized(name, FieldType::Email, 80)
    }

    /// A phone number.
    #[must_use]
    pub fn phone(name: &str) -> Self {
        Self::sized(name, FieldType::Phone, 40)
    }

    /// A URL.
    #[must_use]
    pub fn url(name: &str) -> Self {
        Self::sized(name, FieldType::Url, 255)
    }

    /// One of several values; others are accepted too unless [`FieldSpec::restricted`].
    #[must_use]
    pub fn picklist(name: &str, values: &[&str]) -> Self {
        let Self(mut field) = Self::sized(name, FieldType::Picklist, 255);
        field.picklist_values = values
            .iter()
            .map(|value| PicklistValue {
                value: (*value).to_owned(),
                label: (*value).to_owned(),
                active: true,
                default: false,
            })
            .collect();
        Self(field)
    }

    /// Several of several values: `a;b`.
    #[must_use]
    pub fn multi_picklist(name: &str, values: &[&str]) -> Self {
        let Self(field) = Self::picklist(name, values);
        let kind = Field::new(name, &field.label, FieldType::MultiPicklist);
        // The 100 values of up to 40 characters a multi-select may hold.
        Self(Field { custom: true, length: 4099, picklist_values: field.picklist_values, label: field.label, ..kind })
    }

    /// A reference to a record of another object, by default without a name for the children.
    #[must_use]
    pub fn lookup(name: &str, to: &str) -> Self {
        let Self(mut field) = Self::new(name, FieldType::Reference);
        field.reference_to = vec![to.to_owned()];
        field.relationship_name = name.strip_suffix("__c").map(|stem| format!("{stem}__r"));
        Self(field)
    }

    /// A required reference whose record goes when the other goes.
    #[must_use]
    pub fn master_detail(name: &str, to: &str) -> Self {
        let Self(mut field) = Self::lookup(name, to);
        (field.nillable, field.cascade_delete) = (false, true);
        // Without "allow reparenting" the master is set once.
        field.updateable = false;
        Self(field)
    }

    /// The name the children have on the parent (`Navattic_Sessions__r`).
    #[must_use]
    pub fn children(mut self, relationship: &str) -> Self {
        self.0.child_relationship_name = Some(relationship.to_owned());
        self
    }

    /// The label; by default the name without `__c`, underscores as blanks.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.0.label);
        self
    }

    /// A create without a value is refused, and an update to null.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.0.nillable = false;
        self
    }

    /// No two records with the same value, whatever its case.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.0.unique = true;
        self
    }

    /// Records can be found and upserted by this field.
    #[must_use]
    pub fn external_id(mut self) -> Self {
        (self.0.external_id, self.0.id_lookup) = (true, true);
        self
    }

    /// Values that differ in case differ.
    #[must_use]
    pub fn case_sensitive(mut self) -> Self {
        self.0.case_sensitive = true;
        self
    }

    /// Only the listed values of a picklist are accepted.
    #[must_use]
    pub fn restricted(mut self) -> Self {
        self.0.restricted_picklist = true;
        self
    }

    /// Makes a picklist depend on another field of the object, a picklist or a checkbox (`true`, `false`): which controlling values each
    /// of its values goes with. A create does not look at it, as the API does not.
    #[must_use]
    pub fn controlled_by(mut self, controller: &str, values: &[(&str, &[&str])]) -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let valid = values.iter().map(|(value, names)| ((*value).to_owned(), list(names)));
        self.0.extra.controller = Some((controller.to_owned(), valid.collect()));
        self
    }

    /// The value of a record created without one, as a request would carry it.
    #[must_use]
    pub fn default_value(mut self, value: &str) -> Self {
        self.0.default_value = Some(value.to_owned());
        self.0.defaulted_on_create = true;
        for entry in &mut self.0.picklist_values {
            entry.default = entry.value == value;
        }
        self
    }

    /// Nobody can write it, as without field-level security.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        (self.0.createable, self.0.updateable) = (false, false);
        self
    }

    pub(crate) fn into_field(self) -> Field {
        let mut field = self.0;
        // A universally required field has no field-level security.
        field.permissionable = field.nillable || field.kind == FieldType::Boolean;
        field
    }
}
