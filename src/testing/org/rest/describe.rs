//! Describe (wire facts 2.6). Keys and their order as recorded: describe/*.json.

use base64::Engine as _;

use super::conditional::{self, Conditions, etag_of};
use super::object_of;
use super::records::record;
use crate::testing::org::error::{ApiError, strings};

use crate::testing::org::json::Json;
use crate::testing::org::schema::{Field, FieldType, Object, PicklistValue, Schema};
use crate::testing::org::state::{Call, State};
use crate::testing::org::value::text;
use crate::testing::org::wire::Answer;

/// Records `GET /sobjects/<object>` shows.
const RECENT: usize = 5;

type Doc = Vec<(String, Json)>;

fn add(doc: &mut Doc, name: &str, value: impl Into<Json>) {
    doc.push((name.to_owned(), value.into()));
}

fn flags(doc: &mut Doc, flags: &[(&str, bool)]) {
    for (name, flag) in flags {
        add(doc, name, *flag);
    }
}

fn nulls(doc: &mut Doc, names: &[&str]) {
    for name in names {
        add(doc, name, Json::Null);
    }
}

/// `GET /sobjects`
pub(super) fn global(state: &State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let objects = call.view.schema.objects().map(|object| Json::Object(brief(object, &call.base)));
    let body = Json::object([
        ("encoding", Json::from("UTF-8")),
        ("maxBatchSize", Json::number(200)),
        ("sobjects", Json::Array(objects.collect())),
    ]);
    cached(state, call, &body)
}

/// `GET /sobjects/<object>/describe`
pub(super) fn object(state: &State, call: &Call<'_>, name: &str) -> Result<Answer, ApiError> {
    let object = object_of(&call.view.schema, name)?;
    cached(state, call, &full(state, &call.view.schema, object, &call.base))
}

/// `GET /sobjects/<object>` (recorded: rest/sobject-basic-info.json)
pub(super) fn basic(state: &State, call: &Call<'_>, name: &str) -> Result<Answer, ApiError> {
    let object = object_of(&call.view.schema, name)?;
    let is_shown = |field: &&Field| field.name == "Id" || field.name_field;
    let fields: Vec<&Field> = object.fields.iter().filter(is_shown).collect();
    let rows = state.data.store.rows(&object.name, false).rev().take(RECENT);
    let recent = rows.map(|row| record(&call.base, object, row, &fields)).collect();
    let body = Json::object([
        ("objectDescribe", Json::Object(brief(object, &call.base))),
        ("recentItems", Json::Array(recent)),
    ]);
    Ok(Answer::json(200, &body))
}

/// Describes have `ETag` and `Last-Modified` (recorded), and a 304 for who knows the date: conditions on entity tags are for
/// rows of Account only (REST guide, "Conditional Request Headers").
fn cached(state: &State, call: &Call<'_>, body: &Json) -> Result<Answer, ApiError> {
    let dated = Conditions { modified: Some(state.schema_changed), etag: None };
    let tagged = Conditions { etag: Some(etag_of(&body.to_text())), ..dated };
    let answer = conditional::unmodified(call, &dated)?.map_or_else(|| Answer::json(200, body), |_| Answer::empty(304));
    Ok(tagged.head(answer))
}

/// The entry of an object in describe global.
pub(super) fn brief(object: &Object, base: &str) -> Doc {
    let mut doc = Doc::new();
    add(&mut doc, "activateable", false);
    nulls(&mut doc, &["associateEntityType", "associateParentEntity"]);
    flags(
        &mut doc,
        &[
            ("createable", object.createable),
            ("custom", object.custom),
            ("customSetting", false),
            ("deepCloneable", object.name == "Opportunity"),
            ("deletable", object.deletable),
            ("deprecatedAndHidden", false),
            ("feedEnabled", object.feed_enabled),
            ("hasSubtypes", false),
            ("isInterface", false),
            ("isSubtype", false),
        ],
    );
    add(&mut doc, "keyPrefix", object.key_prefix.clone());
    add(&mut doc, "label", object.label.as_str());
    add(&mut doc, "labelPlural", object.label_plural.as_str());
    flags(
        &mut doc,
        &[("layoutable", object.layoutable), ("mergeable", object.mergeable), ("mruEnabled", mru_enabled(object))],
    );
    add(&mut doc, "name", object.name.as_str());
    flags(
        &mut doc,
        &[
            ("queryable", object.queryable),
            ("replicateable", object.replicateable),
            ("retrieveable", true),
            ("searchable", object.searchable),
            ("triggerable", object.triggerable),
            ("undeletable", object.undeletable),
            ("updateable", object.updateable),
        ],
    );
    add(&mut doc, "urls", urls(object, base, None));
    doc
}

fn mru_enabled(object: &Object) -> bool {
    object.searchable && object.layoutable
}

/// Links of an object; the pages of the user interface only in a full describe.
fn urls(object: &Object, base: &str, ui: Option<&str>) -> Json {
    let own = format!("{base}/sobjects/{}", object.name);
    let mut urls = Doc::new();
    add(&mut urls, "compactLayouts", format!("{own}/describe/compactLayouts"));
    add(&mut urls, "rowTemplate", format!("{own}/{{ID}}"));
    let activity = matches!(object.name.as_str(), "Event" | "Task");
    if object.layoutable && !activity {
        add(&mut urls, "approvalLayouts", format!("{own}/describe/approvalLayouts"));
    }
    if let Some(host) = ui {
        add(&mut urls, "uiDetailTemplate", format!("{host}/{{ID}}"));
        add(&mut urls, "uiEditTemplate", format!("{host}/{{ID}}/e"));
    }
    if object.layoutable && !activity {
        add(&mut urls, "listviews", format!("{own}/listviews"));
    }
    add(&mut urls, "describe", format!("{own}/describe"));
    if let (Some(host), Some(prefix)) = (ui, &object.key_prefix) {
        add(&mut urls, "uiNewRecord", format!("{host}/{prefix}/e"));
    }
    add(&mut urls, "quickActions", format!("{own}/quickActions"));
    add(&mut urls, "layouts", format!("{own}/describe/layouts"));
    add(&mut urls, "sobject", own);
    Json::Object(urls)
}

pub(super) fn full(state: &State, schema: &Schema, object: &Object, base: &str) -> Json {
    let host = state.auth.instance_url.as_str();
    let mut doc = Doc::new();
    add(&mut doc, "actionOverrides", Json::Array(Vec::new()));
    add(&mut doc, "activateable", false);
    nulls(&mut doc, &["associateEntityType", "associateParentEntity"]);
    add(&mut doc, "childRelationships", child_relationships(schema, object));
    flags(
        &mut doc,
        &[
            ("compactLayoutable", object.layoutable),
            ("createable", object.createable),
            ("custom", object.custom),
            ("customSetting", false),
            ("deepCloneable", object.name == "Opportunity"),
        ],
    );
    nulls(&mut doc, &["defaultImplementation"]);
    flags(&mut doc, &[("deletable", object.deletable), ("deprecatedAndHidden", false)]);
    nulls(&mut doc, &["extendedBy", "extendsInterfaces"]);
    add(&mut doc, "feedEnabled", object.feed_enabled);
    add(&mut doc, "fields", Json::Array(object.fields.iter().map(|field| describe_field(object, field)).collect()));
    add(&mut doc, "hasSubtypes", false);
    nulls(&mut doc, &["implementedBy", "implementsInterfaces"]);
    flags(&mut doc, &[("isInterface", false), ("isSubtype", false)]);
    add(&mut doc, "keyPrefix", object.key_prefix.clone());
    add(&mut doc, "label", object.label.as_str());
    add(&mut doc, "labelPlural", object.label_plural.as_str());
    add(&mut doc, "layoutable", object.layoutable);
    nulls(&mut doc, &["listviewable", "lookupLayoutable"]);
    flags(&mut doc, &[("mergeable", object.mergeable), ("mruEnabled", mru_enabled(object))]);
    add(&mut doc, "name", object.name.as_str());
    add(&mut doc, "namedLayoutInfos", Json::Array(Vec::new()));
    nulls(&mut doc, &["networkScopeFieldName"]);
    add(&mut doc, "queryable", object.queryable);
    add(&mut doc, "recordTypeInfos", record_types(state, object, base));
    flags(
        &mut doc,
        &[
            ("replicateable", object.replicateable),
            ("retrieveable", true),
            ("searchLayoutable", object.layoutable && object.searchable),
            ("searchable", object.searchable),
        ],
    );
    add(&mut doc, "sobjectDescribeOption", "FULL");
    add(&mut doc, "supportedScopes", scopes(object));
    flags(
        &mut doc,
        &[("triggerable", object.triggerable), ("undeletable", object.undeletable), ("updateable", object.updateable)],
    );
    add(&mut doc, "urls", urls(object, base, Some(host)));
    Json::Object(doc)
}

fn child_relationships(schema: &Schema, parent: &Object) -> Json {
    let mut children = Vec::new();
    for child in schema.objects() {
        let refers = |field: &&Field| field.reference_to.contains(&parent.name);
        for field in child.fields.iter().filter(refers) {
            children.push(Json::object([
                ("cascadeDelete", field.cascade_delete.into()),
                ("childSObject", Json::string(&child.name)),
                ("deprecatedAndHidden", false.into()),
                ("field", Json::string(&field.name)),
                ("junctionIdListNames", Json::Array(Vec::new())),
                ("junctionReferenceTo", Json::Array(Vec::new())),
                ("relationshipName", field.child_relationship_name.clone().into()),
                ("restrictedDelete", restricts_delete(field).into()),
            ]));
        }
    }
    Json::Array(children)
}

/// The record type every object with layouts has.
pub(super) const MASTER: &str = "012000000000000AAA";

/// Where the layout of a record type is.
pub(super) fn layout_url(base: &str, object: &Object, record_type: &str) -> String {
    format!("{base}/sobjects/{}/describe/layouts/{record_type}", object.name)
}

/// Every object with layouts has the master record type, beside its own. [K] That the master is the last.
fn record_types(state: &State, object: &Object, base: &str) -> Json {
    // recorded: describe/OpportunityContactRole.describe.json has none.
    if !object.layoutable || !object.searchable {
        return Json::Array(Vec::new());
    }
    let types = state.data.record_types.of(&state.data.store, &object.name);
    let info = |(available, default): (bool, bool), (name, label): (&str, &str), id: &str| {
        Json::object([
            ("active", true.into()),
            ("available", available.into()),
            ("defaultRecordTypeMapping", default.into()),
            ("developerName", name.into()),
            ("master", (id == MASTER).into()),
            ("name", label.into()),
            ("recordTypeId", id.into()),
            ("urls", Json::object([("layout", layout_url(base, object, id).into())])),
        ])
    };
    let own = types.iter().map(|(row, rules)| {
        let names = (text(row, "DeveloperName"), text(row, "Name"));
        info((rules.available, rules.default), names, text(row, "Id"))
    });
    let master = info((true, !types.iter().any(|(_, rules)| rules.default)), ("Master", "Master"), MASTER);
    Json::Array(own.chain([master]).collect())
}

fn scopes(object: &Object) -> Json {
    let plural = object.label_plural.to_lowercase();
    let scope = |label: String, name: &str| Json::object([("label", label.into()), ("name", name.into())]);
    let mut scopes = vec![scope(format!("All {plural}"), "everything")];
    if object.field("OwnerId").is_some() {
        scopes.push(scope(format!("My {plural}"), "mine"));
    }
    Json::Array(scopes)
}

pub(super) fn describe_field(object: &Object, field: &Field) -> Json {
    use FieldType as T;
    let text = field.is_text();
    // Three bytes a character; ids and the fiscal period are plain (recorded: describe/Opportunity.describe.json).
    let byte_length = match field.kind {
        T::Id | T::Reference => field.length,
        _ if text && field.name != "Fiscal" => field.length * 3,
        _ => field.length,
    };
    let integer = field.kind == T::Int;
    let polymorphic = field.reference_to.len() > 1;
    let mut doc = Doc::new();
    add(&mut doc, "aggregatable", field.aggregatable);
    add(&mut doc, "aiPredictionField", false);
    add(&mut doc, "autoNumber", field.auto_number);
    add(&mut doc, "byteLength", Json::number(byte_length));
    add(&mut doc, "calculated", field.calculated);
    nulls(&mut doc, &["calculatedFormula"]);
    add(&mut doc, "cascadeDelete", field.cascade_delete && field.custom);
    add(&mut doc, "caseSensitive", field.case_sensitive);
    add(&mut doc, "compoundFieldName", field.compound_field_name.clone());
    let controller = field.extra.controller.as_ref().map(|(controller, _)| controller.clone());
    let dependent = controller.is_some();
    add(&mut doc, "controllerName", controller);
    add(&mut doc, "createable", field.createable);
    add(&mut doc, "custom", field.custom);
    add(&mut doc, "defaultValue", default_value(field));
    add(&mut doc, "defaultValueFormula", field.extra.default_formula.clone());
    add(&mut doc, "defaultedOnCreate", field.defaulted_on_create);
    flags(&mut doc, &[("dependentPicklist", dependent), ("deprecatedAndHidden", false)]);
    add(&mut doc, "digits", Json::number(if integer { field.precision } else { 0 }));
    flags(
        &mut doc,
        &[
            ("displayLocationInDecimal", false),
            ("encrypted", field.kind == T::EncryptedString),
            ("externalId", field.external_id),
        ],
    );
    add(&mut doc, "extraTypeInfo", extra_type_info(field));
    add(&mut doc, "filterable", field.filterable);
    nulls(&mut doc, &["filteredLookupInfo"]);
    flags(
        &mut doc,
        &[
            ("formulaTreatNullNumberAsZero", false),
            ("groupable", field.groupable),
            ("highScaleNumber", false),
            ("htmlFormatted", field.extra.html),
            ("idLookup", field.id_lookup),
        ],
    );
    add(&mut doc, "inlineHelpText", field.extra.inline_help_text.clone());
    add(&mut doc, "label", field.label.as_str());
    add(&mut doc, "length", Json::number(field.length));
    nulls(&mut doc, &["mask", "maskType"]);
    add(&mut doc, "name", field.name.as_str());
    flags(
        &mut doc,
        &[
            ("nameField", field.name_field),
            ("namePointing", polymorphic),
            ("nillable", field.nillable),
            ("permissionable", field.permissionable),
        ],
    );
    add(&mut doc, "picklistValues", picklist_values(object, field));
    add(&mut doc, "polymorphicForeignKey", polymorphic);
    add(&mut doc, "precision", Json::number(if integer { 0 } else { field.precision }));
    add(&mut doc, "queryByDistance", matches!(field.kind, T::Address | T::Location));
    nulls(&mut doc, &["referenceTargetField"]);
    add(&mut doc, "referenceTo", strings(&field.reference_to));
    add(&mut doc, "relationshipName", field.relationship_name.clone());
    let master = field.is_master_detail();
    add(&mut doc, "relationshipOrder", if master { Json::number(0) } else { Json::Null });
    flags(
        &mut doc,
        &[("restrictedDelete", restricts_delete(field)), ("restrictedPicklist", field.restricted_picklist)],
    );
    add(&mut doc, "scale", Json::number(field.scale));
    add(&mut doc, "searchPrefilterable", is_prefilterable(field));
    add(&mut doc, "soapType", soap_type(field.kind));
    flags(&mut doc, &[("sortable", field.sortable)]);
    add(&mut doc, "type", field.kind.name());
    flags(&mut doc, &[("unique", field.unique), ("updateable", field.updateable), ("writeRequiresMasterRead", false)]);
    Json::Object(doc)
}

fn restricts_delete(field: &Field) -> bool {
    field.extra.delete_constraint.as_deref() == Some("Restrict")
}

/// A person's name: first name, blank, last name.
const PERSON_NAME: u32 = 121;

/// Which references say so in recorded: describe/*.json.
fn is_prefilterable(field: &Field) -> bool {
    let system = matches!(field.name.as_str(), "OwnerId" | "CreatedById" | "LastModifiedById" | "MasterRecordId");
    let unnamed = field.relationship_name.is_none();
    let detail = field.name == "OpportunityId" || (field.name == "ContactId" && !field.permissionable);
    field.kind == FieldType::Reference && !field.custom && !system && !unnamed && !detail
}

/// Checkboxes are false by default, picklists have the value marked so (recorded: describe/Event.describe.json).
fn default_value(field: &Field) -> Json {
    match (&field.default_value, field.kind) {
        (None, FieldType::Boolean) => Json::Bool(false),
        (Some(text), FieldType::Boolean) => Json::Bool(text.eq_ignore_ascii_case("true")),
        (Some(text), _) if !field.auto_number => Json::string(text),
        _ => Json::Null,
    }
}

fn extra_type_info(field: &Field) -> Json {
    let person =
        field.compound_field_name.as_deref() == Some("Name") || (field.name == "Name" && field.length == PERSON_NAME);
    match field.kind {
        FieldType::TextArea => "plaintextarea".into(),
        FieldType::Url if field.name.ends_with("PhotoUrl") => "imageurl".into(),
        _ if person && field.length == 255 => "switchablepersonname".into(),
        _ if person => "personname".into(),
        _ => Json::Null,
    }
}

fn picklist_values(object: &Object, field: &Field) -> Json {
    Json::Array(field.picklist_values.iter().map(|value| entry(object, field, value)).collect())
}

/// A value of a picklist.
pub(super) fn entry(object: &Object, field: &Field, value: &PicklistValue) -> Json {
    Json::object([
        ("active", value.active.into()),
        ("defaultValue", value.default.into()),
        ("label", Json::string(&value.label)),
        ("validFor", valid_for(object, field, value)),
        ("value", Json::string(&value.value)),
    ])
}

/// The controlling values a dependent value goes with, a bit for each in their order, the highest bit first; a checkbox has false and
/// true. (SOAP guide, `PicklistEntry.validFor`; [S] `gAAA`: three bytes at least.)
fn valid_for(object: &Object, field: &Field, value: &PicklistValue) -> Json {
    let Some((controller, valid)) = &field.extra.controller else { return Json::Null };
    let controlling: Vec<&str> = match object.field(controller) {
        Some(field) if field.kind == FieldType::Boolean => vec!["false", "true"],
        Some(field) => field.picklist_values.iter().map(|value| value.value.as_str()).collect(),
        None => Vec::new(),
    };
    let mut bits = vec![0_u8; controlling.len().div_ceil(24).max(1) * 3];
    for (place, name) in controlling.iter().enumerate() {
        if valid.get(&value.value).is_some_and(|names| names.iter().any(|known| known == name)) {
            bits[place >> 3] |= 0x80 >> (place & 7);
        }
    }
    Json::String(base64::engine::general_purpose::STANDARD.encode(bits))
}

fn soap_type(kind: FieldType) -> &'static str {
    use FieldType as T;
    match kind {
        T::Id | T::Reference => "tns:ID",
        T::Boolean => "xsd:boolean",
        T::Int => "xsd:int",
        T::Double | T::Currency | T::Percent => "xsd:double",
        T::Date => "xsd:date",
        T::DateTime => "xsd:dateTime",
        T::Time => "xsd:time",
        T::Address => "urn:address",
        T::Location => "urn:location",
        T::AnyType => "xsd:anyType",
        T::Base64 => "xsd:base64Binary",
        _ => "xsd:string",
    }
}
