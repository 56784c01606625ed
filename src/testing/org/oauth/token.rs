//! `POST /services/oauth2/token`.

use chrono::{DateTime, Utc};

use super::answer::{Form, Format, Granted, Refusal, basic};
use super::app::App;
use super::scope::Scopes;
use super::{Auth, LoginRestriction};
use crate::testing::org::wire::{Answer, Request};

pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The grants served here. The device flow is on its way out (wire facts 1.6) and is not.
pub(crate) const GRANTS: [&str; 5] =
    ["authorization_code", "refresh_token", "client_credentials", "password", JWT_BEARER];

/// The circumstances of a request.
pub(crate) struct At<'a> {
    pub(crate) now: DateTime<Utc>,
    /// Whether a user may log in.
    pub(crate) active: &'a dyn Fn(&str) -> bool,
    /// It came to the host that serves all orgs, as `login.salesforce.com` does.
    pub(crate) login_host: bool,
}

/// What a request says of the app's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secret {
    Right,
    Wrong,
    Missing,
}

impl Auth {
    pub(crate) fn token(&mut self, request: &Request, at: &At<'_>) -> Answer {
        let form = Form::posted(request);
        match self.grant(request, &form, at) {
            Ok(granted) => {
                let format = Format::of(request, &form);
                granted.answer(format, &self.identity_url(&granted.user), &self.instance_url, at.now)
            }
            Err(refusal) => refusal.answer(),
        }
    }

    fn grant(&mut self, request: &Request, form: &Form, at: &At<'_>) -> Result<Granted, Refusal> {
        if request.method != http::Method::POST {
            // [K] The text.
            return Err(Refusal::request("must use HTTP POST"));
        }
        form.refuse_doubles(&[
            "grant_type",
            "client_id",
            "client_secret",
            "code",
            "redirect_uri",
            "code_verifier",
            "refresh_token",
            "assertion",
            "username",
            "password",
        ])?;
        let grant = form.get("grant_type").unwrap_or_default();
        if !GRANTS.contains(&grant) {
            return Err(Refusal::new("unsupported_grant_type", "grant type not supported"));
        }
        if grant == JWT_BEARER {
            return self.jwt_bearer(form, at);
        }
        if grant == "client_credentials" && at.login_host {
            return Err(Refusal::grant("request not supported on this domain"));
        }
        let (app, secret) = self.client(request, form)?;
        let refreshes = grant == "refresh_token";
        // REST guide, refresh token flow: the secret may be optional there, a wrong one is none.
        let needed = !app.spec.public && (!refreshes || app.spec.secret_on_refresh);
        if secret == Secret::Wrong || (secret == Secret::Missing && needed) {
            return Err(Refusal::client());
        }
        match grant {
            "authorization_code" => self.authorization_code(app, form, at),
            "refresh_token" => self.refresh(app, form, at),
            "client_credentials" => self.client_credentials(app, at),
            _ => self.password(app, form, at),
        }
    }

    /// The app that asks, by form or HTTP Basic.
    fn client(&self, request: &Request, form: &Form) -> Result<(App, Secret), Refusal> {
        let (id, secret) = basic(request).map_or_else(
            || (form.get("client_id").map(str::to_owned), form.get("client_secret").map(str::to_owned)),
            |(id, secret)| (Some(id), Some(secret).filter(|secret| !secret.is_empty())),
        );
        let app = self.app(id.as_deref().unwrap_or_default()).cloned().ok_or_else(Refusal::client_id)?;
        let secret = match secret {
            None => Secret::Missing,
            Some(secret) if !app.spec.public && secret == app.client_secret => Secret::Right,
            Some(_) => Secret::Wrong,
        };
        Ok((app, secret))
    }

    /// The app that asks, with its secret.
    pub(super) fn confidential_client(&self, request: &Request, form: &Form) -> Option<App> {
        let (app, secret) = self.client(request, form).ok()?;
        (secret == Secret::Right).then_some(app)
    }

    /// Wire facts 1.9: inactive users and orgs, and what holds logins up. The words are [S] for the user and [K] for the org;
    /// those of the restrictions are [S/K], but for a locked user's.
    pub(super) fn may_log_in(&self, user: &str, at: &At<'_>) -> Result<(), Refusal> {
        if !self.org_active {
            return Err(Refusal::grant("inactive organization"));
        }
        let words = self.restriction.map(|restriction| match restriction {
            LoginRestriction::IpRange => "ip restricted",
            LoginRestriction::LoginHours => "invalid login hours",
            LoginRestriction::NotVerified => "activation secret invalid",
            LoginRestriction::Locked => "authentication failure",
        });
        if let Some(words) = words {
            return Err(Refusal::grant(words));
        }
        if (at.active)(user) { Ok(()) } else { Err(Refusal::grant("inactive user")) }
    }

    fn authorization_code(&mut self, app: App, form: &Form, at: &At<'_>) -> Result<Granted, Refusal> {
        let grant = self.codes.redeem(&app.client_id, form, at.now)?;
        self.may_log_in(&grant.user, at)?;
        let user = grant.user;
        let scopes = self.granted(&grant.scopes);
        let approval = self.tokens.approve(&user, &app.client_id, scopes.clone(), at.now);
        let wanted = scopes.ask_refresh_token();
        let refresh_token = wanted.then(|| self.tokens.refresh_token(approval, &app.client_id));
        let access_token = self.open(&app, &user, scopes.clone(), Some(approval), at.now);
        Ok(Granted { app, user, access_token, refresh_token, scopes: Some(scopes), signed: true })
    }

    /// What remains of scopes when a test holds some back.
    fn granted(&self, scopes: &Scopes) -> Scopes {
        scopes.without(&self.withheld.words().collect::<Vec<_>>())
    }

    fn refresh(&mut self, app: App, form: &Form, at: &At<'_>) -> Result<Granted, Refusal> {
        let token = form.get("refresh_token").unwrap_or_default();
        // A user who may not log in costs no token.
        let owner = self.tokens.approval_of(token).map(|(_, approval)| approval.user.clone());
        if let Some(owner) = owner {
            self.may_log_in(&owner, at)?;
        }
        let redeemed = self.tokens.redeem(token, &app.client_id, &app.spec, at.now);
        let redeemed = redeemed.ok_or_else(|| Refusal::grant("expired access/refresh token"))?;
        let scopes = self.granted(&redeemed.scopes);
        let access_token = self.open(&app, &redeemed.user, scopes.clone(), Some(redeemed.approval), at.now);
        let (user, refresh_token) = (redeemed.user, redeemed.next);
        Ok(Granted { app, user, access_token, refresh_token, scopes: Some(scopes), signed: true })
    }

    fn client_credentials(&mut self, app: App, at: &At<'_>) -> Result<Granted, Refusal> {
        if !app.spec.client_credentials {
            return Err(Refusal::grant("client credentials flow not enabled"));
        }
        let user = app.spec.run_as.clone().filter(|user| self.user(user).is_some());
        let user = user.ok_or_else(|| Refusal::grant("no client credentials user enabled"))?;
        self.may_log_in(&user, at)?;
        let scopes = app.spec.scopes.without(&["refresh_token", "offline_access"]);
        let access_token = self.open(&app, &user, scopes.clone(), None, at.now);
        Ok(Granted { app, user, access_token, refresh_token: None, scopes: Some(scopes), signed: true })
    }

    fn password(&mut self, app: App, form: &Form, at: &At<'_>) -> Result<Granted, Refusal> {
        let (username, password) = (form.get("username").unwrap_or_default(), form.get("password").unwrap_or_default());
        // Wire facts 1.7: the same words where the flow is off.
        let user = self.user_with(username, password).filter(|_| app.spec.password_flow);
        let user = user.ok_or_else(|| Refusal::grant("authentication failure"))?.user_id.clone();
        self.may_log_in(&user, at)?;
        let scopes = app.spec.scopes.without(&["refresh_token", "offline_access"]);
        let access_token = self.open(&app, &user, scopes, None, at.now);
        // recorded: oauth/password-flow-token-resources-identity.yml has no scope.
        Ok(Granted { app, user, access_token, refresh_token: None, scopes: None, signed: true })
    }
}
