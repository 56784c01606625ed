//! Connecting, disconnecting, and what state a connection is in.

use std::time::SystemTime;

use super::TokenManager;
use super::entry::{StoredAccess, TokenEntry};
use super::renewal::Backoff;
use crate::auth::{AccessToken, Connected, Scopes};
use crate::error::{Error, ErrorKind, ReauthReason, Result, Retry};
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
        /// A renewal was cut off: the access token works to its end, and then the refresh token may turn out to be spent.
        in_doubt: bool,
    },
    /// A person has to connect the org again.
    Ended(ReauthReason),
}

impl TokenManager {
    /// Stores a new grant, in place of whatever was there: it revives a connection that has ended. All processes go on with it.
    ///
    /// A store that fails is tried again for as long as a third of the lease time; then the grant is still the caller's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] if the store fails.
    pub async fn connect(&self, grant: &Grant) -> Result<()> {
        let access = grant.access.as_ref().map(|token| StoredAccess::new(token, self.0.clock.now()));
        self.replace(|before| {
            TokenEntry::granted(before, grant.refresh_token.clone(), access.clone(), grant.scopes.as_ref())
        })
        .await
        .map(drop)
    }

    /// Purges the tokens and ends the connection for all processes, with [`ReauthReason::Disconnected`]. Answers with the refresh
    /// token that was stored, for the caller to [`revoke`](crate::auth::revoke) at Salesforce.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] if the store fails.
    pub async fn disconnect(&self) -> Result<Option<Secret>> {
        let before = self.replace(TokenEntry::disconnected).await?;
        Ok(before.and_then(|entry| entry.refresh_token))
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
                let before = self.0.read_or_damaged().await?;
                let next = change(before.as_ref().map(|(_, entry)| entry));
                let applied = self.0.write(before.as_ref().map(|(version, _)| *version), &next).await?;
                Ok(applied.map(|_| before.map(|(_, entry)| entry)))
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
