//! A configuration file as a tree in which every value knows its line, whether it was written in JSON or in TOML.

mod de;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

pub(super) use self::de::Problem;

/// Deepest nesting that is followed.
const MAX_DEPTH: usize = 64;

/// A value and the line on which it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    /// As it was written, without what only TOML allows.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Member>),
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) value: Node,
}

impl Node {
    /// The member of that name, if this is a table that has it.
    pub(super) fn member(&self, key: &str) -> Option<&Member> {
        if let Kind::Table(members) = &self.kind { members.iter().find(|member| member.key == key) } else { None }
    }

    /// The items, if this is a list.
    pub(super) fn items(&self) -> Option<&[Node]> {
        if let Kind::List(items) = &self.kind { Some(items) } else { None }
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// The line of a place, from 1.
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}

/// Reads TOML. All that is wrong with its grammar comes at once.
pub(super) fn from_toml(text: &str) -> Result<Node, Vec<Problem>> {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let line = |error: &toml::de::Error| error.span().map(|span| lines.at(span.start));
        let problem = |error: &toml::de::Error| Problem::new(line(error), format!("no TOML: {}", error.message()));
        return Err(errors.iter().map(problem).collect());
    }
    let span = table.span();
    let mut problems = Vec::new();
    let kind = toml_table(table.into_inner(), &lines, 0, &mut problems);
    if problems.is_empty() { Ok(Node { line: lines.at(span.start), kind }) } else { Err(problems) }
}

fn toml_table(table: DeTable<'_>, lines: &Lines, depth: usize, problems: &mut Vec<Problem>) -> Kind {
    let mut members: Vec<(usize, Member)> = table
        .into_iter()
        .map(|(key, value)| {
            let at = key.span().start;
            let value = toml_node(value, lines, depth + 1, problems);
            (at, Member { line: lines.at(at), key: key.into_inner().into_owned(), value })
        })
        .collect();
    members.sort_by_key(|(at, _)| *at);
    Kind::Table(members.into_iter().map(|(_, member)| member).collect())
}

fn toml_node(value: toml::Spanned<DeValue<'_>>, lines: &Lines, depth: usize, problems: &mut Vec<Problem>) -> Node {
    let line = lines.at(value.span().start);
    if depth > MAX_DEPTH {
        problems.push(Problem::new(Some(line), "nested too deeply"));
        return Node { line, kind: Kind::Null };
    }
    let kind = match value.into_inner() {
        DeValue::String(text) => Kind::Text(text.into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Kind::Number(number.to_string()),
            Err(_) => Kind::Number(number.to_string()),
        },
        DeValue::Float(number) => Kind::Number(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Kind::Bool(flag),
        DeValue::Datetime(moment) => Kind::Text(moment.to_string()),
        DeValue::Array(items) => {
            Kind::List(items.into_iter().map(|item| toml_node(item, lines, depth + 1, problems)).collect())
        }
        DeValue::Table(table) => toml_table(table, lines, depth, problems),
    };
    Node { line, kind }
}

/// Reads JSON.
pub(super) fn from_json(text: &str) -> Result<Node, Vec<Problem>> {
    let no_json = |error: &serde_json::Error| {
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        vec![Problem::new(Some(error.line().max(1)), format!("no JSON: {words}"))]
    };
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| no_json(&error))?;
    let mut reader = JsonReader { text, lines: Lines::new(text), problems: Vec::new() };
    let node = reader.node(raw, 0);
    if reader.problems.is_empty() { Ok(node) } else { Err(reader.problems) }
}

struct JsonReader<'t> {
    text: &'t str,
    lines: Lines,
    problems: Vec<Problem>,
}

impl JsonReader<'_> {
    /// The line of a part of the text.
    fn line(&self, part: &str) -> usize {
        self.lines.at((part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize))
    }

    fn node(&mut self, raw: &RawValue, depth: usize) -> Node {
        let text = raw.get();
        let line = self.line(text);
        match self.kind(text, line, depth) {
            Ok(kind) => Node { line, kind },
            Err(words) => {
                self.problems.push(Problem::new(Some(line), words));
                Node { line, kind: Kind::Null }
            }
        }
    }

    /// The text is well-formed JSON already, so its first character tells the type.
    fn kind(&mut self, text: &str, line: usize, depth: usize) -> Result<Kind, String> {
        let unreadable = |error: serde_json::Error| {
            format!("no JSON: {}", error.to_string().split(" at line ").next().unwrap_or_default())
        };
        if depth > MAX_DEPTH {
            return Err("nested too deeply".into());
        }
        Ok(match text.as_bytes().first() {
            Some(b'"') => Kind::Text(serde_json::from_str(text).map_err(unreadable)?),
            Some(b't') => Kind::Bool(true),
            Some(b'f') => Kind::Bool(false),
            Some(b'n') => Kind::Null,
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(unreadable)?;
                Kind::List(items.into_iter().map(|item| self.node(item, depth + 1)).collect())
            }
            Some(b'{') => {
                let Object(pairs) = serde_json::from_str(text).map_err(unreadable)?;
                let mut members: Vec<Member> = Vec::with_capacity(pairs.len());
                for (key, raw) in pairs {
                    // A key with escapes is no part of the text; its value stands beside it.
                    let line =
                        if let Cow::Borrowed(key) = key { self.line(key) } else { line.max(self.line(raw.get())) };
                    if members.iter().any(|member| member.key == key) {
                        self.problems.push(Problem::new(Some(line), format!("the key {key:?} stands twice")));
                    }
                    members.push(Member { line, key: key.into_owned(), value: self.node(raw, depth + 1) });
                }
                Kind::Table(members)
            }
            _ => Kind::Number(text.to_owned()),
        })
    }
}

/// The members of a JSON object, doubled ones too.
struct Object<'de>(Vec<(Cow<'de, str>, &'de RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Key(key), raw)) = map.next_entry()? {
                    members.push((key, raw));
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// A key, borrowed where it stands in the text as it is.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Key<'k>(#[serde(borrow)] Cow<'k, str>);
