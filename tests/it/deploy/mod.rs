//! Deploys, retrieves and the Tooling API, on answers as Salesforce's guides print them.

mod org;
mod scripted;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};
use sforce::api::Subrequest;
use sforce::api::metadata::{CustomObject, DeployOptions, DeployStatus, MAX_ZIP, RetrieveRequest, TestLevel};
use sforce::types::{Record, RecordId};
use sforce::{Effect, ErrorKind, Retry};

use self::scripted::{Answer, Scripted, Sent, json as answer, xml};
use crate::support::object;

const ID: &str = "0AfD00000000001KAA";
const ZIP: &[u8] = b"PK\x03\x04 a zip \r\n--with everything\r\n\0\xff";
const MINUTE: Duration = Duration::from_mins(1);

fn id() -> RecordId {
    RecordId::new(ID).expect("an id")
}

/// The answer to a status request, or to a deploy that was begun.
fn deploy(status: u16, result: &Json) -> Answer {
    let mut whole = json!({"id": ID, "deployOptions": {"runTests": null}, "deployResult": {"id": ID}});
    whole["deployResult"].as_object_mut().expect("an object").extend(result.as_object().expect("an object").clone());
    answer(status, &whole)
}

fn begun() -> Answer {
    deploy(201, &json!({"status": "Pending", "success": false, "done": false, "checkOnly": false}))
}

/// The parts of a multipart message: their headers and contents.
fn parts(sent: &Sent) -> Vec<(String, Vec<u8>)> {
    let boundary = sent.media_type.strip_prefix("multipart/form-data; boundary=").expect("a form");
    let find = |bytes: &[u8], text: &str| bytes.windows(text.len()).position(|window| window == text.as_bytes());
    let mut rest = &sent.body[..];
    let mut parts = Vec::new();
    loop {
        rest = rest.strip_prefix(format!("--{boundary}").as_bytes()).expect("a boundary");
        if rest == b"--\r\n" {
            return parts;
        }
        rest = rest.strip_prefix(b"\r\n").expect("a line");
        let head = find(rest, "\r\n\r\n").expect("a head");
        let end = find(rest, &format!("\r\n--{boundary}")).expect("an end");
        let text = String::from_utf8(rest[..head].to_vec()).expect("text");
        parts.push((text, rest[head + 4..end].to_vec()));
        rest = &rest[end + 2..];
    }
}

#[tokio::test]
async fn a_deploy_goes_out_as_the_guide_has_it() {
    let org = Scripted::new(|_, _| begun());
    let options = DeployOptions::new().test_level(TestLevel::RunLocalTests);
    let job = org.client().deploy(ZIP, &options).await.expect("begun");
    assert_eq!(job.id(), id());
    let sent = org.sent();
    assert_eq!(sent[0].line, "POST /services/data/v63.0/metadata/deployRequest");
    let parts = parts(&sent[0]);
    assert_eq!(parts[0].0, "Content-Disposition: form-data; name=\"json\"\r\nContent-Type: application/json");
    let told: Json = serde_json::from_slice(&parts[0].1).expect("JSON");
    assert_eq!(
        (&told["deployOptions"]["testLevel"], &told["deployOptions"]["rollbackOnError"]),
        (&json!("RunLocalTests"), &json!(true))
    );
    assert_eq!(
        parts[1].0,
        "Content-Disposition: form-data; name=\"file\"; filename=\"deploy.zip\"\r\nContent-Type: application/zip"
    );
    assert_eq!((parts[1].1.as_slice(), parts.len()), (ZIP, 2));
}

#[tokio::test]
async fn a_deploy_is_waited_for_through_an_outage_and_shows_how_far_it_is() {
    let org = Scripted::new(|number, _| match number {
        0 => deploy(200, &json!({"status": "Pending", "done": false})),
        1 => answer(503, &json!([{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}])),
        2 => Answer::Lost,
        3 => deploy(
            200,
            &json!({"status": "InProgress", "done": "false", "numberComponentsDeployed": "3", "numberComponentsTotal": "15"}),
        ),
        _ => deploy(
            200,
            &json!({"status": "Succeeded", "done": true, "success": true, "numberComponentsDeployed": 15,
            "numberComponentsTotal": 15, "details": {"componentSuccesses": {"fullName": "A__c", "componentType": "CustomObject",
            "success": true, "created": true}, "componentFailures": null}}),
        ),
    });
    let seen = Mutex::new(Vec::new());
    let job = org.client().deploy_job(id());
    let result = job
        .wait_watching(MINUTE, |seen_now| {
            let told = (seen_now.status.to_string(), seen_now.number_components_deployed);
            seen.lock().expect("not poisoned").push(told);
        })
        .await
        .expect("ended");
    let expected = [("Pending", 0), ("InProgress", 3), ("Succeeded", 15)].map(|(word, count)| (word.to_owned(), count));
    assert_eq!(*seen.lock().expect("not poisoned"), expected);
    let result = result.into_result().expect("well");
    assert_eq!(result.details.expect("asked for").component_successes[0].to_string(), "CustomObject A__c");
    assert!(
        org.lines()
            .iter()
            .all(|line| line == &format!("GET /services/data/v63.0/metadata/deployRequest/{ID}?includeDetails=true"))
    );
    assert_eq!(org.sent().len(), 5, "the last look has the details already");
}

#[tokio::test]
async fn the_details_of_a_large_deploy_are_asked_for_once() {
    let org = Scripted::new(|number, sent| {
        let status = if number < 9 { "InProgress" } else { "Failed" };
        // Empty lists where no details were asked for, as answers of Salesforce have them.
        let mut result = json!({"status": status, "numberComponentsTotal": 1032, "numberComponentErrors": "1",
            "details": {"componentFailures": [], "componentSuccesses": []}});
        if sent.line.ends_with("includeDetails=true") {
            result["details"] = json!({"componentFailures": {"fullName": "A__c", "componentType": "CustomObject"}});
        }
        deploy(200, &result)
    });
    let result = org.client().deploy_job(id()).wait(MINUTE).await.expect("ended");
    assert_eq!(result.failures().len(), 1);
    let detailed = org.lines().iter().filter(|line| line.contains("includeDetails")).count();
    assert_eq!((detailed, org.sent().len()), (2, 11), "the first look, and one after the end");
}

#[tokio::test]
async fn past_the_deadline_the_deploy_goes_on_and_the_error_says_so() {
    let org = Scripted::new(|_, _| deploy(200, &json!({"status": "InProgress", "done": false})));
    let error = org.client().deploy_job(id()).wait(MINUTE).await.expect_err("late");
    assert_eq!(
        (error.kind(), error.effect(), error.retry()),
        (ErrorKind::Unavailable, Effect::Unknown, Retry::After(None))
    );
    assert!(error.to_string().contains(ID) && error.to_string().contains("InProgress"), "{error}");
    assert!(org.sent().len() < 45, "{} looks in a minute", org.sent().len());
}

#[tokio::test]
async fn a_wait_of_no_time_looks_once_and_one_without_end_ends_with_the_deploy() {
    let late = Scripted::new(|_, _| deploy(200, &json!({"status": "Mystery"})));
    let error = late.client().deploy_job(id()).wait(Duration::ZERO).await.expect_err("late");
    assert!(error.kind() == ErrorKind::Unavailable && error.to_string().contains("Mystery"), "{error}");
    assert_eq!(late.sent().len(), 1);
    let ended = Scripted::new(|_, _| deploy(200, &json!({"status": "Succeeded", "success": true})));
    assert!(ended.client().deploy_job(id()).wait(Duration::ZERO).await.is_ok_and(|result| result.success));
    let slow = Scripted::new(|number, _| {
        let status = if number < 500 { "InProgress" } else { "Succeeded" };
        deploy(200, &json!({"status": status, "numberComponentsTotal": u64::MAX}))
    });
    let result = slow.client().deploy_job(id()).wait(Duration::MAX).await.expect("ended");
    assert_eq!((result.status, result.number_components_total), (DeployStatus::Succeeded, u64::MAX));
}

#[tokio::test]
async fn a_deploy_whose_answer_is_lost_is_not_repeated_and_a_check_is() {
    let org = Scripted::new(|number, _| if number == 0 { Answer::Lost } else { begun() });
    let error = org.client().deploy(ZIP, &DeployOptions::new()).await.expect_err("lost");
    assert_eq!((error.effect(), error.retry(), org.sent().len()), (Effect::Unknown, Retry::Never, 1));
    assert!(error.advice().is_some_and(|advice| advice.contains("Deployment Status")), "{error}");

    let org = Scripted::new(|number, _| if number == 0 { Answer::Lost } else { begun() });
    org.client().deploy(ZIP, &DeployOptions::new().check_only()).await.expect("begun the second time");
    let sent = org.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(parts(&sent[1])[1].1, ZIP, "the whole zip again");

    // A refusal before anything happened says so.
    let org = Scripted::new(|_, _| answer(400, &json!([{"errorCode": "INVALID_OPERATION", "message": "no"}])));
    let error = org.client().deploy(ZIP, &DeployOptions::new()).await.expect_err("refused");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::None));
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_is_an_error() {
    let Answer::Given(_, whole) = begun() else { panic!("an answer") };
    let cut = Arc::new(Mutex::new(0));
    let org = Scripted::new({
        let (whole, cut) = (whole.clone(), Arc::clone(&cut));
        move |_, _| Answer::Given(201, whole[..*cut.lock().expect("not poisoned")].to_vec())
    });
    let client = org.client();
    for end in 0..whole.len() {
        *cut.lock().expect("not poisoned") = end;
        let error = client.deploy(ZIP, &DeployOptions::new()).await.expect_err("cut");
        assert_eq!(error.effect(), Effect::Unknown, "{end}");
        let error = client.deploy_job(id()).status().await.expect_err("cut");
        assert_eq!(error.effect(), Effect::None, "{end}");
    }
    assert_eq!(org.sent().len(), 2 * whole.len(), "nothing is asked for twice");
}

#[tokio::test]
async fn a_deploy_is_cancelled_once_however_often_that_is_said() {
    let org = Scripted::new(|_, _| deploy(202, &json!({"status": "Canceling", "done": false})));
    let told = org.client().deploy_job(id()).cancel().await.expect("told");
    assert_eq!(told.status, DeployStatus::Canceling);
    let sent = org.sent();
    assert_eq!(sent[0].line, format!("PATCH /services/data/v63.0/metadata/deployRequest/{ID}"));
    assert_eq!(sent[0].text(), r#"{"deployResult":{"status":"Canceling"}}"#);

    for (now, taken) in [("Canceled", true), ("Canceling", true), ("Succeeded", false), ("FinalizingDeploy", false)] {
        let org = Scripted::new(move |_, sent| {
            if sent.line.starts_with("PATCH") {
                return answer(400, &json!([{"errorCode": "INVALID_ID_FIELD", "message": "not to be cancelled"}]));
            }
            deploy(200, &json!({"status": now}))
        });
        match org.client().deploy_job(id()).cancel().await {
            Ok(result) => assert!(taken && result.status.as_str() == now, "{now}"),
            Err(error) => assert!(!taken && error.to_string().contains(now), "{error}"),
        }
    }
    // An answer without a body, or without a status.
    for body in ["", "{}", r#"{"id":"0AfD00000000001KAA","deployResult":{"done":false}}"#] {
        let org = Scripted::new(move |number, _| {
            if number == 0 { Answer::Given(202, body.into()) } else { deploy(200, &json!({"status": "Canceled"})) }
        });
        assert_eq!(org.client().deploy_job(id()).cancel().await.expect("told").status, DeployStatus::Canceled);
    }
}

#[tokio::test]
async fn the_id_of_a_deploy_is_kept_whatever_else_the_answer_says() {
    for body in [
        json!({"id": ID, "deployResult": {"status": null}}),
        json!({"id": ID, "deployResult": "soon"}),
        json!({"deployResult": {"id": ID, "numberComponentsTotal": "many"}}),
    ] {
        let org = Scripted::new(move |_, _| answer(201, &body));
        assert_eq!(org.client().deploy(ZIP, &DeployOptions::new()).await.expect("begun").id(), id());
    }
    let org = Scripted::new(|_, _| answer(201, &json!({"deployResult": {"id": "nonsense"}})));
    let error = org.client().deploy(ZIP, &DeployOptions::new()).await.expect_err("no id");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Decode, Effect::Unknown));
}

#[tokio::test]
async fn a_check_is_deployed_quickly_or_the_error_says_why_not() {
    const NEW: &str = "0AfD00000000002KAA";
    let org = Scripted::new(|_, _| answer(201, &json!({"validatedDeployRequestId": ID, "id": NEW})));
    let job = org.client().quick_deploy(id()).await.expect("begun");
    assert_eq!(job.id(), RecordId::new(NEW).expect("an id"));
    let sent = org.sent();
    assert_eq!(sent[0].line, format!("POST /services/data/v63.0/metadata/deployRequest/{ID}"));
    assert_eq!(sent[0].text(), format!(r#"{{"validatedDeployRequestId":"{ID}"}}"#));

    let org = Scripted::new(|_, _| answer(404, &json!([{"errorCode": "NOT_FOUND", "message": "none"}])));
    let error = org.client().quick_deploy(id()).await.expect_err("too old");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::NotFound, Effect::None));
    assert!(error.advice().is_some_and(|advice| advice.contains("10 days")), "{error}");
}

#[tokio::test]
async fn a_zip_larger_than_39_mb_is_not_sent() {
    let org = Scripted::new(|_, _| begun());
    let mut zip = vec![0; MAX_ZIP + 1];
    zip[..4].copy_from_slice(b"PK\x03\x04");
    let error = org.client().deploy(zip, &DeployOptions::new()).await.expect_err("too large");
    assert_eq!((error.kind(), error.effect(), org.sent().len()), (ErrorKind::Invalid, Effect::None, 0));
    let error = org.client().deploy("<Package/>", &DeployOptions::new()).await.expect_err("no zip");
    assert_eq!((error.kind(), org.sent().len()), (ErrorKind::Invalid, 0));
}

#[tokio::test]
async fn a_user_without_the_permission_is_told_which() {
    let org = Scripted::new(|_, _| answer(403, &json!([{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}])));
    let error = org.client().deploy(ZIP, &DeployOptions::new()).await.expect_err("forbidden");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Forbidden, Effect::None));
    assert!(error.advice().is_some_and(|advice| advice.contains("Modify Metadata")), "{error}");
}

#[tokio::test]
async fn a_jwt_based_token_deploys_by_rest_and_is_not_sent_to_soap() {
    let org = Scripted::new(|_, _| begun());
    let client = org.client_with("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln");
    client.deploy(ZIP, &DeployOptions::new()).await.expect("REST takes it");
    assert!(!client.metadata().takes_token().await.expect("a token"));
    let error = client.metadata().read::<CustomObject>(&["Account"]).await.expect_err("SOAP does not");
    assert_eq!((error.kind(), error.effect(), error.retry()), (ErrorKind::Forbidden, Effect::None, Retry::Never));
    assert!(error.advice().is_some_and(|advice| advice.contains("deploy by REST")), "{error}");
    assert_eq!((org.sent().len(), org.tokens()), (1, 1), "nothing was sent, and no token renewed");
}

#[tokio::test]
async fn a_session_that_soap_refuses_although_it_is_new_is_renewed_once() {
    let fault = "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body><soapenv:Fault>\
                 <faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: Invalid Session ID found in \
                 SessionHeader: Illegal Session</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>";
    let org = Scripted::new(move |_, _| Answer::Given(500, fault.into()));
    let client = org.client();
    assert!(client.metadata().takes_token().await.expect("a token"));
    let error = client.metadata().describe_metadata().await.expect_err("refused");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never));
    assert!(error.advice().is_some_and(|advice| advice.contains("JWT")), "{error}");
    assert_eq!((org.sent().len(), org.tokens()), (2, 2));
}

const RETRIEVE: &str = "09SD0000000001K";

fn retrieve_status(status: &str, more: &str) -> Answer {
    let done = matches!(status, "Succeeded" | "Failed");
    let success = status == "Succeeded";
    xml(&format!(
        "<checkRetrieveStatusResponse><result><done>{done}</done>{more}<id>{RETRIEVE}</id><status>{status}</status>\
         <success>{success}</success></result></checkRetrieveStatusResponse>"
    ))
}

#[tokio::test]
async fn a_retrieve_is_waited_for_and_its_zip_fetched_once() {
    let org = Scripted::new(|number, sent| match number {
        0 => xml(&format!(
            "<retrieveResponse><result><done>false</done><id>{RETRIEVE}</id><state>Queued</state></result></retrieveResponse>"
        )),
        1 => retrieve_status("Pending", ""),
        2 => retrieve_status("InProgress", ""),
        _ if sent.text().contains("<includeZip>true</includeZip>") => {
            retrieve_status("Succeeded", "<zipFile>UEsDBGFiY2Q=</zipFile>")
        }
        _ => retrieve_status("Succeeded", "<zipFile/>"),
    });
    let metadata = org.client().metadata();
    let job = metadata.retrieve(&RetrieveRequest::new().members("CustomObject", ["Account"])).await.expect("begun");
    assert_eq!(job.id(), RecordId::new(RETRIEVE).expect("an id"));
    // As in another process.
    let result = metadata.retrieve_job(job.id()).wait(MINUTE).await.expect("ended");
    assert_eq!(result.zip.as_deref(), Some(&b"PK\x03\x04abcd"[..]));
    let bodies: Vec<String> = org.sent().iter().map(|sent| sent.text().to_owned()).collect();
    assert_eq!(bodies.iter().filter(|body| body.contains("<includeZip>true")).count(), 1);
    assert_eq!(bodies.len(), 5);
    assert!(bodies[1].contains(&format!("<asyncProcessId>{}</asyncProcessId>", job.id())), "{}", bodies[1]);
}

#[tokio::test]
async fn a_retrieve_that_fails_or_whose_zip_is_lost_or_none_is_an_error() {
    let failed = Scripted::new(|_, _| {
        retrieve_status(
            "Failed",
            "<errorMessage>x</errorMessage><errorStatusCode>INVALID_CROSS_REFERENCE_KEY</errorStatusCode>",
        )
    });
    let id = RecordId::new(RETRIEVE).expect("an id");
    let error = failed.client().metadata().retrieve_job(id).wait(MINUTE).await.expect_err("failed");
    assert_eq!((error.kind(), failed.sent().len()), (ErrorKind::NotFound, 1));
    for (fetched, kind) in [(Answer::Lost, ErrorKind::Transport), (retrieve_status("Succeeded", ""), ErrorKind::Decode)]
    {
        let org = Scripted::new(move |_, _| fetched.clone());
        let error = org.client().metadata().retrieve_job(id).fetch().await.expect_err("no zip");
        assert_eq!((error.kind(), error.effect(), org.sent().len()), (kind, Effect::None, 1), "{error}");
        assert!(error.advice().is_some_and(|advice| advice.contains("begin the retrieve again")), "{error}");
    }
    let nothing = Scripted::new(|_, _| Answer::Lost);
    let error = nothing.client().metadata().retrieve(&RetrieveRequest::new()).await.expect_err("nothing");
    assert_eq!((error.kind(), nothing.sent().len()), (ErrorKind::Invalid, 0));
}

#[tokio::test]
async fn a_rename_whose_answer_is_lost_is_not_repeated() {
    let org = Scripted::new(|number, _| match number {
        0 => Answer::Lost,
        _ => xml(
            "<renameMetadataResponse><result><fullName>B__c</fullName><success>true</success></result></renameMetadataResponse>",
        ),
    });
    let metadata = org.client().metadata();
    let error = metadata.rename::<CustomObject>("A__c", "B__c").await.expect_err("lost");
    assert_eq!((error.effect(), org.sent().len()), (Effect::Unknown, 1));
    let result = metadata.rename::<CustomObject>("A__c", "B__c").await.expect("answered");
    assert!(result.error.is_none() && result.full_name == "B__c");
    let expected = "<renameMetadata><type>CustomObject</type><oldFullName>A__c</oldFullName><newFullName>B__c</newFullName></renameMetadata>";
    assert!(org.sent()[1].text().contains(expected));
}

#[tokio::test]
async fn a_tooling_query_follows_its_pages() {
    let org = Scripted::new(|number, _| match number {
        0 => answer(
            200,
            &json!({"size": 1, "totalSize": 2, "done": false, "entityTypeName": "FieldDefinition",
            "nextRecordsUrl": "/services/data/v63.0/tooling/query/01g-2000", "records": [{"DeveloperName": "A"}]}),
        ),
        _ => answer(200, &json!({"totalSize": 2, "done": true, "records": [{"DeveloperName": "B"}]})),
    });
    let rows: Vec<Record> =
        org.client().tooling().query("SELECT DeveloperName FROM FieldDefinition").collect().await.expect("read");
    assert_eq!(rows.iter().filter_map(|row| row.text("DeveloperName")).collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(
        org.lines(),
        [
            "GET /services/data/v63.0/tooling/query?q=SELECT%20DeveloperName%20FROM%20FieldDefinition",
            "GET /services/data/v63.0/tooling/query/01g-2000",
        ]
    );
}

#[tokio::test]
async fn a_tooling_composite_has_its_own_paths_and_the_limits_of_all() {
    let org = Scripted::new(|_, _| {
        answer(
            200,
            &json!({"compositeResponse": [
                {"body": {"totalSize": 1, "done": true, "records": [{"DeveloperName": "A"}]}, "httpHeaders": {},
                 "httpStatusCode": 200, "referenceId": "fields"},
                {"body": [{"errorCode": "NOT_FOUND", "message": "none"}], "httpHeaders": {}, "httpStatusCode": 404,
                 "referenceId": "rule"},
                {"body": {"totalSize": 0, "done": true, "records": []}, "httpHeaders": {}, "httpStatusCode": 200,
                 "referenceId": "old"},
            ]}),
        )
    });
    let tooling = org.client().tooling();
    let rule = RecordId::new("01QD00000000001").expect("an id");
    let answer = tooling
        .composite()
        .add("fields", Subrequest::query("SELECT DeveloperName FROM FieldDefinition"))
        .add("rule", Subrequest::get(&object("WorkflowRule"), rule, &[]))
        .add("old", Subrequest::new(sforce::http::Method::GET, "/services/data/v60.0/tooling/query?q=x"))
        .send()
        .await
        .expect("answered");
    assert_eq!(answer.result_of("fields").expect("there").page::<Record>().expect("rows").records.len(), 1);
    assert_eq!(answer.result_of("rule").expect("there").error().map(sforce::Error::kind), Some(ErrorKind::NotFound));
    let sent = &org.sent()[0];
    assert_eq!(sent.line, "POST /services/data/v63.0/tooling/composite");
    let body: Json = serde_json::from_slice(&sent.body).expect("JSON");
    let urls: Vec<&str> =
        body["compositeRequest"].as_array().expect("parts").iter().filter_map(|part| part["url"].as_str()).collect();
    assert_eq!(
        urls,
        [
            "/services/data/v63.0/tooling/query?q=SELECT%20DeveloperName%20FROM%20FieldDefinition",
            &format!("/services/data/v63.0/tooling/sobjects/WorkflowRule/{rule}"),
            "/services/data/v60.0/tooling/query?q=x",
        ]
    );
    assert!(body.get("collateSubrequests").is_none(), "not documented there");

    let query = || Subrequest::query("SELECT Id FROM CustomField");
    let many = (0..6).fold(tooling.composite(), |all, number| all.add(format!("q{number}"), query()));
    let outside =
        tooling.composite().add("a", Subrequest::new(sforce::http::Method::GET, "/services/data/v63.0/limits"));
    for wrong in [many, outside] {
        assert_eq!(wrong.send().await.expect_err("refused").kind(), ErrorKind::Invalid);
    }
    assert_eq!(org.sent().len(), 1);
}

#[tokio::test]
async fn tooling_records_are_written_below_tooling() {
    let org = Scripted::new(|_, sent| match sent.line.split(' ').next() {
        Some("POST") => {
            answer(201, &json!({"id": "00NB0000000001K", "success": true, "errors": [], "warnings": [], "infos": []}))
        }
        _ => Answer::Given(204, Vec::new()),
    });
    let (tooling, field) = (org.client().tooling(), object("CustomField"));
    let record = json!({"FullName": "A__c.B__c", "Metadata": {"label": "B", "type": "Text", "length": 30}});
    let id = tooling.create(&field, &record).await.expect("created");
    tooling.update(&field, id, &json!({"Metadata": {"label": "C"}})).await.expect("changed");
    tooling.delete(&field, id).await.expect("deleted");
    let base = "/services/data/v63.0/tooling/sobjects/CustomField";
    assert_eq!(org.lines(), [format!("POST {base}"), format!("PATCH {base}/{id}"), format!("DELETE {base}/{id}")]);
}
