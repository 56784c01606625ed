//! What was taken from a budget and what is left of it. Pure: times come as values, so that it can be kept anywhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::BudgetWindow;
use super::stop::StopReason;

/// What a budget allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rules {
    /// Calls allowed by window. All of them hold.
    pub(super) caps: Vec<(BudgetWindow, u64)>,
    /// Calls of all caps that only interactive work may have.
    pub(super) interactive: u64,
    /// Calls of the org that are left to others.
    pub(super) keep_free: u64,
    /// How many of a hundred calls that others leave may be ours.
    pub(super) share: Option<u8>,
}

impl Rules {
    /// The windows in which calls are counted.
    fn windows(&self) -> impl Iterator<Item = BudgetWindow> {
        let shared = self.share.map(|_| BudgetWindow::ROLLING_DAY);
        let caps = self.caps.iter().enumerate();
        let caps =
            caps.filter(|(place, (window, _))| !self.caps[..*place].iter().any(|(earlier, _)| earlier == window));
        let caps: Vec<BudgetWindow> = caps.map(|(_, (window, _))| *window).collect();
        let shared = shared.filter(|day| !caps.contains(day));
        caps.into_iter().chain(shared)
    }

    /// When calls made now come back, by window: the same as long as they would be counted in the same place.
    pub(super) fn stamp(&self, now: i64) -> Vec<(String, i64)> {
        self.windows().map(|window| (window.name(), window.back(now))).collect()
    }
}

/// Who wants calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Who {
    /// A person waits for the answer.
    pub(super) interactive: bool,
    /// The reservation they may come from.
    pub(super) reservation: Option<u64>,
}

/// Why calls are refused, and when they come back, in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: StopReason,
    pub(super) left: u64,
    pub(super) until: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// Calls taken: by window, by when they come back.
    #[serde(default)]
    taken: BTreeMap<String, BTreeMap<i64, u64>>,
    #[serde(default)]
    reserved: BTreeMap<u64, Reserved>,
    #[serde(default)]
    pub(super) paused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Reserved {
    calls: u64,
    /// Whoever has not used it by then has died.
    until: i64,
}

impl Ledger {
    /// Forgets what has come back.
    pub(super) fn settle(&mut self, rules: &Rules, now: i64) {
        for window in rules.windows() {
            let Some(tally) = self.taken.get_mut(&window.name()) else { continue };
            // A clock that was set back must not keep calls away for longer than the window.
            let wrong = tally.split_off(&window.back(now.saturating_add(window.skew())).saturating_add(1));
            let calls = wrong.values().fold(0, |sum: u64, calls| sum.saturating_add(*calls));
            if calls > 0 {
                let dated = tally.entry(window.back(now)).or_default();
                *dated = dated.saturating_add(calls);
            }
        }
        for tally in self.taken.values_mut() {
            *tally = tally.split_off(&now.saturating_add(1));
        }
        self.taken.retain(|_, tally| !tally.is_empty());
        self.reserved.retain(|_, reserved| reserved.until > now && reserved.calls > 0);
    }

    /// Calls taken that have not come back.
    pub(super) fn used(&self, window: BudgetWindow) -> u64 {
        let tally = self.taken.get(&window.name());
        tally.into_iter().flat_map(BTreeMap::values).fold(0, |sum, calls| sum.saturating_add(*calls))
    }

    /// Calls set aside and not taken yet.
    pub(super) fn reserved(&self) -> u64 {
        self.reserved.values().fold(0, |sum, reserved| sum.saturating_add(reserved.calls))
    }

    /// Calls that are neither taken nor set aside: of the cap that has fewest.
    pub(super) fn left(&self, rules: &Rules, who: Who) -> u64 {
        let aside = self.reserved().saturating_add(if who.interactive { 0 } else { rules.interactive });
        let left = rules.caps.iter().map(|(window, allowed)| allowed.saturating_sub(self.used(*window)));
        left.min().map_or(u64::MAX, |left| left.saturating_sub(aside))
    }

    /// When the next calls of a window come back.
    pub(super) fn next_back(&self, window: BudgetWindow) -> Option<i64> {
        self.taken.get(&window.name())?.first_key_value().map(|(back, _)| *back)
    }

    /// Takes calls, all or none of them: those of the reservation first.
    pub(super) fn take(&mut self, rules: &Rules, now: i64, calls: u64, who: Who) -> Result<(), Refusal> {
        let own = self.reservation(who).min(calls);
        self.check(rules, calls - own, who)?;
        if let Some(reserved) = who.reservation.and_then(|id| self.reserved.get_mut(&id)) {
            reserved.calls -= own;
        }
        for (window, back) in rules.stamp(now) {
            let taken = self.taken.entry(window).or_default().entry(back).or_default();
            *taken = taken.saturating_add(calls);
        }
        Ok(())
    }

    /// Whether so many calls beside those reserved may be taken.
    fn check(&self, rules: &Rules, calls: u64, who: Who) -> Result<(), Refusal> {
        let left = self.left(rules, who);
        if self.paused && !who.interactive {
            return Err(Refusal { reason: StopReason::Paused, left, until: None });
        }
        if left >= calls {
            return Ok(());
        }
        let kept = if who.interactive { 0 } else { rules.interactive };
        let aside = self.reserved().saturating_add(kept);
        let mut refusal: Option<Refusal> = None;
        for (window, allowed) in &rules.caps {
            let free = allowed.saturating_sub(self.used(*window));
            let wanted = calls.saturating_add(aside).saturating_sub(free);
            if wanted == 0 {
                continue;
            }
            let until = self.back_by(*window, wanted);
            let reason = if free >= calls.saturating_add(self.reserved()) {
                StopReason::KeptForInteractive
            } else {
                StopReason::UsedUp { window: *window, allowed: *allowed }
            };
            // The cap that keeps calls away longest is the one to wait for.
            let later = |earlier: &Refusal| match (until, earlier.until) {
                (None, _) => true,
                (_, None) => false,
                (Some(this), Some(earlier)) => this > earlier,
            };
            if refusal.as_ref().is_none_or(later) {
                refusal = Some(Refusal { reason, left, until });
            }
        }
        refusal.map_or(Ok(()), Err)
    }

    /// When so many calls of a window have come back; `None` if that many were not taken.
    fn back_by(&self, window: BudgetWindow, wanted: u64) -> Option<i64> {
        let mut freed = 0_u64;
        let tally = self.taken.get(&window.name())?;
        tally.iter().find_map(|(back, calls)| {
            freed = freed.saturating_add(*calls);
            (freed >= wanted).then_some(*back)
        })
    }

    /// Puts calls back that were taken under this stamp and not made; into the reservation that they came from.
    pub(super) fn put_back(&mut self, stamp: &[(String, i64)], calls: u64, who: Who) {
        if let Some(reserved) = who.reservation.and_then(|id| self.reserved.get_mut(&id)) {
            reserved.calls = reserved.calls.saturating_add(calls);
        }
        for (window, back) in stamp {
            if let Some(taken) = self.taken.get_mut(window).and_then(|tally| tally.get_mut(back)) {
                *taken = taken.saturating_sub(calls);
            }
        }
    }

    /// Sets calls aside, all or none of them.
    pub(super) fn reserve(&mut self, rules: &Rules, calls: u64, who: Who, id: u64, until: i64) -> Result<(), Refusal> {
        self.check(rules, calls, who)?;
        self.reserved.insert(id, Reserved { calls, until });
        Ok(())
    }

    /// Calls that are still set aside there.
    pub(super) fn reservation(&self, who: Who) -> u64 {
        who.reservation.and_then(|id| self.reserved.get(&id)).map_or(0, |reserved| reserved.calls)
    }

    /// Keeps a reservation until then.
    pub(super) fn prolong(&mut self, id: u64, until: i64) {
        if let Some(reserved) = self.reserved.get_mut(&id) {
            reserved.until = until;
        }
    }

    /// Gives the rest of a reservation to all again.
    pub(super) fn release(&mut self, id: u64) {
        self.reserved.remove(&id);
    }
}

#[cfg(test)]
mod tests;
