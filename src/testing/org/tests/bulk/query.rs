//! Query jobs: results in pages, and what is refused.

use std::time::Duration;

use super::super::super::EmptyResult;
use super::*;

const NAMES: &str = "SELECT Name FROM Account ORDER BY Name";

fn results(client: &Client, job: &str, query: &str) -> Answer {
    client.get(&data(&format!("/jobs/query/{job}/results{query}")))
}

/// The rows of an answer, without its header row.
fn rows(answer: &Answer) -> Vec<String> {
    answer.body.lines().skip(1).map(str::to_owned).collect()
}

fn names(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("\"A{number:02}\"")).collect()
}

#[test]
fn a_result_is_read_page_by_page_each_with_the_header() {
    let (_org, client) = accounts(5);
    let job = ask(&client, NAMES);
    let end = wait(&client, &job);
    assert_eq!((&end["state"], &end["numberRecordsProcessed"]), (&json!("JobComplete"), &json!(5)));
    let (mut query, mut seen) = ("?maxRecords=2".to_owned(), Vec::new());
    loop {
        let page = results(&client, &job, &query);
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/csv")));
        assert!(page.body.starts_with("\"Name\"\n"), "{}", page.body);
        let read = rows(&page);
        assert_eq!(page.header("sforce-numberofrecords"), Some(read.len().to_string().as_str()));
        seen.extend(read);
        match page.header("sforce-locator").unwrap() {
            "null" => break,
            locator => query = format!("?maxRecords=2&locator={locator}"),
        }
    }
    assert_eq!(seen, names(0..5));
    assert_eq!(rows(&results(&client, &job, "?locator=Mg&maxRecords=1")), names(2..3), "again, from the middle");
    assert_eq!(code(&results(&client, &job, "?locator=x")), refused(400, "INVALID_QUERY_LOCATOR"));
    assert_eq!(code(&results(&client, &job, "?maxRecords=0")), refused(400, "CLIENTINPUTERROR"));
}

#[test]
fn the_server_may_give_smaller_pages_than_asked_for() {
    let (org, client) = accounts(5);
    org.bulk().set_result_rows(2);
    let job = ask(&client, NAMES);
    wait(&client, &job);
    assert_eq!(rows(&results(&client, &job, "?maxRecords=50000")), names(0..2));
    assert_eq!(rows(&results(&client, &job, "")), names(0..2));
}

#[test]
fn cells_are_quoted_in_the_order_asked_for() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "A \"B\"\nC", "AnnualRevenue": 15_000, "NumberOfEmployees": 3}));
    let fields =
        json!({"LastName": "X,Y", "AccountId": account, "HasOptedOutOfEmail": null, "Birthdate": "1990-02-03"});
    let mut fields = fields.as_object().unwrap().clone();
    fields.remove("HasOptedOutOfEmail");
    let contact = org.insert("Contact", Value::Object(fields));
    org.insert("Contact", json!({"LastName": "Z"}));
    let soql = "select account.name, lastname, Id, Account.AnnualRevenue, account.NumberOfEmployees, birthdate, IsDeleted, \
                CreatedDate from Contact c order by c.LastName";
    let job = ask(&client, soql);
    wait(&client, &job);
    let text = results(&client, &job, "").body;
    let created = org.record(&contact).unwrap()["CreatedDate"].as_str().unwrap().replace("+0000", "Z");
    let header = "\"Account.Name\",\"LastName\",\"Id\",\"Account.AnnualRevenue\",\"Account.NumberOfEmployees\",\"Birthdate\",\
                  \"IsDeleted\",\"CreatedDate\"\n";
    let first = format!(
        "\"A \"\"B\"\"\nC\",\"X,Y\",\"{contact}\",\"15000.0\",\"3\",\"1990-02-03\",\"false\",\"{created}\"\n\"\",\"Z\",\""
    );
    assert!(text.starts_with(&format!("{header}{first}")), "{text}");
}

#[test]
fn a_result_may_have_another_dialect() {
    let (_org, client) = accounts(1);
    let settings = json!({"operation": "query", "query": "SELECT Name, Phone FROM Account", "columnDelimiter": "PIPE", "lineEnding": "CRLF"});
    let made = client.post(&data("/jobs/query"), &settings).json();
    assert_eq!((&made["columnDelimiter"], &made["state"]), (&json!("PIPE"), &json!("UploadComplete")), "never Open");
    let job = made["id"].as_str().unwrap();
    wait(&client, job);
    assert_eq!(results(&client, job, "").body, "\"Name\"|\"Phone\"\r\n\"A00\"|\"\"\r\n");
}

#[test]
fn query_all_sees_the_recycle_bin() {
    let (org, client) = accounts(2);
    let id = org.records("Account")[0]["Id"].as_str().unwrap().to_owned();
    client.delete(&data(&format!("/sobjects/Account/{id}")));
    for (operation, count) in [("query", 1), ("queryAll", 2)] {
        let made = client.post(&data("/jobs/query"), &json!({"operation": operation, "query": NAMES})).json();
        assert_eq!(wait(&client, made["id"].as_str().unwrap())["numberRecordsProcessed"], count, "{operation}");
    }
}

#[test]
fn results_belong_to_one_version() {
    let (_org, client) = accounts(1);
    let job = ask(&client, NAMES);
    wait(&client, &job);
    for resource in ["results", "resultPages"] {
        let other = client.get(&format!("/services/data/v62.0/jobs/query/{job}/{resource}"));
        assert_eq!(other.status, 409, "{resource}");
    }
    assert_eq!(client.get(&format!("/services/data/v57.0/jobs/query/{job}/resultPages")).status, 404, "58.0 on");
}

#[test]
fn pages_can_be_read_at_once() {
    let (org, client) = accounts(13);
    org.bulk().set_result_rows(2);
    let job = ask(&client, NAMES);
    wait(&client, &job);
    for member in ["nextRecordsUrl", "nextRecordUrl"] {
        org.bulk().spell_next_record_url(member == "nextRecordUrl");
        let first = client.get(&data(&format!("/jobs/query/{job}/resultPages"))).json();
        assert_eq!((first["resultPages"].as_array().unwrap().len(), &first["done"]), (5, &json!(false)));
        let next = first[member].as_str().unwrap();
        assert!(next.starts_with(&data(&format!("/jobs/query/{job}/resultpages?locator="))), "{next}");
        let last = client.get(next).json();
        assert_eq!((&last["done"], last.get(member)), (&json!(true), None));
        let links = [first, last].map(|page| page["resultPages"].as_array().unwrap().clone()).concat();
        let seen: Vec<String> =
            links.iter().flat_map(|link| rows(&client.get(link["resultUrl"].as_str().unwrap()))).collect();
        assert_eq!(seen, names(0..13));
    }
}

#[test]
fn a_result_without_rows_has_several_forms() {
    let (org, client) = accounts(0);
    let job = ask(&client, NAMES);
    wait(&client, &job);
    for (form, body) in [
        (EmptyResult::Header, "\"Name\"\n"),
        (EmptyResult::Nothing, ""),
        (EmptyResult::Line, "Records not found for this query"),
    ] {
        org.bulk().set_empty_result(form);
        let page = results(&client, &job, "");
        assert_eq!((page.status, page.body.as_str()), (200, body));
        assert_eq!((page.header("sforce-numberofrecords"), page.header("sforce-locator")), (Some("0"), Some("null")));
    }
    let pages = client.get(&data(&format!("/jobs/query/{job}/resultPages"))).json();
    assert_eq!(client.get(pages["resultPages"][0]["resultUrl"].as_str().unwrap()).status, 200);
}

#[test]
fn what_bulk_queries_may_not_say_is_refused_at_once() {
    let (org, client) = accounts(0);
    let refusal = |soql: &str| {
        let answer = client.post(&data("/jobs/query"), &json!({"operation": "query", "query": soql}));
        let (status, code, text) = error(&answer);
        assert_eq!(status, 400, "{soql}: {}", answer.body);
        (code, text)
    };
    let unsupported = |what: &str| ("API_ERROR".to_owned(), format!("{what} not supported in Bulk Query"));
    assert_eq!(refusal("SELECT BillingAddress FROM Account"), unsupported("Selecting compound data"));
    assert_eq!(refusal("SELECT Id, (SELECT Id FROM Contacts) FROM Account"), unsupported("Aggregate Relationships"));
    for soql in [
        "SELECT COUNT() FROM Account",
        "SELECT COUNT(Id) FROM Account",
        "SELECT Name FROM Account GROUP BY Name",
        "SELECT Name FROM Account LIMIT 5 OFFSET 1",
        "SELECT TYPEOF What WHEN Account THEN Name END FROM Event",
    ] {
        assert_eq!(refusal(soql).0, "API_ERROR", "{soql}");
    }
    assert_eq!(refusal("SELECT Nme FROM Account").0, "INVALID_FIELD");
    assert_eq!(refusal("SELECT FROM Account").0, "MALFORMED_QUERY");
    assert_eq!(refusal("").0, "MALFORMED_QUERY");
    let wrong = client.post(&data("/jobs/query"), &json!({"operation": "insert", "query": NAMES}));
    assert_eq!(code(&wrong), refused(400, "INVALIDOPERATION"));
    assert_eq!(client.post("/services/data/v46.0/jobs/query", &json!({})).status, 404, "47.0 on");
    assert!(org.bulk().jobs().is_empty());
}

#[test]
fn a_query_job_may_be_aborted_deleted_or_fail() {
    let (org, client) = accounts(1);
    let path = |job: &str| data(&format!("/jobs/query/{job}"));
    let job = ask(&client, NAMES);
    assert_eq!(code(&results(&client, &job, "")), refused(400, "INVALIDJOBSTATE"), "not yet");
    let aborted = client.patch(&path(&job), &json!({"state": "Aborted"}));
    assert_eq!((aborted.status, &aborted.json()["state"]), (200, &json!("Aborted")));
    assert_eq!(wait(&client, &job)["state"], "Aborted");
    let again = client.patch(&path(&job), &json!({"state": "Aborted"}));
    assert_eq!(code(&again), refused(400, "INVALIDJOBSTATE"));
    assert_eq!(client.delete(&path(&job)).status, 204);
    let (status, code, text) = error(&client.get(&path(&job)));
    assert_eq!((status, code.as_str(), text.as_str()), (404, "NOT_FOUND", "The requested resource does not exist"));
    org.bulk().fail_next_query("Timeout", "too slow");
    assert_eq!(wait(&client, &ask(&client, NAMES))["errorMessage"], "Timeout : too slow");
    let gone = ask(&client, NAMES);
    org.remove_field("Account", "Name");
    let end = wait(&client, &gone);
    assert!(end["errorMessage"].as_str().unwrap().starts_with("InvalidBatch : Failed to process query: INVALID_FIELD"));
}

#[test]
fn results_may_be_gone_and_jobs_used_up() {
    let (org, client) = accounts(1);
    org.bulk().set_daily_query_jobs(1);
    let job = ask(&client, NAMES);
    wait(&client, &job);
    let refusal = client.post(&data("/jobs/query"), &json!({"operation": "query", "query": NAMES}));
    assert_eq!(code(&refusal), refused(400, "EXCEEDEDQUOTA"));
    let limits = client.get(&data("/limits")).json();
    assert_eq!(limits["DailyBulkV2QueryJobs"], json!({"Max": 10_000, "Remaining": 0}));
    org.bulk().lose_results(&job);
    assert_eq!(code(&results(&client, &job, "")), refused(404, "NOT_FOUND"));
    assert_eq!(wait(&client, &job)["state"], "JobComplete", "the job is still there");
    org.advance(Duration::from_hours(7 * 24));
    let client = log_in(&org, &client);
    assert_eq!(client.get(&data(&format!("/jobs/query/{job}"))).status, 404);
}
