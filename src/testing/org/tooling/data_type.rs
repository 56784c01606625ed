//! Types of fields as the setup pages spell them.

use crate::testing::org::schema::{Field, FieldType, Object};

/// `DataType` of `FieldDefinition`: "as they are in the user interface" (Tooling API guide, `EntityParticle`).
///
/// [S] "Text(128) (External ID) (Unique Case Sensitive)", "Number(18, 0) (External ID) (Unique)", "Currency(16, 2)",
/// "Email (External ID) (Unique)", "Lookup(User,Group)", "Long Text Area(32768)", "Date/Time", from lists of fields that several projects
/// keep. [K] The others.
pub(super) fn of(object: &Object, field: &Field) -> String {
    let mut text = plain(object, field);
    if field.external_id {
        text.push_str(" (External ID)");
    }
    if field.unique {
        text.push_str(match (field.kind, field.case_sensitive) {
            (FieldType::String, true) => " (Unique Case Sensitive)",
            (FieldType::String, false) => " (Unique Case Insensitive)",
            _ => " (Unique)",
        });
    }
    text
}

fn plain(object: &Object, field: &Field) -> String {
    use FieldType as T;
    // The page counts the digits before the point.
    let digits = |name: &str| format!("{name}({}, {})", field.precision.saturating_sub(field.scale), field.scale);
    let person = object.field("LastName").is_some() || object.name == "Account";
    match field.kind {
        _ if field.auto_number => "Auto Number".to_owned(),
        _ if field.calculated && field.custom => format!("Formula ({})", formula(field.kind)),
        T::Id => "Lookup()".to_owned(),
        T::Reference if field.is_master_detail() => format!("Master-Detail({})", field.reference_to.join(",")),
        T::Reference => {
            // "Lookup(User,Group)" of an owner, whose describe has them in the order of their names.
            let mut targets: Vec<&str> = field.reference_to.iter().map(String::as_str).collect();
            targets.sort_by_key(|target| *target != "User");
            format!("Lookup({})", targets.join(","))
        }
        T::Boolean => "Checkbox".to_owned(),
        T::Int | T::Double => digits("Number"),
        T::Currency => digits("Currency"),
        T::Percent => digits("Percent"),
        T::Date => "Date".to_owned(),
        T::DateTime => "Date/Time".to_owned(),
        T::Time => "Time".to_owned(),
        T::String if field.name == "Name" && person => "Name".to_owned(),
        T::String => format!("Text({})", field.length),
        T::TextArea if field.extra.html => format!("Rich Text Area({})", field.length),
        T::TextArea if field.length > 255 => format!("Long Text Area({})", field.length),
        T::TextArea => format!("Text Area({})", field.length),
        T::Picklist | T::Combobox => "Picklist".to_owned(),
        T::MultiPicklist => "Picklist (Multi-Select)".to_owned(),
        T::Email => "Email".to_owned(),
        T::Phone if field.name.ends_with("Fax") => "Fax".to_owned(),
        T::Phone => "Phone".to_owned(),
        T::Url => format!("URL({})", field.length),
        T::EncryptedString => format!("Text (Encrypted)({})", field.length),
        T::Address => "Address".to_owned(),
        T::Location => "Geolocation".to_owned(),
        T::AnyType => "Text".to_owned(),
        T::Base64 => "Base64".to_owned(),
    }
}

fn formula(kind: FieldType) -> &'static str {
    use FieldType as T;
    match kind {
        T::Boolean => "Checkbox",
        T::Int | T::Double => "Number",
        T::Currency => "Currency",
        T::Percent => "Percent",
        T::Date => "Date",
        T::DateTime => "Date/Time",
        T::Time => "Time",
        _ => "Text",
    }
}
