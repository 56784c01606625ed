//! Workflow: rules and the outbound messages they send.
//!
//! Salesforce ended support for rules on 2025-12-31; those that exist run on and can be changed. A [`Flow`](super::Flow) is the way for
//! new ones; it sends the same outbound messages.

use std::fmt;

use super::words::words;
use super::{Rest, all, component, flag, sealed::Wire, some_text, text, within};
use crate::client::ApiVersion;
use crate::error::Result;
use crate::types::xml::Element;

/// The workflow of an object: what one `.workflow` file holds.
///
/// What was read keeps what this type does not name (alerts, field updates, tasks).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workflow {
    /// The object's API name.
    pub full_name: String,
    /// Outbound messages, by their names alone.
    pub outbound_messages: Vec<WorkflowOutboundMessage>,
    /// Rules, by their names alone.
    pub rules: Vec<WorkflowRule>,
    #[doc(hidden)]
    pub rest: Rest,
}

/// A rule: when which actions happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowRule {
    /// Object and name, such as `Account.Tell us`; the name alone in what is read with its object.
    pub full_name: String,
    /// Whether it works.
    pub active: bool,
    /// What it is for.
    pub description: Option<String>,
    /// Which saved records it is about.
    pub criteria: WorkflowCriteria,
    /// Which saves it is about.
    pub trigger_type: WorkflowTriggerType,
    /// What happens.
    pub actions: Vec<WorkflowActionReference>,
    #[doc(hidden)]
    pub rest: Rest,
}

/// Which records a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkflowCriteria {
    /// Those for which a formula is true.
    Formula(String),
    /// Those with certain values.
    Items {
        /// The values.
        items: Vec<FilterItem>,
        /// How they go together, such as `1 AND (2 OR 3)`; none for all of them.
        boolean_filter: Option<String>,
    },
}

/// A condition on a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterItem {
    /// Object and field, such as `Account.Industry`.
    pub field: String,
    /// Such as `equals`.
    pub operation: FilterOperation,
    /// The value, as the API writes it.
    pub value: Option<String>,
    #[doc(hidden)]
    pub rest: Rest,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowActionReference {
    /// The action's name, without its object.
    pub name: String,
    /// Such as `OutboundMessage`.
    pub action_type: String,
}

/// A message that Salesforce posts to an address.
///
/// `Debug` shows the address without its path and query, where the receiver's secret may stand.
#[derive(Clone, PartialEq, Eq)]
pub struct WorkflowOutboundMessage {
    /// Object and name, such as `Account.Tell_us`; the name alone in what is read with its object.
    pub full_name: String,
    /// Label.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where it goes. Ports 80, 443 and 1024 to 66535.
    pub endpoint_url: String,
    /// API names of the fields it tells; `Id` is always told.
    pub fields: Vec<String>,
    /// User name of the user whose view of the record is told.
    pub integration_user: String,
    /// Whether it carries a session id. Ours never need one.
    pub include_session_id: bool,
    /// The API version that its form follows, such as `63.0`.
    pub api_version: String,
    /// Whether a package guards it.
    pub protected: bool,
    #[doc(hidden)]
    pub rest: Rest,
}

impl fmt::Debug for WorkflowOutboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = url::Url::parse(&self.endpoint_url).map(|url| url.origin().ascii_serialization());
        f.debug_struct("WorkflowOutboundMessage")
            .field("full_name", &self.full_name)
            .field("endpoint_url", &origin.as_deref().unwrap_or("no address"))
            .field("fields", &self.fields)
            .field("integration_user", &self.integration_user)
            .finish_non_exhaustive()
    }
}

words! {
    /// Which saves a rule is about.
    WorkflowTriggerType {
        /// Creations.
        OnCreateOnly = "onCreateOnly",
        /// Creations, and changes after which a record meets the criteria and did not before.
        OnCreateOrTriggeringUpdate = "onCreateOrTriggeringUpdate",
        /// Creations and all changes.
        OnAllChanges = "onAllChanges",
    }
}

words! {
    /// A comparison of a rule.
    FilterOperation {
        /// Is the value.
        Equals = "equals",
        /// Is another value.
        NotEqual = "notEqual",
        /// Is less.
        LessThan = "lessThan",
        /// Is more.
        GreaterThan = "greaterThan",
        /// Is less or the value.
        LessOrEqual = "lessOrEqual",
        /// Is more or the value.
        GreaterOrEqual = "greaterOrEqual",
        /// Holds the text.
        Contains = "contains",
        /// Does not hold the text.
        NotContain = "notContain",
        /// Starts with the text.
        StartsWith = "startsWith",
        /// Has one of the picked values.
        Includes = "includes",
        /// Has none of the picked values.
        Excludes = "excludes",
    }
}

component!(Workflow);
component!(WorkflowRule);
component!(WorkflowOutboundMessage);

impl WorkflowRule {
    /// A rule that works, for records for which the formula is true, such as `true`: object and name, formula, saves. It does nothing
    /// yet.
    #[must_use]
    pub fn new(full_name: impl Into<String>, formula: impl Into<String>, trigger_type: WorkflowTriggerType) -> Self {
        Self {
            full_name: full_name.into(),
            active: true,
            description: None,
            criteria: WorkflowCriteria::Formula(formula.into()),
            trigger_type,
            actions: Vec::new(),
            rest: Rest::default(),
        }
    }

    /// Sends an outbound message of the same object, by its name alone.
    #[must_use]
    pub fn sends(mut self, message: impl Into<String>) -> Self {
        self.actions.push(WorkflowActionReference { name: message.into(), action_type: "OutboundMessage".to_owned() });
        self
    }
}

impl FilterItem {
    /// A field, such as `Account.Industry`, compared with a value.
    #[must_use]
    pub fn new(field: impl Into<String>, operation: FilterOperation, value: impl Into<String>) -> Self {
        Self { field: field.into(), operation, value: Some(value.into()), rest: Rest::default() }
    }
}

impl WorkflowOutboundMessage {
    /// A message without session id: object and name, address, user whose view is told, fields.
    #[must_use]
    pub fn new<F: Into<String>>(
        full_name: impl Into<String>,
        endpoint_url: impl Into<String>,
        integration_user: impl Into<String>,
        fields: impl IntoIterator<Item = F>,
    ) -> Self {
        let full_name = full_name.into();
        let name = full_name.split_once('.').map_or(full_name.as_str(), |(_, name)| name).replace('_', " ");
        Self {
            name,
            full_name,
            description: None,
            endpoint_url: endpoint_url.into(),
            fields: fields.into_iter().map(Into::into).collect(),
            integration_user: integration_user.into(),
            include_session_id: false,
            api_version: ApiVersion::DEFAULT.to_string(),
            protected: false,
            rest: Rest::default(),
        }
    }
}

impl Wire for Workflow {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.children.extend(self.outbound_messages.iter().map(|message| within("outboundMessages", message)));
        element.children.extend(self.rules.iter().map(|rule| within("rules", rule)));
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            full_name: text(element, "fullName"),
            outbound_messages: all(element, "outboundMessages")?,
            rules: all(element, "rules")?,
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for WorkflowRule {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.children.extend(self.actions.iter().map(|action| within("actions", action)));
        element.push(Element::leaf("active", self.active));
        element.push_some("description", self.description.as_ref());
        match &self.criteria {
            WorkflowCriteria::Formula(formula) => {
                element.push(Element::leaf("formula", formula));
            }
            WorkflowCriteria::Items { items, boolean_filter } => {
                element.children.extend(items.iter().map(|item| within("criteriaItems", item)));
                element.push_some("booleanFilter", boolean_filter.as_ref());
            }
        }
        element.push(Element::leaf("triggerType", &self.trigger_type));
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let criteria = match element.text_of("formula") {
            Some(formula) => WorkflowCriteria::Formula(formula.to_owned()),
            None => WorkflowCriteria::Items {
                items: all(element, "criteriaItems")?,
                boolean_filter: some_text(element, "booleanFilter"),
            },
        };
        let mut read = Self {
            full_name: text(element, "fullName"),
            active: flag(element, "active"),
            description: some_text(element, "description"),
            criteria,
            trigger_type: WorkflowTriggerType::from(element.text_of("triggerType").unwrap_or_default()),
            actions: all(element, "actions")?,
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for FilterItem {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("field", &self.field));
        element.push(Element::leaf("operation", &self.operation));
        element.push_some("value", self.value.as_ref());
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let operation = FilterOperation::from(element.text_of("operation").unwrap_or_default());
        let (field, value) = (text(element, "field"), some_text(element, "value"));
        let mut read = Self { field, operation, value, rest: Rest::default() };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for WorkflowActionReference {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("name", &self.name));
        element.push(Element::leaf("type", &self.action_type));
    }

    fn read(element: &Element) -> Result<Self> {
        Ok(Self { name: text(element, "name"), action_type: text(element, "type") })
    }
}

impl Wire for WorkflowOutboundMessage {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.push(Element::leaf("apiVersion", &self.api_version));
        element.push_some("description", self.description.as_ref());
        element.push(Element::leaf("endpointUrl", &self.endpoint_url));
        element.children.extend(self.fields.iter().map(|field| Element::leaf("fields", field)));
        element.push(Element::leaf("includeSessionId", self.include_session_id));
        element.push(Element::leaf("integrationUser", &self.integration_user));
        element.push(Element::leaf("name", &self.name));
        element.push(Element::leaf("protected", self.protected));
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            full_name: text(element, "fullName"),
            name: text(element, "name"),
            description: some_text(element, "description"),
            endpoint_url: text(element, "endpointUrl"),
            fields: element.all("fields").map(|field| field.text.trim().to_owned()).collect(),
            integration_user: text(element, "integrationUser"),
            include_session_id: flag(element, "includeSessionId"),
            api_version: text(element, "apiVersion"),
            protected: flag(element, "protected"),
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}
