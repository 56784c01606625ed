//! What is somebody else's, or cannot be seen, and tokens that SOAP does not take.

use std::sync::Arc;

use serde_json::json;
use sforce::adapters::setup::Preset;
use sforce::api::metadata::{CustomField, FieldKind, ValueSet};
use sforce::schema::{DesiredSchema, DesiredSection, Filled};
use sforce::store::MemoryStore;
use sforce::testing::org::{AppSpec, FieldSpec, MockOrg, ObjectSpec, Operation};

use super::{setup, setup_in, small, state};
use crate::support::client;

#[tokio::test]
async fn smv_12_a_workflow_rule_of_somebody_else_is_not_overwritten() {
    use sforce::api::metadata::{WorkflowRule, WorkflowTriggerType};
    use sforce::schema::ChangeNotifier;
    let org = MockOrg::start();
    org.add_object(ObjectSpec::new("Deal__c"));
    let user = org.records("User").into_iter().find(|user| user["Id"] == org.user_id().as_str()).expect("the user");
    let user = user["Username"].as_str().expect("a name").to_owned();
    let admin = client(&org).metadata();
    for object in ["Opportunity", "Deal__c"] {
        let notifier = ChangeNotifier::new(object, "https://app.acme.example/s3cret", &*user).by_workflow_rule();
        let [_, rule] = notifier.components().expect("sound");
        let name = rule.full_name();
        let theirs = WorkflowRule::new(name, "Name != null", WorkflowTriggerType::OnCreateOnly);
        let made = admin.create(&[theirs]).await.expect("answered");
        assert!(made[0].error.is_none(), "{made:?}");
        let setup = setup(&org, DesiredSchema::new("notifier").notifier(&notifier).expect("sound")).await;
        let plan = setup.plan().await.expect("planned");
        assert!(plan.to_string().contains("1 to create, 0 to change, 0 in conflict, 0 by hand, 1 in place"), "{plan}");
        setup.apply(&plan).await.expect("the message");
        let now = admin.read::<WorkflowRule>(&[name]).await.expect("answered").remove(0).expect("there");
        assert_eq!(now.trigger_type, WorkflowTriggerType::OnCreateOnly, "{now:?}");
        assert!(setup.remove(Filled::Keep).await.expect("removed").is_complete());
        let now = admin.read::<WorkflowRule>(&[name]).await.expect("answered").remove(0);
        assert!(now.is_some(), "theirs stays");
    }
}

fn sectioned() -> DesiredSchema {
    let layout = "Account-Account Layout".into();
    small().layout_section(DesiredSection { layout, label: "Usage".into(), fields: vec!["Visits__c".into()] })
}

#[tokio::test]
async fn a_jwt_based_token_sets_up_and_takes_down_and_leaves_sections_to_a_person() {
    for schema in Preset::ALL.map(Preset::desired_schema).into_iter().chain([sectioned()]) {
        let org = MockOrg::start();
        let app = org.add_app(AppSpec::new("Product").jwt_access_tokens().run_as(&org.user_id()));
        let host = sforce::auth::LoginHost::allowing_loopback(&org.base_url()).expect("loopback");
        let provider = sforce::auth::ClientCredentials::new(host, app.client_id.as_str(), app.client_secret.as_str());
        let client = sforce::Client::builder(provider.expect("complete"));
        let client = client.clock(sforce::testing::ManualClock::default()).build().expect("a client");
        let before = state(&org);
        let (name, sections) = (schema.name.clone(), schema.layout_sections.len());
        let setup = setup_in(&client, schema, &Arc::default()).await;
        setup.run().await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let plan = setup.plan().await.expect("planned");
        assert!(plan.is_empty() && plan.by_hand().count() == sections, "{plan}");
        assert!(setup.verify(&client).await.expect("looked").holds(), "{name}");
        let removal = setup.remove(Filled::Keep).await.expect("removed");
        assert!(removal.is_complete() && state(&org) == before, "{name}: {removal}");
    }
}

#[tokio::test]
async fn a_token_that_soap_refuses_leaves_sections_to_a_person() {
    let org = MockOrg::start();
    let setup = setup(&org, sectioned()).await;
    org.faults().on(Operation::MetadataRead).expire_session().always();
    let plan = setup.plan().await.expect("REST takes the token");
    let told: Vec<String> = plan.by_hand().map(ToString::to_string).collect();
    assert!(told.len() == 1 && told[0].contains("refuses this token"), "{told:?}");
}

#[tokio::test]
async fn rights_that_others_added_to_the_set_may_be_any_number() {
    let org = MockOrg::start();
    let set = org.insert("PermissionSet", json!({"Name": "Usage_Integration", "Label": "Usage Integration"}));
    for object in 0..6 {
        let object = format!("O{object}__c");
        let spec = (0..400)
            .fold(ObjectSpec::new(&object), |spec, number| spec.field(FieldSpec::text(&format!("T{number}__c"), 10)));
        org.add_object(spec);
        for number in 0..400 {
            let field = format!("{object}.T{number}__c");
            let row = json!({"ParentId": set, "SobjectType": object, "Field": field, "PermissionsRead": true, "PermissionsEdit": true});
            org.insert("FieldPermissions", row);
        }
    }
    let setup = setup(&org, small()).await;
    setup.run().await.expect("more rows than a page holds are not ours to read");
    assert!(setup.plan().await.expect("planned").is_empty());
}

#[tokio::test]
async fn a_set_of_a_package_is_not_ours_though_it_has_the_name() {
    let org = MockOrg::start();
    let theirs = json!({"Name": "Usage_Integration", "Label": "Theirs", "NamespacePrefix": "acme"});
    org.insert("PermissionSet", theirs);
    let plan = setup(&org, small()).await.plan().await.expect("planned");
    assert!(plan.blockers().next().is_none() && plan.items().iter().all(|item| item.subject != "Theirs"), "{plan}");
    assert!(plan.to_string().contains("create   permission set Usage_Integration"), "{plan}");
}

#[tokio::test]
async fn a_picklist_value_that_an_admin_switched_off_is_not_lacking() {
    let org = MockOrg::start();
    let store = Arc::new(MemoryStore::default());
    let level = CustomField::new("Usage__c.Level__c", "Level", FieldKind::picklist(ValueSet::new(["Low", "High"])));
    let setup = setup_in(&client(&org), small().field(level), &store).await;
    setup.run().await.expect("set up");
    let admin = client(&org).metadata();
    let mut field =
        admin.read::<CustomField>(&["Usage__c.Level__c"]).await.expect("answered").remove(0).expect("there");
    let FieldKind::Picklist { values } = &mut field.kind else { panic!("a picklist") };
    let sforce::api::metadata::ValueSource::Own { values, .. } = &mut values.source else { panic!("its own") };
    values.pop();
    let result = admin.update(&[field]).await.expect("answered");
    assert!(result[0].error.is_none(), "{result:?}");
    let plan = setup.plan().await.expect("planned");
    assert!(plan.is_empty(), "{plan}");
}
