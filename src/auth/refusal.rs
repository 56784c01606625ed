//! What an OAuth error means. Pure.
//!
//! Source of codes and texts: protocol facts, OAuth error catalogue. Texts vary between releases, so they only refine a code.

use http::StatusCode;
use serde::Deserialize;

use crate::error::{ApiError, Effect, Error, ErrorKind, Retry};

/// Longer than any text of Salesforce's; what comes beyond it is not shown.
const MAX_TEXT: usize = 500;

/// `{"error","error_description"}`, or the same in a redirect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Refusal {
    #[serde(rename = "error")]
    pub(super) code: String,
    #[serde(rename = "error_description", default)]
    pub(super) text: Option<String>,
}

/// What stands behind a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The authorization code was late, or redeemed before.
    CodeExpired,
    /// The code verifier does not fit the challenge.
    Pkce,
    /// The person said no.
    Denied,
    /// The refresh token or session is dead.
    TokenDead,
    /// The user has not approved the app.
    NotApproved,
    /// An admin has not approved the user for the app.
    NotAdminApproved,
    /// The audience of the assertion is not this org's.
    Audience,
    /// The assertion has expired, or ends too far ahead.
    AssertionExpired,
    /// The assertion is not signed with the key of the app's certificate, or was sent before.
    AssertionInvalid,
    UserInactive,
    OrgInactive,
    /// The network address of the caller.
    IpRestricted,
    LoginHours,
    /// The org wants to verify the user at this address first.
    NotVerified,
    /// The flow does not work on this host.
    WrongHost,
    NoRunAsUser,
    FlowDisabled,
    BadSecret,
    UnknownApp,
    AppBlocked,
    RedirectMismatch,
    ScopeNotAllowed,
    RateLimited,
    Unavailable,
    /// Any other refusal of a log-in.
    Other,
    /// An answer that is no OAuth error.
    Unknown,
}

impl Refusal {
    pub(super) fn new(code: impl Into<String>, text: Option<String>) -> Self {
        Self { code: code.into(), text }
    }

    /// Reads the body of an answer.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(body).ok().filter(|refusal| !refusal.code.is_empty())
    }

    /// What stands behind it. `by_assertion` tells the JWT bearer flow, whose texts speak of codes too.
    pub(super) fn cause(&self, by_assertion: bool) -> Cause {
        let text = self.text.as_deref().unwrap_or_default().to_ascii_lowercase();
        let says = |part: &str| text.contains(part);
        match self.code.to_ascii_lowercase().as_str() {
            // Help writes `access-denied` for the web server flow, `access_denied` for the others.
            "access_denied" | "access-denied" => Cause::Denied,
            "invalid_grant" if says("not supported on this domain") => Cause::WrongHost,
            "invalid_grant" if says("no client credentials user") => Cause::NoRunAsUser,
            "invalid_grant" if says("flow not enabled") => Cause::FlowDisabled,
            "invalid_grant" if says("ip restricted") || says("ip not allowed") => Cause::IpRestricted,
            "invalid_grant" if says("login hours") => Cause::LoginHours,
            "invalid_grant" if says("activation secret") => Cause::NotVerified,
            "invalid_grant" if says("inactive user") => Cause::UserInactive,
            "invalid_grant" if says("inactive org") => Cause::OrgInactive,
            "invalid_grant" if says("hasn't approved") || says("has not approved") => Cause::NotApproved,
            "invalid_grant" if says("audience") => Cause::Audience,
            "invalid_grant" if says("invalid assertion") => Cause::AssertionInvalid,
            "invalid_grant" if says("expired authorization code") && by_assertion => Cause::AssertionExpired,
            "invalid_grant" if says("authorization code") => Cause::CodeExpired,
            "invalid_grant" | "invalid_request" if says("code verifier") || says("code challenge") => Cause::Pkce,
            "invalid_grant" if says("access/refresh token") || says("token validity expired") => Cause::TokenDead,
            "invalid_token" => Cause::TokenDead,
            "invalid_app_access" => Cause::NotAdminApproved,
            "oauth_approval_error_generic" if says("admin approved") => Cause::NotAdminApproved,
            "oauth_app_blocked" | "oauth_approval_error_generic" => Cause::AppBlocked,
            "invalid_client" => Cause::BadSecret,
            "invalid_client_id" => Cause::UnknownApp,
            "redirect_uri_mismatch" | "redirect_uri_missing" => Cause::RedirectMismatch,
            "invalid_scope" => Cause::ScopeNotAllowed,
            "unsupported_grant_type" | "unsupported_response_type" => Cause::FlowDisabled,
            "inactive_user" => Cause::UserInactive,
            "inactive_org" => Cause::OrgInactive,
            "rate_limit_exceeded" | "slow_down" => Cause::RateLimited,
            "server_error" | "temporarily_unavailable" => Cause::Unavailable,
            _ => Cause::Other,
        }
    }
}

impl Cause {
    /// What an answer without an OAuth error means.
    pub(super) fn of_status(status: StatusCode) -> Self {
        // 406 and 420 without a body were seen to pass (field guide, edge facts).
        if status.is_server_error() || matches!(status.as_u16(), 406 | 408 | 420 | 429) {
            Self::Unavailable
        } else {
            Self::Unknown
        }
    }

    fn verdict(self) -> (ErrorKind, Retry) {
        match self {
            // Right credentials, wrong place or time: apart from bad ones.
            Self::IpRestricted | Self::LoginHours | Self::NotVerified => (ErrorKind::Forbidden, Retry::Never),
            Self::RateLimited => (ErrorKind::RateLimited, Retry::After(None)),
            Self::Unavailable => (ErrorKind::Unavailable, Retry::After(None)),
            Self::Unknown => (ErrorKind::Unexpected, Retry::Never),
            _ => (ErrorKind::Auth, Retry::Never),
        }
    }

    /// What a person does about it.
    pub(super) fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::CodeExpired => "connect again: a code works once, and for 15 minutes",
            Self::Pkce => "connect again; if it stays, another program uses the same callback address",
            Self::Denied => "the person chose not to allow the app: connect again and choose Allow",
            Self::TokenDead => "the connection has ended: connect the org again",
            Self::NotApproved => {
                "let an admin pre-authorize the user in the app's policies, or let the user approve the app once with the scope \
                 refresh_token"
            }
            Self::NotAdminApproved => {
                "let an admin add the user's profile or a permission set to the app's policies (Admin approved users are \
                 pre-authorized)"
            }
            Self::Audience => {
                "the audience must be https://login.salesforce.com for production and https://test.salesforce.com for sandboxes"
            }
            Self::AssertionExpired => {
                "check this machine's clock: an assertion may end at most 3 minutes ahead of Salesforce's time"
            }
            Self::AssertionInvalid => "upload the certificate of this key to the external client app",
            Self::UserInactive => "the user is deactivated: connect with an active one",
            Self::OrgInactive => "the org is closed or locked",
            Self::IpRestricted => {
                "allow this machine's address: Setup > Network Access, the IP ranges of the user's profile, or Relax IP \
                 restrictions in the app's policies"
            }
            Self::LoginHours => "the user may not log in at this hour: see Login Hours of the user's profile",
            Self::NotVerified => {
                "the org wants to verify the user's identity from this address: add it to the trusted IP ranges (Setup > Network \
                 Access), or let the user log in once from here"
            }
            Self::WrongHost => USE_MY_DOMAIN,
            Self::NoRunAsUser => "set a run-as user in the policies of the external client app",
            Self::FlowDisabled => "enable this OAuth flow in the external client app",
            Self::BadSecret => "check the client secret: it may have been rotated",
            Self::UnknownApp => "check the client id; a new app takes up to 10 minutes until it is known",
            Self::AppBlocked => {
                "let an admin unblock or install the app: Setup > Connected Apps OAuth Usage, or External Client App Manager"
            }
            Self::RedirectMismatch => {
                "add this redirect URI, letter by letter, to the callback URLs of the external client app"
            }
            Self::ScopeNotAllowed => "allow the scope in the external client app",
            Self::Other => "the org refuses the login: check the user, the app's policies and the login address",
            Self::RateLimited | Self::Unavailable | Self::Unknown => return None,
        })
    }

    /// The error of a refused request; `refusal` is what the answer said.
    pub(super) fn error(self, operation: &'static str, message: &'static str, refusal: Option<&Refusal>) -> Error {
        let (kind, retry) = self.verdict();
        let mut error = Error::new(kind, operation, message).with_retry(retry).with_effect(Effect::None);
        if let Some(Refusal { code, text }) = refusal {
            let text: String = text.as_deref().unwrap_or_default().chars().take(MAX_TEXT).collect();
            let code: String = code.chars().take(MAX_TEXT).collect();
            error = error.with_salesforce(vec![ApiError::new(code, text, Vec::new())]);
        }
        match self.advice() {
            Some(advice) => error.with_advice(advice),
            None => error,
        }
    }
}

pub(super) const USE_MY_DOMAIN: &str =
    "the client credentials flow works at the org's My Domain only, such as https://acme.my.salesforce.com";

/// Takes out of a server's words what it repeats of the request: `invalid token: <token>` was seen.
pub(super) fn without_secrets(mut refusal: Refusal, sent: &[&str]) -> Refusal {
    // Long ones first, so that no rest of one remains where a shorter one is part of it.
    let mut sent: Vec<&str> = sent.iter().copied().filter(|secret| !secret.is_empty()).collect();
    sent.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in sent {
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for form in [secret, encoded.as_str()] {
            refusal.text = refusal.text.map(|text| text.replace(form, "***"));
            refusal.code = refusal.code.replace(form, "***");
        }
    }
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str, text: &str) -> Refusal {
        Refusal::new(code, Some(text.to_owned()))
    }

    #[test]
    fn gpt_15_each_documented_refusal_has_its_cause_and_advice() {
        for (code, text, cause, advice) in [
            ("invalid_grant", "expired authorization code", Cause::CodeExpired, "connect again"),
            ("invalid_grant", "invalid authorization code", Cause::CodeExpired, "connect again"),
            ("invalid_grant", "expired access/refresh token", Cause::TokenDead, "connect the org again"),
            ("invalid_grant", "token validity expired", Cause::TokenDead, "connect the org again"),
            ("invalid_grant", "request not supported on this domain", Cause::WrongHost, "My Domain"),
            ("invalid_grant", "no client credentials user enabled", Cause::NoRunAsUser, "run-as user"),
            ("invalid_grant", "client credentials flow not enabled", Cause::FlowDisabled, "enable this OAuth flow"),
            ("invalid_grant", "inactive user", Cause::UserInactive, "deactivated"),
            ("invalid_grant", "inactive organization", Cause::OrgInactive, "closed or locked"),
            ("invalid_grant", "user hasn't approved this consumer", Cause::NotApproved, "pre-authorize"),
            ("invalid_grant", "Audience validation failed", Cause::Audience, "audience"),
            ("invalid_grant", "invalid assertion", Cause::AssertionInvalid, "certificate"),
            ("invalid_grant", "missing required code verifier", Cause::Pkce, "connect again"),
            ("invalid_request", "invalid code verifier", Cause::Pkce, "connect again"),
            ("invalid_request", "missing required code challenge", Cause::Pkce, "connect again"),
            ("invalid_grant", "authentication failure", Cause::Other, "check the user"),
            ("invalid_client", "invalid client credentials", Cause::BadSecret, "client secret"),
            ("invalid_client_id", "client identifier invalid", Cause::UnknownApp, "client id"),
            (
                "redirect_uri_mismatch",
                "redirect_uri must match configuration",
                Cause::RedirectMismatch,
                "callback URLs",
            ),
            ("unsupported_grant_type", "grant type not supported", Cause::FlowDisabled, "enable this OAuth flow"),
            ("invalid_scope", "the requested scope is not allowed", Cause::ScopeNotAllowed, "allow the scope"),
            ("invalid_app_access", "user is not admin approved to access this app", Cause::NotAdminApproved, "admin"),
            ("OAUTH_APP_BLOCKED", "this app is blocked by admin", Cause::AppBlocked, "unblock"),
            ("OAUTH_APPROVAL_ERROR_GENERIC", "app must be installed into org", Cause::AppBlocked, "install"),
            ("access_denied", "end-user denied authorization", Cause::Denied, "choose Allow"),
            ("access-denied", "end-user denied authorization", Cause::Denied, "choose Allow"),
            ("invalid_token", "invalid token", Cause::TokenDead, "connect the org again"),
        ] {
            let refusal = refusal(code, text);
            assert_eq!(refusal.cause(false), cause, "{code} {text}");
            let error = cause.error("token", "", Some(&refusal));
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never), "{text}");
            assert!(error.advice().is_some_and(|said| said.contains(advice)), "{error}");
            assert!(error.has_code(code));
        }
        assert_eq!(refusal("invalid_grant", "expired authorization code").cause(true), Cause::AssertionExpired);
    }

    #[test]
    fn gpt_16_a_refused_address_or_hour_is_told_apart_from_bad_credentials() {
        for (text, cause, advice) in [
            ("ip restricted", Cause::IpRestricted, "IP ranges"),
            ("invalid login hours", Cause::LoginHours, "Login Hours"),
            ("activation secret invalid", Cause::NotVerified, "trusted IP"),
        ] {
            let refusal = refusal("invalid_grant", text);
            assert_eq!(refusal.cause(false), cause);
            let error = cause.error("token", "", Some(&refusal));
            assert_eq!(error.kind(), ErrorKind::Forbidden);
            assert!(error.advice().is_some_and(|said| said.contains(advice)), "{error}");
        }
    }

    #[test]
    fn what_may_pass_is_worth_repeating() {
        for (cause, kind) in [
            (refusal("server_error", "").cause(false), ErrorKind::Unavailable),
            (refusal("rate_limit_exceeded", "").cause(false), ErrorKind::RateLimited),
            (Cause::of_status(StatusCode::SERVICE_UNAVAILABLE), ErrorKind::Unavailable),
            (Cause::of_status(StatusCode::TOO_MANY_REQUESTS), ErrorKind::Unavailable),
        ] {
            let error = cause.error("token", "", None);
            assert_eq!((error.kind(), error.retry()), (kind, Retry::After(None)));
        }
        assert_eq!(Cause::of_status(StatusCode::FOUND), Cause::Unknown);
    }

    #[test]
    fn what_a_server_repeats_of_the_request_is_not_shown() {
        let said = refusal("invalid_token", "invalid token: 00D!a b==, 00D%21a+b%3D%3D, 00D");
        let said = without_secrets(said, &["00D", "00D!a b==", ""]);
        assert_eq!(said.text.as_deref(), Some("invalid token: ***, ***, ***"));
    }
}
