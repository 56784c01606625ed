//! The dance over stores: shared, encrypted, down, or with lost answers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use sforce::auth::{ConnectError, ConnectFlow, ConnectRequest};
use sforce::store::{Batch, Commit, EncryptedStore, EncryptionKey, Entry, Key, Keyring, MemoryStore, Store};
use sforce::testing::org::MockOrg;
use sforce::{Effect, Error, ErrorKind, Result, Retry};

use super::{TENANT, app, browse, builder, callback, parameter};
use crate::support::SharedClock;

/// What a store does wrong, once it has let some calls pass.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Get,
    CommitNotDone,
    CommitLostBefore,
    CommitLostAfter,
}

#[derive(Clone, Debug, Default)]
struct Faulty {
    store: MemoryStore,
    fault: Arc<Mutex<Option<(Fault, u32)>>>,
    calls: Arc<AtomicU32>,
}

impl Faulty {
    /// The fault happens to the call after `pass` others of its kind.
    fn script(&self, fault: Fault, pass: u32) {
        *self.fault.lock().expect("not poisoned") = Some((fault, pass));
    }

    fn due(&self, get: bool) -> Option<Fault> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mut fault = self.fault.lock().expect("not poisoned");
        let (kind, pass) = (*fault)?;
        if matches!(kind, Fault::Get) != get {
            return None;
        }
        *fault = pass.checked_sub(1).map(|left| (kind, left));
        fault.is_none().then_some(kind)
    }
}

fn down(effect: Effect) -> Error {
    Error::new(ErrorKind::Store, "store", "down").with_retry(Retry::After(None)).with_effect(effect)
}

#[async_trait]
impl Store for Faulty {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>> {
        if self.due(true).is_some() { Err(down(Effect::None)) } else { self.store.get(keys).await }
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>> {
        self.store.scan(prefix, after, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Commit> {
        match self.due(false) {
            None | Some(Fault::Get) => self.store.commit(batch).await,
            Some(Fault::CommitNotDone) => Err(down(Effect::None)),
            Some(Fault::CommitLostBefore) => Err(down(Effect::Unknown)),
            Some(Fault::CommitLostAfter) => {
                let _ = self.store.commit(batch).await?;
                Err(down(Effect::Unknown))
            }
        }
    }
}

/// Lets every other task run between a read and what follows it, and a click on Connect come in just before a commit.
#[derive(Clone, Debug, Default)]
struct Crowded {
    store: MemoryStore,
    click: Arc<Mutex<Option<(ConnectFlow, ConnectRequest)>>>,
}

#[async_trait]
impl Store for Crowded {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>> {
        let entries = self.store.get(keys).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        entries
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>> {
        self.store.scan(prefix, after, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Commit> {
        let click = self.click.lock().expect("not poisoned").take();
        if let Some((flow, request)) = click {
            flow.begin(&request).await?;
        }
        self.store.commit(batch).await
    }
}

#[tokio::test]
async fn of_many_finishes_that_have_all_read_the_same_one_redeems_the_code() {
    let org = MockOrg::start();
    let flow = builder(&org.add_app(app()), Crowded::default()).build().expect("a flow");
    let query = callback(&flow, &org).await;
    let all = (0..20).map(|_| flow.finish(TENANT, &query));
    let results = futures_util::future::join_all(all).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| matches!(result, Err(ConnectError::AlreadyUsed))).count(), 19);
    assert_eq!(org.grant_requests("authorization_code"), 1);
}

#[tokio::test]
async fn a_click_between_read_and_claim_makes_the_callback_stale() {
    let org = MockOrg::start();
    let test_app = org.add_app(app());
    let store = Crowded::default();
    let flow = builder(&test_app, store.clone()).build().expect("a flow");
    let query = callback(&flow, &org).await;
    let other_tab = builder(&test_app, store.store.clone()).build().expect("a flow");
    *store.click.lock().expect("not poisoned") = Some((other_tab, super::request(&org)));
    let error = flow.finish(TENANT, &query).await.expect_err("a newer attempt");
    assert!(matches!(error, ConnectError::StaleTab), "{error:?}");
    assert_eq!(org.token_requests(), 0);
}

#[tokio::test]
async fn a_store_that_is_down_is_told_and_the_callback_works_once_it_is_back() {
    let org = MockOrg::start();
    let store = Faulty::default();
    let flow = builder(&org.add_app(app()), store.clone()).build().expect("a flow");
    store.script(Fault::CommitNotDone, 0);
    let error = flow.begin(&super::request(&org)).await.expect_err("down");
    assert!(matches!(error, ConnectError::Store(_)) && error.advice().contains("storage"), "{error:?}");

    for (fault, pass) in [(Fault::Get, 0), (Fault::Get, 1), (Fault::CommitNotDone, 0)] {
        let query = callback(&flow, &org).await;
        let before = org.token_requests();
        store.script(fault, pass);
        let error = flow.finish(TENANT, &query).await.expect_err("down");
        assert!(matches!(error, ConnectError::Store(_)) && error.is_repeatable(), "{fault:?}: {error:?}");
        assert_eq!(org.token_requests(), before, "no code is redeemed without a claim");
        flow.finish(TENANT, &query).await.expect("the store is back");
    }
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_found_again() {
    let org = MockOrg::start();
    let store = Faulty::default();
    let flow = builder(&org.add_app(app()), store.clone()).build().expect("a flow");
    for fault in [Fault::CommitLostBefore, Fault::CommitLostAfter] {
        let query = callback(&flow, &org).await;
        let before = org.token_requests();
        store.script(fault, 0);
        flow.finish(TENANT, &query).await.expect("looked again, and went on");
        assert!(matches!(flow.finish(TENANT, &query).await, Err(ConnectError::AlreadyUsed)));
        assert_eq!(org.token_requests() - before, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn an_attempt_survives_a_restart_and_neither_state_nor_tenant_can_be_read_in_the_store() {
    let org = MockOrg::start();
    let test_app = org.add_app(app());
    let inner = MemoryStore::default();
    let keys = Keyring::new(EncryptionKey::generate("k1").expect("a key"));
    let flow = |store: &MemoryStore| -> ConnectFlow {
        builder(&test_app, EncryptedStore::new(store.clone(), keys.clone())).build().expect("a flow")
    };
    let tenant = "ada@acme.example";
    let request = ConnectRequest::new(tenant, super::login(&org));
    let query = browse(&flow(&inner).begin(&request).await.expect("begun")).await;

    let entries = inner.scan("", None, 100).await.expect("scanned");
    assert_eq!(entries.len(), 2);
    let state = parameter(&query, "state");
    for entry in &entries {
        let value = String::from_utf8_lossy(&entry.value);
        assert!(entry.key.as_str().starts_with("connect/"));
        for secret in [state, tenant, "ada", &org.base_url()] {
            assert!(!entry.key.as_str().contains(secret) && !value.contains(secret), "{secret}: {entry:?}");
        }
    }
    // The process that finishes is another one.
    flow(&inner).finish(tenant, &query).await.expect("connected");
}

#[tokio::test]
async fn without_encryption_too_the_store_holds_no_state_and_after_the_claim_no_verifier() {
    let org = MockOrg::start();
    let store = MemoryStore::default();
    let flow = builder(&org.add_app(app()), store.clone()).build().expect("a flow");
    let query = callback(&flow, &org).await;
    let all = async || {
        let entries = store.scan("", None, 100).await.expect("scanned");
        entries.iter().map(|entry| String::from_utf8_lossy(&entry.value).into_owned()).collect::<String>()
    };
    let (before, state) = (all().await, parameter(&query, "state"));
    assert!(before.contains("\"verifier\":\"") && !before.contains(state), "{before}");
    flow.finish(TENANT, &query).await.expect("connected");
    let after = all().await;
    assert!(after.contains("\"verifier\":null") && !after.contains(state), "{after}");
}

#[tokio::test]
async fn attempts_that_nobody_came_back_from_are_purged_after_a_day() {
    let org = MockOrg::start();
    let (clock, store) = (SharedClock::default(), MemoryStore::default());
    let flow = builder(&org.add_app(app()), store.clone()).clock(clock.clone()).build().expect("a flow");
    for tenant in 0..450 {
        let request = ConnectRequest::new(format!("t{tenant}"), super::login(&org));
        flow.begin(&request).await.expect("begun");
    }
    let old = callback(&flow, &org).await;
    clock.0.advance(Duration::from_hours(24));
    assert_eq!(flow.purge_expired().await.expect("purged"), 0);
    assert!(matches!(flow.finish(TENANT, &old).await, Err(ConnectError::Expired { .. })));
    clock.0.advance(Duration::from_mins(16));
    let fresh = callback(&flow, &org).await;
    assert_eq!(flow.purge_expired().await.expect("purged"), 451);
    assert_eq!(store.scan("", None, 1000).await.expect("scanned").len(), 2, "the fresh one");
    assert!(matches!(flow.finish(TENANT, &old).await, Err(ConnectError::StateMismatch)));
    flow.finish(TENANT, &fresh).await.expect("connected");
}

#[tokio::test]
async fn an_attempt_of_a_newer_version_or_a_broken_one_says_so() {
    let org = MockOrg::start();
    let store = MemoryStore::default();
    let flow = builder(&org.add_app(app()), store.clone()).build().expect("a flow");
    for (value, expected) in [("{\"format\":9}", "newer format"), ("garbage", "not in an envelope")] {
        let query = callback(&flow, &org).await;
        let attempts = store.scan("connect/attempt/", None, 100).await.expect("scanned");
        for entry in attempts {
            let batch = Batch::new().put(entry.key, value, sforce::store::Expect::Any);
            assert!(store.commit(batch).await.expect("written").is_applied());
        }
        let error = flow.finish(TENANT, &query).await.expect_err("unreadable");
        let source = std::error::Error::source(&error).expect("a source").to_string();
        assert!(matches!(error, ConnectError::StoreBroken(_)) && source.contains(expected), "{source}");
        assert!(!error.is_repeatable() && error.advice().contains("support"), "a minute of waiting mends nothing");
        assert_eq!(flow.purge_expired().await.expect("purged"), 0, "left for who can read it");
    }
}
