//! `@{refAccount.id}`: values of earlier answers in later sub-requests (REST guide, "Composite Request Body").

use std::collections::HashMap;

use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::rest::subrequest::Subrequest;

/// What sub-requests were answered.
#[derive(Debug)]
pub(super) struct Answers {
    version: u32,
    known: HashMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    body: Json,
    /// The answer to `GET /sobjects/<object>/<id>`.
    is_row: bool,
}

/// A reference, and what stands before and after it.
struct Split<'t> {
    before: &'t str,
    reference: &'t str,
    after: &'t str,
}

fn split(text: &str) -> Option<Split<'_>> {
    let (before, rest) = text.split_once("@{")?;
    let (reference, after) = rest.split_once('}')?;
    Some(Split { before, reference, after })
}

/// The reference id a reference starts with, and the path behind it.
fn root(reference: &str) -> (&str, &str) {
    let end = reference.find(['.', '[']).unwrap_or(reference.len());
    reference.split_at(end)
}

impl Answers {
    /// Of a composite in that version.
    pub(super) fn new(version: u32) -> Self {
        Self { version, known: HashMap::new() }
    }

    /// Remembers the answer to a sub-request.
    pub(super) fn add(&mut self, id: &str, request: &Subrequest, body: Json) {
        let is_row = request.method == http::Method::GET
            && matches!(request.resource().as_slice(), [sobjects, _, _] | [sobjects, _, _, _] if sobjects == "sobjects");
        self.known.insert(id.to_owned(), Known { body, is_row });
    }

    /// The sub-request with the values of its references.
    pub(super) fn fill(&self, request: &Subrequest) -> Result<Subrequest, ApiError> {
        let url = self.fill_text(&request.url, |text| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        })?;
        let body = request.body.as_ref().map(|body| self.fill_json(body)).transpose()?;
        Ok(Subrequest { method: request.method.clone(), url, headers: request.headers.clone(), body })
    }

    fn fill_json(&self, json: &Json) -> Result<Json, ApiError> {
        Ok(match json {
            Json::String(text) => match split(text) {
                // A reference alone keeps the type of its value.
                Some(Split { before: "", reference, after: "" }) => self.value(reference)?,
                _ => Json::String(self.fill_text(text, str::to_owned)?),
            },
            Json::Array(items) => Json::Array(items.iter().map(|item| self.fill_json(item)).collect::<Result<_, _>>()?),
            Json::Object(members) => {
                let fill = |(name, value): &(String, Json)| Ok((name.clone(), self.fill_json(value)?));
                Json::Object(members.iter().map(fill).collect::<Result<_, ApiError>>()?)
            }
            other => other.clone(),
        })
    }

    fn fill_text(&self, text: &str, encode: impl Fn(&str) -> String) -> Result<String, ApiError> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some(Split { before, reference, after }) = split(rest) {
            out.push_str(before);
            match self.value(reference)? {
                Json::String(text) => out.push_str(&encode(&text)),
                Json::Null => {}
                other => out.push_str(&encode(&other.to_text())),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&self, reference: &str) -> Result<Json, ApiError> {
        let (id, path) = root(reference);
        let halted = || {
            // REST guide, "Composite Subrequest Result".
            let message = format!(
                "Invalid reference specified. No value for {reference} found in {id}. Provided referenceId \
                 ('{reference}') must start with a letter or a number, and it can contain only letters, numbers and \
                 underscores ('_')."
            );
            ApiError::new(400, "PROCESSING_HALTED", message)
        };
        let known = self.known.get(id).ok_or_else(halted)?;
        match follow(&known.body, path) {
            // Null fields of a record give null from 52.0 on (same page). [K] Other nulls never do.
            Some(Json::Null) if known.is_row && self.version >= 52 => Ok(Json::Null),
            // Texts, numbers and booleans can be referred to.
            Some(value @ (Json::String(_) | Json::Number(_) | Json::Bool(_))) => Ok(value.clone()),
            _ => Err(halted()),
        }
    }
}

/// `.records[0].Id`; names are case-sensitive.
fn follow<'j>(mut json: &'j Json, mut path: &str) -> Option<&'j Json> {
    while !path.is_empty() {
        if let Some(rest) = path.strip_prefix('.') {
            let (name, behind) = root(rest);
            json = json.member(name)?;
            path = behind;
        } else {
            let (index, behind) = path.strip_prefix('[')?.split_once(']')?;
            let Json::Array(items) = json else { return None };
            json = items.get(index.parse::<usize>().ok()?)?;
            path = behind;
        }
    }
    Some(json)
}

/// The reference ids a sub-request refers to.
pub(super) fn roots(request: &Subrequest) -> Vec<String> {
    fn of_text(mut text: &str, found: &mut Vec<String>) {
        while let Some(Split { reference, after, .. }) = split(text) {
            found.push(root(reference).0.to_owned());
            text = after;
        }
    }
    fn of_json(json: &Json, found: &mut Vec<String>) {
        match json {
            Json::String(text) => of_text(text, found),
            Json::Array(items) => items.iter().for_each(|item| of_json(item, found)),
            Json::Object(members) => members.iter().for_each(|(_, value)| of_json(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    of_text(&request.url, &mut found);
    if let Some(body) = &request.body {
        of_json(body, &mut found);
    }
    found
}
