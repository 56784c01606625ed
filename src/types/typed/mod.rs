//! Between a program's own types and records, by serde and without a text in between.

mod de;
mod ser;

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Record;
use crate::error::{Error, ErrorKind, Result};

/// How `serde_json` hands over a value as the text it is written as, and asks for one. It is how an exact number, whose type says
/// so, passes any `serde_json` serializer; tests hold it to that.
pub(crate) const RAW: &str = "$serde_json::private::RawValue";

/// What does not fit, and in which field. Never quotes a value: it ends in logs.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// Names from the outermost in, with a dot between two.
    pub(crate) path: String,
    pub(crate) reason: String,
}

impl Misfit {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { path: String::new(), reason: reason.into() }
    }

    /// The same, inside this field.
    pub(crate) fn inside(mut self, name: &str) -> Self {
        self.path = if self.path.is_empty() { name.to_owned() } else { format!("{name}.{}", self.path) };
        self
    }

    pub(crate) fn into_error(self) -> Error {
        let error = Error::new(ErrorKind::Invalid, "record", self.reason);
        if self.path.is_empty() { error } else { error.with_context("field", self.path) }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Misfit {}

/// A record of a struct or map.
pub(crate) fn to_record<T: Serialize + ?Sized>(value: &T) -> std::result::Result<Record, Misfit> {
    ser::to_record(value)
}

/// A struct or map of a record.
pub(crate) fn from_record<T: DeserializeOwned>(record: &Record) -> std::result::Result<T, Misfit> {
    T::deserialize(de::Fields(record))
}

impl Record {
    /// Makes a record of any struct or map that serde knows, without a text in between.
    ///
    /// Numbers keep all their digits: [`Decimal`](super::Decimal) and the integers up to 128 bits exactly, floats as the shortest
    /// decimal that reads as them. `None` is null; [`Field`](super::Field) tells absent, null and set apart. A variant without
    /// data is a text, other variants, nested structs and maps are nested records, sequences and tuples lists.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] naming the field: NaN or an infinity, bytes, a map whose keys are no texts, what is no struct or
    /// map, and what the type's own `Serialize` refuses.
    pub fn from_typed<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        to_record(value).map_err(Misfit::into_error)
    }

    /// Reads the record as any struct or map that serde knows, without a text in between.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] naming the field that is missing or of another type; the value itself is not quoted.
    pub fn to_typed<T: DeserializeOwned>(&self) -> Result<T> {
        from_record(self).map_err(Misfit::into_error)
    }
}

#[cfg(test)]
mod tests;
