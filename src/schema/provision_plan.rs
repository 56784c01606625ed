//! The difference between what we need and what an org has. Pure.

use std::collections::BTreeSet;

use super::{DesiredSchema, Finding};
use crate::api::metadata::{CustomField, CustomObject, FieldKind, FieldPermission, PermissionSet};

/// What an org has of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OrgSchema {
    /// The objects of ours that exist, with their custom fields.
    pub(super) objects: Vec<CustomObject>,
    /// Full names of all custom fields of the org.
    pub(super) field_names: BTreeSet<String>,
    /// The permission set of that name.
    pub(super) permission_set: Option<PermissionSet>,
}

/// What to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(super) struct SchemaPlan {
    /// Objects to create.
    pub(super) objects: Vec<CustomObject>,
    /// Fields to create.
    pub(super) fields: Vec<CustomField>,
    /// What becomes of the permission set.
    pub(super) permission_set: PermissionSetStep,
}

/// What becomes of the permission set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(super) enum PermissionSetStep {
    /// It grants all we need.
    Keep,
    /// It is not there.
    Create(PermissionSet),
    /// It lacks something: what it grants now, and what we need.
    Update(PermissionSet),
}

impl SchemaPlan {
    pub(super) fn nothing() -> Self {
        Self { objects: Vec::new(), fields: Vec::new(), permission_set: PermissionSetStep::Keep }
    }
}

/// Compares. What exists is never changed, but for rights added to our permission set.
///
/// # Errors
///
/// All that exists under a name of ours in a shape we cannot use.
fn set_of(desired: &DesiredSchema) -> PermissionSet {
    desired.permission_set.clone().unwrap_or_default()
}

pub(super) fn plan(desired: &DesiredSchema, org: &OrgSchema) -> Result<SchemaPlan, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut objects = Vec::new();
    for object in &desired.objects {
        match org.objects.iter().find(|existing| same(&existing.full_name, &object.full_name)) {
            Some(existing) => findings.extend(unusable_object(object, existing, &desired.fields)),
            None => objects.push(object.clone()),
        }
    }
    let exists = |field: &CustomField| {
        let (object, name) = split(&field.full_name);
        org.field_names.iter().any(|existing| same(existing, &field.full_name))
            || org.objects.iter().any(|known| same(&known.full_name, object) && find(known, name).is_some())
    };
    let fields = desired.fields.iter().filter(|field| !exists(field)).cloned().collect();
    let permission_set = match &org.permission_set {
        None => PermissionSetStep::Create(set_of(desired).clone()),
        // An admin may reword the one or the other; ours it stays.
        Some(existing)
            if existing.description != set_of(desired).description && existing.label != set_of(desired).label =>
        {
            findings.push(Finding::shape(
                "name_taken",
                format!("permission set {}", existing.full_name),
                format!("is another one (\"{}\")", existing.label),
                "rename it, or give ours another name",
            ));
            PermissionSetStep::Keep
        }
        Some(existing) => {
            let union = union(existing, &set_of(desired));
            if union == *existing { PermissionSetStep::Keep } else { PermissionSetStep::Update(union) }
        }
    };
    if findings.is_empty() { Ok(SchemaPlan { objects, fields, permission_set }) } else { Err(findings) }
}

/// API names are the same whatever their case.
fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// `Account.Score__c` as object and field.
pub(super) fn split(full_name: &str) -> (&str, &str) {
    full_name.split_once('.').unwrap_or(("", full_name))
}

fn find<'a>(object: &'a CustomObject, name: &str) -> Option<&'a CustomField> {
    object.fields.iter().find(|field| same(split(&field.full_name).1, name))
}

fn unusable_object(desired: &CustomObject, existing: &CustomObject, fields: &[CustomField]) -> Vec<Finding> {
    const REMEDY: &str = "the org has an object of that name for something else: rename it, or choose another prefix";
    let mut findings = Vec::new();
    let name = |object: &CustomObject| object.name_field.as_ref().map_or("Text", |field| field.kind.type_name());
    if name(existing) != name(desired) {
        let problem = format!("has a Name of type {}, not {}", name(existing), name(desired));
        findings.push(Finding::shape("object_shape", &desired.full_name, problem, REMEDY));
    }
    for field in fields {
        let (object, name) = split(&field.full_name);
        let Some(found) = find(existing, name).filter(|_| same(object, &existing.full_name)) else { continue };
        if let Some(problem) = unusable_field(field, found) {
            findings.push(Finding::shape("field_shape", &field.full_name, problem, REMEDY));
        }
    }
    findings
}

/// Why a field cannot hold what the desired one holds.
fn unusable_field(desired: &CustomField, existing: &CustomField) -> Option<String> {
    let fits = match (&desired.kind, &existing.kind) {
        (FieldKind::Text { length }, FieldKind::Text { length: existing }) => existing >= length,
        (
            FieldKind::Number { precision, scale },
            FieldKind::Number { precision: existing_precision, scale: existing_scale },
        ) => {
            existing_scale >= scale
                && existing_precision.saturating_sub(*existing_scale) >= precision.saturating_sub(*scale)
        }
        (
            FieldKind::Lookup { reference_to, relationship_name, .. },
            FieldKind::Lookup { reference_to: existing, relationship_name: existing_name, .. },
        ) => same(reference_to, existing) && same(relationship_name, existing_name),
        (desired, existing) => desired == existing,
    };
    if !fits {
        return Some(format!("is {}, not {}", existing.kind, desired.kind));
    }
    if desired.external_id && !(existing.external_id && existing.unique) {
        return Some("is no unique external id".into());
    }
    None
}

/// What either grants. Nothing an admin has added is taken away: an update replaces the lists.
fn union(existing: &PermissionSet, desired: &PermissionSet) -> PermissionSet {
    let mut union = existing.clone();
    for wanted in &desired.fields {
        match union.fields.iter_mut().find(|field| same(&field.field, &wanted.field)) {
            Some(field) => {
                field.readable |= wanted.readable;
                field.editable |= wanted.editable;
            }
            None => union.fields.push(FieldPermission { ..wanted.clone() }),
        }
    }
    for wanted in &desired.objects {
        match union.objects.iter_mut().find(|object| same(&object.object, &wanted.object)) {
            Some(object) => {
                object.create |= wanted.create;
                object.read |= wanted.read;
                object.edit |= wanted.edit;
                object.delete |= wanted.delete;
                object.view_all |= wanted.view_all;
                object.modify_all |= wanted.modify_all;
            }
            None => union.objects.push(wanted.clone()),
        }
    }
    for name in &desired.users {
        if !union.users.contains(name) {
            union.users.push(name.clone());
        }
    }
    union
}
