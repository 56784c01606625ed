//! Rights and assignments: rows of their own.

use super::super::{Setup, SetupProgress};
use super::{Removal, forget, is_refusal, words};
use crate::api::{AllOrNone, Subrequest};
use crate::error::{ErrorKind, Result};
use crate::schema::desired::same;
use crate::schema::ledger::{ItemKind, LedgerEntry, Loaded};
use crate::types::soql::field;
use crate::types::{Record, RecordId, Soql, Value};

/// Ids of a collection.
const ROWS: usize = 200;

impl Setup {
    /// The assignment that was made, and rights in a permission set that is not ours as a whole.
    pub(super) async fn remove_rights(
        &self,
        entries: &[LedgerEntry],
        loaded: &mut Loaded,
        removal: &mut Removal,
    ) -> Result<()> {
        let Some(wanted) = &self.desired.permission_set else { return Ok(()) };
        let rights = |entry: &&LedgerEntry| {
            matches!(entry.kind, ItemKind::ObjectPermission | ItemKind::FieldPermission | ItemKind::SystemPermission)
        };
        let assigned: Vec<&LedgerEntry> = entries.iter().filter(|entry| entry.kind == ItemKind::Assignment).collect();
        let whole = entries.iter().any(|entry| entry.kind == ItemKind::PermissionSet);
        let rows: Vec<&LedgerEntry> = entries.iter().filter(rights).collect();
        if assigned.is_empty() && (whole || rows.is_empty()) {
            return Ok(());
        }
        let name = wanted.full_name.as_str();
        let set = Soql::select(["Id"]).from("PermissionSet").filter(field("Name").eq(name)).build()?;
        let own = field("PermissionSet.Name").eq(name).and(field("AssigneeId").eq(self.user));
        let own = Soql::select(["Id"]).from("PermissionSetAssignment").filter(own).build()?;
        let composite = self.client.composite().add("set", Subrequest::query(set));
        let answer = composite.add("assigned", Subrequest::query(own)).send().await?;
        let ids = |reference: &str| -> Result<Vec<RecordId>> {
            let rows = answer.result_of(reference)?.page::<Record>()?.records;
            Ok(rows.iter().filter_map(|row| row.get("Id").and_then(Value::to_id)).collect())
        };
        let mut gone: Vec<(LedgerEntry, RecordId)> = Vec::new();
        for (entry, id) in
            assigned.iter().flat_map(|entry| ids("assigned").unwrap_or_default().into_iter().map(move |id| (entry, id)))
        {
            gone.push(((*entry).clone(), id));
        }
        if !whole && let Some(set) = ids("set")?.first() {
            gone.extend(self.rows_as_we_left_them(*set, &rows, removal).await?);
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
        for entry in assigned.iter().chain(rows.iter().filter(|_| !whole)) {
            let there = gone.iter().any(|(known, _)| known.is(&entry.kind, &entry.name));
            if there || removal.left.iter().any(|left| entry.is(&left.kind, &left.name)) {
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

    /// The rows that grant what we gave and nothing else.
    async fn rows_as_we_left_them(
        &self,
        set: RecordId,
        rows: &[&LedgerEntry],
        removal: &mut Removal,
    ) -> Result<Vec<(LedgerEntry, RecordId)>> {
        let ids = self.row_ids(set).await?;
        let org = crate::schema::read::read(&self.client, &self.desired, self.user).await?;
        let set = org.permission_set.map(|set| set.set).unwrap_or_default();
        let mut same_as_ours = Vec::new();
        for entry in rows {
            let now = match entry.kind {
                ItemKind::ObjectPermission => {
                    let row = set.objects.iter().find(|row| same(&row.object, &entry.name));
                    row.map(crate::schema::plan::rights::object_rights)
                }
                ItemKind::FieldPermission => {
                    let row = set.fields.iter().find(|row| same(&row.field, &entry.name));
                    row.map(crate::schema::plan::rights::field_rights)
                }
                _ => continue,
            };
            let id = ids.iter().find(|(name, _)| same(name, &entry.name)).map(|(_, id)| *id);
            match (now, id) {
                (Some(now), Some(id)) if entry.rights.as_deref() == Some(now.as_str()) => {
                    same_as_ours.push(((*entry).clone(), id));
                }
                (Some(_), Some(_)) => {
                    removal.leave(&entry.kind, &entry.name, "somebody has changed it since, so it is left alone");
                }
                _ => {}
            }
        }
        Ok(same_as_ours)
    }
}
