//! The orgs that customers have connected: one registry for any number of tenants.
//!
//! A tenant is a customer of the product; each has any number of connections, told apart by an id (`default` for the only one), each
//! with its own org, environment and settings. [`Connections`] connects, lists, hands out clients, and disconnects. All of it
//! lives in a [`Store`], so any number of processes share it.

mod builder;
mod connect;
mod connection;
mod disconnect;
mod entry;
mod events;
mod identity;
mod live;
mod stop;
mod tries;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use self::builder::ConnectionsBuilder;
use self::connection::App;
pub use self::connection::{Connection, ConnectionInfo, ConnectionStatus, Disconnected, Revoked, SessionFit};
use self::entry::{CONNECTIONS, DEFAULTS, Default, Entry, connection_key, connections_prefix, default_key};
pub use self::identity::OrgIdentity;
use self::live::{Clients, is_an_end};
use self::tries::Tries;
use crate::audit::AuditSink;
use crate::auth::{ConnectFlow, TokenManagerBuilder, TokenState};
use crate::client::ClientBuilder;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, ReauthReason, Result};
use crate::http::HttpService;
use crate::store::{Batch, Commit, Expect, Store, Version};
use crate::types::Secret;

/// Entries that a page of a scan holds.
const PAGE: usize = 200;

/// The connections of all tenants, by one app.
///
/// The first connection of a tenant becomes its default. A connection is pinned to its org: who reconnects it to another org, or to
/// another environment, gets an error that says so. A connection that was disconnected keeps its org, its settings and whatever
/// the product keeps under its id, so that a reconnect goes on where it was.
///
/// What happens is told to an [`AuditSink`], if one is given, with who did it
/// ([`acting_as`](Self::acting_as)). Three jobs belong to it, in one process or many: [`purge_expired`](Self::purge_expired) once a
/// day, [`revoke_owed`](Self::revoke_owed) every hour or so, and with an audit sink [`deliver_events`](Self::deliver_events).
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
pub struct Connections {
    inner: Arc<Inner>,
    /// Who acts, for the audit.
    actor: Option<Arc<str>>,
}

type Settings<B> = Arc<dyn Fn(&ConnectionInfo, B) -> B + Send + Sync>;
type AfterConnect = Arc<dyn Fn(&str, &Connection) + Send + Sync>;
type OnReauthRequired = Arc<dyn Fn(&str, &ConnectionInfo, ReauthReason) + Send + Sync>;

struct Inner {
    client_id: String,
    client_secret: Option<Secret>,
    store: Arc<dyn Store>,
    http: Arc<dyn HttpService>,
    clock: Arc<dyn Clock>,
    flow: ConnectFlow,
    /// Whether orgs may be on this machine.
    loopback: bool,
    /// How often a client looks whether its connection is still there.
    watch: Duration,
    audit: Option<Arc<dyn AuditSink>>,
    client_settings: Option<Settings<ClientBuilder>>,
    token_settings: Option<Settings<TokenManagerBuilder>>,
    after_connect: Option<AfterConnect>,
    on_reauth_required: Option<OnReauthRequired>,
    live: Mutex<Clients>,
}

impl Inner {
    fn app(&self) -> App {
        App {
            http: Arc::clone(&self.http),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
        }
    }
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

    /// Starts as [`builder`](Self::builder) does, with client id and secret from the environment variables `SALESFORCE_CLIENT_ID`
    /// and `SALESFORCE_CLIENT_SECRET`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names each variable that is not set.
    pub fn from_env(redirect_uri: impl Into<String>, store: impl Store) -> Result<ConnectionsBuilder> {
        #[expect(clippy::disallowed_methods, reason = "the one function that says it reads the environment")]
        let (id, secret) = builder::credentials(|name| std::env::var(name).ok())?;
        Ok(Self::builder(id, redirect_uri, store).client_secret(secret))
    }

    /// The same registry in the hands of a person or job of the product: what is done by it carries that name in the audit.
    /// An id, such as `user-17`, tells enough; an email address would stand in records for long.
    #[must_use]
    pub fn acting_as(&self, actor: impl Into<Arc<str>>) -> Self {
        Self { inner: Arc::clone(&self.inner), actor: Some(actor.into()) }
    }

    /// Deletes attempts to connect whose time limit passed a day ago, and says how many. For a daily job.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`].
    pub async fn purge_expired(&self) -> Result<usize> {
        self.inner.flow.purge_expired().await
    }

    /// A connection, connected or not, by its id. One read of the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`].
    pub async fn get(&self, tenant: &str, id: &str) -> Result<Option<Connection>> {
        let Some((_, entry)) = self.read(tenant, id).await? else {
            self.let_go(tenant, id);
            return Ok(None);
        };
        let live = self.live(tenant, &entry)?;
        Ok(Some(Connection::new(entry.info(), live, self.inner.app())))
    }

    /// The tenant's default connection: its first one, unless another was chosen. Two reads of the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`].
    pub async fn default_of(&self, tenant: &str) -> Result<Option<Connection>> {
        let entry = self.inner.store.get(&[default_key(tenant)?]).await?.into_iter().next().flatten();
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
        self.inner.store.commit(batch).await.map(drop)
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
            let page = self.inner.store.scan(&prefix, after.as_deref(), PAGE).await?;
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

    /// Whether work can go on. Two reads of the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for an id that the tenant has not; [`ErrorKind::Store`].
    pub async fn status(&self, tenant: &str, id: &str) -> Result<ConnectionStatus> {
        let (_, entry) = self.read(tenant, id).await?.ok_or_else(|| unknown(id))?;
        let login = entry.login(self.inner.loopback)?;
        let state = self.manager(tenant, &entry.info(), &login, &entry.incarnation)?.state().await?;
        if let TokenState::Ended(reason) = &state
            && is_an_end(*reason)
            && entry.connected
            && !entry.end_told
        {
            self.tell_end(tenant, id).await?;
        }
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

    async fn read(&self, tenant: &str, id: &str) -> Result<Option<(Version, Entry)>> {
        let found = self.inner.store.get(&[connection_key(tenant, id)?]).await?.into_iter().next().flatten();
        found.map(|entry| Ok((entry.version, CONNECTIONS.decode(&entry.value)?))).transpose()
    }

    /// Changes what is kept of a connection, again if another process has changed it meanwhile.
    async fn change(&self, tenant: &str, id: &str, change: impl Fn(&mut Entry) + Send + Sync) -> Result<Entry> {
        let mut tries = Tries::new(&*self.inner.clock);
        loop {
            let (version, mut entry) = self.read(tenant, id).await?.ok_or_else(|| unknown(id))?;
            change(&mut entry);
            let batch =
                Batch::new().put(connection_key(tenant, id)?, CONNECTIONS.encode(&entry)?, Expect::Version(version));
            if let Commit::Applied(_) = self.inner.store.commit(batch).await? {
                return Ok(entry);
            }
            tries.after(None).await?;
        }
    }
}

fn unknown(id: &str) -> Error {
    Error::new(ErrorKind::NotFound, "connections", "the tenant has no such connection").with_context("connection", id)
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("client_id", &self.inner.client_id)
            .field("store", &self.inner.store)
            .finish_non_exhaustive()
    }
}
