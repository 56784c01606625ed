//! What the set-up user may not do, and the two ways out.

use crate::api::metadata::DeployResult;
use crate::error::{Error, ErrorKind};

pub(super) const VIEW_SETUP: &str = "View Setup and Configuration";
pub(super) const MODIFY_METADATA: &str = "Modify Metadata Through Metadata API Functions";

pub(super) const MANAGE_SETS: &str = "Manage Profiles and Permission Sets";
pub(super) const ASSIGN_SETS: &str = "Assign Permission Sets";

/// The operation of errors of set-up.
pub(super) const OPERATION: &str = "schema.setup";

/// The error of a set-up user who lacks a permission. An org without API access is another thing, and said as it is.
pub(super) fn denied(error: Error, permission: &'static str) -> Error {
    if error.has_code("API_DISABLED_FOR_ORG") || error.has_code("API_CURRENTLY_DISABLED") {
        return error;
    }
    Error::new(ErrorKind::Forbidden, OPERATION, format!("the set-up user lacks \"{permission}\""))
        .with_advice(format!(
            "either connect once as a System Administrator to set the org up, and then again as the integration user; or give the \
             set-up user \"{permission}\" beside \"Customize Application\": Setup > Permission Sets > System Permissions > Edit, then \
             Manage Assignments"
        ))
        .with_effect(error.effect())
        .with_salesforce(error.salesforce().to_vec())
        .with_source(error)
}

/// The error of a deploy that was refused: one that refuses the permission set alone for want of rights names the permission.
///
/// Metadata API access does not stand in for the permission of a feature. (Help, "Metadata API Edit Access".)
pub(super) fn refused(error: Error, result: &DeployResult) -> Error {
    let no_right = |problem: &str| {
        let problem = problem.to_ascii_lowercase();
        ["insufficient access", "insufficient_access", "insufficient privileges"]
            .iter()
            .any(|words| problem.contains(words))
    };
    let failures = result.details.iter().flat_map(|details| &details.component_failures);
    let mut sets = failures.filter(|failure| failure.component_type.as_deref() == Some("PermissionSet"));
    if sets.any(|failure| failure.problem.as_deref().is_some_and(no_right)) {
        denied(error, MANAGE_SETS)
    } else {
        error
    }
}
