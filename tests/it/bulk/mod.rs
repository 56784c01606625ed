//! Bulk API 2.0 against the mock org, and against servers that break off.

mod arrivals;
mod cuts;
mod endless;
mod ingest;
mod outages;
mod query;
mod scripted;
mod write;

use std::time::Duration;

use serde::Serialize;
use sforce::api::bulk::IngestOperation;
use sforce::testing::org::{FieldSpec, MockOrg, ObjectSpec};
use sforce::types::{Decimal, Field, FieldName, SObjectName};

const THING: SObjectName = SObjectName::from_static("Thing__c");
const HOUR: Duration = Duration::from_hours(1);

fn org() -> MockOrg {
    let thing = ObjectSpec::new("Thing__c")
        .field(FieldSpec::text("Key__c", 80).external_id().unique())
        .field(FieldSpec::text("Note__c", 20))
        .field(FieldSpec::number("Number__c", 18, 3))
        .field(FieldSpec::date_time("When__c"))
        .field(FieldSpec::checkbox("Flag__c"))
        .field(FieldSpec::lookup("Account__c", "Account").children("Things__r"));
    MockOrg::builder().object(thing).start()
}

#[derive(Clone, Debug, Default, Serialize)]
struct Thing {
    #[serde(rename = "Key__c")]
    key: String,
    #[serde(rename = "Note__c", skip_serializing_if = "Field::is_absent")]
    note: Field<String>,
    #[serde(rename = "Number__c")]
    number: Option<Decimal>,
}

fn thing(number: usize) -> Thing {
    let decimal = Decimal::parse(&format!("{number}.250")).expect("a number");
    Thing { key: format!("key-{number:06}"), note: Field::Set(format!("note, \"{number}\"")), number: Some(decimal) }
}

fn upsert() -> IngestOperation {
    IngestOperation::Upsert { key: FieldName::from_static("Key__c") }
}
