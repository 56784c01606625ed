//! Events in a store.

use std::sync::Arc;

use async_trait::async_trait;

use super::event::EVENTS;
use super::{AuditEvent, AuditSink};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::store::{Batch, Expect, Key, Store};
use crate::types::Timestamp;

const PREFIX: &str = "audit/";

/// Writes and deletions of one commit.
const PAGE: usize = 200;

/// Keeps events in a [`Store`], by time. Keys hold the time and a random id; an encrypted store keeps the rest unreadable.
#[derive(Clone, Debug)]
pub struct StoreAudit(Arc<dyn Store>);

impl StoreAudit {
    /// Keeps events there.
    #[must_use]
    pub fn new(store: impl Store) -> Self {
        Self(Arc::new(store))
    }

    /// Up to `limit` events from the oldest on, those after the event `after` if one is given. One read of the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`].
    pub async fn page(&self, after: Option<&AuditEvent>, limit: usize) -> Result<Vec<AuditEvent>> {
        let after = after.map(|event| format!("{PREFIX}{}", event.place()));
        let entries = self.0.scan(PREFIX, after.as_deref(), limit).await?;
        entries.iter().map(|entry| EVENTS.decode(&entry.value)).collect()
    }

    /// Deletes the events from before that moment, and says how many. For a daily job.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`].
    pub async fn purge_before(&self, moment: Timestamp) -> Result<usize> {
        let end = format!("{PREFIX}{:015}/", moment.unix_millis().max(0));
        let mut deleted = 0;
        loop {
            let mut page = self.0.scan(PREFIX, None, PAGE).await?;
            page.retain(|entry| entry.key.as_str() < end.as_str());
            if page.is_empty() {
                return Ok(deleted);
            }
            let batch = page.iter().fold(Batch::new(), |batch, entry| batch.delete(entry.key.clone(), Expect::Any));
            if self.0.commit(batch).await?.is_applied() {
                deleted += page.len();
            }
        }
    }
}

#[async_trait]
impl AuditSink for StoreAudit {
    async fn record(&self, events: &[AuditEvent]) -> Result<()> {
        for page in events.chunks(PAGE) {
            let mut batch = Batch::new();
            for (number, event) in page.iter().enumerate() {
                // The same event twice in one call is one write.
                if page[..number].iter().all(|one| one.id != event.id) {
                    let key = Key::new(format!("{PREFIX}{}", event.place()))?;
                    batch = batch.put(key, EVENTS.encode(event)?, Expect::Any);
                }
            }
            if !self.0.commit(batch).await?.is_applied() {
                let error = Error::new(ErrorKind::Store, "audit", "the store has not taken the events");
                return Err(error.with_retry(Retry::After(None)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditAction;
    use crate::store::MemoryStore;

    fn event(number: i64) -> AuditEvent {
        let at = Timestamp::from_unix_millis(1_767_225_600_000 + number).expect("in range");
        let org = "00D5g00000ABCDE".parse().expect("an id");
        AuditEvent::new(format!("e{number}"), at, "tenant-7", "default", org, AuditAction::Connected)
    }

    #[tokio::test]
    async fn events_are_kept_once_in_order_and_until_they_are_purged() {
        let audit = StoreAudit::new(MemoryStore::default());
        let events: Vec<AuditEvent> = (0..450).map(event).collect();
        audit.record(&events).await.expect("kept");
        audit.record(&[event(3), event(3), event(4)]).await.expect("kept again");
        let (mut read, mut after) = (Vec::new(), None);
        loop {
            let page = audit.page(after.as_ref(), 100).await.expect("reads");
            read.extend(page.iter().cloned());
            after = page.last().cloned();
            if page.len() < 100 {
                break;
            }
        }
        assert_eq!(read, events);
        assert_eq!(audit.purge_before(event(420).at).await.expect("purged"), 420);
        assert_eq!(audit.page(None, 1000).await.expect("reads"), events[420..]);
    }
}
