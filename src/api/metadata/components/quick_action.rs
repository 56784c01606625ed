//! Quick actions: buttons on record pages.

use super::words::words;
use super::{
    LayoutSectionStyle, Rest, UiBehavior, all, component, flag, push_text, sealed::Wire, some_text, text, within,
};
use crate::error::Result;
use crate::types::xml::Element;

/// A button on record pages.
///
/// What was read keeps what this type does not name (icon, parameters, field overrides).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuickAction {
    /// Object and name, such as `Contact.Send_survey`; a name alone for a global action.
    pub full_name: String,
    /// What stands on it.
    pub label: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it does.
    pub action_type: QuickActionType,
    /// The flow that it starts, for [`QuickActionType::Flow`].
    pub flow_definition: Option<String>,
    /// The object that it creates or changes, for [`QuickActionType::Create`] and [`QuickActionType::Update`].
    pub target_object: Option<String>,
    /// The fields that it asks for, for the same.
    pub layout: Option<QuickActionLayout>,
    /// Whether it leaves a note in the record's feed.
    pub options_create_feed_item: bool,
    #[doc(hidden)]
    pub rest: Rest,
}

/// The fields that a quick action asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuickActionLayout {
    /// How the columns stand.
    pub style: LayoutSectionStyle,
    /// The columns, each from top to bottom.
    pub columns: Vec<Vec<QuickActionItem>>,
}

/// A field or a blank space of a quick action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuickActionItem {
    /// API name of the field; none for a blank space.
    pub field: Option<String>,
    /// Whether people may change it here.
    pub behavior: Option<UiBehavior>,
    #[doc(hidden)]
    pub rest: Rest,
}

words! {
    /// What a quick action does.
    QuickActionType {
        /// Makes a record.
        Create = "Create",
        /// Changes the record.
        Update = "Update",
        /// Starts a flow.
        Flow = "Flow",
        /// Logs a call.
        LogACall = "LogACall",
        /// Writes an email.
        SendEmail = "SendEmail",
        /// Shows a Lightning component.
        LightningComponent = "LightningComponent",
        /// Shows a Lightning web component.
        LightningWebComponent = "LightningWebComponent",
        /// Shows a Visualforce page.
        VisualforcePage = "VisualforcePage",
        /// Posts to the feed.
        Post = "Post",
        /// Shows a canvas app.
        Canvas = "Canvas",
    }
}

component!(QuickAction);

impl QuickAction {
    /// A button that starts a flow with the record's id: object and name, label, the flow's API name.
    #[must_use]
    pub fn flow(full_name: impl Into<String>, label: impl Into<String>, flow: impl Into<String>) -> Self {
        Self { flow_definition: Some(flow.into()), ..Self::new(full_name, label, QuickActionType::Flow) }
    }

    /// A button that asks for fields of the record and changes them: object and name, label, fields.
    #[must_use]
    pub fn update<F: Into<String>>(
        full_name: impl Into<String>,
        label: impl Into<String>,
        fields: impl IntoIterator<Item = F>,
    ) -> Self {
        let item = |field: F| QuickActionItem {
            field: Some(field.into()),
            behavior: Some(UiBehavior::Edit),
            rest: Rest::default(),
        };
        let layout = QuickActionLayout {
            style: LayoutSectionStyle::OneColumn,
            columns: vec![fields.into_iter().map(item).collect()],
        };
        let action = Self::new(full_name, label, QuickActionType::Update);
        let target_object = action.full_name.split_once('.').map(|(object, _)| object.to_owned());
        Self { target_object, layout: Some(layout), options_create_feed_item: true, ..action }
    }

    fn new(full_name: impl Into<String>, label: impl Into<String>, action_type: QuickActionType) -> Self {
        Self {
            full_name: full_name.into(),
            label: label.into(),
            description: None,
            action_type,
            flow_definition: None,
            target_object: None,
            layout: None,
            options_create_feed_item: false,
            rest: Rest::default(),
        }
    }
}

impl Wire for QuickAction {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.push_some("description", self.description.as_ref());
        element.push_some("flowDefinition", self.flow_definition.as_ref());
        push_text(element, "label", &self.label);
        element.push(Element::leaf("optionsCreateFeedItem", self.options_create_feed_item));
        element.children.extend(self.layout.iter().map(|layout| within("quickActionLayout", layout)));
        element.push_some("targetObject", self.target_object.as_ref());
        element.push(Element::leaf("type", &self.action_type));
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            full_name: text(element, "fullName"),
            label: text(element, "label"),
            description: some_text(element, "description"),
            action_type: QuickActionType::from(element.text_of("type").unwrap_or_default()),
            flow_definition: some_text(element, "flowDefinition"),
            target_object: some_text(element, "targetObject"),
            layout: element.child("quickActionLayout").map(QuickActionLayout::read).transpose()?,
            options_create_feed_item: flag(element, "optionsCreateFeedItem"),
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for QuickActionLayout {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("layoutSectionStyle", &self.style));
        for column in &self.columns {
            let mut written = Element::new("quickActionLayoutColumns");
            written.children.extend(column.iter().map(|item| within("quickActionLayoutItems", item)));
            element.push(written);
        }
    }

    fn read(element: &Element) -> Result<Self> {
        let style = element.text_of("layoutSectionStyle").map(LayoutSectionStyle::from).unwrap_or_default();
        let columns = element.all("quickActionLayoutColumns").map(|column| all(column, "quickActionLayoutItems"));
        Ok(Self { style, columns: columns.collect::<Result<_>>()? })
    }
}

impl Wire for QuickActionItem {
    fn write(&self, element: &mut Element) {
        element.push_some("field", self.field.as_ref());
        element.push_some("uiBehavior", self.behavior.as_ref());
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let behavior = element.text_of("uiBehavior").map(UiBehavior::from);
        let mut read = Self { field: some_text(element, "field"), behavior, rest: Rest::default() };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}
