//! What an app may do, in OAuth's words.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// Longer than all of Salesforce's scopes together.
const MAX_TEXT: usize = 2048;

/// Words that ask for the same (Help, "OAuth Tokens and Scopes").
const SYNONYMS: &[&[&str]] = &[&["refresh_token", "offline_access"], &["id", "profile", "email", "address", "phone"]];

/// Words that another one contains (same page).
const CONTAINED: &[(&str, &str)] = &[("web", "visualforce"), ("api", "chatter_api")];

/// A set of OAuth scopes, such as `api refresh_token`, which is the default.
///
/// `api` is what all calls of this crate need; `refresh_token` keeps the connection alive without the person who made it; `id`
/// tells who that person is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// A set of these, each once, in this order.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for none at all, and for a word with a character that no scope has (RFC 6749, 3.3).
    pub fn new<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut words: Vec<String> = Vec::new();
        for scope in scopes {
            let scope = scope.as_ref();
            if !is_scope(scope) {
                return Err(Error::new(ErrorKind::Config, "scopes", "not the name of an OAuth scope")
                    .with_advice("name scopes as the app's page does, such as api and refresh_token"));
            }
            if !words.iter().any(|known| known == scope) {
                words.push(scope.to_owned());
            }
        }
        if words.is_empty() {
            return Err(Error::new(ErrorKind::Config, "scopes", "no scope is named"));
        }
        Ok(Self(words))
    }

    /// Reads what an answer grants; `None` for what is no list of scopes, as if it had told nothing.
    pub(super) fn granted(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        Self::new(text.split_ascii_whitespace()).ok()
    }

    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether this set, as granted, lets an app do what `scope` names.
    ///
    /// `refresh_token` and `offline_access` are one; so are `id`, `profile`, `email`, `address` and `phone`. `full` contains all
    /// others but the refresh token, `web` contains `visualforce`, `api` contains `chatter_api`.
    #[must_use]
    pub fn allow(&self, scope: &str) -> bool {
        let has = |word: &str| self.0.iter().any(|known| known == word);
        let family = SYNONYMS.iter().find(|words| words.contains(&scope));
        has(scope)
            || family.is_some_and(|words| words.iter().any(|word| has(word)))
            || CONTAINED.iter().any(|(whole, part)| *part == scope && has(whole))
            || (has("full") && !is_refresh(scope))
    }

    /// Those of `asked` that this set, as granted, does not allow; `None` if it allows all.
    #[must_use]
    pub fn missing(&self, asked: &Self) -> Option<Self> {
        let missing: Vec<String> = asked.iter().filter(|scope| !self.allow(scope)).map(str::to_owned).collect();
        (!missing.is_empty()).then_some(Self(missing))
    }

    pub(super) fn refresh_token() -> Self {
        Self(vec!["refresh_token".to_owned()])
    }

    /// Whether a refresh token is asked for.
    #[must_use]
    pub fn ask_refresh_token(&self) -> bool {
        self.iter().any(is_refresh)
    }
}

fn is_refresh(scope: &str) -> bool {
    matches!(scope, "refresh_token" | "offline_access")
}

/// RFC 6749, 3.3: printable ASCII but blank, quote and backslash.
fn is_scope(word: &str) -> bool {
    (1..=100).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

impl Default for Scopes {
    fn default() -> Self {
        Self(["api", "refresh_token"].map(str::to_owned).into())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

impl FromStr for Scopes {
    type Err = Error;

    /// Reads names parted by blanks.
    fn from_str(text: &str) -> Result<Self> {
        Self::new(text.split_ascii_whitespace())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        text.parse().expect(text)
    }

    #[test]
    fn granted_is_compared_with_asked_by_meaning() {
        for (granted, asked, missing) in [
            ("refresh_token api", "api refresh_token", None),
            ("api offline_access", "api refresh_token", None),
            ("api", "api refresh_token", Some("refresh_token")),
            ("full", "api web openid custom_permissions", None),
            ("full", "api refresh_token", Some("refresh_token")),
            ("full refresh_token", "api offline_access", None),
            ("id", "email profile", None),
            ("email", "id", None),
            ("web", "visualforce", None),
            ("visualforce", "web", Some("web")),
            ("api", "full", Some("full")),
            ("API", "api", Some("api")),
        ] {
            let found = scopes(granted).missing(&scopes(asked)).map(|missing| missing.to_string());
            assert_eq!(found.as_deref(), missing, "{granted} for {asked}");
        }
    }

    #[test]
    fn a_scope_is_a_word_and_there_is_at_least_one() {
        assert_eq!(scopes(" api  id api ").to_string(), "api id");
        assert_eq!(Scopes::default().to_string(), "api refresh_token");
        for text in ["", "  ", "a\"b", "a\\b", "é"] {
            assert_eq!(text.parse::<Scopes>().expect_err(text).kind(), ErrorKind::Config);
        }
        assert_eq!(Scopes::granted(&"a ".repeat(2000)), None);
    }
}
