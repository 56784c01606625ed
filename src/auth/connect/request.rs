//! What goes into the dance, and what comes out.

use std::fmt;
use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::auth::{AccessToken, Environment, LoginHost, Scopes};
use crate::types::{RecordId, Secret};

/// RFC 3986, 2.3: what needs no escaping anywhere.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Who wants to connect which kind of org.
#[derive(Clone)]
pub struct ConnectRequest {
    pub(super) tenant: String,
    pub(super) connection: String,
    pub(super) login: LoginHost,
    pub(super) org: Option<RecordId>,
    login_hint: Option<String>,
    prompt: Option<&'static str>,
    popup: bool,
}

impl ConnectRequest {
    /// A tenant of the product, by its id, and where its org logs in: [`LoginHost::production`], [`LoginHost::sandbox`] or
    /// [`LoginHost::my_domain`].
    pub fn new(tenant: impl Into<String>, login: LoginHost) -> Self {
        Self {
            tenant: tenant.into(),
            connection: "default".to_owned(),
            login,
            org: None,
            login_hint: None,
            prompt: None,
            popup: false,
        }
    }

    /// Which of the tenant's connections this is, where it has several; `default` unless set.
    #[must_use]
    pub fn connection(mut self, id: impl Into<String>) -> Self {
        self.connection = id.into();
        self
    }

    /// The org that must answer: for a reconnect. Another one is [`ConnectError::WrongOrg`](super::ConnectError::WrongOrg).
    #[must_use]
    pub fn expect_org(mut self, org: RecordId) -> Self {
        self.org = Some(org);
        self
    }

    /// Fills the user name in on the log-in page.
    #[must_use]
    pub fn login_hint(mut self, username: impl Into<String>) -> Self {
        self.login_hint = Some(username.into());
        self
    }

    /// Has the person log in again, whoever is logged in at the browser: for a reconnect after the wrong org.
    #[must_use]
    pub fn ask_to_log_in(mut self) -> Self {
        self.prompt = Some("login");
        self
    }

    /// Asks for pages that fit a pop-up window.
    #[must_use]
    pub fn in_popup(mut self) -> Self {
        self.popup = true;
        self
    }

    pub(crate) fn tenant(&self) -> &str {
        &self.tenant
    }

    pub(crate) fn connection_id(&self) -> &str {
        &self.connection
    }

    /// The kind of org that was chosen, where the login host tells it.
    pub(crate) fn environment(&self) -> Option<Environment> {
        self.login.environment()
    }

    pub(super) fn authorize_url(
        &self,
        client_id: &str,
        redirect_uri: &str,
        scopes: &Scopes,
        state: &Secret,
        challenge: &str,
    ) -> Url {
        let scopes = scopes.to_string();
        let mut members = vec![
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", redirect_uri),
            ("scope", &scopes),
            ("state", state.expose()),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ];
        members.extend(self.prompt.map(|prompt| ("prompt", prompt)));
        members.extend(self.login_hint.as_deref().map(|name| ("login_hint", name)));
        members.extend(self.popup.then_some(("display", "popup")));
        // Blanks as `%20`, as the guide writes them.
        let pair = |(name, value): &(&str, &str)| format!("{name}={}", utf8_percent_encode(value, UNRESERVED));
        let query: Vec<String> = members.iter().map(pair).collect();
        let mut url = self.login.endpoint("authorize");
        url.set_query(Some(&query.join("&")));
        url
    }
}

impl fmt::Debug for ConnectRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The login hint looks like an email address.
        f.debug_struct("ConnectRequest")
            .field("tenant", &self.tenant)
            .field("connection", &self.connection)
            .field("login", &self.login)
            .field("org", &self.org)
            .finish_non_exhaustive()
    }
}

/// Where to send the browser, by a redirect or in a pop-up window.
#[derive(Clone)]
#[non_exhaustive]
pub struct AuthorizeRequest {
    /// The address. It holds the state, so it belongs to this browser and into no log.
    pub url: Url,
    /// When the attempt ends.
    pub expires_at: SystemTime,
}

impl fmt::Debug for AuthorizeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizeRequest")
            .field("host", &self.url.host_str())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// An org that was connected: its tokens, and who it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connected {
    /// Which of the tenant's connections this is.
    pub connection: String,
    /// Where the org logs in: the place to renew and revoke the tokens.
    pub login: LoginHost,
    /// The access token.
    pub access: AccessToken,
    /// The refresh token; there where it was asked for.
    pub refresh: Option<Secret>,
    /// What was granted; `None` where the org does not tell.
    pub scopes: Option<Scopes>,
    /// The org. Keep it, and give it to [`ConnectRequest::expect_org`] the next time.
    pub org_id: RecordId,
    /// The user who said yes, if the org tells.
    pub user_id: Option<RecordId>,
    /// Sandbox or not; `None` on this machine.
    pub environment: Option<Environment>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nav_20_the_authorize_address_has_all_parts_escaped() {
        let request = ConnectRequest::new("t", LoginHost::sandbox()).login_hint("ada+x@acme.example").ask_to_log_in();
        let url = request.in_popup().authorize_url(
            "3MVG9&x",
            "https://app.example.com/cb?a=b c",
            &Scopes::default(),
            &Secret::from("state-1"),
            "challenge_1",
        );
        assert_eq!(
            url.as_str(),
            "https://test.salesforce.com/services/oauth2/authorize?response_type=code&client_id=3MVG9%26x\
             &redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb%3Fa%3Db%20c&scope=api%20refresh_token&state=state-1\
             &code_challenge=challenge_1&code_challenge_method=S256&prompt=login&login_hint=ada%2Bx%40acme.example\
             &display=popup"
        );
    }

    #[test]
    fn debug_shows_neither_state_nor_user_name() {
        let request = ConnectRequest::new("t", LoginHost::sandbox()).login_hint("ada@acme.example");
        let url = request.authorize_url("id", "https://a.example", &Scopes::default(), &"hunter2".into(), "c");
        let authorize = AuthorizeRequest { url, expires_at: SystemTime::UNIX_EPOCH };
        let shown = format!("{request:?} {authorize:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("ada@"), "{shown}");
    }
}
