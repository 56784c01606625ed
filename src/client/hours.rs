//! Hours of the day in which work may be done. Pure.

use std::fmt;
use std::str::FromStr as _;
use std::time::SystemTime;

use chrono::{
    DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Timelike as _, Utc, Weekday,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::budget::{StopReason, refused};
use crate::error::{Error, ErrorKind, Result};
use crate::types::Timestamp;

/// Hours of the day in a time zone, such as those in which few people of an org are at work; see
/// [`Client::only_during`](super::Client::only_during).
///
/// Where clocks change, the hours follow the clock on the wall: an hour that is left out is not there, one that comes twice is
/// there twice.
///
/// ```
/// use sforce::client::OffPeakHours;
/// use sforce::types::Timestamp;
///
/// # fn main() -> sforce::Result<()> {
/// let nights = OffPeakHours::new("America/New_York", "20:00", "06:00")?.and_weekends();
/// let friday_noon = Timestamp::parse("2026-05-01T16:00:00Z")?;
/// assert!(!nights.is_open(friday_noon));
/// assert_eq!(nights.opens_at(friday_noon), Some(Timestamp::parse("2026-05-02T00:00:00Z")?));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct OffPeakHours {
    zone: Tz,
    from: NaiveTime,
    to: NaiveTime,
    weekends: bool,
}

/// The form in configuration files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    zone: String,
    from: String,
    to: String,
    #[serde(default)]
    weekends: bool,
}

impl OffPeakHours {
    /// From one time of day to another, `HH:MM`, in a zone of the tz database such as `Europe/Berlin`. `to` is not in it any more;
    /// where it is earlier than `from`, the hours go over midnight, and where both are the same, they are the whole day.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for a zone that does not exist or a text that is no time of day.
    pub fn new(zone: &str, from: &str, to: &str) -> Result<Self> {
        let wrong = |what: &'static str| Error::new(ErrorKind::Config, "", what);
        let time = |text: &str| {
            let time = (text.len() == 5).then(|| NaiveTime::parse_from_str(text, "%H:%M").ok()).flatten();
            time.ok_or_else(|| wrong("not a time of day such as 20:00"))
        };
        let zone = Tz::from_str(zone).map_err(|_| {
            wrong("not a time zone of the tz database").with_advice("name it by region and city, such as Europe/Berlin")
        })?;
        Ok(Self { zone, from: time(from)?, to: time(to)?, weekends: false })
    }

    /// All of Saturday and Sunday as well.
    #[must_use]
    pub fn and_weekends(mut self) -> Self {
        self.weekends = true;
        self
    }

    /// Whether work may be done then.
    #[must_use]
    pub fn is_open(&self, at: impl Into<Timestamp>) -> bool {
        let local = at.into().as_utc().with_timezone(&self.zone).naive_local();
        let (from, to, time) = (self.from, self.to, local.time());
        let weekend = matches!(local.weekday(), Weekday::Sat | Weekday::Sun);
        let of_day = match from.cmp(&to) {
            std::cmp::Ordering::Less => from <= time && time < to,
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Greater => from <= time || time < to,
        };
        of_day || (self.weekends && weekend)
    }

    /// From when on work may be done: then, where it may be, else the next time the hours begin. `None` at the end of the calendar.
    #[must_use]
    pub fn opens_at(&self, at: impl Into<Timestamp>) -> Option<Timestamp> {
        let at = at.into();
        if self.is_open(at) {
            return Some(at);
        }
        let today = at.as_utc().with_timezone(&self.zone).date_naive();
        // Clocks may leave the hours out for a day, and a zone may leave out a day; two weeks of that are not known of.
        let days = (0..14).filter_map(|day| today.checked_add_days(Days::new(day)));
        let begins = days.flat_map(|day| {
            let mut begins = self.moments(day, self.from);
            begins.extend(self.moments(day, NaiveTime::MIN));
            begins
        });
        let open = begins.filter_map(Timestamp::from_utc).filter(|begin| *begin > at && self.is_open(*begin));
        open.min()
    }

    /// The moments at which the clock there shows this time, or jumps over it.
    fn moments(&self, day: NaiveDate, time: NaiveTime) -> Vec<DateTime<Utc>> {
        let local = day.and_time(time);
        let found = self.zone.from_local_datetime(&local);
        let mut moments: Vec<DateTime<Utc>> =
            [found.earliest(), found.latest()].into_iter().flatten().map(|moment| moment.to_utc()).collect();
        if moments.is_empty() {
            // No clock jumps over more than a day; they jump to whole minutes.
            let after = (1..=24 * 60).filter_map(|minutes| {
                self.zone.from_local_datetime(&local.checked_add_signed(TimeDelta::minutes(minutes))?).earliest()
            });
            moments.extend(after.take(1).map(|moment| moment.to_utc()));
        }
        moments
    }

    /// Refuses work outside of the hours.
    pub(super) fn check(&self, now: SystemTime) -> Result<()> {
        let now = Timestamp::from(now);
        if self.is_open(now) {
            return Ok(());
        }
        let until = self.opens_at(now).map(Timestamp::unix_millis);
        Err(refused(StopReason::OutsideHours, until, now.unix_millis()))
    }
}

impl TryFrom<Text> for OffPeakHours {
    type Error = Error;

    fn try_from(text: Text) -> Result<Self> {
        let hours = Self::new(&text.zone, &text.from, &text.to)?;
        Ok(Self { weekends: text.weekends, ..hours })
    }
}

impl From<OffPeakHours> for Text {
    fn from(hours: OffPeakHours) -> Self {
        let time = |time: NaiveTime| format!("{:02}:{:02}", time.hour(), time.minute());
        Self {
            zone: hours.zone.name().to_owned(),
            from: time(hours.from),
            to: time(hours.to),
            weekends: hours.weekends,
        }
    }
}

impl fmt::Display for OffPeakHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Text { zone, from, to, weekends } = self.clone().into();
        write!(f, "{from} to {to} {zone}{}", if weekends { " and weekends" } else { "" })
    }
}

impl fmt::Debug for OffPeakHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OffPeakHours({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect(text)
    }

    fn hours(from: &str, to: &str) -> OffPeakHours {
        OffPeakHours::new("America/Los_Angeles", from, to).expect("hours")
    }

    fn opens(hours: &OffPeakHours, then: &str) -> String {
        hours.opens_at(at(then)).expect("some time").to_string()
    }

    #[test]
    fn smv_53_hours_go_over_midnight_and_end_where_they_say() {
        let nights = hours("20:00", "06:00");
        for (then, open) in [
            ("2026-05-02T02:59:59Z", false),
            ("2026-05-02T03:00:00Z", true),
            ("2026-05-02T12:59:59Z", true),
            ("2026-05-02T13:00:00Z", false),
        ] {
            assert_eq!(nights.is_open(at(then)), open, "{then}");
        }
        assert_eq!(opens(&nights, "2026-05-02T13:00:00Z"), "2026-05-03T03:00:00.000Z");
        assert_eq!(opens(&nights, "2026-05-02T04:00:00Z"), "2026-05-02T04:00:00.000Z", "it is open");
        let noon = hours("12:00", "13:00");
        assert!(noon.is_open(at("2026-05-02T19:00:00Z")) && !noon.is_open(at("2026-05-02T20:00:00Z")));
        assert!(hours("00:00", "00:00").is_open(at("2026-05-02T13:00:00Z")), "the whole day");
    }

    #[test]
    fn smv_53_hours_follow_the_clock_on_the_wall_where_it_changes() {
        // On 8 March 2026 the clocks go from 2 to 3, on 1 November from 2 back to 1.
        let left_out = hours("02:15", "02:45");
        assert_eq!(opens(&left_out, "2026-03-08T09:00:00Z"), "2026-03-09T09:15:00.000Z", "not on that day");
        let begins_in_it = hours("02:30", "06:00");
        assert_eq!(opens(&begins_in_it, "2026-03-08T09:59:59Z"), "2026-03-08T10:00:00.000Z", "3 follows on 2");
        let twice = hours("01:15", "01:45");
        assert_eq!(opens(&twice, "2026-11-01T08:00:00Z"), "2026-11-01T08:15:00.000Z");
        assert!(!twice.is_open(at("2026-11-01T08:45:00Z")));
        assert_eq!(opens(&twice, "2026-11-01T08:45:00Z"), "2026-11-01T09:15:00.000Z", "and again");
        let nights = hours("20:00", "06:00");
        assert!(nights.is_open(at("2026-03-08T12:59:00Z")) && !nights.is_open(at("2026-03-08T13:00:00Z")), "PDT");
        assert!(nights.is_open(at("2026-11-01T13:59:00Z")) && !nights.is_open(at("2026-11-01T14:00:00Z")), "PST");
    }

    #[test]
    fn smv_53_weekends_are_open_all_day_where_asked_for() {
        let quiet = hours("20:00", "06:00").and_weekends();
        assert!(quiet.is_open(at("2026-05-02T20:00:00Z")), "Saturday, one in the afternoon");
        assert!(!quiet.is_open(at("2026-05-04T20:00:00Z")), "Monday");
        assert_eq!(opens(&hours("03:00", "03:30").and_weekends(), "2026-05-01T20:00:00Z"), "2026-05-02T07:00:00.000Z");
    }

    #[test]
    fn what_is_no_hours_is_refused_and_files_come_back_as_they_were() {
        for (zone, from, to) in [("Mars/Base", "20:00", "06:00"), ("UTC", "24:00", "06:00"), ("UTC", "20:00", "6:00")] {
            assert_eq!(OffPeakHours::new(zone, from, to).expect_err(zone).kind(), ErrorKind::Config);
        }
        let text = r#"{"zone":"Europe/Berlin","from":"20:00","to":"06:30","weekends":true}"#;
        let read: OffPeakHours = serde_json::from_str(text).expect("hours");
        assert_eq!(serde_json::to_string(&read).expect("text"), text);
        assert_eq!(read.to_string(), "20:00 to 06:30 Europe/Berlin and weekends");
        assert!(serde_json::from_str::<OffPeakHours>(r#"{"zone":"UTC","from":"20:00","to":"x"}"#).is_err());
    }

    #[test]
    fn the_end_of_the_calendar_is_no_panic() {
        let nights = hours("20:00", "06:00");
        assert_eq!(nights.opens_at(at("9999-12-31T23:59:59Z")), None);
        assert!(nights.opens_at(at("0000-01-01T00:00:00Z")).is_some());
    }
}
