//! What is told: audit events, hooks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sforce::audit::{AuditAction, AuditEvent, AuditSink, MemoryAudit, StoreAudit};
use sforce::store::{MemoryStore, Store as _};
use sforce::testing::org::{AppSpec, Operation};
use sforce::{Error, ErrorKind, ReauthReason, Result};

use super::World;

/// What happened, without whom and when.
fn actions(events: &[AuditEvent]) -> Vec<String> {
    events.iter().map(|event| format!("{:?}", event.action)).collect()
}

#[tokio::test]
async fn nav_17_what_happens_to_a_connection_is_audited_with_who_did_it_and_as_whom_it_acts() {
    let world = World::new();
    let audit = MemoryAudit::default();
    let registry = world.builder(Arc::clone(&world.store)).audit(audit.clone()).build().expect("a registry");
    let person = registry.acting_as("user-17");
    world.connect(&person, "t1", "default").await.expect("connects");
    world.connect(&registry.acting_as("user-18"), "t1", "default").await.expect("reconnects");
    world.org.faults().on(Operation::Revoke).status(503).once();
    person.disconnect("t1", "default").await.expect("disconnects");
    registry.acting_as("nightly job").revoke_owed().await.expect("asked");
    person.forget("t1", "default").await.expect("forgets");

    let events = audit.events();
    let expected = [
        "Connected",
        "Reconnected",
        "TokensRevoked { certain: true }",
        "Disconnected",
        "TokensRevoked { certain: true }",
        "Forgotten",
    ];
    assert_eq!(actions(&events), expected);
    let actors: Vec<&str> = events.iter().map(|event| event.actor.as_deref().unwrap_or_default()).collect();
    assert_eq!(actors, ["user-17", "user-18", "user-18", "user-17", "nightly job", "user-17"]);
    for event in &events {
        assert_eq!((event.tenant.as_str(), event.connection.as_str()), ("t1", "default"));
        assert_eq!(event.org_id.as_str(), world.org.org_id());
        assert_eq!(event.user_id.map(|id| id.to_string()), Some(world.org.user_id()), "{event:?}");
    }
    let rows = serde_json::to_string(&events).expect("JSON") + &format!("{events:?}");
    for secret in ["5Aep", "!AQ", "aPrx", world.app.client_secret.as_str()] {
        assert!(!rows.contains(secret), "nav_35: {secret} in {rows}");
    }
    assert!(world.store.scan("connection", None, 10).await.expect("scans").is_empty(), "all were handed on");
}

#[tokio::test]
async fn nav_18_an_end_by_salesforce_is_told_once_per_end_whatever_the_number_of_processes() {
    let world = World::new();
    let (audit, told) = (MemoryAudit::default(), Arc::<Mutex<Vec<String>>>::default());
    let registry = || {
        let told = Arc::clone(&told);
        let builder = world.builder(Arc::clone(&world.store)).audit(audit.clone());
        let builder = builder.on_reauth_required(move |tenant, info, reason| {
            told.lock().expect("not poisoned").push(format!("{tenant} {} {reason:?}", info.id));
        });
        builder.build().expect("a registry")
    };
    let processes = [registry(), registry(), registry()];
    for round in 1..=2 {
        world.org.change_app(&world.app.client_id, |_| AppSpec::new("Product").any_loopback().rotate_refresh_tokens());
        world.connect(&processes[0], "t1", "default").await.expect("connects");
        world.org.change_app(&world.app.client_id, AppSpec::refresh_tokens_expire_at_once);
        world.org.expire_access_tokens();
        for _ in 0..3 {
            for registry in &processes {
                let connection = registry.get("t1", "default").await.expect("reads").expect("there");
                let error = connection.client().check_api_access().await.expect_err("ended");
                assert_eq!(error.reauth_reason(), Some(ReauthReason::Refused));
            }
        }
        let ends = audit.events().iter().filter(|event| matches!(event.action, AuditAction::Ended { .. })).count();
        assert_eq!((ends, told.lock().expect("not poisoned").len()), (round, round));
    }
    assert_eq!(told.lock().expect("not poisoned")[0], "t1 default Refused");
}

#[derive(Clone, Debug, Default)]
struct Reluctant {
    down: Arc<AtomicBool>,
    kept: MemoryAudit,
}

#[async_trait]
impl AuditSink for Reluctant {
    async fn record(&self, events: &[AuditEvent]) -> Result<()> {
        if self.down.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "audit", "down"));
        }
        self.kept.record(events).await
    }
}

#[tokio::test]
async fn an_audit_that_is_down_stops_nothing_and_misses_nothing() {
    let world = World::new();
    let sink = Reluctant::default();
    let registry = || world.builder(Arc::clone(&world.store)).audit(sink.clone()).build().expect("a registry");
    sink.down.store(true, Ordering::SeqCst);
    world.connect(&registry(), "t1", "default").await.expect("connects");
    registry().disconnect("t1", "default").await.expect("disconnects");
    assert!(sink.kept.events().is_empty());
    assert_eq!(registry().deliver_events().await.expect_err("down").kind(), ErrorKind::Unavailable);

    sink.down.store(false, Ordering::SeqCst);
    // The process of then is gone.
    assert_eq!(registry().deliver_events().await.expect("handed on"), 3);
    assert_eq!(registry().deliver_events().await.expect("handed on"), 0);
    let mut found = actions(&sink.kept.events());
    found.sort();
    assert_eq!(found, ["Connected", "Disconnected", "TokensRevoked { certain: true }"]);
}

#[tokio::test]
async fn events_can_be_kept_in_a_store() {
    let world = World::new();
    let audit = StoreAudit::new(MemoryStore::default());
    let registry = world.builder(Arc::clone(&world.store)).audit(audit.clone()).build().expect("a registry");
    world.connect(&registry, "t1", "default").await.expect("connects");
    let events = audit.page(None, 10).await.expect("reads");
    assert_eq!(actions(&events), ["Connected"]);
}

#[tokio::test]
async fn gpt_24_work_starts_as_soon_as_an_org_is_connected() {
    let world = World::new();
    let (started, seen) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<String>>>::default());
    let (starting, seeing) = (Arc::clone(&started), Arc::clone(&seen));
    let builder = world.builder(Arc::clone(&world.store)).after_connect(move |tenant, connection| {
        seeing.lock().expect("not poisoned").push(format!("{tenant} {}", connection.info().id));
        let (client, started) = (connection.client().clone(), Arc::clone(&starting));
        tokio::spawn(async move {
            client.check_api_access().await.expect("the first sync");
            started.fetch_add(1, Ordering::SeqCst);
        });
    });
    let registry = builder.build().expect("a registry");
    world.connect(&registry, "t1", "sales").await.expect("connects");
    while started.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    world.org.withhold_scopes("api");
    world.connect(&registry, "t1", "support").await.expect_err("not all was granted");
    assert_eq!(*seen.lock().expect("not poisoned"), ["t1 sales"], "only what was connected");
}
