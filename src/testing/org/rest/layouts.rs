//! `/sobjects/<object>/describe/layouts`: page layouts, and what each record type has of the picklists.
//!
//! Source: REST guide, "sObject Layouts"; SOAP guide, `describeLayout()`. [S] The keys, of public samples of answers.

use super::describe::{MASTER, describe_field, entry, layout_url};
use super::object_of;
use crate::testing::org::error::ApiError;
use crate::testing::org::ids;
use crate::testing::org::json::Json;
use crate::testing::org::metadata::{Kind, Stored};
use crate::testing::org::record_types::Rules;
use crate::testing::org::schema::{FieldType, Object};
use crate::testing::org::state::{Call, State};
use crate::testing::org::value::{Row, text};
use crate::testing::org::wire::Answer;
use crate::testing::org::xml::Element;

/// All layouts, or that of one record type.
pub(super) fn layouts(
    state: &State,
    call: &Call<'_>,
    name: &str,
    record_type: Option<&str>,
) -> Result<Answer, ApiError> {
    let object = object_of(&call.view.schema, name)?;
    if !object.layoutable {
        return Err(ApiError::not_found());
    }
    let types = state.data.record_types.of(&state.data.store, &object.name);
    let stored = layout_of(state, object);
    let layout = || stored.map_or(Json::Null, |stored| layout_json(object, stored));
    if let Some(id) = record_type {
        let id = ids::to_18(id);
        let known = |id: &str| id == MASTER || types.iter().any(|(row, _)| text(row, "Id") == id);
        return match id.filter(|id| known(id)) {
            Some(_) => Ok(Answer::json(200, &layout())),
            None => Err(ApiError::not_found()),
        };
    }
    let layout_id = stored.map(|stored| stored.id.clone());
    let mut mappings: Vec<Json> =
        types.iter().map(|(row, rules)| mapping(call, object, layout_id.as_deref(), row, rules)).collect();
    let default = !types.iter().any(|(_, rules)| rules.default);
    mappings.push(master(call, object, layout_id.as_deref(), default));
    // "A GET request for objects that have more than one record type defined returns null for the layouts section of the response."
    let list = if types.len() > 1 { Json::Null } else { Json::Array(vec![layout()]) };
    let body = Json::object([
        ("layouts", list),
        ("recordTypeMappings", Json::Array(mappings)),
        ("recordTypeSelectorRequired", Json::Array(vec![Json::Bool(types.len() > 1)])),
    ]);
    Ok(Answer::json(200, &body))
}

/// The object's own layout; [K] every profile is assigned that.
fn layout_of<'s>(state: &'s State, object: &Object) -> Option<&'s Stored> {
    let mut layouts = state.components.of(Kind::Layout);
    layouts.find(|layout| layout.name.split('-').next().is_some_and(|owner| owner.eq_ignore_ascii_case(&object.name)))
}

fn mapping(call: &Call<'_>, object: &Object, layout: Option<&str>, row: &Row, rules: &Rules) -> Json {
    let id = text(row, "Id");
    let picklists = object.fields.iter().filter(|field| !field.picklist_values.is_empty()).map(|field| {
        let values = field.picklist_values.iter().filter(|value| rules.allows(&field.name, &value.value));
        Json::object([
            ("picklistName", Json::string(&field.name)),
            ("picklistValues", Json::Array(values.map(|value| entry(object, field, value)).collect())),
        ])
    });
    Json::object([
        ("active", true.into()),
        ("available", rules.available.into()),
        ("defaultRecordTypeMapping", rules.default.into()),
        ("developerName", Json::string(text(row, "DeveloperName"))),
        ("layoutId", layout.map(str::to_owned).into()),
        ("master", false.into()),
        ("name", Json::string(text(row, "Name"))),
        ("picklistsForRecordType", Json::Array(picklists.collect())),
        ("recordTypeId", Json::string(id)),
        ("urls", Json::object([("layout", layout_url(&call.base, object, id).into())])),
    ])
}

fn master(call: &Call<'_>, object: &Object, layout: Option<&str>, default: bool) -> Json {
    Json::object([
        ("active", true.into()),
        ("available", true.into()),
        ("defaultRecordTypeMapping", default.into()),
        ("developerName", "Master".into()),
        ("layoutId", layout.map(str::to_owned).into()),
        ("master", true.into()),
        ("name", "Master".into()),
        ("picklistsForRecordType", Json::Array(Vec::new())),
        ("recordTypeId", MASTER.into()),
        ("urls", Json::object([("layout", layout_url(&call.base, object, MASTER).into())])),
    ])
}

fn layout_json(object: &Object, stored: &Stored) -> Json {
    let list = || Json::Array(Vec::new());
    let sections = |editing: bool| {
        let own = stored.body.all("layoutSections").filter(|section| section.text_of("style") != Some("CustomLinks"));
        Json::Array(own.map(|own| section(object, stored, own, editing)).collect())
    };
    Json::object([
        ("buttonLayoutSection", Json::object([("detailButtons", list())])),
        ("detailLayoutSections", sections(false)),
        ("editLayoutSections", sections(true)),
        ("feedView", Json::Null),
        ("highlightsPanelLayoutSection", Json::Null),
        ("id", Json::string(&stored.id)),
        ("multirowEditLayoutSections", list()),
        ("offlineLinks", list()),
        ("quickActionList", Json::object([("quickActionListItems", list())])),
        ("relatedContent", Json::Null),
        ("relatedLists", list()),
        ("saveOptions", list()),
    ])
}

fn section(object: &Object, stored: &Stored, own: &Element, editing: bool) -> Json {
    let columns: Vec<Vec<&Element>> =
        own.all("layoutColumns").map(|column| column.all("layoutItems").collect()).collect();
    let count = columns.iter().map(Vec::len).max().unwrap_or(0);
    let row = |place: usize| {
        let items = columns.iter().map(|column| column.get(place).map_or_else(placeholder, |own| item(object, own)));
        let items: Vec<Json> = items.collect();
        Json::object([("numItems", Json::number(items.len())), ("layoutItems", Json::Array(items))])
    };
    Json::object([
        ("collapsed", false.into()),
        ("columns", Json::number(columns.len())),
        ("heading", Json::string(own.text_of("label").unwrap_or_default())),
        ("layoutRows", Json::Array((0..count).map(row).collect())),
        ("parentLayoutId", Json::string(ids::short(&stored.id))),
        ("rows", Json::number(count)),
        ("tabOrder", "TopToBottom".into()),
        ("useCollapsibleSection", (!editing).into()),
        ("useHeading", own.flag(if editing { "editHeading" } else { "detailHeading" }).unwrap_or(false).into()),
    ])
}

fn item(object: &Object, own: &Element) -> Json {
    let name = own.text_of("field").unwrap_or_default();
    let Some(field) = object.field(name) else { return placeholder() };
    let behavior = own.text_of("behavior").unwrap_or("Edit");
    let compound = matches!(field.kind, FieldType::Address | FieldType::Location);
    let writes = behavior != "Readonly";
    let component = Json::object([
        ("details", describe_field(object, field)),
        ("displayLines", Json::number(1)),
        ("tabOrder", Json::number(1)),
        ("type", "Field".into()),
        ("value", Json::string(&field.name)),
    ]);
    Json::object([
        ("editableForNew", (writes && (field.createable || compound)).into()),
        ("editableForUpdate", (writes && (field.updateable || compound)).into()),
        ("label", Json::string(&field.label)),
        ("layoutComponents", Json::Array(vec![component])),
        ("placeholder", false.into()),
        ("required", (behavior == "Required").into()),
    ])
}

fn placeholder() -> Json {
    Json::object([
        ("editableForNew", false.into()),
        ("editableForUpdate", false.into()),
        ("label", "".into()),
        ("layoutComponents", Json::Array(Vec::new())),
        ("placeholder", true.into()),
        ("required", false.into()),
    ])
}
