//! A map against an org's describe, before any call: does each pair of source and field fit?

mod access;
mod fit;
mod kind;
mod nearest;
mod report;
mod suspend;

use std::collections::HashMap;

use self::access::{lookup, may_be_written};
use self::fit::fit;
use self::kind::{Flow, Kind};
use self::nearest::nearest;
pub use self::report::{FieldReport, MapReport, Verdict};
use super::field_map::{FieldMap, Parts};
use super::rule::{Blank, FieldRule, Input};
use super::target::Target;
use super::transform::Transform;
use super::validate::{inverse_of, order_of_values};
use crate::types::{Direction, FieldDescribe, FieldType, SObjectDescribe};

/// What has been found out about a rule so far.
#[derive(Debug, Default)]
struct Findings {
    verdict: Verdict,
    reasons: Vec<String>,
}

impl Findings {
    fn safe(&mut self, reason: impl Into<String>) {
        self.add(Verdict::Safe, reason);
    }

    fn lossy(&mut self, reason: impl Into<String>) {
        self.add(Verdict::Lossy, reason);
    }

    fn impossible(&mut self, reason: impl Into<String>) {
        self.add(Verdict::Impossible, reason);
    }

    fn add(&mut self, verdict: Verdict, reason: impl Into<String>) {
        self.verdict = self.verdict.max(verdict);
        self.reasons.push(reason.into());
    }
}

impl FieldMap {
    /// Compares the map with what an org says of its object: a verdict for each rule and direction, and for each field that a
    /// new record needs but no rule writes. Pure, no API call; get the describe with
    /// [`Client::describe`](crate::Client::describe) as the user who will write.
    #[must_use]
    pub fn check(&self, object: &SObjectDescribe) -> MapReport {
        let parts = &self.0;
        let mut fields = Vec::with_capacity(parts.rules.len());
        check_object(parts, object, &mut fields);
        let named = named_kinds(parts);
        for (index, rule) in parts.rules.iter().enumerate() {
            let mut report = |direction, findings: Findings| {
                fields.push(FieldReport {
                    rule: Some(index + 1),
                    source: source_of(rule),
                    target: rule.target.to_string(),
                    direction,
                    verdict: findings.verdict,
                    reasons: findings.reasons,
                });
            };
            if rule.direction.writes_salesforce() {
                report(Direction::ToSalesforce, check_forward(parts, rule, &named, object));
            }
            if rule.direction.writes_source() {
                report(Direction::FromSalesforce, check_reverse(rule, object));
            }
        }
        check_required(parts, object, &mut fields);
        MapReport { object: parts.object.to_string(), fields }
    }
}

impl FieldMap {
    /// The texts that a rule may write, by its place, where they are fixed beforehand: constants, and what tables turn values into.
    pub(crate) fn written_values(&self, rule: usize) -> Option<Vec<String>> {
        let parts = &self.0;
        let rule = parts.rules.get(rule)?;
        let flow = flow_of(&rule.input, rule.default.as_ref(), &named_kinds(parts)).ok()?;
        let Kind::OneOf(values) = flow.through(&rule.transforms).ok()?.kind else { return None };
        // `a;b` of a multi-select is two values of the list.
        let texts = values.iter().filter_map(|value| value.as_text());
        Some(texts.flat_map(|text| [text].into_iter().chain(text.split(';'))).map(str::to_owned).collect())
    }
}

/// What a reader takes for the source of a rule.
fn source_of(rule: &FieldRule) -> String {
    match &rule.input {
        Input::Source(path) => path.clone(),
        Input::FirstOf(paths) => paths.join(" | "),
        Input::Constant(_) => "(constant)".to_owned(),
        Input::Template(text) => text.clone(),
    }
}

/// The object as a whole.
fn check_object(parts: &Parts, object: &SObjectDescribe, fields: &mut Vec<FieldReport>) {
    let mut findings = Findings::default();
    if !object.name.eq_ignore_ascii_case(parts.object.as_str()) {
        findings.impossible(format!("the describe is that of {}", object.name));
    }
    if parts.rules.iter().any(|rule| rule.direction.writes_salesforce()) {
        if parts.create && !object.createable {
            findings.impossible("the user cannot create records, so give the right or set \"create\" to false");
        }
        if !object.updateable {
            findings.impossible("the user cannot change records");
        }
    }
    if !findings.reasons.is_empty() {
        fields.push(FieldReport::of_object(parts.object.as_str(), findings.verdict, findings.reasons));
    }
}

/// The kinds of the named values.
fn named_kinds(parts: &Parts) -> HashMap<&str, Result<Flow, String>> {
    let (order, _) = order_of_values(parts);
    let mut kinds: HashMap<&str, Result<Flow, String>> = HashMap::new();
    for name in order {
        let value = &parts.values[name];
        let flow =
            flow_of(&value.input, value.default.as_ref(), &kinds).and_then(|flow| flow.through(&value.transforms));
        kinds.insert(name, flow);
    }
    kinds
}

/// The kind of an input.
fn flow_of(
    input: &Input,
    default: Option<&crate::types::Value>,
    named: &HashMap<&str, Result<Flow, String>>,
) -> Result<Flow, String> {
    let one = |path: &str| match path.strip_prefix('$') {
        Some(name) => named.get(name).cloned().unwrap_or_else(|| Ok(Flow::new(Kind::Unknown))),
        None => Ok(Flow::new(Kind::Unknown)),
    };
    let flow = match input {
        Input::Source(path) => one(path)?,
        Input::FirstOf(paths) => {
            let flows = paths.iter().map(|path| one(path)).collect::<Result<Vec<Flow>, String>>()?;
            flows.into_iter().reduce(Flow::or).unwrap_or_else(|| Flow::new(Kind::Unknown))
        }
        Input::Constant(value) => Flow::new(Kind::OneOf(vec![value.clone()])),
        Input::Template(_) => Flow::new(Kind::Text { max: None, email: false }),
    };
    Ok(match default {
        Some(default) => flow.or(Flow::new(Kind::OneOf(vec![default.clone()]))),
        None => flow,
    })
}

fn check_forward(
    parts: &Parts,
    rule: &FieldRule,
    named: &HashMap<&str, Result<Flow, String>>,
    object: &SObjectDescribe,
) -> Findings {
    let mut findings = Findings::default();
    let Some(field) = find(&rule.target, object, &mut findings) else { return findings };
    may_be_written(parts, rule, field, &mut findings);
    let flow = flow_of(&rule.input, rule.default.as_ref(), named).and_then(|flow| flow.through(&rule.transforms));
    match flow {
        Err(reason) => findings.impossible(reason),
        Ok(flow) => {
            flow.losses.iter().for_each(|loss| findings.lossy(loss.clone()));
            match &rule.target {
                Target::Field(_) => fit(&flow.kind, field, &mut findings),
                Target::Reference { object: parent, field: key, .. } => {
                    let parents = parent.as_ref().map_or_else(|| field.reference_to.join(" or "), ToString::to_string);
                    findings.lossy(format!(
                        "a value that is the {key} of no {parents} is refused, and {key} has to be an external id or idLookup there"
                    ));
                }
            }
        }
    }
    let is_key = matches!(&rule.target, Target::Field(name) if name.as_str().eq_ignore_ascii_case(parts.key.as_str()));
    if is_key {
        check_key(field, &mut findings);
        return findings;
    }
    let always = matches!(rule.input, Input::Constant(_)) || rule.default.is_some();
    if !field.nillable && rule.blank == Blank::Clear && !rule.required && !always {
        findings.lossy("a blank value is refused, since the field is never blank: give \"default\", \"required\" or blank = \"ignore\"");
    } else if parts.create && field.required_on_create() && !rule.required && !always {
        findings.lossy("a new record without it is refused: give \"required\" or \"default\"");
    }
    findings
}

fn check_key(field: &FieldDescribe, findings: &mut Findings) {
    // A record of the org is found by the text of its key.
    if matches!(
        field.field_type,
        FieldType::Int | FieldType::Double | FieldType::Currency | FieldType::Percent | FieldType::Boolean
    ) {
        findings.impossible("the key is text: a number field as external id is not supported, use a text field");
    }
    if !field.external_id && !field.id_lookup {
        findings.impossible("the key is no external id: mark the field as External ID");
    } else if !field.unique && field.field_type != FieldType::Id {
        findings.lossy("the key is not unique: two records with one value make it ambiguous");
    }
}

fn check_reverse(rule: &FieldRule, object: &SObjectDescribe) -> Findings {
    let mut findings = Findings::default();
    let Some(field) = find(&rule.target, object, &mut findings) else { return findings };
    let steps = match &rule.reverse {
        Some(reverse) => Ok(reverse.clone()),
        None => inverse_of(&rule.transforms).map_err(|(_, transform)| transform.name()),
    };
    if matches!(rule.target, Target::Field(_)) && matches!(field.field_type, FieldType::Address | FieldType::Location) {
        findings.impossible("a compound field is an object of several values: map its parts");
        return findings;
    }
    if rule.reverse.is_none() {
        rule.transforms.iter().filter_map(Transform::loss_on_the_way_back).for_each(|loss| findings.lossy(loss));
    }
    let kind = match &rule.target {
        Target::Field(_) => Kind::of_field(field),
        Target::Reference { .. } => Kind::Unknown,
    };
    match steps.map_err(|name| format!("{name} cannot be taken back")).and_then(|steps| Flow::new(kind).through(&steps))
    {
        Err(reason) => findings.impossible(reason),
        Ok(flow) => flow.losses.into_iter().for_each(|loss| findings.lossy(loss)),
    }
    findings
}

/// The field that a target writes.
fn find<'o>(target: &Target, object: &'o SObjectDescribe, findings: &mut Findings) -> Option<&'o FieldDescribe> {
    match target {
        Target::Field(name) => {
            let Some(field) = object.field(name.as_str()) else {
                let names = object.fields.iter().map(|field| field.name.as_str());
                let hint = nearest(name.as_str(), names).map_or_else(String::new, |name| format!(", is {name} meant?"));
                findings.impossible(format!("not there, or hidden from the user by field-level security{hint}"));
                return None;
            };
            if field.name != name.as_str() {
                findings.safe(format!("the org spells it {}", field.name));
            }
            Some(field)
        }
        Target::Reference { object: parent, relationship, .. } => {
            lookup(parent.as_ref(), relationship.as_str(), object, findings)
        }
    }
}

/// The fields that a new record needs and no rule writes.
fn check_required(parts: &Parts, object: &SObjectDescribe, fields: &mut Vec<FieldReport>) {
    let forward = || parts.rules.iter().filter(|rule| rule.direction.writes_salesforce());
    if !parts.create || forward().next().is_none() {
        return;
    }
    let written = |name: &str| forward().any(|rule| rule.target.written_field().eq_ignore_ascii_case(name));
    for field in object.fields.iter().filter(|field| field.required_on_create() && !written(&field.name)) {
        let reason = "a new record needs it and no rule writes it: add a rule, or set \"create\" to false";
        fields.push(FieldReport {
            rule: None,
            source: String::new(),
            target: field.name.clone(),
            direction: Direction::ToSalesforce,
            verdict: Verdict::Impossible,
            reasons: vec![reason.to_owned()],
        });
    }
}

#[cfg(test)]
mod tests;
