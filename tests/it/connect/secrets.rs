//! No flow shows a secret: not in logs at any level, not in Debug or Display, not in an error or what lies below it.

use std::collections::HashSet;
use std::fmt::{Debug, Display, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};
use sforce::audit::MemoryAudit;
use sforce::auth::{
    AccessToken, ClientCredentials, ConnectError, Grant, JwtBearer, StaticToken, TokenManager, TokenProvider,
    fetch_identity, introspect, revoke,
};
use sforce::connections::Connections;
use sforce::http::{Body, HttpService, Request, Reqwest, Response};
use sforce::store::{Batch, EncryptedStore, EncryptionKey, Expect, Key, Keyring, MemoryStore, RedbStore, Store};
use sforce::testing::org::{FaultOn, FaultWhen, MockOrg, Operation};
use sforce::types::Secret;
use sforce::{Client, Result};
use tracing::field::{Field, Visit};
use tracing::span;

use super::{CALLBACK, TENANT, app, browse, builder, login, parameter, request};
use crate::stores::encrypted::keyring;
use crate::stores::postgres::{config, drop_schema, open};
use crate::stores::{Folder, unique};

/// Everything that was logged by anybody while it listens.
static LOGGED: Mutex<String> = Mutex::new(String::new());
static LISTENING: AtomicBool = AtomicBool::new(false);

fn logged(text: &str) {
    if LISTENING.load(Ordering::SeqCst) {
        let mut logged = LOGGED.lock().expect("not poisoned");
        logged.push_str(text);
        logged.push('\n');
    }
}

struct Listener;

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").expect("text");
    }
}

impl tracing::Subscriber for Listener {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut fields = Fields(attributes.metadata().name().to_owned());
        attributes.record(&mut fields);
        logged(&fields.0);
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        logged(&fields.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(event.metadata().target().to_owned());
        event.record(&mut fields);
        logged(&fields.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl log::Log for Listener {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        logged(&format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Listener).expect("the only one");
        log::set_logger(&Listener).expect("the only one");
        log::set_max_level(log::LevelFilter::Trace);
    });
    LISTENING.store(true, Ordering::SeqCst);
}

/// Sends requests, and keeps every secret that goes out or comes in.
#[derive(Clone)]
struct Spy {
    http: Reqwest,
    secrets: Arc<Mutex<Vec<String>>>,
}

impl Debug for Spy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spy")
    }
}

impl Spy {
    fn keep(&self, secret: &str) {
        let mut secrets = self.secrets.lock().expect("not poisoned");
        if !secret.is_empty() && !secrets.iter().any(|known| known == secret) {
            secrets.push(secret.to_owned());
        }
    }
}

#[async_trait]
impl HttpService for Spy {
    async fn send(&self, request: Request) -> Result<Response> {
        show_debug(&request);
        if let Body::Bytes(body) = &request.body {
            for (name, value) in url::form_urlencoded::parse(body) {
                let secret = ["code", "code_verifier", "client_secret", "refresh_token", "assertion", "token"];
                if secret.contains(&name.as_ref()) {
                    self.keep(&value);
                }
            }
        }
        if let Some(value) = request.headers.get("authorization") {
            self.keep(value.to_str().expect("text").split_once(' ').expect("a scheme").1);
        }
        let Response { status, headers, body } = self.http.send(request).await?;
        let body = body.collect(1 << 20).await?;
        if let Ok(Value::Object(members)) = serde_json::from_slice(&body) {
            for name in ["access_token", "refresh_token", "signature"] {
                if let Some(secret) = members.get(name).and_then(Value::as_str) {
                    self.keep(secret);
                }
            }
        }
        let response = Response { status, headers, body: body.into() };
        show_debug(&response);
        Ok(response)
    }
}

fn show_debug(value: &impl Debug) {
    logged(&format!("{value:?}"));
    logged(&format!("{value:#?}"));
}

/// An error with all that lies below it.
fn show_error(error: &dyn std::error::Error) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        logged(&format!("{error} {error:?} {error:#?}"));
        cause = error.source();
    }
}

fn show<T: Debug, E: std::error::Error>(result: std::result::Result<T, E>) -> Option<T> {
    match result {
        Ok(value) => {
            show_debug(&value);
            Some(value)
        }
        Err(error) => {
            show_error(&error);
            None
        }
    }
}

fn show_connect<T: Debug>(result: std::result::Result<T, ConnectError>) -> Option<T> {
    if let Err(error) = &result {
        logged(error.advice());
        show_error(&sforce::Error::from(error.clone()));
    }
    show(result)
}

/// Pieces of this length are looked for, wherever in a secret they begin. Shorter ones pass: among the texts in which hashes and
/// random ids stand they would be found by chance.
const PIECE: usize = 12;

/// The forms in which a secret could get out.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![
        secret.to_owned(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string(),
        secret.bytes().fold(String::new(), |text, byte| format!("{text}{byte:02x}")),
        format!("{:?}", secret.as_bytes()),
        format!("{secret:?}"),
        secret.escape_default().to_string(),
    ];
    // base64 has three forms, by where in a text the secret begins; the ends depend on what stands beside.
    for start in 0..3 {
        let bytes = [&b"\0\0"[..start], secret.as_bytes()].concat();
        for text in [STANDARD.encode(&bytes), URL_SAFE.encode(&bytes)] {
            let end = text.trim_end_matches('=').len();
            forms.push(text.get(4.min(end)..end.saturating_sub(3)).unwrap_or_default().to_owned());
        }
    }
    forms
}

fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.windows(PIECE)
}

/// Which secrets stand in a text, in whatever form.
fn found(text: &str, secrets: &[String]) -> Vec<String> {
    let known: HashSet<&[u8]> = pieces(text.as_bytes()).collect();
    let stands = |secret: &&String| {
        let form = forms(secret);
        form.iter().any(|form| pieces(form.as_bytes()).any(|piece| known.contains(piece)))
    };
    secrets.iter().filter(stands).cloned().collect()
}

#[test]
fn a_piece_of_a_secret_is_found_in_any_form() {
    let secret = "5Aep861=secret+with/every sign\u{e9}&%\n-and more".to_owned();
    for form in forms(&secret) {
        let shown = format!("some text before {form} and after");
        assert_eq!(found(&shown, std::slice::from_ref(&secret)), [secret.as_str()], "{form}");
    }
    let pair = STANDARD.encode(format!("id:{secret}"));
    assert_eq!(found(&pair, std::slice::from_ref(&secret)).len(), 1, "HTTP Basic");
    assert_eq!(found(&format!("...{}...", &secret[10..24]), std::slice::from_ref(&secret)).len(), 1);
    assert!(found("nothing of it, only 5Aep861=", std::slice::from_ref(&secret)).is_empty());
}

const KEY: &str = include_str!("../../fixtures/test-only-rsa-key.pem");
const CERTIFICATE: &str = include_str!("../../fixtures/test-only-rsa-cert.pem");

/// The life of a connection's tokens in a store: granted, renewed, refused in every way, ended.
async fn manager(org: &MockOrg, spy: &Spy, store: impl Store + Clone) {
    let test_app = org.add_app(app().rotate_refresh_tokens());
    let seed = org.approve(&test_app.client_id, &org.user_id(), "api refresh_token");
    for secret in [&test_app.client_secret, &seed] {
        spy.keep(secret);
    }
    let name = Key::new(format!("tokens/{}", unique())).expect("short");
    let builder = || {
        TokenManager::builder(login(org), &test_app.client_id)
            .client_secret(test_app.client_secret.as_str())
            .refresh_token(seed.as_str())
            .min_renewal_interval(Duration::ZERO)
            .store(store.clone(), name.clone())
    };
    show_debug(&builder());
    let manager = builder().build().expect("a manager");
    show_debug(&manager);
    show_debug(&store);
    let mut token = show(manager.fetch(spy, None).await).expect("the seed works");
    token = show(manager.fetch(spy, Some(&token)).await).expect("renewed");
    show(manager.state().await);
    let entry = store.get(std::slice::from_ref(&name)).await.expect("read");
    show_debug(&entry);
    // With the token that is sent: servers repeat such.
    let faults: [for<'a> fn(FaultOn<'a>, &str) -> FaultWhen<'a>; 9] = [
        |on, _| on.status(503),
        |on, _| on.truncate(150),
        |on, sent| on.oauth_error("server_error", &format!("no: {sent}")),
        |on, sent| on.oauth_error("invalid_grant", &format!("expired access/refresh token {sent}")),
        |on, _| on.without_member("instance_url"),
        |on, _| on.with_member("instance_url", json!("https://evil.com")),
        |on, _| on.with_member("access_token", json!("a b")),
        |on, _| on.with_member("refresh_token", json!("")),
        |on, _| on.with_member("access_token", json!({"a": 1})),
    ];
    for fault in faults {
        // A connection of its own, as some of these end it or hold it up.
        let sent = org.approve(&test_app.client_id, &org.user_id(), "api refresh_token");
        let grant = Grant::new(sent.as_str());
        show_debug(&grant.clone().access_token(token.clone()));
        show(manager.connect(&grant).await);
        fault(org.faults().on(Operation::Token), &sent).once();
        show(manager.fetch(spy, None).await);
        show(manager.state().await);
        show(builder().build().expect("a manager").fetch(spy, Some(&token)).await);
    }
    let purged = show(manager.disconnect().await).expect("stored");
    for secret in purged.refresh_token.iter().chain(&purged.access_token) {
        spy.keep(secret.expose());
    }
    show(purged.revoke(spy, &login(org)).await);
    show(manager.fetch(spy, None).await);
    // What cannot be read.
    let damaged = Batch::new().put(name.clone(), format!("{{\"format\":1,\"body\":\"{seed}\"}}"), Expect::Any);
    show_debug(&damaged);
    show_debug(&store.commit(damaged).await);
    show(manager.fetch(spy, None).await);
    show(manager.state().await);
}

/// Keys, and values that they do not open.
async fn keys(spy: &Spy, memory: &Arc<MemoryStore>) {
    let key = EncryptionKey::generate("k1").expect("random");
    let text = key.to_base64();
    spy.keep(text.expose());
    show_debug(&key);
    show(EncryptionKey::from_base64("k2", &format!("{}x", text.expose())));
    let keys = Keyring::new(key).with_reader(EncryptionKey::from_base64("k0", text.expose()).expect("a key"));
    show_debug(&keys);
    let (store, name) = (EncryptedStore::new(Arc::clone(memory), keys), Key::new("a").expect("short"));
    show_debug(&store);
    show(store.commit(Batch::new().put(name.clone(), "a-value-that-is-secret", Expect::Any)).await);
    spy.keep("a-value-that-is-secret");
    for id in ["k1", "other"] {
        let other = EncryptionKey::generate(id).expect("random");
        spy.keep(other.to_base64().expose());
        let other = EncryptedStore::new(Arc::clone(memory), Keyring::new(other));
        show(other.get(std::slice::from_ref(&name)).await);
        show(other.scan("", None, 10).await);
        show(other.reencrypt("").await);
    }
    show(memory.commit(Batch::new().put(name.clone(), "a-value-that-is-secret", Expect::Any)).await);
    show(store.get(&[name]).await);
}

/// The registry: connected, listed, made again, refused, disconnected; and what its audit has kept.
async fn registry(org: &MockOrg, spy: &Spy) {
    let test_app = org.add_app(app().rotate_refresh_tokens());
    spy.keep(&test_app.client_secret);
    let (store, audit) = (Arc::new(MemoryStore::default()), MemoryAudit::default());
    let building = Connections::builder(&test_app.client_id, CALLBACK, Arc::clone(&store))
        .client_secret(test_app.client_secret.as_str())
        .allow_loopback()
        .audit(audit.clone())
        .http(spy.clone());
    show_debug(&building);
    let registry = building.build().expect("a registry");
    show_debug(&registry);
    let connect = async || {
        let authorize = show_connect(registry.begin(request(org).connection("sales")).await).expect("begun");
        let query = browse(&authorize).await;
        spy.keep(parameter(&query, "state"));
        show_connect(registry.finish(TENANT, &query).await);
        show_connect(registry.finish(TENANT, &query).await);
    };
    connect().await;
    let connection = show(registry.get(TENANT, "sales").await).flatten().expect("connected");
    show(connection.identify().await);
    show(connection.client().check_api_access().await);
    org.expire_access_tokens();
    show(connection.client().check_api_access().await);
    show(registry.list(TENANT).await);
    show(registry.status(TENANT, "sales").await);
    connect().await;
    org.faults().on(Operation::Token).without_member("refresh_token").once();
    connect().await;
    for answer in ["unsupported_token_type", "server_error"] {
        org.faults().on(Operation::Revoke).oauth_error(answer, "no").always();
        let disconnected = show(registry.disconnect(TENANT, "sales").await).expect("disconnected");
        logged(&disconnected.remains().join("\n"));
        show(connection.client().check_api_access().await);
    }
    org.faults().clear();
    show(registry.revoke_owed().await);
    show(registry.forget(TENANT, "sales").await);
    let events = audit.events();
    assert!(events.len() >= 3, "connected, connected again, disconnected: {events:?}");
    for event in &events {
        show_debug(event);
        logged(&serde_json::to_string(event).expect("JSON"));
    }
    show_debug(&store.scan("", None, 100).await.expect("scanned"));
}

/// A provider that panics with what it has in its hands.
#[derive(Clone, Debug)]
struct Panics(AccessToken, ClientCredentials);

#[async_trait]
impl TokenProvider for Panics {
    async fn fetch(&self, http: &dyn HttpService, _rejected: Option<&AccessToken>) -> Result<AccessToken> {
        let error = self.1.fetch(http, None).await;
        panic!("{:?} {:?} {error:?}", self.0, self.1);
    }
}

async fn panics(org: &MockOrg, spy: &Spy) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        logged(&panic.to_string());
        before(panic);
    }));
    let token =
        AccessToken::new("00D000000000000!a-token-in-a-panic", "https://acme.my.salesforce.com").expect("a token");
    spy.keep("a-token-in-a-panic");
    let credentials = ClientCredentials::new(login(org), org.client_id(), org.client_secret()).expect("complete");
    let client = Client::builder(Panics(token, credentials)).http(spy.clone()).build().expect("a client");
    show(client.check_api_access().await);
    org.faults().on(Operation::Token).oauth_error("invalid_client", "no").once();
    show(client.check_api_access().await);
}

fn say(value: &impl Display) {
    logged(&value.to_string());
}

async fn the_dance(org: &MockOrg, spy: &Spy) {
    let test_app = org.add_app(app());
    spy.keep(&test_app.client_secret);
    let store = MemoryStore::default();
    let building = builder(&test_app, store.clone()).http(spy.clone());
    show_debug(&building);
    let flow = building.build().expect("a flow");
    let begin = async || {
        let request = request(org);
        show_debug(&request);
        let authorize = show_connect(flow.begin(&request).await).expect("begun");
        let query = browse(&authorize).await;
        spy.keep(parameter(&query, "state"));
        query
    };
    show_debug(&flow);
    let query = begin().await;
    let connected = show_connect(flow.finish(TENANT, &query).await).expect("connected");
    show_connect(flow.finish(TENANT, &query).await);
    show_connect(flow.finish("tenant-8", &query).await);
    show_connect(flow.finish(TENANT, &format!("{query}&code=x")).await);
    for fault in [
        "invalid_grant",
        "invalid_request",
        "invalid_client",
        "invalid_client_id",
        "redirect_uri_mismatch",
        "server_error",
        "something_new",
    ] {
        let query = begin().await;
        // A server that repeats what it was sent.
        let code = parameter(&query, "code");
        let text = format!("no: {code} {}", code.replace("%3D", "="));
        org.faults().on(Operation::Token).oauth_error(fault, &text).once();
        show_connect(flow.finish(TENANT, &query).await);
    }
    let query = begin().await;
    let state = parameter(&query, "state");
    show_connect(flow.finish(TENANT, &format!("error=x{state}&error_description=no+{state}&state={state}")).await);
    let faults: [fn(&MockOrg); 6] = [
        |org| org.faults().on(Operation::Token).without_member("instance_url").once(),
        |org| org.faults().on(Operation::Token).with_member("instance_url", json!("https://evil.com")).once(),
        |org| org.faults().on(Operation::Token).with_member("access_token", json!("a b")).once(),
        |org| org.faults().on(Operation::Token).truncate(150).once(),
        |org| org.faults().on(Operation::Token).apply_then_reset().once(),
        |org| org.withhold_scopes("refresh_token"),
    ];
    for fault in faults {
        let query = begin().await;
        fault(org);
        show_connect(flow.finish(TENANT, &query).await);
    }
    org.withhold_scopes("");
    show_debug(&store.scan("", None, 100).await.expect("scanned"));
    tokens(org, spy, &test_app, &connected).await;
}

async fn tokens(
    org: &MockOrg,
    spy: &Spy,
    test_app: &sforce::testing::org::TestApp,
    connected: &sforce::auth::Connected,
) {
    let (access, refresh) = (&connected.access, connected.refresh.as_ref().expect("asked for"));
    let secret = Secret::from(test_app.client_secret.as_str());
    let ask =
        async |secret: &Secret| show(introspect(spy, &connected.login, &test_app.client_id, secret, refresh).await);
    ask(&secret).await;
    ask(&Secret::from("a-secret-that-is-wrong")).await;
    show(fetch_identity(spy, access).await);
    let client = Client::builder(StaticToken::new(access.clone())).http(spy.clone()).build().expect("a client");
    show_debug(&client);
    show(client.user_info().await);
    org.expire_access_tokens();
    show(fetch_identity(spy, access).await);
    show(client.user_info().await);
    for _ in 0..2 {
        show(revoke(spy, &connected.login, refresh).await);
    }
    let echo = format!("invalid token: {}", refresh.expose());
    org.faults().on(Operation::Revoke).oauth_error("unsupported_token_type", &echo).once();
    show(revoke(spy, &connected.login, refresh).await);
}

/// Logs in with each provider, also against each of these refusals.
async fn provider(org: &MockOrg, spy: &Spy, provider: impl TokenProvider + Clone) {
    show_debug(&provider);
    let client = Client::builder(provider.clone()).http(spy.clone()).build().expect("a client");
    show(client.access_token().await);
    show(client.check_api_access().await);
    org.expire_access_tokens();
    show(client.check_api_access().await);
    show_debug(&client);
    for (code, text) in
        [("invalid_grant", "expired authorization code"), ("invalid_client", "x"), ("server_error", "x")]
    {
        org.faults().on(Operation::Token).oauth_error(code, text).once();
        show(provider.fetch(spy, None).await);
    }
    org.faults().on(Operation::Token).truncate(100).once();
    show(provider.fetch(spy, None).await);
}

#[tokio::test]
async fn nav_35_no_flow_shows_a_secret_in_logs_debug_or_errors() {
    listen();
    let org = MockOrg::start();
    let spy = Spy { http: Reqwest::new(), secrets: Arc::default() };
    the_dance(&org, &spy).await;

    let credentials = ClientCredentials::new(login(&org), org.client_id(), org.client_secret()).expect("complete");
    provider(&org, &spy, credentials.clone()).await;
    provider(&org, &spy, credentials.by_basic_header()).await;
    spy.keep(&org.client_secret());

    let jwt = org.add_app(app().certificate(CERTIFICATE).pre_authorized());
    provider(&org, &spy, JwtBearer::new(login(&org), jwt.client_id, org.username(), KEY).expect("complete")).await;
    for line in KEY.lines().filter(|line| !line.starts_with("-----")) {
        spy.keep(line);
    }

    let memory = Arc::new(MemoryStore::default());
    manager(&org, &spy, Arc::clone(&memory)).await;
    manager(&org, &spy, EncryptedStore::new(Arc::clone(&memory), keyring())).await;
    let folder = Folder::new();
    let redb = RedbStore::open(folder.file("secrets.redb")).await.expect("opens");
    manager(&org, &spy, redb.clone()).await;
    manager(&org, &spy, EncryptedStore::new(redb, keyring())).await;
    let postgres = config("nav_35_no_flow_shows_a_secret_in_logs_debug_or_errors, on PostgreSQL");
    if let Some(config) = &postgres {
        let schema = unique();
        manager(&org, &spy, open(config, &schema).await).await;
        drop_schema(config, &schema).await;
    }
    keys(&spy, &memory).await;
    registry(&org, &spy).await;
    panics(&org, &spy).await;

    show(AccessToken::new("00D000000000000!a-token-for-nobody-else", "https://evil.com"));
    show(ClientCredentials::new(sforce::auth::LoginHost::sandbox(), "id", "a-secret-for-no-host"));
    show(JwtBearer::new(login(&org), "id", "user", "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5IGF0IGFsbA==\n-----END"));
    for secret in
        ["a-token-for-nobody-else", "a-secret-for-no-host", "a-secret-that-is-wrong", "bm90IGEga2V5IGF0IGFsbA=="]
    {
        spy.keep(secret);
    }
    say(&CALLBACK);

    LISTENING.store(false, Ordering::SeqCst);
    let text = std::mem::take(&mut *LOGGED.lock().expect("not poisoned"));
    let secrets = std::mem::take(&mut *spy.secrets.lock().expect("not poisoned"));
    // It has listened to what others log, and has seen the secrets of every flow.
    assert!(text.contains("reqwest::connect starting new connection"), "the HTTP stack logs");
    assert!(postgres.is_none() || text.contains("tokio_postgres"), "the driver of PostgreSQL logs");
    assert!(text.contains("panicked at"), "a provider has panicked");
    assert!(text.contains(CALLBACK) && text.len() > 20_000);
    assert!(secrets.len() > 60, "{}", secrets.len());
    // A token begins with the org's id of 15 characters and `!`; an assertion with a header that is always the same.
    let org_id = &org.org_id()[..15];
    let secret_part = |secret: &String| {
        let part = secret.strip_prefix(org_id).unwrap_or(secret);
        part.strip_prefix("eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9").unwrap_or(part).to_owned()
    };
    let secrets: Vec<String> = secrets.iter().map(secret_part).collect();
    let shown = found(&text, &secrets);
    assert!(shown.is_empty(), "{} of {} secrets were shown: {shown:?}", shown.len(), secrets.len());
}
