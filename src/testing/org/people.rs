//! What becomes of people's records: merges, conversions, person accounts, contacts of several accounts.

use super::data::{Data, Members, Rights, Writer, row_id, set};
use super::duplicates::DuplicateOptions;
use super::error::ApiError;
use super::ids;
use super::json::Json;
use super::mock::MockOrg;
use super::record_types::RecordTypeSpec;
use super::schema::{Field, FieldType, Object, ObjectExtra, Schema};
use super::state::State;
use super::value::{Row, Value, is_set, text};

/// What a lead was converted to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConvertedLead {
    /// The account of its company.
    pub account: String,
    /// The contact.
    pub contact: String,
    /// The opportunity.
    pub opportunity: String,
}

impl MockOrg {
    /// Merges records of one object into a master, as a person does on the page of duplicates: the others go to the recycle bin
    /// with `MasterRecordId`, and what refers to them refers to the master. The master keeps its own values.
    ///
    /// Source: SOAP guide, `merge()`; Object Reference, `MasterRecordId`.
    ///
    /// # Panics
    ///
    /// When the records are not there, are of different objects, or cannot be merged.
    pub fn merge(&self, master: &str, others: &[&str]) {
        let mut state = self.state();
        let State { schema, data, auth, .. } = &mut *state;
        let object_of = |data: &Data, id: &str| {
            let name = data.store.find(id).filter(|(_, deleted)| !deleted).and_then(|_| data.store.object_of(id));
            name.map(str::to_owned)
        };
        let long = |id: &str| ids::to_18(id).unwrap_or_else(|| panic!("{id} is no id"));
        let master = long(master);
        let name = object_of(data, &master).unwrap_or_else(|| panic!("there is no record {master}"));
        let object = schema.object(&name).filter(|object| object.mergeable);
        let object = object.unwrap_or_else(|| panic!("a {name} cannot be merged"));
        for other in others.iter().map(|id| long(id)) {
            assert!(object_of(data, &other).as_deref() == Some(name.as_str()), "{other} is no {name} to merge");
            assert!(other != master, "a record cannot be merged into itself");
            refer_to(data, schema, object, &other, &master);
            let Some((row, _)) = data.store.find(&other) else { continue };
            let mut row = row.clone();
            row.insert("IsDeleted".to_owned(), Value::Bool(true));
            row.insert("MasterRecordId".to_owned(), Value::Text(master.clone()));
            data.stamp_modified(object, &mut row, &auth.user_id);
            data.store.update(&other, row);
            data.store.delete(&other);
        }
    }

    /// Converts a lead: an account of its company, a contact and an opportunity are made of it, and the lead is locked.
    ///
    /// Source: SOAP guide, `convertLead()`; Object Reference, Lead.
    ///
    /// # Panics
    ///
    /// When there is no such lead, or it is converted.
    #[must_use]
    pub fn convert_lead(&self, lead: &str) -> ConvertedLead {
        let mut state = self.state();
        let State { schema, data, auth, .. } = &mut *state;
        let lead = ids::to_18(lead).unwrap_or_else(|| panic!("{lead} is no id"));
        let found = data.store.find(&lead).filter(|(row, deleted)| !deleted && !is_set(row, "IsConverted"));
        let row = found.filter(|_| lead.starts_with("00Q")).map(|(row, _)| row.clone());
        let mut row = row.unwrap_or_else(|| panic!("{lead} is no lead to convert"));
        let user = auth.user_id.clone();
        let writer =
            Writer { user, base: String::new(), duplicates: DuplicateOptions::ALLOW, rights: Rights::Seed, view: None };
        let member = |name: &str, value: &str| (name.to_owned(), Json::string(value));
        let mut create = |object: &str, members: Vec<(String, Json)>| {
            let members: Vec<(String, Json)> =
                members.into_iter().filter(|(_, json)| json.as_str() != Some("")).collect();
            let Some(target) = schema.object(object) else { panic!("the org has no object {object}") };
            match data.create(schema, &writer, target, &members, None) {
                Ok(id) => id,
                Err(error) => panic!("{object}: {}: {}", error.code, error.message),
            }
        };
        let company = text(&row, "Company");
        let account = create("Account", vec![member("Name", company), member("Website", text(&row, "Website"))]);
        let names = ["FirstName", "LastName", "Email", "Phone", "Title"].map(|name| member(name, text(&row, name)));
        let contact = create("Contact", [names.to_vec(), vec![member("AccountId", &account)]].concat());
        let open = vec![member("StageName", "Prospecting"), member("CloseDate", "2030-12-31")];
        let deal = [vec![member("Name", company), member("AccountId", &account)], open].concat();
        let opportunity = create("Opportunity", deal);
        let converted = [
            ("ConvertedAccountId", &account),
            ("ConvertedContactId", &contact),
            ("ConvertedOpportunityId", &opportunity),
        ];
        for (name, id) in converted {
            row.insert(name.to_owned(), Value::Text(id.clone()));
        }
        row.insert("IsConverted".to_owned(), Value::Bool(true));
        row.insert("ConvertedDate".to_owned(), Value::Date(data.now().date_naive()));
        row.insert("Status".to_owned(), Value::Text("Closed - Converted".to_owned()));
        if let Some(object) = schema.object("Lead") {
            data.stamp_modified(object, &mut row, &auth.user_id);
        }
        data.store.update(&lead, row);
        ConvertedLead { account, contact, opportunity }
    }

    /// Switches person accounts on: an account that is created with a `LastName` is a person, with a contact of its own behind
    /// it. It cannot be switched off again.
    ///
    /// Source: SOAP guide, "Person Account Record Types"; recorded: cdc/AccountChangeEvent.avsc, cdc/ContactChangeEvent.avsc.
    pub fn enable_person_accounts(&self) {
        let mut state = self.state();
        let state = &mut *state;
        let read_only = |mut field: Field| {
            (field.createable, field.updateable, field.permissionable) = (false, false, false);
            field
        };
        let is_person = || {
            let mut field = read_only(Field::new("IsPersonAccount", "Is Person Account", FieldType::Boolean));
            (field.nillable, field.defaulted_on_create) = (false, true);
            field
        };
        let mut contact = read_only(Field::new("PersonContactId", "Contact ID", FieldType::Reference));
        contact.reference_to = vec!["Contact".to_owned()];
        contact.relationship_name = Some("PersonContact".to_owned());
        let mut email = Field::new("PersonEmail", "Email", FieldType::Email).with_length(80);
        email.id_lookup = true;
        let part = |name: &str, label: &str, length: u32| {
            let mut field = Field::new(name, label, FieldType::String).with_length(length);
            (field.permissionable, field.compound_field_name) = (false, Some("Name".to_owned()));
            field
        };
        let account = vec![
            part("LastName", "Last Name", 80),
            part("FirstName", "First Name", 40),
            part("Salutation", "Salutation", 40),
            is_person(),
            contact,
            email,
        ];
        for (name, fields) in [("Account", account), ("Contact", vec![is_person()])] {
            let Some(object) = state.schema.object_mut(name) else { continue };
            object.fields.extend(fields);
            state.data.store.sync_table(object);
        }
        // SOAP guide, "Person Account Record Types": a record type of theirs, with `IsPersonType`.
        let person = RecordTypeSpec::new("PersonAccount").label("Person Account").person();
        state.make_record_type("Account", &person);
    }

    /// Lets a contact belong to several accounts: `AccountContactRelation` is there, with a direct row for each contact that names
    /// an account from now on.
    ///
    /// Source: Object Reference, `AccountContactRelation`.
    pub fn enable_contacts_of_several_accounts(&self) {
        let mut state = self.state();
        let state = &mut *state;
        let object = relation();
        state.data.store.sync_table(&object);
        state.schema.insert(object);
        state.changed();
    }
}

/// Everything that refers to one record refers to another one. Rows in the recycle bin keep what they had.
fn refer_to(data: &mut Data, schema: &Schema, object: &Object, from: &str, to: &str) {
    let old = Value::Text(from.to_owned());
    for child in schema.objects() {
        let references = |field: &&Field| {
            field.kind == FieldType::Reference
                && field.reference_to.contains(&object.name)
                && field.name != "MasterRecordId"
        };
        for field in child.fields.iter().filter(references) {
            let rows = data.store.rows(&child.name, false).filter(|row| row.get(&field.name) == Some(&old));
            let ids: Vec<String> = rows.filter_map(row_id).collect();
            for id in ids {
                let Some((row, _)) = data.store.find(&id) else { continue };
                let mut row = row.clone();
                row.insert(field.name.clone(), Value::Text(to.to_owned()));
                data.store.update(&id, row);
            }
        }
    }
}

/// Source: Object Reference, `AccountContactRelation`. [K] The key prefix and the children's names.
fn relation() -> Object {
    let flags = |mut field: Field, nillable: bool, createable: bool, updateable: bool| {
        (field.nillable, field.createable, field.updateable) = (nillable, createable, updateable);
        field.defaulted_on_create = !nillable && (updateable || !createable);
        field
    };
    let reference = |name: &str, label: &str, to: &str, children: &str| {
        let mut field = flags(Field::new(name, label, FieldType::Reference), false, true, false);
        field.reference_to = vec![to.to_owned()];
        field.relationship_name = Some(to.to_owned());
        field.child_relationship_name = Some(children.to_owned());
        (field.permissionable, field.cascade_delete) = (false, true);
        field
    };
    let system = |name: &str, label: &str, kind: FieldType| {
        let mut field = flags(Field::new(name, label, kind), false, false, false);
        (field.permissionable, field.defaulted_on_create) = (false, true);
        field
    };
    let user = |mut field: Field| {
        field.reference_to = vec!["User".to_owned()];
        field.relationship_name = field.name.strip_suffix("Id").map(str::to_owned);
        field
    };
    let mut id = system("Id", "Account Contact Relation ID", FieldType::Id);
    id.id_lookup = true;
    let mut active = flags(Field::new("IsActive", "Active", FieldType::Boolean), false, true, true);
    active.default_value = Some("true".to_owned());
    Object {
        name: "AccountContactRelation".to_owned(),
        label: "Account Contact Relationship".to_owned(),
        label_plural: "Account Contact Relationships".to_owned(),
        key_prefix: Some("07k".to_owned()),
        custom: false,
        createable: true,
        updateable: true,
        deletable: true,
        undeletable: false,
        queryable: true,
        replicateable: true,
        searchable: false,
        triggerable: true,
        mergeable: false,
        layoutable: true,
        feed_enabled: false,
        open: true,
        extra: ObjectExtra::default(),
        fields: vec![
            id,
            reference("AccountId", "Account ID", "Account", "AccountContactRelations"),
            reference("ContactId", "Contact ID", "Contact", "AccountContactRelations"),
            Field::new("Roles", "Roles", FieldType::MultiPicklist),
            system("IsDirect", "Direct", FieldType::Boolean),
            active,
            Field::new("StartDate", "Start Date", FieldType::Date),
            Field::new("EndDate", "End Date", FieldType::Date),
            system("CreatedDate", "Created Date", FieldType::DateTime),
            user(system("CreatedById", "Created By ID", FieldType::Reference)),
            system("LastModifiedDate", "Last Modified Date", FieldType::DateTime),
            user(system("LastModifiedById", "Last Modified By ID", FieldType::Reference)),
            system("SystemModstamp", "System Modstamp", FieldType::DateTime),
            system("IsDeleted", "Deleted", FieldType::Boolean),
        ],
    }
}

/// Whether an account is one with person fields that is a person, or is about to become one.
fn is_person(object: &Object, row: &Row) -> bool {
    object.name == "Account" && object.field("PersonContactId").is_some() && row.contains_key("LastName")
}

/// A person account is named by its parts. Comes before required fields are looked at.
pub(crate) fn name_person(object: &Object, row: &mut Row, named: bool) -> Result<(), ApiError> {
    if !is_person(object, row) {
        return Ok(());
    }
    if named {
        // [S] The code and the text, from reports of loads that gave a person account a name.
        let message = "Account: bad field names on insert/update call: Name";
        return Err(ApiError::row("INVALID_FIELD_FOR_INSERT_UPDATE", message, ["Name"]));
    }
    let name = [text(row, "FirstName"), text(row, "LastName")];
    let name = name.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    set(row, "Name", Value::Text(name));
    set(row, "IsPersonAccount", Value::Bool(true));
    Ok(())
}

/// The contact behind a person account, and the direct relation of a contact.
pub(crate) fn after_save(
    data: &mut Data,
    schema: &Schema,
    writer: &Writer,
    object: &Object,
    id: &str,
    old: Option<&Row>,
) -> Result<(), ApiError> {
    let Some((row, false)) = data.store.find(id) else { return Ok(()) };
    let row = row.clone();
    let system = Writer { rights: Rights::System, view: None, ..writer.clone() };
    match object.name.as_str() {
        "Account" if is_person(object, &row) => {
            let copied = [("LastName", "LastName"), ("FirstName", "FirstName"), ("Email", "PersonEmail")];
            let known = text(&row, "PersonContactId").to_owned();
            let Some(contacts) = schema.object("Contact") else { return Ok(()) };
            if known.is_empty() {
                let values = copied.map(|(to, from)| (to.to_owned(), Json::string(text(&row, from))));
                let members: Vec<(String, Json)> =
                    values.into_iter().filter(|(_, json)| json.as_str() != Some("")).collect();
                let contact = data.create(schema, &system, contacts, &members, None)?;
                let more = [("AccountId", Value::Text(id.to_owned())), ("IsPersonAccount", Value::Bool(true))];
                amend(data, &contact, more);
                amend(data, id, [("PersonContactId", Value::Text(contact))]);
            } else {
                amend(data, &known, copied.map(|(to, from)| (to, row.get(from).cloned().unwrap_or(Value::Null))));
            }
        }
        "Contact" => {
            let account = text(&row, "AccountId");
            let (Some(relations), false) = (schema.object("AccountContactRelation"), account.is_empty()) else {
                return Ok(());
            };
            if old.is_some_and(|old| text(old, "AccountId") == account) {
                return Ok(());
            }
            let own = Value::Text(id.to_owned());
            let rows = data.store.lookup(&relations.name, "ContactId", &own).unwrap_or_default();
            let rows: Vec<(String, String)> =
                rows.into_iter().filter_map(|row| Some((row_id(row)?, text(row, "AccountId").to_owned()))).collect();
            for (relation, of) in &rows {
                // [K] The former account stays a related one.
                amend(data, relation, [("IsDirect", Value::Bool(of == account))]);
            }
            if !rows.iter().any(|(_, of)| of == account) {
                let members: Vec<(String, Json)> = vec![
                    ("AccountId".to_owned(), Json::string(account)),
                    ("ContactId".to_owned(), Json::string(id)),
                    ("IsActive".to_owned(), Json::Bool(true)),
                ];
                let members: &Members = &members;
                let relation = data.create(schema, &system, relations, members, None)?;
                amend(data, &relation, [("IsDirect", Value::Bool(true))]);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Sets values of a row without any rule.
fn amend<const N: usize>(data: &mut Data, id: &str, values: [(&str, Value); N]) {
    let Some((row, _)) = data.store.find(id) else { return };
    let mut row = row.clone();
    for (name, value) in values {
        set(&mut row, name, value);
    }
    data.store.update(id, row);
}
