//! gzip both ways.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::super::super::Operation;
use super::*;

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Head and body of the answer to a request for gzip.
fn send(org: &MockOrg, client: &Client, request: &str, body: &[u8]) -> (String, Vec<u8>) {
    let token = org.access_token();
    let (line, headers) = request.split_once('\n').unwrap_or((request, ""));
    let mut bytes =
        format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n").into_bytes();
    write!(bytes, "Accept-Encoding: gzip, deflate\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).unwrap();
    bytes.extend(body);
    let answer = client.raw_bytes(&bytes).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8(answer[..end].to_vec()).unwrap().to_ascii_lowercase(), answer[end + 4..].to_vec())
}

fn unpacked(bytes: &[u8]) -> std::io::Result<String> {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn answers_are_compressed_for_who_asks() {
    let (org, client) = accounts(3);
    let job = ask(&client, "SELECT Name FROM Account ORDER BY Name");
    wait(&client, &job);
    let results = format!("GET {}", data(&format!("/jobs/query/{job}/results")));
    let (head, body) = send(&org, &client, &results, b"");
    assert!(
        head.contains("content-encoding: gzip") && head.contains(&format!("content-length: {}", body.len())),
        "{head}"
    );
    assert_eq!(unpacked(&body).unwrap(), "\"Name\"\n\"A00\"\n\"A01\"\n\"A02\"\n");
    let (_, body) = send(&org, &client, &format!("GET {}", data("/limits")), b"");
    assert!(unpacked(&body).unwrap().starts_with("{\"Analytics"), "JSON too");
    org.set_gzip(false);
    let (head, body) = send(&org, &client, &results, b"");
    assert!(!head.contains("content-encoding") && body.starts_with(b"\"Name\"\n"));
}

#[test]
fn a_compressed_answer_is_cut_within_what_is_sent() {
    let (org, client) = accounts(3);
    let job = ask(&client, "SELECT Name FROM Account ORDER BY Name");
    wait(&client, &job);
    let results = format!("GET {}", data(&format!("/jobs/query/{job}/results")));
    let whole = send(&org, &client, &results, b"").1.len();
    for bytes in [0, 1, 10, 24] {
        org.faults().on(Operation::QueryJobResults).truncate(bytes).once();
        let (head, body) = send(&org, &client, &results, b"");
        assert!(head.contains(&format!("content-length: {whole}")) && body.len() < whole, "{bytes}: {head}");
        assert!(unpacked(&body).is_err());
    }
}

#[test]
fn requests_may_be_compressed() {
    let (org, client) = org();
    let job = create(&client, &things("insert"));
    let csv = format!("Key__c\n{}", "same\n".repeat(300));
    let body = packed(&csv);
    let put = format!(
        "PUT {}\nContent-Type: text/csv\r\nContent-Encoding: gzip\r\n",
        data(&format!("/jobs/ingest/{job}/batches"))
    );
    assert!(send(&org, &client, &put, &body).0.starts_with("http/1.1 201"));
    assert_eq!(org.requests().pop().unwrap().body_bytes, body.len(), "as it came");
    state(&client, &job, "UploadComplete");
    assert_eq!(finish(&client, &job)["numberRecordsProcessed"], 300);
    let post =
        format!("POST {}\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n", data("/sobjects/Account"));
    assert!(send(&org, &client, &post, &packed("{\"Name\":\"A\"}")).0.starts_with("http/1.1 201"));
    assert!(send(&org, &client, &post, &packed("{\"Name\":\"A\"}")[..15]).0.starts_with("http/1.1 400"));
    assert_eq!(org.count("Account"), 1);
}
