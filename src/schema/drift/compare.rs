//! The comparison. Pure.

use super::expected::{ExpectedField, ExpectedFields, whole_digits};
use super::{Change, DriftEvent, Impact, RenameCandidate, SeenObject};
use crate::types::{FieldDescribe, FieldType, SObjectDescribe};

/// Candidates for a new name that are told.
const MAX_CANDIDATES: usize = 5;

/// How an object differs from what is expected of it, in the order of the fields in use; first what concerns the object, last what new
/// records need. Nothing where it is as expected.
///
/// Pure, no API call. What has grown is no event: a longer text, a wider number, a new value, a field that need no longer be there. Each
/// field in use has one event that leaves it out at most, the gravest; others of it may stand beside.
#[must_use]
pub fn drift<'s>(expected: &ExpectedFields, now: impl Into<SeenObject<'s>>) -> Vec<DriftEvent> {
    let now = now.into();
    let object = expected.object.as_str();
    let Some(describe) = now.describe.filter(|describe| describe.name.eq_ignore_ascii_case(object)) else {
        return vec![DriftEvent::of_object(object, Change::ObjectGone, Impact::Stops)];
    };
    let mut events = Vec::new();
    of_object(expected, describe, &mut events);
    for field in &expected.fields {
        let change = match describe.field(&field.name) {
            None => Some(absent(expected, field, describe, now.defined)),
            Some(seen) => changed(field, seen),
        };
        let mut add = |change: Change, impact: Impact| {
            events.push(DriftEvent::of_field(object, &field.name, change, impact));
        };
        if let Some(change) = change {
            let some_fit = matches!(change, Change::Shrunk { .. } | Change::ValuesGone { .. } | Change::Restricted);
            let impact = match (field.usage.needed, some_fit) {
                (false, _) => Impact::Suspends,
                (true, false) => Impact::Stops,
                (true, true) => Impact::Told,
            };
            add(change, impact);
            continue;
        }
        let remarks = describe.field(&field.name).map(|seen| remarks(field, seen)).unwrap_or_default();
        let narrowed = remarks.iter().any(|(_, impact)| *impact == Impact::KeepsBlanks);
        if expected.is_suspended(&field.name) && !narrowed {
            add(Change::Back, Impact::Lifts);
        }
        for (change, impact) in remarks {
            add(change, impact);
        }
    }
    if expected.creates {
        let written = |name: &str| expected.field(name).is_some_and(|field| field.usage.creates);
        let needed = |name: &str| expected.required.iter().any(|known| known.eq_ignore_ascii_case(name));
        let new = |field: &&FieldDescribe| field.required_on_create() && !written(&field.name) && !needed(&field.name);
        let new = describe
            .fields
            .iter()
            .filter(new)
            .map(|field| DriftEvent::of_field(object, &field.name, Change::NewRequired, Impact::BreaksCreates));
        events.extend(new);
    }
    events
}

fn of_object(expected: &ExpectedFields, describe: &SObjectDescribe, events: &mut Vec<DriftEvent>) {
    let writes = |which: fn(&ExpectedField) -> bool| expected.fields.iter().any(which);
    let creates = expected.creates && writes(|field| field.usage.creates && field.createable) && !describe.createable;
    let updates = writes(|field| field.usage.updates && field.updateable) && !describe.updateable;
    if creates || updates {
        let change = Change::ObjectReadOnly { creates, updates };
        events.push(DriftEvent::of_object(&expected.object, change, Impact::Stops));
    }
}

/// What has become of a field that is not seen.
fn absent(
    expected: &ExpectedFields,
    field: &ExpectedField,
    describe: &SObjectDescribe,
    defined: Option<&[String]>,
) -> Change {
    let is_defined = defined.map(|names| names.iter().any(|name| name.eq_ignore_ascii_case(&field.name)));
    if is_defined == Some(true) {
        return Change::Hidden;
    }
    let candidates = candidates(expected, field, describe);
    match is_defined {
        _ if !candidates.is_empty() => Change::Renamed { candidates },
        Some(_) => Change::Deleted,
        None => Change::Unseen,
    }
}

/// The fields that were not there before and have its type, and its label or its length.
fn candidates(expected: &ExpectedFields, field: &ExpectedField, describe: &SObjectDescribe) -> Vec<RenameCandidate> {
    let is_new = |seen: &&FieldDescribe| {
        !expected.known.contains(&seen.name.to_ascii_lowercase()) && expected.field(&seen.name).is_none()
    };
    let candidate = |seen: &FieldDescribe| RenameCandidate {
        field: seen.name.clone(),
        same_label: seen.label.eq_ignore_ascii_case(&field.label),
        same_length: (seen.length, whole_digits(seen), seen.scale) == (field.length, field.whole, field.scale),
    };
    // Without a list of what was there before, any field would look new.
    let known = !expected.known.is_empty();
    let alike = describe.fields.iter().filter(|seen| known && seen.field_type == field.field_type).filter(is_new);
    let mut candidates: Vec<RenameCandidate> =
        alike.map(candidate).filter(|candidate| candidate.same_label || candidate.same_length).collect();
    candidates.sort_by_key(|candidate| (!candidate.same_label, !candidate.same_length));
    candidates.truncate(MAX_CANDIDATES);
    candidates
}

/// The gravest change that leaves a field out.
fn changed(field: &ExpectedField, seen: &FieldDescribe) -> Option<Change> {
    if seen.field_type != field.field_type {
        return Some(Change::Retyped { from: field.field_type.clone(), to: seen.field_type.clone() });
    }
    if !field.reference_to.iter().any(|to| leads_to(seen, to))
        && let Some(change) = reference(field, seen)
    {
        return Some(change);
    }
    if !field.usage.writes() {
        return None;
    }
    let creates = field.usage.creates && field.createable && !seen.createable;
    let updates = field.usage.updates && field.updateable && !seen.updateable;
    if creates || updates {
        // No right makes it writable again.
        let computed = seen.calculated || seen.auto_number;
        return Some(if computed { Change::Computed } else { Change::ReadOnly { creates, updates } });
    }
    shrunk(field, seen)
        .or_else(|| values_gone(field, seen, true))
        .or_else(|| (is_picklist(seen) && seen.restricted_picklist && !field.restricted).then_some(Change::Restricted))
}

/// What does not leave it out.
fn remarks(field: &ExpectedField, seen: &FieldDescribe) -> Vec<(Change, Impact)> {
    let mut remarks = Vec::new();
    if let Some(change) = reference(field, seen) {
        remarks.push((change, Impact::Told));
    }
    if !field.usage.writes() {
        return remarks;
    }
    // Without a value a create is refused whatever is done, but a record that is there can keep its own.
    if field.nillable && !seen.nillable && seen.field_type != FieldType::Boolean {
        remarks.push((Change::Required, Impact::KeepsBlanks));
    }
    if let Some(change) = values_gone(field, seen, false) {
        remarks.push((change, Impact::Told));
    }
    remarks
}

fn leads_to(seen: &FieldDescribe, object: &str) -> bool {
    seen.reference_to.iter().any(|to| to.eq_ignore_ascii_case(object))
}

/// The objects that a reference no longer leads to. Of several, such as those of `WhatId`, one that is gone concerns nobody who does not use
/// it: a map that does says so, and its check refuses it.
fn reference(field: &ExpectedField, seen: &FieldDescribe) -> Option<Change> {
    let lost = !field.reference_to.iter().all(|to| leads_to(seen, to));
    lost.then(|| Change::ReferenceChanged { from: field.reference_to.clone(), to: seen.reference_to.clone() })
}

fn shrunk(field: &ExpectedField, seen: &FieldDescribe) -> Option<Change> {
    // No text has room for nothing: a length of 0 says that it has none.
    if (1..field.length).contains(&seen.length) {
        return Some(Change::Shrunk { from: field.length.to_string(), to: seen.length.to_string() });
    }
    let (whole, scale) = (whole_digits(seen), seen.scale);
    let digits = |whole: u32, scale: u32| format!("{whole}.{scale} digits");
    (whole < field.whole || scale < field.scale)
        .then(|| Change::Shrunk { from: digits(field.whole, field.scale), to: digits(whole, scale) })
}

fn is_picklist(seen: &FieldDescribe) -> bool {
    matches!(seen.field_type, FieldType::Picklist | FieldType::Multipicklist)
}

/// The values that are gone from a list that refuses others, or does not.
fn values_gone(field: &ExpectedField, seen: &FieldDescribe, restricted: bool) -> Option<Change> {
    if !is_picklist(seen) || seen.restricted_picklist != restricted {
        return None;
    }
    let is_there = |value: &&String| seen.picklist_values.iter().any(|open| open.active && open.value == **value);
    let values: Vec<String> = field.values.iter().filter(|value| !is_there(value)).cloned().collect();
    (!values.is_empty()).then_some(Change::ValuesGone { values, restricted })
}

#[cfg(test)]
mod tests;
