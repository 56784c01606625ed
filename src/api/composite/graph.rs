//! Graphs of records: up to 500 in one call, all or nothing by graph.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::subrequest::{Prepared, Subrequest};
use super::subresult::{Asked, Subresult, WireResult, read_all};
use super::{CompositeResponse, Named, WireSubrequest, check_references, invalid, is_repeatable, prepare, wire};
use crate::client::{ApiRequest, Client};
use crate::error::{Effect, Error, ErrorKind, Result};

const OPERATION: &str = "composite.graph";

// Source: REST guide, "Composite Graph Limits".
const MAX_GRAPHS: usize = 75;
const MAX_NODES: usize = 500;
const MAX_DEPTH: usize = 15;
const MAX_DIFFERENT: usize = 15;

/// Longest id of a graph. Source: REST guide, "Using Composite Graphs".
const MAX_GRAPH_ID: usize = 39;

/// Subrequests on rows that may refer to one another, of which all are saved or none.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Graph {
    nodes: Vec<(String, Subrequest)>,
}

impl Graph {
    /// A graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node under a reference id of letters, digits and `_`, a letter or a digit first.
    pub fn add(mut self, reference_id: impl Into<String>, subrequest: Subrequest) -> Self {
        self.nodes.push((reference_id.into(), subrequest));
        self
    }
}

/// Graphs in one call: each is saved whole or not at all, whatever becomes of the others.
///
/// Up to 75 graphs with 500 nodes in all, chains of up to 15 references, and 15 different kinds of nodes (method, version and
/// object). Nodes create, read, update, upsert or delete single rows. Salesforce stops after 14 graphs that failed; the rest is then
/// [halted](GraphResult::is_halted) and may be sent again.
///
/// Source: REST API Developer Guide, "Using Composite Graphs", "Composite Graph Limits" (API 50.0 and later).
#[derive(Clone)]
#[must_use]
pub struct CompositeGraph {
    client: Client,
    graphs: Vec<(String, Graph)>,
}

impl Client {
    /// Graphs of up to 500 records in one call. Costs one API call.
    pub fn composite_graph(&self) -> CompositeGraph {
        CompositeGraph { client: self.clone(), graphs: Vec::new() }
    }
}

/// What became of one graph.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GraphResult {
    /// Its id.
    pub graph_id: String,
    /// The answers to its nodes.
    pub nodes: CompositeResponse,
    saved: bool,
}

impl GraphResult {
    /// Whether all of it was saved. Otherwise none is.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.saved
    }

    /// Whether Salesforce never tried it, since too many others had failed.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        !self.saved && self.nodes.iter().all(|(_, node)| node.is_halted())
    }

    /// The error of the node that failed, or why it was halted; `None` if it was saved.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.nodes.first_error()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    graphs: Vec<WireGraph<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireGraph<'a> {
    graph_id: &'a str,
    composite_request: Vec<WireSubrequest<'a>>,
}

#[derive(Deserialize)]
struct WireResponse<'a> {
    #[serde(borrow)]
    graphs: Vec<WireGraphResult<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireGraphResult<'a> {
    graph_id: String,
    #[serde(borrow)]
    graph_response: WireNodes<'a>,
    is_successful: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireNodes<'a> {
    #[serde(borrow)]
    composite_response: Vec<WireResult<'a>>,
}

impl CompositeGraph {
    /// Adds a graph under an id of up to 39 characters, a letter or a digit first, and no dot.
    pub fn add(mut self, graph_id: impl Into<String>, graph: Graph) -> Self {
        self.graphs.push((graph_id.into(), graph));
        self
    }

    /// Sends them. Costs one API call. The results are in the order of the graphs.
    ///
    /// `Ok` even if every graph failed. Repeated by itself after a lost answer if each node may be done twice: no creates and no
    /// deletions, no writes to what a read of the same graph has found, no writes under a condition.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] before sending: no graph or an empty one, a limit that is passed, an id of a graph or a node that is
    ///   not well formed or occurs twice, a reference to what does not come before in its graph, or a node that is not about one row.
    /// - Any error of [`Client::send`].
    pub async fn send(self) -> Result<Vec<GraphResult>> {
        let client = self.client;
        let mut graphs: Vec<(String, Named)> = Vec::with_capacity(self.graphs.len());
        for (id, graph) in self.graphs {
            let named = |error: Error| error.with_operation(OPERATION).with_context("graph", &id);
            let nodes = prepare(&client, graph.nodes).map_err(named)?;
            check_graph(&id, &nodes).map_err(named)?;
            graphs.push((id, nodes));
        }
        check_whole(&graphs).map_err(|error| error.with_operation(OPERATION))?;
        let mut wire_graphs = Vec::with_capacity(graphs.len());
        for (graph_id, nodes) in &graphs {
            wire_graphs.push(WireGraph { graph_id, composite_request: wire("", nodes)? });
        }
        let request = ApiRequest::post(OPERATION, "/composite/graph").json(&Body { graphs: wire_graphs })?;
        let request = request.context("graphs", graphs.len());
        let repeatable = graphs.iter().all(|(_, nodes)| is_repeatable(nodes, true));
        let request = if repeatable { request.idempotent() } else { request };
        let answer = client.send(request).await?;
        let wire: WireResponse<'_> = answer.json()?;
        let mut by_id: HashMap<String, WireGraphResult<'_>> =
            wire.graphs.into_iter().map(|graph| (graph.graph_id.clone(), graph)).collect();
        let wrong = || {
            Error::new(ErrorKind::Decode, OPERATION, "the answer has not exactly one result for each graph")
                .with_effect(Effect::Unknown)
        };
        if by_id.len() != graphs.len() {
            return Err(wrong());
        }
        let mut results = Vec::with_capacity(graphs.len());
        for (graph_id, nodes) in graphs {
            let found = by_id.remove(&graph_id).ok_or_else(wrong)?;
            let asked: Vec<Asked> = nodes.into_iter().map(|(reference, one)| Asked::of(reference, &one)).collect();
            let answers = found.graph_response.composite_response;
            let (nodes, rolled_back) = read_all(&asked, answers, &answer.body, true, answer.repeated)?;
            if found.is_successful == rolled_back {
                return Err(Error::new(ErrorKind::Decode, OPERATION, "a graph and its nodes contradict each other")
                    .with_effect(Effect::Unknown)
                    .with_context("graph", graph_id));
            }
            if nodes.iter().any(Subresult::tells_congestion) {
                client.congested();
            }
            let references = asked.into_iter().map(|asked| asked.reference).collect();
            let nodes = CompositeResponse { references, results: nodes, rolled_back };
            results.push(GraphResult { graph_id, nodes, saved: !rolled_back });
        }
        Ok(results)
    }
}

fn check_graph(id: &str, nodes: &[(String, Prepared)]) -> Result<()> {
    let sound = id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.chars().count() <= MAX_GRAPH_ID
        && !id.contains('.')
        && !id.contains(char::is_control);
    if !sound {
        return Err(invalid("the id of a graph has up to 39 characters, a letter or a digit first, and no dot"));
    }
    if nodes.is_empty() {
        return Err(invalid("a graph without nodes"));
    }
    let off = nodes.iter().find(|(_, one)| !is_row(one));
    if let Some((reference, _)) = off {
        let message = "a node of a graph creates, reads, updates, upserts or deletes one row";
        return Err(invalid(message).with_context("subrequest", reference));
    }
    check_references(nodes)?;
    let depth = depth(nodes);
    if depth > MAX_DEPTH {
        return Err(invalid("a graph is up to 15 nodes deep").with_context("depth", depth));
    }
    Ok(())
}

fn check_whole(graphs: &[(String, Named)]) -> Result<()> {
    if graphs.is_empty() || graphs.len() > MAX_GRAPHS {
        return Err(invalid("a call holds 1 to 75 graphs").with_context("graphs", graphs.len()));
    }
    let mut ids = HashSet::new();
    if let Some((id, _)) = graphs.iter().find(|(id, _)| !ids.insert(id)) {
        return Err(invalid("the id of a graph occurs twice").with_context("graph", id));
    }
    let nodes: usize = graphs.iter().map(|(_, nodes)| nodes.len()).sum();
    if nodes > MAX_NODES {
        return Err(invalid("the graphs of a call have up to 500 nodes in all").with_context("nodes", nodes));
    }
    let kinds: BTreeSet<_> = graphs.iter().flat_map(|(_, nodes)| nodes).map(|(_, one)| kind(one)).collect();
    if kinds.len() > MAX_DIFFERENT {
        let message = "the graphs of a call have up to 15 different kinds of nodes: method, version and object";
        return Err(invalid(message).with_context("kinds", kinds.len()));
    }
    Ok(())
}

/// `/sobjects/<object>`, `/sobjects/<object>/<id>` or `/sobjects/<object>/<field>/<value>`.
fn is_row(one: &Prepared) -> bool {
    let path = one.resource.split('?').next().unwrap_or_default().trim_matches('/');
    let segments: Vec<&str> = path.split('/').collect();
    let method = one.method.as_str();
    match segments.as_slice() {
        ["sobjects", _] => method == "POST",
        ["sobjects", _, "describe"] => false,
        ["sobjects", _, _] | ["sobjects", _, _, _] => method != "PUT",
        _ => false,
    }
}

fn kind(one: &Prepared) -> (&str, u16, String) {
    let object = one.resource.split(['/', '?']).nth(2).unwrap_or_default().to_ascii_lowercase();
    (one.method.as_str(), one.version.major(), object)
}

/// Nodes in the longest chain of references.
fn depth(nodes: &[(String, Prepared)]) -> usize {
    let mut depths: HashMap<&str, usize> = HashMap::new();
    for (reference, one) in nodes {
        let below = one.references.iter().filter_map(|used| depths.get(used.root())).max().copied().unwrap_or(0);
        depths.insert(reference, below + 1);
    }
    depths.into_values().max().unwrap_or(0)
}

impl fmt::Debug for CompositeGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompositeGraph").field("graphs", &self.graphs).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::super::{Reference, Subrequest};
    use super::*;
    use crate::client::ApiVersion;
    use crate::types::{ExternalId, FieldName, Record, RecordId, SObjectName};

    const ACCOUNT: SObjectName = SObjectName::from_static("Account");

    fn nodes(parts: impl IntoIterator<Item = (String, Subrequest)>) -> Named {
        let prepare = |(reference, part): (String, Subrequest)| {
            (reference, part.prepare(ApiVersion::DEFAULT, &HeaderMap::new()).expect("sound by itself"))
        };
        parts.into_iter().map(prepare).collect()
    }

    fn create(object: &SObjectName) -> Subrequest {
        Subrequest::create(object, &Record::new().with("Name", "A"))
    }

    fn flat(count: usize) -> Named {
        nodes((0..count).map(|number| (format!("n{number}"), create(&ACCOUNT))))
    }

    fn chain(count: usize) -> Named {
        let field = FieldName::from_static("ParentId");
        nodes((0..count).map(|number| {
            let node = create(&ACCOUNT);
            let node = match number.checked_sub(1) {
                Some(parent) => node.with_reference(&field, &Reference::id_of(format!("n{parent}"))),
                None => node,
            };
            (format!("n{number}"), node)
        }))
    }

    #[test]
    fn limits_of_graphs_are_checked_before_sending() {
        assert!(check_graph("g", &chain(15)).is_ok());
        assert!(check_graph("g", &chain(16)).is_err());
        assert!(check_graph("g", &[]).is_err());
        for id in ["", "_a", "a.b", "-", &"a".repeat(40), "a\n"] {
            assert!(check_graph(id, &flat(1)).is_err(), "{id}");
        }
        assert!(check_graph(&"a".repeat(39), &flat(1)).is_ok());

        let graphs = |count: usize, each: usize| (0..count).map(|n| (format!("g{n}"), flat(each))).collect::<Vec<_>>();
        assert!(check_whole(&graphs(75, 6)).is_ok());
        assert!(check_whole(&graphs(76, 1)).is_err());
        assert!(check_whole(&graphs(1, 500)).is_ok());
        assert!(check_whole(&graphs(1, 501)).is_err());
        assert!(check_whole(&graphs(2, 251)).is_err());
        assert!(check_whole(&[]).is_err());
        assert!(check_whole(&[("g".into(), flat(1)), ("g".into(), flat(1))]).is_err());

        let kinds = |count: usize| {
            let object = |number| SObjectName::new(format!("Thing{number}__c")).expect("a name");
            vec![("g".to_owned(), nodes((0..count).map(|n| (format!("n{n}"), create(&object(n))))))]
        };
        assert!(check_whole(&kinds(15)).is_ok());
        assert!(check_whole(&kinds(16)).is_err());
    }

    #[test]
    fn only_single_rows_are_nodes() {
        let id = RecordId::new("001000000000001").expect("an id");
        let key = ExternalId::new(FieldName::from_static("Key__c"), "a/b");
        let alone = |part: Subrequest| check_graph("g", &nodes([("a".to_owned(), part)]));
        for part in [
            create(&ACCOUNT),
            Subrequest::get(&ACCOUNT, id, &[FieldName::from_static("Name")]),
            Subrequest::update(&ACCOUNT, id, &Record::new()),
            Subrequest::delete(&ACCOUNT, id),
            Subrequest::upsert(&ACCOUNT, &key, &Record::new()),
        ] {
            assert!(alone(part.clone()).is_ok(), "{part:?}");
        }
        for part in [
            Subrequest::query("SELECT Id FROM Account"),
            Subrequest::delete_many(&[id], crate::api::AllOrNone::No),
            Subrequest::new(Method::GET, "/sobjects/Account/describe"),
            Subrequest::new(Method::GET, "/sobjects/Account"),
            Subrequest::new(Method::GET, "/limits"),
        ] {
            assert!(alone(part.clone()).is_err(), "{part:?}");
        }
    }
}
