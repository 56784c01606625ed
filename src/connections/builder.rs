//! How the registry is put together.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::live::Clients;
use super::{AfterConnect, Connection, ConnectionInfo, Connections, Inner, OnReauthRequired, Settings};
use crate::audit::AuditSink;
use crate::auth::{ConnectFlow, Scopes, TokenManagerBuilder};
use crate::client::ClientBuilder;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorKind, ReauthReason, Result};
use crate::http::HttpService;
use crate::store::Store;
use crate::types::Secret;

/// Puts [`Connections`] together.
#[must_use]
pub struct ConnectionsBuilder {
    client_id: String,
    redirect_uri: String,
    store: Arc<dyn Store>,
    client_secret: Option<Secret>,
    scopes: Scopes,
    http: Option<Arc<dyn HttpService>>,
    clock: Arc<dyn Clock>,
    time_limit: Option<Duration>,
    loopback: bool,
    watch: Duration,
    audit: Option<Arc<dyn AuditSink>>,
    client_settings: Option<Settings<ClientBuilder>>,
    token_settings: Option<Settings<TokenManagerBuilder>>,
    after_connect: Option<AfterConnect>,
    on_reauth_required: Option<OnReauthRequired>,
}

impl ConnectionsBuilder {
    pub(super) fn new(client_id: String, redirect_uri: String, store: Arc<dyn Store>) -> Self {
        Self {
            client_id,
            redirect_uri,
            store,
            client_secret: None,
            scopes: Scopes::default(),
            http: None,
            clock: Arc::new(SystemClock::default()),
            time_limit: None,
            loopback: false,
            watch: Duration::from_mins(1),
            audit: None,
            client_settings: None,
            token_settings: None,
            after_connect: None,
            on_reauth_required: None,
        }
    }

    /// The app's secret, for an app that has one.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// What to ask for; `api refresh_token` unless set.
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Sends by this service instead of [`http::Reqwest`](crate::http::Reqwest).
    pub fn http(mut self, http: impl HttpService) -> Self {
        self.http = Some(Arc::new(http));
        self
    }

    /// Reads the time from this clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How long a person may take between the click and the callback; 15 minutes unless set.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Lets orgs on this machine be connected: for mock orgs, never for production. Without it such a log-in is refused, whatever
    /// the store says.
    pub fn allow_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// How often a client that works looks whether its connection was ended by another process; every minute unless set. Costs a
    /// read of the store.
    pub fn look_every(mut self, time: Duration) -> Self {
        self.watch = time;
        self
    }

    /// Sets how the clients of a connection work, by what is known of it, its settings among that: API version, retries, budget,
    /// requests in flight. HTTP service and clock are the registry's. A client that was handed out before keeps what it has.
    ///
    /// ```
    /// # use sforce::connections::Connections;
    /// # use sforce::store::MemoryStore;
    /// # let builder = Connections::builder("client id", "https://app.example.com/callback", MemoryStore::default());
    /// let builder = builder.client_settings(|info, client| match info.id.as_str() {
    ///     "nightly" => client.max_in_flight(4),
    ///     _ => client,
    /// });
    /// ```
    pub fn client_settings(
        mut self,
        settings: impl Fn(&ConnectionInfo, ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.client_settings = Some(Arc::new(settings));
        self
    }

    /// Sets how the tokens of a connection are kept, as [`client_settings`](Self::client_settings) does for its clients: the
    /// lifetime that they are renewed ahead of, the longest time for a renewal. App, store and clock are the registry's.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sforce::connections::Connections;
    /// # use sforce::store::MemoryStore;
    /// # let builder = Connections::builder("client id", "https://app.example.com/callback", MemoryStore::default());
    /// // The session timeout of the app.
    /// let builder = builder.token_settings(|_, tokens| tokens.lifetime(Duration::from_hours(2)));
    /// ```
    pub fn token_settings(
        mut self,
        settings: impl Fn(&ConnectionInfo, TokenManagerBuilder) -> TokenManagerBuilder + Send + Sync + 'static,
    ) -> Self {
        self.token_settings = Some(Arc::new(settings));
        self
    }

    /// Tells this sink what happens to connections: connected, reconnected, ended by Salesforce, disconnected, tokens revoked,
    /// forgotten. An event is stored with what it tells of, and comes at least once.
    pub fn audit(mut self, sink: impl AuditSink) -> Self {
        self.audit = Some(Arc::new(sink));
        self
    }

    /// Calls this with the tenant and the connection once an org was connected or connected again, in the process that did it:
    /// the place to start the first sync. It should start work and return; the person at the browser waits for it.
    pub fn after_connect(mut self, hook: impl Fn(&str, &Connection) + Send + Sync + 'static) -> Self {
        self.after_connect = Some(Arc::new(hook));
        self
    }

    /// Calls this with the tenant, the connection and the reason when it is noticed that Salesforce has ended a connection: the
    /// place to ask a person to connect again. Once per end, in the process that noticed first; if that dies meanwhile, the
    /// [audit](Self::audit) alone tells.
    pub fn on_reauth_required(
        mut self,
        hook: impl Fn(&str, &ConnectionInfo, ReauthReason) + Send + Sync + 'static,
    ) -> Self {
        self.on_reauth_required = Some(Arc::new(hook));
        self
    }

    /// Puts it together.
    ///
    /// # Errors
    ///
    /// As for [`ConnectFlowBuilder::build`](crate::auth::ConnectFlowBuilder::build); [`ErrorKind::Config`] for scopes without
    /// `refresh_token`, since a connection would end with its first access token.
    pub fn build(self) -> Result<Connections> {
        let Self { client_id, redirect_uri, store, client_secret, scopes, http, clock, time_limit, loopback, .. } =
            self;
        if !scopes.ask_refresh_token() {
            let error = Error::new(ErrorKind::Config, "connections", "the scopes do not ask for a refresh token");
            return Err(error.with_advice("add the scope refresh_token"));
        }
        let http = match http {
            Some(http) => http,
            None => crate::http::default_service()?,
        };
        let mut flow = ConnectFlow::builder(&client_id, redirect_uri, Arc::clone(&store))
            .scopes(scopes)
            .http(Arc::clone(&http))
            .clock(Arc::clone(&clock));
        if let Some(secret) = &client_secret {
            flow = flow.client_secret(secret.clone());
        }
        if let Some(limit) = time_limit {
            flow = flow.time_limit(limit);
        }
        if loopback {
            flow = flow.allow_loopback();
        }
        let inner = Inner {
            client_id,
            client_secret,
            store,
            http,
            clock,
            flow: flow.build()?,
            loopback,
            watch: self.watch,
            audit: self.audit,
            client_settings: self.client_settings,
            token_settings: self.token_settings,
            after_connect: self.after_connect,
            on_reauth_required: self.on_reauth_required,
            live: Mutex::new(Clients::default()),
        };
        Ok(Connections { inner: Arc::new(inner), actor: None })
    }
}

impl std::fmt::Debug for ConnectionsBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionsBuilder").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Client id and secret by the variables that all programs of ours know.
pub(super) fn credentials(read: impl Fn(&str) -> Option<String>) -> Result<(String, Secret)> {
    let names = ["SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"];
    let values = names.map(|name| read(name).filter(|value| !value.trim().is_empty()));
    let missing: Vec<&str> =
        names.iter().zip(&values).filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    match values {
        [Some(id), Some(secret)] => Ok((id.trim().to_owned(), Secret::new(secret.trim()))),
        _ => Err(Error::new(ErrorKind::Config, "connections", format!("{} not set", missing.join(" and ")))
            .with_advice("set consumer key and secret of the app, as Setup shows them")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dem_23_each_variable_that_is_missing_is_named() {
        let with = |id: Option<&str>, secret: Option<&str>| {
            let (id, secret) = (id.map(str::to_owned), secret.map(str::to_owned));
            credentials(|name| if name.ends_with("_ID") { id.clone() } else { secret.clone() })
        };
        let told = |id, secret| with(id, secret).expect_err("not all").message().to_owned();
        assert_eq!(told(None, Some("hunter2")), "SALESFORCE_CLIENT_ID not set");
        assert_eq!(told(Some("3MVG9"), Some(" ")), "SALESFORCE_CLIENT_SECRET not set");
        assert_eq!(told(None, None), "SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET not set");
        let (id, secret) = with(Some("3MVG9\n"), Some("hunter2")).expect("both");
        assert_eq!((id.as_str(), secret.expose()), ("3MVG9", "hunter2"));
    }
}
