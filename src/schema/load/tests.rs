use super::*;
use crate::api::metadata::{FieldKind, FieldPermission, Flow, ObjectPermission, RecordTriggerType};
use crate::error::ErrorKind;

const FILE: &str = r#"
version = 1
name = "usage"

[[objects]]
fullName = "Usage__c"
label = "Usage"
pluralLabel = "Usages"
sharingModel = "Read"
nameField = { type = "AutoNumber", label = "No", displayFormat = "U-{0000}" }
enableHistory = true

[[objects.fields]]
fullName = "Key__c"
label = "Key"
type = "Text"
length = 40
externalId = true
unique = true

[[fields]]
fullName = "Account.Visits__c"
label = "Visits"
type = "Number"
precision = 18
scale = 0

[permissionSet]
fullName = "Usage"
label = "Usage"
objectPermissions = [{ object = "Usage__c", allowRead = true }]
fieldPermissions = [{ field = "Account.Visits__c", readable = true, editable = true }]

[[layoutSections]]
layout = "Account-Account Layout"
label = "Usage"
fields = ["Visits__c"]
"#;

#[test]
fn a_file_says_what_the_schema_is_and_a_schema_survives_its_own_file() {
    let schema = DesiredSchema::from_toml(FILE).expect("sound");
    assert_eq!((schema.name.as_str(), schema.objects.len(), schema.fields.len()), ("usage", 1, 1));
    assert_eq!(schema.all_fields()[0].full_name, "Usage__c.Key__c");
    assert_eq!(schema.fields[0].kind, FieldKind::number(18, 0));
    let set = schema.permission_set.clone().expect("there");
    assert_eq!(set.objects, [ObjectPermission { object: "Usage__c".into(), read: true, ..Default::default() }]);
    let grant = FieldPermission { field: "Account.Visits__c".into(), readable: true, editable: true };
    assert_eq!(set.fields, [grant]);

    let schema = schema.component(Flow::record_triggered("F", "F", "Lead", RecordTriggerType::Create));
    let json = serde_json::to_string(&schema).expect("writes");
    assert_eq!(DesiredSchema::from_json(&json).expect(&json), schema);
}

#[test]
fn all_mistakes_of_a_file_come_at_once_each_with_its_line() {
    let file = r#"
version = 1
name = "bad"
colour = "red"

[[fields]]
fullName = "Account.A__c"
label = "A"
type = "Text"
length = 256

[[fields]]
fullName = "Account.B__c"
label = "B"
size = 1
type = "Date"

[[fields]]
fullName = "Account.C__c"
label = "C"
type = "Number"
precision = 19
scale = 0

[permissionSet]
fullName = "P"
label = "P"
colour = 1
size = 2
"#;
    let error = DesiredSchema::from_toml(file).expect_err("much is wrong");
    assert_eq!(error.kind(), ErrorKind::Config);
    let told: Vec<(Option<usize>, String)> =
        SchemaFault::all_of(&error).iter().map(|fault| (fault.line, fault.to_string())).collect();
    let expected = [
        (4, "unknown key \"colour\""),
        (6, "Account.A__c has 256 characters"),
        (15, "field Account.B__c: unknown field `size`"),
        (18, "Account.C__c has 19 digits"),
        (28, "permission set: unknown field `colour`"),
        (29, "permission set: unknown field `size`"),
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for ((line, words), (expected_line, says)) in told.iter().zip(expected) {
        assert!(*line == Some(expected_line) && words.contains(says), "{words} on {line:?}: {says} on {expected_line}");
    }
}

#[test]
fn a_file_of_another_format_is_told() {
    for (file, says) in [
        ("name = \"x\"", "\"version\" is missing"),
        ("version = 2\nname = \"x\"", "version 2 of the format is not known"),
        ("version = 1", "\"name\" is missing"),
        ("version = 1\nname = \"x\"\nfields = 1", "\"fields\" is a list"),
        ("version = ", "no TOML"),
    ] {
        let error = DesiredSchema::from_toml(file).expect_err(file);
        assert!(error.message().contains(says), "{error}");
    }
    assert!(DesiredSchema::from_json("[]").expect_err("no table").message().contains("is a table"));
    assert!(DesiredSchema::from_json("{").expect_err("cut").message().contains("no JSON"));
    assert!(DesiredSchema::from_file("schema.yaml").expect_err("no such format").message().contains("neither"));
}
