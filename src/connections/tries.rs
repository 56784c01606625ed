//! Tries of a commit that fails in passing, or that another process was ahead of.

use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Retry};

/// How often a write is tried. With the delays between, that is about ten seconds.
const TRIES: u32 = 20;

/// Counts tries, and waits longer before each.
pub(super) struct Tries<'a> {
    clock: &'a dyn Clock,
    done: u32,
}

impl<'a> Tries<'a> {
    pub(super) fn new(clock: &'a dyn Clock) -> Self {
        Self { clock, done: 0 }
    }

    /// Waits for the next try; the error to end with if there is none.
    pub(super) async fn after(&mut self, error: Option<Error>) -> Result<(), Error> {
        self.done += 1;
        let error = error.unwrap_or_else(busy);
        if self.done >= TRIES || !matches!(error.retry(), Retry::After(_)) {
            return Err(error);
        }
        let full = Duration::from_millis(10).saturating_mul(1 << self.done.min(6));
        self.clock.sleep(full.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        Ok(())
    }
}

fn busy() -> Error {
    Error::new(ErrorKind::Store, "connections", "other processes change the connection all the time")
        .with_retry(Retry::After(None))
}
