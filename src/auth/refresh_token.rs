//! The refresh token flow: one request, and what its answer means for the connection.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::refusal::Cause;
use super::token_request::{Granted, TokenFailure, is_token, post_within};
use super::{AccessToken, LoginHost, Scopes};
use crate::error::{Effect, Error, ErrorKind};
use crate::http::{HttpService, StatusCode};
use crate::types::Secret;

/// The app that a refresh token was given to, and where.
#[derive(Clone, Debug)]
pub(super) struct App {
    pub(super) host: LoginHost,
    pub(super) client_id: String,
    pub(super) client_secret: Option<Secret>,
}

/// What became of a refresh token.
#[derive(Debug)]
pub(super) enum Redeemed {
    /// A new access token, and a new refresh token where rotation is on. `unsure`: there was one that can be none.
    Granted { access: Box<AccessToken>, refresh: Option<Secret>, scopes: Option<Scopes>, unsure: bool },
    /// A new refresh token beside an access token that we do not take. The old one is spent.
    Half { refresh: Secret, error: Error },
    /// Salesforce takes it no more.
    Refused(Error),
    /// Refused for a reason that lies elsewhere: the refresh token was not spent and may work again.
    Blocked(Error),
    /// Not carried out, and worth another try.
    Later(Error),
    /// Perhaps carried out: if rotation is on, the refresh token may be spent.
    Lost(Error),
}

impl App {
    /// Redeems a refresh token once, within that time. Nothing repeats it here.
    pub(super) async fn redeem(&self, http: &dyn HttpService, token: &Secret, limit: Duration) -> Redeemed {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", token.expose()),
            ("client_id", self.client_id.as_str()),
        ];
        if let Some(secret) = &self.client_secret {
            form.push(("client_secret", secret.expose()));
        }
        match post_within(limit, "token", http, &self.host, &form, None).await {
            Ok(answer) => match answer.try_read(&self.host) {
                Ok(Granted { access, refresh, scopes, unsure }) => {
                    Redeemed::Granted { access: Box::new(access), refresh, scopes, unsure }
                }
                Err(TokenFailure::Refused { cause, error }) => refused(cause, error),
                Err(failure @ (TokenFailure::NotATokenAnswer(_) | TokenFailure::ForeignHost(_))) => {
                    unusable(failure.into(), &answer.body)
                }
            },
            Err(error) => unanswered(error),
        }
    }
}

/// The members of a token answer that matter even if others are unusable. The access token is as it came, the refresh token one
/// that can be used.
#[derive(Default)]
pub(super) struct Leftovers {
    pub(super) access_token: Option<Secret>,
    pub(super) refresh_token: Option<Secret>,
    /// There is a refresh token that can be none.
    unsure: bool,
}

impl Leftovers {
    /// What a body holds of tokens, whatever else is wrong with it.
    pub(super) fn of(body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        struct Members<'a> {
            #[serde(default, borrow)]
            access_token: Option<&'a RawValue>,
            #[serde(default, borrow)]
            refresh_token: Option<&'a RawValue>,
        }
        let Members { access_token, refresh_token } = serde_json::from_slice(body).unwrap_or_default();
        let text = |member: Option<&RawValue>| serde_json::from_str::<Secret>(member?.get()).ok();
        let is_told = refresh_token.is_some();
        let refresh_token = text(refresh_token).filter(is_token);
        let unsure = is_told && refresh_token.is_none();
        Self { access_token: text(access_token), refresh_token, unsure }
    }
}

/// An answer of status 200 that we do not take. A rotated refresh token in it is kept all the same.
fn unusable(error: Error, body: &[u8]) -> Redeemed {
    let leftovers = Leftovers::of(body);
    match leftovers.refresh_token {
        Some(refresh) => Redeemed::Half { refresh, error },
        // A whole answer without a refresh token: nothing was rotated.
        None if leftovers.access_token.is_some() && !leftovers.unsure => Redeemed::Blocked(error),
        None => Redeemed::Lost(error),
    }
}

/// Wire facts 1.9 (OAuth error catalogue). Only what says that the grant itself is dead ends a connection; what an admin, the
/// app's owner or time can mend does not.
fn refused(cause: Cause, error: Error) -> Redeemed {
    let says = |part: &str| error.salesforce().iter().any(|said| said.message.to_ascii_lowercase().contains(part));
    match cause {
        Cause::TokenDead | Cause::NotApproved | Cause::CodeExpired => Redeemed::Refused(error),
        // IP ranges, a locked user: the facts name no better words for them.
        Cause::Other if says("authentication failure") => Redeemed::Blocked(error),
        // RFC 6749, 5.2: the refresh token is invalid, expired, revoked or another client's.
        Cause::Other if error.has_code("invalid_grant") => Redeemed::Refused(error),
        Cause::RateLimited => Redeemed::Later(error),
        // `server_error` may come after the rotation.
        Cause::Unavailable if !error.salesforce().is_empty() && !matches!(error.status(), Some(429 | 503)) => {
            Redeemed::Lost(error)
        }
        Cause::Unavailable | Cause::Unknown => by_status(error),
        _ => Redeemed::Blocked(error),
    }
}

/// An answer that is none of OAuth's, from a proxy or the edge in front of the org.
fn by_status(error: Error) -> Redeemed {
    let status = error.status().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or_default();
    match status.as_u16() {
        // Turned away at the door (wire facts 2.2; 420: the edge has no route for the host).
        406 | 420 | 429 | 503 => Redeemed::Later(error),
        408 => Redeemed::Lost(error),
        _ if status.is_server_error() || status.is_success() => Redeemed::Lost(error),
        _ => Redeemed::Blocked(error),
    }
}

/// No answer at all, or not all of it.
fn unanswered(error: Error) -> Redeemed {
    match (error.kind(), error.effect()) {
        // A connection that was never made carried no token; nor did one that was stopped on our side.
        (ErrorKind::Transport | ErrorKind::ReauthRequired, Effect::None) => Redeemed::Later(error),
        // Our own request could not be put together.
        (ErrorKind::Config | ErrorKind::Auth, Effect::None) => Redeemed::Blocked(error),
        _ => Redeemed::Lost(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_was_stopped_before_it_went_out_leaves_no_doubt() {
        let stopped = Error::new(ErrorKind::ReauthRequired, "connection", "the org was disconnected");
        assert!(matches!(unanswered(stopped.clone()), Redeemed::Later(_)));
        assert!(matches!(unanswered(stopped.with_effect(Effect::Unknown)), Redeemed::Lost(_)));
    }

    #[test]
    fn tokens_are_found_in_an_answer_whatever_else_is_wrong_with_it() {
        let found = |body: &str| {
            let Leftovers { access_token, refresh_token, .. } = Leftovers::of(body.as_bytes());
            [access_token, refresh_token].map(|token| token.map(|token| token.expose().to_owned()))
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(found(r#"{"access_token":"a","refresh_token":"r","scope":7}"#), [text("a"), text("r")]);
        assert_eq!(found(r#"{"access_token":7,"refresh_token":"r"}"#), [None, text("r")]);
        assert_eq!(found(r#"{"access_token":"a b","refresh_token":""}"#), [text("a b"), None]);
        assert_eq!(found(r#"{"access_token":"","refresh_token":"a b"}"#), [text(""), None]);
        for body in ["", "[]", "null", "<html>", r#"{"refresh_token":"r""#] {
            assert_eq!(found(body), [None, None], "{body}");
        }
    }
}
