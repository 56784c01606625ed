//! Whether a field as describe tells it holds what a job puts there.

use std::fmt;

use super::Holds;
use crate::api::metadata::FieldKind;
use crate::types::{FieldDescribe, FieldType};

impl Holds {
    /// What a kind of field holds; `None` for kinds whose values are not compared.
    #[must_use]
    pub fn of(kind: &FieldKind) -> Option<Self> {
        Some(match kind {
            FieldKind::Text { length } => Self::Text { length: *length },
            FieldKind::Number { precision, scale }
            | FieldKind::Currency { precision, scale }
            | FieldKind::Percent { precision, scale } => Self::Number { precision: *precision, scale: *scale },
            FieldKind::Checkbox => Self::Checkbox,
            FieldKind::Date => Self::Date,
            FieldKind::DateTime => Self::DateTime,
            FieldKind::Lookup { reference_to, .. } | FieldKind::MasterDetail { reference_to, .. } => {
                Self::Reference { to: reference_to.clone() }
            }
            _ => return None,
        })
    }

    /// Whether a field holds all of it; it may hold more.
    #[must_use]
    pub fn fits(&self, field: &FieldDescribe) -> bool {
        match self {
            Self::Text { length } => {
                matches!(field.field_type, FieldType::String | FieldType::Textarea) && field.length >= *length
            }
            Self::Number { precision, scale } => match field.field_type {
                FieldType::Double | FieldType::Currency | FieldType::Percent => {
                    field.scale >= *scale
                        && field.precision.saturating_sub(field.scale) >= precision.saturating_sub(*scale)
                }
                FieldType::Int => *scale == 0 && field.digits >= *precision,
                _ => false,
            },
            Self::Checkbox => field.field_type == FieldType::Boolean,
            Self::Date => field.field_type == FieldType::Date,
            Self::DateTime => field.field_type == FieldType::Datetime,
            Self::Reference { to } => field.reference_to.iter().any(|object| object.eq_ignore_ascii_case(to)),
        }
    }
}

impl fmt::Display for Holds {
    /// As Setup shows a type: `Number(15, 3)` has 15 digits before the point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { length } => write!(f, "Text({length})"),
            Self::Number { precision, scale } => write!(f, "Number({}, {scale})", precision.saturating_sub(*scale)),
            Self::Checkbox => f.write_str("Checkbox"),
            Self::Date => f.write_str("Date"),
            Self::DateTime => f.write_str("Date/Time"),
            Self::Reference { to } => write!(f, "Lookup({to})"),
        }
    }
}
