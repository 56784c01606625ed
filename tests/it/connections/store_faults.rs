//! A store that is down or unsure at each step of a connect, a reconnect, a disconnect and a forget.

use sforce::auth::ConnectError;
use sforce::connections::{ConnectionStatus, Connections, Revoked};
use sforce::{Effect, ErrorKind};

use super::World;
use super::moody::{Fault, Moody};
use crate::support::SharedClock;

const FAULTS: [Fault; 3] = [Fault::Down, Fault::LostBefore, Fault::LostAfter];

/// More than the calls of any one of them.
const STEPS: usize = 14;

/// A registry over a store of moods; its waiting takes no time.
fn moody(world: &World) -> (Connections, Moody) {
    let store = Moody::over(&world.store);
    let registry = world.builder(store.clone()).clock(SharedClock::default()).build().expect("a registry");
    (registry, store)
}

/// A process that starts now finds a connection that works, also after its access token has ended.
async fn works(world: &World, case: &str) {
    let registry = world.registry();
    for _ in 0..2 {
        let connection = registry.get("t1", "default").await.expect("reads").unwrap_or_else(|| panic!("{case}: there"));
        connection.client().check_api_access().await.unwrap_or_else(|error| panic!("{case}: {error}"));
        world.org.expire_access_tokens();
    }
    assert_eq!(registry.status("t1", "default").await.expect("reads"), ConnectionStatus::Connected, "{case}");
    assert_eq!(world.org.refresh_token_replays(), 0, "{case}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_once_at_any_step_costs_no_connect_and_no_reconnect() {
    for fault in FAULTS {
        for step in 0..STEPS {
            let case = format!("{fault:?} at step {step}");
            let world = World::new();
            let (registry, store) = moody(&world);
            for round in ["connect", "reconnect"] {
                let case = format!("{round}, {case}");
                let begun = registry.begin(world.request("t1", "default")).await.expect("begun");
                let query = world.callback(begun.url.as_str()).await;
                store.once(step, fault);
                let mut result = registry.finish("t1", &query).await;
                if let Err(error) = &result
                    && error.is_repeatable()
                {
                    result = registry.finish("t1", &query).await;
                }
                result.unwrap_or_else(|error| panic!("{case}: {error:?}"));
                store.mend();
                works(&world, &case).await;
                let _ = registry.revoke_owed().await.expect("asked");
                assert_eq!(world.approvals(), 1, "{case}: what was replaced is revoked");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_goes_down_during_a_reconnect_leaves_a_connection_that_works() {
    for fault in FAULTS {
        for step in 0..STEPS {
            let case = format!("{fault:?} from step {step} on");
            let world = World::new();
            world.connect(&world.registry(), "t1", "default").await.expect("connects");
            let (registry, store) = moody(&world);
            let begun = registry.begin(world.request("t1", "default")).await.expect("begun");
            let query = world.callback(begun.url.as_str()).await;
            store.from(step, fault);
            let result = registry.finish("t1", &query).await;
            store.mend();
            works(&world, &case).await;
            match result {
                Ok(_) => {}
                Err(ConnectError::Store(error)) => {
                    if error.effect() == Effect::None {
                        assert_eq!(world.approvals(), 1, "{case}: tokens that surely nobody keeps are revoked");
                    }
                }
                Err(error) => panic!("{case}: {error:?}"),
            }
        }
    }
}

#[tokio::test]
async fn tokens_that_surely_were_not_stored_are_revoked_and_those_that_may_have_been_are_not() {
    for (fault, approvals) in [(Fault::Down, 1), (Fault::LostBefore, 2), (Fault::LostAfter, 1)] {
        let world = World::new();
        world.connect(&world.registry(), "t1", "default").await.expect("connects");
        let (registry, store) = moody(&world);
        let begun = registry.begin(world.request("t1", "default")).await.expect("begun");
        let query = world.callback(begun.url.as_str()).await;
        // Two reads and a commit of the claim, and three reads before the commit of the connection.
        store.from(6, fault);
        let error = registry.finish("t1", &query).await.expect_err("down");
        let ConnectError::Store(source) = &error else { panic!("{error:?}") };
        let unknown = fault != Fault::Down;
        assert_eq!(source.effect() == Effect::Unknown, unknown, "{fault:?}");
        assert!(!error.is_repeatable(), "the code was redeemed");
        store.mend();
        works(&world, &format!("{fault:?}")).await;
        world.registry().revoke_owed().await.expect("asked");
        assert_eq!(world.approvals(), approvals, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_once_at_any_step_costs_no_disconnect_and_no_forget() {
    for fault in FAULTS {
        for step in 0..STEPS {
            let case = format!("{fault:?} at step {step}");
            let world = World::new();
            world.connect(&world.registry(), "t1", "default").await.expect("connects");
            let (registry, store) = moody(&world);
            store.once(step, fault);
            let done = registry.disconnect("t1", "default").await.unwrap_or_else(|error| panic!("{case}: {error}"));
            store.mend();
            if !matches!(done.revoked, Revoked::Yes) {
                assert!(matches!(done.revoked, Revoked::No(_)), "{case}: {:?}", done.revoked);
                let again = registry.disconnect("t1", "default").await.expect("again").revoked;
                assert!(matches!(again, Revoked::Yes), "{case}: {again:?}");
            }
            let _ = registry.disconnect("t1", "default").await.expect("and again");
            assert_eq!((world.approvals(), world.stored_tokens().await), (0, 0), "{case}");
            let status = registry.status("t1", "default").await.expect("reads");
            assert_eq!(status, ConnectionStatus::Disconnected, "{case}");

            store.once(step, fault);
            registry.forget("t1", "default").await.unwrap_or_else(|error| panic!("{case}: {error}"));
            store.mend();
            assert!(registry.get("t1", "default").await.expect("reads").is_none(), "{case}");
            assert!(registry.default_of("t1").await.expect("reads").is_none(), "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_at_any_step_of_a_disconnect_leaves_no_token_that_nobody_revokes() {
    for fault in FAULTS {
        for step in 0..STEPS {
            let case = format!("{fault:?} from step {step} on");
            let world = World::new();
            world.connect(&world.registry(), "t1", "default").await.expect("connects");
            let (registry, store) = moody(&world);
            store.from(step, fault);
            match registry.disconnect("t1", "default").await {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::Store, "{case}"),
            }
            // Another process.
            let done = world.registry().disconnect("t1", "default").await.expect("disconnects");
            assert!(matches!(done.revoked, Revoked::Yes | Revoked::NothingToRevoke), "{case}: {:?}", done.revoked);
            assert_eq!((world.approvals(), world.stored_tokens().await), (0, 0), "{case}");
        }
    }
}

#[tokio::test]
async fn the_steps_of_the_matrix_are_all_there_are() {
    let world = World::new();
    let (registry, store) = moody(&world);
    let begun = registry.begin(world.request("t1", "default")).await.expect("begun");
    let query = world.callback(begun.url.as_str()).await;
    for step in ["connect", "disconnect", "forget"] {
        let before = store.calls();
        match step {
            "connect" => drop(registry.finish("t1", &query).await.expect("connects")),
            "disconnect" => drop(registry.disconnect("t1", "default").await.expect("disconnects")),
            _ => registry.forget("t1", "default").await.expect("forgets"),
        }
        assert!(store.calls() - before < STEPS, "{step} makes {} calls", store.calls() - before);
    }
}
