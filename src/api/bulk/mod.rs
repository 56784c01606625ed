//! Bulk API 2.0: rows by the million, both ways, at constant memory.
//!
//! - [`Client::bulk_ingest`](crate::Client::bulk_ingest) makes an [`IngestJob`], step by step: create, upload, close, wait, results.
//! - [`IngestBuilder::write`] does all of it: any number of rows in as many jobs as they need, and one [`RowOutcome`] for each.
//! - [`Client::bulk_query`](crate::Client::bulk_query) makes a [`QueryJob`], whose [`BulkRows`] come in blocks that typed rows borrow from.
//! - [`BulkJob`] is a job as data: write it down, and go on with it in another process.
//!
//! Sources: Bulk API 2.0 and Bulk API Developer Guide; recorded jobs.

mod download;
mod info;
mod ingest;
mod job;
mod join;
mod list;
mod pages;
mod query;
mod refusals;
mod results;
mod rows;
mod upload;
mod write;

pub use self::info::{BulkJob, JobInfo, JobKind, JobState};
pub use self::ingest::{IngestBuilder, IngestJob, IngestOperation, MAX_UPLOAD_BYTES};
pub use self::list::JobList;
pub use self::query::{QueryBuilder, QueryJob};
pub use self::results::{FailedRow, ResultRows, SavedRow};
pub use self::rows::{BulkCursor, BulkRows, TypedRows};
pub use self::upload::Uploaded;
pub use self::write::{BulkReport, RowOutcome, RowOutcomes};
pub use crate::types::wire::csv::{Block, Column, CsvWriter, Decoded, Delimiter, Header, LineEnding, Row, Rows};
