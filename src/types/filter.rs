//! Which records something applies to, as data.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::plain::Plain;
use super::{Record, Value};

/// A condition on a record, as it stands in a configuration file:
///
/// ```
/// use sforce::types::{Filter, Record};
///
/// let filter: Filter = serde_json::from_str(
///     r#"{"all": [{"field": "plan", "in": ["pro", "team"]}, {"not": {"field": "email", "blank": true}}]}"#,
/// )?;
/// assert!(filter.matches(&Record::from_json(r#"{"plan":"pro","email":"ada@example.com"}"#)?));
/// assert!(!filter.matches(&Record::from_json(r#"{"plan":"pro"}"#)?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
#[non_exhaustive]
pub enum Filter {
    /// All of these hold; with none of them, always.
    All(Vec<Filter>),
    /// One of these holds; with none of them, never.
    Any(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
    /// The value at a path passes a test.
    Field {
        /// Path in the record, such as `account.plan`.
        path: String,
        /// The test.
        test: Test,
    },
}

/// A test of one value. All but [`Test::Blank`] fail for a value that is blank or absent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Test {
    /// It equals this; numbers by value, dates and times in any shape.
    Is(Value),
    /// It equals one of these.
    In(Vec<Value>),
    /// It is blank or absent, or it is not.
    Blank(bool),
    /// A number, date or time that is not below this one.
    AtLeast(Value),
    /// A number, date or time that is not above this one.
    AtMost(Value),
    /// A text that contains this one.
    Contains(String),
    /// A text that starts with this one.
    StartsWith(String),
}

impl Filter {
    /// Whether a record passes. Pure.
    #[must_use]
    pub fn matches(&self, record: &Record) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.matches(record)),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(record)),
            Self::Not(filter) => !filter.matches(record),
            Self::Field { path, test } => test.passes(record.path(path).unwrap_or(&Value::Null)),
        }
    }
}

impl Filter {
    /// The paths that are looked at, in order; one that is named twice is there twice.
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().flat_map(Self::paths).collect(),
            Self::Not(filter) => filter.paths(),
            Self::Field { path, .. } => vec![path],
        }
    }
}

impl Test {
    fn passes(&self, value: &Value) -> bool {
        if let Self::Blank(wanted) = self {
            return value.is_blank() == *wanted;
        }
        if value.is_blank() {
            return false;
        }
        match self {
            Self::Blank(_) => false,
            Self::Is(wanted) => is(value, wanted),
            Self::In(wanted) => wanted.iter().any(|wanted| is(value, wanted)),
            Self::AtLeast(bound) => value.order(bound).is_some_and(Ordering::is_ge),
            Self::AtMost(bound) => value.order(bound).is_some_and(Ordering::is_le),
            Self::Contains(part) => value.as_text().is_some_and(|text| text.contains(part.as_str())),
            Self::StartsWith(start) => value.as_text().is_some_and(|text| text.starts_with(start.as_str())),
        }
    }
}

fn is(value: &Value, wanted: &Value) -> bool {
    value.same_stored(wanted) || value.order(wanted) == Some(Ordering::Equal)
}

/// The form in a file: one of `all`, `any`, `not` and `field`, the latter with one test.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parts {
    #[serde(skip_serializing_if = "Option::is_none")]
    all: Option<Vec<Filter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    any: Option<Vec<Filter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not: Option<Box<Filter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is: Option<Plain>,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    one_of: Option<Vec<Plain>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blank: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<Plain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<Plain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contains: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_with: Option<String>,
}

impl TryFrom<Parts> for Filter {
    type Error = &'static str;

    fn try_from(parts: Parts) -> Result<Self, &'static str> {
        let plain = |list: Vec<Plain>| list.into_iter().map(|Plain(value)| value).collect();
        let tests = [
            parts.is.map(|Plain(value)| Test::Is(value)),
            parts.one_of.map(|list| Test::In(plain(list))),
            parts.blank.map(Test::Blank),
            parts.at_least.map(|Plain(value)| Test::AtLeast(value)),
            parts.at_most.map(|Plain(value)| Test::AtMost(value)),
            parts.contains.map(Test::Contains),
            parts.starts_with.map(Test::StartsWith),
        ];
        let mut tests = tests.into_iter().flatten();
        let (test, more) = (tests.next(), tests.next());
        let field = match (parts.field, test, more) {
            (_, _, Some(_)) => return Err("a condition has one test: put several into \"all\""),
            (None, Some(_), _) => return Err("a test needs a \"field\""),
            (Some(_), None, _) => {
                return Err(
                    "a field needs a test: \"is\", \"in\", \"blank\", \"at_least\", \"at_most\", \"contains\" or \
                     \"starts_with\"",
                );
            }
            (Some(path), Some(test), None) => Some(Self::Field { path, test }),
            (None, None, None) => None,
        };
        let kinds = [parts.all.map(Self::All), parts.any.map(Self::Any), parts.not.map(Self::Not), field];
        let mut kinds = kinds.into_iter().flatten();
        match (kinds.next(), kinds.next()) {
            (Some(filter), None) => Ok(filter),
            _ => Err("a filter is one of \"all\", \"any\", \"not\" and \"field\""),
        }
    }
}

impl From<Filter> for Parts {
    fn from(filter: Filter) -> Self {
        let mut parts = Self::default();
        match filter {
            Filter::All(filters) => parts.all = Some(filters),
            Filter::Any(filters) => parts.any = Some(filters),
            Filter::Not(filter) => parts.not = Some(filter),
            Filter::Field { path, test } => {
                parts.field = Some(path);
                match test {
                    Test::Is(value) => parts.is = Some(Plain(value)),
                    Test::In(values) => parts.one_of = Some(values.into_iter().map(Plain).collect()),
                    Test::Blank(blank) => parts.blank = Some(blank),
                    Test::AtLeast(value) => parts.at_least = Some(Plain(value)),
                    Test::AtMost(value) => parts.at_most = Some(Plain(value)),
                    Test::Contains(text) => parts.contains = Some(text),
                    Test::StartsWith(text) => parts.starts_with = Some(text),
                }
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        serde_json::from_str(text).expect(text)
    }

    fn record() -> Record {
        let text = r#"{"plan":"pro","seats":12,"since":"2026-05-01T07:25:37.000+0000","day":"2026-05-01",
            "gone":"","account":{"name":"Acme Ltd"},"paid":true}"#;
        Record::from_json(text).expect("reads")
    }

    #[test]
    fn every_test_holds_and_fails_as_it_says() {
        for (text, expected) in [
            (r#"{"field":"plan","is":"pro"}"#, true),
            (r#"{"field":"plan","is":"Pro"}"#, false),
            (r#"{"field":"seats","is":12.0}"#, true),
            (r#"{"field":"paid","is":true}"#, true),
            (r#"{"field":"plan","in":["free","pro"]}"#, true),
            (r#"{"field":"plan","in":[]}"#, false),
            (r#"{"field":"seats","at_least":12}"#, true),
            (r#"{"field":"seats","at_least":12.5}"#, false),
            (r#"{"field":"seats","at_most":12}"#, true),
            (r#"{"field":"since","is":"2026-05-01T09:25:37+02:00"}"#, true),
            (r#"{"field":"since","at_most":"2026-05-01T07:25:36Z"}"#, false),
            (r#"{"field":"day","at_least":"2026-04-30"}"#, true),
            (r#"{"field":"plan","at_least":1}"#, false),
            (r#"{"field":"account.name","contains":"Ltd"}"#, true),
            (r#"{"field":"account.name","starts_with":"Ltd"}"#, false),
            (r#"{"field":"gone","blank":true}"#, true),
            (r#"{"field":"never","blank":true}"#, true),
            (r#"{"field":"never","is":""}"#, false),
            (r#"{"field":"plan","blank":false}"#, true),
            (r#"{"all":[]}"#, true),
            (r#"{"any":[]}"#, false),
            (r#"{"any":[{"field":"plan","is":"x"},{"not":{"field":"seats","is":1}}]}"#, true),
        ] {
            assert_eq!(filter(text).matches(&record()), expected, "{text}");
            let written = serde_json::to_string(&filter(text)).expect("serialises");
            assert_eq!(filter(&written), filter(text));
        }
    }

    #[test]
    fn what_is_no_filter_says_what_one_is() {
        for (text, says) in [
            (r"{}", "one of"),
            (r#"{"all":[],"any":[]}"#, "one of"),
            (r#"{"field":"a"}"#, "needs a test"),
            (r#"{"is":1}"#, "needs a \"field\""),
            (r#"{"field":"a","is":1,"blank":true}"#, "one test"),
            (r#"{"field":"a","like":1}"#, "unknown field `like`"),
        ] {
            let error = serde_json::from_str::<Filter>(text).expect_err(text).to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
