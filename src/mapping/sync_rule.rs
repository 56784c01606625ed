//! One rule of what is synced: when, whereto, which records and how, as data.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::field_map::FieldMap;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Filter, Record, SObjectName};

/// What makes a rule act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trigger {
    /// A source record that comes or changes.
    #[default]
    Change,
    /// A person or a program that asks for it.
    Request,
}

/// A rule that says which source records are sent, to which objects, how their values become fields, and what makes it act: what
/// an admin looks at and changes, in a file or behind a page of settings.
///
/// ```
/// use sforce::mapping::{SyncRule, Trigger};
/// use sforce::types::Record;
///
/// let rule: SyncRule = serde_json::from_str(
///     r#"{"version": 1, "name": "Visitors", "targets": ["Contact", "Lead"],
///         "filter": {"field": "plan", "is": "pro"},
///         "mapping": {"version": 1, "object": "Visit__c", "key": "Key__c",
///                     "rules": [{"source": "id", "target": "Key__c"}]}}"#,
/// )?;
/// assert_eq!(rule.trigger(), Trigger::Change);
/// assert!(rule.takes(&Record::from_json(r#"{"id":"a","plan":"pro"}"#)?));
/// assert!(!rule.takes(&Record::from_json(r#"{"id":"b","plan":"free"}"#)?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It is data only: who has several runs each with its [`field_map`](Self::field_map).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct SyncRule(Parts);

/// The form of a rule in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    version: u32,
    name: String,
    #[serde(default)]
    trigger: Trigger,
    targets: Vec<SObjectName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<Filter>,
    mapping: FieldMap,
}

/// The format that is read and written.
const VERSION: u32 = 1;

impl SyncRule {
    /// A rule that acts on each change of any source record.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for a blank name, no targets, and a target that stands twice.
    pub fn new(
        name: impl Into<String>,
        targets: impl IntoIterator<Item = SObjectName>,
        mapping: FieldMap,
    ) -> Result<Self> {
        let targets = targets.into_iter().collect();
        let trigger = Trigger::default();
        Self::of(Parts { version: VERSION, name: name.into(), trigger, targets, filter: None, mapping })
    }

    fn of(parts: Parts) -> Result<Self> {
        let mut wrong = Vec::new();
        if parts.version != VERSION {
            wrong.push(format!("sync rule of version {}, this library reads version {VERSION}", parts.version));
        }
        if parts.name.trim().is_empty() {
            wrong.push("the name is blank".to_owned());
        }
        if parts.targets.is_empty() {
            wrong.push("\"targets\" names no object".to_owned());
        }
        let mut seen = HashSet::new();
        for target in parts.targets.iter().filter(|target| !seen.insert(target.as_str().to_ascii_lowercase())) {
            wrong.push(format!("the target {target} stands twice"));
        }
        if let Err(error) = field_map(&parts) {
            wrong.push(error.message().to_owned());
        }
        if wrong.is_empty() {
            Ok(Self(parts))
        } else {
            Err(Error::new(ErrorKind::Config, "sync rule", wrong.join("; ")))
        }
    }

    /// The same rule with another trigger.
    #[must_use]
    pub fn with_trigger(mut self, trigger: Trigger) -> Self {
        self.0.trigger = trigger;
        self
    }

    /// The same rule for other source records; `None` for all.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for a filter that cannot be: no path, a bound without an order.
    pub fn with_filter(self, filter: Option<Filter>) -> Result<Self> {
        Self::of(Parts { filter, ..self.0 })
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What makes it act.
    #[must_use]
    pub fn trigger(&self) -> Trigger {
        self.0.trigger
    }

    /// The objects whose records it reaches.
    #[must_use]
    pub fn targets(&self) -> &[SObjectName] {
        &self.0.targets
    }

    /// Which source records it is for; `None` for all.
    #[must_use]
    pub fn filter(&self) -> Option<&Filter> {
        self.0.filter.as_ref()
    }

    /// How values become fields.
    #[must_use]
    pub fn mapping(&self) -> &FieldMap {
        &self.0.mapping
    }

    /// Whether it is for this source record: its filter and the audience of its mapping let it pass. Pure.
    #[must_use]
    pub fn takes(&self, source: &Record) -> bool {
        [self.filter(), self.mapping().audience()].into_iter().flatten().all(|filter| filter.matches(source))
    }

    /// The mapping with the filter as its audience, ready to be compiled.
    #[must_use]
    pub fn field_map(&self) -> FieldMap {
        // It was put together when the rule was made.
        field_map(&self.0).unwrap_or_else(|_| self.0.mapping.clone())
    }
}

fn field_map(parts: &Parts) -> Result<FieldMap> {
    let Some(filter) = parts.filter.clone() else { return Ok(parts.mapping.clone()) };
    let audience = match parts.mapping.audience() {
        Some(audience) => Filter::All(vec![filter, audience.clone()]),
        None => filter,
    };
    parts.mapping.clone().into_builder().audience(audience).build()
}

impl TryFrom<Parts> for SyncRule {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        Self::of(parts).map_err(|error| error.message().to_owned())
    }
}

impl From<SyncRule> for Parts {
    fn from(rule: SyncRule) -> Self {
        rule.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{Mapped, Transforms};

    fn filter(text: &str) -> Filter {
        serde_json::from_str(text).expect(text)
    }

    fn rule(audience: &str) -> SyncRule {
        let text = format!(
            "version = 1\nobject = \"T__c\"\nkey = \"K__c\"\n{audience}\n[[rules]]\nsource = \"id\"\ntarget = \"K__c\""
        );
        let map = FieldMap::from_toml(&text).expect("sound");
        SyncRule::new("All", [SObjectName::from_static("Contact")], map).expect("sound")
    }

    #[test]
    fn nav_22_a_rule_takes_what_its_filter_and_its_mapping_let_pass() {
        let both = rule("audience = { field = \"plan\", is = \"pro\" }");
        let both = both.with_filter(Some(filter(r#"{"field":"age","at_least":18}"#))).expect("sound");
        let map = both.field_map().compile(&Transforms::new()).expect("compiles");
        for (source, takes) in [
            (r#"{"id":"a","plan":"pro","age":18}"#, true),
            (r#"{"id":"a","plan":"pro","age":17}"#, false),
            (r#"{"id":"a","plan":"free","age":18}"#, false),
        ] {
            let record = Record::from_json(source).expect("reads");
            assert_eq!(both.takes(&record), takes, "{source}");
            assert_eq!(map.apply(&record) != Ok(Mapped::Skipped), takes, "{source}");
        }
        let all = both.with_filter(None).expect("sound");
        assert!(all.takes(&Record::new().with("plan", "pro")) && all.filter().is_none());
    }

    #[test]
    fn a_rule_survives_its_file_and_all_that_is_wrong_comes_at_once() {
        let rule = rule("").with_trigger(Trigger::Request);
        let rule = rule.with_filter(Some(filter(r#"{"field":"a","blank":false}"#))).expect("sound");
        let text = serde_json::to_string(&rule).expect("serialises");
        assert_eq!(serde_json::from_str::<SyncRule>(&text).expect(&text), rule);
        let bad = text
            .replacen("\"version\":1", "\"version\":9", 1)
            .replace("\"All\"", "\" \"")
            .replace("[\"Contact\"]", "[\"Contact\",\"contact\"]")
            .replace("\"field\":\"a\"", "\"field\":\"a..b\"");
        let error = serde_json::from_str::<SyncRule>(&bad).expect_err("four mistakes").to_string();
        for says in ["version 9", "the name is blank", "contact stands twice", "\"a..b\" is no path"] {
            assert!(error.contains(says), "{says}: {error}");
        }
        let none = text.replace("[\"Contact\"]", "[]");
        assert!(
            serde_json::from_str::<SyncRule>(&none).expect_err("no target").to_string().contains("names no object")
        );
        let odd = text.replace("\"request\"", "\"full_moon\"");
        assert!(serde_json::from_str::<SyncRule>(&odd).expect_err("no trigger").to_string().contains("full_moon"));
    }
}
