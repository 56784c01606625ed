//! What decoding a query page costs: 2,000 rows of 17 columns as borrowed rows, as owned rows and as records that keep every
//! field, beside plain `serde_json` of the same shapes.
//!
//! `cargo bench --bench json`. The page comes from memory, so what is above the floor is all that the client does for a page.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

#[path = "records/prepared.rs"]
#[expect(dead_code, reason = "the pages of the benchmark of records, of which this one needs the first")]
mod prepared;
#[path = "../examples/throughput/rows.rs"]
#[expect(dead_code, reason = "the rows of the example throughput, of which this one needs those that are read")]
mod rows;

use std::hint::black_box;

use async_trait::async_trait;
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use serde_json::Value;
use sforce::Client;
use sforce::auth::{AccessToken, StaticToken};
use sforce::http::{Body, HeaderMap, HttpService, Request, Response, StatusCode};
use sforce::types::Record;

use crate::prepared::{PAGE, json_rows};
use crate::rows::{Contact, OwnedContact};

/// Answers every request with the page.
#[derive(Debug)]
struct OnePage(Bytes);

#[async_trait]
impl HttpService for OnePage {
    async fn send(&self, _: Request) -> sforce::Result<Response> {
        Ok(Response { status: StatusCode::OK, headers: HeaderMap::new(), body: Body::Bytes(self.0.clone()) })
    }
}

/// The page as plain `serde_json` takes it.
#[derive(Deserialize)]
struct Plain<T> {
    records: Vec<T>,
}

fn page() -> Bytes {
    let rows = json_rows(0);
    format!(r#"{{"totalSize":{PAGE},"done":true,"records":[{rows}]}}"#).into()
}

/// The page as the client gives it; tells how many rows.
async fn ours<T: for<'page> Deserialize<'page>>(client: &Client) -> usize {
    let rows = client.query_pages("SELECT Id FROM Contact").next_page::<T>().await.expect("a page").expect("rows");
    black_box(rows).len()
}

async fn ours_borrowed(client: &Client) -> usize {
    let mut pages = client.query_pages("SELECT Id FROM Contact");
    let rows = pages.next_page::<Contact<'_>>().await.expect("a page").expect("rows");
    black_box(rows).len()
}

fn plain<'page, T: Deserialize<'page>>(page: &'page [u8]) -> usize {
    let page: Plain<T> = serde_json::from_slice(page).expect("a page");
    black_box(page.records).len()
}

fn json(criterion: &mut Criterion) {
    let page = page();
    let token = AccessToken::new("00D!token", "https://acme.my.salesforce.com").expect("a token");
    let client = Client::builder(StaticToken::new(token)).http(OnePage(page.clone())).build().expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let rows = |rows: usize| assert_eq!(rows, PAGE, "all rows are read");
    let mut group = criterion.benchmark_group("json, a page of 2,000 rows");
    group.throughput(Throughput::Bytes(page.len() as u64));
    group.bench_function("borrowed", |bench| bench.iter(|| rows(runtime.block_on(ours_borrowed(&client)))));
    group.bench_function("borrowed, serde_json", |bench| bench.iter(|| rows(plain::<Contact<'_>>(&page))));
    group.bench_function("owned", |bench| bench.iter(|| rows(runtime.block_on(ours::<OwnedContact>(&client)))));
    group.bench_function("owned, serde_json", |bench| bench.iter(|| rows(plain::<OwnedContact>(&page))));
    group.bench_function("records", |bench| bench.iter(|| rows(runtime.block_on(ours::<Record>(&client)))));
    group.bench_function("records, serde_json::Value", |bench| bench.iter(|| rows(plain::<Value>(&page))));
    group.finish();
}

criterion_group!(benches, json);
criterion_main!(benches);
