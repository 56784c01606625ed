//! Reads what an org has of a desired schema: one composite, and one of the Tooling API.

mod catalog;
mod components;
mod fields;
mod layouts;
mod rights;

use std::collections::BTreeMap;

use http::Method;

use super::DesiredSchema;
use super::denied::{VIEW_SETUP, denied};
use super::desired::same;
use super::org::{OrgPermissionSet, OrgSchema};
use crate::api::metadata::FieldKind;
use crate::api::{CompositeResponse, MAX_COLLECTIONS_AND_QUERIES, MAX_SUBREQUESTS, Page, Subrequest, Subresult};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Record, RecordId, SObjectDescribe, Soql};

use catalog::catalog_side;
use fields::object;
pub(super) use fields::org_field;
use layouts::layouts;
use rights::{permission_set, set_queries};

/// Reads the org, as the set-up user sees it.
///
/// Describes tell shapes; what field-level security hides from the set-up user is found in the Tooling API's catalog, which needs "View
/// Setup and Configuration". Costs 2 API calls for a schema of up to 20 objects and 3 types of other components, and one more where page
/// layouts are read.
pub(super) async fn read(client: &Client, desired: &DesiredSchema, user: RecordId) -> Result<OrgSchema> {
    let objects = objects_of(desired);
    let data = data_side(client, desired, &objects, user).await?;
    let catalog = catalog_side(client, desired, &objects, &data.own).await?;
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
    own: Namespace,
    permission_set: Option<OrgPermissionSet>,
    describes: BTreeMap<String, SObjectDescribe>,
}

async fn data_side(client: &Client, desired: &DesiredSchema, objects: &[String], user: RecordId) -> Result<Data> {
    let queries = match &desired.permission_set {
        Some(set) => set_queries(desired, set, user)?,
        None => Vec::new(),
    };
    let organization = Soql::select(["OrganizationType", "NamespacePrefix"]).from("Organization").build()?;
    let mut parts: Vec<(String, Subrequest)> = vec![("organization".into(), Subrequest::query(organization))];
    parts.extend(queries.into_iter().map(|(name, soql)| (name, Subrequest::query(soql))));
    parts.extend(objects.iter().enumerate().map(|(index, name)| {
        (format!("object{index}"), Subrequest::new(Method::GET, format!("/sobjects/{name}/describe")))
    }));
    let answers = in_composites(|| client.composite(), parts).await?;
    let organization = rows(&answers, "organization").unwrap_or_default().into_iter().next().unwrap_or_default();
    let edition = own_text(&organization, "OrganizationType");
    let own = Namespace(own_text(&organization, "NamespacePrefix"));
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
        Some(set) => permission_set(&answers, desired, set, &own)?,
        None => None,
    };
    Ok(Data { edition, own, permission_set, describes })
}

/// The namespace that an org has for packages of its own; mostly none.
struct Namespace(String);

impl Namespace {
    /// Whether what has this prefix is the org's own, not that of a package installed in it.
    fn has(&self, prefix: Option<&str>) -> bool {
        prefix.is_none_or(|prefix| prefix.is_empty() || same(prefix, &self.0))
    }
}

fn own_text(row: &Record, column: &str) -> String {
    row.text(column).unwrap_or_default().to_owned()
}

/// Whoever may not look at permission sets is told as if they were not there.
fn seen<T>(rows: Result<T>) -> Result<T> {
    rows.map_err(|error| match error.kind() {
        ErrorKind::Schema | ErrorKind::Forbidden => denied(error, VIEW_SETUP),
        _ => error,
    })
}

/// Sends parts in as few composites as they fit.
async fn in_composites(
    new: impl Fn() -> crate::api::Composite,
    parts: Vec<(String, Subrequest)>,
) -> Result<Vec<CompositeResponse>> {
    let mut answers = Vec::new();
    let (mut composite, mut count, mut queries) = (new(), 0, 0);
    for (name, part) in parts {
        let is_query = !name.starts_with("object");
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
