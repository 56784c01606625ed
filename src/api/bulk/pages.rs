//! The pages of a query job, some of them on their way at once, handed over in order.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::download::Download;
use super::info::BulkJob;
use super::{Block, Header, job};
use crate::client::{ApiRequest, ApiVersion, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::types::encode;

/// Pages on their way at once.
const PAGES: usize = 3;
/// Blocks of a page that wait for being read: all of a page of common size, so that the pages behind it are read meanwhile,
/// and 4 MB of one that is larger.
const BLOCKS: usize = 16;
/// The version that lists the pages of a job, so that they can be read side by side.
const PARALLEL: u16 = 58;
/// Lists of pages in a row that name none; none was ever seen.
const MAX_EMPTY_LISTS: u32 = 3;

/// A part of a page.
pub(super) enum Part {
    Rows(Block),
    /// The page was read whole.
    End {
        header: Option<Arc<Header>>,
    },
}

/// A page on its way.
pub(super) struct Page {
    /// How the page is asked for: below the job's path.
    pub(super) place: Place,
    pub(super) parts: mpsc::Receiver<Result<Part>>,
    /// While it is held, the page counts as on its way.
    _permit: OwnedSemaphorePermit,
}

/// Where a page is, and what is known of the one after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// From the list of the job's pages.
    Listed(String),
    /// After the page before it; `None` is the first one. `next` is the locator of the page after it.
    Chained { next: Option<String> },
}

/// Where to begin.
#[derive(Clone, Debug)]
pub(super) enum Begin {
    /// At the first page.
    Start,
    /// Behind so many pages of the list, the last of which is this.
    Listed { pages: u64, last: String },
    /// At the page with this locator.
    Chained { locator: String },
}

/// What the pages are fetched with.
#[derive(Clone)]
struct Source {
    client: Client,
    job: BulkJob,
    max_records: Option<u32>,
    slots: Arc<Semaphore>,
    to: mpsc::Sender<Result<Page>>,
}

/// The task that fetches pages; dropping it abandons all requests.
pub(super) struct Pages {
    pub(super) arriving: mpsc::Receiver<Result<Page>>,
    task: JoinHandle<()>,
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pages {
    /// Starts fetching. `expected` asks the org for the number of rows first, and refuses a job that is not complete.
    pub(super) fn start(
        client: Client,
        job: BulkJob,
        begin: Begin,
        max_records: Option<u32>,
        expected: Option<oneshot::Sender<Option<u64>>>,
    ) -> Self {
        let (to, arriving) = mpsc::channel(PAGES);
        let slots = Arc::new(Semaphore::new(PAGES));
        let source = Source { client, job, max_records, slots, to };
        let task = tokio::spawn(async move {
            let mut fetches = JoinSet::new();
            if let Err(error) = source.run(begin, expected, &mut fetches).await {
                // Nobody listens any more: then nobody waits for the error either.
                let _ = source.to.send(Err(error)).await;
            }
            drop(source);
            while fetches.join_next().await.is_some() {}
        });
        Self { arriving, task }
    }
}

impl Source {
    async fn run(
        &self,
        begin: Begin,
        expected: Option<oneshot::Sender<Option<u64>>>,
        fetches: &mut JoinSet<()>,
    ) -> Result<()> {
        if let Some(expected) = expected {
            let info = job::info(&self.client, &self.job).await?.completed()?;
            // Nobody waits any more.
            let _ = expected.send(info.number_records_processed);
        }
        let listed =
            ApiVersion::new(PARALLEL).is_ok_and(|since| self.job.api_version >= since) && self.max_records.is_none();
        match begin {
            Begin::Chained { locator } => self.chained(Some(locator), fetches).await,
            Begin::Listed { pages, last } => self.listed(pages, Some(last), None, fetches).await,
            Begin::Start if listed => match self.list(&self.list_path()).await {
                Ok(first) => self.listed(0, None, Some(first), fetches).await,
                // Not there, for this job or in this org: one page after the other then.
                Err(error) if matches!(error.status(), Some(400 | 404 | 405)) => self.chained(None, fetches).await,
                Err(error) => Err(error),
            },
            Begin::Start => self.chained(None, fetches).await,
        }
    }

    fn list_path(&self) -> String {
        format!("{}/resultPages", self.job.path())
    }

    async fn list(&self, path: &str) -> Result<PageList> {
        let request = ApiRequest::get("bulk.pages", path).context("job", self.job.id);
        self.client.send(request).await?.json()
    }

    /// Follows the list of the job's pages, without the first `skip` of them.
    async fn listed(
        &self,
        mut skip: u64,
        last: Option<String>,
        first: Option<PageList>,
        fetches: &mut JoinSet<()>,
    ) -> Result<()> {
        let mut lists = HashSet::from([self.list_path()]);
        let mut pages = HashSet::new();
        let mut current = match first {
            Some(first) => first,
            None => self.list(&self.list_path()).await?,
        };
        let mut empty = 0;
        loop {
            empty = if current.result_pages.is_empty() { empty + 1 } else { 0 };
            for page in current.result_pages {
                let url = self.own(page.result_url)?;
                if !pages.insert(url.clone()) {
                    return Err(self.wrong("a page is listed twice"));
                }
                if skip > 0 {
                    skip -= 1;
                    if skip == 0 && last.as_ref().is_some_and(|last| *last != url) {
                        return Err(self.wrong("the pages are listed otherwise than before"));
                    }
                    continue;
                }
                let permit = self.permit().await?;
                if self.fetch(url, true, permit, fetches).await.is_none() {
                    return Ok(());
                }
            }
            let ended = if skip > 0 { Err(self.wrong("the list of pages is shorter than before")) } else { Ok(()) };
            let Some(next) = current.next_records_url.or(current.next_record_url) else {
                return if current.done == Some(false) {
                    Err(self.wrong("a list of pages that goes on names no next one"))
                } else {
                    ended
                };
            };
            if current.done == Some(true) {
                return ended;
            }
            let next = self.own(next)?;
            if !lists.insert(next.clone()) || empty > MAX_EMPTY_LISTS {
                return Err(self.wrong("the lists of pages lead in a circle"));
            }
            current = self.list(&next).await?;
        }
    }

    /// Follows the locators, each of which comes with the headers of the page before.
    async fn chained(&self, first: Option<String>, fetches: &mut JoinSet<()>) -> Result<()> {
        let mut seen: HashSet<String> = first.iter().cloned().collect();
        let mut locator = first;
        loop {
            let mut path = format!("{}/results", self.job.path());
            let mut separator = '?';
            let max_records = self.max_records.map(|most| format!("maxRecords={most}"));
            let at = locator.as_ref().map(|locator| format!("locator={}", encode(locator)));
            for parameter in max_records.into_iter().chain(at) {
                path.push(separator);
                path.push_str(&parameter);
                separator = '&';
            }
            let permit = self.permit().await?;
            // Without a next one the page is the last one, or has failed and says so itself.
            let Some(Place::Chained { next: Some(next) }) = self.fetch(path, false, permit, fetches).await else {
                return Ok(());
            };
            if !seen.insert(next.clone()) {
                return Err(self.wrong("a locator comes again"));
            }
            locator = Some(next);
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.slots).acquire_owned().await;
        permit.map_err(|_| Error::new(ErrorKind::Unexpected, "bulk.rows", "the places of pages are gone"))
    }

    /// Starts a page and hands it to the reader; `None` where nobody reads any more. A page of the chain has to tell first where
    /// the one after it is, which comes with its headers.
    async fn fetch(
        &self,
        path: String,
        listed: bool,
        permit: OwnedSemaphorePermit,
        fetches: &mut JoinSet<()>,
    ) -> Option<Place> {
        let (parts, receiver) = mpsc::channel(BLOCKS);
        let (sender, next) = oneshot::channel();
        let (client, job, page) = (self.client.clone(), self.job.clone(), path.clone());
        fetches.spawn(async move {
            if let Err(error) = read(&client, &job, &page, sender, &parts).await {
                // Nobody listens any more: then nobody waits for the error either.
                let _ = parts.send(Err(error)).await;
            }
        });
        // Those that have ended.
        while fetches.try_join_next().is_some() {}
        let place = if listed { Place::Listed(path) } else { Place::Chained { next: next.await.ok().flatten() } };
        let page = Page { place: place.clone(), parts: receiver, _permit: permit };
        self.to.send(Ok(page)).await.is_ok().then_some(place)
    }

    /// A bearer token goes to no other address than the instance's. The path may be spelt in lower case.
    fn own(&self, url: String) -> Result<String> {
        if url.starts_with("/services/") { Ok(url) } else { Err(self.wrong("a page is not on this org")) }
    }

    fn wrong(&self, message: &'static str) -> Error {
        Error::new(ErrorKind::Decode, "bulk.pages", message).with_context("job", self.job.id)
    }
}

/// Reads a page into its channel.
async fn read(
    client: &Client,
    job: &BulkJob,
    path: &str,
    next: oneshot::Sender<Option<String>>,
    parts: &mpsc::Sender<Result<Part>>,
) -> Result<()> {
    let mut page = Download::open(client, "bulk.rows", job.id, path, job.delimiter).await?;
    // Nobody asks where the pages are listed.
    let _ = next.send(page.head().locator.clone());
    while let Some(block) = page.next().await? {
        if parts.send(Ok(Part::Rows(block))).await.is_err() {
            return Ok(());
        }
    }
    // The page is given up meanwhile.
    let _ = parts.send(Ok(Part::End { header: page.header().cloned() })).await;
    Ok(())
}

/// Up to five pages. The guide's table and example spell the next list's name in two ways.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageList {
    #[serde(default)]
    result_pages: Vec<ListedPage>,
    #[serde(default)]
    next_records_url: Option<String>,
    #[serde(default)]
    next_record_url: Option<String>,
    #[serde(default)]
    done: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedPage {
    result_url: String,
}
