//! The floor: each job by plain reqwest, `serde_json` and csv, doing the least that the protocol allows.
//!
//! No retries, no limits, no checks of what was announced, no answer to anything unexpected but the end of the program.

use std::hint::black_box;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use memchr::memmem;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, RwLock, Semaphore, mpsc};

use crate::jobs::{BULK_SOQL, SOQL, now, since};
use crate::prepared::CONTACT;
use crate::rows::{Contact, NewContact, OwnedContact};
use crate::target::Done;
use crate::{Failed, FloorJob};

const DATA: &str = "/services/data/v60.0";

pub(crate) struct Floor {
    http: Client,
    base: String,
    /// The token as a header's value, and how many came before it.
    token: RwLock<(u64, String)>,
    renewal: Mutex<()>,
    /// Reads at once. 64 need fewest connections and tokens; a far org is fastest without a limit.
    reads: Semaphore,
}

impl Floor {
    pub(crate) async fn reach(base: &str, far: bool) -> Result<Arc<Self>, Failed> {
        let floor = Arc::new(Self {
            http: Client::new(),
            base: base.to_owned(),
            token: RwLock::default(),
            renewal: Mutex::default(),
            reads: Semaphore::new(if far { Semaphore::MAX_PERMITS } else { 64 }),
        });
        floor.renew(0).await?;
        Ok(floor)
    }

    pub(crate) async fn run(self: &Arc<Self>, job: FloorJob, records: usize) -> Result<Done, Failed> {
        let start = now();
        let (records, sum, failures) = match job {
            FloorJob::Query => self.query().await.map(|(rows, sum)| (rows, Some(sum), None))?,
            FloorJob::Collections => (self.collections(records).await?, None, None),
            FloorJob::BulkUpsert => (self.load(records, true).await?.1, None, None),
            FloorJob::Export => self.export().await.map(|(rows, sum)| (rows, Some(sum), None))?,
            FloorJob::Load => (self.load(records, false).await?.1, None, None),
            FloorJob::LoadWithOutcomes => (self.load_with_outcomes(records).await?, None, None),
            FloorJob::Reads => return self.read_at_once(records).await,
        };
        Ok(Done { records, sum, failures, wall_s: since(start) })
    }

    /// One renewal for all who come with the same token.
    async fn renew(&self, seen: u64) -> Result<(), Failed> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
        }
        let _one = self.renewal.lock().await;
        if self.token.read().await.0 != seen {
            return Ok(());
        }
        let form = "grant_type=client_credentials&client_id=floor&client_secret=floor";
        let request = self.http.post(format!("{}/services/oauth2/token", self.base)).body(form);
        let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await?;
        let token: Token = serde_json::from_slice(&answer.bytes().await?)?;
        *self.token.write().await = (seen + 1, format!("Bearer {}", token.access_token));
        Ok(())
    }

    async fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let token = self.token.read().await.1.clone();
        self.http.request(method, format!("{}{path}", self.base)).header("authorization", token)
    }

    async fn get(&self, path: &str) -> Result<Response, Failed> {
        Ok(self.request(Method::GET, path).await.send().await?.error_for_status()?)
    }

    async fn send_json(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Bytes, Failed> {
        let request = self.request(method, path).await.header("content-type", "application/json").body(body);
        Ok(request.send().await?.error_for_status()?.bytes().await?)
    }

    /// Asks for the next page as soon as its address is there, and reads this one where it arrives.
    async fn query(self: &Arc<Self>) -> Result<(usize, f64), Failed> {
        #[derive(Deserialize)]
        struct Page<'a> {
            #[serde(borrow)]
            records: Vec<Contact<'a>>,
        }
        let (mut rows, mut sum) = (0, 0.0);
        let mut page = Arc::clone(self).open_page(format!("{DATA}/query?q={}", SOQL.replace(' ', "+"))).await?;
        loop {
            let next = page.next.take().map(|next| tokio::spawn(Arc::clone(self).open_page(next)));
            let mut body = page.head;
            let length = page.answer.content_length().and_then(|length| usize::try_from(length).ok());
            body.reserve(length.unwrap_or_default().saturating_sub(body.len()));
            while let Some(chunk) = page.answer.chunk().await? {
                body.extend_from_slice(&chunk);
            }
            let read: Page<'_> = serde_json::from_slice(&body)?;
            rows += read.records.len();
            sum += read.records.iter().filter_map(|contact| contact.score).sum::<f64>();
            match next {
                Some(next) => page = next.await??,
                None => return Ok((rows, sum)),
            }
        }
    }

    /// Reads a page up to its rows: the address of the next one comes before them.
    async fn open_page(self: Arc<Self>, path: String) -> Result<OpenPage, Failed> {
        const NEXT: &[u8] = b"\"nextRecordsUrl\":\"";
        let mut answer = self.get(&path).await?;
        let mut head = Vec::new();
        while memmem::find(&head, b"\"records\":").is_none()
            && let Some(chunk) = answer.chunk().await?
        {
            head.extend_from_slice(&chunk);
        }
        let rows = memmem::find(&head, b"\"records\":").unwrap_or(head.len());
        let next = memmem::find(&head[..rows], NEXT).and_then(|at| {
            let address = &head[at + NEXT.len()..];
            String::from_utf8(address[..memchr::memchr(b'"', address)?].to_vec()).ok()
        });
        Ok(OpenPage { head, next, answer })
    }

    /// Calls of 200, ten at once.
    async fn collections(self: &Arc<Self>, records: usize) -> Result<usize, Failed> {
        let calls = stream::iter((0..records).step_by(200))
            .map(|first| tokio::spawn(Arc::clone(self).collection(first, records.min(first + 200))));
        let mut calls = calls.buffer_unordered(10);
        let mut saved = 0;
        while let Some(call) = calls.next().await {
            saved += call??;
        }
        Ok(saved)
    }

    async fn collection(self: Arc<Self>, first: usize, end: usize) -> Result<usize, Failed> {
        #[derive(Serialize)]
        struct Attributes {
            r#type: &'static str,
        }
        #[derive(Serialize)]
        struct Row {
            attributes: Attributes,
            #[serde(flatten)]
            contact: NewContact,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Collection {
            all_or_none: bool,
            records: Vec<Row>,
        }
        #[derive(Deserialize)]
        struct Saved {
            #[serde(rename = "id")]
            _id: String,
            success: bool,
        }
        let row = |number| Row { attributes: Attributes { r#type: "Contact" }, contact: NewContact::numbered(number) };
        let body = Collection { all_or_none: false, records: (first..end).map(row).collect() };
        let path = format!("{DATA}/composite/sobjects/Contact/ExtId__c");
        let answer = self.send_json(Method::PATCH, &path, serde_json::to_vec(&body)?).await?;
        let saved: Vec<Saved> = serde_json::from_slice(&answer)?;
        Ok(saved.iter().filter(|saved| saved.success).count())
    }

    /// A bulk load whose file is written while it is sent; tells the job's path and its rows.
    async fn load(&self, records: usize, upsert: bool) -> Result<(String, usize), Failed> {
        let operation = if upsert { r#""upsert","externalIdFieldName":"ExtId__c""# } else { r#""insert""# };
        let job = format!(r#"{{"object":"Contact","operation":{operation},"contentType":"CSV","lineEnding":"LF"}}"#);
        let job = self.send_json(Method::POST, &format!("{DATA}/jobs/ingest"), job.into()).await?;
        let path = format!("{DATA}/jobs/ingest/{}", serde_json::from_slice::<Job>(&job)?.id);
        let file = reqwest::Body::wrap_stream(written(records));
        let upload = self.request(Method::PUT, &format!("{path}/batches")).await.header("content-type", "text/csv");
        upload.body(file).send().await?.error_for_status()?;
        self.send_json(Method::PATCH, &path, br#"{"state":"UploadComplete"}"#.to_vec()).await?;
        let rows = self.complete(&path).await?;
        Ok((path, rows))
    }

    /// The state of a job that the server completes at once.
    async fn complete(&self, path: &str) -> Result<usize, Failed> {
        let job: Job = serde_json::from_slice(&self.get(path).await?.bytes().await?)?;
        if job.state == "JobComplete" { Ok(job.rows) } else { Err(format!("the job is {}", job.state).into()) }
    }

    /// The same, and the file of the rows that were saved, each looked up by the number in its key.
    async fn load_with_outcomes(&self, records: usize) -> Result<usize, Failed> {
        let (path, _) = self.load(records, false).await?;
        let file = self.get(&format!("{path}/successfulResults/")).await?.bytes().await?;
        let mut file = csv::Reader::from_reader(&file[..]);
        let key = column(file.headers()?, "ExtId__c")?;
        let mut saved = vec![false; records];
        let mut row = csv::StringRecord::new();
        while file.read_record(&mut row)? {
            let number = usize::from_str(row[key].strip_prefix("EXT-").unwrap_or_default())?;
            *saved.get_mut(number).ok_or("a row that was not sent")? = true;
        }
        Ok(saved.into_iter().filter(|saved| *saved).count())
    }

    /// Three pages at once, each read once it is there, elsewhere than where pages arrive.
    async fn export(self: &Arc<Self>) -> Result<(usize, f64), Failed> {
        let job = serde_json::to_vec(&serde_json::json!({"operation": "query", "query": BULK_SOQL}))?;
        let job = self.send_json(Method::POST, &format!("{DATA}/jobs/query"), job).await?;
        let path = format!("{DATA}/jobs/query/{}", serde_json::from_slice::<Job>(&job)?.id);
        self.complete(&path).await?;
        let (sender, pages) = mpsc::channel(10);
        let lister = tokio::spawn(Arc::clone(self).list_pages(format!("{path}/resultPages"), sender));
        let pages = stream::unfold(pages, async |mut pages| Some((pages.recv().await?, pages)));
        let reads = pages.map(|page| tokio::spawn(Arc::clone(self).export_page(page))).buffer_unordered(3);
        let mut reads = std::pin::pin!(reads);
        let (mut rows, mut sum) = (0, 0.0);
        while let Some(read) = reads.next().await {
            let (page_rows, page_sum) = read??;
            rows += page_rows;
            sum += page_sum;
        }
        lister.await??;
        Ok((rows, sum))
    }

    async fn list_pages(self: Arc<Self>, first: String, pages: mpsc::Sender<String>) -> Result<(), Failed> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct List {
            result_pages: Vec<Entry>,
            next_records_url: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Entry {
            result_url: String,
        }
        let mut next = Some(first);
        while let Some(path) = next {
            let list: List = serde_json::from_slice(&self.get(&path).await?.bytes().await?)?;
            for page in list.result_pages {
                pages.send(page.result_url).await?;
            }
            next = list.next_records_url;
        }
        Ok(())
    }

    async fn export_page(self: Arc<Self>, path: String) -> Result<(usize, f64), Failed> {
        let page = self.get(&path).await?.bytes().await?;
        tokio::task::spawn_blocking(move || read_export(&page)).await?
    }

    /// One record, the end of the session, and then all reads at once.
    async fn read_at_once(self: &Arc<Self>, reads: usize) -> Result<Done, Failed> {
        self.read().await?;
        self.http.post(format!("{}/__expire", self.base)).send().await?;
        let start = now();
        let all: Vec<_> = (0..reads)
            .map(|_| {
                let floor = Arc::clone(self);
                tokio::spawn(async move { floor.read().await })
            })
            .collect();
        let mut failures = 0;
        for read in all {
            failures += usize::from(read.await?.is_err());
        }
        Ok(Done { records: reads - failures, failures: Some(failures), wall_s: since(start), sum: None })
    }

    async fn read(&self) -> Result<(), Failed> {
        let path = format!("{}{DATA}/sobjects/Contact/{CONTACT}", self.base);
        let _permit = self.reads.acquire().await?;
        for _ in 0..2 {
            let (generation, token) = self.token.read().await.clone();
            let answer = self.http.get(&path).header("authorization", token).send().await?;
            let status = answer.status();
            let body = answer.bytes().await?;
            if status == StatusCode::UNAUTHORIZED {
                self.renew(generation).await?;
            } else {
                black_box(serde_json::from_slice::<OwnedContact>(&body)?);
                return Ok(());
            }
        }
        Err("refused twice".into())
    }
}

struct OpenPage {
    head: Vec<u8>,
    next: Option<String>,
    answer: Response,
}

#[derive(Deserialize)]
struct Job {
    id: String,
    state: String,
    #[serde(default, rename = "numberRecordsProcessed")]
    rows: usize,
}

/// The file of a load, 2,000 rows a chunk, at most four chunks ahead.
fn written(records: usize) -> impl futures_util::Stream<Item = Result<Bytes, csv::Error>> + Send + 'static {
    let (sender, chunks) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let mut numbers = 0..records;
        while !numbers.is_empty() {
            let chunk = (|| {
                let mut file = csv::WriterBuilder::new()
                    .has_headers(numbers.start == 0)
                    .from_writer(Vec::with_capacity(300 << 10));
                for number in numbers.by_ref().take(2000) {
                    file.serialize(NewContact::numbered(number))?;
                }
                file.into_inner().map(Bytes::from).map_err(|error| csv::Error::from(error.into_error()))
            })();
            // Nobody listens any more when the upload has failed, which tells by itself.
            if sender.blocking_send(chunk).is_err() {
                return;
            }
        }
    });
    stream::unfold(chunks, async |mut chunks| Some((chunks.recv().await?, chunks)))
}

fn column(header: &csv::StringRecord, name: &str) -> Result<usize, Failed> {
    header.iter().position(|column| column == name).ok_or_else(|| format!("no column {name}").into())
}

/// Reads the rows of a bulk result by the place of their columns.
fn read_export(page: &[u8]) -> Result<(usize, f64), Failed> {
    #[expect(dead_code, reason = "read to be decoded, as a program would")]
    struct Row<'a> {
        texts: [&'a str; 4],
        maybe: [Option<&'a str>; 6],
        score: Option<f64>,
        active: bool,
    }
    let mut file = csv::Reader::from_reader(page);
    let header = file.headers()?.clone();
    let mut texts = [0; 4];
    for (at, name) in texts.iter_mut().zip(["Id", "ExtId__c", "LastName", "CreatedDate"]) {
        *at = column(&header, name)?;
    }
    let mut maybe = [0; 6];
    let names = ["FirstName", "Email", "Title", "MailingCity", "Description", "Account.Name"];
    for (at, name) in maybe.iter_mut().zip(names) {
        *at = column(&header, name)?;
    }
    let (score, active) = (column(&header, "Score__c")?, column(&header, "IsActive__c")?);
    let (mut rows, mut sum) = (0, 0.0);
    let mut record = csv::StringRecord::new();
    while file.read_record(&mut record)? {
        let given = |at: usize| Some(&record[at]).filter(|cell| !cell.is_empty());
        let row = Row {
            texts: texts.map(|at| &record[at]),
            maybe: maybe.map(given),
            score: given(score).map(f64::from_str).transpose()?,
            active: &record[active] == "true",
        };
        rows += 1;
        sum += row.score.unwrap_or_default();
        black_box(&row);
    }
    Ok((rows, sum))
}
