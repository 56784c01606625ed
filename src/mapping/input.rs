//! Where values come from, made ready.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::rule::Input;
use super::steps::{Item, Reason};
use super::template::{Part, parse};
use crate::types::{FieldIndex, Record, Value};

/// A path taken apart.
#[derive(Clone, Debug)]
pub(super) struct Route {
    first: Box<str>,
    rest: Box<[Box<str>]>,
}

impl Route {
    pub(super) fn new(path: &str) -> Self {
        let mut steps = path.split('.').map(Into::into);
        let first = steps.next().unwrap_or_default();
        Self { first, rest: steps.collect() }
    }

    /// The value there; `None` when a step is absent or no object.
    pub(super) fn follow<'a>(&self, index: &mut FieldIndex<'a>) -> Option<&'a Value> {
        self.rest.iter().try_fold(index.get(&self.first)?, |value, step| value.as_record()?.get(step))
    }

    /// The value there, null where a parent is null: a query's row has `null` for a parent that is not there.
    pub(super) fn follow_parents<'a>(&self, record: &'a Record) -> Option<&'a Value> {
        self.rest.iter().try_fold(record.get(&self.first)?, |value, step| match value {
            Value::Null => Some(value),
            value => value.as_record()?.get(step),
        })
    }
}

/// A path, or a named value by its place.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    Path(Route),
    Named(usize),
}

impl Slot {
    fn new(path: &str, places: &HashMap<&str, usize>) -> Result<Self, String> {
        match path.strip_prefix('$') {
            Some(name) => places
                .get(name)
                .map(|place| Self::Named(*place))
                .ok_or_else(|| format!("${name} is no value of the map")),
            None => Ok(Self::Path(Route::new(path))),
        }
    }
}

/// What a named value has come to.
#[derive(Debug)]
pub(super) enum Named {
    Absent,
    Value(Value),
    /// Its own issue tells.
    Failed,
}

/// The record that is mapped, and the named values so far.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) source: FieldIndex<'a>,
    pub(super) named: &'a [Named],
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
    fn find(&mut self, slot: &Slot) -> Result<Option<&'a Value>, Missing> {
        match slot {
            Slot::Path(route) => Ok(route.follow(&mut self.source)),
            Slot::Named(place) => match self.named.get(*place) {
                Some(Named::Value(value)) => Ok(Some(value)),
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
    Template(Vec<Piece>),
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Literal(Box<str>),
    Hole(Slot),
}

impl Ready {
    pub(super) fn new(input: &Input, places: &HashMap<&str, usize>) -> Result<Self, String> {
        Ok(match input {
            Input::Source(path) => Self::One(Slot::new(path, places)?),
            Input::FirstOf(paths) => {
                Self::FirstOf(paths.iter().map(|path| Slot::new(path, places)).collect::<Result<_, _>>()?)
            }
            Input::Constant(value) => Self::Constant(value.clone()),
            Input::Template(text) => {
                let pieces = parse(text)?.into_iter().map(|part| match part {
                    Part::Literal(text) => Ok(Piece::Literal(text.into())),
                    Part::Hole(path) => Slot::new(&path, places).map(Piece::Hole),
                });
                Self::Template(pieces.collect::<Result<_, String>>()?)
            }
        })
    }

    /// The value; `None` where it is absent.
    pub(super) fn value<'a>(&'a self, scope: &mut Scope<'a>) -> Result<Option<Item<'a>>, Missing> {
        match self {
            Self::One(slot) => Ok(scope.find(slot)?.map(Item::of)),
            Self::Constant(value) => Ok(Some(Item::of(value))),
            Self::FirstOf(slots) => {
                // A blank one is the value if no other is there: null is known, absent is not.
                let mut blank = None;
                for slot in slots {
                    match scope.find(slot)? {
                        Some(value) if !value.is_blank() => return Ok(Some(Item::of(value))),
                        value => blank = blank.or(value),
                    }
                }
                Ok(blank.map(Item::of))
            }
            Self::Template(pieces) => {
                let mut text = String::new();
                let (mut known, mut filled) = (false, false);
                for piece in pieces {
                    match piece {
                        Piece::Literal(literal) => text.push_str(literal),
                        Piece::Hole(slot) => {
                            let Some(value) = scope.find(slot)? else { continue };
                            known = true;
                            if !value.is_blank() {
                                filled = true;
                                fill(&mut text, value)?;
                            }
                        }
                    }
                }
                if !filled {
                    text.clear();
                }
                Ok(known.then(|| Item::from(text)))
            }
        }
    }
}

/// Writes a value into a template as a person would.
fn fill(text: &mut String, value: &Value) -> Result<(), Reason> {
    let written = match value {
        Value::Text(part) => {
            text.push_str(part);
            Ok(())
        }
        Value::Number(number) => write!(text, "{number}"),
        Value::Bool(flag) => write!(text, "{flag}"),
        Value::Id(id) => write!(text, "{id}"),
        Value::Date(day) => write!(text, "{day}"),
        Value::DateTime(moment) => write!(text, "{moment}"),
        Value::OutOfRange(_) => return Err("a number of more than 28 digits".into()),
        _ => return Err("a hole's value is no text, number or flag".into()),
    };
    written.map_err(|_| "cannot be written as text".into())
}
