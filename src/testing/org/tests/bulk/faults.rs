//! What goes wrong with bulk requests.

use std::io::ErrorKind;

use super::super::super::Operation;
use super::*;

const TWO: &str = "Key__c\na\nb\n";

#[test]
fn an_upload_may_arrive_although_its_answer_is_lost() {
    let (org, client) = org();
    let job = create(&client, &things("insert"));
    let path = data(&format!("/jobs/ingest/{job}/batches"));
    org.faults().on(Operation::IngestUpload).apply_then_reset().once();
    let lost = client.send("PUT", &path, &[("Content-Type", "text/csv")], TWO).unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::ConnectionReset);
    assert_eq!(code(&upload(&client, &job, TWO)), refused(400, "BULK_API_ERROR"), "it is there");
    org.faults().on(Operation::IngestPatch).apply_then_status(503).once();
    assert_eq!(state(&client, &job, "UploadComplete").status, 503);
    assert_eq!(code(&state(&client, &job, "UploadComplete")), refused(400, "INVALIDJOBSTATE"), "it is closed");
    assert_eq!(finish(&client, &job)["numberRecordsProcessed"], 2);
    org.faults().on(Operation::IngestCreate).apply_then_reset().once();
    assert!(client.send("POST", &data("/jobs/ingest"), &[], &things("insert").to_string()).is_err());
    assert_eq!(org.bulk().jobs().len(), 2, "a job nobody knows of");
}

#[test]
fn rows_of_a_job_may_be_locked() {
    let (org, client) = org();
    org.faults().on(Operation::IngestPatch).lock_rows(|_, row| row["Key__c"] == "b").once();
    let (job, end) = load(&client, &things("insert"), "Key__c\na\nb\nc\n");
    assert_eq!(end["numberRecordsFailed"], 1);
    let text = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--";
    assert_eq!(file(&client, &job, "failedResults")[1], format!("\"\",\"{text}\",\"b\""));
    assert_eq!(org.count("Thing__c"), 2);
    org.faults().on(Operation::IngestPatch).lock_every(2).once();
    let (_, end) = load(&client, &things("insert"), "Key__c\nd\ne\nf\ng\n");
    assert_eq!(end["numberRecordsFailed"], 2);
}

#[test]
fn a_result_may_be_cut_and_its_numbers_wrong() {
    let (org, client) = accounts(4);
    org.bulk().set_result_rows(2);
    let job = ask(&client, "SELECT Name FROM Account ORDER BY Name");
    wait(&client, &job);
    let path = data(&format!("/jobs/query/{job}/results"));
    let on = || org.faults().on(Operation::QueryJobResults);
    on().truncate(9).once();
    assert_eq!(client.send("GET", &path, &[], "").unwrap_err().kind(), ErrorKind::UnexpectedEof);
    on().with_header("Sforce-NumberOfRecords", "3").once();
    assert_eq!(client.get(&path).header("sforce-numberofrecords"), Some("3"));
    on().with_header("Sforce-Locator", "MA").times(2);
    for _ in 0..2 {
        let page = client.get(&format!("{path}?locator=MA"));
        assert_eq!((page.header("sforce-locator"), page.status), (Some("MA"), 200), "it repeats");
    }
    on().edit_text(|text| *text = text.replacen("Name", "Nome", 1)).after(1).once();
    assert!(client.get(&path).body.starts_with("\"Name\""));
    assert!(client.get(&format!("{path}?locator=Mg")).body.starts_with("\"Nome\""), "another header row");
    on().status(503).after(1).once();
    let statuses = [client.get(&path).status, client.get(&path).status, client.get(&path).status];
    assert_eq!(statuses, [200, 503, 200]);
}

#[test]
fn links_may_never_end() {
    let (org, client) = accounts(1);
    let job = ask(&client, "SELECT Name FROM Account");
    wait(&client, &job);
    let own = data(&format!("/jobs/query/{job}/resultpages?locator=MA"));
    let next = own.clone();
    let endless = move |body: &mut Value| (body["done"], body["nextRecordsUrl"]) = (json!(false), json!(next));
    org.faults().on(Operation::QueryJobPages).edit(endless).always();
    let page = client.get(&own).json();
    assert_eq!((&page["done"], page["nextRecordsUrl"].as_str().unwrap()), (&json!(false), own.as_str()));
}
