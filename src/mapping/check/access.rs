//! Whether a field may be written the way a rule writes it.

use super::super::field_map::Parts;
use super::super::rule::{FieldRule, Write};
use super::Findings;
use super::nearest::nearest;
use crate::types::{FieldDescribe, SObjectDescribe, SObjectName};

pub(super) fn may_be_written(parts: &Parts, rule: &FieldRule, field: &FieldDescribe, findings: &mut Findings) {
    let (new, old) = (field.createable, field.updateable);
    if field.calculated {
        findings.impossible("read-only: a formula or roll-up");
    } else if !new && !old {
        findings.impossible("read-only for this user: kept by Salesforce, or by field-level security");
    } else if rule.write == Write::CreateOnly {
        if !parts.create {
            findings.impossible("never written: the map creates no records, and the rule writes new ones only");
        } else if !new {
            findings.impossible("cannot be set in a new record");
        }
    } else if !old {
        findings.impossible("cannot be changed once the record is there: set write = \"create_only\"");
    } else if parts.create && !new {
        findings.impossible("cannot be set in a new record, and the map creates records");
    }
}

/// The lookup field of a relationship.
pub(super) fn lookup<'o>(
    parent: Option<&SObjectName>,
    relationship: &str,
    object: &'o SObjectDescribe,
    findings: &mut Findings,
) -> Option<&'o FieldDescribe> {
    let relationships = || object.fields.iter().filter_map(|field| Some((field.relationship_name.as_deref()?, field)));
    let Some((spelt, field)) = relationships().find(|(name, _)| name.eq_ignore_ascii_case(relationship)) else {
        let known = relationships().map(|(name, _)| name);
        let hint = nearest(relationship, known).map_or_else(String::new, |name| format!(", is {name} meant?"));
        findings.impossible(format!("no relationship {relationship}, or hidden from the user{hint}"));
        return None;
    };
    if spelt != relationship {
        findings.safe(format!("the org spells it {spelt}"));
    }
    let parents = field.reference_to.join(", ");
    let polymorphic = field.polymorphic_foreign_key || field.reference_to.len() > 1;
    match parent {
        None if polymorphic => {
            findings.impossible(format!(
                "the relationship is polymorphic: say which object is meant, as {}:{spelt}.… (of {parents})",
                field.reference_to.first().map_or("Object", String::as_str)
            ));
        }
        Some(parent) if !polymorphic => {
            findings.impossible(format!("the relationship is not polymorphic: leave out {parent}:"));
        }
        Some(parent) if !field.reference_to.iter().any(|to| to.eq_ignore_ascii_case(parent.as_str())) => {
            findings.impossible(format!("the relationship does not lead to {parent} but to {parents}"));
        }
        _ => {}
    }
    Some(field)
}
