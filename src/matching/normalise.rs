//! When two keys are one.

use serde::{Deserialize, Serialize};

use crate::types::{LikePattern, Literal};

/// How a custom join key is made comparable, on both sides.
///
/// A query finds what the comparison afterwards accepts: Salesforce compares text without regard to case unless the field is
/// case-sensitive, and several words are looked for by `LIKE`.
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
    /// As a name: neither case nor the number of blanks between words counts. In the org, the first of several is a space, and the
    /// field is a text: of one that is a picklist, the values have one space.
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

    /// What to look for in the org; `likes` tells whether the field takes a pattern.
    pub(super) fn search(self, text: &str, likes: bool) -> Literal {
        match self {
            Self::Exact => Literal::Text(text.to_owned()),
            Self::Trim | Self::Lower => Literal::Text(text.trim().to_owned()),
            Self::Words => match text.split_whitespace().collect::<Vec<_>>().as_slice() {
                // A space and anything behind it: narrower than anything alone, so that J Smith does not read all Johns.
                [first, rest @ ..] if likes && !rest.is_empty() => {
                    let start = LikePattern::exactly(first);
                    rest.iter().fold(start, |pattern, word| pattern.literal(" ").any().literal(word)).into()
                }
                words => Literal::Text(words.join(" ")),
            },
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
    /// The forms without what does not count: the tag, the dots, or both.
    pub(super) fn forms(self, text: &str) -> impl Iterator<Item = String> + use<'_> {
        let forms = [Self { strip_plus_tag: false, ..self }, Self { ignore_gmail_dots: false, ..self }, self];
        forms.into_iter().filter_map(move |rules| rules.normal(text))
    }

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
