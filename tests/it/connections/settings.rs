//! Settings of the registry, and of each connection.

use std::sync::Arc;
use std::time::Duration;

use sforce::ErrorKind;
use sforce::auth::{ConnectError, Scopes};
use sforce::client::ApiVersion;
use sforce::connections::{Connections, SessionFit};
use sforce::store::{MemoryStore, Store as _};

use super::{CALLBACK, World};
use crate::support::SharedClock;

#[tokio::test]
async fn gpt_19_each_connection_has_settings_of_its_own_for_client_and_tokens() {
    let world = World::new();
    let clock = SharedClock::default();
    let builder = world.builder(Arc::clone(&world.store)).clock(clock.clone());
    let builder = builder.token_settings(|info, tokens| match info.settings::<u64>() {
        Ok(Some(hours)) => tokens.lifetime(Duration::from_hours(hours)),
        _ => tokens,
    });
    let builder = builder.client_settings(|info, client| match info.id.as_str() {
        "sales" => client.api_version(ApiVersion::new(60).expect("a version")),
        _ => client,
    });
    let registry = builder.build().expect("a registry");
    for id in ["sales", "support"] {
        world.connect(&world.registry(), "t1", id).await.expect("connects");
    }
    registry.set_settings("t1", "sales", &2).await.expect("kept");
    let client = async |id: &str| registry.get("t1", id).await.expect("reads").expect("there").client().clone();
    let (sales, support) = (client("sales").await, client("support").await);
    for client in [&sales, &support] {
        client.check_api_access().await.expect("works");
    }
    let paths: Vec<String> = world.org.requests().iter().map(|request| request.path.clone()).collect();
    assert!(
        paths.iter().any(|path| path.contains("/v60.0")) && paths.iter().any(|path| path.contains("/v63.0")),
        "{paths:?}"
    );

    clock.0.advance(Duration::from_hours(2));
    support.check_api_access().await.expect("works");
    sales.check_api_access().await.expect("works");
    while world.org.grant_requests("refresh_token") == 0 {
        sales.check_api_access().await.expect("works while its token is renewed in the background");
    }
    for _ in 0..50 {
        support.check_api_access().await.expect("works");
        sales.check_api_access().await.expect("works");
    }
    assert_eq!(world.org.grant_requests("refresh_token"), 1, "the one with a lifetime, once");
}

#[test]
fn scopes_without_a_refresh_token_are_refused_before_anybody_consents() {
    let builder = Connections::builder("client id", CALLBACK, MemoryStore::default());
    let error = builder.scopes(Scopes::new(["api", "id"]).expect("scopes")).build().expect_err("would end soon");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.advice().is_some_and(|advice| advice.contains("refresh_token")), "{error}");
    let builder = Connections::builder("client id", CALLBACK, MemoryStore::default());
    builder.scopes(Scopes::new(["full", "offline_access"]).expect("scopes")).build().expect("the same by another name");
}

#[tokio::test]
async fn an_org_on_this_machine_is_connected_only_where_the_program_says_so() {
    let world = World::new();
    let strict =
        Connections::builder(&world.app.client_id, CALLBACK, Arc::clone(&world.store)).build().expect("a registry");
    let error = strict.begin(world.request("t1", "default")).await.expect_err("not opted in");
    assert!(
        matches!(&error, ConnectError::Config(source) if source.to_string().contains("allow_loopback")),
        "{error:?}"
    );

    // Whatever the store says.
    let query = {
        let begun = world.registry().begin(world.request("t1", "default")).await.expect("begun");
        world.callback(begun.url.as_str()).await
    };
    strict.finish("t1", &query).await.expect_err("not opted in");
    assert_eq!(world.org.token_requests(), 0, "no code and no secret goes there");
    world.connect(&world.registry(), "t1", "default").await.expect("connects");
    let requests = world.org.requests().len();
    assert_eq!(strict.get("t1", "default").await.expect_err("not opted in").kind(), ErrorKind::Config);
    assert_eq!(world.org.requests().len(), requests);
}

#[tokio::test]
async fn attempts_that_nobody_came_back_from_are_purged_through_the_registry() {
    let world = World::new();
    let clock = SharedClock::default();
    let registry = world.builder(Arc::clone(&world.store)).clock(clock.clone()).build().expect("a registry");
    for id in ["one", "two", "three"] {
        registry.begin(world.request("t1", id)).await.expect("begun");
    }
    clock.0.advance(Duration::from_hours(25));
    assert_eq!(registry.purge_expired().await.expect("purged"), 3);
    assert!(world.store.scan("", None, 10).await.expect("scans").is_empty());
}

#[tokio::test]
async fn gpt_17_the_session_timeout_is_compared_with_a_schedule() {
    let world = World::new();
    world.org.set_session_timeout(Duration::from_hours(2));
    let connection = world.connect(&world.registry(), "t1", "default").await.expect("connects");
    let timeout = Duration::from_hours(2);
    let fits = async |hours| connection.session_fits(Duration::from_hours(hours)).await.expect("told");
    assert!(matches!(fits(1).await, SessionFit::Lasts { timeout: told, .. } if told == timeout));
    assert!(matches!(fits(24).await, SessionFit::EndsBetween { timeout: told, .. } if told == timeout));
}
