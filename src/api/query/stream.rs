//! A query row by row.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::{QueryCursor, QueryPages};
use crate::error::Result;

/// Rows of a query, in order, across all pages. See [`QueryPages`] for what it promises; an error comes before the rows of the
/// page that showed it.
pub struct QueryStream<T> {
    pages: QueryPages,
    rows: std::vec::IntoIter<T>,
}

impl<T: DeserializeOwned + Send + 'static> QueryStream<T> {
    pub(in crate::api) fn new(pages: QueryPages) -> Self {
        Self { pages, rows: Vec::new().into_iter() }
    }

    /// Asks for the first page without waiting for it.
    pub(super) fn begin(&mut self) {
        self.pages.begin();
    }

    /// All rows the query has, once the first page is there.
    #[must_use]
    pub fn total_size(&self) -> Option<u64> {
        self.pages.total_size()
    }

    /// Where the query has got to: after the page whose rows come now. To be written down once that page's rows are dealt with;
    /// `None` before the first page and on the last one.
    #[must_use]
    pub fn cursor(&self) -> Option<QueryCursor> {
        self.pages.cursor()
    }

    /// Whether all rows of the pages fetched so far were handed out: the moment to write [`cursor`](Self::cursor) down.
    #[must_use]
    pub fn is_at_page_end(&self) -> bool {
        self.rows.len() == 0
    }

    /// The next row; `None` after the last one.
    ///
    /// # Errors
    ///
    /// As for [`QueryPages::next_page`].
    pub async fn try_next(&mut self) -> Result<Option<T>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await.transpose()
    }

    /// All rows at once. Memory holds them all.
    ///
    /// # Errors
    ///
    /// The first error; the rows before it are dropped.
    pub async fn collect(mut self) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while let Some(row) = self.try_next().await? {
            all.push(row);
        }
        Ok(all)
    }
}

impl<T: DeserializeOwned + Send + 'static> Stream for QueryStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        loop {
            if let Some(row) = self.rows.next() {
                return Poll::Ready(Some(Ok(row)));
            }
            let Some(what) = ready!(self.pages.poll_arrival(context)).transpose() else { return Poll::Ready(None) };
            match what.and_then(|what| self.pages.take_in(what)) {
                Ok(rows) => self.rows = rows.unwrap_or_default().into_iter(),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl<T> Unpin for QueryStream<T> {}

impl<T> fmt::Debug for QueryStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryStream").field("pages", &self.pages).finish_non_exhaustive()
    }
}
