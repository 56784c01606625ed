//! Permission sets, as components and as records.

use serde_json::json;

use super::soap::{Outcome, Soap, refused};
use super::{Client, MockOrg, code, data, row_codes, typed};
use crate::testing::org::xml::Element;

const OBJECT: &str = "<fullName>Visit__c</fullName><deploymentStatus>Deployed</deploymentStatus><label>Visit</label>\
     <nameField><label>Visit Name</label><type>Text</type></nameField><pluralLabel>Visits</pluralLabel>\
     <sharingModel>ReadWrite</sharingModel>";

fn org() -> (MockOrg, Soap, Client) {
    let org = MockOrg::start();
    let soap = Soap::of(&org);
    let fields = "<fields><fullName>Key__c</fullName><label>Key</label><length>9</length><required>true</required>\
         <type>Text</type></fields><fields><fullName>Note__c</fullName><label>Note</label><length>9</length>\
         <type>Text</type></fields>";
    let object = format!("{OBJECT}{fields}");
    assert_eq!(soap.save("createMetadata", "CustomObject", &[&object]), [Outcome::Saved]);
    let client = Client::of(&org);
    (org, soap, client)
}

fn object_rights(flags: &str) -> String {
    let on = |letter: char| flags.contains(letter);
    format!(
        "<objectPermissions><allowCreate>{}</allowCreate><allowDelete>{}</allowDelete><allowEdit>{}</allowEdit>\
         <allowRead>{}</allowRead><modifyAllRecords>{}</modifyAllRecords><object>Visit__c</object>\
         <viewAllRecords>{}</viewAllRecords></objectPermissions>",
        on('c'),
        on('d'),
        on('e'),
        on('r'),
        on('m'),
        on('v')
    )
}

fn field_rights(field: &str, edit: bool) -> String {
    format!(
        "<fieldPermissions><editable>{edit}</editable><field>{field}</field><readable>true</readable></fieldPermissions>"
    )
}

fn set(rest: &str) -> String {
    format!("<fullName>Visits</fullName>{rest}<label>Visits</label>")
}

fn names<'e>(element: &'e Element, list: &'e str, name: &'e str) -> Vec<&'e str> {
    element.all(list).filter_map(|entry| entry.text_of(name)).collect()
}

#[test]
fn a_set_is_made_read_and_overwritten() {
    let (org, soap, client) = org();
    let first = set(&format!(
        "<description>D</description>{}{}<userPermissions><enabled>true</enabled><name>ApiEnabled</name></userPermissions>",
        field_rights("Visit__c.Note__c", true),
        object_rights("rce")
    ));
    assert_eq!(soap.save("upsertMetadata", "PermissionSet", &[&first]), [Outcome::Created]);
    assert_eq!(soap.save("upsertMetadata", "PermissionSet", &[&first]), [Outcome::Unchanged]);
    let read = soap.read("PermissionSet", "Visits").unwrap();
    assert_eq!(names(&read, "fieldPermissions", "field"), ["Visit__c.Note__c"]);
    assert_eq!(names(&read, "objectPermissions", "object"), ["Visit__c"]);
    assert_eq!(names(&read, "userPermissions", "name"), ["ApiEnabled"]);
    assert_eq!((read.text_of("description"), read.text_of("hasActivationRequired")), (Some("D"), Some("false")));
    let records = client.query("SELECT SobjectType, PermissionsDelete, Parent.Name FROM ObjectPermissions").json();
    let record = &records["records"][0];
    assert_eq!(record["Parent"]["Name"], "Visits");
    assert_eq!((&record["SobjectType"], &record["PermissionsDelete"]), (&json!("Visit__c"), &json!(false)));
    let other = set(&field_rights("Account.Website", false));
    assert_eq!(soap.save("updateMetadata", "PermissionSet", &[&other]), [Outcome::Saved]);
    let read = soap.read("PermissionSet", "Visits").unwrap();
    assert_eq!(names(&read, "fieldPermissions", "field"), ["Account.Website"]);
    assert!(read.child("objectPermissions").is_none() && read.child("userPermissions").is_none());
    let rename = "<renameMetadata><type>PermissionSet</type><oldFullName>Visits</oldFullName><newFullName>Calls</newFullName>\
         </renameMetadata>";
    assert_eq!(soap.call(rename).children[0].flag("success"), Some(true));
    assert_eq!(soap.delete("PermissionSet", "Calls"), [Outcome::Saved]);
    assert_eq!((org.count("FieldPermissions"), soap.read("PermissionSet", "Visits").is_none()), (0, true));
}

#[test]
fn sets_that_cannot_be_are_refused() {
    let (_org, soap, _) = org();
    let save = |rest: &str| soap.save("createMetadata", "PermissionSet", &[&set(rest)]).remove(0);
    let integrity = |message: &str| refused("FIELD_INTEGRITY_EXCEPTION", message);
    assert_eq!(
        save(&field_rights("Visit__c.Key__c", true)),
        integrity("You cannot deploy to a required field: Visit__c.Key__c")
    );
    assert_eq!(
        save(&field_rights("Visit__c.Nope__c", true)),
        refused("INVALID_CROSS_REFERENCE_KEY", "In field: field - no CustomField named Visit__c.Nope__c found")
    );
    let needs = |what: &str, needs: &str| integrity(&format!("Permission {what} depends on permission(s): {needs}"));
    assert_eq!(save(&object_rights("c")), needs("Create Visit__c", "Read Visit__c"));
    assert_eq!(save(&object_rights("rd")), needs("Delete Visit__c", "Edit Visit__c"));
    assert_eq!(save(&object_rights("rem")), needs("Modify All Visit__c", "Delete Visit__c, View All Visit__c"));
    let user = |name: &str| format!("<userPermissions><enabled>true</enabled><name>{name}</name></userPermissions>");
    assert_eq!(save(&user("Fly")), integrity("Unknown user permission: Fly"));
    assert_eq!(save(&user("CustomizeApplication")), needs("CustomizeApplication", "ViewSetup"));
    assert!(
        matches!(save(&object_rights("r").replace("Visit__c", "Nope__c")), Outcome::Refused(code, _) if code == "INVALID_CROSS_REFERENCE_KEY")
    );
    assert_eq!(save(""), Outcome::Saved);
    assert!(matches!(save(""), Outcome::Refused(code, _) if code == "DUPLICATE_DEVELOPER_NAME"));
}

#[test]
fn read_of_a_detail_needs_read_of_its_master() {
    let (_org, soap, _) = org();
    let detail = "<fullName>Visit__c.Account__c</fullName><label>Account</label><referenceTo>Account</referenceTo>\
         <relationshipName>Visits</relationshipName><type>MasterDetail</type>";
    assert_eq!(soap.save("createMetadata", "CustomField", &[detail]), [Outcome::Saved]);
    assert_eq!(
        soap.save("createMetadata", "PermissionSet", &[&set(&object_rights("r"))]),
        [refused("FIELD_INTEGRITY_EXCEPTION", "Permission Read Visit__c depends on permission(s): Read Account")]
    );
    let both = format!("{}{}", object_rights("r"), object_rights("r").replace("Visit__c", "Account"));
    assert_eq!(soap.save("createMetadata", "PermissionSet", &[&set(&both)]), [Outcome::Saved]);
}

#[test]
fn the_same_can_be_done_with_records() {
    let (org, _, client) = org();
    let create = |object: &str, body| client.post(&data(&format!("/sobjects/{object}")), &body);
    let made = create("PermissionSet", json!({"Name": "Visits", "Label": "Visits"}));
    let id = made.json()["id"].clone();
    let again = create("PermissionSet", json!({"Name": "Visits", "Label": "Visits"}));
    assert_eq!(code(&again), super::refused(400, "DUPLICATE_DEVELOPER_NAME"));
    let rights = json!({"ParentId": id, "SobjectType": "Visit__c", "PermissionsRead": true, "PermissionsDelete": true});
    let refusal = create("ObjectPermissions", rights);
    assert_eq!(refusal.json()[0]["message"], "Permission Delete Visit__c depends on permission(s): Edit Visit__c");
    let rights = json!({"ParentId": id, "SobjectType": "Visit__c", "PermissionsRead": true});
    assert_eq!(create("ObjectPermissions", rights.clone()).status, 201);
    assert_eq!(code(&create("ObjectPermissions", rights)), super::refused(400, "DUPLICATE_VALUE"));
    let field = |name: &str| json!({"ParentId": id, "SobjectType": "Visit__c", "Field": name, "PermissionsRead": true, "PermissionsEdit": true});
    let key = create("FieldPermissions", field("Visit__c.Key__c"));
    assert_eq!(code(&key), super::refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"), "it is required");
    let note = create("FieldPermissions", field("Visit__c.Note__c")).json()["id"].clone();
    let path = data(&format!("/sobjects/FieldPermissions/{}", note.as_str().unwrap()));
    assert_eq!(client.patch(&path, &json!({"PermissionsRead": false})).status, 400, "editing needs reading");
    assert_eq!(client.patch(&path, &json!({"PermissionsRead": false, "PermissionsEdit": false})).status, 204);
    assert_eq!(client.get(&path).status, 404, "a record that grants nothing is gone");
    let assign = json!({"allOrNone": false, "records": [
        typed("PermissionSetAssignment", json!({"AssigneeId": org.user_id(), "PermissionSetId": id})),
        typed("PermissionSetAssignment", json!({"AssigneeId": org.user_id(), "PermissionSetId": id})),
        typed("PermissionSetAssignment", json!({"AssigneeId": org.user_id()})),
    ]});
    let rows = client.post(&data("/composite/sobjects"), &assign);
    assert_eq!(row_codes(&rows), ["", "DUPLICATE_VALUE", "REQUIRED_FIELD_MISSING"]);
    let text = format!(
        "Duplicate PermissionSetAssignment.  Assignee: {}; Permission Set: {}",
        org.user_id(),
        id.as_str().unwrap()
    );
    assert_eq!(rows.json()[1]["errors"][0]["message"], text);
    let query = format!(
        "SELECT Name, PermissionsModifyMetadata FROM PermissionSet WHERE Id IN (SELECT PermissionSetId FROM \
         PermissionSetAssignment WHERE AssigneeId = '{}') AND IsOwnedByProfile = true",
        org.user_id()
    );
    assert_eq!(client.query(&query).json()["records"][0]["PermissionsModifyMetadata"], true);
    let by_name = client.query("SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Visits'").json();
    assert_eq!(by_name["totalSize"], 1);
    let path = data(&format!("/sobjects/PermissionSet/{}", id.as_str().unwrap()));
    assert_eq!(code(&client.delete(&path)), super::refused(400, "DELETE_FAILED"), "it is assigned");
    let assignment = by_name["records"][0]["Id"].as_str().unwrap();
    assert_eq!(client.delete(&data(&format!("/sobjects/PermissionSetAssignment/{assignment}"))).status, 204);
    assert_eq!(client.delete(&path).status, 204);
    assert_eq!(org.count("ObjectPermissions"), 0, "they go with their set");
}
