//! Any type of serde's from a tree, with the line of what does not fit.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Kind, Member, Node};
use crate::mapping::mistake::Part;
use crate::types::plain::PLAIN;

/// What does not fit, and where.
#[derive(Debug)]
pub(in crate::mapping) struct Problem {
    pub(in crate::mapping) line: Option<usize>,
    /// Where in the text, if it is the text itself that is wrong.
    pub(in crate::mapping) at: Option<usize>,
    /// Whether it is a key that stands twice: all else of the text says what it says.
    pub(in crate::mapping) doubled: bool,
    /// What part of the map it is in.
    pub(in crate::mapping) part: Option<Part>,
    pub(in crate::mapping) words: String,
}

impl Problem {
    pub(in crate::mapping) fn new(line: Option<usize>, words: impl Into<String>) -> Self {
        Self { line, at: None, doubled: false, part: None, words: words.into() }
    }

    /// The same problem, on this line unless it knows a closer one.
    pub(in crate::mapping) fn at(mut self, line: usize) -> Self {
        self.line.get_or_insert(line);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Problem {}

impl de::Error for Problem {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::new(None, words.to_string())
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let value = match &self.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(flag) => visitor.visit_bool(*flag),
            Kind::Number(text) => visit_number(text, visitor),
            Kind::Text(text) => visitor.visit_borrowed_str(text),
            Kind::List(items) => visitor.visit_seq(Items(items.iter())),
            Kind::Table(members) => visitor.visit_map(Members { rest: members.iter(), value: None }),
        };
        value.map_err(|problem| problem.at(self.line))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        if let Kind::Null = self.kind { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Problem> {
        if let (PLAIN, Kind::Number(text)) = (name, &self.kind) {
            // What is no number at all, infinities say, is refused as one.
            let number = if text.bytes().any(|byte| byte.is_ascii_digit()) {
                visitor.visit_bytes(text.as_bytes())
            } else {
                visit_number(text, visitor)
            };
            return number.map_err(|problem| problem.at(self.line));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let value = match &self.kind {
            Kind::Text(name) => visitor.visit_enum(Variant { name, value: None }),
            Kind::Table(members) => match &members[..] {
                [Member { key, value, .. }] => visitor.visit_enum(Variant { name: key, value: Some(value) }),
                _ => Err(de::Error::custom("a table with one key, the name, was expected")),
            },
            _ => Err(de::Error::custom("a name, or a table with the name as its one key, was expected")),
        };
        value.map_err(|mut problem| {
            // Serde's word for it says nothing to who writes maps.
            if let ("Transform", Some(rest)) = (name, problem.words.strip_prefix("unknown variant ")) {
                problem.words = format!("unknown transform {rest}");
            }
            problem.at(self.line)
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

fn visit_number<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Problem> {
    if let Ok(number) = text.parse::<i64>() {
        return visitor.visit_i64(number);
    }
    if let Ok(number) = text.parse::<u64>() {
        return visitor.visit_u64(number);
    }
    // No exact number is asked for: that is `PLAIN`.
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => visitor.visit_f64(number),
        _ => Err(de::Error::custom("a number that cannot be held")),
    }
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Problem> {
        let Some(item) = self.0.next() else { return Ok(None) };
        seed.deserialize(item).map(Some).map_err(|problem| problem.at(item.line))
    }
}

struct Members<'de> {
    rest: std::slice::Iter<'de, Member>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        let Some(member) = self.rest.next() else { return Ok(None) };
        self.value = Some(&member.value);
        let key: StrDeserializer<'_, Problem> = member.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|problem| problem.at(member.line))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Problem> {
        let Some(value) = self.value.take() else { return Err(de::Error::custom("a value without a key")) };
        seed.deserialize(value).map_err(|problem| problem.at(value.line))
    }
}

struct Variant<'de> {
    name: &'de str,
    value: Option<&'de Node>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Problem;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Problem> {
        let name: StrDeserializer<'_, Problem> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> Variant<'de> {
    fn settings(&self) -> Result<&'de Node, Problem> {
        self.value.ok_or_else(|| {
            de::Error::custom(format!("{:?} needs its settings, as {{ {} = {{ … }} }}", self.name, self.name))
        })
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        match self.value {
            None => Ok(()),
            Some(value) => Err(Problem::new(Some(value.line), format!("{:?} has no settings", self.name))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Problem> {
        let settings = self.settings()?;
        seed.deserialize(settings).map_err(|problem| problem.at(settings.line))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Problem> {
        self.settings()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Problem> {
        self.settings()?.deserialize_any(visitor)
    }
}
