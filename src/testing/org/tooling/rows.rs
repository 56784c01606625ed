//! Objects and fields as rows.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::data_type;
use crate::testing::org::ids;
use crate::testing::org::json::Json;
use crate::testing::org::metadata;
use crate::testing::org::parse;
use crate::testing::org::schema::{Field, FieldType, Object, Schema};
use crate::testing::org::state::State;
use crate::testing::org::value::{Row, Value};

/// The id of every row of the catalog. [S] "Id … is always 000000000000000AAA and is unusable", several tools' notes.
const NO_ID: &str = "000000000000000AAA";

/// The id of a custom object.
pub(super) fn object_id(object: &Object) -> String {
    ids::make("01I", object.extra.serial)
}

/// The id of a custom field.
pub(crate) fn field_id(field: &Field) -> String {
    ids::make("00N", field.extra.serial)
}

/// A standard object goes by its name, a custom one by its id of 15 characters. [S] `EntityDefinitionId`s in samples.
pub(super) fn durable_id(object: &Object) -> String {
    if object.custom { ids::short(&object_id(object)).to_owned() } else { object.name.clone() }
}

/// [S] "Account.Name", "Contact.Account" of `AccountId`; [K] the id of a custom field.
pub(super) fn durable_field_id(object: &Object, field: &Field) -> String {
    let own = match field.kind {
        _ if field.custom => ids::short(&field_id(field)).to_owned(),
        FieldType::Reference => field.name.strip_suffix("Id").unwrap_or(&field.name).to_owned(),
        _ => field.name.clone(),
    };
    format!("{}.{own}", durable_id(object))
}

/// A name without `__c` and without a namespace, and the namespace.
fn split_name(name: &str) -> (&str, Option<&str>) {
    let Some(stem) = name.strip_suffix("__c") else { return (name, None) };
    match stem.split_once("__") {
        Some((namespace, stem)) => (stem, Some(namespace)),
        None => (stem, None),
    }
}

/// When, and who.
type Stamp = (DateTime<Utc>, String);

/// Fills rows.
#[derive(Default)]
pub(super) struct Filler(Row);

impl Filler {
    /// A row of the catalog.
    pub(super) fn durable(id: String) -> Self {
        let mut filler = Self::default();
        filler.text("Id", NO_ID).text("DurableId", id);
        filler
    }

    pub(super) fn text(&mut self, name: &str, text: impl Into<String>) -> &mut Self {
        let text = text.into();
        if !text.is_empty() {
            self.0.insert(name.to_owned(), Value::Text(text));
        }
        self
    }

    pub(super) fn maybe(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        self.text(name, text.unwrap_or_default())
    }

    pub(super) fn flag(&mut self, name: &str, flag: bool) -> &mut Self {
        self.0.insert(name.to_owned(), Value::Bool(flag));
        self
    }

    fn number(&mut self, name: &str, number: u32) -> &mut Self {
        self.0.insert(name.to_owned(), Value::Number(Decimal::from(number)));
        self
    }

    /// When and by whom a component was made and changed. [K] The org does not keep it: the last change of the schema, and
    /// the main user.
    pub(super) fn stamps(&mut self, state: &State) -> &mut Self {
        for name in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
            self.0.insert(name.to_owned(), Value::DateTime(state.schema_changed));
        }
        self.text("CreatedById", &state.auth.user_id).text("LastModifiedById", &state.auth.user_id)
    }

    /// As [`Filler::stamps`], of what the org knows it.
    pub(super) fn stamped(&mut self, created: &Stamp, modified: &Stamp) -> &mut Self {
        self.0.insert("CreatedDate".to_owned(), Value::DateTime(created.0));
        for name in ["LastModifiedDate", "SystemModstamp"] {
            self.0.insert(name.to_owned(), Value::DateTime(modified.0));
        }
        self.text("CreatedById", &created.1).text("LastModifiedById", &modified.1)
    }

    /// A number as a document has it.
    pub(super) fn decimal(&mut self, name: &str, digits: &str) -> &mut Self {
        if let Ok(number) = digits.parse() {
            self.0.insert(name.to_owned(), Value::Number(number));
        }
        self
    }

    pub(super) fn row(&mut self) -> Row {
        std::mem::take(&mut self.0)
    }
}

/// The org-wide default of an object. [K] Which standard objects have one of their own.
pub(super) fn sharing_model(object: &Object) -> &str {
    let default = match object.name.as_str() {
        // recorded: rest/organization-record.json, `Default…Access` columns.
        "Lead" | "Case" => "ReadWriteTransfer",
        "Campaign" => "FullAccess",
        "Contact" | "OpportunityContactRole" | "Event" | "Task" => "ControlledByParent",
        _ if object.fields.iter().any(Field::is_master_detail) => "ControlledByParent",
        _ => "ReadWrite",
    };
    object.extra.sharing_model.as_deref().unwrap_or(default)
}

/// Whether the history of an object's fields is tracked.
pub(super) fn tracks_history(object: &Object) -> bool {
    object.extra.switches.get("enableHistory").is_some_and(|flag| flag == "true")
}

pub(super) fn entities(state: &State, seen: &Schema) -> Vec<Row> {
    seen.objects().map(|object| entity(state, object)).collect()
}

fn entity(state: &State, object: &Object) -> Row {
    let (stem, namespace) = split_name(&object.name);
    let mut row = Filler::durable(durable_id(object));
    row.text("QualifiedApiName", &object.name)
        .text("DeveloperName", stem)
        .maybe("NamespacePrefix", namespace)
        .text("MasterLabel", &object.label)
        .text("Label", &object.label)
        .text("PluralLabel", &object.label_plural)
        .maybe("KeyPrefix", object.key_prefix.as_deref())
        .text("PublisherId", if object.custom { "<local>" } else { "System" })
        .text("InternalSharingModel", sharing_model(object))
        .text("ExternalSharingModel", "Private");
    if object.custom {
        row.text("DeploymentStatus", object.extra.deployment_status.as_deref().unwrap_or("Deployed"));
        row.stamps(state);
    }
    let id = object.key_prefix.is_some();
    for (name, flag) in [
        ("IsApexTriggerable", object.triggerable),
        ("IsCompactLayoutable", object.layoutable),
        ("IsCustomizable", object.layoutable),
        ("IsEverCreatable", object.createable),
        ("IsEverDeletable", object.deletable),
        ("IsEverUpdatable", object.updateable),
        ("IsFeedEnabled", object.feed_enabled),
        ("IsFieldHistoryTracked", tracks_history(object)),
        ("IsFlsEnabled", object.layoutable),
        ("IsIdEnabled", id),
        ("IsLayoutable", object.layoutable),
        ("IsProcessEnabled", object.layoutable),
        ("IsQueryable", object.queryable),
        ("IsReplicateable", object.replicateable),
        ("IsRetrieveable", id),
        ("IsSearchable", object.searchable),
        ("IsTriggerable", object.triggerable),
        ("IsWorkflowEnabled", object.layoutable),
    ] {
        row.flag(name, flag);
    }
    row.row()
}

pub(super) fn fields(state: &State, seen: &Schema) -> Vec<Row> {
    let all = seen.objects().flat_map(|object| object.fields.iter().map(move |field| (object, field)));
    all.map(|(object, found)| field(state, object, found)).collect()
}

fn field(state: &State, object: &Object, field: &Field) -> Row {
    let (stem, namespace) = split_name(&field.name);
    let durable = durable_field_id(object, field);
    let mut row = Filler::durable(durable);
    let compound = matches!(field.kind, FieldType::Address | FieldType::Location);
    row.text("EntityDefinitionId", durable_id(object))
        .text("QualifiedApiName", &field.name)
        // [S] `AccountId` goes by `Account`.
        .text(
            "DeveloperName",
            if field.custom {
                stem
            } else {
                field.name.strip_suffix("Id").filter(|name| !name.is_empty()).unwrap_or(&field.name)
            },
        )
        .maybe("NamespacePrefix", namespace)
        .text("MasterLabel", &field.label)
        .text("Label", &field.label)
        .number("Length", field.length)
        .text("DataType", data_type::of(object, field))
        .text("ValueTypeId", field.kind.name())
        .maybe("Description", field.extra.description.as_deref())
        .number("Precision", field.precision)
        .number("Scale", field.scale)
        .text("PublisherId", if field.custom { "<local>" } else { "System" })
        .maybe("RelationshipName", field.relationship_name.as_deref().filter(|_| field.kind == FieldType::Reference))
        .text("ReferenceTo", reference_to(field).to_text());
    if field.custom {
        row.stamps(state);
    }
    for (name, flag) in [
        (
            "IsCalculated",
            field.calculated || field.auto_number || (!field.custom && !field.createable && !field.updateable),
        ),
        ("IsHtmlFormatted", field.extra.html),
        ("IsNameField", field.name_field),
        ("IsNillable", field.nillable),
        ("IsWorkflowFilterable", field.filterable),
        ("IsCompactLayoutable", !compound),
        ("IsFieldHistoryTracked", field.extra.track_history),
        ("IsIndexed", field.external_id || field.unique || field.id_lookup || field.kind == FieldType::Reference),
        ("IsFlsEnabled", field.permissionable),
        ("IsCompound", compound),
        ("IsApiFilterable", field.filterable),
        ("IsApiSortable", field.sortable),
        ("IsListFilterable", field.filterable),
        ("IsListSortable", field.sortable),
        ("IsApiGroupable", field.groupable),
        ("IsListVisible", true),
        ("IsPolymorphicForeignKey", field.reference_to.len() > 1),
    ] {
        row.flag(name, flag);
    }
    row.row()
}

/// [S] `"ReferenceTo":{"referenceTo":["Account"]}`; [K] null inside for other fields.
fn reference_to(field: &Field) -> Json {
    let names = field.reference_to.iter().map(Json::string).collect();
    let list = if field.kind == FieldType::Reference { Json::Array(names) } else { Json::Null };
    Json::object([("referenceTo", list)])
}

/// Custom fields; `whole`: with their metadata.
pub(super) fn custom_fields(state: &State, whole: bool) -> Vec<Row> {
    let objects = state.schema.objects();
    let all = objects.flat_map(|object| object.fields.iter().map(move |field| (object, field)));
    all.filter(|(_, field)| field.custom).map(|(object, field)| custom_field(state, object, field, whole)).collect()
}

pub(super) fn custom_field(state: &State, object: &Object, field: &Field, whole: bool) -> Row {
    let (stem, namespace) = split_name(&field.name);
    let mut row = Filler::default();
    // [S] 18 characters: "TableEnumOrId": "01Id3000000H3BCEA0".
    let table = if object.custom { object_id(object) } else { object.name.clone() };
    row.text("Id", field_id(field))
        .text("EntityDefinitionId", durable_id(object))
        .text("TableEnumOrId", table)
        .text("DeveloperName", stem)
        .maybe("NamespacePrefix", namespace)
        .text("ManageableState", "unmanaged")
        .maybe("Description", field.extra.description.as_deref())
        .maybe("InlineHelpText", field.extra.inline_help_text.as_deref())
        .maybe("RelationshipLabel", field.extra.relationship_label.as_deref())
        .stamps(state);
    if field.length > 0 && field.is_text() {
        row.number("Length", field.length);
    }
    if field.precision > 0 {
        row.number("Precision", field.precision).number("Scale", field.scale);
    }
    if whole {
        row.text("FullName", format!("{}.{}", object.name, field.name));
        row.text("Metadata", metadata::field_json(object, field).to_text());
    }
    row.row()
}

pub(super) fn custom_objects(state: &State) -> Vec<Row> {
    let custom = state.schema.objects().filter(|object| object.custom);
    custom
        .map(|object| {
            let (stem, namespace) = split_name(&object.name);
            let mut row = Filler::default();
            row.text("Id", object_id(object))
                .text("DeveloperName", stem)
                .maybe("NamespacePrefix", namespace)
                .text("ManageableState", "unmanaged")
                .maybe("Description", object.extra.description.as_deref())
                .text("SharingModel", sharing_model(object))
                .text("Language", "en_US")
                .stamps(state);
            row.row()
        })
        .collect()
}

/// Columns whose values are documents are kept as text; an answer has them as what they are.
pub(super) fn unfold(record: &mut Json) {
    let Json::Object(members) = record else { return };
    for (name, value) in members {
        match value {
            Json::String(text) if matches!(name.as_str(), "Metadata" | "ReferenceTo") => {
                if let Ok(document) = parse::parse(text) {
                    *value = document;
                }
            }
            Json::Object(_) if name != "attributes" => {
                unfold(value);
                if let Json::Object(inner) = value {
                    for (name, list) in inner {
                        if let (true, Json::Array(records)) = (name == "records", list) {
                            records.iter_mut().for_each(unfold);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}
