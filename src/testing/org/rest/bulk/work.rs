//! What an ingest job does to the org's records.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::super::collections::{comparable, key_of, unknown_id};
use super::super::records::typed_id;
use super::super::upsert::upsert_row;
use super::IngestFile;
use super::cells;
use super::csv::{Dialect, Malformed, Reader, check_header};
use super::header::{Column, is_id};
use super::job::{Change, Ingest, Job, JobState, Work};
use super::pace::Reach;
use crate::testing::org::data::{Data, Rights, Writer};
use crate::testing::org::duplicates::DuplicateOptions;
use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::schema::{Object, Schema};
use crate::testing::org::state::State;

/// Rows of a transaction (wire facts 3.1).
const CHUNK: usize = 200;

/// How far the processing of an upload is.
#[derive(Debug)]
pub(super) struct Progress {
    columns: Vec<Column>,
    /// The header as it came, cell by cell.
    names: Vec<String>,
    /// The byte of the first row that is not processed.
    at: usize,
    rows: usize,
    done: usize,
    failed: usize,
    successes: String,
    failures: String,
    /// The rest went beyond the day's batches and is in no file.
    beyond: bool,
}

impl Progress {
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.done, self.failed)
    }

    /// Reads the upload through once: its header, and whether all of it is CSV.
    // [K] That a bad row anywhere fails the job before the first one is written.
    fn begin(schema: &Schema, job: &Job, ingest: &Ingest) -> Result<Self, Malformed> {
        let broken = |text: String| Malformed(format!("InvalidBatch : {text}"));
        let object = schema.object(&job.object).ok_or_else(|| broken(format!("Unknown entity: {}", job.object)))?;
        let content = ingest.content.as_deref().unwrap_or_default();
        let text = std::str::from_utf8(content).map_err(|_| broken("The data is not UTF-8".to_owned()))?;
        let mut reader = Reader::new(text, 0, job.dialect);
        let mut cells: Vec<Cow<'_, str>> = Vec::new();
        if !reader.next(&mut cells)? {
            // [K] A job without data is done at once.
            cells.clear();
        }
        check_header(&text[..reader.at])?;
        let names: Vec<String> = cells.iter().map(|cell| cell.clone().into_owned()).collect();
        let mut columns: Vec<Column> = Vec::new();
        for name in &names {
            // recorded (wire facts 3.1)
            let column =
                Column::of(schema, object, name).ok_or_else(|| broken(format!("Field name not found : {name}")))?;
            if columns.iter().any(|known| known.member.eq_ignore_ascii_case(&column.member)) {
                // [K] The text.
                return Err(broken(format!("Duplicate field name : {name}")));
            }
            columns.push(column);
        }
        let deletes = matches!(ingest.change, Change::Delete | Change::HardDelete);
        if deletes && !columns.iter().all(is_id) {
            // [S] The text.
            return Err(broken(format!("The '{}' batch must contain only ids", ingest.change.name())));
        }
        let at = reader.at;
        let mut rows = 0;
        while reader.next(&mut cells)? {
            rows += 1;
            if cells.len() != names.len() {
                // [K] The text.
                let text = format!("Failed to parse CSV. Row {rows} has {} fields, not {}", cells.len(), names.len());
                return Err(broken(text));
            }
        }
        let (successes, failures) = (String::new(), String::new());
        Ok(Self { columns, names, at, rows, done: 0, failed: 0, successes, failures, beyond: false })
    }
}

/// Processes what an ingest job is due.
pub(super) fn advance(state: &mut State, job: &mut Job, reach: Reach) {
    let now = state.data.now();
    let view = state.view(&job.user);
    let dialect = job.dialect;
    let Work::Ingest(ingest) = &job.work else { return };
    if ingest.progress.is_none() {
        let begun = Progress::begin(&view.schema, job, ingest);
        let Work::Ingest(ingest) = &mut job.work else { return };
        match begun {
            Ok(progress) => ingest.progress = Some(Box::new(progress)),
            Err(Malformed(text)) => return job.fail(text, now),
        }
    }
    let Work::Ingest(ingest) = &mut job.work else { return };
    let Some(mut progress) = ingest.progress.take() else { return };
    // Jobs cannot pass `Sforce-Duplicate-Rule-Header`.
    let base = format!("/services/data/v{}.0", job.version);
    let (user, seen) = (job.user.clone(), Some(Arc::clone(&view)));
    let duplicates = DuplicateOptions::default();
    let writer = Writer { user, base, duplicates, rights: Rights::Api, view: seen };
    let goal = match reach {
        Reach::Queued => 0,
        // Whole chunks, so that the end is never seen early.
        Reach::Part(done, of) => portion(progress.rows, done, of) / CHUNK * CHUNK,
        Reach::End => progress.rows,
    };
    let stop = ingest.failure.as_ref().map_or(usize::MAX, |failure| failure.after_rows);
    let mut end = None;
    // Batches run side by side (bulk guide, "concurrencyMode"): one holds its locks while the next one is written.
    let mut held = Vec::new();
    while progress.done < goal.min(stop) && end.is_none() {
        if progress.done.is_multiple_of(state.bulk.settings.batch_rows) && !state.bulk.batches.take(now) {
            // Their rows are in none of the files (wire facts 3.1). [K] That the job fails, and the text.
            progress.beyond = true;
            end = Some("ExceededQuota : The 24-hour allocation of batches is used up".to_owned());
            break;
        }
        let batch = state.bulk.settings.batch_rows;
        if progress.done.is_multiple_of(batch) {
            state.data.locks.release(&held);
            held = state.data.locks.hold();
        }
        let to_batch_end = batch - progress.done % batch;
        let size = CHUNK.min(to_batch_end).min(goal.min(stop) - progress.done);
        let object = view.schema.object(&job.object);
        let chunk =
            Chunk { schema: &view.schema, object, ingest, writer: &writer, dialect, with_id: job.version >= 53 };
        chunk.process(&state.schema, &mut state.data, &mut progress, size);
    }
    state.data.locks.release(&held);
    if let Some(failure) = ingest.failure.as_ref().filter(|_| progress.done >= stop || reach == Reach::End) {
        end = Some(failure.message.clone());
    }
    let whole = progress.done == progress.rows;
    ingest.progress = Some(progress);
    match end {
        Some(text) => job.fail(text, now),
        None if whole && reach == Reach::End => job.enter(JobState::JobComplete, now),
        None => job.changed = now,
    }
}

fn portion(rows: usize, done: u64, of: u64) -> usize {
    let part = rows as u128 * u128::from(done) / u128::from(of.max(1));
    usize::try_from(part).unwrap_or(rows)
}

/// Rows that are written in one transaction.
struct Chunk<'c> {
    /// The org as the job's user sees it.
    schema: &'c Schema,
    object: Option<&'c Object>,
    ingest: &'c Ingest,
    writer: &'c Writer,
    dialect: Dialect,
    /// `sf__Id` of failed rows is there from 53.0 on (wire facts 3.1).
    with_id: bool,
}

/// A row that is written: its id, and whether it was created. Else the id it named, if any, and why not.
type Written = Result<(String, bool), (String, Box<ApiError>)>;

impl Chunk<'_> {
    fn process(&self, schema: &Schema, data: &mut Data, progress: &mut Progress, size: usize) {
        let content = self.ingest.content.as_deref().unwrap_or_default();
        // It was read through before.
        let Some(text) = content.get(progress.at..).and_then(|rest| std::str::from_utf8(rest).ok()) else { return };
        let mut reader = Reader::new(text, 0, self.dialect);
        let mut cells = Vec::new();
        let mut seen = HashSet::new();
        let mut records: Vec<(bool, String)> = Vec::with_capacity(size);
        for _ in 0..size {
            if !matches!(reader.next(&mut cells), Ok(true)) {
                break;
            }
            let written = self.write(schema, data, progress, &cells, &mut seen);
            let mut record = String::new();
            let echo = progress.columns.iter().zip(&cells).map(|(column, cell)| cells::echo(&column.field, cell));
            let own = match &written {
                Ok((id, created)) => {
                    [Cow::Borrowed(id.as_str()), Cow::Borrowed(if *created { "true" } else { "false" })]
                }
                Err((id, error)) => {
                    [Cow::Borrowed(if self.with_id { id.as_str() } else { "" }), Cow::Owned(error_text(error))]
                }
            };
            self.dialect.push_record(&mut record, own.into_iter().chain(echo));
            progress.done += 1;
            progress.failed += usize::from(written.is_err());
            records.push((written.is_ok(), record));
        }
        progress.at += reader.at;
        // The order is not that of the input (wire facts 0, 15).
        for (success, record) in records.into_iter().rev() {
            if success { &mut progress.successes } else { &mut progress.failures }.push_str(&record);
        }
    }

    fn write(
        &self,
        schema: &Schema,
        data: &mut Data,
        progress: &Progress,
        cells: &[Cow<'_, str>],
        seen: &mut HashSet<String>,
    ) -> Written {
        let Some(object) = self.object else { return Err((String::new(), Box::new(ApiError::not_found()))) };
        let named = progress.columns.iter().zip(cells).find(|(column, _)| column.is("Id"));
        let named = named.map(|(_, cell)| cell.clone().into_owned()).filter(|id| !id.is_empty() && id != cells::NULL);
        let id = named.clone().unwrap_or_default();
        let members = members(progress, cells).map_err(|error| (id.clone(), Box::new(error)))?;
        let place = progress.done;
        // A chunk of 200 records is one transaction. [D] Bulk API 2.0 guide.
        let fault = self.ingest.row_fault.as_ref();
        fault
            .map_or(Ok(()), |fault| fault.check_row(place, 200, false, &Json::Object(members.clone())))
            .map_err(|error| (id.clone(), Box::new(error)))?;
        let wanted = || {
            let Some(id) = &named else {
                return Err(ApiError::row("MISSING_ARGUMENT", "Id not specified in an update call", []));
            };
            typed_id(object, id)
        };
        let without = |name: &str| -> Vec<(String, Json)> {
            members.iter().filter(|(key, _)| !key.eq_ignore_ascii_case(name)).cloned().collect()
        };
        let written = match self.ingest.change {
            Change::Insert if named.is_some() => {
                // [K] The text.
                let text = "cannot specify Id in an insert call";
                Err(ApiError::row("INVALID_FIELD_FOR_INSERT_UPDATE", text, ["Id"]))
            }
            Change::Insert => data.create(schema, self.writer, object, &members, None).map(|id| (id, true)),
            Change::Update => wanted().and_then(|id| {
                unknown_id(data.update(schema, self.writer, object, &id, &without("Id")))?;
                Ok((id, false))
            }),
            Change::Upsert => self.upsert(schema, data, object, &members, seen),
            Change::Delete | Change::HardDelete => wanted().and_then(|id| {
                unknown_id(data.delete(schema, self.writer, object, &id))?;
                if self.ingest.change == Change::HardDelete {
                    data.store.purge_row(&id);
                }
                Ok((id, false))
            }),
        };
        written.map_err(|error| (id, Box::new(error)))
    }

    fn upsert(
        &self,
        schema: &Schema,
        data: &mut Data,
        object: &Object,
        members: &[(String, Json)],
        seen: &mut HashSet<String>,
    ) -> Result<(String, bool), ApiError> {
        let name = self.ingest.external_id.as_deref().unwrap_or_default();
        let field = self.schema.object(&object.name).and_then(|object| object.field(name));
        let field = field.ok_or_else(|| {
            ApiError::row("INVALID_FIELD", format!("No such column '{name}' on sobject of type {}", object.name), [])
        })?;
        let given = members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let key = key_of(field, given)?;
        // [K] The second row of a key in one transaction is refused.
        if let Some(text) = comparable(field, &key).filter(|text| !seen.insert(text.clone())) {
            let message = format!("Duplicate external id specified: {text}");
            return Err(ApiError::row("DUPLICATE_VALUE", message, [&field.name]));
        }
        let rest: Vec<(String, Json)> =
            members.iter().filter(|(member, _)| !member.eq_ignore_ascii_case(name)).cloned().collect();
        upsert_row(schema, data, self.writer, object, (field, key), &rest)
    }
}

/// The body a row stands for: empty cells say nothing.
fn members(progress: &Progress, cells: &[Cow<'_, str>]) -> Result<Vec<(String, Json)>, ApiError> {
    let mut members = Vec::with_capacity(cells.len());
    for (place, (column, cell)) in progress.columns.iter().zip(cells).enumerate() {
        let value = match cell.as_ref() {
            "" => continue,
            cells::NULL => Json::Null,
            cell => cells::read(&column.field, place, cell)?,
        };
        members.push((column.member.clone(), column.value(value)));
    }
    Ok(members)
}

/// `CODE:message:fields --`
// recorded: bulk2/info-partial-failure.csv
fn error_text(error: &ApiError) -> String {
    let fields = error.fields.as_deref().unwrap_or_default().join(", ");
    let blank = if fields.is_empty() { "" } else { " " };
    format!("{}:{}:{fields}{blank}--", error.code, error.message)
}

/// One of the three files of a job that is over.
pub(super) fn file(job: &Job, ingest: &Ingest, file: IngestFile) -> String {
    let content = || String::from_utf8_lossy(ingest.content.as_deref().unwrap_or_default()).into_owned();
    let Some(progress) = &ingest.progress else {
        // [K] Of an upload that nobody has read: all of it is unprocessed, as it came.
        return if file == IngestFile::Unprocessed { content() } else { String::new() };
    };
    let header = |own: &[&str]| job.dialect.header(own, &progress.names);
    match file {
        IngestFile::Successful => header(&["sf__Id", "sf__Created"]) + &progress.successes,
        IngestFile::Failed => header(&["sf__Id", "sf__Error"]) + &progress.failures,
        IngestFile::Unprocessed => {
            let mut text = header(&[]);
            let content = content();
            let mut reader = Reader::new(&content, progress.at, job.dialect);
            let mut cells = Vec::new();
            while !progress.beyond && matches!(reader.next(&mut cells), Ok(true)) {
                let echo = progress.columns.iter().zip(&cells).map(|(column, cell)| cells::echo(&column.field, cell));
                job.dialect.push_record(&mut text, echo);
            }
            text
        }
    }
}
