use std::fmt::Write as _;

use proptest::prelude::*;

use super::csv::{self, Column, MAX_CELL_CHARS};
use super::{FieldTypes, soap};
use crate::error::ErrorKind;
use crate::types::{Date, Decimal, FieldType, Record, RecordId, SObjectName, Timestamp, Value};

const ALL: [FieldType; 21] = [
    FieldType::Id,
    FieldType::Reference,
    FieldType::Boolean,
    FieldType::Int,
    FieldType::Double,
    FieldType::Currency,
    FieldType::Percent,
    FieldType::Date,
    FieldType::Datetime,
    FieldType::Time,
    FieldType::String,
    FieldType::Textarea,
    FieldType::Picklist,
    FieldType::Multipicklist,
    FieldType::Combobox,
    FieldType::Email,
    FieldType::Phone,
    FieldType::Url,
    FieldType::Encryptedstring,
    FieldType::AnyType,
    FieldType::Base64,
];

fn number(text: &str) -> Value {
    Value::Number(Decimal::parse(text).expect(text))
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn moment(text: &str) -> Value {
    Value::DateTime(Timestamp::parse(text).expect(text))
}

fn date(text: &str) -> Value {
    Value::Date(Date::parse(text).expect(text))
}

/// Characters that every form can carry.
fn any_text() -> impl Strategy<Value = Value> {
    let special =
        prop::sample::select(vec!['"', ',', '\'', '\r', '\n', '\t', '&', '<', '>', ']', ' ', ';', '#', '🙂', 'ß']);
    let plain = any::<char>().prop_filter("XML holds it", |c| {
        !(c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{fffe}' | '\u{ffff}'))
    });
    let chars = prop::collection::vec(prop_oneof![special, plain], 1..24);
    chars
        .prop_map(|chars| chars.into_iter().collect::<String>())
        .prop_filter("set, and no null of CSV", |text| !text.trim().is_empty() && text != csv::NULL)
        .prop_map(Value::Text)
}

/// A value as a field of that type has it once it is typed.
fn any_value(field_type: &FieldType) -> BoxedStrategy<Value> {
    match field_type {
        FieldType::Id | FieldType::Reference => {
            "[0-9A-Za-z]{15}".prop_map(|id| Value::Id(RecordId::new(&id).expect("15 letters and digits"))).boxed()
        }
        FieldType::Boolean => any::<bool>().prop_map(Value::Bool).boxed(),
        FieldType::Int => any::<i32>().prop_map(|int| Value::Number(i64::from(int).into())).boxed(),
        FieldType::Double | FieldType::Currency | FieldType::Percent => {
            let sized = "-?[1-9][0-9]{0,11}(\\.[0-9]{1,6})?";
            let small = "-?0\\.[0-9]{1,17}";
            let longest = "-?([1-9][0-9]{17}|[1-9][0-9]{8}\\.[0-9]{8}[1-9])";
            prop_oneof![Just("0".to_owned()), sized, small, longest].prop_map(|digits| number(&digits)).boxed()
        }
        FieldType::Date => (0..10_000, 1..13, 1..29)
            .prop_map(|(year, month, day)| date(&format!("{year:04}-{month:02}-{day:02}")))
            .boxed(),
        FieldType::Datetime => (-62_167_219_200_000..253_402_300_800_000_i64)
            .prop_map(|millis| Value::DateTime(Timestamp::from_unix_millis(millis).expect("years 0 to 9999")))
            .boxed(),
        FieldType::Time => (0..24, 0..60, 0..60, 0..1000)
            .prop_map(|(hour, minute, second, milli)| text(&format!("{hour:02}:{minute:02}:{second:02}.{milli:03}Z")))
            .boxed(),
        FieldType::Multipicklist => {
            prop::collection::vec("[a-z]([a-z ,\"&]{0,6}[a-z])?", 1..5).prop_map(Value::MultiSelect).boxed()
        }
        _ => any_text().boxed(),
    }
}

/// Absent, null or set.
fn any_state(field_type: &FieldType) -> impl Strategy<Value = Option<Value>> + use<> {
    prop_oneof![Just(None), Just(Some(Value::Null)), any_value(field_type).prop_map(Some)]
}

fn any_record() -> impl Strategy<Value = Record> {
    let states: Vec<_> = ALL.iter().map(|field_type| any_state(field_type).boxed()).collect();
    (states, any_state(&FieldType::String)).prop_map(|(states, key)| {
        let mut record = Record::of(&SObjectName::from_static("Thing__c"));
        for (place, state) in states.into_iter().enumerate() {
            if let Some(value) = state {
                record.set(format!("F{place}__c"), value);
            }
        }
        if let Some(key) = key.filter(|key| *key != Value::Null) {
            let parent = Record::of(&SObjectName::from_static("Parent__c")).with("Key__c", key);
            record.set("Parent__r", parent);
        }
        record
    })
}

fn types() -> FieldTypes {
    let names: Vec<String> = (0..ALL.len()).map(|place| format!("F{place}__c")).collect();
    FieldTypes::new(names.iter().map(String::as_str).zip(ALL))
}

/// `attributes` says the object beside the fields of an answer.
fn fields(record: &Record) -> Vec<(&str, &Value)> {
    record.iter().collect()
}

/// Splits a row of CSV as RFC 4180 says.
fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = row.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cells.last_mut().expect("one").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            '\r' | '\n' if !quoted => panic!("a line ends inside a row: {row:?}"),
            other => cells.last_mut().expect("one").push(other),
        }
    }
    cells
}

/// The columns of these fields, each with its type.
fn columns(types: impl IntoIterator<Item = (String, FieldType)>) -> Vec<(Column, FieldType)> {
    types.into_iter().map(|(name, field_type)| (name.parse().expect("a column"), field_type)).collect()
}

fn through_json(record: &Record, types: &FieldTypes) -> Record {
    let json = serde_json::to_string(record).expect("serialises");
    types.typed(Record::from_json(&json).expect("decodes")).expect("fits")
}

fn through_soap(record: &Record, types: &FieldTypes) -> Record {
    let xml = soap::write(record).expect("writes");
    soap::read(&format!("<sObjects>{xml}</sObjects>"), types).expect("reads")
}

fn through_csv(record: &Record, columns: &[(Column, FieldType)]) -> Record {
    let mut row = String::new();
    for (place, (column, _)) in columns.iter().enumerate() {
        if place > 0 {
            row.push(',');
        }
        csv::push_cell(&mut row, &csv::cell(column.value(record)).expect("writes"), ',');
    }
    let mut back = Record::new();
    let cells = cells(&row);
    assert_eq!(cells.len(), columns.len());
    for ((column, field_type), cell) in columns.iter().zip(&cells) {
        if let Some(value) = csv::loaded_value(cell, field_type).expect("reads") {
            column.set(&mut back, value);
        }
    }
    back
}

/// The fields by which the parts of an address and of a location are written, and the members of the compound fields that
/// answers show them in. Source: SOAP API guide, "Compound Fields".
const PARTS: [(&str, FieldType, &str, &str); 12] = [
    ("BillingStreet", FieldType::Textarea, "BillingAddress", "street"),
    ("BillingCity", FieldType::String, "BillingAddress", "city"),
    ("BillingState", FieldType::String, "BillingAddress", "state"),
    ("BillingStateCode", FieldType::Picklist, "BillingAddress", "stateCode"),
    ("BillingPostalCode", FieldType::String, "BillingAddress", "postalCode"),
    ("BillingCountry", FieldType::String, "BillingAddress", "country"),
    ("BillingCountryCode", FieldType::Picklist, "BillingAddress", "countryCode"),
    ("BillingGeocodeAccuracy", FieldType::Picklist, "BillingAddress", "geocodeAccuracy"),
    ("BillingLatitude", FieldType::Double, "BillingAddress", "latitude"),
    ("BillingLongitude", FieldType::Double, "BillingAddress", "longitude"),
    ("Place__Latitude__s", FieldType::Double, "Place__c", "latitude"),
    ("Place__Longitude__s", FieldType::Double, "Place__c", "longitude"),
];

fn part_types() -> FieldTypes {
    let parts = PARTS.iter().map(|(name, field_type, ..)| (*name, field_type.clone()));
    FieldTypes::new(parts.chain([("BillingAddress", FieldType::Address), ("Place__c", FieldType::Location)]))
}

fn any_place() -> impl Strategy<Value = Record> {
    let states: Vec<_> = PARTS.iter().map(|(_, field_type, ..)| any_state(field_type).boxed()).collect();
    states.prop_map(|states| {
        let mut record = Record::of(&SObjectName::from_static("Thing__c"));
        for ((name, ..), value) in PARTS.iter().zip(states) {
            if let Some(value) = value {
                record.set(*name, value);
            }
        }
        record
    })
}

/// The compound fields of an answer with these parts.
fn compound(parts: &Record) -> Record {
    let mut record = Record::new();
    for (name, _, whole, member) in PARTS {
        let Some(value) = parts.get(name) else { continue };
        let mut place = record.get(whole).and_then(Value::as_record).cloned().unwrap_or_default();
        place.set(member, value.clone());
        record.set(whole, place);
    }
    record
}

/// The same as SOAP answers write it.
fn compound_xml(record: &Record) -> String {
    let mut xml = String::from("<records xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">");
    for (whole, place) in record.iter() {
        write!(xml, "<{whole}>").expect("a string");
        for (member, value) in place.as_record().expect("a place").iter() {
            let text = csv::cell(Some(value)).expect("writes");
            let nil = *value == Value::Null;
            let text = quick_xml::escape::escape(if nil { "" } else { &*text }).replace('\r', "&#13;");
            let nil = if nil { " xsi:nil=\"true\"" } else { "" };
            write!(xml, "<{member}{nil}>{text}</{member}>").expect("a string");
        }
        write!(xml, "</{whole}>").expect("a string");
    }
    xml.push_str("</records>");
    xml
}

proptest! {
    #[test]
    fn every_type_keeps_its_three_states_through_json(record in any_record()) {
        let back = through_json(&record, &types());
        prop_assert_eq!(fields(&back), fields(&record));
    }

    #[test]
    fn every_type_keeps_its_three_states_through_soap(record in any_record()) {
        let back = through_soap(&record, &types());
        prop_assert_eq!(back.object_name(), Some("Thing__c"));
        for (name, value) in record.iter() {
            prop_assert_eq!(back.get(name), Some(value), "{}", name);
        }
        prop_assert_eq!(back.len(), record.len(), "what was absent is absent");
    }

    #[test]
    fn every_type_keeps_its_three_states_through_bulk_csv(record in any_record()) {
        let types = (0..ALL.len()).map(|place| (format!("F{place}__c"), ALL[place].clone()));
        let parent = ("Parent__c:Parent__r.Key__c".to_owned(), FieldType::String);
        let back = through_csv(&record, &columns(types.chain([parent])));
        prop_assert_eq!(fields(&back), fields(&record));
    }

    #[test]
    fn parts_of_addresses_and_locations_keep_their_three_states_through_every_form(record in any_place()) {
        let types = part_types();
        let back = through_json(&record, &types);
        prop_assert_eq!(fields(&back), fields(&record));
        let back = through_soap(&record, &types);
        prop_assert_eq!(back.len(), record.len());
        for (name, value) in record.iter() {
            prop_assert_eq!(back.get(name), Some(value), "{}", name);
        }
        let columns = columns(PARTS.iter().map(|(name, field_type, ..)| ((*name).to_owned(), field_type.clone())));
        let back = through_csv(&record, &columns);
        prop_assert_eq!(fields(&back), fields(&record));
        // The same parts as answers show them; Bulk has no compound fields.
        let whole = compound(&record);
        let back = through_json(&whole, &types);
        prop_assert_eq!(fields(&back), fields(&whole));
        let back = soap::read(&compound_xml(&whole), &types).expect("reads");
        for (name, place) in whole.iter().filter(|(_, place)| place.as_record().is_some_and(|place| !place.is_empty())) {
            prop_assert_eq!(back.get(name), Some(place), "{}", name);
        }
    }

    #[test]
    fn no_text_makes_a_reader_of_values_panic(text in any::<String>(), place in 0..ALL.len()) {
        // Whatever comes, it is a value or an error.
        let _ = Value::Text(text.clone()).typed(&ALL[place]);
        let _ = csv::loaded_value(&text, &ALL[place]);
        let _ = soap::read(&text, &types());
        let _ = text.parse::<Column>();
        let typed = Value::Text(text).typed(&ALL[place]);
        if let Ok(typed) = typed {
            prop_assert_eq!(typed.clone().typed(&ALL[place]).expect("fits twice"), typed);
        }
    }
}

#[test]
fn every_accepted_shape_of_a_value_is_one_value() {
    let cases = [
        (
            FieldType::Datetime,
            moment("2026-05-01T07:25:37Z"),
            vec![
                text("2026-05-01T07:25:37.000+0000"),
                text("2026-05-01T07:25:37Z"),
                text("2026-05-01T09:25:37+02:00"),
                text(" 2026-05-01T07:25:37.000Z "),
                number("1777620337000"),
            ],
        ),
        (FieldType::Date, date("2026-05-01"), vec![text("2026-05-01"), number("1777593600000")]),
        (
            FieldType::Time,
            text("11:29:24.000Z"),
            vec![text("11:29:24.000Z"), text("11:29:24Z"), text("11:29:24"), number("41364000")],
        ),
        (FieldType::Double, number("120000"), vec![text("120000.0"), text("1.2E5"), number("120000")]),
        (FieldType::Int, number("39"), vec![text("39.0"), number("39")]),
        (FieldType::Boolean, Value::Bool(true), vec![text("true"), text("TRUE"), text("1"), Value::Bool(true)]),
        (
            FieldType::Multipicklist,
            Value::MultiSelect(vec!["a".into(), "b c".into()]),
            vec![text("a;b c"), text(" a ; b c;"), Value::List(vec![text("a"), text("b c")])],
        ),
        (
            FieldType::Reference,
            Value::Id(RecordId::new("001dM00003kRs59").expect("an id")),
            vec![text("001dM00003kRs59"), text("001dM00003kRs59QAC")],
        ),
        (FieldType::Date, Value::Null, vec![text(""), text("  "), Value::Null]),
        (FieldType::String, Value::Null, vec![text(""), text(" \n")]),
    ];
    for (field_type, expected, shapes) in cases {
        for shape in shapes {
            assert_eq!(shape.clone().typed(&field_type).expect("fits"), expected, "{shape:?} as {field_type:?}");
        }
    }
}

#[test]
fn what_does_not_fit_its_type_is_an_error_that_does_not_quote_it() {
    let out_of_range = || Value::OutOfRange("1e400".into());
    for (field_type, value) in [
        (FieldType::Datetime, text("2026-05-01")),
        (FieldType::Datetime, text("2026-05-01T07:25:37")),
        (FieldType::Datetime, text("10000-01-01T00:00:00Z")),
        (FieldType::Datetime, number("1.5")),
        (FieldType::Datetime, number("99999999999999999")),
        (FieldType::Date, number("1777593600001")),
        (FieldType::Date, text("2026-05-01T00:00:00Z")),
        (FieldType::Time, text("11:29:60")),
        (FieldType::Time, text("24:00:00")),
        (FieldType::Time, number("86400000")),
        (FieldType::Time, number("-1")),
        (FieldType::Double, text("NaN")),
        (FieldType::Double, text("INF")),
        (FieldType::Double, out_of_range()),
        (FieldType::Int, number("1.5")),
        (FieldType::Boolean, text("yes")),
        (FieldType::Boolean, number("1")),
        (FieldType::Id, text("001dM00003kRs59QAA")),
        (FieldType::Reference, text("a key")),
        (FieldType::Multipicklist, Value::List(vec![text("a;b")])),
        (FieldType::Multipicklist, number("1")),
        (FieldType::String, number("7")),
        (FieldType::Picklist, Value::Record(Record::new())),
        (FieldType::Address, text("1 High Street")),
    ] {
        let error = value.clone().typed(&field_type).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{value:?} as {field_type:?}");
    }
    for field_type in [FieldType::Datetime, FieldType::Date, FieldType::Time, FieldType::Id, FieldType::Double] {
        let error = text("private").typed(&field_type).expect_err("refused");
        assert!(!format!("{error:?}{error}").contains("private"), "{error:?}");
    }
}

#[test]
fn an_address_has_numbers_for_its_place_and_text_for_the_rest() {
    let record = r#"{"A":{"city":"Berlin","latitude":"52.5","longitude":13.4,"street":null},"N":{"LastName":"Day"}}"#;
    let types = FieldTypes::new([("a", FieldType::Address), ("n", FieldType::String)]);
    let record = types.typed(Record::from_json(record).expect("reads")).expect("fits");
    assert_eq!(record.path("A.latitude"), Some(&number("52.5")));
    assert_eq!(record.path("A.city"), Some(&text("Berlin")));
    assert_eq!(record.path("A.street"), Some(&Value::Null));
    assert_eq!(record.path("N.LastName"), Some(&text("Day")), "a name by its parts stays");
    let bad = Record::from_json(r#"{"A":{"latitude":"north"}}"#).expect("reads");
    assert_eq!(types.typed(bad).expect_err("no number").kind(), ErrorKind::Invalid);
    assert!(csv::cell(record.get("A")).is_err(), "an address is written by its parts");
}

#[test]
fn soap_lists_nulls_before_the_id_and_keeps_the_order_of_the_schema() {
    let record = Record::of(&SObjectName::from_static("Contact"))
        .with("LastName", "O'Neil & <Sons>")
        .with("Email", "")
        .with("Id", RecordId::new("003dM00001wBXYD").expect("an id"))
        .with("Phone", Value::Null)
        .with("Account", Record::of(&SObjectName::from_static("Account")).with("Key__c", "k\r1"));
    assert_eq!(
        soap::write(&record).expect("writes"),
        "<type>Contact</type><fieldsToNull>Email</fieldsToNull><fieldsToNull>Phone</fieldsToNull>\
         <Id>003dM00001wBXYDQA4</Id><LastName>O&apos;Neil &amp; &lt;Sons&gt;</LastName>\
         <Account><type>Account</type><Key__c>k&#13;1</Key__c></Account>"
    );
}

#[test]
fn soap_answers_tell_nil_from_absent_and_parents_from_rows() {
    let xml = r#"<records xmlns:xsi="x" xsi:type="sf:sObject"><sf:type>Contact</sf:type><sf:Id>003dM00001wBXYDQA4</sf:Id>
        <sf:Email xsi:nil="true"/><sf:Phone></sf:Phone><sf:Account xsi:type="sf:sObject"><sf:type>Account</sf:type><sf:Id xsi:nil="true"/>
        <sf:Name>Acme</sf:Name></sf:Account></records>"#;
    let types = FieldTypes::new([("Id", FieldType::Id), ("Email", FieldType::Email)]);
    let record = soap::read(xml, &types).expect("reads");
    assert_eq!((record.object_name(), record.len()), (Some("Contact"), 4));
    assert_eq!((record.get("Email"), record.get("Phone")), (Some(&Value::Null), Some(&Value::Null)));
    assert_eq!(record.get("Fax"), None);
    assert_eq!(record.path("Account.Name"), Some(&text("Acme")));
    let rows =
        r#"<records xmlns:xsi="x"><Contacts xsi:type="QueryResult"><size>1</size><records/></Contacts></records>"#;
    assert_eq!(soap::read(rows, &types).expect_err("rows").kind(), ErrorKind::Decode);
}

#[test]
fn what_a_form_cannot_carry_is_refused_and_never_bent() {
    let soap = |value: Value| soap::write(&Record::new().with("F__c", value)).expect_err("refused");
    for value in [text("a\0b"), text("\u{1}"), text("\u{ffff}"), Value::OutOfRange("1e400".into()), Value::List(vec![])]
    {
        assert_eq!(soap(value).kind(), ErrorKind::Invalid);
    }
    assert!(soap::write(&Record::new().with("F><x", "1")).is_err(), "no API name");
    assert!(soap::write(&Record::new().with("Parent__r", Value::Null)).is_err(), "the lookup field clears it");
    let no_key = Record::new().with("Parent__r", Record::new().with("Key__c", Value::Null));
    assert!(soap::write(&no_key).is_err());

    let literal = text("#N/A");
    let error = csv::cell(Some(&literal)).expect_err("it would clear the field");
    assert!(error.to_string().contains("by REST"), "{error}");
    assert_eq!(csv::result_value("#N/A", &FieldType::String).expect("a text"), literal, "in results it is a text");
    assert_eq!(csv::result_value("", &FieldType::Double).expect("blank"), Value::Null);
    assert_eq!(csv::loaded_value("", &FieldType::Double).expect("blank"), None, "it left the field alone");
    let long = Value::from("x".repeat(MAX_CELL_CHARS + 1));
    assert!(csv::cell(Some(&long)).is_err());
    assert_eq!(csv::cell(Some(&text("  "))).expect("blank"), csv::NULL);
}

#[test]
fn cells_are_quoted_where_they_must_be() {
    for (cell, written) in [
        ("plain", "plain"),
        ("", ""),
        ("a,b", "\"a,b\""),
        ("a\"b", "\"a\"\"b\""),
        ("a\nb", "\"a\nb\""),
        (" a", "\" a\""),
        ("a b", "a b"),
        ("#N/A", "#N/A"),
    ] {
        let mut row = String::new();
        csv::push_cell(&mut row, cell, ',');
        assert_eq!(row, written);
    }
    let mut row = String::new();
    csv::push_cell(&mut row, "a,b", '|');
    assert_eq!(row, "a,b", "another delimiter");
}

#[test]
fn columns_are_read_and_written_as_headers() {
    for header in ["Amount", "Parent__r.Key__c", "Account.Key__c", "User:Owner.Key__c"] {
        let column: Column = header.parse().expect(header);
        assert_eq!(column.to_string(), header);
    }
    for header in ["", "A.B.C", "User:Owner", ":Owner.Key__c", "User:", "a b", "Größe", "x:y:z.a"] {
        assert_eq!(header.parse::<Column>().expect_err(header).kind(), ErrorKind::Invalid);
    }
    let column: Column = "User:Owner.Key__c".parse().expect("a column");
    let mut record = Record::new();
    assert_eq!(column.value(&record), None);
    column.set(&mut record, text("k"));
    assert_eq!(
        serde_json::to_string(&record).expect("serialises"),
        r#"{"Owner":{"attributes":{"type":"User"},"Key__c":"k"}}"#
    );
    assert_eq!(column.value(&record), Some(&text("k")));
    column.set(&mut record, Value::Null);
    assert_eq!((record.get("Owner"), column.value(&record)), (Some(&Value::Null), Some(&Value::Null)));
}
