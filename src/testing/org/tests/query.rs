//! Queries over HTTP: pages, locators, views.

use std::time::Duration;

use serde_json::json;

use super::{Value, code, data, org, refused, typed};

#[test]
fn pages_follow_locators_that_can_be_read_twice() {
    let (org, client) = org();
    for n in 0..450 {
        org.insert("Thing__c", json!({"Key__c": n.to_string()}));
    }
    let soql = data("/query?q=SELECT+Key__c+FROM+Thing__c+ORDER+BY+CreatedDate,Id");
    let first = client.send("GET", &soql, &[("Sforce-Query-Options", "batchSize=200")], "").unwrap().json();
    assert_eq!((&first["totalSize"], &first["done"]), (&json!(450), &json!(false)));
    assert_eq!(first["records"].as_array().unwrap().len(), 200);
    let next = first["nextRecordsUrl"].as_str().unwrap();
    assert!(next.starts_with(&data("/query/0r8xx")) && next.ends_with("-200"), "{next}");
    let second = client.get(next);
    assert_eq!(second.body, client.get(next).body);
    let third = client.get(second.json()["nextRecordsUrl"].as_str().unwrap()).json();
    assert_eq!((&third["done"], third["records"].as_array().unwrap().len()), (&json!(true), 50));
    assert!(third.get("nextRecordsUrl").is_none());
    let all = client.get(&soql).json();
    assert_eq!((&all["done"], all["records"].as_array().unwrap().len()), (&json!(true), 450));
    assert_eq!(code(&client.get(&data("/query/0r8xxnonsense-200"))), refused(400, "INVALID_QUERY_LOCATOR"));
    org.advance(Duration::from_secs(2 * 24 * 3600 + 1));
    org.insert("Account", json!({"Name": "later"}));
    let later = client.with_authorization(Some(&format!("Bearer {}", login(&org, &client))));
    assert_eq!(code(&later.get(next)), refused(400, "INVALID_QUERY_LOCATOR"), "two days are over");
}

fn login(org: &super::MockOrg, client: &super::Client) -> String {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &org.client_id()),
        ("client_secret", &org.client_secret()),
    ];
    let body = client.with_authorization(None).form("/services/oauth2/token", &fields).json();
    body["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn the_recycle_bin_shows_in_query_all_only() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "Acme"}));
    client.delete(&data(&format!("/sobjects/Account/{account}")));
    let query = |path: &str| client.get(&data(&format!("/{path}?q=SELECT+Id,IsDeleted+FROM+Account"))).json();
    assert_eq!(query("query")["totalSize"], json!(0));
    let bin = query("queryAll");
    assert_eq!((&bin["totalSize"], &bin["records"][0]["IsDeleted"]), (&json!(1), &json!(true)));
}

#[test]
fn setup_objects_can_be_asked() {
    let (org, client) = org();
    let org_row = client.query("SELECT Id, IsSandbox, OrganizationType, InstanceName FROM Organization").json();
    assert_eq!(org_row["records"][0]["Id"], json!(org.org_id()));
    let user = client.query(&format!("SELECT Name, Profile.Name FROM User WHERE Id = '{}'", org.user_id())).json();
    assert_eq!(user["records"][0]["Profile"]["Name"], "System Administrator");
    let rights = client.query(&format!(
        "SELECT PermissionSet.PermissionsApiEnabled, PermissionSet.PermissionsModifyAllData, PermissionSet.IsOwnedByProfile \
         FROM PermissionSetAssignment WHERE AssigneeId = '{}'",
        org.user_id()
    ));
    assert_eq!(
        rights.json()["records"][0]["PermissionSet"]["PermissionsModifyAllData"],
        json!(true),
        "{}",
        rights.body
    );
    let process = client.query("SELECT Id, ProfileId, Profile.Name FROM User WHERE FirstName = 'Automated'").json();
    assert_eq!((&process["totalSize"], &process["records"][0]["Profile"]), (&json!(1), &Value::Null));
    let stages = client.query("SELECT MasterLabel FROM OpportunityStage WHERE IsWon = true").json();
    assert_eq!(stages["records"][0]["MasterLabel"], "Closed Won");
}

#[test]
fn children_and_parents_come_along() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "Acme"}));
    org.insert("Contact", json!({"FirstName": "Ann", "LastName": "Lee", "AccountId": account}));
    org.insert("Thing__c", json!({"Key__c": "k", "Account__c": account}));
    let body = client
        .query("SELECT Name, (SELECT Name, Account.Name FROM Contacts), (SELECT Key__c FROM Things__r) FROM Account")
        .json();
    let row = &body["records"][0];
    assert_eq!(row["Contacts"]["records"][0]["Name"], "Ann Lee");
    assert_eq!(row["Contacts"]["records"][0]["Account"]["Name"], "Acme");
    assert_eq!(row["Things__r"]["totalSize"], json!(1));
}

#[test]
fn ids_of_15_and_18_characters_are_equal() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "Acme"}));
    org.insert("Contact", json!({"LastName": "Lee", "AccountId": account[..15]}));
    for id in [&account[..15], &account] {
        for soql in [
            format!("SELECT Id FROM Account WHERE Id = '{id}'"),
            format!("SELECT Id FROM Contact WHERE AccountId IN ('{id}')"),
            format!("SELECT Id FROM Contact WHERE Account.Id = '{id}'"),
        ] {
            assert_eq!(client.query(&soql).json()["totalSize"], json!(1), "{soql}");
        }
    }
}

#[test]
fn refusals_are_arrays_and_a_missing_statement_is_one() {
    let (_org, client) = org();
    assert_eq!(code(&client.query("SELECT Nope FROM Account")), refused(400, "INVALID_FIELD"));
    assert_eq!(code(&client.query("SELECT Id FROM Accout")), refused(400, "INVALID_TYPE"));
    assert_eq!(code(&client.query("SELECT FROM Account")), refused(400, "MALFORMED_QUERY"));
    assert_eq!(code(&client.get(&data("/query"))), refused(400, "MALFORMED_QUERY"));
    assert_eq!(client.post(&data("/query"), &json!({})).status, 405);
    let long = format!("{}{}", data("/query?q="), "x".repeat(16_400));
    assert_eq!(client.get(&long).status, 414);
}

#[test]
fn thousands_of_rows_go_in_by_collections_and_out_by_pages() {
    let (org, client) = org();
    let batch = |n: usize| -> Vec<Value> {
        let row = |i: usize| {
            typed("Navattic_Session__c", json!({"Navattic_Session_Key__c": format!("k{}", n * 200 + i), "Name": "s"}))
        };
        (0..200).map(row).collect()
    };
    let path = data("/composite/sobjects/Navattic_Session__c/Navattic_Session_Key__c");
    for n in 0..25 {
        assert_eq!(client.patch(&path, &json!({"records": batch(n)})).status, 200);
    }
    assert_eq!(org.count("Navattic_Session__c"), 5_000);
    let one = client.query("SELECT Name FROM Navattic_Session__c WHERE Navattic_Session_Key__c = 'k4999'").json();
    assert_eq!(one["totalSize"], json!(1));
    let page = client.query("SELECT Id FROM Navattic_Session__c").json();
    assert!(page["nextRecordsUrl"].as_str().unwrap().ends_with("-2000"));
}
