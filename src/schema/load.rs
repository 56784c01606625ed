//! Desired schemas from files. All faults of a file come at once, each with its line.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::desired::VERSION;
use super::validate::{Place, SchemaFault, faults};
use super::{DesiredSchema, DesiredSection};
use crate::api::metadata::{AnyComponent, CustomField, CustomObject, PermissionSet};
use crate::error::Result;
use crate::types::document::{Kind, Node, Problem, Tree, from_file, from_json, from_toml};

const KEYS: [&str; 7] = ["version", "name", "objects", "fields", "permissionSet", "layoutSections", "components"];

impl DesiredSchema {
    /// Reads a schema in JSON. Its keys are `version` (1), `name`, `objects`, `fields`, `permissionSet`, `layoutSections` and
    /// `components`; what stands below them has the Metadata API's own names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with every fault, each with its line: all unknown keys, what is missing or of
    /// another type, and what [`validate`](Self::validate) finds. [`SchemaFault::all_of`] takes them apart.
    pub fn from_json(text: &str) -> Result<Self> {
        read(from_json(text), None)
    }

    /// Reads a schema in TOML.
    ///
    /// ```
    /// use sforce::schema::DesiredSchema;
    ///
    /// let schema = DesiredSchema::from_toml(
    ///     r#"
    /// version = 1
    /// name = "survey"
    ///
    /// [[fields]]
    /// fullName = "Contact.CSAT_Score__c"
    /// label = "CSAT Score"
    /// type = "Number"
    /// precision = 5
    /// scale = 2
    /// "#,
    /// )?;
    /// assert_eq!(schema.fields[0].name(), "CSAT_Score__c");
    /// # Ok::<(), sforce::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`from_json`](Self::from_json).
    pub fn from_toml(text: &str) -> Result<Self> {
        read(from_toml(text), None)
    }

    /// Reads a schema from a file of at most 16 MiB whose name ends in `.json` or `.toml`.
    ///
    /// # Errors
    ///
    /// As for [`from_json`](Self::from_json), with the file's name before each line; also for a file that cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        read(from_file(path, "schema")?, Some(&path.display().to_string()))
    }
}

fn read((tree, problems): Tree, file: Option<&str>) -> Result<DesiredSchema> {
    let mut reader = Reader { found: Vec::new(), items: BTreeMap::new() };
    reader.add("", problems);
    let schema = tree.as_ref().filter(|_| reader.found.is_empty()).and_then(|tree| reader.schema(tree));
    if let (Some(schema), Some(tree)) = (&schema, &tree) {
        // What could not be read is missing in a section for that reason alone.
        let whole = reader.found.is_empty();
        let told = faults(schema).into_iter().filter(|fault| whole || !matches!(fault.place, Place::Section(_)));
        let told: Vec<SchemaFault> =
            told.map(|fault| SchemaFault { line: Some(reader.line_of(tree, fault.place)), ..fault }).collect();
        reader.found.extend(told);
    }
    let mut found = reader.found;
    for fault in &mut found {
        fault.file = file.map(str::to_owned);
    }
    found.sort_by_key(|fault| fault.line);
    SchemaFault::refuse(found)?;
    // Without a fault there is a schema.
    Ok(schema.unwrap_or_default())
}

/// Collects what can be read, and all that cannot.
struct Reader<'n> {
    found: Vec<SchemaFault>,
    /// The items of each list that could be read.
    items: BTreeMap<&'static str, Vec<&'n Node>>,
}

impl<'n> Reader<'n> {
    fn add(&mut self, subject: &str, problems: Vec<Problem>) {
        self.found.extend(problems.into_iter().map(|problem| {
            let fault = SchemaFault::new(Place::Schema, subject, problem.words);
            SchemaFault { line: problem.line, ..fault }
        }));
    }

    fn wrong(&mut self, line: usize, words: String) {
        self.add("", vec![Problem::new(Some(line), words)]);
    }

    fn read<T: Deserialize<'n>>(&mut self, subject: &str, node: &'n Node) -> Option<T> {
        let (value, problems) = node.read();
        self.add(subject, problems);
        value
    }

    /// The items of a list that can be read.
    fn items<T: Deserialize<'n>>(&mut self, tree: &'n Node, key: &'static str, name_key: &str, one: &str) -> Vec<T> {
        let Some(member) = tree.member(key) else { return Vec::new() };
        let Some(items) = member.value.items() else {
            self.wrong(member.line, format!("{key:?} is a list"));
            return Vec::new();
        };
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let name = match item.member(name_key).map(|member| &member.value.kind) {
                Some(Kind::Text(name)) => format!("{one} {name}:"),
                _ => format!("{one} {}:", index + 1),
            };
            if let Some(value) = self.read::<T>(&name, item) {
                read.push(value);
                self.items.entry(key).or_default().push(item);
            }
        }
        read
    }

    fn schema(&mut self, tree: &'n Node) -> Option<DesiredSchema> {
        let Kind::Table(members) = &tree.kind else {
            self.wrong(tree.line, "a schema is a table".into());
            return None;
        };
        for member in members.iter().filter(|member| !KEYS.contains(&member.key.as_str())) {
            self.wrong(member.line, format!("unknown key {:?} (a schema has {})", member.key, KEYS.join(", ")));
        }
        for key in ["version", "name"] {
            if tree.member(key).is_none() {
                self.wrong(tree.line, format!("{key:?} is missing"));
            }
        }
        if let Some(member) = tree.member("version")
            && let Some(version) = self.read::<u32>("version:", &member.value)
            && version != VERSION
        {
            self.wrong(member.line, format!("version {version} of the format is not known, {VERSION} is"));
        }
        let name = tree.member("name").and_then(|member| self.read("name:", &member.value));
        let set = tree.member("permissionSet");
        Some(DesiredSchema {
            // One that is missing is told already.
            name: name.unwrap_or_else(|| "unnamed".to_owned()),
            objects: self.items::<CustomObject>(tree, "objects", "fullName", "object"),
            fields: self.items::<CustomField>(tree, "fields", "fullName", "field"),
            permission_set: set.and_then(|set| self.read::<PermissionSet>("permission set:", &set.value)),
            layout_sections: self.items::<DesiredSection>(tree, "layoutSections", "label", "section"),
            components: self.items::<AnyComponent>(tree, "components", "fullName", "component"),
        })
    }

    /// The line on which something stands.
    fn line_of(&self, tree: &Node, place: Place) -> usize {
        let item = |key: &str, index: usize| self.items.get(key).and_then(|items| items.get(index)).copied();
        let found = match place {
            Place::Schema => None,
            Place::Object(index) => item("objects", index),
            Place::Nested(index, number) => {
                let fields = item("objects", index).and_then(|object| object.member("fields"));
                fields.and_then(|fields| fields.value.items()?.get(number))
            }
            Place::Field(index) => item("fields", index),
            Place::PermissionSet => tree.member("permissionSet").map(|member| &member.value),
            Place::Section(index) => item("layoutSections", index),
            Place::Component(index) => item("components", index),
        };
        found.map_or(tree.line, |node| node.line)
    }
}

#[cfg(test)]
mod tests;
