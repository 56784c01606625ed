//! Dates and times as Salesforce writes them.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use chrono::{DateTime, Datelike, NaiveDate, SubsecRound, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, ErrorKind, Result};

/// An instant, in UTC. It keeps and compares what was read to the nanosecond, and shows milliseconds.
///
/// Reads `2026-05-01T07:25:37.000+0000` (Salesforce's answers, which RFC 3339 parsers refuse), `Z` and any other offset;
/// writes `2026-05-01T07:25:37.000Z`, which Salesforce accepts in bodies, queries and CSV. Salesforce keeps whole seconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Reads a date and time with an offset.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for an impossible date or time, a missing offset, or a year outside 0 to 9999.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(text).map_err(|why| Error::new(ErrorKind::Invalid, "", why))
    }

    /// As [`parse`](Self::parse), for those who try many texts that may be none: saying no costs nothing.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str = "not a date and time with offset, such as 2026-05-01T07:25:37Z";
        if let Some(instant) = usual_form(text) {
            return Ok(Self(instant));
        }
        // The shape of RFC 3339, which allows more letters than these between day and time.
        if !matches!(text.as_bytes(), [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b't' | b' ' | b'_', ..]) {
            return Err(if has_long_year(text) { YEAR } else { SHAPE });
        }
        let instant = DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
            .map_err(|_| SHAPE)?
            .to_utc();
        let instant = without_leap_second(instant).ok_or("a minute has 60 seconds, numbered to 59")?;
        if (0..=9999).contains(&instant.year()) { Ok(Self(instant)) } else { Err(YEAR) }
    }

    /// The instant that many milliseconds after 1970 began; `None` outside the years 0 to 9999.
    #[must_use]
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        DateTime::from_timestamp_millis(millis).filter(|instant| (0..=9999).contains(&instant.year())).map(Self)
    }

    /// Milliseconds since 1970 began.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// How far apart two instants are, in nanoseconds.
    #[must_use]
    pub fn nanos_apart(self, other: Self) -> u128 {
        let nanos = |instant: DateTime<Utc>| {
            i128::from(instant.timestamp()) * 1_000_000_000 + i128::from(instant.timestamp_subsec_nanos())
        };
        nanos(self.0).abs_diff(nanos(other.0))
    }

    /// The same instant without its fraction of a second: what Salesforce stores.
    #[must_use]
    pub fn whole_seconds(self) -> Self {
        Self(self.0.trunc_subsecs(0))
    }

    /// As the calendar library has it.
    pub(crate) fn as_utc(&self) -> &DateTime<Utc> {
        &self.0
    }

    /// An instant of the calendar library; `None` outside the years 0 to 9999.
    pub(crate) fn from_utc(instant: DateTime<Utc>) -> Option<Self> {
        (0..=9999).contains(&instant.year()).then_some(Self(instant))
    }

    /// The calendar year in UTC.
    #[must_use]
    pub fn year(self) -> i32 {
        self.0.year()
    }
}

/// What is wrong with a year that Salesforce could not have.
const YEAR: &str = "the year is outside 0 to 9999";

/// Whether a text begins as a date does whose year has a sign or more than four digits, such as `10000-01-01` or `-0001-01-01`.
fn has_long_year(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']);
    let digits = unsigned.unwrap_or(text);
    let year = digits.bytes().take_while(u8::is_ascii_digit).count();
    let enough = if unsigned.is_some() { 4 } else { 5 };
    let rest = digits.as_bytes().get(year..).unwrap_or_default();
    (enough..=9).contains(&year) && matches!(rest, [b'-', _, _, b'-', _, _, ..])
}

/// The forms that nearly all texts have, `2026-05-01T07:25:37Z` with or without a fraction and with `+0000` for the `Z`, at a
/// tenth of the time that the library takes. `None` for all else, and for what is wrong.
fn usual_form(text: &str) -> Option<DateTime<Utc>> {
    let number = |from: usize, to: usize| {
        let digits = text.as_bytes().get(from..to)?;
        digits
            .iter()
            .try_fold(0, |number: u32, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
    };
    let (moment, rest) = (text.get(..19)?.as_bytes(), text.get(19..)?);
    let separated = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separated.iter().any(|(at, separator)| moment[*at] != *separator) {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.bytes().position(|byte| !byte.is_ascii_digit())?),
        None => ("", rest),
    };
    if !matches!(zone, "Z" | "+0000" | "+00:00") || rest.starts_with('.') && fraction.is_empty() {
        return None;
    }
    let nanos =
        fraction.bytes().chain(*b"000000000").take(9).fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    let day = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
    Some(day.and_hms_nano_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, nanos)?.and_utc())
}

/// A second numbered 60 is there at the end of a UTC day only, and Salesforce has none: it becomes the one before.
fn without_leap_second(instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if instant.nanosecond() < 1_000_000_000 {
        return Some(instant);
    }
    let end_of_day = (instant.hour(), instant.minute(), instant.second()) == (23, 59, 59);
    instant.with_nanosecond(999_999_999).filter(|_| end_of_day)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(DateTime::<Utc>::from(time).trunc_subsecs(3))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, time) = (Date(self.0.date_naive()), self.0.time());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        write!(f, "{day}T{hour:02}:{minute:02}:{second:02}.{:03}Z", time.nanosecond() / 1_000_000)
    }
}

/// A day of the calendar, without time and zone: `2026-05-01`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(NaiveDate);

impl Date {
    /// Reads `2026-05-01`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for an impossible day, another form, or a year outside 0 to 9999.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(text).map_err(|why| Error::new(ErrorKind::Invalid, "", why))
    }

    /// As [`parse`](Self::parse), for those who try many texts that may be none.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str = "not a date such as 2026-05-01";
        if !matches!(text.as_bytes(), [_, _, _, _, b'-', _, _, b'-', _, _]) {
            return Err(if has_long_year(text) { YEAR } else { SHAPE });
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| SHAPE)?;
        if (0..=9999).contains(&day.year()) { Ok(Self(day)) } else { Err(YEAR) }
    }

    /// The day of the calendar library; `None` outside the years 0 to 9999.
    pub(crate) fn from_naive(day: NaiveDate) -> Option<Self> {
        (0..=9999).contains(&day.year()).then_some(Self(day))
    }

    /// The calendar year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.0.year()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl Serialize for Timestamp {
    /// With all its digits, so that nothing is lost where an instant is kept.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.nanosecond().is_multiple_of(1_000_000) {
            return serializer.collect_str(self);
        }
        serializer.collect_str(&self.0.format("%Y-%m-%dT%H:%M:%S%.9fZ"))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                Self::parse(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(|error| de::Error::custom(error.message().to_owned()))
            }
        }
    };
}

as_text!(Timestamp);
as_text!(Date);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_shape_is_one_instant() {
        let shapes = [
            "2026-05-01T07:25:37.000+0000",
            "2026-05-01T07:25:37Z",
            "2026-05-01T07:25:37.000Z",
            "2026-05-01T07:25:37+00:00",
            "2026-05-01T09:25:37.0+0200",
            "2026-04-30T23:55:37-07:30",
        ];
        for shape in shapes {
            assert_eq!(Timestamp::parse(shape).expect(shape).to_string(), "2026-05-01T07:25:37.000Z");
        }
    }

    #[test]
    fn the_usual_form_is_read_as_the_library_reads_it() {
        for text in [
            "2026-05-01T07:25:37Z",
            "2026-05-01T07:25:37.1Z",
            "2026-05-01T07:25:37.123456789+00:00",
            "2024-02-29T23:59:59.999+0000",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
        ] {
            let library = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%#z").expect(text).to_utc();
            assert_eq!(usual_form(text), Some(library), "{text}");
        }
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-05-01T24:00:00Z",
            "2026-05-01T07:25:60Z",
            "2026-05-01T07:25:37.Z",
            "2026-05-01 07:25:37Z",
            "2026-05-01T07:25:37+02:00",
            "2026-05-01T07:25:37.1",
            "+026-05-01T07:25:37Z",
            "2026-05-0\u{661}T07:25:37Z",
        ] {
            assert_eq!(usual_form(text), None, "{text}");
        }
    }

    #[test]
    fn impossible_or_incomplete_moments_are_refused() {
        for text in [
            "",
            "2026-02-30T00:00:00Z",
            "2026-05-01T25:00:00Z",
            "2026-05-01",
            "2026-05-01T07:25:37",
            "10000-01-01T00:00:00Z",
            "yesterday",
            "1714548337",
        ] {
            assert_eq!(Timestamp::parse(text).expect_err(text).kind(), ErrorKind::Invalid);
        }
        for text in ["2026-02-29", "2026-5-1", "2026-05-01T00:00:00Z", "26-05-01", "+2026-05-0"] {
            assert_eq!(Date::parse(text).expect_err(text).kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn fractions_are_cut_not_rounded() {
        let moment = Timestamp::parse("2026-05-01T07:25:37.9999Z").expect("valid");
        assert_eq!(moment.to_string(), "2026-05-01T07:25:37.999Z");
        assert_eq!(moment.whole_seconds().to_string(), "2026-05-01T07:25:37.000Z");
        let leap = Timestamp::parse("2016-12-31T23:59:60Z").expect("a leap second");
        assert_eq!(leap.whole_seconds().to_string(), "2016-12-31T23:59:59.000Z");
        assert!(Timestamp::parse("2026-05-01T07:25:60Z").is_err(), "no day ends there");
    }
}
