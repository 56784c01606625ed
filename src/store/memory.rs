//! A store that ends with the process.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Batch, Commit, Entry, Key, Operation, Store, Version, scan_start};
use crate::error::Result;

/// Keeps entries in memory, for tests and for programs that may forget. Clones share the entries.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    entries: BTreeMap<Key, (Version, Bytes)>,
    last: u64,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in the lock's scope panics half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("entries", &self.state().entries.len()).finish()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>> {
        let state = self.state();
        let entry = |key: &Key| {
            let (version, value) = state.entries.get(key)?;
            Some(Entry { key: key.clone(), version: *version, value: value.clone() })
        };
        Ok(keys.iter().map(entry).collect())
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>> {
        Ok(self
            .state()
            .entries
            .range::<str, _>((scan_start(prefix, after), Bound::Unbounded))
            .take_while(|(key, _)| key.as_str().starts_with(prefix))
            .take(limit)
            .map(|(key, (version, value))| Entry { key: key.clone(), version: *version, value: value.clone() })
            .collect())
    }

    async fn commit(&self, batch: Batch) -> Result<Commit> {
        batch.check()?;
        let mut state = self.state();
        let current: Vec<_> =
            batch.operations().iter().map(|write| state.entries.get(&write.key).map(|(version, _)| *version)).collect();
        if let Some(operation) = batch.first_conflict(&current) {
            return Ok(Commit::Conflict { operation });
        }
        // One number per commit: a key is in it once at most.
        state.last += 1;
        let version = Version::new(state.last);
        let apply = |Operation { key, value, .. }| {
            if let Some(value) = value {
                state.entries.insert(key, (version, value));
                Some(version)
            } else {
                state.entries.remove(&key);
                None
            }
        };
        Ok(Commit::Applied(batch.into_operations().into_iter().map(apply).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Expect;

    #[tokio::test]
    async fn clones_share_and_debug_shows_only_how_many() {
        let store = MemoryStore::default();
        let key = Key::new("a").expect("short");
        let commit = store.clone().commit(Batch::new().put(key.clone(), "hunter2", Expect::Absent)).await.expect("ok");
        let entry = store.get(&[key]).await.expect("ok").remove(0).expect("put");
        assert_eq!(Some(entry.version), commit.version(0));
        assert_eq!(format!("{store:?}"), "MemoryStore { entries: 1 }");
    }
}
