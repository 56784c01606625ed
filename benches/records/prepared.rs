//! The bytes of the answers, made once: rows repeat block by block, so that a result of any size costs nothing to make.

use std::fmt::Write as _;

use bytes::Bytes;

/// Rows of a query page.
pub(crate) const PAGE: usize = 2000;
/// Rows of a block of Bulk CSV.
pub(crate) const BLOCK: usize = 20_000;
/// Blocks of each kind that are made; later ones are the first ones again.
const JSON_BLOCKS: usize = 25;
const CSV_BLOCKS: usize = 10;
/// Records of a collections call at most.
pub(crate) const COLLECTION: usize = 200;
/// Rows whose outcomes a bulk load can tell.
pub(crate) const OUTCOMES: usize = 100_000;

/// The one contact that is read by itself.
pub(crate) const CONTACT: &str = "003Ax0000000001IAA";

const CSV_HEADER: &str = "\"Id\",\"ExtId__c\",\"FirstName\",\"LastName\",\"Email\",\"Title\",\"MailingCity\",\"Description\",\
                          \"Score__c\",\"IsActive__c\",\"CreatedDate\",\"Account.Name\"\n";

/// Rows, and the sum of their scores.
struct Rows {
    bytes: Bytes,
    sum: f64,
}

impl Rows {
    fn new(text: String, block: usize, rows: usize) -> Self {
        Self { bytes: text.into(), sum: (block * rows..(block + 1) * rows).map(score).sum() }
    }
}

pub(crate) struct Prepared {
    json: Vec<Rows>,
    csv: Vec<Rows>,
    pub(crate) csv_header: Bytes,
    pub(crate) contact: Bytes,
    saved: String,
    /// Where each row of `saved` ends.
    saved_ends: Vec<usize>,
    pub(crate) outcomes: Bytes,
    pub(crate) no_outcomes: Bytes,
}

impl Prepared {
    pub(crate) fn new() -> Self {
        let mut contact = String::new();
        json_row(&mut contact, 1);
        let (mut saved, mut saved_ends) = (String::new(), Vec::new());
        for number in 0..COLLECTION {
            let comma = if number == 0 { "[" } else { "," };
            put(
                &mut saved,
                format_args!(r#"{comma}{{"id":"{}","success":true,"errors":[],"created":true}}"#, id("003", number)),
            );
            saved_ends.push(saved.len());
        }
        // The org tells the columns of the input after its own, their names bare and all values quoted, in an order of its own.
        let columns = "ExtId__c,FirstName,LastName,Email,Title,Score__c";
        let mut outcomes = format!("\"sf__Id\",\"sf__Created\",{columns}\n");
        for number in (0..OUTCOMES).rev() {
            outcome_row(&mut outcomes, number);
        }
        Self {
            json: (0..JSON_BLOCKS).map(|block| Rows::new(json_rows(block), block, PAGE)).collect(),
            csv: (0..CSV_BLOCKS).map(|block| Rows::new(csv_rows(block), block, BLOCK)).collect(),
            csv_header: Bytes::from_static(CSV_HEADER.as_bytes()),
            contact: contact.into(),
            saved,
            saved_ends,
            outcomes: outcomes.into(),
            no_outcomes: format!("\"sf__Id\",\"sf__Error\",{columns}\n").into(),
        }
    }

    /// The rows of a query page.
    pub(crate) fn json_block(&self, page: usize) -> Bytes {
        self.json[page % JSON_BLOCKS].bytes.clone()
    }

    /// The rows of a block of a bulk result, without the header.
    pub(crate) fn csv_block(&self, block: usize) -> Bytes {
        self.csv[block % CSV_BLOCKS].bytes.clone()
    }

    /// The sum of the scores of so many rows by SOQL, and by a bulk query. Whole pages and blocks only.
    pub(crate) fn sums(&self, rows: usize) -> (f64, f64) {
        let sum = |blocks: &[Rows], count: usize| (0..count).map(|block| blocks[block % blocks.len()].sum).sum();
        (sum(&self.json, rows / PAGE), sum(&self.csv, rows / BLOCK))
    }

    /// The answer to so many records of a collections call, without its closing bracket.
    pub(crate) fn saved(&self, records: usize) -> &str {
        records.checked_sub(1).map_or("[", |last| &self.saved[..self.saved_ends[last]])
    }
}

/// The rows of a query page, with commas between them.
pub(crate) fn json_rows(page: usize) -> String {
    let mut text = String::new();
    for number in page * PAGE..(page + 1) * PAGE {
        text.push_str(if number.is_multiple_of(PAGE) { "" } else { "," });
        json_row(&mut text, number);
    }
    text
}

fn csv_rows(block: usize) -> String {
    let mut text = String::new();
    (block * BLOCK..(block + 1) * BLOCK).for_each(|number| csv_row(&mut text, number));
    text
}

fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a text does not fail.
    let _ = text.write_fmt(arguments);
}

fn id(prefix: &str, number: usize) -> String {
    format!("{prefix}Ax{number:010}IAA")
}

#[expect(clippy::cast_precision_loss, reason = "below a thousand")]
fn score(number: usize) -> f64 {
    (number * 7 % 1000) as f64 + 0.25
}

/// A text in quotes, or what stands for none.
fn or(none: &str, absent: bool, text: std::fmt::Arguments<'_>) -> String {
    if absent { none.to_owned() } else { format!("\"{text}\"") }
}

/// A contact as the Query resource tells it: attributes first, then the fields of the statement in its order, a parent as an object.
fn json_row(text: &mut String, number: usize) {
    let (id, account) = (id("003", number), id("001", number % 500));
    let (day, hour, minute) = (number % 28 + 1, number % 24, number % 60);
    let absent = "null";
    let first = or(absent, number.is_multiple_of(8), format_args!("Given {number}"));
    let email = or(absent, number % 10 == 3, format_args!("contact.{number}@company.example"));
    let phone = or(absent, number.is_multiple_of(6), format_args!("+49 30 {:04} {:04}", number % 9973, number % 7919));
    let note =
        or(absent, number % 3 == 1, format_args!(r#"Met at stand {number}.\r\nWants a \"call\", not an email."#));
    let born =
        or(absent, number.is_multiple_of(4), format_args!("19{:02}-{:02}-{day:02}", number % 50 + 50, number % 12 + 1));
    let has_account = number % 9 != 2;
    let account_id = or(absent, !has_account, format_args!("{account}"));
    put(
        text,
        format_args!(
            r#"{{"attributes":{{"type":"Contact","url":"/services/data/v60.0/sobjects/Contact/{id}"}},"Id":"{id}","ExtId__c":"KEY-{number:08}","FirstName":{first},"LastName":"Family {number}","Email":{email},"Phone":{phone},"Title":"Lead of \"Section\" {}","MailingCity":"Zürich","MailingPostalCode":"{:05}","Description":{note},"Score__c":{},"IsActive__c":{},"Birthdate":{born},"CreatedDate":"2025-03-{day:02}T{hour:02}:{minute:02}:00.000+0000","LastModifiedDate":"2026-01-{day:02}T{hour:02}:{minute:02}:30.000+0000","AccountId":{account_id},"Account":"#,
            number % 89,
            number % 99_991,
            score(number),
            number.is_multiple_of(2),
        ),
    );
    if has_account {
        put(
            text,
            format_args!(
                r#"{{"attributes":{{"type":"Account","url":"/services/data/v60.0/sobjects/Account/{account}"}},"Name":"Brown & Daughters {}"}}}}"#,
                number % 500
            ),
        );
    } else {
        text.push_str("null}");
    }
}

/// A contact as Bulk CSV tells it: all cells quoted, quotes doubled, an empty cell for none.
fn csv_row(text: &mut String, number: usize) {
    let (day, hour, minute) = (number % 28 + 1, number % 24, number % 60);
    let absent = "\"\"";
    let first = or(absent, number.is_multiple_of(8), format_args!("Given {number}"));
    let email = or(absent, number % 10 == 3, format_args!("contact.{number}@company.example"));
    let note = or(absent, number % 3 == 1, format_args!("Met at stand {number}, wants a call"));
    put(
        text,
        format_args!(
            "\"{}\",\"KEY-{number:08}\",{first},\"Family {number}\",{email},\"Lead of \"\"Section\"\" {}\",\"Zürich\",{note},\"{}\",\"{}\",\"2025-03-{day:02}T{hour:02}:{minute:02}:00.000Z\",\"Brown & Daughters {}\"\n",
            id("003", number),
            number % 89,
            score(number),
            number.is_multiple_of(2),
            number % 500,
        ),
    );
}

/// The outcome of the row of that number that the jobs load.
fn outcome_row(text: &mut String, number: usize) {
    let (whole, quarters) = (number % 1000 / 4, number % 4 * 25);
    put(
        text,
        format_args!(
            "\"{}\",\"true\",\"EXT-{number:08}\",\"First{number}\",\"Lastname {number}, Jr\",\"person{number}@example.com\",\"Head of \"\"Department\"\" {}\",\"{whole}.{quarters}\"\n",
            id("003", number),
            number % 97,
        ),
    );
}
