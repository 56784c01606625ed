//! Whether a user can do a job in an org, told before the job starts.
//!
//! A [`RequirementSet`] says what the job needs, as data. [`look`] reads what the org shows of it, [`check`] compares the two,
//! and [`preflight`] does both: the [`Report`] names everything that is missing at once, with its remedy.

mod check;
mod kind;
mod look;
mod object;
mod permission;
mod refusal;
mod report;
mod requirement;
mod view;

pub use self::check::check;
pub use self::look::{look, preflight};
pub use self::object::check_object;
pub use self::refusal::refusal;
pub use self::report::{Report, SupportBundle};
pub use self::requirement::{
    FieldRequirement, Holds, NotifierRequirement, ObjectRequirement, ObjectRight, PermissionRequirement,
    RecordRequirement, RequirementSet,
};
pub use self::view::{ActingUser, Looked, ObjectRights, OrgProfile, OrgView, SetupChange, UserKind};
