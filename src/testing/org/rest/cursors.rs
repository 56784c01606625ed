//! Results of queries that need more than one page.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use super::query::weight;
use crate::testing::org::json::Json;
use crate::testing::org::oauth::random;

/// Rows kept over all results; the oldest result goes first. Salesforce keeps any number, but this is memory.
const KEPT_ROWS: usize = 2_000_000;

#[derive(Debug)]
struct Cursor {
    name: String,
    made: DateTime<Utc>,
    page: usize,
    records: Vec<Json>,
    /// A fault: when the rows are over they begin again.
    endless: bool,
}

/// Open results.
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    open: VecDeque<Cursor>,
    rows: usize,
    /// Results opened now do not end.
    pub(crate) endless: bool,
}

/// A page of a result.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) total: usize,
    pub(crate) records: Vec<Json>,
    /// The locator of the rest.
    pub(crate) next: Option<String>,
}

impl Cursors {
    /// Keeps a result and gives its first page.
    pub(crate) fn open(&mut self, records: Vec<Json>, page: usize, now: DateTime<Utc>) -> Option<Page> {
        // The shape of a locator of today (recorded: rest/query-first-page-truncated.json).
        let name = format!("0r8xx{}", random(13));
        self.rows += records.len();
        self.open.push_back(Cursor { name: name.clone(), made: now, page, records, endless: self.endless });
        while self.rows > KEPT_ROWS && self.open.len() > 1 {
            self.rows -= self.open.pop_front().map_or(0, |cursor| cursor.records.len());
        }
        self.page(&format!("{name}-0"), now)
    }

    /// The page a locator names. It may be read any number of times for two days (wire facts 2.7).
    pub(crate) fn page(&mut self, locator: &str, now: DateTime<Utc>) -> Option<Page> {
        self.open.retain(|cursor| now - cursor.made < TimeDelta::days(2));
        self.rows = self.open.iter().map(|cursor| cursor.records.len()).sum();
        let (name, offset) = locator.rsplit_once('-')?;
        let offset: usize = offset.parse().ok()?;
        let cursor = self.open.iter().find(|cursor| cursor.name == name)?;
        let total = cursor.records.len();
        let start = if cursor.endless { offset.checked_rem(total).unwrap_or(0) } else { offset };
        if start > 0 && start >= total {
            return None;
        }
        // Children count, but a page has one record at least.
        let mut rows = 0;
        let fits = |record: &&Json| {
            rows += weight(record);
            rows <= cursor.page
        };
        let taken = cursor.records[start..].iter().take_while(fits).count().max(1).min(total - start);
        let more = cursor.endless || start + taken < total;
        let next = more.then(|| format!("{name}-{}", offset + taken.max(1)));
        Some(Page { total, records: cursor.records[start..start + taken].to_vec(), next })
    }
}
