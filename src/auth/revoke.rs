//! Ending a token at Salesforce.

use http::StatusCode;

use super::LoginHost;
use super::refusal::Cause;
use super::token_request::post_to;
use crate::error::Result;
use crate::http::HttpService;
use crate::types::Secret;

/// What became of a token that was to be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// It worked until now, and no longer does.
    Revoked,
    /// Salesforce does not know it, or it was dead before.
    AlreadyDead,
}

/// Revokes a token: an access token alone, a refresh token with all access tokens that hang on it.
///
/// May be repeated: the second time answers [`Revocation::AlreadyDead`]. Costs no API call, and takes 30 s at most.
///
/// # Errors
///
/// [`ErrorKind::Auth`](crate::ErrorKind::Auth) for a token of a kind that cannot be revoked here, such as a session of SOAP;
/// [`Unavailable`](crate::ErrorKind::Unavailable) and [`Transport`](crate::ErrorKind::Transport) if it may work later.
///
/// Source: Mobile SDK guide, "Revoking OAuth Tokens"; Help, "Revoke OAuth Tokens".
pub async fn revoke(http: &dyn HttpService, host: &LoginHost, token: &Secret) -> Result<Revocation> {
    let answer = post_to("revoke", http, host, &[("token", token.expose())], None).await?;
    if answer.status == StatusCode::OK {
        return Ok(Revocation::Revoked);
    }
    match answer.refused("revoke", "the token is not revoked", host) {
        (Cause::TokenDead, _) => Ok(Revocation::AlreadyDead),
        (_, error) => Err(error),
    }
}
