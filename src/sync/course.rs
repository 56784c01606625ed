//! What a push goes by at the moment: the whole map, or what is left of it since the object has drifted.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::drift::{GoingOn, apply};
use super::plan::KeyCase;
use crate::client::Client;
use crate::error::{ApiError, Error, ErrorKind, Result};
use crate::mapping::{CompiledMap, Mapped, MappingIssue, Output, Parent};
use crate::schema::{DriftEvent, ExpectedFields, Impact, SeenObject, drift};
use crate::types::{Direction, FieldType, Record, SObjectDescribe};

/// All that follows from a map and the object it fits.
pub(super) struct Flow {
    pub(super) map: CompiledMap,
    pub(super) case: KeyCase,
    pub(super) select: String,
    /// The fields that refer to other records, each with the name under which it is sent.
    pub(super) parents: Vec<(String, String)>,
    /// The fields that are left out, each with the name under which it would be sent.
    suspended: Vec<(String, String)>,
}

impl Flow {
    pub(super) fn new(map: &CompiledMap, seen: &SObjectDescribe) -> Result<Self> {
        let map = map.spelt_as(seen);
        let object = map.object();
        let case = key_case(&map, seen)?;
        let is_reference = |name: &str| seen.field(name).is_some_and(|field| field.field_type == FieldType::Reference);
        let parents = map.outputs().filter(|output| is_reference(&output.clear));
        let parents = parents.map(|output| (output.clear.to_string(), output.member.to_string())).collect();
        let fields: Vec<String> = map.outputs().map(selected).collect();
        let select = format!("SELECT Id,{} FROM {object} WHERE {} IN :keys", fields.join(","), map.key());
        Ok(Self { map, case, select, parents, suspended: Vec::new() })
    }

    /// What is left of a whole map.
    pub(super) fn left_of(whole: &CompiledMap, going: &GoingOn, seen: &SObjectDescribe) -> Result<Self> {
        let rules = whole.map().rules();
        let lost = going.suspended.iter().filter(|field| field.direction != Direction::FromSalesforce);
        let lost = lost.filter_map(|field| rules.get(field.rule?.checked_sub(1)?));
        let suspended = lost.map(|rule| (rule.target.written_field(), rule.target.member().to_string())).collect();
        Ok(Self { suspended, ..Self::new(&going.map, seen)? })
    }
}

/// What a query asks for to see an output's value, and the id of a parent with it.
fn selected(output: &Output) -> String {
    let Output { member, clear, parent, .. } = output;
    match parent {
        None => member.to_string(),
        Some(Parent { object: None, field }) => format!("{clear},{member}.{field}"),
        // A polymorphic relationship has only the fields of all its objects, unless it is told which one is meant.
        Some(Parent { object: Some(object), field }) => {
            format!("{clear},TYPEOF {member} WHEN {object} THEN {field} END")
        }
    }
}

fn key_case(map: &CompiledMap, seen: &SObjectDescribe) -> Result<KeyCase> {
    // Two writers of one new key make two records unless the org keeps the field unique.
    let key = seen.field(map.key().as_str()).filter(|field| (field.external_id || field.id_lookup) && field.unique);
    let key = key.ok_or_else(|| {
        Error::new(ErrorKind::Schema, "push", "the key is no unique external id field")
            .with_context("object", map.object())
            .with_context("field", map.key())
            .with_advice("mark the field as External ID and Unique")
    })?;
    Ok(if key.case_sensitive { KeyCase::Sensitive } else { KeyCase::Insensitive })
}

/// The way of a push through a changing object.
pub(super) struct Course {
    whole: CompiledMap,
    flow: RwLock<Arc<Flow>>,
    told: Mutex<Vec<DriftEvent>>,
    /// Held while the object is looked at, so that all that meet a change at one time look once.
    state: tokio::sync::Mutex<State>,
}

struct State {
    expected: ExpectedFields,
    /// The signs of drift that the object was looked at for.
    asked: HashSet<String>,
}

/// What comes of a sign of drift.
pub(super) enum Turn {
    /// Nothing that a map could go on without.
    Stay(Vec<DriftEvent>),
    /// On by another map.
    Go(Arc<Flow>, Vec<DriftEvent>),
    /// No further.
    Stop(Error, Vec<DriftEvent>),
}

impl Course {
    pub(super) fn new(whole: CompiledMap, flow: Flow, expected: ExpectedFields, told: Vec<DriftEvent>) -> Self {
        let state = State { expected, asked: HashSet::new() };
        let (flow, told) = (RwLock::new(Arc::new(flow)), Mutex::new(told));
        Self { whole, flow, told, state: tokio::sync::Mutex::new(state) }
    }

    pub(super) fn whole(&self) -> &CompiledMap {
        &self.whole
    }

    pub(super) fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.flow.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The events so far, each once.
    pub(super) fn events(&self) -> Vec<DriftEvent> {
        self.told().clone()
    }

    pub(super) async fn expected(&self) -> ExpectedFields {
        self.state.lock().await.expected.clone()
    }

    /// Looks whether what was left out is back. Costs a call only if something is.
    pub(super) async fn look_again(&self, client: &Client) -> Result<Vec<DriftEvent>> {
        let mut state = self.state.lock().await;
        state.asked.clear();
        if self.flow().map.map() == self.whole.map() {
            return Ok(Vec::new());
        }
        let seen = self.describe(client).await?;
        match self.look(&mut state, seen.as_ref()) {
            Turn::Stay(events) | Turn::Go(_, events) => Ok(events),
            Turn::Stop(error, _) => Err(error),
        }
    }

    /// Looks at the object because of these signs, met on the way by `used`: once for each sign.
    pub(super) async fn turn(&self, client: &Client, used: &Arc<Flow>, signs: BTreeSet<String>) -> Turn {
        let mut state = self.state.lock().await;
        let now = self.flow();
        if !Arc::ptr_eq(&now, used) {
            // Another one has met it and looked.
            return Turn::Go(now, Vec::new());
        }
        if signs.iter().all(|sign| state.asked.contains(sign)) {
            return Turn::Stay(Vec::new());
        }
        // Where the object cannot be looked at, the first error stands.
        let Ok(seen) = self.describe(client).await else { return Turn::Stay(Vec::new()) };
        state.asked.extend(signs);
        self.look(&mut state, seen.as_ref())
    }

    async fn describe(&self, client: &Client) -> Result<Option<SObjectDescribe>> {
        match client.describe(self.whole.object()).await {
            Ok(seen) => Ok(Some(seen)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn look(&self, state: &mut State, seen: Option<&SObjectDescribe>) -> Turn {
        let events = drift(&state.expected, seen.map_or_else(SeenObject::gone, SeenObject::from));
        let going = match apply(&self.whole, &state.expected, seen, events.clone()) {
            Ok(going) => going,
            Err(error) => return Turn::Stop(error, self.tell(events)),
        };
        state.expected.note(&going.events);
        let fresh = self.tell(going.events.clone());
        let Some(seen) = seen else { return Turn::Stay(fresh) };
        let flow = match Flow::left_of(&self.whole, &going, seen) {
            Ok(flow) => Arc::new(flow),
            Err(error) => return Turn::Stop(error, fresh),
        };
        if flow.map.map() == self.flow().map.map() {
            return Turn::Stay(fresh);
        }
        *self.flow.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&flow);
        Turn::Go(flow, fresh)
    }

    /// Notes events; gives those that were not told before.
    fn tell(&self, events: Vec<DriftEvent>) -> Vec<DriftEvent> {
        let mut told = self.told();
        let mut fresh = Vec::new();
        for event in events {
            if event.impact == Impact::Lifts {
                told.retain(|known| known.field != event.field);
            }
            if !told.contains(&event) {
                told.push(event.clone());
                fresh.push(event);
            }
        }
        fresh
    }

    /// The fields of a record that are left out although it has values for them.
    pub(super) fn withheld(&self, flow: &Flow, record: &std::result::Result<Record, MappingIssue>) -> Vec<String> {
        if flow.suspended.is_empty() {
            return Vec::new();
        }
        let Ok(record) = record else { return Vec::new() };
        let whole = match self.whole.apply(record) {
            Ok(Mapped::Record(whole)) => Some(whole),
            // What is refused is told by the map that is used.
            _ => None,
        };
        let has = |names: &[&String]| {
            let is_it = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
            whole.as_ref().is_none_or(|whole| whole.fields.iter().any(|(name, _)| is_it(name)))
        };
        let left_out = flow.suspended.iter().filter(|(field, member)| has(&[field, member]));
        left_out.map(|(field, _)| field.clone()).collect()
    }

    fn told(&self) -> MutexGuard<'_, Vec<DriftEvent>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an error says that may come of drift, as a word that is the same each time; `None` for any other error.
///
/// A field that is not there or hidden answers `INVALID_FIELD`, one that may not be written `INVALID_FIELD_FOR_INSERT_UPDATE`, an object
/// `INVALID_TYPE`. The other codes are those of values as a rule, and of drift where a field takes fewer than before. (Protocol facts, section 8.)
pub(super) fn sign_of(error: &Error) -> Option<String> {
    error.salesforce().iter().find_map(sign)
}

fn sign(error: &ApiError) -> Option<String> {
    const CODES: [&str; 9] = [
        "INVALID_FIELD",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "INVALID_TYPE",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        // What is sent is JSON, so this tells of a value of another type than the field has now.
        "JSON_PARSER_ERROR",
        "NUMBER_OUTSIDE_VALID_RANGE",
        "REQUIRED_FIELD_MISSING",
        "STRING_TOO_LONG",
    ];
    let code = CODES.into_iter().find(|code| error.code.eq_ignore_ascii_case(code))?;
    // A parent that is not there has the code of a field that is not.
    if error.message.starts_with("Foreign key external ID") {
        return None;
    }
    let column = error.message.split_once("No such column '").and_then(|(_, rest)| rest.split('\'').next());
    let mut fields: Vec<String> = error.fields.iter().map(|field| field.to_ascii_lowercase()).collect();
    fields.extend(column.map(str::to_ascii_lowercase));
    fields.sort();
    fields.dedup();
    Some(format!("{code}:{}", fields.join(",")))
}

impl fmt::Debug for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Course").field("object", self.whole.object()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_of_drift_is_one_word_for_one_field_and_a_missing_parent_is_none() {
        let sign = |code: &str, message: &str, fields: &[&str]| {
            let fields = fields.iter().map(|field| (*field).to_owned()).collect();
            let error =
                Error::new(ErrorKind::Schema, "t", "").with_salesforce(vec![ApiError::new(code, message, fields)]);
            sign_of(&error)
        };
        let query = "\nSELECT Id,X__c FROM Thing__c\n          ^\nERROR at Row:1:Column:11\nNo such column 'X__c' on entity 'Thing__c'.";
        assert_eq!(sign("INVALID_FIELD", query, &[]).as_deref(), Some("INVALID_FIELD:x__c"));
        let row = "No such column 'X__C' on sobject of type Thing__c";
        assert_eq!(sign("INVALID_FIELD", row, &[]).as_deref(), Some("INVALID_FIELD:x__c"));
        assert_eq!(
            sign("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: B, A.", &["B", "A"]).as_deref(),
            Some("INVALID_FIELD_FOR_INSERT_UPDATE:a,b")
        );
        let parent = "Foreign key external ID: secret not found for field Ext__c in entity Account";
        assert_eq!(sign("INVALID_FIELD", parent, &[]), None);
        assert_eq!(sign("DUPLICATE_VALUE", "", &["X__c"]), None);
        assert_eq!(sign_of(&Error::new(ErrorKind::Schema, "t", "")), None);
    }
}
