//! The connect dance: a person lets the app into their org (authorization code flow with PKCE).

mod attempt;
mod builder;
mod callback;
mod error;
mod finish;
mod request;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::attempt::{ATTEMPTS, Attempt, CURRENT, Current, PREFIX, attempt_key, attempt_name, current_key, owner_name};
pub use self::builder::ConnectFlowBuilder;
pub use self::callback::CallbackProblem;
pub use self::error::ConnectError;
pub use self::request::{AuthorizeRequest, ConnectRequest, Connected};
use super::pkce::{challenge, random_secret};
use super::{LoginHost, Scopes};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::http::HttpService;
use crate::store::{Batch, Expect, Store};
use crate::types::Secret;

/// How long an attempt is remembered after its limit, so that a late callback is told what it is.
const REMEMBERED: Duration = Duration::from_hours(24);

/// Lets people connect their orgs: one app, any number of tenants, environments and processes.
///
/// [`begin`](Self::begin) answers a click on Connect with the address to send the browser to; [`finish`](Self::finish) takes what
/// the browser comes back with and answers with tokens, or with a [`ConnectError`] for each thing that can go wrong.
///
/// - Each attempt has a state that nobody can guess and a proof key of its own (PKCE, S256). Both are bound to tenant, connection,
///   environment and app, work once, and end with the time limit (15 minutes unless set otherwise).
/// - The tenant given to `finish` must come from the session of the person at the browser, never from the callback: this is what
///   keeps one person from finishing another's login.
/// - A callback is claimed in the store before its code is redeemed. If the process dies in between, the person clicks once
///   more; no code is ever redeemed twice, whatever the number of processes and tabs.
/// - The newest click counts: a callback of an older tab is refused.
/// - Granted scopes, the org, its environment and every host in the answer are checked before anything is handed out. Tokens
///   that fail a check are revoked.
///
/// Time limits are judged by the [`Clock`]. Servers that share a store should agree within 5 minutes: an attempt that seems begun
/// later than that in the future is refused ([`ConnectError::ClockSkew`]); one that seems older is nearer to its limit.
///
/// The store's keys hold hashes. The proof key stands in a value until it is used: an encrypted store keeps that unreadable too.
/// Costs no API calls; a connection is one request to the token endpoint.
///
/// Sources: Help, "OAuth 2.0 Web Server Flow for Web App Integration"; RFC 6749, 10.12; RFC 7636.
///
/// ```no_run
/// use sforce::auth::{ConnectFlow, ConnectRequest, LoginHost};
/// use sforce::store::MemoryStore;
///
/// # #[cfg(feature = "reqwest")]
/// # async fn run(tenant: &str, query: &str) -> sforce::Result<()> {
/// let flow = ConnectFlow::builder("client id", "https://app.example.com/salesforce/callback", MemoryStore::default())
///     .client_secret("client secret")
///     .build()?;
///
/// // On a click on Connect:
/// let authorize = flow.begin(&ConnectRequest::new(tenant, LoginHost::production())).await?;
/// println!("Location: {}", authorize.url);
///
/// // On the callback:
/// match flow.finish(tenant, query).await {
///     Ok(connected) => println!("connected to {}", connected.org_id),
///     Err(error) => println!("{}", error.advice()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ConnectFlow(Arc<Inner>);

struct Inner {
    client_id: String,
    client_secret: Option<Secret>,
    redirect_uri: String,
    scopes: Scopes,
    store: Arc<dyn Store>,
    http: Arc<dyn HttpService>,
    clock: Arc<dyn Clock>,
    limit: Duration,
    /// For one request to the token endpoint.
    request: Duration,
    /// Whether orgs may be on this machine.
    loopback: bool,
}

impl ConnectFlow {
    /// Starts from the app's client id, its redirect URI (a callback URL of the app, letter by letter) and the store that all
    /// processes share.
    pub fn builder(
        client_id: impl Into<String>,
        redirect_uri: impl Into<String>,
        store: impl Store,
    ) -> ConnectFlowBuilder {
        ConnectFlowBuilder::new(client_id.into(), redirect_uri.into(), Arc::new(store))
    }

    /// Begins an attempt and answers with the address to send the browser to. Earlier attempts for the same connection end.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Store`]; [`ConnectError::Config`] for an empty tenant or a request that cannot be made.
    pub async fn begin(&self, request: &ConnectRequest) -> Result<AuthorizeRequest, ConnectError> {
        let inner = &self.0;
        if request.tenant.is_empty() || request.connection.is_empty() {
            return Err(ConnectError::Config(Error::new(
                ErrorKind::Config,
                "connect",
                "tenant or connection is empty",
            )));
        }
        LoginHost::opted_in(&request.login.to_string(), inner.loopback).map_err(|error| {
            let advice = "allow_loopback of the builder lets a mock org be connected, and nothing else should be here";
            ConnectError::Config(error.with_advice(advice))
        })?;
        let now = inner.clock.now();
        let (state, verifier) = (random_secret(), random_secret());
        let (state, verifier) = (state.map_err(ConnectError::Config)?, verifier.map_err(ConnectError::Config)?);
        let url =
            request.authorize_url(&inner.client_id, &inner.redirect_uri, &inner.scopes, &state, &challenge(&verifier));

        let name = attempt_name(&state);
        let owner = owner_name(&inner.client_id, &request.tenant, &request.connection);
        let batch = || {
            let mut attempt = Attempt::begin(owner.clone(), &request.connection, &request.login, &inner.scopes, now);
            (attempt.org, attempt.verifier) = (request.org, Some(verifier));
            let current = Current { attempt: name.clone() };
            let batch = Batch::new().put(attempt_key(&name)?, ATTEMPTS.encode(&attempt)?, Expect::Absent);
            Ok(batch.put(current_key(&owner)?, CURRENT.encode(&current)?, Expect::Any))
        };
        let commit = inner.store.commit(batch().map_err(ConnectError::store)?).await.map_err(ConnectError::store)?;
        if !commit.is_applied() {
            // Two random states of 256 bits are never equal.
            let error = Error::new(ErrorKind::Store, "connect", "the store has an entry that nobody has made");
            return Err(ConnectError::store(error));
        }
        Ok(AuthorizeRequest { url, expires_at: now + inner.limit })
    }

    /// Deletes attempts whose time limit passed a day ago, and says how many. For a daily job: attempts that nobody came back
    /// from stay in the store until then.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] if the store fails.
    pub async fn purge_expired(&self) -> Result<usize> {
        let Inner { store, clock, limit, .. } = &*self.0;
        let (now, mut after, mut deleted) = (clock.now(), None::<String>, 0);
        loop {
            let page = store.scan(PREFIX, after.as_deref(), 200).await?;
            for entry in &page {
                // A newer format is for the process that knows it.
                let Ok(attempt) = ATTEMPTS.decode(&entry.value) else { continue };
                if attempt.age(now).is_err() || attempt.age(now).is_ok_and(|age| age <= *limit + REMEMBERED) {
                    continue;
                }
                let mut batch = Batch::new().delete(entry.key.clone(), Expect::Version(entry.version));
                let current = current_key(&attempt.owner)?;
                if let Some(newest) = store.get(std::slice::from_ref(&current)).await?.into_iter().flatten().next() {
                    let name = entry.key.as_str().strip_prefix(PREFIX).unwrap_or_default();
                    if CURRENT.decode(&newest.value).is_ok_and(|newest| newest.attempt == name) {
                        batch = batch.delete(current, Expect::Version(newest.version));
                    }
                }
                deleted += usize::from(store.commit(batch).await?.is_applied());
            }
            match page.last() {
                Some(last) if page.len() == 200 => after = Some(last.key.as_str().to_owned()),
                _ => return Ok(deleted),
            }
        }
    }
}

impl fmt::Debug for ConnectFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectFlow")
            .field("client_id", &self.0.client_id)
            .field("redirect_uri", &self.0.redirect_uri)
            .field("scopes", &self.0.scopes)
            .field("store", &self.0.store)
            .field("limit", &self.0.limit)
            .finish_non_exhaustive()
    }
}
