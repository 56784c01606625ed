//! `describeMetadata` and `listMetadata`.

use super::super::soql::output::datetime;
use super::super::state::State;
use super::super::value::{Row, Value};
use super::super::xml::{Element, Node};
use super::permission_sets::{is, text};
use super::{Fault, Kind};

/// Metadata guide, "listMetadata()": queries in one call.
const MAX_QUERIES: usize = 3;

/// Types that others know and this org has nothing of.
const OTHERS: [&str; 10] = [
    "ApexClass",
    "CustomTab",
    "Flow",
    "FlexiPage",
    "Layout",
    "Profile",
    "RecordType",
    "ValidationRule",
    "Workflow",
    "WorkflowRule",
];

/// Directories and suffixes as in recorded: metadata-soap/legacy-v23-describe_metadata-success.xml.
pub(super) fn describe() -> Node {
    let kind = |children: &[&str], directory: &str, suffix: &str, name: &str| {
        let node = children.iter().fold(Node::new("metadataObjects"), |node, child| node.with("childXmlNames", child));
        node.with("directoryName", directory)
            .flag("inFolder", false)
            .flag("metaFile", false)
            .with("suffix", suffix)
            .with("xmlName", name)
    };
    let result = Node::new("result")
        .children([
            kind(&["CustomField"], "objects", "object", "CustomObject"),
            kind(&[], "permissionsets", "permissionset", "PermissionSet"),
        ])
        .with("organizationNamespace", "")
        .flag("partialSaveAllowed", true)
        .flag("testRequired", false);
    Node::new("describeMetadataResponse").children([result])
}

pub(super) fn list(state: &State, call: &Element) -> Result<Node, Fault> {
    let queries: Vec<&Element> = call.all("queries").collect();
    if queries.len() > MAX_QUERIES {
        // [K] The code and the text; the limit is documented.
        let message = format!("A maximum of {MAX_QUERIES} ListMetadataQuery items can be specified");
        return Err(Fault::new("LIMIT_EXCEEDED", message));
    }
    let mut found = Vec::new();
    for query in queries {
        let name = query.text_of("type").unwrap_or_default();
        if OTHERS.contains(&name) {
            continue;
        }
        let Ok(kind) = Kind::parse(name) else {
            // [S] The text.
            return Err(Fault::new("INVALID_TYPE", format!("Unknown type:{name}")));
        };
        found.extend(components(state, kind));
    }
    Ok(Node::new("listMetadataResponse").children(found))
}

fn components(state: &State, kind: Kind) -> Vec<Node> {
    match kind {
        Kind::Object => {
            let objects = state.schema.objects().filter(|object| object.layoutable);
            objects.map(|object| entry(state, kind, "objects", &object.name, &object.name, None)).collect()
        }
        Kind::Field => {
            let objects = state.schema.objects();
            let fields = objects.flat_map(|object| object.fields.iter().map(move |field| (object, field)));
            fields
                .filter(|(_, field)| field.custom)
                .map(|(object, field)| {
                    let name = format!("{}.{}", object.name, field.name);
                    entry(state, kind, "objects", &object.name, &name, None)
                })
                .collect()
        }
        Kind::PermissionSet => {
            let rows = state.data.store.rows("PermissionSet", false).filter(|row| !is(row, "IsOwnedByProfile"));
            rows.map(|row| {
                let name = text(row, "Name");
                entry(state, kind, "permissionsets", name, name, Some(row))
            })
            .collect()
        }
    }
}

/// `FileProperties`. Of objects and fields the org knows no dates but that of its schema.
fn entry(state: &State, kind: Kind, directory: &str, file: &str, name: &str, row: Option<&Row>) -> Node {
    let suffix = if kind == Kind::PermissionSet { "permissionset" } else { "object" };
    let date = |column: &str| match row.and_then(|row| row.get(column)) {
        Some(Value::DateTime(at)) => *at,
        _ => state.schema_changed,
    };
    let user = |column: &str| {
        let id = row.map(|row| text(row, column)).filter(|id| !id.is_empty()).unwrap_or(&state.auth.user_id);
        let name =
            state.data.store.find(id).map(|(row, _)| format!("{} {}", text(row, "FirstName"), text(row, "LastName")));
        (id.to_owned(), name.unwrap_or_default().trim().to_owned())
    };
    let ((created_by, created_name), (modified_by, modified_name)) = (user("CreatedById"), user("LastModifiedById"));
    // XML Schema dates have a colon in their offset, or a Z.
    let date = |column: &str| datetime(date(column)).replace("+0000", "Z");
    Node::new("result")
        .with("createdById", created_by)
        .with("createdByName", created_name)
        .with("createdDate", date("CreatedDate"))
        .with("fileName", format!("{directory}/{file}.{suffix}"))
        .with("fullName", name)
        // Objects and fields have no rows; their ids are not asked for. [K] Standard objects have none either.
        .with("id", row.map(|row| text(row, "Id")).unwrap_or_default())
        .with("lastModifiedById", modified_by)
        .with("lastModifiedByName", modified_name)
        .with("lastModifiedDate", date("LastModifiedDate"))
        .with("manageableState", "unmanaged")
        .with("type", kind.name())
}
