//! `describeMetadata` and `listMetadata`.

use super::super::ids;
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

/// Elements of component types: the name, the type, and whether a component has to have it.
const OBJECT_FIELDS: [(&str, &str, bool); 11] = [
    ("fullName", "string", true),
    ("deploymentStatus", "DeploymentStatus", true),
    ("description", "string", false),
    ("enableHistory", "boolean", false),
    ("enableReports", "boolean", false),
    ("enableSearch", "boolean", false),
    ("fields", "CustomField", false),
    ("label", "string", true),
    ("nameField", "CustomField", true),
    ("pluralLabel", "string", true),
    ("sharingModel", "SharingModel", true),
];
const FIELD_FIELDS: [(&str, &str, bool); 20] = [
    ("fullName", "string", true),
    ("caseSensitive", "boolean", false),
    ("defaultValue", "string", false),
    ("deleteConstraint", "DeleteConstraint", false),
    ("description", "string", false),
    ("displayFormat", "string", false),
    ("externalId", "boolean", false),
    ("inlineHelpText", "string", false),
    ("label", "string", false),
    ("length", "int", false),
    ("precision", "int", false),
    ("referenceTo", "string", false),
    ("relationshipLabel", "string", false),
    ("relationshipName", "string", false),
    ("required", "boolean", false),
    ("scale", "int", false),
    ("type", "FieldType", true),
    ("unique", "boolean", false),
    ("valueSet", "ValueSet", false),
    ("visibleLines", "int", false),
];
const SET_FIELDS: [(&str, &str, bool); 7] = [
    ("fullName", "string", true),
    ("description", "string", false),
    ("fieldPermissions", "PermissionSetFieldPermissions", false),
    ("hasActivationRequired", "boolean", false),
    ("label", "string", true),
    ("objectPermissions", "PermissionSetObjectPermissions", false),
    ("userPermissions", "PermissionSetUserPermission", false),
];

/// `describeValueType`, of what the org keeps of a type.
pub(super) fn value_type(call: &Element) -> Result<Node, Fault> {
    // `{http://soap.sforce.com/2006/04/metadata}CustomField`
    let name = call.text_of("type").unwrap_or_default();
    let fields: &[(&str, &str, bool)] = match Kind::parse(name.rsplit('}').next().unwrap_or_default())? {
        Kind::Object => &OBJECT_FIELDS,
        Kind::Field => &FIELD_FIELDS,
        Kind::PermissionSet => &SET_FIELDS,
    };
    let fields = fields.iter().map(|(name, kind, required)| {
        Node::new("valueTypeFields")
            .flag("isForeignKey", *name == "referenceTo")
            .flag("isNameField", *name == "fullName")
            .with("minOccurs", if *required { "1" } else { "0" })
            .with("name", name)
            .with("soapType", kind)
            .flag("valueRequired", *required)
    });
    let result = ["apiCreatable", "apiDeletable", "apiReadable", "apiUpdatable"]
        .into_iter()
        .fold(Node::new("result"), |node, name| node.flag(name, true))
        .children(fields);
    Ok(Node::new("describeValueTypeResponse").children([result]))
}

/// An id of its own for a component without a record, the same every time. [K] Standard objects have none.
fn id_of(kind: Kind, name: &str) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    if !name.ends_with("__c") {
        return String::new();
    }
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    ids::make(if kind == Kind::Field { "00N" } else { "01I" }, hasher.finish())
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
        .with("id", row.map_or_else(|| id_of(kind, name), |row| text(row, "Id").to_owned()))
        .with("lastModifiedById", modified_by)
        .with("lastModifiedByName", modified_name)
        .with("lastModifiedDate", date("LastModifiedDate"))
        .with("manageableState", "unmanaged")
        .with("type", kind.name())
}
