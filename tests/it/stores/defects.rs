//! The conformance suite finds what it looks for: stores with one defect each.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use sforce::store::{Batch, Commit, Entry, Expect, Key, MemoryStore, Store, Version};
use sforce::testing::conformance::{self, Subject};
use sforce::{Error, ErrorKind, Result};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    None,
    VersionsRestart,
    StaleReads,
    GetIsSorted,
    HalfSeen,
    OrderIgnoresCase,
    AfterIsInclusive,
    PageTooShort,
    PrefixIsPattern,
    EmptyIsAbsent,
    NoValueLimit,
    NoBatchLimit,
    NoRoom,
    AbsentIsIgnored,
    HalfDone,
    NamesTheLast,
    CheckThenAct,
    Forgets,
}

#[derive(Debug)]
struct Faulty {
    inner: MemoryStore,
    defect: Defect,
    counts: Mutex<HashMap<Key, u64>>,
    old: Mutex<HashMap<Key, Entry>>,
}

impl Faulty {
    fn new(defect: Defect) -> Self {
        Self { inner: MemoryStore::default(), defect, counts: Mutex::default(), old: Mutex::default() }
    }

    /// Versions that count per entry, from 1: right until an entry is deleted.
    fn restarted(&self, mut entry: Entry) -> Entry {
        entry.version = Version::new(self.counts.lock().expect("unpoisoned").get(&entry.key).copied().unwrap_or(1));
        entry
    }

    async fn commit_with_restarts(&self, batch: Batch) -> Result<Commit> {
        let mut plain = Batch::new();
        for mut operation in batch.operations().iter().cloned() {
            if let Expect::Version(version) = operation.expect {
                let found = self.inner.get(std::slice::from_ref(&operation.key)).await?.remove(0);
                operation.expect = match found {
                    Some(found) if self.restarted(found.clone()).version == version => Expect::Version(found.version),
                    _ => Expect::Version(Version::new(u64::MAX)),
                };
            }
            plain = plain.with(operation);
        }
        let Commit::Applied(_) = self.inner.commit(plain).await? else { return Ok(Commit::Conflict { operation: 0 }) };
        let mut counts = self.counts.lock().expect("unpoisoned");
        let version = |operation: &sforce::store::Operation| {
            if operation.value.is_none() {
                counts.remove(&operation.key);
                return None;
            }
            let count = counts.entry(operation.key.clone()).or_default();
            *count += 1;
            Some(Version::new(*count))
        };
        Ok(Commit::Applied(batch.operations().iter().map(version).collect()))
    }

    /// One by one, in place of all at once.
    async fn commit_singly(&self, batch: Batch) -> Result<Commit> {
        batch.check()?;
        let mut versions = Vec::new();
        for (operation, write) in batch.into_operations().into_iter().enumerate() {
            match self.inner.commit(Batch::new().with_room(1024).with(write)).await? {
                Commit::Applied(version) => versions.extend(version),
                Commit::Conflict { .. } => return Ok(Commit::Conflict { operation }),
            }
            if self.defect == Defect::HalfSeen {
                tokio::task::yield_now().await;
            }
        }
        Ok(Commit::Applied(versions))
    }
}

#[async_trait]
impl Store for Faulty {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>> {
        let mut keys = keys.to_vec();
        if self.defect == Defect::GetIsSorted {
            keys.sort();
        }
        let mut found = self.inner.get(&keys).await?;
        for entry in found.iter_mut().flatten() {
            match self.defect {
                Defect::VersionsRestart => *entry = self.restarted(entry.clone()),
                Defect::StaleReads => {
                    let old = self.old.lock().expect("unpoisoned").insert(entry.key.clone(), entry.clone());
                    *entry = old.unwrap_or_else(|| entry.clone());
                }
                _ => {}
            }
        }
        if self.defect == Defect::EmptyIsAbsent {
            for found in &mut found {
                *found = found.take().filter(|entry| !entry.value.is_empty());
            }
        }
        Ok(found)
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>> {
        let mut all = self.inner.scan("", None, usize::MAX).await?;
        let starts = |name: &str| match self.defect {
            Defect::PrefixIsPattern => {
                name.chars().zip(prefix.chars()).all(|(have, want)| want == '_' || have == want)
                    && name.chars().count() >= prefix.chars().count()
            }
            _ => name.starts_with(prefix),
        };
        all.retain(|entry| {
            let name = entry.key.as_str();
            let behind = match self.defect {
                Defect::AfterIsInclusive => after.is_none_or(|after| name >= after),
                _ => after.is_none_or(|after| name > after),
            };
            starts(name) && behind
        });
        if self.defect == Defect::OrderIgnoresCase {
            all.sort_by_key(|entry| entry.key.as_str().to_lowercase());
        }
        all.truncate(if self.defect == Defect::PageTooShort { limit.min(20) } else { limit });
        if self.defect == Defect::VersionsRestart {
            all = all.into_iter().map(|entry| self.restarted(entry)).collect();
        }
        Ok(all)
    }

    async fn commit(&self, batch: Batch) -> Result<Commit> {
        match self.defect {
            Defect::VersionsRestart => self.commit_with_restarts(batch).await,
            Defect::HalfDone | Defect::HalfSeen => self.commit_singly(batch).await,
            Defect::NoValueLimit => {
                let cut = |mut operation: sforce::store::Operation| {
                    operation.value =
                        operation.value.map(|value| value.slice(..value.len().min(sforce::store::MAX_VALUE_BYTES)));
                    operation
                };
                let room = batch.room();
                let cut = batch.into_operations().into_iter().map(cut).fold(Batch::new().with_room(room), Batch::with);
                self.inner.commit(cut).await
            }
            Defect::NoBatchLimit => self.inner.commit(batch.with_room(1000)).await,
            Defect::NoRoom if batch.room() > 0 => Err(Error::new(ErrorKind::Invalid, "store.commit", "no room")),
            Defect::AbsentIsIgnored => {
                let ignored = |mut operation: sforce::store::Operation| {
                    if operation.expect == Expect::Absent {
                        operation.expect = Expect::Any;
                    }
                    operation
                };
                let room = batch.room();
                let all = batch.into_operations().into_iter().map(ignored);
                self.inner.commit(all.fold(Batch::new().with_room(room), Batch::with)).await
            }
            Defect::NamesTheLast => {
                let last = batch.operations().len().saturating_sub(1);
                Ok(match self.inner.commit(batch).await? {
                    Commit::Conflict { .. } => Commit::Conflict { operation: last },
                    applied @ Commit::Applied(_) => applied,
                })
            }
            Defect::CheckThenAct => {
                batch.check()?;
                let keys: Vec<_> = batch.operations().iter().map(|operation| operation.key.clone()).collect();
                let current: Vec<_> =
                    self.inner.get(&keys).await?.into_iter().map(|entry| entry.map(|entry| entry.version)).collect();
                if let Some(operation) = batch.first_conflict(&current) {
                    return Ok(Commit::Conflict { operation });
                }
                tokio::task::yield_now().await;
                let room = batch.room();
                let any = batch.into_operations().into_iter().map(|mut operation| {
                    operation.expect = Expect::Any;
                    operation
                });
                self.inner.commit(any.fold(Batch::new().with_room(room), Batch::with)).await
            }
            _ => self.inner.commit(batch).await,
        }
    }
}

async fn broken(defect: Defect) -> Vec<String> {
    let make = move || async move {
        let store = Faulty::new(defect);
        let kept = if defect == Defect::Forgets { MemoryStore::default() } else { store.inner.clone() };
        Subject::new(store).reopened_by(async move || kept)
    };
    match conformance::store(make).await {
        Ok(()) => Vec::new(),
        Err(broken) => broken.lines().map(|(line, _)| line.to_owned()).collect(),
    }
}

#[tokio::test]
async fn the_suite_passes_a_store_without_defects() {
    assert_eq!(broken(Defect::None).await, Vec::<String>::new());
}

#[tokio::test]
async fn each_defect_breaks_the_line_that_is_about_it() {
    let cases = [
        (Defect::VersionsRestart, "a_version_never_repeats_for_a_key"),
        (Defect::StaleReads, "a_read_sees_every_write_that_returned"),
        (Defect::GetIsSorted, "get_answers_in_the_order_of_its_keys"),
        (Defect::HalfSeen, "a_read_sees_one_moment"),
        (Defect::OrderIgnoresCase, "scan_is_in_byte_order"),
        (Defect::AfterIsInclusive, "scan_goes_on_after_a_key"),
        (Defect::PageTooShort, "scan_goes_on_after_a_key"),
        (Defect::PrefixIsPattern, "a_prefix_is_plain_text"),
        (Defect::EmptyIsAbsent, "values_are_opaque_bytes"),
        (Defect::NoValueLimit, "keys_and_values_have_their_limits"),
        (Defect::NoBatchLimit, "a_batch_has_its_limits"),
        (Defect::NoRoom, "wrappers_have_room"),
        (Defect::AbsentIsIgnored, "every_expectation_holds_for_what_it_says"),
        (Defect::HalfDone, "a_commit_is_all_or_nothing"),
        (Defect::NamesTheLast, "a_commit_is_all_or_nothing"),
        (Defect::CheckThenAct, "a_check_of_absence_holds_against_others"),
        (Defect::CheckThenAct, "one_of_many_racers_wins_each_version"),
        (Defect::HalfSeen, "commits_of_many_keys_do_not_block_each_other"),
        (Defect::Forgets, "what_was_applied_survives_reopening"),
    ];
    for (defect, line) in cases {
        let broken = broken(defect).await;
        assert!(broken.iter().any(|broken| broken == line), "{defect:?} breaks {broken:?}, not {line}");
    }
}
