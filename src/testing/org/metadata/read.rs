//! `readMetadata`: components as the org would hand them out.

use super::super::schema::{Field, FieldType, Object};
use super::super::state::State;
use super::super::value::{Row, Value};
use super::super::xml::{Element, Node};
use super::permission_sets::{self, OBJECT_COLUMNS, is, text};
use super::{Fault, Kind, fields, names, stored};

pub(super) fn read(state: &State, version: u32, call: &Element) -> Result<Node, Fault> {
    let kind = Kind::of_call(call.text_of("type").unwrap_or_default())?;
    let records = names(call)?.into_iter().map(|name| {
        let found = node(state, version, kind, name, Node::typed("records", kind.name()));
        // [K] wire facts 4.2
        found.unwrap_or_else(|| Node::nil("records"))
    });
    let result = Node::new("result").children(records.collect::<Vec<_>>());
    Ok(Node::new("readMetadataResponse").children([result]))
}

/// A component in an element, as an API of that version has it.
pub(super) fn node(state: &State, version: u32, kind: Kind, name: &str, element: Node) -> Option<Node> {
    match kind {
        Kind::Object => {
            let found = state.schema.object(name)?;
            Some(object(element, found).children(stored::parts(state, kind, &found.name)).in_wsdl_order())
        }
        Kind::Field => fields::find(state, name).map(|(object, found)| {
            let full_name = format!("{}.{}", object.name, found.name);
            field(element, object, found, &full_name)
        }),
        Kind::PermissionSet => {
            permission_sets::find(state, name).map(|row| permission_set(element, state, version, row))
        }
        kind => stored::node(state, kind, name, element),
    }
}

/// A field as an object's file has it.
pub(super) fn field_of(object: &Object, found: &Field) -> Node {
    field(Node::new("fields"), object, found, &found.name)
}

/// Elements and their order as in recorded: metadata-files/Property__c.object, sorted as the WSDL has them.
fn object(element: Node, object: &Object) -> Node {
    let mut node = element.with("fullName", &object.name);
    if !object.custom {
        for (name, value) in &object.extra.switches {
            node.push(Node::leaf(name.clone(), value));
        }
        node = node.maybe("sharingModel", object.extra.sharing_model.as_deref());
    }
    if object.custom {
        let switch =
            |name: &str, default: &str| object.extra.switches.get(name).cloned().unwrap_or_else(|| default.to_owned());
        for (name, default) in [
            ("allowInChatterGroups", "false"),
            ("enableActivities", "false"),
            ("enableBulkApi", "true"),
            ("enableFeeds", "false"),
            ("enableHistory", "false"),
            ("enableLicensing", "false"),
            ("enableReports", "false"),
            ("enableSearch", "true"),
            ("enableSharing", "true"),
            ("enableStreamingApi", "true"),
        ] {
            node = node.with(name, switch(name, default));
        }
        node = node
            .with("deploymentStatus", object.extra.deployment_status.as_deref().unwrap_or("Deployed"))
            .maybe("description", object.extra.description.as_deref())
            .with("label", &object.label)
            .with("pluralLabel", &object.label_plural)
            .with("sharingModel", object.extra.sharing_model.as_deref().unwrap_or("ReadWrite"))
            .with("visibility", "Public");
        node.push(name_field(object));
    }
    let mut custom: Vec<&Field> =
        object.fields.iter().filter(|field| field.custom && field.name.ends_with("__c")).collect();
    custom.sort_by(|left, right| left.name.cmp(&right.name));
    let children = custom.into_iter().map(|found| field_of(object, found));
    node.children(children).in_wsdl_order()
}

fn name_field(object: &Object) -> Node {
    let node = Node::new("nameField");
    let Some(name) = object.fields.iter().find(|field| field.name_field) else { return node };
    let format = name.default_value.as_deref().filter(|_| name.auto_number);
    node.maybe("displayFormat", format)
        .with("label", &name.label)
        .flag("trackHistory", false)
        .with("type", if name.auto_number { "AutoNumber" } else { "Text" })
}

/// The type's name in metadata.
fn type_of(field: &Field) -> &'static str {
    use FieldType as T;
    match field.kind {
        T::String if field.auto_number => "AutoNumber",
        T::Reference if field.is_master_detail() => "MasterDetail",
        T::Reference => "Lookup",
        T::Boolean => "Checkbox",
        T::Int | T::Double => "Number",
        T::Currency => "Currency",
        T::Percent => "Percent",
        T::Date => "Date",
        T::DateTime => "DateTime",
        T::Time => "Time",
        T::TextArea if field.extra.html => "Html",
        T::TextArea if field.length > 255 => "LongTextArea",
        T::TextArea => "TextArea",
        T::Picklist | T::Combobox => "Picklist",
        T::MultiPicklist => "MultiselectPicklist",
        T::Email => "Email",
        T::Phone => "Phone",
        T::Url => "Url",
        T::EncryptedString => "EncryptedText",
        T::Address => "Address",
        T::Location => "Location",
        _ => "Text",
    }
}

/// A custom field by itself.
pub(super) fn field_node(object: &Object, found: &Field) -> Node {
    field(Node::new("Metadata"), object, found, &found.name)
}

fn field(node: Node, object: &Object, field: &Field, full_name: &str) -> Node {
    let kind = type_of(field);
    let mut node = node.with("fullName", full_name);
    if !field.custom {
        // [K] Of standard fields little is read.
        let tracked = Some("true").filter(|_| field.extra.track_history);
        return node.with("label", &field.label).maybe("trackHistory", tracked).with("type", kind).in_wsdl_order();
    }
    let number = |number: u32| number.to_string();
    node = node
        .maybe("description", field.extra.description.as_deref())
        .maybe("inlineHelpText", field.extra.inline_help_text.as_deref())
        .maybe("visibleLines", field.extra.visible_lines.map(number))
        .flag("externalId", field.external_id)
        .with("label", &field.label)
        .flag("trackTrending", false)
        .with("type", kind);
    let tracks = !object.custom || object.extra.switches.get("enableHistory").is_some_and(|flag| flag == "true");
    if tracks {
        node = node.flag("trackHistory", field.extra.track_history);
    }
    if let Some(formula) = &field.extra.formula {
        // recorded: metadata-files/Property__c.object
        let digits = matches!(kind, "Number" | "Currency" | "Percent").then(|| number(field.scale));
        let blanks = field.extra.formula_blanks.as_deref();
        let node = node.with("formula", formula).maybe("formulaTreatBlanksAs", blanks);
        return node
            .maybe("precision", digits.as_ref().map(|_| number(field.precision)))
            .maybe("scale", digits)
            .in_wsdl_order();
    }
    if !matches!(kind, "Checkbox" | "LongTextArea" | "Html" | "MasterDetail" | "AutoNumber" | "Location") {
        node = node.flag("required", !field.nillable);
    }
    if matches!(kind, "Text" | "Number" | "Email") {
        node = node.flag("unique", field.unique);
    }
    node = match kind {
        "Text" if field.unique => node.flag("caseSensitive", field.case_sensitive).with("length", number(field.length)),
        "Text" | "LongTextArea" | "Html" => node.with("length", number(field.length)),
        "Number" | "Currency" | "Percent" => {
            node.with("precision", number(field.precision)).with("scale", number(field.scale))
        }
        "AutoNumber" => node.maybe("displayFormat", field.default_value.as_deref()),
        "Location" => {
            let decimal = field.extra.in_decimal.map(|flag| flag.to_string());
            node.maybe("displayLocationInDecimal", decimal).with("scale", number(field.scale))
        }
        "Lookup" | "MasterDetail" => relationship(node, field, kind),
        "Picklist" | "MultiselectPicklist" => node.children([value_set(field)]),
        _ => node,
    };
    let default = match kind {
        "Checkbox" => Some(field.default_value.clone().unwrap_or_else(|| "false".to_owned())),
        "Picklist" | "MultiselectPicklist" => None,
        _ => field.extra.default_formula.clone(),
    };
    node.maybe("defaultValue", default).in_wsdl_order()
}

fn relationship(node: Node, field: &Field, kind: &str) -> Node {
    let name = field.child_relationship_name.as_deref();
    let node = node
        .maybe("referenceTo", field.reference_to.first())
        .maybe("relationshipLabel", field.extra.relationship_label.as_deref())
        .maybe("relationshipName", name.map(|name| name.strip_suffix("__r").unwrap_or(name)));
    if kind == "Lookup" {
        return node.with("deleteConstraint", field.extra.delete_constraint.as_deref().unwrap_or("SetNull"));
    }
    node.with("relationshipOrder", "0")
        .flag("reparentableMasterDetail", field.updateable)
        .flag("writeRequiresMasterRead", false)
}

fn value_set(field: &Field) -> Node {
    let values = field.picklist_values.iter().map(|value| {
        let mut node = Node::new("value").with("fullName", &value.value).flag("default", value.default);
        if !value.active {
            node = node.flag("isActive", false);
        }
        node.with("label", &value.label)
    });
    let definition = Node::new("valueSetDefinition").flag("sorted", field.extra.sorted).children(values);
    let mut set = Node::new("valueSet");
    if field.restricted_picklist {
        set = set.flag("restricted", true);
    }
    set.children([definition])
}

/// recorded: metadata-soap/readMetadata-permissionset.xml. [D] From 54.0 on only what is enabled; [K] before as well.
fn permission_set(element: Node, state: &State, version: u32, row: &Row) -> Node {
    let id = text(row, "Id");
    let description = Some(text(row, "Description")).filter(|text| !text.is_empty());
    let license = state.data.store.find(text(row, "LicenseId")).map(|(row, _)| text(row, "Name"));
    let mut node = element
        .with("fullName", text(row, "Name"))
        .maybe("description", description)
        .flag("hasActivationRequired", is(row, "HasActivationRequired"))
        .with("label", text(row, "Label"))
        .maybe("license", license);
    let sorted = |object: &str, column: &str| {
        let mut rows = permission_sets::rows_of(state, object, id);
        rows.sort_by(|left, right| text(left, column).cmp(text(right, column)));
        rows
    };
    for rights in sorted("FieldPermissions", "Field") {
        let rights = Node::new("fieldPermissions")
            .flag("editable", is(rights, "PermissionsEdit"))
            .with("field", text(rights, "Field"))
            .flag("readable", is(rights, "PermissionsRead"));
        node.push(rights);
    }
    for rights in sorted("ObjectPermissions", "SobjectType") {
        // The WSDL of 63.0 has `viewAllFields`. [K] That those before have not.
        let columns = OBJECT_COLUMNS.iter().filter(|(element, _)| version >= 63 || *element != "viewAllFields");
        let flags = columns.fold(Node::new("objectPermissions"), |node, (element, column)| {
            node.flag(element, is(rights, &format!("Permissions{column}")))
        });
        node.push(flags.with("object", text(rights, "SobjectType")).in_wsdl_order());
    }
    let on = |(name, value): (&String, &Value)| {
        (*value == Value::Bool(true)).then(|| name.strip_prefix("Permissions").map(str::to_owned)).flatten()
    };
    let enabled: Vec<String> = row.iter().filter_map(on).collect();
    for name in enabled {
        node.push(Node::new("userPermissions").flag("enabled", true).with("name", name));
    }
    node.children(state.components.grants.get(id).into_iter().flatten().map(Node::of)).in_wsdl_order()
}
