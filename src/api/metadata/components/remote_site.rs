//! Remote site settings.

use super::{Rest, component, flag, sealed::Wire, some_text, text};
use crate::error::Result;
use crate::types::xml::Element;

/// A site that the org may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteSiteSetting {
    /// API name.
    pub full_name: String,
    /// Its address, such as `https://api.example.com`.
    pub url: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether calls are allowed now.
    pub is_active: bool,
    /// Whether code that came by https may call it by http.
    pub disable_protocol_security: bool,
    #[doc(hidden)]
    pub rest: Rest,
}

component!(RemoteSiteSetting);

impl RemoteSiteSetting {
    /// A site that may be called from now on.
    #[must_use]
    pub fn new(full_name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            full_name: full_name.into(),
            url: url.into(),
            description: None,
            is_active: true,
            disable_protocol_security: false,
            rest: Rest::default(),
        }
    }
}

impl Wire for RemoteSiteSetting {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.push_some("description", self.description.as_ref());
        element.push(Element::leaf("disableProtocolSecurity", self.disable_protocol_security));
        element.push(Element::leaf("isActive", self.is_active));
        element.push(Element::leaf("url", &self.url));
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            full_name: text(element, "fullName"),
            url: text(element, "url"),
            description: some_text(element, "description"),
            is_active: flag(element, "isActive"),
            disable_protocol_security: flag(element, "disableProtocolSecurity"),
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}
