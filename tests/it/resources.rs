//! Replication, search, limits, conditional calls, Apex REST and raw requests, against the mock org.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sforce::api::{ETag, ParameterizedSearch, SearchScope, Snapshot};
use sforce::client::{ApiRequest, ApiVersion, AssignmentRule, CallOptions, DuplicateRule};
use sforce::http::Method;
use sforce::testing::ManualClock;
use sforce::testing::org::{DuplicateAction, MockOrg, Operation};
use sforce::types::soql::field as column;
use sforce::types::{ExternalId, Record, RecordId, SObject, SObjectName, SearchGroup, Soql, Sosl, Timestamp};
use sforce::{Client, Effect, ErrorKind};

use crate::support::{builder, client, field, object, record};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn id(text: &str) -> RecordId {
    RecordId::new(text).expect("an id")
}

/// The org's present, as it stamps a record.
fn now(org: &MockOrg) -> Timestamp {
    let id = org.insert("Campaign", json!({"Name": "clock"}));
    let stamp = org.record(&id).expect("there")["CreatedDate"].as_str().expect("a date").to_owned();
    Timestamp::parse(&stamp).expect("a date")
}

fn later(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(at.unix_millis() + millis).expect("a year of four digits")
}

/// An org whose minute has just begun, so that no test runs over its end, and a client whose clock shows the same.
fn settled() -> (MockOrg, Client) {
    let org = MockOrg::start();
    let second = now(&org).unix_millis().rem_euclid(MINUTE) / 1_000;
    org.advance(Duration::from_secs(65 - u64::try_from(second).expect("a second")));
    let client = dated(&org);
    (org, client)
}

/// A client whose clock shows the org's present.
fn dated(org: &MockOrg) -> Client {
    let millis = u64::try_from(now(org).unix_millis()).expect("after 1970");
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_millis(millis));
    builder(org).clock(clock).build().expect("a client")
}

#[tokio::test]
async fn windows_that_follow_each_other_tell_every_change_and_deletion() {
    let (org, client) = settled();
    let accounts = client.records(object("Account"));
    let start = now(&org);
    let first = org.insert("Account", json!({"Name": "A"}));
    org.advance(Duration::from_mins(10));
    let middle = now(&org);
    let second = org.insert("Account", json!({"Name": "B"}));
    org.advance(Duration::from_mins(2));

    let early = accounts.updated(start, middle).await.expect("told");
    assert_eq!(early.ids, [id(&first)]);
    let late = accounts.updated(early.latest_date_covered, now(&org)).await.expect("told");
    assert_eq!(late.ids, [id(&second)]);

    accounts.delete(id(&first)).await.expect("deleted");
    org.advance(Duration::from_mins(3));
    let deleted = accounts.deleted(start, now(&org)).await.expect("told");
    assert_eq!(deleted.deleted_records.iter().map(|row| row.id).collect::<Vec<_>>(), [id(&first)]);
    assert!(deleted.earliest_date_available < deleted.deleted_records[0].deleted_date);
    assert!(deleted.latest_date_covered <= now(&org));
    assert_eq!(
        accounts.updated(start, now(&org)).await.expect("told").ids,
        [id(&second)],
        "what is deleted is no update"
    );
}

#[tokio::test]
async fn what_replication_has_not_reached_is_told_by_the_next_window() {
    let (org, client) = settled();
    let start = now(&org);
    org.advance(Duration::from_mins(10));
    let account = org.insert("Account", json!({"Name": "A"}));
    org.advance(Duration::from_mins(2));
    org.set_replication_lag(Duration::from_mins(5));
    let accounts = client.records(object("Account"));
    let mut windows = accounts.updated_windows(start, now(&org));
    let reached = windows.next_window().await.expect("told").expect("one");
    assert!(reached.ids.is_empty() && reached.latest_date_covered < now(&org));
    assert_eq!(windows.next_window().await.expect("told"), None, "nothing later is known");
    org.set_replication_lag(Duration::ZERO);
    let rest = accounts.updated(reached.latest_date_covered, now(&org)).await.expect("told");
    assert_eq!(rest.ids, [id(&account)]);
}

#[tokio::test]
async fn windows_with_too_many_records_are_halved_until_they_fit() {
    let (org, _) = settled();
    let start = now(&org);
    let mut all = Vec::new();
    for number in 0..60 {
        // Dense at first, sparse later.
        org.advance(Duration::from_mins(if number < 40 { 1 } else { 10 }));
        all.push(id(&org.insert("Account", json!({"Name": number.to_string()}))));
    }
    org.advance(Duration::from_mins(2));
    let client = dated(&org);
    org.set_replication_limit(8);
    let accounts = client.records(object("Account"));
    let error = accounts.updated(start, now(&org)).await.expect_err("too many");
    assert!(error.has_code("EXCEEDED_ID_LIMIT"), "{error}");

    let (mut told, mut windows, mut reached) = (Vec::new(), accounts.updated_windows(start, now(&org)), start);
    while let Some(window) = windows.next_window().await.expect("told") {
        assert!(window.ids.len() <= 8);
        told.extend(window.ids);
        reached = window.latest_date_covered;
    }
    assert_eq!(told, all, "each once, in order");
    assert_eq!(reached.unix_millis() / MINUTE, now(&org).unix_millis() / MINUTE);
    assert!(org.calls(Operation::GetUpdated) < 60, "{}", org.calls(Operation::GetUpdated));

    for account in &all {
        accounts.delete(*account).await.expect("deleted");
    }
    org.advance(Duration::from_mins(4));
    let mut windows = dated(&org).records(object("Account")).deleted_windows(start, now(&org));
    let error = loop {
        match windows.next_window().await {
            Ok(window) => assert!(window.expect("sixty within a minute do not fit").deleted_records.is_empty()),
            Err(error) => break error,
        }
    };
    assert!(error.has_code("EXCEEDED_ID_LIMIT"), "{error}");
    assert!(error.advice().is_some_and(|advice| advice.contains("whole table")), "{error:?}");
}

#[tokio::test]
async fn windows_that_cannot_be_are_refused_before_sending_and_a_lost_log_says_so() {
    let (org, _) = settled();
    org.advance(Duration::from_hours(24 * 60));
    let client = dated(&org);
    let accounts = client.records(object("Account"));
    let end = now(&org);
    let updated = |start: Timestamp, end: Timestamp| accounts.updated(start, end);
    for error in [
        updated(end, end).await.expect_err("empty"),
        updated(end, later(end, -MINUTE)).await.expect_err("backwards"),
        updated(later(end, -32 * DAY), end).await.expect_err("too early"),
        accounts.deleted(later(end, -MINUTE), end).await.map(drop).expect_err("a minute"),
        accounts.deleted(later(end, -17 * DAY), end).await.map(drop).expect_err("too early"),
        accounts.deleted_windows(end, end).next_window().await.map(drop).expect_err("empty"),
    ] {
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None), "{error}");
        assert!(error.advice().is_some());
    }
    assert_eq!(org.calls(Operation::GetUpdated) + org.calls(Operation::GetDeleted), 0, "nothing was sent");

    org.empty_recycle_bin("Account");
    let error = accounts.deleted(later(end, -DAY), end).await.expect_err("purged");
    assert!(error.has_code("INVALID_REPLICATION_DATE"), "{error}");
    assert!(error.advice().is_some_and(|advice| advice.contains("whole table")), "{error:?}");
    let none =
        client.records(object("PermissionSet")).updated(later(end, -DAY), end).await.expect_err("not replicated");
    assert_eq!(none.kind(), ErrorKind::Schema);
}

#[tokio::test]
async fn objects_without_records_count_zero() {
    let org = MockOrg::start();
    for number in 0..3 {
        org.insert("Account", json!({"Name": number.to_string()}));
    }
    let client = client(&org);
    let asked = [object("account"), object("Account"), object("Lead"), object("Nope__c")];
    let counts = client.record_counts(&asked).await.expect("counted");
    let expected = [("Account", 3), ("account", 3), ("Lead", 0), ("Nope__c", 0)];
    assert_eq!(counts, BTreeMap::from(expected.map(|(name, count)| (object(name), count))));
    let all = client.all_record_counts().await.expect("counted");
    assert_eq!((all["Account"], all.get("Lead")), (3, None));
    // More names than an address holds go in several calls.
    let many: Vec<SObjectName> =
        (0..900).map(|number| SObjectName::new(format!("Some_Custom_Object_{number}__c")).expect("a name")).collect();
    let counts = client.record_counts(&[many.as_slice(), &[object("Account")]].concat()).await.expect("counted");
    assert_eq!((counts.len(), counts[&object("Account")]), (901, 3));
    assert!(client.record_counts(&[]).await.expect("nothing to ask").is_empty());
    assert_eq!(org.calls(Operation::RecordCount), 2 + 3);
}

#[tokio::test]
async fn limits_and_resources_are_read_by_name() {
    let org = MockOrg::start();
    let client = client(&org);
    let limits = client.all_limits().await.expect("read");
    assert_eq!(limits["DailyApiRequests"].max, Some(15_000));
    let custom = &limits["PermissionSets"].parts["CreateCustom"];
    assert_eq!((custom.max, limits.len() > 60), (Some(1_000), true));
    let resources = client.resources().await.expect("read");
    assert_eq!(resources["sobjects"], format!("/services/data/v{}/sobjects", client.api_version()));
    assert!(resources["identity"].contains("/id/00D"));

    let info = client.basic_info(&object("Account")).await.expect("read");
    assert_eq!((info.object_describe.key_prefix.as_deref(), info.object_describe.replicateable), (Some("001"), true));
    org.disable_api();
    assert_eq!(client.all_limits().await.expect_err("no API").kind(), ErrorKind::Forbidden);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Account {
    #[serde(rename = "Name")]
    name: String,
}

impl SObject for Account {
    const NAME: SObjectName = SObjectName::from_static("Account");
}

fn filled() -> MockOrg {
    let org = MockOrg::start();
    for name in ["Acme 0", "Acme 1", "O'Neill & Sons {x}"] {
        let account = org.insert("Account", json!({"Name": name}));
        org.insert("Contact", json!({"LastName": name, "AccountId": account, "Email": "ann@acme.example.com"}));
    }
    org
}

#[tokio::test]
async fn a_search_finds_records_of_several_objects() {
    let org = filled();
    let client = client(&org);
    let sosl = Sosl::find("acme")
        .returning(Soql::select(["Id", "Name"]).from("Account").filter(column("Name").ne("Acme 0")))
        .returning(Soql::select(["LastName"]).from("Contact"));
    let found = client.search(sosl.build().expect("builds")).await.expect("found");
    assert_eq!(found.typed::<Account>().expect("fits"), [Account { name: "Acme 1".into() }]);
    let contact = object("Contact");
    assert_eq!(found.of(&contact).filter_map(|row| row.text("LastName")).count(), 3, "by their email addresses");
    assert!(!found.is_full());

    let sosl = || Sosl::find("acme").returning(Soql::select(["Id", "Name"]).from("Account")).build().expect("builds");
    let mut names = Vec::new();
    let mut rows = client.search_stream::<Account>(sosl());
    while let Some(row) = rows.next().await {
        names.push(row.expect("fits").name);
    }
    assert!(rows.next().await.is_none(), "it is fused");
    names.sort();
    assert_eq!(names, ["Acme 0", "Acme 1"]);
    let records: Vec<_> = client.search_stream::<Record>(sosl()).collect().await;
    assert_eq!(records.iter().filter(|row| row.as_ref().is_ok_and(|row| row.text("Name").is_some())).count(), 2);
    let refused: Vec<_> = client.search_stream::<Record>("FIND {a}").collect().await;
    assert!(matches!(&refused[..], [Err(error)] if error.kind() == ErrorKind::Invalid), "{refused:?}");

    let words = Sosl::find("O'Neill & Sons {x}").within(SearchGroup::NameFields);
    let found = client.search(words.returning(Soql::select(["Name"]).from("Account")).build().expect("builds")).await;
    assert_eq!(
        found.expect("found").typed::<Account>().expect("fits"),
        [Account { name: "O'Neill & Sons {x}".into() }]
    );

    let none = Sosl::find("acme").returning(Soql::select(["Id"]).from("Account").filter(column("Id").is_in([""; 0])));
    let calls = org.api_calls();
    assert!(client.search(none.build().expect("builds")).await.expect("empty").records.is_empty());
    let long = format!("FIND {{{}}}", "x".repeat(20_000));
    assert_eq!(client.search(long).await.expect_err("too long").kind(), ErrorKind::Invalid);
    assert_eq!(org.api_calls(), calls, "neither was sent");
    assert_eq!(client.search("FIND {a}").await.expect_err("too short").kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_search_by_parameters_takes_words_as_they_are() {
    let org = filled();
    let search = ParameterizedSearch::new("acme-1")
        .within(SearchGroup::AllFields)
        .default_limit(1)
        .overall_limit(10)
        .spell_correction(false)
        .fields([field("Name")])
        .object(SearchScope::new(object("Account")).filter("Name != 'x'").order_by("Name DESC").limit(5))
        .object(SearchScope::new(object("Contact")).fields([field("LastName")]));
    let found = client(&org).parameterized_search(&search).await.expect("found");
    assert_eq!(found.typed::<Account>().expect("fits"), [Account { name: "Acme 1".into() }]);
    assert_eq!(found.of(&object("Contact")).count(), 1);
    // A search may be repeated, although it is a POST.
    org.faults().on(Operation::ParameterizedSearch).apply_then_reset().once();
    assert_eq!(client(&org).parameterized_search(&search).await.expect("repeated"), found);
    let old = builder(&org).api_version(ApiVersion::new(36).expect("answers")).build().expect("a client");
    assert_eq!(old.parameterized_search(&search).await.expect("a bare list").records.len(), found.records.len());
    assert_eq!(
        old.parameterized_search(&ParameterizedSearch::new(" ")).await.expect_err("blank").kind(),
        ErrorKind::Invalid
    );
}

#[tokio::test]
async fn a_record_is_read_only_if_it_changed_and_changed_only_if_it_did_not() {
    let org = MockOrg::start();
    let client = client(&org);
    let contacts = client.records(object("Contact"));
    let ada = contacts.create(&record(r#"{"LastName":"A"}"#)).await.expect("created");
    let fields = [field("LastName")];
    let read = contacts.get_snapshot(ada, &fields).await.expect("there");
    let seen = read.last_modified.expect("dated");
    assert_eq!((read.value.text("LastName"), read.etag), (Some("A"), None), "only accounts have tags");
    assert_eq!(contacts.get_if_modified_since(ada, &fields, seen).await.expect("asked"), None);

    org.advance(Duration::from_secs(5));
    contacts.update(ada, &record(r#"{"LastName":"B"}"#)).await.expect("somebody else");
    let newer: Snapshot<Record> =
        contacts.get_if_modified_since(ada, &fields, seen).await.expect("asked").expect("new");
    assert_eq!(newer.value.text("LastName"), Some("B"));
    let late = contacts.update_if_unmodified_since(ada, &record(r#"{"LastName":"C"}"#), seen).await.expect_err("late");
    assert_eq!((late.kind(), late.effect(), late.status()), (ErrorKind::Conflict, Effect::None, Some(412)));
    let now = newer.last_modified.expect("dated");
    contacts.update_if_unmodified_since(ada, &record(r#"{"LastName":"D"}"#), now).await.expect("unchanged");
    assert_eq!(org.record(ada.as_str()).expect("there")["LastName"], "D");
}

#[tokio::test]
async fn a_conditional_change_whose_answer_is_lost_is_not_repeated() {
    let org = MockOrg::start();
    let contacts = client(&org).records(object("Contact"));
    let ada = contacts.create(&record(r#"{"LastName":"A"}"#)).await.expect("created");
    let seen = contacts.get_snapshot(ada, &[]).await.expect("there").last_modified.expect("dated");
    org.advance(Duration::from_secs(5));
    org.faults().on(Operation::SObjectUpdate).apply_then_reset().once();
    let error = contacts.update_if_unmodified_since(ada, &record(r#"{"LastName":"B"}"#), seen).await.expect_err("lost");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Transport, Effect::Unknown), "no false conflict");
    assert_eq!(org.calls(Operation::SObjectUpdate), 1);
}

#[tokio::test]
async fn accounts_have_tags_and_other_objects_are_refused() {
    let org = MockOrg::start();
    let client = client(&org);
    let accounts = client.sobject::<Account>();
    let acme = accounts.create(&Account { name: "A".into() }).await.expect("created");
    let fields = [field("Name")];
    let tag = accounts.get_snapshot(acme, &fields).await.expect("there").etag.expect("tagged");
    let tag = ETag::new(tag.as_str()).expect("written down and read");
    assert_eq!(accounts.get_if_none_match(acme, &fields, &tag).await.expect("asked"), None);
    accounts.update_if_match(acme, &Account { name: "B".into() }, &tag).await.expect("unchanged");
    let error = accounts.update_if_match(acme, &Account { name: "C".into() }, &tag).await.expect_err("changed");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::None));
    let newer = accounts.get_if_none_match(acme, &fields, &tag).await.expect("asked").expect("changed");
    assert_eq!(newer.value.name, "B");

    let contacts = client.records(object("Contact"));
    let calls = org.api_calls();
    for error in [
        contacts.update_if_match(acme, &Record::new(), &tag).await.expect_err("no tags"),
        contacts.get_if_none_match(acme, &[], &tag).await.map(drop).expect_err("no tags"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Invalid, "Salesforce would ignore the tag");
    }
    assert_eq!(org.api_calls(), calls, "nothing was sent");
    assert!(ETag::new("a\nb").is_err() && ETag::new(" ").is_err());
}

#[tokio::test]
async fn a_cached_describe_is_revalidated_without_its_body() {
    let org = MockOrg::start();
    let client = client(&org);
    let account = object("Account");
    let first = client.describe_if_modified_since(&account, None).await.expect("read").expect("there");
    let seen = first.last_modified;
    assert!(first.value.field("Name").is_some() && seen.is_some());
    assert_eq!(client.describe_if_modified_since(&account, seen).await.expect("asked"), None);
    let global = client.describe_global_if_modified_since(None).await.expect("read").expect("there");
    assert_eq!(client.describe_global_if_modified_since(global.last_modified).await.expect("asked"), None);
    org.advance(Duration::from_secs(5));
    org.add_field("Account", sforce::testing::org::FieldSpec::text("New__c", 10));
    let newer = client.describe_if_modified_since(&account, seen).await.expect("asked").expect("changed");
    assert!(newer.value.field("New__c").is_some());
    assert!(client.describe_global_if_modified_since(global.last_modified).await.expect("asked").is_some());
}

#[tokio::test]
async fn a_record_is_changed_by_key_only_if_it_is_there() {
    let org = MockOrg::start();
    let contacts = client(&org).records(object("Contact"));
    let key = ExternalId::new(field("Email"), "ada@example.com");
    let error = contacts.update_by_key(&key, &record(r#"{"LastName":"A"}"#)).await.expect_err("none has it");
    assert_eq!((error.kind(), org.count("Contact")), (ErrorKind::NotFound, 0), "none is created");
    let created = contacts.upsert(&key, &record(r#"{"LastName":"A"}"#)).await.expect("created");
    let changed = contacts.update_by_key(&key, &record(r#"{"LastName":"B"}"#)).await.expect("changed");
    assert_eq!((changed.id, changed.created), (created.id, false));
    let by_id = ExternalId::new(field("Id"), created.id.expect("an id").to_string());
    let upserted = contacts.upsert(&by_id, &record(r#"{"LastName":"C"}"#)).await.expect("by its id");
    assert_eq!((upserted.id, upserted.created, org.count("Contact")), (created.id, false, 1));
    let blank = contacts.update_by_key(&ExternalId::new(field("Email"), ""), &Record::new()).await;
    assert_eq!(blank.expect_err("blank").kind(), ErrorKind::Invalid);
}

/// The value of a header in the last request of the org's log.
fn sent(org: &MockOrg, name: &str) -> Option<String> {
    let last = org.requests().pop()?;
    last.headers.into_iter().find(|(header, _)| header == name).map(|(_, value)| value)
}

#[tokio::test]
async fn options_reach_the_org_and_are_obeyed_for_single_records_and_collections() {
    let org = MockOrg::start();
    org.enable_duplicate_rule("Contact", DuplicateAction::Alert);
    let plain = client(&org);
    let ada = record(r#"{"LastName":"A","Email":"ada@example.com"}"#);
    plain.records(object("Contact")).create(&ada).await.expect("the first");
    let error = plain.records(object("Contact")).create(&ada).await.expect_err("a duplicate");
    assert_eq!((error.kind(), sent(&org, "sforce-duplicate-rule-header")), (ErrorKind::Duplicate, None));
    let rows = [ada.clone(), record(r#"{"LastName":"B"}"#)];
    let collections = plain.collections(object("Contact"));
    let results = collections.create(&rows, sforce::api::AllOrNone::No).await.expect("answered");
    assert_eq!(results.iter().map(sforce::api::SaveResult::is_saved).collect::<Vec<_>>(), [false, true]);

    let allowed = plain.with_options(&CallOptions::new().duplicate_rule(DuplicateRule::new().allow_save()));
    allowed.records(object("Contact")).create(&ada).await.expect("allowed");
    let header = "allowSave=true; includeRecordDetails=false; runAsCurrentUser=false";
    assert_eq!(sent(&org, "sforce-duplicate-rule-header").as_deref(), Some(header));
    let results = allowed.collections(object("Contact")).create(&rows, sforce::api::AllOrNone::No).await;
    assert!(results.expect("answered").iter().all(sforce::api::SaveResult::is_saved));

    let quiet = CallOptions::new()
        .assignment_rule(AssignmentRule::Off)
        .update_mru(false)
        .client_id("acme/1.0")
        .expect("a name");
    let lead = record(r#"{"LastName":"L","Company":"C"}"#);
    plain.with_options(&quiet).records(object("Lead")).create(&lead).await.expect("created");
    assert_eq!(sent(&org, "sforce-auto-assign").as_deref(), Some("FALSE"));
    assert_eq!(sent(&org, "sforce-mru").as_deref(), Some("updateMru=false"));
    assert_eq!(sent(&org, "sforce-call-options").as_deref(), Some("client=acme/1.0"));
}

#[tokio::test]
async fn apex_rest_has_the_same_login_and_retries_and_repeats_by_the_callers_word() {
    let org = MockOrg::start();
    org.on_apex("GET", "/visits/*", |request| (200, json!({"path": request.path, "q": request.query[0].1})));
    org.on_apex("POST", "/visits", |request| (201, json!({"page": request.json()["page"]})));
    org.on_apex("PUT", "/visits", |_| (200, json!({"page": "put"})));
    org.on_apex("DELETE", "/visits", |_| (409, json!({"oops": true})));
    let client = client(&org);
    client.access_token().await.expect("logged in");
    org.expire_access_tokens();
    let get = ApiRequest::apex_rest(Method::GET, "visits").segment("a/b c").query("q", "x&y");
    let answer = client.send(get).await.expect("after a renewal");
    assert_eq!(answer.json::<BTreeMap<String, String>>().expect("JSON")["path"], "/visits/a%2Fb%20c");
    let post = || ApiRequest::apex_rest(Method::POST, "/visits").json(&json!({"page": "p"})).expect("serialises");
    assert_eq!(client.send(post()).await.expect("made").status, 201);

    org.faults().on(Operation::ApexRest).apply_then_reset().once();
    let error = client.send(post()).await.expect_err("lost");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Transport, Effect::Unknown), "not repeated");
    org.faults().on(Operation::ApexRest).apply_then_reset().once();
    let put = ApiRequest::apex_rest(Method::PUT, "/visits").json(&json!({})).expect("serialises").idempotent();
    client.send(put).await.expect("repeated by the caller's word");
    let error = client.send(ApiRequest::apex_rest(Method::DELETE, "/visits")).await.expect_err("the method's refusal");
    assert_eq!((error.kind(), error.status()), (ErrorKind::Conflict, Some(409)));
    assert_eq!(client.api_calls(), org.api_calls() + 1, "the refused session's call counts with us");
}

#[tokio::test]
async fn a_raw_request_reaches_any_resource() {
    let org = MockOrg::start();
    let client = client(&org);
    org.faults().on(Operation::DescribeGlobal).status(503).once();
    let answer = client.send(ApiRequest::get("raw", "/sobjects")).await.expect("repeated");
    assert!(answer.json::<BTreeMap<String, serde_json::Value>>().expect("JSON").contains_key("sobjects"));
    assert_eq!(org.calls(Operation::DescribeGlobal), 2);
    let error = client.send(ApiRequest::get("raw", "/nope")).await.expect_err("unknown");
    assert_eq!((error.kind(), error.operation()), (ErrorKind::NotFound, "raw"));
}
