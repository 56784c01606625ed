//! Files: as JSON, as multipart messages, and back.

use base64::Engine as _;
use serde_json::{Value, json};

use super::{Answer, Client, MockOrg, code, data, org, refused};

fn encoded(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn every_byte() -> Vec<u8> {
    (0..=255).chain(*b"\r\n--cut\r\n--cut--\r\n\r\n").collect()
}

/// A multipart message of an entity part and a binary part, as the REST guide shows it.
fn message(entity: &Value, field: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--boundary_string\r\nContent-Disposition: form-data; name=\"entity_content\";\r\nContent-Type: application/json\r\n\r\n\
         {entity}\r\n--boundary_string\r\nContent-Type: application/octet-stream\r\nContent-Disposition: form-data; \
         name=\"{field}\"; filename=\"a.bin\"\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n--boundary_string--"].concat()
}

fn upload(client: &Client, body: &[u8]) -> Answer {
    let kind = [("Content-Type", "multipart/form-data; boundary=\"boundary_string\"")];
    client.send_bytes("POST", &data("/sobjects/ContentVersion/"), &kind, body).unwrap()
}

fn id_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn one(client: &Client, soql: &str) -> Value {
    let answer = client.query(soql);
    assert_eq!(answer.json()["totalSize"], 1, "{soql}: {}", answer.body);
    answer.json()["records"][0].clone()
}

#[test]
fn a_file_goes_in_as_json_and_comes_back_as_bytes() {
    let (org, client) = org();
    let bytes = every_byte();
    let body = json!({"PathOnClient": "dir/Report 1.pdf", "VersionData": encoded(&bytes)});
    let id = id_of(&client.post(&data("/sobjects/ContentVersion"), &body));
    let url = data(&format!("/sobjects/ContentVersion/{id}/VersionData"));
    let answer = client.get(&url);
    assert_eq!((answer.status, answer.bytes), (200, bytes.clone()));
    assert_eq!(org.file(&id), Some(bytes));
    let version = client.get(&data(&format!("/sobjects/ContentVersion/{id}"))).json();
    for (field, value) in [
        ("Title", json!("Report 1")),
        ("FileExtension", json!("pdf")),
        ("FileType", json!("PDF")),
        ("ContentSize", json!(276)),
        ("VersionNumber", json!("1")),
        ("IsLatest", json!(true)),
        ("VersionData", json!(url)),
    ] {
        assert_eq!(version[field], value, "{field}");
    }
    let queried =
        one(&client, &format!("SELECT VersionData, ContentDocument.Title FROM ContentVersion WHERE Id = '{id}'"));
    assert_eq!((&queried["VersionData"], &queried["ContentDocument"]["Title"]), (&json!(url), &json!("Report 1")));
    let field = client.patch(&data(&format!("/sobjects/ContentVersion/{id}")), &json!({"VersionData": "AAAA"}));
    assert_eq!(code(&field), refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE"), "another content is another version");
}

#[test]
fn a_multipart_message_makes_version_document_and_links() {
    let (org, client) = org();
    let thing = org.insert("Thing__c", json!({"Key__c": "k"}));
    let bytes = every_byte();
    let entity = json!({"Title": "T", "PathOnClient": "a.bin", "FirstPublishLocationId": thing});
    let id = id_of(&upload(&client, &message(&entity, "VersionData", &bytes)));
    assert_eq!(org.file(&id), Some(bytes));
    let version = one(&client, &format!("SELECT ContentDocumentId, Title FROM ContentVersion WHERE Id = '{id}'"));
    let document = version["ContentDocumentId"].as_str().unwrap();
    let head = one(
        &client,
        &format!("SELECT Title, LatestPublishedVersionId, ContentSize FROM ContentDocument WHERE Id = '{document}'"),
    );
    assert_eq!(
        (&head["Title"], &head["LatestPublishedVersionId"], &head["ContentSize"]),
        (&json!("T"), &json!(id), &json!(276))
    );
    let links = client.query(&format!(
        "SELECT LinkedEntityId, ShareType FROM ContentDocumentLink WHERE ContentDocumentId = '{document}'"
    ));
    let links = links.json()["records"].clone();
    assert_eq!((&links[0]["LinkedEntityId"], &links[0]["ShareType"]), (&json!(org.user_id()), &json!("I")));
    assert_eq!((&links[1]["LinkedEntityId"], &links[2]), (&json!(thing), &Value::Null));
}

#[test]
fn a_second_version_is_the_latest_of_its_document() {
    let (_org, client) = org();
    let first = id_of(&upload(&client, &message(&json!({"PathOnClient": "a.txt"}), "VersionData", b"one")));
    let version = one(&client, &format!("SELECT ContentDocumentId FROM ContentVersion WHERE Id = '{first}'"));
    let document = version["ContentDocumentId"].as_str().unwrap().to_owned();
    let entity = json!({"PathOnClient": "b.txt", "ContentDocumentId": document, "ReasonForChange": "new"});
    let second = id_of(&upload(&client, &message(&entity, "VersionData", b"two, longer")));
    let latest = one(
        &client,
        &format!(
            "SELECT Id, VersionNumber FROM ContentVersion WHERE ContentDocumentId = '{document}' AND IsLatest = true"
        ),
    );
    assert_eq!((&latest["Id"], &latest["VersionNumber"]), (&json!(second), &json!("2")));
    let head = one(
        &client,
        &format!("SELECT Title, ContentSize, LatestPublishedVersionId FROM ContentDocument WHERE Id = '{document}'"),
    );
    assert_eq!(
        (&head["Title"], &head["ContentSize"], &head["LatestPublishedVersionId"]),
        (&json!("b"), &json!(11), &json!(second))
    );
    assert_eq!(
        client.get(&data(&format!("/sobjects/ContentVersion/{first}/VersionData"))).body,
        "one",
        "the old one is kept"
    );
    assert_eq!(client.delete(&data(&format!("/sobjects/ContentDocument/{document}"))).status, 204);
    let gone = client.get(&data(&format!("/sobjects/ContentVersion/{first}/VersionData")));
    assert_eq!(code(&gone), refused(404, "ENTITY_IS_DELETED"), "versions go with their document");
}

#[test]
fn a_document_is_linked_once_to_each_record_and_links_are_asked_by_id() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "A"}));
    let id = id_of(&upload(&client, &message(&json!({"PathOnClient": "a"}), "VersionData", b"")));
    let version = one(
        &client,
        &format!("SELECT ContentDocumentId, FileExtension, ContentSize FROM ContentVersion WHERE Id = '{id}'"),
    );
    assert_eq!((&version["FileExtension"], &version["ContentSize"]), (&Value::Null, &json!(0)));
    let link = json!({"ContentDocumentId": version["ContentDocumentId"], "LinkedEntityId": account, "ShareType": "V"});
    assert_eq!(client.post(&data("/sobjects/ContentDocumentLink"), &link).status, 201);
    assert_eq!(code(&client.post(&data("/sobjects/ContentDocumentLink"), &link)), refused(400, "DUPLICATE_VALUE"));
    let files = client.query("SELECT (SELECT ContentDocument.Title FROM ContentDocumentLinks) FROM Account").json();
    assert_eq!(files["records"][0]["ContentDocumentLinks"]["records"][0]["ContentDocument"]["Title"], "a");
    for filter in ["", " WHERE ShareType = 'V'", &format!(" WHERE ShareType = 'V' OR LinkedEntityId = '{account}'")] {
        let soql = format!("SELECT Id FROM ContentDocumentLink{filter}");
        assert_eq!(code(&client.query(&soql)), refused(400, "MALFORMED_QUERY"), "{soql}");
    }
    one(
        &client,
        &format!("SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId IN ('{account}') AND ShareType = 'V'"),
    );
}

#[test]
fn messages_that_do_not_hold_together_are_refused_and_leave_nothing() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    let entity = json!({"PathOnClient": "a.bin"});
    let whole = message(&entity, "VersionData", b"content");
    for cut in 0..whole.len() {
        let answer = upload(&client, &whole[..cut]);
        assert_eq!(answer.status, 400, "{cut}: {}", answer.body);
    }
    assert_eq!(code(&upload(&client, &message(&entity, "Body", b"x"))), refused(400, "INVALID_MULTIPART_REQUEST"));
    assert_eq!(code(&upload(&client, &message(&json!([1]), "VersionData", b"x"))), refused(400, "JSON_PARSER_ERROR"));
    assert_eq!(
        code(&upload(&client, &message(&json!({}), "VersionData", b"x"))),
        refused(400, "REQUIRED_FIELD_MISSING")
    );
    assert_eq!(
        code(&upload(&client, &message(&json!({"Nope": 1}), "VersionData", b"x"))),
        refused(400, "INVALID_FIELD")
    );
    let post = |body: &Value| code(&client.post(&data("/sobjects/ContentVersion"), body));
    assert_eq!(post(&entity), refused(400, "REQUIRED_FIELD_MISSING"), "bytes of a refused message are not kept");
    assert_eq!(post(&json!({"PathOnClient": "a", "VersionData": "no base64!"})), refused(400, "JSON_PARSER_ERROR"));
    let kind = [("Content-Type", "multipart/form-data")];
    let without = client.send_bytes("POST", &data("/sobjects/ContentVersion"), &kind, &whole).unwrap();
    assert_eq!(code(&without), refused(400, "INVALID_MULTIPART_REQUEST"));
    let kind = [("Content-Type", "multipart/form-data; boundary=boundary_string")];
    let account = client.send_bytes("POST", &data("/sobjects/Account"), &kind, &whole).unwrap();
    assert_eq!(code(&account), refused(400, "INVALID_MULTIPART_REQUEST"));
    assert_eq!((org.count("ContentVersion"), org.count("ContentDocument")), (0, 0));
}

#[test]
fn uploads_have_the_documented_limits() {
    let org = MockOrg::start();
    let client = Client::of(&org);
    org.set_upload_limits(1_000, 2_000);
    let post = |size: usize| {
        let body = json!({"PathOnClient": "a", "VersionData": encoded(&vec![7; size])});
        client.post(&data("/sobjects/ContentVersion"), &body)
    };
    assert_eq!((post(700).status, code(&post(800))), (201, refused(400, "EXCEEDED_MAX_SIZE_REQUEST")));
    let send = |size: usize| upload(&client, &message(&json!({"PathOnClient": "a"}), "VersionData", &vec![7; size]));
    assert_eq!((send(2_000).status, code(&send(2_001))), (201, refused(400, "FILE_SIZE_LIMIT_EXCEEDED")));
}

#[test]
fn only_fields_of_bytes_have_a_content() {
    let (org, client) = org();
    let account = org.insert("Account", json!({"Name": "A"}));
    let path = |object: &str, id: &str, field: &str| data(&format!("/sobjects/{object}/{id}/{field}"));
    assert_eq!(code(&client.get(&path("Account", &account, "Name"))), refused(404, "NOT_FOUND"));
    assert_eq!(code(&client.get(&path("ContentVersion", "068Mk0000000001", "VersionData"))), refused(404, "NOT_FOUND"));
    assert_eq!(code(&client.get(&path("ContentVersion", &account, "VersionData"))), refused(400, "MALFORMED_ID"));
    let large = vec![0x5a; 3 << 20];
    let id = id_of(&upload(&client, &message(&json!({"PathOnClient": "a"}), "VersionData", &large)));
    assert_eq!(client.get(&path("ContentVersion", &id, "VersionData")).bytes, large);
}
