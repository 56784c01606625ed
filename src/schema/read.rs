//! Reads what an org has of a desired schema: one composite, and one of the Tooling API.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;

use super::DesiredSchema;
use super::denied::{VIEW_SETUP, denied};
use super::desired::same;
use super::org::{OrgField, OrgObject, OrgPermissionSet, OrgSchema};
use crate::api::metadata::{
    AnyComponent, CustomField, FieldKind, FieldPermission, Layout, ObjectPermission, PermissionSet, PicklistValue,
    ValueSet,
};
use crate::api::{CompositeResponse, MAX_COLLECTIONS_AND_QUERIES, MAX_SUBREQUESTS, Page, Subrequest, Subresult};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::types::soql::field;
use crate::types::{FieldDescribe, FieldType, Record, RecordId, SObjectDescribe, Soql, Value};

/// Reads the org, as the set-up user sees it.
///
/// Describes tell shapes; what field-level security hides from the set-up user is found in the Tooling API's catalog, which needs "View
/// Setup and Configuration". Costs 2 API calls for a schema of up to 20 objects and 3 types of other components, and one more where page
/// layouts are read.
pub(super) async fn read(client: &Client, desired: &DesiredSchema, user: RecordId) -> Result<OrgSchema> {
    let objects = objects_of(desired);
    let data = data_side(client, desired, &objects, user).await?;
    let catalog = catalog_side(client, desired, &objects).await?;
    let mut org = OrgSchema { edition: data.edition, permission_set: data.permission_set, ..OrgSchema::default() };
    org.components = catalog.components;
    org.unknown_components = catalog.unknown;
    let fields = desired.all_fields();
    for name in &objects {
        let describe = data.describes.get(&name.to_ascii_lowercase());
        let entity = catalog.entities.get(&name.to_ascii_lowercase());
        if describe.is_some() || entity.is_some() {
            org.objects.push(object(name, describe, entity, &fields, &catalog.fields, &data.describes));
        }
    }
    layouts(client, desired, &mut org).await?;
    Ok(org)
}

/// The objects that are touched, and those that are looked up.
fn objects_of(desired: &DesiredSchema) -> Vec<String> {
    let mut names = desired.touched_objects();
    for field in desired.all_fields() {
        if let FieldKind::Lookup { reference_to, .. } | FieldKind::MasterDetail { reference_to, .. } = field.kind
            && !names.iter().any(|known| same(known, &reference_to))
        {
            names.push(reference_to);
        }
    }
    names
}

struct Data {
    edition: String,
    permission_set: Option<OrgPermissionSet>,
    describes: BTreeMap<String, SObjectDescribe>,
}

async fn data_side(client: &Client, desired: &DesiredSchema, objects: &[String], user: RecordId) -> Result<Data> {
    let queries = match &desired.permission_set {
        Some(set) => set_queries(set, user)?,
        None => Vec::new(),
    };
    let edition = Soql::select(["OrganizationType"]).from("Organization").build()?;
    let mut parts: Vec<(String, Subrequest)> = vec![("organization".into(), Subrequest::query(edition))];
    parts.extend(queries.into_iter().map(|(name, soql)| (name.to_owned(), Subrequest::query(soql))));
    parts.extend(objects.iter().enumerate().map(|(index, name)| {
        (format!("object{index}"), Subrequest::new(Method::GET, format!("/sobjects/{name}/describe")))
    }));
    let answers = in_composites(|| client.composite(), parts).await?;
    let edition = rows(&answers, "organization").unwrap_or_default();
    let edition = edition.first().and_then(|row| row.text("OrganizationType")).unwrap_or_default().to_owned();
    let mut describes = BTreeMap::new();
    for (index, name) in objects.iter().enumerate() {
        let answer = find(&answers, &format!("object{index}"))?;
        match answer.json::<SObjectDescribe>() {
            Ok(describe) => {
                describes.insert(name.to_ascii_lowercase(), describe);
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden | ErrorKind::Schema) => {}
            Err(error) => return Err(error),
        }
    }
    let permission_set = match &desired.permission_set {
        Some(set) => permission_set(&answers, set)?,
        None => None,
    };
    Ok(Data { edition, permission_set, describes })
}

/// Rights are rows of their own: the pages of a sub-query end early.
fn set_queries(set: &PermissionSet, user: RecordId) -> Result<Vec<(&'static str, Soql)>> {
    let name = set.full_name.as_str();
    let columns: Vec<String> = ["Id", "Name", "Label", "Description"]
        .into_iter()
        .map(str::to_owned)
        .chain(set.users.iter().map(|permission| format!("Permissions{permission}")))
        .collect();
    let of_set = |object: &str, columns: &[&str]| {
        Soql::select(columns.iter().copied()).from(object).filter(field("Parent.Name").eq(name)).build()
    };
    let rights = [
        "SobjectType",
        "PermissionsRead",
        "PermissionsCreate",
        "PermissionsEdit",
        "PermissionsDelete",
        "PermissionsViewAllRecords",
        "PermissionsModifyAllRecords",
    ];
    let assigned = field("PermissionSet.Name").eq(name).and(field("AssigneeId").eq(user));
    Ok(vec![
        (
            "set",
            Soql::select(columns.iter().map(String::as_str))
                .from("PermissionSet")
                .filter(field("Name").eq(name))
                .build()?,
        ),
        ("objects", of_set("ObjectPermissions", &rights)?),
        ("fields", of_set("FieldPermissions", &["Field", "PermissionsRead", "PermissionsEdit"])?),
        ("assigned", Soql::select(["Id"]).from("PermissionSetAssignment").filter(assigned).build()?),
    ])
}

fn permission_set(answers: &[CompositeResponse], wanted: &PermissionSet) -> Result<Option<OrgPermissionSet>> {
    let sets = seen(rows(answers, "set"))?;
    let Some(row) = sets.first() else { return Ok(None) };
    let on = |row: &Record, column: &str| row.get(column).and_then(Value::as_bool).unwrap_or(false);
    let text = |row: &Record, column: &str| row.text(column).unwrap_or_default().to_owned();
    let objects = seen(rows(answers, "objects"))?;
    let objects = objects.iter().map(|row| ObjectPermission {
        object: text(row, "SobjectType"),
        read: on(row, "PermissionsRead"),
        create: on(row, "PermissionsCreate"),
        edit: on(row, "PermissionsEdit"),
        delete: on(row, "PermissionsDelete"),
        view_all: on(row, "PermissionsViewAllRecords"),
        modify_all: on(row, "PermissionsModifyAllRecords"),
        ..ObjectPermission::default()
    });
    let fields = seen(rows(answers, "fields"))?;
    let fields = fields.iter().map(|row| FieldPermission {
        field: text(row, "Field"),
        readable: on(row, "PermissionsRead"),
        editable: on(row, "PermissionsEdit"),
    });
    let users = wanted.users.iter().filter(|name| on(row, &format!("Permissions{name}")));
    Ok(Some(OrgPermissionSet {
        id: row.get("Id").and_then(Value::to_id),
        set: PermissionSet {
            full_name: text(row, "Name"),
            label: text(row, "Label"),
            description: row.text("Description").map(str::to_owned),
            objects: objects.collect(),
            fields: fields.collect(),
            users: users.cloned().collect(),
            ..PermissionSet::default()
        },
        assigned: !seen(rows(answers, "assigned"))?.is_empty(),
    }))
}

/// Whoever may not look at permission sets is told as if they were not there.
fn seen<T>(rows: Result<T>) -> Result<T> {
    rows.map_err(|error| match error.kind() {
        ErrorKind::Schema | ErrorKind::Forbidden => denied(error, VIEW_SETUP),
        _ => error,
    })
}

/// What the catalog says of an object.
struct Entity {
    name: String,
    label: String,
    history: Option<bool>,
}

/// What the catalog says of a field.
pub(super) struct Definition {
    name: String,
    label: String,
    data_type: String,
    nillable: bool,
    tracked: Option<bool>,
}

#[derive(Default)]
struct Catalog {
    entities: BTreeMap<String, Entity>,
    /// By object and field, lower case.
    fields: BTreeMap<String, Definition>,
    components: BTreeSet<(String, String)>,
    unknown: BTreeSet<String>,
}

async fn catalog_side(client: &Client, desired: &DesiredSchema, objects: &[String]) -> Result<Catalog> {
    let mut parts: Vec<(String, Subrequest)> = Vec::new();
    if !objects.is_empty() {
        let entities = Soql::select(["QualifiedApiName", "Label", "IsFieldHistoryTracked"])
            .from("EntityDefinition")
            .filter(field("QualifiedApiName").is_in(objects.iter().map(String::as_str)))
            .build()?;
        parts.push(("entities".into(), Subrequest::query(entities)));
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
    let text = |row: &Record, column: &str| row.text(column).unwrap_or_default().to_owned();
    if !objects.is_empty() {
        for row in seen(rows(&answers, "entities"))? {
            let history = row.get("IsFieldHistoryTracked").and_then(Value::as_bool);
            let entity = Entity { name: text(&row, "QualifiedApiName"), label: text(&row, "Label"), history };
            catalog.entities.insert(entity.name.to_ascii_lowercase(), entity);
        }
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
            Ok(rows) => catalog.components.extend(rows.iter().map(|row| (lookup.kind.clone(), (lookup.name)(row)))),
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

/// How components of a type are looked for.
struct Lookup {
    kind: String,
    soql: Soql,
    /// The full name of a row's component.
    name: fn(&Record) -> String,
}

/// Source of objects and columns: Tooling API Developer Guide, the page of each object.
fn component_queries(desired: &DesiredSchema) -> Result<Vec<Lookup>> {
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

/// Sends parts in as few composites as they fit.
async fn in_composites(
    new: impl Fn() -> crate::api::Composite,
    parts: Vec<(String, Subrequest)>,
) -> Result<Vec<CompositeResponse>> {
    let mut answers = Vec::new();
    let (mut composite, mut count, mut queries) = (new(), 0, 0);
    for (name, part) in parts {
        let is_query = !name.starts_with("object") || name == "objects";
        if count == MAX_SUBREQUESTS || (is_query && queries == MAX_COLLECTIONS_AND_QUERIES) {
            answers.push(composite.send().await?);
            (composite, count, queries) = (new(), 0, 0);
        }
        composite = composite.add(name, part);
        count += 1;
        queries += usize::from(is_query);
    }
    if count > 0 {
        answers.push(composite.send().await?);
    }
    Ok(answers)
}

fn find<'a>(answers: &'a [CompositeResponse], reference: &str) -> Result<&'a Subresult> {
    let mut found = answers.iter().filter_map(|answer| answer.result_of(reference).ok());
    found.next().ok_or_else(|| Error::new(ErrorKind::Decode, "schema.read", "a part of the answer is missing"))
}

/// The rows of a query, all on one page: what is asked for is bounded by what is desired.
fn rows(answers: &[CompositeResponse], reference: &str) -> Result<Vec<Record>> {
    let page: Page<Record> = find(answers, reference)?.page()?;
    if page.next_records_url.is_some() {
        return Err(Error::new(ErrorKind::Invalid, "schema.read", "the org has more of it than one page holds")
            .with_context("part", reference)
            .with_advice("split the schema into several"));
    }
    Ok(page.records)
}

fn object(
    name: &str,
    describe: Option<&SObjectDescribe>,
    entity: Option<&Entity>,
    desired: &[CustomField],
    definitions: &BTreeMap<String, Definition>,
    describes: &BTreeMap<String, SObjectDescribe>,
) -> OrgObject {
    let api_name = describe.map(|seen| seen.name.clone()).or_else(|| entity.map(|entity| entity.name.clone()));
    let api_name = api_name.unwrap_or_else(|| name.to_owned());
    let label = describe.map(|seen| seen.label.clone()).or_else(|| entity.map(|entity| entity.label.clone()));
    let name_field = describe.and_then(|seen| seen.fields.iter().find(|field| field.name_field));
    let named = definitions.get(&format!("{api_name}.name").to_ascii_lowercase());
    let name_kind = match (name_field, named) {
        (Some(field), _) if field.auto_number => "AutoNumber",
        (None, Some(named)) if named.data_type.starts_with("Auto Number") => "AutoNumber",
        (Some(_), _) | (None, Some(_)) => "Text",
        (None, None) => "",
    };
    let ours = desired.iter().filter(|field| same(field.object(), &api_name));
    let fields = ours.filter_map(|field| {
        let seen = describe.and_then(|seen| seen.field(field.name()));
        let known = definitions.get(&format!("{api_name}.{}", field.name()).to_ascii_lowercase());
        org_field(&api_name, seen, known, describes)
    });
    let seen_fields = describe.map(|seen| seen.fields.as_slice()).unwrap_or_default();
    let children = describe.map(|seen| seen.child_relationships.as_slice()).unwrap_or_default();
    OrgObject {
        label: label.unwrap_or_default(),
        name_kind: name_kind.into(),
        history: entity.and_then(|entity| entity.history),
        fields: fields.collect(),
        custom_fields: seen_fields.iter().filter(|field| field.custom).count(),
        external_ids: seen_fields.iter().filter(|field| field.external_id).count(),
        children: children
            .iter()
            .filter_map(|child| {
                let name = child.relationship_name.as_deref()?;
                let name = name.strip_suffix("__r").unwrap_or(name).to_ascii_lowercase();
                Some((name, format!("{}.{}", child.child_sobject, child.field).to_ascii_lowercase()))
            })
            .collect(),
        name: api_name,
    }
}

pub(super) fn org_field(
    object: &str,
    seen: Option<&FieldDescribe>,
    known: Option<&Definition>,
    describes: &BTreeMap<String, SObjectDescribe>,
) -> Option<OrgField> {
    let tracked = known.and_then(|known| known.tracked);
    if let Some(seen) = seen {
        return Some(OrgField {
            name: seen.name.clone(),
            label: seen.label.clone(),
            kind: kind_of(object, seen, describes),
            required: seen.required_on_create(),
            unique: seen.unique,
            case_sensitive: seen.case_sensitive,
            external_id: seen.external_id,
            track_history: tracked,
            hidden: false,
        });
    }
    let known = known?;
    let words = DataType::parse(&known.data_type);
    Some(OrgField {
        name: known.name.clone(),
        label: known.label.clone(),
        kind: words.kind,
        required: !known.nillable,
        unique: words.unique,
        case_sensitive: words.case_sensitive,
        external_id: words.external_id,
        track_history: tracked,
        hidden: true,
    })
}

/// A field's type as describe tells it.
fn kind_of(object: &str, seen: &FieldDescribe, describes: &BTreeMap<String, SObjectDescribe>) -> FieldKind {
    use FieldType as T;
    let (precision, scale, length) = (seen.precision, seen.scale, seen.length);
    if seen.calculated {
        let word = match seen.field_type {
            T::Boolean => "Checkbox",
            T::Int | T::Double => "Number",
            T::Currency => "Currency",
            T::Percent => "Percent",
            T::Date => "Date",
            T::Datetime => "DateTime",
            T::Time => "Time",
            _ => "Text",
        };
        return FieldKind::Other(format!("Formula ({word})"));
    }
    let values = || {
        let active = seen.picklist_values.iter().filter(|value| value.active);
        ValueSet::new(active.map(|value| PicklistValue::new(value.value.as_str())))
    };
    match seen.field_type {
        _ if seen.auto_number => FieldKind::auto_number(""),
        T::String => FieldKind::text(length),
        T::Textarea if seen.html_formatted => FieldKind::Html { length, visible_lines: 0 },
        T::Textarea if length > 255 => FieldKind::LongTextArea { length, visible_lines: 0 },
        T::Textarea => FieldKind::TextArea,
        T::Double => FieldKind::number(precision, scale),
        T::Int => FieldKind::number(seen.digits, 0),
        T::Currency => FieldKind::Currency { precision, scale },
        T::Percent => FieldKind::Percent { precision, scale },
        T::Boolean => FieldKind::Checkbox,
        T::Date => FieldKind::Date,
        T::Datetime => FieldKind::DateTime,
        T::Time => FieldKind::Time,
        T::Email => FieldKind::Email,
        T::Phone => FieldKind::Phone,
        T::Url => FieldKind::Url,
        T::Picklist => FieldKind::picklist(values()),
        T::Multipicklist => FieldKind::multiselect_picklist(values()),
        T::Location => FieldKind::Location { scale },
        T::Reference => {
            let target = seen.reference_to.first().cloned().unwrap_or_default();
            let children = describes.get(&target.to_ascii_lowercase()).and_then(|parent| {
                let ours = |child: &&crate::types::ChildRelationship| {
                    same(&child.child_sobject, object) && same(&child.field, &seen.name)
                };
                parent.child_relationships.iter().find(ours)?.relationship_name.clone()
            });
            let children = children.unwrap_or_default();
            let children = children.strip_suffix("__r").unwrap_or(&children);
            if seen.is_master() {
                FieldKind::master_detail(target, children, "")
            } else {
                FieldKind::lookup(target, children, "")
            }
        }
        _ => FieldKind::Other(format!("{:?}", seen.field_type)),
    }
}

/// A field's type in the words of Setup.
#[derive(Debug, PartialEq, Eq)]
struct DataType {
    kind: FieldKind,
    external_id: bool,
    unique: bool,
    case_sensitive: bool,
}

impl DataType {
    /// Reads such as `Text(80) (External ID) (Unique Case Sensitive)`.
    fn parse(words: &str) -> Self {
        let mut rest = words.trim();
        let mut read = Self { kind: FieldKind::Date, external_id: false, unique: false, case_sensitive: false };
        while let Some((before, last)) = rest.rsplit_once(" (") {
            match last.trim_end_matches(')') {
                "External ID" => read.external_id = true,
                "Unique Case Sensitive" => (read.unique, read.case_sensitive) = (true, true),
                "Unique Case Insensitive" | "Unique" => read.unique = true,
                _ => break,
            }
            rest = before;
        }
        read.kind = Self::kind(rest);
        read
    }

    fn kind(words: &str) -> FieldKind {
        let (name, inner) = match words.split_once('(') {
            Some((name, inner)) => (name.trim(), inner.trim_end_matches(')')),
            None => (words, ""),
        };
        let numbers: Vec<u32> = inner.split(',').filter_map(|part| part.trim().parse().ok()).collect();
        // Setup tells the digits before the point.
        let digits = |make: fn(u32, u32) -> FieldKind| match numbers[..] {
            [before, scale] => make(before.saturating_add(scale), scale),
            _ => FieldKind::Other(words.to_owned()),
        };
        match (name, &numbers[..]) {
            ("Text", [length]) => FieldKind::text(*length),
            ("Text Area", _) => FieldKind::TextArea,
            ("Long Text Area", [length]) => FieldKind::LongTextArea { length: *length, visible_lines: 0 },
            ("Rich Text Area", [length]) => FieldKind::Html { length: *length, visible_lines: 0 },
            ("Number", _) => digits(FieldKind::number),
            ("Currency", _) => digits(|precision, scale| FieldKind::Currency { precision, scale }),
            ("Percent", _) => digits(|precision, scale| FieldKind::Percent { precision, scale }),
            ("Checkbox", []) => FieldKind::Checkbox,
            ("Date", []) => FieldKind::Date,
            ("Date/Time", []) => FieldKind::DateTime,
            ("Time", []) => FieldKind::Time,
            ("Email", []) => FieldKind::Email,
            ("Phone", []) => FieldKind::Phone,
            ("URL", _) => FieldKind::Url,
            ("Auto Number", []) => FieldKind::auto_number(""),
            ("Lookup", []) => FieldKind::lookup(inner, "", ""),
            ("Master-Detail", []) => FieldKind::master_detail(inner, "", ""),
            ("Picklist", []) if inner == "Multi-Select" => FieldKind::multiselect_picklist(ValueSet::default()),
            ("Picklist", []) => FieldKind::picklist(ValueSet::default()),
            _ => FieldKind::Other(words.to_owned()),
        }
    }
}

/// Page layouts are read by SOAP, which takes no JWT-based token.
async fn layouts(client: &Client, desired: &DesiredSchema, org: &mut OrgSchema) -> Result<()> {
    let mut names: Vec<&str> = desired.layout_sections.iter().map(|section| section.layout.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Ok(());
    }
    let metadata = client.metadata();
    if !metadata.takes_token().await? {
        org.layouts_unreadable = Some("page layouts are read by SOAP, which takes no token of this kind".into());
        return Ok(());
    }
    for names in names.chunks(crate::api::metadata::MAX_COMPONENTS) {
        match metadata.read::<Layout>(names).await {
            Ok(layouts) => org.layouts.extend(layouts.into_iter().flatten()),
            Err(error) if error.kind() == ErrorKind::Forbidden => {
                org.layouts_unreadable = Some("the set-up user may not read page layouts".into());
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_from_the_words_of_setup() {
        let plain = |words: &str| {
            let read = DataType::parse(words);
            (read.kind, read.external_id, read.unique, read.case_sensitive)
        };
        for (words, expected) in [
            ("Text(80) (External ID) (Unique Case Sensitive)", (FieldKind::text(80), true, true, true)),
            ("Text(80) (Unique Case Insensitive)", (FieldKind::text(80), false, true, false)),
            ("Number(15, 3)", (FieldKind::number(18, 3), false, false, false)),
            ("Email (External ID) (Unique)", (FieldKind::Email, true, true, false)),
            ("Date/Time", (FieldKind::DateTime, false, false, false)),
            ("Lookup(Contact)", (FieldKind::lookup("Contact", "", ""), false, false, false)),
            ("Formula (Text)", (FieldKind::Other("Formula (Text)".into()), false, false, false)),
            ("Hologram(3D)", (FieldKind::Other("Hologram(3D)".into()), false, false, false)),
            ("", (FieldKind::Other(String::new()), false, false, false)),
            ("Number(", (FieldKind::Other("Number(".into()), false, false, false)),
            (
                "Number(99999999999, 4294967295)",
                (FieldKind::Other("Number(99999999999, 4294967295)".into()), false, false, false),
            ),
        ] {
            assert_eq!(plain(words), expected, "{words}");
        }
        assert!(matches!(plain("Picklist (Multi-Select)").0, FieldKind::MultiselectPicklist { .. }));
        assert!(matches!(plain("Long Text Area(32768)").0, FieldKind::LongTextArea { length: 32768, .. }));
    }
}
