//! The one attempt loop. Nothing above it repeats a request.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use url::Url;
use zeroize::Zeroizing;

use super::classify::{failed_answer, retry_after};
use super::retry::{Situation, Step, next_step};
use super::{ApiRequest, ApiResponse, Client, OrgLimits};
use crate::auth::{AccessToken, bearer};
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::http::{Body, Request};

/// Longest answer that is read into memory: a page of 2,000 rows with long texts stays below it.
const MAX_ANSWER: u64 = 512 * 1024 * 1024;

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
        let started = self.0.clock.monotonic();
        let mut attempts = 0;
        let mut effect = Effect::None;
        let mut rejected = None;
        let mut renewals = 0;
        loop {
            attempts += 1;
            let Failure { error, token } = match self.attempt(&request, rejected.as_ref()).await {
                Ok(mut response) => {
                    self.0.quota.succeed();
                    response.repeated = effect == Effect::Unknown;
                    return Ok(response);
                }
                Err(failure) => failure,
            };
            if error.effect() == Effect::Unknown {
                effect = Effect::Unknown;
            }
            let situation = Situation {
                retry: error.retry(),
                effect: error.effect(),
                idempotent: request.idempotent,
                attempts,
                elapsed: self.0.clock.monotonic().saturating_sub(started),
                renewed: renewed(renewals, token.as_ref()),
                chance: fastrand::f64(),
            };
            let retry = match next_step(&self.0.policy, &situation) {
                Step::Renew => {
                    rejected = token;
                    renewals += 1;
                    continue;
                }
                Step::Wait(delay) if self.0.quota.take() => {
                    self.0.clock.sleep(delay).await;
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

    async fn attempt(&self, request: &ApiRequest, rejected: Option<&AccessToken>) -> Result<ApiResponse, Failure> {
        // Whatever the login's fate, the call itself has not been sent yet.
        let token = self.0.tokens.get(rejected).await.map_err(|error| error.with_effect(Effect::None))?;
        self.send_once(request, &token).await.map_err(|error| Failure { error, token: Some(token) })
    }

    async fn send_once(&self, request: &ApiRequest, token: &AccessToken) -> Result<ApiResponse> {
        let outgoing = self.outgoing(request, token)?;
        let counted = !matches!(request.path.as_str(), "/services/data" | "/services/oauth2/userinfo");
        if counted {
            self.0.api_calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        let effect = if request.method == Method::GET { Effect::None } else { Effect::Unknown };
        let settle = |error: Error| if effect == Effect::None { error.with_effect(Effect::None) } else { error };
        let answer = self.0.http.send(outgoing).await.map_err(settle)?;
        self.observe_limits(&answer.headers);
        let (status, headers) = (answer.status, answer.headers);
        // The org has dealt with the request, so a broken body tells nothing of its effect.
        let body = answer.body.collect(MAX_ANSWER).await.map_err(|error| error.with_effect(effect))?;
        if status.is_success() {
            let operation = request.operation;
            return Ok(ApiResponse { status, headers, body, operation, effect, repeated: false });
        }
        let wait = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let wait: Option<Duration> = wait.and_then(|text| retry_after(text, self.0.clock.now()));
        Err(settle(failed_answer(status, wait, &body)))
    }

    fn outgoing(&self, request: &ApiRequest, token: &AccessToken) -> Result<Request> {
        let url = self.url(request, token.instance_url())?;
        let mut headers = request.headers.clone();
        let method = request.method.clone();
        if let Some(after) = &request.after_session_id {
            // SOAP carries the token as its session id, and takes no header.
            let session_id = quick_xml::escape::escape(token.secret().expose());
            let body = Zeroizing::new([request.body.as_ref(), session_id.as_bytes(), after.as_ref()].concat());
            return Ok(Request { method, url, headers, body: Body::Bytes(Bytes::from_owner(body)) });
        }
        headers.insert(header::AUTHORIZATION, bearer(token)?);
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        Ok(Request { method, url, headers, body: Body::Bytes(request.body.clone()) })
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
        let version = self.0.version;
        let text = if request.path.starts_with("/services/") {
            format!("{origin}{}", request.path)
        } else {
            format!("{origin}/services/data/v{version}{}", request.path)
        };
        let url = Url::parse(&text).map_err(|error| invalid().with_source(error))?;
        let path = request.path.split('?').next().unwrap_or_default();
        if url.origin() == instance.origin() && url.path().ends_with(path) { Ok(url) } else { Err(invalid()) }
    }

    fn observe_limits(&self, headers: &http::HeaderMap) {
        let Some(text) = headers.get("sforce-limit-info").and_then(|value| value.to_str().ok()) else { return };
        if let Some(limits) = OrgLimits::parse(text) {
            *self.0.limits.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(limits);
        }
    }
}
