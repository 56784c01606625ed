//! Apps as an org registers them: connected apps and external client apps.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::DecodingKey;
use sha2::Sha256;

use super::random;
use super::scope::Scopes;

/// Who may use an app.
#[derive(Clone, Debug)]
enum Permitted {
    /// "All users may self-authorize".
    SelfAuthorized,
    /// "Admin approved users are pre-authorized": all users, or these.
    AdminApproved(Option<Vec<String>>),
}

/// An app to register with [`MockOrg::add_app`](crate::testing::org::MockOrg::add_app), with the boxes of its page in
/// Setup.
///
/// A new one is as an external client app is made today: PKCE and a secret required, every user may approve it, refresh
/// tokens are valid until revoked and do not rotate, no client-credentials or password flow (wire facts 1.2, 1.5).
/// Its scopes are `api` and `refresh_token`.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a box of the app's page in Setup")]
pub struct AppSpec {
    pub(crate) name: String,
    callbacks: Vec<String>,
    any_loopback: bool,
    pub(crate) scopes: Scopes,
    pub(crate) pkce_required: bool,
    pub(crate) public: bool,
    pub(crate) secret_on_refresh: bool,
    pub(crate) rotates: bool,
    pub(crate) refresh_lifetime: Option<TimeDelta>,
    pub(crate) refresh_idle: Option<TimeDelta>,
    pub(crate) session_timeout: Option<TimeDelta>,
    pub(crate) client_credentials: bool,
    pub(crate) run_as: Option<String>,
    pub(crate) password_flow: bool,
    certificate: Option<Certificate>,
    permitted: Permitted,
    pub(crate) blocked: bool,
    pub(crate) installed: bool,
    pub(crate) jwt_tokens: bool,
}

/// A key to check assertions with; its Debug shows nothing of it.
#[derive(Clone)]
struct Certificate(DecodingKey);

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificate")
    }
}

fn delta(time: Duration) -> TimeDelta {
    TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX)
}

impl AppSpec {
    /// An app of that name, which the consent page shows.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            callbacks: Vec::new(),
            any_loopback: false,
            scopes: Scopes::parse("api refresh_token"),
            pkce_required: true,
            public: false,
            secret_on_refresh: true,
            rotates: false,
            refresh_lifetime: None,
            refresh_idle: None,
            session_timeout: None,
            client_credentials: false,
            run_as: None,
            password_flow: false,
            certificate: None,
            permitted: Permitted::SelfAuthorized,
            blocked: false,
            installed: true,
            jwt_tokens: false,
        }
    }

    /// Ticks "Issue JSON Web Token (JWT)-based access tokens": REST takes them, SOAP does not.
    #[must_use]
    pub fn jwt_access_tokens(mut self) -> Self {
        self.jwt_tokens = true;
        self
    }

    /// A callback URL; a request must name one of them letter by letter.
    #[must_use]
    pub fn callback(mut self, url: &str) -> Self {
        self.callbacks.push(url.to_owned());
        self
    }

    /// Takes any redirect URL on this machine: http or https on `localhost`, `127.0.0.0/8` or `[::1]`, any port and path.
    /// An org has no such box; it spares tests to know their port beforehand.
    #[must_use]
    pub fn any_loopback(mut self) -> Self {
        self.any_loopback = true;
        self
    }

    /// The scopes it may ask for, parted by blanks, in place of the former.
    #[must_use]
    pub fn scopes(mut self, scopes: &str) -> Self {
        self.scopes = Scopes::parse(scopes);
        self
    }

    /// Unticks "Require Proof Key for Code Exchange". A challenge that is sent is checked all the same.
    #[must_use]
    pub fn without_pkce(mut self) -> Self {
        self.pkce_required = false;
        self
    }

    /// Ticks "Require Proof Key for Code Exchange", as new apps have it.
    #[must_use]
    pub fn require_pkce(mut self) -> Self {
        self.pkce_required = true;
        self
    }

    /// A public client: it has no secret, and a request that carries one is refused (wire facts 1.2).
    #[must_use]
    pub fn public(mut self) -> Self {
        self.public = true;
        self
    }

    /// Unticks "Require Secret for Refresh Token Flow". A wrong secret is refused all the same.
    #[must_use]
    pub fn refresh_without_secret(mut self) -> Self {
        self.secret_on_refresh = false;
        self
    }

    /// Refresh tokens are good for one use; the second revokes the whole connection (wire facts 1.3).
    #[must_use]
    pub fn rotate_refresh_tokens(mut self) -> Self {
        self.rotates = true;
        self
    }

    /// Refresh tokens die that long after the approval, however much they are used.
    #[must_use]
    pub fn refresh_tokens_last(mut self, time: Duration) -> Self {
        self.refresh_lifetime = Some(delta(time));
        self
    }

    /// Refresh tokens die when they were not used for that long.
    #[must_use]
    pub fn refresh_tokens_idle(mut self, time: Duration) -> Self {
        self.refresh_idle = Some(delta(time));
        self
    }

    /// "Immediately expire refresh token": they are handed out dead.
    #[must_use]
    pub fn refresh_tokens_expire_at_once(self) -> Self {
        self.refresh_tokens_last(Duration::ZERO)
    }

    /// Idle time after which the app's access tokens die, in place of the org's.
    #[must_use]
    pub fn session_timeout(mut self, time: Duration) -> Self {
        self.session_timeout = Some(delta(time));
        self
    }

    /// Ticks "Enable Client Credentials Flow"; it works once [`AppSpec::run_as`] names a user.
    #[must_use]
    pub fn client_credentials(mut self) -> Self {
        self.client_credentials = true;
        self
    }

    /// The client-credentials flow, as the user of that id.
    #[must_use]
    pub fn run_as(mut self, user_id: &str) -> Self {
        self.run_as = Some(user_id.to_owned());
        self.client_credentials()
    }

    /// Allows the username-password flow.
    #[must_use]
    pub fn password_flow(mut self) -> Self {
        self.password_flow = true;
        self
    }

    /// The certificate (or RSA public key) that JWT bearer assertions are checked with, as PEM.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn certificate(mut self, pem: &str) -> Self {
        match DecodingKey::from_rsa_pem(pem.as_bytes()) {
            Ok(key) => self.certificate = Some(Certificate(key)),
            Err(error) => panic!("{}: not a certificate or RSA public key in PEM: {error}", self.name),
        }
        self
    }

    /// "Admin approved users are pre-authorized", with every user approved.
    #[must_use]
    pub fn pre_authorized(mut self) -> Self {
        self.permitted = Permitted::AdminApproved(None);
        self
    }

    /// "Admin approved users are pre-authorized", with these users approved, by id.
    #[must_use]
    pub fn pre_authorized_for(mut self, user_ids: &[&str]) -> Self {
        self.permitted = Permitted::AdminApproved(Some(user_ids.iter().map(|&id| id.to_owned()).collect()));
        self
    }

    /// An admin blocks the app: `OAUTH_APP_BLOCKED`.
    #[must_use]
    pub fn blocked(mut self) -> Self {
        self.blocked = true;
        self
    }

    /// The app is not installed in the org, and its users may not approve it: `OAUTH_APPROVAL_ERROR_GENERIC`.
    #[must_use]
    pub fn not_installed(mut self) -> Self {
        self.installed = false;
        self
    }

    /// Whether an answer may be sent to that URL.
    pub(super) fn redirects_to(&self, uri: &str) -> bool {
        // It goes into a header as it is.
        let plain = uri.bytes().all(|byte| byte.is_ascii_graphic());
        plain && (self.callbacks.iter().any(|known| known == uri) || (self.any_loopback && is_loopback(uri)))
    }

    pub(super) fn key(&self) -> Option<&DecodingKey> {
        self.certificate.as_ref().map(|Certificate(key)| key)
    }

    /// `None`: users approve for themselves; else whether an admin did so for this one.
    pub(super) fn admin_approved(&self, user: &str) -> Option<bool> {
        match &self.permitted {
            Permitted::SelfAuthorized => None,
            Permitted::AdminApproved(users) => {
                Some(users.as_ref().is_none_or(|users| users.iter().any(|known| known == user)))
            }
        }
    }
}

fn is_loopback(uri: &str) -> bool {
    let Ok(url) = url::Url::parse(uri) else { return false };
    let host = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    host && bare && matches!(url.scheme(), "http" | "https")
}

/// A registered app: its settings and what Salesforce made up for it.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) spec: AppSpec,
}

impl App {
    pub(crate) fn new(spec: AppSpec) -> Self {
        Self { client_id: format!("3MVG9{}", random(80)), client_secret: random(64).to_uppercase(), spec }
    }

    /// base64 of HMAC-SHA-256 over identity URL and `issued_at`, keyed with the client secret [S].
    pub(super) fn sign(&self, id: &str, issued_at: &str) -> String {
        // A key of any length is a key.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.client_secret.as_bytes()) else { return String::new() };
        mac.update(id.as_bytes());
        mac.update(issued_at.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

/// What a client of a registered app must know.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestApp {
    /// The consumer key.
    pub client_id: String,
    /// The consumer secret; blank for a public client.
    pub client_secret: String,
}

impl From<&App> for TestApp {
    fn from(app: &App) -> Self {
        let secret = if app.spec.public { String::new() } else { app.client_secret.clone() };
        Self { client_id: app.client_id.clone(), client_secret: secret }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for uri in ["http://127.0.0.1:8080/cb", "http://localhost/", "https://[::1]:4/x?y=z", "http://127.9.9.9/"] {
            assert!(is_loopback(uri), "{uri}");
        }
        for uri in [
            "http://127.0.0.1.evil.com/",
            "http://localhost.evil.com/",
            "http://a@127.0.0.1/",
            "http://127.0.0.1/#x",
            "ftp://127.0.0.1/",
            "app://localhost",
            "127.0.0.1",
            "",
        ] {
            assert!(!is_loopback(uri), "{uri}");
        }
    }

    #[test]
    fn a_callback_is_compared_letter_by_letter() {
        let app = AppSpec::new("App").callback("https://app.example.com/cb");
        assert!(app.redirects_to("https://app.example.com/cb"));
        for uri in ["https://app.example.com/cb/", "https://app.example.com/cb?x", "http://127.0.0.1/cb", ""] {
            assert!(!app.redirects_to(uri), "{uri}");
        }
        assert!(!AppSpec::new("App").any_loopback().redirects_to("http://127.0.0.1/a\r\nb"));
    }
}
