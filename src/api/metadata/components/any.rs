//! A component of any type.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::{Component, NamedCredential, within};
use crate::api::metadata::NAMESPACE;
use crate::error::{Error, ErrorKind, Result};
use crate::types::xml::Element;

/// A component of any type: one of this module's, or XML of a type that has none here.
///
/// In a file: `{ type = "CustomTab", fullName = "Session__c", xml = "<CustomTab>…</CustomTab>" }`.
///
/// `Debug` shows its name alone: some components hold passwords.
#[derive(Clone, PartialEq, Eq)]
pub struct AnyComponent {
    component_type: String,
    full_name: String,
    /// Named as the type, with the full name.
    element: Element,
}

impl fmt::Debug for AnyComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.component_type, self.full_name)
    }
}

impl<T: Component> From<T> for AnyComponent {
    fn from(component: T) -> Self {
        Self {
            component_type: T::TYPE.to_owned(),
            full_name: component.full_name().to_owned(),
            element: within(T::TYPE, &component),
        }
    }
}

impl AnyComponent {
    /// A component of a type that this library has no type for, as XML whose root element is its type. `fullName` may be left out of the
    /// XML; where it is there, it has to be the same. Namespaces other than the Metadata API's own are refused.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the XML is not well-formed, has another root, another full name, or more after the root, or if the type
    /// is no word.
    pub fn raw(component_type: &str, full_name: &str, xml: &str) -> Result<Self> {
        let invalid = |message: &'static str| {
            Error::new(ErrorKind::Invalid, "metadata.component", message)
                .with_context("type", component_type)
                .with_context("component", full_name)
        };
        let element = Element::parse_document(xml.as_bytes())
            .map_err(|error| invalid("the XML is not well-formed").with_source(error))?;
        if component_type.is_empty() || full_name.is_empty() {
            return Err(invalid("a component has a type and a full name"));
        }
        // It is the name of a folder where each component is a file of its own.
        if !component_type.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(invalid("a type is a word of letters and digits"));
        }
        if element.name != component_type {
            return Err(invalid("the root element is not the type"));
        }
        if element.attributes.iter().any(|(name, value)| name == "xmlns" && value != NAMESPACE) {
            return Err(invalid("the root element is of another namespace"));
        }
        if element.text_of("fullName").is_some_and(|name| name != full_name) {
            return Err(invalid("the XML has another full name"));
        }
        Ok(Self::from_element(component_type, full_name, &element))
    }

    /// Takes an element of a request, an answer or a file, and gives it its name.
    pub(in crate::api::metadata) fn from_element(component_type: &str, full_name: &str, element: &Element) -> Self {
        let mut element = super::tidy(element);
        component_type.clone_into(&mut element.name);
        element.attributes.clear();
        element.children.retain(|child| child.name != "fullName");
        element.children.insert(0, Element::leaf("fullName", full_name));
        Self { component_type: component_type.to_owned(), full_name: full_name.to_owned(), element }
    }

    /// Its type, such as `CustomField`.
    #[must_use]
    pub fn component_type(&self) -> &str {
        &self.component_type
    }

    /// Its full name, such as `Account.Score__c`.
    #[must_use]
    pub fn full_name(&self) -> &str {
        &self.full_name
    }

    /// The component as a type of this module; `None` if it is of another type.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] if a number in it is none, or the text of a class no text.
    pub fn get<T: Component>(&self) -> Result<Option<T>> {
        (self.component_type == T::TYPE).then(|| T::read(&self.element)).transpose()
    }

    pub(in crate::api::metadata) fn element(&self) -> &Element {
        &self.element
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    #[serde(rename = "type")]
    component_type: String,
    full_name: String,
    xml: String,
}

/// Refuses named credentials: they hold secrets.
impl Serialize for AnyComponent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.component_type == NamedCredential::TYPE {
            return Err(ser::Error::custom("a named credential holds secrets and is not written to a file"));
        }
        let mut xml = String::new();
        self.element.write(&mut xml);
        let (component_type, full_name) = (self.component_type.clone(), self.full_name.clone());
        Document { component_type, full_name, xml }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AnyComponent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Document { component_type, full_name, xml } = Document::deserialize(deserializer)?;
        Self::raw(&component_type, &full_name, &xml).map_err(|error| de::Error::custom(error.message().to_owned()))
    }
}
