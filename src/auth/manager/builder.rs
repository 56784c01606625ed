//! Settings of a token manager.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::renewal::Memory;
use super::{Inner, Timing, TokenManager};
use crate::auth::LoginHost;
use crate::auth::refresh_token::App;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Key, MemoryStore, Store};
use crate::types::Secret;

/// Settings of a [`TokenManager`].
pub struct TokenManagerBuilder {
    app: App,
    store: Option<(Arc<dyn Store>, Key)>,
    seed: Option<Secret>,
    clock: Arc<dyn Clock>,
    request: Duration,
    lease: Duration,
    lifetime: Option<Duration>,
    interval: Duration,
}

impl TokenManagerBuilder {
    pub(super) fn new(host: LoginHost, client_id: String) -> Self {
        Self {
            app: App { host, client_id, client_secret: None },
            store: None,
            seed: None,
            clock: Arc::new(SystemClock::new()),
            request: Duration::from_secs(30),
            lease: Duration::from_secs(90),
            lifetime: None,
            interval: Duration::from_secs(30),
        }
    }

    /// Sends the app's secret too. Apps without one need no more.
    #[must_use]
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.app.client_secret = Some(secret.into());
        self
    }

    /// Keeps the tokens there, under that key. By default they end with the process, in a [`MemoryStore`].
    ///
    /// Keys stay readable in an encrypted store: ids and hashes only, never an email address.
    #[must_use]
    pub fn store(mut self, store: impl Store, key: Key) -> Self {
        self.store = Some((Arc::new(store), key));
        self
    }

    /// Starts from this refresh token where the store has nothing yet. What is stored is newer, and wins.
    #[must_use]
    pub fn refresh_token(mut self, token: impl Into<Secret>) -> Self {
        self.seed = Some(token.into());
        self
    }

    /// Uses this clock; by default the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Longest time for a request to the token endpoint; 30 s by default. After it the answer counts as lost.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request = timeout;
        self
    }

    /// After how long without a sign a renewal by another process counts as cut off; 90 s by default. What is left of it
    /// after the request is for storing the answer; half of that is the longest time for one call of the store.
    #[must_use]
    pub fn lease_time(mut self, time: Duration) -> Self {
        self.lease = time;
        self
    }

    /// Renews ahead, in the background, access tokens that live that long: at a moment between 75 % and 90 % of it that
    /// differs from process to process.
    ///
    /// Token answers have no `expires_in`. The time is the session timeout of the app or the org (15 minutes to 24 hours, 2 hours
    /// unless changed), or `exp` minus `iat` of an introspection. Without it a token is renewed when it is refused.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Shortest time from one renewal to the next where the org refuses tokens as soon as it has given them; 30 s by default. The
    /// first five come without it. Zero renews each time that a token is refused.
    #[must_use]
    pub fn min_renewal_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Makes the manager.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an empty client id, a lease that is not longer than the request may take, or a key with an
    /// email address in it.
    pub fn build(self) -> Result<TokenManager> {
        let config = |message| Error::new(ErrorKind::Config, "token", message);
        if self.app.client_id.is_empty() {
            return Err(config("the client id is empty"));
        }
        if self.lease <= self.request {
            return Err(config("the lease is not longer than a token request may take")
                .with_context("lease_seconds", self.lease.as_secs_f32())
                .with_context("request_seconds", self.request.as_secs_f32()));
        }
        let (store, key) = match self.store {
            Some(store) => store,
            None => (Arc::new(MemoryStore::default()) as Arc<dyn Store>, Key::new("tokens")?),
        };
        if key.as_str().contains('@') {
            return Err(config("the key of the tokens holds an email address, and keys stay readable")
                .with_advice("use an id or a hash"));
        }
        let ahead = self.lifetime.map(|lifetime| lifetime.mul_f64(0.75 + 0.15 * fastrand::f64()));
        // Seeded by the operating system, so that processes that start together differ.
        let random = || RandomState::new().hash_one(0);
        Ok(TokenManager(Arc::new(Inner {
            app: self.app,
            store,
            key,
            clock: self.clock,
            seed: self.seed,
            timing: Timing { request: self.request, lease: self.lease, ahead, interval: self.interval },
            holder: format!("{:016x}{:016x}", random(), random()),
            turn: Mutex::new(Memory::default()),
        })))
    }
}

impl fmt::Debug for TokenManagerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenManagerBuilder").field("app", &self.app).finish_non_exhaustive()
    }
}
