//! Refusals that point into the statement.

use super::SoqlError;

/// How much of the statement stands on either side of the caret, before both ends move out to whole words.
///
/// Derived from the two recordings with a position and some dozen public captures: the window begins behind the last
/// blank or comma at or before column - 31 and ends at the first one at or after column + 31.
const MARGIN: usize = 31;

pub(super) fn malformed(message: impl Into<String>) -> SoqlError {
    SoqlError { code: "MALFORMED_QUERY", message: message.into() }
}

/// A refusal with the window of text, the caret and the position in front of its message.
///
/// `at` is a byte offset into `source`.
// recorded: rest/error-invalid-type-query.json, rest/composite-query-count-and-invalid-type.json
pub(crate) fn refuse_at(source: &str, at: usize, code: &'static str, message: &str) -> SoqlError {
    let at = floor_boundary(source, at);
    let before = &source[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = source[at..].find('\n').map_or(source.len(), |length| at + length);
    let row = before.matches('\n').count() + 1;
    let line: Vec<char> = source[line_start..line_end].chars().collect();
    let column = source[line_start..at].chars().count();

    let is_gap = |character: &char| character.is_whitespace() || *character == ',';
    let start = match column.checked_sub(MARGIN) {
        None => 0,
        Some(from) => line[..line.len().min(from + 1)].iter().rposition(is_gap).map_or(0, |gap| gap + 1),
    };
    let tail = line.len().min(column + MARGIN);
    let end = line[tail..].iter().position(is_gap).map_or(line.len(), |gap| tail + gap);
    let window: String = line[start..end].iter().collect();
    let caret = " ".repeat(column - start);
    let column = column + 1;
    SoqlError { code, message: format!("\n{window}\n{caret}^\nERROR at Row:{row}:Column:{column}\n{message}") }
}

fn floor_boundary(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}
