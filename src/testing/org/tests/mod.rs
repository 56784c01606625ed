//! The org as a stranger sees it: over a socket, with an HTTP client of the tests' own.

mod apex;
mod bulk;
mod collections;
mod composite;
mod composite_batch;
mod composite_graph;
mod composite_tree;
mod conditional;
mod deploy;
mod describe;
mod duplicates;
mod faults;
mod files;
mod grants;
mod http;
mod limits;
mod locks;
mod metadata;
mod oauth;
mod paging;
mod people;
mod permission_sets;
mod permissions;
mod query;
mod recorded;
mod records;
mod replication;
mod row_faults;
mod search;
mod setup;
mod soap;
mod tooling;
mod wsdl;

use http::{Answer, Client};
use serde_json::{Value, json};

use super::{FieldSpec, MockOrg, ObjectSpec};

/// An org with the session object and one with many field types, and a client that is logged in.
fn org() -> (MockOrg, Client) {
    let thing = ObjectSpec::new("Thing__c")
        .field(FieldSpec::text("Key__c", 20).external_id())
        .field(FieldSpec::text("Code__c", 20).unique())
        .field(FieldSpec::number("Number__c", 6, 2))
        .field(FieldSpec::number("Serial__c", 18, 0).external_id().unique())
        .field(FieldSpec::checkbox("Flag__c"))
        .field(FieldSpec::date("Day__c"))
        .field(FieldSpec::date_time("At__c"))
        .field(FieldSpec::email("Mail__c"))
        .field(FieldSpec::picklist("Colour__c", &["Red", "Green"]).restricted().default_value("Red"))
        .field(FieldSpec::multi_picklist("Tags__c", &["a", "b"]).restricted())
        .field(FieldSpec::lookup("Account__c", "Account").children("Things__r"))
        .field(FieldSpec::lookup("Parent__c", "Thing__c"));
    let org = MockOrg::builder().engagement_session("Navattic_").object(thing).start();
    let client = Client::of(&org);
    (org, client)
}

/// Path of the data API in the version the org recommends.
fn data(path: &str) -> String {
    format!("/services/data/v63.0{path}")
}

/// Status, code and message of the one error of an answer.
fn error(answer: &Answer) -> (u16, String, String) {
    let text = |name: &str| answer.json()[0][name].as_str().unwrap_or_default().to_owned();
    (answer.status, text("errorCode"), text("message"))
}

/// Status and code of the one error of an answer.
fn code(answer: &Answer) -> (u16, String) {
    let (status, code, _) = error(answer);
    (status, code)
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// `statusCode` of each row of a collection's answer; blank for a success.
fn row_codes(answer: &Answer) -> Vec<String> {
    let rows = answer.json();
    let code = |row: &Value| row["errors"][0]["statusCode"].as_str().unwrap_or_default().to_owned();
    rows.as_array().unwrap().iter().map(code).collect()
}

/// A record of a collection.
#[expect(clippy::needless_pass_by_value, reason = "records are written in place")]
fn typed(kind: &str, fields: Value) -> Value {
    let mut record = json!({ "attributes": { "type": kind } });
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    record
}
