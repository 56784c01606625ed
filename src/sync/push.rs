//! Source records into the org: map, fold, compare, write.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use futures_core::Stream;
use futures_util::{StreamExt, stream};

use super::course::{Course, Flow, Turn, sign_of};
use super::drift::{GoingOn, expected_fields, go_on_without};
use super::locks::{LockMeter, LockReport};
use super::outcome::{Outcome, Totals};
use super::plan::{Decision, Latest, Layers, decide, fold};
use super::refers::{Locked, Reference, parent_keys, refers};
use super::window::next_window;
use super::write::{Engine, Intake, Target, WriteOutcome, WrittenRow};
use crate::client::Client;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::mapping::{CompiledMap, Mapped, MappedRecord, MappingIssue};
use crate::schema::{
    DriftEvent, ExpectedFields, FieldRequirement, Finding, ObjectRequirement, ObjectRight, SeenObject, check_object,
};
use crate::types::{FieldName, Record, RecordId, split_in_list};

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
    window: usize,
    latest: Option<Latest>,
    course: Course,
    locks: Arc<LockMeter>,
}

/// Settings of a [`Push`].
#[derive(Debug)]
pub struct PushBuilder {
    client: Client,
    map: CompiledMap,
    window: usize,
    latest: Option<Latest>,
    expected: Option<ExpectedFields>,
}

impl PushBuilder {
    /// Gives what an earlier push has [expected](Push::expected) of the object: a field that has drifted since is suspended from
    /// the start, and lifted once it is back. Without it, [`build`](Self::build) refuses a map that does not fit as a whole.
    #[must_use]
    pub fn expecting(mut self, expected: ExpectedFields) -> Self {
        self.expected = Some(expected);
        self
    }

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
    /// With [`expecting`](Self::expecting), of the fields that were not expected, and of those that are needed.
    pub async fn build(self) -> Result<Push> {
        let Self { client, map, window, latest, expected } = self;
        let seen = match client.describe(map.object()).await {
            Ok(seen) => Some(seen),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let going = match &expected {
            Some(expected) => {
                go_on_without(&map, expected, seen.as_ref().map_or_else(SeenObject::gone, SeenObject::from))?
            }
            None => GoingOn { map: map.clone(), events: Vec::new(), suspended: Vec::new() },
        };
        Finding::into_result("push", &check_object(&requirement(&going.map), seen.as_ref()))?;
        let seen = seen.unwrap_or_default();
        let mut report = going.map.map().check(&seen);
        // What a new record lacks keeps no record that is there from being changed; Salesforce refuses the new ones.
        report.fields.retain(|field| field.rule.is_some());
        report.into_result("push")?;
        let whole = map.spelt_as(&seen);
        let flow = Flow::left_of(&whole, &going, &seen)?;
        let now = expected_fields(whole.map(), &seen);
        let expected = match expected {
            Some(mut before) => {
                before.note(&going.events);
                before.renewed_by(now, |field| targets(&whole, field))
            }
            None => now,
        };
        let course = Course::new(whole, flow, expected, going.events);
        Ok(Push(Arc::new(Inner { client, window, latest, course, locks: Arc::default() })))
    }
}

/// Whether a map writes or reads a field.
fn targets(map: &CompiledMap, field: &str) -> bool {
    map.map().rules().iter().any(|rule| rule.target.written_field().eq_ignore_ascii_case(field))
}

/// What the user needs to write all that the map maps.
fn requirement(map: &CompiledMap) -> ObjectRequirement {
    let names = map.outputs().filter_map(|output| FieldName::new(&*output.clear).ok());
    let creates = map.map().creates().then_some(ObjectRight::Create);
    ObjectRequirement::new(map.object().clone())
        .with_rights(creates.into_iter().chain([ObjectRight::Edit]))
        .with_fields(names.map(FieldRequirement::write))
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
    /// How the object was found to have drifted, each change once in all windows of a push; see [`Push::drift`].
    pub drift: Vec<DriftEvent>,
    /// The fields that were left out of each record because they are suspended, though it has values for them; nothing for records that
    /// are not in the org now.
    pub withheld: Vec<Vec<String>>,
}

/// A window in the making: its outcomes, and the way by which it went.
struct Pass {
    outcomes: Vec<Outcome>,
    references: Vec<Vec<Reference>>,
    stopped: Option<Error>,
}

/// Has records that another one stands for share its fate where that was not written; by themselves they may be.
/// `places` are those of the records in their window.
fn follow(folded: &[Option<Layers>], keys: &[Option<String>], places: &[usize], outcomes: &mut [Outcome]) {
    let standing = |place: usize| folded.get(place).is_some_and(Option::is_some);
    let of_key = |(place, key): (usize, &Option<String>)| Some((key.clone()?, place)).filter(|_| standing(place));
    let by_key: HashMap<String, usize> = keys.iter().enumerate().filter_map(of_key).collect();
    for (place, key) in keys.iter().enumerate().filter(|(place, _)| !standing(*place)) {
        let Some(into) = key.as_ref().and_then(|key| by_key.get(key)) else { continue };
        if let Some(Outcome::Rejected(error) | Outcome::Deferred(error)) = outcomes.get(*into) {
            let into = places.get(*into).unwrap_or(into);
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

impl Push {
    /// Starts from a map of source records to an object.
    #[must_use]
    pub fn builder(client: Client, map: CompiledMap) -> PushBuilder {
        PushBuilder { client, map, window: 1000, latest: None, expected: None }
    }

    /// The map that says what goes where, the whole of it: what is suspended is in it too.
    #[must_use]
    pub fn map(&self) -> &CompiledMap {
        self.0.course.whole()
    }

    /// How the object was found to have drifted so far, each change once, in all runs of this push: which fields are left out, and
    /// why. A field that is back has its own event in place of those before.
    #[must_use]
    pub fn drift(&self) -> Vec<DriftEvent> {
        self.0.course.events()
    }

    /// What the push counts on in the object, with what is suspended. Keep it, and give it to the next push of the map by
    /// [`PushBuilder::expecting`].
    pub async fn expected(&self) -> ExpectedFields {
        self.0.course.expected().await
    }

    /// Looks whether fields that are suspended are back, and takes them in again; [`run`](Self::run) does so first. Costs one API call if
    /// something is suspended, else none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] where the object or a needed field is gone; any error of [`Client::send`].
    pub async fn look_again(&self) -> Result<Vec<DriftEvent>> {
        self.0.course.look_again(&self.0.client).await
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
        self.look_again().await?;
        loop {
            let window = next_window(&mut input, self.0.window).await;
            if window.is_empty() {
                return Ok(totals);
            }
            let (tags, records): (Vec<T>, Vec<_>) = window.into_iter().unzip();
            let Window { outcomes, stopped, withheld, .. } = self.window(&records).await;
            totals.withheld += withheld.iter().filter(|fields| !fields.is_empty()).count() as u64;
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
    ///
    /// Where Salesforce refuses a field of the map, the object is looked at anew (one API call), the field is suspended, and what was
    /// refused is written without it. A second refusal of the field fails as any other.
    pub async fn window(&self, records: &[Result<Record, MappingIssue>]) -> Window {
        let course = &self.0.course;
        let mut flow = course.flow();
        let places: Vec<usize> = (0..records.len()).collect();
        let Pass { outcomes, references, stopped } = self.pass(&flow, records, &places).await;
        let withheld = vec![Vec::new(); records.len()];
        let mut window = Window { outcomes, references, stopped, drift: Vec::new(), withheld };
        let mut gone_by: Vec<Arc<Flow>> = vec![Arc::clone(&flow); records.len()];
        // Each turn leaves more of the map out, so there are no more turns than fields.
        loop {
            let signs = signs(&window);
            if signs.is_empty() {
                break;
            }
            match course.turn(&self.0.client, &flow, signs).await {
                Turn::Stay(events) => {
                    window.drift.extend(events);
                    break;
                }
                Turn::Stop(error, events) => {
                    window.drift.extend(events);
                    for place in open_places(&window) {
                        window.outcomes[place] = Outcome::Deferred(error.clone());
                    }
                    window.stopped = Some(error);
                    break;
                }
                Turn::Go(next, events) => {
                    window.drift.extend(events);
                    let places = open_places(&window);
                    let again: Vec<Result<Record, MappingIssue>> =
                        places.iter().map(|place| records[*place].clone()).collect();
                    let pass = self.pass(&next, &again, &places).await;
                    for ((place, outcome), references) in places.iter().zip(pass.outcomes).zip(pass.references) {
                        window.outcomes[*place] = outcome;
                        window.references[*place] = references;
                        gone_by[*place] = Arc::clone(&next);
                    }
                    window.stopped = pass.stopped;
                    flow = next;
                }
            }
        }
        for (place, outcome) in window.outcomes.iter().enumerate() {
            if matches!(outcome, Outcome::Created(_) | Outcome::Updated(_) | Outcome::Unchanged(_)) {
                window.withheld[place] = course.withheld(&gone_by[place], &records[place]);
            }
        }
        window
    }

    /// Pushes records by one map. `places` are those of the records in their window.
    async fn pass(&self, flow: &Flow, records: &[Result<Record, MappingIssue>], places: &[usize]) -> Pass {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(records.len());
        let mut mapped: Vec<Option<MappedRecord>> = Vec::with_capacity(records.len());
        for record in records {
            let record = record.as_ref().map_err(|issue| vec![issue.clone()]);
            match record.and_then(|record| flow.map.apply(record)) {
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
        let normal = |record: &MappedRecord| flow.case.normal(&record.key);
        let normal: Vec<Option<String>> = mapped.iter().map(|record| record.as_ref().map(normal)).collect();
        let folded = fold(mapped, flow.case);
        let key = |layers: &[MappedRecord]| layers.first().map(|record| record.key.clone()).unwrap_or_default();
        let keys: Vec<String> = folded.iter().flatten().map(|layers| key(layers)).collect();
        let references = vec![Vec::new(); records.len()];
        let mut window = Pass { outcomes, references, stopped: None };
        if keys.is_empty() {
            return window;
        }
        let known = match self.read(flow, &keys).await {
            Ok(known) => known,
            Err(error) => {
                for (place, _) in folded.iter().enumerate().filter(|(_, record)| record.is_some()) {
                    window.outcomes[place] = Outcome::Deferred(error.clone());
                }
                follow(&folded, &normal, places, &mut window.outcomes);
                window.stopped = Some(error);
                return window;
            }
        };
        let mut rows = Vec::new();
        for (place, layers) in folded.iter().enumerate() {
            let Some(layers) = layers else { continue };
            let remote = known.get(&flow.case.normal(&key(layers))).map(|(id, remote)| (*id, remote));
            let stored = remote.map(|(_, stored)| stored);
            let (id, fields) = match decide(&flow.map, layers, remote, self.0.latest.as_ref()) {
                Decision::Create(fields) => (None, fields),
                Decision::Update(id, fields) => (Some(id), fields),
                Decision::Leave(id) => {
                    window.outcomes[place] = Outcome::Unchanged(id);
                    window.references[place] = refers(flow, &Record::new(), stored);
                    continue;
                }
                Decision::Absent => {
                    window.outcomes[place] = Outcome::NotCreated;
                    continue;
                }
            };
            window.references[place] = refers(flow, &fields, stored);
            let mut parents: Vec<Locked> =
                window.references[place].iter().flat_map(Reference::both).map(Locked::Id).collect();
            let keys = [Some(&fields), stored].into_iter().flatten().flat_map(|record| parent_keys(flow, record));
            parents.extend(keys);
            rows.push(Row { place, id, fields, parents });
        }
        window.stopped = self.write(flow, rows, &mut window.outcomes).await;
        follow(&folded, &normal, places, &mut window.outcomes);
        window
    }

    /// The org's records with these keys, by key.
    async fn read(&self, flow: &Flow, keys: &[String]) -> Result<HashMap<String, (RecordId, Record)>> {
        let queries = split_in_list(&flow.select, "keys", keys)?;
        let mut rows = self.0.client.query_split::<Record>(queries);
        let mut known = HashMap::with_capacity(keys.len());
        while let Some(row) = rows.try_next().await? {
            let id = row.text("Id").and_then(|id| RecordId::new(id).ok());
            let (Some(id), Some(key)) = (id, row.text(flow.map.key().as_str())) else {
                return Err(Error::new(ErrorKind::Decode, "push", "a row has no id or no key"));
            };
            let key = flow.case.normal(key);
            known.insert(key, (id, row));
        }
        Ok(known)
    }

    /// Writes rows and notes what became of them; gives an error where going on is useless.
    async fn write(&self, flow: &Flow, rows: Vec<Row>, outcomes: &mut [Outcome]) -> Option<Error> {
        // An upsert would make a record anew that was deleted since it was read.
        let map = &flow.map;
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

/// The signs of drift that a window has met.
fn signs(window: &Window) -> BTreeSet<String> {
    let refused = window.outcomes.iter().filter_map(refusal);
    window.stopped.iter().chain(refused).filter_map(sign_of).collect()
}

/// The records that a sign of drift has kept from being written.
fn open_places(window: &Window) -> Vec<usize> {
    // A call that was refused as a whole has written none of those that wait behind it.
    let all = window.stopped.as_ref().and_then(sign_of).is_some();
    let is_open = |(_, outcome): &(usize, &Outcome)| {
        let waits = all && matches!(outcome, Outcome::Deferred(error) if error.effect() == Effect::None);
        waits || refusal(outcome).and_then(sign_of).is_some()
    };
    window.outcomes.iter().enumerate().filter(is_open).map(|(place, _)| place).collect()
}

fn refusal(outcome: &Outcome) -> Option<&Error> {
    match outcome {
        Outcome::Rejected(error) | Outcome::Deferred(error) => Some(error),
        _ => None,
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push").field("object", self.map().object()).finish_non_exhaustive()
    }
}
