//! How the registry is put together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Connections, Inner};
use crate::auth::{ConnectFlow, Scopes};
use crate::clock::{Clock, SystemClock};
use crate::error::Result;
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

    /// Puts it together.
    ///
    /// # Errors
    ///
    /// As for [`ConnectFlowBuilder::build`](crate::auth::ConnectFlowBuilder::build).
    pub fn build(self) -> Result<Connections> {
        let Self { client_id, redirect_uri, store, client_secret, scopes, http, clock, time_limit } = self;
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
        let flow = flow.build()?;
        let live = Mutex::new(HashMap::new());
        Ok(Connections(Arc::new(Inner { client_id, client_secret, store, http, clock, flow, live })))
    }
}

impl std::fmt::Debug for ConnectionsBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionsBuilder").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
