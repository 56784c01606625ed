//! How components of other types are looked for.

use std::collections::BTreeMap;

use super::own_text;
use crate::api::metadata::AnyComponent;
use crate::error::Result;
use crate::schema::DesiredSchema;
use crate::types::soql::field;
use crate::types::{Record, Soql, Value};

/// How components of a type are looked for.
pub(super) struct Lookup {
    pub(super) kind: String,
    pub(super) soql: Soql,
    /// The full name of a row's component.
    pub(super) name: fn(&Record, &Tables) -> String,
}

/// Objects by the id that a `TableEnumOrId` names them with, in 15 characters. Only custom ones go by an id.
pub(super) type Tables = BTreeMap<String, String>;

/// The objects of components that tell theirs by a `TableEnumOrId`.
pub(super) fn owners(desired: &DesiredSchema) -> Vec<&str> {
    let rules = desired.components.iter().filter(|component| component.component_type() == "WorkflowRule");
    let mut owners: Vec<&str> = rules.filter_map(|rule| Some(rule.full_name().split_once('.')?.0)).collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}

/// Source of objects and columns: Tooling API Developer Guide, the page of each object.
pub(super) fn component_queries(desired: &DesiredSchema) -> Result<Vec<Lookup>> {
    let mut lookups = Vec::new();
    let mut kinds: Vec<&str> = desired.components.iter().map(AnyComponent::component_type).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let names = desired.components.iter().filter(|component| component.component_type() == kind);
        let names: Vec<&str> = names.map(AnyComponent::full_name).collect();
        // Without its object in front.
        let short: Vec<&str> =
            names.iter().map(|name| name.split_once('.').map_or(*name, |(_, short)| short)).collect();
        let query = |columns: &[&str], object: &str, column: &str, names: &[&str]| {
            Soql::select(columns.iter().copied())
                .from(object)
                .filter(field(column).is_in(names.iter().copied()))
                .build()
        };
        let developer = ["DeveloperName", "NamespacePrefix"];
        let (soql, name): (Soql, fn(&Record, &Tables) -> String) = match kind {
            "ApexClass" => {
                (query(&["Name", "NamespacePrefix"], "ApexClass", "Name", &names)?, |row, _| own_text(row, "Name"))
            }
            "Flow" => {
                (query(&developer, "FlowDefinition", "DeveloperName", &names)?, |row, _| own_text(row, "DeveloperName"))
            }
            "NamedCredential" => (query(&developer, "NamedCredential", "DeveloperName", &names)?, |row, _| {
                own_text(row, "DeveloperName")
            }),
            "RemoteSiteSetting" => {
                (query(&["SiteName"], "RemoteProxy", "SiteName", &names)?, |row, _| own_text(row, "SiteName"))
            }
            "WorkflowOutboundMessage" => {
                let columns = ["Name", "NamespacePrefix", "EntityDefinition.QualifiedApiName"];
                (query(&columns, "WorkflowOutboundMessage", "Name", &short)?, |row, _| {
                    format!("{}.{}", path_text(row, "EntityDefinition.QualifiedApiName"), own_text(row, "Name"))
                })
            }
            "WorkflowRule" => {
                let columns = ["Name", "NamespacePrefix", "TableEnumOrId"];
                (query(&columns, "WorkflowRule", "Name", &short)?, |row, tables| {
                    let table = own_text(row, "TableEnumOrId");
                    let object = table.get(..15).and_then(|id| tables.get(id)).unwrap_or(&table);
                    format!("{object}.{}", own_text(row, "Name"))
                })
            }
            "QuickAction" => {
                let columns = ["DeveloperName", "NamespacePrefix", "SobjectType"];
                (query(&columns, "QuickActionDefinition", "DeveloperName", &short)?, |row, _| {
                    let (object, name) = (own_text(row, "SobjectType"), own_text(row, "DeveloperName"));
                    if object.is_empty() || object == "Global" { name } else { format!("{object}.{name}") }
                })
            }
            _ => continue,
        };
        lookups.push(Lookup { kind: kind.to_owned(), soql, name });
    }
    Ok(lookups)
}

fn path_text(row: &Record, path: &str) -> String {
    row.path(path).and_then(Value::as_text).unwrap_or_default().to_owned()
}
