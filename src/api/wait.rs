//! Waiting for what the org does in its own time: jobs, deploys, retrieves.

use std::time::Duration;

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result, Retry};

/// A job is looked at again after a fifth of the time it has taken so far, so that its end is seen at most a fifth late: but
/// not sooner than after this, nor later than after [`LAST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// How often a job is looked at. Each look costs an API call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Looks {
    /// For those who wait for it.
    #[default]
    Often,
    /// For those who count calls: after a second, then after as long as it has taken so far, at most a minute. A job of 10 s costs five,
    /// one of ten minutes 16.
    Seldom,
}

impl Looks {
    /// How long to wait before a job is looked at again.
    fn pause(self, elapsed: Duration) -> Duration {
        match self {
            Self::Often => (elapsed / 5).clamp(FIRST_PAUSE, LAST_PAUSE),
            Self::Seldom => elapsed.clamp(Duration::from_secs(1), Duration::from_mins(1)),
        }
    }
}

/// How often a job is looked at that takes so long, at most.
pub(super) fn looks_within(takes: Duration) -> u64 {
    let (mut looks, mut elapsed) = (1, Duration::ZERO);
    while elapsed < takes {
        let pause = Looks::Often.pause(elapsed);
        if pause >= LAST_PAUSE {
            // Evenly from here on.
            let rest = takes.saturating_sub(elapsed).as_millis().div_ceil(LAST_PAUSE.as_millis());
            return u64::try_from(rest).unwrap_or(u64::MAX).saturating_add(looks);
        }
        elapsed += pause;
        looks += 1;
    }
    looks
}

/// Whether a look at a job has failed for a reason that says nothing of the job: it goes on, however long the org does not answer.
pub(super) fn passes(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Transport | ErrorKind::Unavailable | ErrorKind::RateLimited)
        && matches!(error.retry(), Retry::After(_) | Retry::Exhausted { .. })
}

/// Looks until `going` names no state in which the job goes on. A look that fails for a reason that passes is taken for "not yet".
///
/// Past the deadline the error is that of `late`, with the state that was seen last.
pub(super) async fn until_ended<T, Look>(
    client: &Client,
    deadline: Duration,
    looks: Looks,
    mut look: impl FnMut() -> Look + Send,
    mut going: impl FnMut(&T) -> Option<String> + Send,
    late: impl Fn() -> Error + Send,
) -> Result<T>
where
    T: Send,
    Look: Future<Output = Result<T>> + Send,
{
    let started = client.monotonic();
    if looks == Looks::Seldom {
        client.pause(looks.pause(Duration::ZERO).min(deadline)).await;
    }
    loop {
        let seen = look().await;
        let elapsed = client.monotonic().saturating_sub(started);
        let left = deadline.saturating_sub(elapsed);
        let asked = match seen {
            Ok(seen) => match going(&seen) {
                None => return Ok(seen),
                Some(state) if left.is_zero() => return Err(late().with_context("state", state)),
                Some(_) => None,
            },
            Err(error) if !passes(&error) => return Err(error),
            Err(error) if left.is_zero() => return Err(late().with_source(error)),
            Err(error) => {
                if let Retry::After(asked) = error.retry() {
                    asked
                } else {
                    None
                }
            }
        };
        client.pause(looks.pause(elapsed).max(asked.unwrap_or_default()).min(left)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_job_is_seen_soon_whenever_it_comes() {
        let mut looks = vec![Duration::ZERO];
        while looks.last().is_some_and(|look| *look < Duration::from_mins(2)) {
            let last = *looks.last().expect("one");
            looks.push(last + Looks::Often.pause(last));
        }
        for pair in looks.windows(2) {
            let late = pair[1].saturating_sub(pair[0]);
            assert!(late <= Duration::from_millis(50).max(pair[0] / 5), "{pair:?}");
            assert!(late <= Duration::from_secs(5));
        }
        let seen = looks.iter().find(|look| **look >= Duration::from_millis(1500)).expect("later");
        assert!(*seen <= Duration::from_millis(1800), "{seen:?}");
        assert!(looks.len() < 60, "{} calls in two minutes", looks.len());
        for (number, look) in looks.iter().enumerate() {
            let by_then = looks_within(*look);
            assert!(by_then == number as u64 + 1, "{by_then} looks within {look:?}");
        }
    }

    #[test]
    fn looks_that_are_counted_are_few() {
        for (seconds, calls) in [(1, 1), (10, 5), (60, 7), (600, 16)] {
            let (mut last, mut looks) = (Duration::from_secs(1), 1);
            while last < Duration::from_secs(seconds) {
                last += Looks::Seldom.pause(last);
                looks += 1;
            }
            assert_eq!(looks, calls, "{seconds} s");
        }
    }
}
