//! One table from HTTP status and Salesforce code to what it means. Pure; nobody matches on strings later.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use crate::error::{ApiError, Effect, Error, ErrorKind, Result, Retry, same_code};
use crate::types::xml::Element;

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    pub(super) effect: Effect,
    pub(super) advice: Option<&'static str>,
}

const fn verdict(kind: ErrorKind, retry: Retry, effect: Effect) -> Verdict {
    Verdict { kind, retry, effect, advice: None }
}

const fn refused(kind: ErrorKind) -> Verdict {
    verdict(kind, Retry::Never, Effect::None)
}

const fn advised(kind: ErrorKind, advice: &'static str) -> Verdict {
    Verdict { advice: Some(advice), ..refused(kind) }
}

const LATER: Retry = Retry::After(None);

const API_ENABLED: &str = "give the user the permission \"API Enabled\": Setup > Profiles or Permission Sets > System \
                           Permissions > API Enabled; Professional Edition needs API access as an add-on";

/// By code. Sources: protocol facts, section 8 (SOAP guide, "Core Data Types Used in API Calls"; REST status page), and
/// section 5 for API access.
#[expect(clippy::match_same_arms, reason = "rows stand with their subject")]
fn by_code(code: &str, message: &str) -> Option<Verdict> {
    use ErrorKind as K;
    Some(match code {
        // Authentication.
        "INVALID_SESSION_ID" => verdict(K::Auth, Retry::Reauthenticate, Effect::None),
        "INVALID_AUTH_HEADER"
        | "INVALID_LOGIN"
        | "PASSWORD_LOCKOUT"
        | "LOGIN_MUST_USE_SECURITY_TOKEN"
        | "LOGIN_DURING_RESTRICTED_DOMAIN"
        | "LOGIN_DURING_RESTRICTED_TIME"
        | "INVALID_OPERATION_WITH_EXPIRED_PASSWORD"
        | "ORG_LOCKED"
        | "TRIAL_EXPIRED"
        | "INACTIVE_OWNER_OR_USER"
        | "ORG_NOT_OWNED_BY_INSTANCE" => refused(K::Auth),

        // Permissions.
        "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" => advised(K::Forbidden, API_ENABLED),
        "FUNCTIONALITY_NOT_ENABLED"
        | "CLIENT_NOT_ACCESSIBLE_FOR_USER"
        | "INSUFFICIENT_ACCESS"
        | "INSUFFICIENT_ACCESS_OR_READONLY"
        | "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
        | "TRANSFER_REQUIRES_READ"
        | "DELETE_REQUIRED_ON_CASCADE"
        | "FIELD_NOT_UPDATABLE" => refused(K::Forbidden),
        "INVALID_FIELD_FOR_INSERT_UPDATE" => {
            advised(K::Forbidden, "make the field visible and editable for the user: field-level security")
        }
        // Often wraps a trigger's error, and that may be a lock.
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" if message.contains("UNABLE_TO_LOCK_ROW") => {
            verdict(K::RowLocked, LATER, Effect::None)
        }
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" => refused(K::Invalid),

        // Limits. One code stands for two limits: only the words tell them apart.
        "REQUEST_LIMIT_EXCEEDED" if message.to_ascii_lowercase().contains("concurrent") => {
            verdict(K::RateLimited, LATER, Effect::None)
        }
        "REQUEST_LIMIT_EXCEEDED" => advised(
            K::LimitExceeded,
            "the org has used up its API calls of 24 hours; they come back 24 hours after they were made",
        ),
        "TOO_MANY_APEX_REQUESTS" => verdict(K::RateLimited, LATER, Effect::None),
        "STORAGE_LIMIT_EXCEEDED"
        | "EXCEEDED_QUOTA"
        | "LIMIT_EXCEEDED"
        | "CUSTOM_ENTITY_OR_FIELD_LIMIT"
        | "NUM_HISTORY_FIELDS_BY_SOBJECT_EXCEEDED"
        | "TOO_MANY_JOBS" => refused(K::LimitExceeded),
        "EXCEEDED_ID_LIMIT" | "EXCEEDED_MAX_SIZE_REQUEST" | "OPERATION_TOO_LARGE" | "TOO_MANY_ENUM_VALUE" => {
            advised(K::Invalid, "make the call smaller")
        }
        // SOAP guide, getUpdated() and getDeleted(): also when the log of deletions was trimmed or the recycle bin emptied.
        "INVALID_REPLICATION_DATE" => advised(
            K::Invalid,
            "the org no longer knows what happened since then: read the whole table, and go on from when that began",
        ),

        // What passes by itself.
        "UNABLE_TO_LOCK_ROW" => verdict(K::RowLocked, LATER, Effect::None),
        "QUERY_TIMEOUT" | "REQUEST_RUNNING_TOO_LONG" => verdict(K::Unavailable, Retry::Never, Effect::Unknown),
        "SERVER_UNAVAILABLE" | "UNKNOWN_EXCEPTION" | "INTERNAL_ERROR" => {
            verdict(K::Unavailable, LATER, Effect::Unknown)
        }
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"
        | "INVALID_READ_ONLY_USER_DML"
        | "ORG_IN_MAINTENANCE"
        | "TERRITORY_REALIGN_IN_PROGRESS"
        | "PLATFORM_EVENT_PUBLISHING_UNAVAILABLE" => verdict(K::Unavailable, LATER, Effect::None),
        "ENTITY_IS_LOCKED" | "RECORD_IN_USE_BY_WORKFLOW" | "ALREADY_IN_PROCESS" => {
            advised(K::Conflict, "an approval holds the record: a person has to end it")
        }

        // Duplicates.
        "DUPLICATES_DETECTED"
        | "DUPLICATE_VALUE"
        | "DUPLICATE_EXTERNAL_ID"
        | "DUPLICATE_DEVELOPER_NAME"
        | "DUPLICATE_MASTER_LABEL"
        | "DUPLICATE_CUSTOM_ENTITY_DEFINITION"
        | "DUPLICATE_USERNAME" => refused(K::Duplicate),

        // Schema: a hidden field answers like one that does not exist.
        "INVALID_FIELD"
        | "INVALID_TYPE"
        | "INVALID_TYPE_FOR_OPERATION"
        | "INVALID_EXTERNAL_ID_FIELD_NAME"
        | "INVALID_ENTITY_FOR_UPSERT" => refused(K::Schema),

        "NOT_FOUND"
        | "ENTITY_IS_DELETED"
        | "RECORD_NOT_FOUND"
        | "ENTITY_IS_ARCHIVED"
        | "INVALID_CROSS_REFERENCE_KEY" => refused(K::NotFound),
        "MALFORMED_ID" | "INVALID_ID_FIELD" => refused(K::Invalid),

        // A victim of another row: nothing is wrong with this one.
        "ALL_OR_NONE_OPERATION_ROLLED_BACK" | "PROCESSING_HALTED" | "BATCH_PROCESSING_HALTED" => {
            advised(K::Conflict, "send it again once the record that failed is mended")
        }
        "MATCH_PRECONDITION_FAILED" | "MATCH_PRECONDITION_REQUIRED" | "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE" => {
            refused(K::Conflict)
        }
        "UNSUPPORTED_API_VERSION" | "INVALID_VERSION" | "INVALIDVERSION" | "GONE" => {
            advised(K::Config, "set an API version that the org still has")
        }

        // Bulk API 2.0's own.
        "INVALID_JOB_STATE" => refused(K::Conflict),
        "CLIENT_INPUT_ERROR" | "INVALID_BATCH" | "INVALID_ENTITY" | "INVALID_JOB" | "INVALID_OPERATION"
        | "INVALID_URL" => refused(K::Invalid),
        "FEATURE_NOT_ENABLED" | "INVALID_USER" => refused(K::Forbidden),
        "TIMEOUT" => verdict(K::Unavailable, LATER, Effect::Unknown),
        "TOO_MANY_LOCK_FAILURE" => verdict(K::RowLocked, LATER, Effect::Unknown),
        _ => return None,
    })
}

/// Names of errors in the Bulk API 2.0 guide, which writes `InvalidJobState`, with the underscores of all other codes. On the
/// wire they have neither small letters nor underscores: `INVALIDJOBSTATE`.
const BULK_CODES: &[&str] = &[
    "CLIENT_INPUT_ERROR",
    "EXCEEDED_QUOTA",
    "FEATURE_NOT_ENABLED",
    "INVALID_BATCH",
    "INVALID_ENTITY",
    "INVALID_FIELD",
    "INVALID_JOB",
    "INVALID_JOB_STATE",
    "INVALID_OPERATION",
    "INVALID_SESSION_ID",
    "INVALID_URL",
    "INVALID_USER",
    "NOT_FOUND",
    "TIMEOUT",
    "TOO_MANY_LOCK_FAILURE",
];

/// The code as the table spells it.
fn spelt(code: &str) -> Cow<'_, str> {
    let known = if code.contains('_') { None } else { BULK_CODES.iter().find(|known| same_code(known, code)) };
    known.map_or_else(|| Cow::Owned(code.to_ascii_uppercase()), |known| Cow::Borrowed(*known))
}

/// What an error of the org means, by its code.
fn known(error: &ApiError) -> Option<Verdict> {
    by_code(&spelt(&error.code), &error.message)
}

/// 401s that look like an expired session, and that a new token would meet again: refreshing on them is the loop that users of
/// other clients report. Lower case, looked for anywhere in the words of the answer.
const NOT_THE_TOKEN: &[(&str, &str)] = &[
    // jsforce#1301, #1774; Salesforce CLI issue 3428: API Access Control, a session level below the profile's, no `api` scope.
    (
        "not valid for use with the rest api",
        "the user or the app may not use the API: grant the scope `api`; with API Access Control, allow the app, or give the \
         user \"Use Any API Client\"; lower \"Session Security Level Required at Login\" of the profile",
    ),
    // jsforce#1652.
    ("connected app is not attached to agent", "attach the app to the agent in Setup"),
];

fn not_the_token(words: &[u8]) -> Option<Verdict> {
    // The words stand at the start of an answer, if at all.
    let words = String::from_utf8_lossy(&words[..words.len().min(4096)]).to_ascii_lowercase();
    let (_, advice) = NOT_THE_TOKEN.iter().find(|(text, _)| words.contains(text))?;
    Some(advised(ErrorKind::Forbidden, advice))
}

/// By status, where no known code says more. Source: REST guide, "Status Codes and Error Responses".
fn by_status(status: u16) -> Verdict {
    use ErrorKind as K;
    match status {
        300 => {
            advised(K::Duplicate, "several records have this external id: make the field unique, or mend the records")
        }
        401 => verdict(K::Auth, Retry::Reauthenticate, Effect::None),
        403 => refused(K::Forbidden),
        404 => refused(K::NotFound),
        409 | 412 | 428 => refused(K::Conflict),
        410 => advised(K::Config, "set an API version that the org still has"),
        414 | 431 => advised(K::Invalid, "the address is longer than 16,384 bytes: send less at once"),
        // Not documented for the data APIs; whoever answers so has not passed the request on.
        429 => verdict(K::RateLimited, LATER, Effect::None),
        // 406 and 420 without a body were seen to pass (field guide, edge facts).
        406 | 408 | 420 | 500..=599 => verdict(K::Unavailable, LATER, Effect::Unknown),
        400..=499 => refused(K::Invalid),
        _ => verdict(K::Unexpected, Retry::Never, Effect::Unknown),
    }
}

/// An error as a REST answer writes it; collections write `statusCode` for `errorCode`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireError {
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    status_code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    fields: Option<Vec<String>>,
}

impl From<WireError> for ApiError {
    fn from(wire: WireError) -> Self {
        let code = wire.error_code.or(wire.status_code).unwrap_or_default();
        Self::new(code, wire.message.unwrap_or_default(), wire.fields.unwrap_or_default())
    }
}

/// Reads the error array of a REST answer, a single such object, or one of OAuth's words; empty for anything else.
fn read_errors(body: &[u8]) -> Vec<ApiError> {
    if let Ok(errors) = serde_json::from_slice::<Vec<WireError>>(body) {
        return errors.into_iter().map(ApiError::from).filter(|error| !error.code.is_empty()).collect();
    }
    // serde would read a struct from an array too, and a 300 has an array of URLs.
    if body.trim_ascii().starts_with(b"{")
        && let Ok(error) = serde_json::from_slice::<WireError>(body)
    {
        return Some(ApiError::from(error)).filter(|error| !error.code.is_empty()).into_iter().collect();
    }
    if body.trim_ascii().starts_with(b"<") {
        return read_fault(body).into_iter().collect();
    }
    // Userinfo and identity answer 403 with one of these words instead of JSON.
    match body.trim_ascii() {
        b"Bad_OAuth_Token" | b"Missing_OAuth_Token" => {
            vec![ApiError::new("INVALID_SESSION_ID", "the OAuth token is not accepted", Vec::new())]
        }
        _ => Vec::new(),
    }
}

/// Reads a SOAP fault: `<faultcode>sf:CODE</faultcode><faultstring>CODE: words</faultstring>` (recorded).
fn read_fault(body: &[u8]) -> Option<ApiError> {
    let envelope = Element::parse(body).ok()?;
    let fault = envelope.find("Fault")?;
    let code = fault.text_of("faultcode")?;
    let code = code.rsplit(':').next().unwrap_or(code);
    Some(ApiError::new(code, fault.text_of("faultstring").unwrap_or_default(), Vec::new()))
}

/// Makes an error of an answer that is no success.
pub(super) fn failed_answer(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Error {
    let errors = read_errors(body);
    let status = status.as_u16();
    let verdict = errors.iter().find_map(known).unwrap_or_else(|| by_status(status));
    let verdict = match verdict.retry {
        Retry::Reauthenticate => not_the_token(body).unwrap_or(verdict),
        _ => verdict,
    };
    let retry = match verdict.retry {
        Retry::After(_) => Retry::After(retry_after),
        other => other,
    };
    let error = Error::new(verdict.kind, "", "").with_retry(retry).with_effect(verdict.effect).with_status(status);
    let error = error.with_salesforce(errors);
    match verdict.advice {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// Makes an error of one record's errors inside an answer that is a success as a whole.
pub(crate) fn record_error(operation: &'static str, errors: Vec<ApiError>) -> Error {
    let known = errors.iter().find_map(known);
    // The org answered for this record, so it was not applied.
    let verdict = Verdict { effect: Effect::None, ..known.unwrap_or(refused(ErrorKind::Invalid)) };
    let error = Error::new(verdict.kind, operation, "").with_retry(verdict.retry).with_salesforce(errors);
    match verdict.advice {
        Some(advice) => error.with_advice(advice),
        None => error,
    }
}

/// Reads `Retry-After`: seconds, or the date until which to wait.
pub(super) fn retry_after(text: &str, now: std::time::SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = chrono::DateTime::parse_from_rfc2822(text.trim()).ok()?;
    Some(std::time::SystemTime::from(until).duration_since(now).unwrap_or_default())
}

/// The errors of one record, as the wire has them.
#[derive(Default)]
pub(crate) struct RecordErrors(pub(crate) Vec<ApiError>);

impl<'de> Deserialize<'de> for RecordErrors {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let errors = Vec::<WireError>::deserialize(deserializer)?;
        Ok(Self(errors.into_iter().map(ApiError::from).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(status: u16, body: &str) -> Error {
        failed_answer(StatusCode::from_u16(status).expect("a status"), None, body.as_bytes())
    }

    fn array(code: &str, message: &str) -> String {
        format!(r#"[{{"message":"{message}","errorCode":"{code}"}}]"#)
    }

    #[test]
    fn the_code_decides_before_the_status() {
        use ErrorKind as K;
        let cases = [
            (
                401,
                array("INVALID_SESSION_ID", "Session expired or invalid"),
                K::Auth,
                Retry::Reauthenticate,
                Effect::None,
            ),
            (403, "Bad_OAuth_Token".into(), K::Auth, Retry::Reauthenticate, Effect::None),
            (
                403,
                array("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
                K::LimitExceeded,
                Retry::Never,
                Effect::None,
            ),
            (
                403,
                array("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."),
                K::RateLimited,
                LATER,
                Effect::None,
            ),
            (403, array("SOMETHING_NEW", "x"), K::Forbidden, Retry::Never, Effect::None),
            (400, array("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"), K::RowLocked, LATER, Effect::None),
            (400, array("INVALID_FIELD", "No such column"), K::Schema, Retry::Never, Effect::None),
            (500, array("UNKNOWN_EXCEPTION", "An unexpected error occurred"), K::Unavailable, LATER, Effect::Unknown),
            (503, "<html>Down for maintenance</html>".into(), K::Unavailable, LATER, Effect::Unknown),
            (502, String::new(), K::Unavailable, LATER, Effect::Unknown),
            (300, r#"["/services/data/v63.0/sobjects/Account/001a"]"#.into(), K::Duplicate, Retry::Never, Effect::None),
            (302, String::new(), K::Unexpected, Retry::Never, Effect::Unknown),
        ];
        for (status, body, kind, retry, effect) in cases {
            let error = classify(status, &body);
            assert_eq!((error.kind(), error.retry(), error.effect()), (kind, retry, effect), "{status} {body}");
        }
    }

    #[test]
    fn nav_14_a_user_without_api_access_gets_the_click_path() {
        for code in ["API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"] {
            let error = classify(403, &array(code, "The REST API is not enabled for this Organization."));
            assert_eq!(error.kind(), ErrorKind::Forbidden);
            assert!(error.advice().is_some_and(|advice| advice.contains("API Enabled")), "{error}");
        }
    }

    #[test]
    fn a_401_that_a_new_token_would_meet_again_asks_for_none() {
        let rest = "This session is not valid for use with the REST API";
        let soap = format!(
            "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:sf=\"urn:x\"><soapenv:Body>\
             <soapenv:Fault><faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: {rest}</faultstring>\
             </soapenv:Fault></soapenv:Body></soapenv:Envelope>"
        );
        let agent =
            r#"{"status":401,"error":"UnauthorizedException","message":"Connected app is not attached to Agent"}"#;
        for (status, body) in [(401, array("INVALID_SESSION_ID", rest)), (500, soap), (401, agent.to_owned())] {
            let error = classify(status, &body);
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Forbidden, Retry::Never), "{body}");
            assert!(error.advice().is_some(), "{body}");
        }
        // Codes that say it by themselves, whatever the status.
        for code in
            ["API_DISABLED_FOR_ORG", "LOGIN_DURING_RESTRICTED_DOMAIN", "LOGIN_DURING_RESTRICTED_TIME", "ORG_LOCKED"]
        {
            assert_eq!(classify(401, &array(code, "x")).retry(), Retry::Never, "{code}");
        }
        // The identity service's words, of which only one is about the token (wire facts 1.8).
        for (word, retry) in [
            ("Bad_OAuth_Token", Retry::Reauthenticate),
            ("Wrong_Org", Retry::Never),
            ("Bad_Id", Retry::Never),
            ("Invalid_Scope", Retry::Never),
        ] {
            assert_eq!(classify(403, word).retry(), retry, "{word}");
        }
    }

    #[test]
    fn bulk_codes_are_known_in_every_spelling() {
        for (code, kind) in [
            ("INVALIDJOBSTATE", ErrorKind::Conflict),
            ("InvalidJobState", ErrorKind::Conflict),
            ("INVALID_JOB_STATE", ErrorKind::Conflict),
            ("INVALIDJOB", ErrorKind::Invalid),
            ("InvalidBatch", ErrorKind::Invalid),
            ("CLIENTINPUTERROR", ErrorKind::Invalid),
            ("ExceededQuota", ErrorKind::LimitExceeded),
            ("INVALIDSESSIONID", ErrorKind::Auth),
            ("TooManyLockFailure", ErrorKind::RowLocked),
        ] {
            let error = classify(400, &array(code, "x"));
            assert_eq!(error.kind(), kind, "{code}");
            assert!(error.has_code(BULK_CODES.iter().find(|known| same_code(known, code)).expect("known")));
        }
        assert_eq!(classify(401, &array("INVALIDSESSIONID", "x")).retry(), Retry::Reauthenticate);
        assert_eq!(classify(400, &array("SOMETHINGNEW", "x")).kind(), ErrorKind::Invalid);
    }

    #[test]
    fn a_lock_inside_a_trigger_error_is_a_lock() {
        let errors = vec![ApiError::new("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Tr: UNABLE_TO_LOCK_ROW, x", vec![])];
        assert_eq!(record_error("collections.upsert", errors).kind(), ErrorKind::RowLocked);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = std::time::SystemTime::UNIX_EPOCH;
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:01:00 GMT", now), Some(Duration::from_mins(1)));
        assert_eq!(retry_after("soon", now), None);
    }
}
