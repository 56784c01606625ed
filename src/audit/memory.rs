//! Events in memory.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{AuditEvent, AuditSink};
use crate::error::Result;

/// Keeps events in memory, for tests. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryAudit(Arc<Mutex<Vec<AuditEvent>>>);

impl MemoryAudit {
    /// All events so far, in the order they came, each once.
    #[must_use]
    pub fn events(&self) -> Vec<AuditEvent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl AuditSink for MemoryAudit {
    async fn record(&self, events: &[AuditEvent]) -> Result<()> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            if !known.iter().any(|one| one.id == event.id) {
                known.push(event.clone());
            }
        }
        Ok(())
    }
}
