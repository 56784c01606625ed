//! `package.xml` and the lists of what is to be deleted.

use std::collections::{BTreeMap, BTreeSet};

use super::{file_text, wrong};
use crate::client::ApiVersion;
use crate::error::Result;
use crate::types::xml::Element;

pub(super) const PACKAGE: &str = "package.xml";
/// Deleted before the components are deployed.
pub(super) const DELETIONS: &str = "destructiveChanges.xml";
/// The same, by a name that says so; only read.
pub(super) const DELETIONS_BEFORE: &str = "destructiveChangesPre.xml";
/// Deleted after the components were deployed.
pub(super) const DELETIONS_AFTER: &str = "destructiveChangesPost.xml";

/// Members by their type.
pub(super) type Members = BTreeMap<String, BTreeSet<String>>;

pub(super) fn write(members: &Members, version: ApiVersion) -> String {
    let mut root = Element::new("Package");
    for (name, members) in members {
        let mut types = Element::new("types");
        types.children.extend(members.iter().map(|member| Element::leaf("members", member)));
        types.push(Element::leaf("name", name));
        root.push(types);
    }
    root.push(Element::leaf("version", version));
    file_text(&root)
}

/// The members that a manifest lists, and its version.
pub(super) fn read(bytes: &[u8]) -> Result<(Members, Option<ApiVersion>)> {
    let root = Element::parse_document(bytes)?;
    if root.name != "Package" {
        return Err(wrong("a manifest has another root element"));
    }
    let mut members = Members::new();
    for types in root.all("types") {
        let name = types.text_of("name").ok_or_else(|| wrong("a manifest has members of no type"))?;
        let known = members.entry(name.to_owned()).or_default();
        known.extend(types.all("members").map(|member| member.text.trim().to_owned()));
    }
    Ok((members, root.text_of("version").and_then(|version| version.parse().ok())))
}
