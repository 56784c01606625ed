//! Access tokens, and the provider that has only one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use url::Url;

use super::TokenProvider;
use super::host::{HostPolicy, HostUse};
use super::token_request::{authorization, is_token};
use crate::error::{Error, ErrorKind, Result};
use crate::http::HttpService;
use crate::types::{RecordId, Secret};

/// An access token and the instance it is for.
///
/// Salesforce tells no expiry: the session settings of the org decide, and a 401 says when it is over.
///
/// A clone costs nothing and shares the token, which is wiped from memory with the last one.
#[derive(Clone, Debug)]
pub struct AccessToken {
    shared: Arc<Shared>,
    ask_again: Option<Duration>,
    adopted: bool,
}

#[derive(Debug)]
struct Shared {
    secret: Secret,
    /// The value of `Authorization`, as each request carries it.
    bearer: HeaderValue,
    instance_url: Url,
    identity_url: Option<Url>,
}

impl AccessToken {
    /// Puts a token and its instance together, such as `https://acme.my.salesforce.com`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an address that [`HostPolicy`] refuses; [`ErrorKind::Auth`] for a token that cannot stand in a
    /// header.
    pub fn new(secret: impl Into<Secret>, instance_url: &str) -> Result<Self> {
        let instance_url = HostPolicy::salesforce().check(instance_url, HostUse::Org)?;
        Self::checked(secret.into(), instance_url, None)
    }

    /// As [`new`](Self::new), and takes an instance on this machine too, plain `http` included: for mock orgs.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn allowing_loopback(secret: impl Into<Secret>, instance_url: &str) -> Result<Self> {
        let instance_url = HostPolicy::allowing_loopback().check(instance_url, HostUse::Org)?;
        Self::checked(secret.into(), instance_url, None)
    }

    pub(super) fn checked(secret: Secret, instance_url: Url, identity_url: Option<Url>) -> Result<Self> {
        if !is_token(&secret) {
            return Err(Error::new(
                ErrorKind::Auth,
                "token",
                "the access token is empty or has characters no token has",
            ));
        }
        let bearer = authorization("Bearer", secret.expose())?;
        let shared = Arc::new(Shared { secret, bearer, instance_url, identity_url });
        Ok(Self { shared, ask_again: None, adopted: false })
    }

    /// Has the provider asked again that long after it gave this token, in the background, while the token stays in use. For
    /// providers that know or guess when it ends.
    #[must_use]
    pub fn ask_again_after(mut self, time: Duration) -> Self {
        self.ask_again = Some(time);
        self
    }

    /// When the provider wants to be asked again, counted from when it gave the token.
    #[must_use]
    pub fn ask_again(&self) -> Option<Duration> {
        self.ask_again
    }

    /// Marks it as got by somebody else and some time ago, so that it may have ended meanwhile.
    pub(super) fn adopted(mut self) -> Self {
        self.adopted = true;
        self
    }

    /// Whether somebody else got it. If it is refused, it was not this process's login that failed.
    pub(crate) fn is_adopted(&self) -> bool {
        self.adopted
    }

    /// The token itself, for the one header that carries it.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.shared.secret
    }

    /// Whether it is a JSON Web Token and not an opaque session id: an app's setting. REST takes both, SOAP opaque ones only.
    ///
    /// Source: Salesforce Help, "JWT-Based Access Tokens".
    #[must_use]
    pub fn is_jwt(&self) -> bool {
        let token = self.shared.secret.expose();
        // An opaque one begins with the org's id and `!`; the first part of a JWT is a JSON object in base64.
        token.starts_with("eyJ") && token.split('.').count() == 3
    }

    /// The value of `Authorization` that carries it.
    pub(crate) fn bearer(&self) -> HeaderValue {
        self.shared.bearer.clone()
    }

    /// Where the org's APIs are. May differ from the host that gave the token, and from one token to the next.
    #[must_use]
    pub fn instance_url(&self) -> &Url {
        &self.shared.instance_url
    }

    /// The identity URL, `…/id/<org id>/<user id>`, if the answer had one.
    #[must_use]
    pub fn identity_url(&self) -> Option<&Url> {
        self.shared.identity_url.as_ref()
    }

    /// The org whose token it is: by the identity URL, `…/id/<org>/<user>`, else by the token itself, which starts with its id
    /// of 15 characters and `!` unless it is a JWT. `None` if neither tells, or if they disagree.
    #[must_use]
    pub fn org_id(&self) -> Option<RecordId> {
        match self.orgs() {
            (Some(one), Some(other)) if one != other => None,
            (one, other) => one.or(other),
        }
    }

    /// The org by the identity URL, and by the token.
    pub(super) fn orgs(&self) -> (Option<RecordId>, Option<RecordId>) {
        let token = self.shared.secret.expose().split_once('!').and_then(|(org, _)| RecordId::new(org).ok());
        let path: Vec<&str> =
            self.shared.identity_url.as_ref().and_then(Url::path_segments).into_iter().flatten().collect();
        let identity = match path[..] {
            ["id", org, _] => RecordId::new(org).ok(),
            _ => None,
        };
        (identity, token)
    }

    /// The user whom the token acts for, if the answer told.
    #[must_use]
    pub fn user_id(&self) -> Option<RecordId> {
        RecordId::new(self.shared.identity_url.as_ref()?.path_segments()?.next_back()?).ok()
    }
}

impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared) || self.shared.secret == other.shared.secret
    }
}

/// One access token, got elsewhere. It cannot be renewed: when Salesforce refuses it, work ends.
#[derive(Clone, Debug)]
pub struct StaticToken(AccessToken);

impl StaticToken {
    /// Uses this token only.
    #[must_use]
    pub fn new(token: AccessToken) -> Self {
        Self(token)
    }
}

#[async_trait]
impl TokenProvider for StaticToken {
    async fn fetch(&self, _http: &dyn HttpService, rejected: Option<&AccessToken>) -> Result<AccessToken> {
        if rejected.is_some() {
            return Err(Error::new(ErrorKind::Auth, "token", "Salesforce no longer accepts the access token")
                .with_advice("give a new token, or use a provider that can renew it"));
        }
        Ok(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_token_and_its_header_and_show_neither() {
        let token = AccessToken::new("00D!hunter2", "https://acme.my.salesforce.com").expect("a token");
        let other = token.clone().ask_again_after(Duration::from_secs(1)).adopted();
        assert_eq!(token, other);
        assert_eq!((token.ask_again(), token.is_adopted()), (None, false), "each clone has its own");
        assert_eq!(token.secret().expose().as_ptr(), other.secret().expose().as_ptr());
        let header = other.bearer();
        assert_eq!(header.as_bytes().as_ptr(), token.bearer().as_bytes().as_ptr());
        assert_eq!(header.to_str().expect("text"), "Bearer 00D!hunter2");
        assert!(header.is_sensitive() && !format!("{token:?} {token:#?} {header:?}").contains("hunter2"));
    }
}
