//! How many requests are in flight to one org: grows while that helps, and backs off when the org says so.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests in flight before the org has shown what it takes.
const START: usize = 64;
/// Requests in flight at most, unless the caller says otherwise.
pub(super) const MOST: usize = 512;
/// The org is asked to bear less at most once in that time: refusals come in bunches.
const CUT_PAUSE: Duration = Duration::from_secs(1);

/// The pure part: how many requests may be in flight, from what became of those that were.
///
/// Grows by one with each answer while others wait for their turn, until the org is first found to be busy, and by one a round
/// from then on; never while answers take half as long again as the fastest of their kind, since then the org queues them
/// anyway. Halves when the org refuses work for its amount.
#[derive(Debug)]
struct Limiter {
    limit: usize,
    most: usize,
    /// Up to here it grows fast.
    calm: usize,
    answers: usize,
    fastest: HashMap<&'static str, Duration>,
    last_cut: Option<Duration>,
}

impl Limiter {
    fn new(most: usize) -> Self {
        let most = most.max(1);
        let (limit, calm) = (most.min(START), most);
        Self { limit, most, calm, answers: 0, fastest: HashMap::new(), last_cut: None }
    }

    /// Takes an answer in; `waiting` tells whether requests wait for their turn.
    fn answered(&mut self, operation: &'static str, took: Duration, waiting: bool) {
        let fastest = self.fastest.entry(operation).or_insert(took);
        // A fast answer of long ago is forgotten little by little.
        *fastest = (*fastest + *fastest / 4096).min(took);
        let queued = took > *fastest + *fastest / 2;
        if !waiting || queued || self.limit >= self.most {
            return;
        }
        self.answers += 1;
        if self.limit < self.calm || self.answers >= self.limit {
            self.answers = 0;
            self.limit += 1;
        }
    }

    /// The org refuses work for its amount.
    fn refused(&mut self, now: Duration) {
        if self.last_cut.is_some_and(|cut| now.saturating_sub(cut) < CUT_PAUSE) {
            return;
        }
        self.last_cut = Some(now);
        self.limit = (self.limit / 2).max(1);
        self.calm = self.limit;
        self.answers = 0;
    }
}

/// Lets requests through, as many at once as the limiter says.
pub(super) struct Gate {
    limiter: Mutex<Limiter>,
    slots: Arc<Semaphore>,
    /// Slots that are to be taken away as soon as they are free.
    owed: Arc<AtomicUsize>,
}

/// A request's place; free again when dropped.
pub(super) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    owed: Arc<AtomicUsize>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let paid = self.owed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |owed| owed.checked_sub(1));
        if paid.is_ok() {
            permit.forget();
        }
    }
}

impl Gate {
    pub(super) fn new(most: usize) -> Self {
        let limiter = Limiter::new(most);
        let slots = Arc::new(Semaphore::new(limiter.limit));
        Self { limiter: Mutex::new(limiter), slots, owed: Arc::default() }
    }

    fn limiter(&self) -> MutexGuard<'_, Limiter> {
        // Whole after every statement.
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place. Those who came first are first.
    pub(super) async fn enter(&self) -> Slot {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.slots).acquire_owned().await.ok();
        Slot { permit, owed: Arc::clone(&self.owed) }
    }

    /// An answer came that long after its request went out.
    pub(super) fn answered(&self, operation: &'static str, took: Duration) {
        let waiting = self.slots.available_permits() == 0;
        self.change(|limiter| limiter.answered(operation, took, waiting));
    }

    /// The org refuses work for its amount: locks, 429, 503, too many requests at once.
    pub(super) fn refused(&self, now: Duration) {
        self.change(|limiter| limiter.refused(now));
    }

    /// Requests that may be in flight now.
    pub(super) fn limit(&self) -> usize {
        self.limiter().limit
    }

    fn change(&self, change: impl FnOnce(&mut Limiter)) {
        let mut limiter = self.limiter();
        let before = limiter.limit;
        change(&mut limiter);
        let after = limiter.limit;
        for _ in before..after {
            let paid = self.owed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |owed| owed.checked_sub(1));
            if paid.is_err() {
                self.slots.add_permits(1);
            }
        }
        if after < before {
            let taken = self.slots.forget_permits(before - after);
            self.owed.fetch_add(before - after - taken, Ordering::SeqCst);
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({})", self.limit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(20);
    const SLOW: Duration = Duration::from_millis(90);

    #[test]
    fn it_grows_while_others_wait_and_answers_stay_fast() {
        let mut limiter = Limiter::new(MOST);
        for _ in 0..10_000 {
            limiter.answered("query", FAST, true);
        }
        assert_eq!(limiter.limit, MOST);
        let mut idle = Limiter::new(MOST);
        idle.answered("query", FAST, false);
        assert_eq!(idle.limit, START, "nobody waits");
        let mut queued = Limiter::new(MOST);
        queued.answered("query", FAST, true);
        for _ in 0..20 {
            queued.answered("query", SLOW, true);
        }
        assert_eq!(queued.limit, START + 1, "more requests would only queue in the org");
        queued.answered("describe", SLOW, true);
        assert_eq!(queued.limit, START + 2, "a slow kind of call has its own measure");
    }

    #[test]
    fn it_halves_once_for_a_bunch_of_refusals_and_grows_slowly_from_there() {
        let mut limiter = Limiter::new(MOST);
        let at = Duration::from_secs;
        for _ in 0..50 {
            limiter.refused(at(10));
        }
        assert_eq!(limiter.limit, START / 2);
        for second in 11..60 {
            limiter.refused(at(second));
        }
        assert_eq!(limiter.limit, 1, "never none at all");
        for _ in 0..10 {
            limiter.answered("query", FAST, true);
        }
        assert_eq!(limiter.limit, 5, "1 + 2 + 3 + 4 answers");
    }

    #[tokio::test]
    async fn places_taken_away_are_not_given_out_again() {
        let gate = Gate::new(4);
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(gate.enter().await);
        }
        gate.refused(Duration::from_secs(1));
        assert_eq!((gate.limit(), gate.slots.available_permits()), (2, 0));
        held.clear();
        assert_eq!(gate.slots.available_permits(), 2);
        gate.refused(Duration::from_secs(10));
        assert_eq!((gate.limit(), gate.slots.available_permits()), (1, 1));
        let _one = gate.enter().await;
        gate.answered("query", FAST);
        assert_eq!((gate.limit(), gate.slots.available_permits()), (2, 1), "and grow again");
    }
}
