//! Get-updated and get-deleted: windows in whole minutes, the delete log, and what is refused.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use serde_json::{Value, json};

use super::recorded::{assert_same_shape, recording};
use super::{Answer, Client, MockOrg, code, data, refused};

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 3600;

/// The org's present, as its clock stamps a record.
fn now(org: &MockOrg) -> DateTime<Utc> {
    let id = org.insert("Campaign", json!({"Name": "clock"}));
    let text = org.record(&id).unwrap()["CreatedDate"].as_str().unwrap().to_owned();
    DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.3f%z").unwrap().with_timezone(&Utc)
}

/// An org whose minute has just begun, so that no test runs over its end.
fn settled() -> MockOrg {
    let org = MockOrg::start();
    let second = u64::from(now(&org).second());
    org.advance(Duration::from_secs(65 - second));
    org
}

fn iso(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn floor(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:00.000+0000").to_string()
}

fn ask(client: &Client, what: &str, object: &str, start: DateTime<Utc>, end: DateTime<Utc>) -> Answer {
    client.get(&data(&format!("/sobjects/{object}/{what}/?start={}&end={}", iso(start), iso(end))))
}

fn login(org: &MockOrg) -> Client {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &org.client_id()),
        ("client_secret", &org.client_secret()),
    ];
    let client = Client::of(org);
    let body = client.with_authorization(None).form("/services/oauth2/token", &fields).json();
    client.with_authorization(Some(&format!("Bearer {}", body["access_token"].as_str().unwrap())))
}

fn ids(answer: &Answer) -> Vec<Value> {
    answer.json()["ids"].as_array().unwrap_or_else(|| panic!("{}", answer.body)).clone()
}

#[test]
fn what_was_created_or_changed_is_told_once_and_windows_that_follow_each_other_lose_nothing() {
    let org = settled();
    let client = Client::of(&org);
    let start = now(&org);
    let first = org.insert("Account", json!({"Name": "A"}));
    org.advance(Duration::from_secs(10 * MINUTE));
    let middle = now(&org);
    let second = org.insert("Account", json!({"Name": "B"}));
    assert_eq!(client.patch(&data(&format!("/sobjects/Account/{first}")), &json!({"Phone": "1"})).status, 204);
    let early = ask(&client, "updated", "Account", start, middle);
    assert_eq!(
        (ids(&early), &early.json()["latestDateCovered"]),
        (vec![], &json!(floor(middle))),
        "the minute is not over"
    );
    org.advance(Duration::from_secs(2 * MINUTE));
    let end = now(&org) + TimeDelta::hours(1);
    let next = DateTime::parse_from_str(&floor(middle), "%Y-%m-%dT%H:%M:%S%.3f%z").unwrap().with_timezone(&Utc);
    let late = ask(&client, "updated", "Account", next, end);
    assert_eq!(ids(&late), [json!(first), json!(second)], "both were stamped since");
    assert_eq!(late.json()["latestDateCovered"], floor(now(&org)), "never past the present");
    client.delete(&data(&format!("/sobjects/Account/{second}")));
    assert_eq!(ids(&ask(&client, "updated", "Account", next, end)), [json!(first)], "a deleted row is no update");
}

#[test]
fn deletes_cascade_into_the_log_and_read_as_recorded() {
    let org = settled();
    let client = Client::of(&org);
    let start = now(&org);
    let account = org.insert("Account", json!({"Name": "A"}));
    let contact = org.insert("Contact", json!({"LastName": "B", "AccountId": account}));
    org.advance(Duration::from_secs(5 * MINUTE));
    client.delete(&data(&format!("/sobjects/Account/{account}")));
    let at = now(&org);
    org.advance(Duration::from_secs(2 * MINUTE));
    let end = now(&org);
    let answer = ask(&client, "deleted", "Account", start, end);
    let body = answer.json();
    assert_eq!(body["deletedRecords"][0]["id"], json!(account));
    let stamped = body["deletedRecords"][0]["deletedDate"].as_str().unwrap();
    assert_eq!(stamped[..16], at.format("%Y-%m-%dT%H:%M").to_string());
    assert_eq!(body["latestDateCovered"], floor(end));
    assert_eq!(ask(&client, "deleted", "Contact", start, end).json()["deletedRecords"][0]["id"], json!(contact));
    if let Some(recorded) = recording("restforce-fixtures/get_deleted_success_response.json") {
        assert_same_shape("deleted", &recorded, &body, &[], &[]);
        assert_same_shape("deleted row", &recorded["deletedRecords"][0], &body["deletedRecords"][0], &[], &[]);
    }
    // A write that is rolled back has deleted nothing.
    let gone = org.insert("Account", json!({"Name": "B"}));
    let path = data(&format!("/composite/sobjects?allOrNone=true&ids={gone},{account}"));
    assert_eq!(client.delete(&path).status, 200);
    org.advance(Duration::from_secs(2 * MINUTE));
    let again = ask(&client, "deleted", "Account", start, now(&org)).json();
    assert_eq!(again["deletedRecords"].as_array().unwrap().len(), 1, "{again}");
}

#[test]
fn replication_that_lags_tells_how_far_it_is() {
    let org = settled();
    let client = Client::of(&org);
    let start = now(&org);
    org.advance(Duration::from_secs(10 * MINUTE));
    let account = org.insert("Account", json!({"Name": "A"}));
    org.advance(Duration::from_secs(2 * MINUTE));
    org.set_replication_lag(Duration::from_secs(5 * MINUTE));
    let end = now(&org);
    let answer = ask(&client, "updated", "Account", start, end);
    assert_eq!(ids(&answer), [] as [Value; 0]);
    assert_eq!(answer.json()["latestDateCovered"], floor(end - TimeDelta::minutes(5)));
    org.set_replication_lag(Duration::ZERO);
    assert_eq!(ids(&ask(&client, "updated", "Account", end - TimeDelta::minutes(5), end)), [json!(account)]);
}

#[test]
fn windows_are_bounded_in_time_and_in_ids() {
    let org = settled();
    org.advance(Duration::from_secs(60 * DAY));
    let client = login(&org);
    let end = now(&org);
    let days = |days| end - TimeDelta::days(days);
    let bad = refused(400, "INVALID_REPLICATION_DATE");
    for (what, start, until) in [
        ("updated", end, end - TimeDelta::hours(1)),
        ("updated", end, end),
        ("updated", days(31), end),
        ("deleted", days(16), end),
        ("deleted", end - TimeDelta::minutes(1), end),
    ] {
        assert_eq!(code(&ask(&client, what, "Account", start, until)), bad, "{what} {start} {until}");
    }
    assert_eq!(ask(&client, "updated", "Account", days(29), end).status, 200);
    assert_eq!(ask(&client, "updated", "Account", end - TimeDelta::minutes(1), end).status, 200);
    assert_eq!(ask(&client, "deleted", "Account", days(14), end).status, 200);
    for query in ["", "?start=2026-05-01", "?start=yesterday&end=today"] {
        assert_eq!(code(&client.get(&data(&format!("/sobjects/Account/updated{query}")))), bad, "{query}");
    }
    for n in 0..3 {
        org.insert("Account", json!({"Name": n.to_string()}));
    }
    org.advance(Duration::from_secs(2 * MINUTE));
    let all = || ask(&client, "updated", "Account", end - TimeDelta::minutes(1), now(&org));
    org.set_replication_limit(3);
    assert_eq!(ids(&all()).len(), 3);
    org.set_replication_limit(2);
    assert_eq!(code(&all()), refused(400, "EXCEEDED_ID_LIMIT"));
}

#[test]
fn what_is_not_replicateable_or_not_there_is_refused() {
    let org = settled();
    let client = Client::of(&org);
    let end = now(&org);
    let start = end - TimeDelta::hours(1);
    for what in ["updated", "deleted"] {
        let ask = |object| code(&ask(&client, what, object, start, end));
        assert_eq!(ask("PermissionSet"), refused(400, "INVALID_TYPE_FOR_OPERATION"));
        assert_eq!(ask("Nope__c"), refused(404, "NOT_FOUND"));
        let path = data(&format!("/sobjects/Account/{what}"));
        assert_eq!(client.post(&path, &json!({})).status, 405);
    }
}

#[test]
fn an_emptied_recycle_bin_and_a_full_log_make_the_start_too_early() {
    let org = settled();
    let client = Client::of(&org);
    let start = now(&org);
    let mut times = Vec::new();
    for n in 0..3 {
        org.advance(Duration::from_secs(10 * MINUTE));
        let account = org.insert("Account", json!({"Name": n.to_string()}));
        client.delete(&data(&format!("/sobjects/Account/{account}")));
        times.push((now(&org), account));
    }
    org.advance(Duration::from_secs(2 * MINUTE));
    let bad = refused(400, "INVALID_REPLICATION_DATE");
    let deleted = |client: &Client, from: DateTime<Utc>| ask(client, "deleted", "Account", from, now(&org));
    org.set_delete_log(1);
    let count = |answer: &Answer| answer.json()["deletedRecords"].as_array().unwrap().len();
    assert_eq!(count(&deleted(&client, start)), 3, "nothing is trimmed within two hours");
    org.advance(Duration::from_hours(3));
    let client = login(&org);
    assert_eq!(code(&deleted(&client, start)), bad);
    let late = deleted(&client, times[1].0 + TimeDelta::minutes(1));
    assert_eq!(count(&late), 1, "the newest entry is kept");
    assert!(late.json()["earliestDateAvailable"].as_str().unwrap() < floor(times[2].0).as_str());

    let before = now(&org);
    org.advance(Duration::from_secs(5 * MINUTE));
    org.empty_recycle_bin("Account");
    let purged = now(&org);
    org.advance(Duration::from_secs(5 * MINUTE));
    assert_eq!(code(&deleted(&client, before)), bad);
    let after = deleted(&client, purged + TimeDelta::minutes(1)).json();
    assert_eq!(
        (&after["deletedRecords"], after["earliestDateAvailable"].as_str().unwrap()[..16].to_owned()),
        (&json!([]), purged.format("%Y-%m-%dT%H:%M").to_string())
    );
    let account = &times[2].1;
    assert_eq!(code(&client.get(&data(&format!("/sobjects/Account/{account}")))), refused(404, "NOT_FOUND"));
    let bin = client.get(&data("/queryAll?q=SELECT+Id+FROM+Account+WHERE+IsDeleted=true")).json();
    assert_eq!(bin["totalSize"], 0);
}
