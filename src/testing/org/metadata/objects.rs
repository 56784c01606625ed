//! Custom objects as components.

use super::super::schema::{FieldType, Object};
use super::super::setup_rules::is_developer_name;
use super::super::spec::ObjectSpec;
use super::super::state::State;
use super::super::xml::Element;
use super::{Caller, Refusal, fields, unknown};

/// Elements of `CustomObject` that the org keeps as they are.
const SWITCHES: [&str; 11] = [
    "allowInChatterGroups",
    "enableActivities",
    "enableBulkApi",
    "enableEnhancedLookup",
    "enableFeeds",
    "enableHistory",
    "enableLicensing",
    "enableReports",
    "enableSearch",
    "enableSharing",
    "enableStreamingApi",
];

/// [K] Help, "Custom Object Fields": 40 characters before `__c`.
pub(super) const MAX_NAME: usize = 40;

pub(super) fn exists(state: &State, name: &str) -> bool {
    state.schema.object(name).is_some()
}

pub(super) fn save(state: &mut State, name: &str, component: &Element, create: bool) -> Result<(), Refusal> {
    let mut object = if create {
        new_object(state, name, component)?
    } else {
        let known = state.schema.object(name).ok_or_else(|| unknown(super::Kind::Object, name))?;
        if !known.custom {
            // Metadata guide, "CustomObject": standard objects are deployed, with the parts that change.
            return Err(Refusal::integrity(format!("The standard object {name} cannot be updated")));
        }
        known.clone()
    };
    apply(&mut object, component)?;
    let history = object.extra.switches.get("enableHistory").is_some_and(|flag| flag == "true");
    for field in component.all("fields") {
        let full_name = field.text_of("fullName").unwrap_or_default();
        let made = fields::build(state, &object, full_name, field, object.field(full_name), history)?;
        fields::put(&mut object, made);
    }
    state.data.store.sync_table(&object);
    state.schema.insert(object);
    Ok(())
}

fn new_object(state: &mut State, name: &str, component: &Element) -> Result<Object, Refusal> {
    let Some(stem) = name.strip_suffix("__c") else {
        // [S] The text names more suffixes.
        return Err(Refusal::integrity("fullName must end with: __c"));
    };
    if !is_developer_name(stem) || stem.len() > MAX_NAME {
        // [K] The text.
        let message = format!(
            "Object Name: The object name {stem} can only contain alphanumeric characters, must begin with a letter, \
             cannot end with an underscore or contain two consecutive underscore characters, and must be at most \
             {MAX_NAME} characters long"
        );
        return Err(Refusal::integrity(message));
    }
    if exists(state, name) {
        // [K] The code and the text.
        let message = format!("There is already an object named {stem}. The object name must be unique.");
        return Err(Refusal::new("DUPLICATE_DEVELOPER_NAME", message));
    }
    if state.schema.objects().filter(|object| object.custom).count() >= state.data.limits.custom_objects {
        // [D] The code. [S] The text, of two deployments.
        return Err(Refusal::new("CUSTOM_ENTITY_OR_FIELD_LIMIT", "reached maximum number of custom objects"));
    }
    let mut spec = ObjectSpec::new(name).name_required();
    let format = component.child("nameField").and_then(|field| field.text_of("displayFormat"));
    if let Some(format) = format {
        spec = spec.name_auto_number(format);
    }
    let mut object = spec.into_object(state.data.next_prefix());
    object.open = false;
    Ok(object)
}

/// What every create and update has to say, and what it may say.
fn apply(object: &mut Object, component: &Element) -> Result<(), Refusal> {
    // [S] The text for the label; [K] for the others, and the code.
    let required = |name: &str| {
        let missing = || Refusal::integrity(format!("Must specify a non-empty {name} for the CustomObject"));
        component.text_of(name).ok_or_else(missing)
    };
    required("label")?.clone_into(&mut object.label);
    required("pluralLabel")?.clone_into(&mut object.label_plural);
    for (name, values) in [
        ("deploymentStatus", &["Deployed", "InDevelopment"][..]),
        ("sharingModel", &["Private", "Read", "ReadWrite", "ControlledByParent", "FullAccess", "ReadWriteTransfer"]),
    ] {
        let value = required(name)?;
        if !values.contains(&value) {
            // [K] The text.
            return Err(Refusal::integrity(format!("'{value}' is not a valid value for the enum '{name}'")));
        }
        let place =
            if name == "sharingModel" { &mut object.extra.sharing_model } else { &mut object.extra.deployment_status };
        *place = Some(value.to_owned());
    }
    apply_name_field(object, component)?;
    object.extra.description = component.text_of("description").map(str::to_owned);
    let switch = |name: &&str| component.flag(name).map(|flag| ((*name).to_owned(), flag.to_string()));
    object.extra.switches.extend(SWITCHES.iter().filter_map(switch));
    let trio = ["enableBulkApi", "enableSharing", "enableStreamingApi"].map(|name| component.flag(name));
    if trio.iter().flatten().any(|flag| Some(*flag) != trio[0]) {
        // [K] The rule and the text.
        let message = "enableSharing, enableBulkApi and enableStreamingApi must all be either enabled or disabled";
        return Err(Refusal::integrity(message));
    }
    if object.extra.switches.get("enableSearch").is_some_and(|flag| flag == "false") {
        object.searchable = false;
    }
    Ok(())
}

/// Of a standard object a deployment changes the switches it names.
// Metadata guide, "CustomObject": standard objects are deployed, with the parts that change.
pub(super) fn change_standard(state: &mut State, name: &str, component: &Element) {
    let Some(object) = state.schema.object_mut(name) else { return };
    let switch = |name: &&str| component.flag(name).map(|flag| ((*name).to_owned(), flag.to_string()));
    object.extra.switches.extend(SWITCHES.iter().filter_map(switch));
    if let Some(model) = component.text_of("sharingModel") {
        object.extra.sharing_model = Some(model.to_owned());
    }
}

fn apply_name_field(object: &mut Object, component: &Element) -> Result<(), Refusal> {
    // [K] The texts.
    let missing = || Refusal::integrity("Must specify a nameField of type Text or AutoNumber");
    let given = component.child("nameField").ok_or_else(missing)?;
    let kind = given.text_of("type").ok_or_else(missing)?;
    let format = given.text_of("displayFormat");
    let numbered = match (kind, format) {
        ("Text", None) => false,
        // [K] 30 characters at most.
        ("AutoNumber", Some(format)) if format.contains("{0") && format.len() <= 30 => true,
        ("AutoNumber", _) => {
            return Err(Refusal::integrity("Must specify a valid displayFormat for a nameField of type AutoNumber"));
        }
        ("Text", Some(_)) => {
            return Err(Refusal::integrity("Can not specify 'displayFormat' for a nameField of type Text"));
        }
        _ => return Err(missing()),
    };
    let label = given.text_of("label").map_or_else(|| format!("{} Name", object.label), str::to_owned);
    let Some(name) = object.fields.iter_mut().find(|field| field.name_field) else { return Ok(()) };
    if name.auto_number != numbered {
        return Err(Refusal::integrity("Cannot change the type of the nameField"));
    }
    name.label = label;
    name.kind = FieldType::String;
    if numbered {
        name.default_value = format.map(str::to_owned);
    }
    Ok(())
}

/// Deletes an object with its records, and the fields that only point to it.
pub(super) fn delete(state: &mut State, caller: &Caller, name: &str) -> Result<(), Refusal> {
    let object = match state.schema.object(name) {
        Some(object) if object.custom => object.clone(),
        Some(_) => return Err(Refusal::integrity(format!("The standard object {name} cannot be deleted"))),
        None => return Err(unknown(super::Kind::Object, name)),
    };
    super::checks::check_object_delete(state, &object.name)?;
    let ids: Vec<String> = state.data.store.rows(&object.name, false).filter_map(super::super::data::row_id).collect();
    let writer = super::permission_sets::writer(caller);
    for id in ids {
        if state.data.delete(&state.schema, &writer, &object, &id).is_err() {
            // A lookup that forbids it goes as well.
            state.data.store.delete(&id);
        }
    }
    let pointing: Vec<(String, String)> = state
        .schema
        .objects()
        .filter(|other| other.name != object.name)
        .flat_map(|other| other.fields.iter().map(move |field| (other, field)))
        .filter(|(_, field)| field.reference_to == [object.name.clone()])
        .map(|(other, field)| (other.name.clone(), field.name.clone()))
        .collect();
    for (other, field) in pointing {
        fields::remove(state, &other, &field);
    }
    for field in &object.fields {
        fields::forget(state, &object.name, &field.name);
    }
    super::permission_sets::forget(state, "ObjectPermissions", "SobjectType", &object.name);
    state.components.remove_object(&object.name);
    state.schema.remove(&object.name);
    Ok(())
}
