//! Objects and their fields, as a describe and the catalog tell them.

use std::collections::BTreeMap;

use super::catalog::{Definition, Entity};
use crate::api::metadata::{CustomField, FieldKind, PicklistValue, ValueSet};
use crate::schema::desired::same;
use crate::schema::org::{OrgField, OrgObject};
use crate::types::{FieldDescribe, FieldType, SObjectDescribe};

pub(super) fn object(
    name: &str,
    describe: Option<&SObjectDescribe>,
    entity: Option<&Entity>,
    desired: &[CustomField],
    definitions: &BTreeMap<String, Definition>,
    describes: &BTreeMap<String, SObjectDescribe>,
) -> OrgObject {
    let api_name = describe.map(|seen| seen.name.clone()).or_else(|| entity.map(|entity| entity.name.clone()));
    let api_name = api_name.unwrap_or_else(|| name.to_owned());
    let label = describe.map(|seen| seen.label.clone()).or_else(|| entity.map(|entity| entity.label.clone()));
    let name_field = describe.and_then(|seen| seen.fields.iter().find(|field| field.name_field));
    let named = definitions.get(&format!("{api_name}.name").to_ascii_lowercase());
    let name_kind = match (name_field, named) {
        (Some(field), _) if field.auto_number => "AutoNumber",
        (None, Some(named)) if named.data_type.starts_with("Auto Number") => "AutoNumber",
        (Some(_), _) | (None, Some(_)) => "Text",
        (None, None) => "",
    };
    let ours = desired.iter().filter(|field| same(field.object(), &api_name));
    let fields = ours.filter_map(|field| {
        let seen = describe.and_then(|seen| seen.field(field.name()));
        let known = definitions.get(&format!("{api_name}.{}", field.name()).to_ascii_lowercase());
        org_field(&api_name, seen, known, describes)
    });
    let seen_fields = describe.map(|seen| seen.fields.as_slice()).unwrap_or_default();
    let children = describe.map(|seen| seen.child_relationships.as_slice()).unwrap_or_default();
    OrgObject {
        label: label.unwrap_or_default(),
        name_kind: name_kind.into(),
        history: entity.and_then(|entity| entity.history),
        fields: fields.collect(),
        custom_fields: seen_fields.iter().filter(|field| field.custom).count(),
        external_ids: seen_fields.iter().filter(|field| field.external_id).count(),
        children: children
            .iter()
            .filter_map(|child| {
                let name = child.relationship_name.as_deref()?;
                let name = name.strip_suffix("__r").unwrap_or(name).to_ascii_lowercase();
                Some((name, format!("{}.{}", child.child_sobject, child.field).to_ascii_lowercase()))
            })
            .collect(),
        name: api_name,
    }
}

pub(in crate::schema) fn org_field(
    object: &str,
    seen: Option<&FieldDescribe>,
    known: Option<&Definition>,
    describes: &BTreeMap<String, SObjectDescribe>,
) -> Option<OrgField> {
    let tracked = known.and_then(|known| known.tracked);
    if let Some(seen) = seen {
        return Some(OrgField {
            name: seen.name.clone(),
            label: seen.label.clone(),
            kind: kind_of(object, seen, describes),
            required: seen.required_on_create(),
            unique: seen.unique,
            case_sensitive: seen.case_sensitive,
            external_id: seen.external_id,
            track_history: tracked,
            hidden: false,
        });
    }
    let known = known?;
    let words = DataType::parse(&known.data_type);
    Some(OrgField {
        name: known.name.clone(),
        label: known.label.clone(),
        kind: words.kind,
        required: !known.nillable,
        unique: words.unique,
        case_sensitive: words.case_sensitive,
        external_id: words.external_id,
        track_history: tracked,
        hidden: true,
    })
}

/// A field's type as describe tells it.
fn kind_of(object: &str, seen: &FieldDescribe, describes: &BTreeMap<String, SObjectDescribe>) -> FieldKind {
    use FieldType as T;
    let (precision, scale, length) = (seen.precision, seen.scale, seen.length);
    if seen.calculated {
        let word = match seen.field_type {
            T::Boolean => "Checkbox",
            T::Int | T::Double => "Number",
            T::Currency => "Currency",
            T::Percent => "Percent",
            T::Date => "Date",
            T::Datetime => "DateTime",
            T::Time => "Time",
            _ => "Text",
        };
        return FieldKind::Other(format!("Formula ({word})"));
    }
    let values = || {
        // One that an admin has switched off is there too, and is not switched on again.
        ValueSet::new(seen.picklist_values.iter().map(|value| PicklistValue::new(value.value.as_str())))
    };
    match seen.field_type {
        _ if seen.auto_number => FieldKind::auto_number(""),
        T::String => FieldKind::text(length),
        T::Textarea if seen.html_formatted => FieldKind::Html { length, visible_lines: 0 },
        T::Textarea if length > 255 => FieldKind::LongTextArea { length, visible_lines: 0 },
        T::Textarea => FieldKind::TextArea,
        T::Double => FieldKind::number(precision, scale),
        T::Int => FieldKind::number(seen.digits, 0),
        T::Currency => FieldKind::Currency { precision, scale },
        T::Percent => FieldKind::Percent { precision, scale },
        T::Boolean => FieldKind::Checkbox,
        T::Date => FieldKind::Date,
        T::Datetime => FieldKind::DateTime,
        T::Time => FieldKind::Time,
        T::Email => FieldKind::Email,
        T::Phone => FieldKind::Phone,
        T::Url => FieldKind::Url,
        T::Picklist => FieldKind::picklist(values()),
        T::Multipicklist => FieldKind::multiselect_picklist(values()),
        T::Location => FieldKind::Location { scale },
        T::Reference => {
            let target = seen.reference_to.first().cloned().unwrap_or_default();
            let children = describes.get(&target.to_ascii_lowercase()).and_then(|parent| {
                let ours = |child: &&crate::types::ChildRelationship| {
                    same(&child.child_sobject, object) && same(&child.field, &seen.name)
                };
                parent.child_relationships.iter().find(ours)?.relationship_name.clone()
            });
            let children = children.unwrap_or_default();
            let children = children.strip_suffix("__r").unwrap_or(&children);
            if seen.is_master() {
                FieldKind::master_detail(target, children, "")
            } else {
                FieldKind::lookup(target, children, "")
            }
        }
        _ => FieldKind::Other(format!("{:?}", seen.field_type)),
    }
}

/// A field's type in the words of Setup.
#[derive(Debug, PartialEq, Eq)]
struct DataType {
    kind: FieldKind,
    external_id: bool,
    unique: bool,
    case_sensitive: bool,
}

impl DataType {
    /// Reads such as `Text(80) (External ID) (Unique Case Sensitive)`.
    fn parse(words: &str) -> Self {
        let mut rest = words.trim();
        let mut read = Self { kind: FieldKind::Date, external_id: false, unique: false, case_sensitive: false };
        while let Some((before, last)) = rest.rsplit_once(" (") {
            match last.trim_end_matches(')') {
                "External ID" => read.external_id = true,
                "Unique Case Sensitive" => (read.unique, read.case_sensitive) = (true, true),
                "Unique Case Insensitive" | "Unique" => read.unique = true,
                _ => break,
            }
            rest = before;
        }
        read.kind = Self::kind(rest);
        read
    }

    fn kind(words: &str) -> FieldKind {
        let (name, inner) = match words.split_once('(') {
            Some((name, inner)) => (name.trim(), inner.trim_end_matches(')')),
            None => (words, ""),
        };
        let numbers: Vec<u32> = inner.split(',').filter_map(|part| part.trim().parse().ok()).collect();
        // Setup tells the digits before the point.
        let digits = |make: fn(u32, u32) -> FieldKind| match numbers[..] {
            [before, scale] => make(before.saturating_add(scale), scale),
            _ => FieldKind::Other(words.to_owned()),
        };
        match (name, &numbers[..]) {
            ("Text", [length]) => FieldKind::text(*length),
            ("Text Area", _) => FieldKind::TextArea,
            ("Long Text Area", [length]) => FieldKind::LongTextArea { length: *length, visible_lines: 0 },
            ("Rich Text Area", [length]) => FieldKind::Html { length: *length, visible_lines: 0 },
            ("Number", _) => digits(FieldKind::number),
            ("Currency", _) => digits(|precision, scale| FieldKind::Currency { precision, scale }),
            ("Percent", _) => digits(|precision, scale| FieldKind::Percent { precision, scale }),
            ("Checkbox", []) => FieldKind::Checkbox,
            ("Date", []) => FieldKind::Date,
            ("Date/Time", []) => FieldKind::DateTime,
            ("Time", []) => FieldKind::Time,
            ("Email", []) => FieldKind::Email,
            ("Phone", []) => FieldKind::Phone,
            ("URL", _) => FieldKind::Url,
            ("Auto Number", []) => FieldKind::auto_number(""),
            ("Lookup", []) => FieldKind::lookup(inner, "", ""),
            ("Master-Detail", []) => FieldKind::master_detail(inner, "", ""),
            ("Picklist", []) if inner == "Multi-Select" => FieldKind::multiselect_picklist(ValueSet::default()),
            ("Picklist", []) => FieldKind::picklist(ValueSet::default()),
            _ => FieldKind::Other(words.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_from_the_words_of_setup() {
        let plain = |words: &str| {
            let read = DataType::parse(words);
            (read.kind, read.external_id, read.unique, read.case_sensitive)
        };
        for (words, expected) in [
            ("Text(80) (External ID) (Unique Case Sensitive)", (FieldKind::text(80), true, true, true)),
            ("Text(80) (Unique Case Insensitive)", (FieldKind::text(80), false, true, false)),
            ("Number(15, 3)", (FieldKind::number(18, 3), false, false, false)),
            ("Email (External ID) (Unique)", (FieldKind::Email, true, true, false)),
            ("Date/Time", (FieldKind::DateTime, false, false, false)),
            ("Lookup(Contact)", (FieldKind::lookup("Contact", "", ""), false, false, false)),
            ("Formula (Text)", (FieldKind::Other("Formula (Text)".into()), false, false, false)),
            ("Hologram(3D)", (FieldKind::Other("Hologram(3D)".into()), false, false, false)),
            ("", (FieldKind::Other(String::new()), false, false, false)),
            ("Number(", (FieldKind::Other("Number(".into()), false, false, false)),
            (
                "Number(99999999999, 4294967295)",
                (FieldKind::Other("Number(99999999999, 4294967295)".into()), false, false, false),
            ),
        ] {
            assert_eq!(plain(words), expected, "{words}");
        }
        assert!(matches!(plain("Picklist (Multi-Select)").0, FieldKind::MultiselectPicklist { .. }));
        assert!(matches!(plain("Long Text Area(32768)").0, FieldKind::LongTextArea { length: 32768, .. }));
    }
}
