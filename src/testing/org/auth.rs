//! OAuth: the app, its tokens, and the endpoints under `/services/oauth2`.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::ids;
use super::json::Json;
use super::wire::{Answer, Request};

/// A user who can log in, and the external client app that runs as that user.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) user_id: String,
}

impl Login {
    pub(crate) fn new(username: &str, user_id: &str) -> Self {
        Self {
            client_id: format!("3MVG9{}", random(80)),
            client_secret: random(64).to_uppercase(),
            username: username.to_owned(),
            password: format!("{}{}", random(12), random(24)),
            user_id: user_id.to_owned(),
        }
    }
}

/// The org's main app and user, others beside them, and the tokens handed out.
#[derive(Debug)]
pub(crate) struct Auth {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) org_id: String,
    /// The user all flows log in.
    pub(crate) user_id: String,
    pub(crate) base_url: String,
    /// Each refresh answers with a new refresh token and kills the old one.
    pub(crate) rotate: bool,
    /// Idle time after which an access token dies.
    pub(crate) session_timeout: TimeDelta,
    /// Users beside the main one.
    pub(crate) others: Vec<Login>,
    sessions: HashMap<String, Session>,
    refresh_tokens: HashMap<String, RefreshToken>,
    families: u64,
}

#[derive(Debug)]
struct Session {
    user: String,
    /// The approval it hangs on; `None` for flows without a refresh token.
    family: Option<u64>,
    last_used: DateTime<Utc>,
}

#[derive(Debug)]
struct RefreshToken {
    family: u64,
    state: RefreshState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefreshState {
    Live,
    Rotated,
    Dead,
}

/// A flow's refusal: HTTP 400 `{"error","error_description"}` (wire facts 1.9).
fn refusal(error: &str, description: &str) -> Answer {
    let body = Json::object([("error", Json::from(error)), ("error_description", Json::from(description))]);
    no_store(Answer::json(400, &body))
}

/// recorded: oauth/password-flow-token-resources-identity.yml
fn no_store(answer: Answer) -> Answer {
    answer
        .with("Cache-Control", "no-cache, no-store")
        .with("Pragma", "no-cache")
        .with("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")
}

impl Auth {
    pub(crate) fn new(base_url: &str, org_id: &str, user_id: &str) -> Self {
        let Login { client_id, client_secret, username, password, user_id } =
            Login::new("integration@mock.example.com", user_id);
        Self {
            client_id,
            client_secret,
            username,
            password,
            org_id: org_id.to_owned(),
            user_id,
            others: Vec::new(),
            base_url: base_url.to_owned(),
            rotate: false,
            session_timeout: TimeDelta::hours(2),
            sessions: HashMap::new(),
            refresh_tokens: HashMap::new(),
            families: 0,
        }
    }

    /// A live access token of no refresh token.
    pub(crate) fn open_session(&mut self, now: DateTime<Utc>) -> String {
        let user = self.user_id.clone();
        self.session(user, None, now)
    }

    /// A live access token of a user.
    pub(crate) fn open_session_of(&mut self, user: &str, now: DateTime<Utc>) -> String {
        self.session(user.to_owned(), None, now)
    }

    fn main(&self) -> Login {
        Login {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            username: self.username.clone(),
            password: self.password.clone(),
            user_id: self.user_id.clone(),
        }
    }

    /// The first login that fits.
    fn find(&self, fits: impl Fn(&Login) -> bool) -> Option<Login> {
        std::iter::once(self.main()).chain(self.others.iter().cloned()).find(|login| fits(login))
    }

    fn session(&mut self, user: String, family: Option<u64>, now: DateTime<Utc>) -> String {
        // Tokens start with the org's id of 15 characters (wire facts 1.2).
        let token = format!("{}!AQ{}", ids::short(&self.org_id), random(90));
        self.sessions.insert(token.clone(), Session { user, family, last_used: now });
        token
    }

    /// A live refresh token of a new approval.
    pub(crate) fn approve(&mut self) -> String {
        self.families += 1;
        let family = self.families;
        self.refresh_token(family)
    }

    fn refresh_token(&mut self, family: u64) -> String {
        let token = format!("5Aep861{}", random(76));
        self.refresh_tokens.insert(token.clone(), RefreshToken { family, state: RefreshState::Live });
        token
    }

    /// The user of the request's token, if that lives. Use keeps it alive.
    pub(crate) fn user_of(&mut self, request: &Request, now: DateTime<Utc>) -> Option<String> {
        self.user_of_token(bearer(request)?, now)
    }

    /// The user of a token, if that lives. Use keeps it alive.
    pub(crate) fn user_of_token(&mut self, token: &str, now: DateTime<Utc>) -> Option<String> {
        let session = self.sessions.get_mut(token)?;
        if now - session.last_used > self.session_timeout {
            self.sessions.remove(token);
            return None;
        }
        session.last_used = now;
        Some(session.user.clone())
    }

    /// Kills the token the request carries.
    pub(crate) fn expire_of(&mut self, request: &Request) {
        if let Some(token) = bearer(request) {
            self.expire(token);
        }
    }

    pub(crate) fn expire(&mut self, token: &str) {
        self.sessions.remove(token);
    }

    pub(crate) fn expire_all(&mut self) {
        self.sessions.clear();
    }

    pub(crate) fn revoke_refresh_tokens(&mut self) {
        let families: Vec<u64> = self.refresh_tokens.values().map(|token| token.family).collect();
        for family in families {
            self.revoke_family(family);
        }
    }

    fn revoke_family(&mut self, family: u64) {
        self.sessions.retain(|_, session| session.family != Some(family));
        for token in self.refresh_tokens.values_mut().filter(|token| token.family == family) {
            token.state = RefreshState::Dead;
        }
    }

    /// `POST /services/oauth2/token`. `active` says whether a user may log in.
    pub(crate) fn token(&mut self, request: &Request, now: DateTime<Utc>, active: &dyn Fn(&str) -> bool) -> Answer {
        if request.method != http::Method::POST {
            // [K] The text.
            return refusal("invalid_request", "must use HTTP POST");
        }
        let form = request.form();
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let (id, secret) = basic(request).map_or_else(
            || (field("client_id").map(str::to_owned), field("client_secret").map(str::to_owned)),
            |(id, secret)| (Some(id), Some(secret)),
        );
        let grant = field("grant_type").unwrap_or_default();
        if !matches!(grant, "client_credentials" | "refresh_token" | "password") {
            return refusal("unsupported_grant_type", "grant type not supported");
        }
        let Some(app) = self.find(|login| id.as_deref() == Some(login.client_id.as_str())) else {
            return refusal("invalid_client_id", "client identifier invalid");
        };
        let secret_fits = secret.as_deref() == Some(app.client_secret.as_str());
        // REST guide, refresh token flow: the secret is optional there, a wrong one is not.
        let secret_may_lack = grant == "refresh_token" && secret.is_none();
        if !secret_fits && !secret_may_lack {
            return refusal("invalid_client", "invalid client credentials");
        }
        // Only the main app has refresh tokens.
        let main = self.main();
        let user = match grant {
            "client_credentials" => app.clone(),
            "password" => {
                let fits = |login: &Login| {
                    field("username").is_some_and(|name| name.eq_ignore_ascii_case(&login.username))
                        && field("password") == Some(&login.password)
                };
                match self.find(fits) {
                    Some(user) => user,
                    None => return refusal("invalid_grant", "authentication failure"),
                }
            }
            _ => main,
        };
        if !active(&user.user_id) {
            return refusal("invalid_grant", "inactive user");
        }
        if grant == "refresh_token" {
            return self.refresh(&app, field("refresh_token").unwrap_or_default(), now);
        }
        let token = self.session(user.user_id.clone(), None, now);
        // recorded: oauth/password-flow-token-resources-identity.yml has no scope.
        self.token_answer(&app, &user.user_id, &token, None, grant != "password", now)
    }

    fn refresh(&mut self, app: &Login, token: &str, now: DateTime<Utc>) -> Answer {
        let dead = || refusal("invalid_grant", "expired access/refresh token");
        let own = app.client_id == self.client_id;
        let Some(known) = self.refresh_tokens.get_mut(token).filter(|_| own) else { return dead() };
        let family = known.family;
        match known.state {
            RefreshState::Dead => return dead(),
            RefreshState::Rotated => {
                // KA 005316711: a replay revokes the current refresh token and every access token that hangs on it.
                self.revoke_family(family);
                return dead();
            }
            RefreshState::Live => {}
        }
        let mut next = None;
        if self.rotate {
            known.state = RefreshState::Rotated;
            next = Some(self.refresh_token(family));
        }
        let access = self.session(self.user_id.clone(), Some(family), now);
        let user = self.user_id.clone();
        self.token_answer(app, &user, &access, next.as_deref(), true, now)
    }

    /// The members of wire facts 1.2; no `expires_in`.
    fn token_answer(
        &self,
        app: &Login,
        user: &str,
        token: &str,
        refresh: Option<&str>,
        scope: bool,
        now: DateTime<Utc>,
    ) -> Answer {
        let mut members = vec![("access_token", Json::from(token))];
        if let Some(refresh) = refresh {
            members.push(("refresh_token", Json::from(refresh)));
        }
        let issued_at = now.timestamp_millis().to_string();
        let id = self.identity_url(user);
        members.push(("signature", Json::string(sign(&app.client_secret, &format!("{id}{issued_at}")))));
        if scope {
            members.push(("scope", Json::from(if refresh.is_some() { "refresh_token api" } else { "api" })));
        }
        members.push(("instance_url", Json::string(&self.base_url)));
        members.push(("id", Json::string(id)));
        members.push(("token_type", Json::from("Bearer")));
        members.push(("issued_at", Json::string(issued_at)));
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        no_store(Answer::json(200, &Json::Object(members)))
    }

    /// The identity URL; on the org's own host, so that it can be followed.
    pub(crate) fn identity_url(&self, user: &str) -> String {
        format!("{}/id/{}/{user}", self.base_url, self.org_id)
    }

    /// `POST /services/oauth2/revoke` (Help, "Revoke OAuth Tokens").
    pub(crate) fn revoke(&mut self, request: &Request) -> Answer {
        let form = request.form();
        let posted = form.iter().find(|(key, _)| key == "token").map(|(_, value)| value.as_str());
        let token = posted.or(request.param("token")).unwrap_or_default();
        if self.sessions.remove(token).is_some() {
            return no_store(Answer::empty(200));
        }
        let known = self.refresh_tokens.get(token).filter(|token| token.state != RefreshState::Dead);
        if let Some(family) = known.map(|token| token.family) {
            self.revoke_family(family);
            return no_store(Answer::empty(200));
        }
        // [S] The text, from a client's test.
        refusal("invalid_token", &format!("invalid token: {token}"))
    }

    /// SOAP `login()`: the user who knows the password, and a session.
    pub(crate) fn login(&mut self, username: &str, password: &str, now: DateTime<Utc>) -> Option<(String, String)> {
        let fits = |login: &Login| username.eq_ignore_ascii_case(&login.username) && password == login.password;
        let user = self.find(fits)?.user_id;
        let session = self.open_session_of(&user, now);
        Some((user, session))
    }
}

/// The token of `Authorization: Bearer …` or `OAuth …`, both of which work (wire facts 1.2).
fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
    known.then(|| token.trim())
}

/// Client id and secret of HTTP Basic.
fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, encoded) = request.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    // RFC 6749, 2.3.1: both are form-encoded before they are joined.
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((decode(id), decode(secret)))
}

/// Letters and digits that nobody guesses.
pub(crate) fn random(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}

/// base64 of HMAC-SHA-256 over `id` and `issued_at`, keyed with the client secret [S].
fn sign(client_secret: &str, message: &str) -> String {
    // A key of any length is a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(client_secret.as_bytes()) else { return String::new() };
    mac.update(message.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
