//! Taking a set-up away.

use std::sync::Arc;

use serde_json::json;
use sforce::schema::{Filled, ItemKind};
use sforce::store::MemoryStore;
use sforce::testing::org::{MockOrg, UserSpec};

use super::{engagement, setup_in, small, state};
use crate::support::client;

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
