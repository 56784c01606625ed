//! Which API takes the rows. Pure.

use std::time::Duration;

use crate::api::{MAX_PACKED_RECORDS, MAX_RECORDS};

/// Calls that a bulk job costs, whatever its rows: create, upload, close, five looks (which see a job of ten seconds end), two result
/// files. One that takes ten minutes costs eleven more.
pub(super) const CALLS_OF_A_JOB: u64 = 10;

/// Records of one job, at most.
pub(super) const MOST_OF_A_JOB: usize = 100_000;

/// Records from which jobs are chosen where the org should have them soon. By collections those are 250 calls and take about as long as
/// a job waits for its turn and is seen to end.
const MANY: u64 = 50_000;

/// Records for which one more job is made when jobs are at work already; Salesforce advises Bulk API 2.0 for more than that many.
/// Source: Bulk API 2.0 guide, "How Bulk API 2.0 Works"; protocol facts, section 3.3.
pub(super) const WORTH_A_JOB: usize = 2_000;

/// How soon the org should have the records. Who can wait pays fewer API calls.
///
/// Chosen anew as more becomes known of how many records come: what the stream's `size_hint` promises, and what could be read of it.
/// Where the calls that are left ([`Client::calls_left`](crate::Client::calls_left)) would not do, a way of fewer calls is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// At once: calls of up to 200 records, as soon as there are records, however many come.
    Now,
    /// Within seconds for up to some ten thousand records, by calls of 200; within minutes from 50,000 on, by bulk jobs.
    #[default]
    Soon,
    /// Within minutes, for the fewest calls: up to 1,000 records in one, and bulk jobs where those cost less, from 10,001 records on.
    Whenever,
}

/// A way that is fixed by the caller: see [`WriteMany::by`](super::WriteMany::by).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteRoute {
    /// Calls of up to 200 records: sObject Collections.
    Collections,
    /// Calls of up to 1,000 records: five collections in one composite.
    Packed,
    /// Jobs of Bulk API 2.0.
    Bulk,
}

/// A way for the rows to go, those of fewer calls behind the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Route {
    /// The only record, by a call of its own: it tells more of what duplicate rules found than a row of a collection does.
    Single,
    Collections,
    Packed,
    Bulk,
}

impl From<WriteRoute> for Route {
    fn from(route: WriteRoute) -> Self {
        match route {
            WriteRoute::Collections => Self::Collections,
            WriteRoute::Packed => Self::Packed,
            WriteRoute::Bulk => Self::Bulk,
        }
    }
}

/// Whether rows may go by jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jobs {
    /// They would mean something else there, or the org takes none.
    No,
    /// Where nothing else would do: rows of one parent may meet in a job.
    AtNeed,
    Yes,
}

/// What is known of the rows to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    /// How many there are at least.
    pub(super) rows: u64,
    /// Whether there is one in all, and no more will come.
    pub(super) only: bool,
    /// API calls that may still be made.
    pub(super) calls_left: Option<u64>,
    pub(super) jobs: Jobs,
}

impl Route {
    /// Rows of one call.
    pub(super) fn rows_of_a_call(self) -> usize {
        match self {
            Self::Single | Self::Collections => MAX_RECORDS,
            // What a job leaves goes by packed calls.
            Self::Packed | Self::Bulk => MAX_PACKED_RECORDS,
        }
    }

    /// API calls that so many rows cost if all goes well.
    fn calls(self, rows: u64) -> u64 {
        match self {
            Self::Bulk => rows.div_ceil(MOST_OF_A_JOB as u64) * CALLS_OF_A_JOB,
            other => rows.div_ceil(other.rows_of_a_call() as u64),
        }
    }
}

impl Freshness {
    /// The way for these rows.
    pub(super) fn route(self, ahead: &Ahead) -> Route {
        let Ahead { rows, only, calls_left, jobs } = *ahead;
        if only {
            return Route::Single;
        }
        if rows <= MAX_RECORDS as u64 {
            return Route::Collections;
        }
        let cheapest = if Route::Packed.calls(rows) > Route::Bulk.calls(rows) { Route::Bulk } else { Route::Packed };
        let wanted = match self {
            Self::Soon if rows >= MANY && jobs == Jobs::Yes => Route::Bulk,
            Self::Now | Self::Soon => Route::Collections,
            Self::Whenever if cheapest == Route::Bulk && jobs == Jobs::Yes => Route::Bulk,
            Self::Whenever => Route::Packed,
        };
        let fits = |route: &Route| calls_left.is_none_or(|left| route.calls(rows) <= left);
        let allowed = |route: &Route| *route >= wanted && (*route != Route::Bulk || jobs != Jobs::No);
        let ways = [Route::Collections, Route::Packed, Route::Bulk];
        ways.into_iter().filter(allowed).find(fits).unwrap_or_else(|| {
            // Nothing brings all of them over. A job brings the most, if the calls do for one.
            let one_job = jobs != Jobs::No && calls_left.is_some_and(|left| left >= CALLS_OF_A_JOB);
            if one_job { Route::Bulk } else { Route::Packed }
        })
    }

    /// Rows that are read ahead of the first call where the stream does not say how many come.
    pub(super) fn reads_ahead(self) -> u64 {
        match self {
            Self::Now => 0,
            Self::Soon => MANY,
            Self::Whenever => CALLS_OF_A_JOB * MAX_PACKED_RECORDS as u64 + 1,
        }
    }

    /// How long rows wait for company when nothing is on its way and no more come.
    pub(super) fn patience(self, route: Route) -> Duration {
        match self {
            Self::Whenever => Duration::from_secs(5),
            _ if route == Route::Bulk => Duration::from_secs(1),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_freshness_and_calls_left_choose_the_way() {
        use Freshness::{Now, Soon, Whenever};
        use Jobs::{AtNeed, No, Yes};
        use Route::{Bulk, Collections, Packed};
        let plenty = Some(100_000);
        let cases = [
            // Few rows are one call, whatever is wished.
            (Now, 2, plenty, Yes, Collections),
            (Soon, 200, plenty, Yes, Collections),
            (Whenever, 200, plenty, Yes, Collections),
            (Whenever, 0, None, Yes, Collections),
            // By size and freshness.
            (Now, 5_000, plenty, Yes, Collections),
            (Now, 10_000_000, None, Yes, Collections),
            (Soon, 201, plenty, Yes, Collections),
            (Soon, 49_999, plenty, Yes, Collections),
            (Soon, 50_000, plenty, Yes, Bulk),
            (Soon, 10_000_000, None, Yes, Bulk),
            (Whenever, 201, plenty, Yes, Packed),
            (Whenever, 10_000, plenty, Yes, Packed),
            (Whenever, 10_001, plenty, Yes, Bulk),
            // A job costs its calls for each 100,000 rows, and packed calls are a tenth of the rows of one.
            (Whenever, 110_000, plenty, Yes, Bulk),
            // Where jobs are not to be.
            (Soon, 1_000_000, plenty, No, Collections),
            (Soon, 1_000_000, plenty, AtNeed, Collections),
            (Whenever, 1_000_000, plenty, AtNeed, Packed),
            // By what is left: the first way that fits.
            (Soon, 5_000, Some(25), Yes, Collections),
            (Soon, 5_000, Some(24), Yes, Packed),
            (Now, 5_000, Some(5), Yes, Packed),
            (Now, 5_000, Some(4), Yes, Packed),
            (Soon, 20_000, Some(19), Yes, Bulk),
            (Now, 20_000, Some(10), Yes, Bulk),
            (Whenever, 9_000, Some(9), Yes, Packed),
            (Soon, 20_000, Some(19), AtNeed, Bulk),
            (Soon, 20_000, Some(19), No, Packed),
            (Whenever, 1_000_000, Some(500), AtNeed, Bulk),
            // Where nothing fits.
            (Soon, 20_000, Some(9), Yes, Packed),
            (Soon, 60_000, Some(9), Yes, Packed),
            (Now, 10_000_000, Some(300), Yes, Bulk),
            (Soon, 10_000_000, Some(300), No, Packed),
            (Soon, 300, Some(0), Yes, Packed),
        ];
        for (freshness, rows, calls_left, jobs, route) in cases {
            let ahead = Ahead { rows, only: false, calls_left, jobs };
            assert_eq!(freshness.route(&ahead), route, "{freshness:?} {ahead:?}");
        }
        for freshness in [Now, Soon, Whenever] {
            let ahead = Ahead { rows: 1, only: true, calls_left: None, jobs: Yes };
            assert_eq!(freshness.route(&ahead), Route::Single);
        }
    }

    #[test]
    fn what_is_read_ahead_decides() {
        for freshness in [Freshness::Soon, Freshness::Whenever] {
            let ahead = |rows| Ahead { rows, only: false, calls_left: None, jobs: Jobs::Yes };
            assert_eq!(freshness.route(&ahead(freshness.reads_ahead())), Route::Bulk);
            assert_ne!(freshness.route(&ahead(freshness.reads_ahead() - 1)), Route::Bulk);
        }
        assert_eq!(Freshness::Now.reads_ahead(), 0);
    }
}
