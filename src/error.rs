//! The one error type: what failed, whether to try again, whether the org may have been changed.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting of ours is wrong: host, credential form, missing value.
    Config,
    /// Salesforce does not accept the credentials or the session.
    Auth,
    /// The connection has ended, and only a person can connect the org again; [`Error::reauth_reason`] says why. Work on this
    /// connection stops.
    ReauthRequired,
    /// The user or the org may not do this: API access, object or field permission.
    Forbidden,
    /// The record or resource does not exist, or is hidden from the user.
    NotFound,
    /// The data or the call is refused: by our own checks before sending, or by Salesforce's.
    Invalid,
    /// Objects or fields that the org does not have, hides from the user (both look alike), or has in another shape.
    Schema,
    /// The record changed meanwhile, or a precondition does not hold.
    Conflict,
    /// A duplicate rule, a unique field or an ambiguous key.
    Duplicate,
    /// Another transaction holds the row or its parent.
    RowLocked,
    /// Too many requests at once; the daily allowance is not the reason.
    RateLimited,
    /// An allowance is used up: API calls of 24 hours, storage, jobs.
    LimitExceeded,
    /// Salesforce or the way there is out of service for now.
    Unavailable,
    /// The connection failed, was cut off or timed out.
    Transport,
    /// An answer that is not what the protocol says.
    Decode,
    /// Our own storage failed.
    Store,
    /// None of the above; look at the message and the Salesforce codes.
    Unexpected,
}

impl ErrorKind {
    fn words(self) -> &'static str {
        match self {
            Self::Config => "wrong configuration",
            Self::Auth => "not authenticated",
            Self::ReauthRequired => "the org has to be connected again",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::Invalid => "invalid",
            Self::Schema => "schema does not fit",
            Self::Conflict => "conflict",
            Self::Duplicate => "duplicate",
            Self::RowLocked => "row locked",
            Self::RateLimited => "too many requests",
            Self::LimitExceeded => "limit exceeded",
            Self::Unavailable => "unavailable",
            Self::Transport => "connection failed",
            Self::Decode => "unreadable answer",
            Self::Store => "storage failed",
            Self::Unexpected => "unexpected answer",
        }
    }
}

/// Why an org has to be connected again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReauthReason {
    /// Nothing is stored: the org was not connected yet.
    NotConnected,
    /// Salesforce no longer takes the refresh token: somebody revoked it, or it has outlived the app's policy.
    Refused,
    /// A renewal was cut off after Salesforce may have rotated the refresh token and before the new one was stored, and the
    /// old one no longer works.
    Interrupted,
    /// It was disconnected on our side.
    Disconnected,
}

impl ReauthReason {
    /// The reason in a sentence for the person who connects.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NotConnected => "The org was not connected yet.",
            Self::Refused => {
                "Salesforce has ended the connection: somebody revoked it, or it has outlived the app's policy."
            }
            Self::Interrupted => "A renewal was cut off in the middle, and Salesforce has ended the connection.",
            Self::Disconnected => "The org was disconnected.",
        }
    }
}

/// What the caller may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// The same request cannot succeed.
    Never,
    /// Back off and send again, not sooner than the given time.
    After(Option<Duration>),
    /// Get a new access token and send again, once.
    Reauthenticate,
    /// We tried; outer loops must not multiply retries.
    Exhausted {
        /// Requests sent in all.
        attempts: u32,
    },
}

/// Whether the org may have been changed by what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Nothing was applied.
    None,
    /// The org may have applied it; repeat only what is idempotent.
    Unknown,
}

/// Whether two codes are one but for case and underscores.
pub(crate) fn same_code(left: &str, right: &str) -> bool {
    let letters = |code: &str| {
        code.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_uppercase()).collect::<Vec<_>>()
    };
    left.eq_ignore_ascii_case(right) || letters(left) == letters(right)
}

/// One error as Salesforce worded it, from a whole request or one record of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
#[non_exhaustive]
pub struct ApiError {
    /// Salesforce's code, such as `REQUIRED_FIELD_MISSING`. Kept as text, since every release adds some.
    pub code: String,
    /// Salesforce's words; they may quote field values.
    pub message: String,
    /// API names of the fields concerned; often empty.
    pub fields: Vec<String>,
}

impl ApiError {
    /// Makes an error of a code, a message and the fields concerned.
    pub fn new(code: impl Into<String>, message: impl Into<String>, fields: Vec<String>) -> Self {
        Self { code: code.into(), message: message.into(), fields }
    }
}

/// What failed.
///
/// `Display` is one line and never holds a token, a body or a field value; [`source`](std::error::Error::source) has the
/// cause below, [`salesforce`](Self::salesforce) the org's own words, [`advice`](Self::advice) what a person can do. A clone
/// is for the others who waited for the same thing.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    retry: Retry,
    effect: Effect,
    operation: &'static str,
    message: Cow<'static, str>,
    advice: Option<Cow<'static, str>>,
    status: Option<u16>,
    context: Vec<(&'static str, String)>,
    salesforce: Vec<ApiError>,
    reauth: Option<ReauthReason>,
    splittable: bool,
    data: Option<Arc<dyn Any + Send + Sync>>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error that is not worth repeating and changed nothing; the `with_` methods say more.
    ///
    /// `operation` names the call as `api.verb`, such as `collections.upsert`; it may stay empty.
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            retry: Retry::Never,
            effect: Effect::None,
            operation,
            message: message.into(),
            advice: None,
            status: None,
            context: Vec::new(),
            salesforce: Vec::new(),
            reauth: None,
            splittable: false,
            data: None,
            source: None,
        }))
    }

    /// What a caller decides on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the caller may do next.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether the org may have been changed.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// The call that failed, such as `collections.upsert`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// What went wrong, in our words; empty when the Salesforce codes say it all.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What a person can do about it.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }

    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The errors as Salesforce worded them.
    #[must_use]
    pub fn salesforce(&self) -> &[ApiError] {
        &self.0.salesforce
    }

    /// Whether Salesforce named this code, in any spelling: the Bulk API writes `INVALIDJOBSTATE` for `INVALID_JOB_STATE`.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.0.salesforce.iter().any(|error| same_code(&error.code, code))
    }

    /// Why the org has to be connected again, if this is of kind [`ErrorKind::ReauthRequired`].
    #[must_use]
    pub fn reauth_reason(&self) -> Option<ReauthReason> {
        self.0.reauth
    }

    /// Whether the same records may pass in smaller calls: the call was too large, or what the org does about its records (a
    /// trigger, a flow) used up a governor limit that holds for all of them together.
    ///
    /// A record that fails so alone is refused for good, and its org's automation has to be mended.
    #[must_use]
    pub fn is_splittable(&self) -> bool {
        self.0.splittable
    }

    /// Sets what the caller may do next.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Sets whether the org may have been changed.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.0.effect = effect;
        self
    }

    /// Sets what a person can do about it.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<Cow<'static, str>>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// Sets the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds a fact about the call. Values never hold tokens, bodies or field values.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Adds the errors as Salesforce worded them.
    #[must_use]
    pub fn with_salesforce(mut self, errors: Vec<ApiError>) -> Self {
        self.0.salesforce = errors;
        self
    }

    /// Sets why the org has to be connected again.
    #[must_use]
    pub fn with_reauth_reason(mut self, reason: ReauthReason) -> Self {
        self.0.reauth = Some(reason);
        self
    }

    /// Sets whether the same records may pass in smaller calls.
    #[must_use]
    pub fn with_splittable(mut self, splittable: bool) -> Self {
        self.0.splittable = splittable;
        self
    }

    /// Keeps what the layer above reads out of the answer for an accessor of its own. Never shown.
    #[must_use]
    pub(crate) fn with_data(mut self, data: impl Any + Send + Sync) -> Self {
        self.0.data = Some(Arc::new(data));
        self
    }

    /// What [`with_data`](Self::with_data) kept, if it is of this type.
    #[must_use]
    pub(crate) fn data<T: Any>(&self) -> Option<&T> {
        self.0.data.as_deref()?.downcast_ref()
    }

    /// Sets the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// The error of an answer that ended too soon. Whether the request had an effect is for the caller to say.
    pub(crate) fn cut_off() -> Self {
        Self::new(ErrorKind::Transport, "", "the answer was cut off").with_retry(Retry::After(None))
    }

    /// Names the call, where the layer below could not.
    #[must_use]
    pub(crate) fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = operation;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if !inner.operation.is_empty() {
            write!(f, "{}: ", inner.operation)?;
        }
        f.write_str(inner.kind.words())?;
        if !inner.message.is_empty() {
            write!(f, ": {}", inner.message)?;
        }
        let codes = inner.salesforce.iter().map(|error| ("code", error.code.as_str()));
        let facts = inner.context.iter().map(|(key, value)| (*key, value.as_str()));
        let status = inner.status.map(|status| status.to_string());
        let status = status.iter().map(|status| ("status", status.as_str()));
        for (index, (key, value)) in codes.chain(status).chain(facts).enumerate() {
            // Names and codes may come from elsewhere, and one error is one line of a log.
            let value = value.replace(char::is_control, " ");
            write!(f, "{}{key} {value}", if index == 0 { " (" } else { ", " })?;
        }
        if !(inner.salesforce.is_empty() && inner.context.is_empty() && inner.status.is_none()) {
            f.write_str(")")?;
        }
        if let Some(advice) = &inner.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("retry", &self.0.retry)
            .field("effect", &self.0.effect)
            .field("operation", &self.0.operation)
            .field("message", &self.0.message)
            .field("status", &self.0.status)
            .field("context", &self.0.context)
            .field("salesforce", &self.0.salesforce)
            .field("reauth", &self.0.reauth)
            .field("splittable", &self.0.splittable)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn display_is_one_line_with_operation_kind_code_and_context() {
        let error = Error::new(ErrorKind::Unavailable, "collections.upsert", "")
            .with_status(503)
            .with_salesforce(vec![ApiError::new("SERVER_UNAVAILABLE", "a secret\nvalue", vec![])])
            .with_context("object", "Account")
            .with_context("records", 200)
            .with_advice("try again later");
        assert_eq!(
            error.to_string(),
            "collections.upsert: unavailable (code SERVER_UNAVAILABLE, status 503, object Account, records 200); \
             try again later"
        );
        let forged = Error::new(ErrorKind::Invalid, "deploy", "")
            .with_salesforce(vec![ApiError::new("A\nB", "", vec![])])
            .with_context("component", "X\r\n2026-01-01 all is well\u{1b}[2J");
        assert!(!forged.to_string().contains(char::is_control), "{forged}");
    }

    #[test]
    fn the_cause_is_walked_by_reporters_and_not_repeated_in_display() {
        let error = Error::new(ErrorKind::Transport, "query", "").with_source(std::io::Error::other("broken pipe"));
        assert_eq!(error.to_string(), "query: connection failed");
        let source = std::error::Error::source(&error).expect("has a source");
        assert_eq!(source.to_string(), "broken pipe");
    }
}
