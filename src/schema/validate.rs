//! What is wrong with a desired schema, all at once, before the first call.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::DesiredSchema;
use super::desired::{DesiredSection, split};
use super::names;
use crate::api::metadata::{
    CustomField, CustomObject, DeleteConstraint, FieldKind, NameField, NameKind, PermissionSet, SharingModel, ValueSet,
    ValueSource,
};
use crate::error::{Error, ErrorKind, Result};

/// Characters of the label of an object or field. General knowledge, not verified.
const MAX_LABEL: usize = 40;

/// Source: wire facts of `PermissionSet`, Object Reference.
const MAX_SET_LABEL: usize = 80;

/// General knowledge, not verified.
const MAX_DESCRIPTION: usize = 1000;

/// Source: Object Reference, "`PermissionSet`".
const MAX_SET_DESCRIPTION: usize = 255;

/// Source: Tooling API guide, "`CustomField`".
const MAX_HELP: usize = 510;

/// External ids of an object. General knowledge, not verified.
pub(super) const MAX_EXTERNAL_IDS: usize = 25;

/// Tracked fields of an object. General knowledge, not verified.
pub(super) const MAX_TRACKED: usize = 20;

/// General knowledge, not verified.
const MAX_PICKLIST_VALUES: usize = 1000;

/// Whether a component of the type is one of the org, of an object or of all users, so that others work in it too. Source: Metadata API
/// guide, the pages of these types.
fn is_container(component_type: &str) -> bool {
    const CONTAINERS: [&str; 11] = [
        "AssignmentRules",
        "AutoResponseRules",
        "CustomLabels",
        "CustomObjectTranslation",
        "EscalationRules",
        "MatchingRules",
        "Profile",
        "SharingRules",
        "StandardValueSet",
        "Translations",
        "Workflow",
    ];
    CONTAINERS.contains(&component_type) || component_type.ends_with("Settings")
}

/// One thing that is wrong with a [`DesiredSchema`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SchemaFault {
    /// The file, if the schema was read from one.
    pub file: Option<String>,
    /// The line, from 1, if it is known.
    pub line: Option<usize>,
    /// What it is about, such as `Account.Score__c`.
    pub subject: String,
    /// What is wrong with it.
    pub problem: String,
    /// Where it stands.
    #[serde(skip)]
    pub(super) place: Place,
}

/// Where in a schema something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Schema,
    Object(usize),
    /// Of an object's own fields.
    Nested(usize, usize),
    Field(usize),
    PermissionSet,
    Section(usize),
    Component(usize),
}

impl SchemaFault {
    pub(super) fn new(place: Place, subject: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { file: None, line: None, subject: subject.into(), problem: problem.into(), place }
    }

    pub(super) fn refuse(faults: Vec<Self>) -> Result<()> {
        if faults.is_empty() {
            return Ok(());
        }
        let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Err(Error::new(ErrorKind::Config, "schema", words.join("; ")).with_source(Faults(faults)))
    }

    /// The faults that an error tells of, in the order of its message; none for one that is not about the content of a schema.
    #[must_use]
    pub fn all_of(error: &Error) -> &[Self] {
        let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Faults>());
        source.map_or(&[], |faults| &faults.0)
    }
}

impl fmt::Display for SchemaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
            (Some(file), None) => write!(f, "{file}: ")?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        if !self.subject.is_empty() {
            write!(f, "{} ", self.subject)?;
        }
        f.write_str(&self.problem)
    }
}

/// What an error of a schema carries.
#[derive(Debug)]
struct Faults(Vec<SchemaFault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The message has them in words.
        let count = self.0.len();
        write!(f, "{count} {} in the schema", if count == 1 { "fault" } else { "faults" })
    }
}

impl std::error::Error for Faults {}

/// Everything that is wrong.
pub(super) fn faults(schema: &DesiredSchema) -> Vec<SchemaFault> {
    let mut checker = Checker { found: Vec::new(), place: Place::Schema, subject: String::new() };
    if schema.name.trim().is_empty() {
        checker.wrong("the schema has no name");
    }
    for (index, object) in schema.objects.iter().enumerate() {
        checker.at(Place::Object(index), &object.full_name);
        checker.object(object);
    }
    let fields = placed_fields(schema);
    for (place, field) in &fields {
        checker.at(*place, &field.full_name);
        checker.field(field, schema);
    }
    checker.counts(&fields);
    checker.details(schema, &fields);
    checker.children(&fields);
    if let Some(set) = &schema.permission_set {
        checker.at(Place::PermissionSet, &format!("permission set {}", set.full_name));
        checker.permission_set(set, &fields);
    }
    for (index, section) in schema.layout_sections.iter().enumerate() {
        checker.at(Place::Section(index), &format!("section \"{}\" of {}", section.label, section.layout));
        checker.section(section, &fields);
    }
    for (index, component) in schema.components.iter().enumerate() {
        checker.at(Place::Component(index), &format!("{} {}", component.component_type(), component.full_name()));
        if component.full_name().trim().is_empty() {
            checker.wrong("has no full name");
        }
        if matches!(component.component_type(), "CustomObject" | "CustomField" | "PermissionSet" | "Layout") {
            checker.wrong("belongs to the objects, fields, permission set or sections of the schema");
        }
        if is_container(component.component_type()) {
            checker
                .wrong("holds what is not ours too, and a deploy replaces it; name its parts, such as a WorkflowRule");
        }
    }
    checker.doubles(schema, &fields);
    checker.found
}

fn placed_fields(schema: &DesiredSchema) -> Vec<(Place, CustomField)> {
    let nested = schema.objects.iter().enumerate().flat_map(|(index, object)| {
        object.fields.iter().enumerate().map(move |(number, field)| {
            let full_name = format!("{}.{}", object.full_name, field.full_name);
            (Place::Nested(index, number), CustomField { full_name, ..field.clone() })
        })
    });
    let own = schema.fields.iter().enumerate().map(|(index, field)| (Place::Field(index), field.clone()));
    nested.chain(own).collect()
}

struct Checker {
    found: Vec<SchemaFault>,
    place: Place,
    subject: String,
}

impl Checker {
    fn at(&mut self, place: Place, subject: &str) {
        (self.place, self.subject) = (place, subject.to_owned());
    }

    fn wrong(&mut self, problem: impl Into<String>) {
        self.found.push(SchemaFault::new(self.place, &self.subject, problem));
    }

    fn wrong_if(&mut self, wrong: bool, problem: impl Into<String>) {
        if wrong {
            self.wrong(problem);
        }
    }

    fn name(&mut self, stem: &str, most: usize) {
        for fault in names::faults(stem, most) {
            self.wrong(fault);
        }
    }

    fn label(&mut self, what: &str, label: &str, most: usize) {
        // As Salesforce counts text.
        let length = label.encode_utf16().count();
        self.wrong_if(label.trim().is_empty(), format!("has no {what}"));
        self.wrong_if(length > most, format!("has a {what} of {length} characters, {most} are allowed"));
        self.wrong_if(label.chars().any(char::is_control), format!("has a {what} with control characters"));
    }

    fn text(&mut self, what: &str, text: Option<&String>, most: usize) {
        let length = text.map_or(0, |text| text.encode_utf16().count());
        self.wrong_if(length > most, format!("has a {what} of {length} characters, {most} are allowed"));
        let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        self.wrong_if(text.is_some_and(|text| text.contains(control)), format!("has a {what} with control characters"));
    }

    fn object(&mut self, object: &CustomObject) {
        self.text("description", object.description.as_ref(), MAX_DESCRIPTION);
        let Some(stem) = object.full_name.strip_suffix("__c") else {
            let made = !object.label.is_empty() || !object.plural_label.is_empty() || object.name_field.is_some();
            for fault in names::faults(&object.full_name, names::MAX_NAME) {
                self.wrong(fault);
            }
            self.wrong_if(made, "is no custom object: its name does not end in __c");
            return;
        };
        self.name(stem, names::MAX_NAME);
        self.label("label", &object.label, MAX_LABEL);
        self.label("plural label", &object.plural_label, MAX_LABEL);
        match &object.name_field {
            None => self.wrong("has no name field"),
            Some(NameField { label, kind, track_history, .. }) => {
                self.label("name field label", label, MAX_LABEL);
                if let NameKind::AutoNumber { display_format, .. } = kind {
                    self.display_format(display_format);
                }
                let untracked = *track_history && object.enable_history != Some(true);
                self.wrong_if(untracked, "tracks its name field, but does not have its history enabled");
            }
        }
        self.wrong_if(object.sharing_model.is_none(), "has no sharing model");
        let switches = [object.enable_bulk_api, object.enable_sharing, object.enable_streaming_api];
        let unequal = switches.iter().any(|switch| *switch != switches[0]);
        self.wrong_if(unequal, "has enableBulkApi, enableSharing and enableStreamingApi that differ");
    }

    fn field(&mut self, field: &CustomField, schema: &DesiredSchema) {
        let (object, name) = split(&field.full_name);
        let stem = name.strip_suffix("__c");
        self.wrong_if(object.is_empty(), "names no object: its full name is Object.Field__c");
        match stem {
            Some(stem) => self.name(stem, names::MAX_NAME),
            None => self.wrong("is no custom field: its name does not end in __c"),
        }
        let object_stem = object.strip_suffix("__c").unwrap_or(object);
        // An object of a package has its namespace before two underscores.
        let bad_object = object_stem.split("__").any(|part| !names::faults(part, names::MAX_NAME).is_empty());
        self.wrong_if(!object.is_empty() && bad_object, format!("is on {object}, which cannot be an object"));
        self.label("label", &field.label, MAX_LABEL);
        self.text("description", field.description.as_ref(), MAX_DESCRIPTION);
        self.text("help text", field.inline_help_text.as_ref(), MAX_HELP);
        self.kind(&field.kind);
        self.flags(field, object);
        let made = schema.objects.iter().find(|known| known.full_name.eq_ignore_ascii_case(object));
        if field.track_history {
            let off = made.is_some_and(|object| object.enable_history != Some(true));
            self.wrong_if(off, format!("is tracked, but {object} does not have its history enabled"));
            let never = matches!(field.kind, FieldKind::Formula { .. } | FieldKind::AutoNumber { .. });
            self.wrong_if(never, format!("is tracked, which a {} cannot be", field.kind.type_name()));
        }
        if let FieldKind::MasterDetail { .. } = field.kind {
            self.wrong_if(!object.ends_with("__c"), "is a master-detail relationship of a standard object");
        }
    }

    fn digits(&mut self, precision: u32, scale: u32) {
        self.wrong_if(!(1..=18).contains(&precision), format!("has {precision} digits, 1 to 18 are allowed"));
        self.wrong_if(scale > precision, format!("has {scale} digits after the point and only {precision} in all"));
    }

    fn range(&mut self, what: &str, value: u32, from: u32, to: u32) {
        self.wrong_if(!(from..=to).contains(&value), format!("has {value} {what}, {from} to {to} are allowed"));
    }

    fn kind(&mut self, kind: &FieldKind) {
        match kind {
            FieldKind::Text { length } => self.range("characters", *length, 1, 255),
            FieldKind::LongTextArea { length, visible_lines } | FieldKind::Html { length, visible_lines } => {
                self.range("characters", *length, 256, 131_072);
                self.wrong_if(*visible_lines < 2, format!("shows {visible_lines} lines, at least 2 are needed"));
            }
            FieldKind::Number { precision, scale }
            | FieldKind::Currency { precision, scale }
            | FieldKind::Percent { precision, scale } => self.digits(*precision, *scale),
            FieldKind::Picklist { values } => self.values(values),
            FieldKind::MultiselectPicklist { values, visible_lines } => {
                self.values(values);
                self.range("lines", *visible_lines, 3, 10);
            }
            FieldKind::Lookup { reference_to, relationship_name, relationship_label, .. }
            | FieldKind::MasterDetail { reference_to, relationship_name, relationship_label, .. } => {
                self.wrong_if(reference_to.trim().is_empty(), "looks up no object");
                let stem = reference_to.strip_suffix("__c").unwrap_or(reference_to);
                let parts = stem.split("__").flat_map(|part| names::faults(part, names::MAX_NAME));
                if !reference_to.trim().is_empty() && parts.count() > 0 {
                    self.wrong(format!("looks up {reference_to}, which cannot be an object"));
                }
                for fault in names::faults(relationship_name, names::MAX_NAME) {
                    self.wrong(format!("has a relationship that {fault}"));
                }
                self.label("relationship label", relationship_label, MAX_SET_LABEL);
            }
            FieldKind::AutoNumber { display_format, .. } => self.display_format(display_format),
            FieldKind::Location { scale } => self.range("digits after the point", *scale, 0, 15),
            FieldKind::Formula { formula, .. } => self.wrong_if(formula.trim().is_empty(), "has an empty formula"),
            FieldKind::Other(name) => self.wrong(format!("is of the type {name:?}, which is not made")),
            _ => {}
        }
    }

    fn display_format(&mut self, format: &str) {
        // Help, "Custom Field Types": one {0} with a zero for each digit.
        let digits = format.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(digits, _)| digits);
        let sound = !digits.is_empty() && digits.bytes().all(|digit| digit == b'0');
        let dated = format.contains("{YY") || format.contains("{MM") || format.contains("{DD");
        self.wrong_if(
            !(sound || dated && format.contains("{0")),
            format!("has the display format {format:?} without {{0}}"),
        );
        self.wrong_if(format.chars().count() > 30, "has a display format of more than 30 characters");
    }

    fn values(&mut self, set: &ValueSet) {
        if let ValueSource::Global(name) = &set.source {
            self.wrong_if(name.trim().is_empty(), "has the values of no global value set");
            return;
        }
        let values = set.values();
        self.wrong_if(values.is_empty(), "is a picklist without values");
        self.wrong_if(values.len() > MAX_PICKLIST_VALUES, format!("has {} values, 1,000 are allowed", values.len()));
        self.wrong_if(values.iter().filter(|value| value.default).count() > 1, "has two default values");
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for value in values {
            let name = value.full_name.as_str();
            let length = name.encode_utf16().count();
            self.wrong_if(name.trim().is_empty(), "has an empty value");
            self.wrong_if(length > 255, format!("has a value of {length} characters, 255 are allowed"));
            self.wrong_if(name.chars().any(char::is_control), "has a value with control characters");
            self.wrong_if(!seen.insert(name.to_lowercase()), format!("has the value {name:?} twice"));
        }
    }

    fn flags(&mut self, field: &CustomField, object: &str) {
        use FieldKind as K;
        let kind = &field.kind;
        let name = kind.type_name();
        let is_formula = matches!(kind, K::Formula { .. });
        let keyed = matches!(kind, K::Text { .. } | K::Number { .. } | K::Email | K::AutoNumber { .. });
        // Wire facts 4.4: external ids are auto-numbers, emails, numbers and texts.
        self.wrong_if(field.external_id && !keyed, format!("is an external id, which a {name} cannot be"));
        self.wrong_if(field.unique && !keyed, format!("is unique, which a {name} cannot be"));
        let cased = matches!(kind, K::Text { .. }) && field.unique;
        self.wrong_if(field.case_sensitive && !cased, "is case-sensitive, which only a unique text can be");
        let never = is_formula
            || matches!(
                kind,
                K::Checkbox | K::LongTextArea { .. } | K::Html { .. } | K::AutoNumber { .. } | K::MasterDetail { .. }
            );
        self.wrong_if(field.required && never, format!("is required, which a {name} cannot be said to be"));
        if let K::Lookup { delete_constraint, .. } = kind {
            let emptied = matches!(delete_constraint, None | Some(DeleteConstraint::SetNull));
            self.wrong_if(field.required && emptied, "is a required lookup that is emptied when its record is deleted");
            let cascade = *delete_constraint == Some(DeleteConstraint::Cascade);
            self.wrong_if(
                cascade && !object.ends_with("__c"),
                "deletes records of a standard object with what it looks up",
            );
        }
        let default = field.default_value.as_deref();
        match kind {
            K::Checkbox => {
                let sound = matches!(default, None | Some("true" | "false"));
                self.wrong_if(!sound, "is a checkbox whose default is neither true nor false");
            }
            K::AutoNumber { .. } | K::Formula { .. } | K::MasterDetail { .. } => {
                self.wrong_if(default.is_some(), format!("has a default, which a {name} cannot have"));
            }
            _ => self.wrong_if(default.is_some_and(|text| text.trim().is_empty()), "has an empty default"),
        }
    }

    /// What is limited per object.
    fn counts(&mut self, fields: &[(Place, CustomField)]) {
        let mut of: BTreeMap<String, (String, Place, [usize; 3])> = BTreeMap::new();
        for (place, field) in fields {
            let (object, _) = split(&field.full_name);
            let (_, _, counts) =
                of.entry(object.to_ascii_lowercase()).or_insert_with(|| (object.to_owned(), *place, [0; 3]));
            let is_master = matches!(field.kind, FieldKind::MasterDetail { .. });
            for (count, counts_here) in counts.iter_mut().zip([field.external_id, field.track_history, is_master]) {
                *count += usize::from(counts_here);
            }
        }
        for (object, place, [external, tracked, masters]) in of.into_values() {
            self.at(place, &object);
            let many = external > MAX_EXTERNAL_IDS;
            self.wrong_if(many, format!("gets {external} external ids, {MAX_EXTERNAL_IDS} are allowed"));
            let many = tracked > MAX_TRACKED;
            self.wrong_if(many, format!("gets {tracked} tracked fields, {MAX_TRACKED} are allowed"));
            self.wrong_if(masters > 2, format!("gets {masters} master-detail relationships, 2 are allowed"));
        }
    }

    /// What master-detail relationships ask of the object that is their detail. General knowledge, not verified.
    fn details(&mut self, schema: &DesiredSchema, fields: &[(Place, CustomField)]) {
        for (index, object) in schema.objects.iter().enumerate() {
            let mut orders = Vec::new();
            for (place, field) in fields {
                let FieldKind::MasterDetail { relationship_order, .. } = &field.kind else { continue };
                if !split(&field.full_name).0.eq_ignore_ascii_case(&object.full_name) {
                    continue;
                }
                self.at(*place, &field.full_name);
                self.wrong_if(*relationship_order > 1, "has a relationship order other than 0 and 1");
                self.wrong_if(
                    orders.contains(relationship_order),
                    format!("is the second master-detail relationship of the order {relationship_order}"),
                );
                orders.push(*relationship_order);
            }
            let by_parent = object.sharing_model == Some(SharingModel::ControlledByParent);
            self.at(Place::Object(index), &object.full_name);
            if !orders.is_empty() {
                let other = object.sharing_model.is_some() && !by_parent;
                self.wrong_if(other, "is a detail, whose sharing model is ControlledByParent");
            } else if object.full_name.ends_with("__c") {
                self.wrong_if(by_parent, "has the sharing model ControlledByParent, but no master-detail relationship");
            }
        }
    }

    /// The children's name on a parent leads to one field.
    fn children(&mut self, fields: &[(Place, CustomField)]) {
        let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
        for (place, field) in fields {
            let (FieldKind::Lookup { reference_to, relationship_name, .. }
            | FieldKind::MasterDetail { reference_to, relationship_name, .. }) = &field.kind
            else {
                continue;
            };
            let key = (reference_to.to_ascii_lowercase(), relationship_name.to_ascii_lowercase());
            if let Some(first) = seen.insert(key, field.full_name.clone()) {
                self.at(*place, &field.full_name);
                self.wrong(format!("is known to {reference_to} as {relationship_name}, as {first} is"));
            }
        }
    }

    fn permission_set(&mut self, set: &PermissionSet, fields: &[(Place, CustomField)]) {
        self.name(&set.full_name, names::MAX_PERMISSION_SET);
        self.label("label", &set.label, MAX_SET_LABEL);
        self.text("description", set.description.as_ref(), MAX_SET_DESCRIPTION);
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for grant in &set.fields {
            let name = &grant.field;
            self.wrong_if(split(name).0.is_empty(), format!("grants {name}, which names no object"));
            self.wrong_if(!seen.insert(name.to_ascii_lowercase()), format!("grants {name} twice"));
            self.wrong_if(grant.editable && !grant.readable, format!("lets {name} be changed and not be seen"));
            let made = fields.iter().find(|(_, field)| field.full_name.eq_ignore_ascii_case(name));
            let Some((_, field)) = made else { continue };
            let master = matches!(field.kind, FieldKind::MasterDetail { .. });
            // Wire facts 4.2: "You cannot deploy to a required field".
            self.wrong_if(
                field.required || master,
                format!("grants {name}, which is required and takes no permission"),
            );
            let computed = matches!(field.kind, FieldKind::Formula { .. } | FieldKind::AutoNumber { .. });
            self.wrong_if(grant.editable && computed, format!("lets {name} be changed, which Salesforce fills"));
        }
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for grant in &set.objects {
            let name = &grant.object;
            self.wrong_if(name.trim().is_empty(), "grants rights on no object");
            self.wrong_if(!seen.insert(name.to_ascii_lowercase()), format!("grants {name} twice"));
            // Wire facts 4.2: "Permission Read X depends on permission(s): Read Y".
            let any = grant.create || grant.edit || grant.delete || grant.view_all || grant.modify_all;
            self.wrong_if(any && !grant.read, format!("grants more than Read on {name}, but not Read"));
            self.wrong_if(grant.delete && !grant.edit, format!("grants Delete on {name}, but not Edit"));
            let all = grant.read && grant.edit && grant.delete && grant.view_all;
            self.wrong_if(
                grant.modify_all && !all,
                format!("grants Modify All on {name}, but not Read, Edit, Delete and View All"),
            );
        }
        let masters = fields.iter().filter_map(|(_, field)| match &field.kind {
            FieldKind::MasterDetail { reference_to, .. } => Some((split(&field.full_name).0, reference_to)),
            _ => None,
        });
        for (detail, master) in masters {
            let reads =
                |name: &str| set.objects.iter().any(|grant| grant.object.eq_ignore_ascii_case(name) && grant.read);
            self.wrong_if(
                reads(detail) && !reads(master),
                format!("grants Read on {detail}, but not on its master {master}"),
            );
        }
    }

    fn section(&mut self, section: &DesiredSection, fields: &[(Place, CustomField)]) {
        self.wrong_if(section.object().is_empty(), "names no layout such as Contact-Contact Layout");
        self.label("label", &section.label, MAX_SET_LABEL);
        self.wrong_if(section.fields.is_empty(), "has no fields");
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for name in &section.fields {
            self.wrong_if(!seen.insert(name.to_ascii_lowercase()), format!("has {name} twice"));
            let full = format!("{}.{name}", section.object());
            let known =
                !name.ends_with("__c") || fields.iter().any(|(_, field)| field.full_name.eq_ignore_ascii_case(&full));
            self.wrong_if(!known, format!("has {name}, which is no field of the schema"));
        }
    }

    /// What stands twice, whatever its case.
    fn doubles(&mut self, schema: &DesiredSchema, fields: &[(Place, CustomField)]) {
        let objects = schema.objects.iter().enumerate();
        let objects = objects.map(|(index, object)| (Place::Object(index), object.full_name.clone()));
        let fields = fields.iter().map(|(place, field)| (*place, field.full_name.clone()));
        let sections = schema.layout_sections.iter().enumerate();
        let sections = sections.map(|(index, section)| {
            (Place::Section(index), format!("section \"{}\" of {}", section.label, section.layout))
        });
        let components = schema.components.iter().enumerate();
        let components = components.map(|(index, component)| {
            (Place::Component(index), format!("{} {}", component.component_type(), component.full_name()))
        });
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for (place, name) in objects.chain(fields).chain(sections).chain(components) {
            if let Some(first) = seen.insert(name.to_lowercase(), name.clone()) {
                self.at(place, &name);
                self.wrong(if first == name {
                    "stands twice".to_owned()
                } else {
                    format!("is the same name as {first}")
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
