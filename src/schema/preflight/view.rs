//! What an org shows of itself to the user, as data.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ObjectRight;
use crate::error::Error;
use crate::types::{RecordId, SObjectDescribe};

/// Something that was looked at, or could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Looked<T> {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// What it is.
    Seen(T),
    /// Why it cannot be told: the user may not look at it, or the org has no such thing.
    Unseen(String),
}

impl<T> Looked<T> {
    /// What was seen.
    #[must_use]
    pub fn seen(&self) -> Option<&T> {
        match self {
            Self::Seen(seen) => Some(seen),
            Self::NotAsked | Self::Unseen(_) => None,
        }
    }
}

/// The org as the user of a connection sees it: what [`look`](super::look) has read for a
/// [`RequirementSet`](super::RequirementSet), or what a test says.
#[derive(Clone, Debug, Default)]
pub struct OrgView {
    /// Why the org let the user do nothing at all; the rest was not looked at then.
    pub refused: Option<Error>,
    /// Describes by object; `None` for objects that are not there or hidden.
    pub objects: BTreeMap<String, Looked<Option<SObjectDescribe>>>,
    /// Names of the system permissions that the user has, of those that were asked for.
    pub permissions: Looked<BTreeSet<String>>,
    /// View All and Modify All by object, as the user's permission sets grant them.
    pub object_rights: Looked<BTreeMap<String, ObjectRights>>,
    /// The org.
    pub org: Looked<OrgProfile>,
    /// The user.
    pub user: Looked<ActingUser>,
    /// Whether the user sees a record of an object.
    pub records: BTreeMap<String, Looked<bool>>,
    /// Whether the outbound message is there.
    pub notifier: Looked<bool>,
    /// The latest changes to the org's setup.
    pub audit_trail: Looked<Vec<SetupChange>>,
    /// API calls left of those allowed in 24 hours.
    pub calls_left: Option<(u64, u64)>,
    /// The org's id, where the token tells it.
    pub org_id: Option<RecordId>,
    /// The user's id.
    pub user_id: Option<RecordId>,
    /// API calls that looking has cost.
    pub calls: u64,
}

/// Rights on an object that describe does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectRights {
    /// View All Records.
    pub view_all: bool,
    /// Modify All Records, which includes View All.
    pub modify_all: bool,
}

impl ObjectRights {
    /// These rights.
    #[must_use]
    pub fn new(view_all: bool, modify_all: bool) -> Self {
        Self { view_all, modify_all }
    }

    pub(super) fn has(self, right: ObjectRight) -> bool {
        match right {
            ObjectRight::ModifyAll => self.modify_all,
            _ => self.view_all || self.modify_all,
        }
    }
}

/// What kind of org it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OrgProfile {
    /// `production`, `sandbox` or `scratch org`.
    pub environment: String,
    /// As `Organization.OrganizationType` has it, such as `Enterprise Edition`.
    pub edition: Option<String>,
    /// When a trial ends.
    pub trial_ends: Option<String>,
    /// The instance, such as `CS420`.
    pub instance: Option<String>,
    /// What users see of records they do not own, by object: `None`, `Read`, `Edit`, `ControlledByParent` and others.
    pub sharing: BTreeMap<String, String>,
}

/// Who the connection works as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ActingUser {
    /// The user name.
    pub username: Option<String>,
    /// The profile's name.
    pub profile: Option<String>,
    /// The user licence's name, such as `Salesforce Integration`.
    pub license: Option<String>,
    /// `Standard` and others.
    pub user_type: Option<String>,
}

/// What kind of user a connection works as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UserKind {
    /// With an integration licence.
    Integration,
    /// Who can do nothing but use the API.
    ApiOnly,
    /// Who manages the org.
    Administrator,
    /// Who can log in as a person.
    Person,
}

impl OrgView {
    /// Whether the user has a system permission; `None` where that cannot be told.
    #[must_use]
    pub fn has_permission(&self, name: &str) -> Option<bool> {
        let held = self.permissions.seen()?;
        // Both come with Modify All Data, and cannot be had without by who has it.
        let implied = name == "ViewAllData" && held.contains("ModifyAllData");
        Some(implied || held.contains(name))
    }

    /// What kind of user it is; `None` where that cannot be told.
    #[must_use]
    pub fn user_kind(&self) -> Option<UserKind> {
        let user = self.user.seen()?;
        let named = |name: &Option<String>, part: &str| {
            name.as_deref().is_some_and(|name| name.to_ascii_lowercase().contains(part))
        };
        let has = |name: &str| self.has_permission(name).unwrap_or(false);
        Some(if named(&user.license, "integration") {
            UserKind::Integration
        } else if (has("ManageUsers") && has("ModifyAllData")) || named(&user.profile, "system administrator") {
            UserKind::Administrator
        } else if has("ApiUserOnly") {
            UserKind::ApiOnly
        } else {
            UserKind::Person
        })
    }

    /// Whether a right on an object that describe does not tell is held; `None` where that cannot be told.
    #[must_use]
    pub fn has_wide_right(&self, object: &str, right: ObjectRight) -> Option<bool> {
        let by_system = match right {
            ObjectRight::ModifyAll => self.has_permission("ModifyAllData"),
            _ => self.has_permission("ViewAllData"),
        };
        let by_object = self
            .object_rights
            .seen()
            .map(|rights| rights.iter().any(|(name, rights)| name.eq_ignore_ascii_case(object) && rights.has(right)));
        match (by_system, by_object) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }
}

/// A change to the org's setup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SetupChange {
    /// When, as Salesforce writes it.
    pub at: String,
    /// Which part of Setup.
    pub section: Option<String>,
    /// What was done, in Salesforce's words.
    pub what: String,
}
