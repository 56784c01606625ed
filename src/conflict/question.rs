//! What a person has to decide, and what was answered. Both are data: they outlive the process in whatever store there is.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::decision::{Reason, Winner};
use super::object::{object, objects_only};
use super::rules::{Field, Verdict, Write};
use super::values::same;
use crate::types::{Timestamp, Value};

/// A field, or a record (`*`), over which a person has to decide. It does not say of which record: whoever keeps questions keeps
/// the record's key beside them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Question {
    /// The field; `*` where one side deleted the record and the other one changed it.
    #[serde(serialize_with = "text", deserialize_with = "shared")]
    pub field: Arc<str>,
    /// The policy that asks.
    pub rule: Cow<'static, str>,
    /// The last value both sides agreed on, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub base: Option<Value>,
    /// The product's value; none where it does not know the field or deleted the record.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub source: Option<Value>,
    /// The org's value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub remote: Option<Value>,
    /// When the product's record changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_changed_at: Option<Timestamp>,
    /// When the org's record changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_changed_at: Option<Timestamp>,
}

fn text<S: Serializer>(name: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name)
}

fn shared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(deserializer).map(Into::into)
}

/// A member that is there is a value, null too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// What a person decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// The org's value counts; of a deleted record, what the org did.
    Salesforce,
    /// The product's value counts; of a deleted record, what the product did.
    Source,
    /// This value counts, on both sides. Means [`KeepApart`](Self::KeepApart) for a deleted record.
    Value(Value),
    /// Both sides keep what they have, until one of them changes.
    KeepApart,
}

/// A question with its answer, to be given to [`resolve_answered`](super::resolve_answered).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Answered {
    /// What was asked.
    pub question: Question,
    /// What was answered.
    pub answer: Answer,
}

objects_only! {
    Question: "a question: an object with \"field\"",
    Answered: "an answer: an object with \"question\" and \"answer\"",
}

impl Question {
    /// Puts an answer to it.
    #[must_use]
    pub fn answered(self, answer: Answer) -> Answered {
        Answered { question: self, answer }
    }

    /// Whether the other question is this one: the same field with the same values on both sides. Stamps may differ, since an
    /// edit of another field moves them.
    pub(super) fn is_about(&self, other: &Self) -> bool {
        let alike = |left: &Option<Value>, right: &Option<Value>| match (left, right) {
            (Some(left), Some(right)) => same(left, right),
            (left, right) => left.is_none() && right.is_none(),
        };
        self.field.eq_ignore_ascii_case(&other.field)
            && alike(&self.source, &other.source)
            && alike(&self.remote, &other.remote)
    }
}

impl Answer {
    /// What the answer means for a field.
    pub(super) fn verdict(&self, field: &Field<'_>) -> Verdict {
        let (write, winner, reason) = match self {
            Self::Salesforce => (Write::ToSource, Winner::Salesforce, Reason::Answered),
            Self::Source => (Write::ToSalesforce, Winner::Source, Reason::Answered),
            Self::KeepApart => (Write::Nothing, Winner::None, Reason::KeptApart),
            Self::Value(value) => {
                let lacks = |side: Option<&Value>| side.is_some_and(|side| !same(side, value));
                let (to_salesforce, to_source) = (lacks(field.remote), lacks(field.source));
                let write = Write::Each { value: value.clone(), to_salesforce, to_source };
                (write, Winner::Both, Reason::Answered)
            }
        };
        Verdict { write, winner, rule: "answer", reason }
    }
}
