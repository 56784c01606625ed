//! Who wins when both sides changed: pure, and every field says why.
//!
//! [`resolve`] takes the last state both sides agreed on, the state of each side and a [`ConflictPolicy`], and gives what to write
//! where with a [`Decision`] per field. Policies are data and stand in configuration files; [`ConflictPolicies`] chooses one by
//! object and record.

mod custom;
mod decision;
mod deletion;
mod fields;
mod names;
mod object;
mod overlay;
mod policy;
mod policy_file;
mod question;
mod resolve;
mod rules;
mod scope;
mod stamps;
mod state;
#[cfg(test)]
mod tests;
mod values;

pub use self::custom::{CustomVerdict, FieldConflict};
pub use self::decision::{Decision, Fate, Reason, Resolution, Winner};
pub use self::deletion::WHOLE_RECORD;
pub use self::fields::check_names;
pub use self::names::ByName;
pub use self::overlay::Overlay;
pub use self::policy::{ConflictPolicy, DeleteRule, Policy, Recency, Side};
pub use self::question::{Answer, Answered, Question};
pub use self::resolve::{resolve, resolve_answered};
pub use self::scope::{ConflictPolicies, Scope};
pub use self::state::State;
