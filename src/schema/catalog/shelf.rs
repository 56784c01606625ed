//! A bounded cache whose askers share requests.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use crate::api::Snapshot;
use crate::error::{Error, ErrorKind, Result};
use crate::types::Timestamp;

/// How long an answer may stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ages {
    /// Before it is asked for again, with its date if it has one.
    pub(super) max_age: Duration,
    /// Before it is asked for without a date.
    pub(super) whole_after: Duration,
}

/// Values by key, those used last; one request at a time for each key.
#[derive(Debug)]
pub(super) struct Shelf<K, V> {
    places: Mutex<Places<K, V>>,
    capacity: usize,
}

#[derive(Debug)]
struct Places<K, V> {
    by_key: HashMap<K, Place<V>>,
    uses: u64,
}

#[derive(Debug)]
struct Place<V> {
    slot: Arc<Slot<V>>,
    used: u64,
}

#[derive(Debug)]
pub(super) struct Slot<V> {
    /// Requests that have ended so far.
    ended: AtomicU64,
    state: Arc<tokio::sync::Mutex<State<V>>>,
}

#[derive(Debug)]
struct State<V> {
    held: Option<Held<V>>,
    /// What the last request ended with, if not with a value.
    failed: Option<Error>,
}

#[derive(Debug)]
struct Held<V> {
    value: Arc<V>,
    last_modified: Option<Timestamp>,
    read_at: Duration,
    checked_at: Duration,
}

impl<K: Clone + Eq + Hash, V> Shelf<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        let places = Places { by_key: HashMap::new(), uses: 0 };
        Self { places: Mutex::new(places), capacity: capacity.max(1) }
    }

    /// The slot of a key, made if it is not there. What was used least lately makes room.
    pub(super) fn slot(&self, key: &K) -> Arc<Slot<V>> {
        let mut places = self.places();
        places.uses += 1;
        let used = places.uses;
        if let Some(place) = places.by_key.get_mut(key) {
            place.used = used;
            return Arc::clone(&place.slot);
        }
        if places.by_key.len() >= self.capacity {
            let oldest = places.by_key.iter().min_by_key(|(_, place)| place.used).map(|(key, _)| key.clone());
            // Who is asking for it at the moment has it to the end.
            oldest.and_then(|oldest| places.by_key.remove(&oldest));
        }
        let slot = Arc::new(Slot { ended: AtomicU64::new(0), state: Arc::default() });
        places.by_key.insert(key.clone(), Place { slot: Arc::clone(&slot), used });
        slot
    }

    /// Forgets the keys that a test names. A request under way ends for those who wait for it, and is kept for nobody else.
    pub(super) fn forget(&self, gone: impl Fn(&K) -> bool) {
        self.places().by_key.retain(|key, _| !gone(key));
    }

    pub(super) fn len(&self) -> usize {
        self.places().by_key.len()
    }

    fn places(&self) -> MutexGuard<'_, Places<K, V>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Default for State<V> {
    fn default() -> Self {
        Self { held: None, failed: None }
    }
}

/// The right to ask for a key.
#[derive(Debug)]
pub(super) struct Turn<V> {
    slot: Arc<Slot<V>>,
    state: OwnedMutexGuard<State<V>>,
    /// A request that was under way when this one was asked for has ended meanwhile.
    shared: bool,
}

impl<V: Send + Sync> Slot<V> {
    /// Waits until nobody else asks for the key. Who gives up while it asks leaves the turn to the next one.
    pub(super) async fn turn(self: &Arc<Self>) -> Turn<V> {
        let before = self.ended.load(Ordering::Acquire);
        let state = Arc::clone(&self.state).lock_owned().await;
        let shared = self.ended.load(Ordering::Acquire) != before;
        Turn { slot: Arc::clone(self), state, shared }
    }
}

impl<V> Turn<V> {
    /// The answer, where none has to be asked for: one that may stand, or how the request ended that this one waited for.
    pub(super) fn answer(&self, ages: Ages, now: Duration) -> Option<Result<Arc<V>>> {
        if self.shared
            && let Some(error) = &self.state.failed
        {
            return Some(Err(error.clone()));
        }
        let held = self.state.held.as_ref()?;
        let stands =
            self.shared || (now.saturating_sub(held.checked_at) < ages.max_age && held.may_be_confirmed(ages, now));
        stands.then(|| Ok(Arc::clone(&held.value)))
    }

    /// The date to ask with; `None` to ask for the whole.
    pub(super) fn since(&self, ages: Ages, now: Duration) -> Option<Timestamp> {
        let held = self.state.held.as_ref().filter(|held| held.may_be_confirmed(ages, now))?;
        held.last_modified
    }

    /// Notes how the request ended, and lets the others go on.
    pub(super) fn end(mut self, asked: Result<Option<Snapshot<V>>>, now: Duration) -> Result<Arc<V>> {
        let ended = self.note(asked, now);
        self.state.failed = ended.as_ref().err().cloned();
        self.slot.ended.fetch_add(1, Ordering::Release);
        ended
    }

    fn note(&mut self, asked: Result<Option<Snapshot<V>>>, now: Duration) -> Result<Arc<V>> {
        match (asked, &mut self.state.held) {
            (Ok(Some(snapshot)), held) => {
                let value = Arc::new(snapshot.value);
                let last_modified = snapshot.last_modified;
                *held = Some(Held { value: Arc::clone(&value), last_modified, read_at: now, checked_at: now });
                Ok(value)
            }
            (Ok(None), Some(held)) => {
                held.checked_at = now;
                Ok(Arc::clone(&held.value))
            }
            (Ok(None), None) => {
                Err(Error::new(ErrorKind::Decode, "catalog", "a 304 without having asked whether something changed"))
            }
            (Err(error), held) => {
                if error.kind() == ErrorKind::NotFound {
                    *held = None;
                }
                Err(error)
            }
        }
    }
}

impl<V> Held<V> {
    fn may_be_confirmed(&self, ages: Ages, now: Duration) -> bool {
        now.saturating_sub(self.read_at) < ages.whole_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGES: Ages = Ages { max_age: Duration::from_mins(1), whole_after: Duration::from_mins(10) };

    #[expect(clippy::unnecessary_wraps, reason = "as a read that may find nothing new")]
    fn read(value: u32) -> Option<Snapshot<u32>> {
        Some(Snapshot { value, last_modified: Timestamp::parse("2026-01-01T00:00:00Z").ok(), etag: None })
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test]
    async fn what_is_forgotten_while_it_is_read_is_kept_for_those_who_wait_and_for_nobody_else() {
        let shelf: Shelf<u8, u32> = Shelf::new(4);
        let slot = shelf.slot(&1);
        let turn = slot.turn().await;
        let mut waiting = Box::pin(slot.turn());
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        shelf.forget(|key| *key == 1);
        assert_eq!(*turn.end(Ok(read(1)), at(0)).expect("read"), 1);
        assert_eq!(waiting.await.answer(AGES, at(0)).map(|answer| answer.map(|value| *value).ok()), Some(Some(1)));
        assert!(shelf.slot(&1).turn().await.answer(AGES, at(0)).is_none(), "the next one asks anew");
    }

    #[tokio::test]
    async fn an_error_is_shared_by_those_who_waited_and_keeps_what_was_held() {
        let shelf: Shelf<u8, u32> = Shelf::new(4);
        let slot = shelf.slot(&1);
        slot.turn().await.end(Ok(read(7)), at(0)).expect("read");
        let turn = slot.turn().await;
        assert!(turn.answer(AGES, at(60)).is_none() && turn.since(AGES, at(60)).is_some(), "old");
        let mut waiting = Box::pin(slot.turn());
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        let outage = || Error::new(ErrorKind::Unavailable, "describe", "down");
        assert!(turn.end(Err(outage()), at(60)).is_err());
        assert!(matches!(waiting.await.answer(AGES, at(60)), Some(Err(_))));
        let turn = slot.turn().await;
        assert!(turn.answer(AGES, at(61)).is_none(), "asked again");
        assert_eq!(*turn.end(Ok(None), at(61)).expect("confirmed"), 7);
        assert!(slot.turn().await.answer(AGES, at(120)).is_some());
        let turn = slot.turn().await;
        assert!(turn.answer(AGES, at(600)).is_none() && turn.since(AGES, at(600)).is_none(), "read as a whole");
        let gone = Error::new(ErrorKind::NotFound, "describe", "gone");
        assert!(turn.end(Err(gone), at(600)).is_err());
        assert!(slot.turn().await.end(Ok(None), at(600)).is_err(), "nothing is held that a 304 could confirm");
    }
}
