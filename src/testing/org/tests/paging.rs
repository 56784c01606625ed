//! Pages of queries: their size, children with locators of their own, the archive, and pages that lie.

use serde_json::{Value, json};

use super::super::Operation;
use super::{Client, MockOrg, code, data, org, refused};

fn filled(rows: usize) -> (MockOrg, Client) {
    let (org, client) = org();
    for n in 0..rows {
        org.insert("Thing__c", json!({"Key__c": n.to_string()}));
    }
    (org, client)
}

fn rows(body: &Value) -> usize {
    body["records"].as_array().unwrap_or_else(|| panic!("{body}")).len()
}

#[test]
fn a_page_may_be_smaller_than_nobody_asked_for() {
    let (org, client) = filled(25);
    org.set_page_size(10);
    let mut body = client.query("SELECT Key__c FROM Thing__c").json();
    let mut sizes = vec![rows(&body)];
    while let Some(next) = body["nextRecordsUrl"].as_str() {
        assert_eq!((&body["totalSize"], &body["done"]), (&json!(25), &json!(false)));
        body = client.get(next).json();
        sizes.push(rows(&body));
    }
    assert_eq!(sizes, [10, 10, 5]);
    let hint = [("Sforce-Query-Options", "batchSize=2000")];
    let hinted = client.send("GET", &data("/query?q=SELECT+Id+FROM+Thing__c"), &hint, "").unwrap().json();
    assert_eq!(rows(&hinted), 10, "the header is a hint");
    let counted = client.query("SELECT COUNT() FROM Thing__c").json();
    assert_eq!((&counted["totalSize"], &counted["done"], rows(&counted)), (&json!(25), &json!(true), 0));
    let grouped = client.query("SELECT Key__c, COUNT(Id) FROM Thing__c GROUP BY Key__c").json();
    assert_eq!((rows(&grouped), &grouped["done"]), (25, &json!(true)), "groups have no locator");
}

#[test]
fn children_beyond_a_page_have_a_locator_of_their_own_and_count_for_the_page() {
    let (org, client) = filled(0);
    let accounts: Vec<String> = (0..3).map(|n| org.insert("Account", json!({"Name": n.to_string()}))).collect();
    for (account, count) in accounts.iter().zip([25, 3, 4]) {
        for n in 0..count {
            org.insert("Contact", json!({"LastName": n.to_string(), "AccountId": account}));
        }
    }
    org.set_page_size(10);
    let first = client
        .query("SELECT Name, (SELECT LastName FROM Contacts ORDER BY CreatedDate, Id) FROM Account ORDER BY Name")
        .json();
    assert_eq!((&first["totalSize"], rows(&first)), (&json!(3), 1), "one record at least");
    let contacts = &first["records"][0]["Contacts"];
    assert_eq!((&contacts["totalSize"], &contacts["done"], rows(contacts)), (&json!(25), &json!(false), 10));
    let mut names: Vec<Value> = contacts["records"].as_array().unwrap().clone();
    let mut inner = contacts.clone();
    while let Some(next) = inner["nextRecordsUrl"].as_str() {
        inner = client.get(next).json();
        names.extend(inner["records"].as_array().unwrap().clone());
    }
    let names: Vec<&str> = names.iter().map(|record| record["LastName"].as_str().unwrap()).collect();
    assert_eq!(names, (0..25).map(|n| n.to_string()).collect::<Vec<_>>());
    let second = client.get(first["nextRecordsUrl"].as_str().unwrap()).json();
    assert_eq!((rows(&second), &second["done"]), (2, &json!(true)), "4 and 5 rows fit in one page of 10");
    assert_eq!(second["records"][1]["Contacts"]["done"], true);
    assert_eq!(second, client.get(first["nextRecordsUrl"].as_str().unwrap()).json());
}

#[test]
fn the_archive_shows_in_query_all_only() {
    let (org, client) = filled(0);
    let account = org.insert("Account", json!({"Name": "A"}));
    let task = org.insert("Task", json!({"Subject": "old", "WhatId": account}));
    org.insert("Task", json!({"Subject": "new", "WhatId": account}));
    org.archive(&task);
    let ask = |path: &str, soql: &str| {
        let q: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
        client.get(&data(&format!("/{path}?q={q}"))).json()
    };
    for soql in [
        "SELECT Id FROM Task".to_owned(),
        format!("SELECT Id FROM Task WHERE WhatId = '{account}'"),
        format!("SELECT Id FROM Task WHERE Id IN ('{task}') OR Subject = 'new'"),
    ] {
        assert_eq!(ask("query", &soql)["totalSize"], 1, "{soql}");
        assert_eq!(ask("queryAll", &soql)["totalSize"], 2, "{soql}");
    }
    let by_id = format!("SELECT IsArchived FROM Task WHERE Id = '{task}'");
    assert_eq!(ask("query", &by_id)["totalSize"], 0);
    assert_eq!(ask("queryAll", &by_id)["records"][0]["IsArchived"], true);
    let children = ask("query", "SELECT (SELECT Subject FROM Tasks) FROM Account");
    assert_eq!(rows(&children["records"][0]["Tasks"]), 1);
    assert_eq!(client.get(&data(&format!("/sobjects/Task/{task}"))).status, 200, "by its id it is read");
}

#[test]
fn scripted_pages_repeat_go_on_for_ever_or_count_wrongly() {
    let (org, client) = filled(25);
    org.set_page_size(10);
    let first = client.query("SELECT Key__c FROM Thing__c").json();
    let next = first["nextRecordsUrl"].as_str().unwrap();
    org.faults().on(Operation::QueryMore).repeat_locator().once();
    let page = client.get(next).json();
    assert_eq!((page["nextRecordsUrl"].as_str().unwrap(), &page["done"], rows(&page)), (next, &json!(false), 10));
    assert_ne!(client.get(next).json()["nextRecordsUrl"], next, "once");

    org.faults().on(Operation::Query).wrong_total(-7).once();
    assert_eq!(client.query("SELECT Key__c FROM Thing__c").json()["totalSize"], 18);

    org.faults().on(Operation::Query).never_ends().times(2);
    let mut body = client.query("SELECT Key__c FROM Thing__c ORDER BY CreatedDate, Id").json();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..50 {
        assert_eq!((&body["done"], &body["totalSize"]), (&json!(false), &json!(25)));
        assert!(rows(&body) > 0);
        let next = body["nextRecordsUrl"].as_str().unwrap().to_owned();
        assert!(seen.insert(next.clone()), "each page has a locator of its own");
        body = client.get(&next).json();
    }
    let empty = client.query("SELECT Key__c FROM Thing__c WHERE Key__c = 'x'").json();
    assert_eq!((&empty["done"], rows(&empty)), (&json!(false), 0), "without a row as well");
    let after = client.query("SELECT Key__c FROM Thing__c WHERE Key__c = 'x'").json();
    assert_eq!(after["done"], true, "the script is over");
}

#[test]
fn groups_beyond_a_page_are_refused() {
    let (_org, client) = filled(2_001);
    assert_eq!(
        code(&client.query("SELECT Key__c, COUNT(Id) FROM Thing__c GROUP BY Key__c")),
        refused(400, "EXCEEDED_ID_LIMIT")
    );
    let limited = client.query("SELECT Key__c, COUNT(Id) FROM Thing__c GROUP BY Key__c LIMIT 2000").json();
    assert_eq!((rows(&limited), &limited["done"]), (2_000, &json!(true)));
}
