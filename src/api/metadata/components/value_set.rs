//! The values of a picklist.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Rest, all, flag, push_text, sealed::Wire, text, within};
use crate::error::Result;
use crate::types::xml::Element;

/// The values of a picklist field.
///
/// In a file: `{ values = ["Low", "High"], sorted = true, restricted = true }` or `{ valueSetName = "Regions" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueSet {
    /// Whether other values are refused. A picklist of a global value set always refuses them.
    pub restricted: bool,
    /// The field's own values, or a global value set.
    pub source: ValueSource,
    #[doc(hidden)]
    pub rest: Rest,
}

/// Where a picklist has its values from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueSource {
    /// The field has its own.
    Own {
        /// The values, in their order.
        values: Vec<PicklistValue>,
        /// Whether they are shown by the alphabet.
        sorted: bool,
    },
    /// The global value set of this name.
    Global(String),
}

/// A value of a picklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PicklistValue {
    /// The value, as the API has it.
    pub full_name: String,
    /// What people see.
    pub label: String,
    /// Whether new records have it.
    pub default: bool,
    #[doc(hidden)]
    #[serde(skip)]
    pub rest: Rest,
}

impl ValueSet {
    /// Values of the field's own, in this order. Other values are taken too, unless it is [`restricted`](Self::restricted).
    #[must_use]
    pub fn new<V: Into<PicklistValue>>(values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self { restricted: false, source: ValueSource::Own { values, sorted: false }, rest: Rest::default() }
    }

    /// A global value set.
    #[must_use]
    pub fn global(name: impl Into<String>) -> Self {
        Self { restricted: true, source: ValueSource::Global(name.into()), rest: Rest::default() }
    }

    /// Refuses other values.
    #[must_use]
    pub fn restricted(mut self) -> Self {
        self.restricted = true;
        self
    }

    /// Shows the field's own values by the alphabet.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        if let ValueSource::Own { sorted, .. } = &mut self.source {
            *sorted = true;
        }
        self
    }

    /// The field's own values; none for a global value set.
    #[must_use]
    pub fn values(&self) -> &[PicklistValue] {
        match &self.source {
            ValueSource::Own { values, .. } => values,
            ValueSource::Global(_) => &[],
        }
    }
}

impl Default for ValueSet {
    fn default() -> Self {
        Self::new::<PicklistValue>([])
    }
}

impl PicklistValue {
    /// A value that people see as it is.
    #[must_use]
    pub fn new(full_name: impl Into<String>) -> Self {
        let full_name = full_name.into();
        Self { label: full_name.clone(), full_name, default: false, rest: Rest::default() }
    }

    /// What people see instead.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// New records have it.
    #[must_use]
    pub fn default_value(mut self) -> Self {
        self.default = true;
        self
    }
}

impl From<&str> for PicklistValue {
    fn from(full_name: &str) -> Self {
        Self::new(full_name)
    }
}

impl From<String> for PicklistValue {
    fn from(full_name: String) -> Self {
        Self::new(full_name)
    }
}

/// The definition of own values as the WSDL nests it.
#[derive(Default)]
struct Definition {
    values: Vec<PicklistValue>,
    sorted: bool,
}

impl Wire for Definition {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("sorted", self.sorted));
        element.children.extend(self.values.iter().map(|value| within("value", value)));
    }

    fn read(element: &Element) -> Result<Self> {
        Ok(Self { values: all(element, "value")?, sorted: flag(element, "sorted") })
    }
}

impl Wire for ValueSet {
    fn write(&self, element: &mut Element) {
        element.push_some("restricted", self.restricted.then_some(true));
        match &self.source {
            ValueSource::Own { values, sorted } => {
                let definition = Definition { values: values.clone(), sorted: *sorted };
                element.push(within("valueSetDefinition", &definition));
            }
            ValueSource::Global(name) => push_text(element, "valueSetName", name),
        }
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let source = if let Some(name) = element.text_of("valueSetName") {
            ValueSource::Global(name.to_owned())
        } else {
            let definition = element.child("valueSetDefinition").map(Definition::read).transpose()?;
            let Definition { values, sorted } = definition.unwrap_or_default();
            ValueSource::Own { values, sorted }
        };
        let mut read = Self { restricted: flag(element, "restricted"), source, rest: Rest::default() };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for PicklistValue {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.push(Element::leaf("default", self.default));
        push_text(element, "label", &self.label);
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            full_name: text(element, "fullName"),
            label: text(element, "label"),
            default: flag(element, "default"),
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ValueSetDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    restricted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sorted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<PicklistValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_set_name: Option<String>,
}

impl Serialize for ValueSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document =
            ValueSetDocument { restricted: Some(self.restricted), sorted: None, values: None, value_set_name: None };
        match &self.source {
            ValueSource::Own { values, sorted } => {
                (document.values, document.sorted) = (Some(values.clone()), Some(*sorted));
            }
            ValueSource::Global(name) => document.value_set_name = Some(name.clone()),
        }
        document.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ValueSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = ValueSetDocument::deserialize(deserializer)?;
        let (source, restricted) = match (document.values, document.value_set_name) {
            (Some(values), None) => (ValueSource::Own { values, sorted: document.sorted.unwrap_or(false) }, false),
            (None, Some(name)) if document.sorted.is_none() => (ValueSource::Global(name), true),
            _ => return Err(de::Error::custom("a picklist has either values of its own or a valueSetName")),
        };
        Ok(Self { restricted: document.restricted.unwrap_or(restricted), source, rest: Rest::default() })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PicklistValueDocument {
    full_name: String,
    label: Option<String>,
    #[serde(default)]
    default: bool,
}

/// A text, or a table with `fullName`, `label` and `default`.
impl<'de> Deserialize<'de> for PicklistValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;

        impl<'de> Visitor<'de> for Value {
            type Value = PicklistValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, or a table with fullName, label and default")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<PicklistValue, E> {
                Ok(PicklistValue::new(text))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PicklistValue, A::Error> {
                let document = PicklistValueDocument::deserialize(MapAccessDeserializer::new(map))?;
                let value = PicklistValue::new(document.full_name);
                let label = document.label.unwrap_or_else(|| value.label.clone());
                Ok(PicklistValue { label, default: document.default, ..value })
            }
        }

        deserializer.deserialize_any(Value)
    }
}
