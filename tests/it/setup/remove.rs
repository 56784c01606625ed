//! Taking a set-up away.

use std::sync::Arc;

use serde_json::json;
use sforce::auth::{ClientCredentials, LoginHost};
use sforce::schema::{ChangeNotifier, DesiredSection, Filled, ItemKind, Removal, Setup};
use sforce::store::MemoryStore;
use sforce::testing::org::{FieldSpec, MockOrg, TestUser, UserSpec};
use sforce::types::RecordId;
use sforce::{Client, ErrorKind};

use super::{engagement, setup_in, small, state};
use crate::support::{client, object};

#[tokio::test]
async fn smv_13_what_was_made_is_taken_away_and_the_org_is_as_before() {
    for schema in [small(), engagement()] {
        let org = MockOrg::start();
        let before = state(&org);
        let store = Arc::new(MemoryStore::default());
        let setup = setup_in(&client(&org), schema, &store).await;
        setup.run().await.expect("set up");
        let removal = setup.remove(Filled::Keep).await.expect("removed");
        assert!(removal.is_complete(), "{removal}");
        assert_eq!(state(&org), before);
        let ledger = setup.ledger().await.expect("read");
        assert!(ledger.entries().is_empty(), "{ledger:?}");
        // Twice is once, and the org can be set up again.
        assert_eq!(setup.remove(Filled::Keep).await.expect("nothing to do").removed, [""; 0]);
        setup.run().await.expect("set up again");
    }
}

#[tokio::test]
async fn smv_13_what_holds_data_stays_unless_it_is_asked_for() {
    let org = MockOrg::start();
    let setup = setup_in(&client(&org), small(), &Arc::default()).await;
    setup.run().await.expect("set up");
    org.insert("Usage__c", json!({"Name": "a"}));
    org.insert("Account", json!({"Name": "Acme", "Visits__c": 3}));
    let removal = setup.remove(Filled::Keep).await.expect("looked");
    let left: Vec<&str> = removal.left.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(left, ["Usage__c", "Account.Visits__c", "Usage__c.Visits__c"], "{removal}");
    assert!(removal.left[0].reason.contains("1 records") && removal.left[0].click_path.starts_with("Setup > "));
    assert_eq!(org.count("Usage__c"), 1);
    // The rest is in the ledger, for whoever has the store.
    let removal = setup.remove(Filled::Delete).await.expect("removed");
    assert!(removal.is_complete(), "{removal}");
    assert!(setup.ledger().await.expect("read").entries().is_empty());
}

#[tokio::test]
async fn smv_13_what_the_org_refuses_is_left_with_reason_and_click_path_and_can_be_tried_again() {
    let org = MockOrg::start();
    let setup = setup_in(&client(&org), small(), &Arc::default()).await;
    setup.run().await.expect("set up");
    // Somebody else was given the permission set, so it cannot be deleted.
    let other = org.add_user(UserSpec::new("other@acme.example"));
    let sets = org.records("PermissionSet");
    let set = sets.iter().find(|set| set["Name"] == "Usage_Integration").expect("there");
    let row = org.insert("PermissionSetAssignment", json!({"AssigneeId": other.user_id, "PermissionSetId": set["Id"]}));
    let removal = setup.remove(Filled::Keep).await.expect("tried");
    let left: Vec<&ItemKind> = removal.left.iter().map(|left| &left.kind).collect();
    assert_eq!(left, [&ItemKind::PermissionSet], "{removal}");
    assert_eq!(removal.left[0].click_path, "Setup > Permission Sets > Usage_Integration > Delete");
    assert!(removal.removed.iter().any(|name| name == "object Usage__c"), "the rest is gone: {removal:?}");
    let client = client(&org);
    let id = sforce::types::RecordId::new(&row).expect("an id");
    client
        .records(sforce::types::SObjectName::from_static("PermissionSetAssignment"))
        .delete(id)
        .await
        .expect("taken back");
    let removal = setup.remove(Filled::Keep).await.expect("removed");
    assert!(removal.is_complete(), "{removal}");
}

#[tokio::test]
async fn smv_13_nothing_that_was_there_before_is_taken_away() {
    use sforce::testing::org::{FieldSpec, ObjectSpec};
    let org = MockOrg::start();
    org.add_object(ObjectSpec::new("Usage__c").label("Usage").field(FieldSpec::number("Visits__c", 18, 0)));
    org.insert("PermissionSet", json!({"Name": "Usage_Integration", "Label": "Usage Integration"}));
    let before = state(&org);
    let setup = setup_in(&client(&org), small(), &Arc::default()).await;
    let applied = setup.run().await.expect("set up");
    assert_eq!(applied.created, ["Account.Visits__c"], "{applied:?}");
    let removal = setup.remove(Filled::Keep).await.expect("removed");
    assert!(removal.is_complete(), "{removal}");
    assert_eq!(state(&org), before, "object, field and permission set of before stay");
}

/// A client of a user of the org.
fn client_of(org: &MockOrg, user: &TestUser) -> Client {
    let host = LoginHost::allowing_loopback(&org.base_url()).expect("an address");
    let provider = ClientCredentials::new(host, &*user.client_id, &*user.client_secret).expect("an app");
    Client::builder(provider).build().expect("a client")
}

fn named(removal: &Removal) -> Vec<&str> {
    removal.left.iter().map(|left| left.name.as_str()).collect()
}

#[tokio::test]
async fn smv_13_what_an_admin_has_deleted_does_not_stop_the_rest_and_is_not_told_as_removed() {
    let org = MockOrg::start();
    let setup = setup_in(&client(&org), small(), &Arc::default()).await;
    setup.run().await.expect("set up");
    org.remove_field("Account", "Visits__c");
    let removal = setup.remove(Filled::Keep).await.expect("removed");
    assert!(removal.is_complete(), "{removal}");
    assert!(removal.removed.iter().any(|name| name == "object Usage__c"), "{removal:?}");
    assert!(!removal.removed.iter().any(|name| name.contains("Account.Visits__c")), "{removal:?}");
    assert!(setup.ledger().await.expect("read").entries().is_empty());
}

#[tokio::test]
async fn smv_13_nothing_is_believed_to_be_empty_of_a_user_who_does_not_see_all_records() {
    let org = MockOrg::start();
    let mut limited = UserSpec::new("setter@example.com").object("Account", &["Read"]);
    for permission in [
        "ApiEnabled",
        "CustomizeApplication",
        "ModifyMetadata",
        "ViewSetup",
        "AssignPermissionSets",
        "ManageProfilesPermissionsets",
    ] {
        limited = limited.permission(permission);
    }
    let setter = org.add_user(limited);
    org.set_sharing_model("Account", "Private");
    let setup = setup_in(&client_of(&org, &setter), small(), &Arc::default()).await;
    setup.run().await.expect("set up");
    let removal = setup.remove(Filled::Keep).await.expect("looked");
    let mut left = named(&removal);
    left.sort_unstable();
    assert_eq!(left, ["Account.Visits__c", "Usage__c", "Usage__c.Visits__c"], "sharing may hide records: {removal}");
    assert!(removal.left.iter().any(|left| left.reason.contains("cannot be seen")), "{removal}");
    assert!(client(&org).describe(&object("Usage__c")).await.is_ok());
    // An admin sees all, and may say so.
    let removal = setup.remove(Filled::Delete).await.expect("removed");
    assert!(removal.is_complete(), "{removal}");
}

#[tokio::test]
async fn smv_13_of_two_run_time_users_each_loses_the_assignment_that_was_made_and_no_other() {
    let org = MockOrg::start();
    // The set is there before, so that it does not go and take all assignments with it.
    let set = org.insert("PermissionSet", json!({"Name": "Usage_Integration", "Label": "Usage Integration"}));
    let theirs = org.add_user(UserSpec::new("theirs@example.com").permission("ApiEnabled"));
    org.insert("PermissionSetAssignment", json!({"AssigneeId": theirs.user_id, "PermissionSetId": set}));
    let users = ["one@example.com", "two@example.com"].map(|name| {
        let user = org.add_user(UserSpec::new(name).permission("ApiEnabled"));
        RecordId::new(user.user_id.as_str()).expect("an id")
    });
    let before = state(&org);
    let store: Arc<MemoryStore> = Arc::default();
    let mut last = None;
    for id in users {
        let setup = Setup::builder(client(&org), small()).store(Arc::clone(&store)).user(id);
        let setup = setup.build().await.expect("an org and a user");
        setup.run().await.expect("set up");
        assert!(setup.run().await.expect("nothing to do").is_unchanged());
        last = Some(setup);
    }
    let setup = last.expect("two");
    let noted = setup.ledger().await.expect("read");
    let noted: Vec<_> = noted.entries().iter().filter(|entry| entry.kind == ItemKind::Assignment).collect();
    assert!(noted.len() == 2 && noted[1].name.starts_with("Usage_Integration/005"), "{noted:?}");
    // The field is hidden from the set-up user, who cannot say that it is empty.
    let removal = setup.remove(Filled::Delete).await.expect("removed");
    assert!(removal.is_complete(), "{removal}");
    assert_eq!(state(&org), before);
}

#[tokio::test]
async fn smv_13_a_section_that_somebody_has_put_fields_into_is_told_as_left() {
    use sforce::api::metadata::{Layout, LayoutItem};
    let org = MockOrg::start();
    let section = DesiredSection {
        layout: "Account-Account Layout".into(),
        label: "Usage".into(),
        fields: vec!["Visits__c".into()],
    };
    let setup = setup_in(&client(&org), small().layout_section(section), &Arc::default()).await;
    setup.run().await.expect("set up");
    org.add_field("Account", FieldSpec::text("Theirs__c", 10));
    let admin = &client(&org).metadata();
    let read = || async {
        let mut layouts = admin.read::<Layout>(&["Account-Account Layout"]).await.expect("answered");
        layouts.remove(0).expect("there")
    };
    let put = |mut layout: Layout, item: Option<LayoutItem>| async move {
        for section in layout.sections.iter_mut().filter(|section| section.label == "Usage") {
            let items = &mut section.columns[0].items;
            items.retain(|known| known.field.as_deref() != Some("Theirs__c"));
            items.extend(item.clone());
        }
        let result = admin.update(&[layout]).await.expect("answered");
        assert!(result[0].error.is_none(), "{result:?}");
    };
    put(read().await, Some(LayoutItem::new("Theirs__c"))).await;
    let removal = setup.remove(Filled::Keep).await.expect("removed");
    assert_eq!(named(&removal), ["Account-Account Layout/Usage"], "{removal}");
    assert!(removal.left[0].reason.contains("Theirs__c"), "{removal}");
    assert!(!removal.removed.iter().any(|name| name.contains("Usage\"") || name.contains("section")), "{removal:?}");
    assert!(read().await.shows("Theirs__c"), "what is theirs stays");
    // Once their field is out of it, it goes.
    put(read().await, None).await;
    let removal = setup.remove(Filled::Keep).await.expect("removed");
    assert!(removal.is_complete(), "{removal}");
    assert!(!read().await.sections.iter().any(|section| section.label == "Usage"));
}

#[tokio::test]
async fn smv_13_a_section_that_was_there_before_keeps_what_it_had() {
    use sforce::api::metadata::{Layout, LayoutSection};
    let org = MockOrg::start();
    org.add_field("Account", FieldSpec::text("Theirs__c", 10));
    let admin = client(&org).metadata();
    let read = || async {
        let mut layouts = admin.read::<Layout>(&["Account-Account Layout"]).await.expect("answered");
        layouts.remove(0).expect("there")
    };
    let mut layout = read().await;
    assert!(layout.add_section(LayoutSection::new("Usage", ["Theirs__c"])));
    let result = admin.update(&[layout]).await.expect("answered");
    assert!(result[0].error.is_none(), "{result:?}");
    let before = read().await;
    let section = DesiredSection {
        layout: "Account-Account Layout".into(),
        label: "Usage".into(),
        fields: vec!["Visits__c".into()],
    };
    let setup = setup_in(&client(&org), small().layout_section(section), &Arc::default()).await;
    setup.run().await.expect("set up");
    assert!(read().await.shows("Visits__c"));
    let removal = setup.remove(Filled::Keep).await.expect("removed");
    assert!(removal.is_complete(), "{removal}");
    assert_eq!(read().await, before);
}

#[tokio::test]
async fn smv_13_what_is_in_use_by_something_of_ours_goes_once_that_is_gone() {
    let org = MockOrg::start();
    let user = org.records("User").into_iter().find(|user| user["Id"] == org.user_id().as_str()).expect("the user");
    let user = user["Username"].as_str().expect("a name").to_owned();
    let notifier = ChangeNotifier::new("Account", "https://app.acme.example/s3cret", user)
        .fields(["Visits__c"])
        .by_workflow_rule();
    let schema = small().notifier(&notifier).expect("sound");
    let setup = setup_in(&client(&org), schema, &Arc::default()).await;
    setup.run().await.expect("set up");
    let removal = setup.remove(Filled::Keep).await.expect("removed");
    assert!(removal.is_complete(), "{removal}");
    assert!(removal.removed.iter().any(|name| name == "field Account.Visits__c"), "{removal:?}");
}

#[tokio::test]
async fn smv_13_rights_in_a_set_that_the_schema_no_longer_names_are_removed_or_told() {
    let org = MockOrg::start();
    org.insert("PermissionSet", json!({"Name": "Usage_Integration", "Label": "Usage Integration"}));
    let before = state(&org);
    let store: Arc<MemoryStore> = Arc::default();
    setup_in(&client(&org), small(), &store).await.run().await.expect("set up");
    let mut without = small();
    without.permission_set = None;
    let setup = setup_in(&client(&org), without, &store).await;
    let removal = setup.remove(Filled::Keep).await.expect("removed");
    assert!(removal.is_complete(), "the ledger knows which set was assigned: {removal}");
    assert_eq!(state(&org), before);
    assert!(setup.ledger().await.expect("read").entries().is_empty());
}

#[tokio::test]
async fn smv_13_a_field_hidden_from_the_set_up_user_is_counted_by_the_run_time_user() {
    for (visits, helped, left) in [(json!(3), true, true), (json!(null), true, false), (json!(null), false, true)] {
        let org = MockOrg::start();
        let user = org.add_user(UserSpec::new("runtime@example.com").permission("ApiEnabled"));
        let id = RecordId::new(user.user_id.as_str()).expect("an id");
        let setup = Setup::builder(client(&org), small()).store(MemoryStore::default()).user(id).build().await;
        let setup = setup.expect("an org and a user");
        setup.run().await.expect("set up");
        org.insert("Account", json!({"Name": "Acme", "Visits__c": visits}));
        let runtime = client_of(&org, &user);
        let removal =
            if helped { setup.remove_seen_by(&runtime, Filled::Keep).await } else { setup.remove(Filled::Keep).await };
        let removal = removal.expect("removed");
        let found = removal.left.iter().find(|left| left.name == "Account.Visits__c");
        assert_eq!(found.is_some(), left, "{visits} {helped}: {removal}");
        let reason = found.map(|found| found.reason.as_str()).unwrap_or_default();
        assert_eq!(reason.starts_with("1 records"), helped && left, "{removal}");
    }
    let (org, other) = (MockOrg::start(), MockOrg::builder().number(2).start());
    let setup = setup_in(&client(&org), small(), &Arc::default()).await;
    setup.run().await.expect("set up");
    let error = setup.remove_seen_by(&client(&other), Filled::Keep).await.expect_err("of another org");
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
}
