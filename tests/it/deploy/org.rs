//! The same against the mock org, from package to record.

use std::time::Duration;

use serde_json::json;
use sforce::api::Subrequest;
use sforce::api::metadata::{
    CustomField, CustomObject, DeployOptions, DeployStatus, FieldKind, Package, RetrieveRequest,
};
use sforce::auth::{ClientCredentials, LoginHost};
use sforce::client::ApiVersion;
use sforce::testing::ManualClock;
use sforce::testing::org::{AppSpec, MockOrg, Operation};
use sforce::types::{Record, RecordId};
use sforce::{Client, Effect, ErrorKind};

use crate::support::{builder, client, object};

const MINUTE: Duration = Duration::from_mins(1);

fn package() -> Package {
    Package::new()
        .with(CustomObject::new("Visit__c", "Visit", "Visits"))
        .with(CustomField::new("Visit__c.Key__c", "Key", FieldKind::text(80)))
        .with(CustomField::new("Visit__c.Pages__c", "Pages", FieldKind::number(18, 0)))
}

fn zip(package: &Package) -> Vec<u8> {
    package.to_zip().expect("packs")
}

/// Whether the object of the package is in the org.
async fn is_there(client: &Client) -> bool {
    client.describe_global().await.expect("described").sobjects.iter().any(|one| one.name == "Visit__c")
}

fn started(org: &MockOrg) -> Vec<String> {
    org.deploys().jobs().into_iter().map(|(_, status)| status).collect()
}

#[tokio::test]
async fn a_package_is_deployed_once_and_changes_nothing_the_second_time() {
    let org = MockOrg::start();
    let client = client(&org);
    org.deploys().complete_after_polls(3);
    for as_the_guide in [false, true] {
        org.deploys().print_scalars_as_the_guide(as_the_guide);
        let before = client.api_calls();
        let job = client.deploy(zip(&package()), &DeployOptions::new()).await.expect("begun");
        let mut seen = Vec::new();
        let result = job
            .wait_watching(MINUTE, |now| seen.push((now.status.clone(), now.number_components_deployed)))
            .await
            .expect("ended")
            .into_result()
            .expect("well");
        assert_eq!(seen.first().map(|(status, _)| status), Some(&DeployStatus::Pending));
        assert!(seen.is_sorted_by_key(|(_, deployed)| *deployed), "{seen:?}");
        assert_eq!((result.number_components_total, result.number_components_deployed), (3, 3));
        let rows = result.details.expect("asked for").component_successes;
        let created: Vec<String> = rows.iter().filter(|row| row.created).map(ToString::to_string).collect();
        let expected = ["CustomObject Visit__c", "CustomField Visit__c.Key__c", "CustomField Visit__c.Pages__c"];
        if as_the_guide {
            assert!(created.is_empty(), "{created:?}");
            assert!(rows.iter().filter(|row| row.component_type.is_some()).all(|row| !row.changed), "{rows:?}");
        } else {
            assert_eq!(created, expected);
        }
        assert_eq!(client.api_calls() - before, 1 + 4, "the deploy and its looks");
    }
    assert!(is_there(&client).await);
}

#[tokio::test]
async fn a_check_changes_nothing_and_can_be_deployed_afterwards() {
    let org = MockOrg::start();
    let client = client(&org);
    let check = client.deploy(zip(&package()), &DeployOptions::new().check_only()).await.expect("begun");
    let result = check.wait(MINUTE).await.expect("ended").into_result().expect("well");
    assert!(result.check_only && !is_there(&client).await);
    let job = client.quick_deploy(check.id()).await.expect("begun");
    assert_ne!(job.id(), check.id());
    job.wait(MINUTE).await.expect("ended").into_result().expect("well");
    assert!(is_there(&client).await);
    // A deploy is no check.
    let error = client.quick_deploy(job.id()).await.expect_err("no check");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::NotFound, Effect::None));
}

#[tokio::test]
async fn one_component_that_is_refused_undoes_all_and_is_named() {
    let org = MockOrg::start();
    let client = client(&org);
    let wrong = package().with(CustomField::new("Nowhere__c.Key__c", "Key", FieldKind::text(80)));
    let result =
        client.deploy(zip(&wrong), &DeployOptions::new()).await.expect("begun").wait(MINUTE).await.expect("ended");
    assert_eq!(result.status, DeployStatus::Failed);
    let refused = result.failures().iter().filter(|row| row.component_type.as_deref() == Some("CustomField")).count();
    assert_eq!(refused, 1, "{:?}", result.failures());
    let error = result.into_result().expect_err("refused");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
    assert!(error.to_string().contains("CustomField Nowhere__c.Key__c") && error.advice().is_some(), "{error}");
    assert!(!is_there(&client).await, "undone");

    let partly = DeployOptions::new().rollback_on_error(false);
    let result = client.deploy(zip(&wrong), &partly).await.expect("begun").wait(MINUTE).await.expect("ended");
    assert_eq!(result.status, DeployStatus::SucceededPartial);
    let error = result.into_result().expect_err("partly");
    assert_eq!(error.effect(), Effect::Unknown);
    assert!(is_there(&client).await, "what was not refused is there");

    org.deploys().production(true);
    let error = client.deploy(zip(&wrong), &partly).await.expect_err("not in production");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
}

#[tokio::test]
async fn a_deploy_that_fails_as_a_whole_tells_salesforces_code() {
    let org = MockOrg::start();
    let client = client(&org);
    for finalizing in [false, true] {
        if finalizing {
            org.deploys().fail_next_finalizing("UNKNOWN_EXCEPTION", "An unexpected error occurred.");
        } else {
            org.deploys().fail_next("UNKNOWN_EXCEPTION", "An unexpected error occurred.");
        }
        let job = client.deploy(zip(&package()), &DeployOptions::new()).await.expect("begun");
        let error = job.wait(MINUTE).await.expect("ended").into_result().expect_err("failed");
        assert!(error.has_code("UNKNOWN_EXCEPTION"), "{error}");
        assert_eq!(error.effect() == Effect::Unknown, finalizing, "{error}");
    }
}

#[tokio::test]
async fn a_deploy_is_cancelled_while_it_waits_or_works_and_not_at_its_end() {
    let org = MockOrg::start();
    let client = client(&org);
    org.deploys().hold();
    let working = client.deploy(zip(&package()), &DeployOptions::new()).await.expect("begun");
    let waiting = client.deploy(zip(&package()), &DeployOptions::new()).await.expect("begun");
    org.deploys().step();
    for job in [&waiting, &working] {
        // Twice is once.
        job.cancel().await.expect("told");
        job.cancel().await.expect("told");
    }
    org.deploys().release();
    for job in [&waiting, &working] {
        let result = job.wait(MINUTE).await.expect("ended");
        assert_eq!(result.status, DeployStatus::Canceled);
        let error = result.into_result().expect_err("cancelled");
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::None));
    }
    assert!(!is_there(&client).await);

    org.deploys().hold();
    org.deploys().finalize(true);
    let client = builder(&org).api_version("65.0".parse::<ApiVersion>().expect("a version")).build().expect("a client");
    let job = client.deploy(zip(&package()), &DeployOptions::new()).await.expect("begun");
    org.deploys().step();
    org.deploys().step();
    let error = job.cancel().await.expect_err("too late");
    assert!(error.to_string().contains("FinalizingDeploy") && error.advice().is_some(), "{error}");
    org.deploys().release();
    job.wait(MINUTE).await.expect("ended").into_result().expect("well");
    assert_eq!(job.cancel().await.expect_err("has ended").effect(), Effect::None);
}

#[tokio::test]
async fn a_deploy_goes_on_without_its_handle_and_is_opened_again_by_its_id() {
    let org = MockOrg::start();
    let id = {
        let client = client(&org);
        client.deploy(zip(&package()), &DeployOptions::new()).await.expect("begun").id()
    };
    let client = client(&org);
    client.deploy_job(id).wait(MINUTE).await.expect("ended").into_result().expect("well");
    assert!(is_there(&client).await);
    let nobody = client.deploy_job(RecordId::new("0Af000000000999").expect("an id"));
    assert_eq!(nobody.wait(MINUTE).await.expect_err("none").kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_lost_answer_begins_no_second_deploy_and_faults_of_looks_pass() {
    let org = MockOrg::start();
    let client = client(&org);
    org.faults().on(Operation::DeployCreate).apply_then_reset().once();
    let error = client.deploy(zip(&package()), &DeployOptions::new()).await.expect_err("lost");
    assert_eq!((error.effect(), started(&org).len()), (Effect::Unknown, 1));
    // Whoever finds its id goes on with it.
    let (id, _) = org.deploys().jobs().remove(0);
    let job = client.deploy_job(RecordId::new(&id).expect("an id"));
    org.deploys().complete_after_polls(4);
    org.faults().on(Operation::DeployGet).reset().once();
    org.faults().on(Operation::DeployGet).status(503).after(2).once();
    org.faults().on(Operation::DeployGet).truncate(40).after(3).once();
    org.faults().on(Operation::DeployGet).expire_session().after(4).once();
    job.wait(MINUTE).await.expect("ended").into_result().expect("well");
    assert_eq!(started(&org), ["Succeeded"]);

    org.faults().on(Operation::DeployCreate).reset().once();
    client.deploy(zip(&package()), &DeployOptions::new().check_only()).await.expect("a check is repeated");
    org.faults().on(Operation::DeployCreate).expire_session().once();
    client.deploy(zip(&package()), &DeployOptions::new()).await.expect("refused before it began");
}

#[tokio::test]
async fn what_was_deployed_comes_back_by_a_retrieve() {
    let org = MockOrg::start();
    let client = client(&org);
    let job = client.deploy(zip(&package()), &DeployOptions::new()).await.expect("begun");
    job.wait(MINUTE).await.expect("ended").into_result().expect("well");
    let request =
        RetrieveRequest::new().members("CustomObject", ["Visit__c"]).members("CustomField", ["Account.No__c"]);
    let job = client.metadata().retrieve(&request).await.expect("begun");
    org.faults().on(Operation::MetadataCheckRetrieve).reset().once();
    // As in another process.
    let result = client.metadata().retrieve_job(job.id()).wait(MINUTE).await.expect("ended");
    assert!(result.messages.iter().any(|message| message.problem.contains("No__c")), "{:?}", result.messages);
    assert!(result.file_properties.iter().any(|file| file.full_name == "Visit__c"), "{:?}", result.file_properties);
    let back = Package::from_zip(&result.zip.expect("there")).expect("a package");
    let objects = back.all::<CustomObject>().expect("typed");
    assert_eq!((objects.len(), objects[0].label.as_str()), (1, "Visit"));
    let described = client.metadata().describe_metadata().await.expect("described");
    assert!(described.types.iter().any(|one| one.xml_name == "CustomObject" && one.directory_name == "objects"));
}

#[tokio::test]
async fn an_app_with_jwt_based_tokens_deploys_and_is_told_about_soap() {
    let org = MockOrg::start();
    let app = org.add_app(AppSpec::new("Product").jwt_access_tokens().run_as(&org.user_id()));
    let host = LoginHost::allowing_loopback(&org.base_url()).expect("loopback");
    let provider = ClientCredentials::new(host, &app.client_id, app.client_secret.as_str()).expect("complete");
    let client = Client::builder(provider).clock(ManualClock::default()).build().expect("a client");
    let job = client.deploy(zip(&package()), &DeployOptions::new()).await.expect("begun");
    job.wait(MINUTE).await.expect("ended").into_result().expect("well");
    let before = org.calls(Operation::Token);
    let error = client.metadata().describe_metadata().await.expect_err("SOAP");
    assert!(matches!(error.kind(), ErrorKind::Auth | ErrorKind::Forbidden), "{error:?}");
    assert!(error.advice().is_some_and(|advice| advice.contains("JWT") || advice.contains("by REST")), "{error}");
    assert!(org.calls(Operation::Token) - before <= 1, "no loop of renewals");
}

#[tokio::test]
async fn tooling_shows_what_was_deployed_for_one_call() {
    let org = MockOrg::start();
    let client = client(&org);
    let job = client.deploy(zip(&package()), &DeployOptions::new()).await.expect("begun");
    job.wait(MINUTE).await.expect("ended").into_result().expect("well");
    let soql = "SELECT QualifiedApiName, DataType FROM FieldDefinition \
                WHERE EntityDefinition.QualifiedApiName = 'Visit__c' AND QualifiedApiName LIKE '%__c'";
    let rows: Vec<Record> = client.tooling().query(soql).collect().await.expect("read");
    let types: Vec<&str> = rows.iter().filter_map(|row| row.text("DataType")).collect();
    assert_eq!(types, ["Text(80)", "Number(18, 0)"]);
    let before = org.api_calls();
    let answer = client
        .tooling()
        .composite()
        .add("fields", Subrequest::query(soql))
        .add("object", Subrequest::describe(&object("EntityDefinition")))
        .send()
        .await
        .expect("answered");
    assert_eq!(org.api_calls() - before, 1);
    assert_eq!(answer.result_of("fields").expect("there").page::<Record>().expect("rows").records.len(), 2);
    let field = object("CustomField");
    let late = json!({"FullName": "Visit__c.Late__c", "Metadata": {"label": "Late", "type": "Text", "length": 30}});
    let id = client.tooling().create(&field, &late).await.expect("created");
    let count = || async { client.tooling().query::<Record>(soql).collect().await.expect("read").len() };
    assert_eq!(count().await, 3);
    client.tooling().delete(&field, id).await.expect("deleted");
    assert_eq!(count().await, 2);
}
