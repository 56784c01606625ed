//! Duplicate rules: a second record with the same email address.

use super::data::{Data, Rights, Writer, row_id};
use super::error::ApiError;
use super::json::Json;
use super::schema::{FieldType, Object};
use super::value::{Row, Value};

/// What a duplicate rule does about a record that matches another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateAction {
    /// Refuses unless the request says `Sforce-Duplicate-Rule-Header: allowSave=true`.
    Alert,
    /// Refuses whatever the request says.
    Block,
}

#[derive(Clone, Debug)]
pub(crate) struct DuplicateRule {
    pub(crate) object: String,
    pub(crate) action: DuplicateAction,
}

impl Data {
    /// Applies the duplicate rules to a row about to be saved. Off until a test switches one on.
    pub(crate) fn check_duplicates(
        &self,
        writer: &Writer,
        object: &Object,
        row: &Row,
        changed: &[&str],
    ) -> Result<(), ApiError> {
        let Some(rule) = self.duplicate_rules.iter().find(|rule| rule.object.eq_ignore_ascii_case(&object.name)) else {
            return Ok(());
        };
        if writer.rights != Rights::Api || (writer.allow_duplicates && rule.action == DuplicateAction::Alert) {
            return Ok(());
        }
        let own_id = row_id(row);
        let emails = object.fields.iter().filter(|field| {
            (field.kind == FieldType::Email || (field.is_text() && field.name.to_ascii_lowercase().contains("email")))
                && changed.contains(&field.name.as_str())
        });
        let mut matches: Vec<String> = Vec::new();
        for field in emails {
            let Some(Value::Text(email)) = row.get(&field.name) else { continue };
            let same = |other: &&Row| matches!(other.get(&field.name), Some(Value::Text(other)) if other.eq_ignore_ascii_case(email));
            let found: Vec<String> = match self.store.lookup(&object.name, &field.name, &Value::Text(email.clone())) {
                Some(rows) => rows.into_iter().filter_map(row_id).collect(),
                None => self.store.rows(&object.name, false).filter(same).filter_map(row_id).collect(),
            };
            matches.extend(found.into_iter().filter(|id| Some(id) != own_id.as_ref()));
        }
        if matches.is_empty() { Ok(()) } else { Err(refusal(rule, writer, object, &matches)) }
    }
}

/// The body documented by the partner WSDL and quoted by many clients (wire facts 2.5).
fn refusal(rule: &DuplicateRule, writer: &Writer, object: &Object, matches: &[String]) -> ApiError {
    const MESSAGE: &str = "Use one of these records?";
    let records = matches.iter().map(|id| {
        let url = format!("{}/sobjects/{}/{id}", writer.base, object.name);
        let attributes = Json::object([("type", Json::string(&object.name)), ("url", Json::string(url))]);
        Json::object([
            ("additionalInformation", Json::Array(Vec::new())),
            ("fieldDiffs", Json::Array(Vec::new())),
            ("matchConfidence", Json::Number("100.0".to_owned())),
            ("record", Json::object([("attributes", attributes), ("Id", Json::string(id))])),
        ])
    });
    let result = Json::object([
        ("entityType", Json::string(&object.name)),
        ("errors", Json::Array(Vec::new())),
        ("matchEngine", Json::from("FuzzyMatchEngine")),
        ("matchRecords", Json::Array(records.collect())),
        ("rule", Json::string(format!("Standard_{}_Match_Rule_v1_0", object.name))),
        ("size", Json::number(matches.len())),
        ("success", Json::Bool(true)),
    ]);
    let finding = Json::object([
        ("allowSave", Json::Bool(rule.action == DuplicateAction::Alert)),
        ("duplicateRule", Json::string(format!("Standard_{}_Duplicate_Rule", object.name))),
        ("duplicateRuleEntityType", Json::string(&object.name)),
        ("errorMessage", Json::from(MESSAGE)),
        ("matchResults", Json::Array(vec![result])),
    ]);
    ApiError { duplicate: Some(finding), ..ApiError::row("DUPLICATES_DETECTED", MESSAGE, []) }
}
