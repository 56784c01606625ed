//! The Metadata API's calls on components (wire facts 4.1, 4.2; Metadata guide, "CRUD-Based Metadata Development").
//!
//! Of the component types it has `CustomObject`, `CustomField` and `PermissionSet`. What a request says beyond what the
//! org knows is ignored, as elements of other API versions are.

mod components;
mod describe;
mod fields;
mod objects;
mod permission_sets;
mod read;

use super::error::ApiError;
use super::json::Json;
use super::operation::Operation;
use super::rest::identity::is_active;
use super::router::VERSIONS;
use super::schema::{Field, Object};
use super::state::State;
use super::wire::{Answer, Request};
use super::xml::{self, Element, Node, escape};

const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const METADATA: &str = "http://soap.sforce.com/2006/04/metadata";

/// Components in one call. [D] 200 of a few types, none of which the org has.
const MAX_COMPONENTS: usize = 10;

/// A request as its envelope has it.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) session: String,
    all_or_none: Option<bool>,
    /// The one element of the body.
    call: Element,
}

impl Envelope {
    pub(crate) fn parse(request: &Request) -> Result<Self, String> {
        let root = xml::parse(&request.body)?;
        if root.namespace != ENVELOPE || root.name != "Envelope" {
            return Err("the root element is no SOAP 1.1 envelope".to_owned());
        }
        let part = |name: &str| root.children.iter().find(|child| child.namespace == ENVELOPE && child.name == name);
        let header = |name: &str, value: &str| {
            let header = part("Header")?.children.iter().find(|child| child.name == name)?;
            header.child(value).cloned()
        };
        let session = header("SessionHeader", "sessionId").map(|id| id.text.trim().to_owned()).unwrap_or_default();
        let all_or_none = header("AllOrNoneHeader", "allOrNone").map(|flag| matches!(flag.text.trim(), "true" | "1"));
        let body = part("Body").ok_or("the envelope has no body")?;
        let call = body.children.first().cloned().ok_or("the body is empty")?;
        Ok(Self { session, all_or_none, call })
    }

    pub(crate) fn operation(&self) -> Option<Operation> {
        if self.call.namespace != METADATA {
            return None;
        }
        Some(match self.call.name.as_str() {
            "describeMetadata" | "describeValueType" => Operation::MetadataDescribe,
            "listMetadata" => Operation::MetadataList,
            "createMetadata" => Operation::MetadataCreate,
            "readMetadata" => Operation::MetadataRead,
            "updateMetadata" => Operation::MetadataUpdate,
            "upsertMetadata" => Operation::MetadataUpsert,
            "deleteMetadata" => Operation::MetadataDelete,
            "renameMetadata" => Operation::MetadataRename,
            _ => return None,
        })
    }
}

/// The refusal of a whole call.
#[derive(Debug)]
struct Fault {
    code: &'static str,
    message: String,
}

impl Fault {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The refusal of one component.
#[derive(Clone, Debug)]
struct Refusal {
    code: String,
    message: String,
    fields: Vec<String>,
}

impl Refusal {
    fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), fields: Vec::new() }
    }

    /// Most refusals have this code (wire facts 4.2).
    fn integrity(message: impl Into<String>) -> Self {
        Self::new("FIELD_INTEGRITY_EXCEPTION", message)
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self { code: error.code, message: error.message, fields: error.fields.unwrap_or_default() }
    }
}

/// Who calls, and in which version.
struct Caller {
    user: String,
    version: u32,
}

/// `POST /services/Soap/m/<version>`
pub(crate) fn answer(
    state: &mut State,
    request: &Request,
    version: &str,
    envelope: &Result<Envelope, String>,
) -> Answer {
    if request.method != http::Method::POST {
        // [K] The body.
        return Answer::text(405, "text/plain;charset=UTF-8", "SOAP takes POST").with("Allow", "POST");
    }
    let envelope = match envelope {
        Ok(envelope) => envelope,
        // [K] The text.
        Err(reason) => return fault_of("soapenv:Client", &format!("{reason}. Request was not a valid SOAP message")),
    };
    match respond(state, version, envelope) {
        Ok(response) => {
            let mut body = String::from(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
                 xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
                 xmlns=\"http://soap.sforce.com/2006/04/metadata\" \
                 xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>",
            );
            response.write(&mut body);
            body.push_str("</soapenv:Body></soapenv:Envelope>");
            Answer::text(200, "text/xml;charset=UTF-8", body)
        }
        Err(error) => fault(error.code, &error.message),
    }
}

/// A fault of Salesforce's own (recorded: metadata-soap/legacy-v23-foo-invalid_session.xml; [S] without `detail`, in the
/// namespace of metadata).
pub(crate) fn fault(code: &str, message: &str) -> Answer {
    fault_of(&format!("sf:{code}"), &format!("{code}: {message}"))
}

fn fault_of(code: &str, text: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:sf=\"{METADATA}\"><soapenv:Body>\
         <soapenv:Fault><faultcode>{}</faultcode><faultstring>{}</faultstring></soapenv:Fault></soapenv:Body>\
         </soapenv:Envelope>",
        escape(code),
        escape(text)
    );
    Answer::text(500, "text/xml;charset=UTF-8", body)
}

/// recorded: metadata-soap/legacy-v23-foo-invalid_session.xml
pub(crate) fn no_session() -> Answer {
    fault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session")
}

fn respond(state: &mut State, version: &str, envelope: &Envelope) -> Result<Node, Fault> {
    let number = version.strip_suffix(".0").unwrap_or(version).parse().ok();
    let Some(version) = number.filter(|number| VERSIONS.contains(number)) else {
        return Err(Fault::new("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL"));
    };
    let now = state.data.now();
    let user = state.auth.user_of_token(&envelope.session, now);
    let Some(user) = user.filter(|user| is_active(&state.data.store, user)) else {
        let message = "Invalid Session ID found in SessionHeader: Illegal Session";
        return Err(Fault::new("INVALID_SESSION_ID", message));
    };
    let view = state.view(&user);
    if let Some((code, message)) = state.api_refusal(&view) {
        return Err(Fault::new(code, message));
    }
    if !state.usage.count(now) {
        return Err(Fault::new("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
    }
    let Some(operation) = envelope.operation() else {
        // [S] The text.
        let Element { namespace, name, .. } = &envelope.call;
        let message =
            format!("No operation available for request {{{namespace}}}{name}, please check the WSDL for the service.");
        return Err(Fault::new("UNKNOWN_EXCEPTION", message));
    };
    if !view.has_any(&["ModifyAllData", "ModifyMetadata"]) {
        // [S] The text, from four projects' reports.
        let message = "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions";
        return Err(Fault::new("INSUFFICIENT_ACCESS", message));
    }
    let caller = Caller { user, version };
    let call = &envelope.call;
    // [D] Partial saves from 34.0 on.
    let all_or_none = envelope.all_or_none.unwrap_or(version < 34);
    match operation {
        Operation::MetadataDescribe if call.name == "describeValueType" => describe::value_type(call),
        Operation::MetadataDescribe => Ok(describe::describe()),
        Operation::MetadataList => describe::list(state, call),
        Operation::MetadataRead => read::read(state, caller.version, call),
        Operation::MetadataDelete => components::delete(state, &caller, call, all_or_none),
        Operation::MetadataRename => components::rename(state, &caller, call),
        _ => components::save(state, &caller, call, operation, all_or_none),
    }
}

/// A custom field's metadata as the Tooling API has it: without `fullName`.
pub(crate) fn field_json(object: &Object, field: &Field) -> Json {
    let Json::Object(mut members) = read::field_node(object, field).to_json() else { return Json::Null };
    members.retain(|(name, _)| name != "fullName");
    Json::Object(members)
}

/// Saves a custom field as the Tooling API describes it.
pub(crate) fn save_field(state: &mut State, full_name: &str, metadata: &Json, create: bool) -> Result<(), ApiError> {
    let element = Element::of_json("Metadata", metadata);
    fields::save(state, full_name, &element, create).map_err(to_error)
}

/// Deletes a custom field.
pub(crate) fn delete_field(state: &mut State, full_name: &str) -> Result<(), ApiError> {
    fields::delete(state, full_name).map_err(to_error)
}

fn to_error(refusal: Refusal) -> ApiError {
    ApiError { fields: Some(refusal.fields), ..ApiError::new(400, &refusal.code, refusal.message) }
}

/// The texts of repeated elements, not too many.
fn names(call: &Element) -> Result<Vec<&str>, Fault> {
    let names: Vec<&str> = call.all("fullNames").map(|name| name.text.trim()).collect();
    check_count(names.len())?;
    Ok(names)
}

fn check_count(count: usize) -> Result<(), Fault> {
    if count > MAX_COMPONENTS {
        // [S] The text.
        let message =
            format!("record limit reached. cannot submit more than {MAX_COMPONENTS} records in this operation");
        return Err(Fault::new("EXCEEDED_ID_LIMIT", message));
    }
    Ok(())
}

/// A component type the org has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Object,
    Field,
    PermissionSet,
}

impl Kind {
    fn parse(name: &str) -> Result<Self, Fault> {
        Ok(match name {
            "CustomObject" => Self::Object,
            "CustomField" => Self::Field,
            "PermissionSet" => Self::PermissionSet,
            // [S] The text, of a component without `xsi:type`.
            "" => return Err(Fault::new("INVALID_TYPE", "Must send a concrete entity type.")),
            other => {
                let message = format!("This org keeps no components of type {other}");
                return Err(Fault::new("INVALID_TYPE", message));
            }
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Object => "CustomObject",
            Self::Field => "CustomField",
            Self::PermissionSet => "PermissionSet",
        }
    }

    /// The permission that changing components of this type takes, beside that for the Metadata API itself.
    // Help, "Metadata API Edit Access": "permission that enables use of the feature"; Metadata guide, "PermissionSet".
    fn permission(self) -> &'static str {
        match self {
            Self::Object | Self::Field => "CustomizeApplication",
            Self::PermissionSet => "ManageProfilesPermissionsets",
        }
    }
}

/// A component that is not there.
fn unknown(kind: Kind, name: &str) -> Refusal {
    // [S] The words of deployments; the code is recorded for deletes of fields.
    Refusal::new("INVALID_CROSS_REFERENCE_KEY", format!("no {} named {name} found", kind.name()))
}
