//! A small table by field name.

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// Things by field name, which compare without regard to case, as Salesforce does. In a file, a name that occurs twice is
/// refused.
#[derive(Clone, Debug, PartialEq)]
pub struct ByName<T>(Vec<(String, T)>);

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

fn order(left: &str, right: &str) -> Ordering {
    left.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(right.bytes().map(|byte| byte.to_ascii_lowercase()))
}

impl<T> ByName<T> {
    /// The thing of this name.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &str) -> Option<&T> {
        if self.0.is_empty() {
            return None;
        }
        let place = self.0.binary_search_by(|(known, _)| order(known, name)).ok()?;
        Some(&self.0[place].1)
    }

    /// Sets a thing and gives back the one it replaces.
    pub fn set(&mut self, name: &str, thing: T) -> Option<T> {
        match self.0.binary_search_by(|(known, _)| order(known, name)) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, thing)),
            Err(place) => {
                self.0.insert(place, (name.to_owned(), thing));
                None
            }
        }
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those things that something comes of.
    pub(super) fn filter_map<U>(self, of: impl Fn(T) -> Option<U>) -> ByName<U> {
        ByName(self.0.into_iter().filter_map(|(name, thing)| Some((name, of(thing)?))).collect())
    }

    /// All things with their names, in the order of these.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, thing)| (name.as_str(), thing))
    }
}

impl<T: Serialize> Serialize for ByName<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByName<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Names<T> {
            type Value = ByName<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a member for each field")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ByName<T>, A::Error> {
                let mut names = Vec::new();
                while let Some(pair) = map.next_entry::<String, T>()? {
                    names.push(pair);
                }
                // Sorted once: setting them one by one would move the others each time.
                names.sort_by(|(left, _), (right, _)| order(left, right));
                match names.windows(2).find(|pair| order(&pair[0].0, &pair[1].0).is_eq()) {
                    Some(pair) => Err(de::Error::custom(format_args!("the field {:?} occurs twice", pair[1].0))),
                    None => Ok(ByName(names)),
                }
            }
        }

        deserializer.deserialize_map(Names(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_refused_twice() {
        let names: ByName<u32> = serde_json::from_str(r#"{"b__c":2,"A":1,"Zed":3}"#).expect("reads");
        assert_eq!(
            (names.get("B__C"), names.get("a"), names.get("zed"), names.get("c")),
            (Some(&2), Some(&1), Some(&3), None)
        );
        let error = serde_json::from_str::<ByName<u32>>(r#"{"A":1,"B":3,"a":2}"#).expect_err("twice").to_string();
        assert!(error.contains("occurs twice"), "{error}");
    }
}
