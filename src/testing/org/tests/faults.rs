//! Faults: what a client sees, and what became of the request.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::Operation;
use super::{Client, code, data, org, refused, row_codes, typed};

fn create(client: &Client) -> std::io::Result<super::Answer> {
    client.send("POST", &data("/sobjects/Account"), &[("Content-Type", "application/json")], r#"{"Name":"A"}"#)
}

#[test]
fn a_status_comes_instead_of_the_answer() {
    let (org, client) = org();
    org.faults().on(Operation::SObjectCreate).status(503).retry_after(7).once();
    let answer = create(&client).unwrap();
    assert_eq!((answer.status, answer.body.as_str(), answer.header("retry-after")), (503, "", Some("7")));
    assert_eq!(org.count("Account"), 0);
    assert_eq!(create(&client).unwrap().status, 201);
    org.faults().on(Operation::SObjectCreate).error(400, "UNKNOWN_EXCEPTION", "An unexpected error").once();
    assert_eq!(code(&create(&client).unwrap()), refused(400, "UNKNOWN_EXCEPTION"));
    org.faults().on(Operation::SObjectCreate).not_json().once();
    assert!(create(&client).unwrap().body.starts_with("<html>"));
    org.faults().on(Operation::SObjectCreate).status(502).body("upstream").once();
    assert_eq!(create(&client).unwrap().body, "upstream");
    assert_eq!((org.count("Account"), org.api_calls()), (1, 1), "what the edge answers is no API call");
}

#[test]
fn a_request_may_be_applied_and_stay_unanswered() {
    let (org, client) = org();
    for (applied, scripted) in [(0, 0), (1, 1), (1, 2), (2, 3)] {
        let faults = org.faults().on(Operation::SObjectCreate);
        match scripted {
            0 => faults.time_out().once(),
            1 => faults.apply_then_time_out().once(),
            2 => faults.reset().once(),
            _ => faults.apply_then_reset().once(),
        }
        let error = create(&client).unwrap_err().kind();
        let expected: &[ErrorKind] =
            if scripted < 2 { &[ErrorKind::WouldBlock, ErrorKind::TimedOut] } else { &[ErrorKind::ConnectionReset] };
        assert!(expected.contains(&error), "{scripted}: {error:?}");
        assert_eq!(org.count("Account"), applied, "{scripted}");
    }
    assert_eq!(org.requests().iter().filter(|request| request.status.is_none()).count(), 4);
}

#[test]
fn an_answer_may_be_cut_or_lack_its_body() {
    let (org, client) = org();
    org.faults().on(Operation::SObjectCreate).truncate(10).once();
    let error = create(&client).unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::UnexpectedEof, "10 of 54 bytes".to_owned()));
    org.faults().on(Operation::SObjectCreate).truncate(0).once();
    assert_eq!(create(&client).unwrap_err().to_string(), "0 of 54 bytes");
    org.faults().on(Operation::SObjectCreate).truncate_chunked(10).once();
    assert_eq!(create(&client).unwrap_err().to_string(), "no last chunk");
    org.faults().on(Operation::SObjectCreate).empty_body().once();
    let answer = create(&client).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (201, ""));
    assert_eq!(org.count("Account"), 4, "all were carried out");
}

#[test]
fn rows_may_be_locked() {
    let (org, client) = org();
    let rows: Vec<_> = (0..6).map(|n| typed("Account", json!({"Name": n.to_string()}))).collect();
    org.faults().on(Operation::CollectionsCreate).lock_every(3).once();
    let answer = client.post(&data("/composite/sobjects"), &json!({"records": rows}));
    assert_eq!(row_codes(&answer), ["", "", "UNABLE_TO_LOCK_ROW", "", "", "UNABLE_TO_LOCK_ROW"]);
    assert_eq!(org.count("Account"), 4);
    org.faults().on(Operation::CollectionsCreate).lock_rows(|_, row| row["Name"] == "1").once();
    let answer = client.post(&data("/composite/sobjects"), &json!({"allOrNone": true, "records": rows}));
    assert_eq!(row_codes(&answer)[1], "UNABLE_TO_LOCK_ROW");
    assert_eq!(org.count("Account"), 4);
    org.faults().on(Operation::SObjectCreate).lock_rows(|_, _| true).once();
    assert_eq!(code(&create(&client).unwrap()), refused(400, "UNABLE_TO_LOCK_ROW"));
    org.faults().on(Operation::SObjectUpsert).lock_every(5).once();
    let upsert = client.patch(&data("/sobjects/Thing__c/Key__c/k"), &json!({}));
    assert_eq!(code(&upsert), refused(400, "UNABLE_TO_LOCK_ROW"), "a single record is all there is to lock");
    assert_eq!(org.count("Thing__c"), 0);
}

#[test]
fn an_expired_session_stays_dead() {
    let (org, client) = org();
    org.faults().on(Operation::SObjectCreate).expire_session().once();
    assert_eq!(code(&create(&client).unwrap()), refused(401, "INVALID_SESSION_ID"));
    assert_eq!(code(&create(&client).unwrap()), refused(401, "INVALID_SESSION_ID"));
    assert_eq!(org.count("Account"), 0);
}

#[test]
fn faults_keep_to_their_schedule() {
    let (org, client) = org();
    let statuses = |count: usize| -> Vec<u16> { (0..count).map(|_| client.get(&data("/limits")).status).collect() };
    org.faults().on(Operation::Limits).status(503).after(1).times(2);
    assert_eq!(statuses(4), [200, 503, 503, 200]);
    org.faults().clear();
    org.faults().on(Operation::Limits).status(503).every(2);
    assert_eq!(statuses(4), [200, 503, 200, 503]);
    org.faults().clear();
    org.faults().on_any().status(502).always();
    assert_eq!(statuses(2), [502, 502]);
    org.faults().clear();
    org.faults().on(Operation::Query).status(503).always();
    assert_eq!(statuses(1), [200], "another operation's fault");
    org.faults().on(Operation::Limits).status(503).randomly(500, 7);
    let first = statuses(20);
    org.faults().clear();
    org.faults().on(Operation::Limits).status(503).randomly(500, 7);
    assert_eq!(statuses(20), first, "a seed hits the same requests");
    assert!(first.contains(&503) && first.contains(&200));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "latency is real time")]
fn latency_is_waited_for() {
    let (org, client) = org();
    org.set_latency(Duration::from_millis(40));
    let start = Instant::now();
    client.get("/services/data");
    assert!(start.elapsed() >= Duration::from_millis(40));
    org.faults().on(Operation::Versions).delay(Duration::from_millis(60)).once();
    let start = Instant::now();
    client.get("/services/data");
    assert!(start.elapsed() >= Duration::from_millis(100));
}

#[test]
fn every_operation_can_be_struck() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "A"}));
    for (operation, method, path) in [
        (Operation::Authorize, "GET", "/services/oauth2/authorize".to_owned()),
        (Operation::Consent, "GET", "/login".to_owned()),
        (Operation::Introspect, "POST", "/services/oauth2/introspect".to_owned()),
        (Operation::Token, "POST", "/services/oauth2/token".to_owned()),
        (Operation::Revoke, "POST", "/services/oauth2/revoke".to_owned()),
        (Operation::UserInfo, "GET", "/services/oauth2/userinfo".to_owned()),
        (Operation::Identity, "GET", format!("/id/{}/{}", org.org_id(), org.user_id())),
        (Operation::Versions, "GET", "/services/data/".to_owned()),
        (Operation::Resources, "GET", data("")),
        (Operation::Limits, "GET", data("/limits/")),
        (Operation::RecordCount, "GET", data("/limits/recordCount")),
        (Operation::GetUpdated, "GET", data("/sobjects/Account/updated/?start=x&end=x")),
        (Operation::GetDeleted, "GET", data("/sobjects/Account/deleted/?start=x&end=x")),
        (Operation::BlobGet, "GET", data("/sobjects/ContentVersion/068Mk0000000001AAA/VersionData")),
        (Operation::Search, "GET", data("/search/?q=x")),
        (Operation::ParameterizedSearch, "POST", data("/parameterizedSearch")),
        (Operation::ApexRest, "PUT", "/services/apexrest/Thing/1".to_owned()),
        (Operation::DescribeGlobal, "GET", data("/sobjects/")),
        (Operation::Describe, "GET", data("/sobjects/Account/describe/")),
        (Operation::Query, "GET", data("/query/?q=x")),
        (Operation::QueryMore, "GET", data("/query/x-2000")),
        (Operation::SObjectCreate, "POST", data("/sobjects/Account/")),
        (Operation::SObjectGet, "GET", data(&format!("/sobjects/Account/{account}"))),
        (Operation::SObjectUpdate, "PATCH", data(&format!("/sobjects/Account/{account}"))),
        (Operation::SObjectDelete, "DELETE", data(&format!("/sobjects/Account/{account}"))),
        (Operation::SObjectUpsert, "PATCH", data("/sobjects/Thing__c/Key__c/k")),
        (Operation::Composite, "POST", data("/composite/")),
        (Operation::CompositeBatch, "POST", data("/composite/batch")),
        (Operation::CompositeGraph, "POST", data("/composite/graph")),
        (Operation::CompositeTree, "POST", data("/composite/tree/Account/")),
        (Operation::CollectionsCreate, "POST", data("/composite/sobjects")),
        (Operation::CollectionsGet, "GET", data("/composite/sobjects/Account?ids=x")),
        (Operation::CollectionsUpdate, "PATCH", data("/composite/sobjects")),
        (Operation::CollectionsUpsert, "PATCH", data("/composite/sobjects/Thing__c/Key__c")),
        (Operation::CollectionsDelete, "DELETE", data("/composite/sobjects?ids=x")),
        (Operation::IngestCreate, "POST", data("/jobs/ingest")),
        (Operation::IngestList, "GET", data("/jobs/ingest/")),
        (Operation::IngestGet, "GET", data("/jobs/ingest/x")),
        (Operation::IngestUpload, "PUT", data("/jobs/ingest/x/batches/")),
        (Operation::IngestPatch, "PATCH", data("/jobs/ingest/x")),
        (Operation::IngestDelete, "DELETE", data("/jobs/ingest/x")),
        (Operation::IngestSuccessful, "GET", data("/jobs/ingest/x/successfulResults/")),
        (Operation::IngestFailed, "GET", data("/jobs/ingest/x/failedResults/")),
        (Operation::IngestUnprocessed, "GET", data("/jobs/ingest/x/unprocessedrecords/")),
        (Operation::QueryJobCreate, "POST", data("/jobs/query")),
        (Operation::QueryJobList, "GET", data("/jobs/query")),
        (Operation::QueryJobGet, "GET", data("/jobs/query/x")),
        (Operation::QueryJobPatch, "PATCH", data("/jobs/query/x")),
        (Operation::QueryJobDelete, "DELETE", data("/jobs/query/x")),
        (Operation::QueryJobResults, "GET", data("/jobs/query/x/results?maxRecords=1")),
        (Operation::DescribeLayouts, "GET", data("/sobjects/Account/describe/layouts")),
        (Operation::ToolingQuery, "GET", data("/tooling/query?q=x")),
        (Operation::ToolingQueryMore, "GET", data("/tooling/query/x")),
        (Operation::ToolingComposite, "POST", data("/tooling/composite")),
        (Operation::ToolingDescribe, "GET", data("/tooling/sobjects/CustomField/describe")),
        (Operation::ToolingGet, "GET", data("/tooling/sobjects/CustomField/x")),
        (Operation::ToolingCreate, "POST", data("/tooling/sobjects/CustomField")),
        (Operation::ToolingUpdate, "PATCH", data("/tooling/sobjects/CustomField/x")),
        (Operation::ToolingDelete, "DELETE", data("/tooling/sobjects/CustomField/x")),
        (Operation::DeployCreate, "POST", data("/metadata/deployRequest")),
        (Operation::DeployGet, "GET", data("/metadata/deployRequest/x")),
        (Operation::DeployPatch, "PATCH", data("/metadata/deployRequest/x")),
        (Operation::QueryJobPages, "GET", data("/jobs/query/x/resultpages?locator=MA")),
    ] {
        assert!(Operation::ALL.contains(&operation));
        org.faults().on(operation).status(599).once();
        assert_eq!(client.send(method, &path, &[], "").unwrap().status, 599, "{operation:?}");
        assert_eq!(org.calls(operation), 1, "{operation:?}");
    }
    for (operation, call) in [
        (Operation::MetadataDescribe, "describeMetadata"),
        (Operation::MetadataList, "listMetadata"),
        (Operation::MetadataCreate, "createMetadata"),
        (Operation::MetadataRead, "readMetadata"),
        (Operation::MetadataUpdate, "updateMetadata"),
        (Operation::MetadataUpsert, "upsertMetadata"),
        (Operation::MetadataDelete, "deleteMetadata"),
        (Operation::MetadataRename, "renameMetadata"),
        (Operation::MetadataDeploy, "deploy"),
        (Operation::MetadataCheckDeploy, "checkDeployStatus"),
        (Operation::MetadataCancelDeploy, "cancelDeploy"),
        (Operation::MetadataRetrieve, "retrieve"),
        (Operation::MetadataCheckRetrieve, "checkRetrieveStatus"),
    ] {
        assert!(Operation::ALL.contains(&operation));
        org.faults().on(operation).status(599).once();
        let answer =
            super::soap::send(&client, "63.0", &super::soap::envelope(&org.access_token(), "", &format!("<{call}/>")));
        assert_eq!(answer.status, 599, "{operation:?}");
        assert_eq!(org.calls(operation), 1, "{operation:?}");
    }
    assert_eq!(org.requests().len(), Operation::ALL.len());
}
