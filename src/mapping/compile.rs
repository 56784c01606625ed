//! Maps made ready: looked through once, applied to millions of records.

use std::collections::HashMap;
use std::sync::Arc;

use super::custom::Transforms;
use super::field_map::{FieldMap, Parts};
use super::input::{Names, Ready};
use super::mistake::{MapMistake, refused};
use super::route::{Branch, Route, Routes};
use super::rule::{Blank, FieldRule, Input, Write};
use super::steps::Step;
use super::target::Target;
use super::transform::Transform;
use super::validate::{Mistake, inverse_of, mistakes, order_of_values};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldName, Rounding, SObjectDescribe, SObjectName, Value};

/// A [`FieldMap`] made ready for use: paths and templates taken apart, patterns and tables built. A clone is cheap.
#[derive(Clone, Debug)]
pub struct CompiledMap(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    map: FieldMap,
    functions: Transforms,
    /// The named values, each after those it needs.
    pub(super) values: Vec<ReadyValue>,
    /// The rules that write Salesforce, in the order of the map.
    pub(super) rules: Vec<ReadyRule>,
    /// The objects on the way of their paths.
    pub(super) branches: Box<[Branch]>,
    /// The rules that write the source.
    pub(super) back: Vec<BackRule>,
    /// The objects on the way of what they read, and of what they write.
    pub(super) remote_branches: Box<[Branch]>,
    pub(super) source_branches: Box<[Branch]>,
    /// Which of the outputs is the key.
    pub(super) key: Option<usize>,
    pub(super) changed_at: Option<usize>,
}

/// What takes a value from the source record to its end.
#[derive(Debug)]
pub(super) struct ReadyValue {
    /// What an issue names: the path, or what stands in its place.
    pub(super) label: Arc<str>,
    pub(super) input: Ready,
    pub(super) default: Option<Value>,
    pub(super) steps: Vec<Step>,
    /// Whether the steps let no control character through, so that none is looked for again.
    pub(super) clean: bool,
}

#[derive(Debug)]
pub(super) struct ReadyRule {
    pub(super) value: ReadyValue,
    pub(super) required: bool,
    pub(super) blank: Blank,
    pub(super) output: Output,
}

/// Where a value goes in a record of the org.
#[derive(Debug)]
pub(crate) struct Output {
    /// The field or relationship under which a value is sent.
    pub(crate) member: Arc<str>,
    /// The field that is sent as null to clear it; the same but for a reference.
    pub(crate) clear: Arc<str>,
    /// The key of the parent, for a reference.
    pub(crate) parent: Option<Parent>,
    /// When a record that is there is written.
    pub(crate) write: Write,
    /// How the rule rounds a number in the end: digits beyond are no difference.
    rounding: Option<(u32, Rounding)>,
}

#[derive(Debug)]
pub(crate) struct Parent {
    pub(crate) object: Option<Arc<str>>,
    pub(crate) field: Arc<str>,
}

/// A rule from Salesforce to the source.
#[derive(Debug)]
pub(super) struct BackRule {
    /// What an issue names.
    pub(super) label: Arc<str>,
    /// Where the value is in a record of the org.
    pub(super) from: Route,
    pub(super) steps: Vec<Step>,
    pub(super) blank: Blank,
    /// Where it goes in the source record.
    pub(super) to: Route,
}

impl FieldMap {
    /// Makes the map ready for use, with the program's own functions for its custom transforms.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] naming each custom transform that is not registered, with its rule, and with the file and the
    /// line if the map was read from one.
    pub fn compile(&self, functions: &Transforms) -> Result<CompiledMap> {
        let parts = &self.0;
        let wrong = mistakes(parts, Some(functions), &number_of);
        if !wrong.is_empty() {
            return Err(refused(wrong.into_iter().map(|mistake| told(parts, mistake)).collect()));
        }
        let inner = Inner::new(self, functions).map_err(|words| Error::new(ErrorKind::Config, "field map", words))?;
        Ok(CompiledMap(Arc::new(inner)))
    }
}

/// A mistake with its place in the file, as far as there is one.
pub(super) fn told(parts: &Parts, mistake: Mistake) -> MapMistake {
    let (file, line) = parts.origin.of(&mistake);
    MapMistake::new(file, line, mistake.part(parts, &number_of), mistake.text)
}

/// Rules are counted from 1.
pub(super) fn number_of(index: usize) -> usize {
    index + 1
}

impl Inner {
    fn new(map: &FieldMap, functions: &Transforms) -> std::result::Result<Self, String> {
        let parts: &Parts = &map.0;
        let (order, _) = order_of_values(parts);
        let values: HashMap<&str, usize> = order.iter().enumerate().map(|(place, name)| (*name, place)).collect();
        let mut names = Names { values, routes: Routes::default() };
        let (mut remote, mut source) = (Routes::default(), Routes::default());
        let mut ready = |label: String, input: &Input, default: &Option<Value>, transforms: &[Transform]| {
            let steps = steps(transforms, functions)?;
            Ok::<_, String>(ReadyValue {
                label: label.into(),
                input: Ready::new(input, &mut names)?,
                default: default.clone(),
                clean: steps.iter().fold(false, |clean, step| step.is_clean(clean)),
                steps,
            })
        };
        let values = order.iter().map(|name| {
            let value = &parts.values[*name];
            ready(format!("${name}"), &value.input, &value.default, &value.transforms)
        });
        let values = values.collect::<std::result::Result<Vec<_>, String>>()?;
        let (mut rules, mut back) = (Vec::new(), Vec::new());
        for rule in &parts.rules {
            if rule.direction.writes_salesforce() {
                let value = ready(label(rule), &rule.input, &rule.default, &rule.transforms)?;
                let output = Output::new(rule);
                rules.push(ReadyRule { value, required: rule.required, blank: rule.blank, output });
            }
            if let (true, Input::Source(path)) = (rule.direction.writes_source(), &rule.input) {
                let transforms = match &rule.reverse {
                    Some(reverse) => reverse.clone(),
                    None => inverse_of(&rule.transforms).map_err(|(_, transform)| transform.name().to_owned())?,
                };
                back.push(BackRule {
                    label: rule.target.to_string().into(),
                    from: remote.route(&rule.target.path()),
                    steps: steps(&transforms, functions)?,
                    blank: rule.blank,
                    to: source.route(path),
                });
            }
        }
        let place = |name: &FieldName| {
            rules
                .iter()
                .position(|rule| rule.output.parent.is_none() && rule.output.member.eq_ignore_ascii_case(name.as_str()))
        };
        let (key, changed_at) = (place(&parts.key), parts.changed_at.as_ref().and_then(place));
        Ok(Self {
            map: map.clone(),
            functions: functions.clone(),
            values,
            rules,
            branches: names.routes.into_branches(),
            back,
            remote_branches: remote.into_branches(),
            source_branches: source.into_branches(),
            key,
            changed_at,
        })
    }
}

fn steps(transforms: &[Transform], functions: &Transforms) -> std::result::Result<Vec<Step>, String> {
    transforms.iter().map(|transform| Step::new(transform, Some(functions))).collect()
}

/// What an issue of a rule names.
fn label(rule: &FieldRule) -> String {
    match &rule.input {
        Input::Source(path) => path.clone(),
        Input::FirstOf(paths) => paths.first().cloned().unwrap_or_default(),
        Input::Template(text) => text.clone(),
        Input::Constant(_) => rule.target.to_string(),
    }
}

impl Output {
    fn new(rule: &FieldRule) -> Self {
        let target = &rule.target;
        let member: Arc<str> = target.member().as_str().into();
        let rounding = match rule.transforms.last() {
            Some(Transform::Number { scale, rounding, .. }) => Some((*scale, *rounding)),
            _ => None,
        };
        let (clear, parent) = match target {
            Target::Field(_) => (Arc::clone(&member), None),
            Target::Reference { object, field, .. } => {
                let object = object.as_ref().map(|object| object.as_str().into());
                (target.written_field().into(), Some(Parent { object, field: field.as_str().into() }))
            }
        };
        Self { member, clear, parent, write: rule.write, rounding }
    }

    /// Whether the org's value is the wanted one as far as the rule looks at it.
    pub(crate) fn is_same(&self, wanted: &Value, stored: &Value) -> bool {
        if let (Some((scale, rounding)), Value::Number(wanted), Value::Number(stored)) = (self.rounding, wanted, stored)
        {
            return stored.round(scale, rounding).is_some_and(|stored| stored == *wanted);
        }
        wanted.same_stored(stored)
    }
}

impl CompiledMap {
    /// The map as data.
    #[must_use]
    pub fn map(&self) -> &FieldMap {
        &self.0.map
    }

    /// The object that is written.
    #[must_use]
    pub fn object(&self) -> &SObjectName {
        self.0.map.object()
    }

    /// The external id field.
    #[must_use]
    pub fn key(&self) -> &FieldName {
        self.0.map.key()
    }

    /// Another map, with the functions of this one.
    pub(crate) fn with_map(&self, map: &FieldMap) -> Result<Self> {
        map.compile(&self.0.functions)
    }

    /// Where each value goes, in the order of the map.
    pub(crate) fn outputs(&self) -> impl ExactSizeIterator<Item = &Output> {
        self.0.rules.iter().map(|rule| &rule.output)
    }

    /// The same map with its targets spelt as the org spells them, as [`FieldMap::spelt_as`].
    #[must_use]
    pub fn spelt_as(&self, object: &SObjectDescribe) -> Self {
        let map = self.0.map.clone().spelt_as(object);
        // Other spellings of the same names are as sound as these.
        map.compile(&self.0.functions).unwrap_or_else(|_| self.clone())
    }
}
