//! What holds data, so that it stays.

use super::super::{Setup, org_and_user};
use super::{Removal, is_refusal};
use crate::api::metadata::FieldKind;
use crate::api::{MAX_COLLECTIONS_AND_QUERIES, Page, Subrequest};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::denied::OPERATION;
use crate::schema::desired::{same, split};
use crate::schema::ledger::{ItemKind, LedgerEntry};
use crate::types::soql::{count_rows, field};
use crate::types::{Literal, Record, Soql, Value};

/// A count, and what it decides on.
#[derive(Clone)]
struct Count {
    entry: LedgerEntry,
    soql: Soql,
}

impl Count {
    fn object(&self) -> &str {
        self.entry.name.split('.').next().unwrap_or(&self.entry.name)
    }
}

impl Setup {
    /// Leaves what holds data, and what may.
    pub(super) async fn keep_filled(
        &self,
        entries: &[LedgerEntry],
        runtime: Option<&Client>,
        removal: &mut Removal,
    ) -> Result<()> {
        let mut unseen = Self::count(&self.client, self.counts(entries)?, removal).await?;
        if let Some(runtime) = runtime {
            let (org, _) = org_and_user(runtime).await?;
            if org != self.org {
                return Err(Error::new(ErrorKind::Config, OPERATION, "the run-time user's client is of another org"));
            }
        }
        if let (Some(runtime), false) = (runtime, unseen.is_empty()) {
            unseen = Self::count(runtime, unseen, removal).await?;
        }
        for Count { entry, .. } in self.there(unseen).await? {
            let reason = "whether it holds data cannot be seen without a right to view all records of the object and to read the \
                          field; ask for data to be deleted too";
            removal.leave(&entry.kind, &entry.name, reason);
        }
        Ok(())
    }

    /// What is to be counted: objects, and fields of objects that are not ours.
    fn counts(&self, entries: &[LedgerEntry]) -> Result<Vec<Count>> {
        let objects: Vec<&LedgerEntry> =
            entries.iter().filter(|entry| entry.kind == ItemKind::Object && entry.name.ends_with("__c")).collect();
        let mut counts = Vec::new();
        for entry in &objects {
            let soql = Soql::select([count_rows()]).from(entry.name.as_str()).build()?;
            counts.push(Count { entry: (*entry).clone(), soql });
        }
        let known = self.desired.all_fields();
        for entry in entries.iter().filter(|entry| entry.kind == ItemKind::Field) {
            let (object, name) = split(&entry.name);
            if objects.iter().any(|known| same(&known.name, object)) {
                continue;
            }
            let is_checkbox =
                known.iter().any(|known| same(&known.full_name, &entry.name) && known.kind == FieldKind::Checkbox);
            // A checkbox is never empty.
            let set = if is_checkbox { field(name).eq(true) } else { field(name).ne(Literal::Null) };
            let soql = Soql::select([count_rows()]).from(object).filter(set).build()?;
            counts.push(Count { entry: entry.clone(), soql });
        }
        Ok(counts)
    }

    /// Counts as a user. Leaves what holds data, and gives back what this user cannot tell of: what is hidden, and where nothing was
    /// found though sharing may hide records.
    async fn count(client: &Client, counts: Vec<Count>, removal: &mut Removal) -> Result<Vec<Count>> {
        let (mut unseen, mut empty): (Vec<Count>, Vec<Count>) = (Vec::new(), Vec::new());
        for some in counts.chunks(MAX_COLLECTIONS_AND_QUERIES) {
            let mut composite = client.composite();
            for (index, count) in some.iter().enumerate() {
                composite = composite.add(format!("count{index}"), Subrequest::query(count.soql.clone()));
            }
            let answer = composite.send().await?;
            for (index, count) in some.iter().enumerate() {
                match answer.result_of(&format!("count{index}"))?.page::<Record>() {
                    Ok(Page { total_size: 0, .. }) => empty.push(count.clone()),
                    Ok(page) => {
                        let reason =
                            format!("{} records hold data in it; ask for data to be deleted too", page.total_size);
                        removal.leave(&count.entry.kind, &count.entry.name, reason);
                    }
                    Err(error) if is_refusal(&error) => unseen.push(count.clone()),
                    Err(error) => return Err(error),
                }
            }
        }
        if !empty.is_empty() {
            let seen = Self::all_seen(client, &empty).await?;
            unseen.extend(empty.into_iter().filter(|count| !seen.of(count.object())));
        }
        Ok(unseen)
    }

    /// Of which objects a user sees every record. One API call.
    async fn all_seen(client: &Client, counts: &[Count]) -> Result<Sight> {
        let (_, user) = org_and_user(client).await?;
        let mut objects: Vec<Literal> = counts.iter().map(|count| count.object().into()).collect();
        objects.dedup();
        let objects = Literal::List(objects);
        let all = Soql::bind(
            "SELECT PermissionsViewAllData,PermissionsModifyAllData FROM UserPermissionAccess LIMIT 1",
            Vec::<(&str, Literal)>::new(),
        )?;
        // Sets whose rights a session has to activate first grant nothing to an integration.
        let some = "SELECT SobjectType FROM ObjectPermissions WHERE SobjectType IN :objects AND (PermissionsViewAllRecords = TRUE OR \
                    PermissionsModifyAllRecords = TRUE) AND Parent.HasActivationRequired = FALSE AND ParentId IN (SELECT \
                    PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = :user)";
        let some = Soql::bind(some, [("objects", objects.clone()), ("user", Literal::Id(user))])?;
        let open =
            "SELECT QualifiedApiName,InternalSharingModel FROM EntityDefinition WHERE QualifiedApiName IN :objects";
        let open = Soql::bind(open, [("objects", objects)])?;
        let composite = client.composite().add("all", Subrequest::query(all)).add("some", Subrequest::query(some));
        let answer = composite.add("open", Subrequest::query(open)).send().await?;
        // Whoever may not look at it is taken for one who does not see all.
        let rows = |reference: &str| match answer.result_of(reference)?.page::<Record>() {
            Ok(page) => Ok(page.records),
            Err(error) if is_refusal(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let on = |row: &Record, column: &str| row.get(column).and_then(Value::as_bool).unwrap_or(false);
        let all =
            rows("all")?.iter().any(|row| on(row, "PermissionsViewAllData") || on(row, "PermissionsModifyAllData"));
        let mut objects: Vec<String> =
            rows("some")?.iter().filter_map(|row| row.text("SobjectType").map(str::to_owned)).collect();
        let shared = rows("open")?;
        objects.extend(shared.iter().filter(|row| is_open(row)).filter_map(|row| {
            let name = row.text("QualifiedApiName")?;
            Some(name.to_owned())
        }));
        Ok(Sight { all, objects })
    }

    /// Those that are in the org: what is not there holds nothing.
    async fn there(&self, counts: Vec<Count>) -> Result<Vec<Count>> {
        if counts.is_empty() {
            return Ok(counts);
        }
        let objects: Vec<&str> = counts.iter().map(Count::object).collect();
        let fields: Vec<&str> = counts.iter().map(|count| split(&count.entry.name).1).collect();
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
        Ok(counts.into_iter().filter(|count| there.iter().any(|name| same(name, &count.entry.name))).collect())
    }
}

/// Of what a user sees every record.
struct Sight {
    all: bool,
    objects: Vec<String>,
}

impl Sight {
    fn of(&self, object: &str) -> bool {
        self.all || self.objects.iter().any(|known| same(known, object))
    }
}

/// Whether every internal user who may read a standard object sees all of its records. Restriction rules hide some of custom objects and
/// of these whatever their default is. (Salesforce Help, "Restriction Rules"; Object Reference, `EntityDefinition`)
fn is_open(row: &Record) -> bool {
    let name = row.text("QualifiedApiName").unwrap_or_default();
    let is_restricted =
        ["Contract", "Event", "Task", "TimeSheet", "TimeSheetEntry"].iter().any(|known| same(known, name));
    let model = row.text("InternalSharingModel").unwrap_or_default();
    let open = ["Read", "ReadWrite", "ReadWriteTransfer", "FullAccess"];
    !name.contains("__") && !is_restricted && open.contains(&model)
}
