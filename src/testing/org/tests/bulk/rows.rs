//! What an ingest job does to records, and what its files say of it.

use super::*;

/// `sf__Error` of each failed row, by its first input column.
fn errors(client: &Client, job: &str) -> Vec<(String, String)> {
    let lines = file(client, job, "failedResults");
    let cell = |line: &str, place: usize| line.split("\",\"").nth(place).unwrap().trim_matches('"').to_owned();
    let mut errors: Vec<_> = lines[1..].iter().map(|line| (cell(line, 2), cell(line, 1))).collect();
    errors.sort();
    errors
}

#[test]
fn results_say_what_became_of_each_row_in_another_order() {
    let (org, client) = org();
    org.insert("Thing__c", json!({"Key__c": "b", "Number__c": 5}));
    let csv = "Key__c,Number__c,Serial__c,Flag__c\na,12.50,912260031,TRUE\nb,,7,0\nc,many,8,\n";
    let (job, end) = load(&client, &things("upsert"), csv);
    assert_eq!((&end["numberRecordsProcessed"], &end["numberRecordsFailed"]), (&json!(3), &json!(1)));
    assert_eq!(end["state"], "JobComplete", "failed rows are no failed job");
    let id = |key: &str| {
        let rows = org.records("Thing__c");
        rows.iter().find(|row| row["Key__c"] == *key).unwrap()["Id"].as_str().unwrap().to_owned()
    };
    let expected = [
        "\"sf__Id\",\"sf__Created\",Key__c,Number__c,Serial__c,Flag__c".to_owned(),
        format!("\"{}\",\"false\",\"b\",\"\",\"7.0\",\"false\"", id("b")),
        // As parsed: what was sent is `12.50` and `912260031`.
        format!("\"{}\",\"true\",\"a\",\"12.5\",\"9.12260031E8\",\"true\"", id("a")),
    ];
    assert_eq!(file(&client, &job, "successfulResults"), expected);
    let failed = file(&client, &job, "failedResults");
    let text = "INVALID_FIELD:Failed to deserialize field at col 1. Due to, 'many' is not a valid value for the type \
                xsd:double:Number__c --";
    assert_eq!(failed[0], "\"sf__Id\",\"sf__Error\",Key__c,Number__c,Serial__c,Flag__c");
    assert_eq!(failed[1], format!("\"\",\"{text}\",\"c\",\"many\",\"8.0\",\"\""));
    assert_eq!(file(&client, &job, "unprocessedrecords"), ["Key__c,Number__c,Serial__c,Flag__c"]);
}

#[test]
fn an_empty_cell_says_nothing_and_the_null_mark_clears() {
    let (org, client) = org();
    let id = org.insert("Thing__c", json!({"Code__c": "old", "Number__c": 1, "Colour__c": "Green"}));
    load(&client, &things("update"), &format!("Id,Code__c,Number__c,Day__c\n{id},,#N/A,2026-05-01\n"));
    let row = org.record(&id).unwrap();
    assert_eq!(
        (&row["Code__c"], &row["Number__c"], &row["Day__c"]),
        (&json!("old"), &Value::Null, &json!("2026-05-01"))
    );
    load(&client, &things("insert"), "Key__c,Colour__c\nnew,\n");
    let made = org.records("Thing__c").pop().unwrap();
    assert_eq!((&made["Key__c"], &made["Colour__c"]), (&json!("new"), &json!("Red")), "the default");
}

#[test]
fn every_dialect_is_read_and_written() {
    let (org, client) = org();
    let dialects =
        [("COMMA", ","), ("TAB", "\t"), ("PIPE", "|"), ("SEMICOLON", ";"), ("CARET", "^"), ("BACKQUOTE", "`")];
    for (name, mark) in dialects {
        for (ending, end) in [("LF", "\n"), ("CRLF", "\r\n")] {
            let mut settings = things("insert");
            (settings["columnDelimiter"], settings["lineEnding"]) = (json!(name), json!(ending));
            let csv = format!("Key__c{mark}Code__c{end}k{mark}\"x{mark}{name}\"\"{ending}\"{end}");
            let (job, end_state) = load(&client, &settings, &csv);
            assert_eq!(end_state["numberRecordsFailed"], 0, "{name} {ending}: {end_state}");
            let text = client.get(&data(&format!("/jobs/ingest/{job}/successfulResults"))).body;
            let row = format!("{mark}\"k\"{mark}\"x{mark}{name}\"\"{ending}\"{end}");
            assert!(
                text.starts_with(&format!("\"sf__Id\"{mark}\"sf__Created\"{mark}Key__c{mark}Code__c{end}")),
                "{text}"
            );
            assert!(text.ends_with(&row), "{text}");
        }
    }
    assert_eq!(org.count("Thing__c"), 12);
}

#[test]
fn a_bad_upload_fails_the_job_and_writes_nothing() {
    let (org, client) = org();
    let ending = "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF";
    let long = format!("{}\n1\n", "x".repeat(32_001));
    for (csv, error) in [
        ("Key__c,StageName_x\na,b\n", "InvalidBatch : Field name not found : StageName_x"),
        ("Key__c\r\na\r\n", ending),
        ("Key__c\na\r\n", ending),
        ("Key__c,Code__c\na,1\nb\n", "InvalidBatch : Failed to parse CSV."),
        ("Key__c,Code__c\na,1\n\"b\" ,2\n", "InvalidBatch : Failed to parse CSV."),
        ("\u{feff}\"Key__c\"\na\n", "InvalidBatch : Failed to parse CSV."),
        ("Key__c,key__C\na,b\n", "InvalidBatch : Duplicate field name"),
        (long.as_str(), "InvalidBatch : The header row is longer"),
        ("Parent__r.Nothing__c\na\n", "InvalidBatch : Field name not found : Parent__r.Nothing__c"),
        ("Parent__r.Account__r.Name\na\n", "InvalidBatch : Field name not found"),
        ("Thing__c:Parent__r.Key__c\na\n", "InvalidBatch : Field name not found"),
    ] {
        let (job, end) = load(&client, &things("insert"), csv);
        let text = end["errorMessage"].as_str().unwrap_or_default();
        assert!(text.starts_with(error), "{csv:?}: {end}");
        assert_eq!((&end["state"], &end["numberRecordsProcessed"]), (&json!("Failed"), &json!(0)));
        let rest = client.get(&data(&format!("/jobs/ingest/{job}/unprocessedrecords"))).body;
        assert_eq!(rest, csv, "all of it is unprocessed");
    }
    let (_, end) = load(&client, &things("delete"), "Id,Key__c\nx,y\n");
    assert_eq!(end["errorMessage"], "InvalidBatch : The 'delete' batch must contain only ids");
    assert_eq!(org.count("Thing__c"), 0);
    let job = create(&client, &things("insert"));
    state(&client, &job, "UploadComplete");
    assert_eq!(finish(&client, &job)["state"], "JobComplete", "without data there is nothing to do");
}

#[test]
fn parents_are_found_by_their_keys() {
    let (org, client) = org();
    let parent = org.insert("Thing__c", json!({"Key__c": "p", "Serial__c": 5}));
    let csv = "Key__c,Parent__r.Serial__c\na,5\nb,6\nc,#N/A\nd,\n";
    let (job, _) = load(&client, &things("insert"), csv);
    let text = "INVALID_FIELD:Foreign key external ID: 6 not found for field Serial__c in entity Thing__c:--";
    assert_eq!(errors(&client, &job), [("b".to_owned(), text.to_owned())]);
    let rows = org.records("Thing__c");
    let parent_of = |key: &str| rows.iter().find(|row| row["Key__c"] == *key).unwrap()["Parent__c"].clone();
    assert_eq!((parent_of("a"), parent_of("c"), parent_of("d")), (json!(parent), Value::Null, Value::Null));
    assert!(file(&client, &job, "successfulResults")[0].ends_with("Key__c,Parent__r.Serial__c"), "as it was sent");

    let lead = org.insert("Lead", json!({"LastName": "L", "Company": "C", "Email": "l@example.com"}));
    let tasks = json!({"object": "Task", "operation": "insert"});
    let (_, end) = load(&client, &tasks, "Subject,Lead:Who.Email\nCall,l@example.com\n");
    assert_eq!(end["numberRecordsFailed"], 0);
    assert_eq!(org.records("Task")[0]["WhoId"], json!(lead));
    let (_, end) = load(&client, &tasks, "Subject,Who.Email\nCall,l@example.com\n");
    assert_eq!(end["errorMessage"], "InvalidBatch : Field name not found : Who.Email", "the type is missing");
}

#[test]
fn rows_pass_the_same_rules_as_single_calls() {
    let (org, client) = org();
    org.insert("Thing__c", json!({"Key__c": "double"}));
    org.insert("Thing__c", json!({"Key__c": "DOUBLE"}));
    org.insert("Thing__c", json!({"Code__c": "taken"}));
    let csv = "Key__c,Code__c,Colour__c\na,taken,\nb,x,Blue\ndouble,y,\n,z,\nd,1,\nD,2,\n";
    let (job, _) = load(&client, &things("upsert"), csv);
    let codes: Vec<(String, String)> = errors(&client, &job)
        .into_iter()
        .map(|(key, text)| (key, text.split(':').next().unwrap().to_owned()))
        .collect();
    let expected = [
        ("", "MISSING_ARGUMENT"),
        ("D", "DUPLICATE_VALUE"),
        ("a", "DUPLICATE_VALUE"),
        ("b", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("double", "DUPLICATE_EXTERNAL_ID"),
    ];
    assert_eq!(codes, expected.map(|(key, code)| (key.to_owned(), code.to_owned())));
    let contacts = json!({"object": "Contact", "operation": "insert"});
    let (job, _) = load(&client, &contacts, "FirstName,Email\nAnn,a@example.com\n");
    let missing = "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --";
    assert_eq!(errors(&client, &job)[0].1, missing);
    org.lock_field("Thing__c", "Code__c");
    let (job, _) = load(&client, &things("insert"), "Key__c,Code__c\nz,1\n");
    assert!(errors(&client, &job)[0].1.starts_with("INVALID_FIELD_FOR_INSERT_UPDATE:"));
    org.remove_field("Thing__c", "Code__c");
    let (_, end) = load(&client, &things("insert"), "Key__c,Code__c\nz,1\n");
    assert_eq!(end["errorMessage"], "InvalidBatch : Field name not found : Code__c", "hidden or gone alike");
}

#[test]
fn updates_and_deletions_go_by_id() {
    let (org, client) = org();
    let made = |key: &str| org.insert("Thing__c", json!({ "Key__c": key }));
    let (kept, gone) = (made("kept"), made("gone"));
    let csv =
        format!("Id,Code__c\n{kept},new\n,x\na0,y\n{}AAA,z\n", &org.insert("Account", json!({"Name": "A"}))[..15]);
    let (job, _) = load(&client, &things("update"), &csv);
    let codes: Vec<String> = file(&client, &job, "failedResults")[1..]
        .iter()
        .map(|line| line.split(['"', ':']).nth(3).unwrap().to_owned())
        .collect();
    assert_eq!(codes, ["MALFORMED_ID", "MALFORMED_ID", "MISSING_ARGUMENT"], "from the last row to the first");
    assert_eq!(org.record(&kept).unwrap()["Code__c"], "new");
    let unknown = format!("{}zzzzzz", &kept[..9]);
    let (job, end) = load(&client, &things("delete"), &format!("Id\n{gone}\n{unknown}\n{gone}\n"));
    assert_eq!((&end["numberRecordsProcessed"], &end["numberRecordsFailed"]), (&json!(3), &json!(2)));
    let failed = file(&client, &job, "failedResults");
    assert_eq!(failed[1], format!("\"{gone}\",\"ENTITY_IS_DELETED:entity is deleted:--\",\"{gone}\""), "with its id");
    assert!(failed[2].contains("INVALID_CROSS_REFERENCE_KEY"));
    assert!(org.record(&gone).is_none());
    let bin = client.get(&data("/queryAll?q=SELECT+Id+FROM+Thing__c+WHERE+IsDeleted=TRUE")).json();
    assert_eq!(bin["totalSize"], 1);
    let old = client.post("/services/data/v52.0/jobs/ingest", &things("delete")).json();
    let job = old["id"].as_str().unwrap();
    upload(&client, job, &format!("Id\n{gone}\n"));
    state(&client, job, "UploadComplete");
    finish(&client, job);
    assert!(file(&client, job, "failedResults")[1].starts_with("\"\","), "the id is there from 53.0 on");
}

#[test]
fn a_hard_deletion_leaves_nothing_in_the_recycle_bin() {
    let (org, client) = org();
    let id = org.insert("Thing__c", json!({"Key__c": "a"}));
    org.grant_system(&org.user_id(), "BulkApiHardDelete");
    let (_, end) = load(&client, &things("hardDelete"), &format!("Id\n{id}\n"));
    assert_eq!((&end["state"], &end["numberRecordsFailed"]), (&json!("JobComplete"), &json!(0)));
    let bin = client.get(&data("/queryAll?q=SELECT+Id+FROM+Thing__c")).json();
    assert_eq!(bin["totalSize"], 0);
    assert_eq!(client.delete(&data(&format!("/sobjects/Thing__c/{id}"))).status, 404);
}

#[test]
fn batches_that_run_side_by_side_meet_at_their_parents() {
    let (org, client) = org();
    org.lock_parents();
    org.bulk().set_batch_rows(2);
    org.bulk().complete_after_polls(0);
    let parents = ["p", "q"].map(|key| org.insert("Thing__c", json!({ "Key__c": key })));
    let [p, q] = &parents;
    let csv = format!("Key__c,Parent__c\na,{p}\nb,{p}\nc,{p}\nd,{q}\ne,{p}\n");
    let (job, _) = load(&client, &things("insert"), &csv);
    let text = format!("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: {p}:--");
    assert_eq!(errors(&client, &job), [("c".to_owned(), text)], "e comes when the first batch is over");
    assert_eq!(org.parent_collisions(), 1);
    let (_, end) = load(&client, &things("insert"), &format!("Key__c,Parent__c\nc,{p}\n"));
    assert_eq!(end["numberRecordsFailed"], 0, "nothing is held any more");
}

#[test]
fn a_hundred_thousand_rows_are_written_once_each() {
    let (org, client) = org();
    org.bulk().complete_after_polls(60);
    let (job, end) = load(&client, &things("upsert"), &numbered(100_000));
    assert_eq!((&end["numberRecordsProcessed"], &end["numberRecordsFailed"]), (&json!(100_000), &json!(0)));
    let lines = file(&client, &job, "successfulResults");
    let keys: std::collections::HashSet<&str> = lines[1..].iter().map(|line| line.split('"').nth(5).unwrap()).collect();
    assert_eq!((keys.len(), org.count("Thing__c")), (100_000, 100_000));
    let limits = client.get(&data("/limits")).json();
    assert_eq!(limits["DailyBulkApiBatches"]["Remaining"], 15_000 - 10);
}
