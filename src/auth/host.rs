//! Which hosts may see credentials and tokens. Pure.

use std::fmt;

use url::Url;

use crate::error::{Error, ErrorKind};
use crate::http::is_loopback;

/// Longer than any address Salesforce hands out.
const MAX_ADDRESS: usize = 2048;

/// Domains that only Salesforce gives names in. Sites of customers are elsewhere (`force.com`, `my.site.com`), and get no token.
const DOMAINS: [&str; 2] = ["salesforce.com", "salesforce.mil"];

/// What is done at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostUse {
    /// Logging in, asking for tokens, and the identity URL: `login`, `test`, or an org's own host.
    Login,
    /// The org's APIs, their next pages and redirects: an org's own host.
    Org,
    /// The Pub/Sub API: `api.pubsub.salesforce.com` and its regions, on port 443 or 7443.
    PubSub,
}

/// Whether an org is for real work, or a copy for trying out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Environment {
    /// Logs in at `login.salesforce.com`: production, Developer Edition, demo and trial orgs.
    Production,
    /// Logs in at `test.salesforce.com`: sandboxes and scratch orgs.
    Sandbox,
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        })
    }
}

/// Which hosts may see credentials and tokens: https, and Salesforce's own domains.
///
/// One policy holds for every address that a token is sent to: log-in, token, instance, identity, next page, redirect and
/// Pub/Sub. Accepted under `salesforce.com` and `salesforce.mil`:
///
/// - `login` and `test`, for [`HostUse::Login`];
/// - `<My Domain>.my`, also with a partition or instance between: `acme--uat.sandbox.my`, `x.scratch.my`, `x.develop.my`,
///   `x.demo.my`, `x.trailblaze.my`, `x.patch.my`, `x.cs40.my`;
/// - instances: `na31`, `eu55`, `cs12`, `na12-api`, `usa2s.sfdc-abc`;
/// - `api.pubsub` and `api.<region>.pubsub`, for [`HostUse::PubSub`].
///
/// Refused are user names in the address, ports, a dot at the end, addresses that are not plain ASCII or that two parsers could
/// read in two ways, and every other host: sites of customers as well (`*.force.com`, `*.my.site.com`).
///
/// Sources: Help, "My Domain URL Formats"; Metadata API guide, `MyDomainSettings.domainPartition`; Pub/Sub API guide, "Pub/Sub
/// API Endpoints"; instance names from recorded answers and sfdx-core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HostPolicy {
    loopback: bool,
}

impl HostPolicy {
    /// Salesforce's hosts only.
    #[must_use]
    pub const fn salesforce() -> Self {
        Self { loopback: false }
    }

    /// This machine's own addresses too, by http or https on any port: for a mock org, never for production.
    #[must_use]
    pub const fn allowing_loopback() -> Self {
        Self { loopback: true }
    }

    /// Whether this machine's own addresses are allowed.
    #[must_use]
    pub const fn allows_loopback(self) -> bool {
        self.loopback
    }

    /// Reads an address that is to be used so.
    ///
    /// # Errors
    ///
    /// What is wrong with it. No error quotes the address.
    pub fn check(self, address: &str, used_for: HostUse) -> Result<Url, HostRefused> {
        // `Url` would strip, fold or decode these, and another parser might not.
        if address.len() > MAX_ADDRESS || !address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return Err(HostRefused::NotAnAddress);
        }
        let (_, rest) = address.split_once("://").ok_or(HostRefused::NotAnAddress)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(HostRefused::UserInfo);
        }
        let url = Url::parse(address).map_err(|_| HostRefused::NotAnAddress)?;
        let (host, port) = split_port(authority);
        // What is checked is what is written and what is connected to: no `%2e`, no `0x7f.1`.
        let host = host.to_ascii_lowercase();
        if url.host_str() != Some(&host) {
            return Err(HostRefused::NotAnAddress);
        }
        if self.loopback && matches!(url.scheme(), "http" | "https") && is_loopback(&url) {
            return Ok(url);
        }
        if url.scheme() != "https" {
            return Err(HostRefused::NotHttps);
        }
        let known_port = match port {
            None | Some("443") => true,
            Some("7443") => used_for == HostUse::PubSub,
            Some(_) => false,
        };
        if !known_port {
            return Err(HostRefused::Port);
        }
        let fits = match (kind_of(&host), used_for) {
            (Some(HostKind::Org(_)), HostUse::Login | HostUse::Org)
            | (Some(HostKind::Shared(_)), HostUse::Login)
            | (Some(HostKind::PubSub), HostUse::PubSub) => true,
            (_, _) => false,
        };
        if fits { Ok(url) } else { Err(HostRefused::Foreign) }
    }
}

/// Why an address gets neither credentials nor tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostRefused {
    /// No web address, or one that two parsers could read in two ways.
    #[error("not a plain web address")]
    NotAnAddress,
    /// Anything but https.
    #[error("the address is not https")]
    NotHttps,
    /// `user:password@host`.
    #[error("the address has a user name in it")]
    UserInfo,
    /// A port that the host does not serve.
    #[error("the address has a port in it")]
    Port,
    /// A host that is not Salesforce's, or not for this use.
    #[error("the host is not one of Salesforce's for this use")]
    Foreign,
}

impl From<HostRefused> for Error {
    fn from(refused: HostRefused) -> Self {
        Self::new(ErrorKind::Config, "host", refused.to_string())
    }
}

/// The kind of org behind a host; `None` where the host does not tell, as on this machine.
pub(super) fn environment_of(host: &str) -> Option<Environment> {
    match kind_of(host)? {
        HostKind::Shared(environment) | HostKind::Org(environment) => Some(environment),
        HostKind::PubSub => None,
    }
}

/// Whether a host serves the log-ins of all orgs.
pub(super) fn is_shared(host: &str) -> bool {
    matches!(kind_of(host), Some(HostKind::Shared(_)))
}

enum HostKind {
    /// `login` and `test`.
    Shared(Environment),
    /// One org, or the orgs of one instance.
    Org(Environment),
    PubSub,
}

/// Takes lower case.
fn kind_of(host: &str) -> Option<HostKind> {
    let name = DOMAINS.iter().find_map(|domain| host.strip_suffix(domain)?.strip_suffix('.'))?;
    let labels: Vec<&str> = name.split('.').collect();
    if !labels.iter().all(|label| is_label(label)) {
        return None;
    }
    match labels[..] {
        ["login"] => Some(HostKind::Shared(Environment::Production)),
        ["test"] => Some(HostKind::Shared(Environment::Sandbox)),
        [instance] => instance_environment(instance).map(HostKind::Org),
        // Seen in sfdx-core: usa2s.sfdc-whatever.salesforce.com.
        [instance, cell] if cell.starts_with("sfdc-") => instance_environment(instance).map(HostKind::Org),
        [name, "my"] => Some(HostKind::Org(by_name(name))),
        [name, partition, "my"] => Some(HostKind::Org(match partition {
            "sandbox" | "scratch" => Environment::Sandbox,
            other => instance_environment(other).unwrap_or_else(|| by_name(name)),
        })),
        ["api", "pubsub"] => Some(HostKind::PubSub),
        ["api", region, "pubsub"] if region.len() <= 8 => Some(HostKind::PubSub),
        _ => None,
    }
}

/// Before enhanced domains a sandbox was `acme--uat.my`; no other org may have two hyphens in its name.
fn by_name(name: &str) -> Environment {
    if name.contains("--") { Environment::Sandbox } else { Environment::Production }
}

/// Instances are letters and a number: `na31`, `eu55`, `usa77`, `na12-api`. Those of sandboxes start with `cs`, or end in `s`
/// (`usa2s`).
fn instance_environment(label: &str) -> Option<Environment> {
    let name = label.strip_suffix("-api").unwrap_or(label);
    let letters = name.bytes().take_while(u8::is_ascii_lowercase).count();
    let (prefix, rest) = name.split_at(letters);
    let number = rest.strip_suffix('s').unwrap_or(rest);
    let digits = (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    if !(2..=5).contains(&prefix.len()) || !digits {
        return None;
    }
    let sandbox = prefix == "cs" || rest.ends_with('s');
    Some(if sandbox { Environment::Sandbox } else { Environment::Production })
}

/// RFC 1123: letters, digits and hyphens, no hyphen at an end.
fn is_label(label: &str) -> bool {
    let known = label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    known && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    // The colons inside the brackets of an IPv6 address are none of a port.
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STRICT: HostPolicy = HostPolicy::salesforce();

    #[test]
    fn every_documented_form_of_an_orgs_host_is_taken() {
        for host in [
            "acme.my.salesforce.com",
            "acme--uat.sandbox.my.salesforce.com",
            "acme--uat.my.salesforce.com",
            "acme-dev-ed.develop.my.salesforce.com",
            "acme.scratch.my.salesforce.com",
            "acme.demo.my.salesforce.com",
            "acme.trailblaze.my.salesforce.com",
            "acme.patch.my.salesforce.com",
            "acme.free.my.salesforce.com",
            "acme.stage.my.salesforce.com",
            "data-platform-9432-dev-ed.cs40.my.salesforce.com",
            "na31.salesforce.com",
            "na12-api.salesforce.com",
            "usa2s.sfdc-5pakla.salesforce.com",
            "acme.my.salesforce.mil",
        ] {
            let address = format!("https://{host}/services/data");
            for used_for in [HostUse::Login, HostUse::Org] {
                assert_eq!(STRICT.check(&address, used_for).expect(host).host_str(), Some(host));
            }
            assert_eq!(STRICT.check(&address, HostUse::PubSub), Err(HostRefused::Foreign), "{host}");
        }
        for host in ["login.salesforce.com", "test.salesforce.com", "login.salesforce.mil"] {
            let address = format!("https://{host}");
            STRICT.check(&address, HostUse::Login).expect(host);
            assert_eq!(STRICT.check(&address, HostUse::Org), Err(HostRefused::Foreign), "all orgs share {host}");
        }
    }

    #[test]
    fn upper_case_and_the_port_of_https_are_the_same_host() {
        let url = STRICT.check("HTTPS://ACME.My.Salesforce.Com:443/x", HostUse::Org).expect("the same host");
        assert_eq!(url.as_str(), "https://acme.my.salesforce.com/x");
    }

    #[test]
    fn the_pub_sub_hosts_of_each_region_have_two_ports() {
        for host in ["api.pubsub.salesforce.com", "api.deu.pubsub.salesforce.com"] {
            for port in ["", ":443", ":7443"] {
                STRICT.check(&format!("https://{host}{port}"), HostUse::PubSub).expect(host);
            }
            assert_eq!(STRICT.check(&format!("https://{host}"), HostUse::Org), Err(HostRefused::Foreign));
            assert_eq!(STRICT.check(&format!("https://{host}:8443"), HostUse::PubSub), Err(HostRefused::Port));
        }
        let evil = "https://api.deu.pubsub.evil-salesforce.com:7443";
        assert_eq!(STRICT.check(evil, HostUse::PubSub), Err(HostRefused::Foreign));
    }

    #[test]
    fn what_only_looks_like_salesforce_is_refused() {
        use HostRefused as R;
        for (address, why) in [
            ("https://evil-salesforce.com", R::Foreign),
            ("https://evilmy.salesforce.com", R::Foreign),
            ("https://my.salesforce.com", R::Foreign),
            ("https://salesforce.com", R::Foreign),
            ("https://www.salesforce.com", R::Foreign),
            ("https://my.salesforce.com.evil.com", R::Foreign),
            ("https://acme.my.salesforce.com.evil.com", R::Foreign),
            ("https://acme.my.salesforce.community", R::Foreign),
            ("https://acme.my-salesforce.com", R::Foreign),
            ("https://acme.my.site.com", R::Foreign),
            ("https://acme.lightning.force.com", R::Foreign),
            ("https://acme.my.salesforce-sites.com", R::Foreign),
            ("https://acme.my.salesforce-setup.com", R::Foreign),
            ("https://acme.my.salesforce.com.", R::Foreign),
            ("https://.my.salesforce.com", R::Foreign),
            ("https://-.my.salesforce.com", R::Foreign),
            ("https://a.b.c.d.my.salesforce.com", R::Foreign),
            ("https://[::1]", R::Foreign),
            ("https://127.0.0.1", R::Foreign),
            ("https://user@acme.my.salesforce.com", R::UserInfo),
            ("https://acme.my.salesforce.com@evil.com", R::UserInfo),
            ("https://acme.my.salesforce.com:pw@evil.com", R::UserInfo),
            ("https://@acme.my.salesforce.com", R::UserInfo),
            ("https://acme.my.salesforce.com:8443", R::Port),
            ("https://acme.my.salesforce.com:7443", R::Port),
            ("https://acme.my.salesforce.com:80", R::Port),
            ("https://acme.my.salesforce.com:", R::Port),
            ("http://acme.my.salesforce.com", R::NotHttps),
            ("http://127.0.0.1:8080", R::NotHttps),
            ("ftp://acme.my.salesforce.com", R::NotHttps),
            // Cyrillic and full-width letters, an invisible one, and an escaped dot.
            ("https://acme.my.sаlesforce.com", R::NotAnAddress),
            ("https://acme.my.ｓalesforce.com", R::NotAnAddress),
            ("https://acme.my.sales\u{ad}force.com", R::NotAnAddress),
            ("https://acme.my.xn--slesforce-5fg.com", R::Foreign),
            ("https://acme.my.salesforce%2ecom", R::NotAnAddress),
            ("https://evil.com\\.my.salesforce.com", R::NotAnAddress),
            ("https://evil.com\t.my.salesforce.com", R::NotAnAddress),
            ("https:acme.my.salesforce.com", R::NotAnAddress),
            ("https:///acme.my.salesforce.com", R::NotAnAddress),
            ("//acme.my.salesforce.com", R::NotAnAddress),
            ("acme.my.salesforce.com", R::NotAnAddress),
            ("javascript://acme.my.salesforce.com", R::NotHttps),
            ("", R::NotAnAddress),
        ] {
            assert_eq!(STRICT.check(address, HostUse::Login), Err(why), "{address}");
        }
        let long = format!("https://acme.my.salesforce.com/{}", "a".repeat(MAX_ADDRESS));
        assert_eq!(STRICT.check(&long, HostUse::Org), Err(R::NotAnAddress));
    }

    #[test]
    fn this_machine_is_allowed_only_where_the_caller_says_so() {
        let open = HostPolicy::allowing_loopback();
        for address in ["http://127.0.0.1:8080", "http://localhost:1/x", "https://[::1]:443", "http://127.9.9.9"] {
            for used_for in [HostUse::Login, HostUse::Org, HostUse::PubSub] {
                open.check(address, used_for).expect(address);
            }
            STRICT.check(address, HostUse::Org).expect_err(address);
        }
        for address in
            ["http://127.0.0.1.evil.com", "http://10.0.0.1", "http://0x7f.1", "http://2130706433", "http://u@127.0.0.1"]
        {
            open.check(address, HostUse::Org).expect_err(address);
        }
        open.check("https://acme.my.salesforce.com", HostUse::Org).expect("and Salesforce's still");
        assert_eq!(open.check("https://evil.com", HostUse::Org), Err(HostRefused::Foreign));
    }

    #[test]
    fn a_host_tells_its_environment() {
        for (host, environment) in [
            ("login.salesforce.com", Some(Environment::Production)),
            ("test.salesforce.com", Some(Environment::Sandbox)),
            ("acme.my.salesforce.com", Some(Environment::Production)),
            ("acme--uat.my.salesforce.com", Some(Environment::Sandbox)),
            ("acme--uat.sandbox.my.salesforce.com", Some(Environment::Sandbox)),
            ("acme.scratch.my.salesforce.com", Some(Environment::Sandbox)),
            ("acme.develop.my.salesforce.com", Some(Environment::Production)),
            ("acme-dev-ed.cs40.my.salesforce.com", Some(Environment::Sandbox)),
            ("cs12.salesforce.com", Some(Environment::Sandbox)),
            ("usa2s.sfdc-5pakla.salesforce.com", Some(Environment::Sandbox)),
            ("eu55.salesforce.com", Some(Environment::Production)),
            ("api.pubsub.salesforce.com", None),
            ("127.0.0.1", None),
        ] {
            assert_eq!(environment_of(host), environment, "{host}");
        }
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "https",
            "http",
            "HTTPS",
            "://",
            ":",
            "/",
            "//",
            "\\",
            "@",
            ".",
            "-",
            "%2e",
            "%40",
            "?",
            "#",
            "443",
            "7443",
            "my",
            "acme",
            "login",
            "test",
            "salesforce",
            "Salesforce",
            "com",
            "mil",
            "evil",
            "sandbox",
            "api",
            "pubsub",
            "localhost",
            "127.0.0.1",
            "[::1]",
            "xn--",
            "а",
            "\u{ad}",
            "\t",
            "\n",
            " ",
            "ｓ",
            "。",
        ]);
        prop::collection::vec(piece, 0..14).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn no_accepted_address_leads_off_the_list(
            text in prop_oneof![pieces(), pieces().prop_map(|rest| format!("https://{rest}")),
                pieces().prop_map(|rest| format!("https://acme.my.salesforce.com{rest}")), any::<String>()],
            used_for in prop::sample::select(vec![HostUse::Login, HostUse::Org, HostUse::PubSub]),
        ) {
            if let Ok(url) = STRICT.check(&text, used_for) {
                let host = url.host_str().expect("a host");
                prop_assert!(host.ends_with(".salesforce.com") || host.ends_with(".salesforce.mil"), "{text}");
                prop_assert_eq!(url.scheme(), "https");
                prop_assert!(url.username().is_empty() && url.password().is_none());
                prop_assert!(matches!(url.port(), None | Some(7443)), "{}", text);
                // Any other parser that looks for the host between `//` and the first of `/?#` finds the same one.
                let naive = text.split("://").nth(1).expect("a host").split(['/', '?', '#', ':']).next().expect("one");
                prop_assert_eq!(naive.to_ascii_lowercase(), host);
                // What was accepted stays accepted as it is written out.
                prop_assert_eq!(STRICT.check(url.as_str(), used_for), Ok(url.clone()));
            }
        }
    }
}
