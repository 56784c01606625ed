//! Composite, batch, tree, graph and packed collections against the mock org.

use futures_util::future::join_all;
use proptest::prelude::*;
use serde::Serialize;
use serde_json::json;
use sforce::api::{AllOrNone, Graph, GraphResult, Reference, SaveResult, Subrequest, Subresult, TreeNode};
use sforce::client::{ApiBudget, ApiVersion, AssignmentRule, CallOptions, DuplicateRule};
use sforce::testing::org::{CollectionsInComposite, DuplicateAction, MockOrg, Operation};
use sforce::types::{ExternalId, FieldName, Record, RecordId, SObjectName};
use sforce::{Effect, ErrorKind};

use crate::support::{builder, client, field, impatient, object};

const ACCOUNT: SObjectName = SObjectName::from_static("Account");
const CONTACT: SObjectName = SObjectName::from_static("Contact");
const SESSION: SObjectName = SObjectName::from_static("Navattic_Session__c");
const KEY: FieldName = FieldName::from_static("Navattic_Session_Key__c");

fn org() -> MockOrg {
    MockOrg::builder().engagement_session("Navattic_").start()
}

fn named(name: &str) -> Record {
    Record::new().with("Name", name)
}

fn sessions(count: usize) -> Vec<Record> {
    (0..count).map(|number| named(&format!("Session {number}")).with(KEY.as_str(), format!("key-{number}"))).collect()
}

/// The only record of an object.
fn only(org: &MockOrg, object: &str) -> serde_json::Value {
    let records = org.records(object);
    assert_eq!(records.len(), 1, "{object}");
    records.into_iter().next().expect("one")
}

#[tokio::test]
async fn parts_of_a_composite_use_what_earlier_ones_answered_for_one_call() {
    #[derive(Serialize)]
    struct Contact {
        #[serde(rename = "LastName")]
        last_name: &'static str,
        #[serde(rename = "AccountId")]
        account: Reference,
    }
    let org = org();
    let client = client(&org);
    let typed = Contact { last_name: "Typed", account: Reference::id_of("acme") };
    let dynamic = Record::new().with("LastName", "Dynamic").with("AccountId", Reference::id_of("acme"));
    let key = ExternalId::new(KEY, "a/b?c");
    let before = org.api_calls();
    let answer = client
        .composite()
        .all_or_none()
        .add("acme", Subrequest::create(&ACCOUNT, &named("Acme")))
        .add("typed", Subrequest::create(&CONTACT, &typed))
        .add("dynamic", Subrequest::create(&CONTACT, &dynamic))
        .add(
            "added",
            Subrequest::create(&CONTACT, &Record::new().with("LastName", "Added"))
                .with_reference(&field("AccountId"), &Reference::id_of("acme")),
        )
        .add("session", Subrequest::upsert(&SESSION, &key, &named("S")))
        .add("read", Subrequest::get(&ACCOUNT, Reference::id_of("acme"), &[field("Name")]))
        .add("found", Subrequest::query("SELECT Id, LastName FROM Contact WHERE LastName = 'Typed'"))
        .add("renamed", Subrequest::update(&CONTACT, Reference::new("found.records[0].Id"), &json!({"Title": "Dr"})))
        .add("gone", Subrequest::delete(&CONTACT, Reference::id_of("added")))
        .send()
        .await
        .expect("answered")
        .into_result()
        .expect("all done");
    assert_eq!((org.api_calls() - before, client.api_calls()), (1, 1));

    let account = answer.result_of("acme").and_then(Subresult::id).expect("created");
    assert_eq!(answer.result_of("read").and_then(Subresult::json::<Record>).expect("read").text("Name"), Some("Acme"));
    assert!(answer.result_of("session").and_then(Subresult::upserted).expect("upserted").created);
    let found = answer.result_of("found").and_then(Subresult::page::<Record>).expect("a page");
    assert_eq!((found.total_size, found.done), (1, true));
    let location = answer.result_of("acme").expect("there").headers().get("location").expect("of what was created");
    assert!(location.to_str().expect("text").ends_with(account.as_str()));

    let contacts = org.records("Contact");
    assert_eq!(contacts.len(), 2, "the third was deleted again");
    assert!(contacts.iter().all(|contact| contact["AccountId"] == account.as_str()));
    assert_eq!(contacts[0]["Title"], "Dr");
    assert_eq!(only(&org, SESSION.as_str())[KEY.as_str()], "a/b?c");
    assert_eq!(answer.result_of("nobody").expect_err("none").kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn what_runs_in_order_is_not_collated_unless_asked_for() {
    let org = org();
    let client = client(&org);
    let composite = |collate: bool| {
        let composite = client
            .composite()
            .add("first", Subrequest::create(&ACCOUNT, &named("First")))
            .add("second", Subrequest::create(&ACCOUNT, &named("Second")));
        if collate { composite.collate() } else { composite }
    };
    composite(false).send().await.expect("answered").into_result().expect("created");
    let names =
        |from: usize| org.records("Account")[from..].iter().map(|account| account["Name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(0), ["First", "Second"]);
    composite(true).send().await.expect("answered").into_result().expect("created");
    assert_eq!(names(2), ["Second", "First"], "the mock org runs a collated group backwards");
}

#[tokio::test]
async fn one_failure_undoes_everything_and_the_culprit_is_told_from_its_victims() {
    let org = org();
    let client = client(&org);
    let composite = |all_or_none: bool| {
        let composite = client
            .composite()
            .add("rows", Subrequest::create_many(&ACCOUNT, &[named("A"), named("B")], AllOrNone::No))
            .add("bad", Subrequest::create(&CONTACT, &Record::new()))
            .add("good", Subrequest::create(&ACCOUNT, &named("C")))
            .add(
                "child",
                Subrequest::create(
                    &CONTACT,
                    &Record::new().with("LastName", "D").with("ReportsToId", Reference::id_of("bad")),
                ),
            );
        if all_or_none { composite.all_or_none() } else { composite }
    };
    let answer = composite(true).send().await.expect("answered");
    assert!(answer.is_rolled_back());
    assert_eq!((org.count("Account"), org.count("Contact")), (0, 0));
    let halted: Vec<(&str, bool)> = answer.iter().map(|(name, part)| (name, part.is_halted())).collect();
    assert_eq!(halted, [("rows", true), ("bad", false), ("good", true), ("child", true)]);
    let rows = answer.result_of("rows").expect("there");
    assert_eq!(rows.status(), 200, "as if nothing had happened");
    assert!(rows.rows().expect("rows").iter().all(|row| !row.is_saved() && row.id.is_none()));
    let error = answer.into_result().expect_err("nothing was saved");
    assert!(error.has_code("REQUIRED_FIELD_MISSING"), "{error}");

    let answer = composite(false).send().await.expect("answered");
    assert!(!answer.is_rolled_back());
    assert_eq!((org.count("Account"), org.count("Contact")), (3, 0));
    let done: Vec<(bool, bool)> = answer.iter().map(|(_, part)| (part.is_done(), part.is_halted())).collect();
    assert_eq!(done, [(true, false), (false, false), (true, false), (false, true)]);
}

#[tokio::test]
async fn a_refused_row_of_a_collection_undoes_a_composite_too() {
    let org = org();
    let rows = [named("A"), Record::new(), named("B")];
    let answer = client(&org)
        .composite()
        .all_or_none()
        .add("before", Subrequest::create(&ACCOUNT, &named("Before")))
        .add("rows", Subrequest::create_many(&ACCOUNT, &rows, AllOrNone::No))
        .send()
        .await
        .expect("answered");
    assert!(answer.is_rolled_back());
    assert_eq!(org.count("Account"), 0);
    let rows = answer.result_of("rows").and_then(Subresult::rows).expect("rows");
    let kinds: Vec<Option<ErrorKind>> = rows.iter().map(|row| row.error.as_ref().map(sforce::Error::kind)).collect();
    assert_eq!(kinds, [Some(ErrorKind::Conflict), Some(ErrorKind::Invalid), Some(ErrorKind::Conflict)]);
    assert!(answer.result_of("before").expect("there").is_halted());
}

#[tokio::test]
async fn a_query_that_found_nothing_is_the_culprit_of_who_refers_to_it() {
    let org = org();
    for all_or_none in [false, true] {
        let client = client(&org);
        let composite = client
            .composite()
            .add("found", Subrequest::query("SELECT Id FROM Account WHERE Name = 'nobody'"))
            .add("renamed", Subrequest::update(&ACCOUNT, Reference::new("found.records[0].Id"), &named("x")));
        let composite = if all_or_none { composite.all_or_none() } else { composite };
        let answer = composite.send().await.expect("answered");
        let error = answer.result_of("renamed").expect("there").error().expect("no id").clone();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{all_or_none}: {error:?}");
        assert_eq!(answer.is_rolled_back(), all_or_none);
    }
}

#[tokio::test]
async fn texts_that_read_like_references_are_never_sent_in_a_composite() {
    let org = org();
    let client = client(&org);
    let secret = named("@{first.id}");
    let error = client
        .composite()
        .add("first", Subrequest::create(&ACCOUNT, &named("A")))
        .add("second", Subrequest::create(&ACCOUNT, &secret))
        .send()
        .await
        .expect_err("would have another record's id for a name");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
    assert!(!error.to_string().contains("first.id"), "{error}");
    assert_eq!((org.api_calls(), org.count("Account")), (0, 0));

    // By themselves they are texts, and so they are in packed calls.
    client.records(ACCOUNT).create(&secret).await.expect("created");
    assert_eq!(only(&org, "Account")["Name"], "@{first.id}");
}

#[tokio::test]
async fn a_composite_of_upserts_is_repeated_and_one_with_a_create_is_not() {
    let org = org();
    let client = builder(&org).http(impatient()).build().expect("a client");
    let key = ExternalId::new(KEY, "1");
    let upserts = || client.composite().add("a", Subrequest::upsert(&SESSION, &key, &named("S")));
    org.faults().on(Operation::Composite).apply_then_reset().once();
    upserts().send().await.expect("answered the second time").into_result().expect("saved");
    assert_eq!((org.calls(Operation::Composite), org.count(SESSION.as_str())), (2, 1));

    org.faults().on(Operation::Composite).apply_then_reset().once();
    let error = upserts().add("b", Subrequest::create(&ACCOUNT, &named("A"))).send().await.expect_err("unknown");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Transport, Effect::Unknown));
    assert_eq!((org.calls(Operation::Composite), org.count("Account")), (3, 1), "not a second one");

    // A deletion whose answer was lost is done.
    let id = RecordId::new(only(&org, "Account")["Id"].as_str().expect("an id")).expect("an id");
    org.faults().on(Operation::Composite).apply_then_reset().once();
    let answer = client.composite().add("d", Subrequest::delete(&ACCOUNT, id)).send().await.expect("answered");
    assert!(answer.result_of("d").expect("there").is_done());
    assert_eq!((org.calls(Operation::Composite), org.count("Account")), (5, 0));
}

#[tokio::test]
async fn options_of_a_handle_hold_for_the_parts_of_a_composite() {
    let org = org();
    org.enable_duplicate_rule("Contact", DuplicateAction::Alert);
    org.insert("Contact", json!({"LastName": "A", "Email": "ada@example.com"}));
    let twin = Record::new().with("LastName", "B").with("Email", "ada@example.com");
    let plain = client(&org);
    let refused = plain.composite().add("a", Subrequest::create(&CONTACT, &twin)).send().await.expect("answered");
    let error = refused.into_result().expect_err("a duplicate");
    assert_eq!((error.kind(), error.duplicates().len()), (ErrorKind::Duplicate, 1));

    let options = CallOptions::new().duplicate_rule(DuplicateRule::new().allow_save());
    let saving = plain.with_options(&options.assignment_rule(AssignmentRule::Off));
    saving
        .composite()
        .add("a", Subrequest::create(&CONTACT, &twin))
        .send()
        .await
        .expect("answered")
        .into_result()
        .expect("saved");
    assert_eq!(org.count("Contact"), 2);

    // In five collections of one composite as well.
    let rows: Vec<Record> = (0..300)
        .map(|number| Record::new().with("LastName", format!("C{number}")).with("Email", "ada@example.com"))
        .collect();
    let refused = plain.collections(CONTACT).create_packed(&rows).await.expect("answered");
    assert!(refused.iter().all(|row| !row.is_saved()));
    let saved = saving.collections(CONTACT).create_packed(&rows).await.expect("answered");
    assert!(saved.iter().all(SaveResult::is_saved));
}

#[tokio::test]
async fn the_matches_of_a_duplicate_rule_are_data_under_both_spellings() {
    let org = org();
    org.enable_duplicate_rule("Contact", DuplicateAction::Alert);
    let first = org.insert("Contact", json!({"LastName": "Secret", "Email": "ada@example.com"}));
    let twin = Record::new().with("LastName", "B").with("Email", "ada@example.com");
    let detailed = CallOptions::new().duplicate_rule(DuplicateRule::new().include_record_details());
    let client = client(&org).with_options(&detailed);
    for correctly in [false, true] {
        org.spell_duplicate_result(correctly);
        let error = client.records(CONTACT).create(&twin).await.expect_err("a duplicate");
        let [found] = error.duplicates() else { panic!("{error:?}") };
        assert!(found.allow_save, "an alert");
        let [same] = found.matches.as_slice() else { panic!("{found:?}") };
        assert_eq!(same.record_id.map(|id| id.to_string()), Some(first.clone()));
        assert!(same.fields().is_some_and(|fields| fields.contains("Secret")));
        assert!(!format!("{error} {error:?} {found:?}").contains("Secret"));
    }
}

#[tokio::test]
async fn a_blocking_duplicate_rule_says_that_it_cannot_be_passed() {
    let org = org();
    org.enable_duplicate_rule("Contact", DuplicateAction::Block);
    org.insert("Contact", json!({"LastName": "A", "Email": "ada@example.com"}));
    let twin = Record::new().with("LastName", "B").with("Email", "ada@example.com");
    let saving = client(&org).with_options(&CallOptions::new().duplicate_rule(DuplicateRule::new().allow_save()));
    let error = saving.records(CONTACT).create(&twin).await.expect_err("a duplicate");
    assert!(error.duplicates().first().is_some_and(|found| !found.allow_save), "{error:?}");
}

#[tokio::test]
async fn each_part_of_a_batch_counts_as_a_call_and_stands_for_itself() {
    let org = org();
    let budget = ApiBudget::per_day(10);
    let client = builder(&org).budget(budget.clone()).build().expect("a client");
    let batch = |halt: bool| {
        let batch = client
            .composite_batch()
            .push(Subrequest::create(&ACCOUNT, &named("A")))
            .push(Subrequest::create(&CONTACT, &Record::new()))
            .push(Subrequest::query("SELECT Name FROM Account").api_version(ApiVersion::new(60).expect("answers")));
        if halt { batch.halt_on_error() } else { batch }
    };
    let before = org.api_calls();
    let results = batch(false).send().await.expect("answered");
    assert_eq!((org.api_calls() - before, client.api_calls(), budget.left()), (3, 3, 7));
    assert!(results[0].id().is_ok() && results[2].is_done());
    assert!(results[1].error().is_some_and(|error| error.has_code("REQUIRED_FIELD_MISSING")));
    assert_eq!(results[2].page::<Record>().expect("a page").total_size, 1);

    let results = batch(true).send().await.expect("answered");
    let halted: Vec<bool> = results.iter().map(Subresult::is_halted).collect();
    assert_eq!(halted, [false, false, true]);
    assert_eq!(org.count("Account"), 2, "what came before stays");

    // Four are left: five are not sent at all.
    let five =
        (0..5).fold(client.composite_batch(), |batch, _| batch.push(Subrequest::query("SELECT Id FROM Account")));
    let error = five.send().await.expect_err("too few calls left");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::LimitExceeded, Effect::None));
    assert_eq!((org.calls(Operation::CompositeBatch), budget.left()), (2, 4));
}

#[tokio::test]
async fn a_batch_takes_no_more_than_the_guide_says() {
    let org = org();
    let client = client(&org);
    let query = || Subrequest::query("SELECT Id FROM Account");
    let header = http::HeaderValue::from_static("x");
    for (what, batch) in [
        ("nothing", client.composite_batch()),
        ("26", (0..26).fold(client.composite_batch(), |batch, _| batch.push(query()))),
        ("a reference", client.composite_batch().push(Subrequest::delete(&ACCOUNT, Reference::id_of("a")))),
        ("a header", client.composite_batch().push(query().header(http::header::IF_MATCH, header))),
        (
            "a collection",
            client.composite_batch().push(Subrequest::create_many(&ACCOUNT, &[named("A")], AllOrNone::No)),
        ),
        ("too old", client.composite_batch().push(query().api_version(ApiVersion::new(33).expect("answers")))),
        ("too new", client.composite_batch().push(query().api_version(ApiVersion::new(64).expect("answers")))),
    ] {
        let error = batch.send().await.expect_err(what);
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None), "{what}: {error}");
    }
    assert_eq!(org.api_calls(), 0);
}

fn tree(name: &str, contacts: &[&str]) -> TreeNode {
    let contact = |name: &&str| match *name {
        "" => TreeNode::new(&CONTACT, &Record::new()),
        name => TreeNode::new(&CONTACT, &Record::new().with("LastName", name)),
    };
    let root = TreeNode::new(&ACCOUNT, &named(name));
    contacts.iter().map(contact).fold(root, |root, child| root.child(&field("Contacts"), child))
}

#[tokio::test]
async fn a_tree_is_created_whole_and_answers_are_at_their_nodes() {
    let org = org();
    let client = client(&org);
    let before = org.api_calls();
    let trees = client
        .composite_tree(ACCOUNT)
        .push(tree("A", &["1", "2"]))
        .push(tree("B", &["3"]))
        .send()
        .await
        .expect("answered");
    assert_eq!(org.api_calls() - before, 1);
    for (root, names) in trees.iter().zip([&["1", "2"][..], &["3"]]) {
        let id = root.saved.id.expect("created").to_string();
        assert_eq!(root.children.len(), names.len());
        for (child, name) in root.children.iter().zip(names) {
            let contact = org.record(child.saved.id.expect("created").as_str()).expect("there");
            assert_eq!((contact["LastName"].as_str(), contact["AccountId"].as_str()), (Some(*name), Some(id.as_str())));
        }
    }
    assert!(trees.iter().all(|tree| tree.first_error().is_none()));
}

#[tokio::test]
async fn a_refused_record_of_a_tree_is_told_and_nothing_is_created() {
    let org = org();
    let client = client(&org);
    let trees =
        client.composite_tree(ACCOUNT).push(tree("A", &["1", ""])).push(tree("B", &[])).send().await.expect("answered");
    assert_eq!((org.count("Account"), org.count("Contact")), (0, 0));
    let error = trees[0].first_error().expect("its own");
    assert!(error.has_code("REQUIRED_FIELD_MISSING"), "{error}");
    let code = |result: &SaveResult| result.error.as_ref().map(|error| error.salesforce()[0].code.clone());
    assert_eq!(code(&trees[0].children[1].saved).as_deref(), Some("REQUIRED_FIELD_MISSING"));
    for victim in [&trees[0].saved, &trees[0].children[0].saved, &trees[1].saved] {
        assert_eq!(code(victim).as_deref(), Some("ALL_OR_NONE_OPERATION_ROLLED_BACK"));
    }

    // A lock passes, and nothing was created, so that it is sent again.
    org.faults().on(Operation::CompositeTree).lock_every(1).once();
    let trees = client.composite_tree(ACCOUNT).push(tree("A", &["1"])).send().await.expect("answered");
    assert!(trees[0].saved.is_saved());
    assert_eq!((org.count("Account"), org.calls(Operation::CompositeTree)), (1, 3));

    // A tree whose answer was lost is not.
    let client = builder(&org).http(impatient()).build().expect("a client");
    org.faults().on(Operation::CompositeTree).apply_then_reset().once();
    let error = client.composite_tree(ACCOUNT).push(tree("C", &[])).send().await.expect_err("unknown");
    assert_eq!((error.effect(), org.count("Account")), (Effect::Unknown, 2));
}

#[tokio::test]
async fn graphs_are_saved_each_for_itself_and_halted_ones_are_told_from_failed_ones() {
    let org = org();
    let client = client(&org);
    let good = || {
        Graph::new().add("account", Subrequest::create(&ACCOUNT, &named("A"))).add(
            "contact",
            Subrequest::create(&CONTACT, &Record::new().with("LastName", "B"))
                .with_reference(&field("AccountId"), &Reference::id_of("account")),
        )
    };
    let bad = || good().add("bad", Subrequest::create(&CONTACT, &Record::new()));
    let before = org.api_calls();
    let results = client
        .composite_graph()
        .add("one", good())
        .add("two", bad())
        .add("three", good())
        .send()
        .await
        .expect("answered");
    assert_eq!(org.api_calls() - before, 1);
    let saved: Vec<(&str, bool, bool)> =
        results.iter().map(|graph| (graph.graph_id.as_str(), graph.is_saved(), graph.is_halted())).collect();
    assert_eq!(saved, [("one", true, false), ("two", false, false), ("three", true, false)]);
    assert_eq!((org.count("Account"), org.count("Contact")), (2, 2));
    let account = results[0].nodes.result_of("account").and_then(Subresult::id).expect("created");
    let contact = results[0].nodes.result_of("contact").and_then(Subresult::id).expect("created");
    assert_eq!(org.record(contact.as_str()).expect("there")["AccountId"], account.as_str());
    assert!(results[1].error().is_some_and(|error| error.has_code("REQUIRED_FIELD_MISSING")));
    let halted: Vec<bool> = results[1].nodes.iter().map(|(_, node)| node.is_halted()).collect();
    assert_eq!(halted, [true, true, false]);

    // After 14 failed ones Salesforce tries no more.
    let many = (0..16).fold(client.composite_graph(), |call, number| call.add(format!("g{number}"), bad()));
    let results = many.send().await.expect("answered");
    let halted: Vec<bool> = results.iter().map(GraphResult::is_halted).collect();
    assert_eq!(halted.iter().filter(|halted| **halted).count(), 2);
    assert!(halted[14] && halted[15] && results.iter().all(|graph| !graph.is_saved()));
}

#[tokio::test]
async fn a_thousand_upserts_cost_one_call_and_find_their_records() {
    let org = org();
    let client = client(&org);
    let collections = client.collections(SESSION);
    let rows = sessions(1000);
    let before = org.api_calls();
    let results = collections.upsert_packed(&KEY, &rows).await.expect("answered");
    assert_eq!((org.api_calls() - before, client.api_calls()), (1, 1));
    assert_eq!((org.count(SESSION.as_str()), org.calls(Operation::Composite)), (1000, 1));
    for (number, result) in results.iter().enumerate() {
        assert_eq!(result.created, Some(true));
        let record = org.record(result.id.expect("an id").as_str()).expect("there");
        assert_eq!(record[KEY.as_str()], format!("key-{number}"));
    }
    let again = collections.upsert_packed(&KEY, &rows).await.expect("answered");
    assert!(again.iter().zip(&results).all(|(again, first)| again.created == Some(false) && again.id == first.id));
    assert_eq!(org.count(SESSION.as_str()), 1000);
}

#[tokio::test]
async fn gpt_22_a_batch_of_500_costs_one_call() {
    let org = org();
    let before = org.api_calls();
    let results = client(&org).collections(SESSION).upsert_packed(&KEY, &sessions(500)).await.expect("answered");
    assert!(results.iter().all(SaveResult::is_saved));
    assert_eq!((results.len(), org.api_calls() - before, org.count(SESSION.as_str())), (500, 1, 500));
}

#[tokio::test]
async fn updates_and_creates_are_packed_too() {
    let org = org();
    let client = client(&org);
    let accounts = client.collections(ACCOUNT);
    let rows: Vec<Record> = (0..450).map(|number| named(&format!("A{number}"))).collect();
    let created = accounts.create_packed(&rows).await.expect("answered");
    let changes: Vec<(RecordId, Record)> = created
        .iter()
        .enumerate()
        .map(|(number, row)| (row.id.expect("an id"), named(&format!("B{number}"))))
        .collect();
    let updated = accounts.update_packed(&changes).await.expect("answered");
    assert!(updated.iter().all(SaveResult::is_saved));
    assert_eq!((client.api_calls(), org.count("Account")), (2, 450));
    let last = org.record(changes[449].0.as_str()).expect("there");
    assert_eq!(last["Name"], "B449");

    // Creates are not sent again after a lost answer.
    let client = builder(&org).http(impatient()).build().expect("a client");
    org.faults().on(Operation::Composite).apply_then_reset().once();
    let error = client.collections(ACCOUNT).create_packed(&rows).await.expect_err("unknown");
    assert_eq!((error.effect(), org.count("Account")), (Effect::Unknown, 900));
}

#[tokio::test]
async fn where_the_org_refuses_packed_collections_five_calls_do_it_and_the_client_remembers() {
    for refusal in [CollectionsInComposite::RequestRefused, CollectionsInComposite::EachRefused] {
        let org = org();
        org.set_collections_in_composite(refusal);
        let client = client(&org);
        let rows = sessions(1000);
        let results = client.collections(SESSION).upsert_packed(&KEY, &rows).await.expect("answered");
        assert!(results.iter().all(|row| row.created == Some(true)), "{refusal:?}");
        assert_eq!((org.calls(Operation::Composite), client.api_calls()), (1, 6), "{refusal:?}");
        let results = client.clone().collections(SESSION).upsert_packed(&KEY, &rows).await.expect("answered");
        assert!(results.iter().all(|row| row.created == Some(false)));
        assert_eq!((org.calls(Operation::Composite), client.api_calls()), (1, 11), "not tried again");
        assert_eq!(org.count(SESSION.as_str()), 1000);
    }
}

#[tokio::test]
async fn a_packed_call_that_is_wrong_by_itself_is_not_held_against_the_composite() {
    let org = org();
    let client = client(&org);
    let rows = sessions(400);
    let nowhere = client.collections(object("Nowhere__c"));
    for calls in [2, 4] {
        let error = nowhere.upsert_packed(&KEY, &rows).await.expect_err("no such object");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
        assert_eq!(client.api_calls(), calls, "the composite, and one part alone");
    }
    client.collections(SESSION).upsert_packed(&KEY, &rows).await.expect("answered");
    assert_eq!(client.api_calls(), 5, "packed as before");
}

#[tokio::test]
async fn records_that_read_like_references_are_written_as_they_are_at_a_call_of_their_own() {
    let org = org();
    let client = client(&org);
    let mut rows = sessions(500);
    rows[7].set("Name", "@{rows0[0].id}");
    rows[450].set("Name", "mail me @{home}");
    let results = client.collections(SESSION).upsert_packed(&KEY, &rows).await.expect("answered");
    assert!(results.iter().all(SaveResult::is_saved));
    assert_eq!(client.api_calls(), 2);
    for place in [7, 450] {
        let record = org.record(results[place].id.expect("an id").as_str()).expect("there");
        assert_eq!(record["Name"].as_str(), rows[place].text("Name"));
        assert_eq!(record[KEY.as_str()], format!("key-{place}"));
    }
}

#[tokio::test]
async fn a_packed_call_whose_answer_is_lost_doubles_nothing() {
    let org = org();
    let client = builder(&org).http(impatient()).build().expect("a client");
    org.faults().on(Operation::Composite).apply_then_reset().once();
    let results = client.collections(SESSION).upsert_packed(&KEY, &sessions(600)).await.expect("answered");
    assert!(results.iter().all(SaveResult::is_saved));
    assert_eq!((org.count(SESSION.as_str()), org.calls(Operation::Composite)), (600, 2));
}

#[tokio::test]
async fn a_thousand_deletions_are_packed_into_one_call_and_may_be_repeated() {
    let org = org();
    let client = builder(&org).http(impatient()).build().expect("a client");
    let accounts = client.collections(ACCOUNT);
    let make = || -> Vec<RecordId> {
        let id = |number| org.insert("Account", serde_json::json!({"Name": format!("A{number}")}));
        (0..1000).map(|number| RecordId::new(&id(number)).expect("an id")).collect()
    };
    let ids = make();
    org.faults().on(Operation::Composite).apply_then_reset().once();
    let results = accounts.delete_packed(&ids).await.expect("answered");
    assert!(results.iter().all(SaveResult::is_saved), "found deleted by the repetition");
    assert_eq!((org.count("Account"), org.calls(Operation::Composite), client.api_calls()), (0, 2, 2));
    let again = accounts.delete_packed(&ids[..300]).await.expect("answered");
    assert!(again.iter().all(|row| row.error.as_ref().is_some_and(|error| error.has_code("ENTITY_IS_DELETED"))));

    let ids = make();
    org.set_collections_in_composite(CollectionsInComposite::EachRefused);
    let results = accounts.delete_packed(&ids).await.expect("answered");
    assert!(results.iter().all(SaveResult::is_saved), "five calls do it");
    assert_eq!(org.count("Account"), 0);
    for ids in [&[][..], &vec![ids[0]; 1001]] {
        assert_eq!(accounts.delete_packed(ids).await.expect_err("too few or many").kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn a_limit_stops_a_packed_call_instead_of_being_run_into_five_times() {
    let org = org();
    org.set_collections_in_composite(CollectionsInComposite::RequestRefused);
    org.faults()
        .on(Operation::CollectionsUpsert)
        .error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        .after(2)
        .always();
    let client = client(&org);
    let results = client.collections(SESSION).upsert_packed(&KEY, &sessions(1000)).await.expect("some were answered");
    let saved = results.iter().filter(|row| row.is_saved()).count();
    assert_eq!((saved, org.count(SESSION.as_str())), (400, 400));
    let kinds = |error: &sforce::Error| (error.kind(), error.effect());
    assert!(
        results[400..]
            .iter()
            .all(|row| row.error.as_ref().map(kinds) == Some((ErrorKind::LimitExceeded, Effect::None)))
    );
    assert_eq!(org.calls(Operation::CollectionsUpsert), 3, "the third was refused, and no fourth was sent");
}

#[tokio::test]
async fn a_governor_limit_of_a_trigger_asks_for_smaller_calls() {
    let org = org();
    org.faults().on(Operation::CollectionsUpsert).governor_limit(100, "Apex CPU time limit exceeded").always();
    let collections = client(&org).collections(SESSION);
    let rows = sessions(200);
    let results = collections.upsert(&KEY, &rows, AllOrNone::No).await.expect("answered");
    assert!(results.iter().all(|row| row.error.as_ref().is_some_and(sforce::Error::is_splittable)));
    for half in rows.chunks(100) {
        let results = collections.upsert(&KEY, half, AllOrNone::No).await.expect("answered");
        assert!(results.iter().all(SaveResult::is_saved));
    }
}

#[tokio::test]
async fn records_of_several_objects_go_in_one_call_in_up_to_ten_runs() {
    let org = org();
    let client = client(&org);
    let mixed = client.mixed_collections();
    let of = |object: &SObjectName, name: &str| {
        let name_field = if *object == CONTACT { "LastName" } else { "Name" };
        (object.clone(), Record::new().with(name_field, name))
    };
    let rows = [of(&ACCOUNT, "A"), of(&ACCOUNT, "B"), of(&CONTACT, "C"), of(&ACCOUNT, "D")];
    let created = mixed.create(&rows, AllOrNone::No).await.expect("answered");
    let prefixes: Vec<String> = created.iter().map(|row| row.id.expect("an id").key_prefix().to_owned()).collect();
    assert_eq!(prefixes, ["001", "001", "003", "001"]);

    let changes: Vec<(SObjectName, RecordId, Record)> = created
        .iter()
        .zip(&rows)
        .map(|(row, (object, _))| (object.clone(), row.id.expect("an id"), Record::new().with("Description", "x")))
        .collect();
    let updated = mixed.update(&changes, AllOrNone::Yes).await.expect("answered");
    assert!(updated.iter().all(SaveResult::is_saved));
    assert!(org.records("Account").iter().all(|account| account["Description"] == "x"));

    let ids: Vec<RecordId> = changes.iter().map(|(_, id, _)| *id).collect();
    assert!(mixed.delete(&ids, AllOrNone::No).await.expect("answered").iter().all(SaveResult::is_saved));
    assert_eq!((org.count("Account"), org.count("Contact"), client.api_calls()), (0, 0, 3));

    let turns = |runs: usize| {
        let turn = |run: usize| if run.is_multiple_of(2) { of(&ACCOUNT, "x") } else { of(&CONTACT, "x") };
        (0..runs).map(turn).collect::<Vec<_>>()
    };
    assert!(mixed.create(&turns(10), AllOrNone::No).await.expect("answered").iter().all(SaveResult::is_saved));
    assert_eq!(mixed.create(&turns(11), AllOrNone::No).await.expect_err("11 runs").kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn packed_calls_of_many_tasks_share_the_client() {
    let org = org();
    let client = client(&org);
    let rows = sessions(1500);
    let calls = rows.chunks(500).map(|rows| {
        let collections = client.collections(SESSION);
        async move { collections.upsert_packed(&KEY, rows).await }
    });
    let results = join_all(calls).await;
    assert!(results.into_iter().all(|rows| rows.expect("answered").iter().all(SaveResult::is_saved)));
    assert_eq!((client.api_calls(), org.count(SESSION.as_str())), (3, 1500));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Any mix of rows that are refused, of texts that read like references and of an org that takes packed collections or not:
    /// each row has its own outcome, and the org has exactly the rows that were saved.
    #[test]
    fn any_mix_of_row_outcomes_reaches_its_own_input(
        fates in prop::collection::vec(0_u8..12, 1..=700),
        refusal in 0_u8..3,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let _guard = runtime.enter();
        let org = org();
        org.set_collections_in_composite(match refusal {
            0 => CollectionsInComposite::RequestRefused,
            1 => CollectionsInComposite::EachRefused,
            _ => CollectionsInComposite::Served,
        });
        let rows: Vec<Record> = fates.iter().enumerate().map(|(number, fate)| {
            let name = match fate {
                // Longer than the field, which the org refuses.
                0 => "x".repeat(81),
                1 => format!("@{{rows0[0].id}} {number}"),
                _ => format!("Session {number}"),
            };
            named(&name).with(KEY.as_str(), format!("key-{number}"))
        }).collect();
        let results = runtime.block_on(client(&org).collections(SESSION).upsert_packed(&KEY, &rows)).expect("answered");
        prop_assert_eq!(results.len(), rows.len());
        for (number, (result, fate)) in results.iter().zip(&fates).enumerate() {
            prop_assert_eq!(result.is_saved(), *fate > 0);
            match result.id {
                Some(id) => {
                    let record = org.record(id.as_str()).expect("there");
                    prop_assert_eq!(&record[KEY.as_str()], &json!(format!("key-{number}")));
                    prop_assert_eq!(record["Name"].as_str(), rows[number].text("Name"));
                }
                None => prop_assert!(result.error.as_ref().is_some_and(|error| error.has_code("STRING_TOO_LONG"))),
            }
        }
        prop_assert_eq!(org.count(SESSION.as_str()), fates.iter().filter(|fate| **fate > 0).count());
    }
}

#[tokio::test]
async fn describes_and_queries_come_in_one_call_and_what_is_not_there_is_none() {
    let org = org();
    let client = client(&org);
    let before = org.api_calls();
    let answer = client
        .composite()
        .add("account", Subrequest::describe(&ACCOUNT))
        .add("session", Subrequest::describe(&SESSION))
        .add("missing", Subrequest::describe(&object("Missing__c")))
        .add("count", Subrequest::query("SELECT Id FROM Account"))
        .send()
        .await
        .expect("answered");
    assert_eq!(org.api_calls() - before, 1);
    let described = |name: &str| answer.result_of(name).expect("there").described();
    let account = described("account").expect("described").expect("there");
    assert!(account.fields.iter().any(|field| field.name.as_str() == "Name"));
    assert!(described("session").expect("described").is_some());
    assert_eq!(described("missing").expect("no error"), None);
    assert!(described("count").is_err(), "rows are no description");
}
