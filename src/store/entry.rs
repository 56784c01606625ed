//! Key, version, entry.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};

/// The most bytes a key may have.
pub const MAX_KEY_BYTES: usize = 512;

/// The name of an entry: UTF-8 of at most [`MAX_KEY_BYTES`], ordered by its bytes. A clone is cheap.
///
/// By convention parts are separated by `/`, the kind of thing first: `token/<tenant>/<connection>`. Keys are readable in
/// every store and stand in error messages, so they hold ids and hashes, never an email address, a name or a secret.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

impl Key {
    /// Takes a name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if it is longer than [`MAX_KEY_BYTES`].
    pub fn new(name: impl AsRef<str>) -> Result<Self> {
        let name = name.as_ref();
        if name.len() > MAX_KEY_BYTES {
            return Err(Error::new(ErrorKind::Invalid, "store.key", "a key is too long")
                .with_context("bytes", name.len())
                .with_context("limit", MAX_KEY_BYTES)
                .with_advice("hash the long part"));
        }
        Ok(Self(Arc::from(name)))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::new(name)
    }
}

/// Which write of a key this is. Only equality means something: a later version need not be larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// A version of an implementation's own counting.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number it was made of.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A key with what is stored under it.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub key: Key,
    /// Which write it comes from.
    pub version: Version,
    /// The bytes.
    pub value: Bytes,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values are tokens, among others.
        f.debug_struct("Entry")
            .field("key", &self.key)
            .field("version", &self.version.0)
            .field("bytes", &self.value.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_512_bytes_is_one_and_of_513_is_none() {
        assert_eq!(Key::new("k".repeat(512)).expect("fits").as_str().len(), 512);
        let error = Key::new("é".repeat(257)).expect_err("514 bytes, though 257 characters");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(
            error.to_string(),
            "store.key: invalid: a key is too long (bytes 514, limit 512); hash the long part"
        );
    }

    #[test]
    fn an_entry_does_not_show_its_value() {
        let entry =
            Entry { key: Key::new("token/1").expect("short"), version: Version::new(7), value: "hunter2".into() };
        assert_eq!(format!("{entry:?}"), r#"Entry { key: "token/1", version: 7, bytes: 7, .. }"#);
    }
}
