//! From a record that is gone to the one that took its place.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::facts::OrgFacts;
use super::lookup::Lookup;
use super::outcome::{Candidate, Hop, WhyExcluded};
use super::plan::{Converted, MatchStep};
use crate::error::Result;
use crate::types::{Record, RecordId, SObjectName, Value};

/// Records that are merged one into the other lead so far and no further.
pub(crate) const MAX_HOPS: usize = 10;

/// What a row stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    /// This record of this object; for the contact behind a person account, the account.
    Here(SObjectName, RecordId, Option<Hop>),
    /// Another record.
    Elsewhere(SObjectName, RecordId, Hop),
    /// Nothing.
    Gone(WhyExcluded),
}

/// What became of a record, by its row.
pub(super) fn fate(object: &SObjectName, id: RecordId, row: &Record, converted: Converted) -> Fate {
    let is_set = |name: &str| row.get(name).and_then(Value::as_bool) == Some(true);
    let reference = |name: &str| row.get(name).and_then(Value::to_id);
    if is_set("IsDeleted") {
        // Object Reference, MasterRecordId: set on the records that a merge deletes.
        return match reference("MasterRecordId") {
            Some(master) => Fate::Elsewhere(object.clone(), master, Hop::Merged { from: id }),
            None => Fate::Gone(WhyExcluded::Deleted),
        };
    }
    match object.as_str() {
        "Lead" if is_set("IsConverted") => {
            let (target, field) = match converted {
                Converted::Contact => (SObjectName::from_static("Contact"), "ConvertedContactId"),
                Converted::Account => (SObjectName::from_static("Account"), "ConvertedAccountId"),
                Converted::Opportunity => (SObjectName::from_static("Opportunity"), "ConvertedOpportunityId"),
                Converted::Skip => return Fate::Gone(WhyExcluded::Converted),
            };
            let hop = Hop::Converted {
                lead: id,
                contact: reference("ConvertedContactId"),
                account: reference("ConvertedAccountId"),
                opportunity: reference("ConvertedOpportunityId"),
            };
            match reference(field) {
                Some(next) => Fate::Elsewhere(target, next, hop),
                None => Fate::Gone(WhyExcluded::Converted),
            }
        }
        "Contact" if is_set("IsPersonAccount") => match reference("AccountId") {
            Some(account) => {
                Fate::Here(SObjectName::from_static("Account"), account, Some(Hop::PersonContact { contact: id }))
            }
            None => Fate::Here(object.clone(), id, None),
        },
        _ => Fate::Here(object.clone(), id, None),
    }
}

/// The ways from records that are gone to those that took their place, read round by round.
#[derive(Debug)]
pub(crate) struct Trails<'a> {
    step: &'a MatchStep,
    org: &'a OrgFacts,
    /// What was asked for, and the row if there was one.
    known: HashMap<RecordId, Option<Arc<Record>>>,
    open: BTreeMap<SObjectName, BTreeSet<RecordId>>,
}

impl<'a> Trails<'a> {
    pub(super) fn new(step: &'a MatchStep, org: &'a OrgFacts) -> Self {
        Self { step, org, known: HashMap::new(), open: BTreeMap::new() }
    }

    /// Asks for a record, unless it was asked for before: a circle ends here.
    pub(super) fn want(&mut self, object: SObjectName, id: RecordId) {
        if !self.known.contains_key(&id) {
            self.open.entry(object).or_default().insert(id);
        }
    }

    /// The next round: what to ask, by object. Empty when all is known. What has no row afterwards is gone.
    pub(crate) fn next_round(&mut self) -> Result<Vec<(SObjectName, Lookup)>> {
        let mut lookups = Vec::new();
        for (object, ids) in std::mem::take(&mut self.open) {
            let same = object == self.step.object;
            let paths: Vec<&str> = self.step.filter.iter().filter(|_| same).flat_map(|filter| filter.paths()).collect();
            lookups.push((object.clone(), Lookup::of_ids(&object, &ids, self.org, &paths)?));
            self.known.extend(ids.into_iter().map(|id| (id, None)));
        }
        Ok(lookups)
    }

    /// Takes a row of a round.
    pub(crate) fn add(&mut self, object: &SObjectName, row: Record) {
        let Some(id) = row.get("Id").and_then(Value::to_id) else { return };
        if let Fate::Elsewhere(next, next_id, _) = fate(object, id, &row, self.step.converted) {
            self.want(next, next_id);
        }
        self.known.insert(id, Some(Arc::new(row)));
    }

    /// The record at the end of a way, with the hops to it.
    pub(super) fn end(&self, mut object: SObjectName, mut id: RecordId, first: Hop) -> Option<Candidate> {
        let mut hops = vec![first];
        while hops.len() <= MAX_HOPS {
            let row = self.known.get(&id)?.as_ref()?;
            match fate(&object, id, row, self.step.converted) {
                Fate::Here(object, id, hop) => {
                    hops.extend(hop);
                    return Some(Candidate { object, id, record: Record::clone(row), hops });
                }
                Fate::Elsewhere(next, next_id, hop) => {
                    (object, id) = (next, next_id);
                    hops.push(hop);
                }
                Fate::Gone(_) => return None,
            }
        }
        None
    }
}
