//! What to do next, given what is stored. Pure: no clock, no store, no network.

use std::time::Duration;

use super::entry::TokenEntry;
use super::watch::Unchanged;
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
    pub(super) unchanged: Unchanged,
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
        return if lease.holder == view.holder || view.unchanged.watched >= lease.time() {
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
        Some(tries) => match pause(tries).saturating_sub(view.unchanged.in_all) {
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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::auth::manager::entry::{Lease, StoredAccess};
    use crate::types::Secret;

    const LEASE: Duration = Duration::from_secs(90);

    fn token(text: &str) -> AccessToken {
        AccessToken::new(text, "https://acme.my.salesforce.com").expect("a token")
    }

    fn stored(text: &str) -> StoredAccess {
        StoredAccess::new(&token(text), SystemTime::UNIX_EPOCH)
    }

    fn entry() -> TokenEntry {
        TokenEntry::granted(None, Secret::new("refresh"), Some(stored("one")), None)
    }

    fn leased(entry: &TokenEntry, holder: &str) -> TokenEntry {
        entry.leased(Lease::new(holder, LEASE))
    }

    type Row<'a> = (&'a str, Option<&'a TokenEntry>, Option<&'a AccessToken>, u64, bool, Step);

    #[test]
    fn the_step_table() {
        let (seconds, one, other) = (Duration::from_secs, token("one"), token("other"));
        let alive = entry();
        let held = leased(&alive, "them");
        let ours = leased(&alive, "us");
        let doubt = held.doubted();
        let tried = leased(&doubt, "them").doubted();
        let again = leased(&tried, "them").doubted();
        let refused = held.refused(Some("invalid_grant".into()), None);
        let interrupted = leased(&doubt, "us").refused(None, None);
        let bare = TokenEntry::granted(None, Secret::new("refresh"), None, None);
        #[rustfmt::skip]
        let table: &[Row<'_>] = &[
            ("nothing stored", None, None, 0, false, Step::Stop(ReauthReason::NotConnected)),
            ("a start", Some(&alive), None, 0, false, Step::Use),
            ("a start from a refresh token", Some(&bare), None, 0, false, Step::Renew),
            ("refused", Some(&alive), Some(&one), 0, false, Step::Renew),
            ("a late 401", Some(&alive), Some(&other), 0, false, Step::Use),
            ("old", Some(&alive), None, 0, true, Step::Renew),
            ("another renews", Some(&held), Some(&one), 0, false, Step::Wait),
            ("for long", Some(&held), Some(&one), 89, false, Step::Wait),
            ("for too long", Some(&held), Some(&one), 90, false, Step::Doubt),
            ("another renews ahead", Some(&held), None, 0, true, Step::Use),
            ("another renews ahead, a late 401", Some(&held), Some(&other), 0, false, Step::Use),
            ("ours, and nobody is at it", Some(&ours), Some(&one), 0, false, Step::Doubt),
            ("in doubt, and it works", Some(&doubt), None, 0, false, Step::Use),
            ("in doubt, it works and is old", Some(&doubt), None, 9999, true, Step::Use),
            ("in doubt, a late 401", Some(&doubt), Some(&other), 0, false, Step::Use),
            ("in doubt, at its end", Some(&doubt), Some(&one), 0, false, Step::Renew),
            ("tried", Some(&tried), Some(&one), 0, false, Step::Pause(seconds(30))),
            ("tried a while ago", Some(&tried), Some(&one), 30, false, Step::Renew),
            ("tried twice", Some(&again), Some(&one), 20, false, Step::Pause(seconds(40))),
            ("ended", Some(&refused), None, 0, false, Step::Stop(ReauthReason::Refused)),
            ("ended in doubt", Some(&interrupted), Some(&one), 0, true, Step::Stop(ReauthReason::Interrupted)),
        ];
        for &(name, entry, rejected, unchanged, due, expected) in table {
            let unchanged = Unchanged { in_all: seconds(unchanged), watched: seconds(unchanged) };
            let view = View { entry, rejected, unchanged, holder: "us", due };
            assert_eq!(next_step(&view), expected, "{name}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let pauses = [0, 1, 2, 3, 5, 6, 7, u32::MAX].map(|tries| pause(tries).as_secs());
        assert_eq!(pauses, [0, 30, 60, 120, 480, 900, 900, 900]);
    }

    #[test]
    fn a_lease_is_believed_for_an_hour_at_most() {
        let endless = entry().leased(Lease::new("them", Duration::MAX));
        let one = token("one");
        let hour = Duration::from_hours(1);
        let unchanged = Unchanged { in_all: hour, watched: hour };
        let view = View { entry: Some(&endless), rejected: Some(&one), unchanged, holder: "us", due: false };
        assert_eq!(next_step(&view), Step::Doubt);
        // The store was away meanwhile, and the holder could not write.
        let unchanged = Unchanged { in_all: hour, watched: Duration::from_secs(1) };
        assert_eq!(next_step(&View { unchanged, ..view }), Step::Wait);
    }

    #[test]
    fn the_settle_table() {
        let base = leased(&entry(), "us");
        let tokens = base.renewed(Some(Secret::new("next")), Some(stored("two")), None);
        let taken_over = leased(&base.doubted(), "them");
        let reconnected = TokenEntry::granted(Some(&base), Secret::new("new"), None, None);
        #[rustfmt::skip]
        let table: &[(&str, Option<&TokenEntry>, &TokenEntry, Settle)] = &[
            ("our lease stands", Some(&base), &tokens, Settle::Write),
            ("our lease stands, a failure", Some(&base), &base.released(), Settle::Write),
            ("written, answer lost", Some(&tokens), &tokens, Settle::Done),
            ("given up by others", Some(&base.doubted()), &tokens, Settle::Write),
            ("taken over by others", Some(&taken_over), &tokens, Settle::Write),
            ("taken over by others, a failure", Some(&taken_over), &base.released(), Settle::Drop),
            ("taken over by others, a refusal", Some(&taken_over), &base.refused(None, None), Settle::Drop),
            ("a new grant", Some(&reconnected), &tokens, Settle::Drop),
            ("disconnected", Some(&TokenEntry::disconnected(Some(&base))), &tokens, Settle::Drop),
            ("deleted", None, &tokens, Settle::Drop),
        ];
        for &(name, now, next, expected) in table {
            assert_eq!(settle(now, &base, next), expected, "{name}");
        }
    }
}
