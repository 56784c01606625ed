//! Apex classes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::words::words;
use super::{Rest, component, sealed::Wire, text};
use crate::client::ApiVersion;
use crate::error::{Error, ErrorKind, Result};
use crate::types::xml::Element;

/// An Apex class. Deploys take it, CRUD calls do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApexClass {
    /// API name.
    pub full_name: String,
    /// Its source text.
    pub body: String,
    /// The API version that it is compiled for, such as `63.0`.
    pub api_version: String,
    /// Whether it runs.
    pub status: ApexStatus,
    #[doc(hidden)]
    pub rest: Rest,
}

words! {
    /// Whether a class runs.
    ApexStatus {
        /// It does.
        Active = "Active",
        /// It does not.
        Inactive = "Inactive",
        /// It is to be deleted.
        Deleted = "Deleted",
    }
}

component!(ApexClass);

impl ApexClass {
    /// A class that runs, for the API version of our calls.
    #[must_use]
    pub fn new(full_name: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            full_name: full_name.into(),
            body: body.into(),
            api_version: ApiVersion::DEFAULT.to_string(),
            status: ApexStatus::Active,
            rest: Rest::default(),
        }
    }
}

impl Wire for ApexClass {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.push(Element::leaf("content", STANDARD.encode(&self.body)));
        element.push(Element::leaf("apiVersion", &self.api_version));
        element.push(Element::leaf("status", &self.status));
        self.rest.write_after(element, &["fullName", "content"]);
    }

    fn read(element: &Element) -> Result<Self> {
        let content: String = text(element, "content").split_whitespace().collect();
        let body = STANDARD.decode(content).ok().and_then(|body| String::from_utf8(body).ok());
        let mut read = Self {
            full_name: text(element, "fullName"),
            body: body.ok_or_else(|| Error::new(ErrorKind::Decode, "metadata.read", "a class is no text"))?,
            api_version: text(element, "apiVersion"),
            status: ApexStatus::from(element.text_of("status").unwrap_or_default()),
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}
