//! Bringing two systems in step. Decisions are pure; [`Push`] carries them out.

mod batch;
mod outcome;
mod plan;
mod push;
mod window;

pub use self::outcome::{Outcome, Totals};
pub use self::push::{Push, PushBuilder};
pub(crate) use self::window::next_window;
