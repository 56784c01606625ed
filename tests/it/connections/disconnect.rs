//! A disconnect that Salesforce does not hear of, and one that meets a renewal.

use std::sync::Arc;
use std::time::Duration;

use sforce::Client;
use sforce::client::RetryPolicy;
use sforce::connections::{Connections, Revoked};
use sforce::store::{Batch, Expect, Store as _};
use sforce::testing::org::Operation;
use sforce::{ErrorKind, ReauthReason};

use super::World;
use crate::support::SharedClock;

#[tokio::test]
async fn nav_42_tokens_that_salesforce_has_not_revoked_are_kept_until_it_has() {
    let world = World::new();
    let registry = world.registry();
    world.connect(&registry, "t1", "default").await.expect("connects");
    world.org.faults().on(Operation::Revoke).status(503).times(3);
    for _ in 0..2 {
        let done = registry.disconnect("t1", "default").await.expect("disconnects");
        let Revoked::No(error) = &done.revoked else { panic!("{:?}", done.revoked) };
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(done.remains().iter().any(|line| line.contains("not revoked the tokens yet")), "{:?}", done.remains());
        assert_eq!(world.approvals(), 1);
    }
    // A connection that is made again has tokens of its own.
    let again = world.connect(&registry, "t1", "default").await.expect("reconnects");
    assert_eq!(world.approvals(), 2);
    assert_eq!(world.registry().revoke_owed().await.expect("asked"), 0, "a job of another process");
    assert_eq!(world.approvals(), 1);
    again.client().check_api_access().await.expect("works");

    world.org.faults().on(Operation::Revoke).status(503).times(2);
    registry.disconnect("t1", "default").await.expect("disconnects");
    registry.forget("t1", "default").await.expect("forgets");
    assert_eq!(world.approvals(), 1, "what is forgotten is still owed");
    let done = registry.revoke_owed().await.expect("asked");
    assert_eq!((done, world.approvals(), world.stored_tokens().await), (0, 0, 0));
    assert_eq!(world.store.scan("connection", None, 10).await.expect("scans").len(), 0, "nothing is left");
}

#[tokio::test]
async fn nav_42_clients_of_other_processes_stop_within_a_minute_even_if_nothing_was_revoked() {
    let world = World::new();
    let clock = SharedClock::default();
    let other = world.builder(Arc::clone(&world.store)).clock(clock.clone()).build().expect("a registry");
    world.connect(&world.registry(), "t1", "default").await.expect("connects");
    let worker = other.get("t1", "default").await.expect("reads").expect("there").client().clone();
    worker.check_api_access().await.expect("works");
    world.org.faults().on(Operation::Revoke).status(503).always();
    world.registry().disconnect("t1", "default").await.expect("disconnects");
    clock.0.advance(Duration::from_secs(30));
    worker.check_api_access().await.expect("has not looked yet");
    clock.0.advance(Duration::from_secs(31));
    let mut error = None;
    for _ in 0..1000 {
        error = worker.check_api_access().await.err();
        if error.is_some() {
            break;
        }
    }
    let error = error.expect("has looked");
    assert_eq!((error.kind(), error.reauth_reason()), (ErrorKind::ReauthRequired, Some(ReauthReason::Disconnected)));
    let requests = world.org.requests().len();
    worker.check_api_access().await.expect_err("stays stopped");
    assert_eq!(world.org.requests().len(), requests);
}

/// A registry whose clients wait little and give up soon.
fn brisk(world: &World) -> Connections {
    let policy = RetryPolicy::default().first_delay(Duration::from_millis(10)).max_delay(Duration::from_millis(20));
    let builder =
        world.builder(Arc::clone(&world.store)).client_settings(move |_, client| client.retry(policy.clone()));
    builder.build().expect("a registry")
}

async fn worker(registry: &Connections) -> Client {
    let client = registry.get("t1", "default").await.expect("reads").expect("there").client().clone();
    client.check_api_access().await.expect("works");
    client
}

#[tokio::test]
async fn a_disconnect_over_a_renewal_that_was_cut_off_says_that_a_token_may_be_left() {
    let world = World::new();
    let registry = brisk(&world);
    world.connect(&registry, "t1", "default").await.expect("connects");
    let worker = worker(&registry).await;
    world.org.expire_access_tokens();
    // Salesforce has rotated, and nobody knows the new token.
    world.org.faults().on(Operation::Token).apply_then_status(502).times(10);
    worker.check_api_access().await.expect_err("cut off");
    world.org.faults().clear();
    let done = world.registry().disconnect("t1", "default").await.expect("disconnects");
    assert!(matches!(done.revoked, Revoked::InDoubt), "{:?}", done.revoked);
    assert!(done.remains().iter().any(|line| line.contains("being renewed")), "{:?}", done.remains());
    let elsewhere = brisk(&world).get("t1", "default").await.expect("reads").expect("there").client().clone();
    for client in [&worker, &elsewhere] {
        let error = client.check_api_access().await.expect_err("ended");
        assert_eq!(error.reauth_reason(), Some(ReauthReason::Disconnected));
    }
    assert_eq!(world.stored_tokens().await, 0);
}

#[tokio::test]
async fn an_access_token_in_use_dies_with_a_disconnect_even_if_the_refresh_token_was_rotated_unseen() {
    let world = World::new();
    let lasting = |registry: &Connections| registry.clone();
    let clock = SharedClock::default();
    let ahead = world.builder(Arc::clone(&world.store)).clock(clock.clone());
    let ahead = ahead.token_settings(|_, tokens| tokens.lifetime(Duration::from_hours(2))).build().expect("a registry");
    world.connect(&lasting(&ahead), "t1", "default").await.expect("connects");
    let (one, two) = (worker(&ahead).await, worker(&brisk(&world)).await);
    // A renewal ahead is cut off after the rotation; the access token of before works on, here and elsewhere.
    world.org.faults().on(Operation::Token).apply_then_status(502).always();
    clock.0.advance(Duration::from_hours(2));
    for _ in 0..1000 {
        one.check_api_access().await.expect("works on");
        if world.org.grant_requests("refresh_token") > 0 {
            break;
        }
    }
    while !matches!(
        ahead.get("t1", "default").await.expect("reads").expect("there").tokens().await.expect("reads"),
        sforce::auth::TokenState::Alive { in_doubt: true, .. }
    ) {
        tokio::task::yield_now().await;
    }
    two.check_api_access().await.expect("works on");
    world.org.faults().clear();
    let done = ahead.disconnect("t1", "default").await.expect("disconnects");
    assert!(matches!(done.revoked, Revoked::InDoubt), "{:?}", done.revoked);
    let error = two.check_api_access().await.expect_err("its access token was revoked");
    assert_eq!(error.reauth_reason(), Some(ReauthReason::Disconnected));
}

#[tokio::test]
async fn tokens_of_a_renewal_that_a_disconnect_overtakes_are_revoked_by_who_gets_them() {
    for same_process in [false, true] {
        let world = World::new();
        let registry = brisk(&world);
        world.connect(&registry, "t1", "default").await.expect("connects");
        let worker = worker(&registry).await;
        world.org.expire_access_tokens();
        let before = world.org.grant_requests("refresh_token");
        world.org.faults().on(Operation::Token).delay(Duration::from_millis(200)).once();
        let ending = if same_process { registry.clone() } else { world.registry() };
        let (renewed, done) = tokio::join!(worker.check_api_access(), async {
            while world.org.grant_requests("refresh_token") == before {
                tokio::task::yield_now().await;
            }
            ending.disconnect("t1", "default").await.expect("disconnects")
        });
        renewed.expect_err("disconnected meanwhile");
        assert!(matches!(done.revoked, Revoked::Yes | Revoked::InDoubt), "{:?}", done.revoked);
        assert_eq!((world.approvals(), world.stored_tokens().await), (0, 0), "same process: {same_process}");
    }
}

#[tokio::test]
async fn a_disconnect_of_tokens_that_cannot_be_read_says_so() {
    for text in ["hunter2", r#"{"format":99,"body":{}}"#] {
        let world = World::new();
        let registry = world.registry();
        world.connect(&registry, "t1", "default").await.expect("connects");
        let key = world.store.scan("connection-tokens/", None, 10).await.expect("scans").remove(0).key;
        assert!(world.store.commit(Batch::new().put(key, text, Expect::Any)).await.expect("put").is_applied());
        let done = registry.disconnect("t1", "default").await.expect("disconnects");
        assert!(matches!(done.revoked, Revoked::InDoubt), "{:?}", done.revoked);
        assert!(done.remains().iter().any(|line| line.contains("could not be read")), "{:?}", done.remains());
    }
}
