//! Page layouts: read, changed in one place, written back.

use serde::{Deserialize, Serialize};

use super::words::words;
use super::{Rest, all, component, flag, push_text, sealed::Wire, some_text, text, within};
use crate::error::Result;
use crate::types::xml::Element;

/// A page layout. Only read, changed and written back: what is not named here (related lists, buttons, actions) stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Object and name, such as `Contact-Contact Layout`; special characters of the name are percent-encoded, as the API tells it.
    pub full_name: String,
    /// The sections of the page, from top to bottom.
    pub sections: Vec<LayoutSection>,
    #[doc(hidden)]
    pub rest: Rest,
}

/// A section of a page layout.
///
/// In a file: `{ label = "Insights", layoutColumns = [{ layoutItems = [{ field = "Score__c" }] }] }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LayoutSection {
    /// Title, at most 80 characters. Empty for a section without one.
    #[serde(default)]
    pub label: String,
    /// Whether the title is the admin's own text and not one of Salesforce's.
    #[serde(default = "yes")]
    pub custom_label: bool,
    /// Whether the title is shown where a record is read.
    #[serde(default = "yes")]
    pub detail_heading: bool,
    /// Whether the title is shown where a record is edited.
    #[serde(default = "yes")]
    pub edit_heading: bool,
    /// How the columns stand.
    #[serde(default)]
    pub style: LayoutSectionStyle,
    /// Its columns: one or two, three for custom links.
    #[serde(default, rename = "layoutColumns")]
    pub columns: Vec<LayoutColumn>,
    #[doc(hidden)]
    #[serde(skip)]
    pub rest: Rest,
}

/// A column of a section.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LayoutColumn {
    /// What stands in it, from top to bottom.
    #[serde(default, rename = "layoutItems")]
    pub items: Vec<LayoutItem>,
    #[doc(hidden)]
    #[serde(skip)]
    pub rest: Rest,
}

/// A field of a section; in what was read also a page, a link or a blank space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LayoutItem {
    /// API name of the field; none for what is no field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Whether people may change it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behavior: Option<UiBehavior>,
    #[doc(hidden)]
    #[serde(skip)]
    pub rest: Rest,
}

words! {
    /// How the columns of a section stand.
    #[derive(Default)]
    LayoutSectionStyle {
        /// Two columns; the tabulator goes down.
        #[default]
        TwoColumnsTopToBottom = "TwoColumnsTopToBottom",
        /// Two columns; the tabulator goes across.
        TwoColumnsLeftToRight = "TwoColumnsLeftToRight",
        /// One column.
        OneColumn = "OneColumn",
        /// The links at the end of the page.
        CustomLinks = "CustomLinks",
    }
}

words! {
    /// Whether people may change a field on a page.
    UiBehavior {
        /// They may.
        Edit = "Edit",
        /// They must fill it in.
        Required = "Required",
        /// They may not.
        Readonly = "Readonly",
    }
}

fn yes() -> bool {
    true
}

component!(Layout);

impl Layout {
    /// Adds a section above the custom links, and tells whether anything changed. All else stays as it was.
    ///
    /// A field that stands anywhere on the page already stays where it is: no page shows a field twice. If a section of that label is
    /// there, it gets the fields that are missing, each in its shortest column; if none is missing, nothing changes.
    pub fn add_section(&mut self, mut section: LayoutSection) -> bool {
        let missing = |item: &LayoutItem| item.field.as_deref().is_none_or(|field| !self.shows(field));
        for column in &mut section.columns {
            column.items.retain(missing);
        }
        if section.fields().next().is_none() {
            return false;
        }
        let named = |known: &&mut LayoutSection| known.label.eq_ignore_ascii_case(&section.label);
        if let Some(known) = self.sections.iter_mut().find(named) {
            for item in section.columns.into_iter().flat_map(|column| column.items).filter(|item| item.field.is_some())
            {
                if known.columns.is_empty() {
                    known.columns.push(LayoutColumn::default());
                }
                if let Some(column) = known.columns.iter_mut().min_by_key(|column| column.items.len()) {
                    column.items.push(item);
                }
            }
            return true;
        }
        let links = |section: &LayoutSection| section.style == LayoutSectionStyle::CustomLinks;
        let end = self.sections.iter().rposition(|section| !links(section)).map_or(0, |last| last + 1);
        self.sections.insert(end, section);
        true
    }

    /// Whether the field stands on the page.
    #[must_use]
    pub fn shows(&self, field: &str) -> bool {
        self.sections.iter().flat_map(LayoutSection::fields).any(|shown| shown.eq_ignore_ascii_case(field))
    }
}

impl LayoutSection {
    /// Two columns of fields that people may change: the first half on the left, the second on the right.
    #[must_use]
    pub fn new<F: Into<String>>(label: impl Into<String>, fields: impl IntoIterator<Item = F>) -> Self {
        let mut left: Vec<LayoutItem> = fields.into_iter().map(LayoutItem::new).collect();
        let right = left.split_off(left.len().div_ceil(2));
        let column = |items| LayoutColumn { items, rest: Rest::default() };
        Self {
            label: label.into(),
            custom_label: true,
            detail_heading: true,
            edit_heading: true,
            style: LayoutSectionStyle::TwoColumnsTopToBottom,
            columns: vec![column(left), column(right)],
            rest: Rest::default(),
        }
    }

    /// The API names of its fields.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().flat_map(|column| &column.items).filter_map(|item| item.field.as_deref())
    }
}

impl LayoutItem {
    /// A field that people may change.
    #[must_use]
    pub fn new(field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), behavior: Some(UiBehavior::Edit), rest: Rest::default() }
    }
}

impl Wire for Layout {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.children.extend(self.sections.iter().map(|section| within("layoutSections", section)));
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let (full_name, sections) = (text(element, "fullName"), all(element, "layoutSections")?);
        let mut read = Self { full_name, sections, rest: Rest::default() };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for LayoutSection {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("customLabel", self.custom_label));
        element.push(Element::leaf("detailHeading", self.detail_heading));
        element.push(Element::leaf("editHeading", self.edit_heading));
        push_text(element, "label", &self.label);
        element.children.extend(self.columns.iter().map(|column| within("layoutColumns", column)));
        element.push(Element::leaf("style", &self.style));
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            label: text(element, "label"),
            custom_label: flag(element, "customLabel"),
            detail_heading: flag(element, "detailHeading"),
            edit_heading: flag(element, "editHeading"),
            style: element.text_of("style").map(LayoutSectionStyle::from).unwrap_or_default(),
            columns: all(element, "layoutColumns")?,
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for LayoutColumn {
    fn write(&self, element: &mut Element) {
        element.children.extend(self.items.iter().map(|item| within("layoutItems", item)));
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self { items: all(element, "layoutItems")?, rest: Rest::default() };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for LayoutItem {
    fn write(&self, element: &mut Element) {
        element.push_some("behavior", self.behavior.as_ref());
        element.push_some("field", self.field.as_ref());
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let behavior = element.text_of("behavior").map(UiBehavior::from);
        let mut read = Self { field: some_text(element, "field"), behavior, rest: Rest::default() };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}
