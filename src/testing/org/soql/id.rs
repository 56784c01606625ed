//! Record ids in filters.
// Object Reference, "Field Types": 15 characters are case-sensitive, 18 are case-safe by their last three.

const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The 18-character form of an id of 15 or 18 characters; `None` if it is neither or its checksum is wrong.
pub(crate) fn to_18(id: &str) -> Option<String> {
    if !matches!(id.len(), 15 | 18) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let mut full = id[..15].to_owned();
    for block in id.as_bytes()[..15].chunks(5) {
        let bits = block.iter().rev().fold(0, |bits, byte| bits << 1 | usize::from(byte.is_ascii_uppercase()));
        full.push(char::from(SUFFIX[bits]));
    }
    (id.len() == 15 || id == full).then_some(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_ids_get_their_recorded_suffix() {
        // recorded: rest/query-first-page-truncated.json, rest/query-opportunities.json
        for id in ["001dM00003jU9GyQAK", "001dM00003kSQJvQAO", "006dM00000Mw7VtQAJ", "005dM00000awSFJQA2"] {
            assert_eq!(to_18(&id[..15]).as_deref(), Some(id));
            assert_eq!(to_18(id).as_deref(), Some(id));
        }
    }

    #[test]
    fn a_wrong_suffix_length_or_character_is_no_id() {
        for id in
            ["", "abc", "001dM00003jU9GyQAA", "001dm00003ju9gyqak", "001dM00003jU9G-", "001dM00003jU9GyQA", "ééééééééé"]
        {
            assert_eq!(to_18(id), None, "{id}");
        }
    }
}
