//! Time that passes only when someone waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::clock::Clock;

/// A clock that stands still until it is moved. Sleeping moves it by the time slept and returns at once, so tests with
/// retries and back-off take no time.
#[derive(Debug)]
pub struct ManualClock(Mutex<Time>);

#[derive(Debug)]
struct Time {
    now: SystemTime,
    passed: Duration,
    slept: Vec<Duration>,
}

impl ManualClock {
    /// Makes a clock that shows this time.
    #[must_use]
    pub fn new(now: SystemTime) -> Self {
        Self(Mutex::new(Time { now, passed: Duration::ZERO, slept: Vec::new() }))
    }

    /// Moves time on.
    pub fn advance(&self, by: Duration) {
        let mut time = self.time();
        time.now += by;
        time.passed += by;
    }

    /// How long each sleep so far has asked for.
    #[must_use]
    pub fn slept(&self) -> Vec<Duration> {
        self.time().slept.clone()
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new(SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 56))
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.time().now
    }

    fn monotonic(&self) -> Duration {
        self.time().passed
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
        self.time().slept.push(duration);
        // Others get their turn, as they would in real time.
        tokio::task::yield_now().await;
    }
}
