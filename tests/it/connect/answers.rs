//! What the org answers to the code, and what becomes of the connection.

use serde_json::json;
use sforce::auth::{ConnectError, ConnectFlow, Connected};
use sforce::testing::org::{MockOrg, Operation};
use sforce::types::RecordId;
use sforce::{Effect, ErrorKind, Retry};

use super::{TENANT, app, approvals, browse, builder, callback, flow, login, request};
use crate::support::impatient;
use sforce::store::MemoryStore;

async fn connect(flow: &ConnectFlow, org: &MockOrg) -> Result<Connected, ConnectError> {
    let query = callback(flow, org).await;
    flow.finish(TENANT, &query).await
}

#[tokio::test]
async fn each_documented_refusal_of_a_code_is_its_own_case() {
    type Check = fn(&ConnectError) -> bool;
    let cases: [(&str, &str, Check); 14] = [
        ("invalid_grant", "expired authorization code", |e| matches!(e, ConnectError::CodeExpired(_))),
        ("invalid_grant", "invalid authorization code", |e| matches!(e, ConnectError::CodeExpired(_))),
        ("invalid_request", "invalid code verifier", |e| matches!(e, ConnectError::PkceRefused(_))),
        ("invalid_grant", "missing required code verifier", |e| matches!(e, ConnectError::PkceRefused(_))),
        ("redirect_uri_mismatch", "redirect_uri must match configuration", |e| {
            matches!(e, ConnectError::RedirectMismatch(_))
        }),
        ("invalid_client_id", "client identifier invalid", |e| matches!(e, ConnectError::AppUnknown(_))),
        ("invalid_client", "invalid client credentials", |e| matches!(e, ConnectError::AppSecret(_))),
        ("invalid_app_access", "user is not admin approved", |e| matches!(e, ConnectError::AppBlocked(_))),
        ("invalid_grant", "inactive user", |e| matches!(e, ConnectError::LoginRestricted(_))),
        ("invalid_grant", "inactive organization", |e| matches!(e, ConnectError::LoginRestricted(_))),
        ("invalid_grant", "ip restricted", |e| matches!(e, ConnectError::LoginRestricted(_))),
        ("invalid_grant", "invalid login hours", |e| matches!(e, ConnectError::LoginRestricted(_))),
        ("unsupported_grant_type", "grant type not supported", |e| matches!(e, ConnectError::Refused(_))),
        ("something_new", "x", |e| matches!(e, ConnectError::Refused(_))),
    ];
    let org = MockOrg::start();
    let flow = flow(&org);
    for (code, text, check) in cases {
        org.faults().on(Operation::Token).oauth_error(code, text).once();
        let error = connect(&flow, &org).await.expect_err(code);
        assert!(check(&error), "{code} {text}: {error:?}");
        assert!(!error.is_repeatable() && !error.advice().is_empty());
        let error = sforce::Error::from(error);
        let source = std::error::Error::source(&error).and_then(std::error::Error::source).expect("the org's words");
        let said = source.downcast_ref::<sforce::Error>().expect("ours");
        assert!(said.has_code(code) && said.salesforce()[0].message == text, "{said:?}");
    }
    connect(&flow, &org).await.expect("the next click works");
}

#[tokio::test]
async fn a_wrong_secret_is_told() {
    let org = MockOrg::start();
    let flow = builder(&org.add_app(app()), MemoryStore::default()).client_secret("wrong").build().expect("a flow");
    let error = connect(&flow, &org).await.expect_err("refused");
    assert!(matches!(error, ConnectError::AppSecret(_)), "{error:?}");
}

#[tokio::test]
async fn what_was_not_granted_is_named_and_the_tokens_are_revoked() {
    let org = MockOrg::start();
    let flow = flow(&org);
    for scope in ["api", "refresh_token"] {
        org.withhold_scopes(scope);
        let error = connect(&flow, &org).await.expect_err("not all was granted");
        assert!(matches!(&error, ConnectError::MissingScope { missing } if missing.to_string() == scope), "{error:?}");
        assert!(error.to_string().contains(scope));
    }
    assert!(org.calls(Operation::Revoke) >= 2);
    org.withhold_scopes("");
    // An answer that does not tell its scopes is taken as it is.
    org.faults().on(Operation::Token).without_member("scope").once();
    assert_eq!(connect(&flow, &org).await.expect("connected").scopes, None);
}

#[tokio::test]
async fn another_org_than_the_pinned_one_is_refused_and_its_tokens_are_revoked() {
    let org = MockOrg::start();
    let flow = flow(&org);
    let connect_to = async |id: &str| {
        let request = request(&org).expect_org(RecordId::new(id).expect("an id")).ask_to_log_in();
        let query = browse(&flow.begin(&request).await.expect("begun")).await;
        flow.finish(TENANT, &query).await
    };
    let error = connect_to("00D5g00000ABCDE").await.expect_err("another org");
    assert!(matches!(error, ConnectError::WrongOrg { found, .. } if found.to_string() == org.org_id()), "{error:?}");
    assert!(error.advice().contains("another org"));
    assert_eq!(approvals(&org), 0, "nobody holds these tokens");
    connect_to(&org.org_id()).await.expect("smv_5: the same flow connects again later");
}

#[tokio::test]
async fn an_answer_that_is_no_token_answer_is_told() {
    let org = MockOrg::start();
    let flow = flow(&org);
    let bad = |result| matches!(result, Err(ConnectError::BadAnswer(_)));
    org.faults().on(Operation::Token).apply_then_status(200).body("<html>Welcome</html>").once();
    assert!(bad(connect(&flow, &org).await), "not JSON");
    org.faults().on(Operation::Token).empty_body().once();
    assert!(bad(connect(&flow, &org).await), "empty");
    for member in ["access_token", "instance_url"] {
        org.faults().on(Operation::Token).without_member(member).once();
        let before = approvals(&org);
        let error = connect(&flow, &org).await.expect_err(member);
        let source = std::error::Error::source(&error).expect("a source").to_string();
        assert!(matches!(error, ConnectError::BadAnswer(_)) && source.contains(member), "{source}");
        assert_eq!(approvals(&org), before, "its tokens are revoked");
    }
    for (member, value) in [("access_token", json!("")), ("access_token", json!("a b")), ("access_token", json!(7))] {
        org.faults().on(Operation::Token).with_member(member, value).once();
        let before = approvals(&org);
        assert!(bad(connect(&flow, &org).await), "{member}");
        assert_eq!(approvals(&org), before, "its tokens are revoked");
    }
    org.faults()
        .on(Operation::Token)
        .with_member("id", json!(format!("{}/id/00D5g00000ABCDE/x", org.base_url())))
        .once();
    assert!(bad(connect(&flow, &org).await), "two orgs");
    // Without the identity URL the token itself names the org.
    org.faults().on(Operation::Token).without_member("id").once();
    assert_eq!(connect(&flow, &org).await.expect("connected").org_id.to_string(), org.org_id());
}

#[tokio::test]
async fn an_answer_that_names_a_foreign_host_is_refused() {
    let org = MockOrg::start();
    let flow = flow(&org);
    for (member, value) in [
        ("instance_url", "https://evil.com"),
        ("instance_url", "https://evil-salesforce.com"),
        ("instance_url", "https://acme.my.salesforce.com@evil.com"),
        ("instance_url", "http://acme.my.salesforce.com"),
        ("instance_url", "//evil.com"),
        ("id", "https://evil.com/id/00D5g00000ABCDE/x"),
    ] {
        org.faults().on(Operation::Token).with_member(member, json!(value)).once();
        let error = connect(&flow, &org).await.expect_err(value);
        assert!(matches!(error, ConnectError::ForeignHost(_)), "{value}: {error:?}");
        assert_eq!(approvals(&org), 0, "its tokens are revoked");
    }
}

#[tokio::test]
async fn salesforce_being_out_of_service_costs_no_click_where_the_code_was_surely_not_redeemed() {
    let org = MockOrg::start();
    let flow = flow(&org);
    for status in [503, 429] {
        let query = callback(&flow, &org).await;
        org.faults().on(Operation::Token).status(status).times(2);
        for _ in 0..2 {
            let error = flow.finish(TENANT, &query).await.expect_err("out of service");
            assert!(matches!(error, ConnectError::Unavailable { repeatable: true, .. }), "{error:?}");
            assert_eq!(sforce::Error::from(error).retry(), Retry::After(None));
        }
        flow.finish(TENANT, &query).await.expect("the same callback again");
    }
}

#[tokio::test]
async fn a_lost_answer_costs_a_click_and_never_a_second_exchange() {
    let org = MockOrg::start();
    let test_app = org.add_app(app());
    let flow = builder(&test_app, MemoryStore::default()).http(impatient()).build().expect("a flow");
    let faults: [fn(&MockOrg); 5] = [
        |org| org.faults().on(Operation::Token).apply_then_reset().once(),
        |org| org.faults().on(Operation::Token).apply_then_time_out().once(),
        |org| org.faults().on(Operation::Token).truncate(20).once(),
        |org| org.faults().on(Operation::Token).apply_then_status(500).once(),
        |org| org.faults().on(Operation::Token).apply_then_status(502).body("<html>Bad Gateway").once(),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let before = org.grant_requests("authorization_code");
        let query = callback(&flow, &org).await;
        fault(&org);
        let error = flow.finish(TENANT, &query).await.expect_err("no answer");
        assert!(matches!(error, ConnectError::Unavailable { repeatable: false, .. }), "{number}: {error:?}");
        assert!(matches!(flow.finish(TENANT, &query).await, Err(ConnectError::AlreadyUsed)), "{number}");
        assert_eq!(org.grant_requests("authorization_code") - before, 1, "{number}");
    }
    connect(&flow, &org).await.expect("the next click works");
}

#[tokio::test]
async fn a_host_that_nobody_answers_at_leaves_the_callback_good() {
    let (gone, org) = (MockOrg::start(), MockOrg::start());
    let flow = flow(&gone);
    let query = callback(&flow, &gone).await;
    let host = login(&gone);
    drop(gone);
    let error = flow.finish(TENANT, &query).await.expect_err("nobody is there");
    let ConnectError::Unavailable { repeatable: true, source } = &error else { panic!("{error:?}") };
    assert_eq!((source.kind(), source.effect()), (ErrorKind::Transport, Effect::None));
    assert!(source.to_string().contains(&host.to_string()), "{source}");
    drop(org);
}

#[tokio::test]
async fn a_server_that_dies_between_claim_and_answer_costs_a_click_and_never_a_second_exchange() {
    let org = MockOrg::start();
    let flow = flow(&org);
    let query = callback(&flow, &org).await;
    org.faults().on(Operation::Token).apply_then_time_out().once();
    let finishing = tokio::spawn({
        let (flow, query) = (flow.clone(), query.clone());
        async move { flow.finish(TENANT, &query).await }
    });
    while org.grant_requests("authorization_code") == 0 {
        tokio::task::yield_now().await;
    }
    finishing.abort();
    assert!(finishing.await.expect_err("dropped").is_cancelled());
    assert!(matches!(flow.finish(TENANT, &query).await, Err(ConnectError::AlreadyUsed)));
    assert_eq!(org.grant_requests("authorization_code"), 1);
    connect(&flow, &org).await.expect("the next click works");
}
