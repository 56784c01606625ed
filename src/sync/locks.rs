//! Which parents the rows of a write wait for: a rate, and the records that are in the way most often.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value as Json;

use crate::error::Error;
use crate::types::RecordId;

/// Records counted at once. Of those beyond, the rarest makes room.
const COUNTED: usize = 256;

/// Records told.
const TOLD: usize = 10;

/// Ids read out of one refusal. Salesforce names ten and says how many more there are.
const IDS_OF_A_REFUSAL: usize = 20;

/// Objects whose rows are referred to by records and locked by none of them: users, groups, record types.
const NOT_LOCKED: [&str; 3] = ["005", "00G", "012"];

/// How often rows met a lock, and which records were in the way.
///
/// Salesforce locks the parents of a row while it is written (master-detail, required lookups, roll-ups), so that two calls with
/// children of one parent, or a call and the org's own triggers and rules, refuse one another with `UNABLE_TO_LOCK_ROW`. Rows that
/// met a lock come again by themselves. Where the rate stays high: name the [parents](super::WriteMany::parents) of the rows, lower
/// the [calls at once](super::WriteMany::calls_at_once), write at a [pace](crate::client::Pace), and have an admin look at what
/// triggers, flows and roll-ups do on the objects of the records told here.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LockReport {
    /// Rows that were answered for; one that came again counts again.
    pub tries: u64,
    /// Of these, rows that met a lock.
    pub locked: u64,
    /// The records that were in the way most often, at most ten: those that Salesforce names, and where it names none, those that the
    /// row refers to.
    pub parents: Vec<LockedParent>,
}

/// A record that was in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LockedParent {
    /// The record.
    pub id: RecordId,
    /// How many rows met it; more than it really was by at most `over`.
    pub rows: u64,
    /// How far `rows` may be too high, which happens once more than 256 records were in the way.
    pub over: u64,
}

impl LockReport {
    /// How many of the tries met a lock, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    pub fn rate(&self) -> f64 {
        if self.tries == 0 { 0.0 } else { self.locked as f64 / self.tries as f64 }
    }
}

impl fmt::Display for LockReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} rows met a lock ({:.1} %)", self.locked, self.tries, self.rate() * 100.0)?;
        for (place, LockedParent { id, rows, .. }) in self.parents.iter().enumerate() {
            write!(f, "{}{id} {rows}", if place == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}

/// Counts rows and their locks, in bounded memory.
#[derive(Debug, Default)]
pub(crate) struct LockMeter(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    tries: u64,
    locked: u64,
    /// By record: how many rows, and how many of them may have been another's.
    parents: HashMap<RecordId, (u64, u64)>,
}

impl Counts {
    /// One row more for a record. The rarest of too many gives its place and its count away, so that who is met often is never
    /// missed ("space saving", Metwally and others 2005).
    fn count(&mut self, id: RecordId) {
        if let Some((rows, _)) = self.parents.get_mut(&id) {
            *rows += 1;
            return;
        }
        let mut over = 0;
        if self.parents.len() >= COUNTED {
            let rarest = self.parents.iter().min_by_key(|(id, (rows, _))| (*rows, **id));
            if let Some((id, (rows, _))) = rarest.map(|(id, counts)| (*id, *counts)) {
                self.parents.remove(&id);
                over = rows;
            }
        }
        self.parents.insert(id, (over + 1, over));
    }
}

impl LockMeter {
    /// So many rows were answered for.
    pub(crate) fn tried(&self, rows: usize) {
        self.with(|counts| counts.tries += rows as u64);
    }

    /// A row met a lock. `record` is its JSON.
    pub(crate) fn locked(&self, record: &str, error: &Error) {
        let told = error.salesforce().iter().flat_map(|error| ids_in(&error.message));
        let mut ids: Vec<RecordId> = told.take(IDS_OF_A_REFUSAL).collect();
        if ids.is_empty() {
            ids = parents_of(record);
        }
        ids.sort_unstable();
        ids.dedup();
        self.with(|counts| {
            counts.locked += 1;
            for id in ids {
                counts.count(id);
            }
        });
    }

    pub(crate) fn report(&self) -> LockReport {
        self.with(|counts| {
            let parents =
                counts.parents.iter().map(|(id, (rows, over))| LockedParent { id: *id, rows: *rows, over: *over });
            let mut parents: Vec<LockedParent> = parents.collect();
            parents.sort_unstable_by_key(|parent| (std::cmp::Reverse(parent.rows), parent.id));
            parents.truncate(TOLD);
            LockReport { tries: counts.tries, locked: counts.locked, parents }
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Counts) -> T) -> T {
        // Whole after every statement.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The ids in `unable to obtain exclusive access to this record or 2 records: 001…,001…, ... (5 more)`.
///
/// Source: reports with the words, declarative-lookup-rollup-summaries#847 and #1299, EloquentSalesForce#59.
fn ids_in(message: &str) -> impl Iterator<Item = RecordId> {
    let words = message.split(|c: char| !c.is_ascii_alphanumeric());
    let ids = words.filter(|word| matches!(word.len(), 15 | 18) && word.bytes().any(|byte| byte.is_ascii_digit()));
    ids.filter_map(|word| RecordId::new(word).ok())
}

/// The records that a record refers to. Ids of 15 characters are left aside: any word of that length looks like one.
fn parents_of(record: &str) -> Vec<RecordId> {
    let Ok(Json::Object(members)) = serde_json::from_str(record) else { return Vec::new() };
    let others = members.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("id"));
    let ids = others.filter_map(|(_, value)| value.as_str().filter(|text| text.len() == 18));
    let ids = ids.filter(|id| !NOT_LOCKED.iter().any(|prefix| id.starts_with(prefix)));
    ids.filter_map(|id| RecordId::new(id).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ApiError, ErrorKind};

    fn lock(message: &str) -> Error {
        let error = ApiError::new("UNABLE_TO_LOCK_ROW", message, Vec::new());
        Error::new(ErrorKind::RowLocked, "", "").with_salesforce(vec![error])
    }

    fn id(number: usize) -> RecordId {
        RecordId::new(&format!("001{number:012}")).expect("an id")
    }

    #[test]
    fn nav_33_ids_are_read_from_the_refusal_and_else_from_the_row() {
        let told = "unable to obtain exclusive access to this record or 2 records: 001000000000001AAA,001000000000002, \
                    ... (5 more)";
        assert_eq!(ids_in(told).collect::<Vec<_>>(), [id(1), id(2)]);
        assert_eq!(ids_in("unable to obtain exclusive access to this record or 3 records:").count(), 0);
        let row = r#"{"Id":"003000000000001AAA","AccountId":"001000000000007AAA","OwnerId":"005000000000001AAA",
            "Note__c":"eighteen letters!!","Code__c":"ABCDEFGHIJKLMNO","N":7,"Account":{"Id":"001000000000008AAA"}}"#;
        assert_eq!(parents_of(row), [id(7)]);
        let meter = LockMeter::default();
        meter.tried(4);
        meter.locked(row, &lock("unable to obtain exclusive access to this record"));
        meter.locked(row, &lock(told));
        meter.locked("not JSON", &lock("no ids"));
        let report = meter.report();
        assert_eq!((report.tries, report.locked, report.parents.len()), (4, 3, 3));
        assert!((report.rate() - 0.75).abs() < 1e-9);
        assert!(report.to_string().starts_with("3 of 4 rows met a lock (75.0 %): 001000000000001AAA 1, "), "{report}");
        assert!(LockReport::default().rate().abs() < 1e-9, "no division by nothing");
    }

    #[test]
    fn nav_33_who_is_in_the_way_often_is_found_among_any_number_in_bounded_memory() {
        let meter = LockMeter::default();
        for round in 0..20_000 {
            // One in ten is one of three; the others come once each.
            let number = if round % 10 == 0 { round / 10 % 3 } else { 1_000 + round };
            meter.locked("{}", &lock(id(number).as_str()));
        }
        let report = meter.report();
        assert_eq!((report.locked, report.parents.len()), (20_000, TOLD));
        let first: Vec<RecordId> = report.parents[..3].iter().map(|parent| parent.id).collect();
        for parent in [id(0), id(1), id(2)] {
            assert!(first.contains(&parent), "{report}");
        }
        for parent in &report.parents[..3] {
            assert!(parent.rows >= 666 && parent.rows - parent.over <= 667, "{parent:?}");
        }
        assert_eq!(meter.with(|counts| counts.parents.len()), COUNTED);
    }
}
