//! What the org counts: API calls in a rolling day, and requests for whoever looks at the test afterwards.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use super::operation::Operation;
use super::wire::Request;

/// Requests kept to look at.
const KEPT: usize = 10_000;

/// A request the org saw.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// What it asked for; `None` when it fits no operation.
    pub operation: Option<Operation>,
    /// The HTTP method, after `_HttpMethod`.
    pub method: String,
    /// Path and query as they came.
    pub path: String,
    /// The answer's status; `None` when there was no answer.
    pub status: Option<u16>,
    /// Bytes of the request's body.
    pub body_bytes: usize,
    /// The grant of a token request; `None` for other requests and for grants the org does not know.
    pub grant_type: Option<&'static str>,
    /// `Sforce-…` and `If-…` headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// What a composite, batch or graph carried inside, in the order it was carried out. A path is as it was asked for, with
    /// the values of its references.
    pub subrequests: Vec<LoggedRequest>,
}

impl LoggedRequest {
    pub(crate) fn new(operation: Option<Operation>, request: &Request, status: Option<u16>) -> Self {
        let kept = |name: &str| name.starts_with("sforce-") || name.starts_with("if-");
        let headers = request.headers.iter().filter(|(name, _)| kept(name.as_str()));
        let headers =
            headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        Self {
            operation,
            method: request.method.to_string(),
            path: request.target.clone(),
            status,
            body_bytes: request.body.len(),
            grant_type: None,
            headers: headers.collect(),
            subrequests: Vec::new(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Usage {
    /// Calls per day; wire facts 2.14.
    pub(crate) daily_limit: u64,
    /// A quota of the app that calls, and its name.
    pub(crate) app: Option<(u64, String)>,
    /// Makes the header less than exact.
    pub(crate) blur: Option<fastrand::Rng>,
    /// Calls of the last day by minute. The window rolls: each minute's calls come back a day later (wire facts 0, 4).
    minutes: VecDeque<(i64, u64)>,
    pub(crate) api_calls: u64,
    counts: HashMap<Operation, usize>,
    grants: HashMap<&'static str, usize>,
    log: VecDeque<LoggedRequest>,
}

impl Default for Usage {
    fn default() -> Self {
        let (minutes, counts, log) = (VecDeque::new(), HashMap::new(), VecDeque::new());
        Self { daily_limit: 15_000, app: None, blur: None, minutes, api_calls: 0, counts, grants: HashMap::new(), log }
    }
}

impl Usage {
    fn used(&mut self, now: DateTime<Utc>) -> u64 {
        let oldest = (now - TimeDelta::days(1)).timestamp().div_euclid(60);
        while self.minutes.front().is_some_and(|(minute, _)| *minute <= oldest) {
            self.minutes.pop_front();
        }
        self.minutes.iter().map(|(_, calls)| calls).sum()
    }

    /// Counts a call; `false` when the day's calls are used up.
    pub(crate) fn count(&mut self, now: DateTime<Utc>) -> bool {
        if self.used(now) >= self.daily_limit {
            return false;
        }
        self.api_calls += 1;
        let minute = now.timestamp().div_euclid(60);
        match self.minutes.back_mut().filter(|(last, _)| *last == minute) {
            Some((_, calls)) => *calls += 1,
            None => self.minutes.push_back((minute, 1)),
        }
        true
    }

    pub(crate) fn remaining(&mut self, now: DateTime<Utc>) -> u64 {
        self.daily_limit.saturating_sub(self.used(now))
    }

    /// `api-usage=22/15000`
    pub(crate) fn header(&mut self, now: DateTime<Utc>) -> String {
        // [R] Recorded neighbours read 491, 489, 485, 493 (wire facts 0, 6).
        let less = self.blur.as_mut().map_or(0, |blur| blur.u64(..=6));
        let usage = format!("api-usage={}/{}", self.used(now).saturating_sub(less), self.daily_limit);
        match &self.app {
            // REST guide, "Limit Info Header", of orgs that have quotas per app.
            Some((quota, name)) => format!("{usage}; per-app-api-usage={}/{quota}(appName={name})", self.api_calls),
            None => usage,
        }
    }

    pub(crate) fn record(&mut self, request: LoggedRequest) {
        if let Some(operation) = request.operation {
            *self.counts.entry(operation).or_insert(0) += 1;
        }
        if let Some(grant) = request.grant_type {
            *self.grants.entry(grant).or_insert(0) += 1;
        }
        if self.log.len() == KEPT {
            self.log.pop_front();
        }
        self.log.push_back(request);
    }

    /// Requests of an operation, answered or not.
    pub(crate) fn calls(&self, operation: Operation) -> usize {
        self.counts.get(&operation).copied().unwrap_or(0)
    }

    /// Token requests of a grant, answered or not. The last part of a grant's name will do.
    pub(crate) fn grants(&self, name: &str) -> usize {
        self.grants
            .iter()
            .filter(|(grant, _)| grant.rsplit(':').next() == name.rsplit(':').next())
            .map(|(_, n)| n)
            .sum()
    }

    pub(crate) fn log(&self) -> Vec<LoggedRequest> {
        self.log.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_come_back_a_day_after_they_were_made() {
        let mut usage = Usage { daily_limit: 2, ..Usage::default() };
        let morning = DateTime::parse_from_rfc3339("2026-05-01T05:00:00Z").unwrap().with_timezone(&Utc);
        assert!(usage.count(morning) && usage.count(morning + TimeDelta::hours(3)));
        assert!(!usage.count(morning + TimeDelta::hours(23)));
        assert_eq!(usage.header(morning + TimeDelta::hours(23)), "api-usage=2/2");
        assert!(usage.count(morning + TimeDelta::hours(24)), "the first call is a day old");
        assert!(!usage.count(morning + TimeDelta::hours(24)));
    }
}
