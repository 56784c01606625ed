//! Sends rows in calls, as many at once as may be, and settles each row once.

mod settle;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use foldhash::{HashMap, HashMapExt as _};
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::task::JoinHandle;

use super::job::{self, JobEnd};
use super::outcome::{WriteOutcome, WrittenRow};
use super::route::{Ahead, Freshness, Jobs, MOST_OF_A_JOB, Route, WORTH_A_JOB, WriteRoute};
use super::row::{Intake, Row};
use super::schedule::{Batch, Schedule};
use super::send::send;
use crate::api::SaveResult;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::sync::LockMeter;

/// Calls in flight at once, at most; the client lets fewer through where the org is busy.
pub(super) const MOST_CALLS: usize = 10;

/// A record of the input: a row, or why it is none.
pub(crate) type Input = Result<Row, (u64, Error)>;

/// What is held at most before the input is read on.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Rows of one call.
    rows_of_a_call: usize,
    /// Rows that wait, as a multiple of those of one call.
    ahead: usize,
    /// Bytes of records that wait or are in a job.
    bytes: usize,
    /// Records that wait for the one that stands for them.
    folded: usize,
}

const BOUNDS: Bounds = Bounds { rows_of_a_call: usize::MAX, ahead: 20, bytes: 32 << 20, folded: 100_000 };

/// Writes the rows of a stream.
pub(crate) struct Engine<'a> {
    client: Client,
    intake: Arc<Intake>,
    input: Option<BoxStream<'a, Input>>,
    schedule: Schedule,
    plan: Plan,
    bounds: Bounds,
    calls: FuturesUnordered<Call>,
    most_calls: usize,
    ready: VecDeque<WrittenRow>,
    /// Records for which a later one stands that is not settled yet, by that one.
    folded: HashMap<u64, Vec<u64>>,
    folded_rows: usize,
    /// Bytes that are in a job.
    job_bytes: usize,
    /// Rows that are in a job; there is one at a time, so that rows of one key stay in their order.
    in_job: usize,
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
    results: Results,
}

enum Results {
    OfCall(Result<Vec<SaveResult>>),
    OfJob(JobEnd),
}

/// Which way the rows go.
#[derive(Debug)]
struct Plan {
    freshness: Freshness,
    /// What the caller has fixed.
    fixed: Option<Route>,
    jobs: Jobs,
    route: Route,
    rows_of_a_job: usize,
    failed_jobs: usize,
    /// Whether the first rows were read ahead.
    begun: bool,
    /// Records read in all.
    read: u64,
    /// Those since the input last paused.
    burst: u64,
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
    /// An engine that makes calls of 200.
    pub(crate) fn new(client: Client, intake: Arc<Intake>, input: BoxStream<'a, Input>) -> Self {
        let route = Route::Collections;
        let plan = Plan {
            freshness: Freshness::Now,
            fixed: Some(route),
            jobs: Jobs::No,
            route,
            rows_of_a_job: MOST_OF_A_JOB,
            failed_jobs: 0,
            begun: false,
            read: 0,
            burst: 0,
        };
        Self {
            client,
            intake,
            input: Some(input),
            schedule: Schedule::new(route.rows_of_a_call()),
            plan,
            bounds: BOUNDS,
            calls: FuturesUnordered::new(),
            most_calls: MOST_CALLS,
            ready: VecDeque::new(),
            folded: HashMap::new(),
            folded_rows: 0,
            job_bytes: 0,
            in_job: 0,
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

    /// Chooses the way of the rows by how many there are and how soon they are to be there, unless it is fixed.
    pub(super) fn with_route(mut self, freshness: Freshness, fixed: Option<WriteRoute>, rows_of_a_job: usize) -> Self {
        let fixed = fixed.map(Route::from);
        let jobs = if fixed.is_some() { Jobs::Yes } else { jobs(&self.client, &self.intake) };
        self.plan = Plan { freshness, fixed, jobs, rows_of_a_job: rows_of_a_job.clamp(1, MOST_OF_A_JOB), ..self.plan };
        self.choose();
        self
    }

    /// Why going on is useless.
    pub(crate) fn stopped(&self) -> Option<&Error> {
        self.stopped.as_ref()
    }

    /// The next row that is settled; `None` when all are.
    pub(crate) async fn next(&mut self) -> Option<WrittenRow> {
        if !std::mem::replace(&mut self.plan.begun, true) {
            self.read_ahead();
        }
        loop {
            if let Some(outcome) = self.ready.pop_front() {
                return Some(outcome);
            }
            self.dispatch(self.input.is_none());
            let Some(event) = self.wait().await else {
                if self.is_at_end() {
                    return None;
                }
                // Nothing may end without a word.
                self.stop(Error::new(
                    ErrorKind::Unexpected,
                    self.intake.target().operation(),
                    "rows wait that never may go",
                ));
                continue;
            };
            match event {
                Event::Answer(Ok(answer)) => self.settle(answer),
                Event::Answer(Err(places)) => self.settle_none(&places),
                Event::Row(Some(input)) => {
                    self.take_in(input);
                    self.take_more();
                    self.choose();
                }
                Event::Row(None) => {
                    self.input = None;
                    self.choose();
                }
                Event::Due => self.schedule.wake(self.client.monotonic()),
                Event::Idle => {
                    self.plan.burst = 0;
                    self.choose();
                    self.dispatch(true);
                }
            }
        }
    }

    /// Takes in rows that are there already, until their number decides how they go. A stream that tells how many there are needs
    /// none.
    fn read_ahead(&mut self) {
        let most = if self.plan.fixed.is_some() { 0 } else { self.plan.freshness.reads_ahead() };
        while self.plan.read < most {
            let Some(input) = self.input.as_mut().filter(|_| self.schedule.bytes() < self.bounds.bytes) else { break };
            let (least, at_most) = input.size_hint();
            if at_most == Some(least) || self.plan.read.saturating_add(least as u64) >= most {
                break;
            }
            match input.next().now_or_never() {
                Some(Some(input)) => self.take_in(input),
                Some(None) => self.input = None,
                None => break,
            }
        }
        self.choose();
    }

    /// Takes in rows that are there already, enough for the next call.
    fn take_more(&mut self) {
        for _ in 1..self.rows_of_a_call() {
            let room = self.has_room();
            let Some(input) = self.input.as_mut().filter(|_| room) else { return };
            match input.next().now_or_never() {
                Some(Some(input)) => self.take_in(input),
                Some(None) => self.input = None,
                None => return,
            }
        }
    }

    /// Chooses the way of the rows by what is known now.
    fn choose(&mut self) {
        let plan = &self.plan;
        let waiting = self.schedule.len();
        let route = match plan.fixed {
            Some(Route::Bulk) if plan.jobs == Jobs::No => Route::Packed,
            Some(fixed) => fixed,
            None => {
                let (promised, at_most) = self.input.as_ref().map_or((0, Some(0)), Stream::size_hint);
                // An input that has given many rows without a pause, and does not tell its end, is expected to go on.
                let burst = if at_most == Some(promised) { 0 } else { plan.burst };
                let ahead = Ahead {
                    rows: burst.max(waiting.saturating_add(promised) as u64),
                    only: self.input.is_none() && plan.read == 1,
                    calls_left: self.client.calls_left(),
                    jobs: plan.jobs,
                };
                let route = plan.freshness.route(&ahead);
                // While rows come, none of the calls that were to be saved are spent after all.
                match plan.route {
                    _ if route == Route::Single => route,
                    Route::Bulk if plan.jobs != Jobs::No && waiting >= self.worth_a_job() => Route::Bulk,
                    _ if plan.burst == 0 => route,
                    before => route.max(before.min(Route::Packed)),
                }
            }
        };
        self.plan.route = route;
        self.schedule.set_most(self.rows_of_a_call());
    }

    fn rows_of_a_call(&self) -> usize {
        self.plan.route.rows_of_a_call().min(self.bounds.rows_of_a_call)
    }

    fn take_in(&mut self, input: Input) {
        self.plan.read += 1;
        self.plan.burst += 1;
        match input {
            Ok(row) => {
                let into = row.place;
                if let Some(place) = self.schedule.add(row) {
                    self.fold(place, into);
                }
            }
            Err((row, error)) => self.ready.push_back(WrittenRow { row, outcome: WriteOutcome::Rejected(error) }),
        }
    }

    /// Whether nothing is left to do.
    fn is_at_end(&self) -> bool {
        self.ready.is_empty() && self.schedule.len() == 0 && (self.input.is_none() || self.stopped.is_some())
    }

    /// Whether more rows may be taken in.
    fn has_room(&self) -> bool {
        let most = match self.plan.route {
            Route::Bulk => self.plan.rows_of_a_job,
            _ => self.rows_of_a_call() * self.bounds.ahead,
        };
        self.schedule.len() + self.in_job < most
            && self.schedule.bytes() + self.job_bytes < self.bounds.bytes
            && self.folded_rows < self.bounds.folded
    }

    /// Starts as many calls as may be.
    fn dispatch(&mut self, flush: bool) {
        while self.stopped.is_none() && self.calls.len() < self.most_calls {
            // Where no more may come for now, what is there goes as it is.
            let flush = flush || !self.has_room();
            let few = flush && self.schedule.len() < self.worth_a_job();
            if self.plan.route != Route::Bulk || (few && self.in_job == 0) {
                let Some(batch) = self.schedule.next(flush) else { return };
                self.start_call(batch);
            } else if let Some(batch) = self.schedule.next_back() {
                self.start_call(batch);
            } else {
                if self.in_job > 0 {
                    return;
                }
                let Some(batch) = self.schedule.next_job(flush, self.plan.rows_of_a_job, self.bounds.bytes) else {
                    return;
                };
                self.start_job(batch);
            }
        }
    }

    /// Rows for which one more job is made.
    fn worth_a_job(&self) -> usize {
        if self.plan.fixed.is_some() { 0 } else { WORTH_A_JOB.min(self.plan.rows_of_a_job) }
    }

    fn start_call(&mut self, batch: Batch) {
        let (rows, locks) = batch.into_parts();
        let (client, intake) = (self.client.clone(), Arc::clone(&self.intake));
        let single = self.plan.route == Route::Single;
        let places = rows.iter().map(|row| row.place).collect();
        let task = tokio::spawn(async move {
            let results = Results::OfCall(send(&client, &intake, &rows, single).await);
            Answer { rows, locks, results }
        });
        self.calls.push(Call { task, places });
    }

    fn start_job(&mut self, batch: Batch) {
        let (mut rows, locks) = batch.into_parts();
        self.in_job = rows.len();
        self.job_bytes = weight(&rows);
        // Parts of a job are written side by side: rows of one parent next to each other meet the least. (Protocol facts, 3.1.)
        rows.sort_by_key(|row| row.parents.first().copied());
        let (client, intake) = (self.client.clone(), Arc::clone(&self.intake));
        let places = rows.iter().map(|row| row.place).collect();
        let task = tokio::spawn(async move {
            let (rows, end) = job::run(&client, &intake, rows).await;
            Answer { rows, locks, results: Results::OfJob(end) }
        });
        self.calls.push(Call { task, places });
    }

    /// Waits for an answer, for a row where there is room for it, or until a row may go again. `None` when there is nothing
    /// to wait for.
    async fn wait(&mut self) -> Option<Event> {
        let room = self.has_room();
        let mut input = self.input.as_mut().filter(|_| room && self.stopped.is_none());
        if let Some(input) = input.as_mut().filter(|_| self.calls.is_empty() && self.schedule.is_any_queued()) {
            let patience = self.plan.freshness.patience(self.plan.route);
            if patience.is_zero() {
                return Some(input.next().now_or_never().map_or(Event::Idle, Event::Row));
            }
            let pause = std::pin::pin!(self.client.pause(patience));
            return Some(match select(input.next(), pause).await {
                Either::Left((row, _)) => Event::Row(row),
                Either::Right(_) => Event::Idle,
            });
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
}

/// Objects with a file in a field. Bulk API 2.0 takes no such fields. (Bulk API guide, "Load Binary Attachments": Bulk API only.)
const WITH_FILES: [&str; 4] = ["Attachment", "ContentVersion", "Document", "StaticResource"];

/// Whether rows may go by jobs, where the caller leaves it to us.
fn jobs(client: &Client, intake: &Intake) -> Jobs {
    // Jobs know no duplicate-rule header and none for assignment rules; nobody can tell of others.
    let changed = client.headers().keys().any(|name| name != "sforce-call-options");
    let with_files = WITH_FILES.iter().any(|object| intake.object().as_str().eq_ignore_ascii_case(object));
    match (changed || with_files, intake.has_parents()) {
        (true, _) => Jobs::No,
        (false, true) => Jobs::AtNeed,
        (false, false) => Jobs::Yes,
    }
}

fn weight(rows: &[Row]) -> usize {
    rows.iter().map(Row::weight).sum()
}

impl fmt::Debug for Engine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("intake", &self.intake).field("calls", &self.calls.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
