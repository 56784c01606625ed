//! The Metadata API's calls on components (wire facts 4.1, 4.2; Metadata guide, "CRUD-Based Metadata Development").
//!
//! Objects, fields and permission sets take effect; components of other types are checked and kept as they came. What a request
//! says beyond what the org knows is ignored, as elements of other API versions are.

mod archive;
mod checks;
mod components;
pub(crate) mod deploy;
mod describe;
mod elements;
mod fields;
mod kind;
mod layouts;
mod objects;
mod package;
mod permission_sets;
mod read;
mod retrieve;
mod stored;

pub use deploy::DeploySettings;
pub(crate) use deploy::Deploys;
pub(crate) use kind::Kind;
pub(crate) use layouts::lay_out;
pub(crate) use retrieve::Retrieves;
pub(crate) use stored::{Components, Stored};

use bytes::Bytes;

use super::error::ApiError;
use super::ids;
use super::json::Json;
use super::operation::Operation;
use super::permissions::UserView;
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

/// The version whose shapes the org knows in full.
const NEWEST: u32 = *VERSIONS.end();

/// [S] The text, from four projects' reports.
const NOT_ALLOWED: &str =
    "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions";

/// Wire facts 4.2: "Modify Metadata Through Metadata API Functions" or "Modify All Data".
fn may_change(view: &UserView) -> bool {
    view.has_any(&["ModifyAllData", "ModifyMetadata"])
}

/// Time has gone by.
pub(crate) fn tick(state: &mut State) {
    deploy::tick(state);
    retrieve::tick(state);
}

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
            "deploy" | "deployRecentValidation" => Operation::MetadataDeploy,
            "checkDeployStatus" => Operation::MetadataCheckDeploy,
            "cancelDeploy" => Operation::MetadataCancelDeploy,
            "retrieve" => Operation::MetadataRetrieve,
            "checkRetrieveStatus" => Operation::MetadataCheckRetrieve,
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
    /// Line and column of the element it is about.
    at: Option<(u32, u32)>,
}

impl Refusal {
    fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), fields: Vec::new(), at: None }
    }

    fn at(self, element: &Element) -> Self {
        Self { at: Some((element.line, element.column)), ..self }
    }

    /// Most refusals have this code (wire facts 4.2).
    fn integrity(message: impl Into<String>) -> Self {
        Self::new("FIELD_INTEGRITY_EXCEPTION", message)
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self { code: error.code, message: error.message, fields: error.fields.unwrap_or_default(), at: None }
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
    if !may_change(&view) {
        return Err(Fault::new("INSUFFICIENT_ACCESS", NOT_ALLOWED));
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
        Operation::MetadataDeploy if call.name == "deploy" => deploy::soap::deploy(state, &caller, call),
        Operation::MetadataDeploy => deploy::soap::recent_validation(state, &caller, call),
        Operation::MetadataCheckDeploy => deploy::soap::check(state, call),
        Operation::MetadataCancelDeploy => deploy::soap::cancel_deploy(state, &caller, call),
        Operation::MetadataRetrieve => retrieve::request(state, &caller, call),
        Operation::MetadataCheckRetrieve => retrieve::check(state, call),
        _ => components::save(state, &caller, call, operation, all_or_none),
    }
}

/// A custom field's metadata as the Tooling API has it: without `fullName`.
pub(crate) fn field_json(object: &Object, field: &Field) -> Json {
    let Json::Object(mut members) = read::field_node(object, field).to_json() else { return Json::Null };
    members.retain(|(name, _)| name != "fullName");
    Json::Object(members)
}

/// A component's metadata as the Tooling API has it.
pub(crate) fn body_json(stored: &Stored) -> Json {
    Node::of(&stored.body).to_json()
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

/// The one parameter of a call, whatever its element is called.
// [S] jsforce and the Salesforce CLI say `request` to `retrieve` and `id` to `cancelDeploy`, where the WSDL has `retrieveRequest`
// and `String`; Salesforce takes both.
fn parameter<'c>(call: &'c Element, name: &str) -> Option<&'c Element> {
    call.child(name).or_else(|| call.children.first())
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

fn exists(state: &State, kind: Kind, name: &str) -> bool {
    match kind {
        Kind::Object => objects::exists(state, name),
        Kind::Field => fields::exists(state, name),
        Kind::PermissionSet => permission_sets::find(state, name).is_some(),
        Kind::Workflow => stored::node(state, kind, name, Node::new("c")).is_some(),
        kind => state.components.get(kind, name).is_some(),
    }
}

/// Creates or changes a component; `content` is what its file has beside its metadata.
fn save(
    state: &mut State,
    caller: &Caller,
    kind: Kind,
    name: &str,
    (component, content): (&Element, Option<&Bytes>),
    create: bool,
) -> Result<(), Refusal> {
    match kind {
        Kind::Object => {
            objects::save(state, name, component, create).and_then(|()| save_parts(state, caller, name, component))
        }
        Kind::Field => fields::save(state, name, component, create),
        Kind::PermissionSet => permission_sets::save(state, caller, name, component, create),
        // Its parts are components of their own.
        Kind::Workflow => checks::check_workflow(state, name),
        kind => stored::save(state, caller, kind, name, (component, content), create),
    }
}

/// The parts of an object that come within it. Its fields are saved with it.
fn save_parts(state: &mut State, caller: &Caller, name: &str, component: &Element) -> Result<(), Refusal> {
    for (element, kind) in Kind::Object.children().iter().filter(|(_, kind)| *kind != Kind::Field) {
        for part in component.all(element) {
            let full_name = format!("{name}.{}", part.text_of("fullName").unwrap_or_default());
            let create = !exists(state, *kind, &full_name);
            stored::save(state, caller, *kind, &full_name, (part, None), create)?;
        }
    }
    Ok(())
}

fn delete(state: &mut State, caller: &Caller, kind: Kind, name: &str) -> Result<(), Refusal> {
    match kind {
        Kind::Object => objects::delete(state, caller, name),
        Kind::Field => fields::delete(state, name),
        Kind::PermissionSet => permission_sets::delete(state, caller, name),
        kind => stored::delete(state, kind, name),
    }
}

/// The names of a type's components.
fn names_of(state: &State, kind: Kind) -> Vec<String> {
    match kind {
        Kind::Object => {
            let objects = state.schema.objects().filter(|object| object.layoutable);
            objects.map(|object| object.name.clone()).collect()
        }
        Kind::Field => {
            let objects = state.schema.objects();
            let fields = objects.flat_map(|object| object.fields.iter().map(move |field| (object, field)));
            fields
                .filter(|(_, field)| field.custom && field.name.ends_with("__c"))
                .map(|(object, field)| format!("{}.{}", object.name, field.name))
                .collect()
        }
        Kind::PermissionSet => {
            let rows = state.data.store.rows("PermissionSet", false);
            let rows = rows.filter(|row| !permission_sets::is(row, "IsOwnedByProfile"));
            let mut names: Vec<String> = rows.map(|row| permission_sets::text(row, "Name").to_owned()).collect();
            names.sort();
            names
        }
        Kind::Workflow => {
            let objects = state.schema.objects().filter(|object| exists(state, Kind::Workflow, &object.name));
            objects.map(|object| object.name.clone()).collect()
        }
        kind => state.components.of(kind).map(|stored| stored.name.clone()).collect(),
    }
}

/// The id of a component; blank where it has none, as [K] what is standard.
fn id_of(state: &State, kind: Kind, name: &str) -> String {
    match kind {
        Kind::Object => {
            let object = state.schema.object(name).filter(|object| object.custom);
            object.map(|object| ids::make("01I", object.extra.serial)).unwrap_or_default()
        }
        Kind::Field => {
            let field = fields::find(state, name).map(|(_, field)| field).filter(|field| field.custom);
            field.map(|field| ids::make("00N", field.extra.serial)).unwrap_or_default()
        }
        Kind::PermissionSet => permission_sets::find(state, name).and_then(super::data::row_id).unwrap_or_default(),
        kind => state.components.get(kind, name).map(|stored| stored.id.clone()).unwrap_or_default(),
    }
}

/// A component that is not there.
fn unknown(kind: Kind, name: &str) -> Refusal {
    // [S] The words of deployments; the code is recorded for deletes of fields.
    Refusal::new("INVALID_CROSS_REFERENCE_KEY", format!("no {} named {name} found", kind.name()))
}
