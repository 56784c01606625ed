//! Components beside objects and fields as rows: those the Metadata API keeps (Tooling API guide, the page of each object).

use super::rows::{Filler, durable_id, object_id};
use crate::testing::org::ids;
use crate::testing::org::metadata::{self, Kind, Stored};
use crate::testing::org::state::State;
use crate::testing::org::value::Row;

/// The tables, and the component types their rows are.
const TABLES: [(&str, Kind); 8] = [
    ("ApexClass", Kind::ApexClass),
    ("Flow", Kind::Flow),
    ("Layout", Kind::Layout),
    ("NamedCredential", Kind::NamedCredential),
    ("QuickActionDefinition", Kind::QuickAction),
    ("RemoteProxy", Kind::RemoteSiteSetting),
    ("WorkflowOutboundMessage", Kind::WorkflowOutboundMessage),
    ("WorkflowRule", Kind::WorkflowRule),
];

/// The rows of a table; `None`: it holds no components. `whole`: with their metadata.
pub(super) fn rows(state: &State, table: &str, whole: bool) -> Option<(&'static str, Vec<Row>)> {
    if table == "FlowDefinition" {
        return Some(("FlowDefinition", state.components.of(Kind::Flow).map(definition).collect()));
    }
    let (name, kind) = TABLES.iter().find(|(name, _)| *name == table)?;
    Some((name, state.components.of(*kind).map(|stored| component(state, *kind, stored, whole)).collect()))
}

fn component(state: &State, kind: Kind, stored: &Stored, whole: bool) -> Row {
    let body = |name: &str| stored.body.text_of(name).unwrap_or_default().to_owned();
    let mut row = Filler::default();
    row.text("Id", &stored.id).text("ManageableState", "unmanaged").stamped(&stored.created, &stored.modified);
    // `Account-Account Layout`, `Account.Rule`.
    let (owner, own) = match kind {
        Kind::Layout => stored.name.split_once('-').unwrap_or(("", &stored.name)),
        _ => stored.name.split_once('.').unwrap_or(("", &stored.name)),
    };
    match kind {
        Kind::ApexClass => {
            let text = stored.content.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            row.text("Name", &stored.name)
                .text("Body", text.unwrap_or_default())
                .text("Status", stored.body.text_of("status").unwrap_or("Active"))
                .decimal("ApiVersion", &body("apiVersion"))
                .flag("IsValid", true);
        }
        Kind::Flow => {
            row.text("Id", version_id(stored))
                .text("DefinitionId", &stored.id)
                .text("MasterLabel", body("label"))
                .text("ProcessType", body("processType"))
                .text("Status", stored.body.text_of("status").unwrap_or("Draft"))
                .text("Description", body("description"))
                .decimal("VersionNumber", "1");
        }
        Kind::NamedCredential => {
            row.text("DeveloperName", &stored.name)
                .text("MasterLabel", body("label"))
                .text("Endpoint", body("endpoint"));
        }
        Kind::QuickAction => {
            row.text("DeveloperName", own)
                .text("SobjectType", owner)
                .text("TargetSobjectType", body("targetObject"))
                .text("Label", body("label"))
                .text("MasterLabel", body("label"))
                .text("Type", body("type"));
        }
        Kind::RemoteSiteSetting => {
            row.text("SiteName", &stored.name)
                .text("EndpointUrl", body("url"))
                .text("Description", body("description"))
                .flag("IsActive", body("isActive") == "true")
                .flag("DisableProtocolSecurity", body("disableProtocolSecurity") == "true");
        }
        _ => {
            row.text("Name", own);
            if kind == Kind::Layout {
                row.text("LayoutType", "Standard");
            }
            if let Some(object) = state.schema.object(owner) {
                let table = if object.custom { object_id(object) } else { object.name.clone() };
                row.text("TableEnumOrId", table).text("EntityDefinitionId", durable_id(object));
            }
        }
    }
    if whole {
        // [S] A flow's version goes by "Name-1".
        let full_name = if kind == Kind::Flow { format!("{}-1", stored.name) } else { stored.name.clone() };
        row.text("FullName", full_name).text("Metadata", metadata::body_json(stored).to_text());
    }
    row.row()
}

/// The id of a flow's version. [S] Both prefixes: 300 of the flow, 301 of its versions.
fn version_id(flow: &Stored) -> String {
    let digits = ids::short(&flow.id).get(3..).unwrap_or_default();
    ids::to_18(&format!("301{digits}")).unwrap_or_default()
}

/// A flow over its versions; the org keeps one.
fn definition(flow: &Stored) -> Row {
    let mut row = Filler::default();
    row.text("Id", &flow.id)
        .text("DeveloperName", &flow.name)
        .text("MasterLabel", flow.body.text_of("label").unwrap_or_default())
        .text("ManageableState", "unmanaged")
        .text("LatestVersionId", version_id(flow))
        .stamped(&flow.created, &flow.modified);
    if flow.body.text_of("status") == Some("Active") {
        row.text("ActiveVersionId", version_id(flow));
    }
    row.row()
}
