//! Keys that nobody knew of when this was written, kept as they came.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::value::RawValue;

/// Keys of a describe without a field of their own, with their values as JSON text: what a later release adds is neither lost nor
/// changed by being read and written, and no number passes through a float.
///
/// Read from `serde_json` only; another format's error says so, and only where there is such a key.
#[derive(Clone, Default)]
#[expect(clippy::box_collection, reason = "one word where there are none: an object may have a thousand fields")]
pub struct OtherKeys(Option<Box<Vec<OtherKey>>>);

type OtherKey = (Box<str>, Box<RawValue>);

impl OtherKeys {
    /// The value of a key as JSON text.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// The value of a key; `None` where it is not there, or of another shape.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.get(key)?).ok()
    }

    /// The keys with their values as JSON text, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|keys| keys.iter()).map(|(key, value)| (&**key, value.get()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn set(&mut self, key: String, value: Box<RawValue>) {
        let keys = self.0.get_or_insert_default();
        match keys.iter_mut().find(|(known, _)| **known == *key) {
            // The last one counts, as for any JSON object.
            Some((_, known)) => *known = value,
            None => keys.push((key.into(), value)),
        }
    }
}

impl PartialEq for OtherKeys {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for OtherKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for OtherKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.0.iter().flat_map(|keys| keys.iter()) {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// Addresses by name, kept as one text: an org has over a thousand objects with ten of them each.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "Option<Box<RawValue>>")]
pub struct Urls(Option<Box<RawValue>>);

impl From<Option<Box<RawValue>>> for Urls {
    fn from(json: Option<Box<RawValue>>) -> Self {
        Self(json.filter(|json| !matches!(json.get().trim(), "null" | "{}")))
    }
}

impl Urls {
    /// The address of that name, below the org's host.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let urls: std::collections::BTreeMap<String, serde_json::Value> =
            serde_json::from_str(self.0.as_ref()?.get()).ok()?;
        urls.get(name)?.as_str().map(str::to_owned)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl PartialEq for Urls {
    fn eq(&self, other: &Self) -> bool {
        let text = |urls: &Self| urls.0.as_ref().map(|json| json.get().to_owned());
        text(self) == text(other)
    }
}

impl fmt::Debug for Urls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref().map_or("{}", |json| json.get()))
    }
}

impl Serialize for Urls {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Has a struct read its fields by these keys; `null` leaves the default, and a key that is not named goes to `other`.
///
/// `serde(flatten)` would read the others through values of its own, in which numbers are floats.
macro_rules! reads_keys {
    ($name:ident { $($key:literal => $field:ident,)* }) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use $crate::types::describe::keep::{Among, Key};

                struct Keys;

                impl<'de> serde::de::Visitor<'de> for Keys {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("a ", stringify!($name)))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut read = $name::default();
                        while let Some(key) = map.next_key_seed(Among(&[$($key),*]))? {
                            match key {
                                $(Key::Known($key) => {
                                    if let Some(value) = map.next_value()? {
                                        read.$field = value;
                                    }
                                })*
                                Key::Known(_) => {}
                                Key::Other(name) => read.other.set(name, map.next_value()?),
                            }
                        }
                        Ok(read)
                    }
                }

                deserializer.deserialize_map(Keys)
            }
        }
    };
}
pub(super) use reads_keys;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
pub(super) fn is_no(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
pub(super) fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A key, looked for among those that have a field.
pub(super) enum Key {
    Known(&'static str),
    Other(String),
}

pub(super) struct Among(pub(super) &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Among {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Among {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        let known = self.0.iter().find(|known| **known == key);
        Ok(known.map_or_else(|| Key::Other(key.to_owned()), |known| Key::Known(known)))
    }
}
