//! Who did what and when: events for the customer's records, and where they are kept.
//!
//! An [`AuditSink`] takes them: [`StoreAudit`] keeps them in a [`Store`](crate::store::Store), [`MemoryAudit`] for a test, or one of the product's own.

mod event;
mod memory;
mod store;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub(crate) use self::event::EVENTS;
pub use self::event::{AuditAction, AuditEvent};
pub use self::memory::MemoryAudit;
pub use self::store::StoreAudit;
use crate::error::Result;

/// Keeps audit events.
///
/// # Contract
///
/// - When `record` has answered, the events survive the end of the process. After an error they are recorded again, as a whole.
/// - An event may come more than once, with the same [`AuditEvent::id`]; it counts once.
/// - Events hold no secret and no field value. The ids of tenant and actor are whatever the product gives.
#[async_trait]
pub trait AuditSink: fmt::Debug + Send + Sync + 'static {
    /// Records events, in order.
    async fn record(&self, events: &[AuditEvent]) -> Result<()>;
}

#[async_trait]
impl<S: AuditSink + ?Sized> AuditSink for Arc<S> {
    async fn record(&self, events: &[AuditEvent]) -> Result<()> {
        (**self).record(events).await
    }
}
