//! `POST /services/oauth2/introspect` (Help, "Token Introspection").

use chrono::{DateTime, Utc};

use super::Auth;
use super::answer::{Form, Refusal, no_store};
use crate::testing::org::json::Json;
use crate::testing::org::wire::{Answer, Request};

/// What the answer says of a live token.
struct State {
    kind: &'static str,
    client_id: String,
    user: String,
    scope: String,
    issued: DateTime<Utc>,
    expires: Option<DateTime<Utc>>,
}

impl Auth {
    pub(crate) fn introspect(&mut self, request: &Request, now: DateTime<Utc>) -> Answer {
        if request.method != http::Method::POST {
            // [K] The text.
            return Refusal::request("must use HTTP POST").answer();
        }
        let form = Form::posted(request);
        // [S] The status of a client that does not prove who it is. [K] The body.
        let Some(app) = self.confidential_client(request, &form) else {
            return Refusal::client().with_status(401).answer();
        };
        if let Err(refusal) = form.refuse_doubles(&["token", "token_type_hint"]) {
            return refusal.answer();
        }
        // [K] The text.
        let Some(token) = form.get("token") else {
            return Refusal::request("missing required parameter: token").answer();
        };
        // RFC 7662, 2.1: the hint only says where to look first.
        let state = self.state_of(token, now);
        // The help page: an app sees the state of its own tokens. [S] Dead and unknown ones look alike.
        let Some(state) = state.filter(|state| state.client_id == app.client_id) else {
            return no_store(Answer::json(200, &Json::object([("active", Json::Bool(false))])));
        };
        let username = self.user(&state.user).map(|user| user.username.clone());
        let mut members = vec![
            ("active", Json::Bool(true)),
            ("scope", Json::String(state.scope)),
            ("client_id", Json::String(state.client_id)),
            ("username", username.into()),
            ("sub", Json::String(self.identity_url(&state.user))),
            ("token_type", state.kind.into()),
        ];
        // [K] A refresh token that is valid until revoked has no `exp`.
        members.extend(state.expires.map(|time| ("exp", Json::number(time.timestamp()))));
        members.push(("iat", Json::number(state.issued.timestamp())));
        members.push(("nbf", Json::number(state.issued.timestamp())));
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        no_store(Answer::json(200, &Json::Object(members)))
    }

    fn state_of(&mut self, token: &str, now: DateTime<Utc>) -> Option<State> {
        if let Some(session) = self.tokens.seen(token, now) {
            return Some(State {
                kind: "access_token",
                client_id: session.client_id.clone()?,
                user: session.user.clone(),
                scope: session.scopes.text(),
                issued: session.issued,
                expires: Some(session.expires()),
            });
        }
        let (_, approval) = self.tokens.approval_of(token)?;
        let expires = approval.expires(&self.app(&approval.client_id)?.spec);
        let state = State {
            kind: "refresh_token",
            client_id: approval.client_id.clone(),
            user: approval.user.clone(),
            scope: approval.scopes.text(),
            issued: approval.given(),
            expires,
        };
        expires.is_none_or(|end| now < end).then_some(state)
    }
}
