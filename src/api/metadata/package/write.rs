//! From components to files.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::manifest::{DELETIONS, DELETIONS_AFTER, Members, PACKAGE};
use super::places::{PARTS, Place, part_of, place_of};
use super::{Deletion, Package, PackageFile, file_text, invalid, manifest};
use crate::api::metadata::components::AnyComponent;
use crate::error::{Error, Result};
use crate::types::xml::Element;

impl Package {
    /// The files of the package: `package.xml`, lists of deletions, and then by path what holds the components. Fields, validation
    /// rules and the like stand in the file of their object, rules and messages in the workflow of theirs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a component that stands twice, for a type whose place in a package is not
    /// known, for a name that is no file name, for a part without an object, and for a character that XML has no form for.
    pub fn files(&self) -> Result<Vec<PackageFile>> {
        let mut members = self.other_members.clone();
        let mut roots = Roots::default();
        let mut seen = HashSet::new();
        for component in &self.components {
            let (kind, name) = (component.component_type(), member(component));
            if !seen.insert((kind, name.to_ascii_lowercase())) {
                return Err(about(component, "a component stands twice in the package"));
            }
            sound(component)?;
            roots.put(component, &name)?;
            members.entry(kind.to_owned()).or_default().insert(name);
        }
        let mut files = vec![file(PACKAGE, manifest::write(&members, self.version))];
        for (path, deletions) in [(DELETIONS, &self.deletions), (DELETIONS_AFTER, &self.deletions_after)] {
            if !deletions.is_empty() {
                files.push(file(path, manifest::write(&by_type(deletions)?, self.version)));
            }
        }
        let mut held: BTreeMap<String, Vec<u8>> =
            self.others.iter().map(|(path, kept)| (path.clone(), kept.0.clone())).collect();
        for (path, (place, mut root)) in roots.by_path {
            if PARTS.iter().any(|(_, whole, _)| *whole == place.component_type) {
                // Of several components; the order is that of the WSDL.
                root.children.sort_by(|one, other| one.name.cmp(&other.name));
            }
            if !place.content {
                held.insert(path, file_text(&root).into_bytes());
                continue;
            }
            let content = root.children.iter().position(|child| child.name == "content");
            let content = content.map(|at| root.children.remove(at).text).unwrap_or_default();
            let content: String = content.split_whitespace().collect();
            let bytes = STANDARD.decode(content).ok().filter(|bytes| !bytes.is_empty());
            let bytes = bytes.ok_or_else(|| {
                invalid("a component of this type has its content in base64").with_context("file", &path)
            })?;
            held.insert(format!("{path}-meta.xml"), file_text(&root).into_bytes());
            held.insert(path, bytes);
        }
        files.extend(held.into_iter().map(|(path, bytes)| PackageFile { path, bytes }));
        Ok(files)
    }

    /// Every component as a file of XML of its own, `TYPE/FULL NAME.xml`, whose root element is its type: for people and for tools that
    /// check. The full name stands inside where the file form of a package has it too: in what is part of an object or a workflow. Apex is
    /// in base64.
    ///
    /// # Errors
    ///
    /// As for [`files`](Self::files), but for the types: any will do.
    pub fn component_files(&self) -> Result<Vec<PackageFile>> {
        let mut held = BTreeMap::new();
        for component in &self.components {
            sound(component)?;
            let mut root = component.element().clone();
            if part_of(component.component_type()).is_none() {
                root.children.retain(|child| child.name != "fullName");
            }
            let path = format!("{}/{}.xml", component.component_type(), member(component));
            if held.insert(path, file_text(&root).into_bytes()).is_some() {
                return Err(about(component, "a component stands twice in the package"));
            }
        }
        Ok(held.into_iter().map(|(path, bytes)| PackageFile { path, bytes }).collect())
    }
}

/// The files of XML on their way: the root element of each by its path.
#[derive(Default)]
struct Roots {
    by_path: BTreeMap<String, (Place, Element)>,
    /// The parts in them: file, element and name.
    parts: HashSet<(String, &'static str, String)>,
}

impl Roots {
    /// Puts a component into its file.
    fn put(&mut self, component: &AnyComponent, name: &str) -> Result<()> {
        let kind = component.component_type();
        let children = component.element().children.iter().filter(|child| child.name != "fullName").cloned();
        let Some((whole, part)) = part_of(kind) else {
            let path = self.open(component, kind, name)?;
            for child in children {
                let part = PARTS.iter().find(|(_, of, element)| *of == kind && *element == child.name);
                if let (Some((_, _, element)), Some(part)) = (part, child.text_of("fullName")) {
                    self.once(component, &path, element, part)?;
                }
                self.push(&path, child);
            }
            return Ok(());
        };
        let named = name.split_once('.').filter(|(object, part)| !object.is_empty() && !part.is_empty());
        let Some((object, part_name)) = named else {
            return Err(about(component, "the name of a part starts with its object's, such as Account.Score__c"));
        };
        let path = self.open(component, whole, object)?;
        self.once(component, &path, part, part_name)?;
        let mut child = Element::new(part);
        child.push(Element::leaf("fullName", part_name));
        child.children.extend(children);
        self.push(&path, child);
        Ok(())
    }

    /// The path of the file of that type and name; from now on it is there.
    fn open(&mut self, component: &AnyComponent, kind: &str, name: &str) -> Result<String> {
        let place =
            place_of(kind).ok_or_else(|| about(component, "the place of this type in a package is not known"))?;
        let path = format!("{}/{name}.{}", place.directory, place.suffix);
        self.by_path.entry(path.clone()).or_insert_with(|| (place, Element::new(kind)));
        Ok(path)
    }

    fn push(&mut self, path: &str, child: Element) {
        if let Some((_, root)) = self.by_path.get_mut(path) {
            root.push(child);
        }
    }

    fn once(&mut self, component: &AnyComponent, path: &str, element: &'static str, name: &str) -> Result<()> {
        if self.parts.insert((path.to_ascii_lowercase(), element, name.to_ascii_lowercase())) {
            return Ok(());
        }
        Err(about(component, "a component stands twice in the package"))
    }
}

/// The name as a package has it. That of a layout is percent-encoded, as the API tells it, but for its blanks.
fn member(component: &AnyComponent) -> String {
    let name = component.full_name();
    if component.component_type() != "Layout" {
        return name.to_owned();
    }
    let mut encoded = String::with_capacity(name.len());
    for character in name.chars() {
        // What is encoded already stays.
        if character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | ' ' | '%' | '$') {
            encoded.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// Refuses what no file can hold.
fn sound(component: &AnyComponent) -> Result<()> {
    if !is_path(&member(component)) {
        return Err(about(component, "the full name is no file name"));
    }
    match component.element().unwritable() {
        Some(name) => {
            Err(about(component, "a text holds a character that XML has no form for").with_context("element", name))
        }
        None => Ok(()),
    }
}

/// Whether every part of a path is a name, and none leads elsewhere.
pub(super) fn is_path(path: &str) -> bool {
    let named = |part: &str| !matches!(part, "" | "." | "..") && !part.ends_with(['.', ' ']);
    path.split('/').all(named)
        && !path.chars().any(|character| character.is_control() || matches!(character, '\\' | ':'))
}

fn by_type(deletions: &[Deletion]) -> Result<Members> {
    let mut members = Members::new();
    for Deletion { component_type, full_name } in deletions {
        if component_type.is_empty() || full_name.is_empty() || full_name.contains('*') {
            return Err(invalid("what is deleted has a type and a full name, and no wildcard")
                .with_context("type", component_type)
                .with_context("component", full_name));
        }
        members.entry(component_type.clone()).or_default().insert(full_name.clone());
    }
    Ok(members)
}

fn about(component: &AnyComponent, message: &'static str) -> Error {
    invalid(message).with_context("type", component.component_type()).with_context("component", component.full_name())
}

fn file(path: &str, text: String) -> PackageFile {
    PackageFile { path: path.to_owned(), bytes: text.into_bytes() }
}
