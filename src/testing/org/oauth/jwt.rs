//! JWT bearer assertions (Help, "OAuth 2.0 JWT Bearer Flow"; wire facts 1.4).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Validation, dangerous, decode};
use serde_json::{Map, Value};

use super::Auth;
use super::answer::{Form, Granted, Refusal};
use super::app::App;
use super::scope::Scopes;
use super::token::At;

/// How far ahead `exp` may be, in seconds [S]; some clients get away with 300.
const FARTHEST: i64 = 180;

type Claims = Map<String, Value>;

/// `jti` of assertions that were taken, and when they end.
#[derive(Debug, Default)]
pub(crate) struct Seen(HashMap<(String, String), i64>);

impl Seen {
    /// [K] A repeated `jti` is refused.
    fn first(&mut self, client_id: &str, claims: &Claims, expires: i64, now: i64) -> bool {
        self.0.retain(|_, end| *end > now);
        match claims.get("jti").and_then(Value::as_str) {
            Some(jti) => self.0.insert((client_id.to_owned(), jti.to_owned()), expires).is_none(),
            None => true,
        }
    }
}

fn text<'a>(claims: &'a Claims, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl Auth {
    pub(super) fn jwt_bearer(&mut self, form: &Form, at: &At<'_>) -> Result<Granted, Refusal> {
        // [K] The text.
        let invalid = || Refusal::grant("invalid assertion");
        if form.get("scope").is_some() {
            return Err(Refusal::request("scope parameter not supported"));
        }
        let assertion = form.get("assertion").ok_or_else(invalid)?;
        let claims: Claims = dangerous::insecure_decode_claims(assertion).map_err(|_| invalid())?;
        let app = self.app(text(&claims, "iss")).cloned().ok_or_else(Refusal::client_id)?;
        let claims = verified(&app, assertion).ok_or_else(invalid)?;
        if !self.is_audience(claims.get("aud")) {
            return Err(Refusal::grant("Audience validation failed"));
        }
        let expires = expiry(&claims, at.now).ok_or_else(|| Refusal::grant("expired authorization code"))?;
        if !self.assertions.first(&app.client_id, &claims, expires, at.now.timestamp()) {
            return Err(invalid());
        }
        let user = self.user_named(text(&claims, "sub")).map(|user| user.user_id.clone());
        // [K] That a name nobody has gets this text.
        let user = user.ok_or_else(unapproved)?;
        self.may_log_in(&user, at)?;
        let scopes = self.approved_scopes(&app, &user)?;
        let access_token = self.open(&app, &user, scopes.clone(), None, at.now);
        Ok(Granted { app, user, access_token, refresh_token: None, scopes: Some(scopes), signed: false })
    }

    /// An admin's approval gives the app's scopes, the user's own approvals those that were approved along with a refresh
    /// token [S, quoting the help page].
    fn approved_scopes(&self, app: &App, user: &str) -> Result<Scopes, Refusal> {
        let scopes = match app.spec.admin_approved(user) {
            Some(true) => app.spec.scopes.clone(),
            Some(false) => {
                let text = "user is not admin approved to access this app";
                return Err(Refusal::new("invalid_app_access", text));
            }
            None => {
                let lasting =
                    self.tokens.approvals_of(user, &app.client_id).filter(|one| one.scopes.ask_refresh_token());
                lasting.fold(Scopes::default(), |sum, one| sum.union(&one.scopes))
            }
        };
        let scopes = scopes.without(&["refresh_token", "offline_access"]);
        if scopes.is_empty() { Err(unapproved()) } else { Ok(scopes) }
    }

    /// The login host of the org's environment [S], or the org's own hosts [K]; one of them in an array as well [K].
    fn is_audience(&self, audience: Option<&Value>) -> bool {
        let environment = if self.sandbox { "https://test.salesforce.com" } else { "https://login.salesforce.com" };
        let login = self.hosts.login_url.as_deref();
        let known = |text: &str| {
            text == environment || text == self.base_url || text == self.instance_url || Some(text) == login
        };
        match audience {
            Some(Value::String(text)) => known(text),
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).any(known),
            _ => false,
        }
    }
}

fn unapproved() -> Refusal {
    Refusal::grant("user hasn't approved this consumer")
}

/// The claims, if the app's certificate signed them.
fn verified(app: &App, assertion: &str) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::RS256);
    // The org has a clock and refusals of its own for these.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    Some(decode(assertion, app.spec.key()?, &validation).ok()?.claims)
}

/// `exp` in seconds; one in milliseconds is too far ahead.
fn expiry(claims: &Claims, now: DateTime<Utc>) -> Option<i64> {
    let exp = claims.get("exp")?;
    let exp = exp.as_i64().or_else(|| exp.as_str()?.parse().ok())?;
    let left = exp.checked_sub(now.timestamp())?;
    (1..=FARTHEST).contains(&left).then_some(exp)
}
