//! Date literals: words for ranges of time.
//!
//! The bounds are those of a user in UTC whose week begins on Sunday; the fiscal year begins in January.
// SOQL reference, "Date Formats and Date Literals in WHERE"

use chrono::{DateTime, Datelike as _, Days, Duration, Months, NaiveDate, NaiveTime, Utc};

/// A half-open range. A single instant is a range of one millisecond, the finest grain of the wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
}

impl Span {
    pub(super) fn instant(at: DateTime<Utc>) -> Self {
        Self { start: at, end: at.checked_add_signed(Duration::milliseconds(1)).unwrap_or(at) }
    }

    pub(super) fn day(date: NaiveDate) -> Self {
        let start = midnight(date);
        Self { start, end: date.succ_opt().map_or(start, midnight) }
    }

    pub(super) fn contains(&self, at: DateTime<Utc>) -> bool {
        self.start <= at && at < self.end
    }
}

pub(super) fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// One unit, so many units from the current one.
    Whole(i64),
    /// `LAST_90_DAYS`, which has its number in its name.
    Past(i64),
    Future(i64),
    LastN,
    NextN,
    Ago,
}

pub(super) fn is_literal(word: &str) -> bool {
    classify(word).is_some()
}

/// Whether the word wants `:n` behind it.
pub(super) fn takes_count(word: &str) -> bool {
    classify(word).is_some_and(|(shape, _)| matches!(shape, Shape::LastN | Shape::NextN | Shape::Ago))
}

fn classify(word: &str) -> Option<(Shape, Unit)> {
    let word = word.to_ascii_uppercase();
    match word.as_str() {
        "YESTERDAY" => return Some((Shape::Whole(-1), Unit::Day)),
        "TODAY" => return Some((Shape::Whole(0), Unit::Day)),
        "TOMORROW" => return Some((Shape::Whole(1), Unit::Day)),
        "LAST_90_DAYS" => return Some((Shape::Past(90), Unit::Day)),
        "NEXT_90_DAYS" => return Some((Shape::Future(90), Unit::Day)),
        _ => {}
    }
    if let Some(units) = word.strip_prefix("LAST_N_") {
        return Some((Shape::LastN, plural(units)?));
    }
    if let Some(units) = word.strip_prefix("NEXT_N_") {
        return Some((Shape::NextN, plural(units)?));
    }
    if let Some(units) = word.strip_prefix("N_").and_then(|rest| rest.strip_suffix("_AGO")) {
        return Some((Shape::Ago, plural(units)?));
    }
    let (which, unit) = word.split_once('_')?;
    let distance = match which {
        "LAST" => -1,
        "THIS" => 0,
        "NEXT" => 1,
        _ => return None,
    };
    Some((Shape::Whole(distance), singular(unit).filter(|unit| *unit != Unit::Day)?))
}

fn plural(units: &str) -> Option<Unit> {
    singular(units.strip_suffix('S')?)
}

fn singular(unit: &str) -> Option<Unit> {
    Some(match unit {
        "DAY" => Unit::Day,
        "WEEK" => Unit::Week,
        "MONTH" => Unit::Month,
        "QUARTER" | "FISCAL_QUARTER" => Unit::Quarter,
        "YEAR" | "FISCAL_YEAR" => Unit::Year,
        _ => return None,
    })
}

/// The range a literal stands for, or `None` if it lies outside the calendar or counts backwards.
pub(super) fn span(word: &str, count: Option<i64>, now: DateTime<Utc>) -> Option<Span> {
    let (shape, unit) = classify(word)?;
    let count = count.unwrap_or(0);
    if count < 0 {
        return None;
    }
    let today = now.date_naive();
    let current = start_of(unit, today)?;
    let from = |distance: i64| shift(unit, current, distance).map(midnight);
    let (start, end) = match shape {
        Shape::Whole(distance) => (from(distance)?, from(distance + 1)?),
        Shape::Ago => (from(-count)?, from(count.checked_neg()? + 1)?),
        // "continues up to the current second": today counts, what is dated later today does not.
        Shape::LastN if unit == Unit::Day => (from(-count)?, Span::instant(now).end),
        Shape::Past(days) => (from(-days)?, Span::instant(now).end),
        Shape::LastN => (from(-count)?, from(0)?),
        Shape::NextN => (from(1)?, from(count.checked_add(1)?)?),
        Shape::Future(days) => (from(1)?, from(days + 1)?),
    };
    Some(Span { start, end })
}

fn start_of(unit: Unit, date: NaiveDate) -> Option<NaiveDate> {
    match unit {
        Unit::Day => Some(date),
        Unit::Week => date.checked_sub_days(Days::new(date.weekday().num_days_from_sunday().into())),
        Unit::Month => date.with_day(1),
        Unit::Quarter => date.with_day(1)?.with_month0(date.month0() / 3 * 3),
        Unit::Year => date.with_day(1)?.with_month(1),
    }
}

fn shift(unit: Unit, start: NaiveDate, distance: i64) -> Option<NaiveDate> {
    let months = match unit {
        Unit::Day | Unit::Week => {
            let days = distance.checked_mul(if unit == Unit::Week { 7 } else { 1 })?;
            return start.checked_add_signed(Duration::try_days(days)?);
        }
        Unit::Month => distance,
        Unit::Quarter => distance.checked_mul(3)?,
        Unit::Year => distance.checked_mul(12)?,
    };
    let size = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 { start.checked_sub_months(size) } else { start.checked_add_months(size) }
}

/// `2026-05-06T11:29:24Z`, with or without a fraction, with `Z`, `+01:00` or `+0100`.
pub(super) fn parse_datetime(text: &str) -> Option<DateTime<Utc>> {
    let text = text.to_ascii_uppercase();
    let parsed = DateTime::parse_from_rfc3339(&text)
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()?;
    Some(parsed.to_utc())
}

pub(super) fn parse_date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(word: &str, count: Option<i64>) -> (String, String) {
        // A Wednesday.
        let now = parse_datetime("2026-05-06T11:29:24Z").expect("a valid instant");
        let span = span(word, count, now).expect("inside the calendar");
        let text = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%S%.3f").to_string().replace("T00:00:00.000", "");
        (text(span.start), text(span.end))
    }

    fn is(word: &str, count: impl Into<Option<i64>>, start: &str, end: &str) {
        assert!(is_literal(word), "{word}");
        assert_eq!(range(word, count.into()), (start.to_owned(), end.to_owned()), "{word}");
    }

    #[test]
    fn every_literal_has_the_documented_range() {
        is("YESTERDAY", None, "2026-05-05", "2026-05-06");
        is("today", None, "2026-05-06", "2026-05-07");
        is("TOMORROW", None, "2026-05-07", "2026-05-08");
        is("LAST_WEEK", None, "2026-04-26", "2026-05-03");
        is("THIS_WEEK", None, "2026-05-03", "2026-05-10");
        is("NEXT_WEEK", None, "2026-05-10", "2026-05-17");
        is("LAST_MONTH", None, "2026-04-01", "2026-05-01");
        is("THIS_MONTH", None, "2026-05-01", "2026-06-01");
        is("NEXT_MONTH", None, "2026-06-01", "2026-07-01");
        is("LAST_QUARTER", None, "2026-01-01", "2026-04-01");
        is("THIS_QUARTER", None, "2026-04-01", "2026-07-01");
        is("NEXT_FISCAL_QUARTER", None, "2026-07-01", "2026-10-01");
        is("LAST_YEAR", None, "2025-01-01", "2026-01-01");
        is("THIS_FISCAL_YEAR", None, "2026-01-01", "2027-01-01");
        is("NEXT_YEAR", None, "2027-01-01", "2028-01-01");
        is("LAST_90_DAYS", None, "2026-02-05", "2026-05-06T11:29:24.001");
        is("NEXT_90_DAYS", None, "2026-05-07", "2026-08-05");
        is("LAST_N_DAYS", 7, "2026-04-29", "2026-05-06T11:29:24.001");
        is("NEXT_N_DAYS", 2, "2026-05-07", "2026-05-09");
        is("LAST_N_WEEKS", 2, "2026-04-19", "2026-05-03");
        is("NEXT_N_WEEKS", 1, "2026-05-10", "2026-05-17");
        is("LAST_N_MONTHS", 2, "2026-03-01", "2026-05-01");
        is("NEXT_N_QUARTERS", 2, "2026-07-01", "2027-01-01");
        is("LAST_N_FISCAL_YEARS", 1, "2025-01-01", "2026-01-01");
        is("N_DAYS_AGO", 3, "2026-05-03", "2026-05-04");
        is("N_WEEKS_AGO", 1, "2026-04-26", "2026-05-03");
        is("N_MONTHS_AGO", 5, "2025-12-01", "2026-01-01");
        is("N_FISCAL_QUARTERS_AGO", 1, "2026-01-01", "2026-04-01");
        is("N_YEARS_AGO", 2, "2024-01-01", "2025-01-01");
    }

    #[test]
    fn other_words_are_no_literals() {
        for word in ["THIS_DAY", "LAST_N_", "N__AGO", "LAST", "NEXT_DECADE", "LAST_N_DAY", "Name"] {
            assert!(!is_literal(word), "{word}");
        }
    }

    #[test]
    fn a_range_outside_the_calendar_is_no_range() {
        let now = parse_datetime("2026-05-06T11:29:24Z").expect("a valid instant");
        for count in [i64::MAX, i64::MIN, -1, 10_000_000_000] {
            for word in ["LAST_N_DAYS", "NEXT_N_YEARS", "N_WEEKS_AGO", "NEXT_N_QUARTERS"] {
                assert_eq!(span(word, Some(count), now), None, "{word}:{count}");
            }
        }
    }

    #[test]
    fn instants_take_any_documented_offset() {
        let expected = parse_datetime("2026-05-06T11:29:24Z");
        assert!(expected.is_some());
        for text in ["2026-05-06T12:29:24+01:00", "2026-05-06T12:29:24.000+0100", "2026-05-06T11:29:24.000Z"] {
            assert_eq!(parse_datetime(text), expected, "{text}");
        }
        assert_eq!(parse_datetime("2026-05-06T11:29:24"), None, "no zone");
        assert_eq!(parse_datetime("2026-13-06T11:29:24Z"), None);
    }
}
