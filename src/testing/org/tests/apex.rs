//! Apex REST methods that a test writes.

use serde_json::{Value, json};

use super::super::Operation;
use super::{Client, MockOrg, code, error, refused};

#[test]
fn a_method_gets_the_request_and_its_answer_goes_out() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let user = org.user_id();
    org.on_apex("POST", "/sessions/*", move |request| {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/sessions/a%20b"));
        assert_eq!(request.query, [("q".to_owned(), "x y".to_owned())]);
        assert!(request.headers.iter().any(|(name, value)| name == "x-mine" && value == "1"));
        assert!(request.headers.iter().all(|(name, _)| name != "authorization"));
        (201, json!({"got": request.json(), "user": request.user == user}))
    });
    let headers = [("Content-Type", "application/json"), ("X-Mine", "1")];
    let answer = client.send("POST", "/services/apexrest/sessions/a%20b?q=x+y", &headers, r#"{"n":1}"#).unwrap();
    assert_eq!((answer.status, answer.json()), (201, json!({"got": {"n": 1}, "user": true})));
    assert_eq!((org.calls(Operation::ApexRest), org.api_calls()), (1, 1), "it costs a call");
    assert_eq!(answer.header("sforce-limit-info"), Some("api-usage=1/15000"));
}

#[test]
fn paths_match_exactly_or_by_their_beginning_and_the_closest_wins() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    for (path, name) in [("/a/*", "a"), ("/a/b/*", "ab"), ("/a/b", "exact")] {
        org.on_apex("GET", path, move |_| (200, json!(name)));
    }
    let get = |path: &str| client.get(&format!("/services/apexrest{path}"));
    for (path, name) in [("/a/x", "a"), ("/a", "a"), ("/a/b/c/d", "ab"), ("/a/b", "exact"), ("/a/b/", "exact")] {
        assert_eq!(get(path).json(), json!(name), "{path}");
    }
    let text = "Could not find a match for URL /A/x".to_owned();
    assert_eq!(error(&get("/A/x")), (404, "NOT_FOUND".to_owned(), text), "case counts");
    assert_eq!(code(&get("")), refused(404, "NOT_FOUND"));
    let wrong = client.delete("/services/apexrest/a/x");
    assert_eq!(code(&wrong), refused(405, "METHOD_NOT_ALLOWED"));
    org.on_apex("GET", "/a/*", |_| (204, Value::Null));
    assert_eq!((get("/a/x").status, get("/a/x").body), (204, String::new()), "deployed again");
}

#[test]
fn the_gates_of_the_api_stand_before_apex_too() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.on_apex("GET", "/a", |_| (200, json!(1)));
    let get = |client: &Client| client.get("/services/apexrest/a");
    assert_eq!(code(&get(&client.with_authorization(None))), refused(401, "INVALID_SESSION_ID"));
    org.set_daily_limit(0);
    assert_eq!(code(&get(&client)), refused(403, "REQUEST_LIMIT_EXCEEDED"));
    org.set_daily_limit(10);
    org.disable_api();
    assert_eq!(code(&get(&client)), refused(403, "API_DISABLED_FOR_ORG"));
    org.enable_api();
    org.faults().on(Operation::ApexRest).status(503).once();
    assert_eq!((get(&client).status, get(&client).status), (503, 200));
}
