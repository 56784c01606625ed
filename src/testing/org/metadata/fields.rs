//! Custom fields as components.

use super::super::schema::{Field, FieldType, Object, PicklistValue};
use super::super::setup_rules::is_developer_name;
use super::super::state::State;
use super::super::xml::Element;
use super::objects::MAX_NAME;
use super::{Kind, Refusal, permission_sets, unknown};

/// The object and field that `Object.Field` names.
fn split(name: &str) -> Option<(&str, &str)> {
    name.split_once('.').filter(|(object, field)| !object.is_empty() && !field.is_empty())
}

pub(super) fn exists(state: &State, name: &str) -> bool {
    split(name)
        .is_some_and(|(object, field)| state.schema.object(object).is_some_and(|object| object.field(field).is_some()))
}

pub(super) fn save(state: &mut State, name: &str, component: &Element, create: bool) -> Result<(), Refusal> {
    let Some((object, field)) = split(name) else {
        // [K] The text.
        return Err(Refusal::integrity(format!("The fullName of a CustomField is Object.Field, not {name}")));
    };
    let Some(object) = state.schema.object(object) else {
        // [S] The words of deployments; [K] the code.
        let message = format!("Entity of type 'CustomObject' named '{object}' cannot be found");
        return Err(Refusal::new("INVALID_CROSS_REFERENCE_KEY", message));
    };
    let mut object = object.clone();
    let old = object.field(field).cloned();
    if create && old.is_some() {
        return Err(taken(&object, field));
    }
    // History of standard objects can be tracked without a switch here.
    let history = !object.custom || object.extra.switches.get("enableHistory").is_some_and(|flag| flag == "true");
    let made = build(state, &object, field, component, old.as_ref(), history)?;
    put(&mut object, made);
    state.data.store.sync_table(&object);
    state.schema.insert(object);
    Ok(())
}

fn taken(object: &Object, field: &str) -> Refusal {
    // [S] The text, matched on by two clients; [K] the code, and that it is the name without its ending.
    let stem = field.strip_suffix("__c").unwrap_or(field);
    let message = format!("There is already a field named {stem} on {}.", object.label);
    Refusal::new("DUPLICATE_DEVELOPER_NAME", message)
}

/// Puts a field into an object, in the place of the one it changes.
pub(super) fn put(object: &mut Object, field: Field) {
    let parts = parts(&field);
    if field.is_master_detail() {
        // A detail has the owner of its master.
        object.fields.retain(|known| known.name != "OwnerId");
    }
    match object.fields.iter_mut().find(|known| known.name == field.name) {
        Some(known) => {
            let serial = known.extra.serial;
            *known = field;
            known.extra.serial = serial;
        }
        None => object.fields.push(field),
    }
    for part in parts {
        match object.fields.iter_mut().find(|known| known.name == part.name) {
            Some(known) => known.label = part.label,
            None => object.fields.push(part),
        }
    }
}

/// The coordinates of a location (wire facts 4.4). [K] Their labels.
fn parts(field: &Field) -> Vec<Field> {
    let Some(stem) = field.name.strip_suffix("__c").filter(|_| field.kind == FieldType::Location) else {
        return Vec::new();
    };
    let part = |side: &str| {
        let name = format!("{stem}__{side}__s");
        let mut part = Field::new(&name, &format!("{} ({side})", field.label), FieldType::Double);
        (part.precision, part.scale) = (18, field.scale);
        (part.custom, part.open) = (true, field.open);
        part.compound_field_name = Some(field.name.clone());
        part
    };
    vec![part("Latitude"), part("Longitude")]
}

/// The field a component describes.
pub(super) fn build(
    state: &State,
    object: &Object,
    name: &str,
    component: &Element,
    old: Option<&Field>,
    history: bool,
) -> Result<Field, Refusal> {
    let Some(stem) = name.strip_suffix("__c") else {
        // [S] The text, of deployments.
        return Err(Refusal::integrity("Could not resolve standard field's name."));
    };
    if !is_developer_name(stem) || stem.len() > MAX_NAME {
        // [S] The words of the setup page.
        let message = format!(
            "Field Name: The field name {stem} can only contain alphanumeric characters, must begin with a letter, \
             cannot end with an underscore or contain two consecutive underscore characters, must be at most {MAX_NAME} \
             characters long, and must be unique across all {} fields",
            object.label
        );
        return Err(Refusal::integrity(message));
    }
    if old.is_some_and(|old| !old.custom) {
        return Err(taken(object, name));
    }
    if old.is_none() && object.fields.iter().filter(|field| field.custom).count() >= state.data.limits.custom_fields {
        // [D] The code. [K] The text, by the pattern of that for objects.
        let message = "reached maximum number of custom fields";
        return Err(Refusal::new("CUSTOM_ENTITY_OR_FIELD_LIMIT", message));
    }
    let spec = Spec { component, kind: component.text_of("type").unwrap_or_default() };
    let missing = |what: &str| {
        // recorded for data: rest/collections-create-allornone-rollback.json. [K] for metadata.
        Refusal::new("REQUIRED_FIELD_MISSING", format!("Required fields are missing: [{what}]"))
    };
    let label = component.text_of("label").ok_or_else(|| missing("label"))?;
    if spec.kind.is_empty() {
        return Err(missing("type"));
    }
    if label.encode_utf16().count() > 40 {
        let message = format!("Label: data value too large: {label} (max length=40)");
        return Err(Refusal::new("STRING_TOO_LONG", message));
    }
    let formula = component.text_of("formula");
    let mut field = match formula {
        Some(formula) => calculated(&spec, name, label, formula)?,
        None => typed(&spec, name, label)?,
    };
    field.custom = true;
    field.open = old.is_some_and(|old| old.open);
    relate(state, object, &spec, stem, &mut field)?;
    constrain(state, object, &spec, &mut field)?;
    default(&spec, &mut field);
    field.extra.description = component.text_of("description").map(str::to_owned);
    field.extra.inline_help_text = component.text_of("inlineHelpText").map(str::to_owned);
    field.extra.track_history = component.flag("trackHistory").unwrap_or(false);
    if field.extra.track_history && !history {
        // [S] The text.
        let message =
            "Can not set trackHistory to true on this CustomField as its entity is not history tracking enabled";
        return Err(Refusal::integrity(message));
    }
    let others = object.fields.iter().filter(|known| known.extra.track_history && known.name != field.name).count();
    if field.extra.track_history && others >= state.data.limits.tracked_fields {
        // [D] The code and the text: SOAP guide, "Core Data Types", `StatusCode`.
        let message = "The number of history fields specified for the sObject exceeds the allowed limit.";
        return Err(Refusal::new("NUM_HISTORY_FIELDS_BY_SOBJECT_EXCEEDED", message));
    }
    // A universally required field and a master-detail have no field-level security.
    field.permissionable = field.nillable || field.kind == FieldType::Boolean || field.auto_number;
    if let Some(old) = old {
        check_change(old, &field, &spec)?;
        // The name stays as it was spelt first.
        field.name.clone_from(&old.name);
    }
    Ok(field)
}

/// A component and its type.
struct Spec<'a> {
    component: &'a Element,
    kind: &'a str,
}

impl Spec<'_> {
    fn must(&self, what: &str) -> Refusal {
        // [K] The text, by the pattern of recorded ones.
        Refusal::integrity(format!("Must specify '{what}' for a CustomField of type {}", self.kind))
    }

    fn must_not(&self, what: &str) -> Refusal {
        // recorded: metadata-soap/upsertMetadata-checkbox-required.xml
        Refusal::integrity(format!("Can not specify '{what}' for a CustomField of type {}", self.kind))
    }

    /// A number that has to be there, within bounds.
    fn number(&self, what: &str, least: u32, most: u32) -> Result<u32, Refusal> {
        let number = self.component.number(what).ok_or_else(|| self.must(what))?;
        if number < least {
            // recorded: metadata-soap/upsertMetadata-all-or-none-error.xml
            return Err(Refusal::integrity(format!("Invalid {what}, minimum is: {least}")));
        }
        if number > most {
            return Err(Refusal::integrity(format!("Invalid {what}, maximum is: {most}")));
        }
        Ok(number)
    }
}

/// The field with what its type says (wire facts 4.4).
fn typed(spec: &Spec<'_>, name: &str, label: &str) -> Result<Field, Refusal> {
    use FieldType as T;
    let plain = |kind: FieldType| Field::new(name, label, kind);
    Ok(match spec.kind {
        "Text" => plain(T::String).with_length(spec.number("length", 1, 255)?),
        "TextArea" => plain(T::TextArea).with_length(255),
        "LongTextArea" | "Html" => {
            let mut field = plain(T::TextArea).with_length(spec.number("length", 256, 131_072)?);
            // 256 is longer than what filters see.
            field.extra.visible_lines = Some(spec.number("visibleLines", 2, 50)?);
            field.extra.html = spec.kind == "Html";
            field
        }
        "Number" | "Currency" | "Percent" => {
            let mut field = plain(match spec.kind {
                "Number" => T::Double,
                "Currency" => T::Currency,
                _ => T::Percent,
            });
            field.precision = spec.number("precision", 1, 18)?;
            field.scale = spec.number("scale", 0, field.precision)?;
            field
        }
        "Checkbox" => {
            let mut field = plain(T::Boolean);
            (field.nillable, field.defaulted_on_create) = (false, true);
            field
        }
        "AutoNumber" => {
            let format = spec.component.text_of("displayFormat").ok_or_else(|| spec.must("displayFormat"))?;
            // [K] 30 characters at most.
            if !format.contains("{0") || format.len() > 30 {
                return Err(Refusal::integrity(
                    "Must specify a valid displayFormat for a CustomField of type AutoNumber",
                ));
            }
            let mut field = plain(T::String).with_length(30);
            (field.auto_number, field.nillable, field.defaulted_on_create) = (true, false, true);
            (field.createable, field.updateable) = (false, false);
            field.default_value = Some(format.to_owned());
            field
        }
        "Location" => {
            let mut field = plain(T::Location);
            field.scale = spec.number("scale", 0, 15)?;
            // The WSDL of 63.0 does not have it, files of Salesforce do.
            field.extra.in_decimal = spec.component.flag("displayLocationInDecimal");
            field
        }
        "Date" => plain(T::Date),
        "DateTime" => plain(T::DateTime),
        "Time" => plain(T::Time),
        "Email" => plain(T::Email).with_length(80),
        "Phone" => plain(T::Phone).with_length(40),
        "Url" => plain(T::Url).with_length(255),
        "Picklist" | "MultiselectPicklist" => picklist(spec, plain)?,
        "Lookup" | "MasterDetail" => plain(T::Reference),
        other => {
            let message = format!("This org makes no fields of type {other}");
            return Err(Refusal::new("INVALID_TYPE", message));
        }
    })
}

/// A field that a formula fills (wire facts 4.4): the org keeps the formula and computes nothing.
fn calculated(spec: &Spec<'_>, name: &str, label: &str, formula: &str) -> Result<Field, Refusal> {
    use FieldType as T;
    let kind = match spec.kind {
        "Text" => T::String,
        "Number" => T::Double,
        "Currency" => T::Currency,
        "Percent" => T::Percent,
        "Checkbox" => T::Boolean,
        "Date" => T::Date,
        "DateTime" => T::DateTime,
        "Time" => T::Time,
        _ => return Err(spec.must_not("formula")),
    };
    for what in ["required", "unique", "externalId"] {
        if spec.component.flag(what) == Some(true) {
            return Err(spec.must_not(what));
        }
    }
    let mut field = Field::new(name, label, kind);
    if kind == T::String {
        // recorded for standard ones: describe/*.json
        field = field.with_length(1300);
    }
    if matches!(kind, T::Double | T::Currency | T::Percent) {
        (field.precision, field.scale) = (18, spec.component.number("scale").unwrap_or(2).min(18));
    }
    (field.calculated, field.createable, field.updateable) = (true, false, false);
    (field.nillable, field.defaulted_on_create) = (kind != T::Boolean, kind == T::Boolean);
    field.extra.formula = Some(formula.to_owned());
    field.extra.formula_blanks = spec.component.text_of("formulaTreatBlanksAs").map(str::to_owned);
    Ok(field)
}

fn picklist(spec: &Spec<'_>, plain: impl Fn(FieldType) -> Field) -> Result<Field, Refusal> {
    let mut field = if spec.kind == "Picklist" {
        plain(FieldType::Picklist).with_length(255)
    } else {
        // The 100 values of up to 40 characters a multi-select may hold.
        let mut field = plain(FieldType::MultiPicklist).with_length(4099);
        field.extra.visible_lines = Some(spec.number("visibleLines", 3, 10)?);
        field
    };
    let set = spec.component.child("valueSet").ok_or_else(|| spec.must("valueSet"))?;
    let Some(definition) = set.child("valueSetDefinition") else {
        let message = "This org has no global value sets; a valueSet has a valueSetDefinition";
        return Err(Refusal::integrity(message));
    };
    field.restricted_picklist = set.flag("restricted").unwrap_or(false);
    field.extra.sorted = definition.flag("sorted").unwrap_or(false);
    for value in definition.all("value") {
        let name = value
            .text_of("fullName")
            .ok_or_else(|| Refusal::new("REQUIRED_FIELD_MISSING", "Required fields are missing: [fullName]"))?;
        if field.picklist_values.iter().any(|known| known.value.eq_ignore_ascii_case(name)) {
            // [K] The code and the text.
            return Err(Refusal::new("DUPLICATE_VALUE", format!("Duplicate label: {name}")));
        }
        field.picklist_values.push(PicklistValue {
            value: name.to_owned(),
            label: value.text_of("label").unwrap_or(name).to_owned(),
            active: value.flag("isActive").unwrap_or(true),
            default: value.flag("default").unwrap_or(false),
        });
    }
    if field.extra.sorted {
        field.picklist_values.sort_by(|left, right| left.label.cmp(&right.label));
    }
    Ok(field)
}

/// The target of a relationship and the names both sides have for it.
fn relate(state: &State, object: &Object, spec: &Spec<'_>, stem: &str, field: &mut Field) -> Result<(), Refusal> {
    if field.kind != FieldType::Reference {
        return Ok(());
    }
    let target = spec.component.text_of("referenceTo").ok_or_else(|| spec.must("referenceTo"))?;
    let found = if target.eq_ignore_ascii_case(&object.name) { Some(object) } else { state.schema.object(target) };
    let Some(parent) = found else {
        // [S] The text; [K] the code.
        let message = format!("referenceTo value of '{target}' does not resolve to a valid sObject type");
        return Err(Refusal::integrity(message));
    };
    field.reference_to = vec![parent.name.clone()];
    field.relationship_name = Some(format!("{stem}__r"));
    field.extra.relationship_label = spec.component.text_of("relationshipLabel").map(str::to_owned);
    let master = spec.kind == "MasterDetail";
    match spec.component.text_of("relationshipName") {
        Some(name) => {
            let name = name.strip_suffix("__r").unwrap_or(name);
            if !is_developer_name(name) || name.len() > MAX_NAME {
                // [K] The text.
                return Err(Refusal::integrity(format!("Invalid relationshipName: {name}")));
            }
            let children = format!("{name}__r");
            let same = |child: &Object, other: &Field| child.name == object.name && other.name == field.name;
            let other = state.schema.objects().filter(|child| child.name != object.name).chain([object]);
            let other =
                other.flat_map(|child| child.fields.iter().map(move |field| (child, field))).find(|(child, other)| {
                    other.child_relationship_name.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(&children))
                        && other.reference_to.contains(&parent.name)
                        && !same(child, other)
                });
            if other.is_some() {
                // [S] The text; [K] the code.
                let message = format!("There is already a Child Relationship named {name} on {}.", parent.label);
                return Err(Refusal::new("DUPLICATE_DEVELOPER_NAME", message));
            }
            field.child_relationship_name = Some(children);
        }
        None if master => return Err(spec.must("relationshipName")),
        None => {}
    }
    if master {
        if !object.custom {
            return Err(Refusal::integrity("A standard object cannot be the detail of a master-detail relationship"));
        }
        if object.field(&field.name).is_none() && state.data.store.live_count(&object.name) > 0 {
            // [K] The text.
            let message =
                "Cannot create a new relationship field as MasterDetail on an existing custom object with records";
            return Err(Refusal::integrity(message));
        }
        (field.nillable, field.cascade_delete) = (false, true);
        field.updateable = spec.component.flag("reparentableMasterDetail").unwrap_or(false);
    }
    Ok(())
}

/// `required`, `unique`, `externalId` and `deleteConstraint`, where the type has them.
fn constrain(state: &State, object: &Object, spec: &Spec<'_>, field: &mut Field) -> Result<(), Refusal> {
    let on = |what: &str| spec.component.flag(what).unwrap_or(false);
    let long = matches!(spec.kind, "LongTextArea" | "Html");
    if on("required") {
        if matches!(spec.kind, "Checkbox" | "MasterDetail" | "AutoNumber" | "Location") || long {
            return Err(spec.must_not("required"));
        }
        field.nillable = false;
    }
    if on("unique") {
        if !matches!(spec.kind, "Text" | "Number" | "Email") {
            return Err(spec.must_not("unique"));
        }
        field.unique = true;
        field.case_sensitive = spec.kind == "Text" && on("caseSensitive");
    }
    if on("externalId") {
        // [D] AutoNumber, Email, Number, Text.
        if !matches!(spec.kind, "Text" | "Number" | "Email" | "AutoNumber") {
            return Err(spec.must_not("externalId"));
        }
        let others = object.fields.iter().filter(|known| known.external_id && known.name != field.name).count();
        if others >= state.data.limits.external_ids {
            let message = "This operation would exceed the limit of external ids on this object";
            return Err(Refusal::new("CUSTOM_FIELD_INDEX_LIMIT_EXCEEDED", message));
        }
        (field.external_id, field.id_lookup) = (true, true);
    }
    if spec.kind == "Lookup" {
        let given = spec.component.text_of("deleteConstraint");
        if given.is_some_and(|given| !matches!(given, "SetNull" | "Restrict" | "Cascade")) {
            return Err(Refusal::integrity("'deleteConstraint' is one of SetNull, Restrict and Cascade"));
        }
        if !field.nillable && given == Some("SetNull") {
            // [K] The text.
            let message = "A required lookup cannot have the deleteConstraint SetNull";
            return Err(Refusal::integrity(message));
        }
        let constraint = given.unwrap_or(if field.nillable { "SetNull" } else { "Restrict" });
        field.cascade_delete = constraint == "Cascade";
        field.extra.delete_constraint = Some(constraint.to_owned());
    }
    if spec.kind == "Checkbox" && !field.calculated && spec.component.text_of("defaultValue").is_none() {
        return Err(spec.must("defaultValue"));
    }
    Ok(())
}

/// A default is a formula; literals take effect here, other formulas are kept.
fn default(spec: &Spec<'_>, field: &mut Field) {
    if let Some(value) = field.picklist_values.iter().find(|value| value.default) {
        field.default_value = Some(value.value.clone());
        field.defaulted_on_create = true;
    }
    let Some(formula) = spec.component.text_of("defaultValue") else { return };
    let quoted = formula.strip_prefix(['"', '\'']).and_then(|rest| rest.strip_suffix(['"', '\'']));
    let literal = match field.kind {
        FieldType::Boolean => Some(formula.to_ascii_lowercase()),
        FieldType::Double | FieldType::Currency | FieldType::Percent => {
            formula.parse::<rust_decimal::Decimal>().is_ok().then(|| formula.to_owned())
        }
        _ if field.is_text() => quoted.map(str::to_owned),
        _ => None,
    };
    field.default_value = field.default_value.take().or(literal);
    field.defaulted_on_create |= field.default_value.is_some();
    if field.kind != FieldType::Boolean {
        field.extra.default_formula = Some(formula.to_owned());
    }
}

/// What an existing field cannot become.
fn check_change(old: &Field, new: &Field, spec: &Spec<'_>) -> Result<(), Refusal> {
    let lookup = |field: &Field| (field.is_master_detail(), field.calculated, field.auto_number);
    if old.kind != new.kind || lookup(old) != lookup(new) || (new.length > 255) != (old.length > 255) {
        // [S] The text; [K] which changes Salesforce makes after all.
        return Err(Refusal::integrity(format!("Cannot update a field to a {} from something else", spec.kind)));
    }
    if old.reference_to != new.reference_to {
        return Err(Refusal::integrity("Cannot update referenceTo"));
    }
    Ok(())
}

pub(super) fn is_standard(state: &State, name: &str) -> bool {
    find(state, name).is_some_and(|(_, field)| !field.custom)
}

/// Of a standard field a deployment changes what is not fixed.
// Metadata guide, "CustomField": `trackHistory` of standard fields; [K] that the rest of them is passed over.
pub(super) fn change_standard(state: &mut State, name: &str, component: &Element) -> Result<(), Refusal> {
    let Some((object, field)) = find(state, name).map(|(object, field)| (object.name.clone(), field.name.clone()))
    else {
        return Err(unknown(Kind::Field, name));
    };
    let object = state.schema.object_mut(&object);
    let field = object.and_then(|object| object.fields.iter_mut().find(|known| known.name == field));
    if let (Some(field), Some(tracked)) = (field, component.flag("trackHistory")) {
        field.extra.track_history = tracked;
    }
    Ok(())
}

pub(super) fn delete(state: &mut State, name: &str) -> Result<(), Refusal> {
    let custom = split(name).and_then(|(object, field)| {
        let object = state.schema.object(object)?;
        let field = object.field(field).filter(|field| field.custom)?;
        Some((object.name.clone(), field.name.clone()))
    });
    let Some((object, field)) = custom else {
        // Recorded text and code (wire facts 4.2).
        let message = "This custom field does not exist or is not accessible";
        return Err(Refusal::new("INVALID_CROSS_REFERENCE_KEY", message));
    };
    super::checks::check_field_delete(state, &object, &field)?;
    super::layouts::remove_field(state, &object, &field);
    remove(state, &object, &field);
    Ok(())
}

/// Takes a field and its values away.
pub(super) fn remove(state: &mut State, object: &str, field: &str) {
    forget(state, object, field);
    for part in state.schema.object(object).into_iter().flat_map(|object| &object.fields) {
        if part.custom && part.compound_field_name.as_deref() == Some(field) {
            state.data.store.clear_field(object, &part.name);
        }
    }
    if let Some(object) = state.schema.object_mut(object) {
        let part = |known: &Field| known.custom && known.compound_field_name.as_deref() == Some(field);
        object.fields.retain(|known| known.name != field && !part(known));
        state.data.store.sync_table(object);
    }
}

/// Takes the values of a field and the permissions on it away.
pub(super) fn forget(state: &mut State, object: &str, field: &str) {
    state.data.store.clear_field(object, field);
    permission_sets::forget(state, "FieldPermissions", "Field", &format!("{object}.{field}"));
}

/// The component a name stands for.
pub(super) fn find<'s>(state: &'s State, name: &str) -> Option<(&'s Object, &'s Field)> {
    let (object, field) = split(name)?;
    let object = state.schema.object(object)?;
    Some((object, object.field(field)?))
}

/// Used where a missing field is an error of its own.
pub(super) fn missing(name: &str) -> Refusal {
    let mut refusal = unknown(Kind::Field, name);
    // [S] The text, of deployments.
    refusal.message = format!("In field: field - {}", refusal.message);
    refusal
}
