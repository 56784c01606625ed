//! Many records into one object by one call, with one outcome each.

mod engine;
mod many;
mod outcome;
mod row;
mod schedule;

pub(super) use self::engine::Engine;
pub use self::many::{Ids, Known, New, WriteMany, WriteStream, WriteTotals};
pub use self::outcome::{WriteOutcome, WrittenRow};
pub(super) use self::row::{Intake, Target};
