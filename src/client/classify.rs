//! One table from HTTP status and Salesforce code to what it means. Pure; nobody matches on strings later.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::duplicates::{DuplicateResult, read_duplicates};
use crate::error::{ApiError, Effect, Error, ErrorKind, Result, Retry, same_code};
use crate::types::xml::Element;

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    pub(super) effect: Effect,
    pub(super) advice: Option<&'static str>,
    /// Whether fewer records at once may pass.
    pub(super) splittable: bool,
}

const fn verdict(kind: ErrorKind, retry: Retry, effect: Effect) -> Verdict {
    Verdict { kind, retry, effect, advice: None, splittable: false }
}

const fn refused(kind: ErrorKind) -> Verdict {
    verdict(kind, Retry::Never, Effect::None)
}

const fn advised(kind: ErrorKind, advice: &'static str) -> Verdict {
    Verdict { advice: Some(advice), ..refused(kind) }
}

const fn splittable(verdict: Verdict) -> Verdict {
    Verdict { splittable: true, ..verdict }
}

const LATER: Retry = Retry::After(None);

const API_ENABLED: &str = "give the user the permission \"API Enabled\": Setup > Profiles or Permission Sets > System \
                           Permissions > API Enabled; Professional Edition needs API access as an add-on";

/// By code. Sources: protocol facts, section 8 (SOAP guide, "Core Data Types Used in API Calls"; REST status page), and
/// section 5 for API access.
#[expect(clippy::match_same_arms, clippy::too_many_lines, reason = "one table, whose rows stand with their subject")]
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
        // Governor limits hold for all records of a transaction together.
        _ if tells_governor_limit(message) => splittable(advised(K::Invalid, GOVERNOR)),
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" => refused(K::Invalid),

        // Limits. One code stands for two limits: only the words tell them apart.
        "REQUEST_LIMIT_EXCEEDED" if message.to_ascii_lowercase().contains("concurrent") => {
            verdict(K::RateLimited, LATER, Effect::None)
        }
        "REQUEST_LIMIT_EXCEEDED" => advised(
            K::LimitExceeded,
            "the org has used up its API calls of 24 hours, whose number its edition and licences decide; they come back 24 \
             hours after they were made. A first sync costs most and later runs far less, so go on later from where it \
             stopped; if it happens again, take fewer or larger calls, a share of the calls (ApiBudget), or buy more",
        ),
        "TOO_MANY_APEX_REQUESTS" => verdict(K::RateLimited, LATER, Effect::None),
        "STORAGE_LIMIT_EXCEEDED"
        | "EXCEEDED_QUOTA"
        | "LIMIT_EXCEEDED"
        | "CUSTOM_ENTITY_OR_FIELD_LIMIT"
        | "NUM_HISTORY_FIELDS_BY_SOBJECT_EXCEEDED"
        | "TOO_MANY_JOBS" => refused(K::LimitExceeded),
        "EXCEEDED_ID_LIMIT" | "EXCEEDED_MAX_SIZE_REQUEST" | "OPERATION_TOO_LARGE" | "TOO_MANY_ENUM_VALUE" => {
            splittable(advised(K::Invalid, "make the call smaller"))
        }
        // SOAP guide, getUpdated() and getDeleted(): also when the log of deletions was trimmed or the recycle bin emptied.
        "INVALID_REPLICATION_DATE" => advised(
            K::Invalid,
            "the org no longer knows what happened since then: read the whole table, and go on from when that began",
        ),

        // What passes by itself.
        "UNABLE_TO_LOCK_ROW" => verdict(K::RowLocked, LATER, Effect::None),
        "QUERY_TIMEOUT" | "REQUEST_RUNNING_TOO_LONG" => {
            splittable(verdict(K::Unavailable, Retry::Never, Effect::Unknown))
        }
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

const GOVERNOR: &str = "send fewer records at once; where one alone fails, the org's triggers or flows have to do less";

/// What the org's own code says when it uses up what one transaction may use, as one writes it in a trigger's error. Lower case,
/// looked for anywhere in the words. A trigger's error has the code `CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY` as a rule, but a flow's and
/// a managed package's have others, so the words alone decide.
///
/// Sources: Apex Developer Guide, "Execution Governors and Limits"; reports with the words: forceworkbench#813, apex-rollup#539,
/// declarative-lookup-rollup-summaries#357, EDA#429.
const GOVERNOR_LIMITS: &[&str] = &[
    "system.limitexception",
    "apex cpu time limit exceeded",
    "apex heap size too large",
    "too many soql queries",
    "too many sosl queries",
    "too many query rows",
    "too many dml statements",
    "too many dml rows",
    "too many callouts",
    "too many future calls",
    "too many queueable jobs",
    "too many email invocations",
    "cannot have more than 10 chunks in a single operation",
];

/// Whether words tell of a governor limit.
fn tells_governor_limit(message: &str) -> bool {
    let words = message.to_ascii_lowercase();
    GOVERNOR_LIMITS.iter().any(|limit| words.contains(limit))
}

/// Whether a `PROCESSING_HALTED` tells of a reference without a value, and not of a failure of another part. (Composite
/// Subrequest Result: "Invalid reference specified. No value for refAccount.id found in refAccount. …")
pub(crate) fn names_lost_reference(error: &Error) -> bool {
    error.salesforce().iter().any(|error| error.message.starts_with("Invalid reference specified"))
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
        413 => splittable(advised(K::Invalid, "the body is too long: send less at once")),
        414 | 431 => splittable(advised(K::Invalid, "the address is longer than 16,384 bytes: send less at once")),
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
    /// What a duplicate rule found. The wire has it misspelt; some versions spell it right.
    #[serde(rename = "duplicateResut", default)]
    found: Option<Box<RawValue>>,
    #[serde(rename = "duplicateResult", default)]
    found_well_spelt: Option<Box<RawValue>>,
}

/// Errors by the reference ids of a tree's records.
#[derive(Debug)]
pub(crate) struct NodeErrors(pub(crate) Vec<(String, Vec<ApiError>)>);

/// A refused tree: `{"hasErrors":true,"results":[{"referenceId":"…","errors":[…]}]}`. (REST guide, "sObject Tree Response Body".)
#[derive(Deserialize)]
struct WireTree {
    results: Vec<WireNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireNode {
    reference_id: String,
    errors: RecordErrors,
}

/// The errors of an answer, and what else is read out of it.
#[derive(Default)]
struct Refusal {
    errors: Vec<ApiError>,
    duplicates: Vec<DuplicateResult>,
    nodes: Option<NodeErrors>,
}

impl From<Vec<WireError>> for Refusal {
    fn from(errors: Vec<WireError>) -> Self {
        let found = errors.iter().filter_map(|error| error.found.as_ref().or(error.found_well_spelt.as_ref()));
        let duplicates = found.filter_map(|found| read_duplicates(found.get())).collect();
        let errors = errors.into_iter().map(ApiError::from).filter(|error| !error.code.is_empty()).collect();
        Self { errors, duplicates, nodes: None }
    }
}

impl From<WireError> for ApiError {
    fn from(wire: WireError) -> Self {
        let code = wire.error_code.or(wire.status_code).unwrap_or_default();
        Self::new(code, wire.message.unwrap_or_default(), wire.fields.unwrap_or_default())
    }
}

/// Reads the error array of a REST answer, a single such object, a refused tree, or one of OAuth's words; empty for anything else.
fn read_refusal(body: &[u8]) -> Refusal {
    if let Ok(errors) = serde_json::from_slice::<Vec<WireError>>(body) {
        return errors.into();
    }
    // serde would read a struct from an array too, and a 300 has an array of URLs.
    if body.trim_ascii().starts_with(b"{") {
        if let Ok(tree) = serde_json::from_slice::<WireTree>(body) {
            let nodes: Vec<_> = tree.results.into_iter().map(|node| (node.reference_id, node.errors.0)).collect();
            let errors = nodes.iter().flat_map(|(_, errors)| errors.clone()).collect();
            return Refusal { errors, nodes: Some(NodeErrors(nodes)), ..Refusal::default() };
        }
        if let Ok(error) = serde_json::from_slice::<WireError>(body) {
            return vec![error].into();
        }
    }
    let errors = if body.trim_ascii().starts_with(b"<") {
        read_fault(body).into_iter().collect()
    } else {
        // Userinfo and identity answer 403 with one of these words instead of JSON.
        match body.trim_ascii() {
            b"Bad_OAuth_Token" | b"Missing_OAuth_Token" => {
                vec![ApiError::new("INVALID_SESSION_ID", "the OAuth token is not accepted", Vec::new())]
            }
            _ => Vec::new(),
        }
    };
    Refusal { errors, ..Refusal::default() }
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
pub(crate) fn failed_answer(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Error {
    let Refusal { errors, duplicates, nodes } = read_refusal(body);
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
    let error = error.with_salesforce(errors).with_splittable(verdict.splittable);
    let error = match nodes {
        Some(nodes) => error.with_data(nodes),
        None if duplicates.is_empty() => error,
        None => error.with_data(duplicates),
    };
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
    let error = error.with_splittable(verdict.splittable);
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
    fn a_governor_limit_asks_for_smaller_calls_whatever_its_code() {
        for (code, message) in [
            ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Tr: System.LimitException: Apex CPU time limit exceeded"),
            (
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                "ns.Tr: execution of AfterInsert caused by: Too many SOQL queries: 101",
            ),
            ("CANNOT_EXECUTE_FLOW_TRIGGER", "Apex CPU Time Limit Exceeded"),
            ("APEX_ERROR", "System.LimitException: Too many DML rows: 10001"),
            ("LIMIT_EXCEEDED", "Too many DML statements: 151"),
            ("UNKNOWN_EXCEPTION", "(ns) Cannot have more than 10 chunks in a single operation. Please rearrange"),
        ] {
            let error = record_error("collections.upsert", vec![ApiError::new(code, message, vec![])]);
            assert!(error.is_splittable(), "{code} {message}");
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Invalid, Retry::Never), "{code}");
        }
        for (code, message) in [
            ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Tr: System.NullPointerException: Attempt to de-reference a null"),
            ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
            ("STRING_TOO_LONG", "data value too large: x (max length=40)"),
        ] {
            let error = record_error("collections.upsert", vec![ApiError::new(code, message, vec![])]);
            assert!(!error.is_splittable(), "{code} {message}");
        }
        assert!(classify(400, &array("EXCEEDED_ID_LIMIT", "record limit reached")).is_splittable());
        assert!(classify(414, "").is_splittable());
    }

    #[test]
    fn a_refused_tree_tells_which_records_and_why() {
        let body = r#"{"hasErrors":true,"results":[{"referenceId":"r2","errors":[{"statusCode":"UNABLE_TO_LOCK_ROW",
            "message":"unable to obtain exclusive access","fields":[]}]}]}"#;
        let error = classify(400, body);
        assert_eq!((error.kind(), error.retry(), error.effect()), (ErrorKind::RowLocked, LATER, Effect::None));
        let NodeErrors(nodes) = error.data().expect("read");
        assert_eq!((nodes.len(), nodes[0].0.as_str()), (1, "r2"));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = std::time::SystemTime::UNIX_EPOCH;
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:01:00 GMT", now), Some(Duration::from_mins(1)));
        assert_eq!(retry_after("soon", now), None);
    }
}
