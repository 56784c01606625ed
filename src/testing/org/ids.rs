//! Record ids: 15 characters that tell case apart, and 3 more that make them safe where case gets lost.

/// Letters of the checksum, by the value of five bits.
const CHECKSUM: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The instance and the reserved character of every id of this org.
const INSTANCE: &str = "Mk0";

/// Whether a path segment is read as an id (and not as the name of an external-id field).
pub(crate) fn has_id_shape(text: &str) -> bool {
    matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The 18-character form of an id of 15 or 18 characters. `None` for anything else, and for a suffix that does not fit:
/// an 18-character id in the wrong case is an error. (Object Reference, "Field Types", ID)
pub(crate) fn to_18(text: &str) -> Option<String> {
    if !has_id_shape(text) {
        return None;
    }
    let (id, suffix) = text.split_at(15);
    let expected = suffix_of(id);
    (suffix.is_empty() || suffix == expected).then(|| format!("{id}{expected}"))
}

/// Three blocks of five characters; bit j of a block says whether its character j is upper case.
fn suffix_of(id: &str) -> String {
    let block = |chars: &[u8]| {
        let upper = |(position, byte): (usize, &u8)| usize::from(byte.is_ascii_uppercase()) << position;
        char::from(CHECKSUM[chars.iter().enumerate().map(upper).sum::<usize>() & 31])
    };
    id.as_bytes().chunks(5).map(block).collect()
}

/// The id number `serial` of the objects with that prefix.
pub(crate) fn make(prefix: &str, serial: u64) -> String {
    let mut digits = [b'0'; 9];
    let mut rest = serial;
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(rest % 62).unwrap_or(0)];
        rest /= 62;
    }
    let serial: String = digits.iter().map(|digit| char::from(*digit)).collect();
    let id = format!("{prefix}{INSTANCE}{serial}");
    let suffix = suffix_of(&id);
    id + &suffix
}

/// The 15 characters an 18-character id starts with.
pub(crate) fn short(id: &str) -> &str {
    id.get(..15).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_recorded_ids() {
        for id in ["001dM00003kRs59QAC", "003dM00001wBXYDQA4", "00DdM00000vfgTuUAI", "006dM00000Mw7VtQAJ"] {
            assert_eq!(to_18(&id[..15]).as_deref(), Some(id));
            assert_eq!(to_18(id).as_deref(), Some(id));
        }
    }

    #[test]
    fn a_suffix_that_does_not_fit_is_no_id() {
        assert_eq!(to_18("001DM00003KRS59QAC"), None, "wrong case");
        assert_eq!(to_18("001dM00003kRs5"), None, "14 characters");
        assert_eq!(to_18("001dM00003kRs5é"), None);
    }

    #[test]
    fn made_ids_are_valid_and_differ() {
        let (first, second) = (make("001", 1), make("001", 62));
        assert_eq!(to_18(&first), Some(first.clone()));
        assert_ne!(first, second);
        assert!(first.starts_with("001Mk0000000001"));
    }
}
