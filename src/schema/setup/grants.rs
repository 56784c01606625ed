//! Rights as rows, and the assignment: what is added to a permission set that is there.

use super::apply::{Applied, AssignmentOutcome, has_rows, left};
use super::{Setup, SetupProgress};
use crate::api::metadata::{FieldPermission, ObjectPermission};
use crate::api::{AllOrNone, CompositeResponse, Reference, SaveResult, Subrequest};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Finding;
use crate::schema::denied::OPERATION;
use crate::schema::desired::split;
use crate::schema::ledger::{EntryState, ItemKind, LedgerEntry, Loaded};
use crate::schema::plan::Work;
use crate::types::soql::field;
use crate::types::{FieldName, Record, RecordId, SObjectName, Soql, Value};

const ASSIGNMENT: SObjectName = SObjectName::from_static("PermissionSetAssignment");
const OBJECT_ROWS: SObjectName = SObjectName::from_static("ObjectPermissions");
const FIELD_ROWS: SObjectName = SObjectName::from_static("FieldPermissions");
const SET: SObjectName = SObjectName::from_static("PermissionSet");

/// Rows of a collection.
const ROWS: usize = 200;
/// Collections and queries of a composite.
const HEAVY: usize = 5;

/// A row on its way, and what it is for.
struct Row {
    kind: ItemKind,
    name: String,
    record: Record,
    /// The row that is there already.
    id: Option<RecordId>,
}

impl Setup {
    /// Adds the rows and the assignment of a plan. One composite, unless there are more rows than one holds.
    pub(super) async fn grant(&self, work: &Work, loaded: &mut Loaded, applied: &mut Applied) -> Result<()> {
        if !has_rows(work) {
            return Ok(());
        }
        let rows = self.rows(work).await?;
        self.tell(&SetupProgress::Granting { rows: rows.len() });
        let mut batches = batches(rows);
        let first = if batches.is_empty() { Vec::new() } else { batches.remove(0) };
        self.send(first, work, true, loaded, applied).await?;
        for batch in batches {
            self.send(batch, work, false, loaded, applied).await?;
        }
        Ok(())
    }

    /// The rows of rights, with the ids of those that get more.
    async fn rows(&self, work: &Work) -> Result<Vec<Row>> {
        let grants = &work.grants;
        let Some(set) = work.set else { return Ok(Vec::new()) };
        let mut rows: Vec<Row> = Vec::new();
        rows.extend(grants.objects.iter().map(|grant| object_row(grant, Some(set), None)));
        rows.extend(grants.fields.iter().map(|grant| field_row(grant, Some(set), None)));
        if grants.more_objects.is_empty() && grants.more_fields.is_empty() {
            return Ok(rows);
        }
        let ids = self.row_ids(set).await?;
        let id = |name: &str| ids.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, id)| *id);
        rows.extend(
            grants.more_objects.iter().filter_map(|grant| Some(object_row(grant, None, Some(id(&grant.object)?)))),
        );
        rows.extend(
            grants.more_fields.iter().filter_map(|grant| Some(field_row(grant, None, Some(id(&grant.field)?)))),
        );
        Ok(rows)
    }

    /// The rows of a permission set, by what they are on.
    pub(super) async fn row_ids(&self, set: RecordId) -> Result<Vec<(String, RecordId)>> {
        let of = |object: &SObjectName, column: &str| {
            Soql::select(["Id", column]).from(object.as_str()).filter(field("ParentId").eq(set)).build()
        };
        let answer = self
            .client
            .composite()
            .add("objects", Subrequest::query(of(&OBJECT_ROWS, "SobjectType")?))
            .add("fields", Subrequest::query(of(&FIELD_ROWS, "Field")?))
            .send()
            .await?;
        let mut ids = Vec::new();
        for (reference, column) in [("objects", "SobjectType"), ("fields", "Field")] {
            let rows = answer.result_of(reference)?.page::<Record>()?.records;
            ids.extend(
                rows.iter()
                    .filter_map(|row| Some((row.text(column)?.to_owned(), row.get("Id").and_then(Value::to_id)?))),
            );
        }
        Ok(ids)
    }

    async fn send(
        &self,
        rows: Vec<Vec<Row>>,
        work: &Work,
        first: bool,
        loaded: &mut Loaded,
        applied: &mut Applied,
    ) -> Result<()> {
        let mut composite = self.client.composite();
        for (index, rows) in rows.iter().enumerate() {
            composite = composite.add(format!("rows{index}"), collection(rows));
        }
        let system = &work.grants.system;
        let mut sent = !rows.is_empty();
        if let (true, false, Some(set)) = (first, system.is_empty(), work.set) {
            let on = |record: Record, name: &String| record.with(format!("Permissions{name}"), true);
            composite = composite.add("system", Subrequest::update(&SET, set, &system.iter().fold(Record::new(), on)));
            sent = true;
        }
        let assign = work.assign.as_ref().filter(|_| first);
        if let Some(name) = assign {
            let record = Record::new().with("AssigneeId", self.user.as_str());
            composite = if let Some(id) = work.set {
                let record = record.with("PermissionSetId", id.as_str());
                composite.add("assignment", Subrequest::create(&ASSIGNMENT, &record))
            } else {
                // It was only just made, so its id is asked for in the same call.
                let soql = Soql::select(["Id"]).from(SET.as_str()).filter(field("Name").eq(name.as_str())).build()?;
                let id = Reference::new("set.records[0].Id");
                let made = Subrequest::create(&ASSIGNMENT, &record);
                let made = made.with_reference(&FieldName::from_static("PermissionSetId"), &id);
                composite.add("set", Subrequest::query(soql)).add("assignment", made)
            };
            sent = true;
        }
        if !sent {
            return Ok(());
        }
        let answer = composite.send().await?;
        for (index, rows) in rows.iter().enumerate() {
            settle_rows(rows, answer.result_of(&format!("rows{index}"))?.rows()?, loaded, applied)?;
        }
        if first && !system.is_empty() && work.set.is_some() {
            settle_system(system, answer.result_of("system")?.error(), loaded, applied)?;
        }
        if let Some(name) = assign {
            settle_assignment(name, &self.assignment(name), &answer, loaded, applied)?;
        }
        self.ledger.save(loaded).await
    }
}

/// Rights as columns. Of a row that is there only what is added is sent: the rest may have changed since it was read.
fn flagged<const N: usize>(flags: [(&str, bool); N], only_added: bool) -> Record {
    let sent = flags.into_iter().filter(|(_, flag)| *flag || !only_added);
    sent.fold(Record::new(), |record, (name, flag)| record.with(name, flag))
}

fn object_row(grant: &ObjectPermission, set: Option<RecordId>, id: Option<RecordId>) -> Row {
    let flags = [
        ("PermissionsRead", grant.read),
        ("PermissionsCreate", grant.create),
        ("PermissionsEdit", grant.edit),
        ("PermissionsDelete", grant.delete),
        ("PermissionsViewAllRecords", grant.view_all),
        ("PermissionsModifyAllRecords", grant.modify_all),
    ];
    let record = flagged(flags, set.is_none());
    // What a row is on is set once.
    let record = match set {
        Some(set) => record.with("ParentId", set.as_str()).with("SobjectType", grant.object.as_str()),
        None => record,
    };
    Row { kind: ItemKind::ObjectPermission, name: grant.object.clone(), record, id }
}

fn field_row(grant: &FieldPermission, set: Option<RecordId>, id: Option<RecordId>) -> Row {
    let (object, _) = split(&grant.field);
    let record = flagged([("PermissionsRead", grant.readable), ("PermissionsEdit", grant.editable)], set.is_none());
    let record = match set {
        Some(set) => {
            let record = record.with("ParentId", set.as_str()).with("SobjectType", object);
            record.with("Field", grant.field.as_str())
        }
        None => record,
    };
    Row { kind: ItemKind::FieldPermission, name: grant.field.clone(), record, id }
}

/// Collections of one kind of row, as many as a composite takes. What goes with the first is no query: rows are only added to a set whose
/// id is known.
fn batches(rows: Vec<Row>) -> Vec<Vec<Vec<Row>>> {
    let mut collections: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let fits = |last: &Vec<Row>| {
            last.len() < ROWS
                && last.first().is_some_and(|first| first.kind == row.kind && first.id.is_some() == row.id.is_some())
        };
        match collections.last_mut().filter(|last| fits(last)) {
            Some(last) => last.push(row),
            None => collections.push(vec![row]),
        }
    }
    let mut batches: Vec<Vec<Vec<Row>>> = Vec::new();
    for collection in collections {
        match batches.last_mut().filter(|last| last.len() < HEAVY) {
            Some(last) => last.push(collection),
            None => batches.push(vec![collection]),
        }
    }
    batches
}

fn collection(rows: &[Row]) -> Subrequest {
    let object = match rows.first().map(|row| &row.kind) {
        Some(ItemKind::ObjectPermission) => OBJECT_ROWS,
        _ => FIELD_ROWS,
    };
    let known: Vec<(RecordId, &Record)> = rows.iter().filter_map(|row| Some((row.id?, &row.record))).collect();
    if known.is_empty() {
        let records: Vec<&Record> = rows.iter().map(|row| &row.record).collect();
        Subrequest::create_many(&object, &records, AllOrNone::No)
    } else {
        Subrequest::update_many(&object, &known, AllOrNone::No)
    }
}

/// Each row has its own outcome; one that is refused is left to a person.
fn settle_rows(rows: &[Row], results: &[SaveResult], loaded: &mut Loaded, applied: &mut Applied) -> Result<()> {
    for (row, result) in rows.iter().zip(results) {
        match &result.error {
            None => {
                loaded.ledger.made(&row.kind, &row.name);
                applied.granted.push(row.name.clone());
            }
            Some(error) => refused(&row.kind, &row.name, error, loaded, applied)?,
        }
    }
    Ok(())
}

fn settle_system(names: &[String], error: Option<&Error>, loaded: &mut Loaded, applied: &mut Applied) -> Result<()> {
    for name in names {
        match error {
            None => {
                loaded.ledger.made(&ItemKind::SystemPermission, name);
                applied.granted.push(name.clone());
            }
            Some(error) => refused(&ItemKind::SystemPermission, name, error, loaded, applied)?,
        }
    }
    Ok(())
}

/// A refusal that is for a person to solve; what passes by itself is an error.
fn refused(kind: &ItemKind, name: &str, error: &Error, loaded: &mut Loaded, applied: &mut Applied) -> Result<()> {
    // An attempt whose answer was lost has made it, or somebody else has meanwhile.
    if error.kind() == ErrorKind::Duplicate {
        loaded.ledger.made(kind, name);
        return Ok(());
    }
    if !is_final(error) {
        return Err(error.clone().with_operation(OPERATION));
    }
    if loaded.ledger.entry(kind, name).is_some_and(|entry| entry.state == EntryState::Intended) {
        loaded.ledger.forget(kind, name);
    }
    let path = "Setup > Permission Sets > Object Settings > Edit";
    applied.by_hand.push(left("right_refused", &format!("{kind} {name}"), error, path));
    Ok(())
}

fn is_final(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Forbidden | ErrorKind::LimitExceeded | ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Schema
    )
}

fn settle_assignment(
    name: &str,
    noted: &str,
    answer: &CompositeResponse,
    loaded: &mut Loaded,
    applied: &mut Applied,
) -> Result<()> {
    let made = LedgerEntry { state: EntryState::Made, ..LedgerEntry::intended(ItemKind::Assignment, noted) };
    let Some(error) = answer.result_of("assignment")?.error() else {
        loaded.ledger.note(made);
        applied.assignment = AssignmentOutcome::Assigned;
        return Ok(());
    };
    match error.kind() {
        // An earlier run has assigned it and did not see its answer.
        ErrorKind::Duplicate => loaded.ledger.note(made),
        _ if is_final(error) => {
            loaded.ledger.forget(&ItemKind::Assignment, noted);
            applied.assignment = match error.kind() {
                ErrorKind::LimitExceeded => AssignmentOutcome::AssignmentLimit,
                _ => AssignmentOutcome::ByHand,
            };
            applied.by_hand.push(unassigned(name, error));
        }
        _ => return Err(error.clone().with_operation(OPERATION)),
    }
    Ok(())
}

fn unassigned(name: &str, error: &Error) -> Finding {
    let why = error.salesforce().first().map_or_else(|| error.to_string(), ToString::to_string);
    Finding::new(
        if error.kind() == ErrorKind::LimitExceeded { "assignment_limit" } else { "assignment_refused" },
        ErrorKind::Forbidden,
        format!("permission set {name}"),
        format!("could not be assigned to the user ({why})"),
        format!(
            "assign it by hand: Setup > Permission Sets > {name} > Manage Assignments > Add Assignment; a user at the maximum \
             needs sets consolidated first"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_collections_go_with_one_call_as_the_plan_says() {
        let set = RecordId::new("0PSdM000001AbCd").ok();
        let calls = |rows: usize| {
            let grant = |row| FieldPermission { field: format!("A.F{row}__c"), readable: true, editable: true };
            batches((0..rows).map(|row| field_row(&grant(row), set, None)).collect()).len()
        };
        assert_eq!([0, 1, 800, 801, 1000, 1001, 2000].map(calls), [0, 1, 1, 1, 1, 2, 2]);
    }
}
