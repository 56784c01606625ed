//! The way of a deployment from its request to its end.

use std::time::Duration;

use super::*;
use crate::testing::org::{Operation, UserSpec};

fn status(client: &Client, id: &str) -> String {
    look(client, id)["status"].as_str().unwrap().to_owned()
}

fn ask_to_cancel(client: &Client, version: u32, id: &str) -> Answer {
    let path = format!("/services/data/v{version}.0/metadata/deployRequest/{id}");
    client.patch(&path, &json!({"deployResult": {"status": "Canceling"}}))
}

#[test]
fn a_deployment_takes_as_many_looks_as_a_test_says() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.deploys().complete_after_polls(3);
    org.deploys().finalize(true);
    let files = visit();
    let id = request(&client, &options(), &borrowed(&files));
    let seen: Vec<String> = (0..6).map(|_| status(&client, &id)).collect();
    assert_eq!(seen, ["Pending", "InProgress", "InProgress", "FinalizingDeploy", "Succeeded", "Succeeded"]);
    assert_eq!(org.deploys().jobs(), [(id, "Succeeded".to_owned())]);
    assert_eq!((org.calls(Operation::DeployCreate), org.calls(Operation::DeployGet)), (1, 6));
}

#[test]
fn a_deployment_can_take_time() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.deploys().complete_after(Duration::from_mins(1));
    let files = visit();
    let (first, second) =
        (request(&client, &options(), &borrowed(&files)), request(&client, &options(), &borrowed(&files)));
    assert_eq!(look(&client, &first)["done"], false);
    org.advance(Duration::from_secs(30));
    let half = look(&client, &first);
    assert_eq!((&half["status"], &half["numberComponentsDeployed"]), (&json!("InProgress"), &json!(2)));
    assert_eq!(status(&client, &second), "Pending", "one at a time");
    org.advance(Duration::from_secs(31));
    assert_eq!((status(&client, &first), status(&client, &second)), ("Succeeded".to_owned(), "Succeeded".to_owned()));
}

#[test]
fn one_is_carried_out_at_a_time() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let files = visit();
    let (first, second) =
        (request(&client, &options(), &borrowed(&files)), request(&client, &options(), &borrowed(&files)));
    // Looking at the second moves the first on, as time would.
    assert_eq!(status(&client, &second), "Pending");
    assert_eq!(status(&client, &second), "Pending");
    assert_eq!(status(&client, &second), "InProgress");
    assert_eq!(org.deploys().jobs(), [(first, "Succeeded".to_owned()), (second, "InProgress".to_owned())]);
}

#[test]
fn held_ones_move_step_by_step() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    assert_eq!(org.deploys().step(), None);
    org.deploys().hold();
    org.deploys().finalize(true);
    let files = visit();
    let id = request(&client, &options(), &borrowed(&files));
    for expected in ["InProgress", "FinalizingDeploy", "Succeeded"] {
        let before = status(&client, &id);
        assert_eq!(status(&client, &id), before, "looks move nothing");
        assert_eq!(org.deploys().step().as_deref(), Some(expected));
        assert_eq!(status(&client, &id), expected);
    }
    let id = request(&client, &options(), &borrowed(&files));
    org.deploys().release();
    look(&client, &id);
    look(&client, &id);
    assert_eq!(status(&client, &id), "Succeeded");
}

#[test]
fn a_cancel_ends_at_once_in_the_queue_and_soon_after() {
    // Metadata guide, "cancelDeploy()".
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.deploys().hold();
    let files = visit();
    let id = request(&client, &options(), &borrowed(&files));
    let answer = ask_to_cancel(&client, 63, &id);
    assert_eq!(
        (answer.status, &answer.json()["deployResult"]["status"]),
        (202, &json!("Canceled")),
        "it had not begun"
    );
    assert_eq!(answer.json()["deployResult"]["canceledBy"], org.user_id()[..15]);
    let id = request(&client, &options(), &borrowed(&files));
    org.deploys().step();
    let answer = ask_to_cancel(&client, 63, &id);
    assert_eq!((answer.status, &answer.json()["deployResult"]["status"]), (202, &json!("Canceling")));
    let canceling = look(&client, &id);
    assert_eq!((&canceling["done"], &canceling["status"]), (&json!(false), &json!("Canceling")));
    assert_eq!(ask_to_cancel(&client, 63, &id).status, 202, "once more makes no difference");
    assert_eq!(org.deploys().step().as_deref(), Some("Canceled"));
    let canceled = look(&client, &id);
    assert_eq!((&canceled["done"], &canceled["success"]), (&json!(true), &json!(false)));
    assert!(org.component_xml("CustomObject", "Visit__c").is_none(), "nothing of it is in the org");
    assert_eq!(code(&ask_to_cancel(&client, 63, &id)), refused(400, "INVALID_OPERATION"));
    assert_eq!(client.patch(&path(&id), &json!({"deployResult": {"status": "Succeeded"}})).status, 400);
}

#[test]
fn what_is_being_committed_is_not_canceled_or_stays() {
    // Metadata guide, "cancelDeploy()": refused from 65.0 on; before, it may succeed and the data be committed all the same.
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.deploys().hold();
    org.deploys().finalize(true);
    let files = visit();
    let id = request(&client, &options(), &borrowed(&files));
    org.deploys().step();
    org.deploys().step();
    assert_eq!(code(&ask_to_cancel(&client, 65, &id)), refused(400, "INVALID_OPERATION"));
    assert_eq!(ask_to_cancel(&client, 64, &id).status, 202);
    assert_eq!(org.deploys().step().as_deref(), Some("Canceled"));
    assert!(org.component_xml("CustomObject", "Visit__c").is_some());
}

#[test]
fn a_validation_can_be_deployed_without_its_archive() {
    // Metadata guide, "Deploy a Recently Validated Component Set Without Tests".
    let org = MockOrg::start();
    let client = Client::of(&org);
    let files = visit();
    let check = json!({"checkOnly": true, "rollbackOnError": true, "singlePackage": true});
    let validated = deploy_with(&client, &check, &borrowed(&files))["id"].as_str().unwrap().to_owned();
    let answer = client.post(&path(&validated), &json!({"validatedDeployRequestId": validated}));
    assert_eq!(answer.status, 201, "{}", answer.body);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_ne!(id, validated);
    assert_eq!(answer.json()["validatedDeployRequestId"], *validated);
    look(&client, &id);
    assert_eq!(status(&client, &id), "Succeeded");
    assert!(org.component_xml("CustomObject", "Visit__c").is_some());
    // A deployment is no validation, and one of eleven days ago is too old.
    assert_eq!(client.post(&path(&id), &json!({"validatedDeployRequestId": id})).status, 404);
    org.set_session_timeout(Duration::from_hours(1_000));
    let user = org.add_user(UserSpec::new("later@mock.example.com").administrator());
    let client = client.with_authorization(Some(&format!("Bearer {}", user.access_token)));
    org.advance(Duration::from_hours(11 * 24));
    assert_eq!(client.post(&path(&validated), &json!({"validatedDeployRequestId": validated})).status, 404);
}

#[test]
fn a_deployment_may_fail_as_a_whole() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.deploys().fail_next("UNKNOWN_EXCEPTION", "An unexpected error occurred.");
    let result = deploy(&client, &borrowed(&visit()));
    assert_eq!(
        (&result["status"], &result["errorStatusCode"], &result["errorMessage"]),
        (&json!("Failed"), &json!("UNKNOWN_EXCEPTION"), &json!("An unexpected error occurred."))
    );
    org.deploys().fail_next_finalizing("UNKNOWN_EXCEPTION", "An unexpected error occurred.");
    assert_eq!(deploy(&client, &borrowed(&visit()))["status"], "FinalizingDeployFailed");
    assert!(org.component_xml("CustomObject", "Visit__c").is_none());
}

#[test]
fn scalars_may_come_as_the_guide_prints_them() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.deploys().print_scalars_as_the_guide(true);
    let id = request(&client, &options(), &borrowed(&visit()));
    let result = look(&client, &id);
    assert_eq!((&result["done"], &result["numberComponentsTotal"]), (&json!("false"), &json!("4")));
}

#[test]
fn deploying_takes_a_permission_of_its_own() {
    let org = MockOrg::start();
    let user = org.add_user(UserSpec::new("deployer@mock.example.com").permission("ApiEnabled"));
    let client = Client::of(&org).with_authorization(Some(&format!("Bearer {}", user.access_token)));
    let body = multipart(&options(), &zip(&borrowed(&visit())));
    assert_eq!(code(&post(&client, 63, &body)), refused(403, "INSUFFICIENT_ACCESS"));
    org.grant_system(&user.user_id, "ModifyMetadata");
    let id = post(&client, 63, &body).json()["id"].as_str().unwrap().to_owned();
    look(&client, &id);
    let result = look(&client, &id);
    // Metadata API access does not bring the rights to the features (Help, "Metadata API Edit Access").
    assert_eq!(failures(&result)[0].2, "insufficient access rights on entity: CustomObject");
}
