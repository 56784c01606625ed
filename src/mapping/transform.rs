//! What can be done to a value on its way, as data. [`steps`](super::steps) does it.

use serde::{Deserialize, Serialize};

use super::value_table::ValueTable;
use crate::types::plain::{Plain, decimal};
use crate::types::{Decimal, Rounding, Value};

/// One step on a value's way to its field.
///
/// Steps are taken in the order in which they stand. They see no blank values: those end the chain, and the rule's `blank` says
/// what becomes of them. A step that cannot be taken refuses the record with an issue; nothing is rounded, cut or replaced
/// unless the step says so. Lengths are in UTF-16 units, as Salesforce counts them.
///
/// In a file a step is its name, `"trim"`, or its name with settings, `{ max_length = { max = 80 } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Transform {
    /// One line of text: trimmed, each run of tabs and line ends one space, other control characters refused.
    Text,
    /// White space taken from both ends.
    Trim,
    /// Upper case.
    Upper,
    /// Lower case.
    Lower,
    /// Refuses text longer than `max`.
    MaxLength {
        /// UTF-16 units.
        max: usize,
    },
    /// Cuts text to `max`, never inside a character, and not before a combining mark or inside a joined emoji.
    Truncate {
        /// UTF-16 units.
        max: usize,
    },
    /// Refuses what is no email address with a domain that has a dot.
    Email,
    /// Refuses text in which the pattern is found nowhere; `^` and `$` tie it to the ends.
    Matches {
        /// A regular expression, of the `regex` crate.
        pattern: String,
    },
    /// Replaces each place where the pattern is found.
    Replace {
        /// A regular expression.
        pattern: String,
        /// What stands there instead; `$1` or `${name}` is a group's text, `$$` a dollar sign.
        with: String,
    },
    /// The first place where the pattern is found, its first group if it has one; blank if there is none.
    Extract {
        /// A regular expression.
        pattern: String,
    },

    /// A number with `scale` digits after the point; more of them are rounded, too many before the point are refused.
    Number {
        /// Digits in all.
        precision: u32,
        /// Digits after the point.
        scale: u32,
        /// How; halves to the even neighbour by default.
        #[serde(default)]
        rounding: Rounding,
    },
    /// A whole number of at most `precision` digits; a fraction is refused, not rounded.
    WholeNumber {
        /// Digits in all.
        precision: u32,
    },
    /// The number that a text says: digits with one point, such as `-12.5`. Numbers pass.
    ParseNumber,
    /// Times an exact number. A product of more than 25 digits is rounded to them, half to even, so that what was divided
    /// comes back as it was; what does not fit is refused.
    Multiply {
        /// The factor; not 0.
        #[serde(with = "decimal")]
        by: Decimal,
    },
    /// Divided by an exact number. A quotient without end keeps 28 digits.
    Divide {
        /// The divisor; not 0.
        #[serde(with = "decimal")]
        by: Decimal,
    },
    /// Refuses numbers below `min`.
    Minimum {
        /// The smallest number allowed.
        #[serde(with = "decimal")]
        min: Decimal,
    },
    /// Refuses numbers above `max`.
    Maximum {
        /// The greatest number allowed.
        #[serde(with = "decimal")]
        max: Decimal,
    },
    /// The nearest number from `min` to `max`.
    Clamp {
        /// The smallest.
        #[serde(with = "decimal")]
        min: Decimal,
        /// The greatest.
        #[serde(with = "decimal")]
        max: Decimal,
    },
    /// Divided by 60.
    SecondsToMinutes,
    /// Times 60.
    MinutesToSeconds,

    /// A list of texts joined to one. Each is made one line first, blank ones are left out.
    JoinList {
        /// UTF-16 units of the whole.
        max: usize,
        /// What stands between two; `; ` by default.
        #[serde(default = "semicolon")]
        separator: String,
        /// What becomes of a list that does not fit; counted by default.
        #[serde(default)]
        overflow: Overflow,
    },
    /// A text taken apart to a list of texts: trimmed, blank ones left out. The values of a multi-select picklist too.
    SplitList {
        /// What stands between two; `;` by default, as in a multi-select picklist.
        #[serde(default = "split_separator")]
        separator: String,
    },
    /// The values of a multi-select picklist, from a list of texts or one text. One with a `;` is refused: it would be two.
    MultiSelect,

    /// Another value for each of a list of values.
    Table(ValueTable),
    /// A checkbox from texts and numbers. `true` and `false` pass.
    Boolean {
        /// What means true, texts in any case; `true`, `yes`, `y`, `on` and `1` by default.
        #[serde(rename = "true", default = "truths", with = "plain_list")]
        truths: Vec<Value>,
        /// What means false, texts in any case; `false`, `no`, `n`, `off` and `0` by default.
        #[serde(rename = "false", default = "falsehoods", with = "plain_list")]
        falsehoods: Vec<Value>,
    },

    /// An instant in whole seconds, which is what Salesforce stores, from a text with an offset; years 1700 to 4000.
    DateTime,
    /// An instant from a text without an offset, `2026-03-29T02:30:00`, as clocks of a zone show it.
    LocalDateTime {
        /// A name of the tz database, such as `Europe/Berlin`.
        zone: String,
        /// What becomes of a time that clocks show twice, when they are set back.
        #[serde(default)]
        ambiguous: Ambiguous,
        /// What becomes of a time that clocks never show, when they are set forward.
        #[serde(default)]
        skipped: Skipped,
    },
    /// The text that clocks of a zone show at an instant, `2026-03-29T03:30:00`.
    InZone {
        /// A name of the tz database.
        zone: String,
    },
    /// The day of an instant in a zone. Days pass.
    Date {
        /// A name of the tz database; UTC by default.
        #[serde(default = "utc")]
        zone: String,
    },
    /// An instant from the seconds since 1970 began. A fraction is cut.
    EpochSeconds,
    /// An instant from the milliseconds since 1970 began. Parts of a second are cut.
    EpochMilliseconds,
    /// The seconds since 1970 began, of an instant.
    ToEpochSeconds,
    /// The milliseconds since 1970 began, of an instant.
    ToEpochMilliseconds,

    /// A record id, in its form of 18 characters.
    RecordId {
        /// The three characters that ids of the object start with, if others are to be refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prefix: Option<String>,
    },
    /// A function of the program, registered under this name with [`Transforms::with`](super::Transforms::with).
    Custom(String),
}

/// What becomes of a list that does not fit its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Overflow {
    /// It is cut at an item's edge and the number left out is told: `first; second; +3 more`.
    #[default]
    Count,
    /// It is cut at an item's edge.
    Cut,
    /// The record is refused.
    Refuse,
}

/// What becomes of a local time that clocks show twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ambiguous {
    /// The record is refused.
    #[default]
    Refuse,
    /// The first of the two moments.
    Earlier,
    /// The second of the two moments.
    Later,
}

/// What becomes of a local time that clocks never show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Skipped {
    /// The record is refused.
    #[default]
    Refuse,
    /// The time that a clock would show that had not been set forward yet: 02:30 is the moment of 03:30.
    Forward,
}

/// How a step is taken back.
#[derive(Debug, PartialEq)]
pub(super) enum Inverse {
    /// What came out went in: the step only checks, or drops what does not count.
    Same,
    /// By this step.
    Step(Transform),
    /// Not at all: what went in cannot be told from what came out.
    None,
}

impl Transform {
    /// A number with digits after the point, rounded half to even.
    #[must_use]
    pub fn number(precision: u32, scale: u32) -> Self {
        Self::Number { precision, scale, rounding: Rounding::default() }
    }

    /// A list joined by `; `, what does not fit counted.
    #[must_use]
    pub fn join_list(max: usize) -> Self {
        Self::JoinList { max, separator: semicolon(), overflow: Overflow::default() }
    }

    /// A checkbox from the usual texts and numbers.
    #[must_use]
    pub fn boolean() -> Self {
        Self::Boolean { truths: truths(), falsehoods: falsehoods() }
    }

    /// The name in a file.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Trim => "trim",
            Self::Upper => "upper",
            Self::Lower => "lower",
            Self::MaxLength { .. } => "max_length",
            Self::Truncate { .. } => "truncate",
            Self::Email => "email",
            Self::Matches { .. } => "matches",
            Self::Replace { .. } => "replace",
            Self::Extract { .. } => "extract",
            Self::Number { .. } => "number",
            Self::WholeNumber { .. } => "whole_number",
            Self::ParseNumber => "parse_number",
            Self::Multiply { .. } => "multiply",
            Self::Divide { .. } => "divide",
            Self::Minimum { .. } => "minimum",
            Self::Maximum { .. } => "maximum",
            Self::Clamp { .. } => "clamp",
            Self::SecondsToMinutes => "seconds_to_minutes",
            Self::MinutesToSeconds => "minutes_to_seconds",
            Self::JoinList { .. } => "join_list",
            Self::SplitList { .. } => "split_list",
            Self::MultiSelect => "multi_select",
            Self::Table(_) => "table",
            Self::Boolean { .. } => "boolean",
            Self::DateTime => "date_time",
            Self::LocalDateTime { .. } => "local_date_time",
            Self::InZone { .. } => "in_zone",
            Self::Date { .. } => "date",
            Self::EpochSeconds => "epoch_seconds",
            Self::EpochMilliseconds => "epoch_milliseconds",
            Self::ToEpochSeconds => "to_epoch_seconds",
            Self::ToEpochMilliseconds => "to_epoch_milliseconds",
            Self::RecordId { .. } => "record_id",
            Self::Custom(_) => "custom",
        }
    }

    /// How the step is taken back. A value that has come out of the step, taken back and through the step again, is itself.
    pub(super) fn inverse(&self) -> Inverse {
        match self {
            // They check, or drop no more than white space and fractions of a second.
            Self::Text
            | Self::Trim
            | Self::DateTime
            | Self::RecordId { .. }
            | Self::MaxLength { .. }
            | Self::Email
            | Self::Matches { .. }
            | Self::WholeNumber { .. }
            | Self::Number { rounding: Rounding::Refuse, .. }
            | Self::Minimum { .. }
            | Self::Maximum { .. } => Inverse::Same,
            Self::Multiply { by } => Inverse::Step(Self::Divide { by: *by }),
            Self::Divide { by } => Inverse::Step(Self::Multiply { by: *by }),
            Self::SecondsToMinutes => Inverse::Step(Self::MinutesToSeconds),
            Self::MinutesToSeconds => Inverse::Step(Self::SecondsToMinutes),
            Self::MultiSelect => Inverse::Step(Self::SplitList { separator: split_separator() }),
            Self::Table(table) => table.inverse().map_or(Inverse::None, |table| Inverse::Step(Self::Table(table))),
            Self::LocalDateTime { zone, .. } => Inverse::Step(Self::InZone { zone: zone.clone() }),
            Self::EpochSeconds => Inverse::Step(Self::ToEpochSeconds),
            Self::EpochMilliseconds => Inverse::Step(Self::ToEpochMilliseconds),
            Self::ToEpochSeconds => Inverse::Step(Self::EpochSeconds),
            Self::ToEpochMilliseconds => Inverse::Step(Self::EpochMilliseconds),
            Self::Boolean { truths, falsehoods } => match (truths.first(), falsehoods.first()) {
                (Some(truth), Some(falsehood)) => {
                    Inverse::Step(Self::Table(ValueTable::of_flags(truth.clone(), falsehood.clone())))
                }
                _ => Inverse::Same,
            },
            Self::Upper
            | Self::Lower
            | Self::Truncate { .. }
            | Self::Replace { .. }
            | Self::Extract { .. }
            | Self::Number { .. }
            | Self::ParseNumber
            | Self::Clamp { .. }
            | Self::JoinList { .. }
            | Self::SplitList { .. }
            | Self::InZone { .. }
            | Self::Date { .. }
            | Self::Custom(_) => Inverse::None,
        }
    }
}

impl Transform {
    /// What the step that takes this one back cannot bring back.
    pub(super) fn loss_on_the_way_back(&self) -> Option<String> {
        match self {
            Self::LocalDateTime { zone, .. } => Some(format!(
                "a time that clocks in {zone} show twice comes back without telling which of the two it is"
            )),
            Self::Table(table) => table.key_that_is_no_text().map(|key| {
                format!("the key {key:?} comes back as a text, also where the source has a number or a flag: give \"reverse\"")
            }),
            _ => None,
        }
    }
}

fn semicolon() -> String {
    "; ".to_owned()
}

fn split_separator() -> String {
    ";".to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

fn truths() -> Vec<Value> {
    vec![true.into(), "true".into(), "yes".into(), "y".into(), "on".into(), "1".into(), 1_i64.into()]
}

fn falsehoods() -> Vec<Value> {
    vec![false.into(), "false".into(), "no".into(), "n".into(), "off".into(), "0".into(), 0_i64.into()]
}

/// A list of values as a person writes them.
mod plain_list {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Plain, Value};

    pub(super) fn serialize<S: Serializer>(values: &[Value], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| Plain(value.clone())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
        let values = Vec::<Plain>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|Plain(value)| value).collect())
    }
}
