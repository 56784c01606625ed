//! sObject Collections.

use serde_json::json;

use super::{Value, code, data, error, org, refused, row_codes, typed};

const ALL: &str = "/composite/sobjects";
const SESSIONS: &str = "/composite/sobjects/Navattic_Session__c/Navattic_Session_Key__c";

fn session(key: &str, name: &str) -> Value {
    typed("Navattic_Session__c", json!({"Navattic_Session_Key__c": key, "Name": name}))
}

#[test]
fn each_row_has_a_result_in_its_place() {
    let (org, client) = org();
    let records = json!([
        typed("Account", json!({"Name": "A"})),
        typed("Contact", json!({"FirstName": "no last name"})),
        typed("Account", json!({"Name": "B", "Nope__c": 1})),
        {"Name": "no attributes"},
        typed("Nothing__c", json!({})),
        typed("Account", json!({"Name": "C", "Id": "001000000000000AAA"})),
    ]);
    let answer = client.post(&data(ALL), &json!({"allOrNone": false, "records": records}));
    assert_eq!(answer.status, 200);
    let codes = row_codes(&answer);
    let expected = [
        "",
        "REQUIRED_FIELD_MISSING",
        "INVALID_FIELD",
        "JSON_PARSER_ERROR",
        "INVALID_TYPE",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
    ];
    assert_eq!(codes, expected);
    let id = answer.json()[0]["id"].as_str().unwrap().to_owned();
    let good = format!(r#"[{{"id":"{id}","success":true,"errors":[]}}"#);
    assert!(answer.body.starts_with(&good), "{}", answer.body);
    let bad = r#"{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [LastName]","fields":["LastName"]}]}"#;
    assert!(answer.body.contains(bad), "{}", answer.body);
    assert_eq!(org.count("Account"), 1);
}

#[test]
fn all_or_none_undoes_everything() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "Before"}));
    let records =
        json!([typed("Account", json!({"id": account, "Name": "After"})), typed("Account", json!({"Name": "no id"}))]);
    let answer = client.patch(&data(ALL), &json!({"allOrNone": true, "records": records}));
    assert_eq!(row_codes(&answer), ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "MISSING_ARGUMENT"]);
    assert_eq!(answer.json()[1]["errors"][0]["message"], "Id not specified in an update call");
    assert_eq!(org.record(&account).unwrap()["Name"], "Before");
    let rows = json!([session("a", "1"), session("b", ""), session("c", "3")]);
    let answer = client.patch(&data(SESSIONS), &json!({"allOrNone": true, "records": rows}));
    let rolled_back = "ALL_OR_NONE_OPERATION_ROLLED_BACK";
    assert_eq!(row_codes(&answer), [rolled_back, "REQUIRED_FIELD_MISSING", rolled_back]);
    assert_eq!(org.count("Navattic_Session__c"), 0);
    let again = client.patch(&data(SESSIONS), &json!({"records": [session("a", "1")]}));
    assert_eq!(again.json()[0]["created"], json!(true), "the key is free again");
}

#[test]
fn an_update_names_records_by_id() {
    let (org, client) = org();
    let (account, contact) =
        (org.insert("Account", json!({"Name": "A"})), org.insert("Contact", json!({"LastName": "C"})));
    let records = json!([
        typed("Account", json!({"id": account[..15], "Name": "A2"})),
        typed("Contact", json!({"Id": contact, "LastName": "C2"})),
        typed("Account", json!({"id": "001xx000003DHP0AAO", "Name": "x"})),
        typed("Account", json!({"id": contact, "Name": "x"})),
        typed("Account", json!({"id": null})),
    ]);
    let answer = client.patch(&data(ALL), &json!({"records": records}));
    let unknown = "INVALID_CROSS_REFERENCE_KEY";
    assert_eq!(row_codes(&answer), ["", "", unknown, "MALFORMED_ID", "MISSING_ARGUMENT"]);
    assert_eq!(answer.json()[0]["id"], json!(account), "18 characters whatever was sent");
    assert!(answer.json()[2].get("id").is_none());
    assert_eq!(org.record(&contact).unwrap()["Name"], "C2");
}

#[test]
fn an_upsert_tells_created_from_updated() {
    let (org, client) = org();
    let send = |rows: Value| client.patch(&data(SESSIONS), &json!({"allOrNone": false, "records": rows}));
    let first = send(json!([session("a", "1"), session("b", "2"), session("a", "3"), session("A", "4")]));
    assert_eq!(row_codes(&first), ["", "", "DUPLICATE_VALUE", ""], "the key is case-sensitive");
    assert_eq!(first.json()[2]["errors"][0]["message"], "Duplicate external id specified: a");
    assert_eq!((&first.json()[0]["created"], &first.json()[2]["created"]), (&json!(true), &json!(false)));
    let second = send(json!([session("a", "5"), session("", "6"), typed("Account", json!({"Name": "x"}))]));
    assert_eq!(row_codes(&second), ["", "MISSING_ARGUMENT", "INVALID_TYPE"]);
    assert_eq!(second.json()[0], json!({"id": first.json()[0]["id"], "success": true, "errors": [], "created": false}));
    assert_eq!(
        (org.count("Navattic_Session__c"), org.records("Navattic_Session__c")[0]["Name"].clone()),
        (3, json!("5"))
    );
    let by_id = json!({"records": [typed("Account", json!({"Id": null, "Name": "New"}))]});
    let by_id = client.patch(&data("/composite/sobjects/Account/Id"), &by_id);
    assert_eq!(by_id.json()[0]["created"], json!(true));
    for twin in 0..2 {
        org.insert("Thing__c", json!({"Key__c": "twin", "Number__c": twin}));
    }
    let twins = json!({"records": [typed("Thing__c", json!({"Key__c": "twin"}))]});
    assert_eq!(
        row_codes(&client.patch(&data("/composite/sobjects/Thing__c/Key__c"), &twins)),
        ["DUPLICATE_EXTERNAL_ID"]
    );
    let unknown = client.patch(&data("/composite/sobjects/Thing__c/Nope__c"), &twins);
    assert_eq!(code(&unknown), refused(404, "NOT_FOUND"));
}

#[test]
fn a_delete_takes_ids_of_any_type() {
    let (org, client) = org();
    let (account, contact) =
        (org.insert("Account", json!({"Name": "A"})), org.insert("Contact", json!({"LastName": "C"})));
    let path = data(&format!("{ALL}?ids={account},{contact},{account},rubbish,001000000000000AAA&allOrNone=false"));
    let answer = client.delete(&path);
    assert_eq!(row_codes(&answer), ["", "", "ENTITY_IS_DELETED", "MALFORMED_ID", "INVALID_CROSS_REFERENCE_KEY"]);
    assert_eq!(answer.json()[0], json!({"id": account, "success": true, "errors": []}));
    assert_eq!((org.count("Account"), org.count("Contact")), (0, 0));
    let kept = org.insert("Account", json!({"Name": "B"}));
    let answer = client.delete(&data(&format!("{ALL}?ids={kept},rubbish&allOrNone=true")));
    assert_eq!(row_codes(&answer), ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "MALFORMED_ID"]);
    assert_eq!(org.record(&kept).unwrap()["IsDeleted"], json!(false));
}

#[test]
fn a_read_has_nulls_for_what_is_not_there() {
    let (org, client) = org();
    let (first, second) = (org.insert("Account", json!({"Name": "A"})), org.insert("Account", json!({"Name": "B"})));
    let path = data("/composite/sobjects/Account");
    let ids = json!([second, "001000000000000AAA", first, "rubbish"]);
    let posted = client.post(&path, &json!({"ids": ids, "fields": ["name", "Site"]}));
    let url = |id: &str| data(&format!("/sobjects/Account/{id}"));
    let row =
        |id: &str, name: &str| json!({"attributes": {"type": "Account", "url": url(id)}, "Name": name, "Site": null});
    assert_eq!(posted.json(), json!([row(&second, "B"), null, row(&first, "A"), null]));
    let got = client.get(&format!("{path}?ids={second},001000000000000AAA,{first},rubbish&fields=Name,Site"));
    assert_eq!(got.body, posted.body);
    let column = client.post(&path, &json!({"ids": ids, "fields": ["Nope"]}));
    assert_eq!(code(&column), refused(400, "INVALID_FIELD"));
}

#[test]
fn a_read_takes_two_thousand_ids_by_post_and_what_fits_an_address_by_get() {
    let (org, client) = org();
    let id = org.insert("Account", json!({"Name": "A"}));
    let path = data("/composite/sobjects/Account");
    let post = |count: usize| client.post(&path, &json!({"ids": vec![&id; count], "fields": ["Name"]}));
    assert_eq!(post(2000).json().as_array().unwrap().len(), 2000);
    assert_eq!(code(&post(2001)), refused(400, "EXCEEDED_ID_LIMIT"));
    assert_eq!(code(&post(0)), refused(400, "REQUIRED_FIELD_MISSING"));
    let get = |count: usize| client.get(&format!("{path}?fields=Name&ids={}", vec![id.as_str(); count].join(",")));
    assert_eq!(get(800).json().as_array().unwrap().len(), 800);
    assert_eq!(get(900).status, 414);
    for body in [json!({"ids": [id]}), json!({"ids": "x", "fields": ["Name"]}), json!({"ids": [1], "fields": ["Name"]})]
    {
        assert_eq!(client.post(&path, &body).status, 400, "{body}");
    }
}

#[test]
fn a_row_refused_late_in_its_save_leaves_nothing_behind() {
    let (org, client) = org();
    org.enable_person_accounts();
    // The contact behind a person account cannot be made, and that comes after the account itself.
    org.remove_field("Contact", "FirstName");
    let person = || json!({"LastName": "A", "FirstName": "B"});
    let rows = json!([typed("Account", json!({"Name": "A"})), typed("Account", person())]);
    let answer = client.post(&data(ALL), &json!({"records": rows}));
    assert_eq!(row_codes(&answer), ["", "INVALID_FIELD"]);
    assert_eq!(code(&client.post(&data("/sobjects/Account"), &person())), refused(400, "INVALID_FIELD"));
    assert_eq!((org.count("Account"), org.count("Contact")), (1, 0));
}

#[test]
fn sizes_are_limited() {
    let (org, client) = org();
    let many = |count: usize| (0..count).map(|n| typed("Account", json!({"Name": n.to_string()}))).collect::<Vec<_>>();
    assert_eq!(row_codes(&client.post(&data(ALL), &json!({"records": many(200)}))).len(), 200);
    assert_eq!(code(&client.post(&data(ALL), &json!({"records": many(201)}))), refused(400, "EXCEEDED_ID_LIMIT"));
    let empty = client.post(&data(ALL), &json!({"records": []}));
    let text = "At least 1 record is required".to_owned();
    assert_eq!(error(&empty), (400, "REQUIRED_FIELD_MISSING".to_owned(), text));
    let runs = |count: usize| {
        let kinds = ["Account", "Thing__c"].into_iter().cycle().take(count);
        kinds.map(|kind| typed(kind, json!({"Name": "x"}))).collect::<Vec<_>>()
    };
    assert_eq!(row_codes(&client.post(&data(ALL), &json!({"records": runs(10)}))), [""; 10]);
    assert_eq!(code(&client.post(&data(ALL), &json!({"records": runs(11)}))), refused(400, "LIMIT_EXCEEDED"));
    assert_eq!(org.count("Account"), 205);
    let old =
        |version: &str| client.post(&format!("/services/data/v{version}.0{ALL}"), &json!({"records": many(1)})).status;
    assert_eq!((old("41"), old("42")), (404, 200), "older versions have no collections");
}
