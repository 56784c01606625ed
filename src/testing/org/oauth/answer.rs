//! What the endpoints under `/services/oauth2` read and write.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use super::app::App;
use super::scope::Scopes;
use crate::testing::org::json::Json;
use crate::testing::org::wire::{Answer, Request};
use crate::testing::org::xml::escape;

/// recorded: oauth/password-flow-token-resources-identity.yml
pub(super) fn no_store(answer: Answer) -> Answer {
    answer
        .with("Cache-Control", "no-cache, no-store")
        .with("Pragma", "no-cache")
        .with("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")
}

/// A refusal: `{"error","error_description"}` with status 400 (wire facts 1.9), or sent to a redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(super) status: u16,
    pub(super) error: String,
    pub(super) description: String,
}

impl Refusal {
    pub(crate) fn new(error: &str, description: &str) -> Self {
        Self { status: 400, error: error.to_owned(), description: description.to_owned() }
    }

    pub(super) fn grant(description: &str) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(super) fn request(description: &str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) fn client_id() -> Self {
        Self::new("invalid_client_id", "client identifier invalid")
    }

    pub(super) fn client() -> Self {
        Self::new("invalid_client", "invalid client credentials")
    }

    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn answer(&self) -> Answer {
        let body = Json::object([
            ("error", Json::string(&self.error)),
            ("error_description", Json::string(&self.description)),
        ]);
        no_store(Answer::json(self.status, &body))
    }
}

/// The parameters of a request.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// The fields of a form body.
    pub(super) fn posted(request: &Request) -> Self {
        Self(request.form())
    }

    /// Query and form body together, as the authorize endpoint takes them.
    pub(super) fn any(request: &Request) -> Self {
        let mut fields = request.query.clone();
        fields.extend(request.form());
        Self(fields)
    }

    /// A parameter; one without a value is as good as absent (RFC 6749, 3.1).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// RFC 6749, 3.1 and 3.2: no parameter more than once. [K] That Salesforce refuses it, and the text.
    pub(super) fn doubled(&self, name: &str) -> bool {
        self.0.iter().filter(|(key, _)| key == name).count() > 1
    }

    pub(super) fn refuse_doubles(&self, names: &[&str]) -> Result<(), Refusal> {
        match names.iter().find(|name| self.doubled(name)) {
            Some(name) => Err(Refusal::request(&format!("duplicate parameter: {name}"))),
            None => Ok(()),
        }
    }
}

/// Client id and secret of HTTP Basic.
pub(super) fn basic(request: &Request) -> Option<(String, String)> {
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

/// The token of `Authorization: Bearer …` or `OAuth …`, both of which work (wire facts 1.2).
pub(super) fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
    known.then(|| token.trim())
}

/// What a token request got.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) app: App,
    pub(super) user: String,
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    /// The password flow was recorded without.
    pub(super) scopes: Option<Scopes>,
    /// Answers of the JWT bearer flow have no `issued_at` and no `signature` (wire facts 0, 3).
    pub(super) signed: bool,
}

impl Granted {
    /// The members of wire facts 1.2; no `expires_in`.
    fn members(&self, identity: &str, instance: &str, now: DateTime<Utc>) -> Vec<(&'static str, String)> {
        let issued_at = now.timestamp_millis().to_string();
        let mut members = vec![("access_token", self.access_token.clone())];
        if let Some(token) = &self.refresh_token {
            members.push(("refresh_token", token.clone()));
        }
        if self.signed {
            members.push(("signature", self.app.sign(identity, &issued_at)));
        }
        if let Some(scopes) = &self.scopes {
            members.push(("scope", scopes.text()));
        }
        members.push(("instance_url", instance.to_owned()));
        members.push(("id", identity.to_owned()));
        members.push(("token_type", "Bearer".to_owned()));
        if self.signed {
            members.push(("issued_at", issued_at));
        }
        members
    }

    pub(super) fn answer(&self, format: Format, identity: &str, instance: &str, now: DateTime<Utc>) -> Answer {
        let members = self.members(identity, instance, now);
        no_store(match format {
            Format::Json => {
                let members = members.into_iter().map(|(name, value)| (name.to_owned(), Json::String(value)));
                Answer::json(200, &Json::Object(members.collect()))
            }
            Format::Form => {
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
                Answer::text(200, "application/x-www-form-urlencoded;charset=UTF-8", body)
            }
            Format::Xml => {
                let mut body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><OAuth>".to_owned();
                for (name, value) in members {
                    // Writing to a text cannot fail.
                    let _ = write!(body, "<{name}>{}</{name}>", escape(&value));
                }
                Answer::text(200, "application/xml;charset=UTF-8", body + "</OAuth>")
            }
        })
    }
}

/// The form of a token answer: `format`, or else `Accept` (wire facts 1.2). [K] The shape of the XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Form,
    Xml,
}

impl Format {
    pub(super) fn of(request: &Request, form: &Form) -> Self {
        let accept = request.header("accept").unwrap_or_default();
        let first = accept.split([',', ';']).next().unwrap_or_default().trim();
        match form.get("format").unwrap_or(first) {
            "urlencoded" | "application/x-www-form-urlencoded" => Self::Form,
            "xml" | "application/xml" => Self::Xml,
            _ => Self::Json,
        }
    }
}
