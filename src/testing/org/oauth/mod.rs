//! OAuth: apps, users, tokens, and the endpoints under `/services/oauth2`.
//!
//! `authorize` and `consent` are what a browser sees, `token` what an app's server asks for, by `code` or `jwt` among
//! others; `tokens` keeps what was handed out, `introspect` and `revoke` look it up and end it.

mod answer;
mod app;
mod authorize;
mod code;
mod consent;
mod introspect;
mod jwt;
mod knobs;
mod pages;
mod revoke;
mod scope;
mod token;
mod tokens;

use chrono::{DateTime, TimeDelta, Utc};

use super::wire::Request;

pub(crate) use answer::Refusal;
pub(crate) use app::App;
pub use app::{AppSpec, TestApp};
pub use knobs::{Approval, LoginRestriction};
pub(crate) use scope::Scopes;
pub(crate) use token::{At, GRANTS};
pub(crate) use tokens::Session;

use code::Codes;
use consent::Consents;
use tokens::{Origin, Tokens};

/// A user who can log in.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) user_id: String,
}

impl Login {
    pub(crate) fn new(username: &str, user_id: &str) -> Self {
        let password = format!("{}{}", random(12), random(24));
        Self { username: username.to_owned(), password, user_id: user_id.to_owned() }
    }
}

/// The ports the org listens on, each a host of its own.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    /// The one that serves data.
    pub(crate) instance: u16,
    /// The one that serves logins for all orgs.
    pub(crate) login: Option<u16>,
    pub(crate) login_url: Option<String>,
}

/// Who may come in, by which app, and with what.
#[derive(Debug)]
pub(crate) struct Auth {
    pub(crate) org_id: String,
    /// The main user, as whom the main app's client-credentials flow runs.
    pub(crate) user_id: String,
    /// The My Domain, for logins.
    pub(crate) base_url: String,
    /// Where the data is; the same until the org moves.
    pub(crate) instance_url: String,
    pub(crate) hosts: Hosts,
    pub(crate) sandbox: bool,
    pub(crate) org_active: bool,
    pub(crate) restriction: Option<LoginRestriction>,
    /// Users are asked, on pages for a browser.
    pub(crate) consent: bool,
    /// Idle time after which an access token dies.
    pub(crate) session_timeout: TimeDelta,
    /// Scopes that are approved and then not granted.
    pub(crate) withheld: Scopes,
    pub(crate) main_app: App,
    /// Apps beside the main one.
    pub(crate) apps: Vec<App>,
    pub(crate) main_user: Login,
    /// Users beside the main one.
    pub(crate) users: Vec<Login>,
    pub(crate) tokens: Tokens,
    pub(crate) codes: Codes,
    pub(crate) consents: Consents,
    pub(crate) assertions: jwt::Seen,
}

impl Auth {
    pub(crate) fn new(base_url: &str, port: u16, org_id: &str, user: Login) -> Self {
        // Flows that new apps lack are on, so that every one can be tried.
        let app = AppSpec::new("Mock App")
            .any_loopback()
            .scopes("api refresh_token id openid web full")
            .without_pkce()
            .refresh_without_secret()
            .password_flow()
            .run_as(&user.user_id);
        Self {
            org_id: org_id.to_owned(),
            user_id: user.user_id.clone(),
            base_url: base_url.to_owned(),
            instance_url: base_url.to_owned(),
            hosts: Hosts { instance: port, ..Hosts::default() },
            sandbox: false,
            org_active: true,
            restriction: None,
            consent: false,
            session_timeout: TimeDelta::hours(2),
            withheld: Scopes::default(),
            main_app: App::new(app),
            apps: Vec::new(),
            main_user: user,
            users: Vec::new(),
            tokens: Tokens::default(),
            codes: Codes::default(),
            consents: Consents::default(),
            assertions: jwt::Seen::default(),
        }
    }

    pub(crate) fn app(&self, client_id: &str) -> Option<&App> {
        std::iter::once(&self.main_app).chain(&self.apps).find(|app| app.client_id == client_id)
    }

    pub(crate) fn app_mut(&mut self, client_id: &str) -> Option<&mut App> {
        std::iter::once(&mut self.main_app).chain(&mut self.apps).find(|app| app.client_id == client_id)
    }

    pub(crate) fn all_users(&self) -> impl Iterator<Item = &Login> {
        std::iter::once(&self.main_user).chain(&self.users)
    }

    pub(crate) fn user(&self, user_id: &str) -> Option<&Login> {
        self.all_users().find(|user| user.user_id == user_id)
    }

    /// Usernames are told apart without regard to case.
    pub(crate) fn user_named(&self, username: &str) -> Option<&Login> {
        self.all_users().find(|user| user.username.eq_ignore_ascii_case(username))
    }

    pub(crate) fn user_with(&self, username: &str, password: &str) -> Option<&Login> {
        self.user_named(username).filter(|user| user.password == password)
    }

    /// An access token for an app.
    fn open(&mut self, app: &App, user: &str, scopes: Scopes, approval: Option<u64>, now: DateTime<Utc>) -> String {
        let timeout = app.spec.session_timeout.unwrap_or(self.session_timeout);
        let session = Session {
            user: user.to_owned(),
            client_id: Some(app.client_id.clone()),
            scopes,
            approval,
            origin: Origin::OAuth,
            jwt: app.spec.jwt_tokens,
            issued: now,
            last_used: now,
            timeout,
        };
        self.tokens.open(&self.org_id, session)
    }

    /// A live access token of a user, issued to the main app without a refresh token.
    pub(crate) fn open_session_of(&mut self, user: &str, now: DateTime<Utc>) -> String {
        let app = self.main_app.clone();
        self.open(&app, user, Scopes::parse("full"), None, now)
    }

    /// A live refresh token of a new approval.
    pub(crate) fn approve(&mut self, client_id: &str, user: &str, scopes: &str, now: DateTime<Utc>) -> String {
        let approval = self.tokens.approve(user, client_id, Scopes::parse(scopes), now);
        self.tokens.refresh_token(approval, client_id)
    }

    /// The access token a request carries, if that lives. Use keeps it alive.
    pub(crate) fn caller(&mut self, request: &Request, now: DateTime<Utc>) -> Option<&Session> {
        self.tokens.used(answer::bearer(request)?, now)
    }

    /// The user of a token for SOAP, if that lives. Use keeps it alive.
    pub(crate) fn user_of_token(&mut self, token: &str, now: DateTime<Utc>) -> Option<String> {
        // Help, "JWT-based access tokens": for REST only, so to SOAP they are no sessions (wire facts 1.2).
        let session = self.tokens.used(token, now).filter(|session| !session.jwt && session.scopes.allow_api());
        session.map(|session| session.user.clone())
    }

    /// Kills the token the request carries.
    pub(crate) fn expire_of(&mut self, request: &Request) {
        if let Some(token) = answer::bearer(request) {
            self.tokens.close(token);
        }
    }

    /// The identity URL; on the org's own host, so that it can be followed.
    pub(crate) fn identity_url(&self, user: &str) -> String {
        format!("{}/id/{}/{user}", self.base_url, self.org_id)
    }

    /// SOAP `login()`: the user who knows the password, and a session.
    pub(crate) fn soap_login(
        &mut self,
        username: &str,
        password: &str,
        now: DateTime<Utc>,
    ) -> Option<(String, String)> {
        let user = self.user_with(username, password)?.user_id.clone();
        let session = Session {
            user: user.clone(),
            client_id: None,
            scopes: Scopes::parse("full"),
            approval: None,
            origin: Origin::Soap,
            jwt: false,
            issued: now,
            last_used: now,
            timeout: self.session_timeout,
        };
        let session = self.tokens.open(&self.org_id, session);
        Some((user, session))
    }
}

/// Whether a request names a scheme that data requests know.
pub(crate) fn has_known_scheme(request: &Request) -> bool {
    answer::bearer(request).is_some()
}

/// Letters and digits that nobody guesses.
pub(crate) fn random(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}
