//! The client against the mock org.

use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use sforce::api::AllOrNone;
use sforce::auth::{ClientCredentials, LoginHost, TokenManager};
use sforce::client::{ApiVersion, RetryPolicy};
use sforce::testing::ManualClock;
use sforce::testing::org::{FieldSpec, MockOrg, ObjectSpec, Operation};
use sforce::types::{
    Decimal, ExternalId, Field, FieldType, LikePattern, Record, RecordId, SObject, SObjectName, Soql, Value,
};
use sforce::{Client, Effect, ErrorKind, ReauthReason, Retry};

use crate::support::{SharedClock, builder, client, field, impatient, object, record};

fn org() -> MockOrg {
    MockOrg::builder().engagement_session("Navattic_").start()
}

#[derive(Debug, Serialize, Deserialize)]
struct Contact {
    #[serde(rename = "LastName")]
    last_name: String,
    #[serde(rename = "Title", default, skip_serializing_if = "Field::is_absent")]
    title: Field<String>,
    #[serde(rename = "Department", default, skip_serializing_if = "Field::is_absent")]
    department: Field<String>,
}

impl SObject for Contact {
    const NAME: SObjectName = SObjectName::from_static("Contact");
}

#[tokio::test]
async fn a_typed_record_keeps_absent_null_and_set_apart() {
    let org = org();
    let contacts = client(&org).sobject::<Contact>();
    let new =
        Contact { last_name: "Ada".into(), title: "Countess".to_owned().into(), department: "R&D".to_owned().into() };
    let id = contacts.create(&new).await.expect("created");

    let change = Contact { last_name: "Ada".into(), title: Field::Null, department: Field::Absent };
    contacts.update(id, &change).await.expect("updated");

    let now = contacts.get(id, &[field("LastName"), field("Title"), field("Department")]).await.expect("there");
    assert_eq!((now.title, now.department), (Field::Null, Field::Set("R&D".into())));
    contacts.delete(id).await.expect("deleted");
    let error = contacts.get(id, &[]).await.expect_err("gone");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn numbers_arrive_with_all_their_digits() {
    let org = org();
    let things = ObjectSpec::new("Thing__c").field(FieldSpec::number("N__c", 18, 3));
    org.add_object(things);
    let things = client(&org).records(object("Thing__c"));
    let number = Decimal::parse("123456789012345.678").expect("18 digits");
    let id = things.create(&Record::new().with("Name", "x").with("N__c", number)).await.expect("created");
    let stored = things.get(id, &[field("N__c")]).await.expect("there");
    assert_eq!(stored.get("N__c"), Some(&Value::Number(number)));
}

#[tokio::test]
async fn an_upsert_creates_once_and_takes_any_key() {
    let org = org();
    let sessions = client(&org).records(object("Navattic_Session__c"));
    for key in ["plain", "a/b?c#d%e", "...", ".a", "it's \"q\"", "🙂 ö", "a+b&c=d", "50%25"] {
        let key = ExternalId::new(field("Navattic_Session_Key__c"), key);
        let first = sessions.upsert(&key, &record(r#"{"Name":"n"}"#)).await.expect("created");
        let second = sessions.upsert(&key, &record(r#"{"Name":"m"}"#)).await.expect("updated");
        assert!(first.created && !second.created, "{key:?}");
        assert_eq!(first.id, second.id);
    }
    assert_eq!(org.count("Navattic_Session__c"), 8);
    // No URL can carry a segment of dots, so these are refused before they reach another resource.
    for key in [" ", ".", ".."] {
        let key = ExternalId::new(field("Navattic_Session_Key__c"), key);
        let error = sessions.upsert(&key, &record("{}")).await.expect_err("refused");
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
    }
    assert_eq!(org.calls(Operation::SObjectUpsert), 16);
}

#[tokio::test]
async fn an_upsert_reads_the_answers_of_old_versions_and_of_ambiguous_keys() {
    let org = org();
    let old = builder(&org).api_version(ApiVersion::new(45).expect("answers")).build().expect("a client");
    let key = ExternalId::new(field("Email"), "ada@example.com");
    let created = old.records(object("Contact")).upsert(&key, &record(r#"{"LastName":"A"}"#)).await.expect("201");
    assert!(created.created && created.id.is_some());
    let updated = old.records(object("Contact")).upsert(&key, &record(r#"{"LastName":"B"}"#)).await.expect("204");
    assert!(!updated.created && updated.id.is_none(), "API 45.0 answers 204 without a body");

    org.insert("Contact", serde_json::json!({"LastName": "C", "Email": "ada@example.com"}));
    let error = old.records(object("Contact")).upsert(&key, &record(r#"{"LastName":"D"}"#)).await.expect_err("300");
    assert_eq!((error.kind(), error.status(), error.effect()), (ErrorKind::Duplicate, Some(300), Effect::None));
}

#[tokio::test]
async fn a_query_streams_all_pages_and_goes_on_after_an_error() {
    let org = org();
    for number in 0..4500 {
        org.insert("Account", serde_json::json!({"Name": format!("Account {number:05}")}));
    }
    org.faults().on(Operation::QueryMore).error(400, "UNKNOWN_CODE", "not now").after(1).once();
    let client = client(&org);
    let mut rows = client.query::<Record>("SELECT Name FROM Account ORDER BY Name NULLS FIRST, Id");
    let mut names = Vec::new();
    let mut errors = 0;
    loop {
        match rows.try_next().await {
            Ok(Some(row)) => names.push(row.text("Name").expect("a name").to_owned()),
            Ok(None) => break,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
                errors += 1;
            }
        }
    }
    assert_eq!(errors, 1, "told once");
    assert_eq!(names.len(), 4500, "and the page that failed was read again");
    assert!(names.is_sorted() && rows.total_size() == Some(4500));
    assert!(rows.try_next().await.expect("fused").is_none());
    assert_eq!(client.count("SELECT COUNT() FROM Account").await.expect("counts"), 4500);
}

#[tokio::test]
async fn bound_values_find_what_they_name_and_nothing_else() {
    let org = org();
    let names = ["O'Neill", "50%", "a_b", "back\\slash", "new\nline", "'; DELETE", "🙂"];
    for name in names {
        org.insert("Account", serde_json::json!({"Name": name}));
    }
    let client = client(&org);
    for name in names {
        let soql = Soql::bind("SELECT Name FROM Account WHERE Name = :n", [("n", name.into())]).expect("binds");
        let rows: Vec<Record> = client.query(soql).collect().await.expect("valid SOQL");
        assert_eq!(rows.iter().map(|row| row.text("Name")).collect::<Vec<_>>(), [Some(name)], "{name}");
    }
    for (part, expected) in [("%", "50%"), ("_", "a_b"), ("\\", "back\\slash"), ("'", "O'Neill")] {
        let soql =
            Soql::bind("SELECT Name FROM Account WHERE Name LIKE :n", [("n", LikePattern::contains(part).into())]);
        let rows: Vec<Record> = client.query(soql.expect("binds")).collect().await.expect("valid SOQL");
        assert!(rows.iter().any(|row| row.text("Name") == Some(expected)) && rows.len() <= 2, "{part}: {rows:?}");
    }
}

#[tokio::test]
async fn children_and_parents_are_decoded_from_one_query() {
    let org = org();
    let account = org.insert("Account", serde_json::json!({"Name": "Acme"}));
    org.insert("Contact", serde_json::json!({"LastName": "A", "AccountId": account}));
    org.insert("Contact", serde_json::json!({"LastName": "B", "AccountId": account}));
    let client = client(&org);
    let rows: Vec<Record> = client
        .query("SELECT Name, (SELECT LastName, Account.Name FROM Contacts ORDER BY LastName) FROM Account")
        .collect()
        .await
        .expect("rows");
    let Some(Value::Children(contacts)) = rows[0].get("Contacts") else { panic!("{rows:?}") };
    assert_eq!((contacts.total_size, contacts.next_records_url.as_deref()), (2, None));
    assert_eq!(contacts.records[1].path("Account.Name").and_then(Value::as_text), Some("Acme"));
}

#[tokio::test]
async fn collections_give_one_outcome_per_record_in_order() {
    let org = org();
    let client = client(&org);
    let contacts = client.collections(object("Contact"));
    let records: Vec<Record> = (0..200)
        .map(|number| {
            if number % 3 == 0 {
                record(r#"{"FirstName":"nameless"}"#)
            } else {
                Record::new().with("LastName", number.to_string())
            }
        })
        .collect();
    let results = contacts.create(&records, AllOrNone::No).await.expect("answered");
    assert_eq!(results.len(), 200);
    for (number, result) in results.iter().enumerate() {
        match &result.error {
            Some(error) => {
                assert!(number % 3 == 0 && error.has_code("REQUIRED_FIELD_MISSING"), "{number}: {error}");
                assert_eq!(
                    (error.kind(), error.salesforce()[0].fields.as_slice()),
                    (ErrorKind::Invalid, &["LastName".to_owned()][..])
                );
            }
            None => assert!(number % 3 != 0 && result.id.is_some()),
        }
    }
    let saved: Vec<RecordId> = results.iter().filter_map(|result| result.id).collect();
    let read = contacts.get(&saved, &[field("LastName")]).await.expect("read");
    assert_eq!(read[0].as_ref().and_then(|record| record.text("LastName")), Some("1"));
    let changes: Vec<(RecordId, Record)> = saved.iter().map(|id| (*id, record(r#"{"Title":"T"}"#))).collect();
    assert!(
        contacts
            .update(&changes, AllOrNone::Yes)
            .await
            .expect("answered")
            .iter()
            .all(sforce::api::SaveResult::is_saved)
    );
    assert!(
        contacts.delete(&saved, AllOrNone::No).await.expect("answered").iter().all(sforce::api::SaveResult::is_saved)
    );
    assert_eq!(org.count("Contact"), 0);
}

#[tokio::test]
async fn all_or_none_undoes_the_good_ones_and_says_whose_fault_it_was() {
    let org = org();
    let contacts = client(&org).collections(object("Contact"));
    let records = [record(r#"{"LastName":"A"}"#), record(r#"{"FirstName":"B"}"#)];
    let results = contacts.create(&records, AllOrNone::Yes).await.expect("answered");
    let codes: Vec<&str> =
        results.iter().filter_map(|result| Some(result.error.as_ref()?.salesforce()[0].code.as_str())).collect();
    assert_eq!(codes, ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]);
    assert_eq!(org.count("Contact"), 0);
}

#[tokio::test]
async fn what_a_collections_call_cannot_take_is_refused_before_it_is_sent() {
    let org = org();
    let client = client(&org);
    let sessions = client.collections(object("Navattic_Session__c"));
    let key = field("Navattic_Session_Key__c");
    let row = |key: &str| Record::new().with("Navattic_Session_Key__c", key);
    let many: Vec<Record> = (0..201).map(|number| row(&number.to_string())).collect();
    for records in [vec![], many, vec![row("a"), row("b"), row("a")], vec![row(" ")], vec![record(r#"{"Name":"x"}"#)]] {
        let error = sessions.upsert(&key, &records, AllOrNone::No).await.expect_err("refused");
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
    }
    assert_eq!(org.api_calls(), 0);
}

#[tokio::test]
async fn describe_tells_what_the_user_sees() {
    let org = org();
    let client = client(&org);
    let describe = client.describe(&object("Navattic_Session__c")).await.expect("there");
    let key = describe.field("navattic_session_key__C").expect("names ignore case");
    assert!(key.external_id && key.unique && key.case_sensitive && key.length == 80);
    let minutes = describe.field("Navattic_Duration_Minutes__c").expect("there");
    assert_eq!((&minutes.field_type, minutes.precision, minutes.scale), (&FieldType::Double, 18, 3));
    assert!(client.describe_global().await.expect("all").sobjects.iter().any(|object| object.name == "Account"));
    let error = client.describe(&object("Nothing__c")).await.expect_err("not there");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn nav_37_a_thousand_requests_with_an_expired_token_renew_it_once() {
    let org = org();
    let id: RecordId = org.insert("Account", serde_json::json!({"Name": "Acme"})).parse().expect("an id");
    let client = client(&org);
    client.access_token().await.expect("logged in");
    let before = org.token_requests();
    org.expire_access_tokens();
    let reads = (0..1000).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.records(object("Account")).get(id, &[field("Name")]).await })
    });
    for read in join_all(reads).await {
        let account = read.expect("no panic").expect("read after the renewal");
        assert_eq!(account.text("Name"), Some("Acme"));
    }
    assert_eq!(org.token_requests() - before, 1, "one renewal for all");
}

#[tokio::test]
async fn nav_37_a_refresh_token_renews_the_session_and_survives_rotation() {
    let org = MockOrg::builder().rotate_refresh_tokens().start();
    let host = LoginHost::allowing_loopback(&org.base_url()).expect("loopback");
    let manager = TokenManager::builder(host, org.client_id())
        .client_secret(org.client_secret())
        .refresh_token(org.refresh_token())
        .build()
        .expect("a manager");
    let client = Client::builder(manager).build().expect("a client");
    for _ in 0..3 {
        client.check_api_access().await.expect("works");
        org.expire_access_tokens();
    }
    client.check_api_access().await.expect("each rotated token was kept");
    org.revoke_refresh_token();
    org.expire_access_tokens();
    let error = client.check_api_access().await.expect_err("the connection has ended");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::ReauthRequired, Retry::Never));
    assert_eq!(error.reauth_reason(), Some(ReauthReason::Refused));
    assert!(error.advice().is_some_and(|advice| advice.contains("connect the org again")), "{error}");
}

#[tokio::test]
async fn credentials_go_by_form_or_by_header_and_wrong_ones_say_what_to_check() {
    let org = org();
    let host = || LoginHost::allowing_loopback(&org.base_url()).expect("loopback");
    let by_header =
        ClientCredentials::new(host(), org.client_id(), org.client_secret()).expect("complete").by_basic_header();
    let client = Client::builder(by_header).build().expect("a client");
    let me = client.user_info().await.expect("logged in");
    assert_eq!((me.user_id.to_string(), me.organization_id.to_string()), (org.user_id(), org.org_id()));

    let wrong = ClientCredentials::new(host(), org.client_id(), "wrong").expect("complete");
    let error = Client::builder(wrong).build().expect("a client").access_token().await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("client secret"), "{error}");
    assert!(!format!("{error:?}").contains("wrong\""), "{error:?}");
    let unknown = ClientCredentials::new(host(), "nobody", "secret").expect("complete");
    let error = Client::builder(unknown).build().expect("a client").access_token().await.expect_err("refused");
    assert!(error.to_string().contains("client id"), "{error}");
}

#[tokio::test]
async fn nav_14_an_org_or_user_without_api_access_is_told_before_any_work() {
    let org = org();
    let client = client(&org);
    client.check_api_access().await.expect("enabled");
    for disable in [MockOrg::disable_api, MockOrg::disable_api_for_user] {
        disable(&org);
        let error = client.check_api_access().await.expect_err("disabled");
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
        assert!(error.advice().is_some_and(|advice| advice.contains("API Enabled")), "{error}");
        org.enable_api();
    }
}

#[tokio::test]
async fn every_answer_tells_the_limits_and_the_daily_limit_stops_at_once() {
    let org = org();
    let client = client(&org);
    assert_eq!(client.limits(), None);
    client.describe_global().await.expect("all");
    let usage = client.limits().expect("told").api;
    assert_eq!((usage.used, usage.allowed), (1, 15_000));
    assert_eq!(client.api_calls(), org.api_calls());
    org.set_daily_limit(1);
    let error = client.describe_global().await.expect_err("used up");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::LimitExceeded, Retry::Never));
    assert_eq!(client.api_calls(), 2, "one try, no spinning");
}

#[tokio::test]
async fn a_timeout_after_the_write_creates_no_second_record() {
    let org = org();
    org.faults().on(Operation::CollectionsUpsert).apply_then_time_out().once();
    let client = builder(&org).http(impatient()).build().expect("a client");
    let rows = [record(r#"{"Navattic_Session_Key__c":"a","Name":"a"}"#)];
    let sessions = client.collections(object("Navattic_Session__c"));
    let results =
        sessions.upsert(&field("Navattic_Session_Key__c"), &rows, AllOrNone::No).await.expect("answered in the end");
    assert!(results[0].is_saved());
    assert_eq!(org.count("Navattic_Session__c"), 1);
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_not_repeated_and_says_that_it_may_have_happened() {
    let org = org();
    org.faults().on(Operation::SObjectCreate).apply_then_reset().once();
    let client = client(&org);
    let error = client.records(object("Account")).create(&record(r#"{"Name":"x"}"#)).await.expect_err("lost");
    assert_eq!((error.kind(), error.effect(), error.retry()), (ErrorKind::Transport, Effect::Unknown, Retry::Never));
    assert_eq!((org.count("Account"), org.calls(Operation::SObjectCreate)), (1, 1));
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_is_a_deletion() {
    let org = org();
    let id: RecordId = org.insert("Account", serde_json::json!({"Name": "x"})).parse().expect("an id");
    org.faults().on(Operation::SObjectDelete).apply_then_reset().once();
    client(&org).records(object("Account")).delete(id).await.expect("deleted by the first attempt");
    assert_eq!((org.count("Account"), org.calls(Operation::SObjectDelete)), (0, 2));
    let error = client(&org).records(object("Account")).delete(id).await.expect_err("gone before");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_outage_is_waited_for_as_long_as_it_asks_and_no_longer_than_the_policy() {
    let org = org();
    let clock = SharedClock::default();
    let client = builder(&org).clock(clock.clone()).build().expect("a client");
    org.faults().on(Operation::DescribeGlobal).status(503).retry_after(7).times(2);
    client.describe_global().await.expect("the third try");
    assert!(clock.0.slept().iter().all(|slept| *slept >= Duration::from_secs(7)), "{:?}", clock.0.slept());

    org.faults().on(Operation::Describe).not_json().always();
    let error = client.describe(&object("Account")).await.expect_err("down");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Exhausted { attempts: 6 }));
    assert!(error.to_string().contains("attempts 6"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_an_error_without_its_text() {
    let org = org();
    org.faults().on(Operation::Describe).status(200).body("<html>login: secret-text</html>").once();
    let client = builder(&org).retry(RetryPolicy::never()).clock(ManualClock::default()).build().expect("a client");
    let error = client.describe(&object("Account")).await.expect_err("no JSON");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!format!("{error:?}").contains("secret-text"), "{error:?}");
}

#[tokio::test]
async fn versions_are_listed_oldest_first() {
    let org = org();
    let versions = client(&org).versions().await.expect("public");
    assert_eq!(
        (versions[0].version.as_str(), versions.last().map(|last| last.version.as_str())),
        ("31.0", Some("66.0"))
    );
}

/// Is never asked in earnest.
#[derive(Debug)]
struct NoHttp;

#[async_trait::async_trait]
impl sforce::http::HttpService for NoHttp {
    async fn send(&self, _request: sforce::http::Request) -> sforce::Result<sforce::http::Response> {
        Err(sforce::Error::new(ErrorKind::Transport, "", "no network here"))
    }
}

#[tokio::test]
async fn a_provider_that_asks_to_log_in_again_and_again_is_asked_no_more_than_twice() {
    #[derive(Debug, Default)]
    struct Confused(std::sync::atomic::AtomicUsize);

    #[async_trait::async_trait]
    impl sforce::auth::TokenProvider for Confused {
        async fn fetch(
            &self,
            _http: &dyn sforce::http::HttpService,
            _rejected: Option<&sforce::auth::AccessToken>,
        ) -> sforce::Result<sforce::auth::AccessToken> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Err(sforce::Error::new(ErrorKind::Auth, "token", "").with_retry(Retry::Reauthenticate))
        }
    }

    let provider = std::sync::Arc::new(Confused::default());
    let client = Client::builder(std::sync::Arc::clone(&provider)).http(NoHttp).build().expect("a client");
    let error = client.check_api_access().await.expect_err("no token");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never));
    assert!(provider.0.load(std::sync::atomic::Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn deleted_rows_of_a_collection_whose_answer_was_lost_are_deleted() {
    let org = org();
    let ids: Vec<RecordId> =
        (0..3).map(|_| org.insert("Account", serde_json::json!({"Name": "x"})).parse().expect("an id")).collect();
    org.faults().on(Operation::CollectionsDelete).apply_then_reset().once();
    let accounts = client(&org).collections(object("Account"));
    let results = accounts.delete(&ids, AllOrNone::No).await.expect("answered");
    assert!(results.iter().all(sforce::api::SaveResult::is_saved), "{results:?}");
    let again = accounts.delete(&ids, AllOrNone::No).await.expect("answered");
    assert!(again.iter().all(|result| !result.is_saved()), "deleted before");
}

#[tokio::test]
async fn a_queried_record_can_be_sent_back() {
    let org = org();
    let id: RecordId = org.insert("Account", serde_json::json!({"Name": "x", "Site": "a"})).parse().expect("an id");
    let client = client(&org);
    let rows: Vec<Record> = client.query("SELECT Name, Site FROM Account").collect().await.expect("rows");
    let changed = rows[0].clone().with("Site", "b");
    let body = serde_json::to_string(&changed).expect("serialises");
    assert!(!body.contains("attributes"), "the call says the object, once: {body}");
    let results =
        client.collections(object("Account")).update(&[(id, changed)], AllOrNone::No).await.expect("answered");
    assert!(results[0].is_saved(), "{results:?}");
}

#[tokio::test]
async fn debug_shows_neither_bodies_nor_queries_nor_tokens() {
    let org = org();
    let client = client(&org);
    let token = client.access_token().await.expect("logged in");
    let request = sforce::client::ApiRequest::patch("test", "/sobjects/X").query("q", "secret-query");
    let request = request.json(&serde_json::json!({"SSN": "secret-body"})).expect("serialises");
    let answer = client.send(sforce::client::ApiRequest::get("test", "/sobjects")).await.expect("answered");
    let shown = format!("{client:?} {token:?} {request:?} {answer:?}");
    for secret in ["secret-query", "secret-body", "encoding", token.secret().expose(), &org.client_secret()] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

#[tokio::test]
async fn the_metadata_api_creates_reads_lists_and_deletes() {
    use sforce::api::metadata::{CustomField, CustomObject, FieldKind};
    let org = MockOrg::start();
    let metadata = client(&org).metadata();
    let object = CustomObject::new("Thing__c", "Thing <&> \"x\"", "Things");
    let made = metadata.create(std::slice::from_ref(&object)).await.expect("answered");
    assert!(made[0].error.is_none(), "{made:?}");
    let again = metadata.create(std::slice::from_ref(&object)).await.expect("answered");
    assert_eq!(again[0].error.as_ref().map(sforce::Error::kind), Some(ErrorKind::Duplicate), "{again:?}");
    let field = CustomField::new("Thing__c.Size__c", "Size", FieldKind::number(18, 2));
    let results = metadata.create(&[field.clone(), CustomField { full_name: "Nowhere__c.X__c".into(), ..field }]).await;
    let results = results.expect("answered");
    assert!(results[0].error.is_none() && results[1].error.is_some(), "one outcome each: {results:?}");
    let read = metadata.read::<CustomObject>(&["Thing__c", "Missing__c"]).await.expect("answered");
    assert_eq!(read.len(), 2);
    let thing = read[0].as_ref().expect("there");
    assert_eq!((thing.label.as_str(), thing.fields.len()), (object.label.as_str(), 1));
    assert!(read[1].is_none());
    let listed = metadata.list(&["CustomObject", "CustomField"]).await.expect("answered");
    assert!(listed.iter().any(|listed| listed.full_name == "Thing__c.Size__c"));
    let gone = metadata.delete::<CustomObject>(&["Thing__c"]).await.expect("answered");
    assert!(gone[0].error.is_none(), "{gone:?}");
    let none: [CustomObject; 0] = [];
    let before = org.api_calls();
    assert!(metadata.create(&none).await.expect("nothing to create").is_empty());
    assert_eq!(org.api_calls(), before, "nothing was asked");
}

#[tokio::test]
async fn a_session_that_expires_is_renewed_for_the_metadata_api_too() {
    let org = MockOrg::start();
    let client = client(&org);
    client.access_token().await.expect("logged in");
    org.expire_access_tokens();
    client.metadata().list(&["CustomObject"]).await.expect("renewed and repeated");
    assert_eq!(org.token_requests(), 2);
}
