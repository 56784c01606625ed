//! SOQL: pages and streams of records.

mod children;
mod fetch;
mod keyset;
mod pages;
mod split;
mod stream;

use serde::{Deserialize, Serialize};

pub use self::children::Children;
use self::fetch::Next;
use self::keyset::Keyset;
pub use self::pages::QueryPages;
pub use self::split::QuerySplit;
pub use self::stream::QueryStream;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::types::soql::Select;
use crate::types::{RecordId, Soql};

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

impl<T> Page<T> {
    /// Refuses a page that contradicts itself.
    pub(super) fn checked(self) -> Result<Self> {
        if self.done != self.next_records_url.is_none() {
            return Err(wrong("a page that is not the last one has no successor, or the last one has one"));
        }
        Ok(self)
    }
}

/// Where a query has got to, to be written down and gone on from by [`Client::resume_query`].
///
/// Salesforce keeps a query's rows for two days. Source: limits sheet, "API Query Cursor Limits".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueryCursor {
    /// Where the next page is.
    pub next_records_url: String,
    /// Rows of all pages together.
    pub total_size: u64,
    /// Rows of the pages before.
    pub seen: u64,
    /// The last row's id, if it was selected: where to go on when the rows are no longer kept.
    #[serde(default)]
    pub last_id: Option<RecordId>,
}

impl Client {
    /// Runs a query as a stream of records, typed or [`Record`](crate::types::Record).
    ///
    /// Costs one API call a page of up to 2,000 rows, and none for a statement that
    /// [matches nothing](Soql::matches_nothing). The next page is on its way while this one is read, and the one after it as soon as this one
    /// is through, so memory holds three pages at most: the last one that was read, the one that arrives, and the one behind that. Rows
    /// of child subqueries come in pages too: read them as [`Children`].
    /// After an error the stream asks for the same page again if it is polled on; the rows before it stay valid.
    ///
    /// Source: REST API Developer Guide, "Query".
    pub fn query<T: serde::de::DeserializeOwned + Send + 'static>(&self, soql: impl Into<Soql>) -> QueryStream<T> {
        QueryStream::new(self.query_pages(soql))
    }

    /// As [`query`](Self::query), with deleted and archived rows too.
    pub fn query_all<T: serde::de::DeserializeOwned + Send + 'static>(&self, soql: impl Into<Soql>) -> QueryStream<T> {
        QueryStream::new(self.query_all_pages(soql))
    }

    /// Runs a query page by page, with rows that may borrow their texts from the page: the fastest way to read.
    ///
    /// ```no_run
    /// #[derive(serde::Deserialize)]
    /// struct Account<'a> {
    ///     #[serde(rename = "Name", borrow)]
    ///     name: std::borrow::Cow<'a, str>,
    /// }
    ///
    /// # async fn run(client: sforce::Client) -> sforce::Result<()> {
    /// let mut pages = client.query_pages("SELECT Name FROM Account");
    /// while let Some(accounts) = pages.next_page::<Account>().await? {
    ///     println!("{}", accounts.iter().map(|account| account.name.len()).sum::<usize>());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Costs one API call a page of up to 2,000 rows. Memory holds three pages at most, as for [`query`](Self::query).
    pub fn query_pages(&self, soql: impl Into<Soql>) -> QueryPages {
        QueryPages::new(self.clone(), Next::query(soql.into()))
    }

    /// As [`query_pages`](Self::query_pages), with deleted and archived rows too.
    pub fn query_all_pages(&self, soql: impl Into<Soql>) -> QueryPages {
        QueryPages::new(self.clone(), Next::query_all(soql.into()))
    }

    /// Goes on with a query after the last page that was read whole. Costs one API call a page.
    ///
    /// The stream starts with an error of kind [`ErrorKind::Invalid`] and the code `INVALID_QUERY_LOCATOR` when Salesforce no
    /// longer keeps the rows.
    #[must_use]
    pub fn resume_query<T: serde::de::DeserializeOwned + Send + 'static>(&self, cursor: QueryCursor) -> QueryStream<T> {
        QueryStream::new(self.resume_query_pages(cursor))
    }

    /// As [`resume_query`](Self::resume_query), page by page.
    #[must_use]
    pub fn resume_query_pages(&self, cursor: QueryCursor) -> QueryPages {
        QueryPages::resume(self.clone(), cursor)
    }

    /// Reads all records of a selection in the order of their ids, however long that takes: where Salesforce no longer keeps
    /// the rows (two days after the query), it goes on with a new query after the last id.
    ///
    /// `after` is where an earlier run has got to: [`QueryCursor::last_id`], or the last id that was dealt with. Rows are not
    /// as of one moment: a new query sees what has changed since. `Id` is selected if it is not. Costs one API call a page of
    /// up to 2,000 rows.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a selection with an order, a limit, groups or `FOR UPDATE`, and as for
    /// [`Select::build`](crate::types::soql::Select::build).
    pub fn query_by_id<T: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        select: Select,
        after: Option<RecordId>,
    ) -> Result<QueryStream<T>> {
        let keyset = Keyset::new(select)?;
        let first = keyset.after(after)?;
        Ok(QueryStream::new(QueryPages::new(self.clone(), first).going_on_by(keyset, after)))
    }

    /// The number a `SELECT COUNT() FROM …` gives. Costs one API call.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`].
    pub async fn count(&self, soql: impl Into<Soql>) -> Result<u64> {
        let soql = soql.into();
        if soql.matches_nothing() {
            return Ok(0);
        }
        let answer = self.send(Next::query(soql).request()?).await?;
        Ok(answer.json::<Page<serde::de::IgnoredAny>>()?.checked()?.total_size)
    }

    /// Fetches a page by the locator of the one before it. Costs one API call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a locator that has expired (two days); any error of [`Client::send`].
    pub async fn query_more<T: serde::de::DeserializeOwned>(&self, next_records_url: &str) -> Result<Page<T>> {
        self.send(Next::More(next_records_url.to_owned()).request()?).await?.json::<Page<T>>()?.checked()
    }
}

fn wrong(message: &'static str) -> Error {
    Error::new(ErrorKind::Decode, "query", message)
}
