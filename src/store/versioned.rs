//! Typed values with the number of the format they were written in.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::failed;
use crate::error::{Error, ErrorKind, Result};

/// Reads the body of an older format: its number and its JSON text.
type Migration<T> = fn(u16, &str) -> Result<T>;

/// How values of one type are stored: `{"format":2,"body":…}`, JSON.
///
/// Writing always uses the current format. Reading takes the current one, hands older ones to the migration, and refuses newer
/// ones with the advice to upgrade, so that an old process beside a new one never misreads what it finds.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sforce::store::Versioned;
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Lease {
///     owner: String,
///     until_seconds: u64,
/// }
///
/// // Format 1 had minutes.
/// fn from_older(_format: u16, body: &str) -> sforce::Result<Lease> {
///     #[derive(Deserialize)]
///     struct Lease1 {
///         owner: String,
///         until_minutes: u64,
///     }
///     let old: Lease1 = Versioned::<Lease1>::body("lease", body)?;
///     Ok(Lease { owner: old.owner, until_seconds: old.until_minutes * 60 })
/// }
///
/// const LEASE: Versioned<Lease> = Versioned::new("lease", 2).with_migration(from_older);
///
/// # fn main() -> sforce::Result<()> {
/// let lease = Lease { owner: "worker 1".into(), until_seconds: 120 };
/// assert_eq!(LEASE.decode(&LEASE.encode(&lease)?)?, lease);
/// assert_eq!(LEASE.decode(br#"{"format":1,"body":{"owner":"worker 1","until_minutes":2}}"#)?, lease);
/// assert!(LEASE.decode(br#"{"format":3,"body":{}}"#).is_err());
/// # Ok(())
/// # }
/// ```
pub struct Versioned<T> {
    what: &'static str,
    format: u16,
    migration: Option<Migration<T>>,
    of: PhantomData<fn() -> T>,
}

#[derive(Serialize, Deserialize)]
struct Envelope<B> {
    format: u16,
    body: B,
}

/// Only the number: the body of a newer format may be anything.
#[derive(Deserialize)]
struct Format {
    format: u16,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    body: &'a RawValue,
}

/// Counts what is written to it.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<T> Versioned<T> {
    /// A type whose current format has this number. `what` names the type in errors.
    #[must_use]
    pub const fn new(what: &'static str, format: u16) -> Self {
        Self { what, format, migration: None, of: PhantomData }
    }

    /// Reads older formats. Without it they are an error.
    #[must_use]
    pub const fn with_migration(mut self, migration: fn(u16, &str) -> Result<T>) -> Self {
        self.migration = Some(migration);
        self
    }
}

impl<T: Serialize> Versioned<T> {
    /// Writes a value in the current format.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the type cannot be written as JSON, such as a map with keys that are no text.
    pub fn encode(&self, value: &T) -> Result<Bytes> {
        let envelope = Envelope { format: self.format, body: value };
        // The cause could quote the value.
        let invalid = |_| {
            Error::new(ErrorKind::Invalid, "store.encode", "a value cannot be written as JSON")
                .with_context("type", self.what)
        };
        // Measured first: a buffer that grows would leave pieces of secrets behind in memory.
        let mut length = Length(0);
        serde_json::to_writer(&mut length, &envelope).map_err(invalid)?;
        let mut bytes = Vec::with_capacity(length.0);
        serde_json::to_writer(&mut bytes, &envelope).map_err(invalid)?;
        // Wiped once nobody has it any more: tokens are among the values.
        Ok(Bytes::from_owner(Zeroizing::new(bytes)))
    }
}

impl<T: DeserializeOwned> Versioned<T> {
    /// Reads a value of the current format, or of an older one through the migration.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`], not worth repeating: not an envelope, a newer format, an older one without a migration, or a
    /// body that is not of this type. No error quotes the bytes.
    pub fn decode(&self, bytes: &[u8]) -> Result<T> {
        let unreadable = |error| unreadable(self.what, "a stored value is not in an envelope of ours", &error);
        let Format { format } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if format > self.format {
            return Err(failed("store.decode", "a stored value has a newer format than this version knows")
                .with_context("type", self.what)
                .with_context("format", format)
                .with_context("known", self.format)
                .with_advice("upgrade this process, or read with the newer one"));
        }
        let Raw { body } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if format == self.format {
            return Self::body(self.what, body.get());
        }
        let migration = self.migration.ok_or_else(|| {
            failed("store.decode", "a stored value has a format that is no longer read")
                .with_context("type", self.what)
                .with_context("format", format)
                .with_context("known", self.format)
        })?;
        migration(format, body.get())
    }

    /// Reads a bare body, for migrations, with errors that do not quote it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] if the text is not of this type.
    pub fn body(what: &'static str, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| unreadable(what, "a stored value is not of its type", &error))
    }
}

/// serde's own words quote what they meet, such as `invalid type: string "hunter2"`; only the place is told.
fn unreadable(what: &'static str, message: &'static str, error: &serde_json::Error) -> Error {
    let place: Cow<'_, str> = match error.classify() {
        serde_json::error::Category::Eof => "the end: it is cut off".into(),
        _ => format!("line {} column {}", error.line(), error.column()).into(),
    };
    failed("store.decode", message).with_context("type", what).with_context("at", place)
}

impl<T> Clone for Versioned<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Versioned<T> {}

impl<T> fmt::Debug for Versioned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Versioned").field("what", &self.what).field("format", &self.format).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Token {
        token: String,
        uses: u32,
    }

    const TOKEN: Versioned<Token> = Versioned::new("token", 2);

    fn from_one(_: u16, body: &str) -> Result<Token> {
        Ok(Token { token: Versioned::<String>::body("token", body)?, uses: 0 })
    }

    #[test]
    fn what_is_written_is_read_again() {
        let token = Token { token: "hunter2".into(), uses: 3 };
        let bytes = TOKEN.encode(&token).expect("json");
        assert_eq!(bytes, r#"{"format":2,"body":{"token":"hunter2","uses":3}}"#);
        assert_eq!(TOKEN.decode(&bytes).expect("ours"), token);
    }

    #[test]
    fn a_newer_format_says_so_whatever_its_body_is() {
        let error = TOKEN.decode(br#"{"format":3,"header":1}"#).expect_err("newer");
        assert_eq!(
            error.to_string(),
            "store.decode: storage failed: a stored value has a newer format than this version knows \
             (type token, format 3, known 2); upgrade this process, or read with the newer one"
        );
    }

    #[test]
    fn an_older_format_needs_a_migration() {
        let old = br#"{"format":1,"body":"hunter2"}"#;
        let error = TOKEN.decode(old).expect_err("no migration");
        assert!(error.to_string().contains("no longer read (type token, format 1, known 2)"), "{error}");
        let token = TOKEN.with_migration(from_one).decode(old).expect("migrated");
        assert_eq!(token, Token { token: "hunter2".into(), uses: 0 });
    }

    #[test]
    fn no_error_quotes_what_was_stored() {
        let bad: [&[u8]; 8] = [
            b"hunter2",
            b"\xff\xfehunter2",
            br#"{"format":"hunter2","body":1}"#,
            br#"{"format":2}"#,
            br#"{"format":2,"body":{"token":"a","uses":"hunter2"}}"#,
            br#"{"format":2,"body":{"token":"hunter2","uses":1"#,
            br#"{"format":2,"body":"hunter2"}"#,
            br#"{"format":1,"body":{"hunter2":1}}"#,
        ];
        for bytes in bad {
            let error = TOKEN.with_migration(from_one).decode(bytes).expect_err("unreadable");
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Store, crate::error::Retry::Never));
            let mut shown = format!("{error} {error:?}");
            let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
            while let Some(error) = cause {
                shown += &error.to_string();
                cause = error.source();
            }
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
