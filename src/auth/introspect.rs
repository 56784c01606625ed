//! What Salesforce knows of a token: the one place that tells when it ends.

use http::StatusCode;
use serde::Deserialize;

use super::token_request::post_to;
use super::{LoginHost, Scopes};
use crate::error::{Error, ErrorKind, Result};
use crate::http::HttpService;
use crate::types::{Secret, Timestamp};

/// The state of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Introspection {
    /// Whether it works. If not, or if it is another app's, the rest is not told.
    pub active: bool,
    /// What it may be used for.
    pub scopes: Option<Scopes>,
    /// The name of the user it acts for.
    pub username: Option<String>,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// When it ends. Use of an access token may move this on, as the org's session settings say.
    pub expires_at: Option<Timestamp>,
}

/// Times are Unix seconds.
#[derive(Deserialize)]
struct Answer {
    active: bool,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    exp: Option<i64>,
}

/// Asks for the state of an access or refresh token of this app, within 30 s. Costs no API call.
///
/// Token answers tell no lifetime; `expires_at` less `issued_at` is the session timeout that applies, so that a schedule can be
/// compared with it.
///
/// # Errors
///
/// [`ErrorKind::Auth`] for a wrong client id or secret, or an app that may not introspect (a box of its page in Setup);
/// [`ErrorKind::Unavailable`] and [`ErrorKind::Transport`] if it may work later.
///
/// Source: Help, "Token Introspection".
pub async fn introspect(
    http: &dyn HttpService,
    host: &LoginHost,
    client_id: &str,
    client_secret: &Secret,
    token: &Secret,
) -> Result<Introspection> {
    let form = [("token", token.expose()), ("client_id", client_id), ("client_secret", client_secret.expose())];
    let answer = post_to("introspect", http, host, &form, None).await?;
    if answer.status != StatusCode::OK {
        let (_, error) = answer.refused("introspect", "the org does not tell of the token", host);
        // 401 for a client that does not prove who it is (protocol facts, introspection).
        let denied = answer.status == StatusCode::UNAUTHORIZED && error.kind() == ErrorKind::Unexpected;
        return Err(if denied {
            Error::new(ErrorKind::Auth, "introspect", "the app may not ask for tokens")
                .with_status(answer.status.as_u16())
                .with_advice("check client id and secret, and tick token introspection in the app's settings")
        } else {
            error
        });
    }
    let answer: Answer = serde_json::from_slice(&answer.body)
        .map_err(|_| Error::new(ErrorKind::Decode, "introspect", "the answer does not tell the token's state"))?;
    let time = |seconds: Option<i64>| seconds.and_then(|time| Timestamp::from_unix_millis(time.checked_mul(1000)?));
    Ok(Introspection {
        active: answer.active,
        scopes: answer.scope.as_deref().and_then(Scopes::granted),
        username: answer.username,
        issued_at: time(answer.iat),
        expires_at: time(answer.exp),
    })
}
