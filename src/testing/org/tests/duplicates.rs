//! Duplicate rules, and `Sforce-Duplicate-Rule-Header`.

use serde_json::json;

use super::{Answer, Client, MockOrg, Value, code, data, org, refused, row_codes, typed};
use crate::testing::org::DuplicateAction;

fn lead(email: &str) -> Value {
    json!({"LastName": "A", "Company": "B", "Email": email})
}

/// An org with a rule for leads and a lead `a@example.com`.
fn ruled(action: DuplicateAction) -> (MockOrg, Client, String) {
    let (org, client) = org();
    let first = org.insert("Lead", lead("a@example.com"));
    org.enable_duplicate_rule("Lead", action);
    (org, client, first)
}

fn send(client: &Client, method: &str, path: &str, header: &str, body: &Value) -> Answer {
    let headers = [("Content-Type", "application/json"), ("Sforce-Duplicate-Rule-Header", header)];
    client.send(method, path, &headers, &body.to_string()).unwrap()
}

const DETECTED: &str = "DUPLICATES_DETECTED";

#[test]
fn creates_updates_and_upserts_meet_the_rule() {
    let (org, client, first) = ruled(DuplicateAction::Alert);
    org.add_field("Lead", crate::testing::org::FieldSpec::text("Key__c", 20).external_id());
    let other = org.insert("Lead", lead("b@example.com"));
    let twin = lead("A@example.com");
    let by_id = data(&format!("/sobjects/Lead/{other}"));
    for (method, path, good) in [
        ("POST", data("/sobjects/Lead"), 201),
        ("PATCH", by_id, 204),
        ("PATCH", data("/sobjects/Lead/Key__c/new"), 201),
    ] {
        let refusal = send(&client, method, &path, "", &twin);
        assert_eq!(code(&refusal), refused(400, DETECTED), "{method} {path}");
        let finding = &refusal.json()[0]["duplicateResut"];
        assert_eq!(finding["duplicateRuleEntityType"], json!("Lead"));
        let record = &finding["matchResults"][0]["matchRecords"][0]["record"];
        let url = data(&format!("/sobjects/Lead/{first}"));
        assert_eq!(record, &json!({"attributes": {"type": "Lead", "url": url}, "Id": first}), "{method} {path}");
        let allowed = send(&client, method, &path, "runAsCurrentUser=true; allowSave=TRUE", &twin);
        assert_eq!(allowed.status, good, "{method} {path}: {}", allowed.body);
    }
    assert_eq!(code(&send(&client, "POST", &data("/sobjects/Lead"), "allowSave=false", &twin)), refused(400, DETECTED));
    let old = "/services/data/v51.0/sobjects/Lead";
    assert_eq!(code(&send(&client, "POST", old, "allowSave=true", &twin)), refused(400, DETECTED), "52.0 on");
}

#[test]
fn details_are_the_fields_that_the_user_sees() {
    let (_org, client, first) = ruled(DuplicateAction::Block);
    let header = "allowSave=true; includeRecordDetails=true";
    let refusal = send(&client, "POST", &data("/sobjects/Lead"), header, &lead("a@example.com"));
    assert_eq!(code(&refusal), refused(400, DETECTED), "a block rule is never passed");
    let finding = &refusal.json()[0]["duplicateResut"];
    assert_eq!(finding["allowSave"], json!(false));
    let record = &finding["matchResults"][0]["matchRecords"][0]["record"];
    assert_eq!((&record["Id"], &record["Company"]), (&json!(first), &json!("B")));
    assert_eq!(record["Email"], json!("a@example.com"));
}

#[test]
fn the_finding_may_be_spelt_in_two_ways() {
    let (org, client, _) = ruled(DuplicateAction::Alert);
    org.spell_duplicate_result(true);
    let refusal = send(&client, "POST", &data("/sobjects/Lead"), "", &lead("a@example.com")).json();
    assert!(refusal[0]["duplicateResult"].is_object() && refusal[0].get("duplicateResut").is_none());
    org.spell_duplicate_result(false);
    let refusal = send(&client, "POST", &data("/sobjects/Lead"), "", &lead("a@example.com")).json();
    assert!(refusal[0]["duplicateResut"].is_object());
}

#[test]
fn rows_of_a_collection_have_the_words_and_no_matches() {
    let (org, client, _) = ruled(DuplicateAction::Alert);
    let body = json!({"records": [typed("Lead", lead("a@example.com")), typed("Lead", lead("new@example.com"))]});
    let answer = send(&client, "POST", &data("/composite/sobjects"), "", &body);
    assert_eq!(row_codes(&answer), [DETECTED, ""]);
    let error = json!({"statusCode": DETECTED, "message": "Use one of these records?", "fields": []});
    assert_eq!(answer.json()[0], json!({"success": false, "errors": [error]}));
    assert_eq!(row_codes(&send(&client, "POST", &data("/composite/sobjects"), "allowSave=true", &body)), ["", ""]);
    assert_eq!(org.count("Lead"), 4);
}

#[test]
fn inside_a_composite_the_header_is_the_requests_own() {
    let (org, client, _) = ruled(DuplicateAction::Alert);
    let mut request =
        json!({"method": "POST", "url": data("/sobjects/Lead"), "referenceId": "a", "body": lead("a@example.com")});
    let outer = send(&client, "POST", &data("/composite"), "allowSave=true", &json!({"compositeRequest": [request]}));
    let body = &outer.json()["compositeResponse"][0]["body"];
    assert_eq!(body[0]["errorCode"], json!(DETECTED));
    assert!(body[0]["duplicateResut"]["matchResults"].is_array());
    request["httpHeaders"] = json!({"Sforce-Duplicate-Rule-Header": "allowSave=true", "Sforce-Auto-Assign": "FALSE"});
    let inner = client.post(&data("/composite"), &json!({"compositeRequest": [request]}));
    assert_eq!(inner.json()["compositeResponse"][0]["httpStatusCode"], json!(201));
    let logged = org.requests().last().unwrap().subrequests[0].headers.clone();
    assert!(logged.contains(&("sforce-auto-assign".to_owned(), "FALSE".to_owned())), "{logged:?}");
}
