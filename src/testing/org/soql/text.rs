//! Text literals: escapes and LIKE patterns.

use super::compare::fold;

/// A quoted literal with its escapes resolved. The error is the sequence that is no escape.
// SOQL reference, "Quoted String Escape Sequences"
pub(super) fn unescape(raw: &str) -> Result<String, String> {
    let mut text = String::with_capacity(raw.len());
    for piece in pieces(raw) {
        match piece? {
            Piece::Plain(character) | Piece::Escaped(character) => text.push(character),
            // `\%` and `\_` are escapes in LIKE only.
            Piece::Wildcard(character) => return Err(format!("\\{character}")),
        }
    }
    Ok(text)
}

enum Piece {
    Plain(char),
    Escaped(char),
    /// `\%` or `\_`
    Wildcard(char),
}

fn pieces(raw: &str) -> impl Iterator<Item = Result<Piece, String>> + '_ {
    let mut characters = raw.chars();
    std::iter::from_fn(move || {
        let first = characters.next()?;
        if first != '\\' {
            return Some(Ok(Piece::Plain(first)));
        }
        let Some(name) = characters.next() else { return Some(Err("\\".to_owned())) };
        Some(match name {
            'n' | 'N' => Ok(Piece::Escaped('\n')),
            'r' | 'R' => Ok(Piece::Escaped('\r')),
            't' | 'T' => Ok(Piece::Escaped('\t')),
            'b' | 'B' => Ok(Piece::Escaped('\u{8}')),
            'f' | 'F' => Ok(Piece::Escaped('\u{c}')),
            '"' | '\'' | '\\' => Ok(Piece::Escaped(name)),
            '%' | '_' => Ok(Piece::Wildcard(name)),
            'u' => unicode(&mut characters),
            other => Err(format!("\\{other}")),
        })
    })
}

/// `\uXXXX`; a pair of surrogates is two of them.
fn unicode(characters: &mut std::str::Chars<'_>) -> Result<Piece, String> {
    let first = unit(characters)?;
    let mut units = vec![first];
    if (0xD800..0xDC00).contains(&first) {
        let mut rest = characters.clone();
        if rest.next() == Some('\\') && rest.next() == Some('u') {
            units.push(unit(&mut rest)?);
            *characters = rest;
        }
    }
    match char::decode_utf16(units).next() {
        Some(Ok(character)) => Ok(Piece::Escaped(character)),
        _ => Err(format!("\\u{first:04x}")),
    }
}

fn unit(characters: &mut std::str::Chars<'_>) -> Result<u16, String> {
    let digits: String = characters.by_ref().take(4).collect();
    let valid = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(&digits, 16).ok().filter(|_| valid).ok_or_else(|| format!("\\u{digits}"))
}

/// A LIKE pattern: `%` zero or more characters, `_` exactly one, case aside.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Element>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Any,
    One,
    Exactly(char),
}

impl Pattern {
    pub(super) fn new(raw: &str) -> Result<Self, String> {
        let mut elements = Vec::new();
        for piece in pieces(raw) {
            match piece? {
                Piece::Plain('%') => elements.push(Element::Any),
                Piece::Plain('_') => elements.push(Element::One),
                Piece::Plain(character) | Piece::Escaped(character) | Piece::Wildcard(character) => {
                    elements.extend(character.to_uppercase().map(Element::Exactly));
                }
            }
        }
        elements.dedup_by(|second, first| *first == Element::Any && *second == Element::Any);
        Ok(Self(elements))
    }

    /// Without backtracking further than the last `%`, so the cost is at most pattern times text.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = fold(text).chars().collect();
        let pattern = &self.0;
        let (mut at, mut in_pattern) = (0, 0);
        let mut retry = None;
        while at < text.len() {
            match pattern.get(in_pattern) {
                Some(Element::Any) => {
                    retry = Some((in_pattern, at));
                    in_pattern += 1;
                    continue;
                }
                Some(Element::One) => {
                    at += 1;
                    in_pattern += 1;
                    continue;
                }
                Some(Element::Exactly(character)) if *character == text[at] => {
                    at += 1;
                    in_pattern += 1;
                    continue;
                }
                _ => {}
            }
            let Some((star, from)) = retry else { return false };
            retry = Some((star, from + 1));
            at = from + 1;
            in_pattern = star + 1;
        }
        pattern[in_pattern..].iter().all(|element| *element == Element::Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_escapes_resolve_and_others_do_not() {
        assert_eq!(unescape(r#"a\n\R\t\b\f\"\'\\\u00e9"#), Ok("a\n\r\t\u{8}\u{c}\"'\\é".to_owned()));
        assert_eq!(unescape(r"\ud83d\ude00"), Ok("😀".to_owned()));
        for raw in [r"\x", r"\%", r"\_", r"\u12", r"\u12g4", r"\ud83d", r"\"] {
            assert!(unescape(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn patterns_match_without_regard_to_case() {
        let like = |pattern: &str, text: &str| Pattern::new(pattern).expect("a valid pattern").matches(text);
        assert!(like("acme%", "ACME Corp"));
        assert!(like("%CORP", "Acme Corp"));
        assert!(like("a_me", "Acme"));
        assert!(!like("a_me", "Ame"));
        assert!(like("%", ""));
        assert!(!like("_", ""));
        assert!(like("%a%b%c", "xxaxxbxxbc"));
        assert!(!like("%a%b", "xxaxxbxx"));
        assert!(like(r"100\%", "100%"));
        assert!(!like(r"100\%", "1000"));
        assert!(like(r"a\_b", "A_B"));
        assert!(!like(r"a\_b", "axb"));
        assert!(like("é%", "École"));
    }

    #[test]
    fn a_hostile_pattern_is_not_slow() {
        let pattern = Pattern::new(&"%a".repeat(400)).expect("a valid pattern");
        assert!(!pattern.matches(&format!("{}b", "a".repeat(4_000))));
    }
}
