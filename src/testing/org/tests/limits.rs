//! Limits, counts, and what happens at them.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::Operation;
use super::recorded::{assert_same_shape, recording};
use super::{Client, MockOrg, code, data, error, org, refused};

fn counts(client: &Client, names: &str) -> Value {
    client.get(&data(&format!("/limits/recordCount?sObjects={names}"))).json()["sObjects"].clone()
}

#[test]
fn limits_have_the_recorded_keys_and_count_what_the_org_does() {
    let (org, client) = org();
    let before = client.get(&data("/limits")).json();
    if let Some(recorded) = recording("rest/limits-v60.json") {
        assert_same_shape("limits", &recorded[0]["body"], &before, &[], &[]);
    }
    let used = |key: &str, body: &Value| body[key]["Max"].as_u64().unwrap() - body[key]["Remaining"].as_u64().unwrap();
    assert_eq!(used("DailyApiRequests", &before), org.api_calls());
    let set = json!({"Name": "Mine", "Label": "Mine"});
    assert_eq!(client.post(&data("/sobjects/PermissionSet"), &set).status, 201);
    let file = json!({"PathOnClient": "a.bin", "VersionData": "A".repeat(4 << 20)});
    assert_eq!(client.post(&data("/sobjects/ContentVersion"), &file).status, 201);
    let after = client.get(&data("/limits")).json();
    for (key, more) in [
        ("DailyApiRequests", 3),
        ("PermissionSets", 1),
        ("MaxContentDocumentsLimit", 1),
        ("FileStorageMB", 3),
        ("SingleEmail", 0),
    ] {
        assert_eq!(used(key, &after) - used(key, &before), more, "{key}");
    }
}

#[test]
fn record_counts_leave_out_what_has_no_rows_and_may_be_old() {
    let (org, client) = org();
    assert_eq!(counts(&client, "Account,Nope__c"), json!([]));
    let task = org.insert("Task", json!({"Subject": "a"}));
    let account = org.insert("Account", json!({"Name": "A"}));
    org.insert("Account", json!({"Name": "B"}));
    assert_eq!(
        counts(&client, "account,Task,Contact"),
        json!([{"count": 2, "name": "Account"}, {"count": 1, "name": "Task"}])
    );
    if let Some(recorded) = recording("rest/collections-upsert-and-recordcount.json") {
        let recorded = recorded
            .as_array()
            .unwrap()
            .iter()
            .find(|exchange| exchange["request"]["uri"].as_str().unwrap().contains("recordCount?sObjects=Account"));
        assert_same_shape("count", &recorded.unwrap()["body"]["sObjects"][0], &counts(&client, "Account")[0], &[], &[]);
    }
    client.delete(&data(&format!("/sobjects/Account/{account}")));
    org.archive(&task);
    assert_eq!(counts(&client, "Account,Task"), json!([{"count": 1, "name": "Account"}]), "neither bin nor archive");
    org.freeze_record_counts(true);
    org.insert("Account", json!({"Name": "C"}));
    assert_eq!(counts(&client, "Account"), json!([{"count": 1, "name": "Account"}]), "a snapshot");
    org.freeze_record_counts(false);
    assert_eq!(counts(&client, "Account"), json!([{"count": 2, "name": "Account"}]));
    let old = client.get("/services/data/v39.0/limits/recordCount?sObjects=Account");
    assert_eq!(code(&old), refused(404, "NOT_FOUND"));
}

#[test]
fn the_daily_limit_refuses_until_calls_are_a_day_old() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.set_daily_limit(2);
    assert_eq!(client.get(&data("")).header("sforce-limit-info"), Some("api-usage=1/2"));
    assert_eq!(client.get(&data("")).status, 200);
    let over = client.get(&data(""));
    let text = "TotalRequests Limit exceeded.".to_owned();
    assert_eq!(error(&over), (403, "REQUEST_LIMIT_EXCEEDED".to_owned(), text));
    assert_eq!((over.header("sforce-limit-info"), over.header("retry-after")), (Some("api-usage=2/2"), None));
    org.faults().on(Operation::Limits).daily_limit().once();
    let scripted = client.get(&data("/limits"));
    assert_eq!(scripted.body, over.body);
    org.advance(Duration::from_hours(25));
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &org.client_id()),
        ("client_secret", &org.client_secret()),
    ];
    let body = client.with_authorization(None).form("/services/oauth2/token", &fields).json();
    let client = client.with_authorization(Some(&format!("Bearer {}", body["access_token"].as_str().unwrap())));
    assert_eq!(client.get(&data("")).status, 200);
}

#[test]
fn the_usage_header_can_be_blurred_and_never_says_more_than_is_true() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let usage = || -> u64 {
        let answer = client.get(&data(""));
        let text = answer.header("sforce-limit-info").unwrap();
        text.strip_prefix("api-usage=").unwrap().split_once('/').unwrap().0.parse().unwrap()
    };
    for _ in 0..20 {
        usage();
    }
    org.blur_limit_info(Some(7));
    let told: Vec<u64> = (0..20).map(|_| usage()).collect();
    assert!(told.windows(2).any(|pair| pair[1] < pair[0]), "{told:?}");
    for (call, told) in told.iter().enumerate() {
        let made = 21 + call as u64;
        assert!((made - 6..=made).contains(told), "{told} of {made}");
    }
    org.blur_limit_info(None);
    assert_eq!(usage(), 41);
    org.set_app_quota("sample", 250);
    let told = client.get(&data("")).header("sforce-limit-info").map(str::to_owned);
    assert_eq!(told.as_deref(), Some("api-usage=42/15000; per-app-api-usage=42/250(appName=sample)"));
}

#[test]
fn one_request_more_than_may_run_at_once_is_refused() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.set_concurrent_limit(Some(2));
    assert!((0..5).all(|_| client.get(&data("")).status == 200), "one after the other");
    // Two that are never answered run until their client gives up.
    org.faults().on(Operation::Limits).apply_then_time_out().times(2);
    std::thread::scope(|scope| {
        let held: Vec<_> =
            (0..2).map(|_| scope.spawn(|| client.send("GET", &data("/limits"), &[], "").is_err())).collect();
        while org.calls(Operation::Limits) < 2 {
            std::thread::yield_now();
        }
        let third = client.get(&data(""));
        let text = "ConcurrentPerOrgLongTxn Limit exceeded.".to_owned();
        assert_eq!(error(&third), (403, "REQUEST_LIMIT_EXCEEDED".to_owned(), text));
        assert_eq!(client.get("/services/data").status, 200, "what needs no session is not counted");
        org.set_concurrent_limit(Some(3));
        assert_eq!(client.get(&data("")).status, 200);
        assert!(held.into_iter().all(|thread| thread.join().unwrap()));
    });
    org.set_concurrent_limit(Some(1));
    let answers = || client.get(&data("")).status == 200;
    // The org notices a client that is gone a moment later.
    while !answers() {
        std::thread::yield_now();
    }
    org.faults().on(Operation::Resources).concurrent_limit().once();
    assert_eq!(code(&client.get(&data(""))), refused(403, "REQUEST_LIMIT_EXCEEDED"));
}

#[test]
fn an_address_and_its_headers_have_16_384_bytes() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let address = |length: usize| {
        let path = data("/query?q=");
        format!("{path}{}", "x".repeat(length - path.len()))
    };
    let calls = org.api_calls();
    assert_eq!(client.get(&address(16_385)).status, 414);
    assert_eq!(client.get(&address(16_384)).status, 431, "with its headers it is longer");
    assert_eq!(client.send("GET", &data(""), &[("X-Long", &"x".repeat(16_400))], "").unwrap().status, 431);
    assert_eq!(code(&client.get(&address(15_000))), refused(400, "MALFORMED_QUERY"));
    assert_eq!(org.api_calls() - calls, 1);
}
