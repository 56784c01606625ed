//! How long an entry has stood unchanged, as one process sees it. Pure: times of its monotonic clock are handed in.

use std::time::Duration;

/// How long for sure: from the end of the read that found it first to the start of the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unchanged {
    /// Whatever happened in between.
    pub(super) in_all: Duration,
    /// While it was looked at again and again and the store answered, so that whoever holds the lease could have written. A
    /// silence of the store is none of its holder.
    pub(super) watched: Duration,
}

/// What a process has seen of an entry.
#[derive(Clone, Debug)]
pub(super) struct Watch<V>(Option<Seen<V>>);

#[derive(Clone, Debug)]
struct Seen<V> {
    version: V,
    since: Duration,
    /// Since when it was watched without a break; `None` after a break.
    watched_since: Option<Duration>,
    last: Duration,
}

impl<V> Default for Watch<V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<V: PartialEq> Watch<V> {
    /// A read that was asked and answered then has found that version. Looks further apart than `gap` tell nothing of the time
    /// between them.
    pub(super) fn look(&mut self, version: V, asked: Duration, answered: Duration, gap: Duration) -> Unchanged {
        let Some(seen) = self.0.as_mut().filter(|seen| seen.version == version) else {
            self.0 = Some(Seen { version, since: answered, watched_since: Some(answered), last: answered });
            return Unchanged::default();
        };
        let close = answered.saturating_sub(seen.last) <= gap;
        let watched_since = seen.watched_since.filter(|_| close).unwrap_or(answered);
        (seen.watched_since, seen.last) = (Some(watched_since), answered);
        Unchanged { in_all: asked.saturating_sub(seen.since), watched: asked.saturating_sub(watched_since) }
    }

    /// There is no entry.
    pub(super) fn nothing(&mut self) {
        self.0 = None;
    }

    /// The store did not answer, or did not write: a holder of a lease fared no better.
    pub(super) fn interrupted(&mut self) {
        if let Some(seen) = &mut self.0 {
            seen.watched_since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_secs(30);

    fn look(watch: &mut Watch<u8>, version: u8, at: u64) -> (u64, u64) {
        let at = Duration::from_secs(at);
        let Unchanged { in_all, watched } = watch.look(version, at, at, GAP);
        (in_all.as_secs(), watched.as_secs())
    }

    #[test]
    fn time_counts_from_the_first_look_at_a_version() {
        let mut watch = Watch::default();
        assert_eq!(look(&mut watch, 1, 100), (0, 0));
        assert_eq!(look(&mut watch, 1, 130), (30, 30));
        assert_eq!(look(&mut watch, 2, 140), (0, 0));
        assert_eq!(look(&mut watch, 2, 150), (10, 10));
        watch.nothing();
        assert_eq!(look(&mut watch, 2, 160), (0, 0));
    }

    #[test]
    fn a_silence_of_the_store_or_of_our_own_is_not_watched() {
        let mut watch = Watch::default();
        look(&mut watch, 1, 0);
        look(&mut watch, 1, 20);
        assert_eq!(look(&mut watch, 1, 51), (51, 0), "31 s without a look");
        assert_eq!(look(&mut watch, 1, 60), (60, 9));
        watch.interrupted();
        assert_eq!(look(&mut watch, 1, 61), (61, 0), "a look that failed");
        assert_eq!(look(&mut watch, 1, 71), (71, 10));
    }

    #[test]
    fn a_slow_answer_is_not_watched_and_its_own_time_does_not_count() {
        let (mut watch, seconds) = (Watch::default(), Duration::from_secs);
        watch.look(1, seconds(0), seconds(5), GAP);
        assert_eq!(watch.look(1, seconds(6), seconds(16), GAP).in_all, seconds(1));
        assert_eq!(watch.look(1, seconds(17), seconds(50), GAP).watched, Duration::ZERO);
    }
}
