//! The pages between an authorize request and its answer: who logs in, and whether the app may.
//!
//! An org asks for a password and more; here the user is chosen from a list. The paths but for the consent page's, and the
//! names of the cookies, are the mock's own.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::answer::{Form, Refusal};
use super::authorize::Authorization;
use super::token::At;
use super::{Auth, pages, random};
use crate::testing::org::wire::{Answer, Request};

pub(super) const LOGIN: &str = "/login";
pub(super) const CONSENT: &str = "/setup/secur/RemoteAccessAuthorizationPage.apexp";

/// [K] How long a page may stay open.
const LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// A request that waits for the user.
#[derive(Clone, Debug)]
struct Waiting {
    authorization: Authorization,
    /// The browser that asked, by its cookie.
    browser: String,
    /// What a form must bring back, which no other site knows.
    token: String,
    /// A log-in is asked for, whoever is logged in.
    relogin: bool,
    since: DateTime<Utc>,
}

/// Requests that wait for users, and the users who are logged in.
#[derive(Debug, Default)]
pub(crate) struct Consents {
    waiting: HashMap<String, Waiting>,
    answered: HashSet<String>,
    /// Users by the cookie of their browser session.
    logged_in: HashMap<String, String>,
}

/// Ports share cookies, so each org has its own names.
fn cookie_name(kind: &str, request: &Request) -> String {
    format!("{kind}_{}", request.port)
}

fn cookie<'a>(request: &'a Request, kind: &str) -> Option<&'a str> {
    let name = cookie_name(kind, request);
    let all = request.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}

/// Lax: a form on another site sends none.
fn set_cookie(answer: Answer, request: &Request, kind: &str, value: &str) -> Answer {
    answer.with("Set-Cookie", format!("{}={value}; Path=/; HttpOnly; SameSite=Lax", cookie_name(kind, request)))
}

fn go(path: &str, source: &str) -> Answer {
    Answer::empty(302).with("Location", format!("{path}?source={source}")).with("Cache-Control", "no-store")
}

impl Auth {
    /// Who is logged in at this browser.
    pub(super) fn browser_user(&self, request: &Request, at: &At<'_>) -> Option<String> {
        let user = self.consents.logged_in.get(cookie(request, "sid")?)?;
        (at.active)(user).then(|| user.clone())
    }

    /// Sends the browser to the page it needs first.
    pub(super) fn begin_consent(&mut self, request: &Request, authorization: Authorization, at: &At<'_>) -> Answer {
        let user = self.browser_user(request, at);
        let relogin = authorization.prompts("login") || authorization.prompts("select_account");
        if let Some(user) = user.as_deref().filter(|user| !relogin && self.approved_before(&authorization, user)) {
            return self.approve_request(&authorization, user, at);
        }
        let path = if user.is_some() && !relogin { CONSENT } else { LOGIN };
        let known = cookie(request, "browser").filter(|value| !value.is_empty());
        let browser = known.map_or_else(|| random(22), str::to_owned);
        let (source, token) = (random(24), random(32));
        let answer = set_cookie(go(path, &source), request, "browser", &browser);
        let waiting = Waiting { authorization, browser, token, relogin, since: at.now };
        self.consents.waiting.retain(|_, known| at.now - known.since <= LIFETIME);
        self.consents.waiting.insert(source, waiting);
        answer
    }

    /// The request a page belongs to; an error page when it is not this browser's, or over.
    fn waiting(&self, source: &str, request: &Request, now: DateTime<Utc>) -> Result<Waiting, Answer> {
        let waiting = self.consents.waiting.get(source).filter(|known| now - known.since <= LIFETIME);
        match waiting {
            Some(waiting) if cookie(request, "browser") == Some(&waiting.browser) => Ok(waiting.clone()),
            Some(_) => Err(pages::problem(403, "This page belongs to another browser, or cookies are off.")),
            None if self.consents.answered.contains(source) => {
                Err(pages::problem(400, "This request has been answered already."))
            }
            None => Err(pages::problem(400, "This request has expired.")),
        }
    }

    /// As [`Auth::waiting`], for a form that was sent.
    fn posted(&self, form: &Form, request: &Request, now: DateTime<Utc>) -> Result<(String, Waiting), Answer> {
        let source = form.get("source").unwrap_or_default();
        let waiting = self.waiting(source, request, now)?;
        if form.get("token") != Some(&waiting.token) || form.doubled("token") {
            return Err(pages::problem(403, "This form was not sent from the page it belongs to."));
        }
        Ok((source.to_owned(), waiting))
    }

    pub(crate) fn login_page(&mut self, request: &Request, at: &At<'_>) -> Answer {
        let result = if request.method == http::Method::POST {
            self.log_in(request, at)
        } else {
            let source = request.param("source").unwrap_or_default();
            self.waiting(source, request, at.now).map(|waiting| self.login_form(source, &waiting, None))
        };
        result.unwrap_or_else(|page| page)
    }

    fn login_form(&self, source: &str, waiting: &Waiting, problem: Option<&str>) -> Answer {
        let hint = waiting.authorization.login_hint.as_deref().unwrap_or(&self.main_user.username);
        let names: Vec<&str> = self.all_users().map(|user| user.username.as_str()).collect();
        pages::login(&waiting.authorization.app, &names, hint, source, &waiting.token, problem)
    }

    fn log_in(&mut self, request: &Request, at: &At<'_>) -> Result<Answer, Answer> {
        let form = Form::posted(request);
        let (source, waiting) = self.posted(&form, request, at.now)?;
        let user = form.get("un").and_then(|name| self.user_named(name)).map(|user| user.user_id.clone());
        let Some(user) = user else {
            return Err(self.login_form(&source, &waiting, Some("Choose a user.")));
        };
        if !(at.active)(&user) {
            // [K] The text.
            let text = "Your access is disabled. Contact your site administrator.";
            return Err(self.login_form(&source, &waiting, Some(text)));
        }
        let sid = random(32);
        self.consents.logged_in.insert(sid.clone(), user.clone());
        if let Some(waiting) = self.consents.waiting.get_mut(&source) {
            waiting.relogin = false;
        }
        let answer = if self.approved_before(&waiting.authorization, &user) {
            self.finish(&source);
            self.approve_request(&waiting.authorization, &user, at)
        } else {
            go(CONSENT, &source)
        };
        Ok(set_cookie(answer, request, "sid", &sid))
    }

    pub(crate) fn consent_page(&mut self, request: &Request, at: &At<'_>) -> Answer {
        let result = if request.method == http::Method::POST {
            self.decide(request, at)
        } else {
            self.consent_form(request, at)
        };
        result.unwrap_or_else(|page| page)
    }

    fn consent_form(&self, request: &Request, at: &At<'_>) -> Result<Answer, Answer> {
        let source = request.param("source").unwrap_or_default();
        let waiting = self.waiting(source, request, at.now)?;
        let user = self.browser_user(request, at).filter(|_| !waiting.relogin);
        let Some(user) = user.and_then(|id| self.user(&id)) else { return Ok(go(LOGIN, source)) };
        let scopes: Vec<&str> = waiting.authorization.scopes.words().collect();
        Ok(pages::consent(&waiting.authorization.app, &user.username, &scopes, source, &waiting.token))
    }

    fn decide(&mut self, request: &Request, at: &At<'_>) -> Result<Answer, Answer> {
        let form = Form::posted(request);
        let (source, waiting) = self.posted(&form, request, at.now)?;
        let user = self.browser_user(request, at).filter(|_| !waiting.relogin);
        let Some(user) = user else { return Ok(go(LOGIN, &source)) };
        match form.get("decision") {
            Some("allow") => {
                self.finish(&source);
                Ok(self.approve_request(&waiting.authorization, &user, at))
            }
            Some("deny") => {
                self.finish(&source);
                // Wire facts 1.2.
                let refusal = Refusal::new("access_denied", "end-user denied authorization");
                Ok(waiting.authorization.target.refuse(&refusal))
            }
            _ => Err(pages::problem(400, "Choose Allow or Deny.")),
        }
    }

    /// A page is good for one answer.
    fn finish(&mut self, source: &str) {
        self.consents.waiting.remove(source);
        self.consents.answered.insert(source.to_owned());
    }
}
