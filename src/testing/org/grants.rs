//! One permission taken from a user or from a permission set, and licences given.

use super::data::row_id;
use super::json::Json;
use super::mock::MockOrg;
use super::permissions::ObjectRight;
use super::state::State;
use super::users::{is_read, right_of};
use super::value::{Row, Value, is_set, text};

/// A single permission, by the names the Metadata API has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Permission<'a> {
    /// A system permission: `ApiEnabled`, `ModifyMetadata`.
    System(&'a str),
    /// A right on an object: `Read`, `Create`, `Edit`, `Delete`, `ViewAll` or `ModifyAll`.
    Object(&'a str, &'a str),
    /// A right on a field: object, field, and `Read` or `Edit`.
    Field(&'a str, &'a str, &'a str),
}

impl State {
    /// The permission sets of a user: that of the profile, and the assigned ones.
    fn sets_of(&self, user: &str) -> Vec<String> {
        let store = &self.data.store;
        let profile = store.find(user).map(|(row, _)| text(row, "ProfileId")).unwrap_or_default();
        let of_profile =
            store.rows("PermissionSet", false).filter(|row| !profile.is_empty() && text(row, "ProfileId") == profile);
        let assigned = store.rows("PermissionSetAssignment", false).filter(|row| text(row, "AssigneeId") == user);
        let mut sets: Vec<String> = of_profile.filter_map(row_id).collect();
        sets.extend(assigned.map(|row| text(row, "PermissionSetId").to_owned()));
        sets.sort();
        sets.dedup();
        sets
    }

    /// Takes a permission from a set, and with it what cannot be without it.
    fn take(&mut self, set: &str, permission: Permission<'_>) {
        match permission {
            Permission::System(name) => {
                let column = self.known_permission(name);
                self.clear(set, &[column.as_str()]);
            }
            Permission::Object(object, right) => {
                let right = right_of(right);
                let columns: Vec<&str> =
                    [right].into_iter().chain(right.dependants().iter().copied()).map(ObjectRight::column).collect();
                let of_object =
                    |row: &&Row| text(row, "ParentId") == set && text(row, "SobjectType").eq_ignore_ascii_case(object);
                let id = self.data.store.rows("ObjectPermissions", false).find(of_object).and_then(row_id);
                if let Some(id) = id {
                    self.clear(&id, &columns);
                }
            }
            Permission::Field(object, field, right) => {
                let columns: &[&str] =
                    if is_read(right) { &["PermissionsRead", "PermissionsEdit"] } else { &["PermissionsEdit"] };
                let name = format!("{object}.{field}");
                let of_field =
                    |row: &&Row| text(row, "ParentId") == set && text(row, "Field").eq_ignore_ascii_case(&name);
                let id = self.data.store.rows("FieldPermissions", false).find(of_field).and_then(row_id);
                if let Some(id) = id {
                    self.clear(&id, columns);
                }
            }
        }
    }

    /// Clears flags of a row; one of rights that grants nothing any more is gone.
    fn clear(&mut self, id: &str, columns: &[&str]) {
        let Some((row, _)) = self.data.store.find(id) else { return };
        let mut row = row.clone();
        for column in columns {
            row.insert((*column).to_owned(), Value::Bool(false));
        }
        let grants =
            text(&row, "Field").is_empty() && text(&row, "SobjectType").is_empty() || is_set(&row, "PermissionsRead");
        self.data.store.update(id, row);
        if !grants {
            self.data.store.delete(id);
        }
    }

    pub(crate) fn give_license(&mut self, user: &str, license: &str) {
        let mut rows = self.data.store.rows("PermissionSetLicense", false);
        let id = rows.find(|row| text(row, "DeveloperName") == license).and_then(row_id);
        drop(rows);
        let id = id.unwrap_or_else(|| panic!("the org has no permission set license {license}"));
        let members =
            [("PermissionSetLicenseId".to_owned(), Json::string(id)), ("AssigneeId".to_owned(), Json::string(user))];
        self.make("PermissionSetLicenseAssign", &members);
    }

    /// The id of a permission set by its name, or by the name of the profile it stands for.
    fn set_named(&self, name: &str) -> Option<String> {
        let store = &self.data.store;
        let found = store.rows("PermissionSet", false).find(|row| {
            let profile = store.find(text(row, "ProfileId")).map(|(row, _)| text(row, "Name")).unwrap_or_default();
            text(row, "Name").eq_ignore_ascii_case(name)
                || profile.eq_ignore_ascii_case(name)
                || text(row, "Id") == name
        });
        found.and_then(row_id)
    }
}

impl MockOrg {
    /// Takes one permission from a user: from its profile (a copy, if others have it as well) and from every permission set it is
    /// assigned, for all who have those. What cannot be without it goes too, as on the setup page: with `Edit` goes `Delete`. Rows of
    /// rights, describes and answers agree about it.
    ///
    /// # Panics
    ///
    /// When the org has no such user, permission or right.
    pub fn take_permission(&self, user_id: &str, permission: Permission<'_>) {
        let mut guard = self.state();
        let state = &mut *guard;
        state.own_set(user_id);
        for set in state.sets_of(user_id) {
            state.take(&set, permission);
        }
        // A profile with open access grants without any row.
        match permission {
            Permission::System(name) => state.set_system(user_id, name, false),
            Permission::Object(object, right) => {
                let right = right_of(right);
                for right in [right].into_iter().chain(right.dependants().iter().copied()) {
                    state.denials.deny_object(user_id, object, right);
                }
            }
            Permission::Field(object, field, right) => state.denials.deny_field(user_id, object, field, is_read(right)),
        }
        state.changed();
    }

    /// Takes one permission from a permission set, or from a profile by its name, and with it what cannot be without it.
    ///
    /// # Panics
    ///
    /// When the org has no such set, permission or right.
    pub fn take_from_set(&self, set: &str, permission: Permission<'_>) {
        let mut guard = self.state();
        let state = &mut *guard;
        let id = state.set_named(set).unwrap_or_else(|| panic!("the org has no permission set or profile {set}"));
        state.take(&id, permission);
        if let (Permission::System(name), Some((row, _))) = (permission, state.data.store.find(&id)) {
            // Profiles show some of them as well.
            let (profile, column) = (text(row, "ProfileId").to_owned(), format!("Permissions{name}"));
            if state.schema.object("Profile").is_some_and(|object| object.field(&column).is_some()) {
                state.clear(&profile, &[&column]);
            }
        }
        state.changed();
    }

    /// Assigns a permission set licence to a user, by its developer name: `SalesforceAPIIntegrationPsl`.
    ///
    /// # Panics
    ///
    /// When the org has no such licence or user.
    pub fn assign_license(&self, user_id: &str, license: &str) {
        let mut state = self.state();
        assert!(state.data.store.object_of(user_id) == Some("User"), "the org has no user {user_id}");
        state.give_license(user_id, license);
        state.changed();
    }
}
