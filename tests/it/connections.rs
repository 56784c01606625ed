//! The registry of connections, on the mock org.

use serde_json::json;
use sforce::auth::{ConnectError, ConnectRequest, LoginHost};
use sforce::connections::{Connection, ConnectionStatus, Connections, Revoked};
use sforce::store::{MemoryStore, Store as _};
use sforce::testing::org::{AppSpec, MockOrg};
use sforce::{ErrorKind, ReauthReason};
use std::sync::Arc;

const CALLBACK: &str = "http://localhost:8400/callback";

struct World {
    org: MockOrg,
    store: Arc<MemoryStore>,
    app: (String, String),
}

impl World {
    fn new() -> Self {
        let org = MockOrg::start();
        let app = org.add_app(AppSpec::new("Product").any_loopback().rotate_refresh_tokens());
        Self { org, store: Arc::new(MemoryStore::default()), app: (app.client_id, app.client_secret) }
    }

    /// The registry as another process has it.
    fn registry(&self) -> Connections {
        Connections::builder(&self.app.0, CALLBACK, Arc::clone(&self.store))
            .client_secret(self.app.1.clone())
            .build()
            .expect("a registry")
    }

    fn request(&self, tenant: &str, id: &str) -> ConnectRequest {
        let login = LoginHost::allowing_loopback(&self.org.base_url()).expect("loopback");
        ConnectRequest::new(tenant, login).connection(id)
    }

    /// What the browser comes back with.
    async fn callback(&self, url: &str) -> String {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        let answer = client.expect("a client").get(url).send().await.expect("answers");
        let location = answer.headers().get("location").expect("a redirect").to_str().expect("text").to_owned();
        location.split_once('?').expect("a query").1.to_owned()
    }

    async fn connect(&self, registry: &Connections, tenant: &str, id: &str) -> Result<Connection, ConnectError> {
        let authorize = registry.begin(self.request(tenant, id)).await?;
        registry.finish(tenant, &self.callback(authorize.url.as_str()).await).await
    }
}

#[tokio::test]
async fn one_service_holds_many_orgs_each_with_settings_and_a_default() {
    let world = World::new();
    let registry = world.registry();
    world.connect(&registry, "t1", "sales").await.expect("connects");
    world.connect(&registry, "t1", "support").await.expect("connects");
    world.connect(&registry, "t2", "default").await.expect("connects");

    registry.set_settings("t1", "support", &json!({"schedule": "hourly"})).await.expect("kept");
    let other_process = world.registry();
    let listed = other_process.list("t1").await.expect("lists");
    assert_eq!(listed.iter().map(|info| info.id.as_str()).collect::<Vec<_>>(), ["sales", "support"]);
    assert_eq!(listed[1].settings::<serde_json::Value>().expect("reads"), Some(json!({"schedule": "hourly"})));
    assert_eq!(listed[0].settings::<serde_json::Value>().expect("reads"), None);
    assert_eq!(other_process.list("t2").await.expect("lists").len(), 1, "a tenant sees its own");
    assert!(other_process.get("t2", "sales").await.expect("reads").is_none());

    let default = other_process.default_of("t1").await.expect("reads").expect("the first one");
    assert_eq!(default.info().id, "sales");
    other_process.set_default("t1", "support").await.expect("chosen");
    assert_eq!(registry.default_of("t1").await.expect("reads").expect("there").info().id, "support");
    assert_eq!(registry.set_default("t1", "none").await.expect_err("unknown").kind(), ErrorKind::NotFound);

    // No key of the store names a tenant, a connection or a person.
    for entry in world.store.scan("", None, 1000).await.expect("scans") {
        assert!(!entry.key.as_str().contains("t1") && !entry.key.as_str().contains("sales"), "{:?}", entry.key);
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
    let app = other.add_app(AppSpec::new("Product").any_loopback());
    let login = LoginHost::allowing_loopback(&other.base_url()).expect("loopback");
    // The app of the other org has another id, so its own registry over the same store asks.
    let elsewhere = Connections::builder(app.client_id, CALLBACK, Arc::clone(&world.store))
        .client_secret(app.client_secret)
        .build()
        .expect("a registry");
    let authorize = elsewhere.begin(ConnectRequest::new("t1", login)).await.expect("begins");
    let error = elsewhere.finish("t1", &world.callback(authorize.url.as_str()).await).await.expect_err("another org");
    let ConnectError::WrongOrg { expected, found } = &error else { panic!("{error:?}") };
    assert_eq!((expected.as_str(), found.as_str()), (world.org.org_id().as_str(), other.org_id().as_str()));
    assert!(!error.advice().is_empty());
    let kept = registry.get("t1", "default").await.expect("reads").expect("there");
    kept.client().check_api_access().await.expect("works as before");
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
    world.org.change_app(&world.app.0, AppSpec::refresh_tokens_expire_at_once);
    world.org.expire_access_tokens();
    let error = connection.client().check_api_access().await.expect_err("revoked");
    assert_eq!(error.kind(), ErrorKind::ReauthRequired);
    let status = registry.status("t1", "default").await.expect("reads");
    assert_eq!(status, ConnectionStatus::ReauthRequired(ReauthReason::Refused));
    world.connect(&registry, "t1", "default").await.expect("connects again");
    assert_eq!(registry.status("t1", "default").await.expect("reads"), ConnectionStatus::Connected);
}
