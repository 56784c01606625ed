//! The connection to one org: token, attempt loop, retry, limits. No object names, no business rules.

mod classify;
mod limits;
mod request;
mod retry;
mod send;
mod version;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use self::classify::{RecordErrors, record_error};
pub use self::limits::{ApiUsage, OrgLimits};
pub use self::request::{ApiRequest, ApiResponse};
pub use self::retry::RetryPolicy;
use self::retry::RetryQuota;
pub use self::version::ApiVersion;
use crate::auth::{AccessToken, TokenCache, TokenProvider};
use crate::clock::{Clock, SystemClock};
use crate::error::Result;
use crate::http::{HttpService, default_service};

/// A connection to one org. Cheap to clone; clones share token, limits and retry quota.
///
/// Needs a tokio runtime.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: Arc<dyn HttpService>,
    tokens: TokenCache,
    clock: Arc<dyn Clock>,
    version: ApiVersion,
    policy: RetryPolicy,
    quota: RetryQuota,
    limits: Mutex<Option<OrgLimits>>,
    api_calls: AtomicU64,
}

impl Client {
    /// Starts a client that gets its tokens from `provider`.
    ///
    /// Nothing is sent before the first call.
    pub fn builder(provider: impl TokenProvider) -> ClientBuilder {
        ClientBuilder::new(Arc::new(provider))
    }

    /// The API version of all calls.
    #[must_use]
    pub fn api_version(&self) -> ApiVersion {
        self.0.version
    }

    /// What the org last said of its limits; `None` before the first answer that told them.
    #[must_use]
    pub fn limits(&self) -> Option<OrgLimits> {
        self.0.limits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests sent so far that count against the org's API calls, retries included; token requests are free.
    #[must_use]
    pub fn api_calls(&self) -> u64 {
        self.0.api_calls.load(Ordering::Relaxed)
    }

    /// Waits on the client's clock.
    pub(crate) async fn pause(&self, duration: std::time::Duration) {
        self.0.clock.sleep(duration).await;
    }

    /// The access token in force, after logging in if need be. Costs no API call.
    ///
    /// # Errors
    ///
    /// Those of the token provider. Not repeated here.
    pub async fn access_token(&self) -> Result<AccessToken> {
        self.0.tokens.get(None).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("tokens", &self.0.tokens)
            .field("version", &self.0.version)
            .finish_non_exhaustive()
    }
}

/// Settings of a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    provider: Arc<dyn TokenProvider>,
    http: Option<Arc<dyn HttpService>>,
    clock: Arc<dyn Clock>,
    version: ApiVersion,
    policy: RetryPolicy,
}

impl ClientBuilder {
    fn new(provider: Arc<dyn TokenProvider>) -> Self {
        Self {
            provider,
            http: None,
            clock: Arc::new(SystemClock::new()),
            version: ApiVersion::DEFAULT,
            policy: RetryPolicy::default(),
        }
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

    /// Sets the API version of all calls; 63.0 by default.
    #[must_use]
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// Sets how failed requests are repeated.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when no HTTP service was given and there is no default one.
    pub fn build(self) -> Result<Client> {
        let http = self.http.map_or_else(default_service, Ok)?;
        Ok(Client(Arc::new(Inner {
            tokens: TokenCache::new(self.provider, Arc::clone(&http), Arc::clone(&self.clock)),
            http,
            clock: self.clock,
            version: self.version,
            quota: RetryQuota::new(),
            policy: self.policy,
            limits: Mutex::default(),
            api_calls: AtomicU64::new(0),
        })))
    }
}
