//! Bringing two systems in step. Decisions are pure; [`Push`] and [`Matcher`] carry them out.

mod batch;
mod course;
mod drift;
mod locks;
mod matcher;
mod outcome;
mod plan;
mod push;
mod refers;
mod window;
mod write;

pub use self::drift::{GoingOn, expected_fields, go_on_without};
pub(crate) use self::locks::LockMeter;
pub use self::locks::{LockReport, LockedParent};
pub use self::matcher::{DoubledKeys, Matcher};
pub use self::outcome::{Outcome, Totals};
pub use self::plan::Latest;
pub use self::push::{Push, PushBuilder, Window};
pub use self::refers::Reference;
pub(crate) use self::window::next_window;
pub use self::write::{
    Freshness, Ids, Known, New, WriteMany, WriteOutcome, WriteRoute, WriteStream, WriteTotals, WrittenRow,
};
