//! Values of recorded files get their type and go through each wire form unchanged.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sforce::types::wire::csv::{self, Column};
use sforce::types::wire::{FieldTypes, soap};
use sforce::types::{FieldType, Record, SObjectDescribe, Value};

use crate::support::recorded;

fn described(folder: &Path, name: &str) -> SObjectDescribe {
    let text = fs::read_to_string(folder.join("describe").join(name)).expect("readable");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    // Some describes stand in the wrapper of their recording.
    let body = json.get(0).map_or(&json, |entry| &entry["body"]);
    let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    let describe: SObjectDescribe = serde_json::from_str(&text).expect("a describe");
    assert!(!describe.fields.is_empty(), "{name}");
    describe
}

/// The record in a recorded answer.
fn record_of(folder: &Path, name: &str) -> Record {
    let text = fs::read_to_string(folder.join(name)).expect("readable");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let list = json.as_array().cloned().unwrap_or_else(|| vec![json]);
    let bodies = list.into_iter().map(|entry| entry.get("body").cloned().unwrap_or(entry));
    let body = bodies.into_iter().find(|body| body.get("attributes").is_some()).expect("a record");
    Record::from_json(&body.to_string()).expect("decodes")
}

#[test]
fn a_recorded_record_gets_its_types_and_keeps_them_through_every_form() {
    let Some(folder) = recorded("a_recorded_record_gets_its_types_and_keeps_them_through_every_form") else { return };
    let describe = described(&folder, "Account.describe.2026-v58.json");
    let types = FieldTypes::of(&describe);
    let record = types.typed(record_of(&folder, "rest/get-record-account.json")).expect("every value fits its field");
    assert!(matches!(record.get("CreatedDate"), Some(Value::DateTime(_))));
    assert!(matches!(record.get("OwnerId"), Some(Value::Id(_))));
    let seen: BTreeSet<String> = record.iter().map(|(_, value)| format!("{value:?}")).collect();
    assert!(seen.len() > 5, "{seen:?}");

    let json = serde_json::to_string(&record).expect("serialises");
    assert_eq!(types.typed(Record::from_json(&json).expect("decodes")).expect("fits").len(), record.len());
    let mut plain = record.clone();
    let compound =
        |name: &&str| types.get(name).is_some_and(|kind| matches!(kind, FieldType::Address | FieldType::Location));
    for name in record.iter().map(|(name, _)| name).filter(compound) {
        plain.remove(name);
    }
    let xml = format!("<sObjects>{}</sObjects>", soap::write(&plain).expect("writes"));
    let back = soap::read(&xml, &types).expect("reads");
    for (name, value) in plain.iter() {
        assert_eq!(back.get(name), Some(value), "{name}");
        let cell = csv::cell(Some(value)).expect("writes");
        let kind = types.get(name).expect("described");
        assert_eq!(csv::loaded_value(&cell, kind).expect("reads").as_ref(), Some(value), "{name}");
    }
}

#[test]
fn recorded_change_events_have_their_times_as_milliseconds() {
    let Some(folder) = recorded("recorded_change_events_have_their_times_as_milliseconds") else { return };
    let types = FieldTypes::of(&described(&folder, "Account.describe.2026-v58.json"));
    let text = fs::read_to_string(folder.join("cdc/account-create-pubsub-decoded.json")).expect("readable");
    let event = types.typed(Record::from_json(&text).expect("decodes")).expect("fits");
    let created = event.get("CreatedDate").and_then(Value::to_timestamp).expect("an instant");
    assert_eq!(created.to_string(), "2024-04-09T20:19:25.000Z");
    let types = FieldTypes::of(&described(&folder, "Contact.describe.json"));
    let text = fs::read_to_string(folder.join("cdc/contact-update-eventrelay.json")).expect("readable");
    let event = types.typed(Record::from_json(&text).expect("decodes")).expect("fits");
    assert_eq!(event.path("Name.LastName").and_then(Value::as_text), Some("Youngest"));
    assert!(matches!(event.get("LastModifiedDate"), Some(Value::DateTime(_))));
}

#[test]
fn a_recorded_outbound_message_is_read_with_its_nulls_absent() {
    let Some(folder) = recorded("a_recorded_outbound_message_is_read_with_its_nulls_absent") else { return };
    let describe = described(&folder, "Lead.describe.json");
    // The author of the recording masked the ids, so that they are none any more.
    let kept = describe.fields.iter().filter(|field| !matches!(field.field_type, FieldType::Id | FieldType::Reference));
    let types = FieldTypes::new(kept.map(|field| (field.name.as_str(), field.field_type.clone())));
    let text = fs::read_to_string(folder.join("outbound/notification-three-leads.xml")).expect("readable");
    let mut leads = 0;
    for part in text.split("<sObject ").skip(1) {
        let part = part.split("</sObject>").next().expect("an element");
        let lead = soap::read(&format!("<sObject {part}</sObject>"), &types).expect("reads");
        assert!(lead.object_name().is_some_and(|object| object.starts_with("Lead")));
        assert!(matches!(lead.get("CreatedDate"), Some(Value::DateTime(_))));
        assert_eq!(lead.get("IsConverted"), Some(&Value::Bool(false)));
        assert_eq!(lead.get("Fax"), None, "a null is left out");
        assert_eq!(lead.len(), part.matches("</sf:").count());
        leads += 1;
    }
    assert_eq!(leads, 3);
}

#[test]
fn recorded_bulk_results_are_read_by_their_header() {
    let Some(folder) = recorded("recorded_bulk_results_are_read_by_their_header") else { return };
    let types = FieldTypes::of(&described(&folder, "Opportunity.describe.json"));
    let text = fs::read_to_string(folder.join("bulk2/info-partial-failure.csv")).expect("readable");
    let (header, row) = text.trim_end().split_once('\n').expect("two lines");
    let columns: Vec<Column> =
        header.trim_end().split(',').map(|name| name.trim_matches('"').parse().expect("a column")).collect();
    // The one comma inside a cell stands in the second one.
    let cells: Vec<&str> = row[1..row.len() - 1].split("\",\"").collect();
    assert_eq!(cells.len(), columns.len());
    let cell = |name: &str| cells[columns.iter().position(|column| column.to_string() == name).expect(name)];
    let value = |name: &str| csv::loaded_value(cell(name), types.get(name).unwrap_or(&FieldType::String));
    assert_eq!(value("sf__Id").expect("reads"), None, "the row was not created");
    assert_eq!(value("Name").expect("reads"), Some(Value::from("Noemi Miller")));
    assert!(value("CloseDate").is_err(), "what Salesforce refused as a date is none here either");
}

#[test]
fn what_is_written_for_soap_is_in_the_order_of_the_partner_wsdl() {
    let Some(folder) = recorded("what_is_written_for_soap_is_in_the_order_of_the_partner_wsdl") else { return };
    let wsdl = fs::read_to_string(folder.join("wsdl/partner-v47.0.wsdl")).expect("readable");
    let start = wsdl.find("<complexType name=\"sObject\">").expect("the type of records");
    let schema = &wsdl[start..start + wsdl[start..].find("</complexType>").expect("its end")];
    let place = |name: &str| schema.find(name).unwrap_or_else(|| panic!("{name} in {schema}"));
    let order = [place("name=\"type\""), place("name=\"fieldsToNull\""), place("name=\"Id\""), place("<any")];
    assert!(order.is_sorted(), "{schema}");
    let record = Record::of(&"Account".parse().expect("a name"))
        .with("Name", "Acme")
        .with("Id", "001dM00003kRs59QAC")
        .with("Fax", Value::Null);
    let xml = soap::write(&record).expect("writes");
    let place = |name: &str| xml.find(name).expect(name);
    assert!([place("<type>"), place("<fieldsToNull>"), place("<Id>"), place("<Name>")].is_sorted(), "{xml}");
}
