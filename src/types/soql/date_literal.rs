//! Words for ranges of time.

use std::fmt;

/// A range of time that is relative to now, such as `THIS_QUARTER` or `LAST_N_DAYS:30`.
///
/// Each is a range from midnight to midnight in the time zone of the user who asks; where a week begins depends on the user's locale. `=`
/// means within it, `<` before its start, `>` after its end.
///
/// ```
/// use sforce::types::{DateLiteral, DateUnit};
///
/// assert_eq!(DateLiteral::TODAY.to_string(), "TODAY");
/// assert_eq!(DateLiteral::This(DateUnit::FiscalYear).to_string(), "THIS_FISCAL_YEAR");
/// assert_eq!(DateLiteral::LastN(30, DateUnit::Day).to_string(), "LAST_N_DAYS:30");
/// ```
///
/// Source: SOQL reference, "Date Formats and Date Literals in WHERE".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DateLiteral {
    /// The one before the current one: `LAST_MONTH`. Of a day: `YESTERDAY`.
    Last(DateUnit),
    /// The current one: `THIS_MONTH`. Of a day: `TODAY`.
    This(DateUnit),
    /// The one after the current one: `NEXT_MONTH`. Of a day: `TOMORROW`.
    Next(DateUnit),
    /// `LAST_90_DAYS`: the current day and 90 before it.
    Last90Days,
    /// `NEXT_90_DAYS`: from the next day for 90 days.
    Next90Days,
    /// `LAST_N_…:n`: that many before the current one. Of days: back from now, with today.
    LastN(u32, DateUnit),
    /// `NEXT_N_…:n`: that many after the current one.
    NextN(u32, DateUnit),
    /// `N_…_AGO:n`: the one that is so many before the current one.
    Ago(u32, DateUnit),
}

/// What a [`DateLiteral`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DateUnit {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month of the calendar.
    Month,
    /// A quarter of the calendar.
    Quarter,
    /// A year of the calendar.
    Year,
    /// A quarter of the org's fiscal year.
    FiscalQuarter,
    /// The org's fiscal year.
    FiscalYear,
}

impl DateLiteral {
    /// `YESTERDAY`.
    pub const YESTERDAY: Self = Self::Last(DateUnit::Day);
    /// `TODAY`.
    pub const TODAY: Self = Self::This(DateUnit::Day);
    /// `TOMORROW`.
    pub const TOMORROW: Self = Self::Next(DateUnit::Day);
}

impl DateUnit {
    fn word(self) -> &'static str {
        match self {
            Self::Day => "DAY",
            Self::Week => "WEEK",
            Self::Month => "MONTH",
            Self::Quarter => "QUARTER",
            Self::Year => "YEAR",
            Self::FiscalQuarter => "FISCAL_QUARTER",
            Self::FiscalYear => "FISCAL_YEAR",
        }
    }
}

impl fmt::Display for DateLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last(DateUnit::Day) => f.write_str("YESTERDAY"),
            Self::This(DateUnit::Day) => f.write_str("TODAY"),
            Self::Next(DateUnit::Day) => f.write_str("TOMORROW"),
            Self::Last(unit) => write!(f, "LAST_{}", unit.word()),
            Self::This(unit) => write!(f, "THIS_{}", unit.word()),
            Self::Next(unit) => write!(f, "NEXT_{}", unit.word()),
            Self::Last90Days => f.write_str("LAST_90_DAYS"),
            Self::Next90Days => f.write_str("NEXT_90_DAYS"),
            Self::LastN(count, unit) => write!(f, "LAST_N_{}S:{count}", unit.word()),
            Self::NextN(count, unit) => write!(f, "NEXT_N_{}S:{count}", unit.word()),
            Self::Ago(count, unit) => write!(f, "N_{}S_AGO:{count}", unit.word()),
        }
    }
}
