//! References: values of earlier answers in later subrequests, and how they are told from texts that look like them.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};
use crate::types::Value;

/// Longest reference id that is taken. Salesforce states no length; this keeps bodies small.
const MAX_ID: usize = 100;

/// A value out of the answer to an earlier subrequest, such as `account.id` or `found.records[0].Id`.
///
/// May stand in a field of a serde type, in a [`Record`](crate::types::Record), in place of a record's id, or be added by
/// [`Subrequest::with_reference`](super::Subrequest::with_reference). Only in subrequests of one composite or graph: elsewhere it
/// is no value.
///
/// Names are compared with their case: a created record's id is `id`, that of a record that was read is `Id`.
///
/// Source: REST API Developer Guide, "Composite Request Body".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference(String);

impl Reference {
    /// The id of the record that a create or an upsert answers with.
    #[must_use]
    pub fn id_of(reference_id: impl fmt::Display) -> Self {
        Self(format!("{reference_id}.id"))
    }

    /// Any value: a reference id, then `.member` and `[n]` as often as need be, such as `found.records[0].Id` or `rows[0].id`.
    ///
    /// What it leads to is known to the org alone: where there is no value, the subrequest that names it is halted.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// The path, without the signs around it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0
    }

    /// The reference id that it starts with.
    pub(super) fn root(&self) -> &str {
        self.0.split(['.', '[']).next().unwrap_or_default()
    }

    /// Whether it can stand in a body and mean what it says.
    pub(super) fn is_sound(&self) -> bool {
        let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let segment = |text: &str| {
            let mut parts = text.split('[');
            let index = |part: &str| {
                part.strip_suffix(']').is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
            };
            parts.next().is_some_and(plain) && parts.all(index)
        };
        is_reference_id(self.root()) && self.0.split('.').all(segment)
    }
}

/// As it stands in a URL.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{{{}}}", self.0)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("@{{{}{}}}", mark(), self.0))
    }
}

impl From<Reference> for Value {
    fn from(reference: Reference) -> Self {
        Self::Text(format!("@{{{}{}}}", mark(), reference.0))
    }
}

/// Whether this is a reference id: letters, digits and `_`, a letter or a digit first.
pub(super) fn is_reference_id(text: &str) -> bool {
    text.len() <= MAX_ID
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What tells a [`Reference`] of ours from a text of a customer's that reads like one. Another one in each process, and nobody
/// outside can know it.
fn mark() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    MARK.get_or_init(|| format!("~{:016x}~", RandomState::new().hash_one("reference")))
}

/// Whether a text somewhere in the JSON reads like a reference, however it is escaped: Salesforce would put a value in its place,
/// or halt the subrequest.
pub(super) fn reads_like_reference(json: &[u8]) -> bool {
    next_sign(json, 0).is_some()
}

/// Where the next `@{` of a text starts and ends.
fn next_sign(json: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    let mut sign = None;
    while at < json.len() {
        // Between signs and escapes there is nothing to see: this is the pace of it.
        if sign.is_none() {
            at += json[at..].iter().position(|byte| matches!(byte, b'@' | b'\\'))?;
        }
        let (c, end) = character(json, at);
        match (c, sign) {
            (b'@', _) => sign = Some(at),
            (b'{', Some(start)) => return Some((start, end)),
            _ => sign = None,
        }
        at = end;
    }
    None
}

/// The character of a JSON text that starts there, 0 if it is none of the two that matter, and where it ends.
fn character(json: &[u8], at: usize) -> (u8, usize) {
    match (json[at], json.get(at + 1)) {
        (b'\\', Some(b'u')) => {
            let end = (at + 6).min(json.len());
            let code = std::str::from_utf8(&json[at + 2..end]).ok().and_then(|hex| u32::from_str_radix(hex, 16).ok());
            (code.and_then(|code| u8::try_from(code).ok()).unwrap_or(0), end)
        }
        (b'\\', _) => (0, at + 2),
        (byte, _) => (byte, at + 1),
    }
}

/// Takes the marks off the references of a body, and tells which there are. A text that only reads like one is refused, unless
/// `texts` says that texts may be references.
pub(super) fn unmark(json: Vec<u8>, texts: bool) -> Result<(Vec<u8>, Vec<Reference>)> {
    let mut found = Vec::new();
    let Some(first) = next_sign(&json, 0) else { return Ok((json, found)) };
    let mut clean = Vec::with_capacity(json.len());
    let (mut done, mut next) = (0, Some(first));
    while let Some((_, end)) = next {
        let marked = json[end..].starts_with(mark().as_bytes());
        if !(marked || texts) {
            return Err(Error::new(ErrorKind::Invalid, "", "the text of a field reads like a reference").with_advice(
                "give a reference as a Reference; a record with \"@{\" in a text needs a call of its own",
            ));
        }
        let start = if marked { end + mark().len() } else { end };
        let length = json[start..].iter().position(|byte| *byte == b'}').unwrap_or(json.len() - start);
        let reference = Reference(String::from_utf8_lossy(&json[start..start + length]).into_owned());
        // One of ours is a text by itself.
        let whole = !marked || json.get(start + length + 1) == Some(&b'"');
        if !(whole && reference.is_sound()) {
            return Err(unsound());
        }
        found.push(reference);
        clean.extend_from_slice(&json[done..end]);
        done = start;
        next = next_sign(&json, start);
    }
    clean.extend_from_slice(&json[done..]);
    Ok((clean, found))
}

pub(super) fn unsound() -> Error {
    Error::new(ErrorKind::Invalid, "", "a reference is not well formed")
        .with_advice("write it like account.id or found.records[0].Id")
}

/// The references of a path.
pub(super) fn in_path(path: &str) -> Vec<Reference> {
    let inner = |part: &str| part.split('}').next().unwrap_or_default().to_owned();
    path.split("@{").skip(1).map(|part| Reference(inner(part))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Record;

    fn unmarked(json: &str) -> Result<(String, Vec<Reference>)> {
        let (clean, found) = unmark(json.as_bytes().to_vec(), false)?;
        Ok((String::from_utf8(clean).expect("text"), found))
    }

    #[test]
    fn references_of_ours_lose_their_mark_wherever_they_come_from() {
        #[derive(Serialize)]
        struct Contact {
            #[serde(rename = "AccountId")]
            account: Reference,
            #[serde(rename = "LastName")]
            name: &'static str,
        }
        let account = Reference::id_of("account");
        let typed = serde_json::to_string(&Contact { account: account.clone(), name: "a@{" }).expect("JSON");
        assert!(unmarked(&typed).is_err(), "the name reads like one");
        let typed = serde_json::to_string(&Contact { account: account.clone(), name: "a@b{c}\\@" }).expect("JSON");
        let dynamic = serde_json::to_string(&Record::new().with("AccountId", account.clone())).expect("JSON");
        let other = serde_json::json!({"list": [account, Reference::new("q.records[0].Id")]}).to_string();
        let expected = r#"{"AccountId":"@{account.id}","LastName":"a@b{c}\\@"}"#;
        assert_eq!(unmarked(&typed).expect("sound"), (expected.to_owned(), vec![account.clone()]));
        assert_eq!(unmarked(&dynamic).expect("sound").0, r#"{"AccountId":"@{account.id}"}"#);
        let (clean, found) = unmarked(&other).expect("sound");
        assert_eq!(clean, r#"{"list":["@{account.id}","@{q.records[0].Id}"]}"#);
        assert_eq!((found.len(), found[1].root()), (2, "q"));
    }

    #[test]
    fn texts_that_read_like_references_are_seen_however_they_are_escaped() {
        for json in [
            r#"{"a":"@{account.id}"}"#,
            r#"{"a":"x @{"}"#,
            r#"{"a":"\u0040{account.id}"}"#,
            r#"{"a":"@\u007baccount.id}"}"#,
            r#"{"a":"\u0040\u007Baccount.id}"}"#,
            r#"{"a":"@@{b}"}"#,
            r#"{"a":"@{~0000000000000000~account.id}"}"#,
        ] {
            assert!(reads_like_reference(json.as_bytes()), "{json}");
            assert_eq!(unmarked(json).expect_err(json).kind(), ErrorKind::Invalid);
        }
        for json in [
            r#"{"a":"\\u0040{account.id}"}"#,
            r#"{"a":"@ {account.id}"}"#,
            r#"{"@":{"b":1}}"#,
            r#"{"a":"@","b":{}}"#,
            r#"{"a":"@\n{"}"#,
            r#"{"a":"ada@example.com{}"}"#,
            r#"{"a":"\\@","b":"\"{@"}"#,
        ] {
            assert!(!reads_like_reference(json.as_bytes()), "{json}");
            assert_eq!(unmarked(json).expect(json), (json.to_owned(), vec![]));
        }
    }

    #[test]
    fn texts_may_be_references_where_the_caller_says_so() {
        let (clean, found) = unmark(br#"{"a":"@{account.id}"}"#.to_vec(), true).expect("sound");
        assert_eq!((clean.as_slice(), found.len()), (br#"{"a":"@{account.id}"}"#.as_slice(), 1));
        assert!(unmark(br#"{"a":"@{"}"#.to_vec(), true).is_err());
    }

    #[test]
    fn only_paths_of_names_and_places_are_references() {
        for path in ["account.id", "q.records[0].Id", "rows[0].id", "1a.b_c", "a[0][1]", "a"] {
            assert!(Reference::new(path).is_sound(), "{path}");
        }
        for path in ["", ".id", "_a.id", "a..id", "a.", "a[x].id", "a[]", "a]0[", "a.id}\",\"b", "a b.id", "ä.id"] {
            assert!(!Reference::new(path).is_sound(), "{path}");
            let json = serde_json::json!({"a": Reference::new(path)}).to_string();
            assert!(unmarked(&json).is_err(), "{path}");
        }
        assert!(!is_reference_id(&"a".repeat(101)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_either_refused_or_left_alone(text in "[@{}\\\\\"u0047bB a-z~]{0,24}") {
            let json = serde_json::to_string(&serde_json::json!({"a": text})).expect("JSON");
            let like_one = text.contains("@{");
            match unmarked(&json) {
                Ok((clean, found)) => {
                    proptest::prop_assert_eq!(clean, json);
                    proptest::prop_assert!(found.is_empty() && !like_one);
                }
                Err(_) => proptest::prop_assert!(like_one),
            }
        }
    }
}
