//! The connection to one org: token, attempt loop, retry, limits. No object names, no business rules.

mod allow;
mod budget;
mod classify;
mod compress;
mod concurrency;
mod duplicates;
mod hours;
mod limits;
mod options;
mod pace;
mod request;
mod retry;
mod send;
mod version;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use self::allow::{Access, AllowList};
pub use self::budget::{ApiBudget, BudgetReport, BudgetStop, BudgetWindow, CapReport, Permit, PhaseCalls, StopReason};
pub(crate) use self::classify::{NodeErrors, RecordErrors, failed_answer, names_lost_reference, record_error};
use self::concurrency::Gate;
pub use self::duplicates::{DuplicateMatch, DuplicateResult};
pub use self::hours::OffPeakHours;
pub use self::limits::{ApiUsage, OrgLimits};
use self::options::Scope;
pub(crate) use self::options::foreign;
pub use self::options::{AssignmentRule, CallOptions, DuplicateRule};
pub use self::pace::Pace;
pub use self::request::{ApiRequest, ApiResponse, ApiStream};
pub use self::retry::RetryPolicy;
use self::retry::RetryQuota;
pub use self::version::ApiVersion;
use crate::auth::{AccessToken, TokenCache, TokenProvider};
use crate::clock::{Clock, SystemClock};
use crate::error::Result;
use crate::http::{HttpService, default_service};

/// A connection to one org. Cheap to clone; clones share token, limits, retry quota and the number of requests in flight.
///
/// As many requests are in flight as the org takes: from 64 on it grows while requests wait for their turn and answers stay
/// fast, and halves when the org refuses work for its amount (locks, 429, 503, too many long requests at once).
///
/// Needs a tokio runtime.
#[derive(Clone)]
pub struct Client {
    core: Arc<Core>,
    scope: Arc<Scope>,
}

struct Core {
    http: Arc<dyn HttpService>,
    tokens: TokenCache,
    clock: Arc<dyn Clock>,
    version: ApiVersion,
    policy: RetryPolicy,
    quota: RetryQuota,
    gate: Gate,
    budget: ApiBudget,
    compress: bool,
    max_answer: u64,
    limits: Mutex<Option<OrgLimits>>,
    api_calls: AtomicU64,
    /// What this org was found not to take, by a name of the caller's choice.
    refused: Mutex<BTreeSet<&'static str>>,
}

impl Client {
    /// Starts a client that gets its tokens from `provider`.
    ///
    /// Nothing is sent before the first call.
    pub fn builder(provider: impl TokenProvider) -> ClientBuilder {
        ClientBuilder::new(Arc::new(provider))
    }

    /// The API version of all calls.
    #[must_use]
    pub fn api_version(&self) -> ApiVersion {
        self.core.version
    }

    /// What the org last said of its limits; `None` before the first answer that told them.
    #[must_use]
    pub fn limits(&self) -> Option<OrgLimits> {
        self.core.limits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// API calls that may still be made as far as is known: of the permit, the budget, and what the org last said of its limits and
    /// those of this app; `None` where nothing bounds them. A hint: others use up the org's calls too.
    #[must_use]
    pub fn calls_left(&self) -> Option<u64> {
        let budget = self.budget();
        let set_aside = self.scope.permit.as_ref().map_or(0, Permit::left);
        let ours = budget.is_capped().then(|| budget.left().saturating_add(set_aside));
        let limits = self.limits();
        let org = limits.as_ref().map(|limits| budget.left_of_org(limits));
        let app = limits.and_then(|limits| limits.per_app).map(ApiUsage::left);
        [ours, org, app].into_iter().flatten().min()
    }

    /// A handle whose next calls are set aside, as many of these as the budget has left, so that what is begun is not stopped
    /// half-way. The same handle where nothing is capped, or a permit is there already.
    pub(crate) async fn setting_aside(&self, calls: u64) -> Self {
        let budget = self.budget();
        if self.scope.permit.is_some() || !budget.is_capped() {
            return self.clone();
        }
        match budget.reserve(calls.min(budget.left())).await {
            Ok(permit) => self.with_permit(permit),
            Err(_) => self.clone(),
        }
    }

    /// Requests sent so far that count against the org's API calls, retries included; token requests are free.
    #[must_use]
    pub fn api_calls(&self) -> u64 {
        self.core.api_calls.load(Ordering::Relaxed)
    }

    /// Requests that may be in flight at once now.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.core.gate.limit()
    }

    /// A handle on the same connection whose calls have these settings, on top of those of this one.
    #[must_use]
    pub fn with_options(&self, options: &CallOptions) -> Self {
        Self { core: Arc::clone(&self.core), scope: Arc::new(self.scope.with_options(options)) }
    }

    /// A handle on the same connection whose calls are taken from what was reserved.
    #[must_use]
    pub fn with_permit(&self, permit: Permit) -> Self {
        self.with_scope(|scope| scope.permit = Some(permit))
    }

    /// The budget that this client's calls are taken from; one without a cap unless [`ClientBuilder::budget`] gave another.
    #[must_use]
    pub fn budget(&self) -> &ApiBudget {
        self.scope.permit.as_ref().map_or(&self.core.budget, Permit::budget)
    }

    /// A handle on the same connection whose calls are counted under this name in [`ApiBudget::report`], such as
    /// `initial sync`. Names are the program's own; up to 100 are told apart.
    #[must_use]
    pub fn in_phase(&self, name: &str) -> Self {
        self.with_scope(|scope| scope.phase = Some(name.into()))
    }

    /// A handle on the same connection for work that a person waits for: its calls may use what the budget
    /// [keeps for them](ApiBudget::keep_for_interactive), and go through while background work is paused or outside its hours.
    #[must_use]
    pub fn interactive(&self) -> Self {
        self.with_scope(|scope| scope.interactive = true)
    }

    /// A handle on the same connection for work of these hours: outside of them its calls are refused with an error of kind
    /// [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded) that tells when they begin
    /// ([`Error::budget_stop`](crate::Error::budget_stop)), and nothing is sent. A long job stops with it and goes on from there.
    #[must_use]
    pub fn only_during(&self, hours: OffPeakHours) -> Self {
        self.with_scope(|scope| scope.hours = Some(Arc::new(hours)))
    }

    /// A handle on the same connection whose calls go out at this pace, beside that of the handle it comes from. Clones keep the pace
    /// together.
    #[must_use]
    pub fn paced(&self, pace: Pace) -> Self {
        self.with_scope(|scope| scope.paces.push(pace))
    }

    fn with_scope(&self, change: impl FnOnce(&mut Scope)) -> Self {
        let mut scope = (*self.scope).clone();
        change(&mut scope);
        Self { core: Arc::clone(&self.core), scope: Arc::new(scope) }
    }

    /// A handle on the same connection that does what the list allows and nothing else; the restrictions of this handle stay.
    /// What is not allowed is an error of kind [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden), and nothing is sent.
    ///
    /// [`access_token`](Self::access_token) is not restricted: who has the token needs no client.
    #[must_use]
    pub fn restricted_to(&self, list: AllowList) -> Self {
        self.with_scope(|scope| scope.allowed.push(Arc::new(list)))
    }

    /// Tells that records met locks inside an answer that was a success as a whole: fewer requests then.
    pub(crate) fn congested(&self) {
        self.core.gate.refused(self.core.clock.monotonic());
    }

    /// The time of day on the client's clock.
    pub(crate) fn now(&self) -> std::time::SystemTime {
        self.core.clock.now()
    }

    /// Remembers for all clones that this org does not take something that others take.
    pub(crate) fn remember_refusal(&self, what: &'static str) {
        self.core.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(what);
    }

    /// Whether this org was found not to take something.
    pub(crate) fn is_refused(&self, what: &'static str) -> bool {
        self.core.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(what)
    }

    /// The headers that this handle adds to its calls.
    pub(crate) fn headers(&self) -> &http::HeaderMap {
        &self.scope.headers
    }

    /// Time since some fixed moment, on the client's clock.
    pub(crate) fn monotonic(&self) -> std::time::Duration {
        self.core.clock.monotonic()
    }

    /// Waits on the client's clock.
    pub(crate) async fn pause(&self, duration: std::time::Duration) {
        self.core.clock.sleep(duration).await;
    }

    /// The access token in force, after logging in if need be. Costs no API call.
    ///
    /// # Errors
    ///
    /// Those of the token provider. Not repeated here.
    pub async fn access_token(&self) -> Result<AccessToken> {
        self.core.tokens.get(None).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("tokens", &self.core.tokens)
            .field("version", &self.core.version)
            .finish_non_exhaustive()
    }
}

/// Settings of a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    provider: Arc<dyn TokenProvider>,
    http: Option<Arc<dyn HttpService>>,
    clock: Arc<dyn Clock>,
    version: ApiVersion,
    policy: RetryPolicy,
    max_in_flight: usize,
    budget: Option<ApiBudget>,
    compress: bool,
    max_answer: u64,
}

impl ClientBuilder {
    fn new(provider: Arc<dyn TokenProvider>) -> Self {
        Self {
            provider,
            http: None,
            clock: Arc::new(SystemClock::new()),
            version: ApiVersion::DEFAULT,
            policy: RetryPolicy::default(),
            max_in_flight: concurrency::MOST,
            budget: None,
            compress: false,
            max_answer: send::MAX_ANSWER,
        }
    }

    /// Uses this HTTP service; by default [`Reqwest`](crate::http::Reqwest), where that feature is on.
    #[must_use]
    pub fn http(mut self, http: impl HttpService) -> Self {
        self.http = Some(Arc::new(http));
        self
    }

    /// Uses this clock; by default the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the API version of all calls; 63.0 by default.
    #[must_use]
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// Sets how failed requests are repeated.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets how many requests may be in flight at once, at most; 512 by default.
    #[must_use]
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// Sets how many API calls the client allows itself; no bound of its own by default. Without calls left, calls are of kind
    /// [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded), and nothing is sent;
    /// [`Error::budget_stop`](crate::Error::budget_stop) tells when they come back. A wait within the
    /// [longest delay](RetryPolicy::max_delay) is waited for.
    #[must_use]
    pub fn budget(mut self, budget: ApiBudget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Sends bodies in gzip, those of a kilobyte and more; off by default. Fewer bytes for more processor time.
    ///
    /// Source: REST API Developer Guide, "Compression Headers".
    #[must_use]
    pub fn compress_requests(mut self, compress: bool) -> Self {
        self.compress = compress;
        self
    }

    /// Sets how many bytes of an answer are read into memory, after decompression; 512 MiB by default. A longer one is an error of
    /// kind [`ErrorKind::Decode`](crate::ErrorKind::Decode). Answers read as streams have no bound, and are in memory only in part.
    #[must_use]
    pub fn max_answer(mut self, bytes: u64) -> Self {
        self.max_answer = bytes;
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when no HTTP service was given and there is no default one.
    pub fn build(self) -> Result<Client> {
        let http = self.http.map_or_else(default_service, Ok)?;
        let clock = self.clock;
        let core = Core {
            tokens: TokenCache::new(self.provider, Arc::clone(&http), Arc::clone(&clock)),
            http,
            clock: Arc::clone(&clock),
            version: self.version,
            quota: RetryQuota::new(),
            policy: self.policy,
            gate: Gate::new(self.max_in_flight),
            budget: self.budget.unwrap_or_else(|| ApiBudget::unlimited().clock(Arc::clone(&clock))),
            compress: self.compress,
            max_answer: self.max_answer,
            limits: Mutex::default(),
            api_calls: AtomicU64::new(0),
            refused: Mutex::default(),
        };
        Ok(Client { core: Arc::new(core), scope: Arc::default() })
    }
}
