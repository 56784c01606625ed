//! Refusals, in the two shapes Salesforce has for them.

use super::json::Json;

/// A refusal of a request, or of one row of it.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    /// The HTTP status of a single call.
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// `None`: a single call's body has no `fields` member.
    pub(crate) fields: Option<Vec<String>>,
    /// The finding of a duplicate rule, and the key it goes by.
    pub(crate) duplicate: Option<Box<(&'static str, Json)>>,
}

impl ApiError {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), fields: None, duplicate: None }
    }

    /// A 400 that names fields (maybe none).
    pub(crate) fn row<const N: usize>(code: &str, message: impl Into<String>, fields: [&str; N]) -> Self {
        let fields = fields.into_iter().map(str::to_owned).collect();
        Self { fields: Some(fields), ..Self::new(400, code, message) }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn not_found() -> Self {
        // REST guide, "Status Codes and Error Responses".
        Self::new(404, "NOT_FOUND", "The requested resource does not exist")
    }

    pub(crate) fn session() -> Self {
        // Recorded by many clients: wire facts 1.9.
        Self::new(401, "INVALID_SESSION_ID", "Session expired or invalid")
    }

    pub(crate) fn deleted() -> Self {
        // recorded (wire facts 2.3): DELETE of a deleted record.
        Self::row("ENTITY_IS_DELETED", "entity is deleted", []).with_status(404)
    }

    pub(crate) fn locked() -> Self {
        // [S] The text.
        Self::row("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", [])
    }

    pub(crate) fn locked_by(id: &str) -> Self {
        // [S] With the record that is in the way: declarative-lookup-rollup-summaries#1299, EloquentSalesForce#59.
        let message = format!("unable to obtain exclusive access to this record or 1 records: {id}");
        Self::row("UNABLE_TO_LOCK_ROW", message, [])
    }

    pub(crate) fn json(message: impl Into<String>) -> Self {
        Self::new(400, "JSON_PARSER_ERROR", message)
    }

    /// The body of a single call: an array of one. Key order as in rest/error-not-writeable.json; the duplicate finding
    /// comes first (wire facts 2.5).
    pub(crate) fn to_array(&self) -> Json {
        let mut members = Vec::new();
        if let Some(duplicate) = &self.duplicate {
            let (key, finding) = &**duplicate;
            members.push(((*key).to_owned(), finding.clone()));
            members.push(("errorCode".to_owned(), Json::string(&self.code)));
            members.push(("message".to_owned(), Json::string(&self.message)));
            return Json::Array(vec![Json::Object(members)]);
        }
        members.push(("message".to_owned(), Json::string(&self.message)));
        members.push(("errorCode".to_owned(), Json::string(&self.code)));
        if let Some(fields) = &self.fields {
            members.push(("fields".to_owned(), strings(fields)));
        }
        Json::Array(vec![Json::Object(members)])
    }

    /// The same in a row of a collection: `statusCode`, and `fields` always there
    /// (recorded: rest/collections-create-allornone-rollback.json).
    pub(crate) fn to_row(&self) -> Json {
        Json::object([
            ("statusCode", Json::string(&self.code)),
            ("message", Json::string(&self.message)),
            ("fields", strings(self.fields.as_deref().unwrap_or_default())),
        ])
    }
}

pub(crate) fn strings(texts: &[String]) -> Json {
    Json::Array(texts.iter().map(Json::string).collect())
}
