use super::*;
use crate::api::metadata::{
    AnyComponent, Flow, FormulaResult, ObjectPermission, PermissionSet, PicklistValue, RecordTriggerType, SharingModel,
};
use crate::schema::DesiredSchema;

fn field(name: &str, kind: FieldKind) -> CustomField {
    CustomField::new(format!("S__c.{name}__c"), "Label", kind)
}

fn sound() -> DesiredSchema {
    let set = PermissionSet {
        full_name: "Ours".into(),
        label: "Ours".into(),
        objects: vec![ObjectPermission { object: "S__c".into(), read: true, ..ObjectPermission::default() }],
        fields: vec![crate::api::metadata::FieldPermission {
            field: "S__c.Key__c".into(),
            readable: true,
            editable: true,
        }],
        ..PermissionSet::default()
    };
    DesiredSchema::new("test")
        .object(CustomObject::new("S__c", "Session", "Sessions"))
        .field(field("Key", FieldKind::text(80)).unique().case_sensitive().external_id())
        .field(field("Contact", FieldKind::lookup("Contact", "Sessions", "Sessions")))
        .permission_set(set)
}

fn told(schema: &DesiredSchema) -> Vec<String> {
    schema.validate().iter().map(ToString::to_string).collect()
}

/// The one fault of a schema with this field more.
fn fault_of(field: CustomField) -> String {
    let told = told(&sound().field(field));
    assert_eq!(told.len(), 1, "{told:?}");
    told[0].clone()
}

#[test]
fn a_sound_schema_has_no_fault_whatever_its_labels_are() {
    assert_eq!(told(&sound()), [""; 0]);
    for label in ["<Score> & \"more\"", "🎉 Score", "得点", "Ünïcödé"] {
        let field = CustomField { label: label.into(), ..field("Score", FieldKind::number(18, 0)) };
        assert_eq!(told(&sound().field(field)), [""; 0], "{label}");
    }
}

#[test]
fn bad_input_of_each_kind_is_told() {
    use FieldKind as K;
    let lookup = |to: &str, name: &str| FieldKind::lookup(to, name, "Sessions");
    for (kind, says) in [
        (K::text(0), "0 characters, 1 to 255"),
        (K::text(256), "256 characters, 1 to 255"),
        (K::number(19, 0), "19 digits, 1 to 18"),
        (K::number(0, 0), "0 digits"),
        (K::number(5, 6), "6 digits after the point and only 5"),
        (K::long_text(255), "255 characters, 256 to"),
        (K::LongTextArea { length: 256, visible_lines: 1 }, "shows 1 lines"),
        (K::Currency { precision: 20, scale: 2 }, "20 digits"),
        (K::picklist(ValueSet::default()), "without values"),
        (K::picklist(ValueSet::new(["a", "A"])), "twice"),
        (K::picklist(ValueSet::new([""])), "empty value"),
        (K::picklist(ValueSet::new(["x".repeat(256).as_str()])), "256 characters"),
        (
            K::picklist(ValueSet::new([
                PicklistValue::new("a").default_value(),
                PicklistValue::new("b").default_value(),
            ])),
            "two default values",
        ),
        (K::MultiselectPicklist { values: ValueSet::new(["a"]), visible_lines: 2 }, "2 lines, 3 to 10"),
        (lookup("", "Others"), "looks up no object"),
        (lookup("a b", "Others"), "cannot be an object"),
        (lookup("Contact", "Our__Sessions"), "relationship that has a name with two underscores"),
        (lookup("Contact", "sessions"), "as S__c.Contact__c is"),
        (K::auto_number("A-"), "without {0}"),
        (K::Location { scale: 16 }, "16 digits after the point"),
        (K::formula(FormulaResult::Text, " "), "empty formula"),
        (K::Other("Hologram".into()), "which is not made"),
    ] {
        let fault = fault_of(field("X", kind));
        assert!(fault.starts_with("S__c.X__c ") && fault.contains(says), "{fault}: {says}");
    }
}

#[test]
fn flags_that_do_not_go_with_the_type_are_told() {
    use FieldKind as K;
    let checkbox = || field("X", K::Checkbox);
    for (field, says) in [
        (field("X", K::Date).external_id(), "external id, which a Date cannot be"),
        (field("X", K::long_text(300)).unique(), "unique, which a LongTextArea"),
        (field("X", K::text(9)).case_sensitive(), "case-sensitive"),
        (checkbox().required(), "required, which a Checkbox"),
        (checkbox().default_value("yes"), "neither true nor false"),
        (field("X", K::lookup("Lead", "Sessions", "S")).required(), "required lookup"),
        (field("X", K::auto_number("{0}")).default_value("1"), "a default, which a AutoNumber"),
        (field("X", K::text(9)).track_history(), "does not have its history enabled"),
    ] {
        let fault = fault_of(field);
        assert!(fault.contains(says), "{fault}: {says}");
    }
    assert_eq!(told(&sound().field(checkbox()).field(field("Y", K::Checkbox).default_value("true"))), [""; 0]);
}

#[test]
fn names_and_labels_that_cannot_be_are_told() {
    let named = |full_name: &str| CustomField::new(full_name, "L", FieldKind::Date);
    let long = format!("S__c.{}__c", "a".repeat(41));
    for (full_name, says) in [
        (long.as_str(), "41 characters, 40 are allowed"),
        ("S__c.1__c", "does not begin with a letter"),
        ("S__c.a__b__c", "two underscores"),
        ("S__c.a___c", "underscore"),
        ("S__c.Größe__c", "'ö'"),
        ("S__c.Select__c", "reserved"),
        ("S__c.Score", "does not end in __c"),
        ("Score__c", "names no object"),
        ("a b.Score__c", "cannot be an object"),
        ("S__c.KEY__c", "is the same name as S__c.Key__c"),
        ("S__c.Key__c", "stands twice"),
    ] {
        let told = told(&sound().field(named(full_name)));
        assert!(told.iter().any(|fault| fault.contains(says)), "{full_name}: {told:?}");
    }
    for (label, says) in [
        ("x".repeat(300), "label of 300 characters, 40 are allowed"),
        ("a\u{7}b".into(), "label with control characters"),
        (" ".into(), "no label"),
        ("🎉".repeat(21), "label of 42 characters"),
    ] {
        let fault = fault_of(CustomField { label, ..field("X", FieldKind::Date) });
        assert!(fault.contains(says), "{fault}");
    }
}

#[test]
fn objects_that_cannot_be_are_told() {
    let of = |object: CustomObject| told(&DesiredSchema::new("test").object(object));
    let object = || CustomObject::new("T__c", "T", "Ts");
    for (object, says) in [
        (CustomObject { name_field: None, ..object() }, "no name field"),
        (CustomObject { sharing_model: None, ..object() }, "no sharing model"),
        (CustomObject { enable_sharing: Some(true), ..object() }, "that differ"),
        (CustomObject { plural_label: String::new(), ..object() }, "no plural label"),
        (CustomObject { full_name: "Account".into(), ..object() }, "is no custom object"),
        (CustomObject { full_name: format!("{}__c", "t".repeat(41)), ..object() }, "41 characters"),
        (CustomObject { description: Some("d".repeat(1001)), ..object() }, "description of 1001"),
    ] {
        let told = of(object);
        assert!(told.len() == 1 && told[0].contains(says), "{told:?}: {says}");
    }
    assert_eq!(of(CustomObject::standard("Account").with_history()), [""; 0]);
    assert_eq!(of(CustomObject { sharing_model: Some(SharingModel::Private), ..object() }), [""; 0]);
}

#[test]
fn a_detail_that_no_org_takes_is_told() {
    let master = |to: &str, order: u32| FieldKind::MasterDetail {
        reference_to: to.into(),
        relationship_name: format!("{to}_details"),
        relationship_label: "Details".into(),
        relationship_order: order,
        write_requires_master_read: false,
        reparentable: false,
    };
    let of = |sharing_model, masters: &[FieldKind]| {
        let object = CustomObject::new("S__c", "S", "Ss").sharing_model(sharing_model);
        let fields = masters.iter().enumerate().map(|(index, kind)| field(&format!("M{index}"), kind.clone()));
        told(&DesiredSchema::new("test").object(object).fields(fields))
    };
    let (open, by_parent) = (SharingModel::ReadWrite, SharingModel::ControlledByParent);
    let two = [master("Account", 0), master("Contact", 1)];
    assert_eq!(of(by_parent.clone(), &two[..1]), [""; 0]);
    assert_eq!(of(by_parent.clone(), &two), [""; 0]);
    assert_eq!(of(open, &two[..1]), ["S__c is a detail, whose sharing model is ControlledByParent"]);
    assert!(of(by_parent.clone(), &[])[0].contains("but no master-detail relationship"));
    let same = of(by_parent.clone(), &[master("Account", 0), master("Contact", 0)]);
    assert_eq!(same, ["S__c.M1__c is the second master-detail relationship of the order 0"]);
    assert!(of(by_parent, &[master("Account", 2)])[0].contains("order other than 0 and 1"));
}

#[test]
fn heap_29_more_tracked_fields_and_external_ids_than_an_object_can_have_are_told() {
    let object = CustomObject::new("S__c", "S", "Ss").with_history();
    let many = |count: usize, make: fn(CustomField) -> CustomField| {
        let fields = (0..count).map(move |index| make(field(&format!("F{index}"), FieldKind::text(9))));
        told(&DesiredSchema::new("test").object(object.clone()).fields(fields))
    };
    assert_eq!(many(20, CustomField::track_history), [""; 0]);
    assert_eq!(many(21, CustomField::track_history), ["S__c gets 21 tracked fields, 20 are allowed"]);
    assert_eq!(many(25, CustomField::external_id), [""; 0]);
    assert_eq!(many(26, CustomField::external_id), ["S__c gets 26 external ids, 25 are allowed"]);
}

#[test]
fn rights_that_cannot_be_granted_are_told() {
    let with = |change: &dyn Fn(&mut PermissionSet)| {
        let mut schema = sound().field(CustomField { required: true, ..field("Must", FieldKind::Date) });
        let set = schema.permission_set.as_mut().expect("there");
        change(set);
        told(&schema)
    };
    let grant = |name: &str, readable, editable| crate::api::metadata::FieldPermission {
        field: name.into(),
        readable,
        editable,
    };
    assert_eq!(with(&|_| {}), [""; 0]);
    for (told, says) in [
        (with(&|set| set.full_name = "p".repeat(81)), "81 characters, 80"),
        (with(&|set| set.label = "p".repeat(81)), "81 characters, 80"),
        (with(&|set| set.fields.push(grant("S__c.Must__c", true, true))), "required and takes no permission"),
        (with(&|set| set.fields.push(grant("Lead.Email", false, true))), "be changed and not be seen"),
        (with(&|set| set.fields.push(grant("s__c.key__c", true, true))), "twice"),
        (with(&|set| set.fields.push(grant("Email", true, true))), "names no object"),
        (with(&|set| (set.objects[0].read, set.objects[0].edit) = (false, true)), "but not Read"),
        (with(&|set| set.objects[0].modify_all = true), "Modify All"),
        (with(&|set| set.objects[0].delete = true), "but not Edit"),
    ] {
        assert!(told.len() == 1 && told[0].contains(says), "{told:?}: {says}");
    }
}

#[test]
fn sections_and_components_that_cannot_be_are_told() {
    let section = |layout: &str, fields: &[&str]| DesiredSection {
        layout: layout.into(),
        label: "Insights".into(),
        fields: fields.iter().map(|name| (*name).to_owned()).collect(),
    };
    let with = |section: DesiredSection| told(&sound().layout_section(section));
    assert_eq!(with(section("S__c-Session Layout", &["Key__c", "Name"])), [""; 0]);
    assert!(with(section("S__c-Session Layout", &["Gone__c"]))[0].contains("Gone__c, which is no field of the schema"));
    assert!(with(section("S__c-Session Layout", &["Key__c", "KEY__c"]))[0].contains("twice"));
    assert!(with(section("S__c-Session Layout", &[]))[0].contains("no fields"));
    assert!(with(section("Session Layout", &["Name"]))[0].contains("names no layout"));
    let flow = || AnyComponent::from(Flow::record_triggered("F", "F", "Lead", RecordTriggerType::Create));
    assert!(told(&sound().component(flow()).component(flow()))[0].contains("Flow F stands twice"));
    let hidden = told(&sound().component(field("X", FieldKind::Date)));
    assert!(hidden[0].contains("belongs to the objects, fields"), "{hidden:?}");
}

#[test]
fn everything_wrong_comes_at_once_as_one_error() {
    let schema = DesiredSchema::new("")
        .object(CustomObject { label: String::new(), ..CustomObject::new("a__b__c", "x", "x") })
        .field(CustomField::new("S__c.1__c", "", FieldKind::text(0)));
    let error = schema.check().expect_err("much is wrong");
    assert_eq!(error.kind(), ErrorKind::Config);
    let faults = SchemaFault::all_of(&error);
    assert_eq!(faults.len(), 6, "{error}");
    assert!(faults.iter().all(|fault| error.message().contains(&fault.to_string())));
}

#[test]
fn a_component_that_others_work_in_too_is_refused() {
    let raw = |kind: &str, xml: &str| AnyComponent::raw(kind, "Opportunity", xml).expect("well-formed");
    for kind in ["Workflow", "Profile", "CustomLabels", "AccountSettings"] {
        let told = told(&sound().component(raw(kind, &format!("<{kind}/>"))));
        assert!(told.len() == 1 && told[0].contains("a deploy replaces it"), "{kind}: {told:?}");
    }
    assert_eq!(told(&sound().component(raw("RemoteSiteSetting", "<RemoteSiteSetting/>"))), [""; 0]);
}
