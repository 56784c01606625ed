//! The Metadata API: deploys by REST; components one by one and retrieves by SOAP.

mod components;
mod deploy;
mod described;
mod retrieve;

use crate::client::{ApiRequest, ApiResponse, Client, record_error};
use crate::error::{ApiError, Effect, Error, ErrorKind, Result};
use crate::types::xml::Element;

pub use self::components::{
    AnyComponent, ApexClass, ApexStatus, Component, CustomField, CustomObject, DeleteConstraint, DeploymentStatus,
    FieldKind, FieldPermission, FilterItem, FilterOperation, Flow, FlowActionCall, FlowFilter, FlowStart, FlowStatus,
    FlowValue, FormulaResult, Layout, LayoutColumn, LayoutItem, LayoutSection, LayoutSectionStyle, NameField, NameKind,
    NamedCredential, NamedCredentialParameter, NamedCredentialParameterType, ObjectPermission, PermissionSet,
    PicklistValue, QuickAction, QuickActionItem, QuickActionLayout, QuickActionType, RecordTriggerType,
    RemoteSiteSetting, SharingModel, TreatBlanksAs, UiBehavior, ValueSet, ValueSource, Workflow,
    WorkflowActionReference, WorkflowCriteria, WorkflowOutboundMessage, WorkflowRule, WorkflowTriggerType,
};

pub use self::deploy::{
    CoverageWarning, DeployDetails, DeployFailures, DeployJob, DeployMessage, DeployOptions, DeployResult,
    DeployStatus, MAX_ZIP_BYTES, ProblemType, RunTestsResult, TestFailure, TestLevel, TestSuccess,
};
pub use self::described::{DescribedMetadata, DescribedType};
pub use self::retrieve::{
    FileProperties, RetrieveJob, RetrieveMessage, RetrieveRequest, RetrieveResult, RetrieveStatus,
};

/// Components per call. Source: Metadata API Developer Guide, `createMetadata()`.
pub const MAX_COMPONENTS: usize = 10;

/// Kinds per [`Metadata::list`]. Source: Metadata API Developer Guide, `listMetadata()`.
const MAX_LISTED: usize = 3;

const NAMESPACE: &str = "http://soap.sforce.com/2006/04/metadata";

/// Calls of the Metadata API by SOAP. Each costs one API call.
///
/// The user needs "Modify Metadata Through Metadata API Functions" or "Modify All Data"; without, calls fail with
/// [`ErrorKind::Forbidden`]. JWT-based access tokens do not work here: SOAP takes opaque ones only. They are not even sent, and the
/// error is of that kind too; [`Client::deploy`] works with them.
///
/// Source: Metadata API Developer Guide, "CRUD-Based Metadata"; WSDL 63.0.
#[derive(Clone, Debug)]
pub struct Metadata {
    client: Client,
}

/// The outcome of one component.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MetadataResult {
    /// The component's full name.
    pub full_name: String,
    /// Whether an upsert created it; `None` for other calls.
    pub created: Option<bool>,
    /// Why it was refused; `None` when it was saved.
    pub error: Option<Error>,
}

impl Client {
    /// Calls of the Metadata API.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        Metadata { client: self.clone() }
    }
}

impl Metadata {
    /// Creates components of one type, up to 10. One that exists already is refused with a duplicate error and changes
    /// nothing, so the call may be repeated after a lost answer, and is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for none or more than 10; any error of [`Client::send`]. Each component has its
    /// own outcome, so look at every result.
    pub async fn create<T: Component>(&self, components: &[T]) -> Result<Vec<MetadataResult>> {
        self.save("metadata.create", "createMetadata", components).await
    }

    /// Changes components of one type, up to 10. What is set is replaced, lists included.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    pub async fn update<T: Component>(&self, components: &[T]) -> Result<Vec<MetadataResult>> {
        self.save("metadata.update", "updateMetadata", components).await
    }

    /// Creates components of one type or changes those that exist, up to 10.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    pub async fn upsert<T: Component>(&self, components: &[T]) -> Result<Vec<MetadataResult>> {
        self.save("metadata.upsert", "upsertMetadata", components).await
    }

    /// Reads components of one type by full name, up to 10, in the order of the names; `None` for what does not exist.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    pub async fn read<T: Component>(&self, names: &[&str]) -> Result<Vec<Option<T>>> {
        const OPERATION: &str = "metadata.read";
        let answer = self.by_name(OPERATION, "readMetadata", T::TYPE, names).await?;
        let result = answer.find("result").ok_or_else(|| wrong(OPERATION, "the answer has no result"))?;
        let mut records = Vec::with_capacity(names.len());
        for record in result.all("records") {
            // A name that does not exist comes as `<records xsi:nil="true"/>`, or as an empty record.
            let missing = record.is_nil() || record.text_of("fullName").is_none();
            records.push(if missing { None } else { Some(T::read(record)?) });
        }
        if records.len() == names.len() {
            return Ok(records);
        }
        // Some releases leave missing ones out; then names tell which is which.
        let mut found: Vec<Option<T>> = records;
        let by_name = |name: &&str| {
            let is = |record: &Option<T>| {
                record.as_ref().is_some_and(|record| record.full_name().eq_ignore_ascii_case(name))
            };
            found.iter().position(is).and_then(|index| found[index].take())
        };
        Ok(names.iter().map(by_name).collect())
    }

    /// Deletes components of one type by full name, up to 10.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    pub async fn delete<T: Component>(&self, names: &[&str]) -> Result<Vec<MetadataResult>> {
        const OPERATION: &str = "metadata.delete";
        let answer = self.by_name(OPERATION, "deleteMetadata", T::TYPE, names).await?;
        results(OPERATION, &answer, names.len())
    }

    /// Gives a component another full name. Costs one API call.
    ///
    /// Not repeated after a lost answer: the old name would no longer be there.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    ///
    /// Source: Metadata API Developer Guide, `renameMetadata()`.
    pub async fn rename<T: Component>(&self, old_name: &str, new_name: &str) -> Result<MetadataResult> {
        const OPERATION: &str = "metadata.rename";
        let mut call = Element::new("renameMetadata");
        call.push(Element::leaf("type", T::TYPE));
        call.push(Element::leaf("oldFullName", old_name));
        call.push(Element::leaf("newFullName", new_name));
        let answer = self.send(self.request(OPERATION, envelope(&call))).await?;
        results(OPERATION, &answer, 1)?.pop().ok_or_else(|| wrong(OPERATION, "the answer has no result"))
    }

    /// Whether SOAP takes the token in force: not if it is a JWT-based one. Costs no API call.
    ///
    /// # Errors
    ///
    /// As for [`Client::access_token`].
    pub async fn takes_token(&self) -> Result<bool> {
        Ok(!self.client.access_token().await?.is_jwt())
    }

    /// The full names of all components of up to 3 types, such as `CustomObject`, `CustomField`, `PermissionSet`.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create), with 3 for 10.
    pub async fn list(&self, types: &[&str]) -> Result<Vec<Listed>> {
        const OPERATION: &str = "metadata.list";
        check_size(OPERATION, types.len(), MAX_LISTED)?;
        let mut call = Element::new("listMetadata");
        for kind in types {
            let mut query = Element::new("queries");
            query.push(Element::leaf("type", kind));
            call.push(query);
        }
        call.push(Element::leaf("asOfVersion", self.client.api_version()));
        let answer = self.call(OPERATION, &call).await?;
        let response =
            answer.find("listMetadataResponse").ok_or_else(|| wrong(OPERATION, "the answer lists nothing"))?;
        let listed = response.all("result").map(|file| {
            let text = |name| file.text_of(name).unwrap_or_default().to_owned();
            Listed { component_type: text("type"), full_name: text("fullName") }
        });
        Ok(listed.collect())
    }

    async fn save<T: Component>(
        &self,
        operation: &'static str,
        call: &str,
        components: &[T],
    ) -> Result<Vec<MetadataResult>> {
        check_size(operation, components.len(), MAX_COMPONENTS)?;
        let mut element = Element::new(call);
        for component in components {
            let mut metadata = Element::new("metadata").attribute("xsi:type", T::TYPE);
            component.write(&mut metadata);
            element.push(metadata);
        }
        let answer = self.call(operation, &element).await?;
        results(operation, &answer, components.len())
    }

    async fn by_name(&self, operation: &'static str, call: &str, kind: &str, names: &[&str]) -> Result<Element> {
        check_size(operation, names.len(), MAX_COMPONENTS)?;
        let mut element = Element::new(call);
        element.push(Element::leaf("type", kind));
        for name in names {
            element.push(Element::leaf("fullNames", name));
        }
        self.call(operation, &element).await
    }

    /// A call that has the effect of once when it is sent twice: creating what exists is refused, all else is absolute.
    async fn call(&self, operation: &'static str, call: &Element) -> Result<Element> {
        self.send(self.request(operation, envelope(call)).idempotent()).await
    }

    fn request(&self, operation: &'static str, (before, after): (String, String)) -> ApiRequest {
        let path = format!("/services/Soap/m/{}", self.client.api_version());
        ApiRequest::post(operation, path).soap(before, after)
    }

    async fn send(&self, request: ApiRequest) -> Result<Element> {
        let answer: ApiResponse = self.client.send(request).await.map_err(denied)?;
        answer.xml()
    }
}

/// The envelope around a call, cut where the session id goes.
fn envelope(call: &Element) -> (String, String) {
    let before = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <soapenv:Header xmlns=\"{NAMESPACE}\"><SessionHeader><sessionId>"
    );
    let mut after = format!("</sessionId></SessionHeader></soapenv:Header><soapenv:Body xmlns=\"{NAMESPACE}\">");
    call.write(&mut after);
    after.push_str("</soapenv:Body></soapenv:Envelope>");
    (before, after)
}

/// A component in [`Metadata::list`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// Such as `CustomField`.
    pub component_type: String,
    /// Such as `Account.Score__c`.
    pub full_name: String,
}

/// Says what to do about a missing permission, whatever the fault's words, and about a session that is refused although it is new.
fn denied(error: Error) -> Error {
    if error.kind() == ErrorKind::Auth && error.has_code("INVALID_SESSION_ID") && error.advice().is_none() {
        return error.with_advice(
            "the token was renewed and is refused all the same: SOAP takes no JWT-based access tokens, so deploy by REST \
             (Client::deploy); otherwise the user may not use the API",
        );
    }
    if error.kind() == ErrorKind::Forbidden && error.advice().is_none() {
        return error.with_advice(
            "connect once as a user with \"Modify Metadata Through Metadata API Functions\", such as a System Administrator, \
             and then again as the integration user",
        );
    }
    error
}

fn check_size(operation: &'static str, count: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&count) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        operation,
        "the call takes at least one component and no more than the API allows",
    )
    .with_context("components", count)
    .with_context("allowed", most))
}

fn wrong(operation: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Decode, operation, message).with_effect(Effect::Unknown)
}

fn results(operation: &'static str, answer: &Element, count: usize) -> Result<Vec<MetadataResult>> {
    let response = answer
        .find("Body")
        .and_then(|body| body.children.first())
        .ok_or_else(|| wrong(operation, "the answer has no results"))?;
    let results: Vec<MetadataResult> = response.all("result").map(|result| read_result(operation, result)).collect();
    if results.len() != count {
        return Err(wrong(operation, "the answer has another number of results than components were sent"));
    }
    Ok(results)
}

fn read_result(operation: &'static str, result: &Element) -> MetadataResult {
    let full_name = result.text_of("fullName").unwrap_or_default().to_owned();
    let created = result.flag_of("created");
    let saved = result.flag_of("success") == Some(true);
    let errors = result.all("errors").map(|error| {
        let fields = error.all("fields").map(|field| field.text.trim().to_owned()).collect();
        let text = |name| error.text_of(name).unwrap_or_default();
        ApiError::new(text("statusCode"), text("message"), fields)
    });
    let error =
        (!saved).then(|| denied(record_error(operation, errors.collect()).with_context("component", &full_name)));
    MetadataResult { full_name, created: created.filter(|_| saved), error }
}
