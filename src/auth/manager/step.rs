//! What to do next, given what is stored. Pure: no clock, no store, no network.

use std::time::Duration;

use super::entry::TokenEntry;
use crate::auth::AccessToken;
use crate::error::ReauthReason;

/// The first pause between tries with a refresh token that is in doubt; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// What a process sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) entry: Option<&'a TokenEntry>,
    /// The token that the org has refused.
    pub(super) rejected: Option<&'a AccessToken>,
    /// How long this process has seen the entry unchanged, by its own monotonic clock. Clocks of machines are never compared.
    pub(super) unchanged_for: Duration,
    /// What holds this process's leases. Only one renewal of it runs at a time, and not while this is asked.
    pub(super) holder: &'a str,
    /// The access token is so old that it should be renewed while it still works.
    pub(super) due: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Use the stored access token.
    Use,
    /// Take the lease, redeem the refresh token, store, use.
    Renew,
    /// Another process renews: look again soon.
    Wait,
    /// A renewal was abandoned: write down the doubt, then look again.
    Doubt,
    /// The refresh token is in doubt and was tried lately: not before that time.
    Pause(Duration),
    /// A person has to connect the org again.
    Stop(ReauthReason),
}

pub(super) fn next_step(view: &View<'_>) -> Step {
    let Some(entry) = view.entry else { return Step::Stop(ReauthReason::NotConnected) };
    if let Some(ended) = &entry.ended {
        return Step::Stop(ended.reason());
    }
    let works = entry.access.as_ref().is_some_and(|access| view.rejected.is_none_or(|rejected| !access.is(rejected)));
    if let Some(lease) = &entry.lease {
        // Of our own we know that nobody is at it any more.
        return if lease.holder == view.holder || view.unchanged_for >= lease.time() {
            Step::Doubt
        } else if works {
            Step::Use
        } else {
            Step::Wait
        };
    }
    match entry.doubt {
        // The access token is all that is left for sure: it is used to its end.
        Some(_) if works => Step::Use,
        Some(tries) => match pause(tries).saturating_sub(view.unchanged_for) {
            Duration::ZERO => Step::Renew,
            left => Step::Pause(left),
        },
        None if works && !view.due => Step::Use,
        None => Step::Renew,
    }
}

/// The one try that a cut-off renewal allows comes at once. Further ones are there only if that was cut off too, which tells
/// nothing of the token; there is nothing left to lose by then, and no hurry.
fn pause(tries: u32) -> Duration {
    match tries.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => FIRST_PAUSE.saturating_mul(1 << doublings.min(16)).min(LONGEST_PAUSE),
    }
}

/// What to do with tokens that are still to be stored, given what is stored now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settle {
    /// Write them, over this very version.
    Write,
    /// They are there already: an earlier write was done though its answer was lost.
    Done,
    /// They are of no use any more.
    Drop,
}

/// `base` is the entry with our lease, from which `next` was made.
pub(super) fn settle(now: Option<&TokenEntry>, base: &TokenEntry, next: &TokenEntry) -> Settle {
    let Some(now) = now else { return Settle::Drop };
    if now == next {
        return Settle::Done;
    }
    if now.generation != base.generation || now.ended.is_some() {
        // A new consent, a disconnect, or a renewal by another process after ours was given up.
        return Settle::Drop;
    }
    let ours = now.lease.is_some() && now.lease == base.lease;
    // Others have given us up, but the tokens are the only ones that work.
    let tokens = next.generation > base.generation && next.ended.is_none();
    if ours || tokens { Settle::Write } else { Settle::Drop }
}
