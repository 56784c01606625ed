//! What kind of value comes out of a chain of transforms, told without a value.

use super::super::steps::{Item, Step};
use super::super::transform::{Overflow, Transform};
use super::super::value_table::Otherwise;
use crate::types::{FieldDescribe, FieldType, Rounding, Value};

/// What is known of the values at a point of a chain.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Nothing: they come from the source, or from a function of the program.
    Unknown,
    Text {
        /// UTF-16 units, if there is a limit.
        max: Option<usize>,
        email: bool,
    },
    Number {
        /// Digits before the point, if there is a limit.
        whole: Option<u32>,
        /// Digits after the point, if there is a limit.
        scale: Option<u32>,
    },
    Flag,
    DateTime,
    Date,
    Id(Option<String>),
    List,
    Chosen,
    /// These and no others.
    OneOf(Vec<Value>),
}

impl Kind {
    fn text() -> Self {
        Self::Text { max: None, email: false }
    }

    fn number() -> Self {
        Self::Number { whole: None, scale: None }
    }

    /// The values of a field, as answers hold them: dates, ids and chosen values as text.
    pub(super) fn of_field(field: &FieldDescribe) -> Self {
        match field.field_type {
            FieldType::Boolean => Self::Flag,
            FieldType::Int => Self::Number { whole: Some(field.digits).filter(|digits| *digits > 0), scale: Some(0) },
            FieldType::Double | FieldType::Currency | FieldType::Percent => {
                Self::Number { whole: Some(field.precision.saturating_sub(field.scale)), scale: Some(field.scale) }
            }
            FieldType::Address | FieldType::Location | FieldType::AnyType | FieldType::Other(_) => Self::Unknown,
            FieldType::Email => Self::Text { max: usize::try_from(field.length).ok(), email: true },
            _ => Self::Text { max: usize::try_from(field.length).ok().filter(|length| *length > 0), email: false },
        }
    }

    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Unknown => "any value",
            Self::Text { .. } => "a text",
            Self::Number { .. } => "a number",
            Self::Flag => "a flag",
            Self::DateTime => "a date and time",
            Self::Date => "a day",
            Self::Id(_) => "a record id",
            Self::List => "a list",
            Self::Chosen => "chosen values",
            Self::OneOf(_) => "a fixed value",
        }
    }
}

/// A kind, and what gets lost on the way to it.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) kind: Kind,
    pub(super) losses: Vec<String>,
}

impl Flow {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, losses: Vec::new() }
    }

    /// Either of two.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.losses.extend(other.losses);
        self.kind = match (self.kind, other.kind) {
            (Kind::OneOf(mut one), Kind::OneOf(other)) => {
                one.extend(other);
                Kind::OneOf(one)
            }
            (one, other) if one == other => one,
            (Kind::Text { max: one, .. }, Kind::Text { max: other, .. }) => {
                Kind::Text { max: one.zip(other).map(|(one, other)| one.max(other)), email: false }
            }
            _ => Kind::Unknown,
        };
        self
    }

    /// Through these transforms. The error says which of them takes no such value.
    pub(super) fn through(mut self, transforms: &[Transform]) -> Result<Self, String> {
        for transform in transforms {
            self.kind = match self.kind {
                Kind::OneOf(values) => one_of(&values, transform, &mut self.losses)?,
                kind => step(&kind, transform, &mut self.losses)
                    .ok_or_else(|| format!("{} does not take {}", transform.name(), kind.words()))?,
            };
        }
        Ok(self)
    }
}

/// Values that are known are taken through the step itself.
fn one_of(values: &[Value], transform: &Transform, losses: &mut Vec<String>) -> Result<Kind, String> {
    if matches!(transform, Transform::Custom(_)) {
        return Ok(Kind::Unknown);
    }
    let ready = Step::new(transform, None)?;
    let mut taken: Vec<Value> = Vec::with_capacity(values.len());
    let mut refused = Vec::new();
    for value in values {
        if value.is_blank() {
            taken.push(value.clone());
            continue;
        }
        match ready.apply(Item::of(value)) {
            Ok(item) => taken.push(item.into_value()),
            Err(reason) => refused.push(reason),
        }
    }
    match (refused.first(), taken.is_empty()) {
        (Some(reason), true) => Err(format!("{} refuses the fixed value: {reason}", transform.name())),
        (Some(reason), false) => {
            losses.push(format!(
                "{} refuses {} of {} fixed values: {reason}",
                transform.name(),
                refused.len(),
                values.len()
            ));
            Ok(Kind::OneOf(taken))
        }
        (None, _) => Ok(Kind::OneOf(taken)),
    }
}

/// The kind after a step; `None` where it takes no such value.
fn step(kind: &Kind, transform: &Transform, losses: &mut Vec<String>) -> Option<Kind> {
    let textual = matches!(kind, Kind::Unknown | Kind::Text { .. });
    let numeric = matches!(kind, Kind::Unknown | Kind::Number { .. });
    let listed = matches!(kind, Kind::Unknown | Kind::List | Kind::Chosen);
    let timed = textual || *kind == Kind::DateTime;
    let (max, email) = if let Kind::Text { max, email } = kind { (*max, *email) } else { (None, false) };
    let shorter = |limit: usize| Some(max.map_or(limit, |max| max.min(limit)));
    Some(match transform {
        Transform::Text | Transform::Trim | Transform::Matches { .. } if textual => Kind::Text { max, email },
        Transform::Upper | Transform::Lower if textual => Kind::Text { max: None, email },
        Transform::MaxLength { max } if textual => Kind::Text { max: shorter(*max), email },
        Transform::Truncate { max: limit } if textual => {
            if max.is_none_or(|max| max > *limit) {
                losses.push(format!("texts are cut to {limit} characters"));
            }
            Kind::Text { max: shorter(*limit), email: false }
        }
        Transform::Email if textual => Kind::Text { max, email: true },
        Transform::Replace { .. } if textual => Kind::text(),
        Transform::Extract { .. } if textual => Kind::Text { max, email: false },
        Transform::ParseNumber if textual => Kind::number(),
        Transform::ParseNumber if numeric => kind.clone(),
        Transform::Number { precision, scale, rounding } if numeric => {
            let finer = !matches!(kind, Kind::Number { scale: Some(known), .. } if known <= scale);
            if *rounding != Rounding::Refuse && finer {
                losses.push(format!("numbers are rounded to {scale} digits after the point"));
            }
            Kind::Number { whole: Some(precision - scale), scale: Some(*scale) }
        }
        Transform::WholeNumber { precision } if numeric => Kind::Number { whole: Some(*precision), scale: Some(0) },
        Transform::Multiply { .. }
        | Transform::Divide { .. }
        | Transform::SecondsToMinutes
        | Transform::MinutesToSeconds
            if numeric =>
        {
            Kind::number()
        }
        Transform::Minimum { .. } | Transform::Maximum { .. } if numeric => {
            if let Kind::Unknown = kind {
                Kind::number()
            } else {
                kind.clone()
            }
        }
        Transform::Clamp { min, max } if numeric => {
            losses.push(format!("numbers outside {min} to {max} become the nearest of them"));
            let (whole, scale) = if let Kind::Number { scale, .. } = kind {
                (min.integer_digits().max(max.integer_digits()), *scale)
            } else {
                (min.integer_digits().max(max.integer_digits()), None)
            };
            Kind::Number { whole: Some(whole), scale }
        }
        Transform::JoinList { max, overflow, .. } if listed => {
            if *overflow != Overflow::Refuse {
                losses.push(format!("lists of more than {max} characters are cut"));
            }
            Kind::Text { max: Some(*max), email: false }
        }
        Transform::SplitList { .. } if textual || listed => Kind::List,
        Transform::MultiSelect if textual || listed => Kind::Chosen,
        Transform::Table(table) if !matches!(kind, Kind::List | Kind::Chosen | Kind::Date | Kind::DateTime) => {
            let mut values: Vec<Value> = table.entries.iter().map(|(_, value)| value.clone()).collect();
            match &table.otherwise {
                Otherwise::Keep => return Some(Kind::Unknown),
                Otherwise::Blank => values.push(Value::Null),
                Otherwise::Value(value) => values.push(value.clone()),
                Otherwise::Refuse => {}
            }
            Kind::OneOf(values)
        }
        Transform::Boolean { .. } if !matches!(kind, Kind::List | Kind::Chosen | Kind::Date | Kind::DateTime) => {
            Kind::Flag
        }
        Transform::DateTime if timed => Kind::DateTime,
        Transform::LocalDateTime { .. } if textual => Kind::DateTime,
        Transform::InZone { .. } if timed => Kind::Text { max: Some("2026-05-01T07:25:37".len()), email: false },
        Transform::Date { .. } if timed || *kind == Kind::Date => {
            if *kind == Kind::DateTime {
                losses.push("the time of day is dropped".to_owned());
            }
            Kind::Date
        }
        Transform::EpochSeconds | Transform::EpochMilliseconds if numeric => Kind::DateTime,
        Transform::ToEpochSeconds | Transform::ToEpochMilliseconds if timed => {
            // The year 4000 is 64 billion seconds away.
            let digits = if *transform == Transform::ToEpochSeconds { 11 } else { 14 };
            Kind::Number { whole: Some(digits), scale: Some(0) }
        }
        Transform::RecordId { prefix } if textual || matches!(kind, Kind::Id(_)) => Kind::Id(prefix.clone()),
        Transform::Custom(_) => Kind::Unknown,
        _ => return None,
    })
}
