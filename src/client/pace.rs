//! Calls at a steady pace, for orgs whose triggers and rules need time between writes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// At most so many API calls in a time, evenly spread; see [`Client::paced`](super::Client::paced).
///
/// For orgs where writes meet row locks again and again: what the org does after each write (triggers, flows, roll-ups, sharing)
/// then has ended before the next one comes. Fewer calls at once
/// ([`WriteMany::calls_at_once`](crate::sync::WriteMany::calls_at_once)) help as well. A call waits for its turn, and is refused by
/// nobody; a retry waits for a turn of its own. Clones keep one pace together.
///
/// ```
/// use std::time::Duration;
/// use sforce::client::Pace;
///
/// # fn run(client: &sforce::Client) {
/// let gently = client.paced(Pace::at_most(30, Duration::from_secs(60)));
/// # let _ = gently;
/// # }
/// ```
#[derive(Clone)]
pub struct Pace {
    gap: Duration,
    /// When the next call may go, on the client's clock.
    next: Arc<Mutex<Duration>>,
}

impl Pace {
    /// At most so many calls in this time: one every `time / calls`, from the first one on.
    #[must_use]
    pub fn at_most(calls: u32, time: Duration) -> Self {
        Self::every(time / calls.max(1))
    }

    /// One call in this time.
    #[must_use]
    pub fn every(gap: Duration) -> Self {
        Self { gap, next: Arc::default() }
    }

    /// Takes the turns of so many calls; tells how long to wait for the first of them.
    pub(super) fn turn(&self, now: Duration, calls: u64) -> Duration {
        // Whole after every statement.
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = now.max(*next);
        *next = turn.saturating_add(self.gap.saturating_mul(u32::try_from(calls).unwrap_or(u32::MAX)));
        turn.saturating_sub(now)
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pace(one call in {:?})", self.gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nav_33_turns_are_spread_evenly_and_none_is_saved_up() {
        let second = Duration::from_secs(1);
        let pace = Pace::at_most(2, second);
        let waits: Vec<Duration> = (0..4).map(|_| pace.clone().turn(Duration::ZERO, 1)).collect();
        assert_eq!(waits, [0, 500, 1_000, 1_500].map(Duration::from_millis));
        assert_eq!(pace.turn(second * 60, 3), Duration::ZERO, "a quiet minute");
        assert_eq!(pace.turn(second * 60, 1), Duration::from_millis(1_500), "a call that counts three times");
        assert_eq!(Pace::at_most(0, second).turn(Duration::ZERO, 1), Duration::ZERO);
    }
}
