//! `/composite/batch`.

use serde_json::json;

use super::{Answer, Value, code, data, org, refused};

fn statuses(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["results"].as_array().unwrap().iter().map(|result| result["statusCode"].as_u64().unwrap()).collect()
}

fn request(method: &str, url: &str, body: Value) -> Value {
    let mut request = json!({"method": method, "url": format!("v63.0{url}")});
    if body != Value::Null {
        request["richInput"] = body;
    }
    request
}

#[test]
fn each_request_stands_for_itself_and_counts() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "A"}));
    let path = format!("/sobjects/account/{account}");
    let before = org.api_calls();
    let body = json!({"batchRequests": [
        request("PATCH", &path, json!({"Name": "B"})),
        request("Get", &format!("{path}?fields=Name"), Value::Null),
        request("POST", "/sobjects/Contact", json!({})),
        request("POST", "/sobjects/Contact", json!({"LastName": "C"})),
        request("POST", "/composite/sobjects", json!({"records": []})),
    ]});
    let answer = client.post(&data("/composite/batch"), &body);
    assert_eq!(statuses(&answer), [204, 200, 400, 201, 404]);
    let answered = answer.json();
    assert_eq!((&answered["hasErrors"], &answered["results"][0]["result"]), (&json!(true), &Value::Null));
    assert_eq!(answered["results"][1]["result"]["Name"], json!("B"), "what was committed is seen");
    assert_eq!(answered["results"][2]["result"][0]["errorCode"], json!("REQUIRED_FIELD_MISSING"));
    assert_eq!((org.count("Contact"), org.api_calls() - before), (1, 5));
    let good = json!({"batchRequests": [request("GET", "/limits", Value::Null)]});
    assert_eq!(client.post(&data("/composite/batch"), &good).json()["hasErrors"], json!(false));
}

#[test]
fn a_halted_batch_answers_412_for_the_rest() {
    let (org, client) = org();
    let create = |name: &str| request("POST", "/sobjects/Account", json!({"Name": name}));
    let bad = request("POST", "/sobjects/Account", json!({}));
    let body = |halt: bool| json!({"haltOnError": halt, "batchRequests": [create("A"), bad, create("B"), create("C")]});
    let before = org.api_calls();
    let answer = client.post(&data("/composite/batch"), &body(true));
    assert_eq!(statuses(&answer), [201, 400, 412, 412]);
    assert_eq!(answer.json()["results"][2]["result"][0]["errorCode"], json!("BATCH_PROCESSING_HALTED"));
    assert_eq!((org.count("Account"), org.api_calls() - before), (1, 2));
    assert_eq!(statuses(&client.post(&data("/composite/batch"), &body(false))), [201, 400, 201, 201]);
}

#[test]
fn a_batch_that_cannot_be_read_is_refused_as_a_whole() {
    let (org, client) = org();
    let good = request("POST", "/sobjects/Account", json!({"Name": "A"}));
    let send = |second: Value| code(&client.post(&data("/composite/batch"), &json!({"batchRequests": [good, second]})));
    let url = |url: &str| json!({"method": "GET", "url": url});
    for second in [
        url("v33.0/limits"),
        url("v64.0/limits"),
        url("/services/data/v63.0/limits"),
        url(""),
        json!({"method": "FETCH", "url": "v63.0/limits"}),
        json!({"url": "v63.0/limits"}),
        json!(1),
    ] {
        assert_eq!(send(second.clone()), refused(400, "JSON_PARSER_ERROR"), "{second}");
    }
    let many = |count: usize| json!({"batchRequests": vec![good.clone(); count]});
    for count in [0, 26] {
        assert_eq!(code(&client.post(&data("/composite/batch"), &many(count))), refused(400, "LIMIT_EXCEEDED"));
    }
    assert_eq!(org.count("Account"), 0);
    assert_eq!(statuses(&client.post(&data("/composite/batch"), &many(25))), vec![201; 25]);
    let old = json!({"batchRequests": [url("v34.0/limits"), url("/v63.0/limits")]});
    assert_eq!(statuses(&client.post(&data("/composite/batch"), &old)), [200, 200]);
}

#[test]
fn calls_may_run_out_within_a_batch() {
    let (org, client) = org();
    org.set_daily_limit(org.api_calls() + 2);
    let requests = vec![request("GET", "/sobjects/Account", Value::Null); 3];
    let answer = client.post(&data("/composite/batch"), &json!({"batchRequests": requests}));
    assert_eq!(statuses(&answer), [200, 200, 403]);
    assert_eq!(answer.json()["results"][2]["result"][0]["errorCode"], json!("REQUEST_LIMIT_EXCEEDED"));
}
