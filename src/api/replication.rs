//! Which records were created, changed or deleted in a window of time.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::sobjects::SObjectApi;
use crate::client::{ApiRequest, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{RecordId, SObjectName, Timestamp};

/// The records that were created or changed in a window.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UpdatedRecords {
    /// Their ids, at most 600,000. Records deleted since are not among them.
    pub ids: Vec<RecordId>,
    /// Up to where the window is complete: the start of the next one. Before the window's end where transactions still run, and in
    /// Salesforce's own example even before its start.
    pub latest_date_covered: Timestamp,
}

/// The records that were deleted in a window.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeletedRecords {
    /// The records, at most 600,000. A record that was restored since may be among them.
    pub deleted_records: Vec<DeletedRecord>,
    /// When the last record was removed for good: no window may start before that.
    pub earliest_date_available: Timestamp,
    /// Up to where the window is complete, as in [`UpdatedRecords::latest_date_covered`].
    pub latest_date_covered: Timestamp,
}

/// A record that was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeletedRecord {
    /// The record. Of history objects, one of any of them.
    pub id: RecordId,
    /// When it was deleted.
    pub deleted_date: Timestamp,
}

/// What one of the two resources is called and what windows it takes. Sources: REST API Developer Guide, "sObject Get Updated",
/// "sObject Get Deleted"; SOAP API Developer Guide, `getUpdated()`, `getDeleted()`.
#[derive(Clone, Copy, Debug)]
struct Rules {
    operation: &'static str,
    resource: &'static str,
    /// The shortest window.
    minutes: i64,
    /// How far back the org remembers.
    days: i64,
}

const UPDATED: Rules = Rules { operation: "sobjects.updated", resource: "updated", minutes: 1, days: 30 };
/// "By more than one minute", and seconds are ignored.
const DELETED: Rules = Rules { operation: "sobjects.deleted", resource: "deleted", minutes: 2, days: 15 };

const READ_ALL: &str = "read the whole table, and go on from when that began";
const DAY: i64 = 24 * 60;

/// Whole minutes since 1970: Salesforce ignores the seconds of a window.
fn minute(at: Timestamp) -> i64 {
    at.unix_millis().div_euclid(60_000)
}

/// A window in whole minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    start: i64,
    end: i64,
}

impl Rules {
    /// Refuses what Salesforce would, before anything is sent.
    fn check(self, window: Window, now: Timestamp) -> Result<()> {
        let wrong = |message: &'static str| Error::new(ErrorKind::Invalid, self.operation, message);
        if window.end - window.start < self.minutes {
            return Err(wrong("the window is too short, or ends before it starts")
                .with_context("shortest_minutes", self.minutes)
                .with_advice("windows count in whole minutes: start the next one a few minutes after the last"));
        }
        // This machine's clock may be off by hours; nearer to the bound the org decides.
        if window.start < minute(now) - (self.days + 1) * DAY {
            return Err(wrong("the window starts before what the org remembers")
                .with_context("days", self.days)
                .with_advice(READ_ALL));
        }
        Ok(())
    }

    fn request(self, object: &SObjectName, window: Window) -> Result<ApiRequest> {
        let date = |minutes: i64| {
            let at = Timestamp::from_unix_millis(minutes.saturating_mul(60_000));
            at.map(|at| at.as_utc().format("%Y-%m-%dT%H:%M:%S+00:00").to_string())
                .ok_or_else(|| Error::new(ErrorKind::Invalid, self.operation, "the year is outside 0 to 9999"))
        };
        let path = format!("/sobjects/{object}/{}/", self.resource);
        Ok(ApiRequest::get(self.operation, path)
            .query("start", &date(window.start)?)
            .query("end", &date(window.end)?)
            .context("object", object))
    }

    async fn ask<A: DeserializeOwned>(self, client: &Client, object: &SObjectName, window: Window) -> Result<A> {
        self.check(window, Timestamp::from(client.now()))?;
        client.send(self.request(object, window)?).await?.json()
    }
}

impl<T> SObjectApi<T> {
    /// The records that were created or changed between two times, the start included. Costs one API call.
    ///
    /// Nothing is lost if each window starts at [`latest_date_covered`](UpdatedRecords::latest_date_covered) of the one before, not at
    /// its end; a record may then be told twice. Seconds are ignored; the start is at most 30 days ago, and before the end. Only for
    /// objects that are [`replicateable`](crate::types::SObjectDescribe::replicateable).
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] before sending for another window; with the code `INVALID_REPLICATION_DATE` when the org does not know
    ///   that time any more: the whole table has to be read then.
    /// - [`ErrorKind::Invalid`] with the code `EXCEEDED_ID_LIMIT` for more than 600,000 records:
    ///   [`updated_windows`](Self::updated_windows) cuts the window.
    /// - Any error of [`Client::send`].
    ///
    /// Source: REST API Developer Guide, "sObject Get Updated".
    pub async fn updated(&self, start: Timestamp, end: Timestamp) -> Result<UpdatedRecords> {
        UPDATED.ask(&self.client, &self.object, Window { start: minute(start), end: minute(end) }).await
    }

    /// The records that were deleted between two times, the start included. Costs one API call.
    ///
    /// As [`updated`](Self::updated), but the start is at most 15 days ago, and more than a minute before the end. The org remembers less
    /// when its recycle bin was emptied or its log of deletions is full, which has 5,000 entries a licence.
    ///
    /// # Errors
    ///
    /// As for [`updated`](Self::updated).
    ///
    /// Source: REST API Developer Guide, "sObject Get Deleted".
    pub async fn deleted(&self, start: Timestamp, end: Timestamp) -> Result<DeletedRecords> {
        DELETED.ask(&self.client, &self.object, Window { start: minute(start), end: minute(end) }).await
    }

    /// As [`updated`](Self::updated), in as many windows as it takes to stay within 600,000 records each.
    ///
    /// ```no_run
    /// use sforce::types::{SObjectName, Timestamp};
    ///
    /// # async fn run(client: sforce::Client, last: Timestamp, now: Timestamp) -> sforce::Result<()> {
    /// let accounts = client.records(SObjectName::from_static("Account"));
    /// let mut windows = accounts.updated_windows(last, now);
    /// while let Some(window) = windows.next_window().await? {
    ///     println!("{} records; go on from {}", window.ids.len(), window.latest_date_covered);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn updated_windows(&self, start: Timestamp, end: Timestamp) -> UpdatedWindows {
        UpdatedWindows(Windows::new(self, UPDATED, start, end))
    }

    /// As [`deleted`](Self::deleted), in as many windows as it takes to stay within 600,000 records each.
    #[must_use]
    pub fn deleted_windows(&self, start: Timestamp, end: Timestamp) -> DeletedWindows {
        DeletedWindows(Windows::new(self, DELETED, start, end))
    }
}

/// Windows of [`updated_windows`](SObjectApi::updated_windows), one after the other.
pub struct UpdatedWindows(Windows);

impl UpdatedWindows {
    /// The next window's records; `None` after the last one. Costs one API call, and one more for each halving.
    ///
    /// A window that Salesforce refuses for its number of records is halved, one that went well doubled. The last window may end before
    /// the end that was asked for, where transactions still run.
    ///
    /// # Errors
    ///
    /// As for [`updated`](SObjectApi::updated); with `EXCEEDED_ID_LIMIT` only when a window of the shortest length has too many records.
    /// After an error the same window is asked for again.
    pub async fn next_window(&mut self) -> Result<Option<UpdatedRecords>> {
        self.0.next(|answer: &UpdatedRecords| answer.latest_date_covered).await
    }
}

/// Windows of [`deleted_windows`](SObjectApi::deleted_windows), one after the other.
pub struct DeletedWindows(Windows);

impl DeletedWindows {
    /// As [`UpdatedWindows::next_window`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn next_window(&mut self) -> Result<Option<DeletedRecords>> {
        self.0.next(|answer: &DeletedRecords| answer.latest_date_covered).await
    }
}

impl fmt::Debug for UpdatedWindows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UpdatedWindows({}, {:?})", self.0.object, self.0.cut)
    }
}

impl fmt::Debug for DeletedWindows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeletedWindows({}, {:?})", self.0.object, self.0.cut)
    }
}

struct Windows {
    client: Client,
    object: SObjectName,
    rules: Rules,
    cut: Cut,
}

impl Windows {
    fn new<T>(of: &SObjectApi<T>, rules: Rules, start: Timestamp, end: Timestamp) -> Self {
        let rest = Window { start: minute(start), end: minute(end) };
        let cut = Cut { rest, span: i64::MAX, shortest: rules.minutes, begun: false };
        Self { client: of.client.clone(), object: of.object.clone(), rules, cut }
    }

    async fn next<A: DeserializeOwned>(&mut self, covered: impl Fn(&A) -> Timestamp) -> Result<Option<A>> {
        while let Some(window) = self.cut.window() {
            match self.rules.ask::<A>(&self.client, &self.object, window).await {
                Ok(answer) => {
                    self.cut.answered(window, minute(covered(&answer)));
                    return Ok(Some(answer));
                }
                Err(error) if error.has_code("EXCEEDED_ID_LIMIT") && self.cut.halve(window) => {}
                Err(error) if error.has_code("EXCEEDED_ID_LIMIT") => return Err(error.with_advice(READ_ALL)),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// What is left of a time, and how long its next window may be. Pure.
#[derive(Clone, Copy, Debug)]
struct Cut {
    rest: Window,
    span: i64,
    shortest: i64,
    /// A first window is asked for even if it is too short, so that its caller is told.
    begun: bool,
}

impl Cut {
    fn window(&self) -> Option<Window> {
        let left = self.rest.end - self.rest.start;
        // A rest that is too short to be asked for belongs to the next time: the last answer tells where it starts.
        let asked = !self.begun || left >= self.shortest;
        asked.then(|| Window { start: self.rest.start, end: self.rest.start + left.min(self.span) })
    }

    fn answered(&mut self, window: Window, covered: i64) {
        self.begun = true;
        if covered < window.end {
            // What comes later is not known yet.
            self.rest.start = self.rest.end;
            return;
        }
        self.rest.start = window.end;
        self.span = (window.end - window.start).max(self.shortest).saturating_mul(2);
    }

    /// Whether the window can be shorter.
    fn halve(&mut self, window: Window) -> bool {
        let length = window.end - window.start;
        self.span = (length / 2).max(self.shortest);
        self.span < length
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn check(rules: Rules, start: &str, end: &str) -> Result<()> {
        rules.check(Window { start: minute(at(start)), end: minute(at(end)) }, at("2026-05-31T12:00:00Z"))
    }

    #[test]
    fn windows_that_salesforce_would_refuse_are_not_sent() {
        for (rules, start, end, fits) in [
            (UPDATED, "2026-05-31T11:00:00Z", "2026-05-31T11:01:00Z", true),
            (UPDATED, "2026-05-31T11:00:00Z", "2026-05-31T11:00:59Z", false),
            (UPDATED, "2026-05-31T11:00:59Z", "2026-05-31T11:01:00Z", true),
            (UPDATED, "2026-05-31T11:01:00Z", "2026-05-31T11:00:00Z", false),
            (UPDATED, "2026-05-01T12:00:00Z", "2026-05-31T12:00:00Z", true),
            (UPDATED, "2026-04-30T11:59:00Z", "2026-05-31T12:00:00Z", false),
            (DELETED, "2026-05-31T11:00:59Z", "2026-05-31T11:02:00Z", true),
            (DELETED, "2026-05-31T11:00:00Z", "2026-05-31T11:01:59Z", false),
            (DELETED, "2026-05-16T12:00:00Z", "2026-05-31T12:00:00Z", true),
            (DELETED, "2026-05-15T11:59:00Z", "2026-05-31T12:00:00Z", false),
        ] {
            let checked = check(rules, start, end);
            assert_eq!(checked.is_ok(), fits, "{} {start} {end}", rules.resource);
            assert!(checked.map_err(|error| error.kind()).err().is_none_or(|kind| kind == ErrorKind::Invalid));
        }
    }

    #[test]
    fn the_address_has_whole_minutes_in_utc() {
        let window =
            Window { start: minute(at("2026-05-01T00:00:59.5+01:00")), end: minute(at("2026-05-01T08:30:00Z")) };
        let request = DELETED.request(&SObjectName::from_static("Account"), window).expect("a request");
        let shown = format!("{request:?}");
        assert!(shown.contains("/sobjects/Account/deleted/"), "{shown}");
        assert_eq!((window.start % 60, window.end % 60), (0, 30));
    }

    proptest! {
        /// Whatever the density: every minute is told once, in order, no window has more than allowed, and the calls are bounded.
        #[test]
        fn any_time_is_told_in_windows_that_fit(
            counts in prop::collection::vec(0..40_u32, 1..300),
            shortest in 1..=2_i64,
            lag in 0..30_i64,
        ) {
            let end = i64::try_from(counts.len()).expect("short");
            let mut cut = Cut { rest: Window { start: 0, end }, span: i64::MAX, shortest, begun: false };
            let (mut told, mut calls) = (0, 0);
            while let Some(window) = cut.window() {
                calls += 1;
                prop_assert!(calls <= 3 * counts.len() + 20);
                prop_assert_eq!(window.start, told);
                prop_assert!(window.end <= end);
                let place = |minute: i64| usize::try_from(minute).expect("within");
                let count: u32 = counts[place(window.start)..place(window.end)].iter().sum();
                if count > 100 {
                    // Two minutes have at most 78.
                    prop_assert!(cut.halve(window));
                    continue;
                }
                let covered = window.end.min(end - lag).max(window.start);
                cut.answered(window, covered);
                told = covered;
                if covered < window.end {
                    prop_assert!(cut.window().is_none(), "nothing later is known");
                    break;
                }
            }
            // A last minute alone is too short for a window of two.
            prop_assert!(told > end - lag - shortest || told == 0 && end < shortest);
        }
    }

    #[test]
    fn a_window_of_the_shortest_length_is_not_halved() {
        let rest = Window { start: 10, end: 15 };
        let mut cut = Cut { rest, span: i64::MAX, shortest: 2, begun: false };
        assert!(cut.halve(Window { start: 10, end: 15 }));
        assert_eq!(cut.window(), Some(Window { start: 10, end: 12 }));
        assert!(!cut.halve(Window { start: 10, end: 12 }));
    }
}
