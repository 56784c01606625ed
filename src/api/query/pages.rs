//! A query page by page.

use std::collections::HashSet;
use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use serde::Deserialize;

use super::fetch::{Fetch, Next};
use super::keyset::{Keyset, is_gone};
use super::{Page, QueryCursor, wrong};
use crate::client::{ApiResponse, Client};
use crate::error::{Error, Result};
use crate::types::{RecordId, Soql};

/// Pages without rows in a row that are followed; none was ever seen.
const MAX_EMPTY_PAGES: u32 = 3;

/// A query page by page, with the next page on its way while this one is read.
///
/// Ends after the last page. After a call that failed the same page is asked for again by the next call; the cursor moves only
/// past a page that was read whole. More or fewer rows than the query announced are an error, never a silent end; it comes
/// instead of the page that showed it, and after it the query ends. A locator that comes again is an error as well.
///
/// Dropping a call that waits loses nothing: the next one goes on where it was.
pub struct QueryPages {
    client: Client,
    /// What to ask for where nothing is on its way.
    next: Option<Next>,
    current: Option<Fetch>,
    ahead: Option<Fetch>,
    /// The page that has arrived.
    page: Option<ApiResponse>,
    /// The last page with rows that was handed out whole, for the id of its last row.
    read: Option<ApiResponse>,
    /// What it said of the rows after it.
    cursor: Option<QueryCursor>,
    visited: HashSet<String>,
    total: Option<u64>,
    seen: u64,
    empty: u32,
    /// How to go on when the rows are no longer kept, and after which id if no page was read.
    keyset: Option<(Keyset, Option<RecordId>)>,
}

impl QueryPages {
    pub(super) fn new(client: Client, first: Next) -> Self {
        // What finds nothing costs nothing.
        let nothing = matches!(&first, Next::First { soql, .. } if soql.matches_nothing());
        Self {
            client,
            next: Some(first).filter(|_| !nothing),
            current: None,
            ahead: None,
            page: None,
            read: None,
            cursor: None,
            visited: HashSet::new(),
            total: nothing.then_some(0),
            seen: 0,
            empty: 0,
            keyset: None,
        }
    }

    /// Of the Tooling API's objects.
    pub(in crate::api) fn tooling(client: Client, soql: Soql) -> Self {
        Self::new(client, Next::tooling(soql))
    }

    /// Goes on with a new query after the last id when the rows are no longer kept.
    pub(super) fn going_on_by(mut self, keyset: Keyset, after: Option<RecordId>) -> Self {
        self.keyset = Some((keyset, after));
        self
    }

    pub(super) fn resume(client: Client, cursor: QueryCursor) -> Self {
        let first = Next::More(cursor.next_records_url.clone());
        let (total, seen) = (Some(cursor.total_size), cursor.seen);
        Self { total, seen, cursor: Some(cursor), ..Self::new(client, first) }
    }

    /// All rows the query has, once the first page is there.
    #[must_use]
    pub fn total_size(&self) -> Option<u64> {
        self.total
    }

    /// The rows of the next page; `None` after the last one. Texts of the rows may borrow from the page.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`], after which calling again asks for the same page again; [`ErrorKind::Decode`] where the
    /// rows are not as many as announced or a page comes again, after which the query ends.
    ///
    /// [`ErrorKind::Decode`]: crate::ErrorKind::Decode
    pub async fn next_page<'page, T: Deserialize<'page>>(&'page mut self) -> Result<Option<Vec<T>>> {
        let Some(what) = poll_fn(|context| self.poll_arrival(context)).await? else { return Ok(None) };
        self.take_in(what)
    }

    /// Where the query has got to: after the last page that was handed out whole. `None` before the first page and after the
    /// last one.
    #[must_use]
    pub fn cursor(&self) -> Option<QueryCursor> {
        let mut cursor = self.cursor.clone()?;
        if cursor.last_id.is_none() {
            cursor.last_id = self.read.as_ref().and_then(last_id);
        }
        Some(cursor)
    }

    /// Asks for the first page, if nothing is on its way yet, without waiting for it.
    pub(super) fn begin(&mut self) {
        if self.current.is_none() && self.ahead.is_none() {
            self.ahead = self.next.take().map(|next| Fetch::start(&self.client, next));
        }
    }

    /// Waits until a page is there in [`page`](Self::page); tells what it is.
    pub(super) fn poll_arrival(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Next>>> {
        let current = match &mut self.current {
            Some(current) => current,
            none => {
                let started = self.ahead.take().or_else(|| Some(Fetch::start(&self.client, self.next.take()?)));
                let Some(started) = started else { return Poll::Ready(Ok(None)) };
                none.insert(started)
            }
        };
        // One page ahead of the one that is waited for, and no more: that bounds the memory.
        if self.ahead.is_none()
            && let Poll::Ready(Some(after)) = current.poll_after(context)
            && !self.visited.contains(&after)
        {
            self.ahead = Some(Fetch::start(&self.client, Next::More(after)));
        }
        let answer = ready!(current.poll_page(context));
        let what = current.what.clone();
        self.current = None;
        match answer {
            Ok(answer) => {
                self.page = Some(answer);
                Poll::Ready(Ok(Some(what)))
            }
            Err(error) => {
                let again = self.keyset.as_ref().filter(|_| is_gone(&error)).map(|(keyset, after)| {
                    // Rows without the id that was selected: from the start again they would all come twice.
                    let no_id = || wrong("the last row has no id to go on after");
                    let last = self.read.as_ref().map(|page| last_id(page).ok_or_else(no_id)).transpose()?;
                    keyset.after(last.or(*after))
                });
                match again {
                    Some(Ok(rest)) => {
                        // Counted anew: the new query announces what is left.
                        (self.total, self.seen, self.empty) = (None, 0, 0);
                        self.visited.clear();
                        self.stop_at(Some(rest));
                        context.waker().wake_by_ref();
                        Poll::Pending
                    }
                    Some(Err(error)) => Poll::Ready(Err(error)),
                    None => {
                        self.stop_at(Some(what));
                        Poll::Ready(Err(error))
                    }
                }
            }
        }
    }

    /// Reads the page that has arrived and moves the cursor past it.
    pub(super) fn take_in<'page, T: Deserialize<'page>>(&'page mut self, what: Next) -> Result<Option<Vec<T>>> {
        // In parts, so that the rows borrow from the page and nothing else.
        let Self { page, .. } = self;
        let Some(answer) = page.as_ref() else { return Ok(None) };
        let page = match answer.json::<Page<T>>().and_then(Page::checked) {
            Ok(page) => page,
            Err(error) => {
                stop(&mut self.ahead, &mut self.next, Some(what));
                return Err(error);
            }
        };
        let Page { total_size, next_records_url, records, .. } = page;
        self.seen += records.len() as u64;
        self.empty = if records.is_empty() { self.empty + 1 } else { 0 };
        let total = *self.total.get_or_insert(total_size);
        let seen = self.seen;
        if let Next::More(this) = what {
            self.visited.insert(this);
        }
        let circle = next_records_url.as_ref().is_some_and(|next| self.visited.contains(next));
        let miscounted = seen > total || (next_records_url.is_none() && seen < total);
        let endless = self.empty > MAX_EMPTY_PAGES && next_records_url.is_some();
        if circle || miscounted || endless {
            stop(&mut self.ahead, &mut self.next, None);
            self.cursor = None;
            return Err(match (circle, endless) {
                (true, _) => wrong("a page names one that was read already as the next one"),
                (_, true) => wrong("pages without rows follow one another"),
                _ => miscount(total, seen),
            });
        }
        self.cursor = next_records_url.clone().map(|next_records_url| QueryCursor {
            next_records_url,
            total_size: total,
            seen,
            last_id: None,
        });
        if self.empty == 0 {
            self.read = Some(answer.clone());
        }
        // The page decides; one that was asked for on a hint is used only if it is the same.
        let next = next_records_url.map(Next::More);
        if self.ahead.as_ref().map(|ahead| &ahead.what) != next.as_ref() {
            stop(&mut self.ahead, &mut self.next, next);
        }
        Ok(Some(records))
    }

    fn stop_at(&mut self, next: Option<Next>) {
        stop(&mut self.ahead, &mut self.next, next);
    }
}

/// Gives up what is on its way, and goes on with `then`.
fn stop(ahead: &mut Option<Fetch>, next: &mut Option<Next>, then: Option<Next>) {
    *ahead = None;
    *next = then;
}

fn miscount(total: u64, seen: u64) -> Error {
    wrong("the rows are not as many as announced")
        .with_advice("rows may have been deleted while they were read: run the query again")
        .with_context("announced", total)
        .with_context("rows", seen)
}

/// The id of a page's last row, if the query selects it.
fn last_id(page: &ApiResponse) -> Option<RecordId> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(rename = "Id", default)]
        id: Option<RecordId>,
    }
    page.json::<Page<Row>>().ok()?.records.pop()?.id
}

impl fmt::Debug for QueryPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryPages").field("total", &self.total).field("seen", &self.seen).finish_non_exhaustive()
    }
}
