//! The permission set, its rights, and whether the run-time user has it.

use super::{Namespace, own_text as text, rows, seen};
use crate::api::CompositeResponse;
use crate::api::metadata::{FieldPermission, ObjectPermission, PermissionSet};
use crate::error::Result;
use crate::schema::DesiredSchema;
use crate::schema::org::OrgPermissionSet;
use crate::types::soql::field;
use crate::types::{Record, RecordId, Soql, Value};

/// Names in one query. A set has one row for each, so their rows fit on a page of 2,000 with room for a namesake's of a package.
const NAMES: usize = 500;

/// Of an admin's rows, which may be any number, only those on what is desired are asked for. Rights are rows of their own: the pages of
/// a sub-query end early.
pub(super) fn set_queries(desired: &DesiredSchema, set: &PermissionSet, user: RecordId) -> Result<Vec<(String, Soql)>> {
    let name = set.full_name.as_str();
    let columns = ["Id", "Name", "Label", "Description", "NamespacePrefix"].into_iter().map(str::to_owned);
    let columns = columns.chain(set.users.iter().map(|permission| format!("Permissions{permission}")));
    let the_set = Soql::select(columns).from("PermissionSet").filter(field("Name").eq(name)).build()?;
    let assigned = field("PermissionSet.Name").eq(name).and(field("AssigneeId").eq(user));
    let columns = ["Id", "PermissionSet.NamespacePrefix"];
    let assigned = Soql::select(columns).from("PermissionSetAssignment").filter(assigned).build()?;
    let mut queries = vec![("set".to_owned(), the_set), ("assigned".to_owned(), assigned)];
    let mut of_set = |part: &str, object: &str, columns: &[&str], names: &[&str]| -> Result<()> {
        // The first column tells what a row grants rights on.
        let key = columns.first().copied().unwrap_or_default();
        for (index, some) in names.chunks(NAMES).enumerate() {
            let columns = columns.iter().copied().chain(["Parent.NamespacePrefix"]);
            let wanted = field("Parent.Name").eq(name).and(field(key).is_in(some.iter().copied()));
            queries.push((format!("{part}{index}"), Soql::select(columns).from(object).filter(wanted).build()?));
        }
        Ok(())
    };
    let objects: Vec<&str> = set.objects.iter().map(|grant| grant.object.as_str()).collect();
    let rights = [
        "SobjectType",
        "PermissionsRead",
        "PermissionsCreate",
        "PermissionsEdit",
        "PermissionsDelete",
        "PermissionsViewAllRecords",
        "PermissionsModifyAllRecords",
    ];
    of_set("rights", "ObjectPermissions", &rights, &objects)?;
    let fields = asked_fields(desired, set);
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    of_set("fields", "FieldPermissions", &["Field", "PermissionsRead", "PermissionsEdit"], &fields)?;
    Ok(queries)
}

/// What the set grants, and every field that may come to be granted.
fn asked_fields(desired: &DesiredSchema, set: &PermissionSet) -> Vec<String> {
    let mut asked: Vec<String> = set.fields.iter().map(|grant| grant.field.clone()).collect();
    asked.extend(desired.all_fields().into_iter().map(|field| field.full_name));
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// The set of that name, unless it is a package's.
pub(super) fn permission_set(
    answers: &[CompositeResponse],
    desired: &DesiredSchema,
    wanted: &PermissionSet,
    own: &Namespace,
) -> Result<Option<OrgPermissionSet>> {
    let sets = seen(rows(answers, "set"))?;
    let Some(row) = sets.iter().find(|row| own.has(row.text("NamespacePrefix"))) else { return Ok(None) };
    let on = |row: &Record, column: &str| row.get(column).and_then(Value::as_bool).unwrap_or(false);
    let of_set = |part: &str, count: usize, namespace: &str| -> Result<Vec<Record>> {
        let mut all = Vec::new();
        for index in 0..count {
            all.extend(seen(rows(answers, &format!("{part}{index}")))?);
        }
        all.retain(|row| own.has(row.path(namespace).and_then(Value::as_text)));
        Ok(all)
    };
    let objects = of_set("rights", wanted.objects.len().div_ceil(NAMES), "Parent.NamespacePrefix")?;
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
    let fields = of_set("fields", asked_fields(desired, wanted).len().div_ceil(NAMES), "Parent.NamespacePrefix")?;
    let fields = fields.iter().map(|row| FieldPermission {
        field: text(row, "Field"),
        readable: on(row, "PermissionsRead"),
        editable: on(row, "PermissionsEdit"),
    });
    let users = wanted.users.iter().filter(|name| on(row, &format!("Permissions{name}")));
    let mut assigned = seen(rows(answers, "assigned"))?;
    assigned.retain(|row| own.has(row.path("PermissionSet.NamespacePrefix").and_then(Value::as_text)));
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
        assigned: !assigned.is_empty(),
    }))
}
