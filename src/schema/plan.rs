//! The difference between what we need and what an org has. Pure.

use std::collections::BTreeSet;

use super::Finding;
use crate::api::metadata::{CustomField, CustomObject, FieldKind, FieldPermission, PermissionSet};

/// What we need in an org.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredSchema {
    /// Custom objects, without their fields.
    pub objects: Vec<CustomObject>,
    /// Custom fields of these and of standard objects, by full name.
    pub fields: Vec<CustomField>,
    /// Who may use them. Its description tells ours from another of the same name.
    pub permission_set: PermissionSet,
}

/// What an org has of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrgSchema {
    /// The objects of ours that exist, with their custom fields.
    pub objects: Vec<CustomObject>,
    /// Full names of all custom fields of the org.
    pub field_names: BTreeSet<String>,
    /// The permission set of that name.
    pub permission_set: Option<PermissionSet>,
}

/// What to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaPlan {
    /// Objects to create.
    pub objects: Vec<CustomObject>,
    /// Fields to create.
    pub fields: Vec<CustomField>,
    /// What becomes of the permission set.
    pub permission_set: PermissionSetStep,
}

/// What becomes of the permission set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PermissionSetStep {
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

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.fields.is_empty() && self.permission_set == PermissionSetStep::Keep
    }
}

/// Compares. What exists is never changed, but for rights added to our permission set.
///
/// # Errors
///
/// All that exists under a name of ours in a shape we cannot use.
pub fn plan(desired: &DesiredSchema, org: &OrgSchema) -> Result<SchemaPlan, Vec<Finding>> {
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
        None => PermissionSetStep::Create(desired.permission_set.clone()),
        // An admin may reword the one or the other; ours it stays.
        Some(existing)
            if existing.description != desired.permission_set.description
                && existing.label != desired.permission_set.label =>
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
            let union = union(existing, &desired.permission_set);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::metadata::{NameField, ObjectPermission};

    fn field(full_name: &str, kind: FieldKind) -> CustomField {
        CustomField::new(full_name, "L", kind)
    }

    fn desired() -> DesiredSchema {
        let key =
            CustomField { unique: true, external_id: true, ..field("S__c.Key__c", FieldKind::Text { length: 80 }) };
        DesiredSchema {
            objects: vec![CustomObject::new("S__c", "S", "Ss").name_field(NameField::text("Id"))],
            fields: vec![
                key,
                field("S__c.N__c", FieldKind::Number { precision: 18, scale: 3 }),
                field("Account.N__c", FieldKind::DateTime),
            ],
            permission_set: PermissionSet {
                full_name: "P".into(),
                label: "P".into(),
                description: Some("ours".into()),
                fields: vec![FieldPermission { field: "S__c.N__c".into(), readable: true, editable: true }],
                objects: vec![ObjectPermission { object: "S__c".into(), read: true, ..ObjectPermission::default() }],
                ..PermissionSet::default()
            },
        }
    }

    /// The org after a plan was carried out.
    fn applied(org: &OrgSchema, plan: &SchemaPlan) -> OrgSchema {
        let mut org = org.clone();
        org.objects.extend(plan.objects.clone());
        org.field_names.extend(plan.fields.iter().map(|field| field.full_name.clone()));
        for field in &plan.fields {
            let (object, name) = split(&field.full_name);
            if let Some(object) = org.objects.iter_mut().find(|known| known.full_name == object) {
                object.fields.push(CustomField { full_name: name.into(), ..field.clone() });
            }
        }
        match &plan.permission_set {
            PermissionSetStep::Keep => {}
            PermissionSetStep::Create(set) | PermissionSetStep::Update(set) => org.permission_set = Some(set.clone()),
        }
        org
    }

    #[test]
    fn nav_2_a_second_plan_is_empty_and_a_half_finished_one_goes_on() {
        let empty = OrgSchema::default();
        let whole = plan(&desired(), &empty).expect("nothing in the way");
        assert_eq!((whole.objects.len(), whole.fields.len()), (1, 3));
        let full = applied(&empty, &whole);
        assert!(plan(&desired(), &full).expect("fits").is_empty());

        let mut half = full.clone();
        half.objects[0].fields.pop();
        half.field_names.remove("S__c.N__c");
        half.permission_set = None;
        let rest = plan(&desired(), &half).expect("fits");
        assert_eq!(rest.fields.iter().map(|field| field.full_name.as_str()).collect::<Vec<_>>(), ["S__c.N__c"]);
        assert!(rest.objects.is_empty() && matches!(rest.permission_set, PermissionSetStep::Create(_)));
    }

    #[test]
    fn an_object_of_another_shape_is_refused_with_every_reason() {
        let mut org = applied(&OrgSchema::default(), &plan(&desired(), &OrgSchema::default()).expect("empty"));
        org.objects[0].name_field = Some(NameField::auto_number("Id", "{0}"));
        org.objects[0].fields[0].unique = false;
        org.objects[0].fields[1].kind = FieldKind::Text { length: 10 };
        let findings = plan(&desired(), &org).expect_err("unusable");
        let subjects: Vec<&str> = findings.iter().map(|finding| finding.subject.as_str()).collect();
        assert_eq!(subjects, ["S__c", "S__c.Key__c", "S__c.N__c"]);
        assert_eq!(findings[2].problem, "is Text(10), not Number(15, 3)");
    }

    #[test]
    fn a_lookup_has_to_point_to_the_object_and_name_its_children_as_we_do() {
        let lookup = |to: &str, name: &str| FieldKind::lookup(to, name, "L");
        let ours = field("S__c.L__c", lookup("Contact", "Sessions"));
        for (existing, fits) in [
            (lookup("contact", "Sessions"), true),
            (lookup("Lead", "Sessions"), false),
            (lookup("Contact", "Theirs"), false),
        ] {
            assert_eq!(unusable_field(&ours, &field("L__c", existing.clone())).is_none(), fits, "{existing}");
        }
    }

    #[test]
    fn wider_fields_are_fine() {
        let mut org = applied(&OrgSchema::default(), &plan(&desired(), &OrgSchema::default()).expect("empty"));
        org.objects[0].fields[0].kind = FieldKind::Text { length: 255 };
        assert!(plan(&desired(), &org).expect("fits").is_empty());
    }

    #[test]
    fn rights_are_added_to_our_permission_set_and_none_taken_away() {
        let mut org = applied(&OrgSchema::default(), &plan(&desired(), &OrgSchema::default()).expect("empty"));
        let set = org.permission_set.as_mut().expect("created");
        set.fields[0].editable = false;
        set.objects[0].delete = true;
        set.users.push("ApiEnabled".into());
        let PermissionSetStep::Update(update) = plan(&desired(), &org).expect("fits").permission_set else {
            panic!("lacks Edit")
        };
        assert!(update.fields[0].editable && update.objects[0].delete && update.users == ["ApiEnabled"]);
    }

    #[test]
    fn a_permission_set_name_that_is_taken_is_refused() {
        let mut org = applied(&OrgSchema::default(), &plan(&desired(), &OrgSchema::default()).expect("empty"));
        let set = org.permission_set.as_mut().expect("created");
        set.description = Some("reworded by an admin".into());
        assert!(plan(&desired(), &org).expect("still ours").is_empty());
        org.permission_set.as_mut().expect("created").label = "of somebody else".into();
        let findings = plan(&desired(), &org).expect_err("taken");
        assert_eq!(findings[0].subject, "permission set P");
    }
}
