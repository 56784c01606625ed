//! A store that is away for longer than a lease lasts, a store that is slow, and a program that ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sforce::auth::{AccessToken, Grant, TokenManager, TokenProvider, TokenState};
use sforce::http::Reqwest;
use sforce::testing::org::{MockOrg, Operation};
use sforce::{ErrorKind, Retry};

use super::store_faults::{Fault, Moody, wait};
use super::{builder, manager, rotating};

const LEASE: Duration = Duration::from_millis(1_200);

fn quick(org: &MockOrg, store: &Arc<Moody>) -> TokenManager {
    let manager = builder(org, Arc::clone(store)).request_timeout(Duration::from_millis(500)).lease_time(LEASE);
    manager.build().expect("a manager")
}

fn asked(org: &MockOrg) -> (usize, usize) {
    (org.grant_requests("refresh_token"), org.refresh_token_replays())
}

/// Two processes whose access token has just ended.
async fn two(org: &MockOrg, http: &Reqwest) -> (Arc<Moody>, TokenManager, TokenManager, AccessToken) {
    let store = Arc::new(Moody::default());
    let (one, other) = (quick(org, &store), quick(org, &store));
    one.connect(&Grant::new(org.refresh_token())).await.expect("stored");
    let old = one.fetch(http, None).await.expect("first token");
    assert_eq!(other.fetch(http, None).await.expect("stored"), old);
    org.expire_access_tokens();
    (store, one, other, old)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_store_longer_than_the_lease_costs_no_connection() {
    // The store is away, or its disk is full.
    for away in [true, false] {
        let (org, http) = (rotating(), Reqwest::new());
        let (store, one, other, old) = two(&org, &http).await;
        org.faults().on(Operation::Token).delay(Duration::from_millis(150)).once();
        let (renewed, _, ()) = tokio::join!(one.fetch(&http, Some(&old)), other.fetch(&http, Some(&old)), async {
            while org.grant_requests("refresh_token") < 2 {
                wait(Duration::from_millis(1)).await;
            }
            store.full.store(true, Ordering::SeqCst);
            store.away.store(away, Ordering::SeqCst);
        });
        assert_eq!(renewed.expect_err("not kept").kind(), ErrorKind::Store);
        // The other process needs a token all the time. Nobody asks the one that has it.
        let outage = async {
            loop {
                let error = other.fetch(&http, Some(&old)).await.expect_err("the store is out of service");
                assert_eq!(error.kind(), ErrorKind::Store, "{error}");
                wait(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(3 * LEASE, outage).await.expect_err("never");
        assert_eq!(asked(&org), (2, 0), "away {away}");
        store.away.store(false, Ordering::SeqCst);
        store.full.store(false, Ordering::SeqCst);
        let new = other.fetch(&http, Some(&old)).await.expect("the tokens were stored by themselves");
        assert_ne!(new, old);
        assert_eq!(asked(&org), (2, 0), "away {away}");
        assert!(matches!(one.state().await.expect("read"), TokenState::Alive { in_doubt: false, .. }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_ends_waits_for_its_renewal_and_stores_what_is_left() {
    let (org, http) = (rotating(), Reqwest::new());
    let (store, one, other, old) = two(&org, &http).await;
    one.flush().await.expect("nothing to do");
    org.faults().on(Operation::Token).delay(Duration::from_millis(200)).once();
    let renewal = tokio::spawn({
        let (one, old) = (one.clone(), old.clone());
        async move { one.fetch(&Reqwest::new(), Some(&old)).await }
    });
    while org.grant_requests("refresh_token") < 2 {
        wait(Duration::from_millis(1)).await;
    }
    one.flush().await.expect("the renewal has come to its end");
    let stored = other.fetch(&http, None).await.expect("stored");
    assert_ne!(stored, old);
    assert_eq!(renewal.await.expect("no panic").expect("renewed"), stored);

    org.expire_access_tokens();
    org.faults().on(Operation::Token).delay(Duration::from_millis(100)).once();
    let (renewed, ()) = tokio::join!(one.fetch(&http, Some(&stored)), async {
        while org.grant_requests("refresh_token") < 3 {
            wait(Duration::from_millis(1)).await;
        }
        store.full.store(true, Ordering::SeqCst);
    });
    renewed.expect_err("not kept");
    let error = one.flush().await.expect_err("the store is full");
    assert!(error.to_string().contains("in memory"), "{error}");
    store.full.store(false, Ordering::SeqCst);
    one.flush().await.expect("stored");
    other.fetch(&http, Some(&stored)).await.expect("stored");
    assert_eq!(asked(&org), (3, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_answers_too_late_to_renew_safely_is_told_and_nothing_is_redeemed() {
    let (org, http) = (rotating(), Reqwest::new());
    let (store, one, other, old) = two(&org, &http).await;
    // The lease is taken, but that is known only when most of it has passed.
    store.plan(1, Fault::SlowAnswer);
    let error = one.fetch(&http, Some(&old)).await.expect_err("too slow");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, Retry::After(None)));
    assert!(error.to_string().contains("too slow"), "{error}");
    assert_eq!(asked(&org), (1, 0));
    other.fetch(&http, Some(&old)).await.expect("the lease was given back");
    assert_eq!(asked(&org), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_swallows_the_tokens_of_one_process_keeps_the_other_waiting_and_no_longer() {
    // The commit of the new tokens hangs, before it is done or after, while the other process reads all the time.
    for fault in [Fault::Slow, Fault::SlowAnswer] {
        let (org, http) = (rotating(), Reqwest::new());
        let (store, one, other, old) = two(&org, &http).await;
        org.faults().on(Operation::Token).delay(Duration::from_millis(100)).once();
        let renewal = tokio::spawn({
            let (one, old) = (one.clone(), old.clone());
            async move { one.fetch(&Reqwest::new(), Some(&old)).await }
        });
        while org.grant_requests("refresh_token") < 2 {
            wait(Duration::from_millis(1)).await;
        }
        *store.commit.lock().expect("unpoisoned") = Some(fault);
        other.fetch(&http, Some(&old)).await.expect("waits for the tokens");
        assert_eq!(asked(&org), (2, 0), "{fault:?}");
        // The one that has got them may have given up waiting for the store's answer, not for the tokens.
        let _ = renewal.await.expect("no panic");
        one.fetch(&http, Some(&old)).await.expect("stored");
        assert_eq!(asked(&org), (2, 0), "{fault:?}");
    }
}

#[tokio::test]
async fn a_manager_whose_store_never_answers_says_so() {
    let (org, http) = (rotating(), Reqwest::new());
    let store = Arc::new(Moody::default());
    let one = manager(&org, Arc::clone(&store));
    store.plan(0, Fault::Slow);
    let error = one.fetch(&http, None).await.expect_err("hangs");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, Retry::After(None)));
    assert!(error.to_string().contains("does not answer in time"), "{error}");
}
