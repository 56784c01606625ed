//! Users beside the main one, and single rights given and taken.

use super::data::{Rights, Writer, row_id};
use super::duplicates::DuplicateOptions;
use super::json::Json;
use super::licenses;
use super::mock::MockOrg;
use super::oauth::{App, AppSpec, Login};
use super::permissions::ObjectRight;
use super::schema::Object;
use super::state::State;
use super::value::{Row, Value};

/// A user to add with [`MockOrg::add_user`]; without rights until it is given some.
#[derive(Clone, Debug)]
pub struct UserSpec {
    username: String,
    all: bool,
    open: bool,
    system: Vec<String>,
    objects: Vec<(String, Vec<ObjectRight>)>,
    fields: Vec<(String, String, bool)>,
    license: &'static str,
    /// A profile that is there already, instead of one of its own.
    profile: Option<&'static str>,
    set_licenses: Vec<String>,
}

impl UserSpec {
    /// A user of that name, which looks like an email address, with a profile that grants nothing.
    #[must_use]
    pub fn new(username: &str) -> Self {
        let (system, objects, fields) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            username: username.to_owned(),
            all: false,
            open: false,
            system,
            objects,
            fields,
            license: "Salesforce",
            profile: None,
            set_licenses: Vec::new(),
        }
    }

    /// A user that only integrates: licence "Salesforce Integration", profile "Minimum Access - API Only Integrations". Permission sets
    /// with rights on standard objects go with [`UserSpec::license`] `SalesforceAPIIntegrationPsl` only.
    #[must_use]
    pub fn integration(self) -> Self {
        Self { license: licenses::INTEGRATION, profile: Some("Minimum Access - API Only Integrations"), ..self }
    }

    /// A user of the licence "Salesforce" with the profile "Minimum Access - Salesforce": not even the API.
    #[must_use]
    pub fn minimum_access(self) -> Self {
        Self { profile: Some("Minimum Access - Salesforce"), ..self }
    }

    /// A permission set licence by its developer name.
    #[must_use]
    pub fn license(mut self, name: &str) -> Self {
        self.set_licenses.push(name.to_owned());
        self
    }

    /// All rights, as the System Administrator has.
    #[must_use]
    pub fn administrator(mut self) -> Self {
        (self.all, self.open) = (true, true);
        self
    }

    /// The API, and all rights on objects and fields that were not made through the Metadata API, but no setup.
    #[must_use]
    pub fn standard(mut self) -> Self {
        self.open = true;
        self.permission("ApiEnabled")
    }

    /// A system permission by its name in the Metadata API: `ApiEnabled`, `ModifyMetadata`.
    #[must_use]
    pub fn permission(mut self, name: &str) -> Self {
        self.system.push(name.to_owned());
        self
    }

    /// Rights on an object, of `Read`, `Create`, `Edit`, `Delete`, `ViewAll` and `ModifyAll`, and with them the use of all its fields that were
    /// not made through the Metadata API.
    ///
    /// # Panics
    ///
    /// When a right has another name.
    #[must_use]
    pub fn object(mut self, object: &str, rights: &[&str]) -> Self {
        self.objects.push((object.to_owned(), rights.iter().map(|right| right_of(right)).collect()));
        self
    }

    /// A right on a field: `Read` or `Edit`, which brings reading along.
    ///
    /// # Panics
    ///
    /// When the right has another name.
    #[must_use]
    pub fn field(mut self, object: &str, field: &str, right: &str) -> Self {
        self.fields.push((object.to_owned(), field.to_owned(), !is_read(right)));
        self
    }
}

/// A user of the org with an app of its own, whose client-credentials flow runs as that user.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestUser {
    /// The user's id, 18 characters.
    pub user_id: String,
    /// The consumer key of the user's app.
    pub client_id: String,
    /// The secret of that app.
    pub client_secret: String,
    /// A token of the user that is live from the start.
    pub access_token: String,
    /// The name to log in with.
    pub username: String,
    /// Password and security token, as the username-password flow wants them.
    pub password: String,
}

pub(crate) fn right_of(word: &str) -> ObjectRight {
    ObjectRight::parse(word)
        .unwrap_or_else(|| panic!("a right is Read, Create, Edit, Delete, ViewAll or ModifyAll, not {word}"))
}

/// Whether a right on a field is that to read it.
pub(crate) fn is_read(word: &str) -> bool {
    match ObjectRight::parse(word) {
        Some(ObjectRight::Read) => true,
        Some(ObjectRight::Edit) => false,
        _ => panic!("a right on a field is Read or Edit, not {word}"),
    }
}

fn text(row: &Row, name: &str) -> String {
    match row.get(name) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

type Member = (String, Json);

fn member(name: &str, value: impl Into<Json>) -> Member {
    (name.to_owned(), value.into())
}

impl State {
    /// A record the org makes by itself.
    pub(crate) fn make(&mut self, object: &str, members: &[Member]) -> String {
        let Some(target) = self.schema.object(object) else { panic!("the org has no object {object}") };
        let user = self.auth.user_id.clone();
        let writer = Writer {
            user,
            base: String::new(),
            duplicates: DuplicateOptions::ALLOW,
            rights: Rights::System,
            view: None,
        };
        match self.data.create(&self.schema, &writer, target, members, None) {
            Ok(id) => id,
            Err(error) => panic!("{object}: {}: {}", error.code, error.message),
        }
    }

    /// Sets values of a record, whatever the rules.
    fn force(&mut self, id: &str, values: Vec<(String, Value)>) {
        if let Some((row, _)) = self.data.store.find(id) {
            let mut row = row.clone();
            row.extend(values);
            self.data.store.update(id, row);
        }
    }

    pub(crate) fn known_permission(&self, name: &str) -> String {
        let column = format!("Permissions{name}");
        let known = self.schema.object("PermissionSet").is_some_and(|object| object.field(&column).is_some());
        assert!(known, "the org knows no permission {name}");
        column
    }

    /// A profile and the permission set that stands for it, with flags as in the columns of both.
    fn make_profile(&mut self, name: &str, license: &str, flags: &[(String, bool)]) -> (String, String) {
        let known = |object: Option<&Object>, column: &str| object.is_some_and(|object| object.field(column).is_some());
        let own: Vec<Member> = flags
            .iter()
            .filter(|(column, _)| known(self.schema.object("Profile"), column))
            .map(|(column, on)| member(column, *on))
            .collect();
        let mut members = vec![member("Name", name), member("UserType", "Standard"), member("UserLicenseId", license)];
        members.extend(own);
        let profile = self.make("Profile", &members);
        let short = super::ids::short(&profile).to_owned();
        let mut members = vec![
            member("Name", format!("X{short}")),
            member("Label", short),
            member("IsOwnedByProfile", true),
            member("ProfileId", profile.as_str()),
            member("LicenseId", license),
            member("Type", "Profile"),
        ];
        members.extend(flags.iter().map(|(column, on)| member(column, *on)));
        let set = self.make("PermissionSet", &members);
        (profile, set)
    }

    /// A profile by its name, and the permission set that stands for it.
    fn profile_named(&self, name: &str) -> Option<(String, String)> {
        let store = &self.data.store;
        let profile = store.rows("Profile", false).find(|row| text(row, "Name") == name).and_then(row_id)?;
        let set = store.rows("PermissionSet", false).find(|row| text(row, "ProfileId") == profile).and_then(row_id)?;
        Some((profile, set))
    }

    /// The permission set of a profile that this user has and nobody else.
    pub(crate) fn own_set(&mut self, user: &str) -> String {
        let Some((row, _)) = self.data.store.find(user) else { panic!("the org has no user {user}") };
        let (profile, username) = (text(row, "ProfileId"), text(row, "Username"));
        let name = self.data.store.find(&profile).map(|(row, _)| text(row, "Name")).unwrap_or_default();
        let alone = self.data.store.rows("User", false).filter(|row| text(row, "ProfileId") == profile).count() == 1;
        // A standard profile stays as it is for who comes later.
        let shared = !alone || !name.starts_with("Profile of ");
        let set = self.data.store.rows("PermissionSet", false).find(|row| text(row, "ProfileId") == profile).cloned();
        let set = set.unwrap_or_default();
        if !shared {
            return row_id(&set).unwrap_or_default();
        }
        let flags: Vec<(String, bool)> = set
            .iter()
            .filter(|(name, _)| name.starts_with("Permissions"))
            .map(|(name, value)| (name.clone(), *value == Value::Bool(true)))
            .collect();
        let (copy, own) = self.make_profile(&format!("Profile of {username}"), &text(&set, "LicenseId"), &flags);
        if self.open_profiles.contains(&profile) {
            self.open_profiles.insert(copy.clone());
        }
        self.force(user, vec![("ProfileId".to_owned(), Value::Text(copy))]);
        let old = row_id(&set).unwrap_or_default();
        let of_old = |row: &&Row| text(row, "AssigneeId") == user && text(row, "PermissionSetId") == old;
        let assignment = self.data.store.rows("PermissionSetAssignment", false).find(of_old).and_then(row_id);
        if let Some(assignment) = assignment {
            self.force(&assignment, vec![("PermissionSetId".to_owned(), Value::Text(own.clone()))]);
        }
        own
    }

    pub(crate) fn set_system(&mut self, user: &str, permission: &str, on: bool) {
        let column = self.known_permission(permission);
        let set = self.own_set(user);
        let profile = self.data.store.find(&set).map(|(row, _)| text(row, "ProfileId")).unwrap_or_default();
        self.force(&set, vec![(column.clone(), Value::Bool(on))]);
        if self.schema.object("Profile").is_some_and(|object| object.field(&column).is_some()) {
            self.force(&profile, vec![(column, Value::Bool(on))]);
        }
        if on {
            self.denials.allow_system(user, permission);
        } else {
            self.denials.deny_system(user, permission);
        }
        self.changed();
    }

    /// Records that grant rights on an object and on its open fields.
    fn grant_object(&mut self, set: &str, object: &str, rights: &[ObjectRight]) {
        let Some(object) = self.schema.object(object).cloned() else { panic!("the org has no object {object}") };
        let has = |right| member_flag(right, rights);
        let mut members = vec![member("ParentId", set), member("SobjectType", object.name.as_str())];
        members.extend([
            has(ObjectRight::Read),
            has(ObjectRight::Create),
            has(ObjectRight::Edit),
            has(ObjectRight::Delete),
            has(ObjectRight::ViewAll),
            has(ObjectRight::ModifyAll),
        ]);
        self.make("ObjectPermissions", &members);
        for field in object.fields.iter().filter(|field| field.permissionable && field.open) {
            let edit = field.createable || field.updateable;
            self.grant_field(set, &object.name, &field.name, edit);
        }
    }

    fn grant_field(&mut self, set: &str, object: &str, field: &str, edit: bool) {
        let full_name = format!("{object}.{field}");
        let same = |row: &&Row| text(row, "ParentId") == set && text(row, "Field") == full_name;
        let known = self.data.store.rows("FieldPermissions", false).find(same).and_then(row_id);
        if let Some(known) = known {
            self.data.store.delete(&known);
        }
        self.make(
            "FieldPermissions",
            &[
                member("ParentId", set),
                member("SobjectType", object),
                member("Field", full_name),
                member("PermissionsRead", true),
                member("PermissionsEdit", edit),
            ],
        );
    }
}

fn member_flag(right: ObjectRight, rights: &[ObjectRight]) -> Member {
    member(right.column(), rights.contains(&right))
}

impl MockOrg {
    /// Adds a user, with a profile of its own and an app that runs as that user.
    ///
    /// # Panics
    ///
    /// When the spec names an object or a permission that the org does not have.
    #[allow(clippy::needless_pass_by_value, reason = "specs are written in place")]
    pub fn add_user(&self, spec: UserSpec) -> TestUser {
        let mut guard = self.state();
        let state = &mut *guard;
        let admin = state.auth.user_id.clone();
        let mut licenses = state.data.store.rows("UserLicense", false);
        let license = licenses.find(|row| text(row, "Name") == spec.license).and_then(row_id).unwrap_or_default();
        drop(licenses);
        let wanted: Vec<String> = spec.system.iter().map(|name| state.known_permission(name)).collect();
        let columns = state.schema.object("PermissionSet").map(|object| object.fields.clone()).unwrap_or_default();
        let flags: Vec<(String, bool)> = columns
            .into_iter()
            .filter(|field| field.name.starts_with("Permissions"))
            .map(|field| (field.name.clone(), spec.all || wanted.contains(&field.name)))
            .collect();
        let own =
            spec.all || spec.open || !(spec.system.is_empty() && spec.objects.is_empty() && spec.fields.is_empty());
        let shared = spec.profile.filter(|_| !own).and_then(|name| state.profile_named(name));
        let (profile, set) =
            shared.unwrap_or_else(|| state.make_profile(&format!("Profile of {}", spec.username), &license, &flags));
        if spec.open {
            state.open_profiles.insert(profile.clone());
        }
        let last: String = spec.username.split('@').next().unwrap_or("user").chars().take(80).collect();
        let alias: String = last.chars().take(8).collect();
        let user_id = state.make(
            "User",
            &[
                member("Username", spec.username.as_str()),
                member("LastName", last),
                member("Email", spec.username.as_str()),
                member("Alias", alias),
                member("CommunityNickname", spec.username.as_str()),
                member("IsActive", true),
                member("UserType", "Standard"),
                member("TimeZoneSidKey", "America/Los_Angeles"),
                member("LocaleSidKey", "en_US"),
                member("EmailEncodingKey", "UTF-8"),
                member("LanguageLocaleKey", "en_US"),
                member("ProfileId", profile.as_str()),
                member("CreatedById", admin),
            ],
        );
        // The profile's own set is assigned like any other.
        state.make(
            "PermissionSetAssignment",
            &[
                member("AssigneeId", user_id.as_str()),
                member("PermissionSetId", set.as_str()),
                member("IsActive", true),
            ],
        );
        for (object, rights) in &spec.objects {
            state.grant_object(&set, object, rights);
        }
        for (object, field, edit) in &spec.fields {
            state.grant_field(&set, object, field, *edit);
        }
        for name in &spec.set_licenses {
            state.give_license(&user_id, name);
        }
        let login = Login::new(&spec.username, &user_id);
        let app = App::new(AppSpec::new(&format!("App of {}", spec.username)).run_as(&user_id).password_flow());
        let (client_id, client_secret) = (app.client_id.clone(), app.client_secret.clone());
        state.auth.users.push(login.clone());
        state.auth.apps.push(app);
        state.changed();
        let now = state.data.now();
        let access_token = state.auth.open_session_of(&user_id, now);
        let Login { username, password, user_id } = login;
        TestUser { user_id, client_id, client_secret, access_token, username, password }
    }

    /// Gives a user a system permission, by its name in the Metadata API (`ModifyMetadata`).
    ///
    /// # Panics
    ///
    /// When the org has no such user or permission.
    pub fn grant_system(&self, user_id: &str, permission: &str) {
        self.state().set_system(user_id, permission, true);
    }

    /// Takes a system permission from a user. The user's profile (a copy, if others have it as well) loses it, and no
    /// permission set gives it back until [`MockOrg::grant_system`].
    ///
    /// # Panics
    ///
    /// When the org has no such user or permission.
    pub fn revoke_system(&self, user_id: &str, permission: &str) {
        self.state().set_system(user_id, permission, false);
    }

    /// Takes a right on an object from a user, whoever grants it: `Read`, `Create`, `Edit`, `Delete`, `ViewAll` or `ModifyAll`. An org has no
    /// such denial; this is for tests that take one right at a time from a user who has all. The object need not be there
    /// yet.
    ///
    /// # Panics
    ///
    /// When the right has another name.
    pub fn revoke_object(&self, user_id: &str, object: &str, right: &str) {
        let mut state = self.state();
        state.denials.deny_object(user_id, object, right_of(right));
        state.changed();
    }

    /// Takes a right on a field from a user, whoever grants it: `Read`, or `Edit`. As [`MockOrg::revoke_object`].
    ///
    /// # Panics
    ///
    /// When the right has another name.
    pub fn revoke_field(&self, user_id: &str, object: &str, field: &str, right: &str) {
        let mut state = self.state();
        state.denials.deny_field(user_id, object, field, is_read(right));
        state.changed();
    }

    /// Gives everything back that [`MockOrg::revoke_object`] and [`MockOrg::revoke_field`] took.
    pub fn restore_rights(&self) {
        let mut state = self.state();
        state.denials.clear_records();
        state.changed();
    }

    /// Rows whose parent (any lookup but to users and setup) is written by another request in flight are refused with
    /// `UNABLE_TO_LOCK_ROW`, as the row locks of lookups do. Requests overlap when answers take time:
    /// [`MockOrg::set_latency`].
    pub fn lock_parents(&self) {
        self.state().data.locks.refuse = true;
    }

    /// Rows written since the start while another request in flight held them or one of their parents, refused or not.
    #[must_use]
    pub fn parent_collisions(&self) -> usize {
        self.state().data.locks.collisions
    }
}
