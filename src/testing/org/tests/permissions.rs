//! What users may see and do, on every API.

use serde_json::json;

use super::super::UserSpec;
use super::soap::{Outcome, Soap};
use super::{Client, FieldSpec, MockOrg, code, data, error, refused, row_codes, typed};

fn client_of(org: &MockOrg, token: &str) -> Client {
    Client::of(org).with_authorization(Some(&format!("Bearer {token}")))
}

fn field_of(describe: &serde_json::Value, name: &str) -> Option<serde_json::Value> {
    describe["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).cloned()
}

#[test]
fn a_new_field_is_hidden_until_it_is_granted() {
    let org = MockOrg::start();
    let (soap, client) = (Soap::of(&org), Client::of(&org));
    let field = "<fullName>Contact.Score__c</fullName><externalId>true</externalId><label>Score</label><precision>4</precision>\
         <scale>0</scale><type>Number</type>";
    assert_eq!(soap.save("createMetadata", "CustomField", &[field]), [Outcome::Saved]);
    let contact = org.insert("Contact", json!({"LastName": "A", "Score__c": 7}));
    let path = data(&format!("/sobjects/Contact/{contact}"));
    let describe = || client.get(&data("/sobjects/Contact/describe")).json();
    assert_eq!(field_of(&describe(), "Score__c"), None, "hidden from the administrator as well");
    assert_eq!(code(&client.query("SELECT Score__c FROM Contact")), refused(400, "INVALID_FIELD"));
    let hidden = client.patch(&path, &json!({"Score__c": 1}));
    let text = "No such column 'Score__c' on sobject of type Contact".to_owned();
    assert_eq!(error(&hidden), (400, "INVALID_FIELD".to_owned(), text));
    assert_eq!(code(&client.get(&format!("{path}?fields=Score__c"))), refused(400, "INVALID_FIELD"));
    assert!(client.get(&path).json().get("Score__c").is_none());
    let upsert = client.patch(&data("/sobjects/Contact/Score__c/7"), &json!({"LastName": "B"}));
    let text = "Provided external ID field does not exist or is not accessible: Score__c".to_owned();
    assert_eq!(error(&upsert), (404, "NOT_FOUND".to_owned(), text));
    let rows = client.patch(
        &data("/composite/sobjects"),
        &json!({"records": [typed("Contact", json!({"Id": contact, "Score__c": 1}))]}),
    );
    assert_eq!(row_codes(&rows), ["INVALID_FIELD"]);

    let set = |edit: bool| {
        format!(
            "<fullName>Score</fullName><fieldPermissions><editable>{edit}</editable><field>Contact.Score__c</field>\
             <readable>true</readable></fieldPermissions><label>Score</label>"
        )
    };
    assert_eq!(soap.save("upsertMetadata", "PermissionSet", &[&set(false)]), [Outcome::Created]);
    assert_eq!(field_of(&describe(), "Score__c"), None, "granted to nobody yet");
    let id = client.query("SELECT Id FROM PermissionSet WHERE Name = 'Score'").json()["records"][0]["Id"].clone();
    let assignment = json!({"AssigneeId": org.user_id(), "PermissionSetId": id});
    assert_eq!(client.post(&data("/sobjects/PermissionSetAssignment"), &assignment).status, 201);
    let seen = field_of(&describe(), "Score__c").unwrap();
    assert_eq!((&seen["createable"], &seen["updateable"]), (&json!(false), &json!(false)));
    assert_eq!(client.query("SELECT Score__c FROM Contact").json()["records"][0]["Score__c"], 7.0);
    assert_eq!(code(&client.patch(&path, &json!({"Score__c": 1}))), refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE"));
    assert_eq!(soap.save("upsertMetadata", "PermissionSet", &[&set(true)]), [Outcome::Unchanged]);
    assert_eq!(client.patch(&path, &json!({"Score__c": 1})).status, 204);
    assert_eq!(field_of(&describe(), "Score__c").unwrap()["updateable"], true);
}

#[test]
fn a_user_without_rights_sees_nothing() {
    let org = MockOrg::start();
    let user = org.add_user(UserSpec::new("nobody@example.com"));
    let client = client_of(&org, &user.access_token);
    assert_eq!(code(&client.get(&data("/limits"))), refused(403, "API_CURRENTLY_DISABLED"));
    org.grant_system(&user.user_id, "ApiEnabled");
    assert_eq!(client.get(&data("")).status, 200);
    assert_eq!(code(&client.get(&data("/limits"))), refused(403, "INSUFFICIENT_ACCESS"));
    assert_eq!(code(&client.get(&data("/limits/recordCount"))), refused(403, "INSUFFICIENT_ACCESS"));
    assert_eq!(code(&client.get(&data("/sobjects/Account/describe"))), refused(404, "NOT_FOUND"));
    assert_eq!(code(&client.query("SELECT Id FROM Account")), refused(400, "INVALID_TYPE"));
    assert_eq!(code(&client.post(&data("/sobjects/Account"), &json!({"Name": "A"}))), refused(404, "NOT_FOUND"));
    let global = client.get(&data("/sobjects")).json();
    let names: Vec<&str> =
        global["sobjects"].as_array().unwrap().iter().filter_map(|object| object["name"].as_str()).collect();
    assert!(!names.contains(&"Account") && !names.contains(&"PermissionSet") && names.contains(&"User"), "{names:?}");
    let rows = client.post(&data("/composite/sobjects"), &json!({"records": [typed("Account", json!({"Name": "A"}))]}));
    assert_eq!(row_codes(&rows), ["INVALID_TYPE"]);
}

#[test]
fn rights_on_an_object_are_kept_apart() {
    let org = MockOrg::start();
    let spec = UserSpec::new("reader@example.com").permission("ApiEnabled").object("Account", &["Read", "Edit"]);
    let user = org.add_user(spec);
    let client = client_of(&org, &user.access_token);
    let account = org.insert("Account", json!({"Name": "A", "Website": "https://a.example"}));
    let path = data(&format!("/sobjects/Account/{account}"));
    let describe = client.get(&data("/sobjects/Account/describe")).json();
    let flags = ["createable", "updateable", "deletable"].map(|flag| describe[flag].as_bool().unwrap());
    assert_eq!(flags, [false, true, false]);
    assert_eq!(client.query("SELECT Website FROM Account").json()["records"][0]["Website"], "https://a.example");
    assert_eq!(client.patch(&path, &json!({"Name": "B"})).status, 204);
    let create = client.post(&data("/sobjects/Account"), &json!({"Name": "C"}));
    assert_eq!(code(&create), refused(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"));
    let text = "insufficient access rights on object id".to_owned();
    assert_eq!(error(&client.delete(&path)), (403, "INSUFFICIENT_ACCESS_OR_READONLY".to_owned(), text));
    let rows = client.delete(&data(&format!("/composite/sobjects?ids={account}")));
    assert_eq!(row_codes(&rows), ["INSUFFICIENT_ACCESS_OR_READONLY"]);
    assert_eq!(org.count("Account"), 1);
}

#[test]
fn each_right_of_an_administrator_can_be_taken() {
    let org = MockOrg::start();
    let (client, admin) = (Client::of(&org), org.user_id());
    let contact = org.insert("Contact", json!({"LastName": "A", "Email": "a@example.com"}));
    let path = data(&format!("/sobjects/Contact/{contact}"));
    org.revoke_field(&admin, "Contact", "Email", "Edit");
    assert_eq!(
        code(&client.patch(&path, &json!({"Email": "b@example.com"}))),
        refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    );
    org.revoke_field(&admin, "Contact", "Email", "Read");
    assert_eq!(code(&client.query("SELECT Email FROM Contact")), refused(400, "INVALID_FIELD"));
    org.revoke_object(&admin, "Contact", "Edit");
    assert_eq!(code(&client.patch(&path, &json!({"LastName": "B"}))), refused(403, "INSUFFICIENT_ACCESS_OR_READONLY"));
    org.revoke_object(&admin, "Contact", "Read");
    assert_eq!(code(&client.get(&path)), refused(404, "NOT_FOUND"));
    org.restore_rights();
    assert_eq!(client.query("SELECT Email FROM Contact").status, 200);
    org.revoke_system(&admin, "AssignPermissionSets");
    assert_eq!(
        client.post(&data("/sobjects/PermissionSetAssignment"), &json!({})).status,
        400,
        "managing users will do"
    );
    org.revoke_system(&admin, "ManageUsers");
    let assignment = client.post(&data("/sobjects/PermissionSetAssignment"), &json!({}));
    assert_eq!(code(&assignment), refused(403, "INSUFFICIENT_ACCESS_OR_READONLY"));
    org.revoke_system(&admin, "ViewSetup");
    assert_eq!(code(&client.query("SELECT Id FROM FieldPermissions")), refused(400, "INVALID_TYPE"));
    org.revoke_system(&admin, "CustomizeApplication");
    let field = "<fullName>Contact.A__c</fullName><label>A</label><length>5</length><type>Text</type>";
    let soap = Soap::of(&org);
    assert!(
        matches!(&soap.save("createMetadata", "CustomField", &[field])[..], [Outcome::Refused(code, _)] if code == "INSUFFICIENT_ACCESS")
    );
    org.revoke_system(&admin, "ModifyMetadata");
    assert!(soap.read("CustomField", "Contact.A__c").is_none(), "all data may be modified");
    org.revoke_system(&admin, "ModifyAllData");
    let describe = "<describeMetadata><asOfVersion>63.0</asOfVersion></describeMetadata>";
    assert_eq!(soap.fault(describe).0, "sf:INSUFFICIENT_ACCESS");
    org.revoke_system(&admin, "ApiEnabled");
    assert_eq!(soap.fault(describe).0, "sf:API_CURRENTLY_DISABLED");
}

#[test]
fn what_is_taken_is_seen_in_the_records_of_the_profile() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let flags = || {
        let query = format!(
            "SELECT PermissionsModifyMetadata, PermissionsViewSetup FROM PermissionSet WHERE Id IN (SELECT \
             PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = '{}')",
            org.user_id()
        );
        let answer = client.query(&query).json();
        assert_eq!(answer["totalSize"], 1);
        let row = answer["records"][0].clone();
        ["PermissionsModifyMetadata", "PermissionsViewSetup"].map(|name| row[name].as_bool().unwrap())
    };
    assert_eq!(flags(), [true, true]);
    org.revoke_system(&org.user_id(), "ModifyMetadata");
    assert_eq!(flags(), [false, true]);
    let others = client.query("SELECT COUNT() FROM PermissionSet WHERE PermissionsModifyMetadata = true").json();
    assert_eq!(others["totalSize"], 1, "the other administrator keeps it");
    org.grant_system(&org.user_id(), "ModifyMetadata");
    assert_eq!(flags(), [true, true]);
}

#[test]
fn an_app_runs_as_its_own_user() {
    let org = MockOrg::start();
    let user = org.add_user(UserSpec::new("integration@example.com").standard());
    let client = Client::of(&org).with_authorization(None);
    let token = client.form(
        "/services/oauth2/token",
        &[("grant_type", "client_credentials"), ("client_id", &user.client_id), ("client_secret", &user.client_secret)],
    );
    assert!(token.json()["id"].as_str().unwrap().ends_with(&user.user_id));
    let own = client_of(&org, token.json()["access_token"].as_str().unwrap());
    let info = own.get("/services/oauth2/userinfo").json();
    assert_eq!((&info["user_id"], &info["active"]), (&json!(user.user_id), &json!(true)));
    assert_eq!(own.post(&data("/sobjects/Account"), &json!({"Name": "A"})).status, 201);
    let created = &org.records("Account")[0]["CreatedById"];
    assert_eq!(*created, user.user_id);
    let login = format!(
        "<soapenv:Envelope xmlns:soapenv='http://schemas.xmlsoap.org/soap/envelope/'><soapenv:Body>\
         <login xmlns='urn:partner.soap.sforce.com'><username>{}</username><password>{}</password></login>\
         </soapenv:Body></soapenv:Envelope>",
        user.username, user.password
    );
    let answer = client.send("POST", "/services/Soap/u/50.0", &[("Content-Type", "text/xml")], &login).unwrap();
    assert!(answer.body.contains(&format!("<userId>{}</userId>", user.user_id)), "{}", answer.body);
    let wrong = client.form(
        "/services/oauth2/token",
        &[
            ("grant_type", "client_credentials"),
            ("client_id", &user.client_id),
            ("client_secret", &org.client_secret()),
        ],
    );
    assert_eq!(wrong.json()["error"], "invalid_client");
    let admin = Client::of(&org);
    let user_path = data(&format!("/sobjects/User/{}", user.user_id));
    assert_eq!(admin.patch(&user_path, &json!({"IsActive": false})).status, 204);
    assert_eq!(code(&own.get(&data("/limits"))), refused(401, "INVALID_SESSION_ID"), "who is gone is logged out");
}

#[test]
fn a_hidden_field_keeps_its_value_and_its_rules() {
    let org = MockOrg::start();
    org.add_field("Contact", FieldSpec::text("Code__c", 9).unique().default_value("x"));
    let (client, admin) = (Client::of(&org), org.user_id());
    org.revoke_field(&admin, "Contact", "Code__c", "Read");
    assert_eq!(client.post(&data("/sobjects/Contact"), &json!({"LastName": "A"})).status, 201);
    assert_eq!(org.records("Contact")[0]["Code__c"], "x");
    let second = client.post(&data("/sobjects/Contact"), &json!({"LastName": "B"}));
    assert_eq!(code(&second), refused(400, "DUPLICATE_VALUE"));
}

#[test]
fn a_parent_that_cannot_be_read_cannot_be_named() {
    let org = MockOrg::start();
    let spec = UserSpec::new("clerk@example.com").permission("ApiEnabled");
    let user = org.add_user(spec.object("Contact", &["Read", "Create"]));
    let client = client_of(&org, &user.access_token);
    let account = org.insert("Account", json!({"Name": "A"}));
    let contact = client.post(&data("/sobjects/Contact"), &json!({"LastName": "A", "AccountId": account}));
    assert_eq!(code(&contact), refused(400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"));
    assert_eq!(client.post(&data("/sobjects/Contact"), &json!({"LastName": "A"})).status, 201);
}

#[test]
fn a_seed_chooses_its_id() {
    let org = MockOrg::start();
    let id = org.insert("Account", json!({"Id": "001Mk0000000007", "Name": "A"}));
    assert!(id.starts_with("001Mk0000000007") && id.len() == 18);
    assert_eq!(org.record(&id).unwrap()["Name"], "A");
    for _ in 0..8 {
        org.insert("Account", json!({"Name": "B"}));
    }
    assert_eq!(org.count("Account"), 9, "no made id is the chosen one");
}
