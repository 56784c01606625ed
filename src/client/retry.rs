//! When to send again: a pure decision, and the quota that all requests of a client share.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::error::{Effect, Retry};

/// How failed requests are repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    first_delay: Duration,
    max_delay: Duration,
    deadline: Duration,
}

impl Default for RetryPolicy {
    /// 6 attempts within 3 minutes; delays around 0.5, 1, 2, 4, 8 s, jittered.
    fn default() -> Self {
        Self {
            max_attempts: 6,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            deadline: Duration::from_mins(3),
        }
    }
}

impl RetryPolicy {
    /// One attempt only. An expired session is renewed all the same.
    #[must_use]
    pub fn never() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// Sets the number of requests in all.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the delay before the second attempt; each further one doubles it.
    #[must_use]
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.first_delay = delay;
        self
    }

    /// Sets the longest delay. A longer `Retry-After` ends the attempts.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Sets the time after which no further attempt starts.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

/// What is known after a failed attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    /// What the failure allows.
    pub(super) retry: Retry,
    /// Whether it may have changed the org.
    pub(super) effect: Effect,
    /// Whether doing it twice has the effect of doing it once.
    pub(super) idempotent: bool,
    /// Requests sent so far.
    pub(super) attempts: u32,
    /// Time since the first one.
    pub(super) elapsed: Duration,
    /// Whether the session was renewed during this call.
    pub(super) renewed: bool,
    /// A number from 0 to 1, by chance.
    pub(super) chance: f64,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Get a new token and send again at once.
    Renew,
    /// Wait, then send again.
    Wait(Duration),
    /// Tell the caller, with this advice.
    GiveUp(Retry),
}

pub(super) fn next_step(policy: &RetryPolicy, now: &Situation) -> Step {
    let asked = match now.retry {
        // A token that was refused twice will not get better.
        Retry::Reauthenticate if now.renewed => return Step::GiveUp(Retry::Never),
        // The refused request was not executed, whatever it was.
        Retry::Reauthenticate => return Step::Renew,
        Retry::After(asked) => asked,
        other @ (Retry::Never | Retry::Exhausted { .. }) => return Step::GiveUp(other),
    };
    if now.effect == Effect::Unknown && !now.idempotent {
        return Step::GiveUp(Retry::Never);
    }
    let exhausted = Step::GiveUp(Retry::Exhausted { attempts: now.attempts });
    if now.attempts >= policy.max_attempts {
        return exhausted;
    }
    let doublings = now.attempts.saturating_sub(1).min(16);
    let full = policy.first_delay.saturating_mul(1 << doublings).min(policy.max_delay);
    // Between half and all of it, so that clients that failed together do not come back together.
    let mut delay = full.mul_f64(0.5 + now.chance.clamp(0.0, 1.0) / 2.0);
    if let Some(asked) = asked {
        if asked > policy.max_delay {
            return Step::GiveUp(Retry::After(Some(asked)));
        }
        delay = delay.max(asked);
    }
    if now.elapsed.saturating_add(delay) > policy.deadline { exhausted } else { Step::Wait(delay) }
}

/// Retries that all requests of a client share: an outage empties it, so that calls fail fast instead of each spinning;
/// successes fill it again.
#[derive(Debug)]
pub(super) struct RetryQuota(AtomicU32);

impl RetryQuota {
    const FULL: u32 = 500;
    const COST: u32 = 5;

    pub(super) fn new() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    /// Takes what one retry costs; `false` when there is not enough left.
    pub(super) fn take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(Self::COST)).is_ok()
    }

    /// Gives back a little after a success.
    pub(super) fn succeed(&self) {
        let more = |left: u32| (left < Self::FULL).then(|| left + 1);
        // Full already: nothing to give back.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation(retry: Retry) -> Situation {
        Situation {
            retry,
            effect: Effect::None,
            idempotent: false,
            attempts: 1,
            elapsed: Duration::ZERO,
            renewed: false,
            chance: 1.0,
        }
    }

    #[test]
    fn nav_37_a_refused_session_is_renewed_once_per_request() {
        let policy = RetryPolicy::never();
        let first = Situation { effect: Effect::Unknown, ..situation(Retry::Reauthenticate) };
        assert_eq!(next_step(&policy, &first), Step::Renew);
        let second = Situation { renewed: true, attempts: 2, ..first };
        assert_eq!(next_step(&policy, &second), Step::GiveUp(Retry::Never));
    }

    #[test]
    fn what_may_have_had_an_effect_is_repeated_only_if_idempotent() {
        let policy = RetryPolicy::default();
        let lost = Situation { effect: Effect::Unknown, ..situation(Retry::After(None)) };
        assert_eq!(next_step(&policy, &lost), Step::GiveUp(Retry::Never));
        let safe = Situation { idempotent: true, ..lost };
        assert!(matches!(next_step(&policy, &safe), Step::Wait(_)));
        let not_executed = Situation { effect: Effect::None, ..lost };
        assert!(matches!(next_step(&policy, &not_executed), Step::Wait(_)));
    }

    #[test]
    fn delays_double_up_to_the_longest_and_end_with_attempts_or_deadline() {
        let policy = RetryPolicy::default().max_attempts(100).max_delay(Duration::from_secs(3));
        let waits = [1, 2, 3, 4, 90]
            .map(|attempts| next_step(&policy, &Situation { attempts, ..situation(Retry::After(None)) }));
        let expected = [500, 1000, 2000, 3000, 3000].map(|millis| Step::Wait(Duration::from_millis(millis)));
        assert_eq!(waits, expected);
        let last = Situation { attempts: 100, ..situation(Retry::After(None)) };
        assert_eq!(next_step(&policy, &last), Step::GiveUp(Retry::Exhausted { attempts: 100 }));
        let late = Situation { elapsed: Duration::from_mins(3), ..situation(Retry::After(None)) };
        assert_eq!(next_step(&policy, &late), Step::GiveUp(Retry::Exhausted { attempts: 1 }));
    }

    #[test]
    fn retry_after_is_waited_for_or_handed_on() {
        let policy = RetryPolicy::default();
        let asked = Some(Duration::from_secs(20));
        assert_eq!(next_step(&policy, &situation(Retry::After(asked))), Step::Wait(Duration::from_secs(20)));
        let asked = Some(Duration::from_hours(1));
        assert_eq!(next_step(&policy, &situation(Retry::After(asked))), Step::GiveUp(Retry::After(asked)));
    }

    #[test]
    fn an_outage_empties_the_quota_and_successes_fill_it() {
        let quota = RetryQuota::new();
        assert_eq!((0..1000).filter(|_| quota.take()).count(), 100);
        for _ in 0..5 {
            quota.succeed();
        }
        assert!(quota.take());
        assert!(!quota.take());
    }
}
