//! One rule of a map, as data.

use serde::{Deserialize, Serialize};

use super::{Target, Transform};
use crate::types::plain::Plain;
use crate::types::{Direction, Value};

/// Where a rule's value comes from: exactly one of these.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// A path in the source record, such as `account.name`, or a named value of the map, such as `$full_name`.
    Source(String),
    /// The first of several paths or named values that is not blank.
    FirstOf(Vec<String>),
    /// The same value for every record.
    Constant(Value),
    /// Text with holes, such as `{first} {last}`: a hole is a path or a named value, a blank one is empty, and if all are
    /// blank the whole is. `{{` and `}}` stand for the braces themselves.
    Template(String),
}

/// What becomes of a field whose value is there but blank. An absent value leaves its field alone whatever this says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Blank {
    /// The field is cleared.
    #[default]
    Clear,
    /// The field is left alone.
    Ignore,
    /// The record is refused.
    Refuse,
}

/// When a field of a record that is in the org already is written. A new record gets all its fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Write {
    /// Where the org's value is another one.
    #[default]
    WhenDifferent,
    /// With every run, so that the record is written even if nothing differs.
    Always,
    /// Where the org's value is blank.
    WhenBlank,
    /// Never: new records only.
    CreateOnly,
}

/// One value and the field it goes to, or comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
#[non_exhaustive]
pub struct FieldRule {
    /// Where the value comes from.
    pub input: Input,
    /// Where it goes.
    pub target: Target,
    /// Which way the values of the field go.
    pub direction: Direction,
    /// Whether a blank or absent value refuses the record.
    pub required: bool,
    /// What a blank value does.
    pub blank: Blank,
    /// Stands in for an input that is blank or absent, and takes the transforms like any input. To fill new records only, add
    /// [`Write::CreateOnly`]; to fill blanks of the org, [`Write::WhenBlank`].
    pub default: Option<Value>,
    /// When the field of a record that is there is written.
    pub write: Write,
    /// What is done to the value on its way to Salesforce, in order.
    pub transforms: Vec<Transform>,
    /// What is done to the org's value on its way to the source. Without it, the transforms backwards, if each can be.
    pub reverse: Option<Vec<Transform>>,
}

impl FieldRule {
    /// A rule that takes a value through these transforms to Salesforce.
    pub fn new(input: impl Into<Input>, target: impl Into<Target>, transforms: Vec<Transform>) -> Self {
        Self {
            input: input.into(),
            target: target.into(),
            direction: Direction::default(),
            required: false,
            blank: Blank::default(),
            default: None,
            write: Write::default(),
            transforms,
            reverse: None,
        }
    }

    /// Refuses records in which the value is blank or absent.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Sets what a blank value does.
    #[must_use]
    pub fn blank(mut self, blank: Blank) -> Self {
        self.blank = blank;
        self
    }

    /// Sets what stands in for a blank or absent input.
    #[must_use]
    pub fn or(mut self, default: impl Into<Value>) -> Self {
        self.default = Some(default.into());
        self
    }

    /// Sets when the field of a record that is there is written.
    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.write = write;
        self
    }

    /// Sets which way the values go.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// Sets what is done to the org's value on its way to the source.
    #[must_use]
    pub fn reverse(mut self, transforms: Vec<Transform>) -> Self {
        self.reverse = Some(transforms);
        self
    }
}

impl From<&str> for Input {
    fn from(path: &str) -> Self {
        Self::Source(path.to_owned())
    }
}

impl From<String> for Input {
    fn from(path: String) -> Self {
        Self::Source(path)
    }
}

/// A value that rules use by name: `$full_name` for the one named `full_name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "InputParts", into = "InputParts")]
#[non_exhaustive]
pub struct NamedValue {
    /// Where it comes from.
    pub input: Input,
    /// Stands in for an input that is blank or absent.
    pub default: Option<Value>,
    /// What is done to it, in order.
    pub transforms: Vec<Transform>,
}

impl NamedValue {
    /// A value that takes these transforms.
    pub fn new(input: impl Into<Input>, transforms: Vec<Transform>) -> Self {
        Self { input: input.into(), default: None, transforms }
    }

    /// Sets what stands in for a blank or absent input.
    #[must_use]
    pub fn or(mut self, default: impl Into<Value>) -> Self {
        self.default = Some(default.into());
        self
    }
}

/// The form of a named value in a file.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct InputParts {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_of: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constant: Option<Plain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<Plain>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transforms: Vec<Transform>,
}

/// The form of a rule in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_of: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    constant: Option<Plain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    target: Target,
    #[serde(default, skip_serializing_if = "is_default")]
    direction: Direction,
    #[serde(default, skip_serializing_if = "is_default")]
    required: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    blank: Blank,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Plain>,
    #[serde(default, skip_serializing_if = "is_default")]
    write: Write,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    transforms: Vec<Transform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reverse: Option<Vec<Transform>>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The one input of the four.
fn one_input(
    source: Option<String>,
    first_of: Option<Vec<String>>,
    constant: Option<Plain>,
    template: Option<String>,
) -> Result<Input, &'static str> {
    let inputs = [
        source.map(Input::Source),
        first_of.map(Input::FirstOf),
        constant.map(|Plain(value)| Input::Constant(value)),
        template.map(Input::Template),
    ];
    let mut inputs = inputs.into_iter().flatten();
    match (inputs.next(), inputs.next()) {
        (Some(input), None) => Ok(input),
        _ => Err("has exactly one of \"source\", \"first_of\", \"constant\" and \"template\""),
    }
}

/// The input in its place of the four.
fn input_parts(input: Input) -> (Option<String>, Option<Vec<String>>, Option<Plain>, Option<String>) {
    match input {
        Input::Source(path) => (Some(path), None, None, None),
        Input::FirstOf(paths) => (None, Some(paths), None, None),
        Input::Constant(value) => (None, None, Some(Plain(value)), None),
        Input::Template(text) => (None, None, None, Some(text)),
    }
}

impl TryFrom<InputParts> for NamedValue {
    type Error = String;

    fn try_from(parts: InputParts) -> Result<Self, String> {
        let InputParts { source, first_of, constant, template, default, transforms } = parts;
        let input = one_input(source, first_of, constant, template).map_err(|words| format!("a value {words}"))?;
        Ok(Self { input, default: default.map(|Plain(value)| value), transforms })
    }
}

impl From<NamedValue> for InputParts {
    fn from(value: NamedValue) -> Self {
        let (source, first_of, constant, template) = input_parts(value.input);
        let default = value.default.map(Plain);
        Self { source, first_of, constant, template, default, transforms: value.transforms }
    }
}

impl TryFrom<Parts> for FieldRule {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        let Parts { source, first_of, constant, template, target, .. } = parts;
        let input = one_input(source, first_of, constant, template).map_err(|words| format!("a rule {words}"))?;
        Ok(Self {
            input,
            target,
            direction: parts.direction,
            required: parts.required,
            blank: parts.blank,
            default: parts.default.map(|Plain(value)| value),
            write: parts.write,
            transforms: parts.transforms,
            reverse: parts.reverse,
        })
    }
}

impl From<FieldRule> for Parts {
    fn from(rule: FieldRule) -> Self {
        let (source, first_of, constant, template) = input_parts(rule.input);
        Self {
            source,
            first_of,
            constant,
            template,
            target: rule.target,
            direction: rule.direction,
            required: rule.required,
            blank: rule.blank,
            default: rule.default.map(Plain),
            write: rule.write,
            transforms: rule.transforms,
            reverse: rule.reverse,
        }
    }
}
