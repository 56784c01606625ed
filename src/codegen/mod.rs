//! Rust types of an org's objects, written from their describes. Pure: text in, text out.
//!
//! ```
//! use sforce::codegen::TypeGenerator;
//! use sforce::types::SObjectDescribe;
//!
//! let describe: SObjectDescribe = serde_json::from_str(
//!     r#"{"name":"Contact","label":"Contact","createable":true,"updateable":true,"fields":[
//!         {"name":"Id","label":"Contact ID","type":"id","defaultedOnCreate":true},
//!         {"name":"LastName","label":"Last Name","type":"string","length":80,"createable":true,"updateable":true},
//!         {"name":"LeadSource","label":"Lead Source","type":"picklist","nillable":true,"createable":true,"updateable":true,
//!          "picklistValues":[{"active":true,"label":"Web","value":"Web"}]}]}"#,
//! )?;
//! let types = TypeGenerator::new().generate(&[describe])?;
//! let source = types.source();
//! assert!(source.contains("pub struct Contact {") && source.contains("pub last_name: String,"));
//! assert!(source.contains("pub lead_source: Option<ContactLeadSource>,"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! For each object there are up to three structs, so that the compiler knows what Salesforce would refuse:
//!
//! - `Contact` is what is read. A field that is never null is a plain value, others are an `Option`. Parents are there as
//!   [`Parent`](crate::types::Parent), where the query names fields of them.
//! - `NewContact` is what is created. It has the createable fields only, and `new` asks for those that a create must have.
//! - `ContactChanges` is what an update writes. It has the updateable fields only; `contact.changes_since(&before)` fills in
//!   those that differ.
//!
//! Where a field may be cleared, the latter two have it as [`Field`](crate::types::Field): absent, null or set. Where it may
//! not, it is an `Option`: absent or set.
//!
//! A picklist is an enum with a variant per value, inactive ones too, and `Unlisted(String)`, which keeps all others. A
//! multi-select picklist is a [`MultiSelect`](crate::types::MultiSelect) of it. All numbers but whole ones are
//! [`Decimal`](crate::types::Decimal).
//!
//! Describe shows what its user may see and write: types of another user may have other fields.
//!
//! Not written: child relationships, which have queries of their own.

mod docs;
mod layout;
mod names;
mod plan;
mod write;

use std::collections::HashSet;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldDescribe, SObjectDescribe, SObjectName};
use layout::Code;
use plan::ObjectPlan;

/// Writes Rust types of described objects.
///
/// The same describes and settings give the same text. Names do not depend on the order of the objects, and a custom field
/// that is added later does not change the names of standard ones.
#[derive(Clone, Debug, Default)]
pub struct TypeGenerator {
    made_by: Option<String>,
    only: Vec<String>,
    all_optional: bool,
}

/// The types of some objects.
#[derive(Clone, Debug)]
pub struct GeneratedTypes {
    header: String,
    objects: Vec<ObjectTypes>,
}

/// What was made of one object.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ObjectTypes {
    /// The object's API name.
    pub object: String,
    /// The struct that is read.
    pub read: String,
    /// The struct that is created; `None` where the user may create none.
    pub new: Option<String>,
    /// The struct of an update; `None` where the user may change none.
    pub changes: Option<String>,
    /// Fields of the struct that is read, parents not counted.
    pub fields: usize,
    /// The enums of its picklists.
    pub enums: Vec<EnumType>,
    /// Fields that it has no type for.
    pub skipped: Vec<SkippedField>,
    #[serde(skip)]
    module: String,
    #[serde(skip)]
    text: String,
}

/// An enum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EnumType {
    /// The picklist field's API name.
    pub field: String,
    /// The enum's name.
    pub name: String,
    /// Values that are listed.
    pub values: usize,
}

/// A field that there is no type for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SkippedField {
    /// Its name as described.
    pub field: String,
    /// Why.
    pub reason: String,
}

/// A file of source text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceFile {
    /// Its name, such as `contact.rs`.
    pub name: String,
    /// What is in it.
    pub text: String,
}

impl TypeGenerator {
    /// All fields, each as optional as describe says.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says in the first lines with which command the text was made.
    #[must_use]
    pub fn made_by(mut self, command: impl Into<String>) -> Self {
        self.made_by = Some(command.into());
        self
    }

    /// Writes these fields and `Id` only: `Email` of each object that has it, or `Contact.Email`. Names compare without regard
    /// to case. No names mean all fields.
    #[must_use]
    pub fn only(mut self, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.only.extend(fields.into_iter().map(Into::into));
        self
    }

    /// Makes every field but `Id` an `Option` of the struct that is read, so that it takes the rows of any query.
    #[must_use]
    pub fn all_optional(mut self) -> Self {
        self.all_optional = true;
        self
    }

    /// Writes the types.
    ///
    /// Nothing that a describe holds ends up as code: names are checked, texts are escaped. A field without a proper name is
    /// skipped, and told.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for no objects, an object without a proper name or fields, one that is given twice, and a name
    /// in [`only`](Self::only) that no object has.
    pub fn generate(&self, objects: &[SObjectDescribe]) -> Result<GeneratedTypes> {
        let mut named = Vec::new();
        let mut known = HashSet::new();
        for object in objects {
            let name = SObjectName::new(object.name.as_str())
                .map_err(|_| invalid("a describe does not name its object").with_context("object", &object.name))?;
            if object.fields.is_empty() {
                return Err(invalid("a describe has no fields").with_context("object", name));
            }
            if !known.insert(object.name.to_ascii_lowercase()) {
                return Err(invalid("an object is described twice").with_context("object", name));
            }
            named.push((name, object));
        }
        if named.is_empty() {
            return Err(invalid("no objects"));
        }
        for only in &self.only {
            let found = |object: &SObjectDescribe| object.fields.iter().any(|field| is_named(only, object, field));
            if !objects.iter().any(found) {
                return Err(invalid("no object has the field").with_context("field", only));
            }
        }
        let objects: Vec<ObjectTypes> = plan::plan(self, &named).into_iter().map(write).collect();
        Ok(GeneratedTypes { header: self.header(&objects), objects })
    }

    fn wants(&self, object: &SObjectDescribe, field: &FieldDescribe) -> bool {
        let wanted = || self.only.iter().any(|only| is_named(only, object, field));
        self.only.is_empty() || field.name == "Id" || wanted()
    }

    fn header(&self, objects: &[ObjectTypes]) -> String {
        let mut code = Code::default();
        let names: Vec<String> = objects.iter().map(|object| layout::doc_text(&object.object)).collect();
        code.line(0, &format!("//! Types of {}.", names.join(", ")));
        code.line(0, "//!");
        match &self.made_by {
            Some(command) => {
                let command = command.replace(|letter: char| letter == '`' || letter.is_control(), " ");
                code.line(0, &format!("//! Made from the org's describe: `{}`.", command.trim()));
            }
            None => code.line(0, "//! Made from the org's describe."),
        }
        let lints = [
            "dead_code",
            "unreachable_pub",
            "clippy::all",
            "clippy::pedantic",
            "rustdoc::bare_urls",
            "reason = \"generated\"",
        ];
        code.attribute(0, "#![allow", &lints.map(str::to_owned));
        code.into_text()
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "codegen", message)
}

/// Whether `Field` or `Object.Field` means this one.
fn is_named(only: &str, object: &SObjectDescribe, field: &FieldDescribe) -> bool {
    match only.split_once('.') {
        Some((of, name)) => of.eq_ignore_ascii_case(&object.name) && name.eq_ignore_ascii_case(&field.name),
        None => only.eq_ignore_ascii_case(&field.name),
    }
}

fn write(plan: ObjectPlan) -> ObjectTypes {
    let text = write::object(&plan);
    let enums = plan.enums.iter().map(|planned| EnumType {
        field: planned.field.clone(),
        name: planned.name.clone(),
        values: planned.variants.len(),
    });
    ObjectTypes {
        new: write::has_new(&plan).then(|| plan::new_name(&plan.name)),
        changes: write::has_changes(&plan).then(|| plan::changes_name(&plan.name)),
        fields: plan.fields.iter().filter(|field| field.selected).count(),
        enums: enums.collect(),
        object: plan.object,
        read: plan.name,
        skipped: plan.skipped,
        module: plan.module,
        text,
    }
}

impl GeneratedTypes {
    /// What was made, an entry per object, in their order.
    #[must_use]
    pub fn objects(&self) -> &[ObjectTypes] {
        &self.objects
    }

    /// All types as the text of one module.
    #[must_use]
    pub fn source(&self) -> String {
        let mut text = format!("{}\nuse sforce::types;\n", self.header);
        for object in &self.objects {
            text.push('\n');
            text.push_str(&object.text);
        }
        text
    }

    /// The same as a folder: `mod.rs`, which has all names, and a file per object.
    #[must_use]
    pub fn files(&self) -> Vec<SourceFile> {
        let mut modules: Vec<&str> = self.objects.iter().map(|object| object.module.as_str()).collect();
        modules.sort_unstable();
        let mut root = Code::default();
        root.lines(&self.header);
        root.line(0, "");
        for module in &modules {
            root.line(0, &format!("mod {module};"));
        }
        root.line(0, "");
        for module in &modules {
            root.line(0, &format!("pub use {module}::*;"));
        }
        let mut files = vec![SourceFile { name: "mod.rs".to_owned(), text: root.into_text() }];
        files.extend(self.objects.iter().map(|object| SourceFile {
            name: format!("{}.rs", object.module),
            text: format!("use sforce::types;\n\n{}", object.text),
        }));
        files
    }
}

#[cfg(test)]
mod tests;
