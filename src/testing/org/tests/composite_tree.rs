//! `/composite/tree/<object>`.

use serde_json::json;

use super::{Answer, Value, code, data, org, refused};

fn node(kind: &str, reference: &str, fields: &Value) -> Value {
    let mut record = json!({"attributes": {"type": kind, "referenceId": reference}});
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    record
}

/// Reference ids and codes of the errors of an answer.
fn failures(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!((answer.status, &answer.json()["hasErrors"]), (400, &json!(true)), "{}", answer.body);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |result: &Value| (text(&result["referenceId"]), text(&result["errors"][0]["statusCode"]));
    answer.json()["results"].as_array().unwrap().iter().map(of).collect()
}

fn one(reference: &str, code: &str) -> Vec<(String, String)> {
    vec![(reference.to_owned(), code.to_owned())]
}

#[test]
fn children_are_created_with_their_parents_level_by_level() {
    let (org, client) = org();
    let contact = |reference: &str, name: &str| node("Contact", reference, &json!({"LastName": name}));
    let records = json!([
        node(
            "Account",
            "ref1",
            &json!({"Name": "A", "Contacts": {"records": [contact("ref2", "Smith"), contact("ref3", "Evans")]}})
        ),
        node("account", "ref4", &json!({"Name": "B"})),
    ]);
    let before = org.api_calls();
    let answer = client.post(&data("/composite/tree/Account/"), &json!({"records": records}));
    assert_eq!((answer.status, org.api_calls() - before), (201, 1), "{}", answer.body);
    let results = answer.json()["results"].as_array().unwrap().clone();
    let references: Vec<&Value> = results.iter().map(|result| &result["referenceId"]).collect();
    assert_eq!(references, ["ref1", "ref4", "ref2", "ref3"]);
    assert_eq!(answer.json()["hasErrors"], json!(false));
    let contacts = org.records("Contact");
    assert_eq!(contacts.len(), 2);
    assert!(contacts.iter().all(|contact| contact["AccountId"] == results[0]["id"]));
}

#[test]
fn one_error_creates_nothing_and_names_the_records_at_fault() {
    let (org, client) = org();
    let bad = |reference: &str| node("Contact", reference, &json!({"FirstName": "no last name"}));
    let good = |reference: &str| node("Contact", reference, &json!({"LastName": "x"}));
    let children = json!({"records": [good("c1"), bad("c2"), good("c3"), bad("c4")]});
    let records = json!([node("Account", "a", &json!({"Name": "A", "Contacts": children}))]);
    let answer = client.post(&data("/composite/tree/Account"), &json!({"records": records}));
    let missing = "REQUIRED_FIELD_MISSING".to_owned();
    assert_eq!(failures(&answer), [("c2".to_owned(), missing.clone()), ("c4".to_owned(), missing)]);
    assert_eq!(answer.json()["results"][0]["errors"][0]["fields"], json!(["LastName"]));
    assert_eq!((org.count("Account"), org.count("Contact")), (0, 0));
}

#[test]
fn a_tree_that_is_not_sound_is_refused() {
    let (org, client) = org();
    let send = |records: Value| client.post(&data("/composite/tree/Account"), &json!({"records": records}));
    let account = |reference: &str| node("Account", reference, &json!({"Name": "A"}));
    assert_eq!(code(&send(json!([]))), refused(400, "REQUIRED_FIELD_MISSING"));
    assert_eq!(code(&client.post(&data("/composite/tree/Nope"), &json!({}))), refused(404, "NOT_FOUND"));
    assert_eq!(failures(&send(json!([account("a"), account("b"), account("a")]))), one("a", "INVALID_INPUT"));
    assert_eq!(failures(&send(json!([{"attributes": {"type": "Account"}, "Name": "A"}]))), one("", "INVALID_INPUT"));
    assert_eq!(failures(&send(json!([node("Contact", "c", &json!({}))]))), one("c", "INVALID_INPUT"));
    let stranger = node("Account", "a", &json!({"Name": "A", "Nopes": {"records": []}}));
    assert_eq!(failures(&send(json!([stranger]))), one("a", "INVALID_FIELD"));
    let many = |count: usize| (0..count).map(|n| account(&format!("r{n}"))).collect::<Vec<_>>();
    assert_eq!(failures(&send(json!(many(201)))), one("r200", "INVALID_INPUT"));
    assert_eq!(org.count("Account"), 0);
    assert_eq!(send(json!(many(200))).status, 201);
    assert_eq!(org.count("Account"), 200);
}

#[test]
fn a_tree_is_five_levels_deep_at_most() {
    let (org, client) = org();
    let parent = crate::testing::org::FieldSpec::lookup("Up__c", "Thing__c").children("Downs__r");
    org.add_field("Thing__c", parent);
    let deep = |levels: usize| {
        (0..levels).rev().fold(Value::Null, |below, level| {
            let fields = if below == Value::Null { json!({}) } else { json!({"Downs__r": {"records": [below]}}) };
            node("Thing__c", &format!("level{level}"), &fields)
        })
    };
    let send = |levels: usize| client.post(&data("/composite/tree/Thing__c"), &json!({"records": [deep(levels)]}));
    assert_eq!(failures(&send(6)), one("level5", "INVALID_INPUT"));
    assert_eq!(org.count("Thing__c"), 0);
    assert_eq!(send(5).status, 201);
    assert_eq!(org.count("Thing__c"), 5);
}
