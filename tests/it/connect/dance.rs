//! The dance itself: who may finish what, when, and how often.

use std::time::Duration;

use futures_util::future::join_all;
use sforce::auth::{ConnectError, ConnectFlow, ConnectRequest, LoginHost, Scopes, StaticToken};
use sforce::store::MemoryStore;
use sforce::testing::ManualClock;
use sforce::testing::org::{MockOrg, Operation};
use sforce::{Client, ErrorKind};

use super::{CALLBACK, TENANT, app, approvals, browse, builder, callback, flow, login, parameter, request};
use crate::support::SharedClock;

#[tokio::test]
async fn nav_1_an_org_is_connected_by_the_standard_web_login_and_its_tokens_work() {
    let org = MockOrg::start();
    let flow = flow(&org);
    let authorize = flow.begin(&request(&org).connection("eu")).await.expect("begun");
    let query = authorize.url.query().expect("a query");
    assert_eq!(parameter(query, "code_challenge_method"), "S256");
    assert_eq!(parameter(query, "scope"), "api%20refresh_token");
    let connected = flow.finish(TENANT, &browse(&authorize).await).await.expect("connected");

    assert_eq!(connected.connection, "eu");
    assert_eq!((connected.org_id.to_string(), connected.login), (org.org_id(), login(&org)));
    assert_eq!(connected.user_id.map(|id| id.to_string()), Some(org.user_id()));
    assert_eq!(connected.scopes, Some(Scopes::default()));
    assert!(connected.refresh.is_some());
    let client = Client::builder(StaticToken::new(connected.access)).build().expect("a client");
    client.check_api_access().await.expect("the token works");
    assert_eq!(approvals(&org), 1);
}

#[tokio::test]
async fn a_public_client_connects_without_a_secret() {
    let org = MockOrg::start();
    let app = org.add_app(app().public());
    let flow = ConnectFlow::builder(app.client_id, CALLBACK, MemoryStore::default()).allow_loopback();
    let flow = flow.build().expect("a flow");
    let query = callback(&flow, &org).await;
    flow.finish(TENANT, &query).await.expect("connected");
}

#[tokio::test]
async fn a_person_who_denies_is_told_how_to_go_on_and_the_attempt_is_over() {
    let org = MockOrg::start();
    let flow = flow(&org);
    org.faults().on(Operation::Authorize).oauth_error("access_denied", "end-user denied authorization").once();
    let query = callback(&flow, &org).await;
    let error = flow.finish(TENANT, &query).await.expect_err("denied");
    assert!(matches!(error, ConnectError::Denied), "{error:?}");
    assert!(error.advice().contains("choose Allow"));
    assert!(matches!(flow.finish(TENANT, &query).await, Err(ConnectError::AlreadyUsed)));
    let query = callback(&flow, &org).await;
    flow.finish(TENANT, &query).await.expect("the next click works");
}

#[tokio::test]
async fn dem_24_each_error_of_the_authorize_step_is_its_own_case_with_advice() {
    type Check = fn(&ConnectError) -> bool;
    let cases: [(&str, &str, Check, &str); 9] = [
        ("access-denied", "end-user denied authorization", |e| matches!(e, ConnectError::Denied), "Allow"),
        ("invalid_scope", "not allowed", |e| matches!(e, ConnectError::ScopeNotAllowed(_)), "scopes"),
        ("invalid_client_id", "client identifier invalid", |e| matches!(e, ConnectError::AppUnknown(_)), "10 minutes"),
        ("redirect_uri_mismatch", "must match", |e| matches!(e, ConnectError::RedirectMismatch(_)), "callback URL"),
        ("OAUTH_APP_BLOCKED", "blocked by admin", |e| matches!(e, ConnectError::AppBlocked(_)), "unblock"),
        ("OAUTH_APPROVAL_ERROR_GENERIC", "x", |e| matches!(e, ConnectError::AppBlocked(_)), "install"),
        ("inactive_user", "inactive user", |e| matches!(e, ConnectError::LoginRestricted(_)), "login history"),
        ("invalid_request", "missing required code challenge", |e| matches!(e, ConnectError::PkceRefused(_)), "again"),
        ("immediate_unsuccessful", "x", |e| matches!(e, ConnectError::Refused(_)), "private window"),
    ];
    let org = MockOrg::start();
    let flow = flow(&org);
    for (code, text, check, advice) in cases {
        org.faults().on(Operation::Authorize).oauth_error(code, text).once();
        let query = callback(&flow, &org).await;
        let error = flow.finish(TENANT, &query).await.expect_err(code);
        assert!(check(&error), "{code}: {error:?}");
        assert!(error.advice().contains(advice), "{code}: {}", error.advice());
        assert!(!error.is_repeatable());
        let error = sforce::Error::from(error);
        assert!(error.advice().is_some_and(|said| said.contains(advice)), "{error}");
    }
    assert_eq!(org.token_requests(), 0);
}

#[tokio::test]
async fn of_many_finishes_of_one_callback_one_redeems_the_code() {
    let org = MockOrg::start();
    let flow = flow(&org);
    let query = callback(&flow, &org).await;
    let all = join_all((0..20).map(|_| {
        let (flow, query) = (flow.clone(), query.clone());
        tokio::spawn(async move { flow.finish(TENANT, &query).await })
    }));
    let (mut connected, mut used) = (0, 0);
    for result in all.await {
        match result.expect("no panic") {
            Ok(_) => connected += 1,
            Err(ConnectError::AlreadyUsed) => used += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((connected, used, org.grant_requests("authorization_code")), (1, 19, 1));
}

#[tokio::test]
async fn dem_24_a_stale_tab_is_told_and_the_newest_one_works() {
    let org = MockOrg::start();
    let flow = flow(&org);
    let (old, new) = (callback(&flow, &org).await, callback(&flow, &org).await);
    assert!(matches!(flow.finish(TENANT, &old).await, Err(ConnectError::StaleTab)));
    flow.finish(TENANT, &new).await.expect("the newest");
    let error = flow.finish(TENANT, &old).await.expect_err("still stale");
    assert!(matches!(error, ConnectError::StaleTab), "{error:?}");
    assert!(error.advice().contains("another tab"));
    // Another connection, and another tenant, are attempts of their own.
    let one = browse(&flow.begin(&request(&org).connection("one")).await.expect("begun")).await;
    let two = browse(&flow.begin(&request(&org).connection("two")).await.expect("begun")).await;
    let other = browse(&flow.begin(&ConnectRequest::new("tenant-8", login(&org))).await.expect("begun")).await;
    for (tenant, query, connection) in [(TENANT, one, "one"), (TENANT, two, "two"), ("tenant-8", other, "default")] {
        assert_eq!(flow.finish(tenant, &query).await.expect(connection).connection, connection);
    }
}

#[tokio::test]
async fn a_callback_of_another_tenant_app_or_nobody_is_refused_and_costs_the_owner_nothing() {
    let org = MockOrg::start();
    let store = MemoryStore::default();
    let flow = builder(&org.add_app(app()), store.clone()).build().expect("a flow");
    let query = callback(&flow, &org).await;
    let refused = |result| matches!(result, Err(ConnectError::StateMismatch));
    assert!(refused(flow.finish("tenant-8", &query).await), "a person of another tenant");
    let other_app = builder(&org.add_app(app()), store).build().expect("a flow");
    assert!(refused(other_app.finish(TENANT, &query).await), "the state of another app");
    let state = parameter(&query, "state");
    for forged in ["x".to_owned(), state.to_lowercase(), format!("{state}x"), state[1..].to_owned()] {
        assert!(refused(flow.finish(TENANT, &query.replace(state, &forged)).await), "{forged}");
    }
    let code = parameter(&query, "code");
    let error = flow.finish(TENANT, &format!("code={code}")).await.expect_err("no state");
    assert!(matches!(error, ConnectError::StateMissing));
    assert_eq!(org.token_requests(), 0);
    flow.finish(TENANT, &query).await.expect("the owner connects all the same");
}

#[tokio::test]
async fn a_code_put_into_another_attempt_is_refused_by_its_proof_key() {
    let org = MockOrg::start();
    let flow = flow(&org);
    let own = browse(&flow.begin(&request(&org).connection("one")).await.expect("begun")).await;
    let stolen = browse(&flow.begin(&request(&org).connection("two")).await.expect("begun")).await;
    let injected = own.replace(parameter(&own, "code"), parameter(&stolen, "code"));
    let error = flow.finish(TENANT, &injected).await.expect_err("another attempt's code");
    assert!(matches!(error, ConnectError::PkceRefused(_)), "{error:?}");
}

#[tokio::test]
async fn a_time_limit_is_a_day_at_most_whatever_is_asked_for() {
    let org = MockOrg::start();
    let clock = SharedClock::default();
    let flow = builder(&org.add_app(app()), MemoryStore::default()).clock(clock.clone()).time_limit(Duration::MAX);
    let authorize = flow.build().expect("a flow").begin(&request(&org)).await.expect("begun");
    let left = authorize.expires_at.duration_since(sforce::clock::Clock::now(&clock)).expect("later");
    assert_eq!(left, Duration::from_hours(24));
}

#[tokio::test]
async fn the_time_limit_is_judged_by_the_clock_and_a_clock_an_hour_off_is_told() {
    let org = MockOrg::start();
    let clock = SharedClock::default();
    let (test_app, store) = (org.add_app(app()), MemoryStore::default());
    let flow = builder(&test_app, store.clone()).clock(clock.clone()).build().expect("a flow");

    let query = callback(&flow, &org).await;
    clock.0.advance(Duration::from_mins(15));
    flow.finish(TENANT, &query).await.expect("the last moment");

    let query = callback(&flow, &org).await;
    clock.0.advance(Duration::from_secs(15 * 60 + 1));
    let error = flow.finish(TENANT, &query).await.expect_err("too late");
    assert!(matches!(error, ConnectError::Expired { age } if age == Duration::from_secs(901)), "{error:?}");

    // Another server, whose clock is off.
    for (minutes, fine) in [(4, true), (60, false)] {
        let query = callback(&flow, &org).await;
        let behind = ManualClock::new(sforce::clock::Clock::now(&clock) - Duration::from_mins(minutes));
        let server = builder(&test_app, store.clone()).clock(behind).build().expect("a flow");
        match server.finish(TENANT, &query).await {
            Ok(_) => assert!(fine),
            Err(ConnectError::ClockSkew { ahead }) => assert!(!fine && ahead == Duration::from_hours(1)),
            Err(error) => panic!("{error:?}"),
        }
        // Its refusal has used nothing up.
        if !fine {
            flow.finish(TENANT, &query).await.expect("the server whose clock is right");
        }
    }
}

#[tokio::test]
async fn a_code_that_salesforce_no_longer_takes_is_told() {
    let org = MockOrg::start();
    let flow = flow(&org);
    let query = callback(&flow, &org).await;
    org.advance(Duration::from_mins(16));
    let error = flow.finish(TENANT, &query).await.expect_err("late");
    assert!(matches!(error, ConnectError::CodeExpired(_)), "{error:?}");
    assert_eq!(sforce::Error::from(error).kind(), ErrorKind::Auth);
}

#[tokio::test]
async fn huge_doubled_and_missing_parameters_are_refused_before_anything_is_looked_up() {
    let org = MockOrg::start();
    let flow = flow(&org);
    let query = callback(&flow, &org).await;
    let (code, state) = (parameter(&query, "code").to_owned(), parameter(&query, "state").to_owned());
    for bad in [
        format!("{query}&x={}", "y".repeat(1024 * 1024)),
        format!("{query}&state={state}"),
        format!("{query}&code={code}"),
        format!("{query}&error=access_denied"),
        format!("state={state}"),
        String::new(),
    ] {
        let error = flow.finish(TENANT, &bad).await.expect_err("malformed");
        assert!(matches!(error, ConnectError::Malformed(_)), "{error:?}");
    }
    flow.finish(TENANT, &query).await.expect("the callback itself was not used up");
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_the_start() {
    let build = |id: &str, uri: &str| ConnectFlow::builder(id, uri, MemoryStore::default()).build();
    for uri in ["https://app.example.com/cb", "http://localhost:8080/cb", "http://127.0.0.1/cb", "myapp://callback"] {
        build("id", uri).expect(uri);
    }
    for (id, uri) in
        [("", CALLBACK), ("id", "http://app.example.com/cb"), ("id", "https://a.example/#x"), ("id", "/cb")]
    {
        assert_eq!(build(id, uri).expect_err(uri).kind(), ErrorKind::Config);
    }
    let flow = build("id", CALLBACK).expect("a flow");
    for request in [
        ConnectRequest::new("", LoginHost::production()),
        ConnectRequest::new("t", LoginHost::production()).connection(""),
    ] {
        assert!(matches!(flow.begin(&request).await, Err(ConnectError::Config(_))));
    }
}
