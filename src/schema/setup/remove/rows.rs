//! Rights and assignments: rows of their own.

use super::super::{Setup, SetupProgress};
use super::{Removal, forget, is_refusal, words};
use crate::api::metadata::{FieldPermission, ObjectPermission};
use crate::api::{AllOrNone, MAX_COLLECTIONS_AND_QUERIES, Subrequest};
use crate::error::{ErrorKind, Result};
use crate::schema::desired::same;
use crate::schema::ledger::{ItemKind, LedgerEntry, Loaded};
use crate::schema::plan::rights::{field_rights, object_rights};
use crate::types::soql::field;
use crate::types::{Record, RecordId, Soql, Value};

/// Ids of a collection.
const ROWS: usize = 200;
/// Names of a query, so that it stays short.
const NAMES: usize = 100;

impl Setup {
    /// The assignments that were made, and rights in a permission set that is not ours as a whole.
    pub(super) async fn remove_rights(
        &self,
        entries: &[LedgerEntry],
        loaded: &mut Loaded,
        removal: &mut Removal,
    ) -> Result<()> {
        let assigned: Vec<&LedgerEntry> = entries.iter().filter(|entry| entry.kind == ItemKind::Assignment).collect();
        // What is in a set of ours goes with it.
        let whole = entries.iter().any(|entry| entry.kind == ItemKind::PermissionSet);
        let rows: Vec<&LedgerEntry> = entries.iter().filter(|entry| is_right(entry) && !whole).collect();
        if assigned.is_empty() && rows.is_empty() {
            return Ok(());
        }
        let mut gone = self.assignments(&assigned).await?;
        match self.set_of(entries) {
            Some(set) => gone.extend(self.rows_as_we_left_them(&set, &rows, removal).await?),
            None => {
                for entry in &rows {
                    let reason = "which permission set grants it, neither the schema nor the ledger says; give the schema that was applied";
                    removal.leave(&entry.kind, &entry.name, reason);
                }
            }
        }
        self.tell(&SetupProgress::Removing { kind: ItemKind::Assignment, count: gone.len() });
        for some in gone.chunks(ROWS) {
            let ids: Vec<RecordId> = some.iter().map(|(_, id)| *id).collect();
            let results =
                self.client.composite().add("rows", Subrequest::delete_many(&ids, AllOrNone::No)).send().await?;
            for ((entry, _), result) in some.iter().zip(results.result_of("rows")?.rows()?) {
                match &result.error {
                    None => forget(entry, loaded, removal),
                    Some(error) if error.kind() == ErrorKind::NotFound => forget(entry, loaded, removal),
                    Some(error) if is_refusal(error) => removal.leave(&entry.kind, &entry.name, words(error)),
                    Some(error) => return Err(error.clone()),
                }
            }
        }
        // What is no longer there has been taken away by somebody else.
        for entry in assigned.iter().chain(&rows) {
            let there = gone.iter().any(|(known, _)| known.is(&entry.kind, &entry.name));
            if there || removal.has_left(entry) {
                continue;
            }
            if entry.kind == ItemKind::SystemPermission {
                let reason = "a system permission of a set that is not ours is switched off by hand";
                removal.leave(&entry.kind, &entry.name, reason);
            } else {
                loaded.ledger.forget(&entry.kind, &entry.name);
            }
        }
        self.ledger.save(loaded).await
    }

    /// The permission set that rows are in: the schema's, or the one that the ledger has assigned.
    fn set_of(&self, entries: &[LedgerEntry]) -> Option<String> {
        let desired = self.desired.permission_set.as_ref().map(|set| set.full_name.clone());
        let assigned = || {
            let entry = entries.iter().find(|entry| entry.kind == ItemKind::Assignment)?;
            Some(set_and_user(&entry.name).0.to_owned())
        };
        desired.or_else(assigned)
    }

    /// The rows of assignments. Earlier versions noted no user: theirs is the run-time user's.
    async fn assignments(&self, assigned: &[&LedgerEntry]) -> Result<Vec<(LedgerEntry, RecordId)>> {
        let mut rows: Vec<(LedgerEntry, RecordId)> = Vec::new();
        let own = self.user.to_string();
        for some in assigned.chunks(NAMES) {
            let parts: Vec<(&str, &str)> = some
                .iter()
                .map(|entry| {
                    let (set, user) = set_and_user(&entry.name);
                    (set, user.unwrap_or(&own))
                })
                .collect();
            let wanted = field("PermissionSet.Name").is_in(parts.iter().map(|(set, _)| *set));
            let wanted = wanted.and(field("AssigneeId").is_in(parts.iter().map(|(_, user)| *user)));
            let soql = Soql::select(["Id", "AssigneeId", "PermissionSet.Name"]).from("PermissionSetAssignment");
            let query = Subrequest::query(soql.filter(wanted).build()?);
            let answer = self.client.composite().add("assigned", query).send().await?;
            for row in answer.result_of("assigned")?.page::<Record>()?.records {
                let set = row.path("PermissionSet.Name").and_then(Value::as_text).unwrap_or_default();
                let user = row.text("AssigneeId").and_then(|id| RecordId::new(id).ok());
                let is_it = |(known, id): &(&str, &str)| same(known, set) && RecordId::new(id).ok() == user;
                let place = parts.iter().position(is_it).and_then(|place| some.get(place));
                if let (Some(entry), Some(id)) = (place, row.get("Id").and_then(Value::to_id)) {
                    rows.push(((*entry).clone(), id));
                }
            }
        }
        Ok(rows)
    }

    /// The rows that grant what we gave and nothing else.
    async fn rows_as_we_left_them(
        &self,
        set: &str,
        entries: &[&LedgerEntry],
        removal: &mut Removal,
    ) -> Result<Vec<(LedgerEntry, RecordId)>> {
        let mut queries: Vec<(&ItemKind, Soql)> = Vec::new();
        for kind in [&ItemKind::ObjectPermission, &ItemKind::FieldPermission] {
            let names: Vec<&str> =
                entries.iter().filter(|entry| entry.kind == *kind).map(|entry| entry.name.as_str()).collect();
            for names in names.chunks(NAMES) {
                queries.push((kind, rows_on(kind, set, names)?));
            }
        }
        let mut found: Vec<(&ItemKind, String, String, RecordId)> = Vec::new();
        for some in queries.chunks(MAX_COLLECTIONS_AND_QUERIES) {
            let mut composite = self.client.composite();
            for (index, (_, soql)) in some.iter().enumerate() {
                composite = composite.add(format!("rows{index}"), Subrequest::query(soql.clone()));
            }
            let answer = composite.send().await?;
            for (index, (kind, _)) in some.iter().enumerate() {
                for row in answer.result_of(&format!("rows{index}"))?.page::<Record>()?.records {
                    let (name, rights) = rights_of(kind, &row);
                    found.extend(row.get("Id").and_then(Value::to_id).map(|id| (*kind, name, rights, id)));
                }
            }
        }
        let mut same_as_ours = Vec::new();
        for entry in entries {
            let Some((_, _, rights, id)) = found.iter().find(|(kind, name, ..)| entry.is(kind, name)) else { continue };
            if entry.rights.as_deref() == Some(rights.as_str()) {
                same_as_ours.push(((*entry).clone(), *id));
            } else {
                removal.leave(&entry.kind, &entry.name, "somebody has changed it since, so it is left alone");
            }
        }
        Ok(same_as_ours)
    }
}

/// Rights within a permission set.
pub(super) fn is_right(entry: &LedgerEntry) -> bool {
    matches!(entry.kind, ItemKind::ObjectPermission | ItemKind::FieldPermission | ItemKind::SystemPermission)
}

/// What an assignment is of, and whose it is. No name of a permission set has a slash.
pub(super) fn set_and_user(name: &str) -> (&str, Option<&str>) {
    name.split_once('/').map_or((name, None), |(set, user)| (set, Some(user)))
}

const OBJECT: [&str; 8] = [
    "Id",
    "SobjectType",
    "PermissionsRead",
    "PermissionsCreate",
    "PermissionsEdit",
    "PermissionsDelete",
    "PermissionsViewAllRecords",
    "PermissionsModifyAllRecords",
];

/// The rows of a permission set on some objects or fields.
fn rows_on(kind: &ItemKind, set: &str, names: &[&str]) -> Result<Soql> {
    let (select, on) = if *kind == ItemKind::ObjectPermission {
        (Soql::select(OBJECT).from("ObjectPermissions"), "SobjectType")
    } else {
        (Soql::select(["Id", "Field", "PermissionsRead", "PermissionsEdit"]).from("FieldPermissions"), "Field")
    };
    select.filter(field("Parent.Name").eq(set).and(field(on).is_in(names.iter().copied()))).build()
}

/// What a row is on, and its rights as the ledger notes them.
fn rights_of(kind: &ItemKind, row: &Record) -> (String, String) {
    let on = |column: &str| row.get(column).and_then(Value::as_bool).unwrap_or(false);
    let text = |column: &str| row.text(column).unwrap_or_default().to_owned();
    if *kind == ItemKind::ObjectPermission {
        let rights = ObjectPermission {
            read: on("PermissionsRead"),
            create: on("PermissionsCreate"),
            edit: on("PermissionsEdit"),
            delete: on("PermissionsDelete"),
            view_all: on("PermissionsViewAllRecords"),
            modify_all: on("PermissionsModifyAllRecords"),
            ..ObjectPermission::default()
        };
        (text("SobjectType"), object_rights(&rights))
    } else {
        let field = text("Field");
        let rights =
            FieldPermission { field: field.clone(), readable: on("PermissionsRead"), editable: on("PermissionsEdit") };
        (field, field_rights(&rights))
    }
}
