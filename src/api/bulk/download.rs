//! A result file on its way: read in blocks, and asked for again where it breaks off.

use std::collections::VecDeque;
use std::fmt;

use flate2::Crc;
use futures_util::StreamExt;

use super::{Block, Delimiter, Header};
use crate::client::{ApiRequest, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Body, ByteStream, HeaderMap, header};
use crate::types::RecordId;
use crate::types::wire::csv::Parser;

/// What Bulk API 1.0 was seen to write in place of a header where a query had no rows.
const NO_RECORDS: &str = "Records not found for this query";

/// What a result file of an ingest job starts with; the delimiter is behind it.
const FIRST_COLUMN: &[u8] = b"\"sf__Id\"";

/// Bytes of empty lines in a row at most; the org writes none.
const MAX_BLANK: u64 = 1024 * 1024;

/// What the headers say of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Its rows.
    pub(super) records: Option<u64>,
    /// Where the next page is. The org writes the word `null` where there is none.
    pub(super) locator: Option<String>,
}

impl Head {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        Self {
            records: text("sforce-numberofrecords").and_then(|number| number.parse().ok()),
            locator: text("sforce-locator").filter(|word| !word.is_empty() && *word != "null").map(str::to_owned),
        }
    }
}

/// One result file.
///
/// Where it breaks off it is asked for again, as the client's retry policy says, and read from where it was: results are
/// stable while the job exists. What was read before is compared by its checksum, so that no row comes twice or is lost
/// should the org write the file anew.
pub(super) struct Download {
    client: Client,
    request: ApiRequest,
    operation: &'static str,
    job: RecordId,
    parser: Parser,
    /// Whether the delimiter may be another one than was said.
    sniff: bool,
    /// The start of the file, until there is enough of it to tell the delimiter.
    start: Vec<u8>,
    head: Head,
    /// Rows that the job itself announces.
    expected: Option<u64>,
    body: Option<ByteStream>,
    /// Bytes that were announced for the attempt, if they were.
    length: Option<u64>,
    /// Whether the end of the body is told by something else than the end of the connection.
    framed: bool,
    /// Bytes of this attempt.
    received: u64,
    /// Bytes that the parser has had, and their checksum.
    consumed: u64,
    sum: Crc,
    /// Of these the last ones, which were empty lines.
    blank: u64,
    /// Checksum of the bytes of this attempt that the parser has had in an earlier one.
    again: Crc,
    ready: Vec<Block>,
    queue: VecDeque<Block>,
    done: bool,
    /// What ended it; told again to those who go on asking.
    failed: Option<Error>,
    /// How often it broke off without having come further.
    broken: u32,
}

impl Download {
    /// Asks for the file, and waits for its headers.
    pub(super) async fn open(
        client: &Client,
        operation: &'static str,
        job: RecordId,
        path: &str,
        delimiter: Delimiter,
    ) -> Result<Self> {
        let request = ApiRequest::get(operation, path).accept("text/csv").context("job", job);
        let mut download = Self {
            client: client.clone(),
            request,
            operation,
            job,
            parser: Parser::new(delimiter),
            sniff: false,
            start: Vec::new(),
            head: Head::default(),
            expected: None,
            body: None,
            length: None,
            framed: false,
            received: 0,
            consumed: 0,
            sum: Crc::new(),
            blank: 0,
            again: Crc::new(),
            ready: Vec::new(),
            queue: VecDeque::new(),
            done: false,
            failed: None,
            broken: 0,
        };
        download.head = download.attempt().await?;
        Ok(download)
    }

    /// Takes the delimiter from the file, which tells it behind its first column, `"sf__Id"`: nobody says whether the results of a
    /// job have the delimiter of its rows.
    pub(super) fn sniffing(mut self) -> Self {
        self.sniff = true;
        self
    }

    /// Says how many rows there are, where the headers do not.
    pub(super) fn expecting(mut self, rows: Option<u64>) -> Self {
        self.expected = rows;
        self
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// The columns, once the first line was read; `None` for a file without rows that names none.
    pub(super) fn header(&self) -> Option<&std::sync::Arc<Header>> {
        self.parser.header().filter(|header| !header.names().eq([NO_RECORDS]))
    }

    /// Rows handed out or waiting.
    pub(super) fn rows(&self) -> u64 {
        self.parser.rows()
    }

    async fn attempt(&mut self) -> Result<Head> {
        let answer = self.client.open(self.request.clone()).await?;
        let head = Head::of(&answer.headers);
        let chunked = answer.headers.get(header::TRANSFER_ENCODING).is_some();
        (self.body, self.length) = match answer.body {
            Body::Bytes(bytes) => {
                let length = bytes.len() as u64;
                (Some(futures_util::stream::iter([Ok(bytes)]).boxed()), Some(length))
            }
            Body::Stream { chunks, length } => (Some(chunks), length),
        };
        self.framed = chunked || self.length.is_some();
        self.received = 0;
        self.again = Crc::new();
        self.start.clear();
        Ok(head)
    }

    /// The next rows; `None` after the last ones. An error stays.
    pub(super) async fn next(&mut self) -> Result<Option<Block>> {
        loop {
            if let Some(block) = self.queue.pop_front() {
                return Ok(Some(block));
            }
            if let Some(error) = &self.failed {
                return Err(error.clone());
            }
            if self.done {
                return Ok(None);
            }
            let advanced = match self.advance().await {
                Err(error) if error.kind() == ErrorKind::Transport => self.resume(error).await,
                other => other,
            };
            self.queue.extend(self.ready.drain(..));
            self.failed = advanced.err().map(|error| self.named(error));
        }
    }

    async fn advance(&mut self) -> Result<()> {
        let Some(body) = self.body.as_mut() else { return Err(Error::cut_off()) };
        match body.next().await {
            Some(chunk) => self.take(&chunk?),
            None => self.end(),
        }
    }

    fn take(&mut self, mut chunk: &[u8]) -> Result<()> {
        let known = usize::try_from(self.consumed.saturating_sub(self.received)).unwrap_or(usize::MAX);
        self.received += chunk.len() as u64;
        if known > 0 {
            let (before, behind) = chunk.split_at(known.min(chunk.len()));
            self.again.update(before);
            if before.len() == known && self.again.sum() != self.sum.sum() {
                return Err(Error::new(ErrorKind::Decode, "", "a file that broke off reads otherwise the second time"));
            }
            chunk = behind;
        }
        if chunk.is_empty() {
            return Ok(());
        }
        if self.sniff && self.consumed == 0 {
            self.start.extend_from_slice(chunk);
            return if self.start.len() > FIRST_COLUMN.len() { self.begin() } else { Ok(()) };
        }
        self.read(chunk)
    }

    /// Reads what was held back.
    fn begin(&mut self) -> Result<()> {
        let start = std::mem::take(&mut self.start);
        let behind = start.strip_prefix(FIRST_COLUMN).and_then(|rest| rest.first());
        if let Some(delimiter) = Delimiter::ALL.into_iter().find(|delimiter| Some(&delimiter.as_byte()) == behind) {
            self.parser = Parser::new(delimiter);
        }
        self.read(&start)
    }

    fn read(&mut self, chunk: &[u8]) -> Result<()> {
        let rows = self.parser.rows();
        self.parser.feed(chunk, &mut self.ready)?;
        self.sum.update(chunk);
        self.consumed += chunk.len() as u64;
        if !self.ready.is_empty() {
            self.broken = 0;
        }
        self.check_amount()?;
        self.blank =
            if self.parser.is_between() && self.parser.rows() == rows { self.blank + chunk.len() as u64 } else { 0 };
        if self.blank > MAX_BLANK {
            return Err(
                Error::new(ErrorKind::Decode, "", "a file of empty lines").with_context("limit_bytes", MAX_BLANK)
            );
        }
        Ok(())
    }

    fn announced(&self) -> Option<u64> {
        self.head.records.or(self.expected)
    }

    /// Sees that there are not more rows than announced, while they come: a file may have no end.
    fn check_amount(&self) -> Result<()> {
        match self.announced() {
            Some(announced) if self.parser.rows() > announced => {
                let error = Error::new(ErrorKind::Decode, "", "the rows of a file are not as many as announced");
                Err(self.miscounted(error, announced))
            }
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> Result<()> {
        let short = self.received < self.consumed || self.length.is_some_and(|length| length != self.received);
        if short {
            return Err(Error::cut_off());
        }
        if !self.start.is_empty() {
            self.begin()?;
        }
        let announced = self.announced();
        if self.consumed > 0 {
            // A last row without line ending is believed where nothing says that it is not the last one, and HTTP tells that the
            // body is whole. The number of rows alone does not: the first half of a doubled quote looks like the end of a cell.
            let last = announced.is_none_or(|announced| self.parser.rows() + 1 >= announced);
            let whole = (self.framed && last) || announced == Some(0);
            self.parser.finish(whole, &mut self.ready)?;
        }
        self.check_amount()?;
        match announced {
            Some(announced) if self.parser.rows() < announced => Err(self.miscounted(Error::cut_off(), announced)),
            _ => {
                self.done = true;
                self.body = None;
                Ok(())
            }
        }
    }

    fn miscounted(&self, error: Error, announced: u64) -> Error {
        error.with_context("announced", announced).with_context("rows", self.parser.rows())
    }

    async fn resume(&mut self, error: Error) -> Result<()> {
        self.body = None;
        self.broken += 1;
        self.client.before_resuming(error, self.broken).await?;
        if self.attempt().await? == self.head {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Decode, "", "a file that broke off is another one the second time"))
    }

    fn named(&self, error: Error) -> Error {
        // What comes from a call has its name and the job already.
        if error.operation().is_empty() {
            error.with_operation(self.operation).with_context("job", self.job)
        } else {
            error
        }
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Download({}, {} rows)", self.job, self.rows())
    }
}
