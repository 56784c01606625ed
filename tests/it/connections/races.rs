//! Two hands at one connection at once.

use std::sync::{Arc, Mutex};

use serde_json::json;
use sforce::auth::{ConnectError, ConnectRequest, LoginHost};
use sforce::connections::{ConnectionStatus, Connections};
use sforce::store::{Batch, Expect, Store as _};
use sforce::testing::org::{MockOrg, Operation};
use sforce::{Client, ErrorKind, ReauthReason};

use super::moody::Moody;
use super::{World, browse, product};

/// Another org that has the app, and a process over the same store.
struct Other {
    org: MockOrg,
    client_id: String,
    registry: Connections,
}

impl Other {
    fn beside(world: &World) -> Self {
        let org = MockOrg::builder().number(2).start();
        org.install_app(product(), &world.app);
        Self { org, client_id: world.app.client_id.clone(), registry: world.registry() }
    }

    fn request(&self) -> ConnectRequest {
        ConnectRequest::new("t1", LoginHost::allowing_loopback(&self.org.base_url()).expect("loopback"))
    }

    fn approvals(&self) -> usize {
        self.org.approvals().iter().filter(|one| one.client_id == self.client_id).count()
    }
}

#[tokio::test]
async fn two_callbacks_of_a_new_connection_never_mix_the_tokens_of_two_orgs() {
    let world = World::new();
    let other = Other::beside(&world);
    let store = Moody::over(&world.store);
    let registry = world.builder(store.clone()).build().expect("a registry");
    let begun = registry.begin(world.request("t1", "default")).await.expect("begun");
    let query = world.callback(begun.url.as_str()).await;
    // A whole connect of another org, after the claim of the first and before its connection is stored.
    let (second, request) = (other.registry.clone(), other.request());
    store.before_commit(1, async move {
        let begun = second.begin(request).await.expect("begun");
        second.finish("t1", &browse(begun.url.as_str()).await).await.expect("the other org is first");
    });
    let error = registry.finish("t1", &query).await.expect_err("the other org was first");
    assert!(matches!(error, ConnectError::WrongOrg { .. }), "{error:?}");
    assert_eq!((world.approvals(), other.approvals()), (0, 1), "the loser's tokens are revoked");
    let connection = other.registry.get("t1", "default").await.expect("reads").expect("there");
    assert_eq!(connection.info().org_id.as_str(), other.org.org_id());
    for _ in 0..2 {
        connection.client().check_api_access().await.expect("its own tokens");
        other.org.expire_access_tokens();
    }
    assert_eq!(connection.identify().await.expect("identifies").org_id.as_str(), other.org.org_id());
}

#[tokio::test]
async fn nobody_gets_a_client_of_the_org_that_was_connected_before_under_the_same_id() {
    let world = World::new();
    let (one, two) = (world.registry(), world.registry());
    world.connect(&one, "t1", "default").await.expect("connects");
    let former = two.get("t1", "default").await.expect("reads").expect("there").client().clone();
    former.check_api_access().await.expect("works");
    one.disconnect("t1", "default").await.expect("disconnects");
    one.forget("t1", "default").await.expect("forgets");

    let other = Other::beside(&world);
    let begun = other.registry.begin(other.request()).await.expect("begun");
    let query = browse(begun.url.as_str()).await;
    other.registry.finish("t1", &query).await.expect("connects another org");
    let connection = two.get("t1", "default").await.expect("reads").expect("there");
    let (calls, theirs) = (world.org.requests().len(), other.org.requests().len());
    connection.client().check_api_access().await.expect("with the tokens of the new org");
    assert_eq!((world.org.requests().len(), other.org.requests().len()), (calls, theirs + 1), "the new org is asked");
    let error = former.check_api_access().await.expect_err("its tokens are gone");
    assert_eq!(error.kind(), ErrorKind::ReauthRequired);
    assert_eq!(other.org.requests().len(), theirs + 1, "and it never gets those of another org");
}

#[tokio::test]
async fn a_reconnect_and_a_disconnect_at_once_end_as_the_later_one_says() {
    // A reconnect comes between the reads of a disconnect and its commit.
    let world = World::new();
    world.connect(&world.registry(), "t1", "default").await.expect("connects");
    let store = Moody::over(&world.store);
    let (registry, second) = (world.builder(store.clone()).build().expect("a registry"), world.registry());
    let begun = second.begin(world.request("t1", "default")).await.expect("begun");
    let query = world.callback(begun.url.as_str()).await;
    store.before_commit(0, async move { drop(second.finish("t1", &query).await.expect("reconnects")) });
    registry.disconnect("t1", "default").await.expect("disconnects");
    assert_eq!(registry.status("t1", "default").await.expect("reads"), ConnectionStatus::Disconnected);
    assert_eq!((world.approvals(), world.stored_tokens().await), (0, 0));

    // And the other way round.
    let (begun, second) = (registry.begin(world.request("t1", "default")).await.expect("begun"), world.registry());
    let query = world.callback(begun.url.as_str()).await;
    registry.finish("t1", &query).await.expect("reconnects");
    let begun = registry.begin(world.request("t1", "default")).await.expect("begun");
    let query = world.callback(begun.url.as_str()).await;
    store.before_commit(1, async move { drop(second.disconnect("t1", "default").await.expect("disconnects")) });
    let connection = registry.finish("t1", &query).await.expect("reconnects");
    assert_eq!(registry.status("t1", "default").await.expect("reads"), ConnectionStatus::Connected);
    connection.client().check_api_access().await.expect("works");
    assert_eq!(world.approvals(), 1);
}

#[tokio::test]
async fn a_client_that_is_asked_for_during_a_disconnect_is_stopped_too() {
    let world = World::new();
    let store = Moody::over(&world.store);
    let registry = world.builder(store.clone()).build().expect("a registry");
    world.connect(&registry, "t1", "default").await.expect("connects");
    let late: Arc<Mutex<Option<Client>>> = Arc::default();
    let (asking, kept) = (registry.clone(), Arc::clone(&late));
    store.before_commit(0, async move {
        let client = asking.get("t1", "default").await.expect("reads").expect("there").client().clone();
        client.check_api_access().await.expect("still connected");
        *kept.lock().expect("not poisoned") = Some(client);
    });
    registry.disconnect("t1", "default").await.expect("disconnects");
    let late = late.lock().expect("not poisoned").take().expect("asked");
    let requests = world.org.requests().len();
    let error = late.check_api_access().await.expect_err("stopped");
    assert_eq!(error.reauth_reason(), Some(ReauthReason::Disconnected));
    assert_eq!(world.org.requests().len(), requests, "without a request");
}

#[tokio::test]
async fn work_goes_on_through_a_reconnect_and_the_old_tokens_are_revoked() {
    let world = World::new();
    let (registry, other_process) = (world.registry(), world.registry());
    let worker = world.connect(&registry, "t1", "default").await.expect("connects").client().clone();
    let elsewhere = other_process.get("t1", "default").await.expect("reads").expect("there").client().clone();
    for client in [&worker, &elsewhere] {
        client.check_api_access().await.expect("works");
    }
    for _ in 0..7 {
        world.connect(&registry, "t1", "default").await.expect("connects again");
        for client in [&worker, &elsewhere] {
            client.check_api_access().await.expect("goes on with the new tokens");
        }
        assert_eq!(world.approvals(), 1, "a user has at most five");
    }
    world.org.expire_access_tokens();
    worker.check_api_access().await.expect("renewed");
    assert_eq!(world.org.refresh_token_replays(), 0);
}

#[tokio::test]
async fn two_disconnects_at_once_are_one() {
    let world = World::new();
    let (one, two) = (world.registry(), world.registry());
    world.connect(&one, "t1", "default").await.expect("connects");
    let (first, second) = tokio::join!(one.disconnect("t1", "default"), two.disconnect("t1", "default"));
    for done in [first, second] {
        assert!(!done.expect("disconnects").info.connected);
    }
    assert_eq!((world.approvals(), world.stored_tokens().await), (0, 0));
}

#[tokio::test]
async fn tokens_of_another_org_are_never_taken() {
    let world = World::new();
    let registry = world.registry();
    let worker = world.connect(&registry, "t1", "default").await.expect("connects").client().clone();
    worker.check_api_access().await.expect("works");

    // By a renewal.
    world.org.expire_access_tokens();
    let elsewhere = format!("{}/id/00D5g00000ABCDEEA5/0055g00000ABCDEAA5", world.org.base_url());
    world.org.faults().on(Operation::Token).with_member("id", json!(elsewhere)).once();
    let error = worker.check_api_access().await.expect_err("another org's");
    assert_eq!((error.kind(), error.reauth_reason()), (ErrorKind::Auth, None), "{error}");
    assert!(error.to_string().contains("another org"), "{error}");
    let other_process = world.registry().get("t1", "default").await.expect("reads").expect("there");
    other_process.client().check_api_access().await.expect("the rotated refresh token was kept");

    // By the store.
    let entry = world.store.scan("connection-tokens/", None, 10).await.expect("scans").remove(0);
    let text = String::from_utf8(entry.value.to_vec()).expect("text");
    let swapped = text.replace(&format!("\"token\":\"{}!", &world.org.org_id()[..15]), "\"token\":\"00D5g00000ABCDE!");
    assert_ne!(text, swapped);
    let put = Batch::new().put(entry.key, swapped, Expect::Any);
    assert!(world.store.commit(put).await.expect("put").is_applied());
    let requests = world.org.requests().len();
    let late = world.registry().get("t1", "default").await.expect("reads").expect("there");
    let error = late.client().check_api_access().await.expect_err("another org's");
    assert!(error.to_string().contains("another org"), "{error}");
    assert_eq!(world.org.requests().len(), requests, "it goes nowhere");
}
