//! Calls that this process has fetched from a ledger in a store, to be made without asking it for each.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::ledger::{Ledger, Refusal, Rules, Who};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::store::{Batch, Commit, Expect, Key, Store, Versioned};

/// Calls fetched at once, at most: so many are lost for the window when a process dies.
const MOST_FETCHED: u64 = 100;

/// Of what is left, one in so many is fetched at once, so that the last calls are not all with one worker.
const PART_OF_LEFT: u64 = 32;

/// How long fetched calls may be kept, in milliseconds: a pause reaches every worker within that time, and what a worker does
/// not need is back for the others.
const KEPT: i64 = 60_000;

/// How long a reservation lasts after its last use, in milliseconds. One whose process has died gives its calls back then.
const RESERVED: i64 = 3_600_000;

/// How often a change is tried that another worker was faster with.
const TRIES: u32 = 60;

pub(super) const LEDGER: Versioned<Ledger> = Versioned::new("budget", 1);

/// The ledger in a store.
#[derive(Clone, Debug)]
pub(super) struct SharedLedger {
    store: Arc<dyn Store>,
    key: Key,
}

impl SharedLedger {
    pub(super) fn new(store: Arc<dyn Store>, name: &str) -> Result<Self> {
        Ok(Self { store, key: Key::new(format!("budget/{name}"))? })
    }

    /// Changes the ledger, as one of any number of workers. The change is made anew where another one came first.
    pub(super) async fn change<T: Send>(
        &self,
        clock: &dyn Clock,
        mut change: impl FnMut(&mut Ledger) -> T + Send,
    ) -> Result<T> {
        for round in 0..TRIES {
            let entry = self.store.get(std::slice::from_ref(&self.key)).await?.pop().flatten();
            let before = entry.as_ref().map(|entry| LEDGER.decode(&entry.value)).transpose()?.unwrap_or_default();
            let mut ledger = before.clone();
            let told = change(&mut ledger);
            if ledger == before {
                return Ok(told);
            }
            let expect = entry.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
            let batch = Batch::new().put(self.key.clone(), LEDGER.encode(&ledger)?, expect);
            if let Commit::Applied(_) = self.store.commit(batch).await? {
                return Ok(told);
            }
            // Those who met do not meet again.
            let most = 2 * u64::from(round.min(24)) + 2;
            clock.sleep(Duration::from_millis(fastrand::u64(1..=most))).await;
        }
        Err(Error::new(ErrorKind::Store, "budget", "other workers change the budget all the time")
            .with_retry(Retry::After(None)))
    }
}

/// Fetched calls.
#[derive(Clone, Debug, Default)]
struct Fetched {
    calls: u64,
    /// Under what they are counted in the ledger.
    stamp: Vec<(String, i64)>,
    /// From when to when they may be made, since later they would count elsewhere.
    from: i64,
    until: i64,
}

/// The fetched calls of a budget, or of one reservation.
#[derive(Debug, Default)]
pub(super) struct Purse {
    fetched: Mutex<Fetched>,
    /// One task fetches for all.
    fetching: tokio::sync::Mutex<()>,
}

/// What is known of the ledger after a change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Calls left to background work.
    pub(super) left: u64,
    /// Calls of ours in a rolling day, where they are counted.
    pub(super) day: u64,
    /// Calls still set aside for whoever asked.
    pub(super) reservation: u64,
}

impl Seen {
    pub(super) fn of(ledger: &Ledger, rules: &Rules, who: Who) -> Self {
        Self {
            left: ledger.left(rules, Who::default()),
            day: ledger.used(super::BudgetWindow::ROLLING_DAY),
            reservation: ledger.reservation(who),
        }
    }
}

impl Purse {
    fn fetched(&self) -> MutexGuard<'_, Fetched> {
        // Whole after every statement.
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls that may be made without asking.
    pub(super) fn len(&self) -> u64 {
        self.fetched().calls
    }

    /// Takes what was fetched out of it.
    fn empty(&self) -> Fetched {
        std::mem::take(&mut *self.fetched())
    }

    /// Takes calls if so many were fetched and may still be made.
    fn spend(&self, now: i64, calls: u64) -> bool {
        let mut fetched = self.fetched();
        let good = fetched.calls >= calls && (fetched.from..fetched.until).contains(&now);
        if good {
            fetched.calls -= calls;
        }
        good
    }

    /// Takes calls, all or none of them; fetches more where too few are there. Tells what was seen if the ledger was asked.
    pub(super) async fn take(
        &self,
        common: &SharedLedger,
        rules: &Rules,
        clock: &dyn Clock,
        calls: u64,
        who: Who,
    ) -> Result<(Result<(), Refusal>, Option<Seen>)> {
        let now = || super::millis(clock);
        if self.spend(now(), calls) {
            return Ok((Ok(()), None));
        }
        let _one = self.fetching.lock().await;
        if self.spend(now(), calls) {
            return Ok((Ok(()), None));
        }
        // From here on they are in nobody's hands: a process that dies, or a task that is dropped, leaves them counted as made.
        let rest = self.empty();
        let now = now();
        let (fetched, seen) = common
            .change(clock, |ledger| {
                ledger.settle(rules, now);
                ledger.put_back(&rest.stamp, rest.calls, who);
                let wanted = calls.max(worth_fetching(ledger, rules, who));
                let more = ledger.take(rules, now, wanted, who).map(|()| wanted);
                let fetched = more.or_else(|_| ledger.take(rules, now, calls, who).map(|()| calls));
                if let Some(id) = who.reservation {
                    ledger.prolong(id, now.saturating_add(RESERVED));
                }
                (fetched, Seen::of(ledger, rules, who))
            })
            .await?;
        let taken = match fetched {
            Ok(fetched) => {
                let steps = rules.caps.iter().map(|(window, _)| window.step_end(now));
                let until = steps.fold(now.saturating_add(KEPT), i64::min);
                *self.fetched() = Fetched { calls: fetched - calls, stamp: rules.stamp(now), from: now, until };
                Ok(())
            }
            Err(refusal) => Err(refusal),
        };
        Ok((taken, Some(seen)))
    }

    /// Puts what was fetched back.
    pub(super) async fn put_back(&self, common: &SharedLedger, clock: &dyn Clock, who: Who) -> Result<()> {
        let rest = self.empty();
        common.change(clock, |ledger| ledger.put_back(&rest.stamp, rest.calls, who)).await
    }
}

/// How many calls to fetch where one is wanted.
fn worth_fetching(ledger: &Ledger, rules: &Rules, who: Who) -> u64 {
    match who {
        Who { reservation: Some(_), .. } => ledger.reservation(who).min(MOST_FETCHED),
        // What only interactive work may have must not lie about where background work finds it.
        Who { interactive: true, .. } => 0,
        Who { .. } => (ledger.left(rules, who) / PART_OF_LEFT).min(MOST_FETCHED),
    }
}

/// Until when a reservation of now lasts.
pub(super) fn reserved_until(now: i64) -> i64 {
    now.saturating_add(RESERVED)
}
