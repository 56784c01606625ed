//! What we need in an org, what is missing, and how it gets there.

mod desired;
mod finding;
mod ledger;
mod load;
mod names;
mod org;
mod plan;
mod preflight;
mod provision;
mod provision_plan;
mod validate;

pub use self::desired::{DesiredSchema, DesiredSection};
pub use self::finding::{Finding, Severity};
pub use self::ledger::{EntryState, ItemKind, Ledger, LedgerEntry};
pub use self::names::api_name;
pub use self::org::{OrgField, OrgObject, OrgPermissionSet, OrgSchema};
pub use self::plan::{Conflict, PlanItem, SchemaPlan, Step, plan};
pub use self::preflight::{FieldRequirement, ObjectRequirement, check, preflight};
pub use self::provision::{Provisioned, provision};
pub use self::validate::SchemaFault;
