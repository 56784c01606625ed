//! The metadata catalog: objects and fields of the org as rows of virtual tables.
//!
//! The Tooling API reads all of it, whatever the caller's field-level security, and asks for "View Setup and
//! Configuration"; the data API has `EntityDefinition` and `FieldDefinition` as well, and what a user may do as rows of
//! `UserEntityAccess`, `UserFieldAccess` and `UserRecordAccess`. Columns are in `objects.txt`, in the notation of
//! `standard`; sources: Tooling API guide, the page of each object; Object Reference, `UserRecordAccess`.

mod access;
mod components;
mod data_type;
mod rows;

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};

use super::schema::{FieldType, Object, Schema};
use super::soql::catalog::Statement;
use super::soql::{self, QueryResult, SoqlError, Tables};
use super::standard;
use super::state::{Call, State};
use super::value::{Row, Value};

pub(crate) use rows::field_id;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let table = standard::read(include_str!("objects.txt"));
    let mut schema = Schema::default();
    for object in table.objects() {
        let mut object = object.clone();
        for field in &mut object.fields {
            let durable = field.reference_to.iter().any(|target| is_catalog(target));
            if durable && field.kind == FieldType::Reference {
                // Field reference: 70 characters, 150 for fields.
                field.length = if field.name == "FieldDefinitionId" { 150 } else { 70 };
            }
        }
        schema.insert(object);
    }
    schema
});

/// Objects of data the Tooling API has too (Tooling API guide, "Tooling API Objects").
const SHARED: [&str; 6] = ["Group", "Organization", "PermissionSet", "Profile", "User", "UserRole"];

/// Tooling API guide, "SOQL Operation Limitations".
fn is_catalog(object: &str) -> bool {
    matches!(object, "EntityDefinition" | "FieldDefinition" | "UserEntityAccess" | "UserFieldAccess")
}

/// All virtual objects.
pub(crate) fn schema() -> &'static Schema {
    &SCHEMA
}

/// The virtual objects in the order of their names.
pub(crate) fn objects() -> impl Iterator<Item = &'static Object> {
    SCHEMA.objects()
}

/// The virtual object of that name.
pub(crate) fn object(name: &str) -> Option<&'static Object> {
    SCHEMA.object(name)
}

/// The virtual table of the data API that a statement reads.
pub(crate) fn of_data(name: &str) -> bool {
    object(name).is_some_and(|object| is_catalog(&object.name) || object.name == "UserRecordAccess")
}

/// Virtual tables with the rows that one statement can reach.
pub(crate) struct Catalog<'a> {
    state: &'a State,
    schema: Schema,
    base: String,
    rows: HashMap<&'static str, Vec<Row>>,
    /// Table and place of a row by its id, or by its durable id.
    ids: HashMap<String, (&'static str, usize)>,
}

impl<'a> Catalog<'a> {
    /// For a statement of the data API: what the caller may see.
    pub(crate) fn of_data(state: &'a State, call: &Call<'_>, statement: &Statement) -> Result<Self, SoqlError> {
        let mut catalog = Self::empty(state, call.base.clone());
        for object in SCHEMA.objects().filter(|object| of_data(&object.name)) {
            catalog.schema.insert(object.clone());
        }
        if let Some(user) = call.view.schema.object("User") {
            catalog.schema.insert(user.clone());
        }
        catalog.fill(&call.view.schema, call, statement)?;
        Ok(catalog)
    }

    /// For a statement of the Tooling API: everything there is, for who may view the setup.
    pub(crate) fn of_tooling(state: &'a State, call: &Call<'_>, statement: &Statement) -> Result<Self, SoqlError> {
        let mut catalog = Self::empty(state, format!("{}/tooling", call.base));
        // Tooling API guide, "REST Overview" and the notes of `EntityDefinition`. [K] That the refusal is that of an unknown
        // type.
        if call.view.has("ViewSetup") {
            for object in SCHEMA.objects().filter(|object| object.name != "UserRecordAccess") {
                catalog.schema.insert(object.clone());
            }
        }
        for object in SHARED.iter().filter_map(|name| call.view.schema.object(name)) {
            catalog.schema.insert(object.clone());
        }
        catalog.fill(&state.schema, call, statement)?;
        Ok(catalog)
    }

    fn empty(state: &'a State, base: String) -> Self {
        Self { state, schema: Schema::default(), base, rows: HashMap::new(), ids: HashMap::new() }
    }

    /// The virtual object a name stands for in this catalog.
    fn object(&self, name: &str) -> Option<&'static Object> {
        self.schema.object(name).and_then(|object| SCHEMA.object(&object.name))
    }

    fn fill(&mut self, seen: &Schema, call: &Call<'_>, statement: &Statement) -> Result<(), SoqlError> {
        let Some(object) = self.object(&statement.object) else { return Ok(()) };
        if is_catalog(&object.name) {
            statement.check_catalog()?;
        }
        let whole = statement.selects("Metadata") || statement.selects("FullName");
        let state = self.state;
        self.add("EntityDefinition", rows::entities(state, seen));
        // Parents and children.
        if object.name == "EntityDefinition" || object.name == "FieldDefinition" || object.name == "UserFieldAccess" {
            if object.name == "FieldDefinition" {
                let columns = [
                    "EntityDefinition.QualifiedApiName",
                    "EntityDefinitionId",
                    "EntityDefinition.DurableId",
                    "DurableId",
                ];
                statement.check_reified(&object.name, &columns, "EntityDefinitionId,DurableId")?;
            }
            self.add("FieldDefinition", rows::fields(state, seen));
        }
        match object.name.as_str() {
            "CustomField" | "EntityDefinition" => self.add("CustomField", rows::custom_fields(state, whole)),
            "CustomObject" => self.add("CustomObject", rows::custom_objects(state)),
            "UserEntityAccess" => self.add("UserEntityAccess", access::entities(state, statement)?),
            "UserFieldAccess" => self.add("UserFieldAccess", access::fields(state, statement)?),
            "UserRecordAccess" => self.add("UserRecordAccess", access::records(state, call, statement)?),
            name => {
                // A flow's versions and the flow refer to each other.
                let flow = matches!(name, "Flow" | "FlowDefinition").then_some(["Flow", "FlowDefinition"]);
                for name in flow.as_ref().map_or(&[name][..], |names| &names[..]) {
                    if let Some((table, rows)) = components::rows(state, name, whole) {
                        self.add(table, rows);
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, table: &'static str, rows: Vec<Row>) {
        for (place, row) in rows.iter().enumerate() {
            if let Some(Value::Text(id)) = row.get("DurableId").or_else(|| row.get("Id")) {
                self.ids.insert(id.clone(), (table, place));
            }
        }
        self.rows.insert(table, rows);
    }

    /// Runs the statement the catalog was made for.
    pub(crate) fn run(&self, statement: &Statement, soql: &str) -> Result<QueryResult, SoqlError> {
        let mut result = soql::execute(self, soql)?;
        let Some(object) = self.object(&statement.object) else { return Ok(result) };
        if (statement.selects("Metadata") || statement.selects("FullName")) && result.records.len() > 1 {
            // [S] The code and the text, of many tools' reports.
            return Err(SoqlError {
                code: "MALFORMED_QUERY",
                message: format!(
                    "When retrieving results with Metadata or FullName fields, the query qualifications must specify no \
                     more than one row for retrieval. Result size: {}",
                    result.records.len()
                ),
            });
        }
        if is_catalog(&object.name) && result.records.len() > super::knobs::MAX_PAGE {
            // [S] OrgCheck#429, SFDX-Data-Move-Utility#220.
            let message = format!(
                "{} does not support queryMore(), use LIMIT to restrict the results to a single batch",
                object.name
            );
            return Err(SoqlError { code: "EXCEEDED_ID_LIMIT", message });
        }
        result.records.iter_mut().for_each(rows::unfold);
        Ok(result)
    }
}

impl Tables for Catalog<'_> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn rows<'r>(&'r self, object: &Object) -> Box<dyn Iterator<Item = &'r Row> + 'r> {
        match self.rows.get(object.name.as_str()) {
            Some(rows) => Box::new(rows.iter()),
            None => Box::new(self.state.data.store.rows(&object.name, false)),
        }
    }

    fn row<'r>(&'r self, id: &str) -> Option<(&'r Object, &'r Row)> {
        if let Some((table, place)) = self.ids.get(id) {
            return Some((self.schema.object(table)?, self.rows.get(table)?.get(*place)?));
        }
        let (row, deleted) = self.state.data.store.find(id)?;
        let object = self.schema.object(self.state.data.store.object_of(id)?)?;
        (!deleted).then_some((object, row))
    }

    fn ignores_limit(&self, object: &Object) -> bool {
        is_catalog(&object.name)
    }

    fn base_path(&self) -> &str {
        &self.base
    }

    fn now(&self) -> DateTime<Utc> {
        self.state.data.clock.now_exact()
    }
}
