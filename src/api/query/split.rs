//! Several statements as one stream.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::Result;
use crate::types::Soql;

/// Statements of one list that run side by side.
const STATEMENTS_AT_ONCE: usize = 5;

impl Client {
    /// Runs several statements as one stream, such as those that a long list of keys was
    /// [cut into](crate::types::split_in_list): the rows of the first statement, then those of the second, and so on.
    ///
    /// Five statements run at once, so memory holds the rows of five. A statement that fails is one error in the place of its rows, and
    /// the others go on. The stream is fused. Costs the calls of [`query`](Self::query) for each statement.
    pub fn query_split<T: DeserializeOwned + Send + 'static>(
        &self,
        statements: impl IntoIterator<Item = Soql, IntoIter: Send + 'static>,
    ) -> BoxStream<'static, Result<T>> {
        let client = self.clone();
        let rows = stream::iter(statements).map(move |soql| client.query::<T>(soql).collect());
        let rows = rows.buffered(STATEMENTS_AT_ONCE);
        let each = |rows: Result<Vec<T>>| match rows {
            Ok(rows) => stream::iter(rows).map(Ok).left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        };
        rows.flat_map(each).fuse().boxed()
    }
}
