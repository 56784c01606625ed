//! Dates as HTTP headers write them: whole seconds, in GMT.

use chrono::NaiveDateTime;

use crate::types::Timestamp;

/// `Fri, 01 May 2026 07:25:37 GMT`. Source: REST API Developer Guide, "Conditional Request Headers".
const FORM: &str = "%a, %d %b %Y %H:%M:%S GMT";

pub(super) fn write(at: Timestamp) -> String {
    at.as_utc().format(FORM).to_string()
}

pub(super) fn read(text: &str) -> Option<Timestamp> {
    NaiveDateTime::parse_from_str(text.trim(), FORM).ok().and_then(|at| Timestamp::from_utc(at.and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_back_in_whole_seconds() {
        let at = Timestamp::parse("2026-05-01T07:25:37.999Z").expect("a time");
        assert_eq!(write(at), "Fri, 01 May 2026 07:25:37 GMT");
        assert_eq!(read(&write(at)), Some(at.whole_seconds()));
        for text in ["", "Fri, 01 May 2026", "2026-05-01T07:25:37Z", "Sat, 01 May 2026 07:25:37 GMT"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
