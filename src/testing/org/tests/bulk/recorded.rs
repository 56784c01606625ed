//! The org's jobs and files beside those of Salesforce.

use super::super::super::{FieldSpec, MockOrg};
use super::super::recorded::{assert_same_shape, recorded_text, recording};
use super::*;

/// An org with the field of the recordings.
fn opportunities() -> (MockOrg, Client) {
    let (org, client) = org();
    org.add_field("Opportunity", FieldSpec::text("external_id__c", 40).external_id());
    (org, client)
}

fn settings() -> Value {
    json!({"object": "Opportunity", "operation": "upsert", "externalIdFieldName": "external_id__c", "contentType": "CSV"})
}

/// The same members in the same order, and those values that are not of one job.
fn assert_same(what: &str, recorded: &Value, text: &str) {
    let ours: Value = serde_json::from_str(text).unwrap();
    assert_same_shape(what, recorded, &ours, &[], &[]);
    for name in [
        "operation",
        "object",
        "state",
        "externalIdFieldName",
        "concurrencyMode",
        "contentType",
        "jobType",
        "lineEnding",
        "columnDelimiter",
    ] {
        assert_eq!(ours.get(name), recorded.get(name), "{what}: {name}");
    }
    let place = |name: &str| text.find(&format!("\"{name}\"")).unwrap();
    let names =
        ["id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode"];
    assert!(names.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{what}: {text}");
}

#[test]
fn a_job_is_shown_as_recorded_from_its_creation_to_its_end() {
    let (org, client) = opportunities();
    org.bulk().complete_after_polls(1);
    let made = client.post("/services/data/v60.0/jobs/ingest", &settings());
    let job = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/services/data/v60.0/jobs/ingest/{job}");
    if let Some(recorded) = recording("bulk2/write-launch-job-opportunity.json") {
        assert_same("created", &recorded, &made.body);
        let url = |job: &Value| job["contentUrl"].as_str().unwrap().replace(job["id"].as_str().unwrap(), "ID");
        assert_eq!(url(&made.json()), url(&recorded));
        assert_eq!(made.json()["apiVersion"], recorded["apiVersion"], "a number");
    }
    let rows = "Name,StageName,external_id__c,CloseDate\nA,GENERATED,1,2026-01-01\nB,GENERATED,2,x\n";
    upload(&client, &job, rows);
    let closed = client.patch(&path, &json!({"state": "UploadComplete"}));
    if let Some(recorded) = recording("bulk2/write-update-job-opportunity.json") {
        assert_same("closed", &recorded, &closed.body);
    }
    for file in ["bulk2/info-in-progress.json", "bulk2/info-partial-failure.json"] {
        let info = client.get(&path);
        if let Some(recorded) = recording(file) {
            assert_same(file, &recorded, &info.body);
        }
    }
}

#[test]
fn a_query_job_is_made_as_recorded() {
    let (_org, client) = org();
    let body = json!({"operation": "query", "query": "SELECT Id FROM Account"});
    let made = client.post("/services/data/v60.0/jobs/query", &body);
    let Some(recorded) = recording("bulk2/read-launch-job-account.json") else { return };
    assert_same("query", &recorded, &made.body);
}

#[test]
fn failed_rows_read_as_recorded() {
    let (_org, client) = opportunities();
    let Some(recorded) = recorded_text("bulk2/info-partial-failure.csv") else { return };
    let (header, row) = recorded.split_once('\n').unwrap();
    let names = header.strip_prefix("\"sf__Id\",\"sf__Error\",").unwrap();
    let values = row.split_once(" --\",").unwrap().1;
    let (job, _) = load(&client, &settings(), &format!("{names}\n{values}"));
    assert_eq!(client.get(&data(&format!("/jobs/ingest/{job}/failedResults/"))).body, recorded);
}
