//! Maps from files. All mistakes of a file come at once, each with its line.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::field_map::{FieldMap, Parts, VERSION};
use super::mistake::{MapMistake, refused};
use super::origin::Origin;
use super::rule::{FieldRule, NamedValue};
use super::validate::{Mistake, MistakeKind, Place, custom_places, mistakes};
use crate::error::Result;
use crate::types::document::{Kind, Member, Node, Part, Problem, Tree, from_file, from_json, from_toml};
use crate::types::{FieldName, SObjectName};

impl FieldMap {
    /// Reads a map in JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with every mistake, each with its line, and its rule where it is in one: unknown
    /// keys and transforms, two rules with one target, values in a circle, templates with wrong holes, tables with a key twice, wrong and
    /// exploding patterns, unknown zones, a key that no rule writes.
    pub fn from_json(text: &str) -> Result<Self> {
        read(from_json(text), None)
    }

    /// Reads a map in TOML.
    ///
    /// # Errors
    ///
    /// As for [`from_json`](Self::from_json).
    pub fn from_toml(text: &str) -> Result<Self> {
        read(from_toml(text), None)
    }

    /// Reads a map from a file of at most 16 MiB whose name ends in `.json` or `.toml`.
    ///
    /// # Errors
    ///
    /// As for [`from_json`](Self::from_json), with the file's name before each line; also for a file that cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        read(from_file(path, "field map")?, Some(&path.display().to_string()))
    }
}

fn read((tree, mut problems): Tree, file: Option<&str>) -> Result<FieldMap> {
    if let Some(tree) = &tree {
        for problem in &mut problems {
            problem.part = problem.at.and_then(|at| part_at(tree, at));
        }
        // With the first of two equal keys in a rule, the others can be read all the same.
        if problems.iter().all(|problem| problem.doubled && problem.part.is_some()) {
            match map(tree, file, problems.is_empty()) {
                Ok(map) if problems.is_empty() => return Ok(map),
                Ok(_) => {}
                Err(more) => problems.extend(more),
            }
        }
    }
    problems.sort_by_key(|problem| problem.line);
    let mistake = |problem: Problem| MapMistake::new(file, problem.line, problem.part, problem.words);
    Err(refused(problems.into_iter().map(mistake).collect()))
}

/// Collects what can be read, and all that cannot.
struct Reader(Vec<Problem>);

impl Reader {
    fn read<'n, T: Deserialize<'n>>(&mut self, node: &'n Node, part: &Part) -> Option<T> {
        let (value, problems) = node.read();
        self.0.extend(problems.into_iter().map(|problem| Problem { part: Some(part.clone()), ..problem }));
        value
    }

    fn read_key<'n, T: Deserialize<'n>>(&mut self, map: &'n Node, key: &str) -> Option<T> {
        let node = &map.member(key)?.value;
        self.read(node, &Part { number: None, words: key.to_owned() })
    }

    fn wrong(&mut self, line: usize, words: impl Into<String>) {
        self.0.push(Problem::new(Some(line), words));
    }
}

const KEYS: [&str; 8] = ["version", "object", "key", "changed_at", "create", "audience", "values", "rules"];

/// `sound` tells whether all of the text could be taken apart.
fn map(tree: &Node, file: Option<&str>, sound: bool) -> std::result::Result<FieldMap, Vec<Problem>> {
    let mut reader = Reader(Vec::new());
    let Kind::Table(members) = &tree.kind else {
        reader.wrong(tree.line, "a map is a table");
        return Err(reader.0);
    };
    for member in members.iter().filter(|member| !KEYS.contains(&member.key.as_str())) {
        reader.wrong(member.line, format!("unknown key {:?} (a map has {})", member.key, KEYS.join(", ")));
    }
    let node = |key: &str| tree.member(key).map(|member| &member.value);
    for key in ["version", "object", "key", "rules"] {
        if node(key).is_none() {
            reader.wrong(tree.line, format!("{key:?} is missing"));
        }
    }
    let version = reader.read_key(tree, "version");
    let object = reader.read_key(tree, "object");
    let key = reader.read_key(tree, "key");
    let changed_at = reader.read_key::<FieldName>(tree, "changed_at");
    let create = reader.read_key(tree, "create");
    let audience = reader.read_key(tree, "audience");
    let values = node("values").map(|node| values(node, &mut reader)).unwrap_or_default();
    let rules = node("rules").map(|node| rules(node, &mut reader)).unwrap_or_default();
    let sound = sound && reader.0.is_empty();
    let placeholder = "Unknown";
    let mut parts = Parts {
        version: version.unwrap_or(VERSION),
        object: object.unwrap_or_else(|| SObjectName::from_static(placeholder)),
        key: key.unwrap_or_else(|| FieldName::from_static(placeholder)),
        changed_at,
        create: create.unwrap_or(true),
        audience,
        values,
        rules: rules.iter().map(|(_, rule)| rule.clone()).collect(),
        origin: Origin::default(),
    };
    let number = |index: usize| rules[index].0 + 1;
    for mut mistake in mistakes(&parts, None, &number) {
        // What depends on parts that could not be read is told once they can be.
        let depends =
            matches!(mistake.place, Place::Map) && mistake.key != "version" && mistake.kind != MistakeKind::Audience
                || mistake.kind == MistakeKind::UnknownValue;
        if !sound && depends {
            continue;
        }
        let part = mistake.part(&parts, &number);
        if let Place::Rule(index) = &mut mistake.place {
            *index = rules[*index].0;
        }
        let line = line_of(tree, &mistake);
        reader.0.push(Problem { part, ..Problem::new(Some(line), mistake.text) });
    }
    if !reader.0.is_empty() {
        return Err(reader.0);
    }
    parts.origin = Origin::new(custom_places(&parts).map(|mistake| (line_of(tree, &mistake), mistake)), file);
    Ok(FieldMap(parts))
}

fn values(node: &Node, reader: &mut Reader) -> BTreeMap<String, NamedValue> {
    let Kind::Table(members) = &node.kind else {
        reader.wrong(node.line, "\"values\" is a table of values by name");
        return BTreeMap::new();
    };
    let read = |member: &Member| {
        let value = reader.read(&member.value, &value_part(&member.key))?;
        Some((member.key.clone(), value))
    };
    members.iter().filter_map(read).collect()
}

/// The rules that can be read, each with its place in the file.
fn rules(node: &Node, reader: &mut Reader) -> Vec<(usize, FieldRule)> {
    let Some(items) = node.items() else {
        reader.wrong(node.line, "\"rules\" is a list of rules");
        return Vec::new();
    };
    let read = |(index, item): (usize, &Node)| Some((index, reader.read(item, &rule_part(index, item))?));
    items.iter().enumerate().filter_map(read).collect()
}

/// What a rule is called by.
fn rule_part(index: usize, rule: &Node) -> Part {
    let number = index + 1;
    let words = match rule.member("target").map(|member| &member.value.kind) {
        Some(Kind::Text(target)) => format!("rule {number} ({target})"),
        _ => format!("rule {number}"),
    };
    Part { number: Some(number), words }
}

fn value_part(name: &str) -> Part {
    Part { number: None, words: format!("value {name}") }
}

/// The rule or value in which a place of the text is.
fn part_at(tree: &Node, at: usize) -> Option<Part> {
    let Kind::Table(members) = &tree.kind else { return None };
    let mut parts: Vec<(usize, Option<Part>)> = Vec::new();
    for member in members {
        match (member.key.as_str(), &member.value.kind) {
            ("rules", Kind::List(rules)) => {
                parts.extend(rules.iter().enumerate().map(|(index, rule)| (rule.at, Some(rule_part(index, rule)))));
            }
            ("values", Kind::Table(values)) => {
                parts.extend(values.iter().map(|value| (value.value.at, Some(value_part(&value.key)))));
            }
            _ => parts.push((member.value.at, None)),
        }
    }
    parts.into_iter().filter(|(start, _)| *start <= at).max_by_key(|(start, _)| *start)?.1
}

/// The line that is closest to a mistake.
fn line_of(tree: &Node, mistake: &Mistake) -> usize {
    let place = match &mistake.place {
        Place::Map => Some(tree),
        Place::Value(name) => tree.member("values").and_then(|values| {
            let member = values.value.member(name)?;
            Some(&member.value)
        }),
        Place::Rule(index) => tree.member("rules").and_then(|rules| rules.value.items()?.get(*index)),
    };
    let Some(place) = place else { return tree.line };
    let Some(member) = place.member(mistake.key) else { return place.line };
    let item = mistake.item.and_then(|item| member.value.items()?.get(item));
    item.map_or(member.line, |item| item.line)
}

#[cfg(test)]
mod tests;
