//! Steps on dates and times.

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::{Ambiguous, Item, Reason, Skipped};
use crate::types::{Date, Decimal, Rounding, Timestamp, Value};

/// The years that Salesforce stores. Source: SOAP API Developer Guide, "Primitive Data Types", dateTime.
const YEARS: std::ops::RangeInclusive<i32> = 1700..=4000;

const OUTSIDE: &str = "the year is outside 1700 to 4000";

/// Whether Salesforce stores a date or time of that year.
pub(in crate::mapping) fn is_storable(year: i32) -> bool {
    YEARS.contains(&year)
}

/// An instant in whole seconds, from a value or a text with an offset.
pub(super) fn instant(item: &Item<'_>) -> Result<Timestamp, Reason> {
    let moment = match item {
        Item::Text(text) => Timestamp::parse(text.trim()).ok(),
        item => match item.as_value() {
            Some(Value::DateTime(moment)) => Some(*moment),
            _ => return Err("not a date and time in quotes".into()),
        },
    };
    let moment = moment.ok_or("not a date and time with offset, such as 2026-05-01T07:25:37Z")?;
    storable(moment)
}

fn storable(moment: Timestamp) -> Result<Timestamp, Reason> {
    if is_storable(moment.year()) { Ok(moment.whole_seconds()) } else { Err(OUTSIDE.into()) }
}

/// The instant so many parts of a second after 1970 began.
pub(super) fn epoch(number: Decimal, per_second: u32) -> Result<Timestamp, Reason> {
    let seconds = number.checked_div(Decimal::from(per_second)).and_then(|seconds| seconds.round(0, Rounding::Floor));
    let millis = seconds.and_then(Decimal::to_i64).and_then(|seconds| seconds.checked_mul(1000));
    storable(millis.and_then(Timestamp::from_unix_millis).ok_or(OUTSIDE)?)
}

/// A zone of the tz database.
#[derive(Clone, Copy, Debug)]
pub(in crate::mapping) struct Zone(Tz);

impl Zone {
    pub(super) fn new(name: &str) -> Result<Self, String> {
        name.parse().map(Self).map_err(|_| format!("{name:?} is no zone of the tz database, such as Europe/Berlin"))
    }

    /// The instant at which clocks show a time.
    pub(super) fn local(self, text: &str, ambiguous: Ambiguous, skipped: Skipped) -> Result<Timestamp, Reason> {
        const FORMS: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
        let text = text.trim();
        let read = FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        // A second numbered 60 has no place on clocks with an offset of their own.
        let read = read.filter(|time| chrono::Timelike::nanosecond(time) < 1_000_000_000);
        let time = read.ok_or("not a date and time without offset, such as 2026-05-01T09:25:37")?;
        let moment = match (self.0.from_local_datetime(&time), ambiguous, skipped) {
            (LocalResult::Single(moment), ..) => moment.to_utc(),
            (LocalResult::Ambiguous(earlier, _), Ambiguous::Earlier, _) => earlier.to_utc(),
            (LocalResult::Ambiguous(_, later), Ambiguous::Later, _) => later.to_utc(),
            (LocalResult::Ambiguous(..), Ambiguous::Refuse, _) => {
                return Err("clocks of the zone show this time twice".into());
            }
            (LocalResult::None, _, Skipped::Forward) => self.before_the_gap(time).ok_or(OUTSIDE)?,
            (LocalResult::None, ..) => return Err("clocks of the zone never show this time".into()),
        };
        storable(Timestamp::from_utc(moment).ok_or(OUTSIDE)?)
    }

    /// The moment of a time that clocks never show, by the offset that held before.
    fn before_the_gap(self, time: NaiveDateTime) -> Option<DateTime<Utc>> {
        // No zone has ever skipped more than a day (Samoa, 2011-12-30).
        let day = TimeDelta::hours(25);
        let before = self.0.from_local_datetime(&time.checked_sub_signed(day)?).earliest()?;
        before.to_utc().checked_add_signed(day)
    }

    /// What clocks show at an instant.
    pub(super) fn clocks(self, moment: &Timestamp) -> String {
        moment.as_utc().with_timezone(&self.0).format("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// The day of an instant, or a day as it is.
    pub(super) fn day(self, item: &Item<'_>) -> Result<Date, Reason> {
        let day = match item {
            Item::Text(text) => Date::parse(text.trim()).ok(),
            item => item.as_value().and_then(Value::to_date),
        };
        let day = if let Some(day) = day {
            day
        } else {
            let moment = instant(item).map_err(|reason| {
                if reason == OUTSIDE { reason } else { "not a date, nor a date and time with offset".into() }
            })?;
            Date::from_naive(moment.as_utc().with_timezone(&self.0).date_naive()).ok_or(OUTSIDE)?
        };
        if is_storable(day.year()) { Ok(day) } else { Err(OUTSIDE.into()) }
    }
}
