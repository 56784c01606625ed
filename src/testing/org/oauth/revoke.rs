//! `/services/oauth2/revoke` (Mobile SDK guide, "Revoking OAuth Tokens"; developer blog of November 2011 for GET and JSONP).

use chrono::{DateTime, Utc};

use super::Auth;
use super::answer::{Form, Refusal, no_store};
use super::tokens::Origin;
use crate::testing::org::wire::{Answer, Request};

impl Auth {
    pub(crate) fn revoke(&mut self, request: &Request, now: DateTime<Utc>) -> Answer {
        let form = Form::any(request);
        let result = self.end(&form, now);
        match form.get("callback").filter(|name| request.method == http::Method::GET && is_callback(name)) {
            // JSONP: a script, which carries no status.
            Some(callback) => {
                let body = match result {
                    Ok(()) => "{}".to_owned(),
                    Err(refusal) => format!("{{\"error\":\"{}\"}}", refusal.error),
                };
                no_store(Answer::text(200, "text/javascript;charset=UTF-8", format!("{callback}({body});")))
            }
            None => match result {
                Ok(()) => no_store(Answer::empty(200)),
                Err(refusal) => refusal.answer(),
            },
        }
    }

    fn end(&mut self, form: &Form, now: DateTime<Utc>) -> Result<(), Refusal> {
        form.refuse_doubles(&["token"])?;
        let token = form.get("token").unwrap_or_default();
        match self.tokens.seen(token, now).map(|session| session.origin) {
            // That one only.
            Some(Origin::OAuth) => {
                self.tokens.close(token);
                return Ok(());
            }
            // The blog: a session of SOAP login() cannot be revoked here. [K] The code.
            Some(Origin::Soap) => {
                return Err(Refusal::new("unsupported_token_type", "this token type is not supported"));
            }
            None => {}
        }
        match self.tokens.approval_of(token).map(|(id, _)| id) {
            // It and all its access tokens.
            Some(approval) => {
                self.tokens.revoke(approval);
                Ok(())
            }
            // [S] The text, from a client's test.
            None => Err(Refusal::new("invalid_token", &format!("invalid token: {token}"))),
        }
    }
}

/// [K] Nothing but a name is taken, so that no script gets in.
fn is_callback(name: &str) -> bool {
    name.len() <= 100 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$.".contains(&byte))
}
