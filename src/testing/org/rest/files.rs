//! The content of files: multipart messages in, bytes out (REST guide, "Insert or Update Blob Data", "sObject Blob Get").

use bytes::Bytes;

use super::records::{live_row, typed_id};
use super::{object_of, records};
use crate::testing::org::error::ApiError;
use crate::testing::org::json::Json;
use crate::testing::org::parse;
use crate::testing::org::schema::FieldType;
use crate::testing::org::state::{Call, State};
use crate::testing::org::wire::Answer;

/// The record of a create and, of a multipart message, its binary part.
type Upload = (Vec<(String, Json)>, Option<Bytes>);

/// Whether the body is a multipart message.
pub(crate) fn is_multipart(call: &Call<'_>) -> bool {
    call.request.header("content-type").unwrap_or_default().to_ascii_lowercase().starts_with("multipart/form-data")
}

/// Reads the body of a create; `blob` is the field the binary part may be for.
pub(super) fn read(state: &State, call: &Call<'_>, blob: Option<&str>) -> Result<Upload, ApiError> {
    if !is_multipart(call) {
        if call.request.body.len() > state.knobs.body_bytes {
            // [K] Code and text; the size is documented.
            let message = format!(
                "Maximum size of request reached. Maximum size of request is {} bytes.",
                state.knobs.body_bytes
            );
            return Err(ApiError::new(400, "EXCEEDED_MAX_SIZE_REQUEST", message));
        }
        return Ok((super::body_object(call)?, None));
    }
    let Some(blob) = blob else { return Err(bad("the object has no binary field")) };
    let kind = call.request.header("content-type").unwrap_or_default();
    let boundary = boundary(kind).ok_or_else(|| bad("no boundary"))?;
    let parts =
        parts(&call.request.body, &boundary).ok_or_else(|| bad("the message does not end with its boundary"))?;
    let record = parts.iter().find(|part| part.kind.to_ascii_lowercase().starts_with("application/json") && !part.file);
    let record = record.ok_or_else(|| bad("Multipart message must include a non-binary part"))?;
    let text = std::str::from_utf8(&record.bytes).map_err(|_| ApiError::json("The part is not UTF-8"))?;
    let Ok(Json::Object(members)) = parse::parse(text) else {
        return Err(ApiError::json("The entity part is required to be a JSON object"));
    };
    let mut binary = parts.iter().filter(|part| part.file);
    let (Some(part), None) = (binary.next(), binary.next()) else {
        return Err(bad("Multipart message must include exactly one binary part"));
    };
    if !part.name.eq_ignore_ascii_case(blob) {
        return Err(bad(&format!("there is no binary field {}", part.name)));
    }
    if part.bytes.len() > state.knobs.file_bytes {
        // [K] The text; the code is in the WSDL.
        let message = format!("the file is larger than {} bytes", state.knobs.file_bytes);
        return Err(ApiError::row("FILE_SIZE_LIMIT_EXCEEDED", message, [blob]));
    }
    Ok((members, Some(part.bytes.clone())))
}

/// [K] The texts; the code is in the WSDL.
fn bad(message: &str) -> ApiError {
    ApiError::new(400, "INVALID_MULTIPART_REQUEST", message)
}

/// A part of a multipart message.
pub(crate) struct Part {
    pub(crate) name: String,
    /// It has a file name.
    pub(crate) file: bool,
    pub(crate) kind: String,
    /// It says `Content-Transfer-Encoding: base64`.
    pub(crate) base64: bool,
    pub(crate) bytes: Bytes,
}

/// A parameter of a header's value, quoted or not.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

pub(crate) fn boundary(kind: &str) -> Option<String> {
    parameter(kind, "boundary").filter(|boundary| !boundary.is_empty())
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let mut at = 0;
    // By the first byte, so that a large file is walked once.
    while let Some(step) = rest[at..].iter().position(|byte| *byte == wanted[0]) {
        at += step;
        if rest[at..].starts_with(wanted) {
            return Some(from + at);
        }
        at += 1;
    }
    None
}

/// RFC 2046, 5.1.1. `None`: the message does not hold together.
pub(crate) fn parts(body: &Bytes, boundary: &str) -> Option<Vec<Part>> {
    let delimiter = format!("\r\n--{boundary}");
    let first = format!("--{boundary}");
    let mut at = if body.starts_with(first.as_bytes()) {
        first.len()
    } else {
        find(body, delimiter.as_bytes(), 0)? + delimiter.len()
    };
    let mut parts = Vec::new();
    while !body.get(at..)?.starts_with(b"--") {
        let start = find(body, b"\r\n", at)? + 2;
        let (head_end, content) = if body.get(start..)?.starts_with(b"\r\n") {
            (start, start + 2)
        } else {
            let end = find(body, b"\r\n\r\n", start)?;
            (end, end + 4)
        };
        // The break after the head may be the one in front of the next boundary.
        let end = find(body, delimiter.as_bytes(), content - 2)?;
        let head = String::from_utf8_lossy(body.get(start..head_end)?).into_owned();
        let header = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
            })
        };
        let disposition = header("content-disposition").unwrap_or_default();
        parts.push(Part {
            name: parameter(&disposition, "name").unwrap_or_default(),
            file: parameter(&disposition, "filename").is_some(),
            kind: header("content-type").unwrap_or_default(),
            base64: header("content-transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("base64")),
            bytes: body.slice(content.min(end)..end),
        });
        at = end + delimiter.len();
    }
    Some(parts)
}

/// `GET /sobjects/<object>/<id>/<field>` of a field of type base64.
pub(super) fn blob(state: &State, call: &Call<'_>, object: &str, id: &str, field: &str) -> Result<Answer, ApiError> {
    let object = object_of(&call.view.schema, object)?;
    let field = object.field(field).filter(|field| field.kind == FieldType::Base64);
    // What is no such field is read as the key of an external id, as the path allows (wire facts 2.4).
    let Some(_) = field else { return Err(records::no_such_key(id)) };
    let id = typed_id(object, id)?;
    live_row(state, &id)?;
    let bytes = state.data.files.bytes(&id).cloned().unwrap_or_default();
    // [K] The type.
    Ok(Answer::text(200, "application/octet-stream", bytes))
}
