//! The company behind an address: domains of email against websites.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::outcome::NoKey;

/// Domains of public mail, at which a company cannot be told. One a line, in order.
const PUBLIC_MAIL: &str = include_str!("public_mail.txt");

static PUBLIC: LazyLock<HashSet<&'static str>> = LazyLock::new(|| PUBLIC_MAIL.lines().collect());

/// Whether a domain is one of public mail (`gmail.com`), or below one. In lower case.
#[must_use]
pub fn is_public_mail(domain: &str) -> bool {
    suffixes(domain).any(|suffix| PUBLIC.contains(suffix))
}

/// A domain, then its parents: `eu.acme.com`, `acme.com`, `com`.
fn suffixes(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| domain.split_once('.').map(|(_, parent)| parent))
}

/// The domains to look a company up by, the longest first: the host itself, then its parents down to the one that somebody
/// registered. What everybody may register below (`co.uk`, `github.io`) is never among them.
pub(super) fn chain(host: &str, exclude: &[String]) -> Result<Vec<String>, NoKey> {
    if is_public_mail(host) {
        return Err(NoKey::PublicMail);
    }
    if suffixes(host).any(|suffix| exclude.iter().any(|excluded| excluded.eq_ignore_ascii_case(suffix))) {
        return Err(NoKey::ExcludedDomain);
    }
    if !host.contains('.') || host.split('.').any(str::is_empty) || host.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err(NoKey::NotADomain);
    }
    // The registered domain: a public suffix and one label more.
    let Some(registered) = psl::domain_str(host) else { return Err(NoKey::PublicSuffix) };
    Ok(suffixes(host).take_while(|suffix| suffix.len() >= registered.len()).map(str::to_owned).collect())
}

/// The host of a website, in lower case and without `www.`, whatever way it is written; `None` for what has none.
#[must_use]
pub fn website_host(website: &str) -> Option<String> {
    let website = website.trim();
    let rest = website.split_once("://").map_or(website, |(_, rest)| rest).trim_start_matches([' ', '/']);
    let authority = rest.split(['/', '?', '#', ' ']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?.trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (host.contains('.') && !host.contains(char::is_whitespace)).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn websites_are_read_however_they_are_written() {
        for website in [
            "acme.example",
            "www.acme.example",
            " HTTP://Acme.example:8080/x?y#z ",
            "https://www.acme.example.",
            "https://user:pw@acme.example/",
            "//acme.example",
            "acme.example (old)",
            "http:// acme.example",
        ] {
            assert_eq!(website_host(website).as_deref(), Some("acme.example"), "{website}");
        }
        for website in ["", "n/a", "not a site.com", "localhost", "@", "://"] {
            assert_eq!(website_host(website), None, "{website}");
        }
    }

    #[test]
    fn public_mail_tells_no_company() {
        assert!(is_public_mail("gmail.com") && is_public_mail("mail.gmail.com") && is_public_mail("hotmail.co.uk"));
        assert!(!is_public_mail("acme.example") && !is_public_mail("notgmail.com") && !is_public_mail("com"));
        let domains: Vec<&str> = PUBLIC_MAIL.lines().collect();
        assert!(domains.is_sorted(), "kept in order, so that one stands there once");
        assert_eq!(domains.len(), PUBLIC.len());
        assert!(domains.iter().all(|domain| domain.contains('.') && *domain == domain.trim().to_lowercase()));
    }

    #[test]
    fn a_parent_domain_counts_and_a_public_suffix_never_does() {
        let chain = |host: &str| chain(host, &["ours.example".into()]);
        let found = |list: &[&str]| Ok(list.iter().map(|&domain| domain.to_owned()).collect::<Vec<_>>());
        assert_eq!(chain("acme.com"), found(&["acme.com"]));
        assert_eq!(chain("mail.eu.acme.com"), found(&["mail.eu.acme.com", "eu.acme.com", "acme.com"]));
        assert_eq!(chain("shop.acme.co.uk"), found(&["shop.acme.co.uk", "acme.co.uk"]));
        assert_eq!(chain("alice.github.io"), found(&["alice.github.io"]));
        assert_eq!(chain("a.acme.example"), found(&["a.acme.example", "acme.example"]), "a name no registry has");
        for suffix in ["co.uk", "github.io", "tokyo.jp"] {
            assert_eq!(chain(suffix), Err(NoKey::PublicSuffix), "{suffix}");
        }
        assert_eq!(chain("mail.gmail.com"), Err(NoKey::PublicMail));
        assert_eq!(chain("eu.ours.example"), Err(NoKey::ExcludedDomain));
        for host in ["localhost", "a..b", ".com", "10.0.0.1", ""] {
            assert_eq!(chain(host), Err(NoKey::NotADomain), "{host}");
        }
    }
}
