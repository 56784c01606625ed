use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::types::{Date, Decimal, Field, RecordId, Timestamp};

/// Reads a whole file in chunks of that size.
fn in_chunks(bytes: &[u8], chunk: usize, delimiter: Delimiter) -> Result<Vec<Block>> {
    let mut parser = Parser::new(delimiter);
    let mut blocks = Vec::new();
    for part in bytes.chunks(chunk.max(1)) {
        parser.feed(part, &mut blocks)?;
    }
    parser.finish(false, &mut blocks)?;
    assert_eq!(parser.rows(), blocks.iter().map(|block| block.len() as u64).sum::<u64>());
    Ok(blocks)
}

fn texts(blocks: &[Block]) -> Vec<Vec<String>> {
    blocks.iter().flat_map(Block::rows).map(|row| row.cells().map(str::to_owned).collect()).collect()
}

fn written<T: Serialize>(rows: &[T]) -> String {
    let mut csv = CsvWriter::new(Delimiter::Comma, LineEnding::Lf);
    for row in rows {
        csv.push(row).expect("fits");
    }
    String::from_utf8(csv.take()).expect("UTF-8")
}

fn refusal<T: Serialize>(row: &T) -> String {
    let mut csv = CsvWriter::new(Delimiter::Comma, LineEnding::Lf);
    let error = csv.push(row).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(csv.as_bytes().is_empty(), "nothing is left of the row");
    error.to_string()
}

fn any_delimiter() -> impl Strategy<Value = Delimiter> {
    prop::sample::select(Delimiter::ALL.to_vec())
}

fn any_line_ending() -> impl Strategy<Value = LineEnding> {
    prop::sample::select(vec![LineEnding::Lf, LineEnding::Crlf])
}

/// Texts of the characters that CSV is about.
fn any_cell() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "\"", ",", ";", "|", "^", "`", "\t", "\n", "\r\n", "\r", " ", "é", "🙂", "a", "#N/A", "",
    ]);
    prop_oneof![prop::collection::vec(special, 0..6).prop_map(|parts| parts.concat()), "\\PC{0,12}"]
        .prop_filter("a text that CSV can write", |text| text != NULL && !text.contains('\0'))
}

/// The same, and what the org may send though it takes it from nobody.
fn any_read_cell() -> impl Strategy<Value = String> {
    prop_oneof![4 => any_cell(), 1 => "[\0a\"é,]{0,6}"]
}

proptest! {
    #[test]
    fn any_rows_come_back_the_same_in_every_form(
        rows in prop::collection::vec(prop::collection::vec(any_cell(), 3), 1..8),
        (delimiter, line_ending, chunk) in (any_delimiter(), any_line_ending(), 1_usize..40),
    ) {
        let names = ["A", "B__c", "C"];
        let mut csv = CsvWriter::new(delimiter, line_ending);
        for row in &rows {
            csv.push(&names.iter().zip(row).collect::<BTreeMap<_, _>>()).expect("fits");
        }
        let blocks = in_chunks(csv.as_bytes(), chunk, delimiter).expect("whole");
        prop_assert_eq!(blocks[0].header().names().collect::<Vec<_>>(), names);
        let sent: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| if cell.trim().is_empty() { NULL.to_owned() } else { cell.clone() }).collect())
            .collect();
        prop_assert_eq!(texts(&blocks), sent);
    }

    #[test]
    fn rows_in_quotes_read_the_same_however_they_arrive(
        rows in prop::collection::vec(prop::collection::vec(any_read_cell(), 3), 1..12),
        (delimiter, line_ending, chunk, bare) in (any_delimiter(), any_line_ending(), 1_usize..200, 0_usize..12),
    ) {
        let mut file = String::new();
        let ending = std::str::from_utf8(line_ending.as_bytes()).expect("ASCII");
        for (place, row) in std::iter::once(&["A", "B", "C"].map(str::to_owned).to_vec()).chain(&rows).enumerate() {
            // As the org writes them, but for one row that a person may have written.
            let plain = place == bare && row.iter().all(|cell| cell.chars().all(char::is_alphanumeric) && !cell.is_empty());
            let cells = row.iter().map(|cell| if plain { cell.clone() } else { format!("\"{}\"", cell.replace('"', "\"\"")) });
            file.push_str(&cells.collect::<Vec<_>>().join(&delimiter.as_char().to_string()));
            file.push_str(ending);
        }
        let blocks = in_chunks(file.as_bytes(), chunk, delimiter).expect("whole");
        prop_assert_eq!(texts(&blocks), rows);
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_or_lacks_whole_rows(
        rows in prop::collection::vec(prop::collection::vec(any_cell(), 2), 1..5),
        delimiter in any_delimiter(),
    ) {
        let mut csv = CsvWriter::new(delimiter, LineEnding::Lf);
        for row in &rows {
            csv.push(&["A", "B"].iter().zip(row).collect::<BTreeMap<_, _>>()).expect("fits");
        }
        let whole = texts(&in_chunks(csv.as_bytes(), 7, delimiter).expect("whole"));
        for cut in 0..csv.as_bytes().len() {
            if let Ok(blocks) = in_chunks(&csv.as_bytes()[..cut], 5, delimiter) {
                let short = texts(&blocks);
                prop_assert!(short.len() < whole.len() && whole.starts_with(&short), "at {}", cut);
            }
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), chunk in 1_usize..50) {
        let _ = in_chunks(&bytes, chunk, Delimiter::Comma);
        let lines: Vec<u8> = bytes.iter().map(|byte| b"\",\n\raB\xc3\xa9"[usize::from(byte % 8)]).collect();
        let _ = in_chunks(&lines, chunk, Delimiter::Comma);
    }

    #[test]
    fn floats_come_back_exactly(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
        let text = written(&[HashMap::from([("N", number)])]);
        prop_assert_eq!(text.lines().nth(1).expect("a row").parse::<f64>().expect("a number").to_bits(), (number + 0.0).to_bits() | (number.to_bits() & (1 << 63)));
    }
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Parent {
    #[serde(rename = "Ext__c")]
    key: String,
}

#[derive(Debug, Default, Serialize)]
struct Contact {
    #[serde(rename = "LastName")]
    name: String,
    #[serde(rename = "Title", skip_serializing_if = "Field::is_absent")]
    title: Field<String>,
    #[serde(rename = "Fax")]
    fax: Option<String>,
    #[serde(rename = "Account", skip_serializing_if = "Option::is_none")]
    account: Option<Parent>,
}

#[test]
fn absent_null_and_set_are_three_cells() {
    let text = written(&[
        Contact {
            name: "A".into(),
            title: Field::Set("x".into()),
            fax: Some("1".into()),
            account: Some(Parent { key: "k".into() }),
        },
        Contact { name: "B".into(), title: Field::Null, ..Contact::default() },
        Contact { name: "C".into(), title: Field::Absent, fax: Some(" ".into()), account: None },
    ]);
    assert_eq!(text, "LastName,Title,Fax,Account.Ext__c\nA,x,1,k\nB,#N/A,#N/A,\nC,,#N/A,\n");
}

#[test]
fn the_columns_of_the_first_row_include_the_fields_it_skips() {
    let text = written(&[
        Contact { name: "A".into(), ..Contact::default() },
        Contact { name: "B".into(), title: Field::Null, ..Contact::default() },
    ]);
    assert_eq!(text, "LastName,Title,Fax,Account\nA,,#N/A,\nB,#N/A,#N/A,\n");
}

#[test]
fn parents_are_columns_of_their_own_one_level_up() {
    let record = |text: &str| Record::from_json(text).expect(text);
    let rows = [
        record(r#"{"Name":"A","Parent__r":{"Key__c":7},"Owner":{"attributes":{"type":"User"},"Ext__c":"u"}}"#),
        record(r#"{"Owner":null,"Name":"B"}"#),
        record(r#"{"Owner":{"Ext__c":"v"},"Parent__r":null}"#),
    ];
    assert_eq!(written(&rows), "Name,Parent__r.Key__c,User:Owner.Ext__c\nA,7,u\nB,,#N/A\n,#N/A,v\n");
    let columns: Vec<Column> =
        ["Name", "User:Owner.Ext__c"].iter().map(|name| name.parse().expect("a column")).collect();
    let mut csv = CsvWriter::with_columns(Delimiter::Comma, LineEnding::Crlf, &columns).expect("columns");
    let group = record(r#"{"Owner":{"attributes":{"type":"Group"},"Ext__c":"u"}}"#);
    let error = csv.push(&group).expect_err("another object");
    assert!(error.to_string().contains("field Owner.Ext__c"), "{error}");
    csv.push(&record(r#"{"User:Owner.Ext__c":"by its whole name"}"#)).expect("fits");
    assert_eq!(csv.as_bytes(), b"Name,User:Owner.Ext__c\r\n,by its whole name\r\n");
    assert!(refusal(&record(r#"{"Parent":{"Parent":{"Key__c":1}}}"#)).contains("field Parent"));
}

#[test]
fn a_field_outside_the_columns_is_an_error_of_its_row_alone() {
    let mut csv = CsvWriter::new(Delimiter::Comma, LineEnding::Lf);
    csv.push(&BTreeMap::from([("A", 1)])).expect("fits");
    let error = csv.push(&BTreeMap::from([("A", 1), ("B", 2)])).expect_err("B is no column");
    assert!(error.to_string().contains("field B"), "{error}");
    csv.push(&BTreeMap::from([("A", 3)])).expect("fits");
    assert_eq!(csv.as_bytes(), b"A\n1\n3\n");
}

#[test]
fn rows_in_another_order_land_in_their_columns() {
    let mut csv = CsvWriter::new(Delimiter::Comma, LineEnding::Lf);
    let rows =
        [vec![("A", "1"), ("B", "2"), ("C", "3")], vec![("C", "6"), ("A", "4")], vec![("B", "8"), ("C", "9")], vec![]];
    for row in rows {
        let mut record = Record::new();
        for (name, value) in row {
            record.set(name, value);
        }
        csv.push(&record).expect("fits");
        assert_eq!(csv.last_cell(0), record.text("A").unwrap_or_default().as_bytes());
    }
    assert_eq!(csv.as_bytes(), b"A,B,C\n1,2,3\n4,,6\n,8,9\n,,\n");
}

#[test]
fn what_no_cell_holds_is_refused_and_names_the_field() {
    let long = "é".repeat(MAX_CELL_CHARS + 1);
    for (value, words) in [
        (Value::from("#N/A"), "#N/A"),
        (Value::from("a\0b"), "NUL"),
        (Value::from(long), "131,072"),
        (Value::List(vec![Value::from("a")]), "list"),
    ] {
        let text = refusal(&Record::new().with("Name__c", value));
        assert!(text.contains(words) && (text.contains("field Name__c")), "{text}");
    }
    assert!(refusal(&BTreeMap::from([("N", f64::NAN)])).contains("NaN"));
    assert!(refusal(&7).contains("struct or map") && refusal(&vec![1, 2]).contains("list"));
    assert!(refusal(&BTreeMap::from([("not a name", 1)])).contains("API name"));
    let wide: BTreeMap<String, String> = (0..4).map(|number| (format!("F{number}"), "x".repeat(110_000))).collect();
    assert!(refusal(&wide).contains("400,000"));
    let many: BTreeMap<String, u8> = (0..3000).map(|number| (format!("Long_field_name_{number}"), 1)).collect();
    assert!(refusal(&many).contains("32,000"));
    assert!(CsvWriter::with_columns(Delimiter::Tab, LineEnding::Lf, &[]).is_err());
    let twice: Vec<Column> = ["a", "A"].iter().map(|name| name.parse().expect("a column")).collect();
    assert!(CsvWriter::with_columns(Delimiter::Tab, LineEnding::Lf, &twice).is_err());
}

#[test]
fn numbers_and_times_are_exact_and_short() {
    let record = Record::new()
        .with("D", Decimal::parse("123456789012345.678").expect("a number"))
        .with("T", Timestamp::parse("2026-05-01T07:25:37.5+02:00").expect("a time"))
        .with("Y", Date::parse("2026-05-01").expect("a day"))
        .with("I", RecordId::new("001dM00003kRs59").expect("an id"))
        .with("M", Value::MultiSelect(vec!["a".into(), "b".into()]))
        .with("O", Value::OutOfRange("123456789012345678901234567890".into()))
        .with("B", true);
    let text = written(&[record]);
    assert_eq!(
        text.lines().nth(1),
        Some(
            "123456789012345.678,2026-05-01T05:25:37.500Z,2026-05-01,001dM00003kRs59QAC,a;b,123456789012345678901234567890,true"
        )
    );
    let floats = written(
        &[(0.1_f64, 5.0_f64, 1e21_f64, 1.5e-9_f64)]
            .map(|(a, b, c, d)| BTreeMap::from([("A", a), ("B", b), ("C", c), ("D", d)])),
    );
    assert_eq!(floats.lines().nth(1), Some("0.1,5,1000000000000000000000,0.0000000015"));
}

#[test]
fn a_cell_of_ten_megabytes_is_read() {
    let long = "x\"".repeat(5_000_000);
    let mut file = String::from("\"Id\",\"Body\"\n\"1\",\"short\"\n\"2\",\"");
    file.push_str(&long.replace('"', "\"\""));
    file.push_str("\"\n\"3\",\"short\"\n");
    let blocks = in_chunks(file.as_bytes(), 50_000, Delimiter::Comma).expect("whole");
    let rows = texts(&blocks);
    assert_eq!(rows.len(), 3);
    assert!(rows[1][1] == long && rows[2] == ["3", "short"]);
}

#[test]
fn a_nul_is_a_character_like_any_other_to_who_reads() {
    for chunk in [1, 3, 100] {
        let blocks = in_chunks(b"A,\0B\n\"x\0\",\0\n\0\0,\"\"\"\0\"\n", chunk, Delimiter::Comma).expect("whole");
        assert_eq!(blocks[0].header().names().collect::<Vec<_>>(), ["A", "\0B"]);
        assert_eq!(texts(&blocks), [["x\0", "\0"], ["\0\0", "\"\0"]]);
        assert_eq!(blocks[0].rows().next().expect("a row").to_record().text("A"), Some("x\0"));
    }
}

#[test]
fn a_header_without_end_is_an_error() {
    let mut parser = Parser::new(Delimiter::Comma);
    let mut blocks = Vec::new();
    let names = "Name__c".repeat(10_000);
    let error = (0..100).find_map(|_| parser.feed(names.as_bytes(), &mut blocks).err()).expect("7 MB");
    assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("header"), "{error}");
    // As long as the statement that asks for it may be.
    let long: Vec<String> = (0..4000).map(|number| format!("Parent__r.Long_name_of_a_field_{number}__c")).collect();
    let blocks = in_chunks((long.join(",") + "\n" + &",".repeat(3999) + "\n").as_bytes(), 8192, Delimiter::Comma);
    assert_eq!(blocks.expect("whole")[0].header().len(), 4000);
}

#[test]
fn blocks_are_of_bounded_size_and_lose_no_row() {
    let mut file = String::from("Id,Text\n");
    for number in 0..20_000 {
        file.extend([format!("{number},\"a text of some length, {number}\"\n")]);
    }
    for chunk in [8192, 100_000, file.len()] {
        let blocks = in_chunks(file.as_bytes(), chunk, Delimiter::Comma).expect("whole");
        assert!(
            blocks.len() > 1
                && blocks.iter().all(|block| block
                    .rows()
                    .map(|row| row.cells().map(str::len).sum::<usize>())
                    .sum::<usize>()
                    <= 256 * 1024)
        );
        let ids: Vec<String> = texts(&blocks).into_iter().map(|row| row[0].clone()).collect();
        assert_eq!(ids, (0..20_000).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}

#[test]
fn quoted_cells_of_any_length_are_read_with_quotes_at_any_place() {
    let mut rows = Vec::new();
    for length in 0..70 {
        let text: String = "#!é\u{a2}bcdefghijklm".chars().cycle().take(length).collect();
        rows.push([text.clone(), length.to_string()]);
        for place in text.char_indices().map(|(place, _)| place) {
            rows.push([format!("{}\"{}", &text[..place], &text[place..]), length.to_string()]);
            rows.push([format!("{}\"\"", &text[..place]), text[place..].to_owned()]);
        }
    }
    let quoted =
        |row: &[String; 2]| format!("\"{}\",\"{}\"\n", row[0].replace('"', "\"\""), row[1].replace('"', "\"\""));
    let file = "\"Text\",\"Length\"\n".to_owned() + &rows.iter().map(quoted).collect::<String>();
    for chunk in [7, 1000, file.len()] {
        let blocks = in_chunks(file.as_bytes(), chunk, Delimiter::Comma).expect("whole");
        assert!(blocks.len() > 1, "cells end at the end of a block, too");
        assert_eq!(texts(&blocks), rows);
    }
}

#[test]
fn rows_of_another_length_and_other_encodings_are_errors() {
    for file in [&b"A,B\n1\n"[..], b"A,B\n1,2,3\n", b"A\n\xff\n", b"\xff\n1\n"] {
        assert_eq!(in_chunks(file, 100, Delimiter::Comma).expect_err("broken").kind(), ErrorKind::Decode);
    }
    // The halves of one character in two cells are no two texts.
    assert!(in_chunks(b"A,B\n\xc3,\xa9\n", 100, Delimiter::Comma).is_err());
}

#[derive(Debug, PartialEq, Deserialize)]
struct Borrowed<'a> {
    #[serde(rename = "Id")]
    id: &'a str,
    #[serde(rename = "Score__c")]
    score: Option<f64>,
    #[serde(rename = "Active__c")]
    active: bool,
    #[serde(rename = "Account")]
    account: Option<Parent>,
    #[serde(rename = "Account.Name")]
    account_name: Option<&'a str>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Owned {
    #[serde(rename = "Amount", alias = "Score__c")]
    amount: Option<Decimal>,
    #[serde(rename = "Whole")]
    whole: i32,
    #[serde(rename = "When")]
    when: Timestamp,
    #[serde(rename = "Kinds")]
    kinds: Vec<String>,
    #[serde(rename = "State")]
    state: State,
    #[serde(rename = "Missing", default)]
    missing: Option<String>,
    #[serde(rename = "Note")]
    note: Field<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum State {
    Open,
    Closed,
}

#[test]
fn rows_become_structs_by_the_names_of_the_columns() {
    let file = "\"ID\",\"Score__c\",\"Active__c\",\"Account.Ext__c\",\"Account.Name\",\"More\"\n\
                \"1\",\"2.5\",\"true\",\"k\",\"Acme\",\"x\"\n\"2\",\"\",\"false\",\"\",\"\",\"\"\n";
    let blocks = in_chunks(file.as_bytes(), 9, Delimiter::Comma).expect("whole");
    let rows: Vec<Borrowed<'_>> = blocks.iter().flat_map(Block::decode).collect::<Result<_>>().expect("fit");
    let account = Some(Parent { key: "k".into() });
    assert_eq!(rows[0], Borrowed { id: "1", score: Some(2.5), active: true, account, account_name: Some("Acme") });
    assert_eq!(rows[1], Borrowed { id: "2", score: None, active: false, account: None, account_name: None });

    let file = "Whole,When,Kinds,State,Note,Amount\n5.0,2026-05-01T07:25:37.000Z,a;b,Closed,,9.12260031E8\n7,2026-05-01T07:25:37.000Z,a,Open,x,\n";
    let blocks = in_chunks(file.as_bytes(), 100, Delimiter::Comma).expect("whole");
    let rows: Vec<Owned> = blocks[0].decode().collect::<Result<_>>().expect("fit");
    let amount = Some(Decimal::parse("912260031").expect("a number"));
    assert_eq!((rows[0].amount, rows[0].whole, &rows[0].note), (amount, 5, &Field::Null));
    assert_eq!(
        (rows[0].kinds.as_slice(), &rows[0].state, &rows[0].missing),
        (&["a".to_owned(), "b".to_owned()][..], &State::Closed, &None)
    );
    assert_eq!((rows[1].amount, &rows[1].state, &rows[1].note), (None, &State::Open, &Field::Set("x".to_owned())));
    assert!(rows[0].when == Timestamp::parse("2026-05-01T07:25:37Z").expect("a time"));

    let maps: Vec<HashMap<&str, &str>> = blocks[0].decode().collect::<Result<_>>().expect("fit");
    assert_eq!(maps[1]["Kinds"], "a");
    let row = blocks[0].rows().next().expect("a row");
    let (whole, _, kinds): (i64, Timestamp, Vec<&str>) = row.decode().expect("the first cells");
    assert_eq!((whole, kinds), (5, vec!["a", "b"]));
}

#[test]
fn a_row_that_does_not_fit_names_the_column_and_not_the_value() {
    let blocks = in_chunks(
        b"Id,Score__c,Active__c,Account.Ext__c,Account.Name\n1,secret,true,,\n2,1,true,,\n",
        100,
        Delimiter::Comma,
    )
    .expect("whole");
    let rows: Vec<Result<Borrowed<'_>>> = blocks[0].decode().collect();
    let error = rows[0].as_ref().expect_err("no number");
    assert!(error.to_string().contains("field Score__c") && !format!("{error:?}").contains("secret"), "{error:?}");
    assert!(rows[1].is_ok(), "the others are read");
    let lacking: Vec<Result<Owned>> = blocks[0].decode().collect();
    assert!(lacking[1].as_ref().expect_err("no column").to_string().contains("Whole"));
}

#[test]
fn rows_become_records_with_their_parents() {
    let blocks = in_chunks(b"Id,Account.Owner.Name,Account.Name,N__c\n1,Ada,,1.50\n2,,,\n", 100, Delimiter::Comma)
        .expect("whole");
    let types = FieldTypesFor::numbers();
    let mut rows = blocks[0].rows();
    let row = rows.next().expect("a row");
    let record = row.to_typed_record(&types).expect("fits");
    assert_eq!(record.get("N__c"), Some(&Value::Number(Decimal::parse("1.5").expect("a number"))));
    assert_eq!(record.path("Account.Owner.Name").and_then(Value::as_text), Some("Ada"));
    assert_eq!(record.path("Account.Name"), Some(&Value::Null));
    assert_eq!(row.to_record().text("N__c"), Some("1.50"));
    assert_eq!(rows.next().expect("a row").to_record().get("Account"), Some(&Value::Null));
}

struct FieldTypesFor;

impl FieldTypesFor {
    fn numbers() -> crate::types::wire::FieldTypes {
        crate::types::wire::FieldTypes::new([("N__c", FieldType::Double)])
    }
}
