//! The client credentials flow: a service logs in as the app's run-as user.

use std::time::Duration;

use async_trait::async_trait;

use super::refusal::USE_MY_DOMAIN;
use super::token_request::{LIMIT, request_token};
use super::{AccessToken, LoginHost, TokenProvider};
use crate::error::{Error, ErrorKind, Result};
use crate::http::HttpService;
use crate::types::Secret;

/// Logs in with the client id and secret of an external client app, as the user set in its policies.
///
/// There is no refresh token: a new token is asked for when the old one is refused.
///
/// Source: Help, "OAuth 2.0 Client Credentials Flow for Server-to-Server Integration".
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    host: LoginHost,
    client_id: String,
    client_secret: Secret,
    by_header: bool,
    timeout: Duration,
}

impl ClientCredentials {
    /// Takes the org's My Domain and the app's credentials.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for `login.salesforce.com` and `test.salesforce.com`, which do not support this flow, and for an
    /// empty id or secret.
    pub fn new(host: LoginHost, client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Result<Self> {
        let (client_id, client_secret) = (client_id.into(), client_secret.into());
        if host.is_shared() {
            return Err(Error::new(ErrorKind::Config, "token", "this login address serves all orgs")
                .with_context("host", host)
                .with_advice(USE_MY_DOMAIN));
        }
        if client_id.is_empty() || client_secret.expose().is_empty() {
            return Err(Error::new(ErrorKind::Config, "token", "client id or client secret is empty"));
        }
        Ok(Self { host, client_id, client_secret, by_header: false, timeout: LIMIT })
    }

    /// Sends id and secret by HTTP Basic instead of in the form, for proxies that log forms.
    #[must_use]
    pub fn by_basic_header(mut self) -> Self {
        self.by_header = true;
        self
    }

    /// Longest time for a request to the token endpoint; 30 s by default.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

#[async_trait]
impl TokenProvider for ClientCredentials {
    async fn fetch(&self, http: &dyn HttpService, _rejected: Option<&AccessToken>) -> Result<AccessToken> {
        let grant = ("grant_type", "client_credentials");
        let (id, secret) = (self.client_id.as_str(), &self.client_secret);
        let granted = if self.by_header {
            request_token(http, &self.host, &[grant], Some((id, secret)), self.timeout).await?
        } else {
            let form = [grant, ("client_id", id), ("client_secret", secret.expose())];
            request_token(http, &self.host, &form, None, self.timeout).await?
        };
        Ok(granted.access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_hosts_are_refused_with_the_way_out() {
        for host in [LoginHost::production(), LoginHost::sandbox()] {
            let error = ClientCredentials::new(host, "id", "secret").expect_err("not supported there");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains("My Domain"), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let host = LoginHost::my_domain("acme.my.salesforce.com").expect("a My Domain");
        let provider = ClientCredentials::new(host, "id", "hunter2").expect("complete");
        assert!(!format!("{provider:?}").contains("hunter2"));
    }
}
