//! SOQL: pages and streams of records.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::{ApiRequest, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::types::Soql;

/// One page of a query's rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Page<T> {
    /// Rows of all pages together; for `SELECT COUNT()` the count.
    pub total_size: u64,
    /// Whether this is the last page.
    pub done: bool,
    /// Where the next page is; `None` on the last one.
    #[serde(default)]
    pub next_records_url: Option<String>,
    /// The rows of this page: up to 2,000, often fewer.
    pub records: Vec<T>,
}

impl Client {
    /// Runs a query as a stream of records, typed or [`Record`](crate::types::Record).
    ///
    /// Costs one API call a page of up to 2,000 rows. Pages are fetched as the stream is read, so memory holds one page.
    /// After an error the stream asks for the same page again if it is polled on; the rows before it stay valid.
    ///
    /// Source: REST API Developer Guide, "Query".
    pub fn query<T: DeserializeOwned + Send + 'static>(&self, soql: impl Into<Soql>) -> QueryStream<T> {
        QueryStream::new(self.clone(), Next::First(QueryKind::Query, soql.into()))
    }

    /// As [`query`](Self::query), with deleted and archived rows too.
    pub fn query_all<T: DeserializeOwned + Send + 'static>(&self, soql: impl Into<Soql>) -> QueryStream<T> {
        QueryStream::new(self.clone(), Next::First(QueryKind::QueryAll, soql.into()))
    }

    /// The number a `SELECT COUNT() FROM …` gives. Costs one API call.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    pub async fn count(&self, soql: impl Into<Soql>) -> Result<u64> {
        let page: Page<serde::de::IgnoredAny> = fetch(self, &Next::First(QueryKind::Query, soql.into())).await?;
        Ok(page.total_size)
    }

    /// Fetches a page by the locator of the one before it. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a locator that has expired (two days); any error of [`Client::send`].
    pub async fn query_more<T: DeserializeOwned>(&self, next_records_url: &str) -> Result<Page<T>> {
        fetch(self, &Next::More(next_records_url.to_owned())).await
    }
}

#[derive(Clone, Copy, Debug)]
enum QueryKind {
    Query,
    QueryAll,
}

/// What to fetch next.
#[derive(Clone, Debug)]
enum Next {
    First(QueryKind, Soql),
    More(String),
}

async fn fetch<T: DeserializeOwned>(client: &Client, next: &Next) -> Result<Page<T>> {
    let request = match next {
        Next::First(QueryKind::Query, soql) => ApiRequest::get("query", "/query").query("q", soql.as_str()),
        Next::First(QueryKind::QueryAll, soql) => ApiRequest::get("query", "/queryAll").query("q", soql.as_str()),
        Next::More(path) if path.starts_with("/services/") => ApiRequest::get("query.more", path.clone()),
        // A bearer token goes to no other address than the instance's.
        Next::More(_) => return Err(wrong("the next page is not on this org")),
    };
    let page: Page<T> = client.send(request).await?.json()?;
    if page.done != page.next_records_url.is_none() {
        return Err(wrong("a page that is not the last one has no successor, or the last one has one"));
    }
    Ok(page)
}

fn wrong(message: &'static str) -> Error {
    Error::new(ErrorKind::Decode, "query", message)
}

type Fetching<T> = Pin<Box<dyn Future<Output = (Next, Result<Page<T>>)> + Send>>;

/// Rows of a query, in order, across all pages.
///
/// Ends after the last row. After a call that failed the same page is asked for again on the next poll; the cursor moves only
/// past a page that was read whole. More or fewer rows than the query announced are an error, never a silent end; it comes
/// before the rows of the page that showed it, and after them the stream ends.
pub struct QueryStream<T> {
    client: Client,
    rows: VecDeque<T>,
    next: Option<Next>,
    fetching: Option<Fetching<T>>,
    total: Option<u64>,
    seen: u64,
}

impl<T: DeserializeOwned + Send + 'static> QueryStream<T> {
    fn new(client: Client, next: Next) -> Self {
        Self { client, rows: VecDeque::new(), next: Some(next), fetching: None, total: None, seen: 0 }
    }

    /// All rows the query has, once the first page is there.
    #[must_use]
    pub fn total_size(&self) -> Option<u64> {
        self.total
    }

    /// The next row; `None` after the last one.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`]. Calling again asks for the same page again.
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

    /// Takes a page in and moves the cursor from `fetched` past it.
    fn accept(&mut self, fetched: &Next, page: Page<T>) -> Result<()> {
        self.seen += page.records.len() as u64;
        let total = *self.total.get_or_insert(page.total_size);
        let next = page.next_records_url.map(Next::More);
        self.rows.extend(page.records);
        let circle = matches!((&next, fetched), (Some(Next::More(next)), Next::More(this)) if next == this);
        if circle {
            return Err(wrong("a page names itself as the next one"));
        }
        let complete = next.is_none();
        self.next = next;
        if (complete && self.seen < total) || self.seen > total {
            self.next = None;
            return Err(wrong("the rows are not as many as announced")
                .with_advice("rows may have been deleted while they were read: run the query again")
                .with_context("announced", total)
                .with_context("rows", self.seen));
        }
        Ok(())
    }
}

impl<T: DeserializeOwned + Send + 'static> Stream for QueryStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        loop {
            if let Some(row) = self.rows.pop_front() {
                return Poll::Ready(Some(Ok(row)));
            }
            if self.fetching.is_none() {
                let Some(next) = self.next.take() else { return Poll::Ready(None) };
                let client = self.client.clone();
                self.fetching = Some(Box::pin(async move {
                    let page = fetch(&client, &next).await;
                    (next, page)
                }));
            }
            let Some(fetching) = self.fetching.as_mut() else { return Poll::Ready(None) };
            let (next, page) = std::task::ready!(fetching.as_mut().poll(context));
            self.fetching = None;
            let accepted = match page {
                Ok(page) => self.accept(&next, page),
                Err(error) => {
                    self.next = Some(next);
                    Err(error)
                }
            };
            if let Err(error) = accepted {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl<T> Unpin for QueryStream<T> {}

impl<T> fmt::Debug for QueryStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryStream").field("total", &self.total).field("seen", &self.seen).finish_non_exhaustive()
    }
}
