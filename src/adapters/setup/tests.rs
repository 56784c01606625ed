use std::collections::BTreeSet;

use super::*;
use crate::adapters::presets::{SurveyFields, opportunity_map, score_map, survey_map};
use crate::api::metadata::FieldKind;
use crate::mapping::{FieldMap, Verdict};
use crate::schema::{ObjectRequirement, ObjectRight, Severity};
use crate::types::{Direction, FieldDescribe, FieldType, SObjectDescribe};

fn describe(object: &str, fields: Vec<FieldDescribe>) -> SObjectDescribe {
    SObjectDescribe {
        name: object.to_owned(),
        createable: true,
        updateable: true,
        queryable: true,
        fields,
        ..SObjectDescribe::default()
    }
}

fn field(name: &str, field_type: FieldType) -> FieldDescribe {
    FieldDescribe {
        name: name.to_owned(),
        field_type,
        nillable: true,
        createable: true,
        updateable: true,
        ..FieldDescribe::default()
    }
}

/// A field as describe tells it once it is made.
fn made(name: &str, kind: &FieldKind) -> FieldDescribe {
    match kind {
        FieldKind::Text { length } => FieldDescribe { length: *length, ..field(name, FieldType::String) },
        FieldKind::Number { precision, scale } => {
            FieldDescribe { precision: *precision, scale: *scale, ..field(name, FieldType::Double) }
        }
        FieldKind::Checkbox => {
            FieldDescribe { nillable: false, defaulted_on_create: true, ..field(name, FieldType::Boolean) }
        }
        FieldKind::Date => field(name, FieldType::Date),
        FieldKind::DateTime => field(name, FieldType::Datetime),
        other => panic!("{other}"),
    }
}

/// An object with the fields that a schema makes on it, and these.
fn after(schema: &DesiredSchema, object: &str, more: Vec<FieldDescribe>) -> SObjectDescribe {
    let own = schema.fields.iter().filter_map(|made_field| {
        let name = made_field.full_name.strip_prefix(object)?.strip_prefix('.')?;
        Some(made(name, &made_field.kind))
    });
    describe(object, own.chain(more).collect())
}

fn impossible(map: &FieldMap, object: &SObjectDescribe) -> Vec<String> {
    let report = map.check(object);
    let fields = report.fields.iter().filter(|field| field.verdict == Verdict::Impossible);
    fields.map(ToString::to_string).collect()
}

fn key() -> FieldDescribe {
    let key = field("External_Id__c", FieldType::String);
    FieldDescribe { length: 80, external_id: true, unique: true, ..key }
}

fn object<'a>(required: &'a RequirementSet, name: &str) -> &'a ObjectRequirement {
    required.objects.iter().find(|object| object.object.as_str() == name).unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn each_preset_is_a_sound_schema() {
    for preset in Preset::ALL {
        assert_eq!(preset.desired_schema().validate(), [], "{preset}");
        assert!(preset.requirements().validate().is_ok(), "{preset}");
    }
}

#[test]
fn presets_are_known_by_their_names() {
    for preset in Preset::ALL {
        assert_eq!(preset.name().parse::<Preset>().expect("known"), preset);
    }
    let error = "engagment".parse::<Preset>().expect_err("misspelt");
    assert!(error.advice().is_some_and(|advice| advice.contains("usage_read")), "{error}");
}

#[test]
fn gpt_3_the_fields_that_a_scores_set_up_makes_take_what_the_score_map_sends() {
    let schema = scores_schema();
    assert_eq!(schema.fields.len(), 18, "six on each of three objects");
    assert_eq!(schema.validate(), [], "GPT-23: the sections name fields that are made");
    let sections: Vec<&str> = schema.layout_sections.iter().map(|section| section.layout.as_str()).collect();
    assert_eq!(sections, ["Contact-Contact Layout", "Lead-Lead Layout", "Account-Account Layout"]);
    for name in ["Contact", "Lead", "Account"] {
        let map = score_map(
            SObjectName::new(name).expect("a name"),
            FieldName::from_static("External_Id__c"),
            Direction::ToSalesforce,
        );
        let map = map.expect("sound");
        assert_eq!(impossible(&map, &after(&schema, name, vec![key()])), [""; 0], "{name}");
        let required: BTreeSet<String> =
            object(&scores_requirements(), name).fields.iter().map(|field| field.field.to_string()).collect();
        for rule in map.rules().iter().filter(|rule| rule.target.to_string() != "External_Id__c") {
            assert!(required.contains(&rule.target.to_string()), "{name}.{}", rule.target);
        }
    }
}

#[test]
fn dem_15_the_fields_that_a_survey_set_up_makes_take_what_the_survey_map_sends_and_can_be_others() {
    let name = FieldName::from_static;
    let own = SurveyFields { nps: name("Nps__c"), csat: name("Csat__c"), last_survey: name("Asked__c") };
    for fields in [SurveyFields::default(), own] {
        let schema = survey_schema(&fields);
        let email = FieldDescribe { length: 80, ..field("Email", FieldType::Email) };
        let contact = after(&schema, "Contact", vec![key(), email]);
        let map = survey_map(name("External_Id__c"), fields.clone(), "UTC").expect("sound");
        assert_eq!(impossible(&map, &contact), [""; 0]);
        let granted = schema.permission_set.as_ref().expect("a set").fields.iter();
        let mut email = granted.filter(|grant| grant.field == "Contact.Email");
        assert!(email.all(|grant| grant.readable && !grant.editable), "an address is not needed to be written");
        let made: Vec<&str> = schema.fields.iter().map(|field| field.full_name.as_str()).collect();
        assert!(made.contains(&format!("Contact.{}", fields.nps).as_str()), "{made:?}");
    }
}

#[test]
fn smv_32_a_crm_user_reads_all_that_the_opportunity_map_reads_and_writes_nothing() {
    let required = crm_requirements();
    let fields: Vec<&str> = object(&required, "Opportunity").fields.iter().map(|field| field.field.as_str()).collect();
    for rule in opportunity_map(None).expect("sound").rules() {
        let target = rule.target.to_string();
        assert!(target == "Id" || fields.contains(&target.as_str()), "{target}");
    }
    let schema = crm_schema();
    assert!(schema.fields.is_empty() && schema.objects.is_empty());
    assert!(
        schema
            .permission_set
            .as_ref()
            .expect("a set")
            .objects
            .iter()
            .all(|object| !object.edit && !object.create && !object.delete)
    );
    assert!(
        schema.permission_set.as_ref().expect("a set").fields.iter().all(|field| field.readable && !field.editable)
    );
    assert!(required.objects.iter().all(|object| object.rights.is_empty()));
}

#[test]
fn smv_9_activities_are_optional() {
    let required = crm_requirements();
    for name in ["Event", "Task", "OpportunityHistory"] {
        assert_eq!(object(&required, name).severity, Severity::Optional);
    }
    assert_eq!(object(&required, "Contact").severity, Severity::Required);
}

#[test]
fn heap_15_the_usage_objects_are_made_or_come_with_a_package() {
    let schema = usage_schema(&UsageOptions::default());
    let objects: Vec<&str> = schema.objects.iter().map(|object| object.full_name.as_str()).collect();
    assert_eq!(objects, ["Heap_Account_Usage__c", "Heap_Contact_Usage__c"]);
    let fields: Vec<&str> = schema.fields.iter().map(|field| field.full_name.as_str()).collect();
    assert_eq!(
        fields,
        [
            "Heap_Account_Usage__c.Account_Id__c",
            "Heap_Account_Usage__c.Account__c",
            "Heap_Contact_Usage__c.Contact_Id__c",
            "Heap_Contact_Usage__c.Contact__c"
        ]
    );
    let metric =
        UsageMetric { level: UsageLevel::Contact, field: FieldName::from_static("Logins__c"), label: "Logins".into() };
    let packaged = UsageOptions::default().namespace("heap").expect("sound").metric(metric);
    let schema = usage_schema(&packaged);
    assert!(schema.objects.is_empty());
    assert_eq!(schema.fields[0].full_name, "heap__Heap_Contact_Usage__c.Logins__c");
    assert_eq!(schema.fields.len(), 1, "key and lookup are the package's");
    assert_eq!(packaged.key(UsageLevel::Account).as_str(), "heap__Account_Id__c");
    for wrong in ["", "1a", "a__b", "a_", "far_too_long_namespace"] {
        UsageOptions::default().namespace(wrong).expect_err(wrong);
    }
}

#[test]
fn heap_29_history_is_kept_where_that_is_asked_for() {
    let metric = |level| UsageMetric::new(level, "Log-ins (7 days)");
    assert_eq!(metric(UsageLevel::Account).field.as_str(), "Log_ins_7_days__c");
    let options =
        UsageLevel::ALL.into_iter().fold(UsageOptions::default(), |options, level| options.metric(metric(level)));
    let tracked = |schema: &DesiredSchema| {
        let fields: Vec<String> =
            schema.fields.iter().filter(|field| field.track_history).map(|field| field.full_name.clone()).collect();
        (schema.objects.iter().filter(|object| object.enable_history == Some(true)).count(), fields)
    };
    assert_eq!(tracked(&usage_schema(&options)), (0, vec![]), "not unless it is asked for");
    let (objects, fields) = tracked(&usage_schema(&options.track_history()));
    assert_eq!((objects, fields.len()), (2, 2), "{fields:?}");
}

#[test]
fn heap_18_to_21_the_two_way_rights_are_named_with_their_alternatives() {
    let required = usage_requirements(&UsageOptions::default());
    let permissions: Vec<Vec<&str>> =
        required.permissions.iter().map(|permission| permission.any_of.iter().map(String::as_str).collect()).collect();
    assert_eq!(
        permissions,
        [vec!["ApiEnabled", "ApiUserOnly"], vec!["CustomizeApplication"], vec!["ModifyMetadata", "ModifyAllData"]]
    );
    for name in ["Heap_Account_Usage__c", "Heap_Contact_Usage__c"] {
        let rights: Vec<ObjectRight> = object(&required, name).rights.keys().copied().collect();
        assert_eq!(rights, ObjectRight::ALL, "HEAP-17 and HEAP-21");
    }
    for name in ["Account", "Contact"] {
        let rights: Vec<ObjectRight> = object(&required, name).rights.keys().copied().collect();
        assert_eq!(rights, [ObjectRight::ViewAll], "HEAP-19 and HEAP-20");
    }
    let read = usage_read_requirements();
    assert_eq!((read.permissions.len(), read.objects.len()), (1, 2), "HEAP-33");
    assert!(read.objects.iter().all(|object| required.objects.contains(object)), "HEAP-34: the above and more");
}

#[test]
fn each_permission_set_grants_what_is_required_and_no_more() {
    for preset in Preset::ALL {
        let (schema, required) = (preset.desired_schema(), preset.requirements());
        assert!(
            schema.permission_set.as_ref().expect("a set").users.is_empty(),
            "{preset}: system permissions are the admin's to give"
        );
        for granted in &schema.permission_set.as_ref().expect("a set").objects {
            let wanted = object(&required, &granted.object);
            let needs = |right| wanted.rights.get(&right) == Some(&Severity::Required);
            assert_eq!(granted.create, needs(ObjectRight::Create), "{preset} {}", granted.object);
            assert_eq!(granted.edit, needs(ObjectRight::Edit), "{preset} {}", granted.object);
            assert_eq!(granted.delete, needs(ObjectRight::Delete), "{preset} {}", granted.object);
            assert_eq!(granted.view_all, needs(ObjectRight::ViewAll), "{preset} {}", granted.object);
            assert_eq!(granted.modify_all, needs(ObjectRight::ModifyAll), "{preset} {}", granted.object);
        }
        for made in &schema.fields {
            let granted = schema
                .permission_set
                .as_ref()
                .expect("a set")
                .fields
                .iter()
                .find(|field| field.field == made.full_name);
            assert!(granted.is_some_and(|field| field.readable && field.editable), "{preset} {}", made.full_name);
            assert!(required.fixable.contains(&format!("field_missing {}", made.full_name)), "{preset}");
        }
    }
}

#[test]
fn a_requirement_set_survives_its_own_file_and_an_unknown_key_is_told() {
    for preset in Preset::ALL {
        let required = preset.requirements();
        let text = serde_json::to_string(&required).expect("serialises");
        assert_eq!(serde_json::from_str::<RequirementSet>(&text).expect(&text), required);
    }
    let error = serde_json::from_str::<RequirementSet>(r#"{"name":"x","objcts":[]}"#).expect_err("misspelt");
    assert!(error.to_string().contains("objcts"), "{error}");
    let wrong = RequirementSet::new("x").permission(["API Enabled"], Severity::Required, "");
    assert_eq!(wrong.validate().expect_err("no API name").kind(), ErrorKind::Config);
}
