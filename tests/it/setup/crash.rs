//! Set-up that ends anywhere is finished by the next one.

use std::sync::Arc;

use sforce::Client;
use sforce::api::metadata::{CustomField, FieldKind, FieldPermission, Layout, ValueSet};
use sforce::client::RetryPolicy;
use sforce::schema::{DesiredSchema, DesiredSection, EntryState, Filled, ItemKind, Setup};
use sforce::store::MemoryStore;
use sforce::testing::org::{MockOrg, Operation, UserSpec};

use super::{engagement, setup_in, small, state};
use crate::support::{builder, client, object};

/// The state of an org that is set up without a fault.
async fn whole() -> Vec<String> {
    let org = MockOrg::start();
    setup_in(&client(&org), small(), &Arc::default()).await.run().await.expect("set up");
    unnamed(&org)
}

/// The state without ids, which differ from org to org.
fn unnamed(org: &MockOrg) -> Vec<String> {
    state(org).into_iter().map(|row| row.replace(&org.user_id(), "the user")).collect()
}

/// How a process ends, and what becomes of its last request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The request is lost.
    Lost,
    /// It is carried out, and its answer lost. A deploy that was begun goes on when somebody looks at one.
    Applied,
    /// The same, and what was begun has ended before the next run.
    Ended,
}

const ENDS: [End; 3] = [End::Lost, End::Applied, End::Ended];

/// From the request after this one on nothing comes back: the process is as good as dead.
fn dies_after(org: &MockOrg, requests: u64, end: End) {
    let fault = || org.faults().on_any();
    if end != End::Lost {
        fault().apply_then_reset().after(requests).once();
    }
    fault().reset().after(requests).always();
}

/// The deploys of an org end, though nobody looks.
fn finish(org: &MockOrg) {
    while org.deploys().step().is_some() {}
}

/// A client of a process that dies.
fn mortal(org: &MockOrg) -> Client {
    builder(org).retry(RetryPolicy::never()).build().expect("a client")
}

/// What an org holds that a schema can change: rows, fields with their sizes, sections of layouts.
async fn shape(org: &MockOrg) -> Vec<String> {
    let mut shape = unnamed(org);
    let client = client(org);
    for name in ["Usage__c", "Account"] {
        let Ok(seen) = client.describe(&object(name)).await else { continue };
        let custom = seen.fields.iter().filter(|field| field.custom);
        shape.extend(custom.map(|field| {
            let values: Vec<&str> = field.picklist_values.iter().map(|value| value.value.as_str()).collect();
            format!("{name}.{} {} {} {values:?}", field.name, field.length, field.precision)
        }));
    }
    let layouts = client.metadata().read::<Layout>(&["Account-Account Layout"]).await.expect("answered");
    shape.extend(layouts.into_iter().flatten().flat_map(|layout| layout.sections).map(|section| {
        let fields: Vec<&str> = section.fields().collect();
        format!("section {} {fields:?}", section.label)
    }));
    shape
}

/// A set-up that dies at any request, in an org that was made ready, and the next one.
async fn dies_anywhere(ready: impl AsyncFn(&MockOrg, &Arc<MemoryStore>), schema: impl Fn() -> DesiredSchema) {
    let org = MockOrg::start();
    let store = Arc::default();
    ready(&org, &store).await;
    let before = org.api_calls();
    setup_in(&client(&org), schema(), &store).await.run().await.expect("set up");
    // And one for the token.
    let requests = org.api_calls() - before + 1;
    let expected = shape(&org).await;
    for (stop, end) in (0..=requests).flat_map(|stop| ENDS.map(|end| (stop, end))) {
        let context = format!("stopped after request {stop}, {end:?}");
        let org = MockOrg::start();
        let store = Arc::default();
        ready(&org, &store).await;
        dies_after(&org, stop, end);
        let lost = Setup::builder(mortal(&org), schema()).store(Arc::clone(&store)).build().await;
        if let Ok(lost) = lost {
            let _ = lost.run().await;
        }
        org.faults().clear();
        if end == End::Ended {
            finish(&org);
        }
        let next = setup_in(&client(&org), schema(), &store).await;
        next.run().await.unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(shape(&org).await, expected, "{context}");
        let again = next.run().await.expect("nothing to do");
        assert!(again.is_unchanged() && again.by_hand.is_empty(), "{context}: {again:?}");
        let ledger = next.ledger().await.expect("read");
        let open = ledger.entries().iter().filter(|entry| entry.state == EntryState::Intended);
        assert_eq!((ledger.deploy(), open.count()), (None, 0), "{context}: {ledger:?}");
    }
}

#[tokio::test]
async fn nav_2_a_set_up_that_ends_at_any_request_ends_in_the_same_org() {
    dies_anywhere(async |_, _| {}, small).await;
}

#[tokio::test]
async fn nav_2_rights_in_a_set_that_is_there_are_granted_wherever_the_first_run_ends() {
    let ready = async |org: &MockOrg, _: &Arc<MemoryStore>| {
        org.insert("PermissionSet", serde_json::json!({"Name": "Usage_Integration", "Label": "Usage Integration"}));
    };
    dies_anywhere(ready, small).await;
}

#[tokio::test]
async fn nav_2_fields_and_rights_of_ours_get_what_they_lack_wherever_the_first_run_ends() {
    let sized = |length: u32, values: &[&str], edit: bool| {
        let mut schema = small()
            .field(CustomField::new("Usage__c.Note__c", "Note", FieldKind::text(length)))
            .field(CustomField::new("Account.Level__c", "Level", FieldKind::picklist(ValueSet::new(values.to_vec()))));
        let set = schema.permission_set.as_mut().expect("there");
        for field in ["Usage__c.Note__c", "Account.Level__c"] {
            set.fields.push(FieldPermission { field: field.into(), readable: true, editable: edit });
        }
        schema
    };
    let ready = async |org: &MockOrg, store: &Arc<MemoryStore>| {
        setup_in(&client(org), sized(20, &["Low"], false), store).await.run().await.expect("the first release");
    };
    dies_anywhere(ready, || sized(80, &["Low", "High"], true)).await;
}

#[tokio::test]
async fn nav_2_a_section_of_a_layout_is_added_once_wherever_the_first_run_ends() {
    dies_anywhere(async |_, _| {}, || small().layout_section(section())).await;
}

fn section() -> DesiredSection {
    DesiredSection { layout: "Account-Account Layout".into(), label: "Usage".into(), fields: vec!["Visits__c".into()] }
}

#[tokio::test]
async fn smv_13_a_removal_that_ends_at_any_request_is_finished_by_the_next_one() {
    let schema = || small().layout_section(section());
    let ready = async |org: &MockOrg| {
        let before = shape(org).await;
        let store: Arc<MemoryStore> = Arc::default();
        setup_in(&client(org), schema(), &store).await.run().await.expect("set up");
        (before, store)
    };
    let org = MockOrg::start();
    let (_, store) = ready(&org).await;
    let before = org.api_calls();
    setup_in(&client(&org), schema(), &store).await.remove(Filled::Delete).await.expect("removed");
    let requests = org.api_calls() - before + 1;
    for (stop, end) in (0..=requests).flat_map(|stop| ENDS.map(|end| (stop, end))) {
        let context = format!("stopped after request {stop}, {end:?}");
        let org = MockOrg::start();
        let (before, store) = ready(&org).await;
        dies_after(&org, stop, end);
        if let Ok(lost) = Setup::builder(mortal(&org), schema()).store(Arc::clone(&store)).build().await {
            let _ = lost.remove(Filled::Delete).await;
        }
        org.faults().clear();
        if end == End::Ended {
            finish(&org);
        }
        let next = setup_in(&client(&org), schema(), &store).await;
        let removal = next.remove(Filled::Delete).await.unwrap_or_else(|error| panic!("{context}: {error}"));
        assert!(removal.is_complete(), "{context}: {removal}");
        assert_eq!(shape(&org).await, before, "{context}");
        assert!(next.ledger().await.expect("read").entries().is_empty(), "{context}");
    }
}

#[tokio::test]
async fn nav_2_a_deploy_that_is_still_at_work_is_waited_for_by_its_id() {
    let org = MockOrg::start();
    let store = Arc::new(MemoryStore::default());
    org.faults().on(Operation::DeployGet).reset().always();
    let lost = mortal(&org);
    let first = setup_in(&lost, engagement(), &store).await;
    first.run().await.expect_err("nobody sees the end");
    let id = first.ledger().await.expect("read").deploy().expect("its id is written down");
    org.faults().clear();
    let next = setup_in(&client(&org), engagement(), &store).await;
    let plan = next.plan().await.expect("planned");
    assert_eq!(plan.unfinished(), Some(id));
    assert!(!plan.is_empty() && plan.to_string().contains("of an earlier run is waited for first"), "{plan}");
    next.apply(&plan).await.expect("finished");
    assert_eq!(org.calls(Operation::DeployCreate), 1, "no second deploy");
    assert!(next.run().await.expect("nothing to do").is_unchanged());
}

#[tokio::test]
async fn two_set_ups_at_once_do_not_spoil_each_other() {
    let org = MockOrg::start();
    let store = Arc::new(MemoryStore::default());
    let (one, other) = (setup_in(&client(&org), small(), &store).await, setup_in(&client(&org), small(), &store).await);
    let (first, second) = futures_util::join!(one.run(), other.run());
    assert!(first.is_ok() || second.is_ok(), "{first:?} {second:?}");
    for lost in [first, second].into_iter().filter_map(Result::err) {
        assert_eq!(lost.kind(), sforce::ErrorKind::Conflict, "{lost}");
    }
    one.run().await.expect("finished");
    assert_eq!(unnamed(&org), whole().await);
}

#[tokio::test]
async fn nav_2_a_refusal_does_not_forget_what_a_lost_deploy_may_have_made() {
    let org = MockOrg::start();
    let store = Arc::new(MemoryStore::default());
    org.faults().on(Operation::DeployCreate).apply_then_reset().once();
    let lost = mortal(&org);
    setup_in(&lost, small(), &store).await.run().await.expect_err("the answer is lost");
    let next = setup_in(&client(&org), small(), &store).await;
    let noted = next.ledger().await.expect("read").entries().len();
    assert!(noted > 5);
    org.faults().on(Operation::DeployCreate).error(403, "INSUFFICIENT_ACCESS", "no").always();
    let more = small().field(CustomField::new("Usage__c.Clicks__c", "Clicks", FieldKind::number(18, 0)));
    setup_in(&client(&org), more, &store).await.run().await.expect_err("refused");
    let ledger = next.ledger().await.expect("read");
    assert_eq!(ledger.entries().len(), noted, "what this run meant to make besides is not there: {ledger:?}");
    next.remove(Filled::Delete).await.expect_err("refused");
    assert!(next.ledger().await.expect("read").has(&ItemKind::Object, "Usage__c"));
    org.faults().clear();
    finish(&org);
    assert!(client(&org).describe(&object("Usage__c")).await.is_ok(), "the lost deploy was at work all the time");
    let removal = next.remove(Filled::Delete).await.expect("removed");
    assert!(removal.is_complete(), "{removal}");
    assert!(client(&org).describe(&object("Usage__c")).await.is_err(), "gone");
}

#[tokio::test]
async fn nav_2_a_failed_deploy_does_not_forget_what_a_lost_one_may_have_made() {
    let org = MockOrg::start();
    let store = Arc::new(MemoryStore::default());
    org.faults().on(Operation::DeployCreate).apply_then_reset().once();
    let lost = mortal(&org);
    let first = setup_in(&lost, small(), &store).await;
    first.run().await.expect_err("the answer is lost");
    finish(&org);
    // A removal is refused, since somebody else has the permission set, and nobody sees how it ends.
    let other = org.add_user(UserSpec::new("other@acme.example"));
    let sets = org.records("PermissionSet");
    let set = sets.iter().find(|set| set["Name"] == "Usage_Integration").expect("there");
    org.insert(
        "PermissionSetAssignment",
        serde_json::json!({"AssigneeId": other.user_id, "PermissionSetId": set["Id"]}),
    );
    org.faults().on(Operation::DeployGet).reset().always();
    first.remove(Filled::Delete).await.expect_err("nobody sees the end");
    org.faults().clear();
    let next = setup_in(&client(&org), small(), &store).await;
    assert!(next.ledger().await.expect("read").deploy().is_some(), "its id is written down");
    let removal = next.remove(Filled::Delete).await.expect("tried");
    let left: Vec<&ItemKind> = removal.left.iter().map(|left| &left.kind).collect();
    assert_eq!(left, [&ItemKind::PermissionSet], "{removal}");
    assert!(client(&org).describe(&object("Usage__c")).await.is_err(), "gone");
}

#[tokio::test]
async fn nav_2_a_failed_deploy_takes_back_what_it_was_the_first_to_try() {
    let org = MockOrg::start();
    let store = Arc::new(MemoryStore::default());
    let mut schema = small();
    let gone = FieldPermission { field: "Account.Gone__c".into(), readable: true, editable: true };
    schema.permission_set.as_mut().expect("there").fields.push(gone);
    org.faults().on(Operation::DeployGet).reset().always();
    let lost = mortal(&org);
    setup_in(&lost, schema, &store).await.run().await.expect_err("nobody sees the end");
    org.faults().clear();
    let next = setup_in(&client(&org), small(), &store).await;
    assert!(next.ledger().await.expect("read").has(&ItemKind::FieldPermission, "Account.Gone__c"));
    next.run().await.expect("finished");
    let ledger = next.ledger().await.expect("read");
    assert!(!ledger.has(&ItemKind::FieldPermission, "Account.Gone__c"), "{ledger:?}");
    assert!(ledger.entries().iter().all(|entry| entry.state == EntryState::Made), "{ledger:?}");
    assert_eq!(unnamed(&org), whole().await);
}

#[tokio::test]
async fn nav_2_a_deploy_that_nobody_may_look_at_any_more_stops_nothing_for_good() {
    for (status, code) in [
        (404, "NOT_FOUND"),
        (400, "INVALID_ID_FIELD"),
        (400, "INVALID_CROSS_REFERENCE_KEY"),
        (403, "INSUFFICIENT_ACCESS"),
    ] {
        let org = MockOrg::start();
        let store = Arc::new(MemoryStore::default());
        org.faults().on(Operation::DeployGet).reset().always();
        let lost = mortal(&org);
        setup_in(&lost, small(), &store).await.run().await.expect_err("nobody sees the end");
        org.faults().clear();
        finish(&org);
        org.faults().on(Operation::DeployGet).error(status, code, "no such deploy").always();
        let next = setup_in(&client(&org), small(), &store).await;
        next.run().await.unwrap_or_else(|error| panic!("{code}: {error}"));
        assert_eq!(unnamed(&org), whole().await, "{code}");
        let ledger = next.ledger().await.expect("read");
        assert!(ledger.deploy().is_none() && ledger.entries().iter().all(|entry| entry.state == EntryState::Made));
    }
}
