//! What a caller may say for all calls of one handle.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::budget::Permit;
use super::{AllowList, OffPeakHours, Pace};
use crate::error::{Error, ErrorKind, Result};
use crate::types::RecordId;

/// Headers that the client writes itself: a token, the form of body and answer, what the connection needs.
const OWN: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::ACCEPT,
    header::COOKIE,
];

/// The name, unless the client writes that header itself.
pub(crate) fn foreign(name: &HeaderName) -> Result<()> {
    if OWN.contains(name) || name == "soapaction" {
        return Err(Error::new(ErrorKind::Invalid, "", "the client writes this header itself")
            .with_context("header", name)
            .with_advice("leave it out; Accept and Content-Type follow from the call, the token from the login"));
    }
    Ok(())
}

/// How Salesforce's duplicate rules treat the records that are written.
///
/// An alert rule is passed with [`allow_save`](Self::allow_save); a block rule never is. Single creates and updates that are
/// refused tell the matches by [`Error::duplicates`]; rows of collections have only the rule's words.
///
/// Source: REST API Developer Guide, "Duplicate Rule Header" (API 52.0 and later).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct DuplicateRule {
    allow_save: bool,
    include_record_details: bool,
    run_as_current_user: bool,
}

impl DuplicateRule {
    /// As Salesforce does by itself: alerts refuse the record, matches have ids only, rules see all records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Saves records that an alert rule would refuse.
    pub fn allow_save(mut self) -> Self {
        self.allow_save = true;
        self
    }

    /// Has the matches with all fields that the user sees, not only their ids: [`DuplicateMatch::fields`](super::DuplicateMatch::fields).
    pub fn include_record_details(mut self) -> Self {
        self.include_record_details = true;
        self
    }

    /// Applies the sharing rules of the user to the search for duplicates.
    pub fn run_as_current_user(mut self) -> Self {
        self.run_as_current_user = true;
        self
    }
}

/// Which assignment rule runs for Accounts, Cases and Leads that are written. Salesforce's own default is the active one, also
/// for indirect writes.
///
/// Source: REST API Developer Guide, "Assignment Rule Header".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssignmentRule {
    /// The active one.
    Active,
    /// None.
    Off,
    /// This one.
    Rule(RecordId),
}

/// Settings for all calls of one [`Client`](super::Client) handle; see [`Client::with_options`](super::Client::with_options).
///
/// ```
/// # fn run(client: &sforce::Client) -> sforce::Result<()> {
/// use sforce::client::{AssignmentRule, CallOptions, DuplicateRule};
///
/// let options = CallOptions::new()
///     .client_id("acme/1")?
///     .assignment_rule(AssignmentRule::Off)
///     .duplicate_rule(DuplicateRule::new().allow_save());
/// let quiet = client.with_options(&options);
/// # let _ = quiet;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct CallOptions {
    headers: HeaderMap,
}

impl CallOptions {
    /// No settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how duplicate rules are applied.
    pub fn duplicate_rule(mut self, rule: DuplicateRule) -> Self {
        let flag = |on: bool| if on { "true" } else { "false" };
        let text = format!(
            "allowSave={}; includeRecordDetails={}; runAsCurrentUser={}",
            flag(rule.allow_save),
            flag(rule.include_record_details),
            flag(rule.run_as_current_user)
        );
        self.put("sforce-duplicate-rule-header", &text);
        self
    }

    /// Sets the assignment rule.
    pub fn assignment_rule(mut self, rule: AssignmentRule) -> Self {
        match rule {
            AssignmentRule::Active => self.put("sforce-auto-assign", "TRUE"),
            AssignmentRule::Off => self.put("sforce-auto-assign", "FALSE"),
            AssignmentRule::Rule(id) => self.put("sforce-auto-assign", id.as_str()),
        }
        self
    }

    /// Names this integration to the org: in its logs, and as the origin of its own changes in change events.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a name with anything but letters, digits and `/ . _ -`.
    ///
    /// Source: REST API Developer Guide, "Call Options Header".
    pub fn client_id(mut self, name: &str) -> Result<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
        if name.is_empty() || !name.chars().all(plain) {
            return Err(Error::new(ErrorKind::Invalid, "", "not a client's name")
                .with_advice("letters, digits and / . _ -, such as acme/1.0"));
        }
        self.put("sforce-call-options", &format!("client={name}"));
        Ok(self)
    }

    /// Puts records that are read or written on the user's list of recently used ones, or not.
    ///
    /// Source: REST API Developer Guide, "MRU Header" (API 60.0 and later).
    pub fn update_mru(mut self, update: bool) -> Self {
        self.put("sforce-mru", if update { "updateMru=true" } else { "updateMru=false" });
        self
    }

    /// Sets any other header.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a header that the client writes itself, such as `Authorization`.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Result<Self> {
        foreign(&name)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Values here are made of fixed words, ids and checked names.
    fn put(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// What a handle adds to the calls that go through it.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) headers: HeaderMap,
    pub(super) permit: Option<Permit>,
    /// Under what its calls are counted.
    pub(super) phase: Option<Arc<str>>,
    /// A person waits for the answers.
    pub(super) interactive: bool,
    pub(super) hours: Option<Arc<OffPeakHours>>,
    /// Each of them holds.
    pub(super) paces: Vec<Pace>,
    /// Each of them has to allow a call.
    pub(super) allowed: Vec<Arc<AllowList>>,
}

impl Scope {
    pub(super) fn with_options(&self, options: &CallOptions) -> Self {
        let mut scope = self.clone();
        for (name, value) in &options.headers {
            scope.headers.insert(name, value.clone());
        }
        scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_the_headers_of_the_guide() {
        let rule = RecordId::new("01Q000000000001").expect("an id");
        let options = CallOptions::new()
            .duplicate_rule(DuplicateRule::new().allow_save().include_record_details())
            .assignment_rule(AssignmentRule::Rule(rule))
            .update_mru(true)
            .client_id("acme/1.0")
            .expect("a name");
        let shown: Vec<(&str, &str)> =
            options.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text"))).collect();
        assert!(shown.contains(&(
            "sforce-duplicate-rule-header",
            "allowSave=true; includeRecordDetails=true; runAsCurrentUser=false"
        )));
        assert!(shown.contains(&("sforce-auto-assign", rule.as_str())));
        assert!(shown.contains(&("sforce-mru", "updateMru=true")));
        assert!(shown.contains(&("sforce-call-options", "client=acme/1.0")));
    }

    #[test]
    fn headers_of_ours_are_refused() {
        for name in ["authorization", "Content-Type", "content-length", "host", "SOAPAction"] {
            let name: HeaderName = name.parse().expect("a name");
            let refused = CallOptions::new().header(name, HeaderValue::from_static("x"));
            assert_eq!(refused.expect_err("ours").kind(), ErrorKind::Invalid);
        }
        assert!(CallOptions::new().client_id("a; defaultNamespace=b").is_err());
        let name = HeaderName::from_static("x-sfdc-packageversion-acme");
        assert!(CallOptions::new().header(name, HeaderValue::from_static("1.0")).is_ok());
    }
}
