//! A map without what an org does not take, so that all else goes on.

use std::collections::BTreeMap;

use super::report::{FieldReport, MapReport, Verdict};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::field_map::{FieldMap, FieldMapBuilder, Parts};
use crate::mapping::origin::Origin;
use crate::mapping::rule::{Blank, FieldRule};
use crate::types::{Direction, FieldName};

/// The directions of a rule that are impossible.
#[derive(Clone, Copy, Debug, Default)]
struct Lost {
    to_salesforce: bool,
    from_salesforce: bool,
}

impl FieldMap {
    /// The map without the rules that a report of [`check`](Self::check) calls impossible, and the reports of what is suspended: where
    /// a field was deleted or renamed, the others go on. A rule that goes both ways and is impossible in one goes the other.
    ///
    /// Pure; nothing is suspended for good, since the next check of the whole map tells whether the field is back. Check the map
    /// that is left: a field that a new record needs may be among those suspended.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Schema`] if the map cannot go on without what is impossible: the object as a whole, the key, the field that
    ///   says how old a record is (without it an older record would replace a newer one), or a field that a new record needs and
    ///   no rule writes.
    /// - [`ErrorKind::Invalid`] for the report of another map.
    pub fn without(&self, report: &MapReport) -> Result<(Self, Vec<FieldReport>)> {
        let parts = &self.0;
        if !report.object.eq_ignore_ascii_case(parts.object.as_str()) {
            return Err(another_map());
        }
        let suspended = || report.fields.iter().filter(|field| field.verdict == Verdict::Impossible);
        let mut lost: BTreeMap<usize, Lost> = BTreeMap::new();
        let mut needed: Vec<&FieldReport> = Vec::new();
        for field in suspended() {
            let Some(number) = field.rule else {
                needed.push(field);
                continue;
            };
            let index = number.wrapping_sub(1);
            let rule = parts.rules.get(index);
            if !rule.is_some_and(|rule| rule.target.to_string().eq_ignore_ascii_case(&field.target)) {
                return Err(another_map());
            }
            let lost = lost.entry(index).or_default();
            match field.direction {
                Direction::FromSalesforce => lost.from_salesforce = true,
                _ => lost.to_salesforce = true,
            }
        }
        let rules = parts.rules.iter().enumerate();
        let rules: Vec<FieldRule> =
            rules.filter_map(|(index, rule)| left(rule, lost.get(&index).copied().unwrap_or_default())).collect();
        let left = Parts { rules, origin: Origin::default(), ..parts.clone() };
        for name in [Some(&parts.key), parts.changed_at.as_ref()].into_iter().flatten() {
            if has(parts, name) && !has(&left, name) {
                let is_it =
                    |field: &&FieldReport| field.rule.is_some() && field.target.eq_ignore_ascii_case(name.as_str());
                needed.extend(suspended().filter(is_it));
            }
        }
        if !needed.is_empty() {
            let words: Vec<String> =
                needed.iter().map(|field| format!("{}: {}", field.target, field.reasons.join(", "))).collect();
            return Err(Error::new(ErrorKind::Schema, "field map", words.join("; "))
                .with_advice("the map cannot go on without these: correct it, or the org")
                .with_context("object", report.object.clone()));
        }
        let suspended = suspended().cloned().collect();
        Ok((FieldMapBuilder(left).build()?, suspended))
    }
}

impl FieldMap {
    /// The map that clears none of these fields any more: a blank value leaves them alone.
    pub(crate) fn keeping_blanks(&self, fields: &[String]) -> Result<Self> {
        let mut parts = Parts { origin: Origin::default(), ..self.0.clone() };
        for rule in parts.rules.iter_mut().filter(|rule| rule.direction.writes_salesforce()) {
            let written = rule.target.written_field();
            if rule.blank == Blank::Clear && fields.iter().any(|field| field.eq_ignore_ascii_case(&written)) {
                rule.blank = Blank::Ignore;
            }
        }
        FieldMapBuilder(parts).build()
    }
}

fn another_map() -> Error {
    Error::new(ErrorKind::Invalid, "field map", "the report is that of another map")
}

/// What is left of a rule.
fn left(rule: &FieldRule, lost: Lost) -> Option<FieldRule> {
    let to = rule.direction.writes_salesforce() && !lost.to_salesforce;
    let from = rule.direction.writes_source() && !lost.from_salesforce;
    let direction = match (to, from) {
        (true, true) => Direction::Both,
        (true, false) => Direction::ToSalesforce,
        (false, true) => Direction::FromSalesforce,
        (false, false) => return None,
    };
    let reverse = rule.reverse.clone().filter(|_| from);
    Some(FieldRule { direction, reverse, ..rule.clone() })
}

/// Whether a rule has this field as its target, as the key needs it: written, unless the map only reads.
fn has(parts: &Parts, name: &FieldName) -> bool {
    let writes = parts.rules.iter().any(|rule| rule.direction.writes_salesforce());
    let is_it = |field: &FieldName| field.as_str().eq_ignore_ascii_case(name.as_str());
    let counts = |rule: &FieldRule| rule.direction.writes_salesforce() || !writes;
    parts.rules.iter().any(|rule| counts(rule) && rule.target.as_field().is_some_and(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Transforms;
    use crate::types::{Record, SObjectDescribe};

    const RULES: &str = "version = 1\nobject = \"Thing__c\"\nkey = \"Key__c\"\nchanged_at = \"At__c\"\n\
        [[rules]]\nsource = \"id\"\ntarget = \"Key__c\"\ntransforms = [\"text\"]\n\
        [[rules]]\nsource = \"at\"\ntarget = \"At__c\"\ntransforms = [\"date_time\"]\n\
        [[rules]]\nsource = \"note\"\ntarget = \"Note__c\"\ndirection = \"both\"\ntransforms = [\"upper\"]\nreverse = [\"lower\"]\n\
        [[rules]]\nsource = \"web\"\ntarget = \"Web__c\"\n";

    fn map() -> FieldMap {
        FieldMap::from_toml(RULES).expect("sound")
    }

    /// The object with these of its fields besides a key; all can be written but those that begin with `-`.
    fn object(fields: &[&str]) -> SObjectDescribe {
        let field = |name: &&str| {
            let open = !name.starts_with('-');
            let (name, kind) = match name.trim_start_matches('-') {
                "At__c" => ("At__c", "datetime"),
                name => (name, "string"),
            };
            format!(
                r#"{{"name":"{name}","type":"{kind}","length":80,"nillable":true,"createable":{open},"updateable":{open},"externalId":{},"unique":true}}"#,
                name == "Key__c"
            )
        };
        let fields: Vec<String> = fields.iter().map(field).collect();
        let text =
            format!(r#"{{"name":"Thing__c","createable":true,"updateable":true,"fields":[{}]}}"#, fields.join(","));
        serde_json::from_str(&text).expect(&text)
    }

    #[test]
    fn heap_12_a_field_that_is_gone_is_suspended_and_the_others_keep_flowing() {
        let map = map();
        let renamed = object(&["Key__c", "At__c", "Note__c", "Web_Address__c"]);
        let report = map.check(&renamed);
        assert!(report.clone().into_result("push").is_err(), "as it is the map is refused");
        let (left, suspended) = map.without(&report).expect("goes on");
        assert_eq!(
            suspended.iter().map(|field| (field.rule, &*field.target)).collect::<Vec<_>>(),
            [(Some(4), "Web__c")]
        );
        left.check(&renamed).into_result("push").expect("fits");
        let source = Record::from_json(r#"{"id":"k","note":"n","web":"w"}"#).expect("reads");
        let sent = left.compile(&Transforms::new()).expect("compiles").apply(&source).expect("maps").into_record();
        let sent = serde_json::to_string(&sent.expect("all").fields).expect("serialises");
        assert_eq!(sent, r#"{"Key__c":"k","Note__c":"N"}"#);
        let back = object(&["Key__c", "At__c", "Note__c", "Web__c"]);
        assert_eq!(map.without(&map.check(&back)).expect("whole"), (map, Vec::new()), "once it is back");
    }

    #[test]
    fn a_rule_that_goes_both_ways_keeps_the_way_that_is_left() {
        let map = map();
        let read_only = object(&["Key__c", "At__c", "-Note__c", "Web__c"]);
        let (left, suspended) = map.without(&map.check(&read_only)).expect("goes on");
        assert_eq!((suspended.len(), suspended[0].direction), (1, Direction::ToSalesforce));
        assert_eq!(left.rules()[2].direction, Direction::FromSalesforce);
        let back =
            left.compile(&Transforms::new()).expect("compiles").apply_reverse(&Record::new().with("Note__c", "N"));
        assert_eq!(back.expect("maps").text("note"), Some("n"));
    }

    #[test]
    fn a_map_does_not_go_on_without_its_key_its_stamp_or_its_object() {
        let map = map();
        for (fields, gone) in
            [(&["At__c", "Note__c", "Web__c"][..], "Key__c: not there"), (&["Key__c", "Note__c"], "At__c: not there")]
        {
            let error = map.without(&map.check(&object(fields))).expect_err(gone);
            assert_eq!(error.kind(), ErrorKind::Schema);
            assert!(error.message().contains(gone) && !error.message().contains("Web__c"), "{error}");
        }
        let mut closed = object(&["Key__c", "At__c", "Note__c", "Web__c"]);
        closed.updateable = false;
        let error = map.without(&map.check(&closed)).expect_err("closed");
        assert!(error.message().starts_with("Thing__c: the user cannot change records"), "{error}");
        let other = FieldMap::from_toml(&RULES.replace("Web__c", "Site__c")).expect("sound");
        let report = other.check(&object(&["Key__c", "At__c", "Note__c"]));
        assert_eq!(map.without(&report).expect_err("another map").kind(), ErrorKind::Invalid);
    }
}
