//! Versions, limits, gates, and what the builder sets.

use std::time::Duration;

use serde_json::json;

use super::super::Operation;
use super::{Client, FieldSpec, MockOrg, ObjectSpec, code, data, error, org, refused};

#[test]
fn versions_need_no_login_and_cost_nothing() {
    let (org, client) = org();
    let answer = client.with_authorization(None).get("/services/data/");
    assert_eq!((answer.status, answer.header("sforce-limit-info")), (200, None));
    let versions = answer.json();
    assert_eq!(versions.as_array().unwrap().len(), 36);
    assert_eq!(versions[0], json!({"label": "Summer '14", "url": "/services/data/v31.0", "version": "31.0"}));
    assert_eq!(versions[35]["label"], "Spring '26");
    assert_eq!(org.api_calls(), 0);
}

#[test]
fn retired_versions_are_gone_and_others_unknown() {
    let (_org, client) = org();
    assert_eq!(code(&client.get("/services/data/v30.0/limits")), refused(410, "GONE"));
    assert_eq!(code(&client.get("/services/data/v67.0/limits")), refused(404, "NOT_FOUND"));
    assert_eq!(code(&client.get("/services/data/latest/limits")), refused(404, "NOT_FOUND"));
    assert_eq!(client.get("/services/data/v31.0/limits").status, 200);
}

#[test]
fn calls_are_counted_and_run_out() {
    let (org, client) = org();
    let resources = client.get("/services/data/v63.0");
    assert_eq!(resources.header("sforce-limit-info"), Some("api-usage=1/15000"));
    assert_eq!(resources.json()["sobjects"], "/services/data/v63.0/sobjects");
    let limits = client.get(&data("/limits")).json();
    assert_eq!(limits["DailyApiRequests"], json!({"Max": 15000, "Remaining": 14998}));
    org.set_daily_limit(3);
    assert_eq!(client.get(&data("/sobjects/Nope")).status, 404, "a refusal counts as well");
    let refusal = client.get(&data("/limits"));
    let text = "TotalRequests Limit exceeded.".to_owned();
    assert_eq!(error(&refusal), (403, "REQUEST_LIMIT_EXCEEDED".to_owned(), text));
    assert_eq!(refusal.header("retry-after"), None);
    assert_eq!(org.api_calls(), 3);
    org.set_daily_limit(4);
    org.advance(Duration::from_hours(1));
    assert_eq!(client.get(&data("/limits")).status, 200);
}

#[test]
fn the_api_can_be_switched_off() {
    let (org, client) = org();
    org.disable_api();
    assert_eq!(code(&client.get(&data("/limits"))), refused(403, "API_DISABLED_FOR_ORG"));
    org.disable_api_for_user();
    assert_eq!(code(&client.get(&data("/limits"))), refused(403, "API_CURRENTLY_DISABLED"));
    org.enable_api();
    assert_eq!(client.get(&data("/limits")).status, 200);
}

#[test]
fn record_counts_leave_empty_objects_out() {
    let (org, client) = org();
    org.insert("Account", json!({"Name": "A"}));
    let body = client.get(&data("/limits/recordCount?sObjects=Contact,Account")).json();
    assert_eq!(body, json!({"sObjects": [{"count": 1, "name": "Account"}]}));
}

#[test]
fn requests_can_be_looked_at_afterwards() {
    let (org, client) = org();
    client.send("GET", &data("/sobjects"), &[("Sforce-Call-Options", "client=test")], "").unwrap();
    client.get("/nonsense");
    let seen = org.requests();
    assert_eq!((seen[0].operation, seen[0].status), (Some(Operation::DescribeGlobal), Some(200)));
    assert_eq!(seen[0].headers, [("sforce-call-options".to_owned(), "client=test".to_owned())]);
    assert_eq!((seen[1].operation, seen[1].status, seen[1].path.as_str()), (None, Some(404), "/nonsense"));
    assert_eq!(org.calls(Operation::DescribeGlobal), 1);
}

#[test]
fn objects_and_fields_come_and_go() {
    let (org, client) = org();
    org.add_field("Contact", FieldSpec::text("Navattic_Key__c", 40).unique().external_id());
    assert_eq!(client.patch(&data("/sobjects/Contact/Navattic_Key__c/k"), &json!({"LastName": "A"})).status, 201);
    org.lock_field("Contact", "Navattic_Key__c");
    let locked = client.post(&data("/sobjects/Contact"), &json!({"LastName": "A", "Navattic_Key__c": "x"}));
    assert_eq!(code(&locked), refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE"));
    org.remove_field("Contact", "Navattic_Key__c");
    let gone = client.post(&data("/sobjects/Contact"), &json!({"LastName": "A", "Navattic_Key__c": "x"}));
    assert_eq!(code(&gone), refused(400, "INVALID_FIELD"));
    let numbered = ObjectSpec::new("Ticket__c")
        .name_auto_number("T-{0000}")
        .field(FieldSpec::master_detail("Contact__c", "Contact"));
    org.add_object(numbered);
    let contact = org.insert("Contact", json!({"LastName": "B"}));
    let ticket = org.insert("Ticket__c", json!({"Contact__c": contact}));
    assert_eq!(org.record(&ticket).unwrap()["Name"], "T-0001");
    assert!(ticket.starts_with("a02"), "the third custom object: {ticket}");
    let named = client.post(&data("/sobjects/Ticket__c"), &json!({"Contact__c": contact, "Name": "x"}));
    assert_eq!(code(&named), refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE"));
}

#[test]
fn the_session_object_is_as_agreed() {
    let org = MockOrg::builder().engagement_session("Navattic_").start();
    let client = Client::of(&org);
    let body = client.get(&data("/sobjects/Navattic_Session__c/describe")).json();
    assert_eq!(
        (&body["label"], &body["custom"], &body["keyPrefix"]),
        (&json!("Navattic Session"), &json!(true), &json!("a00"))
    );
    let fields = body["fields"].as_array().unwrap();
    let field = |name: &str| fields.iter().find(|field| field["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    let key = field("Navattic_Session_Key__c");
    for flag in ["unique", "externalId", "caseSensitive", "idLookup"] {
        assert_eq!(key[flag], json!(true), "{flag}");
    }
    assert_eq!((&key["type"], &key["length"], &key["byteLength"]), (&json!("string"), &json!(80), &json!(240)));
    let minutes = field("Navattic_Duration_Minutes__c");
    assert_eq!((&minutes["type"], &minutes["precision"], &minutes["scale"]), (&json!("double"), &json!(18), &json!(3)));
    assert_eq!(field("Navattic_Steps_Viewed__c")["scale"], json!(0));
    assert_eq!(field("Navattic_Started_At__c")["type"], "datetime");
    let name = field("Name");
    assert_eq!((&name["nillable"], &name["length"], &name["nameField"]), (&json!(false), &json!(80), &json!(true)));
    for text in [
        "Full_Name",
        "Email",
        "Demos",
        "Flows",
        "Very_Interested_Areas",
        "Somewhat_Interested_Areas",
        "Not_Interested_Areas",
    ] {
        assert_eq!(field(&format!("Navattic_{text}__c"))["length"], json!(255), "{text}");
    }
}

#[test]
fn a_chunked_request_and_a_kept_connection_are_accepted() {
    let (org, client) = org();
    let head = format!("Authorization: Bearer {}\r\nHost: x\r\nContent-Type: application/json\r\n", org.access_token());
    let chunked = format!(
        "POST {} HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n8\r\n{{\"Name\":\r\n4\r\n\"A\"}}\r\n0\r\n\r\n\
         GET {} HTTP/1.1\r\n{head}Connection: close\r\n\r\n",
        data("/sobjects/Account/"),
        data("/sobjects/Account/")
    );
    let answer = client.raw(&chunked);
    assert!(answer.is_err(), "two answers on one connection: more bytes than the first announced");
    assert_eq!((org.count("Account"), org.requests().len()), (1, 2));
}

#[test]
fn the_org_stops_when_dropped() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    assert_eq!(client.get("/services/data").status, 200);
    drop(org);
    assert!(client.send("GET", "/services/data", &[], "").is_err());
}
