//! The registry of connections, on the mock org.

mod disconnect;
mod events;
mod moody;
mod races;
mod settings;
mod store_faults;

use std::sync::Arc;

use serde_json::json;
use sforce::auth::{ConnectError, ConnectRequest, LoginHost};
use sforce::connections::{Connection, ConnectionStatus, Connections, ConnectionsBuilder, Revoked};
use sforce::store::{Batch, EncryptedStore, EncryptionKey, Expect, Keyring, MemoryStore, Store};
use sforce::testing::org::{AppSpec, MockOrg, Operation, TestApp};
use sforce::{ErrorKind, ReauthReason};

use crate::support::SharedClock;

const CALLBACK: &str = "http://localhost:8400/callback";

fn product() -> AppSpec {
    AppSpec::new("Product").any_loopback().rotate_refresh_tokens()
}

struct World {
    org: MockOrg,
    store: Arc<MemoryStore>,
    app: TestApp,
}

impl World {
    fn new() -> Self {
        let org = MockOrg::start();
        let app = org.add_app(product());
        Self { org, store: Arc::new(MemoryStore::default()), app }
    }

    /// The registry as another process has it.
    fn registry(&self) -> Connections {
        self.builder(Arc::clone(&self.store)).build().expect("a registry")
    }

    fn builder(&self, store: impl Store) -> ConnectionsBuilder {
        Connections::builder(&self.app.client_id, CALLBACK, store)
            .client_secret(self.app.client_secret.as_str())
            .allow_loopback()
    }

    /// The consents to the app that live.
    fn approvals(&self) -> usize {
        self.org.approvals().iter().filter(|one| one.client_id == self.app.client_id).count()
    }

    /// The tokens that stand in the store in the clear.
    async fn stored_tokens(&self) -> usize {
        let entries = self.store.scan("", None, 1000).await.expect("scans");
        let count =
            |text: &str| text.matches("5Aep").count() + text.matches("00D").filter(|_| text.contains("!AQ")).count();
        entries.iter().map(|entry| count(&String::from_utf8_lossy(&entry.value))).sum()
    }

    fn request(&self, tenant: &str, id: &str) -> ConnectRequest {
        let login = LoginHost::allowing_loopback(&self.org.base_url()).expect("loopback");
        ConnectRequest::new(tenant, login).connection(id)
    }

    async fn callback(&self, url: &str) -> String {
        browse(url).await
    }

    async fn connect(&self, registry: &Connections, tenant: &str, id: &str) -> Result<Connection, ConnectError> {
        let authorize = registry.begin(self.request(tenant, id)).await?;
        registry.finish(tenant, &self.callback(authorize.url.as_str()).await).await
    }
}

/// What the browser comes back with.
async fn browse(url: &str) -> String {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let answer = client.expect("a client").get(url).send().await.expect("answers");
    let location = answer.headers().get("location").expect("a redirect").to_str().expect("text").to_owned();
    location.split_once('?').expect("a query").1.to_owned()
}

#[tokio::test]
async fn one_service_holds_many_orgs_each_with_settings_and_a_default() {
    let world = World::new();
    let registry = world.registry();
    world.connect(&registry, "tenant1", "salesdepartment").await.expect("connects");
    world.connect(&registry, "tenant1", "support").await.expect("connects");
    world.connect(&registry, "t2", "default").await.expect("connects");

    registry.set_settings("tenant1", "support", &json!({"schedule": "hourly"})).await.expect("kept");
    let other_process = world.registry();
    let listed = other_process.list("tenant1").await.expect("lists");
    assert_eq!(listed.iter().map(|info| info.id.as_str()).collect::<Vec<_>>(), ["salesdepartment", "support"]);
    assert_eq!(listed[1].settings::<serde_json::Value>().expect("reads"), Some(json!({"schedule": "hourly"})));
    assert_eq!(listed[0].settings::<serde_json::Value>().expect("reads"), None);
    assert_eq!(other_process.list("t2").await.expect("lists").len(), 1, "a tenant sees its own");
    assert!(other_process.get("t2", "salesdepartment").await.expect("reads").is_none());

    let default = other_process.default_of("tenant1").await.expect("reads").expect("the first one");
    assert_eq!(default.info().id, "salesdepartment");
    other_process.set_default("tenant1", "support").await.expect("chosen");
    assert_eq!(registry.default_of("tenant1").await.expect("reads").expect("there").info().id, "support");
    assert_eq!(registry.set_default("tenant1", "none").await.expect_err("unknown").kind(), ErrorKind::NotFound);

    // No key of the store names a tenant, a connection or a person. Keys have letters by chance, so the names are long.
    for entry in world.store.scan("", None, 1000).await.expect("scans") {
        assert!(
            !entry.key.as_str().contains("tenant1") && !entry.key.as_str().contains("salesdepartment"),
            "{:?}",
            entry.key
        );
    }
}

#[tokio::test]
async fn nav_17_a_connection_says_who_it_works_as() {
    let world = World::new();
    let connection = world.connect(&world.registry(), "t1", "default").await.expect("connects");
    let who = connection.identify().await.expect("identifies");
    assert_eq!(who.org_id.as_str(), world.org.org_id());
    assert_eq!((who.username.as_str(), who.sandbox), (world.org.username().as_str(), false));
    assert!(who.profile.is_some() && who.licence.is_some() && !who.is_integration_user(), "{who:?}");
}

#[tokio::test]
async fn smv_46_a_reconnect_to_another_org_says_so_and_leaves_the_connection_alone() {
    let world = World::new();
    let registry = world.registry();
    world.connect(&registry, "t1", "default").await.expect("connects");
    let other = MockOrg::builder().number(2).start();
    other.install_app(product(), &world.app);
    let login = LoginHost::allowing_loopback(&other.base_url()).expect("loopback");
    let authorize = registry.begin(ConnectRequest::new("t1", login)).await.expect("begins");
    let error = registry.finish("t1", &world.callback(authorize.url.as_str()).await).await.expect_err("another org");
    let ConnectError::WrongOrg { expected, found } = &error else { panic!("{error:?}") };
    assert_eq!((expected.as_str(), found.as_str()), (world.org.org_id().as_str(), other.org_id().as_str()));
    assert!(error.advice().contains("remove this connection"));
    let given = other.approvals().iter().filter(|one| one.client_id == world.app.client_id).count();
    assert_eq!((other.calls(Operation::Revoke) > 0, given), (true, 0), "nobody holds the other org's tokens");
    let kept = registry.get("t1", "default").await.expect("reads").expect("there");
    kept.client().check_api_access().await.expect("works as before");
    world.connect(&registry, "t1", "default").await.expect("the right org, by the same registry");
    kept.client().check_api_access().await.expect("goes on");
}

#[tokio::test]
async fn nav_42_a_disconnect_revokes_purges_and_stops_all_work_and_a_reconnect_finds_its_state() {
    let world = World::new();
    let registry = world.registry();
    let connection = world.connect(&registry, "t1", "default").await.expect("connects");
    registry.set_settings("t1", "default", &json!({"map": 7})).await.expect("kept");
    let worker = connection.client().clone();
    worker.check_api_access().await.expect("works");

    let done = registry.disconnect("t1", "default").await.expect("disconnects");
    assert!(matches!(done.revoked, Revoked::Yes), "{:?}", done.revoked);
    assert!(done.remains().iter().any(|line| line.contains("stay there")));
    let requests = world.org.requests().len();
    let error = worker.check_api_access().await.expect_err("stopped");
    assert_eq!((error.kind(), error.reauth_reason()), (ErrorKind::ReauthRequired, Some(ReauthReason::Disconnected)));
    assert_eq!(world.org.requests().len(), requests, "without a request");
    assert_eq!(registry.status("t1", "default").await.expect("reads"), ConnectionStatus::Disconnected);
    for entry in world.store.scan("", None, 1000).await.expect("scans") {
        let value = String::from_utf8_lossy(&entry.value);
        assert!(!value.contains("5Aep") && !value.contains("00D!"), "a token is left in {:?}", entry.key);
    }
    registry.disconnect("t1", "default").await.expect("may be repeated");

    let again = world.connect(&registry, "t1", "default").await.expect("reconnects");
    assert_eq!(again.info().settings::<serde_json::Value>().expect("reads"), Some(json!({"map": 7})));
    again.client().check_api_access().await.expect("works");
    worker.check_api_access().await.expect_err("work of the time before stays stopped");
    assert_eq!(registry.status("t1", "default").await.expect("reads"), ConnectionStatus::Connected);

    assert_eq!(registry.forget("t1", "default").await.expect_err("in use").kind(), ErrorKind::Conflict);
    registry.disconnect("t1", "default").await.expect("disconnects");
    registry.forget("t1", "default").await.expect("forgets");
    assert!(registry.list("t1").await.expect("lists").is_empty());
    assert!(registry.default_of("t1").await.expect("reads").is_none());
}

#[tokio::test]
async fn nav_38_a_revocation_in_salesforce_shows_as_a_connection_to_make_again() {
    let world = World::new();
    let registry = world.registry();
    let connection = world.connect(&registry, "t1", "default").await.expect("connects");
    world.org.change_app(&world.app.client_id, AppSpec::refresh_tokens_expire_at_once);
    world.org.expire_access_tokens();
    let error = connection.client().check_api_access().await.expect_err("revoked");
    assert_eq!(error.kind(), ErrorKind::ReauthRequired);
    let status = registry.status("t1", "default").await.expect("reads");
    assert_eq!(status, ConnectionStatus::ReauthRequired(ReauthReason::Refused));
    world.connect(&registry, "t1", "default").await.expect("connects again");
    assert_eq!(registry.status("t1", "default").await.expect("reads"), ConnectionStatus::Connected);
}

#[tokio::test]
async fn smv_46_the_other_environment_is_told_before_the_browser_is_sent_anywhere() {
    let world = World::new();
    let registry = world.registry();
    world.connect(&registry, "t1", "default").await.expect("connects");
    // The mock org's host tells no environment; a stored connection of a sandbox has one.
    let mut page = world.store.scan("connection/", None, 10).await.expect("scans");
    let entry = page.remove(0);
    let text = String::from_utf8(entry.value.to_vec()).expect("text").replace(r#""sandbox":null"#, r#""sandbox":true"#);
    let put = Batch::new().put(entry.key, text, Expect::Version(entry.version));
    assert!(world.store.commit(put).await.expect("put").is_applied());
    let error = registry.begin(ConnectRequest::new("t1", LoginHost::production())).await.expect_err("the other kind");
    assert!(matches!(error, ConnectError::WrongEnvironment { .. }), "{error:?}");
    registry.begin(ConnectRequest::new("t1", LoginHost::sandbox())).await.expect("the right kind");
}

#[tokio::test]
async fn a_connection_says_so_when_another_org_answers() {
    let world = World::new();
    let connection = world.connect(&world.registry(), "t1", "default").await.expect("connects");
    let elsewhere = |answer: &mut serde_json::Value| {
        if let Some(id) =
            answer.pointer_mut("/records/0/Id").filter(|id| id.as_str().is_some_and(|id| id.starts_with("00D")))
        {
            *id = json!("00D5g00000ABCDEEA5");
        }
    };
    world.org.faults().on(Operation::Query).edit(elsewhere).times(2);
    let error = connection.identify().await.expect_err("another org");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    connection.identify().await.expect("the right one");
}

#[tokio::test]
async fn a_clock_that_is_an_hour_off_is_told_and_a_login_has_its_time() {
    let world = World::new();
    let (early, late) = (SharedClock::default(), SharedClock::default());
    late.0.advance(std::time::Duration::from_hours(1));
    let registry =
        |clock: &SharedClock| world.builder(Arc::clone(&world.store)).clock(clock.clone()).build().expect("one");
    let ahead = registry(&late).begin(world.request("t1", "default")).await.expect("begun");
    let error = registry(&early).finish("t1", &world.callback(ahead.url.as_str()).await).await.expect_err("ahead");
    assert!(matches!(error, ConnectError::ClockSkew { .. }), "{error:?}");
    let behind = registry(&early).begin(world.request("t1", "default")).await.expect("begun");
    let error = registry(&late).finish("t1", &world.callback(behind.url.as_str()).await).await.expect_err("behind");
    assert!(matches!(error, ConnectError::Expired { .. }), "{error:?}");
    assert_eq!(world.org.token_requests(), 0);

    // A connection does not care whose clock is right.
    let connection = world.connect(&registry(&late), "t1", "default").await.expect("connects");
    let other = registry(&early).get("t1", "default").await.expect("reads").expect("there");
    for client in [connection.client(), other.client()] {
        world.org.expire_access_tokens();
        client.check_api_access().await.expect("works");
    }
    registry(&early).disconnect("t1", "default").await.expect("disconnects");

    let brief =
        world.builder(Arc::clone(&world.store)).clock(early.clone()).time_limit(std::time::Duration::from_mins(2));
    let brief = brief.build().expect("a registry");
    let authorize = brief.begin(world.request("t1", "default")).await.expect("begun");
    early.0.advance(std::time::Duration::from_secs(121));
    let error = brief.finish("t1", &world.callback(authorize.url.as_str()).await).await.expect_err("late");
    assert!(matches!(error, ConnectError::Expired { .. }), "{error:?}");
}

#[tokio::test]
async fn what_a_newer_version_has_stored_or_nobody_can_read_is_told_and_left_alone() {
    for (value, words) in [(r#"{"format":9,"body":{}}"#, "newer format"), ("hunter2", "not in an envelope")] {
        let world = World::new();
        let registry = world.registry();
        world.connect(&registry, "t1", "default").await.expect("connects");
        let query =
            world.callback(registry.begin(world.request("t1", "default")).await.expect("begun").url.as_str()).await;
        let key = world.store.scan("connection/", None, 10).await.expect("scans").remove(0).key;
        let put = Batch::new().put(key.clone(), value, Expect::Any);
        assert!(world.store.commit(put).await.expect("put").is_applied());

        let told = |error: &sforce::Error| {
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, sforce::Retry::Never));
            assert!(error.to_string().contains(words) && !format!("{error:?}").contains("hunter2"), "{error}");
        };
        told(&registry.get("t1", "default").await.expect_err("get"));
        told(&registry.list("t1").await.expect_err("list"));
        told(&registry.status("t1", "default").await.expect_err("status"));
        told(&registry.set_settings("t1", "default", &1).await.expect_err("settings"));
        told(&registry.disconnect("t1", "default").await.expect_err("disconnect"));
        told(&registry.forget("t1", "default").await.expect_err("forget"));
        for error in [
            registry.begin(world.request("t1", "default")).await.expect_err("begin"),
            registry.finish("t1", &query).await.expect_err("finish"),
        ] {
            assert!(matches!(error, ConnectError::StoreBroken(_)) && error.advice().contains("support"), "{error:?}");
        }
        assert_eq!(world.store.get(&[key]).await.expect("read")[0].as_ref().expect("there").value, value);
        assert_eq!(world.approvals(), 1, "the new tokens are revoked, as nobody keeps them");

        // A person decides.
        registry.forget_unreadable("t1", "default").await.expect("deleted");
        let again = world.connect(&registry, "t1", "default").await.expect("connects anew");
        again.client().check_api_access().await.expect("works");
        let error = registry.forget_unreadable("t1", "default").await.expect_err("can be read");
        assert_eq!(error.kind(), ErrorKind::Conflict);
    }
}

#[tokio::test]
async fn a_connection_whose_key_is_gone_can_be_made_anew() {
    let world = World::new();
    let registry = |name: &str| {
        let keys = Keyring::new(EncryptionKey::generate(name).expect("a key"));
        world.builder(EncryptedStore::new(Arc::clone(&world.store), keys)).build().expect("a registry")
    };
    let (before, after) = (registry("k1"), registry("k2"));
    world.connect(&before, "t1", "default").await.expect("connects");
    let error = after.begin(world.request("t1", "default")).await.expect_err("the key is gone");
    assert!(matches!(error, ConnectError::StoreBroken(_)), "{error:?}");
    after.forget_unreadable("t1", "default").await.expect("deleted");
    let connection = world.connect(&after, "t1", "default").await.expect("connects anew");
    connection.client().check_api_access().await.expect("works");
    assert_eq!(after.default_of("t1").await.expect("reads").expect("the first one").info().id, "default");
    let refused = before.get("t1", "default").await.expect_err("under the new key");
    assert_eq!(refused.retry(), sforce::Retry::Never);
}
