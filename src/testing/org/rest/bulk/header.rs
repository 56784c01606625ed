//! What the columns of an upload mean.

use crate::testing::org::json::Json;
use crate::testing::org::schema::{Field, FieldType, Object, Schema};

/// A column of an upload.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The member of a record body: a field, or the relationship to a parent.
    pub(super) member: String,
    /// The field whose type its cells have: that one, or the parent's key.
    pub(super) field: Field,
    /// The parent's type, for a column of a relationship.
    parent: Option<String>,
}

impl Column {
    /// What a header names: `Name`, `Parent__r.Ext__c`, or `Lead:Who.Email` (wire facts 3.1). `None`: nothing.
    pub(super) fn of(schema: &Schema, object: &Object, header: &str) -> Option<Self> {
        let Some((relation, key)) = header.split_once('.') else {
            let field = object.field(header)?.clone();
            return Some(Self { member: field.name.clone(), field, parent: None });
        };
        let (named, relation) = match relation.split_once(':') {
            Some((kind, relation)) => (Some(kind), relation),
            None => (None, relation),
        };
        let reference = object.parent_reference(relation)?;
        // With a type where there is one choice only, or without where there are several: an error.
        let polymorphic = reference.reference_to.len() > 1;
        let target = match (named, reference.reference_to.as_slice()) {
            (Some(kind), several) if polymorphic => several.iter().find(|name| name.eq_ignore_ascii_case(kind))?,
            (None, [only]) => only,
            _ => return None,
        };
        let parent = schema.object(target)?;
        // One level up only: a second dot is in no field's name.
        let field = parent.field(key).filter(|field| field.external_id || field.id_lookup)?.clone();
        Some(Self { member: relation.to_owned(), field, parent: Some(parent.name.clone()) })
    }

    pub(super) fn is_parent(&self) -> bool {
        self.parent.is_some()
    }

    /// Whether it is the field of that name.
    pub(super) fn is(&self, name: &str) -> bool {
        !self.is_parent() && self.field.name.eq_ignore_ascii_case(name)
    }

    /// The member's value for a cell's.
    pub(super) fn value(&self, cell: Json) -> Json {
        match &self.parent {
            None => cell,
            Some(_) if cell == Json::Null => Json::Null,
            Some(kind) => Json::object([
                ("attributes", Json::object([("type", Json::string(kind))])),
                (self.field.name.as_str(), cell),
            ]),
        }
    }
}

/// Whether deletions may have the column: they take ids only.
pub(super) fn is_id(column: &Column) -> bool {
    !column.is_parent() && column.field.kind == FieldType::Id
}
