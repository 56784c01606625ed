//! debug
use crate::support::client;
use sforce::adapters::engagement::EngagementSync;
use sforce::testing::org::MockOrg;

#[tokio::test]
async fn debug_flow() {
    let org = MockOrg::start();
    let result = EngagementSync::builder(client(&org)).build().await;
    println!("{:?}", result.as_ref().map(|(_, p)| p));
    for r in org.requests() {
        println!("{r:?}");
    }
    println!("{:?}", org.records("PermissionSetAssignment"));
    println!("{:?}", org.records("PermissionSet").iter().map(|r| r["Name"].clone()).collect::<Vec<_>>());
    println!("{:?}", org.records("FieldPermissions").len());
    let set = org.records("PermissionSet").last().unwrap()["Id"].as_str().unwrap().to_owned();
    let r = client(&org).records(crate::support::object("PermissionSetAssignment")).create(&sforce::types::Record::new().with("AssigneeId", org.user_id()).with("PermissionSetId", set)).await;
    println!("ASSIGN {r:?}");
    panic!();
}
