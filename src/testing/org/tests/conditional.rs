//! Conditional requests, and headers that are only taken note of.

use serde_json::json;

use super::{Answer, Client, code, data, org, refused};

const PAST: &str = "Thu, 01 Jan 1970 00:00:00 GMT";
const FUTURE: &str = "Fri, 01 Jan 2100 00:00:00 GMT";

fn get(client: &Client, path: &str, name: &str, value: &str) -> Answer {
    client.send("GET", path, &[(name, value)], "").unwrap()
}

#[test]
fn dates_condition_reads_of_rows_and_describes() {
    let (org, client) = org();
    let (account, contact) =
        (org.insert("Account", json!({"Name": "A"})), org.insert("Contact", json!({"LastName": "C"})));
    for path in [
        data(&format!("/sobjects/Account/{account}")),
        data(&format!("/sobjects/Contact/{contact}")),
        data("/sobjects/Account/describe"),
        data("/sobjects"),
    ] {
        let modified = client.get(&path).header("last-modified").unwrap().to_owned();
        let unmodified = get(&client, &path, "If-Modified-Since", &modified);
        assert_eq!((unmodified.status, unmodified.body.as_str()), (304, ""), "{path}");
        assert_eq!(unmodified.header("last-modified"), Some(modified.as_str()), "{path}");
        assert_eq!(get(&client, &path, "If-Modified-Since", PAST).status, 200, "{path}");
        assert_eq!(get(&client, &path, "If-Unmodified-Since", &modified).status, 200, "{path}");
        assert_eq!(code(&get(&client, &path, "If-Unmodified-Since", PAST)), refused(412, "MATCH_PRECONDITION_FAILED"));
        assert_eq!(get(&client, &path, "If-Modified-Since", "yesterday").status, 400, "{path}");
    }
}

#[test]
fn entity_tags_condition_rows_of_account_only() {
    let (org, client) = org();
    let account = data(&format!("/sobjects/Account/{}", org.insert("Account", json!({"Name": "A"}))));
    let contact = data(&format!("/sobjects/Contact/{}", org.insert("Contact", json!({"LastName": "C"}))));
    let tag = client.get(&account).header("etag").unwrap().to_owned();
    let zipped = format!("{}-gzip\"", tag.trim_end_matches('"'));
    assert_eq!(get(&client, &account, "If-None-Match", &format!("\"other\", {zipped}")).status, 304);
    assert_eq!(get(&client, &account, "If-None-Match", "\"other\"").status, 200);
    assert_eq!(get(&client, &account, "If-Match", &tag).status, 200);
    assert_eq!(get(&client, &account, "If-Match", "\"other\"").status, 412);
    let write = |path: &str, name: &str, value: &str, body: &str| {
        client.send("PATCH", path, &[(name, value), ("Content-Type", "application/json")], body).unwrap().status
    };
    let (name, last_name) = (r#"{"Name":"B"}"#, r#"{"LastName":"B"}"#);
    assert_eq!(write(&account, "If-Match", "not in quotes", name), 400);
    assert_eq!(write(&account, "If-None-Match", &tag, name), 412);
    assert_eq!(write(&account, "If-Match", &tag, name), 204);
    assert_eq!(write(&account, "If-Match", &tag, name), 412, "another state, another tag");
    for header in ["If-Match", "If-None-Match"] {
        assert_eq!(write(&contact, header, "\"other\"", last_name), 204);
        assert_eq!(get(&client, &contact, header, "\"other\"").status, 200);
        let describe = data("/sobjects/Account/describe");
        let tag = client.get(&describe).header("etag").unwrap().to_owned();
        assert_eq!(get(&client, &describe, header, &tag).status, 200, "only dates count for a describe");
    }
}

#[test]
fn a_write_is_guarded_by_date_and_a_delete_is_not() {
    let (org, client) = org();
    let path = data(&format!("/sobjects/Contact/{}", org.insert("Contact", json!({"LastName": "C"}))));
    let send = |method: &str, name: &str, value: &str| {
        let headers = [(name, value), ("Content-Type", "application/json")];
        client.send(method, &path, &headers, if method == "PATCH" { r#"{"LastName":"B"}"# } else { "" }).unwrap().status
    };
    assert_eq!(send("PATCH", "If-Unmodified-Since", PAST), 412);
    assert_eq!(send("PATCH", "If-Unmodified-Since", "never"), 400);
    assert_eq!(send("PATCH", "If-Modified-Since", FUTURE), 412);
    assert_eq!(send("PATCH", "If-Unmodified-Since", FUTURE), 204);
    org.add_field("Contact", crate::testing::org::FieldSpec::text("Key__c", 20).external_id());
    let keyed = org.insert("Contact", json!({"LastName": "K", "Key__c": "k"}));
    let by_key = data("/sobjects/Contact/Key__c/k");
    let headers = [("If-Unmodified-Since", PAST), ("Content-Type", "application/json")];
    assert_eq!(client.send("PATCH", &by_key, &headers, r#"{"LastName":"B"}"#).unwrap().status, 412);
    assert_eq!(org.record(&keyed).unwrap()["LastName"], json!("K"));
    assert_eq!(send("DELETE", "If-Unmodified-Since", PAST), 204);
}

#[test]
fn headers_that_change_nothing_are_taken_note_of() {
    let (org, client) = org();
    let sent = [
        ("sforce-auto-assign", "FALSE"),
        ("sforce-call-options", "client=sync; defaultNamespace=acme"),
        ("sforce-mru", "updateMru=true"),
        ("if-modified-since", PAST),
    ];
    let headers: Vec<(&str, &str)> = sent.into_iter().chain([("Content-Type", "application/json")]).collect();
    assert_eq!(client.send("POST", &data("/sobjects/Account"), &headers, r#"{"Name":"A"}"#).unwrap().status, 201);
    let logged = org.requests().last().unwrap().headers.clone();
    for (name, value) in sent {
        assert!(logged.contains(&(name.to_owned(), value.to_owned())), "{name}: {logged:?}");
    }
}
