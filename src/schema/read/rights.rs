//! The permission set, its rights, and whether the run-time user has it.

use super::{rows, seen};
use crate::api::CompositeResponse;
use crate::api::metadata::{FieldPermission, ObjectPermission, PermissionSet};
use crate::error::Result;
use crate::schema::org::OrgPermissionSet;
use crate::types::soql::field;
use crate::types::{Record, RecordId, Soql, Value};

/// Rights are rows of their own: the pages of a sub-query end early.
pub(super) fn set_queries(set: &PermissionSet, user: RecordId) -> Result<Vec<(&'static str, Soql)>> {
    let name = set.full_name.as_str();
    let columns: Vec<String> = ["Id", "Name", "Label", "Description"]
        .into_iter()
        .map(str::to_owned)
        .chain(set.users.iter().map(|permission| format!("Permissions{permission}")))
        .collect();
    let of_set = |object: &str, columns: &[&str]| {
        Soql::select(columns.iter().copied()).from(object).filter(field("Parent.Name").eq(name)).build()
    };
    let rights = [
        "SobjectType",
        "PermissionsRead",
        "PermissionsCreate",
        "PermissionsEdit",
        "PermissionsDelete",
        "PermissionsViewAllRecords",
        "PermissionsModifyAllRecords",
    ];
    let assigned = field("PermissionSet.Name").eq(name).and(field("AssigneeId").eq(user));
    Ok(vec![
        (
            "set",
            Soql::select(columns.iter().map(String::as_str))
                .from("PermissionSet")
                .filter(field("Name").eq(name))
                .build()?,
        ),
        ("objects", of_set("ObjectPermissions", &rights)?),
        ("fields", of_set("FieldPermissions", &["Field", "PermissionsRead", "PermissionsEdit"])?),
        ("assigned", Soql::select(["Id"]).from("PermissionSetAssignment").filter(assigned).build()?),
    ])
}

pub(super) fn permission_set(
    answers: &[CompositeResponse],
    wanted: &PermissionSet,
) -> Result<Option<OrgPermissionSet>> {
    let sets = seen(rows(answers, "set"))?;
    let Some(row) = sets.first() else { return Ok(None) };
    let on = |row: &Record, column: &str| row.get(column).and_then(Value::as_bool).unwrap_or(false);
    let text = |row: &Record, column: &str| row.text(column).unwrap_or_default().to_owned();
    let objects = seen(rows(answers, "objects"))?;
    let objects = objects.iter().map(|row| ObjectPermission {
        object: text(row, "SobjectType"),
        read: on(row, "PermissionsRead"),
        create: on(row, "PermissionsCreate"),
        edit: on(row, "PermissionsEdit"),
        delete: on(row, "PermissionsDelete"),
        view_all: on(row, "PermissionsViewAllRecords"),
        modify_all: on(row, "PermissionsModifyAllRecords"),
        ..ObjectPermission::default()
    });
    let fields = seen(rows(answers, "fields"))?;
    let fields = fields.iter().map(|row| FieldPermission {
        field: text(row, "Field"),
        readable: on(row, "PermissionsRead"),
        editable: on(row, "PermissionsEdit"),
    });
    let users = wanted.users.iter().filter(|name| on(row, &format!("Permissions{name}")));
    Ok(Some(OrgPermissionSet {
        id: row.get("Id").and_then(Value::to_id),
        set: PermissionSet {
            full_name: text(row, "Name"),
            label: text(row, "Label"),
            description: row.text("Description").map(str::to_owned),
            objects: objects.collect(),
            fields: fields.collect(),
            users: users.cloned().collect(),
            ..PermissionSet::default()
        },
        assigned: !seen(rows(answers, "assigned"))?.is_empty(),
    }))
}
