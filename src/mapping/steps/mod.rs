//! Transforms made ready: patterns, tables and zones are built once, and each step is pure.

mod item;
mod list;
mod table;
mod text;
mod time;

use std::borrow::Cow;
use std::sync::Arc;

pub(super) use self::item::Item;
use self::item::{number_of, text_of};
use self::list::{join, multi_select, split};
use self::table::{Flags, Lookup};
pub(super) use self::text::{MAX_MADE, has_control, utf16_len};
use self::text::{Pattern, is_email, one_line, truncate};
pub(super) use self::time::is_storable;
use self::time::{Zone, epoch, instant};
use super::custom::{Function, Transforms, call};
use super::transform::{Ambiguous, Overflow, Skipped, Transform};
use crate::types::{Decimal, RecordId, Rounding, Value};

/// Why a value is refused, in a few words. Never quotes it.
pub(super) type Reason = Cow<'static, str>;

/// Digits that a product keeps: fewer than a quotient has, so that what was divided comes back as it was.
const PRODUCT_DIGITS: u32 = 25;

/// A transform made ready.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Text,
    Trim,
    Upper,
    Lower,
    MaxLength(usize),
    Truncate(usize),
    Email,
    Matches(Pattern),
    Replace(Pattern, Arc<str>),
    Extract(Pattern),
    Number { precision: u32, scale: u32, rounding: Rounding },
    ParseNumber,
    Multiply(Decimal),
    Divide(Decimal),
    Minimum(Decimal),
    Maximum(Decimal),
    Clamp(Decimal, Decimal),
    JoinList { max: usize, separator: Arc<str>, overflow: Overflow },
    SplitList(Arc<str>),
    MultiSelect,
    Table(Arc<Lookup>),
    Boolean(Arc<Flags>),
    DateTime,
    LocalDateTime { zone: Zone, ambiguous: Ambiguous, skipped: Skipped },
    InZone(Zone),
    Date(Zone),
    FromEpoch { per_second: u32 },
    ToEpoch { per_second: u32 },
    RecordId(Option<Arc<str>>),
    Custom(Function),
}

impl Step {
    /// Makes a transform ready. With no functions at hand, a custom one is taken to be registered.
    ///
    /// # Errors
    ///
    /// What is wrong with the transform's settings.
    pub(super) fn new(transform: &Transform, functions: Option<&Transforms>) -> Result<Self, String> {
        Ok(match transform {
            Transform::Text => Self::Text,
            Transform::Trim => Self::Trim,
            Transform::Upper => Self::Upper,
            Transform::Lower => Self::Lower,
            Transform::MaxLength { max } => Self::MaxLength(at_least_one("max", *max)?),
            Transform::Truncate { max } => Self::Truncate(at_least_one("max", *max)?),
            Transform::Email => Self::Email,
            Transform::Matches { pattern } => Self::Matches(Pattern::new(pattern)?),
            Transform::Replace { pattern, with } => Self::Replace(Pattern::new(pattern)?, with.as_str().into()),
            Transform::Extract { pattern } => Self::Extract(Pattern::new(pattern)?),
            Transform::Number { precision, scale, rounding } => {
                if *precision == 0 || scale > precision {
                    return Err("\"precision\" is at least 1 and not less than \"scale\"".into());
                }
                Self::Number { precision: *precision, scale: *scale, rounding: *rounding }
            }
            Transform::WholeNumber { precision } => {
                if *precision == 0 {
                    return Err("\"precision\" is 0".into());
                }
                Self::Number { precision: *precision, scale: 0, rounding: Rounding::Refuse }
            }
            Transform::ParseNumber => Self::ParseNumber,
            Transform::Multiply { by } | Transform::Divide { by } if *by == Decimal::ZERO => {
                return Err("\"by\" is 0".into());
            }
            Transform::Multiply { by } => Self::Multiply(*by),
            Transform::Divide { by } => Self::Divide(*by),
            Transform::Minimum { min } => Self::Minimum(*min),
            Transform::Maximum { max } => Self::Maximum(*max),
            Transform::Clamp { min, max } if min > max => return Err("\"min\" is above \"max\"".into()),
            Transform::Clamp { min, max } => Self::Clamp(*min, *max),
            Transform::SecondsToMinutes => Self::Divide(Decimal::from(60_u32)),
            Transform::MinutesToSeconds => Self::Multiply(Decimal::from(60_u32)),
            Transform::JoinList { max, separator, overflow } => Self::JoinList {
                max: at_least_one("max", *max)?,
                separator: not_empty("separator", separator)?,
                overflow: *overflow,
            },
            Transform::SplitList { separator } => Self::SplitList(not_empty("separator", separator)?),
            Transform::MultiSelect => Self::MultiSelect,
            Transform::Table(table) => Self::Table(Arc::new(Lookup::new(table)?)),
            Transform::Boolean { truths, falsehoods } => Self::Boolean(Arc::new(Flags::new(truths, falsehoods)?)),
            Transform::DateTime => Self::DateTime,
            Transform::LocalDateTime { zone, ambiguous, skipped } => {
                Self::LocalDateTime { zone: Zone::new(zone)?, ambiguous: *ambiguous, skipped: *skipped }
            }
            Transform::InZone { zone } => Self::InZone(Zone::new(zone)?),
            Transform::Date { zone } => Self::Date(Zone::new(zone)?),
            Transform::EpochSeconds => Self::FromEpoch { per_second: 1 },
            Transform::EpochMilliseconds => Self::FromEpoch { per_second: 1000 },
            Transform::ToEpochSeconds => Self::ToEpoch { per_second: 1 },
            Transform::ToEpochMilliseconds => Self::ToEpoch { per_second: 1000 },
            Transform::RecordId { prefix } => {
                let sound = |prefix: &String| prefix.len() == 3 && prefix.bytes().all(|b| b.is_ascii_alphanumeric());
                if prefix.as_ref().is_some_and(|prefix| !sound(prefix)) {
                    return Err("a \"prefix\" has three letters and digits".into());
                }
                Self::RecordId(prefix.as_deref().map(Into::into))
            }
            Transform::Custom(name) => Self::Custom(match functions {
                Some(functions) => functions.get(name)?,
                None => Function::unknown(name),
            }),
        })
    }

    /// Whether what comes out of the step has no control character; `before` tells that of what goes in.
    pub(super) fn is_clean(&self, before: bool) -> bool {
        match self {
            Self::Text | Self::JoinList { .. } => true,
            Self::Trim | Self::MaxLength(_) | Self::Truncate(_) | Self::Email | Self::Matches(_) => before,
            _ => false,
        }
    }

    /// Takes the step. The item is not blank.
    ///
    /// # Errors
    ///
    /// Why it cannot be taken, never quoting the value.
    pub(super) fn apply<'a>(&self, item: Item<'a>) -> Result<Item<'a>, Reason> {
        Ok(match self {
            Self::Text => Item::Text(one_line(item.into_text()?)?),
            Self::Trim => Item::Text(item.into_text()?).trimmed(),
            Self::Upper => Item::from(text_of(&item)?.to_uppercase()),
            Self::Lower => Item::from(text_of(&item)?.to_lowercase()),
            Self::MaxLength(max) => {
                let length = utf16_len(text_of(&item)?);
                if length > *max {
                    return Err(format!("longer than {max} characters ({length})").into());
                }
                item
            }
            Self::Truncate(max) => Item::Text(truncate(item.into_text()?, *max)),
            Self::Email if is_email(text_of(&item)?) => item,
            Self::Email => return Err("not an email address".into()),
            Self::Matches(pattern) if pattern.is_match(text_of(&item)?) => item,
            Self::Matches(_) => return Err("does not match the pattern".into()),
            Self::Replace(pattern, with) => Item::Text(pattern.replace(item.into_text()?, with)?),
            Self::Extract(pattern) => pattern.extract(item.into_text()?),
            Self::Number { precision, scale, rounding } => {
                let number = number_of(&item)?;
                let rounded = number.round(*scale, *rounding).ok_or_else(|| not_rounded(*scale))?;
                let digits = precision - scale;
                if rounded.integer_digits() > digits {
                    return Err(format!("more than {digits} digits before the point").into());
                }
                Item::number(rounded)
            }
            Self::ParseNumber => match item {
                Item::Text(text) => Item::number(Decimal::parse(text.trim()).map_err(|_| "not a number")?),
                item => Item::number(number_of(&item)?),
            },
            Self::Multiply(by) => {
                let number = number_of(&item)?;
                let product = number.checked_mul(*by).ok_or("out of range")?;
                Item::number(not_vanished(number, product)?.with_digits(PRODUCT_DIGITS))
            }
            Self::Divide(by) => {
                let number = number_of(&item)?;
                Item::number(not_vanished(number, number.checked_div(*by).ok_or("out of range")?)?)
            }
            Self::Minimum(min) if number_of(&item)? < *min => return Err(format!("less than {min}").into()),
            Self::Maximum(max) if number_of(&item)? > *max => return Err(format!("more than {max}").into()),
            Self::Minimum(_) | Self::Maximum(_) => item,
            Self::Clamp(min, max) => Item::number(number_of(&item)?.clamp(*min, *max)),
            Self::JoinList { max, separator, overflow } => Item::from(join(&item, *max, separator, *overflow)?),
            Self::SplitList(separator) => Item::Own(split(&item, separator)?),
            Self::MultiSelect => Item::Own(multi_select(&item)?),
            Self::Table(lookup) => lookup.find(item)?,
            Self::Boolean(flags) => Item::Own(Value::Bool(flags.read(&item)?)),
            Self::DateTime => Item::Own(Value::DateTime(instant(&item)?)),
            Self::LocalDateTime { zone, ambiguous, skipped } => {
                Item::Own(Value::DateTime(zone.local(text_of(&item)?, *ambiguous, *skipped)?))
            }
            Self::InZone(zone) => Item::from(zone.clocks(&instant(&item)?)),
            Self::Date(zone) => Item::Own(Value::Date(zone.day(&item)?)),
            Self::FromEpoch { per_second } => Item::Own(Value::DateTime(epoch(number_of(&item)?, *per_second)?)),
            Self::ToEpoch { per_second } => {
                let millis = instant(&item)?.unix_millis();
                Item::number(Decimal::from(millis / i64::from(1000 / per_second)))
            }
            Self::RecordId(prefix) => {
                let id = match &item {
                    Item::Text(text) => RecordId::new(text.trim()).ok(),
                    item => item.as_value().and_then(Value::to_id),
                };
                let id = id.ok_or("not a record id of 15 or 18 characters")?;
                match prefix {
                    Some(prefix) if id.key_prefix() != &**prefix => {
                        return Err(format!("not the id of a record whose ids start with {prefix}").into());
                    }
                    _ => Item::Own(Value::Id(id)),
                }
            }
            Self::Custom(function) => Item::from_value(call(function, item.into_value())?),
        })
    }
}

fn at_least_one(name: &str, number: usize) -> Result<usize, String> {
    if number == 0 { Err(format!("\"{name}\" is 0")) } else { Ok(number) }
}

fn not_empty(name: &str, text: &str) -> Result<Arc<str>, String> {
    if text.is_empty() { Err(format!("\"{name}\" is empty")) } else { Ok(text.into()) }
}

/// Refuses a result that is 0 only because its digits are too far behind the point.
fn not_vanished(number: Decimal, result: Decimal) -> Result<Decimal, Reason> {
    if result == Decimal::ZERO && number != Decimal::ZERO { Err("out of range".into()) } else { Ok(result) }
}

fn not_rounded(scale: u32) -> Reason {
    if scale == 0 { "not a whole number".into() } else { format!("more than {scale} digits after the point").into() }
}

#[cfg(test)]
mod tests;
