//! The types of a field.

use std::fmt;

use super::value_set::ValueSet;
use super::words::words;
use super::{all, number, push_flag, push_text, some_number, text, within};
use crate::error::Result;
use crate::types::xml::Element;

/// A field's type and what goes with it.
///
/// In a file it is a table such as `{ type = "Number", precision = 18, scale = 0 }`, by the names of the Metadata API.
///
/// Source: Metadata API Developer Guide, "`CustomField`"; WSDL 63.0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// Text of one line.
    Text {
        /// Characters, 1 to 255.
        length: u32,
    },
    /// Text of several lines, 255 characters.
    TextArea,
    /// Long text. Cannot be filtered by.
    LongTextArea {
        /// Characters, 256 to 131,072.
        length: u32,
        /// Lines shown, 2 or more.
        visible_lines: u32,
    },
    /// Rich text. Cannot be filtered by.
    Html {
        /// Characters, 256 to 131,072, markup included.
        length: u32,
        /// Lines shown, 2 or more.
        visible_lines: u32,
    },
    /// A number.
    Number {
        /// Digits in all, at most 18.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// An amount in the record's currency.
    Currency {
        /// Digits in all, at most 18.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// A percentage; ten per cent is 10.
    Percent {
        /// Digits in all, at most 18.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// A checkbox; unchecked unless the field's default value is `true`.
    Checkbox,
    /// A day.
    Date,
    /// An instant.
    DateTime,
    /// A time of day.
    Time,
    /// An email address, 80 characters.
    Email,
    /// A telephone number, 40 characters.
    Phone,
    /// A link, 255 characters.
    Url,
    /// One of several values.
    Picklist {
        /// The values.
        values: ValueSet,
    },
    /// Any of several values.
    MultiselectPicklist {
        /// The values.
        values: ValueSet,
        /// Lines shown, 3 to 10.
        visible_lines: u32,
    },
    /// The id of another record.
    Lookup {
        /// The object it points to.
        reference_to: String,
        /// The children's name on the parent, without `__r`.
        relationship_name: String,
        /// Title of the related list.
        relationship_label: String,
        /// What becomes of the record when the other is deleted; Salesforce takes none for [`DeleteConstraint::SetNull`]. A required
        /// lookup cannot have that.
        delete_constraint: Option<DeleteConstraint>,
    },
    /// The id of the record that this one is part of. Always required.
    MasterDetail {
        /// The object it points to.
        reference_to: String,
        /// The children's name on the parent, without `__r`.
        relationship_name: String,
        /// Title of the related list.
        relationship_label: String,
        /// 0 for the primary relationship, 1 for the second of an object.
        relationship_order: u32,
        /// Whether Read on the parent is enough to change its children; else Edit is needed.
        write_requires_master_read: bool,
        /// Whether a child may be given to another parent.
        reparentable: bool,
    },
    /// A number that Salesforce counts up.
    AutoNumber {
        /// Such as `A-{0000}`.
        display_format: String,
        /// The first number.
        starting_number: Option<u32>,
    },
    /// Latitude and longitude, as `X__Latitude__s` and `X__Longitude__s`.
    Location {
        /// Digits after the point.
        scale: u32,
    },
    /// A value that Salesforce computes. Never written.
    Formula {
        /// The formula.
        formula: String,
        /// What it gives.
        result: FormulaResult,
        /// What an empty field counts as; Salesforce takes none for [`TreatBlanksAs::Zero`].
        treat_blanks_as: Option<TreatBlanksAs>,
    },
    /// A type that this library does not make, as it was read; empty for a standard field, of which only what was changed is told.
    Other(String),
}

/// What a formula gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormulaResult {
    /// Text.
    Text,
    /// A number.
    Number {
        /// Digits in all, at most 18.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// An amount.
    Currency {
        /// Digits in all, at most 18.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// A percentage.
    Percent {
        /// Digits in all, at most 18.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// Yes or no.
    Checkbox,
    /// A day.
    Date,
    /// An instant.
    DateTime,
    /// A time of day.
    Time,
}

words! {
    /// What becomes of a record when the record that it looks up is deleted.
    DeleteConstraint {
        /// The lookup becomes empty.
        SetNull = "SetNull",
        /// The other record cannot be deleted.
        Restrict = "Restrict",
        /// The record is deleted too.
        Cascade = "Cascade",
    }
}

words! {
    /// What an empty field counts as in a formula.
    TreatBlanksAs {
        /// Empty.
        Blank = "BlankAsBlank",
        /// Zero.
        Zero = "BlankAsZero",
    }
}

impl FieldKind {
    /// Text of one line, of 1 to 255 characters.
    #[must_use]
    pub fn text(length: u32) -> Self {
        Self::Text { length }
    }

    /// Long text of 256 to 131,072 characters, of which three lines are shown.
    #[must_use]
    pub fn long_text(length: u32) -> Self {
        Self::LongTextArea { length, visible_lines: 3 }
    }

    /// A number of so many digits in all, so many of them after the point.
    #[must_use]
    pub fn number(precision: u32, scale: u32) -> Self {
        Self::Number { precision, scale }
    }

    /// One of several values.
    #[must_use]
    pub fn picklist(values: ValueSet) -> Self {
        Self::Picklist { values }
    }

    /// Any of several values, four of which are shown at a time.
    #[must_use]
    pub fn multiselect_picklist(values: ValueSet) -> Self {
        Self::MultiselectPicklist { values, visible_lines: 4 }
    }

    /// The id of another record, emptied when that is deleted: object, the children's name on it, title of the related list.
    #[must_use]
    pub fn lookup(
        reference_to: impl Into<String>,
        relationship_name: impl Into<String>,
        relationship_label: impl Into<String>,
    ) -> Self {
        Self::Lookup {
            reference_to: reference_to.into(),
            relationship_name: relationship_name.into(),
            relationship_label: relationship_label.into(),
            delete_constraint: Some(DeleteConstraint::SetNull),
        }
    }

    /// The id of the record that this one is part of: object, the children's name on it, title of the related list.
    #[must_use]
    pub fn master_detail(
        reference_to: impl Into<String>,
        relationship_name: impl Into<String>,
        relationship_label: impl Into<String>,
    ) -> Self {
        Self::MasterDetail {
            reference_to: reference_to.into(),
            relationship_name: relationship_name.into(),
            relationship_label: relationship_label.into(),
            relationship_order: 0,
            write_requires_master_read: false,
            reparentable: false,
        }
    }

    /// A number that Salesforce counts up, such as `A-{0000}`.
    #[must_use]
    pub fn auto_number(display_format: impl Into<String>) -> Self {
        Self::AutoNumber { display_format: display_format.into(), starting_number: None }
    }

    /// A value that Salesforce computes.
    #[must_use]
    pub fn formula(result: FormulaResult, formula: impl Into<String>) -> Self {
        Self::Formula { formula: formula.into(), result, treat_blanks_as: None }
    }

    /// The type's name in the Metadata API, such as `LongTextArea`; a formula has that of its result.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::Text { .. } => "Text",
            Self::TextArea => "TextArea",
            Self::LongTextArea { .. } => "LongTextArea",
            Self::Html { .. } => "Html",
            Self::Number { .. } => "Number",
            Self::Currency { .. } => "Currency",
            Self::Percent { .. } => "Percent",
            Self::Checkbox => "Checkbox",
            Self::Date => "Date",
            Self::DateTime => "DateTime",
            Self::Time => "Time",
            Self::Email => "Email",
            Self::Phone => "Phone",
            Self::Url => "Url",
            Self::Picklist { .. } => "Picklist",
            Self::MultiselectPicklist { .. } => "MultiselectPicklist",
            Self::Lookup { .. } => "Lookup",
            Self::MasterDetail { .. } => "MasterDetail",
            Self::AutoNumber { .. } => "AutoNumber",
            Self::Location { .. } => "Location",
            Self::Formula { result, .. } => result.type_name(),
            Self::Other(name) => name,
        }
    }

    /// Adds what goes with the type, in no order.
    pub(super) fn write(&self, element: &mut Element) {
        push_text(element, "type", self.type_name());
        match self {
            Self::Text { length } => {
                element.push(Element::leaf("length", length));
            }
            Self::LongTextArea { length, visible_lines } | Self::Html { length, visible_lines } => {
                element.push(Element::leaf("length", length));
                element.push(Element::leaf("visibleLines", visible_lines));
            }
            Self::Number { precision, scale }
            | Self::Currency { precision, scale }
            | Self::Percent { precision, scale } => push_digits(element, *precision, *scale),
            Self::Picklist { values } => {
                element.push(within("valueSet", values));
            }
            Self::MultiselectPicklist { values, visible_lines } => {
                element.push(within("valueSet", values));
                element.push(Element::leaf("visibleLines", visible_lines));
            }
            Self::Lookup { reference_to, relationship_name, relationship_label, delete_constraint } => {
                push_parent(element, reference_to, relationship_name, relationship_label);
                element.push_some("deleteConstraint", delete_constraint.as_ref());
            }
            Self::MasterDetail {
                reference_to,
                relationship_name,
                relationship_label,
                relationship_order,
                write_requires_master_read,
                reparentable,
            } => {
                push_parent(element, reference_to, relationship_name, relationship_label);
                element.push(Element::leaf("relationshipOrder", relationship_order));
                push_flag(element, "writeRequiresMasterRead", *write_requires_master_read);
                push_flag(element, "reparentableMasterDetail", *reparentable);
            }
            Self::AutoNumber { display_format, starting_number } => {
                push_text(element, "displayFormat", display_format);
                element.push_some("startingNumber", *starting_number);
            }
            Self::Location { scale } => {
                element.push(Element::leaf("scale", scale));
            }
            Self::Formula { formula, result, treat_blanks_as } => {
                element.push(Element::leaf("formula", formula));
                element.push_some("formulaTreatBlanksAs", treat_blanks_as.as_ref());
                if let FormulaResult::Number { precision, scale }
                | FormulaResult::Currency { precision, scale }
                | FormulaResult::Percent { precision, scale } = result
                {
                    push_digits(element, *precision, *scale);
                }
            }
            Self::TextArea
            | Self::Checkbox
            | Self::Date
            | Self::DateTime
            | Self::Time
            | Self::Email
            | Self::Phone
            | Self::Url
            | Self::Other(_) => {}
        }
    }

    pub(super) fn read(element: &Element) -> Result<Self> {
        let name = element.text_of("type").unwrap_or_default();
        if let Some(formula) = element.text_of("formula")
            && let Some(result) = FormulaResult::read(name, element)?
        {
            let treat_blanks_as = element.text_of("formulaTreatBlanksAs").map(TreatBlanksAs::from);
            return Ok(Self::Formula { formula: formula.to_owned(), result, treat_blanks_as });
        }
        let (precision, scale) = (|| number(element, "precision"), || number(element, "scale"));
        let (length, visible_lines) = (|| number(element, "length"), || number(element, "visibleLines"));
        let values = || all(element, "valueSet").map(|sets| sets.into_iter().next().unwrap_or_default());
        Ok(match name {
            "Text" => Self::Text { length: length()? },
            "TextArea" => Self::TextArea,
            "LongTextArea" => Self::LongTextArea { length: length()?, visible_lines: visible_lines()? },
            "Html" => Self::Html { length: length()?, visible_lines: visible_lines()? },
            "Number" => Self::Number { precision: precision()?, scale: scale()? },
            "Currency" => Self::Currency { precision: precision()?, scale: scale()? },
            "Percent" => Self::Percent { precision: precision()?, scale: scale()? },
            "Checkbox" => Self::Checkbox,
            "Date" => Self::Date,
            "DateTime" => Self::DateTime,
            "Time" => Self::Time,
            "Email" => Self::Email,
            "Phone" => Self::Phone,
            "Url" => Self::Url,
            // A standard picklist has its values in a component of their own.
            "Picklist" if element.child("valueSet").is_some() => Self::Picklist { values: values()? },
            "MultiselectPicklist" if element.child("valueSet").is_some() => {
                Self::MultiselectPicklist { values: values()?, visible_lines: visible_lines()? }
            }
            "Lookup" => Self::Lookup {
                reference_to: text(element, "referenceTo"),
                relationship_name: text(element, "relationshipName"),
                relationship_label: text(element, "relationshipLabel"),
                delete_constraint: element.text_of("deleteConstraint").map(DeleteConstraint::from),
            },
            "MasterDetail" => Self::MasterDetail {
                reference_to: text(element, "referenceTo"),
                relationship_name: text(element, "relationshipName"),
                relationship_label: text(element, "relationshipLabel"),
                relationship_order: number(element, "relationshipOrder")?,
                write_requires_master_read: element.flag_of("writeRequiresMasterRead").unwrap_or(false),
                reparentable: element.flag_of("reparentableMasterDetail").unwrap_or(false),
            },
            "AutoNumber" => Self::AutoNumber {
                display_format: text(element, "displayFormat"),
                starting_number: some_number(element, "startingNumber")?,
            },
            "Location" => Self::Location { scale: scale()? },
            other => Self::Other(other.to_owned()),
        })
    }
}

impl FormulaResult {
    fn type_name(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number { .. } => "Number",
            Self::Currency { .. } => "Currency",
            Self::Percent { .. } => "Percent",
            Self::Checkbox => "Checkbox",
            Self::Date => "Date",
            Self::DateTime => "DateTime",
            Self::Time => "Time",
        }
    }

    fn read(name: &str, element: &Element) -> Result<Option<Self>> {
        let (precision, scale) = (number(element, "precision")?, number(element, "scale")?);
        Ok(Some(match name {
            "Text" => Self::Text,
            "Number" => Self::Number { precision, scale },
            "Currency" => Self::Currency { precision, scale },
            "Percent" => Self::Percent { precision, scale },
            "Checkbox" => Self::Checkbox,
            "Date" => Self::Date,
            "DateTime" => Self::DateTime,
            "Time" => Self::Time,
            _ => return Ok(None),
        }))
    }
}

fn push_digits(element: &mut Element, precision: u32, scale: u32) {
    element.push(Element::leaf("precision", precision));
    element.push(Element::leaf("scale", scale));
}

fn push_parent(element: &mut Element, reference_to: &str, name: &str, label: &str) {
    push_text(element, "referenceTo", reference_to);
    push_text(element, "relationshipName", name);
    push_text(element, "relationshipLabel", label);
}

impl fmt::Display for FieldKind {
    /// As Setup shows a type: `Number(15, 3)` has 15 digits before the point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = |f: &mut fmt::Formatter<'_>, name: &str, precision: u32, scale: u32| {
            write!(f, "{name}({}, {scale})", precision.saturating_sub(scale))
        };
        match self {
            Self::Text { length } => write!(f, "Text({length})"),
            Self::TextArea => f.write_str("Text Area(255)"),
            Self::LongTextArea { length, .. } => write!(f, "Long Text Area({length})"),
            Self::Html { length, .. } => write!(f, "Rich Text Area({length})"),
            Self::Number { precision, scale } => digits(f, "Number", *precision, *scale),
            Self::Currency { precision, scale } => digits(f, "Currency", *precision, *scale),
            Self::Percent { precision, scale } => digits(f, "Percent", *precision, *scale),
            Self::DateTime => f.write_str("Date/Time"),
            Self::Url => f.write_str("URL"),
            Self::MultiselectPicklist { .. } => f.write_str("Picklist (Multi-Select)"),
            Self::Lookup { reference_to, relationship_name, .. } => {
                write!(f, "Lookup({reference_to} as {relationship_name})")
            }
            Self::MasterDetail { reference_to, relationship_name, .. } => {
                write!(f, "Master-Detail({reference_to} as {relationship_name})")
            }
            Self::AutoNumber { .. } => f.write_str("Auto Number"),
            Self::Location { .. } => f.write_str("Geolocation"),
            Self::Formula { result, .. } => write!(f, "Formula ({})", result.type_name()),
            Self::Other(name) if name.is_empty() => f.write_str("a standard type"),
            Self::Checkbox
            | Self::Date
            | Self::Time
            | Self::Email
            | Self::Phone
            | Self::Picklist { .. }
            | Self::Other(_) => f.write_str(self.type_name()),
        }
    }
}
