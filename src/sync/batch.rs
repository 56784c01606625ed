//! What a call's outcome means for its rows. Pure.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Retry};

/// How long to wait before a round, given a number from 0 to 1 by chance.
pub(super) fn pause_before(round: usize, chance: f64) -> Duration {
    let full = Duration::from_secs(1 << round.min(4));
    full.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// Whether a refused row may succeed later as it is.
pub(super) fn may_pass(error: &Error) -> bool {
    matches!(error.retry(), Retry::After(_))
}

/// Whether a row failed because its call as a whole used up a limit of its transaction: in a smaller one it may pass.
pub(super) fn has_used_up_a_limit(error: &Error) -> bool {
    error.is_splittable()
}

/// Whether the failure of a whole call tells that further calls would fail as well, whatever their rows.
pub(super) fn ends_the_run(error: &Error) -> bool {
    use ErrorKind::{Forbidden, NotFound, Schema};
    ends_for_all(error) || matches!(error.kind(), Forbidden | NotFound | Schema)
}

/// Whether an error, even one that is told of a row, tells that no call of any kind comes through.
pub(super) fn ends_for_all(error: &Error) -> bool {
    use ErrorKind::{Auth, Config, LimitExceeded, ReauthRequired, Store};
    matches!(error.kind(), Auth | Config | LimitExceeded | ReauthRequired | Store)
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
    fn pauses_get_longer_and_end() {
        assert!(pause_before(1, 0.0) < pause_before(2, 0.0));
        assert_eq!(pause_before(4, 1.0), pause_before(40, 1.0));
    }
}
