//! How many API calls we allow ourselves.

mod ledger;
mod meter;
mod permit;
mod purse;
mod report;
mod stop;
mod window;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::ledger::{Ledger, Refusal, Rules, Who};
use self::meter::Meter;
pub use self::meter::PhaseCalls;
pub use self::permit::Permit;
use self::purse::{Purse, Seen, SharedLedger};
pub use self::report::{BudgetReport, CapReport};
pub(super) use self::stop::refused;
pub use self::stop::{BudgetStop, StopReason};
pub use self::window::BudgetWindow;
use super::OrgLimits;
use crate::clock::{Clock, SystemClock};
use crate::error::{Effect, Error, Result};
use crate::store::Store;
use crate::types::Timestamp;

/// API calls that programs allow themselves, so that they leave the rest of the org's to others.
///
/// Each attempt of each call counts one, as it does for the org. A call that is not allowed is refused before anything is sent,
/// with an error of kind [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded) that tells why and until when
/// ([`Error::budget_stop`]). Work stops with it where it is, and goes on from there later: rows that were not written come back as
/// deferred, queries have a cursor.
///
/// Several caps may hold at once, in a [rolling window or in the Pacific day](BudgetWindow). A job that must not stop half-way
/// [reserves](Self::reserve) its calls first. Clones share the budget; give it to several clients to share it between them, and
/// keep it [in a store](Self::shared) to share it between processes.
///
/// Time is the clock's time of day. A clock that is set ahead gives calls back too soon; one that is set back keeps them away for one
/// window more at most.
///
/// ```
/// use sforce::client::{ApiBudget, BudgetWindow};
///
/// // Of the org's calls 15,000 in any 24 hours and 10,000 a Pacific day, never more than half of what others leave, and the last
/// // 500 only where a person waits for the answer.
/// let budget = ApiBudget::per_day(15_000)
///     .and(10_000, BudgetWindow::PacificDay)
///     .share_of_org(50)
///     .keep_for_interactive(500);
/// assert_eq!(budget.left(), 9_500);
/// ```
#[derive(Clone)]
pub struct ApiBudget(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    rules: Rules,
    keeper: Keeper,
    meter: Meter,
}

/// Where the ledger is kept.
enum Keeper {
    Memory(Mutex<Ledger>),
    Store(Box<Shared>),
}

impl Keeper {
    fn shared(common: SharedLedger) -> Self {
        Self::Store(Box::new(Shared { common, purse: Purse::default(), seen: Mutex::default() }))
    }

    /// One of the same kind: empty, or of the same entry of the store.
    fn anew(&self) -> Self {
        match self {
            Self::Memory(_) => Self::Memory(Mutex::default()),
            Self::Store(shared) => Self::shared(shared.common.clone()),
        }
    }
}

/// A ledger that other processes change as well.
struct Shared {
    common: SharedLedger,
    purse: Purse,
    seen: Mutex<Option<Seen>>,
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Option<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time of day in milliseconds since 1970.
fn millis(clock: &dyn Clock) -> i64 {
    Timestamp::from(clock.now()).unix_millis()
}

impl ApiBudget {
    /// Allows so many calls in any 24 hours, the time after which Salesforce gives calls back.
    #[must_use]
    pub fn per_day(calls: u64) -> Self {
        Self::new(calls, BudgetWindow::ROLLING_DAY)
    }

    /// Allows so many calls from midnight to midnight, Pacific time.
    #[must_use]
    pub fn per_pacific_day(calls: u64) -> Self {
        Self::new(calls, BudgetWindow::PacificDay)
    }

    /// Allows so many calls in any window of this length, or in another [`BudgetWindow`].
    #[must_use]
    pub fn new(calls: u64, window: impl Into<BudgetWindow>) -> Self {
        Self::unlimited().and(calls, window)
    }

    /// Allows any number of calls: to count them, and to pause.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::make(Rules::default(), Arc::new(SystemClock::new()), Keeper::Memory(Mutex::default()))
    }

    fn make(rules: Rules, clock: Arc<dyn Clock>, keeper: Keeper) -> Self {
        Self(Arc::new(Inner { clock, rules, keeper, meter: Meter::default() }))
    }

    fn with_rules(&self, change: impl FnOnce(&mut Rules)) -> Self {
        let mut rules = self.0.rules.clone();
        change(&mut rules);
        Self::make(rules, Arc::clone(&self.0.clock), self.0.keeper.anew())
    }

    /// Holds another cap as well. Give it before the budget is used: this starts anew.
    #[must_use]
    pub fn and(self, calls: u64, window: impl Into<BudgetWindow>) -> Self {
        self.with_rules(|rules| rules.caps.push((window.into(), calls)))
    }

    /// Stops as well when the org says that it has no more than so many calls left for all its programs. What the org says is
    /// a hint that lags behind. Give it before the budget is used: this starts anew.
    #[must_use]
    pub fn keep_free(self, calls: u64) -> Self {
        self.with_rules(|rules| rules.keep_free = calls)
    }

    /// Takes at most so many of a hundred of the calls that other programs leave us: of an org with 15,000 calls of which others have
    /// used 5,000, a share of 50 is 5,000 calls in any 24 hours. It shrinks as others use more. What the org says is a hint
    /// that lags behind, and calls of ours that this budget has not counted are others' calls to it. Give it before the budget is
    /// used: this starts anew.
    #[must_use]
    pub fn share_of_org(self, percent: u8) -> Self {
        self.with_rules(|rules| rules.share = Some(percent.min(100)))
    }

    /// Keeps the last calls of each cap for work that a person waits for: [`Client::interactive`](super::Client::interactive). Give
    /// it before the budget is used: this starts anew.
    #[must_use]
    pub fn keep_for_interactive(self, calls: u64) -> Self {
        self.with_rules(|rules| rules.interactive = calls)
    }

    /// Uses this clock; by default the machine's. Give it before the budget is used: this starts anew.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self::make(self.0.rules.clone(), Arc::new(clock), self.0.keeper.anew())
    }

    /// Keeps the budget in a store under this name, mostly the connection's id, so that all workers of a connection share it and never
    /// take more than it allows, however many of them there are. All have to give the same caps.
    ///
    /// Calls are fetched up to 100 at once, fewer when few are left, and kept for a minute at most: a busy worker costs the store two
    /// requests per 100 calls. Fetched calls of a process that dies count as made, and those of a reservation come back an hour
    /// after its last use; [`put_back`](Self::put_back) gives back what was fetched before a process ends. Without the store no call is
    /// made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a name that is too long for a key of the store.
    pub fn shared(self, store: impl Store, name: &str) -> Result<Self> {
        let keeper = Keeper::shared(SharedLedger::new(Arc::new(store), name)?);
        Ok(Self::make(self.0.rules.clone(), Arc::clone(&self.0.clock), keeper))
    }

    /// Calls that background work may make now: neither made, nor reserved, nor kept for interactive work. Of a budget in a store as
    /// of its last look there; what the org says is not in it.
    #[must_use]
    pub fn left(&self) -> u64 {
        match &self.0.keeper {
            Keeper::Memory(ledger) => {
                let mut ledger = lock(ledger);
                ledger.settle(&self.0.rules, self.now());
                ledger.left(&self.0.rules, Who::default())
            }
            Keeper::Store(shared) => {
                let unseen = || Ledger::default().left(&self.0.rules, Who::default());
                let left = shared.seen().map_or_else(unseen, |seen| seen.left);
                left.saturating_add(shared.purse.len())
            }
        }
    }

    /// What this budget lets be taken of what the org has left.
    pub(super) fn left_of_org(&self, limits: &OrgLimits) -> u64 {
        let rules = &self.0.rules;
        let left = limits.api.left();
        let free = left.saturating_sub(rules.keep_free);
        let ours = self.ours();
        rules.share.map_or(free, |percent| free.min(share(left, ours, percent).saturating_sub(ours)))
    }

    /// Whether it has a cap.
    pub(super) fn is_capped(&self) -> bool {
        !self.0.rules.caps.is_empty()
    }

    /// Calls made in a rolling day, where they are counted; in a store as last seen.
    fn ours(&self) -> u64 {
        match &self.0.keeper {
            Keeper::Memory(ledger) => {
                let mut ledger = lock(ledger);
                ledger.settle(&self.0.rules, self.now());
                ledger.used(BudgetWindow::ROLLING_DAY)
            }
            Keeper::Store(shared) => shared.seen().map_or(0, |seen| seen.day).saturating_sub(shared.purse.len()),
        }
    }

    /// Sets calls aside for one job; what it does not use comes back when the permit is dropped.
    ///
    /// Give the permit to [`Client::with_permit`](super::Client::with_permit): that client's calls are then taken from it, and
    /// from the budget once it is used up.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded) when fewer are left; of a budget in a store,
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    pub async fn reserve(&self, calls: u64) -> Result<Permit> {
        let id = fastrand::u64(..);
        let now = self.now();
        let until = match &self.0.keeper {
            Keeper::Memory(_) => i64::MAX,
            Keeper::Store(_) => purse::reserved_until(now),
        };
        self.change(Who::default(), |ledger, rules| ledger.reserve(rules, calls, Who::default(), id, until))
            .await?
            .map_err(|refusal| self.refuse(&refusal).with_context("wanted", calls))?;
        Ok(Permit::new(self.clone(), id, calls))
    }

    /// Refuses all calls from now on but those of interactive work: jobs stop where they are, and go on from there after
    /// [`resume`](Self::resume). Calls on their way are not ended. Workers that share the budget in a store hear of it within a
    /// minute.
    ///
    /// # Errors
    ///
    /// Of a budget in a store, [`ErrorKind::Store`](crate::ErrorKind::Store).
    pub async fn pause(&self) -> Result<()> {
        self.set_paused(true).await
    }

    /// Lets calls through again. Doing it twice is doing it once.
    ///
    /// # Errors
    ///
    /// As for [`pause`](Self::pause).
    pub async fn resume(&self) -> Result<()> {
        self.set_paused(false).await
    }

    async fn set_paused(&self, paused: bool) -> Result<()> {
        self.change(Who::default(), |ledger, _| ledger.paused = paused).await?;
        // What was fetched before would be spent without asking.
        self.put_back().await
    }

    /// Puts calls back that were fetched from a store and not made, as at the end of a process. Of a budget in memory it does nothing.
    ///
    /// # Errors
    ///
    /// Of a budget in a store, [`ErrorKind::Store`](crate::ErrorKind::Store).
    pub async fn put_back(&self) -> Result<()> {
        match &self.0.keeper {
            Keeper::Memory(_) => Ok(()),
            Keeper::Store(shared) => shared.purse.put_back(&shared.common, &*self.0.clock, Who::default()).await,
        }
    }

    /// What is allowed, used, reserved and left, when calls come back, and what each phase of the work has cost. Costs no API call,
    /// and of a budget in a store one request to it.
    ///
    /// # Errors
    ///
    /// Of a budget in a store, [`ErrorKind::Store`](crate::ErrorKind::Store).
    pub async fn report(&self) -> Result<BudgetReport> {
        let ledger = self.change(Who::default(), |ledger, _| ledger.clone()).await?;
        let rules = &self.0.rules;
        let aside = ledger.reserved();
        let caps = rules.caps.iter().map(|(window, allowed)| {
            let used = ledger.used(*window);
            CapReport {
                window: *window,
                allowed: *allowed,
                used,
                left: allowed.saturating_sub(used).saturating_sub(aside),
                comes_back: ledger.next_back(*window).and_then(Timestamp::from_unix_millis),
            }
        });
        Ok(BudgetReport {
            caps: caps.collect(),
            reserved: aside,
            kept_for_interactive: rules.interactive,
            left: (!rules.caps.is_empty()).then(|| ledger.left(rules, Who::default())),
            paused: ledger.paused,
            phases: self.0.meter.phases(),
        })
    }

    /// Takes calls, all or none of them. `limits` is what the org last said.
    pub(super) async fn take(&self, calls: u64, interactive: bool, limits: Option<&OrgLimits>) -> Result<()> {
        self.take_by(calls, Who { interactive, reservation: None }, None, limits).await.map(drop)
    }

    /// Takes calls for whoever wants them; those of a reservation in a store are fetched into a purse of its own. Tells what was seen
    /// of a store, if it was asked.
    async fn take_by(
        &self,
        calls: u64,
        who: Who,
        own: Option<&Purse>,
        limits: Option<&OrgLimits>,
    ) -> Result<Option<Seen>> {
        let (rules, now) = (&self.0.rules, self.now());
        let (taken, seen) = match &self.0.keeper {
            Keeper::Memory(ledger) => {
                let mut ledger = lock(ledger);
                ledger.settle(rules, now);
                self.check_org(limits, calls, ledger.used(BudgetWindow::ROLLING_DAY))?;
                (ledger.take(rules, now, calls, who), None)
            }
            Keeper::Store(shared) => {
                self.check_org(limits, calls, self.ours())?;
                let purse = own.unwrap_or(&shared.purse);
                let taken = purse.take(&shared.common, rules, &*self.0.clock, calls, who).await;
                // The org was not asked, whatever became of the store.
                let (taken, seen) = taken.map_err(|error| error.with_effect(Effect::None))?;
                if seen.is_some() {
                    *shared.seen() = seen;
                }
                (taken, seen)
            }
        };
        taken.map(|()| seen).map_err(|refusal| self.refuse(&refusal))
    }

    /// Counts calls that were taken.
    pub(super) fn count(&self, phase: Option<&Arc<str>>, operation: &'static str, calls: u64) {
        self.0.meter.count(phase, operation, calls);
    }

    /// Changes the ledger, wherever it is.
    async fn change<T: Send>(&self, who: Who, change: impl Fn(&mut Ledger, &Rules) -> T + Send + Sync) -> Result<T> {
        let (rules, now) = (&self.0.rules, self.now());
        match &self.0.keeper {
            Keeper::Memory(ledger) => {
                let mut ledger = lock(ledger);
                ledger.settle(rules, now);
                Ok(change(&mut ledger, rules))
            }
            Keeper::Store(shared) => {
                let changed = shared.common.change(&*self.0.clock, |ledger| {
                    ledger.settle(rules, now);
                    let told = change(ledger, rules);
                    (told, Seen::of(ledger, rules, who))
                });
                let (told, seen) = changed.await?;
                *shared.seen() = Some(seen);
                Ok(told)
            }
        }
    }

    /// Whether what the org says lets us take so many calls, beside those of ours of the last 24 hours.
    fn check_org(&self, limits: Option<&OrgLimits>, calls: u64, ours: u64) -> Result<()> {
        let Some(usage) = limits.map(|limits| limits.api) else { return Ok(()) };
        let rules = &self.0.rules;
        let left = usage.left();
        let stop = |reason| refused(reason, None, 0).with_context("left", left);
        if rules.keep_free > 0 && left <= rules.keep_free {
            return Err(stop(StopReason::KeptFree).with_context("keep_free", rules.keep_free));
        }
        let Some(percent) = rules.share else { return Ok(()) };
        if ours.saturating_add(calls) > share(left, ours, percent) {
            return Err(stop(StopReason::ShareUsedUp).with_context("ours", ours).with_context("percent", percent));
        }
        Ok(())
    }

    fn refuse(&self, refusal: &Refusal) -> Error {
        refused(refusal.reason, refusal.until, self.now()).with_context("left", refusal.left)
    }

    fn now(&self) -> i64 {
        millis(&*self.0.clock)
    }
}

/// Our part of what others leave, which is what is left and what we have used of it.
fn share(left: u64, ours: u64, percent: u8) -> u64 {
    let part = u128::from(left.saturating_add(ours)) * u128::from(percent) / 100;
    u64::try_from(part).unwrap_or(u64::MAX)
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    // Whole after every statement.
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for ApiBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiBudget")
            .field("caps", &self.0.rules.caps)
            .field("left", &self.left())
            .finish_non_exhaustive()
    }
}
