//! A value on its way through the steps.

use std::borrow::Cow;

use super::Reason;
use super::text::trim;
use crate::types::{Decimal, Value};

/// A value on its way. Text is apart from the others, so that it is borrowed from the source as long as no step changes it:
/// one copy is made, when it has arrived.
#[derive(Debug)]
pub(in crate::mapping) enum Item<'a> {
    /// Any text.
    Text(Cow<'a, str>),
    /// What is no text, still in the source.
    Ref(&'a Value),
    /// What is no text, made by a step.
    Own(Value),
}

impl<'a> Item<'a> {
    pub(in crate::mapping) fn of(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
            value => Self::Ref(value),
        }
    }

    pub(in crate::mapping) fn from_value(value: Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(Cow::Owned(text)),
            value => Self::Own(value),
        }
    }

    pub(super) fn number(number: Decimal) -> Self {
        Self::Own(Value::Number(number))
    }

    pub(in crate::mapping) fn into_value(self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.into_owned()),
            Self::Ref(value) => value.clone(),
            Self::Own(value) => value,
        }
    }

    /// What is no text.
    pub(in crate::mapping) fn as_value(&self) -> Option<&Value> {
        match self {
            Self::Text(_) => None,
            Self::Ref(value) => Some(value),
            Self::Own(value) => Some(value),
        }
    }

    /// Text without the white space at its ends, which Salesforce does not store: a key that keeps it finds no record.
    pub(in crate::mapping) fn trimmed(self) -> Self {
        match self {
            Self::Text(text) => Self::Text(trim(text)),
            item => item,
        }
    }

    /// The same value, lent.
    pub(in crate::mapping) fn borrowed(&self) -> Item<'_> {
        match self {
            Self::Text(text) => Item::Text(Cow::Borrowed(text)),
            Self::Ref(value) => Item::Ref(value),
            Self::Own(value) => Item::Ref(value),
        }
    }

    pub(super) fn into_text(self) -> Result<Cow<'a, str>, Reason> {
        if let Self::Text(text) = self { Ok(text) } else { Err("not text".into()) }
    }

    /// As [`Value::is_blank`].
    pub(in crate::mapping) fn is_blank(&self) -> bool {
        match self {
            // Most texts begin with what is no white space.
            Self::Text(text) => !text.as_bytes().first().is_some_and(u8::is_ascii_graphic) && text.trim().is_empty(),
            Self::Ref(value) => value.is_blank(),
            Self::Own(value) => value.is_blank(),
        }
    }
}

impl From<String> for Item<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<&'a str> for Item<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

pub(super) fn text_of<'i>(item: &'i Item<'_>) -> Result<&'i str, Reason> {
    if let Item::Text(text) = item { Ok(text) } else { Err("not text".into()) }
}

pub(super) fn number_of(item: &Item<'_>) -> Result<Decimal, Reason> {
    match item.as_value() {
        Some(Value::Number(number)) => Ok(*number),
        Some(Value::OutOfRange(_)) => Err("a number of more than 28 digits".into()),
        _ => Err("not a number".into()),
    }
}
