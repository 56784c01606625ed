//! The Tooling API and the metadata catalog.

use serde_json::{Value, json};

use super::super::UserSpec;
use super::soap::{Outcome, Soap};
use super::{Answer, Client, FieldSpec, MockOrg, code, data, error, org, refused};

fn tooling(client: &Client, soql: &str) -> Answer {
    let q: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
    client.get(&data(&format!("/tooling/query?q={q}")))
}

/// The values of a column.
fn column(answer: &Answer, name: &str) -> Vec<Value> {
    answer.json()["records"].as_array().unwrap().iter().map(|record| record[name].clone()).collect()
}

fn fields_of(client: &Client, object: &str, columns: &str) -> Vec<Value> {
    let soql = format!("SELECT {columns} FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = '{object}'");
    tooling(client, &soql).json()["records"].as_array().unwrap().clone()
}

#[test]
fn a_field_definition_has_what_the_setup_page_shows() {
    let (org, client) = org();
    let answer = tooling(
        &client,
        "SELECT Id, DurableId, QualifiedApiName, DeveloperName, DataType, Length, IsNillable, ReferenceTo, RelationshipName, \
         EntityDefinitionId, EntityDefinition.QualifiedApiName FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName \
         IN ('Contact', 'Thing__c') AND QualifiedApiName IN ('AccountId', 'Key__c')",
    );
    let body = answer.json();
    assert_eq!((&body["size"], &body["totalSize"], &body["done"]), (&json!(2), &json!(2), &json!(true)));
    assert_eq!((&body["queryLocator"], &body["entityTypeName"]), (&Value::Null, &json!("FieldDefinition")));
    let account = &body["records"][0];
    assert_eq!(account["attributes"]["url"], data("/tooling/sobjects/FieldDefinition/Contact.Account"));
    assert_eq!(account["ReferenceTo"], json!({"referenceTo": ["Account"]}));
    assert_eq!((&account["DurableId"], &account["RelationshipName"]), (&json!("Contact.Account"), &json!("Account")));
    assert_eq!((&account["DataType"], &account["Id"]), (&json!("Lookup(Account)"), &json!("000000000000000AAA")));
    let key = &body["records"][1];
    assert_eq!((&key["DataType"], &key["DeveloperName"]), (&json!("Text(20) (External ID)"), &json!("Key")));
    assert_eq!(key["EntityDefinition"]["QualifiedApiName"], "Thing__c");
    let object = key["EntityDefinitionId"].as_str().unwrap();
    assert!(object.starts_with("01I") && object.len() == 15, "{object}");
    let by_id = tooling(
        &client,
        &format!("SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinitionId = '{object}'"),
    );
    assert!(column(&by_id, "QualifiedApiName").contains(&json!("Serial__c")));
    drop(org);
}

#[test]
fn types_are_spelt_as_on_the_page() {
    let (_org, client) = org();
    let things = fields_of(&client, "Thing__c", "QualifiedApiName, DataType");
    let kind = |name: &str| things.iter().find(|field| field["QualifiedApiName"] == name).unwrap()["DataType"].clone();
    for (name, expected) in [
        ("Id", "Lookup()"),
        ("Name", "Text(80)"),
        ("OwnerId", "Lookup(User,Group)"),
        ("Code__c", "Text(20) (Unique Case Insensitive)"),
        ("Number__c", "Number(4, 2)"),
        ("Serial__c", "Number(18, 0) (External ID) (Unique)"),
        ("Flag__c", "Checkbox"),
        ("At__c", "Date/Time"),
        ("Tags__c", "Picklist (Multi-Select)"),
        ("Account__c", "Lookup(Account)"),
    ] {
        assert_eq!(kind(name), expected, "{name}");
    }
    let sessions = fields_of(&client, "Navattic_Session__c", "QualifiedApiName, DataType");
    let key = sessions.iter().find(|field| field["QualifiedApiName"] == "Navattic_Session_Key__c").unwrap();
    assert_eq!(key["DataType"], "Text(80) (External ID) (Unique Case Sensitive)");
}

#[test]
fn field_level_security_hides_nothing_here() {
    let org = MockOrg::start();
    let (soap, client) = (Soap::of(&org), Client::of(&org));
    let field = "<fullName>Contact.Score__c</fullName><label>Score</label><precision>4</precision><scale>0</scale>\
         <type>Number</type>";
    assert_eq!(soap.save("createMetadata", "CustomField", &[field]), [Outcome::Saved]);
    let describe = client.get(&data("/sobjects/Contact/describe"));
    assert!(!describe.body.contains("Score__c"));
    let where_ = "WHERE EntityDefinition.QualifiedApiName = 'Contact' AND QualifiedApiName = 'Score__c'";
    let seen = tooling(&client, &format!("SELECT DataType FROM FieldDefinition {where_}"));
    assert_eq!(column(&seen, "DataType"), [json!("Number(4, 0)")]);
    let of_data = client.query(&format!("SELECT DataType FROM FieldDefinition {where_}"));
    assert_eq!(of_data.json()["totalSize"], 0, "the data API shows what the user may see");
}

#[test]
fn the_catalog_asks_for_view_setup() {
    let org = MockOrg::start();
    let user = org.add_user(UserSpec::new("u@example.com").standard());
    let client = Client::of(&org).with_authorization(Some(&format!("Bearer {}", user.access_token)));
    let soql = "SELECT Label FROM EntityDefinition WHERE QualifiedApiName = 'Account'";
    assert_eq!(code(&tooling(&client, soql)), refused(400, "INVALID_TYPE"));
    assert_eq!(code(&client.get(&data("/tooling/sobjects/CustomField/describe"))), refused(404, "NOT_FOUND"));
    org.grant_system(&user.user_id, "ViewSetup");
    assert_eq!(column(&tooling(&client, soql), "Label"), [json!("Account")]);
}

#[test]
fn the_catalog_refuses_what_it_cannot_do() {
    let (_org, client) = org();
    let refusal = |soql: &str| error(&tooling(&client, soql));
    let catalog = |text: &str| (400, "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION".to_owned(), text.to_owned());
    // The examples of the guide.
    let storage = "The requested operation is not yet supported by this SObject storage type, contact salesforce.com \
         support for more information.";
    assert_eq!(
        refusal("SELECT COUNT(qualifiedapiname), isfeedenabled FROM EntityDefinition GROUP BY isfeedenabled"),
        catalog(storage)
    );
    assert_eq!(refusal("SELECT COUNT() FROM EntityDefinition"), catalog(storage));
    assert_eq!(
        refusal("SELECT qualifiedapiname FROM EntityDefinition WHERE qualifiedapiname!='Account'"),
        catalog("Only equals comparisons permitted")
    );
    assert_eq!(
        refusal("SELECT keyprefix FROM EntityDefinition WHERE isdeprecatedandhidden=true OR keyprefix='01j'"),
        catalog("Disjunctions not supported")
    );
    let all = tooling(&client, "SELECT qualifiedapiname FROM EntityDefinition LIMIT 5");
    assert!(column(&all, "QualifiedApiName").len() > 20, "LIMIT is ignored");
    let (status, code, text) = refusal("SELECT QualifiedApiName FROM FieldDefinition WHERE QualifiedApiName = 'Name'");
    assert_eq!((status, code.as_str()), (400, "MALFORMED_QUERY"));
    assert_eq!(text, "FieldDefinition: a filter on a reified column is required [EntityDefinitionId,DurableId]");
}

#[test]
fn an_entity_has_its_fields() {
    let (org, client) = org();
    let soap = Soap::of(&org);
    let object = "<fullName>Visit__c</fullName><deploymentStatus>InDevelopment</deploymentStatus><enableHistory>true</enableHistory>\
         <label>Visit</label><nameField><label>Visit</label><type>Text</type></nameField><pluralLabel>Visits</pluralLabel>\
         <sharingModel>Private</sharingModel>";
    assert_eq!(soap.save("createMetadata", "CustomObject", &[object]), [Outcome::Saved]);
    let body = tooling(
        &client,
        "SELECT QualifiedApiName, DeveloperName, PluralLabel, KeyPrefix, IsCustomizable, DeploymentStatus, \
         InternalSharingModel, IsFieldHistoryTracked, (SELECT QualifiedApiName FROM Fields WHERE IsNameField = true) FROM \
         EntityDefinition WHERE QualifiedApiName IN ('Visit__c', 'Account')",
    )
    .json();
    let (account, visit) = (&body["records"][0], &body["records"][1]);
    assert_eq!((&account["KeyPrefix"], &account["InternalSharingModel"]), (&json!("001"), &json!("ReadWrite")));
    assert_eq!((&account["DeploymentStatus"], &account["IsFieldHistoryTracked"]), (&Value::Null, &json!(false)));
    assert_eq!((&visit["DeveloperName"], &visit["PluralLabel"]), (&json!("Visit"), &json!("Visits")));
    assert_eq!((&visit["DeploymentStatus"], &visit["IsFieldHistoryTracked"]), (&json!("InDevelopment"), &json!(true)));
    assert_eq!(visit["InternalSharingModel"], "Private");
    assert_eq!(visit["Fields"]["records"][0]["QualifiedApiName"], "Name");
}

#[test]
fn a_custom_field_is_read_changed_and_deleted_by_its_id() {
    let (_org, client) = org();
    let body = json!({"FullName": "Thing__c.Grade__c", "Metadata": {"label": "Grade", "type": "Text", "length": 30,
        "externalId": true, "unique": true, "caseSensitive": true, "description": null}});
    let made = client.post(&data("/tooling/sobjects/CustomField"), &body);
    assert_eq!((made.status, &made.json()["success"], &made.json()["warnings"]), (201, &json!(true), &json!([])));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("00N") && id.len() == 18, "{id}");
    let soql = "SELECT Id, TableEnumOrId, DeveloperName, Length, FullName, Metadata, CreatedBy.Name FROM CustomField WHERE \
         EntityDefinition.QualifiedApiName = 'Thing__c' AND DeveloperName = 'Grade'";
    let found = tooling(&client, soql).json();
    let record = &found["records"][0];
    assert_eq!((&record["Id"], &record["DeveloperName"], &record["Length"]), (&json!(id), &json!("Grade"), &json!(30)));
    assert_eq!((&record["FullName"], &record["Metadata"]["length"]), (&json!("Thing__c.Grade__c"), &json!(30)));
    assert_eq!((&record["Metadata"]["unique"], &record["Metadata"]["type"]), (&json!(true), &json!("Text")));
    assert_eq!(record["CreatedBy"]["Name"], "Integration Engagement");
    let table = record["TableEnumOrId"].as_str().unwrap();
    assert!(table.starts_with("01I") && table.len() == 18, "{table}");
    let object = tooling(&client, &format!("SELECT DeveloperName FROM CustomObject WHERE Id = '{table}'"));
    assert_eq!(column(&object, "DeveloperName"), [json!("Thing")]);

    let path = data(&format!("/tooling/sobjects/CustomField/{id}"));
    let change =
        json!({"Metadata": {"label": "Mark", "type": "Text", "length": 40, "unique": true, "caseSensitive": true}});
    assert_eq!(client.patch(&path, &change).status, 204);
    let read = client.get(&path).json();
    assert_eq!((&read["Metadata"]["label"], &read["Id"]), (&json!("Mark"), &json!(id)), "it stays the same field");
    assert_eq!(
        code(&client.patch(&path, &json!({"Metadata": {"label": "M", "type": "Text"}}))),
        refused(400, "FIELD_INTEGRITY_EXCEPTION")
    );
    assert_eq!(client.delete(&path).status, 204);
    assert_eq!(client.get(&path).status, 404);
    assert_eq!(tooling(&client, soql).json()["totalSize"], 0);
    let object = json!({"FullName": "X__c", "Metadata": {}});
    assert_eq!(code(&client.post(&data("/tooling/sobjects/CustomObject"), &object)).0, 400, "objects are deployed");
}

#[test]
fn metadata_is_for_one_row() {
    let (_org, client) = org();
    let many =
        tooling(&client, "SELECT Id, Metadata FROM CustomField WHERE EntityDefinition.QualifiedApiName = 'Thing__c'");
    let (status, code, text) = error(&many);
    assert_eq!((status, code.as_str()), (400, "MALFORMED_QUERY"));
    assert!(text.ends_with("must specify no more than one row for retrieval. Result size: 12"), "{text}");
}

#[test]
fn pages_are_turned() {
    let (org, client) = org();
    org.set_page_size(5);
    let first = tooling(&client, "SELECT Id FROM CustomField").json();
    assert_eq!((&first["size"], &first["done"]), (&json!(5), &json!(false)));
    let next = first["nextRecordsUrl"].as_str().unwrap();
    assert!(next.contains("/tooling/query/"), "{next}");
    let second = client.get(next).json();
    assert_eq!((&second["size"], &second["totalSize"]), (&json!(5), &first["totalSize"]));
    assert_eq!(second["entityTypeName"], "CustomField");
}

#[test]
fn a_composite_of_queries_is_one_call() {
    let (org, client) = org();
    let sub = |place: usize, url: &str| json!({"method": "GET", "referenceId": format!("r{place}"), "url": url});
    let query = |soql: &str| {
        let q: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
        data(&format!("/tooling/query/?q={q}"))
    };
    let before = org.api_calls();
    let requests = [
        sub(0, &query("SELECT QualifiedApiName FROM EntityDefinition WHERE QualifiedApiName = 'Thing__c'")),
        sub(1, &query("SELECT DeveloperName FROM CustomField WHERE TableEnumOrId = 'Account'")),
        sub(2, &query("SELECT Nope FROM CustomField")),
        sub(3, &data("/query?q=SELECT+Id+FROM+Account")),
        sub(4, &data("/tooling/sobjects/CustomField/describe")),
    ];
    let body = client.post(&data("/tooling/composite"), &json!({"compositeRequest": requests})).json();
    let answers = body["compositeResponse"].as_array().unwrap();
    let status: Vec<_> = answers.iter().map(|answer| answer["httpStatusCode"].as_u64().unwrap()).collect();
    assert_eq!(status, [200, 200, 400, 404, 200], "data is not served here: {body}");
    assert_eq!(answers[0]["body"]["records"][0]["QualifiedApiName"], "Thing__c");
    assert_eq!(answers[1]["body"]["totalSize"], 0);
    assert_eq!(org.api_calls() - before, 1);
    let six: Vec<_> = (0..6).map(|place| sub(place, &query("SELECT Id FROM CustomField"))).collect();
    let path = data("/tooling/composite");
    assert_eq!(client.post(&path, &json!({"compositeRequest": six})).status, 400, "five queries at most");
    let old = "/services/data/v39.0/tooling/composite";
    assert_eq!(client.post(old, &json!({"compositeRequest": [requests[0]]})).status, 404, "40.0 and later");
    assert_eq!(client.get(&path).status, 405);
    let inner = sub(0, &data("/tooling/query?q=SELECT+Id+FROM+CustomField"));
    let plain = client.post(&data("/composite"), &json!({"compositeRequest": [inner]})).json();
    assert_eq!(plain["compositeResponse"][0]["httpStatusCode"], 404, "the composite of data does not serve it");
}

#[test]
fn all_or_none_takes_fields_back() {
    let (_org, client) = org();
    let field = |name: &str, length: u32| json!({"FullName": format!("Thing__c.{name}__c"), "Metadata": {"label": name, "type": "Text", "length": length}});
    let sub = |name: &str, length: u32| json!({"method": "POST", "url": data("/tooling/sobjects/CustomField"), "referenceId": name, "body": field(name, length)});
    let body = json!({"allOrNone": true, "compositeRequest": [sub("Good", 5), sub("Bad", 256)]});
    let answer = client.post(&data("/tooling/composite"), &body).json();
    assert_eq!(answer["compositeResponse"][0]["body"][0]["errorCode"], "PROCESSING_HALTED");
    let found = tooling(&client, "SELECT Id FROM CustomField WHERE DeveloperName = 'Good'");
    assert_eq!(found.json()["totalSize"], 0);
}

#[test]
fn users_have_access_by_entity_field_and_record() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let user =
        org.add_user(UserSpec::new("u@example.com").permission("ApiEnabled").object("Account", &["Read", "Edit"]));
    org.add_field("Account", FieldSpec::text("Tier__c", 9));
    org.revoke_field(&user.user_id, "Account", "Website", "Edit");
    let id = &user.user_id;
    let entity = format!(
        "SELECT IsReadable, IsCreatable, IsUpdatable FROM UserEntityAccess WHERE UserId = '{id}' AND \
         EntityDefinition.QualifiedApiName = 'Account'"
    );
    let record = client.query(&entity).json()["records"][0].clone();
    assert_eq!((&record["IsReadable"], &record["IsCreatable"]), (&json!(true), &json!(false)));
    assert_eq!(record["IsUpdatable"], true);
    assert_eq!(tooling(&client, &entity).json()["totalSize"], 1);
    let unfiltered = "SELECT IsReadable FROM UserEntityAccess WHERE EntityDefinition.QualifiedApiName = 'Account'";
    assert_eq!(code(&client.query(unfiltered)), refused(400, "MALFORMED_QUERY"));
    let field = format!(
        "SELECT FieldDefinition.QualifiedApiName, IsAccessible, IsUpdatable FROM UserFieldAccess WHERE UserId = '{id}' AND \
         EntityDefinition.QualifiedApiName = 'Account' AND FieldDefinition.QualifiedApiName IN ('Website', 'Tier__c', 'Phone')"
    );
    let fields = client.query(&field).json();
    let flags = |name: &str| {
        let records = fields["records"].as_array().unwrap();
        let found = records.iter().find(|record| record["FieldDefinition"]["QualifiedApiName"] == name);
        found.map(|record| (record["IsAccessible"] == true, record["IsUpdatable"] == true))
    };
    assert_eq!((flags("Website"), flags("Phone")), (Some((true, false)), Some((true, true))));
    assert_eq!(flags("Tier__c"), Some((false, false)), "nobody granted it");
    let account = org.insert("Account", json!({"Name": "A"}));
    let access = format!(
        "SELECT RecordId, HasReadAccess, HasEditAccess, HasDeleteAccess, MaxAccessLevel FROM UserRecordAccess WHERE UserId = \
         '{id}' AND RecordId = '{}'",
        &account[..15]
    );
    let record = client.query(&access).json()["records"][0].clone();
    assert_eq!((&record["RecordId"], &record["MaxAccessLevel"]), (&json!(account), &json!("Edit")));
    assert_eq!((&record["HasEditAccess"], &record["HasDeleteAccess"]), (&json!(true), &json!(false)));
    let open = format!("SELECT HasReadAccess FROM UserRecordAccess WHERE UserId = '{id}'");
    assert_eq!(code(&client.query(&open)), refused(400, "MALFORMED_QUERY"));
}

#[test]
fn hostile_statements_are_refused() {
    let (_org, client) = org();
    for soql in
        ["", "SELECT", "SELECT Id FROM", "SELECT Id FROM FieldDefinition WHERE", "SELECT FIELDS(ALL) FROM CustomField"]
    {
        assert_eq!(tooling(&client, soql).status, 400, "{soql}");
    }
    assert_eq!(tooling(&client, "SELECT Id FROM Account").status, 400, "data is not here");
    for path in ["/tooling/sobjects/Nope/x", "/tooling/sobjects/CustomField/x'y", "/tooling/nope", "/tooling/query/x"] {
        assert!(matches!(client.get(&data(path)).status, 400 | 404), "{path}");
    }
    let bodies =
        [json!([]), json!({}), json!({"FullName": 5, "Metadata": 7}), json!({"FullName": "A.B__c", "Metadata": []})];
    for body in bodies {
        assert_eq!(client.post(&data("/tooling/sobjects/CustomField"), &body).status, 400, "{body}");
    }
}

#[test]
fn a_permission_set_comes_with_its_rights_and_assignments() {
    let (org, client) = org();
    let create =
        |object: &str, body: Value| client.post(&data(&format!("/sobjects/{object}")), &body).json()["id"].clone();
    let set = create("PermissionSet", json!({"Name": "Things", "Label": "Things"}));
    create("ObjectPermissions", json!({"ParentId": set, "SobjectType": "Thing__c", "PermissionsRead": true}));
    create(
        "FieldPermissions",
        json!({"ParentId": set, "SobjectType": "Thing__c", "Field": "Thing__c.Day__c", "PermissionsRead": true}),
    );
    create("PermissionSetAssignment", json!({"PermissionSetId": set, "AssigneeId": org.user_id()}));
    let body = client
        .query(&format!(
            "SELECT Name, (SELECT SobjectType, PermissionsRead FROM ObjectPerms), (SELECT Field, PermissionsRead FROM FieldPerms), \
             (SELECT AssigneeId FROM Assignments WHERE AssigneeId = '{}') FROM PermissionSet WHERE Name = 'Things' AND \
             NamespacePrefix = null",
            org.user_id()
        ))
        .json();
    let record = &body["records"][0];
    assert_eq!(record["ObjectPerms"]["records"][0]["SobjectType"], "Thing__c");
    assert_eq!(record["FieldPerms"]["records"][0]["Field"], "Thing__c.Day__c");
    assert_eq!(record["Assignments"]["records"][0]["AssigneeId"], org.user_id());
    // Everything a user has, the profile's own set included.
    let mine = client.query(&format!(
        "SELECT SobjectType FROM ObjectPermissions WHERE ParentId IN (SELECT PermissionSetId FROM PermissionSetAssignment WHERE \
         AssigneeId = '{}')",
        org.user_id()
    ));
    assert_eq!(mine.json()["records"][0]["SobjectType"], "Thing__c");
    let profile = client.query(&format!(
        "SELECT PermissionSet.IsOwnedByProfile, PermissionSet.Profile.Name FROM PermissionSetAssignment WHERE AssigneeId = '{}' \
         AND PermissionSet.IsOwnedByProfile = true",
        org.user_id()
    ));
    assert_eq!(profile.json()["records"][0]["PermissionSet"]["Profile"]["Name"], "System Administrator");
}

#[test]
fn deployed_components_are_rows() {
    let (org, client) = org();
    let soap = Soap::of(&org);
    let message = format!(
        "<fullName>Thing__c.Tell</fullName><apiVersion>63.0</apiVersion><endpointUrl>https://example.com/in</endpointUrl>\
         <fields>Id</fields><includeSessionId>false</includeSessionId><integrationUser>{}</integrationUser><name>Tell</name>\
         <protected>false</protected><useDeadLetterQueue>false</useDeadLetterQueue>",
        org.username()
    );
    assert_eq!(soap.save("createMetadata", "WorkflowOutboundMessage", &[&message]), [Outcome::Saved]);
    let site = "<fullName>Collector</fullName><disableProtocolSecurity>false</disableProtocolSecurity><isActive>true</isActive>\
         <url>https://example.com</url>";
    assert_eq!(soap.save("createMetadata", "RemoteSiteSetting", &[site]), [Outcome::Saved]);
    let found = tooling(
        &client,
        "SELECT Id, Name, FullName, Metadata, EntityDefinition.QualifiedApiName FROM WorkflowOutboundMessage WHERE Name = 'Tell'",
    )
    .json();
    let record = &found["records"][0];
    assert!(record["Id"].as_str().unwrap().starts_with("04k"));
    assert_eq!(
        (&record["FullName"], &record["Metadata"]["includeSessionId"]),
        (&json!("Thing__c.Tell"), &json!(false))
    );
    assert_eq!(record["Metadata"]["fields"], json!(["Id"]));
    assert_eq!(record["EntityDefinition"]["QualifiedApiName"], "Thing__c");
    let proxy = tooling(&client, "SELECT SiteName, EndpointUrl, IsActive FROM RemoteProxy").json();
    assert_eq!(
        (&proxy["records"][0]["SiteName"], &proxy["records"][0]["IsActive"]),
        (&json!("Collector"), &json!(true))
    );
    let layout = tooling(&client, "SELECT Id, Name, TableEnumOrId FROM Layout WHERE TableEnumOrId = 'Account'").json();
    assert_eq!(layout["records"][0]["Name"], "Account Layout");
    let id = layout["records"][0]["Id"].as_str().unwrap();
    let whole = client.get(&data(&format!("/tooling/sobjects/Layout/{id}"))).json();
    assert_eq!(whole["FullName"], "Account-Account Layout");
    let sections = whole["Metadata"]["layoutSections"].as_array().unwrap();
    assert_eq!(sections[0]["layoutColumns"][0]["layoutItems"][0]["field"], "OwnerId");
    for table in ["ApexClass", "Flow", "FlowDefinition", "NamedCredential", "QuickActionDefinition", "WorkflowRule"] {
        assert_eq!(tooling(&client, &format!("SELECT Id FROM {table}")).json()["totalSize"], 0, "{table}");
    }
}

#[test]
fn a_flow_is_a_definition_and_a_version() {
    let (org, client) = org();
    let flow = "<fullName>Watch</fullName><apiVersion>63.0</apiVersion><label>Watch</label><processType>AutoLaunchedFlow</processType>\
         <start><locationX>0</locationX><locationY>0</locationY><object>Thing__c</object><recordTriggerType>Create</recordTriggerType>\
         <triggerType>RecordAfterSave</triggerType></start><status>Draft</status>";
    assert_eq!(Soap::of(&org).save("createMetadata", "Flow", &[flow]), [Outcome::Saved]);
    let definition = tooling(
        &client,
        "SELECT DeveloperName, ActiveVersionId, LatestVersion.Status, LatestVersion.DefinitionId, Id FROM FlowDefinition",
    );
    let definition = definition.json()["records"][0].clone();
    assert_eq!((&definition["DeveloperName"], &definition["ActiveVersionId"]), (&json!("Watch"), &Value::Null));
    let version = tooling(&client, "SELECT Id, Status, VersionNumber, FullName, Definition.DeveloperName FROM Flow")
        .json()["records"][0]
        .clone();
    assert_eq!((&version["Status"], &version["VersionNumber"]), (&json!("Draft"), &json!(1)));
    assert_eq!((&version["FullName"], &version["Definition"]["DeveloperName"]), (&json!("Watch-1"), &json!("Watch")));
    assert_eq!(definition["LatestVersion"]["DefinitionId"], definition["Id"]);
    assert!(version["Id"].as_str().unwrap().starts_with("301"), "{version}");
}
