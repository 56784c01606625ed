//! Adds to fields of ours what they lack. What the field is in the org is read first and written back whole, label and all.

use serde_json::{Map, Value as Json};

use super::Setup;
use crate::api::metadata::{CustomField, FieldKind};
use crate::api::{MAX_COLLECTIONS_AND_QUERIES, MAX_SUBREQUESTS, Subrequest};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::denied::{OPERATION, denied};
use crate::types::soql::field;
use crate::types::{Literal, RecordId, SObjectName, Soql};

const CUSTOM_FIELD: SObjectName = SObjectName::from_static("CustomField");
const CUSTOMIZE: &str = "Customize Application";

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    id: RecordId,
    metadata: Map<String, Json>,
}

impl Setup {
    /// Costs one API call for each 5 fields, and one for each 25.
    pub(super) async fn change_fields(&self, fields: &[CustomField]) -> Result<()> {
        let tooling = self.client.tooling();
        let mut changes: Vec<(RecordId, Json)> = Vec::new();
        for some in fields.chunks(MAX_COLLECTIONS_AND_QUERIES) {
            let mut composite = tooling.composite();
            for (index, wanted) in some.iter().enumerate() {
                composite = composite.add(format!("field{index}"), Subrequest::query(one_field(wanted)?));
            }
            let answer = composite.send().await?;
            for (index, wanted) in some.iter().enumerate() {
                let page = answer.result_of(&format!("field{index}"))?.page::<Row>()?;
                let Some(row) = page.records.into_iter().next() else {
                    return Err(Error::new(ErrorKind::Conflict, OPERATION, "a field is gone since it was looked at")
                        .with_context("field", &wanted.full_name)
                        .with_advice("plan again"));
                };
                let metadata = with_what_lacks(row.metadata, wanted);
                changes.push((row.id, serde_json::json!({ "Metadata": metadata })));
            }
        }
        for some in changes.chunks(MAX_SUBREQUESTS) {
            let mut composite = tooling.composite();
            for (index, (id, change)) in some.iter().enumerate() {
                composite = composite.add(format!("field{index}"), Subrequest::update(&CUSTOM_FIELD, *id, change));
            }
            let refused = composite.send().await?.into_result();
            refused.map_err(|error| match error.kind() {
                ErrorKind::Forbidden => denied(error, CUSTOMIZE),
                _ => error,
            })?;
        }
        Ok(())
    }
}

/// One row, as a query of `Metadata` has to find.
fn one_field(wanted: &CustomField) -> Result<Soql> {
    let name = wanted.name();
    let name = name.strip_suffix("__c").unwrap_or(name);
    let found = field("EntityDefinition.QualifiedApiName").eq(wanted.object()).and(field("DeveloperName").eq(name));
    // A package may have added one of that name.
    let found = found.and(field("NamespacePrefix").eq(Literal::Null));
    Soql::select(["Id", "Metadata"]).from(CUSTOM_FIELD.as_str()).filter(found).build()
}

/// What a field is in the org, with what ours has beyond it.
fn with_what_lacks(mut metadata: Map<String, Json>, wanted: &CustomField) -> Map<String, Json> {
    let number = |metadata: &Map<String, Json>, key: &str| metadata.get(key).and_then(Json::as_u64).unwrap_or(0);
    match &wanted.kind {
        FieldKind::Text { length } | FieldKind::LongTextArea { length, .. } | FieldKind::Html { length, .. } => {
            let length = number(&metadata, "length").max(u64::from(*length));
            metadata.insert("length".into(), length.into());
        }
        FieldKind::Number { precision, scale }
        | FieldKind::Currency { precision, scale }
        | FieldKind::Percent { precision, scale } => {
            let (had, had_scale) = (number(&metadata, "precision"), number(&metadata, "scale"));
            let (precision, scale) = (u64::from(*precision), u64::from(*scale));
            let before = had.saturating_sub(had_scale).max(precision.saturating_sub(scale));
            let scale = scale.max(had_scale);
            metadata.insert("scale".into(), scale.into());
            metadata.insert("precision".into(), (before + scale).into());
        }
        FieldKind::Picklist { values } | FieldKind::MultiselectPicklist { values, .. } => {
            let definition = metadata.get_mut("valueSet").and_then(|set| set.get_mut("valueSetDefinition"));
            if let Some(Json::Array(known)) = definition.and_then(|definition| definition.get_mut("value")) {
                let name = |value: &Json| {
                    let name = value.get("valueName").or_else(|| value.get("fullName"));
                    name.and_then(Json::as_str).unwrap_or_default().to_ascii_lowercase()
                };
                let has: Vec<String> = known.iter().map(name).collect();
                // Tooling calls a value's name `valueName`, where files call it `fullName`.
                let key =
                    if known.iter().any(|value| value.get("fullName").is_some()) { "fullName" } else { "valueName" };
                for value in values.values().iter().filter(|value| !has.contains(&value.full_name.to_ascii_lowercase()))
                {
                    known.push(serde_json::json!({ key: value.full_name, "label": value.label, "default": false }));
                }
            }
        }
        _ => {}
    }
    if wanted.track_history {
        metadata.insert("trackHistory".into(), true.into());
    }
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::metadata::ValueSet;

    fn changed(metadata: &str, kind: FieldKind) -> Json {
        let metadata = serde_json::from_str(metadata).expect(metadata);
        Json::Object(with_what_lacks(metadata, &CustomField::new("A.B__c", "Ours", kind).track_history()))
    }

    #[test]
    fn a_field_keeps_what_an_admin_made_of_it_and_only_grows() {
        let text = changed(r#"{"label":"Theirs","length":100,"type":"Text"}"#, FieldKind::text(80));
        assert_eq!(text, serde_json::json!({"label": "Theirs", "length": 100, "type": "Text", "trackHistory": true}));
        let number = changed(r#"{"precision":10,"scale":4}"#, FieldKind::number(12, 2));
        assert_eq!((&number["precision"], &number["scale"]), (&14.into(), &4.into()));
        let values =
            r#"{"valueSet":{"valueSetDefinition":{"value":[{"valueName":"low","label":"L","default":true}]}}}"#;
        let picklist = changed(values, FieldKind::picklist(ValueSet::new(["Low", "High"])));
        let values = picklist["valueSet"]["valueSetDefinition"]["value"].as_array().expect("values");
        assert_eq!((values.len(), &values[0]["label"], &values[1]["valueName"]), (2, &"L".into(), &"High".into()));
    }
}
