//! Where an org logs in.

use std::fmt;

use url::Url;

use super::host::{Environment, HostPolicy, HostUse, environment_of, is_shared};
use crate::error::{Error, ErrorKind, Result};

/// The host that hands out tokens: production, sandbox, or an org's My Domain.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LoginHost {
    url: Url,
    policy: HostPolicy,
}

impl LoginHost {
    /// `https://login.salesforce.com`: production and Developer Edition orgs.
    #[must_use]
    pub fn production() -> Self {
        Self::fixed("https://login.salesforce.com/")
    }

    /// `https://test.salesforce.com`: sandboxes and scratch orgs.
    #[must_use]
    pub fn sandbox() -> Self {
        Self::fixed("https://test.salesforce.com/")
    }

    #[expect(clippy::expect_used, reason = "the two constants are URLs, as a test shows")]
    fn fixed(url: &str) -> Self {
        Self { url: Url::parse(url).expect("a constant"), policy: HostPolicy::salesforce() }
    }

    /// An org's My Domain, such as `https://acme.my.salesforce.com` or `acme--uat.sandbox.my.salesforce.com`. What follows
    /// the host is ignored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for what [`HostPolicy`] refuses: anything but https on a host of Salesforce's.
    pub fn my_domain(address: &str) -> Result<Self> {
        Self::checked(address, HostPolicy::salesforce())
    }

    /// As [`my_domain`](Self::my_domain), and takes this machine's own addresses too, plain `http` included, for the log-in
    /// and for the instance it leads to. For mock orgs; in production it would let a token leave by a local port.
    ///
    /// # Errors
    ///
    /// As [`my_domain`](Self::my_domain).
    pub fn allowing_loopback(address: &str) -> Result<Self> {
        Self::checked(address, HostPolicy::allowing_loopback())
    }

    /// As [`allowing_loopback`](Self::allowing_loopback) where `loopback` says so, else as [`my_domain`](Self::my_domain).
    pub(crate) fn opted_in(address: &str, loopback: bool) -> Result<Self> {
        if loopback { Self::allowing_loopback(address) } else { Self::my_domain(address) }
    }

    pub(super) fn checked(address: &str, policy: HostPolicy) -> Result<Self> {
        let address = address.trim();
        let with_scheme = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
        let mut url = policy.check(&with_scheme, HostUse::Login).map_err(|refused| {
            Error::new(ErrorKind::Config, "login", refused.to_string()).with_advice(advice(&with_scheme))
        })?;
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { url, policy })
    }

    /// Whether this is one of the two hosts that all orgs share.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.url.host_str().is_some_and(is_shared)
    }

    /// The kind of org that logs in here; `None` on this machine.
    #[must_use]
    pub fn environment(&self) -> Option<Environment> {
        environment_of(self.url.host_str()?)
    }

    /// Which hosts the tokens of this log-in may be sent to.
    #[must_use]
    pub fn policy(&self) -> HostPolicy {
        self.policy
    }

    /// An address under `/services/oauth2`.
    pub(super) fn endpoint(&self, name: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("/services/oauth2/{name}"));
        url
    }
}

/// What people paste instead of the My Domain.
fn advice(address: &str) -> &'static str {
    let address = address.to_ascii_lowercase();
    if address.contains(".lightning.force.com") || address.contains(".salesforce-setup.com") {
        "that is the address of a page: the My Domain ends in .my.salesforce.com (Setup > My Domain)"
    } else if address.contains(".site.com") || address.contains(".force.com") {
        "sites get no tokens: give the org's My Domain, such as https://acme.my.salesforce.com"
    } else {
        "give the org's My Domain, such as https://acme.my.salesforce.com"
    }
}

impl fmt::Display for LoginHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
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
        assert_eq!(
            LoginHost::production().endpoint("token").as_str(),
            "https://login.salesforce.com/services/oauth2/token"
        );
        assert_eq!(
            LoginHost::sandbox().endpoint("token").as_str(),
            "https://test.salesforce.com/services/oauth2/token"
        );
        let own = LoginHost::my_domain(" acme--uat.sandbox.my.salesforce.com/lightning?x=1 ").expect("a My Domain");
        assert_eq!(own.to_string(), "https://acme--uat.sandbox.my.salesforce.com");
        assert!(LoginHost::production().is_shared() && LoginHost::sandbox().is_shared() && !own.is_shared());
        let environments = [LoginHost::production(), LoginHost::sandbox(), own].map(|host| host.environment());
        assert_eq!(environments, [Environment::Production, Environment::Sandbox, Environment::Sandbox].map(Some));
    }

    #[test]
    fn an_address_that_would_leak_the_secret_is_refused() {
        for address in [
            "http://acme.my.salesforce.com",
            "ftp://acme.my.salesforce.com",
            "https://u:p@acme.my.salesforce.com",
            "https://evil-salesforce.com",
            "https://acme.my.salesforce.com.evil.com",
            "",
            "https://",
            "http://127.0.0.1:8080",
        ] {
            let error = LoginHost::my_domain(address).expect_err(address);
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.advice().is_some_and(|advice| advice.contains("My Domain")), "{error}");
        }
        LoginHost::allowing_loopback("http://127.0.0.1:8080").expect("the caller opted in");
        LoginHost::allowing_loopback("http://[::1]:8080").expect("the caller opted in");
        LoginHost::allowing_loopback("http://127.0.0.1.evil.com").expect_err("not this machine");
    }

    #[test]
    fn the_address_of_a_page_is_answered_with_what_to_give_instead() {
        let error = LoginHost::my_domain("https://acme.lightning.force.com/lightning/page/home").expect_err("a page");
        assert!(error.to_string().contains("ends in .my.salesforce.com"), "{error}");
    }
}
