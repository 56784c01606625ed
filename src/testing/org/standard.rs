//! The standard objects, read from a table of facts.
//!
//! `standard/objects.txt` holds a line per field: `Name type(length | precision,scale) flags`, flags as in describe: n
//! nillable, c createable, u updateable, d defaultedOnCreate, i idLookup, `!` no field-level security. Segments after `#`
//! say what does not follow from the name: `label`, `values` (a `*` marks the default), `restricted`, `parent` and
//! `children` (relationship names, `-` for none), `cascade`, `unfiltered` (neither filter nor order). Sources: recorded: describe/*.json for Account, Contact, Lead,
//! Opportunity, Event and `OpportunityContactRole`; the Object Reference for the others; [K] where that gives no property.

use super::schema::{Field, FieldType, Object, ObjectExtra, PicklistValue, Schema};

const TABLE: &str = include_str!("standard/objects.txt");

/// The schema of an org nobody has customised.
pub(crate) fn schema() -> Schema {
    read(TABLE)
}

/// The objects of a table.
pub(crate) fn read(table: &str) -> Schema {
    let mut schema = Schema::default();
    for block in table.split("\n\n") {
        let mut lines = block.lines();
        let Some(head) = lines.next() else { continue };
        let mut object = read_object(head);
        for line in lines {
            let field = read_field(line.trim(), &object);
            object.fields.push(field);
        }
        join_compounds(&mut object);
        schema.insert(object);
    }
    schema
}

fn read_object(head: &str) -> Object {
    let mut segments = head.split(" # ");
    let mut words = segments.next().unwrap_or_default().split(' ').skip(1);
    let name = words.next().unwrap_or_default().to_owned();
    let prefix = words.next().unwrap_or_default().to_owned();
    let (mut label, mut can) = ((name.clone(), name.clone()), Vec::new());
    for segment in segments {
        match segment.split_once(' ') {
            Some(("label", text)) => {
                let (one, many) = text.split_once('|').unwrap_or((text, text));
                label = (one.to_owned(), many.to_owned());
            }
            Some(("can", text)) => can = text.split(' ').collect(),
            _ => {}
        }
    }
    let can = |word| can.contains(&word);
    Object {
        name,
        label: label.0,
        label_plural: label.1,
        key_prefix: (prefix != "-").then_some(prefix),
        custom: false,
        createable: can("create"),
        updateable: can("update"),
        deletable: can("delete"),
        undeletable: can("undelete"),
        queryable: true,
        replicateable: can("replicate"),
        searchable: can("search"),
        triggerable: can("trigger"),
        mergeable: can("merge"),
        layoutable: can("layout"),
        feed_enabled: can("feed"),
        open: true,
        extra: ObjectExtra::default(),
        fields: Vec::new(),
    }
}

fn read_field(line: &str, object: &Object) -> Field {
    let mut segments = line.split(" # ");
    let mut words = segments.next().unwrap_or_default().split(' ');
    let (name, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let flags = words.next().unwrap_or_default();
    let (kind, argument) = kind.strip_suffix(')').and_then(|kind| kind.split_once('(')).unwrap_or((kind, ""));
    let mut field = Field::new(name, &label_of(name, kind, object), field_type(kind));
    match field.kind {
        FieldType::Reference => {
            field.reference_to = argument.split('|').filter(|target| !target.is_empty()).map(str::to_owned).collect();
            field.relationship_name = name.strip_suffix("Id").map(str::to_owned);
        }
        // Describe gives the digits of an int apart and its precision as 0.
        FieldType::Int => field.precision = argument.parse().unwrap_or(9),
        FieldType::Double | FieldType::Currency | FieldType::Percent => {
            let (precision, scale) = argument.split_once(',').unwrap_or((argument, "0"));
            field.precision = precision.parse().unwrap_or(18);
            field.scale = scale.parse().unwrap_or(0);
        }
        // Bytes have no length in describe.
        FieldType::Base64 => {}
        _ if field.is_text() => field = field.with_length(argument.parse().unwrap_or(255)),
        _ => {}
    }
    field.nillable = flags.contains('n');
    field.createable = flags.contains('c');
    field.updateable = flags.contains('u');
    field.defaulted_on_create = flags.contains('d');
    field.id_lookup = flags.contains('i');
    field.permissionable = !flags.contains('!');
    field.name_field = name == name_field_of(&object.name);
    for segment in segments {
        read_segment(&mut field, segment);
    }
    field
}

fn read_segment(field: &mut Field, segment: &str) {
    let (key, text) = segment.split_once(' ').unwrap_or((segment, ""));
    let name = || (text != "-").then(|| text.to_owned());
    match key {
        "label" => text.clone_into(&mut field.label),
        "parent" => field.relationship_name = name(),
        "children" => field.child_relationship_name = name(),
        "cascade" => field.cascade_delete = true,
        "unfiltered" => (field.filterable, field.sortable) = (false, false),
        "restricted" => field.restricted_picklist = true,
        "values" => {
            for value in text.split(", ") {
                let (value, default) = value.strip_suffix('*').map_or((value, false), |value| (value, true));
                if default {
                    field.default_value = Some(value.to_owned());
                }
                let (value, label) = (value.to_owned(), value.to_owned());
                field.picklist_values.push(PicklistValue { value, label, active: true, default });
            }
        }
        _ => {}
    }
}

fn field_type(word: &str) -> FieldType {
    match word {
        "id" => FieldType::Id,
        "ref" => FieldType::Reference,
        "boolean" => FieldType::Boolean,
        "int" => FieldType::Int,
        "double" => FieldType::Double,
        "currency" => FieldType::Currency,
        "percent" => FieldType::Percent,
        "date" => FieldType::Date,
        "datetime" => FieldType::DateTime,
        "textarea" => FieldType::TextArea,
        "picklist" => FieldType::Picklist,
        "combobox" => FieldType::Combobox,
        "email" => FieldType::Email,
        "phone" => FieldType::Phone,
        "url" => FieldType::Url,
        "address" => FieldType::Address,
        "time" => FieldType::Time,
        "base64" => FieldType::Base64,
        "anyType" => FieldType::AnyType,
        _ => FieldType::String,
    }
}

/// The field people know a record by.
fn name_field_of(object: &str) -> &'static str {
    match object {
        "Event" | "Task" => "Subject",
        "OpportunityStage" | "LeadStatus" | "PermissionSetLicense" => "MasterLabel",
        "ContentDocument" | "ContentVersion" => "Title",
        "PermissionSet" => "Label",
        _ => "Name",
    }
}

/// `BillingPostalCode` is "Billing Postal Code", `OwnerId` "Owner ID", `IsWon` "Won"; an object's `Id` carries its label.
fn label_of(name: &str, kind: &str, object: &Object) -> String {
    if name == "Id" {
        return format!("{} ID", object.label);
    }
    let flag = name.strip_prefix("Is").filter(|rest| kind == "boolean" && rest.starts_with(|c: char| c.is_uppercase()));
    match (flag, name.strip_suffix("Id").filter(|_| kind == "ref")) {
        (Some(rest), _) => split_words(rest),
        (_, Some(rest)) => format!("{} ID", split_words(rest)),
        _ => split_words(name),
    }
}

/// Blanks between the words of a camel-case name.
fn split_words(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut words = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| letters[index]);
        let after = letters.get(index + 1);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase() && before.is_uppercase())
            });
        if starts_word {
            words.push(' ');
        }
        words.push(letter);
    }
    words
}

/// Parts of addresses and of persons' names know the field they belong to.
fn join_compounds(object: &mut Object) {
    const PARTS: [&str; 10] = [
        "Street",
        "City",
        "State",
        "PostalCode",
        "Country",
        "StateCode",
        "CountryCode",
        "Latitude",
        "Longitude",
        "GeocodeAccuracy",
    ];
    let compounds: Vec<String> =
        object.fields.iter().filter(|field| field.kind == FieldType::Address).map(|field| field.name.clone()).collect();
    let person = object.fields.iter().any(|field| field.name == "FirstName");
    for field in &mut object.fields {
        for compound in &compounds {
            let prefix = compound.strip_suffix("Address").unwrap_or_default();
            if field.name.strip_prefix(prefix).is_some_and(|part| PARTS.contains(&part)) {
                field.compound_field_name = Some(compound.clone());
            }
        }
        if person && matches!(field.name.as_str(), "FirstName" | "LastName" | "Salutation") {
            field.compound_field_name = Some("Name".to_owned());
        }
        if matches!(field.name.as_str(), "FiscalQuarter" | "FiscalYear") {
            field.compound_field_name = Some("Fiscal".to_owned());
        }
        // recorded: describe/Account.describe.2026-v58.json; it may be a person's.
        if object.name == "Account" && field.name == "Name" {
            field.compound_field_name = Some("Name".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_to_its_end() {
        let schema = schema();
        assert_eq!(schema.objects().count(), 30);
        for object in schema.objects() {
            assert_eq!(object.fields[0].name, "Id", "{}", object.name);
            assert!(object.key_prefix.as_ref().is_some_and(|prefix| prefix.len() == 3), "{}", object.name);
            for field in &object.fields {
                assert!(field.kind != FieldType::String || field.length > 0, "{}.{}", object.name, field.name);
            }
        }
    }

    #[test]
    fn a_line_becomes_a_field() {
        let schema = schema();
        let stage = schema.object("Opportunity").and_then(|object| object.field("stagename")).unwrap();
        assert_eq!((stage.label.as_str(), stage.length, stage.picklist_values.len()), ("Stage", 255, 10));
        assert!(stage.required_on_create() && !stage.permissionable && !stage.restricted_picklist);
        let email = schema.object("Contact").and_then(|object| object.field("Email")).unwrap();
        assert!(email.id_lookup && email.nillable);
        let (child, reference) = schema.children("Account", "Contacts").unwrap();
        assert_eq!((child.name.as_str(), reference.name.as_str()), ("Contact", "AccountId"));
        assert!(reference.cascade_delete);
        let street = schema.object("Account").and_then(|object| object.field("BillingStreet")).unwrap();
        assert_eq!(street.compound_field_name.as_deref(), Some("BillingAddress"));
    }

    #[test]
    fn labels_follow_from_names() {
        assert_eq!(split_words("BillingPostalCode"), "Billing Postal Code");
        assert_eq!(split_words("LastCURequestDate"), "Last CU Request Date");
    }
}
