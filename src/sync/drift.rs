//! A map that goes on without what has drifted. Pure.

use crate::error::{Error, ErrorKind, Result};
use crate::mapping::{CompiledMap, FieldMap, FieldReport, FieldRule, Target, Verdict, Write};
use crate::schema::{Change, DriftEvent, ExpectedFields, FieldUse, Impact, SeenObject, drift};
use crate::types::{Direction, SObjectDescribe};

/// The map to go on with, and why it is not the whole one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GoingOn {
    /// The map, without what is suspended.
    pub map: CompiledMap,
    /// How the object has drifted, each event with what it means.
    pub events: Vec<DriftEvent>,
    /// The rules that are left out, by their number in the whole map, each with its direction.
    pub suspended: Vec<FieldReport>,
}

/// What a map counts on in an object that it fits, to be kept and compared with the object later: by [`go_on_without`].
///
/// The key, the field that says how old a record is, and fields of rules that are marked as required are needed: nothing goes on without
/// them. Of a picklist, the values count that the map may write where those are fixed beforehand, by a table or a constant; else
/// all of its list.
#[must_use]
pub fn expected_fields(map: &FieldMap, describe: &SObjectDescribe) -> ExpectedFields {
    let mut expected = ExpectedFields::of(describe, map.creates());
    for (index, rule) in map.rules().iter().enumerate() {
        let values = map.written_values(index);
        expected = expected.counts_on(describe, &written_name(rule, describe), usage(map, rule), values.as_deref());
    }
    expected
}

fn usage(map: &FieldMap, rule: &FieldRule) -> FieldUse {
    let writes = rule.direction.writes_salesforce();
    let is = |name: &crate::types::FieldName| {
        rule.target.as_field().is_some_and(|field| field.as_str().eq_ignore_ascii_case(name.as_str()))
    };
    let needed = is(map.key()) || map.changed_at().is_some_and(is) || (writes && rule.required);
    let usage = if writes { FieldUse::WRITE } else { FieldUse::READ };
    let usage = FieldUse {
        creates: usage.creates && map.creates(),
        updates: usage.updates && rule.write != Write::CreateOnly,
        ..usage
    };
    if needed { usage.needed() } else { usage }
}

/// The field whose value a rule changes, as the org calls it.
fn written_name(rule: &FieldRule, describe: &SObjectDescribe) -> String {
    let relationship = match &rule.target {
        Target::Field(name) => return name.to_string(),
        Target::Reference { relationship, .. } => relationship.as_str(),
    };
    let leads = |name: &Option<String>| name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(relationship));
    let field = describe.fields.iter().find(|field| leads(&field.relationship_name));
    field.map_or_else(|| rule.target.written_field(), |field| field.name.clone())
}

/// Compares an object with what a map counts on, and gives the map to go on with: each field that has drifted is left out, in the
/// direction that it is lost for, and all others go on. A field that may be blank no more is cleared no more.
///
/// Pure, no API call; nothing is left out for good. Keep the events by [`ExpectedFields::note`], and the next comparison of the whole map tells what
/// is back.
///
/// # Errors
///
/// [`ErrorKind::Schema`] where the map cannot go on: the object is gone or closed to the user, a field that is needed is lost, or a
/// field of the map that was never expected does not fit.
pub fn go_on_without<'s>(
    map: &CompiledMap,
    expected: &ExpectedFields,
    now: impl Into<SeenObject<'s>>,
) -> Result<GoingOn> {
    let now = now.into();
    apply(map, expected, now.describe(), drift(expected, now))
}

/// The map without what these events suspend.
pub(super) fn apply(
    map: &CompiledMap,
    expected: &ExpectedFields,
    describe: Option<&SObjectDescribe>,
    mut events: Vec<DriftEvent>,
) -> Result<GoingOn> {
    let stops: Vec<&DriftEvent> = events.iter().filter(|event| event.impact == Impact::Stops).collect();
    let Some(describe) = describe.filter(|_| stops.is_empty()) else { return Err(stopped(map, &stops)) };
    let rules = map.map().rules();
    let mut report = map.map().check(describe);
    // What a new record lacks keeps no record that is there from being changed.
    report.fields.retain(|field| field.rule.is_some());
    let mut unknown = Vec::new();
    for field in &mut report.fields {
        let Some(rule) = field.rule.and_then(|number| rules.get(number.wrapping_sub(1))) else { continue };
        let name = written_name(rule, describe);
        let is_it = |event: &&DriftEvent| {
            let named = event.field.as_ref().is_some_and(|field| field.eq_ignore_ascii_case(&name));
            named && event.impact == Impact::Suspends && loses(&event.change, field.direction)
        };
        if let Some(event) = events.iter().find(is_it) {
            field.verdict = Verdict::Impossible;
            field.reasons = vec![event.change.to_string()];
        } else if field.verdict == Verdict::Impossible {
            let known = expected.field(&name);
            let Some(known) = known.filter(|known| !known.usage.needed) else {
                unknown.push(field.clone());
                continue;
            };
            let change = Change::Unfit { reason: field.reasons.join("; ") };
            events.push(DriftEvent::of_field(&expected.object, &known.name, change, Impact::Suspends));
        }
    }
    if !unknown.is_empty() {
        report.fields = unknown;
        report.into_result("drift")?;
        return Err(stopped(map, &[]));
    }
    let keeps = events.iter().filter(|event| event.impact == Impact::KeepsBlanks);
    let blanks: Vec<String> = keeps.filter_map(|event| event.field.clone()).collect();
    let (left, suspended) = map.map().without(&report)?;
    let left = left.keeping_blanks(&blanks)?;
    let map = if left == *map.map() { map.clone() } else { map.with_map(&left)? };
    Ok(GoingOn { map, events, suspended })
}

/// Whether a change takes a field away in this direction.
fn loses(change: &Change, direction: Direction) -> bool {
    match change {
        Change::ReadOnly { .. }
        | Change::Computed
        | Change::Shrunk { .. }
        | Change::ValuesGone { .. }
        | Change::Restricted => direction != Direction::FromSalesforce,
        _ => true,
    }
}

fn stopped(map: &CompiledMap, events: &[&DriftEvent]) -> Error {
    let words: Vec<String> = events.iter().map(ToString::to_string).collect();
    let remedies: std::collections::BTreeSet<String> = events.iter().map(|event| event.remedy()).collect();
    Error::new(ErrorKind::Schema, "drift", words.join("; "))
        .with_advice(remedies.into_iter().collect::<Vec<_>>().join("; "))
        .with_context("object", map.object())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{Blank, Transforms};

    const MAP: &str = "version = 1\nobject = \"Thing__c\"\nkey = \"Key__c\"\n\
        [[rules]]\nsource = \"id\"\ntarget = \"Key__c\"\n\
        [[rules]]\nsource = \"note\"\ntarget = \"Note__c\"\ndirection = \"both\"\n\
        [[rules]]\nsource = \"kind\"\ntarget = \"Kind__c\"\ntransforms = [{ table = { entries = { x = \"a\" } } }]\n\
        [[rules]]\nsource = \"company\"\ntarget = \"Account.Ext__c\"\n";

    const NOTE: &str = r#""name":"Note__c","type":"string","length":80,OPEN"#;
    const KIND: &str =
        r#""name":"Kind__c","type":"picklist","restrictedPicklist":true,"length":40,OPEN,"picklistValues":[VALUES]"#;
    const ACCOUNT: &str =
        r#""name":"AccountId","type":"reference","relationshipName":"Account","referenceTo":["Account"],OPEN"#;

    fn map() -> CompiledMap {
        FieldMap::from_toml(MAP).and_then(|map| map.compile(&Transforms::new())).expect("sound")
    }

    fn object(values: &str, fields: &[&str]) -> SObjectDescribe {
        let value = |value: &str| format!(r#"{{"active":true,"value":"{value}"}}"#);
        let values: Vec<String> = values.split(',').map(value).collect();
        let key = r#""name":"Key__c","type":"string","length":80,"externalId":true,"unique":true,OPEN"#;
        let fields: Vec<String> = [key].iter().chain(fields).map(|field| format!("{{{field}}}")).collect();
        let text =
            format!(r#"{{"name":"Thing__c","createable":true,"updateable":true,"fields":[{}]}}"#, fields.join(","));
        let text = text.replace("OPEN", r#""nillable":true,"createable":true,"updateable":true"#);
        serde_json::from_str(&text.replace("VALUES", &values.join(","))).expect(&text)
    }

    fn told(going: &GoingOn) -> Vec<String> {
        going.events.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_map_that_fits_goes_on_as_it_is() {
        let (map, describe) = (map(), object("a,b", &[NOTE, KIND, ACCOUNT]));
        let going = go_on_without(&map, &expected_fields(map.map(), &describe), &describe).expect("fits");
        assert_eq!((going.map.map(), told(&going).len(), going.suspended.len()), (map.map(), 0, 0));
    }

    #[test]
    fn only_values_that_the_map_may_write_are_counted_on() {
        let map = map();
        let expected = expected_fields(map.map(), &object("a,b", &[NOTE, KIND, ACCOUNT]));
        assert_eq!(expected.field("Kind__c").expect("in use").values, ["a"]);
        assert!(go_on_without(&map, &expected, &object("a", &[NOTE, KIND, ACCOUNT])).expect("fits").events.is_empty());
        let going = go_on_without(&map, &expected, &object("b", &[NOTE, KIND, ACCOUNT])).expect("goes on");
        assert_eq!((going.events.len(), going.map.map().rules().len()), (1, 3));
    }

    #[test]
    fn a_rule_is_left_out_in_the_direction_that_it_is_lost_for() {
        let map = map();
        let expected = expected_fields(map.map(), &object("a", &[NOTE, KIND, ACCOUNT]));
        let locked = NOTE.replace("OPEN", r#""nillable":true"#);
        let going = go_on_without(&map, &expected, &object("a", &[&locked, KIND, ACCOUNT])).expect("goes on");
        assert_eq!(going.map.map().rules()[1].direction, Direction::FromSalesforce);
        let formula = NOTE.replace("OPEN", r#""nillable":true,"calculated":true"#);
        let going = go_on_without(&map, &expected, &object("a", &[&formula, KIND, ACCOUNT])).expect("goes on");
        assert_eq!(going.map.map().rules()[1].direction, Direction::FromSalesforce, "a formula can be read");
        let going = go_on_without(&map, &expected, &object("a", &[KIND, ACCOUNT])).expect("goes on");
        assert_eq!((going.map.map().rules().len(), going.suspended.len()), (3, 2), "both ways of one rule");
    }

    #[test]
    fn a_parent_is_lost_with_its_lookup_and_with_its_relationship() {
        let map = map();
        let expected = expected_fields(map.map(), &object("a", &[NOTE, KIND, ACCOUNT]));
        let going = go_on_without(&map, &expected, &object("a", &[NOTE, KIND])).expect("goes on");
        assert_eq!(going.events[0].field.as_deref(), Some("AccountId"));
        let renamed = ACCOUNT.replace(r#""Account","#, r#""Firm","#);
        let going = go_on_without(&map, &expected, &object("a", &[NOTE, KIND, &renamed])).expect("goes on");
        assert!(told(&going)[0].starts_with("Thing__c.AccountId: no relationship Account"), "{:?}", told(&going));
        assert_eq!(going.map.map().rules().len(), 3);
    }

    #[test]
    fn a_field_that_may_be_blank_no_more_is_written_and_cleared_no_more() {
        let map = map();
        let expected = expected_fields(map.map(), &object("a", &[NOTE, KIND, ACCOUNT]));
        let needed = NOTE.replace("OPEN", r#""createable":true,"updateable":true"#);
        let going = go_on_without(&map, &expected, &object("a", &[&needed, KIND, ACCOUNT])).expect("goes on");
        let rules = going.map.map().rules();
        assert_eq!((rules.len(), rules[1].blank, rules[2].blank), (4, Blank::Ignore, map.map().rules()[2].blank));
    }

    #[test]
    fn what_was_never_expected_is_an_error_and_so_is_what_is_needed() {
        let map = map();
        let known = object("a", &[KIND, ACCOUNT]);
        let expected = expected_fields(map.map(), &known);
        let error = go_on_without(&map, &expected, &known).expect_err("a slip in the map");
        assert!(error.message().contains("Note__c") && error.kind() == ErrorKind::Schema, "{error}");
        let error = go_on_without(&map, &expected, SeenObject::gone()).expect_err("no object");
        assert!(error.message().contains("Thing__c: the object is gone") && error.advice().is_some(), "{error}");
    }
}
