//! Takes away what the ledger has, as far as the org lets it.

use std::fmt;

use serde::Serialize;

use super::{Setup, SetupProgress};
use crate::api::metadata::{AnyComponent, DeployMessage, Flow, FlowStatus, Layout, Package};
use crate::api::{AllOrNone, MAX_COLLECTIONS_AND_QUERIES, Page, Subrequest};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::desired::{same, split};
use crate::schema::ledger::{EntryState, ItemKind, Ledger, LedgerEntry, Loaded};
use crate::types::soql::{count_rows, field};
use crate::types::{Literal, Record, RecordId, Soql, Value};

/// How often what the org refuses is left out and the rest tried again.
const ROUNDS: usize = 10;

/// Ids of a collection.
const ROWS: usize = 200;

/// What becomes of objects and fields of ours that hold data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filled {
    /// They stay, and are told with how many records hold something.
    #[default]
    Keep,
    /// They go, and the data with them.
    Delete,
}

/// What taking a set-up away did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removal {
    /// What is gone, by kind and name.
    pub removed: Vec<String>,
    /// What is still there. It stays in the ledger, so that anybody can try again later.
    pub left: Vec<Leftover>,
}

/// Something that could not be taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Leftover {
    /// What it is.
    pub kind: ItemKind,
    /// Its full name.
    pub name: String,
    /// Why it is still there.
    pub reason: String,
    /// Where a person finds it.
    pub click_path: String,
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} is left: {} ({})", self.kind, self.name, self.reason, self.click_path)
    }
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} removed, {} left", self.removed.len(), self.left.len())?;
        for left in &self.left {
            write!(f, "\n  {left}")?;
        }
        Ok(())
    }
}

impl Removal {
    /// Whether nothing is left.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.left.is_empty()
    }

    fn gone(&mut self, kind: &ItemKind, name: &str) {
        self.removed.push(format!("{kind} {name}"));
    }

    fn leave(&mut self, kind: &ItemKind, name: &str, reason: impl Into<String>) {
        if !self.left.iter().any(|left| left.kind == *kind && same(&left.name, name)) {
            let (kind, name, reason) = (kind.clone(), name.to_owned(), reason.into());
            self.left.push(Leftover { click_path: click_path(&kind, &name), kind, name, reason });
        }
    }
}

/// Where a person finds something.
fn click_path(kind: &ItemKind, name: &str) -> String {
    let (object, field) = split(name);
    match kind {
        ItemKind::Object => format!("Setup > Object Manager > {name} > Delete"),
        ItemKind::Field => format!("Setup > Object Manager > {object} > Fields & Relationships > {field} > Delete"),
        ItemKind::PermissionSet => format!("Setup > Permission Sets > {name} > Delete"),
        ItemKind::ObjectPermission | ItemKind::FieldPermission | ItemKind::SystemPermission => {
            format!(
                "Setup > Permission Sets > Object Settings > {} > Edit",
                if object.is_empty() { name } else { object }
            )
        }
        ItemKind::Assignment => format!("Setup > Permission Sets > {name} > Manage Assignments"),
        ItemKind::LayoutSection => {
            let (layout, label) = name.split_once('/').unwrap_or((name, ""));
            let (object, layout) = layout.split_once('-').unwrap_or((layout, ""));
            format!("Setup > Object Manager > {object} > Page Layouts > {layout}: remove the section \"{label}\"")
        }
        ItemKind::Component(kind) => match kind.as_str() {
            "Flow" => format!("Setup > Flows > {name} > View Details and Versions: deactivate, then delete"),
            "WorkflowOutboundMessage" => "Setup > Workflow Actions > Outbound Messages > Del".to_owned(),
            "WorkflowRule" => "Setup > Workflow Rules > Del".to_owned(),
            "NamedCredential" => format!("Setup > Named Credentials > {name} > Delete"),
            "RemoteSiteSetting" => format!("Setup > Remote Site Settings > {name} > Delete"),
            "ApexClass" => format!("Setup > Apex Classes > {name} > Del"),
            "QuickAction" => {
                "Setup > Object Manager > Buttons, Links, and Actions, or Setup > Global Actions".to_owned()
            }
            other => format!("Setup: search for {other}"),
        },
    }
}

impl Setup {
    /// Takes away what this schema's ledger has: assignment, rights, permission set, sections, flows, fields, objects and the rest.
    ///
    /// Best-effort: what the org refuses is left out and the rest tried again, a bounded number of times; what is left is told with the
    /// reason and where a person finds it, and stays in the ledger, so that this can be called again later by anybody who has the store.
    /// Rights that somebody has changed since are left alone. Objects and fields that hold data stay unless [`Filled::Delete`] is asked
    /// for; they are counted first.
    ///
    /// Costs some 5 API calls and the looks at the deploys, more where data is counted: one for each 5 objects and fields.
    ///
    /// # Errors
    ///
    /// As for [`apply`](Self::apply); what was taken away until then is gone from the ledger.
    pub async fn remove(&self, filled: Filled) -> Result<Removal> {
        self.remove_where(filled, |_| true).await
    }

    pub(super) async fn remove_where(&self, filled: Filled, ours: impl Fn(&LedgerEntry) -> bool) -> Result<Removal> {
        let mut loaded = self.ledger.load().await?;
        self.resume(&mut loaded).await?;
        let entries: Vec<LedgerEntry> = loaded.ledger.entries().iter().filter(|entry| ours(entry)).cloned().collect();
        let mut removal = Removal::default();
        // Counted before rights are taken, without which nothing is seen.
        if filled == Filled::Keep {
            self.keep_filled(&entries, &mut removal).await?;
        }
        self.remove_rights(&entries, &mut loaded, &mut removal).await?;
        self.remove_sections(&entries, &mut loaded, &mut removal).await?;
        self.remove_components(&entries, &mut loaded, &mut removal).await?;
        Ok(removal)
    }

    /// Leaves what holds data.
    async fn keep_filled(&self, entries: &[LedgerEntry], removal: &mut Removal) -> Result<()> {
        let objects: Vec<&LedgerEntry> = entries.iter().filter(|entry| entry.kind == ItemKind::Object).collect();
        let alone = |entry: &&LedgerEntry| {
            let (object, _) = split(&entry.name);
            entry.kind == ItemKind::Field && !objects.iter().any(|known| same(&known.name, object))
        };
        let mut counted: Vec<(&LedgerEntry, Soql)> = Vec::new();
        for entry in &objects {
            counted.push((entry, Soql::select([count_rows()]).from(entry.name.as_str()).build()?));
        }
        for entry in entries.iter().filter(alone) {
            let (object, name) = split(&entry.name);
            let known = self.desired.all_fields();
            let is_checkbox = known.iter().any(|known| {
                same(&known.full_name, &entry.name) && known.kind == crate::api::metadata::FieldKind::Checkbox
            });
            // A checkbox is never empty.
            let set = if is_checkbox { field(name).eq(true) } else { field(name).ne(Literal::Null) };
            counted.push((entry, Soql::select([count_rows()]).from(object).filter(set).build()?));
        }
        for some in counted.chunks(MAX_COLLECTIONS_AND_QUERIES) {
            let mut composite = self.client.composite();
            for (index, (_, soql)) in some.iter().enumerate() {
                composite = composite.add(format!("count{index}"), Subrequest::query(soql.clone()));
            }
            let answer = composite.send().await?;
            for (index, (entry, _)) in some.iter().enumerate() {
                match answer.result_of(&format!("count{index}"))?.page::<Record>() {
                    Ok(Page { total_size: 0, .. }) => {}
                    Ok(page) => {
                        let reason =
                            format!("{} records hold data in it; ask for data to be deleted too", page.total_size);
                        removal.leave(&entry.kind, &entry.name, reason);
                    }
                    Err(error) if is_refusal(&error) => {
                        let reason =
                            "whether it holds data cannot be seen by the set-up user; ask for data to be deleted too";
                        removal.leave(&entry.kind, &entry.name, reason);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        // What is not in the org cannot hold anything: what could not be counted is looked for.
        self.drop_missing(removal).await
    }

    /// Takes back what was left because it could not be counted, if it is not there at all.
    async fn drop_missing(&self, removal: &mut Removal) -> Result<()> {
        let names: Vec<String> = removal
            .left
            .iter()
            .filter(|left| left.reason.starts_with("whether"))
            .map(|left| left.name.clone())
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        let objects: Vec<&str> = names.iter().map(|name| name.split('.').next().unwrap_or(name)).collect();
        let fields: Vec<&str> = names.iter().map(|name| split(name).1).collect();
        let entities = Soql::select(["QualifiedApiName"])
            .from("EntityDefinition")
            .filter(field("QualifiedApiName").is_in(objects.iter().copied()))
            .build()?;
        let wanted = field("EntityDefinition.QualifiedApiName").is_in(objects.iter().copied());
        let wanted = wanted.and(field("QualifiedApiName").is_in(fields.iter().copied()));
        let definitions = Soql::select(["QualifiedApiName", "EntityDefinition.QualifiedApiName"])
            .from("FieldDefinition")
            .filter(wanted)
            .build()?;
        let composite = self.client.tooling().composite();
        let composite = composite.add("entities", Subrequest::query(entities));
        let answer = composite.add("fields", Subrequest::query(definitions)).send().await?;
        let mut there: Vec<String> = Vec::new();
        for row in answer.result_of("entities")?.page::<Record>()?.records {
            there.extend(row.text("QualifiedApiName").map(str::to_owned));
        }
        for row in answer.result_of("fields")?.page::<Record>()?.records {
            let object = row.path("EntityDefinition.QualifiedApiName").and_then(Value::as_text).unwrap_or_default();
            there.push(format!("{object}.{}", row.text("QualifiedApiName").unwrap_or_default()));
        }
        removal
            .left
            .retain(|left| !left.reason.starts_with("whether") || there.iter().any(|name| same(name, &left.name)));
        Ok(())
    }

    /// The assignment that was made, and rights in a permission set that is not ours as a whole.
    async fn remove_rights(&self, entries: &[LedgerEntry], loaded: &mut Loaded, removal: &mut Removal) -> Result<()> {
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
        let asking = crate::schema::read::with_rights_of(&self.desired, rows);
        let org = crate::schema::read::read(&self.client, &asking, self.user).await?;
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

    /// Sections of page layouts, by the way they came.
    async fn remove_sections(&self, entries: &[LedgerEntry], loaded: &mut Loaded, removal: &mut Removal) -> Result<()> {
        let sections: Vec<&LedgerEntry> =
            entries.iter().filter(|entry| entry.kind == ItemKind::LayoutSection).collect();
        if sections.is_empty() {
            return Ok(());
        }
        let metadata = self.client.metadata();
        if !metadata.takes_token().await? {
            for entry in sections {
                removal.leave(
                    &entry.kind,
                    &entry.name,
                    "page layouts are read by SOAP, which takes no token of this kind",
                );
            }
            return Ok(());
        }
        let mut names: Vec<&str> = sections.iter().filter_map(|entry| Some(entry.name.split_once('/')?.0)).collect();
        names.sort_unstable();
        names.dedup();
        let mut changed: Vec<AnyComponent> = Vec::new();
        for names in names.chunks(crate::api::metadata::MAX_COMPONENTS) {
            for mut layout in metadata.read::<Layout>(names).await?.into_iter().flatten() {
                let before = layout.sections.len();
                layout.sections.retain(|section| {
                    let name = format!("{}/{}", layout.full_name, section.label);
                    !sections.iter().any(|entry| same(&entry.name, &name)) || self.has_foreign_fields(section)
                });
                if layout.sections.len() < before {
                    changed.push(layout.into());
                }
            }
        }
        if !changed.is_empty() {
            self.tell(&SetupProgress::Removing { kind: ItemKind::LayoutSection, count: changed.len() });
            let package = Package::new().version(self.client.api_version()).with_all(changed);
            let result = self.deploy(package, loaded).await?;
            if let Some(error) = result.error() {
                for entry in sections {
                    removal.leave(&entry.kind, &entry.name, error.to_string());
                }
                return self.ledger.save(loaded).await;
            }
        }
        for entry in sections {
            forget(entry, loaded, removal);
        }
        self.ledger.save(loaded).await
    }

    /// Whether somebody has put other fields into a section of ours.
    fn has_foreign_fields(&self, section: &crate::api::metadata::LayoutSection) -> bool {
        let ours = self.desired.layout_sections.iter().find(|known| known.label == section.label);
        let Some(ours) = ours else { return false };
        section.fields().any(|shown| !ours.fields.iter().any(|known| same(known, shown)))
    }

    /// Everything that a deploy can delete.
    async fn remove_components(
        &self,
        entries: &[LedgerEntry],
        loaded: &mut Loaded,
        removal: &mut Removal,
    ) -> Result<()> {
        let kept =
            |removal: &Removal, entry: &LedgerEntry| removal.left.iter().any(|left| entry.is(&left.kind, &left.name));
        let mut open: Vec<LedgerEntry> = entries
            .iter()
            .filter(|entry| entry.kind.component_type().is_some() && !kept(removal, entry))
            .cloned()
            .collect();
        // The history of a standard object is switched on and never off.
        open.retain(|entry| entry.kind != ItemKind::Object || entry.name.ends_with("__c"));
        // A field goes with its object.
        let objects: Vec<String> =
            open.iter().filter(|entry| entry.kind == ItemKind::Object).map(|entry| entry.name.clone()).collect();
        let with_object = |entry: &LedgerEntry| {
            entry.kind == ItemKind::Field && objects.iter().any(|object| same(object, split(&entry.name).0))
        };
        let (along, mut open): (Vec<LedgerEntry>, Vec<LedgerEntry>) = open.into_iter().partition(with_object);
        // Fields of an object that stays are not taken from under its records.
        let stay: Vec<String> =
            removal.left.iter().filter(|left| left.kind == ItemKind::Object).map(|left| left.name.clone()).collect();
        open.retain(|entry| {
            let stays = entry.kind == ItemKind::Field && stay.iter().any(|object| same(object, split(&entry.name).0));
            if stays {
                removal.leave(&entry.kind, &entry.name, "its object is left");
            }
            !stays
        });
        self.stop_flows(&open, loaded, removal).await?;
        open.retain(|entry| !kept(removal, entry));
        for _ in 0..ROUNDS {
            if open.is_empty() {
                break;
            }
            let kind = open.first().map_or(ItemKind::Object, |entry| entry.kind.clone());
            self.tell(&SetupProgress::Removing { kind, count: open.len() });
            let mut package = Package::new().version(self.client.api_version());
            for entry in &open {
                if let Some(kind) = entry.kind.component_type() {
                    package = package.delete(kind, &entry.name);
                }
            }
            let result = self.deploy(package, loaded).await?;
            let Some(error) = result.error() else {
                for entry in open.drain(..) {
                    forget_with_rows(&entry, &mut loaded.ledger, removal);
                    let fields = along
                        .iter()
                        .filter(|field| entry.kind == ItemKind::Object && same(split(&field.name).0, &entry.name));
                    for field in fields {
                        forget_with_rows(field, &mut loaded.ledger, removal);
                    }
                }
                break;
            };
            let before = open.len();
            open.retain(|entry| {
                let refused = result.failures().iter().find(|failure| concerns(failure, entry));
                if let Some(refused) = refused {
                    removal.leave(
                        &entry.kind,
                        &entry.name,
                        refused.problem.clone().unwrap_or_else(|| error.to_string()),
                    );
                }
                refused.is_none()
            });
            if open.len() == before {
                // The refusal names nothing of ours.
                for entry in open.drain(..) {
                    removal.leave(&entry.kind, &entry.name, error.to_string());
                }
            }
        }
        for entry in open {
            removal.leave(&entry.kind, &entry.name, "too many refusals; try again");
        }
        for field in along.iter().filter(|field| loaded.ledger.has(&field.kind, &field.name)) {
            removal.leave(&field.kind, &field.name, "its object is left");
        }
        self.ledger.save(loaded).await
    }

    /// An active flow cannot be deleted. (Metadata API Developer Guide, "Flow"; wire facts 4.4)
    async fn stop_flows(&self, open: &[LedgerEntry], loaded: &mut Loaded, removal: &mut Removal) -> Result<()> {
        let is_flow = |entry: &&LedgerEntry| entry.kind.component_type() == Some("Flow");
        let mut stopped: Vec<AnyComponent> = Vec::new();
        for entry in open.iter().filter(is_flow) {
            let known = self
                .desired
                .components
                .iter()
                .find(|known| known.component_type() == "Flow" && same(known.full_name(), &entry.name));
            if let Some(flow) = known.map(AnyComponent::get::<Flow>).transpose()?.flatten() {
                stopped.push(Flow { status: FlowStatus::Obsolete, ..flow }.into());
            }
        }
        if stopped.is_empty() {
            return Ok(());
        }
        let package = Package::new().version(self.client.api_version()).with_all(stopped);
        let result = self.deploy(package, loaded).await?;
        if let Some(error) = result.error() {
            for entry in open.iter().filter(is_flow) {
                removal.leave(&entry.kind, &entry.name, format!("could not be deactivated ({error})"));
            }
        }
        self.ledger.save(loaded).await
    }
}

/// Whether a refusal is about this one: by name, with its type where the answer has one.
fn concerns(failure: &DeployMessage, entry: &LedgerEntry) -> bool {
    let kind = failure.component_type.as_deref().filter(|kind| !kind.is_empty());
    let same_kind = kind.is_none_or(|kind| Some(kind) == entry.kind.component_type());
    same_kind && same(&failure.full_name, &entry.name)
}

fn forget(entry: &LedgerEntry, loaded: &mut Loaded, removal: &mut Removal) {
    loaded.ledger.forget(&entry.kind, &entry.name);
    removal.gone(&entry.kind, &entry.name);
}

/// Rights go with what they are on, and with their permission set.
fn forget_with_rows(entry: &LedgerEntry, ledger: &mut Ledger, removal: &mut Removal) {
    if ledger.entry(&entry.kind, &entry.name).is_some_and(|entry| entry.state == EntryState::Made) {
        removal.gone(&entry.kind, &entry.name);
    }
    ledger.forget(&entry.kind, &entry.name);
    let of_set = |kind: &ItemKind| {
        matches!(kind, ItemKind::ObjectPermission | ItemKind::FieldPermission | ItemKind::SystemPermission)
    };
    ledger.retain(|row| match entry.kind {
        ItemKind::PermissionSet => !of_set(&row.kind),
        ItemKind::Object => !(row.kind == ItemKind::ObjectPermission && same(&row.name, &entry.name)),
        ItemKind::Field => !(row.kind == ItemKind::FieldPermission && same(&row.name, &entry.name)),
        _ => true,
    });
}

fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Forbidden | ErrorKind::Invalid | ErrorKind::Schema | ErrorKind::NotFound | ErrorKind::LimitExceeded
    )
}

fn words(error: &Error) -> String {
    error.salesforce().first().map_or_else(|| error.to_string(), ToString::to_string)
}
