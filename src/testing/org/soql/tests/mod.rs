//! Statements against a small org in memory.

mod answers;
mod filters;
mod groups;
mod refusals;
mod robustness;

use std::cell::Cell;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::super::ids;
use super::super::schema::{Field, FieldType, Object, ObjectExtra, PicklistValue, Schema};
use super::super::value::{Row, Value};
use super::{QueryResult, SoqlError, Tables, dates, execute};

/// A field of the tests' schema: describe's usual flags for its type.
pub(super) fn field(name: &str, kind: FieldType) -> Field {
    let long = name == "Description";
    let plain = !long && !matches!(kind, FieldType::Address | FieldType::MultiPicklist);
    Field {
        length: 255,
        precision: 18,
        scale: 2,
        nillable: true,
        createable: true,
        updateable: true,
        filterable: !long,
        sortable: plain,
        groupable: plain && !matches!(kind, FieldType::DateTime | FieldType::Currency | FieldType::Double),
        aggregatable: plain && kind != FieldType::Boolean,
        name_field: name == "Name",
        custom: name.ends_with("__c"),
        ..Field::new(name, name, kind)
    }
}

fn reference(name: &str, targets: &[&str], parent: &str, children: &str) -> Field {
    Field {
        reference_to: targets.iter().map(|&target| target.to_owned()).collect(),
        relationship_name: Some(parent.to_owned()),
        child_relationship_name: Some(children.to_owned()),
        ..field(name, FieldType::Reference)
    }
}

pub(super) fn picklist(name: &str, values: &[&str]) -> Field {
    let entry = |value: &&str| PicklistValue {
        value: (*value).to_owned(),
        label: format!("{value} (label)"),
        active: true,
        default: false,
    };
    Field { picklist_values: values.iter().map(entry).collect(), ..field(name, FieldType::Picklist) }
}

fn object(name: &str, prefix: &str, fields: Vec<Field>) -> Object {
    let mut all = vec![field("Id", FieldType::Id), field("Name", FieldType::String)];
    all.extend(fields);
    all.push(field("CreatedDate", FieldType::DateTime));
    Object {
        name: name.to_owned(),
        label: name.to_owned(),
        label_plural: format!("{name}s"),
        key_prefix: Some(prefix.to_owned()),
        custom: name.ends_with("__c"),
        createable: true,
        updateable: true,
        deletable: true,
        undeletable: true,
        queryable: name != "Unqueryable",
        replicateable: true,
        searchable: true,
        triggerable: true,
        mergeable: false,
        layoutable: true,
        feed_enabled: false,
        open: true,
        extra: ObjectExtra::default(),
        fields: all,
    }
}

fn schema() -> Schema {
    use FieldType::{Address, Boolean, Currency, Date, Double, Email, Int, MultiPicklist, String, TextArea, Time};
    let mut schema = Schema::default();
    schema.insert(object(
        "Account",
        "001",
        vec![
            picklist("Industry", &["Energy", "Banking", "Apparel"]),
            reference("ParentId", &["Account"], "Parent", "ChildAccounts"),
            reference("OwnerId", &["User"], "Owner", "Accounts"),
            field("BillingStreet", TextArea),
            field("BillingCity", String),
            field("BillingState", String),
            field("BillingPostalCode", String),
            field("BillingCountry", String),
            field("BillingCountryCode", FieldType::Picklist),
            field("BillingStateCode", FieldType::Picklist),
            field("BillingLatitude", Double),
            field("BillingLongitude", Double),
            field("BillingGeocodeAccuracy", FieldType::Picklist),
            field("BillingAddress", Address),
            field("AnnualRevenue", Currency),
            field("NumberOfEmployees", Int),
            field("Description", TextArea),
            Field { external_id: true, ..field("Key__c", String) },
            Field { case_sensitive: true, unique: true, ..field("Code__c", String) },
            field("Tags__c", MultiPicklist),
            field("Active__c", Boolean),
            field("Opens__c", Time),
        ],
    ));
    schema.insert(object(
        "Contact",
        "003",
        vec![
            field("FirstName", String),
            field("LastName", String),
            field("Email", Email),
            field("Birthdate", Date),
            reference("AccountId", &["Account"], "Account", "Contacts"),
        ],
    ));
    schema.insert(object(
        "Opportunity",
        "006",
        vec![
            picklist("StageName", &["Prospecting", "Closed Won"]),
            field("Amount", Currency),
            field("CloseDate", Date),
            reference("AccountId", &["Account"], "Account", "Opportunities"),
        ],
    ));
    schema.insert(object("User", "005", vec![field("FirstName", String), field("LastName", String)]));
    schema.insert(object("Group", "00G", vec![]));
    schema.insert(object(
        "Task",
        "00T",
        vec![
            reference("WhatId", &["Account", "Opportunity"], "What", "Tasks"),
            reference("OwnerId", &["Group", "User"], "Owner", "OwnedTasks"),
        ],
    ));
    schema.insert(object(
        "Navattic_Session__c",
        "a00",
        vec![reference("Account__c", &["Account"], "Account__r", "Sessions__r"), field("Minutes__c", Double)],
    ));
    schema.insert(object("Unqueryable", "a01", vec![]));
    schema
}

/// An org in memory. Rows live by object; `Key__c` and ids have an index.
struct Memory {
    schema: Schema,
    rows: BTreeMap<String, Vec<Row>>,
    scans: Cell<usize>,
    base_path: &'static str,
}

impl Tables for Memory {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn rows<'a>(&'a self, object: &Object) -> Box<dyn Iterator<Item = &'a Row> + 'a> {
        self.scans.set(self.scans.get() + 1);
        Box::new(self.rows.get(&object.name).into_iter().flatten())
    }

    fn row<'a>(&'a self, id: &str) -> Option<(&'a Object, &'a Row)> {
        self.rows.iter().find_map(|(name, rows)| {
            let row = rows.iter().find(|row| row.get("Id") == Some(&Value::Text(id.to_owned())))?;
            Some((self.schema.object(name)?, row))
        })
    }

    fn indexed<'a>(&'a self, object: &Object, field: &str, value: &str) -> Option<Vec<&'a Row>> {
        let known = object.field(field).filter(|field| field.external_id)?;
        let same = |row: &&Row| match row.get(field) {
            Some(Value::Text(text)) => super::compare::same_text(known, text, value),
            _ => false,
        };
        Some(self.rows.get(&object.name).into_iter().flatten().filter(same).collect())
    }

    fn base_path(&self) -> &str {
        self.base_path
    }

    fn now(&self) -> DateTime<Utc> {
        dates::parse_datetime("2026-05-06T11:29:24Z").expect("a valid instant")
    }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn number(value: &str) -> Value {
    Value::Number(value.parse().expect("a decimal"))
}

fn date(value: &str) -> Value {
    Value::Date(dates::parse_date(value).expect("a date"))
}

fn datetime(value: &str) -> Value {
    Value::DateTime(dates::parse_datetime(value).expect("an instant"))
}

/// The 18-character id of the `n`th row of an object.
fn record_id(prefix: &str, n: usize) -> String {
    ids::to_18(&format!("{prefix}dM0000{n:06}")).expect("15 characters")
}

impl Memory {
    fn add(&mut self, object: &str, values: &[(&str, Value)]) -> String {
        let prefix = self.schema.object(object).and_then(|object| object.key_prefix.clone()).expect("a prefix");
        let rows = self.rows.entry(object.to_owned()).or_default();
        let id = record_id(&prefix, rows.len() + 1);
        let mut row: Row = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        row.insert("Id".to_owned(), text(&id));
        rows.push(row);
        id
    }

    fn query(&self, soql: &str) -> Result<QueryResult, SoqlError> {
        execute(self, soql)
    }

    /// All records as one JSON array.
    fn records(&self, soql: &str) -> String {
        let result = self.query(soql).unwrap_or_else(|error| panic!("{soql}: {error:?}"));
        assert!(result.records.is_empty() || result.records.len() == result.total_size, "{soql}");
        super::Json::Array(result.records).to_text()
    }

    /// The `Name` of each record, joined by commas.
    fn names(&self, soql: &str) -> String {
        let result = self.query(soql).unwrap_or_else(|error| panic!("{soql}: {error:?}"));
        let name = |record: &super::Json| {
            let super::Json::Object(members) = record else { panic!("not a record: {record:?}") };
            match members.iter().find(|(key, _)| key == "Name") {
                Some((_, super::Json::String(name))) => name.clone(),
                _ => "?".to_owned(),
            }
        };
        result.records.iter().map(name).collect::<Vec<_>>().join(",")
    }

    fn refusal(&self, soql: &str) -> SoqlError {
        match self.query(soql) {
            Ok(result) => panic!("{soql} was accepted: {result:?}"),
            Err(error) => error,
        }
    }
}

/// Three accounts, the second a child of the first; contacts, opportunities, tasks and sessions around them.
fn org() -> Memory {
    let mut org =
        Memory { schema: schema(), rows: BTreeMap::new(), scans: Cell::new(0), base_path: "/services/data/v66.0" };
    let user = org.add("User", &[("FirstName", text("Ada")), ("LastName", text("Byron"))]);
    let queue = org.add("Group", &[("Name", text("Support"))]);
    let acme = org.add(
        "Account",
        &[
            ("Name", text("Acme")),
            ("Industry", text("Banking")),
            ("OwnerId", text(&user)),
            ("BillingCity", text("Austin")),
            ("BillingLatitude", number("30.25")),
            ("AnnualRevenue", number("1000")),
            ("NumberOfEmployees", number("10")),
            ("Description", text("long")),
            ("Key__c", text("K1")),
            ("Code__c", text("abc")),
            ("Tags__c", text("a;b")),
            ("Active__c", Value::Bool(true)),
            ("Opens__c", Value::Time(chrono::NaiveTime::from_hms_opt(8, 30, 0).expect("a time"))),
            ("CreatedDate", datetime("2026-05-01T07:25:37Z")),
        ],
    );
    let beta = org.add(
        "Account",
        &[
            ("Name", text("beta")),
            ("Industry", text("Energy")),
            ("ParentId", text(&acme)),
            ("OwnerId", text(&user)),
            ("AnnualRevenue", number("2500.50")),
            ("Key__c", text("k2")),
            ("Code__c", text("ABC")),
            ("Tags__c", text("b;c")),
            ("CreatedDate", datetime("2026-05-06T09:00:00Z")),
        ],
    );
    org.add("Account", &[("Name", text("Ceta")), ("CreatedDate", datetime("2025-12-31T23:59:59Z"))]);
    org.add(
        "Contact",
        &[
            ("FirstName", text("Bo")),
            ("LastName", text("Zed")),
            ("Email", text("bo@example.com")),
            ("AccountId", text(&acme)),
            ("Birthdate", date("2026-05-06")),
        ],
    );
    org.add("Contact", &[("LastName", text("Abel")), ("AccountId", text(&acme)), ("Birthdate", date("1990-01-02"))]);
    org.add("Contact", &[("FirstName", text("Cy")), ("LastName", text("Cole"))]);
    let deal = org.add(
        "Opportunity",
        &[
            ("Name", text("Deal")),
            ("StageName", text("Closed Won")),
            ("Amount", number("100")),
            ("CloseDate", date("2026-04-10")),
            ("AccountId", text(&acme)),
        ],
    );
    org.add(
        "Opportunity",
        &[
            ("Name", text("Offer")),
            ("StageName", text("Prospecting")),
            ("Amount", number("50")),
            ("CloseDate", date("2026-05-07")),
            ("AccountId", text(&acme)),
        ],
    );
    org.add("Opportunity", &[("Name", text("Idea")), ("StageName", text("Prospecting")), ("AccountId", text(&beta))]);
    org.add("Task", &[("Name", text("Call")), ("WhatId", text(&acme)), ("OwnerId", text(&user))]);
    org.add("Task", &[("Name", text("Mail")), ("WhatId", text(&deal)), ("OwnerId", text(&queue))]);
    org.add("Task", &[("Name", text("Idle"))]);
    org.add(
        "Navattic_Session__c",
        &[("Name", text("S-1")), ("Account__c", text(&beta)), ("Minutes__c", number("12.5"))],
    );
    org
}
