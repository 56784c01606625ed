//! A store that is opened with a wrong key, without the key, or not at all: told, nothing lost, and a way out.

use std::sync::Arc;

use sforce::auth::{ConnectError, ConnectRequest, Grant, LoginHost, TokenState};
use sforce::connections::Connections;
use sforce::store::{EncryptedStore, EncryptionKey, Keyring, MemoryStore, Store};
use sforce::testing::org::MockOrg;
use sforce::{ErrorKind, Retry};

use super::{call, client, key, manager, rotating};
use crate::connect;
use crate::stores::encrypted::keyring;
use crate::stores::shown;

/// What opens the store otherwise than it was written: by a wrong key of the same name, by another key, by none.
fn wrong(memory: &Arc<MemoryStore>) -> [(&'static str, Arc<dyn Store>); 3] {
    let with = |id: &str| -> Arc<dyn Store> {
        let key = EncryptionKey::from_bytes(id, &(32..64).collect::<Vec<u8>>()).expect("32 bytes");
        Arc::new(EncryptedStore::new(Arc::clone(memory), Keyring::new(key)))
    };
    [("wrong", with("test")), ("missing", with("other")), ("none", Arc::<MemoryStore>::clone(memory))]
}

fn right(memory: &Arc<MemoryStore>) -> EncryptedStore<Arc<MemoryStore>> {
    EncryptedStore::new(Arc::clone(memory), keyring())
}

async fn all(memory: &MemoryStore) -> Vec<sforce::store::Entry> {
    memory.scan("", None, 1000).await.expect("scanned")
}

fn told(error: &sforce::Error, case: &str) {
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, Retry::Never), "{case}: {error}");
    assert!(!shown(error).contains("5Aep") && !shown(error).contains("!AQ"), "{case}: {error:?}");
}

#[tokio::test]
async fn a_wrong_key_is_told_by_the_manager_and_nothing_is_lost() {
    let org = rotating();
    let memory = Arc::new(MemoryStore::default());
    let one = manager(&org, right(&memory));
    one.connect(&Grant::new(org.refresh_token())).await.expect("stored");
    call(&client(&one)).await.expect("connected");
    let before = all(&memory).await;
    let requests = org.token_requests();
    for (case, store) in wrong(&memory) {
        let other = manager(&org, store);
        told(&call(&client(&other)).await.expect_err(case), case);
        told(&other.state().await.expect_err(case), case);
    }
    assert_eq!((all(&memory).await, org.token_requests()), (before, requests));
    org.expire_access_tokens();
    call(&client(&one)).await.expect("nothing was lost");
}

#[tokio::test]
async fn a_wrong_key_is_told_by_the_dance_and_the_callback_works_with_the_right_one() {
    let org = MockOrg::start();
    let app = org.add_app(connect::app());
    let memory = Arc::new(MemoryStore::default());
    let flow = connect::builder(&app, right(&memory)).build().expect("a flow");
    let query = connect::callback(&flow, &org).await;
    for (case, store) in wrong(&memory) {
        let other = connect::builder(&app, store).build().expect("a flow");
        let error = other.finish(connect::TENANT, &query).await.expect_err(case);
        assert!(matches!(error, ConnectError::StoreBroken(_)), "{case}: {error:?}");
        told(&sforce::Error::from(error), case);
    }
    assert_eq!(org.token_requests(), 0);
    flow.finish(connect::TENANT, &query).await.expect("nothing was lost");
}

#[tokio::test]
async fn a_wrong_key_is_told_by_the_registry_and_nothing_is_lost() {
    let org = MockOrg::start();
    let app = org.add_app(connect::app().rotate_refresh_tokens());
    let memory = Arc::new(MemoryStore::default());
    let registry = |store: Arc<dyn Store>| {
        let registry = Connections::builder(&app.client_id, connect::CALLBACK, store);
        registry.client_secret(app.client_secret.as_str()).allow_loopback().build().expect("a registry")
    };
    let request = || {
        let login = LoginHost::allowing_loopback(&org.base_url()).expect("loopback");
        ConnectRequest::new("t1", login).connection("sales")
    };
    let good = registry(Arc::new(right(&memory)));
    let authorize = good.begin(request()).await.expect("begun");
    let connection = good.finish("t1", &connect::browse(&authorize).await).await.expect("connected");
    call(connection.client()).await.expect("works");
    let before = all(&memory).await;
    let requests = org.token_requests();
    for (case, store) in wrong(&memory) {
        let bad = registry(store);
        told(&bad.get("t1", "sales").await.expect_err(case), case);
        told(&bad.status("t1", "sales").await.expect_err(case), case);
        told(&bad.default_of("t1").await.expect_err(case), case);
        told(&bad.disconnect("t1", "sales").await.expect_err(case), case);
        let begun = bad.begin(request()).await.expect_err(case);
        assert!(matches!(begun, ConnectError::StoreBroken(_)), "{case}: {begun:?}");
    }
    assert_eq!((all(&memory).await, org.token_requests()), (before, requests));
    org.expire_access_tokens();
    call(connection.client()).await.expect("nothing was lost");
}

#[tokio::test]
async fn a_new_consent_and_a_disconnect_replace_what_no_key_opens_any_more() {
    let org = rotating();
    let memory = Arc::new(MemoryStore::default());
    manager(&org, right(&memory)).connect(&Grant::new(org.refresh_token())).await.expect("stored");
    let consent = || Grant::new(org.approve(&org.client_id(), &org.user_id(), "api refresh_token"));
    for (case, store) in wrong(&memory) {
        let other = manager(&org, store);
        other.connect(&consent()).await.unwrap_or_else(|error| panic!("{case}: {error}"));
        call(&client(&other)).await.expect("alive");
        // The one before cannot read it now, which is told, and can begin anew as well.
        let one = manager(&org, right(&memory));
        told(&call(&client(&one)).await.expect_err(case), case);
        let purged = one.disconnect().await.unwrap_or_else(|error| panic!("{case}: {error}"));
        assert!(purged.is_empty() && purged.in_doubt, "{case}: what could not be read cannot be revoked");
        assert!(matches!(one.state().await.expect("read"), TokenState::Ended(_)));
        one.connect(&consent()).await.expect("stored");
        call(&client(&one)).await.expect("alive");
    }
    assert_eq!(memory.get(&[key()]).await.expect("read").len(), 1);
}
