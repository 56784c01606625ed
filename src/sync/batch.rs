//! How rows are cut into calls, and what a call's outcome means for its rows. Pure.

use std::time::Duration;

use crate::api::MAX_RECORDS;
use crate::error::{Error, ErrorKind, Retry};

/// Rows per call in the first round and in each further one for rows that met a lock: fewer rows, fewer neighbours to
/// lock each other.
const ROUNDS: [usize; 4] = [MAX_RECORDS, 50, 10, 1];

/// Rows per call in a round; `None` when there is no further one.
pub(super) fn batch_size(round: usize) -> Option<usize> {
    ROUNDS.get(round).copied()
}

/// How long to wait before a round, given a number from 0 to 1 by chance.
pub(super) fn pause_before(round: usize, chance: f64) -> Duration {
    let full = Duration::from_secs(1 << round.min(4));
    full.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// Whether a refused row may succeed later as it is.
pub(super) fn may_pass(error: &Error) -> bool {
    // Another writer created the record between our read and our write: now it is there to be updated.
    matches!(error.retry(), Retry::After(_)) || error.has_code("DUPLICATE_VALUE")
}

/// Whether the failure of a whole call tells that further calls would fail as well, whatever their rows.
pub(super) fn ends_the_run(error: &Error) -> bool {
    use ErrorKind::{Auth, Config, Forbidden, LimitExceeded, NotFound, Schema};
    matches!(error.kind(), Auth | Config | Forbidden | LimitExceeded | NotFound | Schema)
}

/// Whether the failure of a whole call is for a reason that passes.
pub(super) fn is_outage(error: &Error) -> bool {
    use ErrorKind::{Decode, RateLimited, RowLocked, Transport, Unavailable};
    matches!(error.kind(), Decode | RateLimited | RowLocked | Transport | Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_get_smaller_and_end() {
        let sizes: Vec<usize> = (0..).map_while(batch_size).collect();
        assert!(sizes.windows(2).all(|pair| pair[0] > pair[1]) && sizes.last() == Some(&1), "{sizes:?}");
        assert!(pause_before(1, 0.0) < pause_before(2, 0.0));
    }
}
