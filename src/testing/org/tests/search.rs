//! SOSL and parameterized search over HTTP.

use serde_json::{Value, json};

use super::{Answer, Client, MockOrg, code, data, refused};

fn filled() -> (MockOrg, Client) {
    let org = MockOrg::start();
    for n in 0..4 {
        let account = org.insert("Account", json!({"Name": format!("Acme {n}"), "Phone": format!("555 010{n}")}));
        org.insert(
            "Contact",
            json!({"FirstName": "Ann", "LastName": format!("Lee{n}"), "AccountId": account,
            "Email": format!("ann{n}@acme.example.com")}),
        );
    }
    org.insert("Lead", json!({"LastName": "Acme", "Company": "Other"}));
    let client = Client::of(&org);
    (org, client)
}

fn find(client: &Client, sosl: &str) -> Answer {
    let q: String = url::form_urlencoded::byte_serialize(sosl.as_bytes()).collect();
    client.get(&data(&format!("/search?q={q}")))
}

/// `type Name` of each record, or the type alone.
fn told(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let records = body["searchRecords"].as_array().unwrap_or_else(|| panic!("{}", answer.body));
    let line = |record: &Value| {
        let kind = record["attributes"]["type"].as_str().unwrap();
        record["Name"].as_str().map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}"))
    };
    records.iter().map(line).collect()
}

#[test]
fn objects_are_told_one_after_the_other_each_with_its_own_clauses() {
    let (_org, client) = filled();
    let answer = find(
        &client,
        "FIND {acme} IN ALL FIELDS RETURNING Account(Id, Name WHERE Phone != '555 0100' ORDER BY Name DESC LIMIT 2), \
         Contact(Name, Account.Name WHERE Email LIKE 'ann1%')",
    );
    assert_eq!(told(&answer), ["Account Acme 3", "Account Acme 2", "Contact Ann Lee1"]);
    let body = answer.json();
    let first = &body["searchRecords"][0];
    let id = first["Id"].as_str().unwrap();
    assert_eq!(first["attributes"], json!({"type": "Account", "url": data(&format!("/sobjects/Account/{id}"))}));
    assert_eq!(body["searchRecords"][2]["Account"]["Name"], "Acme 1");
    assert_eq!(told(&find(&client, "FIND {nobody} RETURNING Account")), [] as [&str; 0]);
}

#[test]
fn without_returning_every_searchable_object_tells_ids() {
    let (_org, client) = filled();
    let mut kinds = told(&find(&client, "FIND {acme}"));
    kinds.dedup();
    assert_eq!(kinds, ["Account", "Contact", "Lead"]);
    let record = find(&client, "FIND {acme}").json()["searchRecords"][0].clone();
    assert_eq!(record.as_object().unwrap().keys().collect::<Vec<_>>(), ["Id", "attributes"]);
}

#[test]
fn groups_narrow_the_fields_that_are_searched() {
    let (_org, client) = filled();
    let kinds = |group: &str| {
        let mut kinds = told(&find(&client, &format!("FIND {{acme}} IN {group} FIELDS")));
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds("NAME"), ["Account", "Lead"]);
    assert_eq!(kinds("EMAIL"), ["Contact"]);
    assert_eq!(kinds("PHONE"), [] as [&str; 0]);
    assert_eq!(told(&find(&client, "FIND {0101} IN PHONE FIELDS RETURNING Account(Name)")), ["Account Acme 1"]);
    assert_eq!(
        told(&find(&client, "FIND {\"ann lee2\"} IN NAME FIELDS RETURNING Contact(Name)")),
        ["Contact Ann Lee2"]
    );
}

#[test]
fn a_limit_of_the_whole_is_shared_evenly() {
    let (_org, client) = filled();
    let told =
        |limit: usize| told(&find(&client, &format!("FIND {{acme}} RETURNING Account, Contact, Lead LIMIT {limit}")));
    assert_eq!(told(6), ["Account", "Account", "Account", "Contact", "Contact", "Lead"]);
    assert_eq!(told(1), ["Account"]);
    assert_eq!(told(100).len(), 9);
}

#[test]
fn what_is_deleted_is_not_found() {
    let (org, client) = filled();
    let id = org.insert("Account", json!({"Name": "Unique Ltd"}));
    assert_eq!(told(&find(&client, "FIND {unique} RETURNING Account(Name)")), ["Account Unique Ltd"]);
    client.delete(&data(&format!("/sobjects/Account/{id}")));
    assert_eq!(told(&find(&client, "FIND {unique} RETURNING Account(Name)")), [] as [&str; 0]);
}

#[test]
fn searches_are_refused_by_code() {
    let (_org, client) = filled();
    for (sosl, expected) in [
        ("", "MALFORMED_SEARCH"),
        ("FIND {a}", "MALFORMED_SEARCH"),
        ("FIND {acme-corp}", "MALFORMED_SEARCH"),
        ("FIND {acme} RETURNING Account(Nope)", "INVALID_FIELD"),
        ("FIND {acme} RETURNING Account(Id WHERE)", "MALFORMED_SEARCH"),
        ("FIND {acme} RETURNING Nope__c", "INVALID_TYPE"),
        ("FIND {acme} RETURNING OpportunityHistory", "INVALID_SEARCH_SCOPE"),
    ] {
        assert_eq!(code(&find(&client, sosl)), refused(400, expected), "{sosl}");
    }
    assert_eq!(code(&client.get(&data("/search"))), refused(400, "MALFORMED_SEARCH"));
    assert_eq!(client.post(&data("/search"), &json!({})).status, 405);
}

#[test]
fn parameterized_search_says_the_same_by_url_and_by_body() {
    let (_org, client) = filled();
    let by_url = client.get(&data(
        "/parameterizedSearch/?q=acme&sobject=Account&Account.fields=id,name&Account.where=Name+!%3D+'Acme+0'\
         &Account.orderBy=Name+DESC&sobject=Contact&fields=name&defaultLimit=1&in=ALL&overallLimit=10",
    ));
    assert_eq!(told(&by_url), ["Account Acme 3", "Contact Ann Lee0"]);
    let body = json!({
        "q": "acme", "in": "ALL", "fields": ["name"], "defaultLimit": 1, "overallLimit": 10,
        "sobjects": [
            {"name": "Account", "fields": ["id", "name"], "where": "Name != 'Acme 0'", "orderBy": "Name DESC"},
            {"name": "Contact"},
        ],
    });
    let by_body = client.post(&data("/parameterizedSearch"), &body);
    assert_eq!(by_body.body, by_url.body);
    assert_eq!(
        told(&client.get(&data("/parameterizedSearch?q=ann2@acme.example.com&sobject=Contact&fields=Name"))),
        ["Contact Ann Lee2"]
    );
    assert_eq!(
        told(&client.get(&data("/parameterizedSearch?q=acme-0&sobject=Account"))),
        ["Account"],
        "no escape needed"
    );
    assert_eq!(code(&client.get(&data("/parameterizedSearch"))), refused(400, "MALFORMED_SEARCH"));
    assert_eq!(code(&client.get(&data("/parameterizedSearch?q=acme&in=x"))), refused(400, "INVALID_SEARCH"));
    let old = client.get("/services/data/v36.0/parameterizedSearch?q=acme&sobject=Lead").json();
    assert_eq!(old[0]["attributes"]["type"], "Lead", "a bare array up to 36.0");
    assert_eq!(client.get("/services/data/v35.0/parameterizedSearch?q=acme").status, 404);
}
