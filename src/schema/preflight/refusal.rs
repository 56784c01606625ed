//! Errors that are findings: the org lets the user do nothing at all. Pure.

use super::permission;
use crate::error::{Error, ErrorKind, same_code};
use crate::schema::Finding;

/// What an error says of the org, the app or the user, as a finding; `None` for an error that says nothing of them, such as an
/// outage.
///
/// The codes that it tells apart: `api_disabled` (the edition), `permission` (API Enabled), `app_not_allowed`, `ip_restricted`,
/// `login_hours`, `token_revoked`, `login_refused` and `calls_used_up`.
#[must_use]
pub fn refusal(error: &Error) -> Option<Finding> {
    const LOGINS: &str =
        "look for the refused login: Setup > Login History of the user, and Setup > View Setup Audit Trail";
    let kind = error.kind();
    // Texts of OAuth errors: protocol facts, OAuth error catalogue.
    let says = |part: &str| error.salesforce().iter().any(|detail| detail.message.to_ascii_lowercase().contains(part));
    let has =
        |codes: &[&str]| codes.iter().any(|code| error.salesforce().iter().any(|detail| same_code(&detail.code, code)));
    let find = |code, kind, subject: &str, problem: &str, remedy: &str| {
        Some(Finding::new(code, kind, subject, problem, remedy))
    };
    let advised = || error.advice().map_or_else(|| LOGINS.to_owned(), |advice| format!("{advice}; {LOGINS}"));
    if has(&["API_DISABLED_FOR_ORG"]) {
        let remedy = "the edition has no API: see it in Setup > Company Information; Professional Edition needs API access as an \
                      add-on, Enterprise, Unlimited, Performance and Developer Edition have it";
        return find("api_disabled", ErrorKind::Forbidden, "the org's API", "is not enabled for this edition", remedy);
    }
    if has(&["API_CURRENTLY_DISABLED"]) {
        let remedy = permission::path(&["ApiEnabled".to_owned()]);
        return find("permission", ErrorKind::Forbidden, "ApiEnabled", "is missing", &remedy);
    }
    if has(&["LOGIN_DURING_RESTRICTED_DOMAIN"]) || says("ip restricted") || says("ip not allowed") {
        let remedy = "allow this machine's address: Setup > Network Access > New, or Setup > Profiles > (the user's) > Login IP \
                      Ranges, or Relax IP restrictions in the app's policies (Setup > External Client App Manager > (the app) > \
                      Policies > IP Relaxation)";
        return find("ip_restricted", ErrorKind::Forbidden, "this machine's address", "is refused by the org", remedy);
    }
    if has(&["LOGIN_DURING_RESTRICTED_TIME"]) || says("login hours") {
        let remedy = "Setup > Profiles > (the user's) > Login Hours > Edit";
        return find("login_hours", ErrorKind::Forbidden, "the user", "may not log in at this hour", remedy);
    }
    let blocked = [
        "CLIENT_NOT_ACCESSIBLE_FOR_USER",
        "OAUTH_APP_BLOCKED",
        "OAUTH_APP_ACCESS_DENIED",
        "INVALID_APP_ACCESS",
        "OAUTH_APPROVAL_ERROR_GENERIC",
    ];
    if has(&blocked) || says("hasn't approved") || says("not admin approved") {
        let remedy = "let an admin allow the app: Setup > Connected Apps OAuth Usage > (the app) > Install or Unblock, then its \
                      policies > Permitted Users, with a permission set or profile of the user";
        return find(
            "app_not_allowed",
            ErrorKind::Forbidden,
            "the connected app",
            "is not allowed for this user",
            remedy,
        );
    }
    if kind == ErrorKind::LimitExceeded && has(&["REQUEST_LIMIT_EXCEEDED"]) {
        let remedy = "wait until calls of the last 24 hours come back, or find who makes them: Setup > Company Information > API \
                      Requests, Last 24 Hours";
        return find("calls_used_up", kind, "the org's API calls", "of 24 hours are used up", remedy);
    }
    if kind == ErrorKind::ReauthRequired || has(&["INVALID_SESSION_ID"]) || says("access/refresh token") {
        let why = error.reauth_reason().map_or("is no longer accepted by Salesforce", |_| "has ended");
        let remedy = "connect the org again; who revoked it stands in Setup > Connected Apps OAuth Usage and Setup > View Setup \
                      Audit Trail";
        return find("token_revoked", ErrorKind::ReauthRequired, "the connection", why, remedy);
    }
    match kind {
        ErrorKind::Auth => find("login_refused", kind, "the login", "is refused by the org", &advised()),
        ErrorKind::Forbidden => find("access_refused", kind, "the user", "is refused by the org", &advised()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiError;

    fn told(kind: ErrorKind, code: &str, text: &str) -> Option<(&'static str, String)> {
        let error = Error::new(kind, "x", "").with_salesforce(vec![ApiError::new(code, text, Vec::new())]);
        refusal(&error).map(|finding| (finding.code, finding.remedy))
    }

    #[test]
    fn smv_45_each_refusal_has_its_finding_and_click_path() {
        use ErrorKind::{Auth, Forbidden, LimitExceeded, ReauthRequired};
        for (kind, code, text, expected, path) in [
            (Forbidden, "API_DISABLED_FOR_ORG", "", "api_disabled", "Setup > Company Information"),
            (Forbidden, "API_CURRENTLY_DISABLED", "", "permission", "System Permissions > API Enabled"),
            (Forbidden, "LOGIN_DURING_RESTRICTED_DOMAIN", "", "ip_restricted", "Setup > Network Access"),
            (Forbidden, "invalid_grant", "ip restricted", "ip_restricted", "Login IP Ranges"),
            (Forbidden, "invalid_grant", "invalid login hours", "login_hours", "Login Hours"),
            (Auth, "OAUTH_APP_BLOCKED", "", "app_not_allowed", "Setup > Connected Apps OAuth Usage"),
            (Auth, "invalid_grant", "user hasn't approved this consumer", "app_not_allowed", "Permitted Users"),
            (Auth, "invalid_grant", "expired access/refresh token", "token_revoked", "connect the org again"),
            (ReauthRequired, "invalid_grant", "", "token_revoked", "connect the org again"),
            (Auth, "INVALID_SESSION_ID", "", "token_revoked", "connect the org again"),
            (LimitExceeded, "REQUEST_LIMIT_EXCEEDED", "", "calls_used_up", "API Requests, Last 24 Hours"),
            (Auth, "invalid_client", "", "login_refused", "Setup > View Setup Audit Trail"),
        ] {
            let (found, remedy) = told(kind, code, text).unwrap_or_else(|| panic!("{code} {text}"));
            assert_eq!(found, expected, "{code} {text}");
            assert!(remedy.contains(path), "{code}: {remedy}");
        }
    }

    #[test]
    fn an_outage_says_nothing_of_the_org() {
        for kind in [ErrorKind::Unavailable, ErrorKind::Transport, ErrorKind::Decode, ErrorKind::Unexpected] {
            assert_eq!(told(kind, "X", ""), None);
        }
        assert_eq!(told(ErrorKind::LimitExceeded, "STORAGE_LIMIT_EXCEEDED", ""), None);
    }
}
