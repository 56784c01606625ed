//! The one attempt loop. Nothing above it repeats a request.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use url::Url;
use zeroize::Zeroizing;

use super::classify::{failed_answer, retry_after};
use super::compress::gzip;
use super::options::foreign;
use super::request::Payload;
use super::retry::{Situation, Step, next_step};
use super::{ApiRequest, ApiResponse, ApiStream, Client, OrgLimits};
use crate::auth::AccessToken;
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::http::{Body, Request};

/// Longest answer that is read into memory, unless the caller says another: a page of 2,000 rows with long texts stays below it.
pub(super) const MAX_ANSWER: u64 = 512 * 1024 * 1024;

/// Longest time for calls whose bodies are streams. Salesforce ends a download of results after 20 minutes, and an upload may
/// take 100 MB. Source: Bulk API 2.0 limits.
const STREAM_TIMEOUT: Duration = Duration::from_mins(30);

/// How much of an answer the attempt loop waits for.
#[derive(Clone, Copy)]
enum Want<'a> {
    Head,
    /// And who wants to see its start before the rest is there.
    Whole(&'a Watch),
}

/// Looks at the start of an answer while it arrives; `true` once it has seen enough. Each attempt shows its own.
pub(crate) type Watch = dyn Fn(&[u8]) -> bool + Sync;

/// A successful answer; its body is there if the whole was wanted.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
    /// Whether the call may have changed the org.
    effect: Effect,
}

/// Whether the body holds a file, which mostly is compressed already and whose length is better known than small.
fn is_multipart(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|media_type| media_type.as_bytes().starts_with(b"multipart/"))
}

/// Whether the org does not count the call.
fn is_free(request: &ApiRequest) -> bool {
    matches!(request.path.as_str(), "/services/data" | "/services/oauth2/userinfo")
}

/// Whether the org refuses work for its amount.
fn tells_congestion(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::RowLocked) || matches!(error.status(), Some(429 | 503))
}

/// A failed attempt, and the token it was made with if it got that far.
struct Failure {
    error: Error,
    token: Option<AccessToken>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, token: None }
    }
}

/// Most tokens of others that one call tries before it takes a refusal for an answer. Each costs a read of the store, no request
/// for a token.
const MAX_ADOPTED: u32 = 3;

/// Whether the refused token is of no earlier date than the call. One that another process got may have ended since, so that its
/// refusal says nothing of a new one.
fn renewed(renewals: u32, refused: Option<&AccessToken>) -> bool {
    let adopted = refused.is_some_and(AccessToken::is_adopted);
    renewals > 0 && (!adopted || renewals > MAX_ADOPTED)
}

impl Client {
    /// Sends a call, renewing the session and repeating as the error and the policy allow.
    ///
    /// Costs one API call per attempt.
    ///
    /// # Errors
    ///
    /// Of every kind. [`Error::retry`] is [`Retry::Exhausted`] where this has repeated to its end, and [`Error::effect`]
    /// speaks of all attempts together.
    pub async fn send(&self, request: ApiRequest) -> Result<ApiResponse> {
        self.send_watching(request, &|_| true).await
    }

    /// As [`send`](Self::send), and shows the start of the answer while the rest is on its way.
    pub(crate) async fn send_watching(&self, request: ApiRequest, watch: &Watch) -> Result<ApiResponse> {
        let (answer, repeated) = self.drive(&request, Want::Whole(watch)).await?;
        let Answer { status, headers, body, effect } = answer;
        let body = body.collect(self.core.max_answer).await?;
        Ok(ApiResponse { status, headers, body, operation: request.operation, effect, repeated })
    }

    /// As [`send`](Self::send), and hands over the body while it is still on its way: for answers of any size.
    ///
    /// The attempts end with the headers: what breaks off later is an error of the body. The answer may take 30 minutes in
    /// all, where the HTTP service lets calls set that.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub async fn open(&self, request: ApiRequest) -> Result<ApiStream> {
        let (answer, _) = self.drive(&request, Want::Head).await?;
        Ok(ApiStream { status: answer.status, headers: answer.headers, body: answer.body })
    }

    /// Waits until a body that broke off may be asked for again, or gives the error back where the policy, or the quota of
    /// retries, says no. `broken` counts how often it broke off without having come further.
    pub(crate) async fn before_resuming(&self, error: Error, broken: u32) -> Result<()> {
        let situation = Situation {
            retry: error.retry(),
            effect: Effect::None,
            idempotent: true,
            attempts: broken,
            elapsed: Duration::ZERO,
            renewed: false,
            chance: fastrand::f64(),
        };
        match next_step(&self.core.policy, &situation) {
            Step::Wait(delay) if self.core.quota.take() => {
                self.core.clock.sleep(delay).await;
                Ok(())
            }
            Step::GiveUp(retry) => Err(error.with_retry(retry)),
            _ => Err(error.with_retry(Retry::Exhausted { attempts: broken })),
        }
    }

    /// The attempt loop; tells also whether an attempt before the one that succeeded may have changed the org.
    async fn drive(&self, request: &ApiRequest, want: Want<'_>) -> Result<(Answer, bool)> {
        self.scope.allowed.iter().try_for_each(|list| list.check(request))?;
        let started = self.core.clock.monotonic();
        let mut attempts = 0;
        let mut effect = Effect::None;
        let mut rejected = None;
        let mut renewals = 0;
        // A place comes first: who has a token and waits for a place would send one that was refused meanwhile. It is kept
        // while the session is renewed, so that those who wait do not go out with the old token first.
        self.keep_pace(request).await;
        let mut slot = Some(self.core.gate.enter().await);
        loop {
            attempts += 1;
            let Failure { error, token } = match self.attempt(request, rejected.as_ref(), want).await {
                Ok(answer) => {
                    self.core.quota.succeed();
                    return Ok((answer, effect == Effect::Unknown));
                }
                Err(failure) => failure,
            };
            if error.effect() == Effect::Unknown {
                effect = Effect::Unknown;
            }
            if tells_congestion(&error) {
                self.congested();
            }
            let situation = Situation {
                retry: error.retry(),
                effect: error.effect(),
                idempotent: request.idempotent,
                attempts,
                elapsed: self.core.clock.monotonic().saturating_sub(started),
                renewed: renewed(renewals, token.as_ref()),
                chance: fastrand::f64(),
            };
            let retry = match next_step(&self.core.policy, &situation) {
                Step::Renew => {
                    rejected = token;
                    renewals += 1;
                    continue;
                }
                Step::Wait(delay) if self.core.quota.take() => {
                    drop(slot.take());
                    self.core.clock.sleep(delay).await;
                    self.keep_pace(request).await;
                    slot = Some(self.core.gate.enter().await);
                    continue;
                }
                Step::Wait(_) => Retry::Exhausted { attempts },
                Step::GiveUp(retry) => retry,
            };
            let mut error = error.with_retry(retry).with_effect(effect);
            if error.operation().is_empty() {
                error = error.with_operation(request.operation);
            }
            error = request.context.iter().fold(error, |error, (key, value)| error.with_context(key, value));
            return Err(if attempts > 1 { error.with_context("attempts", attempts) } else { error });
        }
    }

    async fn attempt(
        &self,
        request: &ApiRequest,
        rejected: Option<&AccessToken>,
        want: Want<'_>,
    ) -> Result<Answer, Failure> {
        // Whatever the login's fate, the call itself has not been sent yet.
        let token = self.core.tokens.get(rejected).await.map_err(|error| error.with_effect(Effect::None))?;
        self.send_once(request, &token, want).await.map_err(|error| Failure { error, token: Some(token) })
    }

    async fn send_once(&self, request: &ApiRequest, token: &AccessToken, want: Want<'_>) -> Result<Answer> {
        let outgoing = self.outgoing(request, token, want)?;
        self.count_call(request).await?;
        let effect = if request.method == Method::GET { Effect::None } else { Effect::Unknown };
        let settle = |error: Error| if effect == Effect::None { error.with_effect(Effect::None) } else { error };
        let sent = self.core.clock.monotonic();
        let answer = self.core.http.send(outgoing).await.map_err(settle)?;
        self.observe_limits(&answer.headers);
        let (status, headers, mut body) = (answer.status, answer.headers, answer.body);
        let answered = status.is_success() || (request.conditional && status == StatusCode::NOT_MODIFIED);
        if !answered {
            // The org has dealt with the request, so a broken body tells nothing of its effect.
            let body = body.collect(self.core.max_answer).await.map_err(|error| error.with_effect(effect))?;
            let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            let after: Option<Duration> = after.and_then(|text| retry_after(text, self.core.clock.now()));
            return Err(settle(failed_answer(status, after, &body)));
        }
        if let Want::Whole(watch) = want {
            let whole =
                body.collect_watching(self.core.max_answer, watch).await.map_err(|error| error.with_effect(effect))?;
            body = Body::Bytes(whole);
        }
        self.core.gate.answered(request.operation, self.core.clock.monotonic().saturating_sub(sent));
        Ok(Answer { status, headers, body, effect })
    }

    /// Counts an attempt against the org's calls and our own budget.
    async fn count_call(&self, request: &ApiRequest) -> Result<()> {
        if is_free(request) {
            return Ok(());
        }
        let (limits, scope) = (self.limits(), &*self.scope);
        if let Some(hours) = scope.hours.as_ref().filter(|_| !scope.interactive) {
            hours.check(self.core.clock.now())?;
        }
        match &scope.permit {
            Some(permit) => permit.take(request.calls, scope.interactive, limits.as_ref()).await?,
            None => self.core.budget.take(request.calls, scope.interactive, limits.as_ref()).await?,
        }
        self.budget().count(scope.phase.as_ref(), request.operation, request.calls);
        self.core.api_calls.fetch_add(request.calls, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    /// Waits for the turn of a call, where the handle has a pace.
    async fn keep_pace(&self, request: &ApiRequest) {
        if is_free(request) {
            return;
        }
        for pace in &self.scope.paces {
            let wait = pace.turn(self.core.clock.monotonic(), request.calls);
            if !wait.is_zero() {
                self.core.clock.sleep(wait).await;
            }
        }
    }

    fn outgoing(&self, request: &ApiRequest, token: &AccessToken, want: Want<'_>) -> Result<Request> {
        if let Some(name) = &request.refused {
            foreign(name)?;
        }
        let mut outgoing = Request::new(request.method.clone(), self.url(request, token.instance_url())?);
        outgoing.headers = self.scope.headers.clone();
        for (name, value) in &request.headers {
            outgoing.headers.insert(name, value.clone());
        }
        let streamed = matches!(want, Want::Head) || matches!(request.body, Payload::Made(_));
        outgoing.timeout = streamed.then_some(STREAM_TIMEOUT);
        outgoing.body = match &request.body {
            Payload::Bytes(bytes) => Body::Bytes(bytes.clone()),
            Payload::Made(make) => make(),
            Payload::Soap { before, after } => {
                // It would be refused like a token that has expired, and renewing would bring the next one of its kind.
                if token.is_jwt() {
                    return Err(Error::new(ErrorKind::Forbidden, request.operation, "SOAP takes no JWT-based access token")
                        .with_advice(
                            "deploy by REST (Client::deploy), which takes every token; or have the app issue opaque tokens: \
                             switch off \"Issue JSON Web Token (JWT)-based access tokens for named users\" in its settings",
                        ));
                }
                // SOAP carries the token as its session id, and takes no header.
                let session_id = quick_xml::escape::escape(token.secret().expose());
                let body = Zeroizing::new([before.as_ref(), session_id.as_bytes(), after.as_ref()].concat());
                outgoing.body = Body::Bytes(Bytes::from_owner(body));
                return Ok(outgoing);
            }
        };
        if self.core.compress && !is_multipart(&outgoing.headers) {
            let (body, compressed) = gzip(outgoing.body)?;
            outgoing.body = body;
            if compressed {
                outgoing.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        outgoing.headers.insert(header::AUTHORIZATION, token.bearer());
        outgoing.headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        Ok(outgoing)
    }

    /// The path on the instance. It is appended as text, and host and path are compared, so that no path leads elsewhere:
    /// a segment of one or two dots, however escaped, would be a step in the path to every URL parser.
    fn url(&self, request: &ApiRequest, instance: &Url) -> Result<Url> {
        let invalid = || {
            Error::new(ErrorKind::Invalid, request.operation, "the path cannot be addressed")
                .with_advice("name a record whose key is made of dots in the body, by a collections call")
        };
        if !request.path.starts_with('/') {
            return Err(invalid());
        }
        let origin = instance.as_str().trim_end_matches('/');
        let version = self.core.version;
        let text = if request.path.starts_with("/services/") {
            format!("{origin}{}", request.path)
        } else {
            format!("{origin}/services/data/v{version}{}", request.path)
        };
        let url = Url::parse(&text).map_err(|error| invalid().with_source(error))?;
        let path = request.path.split('?').next().unwrap_or_default();
        if url.origin() == instance.origin() && url.path().ends_with(path) { Ok(url) } else { Err(invalid()) }
    }

    fn observe_limits(&self, headers: &HeaderMap) {
        let Some(text) = headers.get("sforce-limit-info").and_then(|value| value.to_str().ok()) else { return };
        if let Some(limits) = OrgLimits::parse(text) {
            *self.core.limits.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(limits);
        }
    }
}
