//! What mapping a record costs against hand-written serde code that does the same, on one core.
//!
//! `cargo bench --bench mapping` prints the tables; with `-- --check` it fails where mapping takes more than twice as long, or
//! where a field costs more the more fields there are. The record is an engagement session, 12 fields by the default map: texts in
//! one line of a limited length, an email address, an instant, exact numbers, and lists joined to texts.

use std::fmt::Write as _;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};
use sforce::adapters::engagement::{Prefix, session_map};
use sforce::clock::{Clock, SystemClock};
use sforce::mapping::{
    CompiledMap, FieldMap, FieldRule, Input, Mapped, MappedRecord, NamedValue, Transform, Transforms,
};
use sforce::types::{Decimal, Direction, FieldName, Record, Rounding, SObjectName, Timestamp};

/// How many times as long as hand-written code mapping may take.
const LIMIT: f64 = 2.0;

/// How many times as much a field may cost in a record of 500 as in one of 12.
const GROWTH: f64 = 2.0;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    match run() {
        Ok(wrong) if wrong.is_empty() || !check => ExitCode::SUCCESS,
        Ok(wrong) => {
            eprintln!("{}", wrong.join("\n"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Vec<String>, Failure> {
    let mut wrong = against_hand_written()?;
    wrong.extend(growth()?);
    Ok(wrong)
}

/// A session as hand-written code takes it in.
#[derive(Clone, Deserialize)]
struct Session {
    #[serde(rename = "session_id")]
    id: String,
    started_at: Option<Timestamp>,
    full_name: Option<String>,
    email: Option<String>,
    duration_seconds: Option<Decimal>,
    steps_viewed: Option<Decimal>,
    demos: Option<Vec<String>>,
    flows: Option<Vec<String>>,
    very_interested: Option<Vec<String>>,
    somewhat_interested: Option<Vec<String>>,
    not_interested: Option<Vec<String>>,
}

/// And as it sends it.
#[derive(Serialize)]
struct Body {
    #[serde(rename = "Navattic_Session_Key__c")]
    key: String,
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Navattic_Started_At__c", skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(rename = "Navattic_Full_Name__c", skip_serializing_if = "Option::is_none")]
    full_name: Option<String>,
    #[serde(rename = "Navattic_Email__c", skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(rename = "Navattic_Duration_Minutes__c", skip_serializing_if = "Option::is_none")]
    minutes: Option<Decimal>,
    #[serde(rename = "Navattic_Steps_Viewed__c", skip_serializing_if = "Option::is_none")]
    steps: Option<Decimal>,
    #[serde(rename = "Navattic_Demos__c", skip_serializing_if = "Option::is_none")]
    demos: Option<String>,
    #[serde(rename = "Navattic_Flows__c", skip_serializing_if = "Option::is_none")]
    flows: Option<String>,
    #[serde(rename = "Navattic_Very_Interested_Areas__c", skip_serializing_if = "Option::is_none")]
    very: Option<String>,
    #[serde(rename = "Navattic_Somewhat_Interested_Areas__c", skip_serializing_if = "Option::is_none")]
    somewhat: Option<String>,
    #[serde(rename = "Navattic_Not_Interested_Areas__c", skip_serializing_if = "Option::is_none")]
    not: Option<String>,
}

/// One line of text of at most `max` UTF-16 units.
fn text(text: &str, max: usize) -> Option<String> {
    let breaks = |c: char| matches!(c, '\t' | '\n' | '\r');
    if text.contains(|c: char| c.is_control() && !breaks(c)) {
        return None;
    }
    let text = text.trim();
    if text.contains(breaks) {
        let parts: Vec<&str> = text.split(breaks).filter(|part| !part.is_empty()).collect();
        return fits(parts.join(" "), max);
    }
    fits(text.to_owned(), max)
}

fn fits(text: String, max: usize) -> Option<String> {
    (text.chars().map(char::len_utf16).sum::<usize>() <= max).then_some(text)
}

fn joined(items: &[String]) -> Option<String> {
    let items: Option<Vec<String>> = items.iter().map(|item| text(item, 255)).collect();
    fits(items?.join("; "), 255)
}

fn email(address: &str) -> Option<String> {
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    let address = text(address, 255)?;
    EmailAddress::parse_with_options(&address, options).is_ok().then_some(address)
}

fn amount(number: Decimal) -> Option<Decimal> {
    (!number.is_negative()).then_some(number)
}

/// What the map does, by hand; `None` for a bad record.
fn by_hand(session: &Session) -> Option<Body> {
    let key = text(&session.id, 80)?;
    let minutes = |seconds: Decimal| {
        let minutes = amount(seconds)?.checked_div(Decimal::from(60_u32))?.round(3, Rounding::HalfEven)?;
        (minutes.integer_digits() <= 15).then_some(minutes)
    };
    let steps = |steps: Decimal| amount(steps).filter(|steps| steps.is_whole() && steps.integer_digits() <= 18);
    let moment = |moment: Timestamp| (1700..=4000).contains(&moment.year()).then(|| moment.whole_seconds());
    let list = |items: &Option<Vec<String>>| items.as_ref().map_or(Some(None), |items| joined(items).map(Some));
    Some(Body {
        name: key.clone(),
        key,
        started_at: session.started_at.map_or(Some(None), |started| moment(started).map(Some))?,
        full_name: session.full_name.as_ref().map_or(Some(None), |name| text(name, 255).map(Some))?,
        email: session.email.as_ref().map_or(Some(None), |address| email(address).map(Some))?,
        minutes: session.duration_seconds.map_or(Some(None), |seconds| minutes(seconds).map(Some))?,
        steps: session.steps_viewed.map_or(Some(None), |seen| steps(seen).map(Some))?,
        demos: list(&session.demos)?,
        flows: list(&session.flows)?,
        very: list(&session.very_interested)?,
        somewhat: list(&session.somewhat_interested)?,
        not: list(&session.not_interested)?,
    })
}

/// Lines of JSON, each another session.
fn lines(count: usize) -> Vec<String> {
    let line = |n: usize| {
        format!(
            r#"{{"session_id":"3f2b8c1e-5a9d-4e7f-8b6a-{n:012}","started_at":"2026-05-01T{:02}:25:37.123Z","full_name":"Visitor Number {n}","email":"visitor{n}@company{}.example.com","duration_seconds":{}.{},"steps_viewed":{},"demos":["Product tour","Security deep dive"],"flows":["Getting started","Reporting","Flow {n}"],"very_interested":["API","Pricing"],"somewhat_interested":["Reporting"],"not_interested":["Mobile"]}}"#,
            n % 24,
            n % 97,
            n % 1000,
            n % 10,
            n % 50,
        )
    };
    (0..count).map(line).collect()
}

/// One round over all inputs, per call.
fn round<T, R>(inputs: &[T], call: &mut impl FnMut(&T) -> R) -> Duration {
    let clock = SystemClock::new();
    let started = clock.monotonic();
    for input in inputs {
        black_box(call(black_box(input)));
    }
    clock.monotonic().saturating_sub(started) / u32::try_from(inputs.len()).unwrap_or(u32::MAX)
}

/// The best of several rounds: what others do on the machine only adds to it.
fn time<T, R>(inputs: &[T], mut call: impl FnMut(&T) -> R) -> Duration {
    (0..15).map(|_| round(inputs, &mut call)).min().unwrap_or_default()
}

/// The best of many rounds of each of two, by turns, so that both meet the same machine.
fn by_turns<A, B, R, S>(
    (left, mut one): (&[A], impl FnMut(&A) -> R),
    (right, mut other): (&[B], impl FnMut(&B) -> S),
) -> (Duration, Duration) {
    let rounds = (0..250).map(|_| (round(left, &mut one), round(right, &mut other)));
    rounds.fold((Duration::MAX, Duration::MAX), |best, times| (best.0.min(times.0), best.1.min(times.1)))
}

/// Allocations of one call.
fn allocations<R>(call: impl Fn() -> R) -> u64 {
    let counted = allocation_counter::measure(|| {
        black_box(call());
    });
    counted.count_total
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn mapped(map: &CompiledMap, record: &Record) -> MappedRecord {
    match map.apply(record) {
        Ok(Mapped::Record(record)) => record,
        other => panic!("a sound record: {other:?}"),
    }
}

#[expect(clippy::expect_used, reason = "the input is our own")]
fn against_hand_written() -> Result<Vec<String>, Failure> {
    let map = session_map(&Prefix::default())?.compile(&Transforms::new())?;
    // Few enough for the caches: a record is mapped as soon as it is read.
    let texts = lines(200);
    let records: Vec<Record> = texts.iter().map(|text| Record::from_json(text)).collect::<Result<_, _>>()?;
    let sessions: Vec<Session> = texts.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>()?;
    for (session, record) in sessions.iter().zip(&records) {
        let by_hand = serde_json::to_string(&by_hand(session).ok_or("a sound record")?)?;
        if by_hand != serde_json::to_string(&mapped(&map, record).fields)? {
            return Err(format!("the two do not do the same: {by_hand}").into());
        }
    }

    let memory = (
        by_turns((&sessions, |session| by_hand(session)), (&records, |record| map.apply(record))),
        (allocations(|| by_hand(&sessions[0])), allocations(|| map.apply(&records[0]))),
    );
    let hand_json = |text: &String| {
        let session: Session = serde_json::from_str(text).expect("reads");
        serde_json::to_string(&by_hand(&session).expect("a sound record")).expect("serialises")
    };
    let map_json = |text: &String| {
        let record = Record::from_json(text).expect("reads");
        serde_json::to_string(&mapped(&map, &record).fields).expect("serialises")
    };
    let memory_allocations = memory.1.1;
    let json = (
        by_turns((&texts, hand_json), (&texts, map_json)),
        (allocations(|| hand_json(&texts[0])), allocations(|| map_json(&texts[0]))),
    );

    println!("| 12 fields | by hand µs | map µs | times | by hand allocations | map allocations |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let mut wrong = Vec::new();
    for (name, ((hand, map), (hand_allocations, map_allocations))) in [("in memory", memory), ("JSON to JSON", json)] {
        let times = map.as_secs_f64() / hand.as_secs_f64();
        println!(
            "| {name} | {:.2} | {:.2} | {times:.2} | {hand_allocations} | {map_allocations} |",
            micros(hand),
            micros(map)
        );
        if times > LIMIT {
            wrong.push(format!("{name}: {times:.2} times as long as by hand, more than {LIMIT}"));
        }
    }
    let fields = &mapped(&map, &records[0]).fields;
    let values = allocations(|| fields.clone());
    println!("\nA copy of the mapped record alone, its values and the list of them, takes {values} allocations.\n");
    if memory_allocations > values + 2 {
        wrong.push(format!("the map step takes {memory_allocations} allocations, more than {values} of values and 2"));
    }
    Ok(wrong)
}

/// How a wide map takes its fields.
#[derive(Clone, Copy)]
enum Shape {
    /// Each from a path of its own.
    Plain,
    /// Each through a named value.
    Named,
    /// Each by a template.
    Template,
    /// Each out of one object of the source.
    Nested,
}

/// A map of so many text fields, both ways where that can be.
fn wide(fields: usize, shape: Shape) -> Result<CompiledMap, Failure> {
    let steps = || vec![Transform::Text, Transform::MaxLength { max: 255 }];
    let key = FieldName::from_static("Field_0__c");
    let mut map = FieldMap::builder(SObjectName::from_static("Thing__c"), key);
    for n in 0..fields {
        let (input, direction) = match shape {
            Shape::Plain => (Input::Source(format!("field_{n}")), Direction::Both),
            Shape::Named => (Input::Source(format!("$value_{n}")), Direction::ToSalesforce),
            Shape::Template => (Input::Template(format!("{{field_{n}}} of {{field_0}}")), Direction::ToSalesforce),
            Shape::Nested => (Input::Source(format!("inner.field_{n}")), Direction::Both),
        };
        if let Shape::Named = shape {
            map = map.value(format!("value_{n}"), NamedValue::new(format!("field_{n}"), steps()));
        }
        map = map.rule(FieldRule::new(input, FieldName::new(format!("Field_{n}__c"))?, steps()).direction(direction));
    }
    Ok(map.build()?.compile(&Transforms::new())?)
}

/// One JSON object of the fields in this order.
fn object(fields: impl Iterator<Item = usize>, name: impl Fn(usize) -> String) -> String {
    let mut text = String::from("{");
    for n in fields {
        let comma = if text.len() > 1 { "," } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(text, r#"{comma}"{}":"The value of field {n}""#, name(n));
    }
    text + "}"
}

/// What is measured over the number of fields.
const GROWING: [&str; 7] =
    ["in memory", "JSON to JSON", "other order", "named values", "templates", "one object", "reverse"];

/// Allocations that do not depend on the number of fields: lists of what is at hand, and a table of names.
const FIXED_ALLOCATIONS: u64 = 8;

#[expect(clippy::expect_used, reason = "the input is our own")]
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn growth() -> Result<Vec<String>, Failure> {
    println!("Nanoseconds a field:\n\n| fields | {} |", GROWING.join(" | "));
    println!("| ---: |{}", " ---: |".repeat(GROWING.len()));
    let (mut costs, mut wrong) = (Vec::new(), Vec::new());
    for fields in [1, 2, 5, 12, 25, 50, 100, 200, 500] {
        let plain = wide(fields, Shape::Plain)?;
        let nested = wide(fields, Shape::Nested)?;
        let name = |n: usize| format!("field_{n}");
        let text = object(0..fields, name);
        let many = |text: &str| Ok::<_, Failure>(vec![Record::from_json(text)?; 20_000 / (fields + 10)]);
        let records = many(&text)?;
        let backwards = many(&object((0..fields).rev(), name))?;
        let inner = many(&format!("{{\"inner\":{}}}", object((0..fields).rev(), name)))?;
        let remote = many(&object((0..fields).rev(), |n| format!("Field_{n}__c")))?;
        let nanos = |time: Duration| time.as_secs_f64() * 1e9 / fields as f64;
        let json = nanos(time(&vec![text; records.len()], |text| {
            let record = Record::from_json(text).expect("reads");
            serde_json::to_string(&mapped(&plain, &record).fields).expect("serialises")
        }));
        let mut out = |place: usize, map: &CompiledMap, records: &[Record]| {
            let values = mapped(map, &records[0]).fields;
            let (needed, made) = (allocations(|| values.clone()), allocations(|| map.apply(&records[0])));
            if made > needed + FIXED_ALLOCATIONS {
                let name = GROWING[place];
                wrong.push(format!("{name}: {made} allocations for {fields} fields, {needed} of them values"));
            }
            nanos(time(records, |record| map.apply(record)))
        };
        let cost = [
            out(0, &plain, &records),
            json,
            out(2, &plain, &backwards),
            out(3, &wide(fields, Shape::Named)?, &backwards),
            out(4, &wide(fields, Shape::Template)?, &backwards),
            out(5, &nested, &inner),
            nanos(time(&remote, |record| nested.apply_reverse(record))),
        ];
        let shown: Vec<String> = cost.iter().map(|cost| format!("{cost:.0}")).collect();
        println!("| {fields} | {} |", shown.join(" | "));
        costs.push((fields, cost));
    }
    let cost = |wanted: usize| costs.iter().find(|(fields, _)| *fields == wanted).map_or([0.0; 7], |(_, cost)| *cost);
    for (name, (few, many)) in GROWING.iter().zip(cost(12).iter().zip(cost(500))) {
        let times = many / few;
        if times > GROWTH {
            wrong.push(format!("{name}: a field of 500 costs {times:.2} times one of 12, more than {GROWTH}"));
        }
    }
    Ok(wrong)
}
