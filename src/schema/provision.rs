//! Carries a plan out: what is missing is created, and a second run finds nothing to do.

use std::collections::BTreeSet;

use super::provision_plan::{OrgSchema, PermissionSetStep, SchemaPlan, plan};
use super::{DesiredSchema, Finding};
use crate::api::metadata::{Component, CustomField, CustomObject, MAX_COMPONENTS, Metadata, PermissionSet};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Literal, Record, RecordId, SObjectName, Soql, Value};

/// What provisioning did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provisioned {
    /// Full names of what was created.
    pub created: Vec<String>,
    /// Full names of what was changed: the permission set, at most.
    pub updated: Vec<String>,
    /// Whether the permission set was assigned to the user just now.
    pub assigned: bool,
    /// What a person has to finish by hand; the rest was done.
    pub by_hand: Vec<Finding>,
}

/// Makes what is missing of a schema and assigns its permission set to the user.
///
/// Nothing that exists is changed, but for rights added to our permission set. Stopped anywhere, the next run finishes; a run
/// that finds all in place writes nothing. Costs 4 API calls then; on an empty org 4, and one
/// per 10 objects and per 10 fields.
///
/// # Errors
///
/// [`ErrorKind::Schema`] before anything is made, naming everything that exists in a shape we cannot use;
/// [`ErrorKind::Forbidden`] when the user may not change metadata; the first refusal of a component, with all refused ones named;
/// any error of [`Client::send`].
pub async fn provision(client: &Client, desired: &DesiredSchema, user: RecordId) -> Result<Provisioned> {
    let metadata = client.metadata();
    let org = look(&metadata, desired).await?;
    let plan = plan(desired, &org)
        .or_else(|findings| Finding::into_result("provision", &findings).map(|()| SchemaPlan::nothing()))?;
    let mut done = Provisioned::default();
    create(&metadata, &plan.objects, &mut done).await?;
    create(&metadata, &plan.fields, &mut done).await?;
    match &plan.permission_set {
        PermissionSetStep::Keep => {}
        PermissionSetStep::Create(set) => create(&metadata, std::slice::from_ref(set), &mut done).await?,
        PermissionSetStep::Update(set) => {
            let refused = metadata.update(std::slice::from_ref(set)).await?.into_iter().find_map(|result| result.error);
            if let Some(error) = refused {
                return Err(error);
            }
            done.updated.push(set.full_name.clone());
        }
    }
    assign(client, desired.permission_set.as_ref().map_or("", |set| &set.full_name), user, &mut done).await?;
    Ok(done)
}

/// What the org has of the schema: names first, and shapes only of what exists.
async fn look(metadata: &Metadata, desired: &DesiredSchema) -> Result<OrgSchema> {
    let types = [CustomObject::TYPE, CustomField::TYPE, PermissionSet::TYPE];
    let listed = metadata.list(&types).await?;
    let names = |kind: &str| -> BTreeSet<String> {
        listed.iter().filter(|listed| listed.component_type == kind).map(|listed| listed.full_name.clone()).collect()
    };
    let objects = names(CustomObject::TYPE);
    let exists = |name: &&str| objects.iter().any(|known| known.eq_ignore_ascii_case(name));
    let ours: Vec<&str> = desired.objects.iter().map(|object| object.full_name.as_str()).filter(exists).collect();
    let mut org = OrgSchema { field_names: names(CustomField::TYPE), ..OrgSchema::default() };
    for names in ours.chunks(MAX_COMPONENTS) {
        org.objects.extend(metadata.read::<CustomObject>(names).await?.into_iter().flatten());
    }
    let set = desired.permission_set.as_ref().map_or("", |set| set.full_name.as_str());
    if names(PermissionSet::TYPE).iter().any(|known| known.eq_ignore_ascii_case(set)) {
        org.permission_set = metadata.read::<PermissionSet>(&[set]).await?.into_iter().flatten().next();
    }
    Ok(org)
}

async fn create<T: Component>(metadata: &Metadata, components: &[T], done: &mut Provisioned) -> Result<()> {
    let mut refused: Vec<(String, Error)> = Vec::new();
    for batch in components.chunks(MAX_COMPONENTS) {
        for result in metadata.create(batch).await? {
            match result.error {
                None => done.created.push(result.full_name),
                // Made meanwhile: by an attempt whose answer was lost, by another run, or hidden from the list.
                Some(error) if error.kind() == ErrorKind::Duplicate => {}
                Some(error) => refused.push((result.full_name, error)),
            }
        }
    }
    let Some((_, first)) = refused.first() else { return Ok(()) };
    let names: Vec<&str> = refused.iter().map(|(name, _)| name.as_str()).collect();
    Err(first.clone().with_context("refused", names.join(" ")))
}

/// Assigns the permission set, unless the user has it already.
async fn assign(client: &Client, name: &str, user: RecordId, done: &mut Provisioned) -> Result<()> {
    const ASSIGNMENT: SObjectName = SObjectName::from_static("PermissionSetAssignment");
    const STATEMENT: &str =
        "SELECT Id, (SELECT Id FROM Assignments WHERE AssigneeId = :user) FROM PermissionSet WHERE Name = :name";
    let soql = Soql::bind(STATEMENT, [("user", Literal::Id(user)), ("name", name.into())])?;
    let sets: Vec<Record> = match client.query(soql).collect().await {
        Ok(sets) => sets,
        // Who may not look at permission sets may have ours all the same; the looks that follow tell.
        Err(error) if matches!(error.kind(), ErrorKind::Schema | ErrorKind::Forbidden) => {
            done.by_hand.push(unassigned(name, &error));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let id = sets.first().and_then(|set| set.text("Id")).ok_or_else(|| {
        Error::new(ErrorKind::Schema, "provision", "the permission set is not there").with_context("name", name)
    })?;
    // No assignment comes as null or as an empty list; the documents show neither.
    let assigned =
        |set: &Record| matches!(set.get("Assignments"), Some(Value::Children(rows)) if !rows.records.is_empty());
    if sets.first().is_some_and(assigned) {
        return Ok(());
    }
    let assignment = Record::new().with("AssigneeId", user.as_str()).with("PermissionSetId", id);
    match client.records(ASSIGNMENT).create(&assignment).await {
        Ok(_) => done.assigned = true,
        // An earlier run has assigned it and did not see its answer.
        Err(error) if error.kind() == ErrorKind::Duplicate => {}
        Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::LimitExceeded | ErrorKind::Invalid) => {
            done.by_hand.push(unassigned(name, &error));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn unassigned(name: &str, error: &Error) -> Finding {
    let why = error.salesforce().first().map_or_else(|| error.to_string(), ToString::to_string);
    Finding::right(
        "permission_set_unassigned",
        format!("permission set {name}"),
        format!("could not be assigned to the user ({why})"),
        "assign it by hand: Setup > Permission Sets > Manage Assignments; a user at the maximum needs sets consolidated first",
    )
}
