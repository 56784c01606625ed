//! Several statements as one stream.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::QueryStream;
use crate::client::Client;
use crate::error::Result;
use crate::types::Soql;

/// Statements of one list that run side by side.
const STATEMENTS_AT_ONCE: usize = 5;

impl Client {
    /// Runs several statements as one stream, such as those that a long list of keys was
    /// [cut into](crate::types::soql::Select::build_split): the rows of the first statement, then those of the second, and so on.
    ///
    /// The first pages of five statements are on their way at once, further ones as for [`query`](Self::query) when it is their
    /// statement's turn; so memory holds seven pages, however many rows there are. Costs the calls of `query` for each statement that is
    /// reached.
    pub fn query_split<T: DeserializeOwned + Send + 'static>(
        &self,
        statements: impl IntoIterator<Item = Soql>,
    ) -> QuerySplit<T> {
        let statements: Vec<Soql> = statements.into_iter().collect();
        QuerySplit {
            client: self.clone(),
            untold: statements.len(),
            statements: statements.into_iter(),
            running: VecDeque::new(),
            total: 0,
        }
    }
}

/// Rows of several statements, in the order of the statements. See [`Client::query_split`].
///
/// A statement that fails is one error in the place of the rows it has left, and the statements after it follow; there is no second try.
/// The stream is fused.
pub struct QuerySplit<T> {
    client: Client,
    statements: std::vec::IntoIter<Soql>,
    /// The statement whose turn it is, and those whose first page is on its way.
    running: VecDeque<QueryStream<T>>,
    /// Rows of the statements that are through.
    total: u64,
    /// Statements that have not told how many rows they have, or failed.
    untold: usize,
}

impl<T: DeserializeOwned + Send + 'static> QuerySplit<T> {
    /// All rows of all statements together, once the first page of the last one was read; `None` before, and where a statement failed.
    #[must_use]
    pub fn total_size(&self) -> Option<u64> {
        let now = self.running.front().and_then(QueryStream::total_size);
        (self.untold == usize::from(now.is_some())).then(|| self.total + now.unwrap_or_default())
    }

    /// The next row; `None` after the last one.
    ///
    /// # Errors
    ///
    /// Any error of [`QueryPages::next_page`](super::QueryPages::next_page), once for a statement; the next call goes on with the next one.
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

impl<T: DeserializeOwned + Send + 'static> Stream for QuerySplit<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let this = &mut *self;
        loop {
            while this.running.len() < STATEMENTS_AT_ONCE
                && let Some(soql) = this.statements.next()
            {
                let mut rows = this.client.query(soql);
                rows.begin();
                this.running.push_back(rows);
            }
            let Some(first) = this.running.front_mut() else { return Poll::Ready(None) };
            match ready!(Pin::new(&mut *first).poll_next(context)) {
                Some(Ok(row)) => return Poll::Ready(Some(Ok(row))),
                Some(Err(error)) => {
                    // Never told, so that no total leaves it out.
                    this.running.pop_front();
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    if let Some(total) = first.total_size() {
                        this.total += total;
                        this.untold -= 1;
                    }
                    this.running.pop_front();
                }
            }
        }
    }
}

impl<T> Unpin for QuerySplit<T> {}

impl<T> fmt::Debug for QuerySplit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (running, waiting) = (self.running.len(), self.statements.len());
        f.debug_struct("QuerySplit").field("running", &running).field("waiting", &waiting).finish_non_exhaustive()
    }
}
