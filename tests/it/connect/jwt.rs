//! The JWT bearer flow.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use sforce::auth::{JwtBearer, TokenProvider as _};
use sforce::clock::{Clock as _, SystemClock};
use sforce::http::{Body, HttpService, Method, Request, Reqwest, Response};
use sforce::testing::ManualClock;
use sforce::testing::org::{AppSpec, MockOrg, Operation, TestApp};
use sforce::{Client, Error, ErrorKind, Retry};
use url::Url;

use super::{app, login};

const KEY: &str = include_str!("../../fixtures/test-only-rsa-key.pem");
const OTHER_KEY: &str = include_str!("../../fixtures/test-only-other-rsa-key.pem");
const CERTIFICATE: &str = include_str!("../../fixtures/test-only-rsa-cert.pem");

fn spec() -> AppSpec {
    app().certificate(CERTIFICATE)
}

fn provider(org: &MockOrg, app: &TestApp) -> JwtBearer {
    JwtBearer::new(login(org), &app.client_id, org.username(), KEY).expect("complete")
}

async fn try_login(provider: JwtBearer) -> Result<(), Error> {
    Client::builder(provider).build().expect("a client").check_api_access().await
}

async fn refused(provider: JwtBearer, advice: &str) -> Error {
    let error = try_login(provider).await.expect_err("refused");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never), "{error}");
    assert!(error.advice().is_some_and(|said| said.contains(advice)), "{error}");
    error
}

#[tokio::test]
async fn a_service_logs_in_by_its_key_and_again_when_the_session_ends() {
    let org = MockOrg::start();
    let app = org.add_app(spec().pre_authorized());
    let client = Client::builder(provider(&org, &app)).build().expect("a client");
    for _ in 0..3 {
        client.check_api_access().await.expect("logged in");
        org.expire_access_tokens();
    }
    assert_eq!(org.grant_requests("jwt-bearer"), 3, "each with an assertion of its own");
    assert_eq!(client.user_info().await.expect("answered").user_id.to_string(), org.user_id());
}

/// Keeps the forms that go out.
#[derive(Debug)]
struct Tap {
    http: Reqwest,
    forms: Mutex<Vec<(Url, Bytes)>>,
}

#[async_trait::async_trait]
impl HttpService for Tap {
    async fn send(&self, request: Request) -> sforce::Result<Response> {
        if let Body::Bytes(form) = &request.body {
            self.forms.lock().expect("unpoisoned").push((request.url.clone(), form.clone()));
        }
        self.http.send(request).await
    }
}

#[tokio::test]
async fn an_assertion_taken_off_the_wire_is_of_no_use() {
    let org = MockOrg::start();
    let app = org.add_app(spec().pre_authorized());
    let tap = Tap { http: Reqwest::new(), forms: Mutex::default() };
    provider(&org, &app).fetch(&tap, None).await.expect("logged in");
    // One that a thief has, and that its owner never sent.
    org.faults().on(Operation::Token).status(503).once();
    provider(&org, &app).fetch(&tap, None).await.expect_err("out of service");
    let forms = std::mem::take(&mut *tap.forms.lock().expect("unpoisoned"));
    let send = async |(url, form): (Url, Bytes)| {
        let mut request = Request::new(Method::POST, url);
        request.headers.insert("content-type", "application/x-www-form-urlencoded".parse().expect("text"));
        request.body = Body::Bytes(form);
        let answer = tap.http.send(request).await.expect("answered");
        (answer.status.as_u16(), String::from_utf8_lossy(&answer.body.collect(9999).await.expect("text")).into_owned())
    };
    let (status, text) = send(forms[0].clone()).await;
    assert!(status == 400 && text.contains("invalid assertion"), "sent before: {text}");
    org.advance(Duration::from_mins(2));
    let (status, text) = send(forms[1].clone()).await;
    assert!(status == 400 && text.contains("expired"), "two minutes later: {text}");
}

#[tokio::test]
async fn a_user_who_approved_the_app_once_needs_no_admin() {
    let org = MockOrg::start();
    let app = org.add_app(spec());
    refused(provider(&org, &app), "pre-authorize the user").await;
    let _refresh_token = org.approve(&app.client_id, &org.user_id(), "api refresh_token");
    try_login(provider(&org, &app)).await.expect("approved");
}

#[tokio::test]
async fn a_sandbox_takes_the_audience_of_sandboxes() {
    let org = MockOrg::builder().sandbox().start();
    let app = org.add_app(spec().pre_authorized());
    let error = refused(provider(&org, &app), "https://test.salesforce.com for sandboxes").await;
    assert!(error.to_string().contains("audience https://login.salesforce.com"), "{error}");
    try_login(provider(&org, &app).audience("https://test.salesforce.com")).await.expect("its audience");
}

#[tokio::test]
async fn each_documented_refusal_has_its_advice() {
    let org = MockOrg::start();
    let app = org.add_app(spec().pre_authorized());
    let nobody = JwtBearer::new(login(&org), "nobody", org.username(), KEY).expect("complete");
    refused(nobody, "check the client id").await;
    let other = JwtBearer::new(login(&org), &app.client_id, org.username(), OTHER_KEY).expect("complete");
    refused(other, "upload the certificate").await;
    let stranger = JwtBearer::new(login(&org), &app.client_id, "nobody@acme.example", KEY).expect("complete");
    refused(stranger, "pre-authorize the user").await;
    let closed = org.add_app(spec().pre_authorized_for(&[]));
    refused(provider(&org, &closed), "Admin approved users are pre-authorized").await;
    org.set_user_active(&org.user_id(), false);
    refused(provider(&org, &app), "the user is deactivated").await;
    org.set_user_active(&org.user_id(), true);
    org.set_org_active(false);
    refused(provider(&org, &app), "closed or locked").await;
    org.set_org_active(true);
    try_login(provider(&org, &app)).await.expect("all is well again");
}

#[tokio::test]
async fn a_clock_that_is_an_hour_off_is_told_with_how_far() {
    let org = MockOrg::start();
    let app = org.add_app(spec().pre_authorized());
    let now = SystemClock::new().now();
    let hour = Duration::from_hours(1);
    let at = |time: SystemTime| provider(&org, &app).clock(ManualClock::new(time));
    refused(at(now + hour), "s ahead of Salesforce's: set it right").await;
    refused(at(now - hour), "s behind Salesforce's: set it right").await;
    for off in [30, 50] {
        try_login(at(now + Duration::from_secs(off))).await.expect("a little ahead is taken");
        try_login(at(now - Duration::from_secs(off))).await.expect("a little behind is taken");
    }
    // A clock that is right, and a refusal all the same: the general advice.
    org.faults().on(Operation::Token).oauth_error("invalid_grant", "expired authorization code").once();
    refused(provider(&org, &app), "check this machine's clock").await;
}

#[tokio::test]
async fn an_outage_is_repeated_with_a_new_assertion() {
    let org = MockOrg::start();
    let app = org.add_app(spec().pre_authorized());
    // The lost answer has used its assertion up.
    org.faults().on(Operation::Token).apply_then_status(503).once();
    let client = Client::builder(provider(&org, &app)).clock(ManualClock::default()).build().expect("a client");
    client.check_api_access().await.expect("the second try");
    assert_eq!(org.grant_requests("jwt-bearer"), 2);
}
