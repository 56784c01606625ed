//! Which rows go out together and when. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use super::row::Row;

/// Bytes of records in one call: far below what Salesforce takes, and little enough to send again.
const MAX_BYTES: usize = 4 << 20;

/// Rows per call of those that came back once, twice, and so on: fewer rows, fewer neighbours to lock each other or to use up
/// a limit together.
const SMALLER: [usize; 3] = [50, 10, 1];

/// Calls without trouble after which calls may be twice as large again.
const CALM: usize = 20;

/// Rows that wait, and what those on their way keep locked.
#[derive(Debug)]
pub(super) struct Schedule {
    /// Rows that wait, by their place.
    waiting: HashMap<u64, Row>,
    /// Bytes of them.
    bytes: usize,
    /// Places in the order in which they may be sent; one that waits no more is passed over.
    queue: VecDeque<u64>,
    /// Those of rows that came back and may go again.
    back: VecDeque<u64>,
    /// Places of rows that wait and may be of one record, by their own lock, in the order in which they are to be written. Those of one
    /// key that stand next to each other are folded; two spellings of one key may be two records.
    mates: HashMap<u64, Vec<u64>>,
    /// Rows that may be sent again from a time on.
    parked: Vec<(Duration, u64)>,
    /// Locks of rows on their way, and by how many.
    busy: HashMap<u64, usize>,
    most: usize,
    size: usize,
    calm: usize,
}

/// Rows of one call or job.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    locks: Vec<u64>,
}

/// Rows that may go together.
#[derive(Debug, Default)]
struct Picked {
    places: Vec<u64>,
    /// Whether no more would go with them.
    full: bool,
    /// Whether others wait for a lock.
    blocked: bool,
}

impl Schedule {
    /// A schedule of calls of at most `most` rows.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            waiting: HashMap::new(),
            bytes: 0,
            queue: VecDeque::new(),
            back: VecDeque::new(),
            mates: HashMap::new(),
            parked: Vec::new(),
            busy: HashMap::new(),
            most,
            size: most,
            calm: 0,
        }
    }

    /// Sets how many rows a call has at most. Calls that were made smaller stay so.
    pub(super) fn set_most(&mut self, most: usize) {
        self.size = if self.size == self.most { most } else { self.size.min(most) };
        self.most = most;
    }

    /// Rows that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether rows wait that may be sent as soon as there is reason to.
    pub(super) fn is_any_queued(&self) -> bool {
        let free = |place: &u64| self.waiting.get(place).is_some_and(|row| !self.is_behind(row));
        self.back.iter().chain(&self.queue).any(free)
    }

    /// Bytes of the rows that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether an earlier row of what may be the same record waits.
    fn is_behind(&self, row: &Row) -> bool {
        let first = row.own.and_then(|own| self.mates.get(&own)?.first());
        first.is_some_and(|first| *first != row.place)
    }

    /// Takes a row in. One of the same key that waits is folded into it: then its place is given, and the new one stands for
    /// both.
    pub(super) fn add(&mut self, row: Row) -> Option<u64> {
        let Some(earlier) = self.take_twin(&row, <[u64]>::last) else {
            self.queue.push_back(row.place);
            if let Some(own) = row.own {
                self.mates.entry(own).or_default().push(row.place);
            }
            self.keep(row);
            return None;
        };
        let (folded, place, came_back) = (earlier.place, row.place, earlier.came_back);
        if came_back {
            self.take_place(folded, place);
        } else {
            self.queue.push_back(place);
        }
        if let Some(last) = row.own.and_then(|own| self.mates.get_mut(&own)?.last_mut()) {
            *last = place;
        }
        self.keep(Row { came_back, ..earlier.fold(row) });
        Some(folded)
    }

    /// Puts a row where the one was that it stands for, which has come back.
    fn take_place(&mut self, earlier: u64, place: u64) {
        match self.parked.iter_mut().find(|(_, parked)| *parked == earlier) {
            Some(parked) => parked.1 = place,
            None => self.back.push_back(place),
        }
    }

    /// Takes a row in that was refused for a reason that may pass, to be sent in a smaller call from `due` on. Where a newer one
    /// of its key came meanwhile, that one stands for both, and its place is given. A row that has been tried in calls of
    /// every size comes back.
    pub(super) fn again(&mut self, mut row: Row, due: Duration) -> Result<Option<u64>, Row> {
        if row.round >= SMALLER.len() {
            return Err(row);
        }
        row.round += 1;
        match self.give_way(row) {
            Ok(into) => Ok(Some(into)),
            Err(row) => {
                self.parked.push((due, row.place));
                self.keep_first(row);
                Ok(None)
            }
        }
    }

    /// Takes a row in that a job has left: it goes by a call, at once. Where a newer one of its key came meanwhile, that one stands
    /// for both, and its place is given.
    pub(super) fn left(&mut self, row: Row) -> Option<u64> {
        match self.give_way(row) {
            Ok(into) => Some(into),
            Err(row) => {
                self.back.push_back(row.place);
                self.keep_first(row);
                None
            }
        }
    }

    /// Folds a row into the next one of what may be the same record, if that has its key; it stays where it is in its queue.
    fn give_way(&mut self, row: Row) -> Result<u64, Row> {
        let Some(newer) = self.take_twin(&row, <[u64]>::first) else { return Err(row) };
        let into = newer.place;
        self.keep(row.fold(newer));
        Ok(into)
    }

    /// Takes out the first or the last row of what may be the same record, if it has the same key. It stays among its mates.
    fn take_twin(&mut self, row: &Row, end: fn(&[u64]) -> Option<&u64>) -> Option<Row> {
        let place = *end(self.mates.get(&row.own?)?)?;
        let is_twin = self.waiting.get(&place).is_some_and(|other| other.key == row.key);
        if is_twin { self.remove(place) } else { None }
    }

    /// Keeps a row that came back, before those that came meanwhile.
    fn keep_first(&mut self, row: Row) {
        if let Some(own) = row.own {
            self.mates.entry(own).or_default().insert(0, row.place);
        }
        self.keep(Row { came_back: true, ..row });
    }

    fn keep(&mut self, row: Row) {
        self.bytes += row.weight();
        self.waiting.insert(row.place, row);
    }

    fn remove(&mut self, place: u64) -> Option<Row> {
        let row = self.waiting.remove(&place)?;
        self.bytes = self.bytes.saturating_sub(row.weight());
        Some(row)
    }

    /// Lets rows go again whose time has come.
    pub(super) fn wake(&mut self, now: Duration) {
        let back = &mut self.back;
        self.parked.retain(|(due, place)| {
            let wakes = *due <= now;
            if wakes {
                back.push_back(*place);
            }
            !wakes
        });
    }

    /// When the next row may go again.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.parked.iter().map(|(due, _)| *due).min()
    }

    /// The rows of the next call: of one round, with nothing locked by a call on its way. Those that came back go first. `flush` says
    /// that no more rows come for now; without it a call of fresh rows goes out full. A call that is not full waits for locked
    /// rows to be free.
    pub(super) fn next(&mut self, flush: bool) -> Option<Batch> {
        self.next_back().or_else(|| self.next_fresh(flush, self.size, MAX_BYTES))
    }

    /// The rows of the next call of those that came back.
    pub(super) fn next_back(&mut self) -> Option<Batch> {
        let mut queue = std::mem::take(&mut self.back);
        let picked = self.pick(&mut queue, None, MAX_BYTES, |_| true);
        self.back = queue;
        picked.map(|places| self.send(&places))
    }

    /// The rows of the next job, so many at most: fresh ones, as [`next`](Self::next) gives them.
    pub(super) fn next_job(&mut self, flush: bool, rows: usize, bytes: usize) -> Option<Batch> {
        self.next_fresh(flush, rows.max(1), bytes)
    }

    fn next_fresh(&mut self, flush: bool, size: usize, bytes: usize) -> Option<Batch> {
        if !flush && self.queue.len() < size {
            return None;
        }
        let mut queue = std::mem::take(&mut self.queue);
        let idle = self.busy.is_empty();
        let ready = |picked: &Picked| picked.full || (flush && (!picked.blocked || idle));
        let picked = self.pick(&mut queue, Some(size), bytes, ready);
        self.queue = queue;
        picked.map(|places| self.send(&places))
    }

    /// Takes rows out of a queue that may go together, if they are `ready`: so many at most, or as many as their round has.
    fn pick(
        &self,
        queue: &mut VecDeque<u64>,
        size: Option<usize>,
        max_bytes: usize,
        ready: impl FnOnce(&Picked) -> bool,
    ) -> Option<Vec<u64>> {
        let mut picked = Picked::default();
        let mut round = None;
        let mut own = HashSet::new();
        let mut bytes = 0;
        let mut looked_at = Vec::new();
        while let Some(place) = queue.pop_front() {
            let Some(row) = self.waiting.get(&place) else { continue };
            looked_at.push(place);
            // Behind one that goes now is behind one that is on its way.
            let goes = row.own.is_some_and(|lock| own.contains(&lock));
            let is_free = |lock| !self.busy.contains_key(lock);
            let free = row.own.iter().chain(&row.parents).all(is_free) && (goes || !self.is_behind(row));
            picked.blocked |= !free;
            if !free || goes {
                continue;
            }
            // A call of so many takes rows as they stand in its queue, also one that has taken an earlier one's round over.
            let this = *round.get_or_insert(row.round);
            if row.round != this && size.is_none() {
                continue;
            }
            if bytes + row.weight() > max_bytes && !picked.places.is_empty() {
                picked.full = true;
                break;
            }
            bytes += row.weight();
            own.extend(row.own);
            picked.places.push(place);
            if picked.places.len() >= size.unwrap_or_else(|| self.size_of(this)) {
                picked.full = true;
                break;
            }
        }
        if !ready(&picked) {
            picked.places.clear();
        }
        // Those that do not go now keep their order.
        let mut going = picked.places.iter().peekable();
        looked_at.retain(|place| going.next_if(|next| *next == place).is_none());
        for place in looked_at.into_iter().rev() {
            queue.push_front(place);
        }
        (!picked.places.is_empty()).then_some(picked.places)
    }

    fn size_of(&self, round: usize) -> usize {
        match round.checked_sub(1) {
            None => self.size,
            Some(smaller) => SMALLER.get(smaller).copied().unwrap_or(1).min(self.size),
        }
    }

    fn send(&mut self, places: &[u64]) -> Batch {
        let mut batch = Batch::default();
        for place in places {
            let Some(row) = self.remove(*place) else { continue };
            if let Some(own) = row.own {
                self.pass_on(own, *place);
            }
            batch.locks.extend(row.own.iter().chain(&row.parents));
            batch.rows.push(row);
        }
        for lock in &batch.locks {
            *self.busy.entry(*lock).or_default() += 1;
        }
        batch
    }

    /// Lets those behind a row be first.
    fn pass_on(&mut self, own: u64, place: u64) {
        if let Some(mates) = self.mates.get_mut(&own) {
            mates.retain(|mate| *mate != place);
            if mates.is_empty() {
                self.mates.remove(&own);
            }
        }
    }

    /// A call has ended: its locks are free.
    pub(super) fn done(&mut self, locks: &[u64]) {
        for lock in locks {
            if let Some(count) = self.busy.get_mut(lock) {
                *count -= 1;
                if *count == 0 {
                    self.busy.remove(lock);
                }
            }
        }
    }

    /// A call of so many rows has used up a limit of its transaction: half as many from now on. Others of that size that were on their
    /// way at the same time tell nothing new.
    pub(super) fn too_large(&mut self, rows: usize) {
        self.size = self.size.min((rows / 2).max(1));
        self.calm = 0;
    }

    /// A call went well; after a while of those, calls grow again.
    pub(super) fn went_well(&mut self) {
        self.calm += 1;
        if self.calm >= CALM && self.size < self.most {
            self.size = (self.size * 2).min(self.most);
            self.calm = 0;
        }
    }

    /// All rows that wait, for a run that ends.
    pub(super) fn drain(&mut self) -> Vec<Row> {
        self.queue.clear();
        self.back.clear();
        self.parked.clear();
        self.mates.clear();
        self.bytes = 0;
        let mut rows: Vec<Row> = self.waiting.drain().map(|(_, row)| row).collect();
        rows.sort_unstable_by_key(|row| row.place);
        rows
    }
}

impl Batch {
    pub(super) fn into_parts(self) -> (Vec<Row>, Vec<u64>) {
        (self.rows, self.locks)
    }
}

#[cfg(test)]
mod tests;
