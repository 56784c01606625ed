//! Opportunities and what belongs to them, read and never written.

use super::grants::permission_set;
use crate::schema::{ChangeNotifier, DesiredSchema, FieldRequirement, ObjectRequirement, RequirementSet, Severity};
use crate::types::{FieldName, SObjectName};

/// The outbound message that tells of changed opportunities.
const NOTIFIER: &str = "Opportunity_Change";

/// Nothing but a permission set that reads. Salesforce has no scope for reading alone: the set is what makes the connection
/// read-only, on the side of the org.
#[must_use]
pub fn crm_schema() -> DesiredSchema {
    let permission_set = permission_set(
        &crm_requirements(),
        "CRM_Read",
        "CRM Read",
        "Made by the revenue integration: opportunities, accounts and contacts, to read.",
    );
    DesiredSchema::new("crm").permission_set(permission_set)
}

/// What tells an address of changed opportunities, by the name that [`crm_requirements`] looks for:
/// `crm_schema().notifier(&crm_notifier(address, user))`.
pub fn crm_notifier(endpoint: impl Into<String>, user_name: impl Into<String>) -> ChangeNotifier {
    let fields = ["Name", "Amount", "CloseDate", "StageName", "OwnerId", "AccountId", "LastModifiedDate"];
    ChangeNotifier::new("Opportunity", endpoint, user_name).name(NOTIFIER).fields(fields)
}

fn reads<const N: usize>(object: &'static str, fields: [&'static str; N]) -> ObjectRequirement {
    let fields = fields.map(|name| FieldRequirement::read(FieldName::from_static(name)));
    ObjectRequirement::new(SObjectName::from_static(object)).with_fields(fields)
}

/// What the user needs to read opportunities with their accounts, contacts, roles, stages, history and owners. The history of
/// stages, activities, leads and teams are optional: without them that part is left out.
#[must_use]
pub fn crm_requirements() -> RequirementSet {
    let optional = |object: ObjectRequirement| object.with_severity(Severity::Optional);
    let opportunity = [
        "Name",
        "Amount",
        "CloseDate",
        "StageName",
        "Probability",
        "OwnerId",
        "AccountId",
        "CreatedDate",
        "LastModifiedDate",
        "IsClosed",
        "IsWon",
    ];
    let names = ["Account", "Contact", "Opportunity"].map(SObjectName::from_static);
    RequirementSet::new("crm")
        .permission(["ApiEnabled"], Severity::Required, "")
        .editions(["Professional Edition", "Enterprise Edition", "Unlimited Edition"])
        .objects([
            reads("Opportunity", opportunity).with_every_record(Severity::Recommended),
            reads("Account", ["Name", "ParentId", "OwnerId"]).with_every_record(Severity::Recommended),
            reads("Contact", ["FirstName", "LastName", "Email", "AccountId"]).with_every_record(Severity::Recommended),
            reads("OpportunityContactRole", ["OpportunityId", "ContactId", "Role", "IsPrimary"]),
            reads("OpportunityStage", ["ApiName", "DefaultProbability", "IsClosed", "IsWon", "IsActive"]),
            optional(reads("OpportunityHistory", ["OpportunityId", "StageName", "Amount", "CloseDate"])),
            reads("User", ["Name", "Email", "IsActive"]),
            optional(reads("Event", ["WhatId", "WhoId", "ActivityDate", "Subject"])),
            optional(reads("Task", ["WhatId", "WhoId", "ActivityDate", "Subject"])),
            optional(reads("Lead", ["FirstName", "LastName", "Company", "Email", "Status"])),
            optional(reads("OpportunityTeamMember", ["OpportunityId", "UserId", "TeamMemberRole"])),
            optional(reads("AccountTeamMember", ["AccountId", "UserId", "TeamMemberRole"])),
        ])
        .records(names, Severity::Recommended)
        .notifier(NOTIFIER, Severity::Recommended)
}
