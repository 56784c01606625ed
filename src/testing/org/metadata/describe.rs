//! `describeMetadata` and `listMetadata`.

use super::super::state::State;
use super::super::value::Value;
use super::super::xml::{Element, Node};
use super::deploy::name_of;
use super::deploy::soap::date as date_text;
use super::kind::is_type;
use super::permission_sets::text;
use super::{Fault, Kind, permission_sets, stored};

/// Metadata guide, "listMetadata()": queries in one call.
const MAX_QUERIES: usize = 3;

/// Directories and suffixes as in recorded: metadata-soap/legacy-v23-describe_metadata-success.xml.
pub(super) fn describe() -> Node {
    let objects = Kind::all().filter(|kind| kind.parent().is_none()).map(|kind| {
        let children = kind.children().iter();
        let node =
            children.fold(Node::new("metadataObjects"), |node, (_, child)| node.with("childXmlNames", child.name()));
        node.with("directoryName", kind.directory())
            .flag("inFolder", false)
            .flag("metaFile", kind == Kind::ApexClass)
            .with("suffix", kind.suffix())
            .with("xmlName", kind.name())
    });
    let result = Node::new("result")
        .children(objects.collect::<Vec<_>>())
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
        let Some(kind) = Kind::find(name) else {
            if is_type(name) {
                continue;
            }
            // [S] The text.
            return Err(Fault::new("INVALID_TYPE", format!("Unknown type:{name}")));
        };
        found.extend(super::names_of(state, kind).iter().map(|name| properties(state, "result", kind, name, "")));
    }
    Ok(Node::new("listMetadataResponse").children(found))
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
    let kind = Kind::of_call(name.rsplit('}').next().unwrap_or_default())?;
    let fields: &[(&str, &str, bool)] = match kind {
        Kind::Object => &OBJECT_FIELDS,
        Kind::Field => &FIELD_FIELDS,
        Kind::PermissionSet => &SET_FIELDS,
        _ => {
            // [K] The code and the text; a real org describes all types.
            return Err(Fault::new("INVALID_TYPE", format!("This org does not describe the type {}", kind.name())));
        }
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

/// The path of the file a component is in.
pub(super) fn file_of(kind: Kind, name: &str) -> String {
    let stem = if kind.parent().is_some() { name.split('.').next().unwrap_or_default() } else { name };
    format!("{}/{}.{}", kind.directory(), stored::encoded(kind, stem), kind.suffix())
}

/// `FileProperties`. Of objects and fields the org knows no dates but that of its schema.
pub(super) fn properties(state: &State, element: &'static str, kind: Kind, name: &str, folder: &str) -> Node {
    let row = Some(kind).filter(|kind| *kind == Kind::PermissionSet).and_then(|_| permission_sets::find(state, name));
    let stored = state.components.get(kind, name);
    let stamp = |date: &str, user: &str, kept: Option<&(chrono::DateTime<chrono::Utc>, String)>| {
        let at = match row.and_then(|row| row.get(date)) {
            Some(Value::DateTime(at)) => *at,
            _ => kept.map_or(state.schema_changed, |(at, _)| *at),
        };
        let user = row.map(|row| text(row, user)).or(kept.map(|(_, user)| user.as_str()));
        let user = user.filter(|user| !user.is_empty()).unwrap_or(&state.auth.user_id).to_owned();
        (date_text(at), name_of(state, &user), user)
    };
    let (created, created_name, created_by) = stamp("CreatedDate", "CreatedById", stored.map(|stored| &stored.created));
    let (modified, modified_name, modified_by) =
        stamp("LastModifiedDate", "LastModifiedById", stored.map(|stored| &stored.modified));
    Node::new(element)
        .with("createdById", created_by)
        .with("createdByName", created_name)
        .with("createdDate", created)
        .with("fileName", format!("{folder}{}", file_of(kind, name)))
        .with("fullName", stored::encoded(kind, name))
        .with("id", super::id_of(state, kind, name))
        .with("lastModifiedById", modified_by)
        .with("lastModifiedByName", modified_name)
        .with("lastModifiedDate", modified)
        .with("manageableState", "unmanaged")
        .with("type", kind.name())
}
