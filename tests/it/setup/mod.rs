//! Orgs set up, verified and taken down again.

mod crash;
mod metrics;
mod others;
mod remove;
mod rights;
mod stale;

use serde_json::Value;
use sforce::adapters::engagement::{Access, Prefix, desired_schema};
use sforce::api::metadata::{CustomField, CustomObject, FieldKind, FieldPermission, ObjectPermission, PermissionSet};
use sforce::schema::{DesiredSchema, Setup, SetupProgress};
use sforce::store::MemoryStore;
use sforce::testing::org::{MockOrg, Operation};
use sforce::{Client, ErrorKind};
use std::sync::{Arc, Mutex};

use crate::support::{client, object};

fn engagement() -> DesiredSchema {
    desired_schema(&Prefix::default(), Access::Least)
}

/// A small schema: an object, a field on it, one on a standard object, who may use them.
fn small() -> DesiredSchema {
    let grant = |field: &str| FieldPermission { field: field.into(), readable: true, editable: true };
    let object = ObjectPermission {
        object: "Usage__c".into(),
        read: true,
        create: true,
        edit: true,
        ..ObjectPermission::default()
    };
    let set = PermissionSet {
        full_name: "Usage_Integration".into(),
        label: "Usage Integration".into(),
        fields: vec![grant("Usage__c.Visits__c"), grant("Account.Visits__c")],
        objects: vec![
            object,
            ObjectPermission { object: "Account".into(), read: true, edit: true, ..Default::default() },
        ],
        ..PermissionSet::default()
    };
    DesiredSchema::new("usage")
        .object(CustomObject::new("Usage__c", "Usage", "Usages"))
        .field(CustomField::new("Usage__c.Visits__c", "Visits", FieldKind::number(18, 0)))
        .field(CustomField::new("Account.Visits__c", "Visits", FieldKind::number(18, 0)))
        .permission_set(set)
}

async fn setup(org: &MockOrg, schema: DesiredSchema) -> Setup {
    setup_in(&client(org), schema, &Arc::new(MemoryStore::default())).await
}

async fn setup_in(client: &Client, schema: DesiredSchema, store: &Arc<MemoryStore>) -> Setup {
    Setup::builder(client.clone(), schema).store(Arc::clone(store)).build().await.expect("an org and a user")
}

/// API calls but for looks at a deploy that is at work.
fn calls(org: &MockOrg) -> u64 {
    org.api_calls() - org.calls(Operation::DeployGet) as u64
}

/// What an org holds of set-up: every row that grants something, and the shape of every object that matters.
pub(crate) fn state(org: &MockOrg) -> Vec<String> {
    let mut rows = Vec::new();
    let kept =
        |row: &Value, names: &[&str]| names.iter().map(|name| row[*name].to_string()).collect::<Vec<_>>().join(" ");
    let set_of = |id: &Value| {
        let sets = org.records("PermissionSet");
        sets.iter().find(|set| set["Id"] == *id).map(|set| set["Name"].to_string()).unwrap_or_default()
    };
    for set in org.records("PermissionSet") {
        rows.push(format!("set {}", kept(&set, &["Name", "Label", "Description"])));
    }
    for row in org.records("ObjectPermissions") {
        let names = ["SobjectType", "PermissionsRead", "PermissionsCreate", "PermissionsEdit", "PermissionsDelete"];
        rows.push(format!("{} {}", set_of(&row["ParentId"]), kept(&row, &names)));
    }
    for row in org.records("FieldPermissions") {
        rows.push(format!(
            "{} {}",
            set_of(&row["ParentId"]),
            kept(&row, &["Field", "PermissionsRead", "PermissionsEdit"])
        ));
    }
    for row in org.records("PermissionSetAssignment") {
        rows.push(format!("{} of {}", set_of(&row["PermissionSetId"]), row["AssigneeId"]));
    }
    rows.sort();
    rows
}

#[tokio::test]
async fn nav_2_an_empty_org_is_set_up_in_4_calls_and_a_second_run_takes_2_and_writes_nothing() {
    let org = MockOrg::start();
    let setup = setup(&org, engagement()).await;
    let plan = setup.plan().await.expect("an admin may look");
    assert_eq!(calls(&org), 2, "one composite of data, one of the catalog");
    assert_eq!((plan.api_calls(), plan.conflicts().count()), (2, 0), "{plan}");
    assert_eq!(org.calls(Operation::DeployCreate), 0, "a plan changes nothing");
    let applied = setup.apply(&plan).await.expect("set up");
    assert_eq!(calls(&org), 4, "and one deploy, one assignment");
    assert_eq!(applied.created.len(), 1 + 15 + 20 + 1, "object, its fields, roll-ups, permission set");
    assert!(applied.by_hand.is_empty(), "{:?}", applied.by_hand);

    let (before, made) = (calls(&org), state(&org));
    let again = setup.plan().await.expect("planned");
    assert!(again.is_empty() && again.api_calls() == 0, "{again}");
    let applied = setup.apply(&again).await.expect("nothing to do");
    assert!(applied.is_unchanged());
    assert_eq!(calls(&org) - before, 2);
    assert_eq!((org.calls(Operation::DeployCreate), state(&org)), (1, made));
}

#[tokio::test]
async fn nav_24_the_run_time_user_finds_every_field_in_one_call() {
    let org = MockOrg::start();
    let setup = setup(&org, engagement()).await;
    let runtime = client(&org);
    let before = setup.verify(&runtime).await.expect("looked");
    assert!(!before.holds());
    let missing = before.findings();
    assert_eq!(missing.iter().filter(|finding| finding.problem == "is not there").count(), 1 + 20, "{before}");

    setup.run().await.expect("set up");
    let calls_before = calls(&org);
    let found = setup.verify(&runtime).await.expect("looked");
    assert_eq!(calls(&org) - calls_before, 1);
    assert!(found.holds(), "{found}");
    assert!(found.to_string().contains("5 objects and 39 fields: all in place"), "{found}");

    org.revoke_field(&org.user_id(), "Contact", "Navattic_Session_Count__c", "Read");
    org.revoke_field(&org.user_id(), "Lead", "Navattic_Last_Demos__c", "Edit");
    org.revoke_object(&org.user_id(), "Navattic_Session__c", "Create");
    let calls_before = calls(&org);
    let found = setup.verify(&runtime).await.expect("looked");
    assert!(calls(&org) - calls_before <= 4);
    let told: Vec<String> = found.findings().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[0].contains("Navattic_Session__c gives the user no Create: Setup > Permission Sets"), "{}", told[0]);
    assert!(told[1].contains("Contact.Navattic_Session_Count__c is there, and hidden from the user"), "{}", told[1]);
    assert!(told[2].contains("Lead.Navattic_Last_Demos__c cannot be changed by the user"), "{}", told[2]);
}

#[tokio::test]
async fn progress_is_told_and_a_plan_shows_what_will_be_done() {
    let org = MockOrg::start();
    let seen: Arc<Mutex<Vec<SetupProgress>>> = Arc::default();
    let told = Arc::clone(&seen);
    let builder = Setup::builder(client(&org), small()).store(MemoryStore::default());
    let setup = builder.progress(move |step| told.lock().expect("unpoisoned").push(step.clone())).build().await;
    let setup = setup.expect("an org and a user");
    let plan = setup.plan().await.expect("planned");
    let shown = plan.to_string();
    assert!(
        shown.starts_with("usage: 5 to create, 0 to change, 0 in conflict, 0 by hand, 0 in place; 2 API calls"),
        "{shown}"
    );
    setup.apply(&plan).await.expect("set up");
    let seen = seen.lock().expect("unpoisoned");
    assert!(seen.iter().any(|step| matches!(step, SetupProgress::Deploying { .. })), "{seen:?}");
    assert!(matches!(seen.last(), Some(SetupProgress::Granting { rows: 0 })), "{seen:?}");
}

#[tokio::test]
async fn everything_wrong_with_a_schema_is_told_before_the_first_call() {
    let org = MockOrg::start();
    let schema = small().field(CustomField::new("Usage__c.a__b__c", "", FieldKind::text(256)));
    let error = setup(&org, schema).await.plan().await.expect_err("not sound");
    assert_eq!((error.kind(), org.api_calls()), (ErrorKind::Config, 0));
    for part in ["two underscores", "no label", "256 characters"] {
        assert!(error.message().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_component_that_the_org_refuses_is_named_and_nothing_is_made() {
    let org = MockOrg::start();
    let before = state(&org);
    let mut schema = small();
    // Nobody but the org knows what fields it has.
    let gone = FieldPermission { field: "Account.Gone__c".into(), readable: true, editable: true };
    schema.permission_set.as_mut().expect("there").fields.push(gone);
    let setup = setup(&org, schema).await;
    let error = setup.run().await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert!(error.to_string().contains("PermissionSet Usage_Integration"), "{error}");
    assert_eq!(state(&org), before, "rolled back");
    assert!(client(&org).describe(&object("Usage__c")).await.is_err(), "the object too");
    assert!(setup.ledger().await.expect("read").entries().is_empty());
}

#[tokio::test]
async fn smv_12_a_notifier_is_set_up_once_and_taken_away_though_its_flow_is_active() {
    use sforce::schema::{ChangeNotifier, Filled};
    let org = MockOrg::start();
    let user = org.records("User").into_iter().find(|user| user["Id"] == org.user_id().as_str()).expect("the user");
    let user = user["Username"].as_str().expect("a name").to_owned();
    let notifier = ChangeNotifier::new("Opportunity", "https://app.acme.example/s3cret", user).fields(["Amount"]);
    let schema = DesiredSchema::new("notifier").notifier(&notifier).expect("sound");
    let setup = setup(&org, schema).await;
    let applied = setup.run().await.expect("set up");
    assert_eq!(applied.created, ["Opportunity.Tell_of_Opportunity", "Tell_of_Opportunity"]);
    let again = setup.run().await.expect("nothing to do");
    assert!(again.is_unchanged(), "{again:?}");
    let removal = setup.remove(Filled::Keep).await.expect("removed");
    assert!(removal.is_complete(), "{removal}");
    assert_eq!(removal.removed.len(), 2, "{removal:?}");
}

#[tokio::test]
async fn gpt_23_a_section_is_added_to_a_layout_and_taken_away_and_all_else_stays() {
    use sforce::api::metadata::Layout;
    use sforce::schema::{DesiredSection, Filled};
    let org = MockOrg::start();
    let read = || async {
        let layouts = client(&org).metadata().read::<Layout>(&["Account-Account Layout"]).await.expect("answered");
        layouts.into_iter().flatten().next().expect("every object has one")
    };
    let before = read().await;
    let section = DesiredSection {
        layout: "Account-Account Layout".into(),
        label: "Usage <of us>".into(),
        fields: vec!["Visits__c".into()],
    };
    let setup = setup(&org, small().layout_section(section)).await;
    let plan = setup.plan().await.expect("planned");
    assert_eq!(
        (calls(&org) - 1, plan.api_calls()),
        (3, 3),
        "one call more, by SOAP, and one more before the deploy: {plan}"
    );
    let applied = setup.apply(&plan).await.expect("set up");
    assert_eq!(applied.changed, ["Account-Account Layout/Usage <of us>"], "{applied:?}");
    let now = read().await;
    assert!(now.shows("Visits__c"));
    let kept = |layout: &Layout| {
        layout.sections.iter().filter(|section| section.label != "Usage <of us>").cloned().collect::<Vec<_>>()
    };
    assert_eq!(kept(&now), kept(&before));
    assert!(setup.run().await.expect("nothing to do").is_unchanged());
    assert!(setup.remove(Filled::Keep).await.expect("removed").is_complete());
    assert_eq!(read().await, before);
}
