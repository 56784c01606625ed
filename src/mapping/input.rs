//! Where values come from, made ready.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt::Write as _;

use super::route::{Reading, Route, Routes, Seen};
use super::rule::Input;
use super::steps::{Item, MAX_MADE, Reason};
use super::template::{Part, parse};
use crate::types::Value;

/// Longest form of what is no text in a template: a number of 28 digits, a date and time, an id.
const MAX_WRITTEN: usize = 40;

/// A path, or a named value by its place.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    Path(Route),
    Named(usize),
}

/// What names in a map stand for.
#[derive(Debug)]
pub(super) struct Names<'n> {
    /// The places of the named values.
    pub(super) values: HashMap<&'n str, usize>,
    /// The paths so far.
    pub(super) routes: Routes,
}

impl Names<'_> {
    fn slot(&mut self, path: &str) -> Result<Slot, String> {
        match path.strip_prefix('$') {
            Some(name) => self
                .values
                .get(name)
                .map(|place| Slot::Named(*place))
                .ok_or_else(|| format!("${name} is no value of the map")),
            None => Ok(Slot::Path(self.routes.route(path))),
        }
    }
}

/// What a named value has come to. A text that no step changed is still that of the source.
#[derive(Debug)]
pub(super) enum Named<'a> {
    Absent,
    Value(Item<'a>),
    /// Its own issue tells.
    Failed,
}

/// The record that is mapped, and the named values so far.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    source: Reading<'a>,
    named: &'a [OnceCell<Named<'a>>],
    /// What fills the holes of the template at hand; here so that all templates share its room.
    holes: Vec<Option<Item<'a>>>,
}

/// Why a rule gets no value.
#[derive(Debug)]
pub(super) enum Missing {
    /// The value itself is wrong.
    Wrong(Reason),
    /// It needs a named value that failed, which is told once.
    Told,
}

impl From<Reason> for Missing {
    fn from(reason: Reason) -> Self {
        Self::Wrong(reason)
    }
}

impl<'a> Scope<'a> {
    pub(super) fn new(source: Reading<'a>, named: &'a [OnceCell<Named<'a>>]) -> Self {
        Self { source, named, holes: Vec::new() }
    }

    fn find(&mut self, slot: &Slot) -> Result<Option<Item<'a>>, Missing> {
        match slot {
            Slot::Path(route) => match self.source.find(route)? {
                Seen::Value(value) => Ok(Some(Item::of(value))),
                Seen::Absent | Seen::BlankParent => Ok(None),
            },
            Slot::Named(place) => match self.named.get(*place).and_then(OnceCell::get) {
                Some(Named::Value(item)) => Ok(Some(item.borrowed())),
                Some(Named::Failed) => Err(Missing::Told),
                Some(Named::Absent) | None => Ok(None),
            },
        }
    }
}

/// An input made ready.
#[derive(Clone, Debug)]
pub(super) enum Ready {
    One(Slot),
    FirstOf(Vec<Slot>),
    Constant(Value),
    Template(Template),
}

/// Holes, each with the text before it, and the text behind them all.
#[derive(Clone, Debug)]
pub(super) struct Template {
    holes: Vec<(String, Slot)>,
    rest: String,
}

impl Template {
    fn new(text: &str, names: &mut Names<'_>) -> Result<Self, String> {
        let mut template = Self { holes: Vec::new(), rest: String::new() };
        for part in parse(text)? {
            match part {
                Part::Literal(text) => template.rest.push_str(&text),
                Part::Hole(path) => template.holes.push((std::mem::take(&mut template.rest), names.slot(&path)?)),
            }
        }
        Ok(template)
    }

    /// The text with these values in the holes, made in one allocation; `None` if none of them is known.
    ///
    /// # Errors
    ///
    /// For a value that no template takes, and for more than 1 MiB: templates in templates may double it each time.
    fn filled(&self, values: &[Option<Item<'_>>]) -> Result<Option<String>, Reason> {
        if values.iter().all(Option::is_none) {
            return Ok(None);
        }
        let set = |value: &'_ Option<Item<'_>>| value.as_ref().is_some_and(|item| !item.is_blank());
        if !values.iter().any(set) {
            return Ok(Some(String::new()));
        }
        let room = |value: &Option<Item<'_>>| match value {
            Some(Item::Text(text)) => text.len(),
            Some(_) => MAX_WRITTEN,
            None => 0,
        };
        let literals = self.holes.iter().map(|(before, _)| before.len()).sum::<usize>() + self.rest.len();
        let room = values.iter().map(room).fold(literals, usize::saturating_add);
        if room > MAX_MADE {
            return Err("longer than 1 MiB with its holes filled".into());
        }
        let mut text = String::with_capacity(room);
        for ((before, _), value) in self.holes.iter().zip(values) {
            text.push_str(before);
            if let Some(item) = value
                && !item.is_blank()
            {
                fill(&mut text, item)?;
            }
        }
        text.push_str(&self.rest);
        Ok(Some(text))
    }
}

impl Ready {
    pub(super) fn new(input: &Input, names: &mut Names<'_>) -> Result<Self, String> {
        Ok(match input {
            Input::Source(path) => Self::One(names.slot(path)?),
            Input::FirstOf(paths) => {
                Self::FirstOf(paths.iter().map(|path| names.slot(path)).collect::<Result<_, _>>()?)
            }
            Input::Constant(value) => Self::Constant(value.clone()),
            Input::Template(text) => Self::Template(Template::new(text, names)?),
        })
    }

    /// The value; `None` where it is absent.
    pub(super) fn value<'a>(&'a self, scope: &mut Scope<'a>) -> Result<Option<Item<'a>>, Missing> {
        match self {
            Self::One(slot) => scope.find(slot),
            Self::Constant(value) => Ok(Some(Item::of(value))),
            Self::FirstOf(slots) => {
                // A blank one is the value if no other is there: null is known, absent is not.
                let mut blank = None;
                for slot in slots {
                    match scope.find(slot)? {
                        Some(item) if !item.is_blank() => return Ok(Some(item)),
                        item => blank = blank.or(item),
                    }
                }
                Ok(blank)
            }
            Self::Template(template) => {
                let mut values = std::mem::take(&mut scope.holes);
                values.clear();
                for (_, slot) in &template.holes {
                    values.push(scope.find(slot)?);
                }
                let text = template.filled(&values);
                scope.holes = values;
                Ok(text?.map(Item::from))
            }
        }
    }
}

/// Writes a value into a template as a person would.
fn fill(text: &mut String, item: &Item<'_>) -> Result<(), Reason> {
    let written = match item.as_value() {
        None => {
            if let Item::Text(part) = item {
                text.push_str(part);
            }
            Ok(())
        }
        Some(Value::Number(number)) => write!(text, "{number}"),
        Some(Value::Bool(flag)) => write!(text, "{flag}"),
        Some(Value::Id(id)) => write!(text, "{id}"),
        Some(Value::Date(day)) => write!(text, "{day}"),
        Some(Value::DateTime(moment)) => write!(text, "{moment}"),
        Some(Value::OutOfRange(_)) => return Err("a number of more than 28 digits".into()),
        Some(_) => return Err("a hole's value is no text, number or flag".into()),
    };
    written.map_err(|_| "cannot be written as text".into())
}
