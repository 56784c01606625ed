//! One field more for each metric.

use std::sync::Arc;

use sforce::ErrorKind;
use sforce::api::metadata::FieldKind;
use sforce::schema::{Filled, MetricField};
use sforce::store::MemoryStore;
use sforce::testing::org::{FieldSpec, MockOrg};

use super::{calls, setup_in, small};
use crate::support::client;

fn metric(label: &str) -> MetricField {
    MetricField::new("Usage__c", label, FieldKind::number(18, 2)).prefix("Heap_")
}

#[tokio::test]
async fn heap_16_heap_25_heap_26_a_metric_becomes_a_field_with_a_resolved_name_that_is_granted() {
    let org = MockOrg::start();
    let setup = setup_in(&client(&org), small(), &Arc::default()).await;
    setup.run().await.expect("set up");
    let before = calls(&org);
    let first = setup.ensure_field(&metric("Visits (last 30 days)")).await.expect("made");
    assert_eq!((first.name.as_str(), first.created), ("Heap_Visits_last_30_days__c", true));
    assert_eq!(calls(&org) - before, 4);
    let granted = org.records("FieldPermissions");
    assert!(
        granted
            .iter()
            .any(|row| { row["Field"] == "Usage__c.Heap_Visits_last_30_days__c" && row["PermissionsEdit"] == true })
    );

    let before = calls(&org);
    let again = setup.ensure_field(&metric("Visits (last 30 days)")).await.expect("there");
    assert_eq!((again.name.as_str(), again.created, again.applied.is_unchanged()), (first.name.as_str(), false, true));
    assert_eq!(calls(&org) - before, 2);

    // Another label that is alike gets a name of its own, and keeps it.
    for _ in 0..2 {
        let other = setup.ensure_field(&metric("Visits: last 30 days!")).await.expect("made");
        assert_eq!(other.name.as_str(), "Heap_Visits_last_30_days_2__c");
    }
    assert_eq!(setup.ensure_field(&metric("Visits (last 30 days)")).await.expect("there").name, first.name);
    // None of them is in the way of the set-up itself.
    assert!(setup.run().await.expect("nothing to do").is_unchanged());
}

#[tokio::test]
async fn heap_16_labels_that_differ_only_after_what_a_field_shows_are_two_metrics() {
    let org = MockOrg::start();
    let setup = setup_in(&client(&org), small(), &Arc::default()).await;
    setup.run().await.expect("set up");
    let labels =
        ["Visits of new users in the last 30 days on mobile", "Visits of new users in the last 30 days on desktop"];
    let mut names = Vec::new();
    for label in labels.iter().chain(&labels) {
        names.push(setup.ensure_field(&metric(label)).await.expect("made or there").name);
    }
    assert_ne!(names[0], names[1]);
    assert_eq!(names[..2], names[2..], "each keeps its own");
    let ledger = setup.ledger().await.expect("read");
    let whole =
        labels.iter().filter(|label| ledger.entries().iter().any(|entry| entry.label.as_deref() == Some(**label)));
    assert_eq!(whole.count(), 2, "the ledger has the whole label");
    // 39 units and a letter of two: what is shown is no half of it.
    let long = format!("{}\u{1F600}", "a".repeat(39));
    assert!(setup.ensure_field(&metric(&long)).await.expect("made").created);
}

#[tokio::test]
async fn heap_16_a_name_that_somebody_else_uses_is_left_to_them() {
    let org = MockOrg::start();
    let setup = setup_in(&client(&org), small(), &Arc::default()).await;
    setup.run().await.expect("set up");
    org.add_field("Usage__c", FieldSpec::text("Heap_Clicks__c", 80));
    let made = setup.ensure_field(&metric("Clicks")).await.expect("made");
    assert_eq!(made.name.as_str(), "Heap_Clicks_2__c");
}

#[tokio::test]
async fn heap_16_a_metric_needs_its_object_and_the_permission_set() {
    let org = MockOrg::start();
    let setup = setup_in(&client(&org), small(), &Arc::default()).await;
    let early = setup.ensure_field(&metric("Clicks")).await.expect_err("nothing is there");
    assert_eq!(early.kind(), ErrorKind::Schema, "{early}");
    setup.run().await.expect("set up");
    let nowhere = MetricField::new("Nowhere__c", "Clicks", FieldKind::Date);
    let error = setup.ensure_field(&nowhere).await.expect_err("no such object");
    assert!(error.kind() == ErrorKind::Schema && error.to_string().contains("Nowhere__c"), "{error}");
    let bad = MetricField::new("Usage__c", "Clicks", FieldKind::text(256));
    assert_eq!(setup.ensure_field(&bad).await.expect_err("too long").kind(), ErrorKind::Config);
}

#[tokio::test]
async fn heap_17_a_metrics_field_is_taken_away_if_it_is_ours_and_holds_nothing() {
    let org = MockOrg::start();
    let store = Arc::new(MemoryStore::default());
    let setup = setup_in(&client(&org), small(), &store).await;
    setup.run().await.expect("set up");
    let made = setup.ensure_field(&metric("Clicks")).await.expect("made");
    let full = format!("Usage__c.{}", made.name);
    org.insert("Usage__c", serde_json::json!({"Name": "a", made.name.as_str(): 7}));
    let kept = setup.remove_field(&full, Filled::Keep).await.expect("looked");
    assert_eq!(kept.left.len(), 1);
    assert!(kept.left[0].reason.contains("1 records hold data"), "{kept}");
    let gone = setup.remove_field(&full, Filled::Delete).await.expect("removed");
    assert!(gone.is_complete(), "{gone}");
    assert_eq!(gone.removed, [format!("field {full}")]);
    assert!(!setup.ledger().await.expect("read").entries().iter().any(|entry| entry.name == full));
    let error = setup.remove_field("Account.Name", Filled::Delete).await.expect_err("not ours");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(setup.run().await.expect("nothing to do").is_unchanged());
}
