//! How many API calls we allow ourselves.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::OrgLimits;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorKind, Result};

/// The window of a budget is kept in so many parts; calls of a part come back together.
const PARTS: usize = 48;

/// API calls that one program allows itself in a rolling window, so that it leaves the rest of the org's to others.
///
/// Each attempt of each call counts one, as it does for the org. A job that must not stop half-way [reserves](Self::reserve)
/// its calls first. Clones share the budget; give it to several clients to share it between them.
#[derive(Clone)]
pub struct ApiBudget(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    calls: u64,
    window: Duration,
    keep_free: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Calls made, by the number of their part of the window since the clock's start.
    made: Vec<(u64, u64)>,
    /// Calls reserved and not yet made.
    reserved: u64,
}

impl ApiBudget {
    /// Allows so many calls in any 24 hours, the time after which Salesforce gives calls back.
    #[must_use]
    pub fn per_day(calls: u64) -> Self {
        Self::new(calls, Duration::from_hours(24))
    }

    /// Allows so many calls in any window of this length. The window rolls on in 48 steps.
    #[must_use]
    pub fn new(calls: u64, window: Duration) -> Self {
        Self::make(calls, window, 0, Arc::new(SystemClock::new()))
    }

    fn make(calls: u64, window: Duration, keep_free: u64, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared { clock, calls, window, keep_free, state: Mutex::default() }))
    }

    /// Stops as well when the org says that it has no more than so many calls left for all its programs. What the org says is
    /// a hint that lags behind. Give it before the budget is shared: this starts anew.
    #[must_use]
    pub fn keep_free(self, calls: u64) -> Self {
        Self::make(self.0.calls, self.0.window, calls, Arc::clone(&self.0.clock))
    }

    /// Uses this clock; by default the machine's. Give it before the budget is shared: this starts anew.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self::make(self.0.calls, self.0.window, self.0.keep_free, Arc::new(clock))
    }

    /// Calls that are neither made nor reserved.
    #[must_use]
    pub fn left(&self) -> u64 {
        let now = self.part();
        self.left_in(&mut self.state(), now)
    }

    /// Sets calls aside for one job; what it does not use comes back when the permit is dropped.
    ///
    /// Give the permit to [`Client::with_permit`](super::Client::with_permit): that client's calls are then taken from it, and
    /// from the budget once it is used up.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LimitExceeded`] when fewer are left.
    pub fn reserve(&self, calls: u64) -> Result<Permit> {
        let now = self.part();
        let mut state = self.state();
        let left = self.left_in(&mut state, now);
        if left < calls {
            return Err(self.used_up(left).with_context("wanted", calls));
        }
        state.reserved += calls;
        Ok(Permit(Arc::new(Reserved { budget: self.clone(), left: Mutex::new(calls) })))
    }

    /// Takes calls, all or none of them. `limits` is what the org last said.
    pub(super) fn take(&self, calls: u64, limits: Option<&OrgLimits>) -> Result<()> {
        let now = self.part();
        let mut state = self.state();
        let left = self.left_in(&mut state, now);
        if left < calls {
            return Err(self.used_up(left));
        }
        self.check_org(limits)?;
        state.made(now, calls);
        Ok(())
    }

    /// Calls that the org's programs are to have left.
    pub(super) fn kept_free(&self) -> u64 {
        self.0.keep_free
    }

    fn check_org(&self, limits: Option<&OrgLimits>) -> Result<()> {
        let Some(usage) = limits.map(|limits| limits.api) else { return Ok(()) };
        let left = usage.allowed.saturating_sub(usage.used);
        if self.0.keep_free == 0 || left > self.0.keep_free {
            return Ok(());
        }
        Err(Error::new(ErrorKind::LimitExceeded, "", "the org has no more calls left than are to be kept free")
            .with_advice("go on when calls of 24 hours ago have come back, or lower what is kept free")
            .with_context("left", left)
            .with_context("keep_free", self.0.keep_free))
    }

    fn used_up(&self, left: u64) -> Error {
        Error::new(ErrorKind::LimitExceeded, "", "the budget of API calls is used up")
            .with_advice("go on when older calls have left the window, or allow more calls")
            .with_context("allowed", self.0.calls)
            .with_context("left", left)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whole after every statement.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn part(&self) -> u64 {
        let length = (self.0.window.as_nanos() / PARTS as u128).max(1);
        u64::try_from(self.0.clock.monotonic().as_nanos() / length).unwrap_or(u64::MAX)
    }

    fn left_in(&self, state: &mut State, now: u64) -> u64 {
        state.made.retain(|(part, _)| now.saturating_sub(*part) <= PARTS as u64);
        let made: u64 = state.made.iter().map(|(_, calls)| calls).sum();
        self.0.calls.saturating_sub(made).saturating_sub(state.reserved)
    }
}

impl State {
    fn made(&mut self, now: u64, calls: u64) {
        match self.made.last_mut() {
            Some((part, made)) if *part == now => *made += calls,
            _ => self.made.push((now, calls)),
        }
    }
}

impl fmt::Debug for ApiBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiBudget").field("calls", &self.0.calls).field("left", &self.left()).finish_non_exhaustive()
    }
}

/// Calls that one job has set aside. Clones share them; what is left goes back to the budget with the last one.
#[derive(Clone)]
pub struct Permit(Arc<Reserved>);

struct Reserved {
    budget: ApiBudget,
    left: Mutex<u64>,
}

impl Permit {
    /// Calls that are still set aside.
    #[must_use]
    pub fn left(&self) -> u64 {
        *self.0.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls that are set aside, and the budget that gives more once they are used up.
    pub(super) fn budget(&self) -> &ApiBudget {
        &self.0.budget
    }

    /// Takes calls, all or none of them: reserved ones, and those of the budget where too few are left.
    pub(super) fn take(&self, calls: u64, limits: Option<&OrgLimits>) -> Result<()> {
        let budget = &self.0.budget;
        let mut left = self.0.left.lock().unwrap_or_else(PoisonError::into_inner);
        let reserved = calls.min(*left);
        if reserved < calls {
            budget.take(calls - reserved, limits)?;
        } else {
            budget.check_org(limits)?;
        }
        *left -= reserved;
        let now = budget.part();
        let mut state = budget.state();
        state.reserved -= reserved;
        state.made(now, reserved);
        Ok(())
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let left = *self.left.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.budget.state().reserved -= left;
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({} left)", self.left())
    }
}

#[cfg(test)]
mod tests {
    use super::super::ApiUsage;
    use super::*;

    /// A clock that is set by hand; the one of `testing` has a feature of its own.
    #[derive(Debug, Default)]
    struct Hand(Mutex<Duration>);

    #[async_trait::async_trait]
    impl Clock for Hand {
        fn now(&self) -> std::time::SystemTime {
            std::time::SystemTime::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            *self.0.lock().expect("whole")
        }

        async fn sleep(&self, _duration: Duration) {}
    }

    fn budget(calls: u64) -> (ApiBudget, Arc<Hand>) {
        let clock = Arc::new(Hand::default());
        (ApiBudget::per_day(calls).clock(Arc::clone(&clock)), clock)
    }

    #[test]
    fn calls_come_back_when_their_time_is_over() {
        let (budget, clock) = budget(3);
        for left in [3, 2, 1] {
            assert_eq!(budget.left(), left);
            budget.take(1, None).expect("allowed");
        }
        let error = budget.take(1, None).expect_err("used up");
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        *clock.0.lock().expect("whole") = Duration::from_hours(23);
        assert_eq!(budget.left(), 0);
        *clock.0.lock().expect("whole") = Duration::from_hours(25);
        assert_eq!(budget.left(), 3);
    }

    #[test]
    fn what_is_reserved_is_nobody_elses_and_comes_back_unused() {
        let (budget, _clock) = budget(10);
        let permit = budget.reserve(8).expect("there");
        assert_eq!(budget.reserve(3).expect_err("only 2 are left").kind(), ErrorKind::LimitExceeded);
        let shared = permit.clone();
        shared.take(1, None).expect("reserved");
        assert_eq!((permit.left(), budget.left()), (7, 2));
        drop((permit, shared));
        assert_eq!(budget.left(), 9, "one was made");
        let permit = budget.reserve(1).expect("there");
        for _ in 0..9 {
            permit.take(1, None).expect("first reserved, then of the budget");
        }
        assert_eq!(permit.take(1, None).expect_err("all used").kind(), ErrorKind::LimitExceeded);
    }

    #[test]
    fn several_calls_are_taken_together_or_not_at_all() {
        let (budget, _clock) = budget(10);
        let permit = budget.reserve(3).expect("there");
        budget.take(6, None).expect("7 are left");
        assert_eq!(permit.take(5, None).expect_err("3 and 1 are left").kind(), ErrorKind::LimitExceeded);
        assert_eq!((permit.left(), budget.left()), (3, 1));
        permit.take(4, None).expect("3 reserved ones and the last of the budget");
        assert_eq!((permit.left(), budget.left()), (0, 0));
    }

    #[test]
    fn calls_are_kept_free_for_others() {
        let budget = ApiBudget::per_day(100).keep_free(1000);
        let said = |used| OrgLimits { api: ApiUsage { used, allowed: 15_000 }, per_app: None };
        budget.take(1, Some(&said(13_999))).expect("1,001 are left");
        let error = budget.take(1, Some(&said(14_000))).expect_err("1,000 are left");
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert_eq!(budget.left(), 99, "the refused call was not counted");
    }
}
