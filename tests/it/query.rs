//! Queries of many pages: in step with the wire, resumable, and never short.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::Deserialize;
use sforce::api::QueryCursor;
use sforce::auth::{AccessToken, StaticToken};
use sforce::http::{Body, HttpService, Request, Response};
use sforce::testing::ManualClock;
use sforce::testing::org::{MockOrg, Operation};
use sforce::types::soql::field;
use sforce::types::{Record, Soql};
use sforce::{Client, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, Notify};
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

fn rows_with_ids(total: usize, next: Option<&str>, rows: std::ops::Range<usize>) -> serde_json::Value {
    let mut page = page(total, next, 0..0);
    page["records"] =
        rows.map(|row| serde_json::json!({"Id": format!("001{row:012}"), "Name": format!("{row}")})).collect();
    page
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(rename = "Name")]
    _name: String,
}

#[tokio::test]
async fn a_cursor_never_points_behind_rows_that_were_not_handed_out() {
    let mut second = rows_with_ids(6, Some("c"), 2..4);
    second["records"][1]["Name"] = 7.into();
    let server = pages(rows_with_ids(6, Some("b"), 0..2), &[("b", second), ("c", rows_with_ids(6, None, 4..6))]).await;
    let client = client_of(&server.uri());
    let mut read = client.query_pages("SELECT Id, Name FROM Account");
    assert_eq!(read.next_page::<Named>().await.expect("reads").map(|rows| rows.len()), Some(2));
    read.next_page::<Named>().await.expect_err("a name that is no text");
    let cursor = read.cursor().expect("after the first page");
    assert_eq!(cursor.last_id.map(|id| id.to_string()[..15].to_owned()).as_deref(), Some("001000000000001"));
    assert_eq!(cursor.seen, 2);
}

#[tokio::test]
async fn a_page_without_rows_leaves_the_cursor_where_the_last_row_was() {
    let first = rows_with_ids(3, Some("b"), 0..2);
    let server = pages(first, &[("b", page(3, Some("c"), 0..0)), ("c", rows_with_ids(3, None, 2..3))]).await;
    let client = client_of(&server.uri());
    let mut read = client.query_pages("SELECT Id, Name FROM Account");
    for rows in [2, 0] {
        assert_eq!(read.next_page::<Named>().await.expect("reads").map(|rows| rows.len()), Some(rows));
        let last = read.cursor().and_then(|cursor| cursor.last_id).expect("the id of the last row");
        assert_eq!(&last.to_string()[..15], "001000000000001");
    }
}

#[tokio::test]
async fn children_beyond_the_first_page_are_read_or_missed_and_never_taken_for_all() {
    #[derive(Debug, Deserialize)]
    struct Parent {
        #[serde(rename = "Contacts")]
        contacts: sforce::api::Children<Record>,
    }

    #[derive(Debug, Deserialize)]
    struct Short {
        #[serde(rename = "Contacts")]
        _contacts: Vec<Record>,
    }

    let mut first = page(2, None, 0..0);
    first["records"] = serde_json::json!([
        {"Name": "many", "Contacts": page(5, Some("c"), 0..2)},
        {"Name": "none", "Contacts": null},
    ]);
    let server = pages(first, &[("c", page(5, Some("d"), 2..4)), ("d", page(5, None, 4..5))]).await;
    let client = client_of(&server.uri());
    let parents =
        client.query::<Parent>("SELECT (SELECT Name FROM Contacts) FROM Account").collect().await.expect("reads");
    assert_eq!(parents.iter().map(|parent| parent.contacts.is_whole()).collect::<Vec<_>>(), [false, true]);
    let records =
        client.query::<Record>("SELECT (SELECT Name FROM Contacts) FROM Account").collect().await.expect("reads");
    for (record, children) in records.iter().zip([5, 0]) {
        let parent: Parent = record.to_typed().expect("with all that is said of them");
        assert_eq!(parent.contacts.all(&client).await.expect("reads on").len(), children);
    }
    records[0].to_typed::<Short>().expect_err("three are missing");
    serde_json::to_string(&records[0]).expect_err("three are missing");
    client
        .query::<Short>("SELECT (SELECT Name FROM Contacts) FROM Account")
        .collect()
        .await
        .expect_err("no list on the wire");
    for parent in parents {
        let whole = parent.contacts.is_whole();
        assert_eq!(parent.contacts.whole().is_ok(), whole);
    }
}

#[tokio::test]
async fn statements_of_one_list_are_one_stream_in_their_order_and_each_fails_for_itself() {
    let org = org(12);
    let client = client(&org);
    let statement = |number: usize| {
        let name = format!("Account {number:05}");
        Soql::select(["Name"]).from("Account").filter(field("Name").eq(name)).build().expect("builds")
    };
    let mut statements: Vec<Soql> = (0..12).map(statement).collect();
    statements.insert(7, Soql::from("SELECT Nothing__c FROM Account"));
    statements.push(
        Soql::select(["Name"])
            .from("Account")
            .filter(field("Name").is_in(Vec::<String>::new()))
            .build()
            .expect("builds"),
    );
    let before = org.api_calls();
    let mut rows = client.query_split::<Record>(statements);
    let mut told = Vec::new();
    while let Some(row) = rows.next().await {
        told.push(row.map(|row| row.text("Name").map(str::to_owned)).map_err(|error| error.kind()));
    }
    assert!(rows.next().await.is_none(), "it is fused");
    let mut expected: Vec<_> = (0..12).map(|number| Ok(Some(format!("Account {number:05}")))).collect();
    expected.insert(7, Err(told[7].clone().expect_err("no such field")));
    assert_eq!(told, expected);
    assert_eq!(org.api_calls() - before, 13, "none for what matches nothing");
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_told_from_an_outage() {
    let org = org(1);
    let said = "Your query request was running for too long.";
    org.faults().on(Operation::Query).error(400, "QUERY_TIMEOUT", said).always();
    let error = client(&org).query::<Record>(SOQL).collect().await.expect_err("too long");
    assert!(error.has_code("QUERY_TIMEOUT") && error.is_splittable(), "{error:?}");
    assert_eq!(error.effect(), sforce::Effect::None);
    assert!(error.advice().is_some(), "what to do: {error:?}");
}

#[tokio::test]
async fn fewer_requests_are_in_flight_after_refusals_for_their_amount_and_more_again_when_they_pass() {
    let org = org(1);
    let clock = Arc::new(ManualClock::default());
    let client = crate::support::builder(&org).clock(Arc::clone(&clock)).build().expect("a client");
    let start = client.concurrency();
    for (what, fault) in [("503", 0), ("429", 1), ("too many at once", 2)] {
        let before = client.concurrency();
        let faults = || org.faults().on(Operation::Query);
        match fault {
            0 => faults().status(503).once(),
            1 => faults().status(429).once(),
            _ => faults().concurrent_limit().once(),
        }
        // Refusals come in bunches, of which one counts.
        clock.advance(Duration::from_secs(2));
        client.query::<Record>(SOQL).collect().await.expect("the second time");
        assert!(client.concurrency() < before, "{what}: {} of {before}", client.concurrency());
    }
    let least = client.concurrency();
    assert!(least < start / 4);
    let reads = (0..4 * start).map(|_| client.query::<Record>(SOQL).collect());
    futures_util::future::try_join_all(reads).await.expect("reads");
    assert!(client.concurrency() > least, "it grows while requests wait");
}

#[tokio::test]
async fn the_limit_of_requests_at_once_is_told_from_that_of_the_day() {
    let org = org(1);
    let client = crate::support::builder(&org).retry(sforce::client::RetryPolicy::never()).build().expect("a client");
    org.faults().on(Operation::Query).concurrent_limit().once();
    let at_once = client.query::<Record>(SOQL).collect().await.expect_err("too many");
    org.faults().on(Operation::Query).daily_limit().once();
    let of_the_day = client.query::<Record>(SOQL).collect().await.expect_err("used up");
    assert_eq!((at_once.status(), of_the_day.status()), (Some(403), Some(403)), "one status, one code");
    assert_eq!((at_once.kind(), of_the_day.kind()), (ErrorKind::RateLimited, ErrorKind::LimitExceeded));
}

/// A query in the order of ids of which the second page was not handed out; the first page's names, and the stream.
async fn after_a_page_that_was_not_handed_out(client: &Client) -> (Vec<String>, sforce::api::QueryStream<OwnName>) {
    let select = Soql::select(["Name"]).from("Account");
    let mut rows = client.query_by_id::<OwnName>(select, None).expect("plain");
    let mut names = Vec::new();
    loop {
        match rows.try_next().await {
            Ok(row) => {
                names.push(row.expect("not at the end yet").name);
                assert!(names.len() < 10, "rows come again");
            }
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Decode | ErrorKind::Transport), "{error}");
                return (names, rows);
            }
        }
    }
}

#[derive(Debug, Deserialize)]
struct OwnName {
    #[serde(rename = "Name")]
    name: String,
}

#[tokio::test]
async fn going_on_by_ids_neither_passes_over_nor_doubles_rows_that_were_not_handed_out() {
    type Damage = fn(&mut String);
    let damages: [(&str, Damage); 2] = [
        ("a row that does not fit", |page| *page = page.replace("\"Account 00003\"", "7")),
        ("a page cut where the framing does not show it", |page| page.truncate(page.len() / 2)),
    ];
    for (what, damage) in damages {
        let org = org(6);
        org.set_page_size(2);
        org.faults().on(Operation::QueryMore).edit_text(damage).once();
        let client = client(&org);
        let (mut names, mut rows) = after_a_page_that_was_not_handed_out(&client).await;
        assert_eq!(names, ["Account 00000", "Account 00001"], "{what}");
        org.faults().on(Operation::QueryMore).error(400, "INVALID_QUERY_LOCATOR", "invalid query locator").once();
        while let Some(row) = rows.try_next().await.expect("goes on") {
            names.push(row.name);
        }
        let all: Vec<String> = (0..6).map(|number| format!("Account {number:05}")).collect();
        assert_eq!(names, all, "{what}");
        assert_eq!(org.calls(Operation::Query), 2, "it was asked anew: {what}");
    }
}

#[tokio::test]
async fn going_on_by_ids_after_a_page_without_rows_doubles_none() {
    let org = org(6);
    org.set_page_size(2);
    let faults = || org.faults().on(Operation::QueryMore);
    faults().edit(|page| page["records"] = serde_json::json!([])).once();
    faults().error(400, "INVALID_QUERY_LOCATOR", "invalid query locator").once();
    let select = Soql::select(["Name"]).from("Account");
    let rows: Vec<Record> =
        client(&org).query_by_id(select, None).expect("plain").collect().await.expect("goes on after the last row");
    let names: Vec<_> = rows.iter().filter_map(|row| row.text("Name")).collect();
    assert_eq!(names, (0..6).map(|number| format!("Account {number:05}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn going_on_by_ids_never_begins_anew_after_rows_without_ids() {
    let server = pages(page(4, Some("b"), 0..2), &[]).await;
    let gone = serde_json::json!([{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]);
    let gone = ResponseTemplate::new(400).set_body_json(gone);
    Mock::given(path("/services/data/v63.0/query/b")).respond_with(gone).mount(&server).await;
    let (names, mut rows) = after_a_page_that_was_not_handed_out(&client_of(&server.uri())).await;
    assert_eq!(names, ["0", "1"]);
    assert!(rows.try_next().await.expect("it has ended").is_none());
}

#[tokio::test]
async fn children_of_an_org_are_read_over_all_their_pages_and_cost_a_call_each() {
    #[derive(Deserialize)]
    struct Parent {
        #[serde(rename = "Contacts")]
        contacts: sforce::api::Children<OwnName>,
    }

    let org = org(0);
    for (account, contacts) in [("many", 450), ("few", 3), ("none", 0)] {
        let account = org.insert("Account", serde_json::json!({"Name": account}));
        for number in 0..contacts {
            let contact = serde_json::json!({"LastName": format!("{number:03}"), "AccountId": account});
            org.insert("Contact", contact);
        }
    }
    org.set_page_size(200);
    let client = client(&org);
    let soql =
        "SELECT Name, (SELECT Name FROM Contacts ORDER BY Name NULLS FIRST, Id) FROM Account ORDER BY CreatedDate, Id";
    let parents: Vec<Parent> = client.query(soql).collect().await.expect("reads");
    let told: Vec<_> = parents.iter().map(|parent| (parent.contacts.total_size, parent.contacts.is_whole())).collect();
    assert_eq!(told, [(450, false), (3, true), (0, true)]);
    for (parent, (contacts, calls)) in parents.into_iter().zip([(450, 2), (3, 0), (0, 0)]) {
        let before = org.api_calls();
        let names = parent.contacts.all(&client).await.expect("reads on");
        let names: Vec<&str> = names.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, (0..contacts).map(|number| format!("{number:03}")).collect::<Vec<_>>());
        assert_eq!(org.api_calls() - before, calls);
    }

    org.faults().on(Operation::QueryMore).error(400, "INVALID_QUERY_LOCATOR", "invalid query locator").always();
    let mut parents = client.query::<Parent>(soql);
    let many = parents.try_next().await.expect("the first page is there").expect("a row");
    let error = many.contacts.all(&client).await.map(|rows| rows.len()).expect_err("two pages are gone");
    assert!(error.has_code("INVALID_QUERY_LOCATOR"));
}

fn statements(names: impl IntoIterator<Item = &'static str>) -> Vec<Soql> {
    let statement = |name| Soql::select(["Name"]).from("Account").filter(field("Name").gt(name)).build();
    names.into_iter().map(|name| statement(name).expect("builds")).collect()
}

#[tokio::test]
async fn statements_of_one_list_are_read_page_by_page_and_their_totals_summed() {
    let org = org(1000);
    org.set_page_size(200);
    let client = client(&org);
    let mut rows = client.query_split::<Record>(statements(["", "Account 00499", "Account 00998", "Account 00999"]));
    assert!(rows.try_next().await.expect("reads").is_some());
    assert_eq!(rows.total_size(), None, "only one has told");
    assert!(org.calls(Operation::QueryMore) <= 1, "pages are read in step, not ahead of who reads them");
    let mut count = 1;
    while rows.try_next().await.expect("reads").is_some() {
        count += 1;
    }
    assert_eq!((count, rows.total_size()), (1501, Some(1501)));
    assert_eq!(client.query_split::<Record>([]).total_size(), Some(0));

    org.faults().on(Operation::Query).error(400, "MALFORMED_QUERY", "no").once();
    let mut rows = client.query_split::<Record>(statements(["Account 00998", "Account 00998"]));
    rows.try_next().await.expect_err("one is refused");
    assert!(rows.try_next().await.expect("the other").is_some());
    assert_eq!((rows.try_next().await.expect("fused"), rows.total_size()), (None, None), "one has told nothing");
    client.query_split::<Record>(statements(["a"])).collect().await.expect("none");
}

/// Answers when five requests are there.
#[derive(Debug)]
struct FiveAtOnce {
    five: Barrier,
    asked: Arc<AtomicUsize>,
}

#[async_trait::async_trait]
impl HttpService for FiveAtOnce {
    async fn send(&self, _: Request) -> sforce::Result<Response> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.five.wait().await;
        let body = Body::from(page(1, None, 0..1).to_string().into_bytes());
        Ok(Response { status: http::StatusCode::OK, headers: http::HeaderMap::new(), body })
    }
}

#[tokio::test]
async fn five_statements_of_one_list_are_on_their_way_at_once_and_no_more() {
    let token = AccessToken::allowing_loopback("00D!token", "http://127.0.0.1:9").expect("loopback");
    let asked = Arc::new(AtomicUsize::new(0));
    let service = FiveAtOnce { five: Barrier::new(5), asked: Arc::clone(&asked) };
    let client = Client::builder(StaticToken::new(token)).http(service).build().expect("a client");
    let mut rows = client.query_split::<Record>(statements(["a"; 15]));
    for read in 1..=15 {
        // Fewer at once would wait for ever.
        let row = tokio::time::timeout(Duration::from_mins(1), rows.try_next()).await.expect("five at once");
        assert!(row.expect("reads").is_some());
        assert!(asked.load(Ordering::SeqCst) < read + 5, "the one that is read, and four behind it");
    }
    assert!(rows.try_next().await.expect("reads").is_none());
}
