//! Any type of serde's from a tree, with the line of what does not fit.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Kind, Member, Node};
use crate::types::plain::PLAIN;

/// A part that is told apart: an item of a list, by its number, or something with a name.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// From 1.
    pub(crate) number: Option<usize>,
    /// What it is called.
    pub(crate) words: String,
}

/// What does not fit, and where.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) line: Option<usize>,
    /// Where in the text, if it is the text itself that is wrong.
    pub(crate) at: Option<usize>,
    /// Whether it is a key that stands twice: all else of the text says what it says.
    pub(crate) doubled: bool,
    /// What part of the document it is in.
    pub(crate) part: Option<Part>,
    pub(crate) words: String,
}

impl Problem {
    pub(crate) fn new(line: Option<usize>, words: impl Into<String>) -> Self {
        Self { line, at: None, doubled: false, part: None, words: words.into() }
    }

    /// The same problem, on this line unless it knows a closer one.
    pub(crate) fn at(mut self, line: usize) -> Self {
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

impl Node {
    /// Reads a value of any type, as far as it can be read, and all keys that its type does not know, not the first one only.
    pub(crate) fn read<'n, T: Deserialize<'n>>(&'n self) -> (Option<T>, Vec<Problem>) {
        let unknown = RefCell::new(Vec::new());
        let read = T::deserialize(At { node: self, unknown: &unknown });
        let mut problems = unknown.into_inner();
        match read {
            Ok(value) => (Some(value), problems),
            Err(problem) => {
                problems.push(problem.at(self.line));
                (None, problems)
            }
        }
    }
}

/// A value on its way into a type.
#[derive(Clone, Copy)]
struct At<'n, 'u> {
    node: &'n Node,
    /// The keys that were left out because their type does not know them.
    unknown: &'u RefCell<Vec<Problem>>,
}

impl<'n> At<'n, '_> {
    fn of(self, node: &'n Node) -> Self {
        Self { node, ..self }
    }

    fn members<V: Visitor<'n>>(
        self,
        fields: Option<&'static [&'static str]>,
        members: &'n [Member],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_map(Members { at: self, rest: members.iter(), fields, value: None })
    }

    /// Leaves a member out if the type has no such field.
    fn knows(self, fields: &[&str], member: &Member) -> bool {
        if fields.contains(&member.key.as_str()) {
            return true;
        }
        let quoted: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        let expected = match &quoted[..] {
            [] => "there are no fields".to_owned(),
            [one] => format!("expected {one}"),
            [one, other] => format!("expected {one} or {other}"),
            many => format!("expected one of {}", many.join(", ")),
        };
        let words = format!("unknown field `{}`, {expected}", member.key);
        self.unknown.borrow_mut().push(Problem::new(Some(member.line), words));
        false
    }
}

impl<'de> Deserializer<'de> for At<'de, '_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let value = match &self.node.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(flag) => visitor.visit_bool(*flag),
            Kind::Number(text) => visit_number(text, visitor),
            Kind::Text(text) => visitor.visit_borrowed_str(text),
            Kind::List(items) => visitor.visit_seq(Items { at: self, rest: items.iter() }),
            Kind::Table(members) => self.members(None, members, visitor),
        };
        value.map_err(|problem| problem.at(self.node.line))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match &self.node.kind {
            Kind::Table(members) => {
                self.members(Some(fields), members, visitor).map_err(|problem| problem.at(self.node.line))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        if let Kind::Null = self.node.kind { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Problem> {
        if let (PLAIN, Kind::Number(text)) = (name, &self.node.kind) {
            // What is no number at all, infinities say, is refused as one.
            let number = if text.bytes().any(|byte| byte.is_ascii_digit()) {
                visitor.visit_bytes(text.as_bytes())
            } else {
                visit_number(text, visitor)
            };
            return number.map_err(|problem| problem.at(self.node.line));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let value = match &self.node.kind {
            Kind::Text(name) => visitor.visit_enum(Variant { at: self, name, value: None }),
            Kind::Table(members) => match &members[..] {
                [Member { key, value, .. }] => visitor.visit_enum(Variant { at: self, name: key, value: Some(value) }),
                _ => Err(de::Error::custom("a table with one key, the name, was expected")),
            },
            _ => Err(de::Error::custom("a name, or a table with the name as its one key, was expected")),
        };
        value.map_err(|mut problem| {
            // Serde's word for it says nothing to who writes maps.
            if let ("Transform", Some(rest)) = (name, problem.words.strip_prefix("unknown variant ")) {
                problem.words = format!("unknown transform {rest}");
            }
            problem.at(self.node.line)
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
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

struct Items<'n, 'u> {
    at: At<'n, 'u>,
    rest: std::slice::Iter<'n, Node>,
}

impl<'n> SeqAccess<'n> for Items<'n, '_> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'n>>(&mut self, seed: T) -> Result<Option<T::Value>, Problem> {
        let Some(item) = self.rest.next() else { return Ok(None) };
        seed.deserialize(self.at.of(item)).map(Some).map_err(|problem| problem.at(item.line))
    }
}

struct Members<'n, 'u> {
    at: At<'n, 'u>,
    rest: std::slice::Iter<'n, Member>,
    /// The keys that the type knows, if it says.
    fields: Option<&'static [&'static str]>,
    value: Option<&'n Node>,
}

impl<'n> MapAccess<'n> for Members<'n, '_> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'n>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        let (at, fields) = (self.at, self.fields);
        let Some(member) = self.rest.find(|member| fields.is_none_or(|fields| at.knows(fields, member))) else {
            return Ok(None);
        };
        self.value = Some(&member.value);
        let key: StrDeserializer<'_, Problem> = member.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|problem| problem.at(member.line))
    }

    fn next_value_seed<T: DeserializeSeed<'n>>(&mut self, seed: T) -> Result<T::Value, Problem> {
        let Some(value) = self.value.take() else { return Err(de::Error::custom("a value without a key")) };
        seed.deserialize(self.at.of(value)).map_err(|problem| problem.at(value.line))
    }
}

struct Variant<'n, 'u> {
    at: At<'n, 'u>,
    name: &'n str,
    value: Option<&'n Node>,
}

impl<'n> EnumAccess<'n> for Variant<'n, '_> {
    type Error = Problem;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'n>>(self, seed: T) -> Result<(T::Value, Self), Problem> {
        let name: StrDeserializer<'_, Problem> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'n, 'u> Variant<'n, 'u> {
    fn settings(&self) -> Result<At<'n, 'u>, Problem> {
        let settings = self.value.map(|value| self.at.of(value));
        settings.ok_or_else(|| {
            de::Error::custom(format!("{:?} needs its settings, as {{ {} = {{ … }} }}", self.name, self.name))
        })
    }
}

impl<'n> VariantAccess<'n> for Variant<'n, '_> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        match self.value {
            None => Ok(()),
            Some(value) => Err(Problem::new(Some(value.line), format!("{:?} has no settings", self.name))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'n>>(self, seed: T) -> Result<T::Value, Problem> {
        let settings = self.settings()?;
        seed.deserialize(settings).map_err(|problem| problem.at(settings.node.line))
    }

    fn tuple_variant<V: Visitor<'n>>(self, _: usize, visitor: V) -> Result<V::Value, Problem> {
        self.settings()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'n>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Problem> {
        self.settings()?.deserialize_struct("", fields, visitor)
    }
}
