//! The schema catalog: what it costs, what it shares, and that nothing wrong stays in it.

use std::time::Duration;

use futures_util::future::join_all;
use sforce::auth::{AccessToken, StaticToken};
use sforce::client::RetryPolicy;
use sforce::schema::{OrgTraits, SchemaCatalog};
use sforce::testing::org::{FieldSpec, MockOrg, ObjectSpec, Operation, RecordTypeSpec};
use sforce::types::{FieldType, RecordId, SObjectName};
use sforce::{Client, ErrorKind};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{SharedClock, builder, client, field, object};

const MINUTE: Duration = Duration::from_mins(1);

/// A catalog whose time the test moves.
fn catalog(org: &MockOrg) -> (SchemaCatalog, SharedClock) {
    let clock = SharedClock::default();
    (SchemaCatalog::new(builder(org).clock(clock.clone()).build().expect("a client")), clock)
}

fn things(org: &MockOrg, count: usize) -> Vec<SObjectName> {
    let names: Vec<String> = (0..count).map(|number| format!("Thing{number}__c")).collect();
    for name in &names {
        org.add_object(ObjectSpec::new(name).field(FieldSpec::text("Note__c", 80)));
    }
    names.into_iter().map(|name| SObjectName::new(name).expect("a name")).collect()
}

/// API calls that some work costs.
async fn cost<T>(org: &MockOrg, work: impl Future<Output = T>) -> (u64, T) {
    let before = org.api_calls();
    let done = work.await;
    (org.api_calls() - before, done)
}

#[tokio::test]
async fn a_describe_costs_a_call_cold_none_warm_and_one_without_a_body_when_it_is_old() {
    let org = MockOrg::start();
    let (catalog, clock) = catalog(&org);
    let account = object("Account");
    let (calls, first) = cost(&org, catalog.object(&account)).await;
    assert_eq!(calls, 1);
    let (calls, warm) = cost(&org, catalog.object(&object("account"))).await;
    assert_eq!((calls, warm.expect("kept")), (0, first.expect("read")), "names have no case");
    clock.0.advance(6 * MINUTE);
    let (calls, old) = cost(&org, catalog.object(&account)).await;
    assert_eq!((calls, org.requests().last().and_then(|request| request.status)), (1, Some(304)));
    assert_eq!(cost(&org, catalog.object(&account)).await.0, 0, "what was confirmed is fresh");
    clock.0.advance(55 * MINUTE);
    let (calls, whole) = cost(&org, catalog.object(&account)).await;
    assert_eq!(
        (calls, org.requests().last().and_then(|request| request.status)),
        (1, Some(200)),
        "whole after an hour"
    );
    assert_eq!(whole.expect("read"), old.expect("confirmed"));
}

#[tokio::test]
async fn a_change_is_seen_once_the_describe_is_old_or_forgotten() {
    let org = MockOrg::start();
    let [thing] = &things(&org, 1)[..] else { panic!("one") };
    let (catalog, clock) = catalog(&org);
    let has = async |name: &'static str| catalog.field(thing, &field(name)).await.is_ok();
    assert!(has("Note__c").await);
    org.advance(2 * MINUTE);
    org.add_field("Thing0__c", FieldSpec::text("New__c", 10));
    assert!(!has("New__c").await, "within its age");
    clock.0.advance(6 * MINUTE);
    assert!(has("New__c").await, "it has changed since its date");
    org.advance(2 * MINUTE);
    org.remove_field("Thing0__c", "New__c");
    catalog.invalidate(thing);
    let error = catalog.field(thing, &field("New__c")).await.expect_err("gone");
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.message().contains("does not exist, or is hidden") && error.advice().is_some(), "{error}");
    org.add_field("Thing0__c", FieldSpec::text("Newer__c", 10));
    let (calls, anew) = cost(&org, catalog.refresh(thing)).await;
    assert!(calls == 1 && anew.expect("read").field("Newer__c").is_some());
}

#[tokio::test]
async fn fifty_askers_of_one_object_share_one_request_and_its_error() {
    let org = MockOrg::start();
    let (catalog, clock) = catalog(&org);
    let ask = async |name: &'static str| {
        let name = object(name);
        cost(&org, join_all((0..50).map(|_| catalog.object(&name)))).await
    };
    let (calls, answers) = ask("Account").await;
    assert_eq!((calls, answers.iter().filter(|answer| answer.is_ok()).count()), (1, 50));
    clock.0.advance(6 * MINUTE);
    assert_eq!(ask("Account").await.0, 1, "confirmed once");
    let (calls, answers) = ask("Nothing__c").await;
    assert_eq!(calls, 1);
    for answer in answers {
        assert_eq!(answer.expect_err("not there").kind(), ErrorKind::NotFound);
    }
    assert_eq!(ask("Nothing__c").await.0, 1, "what is not there is not remembered, it may come");
}

#[tokio::test]
async fn an_asker_who_gives_up_leaves_the_turn_to_the_next() {
    let org = MockOrg::start();
    let (catalog, _) = catalog(&org);
    let account = object("Account");
    {
        let mut gone = std::pin::pin!(catalog.object(&account));
        assert!(futures_util::poll!(gone.as_mut()).is_pending(), "it asks");
    }
    catalog.object(&account).await.expect("asked by the next");
}

#[tokio::test]
async fn many_objects_are_asked_for_25_a_call_where_they_are_not_fresh() {
    let org = MockOrg::start();
    let mut names = things(&org, 27);
    let (catalog, clock) = catalog(&org);
    catalog.object(&names[3]).await.expect("there");
    names.push(object("Nothing__c"));
    names.push(object("THING5__C"));
    let (calls, found) = cost(&org, catalog.fetch_many(&names)).await;
    assert_eq!((calls, org.calls(Operation::Composite)), (2, 2));
    let told: Vec<_> = found.iter().map(|found| found.as_ref().map(|object| object.name.clone())).collect();
    for (index, told) in told[..27].iter().enumerate() {
        assert_eq!(told.as_ref().expect("there"), &format!("Thing{index}__c"));
    }
    assert_eq!(found[27].as_ref().expect_err("not there").kind(), ErrorKind::NotFound);
    assert_eq!(found[28].as_ref().expect("there").name, "Thing5__c");
    names.remove(27);
    assert_eq!(cost(&org, catalog.fetch_many(&names)).await.0, 0);
    clock.0.advance(6 * MINUTE);
    assert_eq!(cost(&org, catalog.fetch_many(&names[..25])).await.0, 1);
    let last = org.requests().last().and_then(|request| request.status);
    assert_eq!(last, Some(200));
    assert_eq!(cost(&org, catalog.fetch_many(&names[25..26])).await.0, 1, "one alone needs no composite");
    assert_eq!(org.requests().last().and_then(|request| request.status), Some(304));
    assert!(catalog.fetch_many(&[]).await.is_empty());
}

#[tokio::test]
async fn callers_of_many_objects_in_any_order_do_not_wait_for_each_other_for_ever() {
    let org = MockOrg::start();
    let names = things(&org, 6);
    let (catalog, _) = catalog(&org);
    let turned: Vec<SObjectName> = names.iter().rev().cloned().collect();
    let (calls, (left, right)) =
        cost(&org, async { tokio::join!(catalog.fetch_many(&names), catalog.fetch_many(&turned)) }).await;
    assert!(left.iter().chain(&right).all(Result::is_ok));
    assert_eq!(calls, 1, "the second shares what the first has asked for");
}

#[tokio::test]
async fn a_catalog_holds_no_more_than_it_may() {
    let org = MockOrg::start();
    let names = things(&org, 5);
    let catalog = SchemaCatalog::builder(client(&org)).capacity(3).build();
    for name in &names {
        catalog.object(name).await.expect("there");
        catalog.object(&names[0]).await.expect("there");
        assert!(catalog.len() <= 3);
    }
    assert_eq!(cost(&org, catalog.object(&names[0])).await.0, 0, "used last");
    assert_eq!(cost(&org, catalog.object(&names[1])).await.0, 1, "made room");
    catalog.invalidate_all();
    assert!(catalog.is_empty());
}

#[tokio::test]
async fn describe_global_is_kept_as_well() {
    let org = MockOrg::start();
    let (catalog, clock) = catalog(&org);
    let (calls, all) = cost(&org, catalog.global()).await;
    assert!(calls == 1 && all.expect("read").sobjects.iter().any(|object| object.name == "Lead"));
    assert_eq!(cost(&org, join_all((0..9).map(|_| catalog.global()))).await.0, 0);
    clock.0.advance(6 * MINUTE);
    assert_eq!(cost(&org, catalog.global()).await.0, 1);
    assert_eq!(org.requests().last().and_then(|request| request.status), Some(304));
}

/// A catalog of a server that answers with these bodies, one after the other, and with the last one from then on.
async fn served(bodies: &[&str]) -> (MockServer, SchemaCatalog, SharedClock) {
    let server = MockServer::start().await;
    let (last, first) = bodies.split_last().expect("one");
    let answer = |body: &str| ResponseTemplate::new(200).set_body_raw(body, "application/json");
    for body in first {
        Mock::given(any()).respond_with(answer(body)).up_to_n_times(1).mount(&server).await;
    }
    Mock::given(any()).respond_with(answer(last)).mount(&server).await;
    let token = AccessToken::allowing_loopback("00D!token", &server.uri()).expect("loopback");
    let clock = SharedClock::default();
    let client = Client::builder(StaticToken::new(token)).clock(clock.clone()).retry(RetryPolicy::never());
    (server, SchemaCatalog::new(client.build().expect("a client")), clock)
}

const ACCOUNT: &str = r#"{"name":"Account","fields":[{"name":"Id","type":"id"}],"label":"Account"}"#;

#[tokio::test]
async fn an_answer_that_is_cut_garbage_or_about_something_else_never_stays() {
    let account = object("Account");
    let cut: Vec<&str> = (1..ACCOUNT.len()).step_by(7).map(|end| &ACCOUNT[..end]).collect();
    let wrong = [
        "{}",
        "[]",
        "null",
        "<html>maintenance</html>",
        r#"{"name":"Contact","fields":[{"name":"Id","type":"id"}]}"#,
        r#"{"name":"Account","fields":[]}"#,
        r#"{"name":"Account","fields":[{"name":7}]}"#,
    ];
    let bad: Vec<&str> = wrong.into_iter().chain(cut).collect();
    // Cold, and again while an old one is held.
    let all: Vec<&str> = bad.iter().copied().chain([ACCOUNT]).chain(bad.iter().copied()).chain([ACCOUNT]).collect();
    let (_server, catalog, clock) = served(&all).await;
    for round in ["cold", "old"] {
        for body in &bad {
            let error = catalog.object(&account).await.expect_err(body);
            // What ends too soon counts as cut off on the way.
            assert!(matches!(error.kind(), ErrorKind::Decode | ErrorKind::Transport), "{round}: {body}: {error}");
        }
        assert_eq!(catalog.object(&account).await.expect(round).label, "Account");
        clock.0.advance(6 * MINUTE);
    }
}

#[tokio::test]
async fn lists_of_nothing_and_a_304_that_nobody_asked_for_are_no_answers() {
    let (_server, catalog, _) = served(&["{}", r#"{"encoding":"UTF-8","sobjects":[]}"#]).await;
    for _ in 0..2 {
        assert_eq!(catalog.global().await.expect_err("no list").kind(), ErrorKind::Decode);
    }
    let mapping = r#"{"recordTypeMappings":[{"recordTypeId":"012000000000000AAA","master":true}]}"#;
    let (_server, catalog, _) = served(&["{}", r#"{"recordTypeMappings":[]}"#, mapping]).await;
    for _ in 0..2 {
        let error = catalog.record_type_mappings(&object("Account")).await.expect_err("no record types");
        assert_eq!(error.kind(), ErrorKind::Decode);
    }
    assert_eq!(catalog.record_type_mappings(&object("Account")).await.expect("read").record_type_mappings.len(), 1);
    let (server, catalog, _) = served(&["{}"]).await;
    server.reset().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(304)).mount(&server).await;
    assert!(catalog.object(&object("Account")).await.is_err());
}

#[tokio::test]
async fn a_picklist_is_read_as_a_record_type_opens_it() {
    let org = MockOrg::start();
    org.add_field("Opportunity", FieldSpec::picklist("Tier__c", &["Gold", "Silver", "Lead"]));
    let renewal =
        org.add_record_type("Opportunity", RecordTypeSpec::new("Renewal").picklist("Tier__c", &["Gold", "Silver"]));
    let (catalog, clock) = catalog(&org);
    let (opportunity, tier) = (object("Opportunity"), field("tier__c"));
    let values = async |id: &str| {
        let values = catalog.picklist(&opportunity, RecordId::new(id).expect("an id"), &tier).await;
        values.map(|values| values.into_iter().map(|value| value.value).collect::<Vec<_>>().join(","))
    };
    let (calls, open) = cost(&org, values(&renewal)).await;
    assert_eq!((calls, open.expect("read").as_str()), (1, "Gold,Silver"));
    let (calls, all) = cost(&org, values("012000000000000AAA")).await;
    assert_eq!(
        (calls, all.expect("read").as_str()),
        (1, "Gold,Silver,Lead"),
        "the master type says nothing, the describe does"
    );
    assert_eq!(cost(&org, values(&renewal)).await.0, 0);
    assert_eq!(values("0125g000000abcDAAQ").await.expect_err("not there").kind(), ErrorKind::Schema);
    clock.0.advance(6 * MINUTE);
    assert_eq!(cost(&org, values(&renewal)).await.0, 1);
    catalog.invalidate(&opportunity);
    assert_eq!(cost(&org, catalog.record_type_mappings(&opportunity)).await.0, 1);
    let (_server, catalog, _) = served(&["{}"]).await;
    assert_eq!(catalog.record_type_mappings(&opportunity).await.expect_err("no list").kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn heap_3_every_field_of_an_object_is_offered_with_its_type() {
    let org = MockOrg::start();
    org.add_field("Contact", FieldSpec::number("Score__c", 5, 2).label("Score"));
    org.add_field("Account", FieldSpec::picklist("Tier__c", &["Gold", "Silver"]));
    let (catalog, _) = catalog(&org);
    let score = catalog.field(&object("Contact"), &field("score__c")).await.expect("custom");
    assert_eq!((score.field_type, score.precision, score.scale, score.custom), (FieldType::Double, 5, 2, true));
    let email = catalog.field(&object("Contact"), &field("Email")).await.expect("built in");
    assert_eq!((email.field_type, email.soap_type.as_str(), email.custom), (FieldType::Email, "xsd:string", false));
    let tier = catalog.field(&object("Account"), &field("Tier__c")).await.expect("custom");
    assert_eq!(tier.picklist_values.iter().map(|value| &*value.value).collect::<Vec<_>>(), ["Gold", "Silver"]);
    let account = catalog.object(&object("Account")).await.expect("kept");
    assert!(account.fields.len() > 40 && account.fields.iter().all(|field| !field.label.is_empty()));
}

#[tokio::test]
async fn smv_38_the_record_types_of_an_object_are_read_with_those_the_user_may_choose() {
    let org = MockOrg::start();
    org.add_record_type("Opportunity", RecordTypeSpec::new("Renewal").default_type());
    org.add_record_type("Opportunity", RecordTypeSpec::new("New_Business").label("New business"));
    org.add_record_type("Opportunity", RecordTypeSpec::new("Theirs").unavailable());
    let (catalog, _) = catalog(&org);
    let types = catalog.record_types(&object("Opportunity")).await.expect("read");
    let open = types.iter().filter(|info| info.active && info.available && !info.master);
    let mut pipelines: Vec<_> =
        open.map(|info| (&*info.developer_name, &*info.name, info.default_record_type_mapping)).collect();
    pipelines.sort_unstable();
    assert_eq!(pipelines, [("New_Business", "New business", false), ("Renewal", "Renewal", true)]);
    assert_eq!(types.len(), 4, "those of others and the master type as well");
}

#[tokio::test]
async fn what_kind_of_org_it_is_costs_one_call_and_is_told_as_far_as_the_user_sees() {
    let org = MockOrg::start();
    let (catalog, _) = catalog(&org);
    let (calls, traits) = cost(&org, catalog.org_traits()).await;
    let OrgTraits { person_accounts, multi_currency, .. } = traits.expect("read");
    assert_eq!((calls, person_accounts, multi_currency), (1, Some(false), Some(false)));
    let (calls, types) = cost(&org, catalog.person_record_types()).await;
    assert_eq!((calls, types.expect("none").len()), (0, 0));
    org.advance(2 * MINUTE);
    org.enable_person_accounts();
    org.enable_multi_currency(&[("EUR", 1.0), ("USD", 1.1)]);
    catalog.invalidate_all();
    let traits = catalog.org_traits().await.expect("read");
    assert_eq!((traits.person_accounts, traits.multi_currency), (Some(true), Some(true)));
    let (calls, types) = cost(&org, catalog.person_record_types()).await;
    assert_eq!((calls, types.is_ok()), (1, true), "{types:?}");
}
