//! What connecting makes and asks: set-up, rights, what is in the way.

use serde_json::{Value, json};
use sforce::adapters::engagement::{Access, EngagementSync, Prefix};
use sforce::schema::{Applied, AssignmentOutcome};
use sforce::sync::Outcome;
use sforce::testing::org::{MockOrg, Operation};
use sforce::{Client, Error, ErrorKind};

use super::{OBJECT, connect, insert, known, run, session, try_connect, writes};
use crate::support::{builder, client};

/// Takes a right away from the connected user and gives the error of connecting.
async fn without(take: impl FnOnce(&MockOrg, &str)) -> Error {
    let org = MockOrg::start();
    // Everything is in place, so that only the right is missing.
    connect(&org).await;
    take(&org, &org.user_id());
    let error = try_connect(client(&org)).await.expect_err("a right is missing");
    assert_eq!(org.count(OBJECT), 0, "no session was written");
    error
}

#[tokio::test]
async fn nav_2_an_empty_org_is_set_up_within_12_calls_and_a_second_connect_writes_nothing() {
    let org = MockOrg::start();
    let (_, provisioned) = connect(&org).await;
    let looks = org.calls(Operation::DeployGet) as u64;
    assert!(org.api_calls() - looks <= 12, "{} API calls", org.api_calls());
    assert_eq!(provisioned.created.len(), 1 + 15 + 20 + 1, "object, its fields, roll-ups, permission set");
    assert!(provisioned.assignment == AssignmentOutcome::Assigned && provisioned.by_hand.is_empty());

    let before = (writes(&org), org.api_calls());
    let (_, again) = connect(&org).await;
    assert_eq!(again, Applied::default());
    assert_eq!(writes(&org), before.0, "nothing was written");
    assert!(org.api_calls() - before.1 <= 7, "{}", org.api_calls() - before.1);
}

#[tokio::test]
async fn nav_2_a_set_up_that_is_stopped_anywhere_is_finished_by_the_next_one() {
    let whole = MockOrg::start();
    connect(&whole).await;
    let calls = whole.api_calls();
    for stop in 0..calls {
        for applied in [false, true] {
            let org = MockOrg::start();
            // From this call on nothing comes back: the process is as good as dead. The last call may still have been applied.
            let fault = || org.faults().on_any();
            if applied {
                fault().apply_then_reset().after(stop + 2).once();
            }
            fault().reset().after(if applied { 0 } else { stop + 2 }).always();
            let lost = builder(&org).retry(sforce::client::RetryPolicy::never()).build().expect("a client");
            let _ = try_connect(lost).await;
            org.faults().clear();
            connect(&org).await;
            let (sync, again) = connect(&org).await;
            assert_eq!(again, Applied::default(), "stopped at call {stop}, applied {applied}");
            let (outcome, _) = sync.record(&session("s", "ada@example.com")).await.expect("lands");
            assert!(matches!(outcome, Outcome::Created(_)));
        }
    }
}

#[tokio::test]
async fn nav_16_the_permission_set_grants_only_what_is_needed_and_the_user_has_it() {
    let org = MockOrg::start();
    connect(&org).await;
    let sets = org.records("PermissionSet");
    let set = sets.iter().find(|set| set["Name"] == "Navattic_Integration").expect("created");
    let of_set = |object: &str| -> Vec<Value> {
        org.records(object).into_iter().filter(|row| row["ParentId"] == set["Id"]).collect()
    };
    for row in of_set("ObjectPermissions") {
        let standard = row["SobjectType"] != OBJECT;
        assert_eq!((&row["PermissionsRead"], &row["PermissionsEdit"]), (&json!(true), &json!(true)), "{row}");
        assert_eq!(row["PermissionsCreate"], json!(!standard), "{row}");
        assert_eq!(
            (&row["PermissionsDelete"], &row["PermissionsModifyAllRecords"]),
            (&json!(false), &json!(false)),
            "{row}"
        );
    }
    assert_eq!(of_set("ObjectPermissions").len(), 5);
    assert_eq!(of_set("FieldPermissions").len(), 39);
    let assigned = org.records("PermissionSetAssignment");
    assert!(
        assigned.iter().any(|row| row["PermissionSetId"] == set["Id"] && row["AssigneeId"] == org.user_id().as_str())
    );

    let full = MockOrg::start();
    EngagementSync::builder(client(&full)).access(Access::FullCrud).build().await.expect("set up");
    let rows = full.records("ObjectPermissions");
    assert!(
        rows.iter().filter(|row| row["PermissionsDelete"] == true && row["PermissionsCreate"] == true).count() >= 5
    );
}

#[tokio::test]
async fn nav_12_each_object_right_taken_away_is_named_before_any_session() {
    for object in ["Contact", "Lead", "Account", "Opportunity", OBJECT] {
        for right in ["Read", "Edit", "Create"] {
            if right == "Create" && object != OBJECT {
                continue;
            }
            let error = without(|org, user| org.revoke_object(user, object, right)).await;
            assert!(matches!(error.kind(), ErrorKind::Schema | ErrorKind::Forbidden), "{error}");
            assert!(error.to_string().contains(object), "{object} {right}: {error}");
            assert!(error.advice().is_some_and(|advice| advice.contains("permission set")), "{error}");
        }
    }
}

#[tokio::test]
async fn nav_13_each_field_right_taken_away_is_named_before_any_session() {
    let hidden = [
        ("Contact", "Email"),
        ("Lead", "Email"),
        ("Account", "Website"),
        ("Contact", "Navattic_Session_Count__c"),
        ("Opportunity", "Navattic_Last_Demos__c"),
        (OBJECT, "Navattic_Email__c"),
        (OBJECT, "Navattic_Opportunity__c"),
    ];
    for (object, field) in hidden {
        let error = without(|org, user| org.revoke_field(user, object, field, "Read")).await;
        assert_eq!(error.kind(), ErrorKind::Schema, "{error}");
        assert!(error.to_string().contains(&format!("{object}.{field}")), "{error}");
        assert!(error.advice().is_some_and(|advice| advice.contains("Field Permissions")), "{error}");
    }
    for (object, field) in hidden.iter().skip(3) {
        let error = without(|org, user| org.revoke_field(user, object, field, "Edit")).await;
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
        assert!(error.to_string().contains(&format!("{object}.{field}")), "{error}");
    }
}

#[tokio::test]
async fn a_user_who_may_not_change_metadata_is_told_what_is_missing_and_works_where_nothing_is() {
    let org = MockOrg::start();
    for permission in ["ModifyMetadata", "ModifyAllData", "CustomizeApplication"] {
        org.revoke_system(&org.user_id(), permission);
    }
    let error = try_connect(client(&org)).await.expect_err("nothing is there");
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.to_string().contains(OBJECT), "{error}");
    assert!(error.advice().is_some_and(|advice| advice.contains("System Administrator")), "{error}");
    assert!(std::error::Error::source(&error).is_some(), "and why it was not made");

    let org = MockOrg::start();
    connect(&org).await;
    for permission in ["ModifyMetadata", "ModifyAllData", "CustomizeApplication"] {
        org.revoke_system(&org.user_id(), permission);
    }
    let (sync, provisioned) = try_connect(client(&org)).await.expect("an admin has made everything");
    assert_eq!(provisioned, Applied::default());
    assert!(matches!(sync.record(&session("s", "ada@example.com")).await.expect("lands").0, Outcome::Created(_)));
}

#[tokio::test]
async fn nav_14_without_api_access_the_flow_says_so_first() {
    let org = MockOrg::start();
    org.disable_api();
    let error = try_connect(client(&org)).await.expect_err("disabled");
    assert!(error.advice().is_some_and(|advice| advice.contains("API Enabled")), "{error}");
}

#[tokio::test]
async fn an_object_or_a_permission_set_of_somebody_else_is_refused_and_left_as_it_is() {
    use sforce::testing::org::{FieldSpec, ObjectSpec};
    let org = MockOrg::start();
    let foreign =
        ObjectSpec::new(OBJECT).name_auto_number("N-{0000}").field(FieldSpec::number("Navattic_Email__c", 18, 0));
    org.add_object(foreign);
    let error = try_connect(client(&org)).await.expect_err("another shape");
    assert_eq!(error.kind(), ErrorKind::Schema);
    for part in [OBJECT, "Navattic_Email__c", "choose another name or prefix"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    assert_eq!(writes(&org), 0, "nothing was made");

    let org = MockOrg::start();
    insert(&org, "PermissionSet", json!({"Name": "Navattic_Integration", "Label": "Something else"}));
    let error = try_connect(client(&org)).await.expect_err("the name is taken");
    assert!(error.to_string().contains("permission set Navattic_Integration"), "{error}");
    assert_eq!(writes(&org), 0, "nothing was made");
    let prefix = Prefix::new("Other_").expect("sound");
    EngagementSync::builder(client(&org)).prefix(prefix).build().await.expect("another prefix does");
}

#[tokio::test]
async fn nav_16_the_permission_set_and_api_enabled_are_all_that_an_integration_user_needs() {
    use sforce::auth::{ClientCredentials, LoginHost};
    use sforce::testing::org::UserSpec;
    let known = known();
    connect(&known.org).await;
    let user = known.org.add_user(UserSpec::new("integration@acme.example").permission("ApiEnabled"));
    let sets = known.org.records("PermissionSet");
    let set = sets.iter().find(|set| set["Name"] == "Navattic_Integration").expect("made by the admin");
    insert(&known.org, "PermissionSetAssignment", json!({"AssigneeId": user.user_id, "PermissionSetId": set["Id"]}));
    let host = LoginHost::allowing_loopback(&known.org.base_url()).expect("loopback");
    let provider =
        ClientCredentials::new(host, user.client_id.as_str(), user.client_secret.as_str()).expect("complete");
    let client = Client::builder(provider).build().expect("a client");
    let (sync, provisioned) = try_connect(client).await.expect("an admin has made everything");
    assert_eq!(provisioned.created.len(), 0);
    let (report, _) = run(&sync, &[session("s", "ada@mail.example")]).await;
    assert_eq!((report.totals.created, report.links.matched_contact, report.rolled_up), (1, 1, 2), "{report:?}");
}

#[tokio::test]
async fn an_assignment_that_fails_is_told_with_what_to_do() {
    let org = MockOrg::start();
    let limit = "the user is at the maximum of permission set assignments";
    org.faults().on(Operation::SObjectCreate).error(400, "LIMIT_EXCEEDED", limit).always();
    let error = try_connect(client(&org)).await.expect_err("nobody sees the new fields");
    let advice = error.advice().expect("what to do");
    assert!(advice.contains(limit) && advice.contains("assign it by hand"), "{error}");
    org.faults().clear();
    connect(&org).await;
}

#[tokio::test]
async fn roll_up_fields_that_are_too_small_are_refused_before_any_session() {
    use sforce::testing::org::FieldSpec;
    for small in
        [FieldSpec::number("Navattic_Total_Minutes__c", 18, 0), FieldSpec::number("Navattic_Session_Count__c", 3, 0)]
    {
        let org = MockOrg::start();
        org.add_field("Contact", small);
        let error = try_connect(client(&org)).await.expect_err("too small");
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(error.to_string().contains("0), not Number(1"), "{error}");
        assert_eq!(writes(&org), 0, "nothing was made");
    }
}

#[tokio::test]
async fn a_lookup_whose_children_go_by_another_name_is_refused_before_any_session() {
    use sforce::testing::org::{FieldSpec, ObjectSpec};
    let org = MockOrg::start();
    let lookup = FieldSpec::lookup("Navattic_Contact__c", "Contact").children("Their_Sessions");
    org.add_object(ObjectSpec::new(OBJECT).field(lookup));
    let error = try_connect(client(&org)).await.expect_err("another name");
    assert!(error.to_string().contains("Navattic_Contact__c is Lookup(Contact as Their_Sessions)"), "{error}");
    assert_eq!(writes(&org), 0);
}

#[tokio::test]
async fn what_an_admin_has_added_to_the_permission_set_survives_our_own_additions() {
    let org = MockOrg::start();
    connect(&org).await;
    let metadata = client(&org).metadata();
    let read = || async {
        let sets =
            metadata.read::<sforce::api::metadata::PermissionSet>(&["Navattic_Integration"]).await.expect("answered");
        sets.into_iter().flatten().next().expect("there")
    };
    let mut set = read().await;
    set.fields.retain(|field| !field.field.ends_with("Navattic_Flows__c"));
    set.objects.iter_mut().find(|object| object.object == "Lead").expect("granted").delete = true;
    set.users.push("ViewSetup".into());
    set.label = "Reworded by an admin".into();
    assert!(metadata.update(&[set]).await.expect("answered")[0].error.is_none());
    let (_, again) = connect(&org).await;
    assert_eq!(again.granted, ["Navattic_Session__c.Navattic_Flows__c"]);
    let set = read().await;
    assert!(set.fields.iter().any(|field| field.field.ends_with("Navattic_Flows__c") && field.editable));
    assert!(set.objects.iter().any(|object| object.object == "Lead" && object.delete));
    assert!(set.users.contains(&"ViewSetup".to_owned()));
    assert_eq!(set.label, "Reworded by an admin");
}
