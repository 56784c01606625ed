//! What holds data, so that it stays.

use super::super::Setup;
use super::{Removal, is_refusal};
use crate::api::{MAX_COLLECTIONS_AND_QUERIES, Page, Subrequest};
use crate::error::Result;
use crate::schema::desired::{same, split};
use crate::schema::ledger::{ItemKind, LedgerEntry};
use crate::types::soql::{count_rows, field};
use crate::types::{Literal, Record, Soql, Value};

impl Setup {
    /// Leaves what holds data.
    pub(super) async fn keep_filled(&self, entries: &[LedgerEntry], removal: &mut Removal) -> Result<()> {
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
}
