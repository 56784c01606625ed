//! The one call to write any number of records.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use serde::Serialize;

use super::engine::{Engine, Input, MOST_CALLS};
use super::outcome::{WriteOutcome, WrittenRow};
use super::route::{Freshness, MOST_OF_A_JOB, WriteRoute};
use super::row::{Intake, Target};
use crate::client::Client;
use crate::error::Error;
use crate::sync::{LockMeter, LockReport};
use crate::types::{FieldName, Record, RecordId, SObjectName};

/// Writes any number of records of one object; made by [`Client::upsert_many`] and its siblings.
///
/// Records are taken from a stream as there is room for them. How they go is chosen by how many come, how soon they are to be there
/// ([`freshness`](Self::freshness)) and how many API calls are left ([`Client::calls_left`]), or fixed by the caller
/// ([`by`](Self::by)):
///
/// | Records | by default ([`Freshness::Soon`]) | [`Freshness::Now`] | [`Freshness::Whenever`] |
/// | --- | --- | --- | --- |
/// | one in all | a call for one record | the same | the same |
/// | up to 200 | one call | one call | one call |
/// | up to 10,000 | a call per 200, ten at once | a call per 200 | a call per 1,000 |
/// | up to 49,999 | a call per 200 | a call per 200 | some ten calls |
/// | more | some ten calls per 100,000: bulk jobs | a call per 200 | some ten calls per 100,000 |
///
/// Where those are more calls than are left, a call takes 1,000, and where those are too many as well, jobs are made. Records of [named
/// parents](Self::parents) go by jobs only then. A job of 100,000 costs six calls to some twenty, by how long it takes.
///
/// A stream promises records by its `size_hint`; of one that does not, up to 50,000 are read before the first call, as far as they
/// are there without waiting. Clients with a duplicate or assignment rule ([`CallOptions`](crate::client::CallOptions)), which jobs
/// do not know, and objects with files never go by jobs unless they are told to.
///
/// Each record has exactly one outcome:
///
/// - Records of one key that wait together are folded into one, with the effect of writing them one after the other; those of
///   a key on its way wait for it, and those of two spellings of one key for each other.
/// - Rows of one parent never fly in two calls at the same time ([`parents`](Self::parents)), since writes of a child lock
///   its parent.
/// - Rows that meet a lock, or a limit of the transaction that they share with others, come again in smaller calls, with a
///   pause before each round; other refused rows are not sent again, and stop no other.
/// - What a job cannot say, refuses for a moment, does not look at or, where writing twice is writing once, does not tell of, goes by
///   calls. A job that somebody aborts ends the run.
/// - A creation whose answer was lost is not sent again; its outcome is [`WriteOutcome::Unknown`].
/// - What makes going on useless (the session ended, a permission is missing, the calls of the day are used up, no call comes
///   through) ends the run: records taken in until then are [`WriteOutcome::Deferred`], and no more are taken in.
///
/// Memory holds some thousand records; while it is read ahead and for jobs up to 100,000 ([`job_rows`](Self::job_rows)), of which there
/// is one at a time. At most about 32 MB of JSON, and some 500 bytes a record beside it.
///
/// ```no_run
/// use futures_util::{StreamExt as _, stream};
/// use sforce::types::{FieldName, SObjectName};
///
/// #[derive(serde::Serialize)]
/// struct Visit {
///     #[serde(rename = "Visit_Key__c")]
///     key: String,
///     #[serde(rename = "Pages__c")]
///     pages: u32,
/// }
///
/// # async fn run(client: sforce::Client) -> sforce::Result<()> {
/// let visits = (0..20_000).map(|number| Visit { key: format!("v-{number}"), pages: 3 });
/// let key = FieldName::from_static("Visit_Key__c");
/// let mut outcomes = client.upsert_many(SObjectName::from_static("Visit__c"), key).run(stream::iter(visits));
/// while let Some(row) = outcomes.next().await {
///     if let Some(error) = row.outcome.error() {
///         println!("record {}: {error}", row.row);
///     }
/// }
/// if let Some(error) = outcomes.stopped() {
///     println!("stopped: {error}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct WriteMany<T> {
    client: Client,
    object: SObjectName,
    target: Target,
    parents: Vec<FieldName>,
    calls: usize,
    freshness: Freshness,
    route: Option<WriteRoute>,
    job_rows: usize,
    kind: std::marker::PhantomData<fn(T)>,
}

/// Marks calls whose records have no id of the org: inserts and upserts.
#[derive(Clone, Copy, Debug)]
pub enum New {}

/// Marks calls whose records come with their id: updates.
#[derive(Clone, Copy, Debug)]
pub enum Known {}

/// Marks calls that take ids only: deletions.
#[derive(Clone, Copy, Debug)]
pub enum Ids {}

impl Client {
    /// Creates or updates any number of records, matched by an external id field that each record holds as a text or a
    /// number.
    ///
    /// Costs one API call per 200 records at most, far fewer for many, and some more for rows that come again: see [`WriteMany`]
    /// for what it chooses and promises.
    pub fn upsert_many(&self, object: SObjectName, key: FieldName) -> WriteMany<New> {
        WriteMany::new(self.clone(), object, Target::Upsert(key))
    }

    /// Creates any number of records. A record whose answer was lost is never sent again: prefer
    /// [`upsert_many`](Self::upsert_many).
    ///
    /// Costs one API call per 200 records at most: see [`WriteMany`] for what it chooses and promises.
    pub fn insert_many(&self, object: SObjectName) -> WriteMany<New> {
        WriteMany::new(self.clone(), object, Target::Insert)
    }

    /// Changes any number of records by id: the fields that are null or set, and no others.
    ///
    /// Costs one API call per 200 records at most: see [`WriteMany`] for what it chooses and promises.
    pub fn update_many(&self, object: SObjectName) -> WriteMany<Known> {
        WriteMany::new(self.clone(), object, Target::Update)
    }

    /// Deletes any number of records by id. One that was deleted before is refused with `ENTITY_IS_DELETED`.
    ///
    /// Costs one API call per 200 records at most: see [`WriteMany`] for what it chooses and promises.
    pub fn delete_many(&self, object: SObjectName) -> WriteMany<Ids> {
        WriteMany::new(self.clone(), object, Target::Delete)
    }
}

impl<T> WriteMany<T> {
    fn new(client: Client, object: SObjectName, target: Target) -> Self {
        Self {
            client,
            object,
            target,
            parents: Vec::new(),
            calls: MOST_CALLS,
            freshness: Freshness::default(),
            route: None,
            job_rows: MOST_OF_A_JOB,
            kind: std::marker::PhantomData,
        }
    }

    /// Names the fields that refer to parents, by id (`AccountId`) or by external id (`Account`): rows of one parent are never
    /// in two calls at once. Worth it for master-detail and required lookups, and parents of many children.
    pub fn parents(mut self, fields: impl IntoIterator<Item = FieldName>) -> Self {
        self.parents.extend(fields);
        self
    }

    /// Sets how many calls are in flight at once, at most; 10 by default.
    pub fn calls_at_once(mut self, calls: usize) -> Self {
        self.calls = calls;
        self
    }

    /// Sets how soon the org should have the records; [`Freshness::Soon`] by default. Who can wait pays fewer API calls.
    pub fn freshness(mut self, freshness: Freshness) -> Self {
        self.freshness = freshness;
        self
    }

    /// Fixes how the records go, however many they are and whatever calls are left. What a bulk job cannot do goes by packed calls.
    ///
    /// In a job rows of one parent are next to each other and may still meet, since Salesforce works on parts of it side by side;
    /// those that meet a lock come again.
    pub fn by(mut self, route: WriteRoute) -> Self {
        self.route = Some(route);
        self
    }

    /// Sets how many records one bulk job takes at most; 100,000 by default, which is the most. They are in memory until the job has
    /// ended: fewer take less of it, and more API calls.
    pub fn job_rows(mut self, records: usize) -> Self {
        self.job_rows = records;
        self
    }

    fn start<'a>(
        self,
        rows: impl Stream<Item = (Option<RecordId>, impl Serialize + 'a)> + Send + 'a,
    ) -> WriteStream<'a> {
        let intake = Arc::new(Intake::new(self.target, self.object, self.parents));
        let reader = Arc::clone(&intake);
        let mut place = 0;
        let rows = rows.map(move |(id, record)| {
            let this = place;
            place += 1;
            reader.row(this, id, &record, Vec::new()).map_err(|error| (this, error)) as Input
        });
        let engine = Engine::new(self.client, intake, rows.boxed()).with_most_calls(self.calls);
        WriteStream::new(engine.with_route(self.freshness, self.route, self.job_rows))
    }
}

impl WriteMany<New> {
    /// Starts to write as the stream of outcomes is read. Records are anything that serialises to a JSON object.
    pub fn run<'a, R, S>(self, records: S) -> WriteStream<'a>
    where
        R: Serialize + 'a,
        S: Stream<Item = R> + Send + 'a,
    {
        self.start(records.map(|record| (None, record)))
    }
}

impl WriteMany<Known> {
    /// Starts to write as the stream of outcomes is read. Records are anything that serialises to a JSON object.
    pub fn run<'a, R, S>(self, records: S) -> WriteStream<'a>
    where
        R: Serialize + 'a,
        S: Stream<Item = (RecordId, R)> + Send + 'a,
    {
        self.start(records.map(|(id, record)| (Some(id), record)))
    }
}

impl WriteMany<Ids> {
    /// Starts to delete as the stream of outcomes is read.
    pub fn run<'a, S>(self, ids: S) -> WriteStream<'a>
    where
        S: Stream<Item = RecordId> + Send + 'a,
    {
        self.start(ids.map(|id| (Some(id), Record::new())))
    }
}

impl<T> fmt::Debug for WriteMany<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteMany").field("object", &self.object).field("target", &self.target).finish_non_exhaustive()
    }
}

/// The outcomes of many records, one each, as they become known and in no order.
///
/// Records are written only while this is read. Dropping it abandons the calls on their way, whose records may have been
/// written.
pub struct WriteStream<'a> {
    outcomes: BoxStream<'a, WrittenRow>,
    stopped: Arc<std::sync::OnceLock<Error>>,
    locks: Arc<LockMeter>,
}

impl<'a> WriteStream<'a> {
    fn new(engine: Engine<'a>) -> Self {
        let stopped = Arc::new(std::sync::OnceLock::new());
        let tell = Arc::clone(&stopped);
        let locks = Arc::clone(engine.locks());
        let outcomes = stream::unfold(engine, move |mut engine| {
            let tell = Arc::clone(&tell);
            async move {
                let outcome = engine.next().await;
                if let Some(error) = engine.stopped() {
                    tell.get_or_init(|| error.clone());
                }
                Some((outcome?, engine))
            }
        });
        Self { outcomes: outcomes.boxed(), stopped, locks }
    }

    /// Why going on was useless; `None` while all is well. The records that were not taken in have no outcome then.
    #[must_use]
    pub fn stopped(&self) -> Option<&Error> {
        self.stopped.get()
    }

    /// How often rows met a lock so far, and which records were in the way.
    #[must_use]
    pub fn locks(&self) -> LockReport {
        self.locks.report()
    }

    /// Reads all outcomes and counts them; `each` sees those that are not done.
    pub async fn totals(mut self, mut each: impl FnMut(&WrittenRow)) -> WriteTotals {
        let mut totals = WriteTotals::default();
        while let Some(row) = self.next().await {
            totals.count(&row.outcome);
            if !row.outcome.is_done() {
                each(&row);
            }
        }
        totals.stopped = self.stopped().cloned();
        totals.locks = self.locks();
        totals
    }
}

impl Stream for WriteStream<'_> {
    type Item = WrittenRow;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<WrittenRow>> {
        self.outcomes.as_mut().poll_next(context)
    }
}

impl fmt::Debug for WriteStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteStream").field("stopped", &self.stopped()).finish_non_exhaustive()
    }
}

/// How many records had which outcome.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WriteTotals {
    /// Records with an outcome: the sum of the others.
    pub rows: u64,
    /// See [`WriteOutcome::Saved`] and [`WriteOutcome::Deleted`].
    pub done: u64,
    /// See [`WriteOutcome::Folded`].
    pub folded: u64,
    /// See [`WriteOutcome::Rejected`].
    pub rejected: u64,
    /// See [`WriteOutcome::Deferred`].
    pub deferred: u64,
    /// See [`WriteOutcome::Unknown`].
    pub unknown: u64,
    /// How often rows met a lock, and which records were in the way.
    pub locks: LockReport,
    /// Why going on was useless.
    pub stopped: Option<Error>,
}

impl WriteTotals {
    fn count(&mut self, outcome: &WriteOutcome) {
        self.rows += 1;
        *match outcome {
            WriteOutcome::Saved { .. } | WriteOutcome::Deleted => &mut self.done,
            WriteOutcome::Folded { .. } => &mut self.folded,
            WriteOutcome::Rejected(_) => &mut self.rejected,
            WriteOutcome::Deferred(_) => &mut self.deferred,
            WriteOutcome::Unknown(_) => &mut self.unknown,
        } += 1;
    }
}
