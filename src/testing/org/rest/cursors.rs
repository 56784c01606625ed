//! Results of queries that need more than one page.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use crate::testing::org::json::Json;
use crate::testing::org::oauth::random;

/// Results kept; the oldest goes first. Salesforce keeps any number, but this is memory.
const KEPT: usize = 100;

#[derive(Debug)]
struct Cursor {
    name: String,
    made: DateTime<Utc>,
    page: usize,
    records: Vec<Json>,
}

/// Open results.
#[derive(Debug, Default)]
pub(crate) struct Cursors(VecDeque<Cursor>);

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
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Cursor { name: name.clone(), made: now, page, records });
        self.page(&format!("{name}-0"), now)
    }

    /// The page a locator names. It may be read any number of times for two days (wire facts 2.7).
    pub(crate) fn page(&mut self, locator: &str, now: DateTime<Utc>) -> Option<Page> {
        self.0.retain(|cursor| now - cursor.made < TimeDelta::days(2));
        let (name, offset) = locator.rsplit_once('-')?;
        let offset: usize = offset.parse().ok()?;
        let cursor = self.0.iter().find(|cursor| cursor.name == name)?;
        let total = cursor.records.len();
        if offset > 0 && offset >= total {
            return None;
        }
        let end = (offset + cursor.page).min(total);
        let next = (end < total).then(|| format!("{name}-{end}"));
        Some(Page { total, records: cursor.records[offset..end].to_vec(), next })
    }
}
