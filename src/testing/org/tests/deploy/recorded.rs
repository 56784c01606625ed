//! Files that Salesforce wrote.

use std::path::PathBuf;

use super::*;

fn file(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded/metadata-files").join(name);
    let text = std::fs::read_to_string(&path);
    if text.is_err() {
        println!("NOT RUN: there is no {}", path.display());
    }
    text.ok()
}

#[test]
fn a_recorded_object_with_many_field_types_deploys() {
    let Some(property) = file("Property__c.object") else { return };
    let org = MockOrg::start();
    let client = Client::of(&org);
    let broker = object("Broker", "");
    let package = manifest(&[("CustomObject", &["Broker__c", "Property__c"])]);
    let files = [
        ("objects/Property__c.object", property.as_str()),
        ("objects/Broker__c.object", &broker),
        ("package.xml", &package),
    ];
    let result = succeed(&client, &files);
    let location = row(&result, "Property__c.Location__c");
    assert_eq!(location["created"], true);
    let again = succeed(&client, &files);
    for row in again["details"]["allComponentMessages"].as_array().unwrap() {
        assert_eq!(row["changed"], json!(row["fullName"] == "package.xml"), "{row}");
    }
    let read = org.component_xml("CustomObject", "Property__c").unwrap();
    for part in ["<formula>TODAY() - Date_Listed__c</formula>", "<type>Location</type>", "<displayLocationInDecimal>"] {
        assert!(read.contains(part), "{part}");
    }
    assert!(!read.contains("__s</fullName>"), "coordinates are no components");
}

#[test]
fn a_recorded_permission_set_names_what_is_missing() {
    let Some(set) = file("dreamhouse.permissionset") else { return };
    let org = MockOrg::start();
    let package = manifest(&[("PermissionSet", &["dreamhouse"])]);
    let files = [("permissionsets/dreamhouse.permissionset", set.as_str()), ("package.xml", &package)];
    let problem = problem(&deploy(&Client::of(&org), &files));
    assert!(problem.starts_with("In field: "), "{problem}");
    assert!(problem.ends_with(" found"), "{problem}");
}

#[test]
fn recorded_workflow_deploys_once_its_user_is_there() {
    let Some(workflow) = file("Account.workflow") else { return };
    let org = MockOrg::start();
    let client = Client::of(&org);
    let package = manifest(&[("Workflow", &["Account"])]);
    let files = [("workflows/Account.workflow", workflow.as_str()), ("package.xml", &package)];
    assert_eq!(problem(&deploy(&client, &files)), "In field: integrationUser - no User named user@example.com found");
    org.add_user(crate::testing::org::UserSpec::new("user@example.com"));
    org.add_field("Account", crate::testing::org::FieldSpec::text("Unused__c", 10));
    let result = deploy(&client, &files);
    assert_eq!(result["status"], "Succeeded", "{:?}", failures(&result));
    let kinds = ["WorkflowAlert", "WorkflowFieldUpdate", "WorkflowOutboundMessage", "WorkflowTask"];
    assert_eq!(kinds.map(|kind| org.components(kind).len()), [1; 4]);
    assert_eq!(
        workflow.split_whitespace().collect::<String>(),
        org.component_xml("Workflow", "Account")
            .unwrap()
            .split_whitespace()
            .collect::<String>()
            .replace("\"USA\"", "&quot;USA&quot;"),
        "it reads back as it was"
    );
}

#[test]
fn numbers_locations_and_formulas_are_fields_like_others() {
    // Wire facts 4.4.
    let org = MockOrg::start();
    let client = Client::of(&org);
    let fields = "<fields><fullName>No__c</fullName><displayFormat>N-{000}</displayFormat><externalId>true</externalId>\
                  <label>No</label><type>AutoNumber</type></fields><fields><fullName>Place__c</fullName>\
                  <displayLocationInDecimal>true</displayLocationInDecimal><label>Place</label><scale>5</scale>\
                  <type>Location</type></fields><fields><fullName>Twice__c</fullName><formula>Length__c * 2</formula>\
                  <label>Twice</label><precision>18</precision><scale>0</scale><type>Number</type></fields>\
                  <fields><fullName>Length__c</fullName><label>Length</label><precision>5</precision><scale>0</scale>\
                  <type>Number</type></fields>";
    let names = ["No__c", "Place__c", "Twice__c", "Length__c"];
    let mut rights = String::new();
    for name in names {
        let edit = matches!(name, "Place__c" | "Length__c");
        rights += "<fieldPermissions><editable>";
        rights += if edit { "true" } else { "false" };
        rights += "</editable><field>Visit__c.";
        rights += name;
        rights += "</field><readable>true</readable></fieldPermissions>";
    }
    let set = document("PermissionSet", &format!("{rights}<label>V</label>"));
    let visit = object("Visit", fields);
    let package = manifest(&[("CustomObject", &["Visit__c"]), ("PermissionSet", &["V"])]);
    succeed(
        &client,
        &[("objects/Visit__c.object", &visit), ("permissionsets/V.permissionset", &set), ("package.xml", &package)],
    );
    let set = client.query("SELECT Id FROM PermissionSet WHERE Name = 'V'").json()["records"][0]["Id"].clone();
    let assignment = json!({"AssigneeId": org.user_id(), "PermissionSetId": set});
    assert_eq!(client.post(&data("/sobjects/PermissionSetAssignment"), &assignment).status, 201);
    let describe = client.get(&data("/sobjects/Visit__c/describe")).json();
    let flags = |name: &str| {
        let field = describe["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).unwrap().clone();
        (field["type"].clone(), field["createable"].clone(), field["calculated"].clone(), field["autoNumber"].clone())
    };
    let expected = |kind: &str, create: bool, calculated: bool, number: bool| {
        (json!(kind), json!(create), json!(calculated), json!(number))
    };
    assert_eq!(flags("No__c"), expected("string", false, false, true));
    assert_eq!(flags("Place__c"), expected("location", false, false, false));
    assert_eq!(flags("Place__Latitude__s"), expected("double", true, false, false));
    assert_eq!(flags("Twice__c"), expected("double", false, true, false));
    let body = json!({"Name": "A", "Place__Latitude__s": 1.5, "Place__Longitude__s": 2.5});
    let id = client.post(&data("/sobjects/Visit__c"), &body).json()["id"].as_str().unwrap().to_owned();
    let record = client.get(&data(&format!("/sobjects/Visit__c/{id}"))).json();
    assert_eq!((&record["No__c"], &record["Place__c"]["latitude"]), (&json!("N-001"), &json!(1.5)));
    let delete = |name: &str| {
        let gone = manifest(&[("CustomField", &[name])]);
        deploy(&client, &[("package.xml", &manifest(&[])), ("destructiveChanges.xml", &gone)])
    };
    assert_eq!(
        problem(&delete("Visit__c.Length__c")),
        "This custom field is referenced elsewhere in salesforce.com. : Custom Formula Field - Visit__c.Twice__c."
    );
    assert_eq!(delete("Visit__c.Place__c")["status"], "Succeeded");
    let read = org.component_xml("CustomObject", "Visit__c").unwrap();
    assert!(!read.contains("Place"), "{read}");
}
