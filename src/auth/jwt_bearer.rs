//! The JWT bearer flow: a service logs in as a user by an assertion that it signs.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use zeroize::Zeroizing;

use super::pkce::random_secret;
use super::refusal::Cause;
use super::token_request::{JWT_BEARER, LIMIT, TokenAnswer, TokenFailure, post_within};
use super::{AccessToken, Environment, LoginHost, TokenProvider};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorKind, Result};
use crate::http::HttpService;
use crate::types::Secret;

/// Salesforce takes an assertion that ends at most 3 minutes ahead of its own time. Two minutes leave room for a clock that is a
/// minute ahead or two behind.
const LIFETIME: Duration = Duration::from_mins(2);

/// A difference of clocks that is worth telling.
const SKEW: Duration = Duration::from_secs(30);

/// Logs in as a user, with the private key whose certificate was uploaded to the external client app.
///
/// No person is asked, and there is no refresh token: a new assertion is signed when the token is refused. The user must be
/// pre-authorized in the app's policies, or have approved the app once with the scope `refresh_token`. Scopes cannot be asked
/// for: they are those that were approved.
///
/// Needs the feature `jwt`.
///
/// ```no_run
/// use sforce::auth::{JwtBearer, LoginHost};
///
/// # fn main() -> sforce::Result<()> {
/// # let pem = String::new();
/// let provider = JwtBearer::new(LoginHost::sandbox(), "consumer key", "integration@acme.example.uat", pem)?;
/// let client = sforce::Client::builder(provider);
/// # Ok(())
/// # }
/// ```
///
/// Source: Help, "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration".
#[derive(Clone)]
pub struct JwtBearer {
    host: LoginHost,
    consumer_key: String,
    username: String,
    audience: String,
    key: EncodingKey,
    clock: Arc<dyn Clock>,
    timeout: Duration,
}

/// `iat` is left out: no guide names it, and a clock that is ahead would put it into the future.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    /// Unix seconds.
    exp: u64,
    /// Makes each assertion good for one login.
    jti: &'a str,
}

impl JwtBearer {
    /// Takes where to log in, the app's consumer key, the name of the user to act for, and the RSA key as PEM (PKCS #8 or #1).
    ///
    /// The audience follows from the host: `https://test.salesforce.com` for sandboxes and scratch orgs, else
    /// `https://login.salesforce.com`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an empty consumer key or username, and for a key that is no RSA key in PEM.
    pub fn new(
        host: LoginHost,
        consumer_key: impl Into<String>,
        username: impl Into<String>,
        private_key_pem: impl Into<Secret>,
    ) -> Result<Self> {
        let (consumer_key, username, pem) = (consumer_key.into(), username.into(), private_key_pem.into());
        if consumer_key.is_empty() || username.is_empty() {
            return Err(Error::new(ErrorKind::Config, "token", "consumer key or username is empty"));
        }
        // No source: it could quote the key.
        let key = EncodingKey::from_rsa_pem(pem.expose().as_bytes()).map_err(|_| {
            Error::new(ErrorKind::Config, "token", "the private key is no RSA key in PEM")
                .with_advice("give the file that starts with -----BEGIN PRIVATE KEY-----, without a passphrase")
        })?;
        let audience = match host.environment() {
            Some(Environment::Sandbox) => LoginHost::sandbox(),
            _ => LoginHost::production(),
        };
        let audience = audience.to_string();
        Ok(Self { host, consumer_key, username, audience, key, clock: Arc::new(SystemClock::new()), timeout: LIMIT })
    }

    /// Names another audience, such as the address of an Experience Cloud site whose users log in.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// Uses this clock; by default the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Longest time for a request to the token endpoint; 30 s by default.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn assertion(&self) -> Result<Zeroizing<String>> {
        let jti = random_secret()?;
        let end = self.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default() + LIFETIME;
        let claims = Claims {
            iss: &self.consumer_key,
            sub: &self.username,
            aud: &self.audience,
            exp: end.as_secs(),
            jti: jti.expose(),
        };
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key);
        assertion.map(Zeroizing::new).map_err(|_| {
            Error::new(ErrorKind::Config, "token", "the private key cannot sign")
                .with_advice("give an RSA key of 2,048 bits or more")
        })
    }

    /// How far this machine's clock is off, if an answer tells and it matters.
    fn skew(&self, answer: &TokenAnswer) -> Option<String> {
        let (here, there) = (self.clock.now(), answer.date?);
        let tell = |later: SystemTime, earlier: SystemTime, word| {
            let seconds = later.duration_since(earlier).ok().filter(|off| *off >= SKEW)?.as_secs();
            Some(format!("this machine's clock is {seconds} s {word} Salesforce's: set it right"))
        };
        tell(here, there, "ahead of").or_else(|| tell(there, here, "behind"))
    }
}

#[async_trait]
impl TokenProvider for JwtBearer {
    async fn fetch(&self, http: &dyn HttpService, _rejected: Option<&AccessToken>) -> Result<AccessToken> {
        let assertion = self.assertion()?;
        let form = [("grant_type", JWT_BEARER), ("assertion", assertion.as_str())];
        let answer = post_within(self.timeout, "token", http, &self.host, &form, None).await?;
        match answer.try_read(&self.host) {
            Ok(granted) => Ok(granted.access),
            Err(TokenFailure::Refused { cause: Cause::AssertionExpired, error }) => match self.skew(&answer) {
                Some(hint) => Err(error.with_advice(hint)),
                None => Err(error),
            },
            Err(TokenFailure::Refused { cause: Cause::Audience, error }) => {
                Err(error.with_context("audience", &self.audience))
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

impl fmt::Debug for JwtBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The username looks like an email address.
        f.debug_struct("JwtBearer")
            .field("host", &self.host)
            .field("consumer_key", &self.consumer_key)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../../tests/fixtures/test-only-rsa-key.pem");

    fn audience(host: LoginHost) -> String {
        JwtBearer::new(host, "key", "user", KEY).expect("complete").audience
    }

    #[test]
    fn the_audience_is_the_login_host_of_the_environment() {
        let my_domain = |address| LoginHost::my_domain(address).expect(address);
        for (host, expected) in [
            (LoginHost::production(), "https://login.salesforce.com"),
            (LoginHost::sandbox(), "https://test.salesforce.com"),
            (my_domain("acme.my.salesforce.com"), "https://login.salesforce.com"),
            (my_domain("acme-dev-ed.develop.my.salesforce.com"), "https://login.salesforce.com"),
            (my_domain("acme--uat.sandbox.my.salesforce.com"), "https://test.salesforce.com"),
        ] {
            assert_eq!(audience(host), expected);
        }
    }

    #[test]
    fn what_is_no_rsa_key_is_refused_and_not_shown() {
        let other = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----";
        for (key, user, pem) in [("", "user", KEY), ("key", "", KEY), ("key", "user", ""), ("key", "user", other)] {
            let error = JwtBearer::new(LoginHost::sandbox(), key, user, pem).expect_err("incomplete");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
