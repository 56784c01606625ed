//! What picklist fields of typed records need.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{self, Serialize, Serializer};

/// The chosen values of a multi-select picklist, in the order of the answer; `a;b` on the wire.
///
/// `T` is a text or an enum that is made from one, as [`codegen`](crate::codegen) writes them. Nothing chosen is null on the
/// wire, as Salesforce stores it, and both null and an empty text read as nothing chosen.
///
/// ```
/// use sforce::types::MultiSelect;
///
/// let chosen: MultiSelect<String> = serde_json::from_str(r#""Demo;Trial""#)?;
/// assert_eq!(*chosen, ["Demo", "Trial"]);
/// assert_eq!(serde_json::to_string(&chosen)?, r#""Demo;Trial""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Source: Object Reference, "Multi-Select Picklist Field Type".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MultiSelect<T = String>(Vec<T>);

impl<T> MultiSelect<T> {
    /// These values.
    #[must_use]
    pub fn new(values: Vec<T>) -> Self {
        Self(values)
    }

    /// The values.
    #[must_use]
    pub fn into_inner(self) -> Vec<T> {
        self.0
    }
}

impl<T> Default for MultiSelect<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for MultiSelect<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> From<Vec<T>> for MultiSelect<T> {
    fn from(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T> FromIterator<T> for MultiSelect<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<T> IntoIterator for MultiSelect<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a MultiSelect<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: AsRef<str>> Serialize for MultiSelect<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut joined = String::new();
        for value in &self.0 {
            let value = value.as_ref();
            // It would come back as two.
            if value.contains(';') {
                return Err(ser::Error::custom("a chosen value with a semicolon in it"));
            }
            if value.is_empty() {
                continue;
            }
            if !joined.is_empty() {
                joined.push(';');
            }
            joined.push_str(value);
        }
        if joined.is_empty() { serializer.serialize_none() } else { serializer.serialize_str(&joined) }
    }
}

impl<'de, T: for<'a> From<&'a str>> Deserialize<'de> for MultiSelect<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Chosen<T>(PhantomData<T>);

        impl<'de, T: for<'a> From<&'a str>> Visitor<'de> for Chosen<T> {
            type Value = MultiSelect<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("chosen values, as a;b")
            }

            fn visit_str<E>(self, text: &str) -> Result<MultiSelect<T>, E> {
                Ok(text.split(';').filter(|value| !value.is_empty()).map(T::from).collect())
            }

            fn visit_unit<E>(self) -> Result<MultiSelect<T>, E> {
                Ok(MultiSelect::default())
            }

            fn visit_none<E>(self) -> Result<MultiSelect<T>, E> {
                Ok(MultiSelect::default())
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<MultiSelect<T>, D::Error> {
                deserializer.deserialize_str(self)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<MultiSelect<T>, A::Error> {
                let mut chosen = Vec::new();
                while let Some(Text(value)) = items.next_element::<Text<T>>()? {
                    chosen.push(value);
                }
                Ok(MultiSelect(chosen))
            }
        }

        deserializer.deserialize_any(Chosen(PhantomData))
    }
}

/// Reads a text as a type that is made from one, without a copy in between: for the `Deserialize` of picklist enums.
///
/// # Errors
///
/// The deserialiser's own, and for what is no text.
pub fn deserialize_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str>,
{
    Text::deserialize(deserializer).map(|Text(value)| value)
}

struct Text<T>(T);

impl<'de, T: for<'a> From<&'a str>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor<T>(PhantomData<T>);

        impl<T: for<'a> From<&'a str>> Visitor<'_> for TextVisitor<T> {
            type Value = Text<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a picklist value")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<T>, E> {
                Ok(Text(T::from(text)))
            }
        }

        deserializer.deserialize_str(TextVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Record, Value};

    fn read(text: &str) -> Vec<String> {
        serde_json::from_str::<MultiSelect>(text).expect(text).into_inner()
    }

    #[test]
    fn every_form_of_chosen_values_is_read_and_one_is_written() {
        assert_eq!(read(r#""A;b c;\u00e4""#), ["A", "b c", "ä"]);
        assert_eq!(read(r#"["A","B"]"#), ["A", "B"]);
        for nothing in ["null", r#""""#, "[]"] {
            assert_eq!(read(nothing), Vec::<String>::new(), "{nothing}");
        }
        assert!(serde_json::from_str::<MultiSelect>("5").is_err());
        let write = |values: &[&str]| serde_json::to_string(&values.iter().collect::<MultiSelect<_>>());
        assert_eq!(write(&["A", "B"]).expect("two values"), r#""A;B""#);
        assert_eq!(write(&[]).expect("none"), "null");
        assert!(write(&["A;B"]).is_err(), "it would come back as two");
    }

    #[test]
    fn chosen_values_of_a_record_are_read_without_a_text_in_between() {
        #[derive(serde::Deserialize)]
        struct Row {
            chosen: MultiSelect,
            same: Option<MultiSelect>,
            none: Option<MultiSelect>,
        }
        let chosen = Value::MultiSelect(vec!["A".into(), "B".into()]);
        let record = Record::new().with("chosen", chosen.clone()).with("same", "A;B").with("none", Value::Null);
        let row: Row = record.to_typed().expect("fits");
        assert_eq!((&*row.chosen, row.same.as_deref()), (&["A".to_owned(), "B".to_owned()][..], Some(&*row.chosen)));
        assert!(row.none.is_none());
    }
}
