//! Text between single quotes.

use std::fmt::Write as _;

/// Writes a text so that it reads back as itself between quotes; for LIKE with `%` and `_` as plain characters.
///
/// Control characters, NUL among them, and the two line separators of Unicode become `\uXXXX`. All else stands as it is;
/// unpaired surrogates are not possible in a `str`.
///
/// Source: SOQL reference, "Quoted String Escape Sequences".
pub(super) fn escape(text: &str, like: bool, out: &mut String) {
    for character in text.chars() {
        match character {
            '\'' | '\\' => out.extend(['\\', character]),
            '%' | '_' if like => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            other if other.is_control() || matches!(other, '\u{2028}' | '\u{2029}') => {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{:04X}", u32::from(other));
            }
            other => out.push(other),
        }
    }
}
