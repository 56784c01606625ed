//! Who a token acts for, by the identity URL.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use url::Url;

use super::host::{HostPolicy, HostUse};
use super::token_request::{LIMIT, too_late};
use super::{AccessToken, Environment};
use crate::error::{ApiError, Effect, Error, ErrorKind, Result, Retry};
use crate::http::{HttpService, Request, is_loopback};
use crate::types::RecordId;

/// An identity answer has some kilobytes.
const MAX_ANSWER: u64 = 1024 * 1024;

/// The identity URL may lead from the log-in host to the org's own.
const MAX_REDIRECTS: u32 = 2;

/// The user and the org behind a token. Which members are there depends on the scopes: `id`, `profile`, `email`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// The user.
    pub user_id: RecordId,
    /// The org.
    pub organization_id: RecordId,
    /// The user name, which looks like an email address.
    #[serde(default)]
    pub username: Option<String>,
    /// The full name.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The email address.
    #[serde(default)]
    pub email: Option<String>,
    /// `STANDARD` and others.
    #[serde(default)]
    pub user_type: Option<String>,
    /// Whether the user may log in.
    #[serde(default)]
    pub active: Option<bool>,
    /// The language, such as `en_US`.
    #[serde(default)]
    pub language: Option<String>,
    /// Where the identity was asked for tells the kind of org; `None` where the host does not.
    #[serde(skip)]
    pub environment: Option<Environment>,
}

/// Fetches the identity from the URL that came with the token, within 30 s. Costs no API call.
///
/// A redirect is followed only to a host that [`HostPolicy`] takes: the token goes along.
///
/// # Errors
///
/// [`ErrorKind::Config`] if the token came without an identity URL, or is redirected to a foreign host;
/// [`ErrorKind::Conflict`] if the answer names another org than the token;
/// [`ErrorKind::Auth`] with [`Retry::Reauthenticate`] if the session is dead (403 `Bad_OAuth_Token`, not a missing permission).
///
/// Source: Help, "Identity URLs"; the answer is recorded.
pub async fn fetch_identity(http: &dyn HttpService, token: &AccessToken) -> Result<Identity> {
    let late = |_| Err(too_late("identity", LIMIT).with_effect(Effect::None));
    tokio::time::timeout(LIMIT, follow(http, token)).await.unwrap_or_else(late)
}

async fn follow(http: &dyn HttpService, token: &AccessToken) -> Result<Identity> {
    let url = token.identity_url().ok_or_else(|| {
        Error::new(ErrorKind::Config, "identity", "the token came without an identity URL")
            .with_advice("ask for the user info instead")
    })?;
    // A token is on this machine only where the caller has opted in.
    let local = is_loopback(token.instance_url());
    let policy = if local { HostPolicy::allowing_loopback() } else { HostPolicy::salesforce() };
    let mut url = checked(url.as_str(), policy)?;
    let environment = url.host_str().and_then(super::host::environment_of);
    for _ in 0..=MAX_REDIRECTS {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, token.bearer());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let request = Request { headers, timeout: Some(LIMIT), ..Request::new(Method::GET, url.clone()) };
        let settle = |error: Error| error.with_operation("identity").with_effect(Effect::None);
        let answer = http.send(request).await.map_err(settle)?;
        if answer.status.is_redirection() {
            let location = answer.headers.get(header::LOCATION).and_then(|to| to.to_str().ok());
            url = redirected(&url, location, policy)?;
            continue;
        }
        let status = answer.status;
        let body = answer.body.collect(MAX_ANSWER).await.map_err(settle)?;
        if status != StatusCode::OK {
            return Err(refused(status, &body));
        }
        let identity: Identity = serde_json::from_slice(&body)
            .map_err(|_| Error::new(ErrorKind::Decode, "identity", "the answer is not an identity"))?;
        if token.org_id().is_some_and(|org| org != identity.organization_id) {
            return Err(Error::new(ErrorKind::Conflict, "identity", "another org answers than the token's")
                .with_context("found", identity.organization_id));
        }
        return Ok(Identity { environment, ..identity });
    }
    Err(Error::new(ErrorKind::Unexpected, "identity", "the identity URL is redirected again and again"))
}

fn checked(address: &str, policy: HostPolicy) -> Result<Url> {
    policy.check(address, HostUse::Login).map_err(|refused| {
        Error::new(ErrorKind::Config, "identity", "the identity URL leads to a host that gets no token")
            .with_source(refused)
    })
}

fn redirected(from: &Url, location: Option<&str>, policy: HostPolicy) -> Result<Url> {
    let location = location.unwrap_or_default();
    // A path alone stays on the host; `//host` does not.
    if location.starts_with('/') && !location.starts_with("//") {
        let to = from.join(location).map_err(|error| {
            Error::new(ErrorKind::Unexpected, "identity", "the redirect leads nowhere").with_source(error)
        })?;
        return checked(to.as_str(), policy);
    }
    checked(location, policy)
}

/// Userinfo and identity answer a dead session with 403 and one of OAuth's words as plain text (protocol facts, identity).
fn refused(status: StatusCode, body: &[u8]) -> Error {
    let word = String::from_utf8_lossy(body.trim_ascii()).chars().take(100).collect::<String>();
    let error = |kind, retry| {
        let error = Error::new(kind, "identity", "").with_retry(retry).with_status(status.as_u16());
        let named = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !word.is_empty();
        if named { error.with_salesforce(vec![ApiError::new(&word, "", Vec::new())]) } else { error }
    };
    match (status.as_u16(), word.as_str()) {
        (401, _) | (403, "Bad_OAuth_Token" | "Missing_OAuth_Token") => error(ErrorKind::Auth, Retry::Reauthenticate),
        (403, _) => error(ErrorKind::Forbidden, Retry::Never).with_advice("ask for the scope id"),
        (404, _) => error(ErrorKind::NotFound, Retry::Never),
        (408 | 420 | 429 | 500..=599, _) => error(ErrorKind::Unavailable, Retry::After(None)),
        _ => error(ErrorKind::Unexpected, Retry::Never),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_takes_the_token_only_to_salesforce() {
        let strict = HostPolicy::salesforce();
        let from = Url::parse("https://login.salesforce.com/id/a/b").expect("a URL");
        let to = |location| redirected(&from, Some(location), strict).map(String::from);
        assert_eq!(
            to("https://acme.my.salesforce.com/id/a/b").expect("theirs"),
            "https://acme.my.salesforce.com/id/a/b"
        );
        assert_eq!(to("/id/a/c?d").expect("the same host"), "https://login.salesforce.com/id/a/c?d");
        for location in [
            "https://evil.com/id/a/b",
            "//evil.com/id/a/b",
            "/\\evil.com",
            "/\t/evil.com/",
            "http://acme.my.salesforce.com",
            "https://login.salesforce.com@evil.com",
            "id/a/b",
            "",
        ] {
            assert_eq!(to(location).expect_err(location).kind(), ErrorKind::Config, "{location}");
        }
        redirected(&from, None, strict).expect_err("no location");
    }

    #[test]
    fn a_dead_session_is_not_a_missing_permission() {
        let error = refused(StatusCode::FORBIDDEN, b"Bad_OAuth_Token\n");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Reauthenticate));
        let error = refused(StatusCode::FORBIDDEN, b"Invalid_Scope");
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Forbidden, Retry::Never));
        assert!(refused(StatusCode::BAD_GATEWAY, b"<html>").salesforce().is_empty());
    }
}
