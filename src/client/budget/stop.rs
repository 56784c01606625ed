//! Why a budget lets no call through, and until when.

use std::time::Duration;

use super::BudgetWindow;
use crate::error::{Error, ErrorKind, Retry};
use crate::types::Timestamp;

/// Why a call was refused on our side, before anything was sent; see [`Error::budget_stop`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetStop {
    /// What is in the way.
    pub reason: StopReason,
    /// When enough calls have come back, or the hours begin; `None` where no clock decides it.
    pub until: Option<Timestamp>,
}

/// What keeps calls from being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// A cap is used up, or fewer are left than were asked for at once.
    UsedUp {
        /// The cap's window.
        window: BudgetWindow,
        /// Calls allowed in it.
        allowed: u64,
    },
    /// What is left is for interactive work.
    KeptForInteractive,
    /// The org has no more calls left than are to be kept free for others.
    KeptFree,
    /// Our share of what others leave of the org's calls is used up.
    ShareUsedUp,
    /// Work was paused by [`ApiBudget::pause`](super::ApiBudget::pause).
    Paused,
    /// The work is for other hours of the day.
    OutsideHours,
}

impl Error {
    /// Why the call was refused by our own budget, pause or hours, if it was: it is of kind
    /// [`ErrorKind::LimitExceeded`] then, and nothing was sent. An org that has used up its calls says so by
    /// `REQUEST_LIMIT_EXCEEDED` instead ([`Error::has_code`]).
    #[must_use]
    pub fn budget_stop(&self) -> Option<&BudgetStop> {
        self.data()
    }
}

impl StopReason {
    fn message(self) -> &'static str {
        match self {
            Self::UsedUp { .. } => "the budget of API calls is used up",
            Self::KeptForInteractive => "the API calls that are left are kept for interactive work",
            Self::KeptFree => "the org has no more calls left than are to be kept free",
            Self::ShareUsedUp => "our share of the org's API calls is used up",
            Self::Paused => "work on this connection is paused",
            Self::OutsideHours => "this work is for other hours of the day",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::UsedUp { .. } => "go on from where it stopped when calls have come back, or allow more calls",
            Self::KeptForInteractive => {
                "go on from where it stopped when calls have come back, or keep fewer for others"
            }
            Self::KeptFree => "go on when calls of 24 hours ago have come back, or lower what is kept free",
            Self::ShareUsedUp => "go on when calls of 24 hours ago have come back, or raise the share",
            Self::Paused => "go on from where it stopped once it is resumed",
            Self::OutsideHours => "go on from where it stopped when the hours begin",
        }
    }
}

/// The error of a call that is refused.
pub(in crate::client) fn refused(reason: StopReason, until: Option<i64>, now: i64) -> Error {
    let until = until.and_then(Timestamp::from_unix_millis);
    let mut error = Error::new(ErrorKind::LimitExceeded, "", reason.message()).with_advice(reason.advice());
    if let StopReason::UsedUp { window, allowed } = reason {
        error = error.with_context("allowed", allowed).with_context("in", window);
    }
    if let Some(until) = until {
        let wait = u64::try_from(until.unix_millis().saturating_sub(now)).unwrap_or(0);
        error = error.with_retry(Retry::After(Some(Duration::from_millis(wait)))).with_context("comes_back", until);
    }
    error.with_data(BudgetStop { reason, until })
}
