//! What a type does not name: kept when it is read, written back when it is written.

use std::fmt;

use super::sealed::Wire;
use crate::types::xml::Element;

/// Elements that were read and are written back as they were.
///
/// `Debug` shows their names alone: some hold passwords.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Rest(Vec<Element>);

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|element| &element.name)).finish()
    }
}

impl Rest {
    /// The elements that a value, as it was read, does not write by itself: what it does not name, and what it takes for its default.
    pub(super) fn of<T: Wire>(element: &Element, read: &T) -> Self {
        let mut typed = Element::new("");
        read.write(&mut typed);
        Self::besides(element, &typed)
    }

    pub(super) fn besides(element: &Element, typed: &Element) -> Self {
        let unnamed = element.children.iter().filter(|child| typed.child(&child.name).is_none());
        Self(unnamed.map(tidy).collect())
    }

    /// Adds those that the value does not write by now, and puts all in the order of the WSDL: by name, after the full name.
    pub(super) fn write(&self, element: &mut Element) {
        self.write_after(element, &["fullName"]);
    }

    /// The same for a type whose base type has elements of its own, which come first.
    pub(super) fn write_after(&self, element: &mut Element, first: &[&str]) {
        let missing: Vec<Element> =
            self.0.iter().filter(|child| element.child(&child.name).is_none()).cloned().collect();
        element.children.extend(missing);
        let place = |element: &Element| first.iter().position(|name| *name == element.name).unwrap_or(first.len());
        element.children.sort_by(|one, other| (place(one), &one.name).cmp(&(place(other), &other.name)));
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|element| element.name.as_str())
    }
}

/// An element as it is written: without the blanks between its elements, and with the prefixes that our envelopes and files
/// declare.
pub(in crate::api::metadata) fn tidy(element: &Element) -> Element {
    let attribute = |(name, value): &(String, String)| match name.trim_start_matches("xsi:") {
        "type" => Some(("xsi:type".to_owned(), type_name(value))),
        "nil" => Some(("xsi:nil".to_owned(), value.clone())),
        // Namespace declarations; the vocabulary has no other attributes.
        _ => None,
    };
    let blank = !element.children.is_empty() && element.text.trim().is_empty();
    Element {
        name: element.name.clone(),
        attributes: element.attributes.iter().filter_map(attribute).collect(),
        text: if blank { String::new() } else { element.text.clone() },
        children: element.children.iter().map(tidy).collect(),
    }
}

/// A type's name with the prefix that we declare for XML Schema's own types; those of the Metadata API have none.
fn type_name(value: &str) -> String {
    const XSD: [&str; 11] =
        ["anyURI", "base64Binary", "boolean", "byte", "date", "dateTime", "decimal", "double", "int", "long", "string"];
    let local = value.rsplit(':').next().unwrap_or(value);
    if XSD.contains(&local) || local == "time" { format!("xsd:{local}") } else { local.to_owned() }
}
