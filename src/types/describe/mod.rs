//! What an org says of its objects and fields.

mod dependent;
mod field;
mod keep;
mod layouts;

use serde::Serialize;

pub use self::dependent::DependentValues;
pub use self::field::{FieldDescribe, FieldType, FilteredLookupInfo, PicklistValue};
pub use self::keep::{OtherKeys, Urls};
use self::keep::{is_no, reads_keys};
pub use self::layouts::{RecordTypeMapping, RecordTypeMappings, RecordTypePicklist};

/// The answer of describe global: every object the user can see.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DescribeGlobal {
    /// The encoding of answers; `UTF-8`.
    pub encoding: String,
    /// Records per collections call; 200.
    pub max_batch_size: u32,
    /// The objects.
    pub sobjects: Vec<SObjectSummary>,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(DescribeGlobal {
    "encoding" => encoding, "maxBatchSize" => max_batch_size, "sobjects" => sobjects,
});

/// One object in describe global.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "describe is a list of flags")]
pub struct SObjectSummary {
    /// API name.
    pub name: String,
    /// Label in the user's language.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Plural label in the user's language.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label_plural: String,
    /// First three characters of its ids; `None` for objects without, such as history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_prefix: Option<String>,
    /// Reserved by Salesforce.
    #[serde(skip_serializing_if = "is_no")]
    pub activateable: bool,
    /// What an object made by Salesforce beside another one is for it, such as `History` or `Share`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub associate_entity_type: Option<String>,
    /// The object beside which it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub associate_parent_entity: Option<String>,
    /// The user may create records.
    #[serde(skip_serializing_if = "is_no")]
    pub createable: bool,
    /// Made in this org or by a package.
    #[serde(skip_serializing_if = "is_no")]
    pub custom: bool,
    /// A custom setting.
    #[serde(skip_serializing_if = "is_no")]
    pub custom_setting: bool,
    /// Records can be cloned with what belongs to them.
    #[serde(skip_serializing_if = "is_no")]
    pub deep_cloneable: bool,
    /// The user may delete records.
    #[serde(skip_serializing_if = "is_no")]
    pub deletable: bool,
    /// Reserved by Salesforce.
    #[serde(skip_serializing_if = "is_no")]
    pub deprecated_and_hidden: bool,
    /// Its records have feeds.
    #[serde(skip_serializing_if = "is_no")]
    pub feed_enabled: bool,
    /// It has subtypes.
    #[serde(skip_serializing_if = "is_no")]
    pub has_subtypes: bool,
    /// An interface of other objects.
    #[serde(skip_serializing_if = "is_no")]
    pub is_interface: bool,
    /// A subtype of another object.
    #[serde(skip_serializing_if = "is_no")]
    pub is_subtype: bool,
    /// It has page layouts.
    #[serde(skip_serializing_if = "is_no")]
    pub layoutable: bool,
    /// Records can be merged.
    #[serde(skip_serializing_if = "is_no")]
    pub mergeable: bool,
    /// Records used lately are remembered.
    #[serde(skip_serializing_if = "is_no")]
    pub mru_enabled: bool,
    /// SOQL can read it.
    #[serde(skip_serializing_if = "is_no")]
    pub queryable: bool,
    /// `getUpdated` and `getDeleted` work.
    #[serde(skip_serializing_if = "is_no")]
    pub replicateable: bool,
    /// Records can be read by id.
    #[serde(skip_serializing_if = "is_no")]
    pub retrieveable: bool,
    /// SOSL finds records.
    #[serde(skip_serializing_if = "is_no")]
    pub searchable: bool,
    /// It can have triggers.
    #[serde(skip_serializing_if = "is_no")]
    pub triggerable: bool,
    /// The user may restore deleted records.
    #[serde(skip_serializing_if = "is_no")]
    pub undeletable: bool,
    /// The user may update records.
    #[serde(skip_serializing_if = "is_no")]
    pub updateable: bool,
    /// Resources of the object by name, such as `describe`.
    #[serde(skip_serializing_if = "Urls::is_empty")]
    pub urls: Urls,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(SObjectSummary {
    "name" => name, "label" => label, "labelPlural" => label_plural, "keyPrefix" => key_prefix,
    "activateable" => activateable, "associateEntityType" => associate_entity_type,
    "associateParentEntity" => associate_parent_entity, "createable" => createable, "custom" => custom,
    "customSetting" => custom_setting, "deepCloneable" => deep_cloneable, "deletable" => deletable,
    "deprecatedAndHidden" => deprecated_and_hidden, "feedEnabled" => feed_enabled, "hasSubtypes" => has_subtypes,
    "isInterface" => is_interface, "isSubtype" => is_subtype, "layoutable" => layoutable, "mergeable" => mergeable,
    "mruEnabled" => mru_enabled, "queryable" => queryable, "replicateable" => replicateable,
    "retrieveable" => retrieveable, "searchable" => searchable, "triggerable" => triggerable,
    "undeletable" => undeletable, "updateable" => updateable, "urls" => urls,
});

/// The answer of an object's describe, for the user who asks: what is hidden from the user is not in it.
///
/// Every key that is documented or recorded has its field; others are kept as they came ([`OtherKeys`]). Written as JSON it has only
/// what differs from `false`, `0`, `null` and empty, about half of what Salesforce sends, and is read again as the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "describe is a list of flags")]
pub struct SObjectDescribe {
    /// API name.
    pub name: String,
    /// Label in the user's language.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Plural label in the user's language.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label_plural: String,
    /// First three characters of its ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_prefix: Option<String>,
    /// Pages that stand in for standard ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub action_overrides: Vec<ActionOverride>,
    /// Reserved by Salesforce.
    #[serde(skip_serializing_if = "is_no")]
    pub activateable: bool,
    /// What an object made by Salesforce beside another one is for it, such as `History` or `Share`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub associate_entity_type: Option<String>,
    /// The object beside which it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub associate_parent_entity: Option<String>,
    /// It has compact layouts.
    #[serde(skip_serializing_if = "is_no")]
    pub compact_layoutable: bool,
    /// The user may create records.
    #[serde(skip_serializing_if = "is_no")]
    pub createable: bool,
    /// Made in this org or by a package.
    #[serde(skip_serializing_if = "is_no")]
    pub custom: bool,
    /// A custom setting.
    #[serde(skip_serializing_if = "is_no")]
    pub custom_setting: bool,
    /// Records can be cloned with what belongs to them.
    #[serde(skip_serializing_if = "is_no")]
    pub deep_cloneable: bool,
    /// Of an interface: the object that stands for it by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_implementation: Option<String>,
    /// The user may delete records.
    #[serde(skip_serializing_if = "is_no")]
    pub deletable: bool,
    /// Reserved by Salesforce.
    #[serde(skip_serializing_if = "is_no")]
    pub deprecated_and_hidden: bool,
    /// Reserved by Salesforce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_by: Option<String>,
    /// Reserved by Salesforce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends_interfaces: Option<String>,
    /// Its records have feeds.
    #[serde(skip_serializing_if = "is_no")]
    pub feed_enabled: bool,
    /// It has subtypes.
    #[serde(skip_serializing_if = "is_no")]
    pub has_subtypes: bool,
    /// Of an interface: the objects that have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implemented_by: Option<String>,
    /// The interfaces it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implements_interfaces: Option<String>,
    /// An interface of other objects.
    #[serde(skip_serializing_if = "is_no")]
    pub is_interface: bool,
    /// A subtype of another object.
    #[serde(skip_serializing_if = "is_no")]
    pub is_subtype: bool,
    /// It has page layouts.
    #[serde(skip_serializing_if = "is_no")]
    pub layoutable: bool,
    /// Reserved by Salesforce; null as a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listviewable: Option<bool>,
    /// Reserved by Salesforce; null as a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookup_layoutable: Option<bool>,
    /// Records can be merged.
    #[serde(skip_serializing_if = "is_no")]
    pub mergeable: bool,
    /// Records used lately are remembered.
    #[serde(skip_serializing_if = "is_no")]
    pub mru_enabled: bool,
    /// Layouts with a name of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub named_layout_infos: Vec<NamedLayoutInfo>,
    /// The field that ties a record to an Experience Cloud site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_scope_field_name: Option<String>,
    /// SOQL can read it.
    #[serde(skip_serializing_if = "is_no")]
    pub queryable: bool,
    /// `getUpdated` and `getDeleted` work.
    #[serde(skip_serializing_if = "is_no")]
    pub replicateable: bool,
    /// Records can be read by id.
    #[serde(skip_serializing_if = "is_no")]
    pub retrieveable: bool,
    /// It has search layouts.
    #[serde(skip_serializing_if = "is_no")]
    pub search_layoutable: bool,
    /// SOSL finds records.
    #[serde(skip_serializing_if = "is_no")]
    pub searchable: bool,
    /// How much was described; `FULL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sobject_describe_option: Option<String>,
    /// What `USING SCOPE` takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supported_scopes: Vec<ScopeInfo>,
    /// It can have triggers.
    #[serde(skip_serializing_if = "is_no")]
    pub triggerable: bool,
    /// The user may restore deleted records.
    #[serde(skip_serializing_if = "is_no")]
    pub undeletable: bool,
    /// The user may update records.
    #[serde(skip_serializing_if = "is_no")]
    pub updateable: bool,
    /// Resources and pages of the object by name, such as `layouts`.
    #[serde(skip_serializing_if = "Urls::is_empty")]
    pub urls: Urls,
    /// The fields the user can see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDescribe>,
    /// Objects that refer to this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub child_relationships: Vec<ChildRelationship>,
    /// Record types; an object with layouts has the master type at least.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub record_type_infos: Vec<RecordTypeInfo>,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(SObjectDescribe {
    "name" => name, "label" => label, "labelPlural" => label_plural, "keyPrefix" => key_prefix,
    "actionOverrides" => action_overrides, "activateable" => activateable,
    "associateEntityType" => associate_entity_type, "associateParentEntity" => associate_parent_entity,
    "compactLayoutable" => compact_layoutable, "createable" => createable, "custom" => custom,
    "customSetting" => custom_setting, "deepCloneable" => deep_cloneable,
    "defaultImplementation" => default_implementation, "deletable" => deletable,
    "deprecatedAndHidden" => deprecated_and_hidden, "extendedBy" => extended_by,
    "extendsInterfaces" => extends_interfaces, "feedEnabled" => feed_enabled, "hasSubtypes" => has_subtypes,
    "implementedBy" => implemented_by, "implementsInterfaces" => implements_interfaces, "isInterface" => is_interface,
    "isSubtype" => is_subtype, "layoutable" => layoutable, "listviewable" => listviewable,
    "lookupLayoutable" => lookup_layoutable, "mergeable" => mergeable, "mruEnabled" => mru_enabled,
    "namedLayoutInfos" => named_layout_infos, "networkScopeFieldName" => network_scope_field_name,
    "queryable" => queryable, "replicateable" => replicateable, "retrieveable" => retrieveable,
    "searchLayoutable" => search_layoutable, "searchable" => searchable,
    "sobjectDescribeOption" => sobject_describe_option, "supportedScopes" => supported_scopes,
    "triggerable" => triggerable, "undeletable" => undeletable, "updateable" => updateable, "urls" => urls,
    "fields" => fields, "childRelationships" => child_relationships, "recordTypeInfos" => record_type_infos,
});

impl SObjectDescribe {
    /// The field of that name; names compare without regard to case, as Salesforce does.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldDescribe> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }
}

/// An object that refers to the described one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ChildRelationship {
    /// The object that refers.
    #[serde(rename = "childSObject")]
    pub child_sobject: String,
    /// Its reference field.
    pub field: String,
    /// The name of the children in SOQL; `None` where they have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationship_name: Option<String>,
    /// Children go with their parent.
    #[serde(skip_serializing_if = "is_no")]
    pub cascade_delete: bool,
    /// Reserved by Salesforce.
    #[serde(skip_serializing_if = "is_no")]
    pub deprecated_and_hidden: bool,
    /// Lists of ids that stand for the relationship.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub junction_id_list_names: Vec<String>,
    /// Objects on the other side of a junction.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub junction_reference_to: Vec<String>,
    /// A parent with children cannot be deleted.
    #[serde(skip_serializing_if = "is_no")]
    pub restricted_delete: bool,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(ChildRelationship {
    "childSObject" => child_sobject, "field" => field, "relationshipName" => relationship_name,
    "cascadeDelete" => cascade_delete, "deprecatedAndHidden" => deprecated_and_hidden,
    "junctionIdListNames" => junction_id_list_names, "junctionReferenceTo" => junction_reference_to,
    "restrictedDelete" => restricted_delete,
});

/// A record type of an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "describe is a list of flags")]
pub struct RecordTypeInfo {
    /// In use.
    #[serde(skip_serializing_if = "is_no")]
    pub active: bool,
    /// The user may choose it.
    #[serde(skip_serializing_if = "is_no")]
    pub available: bool,
    /// The user's default.
    #[serde(skip_serializing_if = "is_no")]
    pub default_record_type_mapping: bool,
    /// API name.
    pub developer_name: String,
    /// The type that stands for "none".
    #[serde(skip_serializing_if = "is_no")]
    pub master: bool,
    /// Label in the user's language.
    pub name: String,
    /// Id.
    pub record_type_id: String,
    /// Resources of the record type by name: `layout`.
    #[serde(skip_serializing_if = "Urls::is_empty")]
    pub urls: Urls,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(RecordTypeInfo {
    "active" => active, "available" => available, "defaultRecordTypeMapping" => default_record_type_mapping,
    "developerName" => developer_name, "master" => master, "name" => name, "recordTypeId" => record_type_id,
    "urls" => urls,
});

/// A page that stands in for a standard one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ActionOverride {
    /// The action, such as `New`.
    pub name: String,
    /// Where it holds: `Large` on a desktop, `Small` on a phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form_factor: Option<String>,
    /// It is there in the mobile app.
    #[serde(skip_serializing_if = "is_no")]
    pub is_available_in_touch: bool,
    /// Id of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_id: Option<String>,
    /// Address of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(ActionOverride {
    "name" => name, "formFactor" => form_factor, "isAvailableInTouch" => is_available_in_touch, "pageId" => page_id,
    "url" => url,
});

/// A layout with a name of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NamedLayoutInfo {
    /// The name.
    pub name: String,
    /// Resources of the layout by name.
    #[serde(skip_serializing_if = "Urls::is_empty")]
    pub urls: Urls,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(NamedLayoutInfo {
    "name" => name, "urls" => urls,
});

/// A scope of records.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ScopeInfo {
    /// What stands after `USING SCOPE`, such as `mine`.
    pub name: String,
    /// Label in the user's language.
    pub label: String,
    /// What else the org says of it.
    #[serde(flatten)]
    pub other: OtherKeys,
}

reads_keys!(ScopeInfo {
    "name" => name, "label" => label,
});

#[cfg(test)]
mod tests;
