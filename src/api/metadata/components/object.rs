//! Custom objects.

use serde::{Deserialize, Serialize};

use super::flag;
use super::words::words;
use super::{
    CustomField, Rest, all, component, push_flag, push_text, sealed::Wire, some_number, some_text, text, within,
};
use crate::error::Result;
use crate::types::xml::Element;

/// A custom object, or what is changed of a standard one.
///
/// What was read keeps what this type does not name (list views, record types, actions), so that a change writes it back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomObject {
    /// API name, such as `Session__c`.
    pub full_name: String,
    /// Label. Empty for a standard object, which keeps its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Plural label. Empty for a standard object.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub plural_label: String,
    /// What the object is for; at most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name field, text or auto-number. Every custom object has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_field: Option<NameField>,
    /// What users see of records they do not own. Every custom object has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing_model: Option<SharingModel>,
    /// Whether people see it. Every custom object has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_status: Option<DeploymentStatus>,
    /// Whether activities may be logged on its records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_activities: Option<bool>,
    /// Whether the Bulk API takes it; the same as `enable_sharing` and `enable_streaming_api`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_bulk_api: Option<bool>,
    /// Whether changes of its tracked fields are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_history: Option<bool>,
    /// Whether reports may be made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_reports: Option<bool>,
    /// Whether searches find its records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_search: Option<bool>,
    /// Whether its records may be shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_sharing: Option<bool>,
    /// Whether the Streaming API takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_streaming_api: Option<bool>,
    /// Fields, by their API names alone. Those that were read are written back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<CustomField>,
    #[doc(hidden)]
    #[serde(skip)]
    pub rest: Rest,
}

/// The name field of a custom object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "NameFieldDocument", into = "NameFieldDocument")]
pub struct NameField {
    /// Label.
    pub label: String,
    /// Text or auto-number.
    pub kind: NameKind,
    /// Whether its changes are kept; wants the history of the object enabled.
    pub track_history: bool,
    #[doc(hidden)]
    pub rest: Rest,
}

/// The type of a name field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameKind {
    /// Text of 80 characters.
    Text,
    /// A number that Salesforce counts up.
    AutoNumber {
        /// Such as `A-{0000}`.
        display_format: String,
        /// The first number; for new objects.
        starting_number: Option<u32>,
    },
}

words! {
    /// What users see of records they do not own.
    SharingModel {
        /// Nothing, unless it is shared with them.
        Private = "Private",
        /// They may look.
        Read = "Read",
        /// They may look and change.
        ReadWrite = "ReadWrite",
        /// As the parent has it: the detail of a master-detail relationship.
        ControlledByParent = "ControlledByParent",
        /// They may look, change and give away.
        ReadWriteTransfer = "ReadWriteTransfer",
        /// They may do everything.
        FullAccess = "FullAccess",
    }
}

words! {
    /// Whether people see an object.
    DeploymentStatus {
        /// They do.
        Deployed = "Deployed",
        /// Only those who customise the org do.
        InDevelopment = "InDevelopment",
    }
}

component!(CustomObject);

impl CustomObject {
    /// A deployed object that all users may read and write, with a name field of text: API name, label, plural label.
    #[must_use]
    pub fn new(full_name: impl Into<String>, label: impl Into<String>, plural_label: impl Into<String>) -> Self {
        Self {
            full_name: full_name.into(),
            label: label.into(),
            plural_label: plural_label.into(),
            name_field: Some(NameField::text("Name")),
            sharing_model: Some(SharingModel::ReadWrite),
            deployment_status: Some(DeploymentStatus::Deployed),
            ..Self::default()
        }
    }

    /// A standard object of which something is changed, such as `enable_history`; all else stays. Deploys take it, CRUD calls do not.
    #[must_use]
    pub fn standard(full_name: impl Into<String>) -> Self {
        Self { full_name: full_name.into(), ..Self::default() }
    }

    /// Says what the object is for.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Sets the name field.
    #[must_use]
    pub fn name_field(mut self, field: NameField) -> Self {
        self.name_field = Some(field);
        self
    }

    /// Sets what users see of records they do not own.
    #[must_use]
    pub fn sharing_model(mut self, model: SharingModel) -> Self {
        self.sharing_model = Some(model);
        self
    }

    /// Keeps the changes of tracked fields.
    #[must_use]
    pub fn with_history(mut self) -> Self {
        self.enable_history = Some(true);
        self
    }

    /// Lets reports be made of it.
    #[must_use]
    pub fn with_reports(mut self) -> Self {
        self.enable_reports = Some(true);
        self
    }

    /// Lets searches find its records.
    #[must_use]
    pub fn with_search(mut self) -> Self {
        self.enable_search = Some(true);
        self
    }

    /// Lets activities be logged on its records.
    #[must_use]
    pub fn with_activities(mut self) -> Self {
        self.enable_activities = Some(true);
        self
    }
}

impl NameField {
    /// Text of 80 characters.
    #[must_use]
    pub fn text(label: impl Into<String>) -> Self {
        Self { label: label.into(), kind: NameKind::Text, track_history: false, rest: Rest::default() }
    }

    /// A number that Salesforce counts up, such as `A-{0000}`.
    #[must_use]
    pub fn auto_number(label: impl Into<String>, display_format: impl Into<String>) -> Self {
        let kind = NameKind::AutoNumber { display_format: display_format.into(), starting_number: None };
        Self { kind, ..Self::text(label) }
    }
}

impl NameKind {
    /// `Text` or `AutoNumber`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::AutoNumber { .. } => "AutoNumber",
        }
    }
}

impl Wire for NameField {
    fn write(&self, element: &mut Element) {
        if let NameKind::AutoNumber { display_format, starting_number } = &self.kind {
            element.push(Element::leaf("displayFormat", display_format));
            element.push_some("startingNumber", *starting_number);
        }
        push_text(element, "label", &self.label);
        push_flag(element, "trackHistory", self.track_history);
        element.push(Element::leaf("type", self.kind.type_name()));
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let kind = match element.text_of("type") {
            Some("AutoNumber") => NameKind::AutoNumber {
                display_format: text(element, "displayFormat"),
                starting_number: some_number(element, "startingNumber")?,
            },
            _ => NameKind::Text,
        };
        let (label, track_history) = (text(element, "label"), flag(element, "trackHistory"));
        let mut read = Self { label, kind, track_history, rest: Rest::default() };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for CustomObject {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.push_some("deploymentStatus", self.deployment_status.as_ref());
        element.push_some("description", self.description.as_ref());
        element.push_some("enableActivities", self.enable_activities);
        element.push_some("enableBulkApi", self.enable_bulk_api);
        element.push_some("enableHistory", self.enable_history);
        element.push_some("enableReports", self.enable_reports);
        element.push_some("enableSearch", self.enable_search);
        element.push_some("enableSharing", self.enable_sharing);
        element.push_some("enableStreamingApi", self.enable_streaming_api);
        element.children.extend(self.fields.iter().map(|field| within("fields", field)));
        push_text(element, "label", &self.label);
        element.children.extend(self.name_field.iter().map(|field| within("nameField", field)));
        push_text(element, "pluralLabel", &self.plural_label);
        element.push_some("sharingModel", self.sharing_model.as_ref());
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            full_name: text(element, "fullName"),
            label: text(element, "label"),
            plural_label: text(element, "pluralLabel"),
            description: some_text(element, "description"),
            name_field: element.child("nameField").map(NameField::read).transpose()?,
            sharing_model: element.text_of("sharingModel").map(SharingModel::from),
            deployment_status: element.text_of("deploymentStatus").map(DeploymentStatus::from),
            enable_activities: element.flag_of("enableActivities"),
            enable_bulk_api: element.flag_of("enableBulkApi"),
            enable_history: element.flag_of("enableHistory"),
            enable_reports: element.flag_of("enableReports"),
            enable_search: element.flag_of("enableSearch"),
            enable_sharing: element.flag_of("enableSharing"),
            enable_streaming_api: element.flag_of("enableStreamingApi"),
            fields: all(element, "fields")?,
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

/// A name field in a file: `{ type = "AutoNumber", label = "Number", displayFormat = "A-{0000}" }`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NameFieldDocument {
    label: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_number: Option<u32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    track_history: bool,
}

impl TryFrom<NameFieldDocument> for NameField {
    type Error = String;

    fn try_from(document: NameFieldDocument) -> Result<Self, String> {
        let NameFieldDocument { label, kind, display_format, starting_number, track_history } = document;
        let kind = match (kind.as_str(), display_format) {
            ("Text", None) if starting_number.is_none() => NameKind::Text,
            ("AutoNumber", Some(display_format)) => NameKind::AutoNumber { display_format, starting_number },
            ("AutoNumber", None) => return Err("missing field `displayFormat` of the type AutoNumber".into()),
            ("Text", _) => return Err("`displayFormat` and `startingNumber` do not go with the type Text".into()),
            _ => return Err(format!("a name field is Text or AutoNumber, not {kind}")),
        };
        Ok(Self { track_history, ..Self { kind, ..Self::text(label) } })
    }
}

impl From<NameField> for NameFieldDocument {
    fn from(field: NameField) -> Self {
        let (display_format, starting_number) = match &field.kind {
            NameKind::Text => (None, None),
            NameKind::AutoNumber { display_format, starting_number } => {
                (Some(display_format.clone()), *starting_number)
            }
        };
        Self {
            kind: field.kind.type_name().to_owned(),
            label: field.label,
            display_format,
            starting_number,
            track_history: field.track_history,
        }
    }
}
