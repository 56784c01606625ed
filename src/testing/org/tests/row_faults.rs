//! Faults that happen to rows, alone and inside other requests, and limits in Salesforce's words.

use serde_json::json;

use super::{Value, code, data, error, org, refused, row_codes, typed};
use crate::testing::org::Operation;

const LOCKED: &str = "UNABLE_TO_LOCK_ROW";
const GOVERNOR: &str = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY";

fn records(count: usize) -> Value {
    json!({"records": (0..count).map(|n| typed("Account", json!({"Name": n.to_string()}))).collect::<Vec<_>>()})
}

fn collection(reference: &str, count: usize) -> Value {
    json!({"method": "POST", "url": data("/composite/sobjects"), "referenceId": reference, "body": records(count)})
}

fn create(reference: &str) -> Value {
    json!({"method": "POST", "url": data("/sobjects/Account"), "referenceId": reference, "body": {"Name": reference}})
}

/// `statusCode` of the rows of a sub-request that is a collection.
fn inner_codes(composite: &Value, place: usize) -> Vec<String> {
    let rows = composite["compositeResponse"][place]["body"].as_array().unwrap().clone();
    rows.iter().map(|row| row["errors"][0]["statusCode"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_governor_limit_passes_smaller_requests() {
    let (org, client) = org();
    org.faults().on(Operation::CollectionsCreate).governor_limit(2, "Too many SOQL queries: 101").always();
    let answer = client.post(&data("/composite/sobjects"), &records(3));
    assert_eq!(row_codes(&answer), [GOVERNOR; 3]);
    let text = "MockTrigger: System.LimitException: Too many SOQL queries: 101";
    assert_eq!(answer.json()[0]["errors"][0]["message"], json!(text));
    assert_eq!(org.count("Account"), 0);
    assert_eq!(row_codes(&client.post(&data("/composite/sobjects"), &records(2))), ["", ""]);
    org.faults().on(Operation::SObjectCreate).governor_limit(0, "Apex CPU time limit exceeded").once();
    assert_eq!(code(&client.post(&data("/sobjects/Account"), &json!({"Name": "A"}))), refused(400, GOVERNOR));
}

#[test]
fn rows_are_refused_with_any_error() {
    let (org, client) = org();
    let second = |place: usize, row: &Value| place == 1 && row["Name"] == "1";
    org.faults().on(Operation::CollectionsCreate).refuse_rows("LIMIT_EXCEEDED", "too much", second).once();
    assert_eq!(row_codes(&client.post(&data("/composite/sobjects"), &records(3))), ["", "LIMIT_EXCEEDED", ""]);
    assert_eq!(org.count("Account"), 2);
}

#[test]
fn a_fault_of_a_composite_counts_all_its_rows() {
    let (org, client) = org();
    let body =
        json!({"collateSubrequests": false, "compositeRequest": [collection("a", 2), create("b"), collection("c", 2)]});
    let send = || client.post(&data("/composite"), &body).json();
    org.faults().on(Operation::Composite).lock_rows(|place, _| matches!(place, 1 | 2 | 4)).once();
    let answer = send();
    assert_eq!(
        (inner_codes(&answer, 0), inner_codes(&answer, 2)),
        (vec![String::new(), LOCKED.into()], vec![String::new(), LOCKED.into()])
    );
    assert_eq!(answer["compositeResponse"][1]["body"][0]["errorCode"], json!(LOCKED));
    assert_eq!(org.count("Account"), 2);
    org.faults().on(Operation::Composite).governor_limit(4, "Apex CPU time limit exceeded").once();
    let answer = send();
    assert_eq!(
        (inner_codes(&answer, 0), inner_codes(&answer, 2)),
        (vec![GOVERNOR.to_owned(); 2], vec![GOVERNOR.to_owned(); 2])
    );
    assert_eq!(org.count("Account"), 2);
    org.faults().on(Operation::Composite).governor_limit(5, "Apex CPU time limit exceeded").once();
    send();
    assert_eq!(org.count("Account"), 7);
}

#[test]
fn a_fault_of_what_is_inside_strikes_inside() {
    let (org, client) = org();
    let body =
        json!({"collateSubrequests": false, "compositeRequest": [collection("a", 2), collection("b", 2), create("c")]});
    let send = || client.post(&data("/composite"), &body).json();
    org.faults().on(Operation::CollectionsCreate).lock_every(2).after(1).once();
    let answer = send();
    assert_eq!(
        (inner_codes(&answer, 0), inner_codes(&answer, 1)),
        (vec![String::new(); 2], vec![String::new(), LOCKED.into()])
    );
    org.faults().clear();
    org.faults().on(Operation::SObjectCreate).error(503, "SERVER_UNAVAILABLE", "busy").once();
    org.faults().on(Operation::SObjectCreate).reset().always();
    let answer = send();
    assert_eq!(answer["compositeResponse"][2]["httpStatusCode"], json!(503));
    let answer = send();
    assert_eq!(
        answer["compositeResponse"][2]["httpStatusCode"],
        json!(201),
        "what is inside has no connection to reset"
    );
    assert!(client.send("POST", &data("/sobjects/Account"), &[], "{}").is_err());
}

#[test]
fn trees_graphs_and_batches_are_struck_too() {
    let (org, client) = org();
    let tree: Vec<Value> = (0..3)
        .map(|n| json!({"attributes": {"type": "Account", "referenceId": format!("r{n}")}, "Name": "A"}))
        .collect();
    org.faults().on(Operation::CompositeTree).lock_rows(|place, _| place == 1).once();
    let answer = client.post(&data("/composite/tree/Account"), &json!({"records": tree}));
    assert_eq!((answer.status, &answer.json()["results"][0]["referenceId"]), (400, &json!("r1")));
    let graph = |id: &str, nodes: Value| json!({"graphId": id, "compositeRequest": nodes});
    let graphs =
        json!({"graphs": [graph("one", json!([create("a")])), graph("two", json!([create("a"), create("b")]))]});
    org.faults().on(Operation::CompositeGraph).governor_limit(1, "Too many SOQL queries: 101").once();
    let answer = client.post(&data("/composite/graph"), &graphs).json();
    assert_eq!(
        (&answer["graphs"][0]["isSuccessful"], &answer["graphs"][1]["isSuccessful"]),
        (&json!(true), &json!(false))
    );
    let batch = json!({"method": "POST", "url": "v63.0/sobjects/Account", "richInput": {"Name": "A"}});
    org.faults().on(Operation::CompositeBatch).lock_every(2).once();
    let answer = client.post(&data("/composite/batch"), &json!({"batchRequests": [batch, batch, batch]})).json();
    let statuses: Vec<&Value> = answer["results"].as_array().unwrap().iter().map(|one| &one["statusCode"]).collect();
    assert_eq!(statuses, [201, 400, 201]);
    assert_eq!(org.count("Account"), 3);
}

#[test]
fn limits_of_calls_have_salesforces_words() {
    let (org, client) = org();
    let limited = |text: &str| (403, "REQUEST_LIMIT_EXCEEDED".to_owned(), text.to_owned());
    let send = || client.post(&data("/composite"), &json!({"compositeRequest": [create("a")]}));
    org.faults().on(Operation::Composite).concurrent_limit().once();
    assert_eq!(error(&send()), limited("ConcurrentPerOrgLongTxn Limit exceeded."));
    org.faults().on(Operation::Composite).daily_limit().once();
    assert_eq!(error(&send()), limited("TotalRequests Limit exceeded."));
    org.faults().on(Operation::Composite).status(429).retry_after(1).once();
    assert_eq!((send().status, org.count("Account")), (429, 0));
    org.faults().on(Operation::Composite).apply_then_reset().once();
    assert!(
        client
            .send(
                "POST",
                &data("/composite"),
                &[("Content-Type", "application/json")],
                &json!({"compositeRequest": [create("a")]}).to_string()
            )
            .is_err()
    );
    assert_eq!(org.count("Account"), 1, "it was carried out");
}
