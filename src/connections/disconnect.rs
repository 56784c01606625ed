//! Ending a connection, and seeing to it that its tokens are dead.

use std::time::Duration;

use super::entry::{
    ALL_OWED, CONNECTIONS, DEFAULTS, Entry, OWED, connection_key, default_key, owed_prefix, tokens_key,
};
use super::tries::Tries;
use super::{Connections, Disconnected, PAGE, Revoked, unknown};
use crate::audit::AuditAction;
use crate::auth::{Purged, random_name};
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::store::{self, Batch, Commit, Expect, Key};

/// Longest time for a revocation; what takes longer is tried again by the next one.
const LIMIT: Duration = Duration::from_secs(30);

impl Connections {
    /// Ends a connection. All clients of this process stop at once; those of other processes at their next look at the store, a
    /// minute later at most ([`ConnectionsBuilder::look_every`](super::ConnectionsBuilder::look_every)), or when Salesforce
    /// refuses their token. The tokens are purged and revoked. The connection's org, settings and whatever the product keeps under
    /// its id stay, for a reconnect; [`forget`](Self::forget) deletes them too.
    ///
    /// Nothing in the org is changed. The answer says what remains. May be repeated: tokens that Salesforce has not revoked are
    /// kept aside and tried again, as by [`revoke_owed`](Self::revoke_owed). Costs a request per token, one as a rule.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for an id that the tenant has not; [`ErrorKind::Store`], and then the connection may still be
    /// there, though the clients of this process have stopped. A revocation that fails is no error but
    /// [`Disconnected::revoked`].
    pub async fn disconnect(&self, tenant: &str, id: &str) -> Result<Disconnected> {
        let mut tries = Tries::new(&*self.inner.clock);
        let entry = loop {
            let error = match self.try_to_disconnect(tenant, id).await {
                Ok(Some(entry)) => break entry,
                Ok(None) => None,
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(error),
                Err(error) => Some(error),
            };
            tries.after(error).await?;
        };
        // Who has asked for a client between the first stop and the commit has got one that looked alive.
        self.stop(tenant, id, Some(&entry.consent));
        let revoked = self.settle_owed(&owed_prefix(tenant, id)).await;
        Ok(Disconnected { info: entry.info(), revoked: revoked.unwrap_or_else(Revoked::No) })
    }

    /// The entry once it is disconnected; `None` if another process was ahead.
    async fn try_to_disconnect(&self, tenant: &str, id: &str) -> Result<Option<Entry>> {
        let (version, before) = self.read(tenant, id).await?.ok_or_else(|| unknown(id))?;
        self.stop(tenant, id, None);
        let login = before.login(self.inner.loopback)?;
        let tokens = self.manager(tenant, &before.info(), &login, &before.incarnation)?.disconnecting().await?;
        if !before.connected && tokens.purged == Purged::default() {
            return Ok(Some(before));
        }
        let entry = Entry { connected: false, ..before };
        let batch = Batch::new().with(tokens.operation).put(
            connection_key(tenant, id)?,
            CONNECTIONS.encode(&entry)?,
            Expect::Version(version),
        );
        let batch = with_owed(batch, tenant, &entry, &tokens.purged)?;
        let (batch, event) = self.with_event(batch, tenant, &entry, AuditAction::Disconnected)?;
        match self.inner.store.commit(batch).await? {
            Commit::Applied(_) => {
                self.deliver(event).await;
                Ok(Some(entry))
            }
            Commit::Conflict { .. } => Ok(None),
        }
    }

    /// Deletes all that is kept of a connection that was disconnected, but for tokens that Salesforce has not revoked yet: they
    /// are tried once more, and stay for [`revoke_owed`](Self::revoke_owed) if need be.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Conflict`] while it is connected; [`ErrorKind::Store`].
    pub async fn forget(&self, tenant: &str, id: &str) -> Result<()> {
        let mut tries = Tries::new(&*self.inner.clock);
        let mut unsure = false;
        loop {
            let error = match self.try_to_forget(tenant, id).await {
                Ok(true) => break,
                Ok(false) => None,
                // Gone, by the commit whose answer was lost.
                Err(error) if error.kind() == ErrorKind::NotFound && unsure => break,
                Err(error) => Some(error),
            };
            unsure |= error.as_ref().is_some_and(|error| error.effect() == Effect::Unknown);
            tries.after(error).await?;
        }
        self.stop(tenant, id, None);
        let _ = self.settle_owed(&owed_prefix(tenant, id)).await;
        Ok(())
    }

    async fn try_to_forget(&self, tenant: &str, id: &str) -> Result<bool> {
        let (version, entry) = self.read(tenant, id).await?.ok_or_else(|| unknown(id))?;
        if entry.connected {
            return Err(Error::new(ErrorKind::Conflict, "connections", "the connection is in use")
                .with_advice("disconnect it first"));
        }
        let default = self.inner.store.get(&[default_key(tenant)?]).await?.into_iter().next().flatten();
        let mut batch = Batch::new()
            .delete(connection_key(tenant, id)?, Expect::Version(version))
            .delete(tokens_key(tenant, id, &entry.incarnation)?, Expect::Any);
        if let Some(default) = default
            && DEFAULTS.decode(&default.value)?.connection == id
        {
            batch = batch.delete(default.key.clone(), Expect::Version(default.version));
        }
        let (batch, event) = self.with_event(batch, tenant, &entry, AuditAction::Forgotten)?;
        let applied = self.inner.store.commit(batch).await?.is_applied();
        if applied {
            self.deliver(event).await;
        }
        Ok(applied)
    }

    /// Deletes a connection that cannot be read: it was damaged, or written with an encryption key that is gone. All other calls
    /// for it end in an error, and after this one the org can be connected anew. Its tokens cannot be revoked here: an admin can,
    /// in Setup under Connected Apps OAuth Usage.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Conflict`] for one that can be read, which [`forget`](Self::forget) deletes;
    /// [`ErrorKind::Store`].
    pub async fn forget_unreadable(&self, tenant: &str, id: &str) -> Result<()> {
        match self.read(tenant, id).await {
            Ok(Some(_)) => {
                let error = Error::new(ErrorKind::Conflict, "connections", "the connection can be read");
                return Err(error.with_advice("disconnect and forget it"));
            }
            Ok(None) => return Err(unknown(id)),
            Err(error) if error.retry() == Retry::Never => {}
            Err(error) => return Err(error),
        }
        // The default is left alone where it can be read: it names another connection, or none once this is gone.
        let mut batch = Batch::new().delete(connection_key(tenant, id)?, Expect::Any);
        let default = self.inner.store.get(&[default_key(tenant)?]).await;
        if default.is_err_and(|error| error.retry() == Retry::Never) {
            batch = batch.delete(default_key(tenant)?, Expect::Any);
        }
        let _ = self.inner.store.commit(batch).await?;
        self.stop(tenant, id, None);
        Ok(())
    }

    /// Has Salesforce revoke tokens of all tenants that it could not revoke when their connections were ended or made again, and
    /// says how many are left. For a job, such as every hour. Costs one request per token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`].
    pub async fn revoke_owed(&self) -> Result<usize> {
        let (mut left, mut after) = (0, None::<String>);
        loop {
            let page = self.inner.store.scan(ALL_OWED, after.as_deref(), PAGE).await?;
            for entry in &page {
                left += usize::from(self.settle(entry).await.is_err());
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.key.as_str().to_owned()),
                _ => return Ok(left),
            }
        }
    }

    /// Revokes all that is to be revoked of one connection.
    pub(super) async fn settle_owed(&self, prefix: &str) -> Result<Revoked> {
        let (mut failed, mut unsure, mut any) = (None, false, false);
        let page = self.inner.store.scan(prefix, None, PAGE).await?;
        for entry in &page {
            any = true;
            match self.settle(entry).await {
                Ok(certain) => unsure |= !certain,
                Err(error) => failed = Some(error),
            }
        }
        Ok(match failed {
            Some(error) => Revoked::No(error),
            None if unsure => Revoked::InDoubt,
            None if any => Revoked::Yes,
            None => Revoked::NothingToRevoke,
        })
    }

    /// Revokes tokens and forgets them once Salesforce has answered; says whether surely none is left.
    async fn settle(&self, entry: &store::Entry) -> Result<bool> {
        let owed = OWED.decode(&entry.value)?;
        let (login, purged) = (owed.login(self.inner.loopback)?, owed.purged());
        let late = |_| {
            let error = Error::new(ErrorKind::Transport, "revoke", "Salesforce did not answer in time");
            error.with_retry(Retry::After(None)).with_context("host", &login)
        };
        let asked = tokio::time::timeout(LIMIT, purged.revoke(&self.inner.http, &login));
        let certain = asked.await.map_err(late)??;
        // If this fails it is asked again, and Salesforce says that they are dead already.
        let batch = Batch::new().delete(entry.key.clone(), Expect::Version(entry.version));
        let event =
            self.event(&owed.tenant, &owed.connection, owed.org_id, owed.user_id, AuditAction::revoked(certain))?;
        let (batch, event) = self.with_outbox(batch, event)?;
        if self.inner.store.commit(batch).await.is_ok_and(|commit| commit.is_applied()) {
            self.deliver(event).await;
        }
        Ok(certain)
    }
}

/// Adds tokens that were purged to what is to be revoked.
pub(super) fn with_owed(batch: Batch, tenant: &str, entry: &Entry, purged: &Purged) -> Result<Batch> {
    if *purged == Purged::default() {
        return Ok(batch);
    }
    let key = Key::new(owed_prefix(tenant, &entry.id) + &random_name()?)?;
    Ok(batch.put(key, OWED.encode(&entry.owed(tenant, purged))?, Expect::Absent))
}
