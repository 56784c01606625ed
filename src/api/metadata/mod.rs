//! The Metadata API: components as types, and packages of them; deploys by REST; components one by one and retrieves by SOAP.

mod components;
mod deploy;
mod described;
mod package;
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
pub use self::package::{Deletion, MAX_FILES, MAX_UNPACKED, MAX_ZIP, Package, PackageFile};

pub use self::deploy::{
    CoverageWarning, DeployDetails, DeployFailures, DeployJob, DeployMessage, DeployOptions, DeployResult,
    DeployStatus, ProblemType, RunTestsResult, TestFailure, TestLevel, TestSuccess,
};
pub use self::described::{DescribedMetadata, DescribedType};
pub use self::retrieve::{
    FileProperties, RetrieveJob, RetrieveMessage, RetrieveRequest, RetrieveResult, RetrieveStatus,
};

/// Components per call. Source: Metadata API Developer Guide, `createMetadata()`.
pub const MAX_COMPONENTS: usize = 10;

/// The same for custom metadata and apps.
const MAX_CUSTOM_METADATA: usize = 200;

/// Types per call of [`Metadata::list`]. Source: Metadata API Developer Guide, `listMetadata()`.
const MAX_LISTED: usize = 3;

const NAMESPACE: &str = "http://soap.sforce.com/2006/04/metadata";

/// Calls of the Metadata API by SOAP.
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
    /// Creates components, any number of them: typed ones, or [`AnyComponent`]s of several types. One that exists already is
    /// refused with a duplicate error and changes nothing, so a call may be repeated after a lost answer, and is.
    ///
    /// One API call takes 10 components of one type (200 of custom metadata and apps); as many calls are made as that takes, one after
    /// the other. Each component has its own outcome, in order, so look at every result. If the first call fails, so does all. If a later
    /// one fails, the outcomes until then stay: the components of that call have its error, with [`Effect::Unknown`] where the org may have
    /// taken them, and those after it, which are not sent, have it with [`Effect::None`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] before sending for a type that only deploys take (Apex) and for a character that XML has no form for; any error
    /// of [`Client::send`].
    pub async fn create<T: Clone + Into<AnyComponent> + Sync>(&self, components: &[T]) -> Result<Vec<MetadataResult>> {
        self.save("metadata.create", "createMetadata", components).await
    }

    /// Changes components, any number of them. What is set is replaced, lists included.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create), and so are calls and outcomes.
    pub async fn update<T: Clone + Into<AnyComponent> + Sync>(&self, components: &[T]) -> Result<Vec<MetadataResult>> {
        self.save("metadata.update", "updateMetadata", components).await
    }

    /// Creates components or changes those that exist, any number of them.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create), and so are calls and outcomes.
    pub async fn upsert<T: Clone + Into<AnyComponent> + Sync>(&self, components: &[T]) -> Result<Vec<MetadataResult>> {
        self.save("metadata.upsert", "upsertMetadata", components).await
    }

    /// Reads components of one type by full name, any number of them, in the order of the names; `None` for what does not exist.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create); reading changes nothing, so if one call fails all is to be asked again.
    pub async fn read<T: Component>(&self, names: &[&str]) -> Result<Vec<Option<T>>> {
        let read = self.read_any(T::TYPE, names).await?;
        read.iter().map(|found| found.as_ref().map_or(Ok(None), AnyComponent::get)).collect()
    }

    /// The same for a type that may have none here, by its name.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub async fn read_any(&self, component_type: &str, names: &[&str]) -> Result<Vec<Option<AnyComponent>>> {
        const OPERATION: &str = "metadata.read";
        let mut all = Vec::with_capacity(names.len());
        for names in names.chunks(per_call(component_type)) {
            let answer = self.call(OPERATION, &by_name("readMetadata", component_type, names)).await?;
            all.extend(read_records(component_type, &answer, names)?);
        }
        Ok(all)
    }

    /// Deletes components of one type by full name, any number of them.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create), and so are calls and outcomes.
    pub async fn delete<T: Component>(&self, names: &[&str]) -> Result<Vec<MetadataResult>> {
        self.delete_any(T::TYPE, names).await
    }

    /// The same for a type that may have none here, by its name.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create), and so are calls and outcomes.
    pub async fn delete_any(&self, component_type: &str, names: &[&str]) -> Result<Vec<MetadataResult>> {
        let call = |names: &[&str]| Call {
            element: by_name("deleteMetadata", component_type, names),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        self.each("metadata.delete", names.chunks(per_call(component_type)).map(call)).await
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

    /// The full names of all components of some types, such as `CustomObject`, `CustomField`, `PermissionSet`. One API call per 3 types.
    ///
    /// # Errors
    ///
    /// Any error of [`Client::send`]; then all is to be asked again.
    pub async fn list(&self, types: &[&str]) -> Result<Vec<Listed>> {
        const OPERATION: &str = "metadata.list";
        let mut all = Vec::new();
        for types in types.chunks(MAX_LISTED) {
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
            all.extend(response.all("result").map(|file| {
                let text = |name| file.text_of(name).unwrap_or_default().to_owned();
                Listed { component_type: text("type"), full_name: text("fullName") }
            }));
        }
        Ok(all)
    }

    async fn save<T: Clone + Into<AnyComponent> + Sync>(
        &self,
        operation: &'static str,
        call: &str,
        components: &[T],
    ) -> Result<Vec<MetadataResult>> {
        let components: Vec<AnyComponent> = components.iter().cloned().map(Into::into).collect();
        components.iter().try_for_each(|component| check(operation, component))?;
        let runs = components.chunk_by(|one, next| one.component_type() == next.component_type());
        let chunks = runs.flat_map(|run| run.chunks(run.first().map_or(1, |one| per_call(one.component_type()))));
        let calls = chunks.map(|chunk| {
            let mut element = Element::new(call);
            for component in chunk {
                let kind = component.component_type();
                let mut metadata = Element::new("metadata").attribute("xsi:type", kind);
                metadata.children.clone_from(&component.element().children);
                element.push(metadata);
            }
            Call { element, names: chunk.iter().map(|component| component.full_name().to_owned()).collect() }
        });
        self.each(operation, calls).await
    }

    /// Makes the calls one after the other, up to the first that fails.
    async fn each(
        &self,
        operation: &'static str,
        calls: impl Iterator<Item = Call> + Send,
    ) -> Result<Vec<MetadataResult>> {
        let mut done = Vec::new();
        let mut failed: Option<Error> = None;
        for Call { element, names } in calls {
            let failure = if let Some(error) = &failed {
                error.clone().with_effect(Effect::None).with_context("sent", false)
            } else {
                let answer = self.call(operation, &element).await;
                match answer.and_then(|answer| results(operation, &answer, names.len())) {
                    Ok(results) => {
                        done.extend(results);
                        continue;
                    }
                    Err(error) if done.is_empty() => return Err(error),
                    Err(error) => failed.insert(error).clone(),
                }
            };
            let outcome = |full_name| MetadataResult { full_name, created: None, error: Some(failure.clone()) };
            done.extend(names.into_iter().map(outcome));
        }
        Ok(done)
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
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
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

/// A call that changes something, and what it changes.
struct Call {
    element: Element,
    names: Vec<String>,
}

/// How many components of a type one call takes. Source: Metadata API Developer Guide, `createMetadata()`.
fn per_call(component_type: &str) -> usize {
    if matches!(component_type, "CustomMetadata" | "CustomApplication") { MAX_CUSTOM_METADATA } else { MAX_COMPONENTS }
}

fn by_name(call: &str, component_type: &str, names: &[&str]) -> Element {
    let mut element = Element::new(call);
    element.push(Element::leaf("type", component_type));
    for name in names {
        element.push(Element::leaf("fullNames", name));
    }
    element
}

/// Refuses what no call can carry.
fn check(operation: &'static str, component: &AnyComponent) -> Result<()> {
    let invalid = |message: &'static str| {
        Error::new(ErrorKind::Invalid, operation, message)
            .with_context("type", component.component_type())
            .with_context("component", component.full_name())
    };
    if component.component_type() == ApexClass::TYPE {
        return Err(invalid("only a deploy takes Apex"));
    }
    match component.element().unwritable() {
        Some(element) => {
            Err(invalid("a text holds a character that XML has no form for").with_context("element", element))
        }
        None => Ok(()),
    }
}

fn read_records(component_type: &str, answer: &Element, names: &[&str]) -> Result<Vec<Option<AnyComponent>>> {
    let result = answer.find("result").ok_or_else(|| wrong("metadata.read", "the answer has no result"))?;
    let record = |record: &Element| {
        // A name that does not exist comes as `<records xsi:nil="true"/>`, or as an empty record.
        let name = record.text_of("fullName").filter(|_| !record.is_nil())?;
        Some(AnyComponent::from_element(component_type, name, record))
    };
    let mut found: Vec<Option<AnyComponent>> = result.all("records").map(record).collect();
    if found.len() == names.len() {
        return Ok(found);
    }
    // Some releases leave missing ones out; then names tell which is which.
    let by_name = |name: &&str| {
        let is = |record: &Option<AnyComponent>| {
            record.as_ref().is_some_and(|record| record.full_name().eq_ignore_ascii_case(name))
        };
        found.iter().position(is).and_then(|index| found[index].take())
    };
    Ok(names.iter().map(by_name).collect())
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
