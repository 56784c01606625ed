//! Apex REST: methods of classes that a test writes.

use std::fmt;
use std::sync::Arc;

use super::error::ApiError;
use super::mock::MockOrg;
use super::state::{Call, State};
use super::wire::Answer;

/// What an Apex REST method is called with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApexRequest {
    /// The HTTP method.
    pub method: String,
    /// The path below `/services/apexrest`, with its leading slash, as it came.
    pub path: String,
    /// The parameters of the URL, decoded.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case; without `Authorization`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The id of the user who calls.
    pub user: String,
}

impl ApexRequest {
    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

type Handler = Arc<dyn Fn(&ApexRequest) -> (u16, serde_json::Value) + Send + Sync>;

struct Mapping {
    method: String,
    /// Segments; the last may be `*`.
    path: Vec<String>,
    handler: Handler,
}

/// The org's `@RestResource` classes.
#[derive(Default)]
pub(crate) struct Handlers(Vec<Mapping>);

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|mapping| (&mapping.method, &mapping.path))).finish()
    }
}

impl Mapping {
    /// How many segments of the path it names; `None`: it is for other paths.
    // Apex guide, "RestResource Annotation": case-sensitive; `*` at the end stands for any rest; an exact path wins over one
    // with `*`, and of those the longest.
    fn fit(&self, path: &[String]) -> Option<usize> {
        match self.path.split_last() {
            Some((last, front)) if last == "*" => path.starts_with(front).then_some(front.len()),
            _ => (self.path == path).then_some(usize::MAX),
        }
    }
}

impl MockOrg {
    /// Puts an Apex REST method into the org: the requests of that HTTP method below `/services/apexrest` whose path is `path`,
    /// or begins with it where it ends in `/*`. What it gives is status and body; a body of null is an empty one.
    ///
    /// It runs while the org is busy with the request, so it must not call the org: that would wait for ever.
    pub fn on_apex(
        &self,
        method: &str,
        path: &str,
        handler: impl Fn(&ApexRequest) -> (u16, serde_json::Value) + Send + Sync + 'static,
    ) {
        let path = path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        let mapping = Mapping { method: method.to_ascii_uppercase(), path, handler: Arc::new(handler) };
        self.state().knobs.apex.0.push(mapping);
    }
}

/// Answers a request below `/services/apexrest`.
pub(crate) fn answer(state: &State, call: &Call<'_>) -> Result<Answer, ApiError> {
    let request = call.request;
    let path = request.segments.get(2..).unwrap_or_default();
    let mappings = &state.knobs.apex.0;
    let best = mappings.iter().filter_map(|mapping| mapping.fit(path)).max();
    let Some(best) = best else {
        // [S] Text as several clients quote it.
        let message = format!("Could not find a match for URL /{}", path.join("/"));
        return Err(ApiError::new(404, "NOT_FOUND", message));
    };
    let fitting: Vec<&Mapping> = mappings.iter().filter(|mapping| mapping.fit(path) == Some(best)).collect();
    let method = request.method.as_str();
    // The latest counts, as a class deployed again does.
    let Some(mapping) = fitting.iter().rev().find(|mapping| mapping.method == method) else {
        let mut allowed: Vec<&str> = fitting.iter().map(|mapping| mapping.method.as_str()).collect();
        allowed.sort_unstable();
        allowed.dedup();
        // [K] The text, as the data API has it.
        let message = format!("HTTP Method '{method}' not allowed. Allowed are {}", allowed.join(","));
        return Err(ApiError::new(405, "METHOD_NOT_ALLOWED", message));
    };
    let shown = request.headers.iter().filter(|(name, _)| *name != http::header::AUTHORIZATION);
    let headers = shown.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let target = request.target.split('?').next().unwrap_or_default();
    let (status, body) = (mapping.handler)(&ApexRequest {
        method: method.to_owned(),
        path: target.strip_prefix("/services/apexrest").unwrap_or_default().to_owned(),
        query: request.query.clone(),
        headers: headers.collect(),
        body: request.body.to_vec(),
        user: call.writer.user.clone(),
    });
    Ok(match body {
        serde_json::Value::Null => Answer::empty(status),
        body => Answer::text(status, "application/json;charset=UTF-8", body.to_string()),
    })
}
