//! What resolving a record costs beside code written by hand for it: nanoseconds, allocations, and how both grow with the fields.
//!
//! `cargo bench --bench conflict` prints the figures; with `-- --check` it fails when resolving 12 fields takes more than
//! 3 times as long as the hand-written code, when it allocates more than the values that are written, lost or asked about and
//! what a record takes however many fields it has, when the time per field of 500 fields is more than twice that of 12, or when
//! the hand-written code comes to another result. Both kinds run in short turns, and the best turn of
//! each counts: what else the machine does can only make one slower.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use sforce::conflict::{ConflictPolicy, Policy, Recency, Resolution, State, resolve};
use sforce::types::{Decimal, Field, Record, Timestamp, Value};

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let mut failed = false;
    let mut row = |name: &str, ours: f64, by_hand: f64, ratio: f64, allocations: (u64, u64), limit: f64| {
        println!("| {name} | {ours:.0} | {by_hand:.0} | {ratio:.2} | {} | {} |", allocations.0, allocations.1);
        failed |= ratio > limit;
    };
    let mut wrong: Vec<String> = Vec::new();
    println!("| 12 fields | ns | by hand, ns | ratio | allocations | by hand |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (name, edited) in [("no edit", 0), ("4 edits", 4), ("12 conflicts", 12)] {
        let [base, source, remote] = texts(edited);
        let policy = ConflictPolicy::new(Policy::most_recent());
        let (base_record, source_state, remote_state) = (record(&base), state(&source, 1), state(&remote, 2));
        let (by_hand_base, by_hand_source, by_hand_remote) = (typed(&base), typed(&source), typed(&remote));

        let resolution = resolve(Some(&base_record), &source_state, &remote_state, &policy);
        let merged = merge(&by_hand_base, &by_hand_source, &by_hand_remote, false);
        if ours_told(&resolution) != by_hand_told(&merged) {
            wrong.push(format!("{name}: {:?} by hand, {:?}", by_hand_told(&merged), ours_told(&resolution)));
        }

        let ours = || black_box(resolve(Some(&base_record), &source_state, &remote_state, &policy)).decisions.len();
        let hand = || black_box(merge(&by_hand_base, &by_hand_source, &by_hand_remote, false)).decisions.len();
        let (one, other, ratio) = in_turns(ours, hand);
        row(&format!("{name}, in memory"), one, other, ratio, (allocations(ours), allocations(hand)), 3.0);
        if allocations(ours) > texts_of(&resolution) + PER_RECORD {
            wrong.push(format!("{name}: {} allocations for {} texts", allocations(ours), texts_of(&resolution)));
        }

        let ours = || {
            let resolution = resolve(Some(&record(&base)), &state(&source, 1), &state(&remote, 2), &policy);
            write(&resolution.to_salesforce) + write(&resolution.to_source) + write(&resolution.decisions)
        };
        let hand = || {
            let merged = merge(&typed(&base), &typed(&source), &typed(&remote), false);
            write(&merged.to_salesforce) + write(&merged.to_source) + write(&merged.decisions)
        };
        let (one, other, ratio) = in_turns(ours, hand);
        row(&format!("{name}, JSON to JSON"), one, other, ratio, (allocations(ours), allocations(hand)), 3.0);
    }

    println!("\n| policy | fields | ns | ns per field | beside 12 fields | allocations |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let stamped = Policy::MostRecent(Recency { stamp_field: Some("Field_0__c".into()), ..Recency::default() });
    for (policy, counts) in [
        (Policy::Max, &[1, 12, 50, 100, 250, 500][..]),
        (Policy::Sum, &[12, 500]),
        (Policy::Ask, &[12, 500]),
        (stamped, &[12, 500]),
    ] {
        let twelve = many_fields(12, &policy);
        for fields in counts {
            let run = many_fields(*fields, &policy);
            let (time, _, ratio) = in_turns(&run, &twelve);
            let per_field = ratio * 12.0 / f64::from(*fields);
            let (allocated, each) = (allocations(&run), time / f64::from(*fields));
            println!("| {policy} | {fields} | {time:.0} | {each:.1} | {per_field:.2} | {allocated} |");
            failed |= *fields > 12 && per_field > 2.0;
            if allocated > PER_RECORD {
                wrong.push(format!("{policy}, {fields} fields: {allocated} allocations, and numbers need none"));
            }
        }
    }
    for wrong in &wrong {
        eprintln!("{wrong}");
    }
    if check && (failed || !wrong.is_empty()) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What a record may allocate beside its values, of one field or of 500: lists that grow by doubling, and tables by name.
const PER_RECORD: u64 = 32;

/// The texts that a resolution holds of its own.
fn texts_of(resolution: &Resolution) -> u64 {
    let written = [&resolution.to_salesforce, &resolution.to_source];
    let written = written.into_iter().flat_map(Record::iter).map(|(_, value)| Some(value));
    let lost = resolution.decisions.iter().flat_map(|one| [one.lost_source.as_ref(), one.lost_salesforce.as_ref()]);
    let asked =
        resolution.questions.iter().flat_map(|one| [one.base.as_ref(), one.source.as_ref(), one.remote.as_ref()]);
    written.chain(lost).chain(asked).flatten().filter(|value| value.as_text().is_some()).count() as u64
}

/// What was decided: the two writes, and of each field the winner, the rule and what was lost.
type Told = (serde_json::Value, serde_json::Value, Vec<(String, serde_json::Value, String, serde_json::Value)>);

fn json(value: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn ours_told(resolution: &Resolution) -> Told {
    let decisions = resolution.decisions.iter().map(|decision| {
        let lost = decision.lost_source.as_ref().or(decision.lost_salesforce.as_ref());
        (decision.field.to_string(), json(&decision.winner), decision.rule.to_owned(), json(&lost))
    });
    (json(&resolution.to_salesforce), json(&resolution.to_source), decisions.collect())
}

fn by_hand_told(merged: &Merged) -> Told {
    let decisions = merged.decisions.iter().map(|decision| {
        (decision.field.to_owned(), json(&decision.winner), decision.rule.to_owned(), json(&decision.lost))
    });
    (json(&merged.to_salesforce), json(&merged.to_source), decisions.collect())
}

/// Resolves records of so many fields, each side with its fields in an order of its own.
fn many_fields(fields: u32, policy: &Policy) -> impl Fn() -> usize + use<> {
    let numbers = |step: u32| {
        let mut record = Record::with_capacity(fields as usize);
        for place in 0..fields {
            // Steps that share no factor with the numbers of fields, so that each field comes once.
            let number = (place * step) % fields;
            record.set(format!("Field_{number}__c"), Value::from(number * step));
        }
        record
    };
    let (base, source, remote) = (numbers(1), State::new(numbers(7)), State::new(numbers(11)));
    let policy = ConflictPolicy::new(policy.clone());
    move || black_box(resolve(Some(&base), &source, &remote, &policy)).decisions.len()
}

/// Nanoseconds per call of each in its best turn, and their ratio.
fn in_turns(ours: impl Fn() -> usize, hand: impl Fn() -> usize) -> (f64, f64, f64) {
    let (our_calls, hand_calls) = (calls_in_1_ms(&ours), calls_in_1_ms(&hand));
    let (mut one, mut other) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..200 {
        one = one.min(time(&ours, our_calls));
        other = other.min(time(&hand, hand_calls));
    }
    (one, other, one / other)
}

fn calls_in_1_ms(call: &impl Fn() -> usize) -> u32 {
    let start = now();
    let mut calls = 0;
    while start.elapsed().as_micros() < 1000 {
        black_box(call());
        calls += 1;
    }
    calls
}

fn time(call: &impl Fn() -> usize, calls: u32) -> f64 {
    let start = now();
    for _ in 0..calls {
        black_box(call());
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn allocations(call: impl Fn() -> usize) -> u64 {
    let counted = allocation_counter::measure(|| {
        black_box(call());
    });
    counted.count_total
}

fn write(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |bytes| bytes.len())
}

/// A contact with 12 fields: the base, and both sides with so many fields edited.
fn texts(edited: usize) -> [String; 3] {
    let side = |mark: &str, edited: usize| {
        let changed = |place: usize| if place < edited { mark } else { "" };
        let number = |place: usize| if place < edited { mark.len() } else { 0 };
        format!(
            r#"{{"FirstName":"Ada{}","LastName":"Lovelace{}","Email":"ada{}@acme.example","Phone":"+44 20 7946 09{}","Title":"Countess{}","LeadSource":"Web{}","Score__c":1{}7.25,"Visits__c":1{},"Minutes__c":0.12{},"Is_DQL__c":{},"Last_Visit__c":"2026-05-0{}T07:25:37.000Z","OwnerId":"005dM00000aYf{}qQAC"}}"#,
            changed(0),
            changed(1),
            changed(2),
            changed(3),
            changed(4),
            changed(5),
            number(6),
            number(7),
            number(8),
            9 < edited && mark.len() == 1,
            1 + number(10),
            number(11),
        )
    };
    [side("", 0), side("x", edited), side("yy", edited)]
}

fn record(text: &str) -> Record {
    Record::from_json(text).unwrap_or_default()
}

fn state(text: &str, second: i64) -> State {
    let state = State::new(record(text));
    match Timestamp::from_unix_millis(second * 1000) {
        Some(stamp) => state.changed_at(stamp),
        None => state,
    }
}

// What a careful team writes by hand for these twelve fields and this one policy.

#[derive(Default, Serialize, Deserialize)]
struct Contact {
    #[serde(rename = "FirstName", skip_serializing_if = "Field::is_absent", default)]
    first_name: Field<String>,
    #[serde(rename = "LastName", skip_serializing_if = "Field::is_absent", default)]
    last_name: Field<String>,
    #[serde(rename = "Email", skip_serializing_if = "Field::is_absent", default)]
    email: Field<String>,
    #[serde(rename = "Phone", skip_serializing_if = "Field::is_absent", default)]
    phone: Field<String>,
    #[serde(rename = "Title", skip_serializing_if = "Field::is_absent", default)]
    title: Field<String>,
    #[serde(rename = "LeadSource", skip_serializing_if = "Field::is_absent", default)]
    lead_source: Field<String>,
    #[serde(rename = "Score__c", skip_serializing_if = "Field::is_absent", default)]
    score: Field<Decimal>,
    #[serde(rename = "Visits__c", skip_serializing_if = "Field::is_absent", default)]
    visits: Field<Decimal>,
    #[serde(rename = "Minutes__c", skip_serializing_if = "Field::is_absent", default)]
    minutes: Field<Decimal>,
    #[serde(rename = "Is_DQL__c", skip_serializing_if = "Field::is_absent", default)]
    is_dql: Field<bool>,
    #[serde(rename = "Last_Visit__c", skip_serializing_if = "Field::is_absent", default)]
    last_visit: Field<Timestamp>,
    #[serde(rename = "OwnerId", skip_serializing_if = "Field::is_absent", default)]
    owner: Field<String>,
}

fn typed(text: &str) -> Contact {
    serde_json::from_str(text).unwrap_or_default()
}

#[derive(Serialize)]
struct ByHand {
    field: &'static str,
    winner: &'static str,
    rule: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<Value>,
}

#[derive(Default)]
struct Merged {
    to_salesforce: Contact,
    to_source: Contact,
    decisions: Vec<ByHand>,
}

fn merge(base: &Contact, source: &Contact, remote: &Contact, source_is_younger: bool) -> Merged {
    let mut merged = Merged { decisions: Vec::with_capacity(12), ..Merged::default() };
    macro_rules! fields {
        ($($field:ident $name:literal),*) => {$({
            let (decision, to_salesforce, to_source) =
                field($name, &base.$field, &source.$field, &remote.$field, source_is_younger);
            merged.decisions.push(decision);
            merged.to_salesforce.$field = to_salesforce;
            merged.to_source.$field = to_source;
        })*};
    }
    fields!(first_name "FirstName", last_name "LastName", email "Email", phone "Phone", title "Title",
        lead_source "LeadSource", score "Score__c", visits "Visits__c", minutes "Minutes__c", is_dql "Is_DQL__c",
        last_visit "Last_Visit__c", owner "OwnerId");
    merged
}

fn field<T: Clone + PartialEq + Into<Value>>(
    field: &'static str,
    base: &Field<T>,
    source: &Field<T>,
    remote: &Field<T>,
    source_is_younger: bool,
) -> (ByHand, Field<T>, Field<T>) {
    let decision = |winner, rule, reason, lost: Option<&Field<T>>| {
        let lost = lost.map(|lost| lost.as_set().cloned().map_or(Value::Null, Into::into));
        ByHand { field, winner, rule, reason, lost }
    };
    let edited = |side: &Field<T>| !side.is_absent() && (base.is_absent() || side != base);
    match (edited(source), edited(remote)) {
        _ if source == remote => {
            (decision("none", "equal", "both sides have the same value", None), Field::Absent, Field::Absent)
        }
        (true, false) => {
            (decision("source", "one_side_edited", "only the source changed", None), source.clone(), Field::Absent)
        }
        (false, true) => {
            (decision("salesforce", "one_side_edited", "only Salesforce changed", None), Field::Absent, remote.clone())
        }
        (false, false) => (decision("none", "not_known", "neither side knows it", None), Field::Absent, Field::Absent),
        (true, true) if source_is_younger => {
            (decision("source", "most_recent", "the source is younger", Some(remote)), source.clone(), Field::Absent)
        }
        (true, true) => (
            decision("salesforce", "most_recent", "Salesforce is younger", Some(source)),
            Field::Absent,
            remote.clone(),
        ),
    }
}
