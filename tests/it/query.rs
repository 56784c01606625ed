//! Queries of many pages: in step with the wire, resumable, and never short.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use sforce::api::QueryCursor;
use sforce::auth::{AccessToken, StaticToken};
use sforce::testing::org::{MockOrg, Operation};
use sforce::types::soql::field;
use sforce::types::{Record, Soql};
use sforce::{Client, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::client;

const SOQL: &str = "SELECT Id, Name FROM Account ORDER BY Name NULLS FIRST, Id";

fn org(accounts: usize) -> MockOrg {
    let org = MockOrg::start();
    for number in 0..accounts {
        org.insert("Account", serde_json::json!({"Name": format!("Account {number:05}")}));
    }
    org
}

#[derive(Deserialize)]
struct Account<'a> {
    #[serde(rename = "Name", borrow)]
    name: Cow<'a, str>,
}

/// A client of a server that answers with what a test puts there.
fn client_of(url: &str) -> Client {
    let token = AccessToken::allowing_loopback("00D!token", url).expect("loopback");
    Client::builder(StaticToken::new(token)).build().expect("a client")
}

fn page(total: usize, next: Option<&str>, rows: std::ops::Range<usize>) -> serde_json::Value {
    let rows: Vec<_> = rows.map(|row| serde_json::json!({"Name": format!("{row}")})).collect();
    let mut page = serde_json::json!({"totalSize": total, "done": next.is_none(), "records": rows});
    if let Some(next) = next {
        page["nextRecordsUrl"] = format!("/services/data/v63.0/query/{next}").into();
    }
    page
}

/// A server with these pages: the first by `q`, the others by their locator.
async fn pages(first: serde_json::Value, more: &[(&str, serde_json::Value)]) -> MockServer {
    let server = MockServer::start().await;
    let answer = |page: &serde_json::Value| ResponseTemplate::new(200).set_body_json(page);
    Mock::given(path("/services/data/v63.0/query")).respond_with(answer(&first)).mount(&server).await;
    for (locator, page) in more {
        let at = format!("/services/data/v63.0/query/{locator}");
        Mock::given(path(at)).respond_with(answer(page)).mount(&server).await;
    }
    server
}

#[tokio::test]
async fn pages_of_rows_that_borrow_hold_every_row_once() {
    let org = org(4500);
    let mut pages = client(&org).query_pages(SOQL);
    let mut names = Vec::new();
    while let Some(accounts) = pages.next_page::<Account>().await.expect("answered") {
        assert!(accounts.iter().all(|account| matches!(account.name, Cow::Borrowed(_))), "nothing is copied");
        names.extend(accounts.into_iter().map(|account| account.name.into_owned()));
    }
    assert_eq!((names.len(), pages.total_size()), (4500, Some(4500)));
    assert!(names.is_sorted());
    assert!(pages.next_page::<Account>().await.expect("fused").is_none());
    assert_eq!(org.calls(Operation::Query) + org.calls(Operation::QueryMore), 3, "one call a page");
}

/// Answers one request after the other on a connection each; the rest of the first answer waits for the second request.
async fn hesitant_server(listener: TcpListener) {
    let asked = Arc::new(Notify::new());
    for number in 0..2 {
        let (stream, _) = listener.accept().await.expect("a connection");
        tokio::spawn(hesitant_answer(stream, number, Arc::clone(&asked)));
    }
}

async fn hesitant_answer(mut stream: TcpStream, number: usize, asked: Arc<Notify>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.expect("a request");
        request.push(byte);
    }
    let next = (number == 0).then_some("L-1");
    let body = page(2, next, number..number + 1);
    let (total, done) = (&body["totalSize"], &body["done"]);
    let next = next.map(|_| r#""nextRecordsUrl":"/services/data/v63.0/query/L-1","#).unwrap_or_default();
    let head = format!(r#"{{"totalSize":{total},"done":{done},{next}"records":["#);
    let rest = format!("{}]}}", body["records"][0]);
    let length = head.len() + rest.len();
    let start = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{head}");
    stream.write_all(start.as_bytes()).await.expect("sent");
    if number == 0 {
        asked.notified().await;
    } else {
        asked.notify_one();
    }
    stream.write_all(rest.as_bytes()).await.expect("sent");
}

#[tokio::test]
async fn the_next_page_is_asked_for_while_this_one_arrives() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let client = client_of(&format!("http://{}", listener.local_addr().expect("bound")));
    let server = tokio::spawn(hesitant_server(listener));
    // The first page is held back until the second one is asked for: whoever fetches one after the other never ends.
    let rows: Vec<Record> = client.query("SELECT Name FROM Account").collect().await.expect("both pages");
    assert_eq!(rows.iter().map(|row| row.text("Name")).collect::<Vec<_>>(), [Some("0"), Some("1")]);
    server.await.expect("served");
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_waits_loses_no_row() {
    let org = org(4500);
    let client = client(&org);
    let mut pages = client.query_pages(SOQL);
    let (mut rows, mut dropped) = (0, 0);
    loop {
        let page = {
            let mut call = std::pin::pin!(pages.next_page::<Account>());
            let polled = std::future::poll_fn(|context| std::task::Poll::Ready(call.as_mut().poll(context))).await;
            match polled {
                std::task::Poll::Ready(page) => Some(page.expect("answered").map(|page| page.len())),
                std::task::Poll::Pending => None,
            }
        };
        match page {
            Some(Some(count)) => rows += count,
            Some(None) => break,
            None => {
                dropped += 1;
                tokio::task::yield_now().await;
            }
        }
    }
    assert_eq!(rows, 4500);
    assert!(dropped > 3, "calls were dropped: {dropped}");
    assert_eq!(org.calls(Operation::QueryMore), 2, "no page was asked for twice");
}

#[tokio::test]
async fn a_query_is_gone_on_with_from_the_last_whole_page() {
    let org = org(4500);
    let client = client(&org);
    let mut first = client.query_pages(SOQL);
    assert!(first.cursor().is_none(), "nothing was read");
    let seen = first.next_page::<Account>().await.expect("answered").expect("a page").len();
    let written = serde_json::to_string(&first.cursor().expect("there is more")).expect("serialises");
    drop(first);

    let cursor: QueryCursor = serde_json::from_str(&written).expect("reads");
    assert_eq!((cursor.seen, cursor.total_size), (2000, 4500));
    assert!(cursor.last_id.is_some(), "the query selects it");
    let rest: Vec<Record> = client.resume_query(cursor.clone()).collect().await.expect("the rest");
    assert_eq!((seen, rest.len()), (2000, 2500));
    assert_eq!(rest[0].text("Name"), Some("Account 02000"));

    org.faults().on(Operation::QueryMore).error(400, "INVALID_QUERY_LOCATOR", "invalid query locator").always();
    let error = client.resume_query::<Record>(cursor).collect().await.expect_err("no longer kept");
    assert!(error.has_code("INVALID_QUERY_LOCATOR"), "{error}");
}

#[tokio::test]
async fn a_stream_tells_when_its_cursor_may_be_written_down() {
    let org = org(2500);
    let mut rows = client(&org).query::<Record>(SOQL);
    let mut cursors = Vec::new();
    while rows.try_next().await.expect("answered").is_some() {
        if rows.is_at_page_end() {
            cursors.push(rows.cursor().map(|cursor| cursor.seen));
        }
    }
    assert_eq!(cursors, [Some(2000), None]);
}

#[tokio::test]
async fn pages_that_lead_in_a_circle_are_an_error() {
    let more = [("L-1", page(9, Some("L-2"), 2..4)), ("L-2", page(9, Some("L-1"), 4..6))];
    let server = pages(page(9, Some("L-1"), 0..2), &more).await;
    let mut rows = client_of(&server.uri()).query::<Record>("SELECT Name FROM Account");
    for _ in 0..4 {
        assert!(rows.try_next().await.expect("rows before the circle").is_some());
    }
    let error = rows.try_next().await.expect_err("a circle");
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert!(rows.try_next().await.expect("ended").is_none());
}

#[tokio::test]
async fn pages_without_rows_do_not_go_on_for_ever() {
    let names: Vec<String> = (0..10).map(|number| format!("L-{number}")).collect();
    let more: Vec<_> = names.windows(2).map(|pair| (pair[0].as_str(), page(9, Some(&pair[1]), 0..0))).collect();
    let server = pages(page(9, Some("L-0"), 0..2), &more).await;
    let error = client_of(&server.uri()).query::<Record>("SELECT Name FROM Account").collect().await;
    assert_eq!(error.expect_err("no end").kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn more_or_fewer_rows_than_announced_are_an_error() {
    for (total, last) in [(5, 2..4), (3, 2..4)] {
        let server = pages(page(total, Some("L-1"), 0..2), &[("L-1", page(total, None, last))]).await;
        let error = client_of(&server.uri()).query::<Record>("SELECT Name FROM Account").collect().await;
        let error = error.expect_err("miscounted");
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(error.advice().is_some(), "{error}");
    }
}

#[tokio::test]
async fn a_next_page_elsewhere_gets_no_token() {
    let mut first = page(9, Some("x"), 0..2);
    first["nextRecordsUrl"] = "https://evil.example.com/services/data/v63.0/query/x".into();
    let server = pages(first, &[]).await;
    let error = client_of(&server.uri()).query::<Record>("SELECT Name FROM Account").collect().await;
    assert_eq!(error.expect_err("not on this org").kind(), ErrorKind::Decode);
    assert_eq!(server.received_requests().await.expect("kept").len(), 1);
}

#[tokio::test]
async fn a_query_by_id_goes_on_when_its_rows_are_no_longer_kept() {
    let org = org(6500);
    let client = client(&org);
    let select = || Soql::select(["Name"]).from("Account");
    org.faults()
        .on(Operation::QueryMore)
        .error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        .after(1)
        .every(2);
    let rows: Vec<Record> = client.query_by_id(select(), None).expect("plain").collect().await.expect("all");
    let ids: Vec<&str> = rows.iter().filter_map(|row| row.text("Id")).collect();
    assert_eq!(ids.len(), 6500);
    assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]), "each row once, in order");
    assert!(org.calls(Operation::Query) > 1, "it was asked anew");

    org.faults().clear();
    let after = sforce::types::RecordId::new(ids[6000]).expect("an id");
    let rest: Vec<Record> = client.query_by_id(select(), Some(after)).expect("plain").collect().await.expect("all");
    assert_eq!(rest.len(), 499);
}

#[tokio::test]
async fn a_query_that_finds_nothing_costs_nothing() {
    let org = org(3);
    let client = client(&org);
    let soql = || {
        let none: [&str; 0] = [];
        Soql::select(["Id"]).from("Account").filter(field("Name").is_in(none)).build().expect("builds")
    };
    let mut rows = client.query::<Record>(soql());
    assert!(rows.try_next().await.expect("nothing to do").is_none());
    assert_eq!((rows.total_size(), client.count(soql()).await.expect("nothing to do")), (Some(0), 0));
    assert_eq!(org.api_calls(), 0);
}
