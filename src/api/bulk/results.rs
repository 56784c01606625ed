//! The result files of an ingest job.

use std::collections::VecDeque;
use std::fmt;

use super::download::Download;
use super::info::BulkJob;
use super::{Block, Header, Row};
use crate::client::{Client, record_error};
use crate::error::{ApiError, Error, ErrorKind, Result};
use crate::types::{Record, RecordId};

const ID: &str = "sf__Id";
const CREATED: &str = "sf__Created";
const ERROR: &str = "sf__Error";

/// A row that was saved.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SavedRow {
    /// The record's id.
    pub id: RecordId,
    /// Whether it was created by this row.
    pub created: bool,
    /// The row's cells as texts, as the org has read them: a number may be written another way than it was sent.
    pub record: Record,
}

/// A row that was refused.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedRow {
    /// The record's id, where there is one (API 53.0 and later).
    pub id: Option<RecordId>,
    /// Why, of the same kind as a refused record of other APIs.
    pub error: Error,
    /// The row's cells as texts, as the org has read them.
    pub record: Record,
}

/// Which file.
#[derive(Clone, Copy)]
pub(super) enum ResultFile {
    Successful,
    Failed,
    Unprocessed,
}

impl ResultFile {
    fn path(self) -> &'static str {
        match self {
            Self::Successful => "successfulResults/",
            Self::Failed => "failedResults/",
            Self::Unprocessed => "unprocessedrecords/",
        }
    }
}

pub(super) async fn open(client: &Client, job: &BulkJob, file: ResultFile) -> Result<Download> {
    let path = format!("{}/{}", job.path(), file.path());
    Ok(Download::open(client, "bulk.results", job.id, &path, job.delimiter).await?.sniffing())
}

/// Reads the columns that the org puts before those of the row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdicts {
    id: Option<usize>,
    created: Option<usize>,
    error: Option<usize>,
}

impl Verdicts {
    pub(super) fn of(header: &Header) -> Self {
        Self { id: header.position(ID), created: header.position(CREATED), error: header.position(ERROR) }
    }

    #[inline]
    pub(super) fn id(self, row: Row<'_>) -> Result<Option<RecordId>> {
        match self.id.map(|column| row.get(column)).filter(|id| !id.is_empty()) {
            Some(id) => record_id(id).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    pub(super) fn saved(self, row: Row<'_>) -> Result<(RecordId, bool)> {
        let id = self.id.map(|column| row.get(column)).unwrap_or_default();
        if id.is_empty() {
            return Err(wrong("a row that was saved has no id"));
        }
        let id = record_id(id)?;
        let created = self
            .created
            .map(|column| row.get(column))
            .ok_or_else(|| wrong("a row that was saved has no sf__Created"))?;
        Ok((id, created.eq_ignore_ascii_case("true")))
    }

    pub(super) fn error(self, row: Row<'_>) -> Error {
        let words = self.error.map(|column| row.get(column)).unwrap_or_default();
        record_error("bulk.row", vec![row_error(words)])
    }
}

fn record_id(id: &str) -> Result<RecordId> {
    RecordId::new(id).map_err(|error| wrong("a result has no id of a record").with_source(error))
}

pub(super) fn wrong(message: &'static str) -> Error {
    Error::new(ErrorKind::Decode, "bulk.results", message)
}

/// Reads `CODE:words:FIELD1,FIELD2 --`. The words may have colons of their own (recorded).
fn row_error(words: &str) -> ApiError {
    let (code, rest) = words.split_once(':').unwrap_or((words, ""));
    let (message, fields) = match rest.strip_suffix("--").and_then(|rest| rest.rsplit_once(':')) {
        Some((message, fields)) => (message, fields),
        None => (rest.strip_suffix("--").unwrap_or(rest), ""),
    };
    let fields = fields.split(',').map(str::trim).filter(|field| !field.is_empty()).map(str::to_owned).collect();
    ApiError::new(code.trim(), message.trim(), fields)
}

fn record(row: Row<'_>) -> Record {
    let mut record = row.to_record();
    for column in [ID, CREATED, ERROR] {
        record.remove(column);
    }
    record
}

pub(super) fn saved_row(row: Row<'_>) -> Result<SavedRow> {
    let (id, created) = Verdicts::of(row.header()).saved(row)?;
    Ok(SavedRow { id, created, record: record(row) })
}

pub(super) fn failed_row(row: Row<'_>) -> Result<FailedRow> {
    let verdicts = Verdicts::of(row.header());
    Ok(FailedRow { id: verdicts.id(row)?, error: verdicts.error(row), record: record(row) })
}

#[expect(clippy::unnecessary_wraps, reason = "as rows of the other files, which may be wrong")]
pub(super) fn unprocessed_row(row: Row<'_>) -> Result<Record> {
    Ok(record(row))
}

/// Rows of a result file, in the org's order, which is not that of the input.
///
/// Memory holds one block of them. A file that breaks off is asked for again and read on from where it was.
pub struct ResultRows<T> {
    download: Download,
    read: fn(Row<'_>) -> Result<T>,
    rows: VecDeque<Result<T>>,
}

impl<T> ResultRows<T> {
    pub(super) fn new(download: Download, read: fn(Row<'_>) -> Result<T>) -> Self {
        Self { download, read, rows: VecDeque::new() }
    }

    /// The next row; `None` after the last one.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::open`]; [`ErrorKind::Decode`] for what is no result file. After an error of the file it comes
    /// again, after one of a row the next one does.
    pub async fn try_next(&mut self) -> Result<Option<T>> {
        loop {
            if let Some(row) = self.rows.pop_front() {
                return row.map(Some);
            }
            let Some(block) = self.download.next().await? else { return Ok(None) };
            self.rows.extend(block.rows().map(self.read));
        }
    }

    /// The rest of a block's rows as texts, with the org's columns `sf__Id`, `sf__Created` or `sf__Error` before those of the input: for
    /// those who read millions. Rows that [`try_next`](Self::try_next) has read ahead are not among them, so use one of the two.
    ///
    /// # Errors
    ///
    /// As for [`try_next`](Self::try_next).
    pub async fn next_block(&mut self) -> Result<Option<Block>> {
        self.download.next().await
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
}

impl<T> fmt::Debug for ResultRows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResultRows({:?})", self.download)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_rows_are_read_with_code_words_and_fields() {
        let cases = [
            // recorded: bulk2/info-partial-failure.csv
            (
                "INVALID_FIELD:Failed to deserialize field at col 3. Due to, 'x' is not a valid value for the type xsd:date:CloseDate --",
                (
                    "INVALID_FIELD",
                    "Failed to deserialize field at col 3. Due to, 'x' is not a valid value for the type xsd:date",
                ),
                &["CloseDate"][..],
            ),
            (
                "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName, Company]:LastName,Company --",
                ("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]"),
                &["LastName", "Company"],
            ),
            (
                "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--",
                ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"),
                &[],
            ),
            ("DUPLICATE_VALUE:no fields at all", ("DUPLICATE_VALUE", "no fields at all"), &[]),
            ("SOMETHING", ("SOMETHING", ""), &[]),
            ("", ("", ""), &[]),
        ];
        for (words, (code, message), fields) in cases {
            let error = row_error(words);
            assert_eq!((error.code.as_str(), error.message.as_str()), (code, message), "{words}");
            assert_eq!(error.fields, fields, "{words}");
        }
        assert_eq!(record_error("x", vec![row_error(cases[2].0)]).kind(), ErrorKind::RowLocked);
    }
}
