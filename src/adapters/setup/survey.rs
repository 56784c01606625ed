//! Survey results on contacts.

use super::grants::permission_set;
use crate::adapters::presets::SurveyFields;
use crate::api::metadata::{CustomField, FieldKind};
use crate::client::Client;
use crate::error::Result;
use crate::schema::{
    DesiredSchema, FieldRequirement, ObjectRequirement, ObjectRight, Report, RequirementSet, Severity, preflight,
};
use crate::types::{FieldName, SObjectName};

const CONTACT: SObjectName = SObjectName::from_static("Contact");

fn kinds(fields: &SurveyFields) -> [(&FieldName, &'static str, FieldKind); 3] {
    [
        (&fields.nps, "NPS Score", FieldKind::Number { precision: 3, scale: 0 }),
        (&fields.csat, "CSAT Score", FieldKind::Number { precision: 5, scale: 2 }),
        (&fields.last_survey, "Last Survey Date", FieldKind::Date),
    ]
}

/// The three fields on contacts and who may use them. The product does not make them by itself: this is for those who ask for it.
#[must_use]
pub fn survey_schema(fields: &SurveyFields) -> DesiredSchema {
    let made = kinds(fields).map(|(name, label, kind)| CustomField::new(format!("{CONTACT}.{name}"), label, kind));
    let permission_set = permission_set(
        &survey_requirements(fields),
        "Survey_Integration",
        "Survey Integration",
        "Made by the survey integration: contacts and the result fields on them.",
    );
    DesiredSchema::new("survey").fields(made).permission_set(permission_set)
}

/// What the user needs to read contacts and write survey results to them, in these fields.
#[must_use]
pub fn survey_requirements(fields: &SurveyFields) -> RequirementSet {
    let name = FieldName::from_static;
    let read = ["FirstName", "LastName", "AccountId"].map(|field| FieldRequirement::read(name(field)));
    let results = kinds(fields).map(|(name, _, kind)| FieldRequirement::write(name.clone()).of_kind(&kind));
    let contact = ObjectRequirement::new(CONTACT)
        .with_rights([ObjectRight::Edit])
        .with_every_record(Severity::Recommended)
        .with_fields(read)
        // It is filled where it is empty; results go in without.
        .with_fields([FieldRequirement::read(name("Email")).with_write(Severity::Optional)])
        .with_fields(results);
    RequirementSet::new("survey").permission(["ApiEnabled"], Severity::Required, "").object(contact)
}

/// Whether these fields are in the org, fit, are visible and can be written, before they are saved as a setting. Costs one API call.
///
/// # Errors
///
/// As [`preflight()`].
pub async fn test_fields(client: &Client, fields: &SurveyFields) -> Result<Report> {
    let mut required = survey_requirements(fields);
    required.name = "survey fields".into();
    required.least_privilege = false;
    let tested = [&fields.nps, &fields.csat, &fields.last_survey];
    for object in &mut required.objects {
        object.every_record = None;
        object.fields.retain(|field| tested.contains(&&field.field));
    }
    preflight(client, &required.mended_by(&survey_schema(fields))).await
}
