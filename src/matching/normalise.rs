//! When two keys are one.

use serde::{Deserialize, Serialize};

/// How a custom join key is made comparable, on both sides.
///
/// Each agrees with how Salesforce itself compares text in a query, without regard to case unless the field is case-sensitive,
/// so that the query finds what the comparison afterwards accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Normaliser {
    /// As it is: case counts.
    Exact,
    /// Blanks around it do not count; case counts.
    Trim,
    /// Neither blanks around it nor case count.
    #[default]
    Lower,
    /// As a name: neither case nor the number of blanks between words counts.
    Words,
}

impl Normaliser {
    /// The form in which equal keys are equal.
    #[must_use]
    pub fn normal(self, text: &str) -> String {
        match self {
            Self::Exact => text.to_owned(),
            Self::Trim => text.trim().to_owned(),
            Self::Lower => text.trim().to_lowercase(),
            Self::Words => words(text).to_lowercase(),
        }
    }

    /// The text to look for in the org.
    pub(super) fn search(self, text: &str) -> String {
        match self {
            Self::Exact => text.to_owned(),
            Self::Trim | Self::Lower => text.trim().to_owned(),
            Self::Words => words(text),
        }
    }
}

/// One blank between words, none around them.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What does not count in an email address, beside blanks around it and case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EmailRules {
    /// `ada+news@acme.com` is `ada@acme.com`.
    pub(super) strip_plus_tag: bool,
    /// `a.da@gmail.com` is `ada@gmail.com`.
    pub(super) ignore_gmail_dots: bool,
}

impl EmailRules {
    /// The comparable form; `None` for what is no address.
    pub(super) fn normal(self, text: &str) -> Option<String> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.rsplit_once('@')?;
        let host = domain.strip_suffix('.').unwrap_or(domain);
        if local.is_empty() || host.is_empty() || host.contains(char::is_whitespace) {
            return None;
        }
        let mut local = local;
        if self.strip_plus_tag {
            // An address that is only a tag keeps it.
            local = local.split_once('+').map_or(local, |(before, _)| before);
            if local.is_empty() {
                return Some(text);
            }
        }
        if self.ignore_gmail_dots && matches!(host, "gmail.com" | "googlemail.com") {
            return Some(format!("{}@{host}", local.replace('.', "")));
        }
        Some(format!("{local}@{host}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_dots_count_unless_told_otherwise() {
        let plain = EmailRules::default();
        let loose = EmailRules { strip_plus_tag: true, ignore_gmail_dots: true };
        for (text, strict, lax) in [
            (" Ada@Acme.COM ", "ada@acme.com", "ada@acme.com"),
            ("ada+news@acme.com", "ada+news@acme.com", "ada@acme.com"),
            ("a.d.a+x@gmail.com", "a.d.a+x@gmail.com", "ada@gmail.com"),
            ("a.d.a@acme.com", "a.d.a@acme.com", "a.d.a@acme.com"),
            ("+tag@acme.com", "+tag@acme.com", "+tag@acme.com"),
            ("\"a@b\"@acme.com.", "\"a@b\"@acme.com", "\"a@b\"@acme.com"),
        ] {
            assert_eq!(plain.normal(text).as_deref(), Some(strict));
            assert_eq!(loose.normal(text).as_deref(), Some(lax));
        }
        for text in ["", "ada", "@acme.com", "ada@", "ada@ acme.com", "@", "ada@."] {
            assert_eq!(plain.normal(text), None, "{text}");
        }
    }

    #[test]
    fn normalising_twice_is_normalising_once() {
        for normaliser in [Normaliser::Exact, Normaliser::Trim, Normaliser::Lower, Normaliser::Words] {
            for text in ["  Acme \t Ltd ", "ÄÖ", "", "İstanbul"] {
                let once = normaliser.normal(text);
                assert_eq!(normaliser.normal(&once), once);
            }
        }
    }
}
