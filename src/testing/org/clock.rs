//! The org's own time: the machine's, moved on by what a test asked for.

use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

#[derive(Debug, Default)]
pub(crate) struct OrgClock {
    offset: TimeDelta,
}

impl OrgClock {
    /// The present, with fractions of a second.
    pub(crate) fn now_exact(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "the mock org is another system, with a clock of its own")]
        let now = std::time::SystemTime::now();
        DateTime::<Utc>::from(now) + self.offset
    }

    /// The present in the grain Salesforce stores: whole seconds.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now_exact().trunc_subsecs(0)
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.offset += TimeDelta::from_std(by).unwrap_or(TimeDelta::zero());
    }
}

/// `Fri, 01 May 2026 07:25:37 GMT`, the form of HTTP headers.
pub(crate) fn http_date(time: DateTime<Utc>) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
