//! Page layouts: every object that has pages is born with one.

use super::super::schema::{FieldType, Object};
use super::super::state::State;
use super::super::xml::Element;
use super::{Kind, METADATA, stored};

/// Standard objects with a layout of their own, and its sections: the label, and the fields of its left and right column. A field
/// is marked `!` where it is required and `=` where it is read only.
// Sections and fields as retrieved from new orgs, of what this org has [S: public repositories of metadata]; Metadata guide,
// "Layout", for the name.
const STANDARD: [(&str, &[Section]); 8] = [
    (
        "Account",
        &[
            (
                "Account Information",
                &["OwnerId!", "Name!", "ParentId", "AccountNumber", "Site", "Type", "Industry", "AnnualRevenue"],
                &["Rating", "Phone", "Fax", "Website", "TickerSymbol", "Ownership", "NumberOfEmployees", "Sic"],
            ),
            ("Address Information", &["BillingAddress"], &["ShippingAddress"]),
            ("System Information", &["CreatedById="], &["LastModifiedById="]),
            ("Description Information", &["Description"], &[]),
        ],
    ),
    (
        "Contact",
        &[
            (
                "Contact Information",
                &["OwnerId!", "Name!", "AccountId", "Title", "Department", "Birthdate", "ReportsToId", "LeadSource"],
                &["Phone", "HomePhone", "MobilePhone", "OtherPhone", "Fax", "Email", "AssistantName", "AssistantPhone"],
            ),
            ("Address Information", &["MailingAddress"], &["OtherAddress"]),
            ("System Information", &["CreatedById="], &["LastModifiedById="]),
            ("Description Information", &["Description"], &[]),
        ],
    ),
    (
        "Lead",
        &[
            (
                "Lead Information",
                &["OwnerId!", "Name!", "Company!", "Title", "LeadSource", "Industry", "AnnualRevenue"],
                &["Phone", "MobilePhone", "Fax", "Email", "Website", "Status!", "Rating", "NumberOfEmployees"],
            ),
            ("Address Information", &["Address"], &[]),
            ("System Information", &["CreatedById="], &["LastModifiedById="]),
            ("Description Information", &["Description"], &[]),
        ],
    ),
    (
        "Opportunity",
        &[
            (
                "Opportunity Information",
                &["OwnerId!", "IsPrivate", "Name!", "AccountId", "Type", "LeadSource"],
                &["Amount", "ExpectedRevenue=", "CloseDate!", "NextStep", "StageName!", "Probability", "CampaignId"],
            ),
            ("System Information", &["CreatedById="], &["LastModifiedById="]),
            ("Description Information", &["Description"], &[]),
        ],
    ),
    (
        "Campaign",
        &[
            (
                "Campaign Information",
                &["OwnerId!", "Name!", "IsActive", "Type", "Status", "StartDate", "EndDate"],
                &["ExpectedRevenue", "BudgetedCost", "ActualCost", "ParentId"],
            ),
            ("System Information", &["CreatedById="], &["LastModifiedById="]),
            ("Description Information", &["Description"], &[]),
        ],
    ),
    (
        "Event",
        &[
            (
                "Calendar Details",
                &["OwnerId!", "Subject!", "Location", "StartDateTime!", "EndDateTime!"],
                &["WhoId", "WhatId", "IsAllDayEvent", "ShowAs"],
            ),
            ("Description Information", &["Description"], &[]),
            ("System Information", &["CreatedById="], &["LastModifiedById="]),
        ],
    ),
    (
        "Task",
        &[
            (
                "Task Information",
                &["OwnerId!", "Subject!", "ActivityDate", "Priority!", "Status!"],
                &["WhoId", "WhatId"],
            ),
            ("Description Information", &["Description"], &[]),
            ("System Information", &["CreatedById="], &["LastModifiedById="]),
        ],
    ),
    ("User", &[("About", &["Name!", "Email", "Title"], &["Phone", "MobilePhone", "ManagerId"])]),
];

/// Label, left and right column.
type Section = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Gives every object with pages that has had none its first layout, `<object>-<label> Layout`.
// Wire facts 4.4; Help, "Create Custom Objects": a custom object comes with a page layout. [K] The sections.
pub(crate) fn lay_out(state: &mut State) {
    let new: Vec<Object> = state
        .schema
        .objects()
        .filter(|object| object.custom || STANDARD.iter().any(|(name, _)| *name == object.name))
        .filter(|object| !state.components.laid_out.contains(&object.name.to_lowercase()))
        .cloned()
        .collect();
    let user = state.auth.user_id.clone();
    for object in new {
        state.components.laid_out.insert(object.name.to_lowercase());
        let body = first_of(&object);
        let name = format!("{}-{} Layout", object.name, object.label);
        let layout = stored::make(state, Kind::Layout, &name, body, None, &user);
        state.components.insert(Kind::Layout, layout);
    }
}

fn element(name: &str, children: Vec<Element>) -> Element {
    Element { namespace: METADATA.to_owned(), name: name.to_owned(), children, ..Element::default() }
}

fn leaf(name: &str, text: &str) -> Element {
    Element { text: text.to_owned(), ..element(name, Vec::new()) }
}

fn first_of(object: &Object) -> Element {
    let mut children = Vec::new();
    let standard = STANDARD.iter().find(|(name, _)| *name == object.name);
    if let Some((_, sections)) = standard {
        for (label, left, right) in *sections {
            children.push(section(object, label, &[*left, *right], "TwoColumnsTopToBottom"));
        }
    } else {
        let name =
            if object.fields.iter().any(|field| field.name_field && field.auto_number) { "Name=" } else { "Name!" };
        children.push(section(object, "Information", &[&[name], &["OwnerId"]], "TwoColumnsTopToBottom"));
        let system = ["CreatedById=", "LastModifiedById="];
        children.push(section(object, "System Information", &[&system[..1], &system[1..]], "TwoColumnsTopToBottom"));
    }
    children.push(section(object, "Custom Links", &[&[], &[], &[]], "CustomLinks"));
    for flag in [
        "showEmailCheckbox",
        "showHighlightsPanel",
        "showInteractionLogPanel",
        "showRunAssignmentRulesCheckbox",
        "showSubmitAndAttachButton",
    ] {
        children.push(leaf(flag, "false"));
    }
    element("Layout", children)
}

fn section(object: &Object, label: &str, columns: &[&[&str]], style: &str) -> Element {
    let links = style == "CustomLinks";
    let mut children = vec![
        leaf("customLabel", "false"),
        leaf("detailHeading", "false"),
        leaf("editHeading", if links { "false" } else { "true" }),
        leaf("label", label),
    ];
    for column in columns {
        let items = column.iter().filter_map(|spec| {
            let name = spec.trim_end_matches(['!', '=']);
            object.field(name)?;
            let behavior = match spec.chars().last() {
                Some('!') => "Required",
                Some('=') => "Readonly",
                _ => "Edit",
            };
            Some(element("layoutItems", vec![leaf("behavior", behavior), leaf("field", name)]))
        });
        children.push(element("layoutColumns", items.collect()));
    }
    children.push(leaf("style", style));
    element("layoutSections", children)
}

/// The object a layout is of.
pub(super) fn object_of(name: &str) -> &str {
    name.split('-').next().unwrap_or_default()
}

/// A field that is deleted goes from the layouts as well. [K]
pub(super) fn remove_field(state: &mut State, object: &str, field: &str) {
    let about = |item: &Element| item.text_of("field").is_some_and(|name| name.eq_ignore_ascii_case(field));
    let layouts =
        state.components.of_mut(Kind::Layout).filter(|layout| object_of(&layout.name).eq_ignore_ascii_case(object));
    for layout in layouts {
        for section in layout.body.children.iter_mut().filter(|child| child.name == "layoutSections") {
            for column in section.children.iter_mut().filter(|child| child.name == "layoutColumns") {
                column.children.retain(|item| !about(item));
            }
        }
    }
}

/// Whether a layout may name a field: compound fields are named as a whole. [K] for the names of activities.
pub(super) fn has_field(object: &Object, name: &str) -> bool {
    object.field(name).is_some_and(|field| field.kind != FieldType::Id)
}
