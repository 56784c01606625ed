//! The orgs that customers have connected: one registry for any number of tenants.
//!
//! A tenant is a customer of the product; each has any number of connections, told apart by an id (`default` for the only one), each
//! with its own org, environment and settings. [`Connections`] connects, lists, hands out clients, and disconnects. All of it
//! lives in a [`Store`], so any number of processes share it.

mod builder;
mod connection;
mod entry;
mod identity;
mod stop;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

pub use self::builder::ConnectionsBuilder;
pub use self::connection::{Connection, ConnectionInfo, ConnectionStatus, Disconnected, Revoked};
use self::entry::{CONNECTIONS, DEFAULTS, Default, Entry, connection_key, connections_prefix, default_key, tokens_key};
pub use self::identity::OrgIdentity;
use self::stop::{StopSwitch, Stoppable};
use crate::auth::{
    AuthorizeRequest, ConnectError, ConnectFlow, ConnectRequest, Connected, Grant, LoginHost, TokenManager, TokenState,
    revoke,
};
use crate::client::Client;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::HttpService;
use crate::store::{Batch, Commit, Expect, Store, Version};
use crate::types::Secret;

/// Entries that a page of a scan holds.
const PAGE: usize = 200;

/// How often a write is tried again after another process has written the same entry.
const ATTEMPTS: usize = 20;

/// The connections of all tenants, by one app.
///
/// The first connection of a tenant becomes its default. A connection is pinned to its org: who reconnects it to another org, or to
/// another environment, gets an error that says so. A connection that was disconnected keeps its org, its settings and whatever
/// the product keeps under its id, so that a reconnect goes on where it was.
///
/// Costs no API calls but where it is said.
///
/// ```no_run
/// use sforce::auth::{ConnectRequest, LoginHost};
/// use sforce::connections::Connections;
/// use sforce::store::MemoryStore;
///
/// # #[cfg(feature = "reqwest")]
/// # async fn run(query: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::default(); // a durable and encrypted one in earnest
/// let connections = Connections::builder("client id", "https://app.example.com/salesforce/callback", store)
///     .client_secret("client secret")
///     .build()?;
///
/// // A click on Connect, and the way back:
/// let authorize = connections.begin(ConnectRequest::new("tenant-7", LoginHost::sandbox())).await?;
/// println!("send the browser to {}", authorize.url);
/// let connection = connections.finish("tenant-7", query).await?;
/// println!("connected to {}", connection.info().org_id);
///
/// // From then on, in any process:
/// if let Some(connection) = connections.default_of("tenant-7").await? {
///     let rows: Vec<sforce::types::Record> = connection.client().query("SELECT Id FROM Account").collect().await?;
///     println!("{} accounts", rows.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    client_id: String,
    client_secret: Option<Secret>,
    store: Arc<dyn Store>,
    http: Arc<dyn HttpService>,
    clock: Arc<dyn Clock>,
    flow: ConnectFlow,
    /// Clients of this process, by the key of their connection.
    live: Mutex<HashMap<String, Live>>,
}

/// A client that was handed out.
#[derive(Clone)]
struct Live {
    client: Client,
    manager: TokenManager,
    switch: StopSwitch,
}

impl Connections {
    /// Starts from the app's client id, one of its callback URLs, and the store that all processes share.
    pub fn builder(
        client_id: impl Into<String>,
        redirect_uri: impl Into<String>,
        store: impl Store,
    ) -> ConnectionsBuilder {
        ConnectionsBuilder::new(client_id.into(), redirect_uri.into(), Arc::new(store))
    }

    /// Begins to connect an org, or to reconnect one, and answers with the address to send the browser to. A connection that is
    /// known must come back with the same org.
    ///
    /// # Errors
    ///
    /// As for [`ConnectFlow::begin`]; [`ConnectError::WrongEnvironment`] when the connection's org is of another kind than was
    /// chosen.
    pub async fn begin(&self, request: ConnectRequest) -> Result<AuthorizeRequest, ConnectError> {
        let known = self.read(request.tenant(), request.connection_id()).await.map_err(ConnectError::Store)?;
        let Some((_, entry)) = known else { return self.0.flow.begin(&request).await };
        if let (Some(asked), Some(found)) = (request.environment(), entry.environment())
            && asked != found
        {
            return Err(ConnectError::WrongEnvironment { asked, found });
        }
        self.0.flow.begin(&request.expect_org(entry.org_id)).await
    }

    /// Finishes what [`begin`](Self::begin) began, with the query of the callback. The tenant comes from the session of the
    /// person at the browser.
    ///
    /// The tokens are stored before the connection is; who dies in between clicks once more. Costs one request to the token
    /// endpoint.
    ///
    /// # Errors
    ///
    /// As for [`ConnectFlow::finish`]; [`ConnectError::WrongOrg`] when another tab has connected another org meanwhile.
    pub async fn finish(&self, tenant: &str, query: &str) -> Result<Connection, ConnectError> {
        let connected = self.0.flow.finish(tenant, query).await?;
        match self.keep(tenant, &connected).await {
            Ok(connection) => Ok(connection),
            Err(error) => {
                // Tokens that nobody keeps must not stay valid.
                let token = connected.refresh.as_ref().unwrap_or_else(|| connected.access.secret());
                let _ = revoke(&self.0.http, &connected.login, token).await;
                Err(error)
            }
        }
    }

    async fn keep(&self, tenant: &str, connected: &Connected) -> Result<Connection, ConnectError> {
        let id = connected.connection.as_str();
        let Some(refresh) = &connected.refresh else {
            let advice = "ask for the scope refresh_token, and allow it in the app";
            let error = Error::new(ErrorKind::Config, "connect", "the org gave no refresh token").with_advice(advice);
            return Err(ConnectError::Config(error));
        };
        for _ in 0..ATTEMPTS {
            let before = self.read(tenant, id).await.map_err(ConnectError::Store)?;
            if let Some((_, entry)) = &before
                && entry.org_id != connected.org_id
            {
                return Err(ConnectError::WrongOrg { expected: entry.org_id, found: connected.org_id });
            }
            let mut grant = Grant::new(refresh.clone()).access_token(connected.access.clone());
            if let Some(scopes) = &connected.scopes {
                grant = grant.scopes(scopes.clone());
            }
            let manager = self.manager(tenant, id, &connected.login).map_err(ConnectError::Config)?;
            manager.connect(&grant).await.map_err(ConnectError::Store)?;
            let entry = Entry::of(id, connected, self.0.clock.now(), before.as_ref().map(|(_, entry)| entry));
            if self.commit(tenant, &entry, before.as_ref().map(|(version, _)| *version)).await? {
                // Clients of the time before have stopped for good.
                self.forget_live(tenant, id);
                let live = self.live(tenant, &entry).map_err(ConnectError::Config)?;
                return Ok(Connection::new(entry.info(), live));
            }
        }
        Err(ConnectError::Store(busy()))
    }

    /// Writes a connection, and makes it the tenant's default where there is none. Says whether nobody else wrote meanwhile.
    async fn commit(&self, tenant: &str, entry: &Entry, before: Option<Version>) -> Result<bool, ConnectError> {
        let commit = async {
            let key = default_key(tenant)?;
            let default = self.0.store.get(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
            let expected = before.map_or(Expect::Absent, Expect::Version);
            let mut batch = Batch::new().put(connection_key(tenant, &entry.id)?, CONNECTIONS.encode(entry)?, expected);
            if default.is_none() {
                let default = Default { connection: entry.id.clone() };
                batch = batch.put(key, DEFAULTS.encode(&default)?, Expect::Absent);
            }
            Ok(self.0.store.commit(batch).await?.is_applied())
        };
        commit.await.map_err(ConnectError::Store)
    }

    /// A connection, connected or not, by its id. One read of the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`].
    pub async fn get(&self, tenant: &str, id: &str) -> Result<Option<Connection>> {
        let Some((_, entry)) = self.read(tenant, id).await? else { return Ok(None) };
        let live = self.live(tenant, &entry)?;
        Ok(Some(Connection::new(entry.info(), live)))
    }

    /// The tenant's default connection: its first one, unless another was chosen. Two reads of the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`].
    pub async fn default_of(&self, tenant: &str) -> Result<Option<Connection>> {
        let entry = self.0.store.get(&[default_key(tenant)?]).await?.into_iter().next().flatten();
        match entry {
            Some(entry) => self.get(tenant, &DEFAULTS.decode(&entry.value)?.connection).await,
            None => Ok(None),
        }
    }

    /// Chooses the tenant's default connection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for an id that the tenant has not; [`ErrorKind::Store`].
    pub async fn set_default(&self, tenant: &str, id: &str) -> Result<()> {
        if self.read(tenant, id).await?.is_none() {
            return Err(unknown(id));
        }
        let default = Default { connection: id.to_owned() };
        let batch = Batch::new().put(default_key(tenant)?, DEFAULTS.encode(&default)?, Expect::Any);
        self.0.store.commit(batch).await.map(drop)
    }

    /// All connections of a tenant, ordered by id. One read of the store per 200.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`].
    pub async fn list(&self, tenant: &str) -> Result<Vec<ConnectionInfo>> {
        let prefix = connections_prefix(tenant);
        let (mut found, mut after): (Vec<ConnectionInfo>, Option<String>) = (Vec::new(), None);
        loop {
            let page = self.0.store.scan(&prefix, after.as_deref(), PAGE).await?;
            for entry in &page {
                found.push(CONNECTIONS.decode(&entry.value)?.info());
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.key.as_str().to_owned()),
                _ => break,
            }
        }
        found.sort_by(|left, right| left.id.cmp(&right.id));
        Ok(found)
    }

    /// Whether work can go on. One read of the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for an id that the tenant has not; [`ErrorKind::Store`].
    pub async fn status(&self, tenant: &str, id: &str) -> Result<ConnectionStatus> {
        let (_, entry) = self.read(tenant, id).await?.ok_or_else(|| unknown(id))?;
        let state = self.manager(tenant, id, &entry.login()?)?.state().await?;
        Ok(match state {
            _ if !entry.connected => ConnectionStatus::Disconnected,
            TokenState::Ended(reason) => ConnectionStatus::ReauthRequired(reason),
            TokenState::Alive { .. } => ConnectionStatus::Connected,
            TokenState::NotConnected => ConnectionStatus::Disconnected,
        })
    }

    /// Keeps what the product wants to know of a connection, in place of what was kept: at most 256 KiB of JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for an id that the tenant has not; [`ErrorKind::Invalid`] for settings that are no JSON or too
    /// large; [`ErrorKind::Store`].
    pub async fn set_settings(&self, tenant: &str, id: &str, settings: &(impl serde::Serialize + Sync)) -> Result<()> {
        let settings = serde_json::value::to_raw_value(settings).map_err(|error| {
            Error::new(ErrorKind::Invalid, "connections", "the settings are no JSON").with_source(error)
        })?;
        self.change(tenant, id, |entry| entry.settings = Some(settings.clone())).await.map(drop)
    }

    /// Ends a connection: all clients of this process stop at once and those of other processes with their next renewal; the
    /// tokens are purged and revoked at Salesforce, which ends what they still could do. The connection's org, settings and
    /// whatever the product keeps under its id stay, for a reconnect; [`forget`](Self::forget) deletes them too.
    ///
    /// Nothing in the org is changed. The answer says what remains. May be repeated. Costs one request, for the revocation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for an id that the tenant has not; [`ErrorKind::Store`], and then the tokens may still be there.
    /// A revocation that fails is no error but [`Disconnected::revoked`].
    pub async fn disconnect(&self, tenant: &str, id: &str) -> Result<Disconnected> {
        let (_, entry) = self.read(tenant, id).await?.ok_or_else(|| unknown(id))?;
        self.forget_live(tenant, id);
        let login = entry.login()?;
        let refresh = self.manager(tenant, id, &login)?.disconnect().await?;
        let entry = self.change(tenant, id, |entry| entry.connected = false).await?;
        let revoked = match refresh {
            None => Revoked::NothingToRevoke,
            Some(token) => match revoke(&self.0.http, &login, &token).await {
                Ok(_) => Revoked::Yes,
                Err(error) => Revoked::No(error),
            },
        };
        Ok(Disconnected { info: entry.info(), revoked })
    }

    /// Deletes all that is kept of a connection that was disconnected.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Conflict`] while it is connected; [`ErrorKind::Store`].
    pub async fn forget(&self, tenant: &str, id: &str) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let (version, entry) = self.read(tenant, id).await?.ok_or_else(|| unknown(id))?;
            if entry.connected {
                return Err(Error::new(ErrorKind::Conflict, "connections", "the connection is in use")
                    .with_advice("disconnect it first"));
            }
            let default = self.0.store.get(&[default_key(tenant)?]).await?.into_iter().next().flatten();
            let mut batch = Batch::new()
                .delete(connection_key(tenant, id)?, Expect::Version(version))
                .delete(tokens_key(tenant, id)?, Expect::Any);
            if let Some(default) = default
                && DEFAULTS.decode(&default.value)?.connection == id
            {
                batch = batch.delete(default.key.clone(), Expect::Version(default.version));
            }
            if let Commit::Applied(_) = self.0.store.commit(batch).await? {
                return Ok(());
            }
        }
        Err(busy())
    }

    async fn read(&self, tenant: &str, id: &str) -> Result<Option<(Version, Entry)>> {
        let found = self.0.store.get(&[connection_key(tenant, id)?]).await?.into_iter().next().flatten();
        found.map(|entry| Ok((entry.version, CONNECTIONS.decode(&entry.value)?))).transpose()
    }

    /// Changes what is kept of a connection, again if another process has changed it meanwhile.
    async fn change(&self, tenant: &str, id: &str, change: impl Fn(&mut Entry) + Send + Sync) -> Result<Entry> {
        for _ in 0..ATTEMPTS {
            let (version, mut entry) = self.read(tenant, id).await?.ok_or_else(|| unknown(id))?;
            change(&mut entry);
            let batch =
                Batch::new().put(connection_key(tenant, id)?, CONNECTIONS.encode(&entry)?, Expect::Version(version));
            if let Commit::Applied(_) = self.0.store.commit(batch).await? {
                return Ok(entry);
            }
        }
        Err(busy())
    }

    fn manager(&self, tenant: &str, id: &str, login: &LoginHost) -> Result<TokenManager> {
        let mut manager = TokenManager::builder(login.clone(), &self.0.client_id)
            .store(Arc::clone(&self.0.store), tokens_key(tenant, id)?)
            .clock(Arc::clone(&self.0.clock));
        if let Some(secret) = &self.0.client_secret {
            manager = manager.client_secret(secret.clone());
        }
        manager.build()
    }

    /// The client of a connection; all who ask in this process share it.
    fn live(&self, tenant: &str, entry: &Entry) -> Result<Live> {
        let key = connection_key(tenant, &entry.id)?.as_str().to_owned();
        let mut all = self.0.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(live) = all.get(&key) {
            return Ok(live.clone());
        }
        let manager = self.manager(tenant, &entry.id, &entry.login()?)?;
        let switch = StopSwitch::default();
        let http = Stoppable::new(Arc::clone(&self.0.http), switch.clone());
        let client = Client::builder(manager.clone()).http(http).clock(Arc::clone(&self.0.clock)).build()?;
        let live = Live { client, manager, switch };
        all.insert(key, live.clone());
        Ok(live)
    }

    /// Stops the clients of a connection in this process.
    fn forget_live(&self, tenant: &str, id: &str) {
        let Ok(key) = connection_key(tenant, id) else { return };
        let live = self.0.live.lock().unwrap_or_else(PoisonError::into_inner).remove(key.as_str());
        if let Some(live) = live {
            live.switch.stop();
        }
    }
}

fn unknown(id: &str) -> Error {
    Error::new(ErrorKind::NotFound, "connections", "the tenant has no such connection").with_context("connection", id)
}

fn busy() -> Error {
    Error::new(ErrorKind::Store, "connections", "other processes change the connection all the time")
        .with_retry(Retry::After(None))
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("client_id", &self.0.client_id).field("store", &self.0.store).finish()
    }
}
