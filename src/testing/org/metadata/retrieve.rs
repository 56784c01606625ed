//! `retrieve()` and `checkRetrieveStatus()`: components of the org as files in an archive.
// Metadata guide, "retrieve()", "checkRetrieveStatus()", "RetrieveRequest", "RetrieveResult".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::super::ids;
use super::super::state::State;
use super::super::xml::{Element, Node};
use super::archive::{self, Files};
use super::deploy::soap::queued;
use super::kind::is_type;
use super::package::decoded;
use super::{Caller, Fault, Kind, METADATA, describe, exists, fields, names_of, parameter, read, stored};

/// What a retrieve was asked for, and what has come of it.
#[derive(Debug)]
struct Retrieve {
    id: String,
    version: u32,
    single: bool,
    /// Types and members, in the order they were named.
    wanted: Vec<(String, Vec<String>)>,
    polls: u32,
    requested: chrono::DateTime<chrono::Utc>,
    result: Option<Found>,
}

#[derive(Debug, Default)]
struct Found {
    properties: Vec<Node>,
    /// File and problem.
    messages: Vec<(String, String)>,
    archive: Bytes,
}

/// All retrieves of the org.
#[derive(Debug, Default)]
pub(crate) struct Retrieves {
    jobs: Vec<Retrieve>,
}

pub(super) fn request(state: &mut State, caller: &Caller, call: &Element) -> Result<Node, Fault> {
    let Some(request) = parameter(call, "retrieveRequest") else {
        // [K] The code and the text.
        return Err(Fault::new("MISSING_ARGUMENT", "retrieveRequest is missing"));
    };
    if let Some(name) = request.text_of("packageNames") {
        // [K] The code and the text; the org has no packages.
        return Err(Fault::new("INVALID_CROSS_REFERENCE_KEY", format!("No package named '{name}' found")));
    }
    let version = request.text_of("apiVersion").and_then(|text| text.split('.').next()?.parse().ok());
    let types = request.child("unpackaged").into_iter().flat_map(|package| package.all("types"));
    let wanted = types.map(|entry| {
        let members = entry.all("members").map(|member| decoded(member.text.trim()));
        (entry.text_of("name").unwrap_or_default().to_owned(), members.collect())
    });
    let wanted = wanted.collect();
    let serial = state.data.next_serial("retrieves");
    let id = ids::make("09S", serial);
    let requested = state.data.now();
    state.retrieves.jobs.push(Retrieve {
        id: id.clone(),
        version: version.unwrap_or(caller.version),
        single: request.flag("singlePackage").unwrap_or(false),
        wanted,
        polls: 0,
        requested,
        result: None,
    });
    Ok(queued("retrieveResponse", &id))
}

/// Time has gone by.
pub(super) fn tick(state: &mut State) {
    let Some(whole) = state.deploys.time() else { return };
    let now = state.data.now();
    for place in 0..state.retrieves.jobs.len() {
        let job = &state.retrieves.jobs[place];
        if job.result.is_none() && now - job.requested >= whole {
            carry_out(state, place);
        }
    }
}

fn carry_out(state: &mut State, place: usize) {
    let found = collect(state, &state.retrieves.jobs[place]);
    state.retrieves.jobs[place].result = Some(found);
}

pub(super) fn check(state: &mut State, call: &Element) -> Result<Node, Fault> {
    let id = call.text_of("asyncProcessId").unwrap_or_default();
    let place = ids::to_18(id).and_then(|id| state.retrieves.jobs.iter().position(|job| job.id == id));
    let Some(place) = place else {
        // [K] The code and the text.
        return Err(Fault::new("INVALID_CROSS_REFERENCE_KEY", format!("invalid async process id: {id}")));
    };
    if let Some(polls) = state.deploys.polls() {
        let job = &mut state.retrieves.jobs[place];
        job.polls += 1;
        if job.polls > polls && job.result.is_none() {
            carry_out(state, place);
        }
    }
    // Metadata guide: `includeZip` false leaves the file out, for the next call. [K] That later ones can have it again.
    let with_zip = call.flag("includeZip").unwrap_or(true);
    let job = &state.retrieves.jobs[place];
    let mut result = Node::new("result").flag("done", job.result.is_some());
    if let Some(found) = &job.result {
        result = result.children(found.properties.iter().cloned());
    }
    result = result.with("id", &job.id);
    for (file, problem) in job.result.iter().flat_map(|found| &found.messages) {
        result.push(Node::new("messages").with("fileName", file).with("problem", problem));
    }
    let status = match (&job.result, job.polls) {
        (Some(_), _) => "Succeeded",
        (None, 1) => "Pending",
        (None, _) => "InProgress",
    };
    result = result.with("status", status).flag("success", job.result.is_some());
    let zip = job.result.as_ref().filter(|_| with_zip).map(|found| STANDARD.encode(&found.archive));
    // The WSDL wants the element; [K] that it is nil as long as there is nothing to give.
    let zip = zip.map_or_else(|| Node::nil("zipFile"), |text| Node::leaf("zipFile", &text));
    Ok(Node::new("checkRetrieveStatusResponse").children([result.children([zip])]))
}

/// The files of what was asked for, and the manifest of what is there.
fn collect(state: &State, job: &Retrieve) -> Found {
    let folder = if job.single { "" } else { "unpackaged/" };
    let mut found = Found::default();
    let mut files = Files::new();
    let mut manifest = Node::new("Package");
    let mut names: Vec<(Kind, String)> = Vec::new();
    for (kind, members) in &job.wanted {
        // [S] The texts, many reports.
        let missing = |kind: &str, member: &str| format!("Entity of type '{kind}' named '{member}' cannot be found");
        let Some(kind) = Kind::find(kind) else {
            let mut problems = vec![format!("Unknown type name '{kind}' specified in package.xml")];
            if is_type(kind) {
                let wanted = members.iter().filter(|member| *member != "*");
                problems = wanted.map(|member| missing(kind, member)).collect();
            }
            found.messages.extend(problems.into_iter().map(|problem| (format!("{folder}package.xml"), problem)));
            continue;
        };
        let mut types = Node::new("types");
        for member in members {
            if member == "*" {
                // Metadata guide, "package.xml": standard objects are none of "all".
                let all = names_of(state, kind).into_iter();
                names.extend(all.filter(|name| kind != Kind::Object || name.ends_with("__c")).map(|name| (kind, name)));
            } else if exists(state, kind, member) {
                names.push((kind, member.clone()));
            } else {
                found.messages.push((format!("{folder}package.xml"), missing(kind.name(), member)));
                continue;
            }
            types = types.with("members", stored::encoded(kind, member));
        }
        manifest.push(types.with("name", kind.name()));
    }
    names.sort();
    names.dedup();
    for (kind, name) in &names {
        found.properties.push(describe::properties(state, "fileProperties", *kind, name, folder));
        let owner = kind.parent().map(|parent| (parent, name.split('.').next().unwrap_or_default().to_owned()));
        // What is part of a file that is there as a whole is in it already.
        if owner.as_ref().is_some_and(|owner| names.contains(owner)) {
            continue;
        }
        let path = format!("{folder}{}", describe::file_of(*kind, name));
        if owner.is_some() {
            files.entry(path).or_insert_with(|| parts(state, *kind, name, &names).into());
            continue;
        }
        let Some(node) = read::node(state, job.version, *kind, name, Node::new("records")) else { continue };
        let document = stored::document(node, *kind);
        if let Some(content) = state.components.get(*kind, name).and_then(|stored| stored.content.clone()) {
            files.insert(format!("{path}-meta.xml"), document.into());
            files.insert(path, content);
        } else {
            files.insert(path, document.into());
        }
    }
    let manifest = manifest.with("version", format!("{}.0", job.version));
    files.insert(format!("{folder}package.xml"), manifest.document("Package", METADATA).into());
    found.archive = archive::write(&files);
    found
}

/// A file of which only some components were asked for.
fn parts(state: &State, kind: Kind, name: &str, names: &[(Kind, String)]) -> String {
    let (Some(parent), Some((owner, _))) = (kind.parent(), name.split_once('.')) else { return String::new() };
    let mut node = Node::new("records");
    for (element, child) in parent.children() {
        for (_, wanted) in names.iter().filter(|(kind, _)| kind == child) {
            let Some((of, own)) = wanted.split_once('.').filter(|(of, _)| of.eq_ignore_ascii_case(owner)) else {
                continue;
            };
            let part = if *child == Kind::Field {
                fields::find(state, wanted).map(|(object, field)| read::field_of(object, field))
            } else {
                let found = read::node(state, super::NEWEST, *child, &format!("{of}.{own}"), Node::new(*element));
                found.map(|node| node.renamed(own))
            };
            node = node.children(part);
        }
    }
    stored::document(node, parent)
}
