use serde_json::json;

use super::*;

fn describe(fields: &serde_json::Value) -> SObjectDescribe {
    let describe = json!({
        "name": "Visit__c", "label": "Visit", "custom": true, "createable": true, "updateable": true, "fields": fields,
    });
    serde_json::from_value(describe).expect("a describe")
}

fn source(by: &TypeGenerator, fields: &serde_json::Value) -> String {
    by.generate(&[describe(fields)]).expect("types").source()
}

/// The lines of one item, from its head to its end.
fn item<'a>(source: &'a str, head: &str) -> &'a str {
    let from = source.find(head).unwrap_or_else(|| panic!("{head} in\n{source}"));
    let to = source[from..].find("\n}\n").expect("an end");
    &source[from..from + to]
}

fn text(name: &str, more: &serde_json::Value) -> serde_json::Value {
    let mut field = json!({"name": name, "label": name, "type": "string", "createable": true, "updateable": true});
    let members = field.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    field
}

#[test]
fn required_nullable_and_defaulted_are_told_apart() {
    let source = source(
        &TypeGenerator::new(),
        &json!([
            text("Needed", &json!({})),
            text("Free", &json!({"nillable": true})),
            text("Filled", &json!({"defaultedOnCreate": true})),
            text("Fixed", &json!({"createable": false, "updateable": false})),
            text("Once", &json!({"nillable": true, "updateable": false})),
        ]),
    );
    let read = item(&source, "pub struct Visit {");
    for line in
        ["needed: String,", "free: Option<String>,", "filled: String,", "fixed: String,", "once: Option<String>,"]
    {
        assert!(read.contains(line), "{line} in {read}");
    }
    let new = item(&source, "pub struct NewVisit {");
    for line in
        ["needed: String,", "free: types::Field<String>,", "filled: Option<String>,", "once: types::Field<String>,"]
    {
        assert!(new.contains(line), "{line} in {new}");
    }
    assert!(!new.contains("fixed"), "{new}");
    let changes = item(&source, "pub struct VisitChanges {");
    for line in ["needed: Option<String>,", "free: types::Field<String>,", "filled: Option<String>,"] {
        assert!(changes.contains(line), "{line} in {changes}");
    }
    assert!(!changes.contains("fixed") && !changes.contains("once"), "{changes}");
    assert!(source.contains("pub fn new(needed: impl Into<String>) -> Self {"));
}

#[test]
fn a_custom_field_that_is_required_now_may_be_null_in_older_records() {
    let custom = json!({"custom": true});
    let master = json!({"custom": true, "type": "reference", "relationshipOrder": 0, "updateable": false});
    let flag = json!({"custom": true, "type": "boolean", "defaultedOnCreate": true});
    let fields = json!([text("Topic__c", &custom), text("Account__c", &master), text("Won__c", &flag)]);
    let source = source(&TypeGenerator::new(), &fields);
    let read = item(&source, "pub struct Visit {");
    for line in ["topic: Option<String>,", "account_id: types::RecordId,", "won: bool,"] {
        assert!(read.contains(line), "{line} in {read}");
    }
    let new = item(&source, "pub struct NewVisit {");
    assert!(new.contains("topic: String,") && new.contains("won: Option<bool>,"), "{new}");
}

#[test]
fn what_a_user_may_not_write_has_no_struct() {
    let mut seen = describe(&json!([text("Name", &json!({}))]));
    (seen.createable, seen.updateable) = (false, false);
    let types = TypeGenerator::new().generate(&[seen]).expect("types");
    let [made] = types.objects() else { panic!("one object") };
    assert_eq!((made.read.as_str(), &made.new, &made.changes), ("Visit", &None, &None));
    assert!(!types.source().contains("NewVisit") && !types.source().contains("changes_since"));
}

#[test]
fn only_some_fields_are_written_if_asked_and_a_name_that_is_none_is_refused() {
    let fields = json!([
        {"name": "Id", "label": "ID", "type": "id"}, text("Name", &json!({})), text("Topic__c", &json!({"custom": true})),
    ]);
    let some = TypeGenerator::new().only(["visit__c.topic__C"]);
    let types = some.generate(&[describe(&fields)]).expect("types");
    assert_eq!(types.objects()[0].fields, 2, "the id is always there");
    assert!(types.source().contains("topic: ") && !types.source().contains("name: "));
    let error = TypeGenerator::new().only(["Topic"]).generate(&[describe(&fields)]).expect_err("no such field");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("Topic"), "{error}");
}

#[test]
fn every_field_but_the_id_is_optional_if_asked() {
    let fields = json!([{"name": "Id", "label": "ID", "type": "id"}, text("Name", &json!({}))]);
    let source = source(&TypeGenerator::new().all_optional(), &fields);
    let read = item(&source, "pub struct Visit {");
    assert!(read.contains("id: types::RecordId,") && read.contains("name: Option<String>,"), "{read}");
    assert!(item(&source, "pub struct NewVisit {").contains("name: String,"), "a create still needs it");
}

#[test]
fn a_picklist_tells_its_default_and_what_is_inactive_and_names_its_values_apart() {
    let values = json!({"type": "picklist", "nillable": true, "picklistValues": [
        {"active": true, "defaultValue": true, "label": "Hoch", "value": "High"},
        {"active": false, "label": "Low", "value": "Low"},
        {"active": true, "label": "low", "value": "low"},
        {"active": true, "label": "Unlisted", "value": "Unlisted"},
    ]});
    let source = source(&TypeGenerator::new(), &json!([text("Level__c", &values)]));
    let picklist = item(&source, "pub enum VisitLevel {");
    for lines in [
        "/// Hoch. The default.\n    High,",
        "/// Low. Inactive: a record may still hold it.\n    Low,",
        "/// low.\n    LowV2,",
        "/// Unlisted.\n    UnlistedV2,",
        "Unlisted(String),",
    ] {
        assert!(picklist.contains(lines), "{lines} in {picklist}");
    }
}

#[test]
fn the_header_names_the_command_and_nothing_gets_out_of_it() {
    let by = TypeGenerator::new().made_by("run `x`\npub fn evil() {}");
    let source = source(&by, &json!([text("Name", &json!({}))]));
    assert!(source.starts_with("//! Types of Visit\\_\\_c.\n//!\n"), "{source}");
    assert!(source.lines().all(|line| !line.starts_with("pub fn")), "{source}");
}
