//! Connecting, disconnecting, and what state a connection is in.

use std::time::SystemTime;

use super::TokenManager;
use super::entry::{StoredAccess, TOKENS, TokenEntry};
use super::renewal::Backoff;
use crate::auth::{AccessToken, Connected, LoginHost, Revocation, Scopes, revoke};
use crate::error::{Error, ErrorKind, ReauthReason, Result, Retry};
use crate::http::HttpService;
use crate::store::Operation;
use crate::types::Secret;

/// What a person's consent has brought: a refresh token, and mostly an access token with it.
#[derive(Clone, Debug)]
pub struct Grant {
    refresh_token: Secret,
    access: Option<AccessToken>,
    scopes: Option<Scopes>,
}

impl Grant {
    /// A refresh token. The first use of it gets an access token.
    pub fn new(refresh_token: impl Into<Secret>) -> Self {
        Self { refresh_token: refresh_token.into(), access: None, scopes: None }
    }

    /// The access token that came with it.
    #[must_use]
    pub fn access_token(mut self, token: AccessToken) -> Self {
        self.access = Some(token);
        self
    }

    /// The scopes that were granted.
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = Some(scopes);
        self
    }

    /// What [`ConnectFlow::finish`](crate::auth::ConnectFlow::finish) has brought; `None` where no refresh token was asked for.
    #[must_use]
    pub fn from_connected(connected: &Connected) -> Option<Self> {
        Some(Self {
            refresh_token: connected.refresh.clone()?,
            access: Some(connected.access.clone()),
            scopes: connected.scopes.clone(),
        })
    }

    fn entry(&self, before: Option<&TokenEntry>, now: SystemTime) -> TokenEntry {
        let access = self.access.as_ref().map(|token| StoredAccess::new(token, now));
        TokenEntry::granted(before, self.refresh_token.clone(), access, self.scopes.as_ref())
            .of_org(self.access.as_ref().and_then(AccessToken::org_id))
    }

    pub(crate) fn refresh_token(&self) -> &Secret {
        &self.refresh_token
    }
}

/// Tokens that were taken out of the store, for the caller to revoke at Salesforce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purged {
    /// The refresh token that was stored.
    pub refresh_token: Option<Secret>,
    /// The access token that was stored.
    pub access_token: Option<Secret>,
    /// A renewal was under way or had been cut off, or the entry could not be read: Salesforce may know newer tokens than these.
    pub in_doubt: bool,
}

impl Purged {
    pub(crate) fn new(refresh_token: Option<Secret>, access_token: Option<Secret>, in_doubt: bool) -> Self {
        Self { refresh_token, access_token, in_doubt }
    }

    pub(super) fn from_entry(entry: Option<&TokenEntry>) -> Self {
        let Some(entry) = entry else { return Self::default() };
        // Neither tokens nor an end: it could not be read.
        let unreadable = entry.refresh_token.is_none() && entry.ended.is_none();
        Self {
            refresh_token: entry.refresh_token.clone(),
            access_token: entry.access.as_ref().map(|access| access.secret().clone()),
            in_doubt: entry.lease.is_some() || entry.doubt.is_some() || unreadable,
        }
    }

    /// Whether there is nothing to revoke.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.refresh_token.is_none() && self.access_token.is_none()
    }

    /// Revokes them: the refresh token with all that hangs on it, or what else there is. One request, two if the refresh token
    /// is dead already.
    ///
    /// `true` if nothing of the connection works any more. `false` if a renewal may have brought newer tokens: the process that
    /// carries it out finds the connection ended and revokes them, unless it has died. May be repeated.
    ///
    /// # Errors
    ///
    /// As for [`revoke`].
    pub async fn revoke(&self, http: &dyn HttpService, host: &LoginHost) -> Result<bool> {
        if let Some(token) = &self.refresh_token
            && revoke(http, host, token).await? == Revocation::Revoked
        {
            return Ok(true);
        }
        if let Some(token) = &self.access_token {
            revoke(http, host, token).await?;
        }
        Ok(!self.in_doubt)
    }
}

/// A change of the entry, for the caller to commit together with what else has to change at that moment.
pub(crate) struct Replacement {
    pub(crate) operation: Operation,
    /// What stood there.
    pub(crate) purged: Purged,
}

/// The state of a connection, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenState {
    /// Nothing is stored.
    NotConnected,
    /// It works, as far as is known.
    #[non_exhaustive]
    Alive {
        /// When the access token was got, by the clock of the machine that got it; `None` before the first one.
        obtained_at: Option<SystemTime>,
        /// The scopes that were granted, if the org told.
        scopes: Option<Scopes>,
        /// Scopes that were granted once and were missing from the last renewal that told: an admin has taken them from the app.
        lost_scopes: Option<Scopes>,
        /// A renewal was cut off: the access token works to its end, and then the refresh token may turn out to be spent.
        in_doubt: bool,
    },
    /// A person has to connect the org again.
    Ended(ReauthReason),
}

impl TokenManager {
    /// Stores a new grant, in place of whatever was there: it revives a connection that has ended. All processes go on with it.
    /// Also in place of what cannot be read, because it is damaged, or encrypted with a key that is lost.
    ///
    /// A store that fails is tried again for as long as a third of the lease time; then the grant is still the caller's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] if the store fails.
    pub async fn connect(&self, grant: &Grant) -> Result<()> {
        let now = self.0.clock.now();
        self.replace(|before| grant.entry(before, now)).await.map(drop)
    }

    /// As [`connect`](Self::connect), for the caller to commit. The operation expects the entry as it is now.
    pub(crate) async fn connecting(&self, grant: &Grant) -> Result<Replacement> {
        let now = self.0.clock.now();
        self.replacement(|before| grant.entry(before, now)).await
    }

    /// Purges the tokens and ends the connection for all processes, with [`ReauthReason::Disconnected`]. Answers with the tokens
    /// that were stored, for the caller to [`revoke`](Purged::revoke) at Salesforce. Tokens that cannot be read are purged too, and
    /// then [`Purged::in_doubt`] says that somebody may have to end them in Salesforce.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] if the store fails.
    pub async fn disconnect(&self) -> Result<Purged> {
        let before = self.replace(TokenEntry::disconnected).await?;
        Ok(Purged::from_entry(before.as_ref()))
    }

    /// As [`disconnect`](Self::disconnect), for the caller to commit. The operation expects the entry as it is now.
    pub(crate) async fn disconnecting(&self) -> Result<Replacement> {
        self.replacement(TokenEntry::disconnected).await
    }

    async fn replacement(&self, change: impl Fn(Option<&TokenEntry>) -> TokenEntry + Send) -> Result<Replacement> {
        let (expect, before) = self.0.read_or_damaged().await?;
        let value = TOKENS.encode(&change(before.as_ref()))?;
        let operation = Operation { key: self.0.key.clone(), expect, value: Some(value) };
        Ok(Replacement { operation, purged: Purged::from_entry(before.as_ref()) })
    }

    /// Waits for a renewal under way and stores what is still to be stored: for a program that is about to end, once its clients
    /// have no more work. Tokens that Salesforce has renewed and that the store did not take are lost with the process.
    ///
    /// Takes no longer than a lease.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] if the store does not take them. They are tried again until the process ends.
    pub async fn flush(&self) -> Result<()> {
        let mut memory = self.turn().await;
        self.0.settle_soon(&mut memory).await.map(drop)
    }

    /// Where the tokens come from, and are revoked.
    pub(crate) fn login(&self) -> &LoginHost {
        &self.0.app.host
    }

    /// What is stored. One read of the store, no request.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] if the store fails, or holds what this version cannot read.
    pub async fn state(&self) -> Result<TokenState> {
        let Some((_, entry)) = self.0.read().await? else { return Ok(TokenState::NotConnected) };
        Ok(match entry.ended {
            Some(ended) => TokenState::Ended(ended.reason()),
            None => TokenState::Alive {
                obtained_at: entry.access.as_ref().map(StoredAccess::obtained_at),
                scopes: entry.scopes.as_deref().and_then(Scopes::granted),
                lost_scopes: entry.lost_scopes.as_deref().and_then(Scopes::granted),
                in_doubt: entry.doubt.is_some(),
            },
        })
    }

    /// Writes what `change` makes of the entry, and answers with the one before. Renewals under way lose against it.
    async fn replace(
        &self,
        change: impl Fn(Option<&TokenEntry>) -> TokenEntry + Send + Sync,
    ) -> Result<Option<TokenEntry>> {
        let mut backoff = Backoff::new(self.0.clock.monotonic(), self.0.timing.lease / 3);
        loop {
            let tried = async {
                let (expect, before) = self.0.read_or_damaged().await?;
                let applied = self.0.put(expect, &change(before.as_ref())).await?;
                Ok(applied.map(|_| before))
            };
            let error = match tried.await {
                Ok(Some(before)) => return Ok(before),
                Ok(None) => Error::new(ErrorKind::Store, "token", "the tokens change all the time")
                    .with_retry(Retry::After(None)),
                Err(error) => error,
            };
            // A commit whose answer was lost is done again: the same grant twice is once.
            match backoff.next(self.0.clock.monotonic()) {
                Some(delay) if matches!(error.retry(), Retry::After(_)) => self.0.clock.sleep(delay).await,
                _ => return Err(error),
            }
        }
    }
}
