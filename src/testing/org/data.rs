//! The org's records and the rules a write has to pass.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::behaviour;
use super::clock::OrgClock;
use super::duplicates::{self, DuplicateOptions, DuplicateRule};
use super::edition::SetupLimits;
use super::error::ApiError;
use super::files::{self, Files};
use super::ids;
use super::input;
use super::json::Json;
use super::locks::Locks;
use super::people;
use super::permissions::UserView;
use super::record_types::RecordTypes;
use super::schema::{Field, FieldType, Object, Schema};
use super::setup_rules;
use super::store::Store;
use super::value::{Row, Value};

/// Who writes, and what the request's headers allow.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pub(crate) user: String,
    /// `/services/data/vXX.0`, for the urls in findings of duplicate rules.
    pub(crate) base: String,
    pub(crate) duplicates: DuplicateOptions,
    pub(crate) rights: Rights,
    /// What the writer can see; `None`: everything.
    pub(crate) view: Option<Arc<UserView>>,
}

/// How much a write may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// What the API allows.
    Api,
    /// A test's seed: read-only fields as well.
    Seed,
    /// The org itself: no rule applies.
    System,
}

/// Members of a record body, in their order.
pub(crate) type Members = [(String, Json)];

/// Values by the field's name in the schema.
type Values = Vec<(String, Value)>;

/// Records, and what numbers and stamps them.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) store: Store,
    pub(crate) clock: OrgClock,
    pub(crate) duplicate_rules: Vec<DuplicateRule>,
    /// The key a finding goes by.
    pub(crate) duplicate_key: &'static str,
    pub(crate) locks: Locks,
    pub(crate) files: Files,
    pub(crate) limits: SetupLimits,
    pub(crate) record_types: RecordTypes,
    serials: HashMap<String, u64>,
}

impl Data {
    pub(crate) fn new(schema: &Schema) -> Self {
        let (clock, duplicate_rules, serials) = (OrgClock::default(), Vec::new(), HashMap::new());
        Self {
            store: Store::new(schema),
            clock,
            duplicate_rules,
            duplicate_key: duplicates::MISSPELT,
            locks: Locks::default(),
            files: Files::default(),
            limits: SetupLimits::default(),
            record_types: RecordTypes::default(),
            serials,
        }
    }

    /// The next number of a series, from 1.
    pub(crate) fn next_serial(&mut self, series: &str) -> u64 {
        let serial = self.serials.entry(series.to_owned()).or_insert(0);
        *serial += 1;
        *serial
    }

    /// a00, a01, …: the prefixes custom objects get.
    pub(crate) fn next_prefix(&mut self) -> String {
        let serial = self.next_serial("custom objects");
        let digits = ids::make("", serial - 1);
        format!("a{}", digits.get(10..12).unwrap_or("00"))
    }

    /// Creates a record of an object as the writer sees it. `key` is the external id an upsert found nothing by.
    pub(crate) fn create(
        &mut self,
        schema: &Schema,
        writer: &Writer,
        seen: &Object,
        members: &Members,
        key: Option<(&Field, Value)>,
    ) -> Result<String, ApiError> {
        self.create_as(schema, writer, seen, members, key, None)
    }

    /// As [`Data::create`], with an id that the caller chose.
    pub(crate) fn create_as(
        &mut self,
        schema: &Schema,
        writer: &Writer,
        seen: &Object,
        members: &Members,
        key: Option<(&Field, Value)>,
        id: Option<String>,
    ) -> Result<String, ApiError> {
        let object = schema.object(&seen.name).unwrap_or(seen);
        if !seen.createable && writer.rights == Rights::Api {
            if object.createable && !object.layoutable {
                // [K] A record of setup.
                return Err(no_access());
            }
            // [K] The text, and that a missing right on the object reads the same.
            let message = format!("entity type cannot be inserted: {}", object.label);
            return Err(ApiError::row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, []));
        }
        let mut given = self.read_members(schema, writer, seen, members, true)?;
        given.extend(key.map(|(field, value)| (field.name.clone(), value)));
        let mut row = defaults(object, writer);
        for (name, value) in &given {
            // [K] Null for a field with a default leaves the default.
            let keep = *value == Value::Null && object.field(name).is_some_and(|field| field.defaulted_on_create);
            if !keep {
                set(&mut row, name, value.clone());
            }
        }
        let id = id.unwrap_or_else(|| self.new_id(object));
        row.insert("Id".to_owned(), Value::Text(id.clone()));
        self.name_record(object, &mut row, &id);
        people::name_person(object, &mut row, given.iter().any(|(name, _)| name == "Name"))?;
        self.record_types.before_save(&self.store, object, &mut row, true)?;
        if writer.rights != Rights::System {
            check_required(object, &row, None)?;
        }
        self.stamp_created(object, &mut row, &writer.user);
        behaviour::before_save(&self.store, &self.clock, object, &mut row, None)?;
        files::before_create(self, object, &mut row)?;
        if writer.rights != Rights::System {
            setup_rules::before_save(schema, &self.store, &self.limits, object, &mut row)?;
        }
        self.check_values(schema, writer, object, &row, &given, None)?;
        let changed: Vec<&str> = given.iter().map(|(name, _)| name.as_str()).collect();
        self.check_duplicates(writer, object, &row, &changed)?;
        if writer.rights == Rights::Api {
            self.locks.take(object, &row, None)?;
        }
        self.store.insert(&object.name, &id, row);
        behaviour::after_save(self, schema, writer, object, &id, None)?;
        people::after_save(self, schema, writer, object, &id, None)?;
        files::after_create(self, schema, writer, object, &id)?;
        setup_rules::after_save(self, object, &id);
        Ok(id)
    }

    /// Changes a record that is there and not deleted.
    pub(crate) fn update(
        &mut self,
        schema: &Schema,
        writer: &Writer,
        seen: &Object,
        id: &str,
        members: &Members,
    ) -> Result<(), ApiError> {
        let object = schema.object(&seen.name).unwrap_or(seen);
        let old = match self.store.find(id) {
            None => return Err(ApiError::not_found()),
            Some((_, true)) => return Err(ApiError::deleted()),
            Some((row, false)) => row.clone(),
        };
        if !seen.updateable && writer.rights == Rights::Api {
            if object.updateable {
                return Err(no_access());
            }
            // [K] The text.
            let message = format!("entity type cannot be updated: {}", object.label);
            return Err(ApiError::row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, []));
        }
        let given = self.read_members(schema, writer, seen, members, false)?;
        let mut row = old.clone();
        for (name, value) in &given {
            set(&mut row, name, value.clone());
        }
        people::name_person(object, &mut row, given.iter().any(|(name, _)| name == "Name"))?;
        self.record_types.before_save(&self.store, object, &mut row, false)?;
        check_required(object, &row, Some(&given))?;
        self.stamp_modified(object, &mut row, &writer.user);
        behaviour::before_save(&self.store, &self.clock, object, &mut row, Some(&old))?;
        if writer.rights != Rights::System {
            setup_rules::before_save(schema, &self.store, &self.limits, object, &mut row)?;
        }
        self.check_values(schema, writer, object, &row, &given, Some(id))?;
        let changed = |name: &&str| row.get(*name) != old.get(*name);
        let changed: Vec<&str> = given.iter().map(|(name, _)| name.as_str()).filter(changed).collect();
        self.check_duplicates(writer, object, &row, &changed)?;
        if writer.rights == Rights::Api {
            self.locks.take(object, &row, Some(id))?;
        }
        self.store.update(id, row);
        behaviour::after_save(self, schema, writer, object, id, Some(&old))?;
        people::after_save(self, schema, writer, object, id, Some(&old))?;
        setup_rules::after_save(self, object, id);
        Ok(())
    }

    /// Moves a record, and what goes with it, to the recycle bin.
    pub(crate) fn delete(&mut self, schema: &Schema, writer: &Writer, seen: &Object, id: &str) -> Result<(), ApiError> {
        let object = schema.object(&seen.name).unwrap_or(seen);
        let row = match self.store.find(id) {
            None => return Err(ApiError::not_found()),
            Some((_, true)) => return Err(ApiError::deleted()),
            Some((row, false)) => row,
        };
        if !seen.deletable && writer.rights == Rights::Api {
            if object.deletable {
                return Err(no_access());
            }
            // [K] The text.
            let message = format!("entity type cannot be deleted: {}", object.label);
            return Err(ApiError::row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, []));
        }
        setup_rules::before_delete(&self.store, object, row)?;
        self.check_restricted(schema, object, id)?;
        let row = row.clone();
        if writer.rights == Rights::Api {
            self.locks.take(object, &row, Some(id))?;
        }
        self.delete_with_children(schema, writer, object, id);
        Ok(())
    }

    /// Lookups whose delete constraint is `Restrict` keep the record they point to.
    fn check_restricted(&self, schema: &Schema, object: &Object, id: &str) -> Result<(), ApiError> {
        let parent = Value::Text(id.to_owned());
        for child in schema.objects() {
            let restricts = |field: &&Field| field.extra.delete_constraint.as_deref() == Some("Restrict");
            for field in child.fields.iter().filter(|field| refers_to(field, object)).filter(restricts) {
                if self.store.lookup(&child.name, &field.name, &parent).is_some_and(|rows| !rows.is_empty()) {
                    // [K] The text; the code is in the list of status codes.
                    let message = format!(
                        "Your attempt to delete {} could not be completed because it is associated with the following \
                         {}.",
                        ids::short(id),
                        child.label_plural
                    );
                    return Err(ApiError::row("DELETE_FAILED", message, []));
                }
            }
        }
        Ok(())
    }

    fn delete_with_children(&mut self, schema: &Schema, writer: &Writer, object: &Object, id: &str) {
        let Some((row, false)) = self.store.find(id) else { return };
        let mut row = row.clone();
        if object.field("IsDeleted").is_some() {
            row.insert("IsDeleted".to_owned(), Value::Bool(true));
        }
        self.stamp_modified(object, &mut row, &writer.user);
        self.store.update(id, row);
        // Before the children, so that a reference back to the parent ends the walk.
        self.store.delete(id);
        let parent = Value::Text(id.to_owned());
        for child in schema.objects() {
            for field in child.fields.iter().filter(|field| refers_to(field, object)) {
                let rows = self.store.lookup(&child.name, &field.name, &parent).unwrap_or_default();
                let children: Vec<String> = rows.into_iter().filter_map(row_id).collect();
                for child_id in children {
                    if field.cascade_delete {
                        // Object Reference: Contacts, Opportunities and activities go with their account.
                        self.delete_with_children(schema, writer, child, &child_id);
                    } else if let Some((row, false)) = self.store.find(&child_id) {
                        // [K] Other lookups are cleared.
                        let mut row = row.clone();
                        row.remove(&field.name);
                        self.store.update(&child_id, row);
                    }
                }
            }
        }
    }

    fn new_id(&mut self, object: &Object) -> String {
        // Objects without a prefix of their own share one. [K] 017 is that of the history objects.
        let prefix = object.key_prefix.as_deref().unwrap_or("017").to_owned();
        loop {
            let serial = self.next_serial(&prefix);
            let id = ids::make(&prefix, serial);
            // Seeds may have chosen it.
            if self.store.find(&id).is_none() {
                return id;
            }
        }
    }

    /// Auto numbers, and the name of a record that came without one.
    fn name_record(&mut self, object: &Object, row: &mut Row, id: &str) {
        for field in object.fields.iter().filter(|field| field.auto_number && !field.name_field) {
            let serial = self.next_serial(&format!("{}.{}", object.name, field.name));
            let text = numbered(field.default_value.as_deref().unwrap_or("{0}"), serial);
            row.insert(field.name.clone(), Value::Text(text));
        }
        let Some(name) = object.fields.iter().find(|field| field.name_field && object.custom) else { return };
        if let Some(format) = name.default_value.as_deref().filter(|_| name.auto_number) {
            let serial = self.next_serial(&object.name);
            row.insert(name.name.clone(), Value::Text(numbered(format, serial)));
        } else if name.defaulted_on_create && !row.contains_key(&name.name) {
            row.insert(name.name.clone(), Value::Text(id.to_owned()));
        }
    }

    fn stamp_created(&self, object: &Object, row: &mut Row, user: &str) {
        let now = self.clock.now();
        for name in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
            stamp(object, row, name, Value::DateTime(now), false);
        }
        for name in ["CreatedById", "LastModifiedById"] {
            stamp(object, row, name, Value::Text(user.to_owned()), false);
        }
    }

    pub(crate) fn stamp_modified(&self, object: &Object, row: &mut Row, user: &str) {
        let now = self.clock.now();
        stamp(object, row, "LastModifiedDate", Value::DateTime(now), true);
        stamp(object, row, "SystemModstamp", Value::DateTime(now), true);
        stamp(object, row, "LastModifiedById", Value::Text(user.to_owned()), true);
    }

    /// The typed values of a body, or the first refusal.
    fn read_members(
        &self,
        schema: &Schema,
        writer: &Writer,
        object: &Object,
        members: &Members,
        create: bool,
    ) -> Result<Values, ApiError> {
        let schema = writer.view.as_ref().map_or(schema, |view| view.schema.as_ref());
        let mut values: Values = Vec::new();
        let mut locked: Vec<String> = Vec::new();
        for (name, json) in members {
            if name.eq_ignore_ascii_case("attributes") {
                continue;
            }
            let (field, value) = if let Some(field) = object.field(name) {
                match json {
                    // The platform's own users have addresses no user could have.
                    Json::String(text) if writer.rights == Rights::System && field.is_text() => {
                        (field, Value::Text(text.clone()))
                    }
                    _ => (field, input::read_value(field, json)?),
                }
            } else if let Some(field) = object.parent_reference(name) {
                (field, self.parent_by_key(schema, field, json)?)
            } else {
                let message = format!("No such column '{name}' on sobject of type {}", object.name);
                return Err(ApiError::new(400, "INVALID_FIELD", message));
            };
            let writeable = if create { field.createable } else { field.updateable };
            let compound = matches!(field.kind, FieldType::Address | FieldType::Location | FieldType::Id)
                || (field.name == "Name" && behaviour::is_person(object));
            if !writeable && writer.rights == Rights::Api || compound && writer.rights != Rights::System {
                locked.push(field.name.clone());
                continue;
            }
            values.retain(|(known, _)| *known != field.name);
            values.push((field.name.clone(), value));
        }
        if locked.is_empty() {
            return Ok(values);
        }
        // recorded: rest/error-not-writeable.json
        let message = format!(
            "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is \
             read/write for your profile or permission set.",
            locked.join(", ")
        );
        Err(ApiError { fields: Some(locked), ..ApiError::new(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message) })
    }

    /// `{"Parent__r":{"ExtId__c":"123"}}`: the parent with that key. (REST guide, "Insert or Update (Upsert) a Record
    /// Using an External ID")
    fn parent_by_key(&self, schema: &Schema, field: &Field, json: &Json) -> Result<Value, ApiError> {
        let members = match json {
            Json::Null => return Ok(Value::Null),
            Json::Object(members) => members,
            _ => return Err(ApiError::json(format!("Unexpected value for {}", field.name))),
        };
        let (attributes, keys): (Vec<_>, Vec<_>) = members.iter().partition(|(name, _)| name == "attributes");
        if field.reference_to.len() > 1 && members.first().is_none_or(|(name, _)| name != "attributes") {
            return Err(nested_without_attributes());
        }
        let named = attributes.first().and_then(|(_, json)| json.member("type")).and_then(Json::as_str);
        let target = named.or(field.reference_to.first().map(String::as_str)).unwrap_or_default();
        let allowed = field.reference_to.iter().any(|name| name.eq_ignore_ascii_case(target));
        let parent = schema.object(target).filter(|_| allowed);
        let (Some(parent), [(key, value)]) = (parent, keys.as_slice()) else {
            // [K] The text.
            let message = format!("{}: a parent is named by one external ID of its type", field.name);
            return Err(ApiError::new(400, "INVALID_FIELD", message));
        };
        let Some(key) = parent.field(key).filter(|key| key.id_lookup || key.external_id) else {
            let message = format!("No such column '{key}' on sobject of type {}", parent.name);
            return Err(ApiError::new(400, "INVALID_FIELD", message));
        };
        let wanted = input::read_value(key, value)?;
        let text = value.as_str().map_or_else(|| value.to_text(), str::to_owned);
        let rows = self.by_key(parent, key, &wanted);
        match rows.as_slice() {
            [row] => Ok(row_id(row).map_or(Value::Null, Value::Text)),
            [] => {
                // [K] The text.
                let message = format!(
                    "Foreign key external ID: {text} not found for field {} in entity {}",
                    key.name, parent.name
                );
                Err(ApiError::row("INVALID_FIELD", message, []))
            }
            _ => {
                let message = format!("{}: more than one record found for external id field: {text}", key.name);
                Err(ApiError::row("DUPLICATE_EXTERNAL_ID", message, []))
            }
        }
    }

    /// Live records with that key; `Id` counts as one.
    pub(crate) fn by_key(&self, object: &Object, key: &Field, value: &Value) -> Vec<&Row> {
        if key.kind == FieldType::Id {
            let Value::Text(id) = value else { return Vec::new() };
            let own = self.store.object_of(id) == Some(object.name.as_str());
            let found = self.store.find(id).filter(|(_, deleted)| own && !deleted);
            return found.map(|(row, _)| row).into_iter().collect();
        }
        self.store.lookup(&object.name, &key.name, value).unwrap_or_default()
    }

    /// References lead somewhere, unique values are unique.
    fn check_values(
        &self,
        schema: &Schema,
        writer: &Writer,
        object: &Object,
        row: &Row,
        given: &Values,
        id: Option<&str>,
    ) -> Result<(), ApiError> {
        if writer.rights == Rights::System {
            return Ok(());
        }
        for (name, value) in given {
            let Some(field) = object.field(name) else { continue };
            if let (FieldType::Reference, Value::Text(target)) = (field.kind, value) {
                self.check_reference(schema, field, target)?;
                let kind = self.store.object_of(target).unwrap_or_default();
                if writer.view.as_ref().is_some_and(|view| view.schema.object(kind).is_none()) {
                    // [S] The code and the text, of references to what the user cannot read.
                    let message = "insufficient access rights on cross-reference id";
                    return Err(ApiError::row("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message, []));
                }
            }
        }
        for field in object.fields.iter().filter(|field| field.unique) {
            let Some(value) = row.get(&field.name) else { continue };
            let rows = self.store.lookup(&object.name, &field.name, value).unwrap_or_default();
            let other = rows.into_iter().filter_map(row_id).find(|other| Some(other.as_str()) != id);
            if let Some(other) = other {
                // [K] wire facts 2.5
                let message = format!(
                    "duplicate value found: {} duplicates value on record with id: {}",
                    field.name,
                    ids::short(&other)
                );
                return Err(ApiError::row("DUPLICATE_VALUE", message, []));
            }
        }
        behaviour::check_unique(&self.store, object, row, id)
    }

    fn check_reference(&self, schema: &Schema, field: &Field, target: &str) -> Result<(), ApiError> {
        let prefix = target.get(..3).unwrap_or_default();
        let known = field.reference_to.iter().filter_map(|name| schema.object(name));
        let mut prefixes = known.filter_map(|object| object.key_prefix.as_deref()).peekable();
        if prefixes.peek().is_some() && !prefixes.any(|known| known == prefix) {
            // [K] The code and the text.
            let message = format!("{}: id value of incorrect type: {target}", field.label);
            return Err(ApiError::row("FIELD_INTEGRITY_EXCEPTION", message, [&field.name]));
        }
        match self.store.find(target) {
            Some((_, false)) => Ok(()),
            // [K] The code.
            Some((_, true)) => Err(ApiError::row("ENTITY_IS_DELETED", "entity is deleted", [])),
            // recorded: rest/collections-update-error.json
            None => Err(ApiError::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])),
        }
    }

    /// The time, for what is not stored in a row.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// The object forbids what the user wants to do with a record.
fn no_access() -> ApiError {
    // [S] The code and the text, from many reports; [K] the status.
    let message = "insufficient access rights on object id";
    ApiError::row("INSUFFICIENT_ACCESS_OR_READONLY", message, []).with_status(403)
}

/// recorded: rest/collections-upsert-error.json
pub(crate) fn nested_without_attributes() -> ApiError {
    ApiError::json("Nested object for polymorphic foreign key must have an attributes field before any other fields.")
}

pub(crate) fn row_id(row: &Row) -> Option<String> {
    match row.get("Id") {
        Some(Value::Text(id)) => Some(id.clone()),
        _ => None,
    }
}

pub(crate) fn set(row: &mut Row, name: &str, value: Value) {
    match value {
        Value::Null => row.remove(name),
        value => row.insert(name.to_owned(), value),
    };
}

fn refers_to(field: &Field, object: &Object) -> bool {
    field.kind == FieldType::Reference && field.reference_to.contains(&object.name)
}

fn stamp(object: &Object, row: &mut Row, name: &str, value: Value, overwrite: bool) {
    if object.field(name).is_some() && (overwrite || !row.contains_key(name)) {
        row.insert(name.to_owned(), value);
    }
}

/// `A-{0000}` with a number in the place of its zeros.
fn numbered(format: &str, serial: u64) -> String {
    let (before, rest) = format.split_once('{').unwrap_or((format, ""));
    let (zeros, after) = rest.split_once('}').unwrap_or(("0", ""));
    format!("{before}{serial:0width$}{after}", width = zeros.len())
}

/// What a record has before anybody gave it a value.
fn defaults(object: &Object, writer: &Writer) -> Row {
    let mut row = Row::new();
    for field in &object.fields {
        let value = match (&field.default_value, field.kind) {
            (Some(text), FieldType::Boolean) => Some(Value::Bool(text.eq_ignore_ascii_case("true"))),
            (None, FieldType::Boolean) => Some(Value::Bool(field.name == "IsActive")),
            (Some(text), _) if field.is_text() && !field.auto_number => Some(Value::Text(text.clone())),
            (Some(text), _) if !field.auto_number => input::read_value(field, &Json::Number(text.clone())).ok(),
            (None, FieldType::Reference) if field.name == "OwnerId" => Some(Value::Text(writer.user.clone())),
            _ => None,
        };
        if let Some(value) = value {
            row.insert(field.name.clone(), value);
        }
    }
    row
}

/// Names all required fields a create leaves empty, or an update empties.
fn check_required(object: &Object, row: &Row, given: Option<&Values>) -> Result<(), ApiError> {
    let missing = |field: &&Field| {
        let touched = match given {
            None => field.required_on_create(),
            Some(given) => !field.nillable && given.iter().any(|(name, _)| *name == field.name),
        };
        touched && !row.contains_key(&field.name)
    };
    let missing: Vec<String> = object.fields.iter().filter(missing).map(|field| field.name.clone()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    // recorded: rest/collections-create-allornone-rollback.json
    let message = format!("Required fields are missing: [{}]", missing.join(", "));
    Err(ApiError { fields: Some(missing), ..ApiError::new(400, "REQUIRED_FIELD_MISSING", message) })
}
