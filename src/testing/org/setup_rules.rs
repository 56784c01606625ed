//! The rules of records that grant rights.

use super::data::{Data, row_id, set};
use super::edition::SetupLimits;
use super::error::ApiError;
use super::licenses;
use super::schema::{FieldType, Object, Schema};
use super::store::Store;
use super::value::{Row, Value, is_set, text};

/// A permission and what it needs, named as in the columns of `ObjectPermissions`.
// Object Reference, "ObjectPermissions"
const OBJECT_NEEDS: [(&str, &[&str]); 5] = [
    ("Create", &["Read"]),
    ("Edit", &["Read"]),
    ("Delete", &["Read", "Edit"]),
    ("ViewAllRecords", &["Read"]),
    ("ModifyAllRecords", &["Read", "Edit", "Delete", "ViewAllRecords"]),
];

/// [K] not verified: the few dependencies that are certain among the hundreds there are.
const SYSTEM_NEEDS: [(&str, &[&str]); 6] = [
    ("CustomizeApplication", &["ViewSetup"]),
    ("ManageUsers", &["ViewSetup"]),
    ("AssignPermissionSets", &["ViewSetup"]),
    ("ManageProfilesPermissionsets", &["ViewSetup"]),
    ("ModifyAllData", &["ViewAllData"]),
    ("AuthorApex", &["ViewSetup"]),
];

/// Whether rights on an object are granted by `ObjectPermissions`.
pub(crate) fn has_object_permissions(object: &Object) -> bool {
    object.layoutable
        && !matches!(object.name.as_str(), "Event" | "Task" | "User" | "UserRole" | "OpportunityContactRole")
}

/// As the setup page names a permission.
fn spelt(permission: &str) -> &str {
    match permission {
        "ViewAllRecords" => "View All",
        "ModifyAllRecords" => "Modify All",
        other => other,
    }
}

fn depends(permission: &str, needs: &[String]) -> ApiError {
    // [S] The text, from many reports of deployments; [K] the code.
    let message = format!("Permission {permission} depends on permission(s): {}", needs.join(", "));
    ApiError::row("FIELD_INTEGRITY_EXCEPTION", message, [])
}

/// What rights on an object need of each other. `has` says which of the set's rights on which object are on.
pub(crate) fn check_object_rights(object: &Object, has: &dyn Fn(&str, &str) -> bool) -> Result<(), ApiError> {
    for (permission, needs) in OBJECT_NEEDS {
        if !has(&object.name, permission) {
            continue;
        }
        let missing = needs.iter().filter(|need| !has(&object.name, need));
        let missing: Vec<String> = missing.map(|need| format!("{} {}", spelt(need), object.name)).collect();
        if !missing.is_empty() {
            return Err(depends(&format!("{} {}", spelt(permission), object.name), &missing));
        }
    }
    let masters = object.fields.iter().filter(|field| field.is_master_detail()).flat_map(|field| &field.reference_to);
    let missing: Vec<String> =
        masters.filter(|master| !has(master, "Read")).map(|master| format!("Read {master}")).collect();
    if has(&object.name, "Read") && !missing.is_empty() {
        return Err(depends(&format!("Read {}", object.name), &missing));
    }
    Ok(())
}

/// What system permissions need of each other.
pub(crate) fn check_system_rights(has: &dyn Fn(&str) -> bool) -> Result<(), ApiError> {
    for (permission, needs) in SYSTEM_NEEDS {
        let missing: Vec<String> = needs.iter().filter(|need| !has(need)).map(|need| (*need).to_owned()).collect();
        if has(permission) && !missing.is_empty() {
            return Err(depends(permission, &missing));
        }
    }
    Ok(())
}

/// The rights on objects that a permission set grants.
pub(crate) fn granted_on(store: &Store, set: &str, object: &str, permission: &str) -> bool {
    let parent = Value::Text(set.to_owned());
    let column = format!("Permissions{permission}");
    let rows = store.lookup("ObjectPermissions", "ParentId", &parent).unwrap_or_default();
    rows.into_iter().any(|row| text(row, "SobjectType").eq_ignore_ascii_case(object) && is_set(row, &column))
}

fn bad_value(label: &str, field: &str, value: &str) -> ApiError {
    // [K] The code and the text: the picklist holds only what can have permissions.
    let message = format!("{label}: bad value for restricted picklist field: {value}");
    ApiError::row("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field])
}

/// Checks a record of setup that is about to be saved and fills in what follows.
pub(crate) fn before_save(
    schema: &Schema,
    store: &Store,
    limits: &SetupLimits,
    object: &Object,
    row: &mut Row,
) -> Result<(), ApiError> {
    match object.name.as_str() {
        "ObjectPermissions" => object_permissions(schema, store, row),
        "FieldPermissions" => field_permissions(schema, store, row),
        "PermissionSetAssignment" => assignment(schema, store, limits, row),
        "PermissionSetLicenseAssign" => licenses::check_license(store, row),
        "PermissionSet" => permission_set(store, limits, row),
        _ => Ok(()),
    }
}

fn object_permissions(schema: &Schema, store: &Store, row: &mut Row) -> Result<(), ApiError> {
    let wanted = text(row, "SobjectType").to_owned();
    let Some(object) = schema.object(&wanted).filter(|object| has_object_permissions(object)) else {
        return Err(bad_value("SObject Type Name", "SobjectType", &wanted));
    };
    set(row, "SobjectType", Value::Text(object.name.clone()));
    let parent = text(row, "ParentId");
    let has = |name: &str, permission: &str| {
        if name == object.name {
            is_set(row, &format!("Permissions{permission}"))
        } else {
            granted_on(store, parent, name, permission)
        }
    };
    check_object_rights(object, &has)?;
    licenses::check_rights(schema, store, parent, &object.name)?;
    unique_in_set(store, "ObjectPermissions", row, "SobjectType")
}

fn field_permissions(schema: &Schema, store: &Store, row: &mut Row) -> Result<(), ApiError> {
    let wanted = text(row, "Field").to_owned();
    let refuse = || bad_value("Field Name", "Field", &wanted);
    let (object, field) = wanted.split_once('.').ok_or_else(refuse)?;
    let object = schema.object(object).ok_or_else(refuse)?;
    // Object Reference, "FieldPermissions": only fields with `permissionable`.
    let field = object.field(field).filter(|field| field.permissionable).ok_or_else(refuse)?;
    let kind = text(row, "SobjectType");
    if !kind.eq_ignore_ascii_case(&object.name) {
        return Err(bad_value("SObject Type Name", "SobjectType", kind));
    }
    let full = format!("{}.{}", object.name, field.name);
    let edit = is_set(row, "PermissionsEdit");
    if edit && !is_set(row, "PermissionsRead") {
        return Err(depends(&format!("Edit {full}"), &[format!("Read {full}")]));
    }
    let compound = matches!(field.kind, FieldType::Address | FieldType::Location);
    if edit && !compound && !field.createable && !field.updateable {
        // [K] The code and the text; the rule is documented.
        let message = format!("The field {full} is read only");
        return Err(ApiError::row("FIELD_INTEGRITY_EXCEPTION", message, ["PermissionsEdit"]));
    }
    set(row, "SobjectType", Value::Text(object.name.clone()));
    set(row, "Field", Value::Text(full));
    unique_in_set(store, "FieldPermissions", row, "Field")
}

/// [K] A permission set has one record for each object and field.
fn unique_in_set(store: &Store, object: &str, row: &Row, field: &str) -> Result<(), ApiError> {
    let parent = row.get("ParentId").cloned().unwrap_or(Value::Null);
    let rows = store.lookup(object, "ParentId", &parent).unwrap_or_default();
    let same = |other: &&Row| other.get(field) == row.get(field) && row_id(other) != row_id(row);
    match rows.into_iter().find(same).and_then(row_id) {
        None => Ok(()),
        Some(other) => {
            let message = format!("duplicate value found: <unknown> duplicates value on record with id: {other}");
            Err(ApiError::row("DUPLICATE_VALUE", message, []))
        }
    }
}

fn assignment(schema: &Schema, store: &Store, limits: &SetupLimits, row: &mut Row) -> Result<(), ApiError> {
    let id = text(row, "PermissionSetId");
    if id.is_empty() && text(row, "PermissionSetGroupId").is_empty() {
        // recorded: rest/collections-create-allornone-rollback.json has the text.
        let message = "Required fields are missing: [PermissionSetId]";
        return Err(ApiError::row("REQUIRED_FIELD_MISSING", message, ["PermissionSetId"]));
    }
    let user = text(row, "AssigneeId");
    let inactive = store.find(user).is_some_and(|(user, _)| !is_set(user, "IsActive"));
    if inactive {
        // [K] The text.
        return Err(ApiError::row("INACTIVE_OWNER_OR_USER", "operation performed with inactive user", ["AssigneeId"]));
    }
    let (own, twin) =
        (row_id(row), |other: &&Row| text(other, "AssigneeId") == user && text(other, "PermissionSetId") == id);
    let known = own.as_deref().is_some_and(|own| store.find(own).is_some());
    // One that is there twice is refused for that.
    if !known && !store.rows("PermissionSetAssignment", false).any(|row| twin(&row)) {
        licenses::check_assignment(schema, store, limits, user, id)?;
    }
    // [K] An assignment is active until it expires.
    set(row, "IsActive", Value::Bool(true));
    Ok(())
}

fn permission_set(store: &Store, limits: &SetupLimits, row: &mut Row) -> Result<(), ApiError> {
    if is_set(row, "IsOwnedByProfile") {
        return Ok(());
    }
    let made = store.rows("PermissionSet", false).filter(|row| !is_set(row, "IsOwnedByProfile"));
    let is_new = row_id(row).is_none_or(|id| store.find(&id).is_none());
    if is_new && made.count() >= limits.permission_sets {
        // [D] Help, "Permission Set Considerations": the limit. [K] The code and the text.
        let message = format!("You can create at most {} permission sets.", limits.permission_sets);
        return Err(ApiError::row("LIMIT_EXCEEDED", message, []));
    }
    if !is_developer_name(text(row, "Name")) {
        return Err(bad_name("Permission Set API Name", "Name"));
    }
    check_system_rights(&|permission| is_set(row, &format!("Permissions{permission}")))?;
    set(row, "IsCustom", Value::Bool(true));
    set(row, "Type", Value::Text("Regular".to_owned()));
    Ok(())
}

/// Metadata guide, "Metadata": letters, digits and underscores, a letter first, no underscore last, no two in a row.
pub(crate) fn is_developer_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.ends_with('_')
        && !name.contains("__")
}

pub(crate) fn bad_name(label: &str, field: &str) -> ApiError {
    // [S] The text, from many reports; [K] the code.
    let message = format!(
        "The {label} can only contain underscores and alphanumeric characters. It must be unique, begin with a letter, \
         not include spaces, not end with an underscore, and not contain two consecutive underscores."
    );
    ApiError::row("FIELD_INTEGRITY_EXCEPTION", message, [field])
}

/// Without reading a record grants nothing, and is gone. (Object Reference, `FieldPermissions`; [K] `ObjectPermissions`)
pub(crate) fn after_save(data: &mut Data, object: &Object, id: &str) {
    if object.name == "PermissionSetLicenseAssign" {
        licenses::count(data, id);
    }
    if !matches!(object.name.as_str(), "FieldPermissions" | "ObjectPermissions") {
        return;
    }
    let Some((row, false)) = data.store.find(id) else { return };
    if !is_set(row, "PermissionsRead") {
        data.store.delete(id);
    }
}

/// Refuses to delete what is still in use.
pub(crate) fn before_delete(store: &Store, object: &Object, row: &Row) -> Result<(), ApiError> {
    let id = row.get("Id").cloned().unwrap_or(Value::Null);
    match object.name.as_str() {
        "PermissionSet" => {
            let assigned = store.lookup("PermissionSetAssignment", "PermissionSetId", &id).unwrap_or_default();
            if assigned.is_empty() {
                return Ok(());
            }
            // Help, "Delete a Permission Set": not while it is assigned. [K] The code and the text.
            let message = "This permission set is assigned to users. Remove the assignments before you delete it.";
            Err(ApiError::row("DELETE_FAILED", message, []))
        }
        "PermissionSetAssignment" => {
            let set = store.find(text(row, "PermissionSetId"));
            if set.is_some_and(|(set, _)| is_set(set, "IsOwnedByProfile")) {
                // [K] The code and the text: a profile is not assigned this way.
                let message = "insufficient access rights on object id";
                return Err(ApiError::row("INSUFFICIENT_ACCESS_OR_READONLY", message, []));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
