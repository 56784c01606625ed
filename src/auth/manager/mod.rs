//! The tokens of one connection, kept in a store and renewed once for all tasks and processes.

mod builder;
mod entry;
mod grant;
mod renewal;
#[cfg(test)]
mod simulation;
mod step;
mod watch;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::sync::{Mutex, MutexGuard};

pub use self::builder::TokenManagerBuilder;
use self::entry::TokenEntry;
pub(crate) use self::entry::wipe;
pub use self::grant::{Grant, Purged, TokenState};
use self::renewal::Memory;
use super::refresh_token::App;
use super::{AccessToken, LoginHost, TokenProvider};
use crate::clock::Clock;
use crate::error::{ApiError, Error, ErrorKind, ReauthReason, Result};
use crate::http::HttpService;
use crate::store::{Key, Store};
use crate::types::Secret;

/// Keeps the tokens of one connection alive: those of the authorization-code flow, or any refresh token.
///
/// Tokens live in an entry of a [`Store`]: a stored refresh token is enough to start, and every process that has the same store
/// and key shares them. Give the manager to [`Client::builder`](crate::Client::builder); clones share their work.
///
/// - *Once per expiry.* Of all tasks and processes that meet an expired token, one redeems the refresh token, by a lease in the
///   store; the others wait for what it stores. Whoever comes late finds the new token there, without a request.
/// - *Stored before used.* With refresh token rotation the old refresh token dies with the answer, so the answer is stored before
///   anything else happens, and kept in memory and tried again in the background while the store is down. [`flush`](Self::flush)
///   waits for that before a program ends.
/// - *A renewal that was cut off* (its process died, or its answer was lost) may have spent the refresh token, and to use a spent
///   one ends the connection. So the access token is used to its end first; then the old refresh token gets one try. If that
///   try is cut off too, as in an outage, nothing was learned: the next ones follow after 30 s, doubling to 15 minutes.
/// - *A token that is refused as soon as it was got* is renewed five times in a row and then every 30 s at most: what the org
///   refuses then is not mended by a new token.
/// - *Only Salesforce's word ends a connection*: `invalid_grant` for the token itself. Outages, IP ranges, inactive users and
///   blocked apps are errors that pass. Once it has ended, every process gets [`ErrorKind::ReauthRequired`] with
///   [`Error::reauth_reason`] from the store, without a request, until [`connect`](Self::connect) stores a new grant.
///
/// Clocks of machines are never compared: a lease ends when whoever waits has seen it unchanged for its time, by reads of the
/// store that lie close together.
///
/// Costs no API calls; a renewal is one request to the token endpoint, and one read and two writes of the store. `fetch`
/// fails with [`ErrorKind::Store`] when the store does, as tokens are renewed only where they can be kept; work with a token that
/// is still good does not touch the store.
///
/// Source: Help, "OAuth 2.0 Refresh Token Flow for Renewed Sessions"; knowledge article 005316711, refresh token rotation.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sforce::Result<()> {
/// use sforce::auth::{Grant, LoginHost, TokenManager};
/// use sforce::store::{Key, MemoryStore};
///
/// let store = MemoryStore::default(); // a durable and encrypted one in earnest
/// let manager = TokenManager::builder(LoginHost::production(), "client id")
///     .client_secret("client secret")
///     .store(store, Key::new("tokens/00D5g00000ABCDE")?)
///     .build()?;
/// // Once, when the org is connected; from then on the stored token is enough.
/// manager.connect(&Grant::new("refresh token")).await?;
/// let client = sforce::Client::builder(manager);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenManager(Arc<Inner>);

struct Inner {
    app: App,
    store: Arc<dyn Store>,
    key: Key,
    clock: Arc<dyn Clock>,
    /// Where the store has nothing yet.
    seed: Option<Secret>,
    timing: Timing,
    /// Names this manager in leases.
    holder: String,
    /// One renewal at a time, and what it has to remember.
    turn: Mutex<Memory>,
}

/// How long things take at most.
#[derive(Clone, Copy, Debug)]
struct Timing {
    request: Duration,
    lease: Duration,
    /// Age at which an access token is renewed ahead.
    ahead: Option<Duration>,
    /// Age below which a refused access token is young.
    interval: Duration,
}

impl Timing {
    /// For one call of the store, and for storing an answer: half of what a request leaves of the lease.
    fn store(&self) -> Duration {
        self.lease.saturating_sub(self.request) / 2
    }
}

/// The turn of one renewal. At its end it sees to it that nothing stays unstored.
struct Turn<'a> {
    inner: &'a Arc<Inner>,
    memory: MutexGuard<'a, Memory>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.inner.keep(&mut self.memory);
    }
}

impl Deref for Turn<'_> {
    type Target = Memory;

    fn deref(&self) -> &Memory {
        &self.memory
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }
}

impl TokenManager {
    /// Starts a manager for the refresh tokens of an app, which come from that login host.
    pub fn builder(host: LoginHost, client_id: impl Into<String>) -> TokenManagerBuilder {
        TokenManagerBuilder::new(host, client_id.into())
    }

    async fn turn(&self) -> Turn<'_> {
        Turn { inner: &self.0, memory: self.0.turn.lock().await }
    }
}

impl fmt::Debug for TokenManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenManager")
            .field("host", &self.0.app.host)
            .field("key", &self.0.key)
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenProvider for TokenManager {
    /// The client runs this in a task of its own. Elsewhere, to drop it in the middle is to cut a renewal off.
    async fn fetch(&self, http: &dyn HttpService, rejected: Option<&AccessToken>) -> Result<AccessToken> {
        let mut memory = self.turn().await;
        self.0.token(&mut memory, http, rejected).await
    }
}

/// The error of a connection that a person has to make again.
fn reauth(reason: ReauthReason, entry: Option<&TokenEntry>) -> Error {
    let ended = entry.and_then(|entry| entry.ended.as_ref());
    let message = ended.map_or_else(|| "the org is not connected yet".to_owned(), ToString::to_string);
    let error = Error::new(ErrorKind::ReauthRequired, "token", message)
        .with_reauth_reason(reason)
        .with_advice("connect the org again");
    match ended.and_then(|ended| Some((ended.code.as_ref()?, ended.text.clone().unwrap_or_default()))) {
        Some((code, text)) => error.with_salesforce(vec![ApiError::new(code, text, Vec::new())]),
        None => error,
    }
}

/// How old a token is: by the wall clock if that can be, and at least as long as we have known it.
fn age(obtained_at: SystemTime, now: SystemTime, known_for: Duration) -> Duration {
    now.duration_since(obtained_at).unwrap_or_default().max(known_for)
}
