//! How many calls each phase of the work has cost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// Phases told apart at most; the calls of further ones are counted together.
const MOST_PHASES: usize = 100;

/// The phase of calls without one, and of those beyond the most.
const OTHER: &str = "other";

type Operations = BTreeMap<&'static str, u64>;

/// Counts calls by phase and operation.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<BTreeMap<Arc<str>, Operations>>);

/// What a phase of the work has cost since the budget was made, in this process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PhaseCalls {
    /// Its name: [`Client::in_phase`](crate::Client::in_phase). Calls without one are of the phase `other`.
    pub phase: String,
    /// Calls made, retries included.
    pub calls: u64,
    /// The same by operation, such as `query` and `collections.upsert`.
    pub operations: BTreeMap<String, u64>,
}

impl Meter {
    pub(super) fn count(&self, phase: Option<&Arc<str>>, operation: &'static str, calls: u64) {
        // Whole after every statement.
        let mut phases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = phases.len() >= MOST_PHASES;
        let phase = phase.filter(|phase| !full || phases.contains_key(*phase));
        let operations = match phase {
            Some(phase) => phases.entry(Arc::clone(phase)).or_default(),
            None => phases.entry(OTHER.into()).or_default(),
        };
        *operations.entry(operation).or_default() += calls;
    }

    pub(super) fn phases(&self) -> Vec<PhaseCalls> {
        let phases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = phases.iter().map(|(phase, operations)| PhaseCalls {
            phase: phase.to_string(),
            calls: operations.values().sum(),
            operations: operations.iter().map(|(operation, calls)| ((*operation).to_owned(), *calls)).collect(),
        });
        let mut told: Vec<PhaseCalls> = told.collect();
        told.sort_by_key(|phase| std::cmp::Reverse(phase.calls));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_told_apart_and_bounded_and_no_call_is_lost() {
        let meter = Meter::default();
        for number in 0..150 {
            meter.count(Some(&format!("phase {number}").into()), "query", 2);
        }
        meter.count(Some(&"phase 7".into()), "limits", 1);
        meter.count(None, "query", 1);
        let phases = meter.phases();
        assert_eq!(phases.len(), MOST_PHASES + 1);
        assert_eq!(phases.iter().map(|phase| phase.calls).sum::<u64>(), 302);
        assert_eq!((phases[0].phase.as_str(), phases[0].calls), (OTHER, 101), "the dearest first");
        assert_eq!((phases[1].phase.as_str(), phases[1].operations["limits"]), ("phase 7", 1));
    }
}
