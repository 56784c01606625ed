//! How components of other types are looked for.

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
    pub(super) name: fn(&Record) -> String,
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
        let (soql, name): (Soql, fn(&Record) -> String) = match kind {
            "ApexClass" => (query(&["Name"], "ApexClass", "Name", &names)?, |row| own_text(row, "Name")),
            "Flow" => (query(&["DeveloperName"], "FlowDefinition", "DeveloperName", &names)?, |row| {
                own_text(row, "DeveloperName")
            }),
            "NamedCredential" => (query(&["DeveloperName"], "NamedCredential", "DeveloperName", &names)?, |row| {
                own_text(row, "DeveloperName")
            }),
            "RemoteSiteSetting" => {
                (query(&["SiteName"], "RemoteProxy", "SiteName", &names)?, |row| own_text(row, "SiteName"))
            }
            "WorkflowOutboundMessage" => {
                let columns = ["Name", "EntityDefinition.QualifiedApiName"];
                (query(&columns, "WorkflowOutboundMessage", "Name", &short)?, |row| {
                    format!("{}.{}", path_text(row, "EntityDefinition.QualifiedApiName"), own_text(row, "Name"))
                })
            }
            "QuickAction" => {
                let columns = ["DeveloperName", "SobjectType"];
                (query(&columns, "QuickActionDefinition", "DeveloperName", &short)?, |row| {
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

fn own_text(row: &Record, column: &str) -> String {
    row.text(column).unwrap_or_default().to_owned()
}

fn path_text(row: &Record, path: &str) -> String {
    row.path(path).and_then(Value::as_text).unwrap_or_default().to_owned()
}
