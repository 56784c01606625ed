//! What an org says of its objects and fields.

use serde::{Deserialize, Serialize};

/// The answer of describe global: every object the user can see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct DescribeGlobal {
    /// The encoding of answers; `UTF-8`.
    pub encoding: String,
    /// Records per collections call; 200.
    pub max_batch_size: u32,
    /// The objects.
    pub sobjects: Vec<SObjectSummary>,
}

/// One object in describe global.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "describe is a list of flags")]
pub struct SObjectSummary {
    /// API name.
    pub name: String,
    /// Label in the user's language.
    pub label: String,
    /// Plural label in the user's language.
    pub label_plural: String,
    /// First three characters of its ids; `None` for objects without, such as history.
    pub key_prefix: Option<String>,
    /// Made in this org or by a package.
    pub custom: bool,
    /// The user may create records.
    pub createable: bool,
    /// The user may update records.
    pub updateable: bool,
    /// The user may delete records.
    pub deletable: bool,
    /// SOQL can read it.
    pub queryable: bool,
    /// `getUpdated` and `getDeleted` work.
    pub replicateable: bool,
}

/// The answer of an object's describe, for the user who asks: what is hidden from the user is not in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "describe is a list of flags")]
pub struct SObjectDescribe {
    /// API name.
    pub name: String,
    /// Label in the user's language.
    pub label: String,
    /// Plural label in the user's language.
    pub label_plural: String,
    /// First three characters of its ids.
    pub key_prefix: Option<String>,
    /// Made in this org or by a package.
    pub custom: bool,
    /// The user may create records.
    pub createable: bool,
    /// The user may update records.
    pub updateable: bool,
    /// The user may delete records.
    pub deletable: bool,
    /// SOQL can read it.
    pub queryable: bool,
    /// `getUpdated` and `getDeleted` work.
    pub replicateable: bool,
    /// The fields the user can see.
    pub fields: Vec<FieldDescribe>,
    /// Objects that refer to this one.
    pub child_relationships: Vec<ChildRelationship>,
    /// Record types; the master type is always there.
    pub record_type_infos: Vec<RecordTypeInfo>,
}

impl SObjectDescribe {
    /// The field of that name; names compare without regard to case, as Salesforce does.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldDescribe> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }
}

/// One field of an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "describe is a list of flags")]
pub struct FieldDescribe {
    /// API name.
    pub name: String,
    /// Label in the user's language.
    pub label: String,
    /// The type.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Characters of text, in UTF-16 units; 0 for other types.
    pub length: u32,
    /// Digits of a whole number; 0 for other types, which tell `precision`.
    pub digits: u32,
    /// Digits of a number in all; 0 for whole numbers, which tell `digits`.
    pub precision: u32,
    /// Digits of a number after the point.
    pub scale: u32,
    /// May be null.
    pub nillable: bool,
    /// The user may set it on create.
    pub createable: bool,
    /// The user may change it.
    pub updateable: bool,
    /// Salesforce fills it when a create leaves it out.
    pub defaulted_on_create: bool,
    /// Numbered by Salesforce.
    pub auto_number: bool,
    /// Computed: formula or roll-up.
    pub calculated: bool,
    /// Made in this org or by a package.
    pub custom: bool,
    /// Marked as external id.
    pub external_id: bool,
    /// Upserts may name records by it, as by an external id.
    pub id_lookup: bool,
    /// No two records have the same value.
    pub unique: bool,
    /// Unique values differ by case too.
    pub case_sensitive: bool,
    /// Field-level security applies.
    pub permissionable: bool,
    /// WHERE can name it.
    pub filterable: bool,
    /// ORDER BY can name it.
    pub sortable: bool,
    /// The object's name field.
    pub name_field: bool,
    /// Values outside the list are refused.
    pub restricted_picklist: bool,
    /// The list of a picklist.
    pub picklist_values: Vec<PicklistValue>,
    /// Objects a reference may point to.
    pub reference_to: Vec<String>,
    /// The parent's name in SOQL.
    pub relationship_name: Option<String>,
    /// 0 or 1 for the first or second master of a master-detail relationship; `None` for all else.
    pub relationship_order: Option<u32>,
    /// The reference is to objects of several types, so that a parent given by external id has to say its own.
    pub polymorphic_foreign_key: bool,
    /// What its help bubble says, in the user's language.
    pub inline_help_text: Option<String>,
    /// The address or name this one is a part of.
    pub compound_field_name: Option<String>,
}

impl FieldDescribe {
    /// Whether a create without it is refused: not nillable, not defaulted, and createable.
    #[must_use]
    pub fn required_on_create(&self) -> bool {
        !self.nillable && !self.defaulted_on_create && self.createable
    }

    /// Whether it leads to the master of a master-detail relationship, without which no record is.
    #[must_use]
    pub fn is_master(&self) -> bool {
        self.relationship_order.is_some()
    }
}

/// A field's type, as describe spells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FieldType {
    /// Record id.
    Id,
    /// Id of another record.
    Reference,
    /// Checkbox; never null.
    Boolean,
    /// Whole number.
    Int,
    /// Number.
    Double,
    /// Money.
    Currency,
    /// Percent; 10 % is `10`.
    Percent,
    /// Day.
    Date,
    /// Instant.
    Datetime,
    /// Time of day.
    Time,
    /// Text of one line.
    #[default]
    String,
    /// Text of several lines.
    Textarea,
    /// One of a list.
    Picklist,
    /// Several of a list, `a;b`.
    Multipicklist,
    /// One of a list, or other text.
    Combobox,
    /// Email address.
    Email,
    /// Phone number.
    Phone,
    /// Web address.
    Url,
    /// Text shown masked.
    Encryptedstring,
    /// Compound address; read-only.
    Address,
    /// Compound location; read-only.
    Location,
    /// Any scalar.
    #[serde(rename = "anyType")]
    AnyType,
    /// Binary data.
    Base64,
    /// A type of a later release.
    #[serde(untagged)]
    Other(String),
}

/// One value of a picklist.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PicklistValue {
    /// Offered to users.
    pub active: bool,
    /// Preselected.
    pub default_value: bool,
    /// Label in the user's language.
    pub label: Option<String>,
    /// What a record holds.
    pub value: String,
}

/// An object that refers to the described one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChildRelationship {
    /// The object that refers.
    #[serde(rename = "childSObject")]
    pub child_sobject: String,
    /// Its reference field.
    pub field: String,
    /// The name of the children in SOQL; `None` where they have none.
    pub relationship_name: Option<String>,
    /// Children go with their parent.
    pub cascade_delete: bool,
}

/// A record type of an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "describe is a list of flags")]
pub struct RecordTypeInfo {
    /// In use.
    pub active: bool,
    /// The user may choose it.
    pub available: bool,
    /// The user's default.
    pub default_record_type_mapping: bool,
    /// API name.
    pub developer_name: String,
    /// The type that stands for "none".
    pub master: bool,
    /// Label.
    pub name: String,
    /// Id.
    pub record_type_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_a_later_release_is_kept_by_name() {
        let field: FieldDescribe = serde_json::from_str(r#"{"name":"X","type":"hologram"}"#).expect("decodes");
        assert_eq!(field.field_type, FieldType::Other("hologram".into()));
        let field: FieldDescribe = serde_json::from_str(r#"{"name":"X","type":"multipicklist"}"#).expect("decodes");
        assert_eq!(field.field_type, FieldType::Multipicklist);
        let field: FieldDescribe = serde_json::from_str(r#"{"name":"OldValue","type":"anyType"}"#).expect("decodes");
        assert_eq!(field.field_type, FieldType::AnyType, "the one type that describe spells in two cases");
    }
}
