//! What a duplicate rule found, as data.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::types::RecordId;

/// Why a duplicate rule refused a record, and which records it found.
///
/// Got by [`Error::duplicates`].
///
/// Source: SOAP API Developer Guide, "`DuplicateError`".
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DuplicateResult {
    /// The duplicate rule's API name.
    pub rule: String,
    /// The object that the rule is for.
    pub object: String,
    /// Whether the record is saved if the call says [`allow_save`](super::DuplicateRule::allow_save): the rule alerts and does not
    /// block.
    pub allow_save: bool,
    /// The records that match, those of all matching rules.
    pub matches: Vec<DuplicateMatch>,
}

/// A record that is taken for the same one.
#[derive(Clone)]
#[non_exhaustive]
pub struct DuplicateMatch {
    /// The record. `None` where the answer names none.
    pub record_id: Option<RecordId>,
    /// Its object.
    pub object: String,
    /// The matching rule's API name.
    pub rule: String,
    /// How the rule compares, such as `FuzzyMatchEngine` or `ExactMatchEngine`.
    pub engine: String,
    /// How sure the rule is, in percent.
    pub confidence: Option<f64>,
    record: Option<Box<RawValue>>,
}

impl DuplicateMatch {
    /// The record as JSON text: `attributes` and `Id`, and all fields that the user sees where the call asked for them by
    /// [`include_record_details`](super::DuplicateRule::include_record_details). Customers' data, so it shows nowhere else.
    #[must_use]
    pub fn fields(&self) -> Option<&str> {
        self.record.as_deref().map(RawValue::get)
    }
}

impl fmt::Debug for DuplicateMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DuplicateMatch")
            .field("record_id", &self.record_id)
            .field("object", &self.object)
            .field("rule", &self.rule)
            .field("engine", &self.engine)
            .field("confidence", &self.confidence)
            .finish_non_exhaustive()
    }
}

impl Error {
    /// What duplicate rules found when they refused a single create, update or upsert (`DUPLICATES_DETECTED`); empty for all
    /// other errors, and for rows of collections, which Salesforce answers without matches.
    #[must_use]
    pub fn duplicates(&self) -> &[DuplicateResult] {
        self.data::<Vec<DuplicateResult>>().map_or(&[], Vec::as_slice)
    }
}

/// As on the wire. Members that are missing or null count as empty: what a rule found must not hide that it refused.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    allow_save: Option<bool>,
    #[serde(default)]
    duplicate_rule: Option<String>,
    #[serde(default)]
    duplicate_rule_entity_type: Option<String>,
    #[serde(default)]
    match_results: Option<Vec<WireResult>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireResult {
    #[serde(default)]
    entity_type: Option<String>,
    #[serde(default)]
    match_engine: Option<String>,
    #[serde(default)]
    rule: Option<String>,
    #[serde(default)]
    match_records: Option<Vec<WireMatch>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMatch {
    #[serde(default)]
    match_confidence: Option<f64>,
    #[serde(default)]
    record: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct WireRecord {
    #[serde(rename = "Id", default)]
    id: Option<String>,
}

/// Reads the member `duplicateResut` of an error; `None` where it has another shape.
pub(super) fn read_duplicates(json: &str) -> Option<DuplicateResult> {
    let wire: Wire = serde_json::from_str(json).ok()?;
    let matches = wire.match_results.unwrap_or_default().into_iter().flat_map(|result| {
        let (object, rule) = (result.entity_type.unwrap_or_default(), result.rule.unwrap_or_default());
        let engine = result.match_engine.unwrap_or_default();
        result.match_records.unwrap_or_default().into_iter().map(move |found| {
            let id =
                found.record.as_deref().and_then(|record| serde_json::from_str::<WireRecord>(record.get()).ok()?.id);
            DuplicateMatch {
                record_id: id.and_then(|id| RecordId::new(&id).ok()),
                object: object.clone(),
                rule: rule.clone(),
                engine: engine.clone(),
                confidence: found.match_confidence,
                record: found.record,
            }
        })
    });
    Some(DuplicateResult {
        rule: wire.duplicate_rule.unwrap_or_default(),
        object: wire.duplicate_rule_entity_type.unwrap_or_default(),
        allow_save: wire.allow_save.unwrap_or(false),
        matches: matches.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::failed_answer;
    use super::*;
    use crate::error::ErrorKind;

    // Shape: protocol facts 2.5, from many independent clients.
    const FOUND: &str = r#"{"allowSave":true,"duplicateRule":"Standard_Lead_Duplicate_Rule","duplicateRuleEntityType":"Lead",
        "errorMessage":"Use one of these records?","matchResults":[{"entityType":"Lead","errors":[],
        "matchEngine":"FuzzyMatchEngine","matchRecords":[{"additionalInformation":[],"fieldDiffs":[],"matchConfidence":97.5,
        "record":{"attributes":{"type":"Lead","url":"/services/data/v66.0/sobjects/Lead/00Q000000000001EAA"},
        "Id":"00Q000000000001EAA","Phone":"a secret"}}],"rule":"Standard_Lead_Match_Rule_v1_0","size":1,"success":true}]}"#;

    fn error(member: &str, found: &str) -> Error {
        let body =
            format!(r#"[{{"{member}":{found},"errorCode":"DUPLICATES_DETECTED","message":"Use one of these?"}}]"#);
        failed_answer(http::StatusCode::BAD_REQUEST, None, body.as_bytes())
    }

    #[test]
    fn matches_are_read_under_both_spellings_and_show_no_values() {
        for member in ["duplicateResut", "duplicateResult"] {
            let error = error(member, FOUND);
            let [found] = error.duplicates() else { panic!("{error:?}") };
            assert_eq!((found.rule.as_str(), found.object.as_str()), ("Standard_Lead_Duplicate_Rule", "Lead"));
            assert!(found.allow_save);
            let [same] = found.matches.as_slice() else { panic!("{found:?}") };
            assert_eq!(same.record_id.map(|id| id.to_string()).as_deref(), Some("00Q000000000001EAA"));
            assert_eq!((same.object.as_str(), same.confidence), ("Lead", Some(97.5)));
            assert_eq!(same.engine, "FuzzyMatchEngine");
            assert!(same.fields().is_some_and(|json| json.contains("a secret")));
            let shown = format!("{error} {error:?} {found:?}");
            assert!(!shown.contains("a secret"), "{shown}");
        }
    }

    #[test]
    fn a_finding_of_another_shape_hides_no_refusal() {
        for found in ["null", "[]", "7", r#"{"matchResults":[{"matchRecords":[{"record":{"Id":"no id"}}]}]}"#, "{}"] {
            let error = error("duplicateResut", found);
            assert_eq!(error.kind(), ErrorKind::Duplicate, "{found}");
            assert!(error.duplicates().iter().flat_map(|found| &found.matches).all(|same| same.record_id.is_none()));
        }
        assert!(error("duplicateResut", "7").duplicates().is_empty());
    }
}
