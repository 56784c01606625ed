//! Source records into the org: map, fold, compare, write.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use futures_core::Stream;
use futures_util::{StreamExt, stream};

use super::locks::{LockMeter, LockReport};
use super::outcome::{Outcome, Totals};
use super::plan::{Decision, KeyCase, Latest, Layers, decide, fold};
use super::window::next_window;
use super::write::{Engine, Intake, Target, WriteOutcome, WrittenRow};
use crate::client::Client;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::mapping::{CompiledMap, Mapped, MappedRecord, MappingIssue, Output, Parent};
use crate::schema::{FieldRequirement, Finding, ObjectRequirement, ObjectRight, check_object};
use crate::types::{FieldName, FieldType, Record, RecordId, SObjectDescribe, split_in_list};

/// Brings source records into one object of the org, by external id.
///
/// Records are taken in windows, 1,000 each by default. Within a window, records of one key are folded into one; the org's
/// records are read by their keys, and only what differs is written. A record whose stamp is older than the org's is left
/// alone. Writing twice has the effect of writing once, so a run that broke off is simply run again.
///
/// Memory holds one window; one of very long records holds fewer of them. A window costs one query per 13 KB of keys with
/// the statement around them, and one collections call per 200 records that differ: a window waits for its rows, and a bulk job
/// would make it wait for minutes. To load an org for the first time, [`Client::upsert_many`] chooses jobs.
#[derive(Clone)]
pub struct Push(Arc<Inner>);

struct Inner {
    client: Client,
    map: CompiledMap,
    window: usize,
    latest: Option<Latest>,
    case: KeyCase,
    select: String,
    /// The fields that refer to other records, each with the name under which it is sent.
    parents: Vec<(String, String)>,
    locks: Arc<LockMeter>,
}

/// Settings of a [`Push`].
#[derive(Debug)]
pub struct PushBuilder {
    client: Client,
    map: CompiledMap,
    window: usize,
    latest: Option<Latest>,
}

impl PushBuilder {
    /// Says which state of each key is the last one of the input, for inputs that hold a key more than once with one stamp.
    #[must_use]
    pub fn latest(mut self, latest: Latest) -> Self {
        self.latest = Some(latest);
        self
    }

    /// Sets how many records are taken at once; 1,000 by default. Doubled keys are folded within a window.
    #[must_use]
    pub fn window(mut self, records: usize) -> Self {
        self.window = records.max(1);
        self
    }

    /// Looks at the object in the org before anything is written. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] naming every field of the map that is missing, hidden or of a type that the rule's values cannot
    /// have ([`FieldMap::check`](crate::mapping::FieldMap::check)), or a key that is no external id;
    /// [`ErrorKind::Forbidden`] naming every field that the user cannot write, or the object; any error of [`Client::send`].
    pub async fn build(self) -> Result<Push> {
        let Self { client, map, window, latest } = self;
        let object = map.object();
        let seen = match client.describe(object).await {
            Ok(seen) => Some(seen),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Finding::into_result("push", &check_object(&requirement(&map), seen.as_ref()))?;
        let seen = seen.unwrap_or_default();
        let mut report = map.map().check(&seen);
        // What a new record lacks keeps no record that is there from being changed; Salesforce refuses the new ones.
        report.fields.retain(|field| field.rule.is_some());
        report.into_result("push")?;
        let map = map.spelt_as(&seen);
        let object = map.object();
        let case = key_case(&map, &seen)?;
        let is_reference = |name: &str| seen.field(name).is_some_and(|field| field.field_type == FieldType::Reference);
        let parents = map.outputs().filter(|output| is_reference(&output.clear));
        let parents = parents.map(|output| (output.clear.to_string(), output.member.to_string())).collect();
        let fields: Vec<String> = map.outputs().map(selected).collect();
        let select = format!("SELECT Id,{} FROM {object} WHERE {} IN :keys", fields.join(","), map.key());
        Ok(Push(Arc::new(Inner { client, map, window, latest, case, select, parents, locks: Arc::default() })))
    }
}

/// What a query asks for to see an output's value, and the id of a parent with it.
fn selected(output: &Output) -> String {
    let Output { member, clear, parent, .. } = output;
    match parent {
        None => member.to_string(),
        Some(Parent { object: None, field }) => format!("{clear},{member}.{field}"),
        // A polymorphic relationship has only the fields of all its objects, unless it is told which one is meant.
        Some(Parent { object: Some(object), field }) => {
            format!("{clear},TYPEOF {member} WHEN {object} THEN {field} END")
        }
    }
}

/// What the user needs to write all that the map maps.
fn requirement(map: &CompiledMap) -> ObjectRequirement {
    let names = map.outputs().filter_map(|output| FieldName::new(&*output.clear).ok());
    let creates = map.map().creates().then_some(ObjectRight::Create);
    ObjectRequirement::new(map.object().clone())
        .with_rights(creates.into_iter().chain([ObjectRight::Edit]))
        .with_fields(names.map(FieldRequirement::write))
}

fn key_case(map: &CompiledMap, seen: &SObjectDescribe) -> Result<KeyCase> {
    // Two writers of one new key make two records unless the org keeps the field unique.
    let key = seen.field(map.key().as_str()).filter(|field| (field.external_id || field.id_lookup) && field.unique);
    let key = key.ok_or_else(|| {
        Error::new(ErrorKind::Schema, "push", "the key is no unique external id field")
            .with_context("object", map.object())
            .with_context("field", map.key())
            .with_advice("mark the field as External ID and Unique")
    })?;
    Ok(if key.case_sensitive { KeyCase::Sensitive } else { KeyCase::Insensitive })
}

/// What became of a window.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Window {
    /// One per record, in their order.
    pub outcomes: Vec<Outcome>,
    /// What each record refers to, by the map's reference fields; nothing for records that another one stands for, and for
    /// those that were not compared. `after` has come about only if the outcome says so.
    pub references: Vec<Vec<Reference>>,
    /// Why going on is useless.
    pub stopped: Option<Error>,
}

/// A field that refers to another record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// The field.
    pub field: String,
    /// What the org's record referred to.
    pub before: Option<RecordId>,
    /// What it refers to once the record is written; `None` also for a parent that is named by its external id.
    pub after: Option<RecordId>,
}

impl Reference {
    /// The records on either side: a write may lock both.
    pub fn both(&self) -> impl Iterator<Item = RecordId> {
        [self.before, self.after].into_iter().flatten()
    }
}

/// Has records that another one stands for share its fate where that was not written; by themselves they may be.
fn follow(folded: &[Option<Layers>], keys: &[Option<String>], outcomes: &mut [Outcome]) {
    let standing = |place: usize| folded.get(place).is_some_and(Option::is_some);
    let of_key = |(place, key): (usize, &Option<String>)| Some((key.clone()?, place)).filter(|_| standing(place));
    let by_key: HashMap<String, usize> = keys.iter().enumerate().filter_map(of_key).collect();
    for (place, key) in keys.iter().enumerate().filter(|(place, _)| !standing(*place)) {
        let Some(into) = key.as_ref().and_then(|key| by_key.get(key)) else { continue };
        if let Some(Outcome::Rejected(error) | Outcome::Deferred(error)) = outcomes.get(*into) {
            outcomes[place] = Outcome::Deferred(error.clone().with_context("folded_into", into));
        }
    }
}

/// A row on its way: its place in the window, what to send, the id it has if it is known, and its parents, which a write
/// of the row may lock.
struct Row {
    place: usize,
    id: Option<RecordId>,
    fields: Record,
    parents: Vec<Locked>,
}

/// A parent that a write may lock, by its id or, where that is not known, by its key.
#[derive(PartialEq, Eq, Hash)]
enum Locked {
    Id(RecordId),
    Key(String),
}

impl Push {
    /// Starts from a map of source records to an object.
    #[must_use]
    pub fn builder(client: Client, map: CompiledMap) -> PushBuilder {
        PushBuilder { client, map, window: 1000, latest: None }
    }

    /// The map that says what goes where.
    #[must_use]
    pub fn map(&self) -> &CompiledMap {
        &self.0.map
    }

    /// How often rows of this push met a lock so far, in all its runs, and which records were in the way.
    #[must_use]
    pub fn locks(&self) -> LockReport {
        self.0.locks.report()
    }

    /// Pushes all records of a stream and reports each with its outcome, in the order of the stream. `T` is whatever the
    /// caller wants to see again beside the outcome, such as a line number. What could not be read as a record comes as the
    /// issue with it, and ends as [`Outcome::Invalid`].
    ///
    /// # Errors
    ///
    /// What makes going on useless: the session ended, a permission is missing, the API calls of the day are used up, or no
    /// call of a window came through. All records taken in until then have been reported, those not written as
    /// [`Outcome::Deferred`]; the rest of the stream is not read.
    pub async fn run<T, S, F>(&self, input: S, mut report: F) -> Result<Totals>
    where
        S: Stream<Item = (T, Result<Record, MappingIssue>)> + Send,
        T: Send,
        F: FnMut(T, &Outcome) + Send,
    {
        let mut totals = Totals::default();
        let mut input = std::pin::pin!(input);
        loop {
            let window = next_window(&mut input, self.0.window).await;
            if window.is_empty() {
                return Ok(totals);
            }
            let (tags, records): (Vec<T>, Vec<_>) = window.into_iter().unzip();
            let Window { outcomes, stopped, .. } = self.window(&records).await;
            for (tag, outcome) in tags.into_iter().zip(&outcomes) {
                totals.count(outcome);
                report(tag, outcome);
            }
            if let Some(error) = stopped {
                return Err(error);
            }
        }
    }

    /// Pushes one window. For callers who do something between windows; else [`run`](Self::run).
    pub async fn window(&self, records: &[Result<Record, MappingIssue>]) -> Window {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(records.len());
        let mut mapped: Vec<Option<MappedRecord>> = Vec::with_capacity(records.len());
        for record in records {
            let record = record.as_ref().map_err(|issue| vec![issue.clone()]);
            match record.and_then(|record| self.0.map.apply(record)) {
                Ok(Mapped::Record(record)) => {
                    mapped.push(Some(record));
                    outcomes.push(Outcome::Folded);
                }
                Ok(Mapped::Skipped) => {
                    mapped.push(None);
                    outcomes.push(Outcome::Skipped);
                }
                Err(issues) => {
                    mapped.push(None);
                    outcomes.push(Outcome::Invalid(issues));
                }
            }
        }
        let normal = |record: &MappedRecord| self.0.case.normal(&record.key);
        let normal: Vec<Option<String>> = mapped.iter().map(|record| record.as_ref().map(normal)).collect();
        let folded = fold(mapped, self.0.case);
        let key = |layers: &[MappedRecord]| layers.first().map(|record| record.key.clone()).unwrap_or_default();
        let keys: Vec<String> = folded.iter().flatten().map(|layers| key(layers)).collect();
        let references = vec![Vec::new(); records.len()];
        let mut window = Window { outcomes, references, stopped: None };
        if keys.is_empty() {
            return window;
        }
        let known = match self.read(&keys).await {
            Ok(known) => known,
            Err(error) => {
                for (place, _) in folded.iter().enumerate().filter(|(_, record)| record.is_some()) {
                    window.outcomes[place] = Outcome::Deferred(error.clone());
                }
                follow(&folded, &normal, &mut window.outcomes);
                window.stopped = Some(error);
                return window;
            }
        };
        let mut rows = Vec::new();
        for (place, layers) in folded.iter().enumerate() {
            let Some(layers) = layers else { continue };
            let remote = known.get(&self.0.case.normal(&key(layers))).map(|(id, remote)| (*id, remote));
            let stored = remote.map(|(_, stored)| stored);
            let (id, fields) = match decide(&self.0.map, layers, remote, self.0.latest.as_ref()) {
                Decision::Create(fields) => (None, fields),
                Decision::Update(id, fields) => (Some(id), fields),
                Decision::Leave(id) => {
                    window.outcomes[place] = Outcome::Unchanged(id);
                    window.references[place] = self.references(&Record::new(), stored);
                    continue;
                }
                Decision::Absent => {
                    window.outcomes[place] = Outcome::NotCreated;
                    continue;
                }
            };
            window.references[place] = self.references(&fields, stored);
            let mut parents: Vec<Locked> =
                window.references[place].iter().flat_map(Reference::both).map(Locked::Id).collect();
            let keys = [Some(&fields), stored].into_iter().flatten().flat_map(|record| self.parent_keys(record));
            parents.extend(keys);
            rows.push(Row { place, id, fields, parents });
        }
        window.stopped = self.write(rows, &mut window.outcomes).await;
        follow(&folded, &normal, &mut window.outcomes);
        window
    }

    /// The parents that a record names by their own keys.
    fn parent_keys(&self, record: &Record) -> Vec<Locked> {
        let referring = self.0.map.outputs().filter_map(|output| Some((output, output.parent.as_ref()?)));
        let keys = referring.filter_map(|(output, parent)| {
            let key = record.get(&output.member)?.as_record()?.get(&parent.field)?;
            let object = parent.object.as_deref().unwrap_or_default();
            (!key.is_blank()).then(|| Locked::Key(format!("{object}:{}.{}={key:?}", output.member, parent.field)))
        });
        keys.collect()
    }

    /// What a record refers to, before and after these fields are written.
    fn references(&self, fields: &Record, stored: Option<&Record>) -> Vec<Reference> {
        let id = |record: &Record, name: &str| record.text(name).and_then(|id| RecordId::new(id).ok());
        let reference = |(name, member): &(String, String)| {
            let before = stored.and_then(|stored| id(stored, name));
            // A parent that is sent by its key has an id that is not known here.
            let written = fields.get(name).or_else(|| fields.get(member)).is_some();
            let after = if written { id(fields, name) } else { before };
            Reference { field: name.clone(), before, after }
        };
        self.0.parents.iter().map(reference).collect()
    }

    /// The org's records with these keys, by key.
    async fn read(&self, keys: &[String]) -> Result<HashMap<String, (RecordId, Record)>> {
        let inner = &self.0;
        let queries = split_in_list(&inner.select, "keys", keys)?;
        let mut rows = inner.client.query_split::<Record>(queries);
        let mut known = HashMap::with_capacity(keys.len());
        while let Some(row) = rows.try_next().await? {
            let id = row.text("Id").and_then(|id| RecordId::new(id).ok());
            let (Some(id), Some(key)) = (id, row.text(inner.map.key().as_str())) else {
                return Err(Error::new(ErrorKind::Decode, "push", "a row has no id or no key"));
            };
            let key = inner.case.normal(key);
            known.insert(key, (id, row));
        }
        Ok(known)
    }

    /// Writes rows and notes what became of them; gives an error where going on is useless.
    async fn write(&self, rows: Vec<Row>, outcomes: &mut [Outcome]) -> Option<Error> {
        // An upsert would make a record anew that was deleted since it was read.
        let map = &self.0.map;
        let target = if map.map().creates() { Target::Upsert(map.key().clone()) } else { Target::Update };
        let by_id = target == Target::Update;
        let intake = Arc::new(Intake::new(target, map.object().clone(), Vec::new()));
        let known: HashMap<usize, RecordId> = rows.iter().filter_map(|row| Some((row.place, row.id?))).collect();
        let mut open: HashSet<usize> = rows.iter().map(|row| row.place).collect();
        let input = rows.into_iter().map(|row| {
            let parents = row.parents.iter().map(|parent| intake.lock(parent)).collect();
            let (place, id) = (row.place as u64, row.id.filter(|_| by_id));
            intake.row(place, id, &row.fields, parents).map_err(|error| (place, error))
        });
        let input: Vec<_> = input.collect();
        let engine = Engine::new(self.0.client.clone(), intake, stream::iter(input).boxed());
        let mut engine = engine.with_locks(Arc::clone(&self.0.locks));
        while let Some(WrittenRow { row, outcome }) = engine.next().await {
            let Some((place, noted)) = usize::try_from(row).ok().and_then(|row| Some((row, outcomes.get_mut(row)?)))
            else {
                continue;
            };
            open.remove(&place);
            *noted = match outcome {
                // After a lost answer the repetition finds the record there; that it is new we know from having looked before.
                WriteOutcome::Saved { id, created } if created == Some(true) || !known.contains_key(&place) => {
                    Outcome::Created(id)
                }
                WriteOutcome::Saved { id, .. } => Outcome::Updated(id),
                WriteOutcome::Folded { .. } => Outcome::Folded,
                WriteOutcome::Rejected(error) => Outcome::Rejected(error),
                WriteOutcome::Deferred(error) | WriteOutcome::Unknown(error) => Outcome::Deferred(error),
                WriteOutcome::Deleted => continue,
            };
        }
        // Those that were not taken in any more.
        let stopped = engine.stopped().cloned();
        for place in open {
            let error =
                stopped.clone().unwrap_or_else(|| Error::new(ErrorKind::Unexpected, "push", "a row was passed over"));
            outcomes[place] = Outcome::Deferred(error.with_effect(Effect::None));
        }
        stopped
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push").field("object", self.0.map.object()).finish_non_exhaustive()
    }
}
