//! What must outlive the process: tokens, leases, checkpoints, the outbox.
//!
//! One small trait, [`Store`], with three methods; everything that is kept is a typed view on it ([`Versioned`]).
//!
//! | Store | For |
//! | --- | --- |
//! | [`MemoryStore`] | tests, and programs that may forget |
//! | `RedbStore` (feature `redb`) | one process: one file, nothing to set up |
//! | `PostgresStore` (feature `postgres`) | several processes that share connections |
//! | `EncryptedStore` (feature `encryption`) | a wrapper over any of them that keeps values unreadable |
//!
//! Keys are never encrypted: they are sorted and searched. They hold ids and hashes, never an email address or a name.
//!
//! ```
//! use sforce::store::{Batch, Commit, Expect, Key, MemoryStore, Store};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> sforce::Result<()> {
//! let store = MemoryStore::default();
//! let key = Key::new("lease/00D5g00000ABCDE")?;
//!
//! // Of any number of processes that try this, one gets the lease.
//! let taken = store.commit(Batch::new().put(key.clone(), "worker 1", Expect::Absent)).await?;
//! assert!(matches!(taken, Commit::Applied(_)));
//! let late = store.commit(Batch::new().put(key.clone(), "worker 2", Expect::Absent)).await?;
//! assert_eq!(late, Commit::Conflict { operation: 0 });
//!
//! let entry = store.get(&[key.clone()]).await?.remove(0).expect("it was put");
//! assert_eq!(entry.value, "worker 1");
//! // Given back only if nobody has taken it over meanwhile.
//! store.commit(Batch::new().delete(key, Expect::Version(entry.version))).await?;
//! # Ok(())
//! # }
//! ```

mod batch;
mod entry;
mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redb")]
mod redb;
mod versioned;

#[cfg(feature = "encryption")]
mod encrypted;

use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;

pub use self::batch::{Batch, Commit, Expect, MAX_BATCH_BYTES, MAX_OPERATIONS, MAX_ROOM, MAX_VALUE_BYTES, Operation};
#[cfg(feature = "encryption")]
pub use self::encrypted::{EncryptedStore, EncryptionKey, Keyring, Reencrypted, Scheme};
pub use self::entry::{Entry, Key, MAX_KEY_BYTES, Version};
pub use self::memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresStore;
#[cfg(feature = "redb")]
pub use self::redb::RedbStore;
pub use self::versioned::Versioned;
use crate::error::{Error, ErrorKind, Result};

/// Keeps what must outlive the process: tokens, checkpoints, audit, outbox.
///
/// `testing::conformance::store` (feature `testing`) runs each line of the contract as a test, on any implementation.
///
/// # Contract
///
/// - A version never repeats for a key, not even after it was deleted.
/// - A read that starts after a write returned sees it, also from another process where the store is shared.
/// - `get` answers in the order of its keys, each as often as it was asked for; it sees one moment, never half a commit.
/// - `scan` is in byte order of the key, sees each key at most once, and returns fewer than `limit` entries only at the end.
///   `after` is exclusive and need not exist. Prefixes are plain text, not patterns. A page sees one moment.
/// - Keys are UTF-8, at most 512 bytes ([`Key`] sees to it); values are opaque bytes of at most 256 KiB, empty ones included;
///   larger is an error of kind [`Invalid`](ErrorKind::Invalid), not a truncation.
/// - `commit` is all or nothing: every operation carries [`Expect::Any`], `Absent` or `Version`; if one does not hold, nothing
///   of the batch is done and [`Commit::Conflict`] names the first such operation. At most 1,000 operations and 8 MiB, no
///   key twice. [`Batch::check`] holds all these limits and comes before anything else.
/// - Of any number of commits at once that expect the same version of a key, one is applied.
/// - What `commit` has returned as applied survives the end of the process, where the store is durable.
/// - An error is of kind [`Store`](ErrorKind::Store): [`Retry::After`](crate::Retry::After) if it may pass by itself,
///   [`Retry::Never`](crate::Retry::Never) if a person has to look. After an error of `commit` with
///   [`Effect::None`](crate::Effect::None) nothing was done; with [`Effect::Unknown`](crate::Effect::Unknown) all or nothing
///   was: read again. No error holds a value.
/// - Each call may be dropped at any time; a dropped `commit` was applied wholly or not at all.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Reads entries by key: one answer per key, in order, `None` where there is none.
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>>;

    /// Reads up to `limit` entries whose keys start with `prefix` and come after `after`, in byte order of the key.
    ///
    /// The next page starts after the last key of this one. Memory is the caller's to bound, by `limit`.
    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>>;

    /// Applies all operations of a batch, or none if the expectation of one does not hold.
    async fn commit(&self, batch: Batch) -> Result<Commit>;
}

#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>> {
        (**self).get(keys).await
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Entry>> {
        (**self).scan(prefix, after, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<Commit> {
        (**self).commit(batch).await
    }
}

/// Where a scan starts in byte order. It goes on for as long as keys start with the prefix.
fn scan_start<'a>(prefix: &'a str, after: Option<&'a str>) -> Bound<&'a str> {
    match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        _ => Bound::Included(prefix),
    }
}

/// A failure of the storage that a person has to look at; `with_retry` says otherwise.
fn failed(operation: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Store, operation, message)
}
