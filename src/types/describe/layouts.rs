//! What record types make of an object's picklists.

use serde::Serialize;

use super::PicklistValue;
use super::keep::{OtherKeys, is_no, reads_keys};

/// Which layout and which picklist values an object's record types have. The layouts themselves are not read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RecordTypeMappings {
    /// One for each record type, also for those that the user may not choose, and the master type.
    pub record_type_mappings: Vec<RecordTypeMapping>,
}

/// Keeps what it is made for, and not the layouts, which are large.
impl<'de> serde::Deserialize<'de> for RecordTypeMappings {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            record_type_mappings: Vec<RecordTypeMapping>,
        }
        Wire::deserialize(deserializer).map(|wire| Self { record_type_mappings: wire.record_type_mappings })
    }
}

/// What a record type has.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "describe is a list of flags")]
pub struct RecordTypeMapping {
    /// Id of the record type.
    pub record_type_id: String,
    /// API name.
    pub developer_name: String,
    /// Label in the user's language.
    pub name: String,
    /// In use.
    #[serde(skip_serializing_if = "is_no")]
    pub active: bool,
    /// The user may choose it.
    #[serde(skip_serializing_if = "is_no")]
    pub available: bool,
    /// The user's default.
    #[serde(skip_serializing_if = "is_no")]
    pub default_record_type_mapping: bool,
    /// The type that stands for "none".
    #[serde(skip_serializing_if = "is_no")]
    pub master: bool,
    /// Id of the layout that the user sees records of the type in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout_id: Option<String>,
    /// What the type opens of each picklist; may be empty for the master type, which opens all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub picklists_for_record_type: Vec<RecordTypePicklist>,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(RecordTypeMapping {
    "recordTypeId" => record_type_id, "developerName" => developer_name, "name" => name, "active" => active,
    "available" => available, "defaultRecordTypeMapping" => default_record_type_mapping, "master" => master,
    "layoutId" => layout_id, "picklistsForRecordType" => picklists_for_record_type,
});

/// What a record type opens of a picklist.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RecordTypePicklist {
    /// The field.
    pub picklist_name: String,
    /// The values that are open, in their order.
    pub picklist_values: Vec<PicklistValue>,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(RecordTypePicklist {
    "picklistName" => picklist_name, "picklistValues" => picklist_values,
});

impl RecordTypeMapping {
    /// The values that the type opens of a picklist; `None` where it says nothing of the field, as the master type may. Names compare
    /// without regard to case.
    #[must_use]
    pub fn values(&self, field: &str) -> Option<&[PicklistValue]> {
        let lists = &self.picklists_for_record_type;
        lists.iter().find(|list| list.picklist_name.eq_ignore_ascii_case(field)).map(|list| &*list.picklist_values)
    }
}
