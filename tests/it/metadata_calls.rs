//! Calls of the Metadata API take any number of components: split by the limits of a call, with one outcome for each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sforce::api::metadata::{AnyComponent, ApexClass, CustomField, FieldKind, RemoteSiteSetting};
use sforce::auth::{AccessToken, StaticToken};
use sforce::client::RetryPolicy;
use sforce::testing::org::MockOrg;
use sforce::{Client, Effect, ErrorKind};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// Answers each component of a request with success, until a call of that number is refused.
async fn answering(refuse: usize) -> (MockServer, Client) {
    let server = MockServer::start().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let answer = move |request: &Request| {
        if calls.fetch_add(1, Ordering::SeqCst) + 1 == refuse {
            return ResponseTemplate::new(503);
        }
        let body = std::str::from_utf8(&request.body).expect("UTF-8");
        let name = |rest: &str| rest.split("</").next().unwrap_or_default().to_owned();
        let separator = if body.contains("<fullNames>") { "<fullNames>" } else { "<fullName>" };
        let results: Vec<String> = body
            .split(separator)
            .skip(1)
            .map(|rest| format!("<result><fullName>{}</fullName><success>true</success></result>", name(rest)))
            .collect();
        let results = results.concat();
        let envelope = format!("<E><Body><r>{results}</r></Body></E>");
        ResponseTemplate::new(200).set_body_raw(envelope.into_bytes(), "text/xml")
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let token = AccessToken::allowing_loopback("00D!token", &server.uri()).expect("loopback");
    let client = Client::builder(StaticToken::new(token)).retry(RetryPolicy::never()).build().expect("a client");
    (server, client)
}

fn sites(count: usize) -> Vec<RemoteSiteSetting> {
    (0..count).map(|number| RemoteSiteSetting::new(format!("S{number}"), "https://example.com")).collect()
}

#[tokio::test]
async fn any_number_of_components_goes_in_calls_of_ten_with_results_in_order() {
    let (server, client) = answering(0).await;
    let results = client.metadata().create(&sites(25)).await.expect("answered");
    let names: Vec<&str> = results.iter().map(|result| result.full_name.as_str()).collect();
    assert_eq!(names, (0..25).map(|number| format!("S{number}")).collect::<Vec<_>>());
    let names: Vec<String> = (0..11).map(|number| format!("S{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let gone = client.metadata().delete::<RemoteSiteSetting>(&names).await.expect("answered");
    assert!(gone.len() == 11 && gone.iter().all(|result| result.error.is_none()));
    assert_eq!(server.received_requests().await.expect("recorded").len(), 3 + 2);
}

#[tokio::test]
async fn components_of_several_types_go_in_a_call_for_each_run_of_one_type() {
    let (server, client) = answering(0).await;
    let record = |number| AnyComponent::raw("CustomMetadata", &format!("T.R{number}"), "<CustomMetadata/>");
    let mut mixed: Vec<AnyComponent> = sites(2).into_iter().map(AnyComponent::from).collect();
    mixed.extend((0..201).map(|number| record(number).expect("well-formed")));
    let results = client.metadata().upsert(&mixed).await.expect("answered");
    assert_eq!((results.len(), results[2].full_name.as_str()), (203, "T.R0"));
    let sizes = server.received_requests().await.expect("recorded");
    let sizes: Vec<usize> =
        sizes.iter().map(|request| String::from_utf8_lossy(&request.body).matches("<metadata ").count()).collect();
    assert_eq!(sizes, [2, 200, 1], "200 of custom metadata in a call");
}

#[tokio::test]
async fn a_later_call_that_fails_keeps_the_outcomes_before_it() {
    let (server, client) = answering(2).await;
    let results = client.metadata().create(&sites(35)).await.expect("the first call was answered");
    assert_eq!(results.len(), 35, "one outcome each");
    assert!(results[..10].iter().all(|result| result.error.is_none()));
    for (number, result) in results.iter().enumerate().skip(10) {
        let error = result.error.as_ref().expect("not saved");
        assert_eq!((result.full_name.as_str(), error.kind()), (format!("S{number}").as_str(), ErrorKind::Unavailable));
        assert_eq!(error.to_string().contains("sent false"), number >= 20, "{error}");
        if number >= 20 {
            assert_eq!(error.effect(), Effect::None, "it was not sent");
        }
    }
    assert_eq!(server.received_requests().await.expect("recorded").len(), 2, "nothing after the failure");
    let (_server, client) = answering(1).await;
    assert_eq!(client.metadata().create(&sites(35)).await.expect_err("the first").kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn what_no_call_can_carry_is_refused_before_the_first() {
    let (server, client) = answering(0).await;
    let metadata = client.metadata();
    let apex = metadata.create(&[ApexClass::new("C", "class C {}")]).await.expect_err("deploy only");
    assert!(apex.kind() == ErrorKind::Invalid && apex.to_string().contains("deploy"), "{apex}");
    let mut fields = vec![CustomField::new("A.B__c", "B", FieldKind::Date); 11];
    fields.push(CustomField::new("A.C__c", "\u{7}", FieldKind::Date));
    let bell = metadata.create(&fields).await.expect_err("no XML");
    assert!(bell.kind() == ErrorKind::Invalid && bell.to_string().contains("A.C__c"), "{bell}");
    assert!(server.received_requests().await.expect("recorded").is_empty());
}

#[tokio::test]
async fn many_fields_are_made_read_and_listed_in_a_mock_org() {
    let org = MockOrg::start();
    let metadata = crate::support::client(&org).metadata();
    let fields: Vec<CustomField> = (0..23)
        .map(|number| CustomField::new(format!("Account.F{number}__c"), format!("F{number}"), FieldKind::text(10)))
        .collect();
    let before = org.api_calls();
    let made = metadata.create(&fields).await.expect("answered");
    assert!(made.iter().all(|result| result.error.is_none()), "{made:?}");
    assert_eq!(org.api_calls() - before, 3);
    let listed = metadata.list(&["CustomObject", "CustomField", "PermissionSet", "CustomField"]).await.expect("lists");
    assert!(listed.iter().filter(|listed| listed.full_name == "Account.F22__c").count() >= 1);
}
