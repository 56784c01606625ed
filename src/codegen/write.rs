//! Plans as Rust.

use super::layout::{Code, literal};
use super::plan::{Create, EnumPlan, FieldPlan, ObjectPlan, Read, Update, changes_name, new_name};

const STRUCT: &[&str] = &["Clone", "Debug", "PartialEq", "serde::Serialize", "serde::Deserialize"];
const DEFAULT_STRUCT: &[&str] = &["Clone", "Debug", "Default", "PartialEq", "serde::Serialize", "serde::Deserialize"];
const ENUM: &[&str] = &["Clone", "Debug", "PartialEq", "Eq", "Hash"];

fn derive(code: &mut Code, traits: &[&str]) {
    code.line(0, &format!("#[derive({})]", traits.join(", ")));
}

/// All types of one object.
pub(super) fn object(plan: &ObjectPlan) -> String {
    let mut code = Code::default();
    read_struct(&mut code, plan);
    if has_new(plan) {
        code.line(0, "");
        new_struct(&mut code, plan);
    }
    if has_changes(plan) {
        code.line(0, "");
        changes_struct(&mut code, plan);
    }
    for picklist in &plan.enums {
        code.line(0, "");
        enumeration(&mut code, &plan.object, picklist);
    }
    code.into_text()
}

pub(super) fn has_new(plan: &ObjectPlan) -> bool {
    plan.createable && plan.fields.iter().any(|field| field.create != Create::No)
}

pub(super) fn has_changes(plan: &ObjectPlan) -> bool {
    plan.updateable && plan.fields.iter().any(|field| field.update != Update::No)
}

fn documented(code: &mut Code, field: &FieldPlan) {
    code.doc(1, &field.doc);
    if let Some(help) = &field.help {
        code.doc(1, "");
        code.doc(1, help);
    }
    code.attribute(1, "#[serde", &[format!("rename = {}", literal(&field.member))]);
}

fn skipped_if_none(code: &mut Code) {
    code.line(1, "#[serde(skip_serializing_if = \"Option::is_none\")]");
}

fn sobject(code: &mut Code, plan: &ObjectPlan, name: &str) {
    code.line(0, "");
    code.line(0, &format!("impl types::SObject for {name} {{"));
    let value = format!("types::SObjectName::from_static({})", literal(&plan.object));
    code.constant(1, "const NAME: types::SObjectName", &value);
    code.line(0, "}");
}

fn read_struct(code: &mut Code, plan: &ObjectPlan) {
    let ObjectPlan { object, name, doc, .. } = plan;
    code.doc(0, &format!("{doc}: a record of `{object}` as it is read."));
    code.doc(0, "");
    code.doc(0, "What may be null is an `Option`, `None` too where a query does not select it.");
    derive(code, STRUCT);
    code.line(0, &format!("pub struct {name} {{"));
    for field in &plan.fields {
        documented(code, field);
        match field.read {
            Read::Always => code.line(1, &format!("pub {}: {},", field.ident, field.rust.path)),
            Read::Optional => {
                skipped_if_none(code);
                code.line(1, &format!("pub {}: Option<{}>,", field.ident, field.rust.path));
            }
        }
    }
    code.line(0, "}");
    sobject(code, plan, name);
    code.line(0, "");
    code.line(0, &format!("impl {name} {{"));
    code.doc(1, "The fields of the struct, parents left out: for a `SELECT`, or to get a record.");
    let selected = plan.fields.iter().filter(|field| field.selected);
    let names: Vec<String> =
        selected.map(|field| Code::of_call("types::FieldName::from_static", &[literal(&field.member)])).collect();
    code.array(1, "pub const FIELDS: &[types::FieldName] = &", &names, ";");
    code.line(0, "");
    code.doc(1, &format!("`SELECT` with these fields `FROM {object}`; a condition may follow."));
    code.line(1, "#[must_use]");
    code.line(1, "pub fn select() -> String {");
    code.line(2, "let fields: Vec<&str> = Self::FIELDS.iter().map(types::FieldName::as_str).collect();");
    code.line(2, "let (fields, object) = (fields.join(\", \"), <Self as types::SObject>::NAME);");
    code.line(2, "format!(\"SELECT {fields} FROM {object}\")");
    code.line(1, "}");
    if has_changes(plan) {
        changes_since(code, plan);
    }
    code.line(0, "}");
}

fn changes_since(code: &mut Code, plan: &ObjectPlan) {
    let changes = changes_name(&plan.name);
    code.line(0, "");
    code.doc(1, "What an update has to write so that the record `before` becomes this one: only what differs.");
    code.doc(1, "");
    code.doc(1, "Fields that cannot be written, and parents, do not count.");
    code.line(1, "#[must_use]");
    code.line(1, &format!("pub fn changes_since(&self, before: &Self) -> {changes} {{"));
    code.line(2, &format!("{changes} {{"));
    for field in plan.fields.iter().filter(|field| field.update != Update::No) {
        let ident = &field.ident;
        if !field.selected {
            code.line(3, &format!("{ident}: None,"));
            continue;
        }
        let function = if field.update == Update::ThreeStates { "between" } else { "changed" };
        let arguments = [format!("&before.{ident}"), format!("&self.{ident}")];
        code.call(3, &format!("{ident}: types::Field::{function}"), &arguments, ",");
    }
    code.line(2, "}");
    code.line(1, "}");
}

fn new_struct(code: &mut Code, plan: &ObjectPlan) {
    let name = new_name(&plan.name);
    let fields: Vec<&FieldPlan> = plan.fields.iter().filter(|field| field.create != Create::No).collect();
    let required: Vec<&FieldPlan> = fields.iter().copied().filter(|field| field.create == Create::Required).collect();
    code.doc(0, &format!("{}: a record of `{}` to create.", plan.doc, plan.object));
    code.doc(0, "");
    code.doc(0, "An `Option` that is `None` and a field that is absent are not sent.");
    derive(code, if required.is_empty() { DEFAULT_STRUCT } else { STRUCT });
    code.line(0, &format!("pub struct {name} {{"));
    for field in &fields {
        documented(code, field);
        let (ident, path) = (&field.ident, &field.rust.path);
        match field.create {
            Create::Required => code.line(1, &format!("pub {ident}: {path},")),
            Create::Maybe => optional(code, ident, path),
            Create::ThreeStates | Create::No => three_states(code, ident, path),
        }
    }
    code.line(0, "}");
    sobject(code, plan, &name);
    if required.is_empty() {
        return;
    }
    code.line(0, "");
    code.line(0, &format!("impl {name} {{"));
    code.doc(1, "A record with what a create has to give, and nothing else.");
    code.line(1, "#[must_use]");
    let parameters: Vec<String> = required
        .iter()
        .map(|field| {
            let path = &field.rust.path;
            let into = if field.rust.from_others { format!("impl Into<{path}>") } else { path.clone() };
            format!("{}: {into}", field.ident)
        })
        .collect();
    code.function(1, "pub fn new", &parameters, " -> Self {");
    let values: Vec<String> = fields
        .iter()
        .map(|field| {
            let ident = &field.ident;
            match field.create {
                Create::Required if field.rust.from_others => format!("{ident}: {ident}.into()"),
                Create::Required => ident.clone(),
                Create::Maybe => format!("{ident}: None"),
                Create::ThreeStates | Create::No => format!("{ident}: types::Field::Absent"),
            }
        })
        .collect();
    code.literal(2, "Self", &values);
    code.line(1, "}");
    code.line(0, "}");
}

fn optional(code: &mut Code, ident: &str, path: &str) {
    skipped_if_none(code);
    code.line(1, &format!("pub {ident}: Option<{path}>,"));
}

fn three_states(code: &mut Code, ident: &str, path: &str) {
    code.line(1, "#[serde(default, skip_serializing_if = \"types::Field::is_absent\")]");
    code.line(1, &format!("pub {ident}: types::Field<{path}>,"));
}

fn changes_struct(code: &mut Code, plan: &ObjectPlan) {
    let name = changes_name(&plan.name);
    code.doc(0, &format!("{}: what an update of a `{}` writes.", plan.doc, plan.object));
    code.doc(0, "");
    code.doc(0, "`None` and absent leave a field alone. A field that Salesforce lets nobody clear is an `Option`.");
    derive(code, DEFAULT_STRUCT);
    code.line(0, &format!("pub struct {name} {{"));
    for field in plan.fields.iter().filter(|field| field.update != Update::No) {
        documented(code, field);
        if field.update == Update::ThreeStates {
            three_states(code, &field.ident, &field.rust.path);
        } else {
            optional(code, &field.ident, &field.rust.path);
        }
    }
    code.line(0, "}");
    sobject(code, plan, &name);
}

fn enumeration(code: &mut Code, object: &str, plan: &EnumPlan) {
    let EnumPlan { field, name, unlisted, .. } = plan;
    code.doc(0, &format!("{}: a value of `{object}.{field}`.", plan.doc));
    code.doc(0, "");
    let others = if plan.restricted { "The org refuses others." } else { "Records may hold others." };
    code.doc(0, &format!("Values that are not listed are kept as they are. {others}"));
    derive(code, ENUM);
    code.line(0, &format!("pub enum {name} {{"));
    for variant in &plan.variants {
        code.doc(1, &variant.doc);
        code.line(1, &format!("{},", variant.name));
    }
    code.doc(1, "A value that was not listed, as the org has it. `from` makes one.");
    code.line(1, &format!("{unlisted}(String),"));
    code.line(0, "}");
    code.line(0, "");
    code.line(0, &format!("impl {name} {{"));
    code.doc(1, "The listed values, in the org's order.");
    let listed: Vec<String> = plan.variants.iter().map(|variant| format!("Self::{}", variant.name)).collect();
    code.array(1, "pub const LISTED: &[Self] = &", &listed, ";");
    code.line(0, "");
    code.doc(1, "The value as the org has it.");
    code.line(1, "#[must_use]");
    code.line(1, "pub fn as_str(&self) -> &str {");
    code.line(2, "match self {");
    for variant in &plan.variants {
        code.arm(3, &format!("Self::{}", variant.name), &literal(&variant.value));
    }
    code.line(3, &format!("Self::{unlisted}(value) => value,"));
    code.line(2, "}");
    code.line(1, "}");
    code.line(0, "}");
    code.line(0, "");
    code.line(0, &format!("impl From<&str> for {name} {{"));
    code.line(1, "fn from(value: &str) -> Self {");
    code.line(2, "match value {");
    for variant in &plan.variants {
        code.arm(3, &literal(&variant.value), &format!("Self::{}", variant.name));
    }
    code.line(3, &format!("_ => Self::{unlisted}(value.to_owned()),"));
    code.line(2, "}");
    code.line(1, "}");
    code.line(0, "}");
    code.lines(&TRAITS.replace("NAME", name));
}

/// What every picklist can do besides.
const TRAITS: &str = r"
impl std::str::FromStr for NAME {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(value))
    }
}

impl AsRef<str> for NAME {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for NAME {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for NAME {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for NAME {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        types::deserialize_text(deserializer)
    }
}
";
