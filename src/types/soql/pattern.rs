//! The right side of LIKE.

use super::escape::escape;

/// The pattern of a LIKE: text that stands for itself, and wildcards.
///
/// LIKE takes text fields and ignores case.
///
/// ```
/// use sforce::types::{LikePattern, Soql};
/// use sforce::types::soql::field;
///
/// let name = field("Name");
/// let soql = Soql::select(["Id"]).from("Account").filter(name.like(LikePattern::contains("50%"))).build()?;
/// assert_eq!(soql.as_str(), r"SELECT Id FROM Account WHERE Name LIKE '%50\%%'");
/// # Ok::<(), sforce::Error>(())
/// ```
///
/// Source: SOQL reference, "Comparison Operators" and "Quoted String Escape Sequences".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LikePattern {
    /// As it stands between the quotes.
    escaped: String,
}

impl LikePattern {
    /// Texts that begin with this one.
    #[must_use]
    pub fn starts_with(text: &str) -> Self {
        Self::of("", text, "%")
    }

    /// Texts that contain this one.
    #[must_use]
    pub fn contains(text: &str) -> Self {
        Self::of("%", text, "%")
    }

    /// Texts that end with this one.
    #[must_use]
    pub fn ends_with(text: &str) -> Self {
        Self::of("%", text, "")
    }

    /// Texts that are this one, whatever its case.
    #[must_use]
    pub fn exactly(text: &str) -> Self {
        Self::of("", text, "")
    }

    /// A pattern with its own wildcards: `%` for any number of characters, `_` for one.
    ///
    /// `\%`, `\_` and `\\` stand for the character behind the backslash. Everything else stands for itself, also a quote and any other
    /// backslash, so no pattern leaves its quotes. Do not put text from outside into one: [`literal`](Self::literal) adds it.
    #[must_use]
    pub fn raw(pattern: &str) -> Self {
        let mut escaped = String::with_capacity(pattern.len() + 2);
        let mut rest = pattern.chars();
        while let Some(character) = rest.next() {
            let mut buffer = [0; 4];
            match character {
                '%' | '_' => escaped.push(character),
                '\\' => {
                    let mut ahead = rest.clone();
                    match ahead.next() {
                        Some(next @ ('%' | '_' | '\\')) => {
                            escaped.extend(['\\', next]);
                            rest = ahead;
                        }
                        _ => escaped.push_str("\\\\"),
                    }
                }
                other => escape(other.encode_utf8(&mut buffer), true, &mut escaped),
            }
        }
        Self { escaped }
    }

    /// Adds text that stands for itself.
    #[must_use]
    pub fn literal(mut self, text: &str) -> Self {
        escape(text, true, &mut self.escaped);
        self
    }

    /// Adds any number of any characters.
    #[must_use]
    pub fn any(mut self) -> Self {
        self.escaped.push('%');
        self
    }

    /// Adds one character, whatever it is.
    #[must_use]
    pub fn one(mut self) -> Self {
        self.escaped.push('_');
        self
    }

    fn of(before: &str, text: &str, behind: &str) -> Self {
        let mut escaped = String::with_capacity(text.len() + 2);
        escaped.push_str(before);
        escape(text, true, &mut escaped);
        escaped.push_str(behind);
        Self { escaped }
    }

    pub(super) fn escaped(&self) -> &str {
        &self.escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_for_themselves_between_wildcards() {
        let text = r"50%_'\";
        let escaped = r"50\%\_\'\\";
        assert_eq!(LikePattern::starts_with(text).escaped(), format!("{escaped}%"));
        assert_eq!(LikePattern::contains(text).escaped(), format!("%{escaped}%"));
        assert_eq!(LikePattern::ends_with(text).escaped(), format!("%{escaped}"));
        assert_eq!(LikePattern::exactly(text).escaped(), escaped);
        let built = LikePattern::exactly("A-").one().any().literal("_z");
        assert_eq!(built.escaped(), r"A-_%\_z");
    }

    #[test]
    fn a_raw_pattern_keeps_its_wildcards_and_nothing_else() {
        for (pattern, escaped) in [
            ("Ac_e%", "Ac_e%"),
            (r"50\% \_ \\%", r"50\% \_ \\%"),
            (r"a\b\", r"a\\b\\"),
            (r"\' OR Name LIKE \'%", r"\\\' OR Name LIKE \\\'%"),
            ("\n", "\\n"),
        ] {
            assert_eq!(LikePattern::raw(pattern).escaped(), escaped, "{pattern}");
        }
    }
}
