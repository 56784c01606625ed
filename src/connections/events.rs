//! What is told of connections: audit events, by way of the store so that a crash loses none, and the end of a connection.

use super::entry::{CONNECTIONS, EVENTS_PREFIX, Entry, connection_key};
use super::live::is_an_end;
use super::tries::Tries;
use super::{Connections, PAGE};
use crate::audit::{AuditAction, AuditEvent, EVENTS};
use crate::auth::{TokenState, random_name};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Batch, Commit, Expect, Key};
use crate::types::{RecordId, Timestamp};

/// An event on its way to the sink, and where it is kept meanwhile.
pub(super) type Outgoing = Option<(Key, AuditEvent)>;

impl Connections {
    /// Hands the audit events on that their sink has not taken yet, and says how many. For a job, such as every minute: each
    /// event is handed on as soon as it happens, and stays in the store until the sink has taken it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`]; any error of the sink.
    pub async fn deliver_events(&self) -> Result<usize> {
        let Some(sink) = &self.inner.audit else { return Ok(0) };
        let mut delivered = 0;
        loop {
            let page = self.inner.store.scan(EVENTS_PREFIX, None, PAGE).await?;
            let events: Vec<AuditEvent> =
                page.iter().map(|entry| EVENTS.decode(&entry.value)).collect::<Result<_>>()?;
            if events.is_empty() {
                return Ok(delivered);
            }
            sink.record(&events).await?;
            let batch = page.iter().fold(Batch::new(), |batch, entry| batch.delete(entry.key.clone(), Expect::Any));
            if self.inner.store.commit(batch).await?.is_applied() {
                delivered += events.len();
            }
        }
    }

    pub(super) fn event(
        &self,
        tenant: &str,
        id: &str,
        org: RecordId,
        user: Option<RecordId>,
        action: AuditAction,
    ) -> Result<AuditEvent> {
        let now = self.inner.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let at = i64::try_from(now.as_millis()).ok().and_then(Timestamp::from_unix_millis);
        let at = at.ok_or_else(|| Error::new(ErrorKind::Config, "connections", "the clock shows no date"))?;
        let event = AuditEvent::new(random_name()?, at, tenant, id, org, action);
        Ok(event.with_user(user).with_actor(self.actor.as_deref().map(str::to_owned)))
    }

    /// Adds the event that this happens to a connection.
    pub(super) fn with_event(
        &self,
        batch: Batch,
        tenant: &str,
        entry: &Entry,
        action: AuditAction,
    ) -> Result<(Batch, Outgoing)> {
        let event = self.event(tenant, &entry.id, entry.org_id, entry.user_id, action)?;
        self.with_outbox(batch, event)
    }

    pub(super) fn with_outbox(&self, batch: Batch, event: AuditEvent) -> Result<(Batch, Outgoing)> {
        if self.inner.audit.is_none() {
            return Ok((batch, None));
        }
        let key = Key::new(format!("{EVENTS_PREFIX}{}", event.place()))?;
        Ok((batch.put(key.clone(), EVENTS.encode(&event)?, Expect::Absent), Some((key, event))))
    }

    /// Hands an event on whose batch was applied. What the sink does not take is left for [`deliver_events`](Self::deliver_events).
    pub(super) async fn deliver(&self, event: Outgoing) {
        if let (Some(sink), Some((key, event))) = (&self.inner.audit, event)
            && sink.record(std::slice::from_ref(&event)).await.is_ok()
        {
            // If it stays it is handed on once more, with the same id.
            let _ = self.inner.store.commit(Batch::new().delete(key, Expect::Any)).await;
        }
    }

    /// Tells that Salesforce has ended a connection: once per consent, whatever the number of processes that notice.
    pub(super) async fn tell_end(&self, tenant: &str, id: &str) -> Result<()> {
        let mut tries = Tries::new(&*self.inner.clock);
        loop {
            let Some((version, before)) = self.read(tenant, id).await? else { return Ok(()) };
            if !before.connected || before.end_told {
                return Ok(());
            }
            let login = before.login(self.inner.loopback)?;
            // Read after the entry: a consent that came between changes the entry's version.
            let state = self.manager(tenant, &before.info(), &login, &before.incarnation)?.state().await?;
            let TokenState::Ended(reason) = state else { return Ok(()) };
            if !is_an_end(reason) {
                return Ok(());
            }
            let entry = Entry { end_told: true, ..before };
            let batch =
                Batch::new().put(connection_key(tenant, id)?, CONNECTIONS.encode(&entry)?, Expect::Version(version));
            let (batch, event) = self.with_event(batch, tenant, &entry, AuditAction::ended(reason))?;
            if let Commit::Applied(_) = self.inner.store.commit(batch).await? {
                self.deliver(event).await;
                if let Some(hook) = &self.inner.on_reauth_required {
                    hook(tenant, &entry.info(), reason);
                }
                return Ok(());
            }
            tries.after(None).await?;
        }
    }
}
