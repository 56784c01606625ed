//! Row locks on the parents of rows in flight.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, MockOrg, data, org, row_codes, typed};

/// Sends two collections at once and gives the codes of their rows.
fn race(org: &MockOrg, first: &[Value], second: &[Value]) -> [Vec<String>; 2] {
    let send = |records: &[Value]| {
        let (client, body) = (Client::of(org), json!({"allOrNone": false, "records": records}));
        std::thread::spawn(move || row_codes(&client.post(&data("/composite/sobjects"), &body)))
    };
    let (one, two) = (send(first), send(second));
    [one.join().unwrap(), two.join().unwrap()]
}

fn thing(account: &str) -> Value {
    typed("Thing__c", json!({"Name": "T", "Account__c": account}))
}

#[test]
fn rows_of_one_parent_in_flight_together_collide() {
    let (org, _) = org();
    let [a, b] = ["A", "B"].map(|name| org.insert("Account", json!({"Name": name})));
    org.set_latency(Duration::from_millis(150));
    race(&org, &[thing(&a), thing(&a)], &[thing(&b)]);
    assert_eq!(org.parent_collisions(), 0, "rows of one request do not meet, nor those of two parents");
    let codes = race(&org, &[thing(&a)], &[thing(&a), thing(&b)]);
    assert_eq!(codes.concat(), ["", "", ""], "only counted");
    assert_eq!(org.parent_collisions(), 1);
    org.lock_parents();
    let codes = race(&org, &[thing(&a)], &[thing(&a)]).concat();
    assert_eq!(codes.iter().filter(|code| *code == "UNABLE_TO_LOCK_ROW").count(), 1, "{codes:?}");
    assert_eq!(org.count("Thing__c"), 7);
    assert_eq!(race(&org, &[thing(&a)], &[thing(&b)]).concat(), ["", ""], "the locks are gone with the answers");
}

#[test]
fn a_parent_being_written_is_locked_too() {
    let (org, _) = org();
    let account = org.insert("Account", json!({"Name": "A"}));
    org.set_latency(Duration::from_millis(150));
    let (client, path) = (Client::of(&org), data(&format!("/sobjects/Account/{account}")));
    let update = std::thread::spawn(move || client.patch(&path, &json!({"Name": "B"})).status);
    let codes = race(&org, &[thing(&account)], &[]);
    assert_eq!((update.join().unwrap(), codes[0].len()), (204, 1));
    assert_eq!(org.parent_collisions(), 1);
}
