//! `POST /composite/graph` (wire facts 2.13): graphs of sub-requests, each all or nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::read::{Node, nodes};
use super::references::roots;
use super::{Done, Run};
use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::rest::body_object;
use crate::testing::org::state::{Call, State};
use crate::testing::org::wire::Answer;

// REST guide, "Composite Graph Limits".
const MAX_GRAPHS: usize = 75;
const MAX_NODES: usize = 500;
const MAX_DEPTH: usize = 15;
const MAX_DIFFERENT: usize = 15;
/// The guide's table says 14, its text that processing is halted beyond them. [K] That 14 are enough.
const MAX_FAILURES: usize = 14;

struct Graph {
    id: String,
    nodes: Vec<Node>,
}

pub(in super::super) fn graph(state: &mut State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let graphs = read(call)?;
    check(&graphs)?;
    let run = Run { all_or_none: true, served: |_| true, no_collections: None };
    let mut failures = 0;
    let mut results = Vec::new();
    for graph in graphs {
        let (nodes, failed) = if failures >= MAX_FAILURES {
            // [K] The text.
            let error = ApiError::new(400, "PROCESSING_HALTED", "Processing was halted since too many graphs failed.");
            let halted = graph.nodes.iter().map(|node| Done::refused(&error).to_json(&node.reference));
            (Json::Array(halted.collect()), true)
        } else {
            let order: Vec<usize> = (0..graph.nodes.len()).collect();
            run.carry_out(state, call, &graph.nodes, &order)
        };
        failures += usize::from(failed);
        // Key order as recorded: rest/composite-graph.json
        results.push(Json::object([
            ("graphId", Json::string(graph.id)),
            ("graphResponse", Json::object([("compositeResponse", nodes)])),
            ("isSuccessful", Json::Bool(!failed)),
        ]));
    }
    Ok(Answer::json(200, &Json::object([("graphs", Json::Array(results))])))
}

fn read(call: &Call<'_>) -> Result<Vec<Graph>, ApiError> {
    let members = body_object(call)?;
    let Some((_, Json::Array(items))) = members.into_iter().find(|(name, _)| name == "graphs") else {
        // [K] The text.
        return Err(ApiError::json("graphs is required to be a list of graphs"));
    };
    let graph = |item: Json| {
        let id = item.member("graphId").and_then(Json::as_str).unwrap_or_default().to_owned();
        match item {
            Json::Object(members) => Ok(Graph { id, nodes: nodes(&members, call.version)? }),
            _ => Err(ApiError::json("a graph is a JSON object")),
        }
    };
    items.into_iter().map(graph).collect()
}

/// [K] The codes and the texts, and that each of these refuses the whole request.
fn check(graphs: &[Graph]) -> Result<(), ApiError> {
    let limit = |message: String| Err(ApiError::new(400, "LIMIT_EXCEEDED", message));
    let input = |message: String| Err(ApiError::new(400, "INVALID_INPUT", message));
    if graphs.is_empty() {
        return input("At least 1 graph is required".to_owned());
    }
    if graphs.len() > MAX_GRAPHS {
        return limit(format!("The maximum number of graphs is {MAX_GRAPHS}, but there are {}", graphs.len()));
    }
    let mut ids = HashSet::new();
    for graph in graphs {
        let id = graph.id.as_str();
        // Starts alphanumeric, under 40 characters, no dot, unique (REST guide, "Using Composite Graphs").
        let sound = id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.chars().count() < 40 && !id.contains('.');
        if !sound || !ids.insert(id) {
            return input(format!("The graphId '{id}' is not allowed, or there twice"));
        }
        if let Some(node) = graph.nodes.iter().find(|node| !is_allowed(node)) {
            return input(format!("A graph does not support {} {}", node.request.method, node.request.url));
        }
        let depth = depth(&graph.nodes);
        if depth > MAX_DEPTH {
            return limit(format!("The maximum depth of a graph is {MAX_DEPTH}, but that of '{id}' is {depth}"));
        }
    }
    let total: usize = graphs.iter().map(|graph| graph.nodes.len()).sum();
    if total > MAX_NODES {
        return limit(format!("The maximum number of nodes is {MAX_NODES}, but there are {total}"));
    }
    let kinds: BTreeSet<String> = graphs.iter().flat_map(|graph| &graph.nodes).map(kind).collect();
    if kinds.len() > MAX_DIFFERENT {
        return limit(format!(
            "The maximum number of different nodes is {MAX_DIFFERENT}, but there are {}",
            kinds.len()
        ));
    }
    Ok(())
}

/// Creates, records by id and records by external id (REST guide, "Using Composite Graphs").
fn is_allowed(node: &Node) -> bool {
    let resource = node.request.resource();
    let resource: Vec<&str> = resource.iter().map(String::as_str).collect();
    match (node.request.method.as_str(), resource.as_slice()) {
        (_, ["sobjects", _, "describe", ..]) => false,
        ("POST", ["sobjects", _] | ["sobjects", _, _, _])
        | ("DELETE" | "GET" | "PATCH", ["sobjects", _, _] | ["sobjects", _, _, _]) => true,
        _ => false,
    }
}

/// Nodes differ by version, method or type of object.
fn kind(node: &Node) -> String {
    let version = node.request.url.split('/').nth(3).unwrap_or_default().to_ascii_lowercase();
    let object = node.request.resource().get(1).map(|object| object.to_ascii_lowercase()).unwrap_or_default();
    format!("{} {version} {object}", node.request.method)
}

/// Nodes in the longest chain of references.
fn depth(nodes: &[Node]) -> usize {
    let mut depths: HashMap<&str, usize> = HashMap::new();
    for node in nodes {
        let below = roots(&node.request).iter().filter_map(|root| depths.get(root.as_str())).max().copied();
        depths.insert(&node.reference, below.unwrap_or(0) + 1);
    }
    depths.into_values().max().unwrap_or(0)
}
