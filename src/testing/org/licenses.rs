//! Licences: what a user may be granted at all.
//!
//! A user has the licence of its profile. One of "Salesforce Integration" has the API and nothing of the standard objects; the permission
//! set licence `SalesforceAPIIntegrationPsl` opens them. (Help, "Give Integration Users API Only Access".)

use super::data::{Data, row_id};
use super::edition::SetupLimits;
use super::error::ApiError;
use super::schema::Schema;
use super::store::Store;
use super::value::{Row, Value, is_set, text};

/// The licence of users that only integrate, and the permission set licence that goes with it.
pub(crate) const INTEGRATION: &str = "Salesforce Integration";
pub(crate) const INTEGRATION_SET: &str = "SalesforceAPIIntegrationPsl";

/// The row of the licence a user's profile has.
fn license_of<'s>(store: &'s Store, user: &str) -> Option<&'s Row> {
    let profile = text(store.find(user)?.0, "ProfileId");
    let license = text(store.find(profile)?.0, "UserLicenseId");
    Some(store.find(license)?.0)
}

fn has_set_license(store: &Store, user: &str, license: &str) -> bool {
    let mut rows = store.rows("PermissionSetLicenseAssign", false);
    rows.any(|row| text(row, "AssigneeId") == user && text(row, "PermissionSetLicenseId") == license)
}

/// Whether a user may have rights on standard objects.
fn may_have_objects(store: &Store, user: &str) -> bool {
    let integrates = license_of(store, user).is_some_and(|license| text(license, "Name") == INTEGRATION);
    let mut sets = store.rows("PermissionSetLicense", false);
    let opener = sets.find(|row| text(row, "DeveloperName") == INTEGRATION_SET).and_then(row_id);
    !integrates || opener.is_some_and(|license| has_set_license(store, user, &license))
}

fn not_allowed(permission: &str) -> ApiError {
    // [S] The code and the text, of several projects: "FIELD_INTEGRITY_EXCEPTION, The user license doesn't allow the permission: Read
    // Promotion".
    let message = format!("The user license doesn't allow the permission: {permission}");
    ApiError::row("FIELD_INTEGRITY_EXCEPTION", message, [])
}

/// Refuses to assign a permission set to a user whose licence does not go with it, or who has too many.
pub(crate) fn check_assignment(
    schema: &Schema,
    store: &Store,
    limits: &SetupLimits,
    user: &str,
    set: &str,
) -> Result<(), ApiError> {
    let Some((row, false)) = store.find(set) else { return Ok(()) };
    if is_set(row, "IsOwnedByProfile") {
        return Ok(());
    }
    let of_user = store.rows("PermissionSetAssignment", false).filter(|row| text(row, "AssigneeId") == user);
    let counts = |row: &&Row| {
        let set = store.find(text(row, "PermissionSetId"));
        !set.is_some_and(|(set, _)| is_set(set, "IsOwnedByProfile"))
    };
    if of_user.filter(counts).count() >= limits.assignments {
        // [K] The code and the text.
        let message = format!("You can assign at most {} permission sets to a user.", limits.assignments);
        return Err(ApiError::row("LIMIT_EXCEEDED", message, ["AssigneeId"]));
    }
    let license = text(row, "LicenseId");
    if store.object_of(license) == Some("UserLicense")
        && license_of(store, user).and_then(row_id).as_deref() != Some(license)
    {
        // [D] Object Reference, `PermissionSetAssignment`: both licences must match. [S] The words, of a tool's refusal; [K] the code.
        let message = "The user license doesn't match the license of the permission set";
        return Err(ApiError::row("FIELD_INTEGRITY_EXCEPTION", message, ["PermissionSetId"]));
    }
    if may_have_objects(store, user) || store.object_of(license) == Some("PermissionSetLicense") {
        // [K] A permission set with a permission set licence brings it along.
        return Ok(());
    }
    let rights = store.lookup("ObjectPermissions", "ParentId", &Value::Text(set.to_owned())).unwrap_or_default();
    let standard = rights.into_iter().find(|row| is_standard(schema, text(row, "SobjectType")));
    standard.map_or(Ok(()), |row| Err(not_allowed(&format!("Read {}", text(row, "SobjectType")))))
}

fn is_standard(schema: &Schema, object: &str) -> bool {
    schema.object(object).is_some_and(|object| !object.custom)
}

/// Refuses a right on an object that somebody's licence does not allow who has the permission set already.
// [S] The setup page refuses it in the same words; [K] the API.
pub(crate) fn check_rights(schema: &Schema, store: &Store, set: &str, object: &str) -> Result<(), ApiError> {
    if !is_standard(schema, object) {
        return Ok(());
    }
    let assigned =
        store.lookup("PermissionSetAssignment", "PermissionSetId", &Value::Text(set.to_owned())).unwrap_or_default();
    let barred = assigned.into_iter().any(|row| !may_have_objects(store, text(row, "AssigneeId")));
    if barred { Err(not_allowed(&format!("Read {object}"))) } else { Ok(()) }
}

/// Refuses one user more than a permission set licence is for.
pub(crate) fn check_license(store: &Store, row: &Row) -> Result<(), ApiError> {
    let id = text(row, "PermissionSetLicenseId");
    let Some((license, false)) = store.find(id) else { return Ok(()) };
    if has_set_license(store, text(row, "AssigneeId"), id) {
        // [K] The code and the text.
        return Err(ApiError::row("DUPLICATE_VALUE", "Duplicate PermissionSetLicenseAssign", ["AssigneeId"]));
    }
    let used =
        store.rows("PermissionSetLicenseAssign", false).filter(|row| text(row, "PermissionSetLicenseId") == id).count();
    let total = match license.get("TotalLicenses") {
        Some(Value::Number(total)) => usize::try_from(*total).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    if used >= total {
        // [S] The code; [K] the text.
        let message = format!("There are no more licenses available for {}", text(license, "MasterLabel"));
        return Err(ApiError::row("LICENSE_LIMIT_EXCEEDED", message, []));
    }
    Ok(())
}

/// Tells how many of a permission set licence are in use. [K] One that is taken back is not told at once.
pub(crate) fn count(data: &mut Data, assignment: &str) {
    let license = data.store.find(assignment).map(|(row, _)| text(row, "PermissionSetLicenseId").to_owned());
    let Some(license) = license else { return };
    let rows = data.store.rows("PermissionSetLicenseAssign", false);
    let used = rows.filter(|row| text(row, "PermissionSetLicenseId") == license).count();
    let Some((row, false)) = data.store.find(&license) else { return };
    let mut row = row.clone();
    row.insert("UsedLicenses".to_owned(), Value::Number(used.into()));
    data.store.update(&license, row);
}
