//! Editions, and how much of a setup an org holds.

use super::mock::MockOrg;
use super::state::{ApiAccess, State};
use super::value::Value;

/// An edition: what `Organization.OrganizationType` says, whether there is an API, and how many fields and objects can be made.
///
/// Sources: Object Reference, `Organization`; Help, "Editions with API access", "Custom Fields Allowed Per Object"; general knowledge for
/// custom objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edition {
    /// "Developer Edition", as every new mock org is.
    #[default]
    Developer,
    /// "Enterprise Edition".
    Enterprise,
    /// "Unlimited Edition".
    Unlimited,
    /// "Performance Edition".
    Performance,
    /// "Professional Edition", which has no API unless it is bought: [`MockOrg::enable_api`].
    Professional,
    /// Group Edition, which calls itself "Team Edition"; no API.
    Group,
    /// Starter, which calls itself "Base Edition": an API, 25 fields an object, and no custom objects.
    Starter,
}

impl Edition {
    /// `OrganizationType`. [K] The value of Performance Edition, which the picklist does not list.
    fn name(self) -> &'static str {
        match self {
            Self::Developer => "Developer Edition",
            Self::Enterprise => "Enterprise Edition",
            Self::Unlimited => "Unlimited Edition",
            Self::Performance => "Performance Edition",
            Self::Professional => "Professional Edition",
            Self::Group => "Team Edition",
            Self::Starter => "Base Edition",
        }
    }

    /// Help, "Editions with API access". [S] That Starter has one: a trial that could log in and deploy.
    fn has_api(self) -> bool {
        !matches!(self, Self::Professional | Self::Group)
    }

    fn limits(self) -> SetupLimits {
        // [D] Help, "Custom Fields Allowed Per Object". [S] The objects; that Starter has none: "reached maximum number of
        // custom objects" at the first.
        let (custom_fields, custom_objects) = match self {
            Self::Developer => (500, 400),
            Self::Enterprise => (500, 200),
            Self::Unlimited | Self::Performance => (800, 2_000),
            Self::Professional | Self::Group => (100, 50),
            Self::Starter => (25, 0),
        };
        SetupLimits { custom_fields, custom_objects, ..SetupLimits::default() }
    }
}

/// How much of a setup the org holds; see [`MockOrg::limit_setup`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SetupLimits {
    /// Custom fields of one object: 500 in Developer Edition.
    pub custom_fields: usize,
    /// Custom objects of the org: 400 in Developer Edition.
    pub custom_objects: usize,
    /// External ids of one object: 25.
    pub external_ids: usize,
    /// Fields of one object whose history is tracked: 20.
    pub tracked_fields: usize,
    /// Permission sets made in the org: 1,000.
    pub permission_sets: usize,
    /// Permission sets assigned to one user, without that of the profile: 1,000.
    pub assignments: usize,
}

impl Default for SetupLimits {
    fn default() -> Self {
        Self {
            custom_fields: 500,
            custom_objects: 400,
            // [K] wire facts 4.4
            external_ids: 25,
            tracked_fields: 20,
            // Help, "Permission Set Considerations"; recorded: rest/limits-v60.json, `PermissionSets.CreateCustom`.
            permission_sets: 1_000,
            // [K]
            assignments: 1_000,
        }
    }
}

impl State {
    /// Sets a column of the org's own record.
    pub(crate) fn set_organization(&mut self, column: &str, value: Value) {
        let id = self.auth.org_id.clone();
        let Some((row, _)) = self.data.store.find(&id) else { return };
        let mut row = row.clone();
        super::data::set(&mut row, column, value);
        self.data.store.update(&id, row);
    }
}

impl MockOrg {
    /// Makes the org one of another edition: its `Organization` says so, its API is on or off as the edition has it, and its limits are the
    /// edition's. Fields and objects that are there stay.
    pub fn set_edition(&self, edition: Edition) {
        let mut state = self.state();
        state.access = if edition.has_api() { ApiAccess::Open } else { ApiAccess::OffForOrg };
        state.data.limits = edition.limits();
        state.set_organization("OrganizationType", Value::Text(edition.name().to_owned()));
        state.changed();
    }

    /// Changes how much of a setup the org holds, so that a test reaches a limit with few components. What is beyond it is refused
    /// with Salesforce's code; what is there stays.
    pub fn limit_setup(&self, change: impl FnOnce(&mut SetupLimits)) {
        change(&mut self.state().data.limits);
    }

    /// Sets the org-wide sharing default of an object: `Private`, `Read`, `ReadWrite`, … (`InternalSharingModel` of `EntityDefinition`).
    /// Queries do not look at it; `UserRecordAccess` does.
    ///
    /// # Panics
    ///
    /// When the org has no such object.
    pub fn set_sharing_model(&self, object: &str, model: &str) {
        let mut state = self.state();
        let Some(known) = state.schema.object_mut(object) else { panic!("the org has no object {object}") };
        known.extra.sharing_model = Some(model.to_owned());
        let column = match known.name.as_str() {
            "Account" | "Contact" | "Opportunity" | "Lead" | "Campaign" => Some(format!("Default{}Access", known.name)),
            _ => None,
        };
        // recorded: rest/organization-record.json, values of `Default…Access`.
        let access = match model {
            "Private" => "None",
            "ReadWrite" => "Edit",
            "ReadWriteTransfer" => "ReadEditTransfer",
            "FullAccess" => "All",
            other => other,
        };
        if let Some(column) = column {
            state.set_organization(&column, Value::Text(access.to_owned()));
        }
        state.changed();
    }
}
