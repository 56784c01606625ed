//! What is wrong with a map, all at once, before any record is looked at.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::custom::Transforms;
use super::field_map::{Parts, VERSION};
use super::rule::{FieldRule, Input, Write};
use super::steps::Step;
use super::template;
use super::transform::{Inverse, Transform};
use crate::types::document::Part;
use crate::types::{FieldName, Filter, Test, Value};

/// Something wrong with a map.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) place: Place,
    /// The key in that place.
    pub(super) key: &'static str,
    /// The item of the list at that key.
    pub(super) item: Option<usize>,
    pub(super) kind: MistakeKind,
    pub(super) text: String,
}

/// Whether a mistake may be that of another part, which could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MistakeKind {
    UnknownValue,
    Audience,
    Other,
}

/// Where in a map a mistake is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Map,
    Value(String),
    Rule(usize),
}

impl Mistake {
    fn new(place: Place, key: &'static str, text: impl Into<String>) -> Self {
        Self { place, key, item: None, kind: MistakeKind::Other, text: text.into() }
    }

    /// The rule or value it is in.
    pub(super) fn part(&self, parts: &Parts, number: &dyn Fn(usize) -> usize) -> Option<Part> {
        match &self.place {
            Place::Map => None,
            Place::Value(name) => Some(Part { number: None, words: format!("value {name}") }),
            Place::Rule(index) => {
                let target = parts.rules.get(*index).map(|rule| rule.target.to_string()).unwrap_or_default();
                let number = number(*index);
                Some(Part { number: Some(number), words: format!("rule {number} ({target})") })
            }
        }
    }
}

/// Looks a map through. Without functions at hand, custom transforms are taken to be registered. `number` is what a rule is
/// called by in the words of a mistake.
pub(super) fn mistakes(parts: &Parts, functions: Option<&Transforms>, number: &dyn Fn(usize) -> usize) -> Vec<Mistake> {
    let mut found = Vec::new();
    if parts.version != VERSION {
        let text = format!("field map of version {}, this library reads version {VERSION}", parts.version);
        found.push(Mistake::new(Place::Map, "version", text));
    }
    if let Some(audience) = &parts.audience {
        check_audience(audience, &mut found);
    }
    for (name, value) in &parts.values {
        let place = || Place::Value(name.clone());
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            found.push(Mistake::new(place(), "", "the name of a value consists of letters, digits and underscores"));
        }
        check_input(&value.input, parts, &place, &mut found);
        check_steps(&value.transforms, "transforms", functions, &place, &mut found);
        check_default(value.default.as_ref(), &place, &mut found);
    }
    found.extend(cycles(parts));
    for (index, rule) in parts.rules.iter().enumerate() {
        check_rule(index, rule, parts, functions, &mut found);
    }
    check_targets(parts, number, &mut found);
    check_keys(parts, &mut found);
    found
}

/// The places of the custom transforms, each as that of a mistake.
pub(super) fn custom_places(parts: &Parts) -> impl Iterator<Item = Mistake> {
    let values =
        parts.values.iter().map(|(name, value)| (Place::Value(name.clone()), "transforms", &value.transforms[..]));
    let rules = parts.rules.iter().enumerate().flat_map(|(index, rule)| {
        let reverse = rule.reverse.as_deref().unwrap_or_default();
        [(Place::Rule(index), "transforms", &rule.transforms[..]), (Place::Rule(index), "reverse", reverse)]
    });
    values.chain(rules).flat_map(|(place, key, transforms)| {
        let custom = transforms.iter().enumerate().filter(|(_, transform)| matches!(transform, Transform::Custom(_)));
        custom.map(move |(item, _)| Mistake { item: Some(item), ..Mistake::new(place.clone(), key, "") })
    })
}

fn check_input(input: &Input, parts: &Parts, place: &dyn Fn() -> Place, found: &mut Vec<Mistake>) {
    let mut path = |path: &str, key: &'static str| {
        if let Some(wrong) = wrong_path(path, parts) {
            let kind = if path.starts_with('$') { MistakeKind::UnknownValue } else { MistakeKind::Other };
            found.push(Mistake { kind, ..Mistake::new(place(), key, wrong) });
        }
    };
    match input {
        Input::Source(source) => path(source, "source"),
        Input::FirstOf(paths) if paths.is_empty() => {
            found.push(Mistake::new(place(), "first_of", "\"first_of\" names no path"));
        }
        Input::FirstOf(paths) => paths.iter().for_each(|name| path(name, "first_of")),
        Input::Constant(value) if !is_plain(value) => {
            found.push(Mistake::new(
                place(),
                "constant",
                "a constant is a text, a number or a flag, or a list of them",
            ));
        }
        Input::Constant(_) => {}
        Input::Template(text) => match template::parse(text) {
            Ok(_) => template::holes(text).iter().for_each(|name| path(name, "template")),
            Err(wrong) => found.push(Mistake::new(place(), "template", wrong)),
        },
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().all(is_plain),
        Value::Record(_) | Value::Children(_) | Value::OutOfRange(_) => false,
        _ => true,
    }
}

/// The paths of an audience are those of the record itself, and a bound has an order.
fn check_audience(filter: &Filter, found: &mut Vec<Mistake>) {
    let mut wrong = |text: String| {
        found.push(Mistake { kind: MistakeKind::Audience, ..Mistake::new(Place::Map, "audience", text) });
    };
    match filter {
        Filter::All(filters) | Filter::Any(filters) => filters.iter().for_each(|filter| check_audience(filter, found)),
        Filter::Not(filter) => check_audience(filter, found),
        Filter::Field { path, test } => {
            if path.starts_with('$') {
                wrong(format!("audience: {path} is no path: an audience looks at the record as it comes"));
            } else if let Some(text) = not_a_path(path) {
                wrong(format!("audience: {text}"));
            }
            let (name, bound) = match test {
                Test::AtLeast(bound) => ("at_least", bound),
                Test::AtMost(bound) => ("at_most", bound),
                _ => return,
            };
            if bound.order(bound).is_none() {
                wrong(format!("audience: \"{name}\" of {path} is no number, date or time"));
            }
        }
    }
}

/// Names that a message lists.
const MAX_KNOWN: usize = 20;

fn wrong_path(path: &str, parts: &Parts) -> Option<String> {
    if let Some(name) = path.strip_prefix('$') {
        return (!parts.values.contains_key(name)).then(|| {
            let known: Vec<String> = parts.values.keys().take(MAX_KNOWN).map(|name| format!("${name}")).collect();
            let more = if parts.values.len() > known.len() { ", …" } else { "" };
            match &known[..] {
                [] => format!("${name} is no value of the map, which has none"),
                known => format!("${name} is no value of the map (known: {}{more})", known.join(", ")),
            }
        });
    }
    not_a_path(path)
}

/// Names that a path may have: a record does not nest deeper.
const MAX_PATH: usize = 64;

fn not_a_path(path: &str) -> Option<String> {
    if path.split('.').count() > MAX_PATH {
        return Some(format!("a path has at most {MAX_PATH} names"));
    }
    let wrong = path.split('.').any(|step| step.is_empty() || step != step.trim());
    wrong.then(|| format!("{path:?} is no path: names with a dot between two"))
}

fn check_steps(
    transforms: &[Transform],
    key: &'static str,
    functions: Option<&Transforms>,
    place: &dyn Fn() -> Place,
    found: &mut Vec<Mistake>,
) {
    for (index, transform) in transforms.iter().enumerate() {
        if let Err(wrong) = Step::new(transform, functions) {
            let text = format!("{} ({}): {wrong}", transform.name(), index + 1);
            found.push(Mistake { item: Some(index), ..Mistake::new(place(), key, text) });
        }
    }
}

fn check_default(default: Option<&Value>, place: &dyn Fn() -> Place, found: &mut Vec<Mistake>) {
    if default.is_some_and(|value| value.is_blank() || !is_plain(value)) {
        let text = "a default is a text, a number or a flag, or a list of them, and not blank";
        found.push(Mistake::new(place(), "default", text));
    }
}

fn check_rule(index: usize, rule: &FieldRule, parts: &Parts, functions: Option<&Transforms>, found: &mut Vec<Mistake>) {
    let place = || Place::Rule(index);
    check_input(&rule.input, parts, &place, found);
    check_steps(&rule.transforms, "transforms", functions, &place, found);
    check_default(rule.default.as_ref(), &place, found);
    if let Some(reverse) = &rule.reverse {
        check_steps(reverse, "reverse", functions, &place, found);
    }
    if !rule.direction.writes_source() {
        if rule.reverse.is_some() {
            let text = "\"reverse\" is of use where \"direction\" is \"both\" or \"from_salesforce\"";
            found.push(Mistake::new(place(), "reverse", text));
        }
        return;
    }
    match &rule.input {
        Input::Source(path) if !path.starts_with('$') => {}
        _ => {
            let text = "what comes from Salesforce needs a path to go to: give a \"source\" that is one";
            found.push(Mistake::new(place(), "direction", text));
        }
    }
    if rule.reverse.is_none()
        && let Err((at, transform)) = inverse_of(&rule.transforms)
    {
        let text = format!(
            "{} cannot be taken back, so \"reverse\" has to say what is done to a value from Salesforce, [] for nothing",
            transform.name()
        );
        found.push(Mistake { item: Some(at), ..Mistake::new(place(), "transforms", text) });
    }
}

/// What takes these transforms back, last one first; the first that cannot be.
pub(super) fn inverse_of(transforms: &[Transform]) -> Result<Vec<Transform>, (usize, &Transform)> {
    let mut back = Vec::new();
    for (index, transform) in transforms.iter().enumerate().rev() {
        match transform.inverse() {
            Inverse::Same => {}
            Inverse::Step(step) => back.push(step),
            Inverse::None => return Err((index, transform)),
        }
    }
    Ok(back)
}

/// No field is written by two rules, and no place in the source.
fn check_targets(parts: &Parts, number: &dyn Fn(usize) -> usize, found: &mut Vec<Mistake>) {
    let mut fields: HashMap<String, usize> = HashMap::new();
    let mut paths: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    for (index, rule) in parts.rules.iter().enumerate() {
        if rule.direction.writes_salesforce() {
            let field = rule.target.written_field();
            if let Some(first) = fields.get(&field.to_ascii_lowercase()) {
                let text = format!("two rules have one target, {field}: this one and rule {}", number(*first));
                found.push(Mistake::new(Place::Rule(index), "target", text));
            } else {
                fields.insert(field.to_ascii_lowercase(), index);
            }
        }
        if let (true, Input::Source(path)) = (rule.direction.writes_source(), &rule.input) {
            let steps: Vec<&str> = path.split('.').collect();
            // Another path is the same, leads into this one, or this one into it: then they are neighbours in order.
            let before = paths.range(..=steps.clone()).next_back().filter(|(other, _)| steps.starts_with(other));
            let after = paths.range(steps.clone()..).next().filter(|(other, _)| other.starts_with(&steps));
            if let Some((_, first)) = before.or(after) {
                let text =
                    format!("two rules write one place of the source, {path}: this one and rule {}", number(*first));
                found.push(Mistake::new(Place::Rule(index), "source", text));
            } else {
                paths.insert(steps, index);
            }
        }
    }
}

fn check_keys(parts: &Parts, found: &mut Vec<Mistake>) {
    let writes = parts.rules.iter().any(|rule| rule.direction.writes_salesforce());
    let keys = std::iter::once(("key", &parts.key)).chain(parts.changed_at.iter().map(|field| ("changed_at", field)));
    for (key, name) in keys {
        let is_it = |field: &FieldName| field.as_str().eq_ignore_ascii_case(name.as_str());
        let counts = |rule: &FieldRule| rule.direction.writes_salesforce() || !writes;
        let rule = parts.rules.iter().position(|rule| counts(rule) && rule.target.as_field().is_some_and(is_it));
        let Some(index) = rule else {
            found.push(Mistake::new(Place::Map, key, format!("no rule has the {key} {name} as its target")));
            continue;
        };
        if parts.rules[index].write != Write::WhenDifferent {
            let text = format!("the {key} is written whenever the record is: leave \"write\" out");
            found.push(Mistake::new(Place::Rule(index), "write", text));
        }
    }
}

/// The named values that a value needs.
pub(super) fn needs(input: &Input) -> Vec<String> {
    let name = |path: &String| path.strip_prefix('$').map(str::to_owned);
    match input {
        Input::Source(path) => name(path).into_iter().collect(),
        Input::FirstOf(paths) => paths.iter().filter_map(name).collect(),
        Input::Constant(_) => Vec::new(),
        Input::Template(text) => template::holes(text).iter().filter_map(name).collect(),
    }
}

/// The names of the values in an order in which each comes after those it needs; or a value that needs itself, by which way.
pub(super) fn order_of_values(parts: &Parts) -> (Vec<&str>, Vec<Vec<&str>>) {
    let graph: BTreeMap<&str, Vec<&str>> = parts
        .values
        .iter()
        .map(|(name, value)| {
            let needed = needs(&value.input);
            let known = |needed: &String| parts.values.get_key_value(needed).map(|(name, _)| name.as_str());
            (name.as_str(), needed.iter().filter_map(known).collect())
        })
        .collect();
    let (mut order, mut done, mut cycles) = (Vec::new(), HashSet::new(), Vec::new());
    for start in graph.keys() {
        // Depth first without recursion: the way to the value at hand, each with the needs still to be followed.
        let mut way: Vec<(&str, std::slice::Iter<'_, &str>)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        if done.contains(start) {
            continue;
        }
        way.push((start, graph[start].iter()));
        places.insert(start, 0);
        while let Some((name, needs)) = way.last_mut() {
            let Some(next) = needs.next() else {
                done.insert(*name);
                order.push(*name);
                places.remove(*name);
                way.pop();
                continue;
            };
            if let Some(&at) = places.get(next) {
                let mut cycle: Vec<&str> = way[at..].iter().map(|(name, _)| *name).collect();
                cycle.push(next);
                cycles.push(cycle);
            } else if !done.contains(next) {
                places.insert(next, way.len());
                way.push((next, graph[next].iter()));
            }
        }
    }
    (order, cycles)
}

fn cycles(parts: &Parts) -> Vec<Mistake> {
    let (_, cycles) = order_of_values(parts);
    let mistake = |cycle: Vec<&str>| {
        let text = format!("the values go in a circle: {}", cycle.join(" → "));
        Mistake::new(Place::Value(cycle[0].to_owned()), "", text)
    };
    cycles.into_iter().map(mistake).collect()
}
