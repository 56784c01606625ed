//! Fields and their types in files: one flat table by the names of the Metadata API, checked for what goes with the type.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CustomField, FieldKind, ValueSet, sealed::Wire, within};
use crate::types::xml::Element;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Whole,
    Flag,
    /// Text, or a flag or number as its text.
    Scalar,
    ValueSet,
}

/// The keys of a field's type.
const KIND: [(&str, Shape); 17] = [
    ("type", Shape::Text),
    ("length", Shape::Whole),
    ("visibleLines", Shape::Whole),
    ("precision", Shape::Whole),
    ("scale", Shape::Whole),
    ("valueSet", Shape::ValueSet),
    ("referenceTo", Shape::Text),
    ("relationshipName", Shape::Text),
    ("relationshipLabel", Shape::Text),
    ("relationshipOrder", Shape::Whole),
    ("deleteConstraint", Shape::Text),
    ("writeRequiresMasterRead", Shape::Flag),
    ("reparentableMasterDetail", Shape::Flag),
    ("displayFormat", Shape::Text),
    ("startingNumber", Shape::Whole),
    ("formula", Shape::Text),
    ("formulaTreatBlanksAs", Shape::Text),
];

/// The keys of a field besides.
const FIELD: [(&str, Shape); 10] = [
    ("fullName", Shape::Text),
    ("label", Shape::Text),
    ("description", Shape::Text),
    ("inlineHelpText", Shape::Text),
    ("defaultValue", Shape::Scalar),
    ("required", Shape::Flag),
    ("unique", Shape::Flag),
    ("caseSensitive", Shape::Flag),
    ("externalId", Shape::Flag),
    ("trackHistory", Shape::Flag),
];

const KIND_KEYS: &[&str] = &[
    "type",
    "length",
    "visibleLines",
    "precision",
    "scale",
    "valueSet",
    "referenceTo",
    "relationshipName",
    "relationshipLabel",
    "relationshipOrder",
    "deleteConstraint",
    "writeRequiresMasterRead",
    "reparentableMasterDetail",
    "displayFormat",
    "startingNumber",
    "formula",
    "formulaTreatBlanksAs",
];

const FIELD_KEYS: &[&str] = &[
    "fullName",
    "label",
    "description",
    "inlineHelpText",
    "defaultValue",
    "required",
    "unique",
    "caseSensitive",
    "externalId",
    "trackHistory",
    "type",
    "length",
    "visibleLines",
    "precision",
    "scale",
    "valueSet",
    "referenceTo",
    "relationshipName",
    "relationshipLabel",
    "relationshipOrder",
    "deleteConstraint",
    "writeRequiresMasterRead",
    "reparentableMasterDetail",
    "displayFormat",
    "startingNumber",
    "formula",
    "formulaTreatBlanksAs",
];

/// A field must have these of its type's keys; what Salesforce has a default for may be left out.
fn needed(name: &str, formula: bool) -> &'static [&'static str] {
    match name {
        "Text" if !formula => &["length"],
        "LongTextArea" | "Html" => &["length", "visibleLines"],
        "Number" | "Currency" | "Percent" => &["precision", "scale"],
        "Picklist" => &["valueSet"],
        "MultiselectPicklist" => &["valueSet", "visibleLines"],
        "Lookup" | "MasterDetail" => &["referenceTo", "relationshipName", "relationshipLabel"],
        "AutoNumber" => &["displayFormat"],
        "Location" => &["scale"],
        _ => &[],
    }
}

fn shape(key: &str) -> Option<Shape> {
    KIND.iter().chain(&FIELD).find(|(known, _)| *known == key).map(|(_, shape)| *shape)
}

/// A flag, number or text, as text.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;

        impl Visitor<'_> for Value {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a flag")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Scalar, E> {
                Ok(Scalar(flag.to_string()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
        }

        deserializer.deserialize_any(Value)
    }
}

/// Collects the table into the elements that the API would answer with.
struct Table(&'static [&'static str]);

impl<'de> Visitor<'de> for Table {
    type Value = Element;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table that describes a field")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element, A::Error> {
        let mut element = Element::new("CustomField");
        while let Some(key) = map.next_key::<String>()? {
            let shape = shape(&key).filter(|_| self.0.contains(&key.as_str()));
            let Some(shape) = shape else { return Err(de::Error::unknown_field(&key, self.0)) };
            if element.child(&key).is_some() {
                return Err(de::Error::custom(format_args!("duplicate field `{key}`")));
            }
            let child = match shape {
                Shape::Text => Element::leaf(&key, map.next_value::<String>()?),
                Shape::Whole => Element::leaf(&key, map.next_value::<u32>()?),
                Shape::Flag => Element::leaf(&key, map.next_value::<bool>()?),
                Shape::Scalar => Element::leaf(&key, map.next_value::<Scalar>()?.0),
                Shape::ValueSet => within(&key, &map.next_value::<ValueSet>()?),
            };
            element.push(child);
        }
        check(&element).map_err(de::Error::custom)?;
        Ok(element)
    }
}

fn check(element: &Element) -> Result<(), String> {
    let Some(name) = element.text_of("type") else { return Err("missing field `type`".into()) };
    let missing = needed(name, element.child("formula").is_some()).iter().find(|key| element.child(key).is_none());
    match missing {
        Some(key) => Err(format!("missing field `{key}` of the type {name}")),
        None => Ok(()),
    }
}

fn read(element: &Element) -> Result<CustomField, String> {
    let field = CustomField::read(element).map_err(|error| error.to_string())?;
    if let FieldKind::Other(name) = &field.kind {
        return Err(format!("the type {name} cannot be made by a file"));
    }
    // What is left besides does not go with the type; a flag that is off says nothing.
    let stray = field.rest.names().find(|name| element.text_of(name) != Some("false"));
    match stray {
        Some(key) => Err(format!("`{key}` does not go with the type {}", field.kind.type_name())),
        None => Ok(CustomField { rest: super::Rest::default(), ..field }),
    }
}

fn write<S: Serializer>(element: &Element, values: Option<&ValueSet>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for child in &element.children {
        let text = child.text.as_str();
        match shape(&child.name) {
            Some(Shape::Whole) => map.serialize_entry(&child.name, &text.parse::<u32>().unwrap_or_default())?,
            Some(Shape::Flag) => map.serialize_entry(&child.name, &(text == "true"))?,
            Some(Shape::Text | Shape::Scalar) => map.serialize_entry(&child.name, text)?,
            Some(Shape::ValueSet) => map.serialize_entry(&child.name, &values)?,
            None => {}
        }
    }
    map.end()
}

fn values(kind: &FieldKind) -> Option<&ValueSet> {
    match kind {
        FieldKind::Picklist { values } | FieldKind::MultiselectPicklist { values, .. } => Some(values),
        _ => None,
    }
}

impl Serialize for CustomField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = Self { rest: super::Rest::default(), ..self.clone() };
        write(&within("CustomField", &named), values(&self.kind), serializer)
    }
}

impl Serialize for FieldKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut element = Element::new("CustomField");
        self.write(&mut element);
        write(&element, values(self), serializer)
    }
}

impl<'de> Deserialize<'de> for CustomField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let element = deserializer.deserialize_struct("CustomField", FIELD_KEYS, Table(FIELD_KEYS))?;
        for key in ["fullName", "label"] {
            if element.text_of(key).is_none() {
                return Err(de::Error::custom(format_args!("missing field `{key}`")));
            }
        }
        read(&element).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for FieldKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let element = deserializer.deserialize_struct("FieldKind", KIND_KEYS, Table(KIND_KEYS))?;
        read(&element).map(|field| field.kind).map_err(de::Error::custom)
    }
}
