//! Rows by one job of Bulk API 2.0.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use foldhash::{HashMap, HashSet, HashSetExt as _};
use serde::ser::{Error as _, Serialize, SerializeMap as _, Serializer};
use serde_json::value::RawValue;

use super::route::CALLS_OF_A_JOB;
use super::row::{Intake, Members, Name, Row, Target};
use crate::api::bulk::{BulkJob, Column, IngestOperation, JobState, RowOutcome};
use crate::client::Client;
use crate::error::{Error, ErrorKind};

/// How long a job may take. Salesforce tries parts of one again for hours; what it has not done by then, a person has to look at.
const DEADLINE: Duration = Duration::from_hours(6);

const ID: &str = "Id";

/// What became of a job's rows.
#[derive(Debug)]
pub(super) struct JobEnd {
    /// In the order of the rows; none for one that was not sent.
    pub(super) outcomes: Vec<Option<RowOutcome>>,
    /// What ended the work before all rows were sent.
    pub(super) error: Option<Error>,
    pub(super) fate: Fate,
}

/// What became of a job itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has ended: nothing of it happens any more.
    Over,
    /// Somebody has aborted it.
    Aborted,
    /// It may still be at work.
    Loose,
}

/// Rows with how they are told, as often as it takes.
struct Told {
    rows: Arc<Vec<Row>>,
    next: usize,
    by_id: bool,
}

impl Iterator for Told {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let place = self.next;
        self.next += 1;
        (place < self.rows.len()).then(|| Line { rows: Arc::clone(&self.rows), place, by_id: self.by_id })
    }
}

/// Sends rows by a job, and gives them back with what became of them.
pub(super) async fn run(client: &Client, intake: &Intake, rows: Vec<Row>) -> (Vec<Row>, JobEnd) {
    let (operation, by_id) = match intake.target() {
        Target::Insert => (IngestOperation::Insert, false),
        Target::Update => (IngestOperation::Update, true),
        Target::Upsert(key) => (IngestOperation::Upsert { key: key.clone() }, false),
        Target::Delete => (IngestOperation::Delete, true),
    };
    let count = rows.len();
    let rows = Arc::new(rows);
    let seen = Arc::clone(&rows);
    // A job without columns is refused before it is made.
    let columns = tokio::task::spawn_blocking(move || columns(&seen, by_id)).await.unwrap_or_default();
    let client = client.setting_aside(CALLS_OF_A_JOB).await;
    let job = client.bulk_ingest(intake.object().clone(), operation).columns(columns).looking_seldom();
    let told = Arc::clone(&rows);
    let mut written = job.write(move || Told { rows: Arc::clone(&told), next: 0, by_id }, DEADLINE);
    let mut outcomes = Vec::new();
    outcomes.resize_with(count, || None);
    let error = loop {
        match written.next_batch().await {
            Ok(Some(batch)) => {
                for (row, outcome) in batch {
                    if let Some(known) = usize::try_from(row).ok().and_then(|row| outcomes.get_mut(row)) {
                        *known = Some(outcome);
                    }
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let ended = written.report().map(|report| report.jobs.as_slice()).unwrap_or_default();
    let unknown = error.as_ref().is_some_and(|error| error.kind() == ErrorKind::Unexpected)
        || outcomes.iter().any(|outcome| matches!(outcome, Some(RowOutcome::Unknown(_))));
    let fate = if ended.iter().any(|job| job.state == JobState::Aborted) {
        Fate::Aborted
    } else if unknown && intake.target().is_idempotent() {
        let open = written.jobs().into_iter().filter(|job| ended.iter().all(|ended| ended.id != job.id));
        stop(&client, open).await
    } else {
        Fate::Over
    };
    drop(written);
    let rows = Arc::try_unwrap(rows).unwrap_or_else(|rows| rows.to_vec());
    (rows, JobEnd { outcomes, error, fate })
}

/// Ends jobs whose rows are to be sent once more: what they wrote later would undo newer rows.
async fn stop(client: &Client, jobs: impl Iterator<Item = BulkJob>) -> Fate {
    for job in jobs {
        match client.ingest_job(job).abort().await {
            Ok(_) => {}
            // It has ended by itself, or is gone.
            Err(error) if error.has_code("INVALID_JOB_STATE") || error.kind() == ErrorKind::NotFound => {}
            Err(_) => return Fate::Loose,
        }
    }
    Fate::Over
}

/// The columns of rows: all that any of them has, in the order in which they come. What no column can be is left out; its row is
/// refused then, before it is sent.
fn columns(rows: &[Row], by_id: bool) -> Vec<Column> {
    let mut columns = Columns::default();
    if by_id {
        columns.add(ID.to_owned());
    }
    // A null may be one of a field or of a relationship, which another row tells.
    let (mut nulls, mut null, mut relationships) = (Vec::new(), HashSet::new(), HashSet::new());
    for row in rows {
        let Ok(Members(members)) = serde_json::from_str(&row.json) else { continue };
        for (name, raw) in members {
            if columns.exact.contains(&*name) || is_own(&name, by_id) {
                continue;
            }
            match raw.get().as_bytes().first() {
                Some(b'n') if null.contains(&*name) => {}
                Some(b'n') => {
                    null.insert(name.clone().into_owned());
                    nulls.push(name.into_owned());
                }
                Some(b'{') => {
                    let Ok(Members(inner)) = serde_json::from_str(raw.get()) else { continue };
                    let object = object_of(&inner).map(|object| format!("{object}:")).unwrap_or_default();
                    for (field, _) in inner.iter().filter(|(field, _)| field != "attributes") {
                        columns.add(format!("{object}{name}.{field}"));
                    }
                    relationships.insert(name.into_owned());
                }
                _ => columns.add(name.into_owned()),
            }
        }
    }
    for name in nulls {
        if !relationships.contains(&name) && !name.ends_with("__r") {
            columns.add(name);
        }
    }
    columns.all
}

#[derive(Default)]
struct Columns {
    all: Vec<Column>,
    exact: HashSet<String>,
    /// Without regard to case: Salesforce takes two spellings for one column.
    spellings: HashSet<String>,
}

impl Columns {
    fn add(&mut self, name: String) {
        if !self.exact.contains(&name)
            && let Ok(column) = name.parse()
            && self.spellings.insert(name.to_ascii_lowercase())
        {
            self.all.push(column);
            self.exact.insert(name);
        }
    }
}

/// Whether a member is not the record's, or said in another place.
fn is_own(name: &str, by_id: bool) -> bool {
    name == "attributes" || (by_id && name.eq_ignore_ascii_case(ID))
}

/// The object's name in `attributes`.
fn object_of(members: &[(Cow<'_, str>, &RawValue)]) -> Option<String> {
    let (_, attributes) = members.iter().find(|(name, _)| name == "attributes")?;
    let mut attributes: HashMap<String, serde_json::Value> = serde_json::from_str(attributes.get()).ok()?;
    match attributes.remove("type") {
        Some(serde_json::Value::String(object)) => Some(object),
        _ => None,
    }
}

/// A row as it is written into a file.
struct Line {
    rows: Arc<Vec<Row>>,
    place: usize,
    by_id: bool,
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.rows.get(self.place).ok_or_else(|| S::Error::custom("no such row"))?;
        let Members(members) = serde_json::from_str(&row.json).map_err(S::Error::custom)?;
        let mut map = serializer.serialize_map(None)?;
        if let Some(id) = row.id.filter(|_| self.by_id) {
            map.serialize_entry(ID, id.as_str())?;
        }
        for (name, raw) in members.iter().filter(|(name, _)| !is_own(name, self.by_id)) {
            map.serialize_entry(name, &Cell(raw))?;
        }
        map.end()
    }
}

/// A value of JSON as a cell: numbers keep their digits.
struct Cell<'a>(&'a RawValue);

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.get();
        match text.as_bytes().first() {
            Some(b'n') => serializer.serialize_none(),
            Some(b't' | b'f') => serializer.serialize_bool(text == "true"),
            Some(b'"') => {
                let Name(text) = serde_json::from_str(text).map_err(S::Error::custom)?;
                serializer.serialize_str(&text)
            }
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text).map_err(S::Error::custom)?;
                let mut map = serializer.serialize_map(None)?;
                // What names the object has to come first.
                if let Some(object) = object_of(&members) {
                    map.serialize_entry("attributes", &HashMap::from_iter([("type", object)]))?;
                }
                for (name, raw) in members.iter().filter(|(name, _)| name != "attributes") {
                    map.serialize_entry(name, &Cell(raw))?;
                }
                map.end()
            }
            Some(b'[') => Err(S::Error::custom("a list, which no cell holds")),
            _ => serializer.serialize_str(text),
        }
    }
}

#[cfg(test)]
mod tests;
