//! A store that is down, slow, unsure, corrupt or from a newer version, at each step of a renewal.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use sforce::auth::{Grant, TokenProvider, TokenState};
use sforce::http::Reqwest;
use sforce::store::{Batch, Commit, Entry, Expect, Key, MemoryStore, Store};
use sforce::testing::org::Operation;
use sforce::{Effect, Error, ErrorKind, ReauthReason, Result, Retry};

use super::{builder, call, client, connected, key, manager, rotating};
use crate::stores::shown;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// Nothing is done.
    Down,
    /// A commit is done, and the answer is lost.
    Unsure,
    /// It takes a while.
    Slow,
    /// It is done at once, and the answer takes a while.
    SlowAnswer,
}

/// A store whose nth call goes wrong, or all from the nth on.
#[derive(Debug, Default)]
pub(super) struct Moody {
    inner: MemoryStore,
    calls: AtomicUsize,
    faults: Mutex<BTreeMap<usize, Fault>>,
    /// Of the next commit, whichever call that is.
    pub(super) commit: Mutex<Option<Fault>>,
    /// Commits fail.
    pub(super) full: AtomicBool,
    /// Reads fail too.
    pub(super) away: AtomicBool,
}

impl Moody {
    pub(super) fn plan(&self, calls_from_now: usize, fault: Fault) {
        let call = self.calls.load(Ordering::SeqCst) + calls_from_now;
        self.faults.lock().expect("unpoisoned").insert(call, fault);
    }

    /// Whether the answer arrives, and how much later than what is done.
    async fn before(&self, commit: bool) -> Result<(bool, Duration)> {
        if self.away.load(Ordering::SeqCst) {
            return Err(down());
        }
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let planned = self.faults.lock().expect("unpoisoned").get(&call).copied();
        let fault = planned.or_else(|| self.commit.lock().expect("unpoisoned").take_if(|_| commit));
        match fault {
            Some(Fault::Down) => Err(down()),
            Some(Fault::Slow) => {
                wait(SLOW).await;
                Ok((true, Duration::ZERO))
            }
            Some(Fault::SlowAnswer) => Ok((true, SLOW)),
            other => Ok((other.is_none(), Duration::ZERO)),
        }
    }
}

/// Longer than a manager of these tests waits for its store.
const SLOW: Duration = Duration::from_millis(1_200);

#[expect(clippy::disallowed_methods, reason = "a store waits on real time")]
pub(super) async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

fn down() -> Error {
    Error::new(ErrorKind::Store, "store", "the store is down").with_retry(Retry::After(None))
}

#[async_trait]
impl Store for Moody {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>> {
        let (sure, later) = self.before(false).await?;
        wait(later).await;
        if sure { self.inner.get(keys).await } else { Err(down()) }
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>> {
        self.inner.scan(prefix, after, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Commit> {
        if self.full.load(Ordering::SeqCst) {
            return Err(down());
        }
        let (sure, later) = self.before(true).await?;
        let done = self.inner.commit(batch).await?;
        wait(later).await;
        if sure { Ok(done) } else { Err(down().with_effect(Effect::Unknown)) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_at_any_one_step_loses_nothing_and_redeems_no_token_twice() {
    // A renewal reads, takes the lease and stores the tokens; the calls after that are of the next one.
    for fault in [Fault::Down, Fault::Unsure, Fault::Slow, Fault::SlowAnswer] {
        for step in 0..4 {
            let case = format!("{fault:?} at step {step}");
            let org = rotating();
            let store = Arc::new(Moody::default());
            let one = manager(&org, Arc::clone(&store));
            one.connect(&Grant::new(org.refresh_token())).await.expect("stored");
            let working = client(&one);
            call(&working).await.expect("connected");
            org.expire_access_tokens();
            store.plan(step, fault);
            for _ in 0..2 {
                call(&working).await.unwrap_or_else(|error| panic!("{case}: {error}"));
                org.expire_access_tokens();
            }
            call(&client(&manager(&org, Arc::clone(&store)))).await.expect("another process goes on");
            assert_eq!((org.grant_requests("refresh_token"), org.refresh_token_replays()), (4, 0), "{case}");
            let state = one.state().await.expect("read");
            assert!(matches!(state, TokenState::Alive { in_doubt: false, .. }), "{case}: {state:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_twice_running_loses_nothing() {
    for first in 0..4 {
        for second in [Fault::Down, Fault::Unsure] {
            let case = format!("{second:?} from step {first}");
            let org = rotating();
            let store = Arc::new(Moody::default());
            let one = manager(&org, Arc::clone(&store));
            one.connect(&Grant::new(org.refresh_token())).await.expect("stored");
            let working = client(&one);
            call(&working).await.expect("connected");
            org.expire_access_tokens();
            store.plan(first, Fault::Unsure);
            store.plan(first + 1, second);
            for _ in 0..3 {
                call(&working).await.unwrap_or_else(|error| panic!("{case}: {error}"));
                org.expire_access_tokens();
            }
            assert_eq!(org.refresh_token_replays(), 0, "{case}");
        }
    }
}

#[tokio::test]
async fn renewed_tokens_outlive_a_store_that_goes_down_before_they_are_kept() {
    let org = rotating();
    let store = Arc::new(Moody::default());
    let one = builder(&org, Arc::clone(&store))
        .request_timeout(Duration::from_millis(500))
        .lease_time(Duration::from_millis(900))
        .build()
        .expect("a manager");
    one.connect(&Grant::new(org.refresh_token())).await.expect("stored");
    let http = Reqwest::new();
    let old = one.fetch(&http, None).await.expect("first token");
    org.expire_access_tokens();
    // The disk is full from the moment that Salesforce has answered.
    org.faults().on(Operation::Token).delay(Duration::from_millis(100)).once();
    let (fetched, ()) = tokio::join!(one.fetch(&http, Some(&old)), async {
        while org.grant_requests("refresh_token") < 2 {
            tokio::task::yield_now().await;
        }
        store.full.store(true, Ordering::SeqCst);
    });
    let error = fetched.expect_err("the tokens are not used before they are stored");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, Retry::After(None)));
    assert!(error.to_string().contains("in memory"), "{error}");
    assert!(error.advice().is_some_and(|advice| advice.contains("before this process ends")), "{error}");
    let again = one.fetch(&http, Some(&old)).await.expect_err("still down");
    assert!(again.to_string().contains("in memory"), "{again}");
    assert_eq!(org.grant_requests("refresh_token"), 2, "nothing is redeemed meanwhile");

    store.full.store(false, Ordering::SeqCst);
    let new = one.fetch(&http, Some(&old)).await.expect("stored at last");
    assert_ne!(new, old);
    call(&client(&manager(&org, store))).await.expect("another process finds them");
    assert_eq!((org.grant_requests("refresh_token"), org.refresh_token_replays()), (2, 0));
}

#[tokio::test]
async fn without_a_store_a_good_token_goes_on_and_a_bad_one_is_not_renewed() {
    let org = rotating();
    let store = Arc::new(Moody::default());
    let one = manager(&org, Arc::clone(&store));
    one.connect(&Grant::new(org.refresh_token())).await.expect("stored");
    let working = client(&one);
    call(&working).await.expect("connected");
    store.full.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        call(&working).await.expect("no need for the store");
    }
    org.expire_access_tokens();
    let error = call(&working).await.expect_err("nowhere to keep new tokens");
    assert_eq!(error.kind(), ErrorKind::Store);
    assert_eq!(org.grant_requests("refresh_token"), 1, "and so none are asked for");
    let grant = Grant::new(org.approve(&org.client_id(), &org.user_id(), "api refresh_token"));
    assert_eq!(one.connect(&grant).await.expect_err("down").kind(), ErrorKind::Store);
    store.full.store(false, Ordering::SeqCst);
    call(&working).await.expect("back");
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_told_and_a_new_grant_mends_it() {
    let newer = r#"{"format":99,"body":{"token":"hunter2"}}"#;
    for (text, words) in [
        ("hunter2", "not in an envelope"),
        (r#"{"format":1,"body":{"generation":"hunter2"}}"#, "not of its type"),
        (newer, "newer format"),
    ] {
        let org = rotating();
        let (one, store) = connected(&org).await;
        call(&client(&one)).await.expect("connected");
        let damaged = store.commit(Batch::new().put(key(), text, Expect::Any)).await.expect("stored");
        assert!(damaged.is_applied());
        let other = manager(&org, Arc::clone(&store));
        let error = call(&client(&other)).await.expect_err("unreadable");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, Retry::Never));
        assert!(error.to_string().contains(words), "{error}");
        assert!(!shown(&error).contains("hunter2"), "{error:?}");
        org.expire_access_tokens();
        call(&client(&one)).await.expect_err("unreadable");
        let entry = store.get(&[key()]).await.expect("read").remove(0).expect("there");
        assert_eq!(entry.value, text, "nothing is written over it");
        one.connect(&Grant::new(org.approve(&org.client_id(), &org.user_id(), "api refresh_token")))
            .await
            .expect("a new grant is more than what cannot be read");
        call(&client(&other)).await.expect("alive");
    }
}

#[tokio::test]
async fn an_entry_that_was_deleted_is_a_connection_that_is_not_there() {
    let org = rotating();
    let (one, store) = connected(&org).await;
    call(&client(&one)).await.expect("connected");
    org.expire_access_tokens();
    let deleted = store.commit(Batch::new().delete(key(), Expect::Any)).await.expect("deleted");
    assert!(deleted.is_applied());
    let error = call(&client(&one)).await.expect_err("gone");
    assert_eq!(error.reauth_reason(), Some(ReauthReason::NotConnected));
    assert_eq!(org.grant_requests("refresh_token"), 1);
}
