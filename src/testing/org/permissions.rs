//! What a user may do, and the org as that user sees it.
//!
//! Rights add up over the permission set of the user's profile and the assigned permission sets (Object Reference,
//! `PermissionSet`). The profiles of a new org grant everything on what is *open*, which is all but the objects and fields
//! made through the Metadata API; they have no rows for it. "Minimum Access" profiles grant nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::data::Data;
use super::schema::{Field, FieldType, Object, Schema};
use super::value::{Row, Value, is_set, text};

/// A right on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ObjectRight {
    Read,
    Create,
    Edit,
    Delete,
    ViewAll,
    ModifyAll,
}

impl ObjectRight {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "read" => Self::Read,
            "create" => Self::Create,
            "edit" => Self::Edit,
            "delete" => Self::Delete,
            "viewall" | "viewallrecords" => Self::ViewAll,
            "modifyall" | "modifyallrecords" => Self::ModifyAll,
            _ => return None,
        })
    }

    /// The column of `ObjectPermissions`.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Self::Read => "PermissionsRead",
            Self::Create => "PermissionsCreate",
            Self::Edit => "PermissionsEdit",
            Self::Delete => "PermissionsDelete",
            Self::ViewAll => "PermissionsViewAllRecords",
            Self::ModifyAll => "PermissionsModifyAllRecords",
        }
    }

    /// The rights that cannot be without this one (Object Reference, `ObjectPermissions`).
    pub(crate) fn dependants(self) -> &'static [Self] {
        match self {
            Self::Read => &[Self::Create, Self::Edit, Self::Delete, Self::ViewAll, Self::ModifyAll],
            Self::Edit => &[Self::Delete, Self::ModifyAll],
            Self::Delete | Self::ViewAll => &[Self::ModifyAll],
            Self::Create | Self::ModifyAll => &[],
        }
    }
}

/// Rights on one object, added up.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "columns of ObjectPermissions")]
struct Rights {
    read: bool,
    create: bool,
    edit: bool,
    delete: bool,
    view_all_fields: bool,
    view_all: bool,
    modify_all: bool,
}

impl Rights {
    const ALL: Self = Self {
        read: true,
        create: true,
        edit: true,
        delete: true,
        view_all_fields: false,
        view_all: false,
        modify_all: false,
    };

    fn add(&mut self, other: Self) {
        self.read |= other.read;
        self.create |= other.create;
        self.edit |= other.edit;
        self.delete |= other.delete;
        self.view_all_fields |= other.view_all_fields;
        self.view_all |= other.view_all;
        self.modify_all |= other.modify_all;
    }
}

/// Rights a test took away, which no permission set gives back. Salesforce knows no such denial: it is there so that a
/// test can take a single right from a user who has all.
#[derive(Debug, Default)]
pub(crate) struct Denials {
    system: HashSet<(String, String)>,
    objects: HashSet<(String, String, ObjectRight)>,
    /// The flag: reading; else editing.
    fields: HashSet<(String, String, bool)>,
}

impl Denials {
    pub(crate) fn deny_system(&mut self, user: &str, permission: &str) {
        self.system.insert((user.to_owned(), permission.to_owned()));
    }

    pub(crate) fn allow_system(&mut self, user: &str, permission: &str) {
        self.system.remove(&(user.to_owned(), permission.to_owned()));
    }

    pub(crate) fn deny_object(&mut self, user: &str, object: &str, right: ObjectRight) {
        self.objects.insert((user.to_owned(), object.to_ascii_lowercase(), right));
    }

    pub(crate) fn deny_field(&mut self, user: &str, object: &str, field: &str, reading: bool) {
        self.fields.insert((user.to_owned(), field_key(object, field), reading));
    }

    /// Takes the denials on objects and fields back.
    pub(crate) fn clear_records(&mut self) {
        self.objects.clear();
        self.fields.clear();
    }

    fn has_object(&self, user: &str, object: &str, right: ObjectRight) -> bool {
        !self.objects.is_empty() && self.objects.contains(&(user.to_owned(), object.to_ascii_lowercase(), right))
    }

    fn has_field(&self, user: &str, key: &str, reading: bool) -> bool {
        !self.fields.is_empty() && self.fields.contains(&(user.to_owned(), key.to_owned(), reading))
    }
}

fn field_key(object: &str, field: &str) -> String {
    format!("{object}.{field}").to_ascii_lowercase()
}

/// The org as one user sees it: objects and fields without the hidden ones, flags as the user's rights leave them.
#[derive(Debug)]
pub(crate) struct UserView {
    pub(crate) schema: Arc<Schema>,
    system: HashSet<String>,
    /// Objects whose records the user sees and changes whoever owns them, in lower case.
    view_all: HashSet<String>,
    modify_all: HashSet<String>,
    /// The one row of `UserPermissionAccess`: what the user who asks may do. (Object Reference.)
    pub(crate) access: Row,
}

impl UserView {
    /// Whether sharing does not keep records of an object from the user: to read, and to change.
    pub(crate) fn all_records(&self, object: &str) -> (bool, bool) {
        let object = object.to_ascii_lowercase();
        (self.view_all.contains(&object), self.modify_all.contains(&object))
    }

    /// Whether the user has a system permission, by its name in the Metadata API (`ApiEnabled`).
    pub(crate) fn has(&self, permission: &str) -> bool {
        self.system.contains(permission)
    }

    pub(crate) fn has_any(&self, permissions: &[&str]) -> bool {
        permissions.iter().any(|permission| self.has(permission))
    }
}

/// Who may see and who may change records of setup; objects that are not here have object permissions.
// Object Reference, "Special Access Rules" of each. [K] Of those without such rules, and the permission to write.
fn setup_rules(object: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    const SETS: &[&str] = &["ManageProfilesPermissionsets"];
    const ALL: &[&str] = &[];
    Some(match object {
        "PermissionSet" => (&["ViewSetup", "AssignPermissionSets", "ManageProfilesPermissionsets"], SETS),
        "PermissionSetAssignment" => {
            (&["ViewSetup", "AssignPermissionSets", "ManageUsers"], &["AssignPermissionSets", "ManageUsers"])
        }
        "ObjectPermissions" | "FieldPermissions" | "SetupEntityAccess" => (&["ViewSetup"], SETS),
        // Object Reference: to read "View Setup and Configuration", to write "Manage Users". [K] Of the licences themselves.
        "PermissionSetLicense" => (ALL, SETS),
        "PermissionSetLicenseAssign" => (&["ViewSetup", "ManageUsers"], &["ManageUsers"]),
        "User" | "Group" | "UserRole" => (ALL, &["ManageUsers"]),
        "Organization" | "RecordType" => (ALL, &["CustomizeApplication"]),
        // Object Reference: "View Setup and Configuration".
        "SetupAuditTrail" => (&["ViewSetup"], ALL),
        // Object Reference, of the first: who lacks View Setup may ask it about their own session.
        "UserPermissionAccess" | "Profile" | "UserLicense" | "LeadStatus" | "OpportunityStage" => (ALL, ALL),
        _ => return None,
    })
}

/// The object whose rights count for another.
fn ruling(object: &str) -> &str {
    match object {
        "OpportunityContactRole" | "OpportunityHistory" => "Opportunity",
        other => other,
    }
}

/// Activities have no object permissions.
fn is_activity(object: &str) -> bool {
    matches!(object, "Event" | "Task")
}

/// Everything that is granted to a user.
#[derive(Debug, Default)]
struct Grants {
    system: HashSet<String>,
    open: bool,
    objects: HashMap<String, Rights>,
    /// Readable and editable.
    fields: HashMap<String, (bool, bool)>,
}

impl Grants {
    fn of(data: &Data, open_profiles: &HashSet<String>, user: &str) -> Self {
        let mut grants = Self::default();
        let profile = data.store.find(user).map(|(row, _)| text(row, "ProfileId").to_owned()).unwrap_or_default();
        grants.open = open_profiles.contains(&profile);
        let now = data.now();
        let lives = |row: &&Row| {
            let over = matches!(row.get("ExpirationDate"), Some(Value::DateTime(end)) if *end <= now);
            text(row, "AssigneeId") == user && !is_set(row, "IsRevoked") && !over
        };
        let assigned = data.store.rows("PermissionSetAssignment", false).filter(lives);
        let mut sets: HashSet<&str> = assigned.map(|row| text(row, "PermissionSetId")).collect();
        for row in data.store.rows("PermissionSet", false) {
            let id = text(row, "Id");
            if is_set(row, "IsOwnedByProfile") && text(row, "ProfileId") == profile {
                sets.insert(id);
            }
            // A session-based set grants nothing until a session activates it, which nobody does here.
            if !sets.contains(id) || is_set(row, "HasActivationRequired") {
                sets.remove(id);
                continue;
            }
            let granted = row.iter().filter(|(_, value)| **value == Value::Bool(true));
            let names = granted.filter_map(|(name, _)| name.strip_prefix("Permissions"));
            grants.system.extend(names.map(str::to_owned));
        }
        for row in data.store.rows("ObjectPermissions", false).filter(|row| sets.contains(text(row, "ParentId"))) {
            let rights = Rights {
                read: is_set(row, "PermissionsRead"),
                create: is_set(row, "PermissionsCreate"),
                edit: is_set(row, "PermissionsEdit"),
                delete: is_set(row, "PermissionsDelete"),
                view_all_fields: is_set(row, "PermissionsViewAllFields"),
                view_all: is_set(row, "PermissionsViewAllRecords"),
                modify_all: is_set(row, "PermissionsModifyAllRecords"),
            };
            grants.objects.entry(text(row, "SobjectType").to_ascii_lowercase()).or_default().add(rights);
        }
        for row in data.store.rows("FieldPermissions", false).filter(|row| sets.contains(text(row, "ParentId"))) {
            let entry = grants.fields.entry(text(row, "Field").to_ascii_lowercase()).or_default();
            entry.0 |= is_set(row, "PermissionsRead");
            entry.1 |= is_set(row, "PermissionsEdit");
        }
        grants
    }

    /// Rights on an object, before denials.
    fn rights(&self, object: &Object) -> Rights {
        let ruling = ruling(&object.name);
        let mut rights = Rights::default();
        if (self.open && object.open) || is_activity(&object.name) {
            rights.add(Rights::ALL);
        }
        if let Some(granted) = self.objects.get(&ruling.to_ascii_lowercase()) {
            rights.add(*granted);
        }
        if self.system.contains("ModifyAllData") {
            rights.add(Rights::ALL);
        }
        rights.read |= self.system.contains("ViewAllData");
        rights.modify_all |= self.system.contains("ModifyAllData");
        rights.view_all |= rights.modify_all || self.system.contains("ViewAllData");
        rights
    }
}

/// The org as a user sees it.
pub(crate) fn view_of(
    schema: &Schema,
    data: &Data,
    open_profiles: &HashSet<String>,
    denials: &Denials,
    user: &str,
) -> UserView {
    let mut grants = Grants::of(data, open_profiles, user);
    grants.system.retain(|permission| !denials.system.contains(&(user.to_owned(), permission.clone())));
    let (mut seen, mut view_all, mut modify_all) = (Schema::default(), HashSet::new(), HashSet::new());
    for object in schema.objects() {
        let rights = grants.rights(object);
        let denied = |right| denials.has_object(user, ruling(&object.name), right);
        if rights.view_all && !denied(ObjectRight::ViewAll) {
            view_all.insert(object.name.to_ascii_lowercase());
        }
        if rights.modify_all && !denied(ObjectRight::ModifyAll) {
            modify_all.insert(object.name.to_ascii_lowercase());
        }
        if let Some(object) = see(object, &grants, denials, user) {
            seen.insert(object);
        }
    }
    let access = grants.system.iter().map(|name| (format!("Permissions{name}"), Value::Bool(true))).collect();
    UserView { schema: Arc::new(seen), system: grants.system, view_all, modify_all, access }
}

fn see(object: &Object, grants: &Grants, denials: &Denials, user: &str) -> Option<Object> {
    let denied = |right| denials.has_object(user, ruling(&object.name), right);
    if denied(ObjectRight::Read) {
        return None;
    }
    if let Some((readers, writers)) = setup_rules(&object.name) {
        let has = |list: &[&str]| list.is_empty() || list.iter().any(|name| grants.system.contains(*name));
        if !has(readers) {
            return None;
        }
        let writes = has(writers);
        let mut seen = object.clone();
        seen.createable &= writes && !denied(ObjectRight::Create);
        seen.updateable &= writes && !denied(ObjectRight::Edit);
        seen.deletable &= writes && !denied(ObjectRight::Delete);
        seen.fields.retain_mut(|field| restrict(object, field, denials, user));
        return Some(seen);
    }
    let rights = grants.rights(object);
    if !rights.read {
        return None;
    }
    let mut seen = object.clone();
    seen.createable &= rights.create && !denied(ObjectRight::Create);
    seen.updateable &= rights.edit && !denied(ObjectRight::Edit);
    seen.deletable &= rights.delete && !denied(ObjectRight::Delete);
    seen.undeletable &= seen.deletable;
    seen.mergeable &= seen.deletable;
    seen.fields.retain_mut(|field| {
        let open = !field.permissionable || (grants.open && field.open);
        // Who is granted a location is granted its coordinates.
        let granted = field.compound_field_name.as_deref().filter(|_| field.custom).unwrap_or(&field.name);
        let key = field_key(&object.name, granted);
        let (read, edit) = grants.fields.get(&key).copied().unwrap_or_default();
        if !(open || read || rights.view_all_fields) {
            return false;
        }
        if !(open || edit) {
            (field.createable, field.updateable) = (false, false);
        }
        restrict(object, field, denials, user)
    });
    Some(seen)
}

/// Applies denials to a field; `false` when it is hidden.
fn restrict(object: &Object, field: &mut Field, denials: &Denials, user: &str) -> bool {
    let key = field_key(&object.name, &field.name);
    if field.kind != FieldType::Id && denials.has_field(user, &key, true) {
        return false;
    }
    if denials.has_field(user, &key, false) {
        (field.createable, field.updateable) = (false, false);
    }
    true
}
