//! One page on its way.

use std::fmt;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::wrong;
use crate::client::{ApiRequest, ApiResponse, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::types::Soql;

/// What to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    First { operation: &'static str, path: &'static str, soql: Soql },
    More(String),
}

impl Next {
    pub(super) fn query(soql: Soql) -> Self {
        Self::First { operation: "query", path: "/query", soql }
    }

    pub(super) fn query_all(soql: Soql) -> Self {
        Self::First { operation: "query", path: "/queryAll", soql }
    }

    pub(super) fn tooling(soql: Soql) -> Self {
        Self::First { operation: "tooling.query", path: "/tooling/query", soql }
    }

    pub(super) fn request(&self) -> Result<ApiRequest> {
        match self {
            Self::First { operation, path, soql } => Ok(ApiRequest::get(operation, *path).query("q", soql.as_str())),
            Self::More(path) if path.starts_with("/services/") => Ok(ApiRequest::get("query.more", path.clone())),
            // A bearer token goes to no other address than the instance's.
            Self::More(_) => Err(wrong("the next page is not on this org")),
        }
    }
}

/// A page that a task of its own fetches. Dropping it abandons the request.
pub(super) struct Fetch {
    pub(super) what: Next,
    task: JoinHandle<Result<ApiResponse>>,
    /// Where the page after it is, as soon as that has arrived; the sender is gone when it cannot be told before the end.
    after: Option<oneshot::Receiver<String>>,
}

impl Fetch {
    pub(super) fn start(client: &Client, what: Next) -> Self {
        let (sender, after) = oneshot::channel();
        let (client, request) = (client.clone(), what.request());
        let task = tokio::spawn(async move {
            let sender = Mutex::new(Some(sender));
            let watch = move |start: &[u8]| {
                let seen = peek(start);
                if let (Peek::Next(next), Ok(mut sender)) = (&seen, sender.lock())
                    && let Some(sender) = sender.take()
                {
                    // Nobody waits any more: then the page itself will tell.
                    let _ = sender.send((*next).to_owned());
                }
                seen != Peek::TooEarly
            };
            client.send_watching(request?, &watch).await
        });
        Self { what, task, after: Some(after) }
    }

    /// Where the page after this one is, told at most once and maybe long before the page is whole.
    pub(super) fn poll_after(&mut self, context: &mut Context<'_>) -> Poll<Option<String>> {
        let Some(after) = self.after.as_mut() else { return Poll::Ready(None) };
        let told = ready!(Pin::new(after).poll(context));
        self.after = None;
        Poll::Ready(told.ok())
    }

    pub(super) fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Result<ApiResponse>> {
        let ended = ready!(Pin::new(&mut self.task).poll(context));
        Poll::Ready(ended.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Unexpected, "query", "the task that fetches a page has ended without one"))
        }))
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fetch({:?})", self.what)
    }
}

/// What the start of a page tells.
#[derive(Debug, PartialEq, Eq)]
enum Peek<'a> {
    TooEarly,
    /// Nothing, and more of it will not either.
    Nothing,
    Next(&'a str),
}

/// Salesforce writes `nextRecordsUrl` before `records` (recorded), so that the next page can be asked for before this one has
/// arrived. Only a hint: the page as it is read decides.
fn peek(start: &[u8]) -> Peek<'_> {
    const RECORDS: &[u8] = b"\"records\"";
    const NEXT: &[u8] = b"\"nextRecordsUrl\":\"";
    /// A page's members before its rows take less.
    const HEAD: usize = 4096;

    let find = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|window| window == what);
    let head = &start[..start.len().min(HEAD)];
    let Some(end) = find(head, RECORDS) else {
        return if head.len() < HEAD { Peek::TooEarly } else { Peek::Nothing };
    };
    let Some(next) = find(&head[..end], NEXT) else { return Peek::Nothing };
    let rest = &head[next + NEXT.len()..end];
    let url = find(rest, b"\"").and_then(|end| std::str::from_utf8(&rest[..end]).ok());
    match url {
        Some(url) if !url.contains('\\') => Peek::Next(url),
        _ => Peek::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_seen_before_the_rows() {
        let page = br#"{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v63.0/query/01g-2","records":[{"Id":"x"}]}"#;
        let rows = page.windows(9).position(|window| window == b"\"records\"").expect("there") + 9;
        for end in 0..page.len() {
            let expected = if end < rows { Peek::TooEarly } else { Peek::Next("/services/data/v63.0/query/01g-2") };
            assert_eq!(peek(&page[..end]), expected, "{end}");
        }
    }

    #[test]
    fn what_stands_in_rows_or_late_is_no_hint() {
        for page in [
            r#"{"totalSize":1,"done":true,"records":[{"X":"\"nextRecordsUrl\":\"/services/x\""}]}"#,
            r#"{"totalSize":1,"done":true,"records":[{"A":{"nextRecordsUrl":"/services/x"}}]}"#,
            r#"{"records":[],"totalSize":9,"done":false,"nextRecordsUrl":"/services/x"}"#,
            r#"{"nextRecordsUrl":"\/services\/x","records":[]}"#,
        ] {
            assert_eq!(peek(page.as_bytes()), Peek::Nothing, "{page}");
        }
        assert_eq!(peek(&[b' '; 5000]), Peek::Nothing, "whoever writes so much before the rows is not waited for");
    }
}
