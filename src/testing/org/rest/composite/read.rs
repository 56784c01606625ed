//! The sub-requests of a body, and what is wrong with them as a whole.

use std::collections::HashSet;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::rest::subrequest::Subrequest;

/// A sub-request of a composite or a graph.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) reference: String,
    pub(super) request: Subrequest,
}

/// `Accept`, `Authorization` and `Content-Type` are inherited and must not be given (REST guide, "Composite Request Body").
const INHERITED: [&str; 3] = ["accept", "authorization", "content-type"];

/// Reads `compositeRequest`. What cannot be read refuses the whole request.
pub(super) fn nodes(members: &[(String, Json)], version: u32) -> Result<Vec<Node>, ApiError> {
    let Some((_, Json::Array(items))) = members.iter().find(|(name, _)| name == "compositeRequest") else {
        // [K] The text.
        return Err(ApiError::json("compositeRequest is required to be a list of subrequests"));
    };
    if items.is_empty() {
        // [K] The code and the text.
        return Err(ApiError::new(400, "INVALID_INPUT", "At least 1 subrequest is required"));
    }
    let nodes: Vec<Node> = items.iter().map(|item| node(item, version)).collect::<Result<_, _>>()?;
    let mut seen = HashSet::new();
    match nodes.iter().find(|node| !seen.insert(node.reference.as_str())) {
        None => Ok(nodes),
        // [K] The code and the text.
        Some(twin) => {
            let message = format!("Duplicate ReferenceId found: {}", twin.reference);
            Err(ApiError::new(400, "INVALID_INPUT", message))
        }
    }
}

fn node(item: &Json, version: u32) -> Result<Node, ApiError> {
    let text = |name: &str| {
        let text = item.member(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        // [K] The text.
        text.ok_or_else(|| ApiError::json(format!("{name} is required in a subrequest")))
    };
    let reference = text("referenceId")?;
    // 52.0 on; before, only who refers to it fails (REST guide, "Composite Subrequest Result"). [S] The text and the code:
    // guardian/support-service-lambdas#1512 and #1524.
    if version >= 52 && !is_sound(reference) {
        return Err(ApiError::json(format!(
            "Provided referenceId ('{reference}') must start with a letter or a number, and it can contain only letters, \
             numbers and underscores ('_')."
        )));
    }
    let method = method(text("method")?)?;
    let url = url(text("url")?)?;
    let mut headers = HeaderMap::new();
    match item.member("httpHeaders") {
        None | Some(Json::Null) => {}
        Some(Json::Object(members)) => {
            for (name, value) in members {
                let (name, value) = http_header(name, value)?;
                headers.insert(name, value);
            }
        }
        Some(_) => return Err(ApiError::json("httpHeaders is a map of texts")),
    }
    let body = item.member("body").filter(|body| **body != Json::Null).cloned();
    Ok(Node { reference: reference.to_owned(), request: Subrequest { method, url, headers, body } })
}

/// Starts with a letter or digit; letters, digits and `_`.
fn is_sound(reference: &str) -> bool {
    reference.starts_with(|c: char| c.is_ascii_alphanumeric())
        && reference.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// In capitals (REST guide: "case-sensitive").
fn method(name: &str) -> Result<Method, ApiError> {
    match name {
        "POST" | "PUT" | "PATCH" | "GET" | "DELETE" => {
            Method::from_bytes(name.as_bytes()).map_err(|_| ApiError::json("method"))
        }
        // [K] The code and the text.
        _ => Err(ApiError::json(format!("Unexpected value for method: {name}"))),
    }
}

/// Must start with `/services/data/vXX.X/`.
fn url(text: &str) -> Result<String, ApiError> {
    let version =
        text.strip_prefix("/services/data/v").and_then(|rest| rest.split_once('/')).map(|(version, _)| version);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let sound = version.and_then(|version| version.split_once('.')).is_some_and(|(a, b)| digits(a) && digits(b));
    if sound {
        return Ok(text.to_owned());
    }
    // [K] The code and the text.
    Err(ApiError::json(format!("The url of a subrequest must start with /services/data/vXX.X/: {text}")))
}

fn http_header(name: &str, value: &Json) -> Result<(HeaderName, HeaderValue), ApiError> {
    // [K] The codes and the texts.
    if INHERITED.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(ApiError::json(format!("The header {name} cannot be specified in a subrequest")));
    }
    let bad = || ApiError::json(format!("httpHeaders has no sound value for {name}"));
    let value = value.as_str().ok_or_else(bad)?;
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    Ok((name, HeaderValue::from_str(value).map_err(|_| bad())?))
}

/// A flag of a body.
pub(super) fn flag(members: &[(String, Json)], name: &str) -> Result<Option<bool>, ApiError> {
    match members.iter().find(|(key, _)| key == name).map(|(_, value)| value) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(ApiError::json(format!("{name} is true or false"))),
    }
}
