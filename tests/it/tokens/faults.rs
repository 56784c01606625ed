//! Every way a token answer can fail, with rotation on and off, and what becomes of the connection.

use sforce::auth::TokenState;
use sforce::testing::org::{FaultOn, FaultWhen, MockOrg, Operation};
use sforce::{ErrorKind, ReauthReason, Retry};

use super::{call, client, connected};

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// The next call works.
    Alive,
    /// The org says no until a person does something; the tokens stay.
    Held(ErrorKind),
    /// The next call works, and nobody knows which refresh token will.
    Doubtful,
    /// The one kind: the answer with the rotated refresh token is lost.
    Interrupted,
    /// Salesforce has ended it.
    Refused,
}

type Fault = fn(FaultOn<'_>) -> FaultWhen<'_>;

/// Fault, end with rotation, end without.
#[rustfmt::skip]
const FAULTS: &[(&str, Fault, End, End)] = &[
    // Not carried out.
    ("429", |on| on.status(429), End::Alive, End::Alive),
    ("503", |on| on.status(503), End::Alive, End::Alive),
    ("503, a page", |on| on.not_json(), End::Alive, End::Alive),
    ("420", |on| on.status(420), End::Alive, End::Alive),
    ("server_error", |on| on.oauth_error("server_error", ""), End::Alive, End::Alive),
    ("rate limit", |on| on.oauth_error("rate_limit_exceeded", ""), End::Alive, End::Alive),
    // Perhaps carried out, and not: the one more try finds that out.
    ("500", |on| on.status(500), End::Alive, End::Alive),
    ("502", |on| on.status(502), End::Alive, End::Alive),
    ("timed out", |on| on.time_out(), End::Alive, End::Alive),
    ("reset", |on| on.reset(), End::Alive, End::Alive),
    ("504", |on| on.status(504), End::Alive, End::Alive),
    ("408", |on| on.status(408), End::Alive, End::Alive),
    ("temporarily_unavailable", |on| on.oauth_error("temporarily_unavailable", ""), End::Alive, End::Alive),
    // Carried out, and the answer is lost.
    ("500 after, in OAuth's words", |on| on.apply_then_status(500).body(r#"{"error":"server_error"}"#), End::Interrupted, End::Alive),
    ("a huge answer", |on| on.apply_then_status(200).body(&format!("{{\"access_token\":\"{}\"}}", "x".repeat(300_000))), End::Interrupted, End::Alive),
    ("an array", |on| on.apply_then_status(200).body("[]"), End::Interrupted, End::Alive),
    ("a text", |on| on.apply_then_status(200).body("\"token\""), End::Interrupted, End::Alive),
    ("502 after", |on| on.apply_then_status(502), End::Interrupted, End::Alive),
    ("timed out after", |on| on.apply_then_time_out(), End::Interrupted, End::Alive),
    ("reset after", |on| on.apply_then_reset(), End::Interrupted, End::Alive),
    ("cut off", |on| on.truncate(40), End::Interrupted, End::Alive),
    ("cut off, chunked", |on| on.truncate_chunked(40), End::Interrupted, End::Alive),
    ("no body", |on| on.empty_body(), End::Interrupted, End::Alive),
    ("no JSON", |on| on.apply_then_status(200).body("<html>welcome</html>"), End::Interrupted, End::Alive),
    // Carried out, and not to be used; the rotated refresh token in it is kept.
    ("no instance", |on| on.without_member("instance_url"), End::Held(ErrorKind::Decode), End::Held(ErrorKind::Decode)),
    ("foreign host", |on| on.with_member("instance_url", "http://evil.example".into()), End::Held(ErrorKind::Auth), End::Held(ErrorKind::Auth)),
    ("no access token", |on| on.without_member("access_token"), End::Held(ErrorKind::Decode), End::Alive),
    ("blank access token", |on| on.with_member("access_token", "".into()), End::Held(ErrorKind::Auth), End::Held(ErrorKind::Auth)),
    ("no refresh token", |on| on.without_member("refresh_token"), End::Alive, End::Alive),
    ("null refresh token", |on| on.with_member("refresh_token", serde_json::Value::Null), End::Alive, End::Alive),
    ("empty refresh token", |on| on.with_member("refresh_token", "".into()), End::Doubtful, End::Doubtful),
    ("blank refresh token", |on| on.with_member("refresh_token", " \u{0} ".into()), End::Doubtful, End::Doubtful),
    // A person has to do something, and then it goes on.
    ("inactive user", |on| on.oauth_error("invalid_grant", "inactive user"), End::Held(ErrorKind::Auth), End::Held(ErrorKind::Auth)),
    ("inactive org", |on| on.oauth_error("invalid_grant", "inactive organization"), End::Held(ErrorKind::Auth), End::Held(ErrorKind::Auth)),
    ("IP", |on| on.oauth_error("invalid_grant", "ip restricted"), End::Held(ErrorKind::Forbidden), End::Held(ErrorKind::Forbidden)),
    ("hours", |on| on.oauth_error("invalid_grant", "invalid login hours"), End::Held(ErrorKind::Forbidden), End::Held(ErrorKind::Forbidden)),
    ("not verified", |on| on.oauth_error("invalid_grant", "activation secret invalid"), End::Held(ErrorKind::Forbidden), End::Held(ErrorKind::Forbidden)),
    ("inactive_user", |on| on.oauth_error("inactive_user", "user is inactive"), End::Held(ErrorKind::Auth), End::Held(ErrorKind::Auth)),
    ("inactive_org", |on| on.oauth_error("inactive_org", "organization is locked"), End::Held(ErrorKind::Auth), End::Held(ErrorKind::Auth)),
    ("400", |on| on.status(400), End::Held(ErrorKind::Unexpected), End::Held(ErrorKind::Unexpected)),
    ("401", |on| on.status(401), End::Held(ErrorKind::Unexpected), End::Held(ErrorKind::Unexpected)),
    ("403", |on| on.status(403), End::Held(ErrorKind::Unexpected), End::Held(ErrorKind::Unexpected)),
    ("302", |on| on.status(302), End::Held(ErrorKind::Unexpected), End::Held(ErrorKind::Unexpected)),
    ("locked", |on| on.oauth_error("invalid_grant", "authentication failure"), End::Held(ErrorKind::Auth), End::Held(ErrorKind::Auth)),
    ("blocked", |on| on.oauth_error("OAUTH_APP_BLOCKED", "this app is blocked by admin"), End::Held(ErrorKind::Auth), End::Held(ErrorKind::Auth)),
    ("not approved", |on| on.oauth_error("invalid_app_access", "user is not admin approved to access this app"), End::Held(ErrorKind::Auth), End::Held(ErrorKind::Auth)),
    ("secret", |on| on.oauth_error("invalid_client", "invalid client credentials"), End::Held(ErrorKind::Auth), End::Held(ErrorKind::Auth)),
    ("client id", |on| on.oauth_error("invalid_client_id", "client identifier invalid"), End::Held(ErrorKind::Auth), End::Held(ErrorKind::Auth)),
    ("not here", |on| on.status(404), End::Held(ErrorKind::Unexpected), End::Held(ErrorKind::Unexpected)),
    // The token itself.
    ("expired", |on| on.oauth_error("invalid_grant", "expired access/refresh token"), End::Refused, End::Refused),
    ("not approved any more", |on| on.oauth_error("invalid_grant", "user hasn't approved this consumer"), End::Refused, End::Refused),
    ("validity", |on| on.oauth_error("invalid_grant", "token validity expired"), End::Refused, End::Refused),
    ("new words", |on| on.oauth_error("invalid_grant", "words of a later release"), End::Refused, End::Refused),
];

async fn run(name: &str, fault: Fault, rotates: bool, expected: End) {
    let case = format!("{name}, rotation {rotates}");
    let org = MockOrg::builder();
    let org = if rotates { org.rotate_refresh_tokens() } else { org }.start();
    let (manager, store) = connected(&org).await;
    let working = client(&manager);
    call(&working).await.expect("connected");
    org.expire_access_tokens();
    fault(org.faults().on(Operation::Token)).once();
    let before = org.grant_requests("refresh_token");
    let result = call(&working).await;
    let requests = org.grant_requests("refresh_token") - before;
    assert!(requests <= 2, "{case}: {requests} requests");
    let state = manager.state().await.expect("read");
    match expected {
        End::Alive => {
            result.unwrap_or_else(|error| panic!("{case}: {error}"));
            assert!(matches!(state, TokenState::Alive { in_doubt: false, .. }), "{case}: {state:?}");
        }
        End::Doubtful => {
            result.unwrap_or_else(|error| panic!("{case}: {error}"));
            assert!(matches!(state, TokenState::Alive { in_doubt: true, .. }), "{case}: {state:?}");
            // The access token is used to its end, and the refresh token at hand gets one try.
            for _ in 0..5 {
                call(&working).await.unwrap_or_else(|error| panic!("{case}: {error}"));
            }
            org.expire_access_tokens();
            match (call(&working).await, rotates) {
                (Err(error), true) => assert_eq!(error.reauth_reason(), Some(ReauthReason::Interrupted), "{case}"),
                (result, _) => result.unwrap_or_else(|error| panic!("{case}: {error}")),
            }
        }
        End::Held(kind) => {
            let error = result.expect_err(&case);
            assert_eq!((error.kind(), error.retry()), (kind, Retry::Never), "{case}: {error}");
            assert!(matches!(state, TokenState::Alive { in_doubt: false, .. }), "{case}: {state:?}");
            call(&working).await.expect_err("held up for a while");
            assert_eq!(org.grant_requests("refresh_token") - before, 1, "{case}: no storm");
            // Another process, or this one a minute later.
            let other = super::manager(&org, store);
            call(&client(&other)).await.unwrap_or_else(|error| panic!("{case}: {error}"));
        }
        End::Interrupted | End::Refused => {
            let error = result.expect_err(&case);
            let reason = match expected {
                End::Refused => ReauthReason::Refused,
                _ => ReauthReason::Interrupted,
            };
            assert_eq!((error.kind(), error.retry()), (ErrorKind::ReauthRequired, Retry::Never), "{case}: {error}");
            assert_eq!(error.reauth_reason(), Some(reason), "{case}");
            assert_eq!(state, TokenState::Ended(reason), "{case}");
            let requests = org.token_requests();
            call(&working).await.expect_err("ended");
            assert_eq!(org.token_requests(), requests, "{case}: no storm");
        }
    }
    let replays = usize::from(rotates && matches!(expected, End::Interrupted | End::Doubtful));
    assert_eq!(org.refresh_token_replays(), replays, "{case}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_failure_of_a_token_request_has_its_end_and_only_salesforces_word_is_final() {
    for (name, fault, rotating, lasting) in FAULTS {
        run(name, *fault, true, *rotating).await;
        run(name, *fault, false, *lasting).await;
    }
}

#[tokio::test]
async fn an_outage_of_the_token_endpoint_however_long_loses_nothing() {
    let faults: [Fault; 4] = [|on| on.time_out(), |on| on.reset(), |on| on.status(503), |on| on.status(500)];
    for fault in faults {
        let org = super::rotating();
        let (manager, store) = connected(&org).await;
        let working = client(&manager);
        call(&working).await.expect("connected");
        org.expire_access_tokens();
        fault(org.faults().on(Operation::Token)).always();
        for _ in 0..3 {
            let error = call(&working).await.expect_err("out of service");
            assert_ne!(error.kind(), ErrorKind::ReauthRequired, "{error}");
        }
        assert!(org.grant_requests("refresh_token") < 12, "no storm: {}", org.grant_requests("refresh_token"));
        org.faults().clear();
        // A clock of its own: the pause after tries that were cut off takes no time.
        let clock = crate::support::SharedClock::default();
        let patient = super::builder(&org, store).clock(clock.clone()).build().expect("a manager");
        let patient = sforce::Client::builder(patient).clock(clock.clone()).build().expect("a client");
        if let Err(error) = call(&patient).await {
            let Retry::After(Some(pause)) = error.retry() else { panic!("{error}") };
            clock.0.advance(pause);
            call(&patient).await.expect("nothing was lost");
        }
        assert_eq!(org.refresh_token_replays(), 0);
    }
}

#[tokio::test]
async fn a_doubtful_token_is_tried_only_when_the_access_token_has_ended() {
    let org = super::rotating();
    let (_, store) = connected(&org).await;
    let clock = crate::support::SharedClock::default();
    let lifetime = std::time::Duration::from_hours(2);
    let ahead = super::builder(&org, store).lifetime(lifetime).clock(clock.clone()).build().expect("a manager");
    let working = sforce::Client::builder(ahead.clone()).clock(clock.clone()).build().expect("a client");
    call(&working).await.expect("connected");
    // The renewal ahead rotates the refresh token, and its answer is lost. The access token still works.
    clock.0.advance(std::time::Duration::from_mins(115));
    org.faults().on(Operation::Token).apply_then_status(502).once();
    for _ in 0..200 {
        call(&working).await.expect("the access token at hand works");
        tokio::task::yield_now().await;
        clock.0.advance(std::time::Duration::from_mins(1));
    }
    assert!(matches!(ahead.state().await.expect("read"), TokenState::Alive { in_doubt: true, .. }));
    assert_eq!((org.grant_requests("refresh_token"), org.refresh_token_replays()), (2, 0));
    // Now it ends, and the connection with it.
    org.expire_access_tokens();
    let error = call(&working).await.expect_err("the refresh token was spent");
    assert_eq!(error.reauth_reason(), Some(ReauthReason::Interrupted), "{error}");
    assert_eq!((org.grant_requests("refresh_token"), org.refresh_token_replays()), (3, 1));
}

#[tokio::test]
async fn a_body_that_trickles_in_is_given_up_in_time() {
    use axum::body::{Body, Bytes};
    let trickle = || async {
        #[expect(clippy::disallowed_methods, reason = "a slow server")]
        let bytes = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
        });
        Body::from_stream(bytes)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let server = axum::Router::new().fallback(trickle);
    let server = tokio::spawn(async move { axum::serve(listener, server).await });
    let host = sforce::auth::LoginHost::allowing_loopback(&format!("http://{address}")).expect("loopback");
    let manager = sforce::auth::TokenManager::builder(host, "id").refresh_token("5Aep");
    let limit = std::time::Duration::from_millis(300);
    let manager = manager.request_timeout(limit).lease_time(10 * limit).build().expect("a manager");
    let http = sforce::http::Reqwest::new();
    let error = sforce::auth::TokenProvider::fetch(&manager, &http, None).await.expect_err("no end");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Transport, Retry::After(None)), "{error}");
    assert!(matches!(manager.state().await.expect("read"), TokenState::Alive { in_doubt: true, .. }));
    server.abort();
}

#[tokio::test]
async fn an_outage_of_a_day_in_which_every_try_is_cut_off_costs_a_hundred_tries() {
    let org = super::rotating();
    let (_, store) = connected(&org).await;
    let clock = crate::support::SharedClock::default();
    let manager = super::builder(&org, store).clock(clock.clone()).build().expect("a manager");
    let http = sforce::http::Reqwest::new();
    let fetch = async |rejected| sforce::auth::TokenProvider::fetch(&manager, &http, rejected).await;
    let old = fetch(None).await.expect("first token");
    let before = org.grant_requests("refresh_token");
    org.faults().on(Operation::Token).status(500).always();
    for _ in 0..24 * 60 {
        fetch(Some(&old)).await.expect_err("out of service");
        clock.0.advance(std::time::Duration::from_mins(1));
    }
    // At once, after 30 s, 1, 2, 4 and 8 minutes, then every 15.
    let tries = org.grant_requests("refresh_token") - before;
    assert!((95..=102).contains(&tries), "{tries}");
    org.faults().clear();
    clock.0.advance(std::time::Duration::from_mins(15));
    fetch(Some(&old)).await.expect("nothing was lost");
    assert_eq!(org.refresh_token_replays(), 0);
}
