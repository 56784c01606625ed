//! The last session, the number of sessions and the minutes, on the records that sessions are linked to.
//!
//! Computed from the sessions in the org, never from those of a run: so re-runs and sessions that come late are right, and
//! a record that shows the right values already is not written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::{StreamExt, stream};

use super::Prefix;
use super::schema::{
    LAST_DEMOS, LAST_SESSION_AT, ROLL_UPS, SESSION_COUNT, TOTAL_MINUTES, VERY_INTERESTED, children_name,
};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::sync::{WriteRoute, WrittenRow};
use crate::types::{Decimal, FieldName, Record, RecordId, Rounding, SObjectName, Soql, Value, split_in_list};

/// A record whose roll-up fields could not be written. Its sessions are there; the next run tries again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RollUpFailure {
    /// The object.
    pub object: SObjectName,
    /// The record.
    pub id: RecordId,
    /// Why.
    pub error: Error,
}

/// Brings the roll-up fields of these records up to date. Costs two queries per 480 records, and one call per 200 that differ.
/// Gives how many were written.
pub(super) async fn roll_up(
    client: &Client,
    prefix: &Prefix,
    object: &SObjectName,
    ids: &BTreeSet<RecordId>,
    failures: &mut BTreeMap<RecordId, RollUpFailure>,
) -> Result<u64> {
    let ids: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
    let totals = rows(client, split_in_list(&totals_statement(prefix, object), "ids", &ids)?).await?;
    let totals: HashMap<&str, &Record> = totals.iter().filter_map(|row| Some((row.text("parent")?, row))).collect();
    let parents = rows(client, split_in_list(&parents_statement(prefix, object), "ids", &ids)?).await?;
    let mut updates = Vec::new();
    for parent in &parents {
        let Some(id) = parent.text("Id") else { continue };
        // A record whose last session went elsewhere has no totals.
        let record_id = RecordId::new(id)?;
        match difference(prefix, parent, totals.get(id).copied()) {
            Ok(Some(fields)) => updates.push((record_id, fields)),
            Ok(None) => {
                failures.remove(&record_id);
            }
            Err(error) => {
                failures.insert(record_id, RollUpFailure { object: object.clone(), id: record_id, error });
            }
        }
    }
    write(client, object, updates, failures).await
}

async fn rows(client: &Client, queries: Vec<Soql>) -> Result<Vec<Record>> {
    client.query_split(queries).collect().await
}

/// The totals of each parent's sessions.
fn totals_statement(prefix: &Prefix, object: &SObjectName) -> String {
    let (link, minutes, started) =
        (prefix.field(object.as_str()), prefix.field("Duration_Minutes"), prefix.field("Started_At"));
    format!(
        "SELECT {link} parent, COUNT(Id) sessions, SUM({minutes}) minutes, MAX({started}) newest FROM {} WHERE {link} IN :ids \
         GROUP BY {link}",
        prefix.session_object()
    )
}

/// What each parent shows now, with its last session.
fn parents_statement(prefix: &Prefix, object: &SObjectName) -> String {
    let names: Vec<FieldName> = ROLL_UPS.iter().map(|name| prefix.field(name)).collect();
    let names: Vec<&str> = names.iter().map(FieldName::as_str).collect();
    format!(
        "SELECT Id, {}, (SELECT {}, {} FROM {}__r ORDER BY {} DESC NULLS LAST, Id LIMIT 1) FROM {object} WHERE Id IN :ids",
        names.join(", "),
        prefix.field("Demos"),
        prefix.field("Very_Interested_Areas"),
        children_name(prefix),
        prefix.field("Started_At"),
    )
}

/// The session that was asked for with a parent. A list that has it on a further page does not say that there is none.
fn last_session<'r>(prefix: &Prefix, parent: &'r Record) -> Result<Option<&'r Record>> {
    let Some(Value::Children(children)) = parent.get(&format!("{}__r", children_name(prefix))) else { return Ok(None) };
    match children.records.first() {
        None if !children.is_whole() => Err(Error::new(ErrorKind::Decode, "rollup", "the last session is not here")),
        first => Ok(first),
    }
}

/// The fields that differ from what the sessions say; `None` when none does.
fn difference(prefix: &Prefix, parent: &Record, totals: Option<&Record>) -> Result<Option<Record>> {
    let last = last_session(prefix, parent)?;
    let of_last =
        |name: &str| last.and_then(|last| last.get(prefix.field(name).as_str())).cloned().unwrap_or(Value::Null);
    let total = |name: &str| totals.and_then(|totals| totals.get(name)).cloned();
    let minutes = match total("minutes") {
        Some(Value::Number(minutes)) => minutes.round(3, Rounding::HalfEven).unwrap_or(minutes),
        _ => Decimal::ZERO,
    };
    let wanted = [
        (LAST_SESSION_AT, total("newest").unwrap_or(Value::Null)),
        (SESSION_COUNT, total("sessions").unwrap_or(Value::Number(Decimal::ZERO))),
        (TOTAL_MINUTES, Value::Number(minutes)),
        (LAST_DEMOS, of_last("Demos")),
        (VERY_INTERESTED, of_last("Very_Interested_Areas")),
    ];
    let mut fields = Record::new();
    for (name, value) in wanted {
        let name = prefix.field(name);
        let now = parent.get(name.as_str()).unwrap_or(&Value::Null);
        // A stamp comes as text in the form of an answer; it is sent in the form of a request.
        let value = value.to_timestamp().map_or(value, Value::DateTime);
        if !value.same_stored(now) {
            fields.set(name.as_str(), value);
        }
    }
    Ok((!fields.is_empty()).then_some(fields))
}

/// Writes the differences. One call after the other, since records of one object may share a parent.
async fn write(
    client: &Client,
    object: &SObjectName,
    updates: Vec<(RecordId, Record)>,
    failures: &mut BTreeMap<RecordId, RollUpFailure>,
) -> Result<u64> {
    let ids: Vec<RecordId> = updates.iter().map(|(id, _)| *id).collect();
    let many = client.update_many(object.clone()).calls_at_once(1).by(WriteRoute::Collections);
    let mut outcomes = many.run(stream::iter(updates));
    let mut written = 0;
    while let Some(WrittenRow { row, outcome, .. }) = outcomes.next().await {
        let Some(id) = usize::try_from(row).ok().and_then(|row| ids.get(row)).copied() else { continue };
        if let Some(error) = outcome.error().cloned() {
            failures.insert(id, RollUpFailure { object: object.clone(), id, error });
        } else {
            written += 1;
            failures.remove(&id);
        }
    }
    outcomes.stopped().cloned().map_or(Ok(written), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix() -> Prefix {
        Prefix::new("P_").expect("sound")
    }

    fn row(text: &str) -> Record {
        serde_json::from_str(text).expect(text)
    }

    const TOTALS: &str = r#"{"attributes":{"type":"AggregateResult"},"parent":"x","sessions":2,"minutes":3.5000001,"newest":"2026-05-02T00:00:00.000+0000"}"#;
    const PARENT: &str = r#"{"attributes":{"type":"Contact"},"Id":"x","P_Last_Session_At__c":"2026-05-02T00:00:00.000+0000","P_Session_Count__c":2.0,
        "P_Total_Minutes__c":3.5,"P_Last_Demos__c":"Tour","P_Very_Interested_Areas__c":null,
        "P_Sessions__r":{"totalSize":1,"done":true,"records":[{"P_Demos__c":"Tour","P_Very_Interested_Areas__c":null}]}}"#;

    #[test]
    fn nav_23_nothing_is_written_where_nothing_changed() {
        assert_eq!(difference(&prefix(), &row(PARENT), Some(&row(TOTALS))).expect("whole"), None);
    }

    #[test]
    fn nav_23_only_what_differs_is_written() {
        let old = PARENT
            .replace("\"P_Session_Count__c\":2.0", "\"P_Session_Count__c\":1")
            .replace("\"P_Last_Demos__c\":\"Tour\"", "\"P_Last_Demos__c\":\"Old\"");
        let fields = difference(&prefix(), &row(&old), Some(&row(TOTALS))).expect("whole").expect("two fields differ");
        assert_eq!(fields.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["P_Session_Count__c", "P_Last_Demos__c"]);
        let new = r#"{"Id":"x","P_Sessions__r":{"totalSize":1,"done":true,"records":[{"P_Demos__c":"Tour"}]}}"#;
        let fields = difference(&prefix(), &row(new), Some(&row(TOTALS))).expect("whole").expect("all but one differ");
        assert_eq!(fields.len(), 4, "a blank area stays blank");
        assert!(matches!(fields.get("P_Last_Session_At__c"), Some(Value::DateTime(_))));
    }
    #[test]
    fn nav_23_a_last_session_on_a_further_page_is_not_taken_for_none() {
        let rows = r#""totalSize":1,"done":true,"records":[{"P_Demos__c":"Tour","P_Very_Interested_Areas__c":null}]"#;
        let far = PARENT.replace(rows, r#""totalSize":1,"done":false,"nextRecordsUrl":"/services/x","records":[]"#);
        assert_ne!(far, PARENT);
        let error = difference(&prefix(), &row(&far), Some(&row(TOTALS))).expect_err("the demos would be cleared");
        assert_eq!(error.kind(), ErrorKind::Decode);
    }
}
