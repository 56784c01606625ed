//! The refresh token flow: a person once allowed the app, and work goes on without them.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::token_request::request_token;
use super::{AccessToken, LoginHost, TokenProvider};
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::http::HttpService;
use crate::types::Secret;

/// Renews the session with a refresh token.
///
/// Where the app rotates refresh tokens, each renewal brings a new one, which is kept here for the next; replaying an old one
/// would make Salesforce revoke them all. [`current`](Self::current) is the one to write down: give the client an
/// `Arc` of this and keep another.
///
/// Source: Help, "OAuth 2.0 Refresh Token Flow for Renewed Sessions".
#[derive(Debug)]
pub struct RefreshToken {
    host: LoginHost,
    client_id: String,
    client_secret: Option<Secret>,
    current: Mutex<Secret>,
}

impl RefreshToken {
    /// Takes the host that gave the refresh token, the app's id, and the token. Apps without a secret need no more.
    pub fn new(host: LoginHost, client_id: impl Into<String>, refresh_token: impl Into<Secret>) -> Self {
        let current = Mutex::new(refresh_token.into());
        Self { host, client_id: client_id.into(), client_secret: None, current }
    }

    /// Sends the app's secret too.
    #[must_use]
    pub fn with_client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// The refresh token in force; another one after a rotation.
    #[must_use]
    pub fn current(&self) -> Secret {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl TokenProvider for RefreshToken {
    async fn fetch(&self, http: &dyn HttpService, _rejected: Option<&AccessToken>) -> Result<AccessToken> {
        let refresh_token = self.current();
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
            ("client_id", self.client_id.as_str()),
        ];
        if let Some(secret) = &self.client_secret {
            form.push(("client_secret", secret.expose()));
        }
        let granted = request_token(http, &self.host, &form, None).await.map_err(lost_answer)?;
        if let Some(next) = granted.refresh {
            *self.current.lock().unwrap_or_else(PoisonError::into_inner) = next;
        }
        Ok(granted.access)
    }
}

/// After a lost answer the token may have been rotated, and replaying it would end the connection; so no blind repeat.
/// Repeated is what surely was not carried out: a connection that was never made, 429 and 503.
fn lost_answer(error: Error) -> Error {
    let not_sent = error.kind() == ErrorKind::Transport && error.effect() == Effect::None;
    let turned_away = matches!(error.status(), Some(429 | 503));
    if not_sent || turned_away { error } else { error.with_retry(Retry::Never) }
}
