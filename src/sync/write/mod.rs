//! Many records into one object by one call, with one outcome each.

mod engine;
mod job;
mod many;
mod outcome;
mod route;
mod row;
mod schedule;
mod send;

pub(super) use self::engine::Engine;
pub use self::many::{Ids, Known, New, WriteMany, WriteStream, WriteTotals};
pub use self::outcome::{WriteOutcome, WrittenRow};
pub use self::route::{Freshness, WriteRoute};
pub(super) use self::row::{Intake, Target};
