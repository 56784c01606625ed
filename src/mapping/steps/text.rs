//! Steps on text.

use std::borrow::Cow;

use email_address::{EmailAddress, Options};
use regex::{Regex, RegexBuilder};

use super::{Item, Reason};

/// Bytes that a compiled pattern may take. Repetitions in repetitions, `(a{1000}){1000}`, need more.
const PATTERN_BYTES: usize = 1 << 20;

/// Groups in groups that a pattern may have.
const PATTERN_DEPTH: u32 = 50;

/// Longest text that a replacement or a template may make. The longest field takes 131,072 characters.
pub(in crate::mapping) const MAX_MADE: usize = 1 << 20;

/// Characters as Salesforce counts them.
pub(in crate::mapping) fn utf16_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

/// Whether no character of a text is a control character, tabs and line ends among them. May say no for one that has none.
/// One pass without a branch for each byte, for the texts that are plain.
fn is_plain(text: &str) -> bool {
    // In UTF-8 the byte 0xC2 begins U+0080 to U+00BF, the controls from U+0080 to U+009F among them.
    let odd = |byte: u8| u8::from(byte < 0x20) | u8::from(byte == 0x7f) | u8::from(byte == 0xc2);
    text.bytes().fold(0, |found, byte| found | odd(byte)) == 0
}

/// Whether a text has a control character other than tab and line ends. Some of them count as white space, so this comes
/// before any trimming.
pub(in crate::mapping) fn has_control(text: &str) -> bool {
    !is_plain(text) && text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// Trimmed, each run of tabs and line ends one space.
pub(super) fn one_line(text: Cow<'_, str>) -> Result<Cow<'_, str>, Reason> {
    let breaks = |c: char| matches!(c, '\t' | '\n' | '\r');
    if !is_plain(&text) {
        if has_control(&text) {
            return Err("a control character".into());
        }
        let trimmed = text.trim();
        if trimmed.contains(breaks) {
            let parts: Vec<&str> = trimmed.split(breaks).filter(|part| !part.is_empty()).collect();
            return Ok(parts.join(" ").into());
        }
    }
    Ok(trim(text))
}

/// Without white space at its ends, where it stands.
pub(super) fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => text.trim().into(),
        Cow::Owned(text) if text.trim().len() == text.len() => text.into(),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end().len());
            let start = text.len() - text.trim_start().len();
            text.drain(..start);
            text.into()
        }
    }
}

pub(super) fn is_email(text: &str) -> bool {
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}

/// The longest beginning of at most `max` UTF-16 units that ends between two characters as a reader sees them, as far as that
/// can be told without a table of all scripts.
pub(super) fn truncate(text: Cow<'_, str>, max: usize) -> Cow<'_, str> {
    if utf16_len(&text) <= max {
        return text;
    }
    let (mut end, mut units, mut last) = (0, 0, 0);
    let mut before: Option<char> = None;
    let mut flags = 0;
    for (at, character) in text.char_indices() {
        let joins = is_joined(character)
            || before == Some(JOINER)
            // Flags are pairs of letters of their own.
            || (is_flag_letter(character) && flags % 2 == 1);
        flags = if is_flag_letter(character) { flags + 1 } else { 0 };
        if !joins {
            last = at;
        }
        units += character.len_utf16();
        if units > max {
            break;
        }
        end = at + character.len_utf8();
        before = Some(character);
    }
    // The character that does not fit may belong to the one before it, which then goes too, unless nothing is left.
    let end = if last <= end && last > 0 { last } else { end };
    match text {
        Cow::Borrowed(text) => text[..end].trim_end().into(),
        Cow::Owned(mut text) => {
            text.truncate(text[..end].trim_end().len());
            text.into()
        }
    }
}

const JOINER: char = '\u{200d}';

/// Whether a character is seen as part of the one before it: combining marks, joiners, variation selectors, skin tones, tags.
fn is_joined(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{93c}' | '\u{93e}'..='\u{94d}' | '\u{e31}' | '\u{e34}'..='\u{e3a}'
        | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | JOINER
        | '\u{20d0}'..='\u{20ff}' | '\u{3099}' | '\u{309a}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

fn is_flag_letter(character: char) -> bool {
    matches!(character, '\u{1f1e6}'..='\u{1f1ff}')
}

/// A regular expression. Matching takes time in proportion to the text, whatever the pattern.
#[derive(Clone, Debug)]
pub(in crate::mapping) struct Pattern(Regex);

impl Pattern {
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).nest_limit(PATTERN_DEPTH).build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                format!("the pattern explodes: ready for use it takes more than {PATTERN_BYTES} bytes")
            }
            // The last line says what is wrong; those before it draw the place.
            error => {
                let text = error.to_string();
                let words = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
                format!("the pattern is no regular expression: {words}")
            }
        })
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    pub(super) fn replace<'a>(&self, text: Cow<'a, str>, with: &str) -> Result<Cow<'a, str>, Reason> {
        let mut out = String::new();
        let mut done = 0;
        for found in self.0.captures_iter(&text) {
            let Some(whole) = found.get(0) else { continue };
            out.push_str(&text[done..whole.start()]);
            found.expand(with, &mut out);
            done = whole.end();
            if out.len() > MAX_MADE {
                return Err("longer than 1 MiB after a replacement".into());
            }
        }
        if done == 0 && out.is_empty() && !self.0.is_match(&text) {
            return Ok(text);
        }
        out.push_str(&text[done..]);
        Ok(out.into())
    }

    pub(super) fn extract<'a>(&self, text: Cow<'a, str>) -> Item<'a> {
        let found =
            self.0.captures(&text).and_then(|found| found.get(1).or_else(|| found.get(0)).map(|part| part.range()));
        match (found, text) {
            (None, _) => Item::from(""),
            (Some(range), Cow::Borrowed(text)) => Item::from(&text[range]),
            (Some(range), Cow::Owned(text)) => Item::from(text[range].to_owned()),
        }
    }
}
