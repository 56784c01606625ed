//! Logging in: token providers, the connect dance, the cache that renews a token once for all tasks, and the manager that does so for
//! all processes.
//!
//! | Flow | Type | For |
//! | --- | --- | --- |
//! | authorization code with PKCE | [`ConnectFlow`] | a customer connects their org in a browser |
//! | refresh token | [`TokenManager`] | work goes on without that person |
//! | JWT bearer | `JwtBearer` (feature `jwt`) | a service with a key of its own, no person |
//! | client credentials | [`ClientCredentials`] | a service with a secret, as the app's run-as user |
//!
//! Salesforce is retiring SOAP `login()`, the username-password flow and the device flow; they are left out.
//!
//! Every address that a token or a secret is sent to passes one [`HostPolicy`].

mod cache;
mod client_credentials;
mod connect;
mod host;
mod identity;
mod introspect;
#[cfg(feature = "jwt")]
mod jwt_bearer;
mod login;
mod manager;
mod pkce;
mod refresh_token;
mod refusal;
mod revoke;
mod scopes;
mod token;
mod token_request;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub(crate) use self::cache::TokenCache;
pub use self::client_credentials::ClientCredentials;
pub use self::connect::{
    AuthorizeRequest, CallbackProblem, ConnectError, ConnectFlow, ConnectFlowBuilder, ConnectRequest, Connected,
};
pub use self::host::{Environment, HostPolicy, HostRefused, HostUse};
pub use self::identity::{Identity, fetch_identity};
pub use self::introspect::{Introspection, introspect};
#[cfg(feature = "jwt")]
pub use self::jwt_bearer::JwtBearer;
pub use self::login::LoginHost;
pub(crate) use self::manager::wipe;
pub use self::manager::{Grant, Purged, TokenManager, TokenManagerBuilder, TokenState};
pub(crate) use self::pkce::{name_of, random_name};
pub use self::revoke::{Revocation, revoke};
pub use self::scopes::Scopes;
pub use self::token::{AccessToken, StaticToken};
use crate::error::Result;
use crate::http::HttpService;

/// Gets access tokens. One flow each: [`ClientCredentials`], [`TokenManager`], `JwtBearer`, [`StaticToken`], or the caller's own.
///
/// A provider need not cache or guard against parallel calls: the client asks it once per expiry, whatever the number of
/// requests that wait.
///
/// # Contract
///
/// - `fetch` never answers with the token in `rejected`: that one is dead. Without one it may answer with the same token as before.
/// - An error of kind [`Auth`](crate::ErrorKind::Auth) means that a person has to act, and
///   [`ReauthRequired`](crate::ErrorKind::ReauthRequired) that nothing but connecting the org again helps; anything that may pass is
///   [`Unavailable`](crate::ErrorKind::Unavailable) or [`Transport`](crate::ErrorKind::Transport).
/// - The secret parts of the provider do not show in `Debug`.
#[async_trait]
pub trait TokenProvider: fmt::Debug + Send + Sync + 'static {
    /// Gets a new access token, given the one that the org no longer accepts, if there was one.
    async fn fetch(&self, http: &dyn HttpService, rejected: Option<&AccessToken>) -> Result<AccessToken>;
}

#[async_trait]
impl<P: TokenProvider + ?Sized> TokenProvider for Arc<P> {
    async fn fetch(&self, http: &dyn HttpService, rejected: Option<&AccessToken>) -> Result<AccessToken> {
        (**self).fetch(http, rejected).await
    }
}
