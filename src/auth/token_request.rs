//! What all flows share: the form, the answer, and what its errors mean.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::DateTime;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::AccessToken;
use super::host::{HostRefused, HostUse};
use super::login::LoginHost;
use super::refusal::{Cause, Refusal, without_secrets};
use super::scopes::Scopes;
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::http::{Body, HttpService, Request};
use crate::types::Secret;

/// Far more than any token answer.
const MAX_ANSWER: u64 = 256 * 1024;

/// Longest time for a request to an OAuth endpoint and its whole answer, where the caller sets no other.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// Parameters that a server must not repeat in our errors.
const SECRETS: [&str; 6] = ["client_secret", "code", "code_verifier", "refresh_token", "assertion", "token"];

pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The members of a token answer. Only `access_token` and `instance_url` are in every recorded one.
#[derive(Deserialize)]
struct Members {
    access_token: Option<Secret>,
    instance_url: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    scope: Option<String>,
}

/// What an org has granted.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) access: AccessToken,
    /// The new refresh token: with a code, and where rotation is on.
    pub(super) refresh: Option<Secret>,
    /// What it may be used for; `None` where the answer does not tell.
    pub(super) scopes: Option<Scopes>,
    /// The answer has a refresh token that can be none: nobody knows which one works from now on.
    pub(super) unsure: bool,
}

/// Why there is no token.
#[derive(Debug)]
pub(super) enum TokenFailure {
    /// The org said no, or not now.
    Refused { cause: Cause, error: Error },
    /// An answer that is none of a token endpoint.
    NotATokenAnswer(Error),
    /// An answer that would have the token sent to a host that is not Salesforce's.
    ForeignHost(Error),
}

impl From<TokenFailure> for Error {
    fn from(failure: TokenFailure) -> Self {
        match failure {
            TokenFailure::Refused { error, .. }
            | TokenFailure::NotATokenAnswer(error)
            | TokenFailure::ForeignHost(error) => error,
        }
    }
}

/// Posts the form to the token endpoint once, and reads the answer. Nothing repeats it here: a lost answer may have rotated the
/// refresh token.
pub(super) async fn request_token(
    http: &dyn HttpService,
    host: &LoginHost,
    form: &[(&str, &str)],
    basic: Option<(&str, &Secret)>,
    limit: Duration,
) -> Result<Granted> {
    post_within(limit, "token", http, host, form, basic).await?.read(host)
}

/// Posts a form to an OAuth endpoint once.
pub(super) async fn post_to(
    endpoint: &'static str,
    http: &dyn HttpService,
    host: &LoginHost,
    form: &[(&str, &str)],
    basic: Option<(&str, &Secret)>,
) -> Result<TokenAnswer> {
    post_within(LIMIT, endpoint, http, host, form, basic).await
}

/// As [`post_to`], with a time limit of its own. What takes longer is an answer that is lost.
pub(super) async fn post_within(
    limit: Duration,
    endpoint: &'static str,
    http: &dyn HttpService,
    host: &LoginHost,
    form: &[(&str, &str)],
    basic: Option<(&str, &Secret)>,
) -> Result<TokenAnswer> {
    let posted = post_once(limit, endpoint, http, host, form, basic);
    let late = |_| Err(too_late(endpoint, limit).with_context("host", host));
    tokio::time::timeout(limit, posted).await.unwrap_or_else(late)
}

/// The error of a server that takes longer than the limit. It may have done what it was asked.
pub(super) fn too_late(operation: &'static str, limit: Duration) -> Error {
    Error::new(ErrorKind::Transport, operation, "Salesforce did not answer in time")
        .with_retry(Retry::After(None))
        .with_effect(Effect::Unknown)
        .with_context("seconds", limit.as_secs_f32())
}

async fn post_once(
    limit: Duration,
    endpoint: &'static str,
    http: &dyn HttpService,
    host: &LoginHost,
    form: &[(&str, &str)],
    basic: Option<(&str, &Secret)>,
) -> Result<TokenAnswer> {
    let request = Request { timeout: Some(limit), ..form_request(host.endpoint(endpoint), form, basic)? };
    let unreachable = |error: Error| {
        let error = error.with_operation(endpoint).with_context("host", host);
        if error.kind() == ErrorKind::Transport && error.effect() == Effect::None {
            error.with_advice("check the login address and that this machine reaches it")
        } else {
            error
        }
    };
    let answer = http.send(request).await.map_err(unreachable)?;
    let date = answer.headers.get(header::DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()).map(SystemTime::from);
    let status = answer.status;
    // The org has answered, so the token may have been made and rotated.
    let body = answer.body.collect_secret(MAX_ANSWER).await;
    let body = body.map_err(|error| unreachable(error.with_effect(Effect::Unknown)))?;
    let sent: Vec<&str> = form.iter().filter(|(name, _)| SECRETS.contains(name)).map(|(_, value)| *value).collect();
    let refusal = if status == StatusCode::OK { None } else { Refusal::read(&body) };
    let refusal = refusal.map(|refusal| without_secrets(refusal, &sent));
    Ok(TokenAnswer { status, body, date, refusal, by_assertion: form.contains(&("grant_type", JWT_BEARER)) })
}

/// What an OAuth endpoint has answered.
pub(super) struct TokenAnswer {
    pub(super) status: StatusCode,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// Salesforce's time, by the header `Date`.
    #[cfg_attr(not(feature = "jwt"), expect(dead_code, reason = "assertions alone are judged by it"))]
    pub(super) date: Option<SystemTime>,
    refusal: Option<Refusal>,
    by_assertion: bool,
}

impl TokenAnswer {
    pub(super) fn read(&self, host: &LoginHost) -> Result<Granted> {
        Ok(self.try_read(host)?)
    }

    /// As [`read`](Self::read), with the reason told apart.
    pub(super) fn try_read(&self, host: &LoginHost) -> Result<Granted, TokenFailure> {
        if self.status != StatusCode::OK {
            let (cause, error) = self.refused("token", "the org gives no token", host);
            return Err(TokenFailure::Refused { cause, error });
        }
        read_answer(&self.body, host)
    }

    /// The error of an answer that is no success.
    pub(super) fn refused(&self, operation: &'static str, message: &'static str, host: &LoginHost) -> (Cause, Error) {
        let refusal = self.refusal.as_ref();
        let cause = refusal.map_or_else(|| Cause::of_status(self.status), |refusal| refusal.cause(self.by_assertion));
        let error = cause.error(operation, message, refusal);
        (cause, error.with_status(self.status.as_u16()).with_context("host", host))
    }
}

/// Whether it can be a token: none is empty, or has blanks or characters that stand for nothing.
pub(super) fn is_token(text: &Secret) -> bool {
    !text.expose().is_empty() && text.expose().bytes().all(|byte| byte.is_ascii_graphic())
}

fn form_request(url: Url, form: &[(&str, &str)], basic: Option<(&str, &Secret)>) -> Result<Request> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if let Some((id, secret)) = basic {
        let pair = Zeroizing::new(format!("{id}:{}", secret.expose()));
        headers
            .insert(header::AUTHORIZATION, authorization("Basic", &Zeroizing::new(STANDARD.encode(pair.as_bytes())))?);
    }
    Ok(Request { headers, body: Body::Bytes(encoded(form)), ..Request::new(Method::POST, url) })
}

/// The value of `Authorization`, wiped once nobody has it any more.
pub(super) fn authorization(scheme: &str, credentials: &str) -> Result<HeaderValue> {
    let text = Zeroizing::new(format!("{scheme} {credentials}").into_bytes());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text))
        .map_err(|_| Error::new(ErrorKind::Auth, "token", "the credentials cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The form as text, wiped once nobody has it any more.
fn encoded(form: &[(&str, &str)]) -> Bytes {
    // Room for all from the start, so that no part of it stays behind in a smaller one: an escaped byte takes three.
    let room = form.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut encoder = url::form_urlencoded::Serializer::new(String::with_capacity(room));
    encoder.extend_pairs(form);
    Bytes::from_owner(Zeroizing::new(encoder.finish().into_bytes()))
}

fn read_answer(body: &[u8], host: &LoginHost) -> Result<Granted, TokenFailure> {
    let broken = |message| {
        let error = Error::new(ErrorKind::Decode, "token", message).with_context("host", host);
        TokenFailure::NotATokenAnswer(error.with_advice("check that the login address is the org's My Domain"))
    };
    let foreign = |refused: HostRefused| {
        let message = "the token answer names no address of Salesforce's";
        TokenFailure::ForeignHost(Error::new(ErrorKind::Auth, "token", message).with_source(refused))
    };
    // No source: serde's message could quote a piece of the token.
    let answer: Members =
        serde_json::from_slice(body).map_err(|_| broken("the answer of the token endpoint is not a token answer"))?;
    let secret = answer.access_token.ok_or_else(|| broken("the token answer has no access_token"))?;
    let instance = answer.instance_url.ok_or_else(|| broken("the token answer has no instance_url"))?;
    let instance = host.policy().check(&instance, HostUse::Org).map_err(foreign)?;
    // The token is sent there too.
    let identity = answer.id.map(|id| host.policy().check(&id, HostUse::Login)).transpose().map_err(foreign)?;
    let access = AccessToken::checked(secret, instance, identity).map_err(TokenFailure::NotATokenAnswer)?;
    let scopes = answer.scope.as_deref().and_then(Scopes::granted);
    let (refresh, unsure) = match answer.refresh_token {
        Some(token) if !is_token(&token) => (None, true),
        token => (token, false),
    };
    Ok(Granted { access, refresh, scopes, unsure })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> LoginHost {
        LoginHost::my_domain("acme.my.salesforce.com").expect("a My Domain")
    }

    #[test]
    fn a_recorded_answer_without_scope_is_read() {
        let body = br#"{"id":"https://login.salesforce.com/id/00D1a000000H3O9EAK/0051a000000UGT8AAO","issued_at":"1435269291214","token_type":"Bearer","instance_url":"https://acme.my.salesforce.com","signature":"x","access_token":"00D!x"}"#;
        let granted = read_answer(body, &host()).expect("reads");
        assert_eq!(granted.access.secret().expose(), "00D!x");
        assert!(granted.refresh.is_none() && granted.scopes.is_none());
        assert_eq!(granted.access.user_id().map(|id| id.to_string()).as_deref(), Some("0051a000000UGT8AAO"));
    }

    #[test]
    fn an_answer_cut_anywhere_is_an_error_that_shows_nothing_of_it() {
        let body = br#"{"access_token":"00D!sesame","instance_url":"https://acme.my.salesforce.com"}"#;
        for end in 0..body.len() {
            let failure = read_answer(&body[..end], &host()).expect_err("cut");
            assert!(matches!(failure, TokenFailure::NotATokenAnswer(_)));
            let error = Error::from(failure);
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(!format!("{error:?} {error}").contains("sesame"));
        }
    }

    #[test]
    fn a_refresh_token_that_can_be_none_is_not_taken_and_told() {
        let (good, id) = (r#"{"access_token":"00D!x","instance_url":"https://acme.my.salesforce.com""#, "5Aep861");
        for (token, taken, unsure) in [
            ("}", None, false),
            (r#","refresh_token":null}"#, None, false),
            (r#","refresh_token":"5Aep861"}"#, Some(id), false),
            (r#","refresh_token":""}"#, None, true),
            (r#","refresh_token":" "}"#, None, true),
            (r#","refresh_token":"5Aep\u0000"}"#, None, true),
        ] {
            let granted = read_answer(format!("{good}{token}").as_bytes(), &host()).expect("reads");
            assert_eq!(granted.refresh.as_ref().map(Secret::expose), taken, "{token}");
            assert_eq!(granted.unsure, unsure, "{token}");
        }
    }

    #[test]
    fn an_answer_without_a_member_says_which() {
        for (body, member) in [
            (r#"{"instance_url":"https://acme.my.salesforce.com"}"#, "access_token"),
            (r#"{"access_token":"00D!x"}"#, "instance_url"),
        ] {
            let error = Error::from(read_answer(body.as_bytes(), &host()).expect_err("lacks it"));
            assert!(error.to_string().contains(member), "{error}");
        }
    }

    #[test]
    fn an_answer_that_leads_the_token_elsewhere_is_refused() {
        let answer = |instance: &str, id: &str| {
            format!(r#"{{"access_token":"00D!sesame","instance_url":"{instance}","id":"{id}"}}"#)
        };
        let (good, id) = ("https://acme.my.salesforce.com", "https://login.salesforce.com/id/x/y");
        read_answer(answer(good, id).as_bytes(), &host()).expect("all of Salesforce's");
        for (instance, id) in [
            ("https://evil.com", id),
            ("http://acme.my.salesforce.com", id),
            ("http://127.0.0.1:1", id),
            ("https://login.salesforce.com", id),
            ("https://acme.my.salesforce.com.evil.com", id),
            (good, "https://evil.com/id/x/y"),
            (good, "http://login.salesforce.com/id/x/y"),
        ] {
            let failure = read_answer(answer(instance, id).as_bytes(), &host()).expect_err(instance);
            assert!(matches!(failure, TokenFailure::ForeignHost(_)), "{instance} {id}");
            assert!(!format!("{failure:?}").contains("sesame"));
        }
        let local = LoginHost::allowing_loopback("http://localhost:1").expect("opted in");
        read_answer(answer("http://127.0.0.1:2", "http://127.0.0.1:1/id/x/y").as_bytes(), &local).expect("opted in");
    }

    #[test]
    fn an_outage_is_not_a_refusal() {
        for body in [&b"<html>maintenance</html>"[..], b""] {
            let (status, body) = (StatusCode::SERVICE_UNAVAILABLE, Zeroizing::new(body.to_vec()));
            let answer = TokenAnswer { status, body, date: None, refusal: None, by_assertion: false };
            let (cause, error) = answer.refused("token", "", &host());
            assert_eq!((cause, error.kind()), (Cause::Unavailable, ErrorKind::Unavailable));
            assert_eq!(error.retry(), crate::error::Retry::After(None));
        }
    }

    #[test]
    fn a_form_is_encoded_without_growing() {
        let all: String = (0..=255u8).map(char::from).collect();
        let form = [("grant_type", "x y"), ("code", all.as_str())];
        let body = encoded(&form);
        assert!(body.starts_with(b"grant_type=x+y&code=%00"));
        assert!(body.len() <= 3 * ("grant_typecodex y".len() + all.len()) + 4);
    }
}
