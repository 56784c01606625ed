//! Field maps: which source value goes to which Salesforce field, and how, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::compile::{number_of, told};
use super::mistake::refused;
use super::origin::Origin;
use super::rule::{FieldRule, NamedValue};
use super::target::Target;
use super::validate::mistakes;
use crate::error::Result;
use crate::types::{FieldName, Filter, SObjectDescribe, SObjectName};

/// Maps source records to records of one sObject and back, as data: it can stand in a configuration file, JSON or TOML.
///
/// What no rule names is never written. Applying a map twice gives the same record, in the form Salesforce stores it, so a
/// comparison with the org's values tells whether there is anything to write.
///
/// A map is looked through when it is made: whoever holds one holds a sound one. [`compile`](Self::compile) makes it ready for use;
/// [`check`](Self::check) compares it with an org's describe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct FieldMap(pub(super) Parts);

/// The form of a map in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    pub(super) version: u32,
    pub(super) object: SObjectName,
    pub(super) key: FieldName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) changed_at: Option<FieldName>,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub(super) create: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) audience: Option<Filter>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) values: BTreeMap<String, NamedValue>,
    pub(super) rules: Vec<FieldRule>,
    #[serde(skip)]
    pub(super) origin: Origin,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
fn is_yes(flag: &bool) -> bool {
    *flag
}

/// The format that [`FieldMap`] reads and writes.
pub(super) const VERSION: u32 = 1;

/// Puts a [`FieldMap`] together.
#[derive(Clone, Debug)]
pub struct FieldMapBuilder(pub(super) Parts);

impl FieldMapBuilder {
    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: FieldRule) -> Self {
        self.0.rules.push(rule);
        self
    }

    /// Adds rules.
    #[must_use]
    pub fn rules(mut self, rules: impl IntoIterator<Item = FieldRule>) -> Self {
        self.0.rules.extend(rules);
        self
    }

    /// Names a value, for rules to use as `$name`.
    #[must_use]
    pub fn value(mut self, name: impl Into<String>, value: NamedValue) -> Self {
        self.0.values.insert(name.into(), value);
        self
    }

    /// Names the target that says how old a record is: an older one does not replace a newer one.
    #[must_use]
    pub fn changed_at(mut self, field: FieldName) -> Self {
        self.0.changed_at = Some(field);
        self
    }

    /// Says which source records the map is for; all of them by default. Others are skipped.
    #[must_use]
    pub fn audience(mut self, filter: Filter) -> Self {
        self.0.audience = Some(filter);
        self
    }

    /// Says whether records that are not in the org are created; they are by default.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.0.create = create;
        self
    }

    /// The map.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with all that is wrong: two rules with one target, a named value that needs itself, a template with a
    /// hole that is not closed, a pattern that explodes, a key that no rule writes, and so on.
    pub fn build(self) -> Result<FieldMap> {
        let mistakes = mistakes(&self.0, None, &number_of);
        if mistakes.is_empty() {
            return Ok(FieldMap(self.0));
        }
        Err(refused(mistakes.into_iter().map(|mistake| told(&self.0, mistake)).collect()))
    }
}

impl FieldMap {
    /// Starts a map to `object`, whose records are named by the external id field `key`.
    #[must_use]
    pub fn builder(object: SObjectName, key: FieldName) -> FieldMapBuilder {
        FieldMapBuilder(Parts {
            version: VERSION,
            object,
            key,
            changed_at: None,
            create: true,
            audience: None,
            values: BTreeMap::new(),
            rules: Vec::new(),
            origin: Origin::default(),
        })
    }

    /// The same map, to change it.
    #[must_use]
    pub fn into_builder(self) -> FieldMapBuilder {
        FieldMapBuilder(Parts { origin: Origin::default(), ..self.0 })
    }

    /// The object that is written.
    #[must_use]
    pub fn object(&self) -> &SObjectName {
        &self.0.object
    }

    /// The external id field.
    #[must_use]
    pub fn key(&self) -> &FieldName {
        &self.0.key
    }

    /// The field that says how old a record is.
    #[must_use]
    pub fn changed_at(&self) -> Option<&FieldName> {
        self.0.changed_at.as_ref()
    }

    /// Whether records that are not in the org are created.
    #[must_use]
    pub fn creates(&self) -> bool {
        self.0.create
    }

    /// Which source records the map is for; `None` for all.
    #[must_use]
    pub fn audience(&self) -> Option<&Filter> {
        self.0.audience.as_ref()
    }

    /// The named values.
    #[must_use]
    pub fn values(&self) -> impl ExactSizeIterator<Item = (&str, &NamedValue)> {
        self.0.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &[FieldRule] {
        &self.0.rules
    }

    /// The same map with its targets spelt as the org spells them: Salesforce ignores their case, its answers do not.
    #[must_use]
    pub fn spelt_as(mut self, object: &SObjectDescribe) -> Self {
        let spell = |name: &mut FieldName| {
            if let Some(spelt) = object.field(name.as_str()).and_then(|field| FieldName::new(field.name.as_str()).ok())
            {
                *name = spelt;
            }
        };
        for rule in &mut self.0.rules {
            match &mut rule.target {
                Target::Field(field) => spell(field),
                Target::Reference { relationship, .. } => {
                    if let Some(spelt) = spelt_relationship(object, relationship.as_str()) {
                        *relationship = spelt;
                    }
                }
            }
        }
        spell(&mut self.0.key);
        self.0.changed_at.iter_mut().for_each(spell);
        self
    }
}

fn spelt_relationship(object: &SObjectDescribe, name: &str) -> Option<FieldName> {
    let names = object.fields.iter().filter_map(|field| field.relationship_name.as_deref());
    let spelt = names.into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
    FieldName::new(spelt).ok()
}

impl TryFrom<Parts> for FieldMap {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        FieldMapBuilder(parts).build().map_err(|error| error.message().to_owned())
    }
}

impl From<FieldMap> for Parts {
    fn from(map: FieldMap) -> Self {
        map.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Transform;

    fn name(name: &'static str) -> FieldName {
        FieldName::from_static(name)
    }

    fn map() -> FieldMap {
        let text = || vec![Transform::Text, Transform::MaxLength { max: 5 }];
        let map = FieldMap::builder(SObjectName::from_static("Thing__c"), name("Key__c"))
            .rule(FieldRule::new("id", name("Key__c"), text()).required())
            .rule(FieldRule::new("who.name", name("Name"), text()))
            .rule(FieldRule::new("at", name("At__c"), vec![Transform::DateTime]));
        map.changed_at(name("At__c")).build().expect("sound")
    }

    #[test]
    fn targets_take_the_orgs_spelling() {
        let object: SObjectDescribe =
            serde_json::from_str(r#"{"fields":[{"name":"KEY__c"},{"name":"at__c"}]}"#).expect("reads");
        let map = map().spelt_as(&object);
        assert_eq!((map.key().as_str(), map.changed_at().map(FieldName::as_str)), ("KEY__c", Some("at__c")));
        assert_eq!(map.rules()[0].target, Target::Field(name("KEY__c")));
    }

    #[test]
    fn a_map_survives_a_file_and_refuses_what_it_does_not_know() {
        let text = serde_json::to_string(&map()).expect("serialises");
        assert_eq!(serde_json::from_str::<FieldMap>(&text).expect("reads"), map());
        assert_eq!(FieldMap::from_json(&text).expect("reads"), map());
        for (from, to) in [
            ("\"version\":1", "\"version\":2"),
            ("max_length", "explode"),
            ("\"At__c\",\"rules\"", "\"Gone__c\",\"rules\""),
        ] {
            assert!(text.contains(from), "{text}");
            assert!(serde_json::from_str::<FieldMap>(&text.replace(from, to)).is_err(), "{to}");
            assert!(FieldMap::from_json(&text.replace(from, to)).is_err(), "{to}");
        }
    }
}
