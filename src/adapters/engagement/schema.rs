//! What the engagement flow needs in an org.

use super::Prefix;
use super::session::{NAME, TEXT};
use crate::api::metadata::{
    CustomField, CustomObject, FieldKind, FieldPermission, NameField, ObjectPermission, PermissionSet,
};
use crate::schema::{DesiredSchema, FieldRequirement, ObjectRequirement, ObjectRight, RequirementSet, Severity};
use crate::types::{FieldName, SObjectName};

/// What the permission set grants on Lead, Contact, Account and Opportunity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Read and Edit: what the flow needs.
    #[default]
    Least,
    /// Create, Read, Edit and Delete.
    FullCrud,
}

/// The objects a session links to, in the order in which a visitor is looked for: object, field and title of the link.
pub(super) const PARENTS: [SObjectName; 4] = [
    SObjectName::from_static("Contact"),
    SObjectName::from_static("Lead"),
    SObjectName::from_static("Account"),
    SObjectName::from_static("Opportunity"),
];

/// The columns that the product recommends for the related list of sessions, without prefix and `__c`; `Name` is the
/// session id.
pub const RELATED_LIST_COLUMNS: [&str; 9] = [
    "Demos",
    "Duration_Minutes",
    "Full_Name",
    "Flows",
    "Steps_Viewed",
    "Very_Interested_Areas",
    "Somewhat_Interested_Areas",
    "Not_Interested_Areas",
    "Name",
];

/// The roll-up fields on each of the four objects.
pub(super) const LAST_SESSION_AT: &str = "Last_Session_At";
pub(super) const SESSION_COUNT: &str = "Session_Count";
pub(super) const TOTAL_MINUTES: &str = "Total_Minutes";
pub(super) const LAST_DEMOS: &str = "Last_Demos";
pub(super) const VERY_INTERESTED: &str = "Very_Interested_Areas";
pub(super) const ROLL_UPS: [&str; 5] = [LAST_SESSION_AT, SESSION_COUNT, TOTAL_MINUTES, LAST_DEMOS, VERY_INTERESTED];

/// Standard fields that the flow reads and that take a field permission, and whether the permission set grants Edit on them
/// too: the product's page asks for that where it names the field, the flow never writes them. `FirstName`, `LastName`,
/// `Company` and `Name` take no permission: they come with their object.
const READ: [(&str, &str, bool); 4] = [
    ("Contact", "Email", true),
    ("Contact", "AccountId", false),
    ("Lead", "Email", true),
    ("Account", "Website", true),
];

/// Tells our permission set from another of the same name.
const DESCRIPTION: &str = "Made by the engagement integration: the session object and the fields it writes.";

/// The session object with its fields, the roll-up fields on the four standard objects, and the permission set.
#[must_use]
pub fn desired_schema(prefix: &Prefix, access: Access) -> DesiredSchema {
    let object = prefix.session_object();
    let product = prefix.as_str().trim_end_matches('_').replace('_', " ");
    let fields: Vec<CustomField> =
        session_fields(prefix, &product).into_iter().chain(roll_up_fields(prefix, &product)).collect();
    let session = CustomObject::new(object.to_string(), format!("{product} Session"), format!("{product} Sessions"))
        .description("One viewing of an interactive demo.")
        .name_field(NameField::text("Session ID"));
    let permission_set = permission_set(prefix, &product, access, &fields);
    DesiredSchema::new("engagement").object(session).fields(fields).permission_set(permission_set)
}

fn custom_field(object: &str, field: &FieldName, label: &str, kind: FieldKind) -> CustomField {
    CustomField::new(format!("{object}.{field}"), label, kind)
}

fn label(name: &str) -> String {
    name.replace('_', " ")
}

fn session_fields(prefix: &Prefix, product: &str) -> Vec<CustomField> {
    let object = prefix.session_object();
    let make = |name: &str, label: &str, kind| custom_field(object.as_str(), &prefix.field(name), label, kind);
    let text = |name: &str| make(name, &label(name), FieldKind::Text { length: TEXT });
    let key = make("Session_Key", "Session Key", FieldKind::Text { length: NAME });
    let mut fields = vec![
        // Case counts: two session ids may differ by nothing else.
        key.unique().case_sensitive().external_id(),
        make("Started_At", "Started At", FieldKind::DateTime),
        text("Full_Name"),
        text("Email"),
        make("Duration_Minutes", "Duration (minutes)", FieldKind::Number { precision: 18, scale: 3 }),
        make("Steps_Viewed", "Steps Viewed", FieldKind::Number { precision: 18, scale: 0 }),
        text("Demos"),
        text("Flows"),
        text("Very_Interested_Areas"),
        text("Somewhat_Interested_Areas"),
        text("Not_Interested_Areas"),
    ];
    fields.extend(PARENTS.iter().map(|parent| {
        let kind = FieldKind::lookup(parent.to_string(), children_name(prefix), format!("{product} Sessions"));
        make(parent.as_str(), parent.as_str(), kind)
    }));
    fields
}

/// The sessions' name on their parents, without `__r`.
pub(super) fn children_name(prefix: &Prefix) -> String {
    format!("{}Sessions", prefix.as_str())
}

fn roll_up_kinds() -> [(&'static str, FieldKind); 5] {
    [
        (LAST_SESSION_AT, FieldKind::DateTime),
        (SESSION_COUNT, FieldKind::Number { precision: 18, scale: 0 }),
        (TOTAL_MINUTES, FieldKind::Number { precision: 18, scale: 3 }),
        (LAST_DEMOS, FieldKind::Text { length: TEXT }),
        (VERY_INTERESTED, FieldKind::Text { length: TEXT }),
    ]
}

fn roll_up_fields(prefix: &Prefix, product: &str) -> Vec<CustomField> {
    let of = |parent: &SObjectName| {
        roll_up_kinds().map(|(name, kind)| {
            custom_field(parent.as_str(), &prefix.field(name), &format!("{product} {}", label(name)), kind)
        })
    };
    PARENTS.iter().flat_map(of).collect()
}

fn permission_set(prefix: &Prefix, product: &str, access: Access, fields: &[CustomField]) -> PermissionSet {
    let full = access == Access::FullCrud;
    let grant = |field: String, editable: bool| FieldPermission { field, readable: true, editable };
    let standard = READ.iter().map(|(object, field, editable)| grant(format!("{object}.{field}"), *editable));
    // Required fields take no permission; ours are none.
    let own = fields.iter().filter(|field| !field.required).map(|field| grant(field.full_name.clone(), true));
    let object = |name: &SObjectName, create: bool, delete: bool| ObjectPermission {
        object: name.to_string(),
        create,
        read: true,
        edit: true,
        delete,
        ..ObjectPermission::default()
    };
    // Sessions are inserted, so Create is needed there though the product's page says Read and Edit.
    let mut objects = vec![object(&prefix.session_object(), true, full)];
    objects.extend(PARENTS.iter().map(|parent| object(parent, full, full)));
    PermissionSet {
        full_name: format!("{}Integration", prefix.as_str()),
        label: format!("{product} Integration"),
        description: Some(DESCRIPTION.into()),
        fields: own.chain(standard).collect(),
        objects,
        ..PermissionSet::default()
    }
}

/// Standard fields that the product's page names, by the object's place in [`PARENTS`], and whether it asks for Edit on them.
const NAMED: [&[(&str, bool)]; 4] = [
    &[("FirstName", true), ("LastName", true), ("Email", true), ("AccountId", false)],
    &[("FirstName", true), ("LastName", true), ("Company", true), ("Email", true), ("IsConverted", false)],
    &[("Name", true), ("Website", true)],
    &[("Name", true)],
];

/// What the user must be able to do.
///
/// Rights to make objects and fields are optional, since an admin may run the set-up once for all users; so is Edit on standard
/// fields, which the product's page asks for and the flow never writes. View All Data and Modify All Data are recommended by that
/// page: without them, records that are not shared with the user are not matched.
#[must_use]
pub fn requirements(prefix: &Prefix) -> RequirementSet {
    let object = prefix.session_object();
    let product = prefix.as_str().trim_end_matches('_').replace('_', " ");
    let written = |name: FieldName, kind: &FieldKind| FieldRequirement::write(name).of_kind(kind);
    let key = prefix.field("Session_Key");
    let session = session_fields(prefix, &product).into_iter().filter_map(|field| {
        let name = FieldName::new(field.full_name.split_once('.')?.1).ok()?;
        let required = written(name, &field.kind);
        Some(FieldRequirement { key: required.field == key, ..required })
    });
    let session = ObjectRequirement::new(object)
        .with_rights([ObjectRight::Create, ObjectRight::Edit])
        .with_fields(session.collect::<Vec<_>>());
    let parent = |(object, named): (&SObjectName, &[(&'static str, bool)])| {
        let standard = named.iter().map(|(name, edited)| {
            let read = FieldRequirement::read(FieldName::from_static(name));
            if *edited { read.with_write(Severity::Optional) } else { read }
        });
        let rolled = roll_up_kinds().map(|(name, kind)| written(prefix.field(name), &kind));
        ObjectRequirement::new(object.clone())
            .with_rights([ObjectRight::Edit])
            .with_every_record(Severity::Recommended)
            .with_fields(standard)
            .with_fields(rolled)
    };
    let makes = "only to make the objects and fields; an admin may do that once";
    RequirementSet::new("engagement")
        .permission(["ApiEnabled"], Severity::Required, "")
        .permission(["CustomizeApplication"], Severity::Optional, makes)
        .permission(["ModifyMetadata", "ModifyAllData"], Severity::Optional, makes)
        .permission(["ViewAllData"], Severity::Recommended, "to match visitors to records of all owners")
        .permission(["ModifyAllData"], Severity::Recommended, "to roll sessions up on records of all owners")
        .object(session)
        .objects(PARENTS.iter().zip(NAMED).map(parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(access: Access) -> DesiredSchema {
        desired_schema(&Prefix::default(), access)
    }

    fn field<'a>(schema: &'a DesiredSchema, name: &str) -> &'a CustomField {
        schema.fields.iter().find(|field| field.full_name == name).unwrap_or_else(|| panic!("{name}"))
    }

    #[test]
    fn nav_3_the_session_id_is_the_name_and_a_unique_external_key() {
        let schema = schema(Access::Least);
        assert_eq!(schema.objects[0].full_name, "Navattic_Session__c");
        assert_eq!(
            (schema.objects[0].label.as_str(), &schema.objects[0].name_field),
            ("Navattic Session", &Some(NameField::text("Session ID")))
        );
        let key = field(&schema, "Navattic_Session__c.Navattic_Session_Key__c");
        assert!(key.unique && key.external_id && key.case_sensitive && key.kind == FieldKind::Text { length: 80 });
    }

    #[test]
    fn nav_10_each_of_four_objects_gets_a_related_list() {
        let schema = schema(Access::Least);
        for parent in ["Opportunity", "Lead", "Contact", "Account"] {
            let FieldKind::Lookup { reference_to, relationship_name, .. } =
                &field(&schema, &format!("Navattic_Session__c.Navattic_{parent}__c")).kind
            else {
                panic!("a lookup")
            };
            assert_eq!((reference_to.as_str(), relationship_name.as_str()), (parent, "Navattic_Sessions"));
        }
    }

    #[test]
    fn nav_23_each_of_four_objects_gets_five_roll_up_fields_with_names_of_40_characters_at_most() {
        let schema =
            desired_schema(&Prefix::new("Fifteen_Chars__".replace("__", "_x")).unwrap_or_default(), Access::Least);
        let rolled: Vec<&CustomField> =
            schema.fields.iter().filter(|field| !field.full_name.contains("Session__c.")).collect();
        assert_eq!(rolled.len(), 20);
        for field in &schema.fields {
            let name = field.full_name.split('.').nth(1).unwrap_or_default().trim_end_matches("__c");
            assert!(name.len() <= 40, "{name}");
        }
    }

    #[test]
    fn nav_16_least_rights_by_default_and_full_crud_as_an_option() {
        let rights = |access| {
            let schema = schema(access);
            let object = |name: &str| {
                schema
                    .permission_set
                    .as_ref()
                    .expect("a set")
                    .objects
                    .iter()
                    .find(|object| object.object == name)
                    .cloned()
                    .expect(name)
            };
            (object("Contact"), object("Navattic_Session__c"))
        };
        let (contact, session) = rights(Access::Least);
        assert!(contact.read && contact.edit && !contact.create && !contact.delete && !contact.modify_all);
        assert!(session.create && session.edit && !session.delete);
        let (contact, session) = rights(Access::FullCrud);
        assert!(contact.create && contact.delete && session.delete && !contact.modify_all);
    }

    #[test]
    fn nav_16_field_permissions_stand_only_where_a_field_can_have_them() {
        let schema = schema(Access::Least);
        let fields: Vec<&str> =
            schema.permission_set.as_ref().expect("a set").fields.iter().map(|field| field.field.as_str()).collect();
        for none in [
            "Contact.FirstName",
            "Contact.LastName",
            "Lead.Company",
            "Account.Name",
            "Opportunity.Name",
            "Navattic_Session__c.Name",
        ] {
            assert!(!fields.contains(&none), "{none}");
        }
        for some in [
            "Contact.Email",
            "Lead.Email",
            "Account.Website",
            "Navattic_Session__c.Navattic_Email__c",
            "Lead.Navattic_Last_Demos__c",
        ] {
            assert!(fields.contains(&some), "{some}");
        }
        assert_eq!(fields.len(), 15 + 20 + 4);
        let account = schema
            .permission_set
            .as_ref()
            .expect("a set")
            .fields
            .iter()
            .find(|field| field.field == "Contact.AccountId")
            .expect("granted");
        assert!(account.readable && !account.editable, "matching reads it, nothing writes it");
    }
}
