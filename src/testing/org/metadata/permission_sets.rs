//! Permission sets as components: one record of `PermissionSet`, and one for each right it grants.

use std::collections::BTreeMap;

use super::super::data::{Rights, Writer, row_id};
use super::super::duplicates::DuplicateOptions;
use super::super::json::Json;
use super::super::schema::{Field, FieldType};
use super::super::setup_rules::{
    bad_name, check_object_rights, check_system_rights, has_object_permissions, is_developer_name,
};
use super::super::state::State;
use super::super::value::{Row, Value};
use super::super::xml::Element;
use super::{Caller, Kind, Refusal, fields, unknown};

/// Elements of `objectPermissions` and the columns they are kept in, in the order of the WSDL.
pub(super) const OBJECT_COLUMNS: [(&str, &str); 7] = [
    ("allowCreate", "Create"),
    ("allowDelete", "Delete"),
    ("allowEdit", "Edit"),
    ("allowRead", "Read"),
    ("modifyAllRecords", "ModifyAllRecords"),
    ("viewAllFields", "ViewAllFields"),
    ("viewAllRecords", "ViewAllRecords"),
];

pub(super) fn writer(caller: &Caller) -> Writer {
    Writer {
        user: caller.user.clone(),
        base: String::new(),
        duplicates: DuplicateOptions::ALLOW,
        rights: Rights::System,
        view: None,
    }
}

pub(super) fn text<'r>(row: &'r Row, name: &str) -> &'r str {
    match row.get(name) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

pub(super) fn is(row: &Row, name: &str) -> bool {
    row.get(name) == Some(&Value::Bool(true))
}

/// The record of a permission set; those that stand for profiles are no components.
pub(super) fn find<'s>(state: &'s State, name: &str) -> Option<&'s Row> {
    let mut rows = state.data.store.rows("PermissionSet", false).filter(|row| !is(row, "IsOwnedByProfile"));
    rows.find(|row| text(row, "Name").eq_ignore_ascii_case(name))
}

/// The records of a set's rights.
pub(super) fn rows_of<'s>(state: &'s State, object: &str, set: &str) -> Vec<&'s Row> {
    state.data.store.lookup(object, "ParentId", &Value::Text(set.to_owned())).unwrap_or_default()
}

/// Takes all records about an object or field away.
pub(super) fn forget(state: &mut State, object: &str, column: &str, name: &str) {
    let about = |row: &&Row| text(row, column).eq_ignore_ascii_case(name);
    let ids: Vec<String> = state.data.store.rows(object, false).filter(about).filter_map(row_id).collect();
    for id in ids {
        state.data.store.delete(&id);
    }
}

/// What a component grants, checked; keys are spelt as in the schema.
#[derive(Debug, Default)]
struct Granted {
    objects: BTreeMap<String, BTreeMap<&'static str, bool>>,
    /// Read and edit.
    fields: BTreeMap<String, (bool, bool)>,
    system: BTreeMap<String, bool>,
    /// As they came: classes, tabs, apps and what else there is.
    others: Vec<Element>,
}

/// Elements that the org gives effect to.
const OWN: [&str; 8] = [
    "fullName",
    "description",
    "fieldPermissions",
    "hasActivationRequired",
    "label",
    "license",
    "objectPermissions",
    "userPermissions",
];

pub(super) fn save(
    state: &mut State,
    caller: &Caller,
    name: &str,
    component: &Element,
    create: bool,
) -> Result<(), Refusal> {
    if !is_developer_name(name) {
        return Err(bad_name("Permission Set API Name", "Name").into());
    }
    let Some(label) = component.text_of("label") else {
        // [K] The text; the WSDL requires it.
        return Err(Refusal::new("REQUIRED_FIELD_MISSING", "Required fields are missing: [label]"));
    };
    let old = find(state, name).and_then(row_id);
    let mut granted = read(state, component)?;
    // Metadata guide, "PermissionSet": from 40.0 on a deployment overwrites all of the set. [K] That the calls on
    // components do the same.
    if let Some(old) = old.as_deref().filter(|_| caller.version < 40) {
        keep(state, old, &mut granted);
    }
    check(state, &granted)?;
    let mut members = vec![
        ("Label".to_owned(), Json::string(label)),
        ("Description".to_owned(), component.text_of("description").map(str::to_owned).into()),
        ("HasActivationRequired".to_owned(), component.flag("hasActivationRequired").unwrap_or(false).into()),
    ];
    for permission in known_permissions(state) {
        let on = granted.system.get(&permission).copied().unwrap_or(false);
        members.push((format!("Permissions{permission}"), on.into()));
    }
    let seed = Writer { rights: Rights::Seed, ..writer(caller) };
    let Some(target) = state.schema.object("PermissionSet") else { return Ok(()) };
    let id = if create {
        members.push(("Name".to_owned(), Json::string(name)));
        if let Some(license) = component.text_of("license") {
            members.push(("LicenseId".to_owned(), Json::string(license_id(state, license)?)));
        }
        state.data.create(&state.schema, &seed, target, &members, None)?
    } else {
        let id = old.unwrap_or_default();
        state.data.update(&state.schema, &seed, target, &id, &members)?;
        id
    };
    write(state, caller, &id, &granted);
    Ok(())
}

fn license_id(state: &State, name: &str) -> Result<String, Refusal> {
    let mut rows = state.data.store.rows("UserLicense", false);
    let found = rows.find(|row| text(row, "Name") == name || text(row, "LicenseDefinitionKey") == name);
    // [K] The text, by the pattern of others.
    found.and_then(row_id).ok_or_else(|| {
        Refusal::new("INVALID_CROSS_REFERENCE_KEY", format!("In field: license - no UserLicense named {name} found"))
    })
}

/// System permissions by their names, as the org's columns have them.
pub(super) fn known_permissions(state: &State) -> Vec<String> {
    let fields = state.schema.object("PermissionSet").map(|object| object.fields.as_slice()).unwrap_or_default();
    fields.iter().filter_map(|field| field.name.strip_prefix("Permissions")).map(str::to_owned).collect()
}

fn read(state: &State, component: &Element) -> Result<Granted, Refusal> {
    let mut granted = Granted::default();
    let known = known_permissions(state);
    for permission in component.all("userPermissions") {
        let name = permission.text_of("name").unwrap_or_default();
        if !known.iter().any(|known| known == name) {
            // [S] The text.
            return Err(Refusal::integrity(format!("Unknown user permission: {name}")));
        }
        granted.system.insert(name.to_owned(), permission.flag("enabled").unwrap_or(false));
    }
    for rights in component.all("objectPermissions") {
        let name = rights.text_of("object").unwrap_or_default();
        let Some(object) = state.schema.object(name).filter(|object| has_object_permissions(object)) else {
            let refusal = unknown(Kind::Object, name);
            return Err(Refusal { message: format!("In field: object - {}", refusal.message), ..refusal });
        };
        let flags = OBJECT_COLUMNS.iter().map(|(element, column)| (*column, rights.flag(element).unwrap_or(false)));
        granted.objects.insert(object.name.clone(), flags.collect());
    }
    for rights in component.all("fieldPermissions") {
        let name = rights.text_of("field").unwrap_or_default();
        let (object, field) = fields::find(state, name).ok_or_else(|| fields::missing(name))?;
        let edit = rights.flag("editable").unwrap_or(false);
        let read = rights.flag("readable").unwrap_or(edit);
        let name = format!("{}.{}", object.name, field.name);
        check_field(&name, field, read, edit)?;
        granted.fields.insert(name, (read, edit));
    }
    for other in component.children.iter().filter(|child| !child.nil && !OWN.contains(&child.name.as_str())) {
        let class = other.text_of("apexClass").filter(|_| other.name == "classAccesses");
        if let Some(name) = class.filter(|name| state.components.get(Kind::ApexClass, name).is_none()) {
            let refusal = unknown(Kind::ApexClass, name);
            return Err(Refusal { message: format!("In field: apexClass - {}", refusal.message), ..refusal });
        }
        // Metadata guide, "PermissionSet": from 54.0 on only what is enabled is read. [K] Before as well.
        if !["enabled", "visible"].iter().any(|flag| other.flag(flag) == Some(false)) {
            granted.others.push(other.clone());
        }
    }
    Ok(granted)
}

fn check_field(name: &str, field: &Field, read: bool, edit: bool) -> Result<(), Refusal> {
    if !field.permissionable {
        // [S] The text, nine reports; [K] the code.
        return Err(Refusal::integrity(format!("You cannot deploy to a required field: {name}")));
    }
    if edit && !read {
        // [S] The pattern; [K] for fields.
        return Err(Refusal::integrity(format!("Permission Edit {name} depends on permission(s): Read {name}")));
    }
    let compound = matches!(field.kind, FieldType::Address | FieldType::Location);
    if edit && !compound && !field.createable && !field.updateable {
        // [K] The text; the rule is documented.
        return Err(Refusal::integrity(format!("The field {name} is read only")));
    }
    Ok(())
}

/// What the set granted before and the component does not speak of.
fn keep(state: &State, set: &str, granted: &mut Granted) {
    if let Some((row, _)) = state.data.store.find(set) {
        for permission in known_permissions(state) {
            let on = is(row, &format!("Permissions{permission}"));
            granted.system.entry(permission).or_insert(on);
        }
    }
    for row in rows_of(state, "ObjectPermissions", set) {
        let flags = OBJECT_COLUMNS.iter().map(|(_, column)| (*column, is(row, &format!("Permissions{column}"))));
        granted.objects.entry(text(row, "SobjectType").to_owned()).or_insert_with(|| flags.collect());
    }
    for row in rows_of(state, "FieldPermissions", set) {
        let rights = (is(row, "PermissionsRead"), is(row, "PermissionsEdit"));
        granted.fields.entry(text(row, "Field").to_owned()).or_insert(rights);
    }
    let others = state.components.grants.get(set).into_iter().flatten();
    let told: Vec<Element> = std::mem::take(&mut granted.others);
    // What one says of a thing replaces what was said of it: the thing's name is the first that has no `true` or `false`.
    let about = |element: &Element| {
        let name = element.children.iter().find(|child| !matches!(child.text.trim(), "true" | "false"));
        (element.name.clone(), name.map(|name| name.text.trim().to_owned()))
    };
    let kept = others.filter(|other| !told.iter().any(|new| about(new) == about(other))).cloned();
    granted.others = kept.chain(told.iter().cloned()).collect();
}

fn check(state: &State, granted: &Granted) -> Result<(), Refusal> {
    let all = granted.system.get("ModifyAllData").copied().unwrap_or(false);
    let has = |object: &str, right: &str| {
        all || granted.objects.get(object).and_then(|rights| rights.get(right)).copied().unwrap_or(false)
    };
    for name in granted.objects.keys() {
        if let Some(object) = state.schema.object(name) {
            check_object_rights(object, &has)?;
        }
    }
    check_system_rights(&|permission| granted.system.get(permission).copied().unwrap_or(false))?;
    Ok(())
}

/// Makes the records of a set's rights what the component says; those that are right already stay as they are.
fn write(state: &mut State, caller: &Caller, set: &str, granted: &Granted) {
    let objects: Vec<Grant> = granted
        .objects
        .iter()
        .map(|(name, rights)| {
            let flags = rights.iter().map(|(column, on)| (format!("Permissions{column}"), *on));
            Grant { about: name.clone(), object: name.clone(), flags: flags.collect() }
        })
        .collect();
    put(state, caller, set, ("ObjectPermissions", "SobjectType"), &objects);
    let fields: Vec<Grant> = granted
        .fields
        .iter()
        .map(|(name, (read, edit))| {
            let object = name.split('.').next().unwrap_or_default().to_owned();
            let flags = vec![("PermissionsRead".to_owned(), *read), ("PermissionsEdit".to_owned(), *edit)];
            Grant { about: name.clone(), object, flags }
        })
        .collect();
    put(state, caller, set, ("FieldPermissions", "Field"), &fields);
    state.components.grants.insert(set.to_owned(), granted.others.clone());
}

/// One record of rights.
struct Grant {
    about: String,
    object: String,
    flags: Vec<(String, bool)>,
}

impl Grant {
    fn is(&self, row: &Row, key: &str) -> bool {
        text(row, key) == self.about && self.flags.iter().all(|(column, on)| is(row, column) == *on)
    }
}

/// `kind`: the object the records are of, and the column that says what they are about.
fn put(state: &mut State, caller: &Caller, set: &str, (kind, key): (&str, &str), wanted: &[Grant]) {
    let wanted: Vec<&Grant> = wanted.iter().filter(|grant| grant.flags.iter().any(|(_, on)| *on)).collect();
    let rows = rows_of(state, kind, set);
    let missing: Vec<&Grant> =
        wanted.iter().filter(|grant| !rows.iter().any(|row| grant.is(row, key))).copied().collect();
    let outdated = rows.iter().filter(|row| !wanted.iter().any(|grant| grant.is(row, key)));
    let outdated: Vec<String> = outdated.filter_map(|row| row_id(row)).collect();
    for id in outdated {
        state.data.store.delete(&id);
    }
    let Some(target) = state.schema.object(kind) else { return };
    for grant in missing {
        let mut members =
            vec![("ParentId".to_owned(), Json::string(set)), ("SobjectType".to_owned(), Json::string(&grant.object))];
        if key == "Field" {
            members.push((key.to_owned(), Json::string(&grant.about)));
        }
        members.extend(grant.flags.iter().map(|(column, on)| (column.clone(), Json::Bool(*on))));
        // The org's own writes are not refused.
        let _ = state.data.create(&state.schema, &writer(caller), target, &members, None);
    }
}

pub(super) fn rename(state: &mut State, caller: &Caller, old: &str, new: &str) -> Result<(), Refusal> {
    if !is_developer_name(new) {
        return Err(bad_name("Permission Set API Name", "Name").into());
    }
    let id = find(state, old).and_then(row_id).ok_or_else(|| unknown(Kind::PermissionSet, old))?;
    let Some(target) = state.schema.object("PermissionSet") else { return Ok(()) };
    let seed = Writer { rights: Rights::Seed, ..writer(caller) };
    let members = [("Name".to_owned(), Json::string(new))];
    Ok(state.data.update(&state.schema, &seed, target, &id, &members)?)
}

pub(super) fn delete(state: &mut State, caller: &Caller, name: &str) -> Result<(), Refusal> {
    let id = find(state, name).and_then(row_id).ok_or_else(|| unknown(Kind::PermissionSet, name))?;
    let Some(target) = state.schema.object("PermissionSet") else { return Ok(()) };
    Ok(state.data.delete(&state.schema, &writer(caller), target, &id)?)
}
