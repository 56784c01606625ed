//! From a row to the value a name stands for.

use std::borrow::Cow;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use rust_decimal::Decimal;

use super::super::schema::{Field, FieldType, Object, ObjectExtra};
use super::super::value::{Row, Value};
use super::Tables;
use super::ast::DatePart;
use super::compare::Key;
use super::output::label;

/// A field of the queried object or of one of its parents.
#[derive(Clone, Debug)]
pub(super) struct FieldPath<'t> {
    /// The references to follow from the queried object.
    pub(super) hops: Vec<&'t Field>,
    pub(super) object: &'t Object,
    pub(super) field: &'t Field,
}

impl<'t> FieldPath<'t> {
    pub(super) fn value(&self, tables: &'t dyn Tables, row: &'t Row) -> Cow<'t, Value> {
        let mut place = (self.object, row);
        for reference in &self.hops {
            match parent(tables, reference, place.1) {
                Some(found) => place = found,
                None => return Cow::Owned(Value::Null),
            }
        }
        value_of(self.object, self.field, place.0, place.1)
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        let names = |path: &Self| path.hops.iter().map(|hop| hop.name.clone()).collect::<Vec<_>>();
        self.field.name == other.field.name && names(self) == names(other)
    }

    /// As an error message names it.
    pub(super) fn text(&self) -> String {
        let hops = self.hops.iter().filter_map(|hop| hop.relationship_name.as_deref());
        hops.chain([self.field.name.as_str()]).collect::<Vec<_>>().join(".")
    }
}

/// What WHERE, GROUP BY and ORDER BY look at.
#[derive(Clone, Debug)]
pub(super) enum Operand<'t> {
    Field(FieldPath<'t>),
    Date(DatePart, FieldPath<'t>),
    /// toLabel: the label of a picklist value.
    Label(FieldPath<'t>),
}

impl<'t> Operand<'t> {
    pub(super) fn path(&self) -> &FieldPath<'t> {
        match self {
            Self::Field(path) | Self::Date(_, path) | Self::Label(path) => path,
        }
    }

    /// The type of the value; a part of a date is a number.
    pub(super) fn kind(&self) -> FieldType {
        match self {
            Self::Field(path) => path.field.kind,
            Self::Date(DatePart::DayOnly, _) => FieldType::Date,
            Self::Date(..) => FieldType::Int,
            Self::Label(_) => FieldType::String,
        }
    }

    pub(super) fn value(&self, tables: &'t dyn Tables, row: &'t Row) -> Cow<'t, Value> {
        match self {
            Self::Field(path) => path.value(tables, row),
            Self::Date(part, path) => Cow::Owned(date_part(*part, &path.value(tables, row))),
            Self::Label(path) => match path.value(tables, row).as_ref() {
                Value::Text(text) => Cow::Owned(Value::Text(label(path.field, text))),
                _ => Cow::Owned(Value::Null),
            },
        }
    }

    /// A value of this operand, made ready for sorting and grouping.
    pub(super) fn key(&self, value: &Value) -> Key {
        match self {
            Self::Field(path) => Key::new(path.field, value),
            Self::Date(..) | Self::Label(_) => Key::plain(value),
        }
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Field(left), Self::Field(right)) | (Self::Label(left), Self::Label(right)) => left.same(right),
            (Self::Date(part, left), Self::Date(other, right)) => part == other && left.same(right),
            _ => false,
        }
    }
}

/// The row a reference points to, and its object.
pub(super) fn parent<'t>(tables: &'t dyn Tables, reference: &Field, row: &Row) -> Option<(&'t Object, &'t Row)> {
    match row.get(&reference.name) {
        Some(Value::Text(id)) => tables.row(id),
        _ => None,
    }
}

/// The value of a field as the statement sees its object, read from a row of the object it is.
pub(super) fn value_of<'a>(seen: &Object, field: &Field, object: &Object, row: &'a Row) -> Cow<'a, Value> {
    if !is_name_object(seen) {
        return stored(object, field, row);
    }
    if field.name == "Type" {
        return Cow::Owned(Value::Text(name_type(object).to_owned()));
    }
    match object.field(&field.name) {
        Some(actual) => stored(object, actual, row),
        None => Cow::Owned(Value::Null),
    }
}

/// A field's value: what is stored, a person's composed `Name`, or false for an unset checkbox.
pub(crate) fn stored<'a>(object: &Object, field: &Field, row: &'a Row) -> Cow<'a, Value> {
    match row.get(&field.name) {
        Some(Value::Null) | None => {}
        Some(value) => return Cow::Borrowed(value),
    }
    if field.kind == FieldType::Boolean {
        return Cow::Owned(Value::Bool(false));
    }
    if field.name == "Name" && object.field("FirstName").is_some() && object.field("LastName").is_some() {
        return Cow::Owned(person_name(row));
    }
    Cow::Owned(Value::Null)
}

/// First and last name with a blank between, without the salutation.
// [K] not verified: the documents do not spell the composition out.
fn person_name(row: &Row) -> Value {
    let part = |name: &str| match row.get(name) {
        Some(Value::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let parts: Vec<&str> = [part("FirstName"), part("LastName")].into_iter().flatten().collect();
    if parts.is_empty() { Value::Null } else { Value::Text(parts.join(" ")) }
}

fn date_part(part: DatePart, value: &Value) -> Value {
    let at: DateTime<Utc> = match value {
        Value::DateTime(at) => *at,
        Value::Date(date) => super::dates::midnight(*date),
        _ => return Value::Null,
    };
    let number = match part {
        DatePart::Month => at.month(),
        DatePart::Quarter => at.month0() / 3 + 1,
        DatePart::Year => return Value::Number(at.year().into()),
        DatePart::DayInMonth => at.day(),
        DatePart::DayInWeek => at.weekday().number_from_sunday(),
        DatePart::DayInYear => at.ordinal(),
        DatePart::DayOnly => return Value::Date(at.date_naive()),
        DatePart::HourInDay => at.hour(),
        DatePart::WeekInMonth => at.day0() / 7 + 1,
        DatePart::WeekInYear => at.ordinal0() / 7 + 1,
    };
    Value::Number(Decimal::from(number))
}

/// What a reference to several objects leads to: the `Name` object with the fields all of them share.
// SOQL reference, "Understanding Polymorphic Relationships"
pub(super) fn name_object() -> &'static Object {
    &NAME
}

pub(super) fn is_name_object(object: &Object) -> bool {
    std::ptr::eq(object, &raw const *NAME)
}

/// `Owner.Type` of a group that owns records reads `Queue`.
// [K] not verified
fn name_type(object: &Object) -> &str {
    if object.name == "Group" { "Queue" } else { &object.name }
}

static NAME: LazyLock<Object> = LazyLock::new(|| {
    let text = |name: &str| name_field(name, FieldType::String);
    let reference = |name: &str, target: &str| {
        let mut field = name_field(name, FieldType::Reference);
        field.reference_to = vec![target.to_owned()];
        field.relationship_name = Some(target.to_owned());
        field
    };
    Object {
        name: "Name".to_owned(),
        label: "Name".to_owned(),
        label_plural: "Names".to_owned(),
        key_prefix: None,
        custom: false,
        createable: false,
        updateable: false,
        deletable: false,
        undeletable: false,
        queryable: false,
        replicateable: false,
        searchable: false,
        triggerable: false,
        mergeable: false,
        layoutable: false,
        feed_enabled: false,
        open: true,
        extra: ObjectExtra::default(),
        fields: vec![
            name_field("Id", FieldType::Id),
            text("Name"),
            text("FirstName"),
            text("LastName"),
            text("Type"),
            text("Alias"),
            text("Username"),
            name_field("Email", FieldType::Email),
            name_field("Phone", FieldType::Phone),
            text("Title"),
            name_field("IsActive", FieldType::Boolean),
            reference("ProfileId", "Profile"),
            reference("UserRoleId", "UserRole"),
        ],
    }
});

fn name_field(name: &str, kind: FieldType) -> Field {
    Field {
        length: 255,
        createable: false,
        updateable: false,
        permissionable: false,
        filterable: true,
        sortable: true,
        groupable: true,
        aggregatable: true,
        name_field: name == "Name",
        ..Field::new(name, name, kind)
    }
}
