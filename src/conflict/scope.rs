//! Which policy applies to which records.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::object::{object, objects_only};
use super::policy::ConflictPolicy;
use crate::error;
use crate::types::{Filter, Record, RecordId, SObjectName};

/// Policies by object and record, as one configuration file: the first scope that fits decides, else the default.
///
/// ```
/// use sforce::conflict::{ConflictPolicies, Policy};
/// use sforce::types::{Record, SObjectName};
///
/// let policies: ConflictPolicies = serde_json::from_str(
///     r#"{"version": 1,
///         "default": {"default": "most_recent"},
///         "scopes": [
///             {"object": "Lead", "policy": {"default": "source_wins"}},
///             {"object": "Contact", "records": {"field": "Sequence__c", "is": "active"},
///              "policy": {"default": "salesforce_wins", "delete": "never"}}
///         ]}"#,
/// )?;
/// let contact = SObjectName::from_static("Contact");
/// let active = Record::from_json(r#"{"Sequence__c": "active"}"#)?;
/// assert_eq!(*policies.of(&contact, &active).of("Phone"), Policy::SalesforceWins);
/// assert_eq!(*policies.of(&contact, &Record::new()).of("Phone"), Policy::most_recent());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(into = "File")]
pub struct ConflictPolicies {
    default: ConflictPolicy,
    scopes: Vec<Scope>,
}

/// A policy for some records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
#[non_exhaustive]
pub struct Scope {
    /// The object; any when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<SObjectName>,
    /// The records; all when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Filter>,
    /// The policy.
    pub policy: ConflictPolicy,
}

/// The form in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    default: ConflictPolicy,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<Scope>,
}

/// The format that [`ConflictPolicies`] reads and writes.
const VERSION: u32 = 1;

impl ConflictPolicies {
    /// One policy for all records.
    #[must_use]
    pub fn new(default: ConflictPolicy) -> Self {
        Self { default, scopes: Vec::new() }
    }

    /// The same with a policy for the records of an object that pass a filter, where no earlier scope fits them.
    #[must_use]
    pub fn with_scope(mut self, object: Option<SObjectName>, records: Option<Filter>, policy: ConflictPolicy) -> Self {
        self.scopes.push(Scope { object, records, policy });
        self
    }

    /// The policy of a record. Object names compare without regard to case.
    #[must_use]
    pub fn of(&self, object: &SObjectName, record: &Record) -> &ConflictPolicy {
        let fits = |scope: &&Scope| {
            let object_fits =
                scope.object.as_ref().is_none_or(|name| name.as_str().eq_ignore_ascii_case(object.as_str()));
            object_fits && scope.records.as_ref().is_none_or(|filter| filter.matches(record))
        };
        self.scopes.iter().find(fits).map_or(&self.default, |scope| &scope.policy)
    }

    /// The same with the user that we write as, in all policies.
    #[must_use]
    pub fn with_integration_user(mut self, user: RecordId) -> Self {
        for policy in self.all_mut() {
            policy.integration_user = Some(user);
        }
        self
    }

    /// Refuses what resolving could not carry out.
    ///
    /// # Errors
    ///
    /// As for [`ConflictPolicy::check`].
    pub fn check(&self) -> error::Result<()> {
        std::iter::once(&self.default)
            .chain(self.scopes.iter().map(|scope| &scope.policy))
            .try_for_each(ConflictPolicy::check)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut ConflictPolicy> {
        std::iter::once(&mut self.default).chain(self.scopes.iter_mut().map(|scope| &mut scope.policy))
    }
}

objects_only! {
    Scope: "a scope: an object with \"policy\"",
}

impl<'de> Deserialize<'de> for ConflictPolicies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file: File = object(deserializer, "conflict policies: an object with \"version\"")?;
        Self::try_from(file).map_err(de::Error::custom)
    }
}

impl TryFrom<File> for ConflictPolicies {
    type Error = String;

    fn try_from(File { version, default, scopes }: File) -> Result<Self, String> {
        if version != VERSION {
            return Err(format!("conflict policies of version {version}, this library reads version {VERSION}"));
        }
        Ok(Self { default, scopes })
    }
}

impl From<ConflictPolicies> for File {
    fn from(ConflictPolicies { default, scopes }: ConflictPolicies) -> Self {
        Self { version: VERSION, default, scopes }
    }
}
