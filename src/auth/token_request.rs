//! What all flows share: the form, the answer, and what its errors mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::AccessToken;
use super::login::LoginHost;
use crate::error::{ApiError, Effect, Error, ErrorKind, Result, Retry};
use crate::http::{Body, HttpService, Request};
use crate::types::Secret;

/// Far more than any token answer.
const MAX_ANSWER: u64 = 256 * 1024;

/// A token answer. Only `access_token` and `instance_url` are in every recorded one.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    instance_url: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

/// A new access token, and the new refresh token where rotation is on.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) access: AccessToken,
    pub(super) refresh: Option<Secret>,
}

/// Posts the form to the token endpoint once. Nothing repeats it here: a lost answer may have rotated the refresh token.
pub(super) async fn request_token(
    http: &dyn HttpService,
    host: &LoginHost,
    form: &[(&str, &str)],
    basic: Option<(&str, &Secret)>,
) -> Result<Granted> {
    let request = token_request(host, form, basic)?;
    let unreachable = |error: Error| {
        let error = error.with_operation("token").with_context("host", host);
        if error.kind() == ErrorKind::Transport && error.effect() == Effect::None {
            error.with_advice("check the login address and that this machine reaches it")
        } else {
            error
        }
    };
    let answer = http.send(request).await.map_err(unreachable)?;
    let status = answer.status;
    // The org has answered, so the token may have been made and rotated.
    let body =
        answer.body.collect(MAX_ANSWER).await.map_err(|error| unreachable(error.with_effect(Effect::Unknown)))?;
    if status != StatusCode::OK {
        return Err(refused(status, &body, host));
    }
    read_answer(&body, host)
}

fn token_request(host: &LoginHost, form: &[(&str, &str)], basic: Option<(&str, &Secret)>) -> Result<Request> {
    let mut encoder = url::form_urlencoded::Serializer::new(String::new());
    encoder.extend_pairs(form);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if let Some((id, secret)) = basic {
        let pair = Zeroizing::new(format!("{id}:{}", secret.expose()));
        let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| Error::new(ErrorKind::Config, "token", "client id or secret cannot stand in a header"))?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    let body = Body::from(encoder.finish().into_bytes());
    Ok(Request { method: Method::POST, url: host.token_url(), headers, body })
}

fn read_answer(body: &[u8], host: &LoginHost) -> Result<Granted> {
    // No source: serde's message could quote a piece of the token.
    let answer: Answer = serde_json::from_slice(body).map_err(|_| {
        Error::new(ErrorKind::Decode, "token", "the answer of the token endpoint is not a token answer")
            .with_context("host", host)
            .with_advice("check that the login address is the org's My Domain")
    })?;
    let instance_url = host.instance_url(&answer.instance_url)?;
    let identity_url = answer.id.as_deref().and_then(|id| Url::parse(id).ok());
    let access = AccessToken::checked(Secret::new(answer.access_token), instance_url, identity_url)?;
    Ok(Granted { access, refresh: answer.refresh_token.map(Secret::new) })
}

/// Reads an OAuth error, `{"error","error_description"}` with status 400 (protocol facts, OAuth error catalogue).
fn refused(status: StatusCode, body: &[u8], host: &LoginHost) -> Error {
    let refusal = serde_json::from_slice::<Refusal>(body).ok();
    let code = refusal.as_ref().map_or("", |refusal| refusal.error.as_str());
    let text = refusal.as_ref().and_then(|refusal| refusal.error_description.as_deref()).unwrap_or_default();
    let (kind, retry) = match code {
        "" if status.is_server_error() || matches!(status.as_u16(), 408 | 420 | 429) => {
            (ErrorKind::Unavailable, Retry::After(None))
        }
        "" => (ErrorKind::Unexpected, Retry::Never),
        "server_error" | "temporarily_unavailable" => (ErrorKind::Unavailable, Retry::After(None)),
        "rate_limit_exceeded" => (ErrorKind::RateLimited, Retry::After(None)),
        _ => (ErrorKind::Auth, Retry::Never),
    };
    let mut error = Error::new(kind, "token", "the org gives no token")
        .with_status(status.as_u16())
        .with_retry(retry)
        .with_context("host", host);
    if !code.is_empty() {
        error = error.with_salesforce(vec![ApiError::new(code, text, Vec::new())]);
    }
    match advice(code, text) {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

pub(super) const USE_MY_DOMAIN: &str =
    "the client credentials flow works at the org's My Domain only, such as https://acme.my.salesforce.com";

/// What a person does about an OAuth error. Texts vary between releases, so they only refine the code.
fn advice(code: &str, text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let says = |part: &str| text.contains(part);
    Some(match code {
        "invalid_grant" if says("not supported on this domain") => USE_MY_DOMAIN,
        "invalid_grant" if says("no client credentials user") => {
            "set a run-as user in the policies of the external client app"
        }
        "invalid_grant" if says("not enabled") => "enable the client credentials flow in the external client app",
        "invalid_grant" if says("ip restricted") => "allow this machine's address in the app's or the user's IP ranges",
        "invalid_grant" if says("inactive user") => "the user is deactivated: connect with an active one",
        "invalid_grant" if says("expired access/refresh token") || says("token validity expired") => {
            "the connection has ended: connect the org again"
        }
        "invalid_grant" => "the org refuses the login: check the user, the app's policies and the login address",
        "invalid_client" => "check the client secret: it may have been rotated",
        "invalid_client_id" => "check the client id; a new app takes up to 10 minutes until it is known",
        "unsupported_grant_type" => "enable this OAuth flow in the external client app",
        "invalid_scope" => "allow the scope in the external client app",
        "inactive_org" => "the org is closed or locked",
        _ => return None,
    })
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
        assert!(granted.refresh.is_none());
        assert_eq!(granted.access.user_id().map(|id| id.to_string()).as_deref(), Some("0051a000000UGT8AAO"));
    }

    #[test]
    fn an_answer_cut_anywhere_is_an_error_that_shows_nothing_of_it() {
        let body = br#"{"access_token":"00D!sesame","instance_url":"https://acme.my.salesforce.com"}"#;
        for end in 0..body.len() {
            let error = read_answer(&body[..end], &host()).expect_err("cut");
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(!format!("{error:?} {error}").contains("sesame"));
        }
    }

    #[test]
    fn each_documented_refusal_has_its_advice() {
        let cases = [
            ("invalid_grant", "request not supported on this domain", "My Domain"),
            ("invalid_grant", "no client credentials user enabled", "run-as user"),
            ("invalid_grant", "expired access/refresh token", "connect the org again"),
            ("invalid_client", "invalid client credentials", "client secret"),
            ("invalid_client_id", "client identifier invalid", "client id"),
        ];
        for (code, text, expected) in cases {
            let body = format!(r#"{{"error":"{code}","error_description":"{text}"}}"#);
            let error = refused(StatusCode::BAD_REQUEST, body.as_bytes(), &host());
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never), "{text}");
            assert!(error.advice().is_some_and(|advice| advice.contains(expected)), "{error}");
            assert!(error.has_code(code));
        }
    }

    #[test]
    fn an_outage_is_not_a_refusal() {
        for body in [&b"<html>maintenance</html>"[..], b""] {
            let error = refused(StatusCode::SERVICE_UNAVAILABLE, body, &host());
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::After(None)));
        }
    }
}
