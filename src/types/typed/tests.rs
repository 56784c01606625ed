use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::types::{Date, Decimal, Field, RecordId, Timestamp, Value};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    #[default]
    Low,
    VeryHigh,
    Other(String),
    Range {
        from: u8,
        to: u8,
    },
    Pair(u8, u8),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Inner {
    name: String,
    level: Level,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Typed {
    exact: Decimal,
    maybe: Option<Decimal>,
    small: i8,
    signed: i64,
    unsigned: u64,
    wide: i128,
    float: f64,
    short: f32,
    flag: bool,
    letter: char,
    text: String,
    at: Timestamp,
    day: Date,
    id: RecordId,
    inner: Inner,
    list: Vec<Option<Inner>>,
    map: BTreeMap<String, Decimal>,
    counts: BTreeMap<u32, bool>,
    pair: (i32, String),
    unit: (),
    raw: Value,
    record: Record,
    #[serde(skip_serializing_if = "Field::is_absent", default)]
    absent: Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent", default)]
    null: Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent", default)]
    set: Field<Decimal>,
}

fn typed() -> Typed {
    let decimal = |text: &str| Decimal::parse(text).expect(text);
    Typed {
        exact: decimal("1234567890123456.78"),
        maybe: Some(decimal("0.1")),
        small: -5,
        signed: i64::MIN,
        unsigned: u64::MAX,
        wide: 12_345_678_901_234_567_890_123,
        float: 0.1,
        short: 0.1,
        flag: true,
        letter: 'é',
        text: "🙂\n".into(),
        at: Timestamp::parse("2026-05-01T07:25:37Z").expect("valid"),
        day: Date::parse("2026-05-01").expect("valid"),
        id: RecordId::new("003dM00001wBXYDQA4").expect("recorded"),
        inner: Inner { name: "x".into(), level: Level::VeryHigh },
        list: vec![
            None,
            Some(Inner { name: "y".into(), level: Level::Other("z".into()) }),
            Some(Inner { name: "r".into(), level: Level::Range { from: 1, to: 2 } }),
            Some(Inner { name: "p".into(), level: Level::Pair(1, 2) }),
        ],
        map: BTreeMap::from([("a".into(), decimal("999999999999999999.99"))]),
        counts: BTreeMap::new(),
        pair: (1, "2".into()),
        unit: (),
        raw: Value::Number(decimal("0.30000000000000000001")),
        record: Record::new().with("a", decimal("1.5")),
        absent: Field::Absent,
        null: Field::Null,
        set: Field::Set(decimal("2.50")),
    }
}

#[test]
fn a_struct_survives_a_record_with_every_digit() {
    let typed = typed();
    let record = Record::from_typed(&typed).expect("all of it");
    assert_eq!(record.get("exact"), Some(&Value::Number(typed.exact)));
    assert_eq!(record.get("float"), record.get("short"), "the shortest decimal of each");
    assert_eq!((record.get("absent"), record.get("null")), (None, Some(&Value::Null)));
    assert_eq!(record.path("inner.level").and_then(Value::as_text), Some("very_high"));
    assert_eq!(record.to_typed::<Typed>().expect("its own"), typed);
}

#[test]
fn a_record_of_a_struct_is_the_one_its_json_reads_as() {
    let text = serde_json::to_string(&typed()).expect("serialises");
    let read = Record::from_json(&text).expect("reads");
    let made = Record::from_typed(&typed()).expect("all of it");
    // JSON tells a date from a text no more than serde does.
    assert_eq!(made, read);
}

#[test]
fn what_no_record_holds_is_refused_by_its_path() {
    #[derive(Serialize)]
    struct Bad<'a, T> {
        outer: HashMap<&'a str, T>,
    }
    let refused = |error: Error| (error.kind(), error.to_string());
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let bad = Bad { outer: HashMap::from([("x", float)]) };
        let (kind, words) = refused(Record::from_typed(&bad).expect_err("no number"));
        assert_eq!(kind, ErrorKind::Invalid);
        assert!(words.contains("NaN or an infinity") && words.contains("field outer.x"), "{words}");
    }
    assert!(Record::from_typed(&5).is_err());
    assert!(Record::from_typed(&HashMap::from([(vec![1], 1)])).is_err());
    let large = Record::from_typed(&HashMap::from([("x", 1e300)])).expect("a number");
    assert!(matches!(large.get("x"), Some(Value::OutOfRange(_))));
    let wide = Record::from_typed(&HashMap::from([("x", u128::MAX)])).expect("a number");
    assert!(matches!(wide.get("x"), Some(Value::OutOfRange(_))));
}

#[test]
fn what_does_not_fit_a_struct_is_told_by_its_path_and_not_quoted() {
    for (text, path, words) in [
        (r#"{"name":5,"level":"low"}"#, "name", "a number, expected a string"),
        (r#"{"name":"x","level":"secret"}"#, "level", "another text, expected one of low"),
        (r#"{"name":"x"}"#, "", "missing field `level`"),
        (r#"{"name":["secret"],"level":"low"}"#, "name", "a list, expected a string"),
        (r#"{"name":"x","level":{"range":{"from":300,"to":1}}}"#, "level.range.from", "another a number"),
        (r#"{"name":"x","level":{"range":{"from":1.5,"to":1}}}"#, "level", "expected u8"),
    ] {
        let record = Record::from_json(text).expect(text);
        let misfit = from_record::<Inner>(&record).expect_err(text);
        assert!(misfit.reason.contains(words), "{text}: {misfit:?}");
        assert!(misfit.path.starts_with(path.split('.').next().unwrap_or_default()), "{text}: {misfit:?}");
        assert!(!misfit.reason.contains("secret") && !misfit.reason.contains("300"), "{misfit:?}");
    }
    let record = Record::from_json(r#"{"x":0.12345678901234567891}"#).expect("reads");
    assert!(record.to_typed::<HashMap<String, serde_json::Value>>().is_err(), "a float would round it");
    assert!(record.to_typed::<HashMap<String, f64>>().is_ok(), "a float was asked for");
    assert!(record.to_typed::<HashMap<String, Decimal>>().is_ok());
}

#[test]
fn children_are_a_plain_list_only_where_they_are_all() {
    #[derive(Debug, Deserialize)]
    struct Parent {
        contacts: Vec<Record>,
    }
    let read = |total: u8, next: &str| {
        let rows = r#"[{"attributes":{"type":"Contact"},"Id":"x"}]"#;
        let text =
            format!(r#"{{"contacts":{{"totalSize":{total},"done":{},{next}"records":{rows}}}}}"#, next.is_empty());
        Record::from_json(&text).expect("reads").to_typed::<Parent>()
    };
    assert_eq!(read(1, "").expect("all").contacts.len(), 1);
    for error in [read(2, r#""nextRecordsUrl":"/services/x","#), read(2, "")] {
        assert!(error.expect_err("one is missing").to_string().contains("contacts"));
    }
}

proptest! {
    #[test]
    fn any_float_is_the_shortest_decimal_that_reads_as_it(number in any::<f64>()) {
        let record = Record::from_typed(&HashMap::from([("x", number)]));
        match record {
            Err(_) => prop_assert!(!number.is_finite()),
            Ok(record) => {
                if let Some(Value::Number(_)) = record.get("x") {
                    let back: HashMap<String, f64> = record.to_typed().expect("a number");
                    prop_assert_eq!(back["x"].to_bits(), if number == 0.0 { 0.0_f64.to_bits() } else { number.to_bits() });
                }
            }
        }
    }

    #[test]
    fn any_integer_survives(signed in any::<i64>(), unsigned in any::<u64>()) {
        let record = Record::from_typed(&(HashMap::from([("s", i128::from(signed)), ("u", i128::from(unsigned))]))).expect("numbers");
        let back: HashMap<String, i128> = record.to_typed().expect("numbers");
        prop_assert_eq!((back["s"], back["u"]), (i128::from(signed), i128::from(unsigned)));
    }
}
