//! Plans that are out of date by the time they are applied.

use std::sync::Arc;

use sforce::api::metadata::{Layout, LayoutSection, PermissionSet};
use sforce::schema::DesiredSection;
use sforce::testing::org::{FieldSpec, MockOrg, Operation};

use super::{setup_in, small, state};
use crate::support::client;

#[tokio::test]
async fn the_same_plan_applied_twice_leaves_the_rights_that_an_admin_added() {
    let org = MockOrg::start();
    let setup = setup_in(&client(&org), small(), &Arc::default()).await;
    let plan = setup.plan().await.expect("planned");
    setup.apply(&plan).await.expect("set up");
    let admin = client(&org).metadata();
    let set = async || {
        let sets = admin.read::<PermissionSet>(&["Usage_Integration"]).await.expect("answered");
        sets.into_iter().flatten().next().expect("there")
    };
    let mut more = set().await;
    more.users.push("ViewSetup".into());
    assert!(admin.update(&[more]).await.expect("answered")[0].error.is_none());
    let theirs = state(&org);
    let again = setup.apply(&plan).await.expect("nothing to do");
    assert!(again.is_unchanged(), "{again:?}");
    assert!(set().await.users.contains(&"ViewSetup".to_owned()));
    assert_eq!((state(&org), org.calls(Operation::DeployCreate)), (theirs, 1));
}

const LAYOUT: &str = "Account-Account Layout";

fn section() -> DesiredSection {
    DesiredSection { layout: LAYOUT.into(), label: "Usage".into(), fields: vec!["Visits__c".into()] }
}

async fn layout(org: &MockOrg) -> Layout {
    let layouts = client(org).metadata().read::<Layout>(&[LAYOUT]).await.expect("answered");
    layouts.into_iter().flatten().next().expect("every object has one")
}

async fn put(org: &MockOrg, layout: Layout) {
    let done = client(org).metadata().update(&[layout]).await.expect("answered");
    assert!(done[0].error.is_none(), "{done:?}");
}

#[tokio::test]
async fn gpt_23_a_layout_that_an_admin_changed_since_the_plan_keeps_the_change() {
    let org = MockOrg::start();
    let setup = setup_in(&client(&org), small().layout_section(section()), &Arc::default()).await;
    let plan = setup.plan().await.expect("planned");
    org.add_field("Account", FieldSpec::text("Theirs__c", 10));
    let mut theirs = layout(&org).await;
    assert!(theirs.add_section(LayoutSection::new("Theirs", ["Theirs__c"])));
    put(&org, theirs.clone()).await;
    let before = super::calls(&org);
    let applied = setup.apply(&plan).await.expect("set up");
    assert_eq!(usize::try_from(super::calls(&org) - before), Ok(plan.api_calls()));
    assert_eq!(applied.changed, ["Account-Account Layout/Usage"]);
    let now = layout(&org).await;
    assert!(now.shows("Theirs__c") && now.shows("Visits__c"), "{now:?}");
    assert_eq!(now.sections.len(), theirs.sections.len() + 1);
}
