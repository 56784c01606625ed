//! Connecting an org, and connecting it again.

use super::disconnect::with_owed;
use super::entry::{CONNECTIONS, DEFAULTS, Default, Entry, connection_key, default_key, owed_prefix};
use super::tries::Tries;
use super::{Connection, Connections};
use crate::audit::AuditAction;
use crate::auth::{AuthorizeRequest, ConnectError, ConnectRequest, Connected, Grant, random_name, revoke};
use crate::error::{Effect, Error, ErrorKind, Retry};
use crate::store::{Batch, Commit, Expect};

/// A consent that is to be stored.
struct Consent<'a> {
    tenant: &'a str,
    connected: &'a Connected,
    grant: Grant,
    /// Names for the incarnation, if it is new, and for the consent.
    names: [String; 2],
    /// What a commit expected whose answer was lost: as long as that holds, the commit may still come.
    unsure: Option<Expect>,
}

/// What a try to store a consent has come to.
enum Kept {
    Stored(Box<Entry>),
    /// Another process was ahead.
    Overtaken,
}

impl Connections {
    /// Begins to connect an org, or to reconnect one, and answers with the address to send the browser to. A connection that is
    /// known must come back with the same org.
    ///
    /// # Errors
    ///
    /// As for [`ConnectFlow::begin`](crate::auth::ConnectFlow::begin); [`ConnectError::WrongEnvironment`] when the connection's
    /// org is of another kind than was chosen.
    pub async fn begin(&self, request: ConnectRequest) -> Result<AuthorizeRequest, ConnectError> {
        let known = self.read(request.tenant(), request.connection_id()).await.map_err(ConnectError::store)?;
        let Some((_, entry)) = known else { return self.inner.flow.begin(&request).await };
        if let (Some(asked), Some(found)) = (request.environment(), entry.environment())
            && asked != found
        {
            return Err(ConnectError::WrongEnvironment { asked, found });
        }
        self.inner.flow.begin(&request.expect_org(entry.org_id)).await
    }

    /// Finishes what [`begin`](Self::begin) began, with the query of the callback. The tenant comes from the session of the
    /// person at the browser.
    ///
    /// Tokens, connection and default are stored by one commit, so that a connection that works is replaced as a whole or left
    /// alone. Clients of a connection that is made again go on with the new tokens, in all processes; the old ones are revoked.
    /// Costs one request to the token endpoint, and one for each token to revoke.
    ///
    /// # Errors
    ///
    /// As for [`ConnectFlow::finish`](crate::auth::ConnectFlow::finish); [`ConnectError::WrongOrg`] when another tab has connected
    /// another org meanwhile. New tokens that surely were not stored are revoked.
    pub async fn finish(&self, tenant: &str, query: &str) -> Result<Connection, ConnectError> {
        let connected = self.inner.flow.finish(tenant, query).await?;
        let entry = self.keep(tenant, &connected).await?;
        // What could not be revoked stays noted.
        let _ = self.settle_owed(&owed_prefix(tenant, &entry.id)).await;
        let live = self.live(tenant, &entry).map_err(ConnectError::Config)?;
        let connection = Connection::new(entry.info(), live, self.inner.app());
        if let Some(hook) = &self.inner.after_connect {
            hook(tenant, &connection);
        }
        Ok(connection)
    }

    /// Stores a consent. If surely nothing was stored, its tokens are revoked: what nobody keeps must not stay valid.
    async fn keep(&self, tenant: &str, connected: &Connected) -> Result<Entry, ConnectError> {
        let consent = || {
            let grant = Grant::from_connected(connected).ok_or_else(no_refresh_token)?;
            Ok(Consent { tenant, connected, grant, names: [random_name()?, random_name()?], unsure: None })
        };
        let (error, unsure) = match consent() {
            Ok(mut consent) => match self.keep_trying(&mut consent).await {
                Ok(entry) => return Ok(entry),
                Err(error) => (error, consent.unsure.is_some()),
            },
            Err(error) => (ConnectError::Config(error), false),
        };
        if unsure {
            return Err(match error {
                ConnectError::Store(error) => ConnectError::Store(error.with_effect(Effect::Unknown)),
                other => other,
            });
        }
        let token = connected.refresh.as_ref().unwrap_or_else(|| connected.access.secret());
        let _ = revoke(&self.inner.http, &connected.login, token).await;
        Err(error)
    }

    async fn keep_trying(&self, consent: &mut Consent<'_>) -> Result<Entry, ConnectError> {
        let mut tries = Tries::new(&*self.inner.clock);
        loop {
            let error = match self.try_to_keep(consent).await {
                Ok(Kept::Stored(entry)) => return Ok(*entry),
                Ok(Kept::Overtaken) => None,
                Err(ConnectError::Store(error)) => Some(error),
                Err(error) => return Err(error),
            };
            // The code was redeemed: the callback is no good any more.
            let spent = |error: Error| ConnectError::Store(error.with_retry(Retry::Exhausted { attempts: 1 }));
            tries.after(error).await.map_err(spent)?;
        }
    }

    async fn try_to_keep(&self, consent: &mut Consent<'_>) -> Result<Kept, ConnectError> {
        let Consent { tenant, connected, .. } = *consent;
        let id = connected.connection.as_str();
        let before = self.read(tenant, id).await.map_err(ConnectError::store)?;
        let expected = before.as_ref().map_or(Expect::Absent, |(version, _)| Expect::Version(*version));
        let before = before.map(|(_, entry)| entry);
        if let Some(entry) = before.as_ref().filter(|entry| entry.consent == consent.names[1]) {
            return Ok(Kept::Stored(Box::new(entry.clone())));
        }
        if consent.unsure.is_some_and(|unsure| unsure != expected) {
            consent.unsure = None;
        }
        if let Some(entry) = before.as_ref().filter(|entry| entry.org_id != connected.org_id) {
            return Err(ConnectError::WrongOrg { expected: entry.org_id, found: connected.org_id });
        }
        let names = [consent.names[0].as_str(), consent.names[1].as_str()];
        let entry = Entry::of(connected, names, self.inner.clock.now(), before.as_ref());
        let manager = self.manager(tenant, &entry.info(), &connected.login, &entry.incarnation);
        let manager = manager.map_err(ConnectError::Config)?;
        let tokens = manager.connecting(&consent.grant).await.map_err(ConnectError::store)?;
        let batch = async {
            let key = default_key(tenant)?;
            let default = self.inner.store.get(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
            let mut batch = Batch::new().with(tokens.operation);
            batch = batch.put(connection_key(tenant, id)?, CONNECTIONS.encode(&entry)?, expected);
            if default.is_none() {
                let default = Default { connection: id.to_owned() };
                batch = batch.put(key, DEFAULTS.encode(&default)?, Expect::Absent);
            }
            if let Some(before) = &before
                && tokens.purged.refresh_token.as_ref() != Some(consent.grant.refresh_token())
            {
                batch = with_owed(batch, tenant, before, &tokens.purged)?;
            }
            let action = if before.is_some() { AuditAction::Reconnected } else { AuditAction::Connected };
            self.with_event(batch, tenant, &entry, action)
        };
        let (batch, event) = batch.await.map_err(ConnectError::store)?;
        let commit = self.inner.store.commit(batch).await;
        match commit {
            Ok(Commit::Applied(_)) => {
                self.deliver(event).await;
                Ok(Kept::Stored(Box::new(entry)))
            }
            Ok(Commit::Conflict { .. }) => Ok(Kept::Overtaken),
            Err(error) => {
                if error.effect() == Effect::Unknown {
                    consent.unsure = Some(expected);
                }
                Err(ConnectError::store(error))
            }
        }
    }
}

fn no_refresh_token() -> Error {
    let advice = "ask for the scope refresh_token, and allow it in the app";
    Error::new(ErrorKind::Config, "connect", "the org gave no refresh token").with_advice(advice)
}
