//! What an admin does to fields that are in use.

use super::data::row_id;
use super::metadata;
use super::mock::MockOrg;
use super::schema::FieldType;
use super::spec::FieldSpec;
use super::state::State;
use super::value::{Row, Value, text};

/// Field permissions about a field, by id.
fn permissions_on(state: &State, full_name: &str) -> Vec<String> {
    let about = |row: &&Row| text(row, "Field").eq_ignore_ascii_case(full_name);
    state.data.store.rows("FieldPermissions", false).filter(about).filter_map(row_id).collect()
}

fn drop_permissions(state: &mut State, full_name: &str) {
    for id in permissions_on(state, full_name) {
        state.data.store.delete(&id);
    }
}

impl MockOrg {
    /// Changes the schema of a field that has to be there; its names as the schema spells them.
    fn change_field(&self, object: &str, field: &str, change: impl FnOnce(&mut State, &str, &str)) {
        let mut guard = self.state();
        let state = &mut *guard;
        let known = state
            .schema
            .object(object)
            .and_then(|object| Some((object.name.clone(), object.field(field)?.name.clone())));
        let (object, field) = known.unwrap_or_else(|| panic!("the org has no field {object}.{field}"));
        change(state, &object, &field);
        if let Some(object) = state.schema.object(&object) {
            state.data.store.sync_table(object);
        }
        state.schema.number(&object);
        state.changed();
    }

    /// Deletes a custom field as an admin does: values, permissions and places on layouts go with it.
    ///
    /// # Panics
    ///
    /// When the org has no such custom field.
    pub fn delete_field(&self, object: &str, field: &str) {
        self.change_field(object, field, |state, object, field| {
            let deleted = metadata::delete_field(state, &format!("{object}.{field}"));
            assert!(deleted.is_ok(), "{object}.{field} cannot be deleted: {deleted:?}");
        });
    }

    /// Gives a field another API name. It stays the same field: its id, label, values and permissions are what they were.
    ///
    /// # Panics
    ///
    /// When the org has no such field.
    pub fn rename_field(&self, object: &str, field: &str, to: &str) {
        self.change_field(object, field, |state, object, field| {
            let rows: Vec<Row> = state.data.store.rows(object, true).cloned().collect();
            for mut row in rows {
                let (Some(id), Some(value)) = (row_id(&row), row.remove(field)) else { continue };
                row.insert(to.to_owned(), value);
                state.data.store.update(&id, row);
            }
            for id in permissions_on(state, &format!("{object}.{field}")) {
                let Some((row, _)) = state.data.store.find(&id) else { continue };
                let mut row = row.clone();
                row.insert("Field".to_owned(), Value::Text(format!("{object}.{to}")));
                state.data.store.update(&id, row);
            }
            let fields = state.schema.object_mut(object).into_iter().flat_map(|object| &mut object.fields);
            for known in fields.filter(|known| known.name == field) {
                to.clone_into(&mut known.name);
                if known.kind == FieldType::Reference {
                    known.relationship_name = to.strip_suffix("__c").map(|stem| format!("{stem}__r"));
                }
            }
        });
    }

    /// Gives a field another type: name and label of the spec do not matter, and the values are gone.
    ///
    /// # Panics
    ///
    /// When the org has no such field.
    #[allow(clippy::needless_pass_by_value, reason = "specs are written in place")]
    pub fn retype_field(&self, object: &str, field: &str, to: FieldSpec) {
        let made = to.into_field();
        self.change_field(object, field, |state, object, field| {
            state.data.store.clear_field(object, field);
            let fields = state.schema.object_mut(object).into_iter().flat_map(|object| &mut object.fields);
            for known in fields.filter(|known| known.name == field) {
                let (label, open, serial) = (known.label.clone(), known.open, known.extra.serial);
                *known = super::schema::Field { name: field.to_owned(), label, open, ..made.clone() };
                known.extra.serial = serial;
            }
        });
    }

    /// Makes a field universally required: creates without it are refused, and it has no field-level security any more.
    ///
    /// # Panics
    ///
    /// When the org has no such field.
    pub fn require_field(&self, object: &str, field: &str) {
        self.change_field(object, field, |state, object, field| {
            drop_permissions(state, &format!("{object}.{field}"));
            let fields = state.schema.object_mut(object).into_iter().flat_map(|object| &mut object.fields);
            for known in fields.filter(|known| known.name == field) {
                (known.nillable, known.permissionable, known.open) = (false, false, true);
            }
        });
    }

    /// Hides a field from everybody: no profile and no permission set grants it.
    ///
    /// # Panics
    ///
    /// When the org has no such field.
    pub fn hide_field(&self, object: &str, field: &str) {
        self.change_field(object, field, |state, object, field| {
            drop_permissions(state, &format!("{object}.{field}"));
            let fields = state.schema.object_mut(object).into_iter().flat_map(|object| &mut object.fields);
            fields.filter(|known| known.name == field).for_each(|known| known.open = false);
        });
    }

    /// Shows a field again that [`MockOrg::hide_field`] hid, to the profiles that grant everything.
    ///
    /// # Panics
    ///
    /// When the org has no such field.
    pub fn show_field(&self, object: &str, field: &str) {
        self.change_field(object, field, |state, object, field| {
            let fields = state.schema.object_mut(object).into_iter().flat_map(|object| &mut object.fields);
            fields.filter(|known| known.name == field).for_each(|known| known.open = true);
        });
    }

    /// Gives a field another label.
    ///
    /// # Panics
    ///
    /// When the org has no such field.
    pub fn relabel_field(&self, object: &str, field: &str, label: &str) {
        self.change_field(object, field, |state, object, field| {
            let fields = state.schema.object_mut(object).into_iter().flat_map(|object| &mut object.fields);
            fields.filter(|known| known.name == field).for_each(|known| label.clone_into(&mut known.label));
        });
    }

    /// Takes a value from a picklist. Records keep it.
    ///
    /// # Panics
    ///
    /// When the org has no such field, or the field no such value.
    pub fn remove_picklist_value(&self, object: &str, field: &str, value: &str) {
        self.change_field(object, field, |state, object, field| {
            let fields = state.schema.object_mut(object).into_iter().flat_map(|object| &mut object.fields);
            for known in fields.filter(|known| known.name == field) {
                let before = known.picklist_values.len();
                known.picklist_values.retain(|known| known.value != value);
                assert!(known.picklist_values.len() < before, "{object}.{field} has no value {value}");
            }
        });
    }

    /// Adds a value to a picklist.
    ///
    /// # Panics
    ///
    /// When the org has no such field.
    pub fn add_picklist_value(&self, object: &str, field: &str, value: &str) {
        self.change_field(object, field, |state, object, field| {
            let fields = state.schema.object_mut(object).into_iter().flat_map(|object| &mut object.fields);
            for known in fields.filter(|known| known.name == field) {
                let (text, label) = (value.to_owned(), value.to_owned());
                let entry = super::schema::PicklistValue { value: text, label, active: true, default: false };
                known.picklist_values.push(entry);
            }
        });
    }
}
