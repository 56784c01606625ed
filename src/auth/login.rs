//! Where an org logs in.

use std::fmt;

use url::Url;

use crate::error::{Error, ErrorKind, Result};
use crate::http::is_loopback;

/// The host that hands out tokens: production, sandbox, or an org's My Domain.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginHost(Url);

impl LoginHost {
    /// `https://login.salesforce.com`: production and Developer Edition orgs.
    #[must_use]
    pub fn production() -> Self {
        Self::fixed("https://login.salesforce.com/")
    }

    /// `https://test.salesforce.com`: sandboxes.
    #[must_use]
    pub fn sandbox() -> Self {
        Self::fixed("https://test.salesforce.com/")
    }

    #[expect(clippy::expect_used, reason = "the two constants are URLs, as a test shows")]
    fn fixed(url: &str) -> Self {
        Self(Url::parse(url).expect("a constant"))
    }

    /// An org's My Domain, such as `https://acme.my.salesforce.com` or `acme--uat.sandbox.my.salesforce.com`. What follows
    /// the host is ignored. Plain `http` is accepted for this machine's own addresses, where a mock org listens.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for what is no web address, has credentials in it, or is not https.
    pub fn my_domain(address: &str) -> Result<Self> {
        let config = |message| {
            Error::new(ErrorKind::Config, "login", message)
                .with_advice("give the org's My Domain, such as https://acme.my.salesforce.com")
        };
        let address = address.trim();
        let with_scheme = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
        let mut url = Url::parse(&with_scheme).map_err(|error| config("not a web address").with_source(error))?;
        if url.host().is_none() || !url.username().is_empty() || url.password().is_some() {
            return Err(config("not the address of an org"));
        }
        let local_http = url.scheme() == "http" && is_loopback(&url);
        if url.scheme() != "https" && !local_http {
            return Err(config("the address is not https"));
        }
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// Whether this is one of the two hosts that all orgs share.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.0.host_str(), Some("login.salesforce.com" | "test.salesforce.com"))
    }

    /// The token endpoint.
    pub(crate) fn token_url(&self) -> Url {
        let mut url = self.0.clone();
        url.set_path("/services/oauth2/token");
        url
    }

    /// Reads the `instance_url` of a token answer: https, or this machine where the login was on this machine too.
    pub(crate) fn instance_url(&self, text: &str) -> Result<Url> {
        let foreign = || Error::new(ErrorKind::Auth, "token", "the token answer names no usable instance address");
        let url = Url::parse(text).map_err(|error| foreign().with_source(error))?;
        let local_http = url.scheme() == "http" && is_loopback(&url) && is_loopback(&self.0);
        if url.host().is_some() && url.username().is_empty() && (url.scheme() == "https" || local_http) {
            Ok(url)
        } else {
            Err(foreign())
        }
    }
}

impl fmt::Display for LoginHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for LoginHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nav_21_production_sandbox_and_my_domain_are_told_apart() {
        assert_eq!(LoginHost::production().token_url().as_str(), "https://login.salesforce.com/services/oauth2/token");
        assert_eq!(LoginHost::sandbox().token_url().as_str(), "https://test.salesforce.com/services/oauth2/token");
        let own = LoginHost::my_domain(" acme--uat.sandbox.my.salesforce.com/lightning?x=1 ").expect("a My Domain");
        assert_eq!(own.to_string(), "https://acme--uat.sandbox.my.salesforce.com");
        assert!(LoginHost::production().is_shared() && LoginHost::sandbox().is_shared() && !own.is_shared());
    }

    #[test]
    fn an_address_that_would_leak_the_secret_is_refused() {
        for address in [
            "http://acme.my.salesforce.com",
            "ftp://acme.my.salesforce.com",
            "https://u:p@acme.my.salesforce.com",
            "",
            "https://",
            "http://127.0.0.1.evil.com",
        ] {
            assert_eq!(LoginHost::my_domain(address).expect_err(address).kind(), ErrorKind::Config);
        }
        LoginHost::my_domain("http://127.0.0.1:8080").expect("a mock org on this machine");
        LoginHost::my_domain("http://[::1]:8080").expect("a mock org on this machine");
    }

    #[test]
    fn an_instance_on_plain_http_is_refused_unless_all_is_local() {
        let org = LoginHost::my_domain("acme.my.salesforce.com").expect("a My Domain");
        assert!(org.instance_url("https://acme.my.salesforce.com").is_ok());
        assert!(org.instance_url("http://acme.my.salesforce.com").is_err());
        assert!(org.instance_url("http://127.0.0.1:1").is_err());
        assert!(LoginHost::my_domain("http://localhost:1").expect("local").instance_url("http://127.0.0.1:1").is_ok());
    }
}
