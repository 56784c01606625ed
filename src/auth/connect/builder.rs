//! Settings of the connect dance.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::{ConnectFlow, Inner};
use crate::auth::Scopes;
use crate::auth::token_request::LIMIT;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{HttpService, default_service, is_loopback};
use crate::store::Store;
use crate::types::Secret;

/// Settings of a [`ConnectFlow`].
pub struct ConnectFlowBuilder {
    client_id: String,
    client_secret: Option<Secret>,
    redirect_uri: String,
    scopes: Scopes,
    store: Arc<dyn Store>,
    http: Option<Arc<dyn HttpService>>,
    clock: Arc<dyn Clock>,
    limit: Duration,
    request: Duration,
    loopback: bool,
}

impl ConnectFlowBuilder {
    pub(super) fn new(client_id: String, redirect_uri: String, store: Arc<dyn Store>) -> Self {
        Self {
            client_id,
            client_secret: None,
            redirect_uri,
            scopes: Scopes::default(),
            store,
            http: None,
            clock: Arc::new(SystemClock::new()),
            limit: Duration::from_mins(15),
            request: LIMIT,
            loopback: false,
        }
    }

    /// Sends the app's secret too. Public clients have none and must send none.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Asks for these scopes; `api refresh_token` by default.
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Uses this HTTP service; by default [`Reqwest`](crate::http::Reqwest), where that feature is on.
    #[must_use]
    pub fn http(mut self, http: impl HttpService) -> Self {
        self.http = Some(Arc::new(http));
        self
    }

    /// Uses this clock; by default the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets how long a person may take from the click to the callback; 15 minutes by default, a day at most.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit.min(Duration::from_hours(24));
        self
    }

    /// Longest time for a request to the token endpoint; 30 s by default. After it the answer counts as lost, which costs a click.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request = timeout;
        self
    }

    /// Lets orgs on this machine be connected, by [`LoginHost::allowing_loopback`](crate::auth::LoginHost::allowing_loopback): for
    /// mock orgs, never for production. Without it such a log-in is refused, whatever the store says.
    #[must_use]
    pub fn allow_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// Makes the flow.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an empty client id, a redirect URI that Salesforce would not take (it must be https, `http` on
    /// this machine, or a scheme of the app's own, without a fragment), and where there is no HTTP service.
    pub fn build(self) -> Result<ConnectFlow> {
        if self.client_id.is_empty() {
            return Err(Error::new(ErrorKind::Config, "connect", "the client id is empty"));
        }
        let fits = |url: &Url| url.fragment().is_none() && (url.scheme() != "http" || is_loopback(url));
        if !Url::parse(&self.redirect_uri).is_ok_and(|url| fits(&url)) {
            return Err(Error::new(ErrorKind::Config, "connect", "the redirect URI cannot be a callback URL")
                .with_advice("give a callback URL of the app, such as https://app.example.com/salesforce/callback"));
        }
        let http = self.http.map_or_else(default_service, Ok)?;
        Ok(ConnectFlow(Arc::new(Inner {
            client_id: self.client_id,
            client_secret: self.client_secret,
            redirect_uri: self.redirect_uri,
            scopes: self.scopes,
            store: self.store,
            http,
            clock: self.clock,
            limit: self.limit,
            request: self.request,
            loopback: self.loopback,
        })))
    }
}

impl fmt::Debug for ConnectFlowBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectFlowBuilder")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
