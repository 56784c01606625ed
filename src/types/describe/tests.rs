use super::*;

#[test]
fn a_type_of_a_later_release_is_kept_by_name() {
    let field: FieldDescribe = serde_json::from_str(r#"{"name":"X","type":"hologram"}"#).expect("decodes");
    assert_eq!(field.field_type, FieldType::Other("hologram".into()));
    let field: FieldDescribe = serde_json::from_str(r#"{"name":"X","type":"multipicklist"}"#).expect("decodes");
    assert_eq!(field.field_type, FieldType::Multipicklist);
    let field: FieldDescribe = serde_json::from_str(r#"{"name":"OldValue","type":"anyType"}"#).expect("decodes");
    assert_eq!(field.field_type, FieldType::AnyType, "the one type that describe spells in two cases");
}

#[test]
fn keys_of_a_later_release_are_written_back_as_they_came() {
    let text = r#"{"name":"Thing__c","hologram":{"depth":123456789012345678.90,"axes":[1.10,null]},"fields":[{"name":"X__c","type":"string","quantum":0.1000,"label":"X"}],"spin":null}"#;
    let object: SObjectDescribe = serde_json::from_str(text).expect("decodes");
    assert_eq!(object.other.get("hologram"), Some(r#"{"depth":123456789012345678.90,"axes":[1.10,null]}"#));
    assert_eq!(object.other.get("spin"), Some("null"));
    assert_eq!(object.fields[0].other.iter().collect::<Vec<_>>(), [("quantum", "0.1000")]);
    assert_eq!(object.fields[0].other.read::<f64>("quantum"), Some(0.1));
    let written = serde_json::to_string(&object).expect("serialises");
    assert!(written.contains("123456789012345678.90") && written.contains("0.1000"), "{written}");
    assert_eq!(serde_json::from_str::<SObjectDescribe>(&written).expect("decodes"), object);
}

#[test]
fn the_last_of_a_doubled_key_counts_and_null_is_no_value() {
    let field: FieldDescribe = serde_json::from_str(r#"{"name":"X","a":1,"name":"Y","a":2}"#).expect("decodes");
    assert_eq!((field.name.as_str(), field.other.iter().collect::<Vec<_>>()), ("Y", vec![("a", "2")]));
    let nulls = r#"{"name":"X","label":null,"unique":null,"length":null,"picklistValues":null,"defaultValue":null}"#;
    let field: FieldDescribe = serde_json::from_str(nulls).expect("decodes");
    assert_eq!(field, FieldDescribe { name: "X".into(), ..FieldDescribe::default() });
}

#[test]
fn a_describe_that_was_parsed_before_is_read_as_well() {
    let json = serde_json::json!({"name": "X__c", "type": "string", "later": [1, 2], "urls": {"a": "/b"}});
    let field: FieldDescribe = serde_json::from_value(json).expect("decodes");
    assert_eq!((field.name.as_str(), field.other.get("later")), ("X__c", Some("[1,2]")));
}

#[test]
fn what_is_no_describe_is_an_error_and_no_panic() {
    for text in ["null", "[]", "1", r#""x""#, r#"{"fields":{}}"#, r#"{"fields":[null]}"#, r#"{"name":1}"#, "{\"a\":"] {
        assert!(serde_json::from_str::<SObjectDescribe>(text).is_err(), "{text}");
    }
}

#[test]
fn a_describe_takes_less_memory_than_its_text() {
    // A thousand fields are 2 MB of text as Salesforce sends it.
    assert!(size_of::<FieldDescribe>() <= 680, "{}", size_of::<FieldDescribe>());
    assert!(size_of::<OtherKeys>() <= 8 && size_of::<Urls>() <= 16);
}

#[test]
fn urls_are_found_by_name_and_other_shapes_are_kept() {
    let read = |text: &str| serde_json::from_str::<RecordTypeInfo>(text).expect(text);
    assert_eq!(read(r#"{"urls":{"layout":"/l"}}"#).urls.get("layout").as_deref(), Some("/l"));
    for (text, kept) in [(r#"{"urls":null}"#, false), (r#"{"urls":{}}"#, false), (r#"{"urls":[1]}"#, true)] {
        let info = read(text);
        assert_eq!((info.urls.is_empty(), info.urls.get("layout")), (!kept, None), "{text}");
        assert_eq!(serde_json::to_string(&info).expect("serialises").contains("[1]"), kept);
    }
}

fn value(valid_for: Option<&str>) -> PicklistValue {
    PicklistValue { value: "v".into(), valid_for: valid_for.map(str::to_owned), ..PicklistValue::default() }
}

#[test]
fn the_bits_of_a_dependent_picklist_are_read_from_the_left() {
    let places = |bits: Option<&str>| (0..25).filter(|place| value(bits).is_valid_for(*place)).collect::<Vec<_>>();
    // 101000…, 0100…, and the 21st value of 24.
    for (bits, open) in
        [("oAAA", &[0, 2][..]), ("QAAA", &[1]), ("AAAI", &[20]), ("gA==", &[0]), ("gA", &[0]), ("", &[])]
    {
        assert_eq!(places(Some(bits)), open, "{bits}");
    }
    assert_eq!(places(None).len(), 25, "a value that depends on nothing");
    assert_eq!(places(Some("*")).len(), 25, "bits that cannot be read close nothing");
}

#[test]
fn a_dependent_picklist_is_told_by_the_values_of_its_controller() {
    let object: SObjectDescribe = serde_json::from_str(
        r#"{"name":"Car__c","fields":[
            {"name":"Model__c","type":"picklist","picklistValues":[{"active":true,"value":"Alpha"},{"active":true,"value":"Beta"}]},
            {"name":"Colour__c","type":"picklist","dependentPicklist":true,"controllerName":"model__c","picklistValues":[
                {"active":true,"value":"Blue","validFor":"QAAA"},{"active":true,"value":"Red","validFor":"wAAA"}]},
            {"name":"Trim__c","type":"picklist","dependentPicklist":true,"controllerName":"Sport__c","picklistValues":[
                {"active":true,"value":"Wing","validFor":"QAAA"}]},
            {"name":"Sport__c","type":"boolean"},
            {"name":"Lost__c","type":"picklist","dependentPicklist":true,"controllerName":"Hidden__c"}]}"#,
    )
    .expect("decodes");
    let told = |field: &str| {
        let values = object.dependent_values(field)?;
        let open = |open: &[&PicklistValue]| open.iter().map(|value| value.value.clone()).collect::<Vec<_>>().join(",");
        Some(values.iter().map(|one| format!("{}: {}", one.controlling, open(&one.open))).collect::<Vec<_>>())
    };
    assert_eq!(told("colour__c"), Some(vec!["Alpha: Red".into(), "Beta: Blue,Red".into()]));
    assert_eq!(told("Trim__c"), Some(vec!["false: ".into(), "true: Wing".into()]));
    assert_eq!((told("Lost__c"), told("Model__c"), told("Nope__c")), (None, None, None));
}
