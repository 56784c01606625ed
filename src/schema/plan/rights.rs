//! What becomes of the permission set, its rights, and its assignment.

use super::{Conflict, Planner, Step};
use crate::api::metadata::{FieldKind, FieldPermission, ObjectPermission, PermissionSet};
use crate::schema::OrgField;
use crate::schema::desired::{same, split};
use crate::schema::ledger::{ItemKind, LedgerEntry};

/// The rights of a row, in a fixed order.
pub(in crate::schema) fn object_rights(grant: &ObjectPermission) -> String {
    let rights = [
        ("read", grant.read),
        ("create", grant.create),
        ("edit", grant.edit),
        ("delete", grant.delete),
        ("view_all", grant.view_all),
        ("modify_all", grant.modify_all),
    ];
    words(&rights)
}

/// The rights of a row, in a fixed order.
pub(in crate::schema) fn field_rights(grant: &FieldPermission) -> String {
    words(&[("read", grant.readable), ("edit", grant.editable)])
}

fn words(rights: &[(&str, bool)]) -> String {
    rights.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

/// What the first grants and the second does not.
fn object_beyond(wanted: &ObjectPermission, has: &ObjectPermission) -> ObjectPermission {
    ObjectPermission {
        object: wanted.object.clone(),
        create: wanted.create && !has.create,
        read: wanted.read && !has.read,
        edit: wanted.edit && !has.edit,
        delete: wanted.delete && !has.delete,
        view_all: wanted.view_all && !has.view_all,
        modify_all: wanted.modify_all && !has.modify_all,
        ..ObjectPermission::default()
    }
}

/// What the first grants and the second does not.
fn field_beyond(wanted: &FieldPermission, has: &FieldPermission) -> FieldPermission {
    FieldPermission {
        field: wanted.field.clone(),
        readable: wanted.readable && !has.readable,
        editable: wanted.editable && !has.editable,
    }
}

/// The rights of both, in the order of [`object_rights`] and [`field_rights`].
fn either(one: &str, other: &str) -> String {
    let order = ["read", "create", "edit", "delete", "view_all", "modify_all"];
    let has = |right: &str| one.split(' ').chain(other.split(' ')).any(|known| known == right);
    words(&order.map(|right| (right, has(right))))
}

/// Whether the org allows no field-level security on a field. (Object Reference, `FieldPermissions`: not on required fields.) A checkbox, an
/// auto number and a formula are never empty, and are not required.
fn takes_no_rights(field: &OrgField) -> bool {
    let never_empty = matches!(
        field.kind,
        FieldKind::Checkbox | FieldKind::AutoNumber { .. } | FieldKind::Formula { .. } | FieldKind::Other(_)
    );
    matches!(field.kind, FieldKind::MasterDetail { .. }) || field.required && !never_empty
}

/// The rights of the first that the second lacks.
fn lacking(wanted: &str, has: &str) -> Vec<String> {
    let has: Vec<&str> = has.split(' ').collect();
    wanted.split(' ').filter(|right| !right.is_empty() && !has.contains(right)).map(str::to_owned).collect()
}

/// What becomes of a row of rights.
enum Row {
    /// All that is needed is granted.
    Fits,
    /// It is not there.
    New,
    /// It is ours, and less than is needed.
    More,
    /// Somebody else made it, and it grants less than is needed.
    Theirs(String),
}

impl Planner<'_> {
    pub(super) fn rights(&mut self) {
        let Some(mut wanted) = self.desired.permission_set.clone() else { return };
        let required = self.without_required(&mut wanted);
        let Some(existing) = self.org.permission_set.clone() else {
            self.new_set(wanted);
            self.say_required(&required);
            return;
        };
        let name = existing.set.full_name.clone();
        let ours = self.ledger.has(&ItemKind::PermissionSet, &name)
            || match &wanted.description {
                // A label such as "Integration" is anybody's.
                Some(words) => existing.set.description.as_ref().is_some_and(|known| known.trim() == words.trim()),
                None => existing.set.label == wanted.label,
            };
        if !ours {
            let why = format!("is another one (\"{}\")", existing.set.label);
            let path = "Setup > Permission Sets: rename it, or give ours another name";
            self.say_how(ItemKind::PermissionSet, &name, Step::Conflict(Conflict::NameTaken), why, path);
            return;
        }
        self.work.set = existing.id;
        self.there(ItemKind::PermissionSet, &name, "is there");
        self.object_rights(&wanted, &existing.set);
        self.field_rights(&wanted, &existing.set);
        self.say_required(&required);
        self.system_rights(&wanted, &existing.set);
        let user = existing.assigned;
        self.assignment(&name, user);
    }

    /// Takes out the grants on fields that the org requires, by which a whole deploy would be refused.
    fn without_required(&self, wanted: &mut PermissionSet) -> Vec<String> {
        let grants = |grant: &FieldPermission| !self.org.field(&grant.field).is_some_and(takes_no_rights);
        let (kept, required) = std::mem::take(&mut wanted.fields).into_iter().partition(grants);
        wanted.fields = kept;
        required.into_iter().map(|grant| grant.field).collect()
    }

    fn say_required(&mut self, fields: &[String]) {
        for name in fields {
            let why = "the org requires the field: whoever has the object has it, and no right on it can be granted";
            self.say(ItemKind::FieldPermission, name, Step::Nothing, why);
        }
    }

    /// A new set goes into the deploy with all its rights.
    fn new_set(&mut self, wanted: PermissionSet) {
        let name = wanted.full_name.clone();
        let noted = |kind: ItemKind, name: &str, rights: String| {
            let rights = Some(rights).filter(|rights| !rights.is_empty());
            LedgerEntry { rights, ..LedgerEntry::intended(kind, name) }
        };
        let (objects, fields) = (wanted.objects.len(), wanted.fields.len());
        let mut rows: Vec<LedgerEntry> = Vec::with_capacity(objects + fields);
        rows.extend(
            wanted.objects.iter().map(|grant| noted(ItemKind::ObjectPermission, &grant.object, object_rights(grant))),
        );
        rows.extend(
            wanted.fields.iter().map(|grant| noted(ItemKind::FieldPermission, &grant.field, field_rights(grant))),
        );
        rows.extend(wanted.users.iter().map(|name| noted(ItemKind::SystemPermission, name, String::new())));
        let label = wanted.label.clone();
        self.create(ItemKind::PermissionSet, wanted, Some(&label));
        self.work.intents.extend(rows);
        if let Some(item) = self.items.last_mut() {
            item.why = format!("is not there; grants rights on {objects} objects and {fields} fields");
        }
        self.assign(&name);
    }

    /// Noted before it is made, like all else: a run that ends in between has made what it must take back.
    fn assign(&mut self, name: &str) {
        self.work.assign = Some(name.to_owned());
        self.work.intents.push(LedgerEntry::intended(ItemKind::Assignment, name));
        self.say(ItemKind::Assignment, name, Step::Create, "the run-time user gets it");
    }

    fn object_rights(&mut self, wanted: &PermissionSet, existing: &PermissionSet) {
        for grant in &wanted.objects {
            let row = existing.objects.iter().find(|row| same(&row.object, &grant.object));
            let has = row.map(object_rights);
            let rights = object_rights(grant);
            let name = grant.object.as_str();
            match self.row(&ItemKind::ObjectPermission, name, &rights, has.as_deref()) {
                Row::Fits => self.granted(ItemKind::ObjectPermission, name),
                Row::New => {
                    self.work.grants.objects.push(grant.clone());
                    self.grant(ItemKind::ObjectPermission, name, &rights, Step::Create);
                }
                Row::More => {
                    let more = row.map_or_else(|| grant.clone(), |row| object_beyond(grant, row));
                    self.grant(ItemKind::ObjectPermission, name, &object_rights(&more), Step::Change);
                    self.work.grants.more_objects.push(more);
                }
                Row::Theirs(why) => {
                    let path =
                        format!("Setup > Permission Sets > {} > Object Settings > {name} > Edit", existing.label);
                    self.say_how(ItemKind::ObjectPermission, name, Step::ByHand, why, path);
                }
            }
        }
    }

    fn field_rights(&mut self, wanted: &PermissionSet, existing: &PermissionSet) {
        for grant in &wanted.fields {
            let row = existing.fields.iter().find(|row| same(&row.field, &grant.field));
            let has = row.map(field_rights);
            let (object, _) = split(&grant.field);
            let rights = field_rights(grant);
            let name = grant.field.as_str();
            match self.row(&ItemKind::FieldPermission, name, &rights, has.as_deref()) {
                Row::Fits => self.granted(ItemKind::FieldPermission, name),
                Row::New => {
                    self.work.grants.fields.push(grant.clone());
                    self.grant(ItemKind::FieldPermission, name, &rights, Step::Create);
                }
                Row::More => {
                    let more = row.map_or_else(|| grant.clone(), |row| field_beyond(grant, row));
                    self.grant(ItemKind::FieldPermission, name, &field_rights(&more), Step::Change);
                    self.work.grants.more_fields.push(more);
                }
                Row::Theirs(why) => {
                    let path = format!(
                        "Setup > Permission Sets > {} > Object Settings > {object} > Edit > Field Permissions",
                        existing.label
                    );
                    self.say_how(ItemKind::FieldPermission, name, Step::ByHand, why, path);
                }
            }
        }
    }

    fn system_rights(&mut self, wanted: &PermissionSet, existing: &PermissionSet) {
        for name in &wanted.users {
            let has = existing.users.iter().any(|known| known.eq_ignore_ascii_case(name)).then_some("on");
            match self.row(&ItemKind::SystemPermission, name, "on", has) {
                Row::Fits => self.granted(ItemKind::SystemPermission, name),
                Row::Theirs(why) => {
                    let path = format!("Setup > Permission Sets > {} > System Permissions > Edit", existing.label);
                    self.say_how(ItemKind::SystemPermission, name, Step::ByHand, why, path);
                }
                Row::New | Row::More => {
                    self.work.grants.system.push(name.clone());
                    self.grant(ItemKind::SystemPermission, name, "on", Step::Create);
                }
            }
        }
    }

    /// What we gave and somebody took back is given again; what we did not give is never widened.
    fn row(&self, kind: &ItemKind, name: &str, wanted: &str, has: Option<&str>) -> Row {
        let Some(has) = has else { return Row::New };
        let missing = lacking(wanted, has);
        if missing.is_empty() {
            Row::Fits
        } else if self.ledger.has(kind, name) {
            Row::More
        } else {
            let missing = missing.join(" and ");
            Row::Theirs(format!("grants no {missing}; somebody else has made it, so it is left alone"))
        }
    }

    fn granted(&mut self, kind: ItemKind, name: &str) {
        self.there(kind, name, "is granted");
    }

    fn grant(&mut self, kind: ItemKind, name: &str, rights: &str, step: Step) {
        // What was ours before and what is added now; what an admin has added stays theirs.
        let before = self.ledger.entry(&kind, name).and_then(|entry| entry.rights.as_deref());
        let noted = either(before.filter(|_| step == Step::Change).unwrap_or_default(), rights);
        let noted = if kind == ItemKind::SystemPermission { rights.to_owned() } else { noted };
        self.work.intents.push(LedgerEntry { rights: Some(noted), ..LedgerEntry::intended(kind.clone(), name) });
        let why = format!("gets {}", rights.replace(' ', ", "));
        self.say(kind, name, step, why);
    }

    fn assignment(&mut self, name: &str, assigned: bool) {
        if assigned {
            self.there(ItemKind::Assignment, name, "the run-time user has it");
        } else {
            self.assign(name);
        }
    }
}
