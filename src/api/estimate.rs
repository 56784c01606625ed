//! What a run will cost in API calls, before it starts. Pure.
//!
//! The figures are those of a run in which no call has to be repeated: retries after faults, and rows that come again after a lock, are
//! on top. The first call of a client that has no token costs nothing here, since token requests are no API calls.
//!
//! ```
//! use std::time::Duration;
//! use sforce::api::estimate::{self, CallEstimate};
//!
//! // An hourly read of accounts and contacts of which 3,500 have changed: at most 2 + ⌈3,500 / 2,000⌉ calls.
//! let hour = estimate::incremental_read(2, 3_500);
//! assert_eq!(hour, CallEstimate { at_least: 2, at_most: 3 });
//!
//! // A first write of 120,000 records, 200 a call, and 24 hours of such reads beside it.
//! let day = estimate::collections(120_000) + hour * 24;
//! assert_eq!(day.to_string(), "648 to 672 API calls");
//! assert!(day.fits(15_000));
//! ```

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul};
use std::time::Duration;

use serde::Serialize;

use super::bulk::MAX_UPLOAD_BYTES;
use super::wait::looks_within;
use super::{MAX_PACKED_RECORDS, MAX_RECORDS};
use crate::client::Client;
use crate::error::Result;
use crate::types::{RecordId, SObjectName, split_in_list};

/// Rows of a query's page. Pages of very wide rows hold fewer; [`query_by_pages`] is for those.
///
/// Source: REST API Developer Guide, "Query Options Header".
pub const PAGE_ROWS: u64 = 2_000;

/// Rows of a Bulk result's page that are reckoned with. The org makes pages of its own size, and may make one of all rows; the guide's
/// examples ask for this many.
pub const BULK_PAGE_ROWS: u64 = 50_000;

/// Pages that one list of a Bulk result names. Source: Bulk API 2.0 guide, "Get Parallel Results for a Query Job".
const PAGES_OF_A_LIST: u64 = 5;

/// How many API calls something costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct CallEstimate {
    /// Not fewer.
    pub at_least: u64,
    /// Not more, if nothing has to be repeated.
    pub at_most: u64,
}

impl CallEstimate {
    /// So many calls.
    #[must_use]
    pub fn exactly(calls: u64) -> Self {
        Self { at_least: calls, at_most: calls }
    }

    /// Between so many calls.
    #[must_use]
    pub fn between(at_least: u64, at_most: u64) -> Self {
        Self { at_least: at_least.min(at_most), at_most }
    }

    /// Whether so many calls are enough, whatever happens.
    #[must_use]
    pub fn fits(self, left: u64) -> bool {
        self.at_most <= left
    }
}

impl Add for CallEstimate {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            at_least: self.at_least.saturating_add(other.at_least),
            at_most: self.at_most.saturating_add(other.at_most),
        }
    }
}

impl Mul<u64> for CallEstimate {
    type Output = Self;

    /// So many runs of it.
    fn mul(self, runs: u64) -> Self {
        Self { at_least: self.at_least.saturating_mul(runs), at_most: self.at_most.saturating_mul(runs) }
    }
}

impl Sum for CallEstimate {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for CallEstimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.at_least, self.at_most) {
            (1, 1) => f.write_str("1 API call"),
            (least, most) if least == most => write!(f, "{most} API calls"),
            (least, most) => write!(f, "{least} to {most} API calls"),
        }
    }
}

/// A query of so many rows: a call a page, and one where there are none.
#[must_use]
pub fn query(rows: u64) -> CallEstimate {
    query_by_pages(rows, PAGE_ROWS)
}

/// A query whose pages hold so many rows.
#[must_use]
pub fn query_by_pages(rows: u64, rows_a_page: u64) -> CallEstimate {
    CallEstimate::exactly(rows.div_ceil(rows_a_page.max(1)).max(1))
}

/// One read of what has changed in so many objects, by one query each, if it is only known how much has changed in all: at most
/// `objects + ⌈changes / 2,000⌉` calls. The first page comes with the query, so that little change costs no more than none.
#[must_use]
pub fn incremental_read(objects: u64, changes: u64) -> CallEstimate {
    if objects == 0 {
        return CallEstimate::default();
    }
    let more = changes.saturating_sub(1) / PAGE_ROWS;
    CallEstimate::between(objects.max(changes.div_ceil(PAGE_ROWS)), objects.saturating_add(more))
}

/// Queries that ask for records by their ids, in lists as long as an address may be: of a statement such as
/// `SELECT Id, Name FROM Contact WHERE AccountId IN :ids`, some 480 ids a query. Rows of more than one page, where an id stands for
/// many, are on top.
///
/// # Errors
///
/// As for [`split_in_list`].
pub fn in_list(statement: &str, name: &str, ids: u64) -> Result<CallEstimate> {
    const SAMPLE: usize = 1_000;
    // All ids have the same length.
    let sample: Vec<RecordId> =
        (0..SAMPLE).map(|number| RecordId::new(&format!("001{number:012}"))).collect::<Result<_>>()?;
    let queries = split_in_list(statement, name, &sample)?;
    let first = queries.first().map_or(0, |query| query.as_str().matches("'001000000000").count());
    Ok(CallEstimate::exactly(ids.div_ceil(u64::try_from(first).unwrap_or(1).max(1))))
}

/// A write of so many rows, 200 a call: what [`Client::upsert_many`] and its siblings cost by default.
#[must_use]
pub fn collections(rows: u64) -> CallEstimate {
    CallEstimate::exactly(rows.div_ceil(MAX_RECORDS as u64))
}

/// A write of so many rows by the fewest calls, 1,000 a call ([`WriteRoute::Packed`](crate::sync::WriteRoute::Packed)). Where
/// the org refuses packed collections, the calls of [`collections`], and one to find out for each call on its way by then.
#[must_use]
pub fn packed(rows: u64) -> CallEstimate {
    let packs = rows.div_ceil(MAX_PACKED_RECORDS as u64);
    CallEstimate::between(packs, collections(rows).at_most.saturating_add(packs.min(10)))
}

/// A Bulk write of so many bytes of CSV, each of whose jobs takes so long in the org: create, upload, close and delete a job of
/// 100 MB, a look at it after 50 ms, then after a fifth of the time it has taken so far and at most every 5 s, and a call for each of its
/// three result files that has rows.
///
/// Source: Bulk API 2.0 guide, "Bulk API 2.0 Ingest".
#[must_use]
pub fn bulk_ingest(bytes: u64, a_job_takes: Duration) -> CallEstimate {
    let jobs = bytes.div_ceil(MAX_UPLOAD_BYTES).max(1);
    CallEstimate::between(4 + 1 + 1, 4 + looks_within(a_job_takes) + 3) * jobs
}

/// A Bulk read of so many rows by a job that takes so long in the org: create and delete, the looks at it, its pages, and a list for
/// each five of them.
///
/// Source: Bulk API 2.0 guide, "Bulk API 2.0 Query".
#[must_use]
pub fn bulk_query(rows: u64, the_job_takes: Duration) -> CallEstimate {
    let pages = rows.div_ceil(BULK_PAGE_ROWS).max(1);
    let lists = pages.div_ceil(PAGES_OF_A_LIST);
    CallEstimate::between(2 + 1 + 1, 2 + looks_within(the_job_takes) + pages + lists)
}

/// How rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum ReadBy {
    /// [`Client::query`]: the first rows at once, a call per 2,000.
    Query,
    /// [`Client::bulk_query`](crate::Client::bulk_query): rows by the million in few calls, after the job has ended. It has no
    /// GROUP BY, aggregates, child subqueries and compound fields, and 10,000 jobs in 24 hours are all an org has.
    BulkQuery,
}

/// How to read so many rows, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReadPlan {
    /// The way that was chosen.
    pub by: ReadBy,
    /// The rows it was chosen for.
    pub rows: u64,
    /// What it costs.
    pub calls: CallEstimate,
}

impl ReadPlan {
    /// Chooses the way that costs fewer calls: queries for up to some 60,000 rows, Bulk beyond, and Bulk earlier where the calls that are
    /// left do not reach for the query. Salesforce's own advice is Bulk from 2,000 rows on; up to some 60,000 a query has told its
    /// rows by when a job has ended, for no more calls.
    ///
    /// Source of the advice: Bulk API 2.0 guide, "Bulk API 2.0 Limits and Allocations".
    #[must_use]
    pub fn choose(rows: u64, left: Option<u64>) -> Self {
        // A guess, for the looks only.
        let takes = Duration::from_secs(10 + rows / 20_000);
        let (query, bulk) = (query(rows), bulk_query(rows, takes));
        let out_of_reach = left.is_some_and(|left| !query.fits(left) && bulk.fits(left));
        let is_bulk = rows > PAGE_ROWS && (bulk.at_most < query.at_least || out_of_reach);
        let (by, calls) = if is_bulk { (ReadBy::BulkQuery, bulk) } else { (ReadBy::Query, query) };
        Self { by, rows, calls }
    }
}

impl Client {
    /// How to read all records of an object, by how many there are about and how many [calls are left](Self::calls_left). Costs
    /// one API call.
    ///
    /// # Errors
    ///
    /// As for [`record_counts`](Self::record_counts).
    pub async fn plan_read(&self, object: &SObjectName) -> Result<ReadPlan> {
        let counts = self.record_counts(std::slice::from_ref(object)).await?;
        Ok(ReadPlan::choose(counts.get(object).copied().unwrap_or(0), self.calls_left()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heap_31_an_hourly_read_costs_no_more_than_its_promise_however_changes_are_spread() {
        for changes in (0_u64..20_000).step_by(499).chain([1, 2_000, 2_001, 4_000, 4_001]) {
            let promised = 2 + changes.div_ceil(2_000);
            let told = incremental_read(2, changes);
            assert!(told.at_most <= promised, "{changes}");
            for accounts in (0..=changes).step_by(331).chain([changes]) {
                let real = query(accounts) + query(changes - accounts);
                assert!(told.at_least <= real.at_least && real.at_most <= told.at_most, "{accounts} of {changes}");
            }
        }
        assert_eq!(incremental_read(2, 0), CallEstimate::exactly(2), "nothing has changed");
        assert_eq!(incremental_read(0, 5), CallEstimate::default());
        // The promise counts 48 calls a day for two objects without changes; a day's cap of 10,000 leaves room for 19 million changes.
        assert!((incremental_read(2, 800_000) * 24).fits(10_000));
    }

    #[test]
    fn writes_cost_a_call_for_so_many_rows() {
        for (rows, collected, least) in [(0, 0, 0), (1, 1, 1), (200, 1, 1), (201, 2, 1), (1_000, 5, 1), (1_001, 6, 2)] {
            assert_eq!(collections(rows), CallEstimate::exactly(collected), "{rows}");
            assert_eq!(packed(rows).at_least, least, "{rows}");
        }
        let bulk = bulk_ingest(250_000_000, Duration::from_mins(1));
        assert_eq!(bulk.at_least, 18, "three jobs");
        assert!(bulk.at_most < 3 * 60, "{bulk}");
        assert!(bulk_ingest(0, Duration::MAX).at_most > 0, "no panic, whatever it is told");
    }

    #[test]
    fn estimates_add_up_and_read_well() {
        assert_eq!(CallEstimate::exactly(1).to_string(), "1 API call");
        assert_eq!((CallEstimate::exactly(2) * 3).to_string(), "6 API calls");
        assert_eq!([query(1), packed(1_000)].into_iter().sum::<CallEstimate>().to_string(), "2 to 7 API calls");
        assert_eq!(
            CallEstimate::between(u64::MAX, u64::MAX) + CallEstimate::exactly(1),
            CallEstimate::exactly(u64::MAX)
        );
        // Every five minutes: 288 runs a day of at most 52 calls fit into 15,000.
        assert!((CallEstimate::exactly(52) * 288).fits(15_000) && !(CallEstimate::exactly(53) * 288).fits(15_000));
    }

    #[test]
    fn ids_fill_their_addresses() {
        let told = in_list("SELECT Id, Name FROM Contact WHERE AccountId IN :ids", "ids", 10_000).expect("a statement");
        let id = |number: usize| RecordId::new(&format!("003{number:012}")).expect("an id");
        let ids: Vec<RecordId> = (0..10_000).map(id).collect();
        let real = split_in_list("SELECT Id, Name FROM Contact WHERE AccountId IN :ids", "ids", &ids).expect("cut");
        assert_eq!(told, CallEstimate::exactly(real.len() as u64));
        assert_eq!(in_list("SELECT Id FROM Account WHERE Id IN :ids", "ids", 0).expect("a statement").at_most, 0);
        assert!(in_list("SELECT Id FROM Account", "ids", 1).is_err());
    }

    #[test]
    fn smv_24_the_way_that_costs_fewer_calls_is_chosen() {
        let by = |rows, left| ReadPlan::choose(rows, left).by;
        for rows in [0, 1, 2_000, 10_000, 50_000] {
            assert_eq!(by(rows, None), ReadBy::Query, "{rows}");
        }
        for rows in [80_000, 1_000_000, 100_000_000] {
            assert_eq!(by(rows, None), ReadBy::BulkQuery, "{rows}");
        }
        assert_eq!(by(50_000, Some(1_000)), ReadBy::Query);
        let plan = ReadPlan::choose(1_000_000, Some(1_000));
        assert!(plan.calls.at_most < 100, "{plan:?}: 500 by queries");
        // Where the query is out of reach and the job is not, the job is chosen.
        let (query, bulk) = (query(60_000), bulk_query(60_000, Duration::from_secs(13)));
        assert!(bulk.at_most >= query.at_least || by(60_000, None) == ReadBy::BulkQuery);
        assert_eq!(by(2_000, Some(0)), ReadBy::Query, "one call is the least there is");
    }
}
