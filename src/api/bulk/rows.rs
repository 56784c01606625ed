//! The rows of a query job, as they are read.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use futures_core::Stream;
use futures_util::stream;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::info::BulkJob;
use super::pages::{Begin, Page, Pages, Part, Place};
use super::{Block, Header};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::types::Record;
use crate::types::wire::FieldTypes;

/// Pages in a row without rows. A job without rows has one; whether a job cut by primary key has some nobody tells.
const MAX_EMPTY_PAGES: u32 = 100;

/// Where the reading of a job has got to: after a page that was read whole. Data, to be written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkCursor {
    job: BulkJob,
    at: At,
    rows: u64,
    header: Vec<String>,
    #[serde(default)]
    max_records: Option<u32>,
}

impl BulkCursor {
    /// The job.
    #[must_use]
    pub fn job(&self) -> &BulkJob {
        &self.job
    }

    /// Rows on the pages before it.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum At {
    /// Behind so many pages of the list, the last of which is this.
    Listed { pages: u64, last: String },
    /// At the page with this locator.
    Chained { locator: String },
}

/// How many rows there have to be.
pub(super) enum Expected {
    /// The job is complete, and the org does not say.
    Unknown,
    /// To be asked for: nobody knows whether the job is complete.
    Open,
    /// Asked for, not yet answered.
    Asked(oneshot::Receiver<Option<u64>>),
    Known(u64),
}

/// The rows of a query job, in order, in blocks of up to 64 KB.
///
/// Three pages at most are on their way at once, where the org lists them (API 58.0 and later), and are parsed in tasks of their
/// own; memory holds some megabytes of them, however large pages are. A page that breaks off is asked for again and read on from
/// where it was. What is announced is checked: the rows of each page, the rows of the job, the columns of each page.
///
/// Nothing is asked for before the first call. Dropping it abandons what is on its way.
pub struct BulkRows {
    client: Client,
    job: BulkJob,
    begin: Option<Begin>,
    max_records: Option<u32>,
    pages: Option<Pages>,
    page: Option<Page>,
    header: Option<Arc<Header>>,
    /// The columns of the pages before the cursor.
    before: Vec<String>,
    expected: Expected,
    /// Pages of the list that were read whole.
    listed: u64,
    rows: u64,
    /// Rows of the page in work.
    page_rows: u64,
    /// Pages in a row that had none.
    empty: u32,
    cursor: Option<BulkCursor>,
    ended: Option<Result<()>>,
}

impl BulkRows {
    pub(super) fn new(client: Client, job: BulkJob, expected: Expected) -> Self {
        Self {
            client,
            job,
            begin: Some(Begin::Start),
            max_records: None,
            pages: None,
            page: None,
            header: None,
            before: Vec::new(),
            expected,
            listed: 0,
            rows: 0,
            page_rows: 0,
            empty: 0,
            cursor: None,
            ended: None,
        }
    }

    pub(super) fn resume(client: Client, cursor: BulkCursor) -> Self {
        let mut rows = Self::new(client, cursor.job.clone(), Expected::Open);
        (rows.begin, rows.listed) = match &cursor.at {
            At::Listed { pages, last } => (Some(Begin::Listed { pages: *pages, last: last.clone() }), *pages),
            At::Chained { locator } => (Some(Begin::Chained { locator: locator.clone() }), 0),
        };
        rows.max_records = cursor.max_records;
        rows.rows = cursor.rows;
        rows.before.clone_from(&cursor.header);
        rows.cursor = Some(cursor);
        rows
    }

    /// Sets how many rows a page has at most; the org decides by default. Pages come one after the other then.
    #[must_use]
    pub fn page_size(mut self, rows: u32) -> Self {
        self.max_records = Some(rows);
        self
    }

    /// The columns; `None` before the first block, and for a job without rows that names none.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        self.header.as_deref()
    }

    /// Rows of the blocks so far, and of the pages before a cursor.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Where the reading has got to: after the last page that was read whole. `None` before the first page and after the
    /// last one.
    ///
    /// Rows of a page that was read in part come again after it: keep rows and cursor together, or make taking a row twice harmless.
    #[must_use]
    pub fn cursor(&self) -> Option<BulkCursor> {
        self.cursor.clone()
    }

    /// The next rows; `None` after the last ones.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::open`]; [`ErrorKind::Decode`] where rows are not as many as announced, columns change, or pages lead in a
    /// circle; [`ErrorKind::Conflict`] for a job that is not complete. After an error it comes again: go on from the
    /// [`cursor`](Self::cursor).
    pub async fn next_block(&mut self) -> Result<Option<Block>> {
        if let Some(ended) = &self.ended {
            return ended.clone().map(|()| None);
        }
        match self.advance().await {
            Ok(Some(block)) => Ok(Some(block)),
            Ok(None) => {
                self.ended = Some(Ok(()));
                self.cursor = None;
                self.pages = None;
                Ok(None)
            }
            Err(error) => {
                self.ended = Some(Err(error.clone()));
                self.pages = None;
                self.page = None;
                Err(error)
            }
        }
    }

    async fn advance(&mut self) -> Result<Option<Block>> {
        loop {
            let Some(page) = &mut self.page else {
                match self.next_page().await? {
                    Some(page) => self.page = Some(page),
                    None => return self.check_total().await.map(|()| None),
                }
                continue;
            };
            let part = page.parts.recv().await.unwrap_or_else(|| {
                Err(Error::new(
                    ErrorKind::Unexpected,
                    "bulk.rows",
                    "the task that reads a page has ended without a word",
                ))
            })?;
            match part {
                Part::Rows(block) => {
                    let header = Arc::clone(block.shared_header());
                    self.check_header(header)?;
                    self.rows += block.len() as u64;
                    self.page_rows += block.len() as u64;
                    self.hear_total();
                    if matches!(self.expected, Expected::Known(announced) if announced < self.rows) {
                        return self.check_total().await.map(|()| None);
                    }
                    return Ok(Some(block));
                }
                Part::End { header } => {
                    if let Some(header) = header {
                        self.check_header(header)?;
                    }
                    let rows = std::mem::take(&mut self.page_rows);
                    self.empty = if rows == 0 { self.empty + 1 } else { 0 };
                    if self.empty > MAX_EMPTY_PAGES {
                        return Err(self.wrong("pages without rows do not end"));
                    }
                    if let Some(page) = self.page.take() {
                        self.pass(page.place);
                    }
                }
            }
        }
    }

    async fn next_page(&mut self) -> Result<Option<Page>> {
        let pages = match &mut self.pages {
            Some(pages) => pages,
            none => {
                let begin = self.begin.take().unwrap_or(Begin::Start);
                let asked = if matches!(self.expected, Expected::Open) {
                    let (sender, answer) = oneshot::channel();
                    self.expected = Expected::Asked(answer);
                    Some(sender)
                } else {
                    None
                };
                none.insert(Pages::start(self.client.clone(), self.job.clone(), begin, self.max_records, asked))
            }
        };
        pages.arriving.recv().await.transpose()
    }

    /// Every page has the same columns.
    fn check_header(&mut self, header: Arc<Header>) -> Result<()> {
        match &self.header {
            Some(known) if Arc::ptr_eq(known, &header) || *known == header => return Ok(()),
            Some(_) => return Err(self.wrong("the columns of a page are others than those before")),
            None if !self.before.is_empty() && !header.names().eq(self.before.iter().map(String::as_str)) => {
                return Err(self.wrong("the columns of a page are others than those before"));
            }
            None => {}
        }
        self.header = Some(header);
        Ok(())
    }

    /// Moves the cursor past a page.
    fn pass(&mut self, place: Place) {
        let at = match place {
            Place::Listed(last) => {
                self.listed += 1;
                Some(At::Listed { pages: self.listed, last })
            }
            Place::Chained { next } => next.map(|locator| At::Chained { locator }),
        };
        let header = self
            .header
            .as_ref()
            .map_or_else(|| self.before.clone(), |header| header.names().map(str::to_owned).collect());
        let (job, rows, max_records) = (self.job.clone(), self.rows, self.max_records);
        self.cursor = at.map(|at| BulkCursor { job, at, rows, header, max_records });
    }

    /// Takes in how many rows there have to be, if that was told meanwhile.
    fn hear_total(&mut self) {
        if let Expected::Asked(answer) = &mut self.expected
            && let Ok(told) = answer.try_recv()
        {
            self.expected = told.map_or(Expected::Unknown, Expected::Known);
        }
    }

    async fn check_total(&mut self) -> Result<()> {
        if let Expected::Asked(answer) = &mut self.expected {
            self.expected = answer.await.ok().flatten().map_or(Expected::Unknown, Expected::Known);
        }
        match self.expected {
            Expected::Known(announced) if announced != self.rows => Err(self
                .wrong("the rows are not as many as the job says")
                .with_context("announced", announced)
                .with_context("rows", self.rows)),
            _ => Ok(()),
        }
    }

    fn wrong(&self, message: &'static str) -> Error {
        Error::new(ErrorKind::Decode, "bulk.rows", message).with_context("job", self.job.id)
    }

    /// The rows one by one, as any struct, map or tuple that owns its texts; see [`Block::decode`] for how they are read.
    #[must_use]
    pub fn typed<T: DeserializeOwned + Send + 'static>(self) -> TypedRows<T> {
        TypedRows { blocks: self, read: Arc::new(|block, rows| rows.extend(block.decode())), rows: VecDeque::new() }
    }

    /// The rows one by one, as records whose fields have these types. Fields that are not known are texts, and an empty cell is null.
    #[must_use]
    pub fn records(self, types: FieldTypes) -> TypedRows<Record> {
        let read = move |block: &Block, rows: &mut VecDeque<_>| {
            rows.extend(block.rows().map(|row| row.to_typed_record(&types)));
        };
        TypedRows { blocks: self, read: Arc::new(read), rows: VecDeque::new() }
    }
}

impl fmt::Debug for BulkRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkRows").field("job", &self.job.id).field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// Reads a block's rows.
type Read<T> = Arc<dyn Fn(&Block, &mut VecDeque<Result<T>>) + Send + Sync>;

/// The rows of a query job, one by one. See [`BulkRows::typed`] and [`BulkRows::records`].
pub struct TypedRows<T> {
    blocks: BulkRows,
    read: Read<T>,
    rows: VecDeque<Result<T>>,
}

impl<T> TypedRows<T> {
    /// The next row; `None` after the last one.
    ///
    /// # Errors
    ///
    /// Those of [`BulkRows::next_block`]; [`ErrorKind::Invalid`] for a row that does not fit its type, after which the next row
    /// can be read.
    pub async fn try_next(&mut self) -> Result<Option<T>> {
        loop {
            if let Some(row) = self.rows.pop_front() {
                return row.map(Some);
            }
            let Some(block) = self.blocks.next_block().await? else { return Ok(None) };
            (self.read)(&block, &mut self.rows);
        }
    }

    /// All rows at once. Memory holds them all.
    ///
    /// # Errors
    ///
    /// The first error.
    pub async fn collect(mut self) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while let Some(row) = self.try_next().await? {
            all.push(row);
        }
        Ok(all)
    }

    /// The blocks that the rows are read from, for its [`cursor`](BulkRows::cursor). Rows of the block in work are still to come.
    #[must_use]
    pub fn blocks(&self) -> &BulkRows {
        &self.blocks
    }

    /// As a stream, which ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<T>> + Send
    where
        T: Send,
    {
        stream::unfold(Some(self), |rows| async {
            let mut rows = rows?;
            match rows.try_next().await {
                Ok(Some(row)) => Some((Ok(row), Some(rows))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

impl<T> fmt::Debug for TypedRows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypedRows({:?})", self.blocks)
    }
}
