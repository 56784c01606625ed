//! `/services/oauth2/authorize`: what a browser is sent to (Help, "OAuth 2.0 Web Server Flow for Web App Integration").

use chrono::{DateTime, Utc};

use super::answer::{Form, Refusal};
use super::code::Grant;
use super::scope::Scopes;
use super::token::At;
use super::{Auth, pages};
use crate::testing::org::wire::{Answer, Request};

/// A request that is in order.
#[derive(Clone, Debug)]
pub(super) struct Authorization {
    pub(super) client_id: String,
    pub(super) app: String,
    pub(super) target: Target,
    pub(super) scopes: Scopes,
    challenge: Option<String>,
    pub(super) login_hint: Option<String>,
    /// `login`, `consent`, `select_account`, parted by blanks.
    prompt: String,
    immediate: bool,
}

impl Authorization {
    pub(super) fn prompts(&self, word: &str) -> bool {
        self.prompt.split_ascii_whitespace().any(|known| known == word)
    }
}

/// Where the answer goes.
#[derive(Clone, Debug)]
pub(super) struct Target {
    redirect_uri: String,
    state: Option<String>,
}

impl Target {
    fn send<'a>(&'a self, mut members: Vec<(&str, &'a str)>) -> Answer {
        if let Some(state) = &self.state {
            members.push(("state", state));
        }
        // Blanks become `+`, as seen in error redirects; a code is percent-encoded (wire facts 1.2).
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
        let mark = if self.redirect_uri.contains('?') { '&' } else { '?' };
        Answer::empty(302)
            .with("Location", format!("{}{mark}{query}", self.redirect_uri))
            .with("Cache-Control", "no-store")
    }

    pub(super) fn refuse(&self, refusal: &Refusal) -> Answer {
        self.send(vec![("error", &refusal.error), ("error_description", &refusal.description)])
    }
}

/// Why a request goes no further, and who is told.
enum Stop {
    /// The person at the browser: the redirect URI cannot be trusted.
    Page(Refusal),
    App(Target, Refusal),
}

fn page(error: &str, description: &str) -> Stop {
    Stop::Page(Refusal::new(error, description))
}

impl Auth {
    /// `script` is an error a test wants sent in place of an answer.
    pub(crate) fn authorize(&mut self, request: &Request, at: &At<'_>, script: Option<&Refusal>) -> Answer {
        let authorization = match self.read(&Form::any(request)) {
            Ok(authorization) => authorization,
            Err(Stop::Page(refusal)) => return pages::refusal(&refusal),
            Err(Stop::App(target, refusal)) => return target.refuse(&refusal),
        };
        if let Some(refusal) = script {
            return authorization.target.refuse(refusal);
        }
        if self.consent {
            return self.ask(request, authorization, at);
        }
        let hinted = authorization.login_hint.as_deref().and_then(|name| self.user_named(name));
        let user = hinted.unwrap_or(&self.main_user).user_id.clone();
        self.approve_request(&authorization, &user, at)
    }

    /// The order of the checks is [K], but for the code challenge, which is missed before anyone logs in [S].
    fn read(&self, form: &Form) -> Result<Authorization, Stop> {
        if form.doubled("client_id") || form.doubled("redirect_uri") {
            return Err(page("invalid_request", "duplicate parameter"));
        }
        let app = self.app(form.get("client_id").unwrap_or_default());
        let app = app.ok_or_else(|| Stop::Page(Refusal::client_id()))?;
        // [K] The text.
        let redirect_uri =
            form.get("redirect_uri").ok_or_else(|| page("redirect_uri_missing", "redirect_uri not provided"))?;
        if !app.spec.redirects_to(redirect_uri) {
            return Err(page("redirect_uri_mismatch", "redirect_uri must match configuration"));
        }
        // [S] Both words are on the page that users of such apps report. [K] Which of them stands for what.
        if app.spec.blocked {
            return Err(page("OAUTH_APP_BLOCKED", "this app is blocked by admin"));
        }
        if !app.spec.installed {
            return Err(page("OAUTH_APPROVAL_ERROR_GENERIC", "app must be installed into org"));
        }
        let target = Target { redirect_uri: redirect_uri.to_owned(), state: form.get("state").map(str::to_owned) };
        let refuse = |refusal: Refusal| Stop::App(target.clone(), refusal);
        let single =
            ["response_type", "scope", "state", "code_challenge", "code_challenge_method", "prompt", "login_hint"];
        form.refuse_doubles(&single).map_err(refuse)?;
        if form.get("response_type") != Some("code") {
            // [K] The text. The user-agent flow (`token`) is not served.
            return Err(refuse(Refusal::new("unsupported_response_type", "response type not supported")));
        }
        let challenge = form.get("code_challenge");
        if challenge.is_none() && app.spec.pkce_required {
            return Err(refuse(Refusal::request("missing required code challenge")));
        }
        // A challenge is always the SHA-256. [K] How another method is refused.
        if form.get("code_challenge_method").is_some_and(|method| method != "S256") {
            return Err(refuse(Refusal::request("invalid code challenge method")));
        }
        // Help: without the parameter all scopes of the app.
        let scopes = form.get("scope").map_or_else(|| app.spec.scopes.clone(), Scopes::parse);
        if !app.spec.scopes.cover(&scopes) {
            // [K] The text.
            return Err(refuse(Refusal::new("invalid_scope", "the requested scope is not allowed")));
        }
        Ok(Authorization {
            client_id: app.client_id.clone(),
            app: app.spec.name.clone(),
            scopes,
            challenge: challenge.map(str::to_owned),
            login_hint: form.get("login_hint").map(str::to_owned),
            prompt: form.get("prompt").unwrap_or_default().to_owned(),
            immediate: form.get("immediate") == Some("true"),
            target,
        })
    }

    /// REST guide: `immediate=true` asks for an answer without a page.
    fn ask(&mut self, request: &Request, authorization: Authorization, at: &At<'_>) -> Answer {
        let user = self.browser_user(request, at).filter(|user| self.approved_before(&authorization, user));
        match user {
            Some(user) if authorization.immediate => self.approve_request(&authorization, &user, at),
            // [K] The text.
            None if authorization.immediate => {
                authorization.target.refuse(&Refusal::new("immediate_unsuccessful", "immediate unsuccessful"))
            }
            _ => self.begin_consent(request, authorization, at),
        }
    }

    /// Nobody has to be asked again: an admin or the user has approved it all. [K] That `prompt=consent` asks again.
    pub(super) fn approved_before(&self, authorization: &Authorization, user: &str) -> bool {
        let admin = self.app(&authorization.client_id).and_then(|app| app.spec.admin_approved(user)) == Some(true);
        let own = |scopes: &Scopes| authorization.scopes.words().all(|scope| scopes.has(scope));
        let earlier = self.tokens.approvals_of(user, &authorization.client_id).any(|one| own(&one.scopes));
        !authorization.prompts("consent") && (admin || earlier)
    }

    /// The user said yes: a code for the app.
    pub(super) fn approve_request(&mut self, authorization: &Authorization, user: &str, at: &At<'_>) -> Answer {
        if let Some(refusal) = self.unusable(&authorization.client_id, user, at) {
            return match refusal {
                Stop::Page(refusal) => pages::refusal(&refusal),
                Stop::App(_, refusal) => authorization.target.refuse(&refusal),
            };
        }
        let code = self.give_code(authorization, user, at.now);
        authorization.target.send(vec![("code", &code)])
    }

    /// [K] How each of these shows; the codes are in the old list of the REST guide.
    fn unusable(&self, client_id: &str, user: &str, at: &At<'_>) -> Option<Stop> {
        let nowhere = Target { redirect_uri: String::new(), state: None };
        if !self.org_active {
            return Some(Stop::App(nowhere, Refusal::new("inactive_org", "inactive organization")));
        }
        if !(at.active)(user) {
            return Some(Stop::App(nowhere, Refusal::new("inactive_user", "inactive user")));
        }
        let approved = self.app(client_id).and_then(|app| app.spec.admin_approved(user));
        let text = "user is not admin approved to access this app";
        (approved == Some(false)).then(|| page("OAUTH_APPROVAL_ERROR_GENERIC", text))
    }

    fn give_code(&mut self, authorization: &Authorization, user: &str, now: DateTime<Utc>) -> String {
        let grant = Grant {
            client_id: authorization.client_id.clone(),
            redirect_uri: authorization.target.redirect_uri.clone(),
            scopes: authorization.scopes.clone(),
            user: user.to_owned(),
            challenge: authorization.challenge.clone(),
        };
        self.codes.give(grant, now)
    }
}
