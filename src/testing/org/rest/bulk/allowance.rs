//! What may be used in a rolling day.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

#[derive(Debug)]
pub(crate) struct Allowance {
    pub(super) max: u64,
    used: VecDeque<DateTime<Utc>>,
}

impl Allowance {
    pub(super) fn of(max: u64) -> Self {
        Self { max, used: VecDeque::new() }
    }

    fn count(&mut self, now: DateTime<Utc>) -> u64 {
        while self.used.front().is_some_and(|at| now - *at >= TimeDelta::days(1)) {
            self.used.pop_front();
        }
        self.used.len() as u64
    }

    /// Uses one; `false` when none is left.
    pub(super) fn take(&mut self, now: DateTime<Utc>) -> bool {
        if self.count(now) >= self.max {
            return false;
        }
        self.used.push_back(now);
        true
    }

    pub(crate) fn remaining(&mut self, now: DateTime<Utc>) -> u64 {
        let used = self.count(now);
        self.max.saturating_sub(used)
    }
}
