//! The org's answers beside those Salesforce gave: the same members of the same JSON types.
//!
//! The recordings lie beside the project and are not part of it. Where they are missing, these tests say what they did not
//! run.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Client, MockOrg, code, data, org, refused, typed};

/// A recording, or `None` after saying that it is not there.
pub(super) fn recording(name: &str) -> Option<Value> {
    Some(serde_json::from_str(&recorded_text(name)?).unwrap())
}

/// As [`recording`], of what is no JSON.
pub(super) fn recorded_text(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        // Past the capture of test output, so that it shows; if stderr is gone there is nobody to tell.
        let _ = writeln!(std::io::stderr(), "not run: {name}: there is no folder ../shared/recorded");
    }
    text
}

/// The body of the first exchange whose path ends so.
fn body_of(recording: &Value, path: &str) -> Value {
    let exchanges = recording.as_array().cloned().unwrap_or_else(|| vec![recording.clone()]);
    let path_of = |exchange: &Value| exchange["request"]["path"].as_str().map(str::to_owned);
    let hit = exchanges.iter().find(|exchange| path_of(exchange).is_some_and(|known| known.ends_with(path)));
    hit.unwrap_or(&exchanges[0])["body"].clone()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Members by name with the types they have, over several objects.
fn shape<'v>(objects: impl IntoIterator<Item = &'v Value>) -> BTreeMap<String, Vec<&'static str>> {
    let mut shape: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for object in objects {
        for (name, value) in object.as_object().unwrap_or_else(|| panic!("no object: {object}")) {
            let kinds = shape.entry(name.clone()).or_default();
            if !kinds.contains(&kind(value)) {
                kinds.push(kind(value));
            }
        }
    }
    shape
}

/// The same names; types that differ only where one side has null.
pub(super) fn assert_same_shape(what: &str, recorded: &Value, ours: &Value, extra: &[&str], missing: &[&str]) {
    let (recorded, ours) = (shape([recorded]), shape([ours]));
    for (name, kinds) in &recorded {
        let Some(own) = ours.get(name) else {
            assert!(missing.contains(&name.as_str()), "{what}: {name} is recorded and not ours");
            continue;
        };
        let comparable = own != &["null"] && kinds != &["null"];
        assert!(!comparable || own == kinds, "{what}: {name} is {own:?}, recorded {kinds:?}");
    }
    for name in ours.keys() {
        assert!(
            recorded.contains_key(name) || extra.contains(&name.as_str()),
            "{what}: {name} is ours and not recorded"
        );
    }
}

#[test]
fn describes_have_the_recorded_keys_and_types() {
    let (_org, client) = org();
    for object in ["Account", "Contact", "Event", "Lead", "Opportunity", "OpportunityContactRole"] {
        let file =
            if object == "Account" { "Account.describe.2026-v58".to_owned() } else { format!("{object}.describe") };
        let Some(recorded) = recording(&format!("describe/{file}.json")) else { continue };
        let recorded = if recorded.is_array() { recorded[0]["body"].clone() } else { recorded };
        let ours = client.get(&data(&format!("/sobjects/{object}/describe"))).json();
        // An older version's describe lacks these.
        let newer = ["associateEntityType", "associateParentEntity", "sobjectDescribeOption"];
        assert_same_shape(object, &recorded, &ours, &newer, &[]);
        for flag in [
            "keyPrefix",
            "label",
            "labelPlural",
            "createable",
            "deletable",
            "undeletable",
            "updateable",
            "queryable",
            "replicateable",
            "searchable",
            "mergeable",
            "layoutable",
            "feedEnabled",
            "triggerable",
            "deepCloneable",
            "mruEnabled",
            "compactLayoutable",
            "searchLayoutable",
            "custom",
        ] {
            assert_eq!(ours[flag], recorded[flag], "{object}.{flag}");
        }
        let empty = Vec::new();
        let list = |value: &Value, name: &str| value[name].as_array().unwrap_or(&empty).clone();
        for member in ["recordTypeInfos", "supportedScopes", "childRelationships"] {
            let (recorded, ours) = (list(&recorded, member), list(&ours, member));
            // The objects that refer to a contact role are not in this org.
            let none = object == "OpportunityContactRole" && member == "childRelationships";
            assert!(none || recorded.is_empty() == ours.is_empty(), "{object}.{member}");
            if let (Some(recorded), Some(ours)) = (recorded.first(), ours.first()) {
                assert_same_shape(&format!("{object}.{member}"), recorded, ours, &[], &[]);
            }
        }
        compare_fields(object, &list(&recorded, "fields"), &list(&ours, "fields"));
    }
}

fn picklist_left_out(field: &str) -> bool {
    field.ends_with("StateCode") || field.ends_with("CountryCode") || field.ends_with("TimeZoneSidKey")
}

fn compare_fields(object: &str, recorded: &[Value], ours: &[Value]) {
    let find = |fields: &[Value], name: &Value| fields.iter().find(|field| field["name"] == *name).cloned();
    for field in ours {
        assert!(find(recorded, &field["name"]).is_some(), "{object}.{}: not recorded", field["name"]);
    }
    for field in recorded {
        let what = format!("{object}.{}", field["name"].as_str().unwrap());
        // Fields of that one org.
        if field["custom"] == json!(true) {
            continue;
        }
        let own = find(ours, &field["name"]).unwrap_or_else(|| panic!("{what}: not ours"));
        assert_same_shape(&what, field, &own, &[], &[]);
        for (member, value) in field.as_object().unwrap() {
            let ours_alone = match member.as_str() {
                // The org has no state and country picklists, no calendars and no list of time zones.
                "controllerName" | "dependentPicklist" | "restrictedPicklist" => picklist_left_out(&what),
                // Values are compared below, their labels are the org's; not all targets are in this org.
                "picklistValues" | "referenceTo" => true,
                "aggregatable" => what == "Event.ActivityDate",
                _ => false,
            };
            assert!(ours_alone || own[member] == *value, "{what}.{member}: {} recorded {value}", own[member]);
        }
        let values = |field: &Value| -> Vec<Value> {
            field["picklistValues"].as_array().unwrap().iter().map(|entry| entry["value"].clone()).collect()
        };
        assert!(picklist_left_out(&what) || values(field) == values(&own), "{what}: {:?}", values(&own));
        if let (Some(recorded), Some(own)) = (field["picklistValues"].get(0), own["picklistValues"].get(0)) {
            assert_same_shape(&what, recorded, own, &[], &[]);
        }
    }
}

#[test]
fn describe_global_has_the_recorded_keys() {
    let Some(recorded) = recording("describe/global.describe.2026-v59.json") else { return };
    let recorded = recorded[0]["body"].clone();
    let (_org, client) = org();
    let answer = client.get(&data("/sobjects"));
    assert!(answer.header("etag").is_some() && answer.header("last-modified").is_some());
    let ours = answer.json();
    assert_same_shape("global", &recorded, &ours, &[], &[]);
    let entries = recorded["sobjects"].as_array().unwrap();
    for own in ours["sobjects"].as_array().unwrap().iter().filter(|own| own["custom"] == json!(false)) {
        let name = own["name"].as_str().unwrap();
        let Some(entry) = entries.iter().find(|entry| entry["name"] == *name) else { panic!("{name}: not recorded") };
        // Only Account's urls were kept.
        assert_same_shape(name, entry, own, &["urls"], &[]);
        for member in ["keyPrefix", "label", "labelPlural", "deletable", "updateable", "queryable", "replicateable"] {
            // Campaigns need a right the recorded user did not have.
            assert!(own[member] == entry[member] || name == "Campaign", "{name}.{member}");
        }
        if name == "Account" {
            assert_same_shape("Account.urls", &entry["urls"], &own["urls"], &[], &[]);
        }
    }
}

#[test]
fn a_record_has_the_recorded_members() {
    let (org, client) = org();
    let compare = |recorded: &Value, object: &str, id: &str, missing: &[&str], extra: &[&str]| {
        let ours = client.get(&data(&format!("/sobjects/{object}/{id}"))).json();
        assert_same_shape(object, recorded, &ours, extra, missing);
    };
    if let Some(recorded) = recording("rest/get-record-account.json") {
        let custom = [
            "CustomerPriority__c",
            "SLA__c",
            "Active__c",
            "NumberofLocations__c",
            "UpsellOpportunity__c",
            "SLASerialNumber__c",
            "SLAExpirationDate__c",
        ];
        let id =
            org.insert("Account", json!({"Name": "A", "BillingCity": "x", "AnnualRevenue": 1, "NumberOfEmployees": 2}));
        compare(&recorded[0]["body"], "Account", &id, &custom, &[]);
    }
    if let Some(recorded) = recording("rest/organization-record.json") {
        compare(&recorded["body"], "Organization", &org.org_id(), &[], &["City", "ReceivesInfoEmails"]);
    }
}

#[test]
fn basic_information_has_the_recorded_members() {
    let Some(recorded) = recording("rest/sobject-basic-info.json") else { return };
    let (org, client) = org();
    org.insert("Account", json!({"Name": "A"}));
    let (recorded, ours) = (&recorded[0]["body"], client.get(&data("/sobjects/Account/")).json());
    assert_same_shape("basic", recorded, &ours, &[], &[]);
    assert_same_shape("basic.objectDescribe", &recorded["objectDescribe"], &ours["objectDescribe"], &[], &[]);
    assert_same_shape("basic.recentItems", &recorded["recentItems"][0], &ours["recentItems"][0], &[], &[]);
}

#[test]
fn writes_answer_as_recorded() {
    let (org, client) = org();
    if let Some(recorded) = recording("rest/create-record-201.json") {
        let ours = client.post(&data("/sobjects/Account/"), &json!({"Name": "Test Account"}));
        let exchange = &recorded[0];
        assert_eq!(json!(ours.status), exchange["status"]);
        assert_same_shape("create", &exchange["body"], &ours.json(), &[], &[]);
        for (name, value) in exchange["headers"].as_object().unwrap() {
            let own = ours.header(name).unwrap_or_else(|| panic!("no header {name}"));
            if ["content-type", "cache-control", "vary", "server"].contains(&name.as_str()) {
                assert_eq!(own, value.as_str().unwrap(), "{name}");
            }
        }
    }
    if let Some(recorded) = recording("rest/upsert-created-201.json") {
        let ours = client
            .patch(&data("/sobjects/Contact/Email/test_upsert_004%40example.com"), &json!({"LastName": "TestUser"}));
        assert_eq!(json!(ours.status), recorded[0]["status"]);
        assert_same_shape("upsert", &recorded[0]["body"], &ours.json(), &[], &[]);
    }
    if let Some(recorded) = recording("rest/upsert-updated-200-updateonly.json") {
        let id = org.insert("Account", json!({"Name": "A"}));
        let ours = client
            .patch(&data(&format!("/sobjects/Account/Id/{id}?updateOnly=true")), &json!({"Phone": "555-UPDATED"}));
        assert_eq!(json!(ours.status), recorded[0]["status"]);
        assert_same_shape("updateOnly", &recorded[0]["body"], &ours.json(), &[], &[]);
    }
}

#[test]
fn collections_refuse_as_recorded() {
    let (_org, client) = org();
    if let Some(recorded) = recording("rest/collections-create-allornone-rollback.json") {
        let records = json!([typed("Contact", json!({"FirstName": "A"})), typed("Contact", json!({"LastName": "B"}))]);
        let ours = client.post(&data("/composite/sobjects"), &json!({"allOrNone": true, "records": records}));
        assert_eq!(ours.json(), recorded);
    }
    for (file, path) in [
        ("rest/collections-update-error.json", "/composite/sobjects"),
        ("rest/collections-upsert-error.json", "/composite/sobjects/Account/Id"),
    ] {
        let Some(recorded) = recording(file) else { continue };
        let ours = client.patch(&data(path), &recorded[0]["request"]["data"]);
        assert_eq!(json!(ours.status), recorded[0]["status"]);
        assert_eq!(ours.json(), recorded[0]["body"], "{file}");
    }
    if let Some(recorded) = recording("rest/error-not-writeable.json") {
        let ours =
            client.post(&data("/sobjects/Account"), &json!({"Name": "A", "MasterRecordId": "001000000000000AAA"}));
        assert_eq!(ours.json(), recorded);
    }
}

/// A recorded request body for this org: the version of a path may be left out of a recording.
fn sent(recorded: &Value, member: &str) -> Value {
    serde_json::from_str(&recorded["request"][member].to_string().replace("/vxx.0/", "/v63.0/")).unwrap()
}

#[test]
fn composites_answer_as_recorded() {
    let (org, client) = org();
    if let Some(recorded) = recording("rest/composite-304-if-modified-since.json") {
        let recorded = &recorded[0];
        let mut request = sent(recorded, "body");
        // The recorded org had not changed since then; this one is younger.
        for part in request["compositeRequest"].as_array_mut().unwrap() {
            part["httpHeaders"]["If-Modified-Since"] = json!("Fri, 01 Jan 2100 00:00:00 GMT");
        }
        let ours = client.post("/services/data/v49.0/composite", &request);
        assert_eq!(json!(ours.status), recorded["status"]);
        let (recorded, ours) = (&recorded["body"], ours.json());
        assert_same_shape("composite", recorded, &ours, &[], &[]);
        for place in 0..3 {
            let (recorded, ours) = (&recorded["compositeResponse"][place], &ours["compositeResponse"][place]);
            assert_same_shape("sub-request", recorded, ours, &[], &[]);
            assert_same_shape("its headers", &recorded["httpHeaders"], &ours["httpHeaders"], &[], &[]);
            for member in ["body", "httpStatusCode", "referenceId"] {
                assert_eq!(ours[member], recorded[member]);
            }
        }
    }
    if let Some(recorded) = recording("rest/composite-query-count-and-invalid-type.json") {
        for _ in 0..17 {
            org.insert("Account", json!({"Name": "A"}));
        }
        // Blanks in the url are recorded: whoever sent it did not encode them.
        let ours = client.post(&data("/composite"), &sent(&recorded[0], "body"));
        assert_eq!(json!(ours.status), recorded[0]["status"]);
        let (recorded, mut ours) = (recorded[0]["body"].clone(), ours.json());
        let text = |answer: &Value| answer["compositeResponse"][1]["body"][0]["message"].clone();
        assert!(text(&ours).as_str().unwrap().contains("sObject type 'XYZZY' is not supported."), "{ours}");
        ours["compositeResponse"][1]["body"][0]["message"] = text(&recorded);
        assert_eq!(ours, recorded);
    }
}

#[test]
fn a_graph_answers_as_recorded() {
    let (_org, client) = org();
    let Some(recorded) = recording("rest/composite-graph.json") else { return };
    let recorded = &recorded[0];
    let ours = client.post("/services/data/v66.0/composite/graph", &sent(recorded, "data"));
    assert_eq!(json!(ours.status), recorded["status"]);
    let (mut recorded, mut ours) = (recorded["body"].clone(), ours.json());
    for answer in [&mut recorded, &mut ours] {
        let part = &mut answer["graphs"][0]["graphResponse"]["compositeResponse"][0];
        let id = part["body"]["id"].as_str().unwrap().to_owned();
        assert_eq!(part["httpHeaders"]["Location"], json!(format!("/services/data/v66.0/sobjects/Account/{id}")));
        part["body"]["id"] = json!("an id");
        part["httpHeaders"]["Location"] = json!("its url");
    }
    assert_eq!(ours, recorded);
}

#[test]
fn a_collection_of_deletes_answers_as_recorded() {
    let (org, client) = org();
    let Some(recorded) = recording("rest/collections-delete-and-versions.json") else { return };
    let deletion =
        recorded.as_array().unwrap().iter().find(|exchange| exchange["request"]["method"] == "DELETE").unwrap();
    let ids: Vec<&str> = deletion["request"]["params"]["ids"].as_str().unwrap().split(',').collect();
    for id in &ids {
        org.insert("Account", json!({"Name": "A", "Id": id}));
    }
    let path =
        format!("/services/data/v66.0/composite/sobjects?ids={}&allOrNone=false&sObjectName=Account", ids.join(","));
    let ours = client.delete(&path);
    assert_eq!((json!(ours.status), ours.json()), (deletion["status"].clone(), deletion["body"].clone()));
}

#[test]
fn query_pages_have_the_recorded_members() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "A", "Phone": "1", "Website": "w", "Industry": "Energy"}));
    let contact = org.insert("Contact", json!({"LastName": "C"}));
    let opportunity = json!({"Name": "O", "AccountId": account, "StageName": "Prospecting", "CloseDate": "2026-03-08", "Amount": 15000});
    let opportunity = org.insert("Opportunity", opportunity);
    org.insert(
        "OpportunityContactRole",
        json!({"OpportunityId": opportunity, "ContactId": contact, "Role": "Decision Maker"}),
    );
    for number in 0..2001 {
        org.insert("Account", json!({"Name": format!("B{number}")}));
    }
    for file in
        ["rest/query-first-page-truncated.json", "rest/query-opportunities.json", "rest/query-users-with-profile.json"]
    {
        let Some(recorded) = recording(file) else { continue };
        let soql = recorded[0]["request"]["params"]["q"].as_str().unwrap();
        let (recorded, ours) = (&recorded[0]["body"], client.query(soql).json());
        let unfinished = recorded["done"] == false;
        assert_eq!(unfinished, ours["done"] == false, "{file}");
        assert_same_shape(file, recorded, &ours, &[], &[]);
        // What is null in one row may be set in another.
        let rows = |page: &Value| shape(page["records"].as_array().unwrap());
        let (recorded, ours) = (rows(recorded), rows(&ours));
        assert_eq!(recorded.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>(), "{file}");
        for (name, kinds) in &ours {
            let known = &recorded[name];
            assert!(
                kinds.iter().all(|kind| *kind == "null" || known.contains(kind) || known == &["null"]),
                "{file}: {name} is {kinds:?}, recorded {known:?}"
            );
        }
    }
    if let Some(recorded) = recording("rest/query-nested-subquery.json") {
        let soql = "SELECT Id, Name, Amount, StageName, (SELECT Id, ContactId, Role FROM OpportunityContactRoles) FROM Opportunity";
        let ours = client.query(soql).json();
        let child = |page: &Value| page["records"][0]["OpportunityContactRoles"].clone();
        assert_same_shape("row", &recorded["records"][0], &ours["records"][0], &[], &[]);
        assert_same_shape("children", &child(&recorded), &child(&ours), &[], &[]);
        assert_same_shape("child", &child(&recorded)["records"][0], &child(&ours)["records"][0], &[], &[]);
    }
    if let Some(recorded) = recording("restforce-fixtures/query_aggregate_success_response.json") {
        let ours = client.query("SELECT CampaignId, SUM(Amount) FROM Opportunity GROUP BY CampaignId").json();
        assert_same_shape("aggregate", &recorded["records"][0], &ours["records"][0], &[], &[]);
        assert_eq!(ours["records"][0]["attributes"], recorded["records"][0]["attributes"]);
    }
    if let Some(recorded) = recording("rest/error-invalid-type-query.json") {
        let ours = client.query("SELECT Id,Name,BillingCity,IsDeleted FROM Accout");
        assert_eq!((ours.status, &ours.json()[0]["errorCode"]), (400, &recorded[0]["errorCode"]));
    }
}

#[test]
fn deletions_answer_as_recorded() {
    let (org, client) = org();
    let Some(recorded) = recording("rest/create-delete-cascade-404.json") else { return };
    let account = org.insert("Account", json!({"Name": "A"}));
    let contact = org.insert("Contact", json!({"LastName": "C", "AccountId": account}));
    let ours = client.delete(&data(&format!("/sobjects/Account/{account}")));
    let deletion =
        recorded.as_array().unwrap().iter().find(|exchange| exchange["request"]["method"] == "DELETE").unwrap();
    assert_eq!(json!(ours.status), deletion["status"]["code"]);
    // The protocol facts have the answer to deleting a child that went with its parent from the same cassette.
    let gone = client.delete(&data(&format!("/sobjects/Contact/{contact}")));
    assert_eq!(code(&gone), refused(404, "ENTITY_IS_DELETED"));
}

#[test]
fn versions_and_limits_are_the_recorded_ones() {
    let (_org, client) = org();
    if let Some(recorded) = recording("rest/collections-delete-and-versions.json") {
        let ours = client.get("/services/data").json();
        let mut recorded = body_of(&recorded, "/services/data");
        for entry in recorded.as_array_mut().unwrap() {
            // One release was typed with another apostrophe.
            entry["label"] = json!(entry["label"].as_str().unwrap().replace('\u{2019}', "'"));
        }
        assert_eq!(ours, recorded);
    }
    if let Some(recorded) = recording("rest/limits-v60.json") {
        let (recorded, ours) = (&recorded[0]["body"], client.get(&data("/limits")).json());
        assert_same_shape("limits", recorded, &ours, &[], &[]);
        for (name, limit) in recorded.as_object().unwrap() {
            assert_same_shape(name, limit, &ours[name], &[], &[]);
            assert_eq!(ours[name]["Max"], limit["Max"], "{name}");
        }
    }
}

#[test]
fn userinfo_and_identity_have_the_recorded_members() {
    let (org, client) = org();
    if let Some(recorded) = recording("oauth/userinfo.json") {
        let ours = client.get("/services/oauth2/userinfo").json();
        assert_same_shape("userinfo", &recorded[0]["body"], &ours, &[], &[]);
        assert_same_shape("userinfo.urls", &recorded[0]["body"]["urls"], &ours["urls"], &[], &[]);
        assert_same_shape("userinfo.photos", &recorded[0]["body"]["photos"], &ours["photos"], &[], &[]);
    }
    if let Some(bodies) = cassette("oauth/password-flow-token-resources-identity.yml") {
        let token = login(&org, &client);
        assert_same_shape("token", &bodies[0], &token, &[], &[]);
        let resources = client.get(&data("")).json();
        for name in bodies[1].as_object().unwrap().keys() {
            // Removed since 2015.
            assert!(resources.get(name).is_some() || name == "flexiPage", "resources: {name}");
        }
        let ours = client.get(&format!("/id/{}/{}", org.org_id(), org.user_id())).json();
        assert_same_shape("identity", &bodies[2], &ours, &[], &[]);
        assert_same_shape("identity.urls", &bodies[2]["urls"], &ours["urls"], &[], &[]);
    }
}

/// The JSON bodies of the answers of a cassette.
fn cassette(name: &str) -> Option<Vec<Value>> {
    let text = recorded_text(name)?;
    let json = |line: &str| serde_json::from_str(line.trim().strip_prefix("string: '")?.strip_suffix('\'')?).ok();
    Some(text.lines().filter_map(json).filter(Value::is_object).collect())
}

fn login(org: &MockOrg, client: &Client) -> Value {
    let (id, secret, name, password) = (org.client_id(), org.client_secret(), org.username(), org.password());
    let fields = [
        ("grant_type", "password"),
        ("client_id", &id),
        ("client_secret", &secret),
        ("username", &name),
        ("password", &password),
    ];
    client.with_authorization(None).form("/services/oauth2/token", &fields).json()
}
