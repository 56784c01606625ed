//! What a budget says of itself.

use std::fmt;

use serde::Serialize;

use super::{BudgetWindow, PhaseCalls};
use crate::types::Timestamp;

/// What a budget allows, what was taken from it, and by which phases of the work. `Display` is some lines for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BudgetReport {
    /// Each cap; none where calls are only counted.
    pub caps: Vec<CapReport>,
    /// Calls set aside for jobs and not made yet.
    pub reserved: u64,
    /// Calls of each cap that only interactive work may make.
    pub kept_for_interactive: u64,
    /// Calls that background work may make now, where there is a cap: of the cap that has fewest left, without those set aside.
    pub left: Option<u64>,
    /// Whether background work is paused.
    pub paused: bool,
    /// Calls by phase, the dearest first, since the budget was made, in this process.
    pub phases: Vec<PhaseCalls>,
}

/// One cap of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CapReport {
    /// The window it is for.
    pub window: BudgetWindow,
    /// Calls allowed in it.
    pub allowed: u64,
    /// Calls made in it. Of a budget in a store also those that a worker has fetched and not made yet, at most 100 each.
    pub used: u64,
    /// Calls that are neither made nor set aside.
    pub left: u64,
    /// When the next of the calls made come back; `None` if there are none.
    pub comes_back: Option<Timestamp>,
}

impl fmt::Display for CapReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} API calls used in {}, {} left", self.used, self.allowed, self.window, self.left)?;
        match self.comes_back {
            Some(back) => write!(f, "; the next come back at {back}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for BudgetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for cap in &self.caps {
            writeln!(f, "{cap}")?;
        }
        if self.reserved > 0 {
            writeln!(f, "{} set aside for jobs", self.reserved)?;
        }
        if self.kept_for_interactive > 0 {
            writeln!(f, "{} kept for interactive work", self.kept_for_interactive)?;
        }
        if self.paused {
            writeln!(f, "background work is paused")?;
        }
        for PhaseCalls { phase, calls, operations } in &self.phases {
            let parts: Vec<String> = operations.iter().map(|(name, calls)| format!("{name} {calls}")).collect();
            writeln!(f, "{phase}: {calls} ({})", parts.join(", "))?;
        }
        Ok(())
    }
}
