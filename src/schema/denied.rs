//! What the set-up user may not do, and the two ways out.

use crate::error::{Error, ErrorKind};

pub(super) const VIEW_SETUP: &str = "View Setup and Configuration";
pub(super) const MODIFY_METADATA: &str = "Modify Metadata Through Metadata API Functions";

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
             set-up user \"{permission}\" and \"Customize Application\": Setup > Permission Sets > System Permissions > Edit, then \
             Manage Assignments"
        ))
        .with_effect(error.effect())
        .with_salesforce(error.salesforce().to_vec())
        .with_source(error)
}
