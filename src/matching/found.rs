//! Rows of a step by key, and what they decide.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::cardinality::{Cardinality, Relation, WhyDropped};
use super::facts::{OrgFacts, StepFacts};
use super::follow::{Fate, Trails, fate};
use super::keys::{SourceKey, normal_of_row};
use super::lookup::Lookup;
use super::outcome::{Candidate, Excluded, Match, NoKey, StepReport, WhyExcluded};
use super::plan::{JoinKey, MatchPlan, MatchStep};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Record, RecordId, SObjectName, Value};

/// What the org answered to one step, for any number of records.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    place: usize,
    step: &'a MatchStep,
    facts: &'a StepFacts,
    org: &'a OrgFacts,
    /// Rows by comparable key and id; a key that nobody asked for keeps none.
    rows: HashMap<String, BTreeMap<RecordId, Arc<Record>>>,
}

impl<'a> Found<'a> {
    /// A step of a plan, with the facts that belong to it.
    pub(crate) fn new(plan: &'a MatchPlan, org: &'a OrgFacts, place: usize) -> Option<Self> {
        let (step, facts) = (plan.steps().get(place)?, org.steps.get(place)?);
        Some(Self { place, step, facts, org, rows: HashMap::new() })
    }

    /// The key of a source record for this step.
    pub(crate) fn key(&self, record: &Record) -> Result<SourceKey, NoKey> {
        if !self.org.covers(self.step) {
            return Err(NoKey::NoPersonAccounts);
        }
        SourceKey::of(self.step, self.facts, record)
    }

    /// What to ask the org for these keys.
    pub(crate) fn lookup<'k>(&mut self, keys: impl IntoIterator<Item = &'k SourceKey> + Clone) -> Result<Lookup> {
        for normal in keys.clone().into_iter().flat_map(|key| &key.chain) {
            self.rows.entry(normal.clone()).or_default();
        }
        Lookup::of(self.step, self.org, keys)
    }

    /// Takes a row in; one whose key nobody asked for is dropped.
    pub(crate) fn add(&mut self, row: Record) -> Result<()> {
        let id = row.get("Id").and_then(Value::to_id);
        let id = id.ok_or_else(|| Error::new(ErrorKind::Decode, "match", "a row has no id"))?;
        let row = Arc::new(row);
        let by_contact = matches!(self.step.key, JoinKey::Contact { .. }) && !self.org.relations;
        for field in self.step.key.fields() {
            let name = if by_contact { "Id" } else { field.as_str() };
            // An answer spells the name as the org does.
            let value = row.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            let normal = value.and_then(|value| normal_of_row(&self.step.key, self.facts.kind, value));
            if let Some(rows) = normal.and_then(|normal| self.rows.get_mut(&normal)) {
                rows.insert(id, Arc::clone(&row));
            }
        }
        Ok(())
    }

    /// The records to be read before anything is decided: where rows that are merged or converted lead to.
    pub(crate) fn trails(&self) -> Trails<'a> {
        let mut trails = Trails::new(self.step, self.org);
        for (id, row) in self.rows.values().flatten() {
            if let Fate::Elsewhere(object, next, _) = self.fate(*id, row) {
                trails.want(object, next);
            }
        }
        trails
    }

    fn fate(&self, id: RecordId, row: &Record) -> Fate {
        fate(&self.step.object, id, row, self.step.converted)
    }

    /// What the step says of one record: its report, and the result if it decides.
    pub(crate) fn decide(&self, key: &Result<SourceKey, NoKey>, trails: &Trails<'_>) -> (StepReport, Option<Match>) {
        let key = match key {
            Ok(key) => key,
            Err(no_key) => return (StepReport::without_key(self.place, *no_key), None),
        };
        let mut report = StepReport { step: self.place, no_key: None, hits: 0, excluded: Vec::new() };
        for normal in &key.chain {
            let hits = match &self.step.key {
                JoinKey::Parent { .. } => parent(&self.step.object, normal),
                JoinKey::Contact { cardinality, stamp, .. } => {
                    self.accounts(normal, *cardinality, stamp.as_str(), &mut report.excluded)
                }
                _ => self.hits(normal, trails, &mut report.excluded),
            };
            report.hits = hits.len();
            if !hits.is_empty() {
                put_in_order(&mut report.excluded);
                let mut candidates: Vec<Candidate> = hits.into_values().collect();
                let result = match candidates.len() {
                    1 => candidates.pop().map_or(Match::None, Match::One),
                    _ => Match::Ambiguous(candidates),
                };
                return (report, Some(result));
            }
        }
        put_in_order(&mut report.excluded);
        (report, None)
    }

    /// Different records that have the key. One that has it itself counts before one that it leads to by a merge or conversion.
    fn hits(&self, normal: &str, trails: &Trails<'_>, excluded: &mut Vec<Excluded>) -> BTreeMap<RecordId, Candidate> {
        let (mut here, mut elsewhere) = (BTreeMap::new(), BTreeMap::new());
        let mut led = Vec::new();
        let passes = |row: &Record| self.step.filter.as_ref().is_none_or(|filter| filter.matches(row));
        for (id, row) in self.rows.get(normal).into_iter().flatten() {
            let mut exclude = |why| excluded.push(Excluded { id: *id, why });
            let person = row.get("IsPersonAccount").and_then(Value::as_bool);
            if matches!(self.step.key, JoinKey::PersonEmail { .. }) && person != Some(true) {
                exclude(WhyExcluded::NoPersonAccount);
                continue;
            }
            match self.fate(*id, row) {
                Fate::Gone(why) => exclude(why),
                Fate::Here(..) if !passes(row) => exclude(WhyExcluded::Filtered),
                Fate::Here(object, to, hop) => {
                    let hops = hop.into_iter().collect();
                    here.insert(to, Candidate { object, id: to, record: Record::clone(row), hops });
                }
                Fate::Elsewhere(object, next, hop) => {
                    let same = object == self.step.object;
                    if !same && !passes(row) {
                        exclude(WhyExcluded::Filtered);
                        continue;
                    }
                    match trails.end(object, next, hop) {
                        // What a merge leads to is of the same object, and has the fields that the filter looks at.
                        Some(end) if end.object == self.step.object && same && !passes(&end.record) => {
                            exclude(WhyExcluded::Filtered);
                        }
                        Some(end) => {
                            led.push((*id, end.id));
                            elsewhere.entry(end.id).or_insert(end);
                        }
                        None => exclude(if same { WhyExcluded::Deleted } else { WhyExcluded::Converted }),
                    }
                }
            }
        }
        if here.is_empty() {
            return elsewhere;
        }
        let superseded = led.into_iter().filter(|(_, to)| !here.contains_key(to));
        excluded.extend(superseded.map(|(id, _)| Excluded { id, why: WhyExcluded::Superseded }));
        here
    }

    /// The accounts of a contact, brought down.
    fn accounts(
        &self,
        normal: &str,
        cardinality: Cardinality,
        stamp: &str,
        excluded: &mut Vec<Excluded>,
    ) -> BTreeMap<RecordId, Candidate> {
        let Ok(contact) = RecordId::new(normal) else { return BTreeMap::new() };
        let mut rows = BTreeMap::new();
        let mut relations = Vec::new();
        for row in self.rows.get(normal).into_iter().flatten().map(|(_, row)| row) {
            let Some(account) = row.get("AccountId").and_then(Value::to_id) else { continue };
            let flag = |name: &str, without: bool| row.get(name).map_or(without, |flag| flag.as_bool() == Some(true));
            relations.push(Relation {
                contact,
                account,
                account_updated: row.path(&format!("Account.{stamp}")).and_then(Value::to_timestamp),
                direct: flag("IsDirect", true),
                active: flag("IsActive", true),
            });
            rows.insert(account, row);
        }
        let reduced = cardinality.reduce(relations);
        excluded.extend(reduced.dropped.into_iter().map(|dropped| Excluded {
            id: dropped.relation.account,
            why: match dropped.why {
                WhyDropped::Inactive => WhyExcluded::Inactive,
                WhyDropped::OtherAccount => WhyExcluded::OtherAccount,
            },
        }));
        let object = SObjectName::from_static("Account");
        let candidate = |id: RecordId| {
            let record = rows.get(&id).map(|row| Record::clone(row)).unwrap_or_default();
            (id, Candidate { object: object.clone(), id, record, hops: Vec::new() })
        };
        reduced.kept.into_iter().map(|relation| candidate(relation.account)).collect()
    }
}

/// An id that the org gave, as it is.
fn parent(object: &SObjectName, id: &str) -> BTreeMap<RecordId, Candidate> {
    let candidate = |id| (id, Candidate { object: object.clone(), id, record: Record::new(), hops: Vec::new() });
    RecordId::new(id).into_iter().map(candidate).collect()
}

/// One order whatever the rows' order was, each exclusion once.
fn put_in_order(excluded: &mut Vec<Excluded>) {
    excluded.sort_unstable();
    excluded.dedup();
}
