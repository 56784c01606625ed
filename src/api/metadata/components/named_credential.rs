//! Named credentials: where an org's own code may call, and with which headers.

use super::words::words;
use super::{Rest, all, component, flag, push_text, sealed::Wire, some_text, text, within};
use crate::error::Result;
use crate::types::Secret;
use crate::types::xml::Element;

/// An address that the org's own code calls by name, with the headers that go along.
///
/// ```
/// use sforce::api::metadata::NamedCredential;
///
/// let credential = NamedCredential::bearer("Acme_API", "Acme API", "https://api.example.com", "s3cret");
/// assert!(!format!("{credential:?}").contains("s3cret"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCredential {
    /// API name.
    pub full_name: String,
    /// Label.
    pub label: String,
    /// `SecuredEndpoint` unless it is of an older kind.
    pub named_credential_type: Option<String>,
    /// The address and the headers.
    pub parameters: Vec<NamedCredentialParameter>,
    /// Whether Salesforce makes the header `Authorization` by itself, from an external credential.
    pub generate_authorization_header: bool,
    /// Whether merge fields in bodies are filled in.
    pub allow_merge_fields_in_body: bool,
    /// Whether merge fields in headers are filled in.
    pub allow_merge_fields_in_header: bool,
    #[doc(hidden)]
    pub rest: Rest,
}

/// A part of a named credential. Its value is a secret, whatever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCredentialParameter {
    /// Name: `Url`, or the header's name.
    pub parameter_name: String,
    /// Such as `HttpHeader`.
    pub parameter_type: NamedCredentialParameterType,
    /// The address, or the header's value.
    pub parameter_value: Option<Secret>,
    /// The external credential that logs in, for [`NamedCredentialParameterType::Authentication`].
    pub external_credential: Option<String>,
    /// Place among the headers.
    pub sequence_number: Option<u32>,
    #[doc(hidden)]
    pub rest: Rest,
}

words! {
    /// What a part of a named credential is.
    NamedCredentialParameterType {
        /// The address.
        Url = "Url",
        /// A header.
        HttpHeader = "HttpHeader",
        /// How to log in.
        Authentication = "Authentication",
        /// A certificate of ours.
        ClientCertificate = "ClientCertificate",
    }
}

component!(NamedCredential);

impl NamedCredential {
    /// An address that needs no log-in: API name, label, address.
    #[must_use]
    pub fn new(full_name: impl Into<String>, label: impl Into<String>, url: impl Into<Secret>) -> Self {
        Self {
            full_name: full_name.into(),
            label: label.into(),
            named_credential_type: Some("SecuredEndpoint".to_owned()),
            parameters: vec![NamedCredentialParameter::new("Url", NamedCredentialParameterType::Url, url)],
            generate_authorization_header: false,
            allow_merge_fields_in_body: false,
            allow_merge_fields_in_header: false,
            rest: Rest::default(),
        }
    }

    /// An address that wants `Authorization: Bearer …`: API name, label, address, token without the word `Bearer`.
    #[must_use]
    pub fn bearer(
        full_name: impl Into<String>,
        label: impl Into<String>,
        url: impl Into<Secret>,
        token: impl Into<Secret>,
    ) -> Self {
        let value = format!("Bearer {}", token.into().expose());
        Self::new(full_name, label, url).header("Authorization", value)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        let headers =
            self.parameters.iter().filter(|part| part.parameter_type == NamedCredentialParameterType::HttpHeader);
        let sequence_number = u32::try_from(headers.count() + 1).ok();
        let header = NamedCredentialParameter::new(name, NamedCredentialParameterType::HttpHeader, value);
        self.parameters.push(NamedCredentialParameter { sequence_number, ..header });
        self
    }

    /// Logs in by an external credential, by its API name.
    #[must_use]
    pub fn external_credential(mut self, name: impl Into<String>) -> Self {
        self.parameters.push(NamedCredentialParameter {
            parameter_name: "ExternalCredential".to_owned(),
            parameter_type: NamedCredentialParameterType::Authentication,
            parameter_value: None,
            external_credential: Some(name.into()),
            sequence_number: None,
            rest: Rest::default(),
        });
        self
    }
}

impl NamedCredentialParameter {
    /// A part with a value.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: NamedCredentialParameterType, value: impl Into<Secret>) -> Self {
        Self {
            parameter_name: name.into(),
            parameter_type: kind,
            parameter_value: Some(value.into()),
            external_credential: None,
            sequence_number: None,
            rest: Rest::default(),
        }
    }
}

impl Wire for NamedCredential {
    fn write(&self, element: &mut Element) {
        element.push(Element::leaf("fullName", &self.full_name));
        element.push(Element::leaf("allowMergeFieldsInBody", self.allow_merge_fields_in_body));
        element.push(Element::leaf("allowMergeFieldsInHeader", self.allow_merge_fields_in_header));
        element.push(Element::leaf("generateAuthorizationHeader", self.generate_authorization_header));
        element.push(Element::leaf("label", &self.label));
        element.children.extend(self.parameters.iter().map(|part| within("namedCredentialParameters", part)));
        element.push_some("namedCredentialType", self.named_credential_type.as_ref());
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            full_name: text(element, "fullName"),
            label: text(element, "label"),
            named_credential_type: some_text(element, "namedCredentialType"),
            parameters: all(element, "namedCredentialParameters")?,
            generate_authorization_header: flag(element, "generateAuthorizationHeader"),
            allow_merge_fields_in_body: flag(element, "allowMergeFieldsInBody"),
            allow_merge_fields_in_header: flag(element, "allowMergeFieldsInHeader"),
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}

impl Wire for NamedCredentialParameter {
    fn write(&self, element: &mut Element) {
        element.push_some("externalCredential", self.external_credential.as_ref());
        element.push(Element::leaf("parameterName", &self.parameter_name));
        push_text(element, "parameterType", self.parameter_type.as_str());
        element.push_some("parameterValue", self.parameter_value.as_ref().map(Secret::expose));
        element.push_some("sequenceNumber", self.sequence_number);
        self.rest.write(element);
    }

    fn read(element: &Element) -> Result<Self> {
        let mut read = Self {
            parameter_name: text(element, "parameterName"),
            parameter_type: NamedCredentialParameterType::from(element.text_of("parameterType").unwrap_or_default()),
            parameter_value: some_text(element, "parameterValue").map(Secret::from),
            external_credential: some_text(element, "externalCredential"),
            sequence_number: super::some_number(element, "sequenceNumber")?,
            rest: Rest::default(),
        };
        read.rest = Rest::of(element, &read);
        Ok(read)
    }
}
