//! Faults a test scripts: what goes wrong, with which operation, and when.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::ApiError;
use super::json::Json;
use super::oauth::Refusal;
use super::operation::Operation;
use super::state::State;

/// Changes the JSON of an answer.
type Editor = Arc<dyn Fn(&mut serde_json::Value) + Send + Sync>;

/// Changes an answer's text.
type TextEditor = Arc<dyn Fn(&mut String) + Send + Sync>;

/// Changes the JSON of an answer to the request of that path and query.
type PageEditor = Arc<dyn Fn(&str, &mut serde_json::Value) + Send + Sync>;

/// Says which rows of a request are locked: by their place in it and their JSON.
type RowFilter = Arc<dyn Fn(usize, &serde_json::Value) -> bool + Send + Sync>;

/// What goes wrong.
#[derive(Clone)]
pub(crate) enum Kind {
    /// An answer instead of the org's; nothing is carried out.
    Answer {
        status: u16,
        retry_after: Option<u64>,
        content_type: &'static str,
        body: String,
        /// Code and message, for those who answer in another shape.
        error: Option<(String, String)>,
    },
    TimeOut,
    Reset,
    ExpireSession,
    /// The rest happens to the answer of a request that was carried out.
    ApplyThenTimeOut,
    ApplyThenReset,
    Truncate {
        bytes: usize,
        chunked: bool,
    },
    EmptyBody,
    /// `all_single`: the row of a single call is refused whatever the filter says.
    RefuseRows {
        rows: RowFilter,
        all_single: bool,
        error: ApiError,
    },
    /// Refuses all rows of a request that writes more than `most` of them.
    RowLimit {
        most: usize,
        error: ApiError,
    },
    Delay(Duration),
    OAuthError(Refusal),
    ApplyThenAnswer {
        status: u16,
        content_type: &'static str,
        body: String,
    },
    Edit(Editor),
    EditText(TextEditor),
    Header {
        name: &'static str,
        value: String,
    },
    /// Changes the JSON of an answer, knowing the request's path and query.
    EditPage(PageEditor),
    /// The query opens a result that does not end.
    Endless,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer { .. } => "Answer",
            Self::TimeOut => "TimeOut",
            Self::Reset => "Reset",
            Self::ExpireSession => "ExpireSession",
            Self::ApplyThenTimeOut => "ApplyThenTimeOut",
            Self::ApplyThenReset => "ApplyThenReset",
            Self::Truncate { .. } => "Truncate",
            Self::EmptyBody => "EmptyBody",
            Self::RefuseRows { .. } => "RefuseRows",
            Self::RowLimit { .. } => "RowLimit",
            Self::Delay(_) => "Delay",
            Self::OAuthError(_) => "OAuthError",
            Self::ApplyThenAnswer { .. } => "ApplyThenAnswer",
            Self::Edit(_) => "Edit",
            Self::EditText(_) => "EditText",
            Self::Header { .. } => "Header",
            Self::EditPage(_) => "EditPage",
            Self::Endless => "Endless",
        })
    }
}

impl Kind {
    /// Happens to the rows of a request that is carried out otherwise.
    pub(crate) fn is_of_rows(&self) -> bool {
        matches!(self, Self::RefuseRows { .. } | Self::RowLimit { .. })
    }

    /// The refusal of a row that this is meant for: by its place among so many of its request, `single` for the record of a
    /// single call.
    pub(crate) fn check_row(&self, place: usize, total: usize, single: bool, row: &Json) -> Result<(), ApiError> {
        match self {
            Self::RowLimit { most, error } if total > *most => Err(error.clone()),
            Self::RefuseRows { rows, all_single, error } => {
                let row = serde_json::from_str(&row.to_text()).unwrap_or_default();
                if (single && *all_single) || rows(place, &row) { Err(error.clone()) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    /// Can happen to a request inside another, which has no connection of its own.
    fn is_of_subrequests(&self) -> bool {
        self.is_of_rows() || matches!(self, Self::Answer { .. } | Self::Edit(_))
    }
}

/// When it goes wrong.
#[derive(Clone, Debug)]
enum When {
    Times(u64),
    Always,
    Every(u64),
    Randomly { per_mille: u16, rng: fastrand::Rng },
}

#[derive(Clone, Debug)]
struct Fault {
    /// `None`: any operation.
    operation: Option<Operation>,
    kind: Kind,
    skip: u64,
    when: When,
    seen: u64,
}

impl Fault {
    /// Whether this request of its operation is hit.
    fn hits(&mut self) -> bool {
        self.seen += 1;
        let Some(seen) = self.seen.checked_sub(self.skip).filter(|seen| *seen > 0) else { return false };
        match &mut self.when {
            When::Times(times) => seen <= *times,
            When::Always => true,
            When::Every(every) => seen.is_multiple_of((*every).max(1)),
            When::Randomly { per_mille, rng } => rng.u16(0..1000) < *per_mille,
        }
    }
}

/// The faults of an org, in the order they were added. A request is hit by the first that applies to it.
#[derive(Debug, Default)]
pub(crate) struct Script(Vec<Fault>);

impl Script {
    pub(crate) fn next(&mut self, operation: Operation) -> Option<Kind> {
        let mut matching = self.0.iter_mut().filter(|fault| fault.operation.is_none_or(|wanted| wanted == operation));
        matching.find_map(|fault| fault.hits().then(|| fault.kind.clone()))
    }

    /// The fault of a sub-request of a composite, batch or graph: only those that name its operation count it.
    pub(crate) fn next_inner(&mut self, operation: Operation) -> Option<Kind> {
        let wanted = |fault: &&mut Fault| fault.operation == Some(operation) && fault.kind.is_of_subrequests();
        self.0.iter_mut().filter(wanted).find_map(|fault| fault.hits().then(|| fault.kind.clone()))
    }
}

/// The fault script of an org: `org.faults().on(Operation::Query).status(503).once()`.
#[derive(Debug)]
pub struct Faults<'a> {
    state: &'a Mutex<State>,
}

impl<'a> Faults<'a> {
    pub(crate) fn new(state: &'a Mutex<State>) -> Self {
        Self { state }
    }

    /// A fault of one operation.
    pub fn on(self, operation: Operation) -> FaultOn<'a> {
        FaultOn { state: self.state, operation: Some(operation) }
    }

    /// A fault of every operation.
    pub fn on_any(self) -> FaultOn<'a> {
        FaultOn { state: self.state, operation: None }
    }

    /// Takes all faults out of the script.
    pub fn clear(self) {
        lock(self.state).faults.0.clear();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A fault that still needs to know what goes wrong.
#[derive(Debug)]
#[must_use = "a fault enters the script with `once`, `times`, `always`, `every` or `randomly`"]
pub struct FaultOn<'a> {
    state: &'a Mutex<State>,
    operation: Option<Operation>,
}

impl<'a> FaultOn<'a> {
    fn fault(self, kind: Kind) -> FaultWhen<'a> {
        FaultWhen { state: self.state, operation: self.operation, kind, skip: 0 }
    }

    /// Answers with that status and an empty body, as the edge in front of an org does. Nothing is carried out.
    pub fn status(self, status: u16) -> FaultWhen<'a> {
        self.fault(Kind::Answer {
            status,
            retry_after: None,
            content_type: "text/html",
            body: String::new(),
            error: None,
        })
    }

    /// Answers with an array of one error, or with a SOAP fault (of status 500) where SOAP was asked. Nothing is carried
    /// out.
    pub fn error(self, status: u16, code: &str, message: &str) -> FaultWhen<'a> {
        let body = super::error::ApiError::new(status, code, message).to_array().to_text();
        let error = Some((code.to_owned(), message.to_owned()));
        let content_type = "application/json;charset=UTF-8";
        self.fault(Kind::Answer { status, retry_after: None, content_type, body, error })
    }

    /// Answers 503 with a page for people. Nothing is carried out.
    pub fn not_json(self) -> FaultWhen<'a> {
        let body =
            "<html><head><title>Down for Maintenance</title></head><body>Sorry to interrupt</body></html>".to_owned();
        self.fault(Kind::Answer {
            status: 503,
            retry_after: None,
            content_type: "text/html;charset=UTF-8",
            body,
            error: None,
        })
    }

    /// Answers 400 with a body of `error` and `error_description`, as OAuth endpoints do; the authorize endpoint sends both to
    /// the redirect URI. Nothing is carried out.
    pub fn oauth_error(self, error: &str, description: &str) -> FaultWhen<'a> {
        self.fault(Kind::OAuthError(Refusal::new(error, description)))
    }

    /// Carries the request out and answers with that status and an empty page, as a proxy does that lost the answer.
    /// [`FaultWhen::body`] fills the page.
    pub fn apply_then_status(self, status: u16) -> FaultWhen<'a> {
        self.fault(Kind::ApplyThenAnswer { status, content_type: "text/html;charset=UTF-8", body: String::new() })
    }

    /// Carries the request out and leaves a member out of the JSON object it answers with.
    pub fn without_member(self, name: &str) -> FaultWhen<'a> {
        let name = name.to_owned();
        self.edit(move |body| {
            if let Some(members) = body.as_object_mut() {
                members.remove(&name);
            }
        })
    }

    /// Carries the request out and sets a member of the JSON object it answers with.
    pub fn with_member(self, name: &str, value: serde_json::Value) -> FaultWhen<'a> {
        let name = name.to_owned();
        self.edit(move |body| {
            if let Some(members) = body.as_object_mut() {
                members.insert(name.clone(), value.clone());
            }
        })
    }

    /// Carries the request out and changes the JSON it answers with.
    pub fn edit(self, change: impl Fn(&mut serde_json::Value) + Send + Sync + 'static) -> FaultWhen<'a> {
        self.fault(Kind::Edit(Arc::new(change)))
    }

    /// Carries the request out and changes the text it answers with, as CSV is.
    pub fn edit_text(self, change: impl Fn(&mut String) + Send + Sync + 'static) -> FaultWhen<'a> {
        self.fault(Kind::EditText(Arc::new(change)))
    }

    /// Carries the request out and gives a header of the answer another value: `Sforce-Locator`, `Sforce-NumberOfRecords`.
    pub fn with_header(self, name: &'static str, value: &str) -> FaultWhen<'a> {
        self.fault(Kind::Header { name, value: value.to_owned() })
    }

    /// Carries the query out and is wrong about `totalSize` by that many.
    pub fn wrong_total(self, by: i64) -> FaultWhen<'a> {
        self.edit(move |body| {
            if let Some(total) = body.get_mut("totalSize") {
                *total = total.as_i64().unwrap_or(0).saturating_add(by).into();
            }
        })
    }

    /// Answers a page of a query ([`Operation::QueryMore`]) whose `nextRecordsUrl` is the one that was asked for.
    pub fn repeat_locator(self) -> FaultWhen<'a> {
        self.fault(Kind::EditPage(Arc::new(|target, body| {
            if let Some(members) = body.as_object_mut() {
                members.insert("done".to_owned(), false.into());
                members.insert("nextRecordsUrl".to_owned(), target.into());
            }
        })))
    }

    /// The result of the query ([`Operation::Query`]) never ends: each page has another locator, and when the rows are over
    /// they begin again.
    pub fn never_ends(self) -> FaultWhen<'a> {
        self.fault(Kind::Endless)
    }

    /// Answers 403 as an org does whose calls of the day are used up. Nothing is carried out.
    pub fn daily_limit(self) -> FaultWhen<'a> {
        self.error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    }

    /// Answers 403 as an org does that runs as many long requests as it may. Nothing is carried out.
    pub fn concurrent_limit(self) -> FaultWhen<'a> {
        self.error(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.")
    }

    /// Never answers, and carries nothing out.
    pub fn time_out(self) -> FaultWhen<'a> {
        self.fault(Kind::TimeOut)
    }

    /// Carries the request out and never answers.
    pub fn apply_then_time_out(self) -> FaultWhen<'a> {
        self.fault(Kind::ApplyThenTimeOut)
    }

    /// Resets the connection instead of an answer; nothing is carried out.
    pub fn reset(self) -> FaultWhen<'a> {
        self.fault(Kind::Reset)
    }

    /// Carries the request out and resets the connection.
    pub fn apply_then_reset(self) -> FaultWhen<'a> {
        self.fault(Kind::ApplyThenReset)
    }

    /// Carries the request out, announces the whole body's length, sends `bytes` of it and closes.
    pub fn truncate(self, bytes: usize) -> FaultWhen<'a> {
        self.fault(Kind::Truncate { bytes, chunked: false })
    }

    /// As [`FaultOn::truncate`], with a chunked body that lacks its last chunk.
    pub fn truncate_chunked(self, bytes: usize) -> FaultWhen<'a> {
        self.fault(Kind::Truncate { bytes, chunked: true })
    }

    /// Carries the request out and answers with its status and an empty body.
    pub fn empty_body(self) -> FaultWhen<'a> {
        self.fault(Kind::EmptyBody)
    }

    /// Refuses rows with `UNABLE_TO_LOCK_ROW`: those of a collection, or of the ingest job that is closed, for which `rows` is true of their place (from 0) and
    /// JSON, or the one record of a single call. The others are carried out.
    ///
    /// Of a composite, batch, graph or tree all rows count, those of its collections too, in the order of the request.
    pub fn lock_rows(self, rows: impl Fn(usize, &serde_json::Value) -> bool + Send + Sync + 'static) -> FaultWhen<'a> {
        self.fault(Kind::RefuseRows { rows: Arc::new(rows), all_single: false, error: ApiError::locked() })
    }

    /// Refuses each nth row of a collection (places n-1, 2n-1, …) with `UNABLE_TO_LOCK_ROW`. Of a
    /// single call the one record is refused.
    pub fn lock_every(self, n: usize) -> FaultWhen<'a> {
        let rows = Arc::new(move |place: usize, _: &serde_json::Value| (place + 1).is_multiple_of(n.max(1)));
        self.fault(Kind::RefuseRows { rows, all_single: true, error: ApiError::locked() })
    }

    /// Refuses rows with an error of the test's choice, as [`FaultOn::lock_rows`] does with a lock.
    pub fn refuse_rows(
        self,
        code: &str,
        message: &str,
        rows: impl Fn(usize, &serde_json::Value) -> bool + Send + Sync + 'static,
    ) -> FaultWhen<'a> {
        let error = ApiError::row(code, message, []);
        self.fault(Kind::RefuseRows { rows: Arc::new(rows), all_single: false, error })
    }

    /// Refuses all rows of a request that writes more than `most`, as a trigger does that hits a governor limit:
    /// `CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY` with `message`, for example `Too many SOQL queries: 101` or
    /// `Apex CPU time limit exceeded`, in the words of a trigger. A smaller request passes.
    ///
    /// The rows of a composite, of a tree or of one graph count together, those of a batch per request in it.
    pub fn governor_limit(self, most: usize, message: &str) -> FaultWhen<'a> {
        // [S] The form of the text, from many reports; wire facts 8 for the code.
        let message = format!("MockTrigger: System.LimitException: {message}");
        self.fault(Kind::RowLimit { most, error: ApiError::row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, []) })
    }

    /// Answers 401 `INVALID_SESSION_ID`, or the SOAP fault of that code; the access token is dead from then on. Nothing is carried out.
    pub fn expire_session(self) -> FaultWhen<'a> {
        self.fault(Kind::ExpireSession)
    }

    /// Answers late.
    pub fn delay(self, delay: Duration) -> FaultWhen<'a> {
        self.fault(Kind::Delay(delay))
    }
}

/// A fault that still needs to know when it happens.
#[derive(Debug)]
#[must_use = "a fault enters the script with `once`, `times`, `always`, `every` or `randomly`"]
pub struct FaultWhen<'a> {
    state: &'a Mutex<State>,
    operation: Option<Operation>,
    kind: Kind,
    skip: u64,
}

impl FaultWhen<'_> {
    /// Adds `Retry-After: <seconds>` to the answer of a fault that gives one.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        if let Kind::Answer { retry_after, .. } = &mut self.kind {
            *retry_after = Some(seconds);
        }
        self
    }

    /// The body of the answer of a fault that gives one.
    pub fn body(mut self, text: &str) -> Self {
        match &mut self.kind {
            Kind::Answer { body, error, .. } => {
                text.clone_into(body);
                *error = None;
            }
            Kind::ApplyThenAnswer { body, .. } => text.clone_into(body),
            _ => {}
        }
        self
    }

    /// Lets the first `n` requests of the operation pass.
    pub fn after(mut self, n: u64) -> Self {
        self.skip = n;
        self
    }

    /// Happens to the next request.
    pub fn once(self) {
        self.times(1);
    }

    /// Happens to the next `n` requests.
    pub fn times(self, n: u64) {
        self.enter(When::Times(n));
    }

    /// Happens to every request until the script is cleared.
    pub fn always(self) {
        self.enter(When::Always);
    }

    /// Happens to each nth request.
    pub fn every(self, n: u64) {
        self.enter(When::Every(n));
    }

    /// Happens to `per_mille` of 1,000 requests; the same seed hits the same ones.
    pub fn randomly(self, per_mille: u16, seed: u64) {
        self.enter(When::Randomly { per_mille, rng: fastrand::Rng::with_seed(seed) });
    }

    fn enter(self, when: When) {
        let fault = Fault { operation: self.operation, kind: self.kind, skip: self.skip, when, seen: 0 };
        lock(self.state).faults.0.push(fault);
    }
}
