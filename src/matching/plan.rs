//! Match plans: which join keys are tried, in which order.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cardinality::{Cardinality, Winner};
use super::config::{PlanParts, StepParts};
use super::normalise::{EmailRules, Normaliser};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{FieldName, Filter, SObjectName};

/// Ordered steps that tell which record of the org a source record means. It can stand in a configuration file:
///
/// ```
/// use sforce::matching::MatchPlan;
///
/// let plan: MatchPlan = serde_json::from_str(
///     r#"{"version": 1, "steps": [
///         {"object": "Contact", "by": "external_id", "source": "user.id", "field": "User_Key__c"},
///         {"object": "Contact", "by": "email", "source": "user.email"},
///         {"object": "Lead", "by": "email", "source": "user.email"}
///     ]}"#,
/// )?;
/// assert_eq!(plan.steps().len(), 3);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// The first step with a hit decides; a record without a key for a step goes on to the next one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PlanParts", into = "PlanParts")]
pub struct MatchPlan {
    steps: Vec<MatchStep>,
}

/// One step: an object, and the key by which its records are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StepParts", into = "StepParts")]
#[non_exhaustive]
pub struct MatchStep {
    /// The object whose records are looked for.
    pub object: SObjectName,
    /// The key.
    pub key: JoinKey,
    /// Which of the records that have the key count. It looks at the org's fields, by their API names.
    pub filter: Option<Filter>,
    /// What a lead that is converted stands for.
    pub converted: Converted,
    /// Whether a record that was merged leads to the one it was merged into. Only accounts, contacts and leads can be merged.
    pub merged: bool,
}

/// What a lead that is converted stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Converted {
    /// The contact it became.
    #[default]
    Contact,
    /// The account it became.
    Account,
    /// The opportunity it became, if any.
    Opportunity,
    /// Nothing: it is left out.
    Skip,
}

/// How a source record and a record of the org are joined. `source` is a path in the source record, such as `user.email`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum JoinKey {
    /// The record's own id, looked up in the org.
    Id {
        /// Path of the id.
        source: String,
    },
    /// An id that the org itself gave, such as the account of a contact just found: taken as it is, without a call.
    Parent {
        /// Path of the id.
        source: String,
    },
    /// The accounts of a contact, by `AccountContactRelation` where the org has it.
    Contact {
        /// Path of the contact's id.
        source: String,
        /// How many accounts count.
        cardinality: Cardinality,
        /// The account's field that tells when it was updated: `LastModifiedDate`, or `SystemModstamp`.
        stamp: FieldName,
    },
    /// An external id.
    ExternalId {
        /// Path of the value.
        source: String,
        /// The field.
        field: FieldName,
    },
    /// Any two values that match.
    Custom {
        /// Path of the value.
        source: String,
        /// The field.
        field: FieldName,
        /// When two values match.
        normaliser: Normaliser,
    },
    /// An email address, without regard to case.
    Email {
        /// Path of the address.
        source: String,
        /// The fields that may hold it.
        fields: Vec<FieldName>,
        /// Whether `ada+news@acme.com` is `ada@acme.com`. An address in the org is looked for as given and without the tag.
        strip_plus_tag: bool,
        /// Whether dots before `@gmail.com` do not count. An address in the org is looked for as given and without dots.
        ignore_gmail_dots: bool,
    },
    /// The email address of a person account. A step of it is passed over in an org without them.
    PersonEmail {
        /// Path of the address.
        source: String,
    },
    /// A company's domain against its website: the domain itself, then its parents down to the registered one. Never public
    /// mail, never a public suffix.
    Domain {
        /// Path of an email address or a website.
        source: String,
        /// The field with the website.
        field: FieldName,
        /// Domains that count for nobody, such as one's own, with all below them.
        exclude: Vec<String>,
    },
    /// A name, without regard to case and blanks.
    Name {
        /// Path of the name.
        source: String,
        /// The field.
        field: FieldName,
    },
}

impl JoinKey {
    /// An email address in the field `Email`.
    pub fn email(source: impl Into<String>) -> Self {
        let fields = vec![FieldName::from_static("Email")];
        Self::Email { source: source.into(), fields, strip_plus_tag: false, ignore_gmail_dots: false }
    }

    /// A domain in the field `Website`.
    pub fn domain(source: impl Into<String>) -> Self {
        Self::Domain { source: source.into(), field: FieldName::from_static("Website"), exclude: Vec::new() }
    }

    /// The account of a contact that was updated last.
    pub fn contact(source: impl Into<String>) -> Self {
        let stamp = FieldName::from_static("LastModifiedDate");
        Self::Contact { source: source.into(), cardinality: Cardinality::OneToOne(Winner::default()), stamp }
    }

    /// The path in the source record.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Id { source }
            | Self::Parent { source }
            | Self::Contact { source, .. }
            | Self::ExternalId { source, .. }
            | Self::Custom { source, .. }
            | Self::Email { source, .. }
            | Self::PersonEmail { source }
            | Self::Domain { source, .. }
            | Self::Name { source, .. } => source,
        }
    }

    /// The key's name in configuration files.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Id { .. } => "id",
            Self::Parent { .. } => "parent",
            Self::Contact { .. } => "contact",
            Self::ExternalId { .. } => "external_id",
            Self::Custom { .. } => "custom",
            Self::Email { .. } => "email",
            Self::PersonEmail { .. } => "person_email",
            Self::Domain { .. } => "domain",
            Self::Name { .. } => "name",
        }
    }

    /// The fields of the org that hold the key.
    #[must_use]
    pub fn fields(&self) -> Vec<&FieldName> {
        const ID: FieldName = FieldName::from_static("Id");
        const PERSON_EMAIL: FieldName = FieldName::from_static("PersonEmail");
        const CONTACT_ID: FieldName = FieldName::from_static("ContactId");
        static FIELDS: [FieldName; 3] = [ID, PERSON_EMAIL, CONTACT_ID];
        match self {
            Self::Id { .. } => vec![&FIELDS[0]],
            Self::Parent { .. } => Vec::new(),
            Self::Contact { .. } => vec![&FIELDS[2]],
            Self::PersonEmail { .. } => vec![&FIELDS[1]],
            Self::ExternalId { field, .. }
            | Self::Custom { field, .. }
            | Self::Domain { field, .. }
            | Self::Name { field, .. } => {
                vec![field]
            }
            Self::Email { fields, .. } => fields.iter().collect(),
        }
    }

    pub(super) fn email_rules(&self) -> EmailRules {
        match self {
            Self::Email { strip_plus_tag, ignore_gmail_dots, .. } => {
                EmailRules { strip_plus_tag: *strip_plus_tag, ignore_gmail_dots: *ignore_gmail_dots }
            }
            _ => EmailRules::default(),
        }
    }
}

impl MatchStep {
    /// A step that follows merges for ids, external ids and custom keys, and converted leads to their contact.
    #[must_use]
    pub fn new(object: SObjectName, key: JoinKey) -> Self {
        // What identifies a record for good still does after a merge; an email address may have been given up.
        let object = spelt(object);
        let lasting = matches!(key, JoinKey::Id { .. } | JoinKey::ExternalId { .. } | JoinKey::Custom { .. });
        let merged = lasting && can_be_merged(&object);
        Self { object, key, filter: None, converted: Converted::default(), merged }
    }

    /// Sets which records count.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Sets what a converted lead stands for.
    #[must_use]
    pub fn converted(mut self, converted: Converted) -> Self {
        self.converted = converted;
        self
    }

    /// Sets whether merges are followed.
    #[must_use]
    pub fn merged(mut self, merged: bool) -> Self {
        self.merged = merged;
        self
    }

    pub(super) fn is_of_leads(&self) -> bool {
        self.object.as_str() == "Lead"
    }

    /// What is wrong with the step, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_path = |path: &str| path.split('.').all(|part| !part.trim().is_empty());
        if !is_path(self.key.source()) {
            return Err("\"source\" is a path such as user.email".to_owned());
        }
        if let JoinKey::Email { fields, .. } = &self.key
            && fields.is_empty()
        {
            return Err("\"fields\" names no field".to_owned());
        }
        let accounts_only = matches!(self.key, JoinKey::PersonEmail { .. } | JoinKey::Contact { .. });
        if accounts_only && self.object.as_str() != "Account" {
            return Err(format!("\"{}\" finds an Account", self.key.kind()));
        }
        if self.merged && !can_be_merged(&self.object) {
            return Err("only an Account, Contact or Lead can be merged".to_owned());
        }
        if self.merged && matches!(self.key, JoinKey::Parent { .. } | JoinKey::Contact { .. }) {
            return Err(format!("\"{}\" needs no following of merges: the org's own references do", self.key.kind()));
        }
        if self.converted != Converted::default() && !self.is_of_leads() {
            return Err("only a Lead can be converted".to_owned());
        }
        if let Some(filter) = &self.filter {
            if matches!(self.key, JoinKey::Parent { .. } | JoinKey::Contact { .. }) {
                return Err(format!("\"{}\" reads no record that a filter could look at", self.key.kind()));
            }
            let name = |path: &str| path.split('.').all(|part| FieldName::new(part).is_ok());
            if let Some(path) = filter.paths().into_iter().find(|path| !name(path)) {
                return Err(format!("the filter's field {path} is no field of the org: use API names"));
            }
        }
        Ok(())
    }
}

/// Salesforce ignores the case of names; those with rules of their own are compared as the org spells them.
fn spelt(object: SObjectName) -> SObjectName {
    const KNOWN: [&str; 4] = ["Account", "Contact", "Lead", "Opportunity"];
    let known = KNOWN.into_iter().find(|known| object.as_str().eq_ignore_ascii_case(known));
    known.map_or(object, SObjectName::from_static)
}

pub(super) fn can_be_merged(object: &SObjectName) -> bool {
    // Object Reference: MasterRecordId.
    matches!(object.as_str(), "Account" | "Contact" | "Lead")
}

impl fmt::Display for MatchStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.object, self.key.kind())
    }
}

impl MatchPlan {
    /// A plan of these steps.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for no steps, two equal ones, and a step that cannot work: a path that is none, no fields, a filter
    /// over what is not read, `merged` or `converted` for an object that cannot be.
    pub fn new(mut steps: Vec<MatchStep>) -> Result<Self> {
        for step in &mut steps {
            step.object = spelt(step.object.clone());
        }
        let invalid = |message: String| Error::new(ErrorKind::Config, "", message);
        if steps.is_empty() {
            return Err(invalid("a match plan has at least one step".to_owned()));
        }
        for (place, step) in steps.iter().enumerate() {
            step.check().map_err(|message| invalid(format!("step {}, {step}: {message}", place + 1)))?;
            if let Some(first) = steps[..place].iter().position(|other| other == step) {
                return Err(invalid(format!("step {} is the same as step {}", place + 1, first + 1)));
            }
        }
        Ok(Self { steps })
    }

    /// The steps in order.
    #[must_use]
    pub fn steps(&self) -> &[MatchStep] {
        &self.steps
    }

    /// The default for people: the contact with the email address, the person account with it, then the lead with it. A converted
    /// lead stands for its contact.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if `email` is no path.
    pub fn people(email: &str) -> Result<Self> {
        let step = |object, key| MatchStep::new(SObjectName::from_static(object), key);
        Self::new(vec![
            step("Contact", JoinKey::email(email)),
            step("Account", JoinKey::PersonEmail { source: email.to_owned() }),
            step("Lead", JoinKey::email(email)),
        ])
    }

    /// The default for companies: the account of the person found before, given as `person` by
    /// [`Candidate::to_source`](super::Candidate::to_source), then the one whose website has the domain of the email address.
    /// Nobody's account is looked for by whom several people could be meant: leave those records out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if `email` is no path.
    pub fn accounts(email: &str) -> Result<Self> {
        let step = |key| MatchStep::new(SObjectName::from_static("Account"), key);
        Self::new(vec![step(JoinKey::Parent { source: "person.account_id".to_owned() }), step(JoinKey::domain(email))])
    }
}
