//! Record types: which picklist values records of a type may have, and who may make them.

use std::collections::BTreeMap;

use super::data::{row_id, set};
use super::error::ApiError;
use super::json::Json;
use super::mock::MockOrg;
use super::schema::{Field, FieldType, Object};
use super::state::State;
use super::store::Store;
use super::value::{Row, Value, is_set, text};

/// A record type to add with [`MockOrg::add_record_type`].
#[derive(Clone, Debug)]
pub struct RecordTypeSpec {
    name: String,
    label: String,
    default: bool,
    available: bool,
    person: bool,
    picklists: Vec<(String, Vec<String>)>,
}

impl RecordTypeSpec {
    /// A record type of that developer name, available to every user and nobody's default; its picklists have all values.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let label = name.replace('_', " ");
        Self { name: name.to_owned(), label, default: false, available: true, person: false, picklists: Vec::new() }
    }

    /// The label; by default the name, underscores as blanks.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.label);
        self
    }

    /// Records made without a record type are of this one.
    #[must_use]
    pub fn default_type(mut self) -> Self {
        self.default = true;
        self
    }

    /// No profile of a user offers it.
    #[must_use]
    pub fn unavailable(mut self) -> Self {
        self.available = false;
        self
    }

    /// The values a picklist has for records of this type.
    #[must_use]
    pub fn picklist(mut self, field: &str, values: &[&str]) -> Self {
        self.picklists.push((field.to_owned(), values.iter().map(|value| (*value).to_owned()).collect()));
        self
    }

    pub(crate) fn person(mut self) -> Self {
        self.person = true;
        self
    }
}

/// What a record type says beyond its record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) default: bool,
    pub(crate) available: bool,
    /// By the field's name in lower case.
    picklists: BTreeMap<String, Vec<String>>,
}

impl Rules {
    /// Whether records of the type may have that value.
    pub(crate) fn allows(&self, field: &str, value: &str) -> bool {
        let values = self.picklists.get(&field.to_ascii_lowercase());
        values.is_none_or(|values| values.iter().any(|known| known == value))
    }
}

/// The record types of an org, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordTypes(BTreeMap<String, Rules>);

impl RecordTypes {
    /// The active types of an object, in the order of their creation.
    pub(crate) fn of<'s>(&'s self, store: &'s Store, object: &str) -> Vec<(&'s Row, &'s Rules)> {
        let rows = store.rows("RecordType", false);
        let rows = rows.filter(|row| text(row, "SobjectType").eq_ignore_ascii_case(object) && is_set(row, "IsActive"));
        rows.filter_map(|row| Some((row, self.0.get(text(row, "Id"))?))).collect()
    }

    /// Gives a new record its type, and refuses types and values that do not go together.
    pub(crate) fn before_save(
        &self,
        store: &Store,
        object: &Object,
        row: &mut Row,
        is_new: bool,
    ) -> Result<(), ApiError> {
        if object.field("RecordTypeId").is_none() {
            return Ok(());
        }
        let types = self.of(store, &object.name);
        if is_new && text(row, "RecordTypeId").is_empty() {
            let person = is_set(row, "IsPersonAccount");
            let chosen =
                types.iter().find(|(kind, rules)| if person { is_set(kind, "IsPersonType") } else { rules.default });
            let id = chosen.and_then(|(kind, _)| row_id(kind));
            set(row, "RecordTypeId", id.map_or(Value::Null, Value::Text));
        }
        let id = text(row, "RecordTypeId");
        if id.is_empty() {
            return Ok(());
        }
        let Some((_, rules)) = types.iter().find(|(kind, rules)| text(kind, "Id") == id && rules.available) else {
            // [S] The code and the text, of many reports.
            let message = format!("Record Type ID: this ID value isn't valid for the user: {id}");
            return Err(ApiError::row("INVALID_CROSS_REFERENCE_KEY", message, ["RecordTypeId"]));
        };
        for field in object.fields.iter().filter(|field| field.restricted_picklist) {
            let value = text(row, &field.name);
            let picked = value.split(';').filter(|part| !part.is_empty());
            if let Some(bad) = picked.into_iter().find(|part| !rules.allows(&field.name, part)) {
                // [S] The code and the text, as of a value the picklist does not have.
                let message = format!("{}: bad value for restricted picklist field: {bad}", field.label);
                return Err(ApiError::row("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [&field.name]));
            }
        }
        Ok(())
    }
}

impl State {
    pub(crate) fn make_record_type(&mut self, object: &str, spec: &RecordTypeSpec) -> String {
        let Some(known) = self.schema.object_mut(object) else { panic!("the org has no object {object}") };
        let name = known.name.clone();
        for (field, values) in &spec.picklists {
            let found = known.field(field).unwrap_or_else(|| panic!("{object} has no field {field}"));
            let has = |value: &String| found.picklist_values.iter().any(|known| known.value == *value);
            assert!(values.iter().all(has), "{object}.{field} does not have all of {values:?}");
        }
        // It is on an object once it has record types: the recorded describes do not have it.
        if known.field("RecordTypeId").is_none() {
            let mut field = Field::new("RecordTypeId", "Record Type ID", FieldType::Reference);
            field.reference_to = vec!["RecordType".to_owned()];
            field.relationship_name = Some("RecordType".to_owned());
            // [K]
            (field.permissionable, field.defaulted_on_create) = (false, true);
            known.fields.push(field);
        }
        if let Some(object) = self.schema.object(&name) {
            self.data.store.sync_table(object);
        }
        let id = self.make(
            "RecordType",
            &[
                ("DeveloperName".to_owned(), Json::string(&spec.name)),
                ("Name".to_owned(), Json::string(&spec.label)),
                ("SobjectType".to_owned(), Json::string(&name)),
                ("IsActive".to_owned(), Json::Bool(true)),
                ("IsPersonType".to_owned(), Json::Bool(spec.person)),
            ],
        );
        let picklists = spec.picklists.iter().map(|(field, values)| (field.to_ascii_lowercase(), values.clone()));
        let rules = Rules { default: spec.default, available: spec.available, picklists: picklists.collect() };
        self.data.record_types.0.insert(id.clone(), rules);
        self.changed();
        id
    }
}

impl MockOrg {
    /// Adds a record type and gives its id. The object has `RecordTypeId` from then on; records that are there have none.
    ///
    /// # Panics
    ///
    /// When the org has no such object, or the object no such picklist value.
    #[allow(clippy::needless_pass_by_value, clippy::must_use_candidate, reason = "specs are written in place")]
    pub fn add_record_type(&self, object: &str, spec: RecordTypeSpec) -> String {
        self.state().make_record_type(object, &spec)
    }
}
