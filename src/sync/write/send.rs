//! One call of some rows, by the way that fits them.

use serde_json::value::RawValue;

use super::row::{Intake, Members, Row, Target};
use crate::api::{AllOrNone, Collections, JsonWrite, MAX_RECORDS, SaveResult};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{ExternalId, FieldName, RecordId};

/// Sends one call, for the only row of the input by itself where that is told. Results are in the order of the rows, one each.
pub(super) async fn send(client: &Client, intake: &Intake, rows: &[Row], single: bool) -> Result<Vec<SaveResult>> {
    if let ([row], true) = (rows, single) {
        return send_single(client, intake, row).await.map(|result| vec![result]);
    }
    let collections = client.collections(intake.object().clone());
    if rows.len() > MAX_RECORDS {
        return send_packed(&collections, intake, rows).await;
    }
    let what = match intake.target() {
        Target::Insert => JsonWrite::Create,
        Target::Update => JsonWrite::Update,
        Target::Upsert(key) => JsonWrite::Upsert(key),
        Target::Delete => return collections.delete(&ids(rows), AllOrNone::No).await,
    };
    collections.write_json(what, rows.iter().map(|row| (row.id, row.json.as_str()))).await
}

fn ids(rows: &[Row]) -> Vec<RecordId> {
    rows.iter().filter_map(|row| row.id).collect()
}

fn raw(intake: &Intake, json: String) -> Result<Box<RawValue>> {
    let unreadable = |error: serde_json::Error| {
        Error::new(ErrorKind::Invalid, intake.target().operation(), "a record is no JSON").with_source(error)
    };
    RawValue::from_string(json).map_err(unreadable)
}

/// Sends more than one collection holds. Results are in the order of the rows, one each.
async fn send_packed(collections: &Collections, intake: &Intake, rows: &[Row]) -> Result<Vec<SaveResult>> {
    if *intake.target() == Target::Delete {
        return collections.delete_packed(&ids(rows)).await;
    }
    let records: Vec<Box<RawValue>> = rows.iter().map(|row| raw(intake, row.json.clone())).collect::<Result<_>>()?;
    match intake.target() {
        Target::Insert => collections.create_packed(&records).await,
        Target::Upsert(key) => collections.upsert_packed(key, &records).await,
        Target::Update | Target::Delete => {
            let records: Vec<_> =
                rows.iter().zip(records).filter_map(|(row, record)| Some((row.id?, record))).collect();
            collections.update_packed(&records).await
        }
    }
}

/// Sends a record by itself. What was refused for what the record is comes as its result, as in a collection.
async fn send_single(client: &Client, intake: &Intake, row: &Row) -> Result<SaveResult> {
    let records = client.json_records(intake.object().clone());
    let missing = || Error::new(ErrorKind::Invalid, intake.target().operation(), "the record has no id");
    let sent = match intake.target() {
        Target::Insert => records.create(&raw(intake, row.json.clone())?).await.map(|id| (Some(id), None)),
        Target::Update => {
            let id = row.id.ok_or_else(missing)?;
            records.update(id, &raw(intake, row.json.clone())?).await.map(|()| (Some(id), None))
        }
        Target::Delete => {
            let id = row.id.ok_or_else(missing)?;
            records.delete(id).await.map(|()| (Some(id), None))
        }
        Target::Upsert(key) => {
            let value = row.key.as_deref().unwrap_or_default();
            let key_value = ExternalId::new(key.clone(), value);
            let record = raw(intake, without(&row.json, key).unwrap_or_else(|| row.json.clone()))?;
            records.upsert(&key_value, &record).await.map(|upserted| (upserted.id, Some(upserted.created)))
        }
    };
    match sent {
        Ok((id, created)) => Ok(SaveResult { id, created, error: None }),
        Err(error) if is_of_the_record(&error) => Ok(SaveResult { id: None, created: None, error: Some(error) }),
        Err(error) => Err(error),
    }
}

/// Whether the org has refused the record, and not the call: it says so with a code, or with the records that have its key.
fn is_of_the_record(error: &Error) -> bool {
    use ErrorKind::{Auth, Config, LimitExceeded, RateLimited, ReauthRequired, Unavailable};
    let of_the_call =
        matches!(error.kind(), Auth | Config | LimitExceeded | RateLimited | ReauthRequired | Unavailable)
            || ["API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"].iter().any(|code| error.has_code(code));
    !of_the_call && (!error.salesforce().is_empty() || error.status() == Some(300))
}

/// A record without its key, which stands in the address.
fn without(json: &str, key: &FieldName) -> Option<String> {
    let Members(mut members) = serde_json::from_str(json).ok()?;
    members.retain(|(name, _)| !name.eq_ignore_ascii_case(key.as_str()));
    serde_json::to_string(&Members(members)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_single_record_stands_in_the_address_only() {
        let key = FieldName::from_static("Key__c");
        let record = r#"{"Key__c":"k","Amount__c":1.50,"Account":{"Key__c":"p"}}"#;
        assert_eq!(without(record, &key).as_deref(), Some(r#"{"Amount__c":1.50,"Account":{"Key__c":"p"}}"#));
        assert_eq!(without(r#"{"key__C":"k"}"#, &key).as_deref(), Some("{}"));
        assert_eq!(without("[]", &key), None);
    }
}
