//! Components that are kept as they came: parts of objects, layouts, workflow, flows, credentials, actions, classes, remote sites.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::super::ids;
use super::super::mock::MockOrg;
use super::super::state::State;
use super::super::xml::{Element, Node};
use super::package::decoded;
use super::{Caller, Kind, METADATA, Refusal, checks, unknown};

/// A component as it was given.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) body: Element,
    /// The body of a class.
    pub(crate) content: Option<Bytes>,
    pub(crate) id: String,
    pub(crate) created: (DateTime<Utc>, String),
    pub(crate) modified: (DateTime<Utc>, String),
}

/// What an org keeps of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Components {
    /// By type and name in lower case.
    stored: BTreeMap<(Kind, String), Stored>,
    /// Objects that were given their first layout.
    pub(super) laid_out: BTreeSet<String>,
    /// What permission sets grant beyond what the org gives effect to, by the ids of their records.
    pub(super) grants: BTreeMap<String, Vec<Element>>,
}

fn key(kind: Kind, name: &str) -> (Kind, String) {
    (kind, decoded(name).to_lowercase())
}

impl Components {
    pub(crate) fn get(&self, kind: Kind, name: &str) -> Option<&Stored> {
        self.stored.get(&key(kind, name))
    }

    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &Stored> {
        self.stored.iter().filter(move |((known, _), _)| *known == kind).map(|(_, stored)| stored)
    }

    pub(super) fn of_mut(&mut self, kind: Kind) -> impl Iterator<Item = &mut Stored> {
        self.stored.iter_mut().filter(move |((known, _), _)| *known == kind).map(|(_, stored)| stored)
    }

    pub(super) fn insert(&mut self, kind: Kind, stored: Stored) {
        self.stored.insert(key(kind, &stored.name), stored);
    }

    pub(super) fn remove(&mut self, kind: Kind, name: &str) -> Option<Stored> {
        self.stored.remove(&key(kind, name))
    }

    /// Takes away what belongs to an object that goes: its layouts, workflow and actions.
    pub(super) fn remove_object(&mut self, object: &str) {
        let object = object.to_lowercase();
        self.stored.retain(|(kind, name), _| {
            let owner = match kind {
                Kind::Layout => name.split('-').next(),
                Kind::QuickAction => name.split_once('.').map(|(owner, _)| owner),
                kind if kind.parent().is_some() => name.split('.').next(),
                _ => None,
            };
            owner != Some(object.as_str())
        });
        self.laid_out.remove(&object);
    }
}

/// The key prefix of a type's ids. [S] Lists of prefixes; [K] for the credentials.
fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Layout => "00h",
        Kind::BusinessProcess => "019",
        Kind::CompactLayout => "0AH",
        Kind::FieldSet => "0IX",
        Kind::ListView => "00B",
        Kind::ValidationRule => "03d",
        Kind::WebLink => "00b",
        Kind::WorkflowRule => "01Q",
        Kind::WorkflowOutboundMessage => "04k",
        Kind::WorkflowAlert => "01W",
        Kind::WorkflowFieldUpdate => "04Y",
        Kind::WorkflowTask => "01V",
        Kind::Flow => "300",
        Kind::ApexClass => "01p",
        Kind::QuickAction => "09D",
        Kind::RemoteSiteSetting => "0rp",
        _ => "0XA",
    }
}

/// The element as the org keeps it: without the name, which is kept beside it.
fn body_of(component: &Element) -> Element {
    let children = component.children.iter().filter(|child| child.name != "fullName" && !child.nil).cloned().collect();
    Element { children, text: String::new(), ..component.clone() }
}

fn text(element: &Element) -> String {
    let mut text = String::new();
    Node::of(element).write(&mut text);
    text
}

pub(super) fn save(
    state: &mut State,
    caller: &Caller,
    kind: Kind,
    name: &str,
    (component, content): (&Element, Option<&Bytes>),
    create: bool,
) -> Result<(), Refusal> {
    let old = state.components.get(kind, name).cloned();
    if create && old.is_some() {
        // [K] The code and the text.
        return Err(Refusal::new(
            "DUPLICATE_DEVELOPER_NAME",
            format!("There is already a {} named {name}", kind.name()),
        ));
    }
    checks::check(state, caller, kind, name, component, content)?;
    let now = state.data.now();
    let stamp = (now, caller.user.clone());
    let body = body_of(component);
    let stored = match old {
        Some(old) if text(&old.body) == text(&body) && old.content.as_ref() == content => return Ok(()),
        Some(old) => Stored { body, content: content.cloned(), modified: stamp, ..old },
        None => make(state, kind, &decoded(name), body, content.cloned(), &caller.user),
    };
    state.components.insert(kind, stored);
    Ok(())
}

pub(super) fn make(
    state: &mut State,
    kind: Kind,
    name: &str,
    body: Element,
    content: Option<Bytes>,
    user: &str,
) -> Stored {
    let prefix = prefix(kind);
    let id = ids::make(prefix, state.data.next_serial(prefix));
    let stamp = (state.data.now(), user.to_owned());
    Stored { name: name.to_owned(), body, content, id, created: stamp.clone(), modified: stamp }
}

pub(super) fn delete(state: &mut State, kind: Kind, name: &str) -> Result<(), Refusal> {
    if state.components.get(kind, name).is_none() {
        return Err(unknown(kind, name));
    }
    checks::check_delete(state, kind, name)?;
    state.components.remove(kind, name);
    Ok(())
}

/// The component in an element of that name, in the order of the WSDL as far as that is the alphabet.
pub(super) fn node(state: &State, kind: Kind, name: &str, element: Node) -> Option<Node> {
    if kind == Kind::Workflow {
        return workflow(state, name, element);
    }
    let stored = state.components.get(kind, name)?;
    let children = stored.body.children.iter().map(Node::of);
    Some(element.with("fullName", encoded(kind, &stored.name)).children(children).in_wsdl_order())
}

/// All workflow of an object; `None` where there is none.
fn workflow(state: &State, object: &str, element: Node) -> Option<Node> {
    let parts = parts(state, Kind::Workflow, object);
    (!parts.is_empty()).then(|| element.with("fullName", object).children(parts))
}

/// What is kept of an object, in the elements of the file of that type.
pub(super) fn parts(state: &State, file: Kind, object: &str) -> Vec<Node> {
    let mut parts = Vec::new();
    for (part, kind) in file.children() {
        for stored in state.components.of(*kind) {
            let Some((owner, own)) = stored.name.split_once('.') else { continue };
            if owner.eq_ignore_ascii_case(object) {
                let children = stored.body.children.iter().map(Node::of);
                parts.push(Node::new(*part).with("fullName", own).children(children).in_wsdl_order());
            }
        }
    }
    parts
}

/// A layout's name has its special characters percent-encoded, blanks as they are.
// Metadata guide, "Layout"; [S] `Account-Account %28Marketing%29 Layout`.
pub(super) fn encoded(kind: Kind, name: &str) -> String {
    if kind != Kind::Layout {
        return name.to_owned();
    }
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    name.chars().fold(String::new(), |mut out, c| {
        if plain(c) {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    })
}

/// A component's document as its file has it.
pub(super) fn document(node: Node, kind: Kind) -> String {
    node.without("fullName").document(kind.name(), METADATA)
}

impl MockOrg {
    /// Names of the components of a type, in the order of their names: `org.components("Layout")`. Standard objects and fields are
    /// among them, permission sets of profiles are not.
    ///
    /// # Panics
    ///
    /// When the org keeps no such type.
    #[must_use]
    pub fn components(&self, kind: &str) -> Vec<String> {
        let Some(kind) = Kind::find(kind) else { panic!("the org keeps no components of type {kind}") };
        super::names_of(&self.state(), kind)
    }

    /// The document of a component as its file in a package has it: a root element of its type's name. `None`: there is none of
    /// that name.
    ///
    /// # Panics
    ///
    /// When the org keeps no such type.
    #[must_use]
    pub fn component_xml(&self, kind: &str, name: &str) -> Option<String> {
        let Some(kind) = Kind::find(kind) else { panic!("the org keeps no components of type {kind}") };
        let node = super::read::node(&self.state(), super::NEWEST, kind, name, Node::new("records"))?;
        Some(document(node, kind))
    }
}
