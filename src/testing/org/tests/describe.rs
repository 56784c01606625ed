//! Record types, dependent picklists, currencies, and what changes under a describe.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{RecordTypeSpec, UserSpec};
use super::{Client, FieldSpec, MockOrg, code, data, error, org, refused};

fn describe(client: &Client, object: &str) -> Value {
    client.get(&data(&format!("/sobjects/{object}/describe"))).json()
}

fn field(client: &Client, object: &str, name: &str) -> Option<Value> {
    describe(client, object)["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).cloned()
}

fn create(client: &Client, object: &str, body: &Value) -> super::Answer {
    client.post(&data(&format!("/sobjects/{object}")), body)
}

#[test]
fn record_types_are_described_with_their_picklists() {
    let (org, client) = org();
    assert_eq!(field(&client, "Thing__c", "RecordTypeId"), None);
    let warm = RecordTypeSpec::new("Warm_Things").picklist("Colour__c", &["Red"]).default_type();
    let warm = org.add_record_type("Thing__c", warm);
    let cold = RecordTypeSpec::new("Cold").label("Cold things").picklist("Tags__c", &["b"]).unavailable();
    let cold = org.add_record_type("Thing__c", cold);
    assert_eq!(field(&client, "Thing__c", "RecordTypeId").unwrap()["referenceTo"], json!(["RecordType"]));
    let infos = describe(&client, "Thing__c")["recordTypeInfos"].clone();
    let names: Vec<&str> =
        infos.as_array().unwrap().iter().map(|info| info["developerName"].as_str().unwrap()).collect();
    assert_eq!(names, ["Warm_Things", "Cold", "Master"]);
    assert_eq!((&infos[0]["defaultRecordTypeMapping"], &infos[0]["recordTypeId"]), (&json!(true), &json!(warm)));
    assert_eq!((&infos[1]["available"], &infos[1]["name"]), (&json!(false), &json!("Cold things")));
    assert_eq!((&infos[2]["master"], &infos[2]["defaultRecordTypeMapping"]), (&json!(true), &json!(false)));

    let layouts = client.get(&data("/sobjects/Thing__c/describe/layouts")).json();
    assert_eq!((&layouts["layouts"], &layouts["recordTypeSelectorRequired"]), (&Value::Null, &json!([true])));
    let values = |place: usize, name: &str| -> Vec<Value> {
        let lists = layouts["recordTypeMappings"][place]["picklistsForRecordType"].as_array().unwrap();
        let list = lists.iter().find(|list| list["picklistName"] == name).unwrap();
        list["picklistValues"].as_array().unwrap().iter().map(|value| value["value"].clone()).collect()
    };
    assert_eq!(
        (values(0, "Colour__c"), values(1, "Colour__c")),
        (vec![json!("Red")], vec![json!("Red"), json!("Green")])
    );
    assert_eq!(values(1, "Tags__c"), [json!("b")]);
    let url = infos[0]["urls"]["layout"].as_str().unwrap();
    let layout = client.get(url).json();
    assert_eq!(layout["id"], layouts["recordTypeMappings"][0]["layoutId"]);
    let row = &layout["detailLayoutSections"][0]["layoutRows"][0];
    assert_eq!(row["layoutItems"][0]["layoutComponents"][0]["value"], "Name");
    assert_eq!(row["layoutItems"][0]["required"], true);
    assert_eq!(client.get(&data("/sobjects/Thing__c/describe/layouts/012000000000000AAA")).status, 200);
    assert_eq!(client.get(&data("/sobjects/Thing__c/describe/layouts/012Mk0000000999AAA")).status, 404);

    let made = create(&client, "Thing__c", &json!({})).json()["id"].as_str().unwrap().to_owned();
    let typed = client.query(&format!("SELECT RecordType.DeveloperName FROM Thing__c WHERE Id = '{made}'")).json();
    assert_eq!(typed["records"][0]["RecordType"]["DeveloperName"], "Warm_Things");
    let (status, code, text) = error(&create(&client, "Thing__c", &json!({"RecordTypeId": cold})));
    assert_eq!((status, code.as_str()), (400, "INVALID_CROSS_REFERENCE_KEY"));
    assert_eq!(text, format!("Record Type ID: this ID value isn't valid for the user: {cold}"));
    let green = create(&client, "Thing__c", &json!({"Colour__c": "Green"}));
    assert_eq!(super::code(&green), refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"));
}

#[test]
fn an_object_without_record_types_has_its_layout() {
    let (_org, client) = org();
    let layouts = client.get(&data("/sobjects/Account/describe/layouts/")).json();
    assert_eq!(layouts["recordTypeMappings"][0]["developerName"], "Master");
    let item = &layouts["layouts"][0]["detailLayoutSections"][0]["layoutRows"][1]["layoutItems"][0];
    assert_eq!((&item["label"], &item["required"]), (&json!("Account Name"), &json!(true)));
    assert_eq!(item["layoutComponents"][0]["details"]["type"], "string");
    assert_eq!(client.get(&data("/sobjects/Nope/describe/layouts")).status, 404);
}

#[test]
fn persons_have_a_record_type() {
    let (org, client) = org();
    org.enable_person_accounts();
    let kind =
        client.query("SELECT Id, SobjectType FROM RecordType WHERE IsPersonType = true").json()["records"][0].clone();
    assert_eq!(kind["SobjectType"], "Account");
    let person = create(&client, "Account", &json!({"LastName": "Love"})).json()["id"].as_str().unwrap().to_owned();
    let firm = create(&client, "Account", &json!({"Name": "Firm"})).json()["id"].as_str().unwrap().to_owned();
    assert_eq!(org.record(&person).unwrap()["RecordTypeId"], kind["Id"]);
    assert_eq!(org.record(&firm).unwrap()["RecordTypeId"], Value::Null);
}

#[test]
fn a_dependent_picklist_says_what_its_values_go_with() {
    let (org, client) = org();
    let size = FieldSpec::picklist("Size__c", &["S", "M"])
        .controlled_by("Colour__c", &[("S", &["Red"]), ("M", &["Red", "Green"])]);
    org.add_field("Thing__c", size);
    org.add_field("Thing__c", FieldSpec::picklist("Why__c", &["x"]).controlled_by("Flag__c", &[("x", &["true"])]));
    let size = field(&client, "Thing__c", "Size__c").unwrap();
    assert_eq!((&size["dependentPicklist"], &size["controllerName"]), (&json!(true), &json!("Colour__c")));
    // Red is the highest bit of the first byte, Green the next.
    assert_eq!(
        (&size["picklistValues"][0]["validFor"], &size["picklistValues"][1]["validFor"]),
        (&json!("gAAA"), &json!("wAAA"))
    );
    let why = field(&client, "Thing__c", "Why__c").unwrap();
    assert_eq!(why["picklistValues"][0]["validFor"], "QAAA", "false, then true");
    let plain = field(&client, "Thing__c", "Colour__c").unwrap();
    assert_eq!((&plain["dependentPicklist"], &plain["picklistValues"][0]["validFor"]), (&json!(false), &Value::Null));
    assert_eq!(size.as_object().unwrap().len(), 57, "the keys that are recorded");
}

#[test]
fn several_currencies_show_on_every_object() {
    let (org, client) = org();
    let old = org.insert("Account", json!({"Name": "Old"}));
    assert_eq!(code(&client.query("SELECT Id FROM CurrencyType")), refused(400, "INVALID_TYPE"));
    org.enable_multi_currency(&[("USD", 1.0), ("EUR", 0.9)]);
    let types = client.query("SELECT IsoCode, IsCorporate, ConversionRate FROM CurrencyType ORDER BY IsoCode").json();
    assert_eq!((&types["records"][0]["IsoCode"], &types["records"][0]["ConversionRate"]), (&json!("EUR"), &json!(0.9)));
    assert_eq!(types["records"][1]["IsCorporate"], true);
    assert_eq!(org.record(&old).unwrap()["CurrencyIsoCode"], "USD");
    let field = field(&client, "Thing__c", "CurrencyIsoCode").unwrap();
    assert_eq!((&field["length"], &field["defaultValue"]), (&json!(3), &json!("USD")));
    let made = create(
        &client,
        "Opportunity",
        &json!({"Name": "O", "StageName": "Prospecting", "CloseDate": "2030-01-01",
        "Amount": 5, "CurrencyIsoCode": "EUR"}),
    );
    assert_eq!(made.status, 201);
    let bad = create(&client, "Account", &json!({"Name": "A", "CurrencyIsoCode": "XXX"}));
    assert_eq!(code(&bad), refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"));
}

#[test]
fn a_changed_schema_is_told_to_who_knows_the_old_one() {
    let (org, client) = org();
    let path = data("/sobjects/Thing__c/describe");
    let since = |date: &str| client.send("GET", &path, &[("If-Modified-Since", date)], "").unwrap();
    let mut seen = client.get(&path);
    let mut changed = |what: &str, change: &dyn Fn(&MockOrg)| {
        let date = seen.header("last-modified").unwrap().to_owned();
        let etag = seen.header("etag").unwrap().to_owned();
        assert_eq!(since(&date).status, 304, "before {what}");
        org.advance(Duration::from_secs(2));
        change(&org);
        seen = since(&date);
        assert_eq!(seen.status, 200, "after {what}");
        assert_ne!(seen.header("etag").unwrap(), etag, "after {what}");
        seen.json()
    };
    let named = |body: &Value, name: &str| {
        body["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).cloned()
    };
    let body = changed("a new label", &|org| org.relabel_field("Thing__c", "Day__c", "Date"));
    assert_eq!(named(&body, "Day__c").unwrap()["label"], "Date");
    let body = changed("a rename", &|org| org.rename_field("Thing__c", "Day__c", "Date__c"));
    assert!(named(&body, "Day__c").is_none() && named(&body, "Date__c").unwrap()["label"] == "Date");
    let body = changed("another type", &|org| org.retype_field("Thing__c", "Code__c", FieldSpec::number("x", 5, 0)));
    assert_eq!(named(&body, "Code__c").unwrap()["type"], "double");
    let body = changed("a requirement", &|org| org.require_field("Thing__c", "At__c"));
    assert_eq!(
        (&named(&body, "At__c").unwrap()["nillable"], &named(&body, "At__c").unwrap()["permissionable"]),
        (&json!(false), &json!(false))
    );
    let body = changed("a value less", &|org| org.remove_picklist_value("Thing__c", "Colour__c", "Green"));
    assert_eq!(named(&body, "Colour__c").unwrap()["picklistValues"].as_array().unwrap().len(), 1);
    let body = changed("a value more", &|org| org.add_picklist_value("Thing__c", "Colour__c", "Blue"));
    assert_eq!(named(&body, "Colour__c").unwrap()["picklistValues"][1]["value"], "Blue");
    let body = changed("a hidden field", &|org| org.hide_field("Thing__c", "Mail__c"));
    assert!(named(&body, "Mail__c").is_none());
    let body = changed("a shown field", &|org| org.show_field("Thing__c", "Mail__c"));
    assert!(named(&body, "Mail__c").is_some());
    let body = changed("a deleted field", &|org| org.delete_field("Thing__c", "Serial__c"));
    assert!(named(&body, "Serial__c").is_none());
}

#[test]
fn a_renamed_field_keeps_its_values_rights_and_id() {
    let (org, client) = org();
    let thing = org.insert("Thing__c", json!({"Day__c": "2026-01-01"}));
    let user = org.add_user(UserSpec::new("u@example.com").permission("ApiEnabled").object("Thing__c", &["Read"]));
    let ids = || {
        let q = "SELECT+Id+FROM+CustomField+WHERE+DeveloperName+IN+('Day','Date')";
        client.get(&data(&format!("/tooling/query?q={q}"))).json()["records"][0]["Id"].clone()
    };
    let before = ids();
    org.rename_field("Thing__c", "Day__c", "Date__c");
    assert_eq!((ids(), &org.record(&thing).unwrap()["Date__c"]), (before, &json!("2026-01-01")));
    let own = Client::of(&org).with_authorization(Some(&format!("Bearer {}", user.access_token)));
    assert!(field(&own, "Thing__c", "Date__c").is_some(), "who was granted it has it");
    assert_eq!(code(&client.query("SELECT Day__c FROM Thing__c")), refused(400, "INVALID_FIELD"));
    org.delete_field("Thing__c", "Date__c");
    let rights = client.query("SELECT Id FROM FieldPermissions WHERE Field = 'Thing__c.Date__c'");
    assert_eq!(rights.json()["totalSize"], 0, "they go with the field");
}
