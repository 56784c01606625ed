//! A batch of conditional writes, the limits that hold for all stores, and what became of it.

use std::collections::HashSet;
use std::fmt;

use bytes::Bytes;

use super::{Key, Version};
use crate::error::{Error, ErrorKind, Result};

/// The most bytes a value may have: 256 KiB.
pub const MAX_VALUE_BYTES: usize = 256 * 1024;

/// The most operations a batch may have.
pub const MAX_OPERATIONS: usize = 1_000;

/// The most bytes that the keys and values of a batch may have together: 8 MiB.
pub const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// The most bytes that wrappers may add to each value, beyond the limits.
pub const MAX_ROOM: usize = 1024;

/// What must be true of a key for an operation to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expect {
    /// Nothing.
    Any,
    /// There is no such entry.
    Absent,
    /// The entry is there and was last written as this version.
    Version(Version),
}

impl Expect {
    /// Whether it holds for an entry of this version, or for none.
    #[must_use]
    pub fn holds(self, current: Option<Version>) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => current.is_none(),
            Self::Version(version) => current == Some(version),
        }
    }
}

/// One write: a put, or a delete.
#[derive(Clone, PartialEq, Eq)]
pub struct Operation {
    /// What is written.
    pub key: Key,
    /// The condition.
    pub expect: Expect,
    /// The new value; `None` deletes. Deleting what is not there does nothing, if the expectation allows it.
    pub value: Option<Bytes>,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values are tokens, among others.
        f.debug_struct(if self.value.is_some() { "Put" } else { "Delete" })
            .field("key", &self.key)
            .field("expect", &self.expect)
            .field("bytes", &self.value.as_ref().map_or(0, Bytes::len))
            .finish_non_exhaustive()
    }
}

/// Operations that are done together or not at all.
///
/// An empty batch is applied and does nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    operations: Vec<Operation>,
    room: usize,
}

impl Batch {
    /// Makes an empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a write of a value.
    #[must_use]
    pub fn put(self, key: Key, value: impl Into<Bytes>, expect: Expect) -> Self {
        self.with(Operation { key, expect, value: Some(value.into()) })
    }

    /// Adds a deletion. With [`Expect::Absent`] it is a mere check that there is no such entry.
    #[must_use]
    pub fn delete(self, key: Key, expect: Expect) -> Self {
        self.with(Operation { key, expect, value: None })
    }

    /// Adds an operation.
    #[must_use]
    pub fn with(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// Lets each value be this much larger than the limit: for a wrapper that adds bytes of its own to what users store, so
    /// that their limits stay the same. Adds up over wrappers.
    ///
    /// More than [`MAX_ROOM`] in all makes [`check`](Self::check) fail.
    #[must_use]
    pub fn with_room(mut self, bytes: usize) -> Self {
        self.room = self.room.saturating_add(bytes);
        self
    }

    /// What [`with_room`](Self::with_room) has set.
    #[must_use]
    pub fn room(&self) -> usize {
        self.room
    }

    /// The operations, in order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operations, by value.
    #[must_use]
    pub fn into_operations(self) -> Vec<Operation> {
        self.operations
    }

    /// Checks every limit on a batch. Each store calls this first; it is the one place that knows the limits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for more than [`MAX_OPERATIONS`], a value over [`MAX_VALUE_BYTES`], more than
    /// [`MAX_BATCH_BYTES`] in all, a key that occurs twice, or room over [`MAX_ROOM`].
    pub fn check(&self) -> Result<()> {
        let invalid = |message| Error::new(ErrorKind::Invalid, "store.commit", message);
        if self.operations.len() > MAX_OPERATIONS {
            return Err(invalid("a batch has too many operations")
                .with_context("operations", self.operations.len())
                .with_context("limit", MAX_OPERATIONS));
        }
        if self.room > MAX_ROOM {
            return Err(invalid("wrappers add too much to each value")
                .with_context("bytes", self.room)
                .with_context("limit", MAX_ROOM));
        }
        let mut keys = HashSet::with_capacity(self.operations.len());
        let (mut total, mut limit) = (0, MAX_BATCH_BYTES);
        for Operation { key, value, .. } in &self.operations {
            let bytes = value.as_ref().map_or(0, Bytes::len);
            if bytes > MAX_VALUE_BYTES + self.room {
                return Err(invalid("a value is too large")
                    .with_context("key", key)
                    .with_context("bytes", bytes)
                    .with_context("limit", MAX_VALUE_BYTES));
            }
            if !keys.insert(key) {
                return Err(invalid("a key occurs twice in one batch").with_context("key", key));
            }
            total += key.as_str().len() + bytes;
            limit += self.room;
        }
        if total > limit {
            return Err(invalid("a batch is too large").with_context("bytes", total).with_context("limit", limit));
        }
        Ok(())
    }

    /// The first operation whose expectation does not hold, given the version of each operation's key.
    #[must_use]
    pub fn first_conflict(&self, current: &[Option<Version>]) -> Option<usize> {
        self.operations.iter().zip(current).position(|(operation, current)| !operation.expect.holds(*current))
    }
}

/// What became of a batch.
#[must_use = "a conflict is not an error: look which it was"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    /// All was done. One item per operation, in order: the new version of a put, `None` for a delete.
    Applied(Vec<Option<Version>>),
    /// Nothing was done.
    Conflict {
        /// The first operation whose expectation did not hold, counted from 0.
        operation: usize,
    },
}

impl Commit {
    /// Whether all was done.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Applied(_))
    }

    /// The new version that an operation made; `None` after a conflict, for a delete, and for a number out of range.
    #[must_use]
    pub fn version(&self, operation: usize) -> Option<Version> {
        match self {
            Self::Applied(versions) => versions.get(operation).copied().flatten(),
            Self::Conflict { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::new(name).expect("short")
    }

    fn refused(batch: &Batch) -> String {
        let error = batch.check().expect_err("over a limit");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    }

    #[test]
    fn expectations_hold_for_what_they_say() {
        let (one, two) = (Version::new(1), Version::new(2));
        let cases = [
            (Expect::Any, None, true),
            (Expect::Any, Some(one), true),
            (Expect::Absent, None, true),
            (Expect::Absent, Some(one), false),
            (Expect::Version(one), None, false),
            (Expect::Version(one), Some(one), true),
            (Expect::Version(one), Some(two), false),
        ];
        for (expect, current, holds) in cases {
            assert_eq!(expect.holds(current), holds, "{expect:?} of {current:?}");
        }
    }

    #[test]
    fn room_of_a_wrapper_comes_on_top_of_the_limits() {
        let full = Batch::new().put(key("a"), vec![0; MAX_VALUE_BYTES + 60], Expect::Any);
        assert!(refused(&full).contains("a value is too large (key a, bytes 262204, limit 262144)"));
        full.clone().with_room(60).check().expect("fits with its room");
        assert!(refused(&full.with_room(1000).with_room(25)).contains("wrappers add too much"));
    }

    #[test]
    fn a_batch_with_a_key_twice_is_refused() {
        let batch = Batch::new().put(key("a"), "1", Expect::Any).delete(key("a"), Expect::Any);
        assert_eq!(refused(&batch), "store.commit: invalid: a key occurs twice in one batch (key a)");
    }

    #[test]
    fn debug_shows_no_value() {
        let batch = Batch::new().put(key("token/1"), "hunter2", Expect::Absent);
        assert!(!format!("{batch:?}").contains("hunter2"), "{batch:?}");
        assert!(format!("{batch:?}").contains("token/1"));
    }
}
