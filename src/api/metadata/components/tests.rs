//! Every type goes out and comes back, and loses nothing of what it does not name.

use proptest::prelude::*;
use serde_json::json;

use super::sealed::Wire;
use super::*;

fn written(component: &impl Wire, root: &str) -> String {
    let mut text = String::new();
    within(root, component).write(&mut text);
    text
}

fn round_trip<T: Wire>(component: &T) -> T {
    let text = written(component, "metadata");
    T::read(&Element::parse(text.as_bytes()).expect("well-formed")).expect("reads")
}

/// Reads a text and gives what is written of it.
fn rewritten<T: Component>(text: &str) -> String {
    let read = T::read(&Element::parse(text.as_bytes()).expect("well-formed")).expect("reads");
    written(&read, T::TYPE)
}

fn field(kind: FieldKind) -> CustomField {
    CustomField::new("A__c.B__c", "B <&> \"b\"", kind).description("d").inline_help_text("h")
}

/// One of each kind, with all that goes with it.
fn kinds() -> Vec<FieldKind> {
    let own = ValueSet::new([PicklistValue::new("a"), PicklistValue::new("b").label("B").default_value()]).sorted();
    let digits = [
        FormulaResult::Number { precision: 18, scale: 2 },
        FormulaResult::Currency { precision: 18, scale: 2 },
        FormulaResult::Percent { precision: 5, scale: 2 },
    ];
    let plain = [
        FormulaResult::Text,
        FormulaResult::Checkbox,
        FormulaResult::Date,
        FormulaResult::DateTime,
        FormulaResult::Time,
    ];
    let mut kinds = vec![
        FieldKind::text(80),
        FieldKind::TextArea,
        FieldKind::long_text(32_768),
        FieldKind::Html { length: 32_768, visible_lines: 25 },
        FieldKind::number(18, 3),
        FieldKind::Currency { precision: 16, scale: 2 },
        FieldKind::Percent { precision: 5, scale: 2 },
        FieldKind::Checkbox,
        FieldKind::Date,
        FieldKind::DateTime,
        FieldKind::Time,
        FieldKind::Email,
        FieldKind::Phone,
        FieldKind::Url,
        FieldKind::picklist(own.clone().restricted()),
        FieldKind::picklist(ValueSet::global("Regions")),
        FieldKind::multiselect_picklist(own),
        FieldKind::lookup("Contact", "Sessions", "Sessions"),
        FieldKind::master_detail("Account", "Sessions", "Sessions"),
        FieldKind::MasterDetail {
            reference_to: "Account".into(),
            relationship_name: "Sessions".into(),
            relationship_label: "Sessions".into(),
            relationship_order: 1,
            write_requires_master_read: true,
            reparentable: true,
        },
        FieldKind::auto_number("A-{0000}"),
        FieldKind::AutoNumber { display_format: "A-{0}".into(), starting_number: Some(7) },
        FieldKind::Location { scale: 5 },
    ];
    kinds.extend(digits.into_iter().chain(plain).map(|result| FieldKind::formula(result, "1 < 2")));
    kinds.push(FieldKind::Formula {
        formula: "A__c & \"x\"".into(),
        result: FormulaResult::Text,
        treat_blanks_as: Some(TreatBlanksAs::Blank),
    });
    for constraint in [None, Some(DeleteConstraint::Restrict), Some(DeleteConstraint::Cascade)] {
        kinds.push(FieldKind::Lookup {
            reference_to: "Contact".into(),
            relationship_name: "R".into(),
            relationship_label: "R".into(),
            delete_constraint: constraint,
        });
    }
    kinds
}

#[test]
fn fields_of_every_type_survive_the_way_out_and_back() {
    for kind in kinds() {
        let field = CustomField { required: true, track_history: true, ..field(kind) };
        assert_eq!(round_trip(&field), field);
    }
    let all = field(FieldKind::text(8)).unique().case_sensitive().external_id().default_value("\"x\"");
    assert_eq!(round_trip(&all), all);
}

#[test]
fn fields_of_every_type_survive_a_file() {
    for kind in kinds() {
        let field = CustomField { required: true, ..field(kind.clone()) };
        let text = serde_json::to_string(&field).expect("a file");
        assert_eq!(serde_json::from_str::<CustomField>(&text).expect(&text), field, "{text}");
        let text = serde_json::to_string(&kind).expect("a file");
        assert_eq!(serde_json::from_str::<FieldKind>(&text).expect(&text), kind, "{text}");
    }
}

#[test]
fn a_file_with_what_does_not_go_with_the_type_is_refused_by_its_key() {
    let base = json!({"fullName": "A.B__c", "label": "B", "type": "Text", "length": 80});
    let with = |key: &str, value: serde_json::Value| {
        let mut table = base.clone();
        table[key] = value;
        serde_json::from_value::<CustomField>(table).map_err(|error| error.to_string())
    };
    assert_eq!(with("required", json!(false)), Ok(CustomField::new("A.B__c", "B", FieldKind::text(80))));
    for (key, value, named) in [
        ("precision", json!(18), "`precision` does not go with the type Text"),
        ("lenght", json!(80), "unknown field `lenght`"),
        ("length", json!("80"), "invalid type: string"),
        ("type", json!("Number"), "missing field `precision` of the type Number"),
        ("type", json!("Tex"), "the type Tex cannot be made"),
        ("label", json!(""), "missing field `label`"),
    ] {
        let error = with(key, value).expect_err(key);
        assert!(error.contains(named), "{error}");
    }
    let picklist = json!({"type": "Picklist", "valueSet": {"values": ["a"], "valueSetName": "G"}});
    let error = serde_json::from_value::<FieldKind>(picklist).expect_err("both");
    assert!(error.to_string().contains("either values of its own or a valueSetName"), "{error}");
    let kind = json!({"type": "Date", "fullName": "A.B__c"});
    assert!(serde_json::from_value::<FieldKind>(kind).is_err(), "a kind has no name");
}

#[test]
fn a_checkbox_has_a_default_and_never_says_required() {
    let text = written(&CustomField::new("A.B__c", "B", FieldKind::Checkbox), "x");
    assert!(text.contains("<defaultValue>false</defaultValue>") && !text.contains("required"), "{text}");
    let checked = CustomField::new("A.B__c", "B", FieldKind::Checkbox).default_value("true");
    assert_eq!(round_trip(&checked), checked);
    assert!(!written(&field(FieldKind::formula(FormulaResult::Checkbox, "TRUE")), "x").contains("defaultValue"));
}

#[test]
fn what_an_admin_has_set_besides_is_written_back() {
    let text = "<PermissionSet><fullName>P</fullName><classAccesses><apexClass>C</apexClass><enabled>true</enabled></classAccesses>\
                <hasActivationRequired>true</hasActivationRequired><label>P</label><license>Salesforce</license>\
                <objectPermissions><allowCreate>false</allowCreate><allowDelete>false</allowDelete><allowEdit>false</allowEdit>\
                <allowRead>true</allowRead><modifyAllRecords>false</modifyAllRecords><object>A</object>\
                <viewAllFields>true</viewAllFields><viewAllRecords>false</viewAllRecords></objectPermissions>\
                <tabSettings><tab>T</tab><visibility>Visible</visibility></tabSettings></PermissionSet>";
    assert_eq!(rewritten::<PermissionSet>(text), text, "all of it, in the order of the WSDL");
    let field = "<CustomField><fullName>A.B__c</fullName><externalId>false</externalId><label>B</label>\
                 <lookupFilter><active>true</active><isOptional>false</isOptional></lookupFilter><referenceTo>C</referenceTo>\
                 <required>false</required><securityClassification>Public</securityClassification><type>Lookup</type></CustomField>";
    assert_eq!(rewritten::<CustomField>(field), field);
    let read = CustomField::read(&Element::parse(field.as_bytes()).expect("well-formed")).expect("reads").required();
    assert_eq!(written(&read, "x").matches("<required>").count(), 1, "what was set now is what counts");
    let types = "<Flow><fullName>F</fullName><label>F</label><processMetadataValues><name>a</name><value xsi:nil=\"true\"></value>\
                 </processMetadataValues></Flow>";
    assert_eq!(rewritten::<Flow>(types), types, "attributes keep their prefix");
}

#[test]
fn objects_and_permission_sets_survive_the_way_out_and_back() {
    let object = CustomObject {
        enable_sharing: Some(false),
        fields: vec![CustomField::new("A__c", "A", FieldKind::Date)],
        ..CustomObject::new("X__c", "X", "Xs").with_history().with_reports().with_search().with_activities()
    };
    assert_eq!(round_trip(&object), object);
    let numbered = object.name_field(NameField::auto_number("No", "A-{0}"));
    assert_eq!(round_trip(&numbered), numbered);
    let text = serde_json::to_string(&numbered).expect("a file");
    assert_eq!(serde_json::from_str::<CustomObject>(&text).expect("reads"), numbered);
    let standard = CustomObject::standard("Account").with_history();
    let only = "<CustomObject><fullName>Account</fullName><enableHistory>true</enableHistory></CustomObject>";
    assert_eq!(written(&standard, "CustomObject"), only, "nothing else of a standard object");
    let set = PermissionSet {
        full_name: "P".into(),
        label: "P".into(),
        fields: vec![FieldPermission { field: "A.B__c".into(), readable: true, editable: false }],
        objects: vec![ObjectPermission { object: "A".into(), read: true, edit: true, ..ObjectPermission::default() }],
        users: vec!["ApiEnabled".into()],
        ..PermissionSet::default()
    };
    assert_eq!(round_trip(&set), set);
    let text = serde_json::to_string(&set).expect("a file");
    assert_eq!(serde_json::from_str::<PermissionSet>(&text).expect("reads"), set);
    assert!(serde_json::from_str::<PermissionSet>(&text.replace("allowEdit", "allowedit")).is_err());
}

#[test]
fn the_other_types_survive_the_way_out_and_back() {
    let message = WorkflowOutboundMessage::new("Msg", "https://example.com/x?s=1", "user@example.com", ["Id", "Name"]);
    let items = WorkflowCriteria::Items {
        items: vec![FilterItem::new("Account.Name", FilterOperation::Contains, "x")],
        boolean_filter: Some("1".into()),
    };
    let rule = WorkflowRule::new("Rule", "TRUE", WorkflowTriggerType::OnAllChanges).sends("Msg");
    let workflow = Workflow {
        full_name: "Account".into(),
        outbound_messages: vec![message],
        rules: vec![rule.clone(), WorkflowRule { criteria: items, active: false, ..rule }],
        rest: Rest::default(),
    };
    assert_eq!(round_trip(&workflow), workflow);
    let flow = Flow::record_triggered("F", "F", "Account", RecordTriggerType::Update)
        .sends("Account.One")
        .sends("Account.One")
        .only_if("Name", "EqualTo", FlowValue::Text("x".into()))
        .only_if("IsActive__c", "EqualTo", FlowValue::Boolean(true))
        .only_if("Size__c", "GreaterThan", FlowValue::Number("1.0".into()))
        .only_if("OwnerId", "EqualTo", FlowValue::Reference("$User.Id".into()));
    assert_eq!(round_trip(&flow), flow);
    assert_eq!(flow.start.as_ref().and_then(|start| start.connector.as_deref()), Some("Send_One"));
    assert_eq!(flow.action_calls[0].connector.as_deref(), Some("Send_One_2"));
    let deleted = Flow::record_triggered("F", "F", "Account", RecordTriggerType::Delete);
    let trigger = deleted.start.as_ref().and_then(|start| start.trigger_type.as_deref());
    assert_eq!(trigger, Some("RecordBeforeDelete"), "no flow starts after that");
    assert_eq!(round_trip(&deleted), deleted);
    let credential =
        NamedCredential::bearer("N", "N", "https://example.com", "token").header("X-A", "b").external_credential("E");
    assert_eq!(round_trip(&credential), credential);
    for action in [QuickAction::flow("Contact.Go", "Go", "F"), QuickAction::update("Contact.Set", "Set", ["Score__c"])]
    {
        assert_eq!(round_trip(&action), action);
    }
    let class = ApexClass::new("C", "public class C { String s = '<&>\u{1f600}'; }\n");
    assert_eq!(round_trip(&class), class);
    let site = RemoteSiteSetting::new("S", "https://example.com");
    assert_eq!(round_trip(&site), site);
}

#[test]
fn dem_11_the_token_of_a_named_credential_is_in_the_request_and_in_no_debug_text() {
    let credential = NamedCredential::bearer("Acme_API", "Acme API", "https://example.com", "acme_s3cret");
    let text = written(&credential, "NamedCredential");
    assert!(text.contains("<parameterValue>Bearer acme_s3cret</parameterValue>"), "{text}");
    let read = NamedCredential::read(
        &Element::parse(text.replace("<label>", "<password>acme_s3cret</password><label>").as_bytes())
            .expect("well-formed"),
    );
    let any = AnyComponent::from(credential.clone());
    let shown = format!("{credential:?} {any:?} {read:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(serde_json::to_string(&any).is_err(), "nor in a file");
    let message =
        WorkflowOutboundMessage::new("A.M", "https://example.com/hook?secret=s3cret", "u@example.com", ["Id"]);
    assert!(!format!("{message:?}").contains("s3cret"));
}

const LAYOUT: &str = "<Layout><fullName>Contact-Contact Layout</fullName><excludeButtons>Submit</excludeButtons>\
    <layoutSections><customLabel>false</customLabel><detailHeading>false</detailHeading><editHeading>true</editHeading>\
    <label>Information</label><layoutColumns><layoutItems><behavior>Readonly</behavior><field>OwnerId</field></layoutItems>\
    <layoutItems><emptySpace>true</emptySpace></layoutItems></layoutColumns><layoutColumns></layoutColumns>\
    <style>TwoColumnsTopToBottom</style></layoutSections><layoutSections><customLabel>true</customLabel>\
    <detailHeading>true</detailHeading><editHeading>false</editHeading><layoutColumns><layoutItems><customLink>L</customLink></layoutItems>\
    </layoutColumns><style>CustomLinks</style></layoutSections><relatedLists><fields>NAME</fields>\
    <relatedList>RelatedOpportunityList</relatedList></relatedLists><showEmailCheckbox>false</showEmailCheckbox></Layout>";

fn layout() -> Layout {
    Layout::read(&Element::parse(LAYOUT.as_bytes()).expect("well-formed")).expect("reads")
}

#[test]
fn gpt_23_a_section_is_added_to_a_layout_and_all_else_stays() {
    assert_eq!(written(&layout(), "Layout"), LAYOUT);
    let section = LayoutSection::new("Insights", ["A__c", "B__c", "C__c"]);
    let mut changed = layout();
    assert!(changed.add_section(section.clone()));
    assert_eq!(changed.sections[1], section, "above the custom links");
    let mut rest = changed.clone();
    rest.sections.remove(1);
    assert_eq!(written(&rest, "Layout"), LAYOUT, "all else as it was");
    let once = changed.clone();
    assert!(!changed.add_section(section), "a second time changes nothing");
    assert_eq!(changed, once);
}

#[test]
fn gpt_23_a_field_that_stands_elsewhere_stays_there_and_a_section_gets_what_it_lacks() {
    let mut changed = layout();
    assert!(!changed.add_section(LayoutSection::new("Insights", ["ownerid"])));
    assert_eq!(changed, layout(), "an empty section is none");
    assert!(changed.add_section(LayoutSection::new("Insights", ["OwnerId", "A__c"])));
    assert_eq!(changed.sections[1].fields().collect::<Vec<_>>(), ["A__c"]);
    assert!(changed.add_section(LayoutSection::new("insights", ["A__c", "B__c"])));
    assert_eq!((changed.sections.len(), changed.sections[1].fields().count()), (3, 2));
    assert_eq!(changed.sections[1].columns.iter().map(|column| column.items.len()).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn raw_xml_is_taken_if_it_is_what_it_says() {
    let xml = "<?xml version=\"1.0\"?>\n<CustomTab xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n  <motif>Custom1: Heart</motif>\n</CustomTab>\n";
    let tab = AnyComponent::raw("CustomTab", "X__c", xml).expect("sound");
    assert_eq!((tab.component_type(), tab.full_name()), ("CustomTab", "X__c"));
    let text = serde_json::to_string(&tab).expect("a file");
    assert_eq!(serde_json::from_str::<AnyComponent>(&text).expect("reads"), tab);
    for bad in [
        "",
        "<CustomTab>",
        "<CustomTab/>x",
        "<CustomTab/><CustomTab/>",
        "x<CustomTab/>",
        "<Other/>",
        "<CustomTab><fullName>Y__c</fullName></CustomTab>",
        "<CustomTab xmlns=\"urn:other\"/>",
        "<!DOCTYPE a><CustomTab/>",
        "<CustomTab a='1' a='2'/>",
        "<CustomTab>&unknown;</CustomTab>",
    ] {
        assert!(AnyComponent::raw("CustomTab", "X__c", bad).is_err(), "{bad}");
    }
    assert!(AnyComponent::raw("CustomTab", "", xml).is_err());
    for kind in ["../Custom", "a/b", "..", "Custom:Tab", "A\"b", "Tab\u{e9}"] {
        assert!(AnyComponent::raw(kind, "X__c", &format!("<{kind}></{kind}>")).is_err(), "{kind}");
    }
    let set = PermissionSet { full_name: "P".into(), label: "P".into(), ..PermissionSet::default() };
    let any = AnyComponent::from(set.clone());
    assert_eq!(any.get::<PermissionSet>().expect("reads"), Some(set));
    assert_eq!(any.get::<Layout>().expect("reads"), None);
}

proptest! {
    #[test]
    fn any_text_that_xml_can_hold_comes_back(text in "[^\u{0}-\u{1f}\u{fffe}\u{ffff}\\s]([^\u{0}-\u{1f}\u{fffe}\u{ffff}]{0,30}[^\u{0}-\u{1f}\u{fffe}\u{ffff}\\s])?") {
        let field = CustomField::new("A.B__c", text.as_str(), FieldKind::picklist(ValueSet::new([text.as_str()])))
            .description(text.as_str());
        prop_assert_eq!(round_trip(&field), field);
        let rule = WorkflowRule::new("A.R", text.as_str(), WorkflowTriggerType::OnCreateOnly);
        prop_assert_eq!(round_trip(&rule), rule);
        let section = LayoutSection::new(text.as_str(), ["A__c"]);
        prop_assert_eq!(round_trip(&section), section);
    }
}
