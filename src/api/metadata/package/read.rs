//! From files to components.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::manifest::{self, DELETIONS, DELETIONS_AFTER, DELETIONS_BEFORE, Members, PACKAGE};
use super::places::{PARTS, Place, part_of, place_at, place_in, place_of};
use super::{Deletion, Kept, MAX_UNPACKED, Package, archive, wrong};
use crate::api::metadata::components::AnyComponent;
use crate::client::ApiVersion;
use crate::error::{Error, Result};
use crate::types::xml::Element;

/// Most elements and attributes of all files: each takes some hundred bytes of memory, and four in a file.
const MAX_ELEMENTS: usize = 4_000_000;

impl Package {
    /// The package as a zip, as a deploy takes it. The same package gives the same bytes.
    ///
    /// # Errors
    ///
    /// As for [`files`](Self::files), and [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for more than 39 MB, 600 MB unpacked, or 10,000
    /// files.
    pub fn to_zip(&self) -> Result<Vec<u8>> {
        archive::pack(&self.files()?)
    }

    /// Reads a zip, as a retrieve gives it: components with files of their own, and those that its `package.xml` lists by themselves, such as
    /// fields, apart from the object whose file they stand in. Files of types that have forms of their own are kept as they are.
    ///
    /// Nothing in the zip is believed: sizes, names and counts are checked, and at most 600 MB are unpacked.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) for what is no package, or too large for one.
    pub fn from_zip(bytes: &[u8]) -> Result<Self> {
        Self::from_files(archive::unpack(bytes, MAX_UNPACKED)?)
    }

    pub(super) fn from_files(files: BTreeMap<String, Vec<u8>>) -> Result<Self> {
        let mut files = at_root(files)?;
        let manifest = files.remove(PACKAGE).ok_or_else(|| wrong("the zip has no package.xml"))?;
        let mut elements = Elements(MAX_ELEMENTS);
        elements.count(&manifest)?;
        let (members, version) = manifest::read(&manifest)?;
        let mut package = Self { version: version.unwrap_or(ApiVersion::DEFAULT), ..Self::default() };
        for (path, after) in [(DELETIONS_BEFORE, false), (DELETIONS, false), (DELETIONS_AFTER, true)] {
            if let Some(bytes) = files.remove(path) {
                elements.count(&bytes)?;
                let deletions = if after { &mut package.deletions_after } else { &mut package.deletions };
                deletions.extend(deletions_of(manifest::read(&bytes)?.0));
            }
        }
        while let Some((path, bytes)) = files.pop_first() {
            let Some((place, name)) = place_at(&path) else {
                // The content of a component comes before the XML beside it, by its name.
                let beside = path.strip_suffix("-meta.xml").and_then(place_at);
                if beside.is_some_and(|(place, _)| place.content) {
                    return Err(about(&path, "a file lacks the one beside it"));
                }
                if let Some(member) = folder_at(&path, &members) {
                    package.other_members.entry(member.0).or_default().insert(member.1);
                }
                package.others.insert(path, Kept(bytes));
                continue;
            };
            let root = if place.content {
                let meta = files
                    .remove(&format!("{path}-meta.xml"))
                    .ok_or_else(|| about(&path, "a file lacks the one beside it"))?;
                elements.count(&meta)?;
                let mut root = root(&path, &place, &meta)?;
                root.children.insert(0, Element::leaf("content", STANDARD.encode(bytes)));
                root
            } else {
                elements.count(&bytes)?;
                root(&path, &place, &bytes)?
            };
            package.take(&place, name, root, &members);
        }
        // Of what has a file, the file tells what is there.
        let foreign = |kind: &String| place_of(kind).is_none() && part_of(kind).is_none();
        package.other_members.extend(members.into_iter().filter(|(kind, _)| foreign(kind)));
        Ok(package)
    }

    /// Takes the component of a file, and the parts of it that are listed by themselves.
    fn take(&mut self, place: &Place, name: &str, mut root: Element, members: &Members) {
        let listed = |kind: &str, name: &str| members.get(kind).is_some_and(|members| members.contains(name));
        let whole = place.component_type;
        let (mut parts, mut rest) = (Vec::new(), Vec::new());
        for child in root.children {
            let kind =
                PARTS.iter().find(|(_, of, element)| *of == whole && *element == child.name).map(|(kind, ..)| *kind);
            let full_name = child.text_of("fullName").map(|part| format!("{name}.{part}"));
            match (kind, full_name) {
                (Some(kind), Some(full_name)) if listed(kind, &full_name) => {
                    parts.push(AnyComponent::from_element(kind, &full_name, &child));
                }
                _ => rest.push(child),
            }
        }
        root.children = rest;
        let has_own = root.children.iter().any(|child| child.name != "fullName");
        if parts.is_empty() || has_own || listed(whole, name) {
            self.components.push(AnyComponent::from_element(whole, name, &root));
        }
        self.components.extend(parts);
    }
}

/// The member that the file of a folder stands for, such as `reports/Sales-meta.xml`: it is listed by the type of what lies in the folder.
fn folder_at(path: &str, members: &Members) -> Option<(String, String)> {
    let (directory, file) = path.split_once('/')?;
    let name = file.strip_suffix("-meta.xml")?;
    let place = place_in(directory)?;
    let listed = members.get(place.component_type)?.contains(name);
    listed.then(|| (place.component_type.to_owned(), name.to_owned()))
}

/// Counts elements and attributes before they are read.
struct Elements(usize);

impl Elements {
    fn count(&mut self, bytes: &[u8]) -> Result<()> {
        let tags = memchr::memchr2_iter(b'<', b'=', bytes).count();
        self.0 =
            self.0.checked_sub(tags).ok_or_else(|| wrong("the package has more elements than are read at once"))?;
        Ok(())
    }
}

/// The files of the one package, without the folder that it may stand in, such as `unpackaged/`.
fn at_root(files: BTreeMap<String, Vec<u8>>) -> Result<BTreeMap<String, Vec<u8>>> {
    let folder =
        |path: &String| path.strip_suffix(PACKAGE).filter(|folder| folder.matches('/').count() <= 1).map(str::to_owned);
    let folders: Vec<String> =
        files.keys().filter_map(folder).filter(|folder| folder.is_empty() || folder.ends_with('/')).collect();
    let [folder] = folders.as_slice() else {
        return Err(wrong("the zip has no package.xml, or several").with_context("found", folders.len()));
    };
    let inside = |(path, bytes): (String, Vec<u8>)| match path.strip_prefix(folder.as_str()) {
        Some(inner) => Ok((inner.to_owned(), bytes)),
        None => Err(wrong("the zip has files beside its package")),
    };
    files.into_iter().map(inside).collect()
}

fn root(path: &str, place: &Place, bytes: &[u8]) -> Result<Element> {
    let root =
        Element::parse_document(bytes).map_err(|error| about(path, "a file is no readable XML").with_source(error))?;
    if root.name == place.component_type {
        return Ok(root);
    }
    Err(about(path, "the root element of a file is not the type of its folder"))
}

fn deletions_of(members: Members) -> impl Iterator<Item = Deletion> {
    members.into_iter().flat_map(|(component_type, members)| {
        members.into_iter().map(move |full_name| Deletion { component_type: component_type.clone(), full_name })
    })
}

fn about(path: &str, message: &'static str) -> Error {
    wrong(message).with_context("file", path)
}
