//! What is done with tokens besides using them: revoking, introspecting, asking who they are; and where they may go.

use std::time::Duration;

use serde_json::json;
use sforce::auth::{
    AccessToken, HostPolicy, HostUse, LoginHost, Revocation, StaticToken, fetch_identity, introspect, revoke,
};
use sforce::client::RetryPolicy;
use sforce::testing::org::{MockOrg, Operation};
use sforce::types::Secret;
use sforce::{Client, ErrorKind, Retry};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{TENANT, app, approvals, callback, flow, http, login};

#[tokio::test]
async fn revoking_a_refresh_token_ends_all_and_may_be_repeated() {
    let org = MockOrg::start();
    let flow = flow(&org);
    let query = callback(&flow, &org).await;
    let connected = flow.finish(TENANT, &query).await.expect("connected");
    let refresh = connected.refresh.expect("asked for");
    let end = async || revoke(&http(), &connected.login, &refresh).await.expect("answered");
    assert_eq!(end().await, Revocation::Revoked);
    assert_eq!(approvals(&org), 0);
    assert_eq!(end().await, Revocation::AlreadyDead);
    let client = Client::builder(StaticToken::new(connected.access)).build().expect("a client");
    assert_eq!(client.check_api_access().await.expect_err("dead").kind(), ErrorKind::Auth);

    org.faults().on(Operation::Revoke).status(503).once();
    let error = revoke(&http(), &connected.login, &refresh).await.expect_err("out of service");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::After(None)));
    org.faults().on(Operation::Revoke).oauth_error("unsupported_token_type", "not this one").once();
    let error = revoke(&http(), &connected.login, &refresh).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Auth);
}

#[tokio::test]
async fn gpt_17_introspection_tells_how_long_a_session_lasts() {
    let org = MockOrg::start();
    org.set_session_timeout(Duration::from_mins(15));
    let test_app = org.add_app(app());
    let flow = super::builder(&test_app, sforce::store::MemoryStore::default()).build().expect("a flow");
    let query = callback(&flow, &org).await;
    let connected = flow.finish(TENANT, &query).await.expect("connected");
    let secret = Secret::from(test_app.client_secret.as_str());
    let ask = async |token: &Secret, secret: &Secret| {
        introspect(&http(), &connected.login, &test_app.client_id, secret, token).await
    };

    let state = ask(connected.access.secret(), &secret).await.expect("answered");
    assert!(state.active);
    let lifetime = state.expires_at.expect("told").unix_millis() - state.issued_at.expect("told").unix_millis();
    assert_eq!(lifetime, 15 * 60 * 1000);
    assert_eq!(state.username, Some(org.username()));
    assert_eq!(state.scopes.map(|scopes| scopes.to_string()).as_deref(), Some("api refresh_token"));
    assert!(!ask(&Secret::from("nothing"), &secret).await.expect("answered").active);

    let error = ask(connected.access.secret(), &Secret::from("wrong")).await.expect_err("refused");
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert!(error.advice().is_some_and(|advice| advice.contains("client secret")), "{error}");
    org.faults().on(Operation::Introspect).apply_then_status(200).body("<html>").once();
    assert_eq!(ask(connected.access.secret(), &secret).await.expect_err("no JSON").kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn nav_17_the_identity_url_tells_user_and_org_and_a_dead_session_is_no_missing_permission() {
    let org = MockOrg::start();
    let flow = flow(&org);
    let query = callback(&flow, &org).await;
    let token = flow.finish(TENANT, &query).await.expect("connected").access;
    let identity = fetch_identity(&http(), &token).await.expect("answered");
    assert_eq!((identity.user_id.to_string(), identity.organization_id.to_string()), (org.user_id(), org.org_id()));
    assert_eq!(identity.username, Some(org.username()));
    assert_eq!(identity.active, Some(true));

    org.faults().on(Operation::Identity).with_member("organization_id", json!("00D5g00000ABCDEEA5")).once();
    assert_eq!(fetch_identity(&http(), &token).await.expect_err("another org").kind(), ErrorKind::Conflict);
    org.faults().on(Operation::Identity).with_member("user_id", json!("x")).once();
    assert_eq!(fetch_identity(&http(), &token).await.expect_err("no id").kind(), ErrorKind::Decode);
    org.expire_access_tokens();
    let error = fetch_identity(&http(), &token).await.expect_err("dead");
    assert_eq!((error.kind(), error.retry(), error.status()), (ErrorKind::Auth, Retry::Reauthenticate, Some(403)));
    let bare = AccessToken::allowing_loopback("00D!x", &org.base_url()).expect("loopback");
    assert_eq!(fetch_identity(&http(), &bare).await.expect_err("no URL").kind(), ErrorKind::Config);
}

/// A server that sends everybody elsewhere, and the one it sends them to.
async fn redirecting(status: u16) -> (MockServer, MockServer) {
    let (from, to) = (MockServer::start().await, MockServer::start().await);
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string("{}")).mount(&to).await;
    let answer = ResponseTemplate::new(status).insert_header("location", format!("{}/stolen", to.uri()));
    Mock::given(any()).respond_with(answer).mount(&from).await;
    (from, to)
}

#[tokio::test]
async fn a_redirect_takes_neither_token_nor_secret_along() {
    for status in [301, 302, 303, 307, 308] {
        let (from, to) = redirecting(status).await;
        let token = AccessToken::allowing_loopback("00D!token", &from.uri()).expect("loopback");
        let client = Client::builder(StaticToken::new(token)).retry(RetryPolicy::never()).build().expect("a client");
        client.check_api_access().await.expect_err("a redirect is no answer");
        client.user_info().await.expect_err("a redirect is no answer");

        let host = LoginHost::allowing_loopback(&from.uri()).expect("loopback");
        let provider = sforce::auth::ClientCredentials::new(host.clone(), "id", "secret").expect("complete");
        Client::builder(provider).build().expect("a client").access_token().await.expect_err("a redirect");
        revoke(&http(), &host, &Secret::from("token")).await.expect_err("a redirect");
        assert!(from.received_requests().await.expect("recorded").len() >= 4);
        assert!(to.received_requests().await.expect("recorded").is_empty(), "{status}");
    }
}

#[tokio::test]
async fn a_next_page_elsewhere_is_not_asked_for() {
    let org = MockOrg::start();
    for _ in 0..3 {
        org.insert("Account", json!({"Name": "Acme"}));
    }
    let elsewhere = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&elsewhere).await;
    let token = AccessToken::allowing_loopback(org.access_token(), &org.base_url()).expect("loopback");
    let client = Client::builder(StaticToken::new(token)).retry(RetryPolicy::never()).build().expect("a client");
    let host = elsewhere.address();
    for next in [
        format!("{}/services/data/v63.0/query/x", elsewhere.uri()),
        format!("//{host}/services/data/v63.0/query/x"),
        format!("@{host}/services/data/v63.0/query/x"),
        format!(".evil.example:{}/services/", host.port()),
        format!("\\\\{host}/services/"),
    ] {
        let address = next.clone();
        org.faults()
            .on(Operation::Query)
            .edit(move |body| {
                body["done"] = json!(false);
                body["nextRecordsUrl"] = json!(address);
            })
            .once();
        let rows = client.query::<sforce::types::Record>("SELECT Name FROM Account").collect().await;
        rows.expect_err("the next page is not this org's");
    }
    assert!(elsewhere.received_requests().await.expect("recorded").is_empty());
}

#[test]
fn a_token_cannot_be_made_for_a_foreign_host() {
    for host in
        ["https://evil.com", "http://acme.my.salesforce.com", "http://127.0.0.1:1", "https://login.salesforce.com"]
    {
        assert_eq!(AccessToken::new("00D!x", host).expect_err(host).kind(), ErrorKind::Config);
    }
    AccessToken::new("00D!x", "https://acme.my.salesforce.com").expect("an org's own host");
    assert!(AccessToken::allowing_loopback("00D!x", "https://evil.com").is_err());
    // The policy is public, for those who bring addresses of their own.
    HostPolicy::salesforce().check("https://api.deu.pubsub.salesforce.com:7443", HostUse::PubSub).expect("a region");
}

#[tokio::test]
async fn a_login_at_salesforce_is_not_led_to_this_machine() {
    // The opt-in stands with the log-in host, so a real one never leads to a local port.
    for address in ["https://login.salesforce.com", "https://acme.my.salesforce.com"] {
        assert!(!LoginHost::my_domain(address).expect(address).policy().allows_loopback());
    }
    let org = MockOrg::start();
    assert!(login(&org).policy().allows_loopback());
    LoginHost::my_domain(&org.base_url()).expect_err("not without the opt-in");
}

/// Never answers, and keeps what time each request was given.
#[derive(Clone, Debug, Default)]
struct Silent(std::sync::Arc<std::sync::Mutex<Vec<Option<std::time::Duration>>>>);

#[async_trait::async_trait]
impl sforce::http::HttpService for Silent {
    async fn send(&self, request: sforce::http::Request) -> sforce::Result<sforce::http::Response> {
        self.0.lock().expect("unpoisoned").push(request.timeout);
        std::future::pending().await
    }
}

#[tokio::test]
async fn no_flow_waits_for_ever() {
    use std::time::Duration;

    use sforce::auth::{ClientCredentials, JwtBearer, TokenProvider};
    use sforce::{Effect, Retry};

    let org = MockOrg::start();
    let flow = flow(&org);
    let connected = flow.finish(TENANT, &callback(&flow, &org).await).await.expect("connected");
    let (silent, soon) = (Silent::default(), Duration::from_millis(30));
    let key = include_str!("../../fixtures/test-only-rsa-key.pem");
    let credentials = ClientCredentials::new(super::login(&org), "id", "secret").expect("complete");
    let jwt = JwtBearer::new(super::login(&org), "id", "user", key).expect("complete");
    let providers: [Box<dyn TokenProvider>; 2] =
        [Box::new(credentials.request_timeout(soon)), Box::new(jwt.request_timeout(soon))];
    for provider in providers {
        let error = provider.fetch(&silent, None).await.expect_err("nobody answers");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Transport, Retry::After(None)), "{provider:?}");
        assert_eq!(error.effect(), Effect::Unknown);
    }
    // The others have 30 s, which the HTTP service is told too.
    let (login, refresh) = (&connected.login, connected.refresh.as_ref().expect("asked for"));
    let secret = sforce::types::Secret::new("secret");
    let wait = Duration::from_millis(30);
    tokio::time::timeout(wait, revoke(&silent, login, refresh)).await.expect_err("not yet");
    tokio::time::timeout(wait, introspect(&silent, login, "id", &secret, refresh)).await.expect_err("not yet");
    tokio::time::timeout(wait, fetch_identity(&silent, &connected.access)).await.expect_err("not yet");
    let impatient = super::builder(&org.add_app(super::app()), sforce::store::MemoryStore::default());
    let impatient = impatient.http(silent.clone()).request_timeout(soon).build().expect("a flow");
    let query = callback(&impatient, &org).await;
    let error = impatient.finish(TENANT, &query).await.expect_err("nobody answers");
    assert!(matches!(error, sforce::auth::ConnectError::Unavailable { repeatable: false, .. }), "{error:?}");
    let (soon, long) = (Some(soon), Some(Duration::from_secs(30)));
    assert_eq!(*silent.0.lock().expect("unpoisoned"), [soon, soon, long, long, long, soon]);
}
