//! Any number of rows into as many jobs as they need, and one outcome for each.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::Block;
use super::download::Download;
use super::info::{BulkJob, JobInfo, JobState};
use super::ingest::{IngestBuilder, IngestJob};
use super::job::{self, Looks};
use super::join::{Joined, Marks, Places};
use super::refusals::Refusals;
use super::results::{self, ResultFile, Verdicts};
use super::upload::{File, Form, Ready, Teller, Uploaded};
use crate::client::Client;
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::types::RecordId;

const OPERATION: &str = "bulk.write";

/// Rows of one job at most: their numbers have 32 bits. 100 MB of rows are fewer.
const MAX_ROWS: u32 = u32::MAX - 1;

/// Rows that our own checks have refused, and outcomes, that are handed over at once.
const BATCH: usize = 4096;

/// What became of one row.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RowOutcome {
    /// It was saved, or deleted.
    Saved {
        /// The record's id.
        id: RecordId,
        /// Whether this row created it.
        created: bool,
    },
    /// It was refused: by the org, or, with [`Error::salesforce`] empty, by our own checks before it was sent.
    Failed(Error),
    /// The job ended without looking at it; the error says why. It can be sent again.
    Unprocessed(Error),
    /// It was sent, and the org does not tell what became of it.
    Unknown(Error),
}

impl RowOutcome {
    /// Whether it was saved.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        matches!(self, Self::Saved { .. })
    }
}

/// What became of all rows.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BulkReport {
    /// The jobs, as far as they are known to have ended.
    pub jobs: Vec<JobInfo>,
    /// Rows told.
    pub rows: u64,
    /// Rows saved.
    pub saved: u64,
    /// Rows refused.
    pub failed: u64,
    /// Rows that no job has looked at.
    pub unprocessed: u64,
    /// Rows whose fate is unknown.
    pub unknown: u64,
    /// Results that are about no row that was sent. There are none unless the org writes keys in a form that is not known.
    pub unmatched: u64,
}

impl BulkReport {
    fn count(&mut self, batch: &[(u64, RowOutcome)]) {
        for (_, outcome) in batch {
            match outcome {
                RowOutcome::Saved { .. } => self.saved += 1,
                RowOutcome::Failed(_) => self.failed += 1,
                RowOutcome::Unprocessed(_) => self.unprocessed += 1,
                RowOutcome::Unknown(_) => self.unknown += 1,
            }
        }
    }

    /// Adds what came of rows.
    fn add(&mut self, other: &Self) {
        self.saved += other.saved;
        self.failed += other.failed;
        self.unprocessed += other.unprocessed;
        self.unknown += other.unknown;
        self.unmatched += other.unmatched;
    }
}

impl IngestBuilder {
    /// Writes any number of rows: splits them into jobs, uploads, waits, and joins the results to the rows.
    ///
    /// Starts at once, in a task of its own. `rows` is called for each attempt, and has to tell the same rows each time; it runs on a
    /// thread that may block. A row that CSV cannot carry is [`RowOutcome::Failed`], and the others are sent. Every row has exactly one
    /// outcome, with its number among the rows, counted from 0; they come in the order of the results.
    ///
    /// Read them while it works: rows that our own checks refuse wait to be read once they are some ten thousand.
    ///
    /// Results are joined by the [key columns](Self::key_columns), by value, since the org writes numbers and times in forms of its own; rows
    /// of one key are told apart by the rest of the row. Memory holds some 30 bytes a row of the jobs that are not joined yet.
    ///
    /// Costs 3 API calls a job of up to 100 MB (create, upload, close), one for each look at it, and one for each of its result files that
    /// has rows. `deadline` is for all of it: after it no further job is made, which is the error that ends the outcomes; rows of a job that
    /// has not ended by then are [`RowOutcome::Unknown`], and the job is in [`RowOutcomes::jobs`]. An outage of the org before then ends
    /// nothing.
    ///
    /// Rows that can be told once only, such as those of a stream, go by [`Client::upsert_many`] and its siblings, or by a file.
    ///
    /// ```no_run
    /// # async fn run(client: &sforce::Client) -> sforce::Result<()> {
    /// use std::time::Duration;
    /// use sforce::api::bulk::{IngestOperation, RowOutcome};
    /// use sforce::types::{FieldName, Record, SObjectName};
    ///
    /// let upsert = IngestOperation::Upsert { key: FieldName::from_static("Key__c") };
    /// let rows = || (0..250_000_u32).map(|key| Record::new().with("Key__c", key).with("LastName", "x"));
    /// let mut outcomes =
    ///     client.bulk_ingest(SObjectName::from_static("Contact"), upsert).write(rows, Duration::from_secs(3600));
    /// while let Some((row, outcome)) = outcomes.try_next().await? {
    ///     if let RowOutcome::Failed(error) = outcome {
    ///         eprintln!("row {row}: {error}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn write<F, I, T>(self, rows: F, deadline: Duration) -> RowOutcomes
    where
        F: Fn() -> I + Send + Sync + 'static,
        I: IntoIterator<Item = T> + 'static,
        I::IntoIter: Send + 'static,
        T: Serialize + Send + 'static,
    {
        let (sender, batches) = mpsc::channel(4);
        let jobs = Arc::new(Mutex::new(Vec::new()));
        let keys = if self.keys.is_empty() {
            self.operation.key().map(str::to_owned).into_iter().collect()
        } else {
            self.keys.clone()
        };
        let refusals = Refusals::new(sender.downgrade());
        let source = Arc::new(RowSource { rows, live: Mutex::new(None), form: self.form.clone(), keys, refusals });
        let run = Run {
            client: self.client.clone(),
            sender,
            jobs: Arc::clone(&jobs),
            report: BulkReport::default(),
            deadline,
            looks: self.looks,
        };
        let task = tokio::spawn(run.run(self, source));
        RowOutcomes { batches, current: Vec::new().into_iter(), task: Some(task), jobs, report: None, failed: None }
    }
}

/// The outcomes of rows as they become known. See [`IngestBuilder::write`].
///
/// Dropping it abandons the work: jobs that were closed go on in the org.
pub struct RowOutcomes {
    batches: mpsc::Receiver<Vec<(u64, RowOutcome)>>,
    current: std::vec::IntoIter<(u64, RowOutcome)>,
    task: Option<JoinHandle<Result<BulkReport>>>,
    jobs: Arc<Mutex<Vec<BulkJob>>>,
    report: Option<BulkReport>,
    failed: Option<Error>,
}

impl RowOutcomes {
    /// The next outcome, with the number of its row; `None` after the last one.
    ///
    /// # Errors
    ///
    /// What ended the work before all rows were sent: the creation of a job, an upload, the deadline, no key column in the rows. It comes
    /// after the outcomes of all rows that were sent; no row from the one in its context `row` on was processed, though our own checks may
    /// have refused some of them already.
    pub async fn try_next(&mut self) -> Result<Option<(u64, RowOutcome)>> {
        loop {
            if let Some(outcome) = self.current.next() {
                return Ok(Some(outcome));
            }
            match self.next_batch().await? {
                Some(batch) => self.current = batch.into_iter(),
                None => return Ok(None),
            }
        }
    }

    /// The next outcomes, some thousands at once; `None` after the last ones.
    ///
    /// # Errors
    ///
    /// As for [`try_next`](Self::try_next).
    pub async fn next_batch(&mut self) -> Result<Option<Vec<(u64, RowOutcome)>>> {
        let rest = std::mem::take(&mut self.current);
        if rest.len() > 0 {
            return Ok(Some(rest.collect()));
        }
        if let Some(batch) = self.batches.recv().await {
            return Ok(Some(batch));
        }
        if let Some(task) = self.task.take() {
            match task.await {
                Ok(Ok(report)) => self.report = Some(report),
                Ok(Err(error)) => self.failed = Some(error),
                Err(_) => {
                    self.failed = Some(Error::new(
                        ErrorKind::Unexpected,
                        OPERATION,
                        "the task that writes has ended without a word",
                    ));
                }
            }
        }
        self.failed.clone().map_or(Ok(None), Err)
    }

    /// The jobs so far, to be written down: also those that have not ended.
    #[must_use]
    pub fn jobs(&self) -> Vec<BulkJob> {
        lock(&self.jobs).clone()
    }

    /// What became of all rows; `None` before the last outcome was read.
    #[must_use]
    pub fn report(&self) -> Option<&BulkReport> {
        self.report.as_ref()
    }
}

impl Drop for RowOutcomes {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl fmt::Debug for RowOutcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowOutcomes").field("report", &self.report).finish_non_exhaustive()
    }
}

pub(super) fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole after every statement.
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The caller's rows, from any place on.
struct RowSource<F, I, T> {
    rows: F,
    /// The iterator where the last telling has left it, so that the next job goes on there.
    live: Mutex<Option<Live<I, T>>>,
    form: Form,
    /// Names of the key columns; none means all.
    keys: Vec<String>,
    refusals: Refusals,
}

struct Live<I, T> {
    rows: I,
    next: u64,
    /// A row that the last job had no room for.
    pending: Option<T>,
}

/// The rows of one job.
struct Part {
    uploaded: Uploaded,
    first: u64,
    /// The number of the row after its last one.
    next: u64,
    more: bool,
    columns: Vec<String>,
    marks: Marks,
    /// The last of those that our own checks have refused; the others were handed over.
    refused: Vec<(u64, Error)>,
}

/// Tells the rows of one job.
struct PartTeller<F, I, T> {
    source: Arc<RowSource<F, I, T>>,
    first: u64,
}

impl<F, N, T> PartTeller<F, N::IntoIter, T>
where
    F: Fn() -> N + Send + Sync + 'static,
    N: IntoIterator<Item = T>,
{
    fn live(&self) -> Live<N::IntoIter, T> {
        if let Some(live) = lock(&self.source.live).take()
            && live.next == self.first
        {
            return live;
        }
        let mut live = Live { rows: (self.source.rows)().into_iter(), next: 0, pending: None };
        while live.next < self.first && live.rows.next().is_some() {
            live.next += 1;
        }
        live
    }
}

impl<F, N, T> PartTeller<F, N::IntoIter, T>
where
    F: Fn() -> N + Send + Sync + 'static,
    N: IntoIterator<Item = T>,
    T: Serialize,
{
    /// Makes the table of the rows. Where some have the key of others, the rows are told once more, to no one, to see how these are
    /// written.
    fn table(&self, marks: Marks, next: u64) -> Result<Joined> {
        let mut joined = marks.into_joined();
        if joined.has_doubles() {
            let mut writer = self.source.form.writer()?;
            let mut live = self.live();
            for row in 0..u32::try_from(next - self.first).unwrap_or(MAX_ROWS) {
                let Some(told) = live.pending.take().or_else(|| live.rows.next()) else { break };
                if writer.push(&told).is_ok() {
                    joined.describe(&writer, row);
                }
                writer.truncate(0);
            }
        }
        Ok(joined)
    }
}

impl<F, N, T> Teller for PartTeller<F, N::IntoIter, T>
where
    F: Fn() -> N + Send + Sync + 'static,
    N: IntoIterator<Item = T>,
    N::IntoIter: Send + 'static,
    T: Serialize + Send + 'static,
{
    type Told = Part;

    fn tell(&self, sink: &mut dyn FnMut(Vec<u8>) -> bool) -> Result<Part> {
        let form = &self.source.form;
        let mut file = File::new(form)?;
        let mut live = self.live();
        let mut refused = Vec::new();
        let mut marks: Option<Marks> = None;
        let mut more = false;
        loop {
            let Some(row) = live.pending.take().or_else(|| live.rows.next()) else { break };
            let number = live.next;
            let before = file.writer.as_bytes().len();
            match file.writer.push(&row) {
                Err(error) => refused.push((number, error.with_operation(OPERATION))),
                Ok(()) if file.bytes() > form.max_bytes => {
                    file.writer.truncate(before);
                    if file.told.rows > 0 {
                        live.pending = Some(row);
                        more = true;
                        break;
                    }
                    let error = Error::new(ErrorKind::Invalid, OPERATION, "a row larger than a job");
                    refused.push((number, error.with_context("limit_bytes", form.max_bytes)));
                }
                Ok(()) => {
                    let marks = match &mut marks {
                        Some(marks) => marks,
                        none => none.insert(self.keys(&file)?),
                    };
                    marks.add(&file.writer, u32::try_from(number - self.first).unwrap_or(MAX_ROWS));
                    file.told.rows += 1;
                    file.pass_on(sink)?;
                }
            }
            live.next += 1;
            if refused.len() >= BATCH {
                self.source.refusals.pass(&mut refused)?;
            }
            if live.next - self.first >= MAX_ROWS.into() {
                more = true;
                break;
            }
        }
        let columns = file.writer.header().map(str::to_owned).collect();
        let uploaded = file.finish(sink)?;
        let (first, next) = (self.first, live.next);
        *lock(&self.source.live) = Some(live);
        let marks = marks.unwrap_or_else(|| Marks::new(Vec::new(), 0));
        Ok(Part { uploaded, first, next, more, columns, marks, refused })
    }
}

impl<F, I, T> PartTeller<F, I, T> {
    /// The places of the key columns.
    fn keys(&self, file: &File) -> Result<Marks> {
        let columns: Vec<&str> = file.writer.header().collect();
        let names = &self.source.keys;
        if names.is_empty() {
            return Ok(Marks::new((0..columns.len()).collect(), columns.len()));
        }
        let place = |name: &String| {
            columns.iter().position(|column| column.eq_ignore_ascii_case(name)).ok_or_else(|| {
                Error::new(ErrorKind::Invalid, OPERATION, "the rows have no column of that key")
                    .with_context("field", name)
                    .with_context("row", self.first)
            })
        };
        Ok(Marks::new(names.iter().map(place).collect::<Result<_>>()?, columns.len()))
    }
}

/// The work.
struct Run {
    client: Client,
    sender: mpsc::Sender<Vec<(u64, RowOutcome)>>,
    jobs: Arc<Mutex<Vec<BulkJob>>>,
    report: BulkReport,
    deadline: Duration,
    looks: Looks,
}

impl Run {
    async fn run<F, N, T>(
        mut self,
        builder: IngestBuilder,
        source: Arc<RowSource<F, N::IntoIter, T>>,
    ) -> Result<BulkReport>
    where
        F: Fn() -> N + Send + Sync + 'static,
        N: IntoIterator<Item = T>,
        N::IntoIter: Send + 'static,
        T: Serialize + Send + 'static,
    {
        let started = self.client.monotonic();
        let mut parts = Vec::new();
        let mut first = 0;
        let mut stopped = None;
        loop {
            if self.left(started).is_zero() {
                let late = Error::new(ErrorKind::Unavailable, OPERATION, "the deadline came before all rows were sent");
                stopped = Some(late.with_retry(Retry::After(None)).with_context("row", first));
                break;
            }
            let teller = PartTeller { source: Arc::clone(&source), first };
            match self.send_part(&builder, teller).await {
                Ok((mut part, closed)) => {
                    let more = part.more;
                    first = part.next;
                    let refused = std::mem::take(&mut part.refused);
                    self.pass(refused.into_iter().map(|(row, error)| (row, RowOutcome::Failed(error))).collect()).await;
                    parts.push((part, closed));
                    if !more {
                        break;
                    }
                }
                Err(error) => {
                    stopped = Some(error.with_context("row", first));
                    break;
                }
            }
        }
        self.report.rows = first;
        for (mut part, closed) in parts {
            let Some((job, closed)) = closed else { continue };
            let ended = self.end(&job, closed, self.left(started)).await;
            let teller = PartTeller { source: Arc::clone(&source), first: part.first };
            let (marks, next) = (std::mem::replace(&mut part.marks, Marks::new(Vec::new(), 0)), part.next);
            // Made while the org looks for the results.
            let table = tokio::task::spawn_blocking(move || teller.table(marks, next));
            match ended {
                Ok(info) => self.join(&job, info, &part, table).await?,
                Err(outcome) => self.rest(&part, &settled(table).await?, &outcome).await,
            }
        }
        self.report.failed += source.refusals.rows();
        stopped.map_or(Ok(self.report), Err)
    }

    /// What is left of the time.
    fn left(&self, started: Duration) -> Duration {
        self.deadline.saturating_sub(self.client.monotonic().saturating_sub(started))
    }

    /// Waits for the end of a job that was to be closed; or tells what that makes of all its rows.
    async fn end(&self, job: &BulkJob, closed: Result<()>, left: Duration) -> std::result::Result<JobInfo, RowOutcome> {
        let open = match closed {
            Ok(()) => None,
            Err(error) if error.effect() == Effect::None && !job::passes(&error) => {
                // It is open and stays so: should this fail, it ends by itself.
                let _ = job::abort(&self.client, job).await;
                return Err(RowOutcome::Unprocessed(error.with_context("job", job.id)));
            }
            Err(error) => Some(error),
        };
        let error = match job::ended_and_closed(&self.client, job, left, self.looks, open.is_none()).await {
            Ok(info) => return Ok(info),
            Err(error) => error.with_context("job", job.id),
        };
        match open {
            Some(open) if self.abort_open(job).await => Err(RowOutcome::Unprocessed(open.with_context("job", job.id))),
            _ => Err(RowOutcome::Unknown(error)),
        }
    }

    /// Aborts a job if it is still open; tells whether it was, so that nothing of it was processed.
    async fn abort_open(&self, job: &BulkJob) -> bool {
        let open = job::info(&self.client, job).await.is_ok_and(|info| info.state == JobState::Open);
        open && job::abort(&self.client, job).await.is_ok()
            && job::info(&self.client, job).await.is_ok_and(|info| info.number_records_processed.unwrap_or(0) == 0)
    }

    /// Takes the rows of one job to the org; tells the job and whether it was closed. There is none where no row could be sent.
    async fn send_part<T: Teller<Told = Part>>(
        &self,
        builder: &IngestBuilder,
        teller: T,
    ) -> Result<(Part, Option<(BulkJob, Result<()>)>)> {
        let ready = Ready::new(teller).await?;
        if ready.told(|part| part.uploaded.rows) == Some(0) {
            let part = ready.into_told();
            return part
                .map(|part| (part, None))
                .ok_or_else(|| Error::new(ErrorKind::Unexpected, OPERATION, "rows that were told are gone"));
        }
        let job: IngestJob = builder.create().await?;
        let handle = job.job().clone();
        lock(&self.jobs).push(handle.clone());
        match ready.send(&self.client, &handle, builder.form.content_length).await {
            Ok(part) => {
                let closed = job.close().await.map(drop);
                Ok((part, Some((handle, closed))))
            }
            Err(error) => {
                // It was never closed, so nothing of it was processed; should this fail, it ends by itself.
                let _ = job.abort().await;
                Err(error.with_effect(Effect::None))
            }
        }
    }

    async fn pass(&mut self, batch: Vec<(u64, RowOutcome)>) {
        self.report.count(&batch);
        if !batch.is_empty() {
            // Nobody listens any more: then nobody waits for the rest either.
            let _ = self.sender.send(batch).await;
        }
    }

    /// All rows of a part that have no result yet.
    async fn rest(&mut self, part: &Part, joined: &Joined, outcome: &RowOutcome) {
        let mut rest = joined.rest().map(|row| part.first + u64::from(row)).peekable();
        while rest.peek().is_some() {
            let batch = rest.by_ref().take(BATCH).map(|row| (row, outcome.clone())).collect();
            self.pass(batch).await;
        }
    }

    /// Joins the results of a job that has ended to its rows.
    async fn join(
        &mut self,
        job: &BulkJob,
        info: JobInfo,
        part: &Part,
        table: JoinHandle<Result<Joined>>,
    ) -> Result<()> {
        let ended = info.clone().completed().err().unwrap_or_else(|| {
            Error::new(ErrorKind::Conflict, "bulk.job", "the job ended without looking at the row")
                .with_context("job", job.id)
        });
        let complete = info.state == JobState::JobComplete;
        let (saved, failed) = info.counts();
        let unprocessed = info.number_records_processed.and_then(|processed| part.uploaded.rows.checked_sub(processed));
        let files =
            [(ResultFile::Successful, saved), (ResultFile::Failed, failed), (ResultFile::Unprocessed, unprocessed)];
        // What has no rows costs no call. Only a job that is complete is believed.
        let mut files = files.into_iter().filter(|(_, announced)| !complete || *announced != Some(0));
        let mut wrong = None;
        let mut opened = self.next_file(job, complete, &mut files).await;
        let mut joined = settled(table).await?;
        while let Some((file, download)) = opened {
            let read;
            (joined, read) = match download {
                Ok(download) => self.join_file(job, file, download, &ended, part, joined).await?,
                Err(error) => (joined, Err(error)),
            };
            wrong = read.err().or(wrong);
            opened = self.next_file(job, complete, &mut files).await;
        }
        let error = wrong.unwrap_or_else(|| {
            Error::new(ErrorKind::Unexpected, OPERATION, "the row is in none of the job's results")
                .with_effect(Effect::Unknown)
                .with_advice("batches beyond the daily allocation of the org are not processed")
                .with_context("job", job.id)
        });
        self.rest(part, &joined, &RowOutcome::Unknown(error)).await;
        self.report.jobs.push(info);
        Ok(())
    }

    async fn next_file(
        &self,
        job: &BulkJob,
        complete: bool,
        files: &mut (dyn Iterator<Item = (ResultFile, Option<u64>)> + Send),
    ) -> Option<(ResultFile, Result<Download>)> {
        let (file, announced) = files.next()?;
        // Rows may be in none of the files: those of batches beyond the daily allocation.
        let announced = announced.filter(|_| complete && !matches!(file, ResultFile::Unprocessed));
        let download = results::open(&self.client, job, file).await;
        Some((file, download.map(|download| download.expecting(announced))))
    }

    /// Joins one file, on a thread of its own: there is as much to do for a row as for reading it.
    async fn join_file(
        &mut self,
        job: &BulkJob,
        file: ResultFile,
        mut download: Download,
        ended: &Error,
        part: &Part,
        mut joined: Joined,
    ) -> Result<(Joined, Result<()>)> {
        // What arrives at once is several blocks.
        let (sender, blocks) = mpsc::channel(8);
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            while let Some(block) = download.next().await.transpose() {
                let last = block.is_err();
                if sender.send(block).await.is_err() || last {
                    return;
                }
            }
        });
        let mut work = FileJoin {
            job: job.id,
            file,
            ended: ended.clone(),
            first: part.first,
            columns: part.columns.clone(),
            sender: self.sender.clone(),
            report: BulkReport::default(),
        };
        let joining = tokio::task::spawn_blocking(move || {
            let read = work.run(blocks, &mut joined);
            (joined, work.report, read)
        });
        let (joined, counts, read) = joining
            .await
            .map_err(|_| Error::new(ErrorKind::Unexpected, OPERATION, "the task that joins results has panicked"))?;
        self.report.add(&counts);
        Ok((joined, read))
    }
}

/// The results of one file on their way to their rows.
struct FileJoin {
    job: RecordId,
    file: ResultFile,
    /// Why rows were not processed.
    ended: Error,
    first: u64,
    columns: Vec<String>,
    sender: mpsc::Sender<Vec<(u64, RowOutcome)>>,
    /// What came of them.
    report: BulkReport,
}

impl FileJoin {
    /// Runs where it may block.
    fn run(&mut self, mut blocks: mpsc::Receiver<Result<Block>>, joined: &mut Joined) -> Result<()> {
        let mut places = None;
        while let Some(block) = blocks.blocking_recv().transpose()? {
            let header = block.header();
            let found = match places.take() {
                Some(places) => Some(places),
                None => Places::of(header, &self.columns, joined.keys()),
            };
            let lacking = || results::wrong("a result file lacks a key column").with_context("job", self.job);
            let places = places.insert(found.ok_or_else(lacking)?);
            let verdicts = Verdicts::of(header);
            let mut batch = Vec::with_capacity(block.len());
            for row in block.rows() {
                let Some(number) = joined.take(row, places) else {
                    self.report.unmatched += 1;
                    continue;
                };
                let outcome = match self.file {
                    ResultFile::Successful => match verdicts.saved(row) {
                        Ok((id, created)) => RowOutcome::Saved { id, created },
                        Err(error) => RowOutcome::Unknown(error),
                    },
                    ResultFile::Failed => RowOutcome::Failed(verdicts.error(row)),
                    ResultFile::Unprocessed => RowOutcome::Unprocessed(self.ended.clone()),
                };
                batch.push((self.first + u64::from(number), outcome));
            }
            self.report.count(&batch);
            if !batch.is_empty() {
                // Nobody listens any more: then nobody waits for the rest either.
                let _ = self.sender.blocking_send(batch);
            }
        }
        Ok(())
    }
}

async fn settled(table: JoinHandle<Result<Joined>>) -> Result<Joined> {
    table.await.map_err(|_| Error::new(ErrorKind::Unexpected, OPERATION, "the rows' own iterator has panicked"))?
}
