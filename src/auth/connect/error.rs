//! Why an org was not connected, and what to tell the person who tried.

use std::time::Duration;

use http::StatusCode;

use super::CallbackProblem;
use crate::auth::refusal::{Cause, Refusal};
use crate::auth::token_request::TokenFailure;
use crate::auth::{Environment, Scopes};
use crate::error::{Effect, Error, ErrorKind, Retry};
use crate::types::RecordId;

/// Why an org was not connected. `Display` says what happened, [`advice`](Self::advice) what a product would show; neither holds a
/// secret.
///
/// Whatever it is, nothing of an earlier connection was changed, and a new click on Connect starts afresh.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The person chose Deny.
    #[error("the person denied access")]
    Denied,
    /// The callback has no state.
    #[error("the callback has no state")]
    StateMissing,
    /// No attempt of this tenant and app has this state.
    #[error("the callback belongs to no attempt of this tenant")]
    StateMismatch,
    /// The callback came after the time limit.
    #[error("the callback came {} s after the start, later than allowed", .age.as_secs())]
    Expired {
        /// Time since the attempt was begun.
        age: Duration,
    },
    /// This callback was dealt with before.
    #[error("the callback was used before")]
    AlreadyUsed,
    /// A newer attempt was begun for the same connection.
    #[error("a newer attempt has taken the place of this one")]
    StaleTab,
    /// The attempt was begun in the future: the clocks of two servers disagree.
    #[error("the attempt was begun {} s in the future: the clocks of two servers disagree", .ahead.as_secs())]
    ClockSkew {
        /// How far ahead the other clock is.
        ahead: Duration,
    },
    /// The callback is none that Salesforce sends.
    #[error("the callback cannot be read: {0}")]
    Malformed(CallbackProblem),
    /// The org is of another kind than was chosen.
    #[error("a {asked} org was asked for, and a {found} org has answered")]
    WrongEnvironment {
        /// What was chosen at the start.
        asked: Environment,
        /// What the org is.
        found: Environment,
    },
    /// Another org than the one this connection belongs to.
    #[error("org {found} was connected where {expected} was expected")]
    WrongOrg {
        /// The org of the connection.
        expected: RecordId,
        /// The org that was connected.
        found: RecordId,
    },
    /// The org has granted less than was asked for.
    #[error("the org has not granted: {missing}")]
    MissingScope {
        /// What is missing.
        missing: Scopes,
    },
    /// The app may not ask for a scope.
    #[error("the app may not ask for these scopes")]
    ScopeNotAllowed(#[source] Error),
    /// The redirect URI is not one of the app's callback URLs, or not the one of the authorize request.
    #[error("the redirect URI is not one of the app's")]
    RedirectMismatch(#[source] Error),
    /// Salesforce does not know the app.
    #[error("Salesforce does not know the app")]
    AppUnknown(#[source] Error),
    /// The app's secret is wrong.
    #[error("the app's secret is wrong")]
    AppSecret(#[source] Error),
    /// An admin has blocked the app, has not installed it, or has not approved this user for it.
    #[error("the app is blocked for this user or org")]
    AppBlocked(#[source] Error),
    /// The user may not log in: deactivated, from this address, at this hour; or nobody may, since the org is locked.
    #[error("the user may not log in")]
    LoginRestricted(#[source] Error),
    /// The code was redeemed too late, or before.
    #[error("the authorization code has expired or was redeemed before")]
    CodeExpired(#[source] Error),
    /// The code verifier does not fit the code.
    #[error("the code belongs to another attempt")]
    PkceRefused(#[source] Error),
    /// Any other refusal.
    #[error("the org refuses the connection")]
    Refused(#[source] Error),
    /// The answer of the token endpoint is not one: no JSON, no `instance_url`, no org.
    #[error("the token endpoint has not answered with tokens")]
    BadAnswer(#[source] Error),
    /// The answer would have tokens sent to a host that is not Salesforce's.
    #[error("the token answer names a host that is not Salesforce's")]
    ForeignHost(#[source] Error),
    /// Our own storage failed, for now. If the error's [`effect`](Error::effect) is unknown, the connection may have been stored.
    #[error("the attempt cannot be stored or read")]
    Store(#[source] Error),
    /// Our own storage needs a person: what is stored was written by a newer version, with another key, or is damaged.
    #[error("what is stored cannot be read")]
    StoreBroken(#[source] Error),
    /// Salesforce cannot be reached or is out of service.
    #[error("Salesforce cannot be reached for now")]
    Unavailable {
        /// Whether the same callback may be finished again, as by reloading the page: its code surely was not redeemed.
        repeatable: bool,
        /// What happened.
        #[source]
        source: Error,
    },
    /// A setting of ours is wrong.
    #[error("the connection cannot be begun")]
    Config(#[source] Error),
}

impl ConnectError {
    /// What a product would show the person who tried.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Denied => "Access was denied in Salesforce. Click Connect again and choose Allow.",
            Self::StateMissing | Self::StateMismatch => {
                "This login does not belong to your session. Click Connect again in a fresh window, without old tabs."
            }
            Self::Expired { .. } => "The login took too long. Click Connect again.",
            Self::AlreadyUsed => {
                "This login was finished before. If the connection does not show as connected, click Connect again."
            }
            Self::StaleTab => {
                "A newer login was started in another tab. Go on there, or close all tabs and click Connect again."
            }
            Self::ClockSkew { .. } => "The clocks of our servers disagree. Tell our support; then click Connect again.",
            Self::Malformed(_) => "The answer of the login cannot be read. Click Connect again in a fresh window.",
            Self::WrongEnvironment { found: Environment::Sandbox, .. } => {
                "You logged in to a sandbox. Choose Sandbox as the environment and connect again."
            }
            Self::WrongEnvironment { .. } => {
                "You logged in to a production org. Choose Production as the environment and connect again."
            }
            Self::WrongOrg { .. } => {
                "You logged in to another org than the one this connection belongs to. Log out of Salesforce, or use a private \
                 window, and connect the right org; to switch orgs, remove this connection first."
            }
            Self::MissingScope { .. } => {
                "The app was not granted all it needs. Let an admin add the missing scopes to the app and connect again."
            }
            Self::ScopeNotAllowed(_) => "Let an admin add the scopes to the app's OAuth settings and connect again.",
            Self::RedirectMismatch(_) => {
                "Add this product's callback URL, letter by letter, to the callback URLs of the app in Salesforce."
            }
            Self::AppUnknown(_) => {
                "Salesforce does not know the app. Check the environment and the client id; a new app takes up to 10 minutes."
            }
            Self::AppSecret(_) => "The app's secret is wrong or was rotated. Tell our support.",
            Self::AppBlocked(_) => {
                "The app is blocked in your org. Let an admin install or unblock it and approve your user for it (Setup > \
                 Connected Apps OAuth Usage)."
            }
            Self::LoginRestricted(_) => {
                "Your user may not log in: it is deactivated, or restricted to other addresses or hours. Let an admin look at \
                 the login history."
            }
            Self::CodeExpired(_) => "The login took too long or was finished twice. Click Connect again.",
            Self::PkceRefused(_) => "This login belongs to another attempt. Close old tabs and click Connect again.",
            Self::Refused(_) => {
                "Salesforce refuses the connection. Check your rights, the org's edition and the environment; try a private \
                 window with pop-ups allowed."
            }
            Self::BadAnswer(_) | Self::ForeignHost(_) => {
                "Salesforce's answer cannot be used. Check the environment and the My Domain, and tell our support."
            }
            Self::Store(_) => "Our storage is out of service. Try again in a few minutes.",
            Self::StoreBroken(_) => "Our storage cannot read what it holds. Tell our support.",
            Self::Unavailable { repeatable: true, .. } => "Salesforce cannot be reached. Reload this page in a minute.",
            Self::Unavailable { .. } => "Salesforce cannot be reached. Click Connect again in a few minutes.",
            Self::Config(_) => "The connection is not set up rightly. Tell our support.",
        }
    }

    /// Whether the same callback may be finished again: nothing of it was used up.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        match self {
            Self::Unavailable { repeatable, .. } => *repeatable,
            Self::Store(error) => matches!(error.retry(), Retry::After(_)) && error.effect() == Effect::None,
            _ => false,
        }
    }

    pub(crate) fn store(error: Error) -> Self {
        if error.retry() == Retry::Never { Self::StoreBroken(error) } else { Self::Store(error) }
    }

    /// An exchange that got no answer.
    pub(super) fn no_answer(error: Error) -> Self {
        // A connection that was never made carried no code.
        let repeatable = error.kind() == ErrorKind::Transport && error.effect() == Effect::None;
        match error.kind() {
            ErrorKind::Decode => Self::BadAnswer(error),
            ErrorKind::Config => Self::Config(error),
            _ => Self::Unavailable { repeatable, source: error },
        }
    }

    /// An exchange that brought no tokens.
    pub(super) fn exchange(failure: TokenFailure, status: StatusCode) -> Self {
        match failure {
            TokenFailure::Refused { cause, error } => Self::refused(cause, error, status),
            TokenFailure::NotATokenAnswer(error) => Self::BadAnswer(error),
            TokenFailure::ForeignHost(error) => Self::ForeignHost(error),
        }
    }

    /// A callback that brings an error instead of a code.
    pub(super) fn callback(refusal: &Refusal) -> Self {
        let cause = refusal.cause(false);
        let error = cause.error("authorize", "the org gives no code", Some(refusal));
        Self::refused(cause, error, StatusCode::FOUND)
    }

    fn refused(cause: Cause, error: Error, status: StatusCode) -> Self {
        match cause {
            Cause::Denied => Self::Denied,
            Cause::CodeExpired => Self::CodeExpired(error),
            Cause::Pkce => Self::PkceRefused(error),
            Cause::RedirectMismatch => Self::RedirectMismatch(error),
            Cause::ScopeNotAllowed => Self::ScopeNotAllowed(error),
            Cause::UnknownApp => Self::AppUnknown(error),
            Cause::BadSecret => Self::AppSecret(error),
            Cause::AppBlocked | Cause::NotAdminApproved => Self::AppBlocked(error),
            Cause::UserInactive | Cause::OrgInactive | Cause::IpRestricted | Cause::LoginHours => {
                Self::LoginRestricted(error)
            }
            // Turned away before it was carried out.
            Cause::Unavailable | Cause::RateLimited => {
                Self::Unavailable { repeatable: matches!(status.as_u16(), 429 | 503), source: error }
            }
            Cause::Unknown => Self::BadAnswer(error),
            _ => Self::Refused(error),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::StateMissing
            | Self::StateMismatch
            | Self::Expired { .. }
            | Self::AlreadyUsed
            | Self::StaleTab
            | Self::Malformed(_) => ErrorKind::Invalid,
            Self::WrongEnvironment { .. } | Self::WrongOrg { .. } => ErrorKind::Conflict,
            Self::ClockSkew { .. }
            | Self::RedirectMismatch(_)
            | Self::AppUnknown(_)
            | Self::AppSecret(_)
            | Self::ScopeNotAllowed(_) => ErrorKind::Config,
            Self::Denied | Self::MissingScope { .. } | Self::AppBlocked(_) => ErrorKind::Forbidden,
            Self::CodeExpired(_) | Self::PkceRefused(_) | Self::ForeignHost(_) => ErrorKind::Auth,
            Self::Unavailable { source, .. } => source.kind(),
            Self::Refused(error)
            | Self::LoginRestricted(error)
            | Self::BadAnswer(error)
            | Self::Store(error)
            | Self::StoreBroken(error)
            | Self::Config(error) => error.kind(),
        }
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        let retry = if error.is_repeatable() { Retry::After(None) } else { Retry::Never };
        let advice = error.advice();
        Self::new(error.kind(), "connect", error.to_string()).with_retry(retry).with_advice(advice).with_source(error)
    }
}
