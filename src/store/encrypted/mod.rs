//! Encryption of values, over any store.

mod envelope;
mod key;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::envelope::Scheme;
pub use self::key::{EncryptionKey, Keyring};
use super::{Batch, Commit, Entry, Expect, Key, Operation, Store};
use crate::error::Result;

/// Entries that one page of a re-encryption reads: 16 MiB at most.
const PAGE: usize = 64;
/// Entries that it writes in one commit: 6 MiB at most with their envelopes.
const WRITTEN_AT_ONCE: usize = 24;
/// How many entries that cannot be read are named.
const NAMED: usize = 100;

/// Keeps values unreadable in another store: on its disk, in its backups, for its administrators.
///
/// Each value is encrypted and authenticated together with its key's name, the id of the encryption key and the format, so a
/// value that was changed, or put under another name, is an error and never a wrong value. Not hidden are names, versions and
/// lengths: names hold ids and hashes, never an email address. Not noticed is that somebody who may write to the store puts an
/// older value of the same name back.
///
/// Keys are wiped from memory; values, once decrypted, are ordinary [`bytes::Bytes`].
///
/// The limits are those of every store: what encryption adds does not count.
///
/// ```
/// use sforce::store::{EncryptedStore, EncryptionKey, Keyring, MemoryStore};
///
/// # fn main() -> sforce::Result<()> {
/// // In a service: `EncryptionKey::from_base64("2026-11", &text)` of a secret made by `openssl rand -base64 32`.
/// let key = EncryptionKey::generate("2026-11")?;
/// let store = EncryptedStore::new(MemoryStore::default(), Keyring::new(key));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Beyond those of the store below, each of kind [`Store`](crate::ErrorKind::Store), not worth repeating, and with the entry's
/// name: the key is missing from the ring; the ring has another key of that id; the value was written for another name; it was
/// changed or damaged, cut off, not encrypted at all, or of a newer format. A `get` or `scan` that meets such an entry fails
/// as a whole; a scan may go on after it.
#[derive(Clone, Debug)]
pub struct EncryptedStore<S> {
    inner: S,
    keys: Arc<Keyring>,
    scheme: Scheme,
}

/// What a re-encryption did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reencrypted {
    /// Entries read.
    pub seen: u64,
    /// Entries written anew, with the primary key.
    pub rewritten: u64,
    /// Entries that somebody else wrote or deleted meanwhile, and that were left to them.
    pub changed_meanwhile: u64,
    /// Entries that could not be decrypted, and were left as they are.
    pub unreadable: u64,
    /// The names of the first 100 of these.
    pub unreadable_keys: Vec<Key>,
}

impl Reencrypted {
    /// Whether all entries were found written with the primary key, so that, once every process writes with it, the others can
    /// go. A run that has rewritten something says no; the next one says yes.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.rewritten == 0 && self.changed_meanwhile == 0 && self.unreadable == 0
    }
}

impl<S: Store> EncryptedStore<S> {
    /// Encrypts what goes into a store, with AES-256-GCM.
    #[must_use]
    pub fn new(inner: S, keys: Keyring) -> Self {
        Self { inner, keys: Arc::new(keys), scheme: Scheme::default() }
    }

    /// Writes by another scheme. What was written by either can be read.
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Writes every entry anew whose name starts with `prefix` and which another key, or another scheme, has encrypted.
    ///
    /// May run beside readers and writers: an entry is replaced only if nobody has written it meanwhile. Its version changes, so a
    /// writer that expects the old one meets a conflict, as with any other write. Stopped half way, it can simply run again.
    /// Memory is bounded by a page of 64 entries.
    ///
    /// # Errors
    ///
    /// Those of the store below. An entry that cannot be decrypted is no error but counted in the result.
    pub async fn reencrypt(&self, prefix: &str) -> Result<Reencrypted> {
        let mut done = Reencrypted::default();
        let mut after: Option<Key> = None;
        loop {
            let page = self.inner.scan(prefix, after.as_ref().map(Key::as_str), PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|entry| entry.key.clone());
            done.seen += page.len() as u64;
            let mut writes = Vec::new();
            for entry in page {
                if envelope::is_current(&self.keys, self.scheme, &entry.key, &entry.value) {
                    continue;
                }
                let Ok(value) = envelope::open(&self.keys, &entry.key, &entry.value) else {
                    done.unreadable += 1;
                    if done.unreadable_keys.len() < NAMED {
                        done.unreadable_keys.push(entry.key);
                    }
                    continue;
                };
                let value = Some(envelope::seal(&self.keys, self.scheme, &entry.key, &value)?);
                writes.push(Operation { key: entry.key, expect: Expect::Version(entry.version), value });
            }
            for writes in writes.chunks(WRITTEN_AT_ONCE) {
                self.replace(writes, &mut done).await?;
            }
            if is_last {
                return Ok(done);
            }
        }
    }

    /// Writes all of them, leaving out one after the other what others have changed.
    async fn replace(&self, writes: &[Operation], done: &mut Reencrypted) -> Result<()> {
        let mut writes = writes.to_vec();
        while !writes.is_empty() {
            let batch = writes.iter().cloned().fold(Batch::new().with_room(envelope::ROOM), Batch::with);
            match self.inner.commit(batch).await? {
                Commit::Applied(_) => {
                    done.rewritten += writes.len() as u64;
                    break;
                }
                Commit::Conflict { operation } => {
                    writes.remove(operation);
                    done.changed_meanwhile += 1;
                }
            }
        }
        Ok(())
    }

    fn open(&self, mut entry: Entry) -> Result<Entry> {
        entry.value = envelope::open(&self.keys, &entry.key, &entry.value)?;
        Ok(entry)
    }
}

#[async_trait]
impl<S: Store> Store for EncryptedStore<S> {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>> {
        let found = self.inner.get(keys).await?;
        found.into_iter().map(|entry| entry.map(|entry| self.open(entry)).transpose()).collect()
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>> {
        let found = self.inner.scan(prefix, after, limit).await?;
        found.into_iter().map(|entry| self.open(entry)).collect()
    }

    async fn commit(&self, batch: Batch) -> Result<Commit> {
        batch.check()?;
        let mut sealed = Batch::new().with_room(batch.room().saturating_add(envelope::ROOM));
        for Operation { key, expect, value } in batch.into_operations() {
            let value = value.map(|value| envelope::seal(&self.keys, self.scheme, &key, &value)).transpose()?;
            sealed = sealed.with(Operation { key, expect, value });
        }
        self.inner.commit(sealed).await
    }
}

#[cfg(test)]
mod tests;
