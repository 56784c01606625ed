//! Packages: what a deploy takes and a retrieve gives.

mod archive;
mod manifest;
mod places;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::fmt;

use self::manifest::Members;
use super::NAMESPACE;
use super::components::{AnyComponent, Component};
use crate::client::ApiVersion;
use crate::error::{Error, ErrorKind, Result};
use crate::types::xml::Element;

/// Largest zip that a deploy takes, in bytes: 39 MB, which is 50 MB in base64.
///
/// Source: Metadata API Developer Guide, "Metadata Limits".
pub const MAX_ZIP: usize = 39_000_000;

/// Most bytes that a package may have when it is unpacked: 600 MB.
pub const MAX_UNPACKED: u64 = 600_000_000;

/// Most files in a package.
pub const MAX_FILES: usize = 10_000;

/// Components to deploy and components to delete, or what a retrieve gave.
///
/// ```
/// use sforce::api::metadata::{CustomField, CustomObject, FieldKind, Package};
///
/// # fn main() -> sforce::Result<()> {
/// let package = Package::new()
///     .with(CustomObject::new("Session__c", "Session", "Sessions"))
///     .with(CustomField::new("Session__c.Key__c", "Key", FieldKind::text(80)))
///     .with(CustomField::new("Account.Sessions__c", "Sessions", FieldKind::number(18, 0)));
/// let paths: Vec<String> = package.files()?.into_iter().map(|file| file.path).collect();
/// assert_eq!(paths, ["package.xml", "objects/Account.object", "objects/Session__c.object"]);
/// # Ok(())
/// # }
/// ```
///
/// `Debug` shows names alone: some components hold passwords.
///
/// Source: Metadata API Developer Guide, "Deploying and Retrieving Metadata with the Zip File".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    version: ApiVersion,
    components: Vec<AnyComponent>,
    deletions: Vec<Deletion>,
    deletions_after: Vec<Deletion>,
    /// Files of types that have forms of their own, such as Lightning components: kept as they were read.
    others: BTreeMap<String, Kept>,
    /// The members whose files these are.
    other_members: Members,
}

/// A file that is kept as it was read.
#[derive(Clone, PartialEq, Eq)]
struct Kept(Vec<u8>);

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// A component to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Its type, such as `CustomField`.
    pub component_type: String,
    /// Its full name, such as `Account.Score__c`.
    pub full_name: String,
}

/// A file of a package.
#[derive(Clone, PartialEq, Eq)]
pub struct PackageFile {
    /// Where it stands, such as `objects/Account.object`.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for PackageFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.path, self.bytes.len())
    }
}

impl Default for Package {
    fn default() -> Self {
        Self {
            version: ApiVersion::DEFAULT,
            components: Vec::new(),
            deletions: Vec::new(),
            deletions_after: Vec::new(),
            others: BTreeMap::new(),
            other_members: Members::new(),
        }
    }
}

impl Package {
    /// An empty package of the API version that our calls have.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the API version by which Salesforce reads it.
    #[must_use]
    pub fn version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// Adds a component to deploy.
    #[must_use]
    pub fn with(mut self, component: impl Into<AnyComponent>) -> Self {
        self.components.push(component.into());
        self
    }

    /// Adds components to deploy.
    #[must_use]
    pub fn with_all<T: Into<AnyComponent>>(mut self, components: impl IntoIterator<Item = T>) -> Self {
        self.components.extend(components.into_iter().map(Into::into));
        self
    }

    /// Deletes a component before others are deployed. Salesforce ignores one that is not there, with a warning.
    #[must_use]
    pub fn delete(mut self, component_type: impl Into<String>, full_name: impl Into<String>) -> Self {
        self.deletions.push(Deletion { component_type: component_type.into(), full_name: full_name.into() });
        self
    }

    /// Deletes a component after others were deployed: one that they replace, or that an older form of them needs.
    #[must_use]
    pub fn delete_after(mut self, component_type: impl Into<String>, full_name: impl Into<String>) -> Self {
        self.deletions_after.push(Deletion { component_type: component_type.into(), full_name: full_name.into() });
        self
    }

    /// The components in it.
    #[must_use]
    pub fn components(&self) -> &[AnyComponent] {
        &self.components
    }

    /// What it deletes, first and last.
    pub fn deletions(&self) -> impl Iterator<Item = &Deletion> {
        self.deletions.iter().chain(&self.deletions_after)
    }

    /// The components of a type.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] if a number in one of them is none.
    pub fn all<T: Component>(&self) -> Result<Vec<T>> {
        self.components.iter().filter_map(|component| component.get().transpose()).collect()
    }

    /// Whether it deploys and deletes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.components.is_empty() && self.others.is_empty() && self.deletions().next().is_none()
    }
}

/// The text of a file of XML.
fn file_text(root: &Element) -> String {
    let mut root = root.clone();
    if uses_types(&root) {
        root.attributes.insert(0, ("xmlns:xsi".to_owned(), "http://www.w3.org/2001/XMLSchema-instance".to_owned()));
        root.attributes.insert(0, ("xmlns:xsd".to_owned(), "http://www.w3.org/2001/XMLSchema".to_owned()));
    }
    root.attributes.insert(0, ("xmlns".to_owned(), NAMESPACE.to_owned()));
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    root.write_indented(0, &mut text);
    text
}

fn uses_types(element: &Element) -> bool {
    element.attributes.iter().any(|(name, _)| name.starts_with("xsi:")) || element.children.iter().any(uses_types)
}

/// A package that cannot be made.
fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "metadata.package", message)
}

/// A zip that is no package.
fn wrong(message: &'static str) -> Error {
    Error::new(ErrorKind::Decode, "metadata.package", message)
}
