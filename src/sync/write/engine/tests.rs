//! Any mix of outcomes over the one call for any number of records: each input has one outcome, and it is true.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use futures_util::stream;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::row::Target;
use super::*;
use crate::auth::{AccessToken, StaticToken};
use crate::client::RetryPolicy;
use crate::clock::Clock;
use crate::error::{Effect, Retry};
use crate::http::{Body, HeaderMap, HttpService, Method, Request, Response, StatusCode};
use crate::sync::batch::is_outage;
use crate::types::{FieldName, RecordId, SObjectName};

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
enum Happens {
    /// All is well.
    Nothing,
    /// Every so many records meet a lock.
    Locks(usize),
    /// Calls of more records than this use up a limit of the transaction, which is told of each record.
    TooMany(usize),
    /// The same, told of the whole call.
    TooLong(usize),
    /// Every so many records are refused for good.
    Refuses(usize),
    /// The server is busy, and does nothing.
    Busy,
    /// The connection breaks before the server has the call.
    Lost,
    /// It breaks after the server has done it.
    LostAnswer,
    /// The answer lacks the last record.
    Short,
    /// A part of a packed call fails after it was done.
    PartFails,
    /// A part of a packed call is refused as a whole.
    PartRefused,
    /// The calls of the day are used up.
    UsedUp,
    /// Storage is used up, which is told of every so many records.
    Full(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        8 => Just(Happens::Nothing),
        4 => (1_usize..6).prop_map(Happens::Locks),
        2 => (0_usize..40).prop_map(Happens::TooMany),
        1 => (0_usize..10).prop_map(Happens::TooLong),
        2 => (1_usize..7).prop_map(Happens::Refuses),
        1 => Just(Happens::Busy),
        1 => Just(Happens::Lost),
        1 => Just(Happens::LostAnswer),
        1 => Just(Happens::Short),
        1 => Just(Happens::PartFails),
        1 => Just(Happens::PartRefused),
        1 => prop_oneof![Just(Happens::UsedUp), (1_usize..7).prop_map(Happens::Full)],
    ]
}

impl Happens {
    /// Whether what was done may be told otherwise.
    fn leaves_doubt(self) -> bool {
        matches!(self, Self::LostAnswer | Self::Short | Self::PartFails | Self::TooLong(_))
    }
}

/// A record of the input.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is drawn by itself")]
struct Given {
    key: u8,
    /// The other spelling of the key, which is the same record.
    upper: bool,
    /// Whether the org refuses it, and what it is folded into.
    bad: bool,
    /// Whether it takes many bytes.
    long: bool,
    /// Whether the input pauses before it.
    late: bool,
}

fn given() -> impl Strategy<Value = Given> {
    let seldom = |weight| prop::bool::weighted(weight);
    (0_u8..12, any::<bool>(), seldom(0.06), seldom(0.1), seldom(0.15)).prop_map(|(key, upper, bad, long, late)| Given {
        key,
        upper,
        bad,
        long,
        late,
    })
}

impl Given {
    fn id(self) -> RecordId {
        RecordId::new(&id(u64::from(self.key))).expect("an id")
    }

    fn spelt(self) -> String {
        if self.upper { format!("K{}", self.key) } else { format!("k{}", self.key) }
    }

    /// Each record sets one of three fields, so that those that were folded can be told from those that were not.
    fn json(self, target: &Target, number: u64) -> Value {
        let mut record = json!({"Number__c": number});
        if matches!(target, Target::Upsert(_)) {
            record["Key__c"] = self.spelt().into();
        }
        record[format!("F{}__c", number % 3)] = number.into();
        if self.bad {
            record["Bad__c"] = true.into();
        }
        if self.long {
            record["Text__c"] = "x".repeat(900).into();
        }
        record
    }
}

fn id(number: u64) -> String {
    format!("a00{number:012}")
}

/// What the org has.
#[derive(Debug, Default)]
struct Stored {
    /// By key in lower case, or by id.
    records: BTreeMap<String, Map<String, Value>>,
    /// How often each record without a key was created.
    created: BTreeMap<u64, usize>,
    deleted: BTreeSet<String>,
    calls: usize,
}

#[derive(Debug)]
struct Scripted {
    target: Target,
    script: Vec<Happens>,
    stored: Arc<Mutex<Stored>>,
}

fn refused(code: &str) -> Value {
    json!({"success": false, "errors": [{"statusCode": code, "message": code, "fields": []}]})
}

/// An answer of the collections resources. Source: REST API Developer Guide, "Using sObject Collections".
fn saved(id: &str) -> Value {
    json!({"id": id, "success": true, "errors": []})
}

fn failed(code: &str, message: &str) -> Value {
    json!([{"errorCode": code, "message": message}])
}

impl Stored {
    fn write(&mut self, target: &Target, record: &Value) -> Value {
        let text = |name: &str| record[name].as_str().expect(name).to_owned();
        let number = || record["Number__c"].as_u64().expect("a number");
        if *target == Target::Delete {
            let id = text("id");
            return if self.deleted.insert(id.clone()) { saved(&id) } else { refused("ENTITY_IS_DELETED") };
        }
        if record.get("Bad__c").is_some() {
            return refused("FIELD_CUSTOM_VALIDATION_EXCEPTION");
        }
        let key = match target {
            Target::Upsert(_) => text("Key__c").to_lowercase(),
            Target::Insert => {
                *self.created.entry(number()).or_default() += 1;
                return saved(&id(number()));
            }
            _ => text("id"),
        };
        let fields = record.as_object().expect("a record").iter().filter(|(name, _)| name.ends_with("__c"));
        let fields = fields.filter(|(name, _)| *name != "Key__c").map(|(name, value)| (name.clone(), value.clone()));
        self.records.entry(key).or_default().extend(fields);
        // Of an upsert the id tells which of the records it was.
        saved(&if *target == Target::Update { text("id") } else { id(number()) })
    }

    fn apply(&mut self, target: &Target, records: &[Value], what: Happens) -> Vec<Value> {
        let count = records.len();
        let one = |(place, record): (usize, &Value)| match what {
            Happens::Locks(every) if place % every == 0 => refused("UNABLE_TO_LOCK_ROW"),
            Happens::TooMany(most) if count > most => {
                json!({"success": false, "errors": [{"statusCode": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                    "message": "System.LimitException: Too many SOQL queries: 101", "fields": []}]})
            }
            Happens::Refuses(every) if place % every == 0 => refused("FIELD_CUSTOM_VALIDATION_EXCEPTION"),
            Happens::Full(every) if place % every == 0 => refused("STORAGE_LIMIT_EXCEEDED"),
            _ => self.write(target, record),
        };
        let mut results: Vec<Value> = records.iter().enumerate().map(one).collect();
        if matches!(what, Happens::Short) {
            results.pop();
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

/// The records of a collection, or the ids that stand in the address of one to be deleted.
fn records(address: &str, body: &Value) -> Vec<Value> {
    match address.split_once("ids=") {
        Some((_, ids)) => {
            let ids = ids.split('&').next().unwrap_or_default().replace("%2C", ",");
            ids.split(',').map(|id| json!({"id": id})).collect()
        }
        None => body["records"].as_array().expect("records").clone(),
    }
}

#[async_trait::async_trait]
impl HttpService for Scripted {
    async fn send(&self, request: Request) -> Result<Response> {
        let Body::Bytes(bytes) = &request.body else { panic!("a body of known length") };
        let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let mut stored = self.stored.lock().expect("whole");
        let what = self.script.get(stored.calls).copied().unwrap_or(Happens::Nothing);
        stored.calls += 1;
        let address = request.url.as_str();
        let is_packed = request.url.path().ends_with("/composite");
        match what {
            Happens::Busy => return Ok(answer(503, &failed("SERVER_UNAVAILABLE", "busy"))),
            Happens::Lost => return Err(lost(Effect::None)),
            Happens::UsedUp => {
                return Ok(answer(403, &failed("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")));
            }
            Happens::TooLong(most) if is_packed || records(address, &body).len() > most => {
                return Ok(answer(500, &failed("REQUEST_RUNNING_TOO_LONG", "Your request was running for too long.")));
            }
            _ => {}
        }
        let result = if is_packed {
            let mut parts = Vec::new();
            for (place, part) in body["compositeRequest"].as_array().expect("parts").iter().enumerate() {
                let records = records(part["url"].as_str().expect("a URL"), &part["body"]);
                let (status, results) = match what {
                    Happens::PartRefused if place == 0 => (400, failed("JSON_PARSER_ERROR", "one of them")),
                    Happens::PartFails if place == 0 => {
                        stored.apply(&self.target, &records, what);
                        (500, failed("UNKNOWN_EXCEPTION", "it broke"))
                    }
                    _ => (200, stored.apply(&self.target, &records, what).into()),
                };
                parts.push(json!({"body": results, "httpHeaders": {}, "httpStatusCode": status,
                    "referenceId": part["referenceId"]}));
            }
            json!({"compositeResponse": parts})
        } else {
            let method = match self.target {
                Target::Insert => Method::POST,
                Target::Delete => Method::DELETE,
                _ => Method::PATCH,
            };
            assert_eq!(request.method, method);
            stored.apply(&self.target, &records(address, &body), what).into()
        };
        if matches!(what, Happens::LostAnswer) {
            return Err(lost(Effect::Unknown));
        }
        Ok(answer(200, &result))
    }
}

/// A clock that stands still but for those who sleep; the one of `testing` has a feature of its own.
#[derive(Debug, Default)]
struct Hand(Mutex<Duration>);

#[async_trait::async_trait]
impl Clock for Hand {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().expect("whole")
    }

    async fn sleep(&self, duration: Duration) {
        *self.0.lock().expect("whole") += duration;
        tokio::task::yield_now().await;
    }
}

/// What was told, why it stopped, and what the org has.
struct Told {
    outcomes: BTreeMap<u64, WriteOutcome>,
    stopped: Option<Error>,
    stored: Stored,
}

async fn write(target: &Target, script: &[Happens], given: &[Given], route: WriteRoute, bounds: Bounds) -> Told {
    let stored = Arc::new(Mutex::new(Stored::default()));
    let token = AccessToken::allowing_loopback("00D!token", "http://127.0.0.1:9").expect("loopback");
    let service = Scripted { target: target.clone(), script: script.to_vec(), stored: Arc::clone(&stored) };
    let builder = Client::builder(StaticToken::new(token)).http(service).clock(Hand::default());
    let client = builder.retry(RetryPolicy::default().max_attempts(2)).build().expect("a client");
    let intake = Arc::new(Intake::new(target.clone(), SObjectName::from_static("Thing__c"), Vec::new()));
    let reader = Arc::clone(&intake);
    let input = stream::iter(given.to_vec()).enumerate().then(move |(place, given)| {
        let (place, with_id) = (place as u64, matches!(reader.target(), Target::Update | Target::Delete));
        let record = if *reader.target() == Target::Delete { json!({}) } else { given.json(reader.target(), place) };
        let row = reader.row(place, with_id.then(|| given.id()), &record, Vec::new());
        async move {
            if given.late {
                tokio::task::yield_now().await;
            }
            row.map_err(|error| (place, error))
        }
    });
    let mut engine = Engine::new(client, intake, input.boxed()).with_route(Freshness::Now, Some(route), 1);
    engine.bounds = bounds;
    engine.choose();
    let mut outcomes = BTreeMap::new();
    while let Some(row) = engine.next().await {
        assert!(outcomes.insert(row.row, row.outcome).is_none(), "one outcome each");
    }
    let stopped = engine.stopped().cloned();
    assert_eq!((engine.folded_rows, engine.folded.len(), engine.schedule.bytes()), (0, 0, 0), "nothing is left");
    assert!(engine.job_bytes == 0 && engine.schedule.len() == 0);
    drop(engine);
    let stored = std::mem::take(&mut *stored.lock().expect("whole"));
    Told { outcomes, stopped, stored }
}

fn check(target: &Target, script: &[Happens], given: &[Given], told: &Told) -> std::result::Result<(), TestCaseError> {
    let Told { outcomes, stopped, stored } = told;
    let taken_in = outcomes.keys().last().map_or(0, |last| last + 1);
    prop_assert_eq!(outcomes.len() as u64, taken_in, "each record that was taken in has its outcome");
    prop_assert!(stopped.is_some() || outcomes.len() == given.len(), "all are taken in");
    let ours = stopped.as_ref().is_some_and(|error| error.kind() == ErrorKind::Unexpected);
    prop_assert!(!ours, "nothing but the org stops it: {:?}", stopped);
    prop_assert!(stored.calls <= 60 + 5 * given.len(), "{} calls", stored.calls);
    prop_assert!(stored.created.values().all(|times| *times == 1), "no creation is doubled");
    let doubt = script.iter().any(|what| what.leaves_doubt());
    // What the org has to have, where nothing was lost: what is told to be done, one after the other.
    let mut expected: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut deleted = BTreeSet::new();
    for ((row, outcome), given) in outcomes.iter().zip(given) {
        let record = given.json(target, *row);
        let key = if *target == Target::Update { given.id().to_string() } else { given.spelt().to_lowercase() };
        let number = Value::from(*row);
        let ours = outcome.error().is_some_and(|error| error.kind() == ErrorKind::Unexpected);
        prop_assert!(!ours, "only the org keeps {} from being written: {:?}", row, outcome);
        let there = stored.records.get(&key).and_then(|record| record.get("Number__c"));
        match outcome {
            WriteOutcome::Folded { into } => {
                prop_assert!(into > row);
                let standing = outcomes.get(into);
                let done = matches!(standing, Some(WriteOutcome::Saved { .. } | WriteOutcome::Deleted));
                prop_assert!(done, "what stands for {} is {:?}", row, standing);
            }
            WriteOutcome::Saved { id: told, .. } => {
                let own = if *target == Target::Update { given.id() } else { RecordId::new(&id(*row)).expect("an id") };
                prop_assert_eq!(*told, own, "the outcome of another record");
                prop_assert!(*target != Target::Insert || stored.created.contains_key(row));
                prop_assert!(!given.bad, "what the org refuses is not there");
                prop_assert!(*target == Target::Insert || there.is_some(), "it is there");
            }
            WriteOutcome::Deleted => prop_assert!(stored.deleted.contains(&given.id().to_string())),
            WriteOutcome::Rejected(error) | WriteOutcome::Deferred(error) => {
                let refused = matches!(outcome, WriteOutcome::Rejected(_));
                prop_assert_eq!(error.effect(), Effect::None);
                let passes = is_outage(error) || error.kind() == ErrorKind::LimitExceeded;
                prop_assert!(!(refused && passes), "{} is no refusal: {:?}", row, error);
                prop_assert!(!stored.created.contains_key(row), "record {} was created: {:?}", row, outcome);
                // What was repeated after a lost answer may have been written by the first try.
                prop_assert!((doubt && refused) || there != Some(&number), "record {} was written: {:?}", row, outcome);
            }
            WriteOutcome::Unknown(error) => {
                prop_assert_eq!(error.effect(), Effect::Unknown);
                prop_assert!(doubt || script.iter().any(|what| matches!(what, Happens::Busy)), "{:?}", error);
            }
        }
        if outcome.is_done() && *target == Target::Delete {
            deleted.insert(given.id().to_string());
        } else if outcome.is_done() && *target != Target::Insert {
            let fields = record.as_object().into_iter().flatten().filter(|(name, _)| *name != "Key__c");
            expected.entry(key).or_default().extend(fields.map(|(name, value)| (name.clone(), value.clone())));
        }
    }
    if !doubt {
        prop_assert_eq!(&stored.records, &expected);
        prop_assert_eq!(&stored.deleted, &deleted);
    }
    Ok(())
}

fn targets() -> impl Strategy<Value = Target> {
    prop_oneof![
        4 => Just(Target::Upsert(FieldName::from_static("Key__c"))),
        2 => Just(Target::Insert),
        2 => Just(Target::Update),
        1 => Just(Target::Delete),
    ]
}

fn hold(
    target: &Target,
    script: &[Happens],
    given: &[Given],
    route: WriteRoute,
    bounds: Bounds,
) -> std::result::Result<(), TestCaseError> {
    check(target, script, given, &told(target, script, given, route, bounds))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_outcomes_reaches_its_own_record_and_is_true(
        target in targets(),
        script in proptest::collection::vec(happens(), 0..24),
        given in proptest::collection::vec(given(), 1..80),
        rows_of_a_call in 1_usize..9,
        ahead in 1_usize..5,
        bytes in 1_usize..6000,
        folded in 1_usize..12,
    ) {
        let bounds = Bounds { rows_of_a_call, ahead, bytes, folded };
        hold(&target, &script, &given, WriteRoute::Collections, bounds)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_outcomes_of_packed_calls_reaches_its_own_record_and_is_true(
        target in targets(),
        script in proptest::collection::vec(
            prop_oneof![4 => happens(), 1 => Just(Happens::PartFails), 1 => Just(Happens::PartRefused)],
            0..8,
        ),
        given in proptest::collection::vec(given(), 200..700),
        keys in 1_u8..=255,
    ) {
        // Enough keys for calls of more than 200.
        let spread = |(place, given): (usize, &Given)| {
            let key = u8::try_from(place % usize::from(keys)).expect("small");
            Given { key, late: given.late && place % 250 == 0, ..*given }
        };
        let given: Vec<Given> = given.iter().enumerate().map(spread).collect();
        hold(&target, &script, &given, WriteRoute::Packed, BOUNDS)?;
    }
}

fn told(target: &Target, script: &[Happens], given: &[Given], route: WriteRoute, bounds: Bounds) -> Told {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(write(target, script, given, route, bounds))
}

#[test]
fn a_part_that_is_refused_or_broke_costs_none_of_its_records() {
    let given = |key| Given { key, upper: false, bad: false, long: false, late: false };
    let given: Vec<Given> = (0..250).map(given).collect();
    let run = |target: &Target, what| told(target, &[what], &given, WriteRoute::Packed, BOUNDS);
    let told = run(&Target::Upsert(FieldName::from_static("Key__c")), Happens::PartRefused);
    assert!(told.stopped.is_none() && told.outcomes.values().all(WriteOutcome::is_done), "{:?}", told.outcomes);
    assert_eq!(told.stored.records.len(), 250);
    let told = run(&Target::Insert, Happens::PartFails);
    let unknown = told.outcomes.values().filter(|outcome| matches!(outcome, WriteOutcome::Unknown(_))).count();
    assert_eq!((unknown, told.stored.created.len()), (200, 250), "what may have been created is not sent again");
    assert!(told.stored.created.values().all(|times| *times == 1));
}

#[test]
fn a_record_that_may_be_written_is_not_told_as_open_when_it_is_refused_with_a_later_one() {
    let first = Given { key: 0, upper: false, bad: false, long: false, late: false };
    let later = Given { bad: true, late: true, ..first };
    let bounds = Bounds { rows_of_a_call: 1, ..BOUNDS };
    // It is written, its answer is lost, and the repetition meets a lock: the later one stands for both.
    let script = [Happens::LostAnswer, Happens::Locks(1)];
    let told = told(&Target::Update, &script, &[first, later], WriteRoute::Collections, bounds);
    assert!(
        matches!((&told.outcomes[&0], &told.outcomes[&1]), (WriteOutcome::Unknown(_), WriteOutcome::Rejected(_))),
        "{:?}",
        told.outcomes
    );
    assert_eq!(told.stored.records[first.id().as_str()]["Number__c"], 0);
}

#[test]
fn rows_that_come_back_after_the_run_has_stopped_are_deferred() {
    let given: Vec<Given> =
        (0..8).map(|key| Given { key, upper: false, bad: false, long: false, late: false }).collect();
    let bounds = Bounds { rows_of_a_call: 2, ..BOUNDS };
    // Four calls fly: one is told that the calls of the day are used up, and others meet locks.
    let script = [Happens::UsedUp, Happens::Locks(1), Happens::Locks(1), Happens::Nothing];
    let told = told(&Target::Update, &script, &given, WriteRoute::Collections, bounds);
    assert_eq!(told.stopped.expect("used up").kind(), ErrorKind::LimitExceeded);
    let count = |is: fn(&WriteOutcome) -> bool| told.outcomes.values().filter(|outcome| is(outcome)).count();
    assert_eq!(count(|outcome| matches!(outcome, WriteOutcome::Deferred(_))), 6, "{:?}", told.outcomes);
    assert_eq!((count(WriteOutcome::is_done), told.stored.records.len()), (2, 2));
    let locked = |outcome: &WriteOutcome| outcome.error().is_some_and(|error| error.kind() == ErrorKind::RowLocked);
    assert_eq!(count(locked), 4, "each is told why: {:?}", told.outcomes);
}
