//! Calls that one job has set aside.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ledger::Who;
use super::purse::Purse;
use super::{ApiBudget, Keeper, lock};
use crate::client::OrgLimits;
use crate::error::Result;

/// Calls that one job has set aside. Clones share them; what is left goes back to the budget with the last one.
///
/// Of a budget in a store a task of its own gives them back then; where it does not come to that, as when the process ends, they are
/// back an hour after the last use. [`release`](Self::release) waits until they are.
#[derive(Clone)]
pub struct Permit(Arc<Reserved>);

struct Reserved {
    budget: ApiBudget,
    id: u64,
    purse: Purse,
    /// What is set aside in a store, as last seen.
    seen: AtomicU64,
}

impl Permit {
    pub(super) fn new(budget: ApiBudget, id: u64, calls: u64) -> Self {
        Self(Arc::new(Reserved { budget, id, purse: Purse::default(), seen: AtomicU64::new(calls) }))
    }

    fn who(&self, interactive: bool) -> Who {
        Who { interactive, reservation: Some(self.0.id) }
    }

    /// Calls that are still set aside; in a store as last seen.
    #[must_use]
    pub fn left(&self) -> u64 {
        match &self.0.budget.0.keeper {
            Keeper::Memory(ledger) => lock(ledger).reservation(self.who(false)),
            Keeper::Store(_) => self.0.seen.load(Ordering::Relaxed).saturating_add(self.0.purse.len()),
        }
    }

    /// The budget they were taken from.
    #[must_use]
    pub fn budget(&self) -> &ApiBudget {
        &self.0.budget
    }

    /// Gives back what is left. All clones take from the budget from then on.
    ///
    /// # Errors
    ///
    /// Of a budget in a store, [`ErrorKind::Store`](crate::ErrorKind::Store).
    pub async fn release(&self) -> Result<()> {
        self.0.seen.store(0, Ordering::Relaxed);
        release(&self.0.budget, self.0.id, &self.0.purse).await
    }

    /// Takes calls, all or none of them: reserved ones, and those of the budget where too few are left.
    pub(in crate::client) async fn take(
        &self,
        calls: u64,
        interactive: bool,
        limits: Option<&OrgLimits>,
    ) -> Result<()> {
        let (who, purse) = (self.who(interactive), &self.0.purse);
        if let Some(seen) = self.0.budget.take_by(calls, who, Some(purse), limits).await? {
            self.0.seen.store(seen.reservation, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Gives the rest of a reservation back, and what was fetched of it.
async fn release(budget: &ApiBudget, id: u64, purse: &Purse) -> Result<()> {
    let who = Who { interactive: false, reservation: Some(id) };
    if let Keeper::Store(shared) = &budget.0.keeper {
        purse.put_back(&shared.common, &*budget.0.clock, who).await?;
    }
    budget.change(who, |ledger, _| ledger.release(id)).await
}

impl Drop for Reserved {
    fn drop(&mut self) {
        match &self.budget.0.keeper {
            Keeper::Memory(ledger) => lock(ledger).release(self.id),
            Keeper::Store(_) => {
                let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
                let (budget, id, purse) = (self.budget.clone(), self.id, std::mem::take(&mut self.purse));
                runtime.spawn(async move {
                    // What does not come back now does so in an hour.
                    let _ = release(&budget, id, &purse).await;
                });
            }
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({} left)", self.left())
    }
}
