//! A configuration file as a tree in which every value knows its line, whether it was written in JSON or in TOML.

mod de;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

pub(crate) use self::de::{Part, Problem};
use crate::error::{Error, ErrorKind, Result};

/// Largest file that is read.
const MAX_BYTES: u64 = 16 << 20;

/// Deepest nesting that is followed.
const MAX_DEPTH: usize = 64;

/// A value and the line on which it begins.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    /// Where in the text it begins.
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    /// As it was written, without what only TOML allows.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Member>),
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) line: usize,
    pub(crate) key: String,
    pub(crate) value: Node,
}

impl Node {
    /// The member of that name, if this is a table that has it.
    pub(crate) fn member(&self, key: &str) -> Option<&Member> {
        if let Kind::Table(members) = &self.kind { members.iter().find(|member| member.key == key) } else { None }
    }

    /// The items, if this is a list.
    pub(crate) fn items(&self) -> Option<&[Node]> {
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

/// A text taken apart: the tree as far as there is one, and what is wrong with the text.
pub(crate) type Tree = (Option<Node>, Vec<Problem>);

/// Reads a file of at most 16 MiB whose name ends in `.json` or `.toml`. `what` is the document, as errors call it.
///
/// # Errors
///
/// [`ErrorKind::Config`] for a file of another name or size, and for one that cannot be read.
pub(crate) fn from_file(path: &Path, what: &'static str) -> Result<Tree> {
    let failed = |words: &str| Error::new(ErrorKind::Config, what, format!("{}: {words}", path.display()));
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let json = extension.eq_ignore_ascii_case("json");
    if !json && !extension.eq_ignore_ascii_case("toml") {
        return Err(failed("neither .json nor .toml"));
    }
    let unreadable = |error: std::io::Error| failed("cannot be read").with_source(error);
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
        return Err(failed("larger than 16 MiB"));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(if json { from_json(text) } else { from_toml(text) })
}

/// Reads TOML. All that is wrong with its grammar comes at once.
pub(crate) fn from_toml(text: &str) -> Tree {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| {
            let at = error.span().map(|span| span.start);
            let doubled = error.message() == "duplicate key";
            Problem { at, doubled, ..Problem::new(at.map(|at| lines.at(at)), format!("no TOML: {}", error.message())) }
        })
        .collect();
    let at = table.span().start;
    let kind = toml_table(table.into_inner(), &lines, 0, &mut problems);
    (Some(Node { line: lines.at(at), at, kind }), problems)
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
    let at = value.span().start;
    let line = lines.at(at);
    if depth > MAX_DEPTH {
        problems.push(Problem { at: Some(at), ..Problem::new(Some(line), "nested too deeply") });
        return Node { line, at, kind: Kind::Null };
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
    Node { line, at, kind }
}

/// Reads JSON.
pub(crate) fn from_json(text: &str) -> Tree {
    let raw: &RawValue = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let words = error.to_string();
            let words = words.split(" at line ").next().unwrap_or_default();
            return (None, vec![Problem::new(Some(error.line().max(1)), format!("no JSON: {words}"))]);
        }
    };
    let mut reader = JsonReader { text, lines: Lines::new(text), problems: Vec::new() };
    let node = reader.node(raw, 0);
    (Some(node), reader.problems)
}

struct JsonReader<'t> {
    text: &'t str,
    lines: Lines,
    problems: Vec<Problem>,
}

impl JsonReader<'_> {
    /// Where a part of the text begins.
    fn at(&self, part: &str) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    fn node(&mut self, raw: &RawValue, depth: usize) -> Node {
        let text = raw.get();
        let at = self.at(text);
        let line = self.lines.at(at);
        match self.kind(text, at, depth) {
            Ok(kind) => Node { line, at, kind },
            Err(words) => {
                self.problems.push(Problem { at: Some(at), ..Problem::new(Some(line), words) });
                Node { line, at, kind: Kind::Null }
            }
        }
    }

    /// The text is well-formed JSON already, so its first character tells the type.
    fn kind(&mut self, text: &str, start: usize, depth: usize) -> std::result::Result<Kind, String> {
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
                let mut seen = HashSet::with_capacity(pairs.len());
                for (key, raw) in pairs {
                    // A key with escapes is no part of the text; its value stands beside it.
                    let at = if let Cow::Borrowed(key) = key { self.at(key) } else { start.max(self.at(raw.get())) };
                    let line = self.lines.at(at);
                    if !seen.insert(key.clone()) {
                        let problem = Problem::new(Some(line), format!("the key {key:?} stands twice"));
                        self.problems.push(Problem { at: Some(self.at(raw.get())), doubled: true, ..problem });
                        // In a rule or value the first counts, so that all else there can be looked through.
                        if depth > 1 {
                            continue;
                        }
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
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Object<'de>, A::Error> {
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
