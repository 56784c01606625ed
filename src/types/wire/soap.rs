//! Records in SOAP: the content of an `sObjects` element out, an `sObject` or `records` element in.

use super::{FieldTypes, text};
use crate::error::{Error, ErrorKind, Result};
use crate::types::xml::Element;
use crate::types::{FieldName, Record, Value};

/// What stands inside an `sObjects` element of `create`, `update` or `upsert`.
///
/// `type` comes first where the record says its object (the partner API wants it; the enterprise API has `xsi:type` on the
/// element instead), then `fieldsToNull` for each null field, then `Id`, then the fields that are set. A parent by external id
/// is an element of its own with the parent's `type`. An absent field is not there.
///
/// # Errors
///
/// [`ErrorKind::Invalid`] for a value that is no field's (a list, rows of a subquery, an address as a whole), a name that is no
/// API name, a text with a character that XML 1.0 cannot hold (such as NUL), and a null parent: clear the lookup field itself.
///
/// Source: partner WSDL, `sObject`; SOAP API guide, "fieldsToNull".
pub fn write(record: &Record) -> Result<String> {
    let mut out = String::new();
    for element in elements(record)? {
        element.write(&mut out);
    }
    Ok(out)
}

fn elements(record: &Record) -> Result<Vec<Element>> {
    let mut nulls = Vec::new();
    let mut id = None;
    let mut fields = Vec::new();
    for (name, value) in record.iter() {
        FieldName::new(name)?;
        if let Value::Record(parent) = value {
            fields.push(parent_element(name, parent)?);
            continue;
        }
        let named = |error: Error| error.with_context("field", name);
        match text::of(value).map_err(named)? {
            None if name.to_ascii_lowercase().ends_with("__r") => {
                return Err(text::unwritable("a null parent")
                    .with_context("field", name)
                    .with_advice("set the lookup field itself to null, such as Parent__c"));
            }
            None => nulls.push(Element::leaf("fieldsToNull", name)),
            Some(text) => {
                check_characters(&text).map_err(named)?;
                let element = Element::leaf(name, text);
                if name == "Id" { id = Some(element) } else { fields.push(element) }
            }
        }
    }
    let object = record.object_name().map(|object| Element::leaf("type", object));
    Ok(object.into_iter().chain(nulls).chain(id).chain(fields).collect())
}

fn parent_element(name: &str, parent: &Record) -> Result<Element> {
    let mut element = Element::new(name);
    element.push_some("type", parent.object_name());
    for (key, value) in parent.iter() {
        FieldName::new(key)?;
        let named = |error: Error| error.with_context("field", name);
        let text = text::of(value).map_err(named)?.ok_or_else(|| named(text::unwritable("a parent of null key")))?;
        check_characters(&text).map_err(named)?;
        element.push(Element::leaf(key, text));
    }
    Ok(element)
}

/// Source: XML 1.0, production 2, "Char".
fn check_characters(text: &str) -> Result<()> {
    let fits =
        |c: char| !(c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{fffe}' | '\u{ffff}'));
    if text.chars().all(fits) { Ok(()) } else { Err(text::unwritable("a text with a character that XML cannot hold")) }
}

/// Reads one `sObject` of an outbound message, or one `records` element of an answer.
///
/// `xsi:nil`, an empty element and a name in `fieldsToNull` are null; what is not there is absent (an outbound message leaves
/// nulls out). An element with elements in it is a parent or an address, whose own values stay text. Fields whose type is not
/// known stay text.
///
/// # Errors
///
/// [`ErrorKind::Decode`] for what is no XML and for the rows of a subquery, which this does not read; [`ErrorKind::Invalid`]
/// naming a field whose value does not fit its type.
pub fn read(xml: &str, types: &FieldTypes) -> Result<Record> {
    read_element(&Element::parse(xml.as_bytes())?, Some(types))
}

fn read_element(element: &Element, types: Option<&FieldTypes>) -> Result<Record> {
    let object = element.child("type").map(|object| object.text.trim()).filter(|object| !object.is_empty());
    // `xsi:type="sf:Lead"` names the object in the enterprise API and in outbound messages.
    let object = object.or_else(|| xsi_type(element).filter(|object| *object != "sObject"));
    let mut record =
        object.and_then(|object| object.parse().ok()).map_or_else(Record::new, |object| Record::of(&object));
    for child in element.children.iter().filter(|child| child.name != "type") {
        if child.name == "fieldsToNull" {
            if !child.text.trim().is_empty() {
                record.set(child.text.trim(), Value::Null);
            }
            continue;
        }
        let value = if child.is_nil() {
            Value::Null
        } else if xsi_type(child) == Some("QueryResult") {
            return Err(Error::new(ErrorKind::Decode, "", "the rows of a subquery in SOAP are not read"));
        } else if child.children.is_empty() {
            let field_type = types.and_then(|types| types.get(&child.name));
            text::read(&child.text, field_type).map_err(|error| error.with_context("field", &child.name))?
        } else {
            let parent = Value::Record(read_element(child, None)?);
            match types.and_then(|types| types.get(&child.name)) {
                Some(field_type) => parent.typed(field_type)?,
                None => parent,
            }
        };
        record.set(child.name.as_str(), value);
    }
    Ok(record)
}

/// The local name in `xsi:type`.
fn xsi_type(element: &Element) -> Option<&str> {
    let (_, value) = element.attributes.iter().find(|(name, _)| name == "type")?;
    Some(value.rsplit(':').next().unwrap_or(value))
}
