//! Component types, with the elements that the WSDL gives them, in its order.

mod any;
mod apex_class;
mod field;
mod field_document;
mod field_kind;
mod flow;
mod layout;
mod named_credential;
mod object;
mod permission_set;
mod quick_action;
mod remote_site;
mod rest;
#[cfg(test)]
mod tests;
mod value_set;
mod words;
mod workflow;

use crate::error::{Error, ErrorKind, Result};
use crate::types::xml::Element;

pub use self::any::AnyComponent;
pub use self::apex_class::{ApexClass, ApexStatus};
pub use self::field::CustomField;
pub use self::field_kind::{DeleteConstraint, FieldKind, FormulaResult, TreatBlanksAs};
pub use self::flow::{Flow, FlowActionCall, FlowFilter, FlowStart, FlowStatus, FlowValue, RecordTriggerType};
pub use self::layout::{Layout, LayoutColumn, LayoutItem, LayoutSection, LayoutSectionStyle, UiBehavior};
pub use self::named_credential::{NamedCredential, NamedCredentialParameter, NamedCredentialParameterType};
pub use self::object::{CustomObject, DeploymentStatus, NameField, NameKind, SharingModel};
pub use self::permission_set::{FieldPermission, ObjectPermission, PermissionSet};
pub use self::quick_action::{QuickAction, QuickActionItem, QuickActionLayout, QuickActionType};
pub use self::remote_site::RemoteSiteSetting;
use self::rest::Rest;
pub(super) use self::rest::tidy;
pub use self::value_set::{PicklistValue, ValueSet, ValueSource};
pub use self::workflow::{
    FilterItem, FilterOperation, Workflow, WorkflowActionReference, WorkflowCriteria, WorkflowOutboundMessage,
    WorkflowRule, WorkflowTriggerType,
};

/// A type of component of an org's metadata.
///
/// Sealed: the types of this module have it.
pub trait Component: sealed::Wire + Clone + Send + Sync {
    /// The type's name, such as `CustomField`.
    const TYPE: &'static str;

    /// The component's full name, such as `Account.Score__c`.
    fn full_name(&self) -> &str;
}

pub(super) mod sealed {
    use super::{Element, Result};

    /// To and from the elements of a `metadata` or `records` element.
    pub trait Wire: Sized {
        fn write(&self, element: &mut Element);
        fn read(element: &Element) -> Result<Self>;
    }
}

/// Gives a type its name.
macro_rules! component {
    ($type:ident) => {
        impl super::Component for $type {
            const TYPE: &'static str = stringify!($type);

            fn full_name(&self) -> &str {
                &self.full_name
            }
        }
    };
}
use component;

/// Writes a value into an element of its own.
fn within(name: &str, value: &impl sealed::Wire) -> Element {
    let mut element = Element::new(name);
    value.write(&mut element);
    element
}

/// Reads all elements of a name.
fn all<T: sealed::Wire>(element: &Element, name: &str) -> Result<Vec<T>> {
    element.all(name).map(T::read).collect()
}

/// Adds a leaf unless the text is empty.
fn push_text(element: &mut Element, name: &str, text: &str) {
    element.push_some(name, (!text.is_empty()).then_some(text));
}

/// Adds a leaf if the flag is set.
fn push_flag(element: &mut Element, name: &str, flag: bool) {
    element.push_some(name, flag.then_some(true));
}

fn text(element: &Element, name: &str) -> String {
    element.text_of(name).unwrap_or_default().to_owned()
}

fn some_text(element: &Element, name: &str) -> Option<String> {
    element.text_of(name).map(str::to_owned)
}

fn flag(element: &Element, name: &str) -> bool {
    element.flag_of(name).unwrap_or(false)
}

fn number(element: &Element, name: &'static str) -> Result<u32> {
    some_number(element, name).map(Option::unwrap_or_default)
}

fn some_number(element: &Element, name: &'static str) -> Result<Option<u32>> {
    let Some(text) = element.text_of(name) else { return Ok(None) };
    // Some answers write whole numbers as `18.0`.
    text.split('.').next().unwrap_or(text).parse().map(Some).map_err(|error| {
        Error::new(ErrorKind::Decode, "metadata.read", "a number is none")
            .with_context("element", name)
            .with_source(error)
    })
}
