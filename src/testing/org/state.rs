//! The org as a whole: a request goes in, and an answer or a fault comes out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::compress;
use super::data::{Data, Rights, Writer};
use super::duplicates::DuplicateOptions;
use super::error::ApiError;
use super::faults::{Kind, Script};
use super::knobs::Knobs;
use super::metadata::{self, Components, Deploys, Envelope, Retrieves};
use super::oauth::{self, At, Auth};
use super::operation::Operation;
use super::permissions::{self, Denials, UserView};
use super::rest::bulk::{self, Bulk};
use super::rest::cursors::Cursors;
use super::router::{self, Route};
use super::schema::Schema;
use super::usage::{LoggedRequest, Usage};
use super::wire::{Answer, Request};
use super::{rest, soap};

/// What the org lets nobody use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApiAccess {
    Open,
    /// The edition has no API.
    OffForOrg,
    /// The user's profile and permission sets have no "API Enabled".
    OffForUser,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) schema: Schema,
    pub(crate) data: Data,
    pub(crate) auth: Auth,
    pub(crate) usage: Usage,
    pub(crate) faults: Script,
    pub(crate) cursors: Cursors,
    pub(crate) bulk: Bulk,
    pub(crate) deploys: Deploys,
    pub(crate) retrieves: Retrieves,
    /// Components that are neither objects nor fields nor permission sets.
    pub(crate) components: Components,
    /// Answers in gzip for those who take it.
    pub(crate) gzip: bool,
    pub(crate) access: ApiAccess,
    pub(crate) latency: Duration,
    /// What the request at hand has carried inside.
    pub(crate) subrequests: Vec<LoggedRequest>,
    pub(crate) knobs: Knobs,
    /// The schema's last change, for `Last-Modified` of describes.
    pub(crate) schema_changed: chrono::DateTime<chrono::Utc>,
    /// Counts changes to the schema and to denials.
    pub(crate) revision: u64,
    pub(crate) denials: Denials,
    pub(crate) open_profiles: HashSet<String>,
    /// The org as users see it, with the revisions that is true of.
    pub(crate) views: HashMap<String, (u64, u64, Arc<UserView>)>,
}

/// What happens to a request.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) delay: Duration,
    pub(crate) reply: Reply,
    /// Records locked until the answer is on its way.
    pub(crate) held: Vec<String>,
    /// It counts as running until then.
    pub(crate) runs: bool,
}

#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    /// The head of the whole answer and the first bytes of its body.
    Truncated {
        answer: Answer,
        bytes: usize,
        chunked: bool,
    },
    Never,
    Reset,
}

/// A request to the data API that may go ahead.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    pub(crate) version: u32,
    /// `/services/data/vXX.0`
    pub(crate) base: String,
    pub(crate) writer: Writer,
    pub(crate) view: Arc<UserView>,
    /// A fault that happens to its rows.
    pub(crate) row_fault: Option<Kind>,
    /// The part it is of a request that the fault is meant for.
    pub(crate) part: Option<Part>,
}

/// The rows of a request among those of the request it is part of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// The place of its first row.
    pub(crate) first: usize,
    /// Rows of the whole.
    pub(crate) total: usize,
}

impl<'a> Call<'a> {
    pub(crate) fn new(request: &'a Request, version: u32, user: String, view: Arc<UserView>) -> Self {
        let base = format!("/services/data/v{version}.0");
        let duplicates = DuplicateOptions::read(request, version);
        let seen = Some(Arc::clone(&view));
        let writer = Writer { user, base: base.clone(), duplicates, rights: Rights::Api, view: seen };
        Self { request, version, base, writer, view, row_fault: None, part: None }
    }

    /// With a fault of its rows, or of those of the request it is part of.
    pub(crate) fn with_row_fault(self, fault: Option<Kind>, part: Option<Part>) -> Self {
        Self { row_fault: fault, part, ..self }
    }

    /// The refusal of a row that a fault is meant for: by its place among the rows of the request, and `None` for the record
    /// of a single call.
    pub(crate) fn check_fault(&self, place: Option<(usize, usize)>, row: &super::json::Json) -> Result<(), ApiError> {
        let Some(fault) = &self.row_fault else { return Ok(()) };
        let (place, total, single) = match (self.part, place) {
            (Some(part), place) => (part.first + place.map_or(0, |(place, _)| place), part.total, false),
            (None, Some((place, total))) => (place, total, false),
            (None, None) => (0, 1, true),
        };
        fault.check_row(place, total, single, row)
    }
}

impl State {
    pub(crate) fn handle(&mut self, request: &Request) -> Outcome {
        let running = self.knobs.running;
        bulk::tick(self);
        metadata::tick(self);
        let wire_bytes = request.body.len();
        let (unpacked, broken) = match compress::unpack(request) {
            Ok(plain) => (plain, None),
            Err(error) => (None, Some(error)),
        };
        let request = unpacked.as_ref().unwrap_or(request);
        let route = router::route(request);
        let soap = matches!(route, Some(Route::Metadata(_))).then(|| Envelope::parse(request));
        let operation = match &soap {
            Some(envelope) => envelope.as_ref().ok().and_then(Envelope::operation),
            None => route.as_ref().and_then(|route| router::operation(route, &request.method).ok()),
        };
        let fault = operation.and_then(|operation| self.faults.next(operation));
        let mut delay = self.latency;
        let row_fault = fault.clone().filter(Kind::is_of_rows);
        let run = |state: &mut Self| match (&soap, &route) {
            _ if let Some(error) = &broken => Answer::json(error.status, &error.to_array()),
            (Some(_), _) if request.port != state.auth.hosts.instance => metadata::no_session(),
            (Some(envelope), Some(Route::Metadata(version))) => metadata::answer(state, request, version, envelope),
            _ => state.carry_out(request, route.as_ref(), row_fault.clone()),
        };
        let reply = match fault {
            None | Some(Kind::RefuseRows { .. } | Kind::RowLimit { .. }) => Reply::Answer(run(self)),
            Some(Kind::Delay(time)) => {
                delay += time;
                Reply::Answer(run(self))
            }
            Some(Kind::Answer { status, retry_after, content_type, body, error }) => {
                let mut answer = match error.filter(|_| soap.is_some()) {
                    Some((code, message)) => metadata::fault(&code, &message),
                    None => Answer::text(status, content_type, body),
                };
                if let Some(seconds) = retry_after {
                    answer = answer.with("Retry-After", seconds.to_string());
                }
                Reply::Answer(answer)
            }
            Some(Kind::ExpireSession) => Reply::Answer(if let Some(envelope) = &soap {
                if let Ok(envelope) = envelope {
                    self.auth.tokens.close(&envelope.session);
                }
                metadata::no_session()
            } else {
                self.auth.expire_of(request);
                Answer::json(401, &ApiError::session().to_array())
            }),
            Some(Kind::OAuthError(refusal)) => Reply::Answer(match route {
                Some(Route::Authorize) => self.authorize(request, Some(&refusal)),
                _ => refusal.answer(),
            }),
            Some(Kind::ApplyThenAnswer { status, content_type, body }) => {
                run(self);
                Reply::Answer(Answer::text(status, content_type, body))
            }
            Some(
                kind @ (Kind::Edit(_) | Kind::EditPage(_) | Kind::EditText(_) | Kind::Header { .. } | Kind::EmptyBody),
            ) => Reply::Answer(changed(run(self), request, kind)),
            Some(Kind::Endless) => {
                self.cursors.endless = true;
                let answer = run(self);
                self.cursors.endless = false;
                Reply::Answer(answer)
            }
            Some(Kind::TimeOut) => Reply::Never,
            Some(Kind::Reset) => Reply::Reset,
            Some(Kind::ApplyThenTimeOut) => {
                run(self);
                Reply::Never
            }
            Some(Kind::ApplyThenReset) => {
                run(self);
                Reply::Reset
            }
            Some(Kind::Truncate { bytes, chunked }) => Reply::Truncated { answer: run(self), bytes, chunked },
        };
        let reply = self.on_the_wire(request, reply);
        let status = match &reply {
            Reply::Answer(answer) | Reply::Truncated { answer, .. } => Some(answer.status),
            Reply::Never | Reply::Reset => None,
        };
        let grant_type = matches!(operation, Some(Operation::Token)).then(|| grant_of(request)).flatten();
        let subrequests = std::mem::take(&mut self.subrequests);
        let entry = LoggedRequest::new(operation, request, status);
        self.usage.record(LoggedRequest { grant_type, subrequests, body_bytes: wire_bytes, ..entry });
        Outcome { delay, reply, held: self.data.locks.hold(), runs: self.knobs.running > running }
    }

    /// An answer as it goes on the wire: with the headers all have, and in gzip for those who ask.
    fn on_the_wire(&self, request: &Request, reply: Reply) -> Reply {
        let finished =
            |answer: Answer| common_headers(if self.gzip { compress::pack(request, answer) } else { answer });
        match reply {
            Reply::Answer(answer) => Reply::Answer(finished(answer)),
            Reply::Truncated { answer, bytes, chunked } => {
                let plain = answer.body.len();
                let answer = finished(answer);
                let bytes = compress::scaled(bytes, plain, answer.body.len());
                Reply::Truncated { answer, bytes, chunked }
            }
            other => other,
        }
    }

    /// The org as a user sees it now.
    pub(crate) fn view(&mut self, user: &str) -> Arc<UserView> {
        let revisions = (self.revision, self.data.store.setup_changes);
        if let Some((schema, setup, view)) = self.views.get(user)
            && (*schema, *setup) == revisions
        {
            return Arc::clone(view);
        }
        let view = permissions::view_of(&self.schema, &self.data, &self.open_profiles, &self.denials, user);
        let view = Arc::new(view);
        if self.views.insert(user.to_owned(), (revisions.0, revisions.1, Arc::clone(&view))).is_some() {
            // Describes may read otherwise from now on.
            self.schema_changed = self.data.now();
        }
        view
    }

    /// Tells who caches it that the schema, or what users see of it, has changed.
    pub(crate) fn changed(&mut self) {
        metadata::lay_out(self);
        self.revision += 1;
        self.schema_changed = self.data.now();
    }

    /// Why a user may not use the API at all.
    pub(crate) fn api_refusal(&self, view: &UserView) -> Option<(&'static str, &'static str)> {
        match self.access {
            ApiAccess::OffForOrg => {
                Some(("API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."))
            }
            // [W/K] wire facts 5
            _ if self.access == ApiAccess::OffForUser || !view.has("ApiEnabled") => {
                Some(("API_CURRENTLY_DISABLED", "API is currently disabled for this user"))
            }
            _ => None,
        }
    }

    fn carry_out(&mut self, request: &Request, route: Option<&Route>, row_fault: Option<Kind>) -> Answer {
        if let Err(error) = check_size(request) {
            return Answer::json(error.status, &error.to_array());
        }
        let now = self.data.now();
        match route {
            None => Answer::json(404, &ApiError::not_found().to_array()),
            Some(Route::Token) => self.with_users(request, |auth, at| auth.token(request, at)),
            Some(Route::Introspect) => self.auth.introspect(request, now),
            Some(Route::Revoke) => self.auth.revoke(request, now),
            Some(route @ (Route::Authorize | Route::LoginPage | Route::ConsentPage)) => {
                match router::operation(route, &request.method) {
                    Err(allowed) => not_allowed(request, allowed),
                    Ok(_) if matches!(route, Route::Authorize) => self.authorize(request, None),
                    Ok(_) if matches!(route, Route::LoginPage) => {
                        self.with_users(request, |auth, at| auth.login_page(request, at))
                    }
                    Ok(_) => self.with_users(request, |auth, at| auth.consent_page(request, at)),
                }
            }
            Some(Route::SoapLogin(version)) => soap::login(self, request, version),
            Some(Route::UserInfo) => match self.identity_caller(request) {
                Ok(user) => rest::identity::userinfo(self, request, &user),
                Err(answer) => answer,
            },
            Some(Route::Identity { org, user }) => match self.identity_caller(request) {
                Ok(caller) => rest::identity::identity(self, request, &caller, org, user),
                Err(answer) => answer,
            },
            Some(Route::Versions) if request.method == Method::GET => rest::resources::versions(),
            Some(route) => match router::operation(route, &request.method) {
                Ok(_) => self.data_call(request, route, row_fault),
                Err(allowed) => not_allowed(request, allowed),
            },
        }
    }

    /// Does something with what OAuth has and what it may know of the users.
    fn with_users<T>(&mut self, request: &Request, act: impl FnOnce(&mut Auth, &At<'_>) -> T) -> T {
        let store = &self.data.store;
        let active = |user: &str| rest::identity::is_active(store, user);
        let login_host = self.auth.hosts.login == Some(request.port);
        act(&mut self.auth, &At { now: self.data.clock.now_exact(), active: &active, login_host })
    }

    fn authorize(&mut self, request: &Request, script: Option<&oauth::Refusal>) -> Answer {
        self.with_users(request, |auth, at| auth.authorize(request, at, script))
    }

    /// The user of a token that may ask who that is.
    fn identity_caller(&mut self, request: &Request) -> Result<String, Answer> {
        let now = self.data.clock.now_exact();
        let Some(session) = self.auth.caller(request, now).cloned() else { return Err(bad_oauth_token(request)) };
        if !rest::identity::is_active(&self.data.store, &session.user) {
            return Err(bad_oauth_token(request));
        }
        if !session.scopes.allow_identity() {
            // [S/K] wire facts 1.8
            return Err(Answer::text(403, "text/html;charset=UTF-8", "Invalid_Scope"));
        }
        Ok(session.user)
    }

    /// The user of a data request.
    fn data_caller(&mut self, request: &Request) -> Result<String, ApiError> {
        if request.headers.contains_key("authorization") && !oauth::has_known_scheme(request) {
            // Wire facts 8 for the code. [K] The text.
            return Err(ApiError::new(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"));
        }
        // [S] A token of another instance is refused like a dead one.
        if request.port != self.auth.hosts.instance {
            return Err(ApiError::session());
        }
        let now = self.data.clock.now_exact();
        let session = self.auth.caller(request, now).cloned().ok_or_else(ApiError::session)?;
        if !session.scopes.allow_api() {
            // [S] tsmztech/mcp-server-salesforce#8, jsforce/jsforce#1301: a new token would be no better.
            let text = "This session is not valid for use with the REST API";
            return Err(ApiError::new(401, "INVALID_SESSION_ID", text));
        }
        let active = rest::identity::is_active(&self.data.store, &session.user);
        if active { Ok(session.user) } else { Err(ApiError::session()) }
    }

    /// The gates of the data API, in order, and what is behind them.
    fn data_call(&mut self, request: &Request, route: &Route, row_fault: Option<Kind>) -> Answer {
        let now = self.data.now();
        let fail = |error: &ApiError| Answer::json(error.status, &error.to_array());
        // Apex REST has no version in its path.
        let named =
            if matches!(route, Route::ApexRest) { Ok(*router::VERSIONS.end()) } else { router::version(request) };
        let version = match named {
            Ok(version) => version,
            Err(error) => return fail(&error),
        };
        let user = match self.data_caller(request) {
            Ok(user) => user,
            Err(error) => return fail(&error),
        };
        let view = self.view(&user);
        if let Some((code, message)) = self.api_refusal(&view) {
            return fail(&ApiError::new(403, code, message));
        }
        // [D] wire facts 2.14. [K] That a request which is refused for this is not counted.
        if self.knobs.concurrent.is_some_and(|limit| self.knobs.running >= limit) {
            let error = ApiError::new(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.");
            return fail(&error).with("Sforce-Limit-Info", self.usage.header(now));
        }
        self.knobs.running += 1;
        if !self.usage.count(now) {
            let error = ApiError::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
            return fail(&error).with("Sforce-Limit-Info", self.usage.header(now));
        }
        let call = Call::new(request, version, user, view).with_row_fault(row_fault, None);
        // What is refused leaves nothing behind, whichever rule of a save refused it.
        self.data.store.begin();
        let answer = rest::answer(self, &call, route).unwrap_or_else(|error| fail(&error));
        self.data.store.end(answer.status < 400);
        answer.with("Sforce-Limit-Info", self.usage.header(now))
    }
}

/// The grant a token request names, if the org knows it.
fn grant_of(request: &Request) -> Option<&'static str> {
    let form = request.form();
    let named = form.iter().find(|(name, _)| name == "grant_type").map(|(_, value)| value.as_str())?;
    oauth::GRANTS.into_iter().find(|grant| *grant == named)
}

/// An answer whose JSON a test changes.
pub(crate) fn edited(mut answer: Answer, edit: &(dyn Fn(&mut serde_json::Value) + Send + Sync)) -> Answer {
    if let Ok(mut body) = serde_json::from_slice(&answer.body) {
        edit(&mut body);
        answer.body = body.to_string().into();
    }
    answer
}

/// An answer that a test changes.
fn changed(mut answer: Answer, request: &Request, kind: Kind) -> Answer {
    match kind {
        Kind::Edit(edit) => return edited(answer, &*edit),
        Kind::EditPage(edit) => {
            return edited(answer, &|body: &mut serde_json::Value| edit(&request.target, body));
        }
        Kind::EditText(edit) => {
            let mut text = String::from_utf8_lossy(&answer.body).into_owned();
            edit(&mut text);
            answer.body = text.into();
        }
        Kind::Header { name, value } => {
            answer.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            return answer.with(name, value);
        }
        _ => answer.body = bytes::Bytes::new(),
    }
    answer
}

/// Wire facts 2.2: 414 for the URI, 431 with the headers.
fn check_size(request: &Request) -> Result<(), ApiError> {
    const MAX: usize = 16_384;
    if request.target.len() > MAX {
        return Err(ApiError::new(414, "URI_TOO_LONG", "URI Too Long"));
    }
    let headers = request.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>();
    if request.target.len() + headers > MAX {
        return Err(ApiError::new(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", "Request Header Fields Too Large"));
    }
    Ok(())
}

/// userinfo and the identity URL answer plain text (wire facts 1.8). [K] The word for a request without a token.
fn bad_oauth_token(request: &Request) -> Answer {
    let word = if request.headers.contains_key("authorization") { "Bad_OAuth_Token" } else { "Missing_OAuth_Token" };
    Answer::text(403, "text/html;charset=UTF-8", word)
}

pub(crate) fn not_allowed(request: &Request, allowed: &'static str) -> Answer {
    // [K] The text.
    let message = format!("HTTP Method '{}' not allowed. Allowed are {allowed}", request.method);
    let error = ApiError::new(405, "METHOD_NOT_ALLOWED", message);
    Answer::json(405, &error.to_array()).with("Allow", allowed)
}

/// recorded: rest/create-record-201.json and others
fn common_headers(answer: Answer) -> Answer {
    let request_id = format!("{:032x}", fastrand::u128(..));
    answer
        .with_default("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private")
        .with_default("Vary", "Accept-Encoding")
        .with_default("Server", "sfdcedge")
        .with_default("X-SFDC-Request-Id", request_id)
}
