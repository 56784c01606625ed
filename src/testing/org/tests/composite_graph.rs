//! `/composite/graph`.

use serde_json::json;

use super::{Answer, Client, Value, code, data, org, refused};

#[expect(clippy::needless_pass_by_value, reason = "bodies are written in place")]
fn node(object: &str, reference: &str, body: Value) -> Value {
    json!({"method": "POST", "url": data(&format!("/sobjects/{object}")), "referenceId": reference, "body": body})
}

fn graph(id: &str, nodes: &[Value]) -> Value {
    json!({"graphId": id, "compositeRequest": nodes})
}

fn send(client: &Client, graphs: &[Value]) -> Answer {
    client.post(&data("/composite/graph"), &json!({"graphs": graphs}))
}

fn successes(answer: &Answer) -> Vec<bool> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["graphs"].as_array().unwrap().iter().map(|graph| graph["isSuccessful"].as_bool().unwrap()).collect()
}

#[test]
fn each_graph_is_all_or_nothing_and_none_hangs_on_another() {
    let (org, client) = org();
    let family = |id: &str, last_name: Value| {
        let child = node("Contact", "c", json!({"LastName": last_name, "AccountId": "@{a.id}"}));
        graph(id, &[node("Account", "a", json!({"Name": id})), child])
    };
    let before = org.api_calls();
    let answer = send(&client, &[family("1", json!("A")), family("2", Value::Null), family("3", json!("C"))]);
    assert_eq!(successes(&answer), [true, false, true]);
    assert_eq!((org.count("Account"), org.count("Contact"), org.api_calls() - before), (2, 2, 1));
    let failed = &answer.json()["graphs"][1];
    let part = |place: usize| failed["graphResponse"]["compositeResponse"][place]["body"][0]["errorCode"].clone();
    assert_eq!((part(0), part(1)), (json!("PROCESSING_HALTED"), json!("REQUIRED_FIELD_MISSING")));
    assert_eq!(failed["graphId"], json!("2"));
}

#[test]
fn after_fourteen_failures_the_rest_is_halted() {
    let (org, client) = org();
    let bad = |number: usize| graph(&format!("bad{number}"), &[node("Account", "a", json!({}))]);
    let good = |id: &str| graph(id, &[node("Account", "a", json!({"Name": "A"}))]);
    let with = |failures: usize| -> Vec<Value> { (0..failures).map(bad).chain([good("last")]).collect() };
    assert_eq!(successes(&send(&client, &with(13))).last(), Some(&true));
    let answer = send(&client, &with(14));
    assert_eq!(successes(&answer).last(), Some(&false));
    let last = &answer.json()["graphs"][14]["graphResponse"]["compositeResponse"][0]["body"][0];
    assert_eq!((&last["errorCode"], org.count("Account")), (&json!("PROCESSING_HALTED"), 1));
}

#[test]
fn limits_of_graphs_hold_for_the_whole_request() {
    let (org, client) = org();
    let account = |number: usize| node("Account", &format!("r{number}"), json!({"Name": "A"}));
    let accounts = |count: usize| (0..count).map(account).collect::<Vec<_>>();
    let limit = refused(400, "LIMIT_EXCEEDED");
    let graphs = |count: usize| (0..count).map(|n| graph(&format!("g{n}"), &accounts(1))).collect::<Vec<_>>();
    assert_eq!(code(&send(&client, &graphs(76))), limit);
    assert_eq!(code(&send(&client, &[graph("a", &accounts(501))])), limit);
    assert_eq!(code(&send(&client, &[graph("a", &accounts(250)), graph("b", &accounts(251))])), limit);
    let chain = |length: usize| {
        let link = |n: usize| match n {
            0 => node("Thing__c", "r0", json!({})),
            _ => node("Thing__c", &format!("r{n}"), json!({"Parent__c": format!("@{{r{}.id}}", n - 1)})),
        };
        graph("chain", &(0..length).map(link).collect::<Vec<_>>())
    };
    assert_eq!(code(&send(&client, &[chain(16)])), limit);
    let different = |count: usize| {
        let at = |n: usize| {
            let url = format!("/services/data/v{}.0/sobjects/Account", 50 + n);
            json!({"method": "POST", "url": url, "referenceId": format!("r{n}"), "body": {"Name": "A"}})
        };
        graph("different", &(0..count).map(at).collect::<Vec<_>>())
    };
    assert_eq!(code(&send(&client, &[different(16)])), limit);
    let input = refused(400, "INVALID_INPUT");
    for id in ["", "a.b", "_a", &"x".repeat(40)] {
        assert_eq!(code(&send(&client, &[graph(id, &accounts(1))])), input, "{id}");
    }
    assert_eq!(code(&send(&client, &[graph("a", &accounts(1)), graph("a", &accounts(1))])), input);
    assert_eq!(code(&send(&client, &[])), input);
    for (method, path) in [
        ("GET", "/query?q=SELECT+Id+FROM+Account"),
        ("GET", "/sobjects/Account/describe"),
        ("GET", "/sobjects/Account"),
        ("POST", "/composite/sobjects"),
        ("POST", "/sobjects/Account/Id"),
    ] {
        let node = json!({"method": method, "url": data(path), "referenceId": "a"});
        assert_eq!(code(&send(&client, &[graph("a", &[node])])), input, "{method} {path}");
    }
    assert_eq!((org.count("Account"), org.count("Thing__c")), (0, 0));
    assert_eq!(successes(&send(&client, &[graph("a", &accounts(485)), chain(15)])), [true, true]);
    assert_eq!(successes(&send(&client, &[different(15)])), [true]);
    assert_eq!(successes(&send(&client, &graphs(75))), [true; 75]);
}

#[test]
fn rows_by_id_and_by_key_are_allowed() {
    let (org, client) = org();
    let thing = org.insert("Thing__c", json!({"Key__c": "k"}));
    let request = |method: &str, path: &str, reference: &str, body: Value| json!({"method": method, "url": data(path), "referenceId": reference, "body": body});
    let nodes = [
        request("PATCH", "/sobjects/Thing__c/Key__c/new", "upsert", json!({"Flag__c": true})),
        request("GET", "/sobjects/Thing__c/@{upsert.id}", "get", Value::Null),
        request("DELETE", &format!("/sobjects/Thing__c/{thing}"), "delete", Value::Null),
    ];
    let answer = send(&client, &[graph("rows", &nodes)]);
    assert_eq!(successes(&answer), [true], "{}", answer.body);
    assert_eq!(org.records("Thing__c").len(), 1);
}
