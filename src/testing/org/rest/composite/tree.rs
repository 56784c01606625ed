//! `POST /composite/tree/<object>` (wire facts 2.11): records with their children, all created or none.

use std::collections::{BTreeSet, HashMap};

use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::rest::{body_object, object_of};
use crate::testing::org::schema::Schema;
use crate::testing::org::state::{Call, State};
use crate::testing::org::wire::Answer;

// REST guide, "sObject Tree".
const MAX_RECORDS: usize = 200;
const MAX_TYPES: usize = 5;
const MAX_LEVELS: usize = 5;

/// A record of a tree.
struct Record {
    reference: String,
    level: usize,
    object: String,
    members: Vec<(String, Json)>,
    /// Place of the parent among the records, and the field that refers to it.
    parent: Option<(usize, String)>,
}

/// Errors of records by their reference ids.
type Failures = Vec<(String, Vec<ApiError>)>;

pub(in super::super) fn tree(state: &mut State, call: &Call<'_>, object: &str) -> Result<Answer, ApiError> {
    let root = object_of(&call.view.schema, object)?.name.clone();
    let members = body_object(call)?;
    let Some((_, Json::Array(items))) = members.iter().find(|(name, _)| name == "records") else {
        return Err(none());
    };
    if items.is_empty() {
        return Err(none());
    }
    let mut records = Vec::new();
    let outcome = read(&call.view.schema, items, &root, 1, None, &mut records)
        .and_then(|()| check(&records))
        .and_then(|()| create(state, call, &records));
    Ok(match outcome {
        Ok(results) => Answer::json(201, &body(false, results)),
        // Only those that failed (REST guide, "sObject Tree Response Body").
        Err(failures) => {
            let results = failures.into_iter().map(|(reference, errors)| {
                let errors = errors.iter().map(ApiError::to_row).collect();
                Json::object([("referenceId", Json::string(reference)), ("errors", Json::Array(errors))])
            });
            Answer::json(400, &body(true, results.collect()))
        }
    })
}

fn none() -> ApiError {
    // [S] amp-labs/connectors, a recorded answer.
    ApiError::new(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
}

fn body(has_errors: bool, results: Vec<Json>) -> Json {
    Json::object([("hasErrors", Json::Bool(has_errors)), ("results", Json::Array(results))])
}

fn invalid(reference: &str, message: impl Into<String>) -> Failures {
    vec![(reference.to_owned(), vec![ApiError::row("INVALID_INPUT", message, [])])]
}

/// Reads the records of a level, and those below each.
fn read(
    schema: &Schema,
    items: &[Json],
    object: &str,
    level: usize,
    parent: Option<&(usize, String)>,
    records: &mut Vec<Record>,
) -> Result<(), Failures> {
    for item in items {
        let attribute = |name: &str| item.member("attributes").and_then(|all| all.member(name)).and_then(Json::as_str);
        // [K] The texts of this function, and their codes.
        let reference = attribute("referenceId").unwrap_or_default().to_owned();
        if reference.is_empty() {
            return Err(invalid("", "Include a reference ID for each record in the request."));
        }
        if !attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case(object)) {
            return Err(invalid(&reference, format!("A record of type {object} is expected here.")));
        }
        if level > MAX_LEVELS {
            return Err(invalid(&reference, format!("A tree is up to {MAX_LEVELS} levels deep.")));
        }
        if records.len() == MAX_RECORDS {
            return Err(invalid(&reference, format!("A request has up to {MAX_RECORDS} records.")));
        }
        let Json::Object(all) = item else { return Err(invalid(&reference, "A record is a JSON object.")) };
        let is_list = |value: &Json| matches!(value.member("records"), Some(Json::Array(_)));
        let (lists, own): (Vec<_>, Vec<_>) = all.iter().partition(|(_, value)| is_list(value));
        let place = records.len();
        records.push(Record {
            reference: reference.clone(),
            level,
            object: object.to_owned(),
            members: own.into_iter().filter(|(name, _)| name != "attributes").cloned().collect(),
            parent: parent.cloned(),
        });
        for (name, list) in lists {
            let Some((child, field)) = schema.children(object, name) else {
                let message = format!("No such column '{name}' on sobject of type {object}");
                return Err(vec![(reference, vec![ApiError::row("INVALID_FIELD", message, [])])]);
            };
            let Some(Json::Array(below)) = list.member("records") else { continue };
            let link = (place, field.name.clone());
            read(schema, below, &child.name, level + 1, Some(&link), records)?;
        }
    }
    Ok(())
}

fn check(records: &[Record]) -> Result<(), Failures> {
    let kinds: BTreeSet<&str> = records.iter().map(|record| record.object.as_str()).collect();
    if kinds.len() > MAX_TYPES {
        let message = format!("A request has records of up to {MAX_TYPES} types.");
        return Err(invalid(&records[0].reference, message));
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for record in records {
        *counts.entry(&record.reference).or_insert(0) += 1;
    }
    let mut twins: Vec<&str> =
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(reference, _)| reference).collect();
    if twins.is_empty() {
        return Ok(());
    }
    twins.sort_unstable();
    // [S] amp-labs/connectors, a recorded answer: both errors in one entry.
    let both = |reference: &str| {
        let given = ApiError::row("INVALID_INPUT", "Duplicate ReferenceId provided in the request.", []);
        let found = ApiError::row("PROCESSING_HALTED", format!("Duplicate ReferenceId found: {reference}"), []);
        (reference.to_owned(), vec![given, found])
    };
    Err(twins.into_iter().map(both).collect())
}

/// Creates level by level and type by type, as triggers fire. The first of these groups with an error ends it.
fn create(state: &mut State, call: &Call<'_>, records: &[Record]) -> Result<Vec<Json>, Failures> {
    let mut groups: Vec<(usize, &str)> = Vec::new();
    for record in records {
        let key = (record.level, record.object.as_str());
        if !groups.contains(&key) {
            groups.push(key);
        }
    }
    groups.sort_by_key(|(level, _)| *level);
    let mut ids: Vec<String> = vec![String::new(); records.len()];
    let (mut results, mut failures) = (Vec::new(), Failures::new());
    state.data.store.begin();
    for (level, object) in groups {
        for (place, record) in records.iter().enumerate().filter(|(_, r)| r.level == level && r.object == object) {
            let mut members = record.members.clone();
            if let Some((parent, field)) = &record.parent {
                members.push((field.clone(), Json::string(&ids[*parent])));
            }
            let row = Json::Object(members);
            let created = call.check_fault(Some((place, records.len())), &row).and_then(|()| {
                let Json::Object(members) = &row else { return Err(ApiError::not_found()) };
                let object = object_of(&call.view.schema, object)?;
                state.data.create(&state.schema, &call.writer, object, members, None)
            });
            match created {
                Ok(id) => {
                    let (reference, text) = (Json::string(&record.reference), Json::string(&id));
                    results.push(Json::object([("referenceId", reference), ("id", text)]));
                    ids[place] = id;
                }
                Err(error) => failures.push((record.reference.clone(), vec![error])),
            }
        }
        if !failures.is_empty() {
            state.data.store.roll_back();
            return Err(failures);
        }
    }
    state.data.store.commit();
    Ok(results)
}
