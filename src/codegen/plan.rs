//! What is to be written: names given, types chosen. Pure.

use std::collections::{BTreeMap, HashSet};

use super::layout::doc_text;
use super::names::{Names, pascal, snake, spared, split_suffix, variant};
use super::{SkippedField, TypeGenerator};
use crate::types::{FieldDescribe, FieldName, FieldType, SObjectDescribe, SObjectName};

/// The variant that keeps values which are not listed. A listed value of this name gets another one.
pub(super) const UNLISTED: &str = "Unlisted";

/// One object's types.
#[derive(Debug)]
pub(super) struct ObjectPlan {
    pub(super) object: String,
    pub(super) doc: String,
    /// The struct that is read; the others are `New…` and `…Changes`.
    pub(super) name: String,
    pub(super) module: String,
    pub(super) createable: bool,
    pub(super) updateable: bool,
    pub(super) fields: Vec<FieldPlan>,
    pub(super) enums: Vec<EnumPlan>,
    pub(super) skipped: Vec<SkippedField>,
}

/// One field, or the parent that a reference leads to.
#[derive(Clone, Debug)]
pub(super) struct FieldPlan {
    /// As JSON names it.
    pub(super) member: String,
    pub(super) ident: String,
    pub(super) rust: RustType,
    pub(super) doc: String,
    pub(super) help: Option<String>,
    pub(super) read: Read,
    pub(super) create: Create,
    pub(super) update: Update,
    /// SOQL selects it by its own name; parents need a path.
    pub(super) selected: bool,
}

/// How the value is written in Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RustType {
    pub(super) path: String,
    /// `Into` helps whoever gives one.
    pub(super) from_others: bool,
}

/// How an answer has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Always.
    Always,
    /// Or null, or not selected.
    Optional,
}

/// How a create has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Create {
    /// It is refused.
    No,
    /// A create without it is refused.
    Required,
    /// Left alone or set: null would be refused.
    Maybe,
    /// Left alone, null or set.
    ThreeStates,
}

/// How an update has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Update {
    /// It is refused.
    No,
    /// Left alone or set.
    Maybe,
    /// Left alone, null or set.
    ThreeStates,
}

/// A picklist.
#[derive(Debug)]
pub(super) struct EnumPlan {
    pub(super) field: String,
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) restricted: bool,
    pub(super) variants: Vec<VariantPlan>,
    /// The variant for all else.
    pub(super) unlisted: String,
}

/// A value of a picklist.
#[derive(Debug)]
pub(super) struct VariantPlan {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) doc: String,
}

/// Plans all objects; their names do not depend on their order.
pub(super) fn plan(generator: &TypeGenerator, objects: &[(SObjectName, &SObjectDescribe)]) -> Vec<ObjectPlan> {
    let mut types = Names::of_types();
    let mut modules = Names::default();
    let mut order: Vec<usize> = (0..objects.len()).collect();
    order.sort_by_key(|&index| (objects[index].1.custom, objects[index].0.as_str()));
    let mut named: BTreeMap<usize, (String, String)> = BTreeMap::new();
    for &index in &order {
        let object = objects[index].0.as_str();
        let (stem, suffix) = split_suffix(object);
        // `__c` says no more than that it is custom; `__e` and `__mdt` are other kinds of objects.
        let whole = format!("{}{}", pascal(stem), suffix.map(pascal).unwrap_or_default());
        let plain = if matches!(suffix, Some("c")) { pascal(stem) } else { whole.clone() };
        let candidates = [plain, whole.clone(), format!("{whole}Object")];
        let name = types.free(
            &candidates,
            |name, number| format!("{name}{number}"),
            |name| vec![name.to_owned(), new_name(name), changes_name(name)],
        );
        let module = modules.first_free(&[spared(snake(&name))], |name, number| format!("{name}_{number}"));
        named.insert(index, (name, module));
    }
    let mut plans: BTreeMap<usize, ObjectPlan> = BTreeMap::new();
    for index in order {
        let (name, module) = named.remove(&index).unwrap_or_default();
        plans.insert(index, object(generator, objects[index].1, name, module, &mut types));
    }
    plans.into_values().collect()
}

pub(super) fn new_name(name: &str) -> String {
    format!("New{name}")
}

pub(super) fn changes_name(name: &str) -> String {
    format!("{name}Changes")
}

fn object(
    generator: &TypeGenerator,
    describe: &SObjectDescribe,
    name: String,
    module: String,
    types: &mut Names,
) -> ObjectPlan {
    let mut plan = ObjectPlan {
        object: describe.name.clone(),
        doc: doc_text(if describe.label.trim().is_empty() { &describe.name } else { &describe.label }),
        name,
        module,
        createable: describe.createable,
        updateable: describe.updateable,
        fields: Vec::new(),
        enums: Vec::new(),
        skipped: Vec::new(),
    };
    let mut known = HashSet::new();
    let mut fields = Vec::new();
    for field in &describe.fields {
        let reason = if FieldName::new(field.name.as_str()).is_err() {
            "not an API name"
        } else if !known.insert(field.name.to_ascii_lowercase()) {
            "described twice"
        } else {
            if generator.wants(describe, field) {
                fields.push(field);
            }
            continue;
        };
        plan.skipped.push(SkippedField { field: field.name.clone(), reason: reason.to_owned() });
    }
    let parents: Vec<Option<&str>> = fields.iter().map(|field| parent(field, &mut known)).collect();
    let idents = idents(&fields, &parents);
    for ((field, parent), (ident, parent_ident)) in fields.iter().zip(parents).zip(idents) {
        let rust = rust_type(field, &mut plan, types);
        let planned = plan_field(generator, describe, field, ident, rust);
        if let (Some(member), Some(ident)) = (parent, parent_ident) {
            let parent = plan_parent(field, &planned, member, ident);
            plan.fields.extend([planned, parent]);
        } else {
            plan.fields.push(planned);
        }
    }
    plan
}

/// The relationship's name, unless it is none or that of a field.
fn parent<'a>(field: &'a FieldDescribe, known: &mut HashSet<String>) -> Option<&'a str> {
    let name = field.relationship_name.as_deref().filter(|_| field.field_type == FieldType::Reference)?;
    FieldName::new(name).ok()?;
    known.insert(name.to_ascii_lowercase()).then_some(name)
}

/// Names of fields and of their parents. Standard ones come first, so that a custom field added later changes none of them.
fn idents(fields: &[&FieldDescribe], parents: &[Option<&str>]) -> Vec<(String, Option<String>)> {
    let mut names = Names::default();
    let mut order: Vec<(bool, bool, &str, usize)> = Vec::new();
    for (index, (field, parent)) in fields.iter().zip(parents).enumerate() {
        order.push((field.custom, false, &field.name, index));
        if let Some(parent) = parent {
            order.push((field.custom, true, parent, index));
        }
    }
    order.sort_unstable();
    let mut idents = vec![(String::new(), None); fields.len()];
    for (custom, is_parent, name, index) in order {
        let (stem, suffix) = split_suffix(name);
        let mut plain = snake(stem);
        // A standard lookup is named `AccountId` and its parent `Account`, a custom one `Account__c` and `Account__r`.
        let lookup = custom && !is_parent && fields[index].field_type == FieldType::Reference;
        if lookup && !plain.ends_with("_id") {
            plain.push_str("_id");
        }
        let kind = if is_parent { "parent" } else { suffix.unwrap_or("field") };
        let candidates = [spared(plain.clone()), format!("{plain}_{}", kind.to_lowercase())];
        let ident = names.first_free(&candidates, |name, number| format!("{name}_{number}"));
        if is_parent {
            idents[index].1 = Some(ident);
        } else {
            idents[index].0 = ident;
        }
    }
    idents
}

fn plan_field(
    generator: &TypeGenerator,
    object: &SObjectDescribe,
    field: &FieldDescribe,
    ident: String,
    rust: RustType,
) -> FieldPlan {
    let boolean = field.field_type == FieldType::Boolean;
    // Describe promises more of custom fields than records hold: one that was made required, or numbered, after records
    // had been saved is null in those. Sources: github.com/data-integrations/salesforce pull 246, singer-io/tap-salesforce
    // pull 15. A checkbox has no null, and no child of a master is without it.
    let kept = !field.custom || boolean || field.is_master();
    let always = field.name == "Id" || (!generator.all_optional && !field.nillable && kept);
    let clearable = field.nillable && !boolean;
    let create = if !field.createable {
        Create::No
    } else if field.required_on_create() && !boolean {
        Create::Required
    } else if clearable {
        Create::ThreeStates
    } else {
        Create::Maybe
    };
    let update = match (field.updateable, clearable) {
        (false, _) => Update::No,
        (true, true) => Update::ThreeStates,
        (true, false) => Update::Maybe,
    };
    FieldPlan {
        member: field.name.clone(),
        ident,
        rust,
        doc: super::docs::field(object, field),
        help: field.inline_help_text.as_deref().map(doc_text).filter(|help| !help.is_empty()),
        read: if always { Read::Always } else { Read::Optional },
        create,
        update,
        selected: true,
    }
}

/// The parent beside its id. A write may name it by an external id instead, unless the id is asked for.
fn plan_parent(field: &FieldDescribe, id: &FieldPlan, member: &str, ident: String) -> FieldPlan {
    FieldPlan {
        member: member.to_owned(),
        ident,
        rust: RustType { path: "types::Parent".to_owned(), from_others: false },
        doc: super::docs::parent(field),
        help: None,
        read: Read::Optional,
        create: if matches!(id.create, Create::No | Create::Required) { Create::No } else { Create::Maybe },
        update: if id.update == Update::No { Update::No } else { Update::Maybe },
        selected: false,
    }
}

fn rust_type(field: &FieldDescribe, plan: &mut ObjectPlan, types: &mut Names) -> RustType {
    let exact = |path: &str| RustType { path: path.to_owned(), from_others: false };
    let into = |path: String| RustType { path, from_others: true };
    match &field.field_type {
        FieldType::Id | FieldType::Reference => exact("types::RecordId"),
        FieldType::Boolean => exact("bool"),
        FieldType::Int => exact("i64"),
        FieldType::Double | FieldType::Currency | FieldType::Percent => into("types::Decimal".to_owned()),
        FieldType::Date => exact("types::Date"),
        FieldType::Datetime => exact("types::Timestamp"),
        FieldType::Address => exact("types::Address"),
        FieldType::Location => exact("types::Location"),
        FieldType::Picklist if !field.picklist_values.is_empty() => into(picklist(field, plan, types)),
        FieldType::Multipicklist if field.picklist_values.is_empty() => into("types::MultiSelect".to_owned()),
        FieldType::Multipicklist => into(format!("types::MultiSelect<{}>", picklist(field, plan, types))),
        FieldType::Other(name) if name == "long" => exact("i64"),
        FieldType::AnyType | FieldType::Other(_) => into("types::Value".to_owned()),
        FieldType::Time
        | FieldType::String
        | FieldType::Textarea
        | FieldType::Picklist
        | FieldType::Combobox
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Encryptedstring
        | FieldType::Base64 => into("String".to_owned()),
    }
}

/// Plans the enum of a picklist and gives its name.
fn picklist(field: &FieldDescribe, plan: &mut ObjectPlan, types: &mut Names) -> String {
    let (stem, suffix) = split_suffix(&field.name);
    let short = format!("{}{}", plan.name, pascal(stem));
    let candidates = [short.clone(), format!("{short}{}", pascal(suffix.unwrap_or("value")))];
    let name = types.first_free(&candidates, |name, number| format!("{name}{number}"));
    let mut names = Names::default();
    let numbered = |name: &str, number: usize| format!("{name}V{number}");
    let unlisted = names.first_free(&[UNLISTED.to_owned()], numbered);
    let mut known = HashSet::new();
    let mut variants = Vec::new();
    for entry in field.picklist_values.iter().filter(|entry| known.insert(entry.value.as_str())) {
        let name = names.first_free(&[variant(&entry.value)], numbered);
        variants.push(VariantPlan { name, value: entry.value.clone(), doc: super::docs::value(entry) });
    }
    plan.enums.push(EnumPlan {
        field: field.name.clone(),
        name: name.clone(),
        doc: super::docs::label(field),
        restricted: field.restricted_picklist,
        variants,
        unlisted,
    });
    name
}
