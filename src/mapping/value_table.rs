//! A table of values as data.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::types::plain::Plain;
use crate::types::{Decimal, Value};

/// Another value for each of a list of values: `{ table = { entries = { gold = "A", silver = "B" }, otherwise = "blank" } }`.
///
/// A key is a text; numbers and flags are found by what they read as, `12.5` and `true`. Keys are compared exactly but for white
/// space at their ends, or also without regard to case. No key stands twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ValueTable {
    /// Keys with what stands for them.
    #[serde(with = "entries")]
    pub entries: Vec<(String, Value)>,
    /// What becomes of a value that is no key.
    #[serde(default)]
    pub otherwise: Otherwise,
    /// Whether keys are found in any case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_case: bool,
}

/// What becomes of a value that is no key of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Otherwise {
    /// The record is refused.
    #[default]
    Refuse,
    /// It stays as it is.
    Keep,
    /// It becomes blank.
    Blank,
    /// This one stands for it.
    #[serde(with = "plain")]
    Value(Value),
}

impl ValueTable {
    /// A table that refuses what is no key.
    pub fn new<K: Into<String>, V: Into<Value>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self { entries, otherwise: Otherwise::default(), ignore_case: false }
    }

    /// Sets what becomes of a value that is no key.
    #[must_use]
    pub fn otherwise(mut self, otherwise: Otherwise) -> Self {
        self.otherwise = otherwise;
        self
    }

    /// Finds keys in any case.
    #[must_use]
    pub fn ignoring_case(mut self) -> Self {
        self.ignore_case = true;
        self
    }

    pub(super) fn of_flags(truth: Value, falsehood: Value) -> Self {
        Self::new([("true", truth), ("false", falsehood)])
    }

    /// The form in which keys and values are compared.
    pub(super) fn normal(&self, text: &str) -> String {
        let text = text.trim();
        if self.ignore_case { text.to_lowercase() } else { text.to_owned() }
    }

    /// A key that stands twice as this table compares.
    pub(super) fn doubled_key(&self) -> Option<&str> {
        let mut seen = HashSet::new();
        self.entries.iter().find(|(key, _)| !seen.insert(self.normal(key))).map(|(key, _)| key.as_str())
    }

    /// A key under which a number or a flag is found as well as a text.
    pub(super) fn key_that_is_no_text(&self) -> Option<&str> {
        let is_plain = |key: &str| matches!(key, "true" | "false") || Decimal::parse(key).is_ok();
        self.entries.iter().map(|(key, _)| key.trim()).find(|key| is_plain(key))
    }

    /// The table the other way, if no two keys have one value and every value that comes out has a key.
    pub(super) fn inverse(&self) -> Option<Self> {
        if self.otherwise != Otherwise::Refuse {
            return None;
        }
        let entries: Option<Vec<(String, Value)>> =
            self.entries.iter().map(|(key, value)| Some((key_of(value)?, key.as_str().into()))).collect();
        let table = Self { entries: entries?, otherwise: Otherwise::Refuse, ignore_case: false };
        table.doubled_key().is_none().then_some(table)
    }
}

/// The text under which a value is looked up.
pub(super) fn key_of(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Id(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Entries as an object or table that has no key twice.
mod entries {
    use super::{Deserializer, EntriesVisitor, Plain, SerializeMap, Serializer, Value};

    pub(super) fn serialize<S: Serializer>(entries: &[(String, Value)], serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(entries.len()))?;
        for (key, value) in entries {
            map.serialize_entry(key, &Plain(value.clone()))?;
        }
        map.end()
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Value)>, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of keys and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        let mut seen = HashSet::new();
        while let Some((key, Plain(value))) = map.next_entry::<String, Plain>()? {
            if !seen.insert(key.clone()) {
                return Err(de::Error::custom(format!("the key {key:?} stands twice")));
            }
            if matches!(value, Value::List(_)) {
                return Err(de::Error::custom(format!("the value of {key:?} is a list")));
            }
            entries.push((key, value));
        }
        Ok(entries)
    }
}

mod plain {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Plain, Value};

    pub(super) fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
        Plain(value.clone()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        Plain::deserialize(deserializer).map(|Plain(value)| value)
    }
}
