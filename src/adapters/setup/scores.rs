//! Visitor scores on contacts, leads and accounts.

use super::grants::permission_set;
use crate::api::metadata::{CustomField, FieldKind};
use crate::schema::{
    DesiredSchema, DesiredSection, FieldRequirement, ObjectRequirement, ObjectRight, RequirementSet, Severity,
};
use crate::types::{FieldName, SObjectName};

static OBJECTS: [SObjectName; 3] =
    [SObjectName::from_static("Contact"), SObjectName::from_static("Lead"), SObjectName::from_static("Account")];

/// The section of the page layouts that shows them.
const SECTION: &str = "GPTWeb Insights";

/// The six fields, as [`score_map`](crate::adapters::presets::score_map) fills them: API name, label and type.
fn fields() -> [(FieldName, &'static str, FieldKind); 6] {
    let name = FieldName::from_static;
    [
        (name("GPTWeb_AI_Score__c"), "AI Score", FieldKind::Number { precision: 5, scale: 2 }),
        (name("GPTWeb_Is_DQL__c"), "Is DQL", FieldKind::Checkbox),
        (name("GPTWeb_Last_Visit__c"), "Last Visit", FieldKind::DateTime),
        (name("GPTWeb_Visit_Count__c"), "Visit Count", FieldKind::Number { precision: 18, scale: 0 }),
        (name("GPTWeb_Engagement_Level__c"), "Engagement Level", FieldKind::Text { length: 40 }),
        (name("GPTWeb_Lead_Source__c"), "Website Lead Source", FieldKind::Text { length: 255 }),
    ]
}

/// The six score fields on contact, lead and account, a section with them on the layouts that each org starts with, and who may use
/// them. An org whose layouts have other names gets the section by hand: the plan says so.
#[must_use]
pub fn scores_schema() -> DesiredSchema {
    let made = OBJECTS.iter().flat_map(|object| {
        fields().map(|(name, label, kind)| CustomField::new(format!("{object}.{name}"), label, kind))
    });
    let permission_set = permission_set(
        &scores_requirements(),
        "GPTWeb_Integration",
        "GPTWeb Integration",
        "Made by the website scores integration: contacts, leads and accounts, and the score fields on them.",
    );
    let schema = DesiredSchema::new("scores").fields(made).permission_set(permission_set);
    OBJECTS.iter().fold(schema, |schema, object| {
        let fields = fields().map(|(name, ..)| name.to_string()).into();
        let layout = format!("{object}-{object} Layout");
        schema.layout_section(DesiredSection { layout, label: SECTION.to_owned(), fields })
    })
}

/// What the user needs to write scores: contacts, leads and accounts to read, create and edit, and the six fields on each.
///
/// The product's page asks for Modify All Data, to make and manage the fields. Customize Application with Modify Metadata does it, and
/// only while the fields are made: an admin may do that once.
#[must_use]
pub fn scores_requirements() -> RequirementSet {
    let makes = "to make the score fields; an admin may do that once";
    let object = |object: &SObjectName| {
        let fields = fields().map(|(name, _, kind)| FieldRequirement::write(name).of_kind(&kind));
        let email = (object.as_str() != "Account").then(|| FieldRequirement::read(FieldName::from_static("Email")));
        ObjectRequirement::new(object.clone())
            .with_rights([ObjectRight::Create, ObjectRight::Edit])
            .with_fields(email)
            .with_fields(fields)
    };
    RequirementSet::new("scores")
        .permission(["ApiEnabled"], Severity::Required, "")
        .permission(["CustomizeApplication"], Severity::Recommended, makes)
        .permission(["ModifyMetadata", "ModifyAllData"], Severity::Recommended, makes)
        .permission(
            ["AssignPermissionSets", "ManageUsers"],
            Severity::Optional,
            "to assign the permission set by itself",
        )
        .objects(OBJECTS.iter().map(object))
        .audit_trail()
}
