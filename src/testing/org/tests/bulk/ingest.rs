//! Ingest jobs: their states, and what is refused.

use std::time::Duration;

use super::super::super::UserSpec;
use super::*;

const TWO: &str = "Key__c,Code__c\na,1\nb,2\n";

#[test]
fn a_job_goes_from_open_to_complete() {
    let (org, client) = org();
    let made = client.post(&data("/jobs/ingest"), &things("upsert")).json();
    let job = made["id"].as_str().unwrap();
    assert_eq!((&made["state"], job.starts_with("750")), (&json!("Open"), true));
    let url = format!("services/data/v63.0/jobs/ingest/{job}/batches");
    assert_eq!(made["contentUrl"], json!(url), "without a leading slash");
    let sent = upload(&client, job, TWO);
    assert_eq!((sent.status, sent.body.as_str()), (201, ""));
    assert_eq!(info(&client, job)["state"], "Open");
    assert_eq!(state(&client, job, "UploadComplete").json()["state"], "UploadComplete");
    assert_eq!(org.count("Thing__c"), 0, "nothing happens before its time");
    assert_eq!(info(&client, job)["state"], "InProgress");
    let end = info(&client, job);
    assert_eq!((&end["state"], &end["numberRecordsProcessed"]), (&json!("JobComplete"), &json!(2)));
    assert_eq!(org.count("Thing__c"), 2);
    assert_eq!(org.bulk().jobs(), [(job.to_owned(), "JobComplete".to_owned())]);
    assert_eq!(client.delete(&data(&format!("/jobs/ingest/{job}"))).status, 204);
    assert_eq!(code(&client.get(&data(&format!("/jobs/ingest/{job}")))), refused(404, "NOT_FOUND"));
    assert_eq!(org.count("Thing__c"), 2, "its records stay");
}

#[test]
fn a_job_may_take_looks_or_time() {
    let (org, client) = org();
    org.bulk().complete_after_polls(3);
    let job = create(&client, &things("insert"));
    upload(&client, &job, &numbered(1_000));
    state(&client, &job, "UploadComplete");
    let seen: Vec<(String, u64)> = (0..4)
        .map(|_| info(&client, &job))
        .map(|info| (info["state"].as_str().unwrap().to_owned(), info["numberRecordsProcessed"].as_u64().unwrap()))
        .collect();
    let expected = [("UploadComplete", 0), ("InProgress", 400), ("InProgress", 600), ("JobComplete", 1_000)];
    assert_eq!(seen, expected.map(|(state, rows)| (state.to_owned(), rows)));

    org.bulk().complete_after(Duration::from_secs(1_000));
    let job = create(&client, &things("insert"));
    upload(&client, &job, &numbered(1_000));
    state(&client, &job, "UploadComplete");
    for _ in 0..5 {
        assert_eq!(info(&client, &job)["state"], "InProgress", "looks do not help");
    }
    org.advance(Duration::from_secs(500));
    assert_eq!(org.count("Thing__c"), 1_400, "whole transactions of 200");
    org.advance(Duration::from_secs(500));
    assert_eq!(org.count("Thing__c"), 2_000);
    assert_eq!(info(&client, &job)["state"], "JobComplete");
}

#[test]
fn a_second_upload_is_refused_and_the_first_stays() {
    let (org, client) = org();
    let job = create(&client, &things("insert"));
    assert_eq!(upload(&client, &job, TWO).status, 201);
    let (status, code, text) = error(&upload(&client, &job, "Key__c\nc\n"));
    assert_eq!((status, code.as_str()), (400, "BULK_API_ERROR"));
    assert!(text.starts_with(&format!("Found multiple contents for job: <{}>, please", &job[..15])), "{text}");
    state(&client, &job, "UploadComplete");
    finish(&client, &job);
    assert_eq!(org.count("Thing__c"), 2);
    let late = upload(&client, &job, TWO);
    assert_eq!(super::code(&late), refused(400, "INVALIDJOBSTATE"));
}

#[test]
fn uploads_have_a_size_and_may_be_chunked() {
    let (org, client) = org();
    let chunked = |job: &str| {
        let path = data(&format!("/jobs/ingest/{job}/batches"));
        let token = org.access_token();
        let head = format!("PUT {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}");
        let chunks = "7\r\nKey__c\n\r\n2\r\na\n\r\n0\r\n\r\n";
        client.raw(&format!("{head}\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")).unwrap()
    };
    let job = create(&client, &things("insert"));
    org.bulk().refuse_chunked_uploads(true);
    assert_eq!(chunked(&job).status, 411);
    org.bulk().refuse_chunked_uploads(false);
    assert_eq!(chunked(&job).status, 201);
    state(&client, &job, "UploadComplete");
    assert_eq!(finish(&client, &job)["numberRecordsProcessed"], 1);
    org.bulk().set_max_upload(10);
    let job = create(&client, &things("insert"));
    assert_eq!(upload(&client, &job, "Key__c\nlong\n").status, 413);
    assert_eq!(upload(&client, &job, "Key__c\nab\n").status, 201);
    let path = data(&format!("/jobs/ingest/{job}/batches"));
    assert_eq!(client.send("PUT", &path, &[("Content-Type", "text/plain")], "x").unwrap().status, 415);
}

#[test]
fn a_job_may_come_in_one_request() {
    let (org, client) = org();
    let send = |settings: &str, rows: &str| {
        let body = format!(
            "--B\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Disposition: form-data; name=\"job\"\r\n\r\n\
             {settings}\r\n--B\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; name=\"content\"; \
             filename=\"content\"\r\n\r\n{rows}\r\n--B--\r\n"
        );
        let headers = [("Content-Type", "multipart/form-data; boundary=B")];
        client.send("POST", &data("/jobs/ingest"), &headers, &body).unwrap()
    };
    let answer = send(&things("insert").to_string(), TWO);
    let made = answer.json();
    assert_eq!((answer.status, &made["state"]), (200, &json!("UploadComplete")), "no PATCH is needed");
    assert_eq!(made.get("contentUrl"), None);
    assert_eq!(finish(&client, made["id"].as_str().unwrap())["numberRecordsProcessed"], 2);
    assert_eq!(org.count("Thing__c"), 2);
    let long = format!("Key__c\n{}", "k\n".repeat(50_000));
    assert_eq!(code(&send(&things("insert").to_string(), &long)), refused(400, "CLIENTINPUTERROR"));
    let headers = [("Content-Type", "multipart/form-data; boundary=B")];
    let cut = client.send("POST", &data("/jobs/ingest"), &headers, "--B\r\n").unwrap();
    assert_eq!(code(&cut), refused(400, "INVALIDJOB"));
    assert_eq!(org.bulk().jobs().len(), 1, "what is refused makes no job");
}

#[test]
fn what_is_no_job_is_refused() {
    let (org, client) = org();
    let refusal = |settings: &Value| {
        let (status, code, text) = error(&client.post(&data("/jobs/ingest"), settings));
        assert_eq!(status, 400);
        (code, text)
    };
    let mut blank = things("upsert");
    blank["externalIdFieldName"] = json!("");
    let text = "InvalidJob : External ID was blank for Thing__c. An External ID must be specified for upsert.";
    assert_eq!(refusal(&blank), ("INVALIDJOB".to_owned(), text.to_owned()));
    for (member, value, expected) in [
        ("object", "Nothing__c", "INVALIDENTITY"),
        ("operation", "merge", "INVALIDOPERATION"),
        ("contentType", "JSON", "INVALIDJOB"),
        ("columnDelimiter", "SPACE", "INVALIDJOB"),
        ("lineEnding", "CR", "INVALIDJOB"),
        ("externalIdFieldName", "Flag__c", "INVALIDJOB"),
    ] {
        let mut settings = things("upsert");
        settings[member] = json!(value);
        assert_eq!(refusal(&settings).0, expected, "{member}");
    }
    assert_eq!(refusal(&things("hardDelete")).0, "FEATURENOTENABLED");
    org.bulk().spell_codes_as_the_guide(true);
    assert_eq!(refusal(&things("hardDelete")).0, "FeatureNotEnabled");
    let old = client.post("/services/data/v40.0/jobs/ingest", &things("insert"));
    assert_eq!(old.status, 404, "ingest came with 41.0");
    assert!(org.bulk().jobs().is_empty());
}

#[test]
fn an_aborted_job_keeps_what_it_has_done() {
    let (org, client) = org();
    org.bulk().complete_after_polls(2);
    let job = create(&client, &things("insert"));
    upload(&client, &job, &numbered(1_000));
    state(&client, &job, "UploadComplete");
    let early = client.get(&data(&format!("/jobs/ingest/{job}/successfulResults")));
    assert_eq!(code(&early), refused(400, "INVALIDJOBSTATE"), "there are no results yet");
    info(&client, &job);
    info(&client, &job);
    assert_eq!(code(&client.delete(&data(&format!("/jobs/ingest/{job}")))), refused(400, "INVALIDJOBSTATE"));
    assert_eq!(state(&client, &job, "Aborted").json()["state"], "Aborted");
    let (done, rest) = (file(&client, &job, "successfulResults"), file(&client, &job, "unprocessedrecords"));
    assert_eq!((done.len(), rest.len(), org.count("Thing__c")), (601, 401, 600));
    assert_eq!((rest[0].as_str(), rest[1].as_str()), ("Key__c", "\"k600\""));
    assert_eq!(finish(&client, &job)["numberRecordsProcessed"], 600);
    let (status, code, text) = error(&state(&client, &job, "Aborted"));
    assert_eq!((status, code.as_str()), (400, "INVALIDJOBSTATE"));
    assert_eq!(text, "Aborting already Completed Job not allowed");
    assert_eq!(super::code(&state(&client, &job, "UploadComplete")), refused(400, "INVALIDJOBSTATE"));
}

#[test]
fn an_open_job_that_is_aborted_has_all_its_rows_unprocessed() {
    let (org, client) = org();
    let job = create(&client, &things("insert"));
    upload(&client, &job, TWO);
    state(&client, &job, "Aborted");
    assert_eq!(file(&client, &job, "unprocessedrecords"), TWO.lines().collect::<Vec<_>>());
    assert!(file(&client, &job, "successfulResults").is_empty());
    assert_eq!(org.count("Thing__c"), 0);
}

#[test]
fn something_may_stop_a_job() {
    let (org, client) = org();
    let csv = "Key__c\na\nb\nc\n";
    org.bulk().fail_next_ingest("TooManyLockFailure", "Too many lock failures", 2);
    let (job, end) = load(&client, &things("insert"), csv);
    assert_eq!(end["state"], "Failed");
    assert_eq!(end["errorMessage"], "TooManyLockFailure : Too many lock failures");
    assert_eq!((file(&client, &job, "successfulResults").len(), org.count("Thing__c")), (3, 2));
    assert_eq!(file(&client, &job, "unprocessedrecords"), ["Key__c", "\"c\""]);
    let (_, end) = load(&client, &things("insert"), csv);
    assert_eq!(end["state"], "JobComplete", "the next one goes through");
}

#[test]
fn rows_beyond_the_days_batches_are_in_no_file() {
    let (org, client) = org();
    org.bulk().set_batch_rows(2);
    org.bulk().set_daily_batches(2);
    let (job, end) = load(&client, &things("insert"), "Key__c\na\nb\nc\nd\ne\n");
    assert!(end["errorMessage"].as_str().unwrap().starts_with("ExceededQuota : "), "{end}");
    assert_eq!(file(&client, &job, "successfulResults").len(), 5);
    assert_eq!(file(&client, &job, "failedResults").len(), 1);
    assert_eq!(file(&client, &job, "unprocessedrecords").len(), 1);
    assert_eq!(org.count("Thing__c"), 4);
    let limits = client.get(&data("/limits")).json();
    assert_eq!(limits["DailyBulkApiBatches"], json!({"Max": 15_000, "Remaining": 0}));
    org.advance(Duration::from_hours(24));
    let client = log_in(&org, &client);
    let (_, end) = load(&client, &things("insert"), "Key__c\nf\n");
    assert_eq!(end["state"], "JobComplete", "the window rolls");
}

#[test]
fn jobs_are_listed_page_by_page_and_forgotten_after_a_week() {
    let (org, client) = org();
    let made: Vec<String> = (0..5).map(|_| create(&client, &things("insert"))).collect();
    ask(&client, "SELECT Id FROM Account");
    org.bulk().set_list_rows(2);
    let (mut path, mut seen) = (data("/jobs/ingest?jobType=V2Ingest"), Vec::new());
    loop {
        let page = client.get(&path).json();
        seen.extend(page["records"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        if page["done"] == true {
            assert_eq!(page["nextRecordsUrl"], Value::Null);
            break;
        }
        page["nextRecordsUrl"].as_str().unwrap().clone_into(&mut path);
    }
    assert_eq!(seen, made);
    assert_eq!(client.get(&data("/jobs/ingest?jobType=Classic")).json()["records"], json!([]));
    assert_eq!(client.get(&data("/jobs/query")).json()["records"][0]["jobType"], "V2Query");
    let wrong = client.get(&data("/jobs/ingest?queryLocator=x"));
    assert_eq!(code(&wrong), refused(400, "INVALID_QUERY_LOCATOR"));
    assert_eq!(client.get(&data(&format!("/jobs/query/{}", made[0]))).status, 404, "a job of the other kind");
    org.advance(Duration::from_hours(7 * 24));
    assert!(org.bulk().jobs().is_empty());
}

#[test]
fn only_its_creator_or_who_manages_data_integrations_stops_a_job() {
    let (org, client) = org();
    let job = create(&client, &things("insert"));
    let other = |name: &str, permission: &str| {
        let user = org.add_user(UserSpec::new(name).permission("ApiEnabled").permission(permission));
        client.with_authorization(Some(&format!("Bearer {}", user.access_token)))
    };
    let stranger = other("stranger@example.com", "RunReports");
    assert_eq!(code(&state(&stranger, &job, "Aborted")), refused(403, "INSUFFICIENT_ACCESS"));
    assert_eq!(state(&other("manager@example.com", "ManageDataIntegrations"), &job, "Aborted").status, 200);
}

#[test]
fn every_request_is_a_call() {
    let (org, client) = org();
    let before = org.api_calls();
    let (job, _) = load(&client, &things("insert"), TWO);
    file(&client, &job, "successfulResults");
    assert_eq!(org.api_calls() - before, 6, "create, upload, close, two looks, one file");
}
