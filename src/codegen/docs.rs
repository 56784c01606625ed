//! What the generated code says of itself.

use super::layout::doc_text;
use crate::types::{FieldDescribe, FieldType, PicklistValue, SObjectDescribe};

/// A field's label, or its name where it has none.
pub(super) fn label(field: &FieldDescribe) -> String {
    let label = doc_text(&field.label);
    if label.is_empty() { doc_text(&field.name) } else { label }
}

/// Label, type and what a caller has to know, in one line.
pub(super) fn field(object: &SObjectDescribe, field: &FieldDescribe) -> String {
    let mut facts = vec![type_of(field)];
    let mut fact = |applies: bool, words: &str| {
        if applies {
            facts.push(words.to_owned());
        }
    };
    fact(field.required_on_create() && field.field_type != FieldType::Boolean, "required on create");
    fact(field.createable && field.defaulted_on_create && field.field_type != FieldType::Boolean, "has a default");
    fact(field.external_id, "external id");
    fact(field.unique, if field.case_sensitive { "unique, by case too" } else { "unique" });
    fact(field.auto_number, "auto-number");
    fact(field.calculated, "computed");
    let written = (field.createable && object.createable, field.updateable && object.updateable);
    fact(written == (false, false), "read-only");
    fact(written == (true, false), "set on create only");
    fact(written == (false, true), "set by updates only");
    format!("{}. {}.", label(field), facts.join(", "))
}

fn type_of(field: &FieldDescribe) -> String {
    let length = |word: &str| if field.length == 0 { word.to_owned() } else { format!("{word}({})", field.length) };
    let number = |word: &str| format!("{word}({}, {})", field.precision, field.scale);
    match &field.field_type {
        FieldType::Id => "id".to_owned(),
        FieldType::Reference => reference(field),
        FieldType::Boolean => "boolean".to_owned(),
        FieldType::Int if field.digits == 0 => "int".to_owned(),
        FieldType::Int => format!("int({})", field.digits),
        FieldType::Double => number("double"),
        FieldType::Currency => number("currency"),
        FieldType::Percent => number("percent"),
        FieldType::Date => "date".to_owned(),
        FieldType::Datetime => "datetime".to_owned(),
        FieldType::Time => "time such as `11:29:24.000Z`".to_owned(),
        FieldType::String => length("string"),
        FieldType::Textarea => length("textarea"),
        FieldType::Picklist => length("picklist"),
        FieldType::Multipicklist => length("multipicklist"),
        FieldType::Combobox => length("combobox"),
        FieldType::Email => length("email"),
        FieldType::Phone => length("phone"),
        FieldType::Url => length("url"),
        FieldType::Encryptedstring => format!("{}, shown masked", length("encryptedstring")),
        FieldType::Address => "address".to_owned(),
        FieldType::Location => "location".to_owned(),
        FieldType::AnyType => "anyType".to_owned(),
        // Source: REST API Developer Guide, "Insert or Update Blob Data", "Get Blob Data".
        FieldType::Base64 => "base64: an answer has the address of the bytes, a write takes them encoded".to_owned(),
        FieldType::Other(name) => doc_text(name),
    }
}

fn reference(field: &FieldDescribe) -> String {
    let targets: Vec<String> = field.reference_to.iter().map(|target| doc_text(target)).collect();
    match targets.as_slice() {
        [] => "reference".to_owned(),
        [target] => format!("reference to {target}"),
        // Some lead to hundreds.
        [first, .., last] if targets.len() > 8 => format!("reference to one of {}: {first} to {last}", targets.len()),
        targets => format!("reference to {}", targets.join(" or ")),
    }
}

/// What the parent of a reference is good for.
pub(super) fn parent(field: &FieldDescribe) -> String {
    format!("The record that `{}` names: {}.", field.name, reference(field))
}

/// A value's label and state.
pub(super) fn value(entry: &PicklistValue) -> String {
    let label = entry.label.as_deref().map(doc_text).filter(|label| !label.is_empty());
    let label = label.unwrap_or_else(|| doc_text(&entry.value));
    let label = if label.is_empty() { "No text".to_owned() } else { label };
    let state = match (entry.active, entry.default_value) {
        (false, _) => " Inactive: a record may still hold it.",
        (true, true) => " The default.",
        (true, false) => "",
    };
    let stop = if label.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{label}{stop}{state}")
}
