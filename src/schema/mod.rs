//! What we need in an org, what is missing, and how it gets there.

mod catalog;
mod drift;
mod finding;
mod plan;
pub mod preflight;
mod provision;

pub use self::catalog::{OrgTraits, SchemaCatalog, SchemaCatalogBuilder};
pub use self::drift::{
    Change, DriftEvent, ExpectedField, ExpectedFields, FieldUse, Impact, RenameCandidate, SeenObject, drift,
};
pub use self::finding::{Finding, Severity};
pub use self::plan::{DesiredSchema, OrgSchema, PermissionSetStep, SchemaPlan, plan};
pub use self::preflight::{
    FieldRequirement, Holds, ObjectRequirement, ObjectRight, OrgView, Report, RequirementSet, check, check_object,
    preflight,
};
pub use self::provision::{Provisioned, provision};
