//! Renewals that mend nothing: tokens that are refused as soon as they are got.

use std::time::Duration;

use sforce::auth::{TokenProvider, TokenState};
use sforce::http::Reqwest;
use sforce::testing::org::{MockOrg, Operation};
use sforce::{Client, ErrorKind, Retry};

use super::{builder, call, connected, rotating};
use crate::support::SharedClock;

fn refreshes(org: &MockOrg) -> usize {
    org.grant_requests("refresh_token")
}

#[tokio::test]
async fn fifty_requests_that_are_refused_with_any_token_renew_it_five_times() {
    let org = rotating();
    let (_, store) = connected(&org).await;
    let clock = SharedClock::default();
    let manager = builder(&org, store).clock(clock.clone()).build().expect("a manager");
    let client = Client::builder(manager).clock(clock.clone()).build().expect("a client");
    call(&client).await.expect("connected");
    // Words of a later release, which the table of 401s does not know.
    org.faults().on(Operation::Resources).error(401, "INVALID_SESSION_ID", "Session not welcome here").always();
    let before = refreshes(&org);
    for _ in 0..50 {
        let error = call(&client).await.expect_err("refused");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never), "{error}");
    }
    assert_eq!(refreshes(&org) - before, 5);
    let error = call(&client).await.expect_err("refused");
    assert!(error.advice().is_some_and(|advice| advice.contains("a new token does not mend it")), "{error}");
    // Then one for each half minute.
    for round in 1..=3 {
        clock.0.advance(Duration::from_secs(30));
        for _ in 0..10 {
            call(&client).await.expect_err("refused");
        }
        assert_eq!(refreshes(&org) - before, 5 + round);
    }
    // It goes on by itself once the org is well. A token that has lived for a while makes up for the others.
    org.faults().clear();
    call(&client).await.expect("the token at hand was good");
    clock.0.advance(Duration::from_mins(5));
    for _ in 0..4 {
        org.expire_access_tokens();
        call(&client).await.expect("renewed");
    }
    assert_eq!(org.refresh_token_replays(), 0);
}

#[tokio::test]
async fn an_answer_with_the_refused_token_is_not_taken_for_a_new_one() {
    let org = rotating();
    let (_, store) = connected(&org).await;
    let clock = SharedClock::default();
    let manager = builder(&org, store).clock(clock.clone()).build().expect("a manager");
    let http = Reqwest::new();
    let old = manager.fetch(&http, None).await.expect("first token");
    org.faults().on(Operation::Token).with_member("access_token", old.secret().expose().into()).once();
    for _ in 0..20 {
        let error = manager.fetch(&http, Some(&old)).await.expect_err("the same");
        let Retry::After(_) = error.retry() else { panic!("{error:?}") };
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    assert_eq!(refreshes(&org), 2, "no storm");
    // The refresh token that came with it was kept.
    clock.0.advance(Duration::from_secs(30));
    assert_ne!(manager.fetch(&http, Some(&old)).await.expect("a new one"), old);
    assert_eq!((refreshes(&org), org.refresh_token_replays()), (3, 0));
}

#[tokio::test]
async fn scopes_that_were_taken_away_are_told() {
    let org = rotating();
    let (manager, _) = connected(&org).await;
    let http = Reqwest::new();
    let lost = async || {
        let TokenState::Alive { lost_scopes, .. } = manager.state().await.expect("read") else { panic!("alive") };
        lost_scopes.map(|scopes| scopes.to_string())
    };
    let token = manager.fetch(&http, None).await.expect("first token");
    assert_eq!(lost().await, None);
    org.withhold_scopes("api");
    let token = manager.fetch(&http, Some(&token)).await.expect("renewed");
    assert_eq!(lost().await.as_deref(), Some("api"));
    org.withhold_scopes("");
    manager.fetch(&http, Some(&token)).await.expect("renewed");
    assert_eq!(lost().await, None);
}
