//! Sends rows in calls, as many at once as may be, and settles each row once.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::stream::BoxStream;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::value::RawValue;
use tokio::task::JoinHandle;

use super::outcome::{WriteOutcome, WrittenRow};
use super::row::{Intake, Row, Target};
use super::schedule::Schedule;
use crate::api::{AllOrNone, Collections, JsonWrite, MAX_PACKED_RECORDS, MAX_RECORDS, SaveResult};
use crate::client::Client;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::sync::LockMeter;
use crate::sync::batch::{ends_the_run, has_used_up_a_limit, is_outage, may_pass, pause_before};
use crate::types::RecordId;

/// Calls in flight at once, at most; the client lets fewer through where the org is busy.
pub(super) const MOST_CALLS: usize = 10;

/// Rows that wait at most before the input is read on, as a multiple of those of one call.
const AHEAD: usize = 20;

/// Bytes of records that wait at most before the input is read on.
const MAX_BYTES: usize = 32 << 20;

/// Calls in a row without an answer after which the rest would meet the same.
const MOST_FAILURES: usize = 5;

const HALF_A_SECOND: Duration = Duration::from_millis(500);

/// A record of the input: a row, or why it is none.
pub(crate) type Input = Result<Row, (u64, Error)>;

/// Writes the rows of a stream.
pub(crate) struct Engine<'a> {
    client: Client,
    intake: Arc<Intake>,
    input: Option<BoxStream<'a, Input>>,
    schedule: Schedule,
    rows_of_a_call: usize,
    calls: FuturesUnordered<Call>,
    most_calls: usize,
    ready: VecDeque<WrittenRow>,
    /// Bytes that wait.
    bytes: usize,
    failures: usize,
    /// From 0 to 1: pauses differ from one run to the next, and not within one, so that rows come back together.
    chance: f64,
    locks: Arc<LockMeter>,
    stopped: Option<Error>,
}

/// A call on its way; abandoned when dropped. Without an answer it gives the places of its rows.
struct Call {
    task: JoinHandle<Answer>,
    places: Vec<u64>,
}

impl Drop for Call {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Future for Call {
    type Output = Result<Answer, Vec<u64>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = ready!(self.task.poll_unpin(context));
        Poll::Ready(ended.map_err(|_| std::mem::take(&mut self.places)))
    }
}

struct Answer {
    rows: Vec<Row>,
    locks: Vec<u64>,
    results: Result<Vec<SaveResult>>,
}

/// What the engine waited for.
enum Event {
    Answer(Result<Answer, Vec<u64>>),
    Row(Option<Input>),
    /// A row may go again.
    Due,
    /// Rows wait for company, nothing is on its way, and no row has come.
    Idle,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(client: Client, intake: Arc<Intake>, input: BoxStream<'a, Input>) -> Self {
        Self {
            client,
            intake,
            input: Some(input),
            schedule: Schedule::new(MAX_RECORDS),
            rows_of_a_call: MAX_RECORDS,
            calls: FuturesUnordered::new(),
            most_calls: MOST_CALLS,
            ready: VecDeque::new(),
            bytes: 0,
            failures: 0,
            chance: fastrand::f64(),
            locks: Arc::default(),
            stopped: None,
        }
    }

    /// Counts locks together with others.
    pub(crate) fn with_locks(mut self, locks: Arc<LockMeter>) -> Self {
        self.locks = locks;
        self
    }

    /// What counts the locks that rows meet.
    pub(super) fn locks(&self) -> &Arc<LockMeter> {
        &self.locks
    }

    /// Sets how many calls are in flight at once, at most.
    pub(super) fn with_most_calls(mut self, calls: usize) -> Self {
        self.most_calls = calls.max(1);
        self
    }

    /// Puts up to 1,000 rows into one API call: five collections in one composite. Deletions have no such form.
    pub(super) fn with_fewest_calls(mut self) -> Self {
        if *self.intake.target() != Target::Delete {
            self.schedule = Schedule::new(MAX_PACKED_RECORDS);
            self.rows_of_a_call = MAX_PACKED_RECORDS;
        }
        self
    }

    /// Why going on is useless.
    pub(crate) fn stopped(&self) -> Option<&Error> {
        self.stopped.as_ref()
    }

    /// The next row that is settled; `None` when all are.
    pub(crate) async fn next(&mut self) -> Option<WrittenRow> {
        loop {
            if let Some(outcome) = self.ready.pop_front() {
                return Some(outcome);
            }
            self.dispatch(self.input.is_none());
            match self.wait().await? {
                Event::Answer(Ok(answer)) => self.settle(answer),
                Event::Answer(Err(places)) => self.settle_none(&places),
                Event::Row(Some(input)) => {
                    self.take_in(input);
                    self.take_more();
                }
                Event::Row(None) => self.input = None,
                Event::Due => self.schedule.wake(self.client.monotonic()),
                Event::Idle => self.dispatch(true),
            }
        }
    }

    /// Takes in rows that are there already, enough for the next call.
    fn take_more(&mut self) {
        for _ in 1..self.rows_of_a_call {
            let Some(input) = self.input.as_mut().filter(|_| self.bytes < MAX_BYTES) else { return };
            match input.next().now_or_never() {
                Some(Some(input)) => self.take_in(input),
                Some(None) => self.input = None,
                None => return,
            }
        }
    }

    fn operation(&self) -> &'static str {
        self.intake.target().operation()
    }

    fn take_in(&mut self, input: Input) {
        match input {
            Ok(row) => {
                self.bytes += row.weight();
                let into = row.place;
                if let Some(place) = self.schedule.add(row) {
                    self.ready.push_back(WrittenRow { row: place, outcome: WriteOutcome::Folded { into } });
                }
            }
            Err((row, error)) => self.ready.push_back(WrittenRow { row, outcome: WriteOutcome::Rejected(error) }),
        }
    }

    /// Starts as many calls as may be.
    fn dispatch(&mut self, flush: bool) {
        while self.stopped.is_none() && self.calls.len() < self.most_calls {
            let Some(batch) = self.schedule.next(flush) else { return };
            let (rows, locks) = batch.into_parts();
            self.bytes = self.bytes.saturating_sub(rows.iter().map(Row::weight).sum());
            let (client, intake) = (self.client.clone(), Arc::clone(&self.intake));
            let places = rows.iter().map(|row| row.place).collect();
            let task = tokio::spawn(async move {
                let results = send(&client, &intake, &rows).await;
                Answer { rows, locks, results }
            });
            self.calls.push(Call { task, places });
        }
    }

    /// Waits for an answer, for a row where there is room for it, or until a row may go again. `None` when there is nothing
    /// to wait for.
    async fn wait(&mut self) -> Option<Event> {
        let room = self.schedule.len() < self.rows_of_a_call * AHEAD && self.bytes < MAX_BYTES;
        let mut input = self.input.as_mut().filter(|_| room && self.stopped.is_none());
        if let Some(input) = input.as_mut().filter(|_| self.calls.is_empty() && self.schedule.is_any_queued()) {
            return Some(input.next().now_or_never().map_or(Event::Idle, Event::Row));
        }
        let due = self.schedule.next_due().filter(|_| self.stopped.is_none());
        if input.is_none() && due.is_none() && self.calls.is_empty() {
            return None;
        }
        let calls = &mut self.calls;
        let answer = async {
            match calls.next().await {
                Some(answer) => Event::Answer(answer),
                None => std::future::pending().await,
            }
        };
        let row = async {
            match input {
                Some(input) => Event::Row(input.next().await),
                None => std::future::pending().await,
            }
        };
        let client = &self.client;
        let pause = async {
            match due {
                Some(due) => client.pause(due.saturating_sub(client.monotonic())).await,
                None => std::future::pending().await,
            }
            Event::Due
        };
        // Answers first: they free places, and what they tell may end the run.
        let answer = std::pin::pin!(answer);
        let row = std::pin::pin!(row);
        let pause = std::pin::pin!(pause);
        Some(match select(answer, select(row, pause)).await {
            Either::Left((event, _)) | Either::Right((Either::Left((event, _)) | Either::Right((event, _)), _)) => {
                event
            }
        })
    }

    fn settle(&mut self, answer: Answer) {
        let Answer { rows, locks, results } = answer;
        self.schedule.done(&locks);
        match results {
            Ok(results) => {
                self.failures = 0;
                self.locks.tried(rows.len());
                let mut trouble = false;
                for (row, result) in rows.into_iter().zip(results) {
                    trouble |= result.error.is_some();
                    self.settle_row(row, result);
                }
                if !trouble {
                    self.schedule.went_well();
                }
            }
            Err(error) => self.settle_failure(rows, error),
        }
    }

    fn settle_row(&mut self, row: Row, result: SaveResult) {
        let SaveResult { id, created, error, .. } = result;
        let Some(error) = error else {
            let id = id.or(row.id);
            let outcome = match (self.intake.target(), id) {
                (Target::Delete, _) => WriteOutcome::Deleted,
                (_, Some(id)) => WriteOutcome::Saved { id, created },
                (_, None) => WriteOutcome::Rejected(
                    Error::new(ErrorKind::Decode, self.operation(), "a saved record has no id")
                        .with_effect(Effect::Unknown),
                ),
            };
            return self.ready.push_back(WrittenRow { row: row.place, outcome });
        };
        if error.kind() == ErrorKind::RowLocked {
            self.client.congested();
            self.locks.locked(&row.json, &error);
        }
        if has_used_up_a_limit(&error) {
            self.schedule.too_large();
            // One that uses up a limit alone would do so again.
            return self.send_again(row, error, WriteOutcome::Rejected);
        }
        if may_pass(&error) {
            return self.send_again(row, error, WriteOutcome::Deferred);
        }
        let full = error.kind() == ErrorKind::LimitExceeded;
        let outcome = if full { WriteOutcome::Deferred(error.clone()) } else { WriteOutcome::Rejected(error.clone()) };
        self.ready.push_back(WrittenRow { row: row.place, outcome });
        if full {
            self.stop(error);
        }
    }

    /// A call's task has panicked, or was ended with the runtime.
    fn settle_none(&mut self, places: &[u64]) {
        let error = Error::new(ErrorKind::Unexpected, self.operation(), "a call ended without an answer")
            .with_effect(Effect::Unknown);
        let unknown = |row: &u64| WrittenRow { row: *row, outcome: WriteOutcome::Unknown(error.clone()) };
        self.ready.extend(places.iter().map(unknown));
        self.stop(error);
    }

    /// A whole call was not answered, or refused as a whole.
    fn settle_failure(&mut self, rows: Vec<Row>, error: Error) {
        let passes = is_outage(&error) || ends_the_run(&error);
        let unknown = error.effect() == Effect::Unknown && !self.intake.target().is_idempotent();
        // One bad row can spoil a call: smaller ones find it, and the others land.
        let alone = rows.len() == 1;
        for row in rows {
            let error = error.clone();
            let place = row.place;
            let mut settle = |outcome| self.ready.push_back(WrittenRow { row: place, outcome });
            if unknown {
                settle(WriteOutcome::Unknown(error));
            } else if passes {
                settle(WriteOutcome::Deferred(error));
            } else if alone {
                settle(WriteOutcome::Rejected(error));
            } else {
                self.send_again(row, error, WriteOutcome::Rejected);
            }
        }
        if is_outage(&error) {
            self.failures += 1;
        }
        let quiet = self.calls.is_empty() && self.input.is_none() && self.schedule.len() == 0;
        if ends_the_run(&error) || (is_outage(&error) && (self.failures >= MOST_FAILURES || quiet)) {
            self.stop(error);
        }
    }

    /// Keeps a row for a smaller call; one that was tried in all sizes ends as `last` says.
    fn send_again(&mut self, row: Row, error: Error, last: fn(Error) -> WriteOutcome) {
        // In steps of half a second: rows of calls that failed together make full calls again.
        let halves = u32::try_from(self.client.monotonic().as_millis() / 500).unwrap_or(u32::MAX);
        let due = HALF_A_SECOND.saturating_mul(halves.saturating_add(1)) + pause_before(row.round + 1, self.chance);
        let (place, weight) = (row.place, row.weight());
        let outcome = match self.schedule.again(row, due) {
            Ok(None) => {
                self.bytes += weight;
                return;
            }
            // A newer one of its key has come meanwhile and stands for it.
            Ok(Some(into)) => WriteOutcome::Folded { into },
            Err(_) => last(error),
        };
        self.ready.push_back(WrittenRow { row: place, outcome });
    }

    /// Ends the run: rows that wait are not sent, and no more are taken in. Calls on their way are waited for.
    fn stop(&mut self, error: Error) {
        for row in self.schedule.drain() {
            self.ready.push_back(WrittenRow { row: row.place, outcome: WriteOutcome::Deferred(error.clone()) });
        }
        self.bytes = 0;
        self.stopped.get_or_insert(error);
    }
}

/// Sends one call. Results are in the order of the rows, one each.
async fn send(client: &Client, intake: &Intake, rows: &[Row]) -> Result<Vec<SaveResult>> {
    let collections = client.collections(intake.object().clone());
    if rows.len() > MAX_RECORDS {
        return send_packed(&collections, intake, rows).await;
    }
    let what = match intake.target() {
        Target::Insert => JsonWrite::Create,
        Target::Update => JsonWrite::Update,
        Target::Upsert(key) => JsonWrite::Upsert(key),
        Target::Delete => {
            let ids: Vec<RecordId> = rows.iter().filter_map(|row| row.id).collect();
            return collections.delete(&ids, AllOrNone::No).await;
        }
    };
    collections.write_json(what, rows.iter().map(|row| (row.id, row.json.as_str()))).await
}

/// Sends more than one collection holds. Results are in the order of the rows, one each.
async fn send_packed(collections: &Collections, intake: &Intake, rows: &[Row]) -> Result<Vec<SaveResult>> {
    let json = |row: &Row| RawValue::from_string(row.json.clone());
    let unreadable = |error: serde_json::Error| {
        Error::new(ErrorKind::Invalid, intake.target().operation(), "a record is no JSON").with_source(error)
    };
    let records: Vec<Box<RawValue>> = rows.iter().map(json).collect::<Result<_, _>>().map_err(unreadable)?;
    match intake.target() {
        Target::Insert => collections.create_packed(&records).await,
        Target::Upsert(key) => collections.upsert_packed(key, &records).await,
        Target::Update | Target::Delete => {
            let records: Vec<_> =
                rows.iter().zip(records).filter_map(|(row, record)| Some((row.id?, record))).collect();
            collections.update_packed(&records).await
        }
    }
}

impl fmt::Debug for Engine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("intake", &self.intake).field("calls", &self.calls.len()).finish_non_exhaustive()
    }
}
