//! What an org says of a field.

use serde::{Deserialize, Serialize};

use super::keep::{OtherKeys, is_no, is_zero, reads_keys};
use crate::types::Value;

/// One field of an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "describe is a list of flags")]
pub struct FieldDescribe {
    /// API name.
    pub name: String,
    /// Label in the user's language.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// The type.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Characters of text, in UTF-16 units; 0 for other types.
    #[serde(skip_serializing_if = "is_zero")]
    pub length: u32,
    /// Bytes that text may take, three a character.
    #[serde(skip_serializing_if = "is_zero")]
    pub byte_length: u32,
    /// Digits of a whole number; 0 for other types, which tell `precision`.
    #[serde(skip_serializing_if = "is_zero")]
    pub digits: u32,
    /// Digits of a number in all; 0 for whole numbers, which tell `digits`.
    #[serde(skip_serializing_if = "is_zero")]
    pub precision: u32,
    /// Digits of a number after the point.
    #[serde(skip_serializing_if = "is_zero")]
    pub scale: u32,
    /// May be null.
    #[serde(skip_serializing_if = "is_no")]
    pub nillable: bool,
    /// The user may set it on create.
    #[serde(skip_serializing_if = "is_no")]
    pub createable: bool,
    /// The user may change it.
    #[serde(skip_serializing_if = "is_no")]
    pub updateable: bool,
    /// Salesforce fills it when a create leaves it out.
    #[serde(skip_serializing_if = "is_no")]
    pub defaulted_on_create: bool,
    /// What it is filled with, where that is a constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value: Option<Value>,
    /// The formula of the value it is filled with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value_formula: Option<String>,
    /// Numbered by Salesforce.
    #[serde(skip_serializing_if = "is_no")]
    pub auto_number: bool,
    /// Computed: formula or roll-up.
    #[serde(skip_serializing_if = "is_no")]
    pub calculated: bool,
    /// The formula.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calculated_formula: Option<String>,
    /// The formula takes a blank number for 0.
    #[serde(skip_serializing_if = "is_no")]
    pub formula_treat_null_number_as_zero: bool,
    /// Made in this org or by a package.
    #[serde(skip_serializing_if = "is_no")]
    pub custom: bool,
    /// Marked as external id.
    #[serde(skip_serializing_if = "is_no")]
    pub external_id: bool,
    /// Upserts may name records by it, as by an external id.
    #[serde(skip_serializing_if = "is_no")]
    pub id_lookup: bool,
    /// No two records have the same value.
    #[serde(skip_serializing_if = "is_no")]
    pub unique: bool,
    /// Unique values differ by case too.
    #[serde(skip_serializing_if = "is_no")]
    pub case_sensitive: bool,
    /// Field-level security applies.
    #[serde(skip_serializing_if = "is_no")]
    pub permissionable: bool,
    /// WHERE can name it.
    #[serde(skip_serializing_if = "is_no")]
    pub filterable: bool,
    /// ORDER BY can name it.
    #[serde(skip_serializing_if = "is_no")]
    pub sortable: bool,
    /// GROUP BY can name it.
    #[serde(skip_serializing_if = "is_no")]
    pub groupable: bool,
    /// `COUNT_DISTINCT`, `MAX` and their like can name it.
    #[serde(skip_serializing_if = "is_no")]
    pub aggregatable: bool,
    /// The object's name field.
    #[serde(skip_serializing_if = "is_no")]
    pub name_field: bool,
    /// Its parent is known by `Name` alone, whatever object it is of.
    #[serde(skip_serializing_if = "is_no")]
    pub name_pointing: bool,
    /// Values outside the list are refused.
    #[serde(skip_serializing_if = "is_no")]
    pub restricted_picklist: bool,
    /// Which values are open depends on another field: [`SObjectDescribe::dependent_values`](crate::types::SObjectDescribe::dependent_values).
    #[serde(skip_serializing_if = "is_no")]
    pub dependent_picklist: bool,
    /// The field that decides which values are open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller_name: Option<String>,
    /// The list of a picklist, of all record types together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub picklist_values: Vec<PicklistValue>,
    /// Objects a reference may point to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference_to: Vec<String>,
    /// The field of the parent that an indirect lookup names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_target_field: Option<String>,
    /// The parent's name in SOQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationship_name: Option<String>,
    /// 0 or 1 for the first or second master of a master-detail relationship; `None` for all else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationship_order: Option<u32>,
    /// The reference is to objects of several types, so that a parent given by external id has to say its own.
    #[serde(skip_serializing_if = "is_no")]
    pub polymorphic_foreign_key: bool,
    /// The record goes with its parent.
    #[serde(skip_serializing_if = "is_no")]
    pub cascade_delete: bool,
    /// The parent cannot be deleted.
    #[serde(skip_serializing_if = "is_no")]
    pub restricted_delete: bool,
    /// To read the master is enough to write the detail.
    #[serde(skip_serializing_if = "is_no")]
    pub write_requires_master_read: bool,
    /// What a lookup offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered_lookup_info: Option<Box<FilteredLookupInfo>>,
    /// The address or name this one is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compound_field_name: Option<String>,
    /// More of the type, such as `plaintextarea`, `richtextarea`, `personname` or `imageurl`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_type_info: Option<String>,
    /// The type in SOAP, such as `xsd:string`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub soap_type: String,
    /// What its help bubble says, in the user's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inline_help_text: Option<String>,
    /// Holds HTML.
    #[serde(skip_serializing_if = "is_no")]
    pub html_formatted: bool,
    /// Stored encrypted.
    #[serde(skip_serializing_if = "is_no")]
    pub encrypted: bool,
    /// The characters that hide a masked text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// How much of a masked text they hide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_type: Option<String>,
    /// A location shows as decimals, not as degrees.
    #[serde(skip_serializing_if = "is_no")]
    pub display_location_in_decimal: bool,
    /// `DISTANCE` can name it.
    #[serde(skip_serializing_if = "is_no")]
    pub query_by_distance: bool,
    /// Holds more digits after the point than the `scale` of a currency.
    #[serde(skip_serializing_if = "is_no")]
    pub high_scale_number: bool,
    /// A search can be filtered by it.
    #[serde(skip_serializing_if = "is_no")]
    pub search_prefilterable: bool,
    /// Filled by Einstein prediction.
    #[serde(skip_serializing_if = "is_no")]
    pub ai_prediction_field: bool,
    /// Reserved by Salesforce.
    #[serde(skip_serializing_if = "is_no")]
    pub deprecated_and_hidden: bool,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(FieldDescribe {
    "name" => name, "label" => label, "type" => field_type, "length" => length, "byteLength" => byte_length,
    "digits" => digits, "precision" => precision, "scale" => scale, "nillable" => nillable,
    "createable" => createable, "updateable" => updateable, "defaultedOnCreate" => defaulted_on_create,
    "defaultValue" => default_value, "defaultValueFormula" => default_value_formula, "autoNumber" => auto_number,
    "calculated" => calculated, "calculatedFormula" => calculated_formula,
    "formulaTreatNullNumberAsZero" => formula_treat_null_number_as_zero, "custom" => custom,
    "externalId" => external_id, "idLookup" => id_lookup, "unique" => unique, "caseSensitive" => case_sensitive,
    "permissionable" => permissionable, "filterable" => filterable, "sortable" => sortable, "groupable" => groupable,
    "aggregatable" => aggregatable, "nameField" => name_field, "namePointing" => name_pointing,
    "restrictedPicklist" => restricted_picklist, "dependentPicklist" => dependent_picklist,
    "controllerName" => controller_name, "picklistValues" => picklist_values, "referenceTo" => reference_to,
    "referenceTargetField" => reference_target_field, "relationshipName" => relationship_name,
    "relationshipOrder" => relationship_order, "polymorphicForeignKey" => polymorphic_foreign_key,
    "cascadeDelete" => cascade_delete, "restrictedDelete" => restricted_delete,
    "writeRequiresMasterRead" => write_requires_master_read, "filteredLookupInfo" => filtered_lookup_info,
    "compoundFieldName" => compound_field_name, "extraTypeInfo" => extra_type_info, "soapType" => soap_type,
    "inlineHelpText" => inline_help_text, "htmlFormatted" => html_formatted, "encrypted" => encrypted, "mask" => mask,
    "maskType" => mask_type, "displayLocationInDecimal" => display_location_in_decimal,
    "queryByDistance" => query_by_distance, "highScaleNumber" => high_scale_number,
    "searchPrefilterable" => search_prefilterable, "aiPredictionField" => ai_prediction_field,
    "deprecatedAndHidden" => deprecated_and_hidden,
});

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
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PicklistValue {
    /// Offered to users.
    #[serde(skip_serializing_if = "is_no")]
    pub active: bool,
    /// Preselected.
    #[serde(skip_serializing_if = "is_no")]
    pub default_value: bool,
    /// Label in the user's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What a record holds.
    pub value: String,
    /// For which values of the controlling field it is open: bits in base64, as
    /// [`is_valid_for`](Self::is_valid_for) reads them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<String>,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(PicklistValue {
    "active" => active, "defaultValue" => default_value, "label" => label, "value" => value, "validFor" => valid_for,
});

/// What a filtered lookup offers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FilteredLookupInfo {
    /// Fields of the record that decide what is offered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub controlling_fields: Vec<String>,
    /// Which parents are offered depends on the record.
    #[serde(skip_serializing_if = "is_no")]
    pub dependent: bool,
    /// Other parents are warned of, not refused.
    #[serde(skip_serializing_if = "is_no")]
    pub optional_filter: bool,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(FilteredLookupInfo {
    "controllingFields" => controlling_fields, "dependent" => dependent, "optionalFilter" => optional_filter,
});
