//! One process: tasks, restarts, instances that move, renewing ahead, connections that end.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use sforce::auth::{Grant, LoginHost, TokenManager, TokenProvider, TokenState};
use sforce::http::Reqwest;
use sforce::store::{EncryptedStore, MemoryStore, Store};
use sforce::testing::ManualClock;
use sforce::testing::org::{LoginRestriction, MockOrg, Operation};
use sforce::{Client, ErrorKind, ReauthReason, Retry};

use super::{builder, call, client, connected, key, manager, rotating};
use crate::connect;
use crate::stores::encrypted::keyring;
use crate::support::SharedClock;

fn refreshes(org: &MockOrg) -> usize {
    org.grant_requests("refresh_token")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nav_37_a_thousand_requests_with_an_expired_token_redeem_one_refresh_token() {
    let org = rotating();
    let (manager, _) = connected(&org).await;
    let client = client(&manager);
    call(&client).await.expect("connected");
    org.expire_access_tokens();
    let before = refreshes(&org);
    let calls = (0..1000).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { call(&client).await })
    });
    for done in join_all(calls).await {
        done.expect("no panic").expect("no request fails");
    }
    assert_eq!(refreshes(&org) - before, 1);
    assert_eq!(org.refresh_token_replays(), 0);
}

#[tokio::test]
async fn clients_of_one_manager_and_managers_of_one_store_renew_once() {
    let org = rotating();
    let (first, store) = connected(&org).await;
    let clients: Vec<Client> = (0..20)
        .map(|index| match index % 2 {
            0 => client(&first),
            _ => client(&manager(&org, Arc::clone(&store))),
        })
        .collect();
    for round in 1..=3 {
        for done in join_all(clients.iter().map(call)).await {
            done.expect("no request fails");
        }
        assert_eq!(refreshes(&org), round);
        org.expire_access_tokens();
    }
    assert_eq!(org.refresh_token_replays(), 0);
}

#[tokio::test]
async fn a_stored_refresh_token_is_enough_to_start_and_a_stored_access_token_costs_no_request() {
    let org = rotating();
    let store = Arc::new(EncryptedStore::new(MemoryStore::default(), keyring()));
    let seeded = || builder(&org, Arc::clone(&store)).refresh_token(org.refresh_token()).build().expect("a manager");
    let spent = org.refresh_token();
    for _ in 0..3 {
        // As after a restart. What is stored is newer than the token of the settings.
        let manager = builder(&org, Arc::clone(&store)).refresh_token(spent.clone()).build().expect("a manager");
        call(&client(&manager)).await.expect("works");
        assert_eq!(refreshes(&org), 1);
    }
    org.expire_access_tokens();
    call(&client(&seeded())).await.expect("renewed with the rotated token");
    assert_eq!((refreshes(&org), org.refresh_token_replays()), (2, 0));
}

#[tokio::test]
async fn what_the_connect_dance_has_brought_keeps_going() {
    let org = MockOrg::start();
    let app = org.add_app(connect::app().rotate_refresh_tokens());
    let flow = connect::builder(&app, MemoryStore::default()).build().expect("a flow");
    let connected = flow.finish(connect::TENANT, &connect::callback(&flow, &org).await).await.expect("connected");
    let store = Arc::new(MemoryStore::default());
    let of = || {
        let manager = TokenManager::builder(connected.login.clone(), app.client_id.clone());
        let manager = manager.client_secret(app.client_secret.as_str()).store(Arc::clone(&store), key());
        manager.build().expect("a manager")
    };
    of().connect(&Grant::from_connected(&connected).expect("a refresh token")).await.expect("stored");
    for _ in 0..3 {
        call(&client(&of())).await.expect("works");
        org.expire_access_tokens();
    }
    assert_eq!((refreshes(&org), org.refresh_token_replays()), (2, 0), "the first access token came with the grant");
    let TokenState::Alive { scopes, obtained_at, .. } = of().state().await.expect("read") else { panic!("alive") };
    assert_eq!(scopes.map(|scopes| scopes.to_string()).as_deref(), Some("api refresh_token"));
    assert!(obtained_at.is_some());
    // Purged here, so that no process renews it any more; then revoked at Salesforce.
    let purged = of().disconnect().await.expect("stored");
    let http = Reqwest::new();
    assert!(purged.refresh_token.is_some() && purged.access_token.is_some() && !purged.in_doubt);
    assert!(purged.revoke(&http, &connected.login).await.expect("answered"), "nothing works any more");
    assert!(of().disconnect().await.expect("stored").is_empty(), "nothing is left");
}

#[tokio::test]
async fn an_adopted_token_that_has_died_meanwhile_is_renewed_all_the_same() {
    let org = rotating();
    let (one, store) = connected(&org).await;
    let other = client(&manager(&org, store));
    call(&other).await.expect("first token");
    org.expire_access_tokens();
    call(&client(&one)).await.expect("second token, by another process");
    org.expire_access_tokens();
    // 401 for the first token, 401 for the second, which it adopts, and then the third.
    call(&other).await.expect("third token");
    assert_eq!((refreshes(&org), org.refresh_token_replays()), (3, 0));
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_too_does_not_loop() {
    let org = rotating();
    let (manager, _) = connected(&org).await;
    let client = client(&manager);
    call(&client).await.expect("connected");
    org.faults().on(Operation::Resources).error(401, "INVALID_SESSION_ID", "Session expired or invalid").always();
    let before = refreshes(&org);
    let error = call(&client).await.expect_err("refused twice");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never));
    assert_eq!(refreshes(&org) - before, 1, "at most one renewal per request");
}

#[tokio::test]
async fn a_401_that_a_new_token_would_not_mend_renews_nothing() {
    let org = rotating();
    let (manager, _) = connected(&org).await;
    let client = client(&manager);
    call(&client).await.expect("connected");
    let before = refreshes(&org);
    for text in ["This session is not valid for use with the REST API", "Connected app is not attached to Agent"] {
        org.faults().on(Operation::Resources).error(401, "INVALID_SESSION_ID", text).once();
        let error = call(&client).await.expect_err("refused");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Forbidden, Retry::Never), "{text}");
        assert!(error.advice().is_some(), "{text}");
    }
    assert_eq!(refreshes(&org), before);
}

#[tokio::test]
async fn an_instance_that_has_moved_is_followed_and_stored() {
    let org = rotating();
    let (one, store) = connected(&org).await;
    let client = client(&one);
    call(&client).await.expect("connected");
    let moved = org.move_instance().expect("a port");
    call(&client).await.expect("sent again to the new instance");
    let token = client.access_token().await.expect("at hand");
    assert_eq!(token.instance_url().as_str().trim_end_matches('/'), moved);
    let restarted = manager(&org, store).fetch(&Reqwest::new(), None).await.expect("stored");
    assert_eq!(restarted.instance_url(), token.instance_url());
}

#[tokio::test]
async fn nav_38_a_revoked_connection_stops_every_process_at_once_without_a_storm() {
    let org = rotating();
    let (one, store) = connected(&org).await;
    call(&client(&one)).await.expect("connected");
    org.revoke_refresh_token();
    org.expire_access_tokens();
    let error = call(&client(&one)).await.expect_err("revoked");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::ReauthRequired, Retry::Never));
    assert_eq!(error.reauth_reason(), Some(ReauthReason::Refused));
    assert!(error.has_code("invalid_grant"), "{error:?}");
    let before = org.token_requests();
    for _ in 0..20 {
        let other = manager(&org, Arc::clone(&store));
        let error = call(&client(&other)).await.expect_err("ended");
        assert_eq!(error.reauth_reason(), Some(ReauthReason::Refused));
        assert!(error.has_code("invalid_grant"), "what Salesforce said is stored: {error:?}");
    }
    assert_eq!(org.token_requests(), before, "nobody asks again");
    assert_eq!(one.state().await.expect("read"), TokenState::Ended(ReauthReason::Refused));

    // A new consent revives it, also in the clients that have seen the end.
    one.connect(&Grant::new(org.approve(&org.client_id(), &org.user_id(), "api refresh_token"))).await.expect("stored");
    call(&client(&one)).await.expect("alive");
    assert!(matches!(one.state().await.expect("read"), TokenState::Alive { in_doubt: false, .. }));
}

#[tokio::test]
async fn smv_47_disconnecting_purges_the_tokens_and_stops_the_work() {
    let org = rotating();
    let (one, store) = connected(&org).await;
    call(&client(&one)).await.expect("connected");
    let other = manager(&org, Arc::clone(&store));
    let revocable = other.disconnect().await.expect("stored").refresh_token.expect("there was one");
    let entry = store.get(&[key()]).await.expect("read").remove(0).expect("its end is stored");
    let text = String::from_utf8(entry.value.to_vec()).expect("JSON");
    assert!(!text.contains(revocable.expose()) && !text.contains("!AQ"), "{text}");
    let error = call(&client(&one)).await.expect_err("disconnected");
    assert_eq!(error.reauth_reason(), Some(ReauthReason::Disconnected));
}

#[tokio::test]
async fn gpt_16_what_holds_logins_up_loses_nothing_and_is_tried_every_minute() {
    for (restriction, kind) in [
        (LoginRestriction::IpRange, ErrorKind::Forbidden),
        (LoginRestriction::LoginHours, ErrorKind::Forbidden),
        (LoginRestriction::NotVerified, ErrorKind::Forbidden),
        (LoginRestriction::Locked, ErrorKind::Auth),
    ] {
        let org = rotating();
        let (_, store) = connected(&org).await;
        let clock = SharedClock::default();
        let one = builder(&org, store).clock(clock.clone()).build().expect("a manager");
        let working = Client::builder(one.clone()).clock(clock.clone()).build().expect("a client");
        call(&working).await.expect("connected");
        org.restrict_logins(Some(restriction));
        call(&working).await.expect("the access token at hand works");
        org.expire_access_tokens();
        for minute in 0..5 {
            for _ in 0..5 {
                let error = call(&working).await.expect_err("held up");
                assert_eq!((error.kind(), error.retry()), (kind, Retry::Never), "{restriction:?}: {error}");
            }
            assert_eq!(refreshes(&org), 2 + minute, "{restriction:?}");
            clock.0.advance(Duration::from_mins(1));
        }
        assert!(matches!(one.state().await.expect("read"), TokenState::Alive { in_doubt: false, .. }));
        org.restrict_logins(None);
        call(&working).await.expect("goes on");
        assert_eq!(org.refresh_token_replays(), 0);
    }
}

#[tokio::test]
async fn an_org_that_was_never_connected_says_so() {
    let org = rotating();
    let error = call(&client(&manager(&org, MemoryStore::default()))).await.expect_err("nothing stored");
    assert_eq!((error.kind(), error.reauth_reason()), (ErrorKind::ReauthRequired, Some(ReauthReason::NotConnected)));
    assert_eq!(org.token_requests(), 0);
}

/// Lifetime of two hours, on a clock that the test moves; `off` is how wrong it is.
fn with_lifetime(org: &MockOrg, store: Arc<MemoryStore>, clock: &SharedClock) -> TokenManager {
    builder(org, store).lifetime(Duration::from_hours(2)).clock(clock.clone()).build().expect("a manager")
}

async fn until(reached: impl Fn() -> bool) {
    for _ in 0..500 {
        if reached() {
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "waits for a task of the client")]
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came");
}

#[tokio::test]
async fn gpt_19_an_old_token_is_renewed_in_the_background_while_it_is_used() {
    let org = rotating();
    let (_, store) = connected(&org).await;
    let clock = SharedClock::default();
    let client = Client::builder(with_lifetime(&org, store, &clock)).clock(clock.clone()).build().expect("a client");
    call(&client).await.expect("connected");
    let old = client.access_token().await.expect("at hand");
    clock.0.advance(Duration::from_mins(89));
    call(&client).await.expect("young enough");
    assert_eq!(refreshes(&org), 1);
    clock.0.advance(Duration::from_mins(20));
    // The token endpoint is slow, and nobody waits for it.
    org.faults().on(Operation::Token).delay(Duration::from_millis(150)).once();
    for _ in 0..20 {
        call(&client).await.expect("the old token works");
        assert_eq!(client.access_token().await.expect("at hand"), old);
    }
    until(|| refreshes(&org) == 2).await;
    let before = org.calls(Operation::Token);
    for _ in 0..500 {
        if client.access_token().await.expect("at hand") != old {
            break;
        }
        #[expect(clippy::disallowed_methods, reason = "waits for a task of the client")]
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_ne!(client.access_token().await.expect("at hand"), old);
    call(&client).await.expect("the new one");
    assert_eq!(org.calls(Operation::Token), before);
}

#[tokio::test]
async fn a_failed_renewal_ahead_costs_nothing() {
    let org = rotating();
    let (_, store) = connected(&org).await;
    let clock = SharedClock::default();
    let client = Client::builder(with_lifetime(&org, store, &clock)).clock(clock.clone()).build().expect("a client");
    call(&client).await.expect("connected");
    clock.0.advance(Duration::from_mins(119));
    org.faults().on(Operation::Token).status(503).always();
    for _ in 0..50 {
        call(&client).await.expect("the old token works");
    }
    until(|| refreshes(&org) == 2).await;
    for _ in 0..50 {
        call(&client).await.expect("the old token works");
    }
    assert_eq!(refreshes(&org), 2, "it is not tried all the time");
    org.faults().clear();
    clock.0.advance(Duration::from_mins(1));
    call(&client).await.expect("the old token works");
    until(|| refreshes(&org) == 3).await;
}

#[tokio::test]
async fn a_clock_that_is_an_hour_off_breaks_nothing() {
    let right = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 56);
    let hour = Duration::from_hours(1);
    for wrong in [right - hour, right + hour] {
        let org = rotating();
        let (_, store) = connected(&org).await;
        let clock = |now| SharedClock(Arc::new(ManualClock::new(now)));
        let (good, bad) = (clock(right), clock(wrong));
        // Renewing ahead of 30 minutes: to the fast clock every token of the other looks an hour old.
        let of = |clock: &SharedClock| {
            let manager = builder(&org, Arc::clone(&store)).lifetime(Duration::from_mins(30)).clock(clock.clone());
            Client::builder(manager.build().expect("a manager")).clock(clock.clone()).build().expect("a client")
        };
        let (one, other) = (of(&good), of(&bad));
        for minutes in 0..120 {
            for (client, clock) in [(&one, &good), (&other, &bad)] {
                call(client).await.expect("works");
                tokio::task::yield_now().await;
                clock.0.advance(Duration::from_mins(1));
            }
            if minutes == 60 {
                org.expire_access_tokens();
            }
        }
        assert!(refreshes(&org) <= 16, "two hours, half an hour each: {}", refreshes(&org));
        assert_eq!(org.refresh_token_replays(), 0);
    }
}

#[tokio::test]
async fn a_renewal_outlives_the_callers_that_asked_for_it() {
    let org = rotating();
    let (manager, store) = connected(&org).await;
    let client = client(&manager);
    call(&client).await.expect("connected");
    org.expire_access_tokens();
    let before = refreshes(&org);
    org.faults().on(Operation::Token).delay(Duration::from_millis(200)).once();
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await })
        })
        .collect();
    until(|| refreshes(&org) > before).await;
    for caller in callers {
        caller.abort();
    }
    let other = super::manager(&org, store);
    call(&super::client(&other)).await.expect("finds what the dropped callers' renewal has stored");
    assert_eq!((refreshes(&org) - before, org.refresh_token_replays()), (1, 0));
}

#[tokio::test]
async fn a_fetch_that_is_dropped_in_the_middle_is_a_cut_off_renewal_and_nothing_worse() {
    let org = rotating();
    let (manager, _) = connected(&org).await;
    let http = Reqwest::new();
    let old = manager.fetch(&http, None).await.expect("first token");
    // Used outside of a client, without a task of its own, and dropped before the request has arrived.
    org.faults().on(Operation::Token).time_out().once();
    let fetch = manager.fetch(&http, Some(&old));
    tokio::time::timeout(Duration::from_millis(50), fetch).await.expect_err("dropped");
    assert!(manager.fetch(&http, None).await.is_ok_and(|token| token == old), "the token at hand is used to its end");
    assert!(matches!(manager.state().await.expect("read"), TokenState::Alive { in_doubt: true, .. }));
    manager.fetch(&http, Some(&old)).await.expect("the one more try");
    assert!(matches!(manager.state().await.expect("read"), TokenState::Alive { in_doubt: false, .. }));
}

#[test]
fn settings_that_would_harm_are_refused() {
    let host = || LoginHost::my_domain("acme.my.salesforce.com").expect("a My Domain");
    let lease = TokenManager::builder(host(), "id").lease_time(Duration::from_secs(30)).build();
    let id = TokenManager::builder(host(), "").build();
    let email = sforce::store::Key::new("tokens/ada@example.com").expect("short");
    let key = TokenManager::builder(host(), "id").store(MemoryStore::default(), email).build();
    for refused in [lease, id, key] {
        assert_eq!(refused.expect_err("refused").kind(), ErrorKind::Config);
    }
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let org = rotating();
    let seeded = builder(&org, MemoryStore::default()).refresh_token("hunter2");
    let grant = Grant::new("hunter2");
    let settings = format!("{seeded:?} {grant:?}");
    let shown = format!("{settings} {:?}", seeded.build().expect("a manager"));
    assert!(!shown.contains("hunter2") && !shown.contains(&org.client_secret()), "{shown}");
}
