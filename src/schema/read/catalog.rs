//! What the Tooling API's catalog says, which field-level security hides nothing of.

use std::collections::{BTreeMap, BTreeSet};

use super::components::{Tables, component_queries, owners};
use super::{Namespace, in_composites, own_text as text, rows, seen};
use crate::api::Subrequest;
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::schema::DesiredSchema;
use crate::types::soql::field;
use crate::types::{Soql, Value};

/// What the catalog says of an object.
pub(super) struct Entity {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) history: Option<bool>,
}

/// What the catalog says of a field.
pub(in crate::schema) struct Definition {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) data_type: String,
    pub(super) nillable: bool,
    pub(super) tracked: Option<bool>,
}

#[derive(Default)]
pub(super) struct Catalog {
    pub(super) entities: BTreeMap<String, Entity>,
    /// By object and field, lower case.
    pub(super) fields: BTreeMap<String, Definition>,
    pub(super) components: BTreeSet<(String, String)>,
    pub(super) unknown: BTreeSet<String>,
}

pub(super) async fn catalog_side(
    client: &Client,
    desired: &DesiredSchema,
    objects: &[String],
    own: &Namespace,
) -> Result<Catalog> {
    let mut parts: Vec<(String, Subrequest)> = Vec::new();
    let entities: Vec<&str> = objects.iter().map(String::as_str).chain(owners(desired)).collect();
    if !entities.is_empty() {
        let entities = Soql::select(["QualifiedApiName", "Label", "IsFieldHistoryTracked", "DurableId"])
            .from("EntityDefinition")
            .filter(field("QualifiedApiName").is_in(entities.iter().copied()))
            .build()?;
        parts.push(("entities".into(), Subrequest::query(entities)));
    }
    if !objects.is_empty() {
        let mut names: Vec<String> = desired.all_fields().iter().map(|field| field.name().to_owned()).collect();
        names.push("Name".into());
        names.sort_unstable();
        names.dedup();
        let of = [
            "EntityDefinition.QualifiedApiName",
            "QualifiedApiName",
            "Label",
            "DataType",
            "IsNillable",
            "IsFieldHistoryTracked",
        ];
        let wanted = field("EntityDefinition.QualifiedApiName").is_in(objects.iter().map(String::as_str));
        let wanted = wanted.and(field("QualifiedApiName").is_in(names.iter().map(String::as_str)));
        let fields = Soql::select(of).from("FieldDefinition").filter(wanted).build()?;
        parts.push(("fields".into(), Subrequest::query(fields)));
    }
    let lookups = component_queries(desired)?;
    for (index, lookup) in lookups.iter().enumerate() {
        parts.push((format!("component{index}"), Subrequest::query(lookup.soql.clone())));
    }
    let mut catalog = Catalog::default();
    if parts.is_empty() {
        return Ok(catalog);
    }
    let tooling = client.tooling();
    let answers = in_composites(|| tooling.composite(), parts).await?;
    let mut tables = Tables::new();
    if !entities.is_empty() {
        for row in seen(rows(&answers, "entities"))? {
            // Of a custom object that is its id; a standard one goes by its name.
            if let Some(id) = text(&row, "DurableId").get(..15).filter(|id| id.starts_with("01I")) {
                tables.insert(id.to_owned(), text(&row, "QualifiedApiName"));
            }
            let history = row.get("IsFieldHistoryTracked").and_then(Value::as_bool);
            let entity = Entity { name: text(&row, "QualifiedApiName"), label: text(&row, "Label"), history };
            catalog.entities.insert(entity.name.to_ascii_lowercase(), entity);
        }
    }
    if !objects.is_empty() {
        for row in seen(rows(&answers, "fields"))? {
            let object = row.path("EntityDefinition.QualifiedApiName").and_then(Value::as_text).unwrap_or_default();
            let name = text(&row, "QualifiedApiName");
            let definition = Definition {
                label: text(&row, "Label"),
                data_type: text(&row, "DataType"),
                nillable: row.get("IsNillable").and_then(Value::as_bool).unwrap_or(true),
                tracked: row.get("IsFieldHistoryTracked").and_then(Value::as_bool),
                name,
            };
            catalog.fields.insert(format!("{object}.{}", definition.name).to_ascii_lowercase(), definition);
        }
    }
    for (index, lookup) in lookups.iter().enumerate() {
        match rows(&answers, &format!("component{index}")) {
            Ok(rows) => {
                let ours = rows.iter().filter(|row| own.has(row.text("NamespacePrefix")));
                catalog.components.extend(ours.map(|row| (lookup.kind.clone(), (lookup.name)(row, &tables))));
            }
            Err(error) if matches!(error.kind(), ErrorKind::Schema | ErrorKind::Forbidden | ErrorKind::Invalid) => {
                catalog.unknown.insert(lookup.kind.clone());
            }
            Err(error) => return Err(error),
        }
    }
    for component in &desired.components {
        if !lookups.iter().any(|lookup| lookup.kind == component.component_type()) {
            catalog.unknown.insert(component.component_type().to_owned());
        }
    }
    Ok(catalog)
}
