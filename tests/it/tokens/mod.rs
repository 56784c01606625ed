//! The token manager at work: one renewal for all, and nothing lost whatever breaks.

mod faults;
mod keys;
mod one_process;
mod outages;
mod processes;
mod store_faults;
mod storms;

use std::sync::Arc;
use std::time::Duration;

use sforce::auth::{Grant, LoginHost, TokenManager, TokenManagerBuilder};
use sforce::client::RetryPolicy;
use sforce::store::{Key, MemoryStore, Store};
use sforce::testing::org::MockOrg;
use sforce::{Client, Error};

pub(crate) fn key() -> Key {
    Key::new("tokens/00D000000000001").expect("short")
}

/// An org whose refresh tokens rotate.
pub(crate) fn rotating() -> MockOrg {
    MockOrg::builder().rotate_refresh_tokens().start()
}

pub(crate) fn builder(org: &MockOrg, store: impl Store) -> TokenManagerBuilder {
    let host = LoginHost::allowing_loopback(&org.base_url()).expect("loopback");
    TokenManager::builder(host, org.client_id())
        .client_secret(org.client_secret())
        .store(store, key())
        .request_timeout(Duration::from_millis(500))
        .lease_time(Duration::from_millis(1500))
}

pub(crate) fn manager(org: &MockOrg, store: impl Store) -> TokenManager {
    builder(org, store).build().expect("a manager")
}

/// A connection that has just been made, and has renewed once.
pub(crate) async fn connected(org: &MockOrg) -> (TokenManager, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::default());
    let manager = manager(org, Arc::clone(&store));
    manager.connect(&Grant::new(org.refresh_token())).await.expect("stored");
    (manager, store)
}

/// A client that waits little between its tries.
pub(crate) fn client(manager: &TokenManager) -> Client {
    let policy = RetryPolicy::default().first_delay(Duration::from_millis(20)).max_delay(Duration::from_secs(2));
    Client::builder(manager.clone()).retry(policy).build().expect("a client")
}

/// One cheap call.
pub(crate) async fn call(client: &Client) -> Result<(), Error> {
    client.check_api_access().await
}
