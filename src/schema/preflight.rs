//! Does the user have what a job needs? Asked before the first write.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::Finding;
use crate::api::metadata::FieldKind;
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::types::{FieldDescribe, FieldName, FieldType, SObjectDescribe, SObjectName};

/// What a job needs of one object. To read it is always needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRequirement {
    /// The object.
    pub object: SObjectName,
    /// Create records.
    pub create: bool,
    /// Edit records.
    pub edit: bool,
    /// The fields.
    pub fields: Vec<FieldRequirement>,
}

/// What a job needs of one field. To read it is always needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRequirement {
    /// The field.
    pub field: FieldName,
    /// Set and change it.
    pub write: bool,
    /// What it must hold, where that matters.
    pub kind: Option<FieldKind>,
}

impl FieldRequirement {
    /// A field that is read.
    #[must_use]
    pub fn read(field: FieldName) -> Self {
        Self { field, write: false, kind: None }
    }

    /// A field that is written.
    #[must_use]
    pub fn write(field: FieldName) -> Self {
        Self { field, write: true, kind: None }
    }

    /// The field must hold what this kind holds; it may be wider.
    #[must_use]
    pub fn of_kind(mut self, kind: FieldKind) -> Self {
        self.kind = Some(kind);
        self
    }
}

const FIELD_SECURITY: &str = "make the field visible, and editable where it is written, for the user: Setup > Permission Sets > \
                              Object Settings > Field Permissions";
const OBJECT_RIGHTS: &str = "give the user the right with a permission set: Setup > Permission Sets > Object Settings";

/// Compares a requirement with what the user sees; `None` for an object that is not there or hidden. Pure.
#[must_use]
pub fn check(required: &ObjectRequirement, seen: Option<&SObjectDescribe>) -> Vec<Finding> {
    let object = required.object.as_str();
    let Some(seen) = seen else {
        let remedy = "create the object, or give the user Read on it with a permission set";
        return vec![Finding::shape("object_missing", object, "is not there, or the user cannot see it", remedy)];
    };
    let mut findings = Vec::new();
    let rights = [
        (true, seen.queryable, "Read"),
        (required.create, seen.createable, "Create"),
        (required.edit, seen.updateable, "Edit"),
    ];
    for (needed, has, right) in rights {
        if needed && !has {
            findings.push(Finding::right("object_right", object, format!("gives the user no {right}"), OBJECT_RIGHTS));
        }
    }
    for field in &required.fields {
        findings.extend(check_field(field, required, seen.field(field.field.as_str())));
    }
    findings
}

fn check_field(
    required: &FieldRequirement,
    object: &ObjectRequirement,
    seen: Option<&FieldDescribe>,
) -> Option<Finding> {
    let subject = format!("{}.{}", object.object, required.field);
    let Some(seen) = seen else {
        return Some(Finding::shape(
            "field_missing",
            subject,
            "is not there, or the user cannot see it",
            FIELD_SECURITY,
        ));
    };
    if let Some(kind) = required.kind.as_ref().filter(|kind| !holds(seen, kind)) {
        let problem = format!("is of another type or too small for {kind}");
        let remedy = "the org has a field of that name for something else: rename it or make it larger, or choose another prefix";
        return Some(Finding::shape("field_shape", subject, problem, remedy));
    }
    let writable = (seen.createable || !object.create) && (seen.updateable || !object.edit);
    (required.write && !writable)
        .then(|| Finding::right("field_right", subject, "cannot be written by the user", FIELD_SECURITY))
}

/// Whether a field as describe tells it holds what the kind holds.
fn holds(seen: &FieldDescribe, kind: &FieldKind) -> bool {
    match kind {
        FieldKind::Text { length } => seen.field_type == FieldType::String && seen.length >= *length,
        FieldKind::Number { precision, scale } => {
            seen.field_type == FieldType::Double
                && seen.scale >= *scale
                && seen.precision.saturating_sub(seen.scale) >= precision.saturating_sub(*scale)
        }
        FieldKind::Checkbox => seen.field_type == FieldType::Boolean,
        FieldKind::Date => seen.field_type == FieldType::Date,
        FieldKind::DateTime => seen.field_type == FieldType::Datetime,
        FieldKind::Lookup { reference_to, .. } | FieldKind::MasterDetail { reference_to, .. } => {
            seen.reference_to.iter().any(|to| to.eq_ignore_ascii_case(reference_to))
        }
        // No requirement asks for any of these yet.
        _ => true,
    }
}

/// Looks at all objects and gives every finding at once. Costs one API call per object.
///
/// # Errors
///
/// Any error of [`Client::send`], but for objects that are not there: those are findings.
pub async fn preflight(client: &Client, required: &[ObjectRequirement]) -> Result<Vec<Finding>> {
    let describes = stream::iter(required).map(|required| async move {
        match client.describe(&required.object).await {
            Ok(seen) => Ok(check(required, Some(&seen))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(check(required, None)),
            Err(error) => Err(error),
        }
    });
    let findings: Vec<Vec<Finding>> = describes.buffered(5).try_collect().await?;
    Ok(findings.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact() -> ObjectRequirement {
        ObjectRequirement {
            object: SObjectName::from_static("Contact"),
            create: false,
            edit: true,
            fields: vec![
                FieldRequirement::read(FieldName::from_static("Email")),
                FieldRequirement::write(FieldName::from_static("Score__c"))
                    .of_kind(FieldKind::Number { precision: 18, scale: 3 }),
            ],
        }
    }

    fn describe(text: &str) -> SObjectDescribe {
        serde_json::from_str(text).expect(text)
    }

    const GOOD: &str = r#"{"name":"Contact","queryable":true,"createable":false,"updateable":true,"fields":[
        {"name":"Email","type":"email"},{"name":"Score__c","type":"double","precision":18,"scale":3,"createable":true,"updateable":true}]}"#;

    #[test]
    fn nav_12_each_missing_object_right_is_named() {
        assert_eq!(check(&contact(), Some(&describe(GOOD))), []);
        let read_only = GOOD.replace("\"updateable\":true,\"fields\"", "\"updateable\":false,\"fields\"");
        let findings = check(&contact(), Some(&describe(&read_only)));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].subject.as_str(), findings[0].problem.as_str()), ("Contact", "gives the user no Edit"));
        assert_eq!(check(&contact(), None)[0].subject, "Contact");
    }

    #[test]
    fn nav_13_each_hidden_or_read_only_field_is_named() {
        let hidden = GOOD.replace("Email", "Phone");
        assert_eq!(check(&contact(), Some(&describe(&hidden)))[0].subject, "Contact.Email");
        let fixed =
            GOOD.replace("\"createable\":true,\"updateable\":true}]", "\"createable\":false,\"updateable\":false}]");
        assert_eq!(check(&contact(), Some(&describe(&fixed)))[0].subject, "Contact.Score__c");
        for other in [GOOD.replace("double", "string"), GOOD.replace("\"scale\":3", "\"scale\":0")] {
            assert!(check(&contact(), Some(&describe(&other)))[0].problem.contains("too small for Number(15, 3)"));
        }
        let wider = GOOD.replace("\"precision\":18,\"scale\":3", "\"precision\":20,\"scale\":5");
        assert_eq!(check(&contact(), Some(&describe(&wider))), []);
    }
}
