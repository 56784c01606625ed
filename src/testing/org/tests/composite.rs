//! `/composite`.

use serde_json::json;

use super::{Answer, Client, MockOrg, Value, code, data, error, org, refused};
use crate::testing::org::{CollectionsInComposite, Operation};

fn sub(method: &str, path: &str, reference: &str, body: Value) -> Value {
    let mut request = json!({"method": method, "url": data(path), "referenceId": reference});
    if body != Value::Null {
        request["body"] = body;
    }
    request
}

fn create(object: &str, reference: &str, body: Value) -> Value {
    sub("POST", &format!("/sobjects/{object}"), reference, body)
}

fn accounts(reference: &str, all_or_none: bool, names: &[&str]) -> Value {
    let record = |name: &&str| match *name {
        "" => super::typed("Account", json!({})),
        name => super::typed("Account", json!({"Name": name})),
    };
    let records: Vec<Value> = names.iter().map(record).collect();
    sub("POST", "/composite/sobjects", reference, json!({"allOrNone": all_or_none, "records": records}))
}

fn send(client: &Client, all_or_none: bool, requests: &[Value]) -> Answer {
    let body = json!({"allOrNone": all_or_none, "collateSubrequests": false, "compositeRequest": requests});
    client.post(&data("/composite"), &body)
}

/// Status and code of each sub-request; blank for a success.
fn outcomes(answer: &Answer) -> Vec<(u64, String)> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let of = |part: &Value| {
        let code = part["body"][0]["errorCode"].as_str().unwrap_or_default().to_owned();
        (part["httpStatusCode"].as_u64().unwrap(), code)
    };
    answer.json()["compositeResponse"].as_array().unwrap().iter().map(of).collect()
}

fn ok(status: u64) -> (u64, String) {
    (status, String::new())
}

fn halted() -> (u64, String) {
    (400, "PROCESSING_HALTED".to_owned())
}

fn part(answer: &Answer, place: usize) -> Value {
    answer.json()["compositeResponse"][place].clone()
}

#[test]
fn later_requests_use_values_of_earlier_answers_for_one_call() {
    let (org, client) = org();
    let before = org.api_calls();
    let answer = send(
        &client,
        false,
        &[
            create("Account", "refAccount", json!({"Name": "Acme", "NumberOfEmployees": 7})),
            create(
                "Contact",
                "refContact",
                json!({"LastName": "of @{refAccount.id}!", "AccountId": "@{refAccount.id}"}),
            ),
            sub("GET", "/sobjects/Account/@{refAccount.id}?fields=Name,NumberOfEmployees", "row", Value::Null),
            sub("GET", "/query/?q=SELECT+Id+FROM+Contact+WHERE+AccountId+%3D+'@{refAccount.id}'", "q", Value::Null),
            sub(
                "PATCH",
                "/sobjects/Contact/@{q.records[0].Id}",
                "patch",
                json!({"FirstName": "@{row.Name}", "Description": "@{q.totalSize}"}),
            ),
            create("Account", "copy", json!({"Name": "@{row.Name}", "NumberOfEmployees": "@{row.NumberOfEmployees}"})),
            sub("DELETE", "/sobjects/Account/@{copy.id}", "gone", Value::Null),
        ],
    );
    let expected = [ok(201), ok(201), ok(200), ok(200), (400, "JSON_PARSER_ERROR".to_owned()), ok(201), ok(204)];
    assert_eq!(outcomes(&answer), expected, "a number does not become a text: {}", answer.body);
    assert_eq!(org.api_calls() - before, 1);
    let (account, contact) = (&org.records("Account")[0], &org.records("Contact")[0]);
    assert_eq!((&contact["AccountId"], &contact["FirstName"]), (&account["Id"], &Value::Null));
    assert_eq!(contact["LastName"], json!(format!("of {}!", account["Id"].as_str().unwrap())));
    assert_eq!(org.count("Account"), 1, "the copy, number and all, was made and deleted");
    let first = part(&answer, 0);
    let location = data(&format!("/sobjects/Account/{}", account["Id"].as_str().unwrap()));
    assert_eq!(first["httpHeaders"], json!({"Location": location}));
    assert_eq!(
        part(&answer, 6),
        json!({"body": null, "httpHeaders": {}, "httpStatusCode": 204, "referenceId": "gone"})
    );
    let logged = org.requests().last().unwrap().clone();
    assert_eq!((logged.operation, logged.subrequests.len()), (Some(Operation::Composite), 7));
    assert_eq!(logged.subrequests[3].operation, Some(Operation::Query));
    assert_eq!(org.calls(Operation::Query), 0, "what is inside is no request of its own");
}

#[test]
fn without_all_or_none_only_who_depends_on_a_failure_is_halted() {
    let (org, client) = org();
    let answer = send(
        &client,
        false,
        &[
            create("Account", "bad", json!({})),
            create("Contact", "child", json!({"LastName": "A", "AccountId": "@{bad.id}"})),
            create("Contact", "grandchild", json!({"LastName": "A", "ReportsToId": "@{child.id}"})),
            create("Contact", "free", json!({"LastName": "B"})),
            sub("GET", "/query/?q=SELECT+Id+FROM+Lead", "none", Value::Null),
            sub("PATCH", "/sobjects/Lead/@{none.records[0].Id}", "patch", json!({"Company": "C"})),
            create("Contact", "case", json!({"LastName": "@{free.Id}"})),
            create("Contact", "unknown", json!({"LastName": "@{nobody.id}"})),
        ],
    );
    let expected = [
        (400, "REQUIRED_FIELD_MISSING".to_owned()),
        halted(),
        halted(),
        ok(201),
        ok(200),
        halted(),
        halted(),
        halted(),
    ];
    assert_eq!(outcomes(&answer), expected);
    let text = "Invalid reference specified. No value for bad.id found in bad. Provided referenceId ('bad.id') must start \
                with a letter or a number, and it can contain only letters, numbers and underscores ('_').";
    assert_eq!(part(&answer, 1)["body"][0]["message"], json!(text));
    assert_eq!(org.count("Contact"), 1);
}

#[test]
fn all_or_none_rolls_everything_back() {
    let (org, client) = org();
    let kept = org.insert("Account", json!({"Name": "Before"}));
    let gone = org.insert("Account", json!({"Name": "Stays"}));
    let requests = [
        create("Account", "a", json!({"Name": "A"})),
        sub("PATCH", &format!("/sobjects/Account/{kept}"), "b", json!({"Name": "After"})),
        sub("DELETE", &format!("/sobjects/Account/{gone}"), "c", Value::Null),
        sub("PATCH", "/sobjects/Thing__c/Key__c/k", "d", json!({})),
        create("Contact", "bad", json!({"FirstName": "no last name"})),
        create("Contact", "later", json!({"LastName": "never tried"})),
    ];
    let answer = send(&client, true, &requests);
    let failed = (400, "REQUIRED_FIELD_MISSING".to_owned());
    assert_eq!(outcomes(&answer), [halted(), halted(), halted(), halted(), failed, halted()]);
    let text = "The transaction was rolled back since another operation in the same transaction failed.";
    assert_eq!(
        part(&answer, 0),
        json!({"body": [{"message": text, "errorCode": "PROCESSING_HALTED"}], "httpHeaders": {}, "httpStatusCode": 400, "referenceId": "a"})
    );
    assert_eq!((org.count("Account"), org.count("Thing__c"), org.count("Contact")), (2, 0, 0));
    assert_eq!(org.record(&kept).unwrap()["Name"], "Before");
    let answer = send(&client, true, &requests[..4]);
    assert_eq!(outcomes(&answer), [ok(201), ok(204), ok(204), ok(201)]);
    assert_eq!(org.count("Account"), 2);
}

#[test]
fn a_collection_keeps_its_successes_in_an_answer_that_was_rolled_back() {
    let (org, client) = org();
    let contact = || create("Contact", "contact", json!({"LastName": "Smith"}));
    let run = |outer: bool, inner: bool| send(&client, outer, &[accounts("c", inner, &["A", ""]), contact()]);
    let rows = |answer: &Answer| -> Vec<bool> {
        let rows = part(answer, 0)["body"].as_array().unwrap().clone();
        rows.iter().map(|row| row["success"].as_bool().unwrap()).collect()
    };
    let counts = |org: &MockOrg| (org.count("Account"), org.count("Contact"));
    let neither = run(false, false);
    assert_eq!((outcomes(&neither), rows(&neither), counts(&org)), (vec![ok(200), ok(201)], vec![true, false], (1, 1)));
    let inner = run(false, true);
    assert_eq!((outcomes(&inner), rows(&inner), counts(&org)), (vec![ok(200), ok(201)], vec![false, false], (1, 2)));
    let both = run(true, true);
    assert_eq!((outcomes(&both), rows(&both), counts(&org)), (vec![ok(200), halted()], vec![false, false], (1, 2)));
    let outer = run(true, false);
    assert_eq!((outcomes(&outer), rows(&outer), counts(&org)), (vec![ok(200), halted()], vec![true, false], (1, 2)));
    assert!(part(&outer, 0)["body"][0]["id"].is_string(), "an id that leads nowhere");
    let later = send(&client, true, &[accounts("c", false, &["A", "B"]), create("Contact", "bad", json!({}))]);
    assert_eq!((rows(&later), counts(&org)), (vec![true, true], (1, 2)));
}

#[test]
fn a_thousand_rows_go_in_one_call() {
    let (org, client) = org();
    let records = |part: usize| -> Vec<Value> {
        let row = |n: usize| super::typed("Thing__c", json!({"Key__c": format!("{part}-{n}")}));
        (0..200).map(row).collect()
    };
    let request = |part: usize| {
        let body = json!({"allOrNone": false, "records": records(part)});
        sub("PATCH", "/composite/sobjects/Thing__c/Key__c", &format!("part{part}"), body)
    };
    let requests: Vec<Value> = (0..5).map(request).collect();
    let before = org.api_calls();
    let answer = send(&client, false, &requests);
    assert_eq!(outcomes(&answer), vec![ok(200); 5]);
    assert_eq!((org.count("Thing__c"), org.api_calls() - before), (1000, 1));
    assert_eq!(part(&answer, 4)["body"][199]["created"], json!(true));
    let more = json!({"method": "GET", "url": data("/query/x-2000"), "referenceId": "more"});
    let six: Vec<Value> = requests.into_iter().chain([more]).collect();
    assert_eq!(
        code(&send(&client, false, &six)),
        refused(400, "LIMIT_EXCEEDED"),
        "collections and queries count together"
    );
}

#[test]
fn an_org_may_refuse_collections_that_are_not_collated() {
    let (org, client) = org();
    let requests = [accounts("c", false, &["A"]), create("Account", "a", json!({"Name": "B"}))];
    org.set_collections_in_composite(CollectionsInComposite::RequestRefused);
    assert_eq!(code(&send(&client, false, &requests)), refused(400, "FUNCTIONALITY_NOT_ENABLED"));
    assert_eq!(org.count("Account"), 0);
    org.set_collections_in_composite(CollectionsInComposite::EachRefused);
    let answer = send(&client, false, &requests);
    assert_eq!(outcomes(&answer), [(400, "FUNCTIONALITY_NOT_ENABLED".to_owned()), ok(201)]);
    let collated = json!({"collateSubrequests": true, "compositeRequest": [accounts("c", false, &["A"])]});
    assert_eq!(outcomes(&client.post(&data("/composite"), &collated)), [ok(200)]);
    org.set_collections_in_composite(CollectionsInComposite::Served);
    assert_eq!(outcomes(&send(&client, false, &requests)), [ok(200), ok(201)]);
}

#[test]
fn collated_requests_run_in_no_order_to_count_on() {
    let (org, client) = org();
    let requests = json!([
        create("Account", "first", json!({"Name": "1"})),
        create("Contact", "child", json!({"LastName": "C", "AccountId": "@{first.id}"})),
        create("Thing__c", "second", json!({"Key__c": "2"})),
        create("Account", "third", json!({"Name": "3"})),
    ]);
    let names = |org: &MockOrg| -> Vec<Value> {
        org.records("Account").iter().map(|account| account["Name"].clone()).collect()
    };
    // The default from 49.0 on.
    let answer = client.post(&data("/composite"), &json!({"compositeRequest": requests}));
    assert_eq!(outcomes(&answer), vec![ok(201); 4]);
    let references: Vec<Value> = (0..4).map(|place| part(&answer, place)["referenceId"].clone()).collect();
    assert_eq!(references, ["first", "child", "second", "third"], "answers keep the order of the request");
    assert_eq!(names(&org), ["3", "1"]);
    let ran: Vec<String> = org.requests().last().unwrap().subrequests.iter().map(|sub| sub.path.clone()).collect();
    let expected = ["Account", "Thing__c", "Account", "Contact"].map(|object| data(&format!("/sobjects/{object}")));
    assert_eq!(ran, expected);
    client.post(&data("/composite"), &json!({"collateSubrequests": false, "compositeRequest": requests}));
    assert_eq!(names(&org), ["3", "1", "1", "3"]);
    let old = json!({"compositeRequest": [
        {"method": "POST", "url": "/services/data/v48.0/sobjects/Account", "referenceId": "a", "body": {"Name": "x"}},
        {"method": "POST", "url": "/services/data/v48.0/sobjects/Account", "referenceId": "b", "body": {"Name": "y"}},
    ]});
    client.post("/services/data/v48.0/composite", &old);
    assert_eq!(names(&org)[4..], ["x", "y"], "no collation by default in 48.0");
    let headed = |reference: &str, name: &str| {
        let mut request = create("Account", reference, json!({"Name": name}));
        request["httpHeaders"] = json!({"Sforce-Auto-Assign": "FALSE"});
        request
    };
    client.post(&data("/composite"), &json!({"compositeRequest": [headed("a", "p"), headed("b", "q")]}));
    assert_eq!(names(&org)[6..], ["p", "q"], "headers of its own keep a request out of it");
}

#[test]
fn what_is_wrong_with_one_request_may_refuse_all() {
    let (org, client) = org();
    let good = || create("Account", "good", json!({"Name": "A"}));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut second = create("Account", "second", json!({"Name": "B"}));
        change(&mut second);
        code(&send(&client, false, &[good(), second]))
    };
    let parser = refused(400, "JSON_PARSER_ERROR");
    for header in ["Accept", "authorization", "CONTENT-TYPE"] {
        assert_eq!(with(&|sub| sub["httpHeaders"] = json!({header: "x"})), parser, "{header}");
    }
    for (member, value) in [
        ("httpHeaders", json!("x")),
        ("httpHeaders", json!({"If-Match": 1})),
        ("method", json!("post")),
        ("method", json!("HEAD")),
        ("method", Value::Null),
        ("url", json!("/sobjects/Account")),
        ("url", json!("v63.0/sobjects/Account")),
        ("url", json!("https://example.com/services/data/v63.0/sobjects/Account")),
        ("referenceId", Value::Null),
        ("referenceId", json!("_a")),
        ("referenceId", json!("a-b")),
        ("referenceId", json!("a.b")),
    ] {
        assert_eq!(with(&|sub| sub[member] = value.clone()), parser, "{member}: {value}");
    }
    assert_eq!(with(&|sub| sub["referenceId"] = json!("good")), refused(400, "INVALID_INPUT"));
    assert_eq!(code(&send(&client, false, &[])), refused(400, "INVALID_INPUT"));
    let many =
        |count: usize| -> Vec<Value> { (0..count).map(|n| create("Thing__c", &format!("r{n}"), json!({}))).collect() };
    assert_eq!(code(&send(&client, false, &many(26))), refused(400, "LIMIT_EXCEEDED"));
    assert_eq!(code(&client.post(&data("/composite"), &json!({"compositeRequest": 1}))), parser);
    assert_eq!(code(&client.post(&data("/composite"), &json!({"allOrNone": 1, "compositeRequest": []}))), parser);
    assert_eq!((org.count("Account"), org.count("Thing__c")), (0, 0));
    assert_eq!(outcomes(&send(&client, false, &many(25))), vec![ok(201); 25]);
    let text = "Provided referenceId ('a-b') must start with a letter or a number, and it can contain only letters, numbers \
                and underscores ('_').";
    let named = error(&send(&client, false, &[create("Account", "a-b", json!({"Name": "A"}))]));
    assert_eq!(named, (400, "JSON_PARSER_ERROR".to_owned(), text.to_owned()));
}

#[test]
fn before_52_a_bad_reference_id_fails_its_users_and_a_null_field_too() {
    let (org, client) = org();
    let contact = org.insert("Contact", json!({"LastName": "Wong"}));
    let run = |version: u32, reference: &str, user: &str| {
        let base = format!("/services/data/v{version}.0");
        let body = json!({"collateSubrequests": false, "compositeRequest": [
            {"method": "GET", "url": format!("{base}/sobjects/Contact/{contact}"), "referenceId": reference},
            {"method": "POST", "url": format!("{base}/sobjects/Contact"), "referenceId": "new",
             "body": {"LastName": "x", "FirstName": user}},
        ]});
        client.post(&format!("{base}/composite"), &body)
    };
    assert_eq!(outcomes(&run(51, "row[1]", "@{row[1].LastName}")), [ok(200), halted()]);
    assert_eq!(code(&run(52, "row[1]", "@{row[1].LastName}")), refused(400, "JSON_PARSER_ERROR"));
    assert_eq!(outcomes(&run(51, "row", "@{row.FirstName}")), [ok(200), halted()]);
    assert_eq!(outcomes(&run(52, "row", "@{row.FirstName}")), [ok(200), ok(201)]);
    assert_eq!(outcomes(&run(63, "row", "@{row.Nope}")), [ok(200), halted()]);
    let odd = ["@{row.MailingAddress}", "@{}", "@{row", "@{row.}", "@{row[0}", "@{row[x].a}", "@{row.LastName.x}"];
    for text in odd {
        let answer = run(63, "row", text);
        let expected = if text == "@{row" { ok(201) } else { halted() };
        assert_eq!(outcomes(&answer), [ok(200), expected], "{text}");
    }
}

#[test]
fn inside_a_composite_every_rule_of_the_org_applies() {
    let (org, client) = org();
    org.add_field("Account", crate::testing::org::FieldSpec::text("Secret__c", 10));
    org.lock_field("Account", "Secret__c");
    let answer = send(
        &client,
        false,
        &[
            create("Account", "locked", json!({"Name": "A", "Secret__c": "x"})),
            create("Nothing__c", "unknown", json!({})),
            sub("GET", "/limits", "limits", Value::Null),
            sub("GET", "/sobjects/Account/describe", "describe", Value::Null),
            sub("PUT", "/sobjects/Account", "method", json!({})),
            sub("POST", "/composite", "nested", json!({})),
            sub("GET", "/sobjects/Account/001000000000000AAA", "missing", Value::Null),
            json!({"method": "GET", "url": "/services/data/v20.0/limits", "referenceId": "retired"}),
        ],
    );
    let expected = [
        (400, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        (404, "NOT_FOUND"),
        (200, ""),
        (200, ""),
        (405, "METHOD_NOT_ALLOWED"),
        (404, "NOT_FOUND"),
        (404, "NOT_FOUND"),
        (410, "GONE"),
    ];
    assert_eq!(outcomes(&answer), expected.map(|(status, code)| (status, code.to_owned())));
    let described = part(&answer, 3);
    assert!(described["httpHeaders"]["ETag"].is_string() && described["httpHeaders"]["Last-Modified"].is_string());
}

#[test]
fn conditions_and_pages_work_inside() {
    let (org, client) = org();
    for number in 0..2001 {
        org.insert("Thing__c", json!({"Key__c": number.to_string()}));
    }
    let account = org.insert("Account", json!({"Name": "A"}));
    let row = data(&format!("/sobjects/Account/{account}"));
    let past = "Thu, 01 Jan 1970 00:00:00 GMT";
    let answer = send(
        &client,
        false,
        &[
            json!({"method": "PATCH", "url": row, "referenceId": "stale", "body": {"Name": "B"},
                   "httpHeaders": {"If-Unmodified-Since": past}}),
            json!({"method": "DELETE", "url": row, "referenceId": "deleted", "httpHeaders": {"If-Unmodified-Since": past}}),
            sub("GET", "/query?q=SELECT+Id+FROM+Thing__c", "page", Value::Null),
        ],
    );
    assert_eq!(outcomes(&answer), [(412, "MATCH_PRECONDITION_FAILED".to_owned()), ok(204), ok(200)]);
    let next = part(&answer, 2)["body"]["nextRecordsUrl"].clone();
    let more = send(&client, false, &[json!({"method": "GET", "url": next, "referenceId": "more"})]);
    assert_eq!(part(&more, 0)["body"]["records"].as_array().unwrap().len(), 1);
}

#[test]
fn the_resources_below_are_listed_and_older_versions_have_none() {
    let (_org, client) = org();
    let listed = client.get(&data("/composite/")).json();
    assert_eq!(listed["batch"], json!(data("/composite/batch")));
    let at = |version: u32, path: &str| client.post(&format!("/services/data/v{version}.0{path}"), &json!({})).status;
    assert_eq!((at(37, "/composite"), at(38, "/composite")), (404, 400));
    assert_eq!((at(33, "/composite/batch"), at(34, "/composite/batch")), (404, 400));
    assert_eq!((at(49, "/composite/graph"), at(50, "/composite/graph")), (404, 400));
    assert_eq!(client.get(&data("/composite/batch")).status, 405);
}

#[test]
fn a_body_cut_anywhere_is_refused_and_writes_nothing() {
    let (org, client) = org();
    let node = create("Account", "a", json!({"Name": "@{x[0].y}"}));
    let tree = json!({"attributes": {"type": "Account", "referenceId": "r"}, "Name": "A", "Contacts": {"records": []}});
    let batch = json!({"method": "POST", "url": "v63.0/sobjects/Account", "richInput": {"Name": "A"}});
    for (path, body) in [
        ("/composite", json!({"compositeRequest": [node]})),
        ("/composite/graph", json!({"graphs": [{"graphId": "g", "compositeRequest": [node]}]})),
        ("/composite/tree/Account", json!({"records": [tree]})),
        ("/composite/batch", json!({"batchRequests": [batch]})),
    ] {
        let text = body.to_string();
        for end in 0..text.len() {
            let headers = [("Content-Type", "application/json")];
            let answer = client.send("POST", &data(path), &headers, &text[..end]).unwrap();
            assert_eq!(answer.status, 400, "{path}: {}", &text[..end]);
        }
    }
    assert_eq!(org.count("Account"), 0);
}

#[test]
fn a_file_goes_in_and_does_not_come_out() {
    let (_org, client) = org();
    let file = json!({"Title": "T", "PathOnClient": "t.txt", "VersionData": "aGk="});
    let blob = sub("GET", "/sobjects/ContentVersion/@{file.id}/VersionData", "blob", Value::Null);
    let answer = send(&client, false, &[create("ContentVersion", "file", file), blob]);
    assert_eq!(outcomes(&answer), [ok(201), (404, "NOT_FOUND".to_owned())]);
    let id = part(&answer, 0)["body"]["id"].as_str().unwrap().to_owned();
    assert_eq!(client.get(&data(&format!("/sobjects/ContentVersion/{id}/VersionData"))).body, "hi");
}
