//! What we need in an org, what is missing, and how it gets there.

mod catalog;
mod denied;
mod desired;
mod drift;
mod finding;
mod ledger;
mod load;
mod names;
mod notifier;
mod org;
mod plan;
pub mod preflight;
mod read;
mod setup;
mod validate;

pub use self::catalog::{OrgTraits, SchemaCatalog, SchemaCatalogBuilder};
pub use self::desired::{DesiredSchema, DesiredSection};
pub use self::drift::{
    Change, DriftEvent, ExpectedField, ExpectedFields, FieldUse, Impact, RenameCandidate, SeenObject, drift,
};
pub use self::finding::{Finding, Severity};
pub use self::ledger::{EntryState, ItemKind, Ledger, LedgerEntry};
pub use self::names::api_name;
pub use self::notifier::ChangeNotifier;
pub use self::org::{OrgField, OrgObject, OrgPermissionSet, OrgSchema};
pub use self::plan::{Conflict, PlanItem, SchemaPlan, Step, plan};
pub use self::preflight::{
    FieldRequirement, Holds, ObjectRequirement, ObjectRight, OrgView, Report, RequirementSet, check, check_object,
    preflight,
};
pub use self::setup::{
    Applied, AssignmentOutcome, EnsuredField, Filled, Leftover, MetricField, Presence, Removal, Setup, SetupBuilder,
    SetupProgress, Verification, VerifiedField, VerifiedObject,
};
pub use self::validate::SchemaFault;
