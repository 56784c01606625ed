//! Single records and upserts.

use serde_json::json;

use super::super::DuplicateAction;
use super::{Value, code, data, error, org, refused};

fn id_of(answer: &super::Answer) -> String {
    answer.json()["id"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

#[test]
fn a_record_lives_from_create_to_delete() {
    let (org, client) = org();
    let created =
        client.post(&data("/sobjects/Account/"), &json!({"Name": "  Acme ", "BillingCity": "Bonn", "Site": " "}));
    let id = id_of(&created);
    assert_eq!((created.status, created.body), (201, format!(r#"{{"id":"{id}","success":true,"errors":[]}}"#)));
    let location = data(&format!("/sobjects/Account/{id}"));
    assert_eq!(created.headers.iter().find(|(name, _)| name == "location").unwrap().1, location);

    let read = client.get(&location);
    assert_eq!(read.status, 200);
    assert!(read.header("etag").is_some() && read.header("last-modified").is_some());
    let body = read.json();
    assert_eq!(body["attributes"], json!({"type": "Account", "url": location}));
    assert_eq!((&body["Name"], &body["Site"]), (&json!("Acme"), &Value::Null));
    assert_eq!(body["BillingAddress"]["city"], "Bonn");
    assert_eq!(body["OwnerId"], org.user_id());
    assert!(body["CreatedDate"].as_str().unwrap().ends_with(".000+0000"));

    let short = client.get(&data(&format!("/sobjects/account/{}?fields=Name,BillingCity", &id[..15])));
    assert_eq!(
        short.json(),
        json!({"attributes": body["attributes"], "Name": "Acme", "BillingCity": "Bonn", "Id": id})
    );

    let changed = client.patch(&location, &json!({"name": "Acme 2", "BillingCity": null}));
    assert_eq!((changed.status, changed.body.as_str(), changed.header("content-length")), (204, "", None));
    assert_eq!(org.record(&id).unwrap()["BillingCity"], Value::Null);

    assert_eq!(client.delete(&location).status, 204);
    assert_eq!((org.count("Account"), org.record(&id)), (0, None));
    let gone = client.delete(&location);
    assert_eq!(gone.body, r#"[{"message":"entity is deleted","errorCode":"ENTITY_IS_DELETED","fields":[]}]"#);
    assert_eq!(gone.status, 404);
    assert_eq!(code(&client.get(&location)), refused(404, "ENTITY_IS_DELETED"));
    assert_eq!(code(&client.patch(&location, &json!({"Name": "x"}))), refused(404, "ENTITY_IS_DELETED"));
}

#[test]
fn patch_may_travel_in_a_post() {
    let (org, client) = org();
    let id = org.insert("Account", json!({"Name": "Acme"}));
    assert_eq!(
        client.post(&data(&format!("/sobjects/Account/{id}?_HttpMethod=PATCH")), &json!({"Name": "B"})).status,
        204
    );
    assert_eq!(org.record(&id).unwrap()["Name"], "B");
}

#[test]
fn refusals_of_single_records_are_those_of_the_table() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "Acme"}));
    let contact = org.insert("Contact", json!({"LastName": "Ann"}));
    let missing = "001000000000000AAA";

    let wrong_type = client.get(&data(&format!("/sobjects/Contact/{account}")));
    let text = format!("Contact ID: id value of incorrect type: {account}");
    assert_eq!(error(&wrong_type), (400, "MALFORMED_ID".to_owned(), text));
    assert_eq!(wrong_type.json()[0]["fields"], json!(["Id"]));
    let unknown = client.get(&data(&format!("/sobjects/Account/{missing}")));
    assert_eq!(unknown.body, r#"[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]"#);
    for method in ["GET", "DELETE"] {
        let answer = client.send(method, &data("/sobjects/Account/null"), &[], "").unwrap();
        let text = "Provided external ID field does not exist or is not accessible: null".to_owned();
        assert_eq!(error(&answer), (404, "NOT_FOUND".to_owned(), text));
    }
    assert_eq!(code(&client.get(&data("/sobjects/Nothing__c/describe"))), refused(404, "NOT_FOUND"));
    assert_eq!(code(&client.post(&data("/sobjects/Nothing__c"), &json!({}))), refused(404, "NOT_FOUND"));
    assert_eq!(code(&client.get(&data("/sobjects/Account/x/y/z"))), refused(404, "NOT_FOUND"));

    let create = |object: &str, body: Value| client.post(&data(&format!("/sobjects/{object}")), &body);
    let required = create("Contact", json!({"FirstName": "Ann"}));
    assert_eq!(
        required.body,
        r#"[{"message":"Required fields are missing: [LastName]","errorCode":"REQUIRED_FIELD_MISSING","fields":["LastName"]}]"#
    );
    let column = create("Account", json!({"Name": "A", "AccountNumer": "1"}));
    assert_eq!(
        column.body,
        r#"[{"message":"No such column 'AccountNumer' on sobject of type Account","errorCode":"INVALID_FIELD"}]"#
    );
    let locked = create("Account", json!({"Name": "A", "MasterRecordId": account}));
    assert_eq!(code(&locked), refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE"));
    assert_eq!(locked.json()[0]["fields"], json!(["MasterRecordId"]));
    for body in [json!({"LastName": "A", "Name": "A"}), json!({"LastName": "A", "MailingAddress": "x"})] {
        let (status, code, _) = error(&create("Contact", body));
        assert!(status == 400 && ["INVALID_FIELD_FOR_INSERT_UPDATE", "JSON_PARSER_ERROR"].contains(&code.as_str()));
    }
    let cases = [
        (json!({"Mail__c": "ann"}), "INVALID_EMAIL_ADDRESS"),
        (json!({"Colour__c": "Blue"}), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (json!({"Tags__c": "a;c"}), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (json!({"Number__c": 10000}), "NUMBER_OUTSIDE_VALID_RANGE"),
        (json!({"Number__c": "10"}), "JSON_PARSER_ERROR"),
        (json!({"Flag__c": 1}), "JSON_PARSER_ERROR"),
        (json!({"Day__c": "01.02.2026"}), "JSON_PARSER_ERROR"),
        (json!({"At__c": "2026-13-01T00:00:00Z"}), "JSON_PARSER_ERROR"),
        (json!({"Key__c": "x".repeat(21)}), "STRING_TOO_LONG"),
        (json!({"Account__c": "rubbish"}), "MALFORMED_ID"),
        (json!({"Account__c": contact}), "FIELD_INTEGRITY_EXCEPTION"),
        (json!({"Account__c": missing}), "INVALID_CROSS_REFERENCE_KEY"),
        (json!({"Id": account}), "INVALID_FIELD"),
    ];
    for (body, expected) in cases {
        assert_eq!(code(&create("Thing__c", body.clone())), refused(400, expected), "{body}");
    }
    assert_eq!(org.count("Thing__c"), 0);
    for body in ["{", "[]", "\"x\"", ""] {
        let answer =
            client.send("POST", &data("/sobjects/Account"), &[("Content-Type", "application/json")], body).unwrap();
        assert_eq!(code(&answer), refused(400, "JSON_PARSER_ERROR"), "{body}");
    }
    let answer = client.send("POST", &data("/sobjects/Account"), &[("Content-Type", "text/csv")], "a,b").unwrap();
    assert_eq!(answer.status, 415);
    assert_eq!(
        code(&create("Organization", json!({"Name": "x"}))),
        refused(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    );
    assert_eq!(client.send("PUT", &data("/sobjects/Account"), &[], "{}").unwrap().status, 405);
}

#[test]
fn values_are_stored_as_salesforce_stores_them() {
    let (org, client) = org();
    let body = json!({"Number__c": 1.005, "At__c": "2026-05-01T09:25:37.999+02:00", "Flag__c": true, "Day__c": "2026-05-01",
        "Key__c": "  Grüße  ", "Tags__c": "b;a"});
    let id = id_of(&client.post(&data("/sobjects/Thing__c"), &body));
    let stored = org.record(&id).unwrap();
    assert_eq!(stored["Number__c"], json!(1.01), "rounded half up to the field's scale");
    assert_eq!(stored["At__c"], "2026-05-01T07:25:37.000+0000");
    assert_eq!((&stored["Flag__c"], &stored["Day__c"]), (&json!(true), &json!("2026-05-01")));
    assert_eq!((&stored["Key__c"], &stored["Colour__c"]), (&json!("Grüße"), &json!("Red")));
    assert_eq!(stored["Name"], json!(id), "a custom object's name defaults to the id");
}

#[test]
fn unique_values_collide_whatever_their_case() {
    let (org, client) = org();
    let first = org.insert("Thing__c", json!({"Code__c": "abc"}));
    let answer = client.post(&data("/sobjects/Thing__c"), &json!({"Code__c": "ABC"}));
    let text = format!("duplicate value found: Code__c duplicates value on record with id: {}", &first[..15]);
    assert_eq!(error(&answer), (400, "DUPLICATE_VALUE".to_owned(), text));
    let own = client.patch(&data(&format!("/sobjects/Thing__c/{first}")), &json!({"Code__c": "ABC"}));
    assert_eq!(own.status, 204, "a record does not collide with itself");
    client.delete(&data(&format!("/sobjects/Thing__c/{first}")));
    assert_eq!(client.post(&data("/sobjects/Thing__c"), &json!({"Code__c": "abc"})).status, 201);
}

#[test]
fn an_upsert_creates_then_updates() {
    let (org, client) = org();
    let path = data("/sobjects/Navattic_Session__c/Navattic_Session_Key__c/a%2Fb%20%C3%BC");
    let created = client.patch(&path, &json!({"Name": "one", "Navattic_Duration_Minutes__c": 12.3456}));
    let id = id_of(&created);
    assert_eq!(created.status, 201);
    assert_eq!(created.json(), json!({"id": id, "success": true, "errors": [], "created": true}));
    assert!(created.header("location").unwrap().ends_with(&id));
    let updated = client.patch(&path, &json!({"Name": "two"}));
    assert_eq!(updated.status, 200);
    assert_eq!(updated.json(), json!({"id": id, "success": true, "errors": [], "created": false}));
    assert!(updated.header("location").unwrap().ends_with(&id));
    let stored = org.record(&id).unwrap();
    assert_eq!((&stored["Name"], &stored["Navattic_Session_Key__c"]), (&json!("two"), &json!("a/b ü")));
    assert_eq!(stored["Navattic_Duration_Minutes__c"], json!(12.346));
    assert_eq!(client.get(&path).json()["Id"], json!(id));
    assert_eq!(client.delete(&path).status, 204);
    assert_eq!(code(&client.get(&path)), refused(404, "NOT_FOUND"));
}

#[test]
fn an_old_version_answers_an_updating_upsert_without_a_body() {
    let (_org, client) = org();
    let path = |version: &str| format!("/services/data/v{version}/sobjects/Thing__c/Key__c/k");
    let created = client.patch(&path("45.0"), &json!({}));
    assert!(created.status == 201 && created.json().get("created").is_none());
    let updated = client.patch(&path("45.0"), &json!({"Flag__c": true}));
    assert_eq!((updated.status, updated.body.as_str()), (204, ""));
    assert_eq!(client.patch(&path("46.0"), &json!({})).status, 200);
}

#[test]
fn upsert_keys_are_external_ids_and_id_lookups() {
    let (org, client) = org();
    let contact = org.insert("Contact", json!({"LastName": "Ann", "Email": "ann@example.com"}));
    let by_email = client.patch(&data("/sobjects/Contact/Email/ANN%40example.com"), &json!({"LastName": "Anna"}));
    assert_eq!((by_email.status, id_of(&by_email)), (200, contact.clone()));
    let by_id =
        client.patch(&data(&format!("/sobjects/Contact/Id/{contact}?updateOnly=true")), &json!({"LastName": "A"}));
    assert_eq!(by_id.status, 200);
    let none =
        client.patch(&data("/sobjects/Contact/Email/x%40example.com?updateOnly=true"), &json!({"LastName": "X"}));
    assert_eq!(code(&none), refused(404, "NOT_FOUND"));
    let created = client.post(&data("/sobjects/Contact/Id"), &json!({"LastName": "New"}));
    assert_eq!(created.status, 201);
    let field = client.patch(&data("/sobjects/Contact/Namez/x"), &json!({"LastName": "X"}));
    let text = "Provided external ID field does not exist or is not accessible: Namez".to_owned();
    assert_eq!(error(&field), (404, "NOT_FOUND".to_owned(), text));
    let not_key = client.patch(&data("/sobjects/Contact/Phone/1"), &json!({"LastName": "X"}));
    assert_eq!(not_key.status, 404);
    let number = client.patch(&data("/sobjects/Thing__c/Serial__c/42"), &json!({}));
    assert_eq!(number.status, 201);
    assert_eq!(client.patch(&data("/sobjects/Thing__c/Serial__c/42.0"), &json!({})).status, 200);
    for body in [json!({"Key__c": "k"}), json!({"id": contact})] {
        assert_eq!(client.patch(&data("/sobjects/Thing__c/Key__c/k"), &body).status, 400, "{body}");
    }
}

#[test]
fn a_key_that_matches_twice_answers_300_and_writes_nothing() {
    let (org, client) = org();
    let ids: Vec<String> = (0..2).map(|_| org.insert("Thing__c", json!({"Key__c": "twin"}))).collect();
    let answer = client.patch(&data("/sobjects/Thing__c/Key__c/TWIN"), &json!({"Flag__c": true}));
    assert_eq!(answer.status, 300);
    let mut urls: Vec<Value> = ids.iter().map(|id| json!(data(&format!("/sobjects/Thing__c/{id}")))).collect();
    let mut answered = answer.json().as_array().unwrap().clone();
    urls.sort_by_key(Value::to_string);
    answered.sort_by_key(Value::to_string);
    assert_eq!(answered, urls);
    assert!(org.records("Thing__c").iter().all(|thing| thing["Flag__c"] == json!(false)));
}

#[test]
fn a_case_sensitive_key_tells_case_apart() {
    let (org, client) = org();
    for key in ["abc", "ABC"] {
        let path = data(&format!("/sobjects/Navattic_Session__c/Navattic_Session_Key__c/{key}"));
        assert_eq!(client.patch(&path, &json!({"Name": key})).status, 201);
    }
    assert_eq!(org.count("Navattic_Session__c"), 2);
    let nameless = client.patch(&data("/sobjects/Navattic_Session__c/Navattic_Session_Key__c/x"), &json!({}));
    assert_eq!(code(&nameless), refused(400, "REQUIRED_FIELD_MISSING"));
}

#[test]
fn a_parent_may_be_named_by_its_external_id() {
    let (org, client) = org();
    let parent = org.insert("Thing__c", json!({"Key__c": "p"}));
    let child = client.post(&data("/sobjects/Thing__c"), &json!({"Parent__r": {"Key__c": "P"}}));
    assert_eq!(org.record(&id_of(&child)).unwrap()["Parent__c"], json!(parent));
    let unknown = client.post(&data("/sobjects/Thing__c"), &json!({"Parent__r": {"Key__c": "q"}}));
    assert_eq!(code(&unknown), refused(400, "INVALID_FIELD"));
    let owner = json!({"LastName": "A", "Company": "B", "Owner": {"Username": org.username()}});
    let bare = client.post(&data("/sobjects/Lead"), &owner);
    let text = "Nested object for polymorphic foreign key must have an attributes field before any other fields.";
    assert_eq!(error(&bare), (400, "JSON_PARSER_ERROR".to_owned(), text.to_owned()));
    let body = format!(
        r#"{{"LastName":"A","Company":"B","Owner":{{"attributes":{{"type":"User"}},"Username":"{}"}}}}"#,
        org.username()
    );
    let typed = client.send("POST", &data("/sobjects/Lead"), &[("Content-Type", "application/json")], &body).unwrap();
    assert_eq!(typed.status, 201, "{}", typed.body);
}

#[test]
fn an_opportunity_follows_its_stage() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "Acme"}));
    let body = json!({"Name": "Deal", "StageName": "Value Proposition", "CloseDate": "2026-05-31", "Amount": 1000, "AccountId": account});
    let id = id_of(&client.post(&data("/sobjects/Opportunity"), &body));
    let open = org.record(&id).unwrap();
    assert_eq!(
        (&open["Probability"], &open["ExpectedRevenue"], &open["IsClosed"]),
        (&json!(50.0), &json!(500.0), &json!(false))
    );
    assert_eq!((&open["FiscalYear"], &open["Fiscal"]), (&json!(2026), &json!("2026 2")));
    client.patch(&data(&format!("/sobjects/Opportunity/{id}")), &json!({"StageName": "Closed Won"}));
    let won = org.record(&id).unwrap();
    assert_eq!(
        (&won["IsWon"], &won["Probability"], &won["ForecastCategory"]),
        (&json!(true), &json!(100.0), &json!("Closed"))
    );
    client.patch(&data(&format!("/sobjects/Opportunity/{id}")), &json!({"NextStep": "none"}));
    let history = org.records("OpportunityHistory");
    assert_eq!(history.len(), 2, "one row at creation, one for the stage, none for the next step");
    assert_eq!((&history[1]["StageName"], &history[1]["PrevAmount"]), (&json!("Closed Won"), &json!(1000.0)));
}

#[test]
fn an_account_takes_its_children_along() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "Acme"}));
    let contact = org.insert("Contact", json!({"LastName": "Ann", "AccountId": account}));
    let deal = json!({"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-01-01", "AccountId": account});
    let deal = org.insert("Opportunity", deal);
    org.insert("OpportunityContactRole", json!({"OpportunityId": deal, "ContactId": contact}));
    org.insert("Task", json!({"Subject": "Call", "WhoId": contact, "WhatId": deal}));
    let thing = org.insert("Thing__c", json!({"Account__c": account}));
    assert_eq!(client.delete(&data(&format!("/sobjects/Account/{account}"))).status, 204);
    for object in ["Account", "Contact", "Opportunity", "OpportunityContactRole", "Task", "OpportunityHistory"] {
        assert_eq!(org.count(object), 0, "{object}");
    }
    assert_eq!(org.record(&thing).unwrap()["Account__c"], Value::Null, "a plain lookup is cleared");
    assert_eq!(code(&client.delete(&data(&format!("/sobjects/Contact/{contact}")))), refused(404, "ENTITY_IS_DELETED"));
}

#[test]
fn duplicate_rules_are_off_until_switched_on() {
    let (org, client) = org();
    let first = org.insert("Lead", json!({"LastName": "A", "Company": "B", "Email": "a@example.com"}));
    let twin = json!({"LastName": "A2", "Company": "B", "Email": "A@example.com"});
    assert_eq!(client.post(&data("/sobjects/Lead"), &twin).status, 201);
    org.enable_duplicate_rule("Lead", DuplicateAction::Alert);
    let refusal = client.post(&data("/sobjects/Lead"), &twin);
    assert_eq!(code(&refusal), refused(400, "DUPLICATES_DETECTED"));
    let finding = &refusal.json()[0]["duplicateResut"];
    assert_eq!(finding["allowSave"], json!(true));
    assert_eq!(finding["matchResults"][0]["size"], json!(2));
    assert_eq!(finding["matchResults"][0]["matchRecords"][0]["record"]["Id"], json!(first));
    let allow = [("Content-Type", "application/json"), ("Sforce-Duplicate-Rule-Header", "allowSave=true")];
    let allowed = client.send("POST", &data("/sobjects/Lead"), &allow, &twin.to_string()).unwrap();
    assert_eq!(allowed.status, 201);
    org.enable_duplicate_rule("Contact", DuplicateAction::Block);
    let contact = json!({"LastName": "A", "Email": "c@example.com"});
    assert_eq!(client.post(&data("/sobjects/Contact"), &contact).status, 201);
    let blocked = client.send("POST", &data("/sobjects/Contact"), &allow, &contact.to_string()).unwrap();
    assert_eq!(code(&blocked), refused(400, "DUPLICATES_DETECTED"));
}

#[test]
fn conditions_save_a_read_and_guard_a_write() {
    let (org, client) = org();
    let path = data(&format!("/sobjects/Account/{}", org.insert("Account", json!({"Name": "Acme"}))));
    let read = client.get(&path);
    let (etag, modified) = (read.header("etag").unwrap(), read.header("last-modified").unwrap());
    let get = |name: &str, value: &str| client.send("GET", &path, &[(name, value)], "").unwrap();
    let unmodified = get("If-None-Match", etag);
    assert_eq!((unmodified.status, unmodified.body.as_str()), (304, ""));
    assert_eq!(get("If-Modified-Since", modified).status, 304);
    assert_eq!(get("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT").status, 200);
    assert_eq!(get("If-Modified-Since", "yesterday").status, 400);
    let write = |name: &str, value: &str| {
        client
            .send("PATCH", &path, &[(name, value), ("Content-Type", "application/json")], r#"{"Name":"B"}"#)
            .unwrap()
            .status
    };
    assert_eq!(write("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"), 412);
    assert_eq!(write("If-Match", "\"other\""), 412);
    assert_eq!(write("If-Match", etag), 204);
    let contact = data(&format!("/sobjects/Contact/{}", org.insert("Contact", json!({"LastName": "A"}))));
    assert_eq!(client.get(&contact).header("etag"), None, "rows of Account only");
    assert_eq!(client.send("PATCH", &contact, &[("If-Match", "\"x\"")], r#"{"LastName":"B"}"#).unwrap().status, 204);
}
