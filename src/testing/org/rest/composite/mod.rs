//! `/composite`, `/composite/batch`, `/composite/tree` and `/composite/graph` (wire facts 2.9 to 2.13).

mod batch;
mod graph;
mod order;
mod read;
mod references;
mod tree;

pub(super) use batch::batch;
pub(super) use graph::graph;
pub(super) use tree::tree;

use super::body_object;
use super::subrequest::{self, Served, Subrequest, body_of};
use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::state::{Call, Part, State};
use crate::testing::org::wire::Answer;
use read::Node;
use references::Answers;

const MAX_SUBREQUESTS: usize = 25;
/// Of these, collections and queries together.
const MAX_HEAVY: usize = 5;

/// What an org does about sObject Collections inside a composite with `collateSubrequests: false`.
///
/// The REST guide has them served. That an org refuses them, and how, is general knowledge that nobody has verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CollectionsInComposite {
    /// Carries them out, as the REST guide says.
    #[default]
    Served,
    /// Refuses the whole request with 400.
    RequestRefused,
    /// Refuses each of them with 400 inside a 200, and carries the others out.
    EachRefused,
}

/// `GET /composite`: the resources below it. [K] That it lists these.
pub(super) fn resources(call: &Call<'_>) -> Answer {
    let entry = |name: &str| (name.to_owned(), Json::string(format!("{}/composite/{name}", call.base)));
    Answer::json(200, &Json::Object(["tree", "batch", "sobjects", "graph"].map(entry).into()))
}

/// `POST /composite`
pub(super) fn composite(state: &mut State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let (answer, _) = carry_out(state, call, served_of(call.version))?;
    Ok(answer)
}

/// `POST /tooling/composite` (Tooling API guide, "REST Resources": "up to 25 subrequests", "up to five of these … query
/// operations"; of `tooling/sobjects` and `tooling/query`).
pub(super) fn tooling(state: &mut State, call: &Call<'_>) -> Result<Answer, ApiError> {
    const SERVED: [&str; 2] = ["sobjects", "query"];
    let served: Served =
        |resource| matches!(resource, [tooling, first, ..] if tooling == "tooling" && SERVED.contains(&first.as_str()));
    let before = (state.schema.clone(), state.components.clone());
    let (answer, undone) = carry_out(state, call, served)?;
    if undone {
        (state.schema, state.components) = before;
        state.changed();
    }
    Ok(answer)
}

/// The answer, and whether everything was rolled back.
fn carry_out(state: &mut State, call: &Call<'_>, served: Served) -> Result<(Answer, bool), ApiError> {
    let members = body_object(call)?;
    let all_or_none = read::flag(&members, "allOrNone")?.unwrap_or(false);
    // 48.0 on, and the default from 49.0 on.
    let collate = read::flag(&members, "collateSubrequests")?.unwrap_or(call.version >= 49) && call.version >= 48;
    let nodes = read::nodes(&members, call.version)?;
    check_counts(&nodes)?;
    let refusal = match state.knobs.collections_in_composite {
        _ if collate || !nodes.iter().any(|node| node.request.is_collection()) => None,
        CollectionsInComposite::Served => None,
        CollectionsInComposite::RequestRefused => return Err(no_collections()),
        CollectionsInComposite::EachRefused => Some(no_collections()),
    };
    let order = order::order(&nodes, collate);
    let run = Run { all_or_none, served, no_collections: refusal };
    let (results, failed) = run.carry_out(state, call, &nodes, &order);
    Ok((Answer::json(200, &Json::object([("compositeResponse", results)])), failed && all_or_none))
}

/// REST guide, "Send Multiple Requests Using Composite": sObject resources, queries, and from 43.0 on collections. [K] Limits.
fn served_of(version: u32) -> Served {
    const OTHERS: [&str; 4] = ["sobjects", "query", "queryAll", "limits"];
    let others: Served = |resource| resource.first().is_some_and(|first| OTHERS.contains(&first.as_str()));
    let all: Served = |resource| {
        resource.first().is_some_and(|first| OTHERS.contains(&first.as_str())) || subrequest::is_collection(resource)
    };
    if version >= 43 { all } else { others }
}

fn no_collections() -> ApiError {
    // [K] That an org refuses them, the code and the text.
    ApiError::new(400, "FUNCTIONALITY_NOT_ENABLED", "sObject Collections are not supported in a composite request")
}

fn check_counts(nodes: &[Node]) -> Result<(), ApiError> {
    // [K] The codes and the texts.
    if nodes.len() > MAX_SUBREQUESTS {
        let message = format!("The maximum number of subrequests is {MAX_SUBREQUESTS}, but there are {}", nodes.len());
        return Err(ApiError::new(400, "LIMIT_EXCEEDED", message));
    }
    let is_query = |resource: &[String]| {
        let first = resource.iter().find(|segment| *segment != "tooling");
        first.is_some_and(|first| first == "query" || first == "queryAll")
    };
    let heavy = |node: &&Node| {
        let resource = node.request.resource();
        is_query(&resource) || subrequest::is_collection(&resource)
    };
    let heavy = nodes.iter().filter(heavy).count();
    if heavy > MAX_HEAVY {
        let message =
            format!("Up to {MAX_HEAVY} subrequests can be sObject Collections or query operations, not {heavy}");
        return Err(ApiError::new(400, "LIMIT_EXCEEDED", message));
    }
    Ok(())
}

/// How sub-requests that may refer to each other are carried out.
struct Run {
    all_or_none: bool,
    served: Served,
    /// The refusal of each collection.
    no_collections: Option<ApiError>,
}

/// What became of a sub-request.
struct Done {
    status: u16,
    headers: Json,
    body: Json,
    /// Its own fault, not that of another.
    failed: bool,
    /// An answer that stays although everything was rolled back.
    stays: bool,
}

impl Done {
    fn refused(error: &ApiError) -> Self {
        let (headers, body) = (Json::Object(Vec::new()), error.to_array());
        Self { status: error.status, headers, body, failed: true, stays: false }
    }

    fn of(request: &Subrequest, answer: &Answer) -> Self {
        let body = body_of(answer);
        let is_refused = |row: &Json| row.member("success") == Some(&Json::Bool(false));
        let is_collection = request.is_collection();
        let rows_failed = is_collection && matches!(&body, Json::Array(rows) if rows.iter().any(is_refused));
        // [K] A key that several records have (300) counts as a failure.
        let refused = answer.status >= 300 && answer.status != 304;
        let headers = ["ETag", "Last-Modified", "Location"].into_iter().filter_map(|name| {
            let (_, value) = answer.headers.iter().find(|(key, _)| *key == name)?;
            Some((name.to_owned(), Json::string(value)))
        });
        let headers = Json::Object(headers.collect());
        let stays = is_collection && !refused;
        Self { status: answer.status, headers, body, failed: refused || rows_failed, stays }
    }

    fn to_json(&self, reference: &str) -> Json {
        // Key order as recorded: rest/composite-304-if-modified-since.json
        Json::object([
            ("body", self.body.clone()),
            ("httpHeaders", self.headers.clone()),
            ("httpStatusCode", Json::number(self.status)),
            ("referenceId", Json::string(reference)),
        ])
    }
}

impl Run {
    /// The results in the order of the request, and whether something failed.
    fn carry_out(&self, state: &mut State, call: &Call<'_>, nodes: &[Node], order: &[usize]) -> (Json, bool) {
        let mut answers = Answers::new(call.version);
        let mut done: Vec<Option<Done>> = nodes.iter().map(|_| None).collect();
        let rows: Vec<usize> = nodes.iter().map(|node| node.request.rows()).collect();
        let total = rows.iter().sum();
        state.data.store.begin();
        let mut failed = false;
        for &place in order {
            if failed && self.all_or_none {
                break;
            }
            let node = &nodes[place];
            let part = Part { first: rows[..place].iter().sum(), total };
            let result = match answers.fill(&node.request) {
                Err(halted) => Done::refused(&halted),
                Ok(request) => match &self.no_collections {
                    Some(refusal) if request.is_collection() => Done::refused(refusal),
                    _ => Done::of(&request, &subrequest::run(state, call, &request, self.served, part)),
                },
            };
            if result.status < 300 {
                answers.add(&node.reference, &node.request, result.body.clone());
            }
            failed |= result.failed;
            done[place] = Some(result);
        }
        state.data.store.end(!(failed && self.all_or_none));
        let results = nodes.iter().zip(done).map(|(node, done)| {
            // REST guide, "allOrNone Parameters in Composite and Collections Requests": a collection that was carried out
            // keeps its answer, `"success": true` included, although everything was rolled back.
            let kept = done.filter(|done| !(failed && self.all_or_none) || done.failed || done.stays);
            kept.unwrap_or_else(|| Done::refused(&rolled_back())).to_json(&node.reference)
        });
        (Json::Array(results.collect()), failed)
    }
}

fn rolled_back() -> ApiError {
    // REST guide, the same page.
    let message = "The transaction was rolled back since another operation in the same transaction failed.";
    ApiError::new(400, "PROCESSING_HALTED", message)
}
