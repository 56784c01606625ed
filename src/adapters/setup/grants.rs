//! A permission set that grants what a requirement set needs and nothing else.

use crate::api::metadata::{FieldPermission, ObjectPermission, PermissionSet};
use crate::schema::{ObjectRequirement, ObjectRight, RequirementSet, Severity};

/// Objects without object permissions: they come with the licence, or with another object. (Object Reference; protocol facts, 5.)
const NO_RIGHTS: [&str; 9] = [
    "Event",
    "Task",
    "User",
    "OpportunityContactRole",
    "OpportunityHistory",
    "OpportunityStage",
    "RecordType",
    "OpportunityTeamMember",
    "AccountTeamMember",
];

/// Standard fields without field permission: required ones, and those that Salesforce keeps. (Protocol facts, section 10.)
const NO_FIELD_RIGHTS: [&str; 22] = [
    "Id",
    "Name",
    "FirstName",
    "LastName",
    "Company",
    "OwnerId",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "SystemModstamp",
    "StageName",
    "CloseDate",
    "IsClosed",
    "IsWon",
    "ForecastCategoryName",
    "IsConverted",
    "ConvertedContactId",
    "ConvertedAccountId",
    "Subject",
    "StartDateTime",
    "EndDateTime",
    "IsDeleted",
];

/// What is required on each object and field that can be granted; what is recommended or optional is left to the admin.
pub(super) fn permission_set(required: &RequirementSet, name: &str, label: &str, description: &str) -> PermissionSet {
    let needed = |severity: Severity| severity == Severity::Required;
    let granted = |object: &&ObjectRequirement| needed(object.severity) && !NO_RIGHTS.contains(&object.object.as_str());
    let objects = required.objects.iter().filter(granted).map(|object| {
        let has = |right| object.rights.get(&right).copied().is_some_and(needed);
        let (view_all, modify_all) = (has(ObjectRight::ViewAll), has(ObjectRight::ModifyAll));
        ObjectPermission {
            object: object.object.to_string(),
            read: true,
            create: has(ObjectRight::Create),
            // Object Reference, "ObjectPermissions": what needs what.
            edit: has(ObjectRight::Edit) || has(ObjectRight::Delete) || modify_all,
            delete: has(ObjectRight::Delete) || modify_all,
            view_all: view_all || modify_all,
            modify_all,
            ..ObjectPermission::default()
        }
    });
    let fields = required.objects.iter().filter(granted).flat_map(|object| {
        let fields = object.fields.iter().filter(|field| needed(field.severity));
        fields.filter(|field| !NO_FIELD_RIGHTS.contains(&field.field.as_str())).map(|field| FieldPermission {
            field: format!("{}.{}", object.object, field.field),
            readable: true,
            editable: field.write.is_some_and(needed),
        })
    });
    PermissionSet {
        full_name: name.to_owned(),
        label: label.to_owned(),
        description: Some(description.to_owned()),
        fields: fields.collect(),
        objects: objects.collect(),
        ..PermissionSet::default()
    }
}
