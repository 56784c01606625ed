//! One access token for all requests, renewed once however many are refused.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::{AccessToken, TokenProvider};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::HttpService;

/// After a background call that failed the provider is left alone for that long.
const PAUSE: Duration = Duration::from_secs(30);

type Outcome = Option<Result<AccessToken>>;

/// Keeps the token in force. Renewal is keyed on the token that was refused, so a late 401 of an old token finds the new
/// one instead of renewing again, and it runs in a task of its own: a caller that is dropped does not stop it.
#[derive(Clone)]
pub(crate) struct TokenCache(Arc<Shared>);

struct Shared {
    provider: Arc<dyn TokenProvider>,
    http: Arc<dyn HttpService>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<AccessToken>,
    /// When the provider wants to be asked again, by the monotonic clock.
    ask_again: Option<Duration>,
    renewal: Option<Renewal>,
}

#[derive(Clone)]
struct Renewal {
    outcome: watch::Receiver<Outcome>,
    /// The token at hand was not refused and stays in use.
    background: bool,
}

impl TokenCache {
    pub(crate) fn new(provider: Arc<dyn TokenProvider>, http: Arc<dyn HttpService>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared { provider, http, clock, state: Mutex::default() }))
    }

    /// The token in force; a new one if that is the one refused.
    pub(crate) async fn get(&self, rejected: Option<&AccessToken>) -> Result<AccessToken> {
        loop {
            let mut renewal = match self.at_hand(rejected) {
                Ok(token) => return Ok(token),
                Err(renewal) => renewal,
            };
            let outcome = match renewal.outcome.wait_for(Option::is_some).await {
                Ok(outcome) => outcome.clone().unwrap_or_else(|| Err(died())),
                Err(_) => Err(died()),
            };
            // One in the background has not been told that the token is dead: then the next one is.
            let told = !renewal.background || outcome.as_ref().is_ok_and(|token| Some(token) != rejected);
            if told {
                return outcome;
            }
        }
    }

    /// The token in force, or what to wait for.
    fn at_hand(&self, rejected: Option<&AccessToken>) -> Result<AccessToken, Renewal> {
        let mut state = self.0.lock();
        // While it is being replaced because it was refused, it is of no use to others either.
        let refused = state.renewal.as_ref().is_some_and(|renewal| !renewal.background);
        let current = state.current.clone().filter(|current| !refused && Some(current) != rejected);
        if let Some(current) = current {
            let due = state.ask_again.is_some_and(|at| self.0.clock.monotonic() >= at);
            if due && state.renewal.is_none() {
                self.start(&mut state, None, true);
            }
            return Ok(current);
        }
        match &state.renewal {
            Some(renewal) => Err(renewal.clone()),
            None => Err(self.start(&mut state, rejected, false)),
        }
    }

    fn start(&self, state: &mut State, rejected: Option<&AccessToken>, background: bool) -> Renewal {
        let (sender, outcome) = watch::channel(None);
        let renewal = Renewal { outcome, background };
        state.renewal = Some(renewal.clone());
        let (shared, rejected) = (Arc::clone(&self.0), rejected.cloned());
        tokio::spawn(async move {
            // Runs also when the provider panics, so that the next caller can try again.
            let ended = Ended(&shared);
            let outcome = shared.provider.fetch(shared.http.as_ref(), rejected.as_ref()).await;
            shared.settle(&outcome);
            drop(ended);
            // No receiver is left when every caller has gone; the token is kept all the same.
            let _ = sender.send(Some(outcome));
        });
        renewal
    }
}

struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.lock().renewal = None;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement that holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, outcome: &Result<AccessToken>) {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        match outcome {
            Ok(token) => {
                state.ask_again = token.ask_again().map(|time| now.saturating_add(time));
                state.current = Some(token.clone());
            }
            // A connection that has ended stops all work, even where the token at hand would go on for a while.
            Err(error) if error.kind() == ErrorKind::ReauthRequired => {
                state.ask_again = None;
                state.current = None;
            }
            Err(_) if state.ask_again.is_some() => state.ask_again = Some(now.saturating_add(PAUSE)),
            Err(_) => {}
        }
    }
}

fn died() -> Error {
    Error::new(ErrorKind::Unexpected, "token", "the token provider ended without an answer").with_retry(Retry::Never)
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenCache").field(&self.0.provider).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::clock::SystemClock;
    use crate::http::{Request, Response};

    #[derive(Debug)]
    struct NoHttp;

    #[async_trait]
    impl HttpService for NoHttp {
        async fn send(&self, _request: Request) -> Result<Response> {
            Err(Error::new(ErrorKind::Transport, "", "no network here"))
        }
    }

    /// Answers `token-1`, `token-2`, … once the gate lets it.
    #[derive(Debug)]
    struct Counted {
        calls: AtomicUsize,
        gate: Semaphore,
    }

    #[async_trait]
    impl TokenProvider for Counted {
        async fn fetch(&self, _http: &dyn HttpService, _rejected: Option<&AccessToken>) -> Result<AccessToken> {
            let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
            let _permit = self.gate.acquire().await.expect("open");
            assert_ne!(number, 13, "a provider that panics");
            AccessToken::new(format!("token-{number}"), "https://acme.my.salesforce.com")
        }
    }

    fn cache(permits: usize) -> (TokenCache, Arc<Counted>) {
        let provider = Arc::new(Counted { calls: AtomicUsize::new(0), gate: Semaphore::new(permits) });
        (TokenCache::new(Arc::<Counted>::clone(&provider), Arc::new(NoHttp), Arc::new(SystemClock::new())), provider)
    }

    #[tokio::test]
    async fn a_thousand_refused_requests_renew_once_and_late_ones_not_again() {
        let (cache, provider) = cache(10);
        let old = cache.get(None).await.expect("first token");
        let all = (0..1000).map(|_| {
            let (cache, old) = (cache.clone(), old.clone());
            tokio::spawn(async move { cache.get(Some(&old)).await })
        });
        for task in all.collect::<Vec<_>>() {
            let token = task.await.expect("no panic").expect("renewed");
            assert_eq!(token.secret().expose(), "token-2");
        }
        let late = cache.get(Some(&old)).await.expect("the token in force");
        assert_eq!(late.secret().expose(), "token-2");
        assert_eq!(provider.calls.load(Ordering::SeqCst), 2, "one login, one renewal");
    }

    #[tokio::test]
    async fn a_renewal_outlives_the_caller_that_started_it() {
        let (cache, provider) = cache(0);
        let first = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get(None).await }
        });
        while provider.calls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        first.abort();
        assert!(first.await.expect_err("dropped").is_cancelled());
        provider.gate.add_permits(10);
        let token = cache.get(None).await.expect("the renewal went on");
        assert_eq!(token.secret().expose(), "token-1");
        assert_eq!(provider.calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_provider_that_panics_fails_its_callers_and_not_the_next_ones() {
        let (cache, provider) = cache(10);
        provider.calls.store(12, Ordering::SeqCst);
        let error = cache.get(None).await.expect_err("the provider panicked");
        assert_eq!(error.kind(), ErrorKind::Unexpected);
        assert_eq!(cache.get(None).await.expect("the next try").secret().expose(), "token-14");
    }
}
