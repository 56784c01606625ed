//! When calls that were made come back. Pure.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone as _};
use chrono_tz::America::Los_Angeles;
use serde::{Serialize, Serializer};

use crate::types::Timestamp;

/// A rolling window moves on in so many steps; calls of one step come back together.
const PARTS: i64 = 48;

const DAY: Duration = Duration::from_hours(24);

/// In milliseconds.
const SKEW: i64 = 3_600_000;

/// The time in which calls are counted together, after which they come back.
///
/// Two models of Salesforce's day are in use, and they differ:
///
/// - Its documents, the limit headers and the limits resource count a **rolling** day: each call comes back 24 hours after it was made.
///   Source: "API Request Limits and Allocations" in the limits quick reference, whose example gives calls back at the hour at which
///   they were made the day before.
/// - Help pages of several products say that limits are **reset at midnight, Pacific time**. No document of Salesforce's that we know
///   says so of its API calls; it is the day to use where a contract or a product's own cap says "a day".
///
/// Where it matters, cap both: [`ApiBudget::and`](super::ApiBudget::and).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BudgetWindow {
    /// Any window of this length. It moves on in 48 steps, so that calls come back up to a 48th later than the length says, and
    /// never sooner.
    Rolling(Duration),
    /// From midnight to midnight in Los Angeles: 24 hours, and 23 or 25 on the two days a year when its clocks change.
    PacificDay,
}

impl BudgetWindow {
    /// The rolling day in which Salesforce counts.
    pub const ROLLING_DAY: Self = Self::Rolling(DAY);

    /// When a call made then comes back; `None` after the year 9999.
    #[must_use]
    pub fn comes_back(self, made: Timestamp) -> Option<Timestamp> {
        Timestamp::from_unix_millis(self.back(made.unix_millis()))
    }

    /// The same in milliseconds since 1970.
    pub(super) fn back(self, made: i64) -> i64 {
        match self {
            Self::Rolling(_) => {
                let part = self.part();
                made.div_euclid(part).saturating_add(PARTS + 1).saturating_mul(part)
            }
            Self::PacificDay => next_midnight(made).unwrap_or_else(|| made.saturating_add(86_400_000)),
        }
    }

    /// Until when calls are counted in the same place as those of now.
    pub(super) fn step_end(self, now: i64) -> i64 {
        match self {
            Self::Rolling(_) => {
                let part = self.part();
                now.div_euclid(part).saturating_add(1).saturating_mul(part)
            }
            Self::PacificDay => self.back(now),
        }
    }

    /// How much clocks of machines that share a budget may differ. What was dated further ahead was dated by a clock that was wrong.
    pub(super) fn skew(self) -> i64 {
        self.part().saturating_mul(PARTS).min(SKEW)
    }

    /// The length of a step, in milliseconds.
    fn part(self) -> i64 {
        let length = match self {
            Self::Rolling(length) => length,
            Self::PacificDay => DAY,
        };
        (i64::try_from(length.as_millis()).unwrap_or(i64::MAX) / PARTS).max(1)
    }

    /// Its name where calls are kept.
    pub(super) fn name(self) -> String {
        match self {
            Self::Rolling(length) => format!("rolling-{}ms", length.as_millis()),
            Self::PacificDay => "pacific-day".to_owned(),
        }
    }
}

fn next_midnight(made: i64) -> Option<i64> {
    let local = DateTime::from_timestamp_millis(made)?.with_timezone(&Los_Angeles);
    // The clocks there change at two, so that midnight is always one moment.
    let tomorrow = local.date_naive().succ_opt()?.and_time(NaiveTime::MIN);
    Some(Los_Angeles.from_local_datetime(&tomorrow).earliest()?.timestamp_millis())
}

impl From<Duration> for BudgetWindow {
    fn from(length: Duration) -> Self {
        Self::Rolling(length)
    }
}

impl Serialize for BudgetWindow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for BudgetWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling(DAY) => f.write_str("any 24 hours"),
            Self::Rolling(length) => {
                let length = TimeDelta::from_std(*length).unwrap_or(TimeDelta::MAX);
                match (length.num_hours(), length.num_minutes(), length.num_seconds()) {
                    (hours, minutes, _) if hours > 0 && minutes == hours * 60 => write!(f, "any {hours} h"),
                    (_, minutes, seconds) if minutes > 0 && seconds == minutes * 60 => write!(f, "any {minutes} min"),
                    _ => write!(f, "any {} ms", length.num_milliseconds()),
                }
            }
            Self::PacificDay => f.write_str("the day in Pacific time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(window: BudgetWindow, made: &str) -> String {
        window.comes_back(Timestamp::parse(made).expect("a time")).expect("a time").to_string()
    }

    #[test]
    fn smv_41_the_pacific_day_ends_at_midnight_there_whatever_the_clocks_do() {
        let day = |made| back(BudgetWindow::PacificDay, made);
        assert_eq!(day("2026-01-15T07:59:59Z"), "2026-01-15T08:00:00.000Z", "winter: eight hours behind");
        assert_eq!(day("2026-01-15T08:00:00Z"), "2026-01-16T08:00:00.000Z", "midnight begins the next day");
        assert_eq!(day("2026-07-15T07:00:00Z"), "2026-07-16T07:00:00.000Z", "summer: seven");
        // 8 March 2026 has 23 hours there, 1 November 25.
        assert_eq!(day("2026-03-08T08:00:00Z"), "2026-03-09T07:00:00.000Z");
        assert_eq!(day("2026-03-09T06:59:59Z"), "2026-03-09T07:00:00.000Z");
        assert_eq!(day("2026-11-01T07:00:00Z"), "2026-11-02T08:00:00.000Z");
        assert_eq!(day("2026-11-01T09:30:00Z"), "2026-11-02T08:00:00.000Z", "the hour that comes twice");
    }

    #[test]
    fn smv_41_a_rolling_day_gives_a_call_back_a_day_later_and_never_sooner() {
        for seconds in [0, 1, 1_799, 1_800, 43_210, 86_399] {
            let made = 1_767_225_600_000 + seconds * 1_000;
            let after = BudgetWindow::ROLLING_DAY.back(made) - made;
            assert!((86_400_000..=86_400_000 + 1_800_000).contains(&after), "{seconds}: {after}");
        }
        let minute = BudgetWindow::Rolling(Duration::from_mins(1));
        assert_eq!(minute.back(0), 61_250);
        assert!(BudgetWindow::Rolling(Duration::ZERO).back(5) > 5);
        assert_eq!(BudgetWindow::Rolling(Duration::MAX).back(5), i64::MAX, "never, and no panic");
    }

    #[test]
    fn a_window_says_what_it_is() {
        let shown = |window: BudgetWindow| window.to_string();
        assert_eq!(shown(BudgetWindow::ROLLING_DAY), "any 24 hours");
        assert_eq!(shown(Duration::from_hours(2).into()), "any 2 h");
        assert_eq!(shown(Duration::from_mins(5).into()), "any 5 min");
        assert_eq!(shown(Duration::from_millis(1_500).into()), "any 1500 ms");
        assert_eq!(shown(BudgetWindow::PacificDay), "the day in Pacific time");
    }
}
