//! Scopes: the words of an app's page in Setup, and what they allow.

/// A list of scopes in the order they were named, without repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(Vec<String>);

/// Words that stand for one box of the app's page (Help, "OAuth Tokens and Scopes").
const SYNONYMS: &[&[&str]] = &[&["refresh_token", "offline_access"], &["id", "profile", "email", "address", "phone"]];

/// What each box says; the words the consent page shows.
const TITLES: &[(&str, &str)] = &[
    ("api", "Manage user data via APIs"),
    ("refresh_token", "Perform requests at any time"),
    ("id", "Access the identity URL service"),
    ("openid", "Access unique user identifiers"),
    ("web", "Manage user data via Web browsers"),
    ("full", "Full access"),
];

impl Scopes {
    /// Scopes parted by blanks.
    pub(crate) fn parse(text: &str) -> Self {
        let mut scopes = Self::default();
        scopes.add(text.split_ascii_whitespace());
        scopes
    }

    fn add<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        for word in words {
            if !self.has(word) {
                self.0.push(word.to_owned());
            }
        }
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        self.0.iter().any(|known| known == scope)
    }

    pub(crate) fn has_any(&self, scopes: &[&str]) -> bool {
        scopes.iter().any(|scope| self.has(scope))
    }

    /// Both lists in one.
    pub(crate) fn union(mut self, other: &Self) -> Self {
        self.add(other.words());
        self
    }

    pub(crate) fn without(&self, scopes: &[&str]) -> Self {
        Self(self.0.iter().filter(|known| !scopes.contains(&known.as_str())).cloned().collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether a request may name this scope, when these are those of the app.
    pub(crate) fn allow(&self, scope: &str) -> bool {
        let family = SYNONYMS.iter().find(|words| words.contains(&scope));
        self.has(scope) || family.is_some_and(|words| self.has_any(words))
    }

    /// All of `other` are allowed.
    pub(crate) fn cover(&self, other: &Self) -> bool {
        other.words().all(|scope| self.allow(scope))
    }

    /// Help, "OAuth Tokens and Scopes": both words ask for a refresh token, and `full` does not.
    pub(crate) fn ask_refresh_token(&self) -> bool {
        self.has_any(&["refresh_token", "offline_access"])
    }

    /// The data API: `api`, or `full`, which is all but a refresh token.
    pub(crate) fn allow_api(&self) -> bool {
        self.has_any(&["api", "full"])
    }

    /// userinfo and the identity URL. [K] That `api` and `web` do as well.
    pub(crate) fn allow_identity(&self) -> bool {
        self.allow_api() || self.has_any(&["id", "profile", "email", "address", "phone", "openid", "web"])
    }

    pub(crate) fn text(&self) -> String {
        self.0.join(" ")
    }
}

/// What the consent page says of a scope.
pub(super) fn title(scope: &str) -> &str {
    let family = SYNONYMS.iter().find(|words| words.contains(&scope)).and_then(|words| words.first());
    let key = family.copied().unwrap_or(scope);
    TITLES.iter().find(|(word, _)| *word == key).map_or(scope, |(_, title)| title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_box_stands_for_several_words() {
        let app = Scopes::parse("api  refresh_token id api");
        assert_eq!(app.text(), "api refresh_token id");
        assert!(app.cover(&Scopes::parse("offline_access email api")));
        assert!(!app.allow("web") && !app.allow("full"));
        assert!(!Scopes::parse("full").ask_refresh_token());
        assert_eq!((title("offline_access"), title("x")), ("Perform requests at any time", "x"));
    }
}
