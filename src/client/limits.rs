//! What answers say of the org's API calls.

/// Calls used and allowed in the last 24 hours, which roll on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiUsage {
    /// Calls made.
    pub used: u64,
    /// Calls allowed. Paid orgs may go over it for a while.
    pub allowed: u64,
}

impl ApiUsage {
    /// Calls that are left.
    #[must_use]
    pub fn left(self) -> u64 {
        self.allowed.saturating_sub(self.used)
    }
}

/// The org's limits as the last answer told them, in `Sforce-Limit-Info`.
///
/// A hint: neighbouring answers were recorded with numbers that go up and down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrgLimits {
    /// All API calls of the org.
    pub api: ApiUsage,
    /// Calls of this app, where the org limits it.
    pub per_app: Option<ApiUsage>,
}

impl OrgLimits {
    /// Reads `api-usage=18/5000; per-app-api-usage=17/250(appName=x)`; `None` for anything else.
    ///
    /// Source: REST API Developer Guide, "Limit Info Header".
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (mut api, mut per_app) = (None, None);
        for part in header.split([';', ',']) {
            // An app's name may hold anything, separators among it.
            match part.trim().split_once('=') {
                Some(("api-usage", usage)) => api = parse_usage(usage),
                Some(("per-app-api-usage", usage)) => {
                    per_app = parse_usage(usage.split('(').next().unwrap_or_default());
                }
                _ => {}
            }
        }
        Some(Self { api: api?, per_app })
    }
}

fn parse_usage(text: &str) -> Option<ApiUsage> {
    let (used, allowed) = text.trim().split_once('/')?;
    Some(ApiUsage { used: used.parse().ok()?, allowed: allowed.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_headers_are_read() {
        let limits = OrgLimits::parse("api-usage=22/15000").expect("reads");
        assert_eq!(limits, OrgLimits { api: ApiUsage { used: 22, allowed: 15000 }, per_app: None });
        let limits = OrgLimits::parse("api-usage=25/5000; per-app-api-usage=17/250(appName=sample)").expect("reads");
        assert_eq!(limits.per_app, Some(ApiUsage { used: 17, allowed: 250 }));
        assert!(OrgLimits::parse("api-usage=25/5000; per-app-api-usage=17/250(appName=a, b; c);").is_some());
    }

    #[test]
    fn other_headers_are_no_limits() {
        for text in ["", "api-usage", "api-usage=1", "api-usage=a/b", "per-app-api-usage=1/2(appName=x)"] {
            assert_eq!(OrgLimits::parse(text), None, "{text}");
        }
    }
}
