//! Any mix of outcomes over the one call for any number of records: each input has one outcome, and it is true.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::{StreamExt as _, stream};
use proptest::prelude::*;
use serde_json::{Value, json};
use sforce::auth::{AccessToken, StaticToken};
use sforce::client::RetryPolicy;
use sforce::http::{Body, HeaderMap, HttpService, Method, Request, Response, StatusCode};
use sforce::sync::{WriteMany, WriteOutcome, WriteRoute};
use sforce::testing::ManualClock;
use sforce::{Client, Effect, Error, ErrorKind, Retry};

use crate::support::{field, object};

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
enum Happens {
    /// All is well.
    Nothing,
    /// Every so many records meet a lock.
    Locks(usize),
    /// Calls of more records than this use up a limit of the transaction.
    TooMany(usize),
    /// The records of the call that are at these places are refused for good.
    Refuses(usize),
    /// The server is busy, and does nothing.
    Busy,
    /// The connection breaks before the server has the call.
    Lost,
    /// It breaks after the server has done it.
    LostAnswer,
    /// A part of a packed call fails after it was done.
    PartFails,
    /// A part of a packed call is refused as a whole.
    PartRefused,
    /// The calls of the day are used up.
    UsedUp,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => Just(Happens::Nothing),
        3 => (1_usize..6).prop_map(Happens::Locks),
        2 => (0_usize..40).prop_map(Happens::TooMany),
        2 => (1_usize..7).prop_map(Happens::Refuses),
        1 => Just(Happens::Busy),
        1 => Just(Happens::Lost),
        2 => Just(Happens::LostAnswer),
        2 => Just(Happens::PartFails),
        1 => Just(Happens::PartRefused),
        1 => Just(Happens::UsedUp),
    ]
}

/// Records by key, or by how many times they were created where they have none.
#[derive(Debug, Default)]
struct Stored {
    by_key: BTreeMap<String, u64>,
    created: BTreeMap<u64, usize>,
    calls: usize,
}

#[derive(Debug)]
struct Scripted {
    script: Vec<Happens>,
    stored: Arc<Mutex<Stored>>,
}

/// An answer of the collections resources. Source: REST API Developer Guide, "Using sObject Collections".
fn saved(number: u64) -> Value {
    json!({"id": format!("a00{number:012}"), "success": true, "errors": [], "created": true})
}

fn refused(code: &str) -> Value {
    json!({"success": false, "errors": [{"statusCode": code, "message": code, "fields": []}]})
}

impl Scripted {
    fn apply(stored: &mut Stored, records: &[Value], upsert: bool, what: Happens) -> Vec<Value> {
        let write = |stored: &mut Stored, record: &Value| {
            let number = record["Number__c"].as_u64().expect("a number");
            if upsert {
                stored.by_key.insert(record["Key__c"].as_str().expect("a key").to_owned(), number);
            } else {
                *stored.created.entry(number).or_default() += 1;
            }
            saved(number)
        };
        let mut results = Vec::new();
        for (place, record) in records.iter().enumerate() {
            results.push(match what {
                Happens::Locks(every) if place % every == 0 => refused("UNABLE_TO_LOCK_ROW"),
                Happens::TooMany(most) if records.len() > most => {
                    json!({"success": false, "errors": [{"statusCode": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                        "message": "System.LimitException: Too many SOQL queries: 101", "fields": []}]})
                }
                Happens::Refuses(every) if place % every == 0 => refused("FIELD_CUSTOM_VALIDATION_EXCEPTION"),
                _ => write(stored, record),
            });
        }
        results
    }
}

fn lost(effect: Effect) -> Error {
    Error::new(ErrorKind::Transport, "", "the connection broke").with_retry(Retry::After(None)).with_effect(effect)
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    Response { status, headers: HeaderMap::new(), body: Body::from(body.to_string().into_bytes()) }
}

#[async_trait::async_trait]
impl HttpService for Scripted {
    async fn send(&self, request: Request) -> sforce::Result<Response> {
        let Body::Bytes(bytes) = &request.body else { panic!("a body of known length") };
        let body: Value = serde_json::from_slice(bytes).expect("JSON");
        let path = request.url.path().to_owned();
        let mut stored = self.stored.lock().expect("whole");
        let what = self.script.get(stored.calls).copied().unwrap_or(Happens::Nothing);
        stored.calls += 1;
        match what {
            Happens::Busy => return Ok(answer(503, &json!([{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]))),
            Happens::Lost => return Err(lost(Effect::None)),
            Happens::UsedUp => {
                let message = "TotalRequests Limit exceeded.";
                return Ok(answer(403, &json!([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": message}])));
            }
            _ => {}
        }
        let collection = |stored: &mut Stored, body: &Value, upsert, what| {
            Value::from(Self::apply(stored, body["records"].as_array().expect("records"), upsert, what))
        };
        let result = if path.ends_with("/composite") {
            let mut parts = Vec::new();
            for (place, part) in body["compositeRequest"].as_array().expect("parts").iter().enumerate() {
                let upsert = part["url"].as_str().expect("a URL").contains("Key__c");
                let refuses = matches!(what, Happens::PartRefused) && place == 0;
                let results = if refuses { Value::Null } else { collection(&mut stored, &part["body"], upsert, what) };
                let broke = matches!(what, Happens::PartFails) && place == 0;
                let (status, results) = if refuses {
                    (400, json!([{"errorCode": "JSON_PARSER_ERROR", "message": "one of them"}]))
                } else if broke {
                    (500, json!([{"errorCode": "UNKNOWN_EXCEPTION", "message": "it broke"}]))
                } else {
                    (200, results)
                };
                parts.push(json!({"body": results, "httpHeaders": {}, "httpStatusCode": status,
                    "referenceId": part["referenceId"]}));
            }
            json!({"compositeResponse": parts})
        } else {
            assert!(path.contains("/composite/sobjects"), "{path}");
            collection(&mut stored, &body, request.method == Method::PATCH, what)
        };
        if matches!(what, Happens::LostAnswer) {
            return Err(lost(Effect::Unknown));
        }
        Ok(answer(200, &result))
    }
}

fn many<T>(many: WriteMany<T>, packed: bool) -> WriteMany<T> {
    many.by(if packed { WriteRoute::Packed } else { WriteRoute::Collections })
}

/// Writes records with these keys, or creates so many.
async fn run(
    script: Vec<Happens>,
    keys: &[u8],
    upsert: bool,
    packed: bool,
) -> (BTreeMap<u64, WriteOutcome>, bool, Stored) {
    let stored = Arc::new(Mutex::new(Stored::default()));
    let token = AccessToken::allowing_loopback("00D!token", "http://127.0.0.1:9").expect("loopback");
    let service = Scripted { script, stored: Arc::clone(&stored) };
    let builder = Client::builder(StaticToken::new(token)).http(service).clock(ManualClock::default());
    let client = builder.retry(RetryPolicy::default().max_attempts(2)).build().expect("a client");
    let records: Vec<Value> = keys
        .iter()
        .zip(0_u64..)
        .map(|(key, number)| json!({"Key__c": format!("k{key}"), "Number__c": number, "Text__c": "x".repeat(300)}))
        .collect();
    let records = stream::iter(records);
    let mut outcomes = if upsert {
        many(client.upsert_many(object("Thing__c"), field("Key__c")), packed).run(records)
    } else {
        many(client.insert_many(object("Thing__c")), packed).run(records)
    };
    let mut told = BTreeMap::new();
    while let Some(row) = outcomes.next().await {
        assert!(told.insert(row.row, row.outcome).is_none(), "one outcome each");
    }
    let stopped = outcomes.stopped().is_some();
    drop(outcomes);
    let stored = std::mem::take(&mut *stored.lock().expect("whole"));
    (told, stopped, stored)
}

/// A call whose answer was lost is repeated, and what is refused then may have been written before: that is told of creations, where it
/// matters.
fn check(
    script: &[Happens],
    keys: &[u8],
    upsert: bool,
    told: &BTreeMap<u64, WriteOutcome>,
    stopped: bool,
    stored: &Stored,
) -> Result<(), TestCaseError> {
    let taken_in = told.keys().last().map_or(0, |last| last + 1);
    prop_assert_eq!(told.len() as u64, taken_in, "each record that was taken in has its outcome");
    prop_assert!(stopped || told.len() == keys.len(), "all are taken in");
    prop_assert!(stored.calls <= 60 + 4 * keys.len(), "{} calls", stored.calls);
    for (row, outcome) in told {
        let key = format!("k{}", keys[usize::try_from(*row).expect("small")]);
        match outcome {
            WriteOutcome::Folded { into } => {
                prop_assert!(into > row);
                prop_assert!(matches!(told.get(into), Some(WriteOutcome::Saved { .. })), "what stands for it is saved");
            }
            WriteOutcome::Saved { id, .. } => {
                let (records, id) = (&stored.created, id.to_string());
                prop_assert!(id.starts_with(&format!("a00{row:012}")), "the outcome of another record: {}", id);
                prop_assert!(upsert || records.get(row) == Some(&1), "created once");
                // What came later may stand there, or may not be known.
                let there = stored.by_key.get(&key).copied();
                prop_assert!(!upsert || there.is_some_and(|there| there >= *row), "{:?} after {}", there, row);
            }
            WriteOutcome::Rejected(_) | WriteOutcome::Deferred(_) => {
                let there =
                    if upsert { stored.by_key.get(&key) == Some(row) } else { stored.created.contains_key(row) };
                let lost = script.iter().any(|what| matches!(what, Happens::LostAnswer | Happens::PartFails));
                let refused = matches!(outcome, WriteOutcome::Rejected(_));
                prop_assert!(!there || (upsert && lost && refused), "record {} was written: {:?}", row, outcome);
            }
            WriteOutcome::Unknown(error) => prop_assert_eq!(error.effect(), Effect::Unknown),
            other => prop_assert!(false, "{:?}", other),
        }
    }
    prop_assert!(stored.created.values().all(|times| *times == 1), "no creation is doubled");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_outcomes_reaches_its_own_record_and_is_true(
        script in proptest::collection::vec(happens(), 0..24),
        keys in proptest::collection::vec(any::<u8>(), 1..600),
        upsert in any::<bool>(),
        packed in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (told, stopped, stored) = runtime.block_on(run(script.clone(), &keys, upsert, packed));
        check(&script, &keys, upsert, &told, stopped, &stored)?;
    }
}

#[tokio::test]
async fn a_part_that_is_refused_or_broke_costs_none_of_its_records() {
    let keys: Vec<u8> = (0..250).collect();
    let (told, stopped, stored) = run(vec![Happens::PartRefused], &keys, true, true).await;
    assert!(!stopped && told.values().all(|outcome| matches!(outcome, WriteOutcome::Saved { .. })), "{told:?}");
    assert_eq!(stored.by_key.len(), 250);
    let (told, _, stored) = run(vec![Happens::PartFails], &keys, false, true).await;
    let unknown = told.values().filter(|outcome| matches!(outcome, WriteOutcome::Unknown(_))).count();
    assert_eq!((unknown, stored.created.len()), (200, 250), "what may have been created is not sent again");
    assert!(stored.created.values().all(|times| *times == 1));
}
