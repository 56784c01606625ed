//! Duplicate rules: a second record with the same email address.

use super::data::{Data, Rights, Writer, row_id};
use super::error::ApiError;
use super::json::Json;
use super::schema::{FieldType, Object};
use super::soql::output::{attributes, field_json};
use super::value::{Row, Value};
use super::wire::Request;

/// The key of a finding as it is on the wire (wire facts 2.5).
pub(crate) const MISSPELT: &str = "duplicateResut";

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

/// What `Sforce-Duplicate-Rule-Header` says. (REST guide, "Duplicate Rule Header": all false by default, 52.0 on.)
///
/// `runAsCurrentUser` asks for the sharing rules of the user; this org shares everything, so it changes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DuplicateOptions {
    /// Passes alerts.
    pub(crate) allow_save: bool,
    /// The matches come with all their fields.
    pub(crate) include_record_details: bool,
}

impl DuplicateOptions {
    /// For writes that no rule is meant for.
    pub(crate) const ALLOW: Self = Self { allow_save: true, include_record_details: false };

    pub(crate) fn read(request: &Request, version: u32) -> Self {
        let header = request.header("sforce-duplicate-rule-header").filter(|_| version >= 52);
        let header = header.unwrap_or_default().to_ascii_lowercase().replace(' ', "");
        let says = |option: &str| header.split([';', ',']).any(|part| part.strip_prefix(option) == Some("=true"));
        Self { allow_save: says("allowsave"), include_record_details: says("includerecorddetails") }
    }
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
        if writer.rights != Rights::Api || (writer.duplicates.allow_save && rule.action == DuplicateAction::Alert) {
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
        if matches.is_empty() { Ok(()) } else { Err(self.refusal(rule, writer, object, &matches)) }
    }

    /// The body documented by the partner WSDL and quoted by many clients (wire facts 2.5).
    fn refusal(&self, rule: &DuplicateRule, writer: &Writer, object: &Object, matches: &[String]) -> ApiError {
        const MESSAGE: &str = "Use one of these records?";
        let records = matches.iter().map(|id| {
            Json::object([
                ("additionalInformation", Json::Array(Vec::new())),
                ("fieldDiffs", Json::Array(Vec::new())),
                ("matchConfidence", Json::Number("100.0".to_owned())),
                ("record", self.matched(writer, object, id)),
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
        let duplicate = Some(Box::new((self.duplicate_key, finding)));
        ApiError { duplicate, ..ApiError::row("DUPLICATES_DETECTED", MESSAGE, []) }
    }

    /// A matched record: its id, or with `includeRecordDetails` all fields the user sees.
    fn matched(&self, writer: &Writer, object: &Object, id: &str) -> Json {
        let seen = writer.view.as_ref().and_then(|view| view.schema.object(&object.name)).unwrap_or(object);
        if let Some((row, _)) = self.store.find(id).filter(|_| writer.duplicates.include_record_details) {
            let mut members = vec![("attributes".to_owned(), attributes(&writer.base, seen, row))];
            members.extend(seen.fields.iter().map(|field| (field.name.clone(), field_json(seen, field, row))));
            return Json::Object(members);
        }
        let url = format!("{}/sobjects/{}/{id}", writer.base, object.name);
        let attributes = Json::object([("type", Json::string(&object.name)), ("url", Json::string(url))]);
        Json::object([("attributes", attributes), ("Id", Json::string(id))])
    }
}
