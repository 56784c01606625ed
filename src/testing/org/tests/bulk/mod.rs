//! Bulk API 2.0 over HTTP.

mod faults;
mod ingest;
mod query;
mod recorded;
mod rows;
mod wire;

use serde_json::{Value, json};

use super::{Answer, Client, MockOrg, code, data, error, org, refused};

/// Makes a job and gives its id.
fn create(client: &Client, settings: &Value) -> String {
    let answer = client.post(&data("/jobs/ingest"), settings);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn upload(client: &Client, job: &str, csv: &str) -> Answer {
    client.send("PUT", &data(&format!("/jobs/ingest/{job}/batches")), &[("Content-Type", "text/csv")], csv).unwrap()
}

fn state(client: &Client, job: &str, state: &str) -> Answer {
    client.patch(&data(&format!("/jobs/ingest/{job}")), &json!({ "state": state }))
}

fn info(client: &Client, job: &str) -> Value {
    client.get(&data(&format!("/jobs/ingest/{job}"))).json()
}

/// Looks at a job until it is over.
fn finish(client: &Client, job: &str) -> Value {
    for _ in 0..100 {
        let info = info(client, job);
        if ["JobComplete", "Failed", "Aborted"].contains(&info["state"].as_str().unwrap()) {
            return info;
        }
    }
    panic!("{job} is never over");
}

/// A job with those rows, from its creation to its end.
fn load(client: &Client, settings: &Value, csv: &str) -> (String, Value) {
    let job = create(client, settings);
    assert_eq!(upload(client, &job, csv).status, 201);
    assert_eq!(state(client, &job, "UploadComplete").status, 200);
    let end = finish(client, &job);
    (job, end)
}

/// Records of one of the three files, as lines; the header first.
fn file(client: &Client, job: &str, name: &str) -> Vec<String> {
    let answer = client.get(&data(&format!("/jobs/ingest/{job}/{name}/")));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/csv")), "{}", answer.body);
    answer.body.lines().map(str::to_owned).collect()
}

/// Logs in again: a day is longer than a session.
fn log_in(org: &MockOrg, client: &Client) -> Client {
    let (id, secret) = (org.client_id(), org.client_secret());
    let fields = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
    let token = client.with_authorization(None).form("/services/oauth2/token", &fields).json();
    client.with_authorization(Some(&format!("Bearer {}", token["access_token"].as_str().unwrap())))
}

/// Rows with the keys k0, k1, …
fn numbered(rows: usize) -> String {
    let keys: Vec<String> = (0..rows).map(|number| format!("k{number}\n")).collect();
    format!("Key__c\n{}", keys.concat())
}

fn things(operation: &str) -> Value {
    let mut settings = json!({ "object": "Thing__c", "operation": operation, "contentType": "CSV" });
    if operation == "upsert" {
        settings["externalIdFieldName"] = json!("Key__c");
    }
    settings
}

/// Makes a query job and gives its id.
fn ask(client: &Client, soql: &str) -> String {
    let answer = client.post(&data("/jobs/query"), &json!({ "operation": "query", "query": soql }));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Looks at a query job until it is over.
fn wait(client: &Client, job: &str) -> Value {
    for _ in 0..100 {
        let info = client.get(&data(&format!("/jobs/query/{job}"))).json();
        if !["UploadComplete", "InProgress"].contains(&info["state"].as_str().unwrap()) {
            return info;
        }
    }
    panic!("{job} is never over");
}

/// An org with that many accounts, named A00, A01, … and a client.
fn accounts(count: usize) -> (MockOrg, Client) {
    let (org, client) = org();
    for number in 0..count {
        org.insert("Account", json!({ "Name": format!("A{number:02}"), "AnnualRevenue": number }));
    }
    (org, client)
}
