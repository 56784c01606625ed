//! What a component must say and what it may refer to, and what a deletion must not leave behind.

use bytes::Bytes;

use super::super::state::State;
use super::super::xml::Element;
use super::layouts::{has_field, object_of};
use super::{Caller, Kind, Refusal, exists};

/// A name that refers to nothing.
// [S] The words of deployments: forcedotcom/cli#155, df12-deployment-tools#2, build-apps-with-lwc#4.
fn dangling(field: &str, kind: &str, name: &str) -> Refusal {
    let message = format!("In field: {field} - no {kind} named {name} found");
    Refusal::new("INVALID_CROSS_REFERENCE_KEY", message)
}

fn required<'e>(component: &'e Element, name: &str) -> Result<&'e str, Refusal> {
    component.text_of(name).ok_or_else(|| {
        // [S] The words of deployments, "Required field is missing: label".
        Refusal::new("REQUIRED_FIELD_MISSING", format!("Required field is missing: {name}"))
    })
}

fn one_of(component: &Element, name: &str, values: &[&str]) -> Result<(), Refusal> {
    match component.text_of(name) {
        Some(value) if !values.contains(&value) => {
            // [S] The words of the parser of deployments.
            Err(Refusal::integrity(format!("'{value}' is not a valid value for the enum '{name}'")))
        }
        _ => Ok(()),
    }
}

fn url(component: &Element, name: &str) -> Result<(), Refusal> {
    let text = required(component, name)?;
    let good = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    // [K] The text.
    if good { Ok(()) } else { Err(Refusal::integrity(format!("{name}: invalid URL: {text}"))) }
}

pub(super) fn check(
    state: &State,
    caller: &Caller,
    kind: Kind,
    name: &str,
    component: &Element,
    content: Option<&Bytes>,
) -> Result<(), Refusal> {
    match kind {
        Kind::Layout => layout(state, name, component),
        Kind::WorkflowRule => of_object(state, name).and_then(|()| rule(state, name, component)),
        Kind::WorkflowOutboundMessage => of_object(state, name).and_then(|()| message(state, name, component)),
        Kind::ValidationRule => {
            of_object(state, name)?;
            for name in ["active", "errorConditionFormula", "errorMessage"] {
                required(component, name)?;
            }
            Ok(())
        }
        Kind::BusinessProcess
        | Kind::CompactLayout
        | Kind::FieldSet
        | Kind::Index
        | Kind::ListView
        | Kind::SharingReason
        | Kind::WebLink
        | Kind::WorkflowAlert
        | Kind::WorkflowFieldUpdate
        | Kind::WorkflowTask => of_object(state, name),
        Kind::Flow => flow(state, caller, component),
        Kind::NamedCredential => named_credential(state, component),
        Kind::ExternalCredential => {
            required(component, "label")?;
            required(component, "authenticationProtocol")?;
            one_of(component, "authenticationProtocol", PROTOCOLS)
        }
        Kind::QuickAction => quick_action(state, name, component),
        Kind::RemoteSiteSetting => {
            url(component, "url")?;
            for flag in ["disableProtocolSecurity", "isActive"] {
                required(component, flag)?;
            }
            Ok(())
        }
        Kind::ApexClass => class(name, component, content),
        Kind::Object | Kind::Field | Kind::PermissionSet | Kind::Workflow => Ok(()),
    }
}

/// `AuthenticationProtocol` of the metadata WSDL.
const PROTOCOLS: &[&str] =
    &["NoAuthentication", "Oauth", "Password", "AwsSv4", "Jwt", "JwtExchange", "Custom", "Basic"];

/// `QuickActionType` of the metadata WSDL.
const ACTIONS: &[&str] = &[
    "Create",
    "VisualforcePage",
    "Post",
    "SendEmail",
    "LogACall",
    "SocialPost",
    "Canvas",
    "Update",
    "LightningComponent",
    "LightningWebComponent",
    "Flow",
    "MobileExtension",
    "Quip",
    "SendConversationMessage",
];

/// `FilterOperation` of the metadata WSDL.
const OPERATIONS: &[&str] = &[
    "equals",
    "notEqual",
    "lessThan",
    "greaterThan",
    "lessOrEqual",
    "greaterOrEqual",
    "contains",
    "notContain",
    "startsWith",
    "includes",
    "excludes",
    "within",
];

fn entity(object: &str) -> Refusal {
    // [S] The words of deployments; [K] the code.
    let message = format!("Entity of type 'CustomObject' named '{object}' cannot be found");
    Refusal::new("INVALID_CROSS_REFERENCE_KEY", message)
}

/// `<object>.<name>`
fn of_object(state: &State, name: &str) -> Result<(), Refusal> {
    match name.split_once('.') {
        Some((object, own)) if !own.is_empty() => check_workflow(state, object),
        // [K] The text.
        _ => Err(Refusal::integrity(format!("The fullName is <object>.<name>, not {name}"))),
    }
}

pub(super) fn check_workflow(state: &State, object: &str) -> Result<(), Refusal> {
    if state.schema.object(object).is_some() { Ok(()) } else { Err(entity(object)) }
}

fn layout(state: &State, name: &str, component: &Element) -> Result<(), Refusal> {
    let owner = object_of(name);
    let object = state.schema.object(owner).ok_or_else(|| entity(owner))?;
    let items = component
        .all("layoutSections")
        .flat_map(|section| section.all("layoutColumns"))
        .flat_map(|column| column.all("layoutItems"));
    let mut seen: Vec<&str> = Vec::new();
    for item in items {
        one_of(item, "behavior", &["Edit", "Required", "Readonly"]).map_err(|refusal| refusal.at(item))?;
        let Some(field) = item.text_of("field") else { continue };
        if !has_field(object, field) {
            // [S] forcedotcom/cli#155: text, and the place behind the start of the item.
            let name = format!("{}.{field}", object.name);
            return Err(dangling("field", "CustomField", &name).at(item));
        }
        if seen.contains(&field) {
            // [S] certinia/apex-mdapi#45, of related lists.
            return Err(
                Refusal::integrity(format!("Field: layoutItems, value:{field} appears more than once")).at(item)
            );
        }
        seen.push(field);
    }
    let numbered = object.fields.iter().any(|field| field.name_field && field.auto_number);
    if object.custom && !numbered && !seen.contains(&"Name") {
        // [S] The words of deployments.
        return Err(Refusal::integrity("Layout must contain an item for required layout field: Name"));
    }
    for section in component.all("layoutSections") {
        let styles = &["TwoColumnsTopToBottom", "TwoColumnsLeftToRight", "OneColumn", "CustomLinks"];
        one_of(section, "style", styles).map_err(|refusal| refusal.at(section))?;
    }
    let actions = component.all("quickActionList").flat_map(|list| list.all("quickActionListItems"));
    for action in actions {
        let Some(name) = action.text_of("quickActionName") else { continue };
        // Actions of the feed and those without an object are there in every org.
        let own = name.split_once('.').is_some_and(|(object, _)| state.schema.object(object).is_some());
        if own && !exists(state, Kind::QuickAction, name) {
            // [S] trailheadapps/build-apps-with-lwc#4
            return Err(dangling("QuickAction", "QuickAction", name).at(action));
        }
    }
    Ok(())
}

fn rule(state: &State, name: &str, component: &Element) -> Result<(), Refusal> {
    let owner = name.split('.').next().unwrap_or_default();
    required(component, "active")?;
    required(component, "triggerType")?;
    let triggers = &["onCreateOnly", "onCreateOrTriggeringUpdate", "onAllChanges", "OnRecursiveUpdate"];
    one_of(component, "triggerType", triggers)?;
    let criteria: Vec<&Element> = component.all("criteriaItems").collect();
    if component.text_of("formula").is_some() != criteria.is_empty() {
        // [K] The text; that it is either is documented.
        return Err(Refusal::integrity("A workflow rule has either a formula or criteriaItems"));
    }
    for item in criteria {
        let field = required(item, "field").map_err(|refusal| refusal.at(item))?;
        one_of(item, "operation", OPERATIONS).map_err(|refusal| refusal.at(item))?;
        let (object, own) = field.split_once('.').unwrap_or((owner, field));
        let found = state.schema.object(object).is_some_and(|object| object.field(own).is_some());
        if !found {
            return Err(dangling("field", "CustomField", field).at(item));
        }
    }
    for action in component.all("actions") {
        let own = required(action, "name").map_err(|refusal| refusal.at(action))?;
        let kind = match required(action, "type").map_err(|refusal| refusal.at(action))? {
            "OutboundMessage" => Kind::WorkflowOutboundMessage,
            "Alert" => Kind::WorkflowAlert,
            "FieldUpdate" => Kind::WorkflowFieldUpdate,
            "Task" => Kind::WorkflowTask,
            _ => continue,
        };
        let full_name = format!("{owner}.{own}");
        if !exists(state, kind, &full_name) {
            return Err(dangling("action", kind.name(), &full_name).at(action));
        }
    }
    Ok(())
}

fn message(state: &State, name: &str, component: &Element) -> Result<(), Refusal> {
    let owner = name.split('.').next().unwrap_or_default();
    for element in ["apiVersion", "includeSessionId", "name", "protected"] {
        required(component, element)?;
    }
    url(component, "endpointUrl")?;
    let username = required(component, "integrationUser")?;
    let users = state.data.store.rows("User", false);
    let mut users = users.filter(|row| super::permission_sets::text(row, "Username").eq_ignore_ascii_case(username));
    if users.next().is_none() {
        return Err(dangling("integrationUser", "User", username));
    }
    let Some(object) = state.schema.object(owner) else { return Err(entity(owner)) };
    for field in component.all("fields") {
        let own = field.text.trim();
        if object.field(own).is_none() {
            return Err(dangling("fields", "CustomField", &format!("{}.{own}", object.name)).at(field));
        }
    }
    Ok(())
}

fn flow(state: &State, caller: &Caller, component: &Element) -> Result<(), Refusal> {
    required(component, "label")?;
    let process = required(component, "processType")?;
    one_of(component, "status", &["Active", "Draft", "Obsolete", "InvalidDraft"])?;
    // [S] An `apiVersion` below 53.0, or none in a request below it, does not know the action (wire facts 4.4).
    let version = component.text_of("apiVersion").and_then(|text| text.split('.').next()?.parse::<u32>().ok());
    let version = version.unwrap_or(caller.version);
    let mut names: Vec<&str> = Vec::new();
    for action in component.all("actionCalls") {
        let name = required(action, "name").map_err(|refusal| refusal.at(action))?;
        names.push(name);
        if required(action, "actionType").map_err(|refusal| refusal.at(action))? != "outboundMessage" {
            continue;
        }
        if version < 53 || caller.version < 53 {
            let process = if process == "AutoLaunchedFlow" { "Autolaunched Flow" } else { process };
            let message = format!(
                "The action type \"Outbound Messages\" can't be used in flows with the process type \"{process}\""
            );
            return Err(Refusal::integrity(message).at(action));
        }
        let target = required(action, "actionName").map_err(|refusal| refusal.at(action))?;
        if !exists(state, Kind::WorkflowOutboundMessage, target) {
            return Err(dangling("actionName", "WorkflowOutboundMessage", target).at(action));
        }
    }
    let Some(start) = component.child("start") else { return Ok(()) };
    start_of(state, start)?;
    let target = start.child("connector").and_then(|connector| connector.text_of("targetReference"));
    if let Some(target) = target {
        let elements = component.children.iter().filter_map(|child| child.text_of("name"));
        if !elements.chain(names).any(|name| name == target) {
            // [K] The text.
            return Err(Refusal::integrity(format!(
                "The connector of the start refers to {target}, which is not there"
            ))
            .at(start));
        }
    }
    Ok(())
}

fn start_of(state: &State, start: &Element) -> Result<(), Refusal> {
    let trigger = start.text_of("triggerType").unwrap_or_default();
    if !trigger.starts_with("Record") {
        return Ok(());
    }
    let name = required(start, "object").map_err(|refusal| refusal.at(start))?;
    let object = state.schema.object(name).ok_or_else(|| entity(name).at(start))?;
    let fires = required(start, "recordTriggerType").map_err(|refusal| refusal.at(start))?;
    one_of(start, "recordTriggerType", &["Update", "Create", "CreateAndUpdate", "Delete", "None"])
        .map_err(|refusal| refusal.at(start))?;
    for filter in start.all("filters") {
        let field = required(filter, "field").map_err(|refusal| refusal.at(filter))?;
        if object.field(field).is_none() {
            return Err(dangling("field", "CustomField", &format!("{}.{field}", object.name)).at(filter));
        }
    }
    let formula = start.text_of("filterFormula").unwrap_or_default().to_ascii_uppercase();
    if formula.contains("ISCHANGED") && matches!(fires, "Create" | "CreateAndUpdate") {
        // [S] That it is refused (wire facts 4.4); [K] the text.
        let message = "The formula of the entry conditions can't use ISCHANGED when the flow runs on created records";
        return Err(Refusal::integrity(message).at(start));
    }
    Ok(())
}

fn named_credential(state: &State, component: &Element) -> Result<(), Refusal> {
    required(component, "label")?;
    let kind = component.text_of("namedCredentialType").unwrap_or("Legacy");
    one_of(component, "namedCredentialType", &["Legacy", "SecuredEndpoint", "PrivateEndpoint", "Standard"])?;
    if kind == "Legacy" {
        url(component, "endpoint")?;
        required(component, "principalType")?;
        required(component, "protocol")?;
        return one_of(component, "protocol", PROTOCOLS);
    }
    let parameters: Vec<&Element> = component.all("namedCredentialParameters").collect();
    let of_type = |wanted: &str| parameters.iter().find(|one| one.text_of("parameterType") == Some(wanted));
    let Some(address) = of_type("Url") else {
        // [K] The text.
        return Err(Refusal::integrity("A named credential of this type has a parameter of type Url"));
    };
    url(address, "parameterValue").map_err(|refusal| refusal.at(address))?;
    for parameter in &parameters {
        if let Some(name) = parameter.text_of("externalCredential")
            && !exists(state, Kind::ExternalCredential, name)
        {
            return Err(dangling("externalCredential", "ExternalCredential", name).at(parameter));
        }
    }
    Ok(())
}

fn quick_action(state: &State, name: &str, component: &Element) -> Result<(), Refusal> {
    if let Some((object, _)) = name.split_once('.') {
        check_workflow(state, object)?;
    }
    let kind = required(component, "type")?;
    one_of(component, "type", ACTIONS)?;
    required(component, "optionsCreateFeedItem")?;
    if kind == "Create" {
        let target = required(component, "targetObject")?;
        if state.schema.object(target).is_none() {
            return Err(dangling("targetObject", "CustomObject", target));
        }
    }
    Ok(())
}

fn class(name: &str, component: &Element, content: Option<&Bytes>) -> Result<(), Refusal> {
    one_of(component, "status", &["Active", "Deleted", "Inactive"])?;
    required(component, "apiVersion")?;
    let text = content.map(|content| String::from_utf8_lossy(content).into_owned()).unwrap_or_default();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let declared =
        words.windows(2).find(|pair| matches!(pair[0].to_ascii_lowercase().as_str(), "class" | "interface" | "enum"));
    match declared {
        // [S] The compiler's words.
        Some(pair) if !pair[1].eq_ignore_ascii_case(name) => {
            Err(Refusal::integrity(format!("Invalid name: {} does not match the name of the file, {name}", pair[1])))
        }
        None => Err(Refusal {
            at: Some((1, 1)),
            ..Refusal::integrity("Unexpected token: a class, interface or enum was expected")
        }),
        Some(_) => Ok(()),
    }
}

/// Whether a text has a name as a word of its own.
fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word.eq_ignore_ascii_case(name))
}

/// Whether the text of an element or of one below it has the name.
fn names(element: &Element, name: &str) -> bool {
    mentions(&element.text, name) || element.children.iter().any(|child| names(child, name))
}

fn referenced(what: &str, by: &str) -> Refusal {
    // [S] SFDO-Tooling/CumulusCI#124, #142; [K] the code.
    Refusal::new("DEPENDENCY_EXISTS", format!("This {what} is referenced elsewhere in salesforce.com. : {by}."))
}

/// Help, "Delete Fields": not while workflow or a flow refers to it.
pub(super) fn check_field_delete(state: &State, object: &str, field: &str) -> Result<(), Refusal> {
    let own = |stored: &super::stored::Stored| {
        stored.name.split('.').next().is_some_and(|owner| owner.eq_ignore_ascii_case(object))
    };
    for (kind, what) in [
        (Kind::WorkflowRule, "Workflow Rule"),
        (Kind::WorkflowOutboundMessage, "Outbound Message"),
        (Kind::WorkflowFieldUpdate, "Workflow Field Update"),
    ] {
        if let Some(user) = state.components.of(kind).find(|stored| own(stored) && names(&stored.body, field)) {
            return Err(referenced("custom field", &format!("{what} - {}", user.name)));
        }
    }
    let fields = state.schema.object(object).map(|object| object.fields.as_slice()).unwrap_or_default();
    if let Some(user) =
        fields.iter().find(|known| known.extra.formula.as_deref().is_some_and(|text| mentions(text, field)))
    {
        // [S] SFDO-Tooling/CumulusCI#142
        return Err(referenced("custom field", &format!("Custom Formula Field - {object}.{}", user.name)));
    }
    let flow = state.components.of(Kind::Flow).find(|flow| {
        let start = flow.body.child("start").and_then(|start| start.text_of("object"));
        start.is_some_and(|name| name.eq_ignore_ascii_case(object)) && names(&flow.body, field)
    });
    flow.map_or(Ok(()), |flow| Err(referenced("custom field", &format!("Flow - {}", flow.name))))
}

/// [K] That a flow on the object holds it.
pub(super) fn check_object_delete(state: &State, object: &str) -> Result<(), Refusal> {
    let flow = state.components.of(Kind::Flow).find(|flow| {
        let start = flow.body.child("start").and_then(|start| start.text_of("object"));
        start.is_some_and(|name| name.eq_ignore_ascii_case(object))
    });
    flow.map_or(Ok(()), |flow| Err(referenced("custom object", &format!("Flow - {}", flow.name))))
}

pub(super) fn check_delete(state: &State, kind: Kind, name: &str) -> Result<(), Refusal> {
    match kind {
        Kind::Flow => {
            let active =
                state.components.get(kind, name).and_then(|flow| flow.body.text_of("status")) == Some("Active");
            // [S] That an active flow cannot be deleted (wire facts 4.4); [K] code and text.
            if active {
                return Err(Refusal::new("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"));
            }
            Ok(())
        }
        Kind::WorkflowOutboundMessage | Kind::WorkflowAlert | Kind::WorkflowFieldUpdate | Kind::WorkflowTask => {
            action_delete(state, name)
        }
        Kind::ExternalCredential => {
            let users = |stored: &super::stored::Stored| {
                let mut parameters = stored.body.all("namedCredentialParameters");
                parameters.any(|one| one.text_of("externalCredential") == Some(name))
            };
            let user = state.components.of(Kind::NamedCredential).find(|stored| users(stored));
            user.map_or(Ok(()), |user| {
                Err(referenced("external credential", &format!("Named Credential - {}", user.name)))
            })
        }
        Kind::Layout => {
            let object = object_of(name);
            let mut others = state.components.of(Kind::Layout).filter(|layout| object_of(&layout.name) == object);
            // Help, "Delete Page Layouts": an object keeps one. [K] The text.
            if others.nth(1).is_none() {
                return Err(Refusal::integrity("The only page layout of an object cannot be deleted"));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Help, "Delete Workflow Actions": not while a rule or a flow uses it.
fn action_delete(state: &State, name: &str) -> Result<(), Refusal> {
    let (owner, own) = name.split_once('.').unwrap_or((name, ""));
    let rule = state.components.of(Kind::WorkflowRule).find(|rule| {
        rule.name.split('.').next().is_some_and(|object| object.eq_ignore_ascii_case(owner))
            && rule.body.all("actions").any(|action| action.text_of("name") == Some(own))
    });
    if let Some(rule) = rule {
        return Err(referenced("workflow action", &format!("Workflow Rule - {}", rule.name)));
    }
    let flow = state
        .components
        .of(Kind::Flow)
        .find(|flow| flow.body.all("actionCalls").any(|action| action.text_of("actionName") == Some(name)));
    flow.map_or(Ok(()), |flow| Err(referenced("workflow action", &format!("Flow - {}", flow.name))))
}
