//! From our data to Salesforce fields and back: a map is a value, applying it is pure.
//!
//! [`FieldMap`] is the data, [`CompiledMap`] what is applied. The guide `docs/guides/mapping.md` has the whole format.

mod apply;
mod check;
mod compile;
mod custom;
mod field_map;
mod input;
mod issue;
mod load;
mod mistake;
mod origin;
mod reverse;
mod route;
mod rule;
mod steps;
mod sync_rule;
mod target;
mod template;
mod transform;
mod typed;
mod validate;
mod value_table;

pub use self::check::{FieldReport, MapReport, Verdict};
pub use self::compile::CompiledMap;
pub(crate) use self::compile::{Output, Parent};
pub use self::custom::Transforms;
pub use self::field_map::{FieldMap, FieldMapBuilder};
pub use self::issue::{Mapped, MappedRecord, MappingIssue};
pub use self::mistake::MapMistake;
pub use self::rule::{Blank, FieldRule, Input, NamedValue, Write};
pub use self::sync_rule::{SyncRule, Trigger};
pub use self::target::Target;
pub use self::transform::{Ambiguous, Overflow, Skipped, Transform};
pub use self::value_table::{Otherwise, ValueTable};
