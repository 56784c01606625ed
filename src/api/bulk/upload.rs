//! Rows on their way to a job: told as often as attempts need, never all in memory.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Column, CsvWriter, Delimiter, LineEnding};
use crate::client::{ApiRequest, Client};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::http::{Body, HeaderValue};

use super::info::BulkJob;

/// Bytes of one chunk of an upload.
const CHUNK: usize = 128 * 1024;
/// Chunks that wait for being sent while the next ones are written.
const AHEAD: usize = 4;
/// Uploads of up to this many bytes are kept, so that their length is known.
const KEPT: usize = 2 * CHUNK;

const OPERATION: &str = "bulk.upload";

/// What an upload has taken to the org.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// Rows, without the header.
    pub rows: u64,
    /// Bytes of CSV.
    pub bytes: u64,
}

/// How the file of a job is written.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) delimiter: Delimiter,
    pub(super) line_ending: LineEnding,
    /// Those of the first row where none are given.
    pub(super) columns: Option<Vec<Column>>,
    /// Whether the length is always told, at the cost of writing the rows twice.
    pub(super) content_length: bool,
    /// Bytes of a job at most.
    pub(super) max_bytes: u64,
}

impl Form {
    pub(super) fn writer(&self) -> Result<CsvWriter> {
        match &self.columns {
            Some(columns) => CsvWriter::with_columns(self.delimiter, self.line_ending, columns),
            None => Ok(CsvWriter::new(self.delimiter, self.line_ending)),
        }
    }
}

/// Tells the rows of one job from their start, chunk by chunk, until the sink has had enough. Runs where it may block.
pub(super) trait Teller: Send + Sync + 'static {
    /// What is known once all is told.
    type Told: Send + 'static;

    /// Writes all rows; `false` of the sink says that nobody listens any more, which is an error then.
    fn tell(&self, sink: &mut dyn FnMut(Vec<u8>) -> bool) -> Result<Self::Told>;
}

/// Rows that can be told again, as one file.
pub(super) struct Replay<F> {
    pub(super) form: Form,
    pub(super) rows: F,
}

impl<F, I, T> Teller for Replay<F>
where
    F: Fn() -> I + Send + Sync + 'static,
    I: IntoIterator<Item = T>,
    T: Serialize,
{
    type Told = Uploaded;

    fn tell(&self, sink: &mut dyn FnMut(Vec<u8>) -> bool) -> Result<Uploaded> {
        let mut file = File::new(&self.form)?;
        for row in (self.rows)() {
            file.writer
                .push(&row)
                .map_err(|error| error.with_operation(OPERATION).with_context("row", file.told.rows))?;
            file.told.rows += 1;
            file.pass_on(sink)?;
            if file.bytes() > self.form.max_bytes {
                return Err(Error::new(ErrorKind::Invalid, OPERATION, "the rows are more than a job may have")
                    .with_context("limit_bytes", self.form.max_bytes)
                    .with_context("row", file.told.rows - 1)
                    .with_advice("use `IngestBuilder::write`, which makes as many jobs as it takes"));
            }
        }
        if file.told.rows == 0 {
            return Err(Error::new(ErrorKind::Invalid, OPERATION, "there are no rows"));
        }
        file.finish(sink)
    }
}

/// A file in the making.
pub(super) struct File {
    pub(super) writer: CsvWriter,
    pub(super) told: Uploaded,
}

impl File {
    pub(super) fn new(form: &Form) -> Result<Self> {
        Ok(Self { writer: form.writer()?, told: Uploaded { rows: 0, bytes: 0 } })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.told.bytes + self.writer.as_bytes().len() as u64
    }

    /// Passes a chunk on if there is one.
    pub(super) fn pass_on(&mut self, sink: &mut dyn FnMut(Vec<u8>) -> bool) -> Result<()> {
        if self.writer.as_bytes().len() < CHUNK { Ok(()) } else { self.pass(sink) }
    }

    fn pass(&mut self, sink: &mut dyn FnMut(Vec<u8>) -> bool) -> Result<()> {
        // Rows of common length do not make the next chunk grow.
        let chunk = self.writer.take_and_reserve(CHUNK + CHUNK / 16);
        self.told.bytes += chunk.len() as u64;
        if sink(chunk) { Ok(()) } else { Err(Error::new(ErrorKind::Unexpected, OPERATION, "the upload was given up")) }
    }

    pub(super) fn finish(mut self, sink: &mut dyn FnMut(Vec<u8>) -> bool) -> Result<Uploaded> {
        if !self.writer.as_bytes().is_empty() {
            self.pass(sink)?;
        }
        Ok(self.told)
    }
}

/// A telling on its way.
struct Telling {
    chunks: mpsc::Receiver<Result<Bytes>>,
}

/// Where the last telling that came to its end leaves what it knows.
type Slot<T> = Arc<Last<T>>;

struct Last<T> {
    told: Mutex<Option<T>>,
    /// The last telling.
    task: Mutex<Option<JoinHandle<()>>>,
}

impl<T> Last<T> {
    fn new() -> Self {
        Self { told: Mutex::new(None), task: Mutex::new(None) }
    }

    /// What is known of the rows, once they are all told. Who sends a body of known length does not wait for its end.
    async fn settled(&self) -> Option<T> {
        let task = lock(&self.task).take();
        if let Some(task) = task {
            // One that has panicked has told nothing.
            let _ = task.await;
        }
        lock(&self.told).take()
    }
}

fn lock<T>(slot: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Whole after every statement.
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Telling {
    fn start<T: Teller>(teller: &Arc<T>, slot: &Slot<T::Told>) -> Self {
        let (sender, chunks) = mpsc::channel(AHEAD);
        let (teller, last) = (Arc::clone(teller), Arc::clone(slot));
        let task = tokio::task::spawn_blocking(move || {
            let mut sink = |chunk: Vec<u8>| sender.blocking_send(Ok(chunk.into())).is_ok();
            match teller.tell(&mut sink) {
                Ok(told) => *lock(&last.told) = Some(told),
                // Nobody listens any more: then nobody waits for the error either.
                Err(error) => drop(sender.blocking_send(Err(error))),
            }
        });
        *lock(&slot.task) = Some(task);
        Self { chunks }
    }

    /// The first chunks: all there is, or a bit more than is kept.
    async fn head(&mut self) -> Result<(Vec<Bytes>, bool)> {
        let mut head = Vec::new();
        let mut size = 0;
        while size <= KEPT {
            match self.chunks.recv().await {
                Some(chunk) => {
                    let chunk = chunk?;
                    size += chunk.len();
                    head.push(chunk);
                }
                None => return Ok((head, true)),
            }
        }
        Ok((head, false))
    }

    fn into_body(mut self, head: Vec<Bytes>, length: Option<u64>) -> Body {
        let rest = stream::poll_fn(move |context| Pin::new(&mut self.chunks).poll_recv(context));
        Body::Stream { chunks: stream::iter(head.into_iter().map(Ok)).chain(rest).boxed(), length }
    }
}

/// A job's rows, ready to go: the first of them are written.
pub(super) struct Ready<T: Teller> {
    teller: Arc<T>,
    slot: Slot<T::Told>,
    first: Telling,
    head: Vec<Bytes>,
    /// Whether the head is all there is.
    whole: bool,
}

impl<T: Teller> Ready<T> {
    pub(super) async fn new(teller: T) -> Result<Self> {
        let (teller, slot) = (Arc::new(teller), Arc::new(Last::new()));
        let mut first = Telling::start(&teller, &slot);
        let (head, whole) = first.head().await?;
        Ok(Self { teller, slot, first, head, whole })
    }

    /// What is known of the rows, where they were so few that they are all told.
    pub(super) fn told<R>(&self, look: impl FnOnce(&T::Told) -> R) -> Option<R> {
        if self.whole { lock(&self.slot.told).as_ref().map(look) } else { None }
    }

    /// The same, without having sent anything.
    pub(super) fn into_told(self) -> Option<T::Told> {
        lock(&self.slot.told).take()
    }

    /// Takes a job's rows to the org.
    ///
    /// The answer may be lost after the rows have arrived. Then a second attempt is refused, since a job takes one file: that
    /// tells that the first one has arrived.
    pub(super) async fn send(self, client: &Client, job: &BulkJob, content_length: bool) -> Result<T::Told> {
        let Self { teller, slot, first, head, whole } = self;
        let media = HeaderValue::from_static("text/csv");
        let put = || ApiRequest::put(OPERATION, format!("{}/batches", job.path())).idempotent().context("job", job.id);
        let sent = if whole {
            client.send(put().body(media, head.concat())).await
        } else if content_length {
            drop((first, head));
            send_measured(client, put(), &teller, &slot).await
        } else {
            let first = Mutex::new(Some((first, head)));
            let again = (Arc::clone(&teller), Arc::clone(&slot));
            let request = put().body_from(media, move || match lock(&first).take() {
                Some((telling, head)) => telling.into_body(head, None),
                None => Telling::start(&again.0, &again.1).into_body(Vec::new(), None),
            });
            match client.send(request).await {
                // Nobody was seen to refuse chunks, but some server on the way may want to know the length.
                Err(error) if error.status() == Some(411) => send_measured(client, put(), &teller, &slot).await,
                other => other,
            }
        };
        match sent {
            Ok(_) => {}
            Err(error) if has_file_already(&error) => {
                if error.effect() != Effect::Unknown {
                    return Err(Error::new(ErrorKind::Conflict, OPERATION, "the job has its rows already")
                        .with_advice("close it")
                        .with_context("job", job.id)
                        .with_source(error));
                }
            }
            Err(error) => return Err(error),
        }
        slot.settled().await.ok_or_else(|| {
            Error::new(ErrorKind::Unexpected, OPERATION, "the org has answered before all rows were sent")
                .with_effect(Effect::Unknown)
                .with_context("job", job.id)
        })
    }
}

impl<T: Teller> fmt::Debug for Ready<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ready({} chunks)", self.head.len())
    }
}

/// As jsforce issue 1370 and a live test have it; the guide has no words for it.
fn has_file_already(error: &Error) -> bool {
    error.salesforce().iter().any(|error| error.message.contains("Found multiple contents for job"))
}

/// Tells the rows twice: to measure them, and to send them.
async fn send_measured<T: Teller>(
    client: &Client,
    put: ApiRequest,
    teller: &Arc<T>,
    slot: &Slot<T::Told>,
) -> Result<crate::client::ApiResponse> {
    let measured = Arc::clone(teller);
    let length = tokio::task::spawn_blocking(move || {
        let mut length = 0;
        let mut sink = |chunk: Vec<u8>| {
            length += chunk.len() as u64;
            true
        };
        measured.tell(&mut sink).map(|_| length)
    });
    let length = length
        .await
        .map_err(|_| Error::new(ErrorKind::Unexpected, OPERATION, "the rows' own iterator has panicked"))??;
    let (teller, slot) = (Arc::clone(teller), Arc::clone(slot));
    let make = move || Telling::start(&teller, &slot).into_body(Vec::new(), Some(length));
    client.send(put.body_from(HeaderValue::from_static("text/csv"), make)).await
}
