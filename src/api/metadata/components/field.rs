//! Custom fields.

use super::{Component, FieldKind, Rest, component, flag, push_flag, push_text, sealed::Wire, some_text, text};
use crate::error::Result;
use crate::types::xml::Element;

/// A custom field of a custom or standard object.
///
/// What was read keeps what this type does not name (lookup filters, roll-up summaries, data classification), so that a change
/// writes it back. In a file it is a table by the names of the Metadata API; unknown keys, and keys that do not go with the type, are
/// errors:
///
/// ```toml
/// fullName = "Account.Score__c"
/// label = "Score"
/// type = "Number"
/// precision = 18
/// scale = 0
/// trackHistory = true
/// ```
///
/// ```
/// use sforce::api::metadata::{CustomField, FieldKind};
///
/// let key = CustomField::new("Session__c.Key__c", "Key", FieldKind::text(80)).unique().case_sensitive().external_id();
/// assert_eq!(key.object(), "Session__c");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the API's own flags")]
pub struct CustomField {
    /// Object and API name, such as `Account.Score__c`; the API name alone in what is read with its object.
    pub full_name: String,
    /// Label, at most 40 characters. Empty for a standard field that keeps its own.
    pub label: String,
    /// What the field holds; at most 1,000 characters.
    pub description: Option<String>,
    /// What people who fill it in should know; at most 510 characters.
    pub inline_help_text: Option<String>,
    /// Type and what goes with it.
    pub kind: FieldKind,
    /// What new records have: a formula, or `true` or `false` for a checkbox.
    pub default_value: Option<String>,
    /// Whether a record without it is refused. A checkbox and a long text cannot be.
    pub required: bool,
    /// Whether no two records have the same value.
    pub unique: bool,
    /// Whether unique values differ by case too; text only.
    pub case_sensitive: bool,
    /// Whether upserts may name records by it: text, number, email or auto-number. At most 25 of an object.
    pub external_id: bool,
    /// Whether its changes are kept; wants the history of the object enabled. At most 20 fields of an object.
    pub track_history: bool,
    #[doc(hidden)]
    pub rest: Rest,
}

component!(CustomField);

impl CustomField {
    /// A field that may be empty, by object and API name such as `Account.Score__c`, its label and its type.
    #[must_use]
    pub fn new(full_name: impl Into<String>, label: impl Into<String>, kind: FieldKind) -> Self {
        Self {
            full_name: full_name.into(),
            label: label.into(),
            description: None,
            inline_help_text: None,
            kind,
            default_value: None,
            required: false,
            unique: false,
            case_sensitive: false,
            external_id: false,
            track_history: false,
            rest: Rest::default(),
        }
    }

    /// Says what the field holds.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Tells people what to fill in.
    #[must_use]
    pub fn inline_help_text(mut self, text: impl Into<String>) -> Self {
        self.inline_help_text = Some(text.into());
        self
    }

    /// What new records have: a formula, or `true` or `false` for a checkbox.
    #[must_use]
    pub fn default_value(mut self, formula: impl Into<String>) -> Self {
        self.default_value = Some(formula.into());
        self
    }

    /// A record without it is refused.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// No two records have the same value.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// Unique values differ by case too.
    #[must_use]
    pub fn case_sensitive(mut self) -> Self {
        self.case_sensitive = true;
        self
    }

    /// Upserts may name records by it.
    #[must_use]
    pub fn external_id(mut self) -> Self {
        self.external_id = true;
        self
    }

    /// Its changes are kept.
    #[must_use]
    pub fn track_history(mut self) -> Self {
        self.track_history = true;
        self
    }

    /// The object's API name; empty in what is read with its object.
    #[must_use]
    pub fn object(&self) -> &str {
        self.full_name().split_once('.').map_or("", |(object, _)| object)
    }

    /// The field's API name without its object.
    #[must_use]
    pub fn name(&self) -> &str {
        self.full_name().split_once('.').map_or(self.full_name(), |(_, name)| name)
    }

    fn is_plain_checkbox(&self) -> bool {
        self.kind == FieldKind::Checkbox
    }
}

impl Wire for CustomField {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        push_flag(element, "caseSensitive", self.case_sensitive);
        // A checkbox is refused without one.
        let unchecked = self.is_plain_checkbox().then_some("false");
        element.push_some("defaultValue", self.default_value.as_deref().or(unchecked));
        element.push_some("description", self.description.as_ref());
        push_flag(element, "externalId", self.external_id);
        element.push_some("inlineHelpText", self.inline_help_text.as_ref());
        push_text(element, "label", &self.label);
        // Recorded: a checkbox with `required`, even false, is refused.
        push_flag(element, "required", self.required);
        push_flag(element, "trackHistory", self.track_history);
        push_flag(element, "unique", self.unique);
        self.kind.write(element);
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let kind = FieldKind::read(element)?;
        let default = some_text(element, "defaultValue");
        let mut read = Self {
            full_name: text(element, "fullName"),
            label: text(element, "label"),
            description: some_text(element, "description"),
            inline_help_text: some_text(element, "inlineHelpText"),
            default_value: default.filter(|text| kind != FieldKind::Checkbox || text != "false"),
            kind,
            required: flag(element, "required"),
            unique: flag(element, "unique"),
            case_sensitive: flag(element, "caseSensitive"),
            external_id: flag(element, "externalId"),
            track_history: flag(element, "trackHistory"),
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}
