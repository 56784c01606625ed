//! Flows that start when a record is saved.

use super::words::words;
use super::{Rest, all, component, sealed::Wire, some_text, text, within};
use crate::client::ApiVersion;
use crate::error::Result;
use crate::types::xml::Element;

/// A flow that starts when a record is saved and calls an action, such as an outbound message.
///
/// What was read keeps what this type does not name (decisions, assignments, variables). An active flow cannot be deleted: deploy it
/// as [`FlowStatus::Obsolete`] first.
///
/// ```
/// use sforce::api::metadata::{Flow, RecordTriggerType};
///
/// let flow = Flow::record_triggered("Tell_us", "Tell us", "Contact", RecordTriggerType::CreateAndUpdate).sends("Contact.Tell_us");
/// ```
///
/// Source: Metadata API Developer Guide, "Flow" (outbound messages: API 53.0 and later).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// API name.
    pub full_name: String,
    /// Label.
    pub label: String,
    /// What it is for.
    pub description: Option<String>,
    /// The API version that it runs by, such as `63.0`.
    pub api_version: Option<String>,
    /// `AutoLaunchedFlow` for one that a record starts.
    pub process_type: String,
    /// Whether it works.
    pub status: FlowStatus,
    /// When it starts.
    pub start: Option<FlowStart>,
    /// The actions it calls.
    pub action_calls: Vec<FlowActionCall>,
    #[doc(hidden)]
    pub rest: Rest,
}

/// When a flow starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowStart {
    /// The object.
    pub object: Option<String>,
    /// Which saves start it.
    pub record_trigger_type: Option<RecordTriggerType>,
    /// `RecordAfterSave` where an action is to be called; `RecordBeforeDelete` where records are deleted.
    pub trigger_type: Option<String>,
    /// How the filters go together: `and`, `or`, or such as `1 AND (2 OR 3)`.
    pub filter_logic: Option<String>,
    /// Which records start it; all if there are none.
    pub filters: Vec<FlowFilter>,
    /// A formula in place of filters. Salesforce refuses ISCHANGED in it where the flow also starts on creations.
    pub filter_formula: Option<String>,
    /// The name of the first element.
    pub connector: Option<String>,
    /// Place on the canvas, across and down.
    pub location: (i32, i32),
    #[doc(hidden)]
    pub rest: Rest,
}

/// A condition on a field of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowFilter {
    /// API name of the field.
    pub field: String,
    /// Such as `EqualTo`.
    pub operator: String,
    /// What it is compared with.
    pub value: Option<FlowValue>,
    #[doc(hidden)]
    pub rest: Rest,
}

/// A value in a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowValue {
    /// Text.
    Text(String),
    /// A flag.
    Boolean(bool),
    /// A number, as the API writes it.
    Number(String),
    /// An element of the flow, such as `$Record.OwnerId`.
    Reference(String),
}

/// An action that a flow calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowActionCall {
    /// API name within the flow.
    pub name: String,
    /// Label.
    pub label: String,
    /// The action, such as `Contact.Tell_us`.
    pub action_name: String,
    /// Such as `outboundMessage`.
    pub action_type: String,
    /// The name of the next element.
    pub connector: Option<String>,
    /// Place on the canvas, across and down.
    pub location: (i32, i32),
    #[doc(hidden)]
    pub rest: Rest,
}

words! {
    /// Which saves start a flow.
    RecordTriggerType {
        /// Creations.
        Create = "Create",
        /// Changes.
        Update = "Update",
        /// Both.
        CreateAndUpdate = "CreateAndUpdate",
        /// Deletions.
        Delete = "Delete",
    }
}

words! {
    /// Whether a flow works.
    FlowStatus {
        /// It does.
        Active = "Active",
        /// Not yet.
        Draft = "Draft",
        /// No longer.
        Obsolete = "Obsolete",
        /// It cannot, as it is.
        InvalidDraft = "InvalidDraft",
    }
}

component!(Flow);

impl Flow {
    /// An active flow that starts after records of the object were saved, or before they are deleted: API name, label, object, saves. It
    /// does nothing yet.
    ///
    /// In production, a deploy leaves it inactive unless Setup > Process Automation Settings > Deploy processes and flows as active is set,
    /// and runs the org's Apex tests where it is.
    ///
    /// Source: Metadata API Developer Guide, "`FlowSettings`" (`enableFlowDeployAsActiveEnabled`).
    #[must_use]
    pub fn record_triggered(
        full_name: impl Into<String>,
        label: impl Into<String>,
        object: impl Into<String>,
        trigger: RecordTriggerType,
    ) -> Self {
        // What is deleted starts no flow afterwards. (WSDL 63.0, `FlowTriggerType`.)
        let before = trigger == RecordTriggerType::Delete;
        let trigger_type = if before { "RecordBeforeDelete" } else { "RecordAfterSave" };
        Self {
            full_name: full_name.into(),
            label: label.into(),
            description: None,
            api_version: Some(ApiVersion::DEFAULT.to_string()),
            process_type: "AutoLaunchedFlow".to_owned(),
            status: FlowStatus::Active,
            start: Some(FlowStart {
                object: Some(object.into()),
                record_trigger_type: Some(trigger),
                trigger_type: Some(trigger_type.to_owned()),
                location: (50, 0),
                ..FlowStart::default()
            }),
            action_calls: Vec::new(),
            rest: Rest::default(),
        }
    }

    /// Sends an outbound message, by object and name such as `Contact.Tell_us`, after what the flow does already.
    #[must_use]
    pub fn sends(mut self, message: impl Into<String>) -> Self {
        let action_name = message.into();
        let label = action_name.split_once('.').map_or(action_name.as_str(), |(_, name)| name);
        let count = self.action_calls.len();
        // Two calls of one message are two elements.
        let name = format!("Send_{label}").chars().take(70).collect::<String>();
        let name = if count == 0 { name } else { format!("{name}_{}", count + 1) };
        match (self.action_calls.last_mut(), &mut self.start) {
            (Some(last), _) => last.connector = Some(name.clone()),
            (None, Some(start)) => start.connector = Some(name.clone()),
            (None, None) => {}
        }
        let down = 134 + 120 * i32::try_from(count).unwrap_or_default();
        self.action_calls.push(FlowActionCall {
            label: format!("Send {}", label.replace('_', " ")),
            name,
            action_name,
            action_type: "outboundMessage".to_owned(),
            connector: None,
            location: (176, down),
            rest: Rest::default(),
        });
        self
    }

    /// Starts only for records with this value; for all of several values.
    #[must_use]
    pub fn only_if(mut self, field: impl Into<String>, operator: impl Into<String>, value: FlowValue) -> Self {
        if let Some(start) = &mut self.start {
            start.filter_logic.get_or_insert_with(|| "and".to_owned());
            start.filters.push(FlowFilter {
                field: field.into(),
                operator: operator.into(),
                value: Some(value),
                rest: Rest::default(),
            });
        }
        self
    }
}

/// The elements that come first in every node of a flow.
const NODE: [&str; 7] =
    ["processMetadataValues", "description", "name", "elementSubtype", "label", "locationX", "locationY"];

fn connector(target: &str) -> Element {
    let mut connector = Element::new("connector");
    connector.push(Element::leaf("targetReference", target));
    connector
}

/// The target of a connector that says no more than that; others are kept as they are.
fn target(element: &Element) -> Option<String> {
    let connector = element.child("connector").filter(|connector| connector.children.len() == 1)?;
    some_text(connector, "targetReference")
}

fn push_location(element: &mut Element, (across, down): (i32, i32)) {
    element.push(Element::leaf("locationX", across));
    element.push(Element::leaf("locationY", down));
}

fn location(element: &Element) -> (i32, i32) {
    let place = |name: &str| element.text_of(name).and_then(|text| text.parse().ok()).unwrap_or_default();
    (place("locationX"), place("locationY"))
}

impl Wire for Flow {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.children.extend(self.action_calls.iter().map(|call| within("actionCalls", call)));
        element.push_some("apiVersion", self.api_version.as_ref());
        element.push_some("description", self.description.as_ref());
        element.push(Element::leaf("label", &self.label));
        super::push_text(element, "processType", &self.process_type);
        element.children.extend(self.start.iter().map(|start| within("start", start)));
        super::push_text(element, "status", self.status.as_str());
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            full_name: text(element, "fullName"),
            label: text(element, "label"),
            description: some_text(element, "description"),
            api_version: some_text(element, "apiVersion"),
            process_type: text(element, "processType"),
            status: FlowStatus::from(element.text_of("status").unwrap_or_default()),
            start: element.child("start").map(FlowStart::read).transpose()?,
            action_calls: all(element, "actionCalls")?,
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for FlowStart {
    fn write(&self, element: &mut Element) {
        push_location(element, self.location);
        element.children.extend(self.connector.as_deref().map(connector));
        element.push_some("filterFormula", self.filter_formula.as_ref());
        element.push_some("filterLogic", self.filter_logic.as_ref());
        element.children.extend(self.filters.iter().map(|filter| within("filters", filter)));
        element.push_some("object", self.object.as_ref());
        element.push_some("recordTriggerType", self.record_trigger_type.as_ref());
        element.push_some("triggerType", self.trigger_type.as_ref());
        self.rest.write_after(element, &NODE);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            object: some_text(element, "object"),
            record_trigger_type: element.text_of("recordTriggerType").map(RecordTriggerType::from),
            trigger_type: some_text(element, "triggerType"),
            filter_logic: some_text(element, "filterLogic"),
            filters: all(element, "filters")?,
            filter_formula: some_text(element, "filterFormula"),
            connector: target(element),
            location: location(element),
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for FlowActionCall {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("name", &self.name));
        super::push_text(element, "label", &self.label);
        push_location(element, self.location);
        element.push(Element::leaf("actionName", &self.action_name));
        element.push(Element::leaf("actionType", &self.action_type));
        element.children.extend(self.connector.as_deref().map(connector));
        self.rest.write_after(element, &NODE);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            name: text(element, "name"),
            label: text(element, "label"),
            action_name: text(element, "actionName"),
            action_type: text(element, "actionType"),
            connector: target(element),
            location: location(element),
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for FlowFilter {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("field", &self.field));
        element.push(Element::leaf("operator", &self.operator));
        if let Some(value) = &self.value {
            let mut holder = Element::new("value");
            holder.push(match value {
                FlowValue::Text(text) => Element::leaf("stringValue", text),
                FlowValue::Boolean(flag) => Element::leaf("booleanValue", flag),
                FlowValue::Number(number) => Element::leaf("numberValue", number),
                FlowValue::Reference(name) => Element::leaf("elementReference", name),
            });
            element.push(holder);
        }
        self.rest.write_after(element, &["processMetadataValues"]);
    }

    fn read(element: &Element) -> Result<Self> {
        let value = element.child("value").and_then(|value| match value.children.as_slice() {
            [only] => {
                let text = only.text.trim().to_owned();
                Some(match only.name.as_str() {
                    "stringValue" => FlowValue::Text(text),
                    "booleanValue" => FlowValue::Boolean(matches!(text.as_str(), "true" | "1")),
                    "numberValue" => FlowValue::Number(text),
                    "elementReference" => FlowValue::Reference(text),
                    _ => return None,
                })
            }
            _ => None,
        });
        let (field, operator) = (text(element, "field"), text(element, "operator"));
        let mut read = Self { field, operator, value, rest: Rest::default() };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}
