//! What rows of Bulk CSV cost: typed rows written, and results read as borrowed and as owned rows, beside the crate `csv` doing the
//! same by header name.
//!
//! `cargo bench --bench csv`.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::{Deserialize, Serialize};
use sforce::types::wire::csv::{self, Block, CsvWriter, Delimiter, LineEnding};

const ROWS: u32 = 10_000;

#[derive(Serialize)]
struct Row {
    #[serde(rename = "ExtId__c")]
    key: String,
    #[serde(rename = "LastName")]
    name: String,
    #[serde(rename = "Email")]
    email: String,
    #[serde(rename = "Title")]
    title: Option<String>,
    #[serde(rename = "Score__c")]
    score: f64,
}

fn row(number: u32) -> Row {
    Row {
        key: format!("EXT-{number:08}"),
        name: format!("Lastname {number}, Jr"),
        email: format!("person{number}@example.com"),
        title: (!number.is_multiple_of(3)).then(|| format!("Head of \"Department\" {}", number % 97)),
        score: f64::from(number % 1000) / 4.0,
    }
}

#[derive(Deserialize)]
struct Borrowed<'a> {
    #[serde(rename = "Id")]
    id: &'a str,
    #[serde(rename = "Email")]
    email: Option<&'a str>,
    #[serde(rename = "Title")]
    title: &'a str,
    #[serde(rename = "Score__c")]
    score: Option<f64>,
    #[serde(rename = "Account.Name")]
    account: Option<&'a str>,
}

#[derive(Deserialize)]
struct Owned {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Email")]
    email: Option<String>,
    #[serde(rename = "Title")]
    title: String,
    #[serde(rename = "Score__c")]
    score: Option<f64>,
    #[serde(rename = "Account.Name")]
    account: Option<String>,
}

fn written(rows: &[Row]) -> Vec<u8> {
    let mut file = CsvWriter::new(Delimiter::Comma, LineEnding::Lf);
    for row in rows {
        file.push(row).expect("fits");
    }
    file.take()
}

fn plainly_written(rows: &[Row]) -> Vec<u8> {
    let mut file = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        file.serialize(row).expect("fits");
    }
    file.into_inner().expect("is whole")
}

fn result() -> String {
    let mut text = "\"Id\",\"Email\",\"Title\",\"Score__c\",\"Account.Name\"\n".to_owned();
    for number in 0..ROWS {
        let score = f64::from(number % 1000) / 4.0;
        writeln!(
            text,
            "\"003Ax{number:010}IAA\",\"person{number}@example.com\",\"Head of \"\"Department\"\" {}\",\"{score}\",\"Account & Sons {}\"",
            number % 97,
            number % 1000
        )
        .expect("a text");
    }
    text
}

fn blocks(text: &str) -> Vec<Block> {
    csv::read(text.as_bytes(), Delimiter::Comma).expect("whole")
}

fn csv(criterion: &mut Criterion) {
    let rows: Vec<Row> = (0..ROWS).map(row).collect();
    let size = written(&rows).len() as u64;
    let mut group = criterion.benchmark_group("csv, 10,000 rows");
    group.throughput(Throughput::Bytes(size));
    group.bench_function("write typed", |bench| bench.iter(|| black_box(written(&rows))));
    group.bench_function("write typed, crate csv", |bench| bench.iter(|| black_box(plainly_written(&rows))));

    let text = result();
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("read as texts", |bench| bench.iter(|| black_box(blocks(&text))));
    let borrowed = || -> usize {
        let read = |row: Borrowed<'_>| {
            let texts =
                row.id.len() + row.title.len() + row.email.map_or(0, str::len) + row.account.map_or(0, str::len);
            texts + usize::from(row.score.is_some())
        };
        blocks(&text).iter().map(|block| block.decode().map(|row| read(row.expect("fits"))).sum::<usize>()).sum()
    };
    let owned = || -> usize {
        let len = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let read = |row: &Owned| {
            row.id.len() + row.title.len() + len(&row.email) + len(&row.account) + usize::from(row.score.is_some())
        };
        let rows = blocks(&text).iter().flat_map(|block| block.decode().collect::<Vec<_>>()).collect::<Vec<_>>();
        rows.into_iter().map(|row| read(&row.expect("fits"))).sum()
    };
    assert_eq!(borrowed(), owned(), "both read the same");
    let plainly_borrowed = || -> usize {
        let mut file = ::csv::Reader::from_reader(text.as_bytes());
        let header = file.headers().expect("a header").clone();
        let (mut row, mut rows) = (::csv::StringRecord::new(), 0);
        while file.read_record(&mut row).expect("a row") {
            black_box(row.deserialize::<Borrowed<'_>>(Some(&header)).expect("fits"));
            rows += 1;
        }
        rows
    };
    let plainly_owned = || {
        ::csv::Reader::from_reader(text.as_bytes())
            .deserialize::<Owned>()
            .inspect(|row| assert!(black_box(row).is_ok(), "fits"))
            .count()
    };
    assert_eq!((plainly_borrowed(), plainly_owned()), (ROWS as usize, ROWS as usize), "all rows are read");
    group.bench_function("read as borrowed rows", |bench| bench.iter(|| black_box(borrowed())));
    group.bench_function("read as borrowed rows, crate csv", |bench| bench.iter(|| black_box(plainly_borrowed())));
    group.bench_function("read as owned rows", |bench| bench.iter(|| black_box(owned())));
    group.bench_function("read as owned rows, crate csv", |bench| bench.iter(|| black_box(plainly_owned())));
    group.finish();
}

criterion_group!(benches, csv);
criterion_main!(benches);
