//! The Metadata API: objects and fields.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::super::{Operation, UserSpec};
use super::soap::{Outcome, Soap, envelope, fault_of, refused, send};
use super::{Client, MockOrg, code, data};
use crate::testing::org::xml;

const OBJECT: &str = "<fullName>Visit__c</fullName><deploymentStatus>Deployed</deploymentStatus><label>Visit</label>\
     <nameField><label>Visit Name</label><type>Text</type></nameField><pluralLabel>Visits</pluralLabel>\
     <sharingModel>ReadWrite</sharingModel>";

/// An org with a custom object made through the Metadata API.
fn org() -> (MockOrg, Soap) {
    let org = MockOrg::start();
    let soap = Soap::of(&org);
    assert_eq!(soap.save("createMetadata", "CustomObject", &[OBJECT]), [Outcome::Saved]);
    (org, soap)
}

fn integrity(message: &str) -> Outcome {
    refused("FIELD_INTEGRITY_EXCEPTION", message)
}

fn text_field(name: &str) -> String {
    format!("<fullName>Visit__c.{name}__c</fullName><label>{name}</label><length>30</length><type>Text</type>")
}

#[test]
fn an_object_is_there_at_once() {
    let (org, _) = org();
    let client = Client::of(&org);
    let describe = client.get(&data("/sobjects/Visit__c/describe")).json();
    assert_eq!((&describe["label"], &describe["labelPlural"]), (&json!("Visit"), &json!("Visits")));
    assert_eq!(
        (&describe["custom"], &describe["createable"]),
        (&json!(true), &json!(true)),
        "all data may be modified"
    );
    assert_eq!(client.post(&data("/sobjects/Visit__c"), &json!({"Name": "A"})).status, 201);
    assert_eq!(client.query("SELECT Name FROM Visit__c").json()["records"][0]["Name"], "A");
    let nobody = client.post(&data("/sobjects/Visit__c"), &json!({}));
    assert_eq!(code(&nobody), super::refused(400, "REQUIRED_FIELD_MISSING"), "the name is required");
}

#[test]
fn fields_of_every_type_are_made_and_read_back() {
    let (org, soap) = org();
    let value =
        |name: &str| format!("<value><fullName>{name}</fullName><default>false</default><label>{name}</label></value>");
    let values = format!(
        "<valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>{}{}</valueSetDefinition>\
         </valueSet>",
        value("a"),
        value("b")
    );
    let fields = [
        (
            "Text",
            "<length>30</length><unique>true</unique><caseSensitive>true</caseSensitive><externalId>true</externalId>",
            "string",
        ),
        ("TextArea", "", "textarea"),
        ("LongTextArea", "<length>32000</length><visibleLines>3</visibleLines>", "textarea"),
        ("Html", "<length>32000</length><visibleLines>25</visibleLines>", "textarea"),
        ("Number", "<precision>10</precision><scale>2</scale>", "double"),
        ("Currency", "<precision>18</precision><scale>2</scale>", "currency"),
        ("Percent", "<precision>5</precision><scale>0</scale>", "percent"),
        ("Checkbox", "<defaultValue>true</defaultValue>", "boolean"),
        ("Date", "", "date"),
        ("DateTime", "<inlineHelpText>When</inlineHelpText><description>R&amp;D</description>", "datetime"),
        ("Time", "", "time"),
        ("Email", "", "email"),
        ("Phone", "", "phone"),
        ("Url", "", "url"),
        ("Picklist", &values, "picklist"),
        ("MultiselectPicklist", &format!("<visibleLines>4</visibleLines>{values}"), "multipicklist"),
        (
            "Lookup",
            "<referenceTo>Contact</referenceTo><relationshipLabel>Visits</relationshipLabel><relationshipName>Visits</relationshipName>",
            "reference",
        ),
        (
            "MasterDetail",
            "<referenceTo>Account</referenceTo><relationshipLabel>Visits</relationshipLabel><relationshipName>Visits</relationshipName>",
            "reference",
        ),
    ];
    let mut names = String::new();
    for (kind, attributes, _) in fields {
        let field =
            format!("<fullName>Visit__c.The_{kind}__c</fullName><label>{kind}</label><type>{kind}</type>{attributes}");
        assert_eq!(soap.save("createMetadata", "CustomField", &[&field]), [Outcome::Saved], "{kind}");
        let read = soap.read("CustomField", &format!("Visit__c.The_{kind}__c")).unwrap();
        assert_eq!(read.text_of("type"), Some(kind));
        write!(names, "<fieldPermissions><editable>true</editable><field>Visit__c.The_{kind}__c</field><readable>true</readable></fieldPermissions>").unwrap();
    }
    let names = names.replace("<fieldPermissions><editable>true</editable><field>Visit__c.The_MasterDetail__c</field><readable>true</readable></fieldPermissions>", "");
    let set = format!("<fullName>All</fullName><label>All</label>{names}");
    assert_eq!(soap.save("createMetadata", "PermissionSet", &[&set]), [Outcome::Saved]);
    let client = Client::of(&org);
    let set = client.query("SELECT Id FROM PermissionSet WHERE Name = 'All'").json()["records"][0]["Id"].clone();
    let assignment = json!({"AssigneeId": org.user_id(), "PermissionSetId": set});
    assert_eq!(client.post(&data("/sobjects/PermissionSetAssignment"), &assignment).status, 201);
    let describe = client.get(&data("/sobjects/Visit__c/describe")).json();
    let described = describe["fields"].as_array().unwrap();
    for (kind, _, expected) in fields {
        let field = described
            .iter()
            .find(|field| field["name"] == format!("The_{kind}__c"))
            .unwrap_or_else(|| panic!("{kind}"));
        assert_eq!(field["type"], expected, "{kind}");
        assert_eq!(field["updateable"], json!(kind != "MasterDetail"), "{kind}");
    }
    assert!(!described.iter().any(|field| field["name"] == "OwnerId"), "a detail has its master's owner");
    let account = org.insert("Account", json!({"Name": "A"}));
    let body = json!({"Name": "V", "The_MasterDetail__c": account, "The_Picklist__c": "a", "The_Text__c": "k"});
    assert_eq!(client.post(&data("/sobjects/Visit__c"), &body).status, 201);
    let children = client.query("SELECT (SELECT Name, The_Checkbox__c FROM Visits__r) FROM Account").json();
    assert_eq!(children["records"][0]["Visits__r"]["records"][0]["The_Checkbox__c"], true);
    let object = soap.read("CustomObject", "Visit__c").unwrap();
    assert_eq!(object.all("fields").count(), fields.len());
    assert_eq!(object.all("fields").next().unwrap().text_of("fullName"), Some("The_Checkbox__c"), "by name");
}

#[test]
fn the_recorded_request_is_accepted_and_answered_as_recorded() {
    let base = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded/metadata-soap");
    let file = |name: &str| std::fs::read_to_string(base.join(name));
    let (Ok(request), Ok(recorded)) =
        (file("upsertMetadata-fields-request.xml"), file("upsertMetadata-fields-response.xml"))
    else {
        println!("NOT RUN: the recordings are not at {}", base.display());
        return;
    };
    let (org, soap) = org();
    let object = OBJECT.replace("Visit__c", "TestObject15__c");
    assert_eq!(soap.save("createMetadata", "CustomObject", &[&object]), [Outcome::Saved]);
    let client = Client::of(&org);
    let request = request.replace("REDACTED", &org.access_token());
    let path = format!("63.0/{}", &org.org_id()[..15]);
    let first = send(&client, &path, &request);
    assert_eq!(first.status, 200, "{}", first.body);
    let shape = |text: &str| {
        let root = xml::parse(text.as_bytes()).unwrap();
        let results = root.children[0].children[0].children.clone();
        let names = |result: &xml::Element| {
            result.children.iter().map(|child| (child.name.clone(), child.text.clone())).collect::<Vec<_>>()
        };
        results.iter().map(names).collect::<Vec<_>>()
    };
    let created = shape(&recorded.replace("<created>false", "<created>true"));
    assert_eq!(shape(&first.body), created);
    let again = send(&client, &path, &request);
    assert_eq!(shape(&again.body), shape(&recorded.replace("<created>true", "<created>false")));
}

#[test]
fn recorded_refusals_have_the_recorded_words() {
    let (_org, soap) = org();
    let long = "<fullName>Visit__c.A__c</fullName><label>A</label><length>255</length><type>LongTextArea</type>\
                <visibleLines>3</visibleLines>";
    let checkbox = "<fullName>Visit__c.B__c</fullName><defaultValue>false</defaultValue><label>B</label>\
                    <required>true</required><type>Checkbox</type>";
    assert_eq!(
        soap.save("upsertMetadata", "CustomField", &[long, checkbox]),
        [
            integrity("Invalid length, minimum is: 256"),
            integrity("Can not specify 'required' for a CustomField of type Checkbox")
        ]
    );
    let rolled_back = refused(
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "Record rolled back because not all records were valid and the request was using AllOrNone header",
    );
    let header = "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>";
    let good = text_field("Good");
    assert_eq!(
        soap.save_with(header, "upsertMetadata", "CustomField", &[long, &good]),
        [integrity("Invalid length, minimum is: 256"), rolled_back]
    );
    assert!(soap.read("CustomField", "Visit__c.Good__c").is_none(), "nothing was saved");
    assert_eq!(soap.save("upsertMetadata", "CustomField", &[long, &good])[1], Outcome::Created, "partly saved");
    assert_eq!(
        soap.delete("CustomField", "Visit__c.Nope__c"),
        [refused("INVALID_CROSS_REFERENCE_KEY", "This custom field does not exist or is not accessible")]
    );
    assert_eq!(
        soap.save("createMetadata", "CustomField", &[&good]),
        [refused("DUPLICATE_DEVELOPER_NAME", "There is already a field named Good on Visit.")]
    );
}

#[test]
fn components_that_make_no_sense_are_refused() {
    let (_org, soap) = org();
    let field = |name: &str, rest: &str| format!("<fullName>{name}</fullName><label>L</label>{rest}");
    let code = |field: &str| match soap.save("createMetadata", "CustomField", &[field]).remove(0) {
        Outcome::Refused(code, _) => code,
        other => panic!("{field}: {other:?}"),
    };
    let text = "<length>5</length><type>Text</type>";
    let f = "FIELD_INTEGRITY_EXCEPTION";
    for (expected, name, rest) in [
        (f, "A__c", text),
        ("INVALID_CROSS_REFERENCE_KEY", "Nope__c.A__c", text),
        (f, "Visit__c.A", text),
        (f, "Visit__c.A__B__c", text),
        (f, "Visit__c.1A__c", text),
        (f, "Visit__c.A___c", text),
        (f, &format!("Visit__c.{}__c", "A".repeat(41)), text),
        (f, "Visit__c.A__c", "<type>Text</type>"),
        (f, "Visit__c.A__c", "<length>256</length><type>Text</type>"),
        (f, "Visit__c.A__c", "<type>Number</type>"),
        (f, "Visit__c.A__c", "<precision>19</precision><scale>0</scale><type>Number</type>"),
        (f, "Visit__c.A__c", "<precision>2</precision><scale>3</scale><type>Number</type>"),
        (f, "Visit__c.A__c", "<type>Checkbox</type>"),
        (f, "Visit__c.A__c", "<length>300</length><type>LongTextArea</type>"),
        (
            f,
            "Visit__c.A__c",
            "<length>300</length><required>true</required><type>Html</type><visibleLines>9</visibleLines>",
        ),
        (f, "Visit__c.A__c", "<type>Date</type><unique>true</unique>"),
        (f, "Visit__c.A__c", "<type>Picklist</type>"),
        (f, "Visit__c.A__c", "<type>Lookup</type>"),
        (f, "Visit__c.A__c", "<referenceTo>Nope__c</referenceTo><type>Lookup</type>"),
        (
            f,
            "Visit__c.A__c",
            "<deleteConstraint>SetNull</deleteConstraint><referenceTo>Contact</referenceTo><required>true</required><type>Lookup</type>",
        ),
        (
            "DUPLICATE_DEVELOPER_NAME",
            "Visit__c.A__c",
            "<referenceTo>Account</referenceTo><relationshipName>Contacts__r</relationshipName><type>Lookup</type>",
        ),
        ("INVALID_TYPE", "Visit__c.A__c", "<type>Nonsense</type>"),
        ("REQUIRED_FIELD_MISSING", "Visit__c.A__c", ""),
        (f, "Visit__c.A__c", "<length>5</length><trackHistory>true</trackHistory><type>Text</type>"),
    ] {
        if name == "Visit__c.A__c" && rest.contains("Contacts__r") {
            let first =
                field("Visit__c.First__c", &rest.replace("<type>", "<relationshipLabel>x</relationshipLabel><type>"));
            assert_eq!(soap.save("createMetadata", "CustomField", &[&first]), [Outcome::Saved]);
        }
        assert_eq!(code(&field(name, rest)), expected, "{name} {rest}");
    }
    for part in ["label", "pluralLabel", "nameField", "deploymentStatus", "sharingModel"] {
        let open = OBJECT
            .replace("Visit__c", "Other__c")
            .replace(&format!("<{part}>"), "<x>")
            .replace(&format!("</{part}>"), "</x>");
        // The label of the name field is not that of the object.
        let open = if part == "label" {
            OBJECT.replace("Visit__c", "Other__c").replacen("<label>Visit</label>", "", 1)
        } else {
            open
        };
        let outcome = soap.save("createMetadata", "CustomObject", &[&open]).remove(0);
        assert!(matches!(outcome, Outcome::Refused(..)), "{part}: {outcome:?}");
    }
    assert_eq!(
        soap.save(
            "createMetadata",
            "CustomObject",
            &[&OBJECT.replacen("<label>Visit</label>", "", 1).replace("Visit__c", "New__c")]
        ),
        [integrity("Must specify a non-empty label for the CustomObject")]
    );
    assert!(
        matches!(&soap.save("createMetadata", "CustomObject", &[OBJECT])[..], [Outcome::Refused(code, _)] if code == "DUPLICATE_DEVELOPER_NAME")
    );
}

#[test]
fn a_field_changes_but_not_its_type() {
    let (_org, soap) = org();
    let field = text_field("Key");
    assert_eq!(soap.save("upsertMetadata", "CustomField", &[&field]), [Outcome::Created]);
    let longer = field.replace("30", "80").replace("<label>Key", "<label>The key");
    assert_eq!(soap.save("updateMetadata", "CustomField", &[&longer]), [Outcome::Saved]);
    let read = soap.read("CustomField", "Visit__c.Key__c").unwrap();
    assert_eq!((read.text_of("length"), read.text_of("label")), (Some("80"), Some("The key")));
    let number = "<fullName>Visit__c.Key__c</fullName><label>Key</label><precision>5</precision><scale>0</scale><type>Number</type>";
    assert_eq!(
        soap.save("upsertMetadata", "CustomField", &[number]),
        [integrity("Cannot update a field to a Number from something else")]
    );
    let missing = text_field("Nope");
    assert_eq!(
        soap.save("updateMetadata", "CustomField", &[&missing]),
        [refused("INVALID_CROSS_REFERENCE_KEY", "no CustomField named Visit__c.Nope__c found")]
    );
}

#[test]
fn an_object_comes_with_its_fields_and_goes_with_everything() {
    let org = MockOrg::start();
    let soap = Soap::of(&org);
    let object = format!(
        "{OBJECT}<fields><fullName>Key__c</fullName><externalId>true</externalId><label>Key</label><length>9</length>\
         <required>true</required><type>Text</type></fields><fields><fullName>Contact__c</fullName><label>Contact</label>\
         <referenceTo>Contact</referenceTo><relationshipName>Visits</relationshipName><type>Lookup</type></fields>"
    );
    assert_eq!(soap.save("upsertMetadata", "CustomObject", &[&object]), [Outcome::Created]);
    assert_eq!(soap.save("upsertMetadata", "CustomObject", &[&object]), [Outcome::Unchanged]);
    let client = Client::of(&org);
    let upsert = client.patch(&data("/sobjects/Visit__c/Key__c/k"), &json!({"Name": "A"}));
    assert_eq!(upsert.status, 201, "a required field is seen by all who see the object: {}", upsert.body);
    assert!(soap.read("CustomObject", "Visit__c").unwrap().all("fields").count() == 2);
    let contact = org.insert("Contact", json!({"LastName": "A"}));
    let visit = json!({"Name": "B", "Key__c": "b", "Contact__c": contact});
    org.insert("Visit__c", visit);
    assert_eq!(soap.delete("CustomField", "Visit__c.Contact__c"), [Outcome::Saved]);
    assert!(org.records("Visit__c")[1].get("Contact__c").is_none());
    let again = "<fullName>Visit__c.Contact__c</fullName><label>Contact</label><referenceTo>Contact</referenceTo>\
         <deleteConstraint>Restrict</deleteConstraint><type>Lookup</type>";
    assert_eq!(soap.save("createMetadata", "CustomField", &[again]), [Outcome::Saved]);
    assert!(org.records("Visit__c")[1]["Contact__c"].is_null(), "old values do not come back");
    org.insert("Visit__c", json!({"Name": "C", "Key__c": "c", "Contact__c": contact}));
    let parent = data(&format!("/sobjects/Contact/{contact}"));
    assert_eq!(code(&client.delete(&parent)), super::refused(400, "DELETE_FAILED"), "the lookup forbids it");
    assert_eq!(soap.delete("CustomObject", "Visit__c"), [Outcome::Saved]);
    assert_eq!(client.get(&data("/sobjects/Visit__c/describe")).status, 404);
    assert!(soap.read("CustomObject", "Visit__c").is_none());
    assert_eq!(client.delete(&parent).status, 204);
    assert_eq!(soap.save("createMetadata", "CustomObject", &[OBJECT]), [Outcome::Saved]);
    assert_eq!(org.count("Visit__c"), 0);
}

#[test]
fn a_name_may_count() {
    let org = MockOrg::start();
    let soap = Soap::of(&org);
    let object = |format: &str| {
        let field =
            format!("<nameField><displayFormat>{format}</displayFormat><label>No</label><type>AutoNumber</type>");
        OBJECT.replace("<nameField><label>Visit Name</label><type>Text</type>", &field)
    };
    for bad in ["V", &format!("{{{}}}", "0".repeat(70_000))] {
        let outcome = soap.save("createMetadata", "CustomObject", &[&object(bad)]).remove(0);
        assert!(matches!(outcome, Outcome::Refused(..)), "{}", bad.len());
    }
    assert_eq!(soap.save("createMetadata", "CustomObject", &[&object("V-{0000}")]), [Outcome::Saved]);
    let visit = org.insert("Visit__c", json!({}));
    assert_eq!(org.record(&visit).unwrap()["Name"], "V-0001");
    let read = soap.read("CustomObject", "Visit__c").unwrap();
    assert_eq!(read.child("nameField").and_then(|field| field.text_of("displayFormat")), Some("V-{0000}"));
}

#[test]
fn what_there_is_can_be_listed() {
    let (_org, soap) = org();
    assert_eq!(soap.save("createMetadata", "CustomField", &[&text_field("Key")]), [Outcome::Saved]);
    let list = |kind: &str| {
        let response = soap.call(&format!(
            "<listMetadata><queries><type>{kind}</type></queries><asOfVersion>63.0</asOfVersion></listMetadata>"
        ));
        response.all("result").filter_map(|entry| entry.text_of("fullName").map(str::to_owned)).collect::<Vec<_>>()
    };
    assert!(list("CustomObject").contains(&"Visit__c".to_owned()));
    assert_eq!(list("CustomField"), ["Visit__c.Key__c"]);
    for empty in ["PermissionSet", "Profile", "ApexTrigger", "CustomLabel", "Role"] {
        assert!(list(empty).is_empty(), "{empty}");
    }
    let unknown = soap.fault("<listMetadata><queries><type>Spell</type></queries></listMetadata>");
    assert_eq!(unknown.1, "INVALID_TYPE: Unknown type:Spell");
    let describe = soap.call("<describeMetadata><asOfVersion>63.0</asOfVersion></describeMetadata>");
    let types = describe.children[0].all("metadataObjects").filter_map(|object| object.text_of("xmlName"));
    let types: Vec<&str> = types.collect();
    assert!(types.contains(&"CustomObject") && types.contains(&"PermissionSet"), "{types:?}");
    assert!(!types.contains(&"CustomField"), "a child of CustomObject");
    for kind in ["CustomObject", "CustomField", "PermissionSet"] {
        let call = format!(
            "<describeValueType><type>{{http://soap.sforce.com/2006/04/metadata}}{kind}</type></describeValueType>"
        );
        assert_eq!(soap.call(&call).children[0].flag("apiCreatable"), Some(true));
    }
}

#[test]
fn any_prefix_will_do() {
    let (org, _) = org();
    let request = format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header><m:SessionHeader \
         xmlns:m='http://soap.sforce.com/2006/04/metadata'><m:sessionId>{}</m:sessionId></m:SessionHeader></s:Header>\
         <s:Body><n:createMetadata xmlns:n='http://soap.sforce.com/2006/04/metadata'><n:metadata \
         xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='n:CustomField'>\
         <n:fullName>Visit__c.K__c</n:fullName><n:label><![CDATA[a & b]]></n:label><n:length> 5 </n:length>\
         <n:type>Text</n:type></n:metadata></n:createMetadata></s:Body></s:Envelope>",
        org.access_token()
    );
    let answer = send(&Client::of(&org), "63.0", &request);
    assert!(answer.body.contains("<success>true</success>"), "{}", answer.body);
    let read = Soap::of(&org).read("CustomField", "Visit__c.K__c").unwrap();
    assert_eq!((read.text_of("label"), read.text_of("length")), (Some("a & b"), Some("5")));
}

#[test]
fn whole_calls_are_refused_with_faults() {
    let (org, soap) = org();
    let fault = |code: &str, message: &str| (format!("sf:{code}"), format!("{code}: {message}"));
    let illegal = fault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session");
    let describe = "<describeMetadata><asOfVersion>63.0</asOfVersion></describeMetadata>";
    assert_eq!(Soap::as_user(&org, "nonsense").fault(describe), illegal);
    let eleven = "<metadata xsi:type='CustomField'><fullName>a</fullName></metadata>".repeat(11);
    let too_many = "record limit reached. cannot submit more than 10 records in this operation";
    assert_eq!(soap.fault(&format!("<createMetadata>{eleven}</createMetadata>")), fault("EXCEEDED_ID_LIMIT", too_many));
    let concrete = "Must send a concrete entity type.";
    assert_eq!(
        soap.fault("<createMetadata><metadata><fullName>A</fullName></metadata></createMetadata>"),
        fault("INVALID_TYPE", concrete)
    );
    let mixed =
        "<createMetadata><metadata xsi:type='CustomField'/><metadata xsi:type='PermissionSet'/></createMetadata>";
    assert_eq!(soap.fault(mixed).0, "sf:INVALID_TYPE");
    assert_eq!(soap.fault("<fly/>").0, "sf:UNKNOWN_EXCEPTION");
    assert_eq!(Soap { version: "30.0", ..Soap::of(&org) }.fault(describe).0, "sf:UNSUPPORTED_API_VERSION");
    assert_eq!(soap.call(describe).name, "describeMetadataResponse");
    assert_eq!(Soap { version: "63", ..Soap::of(&org) }.call(describe).name, "describeMetadataResponse");
    let client = Client::of(&org);
    for bad in ["", "<a/>", "not xml", "<!DOCTYPE a><a/>", &"<a>".repeat(100_000)] {
        assert_eq!(fault_of(&send(&client, "63.0", bad)).0, "soapenv:Client", "{}", bad.get(..9).unwrap_or(bad));
    }
    assert_eq!(client.get("/services/Soap/m/63.0").status, 405);
    let user = org.add_user(UserSpec::new("who@example.com").permission("ApiEnabled"));
    let denied = "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions";
    assert_eq!(Soap::as_user(&org, &user.access_token).fault(describe), fault("INSUFFICIENT_ACCESS", denied));
    org.set_daily_limit(0);
    assert_eq!(soap.fault(describe).0, "sf:REQUEST_LIMIT_EXCEEDED");
}

#[test]
fn calls_count_and_faults_strike() {
    let (org, soap) = org();
    let calls = org.api_calls();
    let describe = "<describeMetadata><asOfVersion>63.0</asOfVersion></describeMetadata>";
    assert_eq!(soap.send("", describe).header("sforce-limit-info"), None);
    assert_eq!((org.api_calls(), org.calls(Operation::MetadataDescribe)), (calls + 1, 1));
    org.faults().on(Operation::MetadataCreate).error(503, "SERVER_UNAVAILABLE", "busy").once();
    let field =
        format!("<createMetadata><metadata xsi:type='CustomField'>{}</metadata></createMetadata>", text_field("Key"));
    assert_eq!(soap.fault(&field), ("sf:SERVER_UNAVAILABLE".to_owned(), "SERVER_UNAVAILABLE: busy".to_owned()));
    org.faults().on(Operation::MetadataCreate).apply_then_reset().once();
    let client = Client::of(&org).with_authorization(None);
    let sent = client.send("POST", "/services/Soap/m/63.0", &[], &envelope(&org.access_token(), "", &field));
    assert!(sent.is_err());
    assert!(soap.read("CustomField", "Visit__c.Key__c").is_some(), "it was carried out");
    org.faults().on(Operation::MetadataRead).delay(Duration::from_millis(20)).once();
    assert!(soap.read("CustomField", "Visit__c.Key__c").is_some());
    org.faults().on(Operation::MetadataList).expire_session().once();
    let list = "<listMetadata><asOfVersion>63.0</asOfVersion></listMetadata>";
    assert_eq!(soap.fault(list).0, "sf:INVALID_SESSION_ID");
    assert_eq!(soap.fault(list).0, "sf:INVALID_SESSION_ID", "the token is dead");
}
