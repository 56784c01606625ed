//! Answers that Salesforce wrote, replayed to this client: each is decoded, and nothing of it is lost or invented.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;
use sforce::api::{AllOrNone, Composite, Graph, LimitValue, SaveResult, Subrequest, Subresult};
use sforce::auth::{AccessToken, StaticToken};
use sforce::client::{ApiRequest, RetryPolicy};
use sforce::schema::{ExpectedFields, FieldUse, drift};
use sforce::testing::ManualClock;
use sforce::types::{ExternalId, FieldName, Record, RecordId, SObjectName, Timestamp, Value};
use sforce::{Client, Error, ErrorKind};
use wiremock::matchers::{any, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{not_run, record, recorded};

/// A request and its answer, as recorded.
struct Exchange {
    method: String,
    /// Below the host, without query.
    path: String,
    /// The parameters of the address.
    query: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    /// How many records a collections call carried.
    sent: usize,
    /// What was sent.
    data: Json,
}

/// Reads the wrapper `{request, status, headers, body}` around Salesforce's answers; one body without wrapper is none.
fn exchanges(text: &str) -> Vec<Exchange> {
    let json: Json = serde_json::from_str(text).expect("a JSON file");
    let list = match json {
        Json::Array(list) => list,
        one => vec![one],
    };
    list.iter().filter_map(exchange).collect()
}

fn exchange(entry: &Json) -> Option<Exchange> {
    let request = entry.get("request")?;
    let uri = request.get("path").or_else(|| request.get("uri"))?.as_str()?;
    let uri = uri.find("/services/").map_or(uri, |start| &uri[start..]);
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    // One parameter at most.
    let params = request.get("params").and_then(Json::as_object).and_then(|params| params.iter().next());
    let query = params
        .map_or_else(|| query.to_owned(), |(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    let path = path.replace("vxx.0", "v63.0").replace("<api_version>", "v63.0");
    let status = entry["status"].as_u64().or_else(|| entry["status"]["code"].as_u64())?;
    let body = match &entry["body"] {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        json => json.to_string(),
    };
    let header = |value: &Json| value.as_str().or_else(|| value.get(0)?.as_str()).map(str::to_owned);
    let headers = entry["headers"].as_object().map(|headers| {
        headers.iter().filter_map(|(name, value)| Some((name.to_ascii_lowercase(), header(value)?))).collect()
    });
    let data = request.get("data").or_else(|| request.get("body")).cloned().unwrap_or_default();
    let sent = data["records"].as_array().map_or(0, Vec::len);
    Some(Exchange {
        method: request["method"].as_str()?.to_owned(),
        path,
        query,
        status: u16::try_from(status).ok()?,
        headers: headers.unwrap_or_default(),
        body,
        sent,
        data,
    })
}

/// Serves one answer to whatever is asked.
async fn serve(status: u16, headers: &[(String, String)], body: &str) -> (MockServer, Client) {
    let server = MockServer::start().await;
    let mut answer =
        ResponseTemplate::new(status).set_body_raw(body.as_bytes().to_vec(), "application/json;charset=UTF-8");
    for (name, value) in headers {
        // What belongs to the recording's connection and not to its content.
        if !matches!(name.as_str(), "content-type" | "transfer-encoding" | "content-length" | "date" | "set-cookie") {
            answer = answer.insert_header(name.as_str(), value.as_str());
        }
    }
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let token = AccessToken::allowing_loopback("00D!token", &server.uri()).expect("loopback");
    let client = Client::builder(StaticToken::new(token)).retry(RetryPolicy::never()).build().expect("a client");
    (server, client)
}

/// Whether a decoded record has each member of the JSON it came from, with the same value, and no other.
fn same_record(record: &Record, json: &Json) -> bool {
    let Some(members) = json.as_object() else { return false };
    let fields = members.iter().filter(|(name, _)| *name != "attributes");
    fields.clone().count() == record.len()
        && fields.into_iter().all(|(name, json)| record.get(name).is_some_and(|value| same(value, json)))
}

fn same(value: &Value, json: &Json) -> bool {
    match (value, json) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(value), Json::Bool(json)) => value == json,
        (Value::Text(value), Json::String(json)) => value == json,
        (Value::Number(value), Json::Number(json)) => {
            json.as_f64().is_some_and(|json| (value.to_f64() - json).abs() < 1e-6)
        }
        (Value::Record(value), json) => same_record(value, json),
        (Value::Children(value), json) => {
            let rows = json["records"].as_array();
            json["totalSize"] == value.total_size
                && rows.is_some_and(|rows| {
                    rows.len() == value.records.len()
                        && value.records.iter().zip(rows).all(|(record, json)| same_record(record, json))
                })
        }
        (Value::List(value), Json::Array(json)) => {
            value.len() == json.len() && value.iter().zip(json).all(|(value, json)| same(value, json))
        }
        _ => false,
    }
}

fn same_errors(error: &Error, json: &Json) {
    let listed = json.as_array().expect("an error array");
    assert_eq!(error.salesforce().len(), listed.len());
    for (error, json) in error.salesforce().iter().zip(listed) {
        let code = json.get("errorCode").or_else(|| json.get("statusCode"));
        assert_eq!(Some(error.code.as_str()), code.and_then(Json::as_str));
        assert_eq!(Some(error.message.as_str()), json["message"].as_str());
        assert_eq!(error.fields.len(), json["fields"].as_array().map_or(0, Vec::len));
    }
}

fn same_rows(results: &[SaveResult], json: &Json) {
    let rows = json.as_array().expect("one row each");
    assert_eq!(results.len(), rows.len());
    for (result, row) in results.iter().zip(rows) {
        assert_eq!(Json::Bool(result.is_saved()), row["success"]);
        assert_eq!(result.id.map(|id| id.to_string()).as_deref(), row["id"].as_str());
        match &result.error {
            Some(error) => same_errors(error, &row["errors"]),
            None => assert_eq!(result.created, row["created"].as_bool()),
        }
    }
}

/// Makes the call that a recorded request made. `false`: this client has no such call yet.
async fn replay(exchange: &Exchange) -> bool {
    let (_server, client) = serve(exchange.status, &exchange.headers, &exchange.body).await;
    let json: Json = serde_json::from_str(&exchange.body).unwrap_or(Json::Null);
    let path = exchange.path.trim_end_matches('/');
    let mut parts: Vec<&str> = path.trim_start_matches("/services/").split('/').collect();
    if parts.first() == Some(&"data") && parts.len() > 1 {
        parts.drain(..2);
    }
    let name = |name: &str| SObjectName::new(name).expect("an API name");
    let answered = match (exchange.method.to_ascii_uppercase().as_str(), parts.as_slice()) {
        ("GET", ["data"]) => {
            let versions = client.versions().await.expect("decodes");
            assert_eq!(versions.len(), json.as_array().map_or(0, Vec::len));
            assert_eq!(versions[0].version, json[0]["version"].as_str().expect("text"));
            Ok(())
        }
        ("GET", ["oauth2", "userinfo"]) => client.user_info().await.map(|user| {
            assert_eq!(Some(user.user_id.as_str()), json["user_id"].as_str());
            assert_eq!(user.zoneinfo.as_deref(), json["zoneinfo"].as_str());
        }),
        ("GET", ["sobjects"]) => client.describe_global().await.map(|all| {
            loses_nothing(&all, &json);
            assert!(all.other.is_empty() && all.sobjects.iter().all(|object| object.other.is_empty()));
        }),
        ("GET", ["limits", ..] | ["sobjects", _]) => replay_resource(&client, exchange, &parts, &json).await,
        ("GET", ["sobjects", object, "describe"]) => {
            client.describe(&name(object)).await.map(|describe| same_describe(&describe, &json))
        }
        ("GET", ["sobjects", object, id]) => match RecordId::new(id) {
            Ok(id) => {
                client.records(name(object)).get(id, &[]).await.map(|record| assert!(same_record(&record, &json)))
            }
            // An id that the recording's author has masked.
            Err(_) => read_record(&client, path, &json).await,
        },
        ("GET", ["sobjects", _, _, _]) => read_record(&client, path, &json).await,
        ("GET", ["query" | "queryAll"]) => replay_query(&client, &json).await,
        ("GET", ["query", _]) => client.query_more::<Record>(path).await.map(|page| {
            assert_eq!(page.total_size, json["totalSize"]);
            assert!(
                page.records
                    .iter()
                    .zip(json["records"].as_array().expect("rows"))
                    .all(|(record, json)| same_record(record, json))
            );
        }),
        ("POST", ["sobjects", object]) => client.records(name(object)).create(&record("{}")).await.map(|id| {
            assert_eq!(Some(id.as_str()), json["id"].as_str());
        }),
        ("PATCH", ["sobjects", object, id]) => {
            client.records(name(object)).update(RecordId::new(id).expect("an id"), &record("{}")).await
        }
        ("PATCH", ["sobjects", object, field, key]) => {
            let key = ExternalId::new(FieldName::new(*field).expect("an API name"), *key);
            let records = client.records(name(object));
            let saved = match exchange.query.as_str() {
                "updateOnly=true" => records.update_by_key(&key, &record("{}")).await,
                _ => records.upsert(&key, &record("{}")).await,
            };
            saved.map(|upserted| {
                assert_eq!(
                    (upserted.id.map(|id| id.to_string()).as_deref(), Some(upserted.created)),
                    (json["id"].as_str(), json["created"].as_bool())
                );
            })
        }
        ("DELETE", ["sobjects", object, id]) => {
            client.records(name(object)).delete(RecordId::new(id).expect("an id")).await
        }
        ("POST", ["composite"]) => replay_composite(&client, &exchange.data, &json).await,
        ("POST", ["composite", "graph"]) => replay_graphs(&client, &exchange.data, &json).await,
        (method, ["composite", "sobjects", ..]) => {
            replay_collections(&client, method, &parts, exchange.sent, &json).await
        }
        _ => return false,
    };
    match answered {
        Ok(()) => assert!((200..300).contains(&exchange.status)),
        Err(error) => {
            assert!(!(200..300).contains(&exchange.status), "{error:?}");
            same_errors(&error, &json);
        }
    }
    if let Some((_, usage)) = exchange.headers.iter().find(|(name, _)| name == "sforce-limit-info") {
        let api = client.limits().expect("told").api;
        assert_eq!(*usage, format!("api-usage={}/{}", api.used, api.allowed));
    }
    true
}

/// Limits, counts and objects in short.
async fn replay_resource(client: &Client, exchange: &Exchange, parts: &[&str], json: &Json) -> sforce::Result<()> {
    let name = |name: &str| SObjectName::new(name).expect("an API name");
    match parts {
        ["limits"] => same_limits(&client.all_limits().await?, json),
        ["limits", _] => {
            let asked: Vec<SObjectName> = exchange.query.trim_start_matches("sObjects=").split(',').map(name).collect();
            let counts = client.record_counts(&asked).await?;
            let told = json["sObjects"].as_array().expect("a list");
            assert!(!asked.is_empty() && counts.len() == asked.len());
            for object in asked {
                let row = told.iter().find(|row| row["name"] == object.as_str());
                assert_eq!(counts[&object], row.map_or(0, |row| row["count"].as_u64().expect("a number")));
            }
        }
        _ => {
            let info = client.basic_info(&name(parts[1])).await?;
            let brief = serde_json::to_value(&info.object_describe).expect("serialises");
            for (member, value) in brief.as_object().expect("an object") {
                assert_eq!(*value, json["objectDescribe"][member], "{member}");
            }
            let recent = json["recentItems"].as_array().expect("a list");
            assert_eq!(info.recent_items.len(), recent.len());
            assert!(info.recent_items.iter().zip(recent).all(|(record, json)| same_record(record, json)));
        }
    }
    Ok(())
}

fn same_limits(limits: &BTreeMap<String, LimitValue>, json: &Json) {
    let told = json.as_object().expect("an object");
    assert_eq!(limits.len(), told.len());
    for (name, json) in told {
        same_limit(&limits[name], json);
    }
}

fn same_limit(limit: &LimitValue, json: &Json) {
    let members = json.as_object().expect("an object");
    assert_eq!((limit.max, limit.remaining), (json["Max"].as_i64(), json["Remaining"].as_i64()));
    assert!(limit.max.is_some() && members.len() == 2 + limit.parts.len());
    for (name, part) in &limit.parts {
        same_limit(part, &json[name]);
    }
}

async fn read_record(client: &Client, path: &str, json: &Json) -> sforce::Result<()> {
    let answer = client.send(ApiRequest::get("test", path)).await?;
    assert!(same_record(&answer.json::<Record>()?, json));
    Ok(())
}

/// Reads the first page; the recordings were cut to a few rows, which an unbroken stream has to notice.
async fn replay_query(client: &Client, json: &Json) -> sforce::Result<()> {
    let rows = json["records"].as_array().expect("rows");
    let mut stream = client.query::<Record>("SELECT Id FROM Account");
    for json in rows {
        let record = stream.try_next().await?.expect("as many as recorded");
        assert!(same_record(&record, json), "{record:?}");
    }
    let whole = json["done"] == true && json["totalSize"] == rows.len();
    match stream.try_next().await {
        Ok(end) => assert!(whole && end.is_none()),
        Err(error) => assert!(!whole && error.kind() == ErrorKind::Decode, "{error}"),
    }
    Ok(())
}

async fn replay_collections(
    client: &Client,
    method: &str,
    parts: &[&str],
    sent: usize,
    json: &Json,
) -> sforce::Result<()> {
    let answered = json.as_array().map_or(0, Vec::len);
    let count = if sent > 0 { sent } else { answered };
    let object = SObjectName::new(parts.get(2).copied().unwrap_or("Account")).expect("an API name");
    let collections = client.collections(object);
    let id = RecordId::new("001dM00003kReWpQAK").expect("an id");
    let results = match (method, parts.get(3)) {
        ("POST", None) => collections.create(&vec![Record::new(); count], AllOrNone::No).await?,
        ("PATCH", None) => collections.update(&vec![(id, Record::new()); count], AllOrNone::No).await?,
        ("PATCH", Some(field)) => {
            let key = FieldName::new(*field).expect("an API name");
            let rows: Vec<Record> = (0..count).map(|number| Record::new().with(*field, number.to_string())).collect();
            collections.upsert(&key, &rows, AllOrNone::No).await?
        }
        _ => collections.delete(&vec![id; count], AllOrNone::No).await?,
    };
    same_rows(&results, json);
    Ok(())
}

/// The recorded subrequest, made by this client.
fn subrequest(json: &Json) -> Subrequest {
    let text = |member: &str| json[member].as_str().expect("text").replace("vxx.0", "v63.0");
    let request = Subrequest::new(text("method").parse().expect("a method"), text("url"));
    let request = if json["body"].is_null() { request } else { request.json(&json["body"]) };
    let headers = json["httpHeaders"].as_object().into_iter().flatten();
    headers.fold(request, |request, (name, value)| {
        let value = value.as_str().expect("text").parse().expect("a header");
        request.header(name.parse().expect("a header"), value)
    })
}

fn same_part(part: &Subresult, json: &Json) {
    assert_eq!(Json::from(part.status().as_u16()), json["httpStatusCode"]);
    assert_eq!(part.headers().len(), json["httpHeaders"].as_object().map_or(0, serde_json::Map::len));
    for (name, value) in json["httpHeaders"].as_object().into_iter().flatten() {
        assert_eq!(part.headers().get(name).and_then(|value| value.to_str().ok()), value.as_str());
    }
    match part.error() {
        Some(error) => same_errors(error, &json["body"]),
        None if json["body"].is_null() => assert!(part.json::<Json>().is_err()),
        None => assert_eq!(part.json::<Json>().expect("decodes"), json["body"]),
    }
}

async fn replay_composite(client: &Client, data: &Json, json: &Json) -> sforce::Result<()> {
    let parts = data["compositeRequest"].as_array().expect("subrequests");
    let add = |composite: Composite, part: &Json| {
        composite.add(part["referenceId"].as_str().expect("text"), subrequest(part))
    };
    let answer = parts.iter().fold(client.composite(), add).send().await?;
    let answers = json["compositeResponse"].as_array().expect("answers");
    assert_eq!(answer.iter().len(), answers.len());
    for ((reference, part), json) in answer.iter().zip(answers) {
        assert_eq!(Some(reference), json["referenceId"].as_str());
        same_part(part, json);
    }
    Ok(())
}

async fn replay_graphs(client: &Client, data: &Json, json: &Json) -> sforce::Result<()> {
    let mut call = client.composite_graph();
    for graph in data["graphs"].as_array().expect("graphs") {
        let nodes = graph["compositeRequest"].as_array().expect("nodes");
        let add = |graph: Graph, node: &Json| graph.add(node["referenceId"].as_str().expect("text"), subrequest(node));
        call = call.add(graph["graphId"].as_str().expect("text"), nodes.iter().fold(Graph::new(), add));
    }
    let answers = json["graphs"].as_array().expect("graphs");
    for (graph, json) in call.send().await?.iter().zip(answers) {
        assert_eq!(
            (Some(graph.graph_id.as_str()), Json::from(graph.is_saved())),
            (json["graphId"].as_str(), json["isSuccessful"].clone())
        );
        let nodes = json["graphResponse"]["compositeResponse"].as_array().expect("nodes");
        assert_eq!(graph.nodes.iter().len(), nodes.len());
        for ((_, node), json) in graph.nodes.iter().zip(nodes) {
            same_part(node, json);
        }
    }
    Ok(())
}

/// A describe without what a reader takes for granted: `false`, `0`, `null` and empty, but for values that say something so.
fn bare(json: &Json) -> Json {
    let empty = |json: &Json| match json {
        Json::Null | Json::Bool(false) => true,
        Json::Number(number) => number.as_u64() == Some(0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(members) => members.is_empty(),
        Json::Bool(true) => false,
    };
    match json {
        Json::Array(items) => items.iter().map(bare).collect(),
        Json::Object(members) => {
            let is_field = members.contains_key("type");
            let says = |name: &str| is_field && matches!(name, "defaultValue" | "relationshipOrder");
            let members = members.iter().map(|(name, value)| (name.clone(), bare(value)));
            members.filter(|(name, value)| !empty(value) || (says(name) && !value.is_null())).collect()
        }
        other => other.clone(),
    }
}

/// Read and written back, a describe is what it was, and each of its keys has a field.
fn loses_nothing<T: serde::Serialize>(describe: &T, json: &Json) {
    let ours = serde_json::to_value(describe).expect("serialises");
    same_members(&bare(&ours), &bare(json), "");
}

/// Like `assert_eq`, but tells the place: a describe is a megabyte.
fn same_members(ours: &Json, theirs: &Json, place: &str) {
    match (ours, theirs) {
        (Json::Object(ours), Json::Object(theirs)) => {
            let names: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            for name in names {
                let place = format!("{place}.{name}");
                same_members(ours.get(name).unwrap_or(&Json::Null), theirs.get(name).unwrap_or(&Json::Null), &place);
            }
        }
        (Json::Array(ours), Json::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                same_members(ours, theirs, &format!("{place}[{index}]"));
            }
        }
        _ => assert_eq!(ours, theirs, "{place}"),
    }
}

fn same_describe(describe: &sforce::types::SObjectDescribe, json: &Json) {
    loses_nothing(describe, json);
    assert!(describe.other.is_empty(), "{:?}", describe.other);
    for field in &describe.fields {
        assert!(
            field.other.is_empty() && field.picklist_values.iter().all(|value| value.other.is_empty()),
            "{field:?}"
        );
    }
    assert!(describe.child_relationships.iter().all(|child| child.other.is_empty()));
    assert!(describe.record_type_infos.iter().all(|info| info.other.is_empty()));
    let expected = describe.fields.iter().fold(ExpectedFields::of(describe, true), |expected, field| {
        expected.uses(describe, &field.name, FieldUse::WRITE)
    });
    assert_eq!(drift(&expected, describe), [], "an object has not drifted from itself");
    let written = serde_json::to_string(describe).expect("serialises");
    assert_eq!(serde_json::from_str::<sforce::types::SObjectDescribe>(&written).expect("decodes"), *describe);
    assert!(written.len() * 5 < json.to_string().len() * 3, "{} of {}", written.len(), json.to_string().len());
}

/// Bodies that stand in a file without their request.
async fn replay_body(file: &str, text: &str) -> bool {
    let json: Json = serde_json::from_str(text).expect("a JSON file");
    let exchange = |method: &str, path: &str, status| Exchange {
        method: method.into(),
        path: format!("/services/data/v63.0{path}"),
        query: String::new(),
        status,
        headers: Vec::new(),
        body: text.into(),
        sent: 0,
        data: Json::Null,
    };
    let exchange = if file.contains("upsert_multiple") {
        let (_server, client) = serve(300, &[], text).await;
        let key = ExternalId::new(FieldName::from_static("Email"), "x");
        let error =
            client.records(SObjectName::from_static("Contact")).upsert(&key, &record("{}")).await.expect_err("300");
        assert_eq!((error.kind(), error.salesforce().len()), (ErrorKind::Duplicate, 0));
        return true;
    } else if json.get("fields").is_some() {
        exchange("GET", "/sobjects/Contact/describe", 200)
    } else if json.get("sobjects").is_some() {
        exchange("GET", "/sobjects", 200)
    } else if json.get("deletedRecords").is_some() {
        let (_server, client) = serve(200, &[], text).await;
        let end = Timestamp::parse("2013-05-08T21:20:00Z").expect("a time");
        let start = Timestamp::parse("2013-05-07T00:00:00Z").expect("a time");
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_millis(end.unix_millis().unsigned_abs()));
        let token = client.access_token().await.expect("there");
        let client = Client::builder(StaticToken::new(token)).clock(clock).build().expect("a client");
        let deleted = client.records(SObjectName::from_static("Thing__c")).deleted(start, end).await.expect("decodes");
        let row = &deleted.deleted_records[0];
        assert_eq!(Some(row.id.as_str()), json["deletedRecords"][0]["id"].as_str());
        let told = |at: &Json| Timestamp::parse(at.as_str().expect("text")).expect("a time");
        assert_eq!(row.deleted_date, told(&json["deletedRecords"][0]["deletedDate"]));
        assert_eq!(deleted.earliest_date_available, told(&json["earliestDateAvailable"]));
        assert_eq!(deleted.latest_date_covered, told(&json["latestDateCovered"]));
        return true;
    } else if json.get("totalSize").is_some() {
        exchange("GET", "/query", 200)
    } else if json[0].get("errorCode").is_some() {
        exchange("GET", "/query", 400)
    } else if json[0].get("success").is_some() {
        exchange("POST", "/composite/sobjects", 200)
    } else {
        return false;
    };
    replay_error_or(exchange).await
}

async fn replay_error_or(exchange: Exchange) -> bool {
    if exchange.status != 400 {
        return replay(&exchange).await;
    }
    let (_server, client) = serve(400, &[], &exchange.body).await;
    let error = client.query::<Record>("SELECT x").collect().await.expect_err("refused");
    same_errors(&error, &serde_json::from_str(&exchange.body).expect("JSON"));
    assert_ne!(error.kind(), ErrorKind::Unexpected);
    true
}

/// A bulk job as it was made, closed or looked at.
async fn replay_job(text: &str) {
    let json: Json = serde_json::from_str(text).expect("a JSON file");
    let (_server, client) = serve(200, &[], text).await;
    let id = RecordId::new(json["id"].as_str().expect("an id")).expect("an id");
    let info = if json["operation"] == "query" {
        client.find_query_job(id).await.expect("decodes").info().await.expect("decodes")
    } else {
        let job = client.find_ingest_job(id).await.expect("decodes");
        assert_eq!(job.job().api_version.to_string(), "60.0", "the job's own version");
        job.info().await.expect("decodes")
    };
    let ours = serde_json::to_value(&info).expect("serialises");
    for (name, value) in json.as_object().expect("an object").iter().filter(|(name, _)| *name != "contentUrl") {
        match name.as_str() {
            // The same moment in another form.
            "createdDate" | "systemModstamp" => {
                let moment =
                    |value: &Json| sforce::types::Timestamp::parse(value.as_str().expect("text")).expect("a time");
                assert_eq!(moment(&ours[name]), moment(value), "{name}");
            }
            _ => assert_eq!(ours[name], *value, "{name}"),
        }
    }
}

#[tokio::test]
async fn the_recorded_file_of_failed_rows_is_read() {
    let Some(folder) = recorded("the_recorded_file_of_failed_rows_is_read") else { return };
    let text = |name: &str| fs::read_to_string(folder.join("bulk2").join(name)).expect("readable");
    // The job as it was recorded with the file says how many rows it has.
    let (server, client) = serve(200, &[], &text("info-partial-failure.json")).await;
    let file = ResponseTemplate::new(200).set_body_raw(text("info-partial-failure.csv"), "text/csv");
    Mock::given(path_regex("/failedResults/$")).respond_with(file).with_priority(1).mount(&server).await;
    let job = serde_json::from_value(serde_json::json!({
        "id": "750ak000009Dl5bAAC", "kind": "ingest", "api_version": "60.0", "delimiter": "COMMA", "line_ending": "LF"
    }));
    let job = client.ingest_job(job.expect("a job"));
    let rows = job.failed_results().await.expect("there").collect().await.expect("whole");
    let (row, error) = (&rows[0], &rows[0].error.salesforce()[0]);
    assert_eq!((rows.len(), row.id, error.code.as_str()), (1, None, "INVALID_FIELD"));
    assert_eq!(error.fields, ["CloseDate"]);
    assert_eq!(row.record.text("external_id__c"), Some("external-id-3"));
    assert_eq!(row.record.len(), 4, "{:?}", row.record);
}

fn json_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            json_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
}

#[tokio::test]
async fn every_recorded_answer_that_this_client_can_meet_is_decoded_without_loss() {
    let Some(folder) = recorded("every_recorded_answer_that_this_client_can_meet_is_decoded_without_loss") else {
        return;
    };
    let mut files = Vec::new();
    json_files(&folder, &mut files);
    let mut decoded = Vec::new();
    for path in files {
        let file = path.strip_prefix(&folder).expect("below it").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("readable");
        // APIs that this client does not speak yet have their own shapes.
        if file.starts_with("bulk2/") {
            replay_job(&text).await;
            decoded.push(file);
            continue;
        }
        if file.starts_with("cdc/") {
            not_run(&file, "this client does not call that API yet");
            continue;
        }
        let exchanges = exchanges(&text);
        let mut met = exchanges.is_empty() && replay_body(&file, &text).await;
        for exchange in &exchanges {
            let replayed = replay(exchange).await;
            if !replayed {
                not_run(&file, &format!("this client does not call {} {} yet", exchange.method, exchange.path));
            }
            met |= replayed;
        }
        if met {
            decoded.push(file);
        }
    }
    assert!(decoded.len() >= 25, "{decoded:?}");
}

#[tokio::test]
async fn the_recorded_token_answer_logs_in() {
    let Some(folder) = recorded("the_recorded_token_answer_logs_in") else { return };
    let cassette =
        fs::read_to_string(folder.join("oauth/password-flow-token-resources-identity.yml")).expect("readable");
    let line = cassette.lines().find(|line| line.contains("\"access_token\"")).expect("a token answer");
    let body = line.trim().trim_start_matches("string: '").trim_end_matches('\'');
    let server = MockServer::start().await;
    let body = body.replace("https://<host>", &server.uri());
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_raw(body, "application/json"))
        .mount(&server)
        .await;
    let host = sforce::auth::LoginHost::allowing_loopback(&server.uri()).expect("loopback");
    let provider = sforce::auth::ClientCredentials::new(host, "id", "secret").expect("complete");
    let token = Client::builder(provider).build().expect("a client").access_token().await.expect("decodes");
    assert_eq!(token.secret().expose(), "REDACTED");
    assert!(token.identity_url().is_some_and(|url| url.path().starts_with("/id/00D1a000000H3O9EAK/")));
}
