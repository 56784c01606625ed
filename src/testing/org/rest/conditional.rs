//! Conditional requests (REST guide, "Conditional Request Headers").

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::testing::org::clock::http_date;
use crate::testing::org::error::ApiError;
use crate::testing::org::schema::Object;
use crate::testing::org::state::Call;
use crate::testing::org::value::{Row, Value};
use crate::testing::org::wire::Answer;

/// What conditions of a request are held against.
#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) modified: Option<DateTime<Utc>>,
    pub(super) etag: Option<String>,
}

impl Conditions {
    /// Rows carry the date of their last change; rows of Account an entity tag as well, those of other objects none.
    pub(super) fn of_row(object: &Object, row: &Row) -> Self {
        let time = |name: &str| match row.get(name) {
            Some(Value::DateTime(time)) => Some(*time),
            _ => None,
        };
        let etag = (object.name == "Account").then(|| etag_of(&format!("{row:?}")));
        Self { modified: time("LastModifiedDate").or_else(|| time("SystemModstamp")), etag }
    }

    /// Adds `Last-Modified` and `ETag`.
    pub(super) fn head(&self, mut answer: Answer) -> Answer {
        if let Some(time) = self.modified {
            answer = answer.with("Last-Modified", http_date(time));
        }
        if let Some(etag) = &self.etag {
            answer = answer.with("ETag", etag);
        }
        answer
    }

    fn listed(&self, header: &str) -> bool {
        // `-gzip` marks the coding of one answer, not another state of the record.
        let plain = |tag: &str| tag.trim().trim_matches('"').trim_end_matches("-gzip").trim_end_matches('-').to_owned();
        let own = self.etag.as_deref().map(plain);
        header.split(',').any(|tag| tag.trim() == "*" || Some(plain(tag)) == own)
    }
}

/// A tag of a document, of the same shape every time.
pub(super) fn etag_of(document: &str) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    document.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn time_of(call: &Call<'_>, header: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
    let Some(text) = call.request.header(header) else { return Ok(None) };
    // [K] The code and the text; the guide gives the status.
    let parsed = NaiveDateTime::parse_from_str(text, "%a, %d %b %Y %H:%M:%S GMT")
        .map_err(|_| ApiError::new(400, "INVALID_HEADER", format!("Invalid date in {header}: {text}")))?;
    Ok(Some(parsed.and_utc()))
}

/// An entity tag, or a list of them, in quotes.
fn check_tags(call: &Call<'_>, header: &str) -> Result<(), ApiError> {
    let quoted = |tag: &str| tag == "*" || (tag.len() > 1 && tag.starts_with('"') && tag.ends_with('"'));
    match call.request.header(header).filter(|tags| !tags.split(',').all(|tag| quoted(tag.trim()))) {
        None => Ok(()),
        // [K] The code and the text; the guide gives the status.
        Some(tags) => Err(ApiError::new(400, "INVALID_HEADER", format!("Invalid entity tag in {header}: {tags}"))),
    }
}

/// The 304 of a read whose caller has the newest state, and the 412 of one that wants another state than there is.
pub(super) fn unmodified(call: &Call<'_>, now: &Conditions) -> Result<Option<Answer>, ApiError> {
    let since = time_of(call, "if-modified-since")?;
    let changed = |until: DateTime<Utc>| now.modified.is_some_and(|modified| modified > until);
    let other = call.request.header("if-match").filter(|_| now.etag.is_some()).is_some_and(|tags| !now.listed(tags));
    if other || time_of(call, "if-unmodified-since")?.is_some_and(changed) {
        return Err(failed());
    }
    let matched = match (call.request.header("if-none-match"), &now.etag) {
        (Some(tags), Some(_)) => Some(now.listed(tags)),
        _ => None,
    };
    let old = since.zip(now.modified).is_some_and(|(since, modified)| modified <= since);
    let unmodified = matched.unwrap_or(old);
    Ok(unmodified.then(|| now.head(Answer::empty(304))))
}

/// The 412 of a write whose caller has seen an older state.
pub(super) fn precondition(call: &Call<'_>, now: &Conditions) -> Result<(), ApiError> {
    if now.etag.is_some() {
        check_tags(call, "if-match")?;
        check_tags(call, "if-none-match")?;
    }
    let tags = |header: &str| call.request.header(header).filter(|_| now.etag.is_some()).map(|tags| now.listed(tags));
    let newer = |header: &str| -> Result<Option<bool>, ApiError> {
        Ok(time_of(call, header)?.zip(now.modified).map(|(time, modified)| modified > time))
    };
    let is_false = tags("if-match") == Some(false)
        || tags("if-none-match") == Some(true)
        || newer("if-unmodified-since")? == Some(true)
        || newer("if-modified-since")? == Some(false);
    if is_false { Err(failed()) } else { Ok(()) }
}

fn failed() -> ApiError {
    // [K] The text.
    ApiError::new(412, "MATCH_PRECONDITION_FAILED", "Precondition Failed")
}
