//! Who may set up, who gets what, and what is never touched.

use std::sync::Arc;

use serde_json::json;
use sforce::auth::{ClientCredentials, LoginHost};
use sforce::schema::{AssignmentOutcome, Setup};
use sforce::store::MemoryStore;
use sforce::testing::org::{FieldSpec, MockOrg, ObjectSpec, Operation, UserSpec};
use sforce::{Client, ErrorKind};

use super::{setup, setup_in, small, state};
use crate::support::client;

/// A client of another user of the org.
fn user(org: &MockOrg, spec: UserSpec) -> (Client, sforce::types::RecordId) {
    let user = org.add_user(spec);
    let host = LoginHost::allowing_loopback(&org.base_url()).expect("loopback");
    let provider =
        ClientCredentials::new(host, user.client_id.as_str(), user.client_secret.as_str()).expect("complete");
    let id = sforce::types::RecordId::new(user.user_id.as_str()).expect("an id");
    (Client::builder(provider).build().expect("a client"), id)
}

#[tokio::test]
async fn nav_30_an_admin_sets_up_and_another_user_runs() {
    let org = MockOrg::start();
    let (runtime, id) = user(&org, UserSpec::new("integration@acme.example").permission("ApiEnabled"));
    let setup = Setup::builder(client(&org), small()).store(MemoryStore::default()).user(id).build().await;
    let setup = setup.expect("an org and a user");
    let applied = setup.run().await.expect("set up");
    assert_eq!(applied.assignment, AssignmentOutcome::Assigned);
    let assigned = org.records("PermissionSetAssignment");
    assert!(assigned.iter().any(|row| row["AssigneeId"] == id.as_str()));
    assert!(setup.verify(&runtime).await.expect("looked").holds());
    assert!(setup.run().await.expect("nothing to do").is_unchanged());
}

#[tokio::test]
async fn nav_30_a_user_who_may_not_set_up_is_told_the_permission_and_the_two_ways_out() {
    let org = MockOrg::start();
    let (limited, _) = user(&org, UserSpec::new("limited@acme.example").permission("ApiEnabled"));
    let error = setup_in(&limited, small(), &Arc::default()).await.plan().await.expect_err("may not look");
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    let advice = error.advice().expect("what to do");
    assert!(error.message().contains("View Setup and Configuration"), "{error}");
    assert!(advice.contains("System Administrator") && advice.contains("Setup > Permission Sets"), "{advice}");

    for permission in ["ModifyMetadata", "ModifyAllData"] {
        org.revoke_system(&org.user_id(), permission);
    }
    let setup = setup(&org, small()).await;
    let plan = setup.plan().await.expect("may look");
    let error = setup.apply(&plan).await.expect_err("may not change");
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    assert!(error.message().contains("Modify Metadata Through Metadata API Functions"), "{error}");
    assert!(error.advice().is_some_and(|advice| advice.contains("then again as the integration user")), "{error}");
    assert!(setup.ledger().await.expect("read").entries().is_empty(), "nothing was begun");
}

#[tokio::test]
async fn nav_34_a_user_at_the_maximum_of_permission_sets_is_told_and_all_else_is_done() {
    let org = MockOrg::start();
    let setup = setup(&org, small()).await;
    let plan = setup.plan().await.expect("planned");
    let limit = "the user is at the maximum of permission set assignments";
    org.faults().on(Operation::SObjectCreate).error(400, "LIMIT_EXCEEDED", limit).always();
    let applied = setup.apply(&plan).await.expect("all else is done");
    org.faults().clear();
    assert_eq!((applied.assignment, applied.created.len()), (AssignmentOutcome::AssignmentLimit, 4), "{applied:?}");
    let told = applied.by_hand[0].to_string();
    assert!(told.contains(limit) && told.contains("assign it by hand: Setup > Permission Sets"), "{told}");
    // Once there is room, the next run assigns.
    assert_eq!(setup.run().await.expect("assigned").assignment, AssignmentOutcome::Assigned);
}

#[tokio::test]
async fn nav_16_an_admins_rights_are_never_touched_and_ours_are_given_again() {
    let org = MockOrg::start();
    let store = Arc::new(MemoryStore::default());
    let ours = setup_in(&client(&org), small(), &store).await;
    ours.run().await.expect("set up");
    let admin = client(&org).metadata();
    let read = || async {
        let sets = admin.read::<sforce::api::metadata::PermissionSet>(&["Usage_Integration"]).await.expect("answered");
        sets.into_iter().flatten().next().expect("there")
    };
    let mut set = read().await;
    // One right taken back, one narrowed, one widened, one added, and the words changed.
    set.fields.iter_mut().for_each(|field| field.editable = false);
    set.objects.iter_mut().for_each(|object| object.delete = object.edit);
    set.users.push("ViewSetup".into());
    set.description = Some("Reworded".into());
    assert!(admin.update(&[set]).await.expect("answered")[0].error.is_none());
    let theirs = state(&org);

    // Whoever does not know the rows as theirs leaves them alone.
    let stranger = setup(&org, small()).await;
    let plan = stranger.plan().await.expect("planned");
    assert!(plan.is_empty(), "{plan}");
    let applied = stranger.apply(&plan).await.expect("nothing to do");
    assert!(applied.is_unchanged());
    assert_eq!(state(&org), theirs, "all is as the admin left it");
    let told: Vec<String> = applied.by_hand.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    for (told, field) in told.iter().zip(["Usage__c.Visits__c", "Account.Visits__c"]) {
        assert!(told.contains(&format!("{field} grants no edit; somebody else has made it")), "{told}");
        assert!(told.contains("Setup > Permission Sets > Usage Integration > Object Settings"), "{told}");
    }

    // Whoever gave them gives them again, and nothing of the admin's goes.
    let plan = ours.plan().await.expect("planned");
    assert_eq!(plan.api_calls(), 2, "{plan}");
    let applied = ours.apply(&plan).await.expect("granted");
    assert_eq!(applied.granted, ["Usage__c.Visits__c", "Account.Visits__c"]);
    let now = read().await;
    assert!(now.fields.iter().all(|field| field.editable) && now.objects.iter().all(|object| object.delete));
    assert!(now.users.contains(&"ViewSetup".to_owned()));
    assert_eq!(now.description.as_deref(), Some("Reworded"));
    assert!(ours.run().await.expect("nothing to do").is_unchanged());
}

#[tokio::test]
async fn nav_31_rights_that_are_missing_are_added_to_a_set_that_is_there_by_rows() {
    let org = MockOrg::start();
    let mut without = small();
    without.permission_set.as_mut().expect("there").fields.pop();
    let store = Arc::new(MemoryStore::default());
    setup_in(&client(&org), without, &store).await.run().await.expect("set up");
    let deploys = org.calls(Operation::DeployCreate);
    let setup = setup_in(&client(&org), small(), &store).await;
    let plan = setup.plan().await.expect("planned");
    assert_eq!(plan.api_calls(), 1, "{plan}");
    let applied = setup.apply(&plan).await.expect("granted");
    assert_eq!(applied.granted, ["Account.Visits__c"]);
    assert_eq!(org.calls(Operation::DeployCreate), deploys, "an existing permission set is never deployed");
    assert!(setup.run().await.expect("nothing to do").is_unchanged());
}

#[tokio::test]
async fn a_field_that_the_org_requires_gets_no_right_and_stops_nothing() {
    let org = MockOrg::start();
    let theirs = ObjectSpec::new("Usage__c").label("Usage");
    org.add_object(theirs.field(FieldSpec::number("Visits__c", 18, 0).required()));
    let setup = setup(&org, small()).await;
    let applied = setup.run().await.expect("set up");
    assert_eq!(applied.created, ["Account.Visits__c", "Usage_Integration"]);
    let rows = org.records("FieldPermissions");
    assert!(!rows.iter().any(|row| row["Field"] == "Usage__c.Visits__c"));
    let plan = setup.plan().await.expect("planned");
    assert!(plan.is_empty(), "{plan}");
    assert!(setup.verify(&client(&org)).await.expect("looked").holds());
}

#[tokio::test]
async fn what_belongs_to_somebody_else_is_named_and_left() {
    let org = MockOrg::start();
    org.add_object(ObjectSpec::new("Usage__c").name_auto_number("U-{0000}").field(FieldSpec::text("Visits__c", 80)));
    org.insert("PermissionSet", json!({"Name": "Usage_Integration", "Label": "Something else"}));
    let before = state(&org);
    let error = setup(&org, small()).await.run().await.expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::Schema);
    for part in
        ["Usage__c has a Name of type AutoNumber", "Usage__c.Visits__c is Text(80)", "Usage_Integration is another one"]
    {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    assert_eq!((org.calls(Operation::DeployCreate), state(&org)), (0, before));
}

#[tokio::test]
async fn a_field_of_ours_grows_and_keeps_the_label_an_admin_gave_it() {
    use sforce::api::metadata::{CustomField, FieldKind};
    let org = MockOrg::start();
    let store = Arc::new(MemoryStore::default());
    let name = |length| small().field(CustomField::new("Usage__c.Title__c", "Title", FieldKind::text(length)));
    setup_in(&client(&org), name(80), &store).await.run().await.expect("set up");
    let admin = client(&org).metadata();
    let read = || async {
        let fields = admin.read::<CustomField>(&["Usage__c.Title__c"]).await.expect("answered");
        fields.into_iter().flatten().next().expect("there")
    };
    let reworded = CustomField { label: "Their words".into(), ..read().await };
    assert!(admin.update(&[reworded]).await.expect("answered")[0].error.is_none());
    let setup = setup_in(&client(&org), name(120), &store).await;
    let applied = setup.run().await.expect("grown");
    assert_eq!(applied.changed, ["Usage__c.Title__c"]);
    let now = read().await;
    assert_eq!((now.kind, now.label.as_str()), (FieldKind::text(120), "Their words"));
    assert!(setup.run().await.expect("nothing to do").is_unchanged());
    // A smaller one is never asked for.
    let smaller = setup_in(&client(&org), name(40), &store).await;
    let plan = smaller.plan().await.expect("planned");
    assert!(plan.is_empty() && plan.to_string().contains("is Text(120), not Text(40), and is left so"), "{plan}");
}
